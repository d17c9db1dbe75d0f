"""Texts and parts of errors and warnings, as approved in ``approved_messages.txt``.

A line of that file with ``>>>`` is a call, one with ``$`` a command; below it is the outcome.
After a change that is meant, or a new call, write the texts anew and read the difference:
``python tests/test_approved_messages.py``.
"""

import difflib
import os
import shlex
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner

import sims_analysis as sims
from sims_analysis.cli import cli
from sims_analysis.units.reading import read_unit, unit_of_kind

APPROVED = Path(__file__).with_name("approved_messages.txt")
PAYLOAD = (
    '[{"data_id": "w1", "species_name": "B", "depths": [0, 1], "depth_units": "nm",'
    ' "concentrations": [1, 2], "concentration_units": "atoms/cm^3"}]'
)


def files(folder):
    """Write the files that calls and commands read."""
    z = np.arange(10.0, 210.0, 2.0)
    profile = zip(z, 1e19 * np.exp(-(((z - 100.0) / 30.0) ** 2)) + 1e15, strict=True)
    rows = [(0.0, 1e20), (1.0, 1e17), *profile]
    table = "".join(f"{z:g},{c:g}\n" for z, c in rows)
    texts = {
        "profile.csv": "Depth (nm),B (atoms/cm3)\n" + table,
        "bare.csv": "Depth,B\n" + table,
        "twice.csv": "Depth (nm),B (c/s),B (c/s)\n1,2,3\n2,3,3\n3,5,3\n",
        "spectrum.csv": "Mass,Counts\n1,2\n2,3\n3,5\n",
        "ids.txt": "# none\n",
        "boron.json": PAYLOAD,
        "phosphorus.json": PAYLOAD.replace('"B"', '"P"'),
    }
    (folder / "notes.txt").write_bytes(b"\xff\xfe no text")
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")


def names():
    """Return what calls may use."""
    implant, time = sims.open_example("boron-implant"), sims.open_example("sputter-time")
    depth = np.arange(0.0, 100.0, 5.0)
    value = 1e19 * np.exp(-(((depth - 40.0) / 15.0) ** 2)) + 1e14
    boron = xr.Dataset(
        {"concentration": (("species", "depth"), [value, 2 * value], {"units": "atoms/cm^3"})},
        {"species": ["B", "P"], "depth": ("depth", depth, {"units": "nm"})},
    )
    with_gap = boron.isel(depth=[*range(7), *range(12, 20)])
    return {"sims": sims, "xr": xr, "np": np, "implant": implant, "time": time, "boron": boron,
            "with_gap": with_gap, "read_unit": read_unit, "unit_of_kind": unit_of_kind}  # fmt: skip


def outcome(call, known):
    """Return what a call warns of and raises, with the parts of each, or what a command prints."""
    if call.startswith("$"):
        done = CliRunner().invoke(cli, shlex.split(call[2:]), catch_exceptions=False)
        printed = [one for one in done.output.splitlines() if one.startswith(("Error", "Warning"))]
        return [*printed, f"exit code {done.exit_code}"]
    raised = []
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            eval(call[4:], known)  # noqa: S307
        except (sims.SimsError, TypeError, AttributeError, OSError) as error:
            raised.append(error)
    lines = []
    for one in [*(each.message for each in warned), *raised]:
        parts = [type(one).__name__]
        if isinstance(one, sims.SimsError | sims.SimsWarning):
            parts += [one.code, one.argument, str(dict(one.where))]
        lines += [" ".join(filter(None, parts)), f"  {one}"]
    return lines


def transcript():
    """Make the file anew: its calls, in order, with what they say now."""
    calls = [
        line
        for line in APPROVED.read_text(encoding="utf-8").splitlines()
        if line.startswith((">>> ", "$ ", "# "))
    ]
    here, known, lines = Path.cwd(), names(), []
    with tempfile.TemporaryDirectory() as folder:
        files(Path(folder))
        os.chdir(folder)
        try:
            for call in calls:
                lines += ["", call] if lines else [call]
                lines += [] if call.startswith("#") else outcome(call, known)
        finally:
            os.chdir(here)
        made = {path.name for path in Path(folder).iterdir() if path.is_dir()}
        assert made == {"lab"}, "a command that is refused makes nothing"
    return [line.rstrip() for line in lines]


@pytest.fixture(autouse=True)
def _without_keys(monkeypatch):
    for name in ("AS_API_KEY", "ATOMSCALE_API_KEY", "AS_API_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)


def test_messages_are_as_approved():
    approved, now = APPROVED.read_text(encoding="utf-8").splitlines(), transcript()
    difference = "\n".join(difflib.unified_diff(approved, now, "approved", "now", lineterm="", n=2))
    assert not difference, f"{difference}\nIf it is meant: python {__file__}"


if __name__ == "__main__":
    APPROVED.write_text("\n".join(transcript()) + "\n", encoding="utf-8")
