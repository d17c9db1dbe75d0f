"""Scatter between occasions, apart from counting, which is known."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sims_analysis.kernels.counting import scatter_counts, student
from sims_analysis.kernels.rows import Array, Index

#: Points in which the likelihood is searched for its highest maximum, before it is refined.
_GRID = 60
#: Of intervals.
CONFIDENCE = 0.95
#: Part of a variance that is 0.
_NEXT_TO_NOTHING = 1e-12


def process_variance(value: Array, stderr: Array) -> float:
    """Return the variance t^2 of what was measured, by restricted maximum likelihood; 0 is one.

    ``y_i = mean + process + counting`` with variances t^2 and s_i^2. Maximizes
    ``-1/2 [sum log v_i + log sum 1/v_i + sum (y_i - m)^2 / v_i]``, ``v_i = t^2 + s_i^2``.
    D. A. Harville, J. Am. Stat. Assoc. 72 (1977) 320.
    """
    from scipy.optimize import minimize_scalar

    square = float(np.var(value, ddof=1))
    if square == 0.0:
        return 0.0
    known = stderr**2

    def loss(t2: float) -> float:
        v = t2 + known
        weight = 1.0 / v
        mean = np.sum(weight * value) / np.sum(weight)
        return float(np.sum(np.log(v) + weight * (value - mean) ** 2) + np.log(np.sum(weight)))

    if not (known > 0).all():
        return max(square - float(known.mean()), 0.0)
    places = np.concatenate([[0.0], square * np.geomspace(1e-6, 1e2, _GRID)])
    losses = np.array([loss(t2) for t2 in places])
    best = int(losses.argmin())
    if best == 0:
        return 0.0
    ends = places[best - 1], places[min(best + 1, _GRID)]
    found = minimize_scalar(loss, bounds=ends, method="bounded", options={"xatol": 1e-9 * square})
    return float(found.x)


def variance_interval(value: Array, stderr: Array, confidence: float) -> tuple[float, float]:
    """Return the limits of that variance: where Cochran's Q is a quantile of chi-square.

    W. Viechtbauer, Stat. Med. 26 (2007) 37. Exact for normal scatter.
    """
    from scipy.optimize import brentq
    from scipy.special import chdtri

    known = np.maximum(stderr**2, _NEXT_TO_NOTHING * float(np.var(value)))

    def limit(upper_tail: float) -> float:
        wanted = float(chdtri(value.size - 1, upper_tail))

        def excess(t2: float) -> float:
            weight = 1.0 / (t2 + known)
            mean = np.sum(weight * value) / np.sum(weight)
            return float(np.sum(weight * (value - mean) ** 2)) - wanted

        if excess(0.0) <= 0:
            return 0.0
        top = float(np.sum((value - value.mean()) ** 2)) / wanted + float(known.max())
        return float(brentq(excess, 0.0, top, rtol=1e-9))

    tail = 0.5 * (1.0 - confidence)
    return limit(tail), limit(1.0 - tail)


def scatter_of(value: Array, stderr: Array) -> dict[str, float]:
    """Separate the scatter of the process from counting, by the values of which that is known."""
    names = "counting_stddev", "process_stddev", "process_stddev_lower", "process_stddev_upper"
    known = ~np.isnan(stderr)
    value, stderr = value[known], stderr[known]
    if value.size < 2:
        return dict.fromkeys(names, np.nan)
    ends = variance_interval(value, stderr, CONFIDENCE)
    found = [float(np.mean(stderr**2)), process_variance(value, stderr), *ends]
    return {name: one**0.5 for name, one in zip(names, found, strict=True)}


class Combined(NamedTuple):
    """A factor for an occasion, from those of others, and its standard errors."""

    value: float
    counting: float
    #: Of the occasion's own departure, and of those in the value; NaN if it is not known.
    day_to_day: float


def mean_of(value: Array, stderr: Array) -> Combined:
    """Return the random-effects mean, ``m = sum w y / sum w`` with ``w = 1 / (t^2 + s^2)``.

    The occasion asked about departs from it with the variance ``T^2 (q / sum w + t^2)``, where q
    is ``sum w (y - m)^2 / (n - 1)``, at least 1, and T Student's t of n - 1 degrees of freedom:
    J. Hartung and G. Knapp, Stat. Med. 20 (2001) 3875. What of that is not counting is day to day.
    """
    n = value.size
    if n == 1:
        return Combined(float(value[0]), float(stderr[0]), np.nan)
    known = not np.isnan(stderr).any()  # otherwise all scatter is that of days
    t2 = process_variance(value, stderr) if known else float(value.var(ddof=1))
    weight = 1.0 / (t2 + stderr**2) if known else np.full(n, 1.0 / max(t2, _NEXT_TO_NOTHING))
    total = float(np.sum(weight))
    mean = float(np.sum(weight * value)) / total
    q = max(float(np.sum(weight * (value - mean) ** 2)) / (n - 1), 1.0)
    variance = float(student(n - 1)) ** 2 * (q / total + t2)
    counting = float(np.sum((weight * stderr) ** 2)) ** 0.5 / total
    return Combined(mean, counting, max(variance - np.nan_to_num(counting) ** 2, 0.0) ** 0.5)


def by_day(day: Index, value: Array, stderr: Array, time: Array) -> tuple[Array, Array, Array]:
    """Return the mean of each day, weighted by counting where that is known, and its time.

    Its error is that of counting or, where its values scatter by more, of these by Student's t.
    """
    unknown = np.bincount(day, np.isnan(stderr)) > 0
    weight = np.where(unknown[day], 1.0, stderr**-2.0)
    weight /= np.bincount(day, weight)[day]
    terms = weight * value, (weight * stderr) ** 2, time
    mean, variance, moments = (np.bincount(day, one).astype(float) for one in terms)
    number = np.bincount(day)
    freedom = np.maximum(number - 1, 1)
    square = np.bincount(day, ((value - mean[day]) / stderr) ** 2) / freedom  # of counting
    more = scatter_counts(square, 1.0, freedom)
    variance *= np.where(more, student(freedom) ** 2 * square, 1.0)
    return mean, np.sqrt(variance), moments / number


def weights_at(time: Array, *, bracket: bool) -> Array | None:
    """Return the weights at 0 of occasions in order of time: of the nearest, or of both around it.

    None for a bracket with one side.
    """
    after = int(np.searchsorted(time, 0.0))
    if not bracket or (after < time.size and time[after] == 0.0):
        weight: Array = (np.arange(time.size) == np.argmin(abs(time))).astype(float)
        return weight
    if after in (0, time.size):
        return None
    weight = np.zeros(time.size)
    weight[after - 1 : after + 1] = np.array([time[after], -time[after - 1]])
    weight /= weight.sum()
    return weight


def weighted(value: Array, stderr: Array, weight: Array) -> Combined:
    """Return a weighted mean of few of the factors, which are in order of time.

    Its scatter is that of successive ones: half the mean square of their differences, less their
    counting, which no slow drift enters; times Student's t of ``2 (n-1)^2 / (3n-4)`` degrees of
    freedom. J. von Neumann et al., Ann. Math. Stat. 12 (1941) 153.
    """
    used = weight > 0
    counting = float(np.sum((weight[used] * stderr[used]) ** 2)) ** 0.5
    found = float(np.sum(weight * value))
    n = value.size
    if n == 1:
        return Combined(found, counting, np.nan)
    square = float(np.mean(np.diff(value) ** 2)) / 2.0
    t2 = max(square - float(np.mean(np.nan_to_num(stderr) ** 2)), 0.0)
    t2 *= float(student(2.0 * (n - 1) ** 2 / (3.0 * n - 4.0))) ** 2
    return Combined(found, counting, (t2 * (1.0 + float(np.sum(weight**2)))) ** 0.5)
