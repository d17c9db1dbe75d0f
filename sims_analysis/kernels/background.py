"""Random error of an integral above a background that is the mean over a window of depths.

The window may lie within the interval: its samples then bear on both the integral and what is
subtracted from it, and their errors partly cancel.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.one_axis import trapezoid_weights
from sims_analysis.kernels.rows import (
    BLOCK,
    Layout,
    Whole,
    block_of,
    blocks,
    compress,
    flat_rows,
    parted,
    per_row,
)
from sims_analysis.kernels.windows import columns_between

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
    one_interval = depth.ndim == 1 and not any(map(np.ndim, (start, stop, *window)))
    rows, n = rows_value.shape
    for block in blocks(rows if n else 0, n, BLOCK // 2):
        z, c, s = (block_of(array, block) for array in (axes, rows_value, rows_stderr))
        own = [limit[block] for limit in limits]
        for some, whole in parted(c, one_axis=one_interval):
            of = _of_whole_rows if whole else _of_rows
            axis = z if z.ndim == 1 else z[some]
            total[block][some] = of(axis, c[some], s[some], [limit[some] for limit in own])
    return total.reshape(lead)


def _of_rows(depth: Array, value: Array, stderr: Array, limits: list[Array]) -> Array:
    rows = compress(depth, value)
    if rows.depth.size == 0:
        return np.full(len(value), np.nan)
    a, b, top, bottom, more = limits
    a, b = np.fmax(a, rows.first()), np.fmin(b, rows.last())
    some = (a < b) & (rows.size > 1)
    # Any limits will do for rows without an integral.
    a, b = np.where(some, a, 0.0), np.where(some, b, 0.0)
    row = rows.row[:-1]
    weights = trapezoid_weights(rows.depth, a[row], b[row], rows.seams)
    sigma = rows.beside(stderr)
    found, known = variance_of_weighted(rows, sigma, weights, b - a + more, (top, bottom))
    return np.where((some | (more > 0)) & known, found, np.nan)


def _of_whole_rows(depth: Array, value: Array, stderr: Array, limits: list[Array]) -> Array:
    """Do the same for rows without gaps on one axis, with the same limits and window."""
    a, b, top, bottom, more = limits
    u, v = np.fmax(a[0], depth[0]), np.fmin(b[0], depth[-1])
    some = u < v
    weights = trapezoid_weights(depth, u, v) if some else np.zeros(depth.size)
    width = (v - u if some else 0.0) + more
    inside = columns_between(depth, top[:1], bottom[:1])
    rows = Whole(depth[inside], value[:, inside])
    found, known = variance_of_weighted(
        rows, stderr[:, inside], weights[inside], width, (top, bottom)
    )
    for outside in (slice(0, inside.start), slice(inside.stop, depth.size)):
        # A sample without weight counts for nothing, whether or not its error is known.
        bears = np.flatnonzero(weights[outside]) + outside.start
        if bears.size:
            columns = slice(bears[0], bears[-1] + 1)
            terms = stderr[:, columns] * weights[columns]
            found = found + np.vecdot(terms, terms)
    return np.where((some | (more > 0)) & known, found, np.nan)


def variance_of_weighted(
    rows: Layout, stderr: Array, weights: Array, total: Array, window: tuple[Array, Array]
) -> tuple[Array, NDArray[np.bool_]]:
    """Give the variance of ``sum w_i c_i - W mean(c in the window)`` of rows end to end.

    Parameters
    ----------
    rows : Rows or Whole
        All samples of each row.
    stderr, weights : ndarray, shape (N,) or (R, n)
        Of every sample; weights that all rows share may have shape (n,).
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
    start, stop = (rows.spread(end) for end in window)
    inside = ~((rows.depth < start) | (rows.depth > stop))
    with np.errstate(divide="ignore", invalid="ignore"):
        n = rows.sum(inside.astype(float))
        mean = rows.sum(np.where(inside, rows.value, 0.0)) / n
        off = np.where(inside, rows.value - rows.spread(mean), 0.0)
        scatter = np.where(n > 1, rows.sum(off**2) / (n - 1), 0.0)
        stated = rows.sum(np.where(inside, stderr**2, 0.0)) / n
        grown = rows.spread(np.where(scatter > stated, scatter / stated, 1.0))
        nothing = rows.spread(stated == 0)
        own = np.where(nothing, rows.spread(scatter), stderr**2 * grown)
        share = np.where(inside, rows.spread(total / n), 0.0)
    terms = (weights - share) ** 2 * np.where(inside, own, stderr**2)
    # A sample without weight counts for nothing, whether or not its error is known.
    terms = np.where((weights == 0.0) & ~inside, 0.0, terms)
    return rows.sum(terms), n > 0
