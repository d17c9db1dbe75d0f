"""How well a crossing is located where the noise is not small beside the steps of the profile.

Where the two samples beside a crossing stand far apart for their errors, these errors alone move
it (``kernels.crossings``). Where they do not, noise makes several crossings of one edge, and the
chosen one lies wherever noise has put it: deeper than the edge for the deepest one, and in a
segment that noise has made steep. The samples around then say where the edge is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.counting import NONE_COUNTED, ONE_SIGMA
from sims_analysis.kernels.rows import Rows, compress, flat_rows, per_row

__all__ = ["located_stderr"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]

#: A slope is known when it is so many times its standard error.
KNOWN = 6.0
#: From here on, no more samples are taken once they make the slope less well known: by more than
#: one standard error, lest the noise decide where to stop.
FAIR = 3.0


def located_stderr(
    depth: Array,
    value: Array,
    stderr: Array,
    level: Array | float,
    at: Array,
    of_segment: Array,
    *,
    edge: int = -1,
) -> Array:
    """Give the half-width of the 68 % interval about the crossing of each row.

    Where the slope between the two bracketing samples is known (`KNOWN`), that is `of_segment`.
    Otherwise an exponential is fitted to as many samples on either side as make its slope known,
    by the likelihood of counts (variance in proportion to the mean, so that zeros are data). It
    says that the edge crosses the level at ``z`` with the standard error ``s``, and the
    half-width h about the crossing found solves ``P(|N(z - at, s)| < h) = 0.683``. No more than
    the bracketing samples allow, where both lie off the level beyond doubt.

    Parameters
    ----------
    depth : ndarray, shape (n,) or (..., n)
    value, stderr : ndarray, shape (..., n)
    level, at, of_segment : ndarray, shape (...)
        Level, depth of the crossing, and its standard error from the bracketing samples.
    edge : {-1, 1, 0}
        Whether the crossing falls or rises; 0 as the bracketing samples do.

    Returns
    -------
    ndarray, shape (...)
    """
    rows_value, lead = flat_rows(value)
    axes = depth if depth.ndim == 1 else flat_rows(depth)[0]
    rows = compress(axes, rows_value)
    measured = ~(np.isnan(rows_value) | np.isnan(axes))
    sigma = flat_rows(np.broadcast_to(stderr, value.shape))[0][measured]
    levels, at = per_row(level, lead), per_row(at, lead)
    result = per_row(of_segment, lead).copy()
    chosen = np.flatnonzero(np.isfinite(at) & np.isfinite(result) & (rows.size > 1))
    if not chosen.size:
        return result.reshape(lead)
    before = rows.sum((rows.depth <= at[rows.row]).astype(float)).astype(np.intp) - 1
    before = rows.start[:-1] + np.clip(before, 0, np.maximum(rows.size - 2, 0))
    first, last = before[chosen], before[chosen] + 1
    c0, c1, s0, s1 = rows.value[first], rows.value[last], sigma[first], sigma[last]
    with np.errstate(divide="ignore", invalid="ignore"):
        known = np.abs(np.log(c1 / c0)) / np.hypot(s0 / c0, s1 / c1) >= KNOWN
    noisy = chosen[~known]
    if noisy.size:
        fallen = np.sign(rows.value[before[noisy] + 1] - rows.value[before[noisy]])
        direction = np.full(noisy.size, float(edge)) if edge else fallen
        found = _from_samples_around(
            rows, sigma, before[noisy], levels[noisy], at[noisy], direction, noisy
        )
        result[noisy] = np.where(np.isnan(found), result[noisy], found)
    return result.reshape(lead)


def _from_samples_around(
    rows: Rows, sigma: Array, before: Index, level: Array, at: Array, edge: Array, which: Index
) -> Array:
    begin, end = _bounds(rows, before, edge, which)
    count = which.size
    best, half = np.full(count, -np.inf), np.full(count, np.nan)
    active, reach = np.arange(count), 2
    while active.size:
        position = before[active, None] + 1 + np.arange(-reach, reach)
        inside = (position >= begin[active, None]) & (position < end[active, None])
        safe = np.clip(position, 0, rows.value.size - 1)
        crossing, error, slope = _fit(
            rows.depth[safe], rows.value[safe], sigma[safe], inside, level[active]
        )
        slope *= edge[active]
        width = _half_width(crossing - at[active], error)
        slope = np.where(np.isfinite(width), slope, -np.inf)
        better = slope > best[active]
        improved = active[better]
        best[improved], half[improved] = slope[better], width[better]
        exhausted = (position[:, 0] <= begin[active]) & (position[:, -1] >= end[active] - 1)
        done = (
            (slope >= KNOWN) | exhausted | ((slope < best[active] - 1.0) & (best[active] >= FAIR))
        )
        active = active[~done]
        reach = max(reach + 1, reach * 5 // 4)
    return _at_most_the_bracket(rows, sigma, before, level, at, half)


def _bounds(rows: Rows, before: Index, edge: Array, which: Index) -> tuple[Index, Index]:
    """Give the samples that an edge may take: none beyond the maximum of its row."""
    begin, end = rows.start[which].copy(), rows.start[which + 1].copy()
    some = np.flatnonzero(rows.size)
    maximum = np.full(rows.count, np.nan)
    maximum[some] = np.maximum.reduceat(rows.value, rows.start[some])
    at_maximum = np.flatnonzero(rows.value == maximum[rows.row])
    row, first = np.unique(rows.row[at_maximum], return_index=True)
    top = np.zeros(rows.count, dtype=np.intp)
    top[row] = at_maximum[first]
    top = top[which]
    falls, rises = (edge < 0) & (top <= before), (edge > 0) & (top > before)
    begin[falls] = np.minimum(top, np.maximum(before - 1, begin))[falls]
    end[rises] = np.maximum(top + 1, np.minimum(before + 3, end))[rises]
    return begin, end


def _fit(
    z: Array, c: Array, sigma: Array, use: NDArray[np.bool_], level: Array
) -> tuple[Array, Array, Array]:
    """Fit ``c = exp(a + b (z - mean))`` to each row of ``(R, m)`` by the likelihood of counts.

    Returns
    -------
    crossing, error, slope : ndarray, shape (R,)
        Depth at which the fit is at the level, its standard error, and b over its own.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        positive = use & (c > 0)
        # The value of one count, where the sample does not tell it well: that of the window.
        together = np.where(positive, sigma**2, 0.0).sum(1) / np.where(positive, c, 0.0).sum(1)
        tells = positive & (sigma < c)
        one = np.where(tells, sigma**2 / np.where(tells, c, 1.0), together[:, None])
        weight = np.where(use, level[:, None] / one, 0.0)
        y = np.where(use, c / level[:, None], 0.0)
        mean = (np.where(use, z, 0.0).sum(1) / use.sum(1))[:, None]
        x = np.where(use, z - mean, 0.0)
        far = np.abs(x).max(1)
        a = np.log(np.maximum((weight * y).sum(1) / weight.sum(1), 1e-300))
        b = np.zeros_like(a)
        # Newton's steps, shortened so that no sample's fit moves by more than e^1.5.
        for _ in range(20):
            fitted = weight * np.exp(np.clip(a[:, None] + b[:, None] * x, -100.0, 100.0))
            rest = weight * y - fitted
            g0, g1 = rest.sum(1), (rest * x).sum(1)
            i00, i01, i11 = fitted.sum(1), (fitted * x).sum(1), (fitted * x * x).sum(1)
            det = i00 * i11 - i01**2
            da, db = (i11 * g0 - i01 * g1) / det, (i00 * g1 - i01 * g0) / det
            step = np.minimum(1.0, 1.5 / (np.abs(da) + np.abs(db) * far))
            a, b = a + step * da, b + step * db
        off = -a / b
        variance = (i11 - 2 * off * i01 + off**2 * i00) / det
        error = np.sqrt(variance) / np.abs(b)
        return mean[:, 0] + off, error, b / np.sqrt(i00 / det)


def _half_width(off: Array, sigma: Array) -> Array:
    """Solve ``P(|N(off, sigma)| < h) = 0.683`` for h."""
    from scipy.special import ndtr

    with np.errstate(divide="ignore", invalid="ignore"):
        shift = np.abs(off) / sigma
    low, high = np.zeros_like(shift), shift + 1.0
    for _ in range(50):
        middle = 0.5 * (low + high)
        short = ndtr(shift + middle) - ndtr(shift - middle) < ONE_SIGMA
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    half: Array = high * sigma
    return half


def _at_most_the_bracket(
    rows: Rows, sigma: Array, before: Index, level: Array, at: Array, half: Array
) -> Array:
    """Limit the half-width where both bracketing samples lie two standard errors off the level.

    The crossing then lies anywhere between them: 68 % of the segment, as far as it is centred.
    """
    z0, z1 = rows.depth[before], rows.depth[before + 1]
    c0, c1 = rows.value[before], rows.value[before + 1]
    off0, off1 = c0 - level, c1 - level
    with np.errstate(divide="ignore", invalid="ignore"):
        one = np.where(c0 > 0, sigma[before] ** 2 / c0, sigma[before] / NONE_COUNTED)
    doubt = 2.0 * np.sqrt(one * level)
    clear = (off0 * off1 < 0) & (np.abs(off0) > doubt) & (np.abs(off1) > doubt)
    width, near = z1 - z0, np.minimum(at - z0, z1 - at)
    bracket = np.maximum(0.5 * ONE_SIGMA * width, ONE_SIGMA * width - near)
    limited: Array = np.where(clear, np.fmin(half, bracket), half)
    return limited
