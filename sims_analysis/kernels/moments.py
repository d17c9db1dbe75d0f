"""Moments of profiles: range, straggle, skewness and kurtosis, and how well they are known."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.background import variance_of_weighted
from sims_analysis.kernels.one_axis import trapezoid_weights
from sims_analysis.kernels.rows import (
    BLOCK,
    Layout,
    Rows,
    Whole,
    block_of,
    blocks,
    compress,
    compress_flat,
    first_of_each,
    flat_rows,
    parted,
    per_row,
)
from sims_analysis.kernels.windows import columns_between

__all__ = ["Moments", "moments"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Flags = NDArray[np.bool_]
OK, NO_DATA, NEVER_REACHED, BELOW_DETECTION = 0, 1, 2, 4


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
    per_profile = [start, stop, background, threshold, *(window or ())]
    parameters = [per_row(parameter, lead) for parameter in per_profile]
    found = np.full((12, rows.shape[0]), np.nan)
    status = np.full(rows.shape[0], NO_DATA, dtype=np.uint8)
    one_window = depth.ndim == 1 and np.ndim(start) == np.ndim(stop) == 0
    for block in blocks(rows.shape[0], rows.shape[1], BLOCK if errors is None else BLOCK // 2):
        z, c = block_of(own, block), block_of(rows, block)
        s = None if errors is None else block_of(errors, block)
        for some, whole in parted(c, one_axis=one_window):
            part = [x[some] for x in (c, s) if x is not None]
            limits = [x[block][some] for x in parameters]
            run_of = _whole_run if whole else _run
            axis = z if z.ndim == 1 else z[some]
            run = run_of(axis, *part, limits=limits, relative=relative)
            found[:, block][:, some], status[block][some] = _of_run(run, limits)
    fields = list(found.reshape(12, *lead))
    return Moments._make([*fields[:7], status.reshape(lead), *fields[7:]])


class _Kept(NamedTuple):
    """The samples of some rows that moments are taken of."""

    laid: Layout
    #: Above the background; what does not count has no weight.
    weights: Array
    first: Array
    last: Array
    size: Index
    #: Samples within the window of each row.
    measured: Index
    #: All samples of the rows, with their errors; and where those that are kept stand among them.
    every: Layout
    stderr: Array | None
    place: Index | slice
    #: Rows in which noise may have decided what was kept.
    doubtful: Flags


def _run(
    depth: Array, value: Array, stderr: Array | None = None, *, limits: list[Array], relative: bool
) -> _Kept:
    """Lay out what is kept of rows, whatever is missing."""
    start, stop, level, limit = limits[:4]
    outside = (depth < start[:, None]) | (depth > stop[:, None])
    rows, every = compress(depth, np.where(outside, np.nan, value)), compress(depth, value)
    c = rows.value - rows.spread(level)
    maximum = rows.extreme(np.maximum, c, -np.inf)
    limit = limit * maximum if relative else limit
    keep = _run_around_maximum(rows, c, maximum, limit)
    laid = compress_flat(rows, c, keep)
    weights = (
        trapezoid_weights(laid.depth, -np.inf, np.inf, laid.seams)
        if laid.depth.size > 1
        else np.zeros(laid.depth.size)
    )
    doubtful, place = np.zeros(len(value), dtype=bool), np.zeros(0, dtype=np.intp)
    if stderr is not None:
        doubtful = _doubtful(rows, c, rows.beside(stderr), limit, keep)
        kept, all_of_them = (
            np.arange(value.size) if x.kept is None else x.kept for x in (rows, every)
        )
        place = np.searchsorted(all_of_them, kept[keep])
        stderr = every.beside(stderr)
    return _Kept(
        laid,
        weights,
        laid.first(),
        laid.last(),
        laid.size,
        rows.size,
        every,
        stderr,
        place,
        doubtful,
    )


def _whole_run(
    depth: Array, value: Array, stderr: Array | None = None, *, limits: list[Array], relative: bool
) -> _Kept:
    """Mark what is kept of rows without gaps on one axis, in one window."""
    start, stop, level, limit = limits[:4]
    columns = columns_between(depth, start[:1], stop[:1])
    z, c = depth[columns], value[:, columns] - level[:, None]
    laid, n = Whole(z, c), z.size
    count = np.zeros(len(c), dtype=np.intp)
    if n == 0:
        nothing = np.full(len(c), np.nan)
        ends, weights, doubtful = (nothing, nothing), np.zeros(c.shape), count > 0
    else:
        weights = trapezoid_weights(z, -np.inf, np.inf) if n > 1 else np.zeros(n)
        ends, count = (np.full(len(c), z[0]), np.full(len(c), z[-1])), count + n
        keep, doubtful = np.ones(c.shape, dtype=bool), np.zeros(len(c), dtype=bool)
        if not np.isnan(limit).all():
            top = c.argmax(axis=1)
            maximum = c[np.arange(len(c)), top]
            limit = limit * maximum if relative else limit
            keep, first, last = _run_of_columns(c, top, limit)
            ends = z.take(first, mode="clip"), z.take(last, mode="clip")
            count = last - first + 1
            count[last < first] = 0
            weights = _weights_of_runs(z, weights, keep, first, last)
            if stderr is not None:
                doubtful = _doubtful(laid, c, stderr[:, columns], limit, keep)
    return _Kept(
        laid,
        weights,
        *ends,
        count,
        np.full(len(c), n),
        Whole(depth, value),
        stderr,
        columns,
        doubtful,
    )


def _run_of_columns(c: Array, top: Index, limit: Array) -> tuple[Flags, Index, Index]:
    """Mark the samples above the limit that are joined to the maximum; the first and the last."""
    n, column = c.shape[1], np.arange(c.shape[1])
    below = c < limit[:, None]
    ahead = below & (column <= top[:, None])
    behind = below & (column >= top[:, None])
    first = n - ahead[:, ::-1].argmax(axis=1)
    first[~ahead.any(axis=1)] = 0
    last = behind.argmax(axis=1) - 1
    last[~behind.any(axis=1)] = n - 1
    return (column >= first[:, None]) & (column <= last[:, None]), first, last


def _weights_of_runs(z: Array, weights: Array, keep: Flags, first: Index, last: Index) -> Array:
    """Give each row the trapezoid's weights within its run."""
    found: Array = keep * weights
    row = np.flatnonzero(last > first)
    begin, end = first[row], last[row]
    found[row, begin] = 0.5 * (z[begin + 1] - z[begin])
    found[row, end] = 0.5 * (z[end] - z[end - 1])
    alone = np.flatnonzero(last == first)
    found[alone, first[alone]] = 0.0
    return found


def _of_run(run: _Kept, limits: list[Array]) -> tuple[Array, NDArray[np.uint8]]:
    """Give moments, their errors and the ends of the run; and the status."""
    laid, weights, level = run.laid, run.weights, limits[2]
    columns = np.full((12, laid.count), np.nan)
    status = np.full(laid.count, NO_DATA, dtype=np.uint8)
    if not run.size.any() and not run.measured.any():
        return columns, status
    mass = weights * laid.value
    mass_of_row = laid.sum(mass)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        mean = laid.dot(mass, laid.depth) / mass_of_row
        off = laid.depth - laid.spread(mean)
        squared = off * off  # powers by multiplication: np.power takes ten times as long
        mass *= squared
        second = laid.sum(mass) / mass_of_row
        third, fourth = (laid.dot(mass, power) / mass_of_row for power in (off, squared))
        # Noise about a background makes sums of any sign, and of these no distribution.
        within = (mean >= run.first) & (mean <= run.last)
        told = (mass_of_row > 0) & (second > 0) & within
        straggle = np.sqrt(np.where(told, second, np.nan))
        shape = (straggle, third / straggle**3, fourth / straggle**4)
        columns[:7] = (mass_of_row, mean, *shape, run.first, run.last)
        if run.stderr is not None:
            slopes = _slopes(laid, weights, mass_of_row, off, *shape)
            window = (limits[4], limits[5]) if len(limits) > 4 else None
            columns[7:] = _errors(run, run.stderr, slopes, window)
            columns[7:, run.doubtful] = np.nan
    enough = run.size > 2
    columns[:, ~(enough & told)] = np.nan
    measured = (run.measured > 2) & ~np.isnan(level)
    why = np.where(enough, np.where(told, OK, BELOW_DETECTION), NEVER_REACHED)
    status[measured] = why[measured]
    return columns, status


#: Standard errors from the threshold within which a sample may lie on either side of it.
_CLEAR = 3.0


def _doubtful(rows: Layout, c: Array, sigma: Array, limit: Array, keep: Flags) -> Flags:
    """Tell the rows in which noise may have decided where the run above the limit ends."""
    # Where nothing was counted, sums take no error; a sample beside others has that of one count.
    least = rows.extreme(np.minimum, np.where(sigma > 0, sigma, np.inf), np.inf)
    one = rows.spread(np.where(np.isinf(least), 0.0, least))
    level = rows.spread(limit)
    far = np.abs(c - level) >= _CLEAR * np.where(sigma == 0, one, sigma)
    return rows.some(rows.beside_any(keep) & ~far & ~np.isnan(level))


def _slopes(
    laid: Layout,
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
    part = weights / laid.spread(total)
    width, g, b = (laid.spread(x) for x in (straggle, skewness, kurtosis))
    t = off / width
    squared = t * t  # powers by multiplication: np.power takes ten times as long
    wider = squared - 1.0
    return [
        weights,
        part * off,
        part * (0.5 * width * wider),
        part * (squared * t - 3.0 * t - g - 1.5 * g * wider),
        part * (squared * squared - 4.0 * g * t - b - 2.0 * b * wider),
    ]


def _errors(
    run: _Kept, stderr: Array, slopes: list[Array], window: tuple[Array, Array] | None
) -> list[Array]:
    """Give the standard errors of sums with these slopes at the samples that are kept."""
    errors = []
    for slope in slopes:
        weights = np.zeros(stderr.shape)
        weights[..., run.place] = slope
        if window is None:
            # A sample without weight counts for nothing, whether or not its error is known.
            terms = weights * stderr
            terms[weights == 0.0] = 0.0
            terms *= terms
            variance = run.every.sum(terms)
        else:
            total = run.every.sum(weights)
            variance, _ = variance_of_weighted(run.every, stderr, weights, total, window)
        errors.append(np.sqrt(np.where(variance > 0, variance, np.nan)))
    return errors


def _run_around_maximum(rows: Rows, c: Array, maximum: Array, limit: Array) -> NDArray[np.bool_]:
    """Mark the samples above the limit that are joined to the maximum by others above it."""
    above = ~(c < rows.spread(limit))
    # A run begins where the row does, or where a sample rises above the limit.
    begins = above.copy()
    begins[1:] &= ~above[:-1] | (rows.row[1:] != rows.row[:-1])
    run = np.where(above, np.cumsum(begins), 0)
    at_maximum = np.flatnonzero(above & (c == rows.spread(maximum)))
    row, first = first_of_each(rows.row[at_maximum])
    wanted = np.zeros(rows.count, dtype=np.intp)
    wanted[row] = run[at_maximum[first]]
    kept: NDArray[np.bool_] = above & (run == rows.spread(wanted))
    return kept
