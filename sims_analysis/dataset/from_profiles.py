"""Profiles to one Dataset indexed by species and depth.

Depths and values are converted to canonical units; nothing else is changed. If the axes of the
species differ, the axis of the Dataset is their union, and ``NaN`` means *not measured here*.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import orjson
import xarray as xr

from sims_analysis import vocabulary
from sims_analysis._version import __version__
from sims_analysis.conventions import species_metadata
from sims_analysis.conventions.axes import AXIS_TOLERANCE, axis_of, merge, order_of
from sims_analysis.conventions.cf import with_ancillaries
from sims_analysis.dataset.measurements import placed
from sims_analysis.dataset.registration import register_accessor
from sims_analysis.dataset.repeats import without_repeats
from sims_analysis.dataset.samples import LAYOUT, OWN_DEPTHS, samples
from sims_analysis.dataset.shared import shared_coords
from sims_analysis.errors import ProfileError, ProfileWarning, UnitsError, about, warn
from sims_analysis.kernels.gaps import gap_after
from sims_analysis.kernels.rows import Dense
from sims_analysis.outcomes import GAP, Flag
from sims_analysis.profiles.metadata import FIELD, Metadata, columns_of
from sims_analysis.profiles.plausibility import warn_of_implausible
from sims_analysis.profiles.profile import DepthProfile, profiles_of
from sims_analysis.text.arguments import check_choice, checks_arguments, format_argument
from sims_analysis.units import CANONICAL, NM_PER_MM, QuantityLike, Unit, read_number, unit_of_kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sims_analysis.kernels.rows import Array
    from sims_analysis.profiles.profile import HasProfiles


#: Kinds of the units of ``vocabulary.COLUMNS``.
_KINDS: dict[str | None, tuple[str, ...]] = {
    "count": ("count",),
    "1": ("dimensionless",),
    "nm": ("depth",),
    None: vocabulary.VALUE_KINDS,
}


@dataclass(frozen=True)
class _Canonical:
    """A profile in canonical units, sorted by depth."""

    profile: DepthProfile
    axis: str
    depth: Array
    kind: str
    #: Its columns by the end of the variable's name: ``""`` for the values, ``"stderr"``...
    columns: dict[str, Array]
    #: Edges of the cells over which the values are means, shape (samples, 2).
    cells: Array | None = None


@dataclass(frozen=True)
class _Layout:
    """The places of the samples of profiles in arrays of the shape (species, samples)."""

    profiles: list[_Canonical]
    #: Of each profile, its row, and the places of its samples on the common axis.
    rows: list[int]
    positions: list[NDArray[np.intp]]
    shape: tuple[int, int]

    @cached_property
    def ends(self) -> set[str]:
        """The ends of the names of all columns."""
        return {end for profile in self.profiles for end in profile.columns}

    def column(self, end: str, kind: str | None = None) -> Array:
        """Put a column of all profiles, or those of one kind, at its samples."""
        places = zip(self.profiles, self.rows, self.positions, strict=True)
        pieces = [
            ((row, position), profile.columns[end])
            for profile, row, position in places
            if end in profile.columns and kind in (None, profile.kind)
        ]
        return placed(f"_{end}", self.shape, pieces)


@checks_arguments
def to_dataset(
    source: HasProfiles | DepthProfile | Sequence[DepthProfile],
    *,
    depth: QuantityLike = "union",
    like: str | None = None,
    duplicates: Literal["raise", "mean", "step"] = "raise",
    depth_units: str | None = None,
) -> xr.Dataset:
    """Turn the profiles of one measurement into a Dataset indexed by species and depth.

    Parameters
    ----------
    source : SIMSResult, DepthProfile or sequence of DepthProfile
        The profiles, in any mixture of units.
    depth : "union", str or Quantity
        ``"union"`` keeps every sample where it was measured, on the union of all depths.
        ``"1 nm"`` interpolates all species to multiples of a step, as :func:`to_grid` does.
    like : str, optional
        Interpolate all species to the depths of this one: ``like="70Zn"``.
    duplicates : {"raise", "mean", "step"}
        What to do if a profile has the same depth twice: refuse it; take the mean of the values,
        which is right where a depth was measured twice; or keep both as the edge of a histogram
        drawn as steps, the first at the next smaller number, so that its dose stays.
    depth_units : str, optional
        Unit of the depths, where the one that the profiles state is refused: ``"A"`` may be an
        angstrom or an ampere. Where none is refused, it replaces those that differ, with a warning.

    Returns
    -------
    xarray.Dataset
        Dimensions ``(species, depth)``, or ``(species, sputter_time)`` for profiles on a time axis.
        It has those of the following that occur; NaN where a species was not measured:

        - ``concentration`` (``atom/cm^3``)
        - ``intensity`` (``count/s``, ``count`` or ``arb. unit``)
        - ``atomic_fraction``, ``mass_fraction`` (``1``)
        - ``<name>_stderr`` of each, if profiles have standard errors
        - ``<name>_detection_limit`` of each, of samples that a file gives as ``<5E15``
        - ``species``, ``depth`` (``nm``) or ``sputter_time`` (``s``): the axes. If the axes of the
          species agree within 1e-9 of their span after conversion, they share one axis; otherwise
          it is the union of all axes, and every sample stays where it was measured. The attr
          ``layout`` then says so; :func:`samples` returns one species without the ``NaN``
        - ``x``, ``y`` (``mm``): coordinates, if the metadata say where on a wafer this is
        - ``profile_id``, ``processed_data_id``, ``last_updated``, ``source_depth_units``,
          ``source_units``, ``species_metadata`` (JSON text): coordinates over ``species``, as
          delivered

    Raises
    ------
    ProfileError
        If there is no profile, a depth occurs twice in a profile, or some profiles are on a depth
        axis and others on a sputter-time axis.
    SpeciesError
        If `like` is not one of the species.
    UnitsError
        If a unit is unknown, ambiguous or of the wrong kind; it names the species.

    Warns
    -----
    ProfileWarning
        If samples had to be put in order of depth, some were not measured, a species occurs twice
        in one kind of unit (their names are numbered: ``"B (1)"``, ``"B (2)"``), the profiles are
        of different data entries, or something is not as it usually is: depths beyond 1 mm,
        concentrations above 1e24 atoms/cm^3 or that look like logarithms, fractions above 1.
        Nothing is refused for being unusual.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> b = sims.DepthProfile(
    ...     species_name="B", depths=[0, 0.01, 0.02], depth_units="um",
    ...     concentrations=[1e18, 3e18, 5e17], concentration_units="atoms/cm^3",
    ... )
    >>> ds = sims.to_dataset([b])
    >>> ds["depth"].values, ds["depth"].attrs["units"]
    (array([ 0., 10., 20.]), 'nm')
    """
    if depth != "union" and like is not None:
        raise ProfileError(
            f"give one of depth={depth!r} and like={format_argument(like)}",
            code="conflicting_arguments",
        )
    ds = dataset_of(source, duplicates, depth_units)
    register_accessor()
    if depth == "union" and like is None:
        return ds
    # The only import against the flow of data: resampling is an analysis of the samples.
    from sims_analysis.resampling.grid import to_grid

    if like is None:
        # Read here, so that the message has the name of this argument.
        step = read_number(depth, (axis_of(ds),), "depth")
        if not 0 < step < np.inf:
            raise ProfileError(f"depth={depth!r} must be one positive number", argument="depth")
    grid = {"step": depth} if like is None else {"like": samples(ds, like)}
    on_grid: xr.Dataset = to_grid(ds, **grid)
    on_grid.attrs.pop(LAYOUT, None)
    return on_grid


def dataset_of(
    source: HasProfiles | DepthProfile | Sequence[DepthProfile],
    duplicates: Literal["raise", "mean", "step"] = "raise",
    depth_units: str | None = None,
) -> xr.Dataset:
    """Turn profiles into a Dataset on the union of their axes, for use within this package.

    The accessor is not registered: loading pint and its registry takes longer than all else.
    """
    check_choice("duplicates", duplicates, ("raise", "mean", "step"))
    profiles = _checked(source)
    if depth_units is not None:
        profiles = _in_units(profiles, depth_units)
    items = []
    for profile in profiles:
        with about(where={"species": profile.species_name}):
            items.append(_canonical(profile, duplicates))
    items = _numbered(items)
    _warn_of_gaps(items)
    warn_of_implausible([item.profile for item in items])
    return _joined(items, _dataset_attrs(source, profiles))


def _checked(source: Any) -> list[DepthProfile]:
    """List the profiles of one measurement."""
    profiles = profiles_of(source)
    if not profiles and not hasattr(source, "depth_profiles"):
        raise ProfileError("there are no profiles: a Dataset needs at least one", code="no_profile")
    if not profiles:
        status = getattr(source, "provenance", {}).get("pipeline_status")
        explanation = (
            f"its pipeline_status in the catalogue is {status!r}"
            if status
            else "its pipeline_status in the catalogue says whether it is unknown, still being "
            "processed, or not a SIMS measurement"
        )
        raise ProfileError(
            f"data entry {getattr(source, 'data_id', '')!r} has no SIMS data; {explanation}",
            code="no_profile",
            where={"data_id": getattr(source, "data_id", "")},
        )
    for name in {profile.species_name for profile in profiles}:
        if name.endswith("\0"):
            text = f"species {name!r}: a name cannot end with a NUL character"
            raise ProfileError(text, argument="species_name", where={"species": name})
    entries = dict.fromkeys(repr(p.data_id) for p in profiles if p.data_id is not None)
    if len(entries) > 1:
        warn(
            f"the profiles are of different data entries, {', '.join(entries)}; a Dataset is one "
            "measurement, and gets the id of the first",
            ProfileWarning,
            code="different_profiles",
        )
    return profiles


def _in_units(profiles: list[DepthProfile], depth_units: str) -> list[DepthProfile]:
    """Take depths whose unit is refused in the one stated, or all of them, with a warning."""
    unit = unit_of_kind(depth_units, vocabulary.AXES, "depth_units")
    readable = {}
    for text in dict.fromkeys(profile.depth_units for profile in profiles):
        with suppress(UnitsError):
            readable[text] = unit_of_kind(text, vocabulary.AXES, "depth_units")
    accepted = readable if any(profile.depth_units not in readable for profile in profiles) else {}
    for text, delivered in () if accepted else readable.items():
        if (delivered.kind, delivered.to_canonical(1.0)) != (unit.kind, unit.to_canonical(1.0)):
            message = f"the profiles say {text!r}; taken as {depth_units!r}, as stated"
            warn(
                f"depth_units: {message}", ProfileWarning, code="other_unit", argument="depth_units"
            )
    return [
        profile if profile.depth_units in accepted else replace(profile, depth_units=depth_units)
        for profile in profiles
    ]


def _canonical(profile: DepthProfile, duplicates: str) -> _Canonical:
    """Convert to canonical units and sort by depth."""
    subject = f"species {profile.species_name!r}"
    try:
        axis_unit = unit_of_kind(profile.depth_units, vocabulary.AXES, f"{subject}: depth_units")
    except UnitsError as error:
        text = f"{error}; or state the unit with to_dataset(depth_units=)"
        raise UnitsError(text, code=error.code, argument="depth_units") from None
    with about(argument="concentration_units"):
        value_unit = unit_of_kind(
            profile.concentration_units, vocabulary.VALUE_KINDS, f"{subject}: concentration_units"
        )
    depth = axis_unit.to_canonical(profile.depths)
    columns = [value_unit.to_canonical(profile.concentrations)]
    if profile.concentrations_stderr is not None:
        columns.append(value_unit.to_canonical(profile.concentrations_stderr))
    order = np.arange(depth.size)
    if not (depth[1:] > depth[:-1]).all():
        if (depth[1:] < depth[:-1]).any():
            text = f"{subject}: depths were not in increasing order; sorted"
            warn(
                text, ProfileWarning, code="unordered_axis", where={"species": profile.species_name}
            )
            order = order_of(depth)
        sorted_depths, columns = depth[order], [column[order] for column in columns]
        depth, columns = without_repeats(subject, axis_unit, sorted_depths, columns, duplicates)
        if depth.size < order.size:  # where depths were merged, the first of each
            order = order[np.unique(sorted_depths, return_index=True)[1]]
    by_end = dict(zip(("", "stderr"), columns, strict=False))
    by_end |= _ancillary_columns(profile, value_unit, axis_unit, order)
    edges = [by_end.pop(name) for name in vocabulary.CELLS if name in by_end]
    complete = len(edges) == 2 and order.size == profile.depths.size
    cells = np.column_stack(edges) if complete else None
    by_end[vocabulary.QUALITY] = _flags(depth, by_end, cells)
    return _Canonical(profile, axis_unit.kind, depth, value_unit.kind, by_end, cells)


def _ancillary_columns(
    profile: DepthProfile, value_unit: Unit, axis_unit: Unit, order: NDArray[np.intp]
) -> dict[str, Array]:
    """Read counts, limits, flags, edges of cells... of the samples, in canonical units."""
    kinds = {name: _KINDS[unit] for name, unit in vocabulary.ANCILLARY.items()}
    kinds |= dict.fromkeys(vocabulary.CELLS, (axis_unit.kind,))
    kinds |= {vocabulary.LIMIT: vocabulary.VALUE_KINDS, vocabulary.QUALITY: ()}
    columns = {}
    for name, column in columns_of(profile.extra, profile.depths.size).items():
        if name not in kinds:
            continue
        values = np.array(column["values"], dtype=np.float64)[order]
        stated = column.get("units")
        if name != vocabulary.QUALITY:  # which has no unit
            subject = f"species {profile.species_name!r}: {name}"
            limit = name == vocabulary.LIMIT and not stated
            unit = value_unit if limit else unit_of_kind(stated, kinds[name], subject)
            values = unit.to_canonical(values)
        columns[name] = values
    return columns


def _flags(depth: Array, columns: Mapping[str, Array], cells: Array | None) -> NDArray[np.int16]:
    """Return the flags of the samples of a profile: stated ones, missing samples, and gaps."""
    value, limit = columns[""], columns.get(vocabulary.LIMIT)
    missing = np.isnan(value)
    stated = columns.get(vocabulary.QUALITY, np.zeros(value.size))
    flags: NDArray[np.int16] = np.nan_to_num(stated).astype(np.int16)
    below = missing & (False if limit is None else ~np.isnan(limit))
    flags[below] |= Flag.BELOW_LIMIT
    flags[missing & ~below & (flags == 0)] |= Flag.PLACEHOLDER
    index = np.flatnonzero(~missing)
    edges = () if cells is None else np.ascontiguousarray(cells[index].T)
    if index.size > 1:
        wide = gap_after(Dense(depth[index], value[None, index], None, *edges))
        limited = np.cumsum(below)[index]  # those below a limit were measured: no gap
        if wide is not None:
            gap = wide[:-1] & (np.diff(limited) == 0)
            flags[index[:-1][gap]] |= Flag.GAP_AFTER
            flags[index[1:][gap]] |= Flag.GAP_BEFORE
    return flags


def _joined(items: list[_Canonical], attrs: dict[str, str]) -> xr.Dataset:
    """Put all species on one axis, each sample where it was measured."""
    axis = _common_axis(items)
    depth, positions, axes = merge([item.depth for item in items])
    if any(item.depth.size < depth.size for item in items):
        attrs = {**attrs, LAYOUT: OWN_DEPTHS}
    names = [item.profile.species_name for item in items]
    row_of = {name: row for row, name in enumerate(dict.fromkeys(names))}
    layout = _Layout(items, [row_of[n] for n in names], positions, (len(row_of), depth.size))
    variable_names = _variable_names({item.kind for item in items})
    variables, evidence = _variables(layout, variable_names, ("species", axis))
    shared = {end: layout.column(end) for end in vocabulary.SHARED if end in layout.ends}
    placed_profiles = [
        (row, variable_names[item.kind], item.profile, z)
        for item, row, z in zip(items, layout.rows, axes, strict=True)
    ]
    coords: dict[str, Any] = {
        "species": np.array(list(row_of), dtype=str),
        axis: (axis, depth, vocabulary.attrs(axis)),
        **shared_coords(axis, shared),
        **evidence,
        **species_metadata.coords(placed_profiles, attrs.get("data_id", "")),
    }
    if FIELD in items[0].profile.extra:
        metadata = Metadata.from_dict(items[0].profile.extra[FIELD])
        for name, text in {"x": metadata.x, "y": metadata.y}.items():
            if text is not None:  # on a wafer, in mm
                place = read_number(text, ("depth",), f"{FIELD}.{name}") / NM_PER_MM
                coords[name] = ((), place, {"units": "mm"})
    cells = _cells(layout, len(row_of), depth)
    if cells is not None and cells.ndim == 2:
        # In the CF conventions, bounds have the units of their axis and no attrs of their own.
        coords[f"{axis}_bounds"] = ((axis, "bounds"), cells)
        coords[axis][2]["bounds"] = f"{axis}_bounds"
    if cells is not None:
        dims = ("species", axis)[-(cells.ndim - 1) :]
        for side, name in enumerate(vocabulary.CELLS):  # a DataArray keeps these
            coords[name] = (dims, cells[..., side], {"units": CANONICAL[axis]})
    return with_ancillaries(xr.Dataset(variables, coords=coords, attrs=attrs))


def _variables(
    layout: _Layout, names: Mapping[str, str], dims: tuple[str, str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a variable for each kind of value, with its ancillary ones; and the coordinates."""
    variables: dict[str, Any] = {}
    coords: dict[str, Any] = {}  # which a DataArray keeps
    for kind, name in names.items():
        units = CANONICAL[kind]
        variables[name] = (dims, layout.column("", kind), vocabulary.attrs(name, units))
        for end in [end for end in vocabulary.OF_SAMPLES if end in layout.ends]:
            column = layout.column(end, kind)
            if not (column == 0 if end == vocabulary.QUALITY else np.isnan(column)).all():
                place = coords if end in vocabulary.EVIDENCE else variables
                place[f"{name}_{end}"] = (
                    dims, column, vocabulary.ancillary_attrs(name, end, units),
                )  # fmt: skip
    return variables, coords


def _cells(layout: _Layout, species: int, depth: Array) -> Array | None:
    """Put the edges of cells on the common axis, of all or by species; None if there are none."""
    if all(item.cells is None for item in layout.profiles):
        return None
    edges = np.full((species, depth.size, 2), np.nan)
    for item, row, position in zip(layout.profiles, layout.rows, layout.positions, strict=True):
        if item.cells is not None:
            edges[row, position] = item.cells
    common = edges[0].copy()
    for profile_edges in edges[1:]:
        common = np.where(np.isnan(common), profile_edges, common)
    tolerance = AXIS_TOLERANCE * np.ptp(depth)
    differing = (abs(edges - common) > tolerance).any() or np.isnan(edges).all(axis=(1, 2)).any()
    return edges if differing or (common[1:, 0] < common[:-1, 1] - tolerance).any() else common


def _numbered(items: list[_Canonical]) -> list[_Canonical]:
    """Distinguish profiles of one species in one kind of unit by a number."""
    keys = [(item.profile.species_name, item.kind) for item in items]
    counts, counts_so_far = Counter(keys), Counter[tuple[str, str]]()
    repeated = [key for key in keys if counts[key] > 1]
    if not repeated:
        return items
    names = []
    for key in keys:
        counts_so_far[key] += 1
        names.append(f"{key[0]} ({counts_so_far[key]})" if key in repeated else key[0])
    doubled = ", ".join(dict.fromkeys(repr(name) for name, _ in repeated))
    if len({(name, kind) for name, (_, kind) in zip(names, keys, strict=True)}) < len(keys):
        raise ProfileError(
            f"species delivered more than once: {doubled}",
            code="repeated_species",
            where={"species": repeated[0][0]},
            remedy="pass one profile of each, or give them distinct names with "
            "dataclasses.replace(profile, species_name=...)",
        )
    repeats = [repr(name) for name, key in zip(names, keys, strict=True) if key in repeated]
    text = f"species delivered more than once: {doubled}; named {', '.join(repeats)}"
    warn(text, ProfileWarning, code="repeated_species", where={"species": repeated[0][0]})
    return [
        replace(item, profile=replace(item.profile, species_name=name))
        for item, name in zip(items, names, strict=True)
    ]


def _warn_of_gaps(items: list[_Canonical]) -> None:
    """Warn of samples without a value that are not below a limit of detection, or in a gap."""
    counts = {}
    for item in items:
        limit = item.columns.get(vocabulary.LIMIT, np.full(1, np.nan))
        empty = np.isnan(item.columns[""]) & np.isnan(limit)
        empty &= item.columns[vocabulary.QUALITY].astype(np.int16) & GAP == 0
        counts[item.profile.species_name] = int(np.count_nonzero(empty))
    gaps = {name: count for name, count in counts.items() if count}
    if gaps:
        counts_of = ", ".join(f"{name!r} {count}" for name, count in gaps.items())
        total = sum(gaps.values())
        samples_were = "1 sample was" if total == 1 else f"{total} samples were"
        text = f"{samples_were} not measured (null): species {counts_of}"
        warn(text, ProfileWarning, code="not_measured", where={"species": next(iter(gaps))})


def _common_axis(items: list[_Canonical]) -> str:
    by_axis = {axis: [item for item in items if item.axis == axis] for axis in vocabulary.AXES}
    if all(by_axis.values()):
        timed, deep = by_axis["sputter_time"][0].profile, by_axis["depth"][0].profile
        raise ProfileError(
            f"species {timed.species_name!r} is on a sputter-time axis ({timed.depth_units}), "
            f"species {deep.species_name!r} on a depth axis ({deep.depth_units}); make one "
            "Dataset of each kind; calibrate_depth() converts time to depth",
            code="mixed_axes",
            where={"species": timed.species_name},
        )
    return items[0].axis


_OTHER_INTENSITIES = {"count": "counts", "arbitrary": "intensity_arbitrary"}


def _variable_names(kinds: set[str]) -> dict[str, str]:
    """Return the variable name of each kind; the first kind of intensity is ``intensity``."""
    intensities = [kind for kind in vocabulary.INTENSITY_KINDS if kind in kinds]
    names = {kind: kind for kind in vocabulary.VALUE_KINDS if kind in kinds - {*intensities}}
    for i, kind in enumerate(intensities):
        names[kind] = "intensity" if i == 0 else _OTHER_INTENSITIES[kind]
    return names


def _dataset_attrs(source: Any, profiles: list[DepthProfile]) -> dict[str, str]:
    first = profiles[0].data_id
    attrs = {"data_id": "" if first is None else str(first)}
    if hasattr(source, "provenance"):
        attrs["data_id"] = source.data_id
        attrs.update(source.provenance)
    if FIELD in profiles[0].extra:
        attrs[FIELD] = orjson.dumps(profiles[0].extra[FIELD]).decode()
        file_hash = Metadata.from_dict(profiles[0].extra[FIELD]).sha256
        if file_hash and file_hash != attrs.get("sha256"):
            # The payload that an archive keeps and serves has a different hash.
            attrs["file_sha256"] = file_hash
    attrs.update(
        sims_analysis_version=__version__,
        history=f"made from {len(profiles)} depth profiles by sims_analysis {__version__}",
    )
    return {key: text for key, text in attrs.items() if text}
