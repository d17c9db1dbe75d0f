"""Random error of an integral above a background that is the mean over a window of depths.

The window may lie within the interval: its samples then bear on both the integral and what is
subtracted from it, and their errors partly cancel.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.one_axis import trapezoid_weights
from sims_analysis.kernels.rows import Rows, block_of, blocks, compress, flat_rows, per_row

__all__ = ["variance_above", "variance_of_weighted"]

Array = NDArray[np.float64]


def variance_above(
    depth: Array,
    value: NDArray[Any],
    stderr: NDArray[Any],
    start: Array | float,
    stop: Array | float,
    window: tuple[Array | float, Array | float],
    held: Array | float = 0.0,
) -> Array:
    """Variance of ``sum w_i c_i - W mean(c in the window)``, of independent samples.

    That is ``sum (w_i - W / n [i in the window])^2 s_i^2``, W the width of the interval. Errors
    within the window are those of the samples, or what they scatter about their mean if that is
    more: a background is not known better than it is flat.

    Parameters
    ----------
    depth, value, start, stop
        As for :func:`sims_analysis.kernels.dose.integrate`.
    stderr : ndarray, shape (..., n)
    window : (start, stop)
        Depths; NaN is the row's own end.
    held : float or ndarray
        Width that the interval has besides, above the first sample.

    Returns
    -------
    ndarray, shape (...)
        NaN where there is no integral, no sample in the window, or an error is not known.
    """
    rows_value, lead = flat_rows(value)
    rows_stderr, _ = flat_rows(np.broadcast_to(stderr, value.shape))
    axes = depth if depth.ndim == 1 else flat_rows(np.broadcast_to(depth, value.shape))[0]
    limits = [per_row(limit, lead) for limit in (start, stop, *window, held)]
    total = np.full(rows_value.shape[0], np.nan)
    for block in blocks(*rows_value.shape):
        own_axes, c, s = (block_of(array, block) for array in (axes, rows_value, rows_stderr))
        rows = compress(own_axes, c)
        if rows.depth.size == 0:
            continue
        s = s[~(np.isnan(c) | np.isnan(own_axes))]
        a, b, top, bottom, more = (limit[block] for limit in limits)
        a, b = np.fmax(a, rows.first()), np.fmin(b, rows.last())
        some = (a < b) & (rows.size > 1)
        # Any limits will do for rows without an integral.
        a, b = np.where(some, a, 0.0), np.where(some, b, 0.0)
        row = rows.row[:-1]
        weights = trapezoid_weights(rows.depth, a[row], b[row], rows.seams)
        found, known = variance_of_weighted(rows, s, weights, b - a + more, (top, bottom))
        total[block] = np.where((some | (more > 0)) & known, found, np.nan)
    return total.reshape(lead)


def variance_of_weighted(
    rows: Rows, stderr: Array, weights: Array, total: Array, window: tuple[Array, Array]
) -> tuple[Array, NDArray[np.bool_]]:
    """Give the variance of ``sum w_i c_i - W mean(c in the window)`` of rows end to end.

    Parameters
    ----------
    rows : Rows
        All samples of each row.
    stderr, weights : ndarray, shape (N,)
        Of every sample.
    total : ndarray, shape (R,)
        ``W``, what the mean of the window weighs.
    window : (start, stop)
        Depths for each row; NaN is the row's own end.

    Returns
    -------
    variance : ndarray, shape (R,)
    known : ndarray of bool, shape (R,)
        Whether there is a sample in the window.
    """
    row = rows.row
    inside = ~((rows.depth < window[0][row]) | (rows.depth > window[1][row]))
    with np.errstate(divide="ignore", invalid="ignore"):
        n = rows.sum(inside.astype(float))
        mean = rows.sum(np.where(inside, rows.value, 0.0)) / n
        off = np.where(inside, rows.value - mean[row], 0.0)
        scatter = np.where(n > 1, rows.sum(off**2) / (n - 1), 0.0)
        stated = rows.sum(np.where(inside, stderr**2, 0.0)) / n
        grown = np.where(scatter > stated, scatter / stated, 1.0)[row]
        own = np.where(stated[row] == 0, scatter[row], stderr**2 * grown)
        share = np.where(inside, (total / n)[row], 0.0)
    terms = (weights - share) ** 2 * np.where(inside, own, stderr**2)
    # A sample without weight counts for nothing, whether or not its error is known.
    terms[(weights == 0.0) & ~inside] = 0.0
    return rows.sum(terms), n > 0
