"""Maximum and width of profiles, and whether the maximum is a surface transient."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.crossings import find, highest, locate
from sims_analysis.kernels.rows import Array, Rows, Status

__all__ = ["Peak", "Transient", "peak", "transient"]


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


#: How far a second maximum rises above what lies between it and the surface: in standard errors,
#: and as a factor where these are known, as another factor where they are not.
SIGNIFICANT, RISE, RISE_WITHOUT_ERRORS = 6.0, 1.2, 3.0
#: Part of the first maximum below which no second one is looked for.
LEAST = 1e-3
#: Samples of which the median is taken, so that a single high one is no maximum.
SMOOTHED = 5


class Transient(NamedTuple):
    """First samples that are maxima, and the maxima below them; every field has shape (R,)."""

    depth: Array
    value: Array
    deeper_depth: Array
    deeper_value: Array


def transient(rows: Rows, start: Array, stop: Array) -> Transient:
    """Find the rows whose maximum within a window is its first sample, and another lies deeper.

    That is what the transient at the surface looks like on top of an implant.

    Parameters
    ----------
    rows : Rows
        With standard errors, or without.
    start, stop : ndarray, shape (R,)
        Depths; NaN is the row's own end.

    Returns
    -------
    Transient
        NaN where there is no such pair of maxima. Of medians of five samples, the deeper maximum
        lies above the lowest before it by six standard errors and a fifth of that. Where errors
        are not known, the scatter of the five samples stands for them, and it is three times as
        high. It is at least a thousandth of the first.
    """
    rows = rows.within(start, stop).packed()
    columns = np.full((4, rows.count), np.nan)
    row, position = highest(rows)
    for r in row[position == rows.start[row]]:
        mine = slice(rows.start[r], rows.start[r + 1])
        c = rows.value[mine]
        k = _second_maximum(c, None if rows.stderr is None else rows.stderr[mine])
        if k is not None:
            z = rows.depth[mine]
            columns[:, r] = z[0], c[0], z[k], c[k]
    return Transient(*columns)


def _second_maximum(c: Array, stderr: Array | None) -> int | None:
    """Return the place of a maximum that stands out below the first sample."""
    if c.size < SMOOTHED or not c[0] > 0:
        return None
    windows = np.lib.stride_tricks.sliding_window_view(c, SMOOTHED)
    m, s, rise = np.median(windows, axis=1), windows.std(axis=1, ddof=1), RISE_WITHOUT_ERRORS
    if stderr is not None and np.isfinite(stderr).all():
        s, rise = stderr[SMOOTHED // 2 :][: m.size], RISE
    lowest = np.minimum.accumulate(m)
    at_lowest = np.maximum.accumulate(np.where(m == lowest, np.arange(m.size), 0))
    stands_out = m - lowest >= SIGNIFICANT * np.hypot(s, s[at_lowest])
    stands_out &= m >= rise * np.maximum(lowest, c[c > 0].min())
    found = np.flatnonzero(stands_out & (m >= LEAST * c[0]))
    if found.size == 0:
        return None
    # The highest sample of those deeper than what is lowest before the second maximum.
    top = found[m[found].argmax()]
    below = int(m[: top + 1].argmin()) + SMOOTHED // 2
    return below + int(c[below:].argmax())
