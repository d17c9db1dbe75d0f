"""Maximum and width of profiles: noise has chosen the highest sample, which lies above them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.blocks import BLOCK, in_blocks
from sims_analysis.kernels.levels import crossings_around, find, highest, laid_out, locate
from sims_analysis.kernels.local_fit import (
    Counted,
    Samples,
    as_points,
    counted,
    half_width_about,
    maximized,
    samples_of,
    solved,
    value_stderr,
)
from sims_analysis.kernels.rows import (
    Array,
    Flags,
    Index,
    Rows,
    first_status,
    range_reduced,
    range_sums,
)
from sims_analysis.outcomes import Status

#: A width of fewer steps than this between samples is not known, ...
_STEPS = 2.5
#: ... nor one that would be larger by this factor if the maximum were as low as its neighbour.
_ALONE = 1.45
#: A side is lower than the middle by this many standard errors where the window has reached it.
KNOWN = 3.0
#: Only this part of the window is fitted, in which a parabola can be trusted.
TRUSTED = 0.65
#: A maximum of the parabola is used if its curvature is known to so many standard errors.
CURVED = 1.0
#: Growth of the window per iteration.
GROWTH = 1.3


class Peak(NamedTuple):
    """Maximum of every row, (R,).

    It rests on the samples from ``start`` to ``stop``, (R, 3): of the width, of the window, and of
    all that is above half of it, where a gap may hold a higher one.
    """

    depth: Array
    value: Array
    stderr: Array
    fwhm: Array
    status: NDArray[np.uint8]
    start: Array
    stop: Array


def peak(rows: Rows, start: Array, stop: Array, floor: Array | None = None) -> Peak:
    """Find the highest sample within the window, and the full width at half maximum.

    Between the nearest crossings of half of it on either side. Where the samples do not show how
    high the profile is, the error is that of the highest. `floor` was subtracted before.
    """
    rows = as_points(rows).within(start, stop)
    depth, value, stderr = np.full((3, rows.count), np.nan)
    row, position = highest(rows)
    depth[row], value[row] = rows.depth_at(position), rows.value_at(position)
    if rows.stderr is not None:
        alone = rows.stderr.reshape(-1)[position] * np.sqrt(rows.share[row])
        below = np.zeros(rows.count) if floor is None else floor
        high, error = maxima(rows, row, position, below)
        known = half_width_about(high - value[row], error)
        stderr[row] = np.where(np.isfinite(known * alone), known, alone)
    before, after, higher = np.full((3, rows.count), np.nan)
    near = np.clip([position - 1, position + 1], rows.offsets[row], rows.offsets[row + 1] - 1)
    before[row], after[row] = rows.depth_at(near)
    higher[row] = rows.value_at(near).max(axis=0)
    left, right, *ends = _crossed(rows, row, position, 0.5 * value)
    width = right - left
    unsure = 0.5 * (value - np.nan_to_num(stderr))
    lower, upper, *_ = _crossed(rows, row, position, 0.5 * higher)
    with np.errstate(invalid="ignore"):
        unknown = (width < 0.5 * _STEPS * (after - before)) | (upper - lower > _ALONE * width)
        unknown |= _higher_beside(rows, unsure, left, right)
    status = first_status(
        (rows.size == 0, Status.NO_DATA),
        (np.isnan(width), Status.TRUNCATED),
        (unknown, Status.UNDETERMINED),
    )
    width[unknown] = np.nan
    begin = np.fmin(before, left), np.where(np.isnan(start), -np.inf, start), ends[0]
    end = np.fmax(after, right), np.where(np.isnan(stop), np.inf, stop), ends[1]
    used = (np.stack(one, axis=1) for one in (begin, end))
    return Peak(depth, value, stderr, width, status, *used)


def _crossed(rows: Rows, row: Index, top: Index, level: Array) -> Array:
    """Return the crossings of a level that are nearest to the maximum on either side; NaN for none.

    And the first and the last of all, or the ends of the record; (4, R).
    """
    levels = rows.repeat(level)
    found = find(rows, levels)
    at = locate(rows, levels, found).depth
    near, place = crossings_around(found, row, top)
    left, right = laid_out(at[near], place, (rows.count, 2)).T
    first, last = rows.first.copy(), rows.last.copy()
    # Crossings are sorted by depth, and the last assignment wins.
    first[found.row[::-1]], last[found.row] = at[::-1], at
    first = np.where(np.isnan(left), rows.first, first)
    last = np.where(np.isnan(right), rows.last, last)
    return np.stack([left, right, first, last])


def _higher_beside(rows: Rows, half: Array, left: Array, right: Array) -> Flags:
    """Flag widths that noise, or a neighbour, cuts short: samples beside them are higher, too.

    By a tenth of the width, and less than half of it.
    """
    width = right - left
    row = np.flatnonzero(width > 0)
    left, right, width = left[row], right[row], width[row]
    found = np.zeros(rows.count, dtype=bool)
    for low, high in (
        (left - 0.5 * width, left - 0.1 * width),
        (right + 0.1 * width, right + 0.5 * width),
    ):
        begin, end = rows.position(low, row), rows.position(high, row, "left")
        highest = range_reduced(np.maximum, rows.value.reshape(-1), begin, end, -np.inf)
        found[row] |= highest > half[row]
    return found


def maxima(rows: Rows, row: Index, position: Index, floor: Array) -> Array:
    """Return how high rows are at their K highest samples, and the standard errors of that; (2, K).

    A parabola of ln C is fitted, by the likelihood of the counts, to a part of the window that is
    needed to see the profile fall on both sides: its maximum, or its value at the highest sample if
    its curvature is not known. NaN with fewer than three samples, or without errors.
    """
    result = np.full((2, row.size), np.nan)
    if not row.size:
        return result
    top = np.zeros(rows.count)
    top[row] = rows.value_at(position)
    windows = position, rows.offsets[row], rows.offsets[row + 1], floor[row]
    samples = samples_of(rows, rows.repeat(top), 0.0, *windows)
    sums = samples.sums()
    for part in in_blocks(row.size, max(int(rows.size.max(initial=0)), 1), BLOCK // 4):
        own = samples.about(part)
        result[:, part] = _about(own, *_windows(own, sums))
    return result


def _windows(samples: Samples, sums: Array) -> tuple[Index, Index]:
    """Return the first sample to be fitted about each maximum, and the one after the last."""
    at, begin, end = samples.at, samples.begin, samples.end
    up, down = (
        np.maximum((TRUSTED * _reach(sums, at, room, sign)).astype(int), 1)
        for room, sign in ((at - begin, -1), (end - 1 - at, 1))
    )
    # Three samples at least, also at an end of the record.
    first = np.maximum(np.minimum(at - up, end - 3), begin)
    return first, np.minimum(np.maximum(at + down + 1, begin + 3), end)


def _reach(sums: Array, centre: Index, room: Index, sign: int) -> Index:
    """Return how many samples to one side are needed to see that the profile falls there."""
    reach = np.minimum(2, room)
    active = np.flatnonzero(room >= 2)
    while active.size:
        near, r = centre[active], reach[active]
        inner, outer = (
            range_sums(sums, np.minimum(a, b) + (sign > 0), np.maximum(a, b) + (sign > 0))
            for a, b in ((near, near + sign * (r // 2)), (near + sign * (r // 2), near + sign * r))
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            lower = inner[0] / inner[2] - outer[0] / outer[2]
            known = lower > KNOWN * np.hypot(*(np.sqrt(v) / n for _, v, n in (inner, outer)))
        active = active[~known & (r < room[active])]
        grown = np.maximum(reach[active] + 1, (GROWTH * reach[active]).astype(int))
        reach[active] = np.minimum(grown, room[active])
    return reach


def _about(samples: Samples, first: Index, end: Index) -> Array:
    """Fit windows, and return the maxima and their errors, (2, K)."""
    result = np.full((2, first.size), np.nan)
    data, _, some = counted(samples, first, end, samples.depth[samples.at])
    top = samples.upper[samples.at[some]]
    with np.errstate(all="ignore"):
        mean = data.reduce(np.add, data.upper) / data.size
        start = np.log(np.maximum(mean / top, 1e-3))
        nothing = np.zeros_like(start)
        coefficients, information = maximized(data, start, nothing, nothing)
        fitted, error = _maximum(data, coefficients, information)
        result[:, some] = top * fitted, np.abs(top) * fitted * error
    return result


def _maximum(data: Counted, coefficients: Array, information: Array) -> tuple[Array, Array]:
    """Return the maximum of each exponentiated parabola (or its value at 0), and its error."""
    a, b, c = coefficients
    variance = solved(information, np.broadcast_to([0.0, 0.0, 1.0], (a.size, 3)))[:, 2]
    bent = c < -CURVED * np.sqrt(variance)
    least, most = (data.reduce(end, data.x) for end in (np.minimum, np.maximum))
    at = np.where(bent, np.clip(-b / c, least, most), 0.0)
    return np.exp(a + b * at + 0.5 * c * at**2), value_stderr(information, at)
