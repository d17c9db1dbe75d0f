"""Counting statistics: intervals and standard errors of the mean of a Poisson count."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from sims_analysis.kernels.rows import Array, Index, Rows, SingleResult

#: A sample this many standard errors from a level is clearly on its side of it.
CLEAR = 3.0

#: Probability within one standard deviation of a normal distribution.
ONE_SIGMA = 0.6826894921370859

#: Half the width of the 68 % interval [0, 1.84] of the mean for zero counts.
NONE_COUNTED = -math.log((1.0 - ONE_SIGMA) / 2.0) / 2.0


def poisson_interval(counts: Any, confidence: float = ONE_SIGMA) -> tuple[Array, Array]:
    """Exact central interval of a Poisson mean, from counts that need not be integers.

    ``[chi2(a/2; 2k) / 2, chi2(1 - a/2; 2k + 2) / 2]`` with ``a = 1 - confidence``; from 0 for k = 0
    (F. Garwood, Biometrika 28 (1936) 437).
    """
    from scipy.special import gammainccinv, gammaincinv

    k = np.asarray(counts, dtype=np.float64)
    tail = (1.0 - confidence) / 2.0
    # chi2 quantiles with 2k degrees of freedom are twice the gamma quantiles of shape k.
    lower = np.where(k == 0, 0.0, gammaincinv(k, tail))
    return lower, np.asarray(gammainccinv(k + 1.0, tail))


def poisson_stderr(counts: Array) -> Array:
    """Return sqrt(k); for zero counts, half the width of the 68 % interval [0, 1.84]."""
    found = np.asarray(np.maximum(counts, 0.0))  # NaN stays
    np.sqrt(found, out=found)
    np.putmask(found, found == 0.0, NONE_COUNTED)
    return found


def student(freedom: Any) -> Any:
    """Return Student's t of the 68 % interval: 1.84 for one degree of freedom, 1 for many."""
    from scipy.special import stdtrit

    return stdtrit(freedom, 0.5 * (1.0 + ONE_SIGMA))


#: Scatter counts where chance makes it as large in less than one case of eight: then intervals
#: cover 64 to 73 %, whatever part of it is noise.
_BY_CHANCE = 0.125


def scatter_counts(square: Any, variance: Any, freedom: Any, chance: float = _BY_CHANCE) -> Any:
    """Whether values with a sample variance scatter by more than their own, known variance."""
    from scipy.special import chdtri

    return freedom * square > variance * chdtri(freedom, chance)


def value_per_count(value: Array, stderr: Array, total: Callable[[Array], Array]) -> Array:
    """Return the value of one count at every sample: its variance over its value.

    Where a sample does not determine it well, that of its profile (`total` sums over it); or NaN.
    """
    positive = value > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.where(positive, stderr**2, 0.0)
        pooled = total(variance) / total(np.where(positive, value, 0.0))
        return np.where(positive & (stderr < value), variance / value, pooled)


class WindowStatistics(NamedTuple):
    """Statistics of the samples in a window, (R,).

    The mean square of their standard errors, NaN without, and the sum of their squared shares.
    """

    mean: Array
    deviation: Array
    n: Index
    mean_variance: Array
    squared_shares: Array
    start: Array
    stop: Array


class WindowMean(NamedTuple):
    """The mean over a window, and what is known of it; shape (R,).

    Its error, the variance of one sample, by which factor (at least 1) errors grow in a sum, and by
    which samples scatter more than these, and the error of a window without a count, or 0.
    """

    value: Array
    n: Index
    stderr: Array
    of_one: Array
    scatter: Array
    excess: Array
    zero_count_stderr: Array
    start: Array
    stop: Array


def window_mean(rows: Rows, start: Array, stop: Array) -> WindowMean:
    """Return the mean over a window of each row, and its error: the one rule for it.

    Its variance is ``max(sum (p_i s_i)^2, S^2 sum p_i^2)``, with the shares p of the samples, their
    errors s and their standard deviation S. If the scatter is the larger one, it is also the error
    of the samples wherever they enter a sum, so that errors in common with the background cancel;
    widened by Student's t where it counts (:func:`scatter_counts`), or is all that is known.
    """
    mean, deviation, n, stated, squared_shares, *ends = window_statistics(rows, start, stop)
    fraction = rows.share
    with np.errstate(divide="ignore", invalid="ignore"):
        found = deviation**2 / fraction
        excess = np.sqrt(np.where(stated > 0, np.fmax(found / stated, 1.0), 1.0))
        freedom = np.maximum(n * fraction - 1.0, 1.0)
        few = ~(stated > 0) | scatter_counts(found, stated, freedom)
        found = np.where(few, found * student(freedom) ** 2, found)
        of_one = np.fmax(found, stated)
        larger = (found > stated) & (stated > 0)
        scatter = np.sqrt(np.where(larger, found / stated, 1.0))
    zero_count_stderr = _zero_count_stderr(rows, start, stop)
    stderr = np.sqrt(of_one * squared_shares + zero_count_stderr**2)
    return WindowMean(mean, n, stderr, of_one, scatter, excess, zero_count_stderr, *ends)


def _zero_count_stderr(rows: Rows, start: Array, stop: Array) -> Array:
    """Return the standard error of the mean over a window without a count; 0 for other windows.

    The upper end of the 68 % interval: 1.84 counts over n, in the sample where one count weighs
    most.
    """
    if rows.uncounted is None:
        return np.zeros(rows.count)
    share = shares(rows, start, stop)
    counted = rows.sum(((share > 0) & ~(rows.uncounted > 0)).astype(np.float64)) > 0
    most = rows.reduce(np.maximum, np.where(share > 0, share * rows.uncounted, 0.0), 0.0)
    return np.where(counted, 0.0, 2.0 * most / rows.share)


def window_statistics(rows: Rows, start: Array, stop: Array) -> WindowStatistics:
    """Return the statistics of the samples in a window of each row; cells count by their widths."""
    ends = np.where(np.isnan(start), -np.inf, start), np.where(np.isnan(stop), np.inf, stop)
    stderr = rows.stderr
    if rows.lower is None or rows.upper is None:
        rows = rows.within(start, stop)
        part, stderr, n = np.ones(rows.depth.shape), rows.stderr, rows.size
        total = squared = n.astype(np.float64)
    else:
        a, b = map(rows.repeat, ends)
        part = np.maximum(np.minimum(rows.upper, b) - np.maximum(rows.lower, a), 0.0)
        # Cells outside have no part, even if their errors are unknown.
        stderr = None if stderr is None else np.where(part > 0, stderr, 0.0)
        n = rows.sum((part > 0).astype(np.float64)).astype(np.intp)
        total, squared = rows.sum(part), rows.sum(part**2)
    stated = np.full(rows.count, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = rows.sum(rows.value, part) / total
        squares = rows.sum((rows.value - rows.repeat(mean)) ** 2, part)
        deviation = np.where(n > 1, np.sqrt(squares / (total - squared / total)), np.nan)
        if stderr is not None:
            stated = rows.sum(stderr**2, part**2) / squared
        return WindowStatistics(mean, deviation, n, stated, squared / total**2, *ends)


#: A window is not level if its thirds differ by this part of its mean, and hardly by chance; slopes
#: are of so many standard errors, and falls from it to what lies below of these. Its samples
#: scatter if that is by more than this factor, and chance: few counts scatter more widely.
_UNEVEN, _HARDLY, _SLOPES, _FURTHER = 0.1, 1e-3, 2.6, 3.3
#: No detector shows less of the maximum: the end of a profile without noise is no background.
_UNSEEN = 1e-8
_NOTABLE, _IMPROBABLE = 1.4, 1e-7
#: So many samples show their scatter without errors.
_ENOUGH = 8
#: What the profile does in a window that is not a background.
NOT_FLAT = ("", "falls in", "rises in", "bends in", "scatters in", "falls further below")
SCATTERS = 4


class Flatness(NamedTuple):
    """Which of :data:`NOT_FLAT` is true of a window, or 0; (R,).

    With the factor by which samples scatter beyond their errors, by how much the mean is above the
    lowest third, if the thirds differ, or what lies below, the slope, if there is one, and the mean
    depth.
    """

    which: Index
    excess: Array
    above: Array
    slope: Array
    middle: Array


def flatness(rows: Rows, start: Array, stop: Array) -> Flatness:
    """Compare the thirds of a window, and its samples, by their errors or their scatter in these.

    By the chance of chi-square, or F, with two degrees of freedom; a slope by that of Student's t.
    """
    from scipy.special import chdtri, ndtr, stdtrit

    mean, n, *_, excess, _, _, _ = window_mean(rows, start, stop)
    fraction, share = rows.share, shares(rows, start, stop)
    first, last = np.fmax(start, rows.first), np.fmin(stop, rows.last)
    means, between = np.empty((3, rows.count)), np.zeros(rows.count)
    with np.errstate(all="ignore"):
        place = np.floor(3 * (rows.depth - rows.repeat(first)) / rows.repeat(last - first))
        for third in range(3):
            own = np.where(np.clip(place, 0, 2) == third, share, 0.0)
            part = rows.sum(own)
            means[third] = rows.sum(own * rows.value) / part
            between += np.where(part > 0, part * (means[third] - mean) ** 2, 0.0)
        off = rows.value - rows.repeat(mean)
        whole = rows.sum(share * off**2)
        middle = rows.sum(share, rows.depth)
        x = rows.depth - rows.repeat(middle)
        spread = rows.sum(share * x**2)
        slope = rows.sum(share * x * off) / spread
        independent = n * fraction
        noise = np.where(n >= _ENOUGH, whole - slope**2 * spread, np.nan) / (independent - 2)
        chi, freedom = independent * between, (n - 3) * fraction
        scatter = np.where(n >= _ENOUGH, np.maximum(whole - between, 0) * independent, np.nan)
        chance, known = (1 + chi / scatter) ** (-freedom / 2), np.zeros(rows.count, dtype=bool)
        if rows.stderr is not None:
            variance = np.where(share > 0, share * rows.stderr**2, 0.0)
            stated = rows.sum(variance)
            known = stated > 0
            chance = np.where(known, np.exp(-chi / stated / 2), chance)
            noise = np.fmax(noise, rows.sum(variance * x**2) / spread / independent)
        highest, lowest = (end.reduce(means) for end in (np.fmax, np.fmin))
        seen = highest >= _UNSEEN * rows.reduce(np.fmax, rows.value)
        uneven = (chance < _HARDLY) & (highest - lowest > _UNEVEN * np.abs(mean)) & seen
        least = stdtrit(np.maximum(independent - 2, 1), ndtr(_SLOPES))
        slope = np.where((slope**2 * spread > least**2 * noise) & seen, slope, 0.0)
        beyond = (rows.depth > rows.repeat(last + rows.tolerance)).astype(np.float64)
        rest = rows.sum(beyond)
        further = mean - rows.sum(beyond, rows.value) / rest
        falls_on = seen & (further**2 > _FURTHER**2 * noise * (1 + n / rest)) & (3 * rest > n)
        freedom = np.maximum(independent - 1, 1)
        scatters = excess > np.maximum(_NOTABLE, np.sqrt(chdtri(freedom, _IMPROBABLE) / freedom))
        steep = np.abs(slope) * (last - first) > _UNEVEN * np.abs(mean)
    which = np.select([steep & (slope < 0), steep, uneven, scatters & known], [1, 2, 3, SCATTERS])
    above = np.where(uneven, mean - lowest, np.where(falls_on, further, 0.0))
    return Flatness(which, excess, above, slope, middle)


def shares(rows: Rows, start: Array, stop: Array) -> Array:
    """Return the share of each sample, or cell, in the mean over a window; 0 outside."""
    a = rows.repeat(np.where(np.isnan(start), -np.inf, start))
    b = rows.repeat(np.where(np.isnan(stop), np.inf, stop))
    if rows.lower is None or rows.upper is None:
        tolerance = rows.repeat(rows.tolerance)
        part = ((rows.depth >= a - tolerance) & (rows.depth <= b + tolerance)).astype(np.float64)
    else:
        part = np.maximum(np.minimum(rows.upper, b) - np.maximum(rows.lower, a), 0.0)
    part = np.broadcast_to(part, rows.value.shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Array = part / rows.repeat(rows.sum(part))
    return found


def window_shares(rows: Rows, start: Array, stop: Array) -> SingleResult:
    """Return the :func:`shares` of the samples, (R, n), in their places of the array; or NaN."""
    return SingleResult(rows.unpacked(shares(rows, start, stop)))
