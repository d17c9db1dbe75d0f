"""Parabolas of ln C through the samples about a place, by the likelihood of their counts.

And through averages over cells, whose middles are points of the profile.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.counting import value_per_count
from sims_analysis.kernels.rows import Array, Flags, Index, Packed, Rows, changed, errors_of

#: A normal variable is below so many standard deviations with a probability of 0.683.
ONE_SIDED = 0.475


class Samples(NamedTuple):
    """Both sides at all samples, end to end, and which of these are known; and K of them, (K,).

    Those are the flat positions about which there are windows, within ``begin:end``, and what was
    subtracted from the samples there (`floor`).
    """

    depth: Array
    upper: Array
    upper_stderr: Array
    lower: Array
    lower_stderr: Array
    known: Flags
    at: Index
    begin: Index
    end: Index
    floor: Array

    def about(self, which: Index | slice) -> Samples:
        """Select windows."""
        return Samples._make([*self[:6], *(one[which] for one in self[6:])])

    def between(self, first: Index, end: Index) -> tuple[Index, Index]:
        """Return the positions of the known samples of K windows, end to end, and their numbers."""
        size = end - first
        position = np.arange(size.sum()) + np.repeat(first - (np.cumsum(size) - size), size)
        known = self.known.take(position)
        if not known.all():
            row = np.repeat(np.arange(size.size), size)[known]
            position, size = position[known], np.bincount(row, minlength=size.size)
        return position, size

    def sums(self) -> Array:
        """Return what ranges of samples are summed of: differences, variances, numbers; (3, N + 1).

        0 where not known, and after the last sample, where a range may end.
        """
        sums = np.zeros((3, self.depth.size + 1))
        differences, variances, numbers = sums[:, :-1]
        np.subtract(self.upper, self.lower, out=differences)
        np.add(self.upper_stderr**2, self.lower_stderr**2, out=variances)
        numbers[:] = self.known
        sums[:, np.flatnonzero(~self.known)] = 0.0
        return sums


def samples_of(
    rows: Rows, lower: Array, lower_stderr: Array | float, *windows: NDArray[Any]
) -> Samples:
    """Return the samples of rows against a lower side, one value for each; windows as above."""
    errors = errors_of(rows)
    columns: list[Array] = [
        np.broadcast_to(one, rows.value.shape).reshape(-1)
        for one in (rows.depth, rows.value, errors, lower, lower_stderr)
    ]
    known = np.logical_and.reduce([np.isfinite(one) for one in columns[2:]])
    return Samples._make([*columns, known, *windows])


class Counted(NamedTuple):
    """Samples of R windows, end to end: depths, values of both sides, and those of one count.

    ``under`` is what was subtracted from the upper, over the lower; ``size``, (R,), at least 1.
    """

    x: Array
    upper: Array
    lower: Array
    one_upper: Array
    one_lower: Array
    under: Array
    size: Index

    @property
    def starts(self) -> Index:
        """Where each window begins, (R,)."""
        return self.size.cumsum() - self.size

    def reduce(self, ufunc: np.ufunc, samples: NDArray[Any]) -> NDArray[Any]:
        """Reduce the samples of each window, (..., R)."""
        reduced: NDArray[Any] = ufunc.reduceat(samples, self.starts, axis=-1)
        return reduced


def counted(
    samples: Samples, first: Index, end: Index, origin: Array
) -> tuple[Counted, Array, Index]:
    """Return windows of samples as counts, the scale of their depths, and which have samples.

    Depths are relative to the `origin` of each window, over the largest of them.
    """
    position, size = samples.between(first, end)
    some, size = np.flatnonzero(size), size[size > 0]
    depth, upper, upper_stderr, lower, lower_stderr = (one.take(position) for one in samples[:5])
    made = Counted(depth - np.repeat(origin[some], size), upper, lower, upper, lower, lower, size)

    def of_all(summed: Array) -> Array:
        return np.repeat(made.reduce(np.add, summed), size)

    scale = made.reduce(np.maximum, np.abs(made.x))
    floor = np.repeat(samples.floor[some], size)
    with np.errstate(all="ignore"):
        made = changed(
            made,
            x=made.x / np.repeat(scale, size),
            one_upper=value_per_count(upper + floor, upper_stderr, of_all),
            one_lower=value_per_count(lower, lower_stderr, of_all),
            under=np.where(floor > 0, floor / lower, 0.0),
        )
    return made, scale, some


def as_counts(rows: Packed, x: Array, per_count: Array, under: Array) -> tuple[Counted, Array]:
    """Return the rows that have samples, as counts over their mean, and this for all rows."""
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = rows.sum(np.abs(rows.value)) / rows.size
        level = rows.repeat(mean)
        columns = x, rows.value, level, per_count, np.zeros_like(x), under / level
    return Counted(*columns, rows.size[rows.size > 0]), mean


def maximized(samples: Counted, a: Array, b: Array, prior: Array) -> tuple[Array, Array]:
    """Maximize the likelihood: return A, B and C, (3, R), and their information, (R, 3, 3).

    By Newton's method, limiting the change of any sample to e^1.5.
    """
    coefficients = np.stack([a, b, np.zeros_like(a)], axis=1)
    information = np.full((a.size, 3, 3), np.nan)
    # Without these the variance is that of a count.
    plain = not (samples.one_lower.any() or samples.under.any())
    live, starts = np.arange(a.size), samples.starts
    for _ in range(40):
        x, upper, lower, variance, one_lower, under, size = samples
        a, b, c = (np.repeat(one, size) for one in (coefficients[live] * _HALVES).T)
        odds = np.exp(np.minimum(np.maximum((c * x + b) * x + a, -60.0), 60.0))
        expected = odds * lower
        residual, weight = upper - expected, expected / variance
        if not plain:
            with_floor = 1.0 + under / odds
            total_variance = variance * expected + odds * one_lower * upper
            variance = variance * with_floor + odds * one_lower
            weight = total_variance * with_floor / variance**2
        score = _moments(x, residual / variance, starts, 3) * _HALVES
        score[:, 2] -= prior[live] * coefficients[live, 2]
        now = _moments(x, weight, starts, 5)[:, _ORDER] * _QUARTERS
        now[:, 2, 2] += prior[live]
        information[live] = now
        move = solve(now, score)
        largest = np.abs(move) @ _HALVES
        coefficients[live] += np.minimum(1.0, 1.5 / largest)[:, None] * move
        # A converged row is left alone, so that it does not depend on the other rows.
        moving = largest > 1e-7
        if not moving.any():
            break
        if not moving.all():
            live, kept = live[moving], np.repeat(moving, size)
            samples = Counted._make([*(one[kept] for one in samples[:-1]), size[moving]])
            starts = samples.starts
    return coefficients.T, information


def chi_square(samples: Counted, curve: Array) -> tuple[Array, Array]:
    """Return the chi-square of each window by a curve of ln C, and by how much few counts vary it.

    Each of its terms has the variance 2 + 1 / expected: the sum of the latter, halved.
    """
    _, upper, lower, one_upper, one_lower, under, _ = samples
    odds = np.exp(np.clip(curve, -60.0, 60.0))
    variance = odds * lower * (one_upper * (1.0 + under / odds) + odds * one_lower)
    square = (upper - odds * lower) ** 2 / variance
    total, wide = samples.reduce(np.add, np.stack([square, 0.5 * one_upper**2 / variance]))
    return total, wide


def chance_of_misfit(samples: Counted, *parabola: Array) -> Array:
    """Return how often chance makes the chi-square of a parabola, (R,): A, B and C of ln C."""
    x, size = samples.x, samples.size
    a, b, c = (np.repeat(one, size) for one in parabola)
    return chance_of(size, *chi_square(samples, (0.5 * c * x + b) * x + a))


def chance_of(size: Index, square: Array, wide: Array) -> Array:
    """Return how often chance makes such chi-squares of curves of three parameters, (R,)."""
    from scipy.special import gammaincc

    wide = 2.0 * (1.0 + wide / size)
    chance: Array = gammaincc(np.maximum(size - 3, 1) / wide, square / wide)
    return chance


def value_stderr(information: Array, x: Array) -> Array:
    """Return the standard errors of ``A + B x + C x^2 / 2``, (R,)."""
    powers = np.stack([np.ones_like(x), x, 0.5 * x**2], axis=1)
    stderr: Array = np.sqrt(np.vecdot(powers, solve(information, powers)))
    return stderr


def _moments(x: Array, weight: Array, starts: Index, n: int) -> Array:
    """Return the sums of ``weight x^k`` over the samples of each window for k < n, (R, n)."""
    moments = np.empty((starts.size, n))
    for k in range(n):  # one by one: so the samples stay in cache
        moments[:, k] = np.add.reduceat(weight, starts)
        weight = weight * x
    return moments


#: Factors of A, B and C in the parabola, and the powers of z in the products of two of these.
_HALVES = np.array([1.0, 1.0, 0.5])
_QUARTERS = np.outer(_HALVES, _HALVES)
_ORDER = np.add.outer(np.arange(3), np.arange(3))


def solve(information: Array, score: Array) -> Array:
    """Solve all symmetric positive systems by ``L D L^T``; NaN where they are singular."""
    a, b, c, _, d, e, _, _, f = information.reshape(-1, 9).T
    x, y, z = score.T
    p, q = b / a, c / a
    second, mixed = d - p * b, e - p * c
    r = mixed / second
    third = f - q * c - r * mixed
    y = y - p * x
    z = (z - q * x - r * y) / third
    y = y / second - r * z
    solution = np.empty(score.shape)
    solution[:, 0], solution[:, 1], solution[:, 2] = x / a - p * y - q * z, y, z
    solution[~(second * third > 1e-13 * d * f)] = np.nan
    return solution


def half_width_about(offset: Array, error: Array) -> Array:
    """Return h with ``P(|N(offset, error)| < h) = 0.683``; from below, within 0.018."""
    offset = np.abs(offset)
    half_width: Array = np.maximum(np.hypot(offset, error), offset + ONE_SIDED * error)
    return half_width


def as_points(rows: Rows) -> Rows:
    """Return the values in the middle of cells whose averages are given; points as they are.

    The average of ``exp(s z + q z^2 / 2)`` over a cell of width h is ``sinh(x) / x exp(q h^2 /
    24)`` times its middle, with ``x = s h / 2``. The parabola is that of ln C through a cell and
    its two neighbours, at an end that of the next; values stay where one is not positive, or x is
    above 1.
    """
    rows = rows if rows.lower is None else rows.packed()
    lower, upper = rows.lower, rows.upper
    if lower is None or upper is None:
        return rows
    at = np.flatnonzero(rows.repeat(rows.size > 2))
    first, last = rows.repeat(rows.offsets[:-1])[at], rows.repeat(rows.offsets[1:])[at] - 1
    middle = np.clip(at, first + 1, last - 1)
    z, width, factor = rows.depth, upper - lower, np.ones(rows.depth.size)
    with np.errstate(all="ignore"):
        y = np.log(rows.value)
        before, after = z[middle] - z[middle - 1], z[middle + 1] - z[middle]
        left, right = (y[middle] - y[middle - 1]) / before, (y[middle + 1] - y[middle]) / after
        bend = 2.0 * (right - left) / (before + after)
        slope = left + bend * (0.5 * before + z[at] - z[middle])
        x = 0.5 * slope * width[at]
        ratio = np.where(x == 0.0, 1.0, x / np.sinh(x)) * np.exp(-bend * width[at] ** 2 / 24.0)
    # A step within one cell is not exponential.
    factor[at] = np.where(np.isfinite(ratio) & (np.abs(x) < 1.0), ratio, 1.0)
    stderr = None if rows.stderr is None else rows.stderr * factor
    return replace(rows, value=rows.value * factor, stderr=stderr, lower=None, upper=None)
