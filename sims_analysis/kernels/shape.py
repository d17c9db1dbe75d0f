"""The shape of profiles: maximum, width, moments, level of a tail."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.crossings import find
from sims_analysis.kernels.dose import trapezoid_weights
from sims_analysis.kernels.rows import Rows, compress, flat_rows, per_row

__all__ = ["Moments", "Peak", "compress_flat", "moments", "peak", "window_statistics", "windowed"]

Array = NDArray[np.float64]
OK, NO_DATA, NEVER_REACHED, TRUNCATED = 0, 1, 2, 5


def windowed(
    depth: Array, value: Array, start: Array | float, stop: Array | float
) -> tuple[Rows, tuple[int, ...], NDArray[np.bool_]]:
    """Lay out the samples within a window of each row; NaN limits are the row's own ends."""
    rows, lead = flat_rows(value)
    own = depth if depth.ndim == 1 else flat_rows(np.broadcast_to(depth, value.shape))[0]
    a, b = per_row(start, lead)[:, None], per_row(stop, lead)[:, None]
    outside = (own < a) | (own > b)
    kept = ~(outside | np.isnan(rows) | np.isnan(own))
    return compress(own, np.where(outside, np.nan, rows)), lead, kept


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
    rows, lead, kept = windowed(depth, value, start, stop)
    count = rows.count
    at, top, sigma, fwhm = (np.full(count, np.nan) for _ in range(4))
    some = np.flatnonzero(rows.size)
    status = np.full(count, NO_DATA, dtype=np.uint8)
    if some.size:
        maximum = np.full(count, np.nan)
        maximum[some] = np.maximum.reduceat(rows.value, rows.start[some])
        high = np.flatnonzero(rows.value == maximum[rows.row])
        row, first = np.unique(rows.row[high], return_index=True)
        position = high[first]
        at[row], top[row] = rows.depth[position], rows.value[position]
        if stderr is not None:
            sigma[row] = flat_rows(np.broadcast_to(stderr, value.shape))[0][kept][position]
        found = find(rows, 0.5 * maximum[rows.row])
        after = found.depth > at[found.row]
        right, left = np.full(count, np.nan), np.full(count, np.nan)
        # In order of depth: the last write of a reversed list is the nearest to the maximum.
        right[found.row[after][::-1]] = found.depth[after][::-1]
        left[found.row[~after]] = found.depth[~after]
        fwhm = right - left
        status[some] = np.where(np.isnan(fwhm[some]), TRUNCATED, OK)
    found_at = Peak(at, top, sigma, fwhm, status)
    return Peak._make(field.reshape(lead) for field in found_at)


class Moments(NamedTuple):
    """Moments of every row; fields have the leading shape."""

    integral: Array
    projected_range: Array
    straggle: Array
    skewness: Array
    kurtosis: Array
    start: Array
    stop: Array
    status: NDArray[np.uint8]


def moments(
    depth: Array,
    value: Array,
    start: Array | float = np.nan,
    stop: Array | float = np.nan,
    background: Array | float = 0.0,
    threshold: Array | float = np.nan,
    *,
    relative: bool = False,
) -> Moments:
    """Moments of the profile above the background, with the trapezoid's weights.

    ``R = sum w z C / sum w C``, ``m_k = sum w (z - R)^k C / sum w C``.

    Parameters
    ----------
    threshold : float or ndarray
        Keep the run of samples around the maximum that lie above it, and nothing else; NaN keeps
        every sample of the window.
    relative : bool
        Whether the threshold is a fraction of each row's maximum.
    """
    rows, lead, _ = windowed(depth, value, start, stop)
    count = rows.count
    c = rows.value - per_row(background, lead)[rows.row]
    limit = per_row(threshold, lead)
    some = np.flatnonzero(rows.size)
    status = np.full(count, NO_DATA, dtype=np.uint8)
    columns = np.full((7, count), np.nan)
    if some.size:
        maximum = np.full(count, -np.inf)
        maximum[some] = np.maximum.reduceat(c, rows.start[some])
        if relative:
            limit = limit * maximum
        keep = _run_around_maximum(rows, c, maximum, limit)
        laid = compress_flat(rows, c, keep)
        weights = (
            trapezoid_weights(laid.depth, -np.inf, np.inf, laid.seams)
            if laid.depth.size > 1
            else np.zeros(laid.depth.size)
        )
        mass = weights * laid.value
        mass_of_row = laid.sum(mass)
        enough = (laid.size > 2) & (mass_of_row > 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = laid.sum(mass * laid.depth) / mass_of_row
            off = laid.depth - mean[laid.row]
            second, third, fourth = (laid.sum(mass * off**k) / mass_of_row for k in (2, 3, 4))
            straggle = np.sqrt(np.where(second > 0, second, np.nan))
            columns[:] = (
                mass_of_row,
                mean,
                straggle,
                third / straggle**3,
                fourth / straggle**4,
                laid.first(),
                laid.last(),
            )
        columns[:, ~enough] = np.nan
        status[some] = np.where(enough[some], OK, NEVER_REACHED)
    total, mean, straggle, skewness, kurtosis, first, last = columns.reshape(7, *lead)
    return Moments(total, mean, straggle, skewness, kurtosis, first, last, status.reshape(lead))


def compress_flat(rows: Rows, value: Array, keep: NDArray[np.bool_]) -> Rows:
    """Keep some of the samples of end-to-end rows."""
    start = np.zeros(rows.count + 1, dtype=np.intp)
    np.cumsum(np.bincount(rows.row[keep], minlength=rows.count), out=start[1:])
    return Rows(rows.depth[keep], value[keep], start)


def _run_around_maximum(rows: Rows, c: Array, maximum: Array, limit: Array) -> NDArray[np.bool_]:
    """Mark the samples above the limit that are joined to the maximum by others above it."""
    above = ~(c < limit[rows.row])
    # A run begins where the row does, or where a sample rises above the limit.
    begins = above.copy()
    begins[1:] &= ~above[:-1] | (rows.row[1:] != rows.row[:-1])
    run = np.where(above, np.cumsum(begins), 0)
    at_maximum = np.flatnonzero(above & (c == maximum[rows.row]))
    row, first = np.unique(rows.row[at_maximum], return_index=True)
    wanted = np.zeros(rows.count, dtype=np.intp)
    wanted[row] = run[at_maximum[first]]
    kept: NDArray[np.bool_] = above & (run == wanted[rows.row])
    return kept


def window_statistics(
    depth: Array, value: Array, start: Array | float, stop: Array | float
) -> tuple[Array, Array, NDArray[np.intp]]:
    """Mean, sample standard deviation and number of the samples in a window of each row."""
    rows, lead, _ = windowed(depth, value, start, stop)
    size = rows.size
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = rows.sum(rows.value) / size
        squares = rows.sum((rows.value - mean[rows.row]) ** 2)
        deviation = np.sqrt(squares / (size - 1))
    deviation[size < 2] = np.nan
    mean[size < 1] = np.nan
    return mean.reshape(lead), deviation.reshape(lead), size.reshape(lead)
