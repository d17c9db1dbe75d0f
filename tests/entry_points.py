"""What only an installed package has: its entry points, for tests that run in a checkout."""

import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import xarray as xr

ROOT = Path(__file__).parents[1]


def write_entry_points(site):
    """Write what `pip install` writes of pyproject.toml's entry points; return the folder."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    about = site / "sims_analysis-1.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: sims-analysis\nVersion: 1\n")
    groups = (
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in entries.items())
        for group, entries in project["entry-points"].items()
    )
    (about / "entry_points.txt").write_text("\n".join(groups))
    return site


def with_engine(site, monkeypatch):
    """Make xarray find our engine in this process, as it does where the package is installed."""
    if not entry_points(group="xarray.backends", name="sims"):
        monkeypatch.syspath_prepend(write_entry_points(site))
    xr.backends.list_engines.cache_clear()
