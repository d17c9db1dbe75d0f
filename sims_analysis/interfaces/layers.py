"""How thick is this layer: between the depths at which a species rises above a level and falls."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import xarray as xr

from sims_analysis import units, vocabulary
from sims_analysis.analysis.crossings import crossings
from sims_analysis.errors import ProfileError, ProfileWarning, SpeciesError, warn
from sims_analysis.frame.arguments import refuse_cases
from sims_analysis.frame.background import subtracted_level
from sims_analysis.frame.call import recorded
from sims_analysis.frame.evidence import GapPolicy, bridges, rests_on, warn_of_evidence
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.messages import first_flagged
from sims_analysis.frame.profiles import by_depth, open_profiles, over_profiles
from sims_analysis.frame.window import NO_LIMITS
from sims_analysis.kernels.evidence import rests_on_points
from sims_analysis.kernels.peak import peak
from sims_analysis.kernels.samples import Array, in_order
from sims_analysis.outcomes import GAP, Flag, Status
from sims_analysis.text.arguments import format_argument, read_name
from sims_analysis.units import ParameterLike

__all__ = ["layers"]

#: Without standard errors noise may have made what lies between two crossings, if it is of so few
#: samples, none of them further from the level than by this factor; and if there are so many.
_SHORT, _SHALLOW, _SEVERAL = 2, 1.6, 2
#: Two crossings may be one edge if they differ by less than so many standard errors.
_SAME = 3.0
#: Errors hold where samples above half of the maximum are known to this.
_KNOWN = 0.25
#: And where a level that is a part of the maximum is known to this.
_LEVEL_KNOWN = 0.1
#: What is found of each layer.
_ROW = ("status", "top", "top_stderr", "bottom", "bottom_stderr", "thickness_stderr")
#: What is added to depths of edges in a gap, and among samples below a limit: they have none.
_GAP, _BELOW = np.inf, -np.inf


@recorded
def layers(
    data: xr.Dataset | xr.DataArray,
    *,
    species: str | None = None,
    level: ParameterLike | None = None,
    fraction: float | None = None,
    variable: str | None = None,
    gaps: GapPolicy = "flag",
) -> xr.Dataset:
    """Measure layers between the depths at which a species rises above a level and falls below.

    Parameters
    ----------
    data : Dataset or DataArray
        One measurement or a batch, over depth; or over sputter time, in seconds then.
    species : str, optional
        Which one marks the layers; needed if there are several.
    level : str, Quantity or DataArray, optional
        Where a layer begins and ends.
    fraction : float, optional
        The level as a part of the profile's maximum; by default half of it.
    variable : str, optional
        Of a Dataset; by default that in which the species was measured, concentrations first.
    gaps : {"flag", "bridge"}
        ``"bridge"`` accepts a layer that begins or ends in a gap between samples.

    Returns
    -------
    Dataset
        Over ``layer``, in order of depth:

        - ``top``, ``bottom``, ``thickness`` (``nm``)
        - ``<name>_stderr`` (``nm``) of each, where the data carry errors
        - ``status``: ``ok``; ``truncated`` (the species is above the level where the samples begin
          or end: the layer goes on, and its thickness is not known); ``below_limit`` (it goes
          on to samples that a file gives as ``<5E15``; the coordinate ``detection_limit`` has their
          limit); ``gap`` (it begins or ends where there are no samples: there is no depth);
          ``saturated`` (half of a maximum that a saturated detector has cut off);
          ``never_reached`` or ``no_data`` in the first place of a profile without a layer; nothing
          in the places after the last layer

    Raises
    ------
    SpeciesError
        If `species` is not there, or has to be named.
    ProfileError
        If both `level` and `fraction` are given, or the fraction is not between 0 and 1.

    Warns
    -----
    ProfileWarning
        Where a layer begins or ends in a gap, or the status is ``saturated``; and where, without
        standard errors, noise may have made layers: the data stay twice or more, for one or two
        samples, within a factor of 1.6 of the level. With them, where samples above half of the
        maximum are known to no better than 25 % (16 counts), and where the maximum, of which the
        level is a part, is known to no better than 10 %: the errors hold less often.

    See Also
    --------
    crossings : Every crossing of a level, which layers are made of.
    interface : The width of one interface.

    Notes
    -----
    Noise makes several crossings of one edge. Where the data carry standard errors, they count as
    one, the most certain of them, if they are no further apart than their errors allow. Intervals
    of top, bottom and thickness then hold in 59 to 72 % of cases (30 to 1,000 counts at the
    maximum, 400 trials); of 10 counts in 50 to 69 %, and above a background of a fifth of these
    that was subtracted in 46 to 60 %. These are of a stated `level`.

    A part of the maximum is one of the highest sample, which noise has chosen: its error (see
    :func:`peak`) moves both edges, by the decay length between the samples around them. Then 54 to
    79 % of the intervals hold at 1,000 counts and more (boxes, films and Gaussians in steps of 2
    nm, 300 trials), 39 to 60 % at 100, 13 to 41 % at 30, 0 to 23 % at 10: state `level`.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> found = sims.layers(ds, species="B", level="1e19 atoms/cm^3")
    >>> found["thickness"].values.round(1), found["status"].values  # the first: surface transient
    (array([  nan, 112.5]), array(['truncated', 'ok'], dtype='<U19'))
    """
    part = _read_fraction(level, fraction)
    one, profiles = _opened(data, species, variable)
    extent = over_profiles(profiles, profiles.each(_extent, size=3))
    highest, first, last = extent.transpose("__row__", ...)
    by_fraction = level is None
    if level is None:
        level = (part * highest).assign_attrs(units=profiles.units)
    number = profiles.parameter(level, (profiles.kind,), "level")
    refuse_cases(profiles, number, "level")
    found = crossings(one, level=level, gaps="bridge")
    limit = found.coords.get("detection_limit")
    found = units.dequantify(found)
    names = profiles.axis, "stderr", "decay_length", "direction", "status"
    depth, stderr, decay, direction, status = (found[name].variable for name in names)
    unknown, saturated = xr.zeros_like(number, dtype=float), number.isnull() & False
    if by_fraction:
        unknown = _error_of_maximum(profiles)
        saturated = rests_on(profiles, NO_LIMITS).flags & Flag.SATURATED != 0
    lost: Any = xr.zeros_like(depth)
    if not bridges(gaps):
        along: Any = {"whole": ("crossing",), "extra": ("crossing",)}
        flags = profiles.map(rests_on_points, depth, **along).flags
        below = xr.where(flags & Flag.BELOW_LIMIT != 0, _BELOW, 0.0)
        lost = xr.where(flags & GAP != 0, _GAP, below)
    _warn_of_gaps(profiles, depth, lost, saturated)
    if profiles.stderr is None:
        _warn_of_noise(profiles, number)
    else:
        _warn_of_few_counts(profiles, number, unknown)
    begins, goes_on = first.variable > number, last.variable > number
    edges = depth, stderr, abs(decay) * unknown, direction, lost
    ends = begins, goes_on, *_hidden(profiles, begins, number), saturated, status[..., 0]
    size = len(_ROW) * (1 + depth.sizes["crossing"] // 2)
    rows = profiles.each(_layers, *edges, *ends, whole=["crossing"], size=size)
    return _dataset(rows, limit, profiles)


def _error_of_maximum(profiles: Frame) -> xr.Variable:
    """Return the relative error of the maxima, which noise has chosen; NaN where it is unknown."""
    arguments = *NO_LIMITS, profiles.fraction, subtracted_level(profiles)
    found: Any = profiles.map(peak, *arguments, errors="fit")
    known: xr.Variable = found.stderr / found.value
    return known


def _read_fraction(level: Any, fraction: Any) -> float:
    """Return which part of the maximum is the level, if none is stated."""
    if level is not None and fraction is not None:
        raise ProfileError("give a level or a fraction, not both")
    part = 0.5 if fraction is None else fraction
    if not (isinstance(part, float | int) and 0 < part < 1):
        raise ProfileError(
            f"fraction={format_argument(fraction)}; expected a number between 0 and 1"
        )
    return part


def _opened(data: Any, species: str | None, variable: str | None) -> tuple[Any, Frame]:
    """Return the data of the species that marks the layers, and their profiles."""
    one = by_depth(_marking_species(data, species))
    profiles = open_profiles(one, question="a layer", variable=variable)
    if isinstance(one, xr.Dataset):
        ancillary = [f"{profiles.name}_{end}" for end in vocabulary.OF_SAMPLES]
        one = one[[name for name in (profiles.name, *ancillary) if name in one]]
    for name in ("layer", "crossing"):
        if name in profiles.lead:
            raise ProfileError(
                f"{name!r} in the data is a dimension of the answer; rename it, as in "
                f'data.rename({name}="place")'
            )
    if profiles.lazy:
        raise ProfileError("layers of Dask data are not known ahead; give data.compute()")
    return one, profiles


def _hidden(profiles: Frame, like: xr.Variable, level: xr.Variable) -> list[xr.Variable]:
    """Flag profiles whose layers may begin, or end, at samples that a file gives as ``<5E15``."""
    limit, none = profiles.highest_limit, like & False
    if limit is None:
        return [none, none]
    # The last samples are below it; nowhere a sample shows a level below it.
    return [none | (level <= limit), none | limit.notnull()]


def _warn_of_gaps(
    profiles: Frame, depth: xr.Variable, lost: xr.Variable, saturated: xr.Variable
) -> None:
    """Warn of layers whose edges are `lost`, in a gap or below a limit, or that are saturated."""
    gap = (lost == _GAP).any("crossing")
    first = depth.where(lost == xr.where(gap, _GAP, _BELOW)).min("crossing")
    doubt = xr.where(first.notnull(), Status.BELOW_LIMIT, Status.OK)
    doubt = xr.where(gap, Status.GAP, doubt)
    codes = doubt.where(~saturated, Status.SATURATED)
    what = "a layer that begins or ends in it has no depth"
    warn_of_evidence(profiles, codes, (first, first), what)


def _warn_of_noise(profiles: Frame, level: xr.Variable) -> None:
    """Warn of the first profile whose layers, or what is between them, noise may have made."""
    number = profiles.each(_short_and_shallow, level, size=1)[..., 0]
    _warn_of_first(
        profiles,
        number >= _SEVERAL,
        number,
        "{:.0f} of the layers, or of what lies between them, are of one or two samples near the "
        "level, as noise makes them, and the data have no standard errors: "
        "with_counting_statistics() states them, and crossings of one edge count as one then",
    )


def _warn_of_few_counts(profiles: Frame, level: xr.Variable, unknown: xr.Variable) -> None:
    """Warn of profiles with a layer whose errors hold less often at so few counts.

    `unknown` is the relative error of a level that is a part of the maximum.
    """
    known = profiles.each(_known, level, size=1)[..., 0]
    _warn_of_first(
        profiles,
        (unknown > _LEVEL_KNOWN) & known.notnull(),
        100 * unknown,
        "the level is a part of the highest sample, which noise has chosen and which is known to "
        "{:.0f} %: of the intervals of a layer 39 to 60 % hold the truth at 100 counts, 0 to 41 % "
        "at 10 to 30; state level=",
    )
    _warn_of_first(
        profiles,
        (known > _KNOWN) & (unknown == 0.0),  # of a stated level
        100 * known,
        "samples near the maximum are known to {:.0f} % (as of fewer than 16 counts); of so few, "
        "46 to 69 % of the intervals of a layer hold the truth. Count longer, or over a larger "
        "area",
    )


def _warn_of_first(profiles: Frame, flagged: xr.Variable, number: xr.Variable, text: str) -> None:
    """Warn once of the flagged profiles, with the number of the first of them."""
    first = first_flagged(profiles, flagged)
    if first is not None:
        warn(f"{first.label}: {text.format(first.of(number))}", ProfileWarning)


def _known(_: Array, c: Array, s: Array, __: Array, level: float) -> Array:
    """Return the median relative error of the samples above half of the maximum."""
    top = np.nanmax(c, initial=0.0)
    near = (c > 0.5 * top) & np.isfinite(s)
    return np.array([np.median(s[near] / c[near]) if near.any() and top > level else np.nan])


def _short_and_shallow(z: Array, c: Array, _: Array, __: Array, level: float) -> Array:
    """Count the runs of samples on one side of a level that are short and stay near it."""
    c = c[in_order(z, c)]
    change = np.flatnonzero(np.diff(c > level))
    runs = [c[i + 1 : j + 1] for i, j in pairwise(change)]
    near = [
        one.size <= _SHORT and max(one.max() / level, level / one.min()) < _SHALLOW
        for one in runs
        if one.min() > 0 < level
    ]
    return np.array([float(sum(near))])


def _extent(z: Array, c: Array, *_: Any) -> Array:
    """Return the largest value, the first and the last."""
    c = c[in_order(z, c)]
    return np.array([c.max(), c[0], c[-1]]) if c.size else np.full(3, np.nan)


def _marking_species(data: Any, species: str | None) -> Any:
    if species is None:
        if getattr(data, "sizes", {}).get("species", 1) > 1:
            names = ", ".join(map(repr, data["species"].values.tolist()))
            raise SpeciesError(f"name the species that marks the layers: {names}")
        return data
    species = read_name("species", species)
    coords = getattr(data, "coords", {})
    present = [str(name) for name in np.atleast_1d(coords.get("species", []))]
    if species not in present:
        names = ", ".join(map(repr, present)) or "no coordinate 'species'; leave it out"
        raise SpeciesError(f"the data have no species {species!r}; they have {names}")
    return data.sel(species=species) if "species" in data.dims else data


def _without_noise(depth: Array, stderr: Array, direction: Any) -> list[int]:
    """Select crossings, one for each edge.

    Of two in one direction, the less certain is left out, with a crossing between them that noise
    made (see :func:`crossings`: it has no error), if both may be the same edge: they differ by
    less than `_SAME` standard errors.
    """
    kept: list[int] = []
    for i in np.flatnonzero(np.isfinite(depth)).tolist():
        kept.append(i)
        if len(kept) < 3:
            continue
        a, noise, b = kept[-3:]
        same = depth[b] - depth[a] < _SAME * np.hypot(stderr[a], stderr[b])
        if direction[a] == direction[b] and np.isnan(stderr[noise]) and same:
            kept[-3:] = [a if stderr[a] <= stderr[b] else b]
    return kept


def _paired(edges: Array, direction: Any, *, begins: bool, goes_on: bool) -> list[Array]:
    """Pair each rise with the fall after it; NaN where the samples begin or end in a layer.

    `edges` are depths, their own errors, and how far the error of the level moves them.
    """
    found: list[Array] = []
    nowhere = np.full(3, np.nan)
    top = nowhere if begins else None
    for edge, way in zip(edges.T, direction, strict=True):
        if str(way) == "rising":
            top = edge
        elif top is not None:
            found.append(_layer(top, edge))
            top = None
    if top is not None and goes_on:
        found.append(_layer(top, nowhere))
    return found


def _layer(top: Array, bottom: Array) -> Array:
    """Return depths and errors of the two edges of a layer, and the error of its thickness.

    A higher level moves both edges inwards.
    """
    (z_top, own_top, in_top), (z_bottom, own_bottom, in_bottom) = top, bottom
    thickness = np.hypot(np.hypot(own_top, own_bottom), in_top + in_bottom)
    errors = np.hypot(own_top, in_top), np.hypot(own_bottom, in_bottom)
    return np.array([z_top, errors[0], z_bottom, errors[1], thickness])


def _layers(*given: Any) -> Array:
    """Return rows of `_ROW`, one for each layer of a profile between its crossings.

    After the samples come depths, errors (their own, and the level's) and directions of the
    crossings, and which are lost; whether the profile begins, and ends, above the level; whether
    samples below a limit may be there; whether it is saturated; and its status without a layer.
    """
    *crossing, begins, goes_on, from_limit, to_limit, saturated, otherwise = given[4:]
    depth, stderr, moved, direction, lost = map(np.array, crossing)
    rows = np.full((1 + depth.size // 2, len(_ROW)), np.nan)
    rows[:, 0] = Status.PADDING
    kept = _without_noise(depth, stderr, direction)
    edges = np.array([depth + lost, stderr, moved])[:, kept]
    found = _paired(edges, direction[kept], begins=begins, goes_on=goes_on)
    if not found:
        rows[0, 0] = Status.SATURATED if saturated else Status[otherwise.upper()]
    for row, layer in zip(rows, found, strict=False):
        row[1:] = layer
        gap, open_ = np.isinf(row[1:5]), np.isnan(row[[1, 3]])
        in_gap = (row[[1, 3]] == _GAP).any()
        # An edge in a gap has no depth, and no error.
        row[1:5][gap | np.roll(gap, 1)] = np.nan
        row[5] = np.nan if gap.any() else row[5]
        cases = {
            Status.GAP: in_gap,
            Status.BELOW_LIMIT: gap.any() | (open_ & [from_limit, to_limit]).any(),
            Status.TRUNCATED: open_.any(),
            Status.SATURATED: saturated,
        }
        row[0] = next((status for status, so in cases.items() if so), Status.OK)
    return rows.ravel()


def _dataset(rows: xr.Variable, limit: xr.DataArray | None, profiles: Frame) -> xr.Dataset:
    """Return the answer, with as many places as the profile with the most layers has."""
    table = rows.data.reshape(*rows.shape[:-1], -1, len(_ROW))
    width = (table[..., 0] != Status.PADDING).sum(axis=-1).max(initial=1)
    dims = (*rows.dims[:-1], "layer", "__row__")
    table = xr.Variable(dims, table[..., :width, :])
    part = dict(zip(_ROW, table.transpose("__row__", ...), strict=True))
    part["thickness"] = part["bottom"] - part["top"]
    answer = {}
    for name, term, text in (
        ("top", "interface_position", "where the species rises above the level"),
        ("bottom", "interface_position", "where the species falls below the level"),
        ("thickness", "layer_thickness", "from top to bottom"),
    ):
        names = {
            name: name.capitalize(),
            f"{name}_stderr": f"Standard error of {name}, random part",
        }
        for one, long_name in names.items():
            answer[one] = profiles.with_attrs(
                part[one], term, units_=profiles.axis_units, long_name=long_name, description=text
            )
    answer["status"] = profiles.status(part["status"].astype(int))
    coords = {} if limit is None else {"detection_limit": limit.variable}
    return profiles.dataset(answer, coords=coords)
