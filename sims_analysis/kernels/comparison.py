"""How much one profile differs from another, and many from their mean."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sims_analysis.kernels.rows import Array, Index, Rows

__all__ = ["Ends", "ends", "mean_and_deviation", "ratio_errors", "ratios"]


class Ends(NamedTuple):
    """Depths of the first and the last sample of each row, shape (R,); NaN where there is none."""

    first: Array
    last: Array


def ends(rows: Rows) -> Ends:
    """Return the depths from where to where each row was measured."""
    return Ends(rows.first(), rows.last())


def ratios(a: Array, b: Array) -> tuple[Array, Array]:
    """Return b / a and log10(b / a); NaN where there is no quotient or no logarithm."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ratio = np.where(a != 0, b / a, np.nan)
        # Of the logarithms, not of the quotient: that may overflow.
        log_ratio = np.where((a > 0) & (b > 0), np.log10(b) - np.log10(a), np.nan)
    return ratio, log_ratio


def ratio_errors(a: Array, b: Array, of_a: Array, of_b: Array) -> tuple[Array, Array]:
    """Return the standard errors of b / a and of log10(b / a), of independent a and b."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        relative = of_a / np.abs(a)
        ratio = np.where(a != 0, np.hypot(of_b / a, b / a * relative), np.nan)
        both = np.hypot(relative, of_b / np.abs(b)) / np.log(10.0)
        return ratio, np.where((a > 0) & (b > 0), both, np.nan)


def mean_and_deviation(values: Array) -> tuple[Array, Array, Index]:
    """Mean, standard deviation and number of what was measured, along the last axis.

    Parameters
    ----------
    values : ndarray, shape (..., n)

    Returns
    -------
    mean : ndarray, shape (...)
        NaN where nothing was measured.
    deviation : ndarray, shape (...)
        With n - 1; NaN where fewer than two values were measured.
    count : ndarray of int, shape (...)
    """
    # Sorted, and added one after another: then neither the order of the measurements nor the
    # layout in memory, by which numpy chooses how to add, changes a bit. NaN goes to the end.
    values = np.sort(values, axis=-1)
    measured = ~np.isnan(values)
    count = np.count_nonzero(measured, axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = _in_turn(np.where(measured, values, 0.0)) / count
        square = _in_turn(np.where(measured, (values - mean[..., None]) ** 2, 0.0))
        deviation = np.where(count > 1, np.sqrt(square / (count - 1)), np.nan)
    return np.where(count > 0, mean, np.nan), deviation, count


def _in_turn(values: Array) -> Array:
    total = np.zeros(values.shape[:-1])
    for column in np.moveaxis(values, -1, 0):
        total += column
    return total
