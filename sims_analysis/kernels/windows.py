"""The samples of profiles within a window of depths, and those at their ends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.rows import BLOCK, Rows, block_of, blocks, compress, flat_rows

__all__ = ["columns_between", "ends", "first_two", "measured", "samples_within"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]


def columns_between(depth: Array, start: Array, stop: Array) -> slice:
    """Give the columns of one axis that lie within the window of some row; NaN is the row's end."""
    if start.size == 0:
        return slice(0, depth.size)
    low, high = start.min(), stop.max()
    first = 0 if np.isnan(low) else int(depth.searchsorted(low))
    end = depth.size if np.isnan(high) else int(depth.searchsorted(high, side="right"))
    return slice(first, max(first, end))


def samples_within(
    depth: Array,
    value: NDArray[Any],
    stderr: NDArray[Any] | None,
    start: Array,
    stop: Array,
    size: int = BLOCK,
) -> Iterator[tuple[slice, Rows, Array | None]]:
    """Lay out the samples within the window of each row, block by block.

    Parameters
    ----------
    depth : ndarray, shape (n,) or (..., n)
    value, stderr : ndarray, shape (..., n)
    start, stop : ndarray, shape (R,)
        Limits of each row; NaN is its own end.
    size : int
        Samples of a block.

    Yields
    ------
    block : slice
    rows : Rows
    stderr : ndarray or None
        Beside the samples of `rows`.
    """
    values = flat_rows(value)[0]
    errors = None if stderr is None else flat_rows(np.broadcast_to(stderr, value.shape))[0]
    shared = depth.ndim == 1
    axes = depth if shared else flat_rows(np.broadcast_to(depth, value.shape))[0]
    columns = columns_between(depth, start, stop) if shared else slice(0, value.shape[-1])
    for block in blocks(len(values), columns.stop - columns.start, size):
        z = block_of(axes[columns] if shared else axes[block], slice(None))
        c = block_of(values[block, columns], slice(None))
        outside = (z < start[block, None]) | (z > stop[block, None])
        if np.count_nonzero(outside):
            c = np.where(outside, np.nan, c)
        rows = compress(z, c)
        sigma = None
        if errors is not None:
            sigma = rows.beside(block_of(errors[block, columns], slice(None)))
        yield block, rows, sigma


def ends(depth: Array, value: NDArray[Any]) -> tuple[Array, Array]:
    """Give the depths of the first and the last sample of each row; NaN where there is none."""
    (first,), (last,) = (_outermost(depth, value, 1, step) for step in (1, -1))
    return _depths(depth, value, first), _depths(depth, value, last)


def first_two(depth: Array, value: NDArray[Any]) -> tuple[Array, Array, Index]:
    """Give the depths of the first two samples of each row, and the column of the first.

    Returns
    -------
    first, second : ndarray, shape (...)
        NaN where there is none.
    column : ndarray of int, shape (...)
        -1 where there is none.
    """
    columns = _outermost(depth, value, 2, 1)
    first, second = (_depths(depth, value, column) for column in columns)
    return first, second, columns[0].reshape(value.shape[:-1])


def measured(depth: Array, value: NDArray[Any], least: int = 1) -> NDArray[np.bool_]:
    """Tell the rows of so many samples, or more."""
    found: NDArray[np.bool_] = _outermost(depth, value, least, 1)[-1] >= 0
    return found.reshape(value.shape[:-1])


def _outermost(depth: Array, value: NDArray[Any], number: int, step: int) -> list[Index]:
    """Give the columns of the first samples of each row, from either side; -1 if there is none."""
    rows, _ = flat_rows(value)
    axes = depth if depth.ndim == 1 else flat_rows(np.broadcast_to(depth, value.shape))[0]
    count, n = rows.shape
    outer = [(k if step > 0 else n - 1 - k) for k in range(number)]
    found = [np.full(count, column) for column in outer]
    if n < number:
        rest = np.arange(count)
    else:
        # Most rows are measured from end to end: a look at their ends is enough.
        known = np.ones(count, dtype=bool)
        for column in outer:
            known &= ~np.isnan(rows[:, column])
            if axes.ndim > 1:
                known &= ~np.isnan(axes[:, column])
        rest = np.flatnonzero(~known)
    for part in blocks(rest.size, n):
        some = rest[part]
        there = ~np.isnan(rows[some])
        if axes.ndim > 1:
            there &= ~np.isnan(axes[some])
        there = there[:, ::step]
        for columns in found:
            if n == 0:
                columns[some] = -1
                continue
            at, row = there.argmax(axis=1), np.arange(some.size)
            columns[some] = np.where(there[row, at], at if step > 0 else n - 1 - at, -1)
            there[row, at] = False
    return found


def _depths(depth: Array, value: NDArray[Any], column: Index) -> Array:
    """Give the depths in a column of each row; NaN for that of -1."""
    lead, n = value.shape[:-1], value.shape[-1]
    if n == 0:
        return np.full(lead, np.nan)
    safe = np.maximum(column, 0)
    if depth.ndim == 1:
        found = depth.take(safe)
    else:
        found = flat_rows(np.broadcast_to(depth, value.shape))[0][np.arange(safe.size), safe]
    return np.where(column < 0, np.nan, found).reshape(lead)
