"""Integrals of profiles from their first sample to each of their samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.gaps import gaps
from sims_analysis.kernels.rows import BLOCK, block_of, blocks, flat_rows, precision
from sims_analysis.kernels.segments import means
from sims_analysis.kernels.threads import each_block

__all__ = ["cumulative"]

Array = NDArray[np.float64]


def cumulative(depth: Array, value: NDArray[Any], *, rule: str = "trapezoid") -> NDArray[Any]:
    """Integrate from the first sample of each row to each of its samples.

    Returns
    -------
    ndarray, shape (..., n)
        0 at the first sample of a row; NaN where there is no sample. Summed in float64, given
        back in float32 where the values are float32.
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
            _running(z, c, result[block], scratch, log=log)

        return one

    nanoseconds = (6.0 if log else 4.0) * rows_value.size
    cut = blocks(rows_value.shape[0], n, BLOCK // 2)
    each_block(make, cut, nanoseconds, 2 << 20)
    return result.reshape(value.shape)


def _running(z: Array, c: Array, result: NDArray[Any], scratch: Array, *, log: bool) -> None:
    """Sum up a block of rows."""
    rows, n = c.shape
    half = (rows + 1) // 2
    width = np.diff(z)
    mean, work = scratch[:2, : rows * (n - 1)].reshape(2, rows, n - 1)
    if log:
        means(c[:, :-1], c[:, 1:], mean, work, log=True)
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
    both = pairs.reshape(half, -1).view(np.complex128)
    np.cumsum(both, axis=1, out=both)
    for some, lane in lanes:
        result[some] = lane
    missing = ~np.isfinite(result[:, -1])
    if n == 1:  # no segment shows it
        missing |= np.isnan(c[:, 0] + z[..., 0])
    holes = np.flatnonzero(missing)
    for part in blocks(holes.size, n, BLOCK // 4):
        where = holes[part]
        of_rows = z if z.ndim == 1 else z[where]
        result[where] = _running_over_gaps(of_rows, c[where], log=log)


def _running_over_gaps(z: Array, c: Array, *, log: bool) -> Array:
    """Sum up rows in which samples are missing."""
    rows, n = c.shape
    mean, work = np.empty((2, rows, n - 1))
    means(c[:, :-1], c[:, 1:], mean, work, log=log)
    area = np.zeros(c.shape)
    np.multiply(mean, np.diff(z), out=area[:, 1:])
    flat = area.reshape(-1)
    absent = np.flatnonzero(np.isnan(c) | np.isnan(z))
    # 0 changes no sum.
    flat[absent] = 0.0
    flat[np.minimum(absent + 1, c.size - 1)] = 0.0
    row, p, q = found = gaps(*np.divmod(absent, n), n)
    bridge, work = np.empty((2, row.size))
    before, after = found.ends
    means(c[before], c[after], bridge, work, log=log)
    area[after] = bridge * (z[q] - z[p] if z.ndim == 1 else z[after] - z[before])
    np.cumsum(area, axis=1, out=area)
    flat[absent] = np.nan
    return area
