"""Counting statistics: intervals and standard errors of the mean of a Poisson count."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.gaps import reaches_beyond
from sims_analysis.kernels.rows import Array, Index, Rows, SingleResult, first_status
from sims_analysis.outcomes import Status

#: A sample this many standard errors from a level is clearly on its side of it.
CLEAR_ERRORS = 3.0

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
    stderr = np.asarray(np.maximum(counts, 0.0))  # NaN stays
    np.sqrt(stderr, out=stderr)
    np.putmask(stderr, stderr == 0.0, NONE_COUNTED)
    return stderr


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
    """The mean over a window, its error, and the variance of one sample; shape (R,).

    By which factor (at least 1) errors grow in a sum, and by which samples scatter more than these;
    and the error of a window without a count, or 0.
    """

    value: Array
    n: Index
    stderr: Array
    of_one: Array
    scatter: Array
    excess: Array
    zero_count_stderr: Array
    status: NDArray[np.uint8]
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
        observed = deviation**2 / fraction
        excess = np.sqrt(np.where(stated > 0, np.fmax(observed / stated, 1.0), 1.0))
        freedom = np.maximum(n * fraction - 1.0, 1.0)
        few = ~(stated > 0) | scatter_counts(observed, stated, freedom)
        observed = np.where(few, observed * student(freedom) ** 2, observed)
        per_sample = np.fmax(observed, stated)
        larger = (observed > stated) & (stated > 0)
        scatter = np.sqrt(np.where(larger, observed / stated, 1.0))
    without_count = np.zeros(rows.count)
    if rows.uncounted is not None:  # 1.84 counts over n, in the sample where one count weighs most
        share = shares(rows, start, stop)
        counted = rows.sum(((share > 0) & ~(rows.uncounted > 0)).astype(np.float64)) > 0
        most = rows.reduce(np.maximum, share * rows.uncounted, 0.0)
        without_count = np.where(counted | (n == 0), 0.0, 2.0 * most / fraction)
    stderr = np.sqrt(per_sample * squared_shares + without_count**2)
    is_outside = reaches_beyond(rows, start, stop)
    status = first_status((n == 0, Status.NO_DATA), (is_outside, Status.TRUNCATED))
    return WindowMean(mean, n, stderr, per_sample, scatter, excess, without_count, status, *ends)


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
        normalised: Array = part / rows.repeat(rows.sum(part))
    return normalised


def window_shares(rows: Rows, start: Array, stop: Array) -> SingleResult:
    """Return the :func:`shares` of the samples, (R, n), in their places of the array; or NaN."""
    return SingleResult(rows.unpacked(shares(rows, start, stop)))
