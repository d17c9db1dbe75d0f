"""What is installed, for bug reports."""

import platform
import sys
from importlib import metadata

import sims_analysis as sims

PACKAGES = [
    "sims-analysis", "numpy", "scipy", "xarray", "pandas", "pint", "httpx", "orjson",
    "click", "matplotlib", "h5netcdf", "h5py", "dask", "distributed", "zarr", "starlette",
    "uvicorn", "tqdm", "openpyxl",
]  # fmt: skip


def test_every_package_is_listed_with_its_version_or_as_missing(capsys, monkeypatch):
    def version(name):
        if name in ("sims-analysis", "dask"):
            raise metadata.PackageNotFoundError(name)
        return f"1.0 of {name}"

    monkeypatch.setattr(metadata, "version", version)
    sims.show_versions()
    found = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert list(found) == ["python", "platform", *PACKAGES]
    assert found["python"] == platform.python_version() == sys.version.split()[0]
    assert found["platform"] == platform.platform()
    assert found["numpy"] == "1.0 of numpy"
    assert found["dask"] == "not installed"
    assert found["sims-analysis"] == sims.__version__  # also where it is not installed


def test_the_versions_stand_below_each_other(capsys):
    sims.show_versions()
    lines = capsys.readouterr().out.splitlines()
    wide = len("sims-analysis")
    assert all(line[wide : wide + 2] == "  " and line[wide + 2] != " " for line in lines)
