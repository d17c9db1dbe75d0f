"""Arguments before they are read: aligned by the labels of their dimensions, and their kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from sims_analysis import units
from sims_analysis.dataset.canonical import refuse_repeated
from sims_analysis.errors import ProfileError, UnitsError


def by_label(
    value: xr.DataArray,
    name: str,
    coords: Mapping[Any, xr.Variable],
    sizes: Mapping[Any, int],
    whose: str = "the data",
) -> xr.DataArray:
    """Align an argument with profiles by the labels of its dimensions.

    `coords` are those of the profiles, and `sizes` their dimensions. Where a coordinate of the
    profiles is a single label, its value is selected.
    """
    for dim in [d for d in value.dims if d in coords and d in value.indexes]:
        index, scalar = value.indexes[dim], coords[dim].ndim == 0
        refuse_repeated(index.tolist(), f"{name}: {dim}")
        wanted = np.atleast_1d(coords[dim].values)
        positions = index.get_indexer(wanted)
        missing = sorted({str(label) for label in wanted[positions < 0]})
        if missing:
            known = ", ".join(repr(str(label)) for label in index[:8])
            more = f" and {index.size - 8} more" if index.size > 8 else ""
            raise ProfileError(f"{name} has no value for {dim} {missing}; it has {known}{more}")
        value = value.isel({dim: positions[0] if scalar else positions}, drop=True)
    for dim in value.dims:
        if dim in coords and coords[dim].ndim == 0:
            alone = repr(str(coords[dim].values))
            raise ProfileError(
                f"{name} holds {value.sizes[dim]} values along {str(dim)!r}, and {whose} are those "
                f"of {alone} alone; give it a coordinate {str(dim)!r} that says which value "
                "belongs to which"
            )
    for dim, size in sizes.items():
        if value.sizes.get(dim, size) != size:
            raise ProfileError(
                f"{name} holds {value.sizes[dim]} values along {str(dim)!r}, and {whose} {size}; "
                f"give it a coordinate {str(dim)!r} that says which value belongs to which"
            )
    return value


def kind_of(value: Any, kinds: tuple[str, ...], name: str) -> str:
    """Return the kind of unit of an argument that :meth:`Frame.parameter` can read."""
    if isinstance(value, Mapping):
        if not value:
            raise ProfileError(f"{name} is empty; give a value for at least one species")
        found = {kind_of(one, kinds, f"{name}[{key!r}]") for key, one in value.items()}
        if len(found) != 1:
            mixed = " and ".join(sorted(units.CANONICAL[kind] for kind in found))
            raise UnitsError(f"{name} mixes {mixed}; expected one kind of value")
        return found.pop()
    if isinstance(value, xr.DataArray):
        return units.magnitude_and_unit(value, kinds, name)[1].kind
    return units.read_quantity(value, kinds, name)[1].kind
