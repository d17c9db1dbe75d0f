"""What lies below the end of a record that ends inside of a profile.

The end of a record is taken to go on as an exponential, with the value C and the slope of ln C that
a parabola of ln C has at the last sample: ``C / |slope|`` is missing. The parabola is fitted to the
longest end that it describes: the whole record, or a half, a quarter... of it. An end is a
background if its slope is level within the error, which the bend makes larger: what falls and
levels off leaves the slope at its end open. No background is high, so that high ends hardly bend.
A record that rises to its end, or to a plateau there, lacks all of the rest.
"""

from __future__ import annotations

import numpy as np

from sims_analysis.kernels.local_fit import Counted, chance_of_misfit, maximized, solved
from sims_analysis.kernels.rows import Array, Index, Rows, range_sums

#: Parts of an end whose means are fitted, of one independent sample at least.
_PARTS = 8
#: The scatter is that of so many samples, at most, and a part's mean of so many counts.
_SCATTER, _COUNTS = 64, 1e3
#: A parabola describes an end if chance makes a larger misfit as often.
_BY_CHANCE = 0.03
#: What changes is more than this part of what it was, by so many standard errors.
_LEVEL, _CLEARLY = 0.8, 3.0
#: A background is hardly above this part of the highest: the information on the bend of ln C over
#: an end, of which it is 1 there, grows with this power of the height.
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
        one = _value_of_a_count(rows, end, size, step)
        _, n, part = _parts(rows, end, size)
        first, highest, ends = part[:, 0], part.max(axis=1), np.minimum(part[:, -1], low)
        rises = (ends > _BACKGROUND * highest) & (first < _LEVEL * ends)
        rises &= ends - first > _CLEARLY * np.sqrt(one * (first + ends) / n[:, 0])
        information = (ends / (_BACKGROUND * highest)) ** _POWER
        below = _continued(rows, end, size, one, information, step)
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


def _continued(
    rows: Rows, end: Index, size: Index, one: Array, information: Array, step: int
) -> Array:
    """Return what exponentials hold that continue the ends of some rows; 0 where these are level.

    `one` is what a count adds to a value, and `information` that on the bend over an end.
    """
    found, live = np.zeros(end.size), np.arange(end.size)
    while live.size:
        depth, n, mean = _parts(rows, end[live], size[live])
        x = depth - rows.depth_at(end[live] - 1)[:, None]
        length, level = -x[:, 0], mean.mean(axis=1)
        per_count = (one[live] / level)[:, None] / n + 1.0 / _COUNTS
        x, value = x / length[:, None], mean / level[:, None]
        columns = [column.reshape(-1) for column in (x, value, per_count)]
        of_each, none = np.full(live.size, _PARTS), np.zeros(x.size)
        parts = Counted(*columns[:2], none + 1.0, columns[2], none, none, of_each)
        start = np.zeros(live.size)
        (a, b, c), known = maximized(parts, start, start, information[live])
        of_slope = np.broadcast_to([0.0, 1.0, 0.0], (live.size, 3))
        error = np.sqrt(solved(known, of_slope)[:, 1])
        fits = chance_of_misfit(parts, a, b, c) > _BY_CHANCE
        falls = fits & (level > 0) & (b < -_CLEARLY * error) & (np.exp(b) < _LEVEL)
        found[live[falls]] = (level * length * np.exp(a) / -b)[falls]
        size = size // 2
        live = live[~fits & (size[live] >= _PARTS * step)]
    return found


def _value_of_a_count(rows: Rows, end: Index, size: Index, step: int) -> Array:
    """Return variance over value of independent samples at ends, by third differences."""
    back = np.arange(1, _SCATTER + 3 * step + 1)
    inside = back <= size[:, None]
    value = np.where(inside, rows.value_at(np.maximum(end[:, None] - back, 0)), 0.0)
    v = [value[:, i * step : i * step + _SCATTER] for i in range(4)]
    square = (v[3] - v[0] + 3.0 * (v[1] - v[2])) ** 2 / 20.0
    known = inside[:, 3 * step :]
    total: Array = np.abs(np.where(known, v[0], 0.0).sum(axis=1))
    return step * np.where(known, square, 0.0).sum(axis=1) / total
