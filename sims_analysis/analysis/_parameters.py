"""Arguments that hold one value a profile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from sims_analysis.analysis._call import told
from sims_analysis.errors import ProfileError

if TYPE_CHECKING:
    from sims_analysis.analysis._frame import Frame

__all__ = [
    "aligned",
    "anywhere",
    "as_slice",
    "distinct",
    "fitting",
    "in_order",
    "known",
    "lazy",
    "places",
    "true_or_false",
]


def aligned(value: xr.DataArray, coords: Mapping[Any, xr.Variable], name: str) -> xr.DataArray:
    """Bring a parameter's rows into the order of the data, by label."""
    selectors = {}
    for dim in value.dims:
        if dim not in coords or dim not in value.indexes:
            continue
        wanted = coords[dim].values
        distinct(list(value.indexes[dim]), f"{name}: {dim}")
        missing = set(wanted.tolist()) - set(value.indexes[dim])
        if missing:
            raise ProfileError(f"{name} has no value for {dim} {sorted(map(str, missing))}")
        selectors[dim] = wanted
    return value.sel(selectors) if selectors else value


def distinct(names: Sequence[Any], what: str = "species") -> None:
    """Refuse labels by which a profile cannot be looked up, because two have the same."""
    twice = sorted({str(name) for name in names if names.count(name) > 1})
    if twice:
        raise ProfileError(
            f"{what} {', '.join(map(repr, twice))} is in the data more than once, and is asked "
            "for by name; give each its own name, or select one with isel()"
        )


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


def anywhere(condition: xr.Variable) -> bool:
    """Whether it holds anywhere; of what Dask is to compute, as far as that is known: nowhere."""
    return not lazy(condition) and bool(condition.any())


def lazy(variable: xr.Variable) -> bool:
    """Whether Dask is to compute it."""
    return hasattr(variable._data, "chunks")


def in_order(frame: Frame, start: xr.Variable, stop: xr.Variable, given: tuple[Any, Any]) -> None:
    """Refuse a start that is not shallower than the stop; NaN is the profile's own end."""
    alone = start.ndim == stop.ndim == 0
    if alone and not (lazy(start) or lazy(stop)):
        # Two numbers are compared as numbers: as Variables it would take half the call.
        reverse = bool(start.data >= stop.data)
    else:
        reverse = anywhere(start >= stop)
    if not reverse:
        return
    if alone and not any(isinstance(limit, xr.DataArray) for limit in given):
        raise ProfileError(
            f"start must be shallower than stop, found start={told(given[0])} and "
            f"stop={told(given[1])}"
        )
    a = start + 0.0 * stop.fillna(0.0)
    b = (stop + 0.0 * start.fillna(0.0)).transpose(*a.dims)
    where = np.argwhere((a >= b).values)
    coords = {**frame.coords, **frame.brought}
    here = tuple(where[0])
    names = ", ".join(
        f"{dim} {str(coords[dim].values[i] if dim in coords else i)!r}"
        for dim, i in zip(a.dims, here, strict=True)
    )
    others = f" and {len(where) - 1} more" if len(where) > 1 else ""
    raise ProfileError(
        f"{names or 'the profile'}{others}: start must be shallower than stop, found "
        f"start={float(a.values[here]):g} nm and stop={float(b.values[here]):g} nm"
    )


def true_or_false(value: Any, name: str) -> None:
    """Refuse what Python takes for true and was not meant so: ``"no"``."""
    if not isinstance(value, bool | np.bool_):
        raise ProfileError(f"{name}={value!r}; expected True or False")


def places(number: Any, name: str) -> None:
    """Refuse what is not a number of places to keep."""
    whole = isinstance(number, int | np.integer) and not isinstance(number, bool)
    if number is not None and not (whole and number >= 1):
        raise ProfileError(f"{name}={number!r}; expected a whole number, at least 1")


def as_slice(index: list[int]) -> Any:
    """Give places that follow each other as a slice: a look at an array, and no copy of it."""
    step = index[1] - index[0] if len(index) > 1 else 1
    if step == 0 or index != list(range(index[0], index[0] + step * len(index), step)):
        return index
    stop = index[-1] + step
    return slice(index[0], stop if stop >= 0 else None, step)
