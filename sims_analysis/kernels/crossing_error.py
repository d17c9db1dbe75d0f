"""Uncertainty of the depth of a crossing, from the standard errors of samples.

Noise makes several crossings of one edge, and the chosen one is biased: the deepest lies below the
edge, in a segment that noise has made steep. The samples around it show where the edge is, how well
it is known, and how far it departs from the straight line between two samples.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.blocks import in_blocks, in_parts
from sims_analysis.kernels.local_fit import (
    Counted,
    Samples,
    counted,
    half_width_about,
    maximized,
    solved,
)
from sims_analysis.kernels.rows import Array, Flags, Index, Rows, range_sums

#: The window grows until the sums of its two sides differ by this many standard errors. A smaller
#: one does not show which side is higher; a larger one reaches beyond what a parabola can fit.
KNOWN = 4.0
#: Two samples beside a crossing that differ by this many standard errors suffice alone. The second
#: number applies where they are more than a decay length apart, so that the samples farther away
#: belong to another part of the profile.
ALONE, ALONE_IF_STEEP = 10.0, 4.0
#: Relative error above which the logarithm of a sample is not used: ten counts.
MAX_RELATIVE_ERROR = 0.33
#: Two curvatures that differ by more than this many standard errors show a kink.
KINK = 2.0
#: Growth of the window per iteration.
GROWTH = 1.3
#: A crossing is attributed to noise if its window contains more than this many others.
CROWD = 100
#: Crossings processed at a time.
AT_ONCE = 1 << 13
#: Prior standard deviation of the curvature of ln C, over its slope squared: 0 for an exponential,
#: -1 for a straight line of C, -0.7 at half of a Gaussian. Wide enough to let the data
#: decide wherever they determine the curvature.
CURVED = 5.0


class Edges(NamedTuple):
    """What the samples around crossings say of the edges there; shape (K,).

    How far each lies from the crossing, its standard error, its steepness, and the half-width of
    the 68 % interval about the crossing.
    """

    offset: Array
    error: Array
    steepness: Array
    half_width: Array


def edges(
    rows: Rows,
    level: Array,
    row: Index,
    before: Index,
    at: Array,
    direction: NDArray[np.int8],
    *,
    every: Index,
    level_stderr: Array | None = None,
    floor: Array | None = None,
) -> Edges:
    """Return where the edge at each of K crossings is, and the 68 % interval about the crossing.

    ``ln(value / level) = A + B z + C z^2 / 2`` is fitted by maximum likelihood to the smallest
    window that tells the two sides apart. Counts are Poisson against a level, and binomial between
    two counted quantities; zeros are data. The fit crosses at z' with the standard error s, and the
    half-width h about the crossing solves ``P(|N(z' - at, s)| < h) = 0.683``. A crossing with more
    than a hundred others in that window has the interval of the two samples beside it. NaN without
    standard errors, where the profile is flat, and for a crossing opposite in direction to the edge
    around it.

    Parameters
    ----------
    level : ndarray
        One for each sample.
    row, before : ndarray of int, shape (K,)
        The row of each crossing, and the last sample that is not deeper.
    at, direction : ndarray, shape (K,)
        Depths of the crossings; -1 for a fall below the level, 1 for a rise.
    every : ndarray of int, shape (M,)
        The samples before every crossing of the rows, including those not asked for.
    level_stderr : ndarray, optional
        Standard errors of the level at every sample, if it is a measured quantity too.
    floor : ndarray, shape (R,), optional
        A background that was subtracted; its counts scatter still.
    """
    result = Edges(*np.full((4, at.size), np.nan))
    if rows.stderr is None:
        return result
    level_stderr = np.zeros(1) if level_stderr is None else level_stderr
    error, lower, lower_error = (
        np.broadcast_to(a, rows.value.shape).reshape(-1) for a in (rows.stderr, level, level_stderr)
    )
    rows = rows.packed()
    columns = (rows.depth, rows.value, error, lower, lower_error)
    floor = np.zeros(rows.count) if floor is None else floor
    # Differences of the sides and their variances, 0 after the last sample, where a range may end.
    # A sample with an unknown error is left out.
    sides = np.zeros((2, lower.size + 1))
    sides[:, :-1] = rows.value - lower, error**2 + lower_error**2
    known = np.logical_and.reduce(np.isfinite(sides))
    sides[:, ~known] = 0.0
    for part in in_blocks(at.size, 1, AT_ONCE):
        begin, end = rows.offsets[row[part]], rows.offsets[row[part] + 1]
        samples = Samples(*columns, known[:-1], begin, end, floor[row[part]])
        edge = _edge(samples, sides, every, before[part], at[part], direction[part])
        width = half_width_about(*edge[:2])
        found = *edge, np.where(np.isinf(width), np.nan, width)
        for column, values in zip(result, found, strict=True):
            column[part] = values
    return result


def _edge(
    samples: Samples,
    sides: Array,
    every: Index,
    before: Index,
    at: Array,
    direction: NDArray[np.int8],
) -> tuple[Array, Array, Array]:
    """Return offset of the edge from each crossing, its standard error (or NaN), and steepness."""
    offset, error, steep, known = _between_two(samples, before, at)
    opposite = np.zeros(at.size, dtype=bool)
    unresolved = np.flatnonzero(~known)
    offset[unresolved], error[unresolved] = np.nan, np.nan
    centre_sample = before[unresolved]
    for iteration in range(2):
        # Crossings that noise has made at one edge share the window that is centred on it.
        centre, first, same = np.unique(centre_sample, return_index=True, return_inverse=True)
        which = unresolved[first]
        reach, side = _reach(samples, sides, every, which, centre)
        if iteration == 0:
            opposite[unresolved] = side[same] * direction[unresolved] < 0
        asked = np.bincount(same, ~opposite[unresolved], centre.size) > 0
        chosen = np.flatnonzero((reach > 0) & asked)
        which = which[chosen]
        (edge, sigma, slope), moved_to = np.full((3, centre.size), np.nan), centre + 0
        edge[chosen], sigma[chosen], slope[chosen], moved_to[chosen] = _fit_windows(
            samples, which, centre[chosen], at[which], reach[chosen]
        )
        edge, sigma, slope, moved_to = edge[same], sigma[same], slope[same], moved_to[same]
        better = np.isfinite(sigma) & ~opposite[unresolved]
        shift = np.where(sigma > 0, edge - at[unresolved], 0.0)
        offset[unresolved[better]], error[unresolved[better]] = shift[better], sigma[better]
        steep[unresolved[better]] = slope[better]
        # Noise may put the crossing near the end of its window: fit again, centred on the edge.
        moved = (moved_to != centre_sample) & better
        unresolved, centre_sample = unresolved[moved], moved_to[moved]
    straight = np.flatnonzero(~np.isfinite(offset + error))
    offset[straight] = 0.0
    error[straight], steep[straight] = _linear_error(
        samples, straight, before[straight], at[straight]
    )
    error[opposite] = np.nan
    return offset, error, steep


def _crossings_within(
    samples: Samples, every: Index, which: Index, first: Index, reach: int
) -> Index:
    """Count the crossings within windows of `reach` samples on either side."""
    low = np.maximum(first + 1 - reach, samples.begin[which])
    high = np.minimum(first + reach, samples.end[which] - 1)
    count: Index = every.searchsorted(high) - every.searchsorted(low)
    return count


def _linear_error(samples: Samples, which: Index, before: Index, at: Array) -> tuple[Array, Array]:
    """Return error and steepness by a straight line, where no logarithm can be taken (level 0)."""
    window = samples.window(which, before, np.arange(2))
    difference = window.upper - window.lower
    sigma = np.hypot(window.upper_stderr, window.lower_stderr)
    with np.errstate(divide="ignore", invalid="ignore"):
        width = window.depth[:, 1] - window.depth[:, 0]
        t = (at - window.depth[:, 0]) / width
        slope = (difference[:, 1] - difference[:, 0]) / width
        error = np.hypot((1.0 - t) * sigma[:, 0], t * sigma[:, 1]) / np.abs(slope)
    return np.where(window.there.all(1), error, np.nan), np.abs(slope)


def _between_two(samples: Samples, before: Index, at: Array) -> tuple[Array, Array, Array, Flags]:
    """Locate the edge from the two samples beside it, and flag where they suffice.

    If ``y = ln(upper / lower)`` is straight, the edge is at the crossing; curvature, by a third
    sample on either side, shifts it. Where these two disagree beyond their errors (a kink), the
    smaller is used.
    """
    window = samples.window(np.arange(at.size), before, np.arange(-1, 3))
    with np.errstate(all="ignore"):
        y = np.where(window.there, np.log(window.upper / window.lower), np.nan)
        sigma = np.hypot(window.upper_stderr / window.upper, window.lower_stderr / window.lower)
        # The logarithm of a small count is biased and not normally distributed.
        y = np.where(sigma < MAX_RELATIVE_ERROR, y, np.nan)
        step = np.diff(window.depth, axis=1)
        slope = np.diff(y, axis=1) / step
        mean_step = 0.5 * (step[:, 1:] + step[:, :-1])
        bend = np.diff(slope, axis=1) / mean_step
        # The error of the difference of the two curvatures, from those of the four samples.
        weight = np.zeros(y.shape)
        weight[:, :3] += _second_difference(step[:, 0], step[:, 1]) / mean_step[:, :1]
        weight[:, 1:] -= _second_difference(step[:, 1], step[:, 2]) / mean_step[:, 1:]
        difference_error = np.sqrt(((weight * sigma) ** 2).sum(1))
        upper, lower = bend.T
        smaller = np.where(np.abs(upper) < np.abs(lower), upper, lower)
        least = np.where(upper * lower > 0, smaller, 0.0)
        kink = np.abs(upper - lower) > KINK * difference_error
        curvature = np.where(kink, least, 0.5 * (upper + lower))
        curvature = np.where(np.isnan(curvature), 0.0, curvature)
        width, slope = step[:, 1], slope[:, 1]
        t = (at - window.depth[:, 1]) / width
        offset = 0.5 * curvature * t * (1.0 - t) * width**2 / slope
        error = np.hypot((1.0 - t) * sigma[:, 1], t * sigma[:, 2]) / np.abs(slope)
        fall, noise = np.abs(slope * width), np.hypot(sigma[:, 1], sigma[:, 2])
        known = fall >= np.where(fall >= 1.0, ALONE_IF_STEEP, ALONE) * noise
    return offset, error, np.abs(slope) * window.lower[:, 1], known & np.isfinite(slope)


def _second_difference(step: Array, next_step: Array) -> Array:
    """Return the weights of three samples in the difference of their two slopes."""
    return np.stack([1.0 / step, -1.0 / step - 1.0 / next_step, 1.0 / next_step], axis=1)


def _fit_windows(
    samples: Samples, which: Index, before: Index, at: Array, reach: Index
) -> tuple[Array, Array, Array, Index]:
    """Fit windows that extend `reach` samples to either side of the crossings.

    Return depth, error and steepness of the edge, and the last sample that is not deeper.
    """
    (edge, error, steep), sample = np.full((3, at.size), np.nan), before.copy()
    first = np.maximum(before + 1 - reach, samples.begin[which])
    end = np.minimum(before + 1 + reach, samples.end[which])
    # Depths relative to the middle of the window, because the crossing may be at its end.
    middle = 0.5 * (samples.depth[before] + samples.depth[before + 1])
    for part in in_parts(end - first):
        position, size = samples.between(first[part], end[part])
        some, size = part.start + np.flatnonzero(size), size[size > 0]
        own, origin = which[some], middle[some]
        window, scale = counted(samples, position, size, origin, samples.floor[own])
        root, sigma, slope = _crossing_of_parabola(window)
        z, sigma = origin + root * scale, sigma * scale
        noise = (samples.upper_stderr[position] != 0) | (samples.lower_stderr[position] != 0)
        exact = ~window.reduce(np.logical_or, noise)
        z[exact], sigma[exact] = at[some][exact], 0.0
        deeper = samples.depth[position] > np.repeat(z, size)
        inside = position[window.starts] + size - window.reduce(np.add, deeper.astype(np.intp))
        sample[some] = np.clip(inside - 1, samples.begin[own], samples.end[own] - 2)
        edge[some], error[some], steep[some] = z, sigma, slope / scale * samples.lower[before[some]]
    return edge, error, steep, sample


def _reach(
    samples: Samples, sides: Array, every: Index, which: Index, before: Index
) -> tuple[Index, Array]:
    """Return the samples per side needed to tell the sides of each crossing apart; 0 for noise.

    Also return which side is higher: -1 for the one before, 1 for the one after, 0 if unclear.
    """
    reach = np.zeros(before.size, dtype=np.intp)
    active = np.arange(before.size)
    higher = np.zeros(before.size)
    difference, variance = np.zeros(before.size), np.zeros(before.size)
    inner, outer = 0, 2
    while active.size:
        crossing, first = which[active], before[active]
        begin, end = samples.begin[crossing], samples.end[crossing]
        near, far = np.array([[-inner, inner], [-outer, outer]])[..., None] + first + 1
        ring = np.stack([(far[0], near[0]), (near[1], far[1])], axis=-1)
        ring = np.minimum(np.maximum(ring, begin[:, None]), end[:, None])
        (left, right), noise = np.moveaxis(range_sums(sides, *ring), -1, 1)
        difference[active] = difference[active] - left + right
        variance[active] = variance[active] + noise[0] + noise[1]
        crowd = _crossings_within(samples, every, crossing, first, outer) > CROWD
        reach[active] = np.where(crowd, 0, outer)
        known = np.abs(difference[active]) >= KNOWN * np.sqrt(variance[active])
        whole = (first - outer < begin) & (first + 1 + outer >= end)
        decided = active[known & ~crowd]
        higher[decided] = np.sign(difference[decided])
        active = active[~(known | whole | crowd)]
        inner, outer = outer, max(outer + 1, int(outer * GROWTH))
    return reach, higher


def _crossing_of_parabola(samples: Counted) -> tuple[Array, Array, Array]:
    """Fit ``upper = lower exp(A + B z + C z^2 / 2)`` to samples: depth, its error, and slope.

    With a and d the values of one count of each, and e the exponential, the score of a sample is
    ``(upper - e lower) / (a + e d)``, of a Poisson count for d = 0 (a level), otherwise of a
    binomial. What was subtracted (`floor`) makes the variance larger: ``a (1 + floor / (e
    lower))``.
    """
    with np.errstate(all="ignore"):
        a, b = _first_guess(samples)
        # Two samples do not determine a curvature: fit an exponential.
        free = np.where(samples.size > 2, CURVED, 1e-6)
        prior = 1.0 / np.maximum(free * b**2, 1e-9) ** 2
        (a, b, c), information = maximized(samples, a, b, prior)
        root = _root(a, b, c)
        slopes = np.stack([np.ones_like(root), root, 0.5 * root**2], axis=1)
        variance = np.vecdot(slopes, solved(information, slopes))
        slope = np.abs(b + c * root)
        return root, np.sqrt(variance) / slope, slope


def _first_guess(samples: Counted) -> tuple[Array, Array]:
    """Return A and B of the straight line through the sums of the two sides."""
    x, upper, lower, one_upper, one_lower, _, _ = samples
    ends = []
    for side in (x < 0, x >= 0):
        # The sums, and half a count in place of zero counts.
        place, n, c, level = (
            samples.reduce(np.add, np.where(side, one, 0.0)) for one in (x, 1.0, upper, lower)
        )
        least = (
            0.5 * samples.reduce(np.maximum, np.where(side, one, 0.0))
            for one in (one_upper, one_lower)
        )
        y0, y1 = (np.log(np.maximum(*both)) for both in zip((c, level), least, strict=True))
        ends.append((place / n, y0 - y1))
    (x0, y0), (x1, y1) = ends
    b = (y1 - y0) / (x1 - x0)
    return y0 - b * x0, b


def _root(a: Array, b: Array, c: Array) -> Array:
    """Return the zero of the parabola nearest to 0, or of its tangent at 0 if that is far off."""
    inner = b * b - 2.0 * a * c
    root = -2.0 * a / (b + np.where(b < 0, -1.0, 1.0) * np.sqrt(inner))
    near: Array = np.where(np.abs(root) < 1.0, root, np.clip(-a / b, -1.0, 1.0))
    return near
