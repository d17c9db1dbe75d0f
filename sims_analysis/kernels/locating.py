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

from sims_analysis.kernels.counting import ONE_SIGMA
from sims_analysis.kernels.rows import BLOCK, Rows, blocks

__all__ = ["Against", "half_widths"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Flags = NDArray[np.bool_]

#: Samples on either side are taken until the sums of the two sides differ by so many standard
#: errors. Fewer do not tell on which side the profile is higher; more reach farther than a
#: parabola follows it.
KNOWN = 4.0
#: Standard deviation of the curvature to expect, in squared slopes: d2(ln C) = 0 for an
#: exponential, -1 for a straight line that falls by a factor e, -0.7 at half of a Gaussian. Wide
#: enough to leave the curvature to the data wherever they know it.
CURVED = 5.0
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

    Returns
    -------
    ndarray, shape (K,)
        0 where the samples have no errors.

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
        result[part] = _half_width(*_edge(samples, before[part], at[part]))
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

    def window(self, which: Index, first: Index, offsets: Index) -> _Window:
        """Take the samples at ``first + offsets`` of some of the crossings."""
        position = first[:, None] + offsets
        there = (position >= self.begin[which, None]) & (position < self.end[which, None])
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


def _edge(samples: _Samples, before: Index, at: Array) -> tuple[Array, Array]:
    """Say how far from each crossing the edge is, and the standard error of that."""
    off, error, known = _between_two(samples, before, at)
    rest = np.flatnonzero(~known)
    off[rest], error[rest], here = _look(samples, rest, before[rest], at[rest])
    # Noise may have put the crossing at the end of its own window: look again from the edge.
    moved = (here != before[rest]) & np.isfinite(error[rest])
    rest, here = rest[moved], here[moved]
    again, error_again, _ = _look(samples, rest, here, at[rest])
    better = np.isfinite(error_again)
    off[rest[better]], error[rest[better]] = again[better], error_again[better]
    line = np.flatnonzero(~np.isfinite(off + error))
    off[line], error[line] = 0.0, _on_a_line(samples, line, before[line], at[line])
    return off, error


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


def _look(samples: _Samples, which: Index, before: Index, at: Array) -> tuple[Array, Array, Index]:
    """Fit the windows about some crossings.

    Returns
    -------
    off, error : ndarray, shape (R,)
        Of the edge from the crossing.
    here : ndarray of int, shape (R,)
        The last sample that is not deeper than the edge.
    """
    off, error = np.full(at.size, np.nan), np.full(at.size, np.nan)
    here = before.copy()
    reach = _reach(samples, which, before)
    for r in np.unique(reach):
        alike = np.flatnonzero(reach == r)
        for part in blocks(alike.size, 2 * int(r), BLOCK // 4):
            some = alike[part]
            first = before[some] + 1 - r
            window = samples.window(which[some], first, np.arange(2 * r))
            # From the middle of the window: from a crossing at its end, the fit would be far.
            middle = 0.5 * (samples.depth[before[some]] + samples.depth[before[some] + 1])
            z = np.where(window.there, window.depth - middle[:, None], 0.0)
            edge, error[some] = _fit(window, z)
            certain = ~(window.upper_stderr.any(1) | window.lower_stderr.any(1))
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


def _reach(samples: _Samples, which: Index, before: Index) -> Index:
    """Say how many samples on either side tell the two sides of each crossing apart."""
    reach = np.zeros(before.size, dtype=np.intp)
    active = np.arange(before.size)
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
        active = active[~(told | whole)]
        inner, outer = outer, max(outer + 1, int(outer * GROWTH))
    return reach


def _fit(window: _Window, z: Array) -> tuple[Array, Array]:
    """Fit ``upper = lower exp(A + B z + C z^2 / 2)`` to each row of a window.

    Returns
    -------
    edge, error : ndarray, shape (R,)
        Where the two are equal, and its standard error.
    """
    with np.errstate(all="ignore"):
        upper, lower = window.upper, window.lower
        one_upper = _one_count(upper, window.upper_stderr, window.there)
        one_lower = _one_count(lower, window.lower_stderr, window.there)
        scale = np.abs(z).max(1)
        t = z / scale[:, None]
        a, b = _start(t, upper, lower, one_upper, one_lower, window.there)
        c = np.zeros_like(a)
        # Two samples know of no curvature: an exponential.
        free = np.where(window.there.sum(1) > 2, CURVED, 1e-6)
        prior = 1.0 / np.maximum(free * b**2, 1e-9) ** 2
        live = np.arange(a.size)
        pivots = np.full((6, a.size), np.nan)
        for _ in range(40):
            x, there = t[live], window.there[live]
            odds = np.exp(np.clip(_parabola(a[live], b[live], c[live], x), -60.0, 60.0))
            below, u0, l0 = lower[live], one_upper[live], one_lower[live]
            spread = u0 + odds * l0
            rest = np.where(there, (upper[live] - odds * below) / spread, 0.0)
            weight = np.where(there, odds * (u0 * below + l0 * upper[live]) / spread**2, 0.0)
            half = 0.5 * x * x
            gradient = (
                rest.sum(1),
                (rest * x).sum(1),
                (rest * half).sum(1) - prior[live] * c[live],
            )
            pivots[:, live] = now = _pivots(weight, x, half, prior[live])
            move = _solve(now, gradient)
            size = np.abs(move[0]) + np.abs(move[1]) + 0.5 * np.abs(move[2])
            # Newton's steps, shortened so that no sample's fit moves by more than e^1.5.
            step = np.minimum(1.0, 1.5 / size)
            a[live] += step * move[0]
            b[live] += step * move[1]
            c[live] += step * move[2]
            live = live[size > 1e-7]
            if live.size == 0:
                break
        root = _root(a, b, c)
        w0, w1 = np.ones_like(root), root - pivots[3]
        w2 = 0.5 * root**2 - pivots[4] - pivots[5] * w1
        variance = w0**2 / pivots[0] + w1**2 / pivots[1] + w2**2 / pivots[2]
        error = np.sqrt(variance) / np.abs(b + c * root)
        return root * scale, error * scale


def _parabola(a: Array, b: Array, c: Array, x: Array) -> Array:
    value: Array = a[:, None] + x * (b[:, None] + 0.5 * c[:, None] * x)
    return value


def _one_count(value: Array, stderr: Array, there: Flags) -> Array:
    """Give the value of one count at every sample: its variance over its mean.

    That of the whole window where the sample alone does not tell it well.
    """
    positive = there & (value > 0)
    together = np.where(positive, stderr**2, 0.0).sum(1) / np.where(positive, value, 0.0).sum(1)
    tells = positive & (stderr < value)
    one: Array = np.where(tells, stderr**2 / np.where(tells, value, 1.0), together[:, None])
    return one


def _start(
    t: Array, upper: Array, lower: Array, one_upper: Array, one_lower: Array, there: Flags
) -> tuple[Array, Array]:
    """Begin with the straight line through the sums of the two sides."""

    def log_sum(value: Array, one: Array, side: Flags) -> Array:
        least = 0.5 * np.where(side, one, 0.0).max(1)  # half a count where nothing was counted
        logarithm: Array = np.log(np.maximum(np.where(side, value, 0.0).sum(1), least))
        return logarithm

    ends = []
    for side in (there & (t < 0), there & (t >= 0)):
        y = log_sum(upper, one_upper, side) - log_sum(lower, one_lower, side)
        ends.append((np.where(side, t, 0.0).sum(1) / side.sum(1), y))
    (t0, y0), (t1, y1) = ends
    b = (y1 - y0) / (t1 - t0)
    return y0 - b * t0, b


def _pivots(weight: Array, x: Array, half: Array, prior: Array) -> Array:
    """Factorize the information on (A, B, C) into ``L D L'``: D, and L below its diagonal."""
    at, curved = weight * x, weight * half
    h00, h01, h02 = weight.sum(1), at.sum(1), curved.sum(1)
    h11, h12, h22 = (at * x).sum(1), (at * half).sum(1), (curved * half).sum(1) + prior
    least = 1e-14 * h00
    l10, l20 = h01 / h00, h02 / h00
    d1 = np.maximum(h11 - l10 * h01, least)
    rest = h12 - l20 * h01
    l21 = rest / d1
    d2 = np.maximum(h22 - l20 * h02 - l21 * rest, least)
    return np.stack([h00, d1, d2, l10, l20, l21])


def _solve(pivots: Array, gradient: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
    d0, d1, d2, l10, l20, l21 = pivots
    g0, g1, g2 = gradient
    g1 = g1 - l10 * g0
    g2 = g2 - l20 * g0 - l21 * g1
    x2 = g2 / d2
    x1 = g1 / d1 - l21 * x2
    return g0 / d0 - l10 * x1 - l20 * x2, x1, x2


def _root(a: Array, b: Array, c: Array) -> Array:
    """Give the zero of the parabola on the side of its slope; of the straight line if far off."""
    inner = b * b - 2.0 * a * c
    root = -2.0 * a / (b + np.where(b < 0, -1.0, 1.0) * np.sqrt(inner))
    near: Array = np.where(np.abs(root) < 1.0, root, np.clip(-a / b, -1.0, 1.0))
    return near


def _half_width(off: Array, error: Array) -> Array:
    """Solve ``P(|N(off, error)| < h) = 0.683`` for h."""
    from scipy.special import ndtr

    with np.errstate(divide="ignore", invalid="ignore"):
        shift = np.where(error > 0, np.abs(off) / error, np.abs(off))
    low, high = np.zeros_like(shift), shift + 1.0
    for _ in range(50):
        middle = 0.5 * (low + high)
        short = ndtr(shift + middle) - ndtr(shift - middle) < ONE_SIGMA
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    half: Array = high * error
    return half
