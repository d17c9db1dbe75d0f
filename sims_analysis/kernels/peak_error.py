"""Uncertainty of a maximum: noise has chosen the highest sample, which lies above the profile."""

from __future__ import annotations

import numpy as np

from sims_analysis.kernels.blocks import BLOCK, in_blocks
from sims_analysis.kernels.local_fit import (
    Counted,
    Places,
    Samples,
    counted,
    maximized,
    samples_of,
    solved,
    value_stderr,
)
from sims_analysis.kernels.rows import Array, Index, Rows, range_sums

#: A side is lower than the middle by this many standard errors where the window has reached it.
KNOWN = 3.0
#: Only this part of the window is fitted, in which a parabola can be trusted.
TRUSTED = 0.65
#: A maximum of the parabola is used if its curvature is known to so many standard errors.
CURVED = 1.0
#: Growth of the window per iteration.
GROWTH = 1.3


def maxima(rows: Rows, row: Index, position: Index, floor: Array) -> tuple[Array, Array]:
    """Return how high rows are at their K highest samples, and the standard errors of that.

    A parabola of ln C is fitted, by the likelihood of the counts, to a part of the window that is
    needed to see the profile fall on both sides: its maximum, or its value at the highest sample if
    its curvature is not known. NaN with fewer than three samples, or without errors.
    """
    result = np.full((2, row.size), np.nan)
    if not row.size:
        return result[0], result[1]
    top = np.zeros(rows.count)
    top[row] = rows.value_at(position)
    places = Places(position, rows.offsets[row], rows.offsets[row + 1], floor[row])
    samples = samples_of(rows, rows.repeat(top), 0.0, places)
    sums = samples.sums()
    for part in in_blocks(row.size, max(int(rows.size.max(initial=0)), 1), BLOCK // 4):
        own = samples.about(part)
        result[:, part] = _about(own, *_windows(own, sums))
    return result[0], result[1]


def _windows(samples: Samples, sums: Array) -> tuple[Index, Index]:
    """Return the first sample to be fitted about each maximum, and the one after the last."""
    at, begin, end, _ = samples.places
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
    position, size = samples.between(first, end)
    some, size = np.flatnonzero(size), size[size > 0]
    at, _, _, floor = samples.about(some).places
    top = samples.upper[at]
    data, _ = counted(samples, position, size, samples.depth[at], floor)
    with np.errstate(all="ignore"):
        mean = data.reduce(np.add, data.upper) / size
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
