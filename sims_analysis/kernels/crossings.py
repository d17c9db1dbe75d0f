"""Crossings of a level that noise does not make, and the choice of one as the junction."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.edges import Locate, edges
from sims_analysis.kernels.levels import (
    FALLING,
    RISING,
    Crossings,
    Located,
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
from sims_analysis.outcomes import Flag, Status


class Found(NamedTuple):
    """Crossings of each row: a table in order of depth, ``(R, width)``, or the chosen ones, (R,).

    The fields of :class:`.Edges`, and the depth between the two samples of a crossing; the number
    of crossings of each row (that qualified), and of those of the samples, noise included.
    """

    depth: Array
    stderr: Array
    decay_length: Array
    steepness: Array
    start: Array
    stop: Array
    raw_depth: Array
    status: NDArray[np.uint8]
    number: Index
    raw_number: Index


class Listed(NamedTuple):
    """The fields of :class:`Found`, and of each crossing the value and what is on its two sides."""

    depth: Array
    stderr: Array
    decay_length: Array
    steepness: Array
    start: Array
    stop: Array
    raw_depth: Array
    status: NDArray[np.uint8]
    number: Index
    raw_number: Index
    value: Array
    depth_before: Array
    depth_after: Array
    direction: NDArray[np.int8]


def listing(
    rows: Rows, level: Array, width: int, level_stderr: Array | float = 0.0, **options: Any
) -> Listed:
    """List up to `width` crossings of every row, in order of depth; options as for `edges`."""
    raw = find(rows, level)
    every = significant(rows, level, raw, level_stderr, options.get("floor"))
    number = every.number(rows)
    column = np.arange(every.row.size) - (np.cumsum(number) - number)[every.row]
    chosen = every.take(column < width)
    place = chosen.row * width + column[column < width]
    options |= {"every": every, "level_stderr": level_stderr}
    numbers = number, raw.number(rows), width
    found, between = _placed(rows, level, chosen, place, numbers, **options)
    before, after = rows.value_at(chosen.before), rows.value_at(chosen.after)
    value = interpolated(before, after, between.position, log=True)
    value = np.where(chosen.on_sample, rows.value_at(chosen.at_or_above), value)
    ends = rows.depth_at(chosen.before), rows.depth_at(chosen.after)
    shape = rows.count, width
    more = [as_table(one, place, shape) for one in (value, *ends)]
    more[0][np.isnan(found.depth)] = np.nan
    return Listed._make([*found, *more, as_table(chosen.direction, place, shape, 0)])


def _placed(
    rows: Rows,
    level: Array,
    chosen: Crossings,
    place: Index,
    numbers: tuple[Index, Index, int],
    **options: Any,
) -> tuple[Found, Located]:
    """Lay out crossings; those whose interval is wider than the record have no depth.

    `numbers` are those that qualified, those of the samples, and the width of the table.
    """
    number, raw_number, width = numbers
    between = locate(rows, level, chosen)
    own = edges(rows, level, chosen, between, **options)
    lost = 2.0 * own.stderr > (rows.last - rows.first)[chosen.row]
    for column in (own.depth, own.stderr):
        column[lost] = np.nan

    shape = rows.count, width
    columns = np.full((len(own) + 1, *shape), np.nan)
    columns.reshape(len(columns), rows.count * width)[:, place] = *own, between.depth
    status = as_table(first_status((lost, Status.UNDETERMINED)), place, shape, Status.PADDING)
    return Found._make([*columns, status, number, raw_number]), between


def set_missing(found: Found | Listed, why: NDArray[Any]) -> None:
    """Write into the first entry of rows without a crossing why there is none."""
    first = found.status[:, 0]
    first[:] = np.where(first == Status.PADDING, why, first)


def table(
    rows: Rows, level: Array, floor: Array | None = None, *, width: int, where: Locate = "auto"
) -> Listed:
    """List the crossings of every row; without any, the first entry has the reason."""
    limit = _limits(rows)[0]
    rows = as_points(rows)
    found = listing(rows, rows.repeat(level), width, floor=floor, locate=where)
    none = found.number == 0
    why = _reason_for_none(rows, level, None, none, none & (found.raw_number > 0))
    _explain_missing(rows, found, why, level, limit)
    return found


def junction(
    rows: Rows,
    level: Array,
    floor: Array | None = None,
    after: Array | None = None,
    *,
    edge: int = FALLING,
    which: int = -1,
    confirm: int = 1,
    where: Locate = "auto",
    bridge: bool = False,
) -> Found:
    """Choose one crossing of each row; NaN where none qualifies, or its interval is too wide.

    The deepest (`which` = -1), the first (1), the next (2), and so on, of those on a falling (-1),
    rising (1) or either (0) `edge`, deeper than `after` (NaN: than the maximum). In rows without
    standard errors, `confirm` samples on either side must lie on their sides. The deepest fall lies
    among samples below their limit where these end a record that rises last, and the first rise
    where they begin one that falls first, unless they are left out (`bridge`).
    """
    limit, initial, final = _limits(rows)
    rows = as_points(rows)
    levels = rows.repeat(level)
    raw = find(rows, levels)
    every = found = significant(rows, levels, raw, floor=floor)
    if edge:
        found = found.take(found.falling == (edge == FALLING))
    if after is not None:
        if np.isnan(after).any():
            row, position = highest(rows)
            depth = np.full(rows.count, np.nan)
            depth[row] = rows.depth_at(position)
            after = np.where(np.isnan(after), depth, after)
        found = found.take(locate(rows, levels, found).depth > after[found.row])
    crossed, ends, hidden = np.zeros((3, rows.count), dtype=bool)
    if confirm > 1 and rows.stderr is None:
        confirmed, room = _confirmed(rows, level[found.row], found, confirm)
        crossed[found.row], ends[found.row[~room]] = True, True
        found = found.take(confirmed)
    number, raw_number = found.number(rows), raw.number(rows)
    wanted = number - 1 if which < 0 else np.full(rows.count, which - 1)
    has = (number > 0) & (wanted < number)
    if which < 0 and edge != RISING and not bridge:
        hidden[every.row] = ~every.falling  # the last one wins
        hidden &= ~np.isnan(final)
    elif which > 0 and edge != FALLING and after is None and not bridge:
        hidden[every.row[::-1]] = every.falling[::-1]
        hidden &= ~np.isnan(initial)
    has &= ~hidden
    limit[hidden] = np.inf
    chosen = found.take((np.cumsum(number) - number + wanted)[has])
    options: Any = {"every": every, "floor": floor, "locate": where}
    answer, _ = _placed(rows, levels, chosen, chosen.row, (number, raw_number, 1), **options)
    none = (number == 0) & ~crossed
    noise = (raw_number > 0) & (every.number(rows) == 0)
    # None is confirmed, or fewer crossings than requested.
    why = np.where(ends & (number == 0), Status.TRUNCATED, Status.NEVER_REACHED)
    why = np.where(none, _reason_for_none(rows, level, after, none, noise), why)
    _explain_missing(rows, answer, why, level, limit)
    return Found._make(one.reshape(rows.count) for one in answer)


def _confirmed(rows: Rows, level: Array, found: Crossings, n: int) -> tuple[Flags, Flags]:
    """Return whether n samples before and after lie on their sides, and whether there are n."""
    begin, end = rows.offsets[found.row], rows.offsets[found.row + 1]
    confirmed, room = np.ones((2, found.row.size), dtype=bool)
    for k in range(1, min(n, int(rows.size.max(initial=0)) + 1)):
        for position, high in (
            (found.before - k, found.falling),
            (found.after + k, ~found.falling),
        ):
            inside = (position >= begin) & (position < end)
            value = rows.value_at(np.where(inside, position, begin))
            room &= inside
            confirmed &= np.where(high, value > level, value < level)
    return confirmed & room, room


def _reason_for_none(
    rows: Rows, level: Array, beyond: Array | None, missing: Flags, noise: Flags
) -> NDArray[Any]:
    """Return the status of rows that are `missing` a crossing: ``truncated`` with both sides."""
    if not missing.any():
        return np.zeros(rows.count, dtype=np.uint8)
    high = low = rows.value
    if beyond is not None:
        inside = rows.depth >= rows.repeat(beyond)
        high, low = np.where(inside, high, -np.inf), np.where(inside, low, np.inf)
    largest = rows.reduce(np.maximum, high, -np.inf)
    smallest = rows.reduce(np.minimum, low, np.inf)
    return first_status(
        (noise, Status.UNDETERMINED),  # it can make them all
        ((largest < smallest) | np.isnan(level), Status.NO_DATA),
        (~(largest > level), Status.NEVER_REACHED),
        (~(smallest < level), Status.ALWAYS_ABOVE),
        (np.ones_like(missing), Status.TRUNCATED),
    )


def _limits(rows: Rows) -> Array:
    """Return the highest limit of rows, and those below which they begin and end; (3, R)."""
    limits = np.full((3, rows.count), np.nan)
    found = rows.carried
    if found is not None:
        below = found.flag & Flag.BELOW_LIMIT != 0
        without = below & (found.flag & WITHOUT_VALUE != 0)
        ends = without & np.isnan(found.low), without & np.isnan(found.high)
        for limit, own in zip(limits, (below, *ends), strict=True):
            np.fmax.at(limit, found.row[own], found.height[own])
    return limits


def _explain_missing(
    rows: Rows, found: Found | Listed, why: NDArray[Any], level: Array, limit: Array
) -> None:
    """Write why rows have no crossing, and what an answer without one rests on.

    A level below a limit may be crossed among samples below it; so may any by a profile that is
    above it elsewhere. One that is never reached may be beside the maximum.
    """
    if not (found.status[:, 0] == Status.PADDING).any():
        return
    below = (limit >= level) | ((why == Status.ALWAYS_ABOVE) & ~np.isnan(limit))
    set_missing(found, np.where(below & (why != Status.UNDETERMINED), Status.BELOW_LIMIT, why))
    never = found.status[:, 0] == Status.NEVER_REACHED
    if never.any():
        row, top = highest(rows)
        own = never[row] & (rows.value_at(top) <= level[row])
        row, top = row[own], top[own]
        found.start[row, 0] = rows.depth_at(np.maximum(top - 1, rows.offsets[row]))
        found.stop[row, 0] = rows.depth_at(np.minimum(top + 1, rows.offsets[row + 1] - 1))
