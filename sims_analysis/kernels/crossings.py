"""Depths at which profiles cross a level or each other, and the choice of a junction.

Levels are one for each sample. With ``l = ln(value / level)`` at the ends of a segment, the
crossing lies at ``t = l0 / (l0 - l1)``, which is exact for exponentials; linear where a logarithm
cannot be taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.crossing_error import Edges, edges
from sims_analysis.kernels.evidence import marks
from sims_analysis.kernels.local_fit import half_width_about
from sims_analysis.kernels.rows import Array, Flags, Index, Rows, first_status
from sims_analysis.outcomes import GAP, Flag, Status

RISING, FALLING = 1, -1
#: A crossing so many standard errors from its edge is there by noise.
FAR = 3.0
#: How many others are asked then.
TRIED = 2


class Crossings(NamedTuple):
    """Crossings in order of row and depth, between the samples ``before`` and ``after``; (K,).

    Samples exactly on the level may lie between these; the crossing is then at the first of them.
    """

    row: Index
    before: Index
    after: Index
    falling: Flags

    def take(self, which: Index | Flags) -> Crossings:
        """Select crossings by index or mask."""
        return Crossings._make(field[which] for field in self)

    @property
    def on_sample(self) -> Flags:
        """Whether the crossing is at a sample: the one after ``before``."""
        return self.after - self.before > 1

    @property
    def at_or_above(self) -> Index:
        """The last sample that is not deeper than the crossing."""
        return self.before + self.on_sample

    @property
    def direction(self) -> NDArray[np.int8]:
        """``FALLING`` or ``RISING``."""
        return np.where(self.falling, FALLING, RISING).astype(np.int8)


class Located(NamedTuple):
    """Depths of crossings, relative positions in their segments (0 to 1), decay lengths; (K,)."""

    depth: Array
    position: Array
    decay_length: Array


def find(rows: Rows, level: Array) -> Crossings:
    """Find every crossing of the `level`, one for each sample.

    A profile that passes through a sample, or a plateau, at the level crosses it at the first such
    sample. One that touches the level, or begins or ends on it, does not cross it there.
    """
    above = (rows.value > level).reshape(-1)
    before = _changes(above, rows.offsets)
    after = before + 1
    lower = np.where(above[before], after, before)
    if (rows.value_at(lower) == _at_samples(rows, level, lower)).any():
        # Samples on the level are on neither side: compare their neighbours.
        off = np.flatnonzero(rows.value != level)
        change = _changes(above[off], off.searchsorted(rows.offsets))
        before, after = off[change], off[change + 1]
    row = rows.offsets.searchsorted(before, side="right") - 1
    return Crossings(row, before, after, above[before])


def _changes(above: Flags, offsets: Index) -> Index:
    """Find the samples after which a row changes sides."""
    change = above[1:] != above[:-1]
    inner = offsets[(offsets > 0) & (offsets < above.size)]
    change[inner - 1] = False  # between two rows
    return np.flatnonzero(change)


def _at_samples(rows: Rows, samples: Array, position: Index) -> Array:
    """Index an array that broadcasts to the samples by flat position."""
    full = np.broadcast_to(samples, rows.value.shape)
    found: Array = full[divmod(position, max(full.shape[1], 1)) if full.ndim > 1 else position]
    return found


def locate(rows: Rows, level: Array, found: Crossings) -> Located:
    """Locate crossings between their samples, or at the first sample that lies on the level.

    The decay length is ``|dz / d ln(value / level)|``; NaN where a logarithm cannot be taken.
    """
    ends = found.before, found.after
    (c0, c1), (z0, z1) = map(rows.value_at, ends), map(rows.depth_at, ends)
    l0, l1 = (_at_samples(rows, level, end) for end in ends)
    width = z1 - z0
    with np.errstate(all="ignore"):
        s0 = _log_ratio(c0, l0)
        step = s0 - _log_ratio(c1, l1)
        position, decay = s0 / step, width / np.abs(step)
        straight = ~((np.minimum(c0, c1) > 0) & (np.minimum(l0, l1) > 0))
        position[straight] = ((c0 - l0) / ((c0 - l0) - (c1 - l1)))[straight]
        decay[straight] = np.nan
    np.clip(position, 0.0, 1.0, out=position)  # rounding must not leave the segment
    depth = np.minimum(z0 + position * width, z1)
    on = found.on_sample
    depth[on] = rows.depth_at(found.before[on] + 1)
    position[on] = ((depth - z0) / width)[on]
    return Located(depth, position, decay)


def _log_ratio(c: Array, level: Array) -> Array:
    """Return ``ln(c / level)``, also where the ratio overflows or underflows."""
    ratio = c / level
    found: Array = np.log(ratio)
    beyond = ~((ratio >= np.finfo(np.float64).tiny) & (ratio < np.inf))
    found[beyond] = np.log(c[beyond]) - np.log(level[beyond])
    return found


def highest(rows: Rows) -> tuple[Index, Index]:
    """Find the (first) maximum of each row: the rows that have samples, and its flat position."""
    at_maximum = np.flatnonzero(rows.value == rows.repeat(rows.reduce(np.maximum, rows.value)))
    row = rows.offsets.searchsorted(at_maximum, side="right") - 1
    row, first = np.unique(row, return_index=True)
    return row, at_maximum[first]


@dataclass(frozen=True)
class Listing:
    """The first crossings of each row, to be laid out as tables ``(R, width)``.

    ``number``, (R,), counts all crossings; ``column`` is the place of each of the K `found` in its
    row. Those whose interval is wider than the record are `lost`: they have no depth.
    """

    found: Crossings
    column: Index
    depth: Array
    position: Array
    decay_length: Array
    edges: Edges
    lost: Flags
    number: Index
    width: int

    def table(self, values: NDArray[Any], fill: float = np.nan) -> NDArray[Any]:
        """Lay out one value for each crossing found, with `fill` in unused entries."""
        table = np.full((self.number.size, self.width), fill, dtype=values.dtype)
        table[self.found.row, self.column] = values
        return table

    def status(self, why: NDArray[Any]) -> NDArray[np.uint8]:
        """Lay out the statuses; `why` says why a row has no crossing, in its first entry."""
        found = first_status((self.lost, Status.UNDETERMINED))
        status = self.table(found, Status.PADDING)
        status[:, 0] = np.where(self.number == 0, why, status[:, 0])
        return status


def listing(
    rows: Rows,
    level: Array,
    width: int,
    level_stderr: Array | None = None,
    *,
    floor: Array | None = None,
) -> Listing:
    """List up to `width` crossings of every row, in order of depth; `floor` as for `edges`."""
    every = find(rows, level)
    number = np.bincount(every.row, minlength=rows.count)
    column = np.arange(every.row.size) - (np.cumsum(number) - number)[every.row]
    found, column = every.take(column < width), column[column < width]
    depth, position, decay_length = locate(rows, level, found)
    own = edges(
        rows,
        level,
        found.row,
        found.at_or_above,
        depth,
        found.direction,
        every=every.before,
        level_stderr=level_stderr,
        floor=floor,
    )
    lost = _undetermined(rows, found, own.half_width)
    depth[lost], own.half_width[lost] = np.nan, np.nan
    return Listing(found, column, depth, position, decay_length, own, lost, number, width)


def _between(rows: Rows, found: Crossings) -> tuple[Array, Array]:
    """Return what a crossing rests on: the samples beside it, or the one that it is at."""
    on = rows.depth_at(found.before + found.on_sample)
    return on, np.where(found.on_sample, on, rows.depth_at(found.after))


def _undetermined(rows: Rows, found: Crossings, stderr: Array) -> Flags:
    """Flag the crossings whose interval is wider than the record."""
    wide: Flags = 2.0 * stderr > (rows.last - rows.first)[found.row]
    return wide


class Table(NamedTuple):
    """Crossings of each row in order of depth, ``(R, width)``, as in :class:`Junction`."""

    depth: Array
    stderr: Array
    direction: NDArray[np.int8]
    decay_length: Array
    depth_before: Array
    depth_after: Array
    status: NDArray[np.uint8]
    number: Index
    edge_offset: Array
    edge_stderr: Array
    steepness: Array
    start: Array
    stop: Array


def table(rows: Rows, level: Array, floor: Array | None = None, *, width: int) -> Table:
    """List the crossings of every row, in order of depth, in `width` entries (at least 1).

    The first entry of a row without crossings has the reason as its status. A crossing whose
    interval is wider than the record is ``undetermined``. Unused entries are padding.
    """
    listed = listing(rows, rows.repeat(level), width, floor=floor)
    found, number = listed.found, listed.number
    return Table(
        listed.table(listed.depth),
        listed.table(listed.edges.half_width),
        listed.table(found.direction, 0),
        listed.table(listed.decay_length),
        listed.table(rows.depth_at(found.before)),
        listed.table(rows.depth_at(found.after)),
        listed.status(_why_none(rows, level, None, number == 0)),
        number,
        *map(listed.table, listed.edges[:3]),
        *map(listed.table, _between(rows, found)),
    )


class Junction(NamedTuple):
    """The chosen crossing of every row; every field has shape (R,).

    The edge is deeper by ``edge_offset``, known to ``edge_stderr``, with its ``steepness``.
    """

    depth: Array
    stderr: Array
    decay_length: Array
    n_crossings: Index
    status: NDArray[np.uint8]
    edge_offset: Array
    edge_stderr: Array
    steepness: Array
    start: Array
    stop: Array


def junction(
    rows: Rows,
    level: Array,
    floor: Array | None = None,
    after: Array | None = None,
    *,
    edge: int = FALLING,
    which: int = -1,
    confirm: int = 1,
) -> Junction:
    """Choose one crossing of each row; NaN where none qualifies, or its interval is too wide.

    Parameters
    ----------
    level, floor : ndarray, shape (R,)
        The latter a background that was subtracted; its counts scatter still.
    after : ndarray, shape (R,), optional
        Consider only crossings deeper than this; NaN means deeper than the row's maximum.
    edge : {-1, 1, 0}
        Falling, rising, or either.
    which : int
        -1 for the deepest, 1 for the shallowest, 2 for the next, and so on.
    confirm : int
        Number of samples before and after the crossing that must lie on their side of the level.
    """
    levels = rows.repeat(level)
    every = found = find(rows, levels)
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
    if confirm > 1:
        confirmed, room = _confirmed(rows, level[found.row], found, confirm)
        crossed[found.row], ends[found.row[~room]] = True, True
        found = found.take(confirmed)
    number = np.bincount(found.row, minlength=rows.count)
    wanted = number - 1 if which < 0 else np.full(rows.count, which - 1)
    has = (number > 0) & (wanted < number)
    chosen = found.take((np.cumsum(number) - number + wanted)[has])
    columns = np.full((8, rows.count), np.nan)
    at, _, decay = locate(rows, levels, chosen)
    own = _edges_of_chosen(rows, levels, every, found, chosen, at, floor, which)
    columns[:, chosen.row] = at, own.half_width, decay, *own[:3], *_between(rows, chosen)
    lost = np.zeros(rows.count, dtype=bool)
    lost[chosen.row] = _undetermined(rows, chosen, own.half_width)
    columns[:, lost] = np.nan
    none = (number == 0) & ~crossed
    status = first_status(
        (lost, Status.UNDETERMINED),
        # None is confirmed, or fewer crossings than requested.
        (~has & ends & (number == 0), Status.TRUNCATED),
        (~has, Status.NEVER_REACHED),
    )
    status[none] = _why_none(rows, level, after, none)[none]
    depth, stderr, decay, *edges_ = columns
    return Junction(depth, stderr, decay, number, status, *edges_)


def _edges_of_chosen(
    rows: Rows,
    level: Array,
    every: Crossings,
    found: Crossings,
    chosen: Crossings,
    at: Array,
    floor: Array | None,
    which: int,
) -> Edges:
    """Return the edges of the crossings `chosen` at depths `at`, of those that were `found`.

    Where the samples around it hardly show one, by the most certain crossing of its direction; if
    that is another edge, the interval reaches beyond both.
    """

    def edges_at(some: Crossings, depth: Array) -> Edges:
        place = some.row, some.at_or_above, depth, some.direction
        return edges(rows, level, *place, every=every.before, floor=floor)

    own = edges_at(chosen, at)
    far = np.flatnonzero(~(np.abs(own.offset) <= FAR * own.error))
    if rows.stderr is None or not far.size:
        return own
    # Those farthest from the chosen one, to the side of the edge.
    number = np.bincount(found.row, minlength=rows.count)[found.row]
    place = np.arange(found.row.size) - found.row.searchsorted(found.row)
    beside = place < TRIED if which < 0 else number - place <= TRIED
    among = found.take(beside & np.isin(found.row, chosen.row[far]))
    depth = locate(rows, level, among).depth
    each = edges_at(among, depth)
    alike = among.falling == chosen.falling[far][chosen.row[far].searchsorted(among.row)]
    # The most certain crossing of each row comes first; those without an edge at the end.
    order = np.lexsort((np.where(alike, each.error, np.nan), among.row))
    first = order[among.row.searchsorted(chosen.row[far])]
    apart, error = depth[first] + each.offset[first] - at[far], each.error[first]
    better = np.isfinite(error) & alike[first]
    shown = apart, error, each.steepness[first], half_width_about(apart, error)
    for column, values in zip(own, shown, strict=True):
        column[far[better]] = values[better]
    return own


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
    """What all samples of a row say where none crosses a level; (R,), NaN or False for nothing.

    The value at which a detector saturated, the highest limit of detection, and whether the maximum
    lies beside a gap.
    """

    ceiling: Array
    limit: Array
    next_to_gap: Flags


def record(rows: Rows) -> Record:
    """Return what is known of the samples of whole rows, for answers about all of them."""
    ceiling, limit = np.full((2, rows.count), np.nan)
    next_to_gap = np.zeros(rows.count, dtype=bool)
    found = marks(rows)
    if found is None:
        return Record(ceiling, limit, next_to_gap)
    for column, flag in ((ceiling, Flag.SATURATED), (limit, Flag.BELOW_LIMIT)):
        own = found.flag & flag != 0
        np.fmax.at(column, found.row[own], found.height[own])
    row, position = highest(rows)
    above, below = np.full((2, rows.count), np.nan)  # where the highest sample begins and ends
    above[row] = rows.along(rows.depth if rows.lower is None else rows.lower, position)
    below[row] = rows.along(rows.depth if rows.upper is None else rows.upper, position)
    beside = (found.low == below[found.row]) | (found.high == above[found.row])
    gap = (found.flag & GAP != 0) & beside
    next_to_gap[found.row[gap]] = True
    return Record(ceiling, limit, next_to_gap)
