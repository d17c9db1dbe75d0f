"""Ratios of two profiles, and mean and scatter of many."""

from __future__ import annotations

import numpy as np

from sims_analysis.kernels.rows import Array, Index


def ratios(a: Array, b: Array) -> tuple[Array, Array]:
    """Return b / a and log10(b / a); NaN where they are undefined."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ratio = np.where(a != 0, b / a, np.nan)
        # Subtract logarithms, because the quotient may overflow.
        log_ratio = np.where((a > 0) & (b > 0), np.log10(b) - np.log10(a), np.nan)
    return ratio, log_ratio


def ratio_errors(a: Array, b: Array, of_a: Array, of_b: Array) -> tuple[Array, Array]:
    """Return the standard errors of b / a and of log10(b / a), for independent a and b."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        relative = of_a / np.abs(a)
        ratio = np.where(a != 0, np.hypot(of_b / a, b / a * relative), np.nan)
        both = np.hypot(relative, of_b / np.abs(b)) / np.log(10.0)
        return ratio, np.where((a > 0) & (b > 0), both, np.nan)


def mean_and_deviation(values: Array) -> tuple[Array, Array, Index]:
    """Return mean, standard deviation (n - 1) and number of (..., n) values but NaN."""
    # Sorted, and added one by one (as cumsum does), so that the result depends neither on the order
    # of the measurements nor on the memory layout. NaN sort to the end.
    values = np.sort(values, axis=-1)
    measured = ~np.isnan(values)
    count = np.count_nonzero(measured, axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.cumsum(np.where(measured, values, 0.0), axis=-1)[..., -1] / count
        square = np.where(measured, (values - mean[..., None]) ** 2, 0.0)
        square = np.cumsum(square, axis=-1)[..., -1]
        deviation = np.where(count > 1, np.sqrt(square / (count - 1)), np.nan)
    return np.where(count > 0, mean, np.nan), deviation, count
