"""Species of several measurements of one sample, in one Dataset.

Another polarity, raster or dwell time, or another day: species come from several files, each with
depths of its own. They share the union of all depths, every sample where it was measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from sims_analysis import vocabulary
from sims_analysis._version import __version__
from sims_analysis.conventions.axes import merge, same_axis
from sims_analysis.conventions.cf import with_ancillaries
from sims_analysis.conventions.provenance import with_history, with_step
from sims_analysis.dataset.from_profiles import to_dataset
from sims_analysis.dataset.measurements import (
    Measurement,
    one_axis,
    open_measurement,
    placed,
    refuse_other_units,
    split_attrs,
    with_cells_of_samples,
)
from sims_analysis.dataset.result import SIMSResult
from sims_analysis.dataset.samples import LAYOUT, OWN_DEPTHS
from sims_analysis.errors import ProfileError
from sims_analysis.profiles.metadata import FIELD
from sims_analysis.text.arguments import argument_error, checks_arguments, list_dims, type_error
from sims_analysis.units import is_quantified, quantify

#: Attrs that belong to one Dataset and are not merged.
_NOT_MERGED = ("Conventions", "sims_analysis_version", "history", LAYOUT)


@checks_arguments
def merge_profiles(
    items: Sequence[xr.Dataset | SIMSResult], *, suffix: Sequence[str] | None = None
) -> xr.Dataset:
    """Put the species of several measurements of one sample into one Dataset.

    Parameters
    ----------
    items : sequence of Dataset or SIMSResult
        One measurement each: of another polarity, raster, dwell time or day. Pieces of *one*
        profile, which continue each other, are another thing.
    suffix : sequence of str, optional
        One for each item, appended to the names of species that occur in several of them:
        ``["(O2+)", "(Cs+)"]``. Without it, a name may occur once.

    Returns
    -------
    Dataset
        Over ``(species, depth)``, the species in the order of the items, each at its own samples,
        as :func:`to_dataset` gives species with depths of their own. Depths are as measured:
        :func:`align` makes them agree before. Attrs that differ between the items (``data_id``,
        ``sha256``, ``source``, ``steps``...) become coordinates over ``species``, and so do those
        coordinates that belonged to a whole measurement. Averages over cells keep their edges,
        which samples beside them do not have. In memory, whatever the items were.

    Raises
    ------
    ProfileError
        If a species occurs in several items and there is no `suffix`, some items are on a depth
        axis and others on a sputter-time axis, or an item is a batch.
    UnitsError
        If a variable has another unit in another item.

    See Also
    --------
    stack : Many measurements as a batch, their species side by side.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> positive = sims.open_example("boron-implant")
    >>> negative = positive.isel(species=[1], depth=slice(0, None, 2)).assign_attrs(data_id="day 2")
    >>> both = sims.merge_profiles([positive, negative], suffix=["", " (Cs+)"])
    >>> both["species"].values.tolist(), both["data_id"].values.tolist()
    (['B', 'P', 'P (Cs+)'], ['boron-implant', 'boron-implant', 'day 2'])
    """
    inputs = list(items)
    if not inputs:
        text = "there is nothing to merge: give at least one Dataset or result"
        raise ProfileError(text, code="empty_input", argument="items")
    datasets = [dataset_of_item(item, i) for i, item in enumerate(inputs)]
    parts = [
        open_measurement(ds, f"item {i} ({ds.attrs.get('data_id') or 'no data_id'})")
        for i, ds in enumerate(datasets)
    ]
    axis = one_axis(parts)
    cells = [part.ds.variables.get(f"{axis}_bounds") for part in parts]
    if not all(edges is not None and edges.identical(cells[0]) for edges in cells):
        parts = [with_cells_of_samples(part) for part in parts]
    names = _names(parts, suffix)
    depth, positions, _ = merge([part.depth for part in parts])
    variables = _merged(parts, axis, depth.size, positions)
    attrs, attr_coords = _attrs(parts, variables)
    if any(part.depth.size < depth.size or LAYOUT in part.ds.attrs for part in parts):
        attrs[LAYOUT] = OWN_DEPTHS
    coords = {"species": np.array(names, dtype=str), axis: (axis, depth, vocabulary.attrs(axis))}
    merged = xr.Dataset(variables, coords=coords | attr_coords, attrs=attrs)
    merged = merged.set_coords([n for n in variables if any(n in part.ds.coords for part in parts)])
    merged = with_history(with_ancillaries(merged), f"species of {len(parts)} measurements merged")
    merged = with_step(merged, "merge_profiles", items=datasets, suffix=suffix)
    return quantify(merged) if all(map(is_quantified, datasets)) else merged


def dataset_of_item(item: Any, key: int | str) -> xr.Dataset:
    """Return the Dataset of one of several items, which may be a result."""
    if isinstance(item, xr.Dataset):
        return item
    if isinstance(item, SIMSResult):
        return to_dataset(item)
    raise type_error("items", item, f"items[{key}]: expected a Dataset or a SIMSResult")


def _names(parts: list[Measurement], suffix: Sequence[str] | None) -> list[str]:
    """Name the species of all items; those that occur in several get a suffix."""
    if suffix is not None and (isinstance(suffix, str) or len(suffix) != len(parts)):
        raise argument_error(
            "suffix", suffix, f"expected one string for each of the {len(parts)} items"
        )
    owners: dict[str, list[str]] = {}
    for part in parts:
        for name in part.species:
            owners.setdefault(name, []).append(part.label)
    same = [name for name, labels in owners.items() if len(labels) > 1]
    if same and suffix is None:
        raise ProfileError(
            f"species {same[0]!r} is in {' and in '.join(owners[same[0]])}: keep them apart with "
            f"suffix=, such as suffix={[f' ({i + 1})' for i in range(len(parts))]}",
            code="repeated_species",
            where={"species": same[0]},
        )
    suffixes = [""] * len(parts) if suffix is None else list(suffix)
    names = [
        f"{name}{end}" if name in same else name
        for part, end in zip(parts, suffixes, strict=True)
        for name in part.species
    ]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ProfileError(
            f"species {', '.join(map(repr, repeated))} would occur more than once; with "
            f"suffix={suffixes!r} the names are {names}",
            code="repeated_species",
        )
    return names


def _merged(
    parts: list[Measurement], axis: str, size: int, positions: list[Any]
) -> dict[str, xr.Variable]:
    """Put every variable on the species and the axis of all, each sample where it was measured."""
    shared = all(same_axis(parts[0].depth, part.depth) for part in parts)
    names = dict.fromkeys(str(name) for part in parts for name in part.ds.variables)
    merged = {}
    for name in [name for name in names if name not in ("species", axis)]:
        holders = [(part, part.ds.variables[name]) for part in parts if name in part.ds.variables]
        first = holders[0][1]
        of_all = len(holders) == len(parts) and (shared or axis not in first.dims)
        same = of_all and "species" not in first.dims
        if same and all(first.identical(variable) for _, variable in holders):
            merged[name] = first
            continue
        refuse_other_units(name, holders)
        extra = tuple(dim for dim in first.dims if dim not in ("species", axis))
        if extra and axis in first.dims:
            raise ProfileError(
                f"{name!r} is over {list_dims(first.dims)}: bring the items onto one grid with "
                "to_grid() first",
                code="wrong_dimensions",
            )
        dims = ("species", *((axis,) if axis in first.dims else ()), *extra)
        pieces, start = [], 0
        for part, position in zip(parts, positions, strict=True):
            row, start = slice(start, start + len(part.species)), start + len(part.species)
            if name in part.ds.variables:
                where = (row, position) if axis in dims else row
                pieces.append((where, _values_over(dims, name, part, holders[0])))
        shape = (start, *(size if dim == axis else first.sizes[dim] for dim in dims[1:]))
        merged[name] = xr.Variable(dims, placed(name, shape, pieces), first.attrs)
    return merged


def _values_over(
    dims: tuple[str, ...], name: str, part: Measurement, reference: tuple[Measurement, xr.Variable]
) -> NDArray[Any]:
    """Return the values of an item over dimensions, repeated along those that it lacks."""
    variable, first = part.ds.variables[name], reference[1]
    sizes = {"species": len(part.species), **{d: part.ds.sizes.get(d) for d in dims[1:]}}
    extra = [dim for dim in dims if dim in first.dims and dim not in ("species", part.axis)]
    if not set(variable.dims) <= set(sizes) or any(sizes[d] != first.sizes[d] for d in extra):
        raise ProfileError(
            f"{name!r} is over {list_dims(variable.dims)} in {part.label} and over "
            f"{list_dims(first.dims)} in {reference[0].label}",
            code="wrong_dimensions",
        )
    return np.asarray(variable.set_dims(sizes).transpose(*dims).data)


def _attrs(
    parts: list[Measurement], used: dict[str, xr.Variable]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Split attrs into those that all items share, and those that each species keeps."""
    shared, differing = split_attrs(parts, _NOT_MERGED, used)
    if FIELD in differing:  # a batch has a dimension of this name
        differing[f"{FIELD}_metadata"] = differing.pop(FIELD)
    numbers = [len(part.species) for part in parts]
    coords = {name: ("species", np.repeat(column, numbers)) for name, column in differing.items()}
    histories = [str(part.ds.attrs["history"]) for part in parts if "history" in part.ds.attrs]
    shared["sims_analysis_version"] = __version__
    shared["history"] = "\n".join(dict.fromkeys("\n".join(histories).split("\n")))
    return shared, coords
