"""What is known of samples next to their values: in statuses of answers, and kept by corrections.

:func:`resolve` gives the status of an answer from what it rests on (:meth:`Frame.ask`).
Corrections keep what is known of samples: :func:`sample_evidence` where they stay, :func:`at` at
other places, :func:`union` of several, and :func:`evidence_coords` as coordinates.
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
from sims_analysis.frame.run import codes, is_lazy, is_nan, may_hold, replaced_where
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
    """Return what an answer about a window rests on, without a kernel; NaN for no limit."""
    start, stop = (
        end.fillna(beyond) for end, beyond in zip(window, (-np.inf, np.inf), strict=True)
    )
    found: Support = frame.map(partial(kernels.support, use=use), start, stop)
    return found


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
    asked: Window = NO_LIMITS,
    category: type[SimsWarning] | None = ProfileWarning,
) -> xr.Variable:
    """Return the status of answers by their kernel, what they rest on and doubts, and warn of it.

    With a value that of the highest rank of :class:`sims_analysis.outcomes.Status`, without one the
    kernel's. Messages name the `window`, and `what` an answer across a gap is. A frame may
    accept gaps and samples below a limit. A sum, `sum_of`, rests on the latter if their widths
    times limits exceed its `stderr` and 1 %. Warnings name windows that were `asked` for and hold
    no sample; without a `category` there are none.
    """
    of_kernel, doubts = status, list(doubts)
    evidence = list(_evidence(frame, support, sum_of, stderr))
    for doubt in (*evidence, *doubts):
        status = _ranked(status, doubt)
    if category is None:
        return status
    if asked is not NO_LIMITS and Status.NO_DATA in codes(of_kernel):
        warn_of_empty_window(frame, asked, of_kernel == Status.NO_DATA)
    if evidence:
        rests = replaced_where(status == of_kernel, status, Status.OK)
        _warn_of_evidence(frame, rests, window, what, category)
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
            enough: Any = _NOTABLE * abs(sum_of)
            if stderr is not None:
                enough = np.maximum(enough, stderr.fillna(0.0))
            flagged = flagged & (support.below > enough)
        yield Doubt(flagged, status)


def worse(one: Any, other: Any) -> Any:
    """Return the status of answers that rest on two data: that which says that there is none.

    Or else that of the higher rank.
    """
    return xr.apply_ufunc(_worse, one, other, dask="parallelized", output_dtypes=[np.uint8])


def _worse(a: Any, b: Any) -> Any:
    return np.where(_RANKS[a] >= _RANKS[b], a, b)


#: A status without a rank says that there is no value.
_RANKS = np.array([status.rank or np.inf for status in Status])


def _ranked(status: xr.Variable, doubt: Doubt) -> xr.Variable:
    """Replace statuses of answers that have a value by one of higher rank, where it is in doubt."""
    flagged, own = doubt.flagged, doubt.status
    if not own or not may_hold(flagged):
        return status
    found: xr.Variable = worse(status, xr.where(flagged, own, Status.OK))
    return found


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
    """Return what answers rest on, without samples below a limit that do not change them.

    Between 0 and their limit, one of those joined along `over` changes by more than its error and
    1 % of it (of 1, if it is less).
    """
    if frame.limit is None:
        return support
    plain = replace(frame, stderr=None, counts=None, common=None, overlap=None, limit=None)
    below = frame.value.isnull() & frame.limit.notnull()
    if frame.flags is not None:  # values that were made of such samples
        below = below | ((frame.flags & np.int16(Flag.BELOW_LIMIT)) != 0) & frame.limit.notnull()
    enough: Any = np.maximum(stderr.fillna(0.0), _NOTABLE * abs(values).clip(min=1.0))
    matter: Any = False
    for instead in (0.0, frame.limit):
        moved = answer(replace(plain, value=frame.value.where(~below, instead)))
        matter = matter | (abs(moved - values) > enough)
    flags = support.flags.where(matter.any(over), support.flags & ~Flag.BELOW_LIMIT)
    return changed(support, flags=flags.astype(np.int16))


def anywhere_along(flags: xr.Variable, over: str) -> xr.Variable:
    """Return what is flagged anywhere along a dimension."""
    each: Any = (((flags & flag) != 0).any(over).astype(np.int16) * np.int16(flag) for flag in Flag)
    joined: xr.Variable = reduce(operator.or_, each)
    return joined


def _warn_of_evidence(
    frame: Frame, status: xr.Variable, window: Window, what: str, category: type[SimsWarning]
) -> None:
    """Warn of the first answer of each status that is one of evidence."""
    present = codes(status)
    for own, kind in _WITH_STATUS:
        first = first_flagged(frame, status == own) if own in present else None
        if first is None:
            continue
        bridged = frame.bridge is not None and kind.flags & _BRIDGED
        text, place = _described(kind, first, window, what)
        remedy = own.advice if bridged else ""
        first.warn(text, category, code=own.word, where=place, remedy=remedy)


def _described(
    kind: Kind, first: FirstFlagged, window: Window, what: str
) -> tuple[str, dict[str, object]]:
    """Say what and where the longest run of such samples is, in a window if there are any."""
    ends = (end.isel(first.index, missing_dims="ignore").values for end in window)
    a, b = (float(np.ravel(one)[0]) for one in ends)  # of several that answer together, the first
    # Species that are asked together may have the same gap.
    found = {(run.low, run.high): run for run in runs_of(first.alone) if run.flag & kind.flags}
    every = list(found.values())
    inside = [run for run in every if not (run.high <= a or run.low >= b)] or every
    frame = first.frame
    if not inside:
        return kind.meaning + (f"; {what}" if what else ""), {}
    run = max(inside, key=lambda one: one.last - one.first)
    others = len(inside) - 1
    more = f" and in {others} more place{'s' * (others > 1)}" if others else ""
    fields = run._asdict() | {
        "height": "" if np.isnan(run.height) else f", {frame.shown(run.height)}",
        "width": run.high - run.low,
        "meaning": kind.meaning,
        "axis_units": frame.axis_units,
    }
    text = kind.text.format(**fields, more=more, what=what)
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

    Runs of a kind that meet are one: gaps between the depths of a grid that bridges one, what is
    carried and seen.
    """
    frame.measured()  # refuses infinite samples
    samples = {name: np.asarray(one.data) for name, one in frame.samples().items()}
    flat = blocks.flat(samples)
    found: list[Run] = []
    for which, rows in blocks.layouts(flat):
        marks = kernels.marks(rows)
        if marks is None:
            continue
        profiles = np.arange(len(flat["value"]))[which][marks.row]
        columns = (column.tolist() for column in (profiles, *marks[1:-1]))
        for profile, flag, first, last, low, high, height in zip(*columns, strict=True):
            begin, end = first if np.isnan(low) else low, last if np.isnan(high) else high
            found.append(Run(profile, flag, first, last, begin, end, height))
    found.sort(key=lambda run: (run.profile, run.flag, run.first))
    joined: list[Run] = []
    for run in found:
        before = joined[-1] if joined else None
        if before and before[:2] == run[:2] and run.first <= before.last:
            last = max(before, run, key=lambda one: one.last)
            joined[-1] = changed(before, last=last.last, high=last.high)
        else:
            joined.append(run)
    yield from sorted(joined, key=lambda run: (run.profile, run.first, run.flag))


class Evidence(NamedTuple):
    """What is known of samples: flags, and limits of those below one; None for nothing."""

    flags: xr.Variable | None = None
    limit: xr.Variable | None = None
    #: Of samples at other places, which have no value: in a gap, or among those below a limit.
    blank: xr.Variable | None = None


NO_EVIDENCE = Evidence()


def sample_evidence(frame: Frame) -> Evidence:
    """Return what is known of the samples of a frame: what they carry, and what values show."""
    flags: Any = frame.map(kernels.flags_from_values, extra=(frame.dim,)).value
    if frame.flags is not None:
        flags = flags | frame.flags
    if frame.limit is not None:
        below = frame.limit.notnull() & frame.value.isnull()
        flags = flags | xr.where(below, np.int16(Flag.BELOW_LIMIT), np.int16(0))
    return _known_or_nothing(Evidence(flags.astype(np.int16), frame.limit))


def with_flags(frame: Frame) -> Frame:
    """Return the frame with all that is known of its samples among what they carry."""
    return replace(frame, flags=sample_evidence(frame).flags)


def _known_or_nothing(one: Evidence) -> Evidence:
    """Return what is known, or that nothing is; on Dask that is not known."""
    nothing = one.flags is None or not may_hold(one.flags)
    return NO_EVIDENCE if nothing else one


def union(*parts: Evidence) -> Evidence:
    """Join what is known of the same samples, of which one part has limits."""
    flags: list[Any] = [one.flags for one in parts if one.flags is not None]
    limits = (one.limit for one in parts if one.limit is not None)
    return _known_or_nothing(
        Evidence(reduce(operator.or_, flags) if flags else None, next(limits, None))
    )


def scale_in_doubt(frame: Frame, status: xr.Variable) -> Evidence:
    """Return that all samples were multiplied by what has a status other than ``ok``."""
    doubtful = xr.where(status == Status.OK, np.int16(0), np.int16(Flag.SCALE_IN_DOUBT))
    flags = doubtful.astype(np.int16).set_dims({**frame.value.sizes})
    return _known_or_nothing(Evidence(flags.transpose(*frame.value.dims)))


def at(
    frame: Frame,
    lower: xr.Variable,
    upper: xr.Variable | None = None,
    *,
    reach: int = 1,
    dim: str,
    axis: bool = True,
) -> Evidence:
    """Return what is known at other places, from `lower` to `upper` along `dim`.

    Each rests on the samples in it and on `reach` more to both sides: 1 for straight lines, 2 and 3
    for splines. On an `axis`, in order, the neighbours of gaps have their sides.
    """
    found = frame.map(
        kernels.at_places,
        lower,
        lower if upper is None else upper,
        whole=(dim,),
        extra=(dim,),
        reach=reach,
        axis=axis,
    )
    return _known_or_nothing(
        Evidence(found.flags, None if frame.limit is None else found.limit, found.blank)
    )


def at_samples(frame: Frame, lower: xr.Variable, upper: xr.Variable) -> Evidence:
    """Return what is known of samples that each rest on those within an interval about it."""
    dims = (*frame.lead, frame.dim)
    every = xr.Variable(dims, frame.value.data)
    edges = [one.set_dims(every.sizes).transpose(*dims).data for one in (lower, upper)]
    places = (xr.Variable((*frame.lead, _PLACES), one) for one in edges)
    found = at(with_flags(frame), *places, dim=_PLACES)
    along = (None if one is None else xr.Variable(dims, one.data) for one in found[:2])
    return Evidence(*along)


#: Dimension of places: a name that no dimension of a user has.
_PLACES = "__places__"


def with_evidence(data: Data) -> Data:
    """Return data, in canonical units, that carry all that is known of their samples.

    Corrections begin with it: what values show may not be seen any more afterwards.
    """
    made: dict[str, xr.Variable] = {}
    held = [data.name] if isinstance(data, xr.DataArray) else data.data_vars
    for name in [name for name in vocabulary.MEASURED if name in held]:
        how: Any = {"axes": vocabulary.AXES, "variable": name, "as_they_are": True}
        frame = open_frame(data, vocabulary.kinds(name), question="evidence", **how)
        if frame.lazy:  # each profile is needed as a whole
            frame = replace(frame, value=frame.value.chunk({frame.dim: -1}))
        dims = data[name].dims if isinstance(data, xr.Dataset) else data.dims
        of = changed(sample_evidence(frame), limit=None)  # limits stay in their own unit
        made |= evidence_coords(frame.name, of, frame.units, dims)
    found: Data = data.assign_coords(made) if made else data
    return found


def evidence_coords(
    name: str,
    of: Evidence,
    units: str,
    dims: tuple[Any, ...] | None = None,
    *,
    quantified: bool = False,
) -> dict[str, xr.Variable]:
    """Return coordinates with what is known of samples; `quantified`: limits as Quantities."""
    made: dict[str, xr.Variable] = {}
    for end, one in ((vocabulary.QUALITY, of.flags), (vocabulary.LIMIT, of.limit)):
        if of.flags is None or one is None:
            continue
        ordered = one if dims is None else one.transpose(*dims)
        attrs = vocabulary.ancillary_attrs(name, end, units)
        column = xr.Variable(ordered.dims, ordered.data, attrs)
        limits = quantified and end == vocabulary.LIMIT
        made[f"{name}_{end}"] = quantified_variable(column) if limits else column
    return made
