"""What lies below the end of a record that ends inside of a profile.

An end that falls goes on as an exponential: ``C / -s`` is missing, with the value C and the slope s
of ln C at the last sample. They are of a parabola of ln C over the longest end that one describes:
the whole record, its last half, quarter... An end that levels off is a background; s is negative
beyond its error where the samples show that it does not. A background is low: the higher an end,
the less it bends. A record that rises to its end, or to a plateau there, lacks all of the rest.
"""

from __future__ import annotations

import numpy as np

from sims_analysis.kernels.local_fit import Counted, chance_of_misfit, maximized, solved
from sims_analysis.kernels.rows import Array, Index, Rows, range_sums

#: The parts of an end whose means are fitted, each of one independent sample at least.
_PARTS = 8
#: The scatter is that of so many samples, at most; no mean is better known than so many counts.
_SCATTER, _COUNTS = 64, 1e3
#: A parabola describes an end unless chance makes a larger misfit less often.
_BY_CHANCE = 0.05
#: What is above this part of another is level with it; what is not differs by so many errors.
_LEVEL, _CLEARLY = 0.8, 3.0
#: Backgrounds are hardly above this part of the highest. There the bend of ln C over an end has a
#: standard deviation of 1 beforehand, and less by the root of this power of the height above it.
_BACKGROUND, _POWER = 0.35, 8


def missing_below(rows: Rows, enough: Array) -> Array:
    """Return the integral below the end of each record, (R,), in value times depth.

    Infinite where a record rises to its end. 0 where the end is level but for that, the record is
    level or too short to tell, what lies below is less than `enough`, (R,), or the end is so low
    that a record as long again, and as high, would be.
    """
    missing = np.zeros(rows.count)
    # On a finer grid, samples that are independent are so far apart.
    step = 1 if rows.fraction is None else int(np.ceil(1.0 / rows.fraction.min()))
    which = np.flatnonzero(rows.size >= _PARTS * step)
    end = rows.offsets[1:]
    low = rows.value_at(end[which, None] - np.arange(1, _PARTS + 1)).mean(axis=1)
    high = low * (rows.last - rows.first)[which] > enough[which]
    which, low = which[high], low[high]
    if not which.size:
        return missing
    end, size = end[which], rows.size[which]
    with np.errstate(all="ignore"):
        count = _value_of_a_count(rows, end, size, step)
        _, n, part = _parts(rows, end, size)
        first, highest, ends = part[:, 0], part.max(axis=1), np.minimum(part[:, -1], low)
        rises = (ends > _BACKGROUND * highest) & (first < _LEVEL * ends)
        rises &= ends - first > _CLEARLY * np.sqrt(count * (first + ends) / n[:, 0])
        known = (ends / (_BACKGROUND * highest)) ** _POWER
        below = _continued(rows, end, size, count, known, step)
    below[rises & (below == 0)] = np.inf
    below[part.min(axis=1) > _LEVEL * highest] = 0.0
    missing[which] = np.where(below > enough[which], below, 0.0)
    return missing


def _parts(rows: Rows, end: Index, size: Index) -> tuple[Array, Index, Array]:
    """Return the depths, numbers of samples and means of the parts of ends of so many samples."""
    edges = end[:, None] - size[:, None] * np.arange(_PARTS, -1, -1) // _PARTS
    first, after, n = edges[:, :-1], edges[:, 1:], np.diff(edges)
    depth = 0.5 * (rows.depth_at(first) + rows.depth_at(after - 1))
    return depth, n, range_sums(rows.value.reshape(-1), first, after) / n


def _continued(rows: Rows, end: Index, size: Index, count: Array, known: Array, step: int) -> Array:
    """Integrate the exponentials that continue ends of some rows; 0 where these do not fall.

    `count` is what one count adds to a value, and `known` the information on the bend beforehand.
    """
    halves = np.arange(int(size.max()).bit_length())
    row, half = np.nonzero(size[:, None] >> halves >= _PARTS * step)
    end, size, found = end[row], size[row] >> half, np.zeros(end.size)
    depth, n, mean = _parts(rows, end, size)
    x = depth - rows.depth_at(end - 1)[:, None]
    length, level = -x[:, 0], mean.mean(axis=1)
    x, value = x / length[:, None], mean / level[:, None]
    per_count = (count[row] / level)[:, None] / n + 1.0 / _COUNTS
    x, value, per_count = (column.reshape(-1) for column in (x, value, per_count))
    none, n_parts = np.zeros(x.size), np.full(row.size, _PARTS)
    parts = Counted(x, value, none + 1.0, per_count, none, none, n_parts)
    start = np.zeros(row.size)
    (a, b, c), information = maximized(parts, start, start, known[row])
    error = np.sqrt(solved(information, np.broadcast_to([0.0, 1.0, 0.0], (row.size, 3)))[:, 1])
    falls = (b < -_CLEARLY * error) & (np.exp(b) < _LEVEL) & (level > 0)
    below = np.where(falls, level * length * np.exp(a) / -b, 0.0)
    fits = np.flatnonzero(chance_of_misfit(parts, a, b, c) > _BY_CHANCE)[::-1]
    found[row[fits]] = below[fits]  # the last assignment wins: the longest end
    return found


def _value_of_a_count(rows: Rows, end: Index, size: Index, step: int) -> Array:
    """Return variance over value of independent samples at ends, by third differences."""
    back = np.arange(1, _SCATTER + 3 * step + 1)
    inside = back <= size[:, None]
    value = np.where(inside, rows.value_at(np.maximum(end[:, None] - back, 0)), 0.0)
    v = [value[:, i * step : i * step + _SCATTER] for i in range(4)]
    square = (v[3] - v[0] + 3.0 * (v[1] - v[2])) ** 2 / 20.0
    known = inside[:, 3 * step :]
    total = np.abs(np.where(known, v[0], 0.0).sum(axis=1))
    found: Array = step * np.where(known, square, 0.0).sum(axis=1) / total
    return found
