"""Where profiles cross a level between their samples, and which crossings noise can make.

Levels are one for each sample. With ``l = ln(value / level)`` at the ends of a segment, the
crossing lies at ``t = l0 / (l0 - l1)``, which is exact for exponentials; linear where a logarithm
cannot be taken.

A run is the samples between two crossings. Near an edge, and where a profile stays near the level,
noise cuts it into many short ones; what is left when these are joined are the edges.
"""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.counting import value_per_count
from sims_analysis.kernels.rows import (
    IN_CACHE,
    Array,
    Dense,
    Flags,
    Index,
    Rows,
    changed,
    same_for_all,
)

RISING, FALLING = 1, -1

#: A run is significant from so many standard errors on, if it could be at so FEW places.
SIGNIFICANT, FEW = 4.0, 10


class Crossings(NamedTuple):
    """Crossings in order of row and depth, between the samples ``before`` and ``after``; (K,).

    Samples exactly on the level may lie between these; the crossing is then at the first of them.
    One among samples without a value is hidden: before and after the last, or the first, with one.
    """

    row: Index
    before: Index
    after: Index
    falling: Flags

    def take(self, which: Index | Flags) -> Crossings:
        """Select crossings by index or mask."""
        return Crossings._make(field[which] for field in self)

    def number(self, rows: Rows) -> Index:
        """Count the crossings of each row, (R,)."""
        return np.bincount(self.row, minlength=rows.count)

    @property
    def hidden(self) -> Flags:
        """Whether it lies among samples without a value."""
        hidden: Flags = self.before == self.after
        return hidden

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
    """Depths of crossings, relative positions in their segments (0 to 1), and what ends tell; (K,).

    The decay length ``|dz / d ln(value / level)|``, NaN where a logarithm cannot be taken, and the
    steepness ``|d(value - level) / dz|``.
    """

    depth: Array
    position: Array
    decay_length: Array
    steepness: Array


def find(rows: Rows, level: Array) -> Crossings:
    """Find every crossing of the `level`, one for each sample.

    A profile that passes through a sample, or a plateau, at the level crosses it at the first such
    sample. One that touches the level, or begins or ends on it, does not cross it there.
    """
    # One number is compared three times as fast as one for each row.
    of_rows = level.size > 0 and (len(level) == rows.count or level.strides[0] == 0)
    same_level = of_rows and same_for_all(level)
    row, before = _changes(rows.value, level[:1] if same_level else level, rows.offsets)
    after = before + 1
    falling = rows.value_at(before) > _at_samples(level, row, before)
    lower, outward = np.where(falling, after, before), np.where(falling, 1, -1)
    crosses = np.ones(row.size, dtype=bool)
    on = np.flatnonzero(rows.value_at(lower) == _at_samples(level, row, lower))
    while on.size:  # a sample on the level is on neither side: what lies beyond it decides
        lower[on] += outward[on]
        inside = (lower[on] >= rows.offsets[row[on]]) & (lower[on] < rows.offsets[row[on] + 1])
        crosses[on[~inside]] = False
        on = on[inside]
        beyond, limit = rows.value_at(lower[on]), _at_samples(level, row[on], lower[on])
        crosses[on[beyond > limit]] = False
        on = on[beyond == limit]
    before, after = np.where(falling, before, lower), np.where(falling, lower, after)
    crossings = Crossings(row, before, after, falling)
    return crossings if crosses.all() else crossings.take(crosses)


def _changes(value: Array, level: Array, offsets: Index) -> tuple[Index, Index]:
    """Find where rows change sides of their levels: the row, and the sample before."""
    n, changes = prod(value.shape[1:]), [np.empty(0, dtype=np.intp)]
    step = max(IN_CACHE // max(n, 1), 1)
    for begin in range(0, len(value), step):
        part = slice(begin, begin + step + 1)  # and the next, which the last may differ from
        above = (value[part] > (level if len(level) == 1 else level[part])).reshape(-1)
        change = np.flatnonzero(above[1:] != above[:-1])
        changes.append(begin * n + change[change < step * n])
    before = np.concatenate(changes)
    row = offsets.searchsorted(before, side="right") - 1
    inside = before + 1 < offsets[row + 1]  # not between two rows
    return row[inside], before[inside]


def _at_samples(level: Array, row: Index, position: Index) -> Array:
    """Look up a level, of each row or each sample, at flat positions in some rows."""
    if level.ndim == 1 and level.strides[0] == 0:
        return np.broadcast_to(level[:1], position.shape)  # the same everywhere
    of_rows = level.ndim > 1 and level.shape[1] == 1
    return level.reshape(-1).take(row if of_rows else position)


def locate(rows: Rows, level: Array, crossings: Crossings) -> Located:
    """Locate crossings between their samples, or at the first sample that lies on the level."""
    ends = crossings.before, crossings.after
    (c0, c1), (z0, z1) = map(rows.value_at, ends), map(rows.depth_at, ends)
    l0, l1 = (_at_samples(level, crossings.row, end) for end in ends)
    width, off = z1 - z0, c0 - l0
    with np.errstate(all="ignore"):
        straight = ~((np.minimum(c0, c1) > 0) & (np.minimum(l0, l1) > 0))
        drop, ratio = off - (c1 - l1), np.log(c0 / l0)
        fall = ratio - np.log(c1 / l1)
        position = np.where(straight, off / drop, ratio / fall)
        decay = np.where(straight, np.nan, width / np.abs(fall))
        steepness = np.where(straight, np.abs(drop) / width, l0 / decay)
    np.clip(position, 0.0, 1.0, out=position)  # rounding must not leave the segment
    depth = np.minimum(z0 + position * width, z1)
    on = crossings.on_sample
    depth[on] = rows.depth_at(crossings.before[on] + 1)
    depth[crossings.hidden] = z0[crossings.hidden]
    position[on] = (depth[on] - z0[on]) / width[on]
    return Located(depth, position, decay, steepness)


def crossings_around(crossings: Crossings, row: Index, position: Index) -> tuple[Index, Index]:
    """Find the crossings nearest to a sample of each of some rows, before it and after it.

    Return which, and their flat places in a table ``(R, 2)``.
    """
    after = crossings.before.searchsorted(position)
    near = np.stack([after - 1, after], axis=1)
    same_row = np.append(crossings.row, -1)[near] == row[:, None]
    place = 2 * row[:, None] + np.arange(2)
    return near[same_row], place[same_row]


def as_table(
    values: NDArray[Any], place: Index, shape: tuple[int, ...], fill: float = np.nan
) -> NDArray[Any]:
    """Lay out values at flat places of a table, with `fill` elsewhere."""
    table = np.full(shape, fill, dtype=values.dtype)
    table.reshape(-1)[place] = values
    return table


def highest(rows: Rows) -> tuple[Index, Index]:
    """Find the (first) maximum of each row: the rows that have samples, and its flat position."""
    if isinstance(rows, Dense) and rows.depth.size:
        return np.arange(rows.count), rows.offsets[:-1] + rows.value.argmax(axis=1)
    at_maximum = np.flatnonzero(rows.value == rows.repeat(rows.reduce(np.maximum, rows.value)))
    row = rows.offsets.searchsorted(at_maximum, side="right") - 1
    row, first = np.unique(row, return_index=True)
    return row, at_maximum[first]


def significant(
    rows: Rows,
    level: Array,
    crossings: Crossings,
    level_stderr: Array | float = 0.0,
    floor: Array | None = None,
) -> Crossings:
    """Leave out the crossings that noise can make; all are kept without standard errors.

    The significance of a run is ``|sum(c - L)| / sqrt(sum var)``, with the variances that its
    samples would have at the level. The least certain run of less than four joins its neighbours,
    again and again. Noise may make a run of n samples anywhere in a row of N: from ten such places
    on it takes ``sqrt(16 + 2 ln(N / 10 n))``.
    """
    if rows.stderr is None or not crossings.row.size:
        return crossings
    under = 0.0 if floor is None else rows.repeat(floor)

    def of_row(samples: Array) -> Array:
        total: Array = rows.repeat(rows.sum(samples))
        return total

    known = np.isfinite(rows.stderr)
    stderr = np.where(known, rows.stderr, 0.0)
    of_count = value_per_count(rows.value + under, stderr, of_row)
    with np.errstate(invalid="ignore", over="ignore"):
        variance = of_count * np.maximum(level + under, 0.0) + np.square(level_stderr)
        excess = rows.value - level
        if not known.all():
            # Without any standard error in its row, every sample is certain.
            certain = known | (of_row(known.astype(np.float64)) == 0.0)
            excess[~certain], variance[~known] = 0.0, 0.0
        variance[np.isnan(variance)] = 0.0
        first = rows.offsets[:-1][rows.size > 0]
        begin = np.append(first, crossings.before + 1)
        order = begin.argsort(kind="stable")
        begin = begin[order]
        excess, variance = (np.add.reduceat(x.reshape(-1), begin) for x in (excess, variance))
    crossing = np.append(np.full(first.size, -1), np.arange(crossings.row.size))[order]
    row = rows.offsets.searchsorted(begin, side="right") - 1
    size = np.diff(np.append(begin, rows.value.size))
    kept, falling = _merge_insignificant(row, crossing, excess, variance, size)
    return changed(crossings.take(kept), falling=falling)


def _merge_insignificant(
    row: Index, crossing: Index, excess: Array, variance: Array, size: Index
) -> tuple[Index, Flags]:
    """Join runs until all are significant; return the crossings between them, and which fall.

    `crossing` is the one at which a run begins; -1 for the first of its row. All runs that are the
    least certain of five neighbours are joined at once.
    """
    whole = np.bincount(row, size)[row]
    with np.errstate(divide="ignore", invalid="ignore"):
        while True:
            same = row[1:] == row[:-1]
            needed = SIGNIFICANT**2 + 2.0 * np.log(np.maximum(whole / (FEW * size), 1.0))
            certain = excess * excess / (variance * needed)
            certain[variance == 0.0] = np.inf
            least = certain < 1.0
            for k, near in ((1, same), (2, same[1:] & same[:-1])):
                later = certain[k:] < certain[:-k]
                least[:-k] &= ~(near & later)
                least[k:] &= later | ~near
            # A run that has joined its neighbours may outweigh them.
            joined = same & (least[1:] | least[:-1] | (excess[1:] * excess[:-1] > 0.0))
            if not joined.any():
                break
            begin = np.flatnonzero(np.concatenate([_TRUE, ~joined]))
            excess, variance, size = (np.add.reduceat(x, begin) for x in (excess, variance, size))
            row, crossing, whole = row[begin], crossing[begin], whole[begin]
    between = np.flatnonzero(same)
    return crossing[between + 1], excess[between] > 0


_TRUE = np.ones(1, dtype=bool)
