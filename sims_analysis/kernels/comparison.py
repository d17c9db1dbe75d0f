"""Ratios of two profiles."""

from __future__ import annotations

import numpy as np

from sims_analysis.kernels.rows import Array


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
        of_logarithm = np.hypot(relative, of_b / np.abs(b)) / np.log(10.0)
        return ratio, np.where((a > 0) & (b > 0), of_logarithm, np.nan)
