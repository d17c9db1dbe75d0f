"""Pair two data sets by the names of their species and measurements."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from sims_analysis.conventions.axes import MEASUREMENT
from sims_analysis.conventions.canonical import refuse_repeated
from sims_analysis.errors import ProfileError, SpeciesError
from sims_analysis.text.arguments import type_error


def paired(a: Any, b: Any) -> tuple[Any, Any]:
    """Select the species that both have, and the measurements that two batches both have."""
    for name, data in (("a", a), ("b", b)):
        if not isinstance(data, xr.Dataset | xr.DataArray):
            raise type_error(name, data, f"{name}: expected a Dataset or a DataArray")
    for dim, error in (("species", SpeciesError), (MEASUREMENT, ProfileError)):
        with_dim = [dim in ds.dims for ds in (a, b)]
        if not any(with_dim):
            continue
        if dim == MEASUREMENT and not all(with_dim):
            # A single measurement is paired with every one of a batch, whatever its label.
            a, b = (ds if dim in ds.dims else ds.drop_vars(dim, errors="ignore") for ds in (a, b))
            continue
        names_a, names_b = (
            np.atleast_1d(ds[dim].values).tolist() if dim in ds.coords else [] for ds in (a, b)
        )
        if not all(with_dim) and not (names_a and names_b):
            continue
        for names in (names_a, names_b):
            refuse_repeated(names, dim)
        in_b = set(names_b)
        common = [name for name in names_a if name in in_b]
        if not common:
            raise error(
                f"the two have no {dim} in common: {', '.join(map(repr, names_a))} and "
                f"{', '.join(map(repr, names_b))}"
            )
        selected = common if all(with_dim) else common[0]
        a, b = (
            ds.sel({dim: selected}) if dim in ds.dims and names != common else ds
            for ds, names in ((a, names_a), (b, names_b))
        )
    return a, b
