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
_BY_CHANCE, _CHANGES = 3e-4, 0.2
#: A tail falls by e within this part of the record, and is none that may be level if that is beyond
#: the first. What falls more slowly is one if it has fallen from this part of the highest, and
#: level where it needs so many records.
_STEEP, _SLOW, _FROM, _LEVEL = 1.0 / 3.0, 0.8, 0.5, 3.0
#: What rises up to the end is a profile above this part of the maximum. So is what ends above this
#: part of it, as means of parts of so many show, and begins below the former part of that, by so
#: many standard errors.
_RISEN, _HIGH, _EIGHTH, _CLEARLY = 0.3, 0.5, 8, 4.0
#: A plateau is as long as this part of what another shape describes.
_LONG = 0.45


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
    rises up to it, or to a plateau there. 0 for backgrounds, plateaus below the profile, records
    that are level throughout, or too short to tell, and what is less than `enough`, (R,).
    """
    missing = np.zeros(rows.count)
    long = np.flatnonzero(rows.size >= _FEWEST)
    length = (rows.last - rows.first)[long]
    few = rows.offsets[1:][long, None] - 1 - np.arange(_FEWEST)
    high = rows.value_at(few).mean(axis=1) * length * _SLOW > enough[long]
    long, length = long[high], length[high]
    if long.size:
        missing[long] = _below_the_end(rows, long, length, enough[long])
    return np.where(missing > enough, missing, 0.0)


def _below_the_end(rows: Rows, which: Index, length: Array, enough: Array) -> Array:
    """Return the integral below the end of some of the rows."""
    value, (first, end) = (
        rows.value.reshape(-1),
        (rows.offsets[:-1][which], rows.offsets[1:][which]),
    )
    n = np.maximum(rows.size[which] // _EIGHTH, _FEWEST)
    parts = (first, first + n), (end - n, end), (end - _FEWEST, end)
    means = [range_sums(value, *part) / (part[1] - part[0]) for part in parts]
    begins, ends = means[0], np.minimum(*means[1:])
    highest = _highest(rows)[which]
    with np.errstate(all="ignore"):
        below = _below(rows, which, length, highest)
    # What begins low, and ends high, is a profile whatever its shape.
    risen = (begins < _RISEN * ends) & (ends > _HIGH * highest)
    if risen.any():
        squares = (range_sums(value**2, *part) / n for part in parts[:2])
        noise = sum(one - mean**2 for one, mean in zip(squares, means[:2], strict=True)) / n
        risen &= ends - begins > _CLEARLY * np.sqrt(np.maximum(noise, 0.0))
    found = np.where(risen & (below == 0), np.inf, below)
    return np.where(ends * length * _SLOW > enough, found, 0.0)


def _highest(rows: Rows) -> Array:
    """Return the highest mean over neighbours, which noise raises less than the maximum."""
    begin = np.arange(rows.value.size)
    end = np.minimum(begin + _FEWEST, rows.value.size)
    mean = range_sums(rows.value.reshape(-1), begin, end) / _FEWEST
    inside = end <= np.repeat(rows.offsets[1:], rows.size)
    found: Array = rows.reduce(
        np.maximum, np.where(inside, mean, -np.inf).reshape(rows.value.shape)
    )
    return found


def _below(rows: Rows, which: Index, length: Array, highest: Array) -> Array:
    """Return what lies below some of the rows."""
    level, line, curve = _shapes(_samples(rows), which)
    # What is level below where it falls is a plateau.
    straight = np.abs(line.slope) > line.least
    straight &= (np.abs(line.b) * length * _STEEP > 1) | (level.n < _LONG * line.n)
    bent = (np.abs(curve.slope) > curve.least) | (curve.bend < -curve.least)
    bent &= (level.n < _LONG * curve.n) & (curve.d < 0)
    straight &= ~(bent & (curve.n > 1.5 * line.n))
    a, b, d = (np.where(straight, *both) for both in zip(line[1:4], curve[1:4], strict=True))
    last, fall = np.exp(a), np.abs(b) * length
    exponential = np.where(b < 0, -last / b, np.inf)
    missing = np.where(d < 0, last * _gaussian(b, d), exponential)
    profile = (fall * _SLOW > 1) | (last * np.exp(fall) > _FROM * highest)
    profile &= (fall * _LEVEL > 1) | (d < 0)
    profile &= (b < 0) | (last > _RISEN * highest)
    return np.where((straight | bent) & profile, missing, 0.0)


def _gaussian(b: Array, d: Array) -> Array:
    """Return the integral of ``exp(b z + d z^2 / 2)`` from 0, for d < 0."""
    from scipy.special import erfcx

    root = np.sqrt(-2.0 * d)
    found: Array = np.sqrt(np.pi) / root * erfcx(-b / root)
    return found


class _Samples(NamedTuple):
    """Rows, squares of the third differences of their values, and samples that are independent."""

    rows: Rows
    square: Array
    step: int

    def parts(self, which: Index, n: Index) -> tuple[Array, Array, Array]:
        """Return depths and means of parts of the last `n` samples, and the noise of the means.

        The variance of values is proportional to them, as of counts; that of a mean is the noise
        times its value: infinite without a sample.
        """
        value, stop = self.rows.value.reshape(-1), self.rows.offsets[1:][which]
        edges = stop[:, None] + n[:, None] * -np.arange(_PARTS, -1, -1) // _PARTS
        begin, end = edges[:, :-1], edges[:, 1:]
        x = (self.rows.depth_at(begin) + self.rows.depth_at(end - 1)) / 2
        mean = np.where(end > begin, range_sums(value, begin, end) / (end - begin), 0.0)
        total, third = range_sums(value, stop - n, stop), 3 * self.step
        one = range_sums(self.square, stop - n + third, stop) / (n - third) / total * n
        noise = one[:, None] * self.step / (end - begin)
        return x - self.rows.last[which, None], mean, noise


def _samples(rows: Rows) -> _Samples:
    value = rows.value.reshape(-1)
    # On a finer grid, samples that are independent.
    step = 1 if rows.fraction is None else int(np.ceil(1.0 / rows.fraction.min()))
    third, square = 3 * step, np.zeros(value.size)
    if value.size > third:
        part = (value[i * step : value.size - third + i * step] for i in range(4))
        square[third:] = np.dot([-1.0, 3.0, -3.0, 1.0], list(part)) ** 2 / 20.0
    return _Samples(rows, square, step)


def _shapes(samples: _Samples, which: Index) -> list[_Shape]:
    """Return the constant, the line and the parabola that each describe the longest part."""
    n, fewest = samples.rows.size[which], _FEWEST * samples.step
    best = np.zeros((3, len(_Shape._fields), which.size))
    live = np.arange(which.size)
    while (live := live[n >= fewest]).size:
        n = n[n >= fewest]
        x, mean, noise = samples.parts(which[live], n)
        known = np.flatnonzero((mean.max(axis=1) > 0) & (noise[:, -1] < np.inf))
        own = x[known], mean[known], noise[known], n[known] / samples.step
        found = [_fitted(*own, order) for order in range(3)]
        better = [found[1][0][3], found[2][0][4], np.zeros(known.size)]
        for old, (new, fits), more in zip(best, found, better, strict=True):
            first = fits & (np.abs(more) < _BETTER) & (old[0, live[known]] == 0)
            old[:, live[known[first]]] = np.vstack([n[known], new])[:, first]
        n = np.where(n > fewest, np.maximum((n / 1.4).astype(np.intp), fewest), 0)
        # What is level over a shorter part than that does not matter.
        level, *others = best[:, 0, live]
        n[(np.minimum(*others) > 0) & ((level > 0) | (n < _LONG * np.minimum(*others)))] = 0
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
    every = np.zeros((2, n.size, 3))
    every[..., : order + 1] = found, np.sqrt(variance)
    found, error = every
    change = np.ptp(line, axis=1)
    least = np.where(change > _CHANGES, stdtrit(free + n - 3, 1 - _BY_CHANCE), np.inf)
    shape = np.stack([*(found / scale ** np.arange(3)).T, *(found / error).T[1:], least])
    return shape, (misfit < chdtri(free, _FITS)) & (change < _RANGE)
