"""Integrals of profiles from their first sample to each of their samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.gaps import between_samples, number_of
from sims_analysis.kernels.rows import BLOCK, block_of, blocks, flat_rows, precision
from sims_analysis.kernels.segments import lowest_of, means
from sims_analysis.kernels.threads import each_block

__all__ = ["cumulative"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]


def cumulative(
    depth: Array, value: NDArray[Any], *, rule: str = "trapezoid", divisor: float = 1.0
) -> NDArray[Any]:
    """Integrate from the first sample of each row to each of its samples.

    Returns
    -------
    ndarray, shape (..., n)
        Divided by `divisor`. 0 at the first sample of a row; NaN where there is no sample, and
        throughout a row of a single one, which has no width. Summed in float64, given back in
        float32 where the values are float32.
    """
    rows_value, _ = flat_rows(value)
    axes = depth if depth.ndim == 1 else flat_rows(depth)[0]
    log, n = rule == "loglinear", value.shape[-1]
    result = np.empty(rows_value.shape, dtype=precision(value))
    if result.size == 0:
        return result.reshape(value.shape)

    def make() -> Callable[[slice], None]:
        scratch = np.empty((3, max(n, BLOCK // 2) + n))

        def one(block: slice) -> None:
            c, z = block_of(rows_value, block), block_of(axes, block)
            _running(z, c, result[block], scratch, divisor, log=log)

        return one

    nanoseconds = (6.0 if log else 4.0) * rows_value.size
    cut = blocks(rows_value.shape[0], n, BLOCK // 2)
    each_block(make, cut, nanoseconds, 2 << 20)
    return result.reshape(value.shape)


def _running(
    z: Array, c: Array, result: NDArray[Any], scratch: Array, divisor: float, *, log: bool
) -> None:
    """Sum up a block of rows."""
    rows, n = c.shape
    half = (rows + 1) // 2
    width = np.diff(z)
    mean, work = scratch[:2, : rows * (n - 1)].reshape(2, rows, n - 1)
    if log:
        means(c[:, :-1], c[:, 1:], mean, work, log=True, lowest=lowest_of(c))
    else:
        np.add(c[:, :-1], c[:, 1:], out=mean)
        width *= 0.5
    # Each sum waits for the one before: two rows side by side take the time of one. A segment's
    # area stands at the sample that ends it.
    pairs = scratch[1:].reshape(-1)[: 2 * half * n].reshape(half, n, 2)
    pairs[:, 0] = pairs[rows - half :, :, 1] = 0.0
    lanes = (slice(0, half), pairs[:, :, 0]), (slice(half, rows), pairs[: rows - half, :, 1])
    for some, lane in lanes:
        np.multiply(mean[some], width if z.ndim == 1 else width[some], out=lane[:, 1:])
    missing = np.isnan(c)
    if z.ndim > 1 and np.isnan(z.min()):
        missing |= np.isnan(z)
    if np.count_nonzero(missing):
        _bridge(z, c, missing, pairs.reshape(-1), log=log)
    both = pairs.reshape(half, -1).view(np.complex128)
    np.cumsum(both, axis=1, out=both)
    for some, lane in lanes:
        np.divide(lane, divisor, out=result[some], casting="same_kind")
    if np.count_nonzero(missing):
        np.putmask(result, missing, np.nan)
        result[number_of(~missing) < 2] = np.nan
    elif n == 1:
        result[:] = np.nan


def _bridge(z: Array, c: Array, missing: NDArray[np.bool_], area: Array, *, log: bool) -> None:
    """Put one segment over each gap, and nothing where samples are missing, which changes no sum.

    `area` are those of segments, of the first half of the rows beside those of the other.
    """
    n, first_half = c.shape[1], (len(c) + 1) // 2 * c.shape[1]

    def place(flat: Index) -> Index:  # of places in order
        at = 2 * flat
        at[flat.searchsorted(first_half) :] -= 2 * first_half - 1
        return at

    absent, row, p, q = between_samples(missing)
    area[place(absent)] = 0.0
    after = absent + 1  # of the last sample of a row, the first of the next, where nothing is
    area[place(after[after < c.size])] = 0.0
    before, after = row * n + p, row * n + q
    bridge, work = np.empty((2, row.size))
    flat = c.reshape(-1)
    means(flat.take(before), flat.take(after), bridge, work, log=log)
    bridge *= z[q] - z[p] if z.ndim == 1 else z.reshape(-1)[after] - z.reshape(-1)[before]
    area[place(after)] = bridge
