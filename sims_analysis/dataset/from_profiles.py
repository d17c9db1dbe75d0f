"""Profiles to one Dataset indexed by species and depth.

Depths and values are converted to canonical units; nothing else is changed. If the axes of the
species differ, the axis of the Dataset is their union, and ``NaN`` means *not measured here*.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import orjson
import xarray as xr

from sims_analysis import vocabulary
from sims_analysis._version import __version__
from sims_analysis.conventions import delivered
from sims_analysis.conventions.axes import AXIS_TOLERANCE, axis_of, merge, order_of
from sims_analysis.conventions.cf import with_ancillaries
from sims_analysis.dataset.neighbours import register_accessor
from sims_analysis.dataset.repeats import without_repeats
from sims_analysis.dataset.samples import LAYOUT, OWN_DEPTHS, samples
from sims_analysis.dataset.shared import shared_coords
from sims_analysis.errors import ProfileError, ProfileWarning, warn
from sims_analysis.kernels.gaps import gap_after
from sims_analysis.kernels.rows import Dense
from sims_analysis.outcomes import Flag
from sims_analysis.profiles.metadata import FIELD, Metadata, columns_of
from sims_analysis.profiles.plausibility import warn_of_implausible
from sims_analysis.profiles.profile import DepthProfile, profiles_of
from sims_analysis.text.arguments import check_choice, checks_arguments, format_argument
from sims_analysis.units import (
    CANONICAL,
    QuantityLike,
    Unit,
    read_number,
    unit_of_kind,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sims_analysis.kernels.rows import Array
    from sims_analysis.profiles.profile import HasProfiles


__all__ = ["dataset_of", "to_dataset"]


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
    value: Array
    #: What stands beside them: ``"stderr"`` and ``vocabulary.BESIDE``.
    beside: dict[str, Array]
    #: Edges of the cells over which the values are means, shape (samples, 2).
    cells: Array | None = None


@checks_arguments
def to_dataset(
    source: HasProfiles | DepthProfile | Sequence[DepthProfile],
    *,
    depth: QuantityLike = "union",
    like: str | None = None,
    duplicates: Literal["raise", "mean", "step"] = "raise",
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
        What to do if a profile has the same depth twice. ``"raise"`` refuses it. ``"step"`` treats
        it as the edge of a histogram drawn as steps: the depth of the first of the two values is
        moved to the next smaller number, so that the trapezoid conserves the dose of the histogram.
        ``"mean"`` takes the mean of the values, which is right where a depth was measured twice,
        but would turn the steps of a histogram into ramps.

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
        - ``profile_id``, ``processed_data_id``, ``last_updated``, ``source_depth_units``,
          ``source_units``, ``species_metadata`` (JSON text): coordinates over ``species``, as
          delivered

    Raises
    ------
    ProfileError
        If there is no profile, a species occurs twice in one kind of unit, a depth occurs twice in
        a profile, or some profiles are on a depth axis and others on a sputter-time axis.
    SpeciesError
        If `like` is not one of the species.
    UnitsError
        If a unit is unknown, ambiguous or of the wrong kind; it names the species.

    Warns
    -----
    ProfileWarning
        If samples had to be put in order of depth, some were not measured, the profiles are of
        different data entries, or something is not as it usually is: depths beyond 1 mm,
        concentrations above 1e24 atoms/cm^3 or that look like logarithms, fractions above 1,
        columns that seem to be swapped. Nothing is refused for being unusual.

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
        raise ProfileError(f"give one of depth={depth!r} and like={format_argument(like)}")
    ds = dataset_of(source, duplicates)
    register_accessor()
    if depth == "union" and like is None:
        return ds
    # The only import against the flow of data: resampling is an analysis of the samples.
    from sims_analysis.resampling.grid import to_grid

    if like is None:
        # Read here, so that the message has the name of this argument.
        step = read_number(depth, (axis_of(ds),), "depth")
        if not 0 < step < np.inf:
            raise ProfileError(f"depth={depth!r} must be one positive number")
    grid = {"step": depth} if like is None else {"like": samples(ds, like)}
    on_grid: xr.Dataset = to_grid(ds, **grid)
    on_grid.attrs.pop(LAYOUT, None)
    return on_grid


def dataset_of(
    source: HasProfiles | DepthProfile | Sequence[DepthProfile],
    duplicates: Literal["raise", "mean", "step"] = "raise",
) -> xr.Dataset:
    """Turn profiles into a Dataset on the union of their axes, for a program that hands on none.

    Other packages do not know it yet: pint and its registry take longer than all answers.
    """
    check_choice("duplicates", duplicates, ("raise", "mean", "step"))
    profiles = _checked(source)
    found = [_canonical(profile, duplicates) for profile in profiles]
    _refuse_repeats(found)
    _warn_of_gaps(found)
    warn_of_implausible(profiles)
    return _joined(found, _dataset_attrs(source, profiles))


def _checked(source: Any) -> list[DepthProfile]:
    """List the profiles of one measurement."""
    profiles = profiles_of(source)
    if not profiles and not hasattr(source, "depth_profiles"):
        raise ProfileError("there are no profiles: a Dataset needs at least one")
    if not profiles:
        status = getattr(source, "provenance", {}).get("pipeline_status")
        known = (
            f"its pipeline_status in the catalogue is {status!r}"
            if status
            else "its pipeline_status in the catalogue says whether it is unknown, still being "
            "processed, or not a SIMS measurement"
        )
        raise ProfileError(
            f"data entry {getattr(source, 'data_id', '')!r} has no SIMS data; {known}"
        )
    for name in {profile.species_name for profile in profiles}:
        if name.endswith("\0"):
            raise ProfileError(f"species {name!r}: a name cannot end with a NUL character")
    entries = dict.fromkeys(repr(p.data_id) for p in profiles if p.data_id is not None)
    if len(entries) > 1:
        warn(
            f"the profiles are of different data entries, {', '.join(entries)}; a Dataset is one "
            "measurement, and gets the id of the first",
            ProfileWarning,
        )
    return profiles


def _canonical(profile: DepthProfile, duplicates: str) -> _Canonical:
    """Convert to canonical units and sort by depth."""
    who = f"species {profile.species_name!r}"
    axis_unit = unit_of_kind(profile.depth_units, vocabulary.AXES, f"{who}: depth_units")
    value_unit = unit_of_kind(
        profile.concentration_units, vocabulary.VALUE_KINDS, f"{who}: concentration_units"
    )
    depth = axis_unit.to_canonical(profile.depths)
    columns = [value_unit.to_canonical(profile.concentrations)]
    if profile.concentrations_stderr is not None:
        columns.append(value_unit.to_canonical(profile.concentrations_stderr))
    stated = depth
    if not (depth[1:] > depth[:-1]).all():
        if (depth[1:] < depth[:-1]).any():
            warn(f"{who}: depths were not in increasing order; sorted", ProfileWarning)
            order = order_of(depth)
            stated, columns = depth[order], [column[order] for column in columns]
        units = (axis_unit, value_unit)
        depth, columns = without_repeats(who, units, stated, columns, duplicates)
    beside = dict(zip(["stderr"], columns[1:], strict=False))
    beside |= _beside(profile, value_unit, stated, depth.size)
    cells = _cells(profile, axis_unit, depth.size)
    return _Canonical(profile, axis_unit.kind, depth, value_unit.kind, columns[0], beside, cells)


def _cells(profile: DepthProfile, axis_unit: Unit, samples: int) -> Array | None:
    """Read the edges of cells, in order of depth: the columns ``cell_start``, ``cell_stop``."""
    columns = columns_of(profile.extra, profile.depths.size)
    edges = {name: columns[name] for name in vocabulary.CELLS if name in columns}
    if len(edges) < 2 or samples < profile.depths.size:
        return None
    order = order_of(profile.depths)
    sides = []
    for name, edge in edges.items():
        who = f"species {profile.species_name!r}: {name}"
        unit = unit_of_kind(edge.get("units"), (axis_unit.kind,), who)
        sides.append(unit.to_canonical(np.array(edge["values"], dtype=np.float64)[order]))
    return np.column_stack(sides)


def _cells_of_all(found: list[_Canonical], depth: Array, positions: list[Any]) -> Array | None:
    """Put the edges of cells on the common axis; None where not all profiles are of cells."""
    edges = np.full((depth.size, 2), np.nan)
    for s, position in zip(found, positions, strict=True):
        if s.cells is None:
            return None
        before = edges[position]
        if (abs(before - s.cells) > AXIS_TOLERANCE * np.ptp(depth)).any():
            warn(
                f"species {s.profile.species_name!r} has other cells than another species around "
                "the same depths: all are taken as samples; make one Dataset of each",
                ProfileWarning,
            )
            return None
        edges[position] = np.where(np.isnan(s.cells), before, s.cells)
    return edges


def _beside(
    profile: DepthProfile, own: Unit, with_repeats: Array, samples: int
) -> dict[str, Array]:
    """Read counts, limits, and how well a background that was subtracted is known; by depth.

    Where depths (`with_repeats`) were merged to fewer `samples`, those of the first of each.
    """
    found = {}
    for name, column in columns_of(profile.extra, profile.depths.size).items():
        if name == vocabulary.QUALITY:
            values = np.array(column["values"], dtype=np.float64)
            found[name] = values[order_of(profile.depths)]
            if samples < values.size:
                found[name] = found[name][np.unique(with_repeats, return_index=True)[1]]
        elif name in vocabulary.BESIDE or name == vocabulary.CENSORED:
            kinds = _KINDS[vocabulary.BESIDE.get(name)]
            stated = column.get("units")
            limits = name == vocabulary.CENSORED and not stated  # in the unit of the values
            who = f"species {profile.species_name!r}: {name}"
            unit = own if limits else unit_of_kind(stated, kinds, who)
            values = np.array(column["values"], dtype=np.float64)
            found[name] = unit.to_canonical(values[order_of(profile.depths)])
            if samples < values.size:
                found[name] = found[name][np.unique(with_repeats, return_index=True)[1]]
    return found


def _joined(found: list[_Canonical], attrs: dict[str, str]) -> xr.Dataset:
    """Put all species on one axis, each sample where it was measured."""
    axis = _common_axis(found)
    depth, positions, own = merge([s.depth for s in found])
    if any(s.depth.size < depth.size for s in found):
        attrs = {**attrs, LAYOUT: OWN_DEPTHS}
    # A species may have a concentration and an intensity: its first profile comes first.
    leading: dict[str, int] = {}
    for i, s in enumerate(found):
        leading.setdefault(s.profile.species_name, i)
    row_of = {name: row for row, name in enumerate(leading)}
    rows = [row_of[s.profile.species_name] for s in found]
    names = _variable_names({s.kind for s in found})
    dims, shape = ("species", axis), (len(leading), depth.size)
    variables: dict[str, Any] = {}
    evidence: dict[str, Any] = {}  # coordinates, which a DataArray keeps
    given = {end for s in found for end in s.beside} - {vocabulary.QUALITY}
    shared = {end: np.full(shape, np.nan) for end in vocabulary.SHARED if end in given}
    for kind, name in names.items():
        units = CANONICAL[kind]
        values = np.full(shape, np.nan)
        beside = {end: np.full(shape, np.nan) for end in vocabulary.OF_SAMPLES if end in given}
        flags = np.zeros(shape, np.int16)
        for s, row, position in zip(found, rows, positions, strict=True):
            if s.kind == kind:
                values[row, position] = s.value
                flags[row, position] = _flags(s)
                for end, column in s.beside.items():
                    if end != vocabulary.QUALITY:
                        (shared if end in shared else beside)[end][row, position] = column
        variables[name] = (dims, values, vocabulary.attrs(name, units))
        for end, columns in beside.items():
            if not np.isnan(columns).all():
                its_attrs = vocabulary.ancillary_attrs(name, end, units)
                to = evidence if end == vocabulary.CENSORED else variables
                to[f"{name}_{end}"] = (dims, columns, its_attrs)
        if flags.any():
            attrs_of_flags = vocabulary.quality_attrs()
            evidence[f"{name}_{vocabulary.QUALITY}"] = (dims, flags, attrs_of_flags)
    others = [
        (row, names[s.kind], s.profile, z)
        for i, (s, row, z) in enumerate(zip(found, rows, own, strict=True))
        if leading[s.profile.species_name] != i
    ]
    coords: dict[str, Any] = {
        "species": np.array(list(leading), dtype=str),
        axis: (axis, depth, vocabulary.attrs(axis)),
        **shared_coords(axis, shared),
        **evidence,
        **delivered.coords(
            [found[i].profile for i in leading.values()],
            [own[i] for i in leading.values()],
            attrs.get("data_id", ""),
            others,
        ),
    }
    cells = _cells_of_all(found, depth, positions)
    if cells is not None:
        # By the CF conventions, bounds have the units of their axis and no attrs of their own.
        coords[f"{axis}_bounds"] = ((axis, "bounds"), cells)
        coords[axis][2]["bounds"] = f"{axis}_bounds"
        for name, edge in zip(vocabulary.CELLS, cells.T, strict=True):  # a DataArray keeps these
            coords[name] = (axis, edge, {"units": CANONICAL[axis]})
    return with_ancillaries(xr.Dataset(variables, coords=coords, attrs=attrs))


def _flags(one: _Canonical) -> NDArray[np.int16]:
    """Return what is known of the samples of a profile: as stated, missing ones, and gaps."""
    missing = np.isnan(one.value)
    stated = one.beside.get(vocabulary.QUALITY, np.zeros(one.value.size))
    flags: NDArray[np.int16] = np.nan_to_num(stated).astype(np.int16)
    limit = one.beside.get(vocabulary.CENSORED)
    below = missing & (False if limit is None else ~np.isnan(limit))
    flags[below] |= Flag.BELOW_LIMIT
    flags[missing & ~below & (flags == 0)] |= Flag.PLACEHOLDER
    at = np.flatnonzero(~missing)
    cells = () if one.cells is None else np.ascontiguousarray(one.cells[at].T)
    if at.size > 1:
        wide = gap_after(Dense(one.depth[at], one.value[None, at], None, *cells))
        limited = np.cumsum(below)[at]  # those below a limit were measured: no gap
        if wide is not None:
            gap = wide[:-1] & (np.diff(limited) == 0)
            flags[at[:-1][gap]] |= Flag.GAP_AFTER
            flags[at[1:][gap]] |= Flag.GAP_BEFORE
    return flags


def _refuse_repeats(found: list[_Canonical]) -> None:
    """Refuse two profiles of one species in one kind of unit."""
    counts = Counter((s.profile.species_name, s.kind) for s in found)
    twice = dict.fromkeys(repr(name) for (name, _), count in counts.items() if count > 1)
    if twice:
        raise ProfileError(
            f"species delivered more than once: {', '.join(twice)}",
            code="repeated_species",
            argument="number_repeats",
            remedy="pass one profile of each, or give them distinct names with "
            "dataclasses.replace(profile, species_name=...) or, for a file, with "
            "sims.read(path, number_repeats=True)",
        )


def _warn_of_gaps(found: list[_Canonical]) -> None:
    counts = {s.profile.species_name: int(np.count_nonzero(np.isnan(s.value))) for s in found}
    gaps = {name: count for name, count in counts.items() if count}
    if gaps:
        listed = ", ".join(f"{name!r} {count}" for name, count in gaps.items())
        total = sum(gaps.values())
        samples_were = "1 sample was" if total == 1 else f"{total} samples were"
        message = f"{samples_were} not measured (null): species {listed}"
        warn("; ".join([message, *filter(None, map(_hidden, found))]), ProfileWarning)


def _hidden(one: _Canonical) -> str:
    """Say how many samples below a limit of detection lie between two that have a value."""
    said = one.profile.species_metadata
    known = np.flatnonzero(~np.isnan(one.value))
    count = int(known[-1] - known[0] + 1 - known.size) if known.size else 0
    if not (count and isinstance(said, Mapping) and "below_detection_limit" in said):
        return ""
    return (
        f"{count} of {one.profile.species_name!r} between samples with a value, below "
        f"{said['detection_limit']}: answers that go across from one to the next are too high there"
    )


def _common_axis(found: list[_Canonical]) -> str:
    by_axis = {axis: [s for s in found if s.axis == axis] for axis in vocabulary.AXES}
    if all(by_axis.values()):
        timed, deep = by_axis["sputter_time"][0].profile, by_axis["depth"][0].profile
        raise ProfileError(
            f"species {timed.species_name!r} is on a sputter-time axis ({timed.depth_units}), "
            f"species {deep.species_name!r} on a depth axis ({deep.depth_units}); make one "
            "Dataset of each kind; calibrate_depth() converts time to depth"
        )
    return found[0].axis


_OTHER_INTENSITIES = {"count": "counts", "arbitrary": "intensity_arbitrary"}


def _variable_names(kinds: set[str]) -> dict[str, str]:
    """Return the variable name for each kind of value.

    The first kind of intensity that occurs is ``intensity``; counts and arbitrary units cannot
    share a variable with a count rate, and get other names.
    """
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
        of_file = Metadata.from_dict(profiles[0].extra[FIELD]).sha256
        if of_file and of_file != attrs.get("sha256"):
            # The payload that an archive keeps and serves has a different hash.
            attrs["file_sha256"] = of_file
    attrs.update(
        sims_analysis_version=__version__,
        history=f"made from {len(profiles)} depth profiles by sims_analysis {__version__}",
    )
    return {key: text for key, text in attrs.items() if text}
