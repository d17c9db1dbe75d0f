"""xarray objects taken apart and put together without the checks that have been made before.

xarray's constructors look at everything they are given: of a call that answers in a tenth of a
millisecond they would be the larger part, and the first of them imports whatever array library is
installed. What stands here is all that this package knows of the inside of xarray; the oldest and
the newest xarray are tested.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from xarray.core.indexes import PandasIndex
from xarray.core.indexing import PandasIndexingAdapter

__all__ = [
    "bare_dataset",
    "bare_index",
    "bare_variable",
    "coords_of",
    "data_of",
    "indexes_of",
    "variables_of",
]


_new, _Variable = object.__new__, xr.Variable


def bare_variable(
    dims: tuple[Any, ...], data: Any, attrs: dict[Any, Any] | None = None
) -> xr.Variable:
    """Make a Variable of an array that has these dimensions; `attrs` are taken, not copied."""
    made: xr.Variable = _new(_Variable)
    made._dims, made._data, made._attrs, made._encoding = dims, data, attrs, None
    return made


def data_of(variable: xr.Variable) -> Any:
    """Give the array of a Variable, of whatever kind it is."""
    data: Any = variable._data
    if type(data) is np.ndarray:
        return data
    if type(data) is PandasIndexingAdapter and data.array.dtype == np.float64:
        return data.array.values
    return variable.data


def variables_of(data: xr.Dataset) -> Mapping[Any, xr.Variable]:
    """Give all variables of a Dataset, coordinates among them."""
    found: Mapping[Any, xr.Variable] = data._variables
    return found


def coords_of(data: xr.Dataset | xr.DataArray) -> dict[Any, xr.Variable]:
    """Give the coordinates, in their order."""
    if isinstance(data, xr.DataArray):
        return dict(data._coords)
    names = data._coord_names
    return {name: found for name, found in data._variables.items() if name in names}


def indexes_of(data: xr.Dataset | xr.DataArray) -> Mapping[Any, Any]:
    """Give the indexes by the names of their coordinates."""
    found: Mapping[Any, Any] = data._indexes
    return found


def bare_index(dim: str, labels: Any, attrs: dict[Any, Any]) -> tuple[xr.Variable, Any]:
    """Make the coordinate of a dimension, and its index."""
    made = PandasIndex(pd.Index(labels, name=dim), dim, coord_dtype=labels.dtype)
    (coord,) = made.create_variables({dim: bare_variable((dim,), labels, attrs)}).values()
    return coord, made


def bare_dataset(
    variables: Mapping[Any, xr.Variable],
    coords: Mapping[Any, xr.Variable],
    indexes: Mapping[Any, Any],
    attrs: Mapping[Any, Any] | None = None,
) -> xr.Dataset:
    """Make a Dataset of variables and coordinates that are known to fit."""
    made = {**variables, **coords}
    sizes = {dim: n for one in made.values() for dim, n in zip(one._dims, one.shape, strict=True)}
    told = None if attrs is None else dict(attrs)
    return xr.Dataset._construct_direct(
        made, set(coords), dims=sizes, attrs=told, indexes=dict(indexes)
    )
