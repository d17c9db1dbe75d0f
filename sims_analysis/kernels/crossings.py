"""Where profiles cross a level, or each other.

One search serves a fixed level, a level of each profile, and a level at every sample (donors
against acceptors). With ``l = ln(value / level)`` at the two ends of a segment, the crossing lies
at ``t = l0 / (l0 - l1)``, exact where both are exponentials; linear where a logarithm cannot be
taken.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.crossing_error import half_widths
from sims_analysis.kernels.rows import Array, Flags, Index, Rows, Status

__all__ = [
    "FALLING",
    "RISING",
    "Crossings",
    "Junction",
    "Table",
    "at_samples",
    "find",
    "highest",
    "in_places",
    "junction",
    "locate",
    "numbers",
    "table",
    "undetermined",
]

RISING, FALLING = 1, -1


class Crossings(NamedTuple):
    """Crossings in order of row and depth; every field has shape (K,).

    ``before`` and ``after`` are the flat positions of the samples on either side of the level;
    between them may lie samples exactly on it.
    """

    row: Index
    before: Index
    after: Index
    falling: Flags

    def take(self, which: Index | Flags) -> Crossings:
        """Keep some of the crossings."""
        return Crossings._make(field[which] for field in self)

    @property
    def on_sample(self) -> Flags:
        """Whether the crossing is the sample that follows the one before."""
        return self.after - self.before > 1


class Located(NamedTuple):
    """Depths of crossings, their places (0 to 1) between the samples, and decay lengths; (K,)."""

    depth: Array
    place: Array
    decay_length: Array


def find(rows: Rows, level: Array) -> Crossings:
    """Find every crossing of the level.

    A sample exactly at the level is a crossing where the profile passes through it, once; a touch
    is not a crossing; a plateau at the level is one, at its first sample. A profile that begins or
    ends on the level does not show on which side it would have been: not a crossing.

    Parameters
    ----------
    rows : Rows
    level : ndarray
        At every sample; ``rows.repeat(level)`` of a level for each row.
    """
    above = (rows.value > level).reshape(-1)
    before = _changes(above, rows.start)
    after = before + 1
    lower = np.where(above[before], after, before)
    if (rows.value_at(lower) == at_samples(rows, level, lower)).any():
        # Samples on the level are on neither side: compare the samples beside them.
        off = np.flatnonzero(rows.value != level)
        place = _changes(above[off], off.searchsorted(rows.start))
        before, after = off[place], off[place + 1]
    row = rows.start.searchsorted(before, side="right") - 1
    return Crossings(row, before, after, above[before])


def _changes(above: Flags, start: Index) -> Index:
    """Find the samples after which a row is on the other side."""
    change = above[1:] != above[:-1]
    inner = start[(start > 0) & (start < above.size)]
    change[inner - 1] = False  # from one row to the next
    return np.flatnonzero(change)


def at_samples(rows: Rows, samples: Array, position: Index) -> Array:
    """Give what belongs to samples, or is the same for those of a row, at flat positions."""
    every = np.broadcast_to(samples, rows.value.shape)
    found: Array = every[divmod(position, max(every.shape[1], 1)) if every.ndim > 1 else position]
    return found


def locate(rows: Rows, level: Array, found: Crossings) -> Located:
    """Locate crossings between their samples, at the first sample that is on the level if any is.

    The decay length is ``|dz / d ln(value / level)|`` between the two samples; NaN where there is
    no logarithm.
    """
    ends = found.before, found.after
    (c0, c1), (z0, z1) = map(rows.value_at, ends), map(rows.depth_at, ends)
    l0, l1 = (at_samples(rows, level, end) for end in ends)
    width = z1 - z0
    with np.errstate(all="ignore"):
        s0 = _log_ratio(c0, l0)
        step = s0 - _log_ratio(c1, l1)
        place, decay = s0 / step, width / np.abs(step)
        straight = ~((np.minimum(c0, c1) > 0) & (np.minimum(l0, l1) > 0))
        place[straight] = ((c0 - l0) / ((c0 - l0) - (c1 - l1)))[straight]
        decay[straight] = np.nan
    np.clip(place, 0.0, 1.0, out=place)  # rounding does not lead out of the segment
    depth = np.minimum(z0 + place * width, z1)
    on = found.on_sample
    depth[on] = rows.depth_at(found.before[on] + 1)
    place[on] = ((depth - z0) / width)[on]
    return Located(depth, place, decay)


def _log_ratio(c: Array, level: Array) -> Array:
    """Give ``ln(c / level)``, also where the ratio leaves the range of float64."""
    ratio = c / level
    found: Array = np.log(ratio)
    beyond = ~((ratio >= np.finfo(np.float64).tiny) & (ratio < np.inf))
    found[beyond] = np.log(c[beyond]) - np.log(level[beyond])
    return found


class Table(NamedTuple):
    """Crossings of each row in order of depth, ``(R, width)``, and their number, ``(R,)``."""

    depth: Array
    stderr: Array
    direction: NDArray[np.int8]
    decay_length: Array
    depth_before: Array
    depth_after: Array
    status: NDArray[np.uint8]
    number: Index


def table(rows: Rows, level: Array, *, width: int) -> Table:
    """List the crossings of every row, in order of depth.

    Parameters
    ----------
    rows : Rows
        With standard errors, or without.
    level : ndarray, shape (R,)
    width : int
        Number of places a row, at least 1.

    Returns
    -------
    Table
        In a row without crossings, the status of the first place says why. A crossing whose
        interval is wider than the record has no depth, and the status ``undetermined``. Places
        left over have NaN, direction 0, and the status of padding.
    """
    levels = rows.repeat(level)
    every = find(rows, levels)
    number = np.bincount(every.row, minlength=rows.count)
    place = numbers(every.row, number)
    found, place = every.take(place < width), place[place < width]
    at, _, decay = locate(rows, levels, found)
    stderr = half_widths(rows, levels, found, at, every=every.before)
    lost = undetermined(rows, found.row, stderr)
    at[lost], stderr[lost] = np.nan, np.nan

    def laid(values: NDArray[Any], fill: float) -> NDArray[Any]:
        return in_places(values, (found.row, place), (rows.count, width), fill)

    status = laid(np.where(lost, Status.UNDETERMINED, Status.OK).astype(np.uint8), Status.PADDING)
    status[:, 0] = np.where(number == 0, why_none(rows, level, None, number == 0), status[:, 0])
    return Table(
        laid(at, np.nan),
        laid(stderr, np.nan),
        laid(np.where(found.falling, FALLING, RISING).astype(np.int8), 0),
        laid(decay, np.nan),
        laid(rows.depth_at(found.before), np.nan),
        laid(rows.depth_at(found.after), np.nan),
        status,
        number,
    )


def numbers(row: Index, count: Index) -> Index:
    """Count up from 0 within each row what is in order of row; `count` is how many a row has."""
    found: Index = np.arange(row.size) - (np.cumsum(count) - count)[row]
    return found


def in_places(
    values: NDArray[Any], place: tuple[Index, Index], shape: tuple[int, int], fill: float
) -> NDArray[Any]:
    """Lay values out in rows, and `fill` the places left over."""
    laid = np.full(shape, fill, dtype=values.dtype)
    laid[place] = values
    return laid


def undetermined(rows: Rows, row: Index, stderr: Array) -> Flags:
    """Mark the crossings whose interval is wider than the record."""
    found: Flags = 2.0 * stderr > (rows.last() - rows.first())[row]
    return found


def why_none(rows: Rows, level: Array, beyond: Array | None, asked: Flags) -> NDArray[Any]:
    """Say why rows have no crossing at or beyond a depth, if any are asked about.

    Samples on both sides of the level, and yet no crossing of the kind that is looked for: the
    record ends before it.
    """
    if not asked.any():
        return np.zeros(rows.count, dtype=np.uint8)
    counts = True if beyond is None else rows.depth >= rows.repeat(beyond)
    most = rows.extreme(np.maximum, np.where(counts, rows.value, -np.inf), -np.inf)
    least = rows.extreme(np.minimum, np.where(counts, rows.value, np.inf), np.inf)
    above = np.where(least < level, Status.TRUNCATED, Status.ALWAYS_ABOVE)
    why = np.where(most > level, above, Status.NEVER_REACHED)
    return np.where(most < least, Status.NO_DATA, why).astype(np.uint8)


def highest(rows: Rows) -> tuple[Index, Index]:
    """Find the first of the largest samples: the rows that have any, and its flat position."""
    high = np.flatnonzero(rows.value == rows.repeat(rows.extreme(np.maximum, rows.value)))
    row, first = np.unique(rows.start.searchsorted(high, side="right") - 1, return_index=True)
    return row, high[first]


class Junction(NamedTuple):
    """The chosen crossing of every row; every field has shape (R,)."""

    depth: Array
    stderr: Array
    decay_length: Array
    n_crossings: Index
    status: NDArray[np.uint8]


def junction(
    rows: Rows,
    level: Array,
    after: Array | None = None,
    *,
    edge: int = FALLING,
    which: int = -1,
    confirm: int = 1,
) -> Junction:
    """Choose one crossing of each row.

    Parameters
    ----------
    rows : Rows
        With standard errors, or without.
    level : ndarray, shape (R,)
    after : ndarray, shape (R,), optional
        Only crossings deeper than this; NaN means deeper than the row's own maximum.
    edge : {-1, 1, 0}
        Falling, rising, or either.
    which : int
        -1 the deepest, 1 the shallowest, 2 the next...
    confirm : int
        Samples that must lie on the right side, before the crossing and after it.

    Returns
    -------
    Junction
        NaN, and a status that says why, where no crossing qualifies; and where the interval about
        the one chosen is wider than the record.
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
    columns = np.full((3, rows.count), np.nan)
    at, _, decay = locate(rows, levels, chosen)
    stderr = half_widths(rows, levels, chosen, at, every=every.before)
    columns[:, has] = at, stderr, decay
    # Fewer crossings than the occurrence asked for, or than are confirmed.
    few = np.where(ends & (number == 0), Status.TRUNCATED, Status.NEVER_REACHED)
    none = (number == 0) & ~crossed
    why = np.where(none, why_none(rows, level, after, none), few)
    status = np.where(has, Status.OK, why)
    lost = np.flatnonzero(has)[undetermined(rows, chosen.row, stderr)]
    columns[:, lost], status[lost] = np.nan, Status.UNDETERMINED
    return Junction(columns[0], columns[1], columns[2], number, status.astype(np.uint8))


def _confirmed(rows: Rows, level: Array, found: Crossings, n: int) -> tuple[Flags, Flags]:
    """Whether n samples before and n after lie on their sides of the level.

    And whether the row has so many.
    """
    begin, end = rows.start[found.row], rows.start[found.row + 1]
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
