"""Maximum and width of profiles."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.crossings import find, highest, locate
from sims_analysis.kernels.rows import Array, Rows, Status

__all__ = ["Peak", "peak"]


class Peak(NamedTuple):
    """Maximum of every row; every field has shape (R,)."""

    depth: Array
    value: Array
    stderr: Array
    fwhm: Array
    status: NDArray[np.uint8]


def peak(rows: Rows, start: Array, stop: Array) -> Peak:
    """Find the highest sample within the window, and the full width at half of it.

    Parameters
    ----------
    rows : Rows
        With standard errors, or without.
    start, stop : ndarray, shape (R,)
        Depths; NaN is the row's own end.

    Returns
    -------
    Peak
        The depths of half the maximum are the nearest crossings on either side of it; without one
        within the window the width is NaN and the status ``truncated``.
    """
    rows = rows.within(start, stop)
    depth, value, stderr, left, right = np.full((5, rows.count), np.nan)
    row, position = highest(rows)
    depth[row], value[row] = rows.depth_at(position), rows.value_at(position)
    if rows.stderr is not None:
        stderr[row] = rows.stderr.reshape(-1)[position]
    half = rows.repeat(0.5 * value)
    found = find(rows, half)
    at = locate(rows, half, found).depth
    after = at > depth[found.row]
    # In order of depth: the last write of a reversed list is the nearest to the maximum.
    right[found.row[after][::-1]] = at[after][::-1]
    left[found.row[~after]] = at[~after]
    width = right - left
    there = np.where(np.isnan(width), Status.TRUNCATED, Status.OK)
    status = np.where(rows.size > 0, there, Status.NO_DATA).astype(np.uint8)
    return Peak(depth, value, stderr, width, status)
