"""Records that end inside of a profile: what lies below them, by the shape of their end.

The logarithm of a profile's end is straight as that of an exponential, or bent as a Gaussian's.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sims_analysis.kernels.rows import Array, Flags, Index, Rows, range_sums

#: Shapes are fitted to means of so many parts of the last samples, of this many at least; each mean
#: is known to 1 % at best.
_PARTS, _FEWEST, _ROUGHLY = 12, 6, 0.01
#: A shape describes them if chance makes its misfit this often, the next order is not better by so
#: many standard errors, and it changes by no more than e^4.
_FITS, _BETTER, _RANGE = 0.01, 2.5, 4.0
#: A slope, or a bend, is one if chance makes it this rarely, and ln C changes by as much.
_BY_CHANCE, _CHANGES = 1e-4, 0.2
#: A tail falls by e within this part of the record. What falls more slowly is one if it has fallen
#: from this part of the maximum, and level where it needs so many records.
_STEEP, _FROM, _LEVEL = 1.0 / 3.0, 0.5, 3.0
#: What rises up to the end is a profile above this part of the maximum.
_RISEN = 0.5


class _Shape(NamedTuple):
    """``ln C = a + b z + d z^2 / 2``, z from the end of R records, for the last `n` samples; (R,).

    With b and d in standard errors, and what these need at least; n is 0 without a shape.
    """

    n: Array
    a: Array
    b: Array
    d: Array
    slope: Array
    bend: Array
    least: Array


def missing_below(rows: Rows, enough: Array) -> Array:
    """Return the integral below the end of each record, (R,), in value times depth.

    By the exponential or the Gaussian that describes the longest part of its end; infinite where it
    rises up to it. 0 for backgrounds, plateaus, records that are too short to tell, and what is
    less than `enough`, (R,).
    """
    missing = np.zeros(rows.count)
    long = np.flatnonzero(rows.size >= _FEWEST)
    length = (rows.last - rows.first)[long]
    ends = rows.value_at(rows.offsets[1:][long, None] - 1 - np.arange(_FEWEST)).mean(axis=1)
    high = ends * length * _STEEP > enough[long]
    if high.any():
        highest = rows.reduce(np.maximum, rows.value)
        with np.errstate(all="ignore"):
            missing[long[high]] = _below(rows, long[high], length[high], highest[long[high]])
    return np.where(missing > enough, missing, 0.0)


def _below(rows: Rows, which: Index, length: Array, highest: Array) -> Array:
    """Return what lies below some of the rows."""
    level, line, curve = _shapes(rows, which)
    # What falls slowly, or bends as a plateau does where it begins, is level for half of that; and
    # a tail may become level below its end.
    straight = np.abs(line.slope) > line.least
    straight &= (np.abs(line.b) * length * _STEEP > 1) | (level.n < line.n / 1.5)
    bent = (np.abs(curve.slope) > curve.least) | (curve.bend < -curve.least)
    bent &= (level.n < curve.n / 2) & ~((curve.b < 0) & (curve.d > curve.b**2))
    straight &= ~(bent & (curve.n > 1.5 * line.n))
    a, b, d = (np.where(straight, *both) for both in zip(line[1:4], curve[1:4], strict=True))
    last, fall = np.exp(a), np.abs(b) * length
    exponential = np.where(b < 0, -last / b, np.inf)
    missing = np.where(d < 0, last * _gaussian(b, d), exponential)
    profile = (fall * _STEEP > 1) | (last * np.exp(fall) > _FROM * highest)
    profile &= (fall * _LEVEL > 1) | (d < 0)
    profile &= (b < 0) | (last > _RISEN * highest)
    return np.where((straight | bent) & profile, missing, 0.0)


def _gaussian(b: Array, d: Array) -> Array:
    """Return the integral of ``exp(b z + d z^2 / 2)`` from 0, for d < 0."""
    from scipy.special import erfcx

    root = np.sqrt(-2.0 * d)
    found: Array = np.sqrt(np.pi) / root * erfcx(-b / root)
    return found


def _shapes(rows: Rows, which: Index) -> list[_Shape]:
    """Return the constant, the line and the parabola that each describe the longest part.

    The variance of values is proportional to them, as of counts, and known by third differences.
    """
    value, stop, n = rows.value.reshape(-1), rows.offsets[1:][which], rows.size[which]
    # On a finer grid, samples that are independent.
    step = 1 if rows.fraction is None else int(np.ceil(1.0 / rows.fraction.min()))
    third, fewest = 3 * step, _FEWEST * step
    best = np.zeros((3, len(_Shape._fields), which.size))
    if value.size <= third:
        return [_Shape(*one) for one in best]
    square = np.zeros(value.size)
    part = (value[i * step : value.size - third + i * step] for i in range(4))
    square[third:] = np.dot([-1.0, 3.0, -3.0, 1.0], list(part)) ** 2 / 20.0
    live = np.arange(which.size)
    while (live := live[n >= fewest]).size:
        n, stop = n[n >= fewest], stop[n >= fewest]
        edges = stop[:, None] + n[:, None] * -np.arange(_PARTS, -1, -1) // _PARTS
        begin, end = edges[:, :-1], edges[:, 1:]
        x = (rows.depth_at(begin) + rows.depth_at(end - 1)) / 2 - rows.last[which[live], None]
        mean = np.where(end > begin, range_sums(value, begin, end) / (end - begin), 0.0)
        total = range_sums(value, stop - n, stop)
        one = range_sums(square, stop - n + third, stop) / (n - third) / total * n
        noise = one[:, None] * step / (end - begin)
        known = np.flatnonzero((total > 0) & np.isfinite(one))
        samples = x[known], mean[known], noise[known], n[known] / step
        found = [_fitted(*samples, order) for order in range(3)]
        better = [found[1][0][3], found[2][0][4], np.zeros(known.size)]
        for old, (new, fits), more in zip(best, found, better, strict=True):
            first = fits & (np.abs(more) < _BETTER) & (old[0, live[known]] == 0)
            old[:, live[known[first]]] = np.vstack([n[known], new])[:, first]
        n = np.where(n > fewest, np.maximum((n / 1.4).astype(np.intp), fewest), 0)
    return [_Shape(*one) for one in best]


def _fitted(x: Array, mean: Array, noise: Array, n: Array, order: int) -> tuple[Array, Flags]:
    """Fit ``ln C`` of means by iterated weights: a shape, but n, and whether it describes them.

    The variance of a mean is `noise` times its value: infinite without a sample.
    """
    from scipy.special import chdtri, stdtrit

    scale = np.abs(x).max(axis=1, keepdims=True)
    terms = np.stack([np.ones_like(x), x / scale, (x / scale) ** 2 / 2][: order + 1], axis=1)
    highest = mean.max(axis=1, keepdims=True)
    curve = np.clip(mean, 1e-3 * highest, highest)
    for _ in range(5):
        weight = 1.0 / (noise / curve + _ROUGHLY**2)
        least = 1e-12 * weight.max(axis=1)[:, None, None] * np.eye(order + 1)  # never singular
        inverse = np.linalg.inv((terms * weight[:, None]) @ terms.mT + least)
        y = weight * (np.log(curve) + mean / curve - 1.0)
        found = (inverse @ (terms @ y[..., None]))[..., 0]
        line = (found[:, None] @ terms)[:, 0] - np.log(highest)
        curve = highest * np.exp(np.clip(line, -20.0, 3.0))
    misfit = (weight * (mean / curve - 1.0) ** 2).sum(axis=1)
    free = (weight > 0).sum(axis=1) - order - 1
    variance = np.diagonal(inverse, axis1=1, axis2=2) * np.maximum(misfit / free, 1.0)[:, None]
    missing = ((0, 0), (0, 2 - order))
    found, error = (np.pad(one, missing) for one in (found, np.sqrt(variance)))
    change = np.ptp(line, axis=1)
    least = np.where(change > _CHANGES, stdtrit(free + n - 3, 1 - _BY_CHANCE), np.inf)
    shape = np.stack([*(found / scale ** np.arange(3)).T, *(found / error).T[1:], least])
    return shape, (misfit < chdtri(free, _FITS)) & (change < _RANGE)
