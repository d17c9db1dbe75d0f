"""Counting statistics: what a number of counted ions says of the number to expect."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.one_axis import trapezoid_weights
from sims_analysis.kernels.rows import block_of, blocks, compress, flat_rows, per_row

__all__ = [
    "NONE_COUNTED",
    "ONE_SIGMA",
    "poisson_interval",
    "poisson_stderr",
    "variance_of_nothing",
]

Array = NDArray[np.float64]

#: Probability within one standard deviation of a normal distribution.
ONE_SIGMA = 0.6826894921370859

#: Half the width of the interval [0, 1.84] within which the mean lies where nothing was counted.
NONE_COUNTED = -math.log((1.0 - ONE_SIGMA) / 2.0) / 2.0


def poisson_interval(counts: Any, confidence: float = ONE_SIGMA) -> tuple[Array, Array]:
    """Exact central interval of a Poisson mean (Garwood 1936).

    ``[chi2(a/2; 2k) / 2, chi2(1 - a/2; 2k + 2) / 2]`` with ``a = 1 - confidence``; from 0 for
    k = 0.

    Parameters
    ----------
    counts : array_like
        Counts; not whole where a dead-time correction or a division has been applied.
    confidence : float
        Probability that the interval covers the mean.

    Returns
    -------
    lower, upper : ndarray
    """
    from scipy.special import gammainccinv, gammaincinv

    k = np.asarray(counts, dtype=np.float64)
    tail = (1.0 - confidence) / 2.0
    # chi2 quantiles with 2k degrees of freedom are twice the gamma quantiles of shape k.
    lower = np.where(k > 0, gammaincinv(np.where(k > 0, k, 1.0), tail), 0.0)
    return np.where(np.isnan(k), np.nan, lower), np.asarray(gammainccinv(k + 1.0, tail))


def poisson_stderr(counts: Array) -> Array:
    """Give sqrt(k); where nothing was counted, half the width of the 68 % interval [0, 1.84]."""
    found = np.asarray(np.maximum(counts, 0.0))  # NaN stays
    np.sqrt(found, out=found)
    np.putmask(found, found == 0.0, NONE_COUNTED)
    return found


def variance_of_nothing(
    depth: Array,
    value: NDArray[Any],
    stderr: NDArray[Any],
    start: Array | float,
    stop: Array | float,
    held: Array | float = 0.0,
) -> Array:
    """Square of the upper end of the 68 % interval of an integral in which nothing was counted.

    Of the whole number of counts, 0, the interval ends at 1.84; what that is in the integral,
    where they had all been counted in the sample that weighs most. An estimate at the end of its
    interval is as far from the other end as the interval is wide.

    Parameters
    ----------
    depth, value, start, stop
        As for :func:`sims_analysis.kernels.dose.integrate`.
    stderr : ndarray, shape (..., n)
        Of samples without counts: half the width of their own interval.
    held : float or ndarray
        Width for which the first sample counts besides.
    """
    rows_value, lead = flat_rows(value)
    rows_stderr, _ = flat_rows(np.broadcast_to(stderr, value.shape))
    axes = depth if depth.ndim == 1 else flat_rows(np.broadcast_to(depth, value.shape))[0]
    limits = [per_row(limit, lead) for limit in (start, stop, held)]
    total = np.full(rows_value.shape[0], np.nan)
    for block in blocks(*rows_value.shape):
        own, c, s = (block_of(array, block) for array in (axes, rows_value, rows_stderr))
        rows = compress(own, c)
        if rows.depth.size == 0:
            continue
        s = rows.beside(s)
        a, b, more = (limit[block] for limit in limits)
        a, b = np.fmax(a, rows.first()), np.fmin(b, rows.last())
        within = a < b
        a, b = np.where(within, a, 0.0), np.where(within, b, 0.0)
        row = rows.row[:-1]
        weights = trapezoid_weights(rows.depth, a[row], b[row], rows.seams)
        some = np.flatnonzero(rows.size)
        first = rows.start[some]
        weights[first] += more[some]
        most = np.maximum.reduceat(np.where(weights > 0, weights * s, 0.0), first)
        total[block][some] = (2.0 * most) ** 2
    return total.reshape(lead)
