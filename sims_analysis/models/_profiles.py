"""Profiles taken out of the user's data, in any layout, and answers put back beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from sims_analysis import units, vocabulary
from sims_analysis.dataset.to_profiles import axis_of
from sims_analysis.errors import ProfileError, UnitsError

__all__ = ["Profiles", "profiles_of"]


@dataclass(frozen=True)
class Profiles:
    """One variable of the data in canonical units, with what stands beside it.

    Parameters
    ----------
    name, kind : str
        The variable, and what its unit measures.
    value, depth : DataArray
        Samples along `dim`; `depth` over that alone, or over profiles too.
    stderr, counts : DataArray or None
    dim : str
        The dimension of the samples.
    quantified : bool
        Whether the data came as pint Quantities.
    """

    name: str
    kind: str
    value: xr.DataArray
    depth: xr.DataArray
    stderr: xr.DataArray | None
    counts: xr.DataArray | None
    dim: str
    quantified: bool

    @property
    def lazy(self) -> bool:
        """Whether the values are Dask chunks."""
        return self.value.chunks is not None

    @property
    def columns(self) -> list[xr.DataArray]:
        """Depth, value, stderr and counts; NaN where there are none of these."""
        absent = xr.full_like(self.depth, np.nan, dtype=np.float64)
        given = [self.depth, self.value, self.stderr, self.counts]
        return [absent if one is None else one for one in given]

    def place(self, index: tuple[int, ...]) -> str:
        """Name one profile, for messages."""
        lead = [dim for dim in self.value.dims if dim != self.dim]
        names = [
            f"{dim} {str(self.value[dim].values[i] if dim in self.value.coords else i)!r}"
            for dim, i in zip(lead, index, strict=True)
        ]
        species = self.value.coords.get("species")
        if species is not None and species.ndim == 0:
            names.append(f"species {str(species.values)!r}")
        return ", ".join(names) or "the profile"


def profiles_of(
    data: Any, *, question: str, kinds: tuple[str, ...] = vocabulary.VALUE_KINDS
) -> Profiles:
    """Take the profiles out of the data.

    Of a Dataset, the first variable in the vocabulary's order that is of one of the kinds and
    holds numbers.

    Raises
    ------
    TypeError
        If the data are neither a Dataset nor a DataArray.
    UnitsError
        If there is no variable with a fitting unit, or no depth.
    ProfileError
        If there is no depth axis, or a value is infinite or no number.
    """
    if not isinstance(data, xr.Dataset | xr.DataArray):
        raise TypeError(f"expected a Dataset or a DataArray, found {type(data).__name__}")
    array = data if isinstance(data, xr.DataArray) else _chosen(data, kinds, question)
    dim = axis_of(array)
    if dim == "sputter_time" or (dim == "point" and "depth" not in array.coords):
        raise UnitsError(
            f"{question} needs a depth, and the data are on a sputter-time axis; "
            "calibrate_depth() turns sputter time into depth"
        )
    if "depth" not in array.coords:
        raise UnitsError(f"{question} needs the depths of the samples: the data have no 'depth'")
    depth = array["depth"]
    name = str(array.name or "the data")
    value, unit, quantified = _canonical(array, kinds, name)
    beside: dict[str, xr.DataArray | None] = dict.fromkeys(("stderr", "counts"))
    for what, allowed in (("stderr", (unit.kind,)), ("counts", ("count",))):
        full = f"{array.name}_{what}"
        found = data.get(full) if isinstance(data, xr.Dataset) else array.coords.get(what)
        if found is not None and dim in found.dims:
            beside[what] = _canonical(found, allowed, full)[0]
    plain_depth, _, _ = _canonical(depth, ("depth",), "depth")
    found_profiles = Profiles(
        name=str(array.name or unit.kind),
        kind=unit.kind,
        value=value.reset_coords(drop=True).assign_coords(_lead_coords(array, dim)),
        depth=plain_depth.reset_coords(drop=True).drop_vars(plain_depth.coords, errors="ignore"),
        stderr=_bare(beside["stderr"]),
        counts=_bare(beside["counts"]),
        dim=dim,
        quantified=quantified,
    )
    if not found_profiles.lazy:
        _refuse_infinite(found_profiles)
    return found_profiles


def _lead_coords(array: xr.DataArray, dim: str) -> dict[Any, Any]:
    return {name: coord for name, coord in array.coords.items() if dim not in coord.dims}


def _bare(array: xr.DataArray | None) -> xr.DataArray | None:
    return None if array is None else array.drop_vars(list(array.coords))


def _chosen(data: xr.Dataset, kinds: tuple[str, ...], question: str) -> xr.DataArray:
    names = [
        name
        for name in vocabulary.QUANTITIES
        if name in data.data_vars and set(vocabulary.kinds(name)) & set(kinds)
    ]
    if not names:
        raise UnitsError(
            f"{question} needs profiles; the Dataset holds "
            f"{', '.join(map(str, data.data_vars)) or 'no variables'}"
        )
    for name in names:
        array: xr.DataArray = data[name]
        if array.chunks is not None or bool(array.notnull().any()):
            return array
    return data[names[0]]


def _canonical(
    array: xr.DataArray, kinds: tuple[str, ...], name: str
) -> tuple[xr.DataArray, units.Unit, bool]:
    magnitude, unit = units.magnitude_and_unit(array, kinds, name)
    if magnitude.dtype.kind not in "fiu":
        raise ProfileError(f"{name}: expected real numbers, found values of type {magnitude.dtype}")
    values = unit.to_canonical(magnitude)
    plain = xr.DataArray(values, dims=array.dims, coords=array.coords, name=array.name)
    return plain, unit, units.is_quantity(array.variable.data)


def _refuse_infinite(profiles: Profiles) -> None:
    infinite = profiles.value.isin([np.inf, -np.inf])
    if bool(infinite.any()):
        lead = [dim for dim in profiles.value.dims if dim != profiles.dim]
        index = tuple(np.argwhere(infinite.transpose(*lead, profiles.dim).values)[0])
        depth = profiles.depth
        if depth.ndim > 1:
            depth = depth.broadcast_like(profiles.value).transpose(*lead, profiles.dim)
        at = depth.values[index] if depth.ndim > 1 else depth.values[index[-1]]
        raise ProfileError(
            f"{profiles.place(index[:-1])}: {profiles.name} is infinite at {float(at):g} nm"
        )
