"""What is installed here: for bug reports, and for the methods section of a paper."""

from __future__ import annotations

import platform
import sys
from importlib import metadata

from sims_analysis._version import __version__

#: What the library stands on, and what its extras add.
_PACKAGES = (
    "numpy", "scipy", "xarray", "pandas", "pint", "httpx", "orjson",
    "click", "matplotlib", "h5netcdf", "h5py", "dask", "distributed", "zarr", "starlette",
    "uvicorn", "tqdm", "openpyxl",
)  # fmt: skip


def show_versions() -> None:
    """Print the versions of Python, of this library, and of what it uses.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> sims.show_versions()  # doctest: +ELLIPSIS
    python         ...
    platform       ...
    sims-analysis  ...
    numpy          ...
    """
    lines = [("python", sys.version.split()[0]), ("platform", platform.platform())]
    lines.append(("sims-analysis", __version__))
    for package in _PACKAGES:
        try:
            lines.append((package, metadata.version(package)))
        except metadata.PackageNotFoundError:
            lines.append((package, "not installed"))
    width = max(len(name) for name, _ in lines)
    print("\n".join(f"{name:<{width}}  {version}" for name, version in lines))  # noqa: T201
