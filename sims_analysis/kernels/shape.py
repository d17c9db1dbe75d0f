"""Maximum and width of profiles."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.crossings import find
from sims_analysis.kernels.rows import BLOCK, Rows, first_of_each, per_row
from sims_analysis.kernels.windows import samples_within

__all__ = ["Peak", "peak"]

Array = NDArray[np.float64]
OK, NO_DATA, TRUNCATED = 0, 1, 5


class Peak(NamedTuple):
    """Maximum of every row; fields have the leading shape."""

    depth: Array
    value: Array
    stderr: Array
    fwhm: Array
    status: NDArray[np.uint8]


def peak(
    depth: Array,
    value: Array,
    stderr: Array | None,
    start: Array | float = np.nan,
    stop: Array | float = np.nan,
) -> Peak:
    """Find the highest sample within the window, and the full width at half of it.

    The half-maximum depths are the nearest crossings on either side of the maximum; without one
    within the window the width is NaN and the status ``truncated``.
    """
    lead = value.shape[:-1]
    limits = per_row(start, lead), per_row(stop, lead)
    found = np.full((4, limits[0].size), np.nan)
    status = np.full(limits[0].size, NO_DATA, dtype=np.uint8)
    for block, rows, sigma in samples_within(depth, value, stderr, *limits, size=2 * BLOCK):
        found[:, block], status[block] = _peak(rows, sigma)
    at, top, sigma, fwhm = found.reshape(4, *lead)
    return Peak(at, top, sigma, fwhm, status.reshape(lead))


def _peak(rows: Rows, stderr: Array | None) -> tuple[Array, NDArray[np.uint8]]:
    """Give depth, value, standard error and width of the maximum of each row; and the status."""
    count, some = rows.count, np.flatnonzero(rows.size)
    columns = np.full((4, count), np.nan)
    status = np.full(count, NO_DATA, dtype=np.uint8)
    if some.size == 0:
        return columns, status
    at, top, sigma, fwhm = columns
    maximum = rows.extreme(np.maximum, rows.value)
    high = np.flatnonzero(rows.value == np.repeat(maximum, rows.size))
    row, first = first_of_each(rows.start.searchsorted(high, side="right") - 1)
    position = high[first]
    at[row], top[row] = rows.depth[position], rows.value[position]
    if stderr is not None:
        sigma[row] = stderr[position]
    found = find(rows, np.repeat(0.5 * maximum, rows.size))
    after = found.depth > at[found.row]
    right, left = np.full((2, count), np.nan)
    # In order of depth: the last write of a reversed list is the nearest to the maximum.
    right[found.row[after][::-1]] = found.depth[after][::-1]
    left[found.row[~after]] = found.depth[~after]
    fwhm[:] = right - left
    status[some] = np.where(np.isnan(fwhm[some]), TRUNCATED, OK)
    return columns, status
