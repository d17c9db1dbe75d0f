"""Combine many measurements into one batch.

Measurements with the same depth axis share it in the batch; otherwise every profile keeps its own
axis, padded with NaN. There is never a union over measurements: a hundred wafers of a thousand
samples would become a hundred thousand depths, nearly all NaN.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from sims_analysis import vocabulary
from sims_analysis._version import __version__
from sims_analysis.dataset.axes import MEASUREMENT, POINT, axis_of, same_axis
from sims_analysis.dataset.canonical import to_canonical
from sims_analysis.dataset.cf import with_ancillaries
from sims_analysis.dataset.delivered import with_species_dimension
from sims_analysis.errors import ProfileError, UnitsError
from sims_analysis.text.arguments import format_argument, remedy_for, told
from sims_analysis.units import dequantify, is_quantified, quantify

__all__ = ["stack"]

#: Attrs that identify a measurement; they become coordinates even if all are equal.
_IDENTITY = ("data_id", "source", "retrieved", "sha256", "file_sha256")
#: Attr that flags a coordinate which was an attr of each measurement.
ATTRIBUTE = "attribute_of"
_KEPT_APART = ("Conventions", "sims_analysis_version", "history")


class _Part(NamedTuple):
    """One measurement: its axis and everything else, in canonical units."""

    axis: str
    depth: NDArray[np.float64]
    species: list[str]
    items: dict[str, xr.Variable]
    coords: frozenset[str]
    attrs: dict[Hashable, Any]


@told
def stack(
    datasets: Sequence[xr.Dataset] | Mapping[str, xr.Dataset],
    *,
    names: Sequence[Hashable] | None = None,
) -> xr.Dataset:
    """Combine measurements into one Dataset, a batch, which every function accepts.

    Parameters
    ----------
    datasets : sequence or mapping of Dataset
        One measurement each (of a mapping, under its name), over ``(species, depth)`` or
        ``(species, sputter_time)``; plain or quantified, numpy or Dask.
    names : sequence, optional
        Names of the measurements. By default their ``data_id`` if these are distinct, otherwise
        0, 1, 2...

    Returns
    -------
    Dataset
        Over ``(measurement, species, depth)`` if all depth axes are equal within 1e-9 of their
        span, lazily if the data are lazy. Otherwise, in memory, over ``(measurement, species,
        point)`` with a coordinate ``depth(measurement, species, point)``: the measured samples of
        every profile, in order of depth, then NaN. Species are those of all measurements in order
        of first appearance; a species missing from a measurement is NaN there. Attrs that differ
        between measurements (``data_id``, ``sha256``...) become coordinates over ``measurement``;
        those delivered with each species (``profile_id``...) are coordinates over both.

    Raises
    ------
    ProfileError
        If there is nothing to stack, some data are on a depth axis and others on a sputter-time
        axis, the names are not distinct, or a Dataset is already a batch.
    UnitsError
        If a variable has different units in the measurements.

    See Also
    --------
    unstack : The inverse.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> batch = sims.stack([ds, ds.isel(depth=slice(20, None))], names=["whole", "without surface"])
    >>> batch["concentration"].dims
    ('measurement', 'species', 'point')
    >>> doses = sims.integrated_dose(batch).sel(species="B")
    >>> [f"{dose:.2e} {doses.attrs['units']}" for dose in doses.values]
    ['5.03e+14 atom/cm^2', '4.43e+14 atom/cm^2']
    """
    if isinstance(datasets, Mapping):
        names, datasets = names or list(datasets), list(datasets.values())
    datasets = list(datasets)
    if not datasets:
        raise ProfileError("there is nothing to stack: give at least one Dataset")
    for i, ds in enumerate(datasets):
        if not isinstance(ds, xr.Dataset):
            raise TypeError(
                f"datasets[{i}]: expected a Dataset, found {type(ds).__name__}{remedy_for(ds)}"
            )
    labels = _labels(datasets, names)
    parts = [_part(ds, i, labels) for i, ds in enumerate(datasets)]
    axis = _one_axis(parts, labels)
    species = list(dict.fromkeys(name for part in parts for name in part.species))
    rows = _rows_of_species(parts, species)
    patterns = _patterns(parts, axis, labels)

    first = parts[0].depth
    shared = all(same_axis(first, part.depth) for part in parts)
    coords: dict[str, Any] = {
        MEASUREMENT: (MEASUREMENT, np.array(labels)),
        "species": ("species", np.array(species, dtype=str)),
    }
    sizes = {"species": len(species), axis: first.size}
    if shared:
        coords[axis] = (axis, first, vocabulary.attrs(axis))
        stacked = _filled(parts, rows, patterns, sizes, None)
    else:
        measured = [_measured(part, patterns, axis) for part in parts]
        sizes[axis] = max(int(mask.sum(axis=1).max(initial=0)) for mask in measured)
        depth = np.full((len(parts), *sizes.values()), np.nan)
        for i, (part, row, mask) in enumerate(zip(parts, rows, measured, strict=True)):
            _fill_padded(depth[i], row, part.depth, mask)
        coords[axis] = ((MEASUREMENT, "species", POINT), depth, vocabulary.attrs(axis))
        stacked = _filled(parts, rows, patterns, sizes, measured)
    known = frozenset().union(*(part.coords for part in parts))
    coords |= {name: v for name, v in stacked.items() if name in known}
    attrs, attr_coords = _attrs(parts, {*coords, *stacked})
    batch = xr.Dataset(
        {name: v for name, v in stacked.items() if name not in known},
        coords=coords | attr_coords,
        attrs=attrs,
    )
    batch = with_ancillaries(batch)
    return quantify(batch) if all(map(is_quantified, datasets)) else batch


def _labels(datasets: list[xr.Dataset], names: Sequence[Any] | xr.DataArray | None) -> list[Any]:
    if names is not None:
        if not np.iterable(names):
            raise ProfileError(f"names={format_argument(names)}; expected a list of them")
        labels = [one.item() if isinstance(one, xr.DataArray) else one for one in names]
        if len(labels) != len(datasets):
            raise ProfileError(f"{len(labels)} names for {len(datasets)} measurements")
        if len(set(labels)) != len(labels):
            twice = next(label for label in labels if labels.count(label) > 1)
            raise ProfileError(f"names must be distinct; {twice!r} occurs more than once")
        return labels
    ids = [str(ds.attrs.get("data_id") or "") for ds in datasets]
    distinct = len(set(ids)) == len(ids) and all(ids)
    return ids if distinct else list(range(len(datasets)))


def _part(ds: xr.Dataset, index: int, labels: list[Any]) -> _Part:
    who = f"measurement {labels[index]!r}"
    if MEASUREMENT in ds.dims or POINT in ds.dims:
        raise ProfileError(f"{who} is already a batch: unstack() it first, then stack everything")
    axis = axis_of(ds)
    if "species" not in ds.coords:
        raise ProfileError(f"{who} has no species: expected a dimension or coordinate species")
    ds = with_species_dimension(to_canonical(dequantify(ds), f"{who}: "))
    if f"{axis}_bounds" in ds.coords:  # as in a DataArray: one value for each cell
        edges = np.moveaxis(ds[f"{axis}_bounds"].values, -1, 0)
        attrs = {"units": ds[axis].attrs["units"]}
        for name, edge in zip(("cell_start", "cell_stop"), edges, strict=True):
            ds = ds.assign_coords({name: (axis, edge, attrs)})
        ds = ds.drop_vars(f"{axis}_bounds")
    depth = np.asarray(ds.variables[axis].values, dtype=np.float64)
    if not (depth[1:] > depth[:-1]).all():
        raise ProfileError(f"{who}: {axis} must increase strictly; sort with ds.sortby({axis!r})")
    species = [str(name) for name in ds.variables["species"].values]
    if len(set(species)) < len(species):
        raise ProfileError(f"{who}: species must be distinct, found {species}")
    items = {str(name): v for name, v in ds.variables.items() if name not in (axis, "species")}
    return _Part(axis, depth, species, items, frozenset(map(str, ds.coords)), ds.attrs)


def _one_axis(parts: list[_Part], labels: list[Any]) -> str:
    axis = parts[0].axis
    for part, label in zip(parts, labels, strict=True):
        if part.axis != axis:
            raise ProfileError(
                f"measurement {label!r} is on a {part.axis.replace('_', '-')} axis, "
                f"{labels[0]!r} on a {axis.replace('_', '-')} axis; stack each kind separately, or "
                "convert time to depth with calibrate_depth()"
            )
    return axis


def _rows_of_species(parts: list[_Part], species: list[str]) -> list[NDArray[np.intp]]:
    """Return the rows in the batch of the species of each measurement."""
    row_of = {name: i for i, name in enumerate(species)}
    return [np.array([row_of[name] for name in part.species], dtype=np.intp) for part in parts]


class _Pattern(NamedTuple):
    """Description of a variable in the batch."""

    dims: tuple[str, ...]
    dtype: np.dtype[Any]
    everywhere: bool
    attrs: dict[Any, Any]
    lazy: bool


def _patterns(parts: list[_Part], axis: str, labels: list[Any]) -> dict[str, _Pattern]:
    names = dict.fromkeys(name for part in parts for name in part.items)
    patterns: dict[str, _Pattern] = {}
    for name in names:
        holders = [i for i, part in enumerate(parts) if name in part.items]
        variables = [parts[i].items[name] for i in holders]
        first = variables[0]
        unit = first.attrs.get("units")
        for i, variable in zip(holders, variables, strict=True):
            if set(variable.dims) != set(first.dims):
                raise ProfileError(
                    f"{name} is over {variable.dims} in measurement {labels[i]!r} and over "
                    f"{first.dims} in {labels[holders[0]]!r}"
                )
            if variable.attrs.get("units") != unit:
                raise UnitsError(
                    f"{name} is in {variable.attrs.get('units')!r} in measurement {labels[i]!r} "
                    f"and in {unit!r} in {labels[holders[0]]!r}: one variable has one unit"
                )
        if not set(first.dims) <= {"species", axis}:
            raise ProfileError(f"{name} is over {first.dims}; expected (species, {axis}) or fewer")
        patterns[name] = _Pattern(
            dims=tuple(d for d in ("species", axis) if d in first.dims),
            dtype=np.result_type(*{variable.dtype for variable in variables}),
            everywhere=len(holders) == len(parts),
            attrs=dict(first.attrs),
            lazy=any(hasattr(variable.data, "dask") for variable in variables),
        )
    return patterns


def blank(shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return an array of missing values: NaN, the empty text, or NaT."""
    if dtype.kind in "iub":
        dtype = np.dtype(np.float64)
    if dtype.kind in "Mm":
        return np.full(shape, np.array("NaT", dtype))
    return np.zeros(shape, dtype) if dtype.kind in "US" else np.full(shape, np.nan, dtype)


def _filled(
    parts: list[_Part],
    rows: list[NDArray[np.intp]],
    patterns: dict[str, _Pattern],
    sizes: dict[str, int],
    measured: list[NDArray[np.bool_]] | None,
) -> dict[str, xr.Variable]:
    """Copy the variables of the measurements into arrays of the batch.

    Parameters
    ----------
    sizes : dict
        Number of species, and size of the axis.
    measured : list of ndarray of bool, each of shape (species, samples), or None
        Masks of the measured samples, if every profile keeps its own axis.
    """
    species, axis = sizes
    everyone = all(row.size == sizes[species] for row in rows)
    stacked = {}
    for name, pattern in patterns.items():
        own = measured is not None and axis in pattern.dims
        if measured is None and pattern.lazy and pattern.everywhere:
            stacked[name] = _lazily(parts, rows, name, pattern, sizes[species])
            continue
        dims = (species, axis) if own else pattern.dims
        shape = (len(parts), *(sizes[dim] for dim in dims))
        # Whole numbers stay so where none is missing.
        whole = pattern.everywhere and not own and (everyone or species not in dims)
        out = np.empty(shape, pattern.dtype) if whole else blank(shape, pattern.dtype)
        for i, (part, row) in enumerate(zip(parts, rows, strict=True)):
            if name not in part.items:
                continue
            values = np.asarray(part.items[name].transpose(*pattern.dims).data)
            if measured is not None and own:
                _fill_padded(out[i], row, values, measured[i])
            else:
                out[(i, row) if species in dims else i] = values
        named = tuple(POINT if own and dim == axis else dim for dim in dims)
        stacked[name] = xr.Variable((MEASUREMENT, *named), out, pattern.attrs)
    return stacked


def _lazily(
    parts: list[_Part],
    rows: list[NDArray[np.intp]],
    name: str,
    pattern: _Pattern,
    species: int,
) -> xr.Variable:
    variables = []
    for part, row in zip(parts, rows, strict=True):
        variable = part.items[name].transpose(*pattern.dims)
        if "species" in pattern.dims and not np.array_equal(row, np.arange(species)):
            # An extra row of NaN stands for every missing species.
            source = np.full(species, len(part.species))
            source[row] = np.arange(len(part.species))
            variable = variable.pad(species=(0, 1)).isel(species=source)
        variables.append(variable)
    joined: xr.Variable = xr.Variable.concat(variables, MEASUREMENT)
    joined.attrs = pattern.attrs
    return joined


def _measured(part: _Part, patterns: dict[str, _Pattern], axis: str) -> NDArray[np.bool_]:
    """Return the mask of samples measured in any of the variables, or found to be below a limit."""
    mask = np.zeros((len(part.species), part.depth.size), dtype=bool)
    limits = [f"{name}_{vocabulary.CENSORED}" for name in vocabulary.MEASURED]
    for name in (*vocabulary.MEASURED, *limits):
        if name in part.items and patterns[name].dims == ("species", axis):
            mask |= ~np.isnan(np.asarray(part.items[name].transpose("species", axis).data))
    return mask


def _fill_padded(
    out: NDArray[Any],
    row: NDArray[np.intp],
    values: NDArray[Any],
    mask: NDArray[np.bool_],
) -> None:
    """Copy the measured samples of each species to the beginning of its row."""
    for i, samples, where in zip(row, np.broadcast_to(values, mask.shape), mask, strict=True):
        found = samples[where]
        out[i, : found.size] = found


def _attrs(parts: list[_Part], taken: set[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Split attrs into those that all measurements share and those that become coordinates."""
    names = dict.fromkeys(str(name) for part in parts for name in part.attrs)
    shared: dict[str, Any] = {}
    apart: dict[str, Any] = {}
    for name in names:
        if name in _KEPT_APART:
            continue
        values: list[Any] = [part.attrs.get(name) for part in parts]
        texts = all(value is None or isinstance(value, str) for value in values)
        numbers = all(value is None or np.isscalar(value) for value in values) and not texts
        same = all(np.array_equal(value, values[0]) for value in values)
        if name not in taken and (name in _IDENTITY or not same) and (texts or numbers):
            blank: Any = "" if texts else np.nan
            column = np.array([blank if value is None else value for value in values])
            apart[name] = (MEASUREMENT, column, {ATTRIBUTE: MEASUREMENT})
        elif same:
            shared[name] = values[0]
    histories = {part.attrs.get("history") for part in parts}
    shared_history = [str(*histories)] if len(histories) == 1 and None not in histories else []
    shared |= {
        "sims_analysis_version": __version__,
        "history": "\n".join(
            [*shared_history, f"{len(parts)} measurements stacked by sims_analysis {__version__}"]
        ),
    }
    return shared, apart
