"""xarray's engine: ``xarray.open_dataset(file, engine="sims")``."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import xarray as xr
from xarray.backends import BackendEntrypoint

import sims_analysis
from sims_analysis.readers.registry import format_of

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["SimsBackend"]


def _closed() -> None:
    """Close nothing: the file was closed when it had been read."""


class SimsBackend(BackendEntrypoint):
    """Files of instruments, laboratories and simulators, for :func:`xarray.open_dataset`.

    Keyword arguments are those of :func:`sims_analysis.read` and :func:`sims_analysis.to_dataset`.
    Files that :func:`sims_analysis.save` wrote are loaded as they were saved.
    """

    description = "Depth profiles of SIMS: what sims_analysis.read and load open"
    #: Stated, because xarray refuses what it finds in a signature with `**options`.
    open_dataset_parameters = ("filename_or_obj", "drop_variables")

    def open_dataset(
        self,
        filename_or_obj: Any,
        *,
        drop_variables: str | Iterable[str] | None = None,
        **options: Any,
    ) -> xr.Dataset:
        """Read a file, as :func:`sims_analysis.read` does, and make a Dataset of it."""
        dropped = (
            [drop_variables] if isinstance(drop_variables, str) else list(drop_variables or ())
        )
        stored = str(filename_or_obj).endswith((".nc", ".nc4", ".zarr"))
        if stored and options.keys() <= {"max_bytes"}:
            ds = sims_analysis.load(filename_or_obj, **options)
            if isinstance(ds, xr.DataArray):
                ds = ds.to_dataset(name=ds.name or "values", promote_attrs=True)
        else:
            making = inspect.signature(sims_analysis.to_dataset).parameters.keys() & options
            making -= {"depth_units"}  # of which `read` makes use
            making_options = {name: options.pop(name) for name in making}
            result = sims_analysis.read(filename_or_obj, **options)
            if isinstance(result, list):
                raise ValueError(
                    "engine='sims' opens one file; xarray.open_mfdataset(files, engine='sims') "
                    "opens several"
                )
            ds = result.to_dataset(**making_options)
        ds = ds.drop_vars(dropped, errors="ignore")
        ds.set_close(_closed)  # everything was read; open_mfdataset closes what it opened
        return ds

    def guess_can_open(self, filename_or_obj: Any) -> bool:
        """Whether a file is laid out as one of the formats that have a recogniser."""
        return format_of(filename_or_obj) is not None
