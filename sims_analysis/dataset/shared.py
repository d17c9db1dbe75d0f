"""Values that samples have in common: coordinates of a Dataset, columns of profiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sims_analysis import vocabulary
from sims_analysis.units import read_unit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import xarray as xr

    from sims_analysis.kernels.rows import Array


def shared_columns(
    data: xr.Dataset | xr.DataArray, variable: str, where: Mapping[str, Any], samples: int
) -> Iterator[tuple[str, Array]]:
    """Yield what samples of the profile at some labels have in common, as a number for each."""
    for name, unit in vocabulary.SHARED.items():
        of_concentration = name.startswith(("sensitivity", "dose"))
        if name not in data.coords or (of_concentration and variable != "concentration"):
            continue
        coord = data.coords[name].drop_vars(name)
        for dim, label in where.items():
            if dim in coord.dims:
                labels = data.coords[dim].values if dim in data.coords else range(coord.sizes[dim])
                coord = coord.isel({dim: list(map(str, labels)).index(str(label))})
        if coord.ndim <= 1:
            values = np.broadcast_to(np.asarray(coord.values, dtype=np.float64), samples)
            if unit != "1":
                values = read_unit(coord.attrs.get("units", unit)).to_canonical(values)
            if not np.isnan(values).all():
                yield name, values


def shared_coords(
    axis: str, columns: Mapping[str, Array]
) -> dict[str, tuple[tuple[str, ...], Array, dict[str, str]]]:
    """Make the coordinates of columns, each of them with as few dimensions as it needs.

    Columns have the shape (species, samples), NaN where there is no sample or none is known. A
    resolution stays one of each sample.
    """
    coords: dict[str, tuple[tuple[str, ...], Array, dict[str, str]]] = {}
    dims: tuple[str, ...]
    for name, rows in columns.items():
        valid = ~np.isnan(rows)
        if not valid.any():
            continue
        values, dims = rows, ("species", axis)
        lowest = np.where(valid, rows, np.inf).min(axis=1)
        highest = np.where(valid, rows, -np.inf).max(axis=1)
        if (lowest >= highest).all() and vocabulary.SHARED[name] == "1":
            values, dims = np.where(valid.any(axis=1), lowest, np.nan), ("species",)
            if name.startswith("depth") and (values == values[0]).all():
                values, dims = values[0], ()
        coords[name] = (dims, values, vocabulary.attrs(name))
    return coords
