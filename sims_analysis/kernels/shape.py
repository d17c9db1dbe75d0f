"""The shape of profiles: maximum, width, moments, level of a tail."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.background import variance_of_weighted
from sims_analysis.kernels.crossings import find
from sims_analysis.kernels.dose import trapezoid_weights
from sims_analysis.kernels.rows import BLOCK, Rows, block_of, blocks, compress, flat_rows, per_row

__all__ = ["Moments", "Peak", "compress_flat", "moments", "peak", "window_statistics", "windowed"]

Array = NDArray[np.float64]
OK, NO_DATA, NEVER_REACHED, BELOW_DETECTION, TRUNCATED = 0, 1, 2, 4, 5


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
    """Moments of every row and their standard errors; fields have the leading shape."""

    integral: Array
    projected_range: Array
    straggle: Array
    skewness: Array
    kurtosis: Array
    start: Array
    stop: Array
    status: NDArray[np.uint8]
    integral_stderr: Array
    projected_range_stderr: Array
    straggle_stderr: Array
    skewness_stderr: Array
    kurtosis_stderr: Array


def moments(
    depth: Array,
    value: Array,
    stderr: Array | None = None,
    start: Array | float = np.nan,
    stop: Array | float = np.nan,
    background: Array | float = 0.0,
    threshold: Array | float = np.nan,
    window: tuple[Array | float, Array | float] | None = None,
    *,
    relative: bool = False,
) -> Moments:
    """Moments of the profile above the background, with the trapezoid's weights.

    ``R = sum w z C / sum w C``, ``m_k = sum w (z - R)^k C / sum w C``.

    Parameters
    ----------
    stderr : ndarray, shape (..., n), optional
        Of independent samples; without them the standard errors are NaN. A standard error is also
        NaN where, to first order, no sample's error bears on the answer (too few were counted),
        and where noise may have decided which samples lie above the threshold.
    threshold : float or ndarray
        Keep the run of samples around the maximum that lie above it, and nothing else; NaN keeps
        every sample of the window.
    window : (start, stop), optional
        Depths over which the background is the mean, so that its error counts in.
    relative : bool
        Whether the threshold is a fraction of each row's maximum.
    """
    rows, lead = flat_rows(value)
    own = depth if depth.ndim == 1 else flat_rows(np.broadcast_to(depth, value.shape))[0]
    errors = None if stderr is None else flat_rows(np.broadcast_to(stderr, value.shape))[0]
    limits = [per_row(limit, lead) for limit in (start, stop, background, threshold)]
    around = None if window is None else [per_row(end, lead) for end in window]
    found = np.full((12, rows.shape[0]), np.nan)
    status = np.full(rows.shape[0], NO_DATA, dtype=np.uint8)
    for block in blocks(rows.shape[0], rows.shape[1], BLOCK // 2):
        found[:, block], status[block] = _moments(
            block_of(own, block),
            block_of(rows, block),
            None if errors is None else block_of(errors, block),
            [limit[block] for limit in limits],
            None if around is None else (around[0][block], around[1][block]),
            relative=relative,
        )
    fields = list(found.reshape(12, *lead))
    return Moments._make([*fields[:7], status.reshape(lead), *fields[7:]])


def _moments(
    depth: Array,
    value: Array,
    stderr: Array | None,
    limits: list[Array],
    window: tuple[Array, Array] | None,
    *,
    relative: bool,
) -> tuple[Array, NDArray[np.uint8]]:
    """Give the moments of some rows, with their errors and the ends of the run; and the status."""
    start, stop, level, limit = limits
    rows, _, kept = windowed(depth, value, start, stop)
    count = rows.count
    c = rows.value - level[rows.row]
    some = np.flatnonzero(rows.size)
    status = np.full(count, NO_DATA, dtype=np.uint8)
    columns = np.full((12, count), np.nan)
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
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = laid.sum(mass * laid.depth) / mass_of_row
            off = laid.depth - mean[laid.row]
            squared = off * off  # powers by multiplication: np.power takes ten times as long
            powers = (squared, squared * off, squared * squared)
            second, third, fourth = (laid.sum(mass * power) / mass_of_row for power in powers)
            # Noise about a background makes sums of any sign, and of these no distribution.
            within = (mean >= laid.first()) & (mean <= laid.last())
            told = (mass_of_row > 0) & (second > 0) & within
            straggle = np.sqrt(np.where(told, second, np.nan))
            shape = (straggle, third / straggle**3, fourth / straggle**4)
            columns[:7] = (mass_of_row, mean, *shape, laid.first(), laid.last())
            if stderr is not None:
                slopes = _slopes(laid, weights, mass_of_row, off, *shape)
                taken = np.flatnonzero(kept.reshape(-1))[keep]
                columns[7:] = _errors(depth, value, stderr, slopes, taken, window)
                columns[7:, _doubtful(rows, c, stderr[kept], limit, keep)] = np.nan
        enough = laid.size > 2
        columns[:, ~(enough & told)] = np.nan
        measured = (rows.size > 2) & ~np.isnan(level)
        why = np.where(enough, np.where(told, OK, BELOW_DETECTION), NEVER_REACHED)
        status[measured] = why[measured]
    return columns, status


#: Standard errors from the threshold within which a sample may lie on either side of it.
_CLEAR = 3.0


def _doubtful(
    rows: Rows, c: Array, sigma: Array, limit: Array, keep: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Tell the rows in which noise may have decided where the run above the limit ends."""
    # Where nothing was counted, sums take no error; a sample beside others has that of one count.
    positive = np.where(sigma > 0, sigma, np.inf)
    least = np.full(rows.count, np.inf)
    some = np.flatnonzero(rows.size)
    least[some] = np.minimum.reduceat(positive, rows.start[some])
    sigma = np.where(sigma == 0, np.where(np.isinf(least), 0.0, least)[rows.row], sigma)
    near = keep.copy()
    same = rows.row[1:] == rows.row[:-1]
    near[1:] |= keep[:-1] & same
    near[:-1] |= keep[1:] & same
    close = near & ~(np.abs(c - limit[rows.row]) >= _CLEAR * sigma) & ~np.isnan(limit)[rows.row]
    return np.bincount(rows.row[close], minlength=rows.count) > 0


def _slopes(
    laid: Rows,
    weights: Array,
    total: Array,
    off: Array,
    straggle: Array,
    skewness: Array,
    kurtosis: Array,
) -> list[Array]:
    """Give the derivatives of integral, mean, straggle, skewness and kurtosis by the samples.

    With ``t = (z - R) / straggle`` and ``w / Q`` in front: ``straggle t``,
    ``straggle (t^2 - 1) / 2``, ``t^3 - 3 t - g - 3 g (t^2 - 1) / 2``, and
    ``t^4 - 4 g t - b - 2 b (t^2 - 1)`` for skewness g and kurtosis b.
    """
    row = laid.row
    part = weights / total[row]
    width, g, b = straggle[row], skewness[row], kurtosis[row]
    t = off / width
    wider = t**2 - 1.0
    return [
        weights,
        part * off,
        part * (0.5 * width * wider),
        part * (t**3 - 3.0 * t - g - 1.5 * g * wider),
        part * (t**4 - 4.0 * g * t - b - 2.0 * b * wider),
    ]


def _errors(
    depth: Array,
    value: Array,
    stderr: Array,
    slopes: list[Array],
    taken: NDArray[np.intp],
    window: tuple[Array, Array] | None,
) -> list[Array]:
    """Give the standard errors of sums with these slopes at the samples `taken`."""
    every = compress(depth, value)
    measured = np.flatnonzero(~(np.isnan(value) | np.isnan(depth)).reshape(-1))
    sigma = stderr.reshape(-1)[measured]
    place = np.searchsorted(measured, taken)
    errors = []
    for slope in slopes:
        weights = np.zeros(measured.size)
        weights[place] = slope
        if window is None:
            # A sample without weight counts for nothing, whether or not its error is known.
            variance = every.sum(np.where(weights == 0.0, 0.0, weights * sigma) ** 2)
        else:
            total = every.sum(weights)
            variance, _ = variance_of_weighted(every, sigma, weights, total, window)
        errors.append(np.sqrt(np.where(variance > 0, variance, np.nan)))
    return errors


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
