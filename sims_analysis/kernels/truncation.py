"""What lies below the end of a record that ends inside of a profile.

A decaying end continues as a geometric series: with the dose D1 of the last length l of a record,
D2 of that above it, and r = D1 / D2, what is missing is ``D1 r / (1 - r)`` (Aitken's delta-squared
process). l is the shortest with which the fall is clear. A record that rises to its end, or to a
plateau there, lacks all of the rest. An end that levels off below the profile is a background.
"""

from __future__ import annotations

import numpy as np

from sims_analysis.kernels import segments
from sims_analysis.kernels.rows import Array, Flags, Index, Rows, range_sums

#: Fewest independent samples of a record, and of a length l.
_FEWEST, _SHORTEST = 8, 2
#: A fall is clear if it exceeds so many standard errors, and this part; means are known to 1 %.
_CLEARLY, _FALL, _ROUGHLY = 6.0, 0.15, 0.01
#: An end levels off if it lies above the series by more than so many standard errors, in the mean
#: over so many shorter lengths.
_ABOVE, _SHORTER = 1.4, 4
#: The scatter is that of so many samples, at least.
_SCATTER = 24
#: A record all of whose eighths are above this part of the highest is level, ...
_LEVEL = 0.75
#: ... and it rises to its end if that is above the first part of the highest, and the beginning
#: below the second part of that, by so many standard errors.
_HIGH, _LOW, _RISES = 0.3, 0.6, 4.0


def missing_below(rows: Rows, enough: Array) -> Array:
    """Return the integral below the end of each record, (R,), in value times depth.

    Infinite where a record rises to its end. 0 where the end is level but for that, the record is
    level or too short to tell, what lies below is less than `enough`, (R,), or the end is so low
    that a record as long again, and as high, would be.
    """
    missing = np.zeros(rows.count)
    # On a finer grid, samples that are independent are so far apart.
    step = 1 if rows.fraction is None else int(np.ceil(1.0 / rows.fraction.min()))
    which = np.flatnonzero(rows.size >= _FEWEST * step)
    value, end = rows.value.reshape(-1), rows.offsets[1:]
    low = value[end[which, None] - np.arange(1, _FEWEST + 1)].mean(axis=1)
    high = low * (rows.last - rows.first)[which] > enough[which]
    which, low = which[high], low[high]
    if not which.size:
        return missing
    edges = end[which, None] - rows.size[which, None] * np.arange(8, -1, -1) // 8
    part = range_sums(value, edges[:, :-1], edges[:, 1:]) / np.diff(edges)
    highest, ends = part.max(axis=1), np.minimum(part[:, -1], low)
    with np.errstate(all="ignore"):
        below, noise = _series(rows, which, step)
        error = np.sqrt(noise * (part[:, 0] + ends) / (rows.size[which] / 8))
        rises = (ends > _HIGH * highest) & (part[:, 0] < _LOW * ends)
        rises &= ends - part[:, 0] > _RISES * error
    below[part.min(axis=1) > _LEVEL * highest] = 0.0
    below[rises & (below == 0)] = np.inf
    missing[which] = np.where(below > enough[which], below, 0.0)
    return missing


def _series(rows: Rows, which: Index, step: int) -> tuple[Array, Array]:
    """Continue the ends of some rows; return what is missing, and the scatter of their values.

    That is variance over value of independent samples, as of counts, by third differences.
    """
    value, n, end = rows.value.reshape(-1), rows.size[which, None], rows.offsets[1:][which, None]
    # Lengths of half the record, and shorter by roots of 2.
    n_lengths = int(2.0 * np.log2(n.max() / (2 * step))) + 1
    k = np.maximum((n - 1) / 2 ** (1 + np.arange(n_lengths) / 2), 1).astype(np.intp)
    edges = end[..., None] - 1 - k[..., None] * np.arange(3)
    length = -np.diff(rows.depth_at(edges))
    areas = segments.areas(rows).reshape(-1)
    last, above = np.moveaxis(range_sums(areas, edges[..., 1:], edges[..., :-1]) / length, -1, 0)

    square = _squared_differences(value, step)
    begin = np.maximum(end - np.maximum(2 * k, _SCATTER), end - n + 3 * step)
    every = np.broadcast_to(end, begin.shape)
    noise = step * range_sums(square, begin, every) / np.abs(range_sums(value, begin, every))
    of_mean = noise / k
    error = np.sqrt(of_mean * (last + above) + _ROUGHLY**2 * (last**2 + above**2))
    falls = (k >= _SHORTEST * step) & (above - last > _CLEARLY * error)
    falls &= last < (1 - _FALL) * above

    shortest = n_lengths - 1 - falls[:, ::-1].argmax(axis=1)
    at = np.arange(which.size), shortest
    apart = length.mean(axis=-1)
    rate = (np.log(above / last) / apart)[at]
    ratio = np.exp(-rate[:, None] * apart)
    expected = ratio * above
    error = np.sqrt(of_mean * expected * (1 + ratio) + 2 * (_ROUGHLY * expected) ** 2)
    shorter = np.arange(n_lengths) - shortest[:, None]
    shorter = (k >= step) & (shorter > 0) & (shorter <= _SHORTER)
    off = np.where(shorter, (last - expected) / error, 0.0).sum(axis=1)
    levels_off = off > _ABOVE * shorter.sum(axis=1)
    continues: Flags = falls.any(axis=1) & (last[at] > 0) & ~levels_off
    l_at = length[(*at, 0)]
    return np.where(continues, last[at] * l_at / np.expm1(rate * l_at), 0.0), noise[:, 0]


def _squared_differences(value: Array, step: int) -> Array:
    """Return the variance that third differences of samples so far apart show, at the last."""
    found, first = np.zeros(value.size), 3 * step
    one = [value[i * step : max(value.size - first, 0) + i * step] for i in range(4)]
    found[first:] = (one[3] - one[0] + 3.0 * (one[1] - one[2])) ** 2 / 20.0
    return found
