"""Depths at which profiles cross a level, or each other.

One search serves a fixed level, one level per profile, and a level at every sample (donors against
acceptors). With ``l = ln(value / level)`` at the two ends of a segment, the crossing lies at
``t = l0 / (l0 - l1)``, which is exact for exponentials. Interpolation is linear where a logarithm
cannot be taken.
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
    "index_in_row",
    "locate",
    "padded",
    "undetermined",
    "why_none",
]

RISING, FALLING = 1, -1


class Crossings(NamedTuple):
    """Crossings in order of row and depth; every field has shape (K,).

    ``before`` and ``after`` are the flat positions of the samples on either side of the level.
    Samples exactly on the level may lie between them.
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


class Located(NamedTuple):
    """Depths of crossings, relative positions in their segments (0 to 1), decay lengths; (K,)."""

    depth: Array
    position: Array
    decay_length: Array


def find(rows: Rows, level: Array) -> Crossings:
    """Find every crossing of the level.

    A profile that passes through a sample exactly at the level has one crossing there. A touch is
    not a crossing. A plateau at the level that the profile passes through is a crossing at its
    first sample. A profile that begins or ends on the level does not cross it there.

    Parameters
    ----------
    rows : Rows
    level : ndarray
        One for each sample: ``rows.repeat(level)`` for a level per row.
    """
    above = (rows.value > level).reshape(-1)
    before = _changes(above, rows.start)
    after = before + 1
    lower = np.where(above[before], after, before)
    if (rows.value_at(lower) == at_samples(rows, level, lower)).any():
        # Samples on the level are on neither side: compare their neighbours.
        off = np.flatnonzero(rows.value != level)
        change = _changes(above[off], off.searchsorted(rows.start))
        before, after = off[change], off[change + 1]
    row = rows.start.searchsorted(before, side="right") - 1
    return Crossings(row, before, after, above[before])


def _changes(above: Flags, start: Index) -> Index:
    """Find the samples after which a row changes sides."""
    change = above[1:] != above[:-1]
    inner = start[(start > 0) & (start < above.size)]
    change[inner - 1] = False  # between two rows
    return np.flatnonzero(change)


def at_samples(rows: Rows, samples: Array, position: Index) -> Array:
    """Index an array that broadcasts to the samples by flat position."""
    full = np.broadcast_to(samples, rows.value.shape)
    found: Array = full[divmod(position, max(full.shape[1], 1)) if full.ndim > 1 else position]
    return found


def locate(rows: Rows, level: Array, found: Crossings) -> Located:
    """Locate crossings between their samples, or at the first sample that lies on the level.

    The decay length is ``|dz / d ln(value / level)|`` between the two samples; NaN where a
    logarithm cannot be taken.
    """
    ends = found.before, found.after
    (c0, c1), (z0, z1) = map(rows.value_at, ends), map(rows.depth_at, ends)
    l0, l1 = (at_samples(rows, level, end) for end in ends)
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


def index_in_row(row: Index, count: Index) -> Index:
    """Return the index of each entry in its row; `row` is sorted, `count` is entries per row."""
    found: Index = np.arange(row.size) - (np.cumsum(count) - count)[row]
    return found


def padded(
    values: NDArray[Any], index: tuple[Index, Index], shape: tuple[int, int], fill: float
) -> NDArray[Any]:
    """Put values into a table at ``index``, and `fill` into the rest."""
    table = np.full(shape, fill, dtype=values.dtype)
    table[index] = values
    return table


def undetermined(rows: Rows, row: Index, stderr: Array) -> Flags:
    """Flag the crossings whose interval is wider than the record."""
    found: Flags = 2.0 * stderr > (rows.last() - rows.first())[row]
    return found


def why_none(rows: Rows, level: Array, beyond: Array | None, missing: Flags) -> NDArray[Any]:
    """Return the status of rows without a crossing at or beyond a depth, if any are `missing` one.

    With samples on both sides of the level, but no crossing of the requested kind, the record ends
    too early: ``truncated``.
    """
    if not missing.any():
        return np.zeros(rows.count, dtype=np.uint8)
    inside = True if beyond is None else rows.depth >= rows.repeat(beyond)
    largest = rows.extreme(np.maximum, np.where(inside, rows.value, -np.inf), -np.inf)
    smallest = rows.extreme(np.minimum, np.where(inside, rows.value, np.inf), np.inf)
    above = np.where(smallest < level, Status.TRUNCATED, Status.ALWAYS_ABOVE)
    why = np.where(largest > level, above, Status.NEVER_REACHED)
    return np.where(largest < smallest, Status.NO_DATA, why).astype(np.uint8)


def highest(rows: Rows) -> tuple[Index, Index]:
    """Find the (first) maximum of each row: the rows that have samples, and its flat position."""
    at_maximum = np.flatnonzero(rows.value == rows.repeat(rows.extreme(np.maximum, rows.value)))
    row = rows.start.searchsorted(at_maximum, side="right") - 1
    row, first = np.unique(row, return_index=True)
    return row, at_maximum[first]
