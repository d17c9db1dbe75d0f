"""The edges of the cells over which values are averages.

Those of a Dataset are ``depth_bounds``, in the unit of its axis (by the CF conventions bounds have
no attrs), and those of a DataArray, which cannot hold these, ``cell_start`` and ``cell_stop``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sims_analysis import units, vocabulary
from sims_analysis.conventions.axes import axis_of
from sims_analysis.errors import ProfileError
from sims_analysis.text.arguments import list_dims

if TYPE_CHECKING:
    import xarray as xr

    from sims_analysis.kernels.rows import Array


def edge_names(data: xr.Dataset | xr.DataArray, axis: str) -> list[str]:
    """Return the names of the coordinates with the edges of cells, which move with the axis."""
    return [n for n in (f"{axis}_bounds", *vocabulary.CELLS) if n in data.coords]


def edges_of(data: xr.Dataset | xr.DataArray, axis: str) -> list[xr.Variable]:
    """Return the lower and the upper edges of cells, in canonical units; empty for samples."""
    coords = data.coords.variables
    bounds = coords.get(f"{axis}_bounds")
    if bounds is None:
        names = [name for name in vocabulary.CELLS if name in coords]
        columns = [units.to_canonical_variable(coords[name], (axis,), name)[0] for name in names]
        return columns if len(columns) == 2 else []
    dim, coord = axis_of(data), coords[axis]
    sides = [d for d in bounds.dims if d not in coord.dims and bounds.sizes[d] == 2]
    if not sides or dim not in bounds.dims:
        raise ProfileError(
            f"{axis}_bounds is over {list_dims(bounds.dims)}; expected {dim!r} and a "
            "dimension of two",
            code="wrong_dimensions",
        )
    plain = bounds.copy(data=units.magnitude_of(bounds))
    unit = units.magnitude_and_unit(coord, (axis,), axis)[1]
    edges = [plain.isel({sides[0]: i}) for i in range(2)]
    return [edge.copy(data=unit.to_canonical(np.asarray(edge.data))) for edge in edges]


def cell_edges(data: xr.Dataset | xr.DataArray, axis: str, row: int | None = None) -> Array | None:
    """Return the edges of the cells of a measurement in canonical units, shape (samples, 2).

    Of the species in a row, where each has its own. None for samples, and for cells that are not
    those of one shared axis.
    """
    edges = edges_of(data, axis)
    if row is not None:
        edges = [edge.isel(species=row, missing_dims="ignore") for edge in edges]
    if not edges or any(edge.dims != (axis,) for edge in edges):
        return None
    columns = np.column_stack([edge.values for edge in edges])
    return None if np.isnan(columns).all() else columns
