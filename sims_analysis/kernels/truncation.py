"""What lies below the end of a record that ends inside of a profile.

An end that falls goes on as an exponential: ``C / -s`` is missing, with the value C and the slope s
of ln C at the last sample. They are of a parabola of ln C over the longest end that one describes,
and than which no shorter one is clearly flatter: the whole record, or ends shorter by roots of 2.
An end that levels off is a background; s is negative beyond its error where the samples show that
it does not. A background is low: the higher an end, the less it bends. A record that rises to its
end, or to a plateau there, lacks all of the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sims_analysis.kernels.local_fit import Counted, chance_of_misfit, maximized, solve
from sims_analysis.kernels.rows import Array, Index, Rows, range_sums


@dataclass(frozen=True)
class _Rules:
    """The numbers by which ends are judged."""

    parts: int = 8  # of an end, whose means are fitted: of one independent sample at least
    scatter: int = 64  # so many samples show it, at most
    counts: float = 3e3  # no mean is taken to be better known, as ends are no parabolas
    by_chance: float = 0.05  # a parabola describes an end unless chance makes its misfit as rarely
    clearly: float = 2.5  # a slope, or its excess over another, or a rise, is so many errors
    level: float = 0.8  # what is above this part of another is level with it
    background: float = 0.35  # hardly any is above this part of the highest: there the bend of ln C
    power: int = 5  # has a deviation of 1 beforehand, less by the root of this power of the height


_RULES = _Rules()


def missing_below(rows: Rows, enough: Array) -> Array:
    """Return the integral below the end of each record, (R,), in value times depth.

    Infinite where a record rises to its end. 0 where the end is level but for that, the record is
    level or too short to tell, what lies below is less than `enough`, (R,), or the end is so low
    that a record as long again, and as high, would be.
    """
    missing = np.zeros(rows.count)
    # On a finer grid, samples that are independent are so far apart.
    step = 1 if rows.fraction is None else int(np.ceil(1.0 / rows.fraction.min()))
    which = np.flatnonzero(rows.size >= _RULES.parts * step)
    end = rows.offsets[1:]
    low = rows.value_at(end[which, None] - np.arange(1, _RULES.parts + 1)).mean(axis=1)
    high = low * (rows.last - rows.first)[which] > enough[which]
    which, low = which[high], low[high]
    if not which.size:
        return missing
    end, size = end[which], rows.size[which]
    with np.errstate(all="ignore"):
        count = _value_of_a_count(rows, end, size, step)
        _, n, part = _parts(rows, end, size)
        first, highest, ends = part[:, 0], part.max(axis=1), np.minimum(part[:, -1], low)
        rises = (ends > _RULES.background * highest) & (first < _RULES.level * ends)
        rises &= ends - first > _RULES.clearly * np.sqrt(count * (first + ends) / n[:, 0])
        known = (ends / (_RULES.background * highest)) ** _RULES.power
        below = _extrapolated(rows, end, size, count, known, step)
    below[rises & (below == 0)] = np.inf
    below[part.min(axis=1) > _RULES.level * highest] = 0.0
    missing[which] = np.where(below > enough[which], below, 0.0)
    return missing


def _parts(rows: Rows, end: Index, size: Index) -> tuple[Array, Index, Array]:
    """Return the depths, numbers of samples and means of the parts of ends of so many samples."""
    edges = end[:, None] - size[:, None] * np.arange(_RULES.parts, -1, -1) // _RULES.parts
    first, after, n = edges[:, :-1], edges[:, 1:], np.diff(edges)
    depth = 0.5 * (rows.depth_at(first) + rows.depth_at(after - 1))
    return depth, n, range_sums(rows.value.reshape(-1), first, after) / n


def _extrapolated(
    rows: Rows, end: Index, size: Index, count: Array, known: Array, step: int
) -> Array:
    """Integrate the exponentials that continue ends of some rows; 0 where these do not fall.

    `count` is what one count adds to a value, and `known` the information on the bend beforehand.
    """
    shorter = 2.0 ** (0.5 * np.arange(2 * int(size.max()).bit_length()))
    sizes, found = (size[:, None] / shorter).astype(np.intp), np.zeros(end.size)
    row, place = np.nonzero(sizes >= _RULES.parts * step)
    end, size = end[row], sizes[row, place]
    depth, n, mean = _parts(rows, end, size)
    x = depth - rows.depth_at(end - 1)[:, None]
    length, level = -x[:, 0], mean.mean(axis=1)
    x, value = x / length[:, None], mean / level[:, None]
    per_count = (count[row] / level)[:, None] / n + 1.0 / _RULES.counts
    x, value, per_count = (column.reshape(-1) for column in (x, value, per_count))
    none, n_parts = np.zeros(x.size), np.full(row.size, _RULES.parts)
    parts = Counted(x, value, none + 1.0, per_count, none, none, n_parts)
    start = np.zeros(row.size)
    (a, b, c), information = maximized(parts, start, start, known[row])
    error = np.sqrt(solve(information, np.broadcast_to([0.0, 1.0, 0.0], (row.size, 3)))[:, 1])
    falls = (b < -_RULES.clearly * error) & (level > 0)
    below = np.where(falls, level * length * np.exp(a) / -b, 0.0)
    flattest = np.full(sizes.shape, -np.inf)
    flattest[row, place] = (b - _RULES.clearly * error) / length
    flattest = np.fmax.accumulate(flattest[:, ::-1], axis=1)[:, ::-1]  # of all that are shorter
    fits = chance_of_misfit(parts, a, b, c) > _RULES.by_chance
    longest_last = np.flatnonzero(fits & (b / length >= flattest[row, place]))[::-1]
    found[row[longest_last]] = below[longest_last]  # the last assignment wins
    return found


def _value_of_a_count(rows: Rows, end: Index, size: Index, step: int) -> Array:
    """Return variance over value of independent samples at ends, by third differences."""
    back = np.arange(1, _RULES.scatter + 3 * step + 1)
    inside = back <= size[:, None]
    value = np.where(inside, rows.value_at(np.maximum(end[:, None] - back, 0)), 0.0)
    v = [value[:, i * step : i * step + _RULES.scatter] for i in range(4)]
    square = (v[3] - v[0] + 3.0 * (v[1] - v[2])) ** 2 / 20.0
    known = inside[:, 3 * step :]
    total = np.abs(np.where(known, v[0], 0.0).sum(axis=1))
    found: Array = step * np.where(known, square, 0.0).sum(axis=1) / total
    return found
