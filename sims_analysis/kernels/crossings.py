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

from sims_analysis.kernels.rows import Array, Flags, Index, Rows, Status

__all__ = [
    "FALLING",
    "RISING",
    "Crossings",
    "at_samples",
    "find",
    "highest",
    "in_places",
    "locate",
    "numbers",
    "undetermined",
    "why_none",
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
    """Look up at flat positions what belongs to samples, or is the same for those of a row."""
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
    """Return ``ln(c / level)``, also where the ratio leaves the range of float64."""
    ratio = c / level
    found: Array = np.log(ratio)
    beyond = ~((ratio >= np.finfo(np.float64).tiny) & (ratio < np.inf))
    found[beyond] = np.log(c[beyond]) - np.log(level[beyond])
    return found


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
    """Return the reason why rows have no crossing at or beyond a depth, if any are asked about.

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
