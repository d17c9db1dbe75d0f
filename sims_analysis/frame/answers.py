"""Answers as Datasets, and words for their codes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import partial
from typing import Any

import numpy as np
import xarray as xr

from sims_analysis.errors import ProfileError
from sims_analysis.frame.run import is_lazy


def as_dataset(arrays: Mapping[str, xr.DataArray]) -> xr.Dataset:
    """Return results as a Dataset, without coordinates of the data that have their names."""
    refuse_labels({d for one in arrays.values() for d in one.dims if d in one.coords}, arrays)
    named = {name: arrays.keys() & one.coords.keys() for name, one in arrays.items()}
    return xr.Dataset(
        {name: one.drop_vars(named[name]) if named[name] else one for name, one in arrays.items()}
    )


def refuse_labels(labelled: Collection[Any], names: Iterable[str]) -> None:
    """Raise where a dimension with labels has the name of a result, which would replace them."""
    for name in names:
        if name in labelled:
            raise ProfileError(
                f"{name!r} in the data is a dimension with labels, and a variable of the answer; "
                f'rename it, as in data.rename({name}="nominal_{name}")'
            )


def words(codes: xr.Variable, table: Any, **attrs: str) -> xr.Variable:
    """Look up codes in an array of words, lazily if they are lazy."""
    look_up = partial(_look_up, table)
    lazy = is_lazy(codes)
    data = codes.data.map_blocks(look_up, dtype=table.dtype) if lazy else look_up(codes.data)
    return xr.Variable(codes.dims, data, attrs)


def _look_up(table: Any, codes: Any) -> Any:
    # For a single code, numpy returns a scalar with the length of its word, not an array.
    return np.asarray(table.take(codes), dtype=table.dtype)
