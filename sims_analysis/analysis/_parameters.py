"""Arguments that hold one value a profile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import xarray as xr

from sims_analysis.errors import ProfileError

__all__ = ["aligned", "known"]


def aligned(value: xr.DataArray, coords: Mapping[Any, xr.Variable], name: str) -> xr.DataArray:
    """Bring a parameter's rows into the order of the data, by label."""
    selectors = {}
    for dim in value.dims:
        if dim not in coords or dim not in value.indexes:
            continue
        wanted = coords[dim].values
        missing = set(wanted.tolist()) - set(value.indexes[dim])
        if missing:
            raise ProfileError(f"{name} has no value for {dim} {sorted(map(str, missing))}")
        selectors[dim] = wanted
    return value.sel(selectors) if selectors else value


def known(limit: xr.Variable, given: Any, nowhere: float) -> xr.Variable:
    """Put a limit that was given and is not known (NaN: no junction) where nothing is measured.

    To the kernels, NaN means that no limit was given.
    """
    return limit.fillna(nowhere) if isinstance(given, xr.DataArray) else limit
