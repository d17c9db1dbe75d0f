"""Arguments that hold one value a profile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from sims_analysis.errors import ProfileError

__all__ = ["aligned", "fitting", "known", "places", "true_or_false"]


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


def fitting(value: xr.DataArray, sizes: Mapping[Any, int], name: str) -> xr.DataArray:
    """Refuse a parameter of another length than the data, after it was aligned by label."""
    for dim, size in value.sizes.items():
        if dim in sizes and size != sizes[dim]:
            raise ProfileError(
                f"{name} holds {size} values along {str(dim)!r}, and the data {sizes[dim]}; give "
                f"it a coordinate {str(dim)!r} that says which of them each belongs to"
            )
    return value


def known(limit: xr.Variable, given: Any, nowhere: float) -> xr.Variable:
    """Put a limit that was given and is not known (NaN: no junction) where nothing is measured.

    To the kernels, NaN means that no limit was given.
    """
    return limit.fillna(nowhere) if isinstance(given, xr.DataArray) else limit


def true_or_false(value: Any, name: str) -> None:
    """Refuse what Python takes for true and was not meant so: ``"no"``."""
    if not isinstance(value, bool | np.bool_):
        raise ProfileError(f"{name}={value!r}; expected True or False")


def places(number: Any, name: str) -> None:
    """Refuse what is not a number of places to keep."""
    whole = isinstance(number, int | np.integer) and not isinstance(number, bool)
    if number is not None and not (whole and number >= 1):
        raise ProfileError(f"{name}={number!r}; expected a whole number, at least 1")
