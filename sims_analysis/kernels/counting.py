"""Counting statistics: what a number of counted ions says of the number to expect."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["NONE_COUNTED", "ONE_SIGMA", "poisson_interval", "poisson_stderr"]

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
    with np.errstate(invalid="ignore"):
        return np.where(counts > 0, np.sqrt(np.maximum(counts, 0.0)), NONE_COUNTED + 0.0 * counts)
