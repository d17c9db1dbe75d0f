"""Depths at which profiles cross a level: all of them, and one of them as the junction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, TypedDict, get_args

import numpy as np
import xarray as xr

from sims_analysis import vocabulary
from sims_analysis.analysis.detection import stated_limit
from sims_analysis.errors import (
    AmbiguousJunctionWarning,
    JunctionError,
    Parts,
    ProfileError,
    warnings_as_errors,
)
from sims_analysis.frame.background import stated_error, subtracted_level
from sims_analysis.frame.call import recorded
from sims_analysis.frame.evidence import GapPolicy, resolve
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.messages import Doubt, FirstFlagged, first_flagged
from sims_analysis.frame.opening import open_at_level
from sims_analysis.frame.resolution import resolution_error
from sims_analysis.frame.run import codes, elementwise, words
from sims_analysis.kernels import crossings as kernels
from sims_analysis.kernels.blocks import BLOCK, LONG
from sims_analysis.kernels.edges import Locate
from sims_analysis.kernels.evidence import Support
from sims_analysis.kernels.levels import FALLING, RISING
from sims_analysis.outcomes import Status
from sims_analysis.text.arguments import check_bool, check_choice, check_count
from sims_analysis.units import ParameterLike

#: Words of the kernels' directions: 0, 1 and, at the end, -1.
_DIRECTIONS = ("", "rising", "falling")
_UNITY = xr.Variable((), 1.0)

Edge = Literal["trailing", "leading", "any"]


class JunctionOptions(TypedDict, total=False):
    """Options of :func:`junction_depth` that other functions pass on."""

    edge: Edge
    which: Literal["deepest", "first"] | int
    after: ParameterLike | None
    confirm: int
    locate: Locate
    detection_limit: ParameterLike | None


_EDGES = {"trailing": FALLING, "leading": RISING, "any": 0}
_WHICH = {"deepest": -1, "first": 1}


@recorded
def crossings(
    data: xr.Dataset | xr.DataArray,
    level: ParameterLike | Mapping[str, ParameterLike],
    *,
    max_count: int | None = None,
    locate: Locate = "auto",
    variable: str | None = None,
    gaps: GapPolicy = "flag",
) -> xr.Dataset:
    """Find every depth at which the profiles cross a level.

    Not to be trusted beside kinks, below three times a noise floor, or, without standard errors,
    where counts are few: noise makes crossings of its own.

    Parameters
    ----------
    data : Dataset or DataArray
        Over depth, or sputter time; the unit of `level` selects the variable of a Dataset.
    level : str, Quantity, DataArray or mapping
        ``"1e18 atoms/cm^3"``, ``"1e4 counts/s"``...; one for all, each profile, or each species.
        Further dimensions of a DataArray become those of the result; its coordinate ``stderr`` is a
        part of the error. A profile whose level is NaN has no data.
    max_count : int, optional
        Crossings to keep for each profile; by default all. Required for Dask data.
    locate : {"auto", "fit", "crossing"}
        Of data with standard errors: ``"crossing"`` interpolates between the two samples at a
        crossing, ``"fit"`` fits the samples around it, ``"auto"`` does the latter where noise moves
        the former.
    variable : str, optional
        The variable of a Dataset, if several have the unit of the level.
    gaps : {"flag", "bridge"}
        Whether a crossing in a gap has no depth, or is interpolated; see :func:`integrated_dose`.

    Returns
    -------
    Dataset
        Over the dimensions of the data without depth, and ``crossing``, in order of depth; unused
        entries are NaN and ``""``. Over sputter time, ``sputter_time...`` takes the place of
        ``depth...``, and all is in ``s``.

        - ``depth``, ``stderr`` (``nm``): the latter NaN where the data carry no standard errors
        - ``raw_crossing`` (``nm``), where they do: the depth between the two samples
        - ``direction``: ``"falling"`` or ``"rising"`` with depth
        - ``decay_length`` (``nm`` per factor e): of the edge, or between the bracketing samples
        - ``depth_before``, ``depth_after`` (``nm``): the bracketing samples, or both the one beside
          samples given as ``<5E15``
        - ``status``: ``ok``; with a depth, ``saturated``; without one, ``gap``, ``below_limit``
          (among samples given as ``<5E15``, with which the record may begin or end), and
          ``undetermined`` where its interval is wider than the record. The first entry of a
          profile without a crossing gives the reason: ``never_reached``, ``always_above``,
          ``truncated``, ``no_data``, ``undetermined`` where noise can make all, or one of the
          others
        - ``count``, a coordinate: number of crossings, including those beyond `max_count`; and
          ``detection_limit``, where a file gives samples as ``<5E15``

    Raises
    ------
    UnitsError
        If the level has no unit, or one that no variable of the data has.
    ProfileError
        If `max_count` is not given for Dask data.

    Notes
    -----
    Between samples ln C is linear: ``t = ln(L / c0) / ln(c1 / c0)``; C is, where an end or the
    level is not positive. Touching the level is not crossing it; passing through samples at the
    level is crossing it at the first of them. Averages over cells are taken back to points.

    **With standard errors**, crossings that noise can make are left out: a run of samples between
    two crossings counts if ``|sum(c - L)|`` exceeds four standard errors; the least certain run
    joins its neighbours, again and again. To the smallest window that tells the two sides apart,
    ``ln(C / L) = A + B z + D z^2 / 2`` is fitted by maximum likelihood. Only two samples that
    differ by more than a factor of e, and by eight standard errors, have the crossing between them,
    with ``stderr = lambda sqrt([(1 - t) s0 / c0]^2 + [t s1 / c1]^2)``. With ``locate="crossing"``,
    ``stderr`` is half of the 68 % interval about that depth.

    Errors (*What stated errors cover*, on the site) are without ``depth_scale_uncertainty``.
    Restored profiles of the resolution R have ``0.35 R exp[-(lambda / R)^2]`` more; for two edges
    nearer than R (2.5 R about a valley) that is too little.

    References
    ----------
    W. Cash, Astrophys. J. 228 (1979) 939, for the likelihood of the counts about a crossing.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> edge = sims.crossings(ds, level="1e18 atoms/cm^3").sel(species="B", crossing=0)
    >>> print(f"{edge['depth'].item():.1f} nm, {edge['direction'].item()}")
    161.9 nm, falling
    """
    check_choice("locate", locate, get_args(Locate))
    selection: Any = {"axes": vocabulary.AXES, "variable": variable, "gaps": gaps}
    frame, levels = open_at_level(data, level, "a crossing", **selection)
    parameters = levels, subtracted_level(frame)
    options: Any = {"dim": "crossing", "max_count": max_count, "where": locate}
    edges = map_all(frame, kernels.table, *parameters, block=_block(frame), **options)
    stderr = _stderr_at(frame, edges, level, levels)
    status = status_of_crossings(frame, edges, "crossing")
    ancillary = _ancillary(frame, edges)
    detection_limit = {name: ancillary.pop(name) for name in {"detection_limit"} & ancillary.keys()}
    results = {
        frame.axis: frame.of_axis(edges.depth, "crossing_depth"),
        "stderr": frame.of_axis(stderr, "crossing_depth_stderr"),
        "decay_length": frame.of_axis(edges.decay_length, "decay_length"),
        **ancillary,
        f"{frame.axis}_before": frame.with_attrs(
            edges.depth_before, frame.axis, long_name="Last sample before the crossing"
        ),
        f"{frame.axis}_after": frame.with_attrs(
            edges.depth_after, frame.axis, long_name="First sample after the crossing"
        ),
        "direction": words(
            edges.direction, _DIRECTIONS, long_name=f"Direction with {frame.axis.replace('_', ' ')}"
        ),
        "status": frame.status(status),
    }
    edges.number.attrs["long_name"] = "Number of crossings"
    return frame.dataset(results, coords={"count": edges.number, **detection_limit})


@recorded
def junction_depth(
    data: xr.Dataset | xr.DataArray,
    level: ParameterLike | Mapping[str, ParameterLike],
    *,
    edge: Edge = "trailing",
    which: Literal["deepest", "first"] | int = "deepest",
    after: ParameterLike | None = None,
    confirm: int = 1,
    locate: Locate = "auto",
    detection_limit: ParameterLike | None = None,
    variable: str | None = None,
    gaps: GapPolicy = "flag",
    strict: bool = False,
) -> xr.DataArray:
    """Return the depth at which each profile crosses a level: ``C(xj) = L``.

    Not to be trusted without standard errors where counts are few: the deepest crossing lies too
    deep, by 3.6 nm at 10 counts, 1 nm steps and a decay length of 15 nm. It is the depth of a
    chemical concentration, not of the electrical junction.

    Parameters
    ----------
    data : Dataset or DataArray
        Profiles over depth, or sputter time; one measurement or a batch.
    level : str, Quantity, DataArray or mapping
        ``"1e18 atoms/cm^3"``; of each species in a mapping, ``{"B": "1e18 atoms/cm^3"}``. There is
        no default.
    edge : {"trailing", "leading", "any"}
        The falling edge, the rising edge, or both.
    which : {"deepest", "first"} or int
        Which of the qualifying crossings; ``"first"`` or 1 is the shallowest, 2 the next.
    after : "peak", str, Quantity or DataArray, optional
        Consider only crossings deeper than the maximum of the profile, or than a depth.
    confirm : int
        Of data without standard errors, number of samples that must lie above the level before the
        crossing, and below it after (the reverse on a rising edge). With standard errors, crossings
        that noise can make are left out instead.
    detection_limit : str, Quantity or DataArray, optional
        A level below it cannot be measured: NaN, with the status ``below_detection``.
    locate, variable, gaps
        As for :func:`crossings`.
    strict : bool
        Raise where there is no junction.

    Returns
    -------
    DataArray
        ``nm`` (``s`` over sputter time), without the depth dimension; NaN where there is no
        junction. Coordinates:

        - ``status``: as for :func:`crossings`; ``never_reached`` also where fewer crossings qualify
          or are confirmed than requested; ``truncated`` where the record ends before the requested
          edge; ``below_detection`` where the level lies below `detection_limit`
        - ``stderr``, ``raw_crossing`` (``nm``): where the data carry standard errors, that of the
          depth, and the depth between the two samples of the crossing
        - ``n_crossings``: number of crossings that qualified
        - ``decay_length`` (``nm`` per factor e): at the junction

        Where a file gives samples as ``<5E15``, the coordinate ``detection_limit`` is their limit.

    Raises
    ------
    UnitsError
        If the level has no unit, or one that no variable of the data has.
    JunctionError
        With `strict`, where there is no junction.

    Warns
    -----
    AmbiguousJunctionWarning
        Where several crossings qualify and `which` is ``"deepest"`` (not for Dask data).

    Notes
    -----
    Depth and ``stderr`` are those of :func:`crossings`: with standard errors, of the edge fitted to
    the samples around it.

    References
    ----------
    As for :func:`crossings`.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> ds = sims.with_counting_statistics(ds, value_per_count="1e14 atoms/cm^3")
    >>> xj = sims.junction_depth(ds, level="1e18 atoms/cm^3", after="peak").sel(species="B")
    >>> print(f"{xj.item():.2f} nm +- {xj['stderr'].item():.2f} nm, {xj['status'].item()}")
    161.95 nm +- 0.10 nm, ok
    """
    number = _read_which(which)
    check_choice("edge", edge, _EDGES)
    check_count("confirm", confirm)
    check_choice("locate", locate, get_args(Locate))
    check_bool("strict", strict)
    frame, levels = open_at_level(data, level, "a junction depth", variable=variable, gaps=gaps)
    parameters = [levels, subtracted_level(frame)]
    if after is not None or detection_limit is not None:
        parameters.append(stated_limit(frame, detection_limit)[0])
    if after is not None:
        parameters.append(_read_after(frame, after))
    options: Any = {"edge": _EDGES[edge], "which": number, "confirm": confirm, "where": locate}
    options |= {"bridge": bool(frame.bridge), "errors": frame.fitted, "block": _block(frame)}
    edges = frame.map(kernels.junction, *parameters, **options)
    stderr = _stderr_at(frame, edges, level, levels)
    doubts = _doubts_of_several(edges) if which == "deepest" else []
    keywords: Any = {"strict": strict, "level": levels}
    status = status_of_crossings(frame, edges, "junction", doubts, **keywords)
    edges.number.attrs["long_name"] = "Crossings that qualified"
    coords = {
        "n_crossings": edges.number,
        "decay_length": frame.with_attrs(edges.decay_length, "decay_length"),
        **_ancillary(frame, edges),
    }
    errors = None if frame.stderr is None else stderr
    keywords = {"status": status, "stderr": errors, "coords": coords}
    return frame.array(edges.depth, "junction_depth", **keywords)


def _block(frame: Frame) -> int:
    """Return the number of samples in a block; with errors, a block takes more memory."""
    return LONG if frame.stderr is None else BLOCK


def _read_after(frame: Frame, after: Any) -> xr.Variable:
    """Read the depth below which a junction is searched for; NaN for that of the maximum."""
    at_peak = isinstance(after, str) and after == "peak"
    if isinstance(after, str) and not any(map(str.isdigit, after)) and not at_peak:
        raise ProfileError(
            f'after={after!r}; expected "peak", or a depth such as "50 nm"', argument="after"
        )
    return frame.parameter(None if at_peak else after, ("depth",), "after", unknown=np.inf)


def _read_which(which: Any) -> int:
    if isinstance(which, str) and which in _WHICH:
        return _WHICH[which]
    if isinstance(which, int | np.integer) and not isinstance(which, bool) and which >= 1:
        return int(which)
    raise ProfileError(
        f'which={which!r}; expected "deepest", "first", or a whole number: 1 for the shallowest, 2 '
        "for the next, and so on",
        argument="which",
    )


def _doubts_of_several(edges: Any) -> list[Doubt]:
    """Return the warning of profiles with several crossings, of which the deepest is taken."""
    if codes(edges.number) <= {0, 1}:
        return []

    def text(first: FirstFlagged) -> str:
        return (
            f"{first.of(edges.number):.0f} crossings qualify as the junction; the deepest was taken"
        )

    remedy = "narrow the choice with after= or confirm=, or give the number of one as which="
    return [Doubt(edges.number > 1, Status.OK, text, {"remedy": remedy}, AmbiguousJunctionWarning)]


def status_of_crossings(
    frame: Frame,
    edges: Any,
    noun: str,
    doubts: Iterable[Doubt] = (),
    *,
    strict: bool = False,
    level: xr.Variable | None = None,
) -> xr.Variable:
    """Return the statuses of crossings, which messages call `noun`; `strict` raises if none."""
    what = f"no depth is given for a {noun} in it"
    joint = [*_doubts_of_missing(frame, edges), *doubts]
    with warnings_as_errors(JunctionError, ("undetermined",) if strict else ()):
        window = edges.start, edges.stop
        status = resolve(frame, edges.status, Support(edges.flags), window, what=what, doubts=joint)
    entry = status.isel({d: 0 for d in status.dims if d not in edges.number.dims})
    first = first_flagged(frame, entry != Status.OK) if strict else None
    if first is None:
        return status
    word = vocabulary.STATUS[int(first.of(entry))]
    place, reason = "", word.replace("_", " ")
    limit = frame.highest_limit
    if level is not None:
        if limit is not None and word == Status.BELOW_LIMIT.word:
            reason += f" (those without a value are below {frame.shown(first.of(limit))})"
        place = f" at {frame.shown(first.of(level))}"
        reason += f"; the maximum is {frame.shown(first.of(frame.value.max(frame.dim)))}"
    raise first.error(f"no {noun}{place}: {reason}", JunctionError, code=word)


def _doubts_of_missing(frame: Frame, edges: Any) -> list[Doubt]:
    """Return the warnings of crossings that may exist, and have no depth."""
    doubts, present = [], codes(edges.status)
    if Status.BELOW_LIMIT in present and not frame.bridge:
        # Without a crossing, a level below a limit needs no warning.
        below = (edges.status == Status.BELOW_LIMIT) & (edges.number > 0)
        text = "a deeper crossing may lie among samples below their limit of detection"
        doubts.append(Doubt(below, Status.BELOW_LIMIT, text))
    if Status.UNDETERMINED in present:
        dims = {*edges.status.dims} - {*edges.number.dims}
        noise = (edges.status == Status.UNDETERMINED).any(dims) & (edges.number == 0)

        def of_noise(first: FirstFlagged) -> str:
            return (
                f"noise can make its {first.of(edges.raw_number):.0f} crossings of the level; "
                "their depths are undetermined"
            )

        code: Parts = {"code": "undetermined"}
        doubts.append(Doubt(noise & (edges.raw_number > 0), None, of_noise, code))
    return doubts


def stderr_of_crossings(
    frame: Frame, edges: Any, *errors: xr.Variable | None, part: Any = _UNITY
) -> xr.Variable:
    """Return the standard errors of crossings, with errors that samples have in common.

    Such `errors`, of the background and of the level, move the edge by the error over its
    steepness. Steep restored profiles are known to the achieved resolution: of several that meet
    there, each with its `part`, the one with the least error counts.
    """
    stderr = edges.stderr
    if frame.achieved is not None and frame.stderr is not None:
        width = resolution_error(frame, edges.depth, edges.decay_length, edges.steepness / part)
        stderr = width.min(part.dims)
    for error in errors:
        if error is not None:
            stderr = elementwise(np.hypot, stderr, error / edges.steepness)
    in_order: xr.Variable = stderr.transpose(*edges.depth.dims)
    return in_order


def _stderr_at(frame: Frame, edges: Any, level: Any, levels: xr.Variable) -> xr.Variable:
    """Return the standard errors of crossings of a level, with those of background and scale."""
    background = None if frame.common is None else frame.common.mean(frame.dim)
    scale = None if frame.repeatability is None else frame.repeatability * levels
    return stderr_of_crossings(frame, edges, stated_error(frame, level, "level"), background, scale)


def _ancillary(frame: Frame, edges: Any) -> dict[str, xr.Variable]:
    """Return the depths of crossings between their two samples, and the limits of detection."""
    coords = {}
    if frame.stderr is not None:
        coords["raw_crossing"] = frame.of_axis(edges.raw_depth, "raw_crossing")
    if (highest := frame.highest_limit) is not None:
        coords["detection_limit"] = frame.with_attrs(highest, "detection_limit", units_=frame.units)
    return coords


#: Entries of the first search, if their number is not given.
FIRST_WIDTH = 8


def map_all(
    frame: Frame,
    kernel: Callable[..., Any],
    *parameters: xr.Variable,
    dim: str,
    max_count: int | None,
    **options: Any,
) -> Any:
    """Run a kernel with any number of results along `dim`, and keep all or `max_count`."""
    if max_count is not None:
        check_count("max_count", max_count)
    elif frame.lazy:
        raise ProfileError(
            f"for Dask data, give the number of {dim}s to keep for each profile: max_count=...",
            argument="max_count",
        )
    options = {"errors": frame.fitted, "extra": (dim,), "bridge": bool(frame.bridge), **options}
    table: Any = frame.map(kernel, *parameters, width=max_count or FIRST_WIDTH, **options)
    count = int(table.number.values.max(initial=1)) if max_count is None else FIRST_WIDTH
    if count > FIRST_WIDTH:
        return frame.map(kernel, *parameters, width=count, **options)
    if max_count is not None:
        return table
    fields = (  # along their last dimension, if they have it
        xr.Variable(f.dims, f.data[..., :count]) if dim in f.dims else f for f in table
    )
    return type(table)(*fields)
