"""Combine many measurements into one batch.

Measurements with the same depth axis share it in the batch; otherwise every profile keeps its own
axis, padded with NaN. There is never a union over measurements: a hundred wafers of a thousand
samples would become a hundred thousand depths, nearly all NaN.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from datetime import UTC
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from sims_analysis import vocabulary
from sims_analysis._version import __version__
from sims_analysis.conventions.axes import MEASUREMENT, POINT, same_axis
from sims_analysis.conventions.cf import with_ancillaries
from sims_analysis.conventions.species_metadata import metadata_of
from sims_analysis.dataset.measurements import (
    Measurement,
    one_axis,
    open_measurement,
    placed,
    refuse_other_units,
    split_attrs,
    with_cells_of_samples,
)
from sims_analysis.dataset.samples import flagged, measured
from sims_analysis.errors import ProfileError
from sims_analysis.text.arguments import argument_error, checks_arguments, list_dims, type_error
from sims_analysis.text.times import moment_of
from sims_analysis.units import is_quantified, quantify

#: Attrs that identify a measurement; they become coordinates even if all are equal.
_IDENTITY = ("data_id", "source", "retrieved", "sha256", "file_sha256")
#: Attr that flags a coordinate which was an attr of each measurement.
ATTRIBUTE = "attribute_of"
#: The value of that attr for a coordinate that is read from the metadata of each measurement.
METADATA = "metadata"
_NOT_MERGED = ("Conventions", "sims_analysis_version", "history")


@checks_arguments
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
        those delivered with each species (``profile_id``...) are coordinates over both. If the
        metadata say when they were measured, so does the coordinate ``measured`` (UTC). Averages
        over cells keep their edges, which samples beside them do not have.

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
    >>> doses = sims.integrated_dose(batch, stop="400 nm").sel(species="B")
    >>> [f"{dose:.2e} {doses.attrs['units']}" for dose in doses.values]
    ['5.03e+14 atom/cm^2', '4.43e+14 atom/cm^2']
    """
    if isinstance(datasets, Mapping):
        names, datasets = names or list(datasets), list(datasets.values())
    datasets = list(datasets)
    if not datasets:
        text = "there is nothing to stack: give at least one Dataset"
        raise ProfileError(text, code="empty_input", argument="datasets")
    for i, ds in enumerate(datasets):
        _refuse_other(ds, f"datasets[{i}]")
    labels = _labels(datasets, names)
    parts = [
        open_measurement(ds, f"measurement {label!r}")
        for ds, label in zip(datasets, labels, strict=True)
    ]
    axis = one_axis(parts)
    parts = [with_cells_of_samples(part) for part in parts]
    species = list(dict.fromkeys(name for part in parts for name in part.species))
    row_of = {name: row for row, name in enumerate(species)}
    rows = [np.array([row_of[name] for name in part.species], dtype=np.intp) for part in parts]
    first = parts[0].depth
    coords: dict[str, Any] = {
        MEASUREMENT: (MEASUREMENT, np.array(labels)),
        "species": ("species", np.array(species, dtype=str)),
        axis: (axis, first, vocabulary.attrs(axis)),
    }
    sizes, masks = {"species": len(species), axis: first.size}, None
    if not all(same_axis(first, part.depth) for part in parts):
        arguments = [(part.ds, "species", part.axis) for part in parts]
        masks = [measured(*args) | flagged(*args) for args in arguments]
        sizes[axis] = max(int(mask.sum(axis=1).max(initial=0)) for mask in masks)
        pieces = [
            ((i, *where), samples)
            for i, (part, row, mask) in enumerate(zip(parts, rows, masks, strict=True))
            for where, samples in _padded(row, part.depth, mask)
        ]
        depth = placed(axis, (len(parts), *sizes.values()), pieces)
        coords[axis] = ((MEASUREMENT, "species", POINT), depth, vocabulary.attrs(axis))
    names_of = dict.fromkeys(str(name) for part in parts for name in part.ds.variables)
    variable_names = [name for name in names_of if name not in ("species", axis)]
    variables = {name: _stacked(name, parts, rows, sizes, masks) for name in variable_names}
    attrs, attr_coords = _attrs(parts, {*coords, *variables})
    batch = xr.Dataset(variables, coords=coords | attr_coords, attrs=attrs)
    batch = batch.set_coords([n for n in variables if any(n in part.ds.coords for part in parts)])
    batch = with_ancillaries(batch)
    return quantify(batch) if all(map(is_quantified, datasets)) else batch


def _refuse_other(ds: Any, name: str) -> None:
    """Refuse anything but a Dataset, and one that was selected from a batch."""
    if not isinstance(ds, xr.Dataset):
        raise type_error(name, ds, f"{name}: expected a Dataset")
    if MEASUREMENT in ds.coords and MEASUREMENT not in ds.dims:
        raise ProfileError(
            f"{name} was selected from a batch: it has a coordinate {MEASUREMENT!r}; "
            f"stack what unstack() makes of it, or what .drop_vars({MEASUREMENT!r}) leaves",
            code="wrong_dimensions",
            argument="datasets",
        )


def _labels(datasets: list[xr.Dataset], names: Sequence[Any] | xr.DataArray | None) -> list[Any]:
    if names is not None:
        if not np.iterable(names):
            raise argument_error("names", names, "expected a list of them")
        labels = [name.item() if isinstance(name, xr.DataArray) else name for name in names]
        if len(labels) != len(datasets):
            text = f"{len(labels)} names for {len(datasets)} measurements"
            raise ProfileError(text, argument="names")
        if len(set(labels)) != len(labels):
            repeated = next(label for label in labels if labels.count(label) > 1)
            message = f"names must be distinct; {repeated!r} occurs more than once"
            raise ProfileError(message, code="repeated_species", argument="names")
        return labels
    ids = [str(ds.attrs.get("data_id") or "") for ds in datasets]
    are_distinct = len(set(ids)) == len(ids) and all(ids)
    return ids if are_distinct else list(range(len(datasets)))


def _stacked(
    name: str,
    parts: list[Measurement],
    rows: list[NDArray[np.intp]],
    sizes: dict[str, int],
    masks: list[NDArray[np.bool_]] | None,
) -> xr.Variable:
    """Put a variable into the batch, by the `masks` of samples if profiles keep their own axes."""
    species, axis = sizes
    holders = [(part, part.ds.variables[name]) for part in parts if name in part.ds.variables]
    _refuse_differing_variables(name, holders, sizes)
    first = holders[0][1]
    dims = tuple(d for d in sizes if d in first.dims)
    variables = {part.label: variable.transpose(*dims) for part, variable in holders}
    everywhere = len(holders) == len(parts)
    if masks is None and everywhere and any(hasattr(v.data, "dask") for v in variables.values()):
        return _stack_lazily(list(variables.values()), rows, sizes[species])
    padded = masks is not None and axis in dims
    new_dims = tuple(sizes) if padded else dims
    pieces: list[tuple[Any, Any]] = []
    for i, (part, row) in enumerate(zip(parts, rows, strict=True)):
        if part.label not in variables:
            continue
        values = variables[part.label].data
        if masks is not None and padded:
            pieces += [((i, *where), samples) for where, samples in _padded(row, values, masks[i])]
        else:
            pieces.append(((i, row) if species in new_dims else i, values))
    complete = everywhere and not padded
    complete &= species not in dims or all(row.size == sizes[species] for row in rows)
    shape = (len(parts), *(sizes[dim] for dim in new_dims))
    dim_names = tuple(POINT if padded and dim == axis else dim for dim in new_dims)
    block = placed(name, shape, pieces, complete=complete)
    return xr.Variable((MEASUREMENT, *dim_names), block, first.attrs)


def _refuse_differing_variables(
    name: str, holders: list[tuple[Measurement, xr.Variable]], sizes: dict[str, int]
) -> None:
    """Refuse a variable over other dimensions, or in other units, in other measurements."""
    owner, first = holders[0]
    for part, variable in holders:
        if set(variable.dims) != set(first.dims):
            raise ProfileError(
                f"{name!r} is over {list_dims(variable.dims)} in {part.label} and over "
                f"{list_dims(first.dims)} in {owner.label}",
                code="wrong_dimensions",
            )
    refuse_other_units(name, holders)
    if not set(first.dims) <= sizes.keys():
        text = f"{name!r} is over {list_dims(first.dims)}; expected {list_dims(sizes)} or fewer"
        raise ProfileError(text, code="wrong_dimensions")


def _stack_lazily(
    variables: list[xr.Variable], rows: list[NDArray[np.intp]], species: int
) -> xr.Variable:
    """Stack variables of all measurements without computing them."""
    aligned_variables = []
    for variable, row in zip(variables, rows, strict=True):
        aligned = variable
        if "species" in aligned.dims and not np.array_equal(row, np.arange(species)):
            # An extra row of NaN stands for every missing species.
            source = np.full(species, row.size)
            source[row] = np.arange(row.size)
            aligned = aligned.pad(species=(0, 1)).isel(species=source)
        aligned_variables.append(aligned)
    batch: xr.Variable = xr.Variable.concat(aligned_variables, MEASUREMENT)
    batch.attrs = dict(variables[0].attrs)
    return batch


def _padded(
    row: NDArray[np.intp], values: Any, mask: NDArray[np.bool_]
) -> Iterator[tuple[tuple[int, slice], NDArray[Any]]]:
    """Yield the measured samples of each species, and the beginning of its row for them."""
    rows = np.broadcast_to(np.asarray(values), mask.shape)
    for i, samples, flags in zip(row, rows, mask, strict=True):
        selected = samples[flags]
        yield (i, slice(selected.size)), selected


def _attrs(parts: list[Measurement], names: set[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Split attrs into those that all measurements share and those that become coordinates."""
    shared, differing = split_attrs(parts, _NOT_MERGED, names)
    for name in [name for name in _IDENTITY if name in shared and name not in names]:
        differing[name] = [shared.pop(name)] * len(parts)
    flag = {ATTRIBUTE: MEASUREMENT}
    coords = {name: (MEASUREMENT, np.array(column), flag) for name, column in differing.items()}
    times = [moment_of(metadata_of(part.ds)[0].measured) for part in parts]
    if any(times) and "measured" not in names:
        column = [np.datetime64(None if t is None else t.astimezone(UTC).replace(tzinfo=None), "ns")
                  for t in times]  # fmt: skip
        coords["measured"] = (MEASUREMENT, np.array(column), {ATTRIBUTE: METADATA})
    histories = {part.ds.attrs.get("history") for part in parts}
    earlier = [str(*histories)] if len(histories) == 1 and None not in histories else []
    line = f"{len(parts)} measurements stacked by sims_analysis {__version__}"
    record = {"sims_analysis_version": __version__, "history": "\n".join([*earlier, line])}
    return shared | record, coords
