"""Check arguments, and align them with the profiles by label."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeGuard

import numpy as np
import xarray as xr

from sims_analysis.analysis._run import is_lazy
from sims_analysis.dataset.canonical import refuse_repeated
from sims_analysis.errors import ProfileError

__all__ = ["aligned", "anywhere", "check_bool", "check_count", "is_number"]


def aligned(
    value: xr.DataArray, coords: Mapping[Any, xr.Variable], sizes: Mapping[Any, int], name: str
) -> xr.DataArray:
    """Align the values of a parameter with the profiles, by label.

    If the data have a single label (after ``.sel``), its value is selected.
    """
    for dim in [d for d in value.dims if d in coords and d in value.indexes]:
        index = value.indexes[dim]
        refuse_repeated(index.tolist(), f"{name}: {dim}")
        wanted = np.atleast_1d(coords[dim].values)
        positions = index.get_indexer(wanted)
        missing = sorted({str(label) for label in wanted[positions < 0]})
        if missing:
            known = ", ".join(repr(str(label)) for label in index[:8])
            more = f" and {index.size - 8} more" if index.size > 8 else ""
            raise ProfileError(f"{name} has no value for {dim} {missing}; it has {known}{more}")
        at: Any = positions if coords[dim].ndim else int(positions[0])
        value = value.isel({dim: at}, drop=True)
    for dim, size in value.sizes.items():
        if dim in sizes and size != sizes[dim]:
            raise ProfileError(
                f"{name} holds {size} values along {str(dim)!r}, and the data {sizes[dim]}; "
                f"give it a coordinate {str(dim)!r} that says which value belongs to which"
            )
    return value


def anywhere(condition: xr.Variable) -> bool:
    """Whether a condition holds anywhere; False if it is lazy."""
    return not is_lazy(condition) and bool(condition.any())


def is_number(value: Any) -> TypeGuard[float]:
    """Whether a value is a real number, Python's or numpy's; booleans are not."""
    return isinstance(value, float | int | np.number) and not isinstance(value, bool)


def check_bool(value: Any, name: str) -> None:
    """Refuse values that are not booleans, such as the truthy ``"no"``."""
    if not isinstance(value, bool | np.bool_):
        raise ProfileError(f"{name}={value!r}; expected True or False")


def check_count(number: Any, name: str, least: int = 1) -> None:
    """Refuse values other than whole numbers of at least `least`, Python's or numpy's."""
    whole = isinstance(number, int | np.integer) and not isinstance(number, bool)
    if not (whole and number >= least):
        raise ProfileError(f"{name}={number!r}; expected a whole number, at least {least}")
