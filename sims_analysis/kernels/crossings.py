"""Crossings of a level that noise does not make, and the choice of one as the junction."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.edges import Locate, edges
from sims_analysis.kernels.evidence import support
from sims_analysis.kernels.levels import (
    FALLING,
    Crossings,
    as_table,
    find,
    highest,
    locate,
    significant,
)
from sims_analysis.kernels.local_fit import as_points
from sims_analysis.kernels.rows import (
    WITHOUT_VALUE,
    Array,
    Flags,
    Index,
    Rows,
    first_status,
)
from sims_analysis.kernels.segments import interpolated
from sims_analysis.outcomes import GAP, Flag, Status


class CrossingTable(NamedTuple):
    """Crossings of each row: a table in order of depth, ``(R, width)``, or the chosen ones, (R,).

    The fields of :class:`.Edges`; the depth between the two samples of a crossing, the value there,
    these samples, and what they rest on (:class:`.Flag`); the number of crossings of each row (that
    qualified), and of those of the samples, noise included.
    """

    depth: Array
    stderr: Array
    decay_length: Array
    steepness: Array
    start: Array
    stop: Array
    raw_depth: Array
    value: Array
    depth_before: Array
    depth_after: Array
    direction: NDArray[np.int8]
    status: NDArray[np.uint8]
    flags: NDArray[np.int16]
    number: Index
    raw_number: Index


#: What crossings rest on that have no depth.
_HIDES = GAP | Flag.BELOW_LIMIT


def listing(
    rows: Rows,
    level: Array,
    width: int,
    level_stderr: Array | float = 0.0,
    limits: Array | None = None,
    **options: Any,
) -> CrossingTable:
    """List up to `width` crossings of every row, in order of depth; options as for `edges`."""
    raw = find(rows, level)
    certain = significant(rows, level, raw, level_stderr, options.get("floor"))
    every = _with_hidden(rows, certain, limits)
    number = every.number(rows)
    column = np.arange(every.row.size) - (np.cumsum(number) - number)[every.row]
    chosen = every.take(column < width)
    place = chosen.row * width + column[column < width]
    options |= {"every": certain, "level_stderr": level_stderr}
    return _placed(rows, level, chosen, place, (number, raw.number(rows), width), **options)


def _with_hidden(rows: Rows, every: Crossings, limits: Array | None) -> Crossings:
    """Add the crossings hidden where rows begin and end below :func:`_limits`.

    Those that fall first have risen there before, and those that rise last fall there after: before
    and after the first, or the last, of the samples that have a value.
    """
    if limits is None or not every.row.size:
        return every
    risen, falls = np.zeros((2, rows.count), dtype=bool)
    risen[every.row[::-1]] = every.falling[::-1]  # the last one wins
    falls[every.row] = ~every.falling
    first = np.flatnonzero(risen & ~np.isnan(limits[1]))
    last = np.flatnonzero(falls & ~np.isnan(limits[2]))
    begin, end = rows.offsets[first], rows.offsets[last + 1] - 1
    rise = Crossings(first, begin, begin, np.zeros_like(first, bool))
    fall = Crossings(last, end, end, np.ones_like(last, bool))
    joined = Crossings._make(map(np.concatenate, zip(rise, every, fall, strict=True)))
    return joined.take(np.lexsort((joined.before + joined.after, joined.row)))


def _placed(
    rows: Rows,
    level: Array,
    chosen: Crossings,
    place: Index,
    numbers: tuple[Index, Index, int],
    **options: Any,
) -> CrossingTable:
    """Lay out crossings; those whose interval is wider than the record have no depth.

    `numbers` are those that qualified, those of the samples, and the width of the table.
    """
    number, raw_number, width = numbers
    shape, visible = (rows.count, width), ~chosen.hidden
    shown, at = (chosen, place) if visible.all() else (chosen.take(visible), place[visible])
    between = locate(rows, level, shown)
    located = edges(rows, level, shown, between, **options)
    before, after = rows.value_at(shown.before), rows.value_at(shown.after)
    value, on = interpolated(before, after, between.position, log=True), shown.on_sample
    value[on] = rows.value_at(shown.at_or_above[on])
    codes = np.where(visible, Status.OK, Status.BELOW_LIMIT).astype(np.uint8)
    status = as_table(codes, place, shape, Status.PADDING)
    if rows.stderr is not None:
        lost = 2.0 * located.stderr > (rows.last - rows.first)[shown.row]
        np.put(status, at[lost], Status.UNDETERMINED)
        for column in (located.depth, located.stderr, value):
            column[lost] = np.nan

    columns = np.full((len(located) + 4, rows.count * width), np.nan)
    columns[:-2, at] = *located, between.depth, value
    columns[-2:, place] = rows.depth_at(chosen.before), rows.depth_at(chosen.after)
    direction = as_table(chosen.direction, place, shape, 0)
    flags = np.zeros(shape, dtype=np.int16)
    laid_out = columns.reshape(len(columns), *shape)
    return CrossingTable._make([*laid_out, direction, status, flags, number, raw_number])


def set_missing(listed: CrossingTable, why: NDArray[Any]) -> None:
    """Write into the first entry of rows without a crossing why there is none."""
    first = listed.status[:, 0]
    first[:] = np.where(first == Status.PADDING, why, first)


def table(
    rows: Rows,
    level: Array,
    floor: Array | None = None,
    *,
    width: int,
    where: Locate = "auto",
    bridge: bool = False,
) -> CrossingTable:
    """List the crossings of every row; without any, the first entry has the reason.

    In a gap, and among samples below a limit, they have no depth, unless these are left out
    (`bridge`).
    """
    limits, points = _limits(rows), as_points(rows)
    options: Any = {"limits": None if bridge else limits, "floor": floor, "locate": where}
    listed = listing(points, points.repeat(level), width, **options)
    noise = (listed.number == 0) & (listed.raw_number > 0)
    _explain_missing(points, listed, level, limits, noise)
    return with_evidence(listed, support(rows, listed.start, listed.stop).flags, bridge)


def with_evidence(listed: CrossingTable, flags: NDArray[np.int16], bridge: bool) -> CrossingTable:
    """Return crossings with the flags of what they rest on; those in a gap have no depth."""
    if flags.any():
        listed.flags[:] = flags
        lost = (flags & _HIDES != 0) & (flags & Flag.SATURATED == 0) & (not bridge)
        for one in (
            listed.depth,
            listed.stderr,
            listed.decay_length,
            listed.raw_depth,
            listed.value,
        ):
            one[lost] = np.nan
    return listed


def junction(
    rows: Rows,
    level: Array,
    floor: Array | None = None,
    measurable: Array | None = None,
    after: Array | None = None,
    *,
    edge: int = FALLING,
    which: int = -1,
    confirm: int = 1,
    where: Locate = "auto",
    bridge: bool = False,
) -> CrossingTable:
    """Choose one crossing of each row; NaN where none qualifies, or its interval is too wide.

    The deepest (`which` = -1), the first (1), the next (2), and so on, of those on a falling (-1),
    rising (1) or either (0) `edge`, deeper than `after` (NaN: than the maximum). In rows without
    standard errors, `confirm` samples on either side must lie on their sides. The deepest fall lies
    among samples below their limit where these end a record that rises last, and the first rise
    where they begin one that falls first, unless they are left out (`bridge`). There is none at a
    level that is not `measurable`: below this limit, or infinite if it is not known.
    """
    limits, points = _limits(rows), as_points(rows)
    levels = points.repeat(level)
    raw = find(points, levels)
    every = significant(points, levels, raw, floor=floor)
    crossings = _with_hidden(points, every, None if bridge else limits)
    if edge:
        crossings = crossings.take(crossings.falling == (edge == FALLING))
    if after is not None:
        after = _or_maximum(points, after)
        crossings = crossings.take(locate(points, levels, crossings).depth > after[crossings.row])
    crossed, ends = np.zeros((2, rows.count), dtype=bool)
    if confirm > 1 and rows.stderr is None:
        confirmed, room = _confirmed(points, level[crossings.row], crossings, confirm)
        crossed[crossings.row], ends[crossings.row[~room]] = True, True
        crossings = crossings.take(confirmed)
    number, raw_number = crossings.number(rows), raw.number(rows)
    index = number - 1 if which < 0 else np.full(rows.count, which - 1)
    has = (number > 0) & (index < number)
    if measurable is not None:
        has &= ~(level < measurable)
    chosen = crossings.take((np.cumsum(number) - number + index)[has])
    options: Any = {"every": every, "floor": floor, "locate": where}
    answer = _placed(points, levels, chosen, chosen.row, (number, raw_number, 1), **options)
    noise = (raw_number > 0) & (every.number(rows) == 0)
    # None is confirmed, or fewer crossings than requested.
    fewer = np.where(ends & (number == 0), Status.TRUNCATED, Status.NEVER_REACHED)
    fewer[(number == 0) & ~crossed] = Status.PADDING
    _explain_missing(points, answer, level, limits, noise, after, fewer)
    if measurable is not None:
        why = np.where(measurable == np.inf, Status.NO_DATA, Status.BELOW_DETECTION)
        answer.status[:, 0] = np.where(level < measurable, why, answer.status[:, 0])
    answer = with_evidence(answer, support(rows, answer.start, answer.stop).flags, bridge)
    return CrossingTable._make(one.reshape(rows.count) for one in answer)


def _or_maximum(rows: Rows, depth: Array) -> Array:
    """Return depths of rows; that of the maximum where one is NaN."""
    if not np.isnan(depth).any():
        return depth
    row, position = highest(rows)
    top = np.full(rows.count, np.nan)
    top[row] = rows.depth_at(position)
    return np.where(np.isnan(depth), top, depth)


def _confirmed(rows: Rows, level: Array, crossings: Crossings, n: int) -> tuple[Flags, Flags]:
    """Return whether n samples before and after lie on their sides, and whether there are n."""
    begin, end = rows.offsets[crossings.row], rows.offsets[crossings.row + 1]
    confirmed, room = np.ones((2, crossings.row.size), dtype=bool)
    for k in range(1, min(n, int(rows.size.max(initial=0)) + 1)):
        sides = (crossings.before - k, crossings.falling), (crossings.after + k, ~crossings.falling)
        for position, high in sides:
            inside = (position >= begin) & (position < end)
            value = rows.value_at(np.where(inside, position, begin))
            room &= inside
            confirmed &= np.where(high, value > level, value < level)
    return confirmed & room | crossings.hidden, room | crossings.hidden


def _limits(rows: Rows) -> Array | None:
    """Return the highest limit of rows, and those below which they begin and end; (3, R)."""
    marks = rows.carried
    if marks is None:
        return None
    limits = np.full((3, rows.count), np.nan)
    below = marks.flag & Flag.BELOW_LIMIT != 0
    without = below & (marks.flag & WITHOUT_VALUE != 0)
    ends = without & np.isnan(marks.low), without & np.isnan(marks.high)
    for limit, own in zip(limits, (below, *ends), strict=True):
        np.fmax.at(limit, marks.row[own], marks.height[own])
    return limits


def _explain_missing(
    rows: Rows,
    listed: CrossingTable,
    level: Array,
    limits: Array | None,
    noise: Flags,
    beyond: Array | None = None,
    fewer: NDArray[Any] | Status = Status.PADDING,
) -> None:
    """Write why rows have no crossing, and what an answer without one rests on.

    Of rows with some, but `fewer` than were asked for, the reason is given. A level below a limit
    may be crossed among samples below it; so may any by a profile that is above it elsewhere. One
    that is never reached may be beside the maximum.
    """
    if not (listed.status[:, 0] == Status.PADDING).any():
        return
    high = low = rows.value
    if beyond is not None:
        inside = rows.depth >= rows.repeat(beyond)
        high, low = np.where(inside, high, -np.inf), np.where(inside, low, np.inf)
    largest = rows.reduce(np.maximum, high, -np.inf)
    smallest = rows.reduce(np.minimum, low, np.inf)
    why = first_status(
        (noise, Status.UNDETERMINED),  # it can make them all
        ((largest < smallest) | np.isnan(level), Status.NO_DATA),
        (~(largest > level), Status.NEVER_REACHED),
        (~(smallest < level), Status.ALWAYS_ABOVE),
        (np.ones_like(noise), Status.TRUNCATED),  # both sides
    )
    why = np.where(fewer == Status.PADDING, why, fewer)
    if limits is not None:
        limit = limits[0]
        below = (limit >= level) | ((why == Status.ALWAYS_ABOVE) & ~np.isnan(limit))
        why[below & (why != Status.UNDETERMINED)] = Status.BELOW_LIMIT
    set_missing(listed, why)
    never = listed.status[:, 0] == Status.NEVER_REACHED
    if never.any():
        row, top = highest(rows)
        at_maximum = never[row] & (rows.value_at(top) <= level[row])
        row, top = row[at_maximum], top[at_maximum]
        listed.start[row, 0] = rows.depth_at(np.maximum(top - 1, rows.offsets[row]))
        listed.stop[row, 0] = rows.depth_at(np.minimum(top + 1, rows.offsets[row + 1] - 1))
