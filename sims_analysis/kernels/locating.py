"""How well a crossing is located where samples have standard errors.

The two samples beside a crossing do not tell. Noise makes several crossings of one edge, and the
chosen one lies wherever noise has put it: deeper than the edge for the deepest one, and in a
segment that noise has made steep. The samples around say where the edge is, and how surely; and
how far the straight line between two samples is from a curved profile.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.likelihood import crossing_of_parabola, half_width_about
from sims_analysis.kernels.rows import BLOCK, Rows, blocks

__all__ = ["Against", "half_widths"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Flags = NDArray[np.bool_]

#: Samples on either side are taken until the sums of the two sides differ by so many standard
#: errors. Fewer do not tell on which side the profile is higher; more reach farther than a
#: parabola follows it.
KNOWN = 4.0
#: Where the two samples beside a crossing differ by so many standard errors, they tell alone;
#: and by so many where the step between them is longer than a decay length, since the samples
#: farther off are then on another part of the profile.
ALONE, ALONE_IF_STEEP = 10.0, 4.0
#: Relative error of a sample from which on its logarithm tells nothing: ten counts.
FEW = 0.33
#: Two curvatures disagree from so many standard errors on.
DOUBT = 2.0
#: Growth of the window from one look at it to the next.
GROWTH = 1.3
#: Crossings worked on at a time.
_AT_ONCE = 512


class Against(NamedTuple):
    """What the profiles are compared with at every sample: another noisy quantity."""

    value: Array
    stderr: Array


def half_widths(
    rows: Rows,
    stderr: Array,
    against: Array | Against,
    row: Index,
    before: Index,
    at: Array,
    falling: Flags,
) -> Array:
    """Give the half-width of the 68 % interval about each crossing.

    Parameters
    ----------
    rows : Rows
        Profiles, end to end, M samples.
    stderr : ndarray, shape (M,)
        Standard errors of the samples.
    against : ndarray, shape (K,), or Against with shapes (M,)
        The level of each crossing, or what the profiles are compared with at every sample.
    row, before : ndarray of int, shape (K,)
        Row of each crossing, and the position of the last sample that is not deeper.
    at : ndarray, shape (K,)
        Depths of the crossings.
    falling : ndarray of bool, shape (K,)
        Whether the profile falls there, below what it is compared with.

    Returns
    -------
    ndarray, shape (K,)
        NaN where nothing is known of the errors, where the profile stays as it is beside the
        crossing, and for a crossing that noise has made of an edge that runs the other way: there
        is no edge of its direction to be near.

    Notes
    -----
    ``ln(value / against) = A + B z + C z^2 / 2`` is fitted to as many samples on either side as
    tell the two sides apart, by the likelihood of counts: of Poisson's against a level, of the
    binomial between two counted quantities; zeros are data. The fit crosses at z' with the
    standard error s, and the half-width h about the crossing found solves
    ``P(|N(z' - at, s)| < h) = 0.683``.
    """
    result = np.full(at.size, np.nan)
    begin, end = rows.start[row], rows.start[row + 1]
    for part in blocks(at.size, 1, _AT_ONCE):
        level = against if isinstance(against, Against) else against[part]
        samples = _Samples(rows.depth, rows.value, stderr, level, begin[part], end[part])
        off, error, runs = _edge(samples, before[part], at[part])
        direction = np.where(falling[part], 1.0, -1.0)
        width = half_width_about(off, error)
        result[part] = np.where((runs * direction < 0) | np.isinf(width), np.nan, width)
    return result


class _Window(NamedTuple):
    """Samples around some crossings; every field has shape (R, m)."""

    depth: Array
    upper: Array
    upper_stderr: Array
    lower: Array
    lower_stderr: Array
    there: Flags


class _Samples(NamedTuple):
    """Where windows are taken from: `begin` to `end` are the samples of each crossing's row."""

    depth: Array
    upper: Array
    upper_stderr: Array
    lower: Array | Against
    begin: Index
    end: Index

    def window(
        self, which: Index, first: Index, offsets: Index, reach: Index | None = None
    ) -> _Window:
        """Take the samples at ``first + offsets`` of some of the crossings.

        No more than `reach` on either side of the middle.
        """
        position = first[:, None] + offsets
        there = (position >= self.begin[which, None]) & (position < self.end[which, None])
        if reach is not None:
            from_middle = offsets - offsets.size / 2 + 0.5
            there &= np.abs(from_middle) < reach[:, None]
        safe = np.where(there, position, self.begin[which, None])
        upper, error = self.upper[safe], self.upper_stderr[safe]
        if isinstance(self.lower, Against):
            lower, lower_error = self.lower.value[safe], self.lower.stderr[safe]
        else:
            lower = np.broadcast_to(self.lower[which, None], safe.shape)
            lower_error = np.zeros(safe.shape)
        # What has no standard error says nothing.
        for column in (upper, error, lower, lower_error):
            there &= np.isfinite(column)
        columns = (self.depth[safe], upper, error, lower, lower_error)
        return _Window._make([*(np.where(there, column, 0.0) for column in columns), there])


def _edge(samples: _Samples, before: Index, at: Array) -> tuple[Array, Array, Array]:
    """Say how far from each crossing the edge is, and the standard error of that.

    And whether the samples around fall (1) or rise (-1) beyond doubt; 0 where they need not tell.
    """
    off, error, known = _between_two(samples, before, at)
    runs = np.zeros(at.size)
    rest = np.flatnonzero(~known)
    reach, runs[rest] = _reach(samples, rest, before[rest])
    off[rest], error[rest], here = _look(samples, rest, before[rest], at[rest], reach)
    # Noise may have put the crossing at the end of its own window: look again from the edge.
    moved = (here != before[rest]) & np.isfinite(error[rest])
    rest, here = rest[moved], here[moved]
    reach, _ = _reach(samples, rest, here)
    again, error_again, _ = _look(samples, rest, here, at[rest], reach)
    better = np.isfinite(error_again)
    off[rest[better]], error[rest[better]] = again[better], error_again[better]
    line = np.flatnonzero(~np.isfinite(off + error))
    off[line], error[line] = 0.0, _on_a_line(samples, line, before[line], at[line])
    return off, error, runs


def _on_a_line(samples: _Samples, which: Index, before: Index, at: Array) -> Array:
    """Propagate the errors of two samples where no logarithm can be taken: of a level of 0."""
    window = samples.window(which, before, np.arange(2))
    difference = window.upper - window.lower
    sigma = np.hypot(window.upper_stderr, window.lower_stderr)
    with np.errstate(divide="ignore", invalid="ignore"):
        width = window.depth[:, 1] - window.depth[:, 0]
        t = (at - window.depth[:, 0]) / width
        slope = (difference[:, 1] - difference[:, 0]) / width
        error = np.hypot((1.0 - t) * sigma[:, 0], t * sigma[:, 1]) / np.abs(slope)
    return np.where(window.there.all(1), error, np.nan)


def _between_two(samples: _Samples, before: Index, at: Array) -> tuple[Array, Array, Flags]:
    """Take the edge from the two samples beside it, where these stand far apart for their errors.

    On a straight line of ``y = ln(upper / lower)`` the edge is where the crossing is. Curvature
    moves it: that which the sample before the two and the sample after them show. Where these
    disagree beyond their errors, the profile has a kink beside the two: then the smaller one.
    """
    window = samples.window(np.arange(at.size), before, np.arange(-1, 3))
    with np.errstate(all="ignore"):
        y = np.where(window.there, np.log(window.upper / window.lower), np.nan)
        sigma = np.hypot(window.upper_stderr / window.upper, window.lower_stderr / window.lower)
        # A logarithm of few counts is neither unbiased nor normal.
        y = np.where(sigma < FEW, y, np.nan)
        step = np.diff(window.depth, axis=1)
        slope = np.diff(y, axis=1) / step
        long = 0.5 * (step[:, 1:] + step[:, :-1])
        bend = np.diff(slope, axis=1) / long
        # What the errors of the four samples make of the difference of the two bends.
        share = np.zeros(y.shape)
        share[:, :3] += _second_difference(step[:, 0], step[:, 1]) / long[:, :1]
        share[:, 1:] -= _second_difference(step[:, 1], step[:, 2]) / long[:, 1:]
        doubt = DOUBT * np.sqrt(((share * sigma) ** 2).sum(1))
        one, other = bend.T
        least = np.where(one * other > 0, np.where(np.abs(one) < np.abs(other), one, other), 0.0)
        curvature = np.where(np.abs(one - other) > doubt, least, 0.5 * (one + other))
        curvature = np.where(np.isnan(curvature), 0.0, curvature)
        width, slope = step[:, 1], slope[:, 1]
        t = (at - window.depth[:, 1]) / width
        off = 0.5 * curvature * t * (1.0 - t) * width**2 / slope
        error = np.hypot((1.0 - t) * sigma[:, 1], t * sigma[:, 2]) / np.abs(slope)
        fall, doubt = np.abs(slope * width), np.hypot(sigma[:, 1], sigma[:, 2])
        known = fall >= np.where(fall >= 1.0, ALONE_IF_STEEP, ALONE) * doubt
    return off, error, known & np.isfinite(slope)


def _second_difference(step: Array, next_step: Array) -> Array:
    """Give the shares of three samples in the difference of their two slopes."""
    return np.stack([1.0 / step, -1.0 / step - 1.0 / next_step, 1.0 / next_step], axis=1)


def _look(
    samples: _Samples, which: Index, before: Index, at: Array, reach: Index
) -> tuple[Array, Array, Index]:
    """Fit windows that reach so many samples to either side of some crossings.

    Returns
    -------
    off, error : ndarray, shape (R,)
        Of the edge from the crossing.
    here : ndarray of int, shape (R,)
        The last sample that is not deeper than the edge.
    """
    off, error = np.full(at.size, np.nan), np.full(at.size, np.nan)
    here = before.copy()
    # Windows of few sizes: each is a turn of many small steps. The size is that of the reach, and
    # of nothing else, lest the sums of one crossing depend on others.
    size = np.exp2(np.ceil(np.log2(reach))).astype(np.intp)
    for half in np.unique(size):
        alike = np.flatnonzero(size == half)
        for part in blocks(alike.size, 2 * int(half), BLOCK // 4):
            some = alike[part]
            first = before[some] + 1 - half
            window = samples.window(which[some], first, np.arange(2 * half), reach[some])
            # From the middle of the window: from a crossing at its end, the fit would be far.
            middle = 0.5 * (samples.depth[before[some]] + samples.depth[before[some] + 1])
            z = np.where(window.there, window.depth - middle[:, None], 0.0)
            edge, error[some] = crossing_of_parabola(z, *window[1:])
            certain = ~(window.upper_stderr.any(1) | window.lower_stderr.any(1))
            certain &= window.there.any(1)
            edge[certain], error[some[certain]] = (at[some] - middle)[certain], 0.0
            off[some] = middle + edge - at[some]
            deeper = window.there & (window.depth > (middle + edge)[:, None])
            inside = window.there.sum(1) - deeper.sum(1)
            here[some] = np.clip(
                first + (~window.there).cumprod(1).sum(1) + inside - 1,
                samples.begin[which[some]],
                samples.end[which[some]] - 2,
            )
    return off, error, here


def _reach(samples: _Samples, which: Index, before: Index) -> tuple[Index, Array]:
    """Say how many samples on either side tell the two sides of each crossing apart.

    And which is the higher one: 1 for the one before, -1 for the other, 0 if none of them do.
    """
    reach = np.zeros(before.size, dtype=np.intp)
    active = np.arange(before.size)
    runs = np.zeros(before.size)
    difference, variance = np.zeros(before.size), np.zeros(before.size)
    inner, outer = 0, 2
    while active.size:
        offsets = np.arange(inner, outer)
        crossing, first = which[active], before[active]
        for sign, ring in ((1.0, -offsets), (-1.0, 1 + offsets)):
            window = samples.window(crossing, first, ring)
            difference[active] += sign * (window.upper - window.lower).sum(1)
            variance[active] += (window.upper_stderr**2 + window.lower_stderr**2).sum(1)
        reach[active] = outer
        told = np.abs(difference[active]) >= KNOWN * np.sqrt(variance[active])
        whole = (first - outer < samples.begin[crossing]) & (
            first + 1 + outer >= samples.end[crossing]
        )
        runs[active[told]] = np.sign(difference[active[told]])
        active = active[~(told | whole)]
        inner, outer = outer, max(outer + 1, int(outer * GROWTH))
    return reach, runs
