"""Uncertainty of a maximum, from the standard errors of samples.

Noise has chosen the highest sample, which lies one to three standard errors above the profile.
"""

from __future__ import annotations

import numpy as np

from sims_analysis.kernels.blocks import BLOCK, in_blocks
from sims_analysis.kernels.local_fit import (
    Counted,
    Samples,
    counted,
    maximized,
    solved,
)
from sims_analysis.kernels.rows import Array, Index, Rows

#: A side is lower than the middle by this many standard errors where the window has reached it.
KNOWN = 3.0
#: Only this part of the window is fitted, in which a parabola can be trusted.
TRUSTED = 0.65
#: A maximum of the parabola is used if its curvature is known to so many standard errors.
CURVED = 1.0
#: Beside a sample below this part of the highest a parabola of ln C overshoots.
STEEP = 1 / 3
#: Growth of the window per iteration.
GROWTH = 1.3
#: How often the window is centred anew, on a sample that is as high within its noise, which may put
#: the highest one at the side of a peak.
CENTRED = 3


def maxima(rows: Rows, row: Index, position: Index, floor: Array) -> tuple[Array, Array]:
    """Return how high rows are at their K highest samples, and the standard errors of that.

    `row` and `position`, (K,), are their rows and flat positions; `floor`, (R,), is a background
    that was subtracted, whose counts scatter still. To either side the window grows until its outer
    half is lower than its inner one by three standard errors, and is centred on its middle, if that
    is as high within three standard errors. ``ln C = A + B z + C z^2 / 2`` is fitted to 0.65 of it
    by maximum likelihood of the counts (zeros are data): the maximum of the parabola, or its value
    at the middle if its curvature is not known. Through three samples, of which one is below a
    third of the highest, it is not above the parabola of C. NaN with fewer than three samples, or
    without errors.
    """
    result = np.full((2, row.size), np.nan)
    packed = rows.packed()
    value, error = (np.asarray(one).reshape(-1) for one in (packed.value, packed.stderr))
    level, highest = value[position], np.zeros(packed.count)
    highest[row] = level
    longest = int(packed.size.max(initial=0))
    for part in in_blocks(row.size, max(longest, 1), BLOCK // 4):
        which = row[part]
        begin, end = packed.offsets[which], packed.offsets[which + 1]
        known = np.isfinite(error)
        columns = packed.depth, value, error, packed.repeat(highest), np.zeros_like(value), known
        samples = Samples(*columns, begin, end, floor[which])
        first, last, middle = _windows(samples, position[part], longest)
        result[:, part] = _about(samples, first, last, middle, level[part])
    return result[0], result[1]


def _windows(samples: Samples, at: Index, longest: int) -> tuple[Index, Index, Index]:
    """Return the first and last sample to be fitted about each maximum, and that in the middle."""
    every = samples.window(np.arange(at.size), samples.begin, np.arange(longest))
    # Sums up to each sample; along a row, so that they do not depend on other rows.
    sums = tuple(np.zeros((at.size, longest + 1)) for _ in range(3))
    for total, column in zip(sums, (every.upper, every.upper_stderr**2, every.there), strict=True):
        np.cumsum(column, axis=1, out=total[:, 1:])
    middle = at - samples.begin
    highest = np.take_along_axis(every.upper, middle[:, None], 1)
    noise = np.take_along_axis(every.upper_stderr, middle[:, None], 1)
    alike = highest - every.upper < KNOWN * np.hypot(noise, every.upper_stderr)
    room = samples.end - samples.begin - 1
    first, last = middle.copy(), middle.copy()
    active = np.arange(at.size)
    for _ in range(CENTRED):
        centre, end = middle[active], room[active]
        up, down = (_reach(sums, active, centre, end, sign) for sign in (-1, 1))
        first[active] = np.maximum(centre - np.maximum((TRUSTED * up).astype(int), 1), 0)
        last[active] = np.minimum(centre + np.maximum((TRUSTED * down).astype(int), 1), end)
        between = (first[active] + last[active]) // 2
        # A maximum at an end of the record stays there, and one that stands out where it is.
        moved = (between != centre) & (first[active] > 0) & (last[active] < end)
        moved &= alike[active, between]
        active = active[moved]
        middle[active] = between[moved]
    few = last - first < 2
    last[few] = np.minimum(last[few] + 1, room[few])
    first[last - first < 2] = np.maximum(first[last - first < 2] - 1, 0)
    return samples.begin + first, samples.begin + last, samples.begin + middle


def _reach(sums: tuple[Array, ...], row: Index, centre: Index, end: Index, sign: int) -> Index:
    """Return how many samples to one side are needed to see that the profile falls there."""
    room = centre if sign < 0 else end - centre
    reach = np.minimum(2, room)
    active = np.flatnonzero(room >= 2)
    while active.size:
        near, r = centre[active], reach[active]
        inner = r // 2
        halves = (np.zeros_like(inner), inner), (inner, r)
        (c0, v0), (c1, v1) = (_mean(sums, row[active], near, *half, sign) for half in halves)
        known = c0 - c1 > KNOWN * np.sqrt(v0 + v1)
        active = active[~known & (r < room[active])]
        grown = np.maximum(reach[active] + 1, (GROWTH * reach[active]).astype(int))
        reach[active] = np.minimum(grown, room[active])
    return reach


def _mean(
    sums: tuple[Array, ...], row: Index, centre: Index, begin: Index, end: Index, sign: int
) -> tuple[Array, Array]:
    """Return means of the samples from `begin` to `end` next to a centre, and their variances."""
    low = centre + 1 + begin if sign > 0 else centre - end
    high = centre + 1 + end if sign > 0 else centre - begin
    total, variance, number = (column[row, high] - column[row, low] for column in sums)
    with np.errstate(divide="ignore", invalid="ignore"):
        return total / number, variance / number**2


def _about(samples: Samples, first: Index, last: Index, middle: Index, level: Array) -> Array:
    """Fit windows, and return the maxima and their errors, (2, K)."""
    result = np.full((2, level.size), np.nan)
    position, size = samples.between(first, last + 1)
    some, size = np.flatnonzero(size), size[size > 0]
    top, origin = level[some], samples.depth[middle[some]]
    data, _ = counted(samples, position, size, origin, samples.floor[some])
    with np.errstate(all="ignore"):
        mean = data.reduce(np.add, data.upper) / size
        start = np.log(np.maximum(mean / top, 1e-3))
        nothing = np.zeros_like(start)
        coefficients, information = maximized(data, start, nothing, nothing)
        fitted, error = _maximum(data, coefficients, information)
        edge = (size == 3) & (data.reduce(np.minimum, data.upper) < STEEP * top)
        if edge.any():
            three = data.starts[edge, None] + np.arange(3)
            straight = _through_three(data.x[three], data.upper[three]) / top[edge]
            fitted[edge] = np.fmin(fitted[edge], straight)
        result[:, some] = top * fitted, np.abs(top) * fitted * error
    return result


def _maximum(data: Counted, coefficients: Array, information: Array) -> tuple[Array, Array]:
    """Return the maximum of each exponentiated parabola (or its value at 0), and its error."""
    a, b, c = coefficients
    unit = np.zeros((a.size, 3))
    unit[:, 2] = 1.0
    bent = c < -CURVED * np.sqrt(np.vecdot(unit, solved(information, unit)))
    least, most = (data.reduce(end, data.x) for end in (np.minimum, np.maximum))
    at = np.where(bent, np.clip(-b / c, least, most), 0.0)
    powers = np.stack([np.ones_like(at), at, 0.5 * at**2], axis=1)
    value = np.exp(np.vecdot(powers, coefficients.T))
    return value, np.sqrt(np.vecdot(powers, solved(information, powers)))


def _through_three(x: Array, value: Array) -> Array:
    """Return the maximum of the parabola of C through the first three samples; NaN without one."""
    (x0, x1, x2), (y0, y1, y2) = x[:, :3].T, value[:, :3].T
    left, right = (y1 - y0) / (x1 - x0), (y2 - y1) / (x2 - x1)
    bend = (right - left) / (x2 - x0)
    slope = left + bend * (x1 - x0)
    highest: Array = np.where(bend < 0, y1 - slope**2 / (4.0 * bend), np.nan)
    return highest
