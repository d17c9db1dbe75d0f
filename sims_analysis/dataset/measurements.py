"""Single measurements, opened to be put together: stacked, merged or spliced."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from sims_analysis import vocabulary
from sims_analysis.conventions.axes import MEASUREMENT, POINT, axis_of
from sims_analysis.conventions.canonical import to_canonical
from sims_analysis.conventions.species_metadata import with_species_dimension
from sims_analysis.errors import ProfileError, UnitsError
from sims_analysis.units import dequantify


@dataclass(frozen=True)
class Measurement:
    """One measurement in canonical units, over species and an increasing axis."""

    #: Its name in messages.
    label: str
    ds: xr.Dataset
    axis: str
    depth: NDArray[np.float64]
    species: list[str]


def open_measurement(data: xr.Dataset, label: str) -> Measurement:
    """Check that data are one measurement, and convert them to canonical units."""
    if MEASUREMENT in data.dims or POINT in data.dims:
        text = f"{label} is already a batch: unstack() it first"
        raise ProfileError(text, code="wrong_dimensions")
    axis = axis_of(data)
    if "species" not in data.coords:
        text = f"{label} has no species: expected a dimension or coordinate species"
        raise ProfileError(text, code="missing_species")
    ds = with_species_dimension(to_canonical(dequantify(data), f"{label}: "))
    depth = np.asarray(ds.variables[axis].values, dtype=np.float64)
    if not (depth[1:] > depth[:-1]).all():
        raise ProfileError(
            f"{label}: {axis} must increase strictly; sort with sortby({axis!r})",
            code="unordered_axis",
        )
    if not ds[axis].dtype.isnative:  # pandas joins no others
        ds = ds.assign_coords({axis: (axis, depth, ds[axis].attrs)})
    species = [str(name) for name in ds.variables["species"].values]
    if len(set(species)) < len(species):
        text = f"{label}: species must be distinct, found {species}"
        raise ProfileError(text, code="repeated_species")
    return Measurement(label, ds, axis, depth, species)


def with_cells_of_samples(part: Measurement) -> Measurement:
    """Keep the edges of cells as a DataArray does: one coordinate for each side."""
    bounds = f"{part.axis}_bounds"
    if bounds not in part.ds.coords:
        return part
    attrs = {"units": part.ds[part.axis].attrs["units"]}
    sides = zip(vocabulary.CELLS, part.ds[bounds].values.T, strict=True)
    edges = {name: (part.axis, side, attrs) for name, side in sides}
    return replace(part, ds=part.ds.drop_vars(bounds).assign_coords(edges))


def one_axis(parts: Sequence[Measurement]) -> str:
    """Return the name of the axis, depth or sputter time, which all measurements share."""
    first = parts[0]
    for part in parts:
        if part.axis != first.axis:
            raise ProfileError(
                f"{part.label} is on a {part.axis.replace('_', '-')} axis, {first.label} on a "
                f"{first.axis.replace('_', '-')} axis: keep each kind apart, or convert time to "
                "depth with calibrate_depth()",
                code="mixed_axes",
            )
    return first.axis


def refuse_other_units(name: str, holders: Sequence[tuple[Measurement, xr.Variable]]) -> None:
    """Refuse a variable that has another unit in another measurement."""
    (first, variable), *others = holders
    unit = variable.attrs.get("units")
    for part, other in others:
        if other.attrs.get("units") != unit:
            raise UnitsError(
                f"{name} is in {other.attrs.get('units')!r} in {part.label} and in {unit!r} in "
                f"{first.label}: one variable has one unit",
                code="different_units",
            )


def placed(
    name: str,
    shape: tuple[int, ...],
    pieces: Iterable[tuple[Any, Any]],
    *,
    complete: bool = False,
) -> NDArray[Any]:
    """Put pieces of a variable into one array; values are missing unless they are `complete`."""
    pieces = [(where, np.asarray(values)) for where, values in pieces]
    dtype = np.result_type(*{values.dtype for _, values in pieces}) if pieces else np.dtype(float)
    out = np.empty(shape, dtype) if complete else _blank(name, shape, dtype)
    for where, values in pieces:
        # Flags of samples are whole numbers; elsewhere, NaN stands for none.
        flags = out.dtype == np.int16 and values.dtype.kind == "f"
        out[where] = np.nan_to_num(values) if flags else values
    return out


def _blank(name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return an array of missing values: NaN, the empty text, NaT, or no flag of samples."""
    if name.endswith(f"_{vocabulary.QUALITY}"):
        return np.zeros(shape, np.int16)
    if dtype.kind in "iub":
        dtype = np.dtype(np.float64)
    if dtype.kind in "Mm":
        return np.full(shape, np.array("NaT", dtype))
    return np.zeros(shape, dtype) if dtype.kind in "US" else np.full(shape, np.nan, dtype)


def split_attrs(
    parts: Sequence[Measurement], not_merged: Collection[str], names: Container[str]
) -> tuple[dict[str, Any], dict[str, list[Any]]]:
    """Split attrs into those that all measurements share, and those that differ: one for each.

    Those `not_merged` are left out; and of those that differ, any that is neither number nor text,
    or cannot become a coordinate because its name is taken.
    """
    shared: dict[str, Any] = {}
    differing: dict[str, list[Any]] = {}
    for name in dict.fromkeys(str(name) for part in parts for name in part.ds.attrs):
        values: list[Any] = [part.ds.attrs.get(name) for part in parts]
        if name in not_merged:
            continue
        if all(np.array_equal(value, values[0]) for value in values):
            shared[name] = values[0]
        elif name not in names and all(value is None or np.isscalar(value) for value in values):
            missing: Any = "" if any(isinstance(value, str) for value in values) else np.nan
            differing[name] = [missing if value is None else value for value in values]
    return shared, differing
