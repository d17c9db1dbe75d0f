"""Crossings of a level that noise does not make, and the choice of one as the junction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.cells import as_points
from sims_analysis.kernels.edges import Edges, Locate, edges
from sims_analysis.kernels.evidence import marks
from sims_analysis.kernels.levels import FALLING, Crossings, Located, find, highest, locate
from sims_analysis.kernels.rows import (
    WITHOUT_VALUE,
    Array,
    Flags,
    Index,
    Rows,
    first_status,
)
from sims_analysis.kernels.significance import significant
from sims_analysis.outcomes import GAP, Flag, Status


class Placed(NamedTuple):
    """K crossings with their edges; those whose interval is wider than the record have no depth."""

    found: Crossings
    between: Located
    edges: Edges
    lost: Flags


def _placed(rows: Rows, level: Array, found: Crossings, **options: Any) -> Placed:
    between = locate(rows, level, found)
    own = edges(rows, level, found, between, **options)
    lost = 2.0 * own.stderr > (rows.last - rows.first)[found.row]
    own.depth[lost], own.stderr[lost] = np.nan, np.nan
    return Placed(found, between, own, lost)


@dataclass(frozen=True)
class Listing:
    """Crossings to be laid out as tables ``(R, width)``, with the flat place of each in a table.

    ``number``, (R,), counts all of a row that are significant, and ``raw`` those of the samples.
    """

    placed: Placed
    place: Index
    number: Index
    raw: Index
    width: int

    def table(self, values: NDArray[Any], fill: float = np.nan) -> NDArray[Any]:
        """Lay out one value for each crossing found, with `fill` in unused entries."""
        table = np.full(self.number.size * self.width, fill, dtype=values.dtype)
        table[self.place] = values
        return table.reshape(-1, self.width)

    def status(self, why: NDArray[Any]) -> NDArray[np.uint8]:
        """Lay out the statuses; `why` says why a row has no crossing, in its first entry."""
        found = first_status((self.placed.lost, Status.UNDETERMINED))
        status = self.table(found, Status.PADDING)
        why = np.where(self.raw > 0, Status.UNDETERMINED, why)  # noise can make them all
        status[:, 0] = np.where(self.number == 0, why, status[:, 0])
        return status


def listing(
    rows: Rows, level: Array, width: int, level_stderr: Array | float = 0.0, **options: Any
) -> Listing:
    """List up to `width` crossings of every row, in order of depth; options as for `edges`."""
    raw = find(rows, level)
    every = significant(rows, level, raw, level_stderr, options.get("floor"))
    number, of_samples = (np.bincount(one.row, minlength=rows.count) for one in (every, raw))
    column = np.arange(every.row.size) - (np.cumsum(number) - number)[every.row]
    found = every.take(column < width)
    place = found.row * width + column[column < width]
    placed = _placed(rows, level, found, every=every, level_stderr=level_stderr, **options)
    return Listing(placed, place, number, of_samples, width)


class Found(NamedTuple):
    """Crossings of each row: a table in order of depth, ``(R, width)``, or the chosen ones, (R,).

    The fields of :class:`.Edges`, and what is between the two samples of a crossing; the number of
    crossings of each row (that qualified), and of those of the samples, noise included.
    """

    depth: Array
    stderr: Array
    decay_length: Array
    steepness: Array
    start: Array
    stop: Array
    raw_depth: Array
    direction: NDArray[np.int8]
    depth_before: Array
    depth_after: Array
    status: NDArray[np.uint8]
    number: Index
    raw_number: Index


def table(
    rows: Rows, level: Array, floor: Array | None = None, *, width: int, where: Locate = "auto"
) -> Found:
    """List the crossings of every row; without any, the first entry has the reason."""
    rows = as_points(rows)
    listed = listing(rows, rows.repeat(level), width, floor=floor, locate=where)
    return _laid_out(rows, listed, listed.status(_why_none(rows, level, None, listed.number == 0)))


def _laid_out(rows: Rows, listed: Listing, status: NDArray[np.uint8]) -> Found:
    found, between, own, _ = listed.placed
    fields = [
        *map(listed.table, (*own, between.depth)),
        listed.table(found.direction, 0),
        *map(listed.table, (rows.depth_at(found.before), rows.depth_at(found.after))),
        status,
        listed.number,
        listed.raw,
    ]
    return Found._make(fields)


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
) -> Found:
    """Choose one crossing of each row; NaN where none qualifies, or its interval is too wide.

    The deepest (`which` = -1), the first (1), the next (2), and so on, of those on a falling (-1),
    rising (1) or either (0) `edge`, deeper than `after` (NaN: than the maximum). In rows without
    standard errors, `confirm` samples on either side must lie on their sides.
    """
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
    crossed, ends = np.zeros((2, rows.count), dtype=bool)
    if confirm > 1 and rows.stderr is None:
        confirmed, room = _confirmed(rows, level[found.row], found, confirm)
        crossed[found.row], ends[found.row[~room]] = True, True
        found = found.take(confirmed)
    number, raw_number = (np.bincount(one.row, minlength=rows.count) for one in (found, raw))
    wanted = number - 1 if which < 0 else np.full(rows.count, which - 1)
    has = (number > 0) & (wanted < number)
    chosen = found.take((np.cumsum(number) - number + wanted)[has])
    placed = _placed(rows, levels, chosen, every=every, floor=floor, locate=where)
    lost = np.zeros(rows.count, dtype=bool)
    lost[chosen.row] = placed.lost
    none = (number == 0) & ~crossed
    noise = (raw_number > 0) & (np.bincount(every.row, minlength=rows.count) == 0)
    status = first_status(
        (lost | noise, Status.UNDETERMINED),
        # None is confirmed, or fewer crossings than requested.
        (~has & ends & (number == 0), Status.TRUNCATED),
        (~has, Status.NEVER_REACHED),
    )
    why = none & ~noise
    status[why] = _why_none(rows, level, after, why)[why]
    listed = Listing(placed, chosen.row, number, raw_number, 1)
    return Found._make(one.reshape(rows.count) for one in _laid_out(rows, listed, status))


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


def _why_none(rows: Rows, level: Array, beyond: Array | None, missing: Flags) -> NDArray[Any]:
    """Return the status of rows that are `missing` a crossing: ``truncated`` with both sides."""
    if not missing.any():
        return np.zeros(rows.count, dtype=np.uint8)
    inside = True if beyond is None else rows.depth >= rows.repeat(beyond)
    largest = rows.reduce(np.maximum, np.where(inside, rows.value, -np.inf), -np.inf)
    smallest = rows.reduce(np.minimum, np.where(inside, rows.value, np.inf), np.inf)
    return first_status(
        (largest < smallest, Status.NO_DATA),
        (~(largest > level), Status.NEVER_REACHED),
        (~(smallest < level), Status.ALWAYS_ABOVE),
        (np.ones_like(missing), Status.TRUNCATED),
    )


class Record(NamedTuple):
    """What all samples of a row say of a level; (R,), NaN or False for nothing.

    The value at which a detector saturated, the highest limit of detection, that of samples without
    a value at the end, the last value, and whether the maximum lies next to a gap.
    """

    ceiling: Array
    limit: Array
    final_limit: Array
    last_value: Array
    next_to_gap: Flags


def record(rows: Rows) -> Record:
    """Return what is known of the samples of whole rows, for answers about all of them."""
    ceiling, limit, final_limit, last_value = np.full((4, rows.count), np.nan)
    nonempty = rows.size > 0
    last_value[nonempty] = rows.value_at(rows.offsets[1:][nonempty] - 1)
    next_to_gap = np.zeros(rows.count, dtype=bool)
    found = marks(rows)
    if found is None:
        return Record(ceiling, limit, final_limit, last_value, next_to_gap)
    final = (found.flag & WITHOUT_VALUE != 0) & np.isnan(found.high)
    for column, flag, which in (
        (ceiling, Flag.SATURATED, True),
        (limit, Flag.BELOW_LIMIT, True),
        (final_limit, Flag.BELOW_LIMIT, final),
    ):
        own = (found.flag & flag != 0) & which
        np.fmax.at(column, found.row[own], found.height[own])
    row, position = highest(rows)
    above, below = np.full((2, rows.count), np.nan)  # where the highest sample begins and ends
    above[row] = rows.along(rows.depth if rows.lower is None else rows.lower, position)
    below[row] = rows.along(rows.depth if rows.upper is None else rows.upper, position)
    adjacent = (found.low == below[found.row]) | (found.high == above[found.row])
    gap = (found.flag & GAP != 0) & adjacent
    next_to_gap[found.row[gap]] = True
    return Record(ceiling, limit, final_limit, last_value, next_to_gap)
