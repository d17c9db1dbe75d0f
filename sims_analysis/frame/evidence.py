"""Evidence on samples besides their values: for the status of answers, and kept by corrections.

:func:`resolve` gives the status of an answer from the samples it rests on (:meth:`Frame.evaluate`).
Corrections keep the evidence: :func:`sample_evidence` of the same samples, :func:`at` at other
places, :func:`union` of several, and :func:`evidence_coords` as coordinates.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial, reduce
from typing import Any, Literal, NamedTuple

import numpy as np
import xarray as xr

from sims_analysis import vocabulary
from sims_analysis.errors import ProfileWarning, SimsWarning
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.messages import Doubt, FirstFlagged, first_flagged, warn_of_empty_window
from sims_analysis.frame.opening import open_frame
from sims_analysis.frame.run import codes, elementwise, is_lazy, is_nan, may_hold, replaced_where
from sims_analysis.frame.window import NO_LIMITS, Window
from sims_analysis.kernels import blocks
from sims_analysis.kernels import evidence as kernels
from sims_analysis.kernels.evidence import Support
from sims_analysis.kernels.rows import changed
from sims_analysis.outcomes import GAP, KINDS, Flag, Kind, Status
from sims_analysis.units import Data, quantified_variable

GapPolicy = Literal["flag", "bridge"]

#: What ``gaps="bridge"`` accepts.
_BRIDGED = GAP | Flag.BELOW_LIMIT
#: The part of a sum that may be due to samples below their limit of detection.
_NOTABLE = 0.01


def support_of_window(frame: Frame, window: Window, use: kernels.Use = "curve") -> Support:
    """Return the support of an answer about a window, without a kernel; NaN for no limit."""
    start, stop = (
        end.fillna(infinity) for end, infinity in zip(window, (-np.inf, np.inf), strict=True)
    )
    support: Support = frame.map(partial(kernels.support, use=use), start, stop)
    return support


def resolve(
    frame: Frame,
    status: xr.Variable,
    support: Support,
    window: Window = NO_LIMITS,
    *,
    what: str = "",
    sum_of: xr.Variable | None = None,
    stderr: xr.Variable | None = None,
    doubts: Iterable[Doubt] = (),
    requested: Window = NO_LIMITS,
    category: type[SimsWarning] | None = ProfileWarning,
) -> xr.Variable:
    """Return the status of answers by their kernel, support and doubts, and warn of it.

    With a value that of the highest rank of :class:`sims_analysis.outcomes.Status`, without one the
    kernel's. Messages name the `window`, and `what` an answer across a gap is. A frame may
    accept gaps and samples below a limit. A sum, `sum_of`, rests on the latter if their widths
    times limits exceed its `stderr` and 1 %. Warnings name `requested` windows that hold no
    sample; without a `category` there are none.
    """
    of_kernel, doubts = status, list(doubts)
    evidence = list(_evidence(frame, support, sum_of, stderr))
    for doubt in (*evidence, *doubts):
        status = _ranked(status, doubt)
    if category is None:
        return status
    if requested is not NO_LIMITS and Status.NO_DATA in codes(of_kernel):
        warn_of_empty_window(frame, requested, of_kernel == Status.NO_DATA)
    if evidence:
        raised = replaced_where(status == of_kernel, status, Status.OK)
        _warn_of_evidence(frame, raised, window, what, category)
    for doubt in doubts:
        stays = doubt.status is Status.OK
        flagged = doubt.flagged & (status == Status.OK) if stays else doubt.flagged
        changed(doubt, flagged=flagged).warn(frame, category)
    return status


def _evidence(
    frame: Frame, support: Support, sum_of: xr.Variable | None, stderr: xr.Variable | None
) -> Iterator[Doubt]:
    """Yield the doubts about answers that rest on samples of some kind."""
    flags = support.flags
    present = ~0 if is_lazy(flags) else int(np.bitwise_or.reduce(flags.data, axis=None))
    for status, kind in _WITH_STATUS:
        if not present & kind.flags or (frame.bridge and kind.flags & _BRIDGED):
            continue
        flagged = (flags & np.int16(kind.flags)) != 0
        if sum_of is not None:
            flagged = flagged & ~is_nan(sum_of)
        if kind.flags & Flag.BELOW_LIMIT and sum_of is not None:
            threshold: Any = _NOTABLE * abs(sum_of)
            if stderr is not None:
                threshold = np.maximum(threshold, stderr.fillna(0.0))
            flagged = flagged & (support.below > threshold)
        yield Doubt(flagged, status)


def worse(first: Any, second: Any) -> Any:
    """Return the worse of two statuses: one of answers without a value, or the higher rank."""
    return elementwise(_worse, first, second, dtype=np.uint8)


def _worse(a: Any, b: Any) -> Any:
    return np.where(_RANKS[a] >= _RANKS[b], a, b)


#: A status without a rank says that there is no value.
_RANKS = np.array([status.rank or np.inf for status in Status])


def _ranked(status: xr.Variable, doubt: Doubt) -> xr.Variable:
    """Replace statuses of doubtful answers that have a value by one of higher rank."""
    flagged, new = doubt.flagged, doubt.status
    if not new or not may_hold(flagged):
        return status
    ranked: xr.Variable = elementwise(partial(_raised, int(new)), status, flagged, dtype=np.uint8)
    return ranked


def _raised(new: int, status: Any, flagged: Any) -> Any:
    return np.where(flagged & (_RANKS[new] > _RANKS[status]), np.uint8(new), status)


#: The kinds of evidence that have a status.
_WITH_STATUS = tuple((kind.status, kind) for kind in KINDS if kind.status is not None)


def material_support(
    frame: Frame,
    support: Support,
    values: xr.Variable,
    stderr: xr.Variable,
    answer: Callable[[Frame], xr.Variable],
    over: str | tuple[()] = (),
) -> Support:
    """Return the support of answers, without samples below a limit that do not change them.

    Samples matter if some answer along `over`, with them at 0 or at their limit, changes by more
    than its error and 1 % of it (of 1, if it is less).
    """
    if frame.limit is None:
        return support
    plain = replace(frame, stderr=None, counts=None, common=None, overlap=None, limit=None)
    below = frame.value.isnull() & frame.limit.notnull()
    if frame.flags is not None:  # values that were made of such samples
        below = below | ((frame.flags & np.int16(Flag.BELOW_LIMIT)) != 0) & frame.limit.notnull()
    threshold: Any = np.maximum(stderr.fillna(0.0), _NOTABLE * abs(values).clip(min=1.0))
    matters: Any = False
    for instead in (0.0, frame.limit):
        shifted = answer(replace(plain, value=frame.value.where(~below, instead)))
        matters = matters | (abs(shifted - values) > threshold)
    flags = support.flags.where(matters.any(over), support.flags & ~Flag.BELOW_LIMIT)
    return changed(support, flags=flags.astype(np.int16))


def anywhere_along(flags: xr.Variable, over: str) -> xr.Variable:
    """Combine the flags of all samples along a dimension."""
    bits: Any = (((flags & flag) != 0).any(over).astype(np.int16) * np.int16(flag) for flag in Flag)
    joined: xr.Variable = reduce(operator.or_, bits)
    return joined


def _warn_of_evidence(
    frame: Frame, status: xr.Variable, window: Window, what: str, category: type[SimsWarning]
) -> None:
    """Warn of the first answer of each status that evidence gives."""
    present = codes(status)
    for code, kind in _WITH_STATUS:
        first = first_flagged(frame, status == code) if code in present else None
        if first is None:
            continue
        bridged = frame.bridge is not None and kind.flags & _BRIDGED
        text, place = _describe(kind, first, window, what)
        remedy = code.advice if bridged else ""
        first.warn(text, category, code=code.word, where=place, remedy=remedy)


def _describe(
    kind: Kind, first: FirstFlagged, window: Window, what: str
) -> tuple[str, dict[str, object]]:
    """Describe the longest run of samples of a kind, in the window if there is one in it."""
    ends = (end.isel(first.index, missing_dims="ignore").values for end in window)
    a, b = (float(np.ravel(end)[0]) for end in ends)  # of a group of profiles, the first
    # The species of a group may have the same gap.
    by_place = {(run.low, run.high): run for run in runs_of(first.alone) if run.flag & kind.flags}
    runs = list(by_place.values())
    inside = [run for run in runs if not (run.high <= a or run.low >= b)] or runs
    frame = first.frame
    if not inside:
        return kind.meaning + (f"; {what}" if what else ""), {}
    run = max(inside, key=lambda r: r.last - r.first)
    rest = len(inside) - 1
    elsewhere = f" and in {rest} more place{'s' * (rest > 1)}" if rest else ""
    fields = run._asdict() | {
        "height": "" if np.isnan(run.height) else f", {frame.shown(run.height)}",
        "width": run.high - run.low,
        "meaning": kind.meaning,
        "axis_units": frame.axis_units,
    }
    text = kind.text.format(**fields, more=elsewhere, what=what)
    place = {"start": run.low, "stop": run.high}
    return text.removesuffix("; "), {k: f"{z:g} {frame.axis_units}" for k, z in place.items()}


class Run(NamedTuple):
    """A run of marked samples (:class:`.rows.Marks`) of the profile at a flat place."""

    profile: int
    flag: int
    first: float
    last: float
    low: float
    high: float
    height: float


def runs_of(frame: Frame) -> Iterator[Run]:
    """Yield all that is known of the samples of a frame, profile by profile; it is computed.

    Runs of a kind that meet are joined: gaps between the depths of a grid that bridges one, or
    flags of the data and of the values.
    """
    frame.measured()  # refuses infinite samples
    samples = {name: np.asarray(column.data) for name, column in frame.samples().items()}
    flat = blocks.flat(samples)
    runs: list[Run] = []
    for index, rows in blocks.layouts(flat):
        marks = kernels.marks(rows)
        if marks is None:
            continue
        profiles = np.arange(len(flat["value"]))[index][marks.row]
        columns = (column.tolist() for column in (profiles, *marks[1:-1]))
        for profile, flag, first, last, low, high, height in zip(*columns, strict=True):
            begin, end = first if np.isnan(low) else low, last if np.isnan(high) else high
            runs.append(Run(profile, flag, first, last, begin, end, height))
    runs.sort(key=lambda run: (run.profile, run.flag, run.first))
    joined: list[Run] = []
    for run in runs:
        before = joined[-1] if joined else None
        if before and before[:2] == run[:2] and run.first <= before.last:
            last = max(before, run, key=lambda r: r.last)
            joined[-1] = changed(before, last=last.last, high=last.high)
        else:
            joined.append(run)
    yield from sorted(joined, key=lambda run: (run.profile, run.first, run.flag))


class Evidence(NamedTuple):
    """The evidence on samples: flags, and limits of those below one; None for nothing."""

    flags: xr.Variable | None = None
    limit: xr.Variable | None = None
    #: Of samples at other places, which have no value: in a gap, or among those below a limit.
    blank: xr.Variable | None = None


NO_EVIDENCE = Evidence()


def sample_evidence(frame: Frame) -> Evidence:
    """Return the evidence on the samples of a frame: flags of the data, and of their values."""
    flags: Any = frame.map(kernels.flags_from_values, extra=(frame.dim,)).value
    if frame.flags is not None:
        flags = flags | frame.flags
    if frame.limit is not None:
        below = frame.limit.notnull() & frame.value.isnull()
        flags = flags | xr.where(below, np.int16(Flag.BELOW_LIMIT), np.int16(0))
    return _unless_empty(Evidence(flags.astype(np.int16), frame.limit))


def with_flags(frame: Frame) -> Frame:
    """Return the frame with all evidence on its samples among its flags."""
    return replace(frame, flags=sample_evidence(frame).flags)


def _unless_empty(evidence: Evidence) -> Evidence:
    """Return the evidence, or none if no sample is flagged; all of it on Dask."""
    empty = evidence.flags is None or not may_hold(evidence.flags)
    return NO_EVIDENCE if empty else evidence


def union(*parts: Evidence) -> Evidence:
    """Join evidence on the same samples, of which one part has limits."""
    flags: list[Any] = [part.flags for part in parts if part.flags is not None]
    limits = (part.limit for part in parts if part.limit is not None)
    return _unless_empty(
        Evidence(reduce(operator.or_, flags) if flags else None, next(limits, None))
    )


def scale_in_doubt(frame: Frame, status: xr.Variable) -> Evidence:
    """Flag all samples of profiles that a factor with a status other than ``ok`` multiplied."""
    doubtful = xr.where(status == Status.OK, np.int16(0), np.int16(Flag.SCALE_IN_DOUBT))
    flags = doubtful.astype(np.int16).set_dims({**frame.value.sizes})
    return _unless_empty(Evidence(flags.transpose(*frame.value.dims)))


def at(
    frame: Frame,
    lower: xr.Variable,
    upper: xr.Variable | None = None,
    *,
    reach: int = 1,
    dim: str,
    axis: bool = True,
) -> Evidence:
    """Return the evidence at other places, from `lower` to `upper` along `dim`.

    Each rests on the samples in it and on `reach` more to both sides: 1 for straight lines, 2 and 3
    for splines. On an ordered `axis`, the places next to a gap have its flags.
    """
    result = frame.map(
        kernels.at_places,
        lower,
        lower if upper is None else upper,
        whole=(dim,),
        extra=(dim,),
        reach=reach,
        axis=axis,
    )
    return _unless_empty(
        Evidence(result.flags, None if frame.limit is None else result.limit, result.blank)
    )


def at_samples(frame: Frame, lower: xr.Variable, upper: xr.Variable) -> Evidence:
    """Return the evidence on samples that each rest on those within an interval about it."""
    dims = (*frame.lead, frame.dim)
    samples = xr.Variable(dims, frame.value.data)
    first, last = frame.depth.min(frame.dim), frame.depth.max(frame.dim)
    within: Any = np.maximum(lower, first), np.minimum(upper, last)
    edges = [edge.set_dims(samples.sizes).transpose(*dims).data for edge in within]
    places = (xr.Variable((*frame.lead, _PLACES), edge) for edge in edges)
    evidence = at(with_flags(frame), *places, dim=_PLACES)
    along = (None if edge is None else xr.Variable(dims, edge.data) for edge in evidence[:2])
    return Evidence(*along)


#: Dimension of places: a name that no dimension of a user has.
_PLACES = "__places__"


def with_evidence(data: Data) -> Data:
    """Return data, in canonical units, that carry all that is known of their samples.

    Corrections begin with it: what values show may be lost afterwards.
    """
    coords: dict[str, xr.Variable] = {}
    names = [data.name] if isinstance(data, xr.DataArray) else data.data_vars
    for name in [name for name in vocabulary.MEASURED if name in names]:
        options: Any = {"axes": vocabulary.AXES, "variable": name, "as_they_are": True}
        frame = open_frame(data, vocabulary.kinds(name), question="evidence", **options)
        if frame.lazy:  # a profile must be in one chunk
            frame = replace(frame, value=frame.value.chunk({frame.dim: -1}))
        dims = data[name].dims if isinstance(data, xr.Dataset) else data.dims
        evidence = changed(sample_evidence(frame), limit=None)  # limits stay in their own unit
        coords |= evidence_coords(frame.name, evidence, frame.units, dims)
    result: Data = data.assign_coords(coords) if coords else data
    return result


def evidence_coords(
    name: str,
    evidence: Evidence,
    units: str,
    dims: tuple[Any, ...] | None = None,
    *,
    quantified: bool = False,
) -> dict[str, xr.Variable]:
    """Return coordinates with the evidence on samples; `quantified`: limits as Quantities."""
    coords: dict[str, xr.Variable] = {}
    for end, values in ((vocabulary.QUALITY, evidence.flags), (vocabulary.LIMIT, evidence.limit)):
        if evidence.flags is None or values is None:
            continue
        ordered = values if dims is None else values.transpose(*dims)
        attrs = vocabulary.ancillary_attrs(name, end, units)
        column = xr.Variable(ordered.dims, ordered.data, attrs)
        limits = quantified and end == vocabulary.LIMIT
        coords[f"{name}_{end}"] = quantified_variable(column) if limits else column
    return coords
