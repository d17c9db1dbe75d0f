"""Species of several measurements of one sample, in one Dataset.

Another polarity, raster or dwell time, or another day: species come from several files, each with
depths of its own. They share the union of all depths, every sample where it was measured.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from sims_analysis import vocabulary
from sims_analysis._version import __version__
from sims_analysis.dataset.axes import MEASUREMENT, POINT, axis_of, merge, same_axis
from sims_analysis.dataset.canonical import to_canonical
from sims_analysis.dataset.cf import with_ancillaries
from sims_analysis.dataset.delivered import with_species_dimension
from sims_analysis.dataset.from_profiles import to_dataset
from sims_analysis.dataset.provenance import with_step
from sims_analysis.dataset.result import SIMSResult
from sims_analysis.dataset.samples import LAYOUT, OWN_DEPTHS
from sims_analysis.dataset.stacking import blank
from sims_analysis.errors import ProfileError, UnitsError
from sims_analysis.profiles.metadata import FIELD
from sims_analysis.text.arguments import told
from sims_analysis.units import dequantify, is_quantified, quantify

__all__ = ["dataset_of_item", "merge_profiles"]

#: Attrs that every Dataset makes anew.
_FRESH = ("Conventions", "sims_analysis_version", "history", LAYOUT)


@dataclass(frozen=True)
class _Part:
    """One measurement in canonical units, with the names that its species get."""

    label: str
    ds: xr.Dataset
    axis: str
    depth: NDArray[np.float64]
    species: list[str]
    #: First row in the merged Dataset.
    start: int

    @property
    def rows(self) -> slice:
        return slice(self.start, self.start + len(self.species))


@told
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
        coordinates that belonged to a whole measurement. In memory, whatever the items were.

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
    given = list(items)
    if not given:
        raise ProfileError("there is nothing to merge: give at least one Dataset or result")
    datasets = [dataset_of_item(item, i) for i, item in enumerate(given)]
    for i, one in enumerate(datasets):
        if MEASUREMENT in one.dims or POINT in one.dims:
            raise ProfileError(f"items[{i}] is a batch: unstack() it first")
    parts = _parts(datasets, suffix)
    axis = _one_axis(parts)
    depth, positions, _ = merge([part.depth for part in parts])
    variables = _merged(parts, axis, depth, positions)
    known = frozenset().union(*(map(str, part.ds.coords) for part in parts))
    attrs, apart = _attrs(parts, variables)
    if any(part.depth.size < depth.size or LAYOUT in part.ds.attrs for part in parts):
        attrs[LAYOUT] = OWN_DEPTHS
    names = np.array([name for part in parts for name in part.species], dtype=str)
    merged = xr.Dataset(
        {name: v for name, v in variables.items() if name not in known},
        coords={
            "species": ("species", names),
            axis: (axis, depth, vocabulary.attrs(axis)),
            **{name: v for name, v in variables.items() if name in known},
            **apart,
        },
        attrs=attrs,
    )
    line = f"species of {len(parts)} measurements merged"
    merged = with_step(
        with_ancillaries(merged), "merge_profiles", line, items=datasets, suffix=suffix
    )
    return quantify(merged) if all(map(is_quantified, datasets)) else merged


def dataset_of_item(item: Any, which: int | str) -> xr.Dataset:
    """Return the Dataset of one of several items, which may be a result."""
    if isinstance(item, xr.Dataset):
        return item
    if isinstance(item, SIMSResult):
        return to_dataset(item)
    raise TypeError(
        f"items[{which}]: expected a Dataset or a SIMSResult, found {type(item).__name__}"
    )


def _parts(datasets: list[xr.Dataset], suffix: Sequence[str] | None) -> list[_Part]:
    if suffix is not None and (isinstance(suffix, str) or len(suffix) != len(datasets)):
        raise ProfileError(
            f"suffix={suffix!r}; expected one text for each of the {len(datasets)} items"
        )
    parts: list[_Part] = []
    owners: dict[str, list[str]] = {}
    for i, given in enumerate(datasets):
        label = f"item {i} ({given.attrs.get('data_id') or 'no data_id'})"
        if "species" not in given.coords:
            raise ProfileError(f"{label} has no coordinate species, which names its profiles")
        ds = with_species_dimension(to_canonical(dequantify(given), f"{label}: "))
        axis = axis_of(ds)
        depth = np.asarray(ds[axis].values, dtype=np.float64)
        if not (depth[1:] > depth[:-1]).all():
            raise ProfileError(
                f"{label}: {axis} must increase strictly; sort with sortby({axis!r})"
            )
        species = [str(name) for name in ds["species"].values]
        for name in species:
            owners.setdefault(name, []).append(label)
        start = parts[-1].rows.stop if parts else 0
        parts.append(_Part(label, ds, axis, depth, species, start))
    return _renamed(parts, {name for name, of in owners.items() if len(of) > 1}, suffix, owners)


def _renamed(
    parts: list[_Part],
    twice: set[str],
    suffix: Sequence[str] | None,
    owners: dict[str, list[str]],
) -> list[_Part]:
    if twice and suffix is None:
        name = next(name for name in owners if name in twice)
        raise ProfileError(
            f"species {name!r} is in {' and in '.join(owners[name])}: keep them apart with "
            f"suffix=, such as suffix={[f' ({i + 1})' for i in range(len(parts))]}"
        )
    ends = suffix if suffix is not None else [""] * len(parts)
    parts = [
        replace(part, species=[n + str(end) if n in twice else n for n in part.species])
        for part, end in zip(parts, ends, strict=True)
    ]
    names = [name for part in parts for name in part.species]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ProfileError(
            f"species {', '.join(map(repr, repeated))} would be there more than once; with "
            f"suffix={list(ends)!r} the names are {names}"
        )
    return parts


def _one_axis(parts: list[_Part]) -> str:
    axis = parts[0].axis
    for part in parts:
        if part.axis != axis:
            raise ProfileError(
                f"{part.label} is on a {part.axis.replace('_', '-')} axis, {parts[0].label} on a "
                f"{axis.replace('_', '-')} axis; calibrate_depth() converts time to depth"
            )
    return axis


def _merged(
    parts: list[_Part], axis: str, depth: NDArray[np.float64], positions: list[Any]
) -> dict[str, xr.Variable]:
    """Put every variable on the species and the axis of all, each sample where it was measured."""
    shared = all(same_axis(parts[0].depth, part.depth) for part in parts)
    names = dict.fromkeys(str(name) for part in parts for name in part.ds.variables)
    merged = {}
    for name in [name for name in names if name not in ("species", axis)]:
        holders = [
            (part, position, part.ds.variables[name])
            for part, position in zip(parts, positions, strict=True)
            if name in part.ds.variables
        ]
        first = holders[0][2]
        of_all = len(holders) == len(parts) and (shared or axis not in first.dims)
        same = of_all and "species" not in first.dims
        if same and all(first.identical(variable) for _, _, variable in holders):
            merged[name] = first
        else:
            merged[name] = _placed(name, holders, axis, depth.size, parts[-1].rows.stop)
    return merged


def _placed(name: str, holders: list[Any], axis: str, size: int, species: int) -> xr.Variable:
    whose, _, first = holders[0]
    rest = tuple(dim for dim in first.dims if dim not in ("species", axis))
    if rest and axis in first.dims:
        raise ProfileError(
            f"{name} is over {first.dims}: bring the items onto one grid with to_grid() first"
        )
    dims = ("species", *((axis,) if axis in first.dims else ()), *rest)
    sizes = {"species": species, axis: size, **{dim: first.sizes[dim] for dim in rest}}
    dtype = np.result_type(*{variable.dtype for _, _, variable in holders})
    out = blank(tuple(sizes[dim] for dim in dims), dtype)
    for part, position, variable in holders:
        if variable.attrs.get("units") != first.attrs.get("units"):
            raise UnitsError(
                f"{name} is in {variable.attrs.get('units')!r} in {part.label} and in "
                f"{first.attrs.get('units')!r} in {whose.label}: one variable has one unit"
            )
        own = {"species": len(part.species), **{d: part.ds.sizes[d] for d in dims[1:]}}
        if not set(variable.dims) <= set(own) or any(own[d] != sizes[d] for d in rest):
            raise ProfileError(
                f"{name} is over {variable.dims} in {part.label} and over {first.dims} in "
                f"{whose.label}"
            )
        values = np.asarray(variable.set_dims(own).transpose(*dims).data)
        if axis in dims:
            out[part.rows, position] = values
        else:
            out[part.rows] = values
    return xr.Variable(dims, out, first.attrs)


def _attrs(
    parts: list[_Part], taken: dict[str, xr.Variable]
) -> tuple[dict[Hashable, Any], dict[str, Any]]:
    """Split attrs into those that all items share, and those that each species keeps."""
    names = dict.fromkeys(key for part in parts for key in part.ds.attrs if key not in _FRESH)
    shared: dict[Hashable, Any] = {}
    apart: dict[str, Any] = {}
    for name in names:
        values: list[Any] = [part.ds.attrs.get(name) for part in parts]
        if all(np.array_equal(value, values[0]) for value in values):
            shared[name] = values[0]
            continue
        # A coordinate of the name of the dimension of a batch would be taken for it.
        own = f"{name}_metadata" if name == FIELD else str(name)
        if own in taken or any(v is not None and not np.isscalar(v) for v in values):
            continue
        missing: Any = "" if any(isinstance(value, str) for value in values) else np.nan
        each = [
            missing if value is None else value
            for part, value in zip(parts, values, strict=True)
            for _ in part.species
        ]
        apart[own] = ("species", np.array(each))
    histories = [str(part.ds.attrs["history"]) for part in parts if "history" in part.ds.attrs]
    shared["sims_analysis_version"] = __version__
    shared["history"] = "\n".join(dict.fromkeys("\n".join(histories).split("\n")))
    return shared, apart
