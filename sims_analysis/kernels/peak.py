"""Maximum and width of profiles."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.cells import as_points
from sims_analysis.kernels.levels import beside, find, highest, laid_out, locate
from sims_analysis.kernels.local_fit import half_width_about
from sims_analysis.kernels.peak_error import maxima
from sims_analysis.kernels.rows import Array, Flags, Index, Rows, first_status, range_reduced
from sims_analysis.outcomes import Status

#: A width of fewer steps than this between samples is not known, ...
_STEPS = 2.5
#: ... nor one that would be larger by this factor if the maximum were as low as its neighbour.
_ALONE = 1.45


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
    near, place = beside(found, row, top)
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
