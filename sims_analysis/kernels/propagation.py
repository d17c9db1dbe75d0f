"""Random error of an integral, from those of independent samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.one_axis import trapezoid_weights
from sims_analysis.kernels.rows import (
    BLOCK,
    block_of,
    blocks,
    compress,
    dot_rows,
    flat_rows,
    per_row,
)
from sims_analysis.kernels.threads import each_block

__all__ = ["variance"]

Array = NDArray[np.float64]


def variance(
    depth: Array,
    value: NDArray[Any],
    stderr: NDArray[Any],
    start: Array | float = np.nan,
    stop: Array | float = np.nan,
) -> Array:
    """Variance of the trapezoidal integral: ``sum (w_i s_i)^2`` with the weights of the integral.

    Parameters
    ----------
    depth, value, start, stop
        As for :func:`sims_analysis.kernels.dose.integrate`.
    stderr : ndarray, shape (..., n)
        Standard errors of the values; NaN where one is not known.

    Returns
    -------
    ndarray, shape (...)
        NaN where fewer than two samples bear on the interval, or the error of one that does is
        not known.
    """
    rows, lead = flat_rows(value)
    errors = flat_rows(np.broadcast_to(stderr, value.shape))[0]
    axes = depth if depth.ndim == 1 else flat_rows(depth)[0]
    total = np.full(len(rows), np.nan)
    left = np.arange(len(rows))
    if depth.ndim == 1 and depth.size > 1 and np.ndim(start) == np.ndim(stop) == 0:
        _on_one_axis(total, axes, rows, errors, float(start), float(stop))
        left = np.flatnonzero(np.isnan(total))
    if rows.size:
        a, b = per_row(start, lead), per_row(stop, lead)
        _on_own_axes(total, left, axes, rows, errors, a, b)
    return total.reshape(lead)


def _on_one_axis(
    total: Array,
    depth: Array,
    value: NDArray[Any],
    stderr: NDArray[Any],
    start: float,
    stop: float,
) -> None:
    """Write the variances of rows without gaps, whose errors are all known."""
    a, b = np.fmax(start, depth[0]), np.fmin(stop, depth[-1])
    if not a < b:
        return
    bears = slice(
        int(np.searchsorted(depth, a, side="right")) - 1, int(np.searchsorted(depth, b)) + 1
    )
    squared = trapezoid_weights(depth[bears], a, b) ** 2
    nothing = np.zeros(squared.size)

    def make() -> Callable[[slice], None]:
        scratch = np.empty((BLOCK // squared.size + 1) * squared.size)

        def one(block: slice) -> None:
            s = stderr[block, bears]
            work = scratch[: s.size].reshape(s.shape)
            np.multiply(s, s, out=work, dtype=np.float64)  # squares of float32 overflow
            found = dot_rows(work, squared)
            # What was not measured has no weight, and gives it to its neighbours.
            found += dot_rows(block_of(value[block, bears], slice(None)), nothing)
            total[block] = found

        return one

    each_block(make, blocks(len(value), squared.size), 1.0 * len(value) * squared.size)


def _on_own_axes(
    total: Array,
    rows: NDArray[np.intp],
    depth: Array,
    value: NDArray[Any],
    stderr: NDArray[Any],
    start: Array,
    stop: Array,
) -> None:
    def one(part: slice) -> None:
        some = rows[part]
        z, c, s = (block_of(array, some) for array in (depth, value, stderr))
        laid = compress(z, c)
        if laid.depth.size < 2:
            return
        s = laid.beside(s)
        a, b = np.fmax(start[some], laid.first()), np.fmin(stop[some], laid.last())
        there = (a < b) & (laid.size > 1)
        # Any limits will do for rows without an integral.
        a, b = np.where(there, a, 0.0), np.where(there, b, 0.0)
        row = laid.row[:-1]
        weights = trapezoid_weights(laid.depth, a[row], b[row], laid.seams)
        # A sample without weight counts for nothing, whether or not its error is known.
        terms = np.where(weights > 0, weights * s, 0.0)
        total[some] = np.where(there, laid.sum(terms**2), np.nan)

    cut = blocks(rows.size, value.shape[1], BLOCK // 2)
    each_block(lambda: one, cut, 10.0 * rows.size * value.shape[1], 3 << 20, alone=True)
