"""Scatter between occasions, apart from counting, which is known."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sims_analysis.kernels.counting import scatter_counts, student
from sims_analysis.kernels.rows import Array, Index

#: Of intervals.
CONFIDENCE = 0.95
#: Part of a number that is 0.
_NEGLIGIBLE = 1e-12


def process_variance(value: Array, stderr: Array, q: float) -> float:
    """Return the variance t^2 beyond that of counting for which Cochran's Q is `q`, or 0.

    ``Q = sum (y_i - m)^2 / (t^2 + s_i^2)``, with the mean m of these weights. With its expectation
    n - 1, that is the estimate of R. C. Paule and J. Mandel, J. Res. Natl. Bur. Stand. 87 (1982)
    377; with quantiles of chi-square its limits, exact for normal scatter: W. Viechtbauer, Stat.
    Med. 26 (2007) 37.
    """
    from scipy.optimize import brentq

    square = float(np.sum((value - value.mean()) ** 2))
    counting = np.maximum(stderr**2, _NEGLIGIBLE * square)

    def excess(t2: float) -> float:
        weight = 1.0 / (t2 + counting)
        mean = np.sum(weight * value) / np.sum(weight)
        return float(np.sum(weight * (value - mean) ** 2)) - q

    if square == 0.0 or excess(0.0) <= 0.0:
        return 0.0
    upper = square / q + float(counting.max())
    return float(brentq(excess, 0.0, upper, xtol=1e-9 * upper, rtol=1e-9))


def scatter_of(value: Array, stderr: Array) -> dict[str, float]:
    """Separate the scatter of the process from counting, by the values of which that is known."""
    from scipy.special import chdtri

    names = "counting_stddev", "process_stddev", "process_stddev_lower", "process_stddev_upper"
    valid = ~np.isnan(stderr)
    value, stderr = value[valid], stderr[valid]
    freedom, tail = value.size - 1, 0.5 * (1.0 - CONFIDENCE)
    if freedom < 1:
        return dict.fromkeys(names, np.nan)
    quantiles = freedom, chdtri(freedom, tail), chdtri(freedom, 1.0 - tail)
    of_process = [process_variance(value, stderr, float(q)) for q in quantiles]
    variances = [float(np.mean(stderr**2)), *of_process]
    return {name: v**0.5 for name, v in zip(names, variances, strict=True)}


class Combined(NamedTuple):
    """A factor for an occasion, from those of others, and its standard errors."""

    value: float
    counting: float
    #: Of the occasion's own departure, and of those in the value; NaN if it is not known.
    day_to_day: float


def mean_of(value: Array, stderr: Array) -> Combined:
    """Return the random-effects mean, ``m = sum w y / sum w`` with ``w = 1 / (t^2 + s^2)``.

    The occasion asked about departs from it with the variance ``T^2 (1 / sum w + t^2)``, with
    Student's t, T, of n - 1 degrees of freedom: J. Hartung and G. Knapp, Stat. Med. 20 (2001) 3875.
    What of that is not counting is day to day.
    """
    n = value.size
    if n == 1:
        return Combined(float(value[0]), float(stderr[0]), np.nan)
    # Unless the counting of all is known, all scatter is that of days.
    errors = np.zeros(n) if np.isnan(stderr).any() else stderr
    t2 = process_variance(value, errors, n - 1)
    weight = 1.0 / np.maximum(t2 + errors**2, (_NEGLIGIBLE * value) ** 2)
    total = float(np.sum(weight))
    variance = float(student(n - 1)) ** 2 * (1.0 / total + t2)
    counting = float(np.sum((weight * stderr) ** 2)) ** 0.5 / total
    day_to_day = max(variance - np.nan_to_num(counting) ** 2, 0.0) ** 0.5
    return Combined(float(np.sum(weight * value)) / total, counting, day_to_day)


def by_day(day: Index, value: Array, stderr: Array, time: Array) -> tuple[Array, Array, Array]:
    """Return the mean of each day, weighted by counting where that is known, and its time.

    Its error is that of counting or, where its values scatter by more, of these by Student's t.
    """
    uncounted = np.bincount(day, np.isnan(stderr)) > 0
    weight = np.where(uncounted[day], 1.0, stderr**-2.0)
    weight /= np.bincount(day, weight)[day]
    terms = weight * value, (weight * stderr) ** 2, time
    mean, variance, moments = (np.bincount(day, term).astype(float) for term in terms)
    number = np.bincount(day)
    freedom = np.maximum(number - 1, 1)
    square = np.bincount(day, ((value - mean[day]) / stderr) ** 2) / freedom  # of counting
    exceeds = scatter_counts(square, 1.0, freedom)
    variance *= np.where(exceeds, student(freedom) ** 2 * square, 1.0)
    return mean, np.sqrt(variance), moments / number


def weights_at(time: Array, *, bracket: bool) -> Array | None:
    """Return the weights at 0 of occasions in order of time: of the nearest, or of both around it.

    None for a bracket with one side.
    """
    if not bracket:
        nearest: Array = np.arange(time.size) == np.argmin(abs(time))
        return nearest.astype(np.float64)
    if not time[0] <= 0.0 <= time[-1]:
        return None
    return np.array([np.interp(0.0, time, unit) for unit in np.eye(time.size)])


def weighted(value: Array, stderr: Array, weight: Array) -> Combined:
    """Return a weighted mean of few of the factors, which are in order of time.

    Its scatter is that of successive ones: half the mean square of their differences, less their
    counting, which no slow drift enters; times Student's t of ``2 (n-1)^2 / (3n-4)`` degrees of
    freedom. J. von Neumann et al., Ann. Math. Stat. 12 (1941) 153.
    """
    used = weight > 0
    counting = float(np.sum((weight[used] * stderr[used]) ** 2)) ** 0.5
    mean = float(np.sum(weight * value))
    n = value.size
    if n == 1:
        return Combined(mean, counting, np.nan)
    square = float(np.mean(np.diff(value) ** 2)) / 2.0
    t2 = max(square - float(np.mean(np.nan_to_num(stderr) ** 2)), 0.0)
    t2 *= float(student(2.0 * (n - 1) ** 2 / (3.0 * n - 4.0))) ** 2
    return Combined(mean, counting, (t2 * (1.0 + float(np.sum(weight**2)))) ** 0.5)
