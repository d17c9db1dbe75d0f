"""How well a crossing is located where samples have standard errors.

The two samples beside a crossing are not enough. Noise makes several crossings of one edge, and the
chosen one lies wherever noise has put it: deeper than the edge for the deepest one, and in a
segment that noise has made steep. The samples around say where the edge is, and how surely; and
how far the straight line between two samples is from a curved profile.
"""

from __future__ import annotations

import math
from functools import cache
from typing import NamedTuple

import numpy as np

from sims_analysis.kernels.counting import ONE_SIGMA
from sims_analysis.kernels.crossings import Crossings
from sims_analysis.kernels.rows import BLOCK, Array, Flags, Index, Rows, blocks

__all__ = ["half_widths"]

#: Samples on either side are taken until the sums of the two sides differ by so many standard
#: errors. Fewer do not show on which side the profile is higher; more reach farther than a
#: parabola follows it.
KNOWN = 4.0
#: Where the two samples beside a crossing differ by so many standard errors, they suffice alone;
#: and by so many where the step between them is longer than a decay length, since the samples
#: farther off are then on another part of the profile.
ALONE, ALONE_IF_STEEP = 10.0, 4.0
#: Relative error of a sample above which its logarithm carries no information: ten counts.
FEW = 0.33
#: Two curvatures disagree from so many standard errors on.
DOUBT = 2.0
#: Growth of the window from one look at it to the next.
GROWTH = 1.3
#: A crossing is one of noise where its window would hold so many others.
CROWD = 100
#: Crossings worked on at a time.
AT_ONCE = 512
#: Standard deviation of the curvature to expect, in squared slopes: d2(ln C) = 0 for an
#: exponential, -1 for a straight line that falls by a factor e, -0.7 at half of a Gaussian. Wide
#: enough to leave the curvature to the data wherever they know it.
CURVED = 5.0


def half_widths(
    rows: Rows,
    level: Array,
    found: Crossings,
    at: Array,
    *,
    every: Index,
    level_stderr: Array | None = None,
) -> Array:
    """Return the half-width of the 68 % interval about each crossing.

    Parameters
    ----------
    rows : Rows
        With standard errors (else all answers are NaN).
    level : ndarray
        At every sample.
    found : Crossings
        K of them.
    at : ndarray, shape (K,)
        Their depths.
    every : ndarray of int, shape (M,)
        The samples before all crossings of the rows, of which those asked about are some.
    level_stderr : ndarray, optional
        Standard errors of the level at every sample, if it was counted too.

    Returns
    -------
    ndarray, shape (K,)
        NaN where nothing is known of the errors, where the profile stays as it is beside the
        crossing, and for a crossing that noise has made of an edge that runs the other way: there
        is no edge of its direction to be near.

    Notes
    -----
    ``ln(value / level) = A + B z + C z^2 / 2`` is fitted to as many samples on either side as
    tell the two sides apart, by the likelihood of counts: of Poisson's against a level, of the
    binomial between two counted quantities; zeros are data. The fit crosses at z' with the
    standard error s, and the half-width h about the crossing found solves
    ``P(|N(z' - at, s)| < h) = 0.683``.

    Where the profile crosses the level more than a hundred times within that window, no edge of
    its own belongs to a crossing. Such crossings in noise are not fitted: the interval is that of
    the two samples beside it.
    """
    result = np.full(at.size, np.nan)
    if rows.stderr is None:
        return result
    level_stderr = np.zeros(1) if level_stderr is None else level_stderr
    of_samples = (rows.stderr, level, level_stderr)
    error, lower, lower_error = (
        np.broadcast_to(of, rows.value.shape).reshape(-1) for of in of_samples
    )
    rows = rows.packed()
    before = found.before + found.on_sample
    for part in blocks(at.size, 1, AT_ONCE):
        begin, end = rows.start[found.row[part]], rows.start[found.row[part] + 1]
        samples = _Samples(rows.depth, rows.value, error, lower, lower_error, begin, end, every)
        off, sigma, runs = _edge(samples, before[part], at[part])
        direction = np.where(found.falling[part], 1.0, -1.0)
        width = _half_width_about(off, sigma)
        result[part] = np.where((runs * direction < 0) | np.isinf(width), np.nan, width)
    return result


class _Window(NamedTuple):
    """Samples around some crossings; every field has shape (R, m), and is 0 where none is."""

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
    lower: Array
    lower_stderr: Array
    begin: Index
    end: Index
    every: Index

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
        columns = [column[safe] for column in self[:5]]
        # A sample without a standard error carries no weight.
        for column in columns[1:]:
            there &= np.isfinite(column)
        return _Window._make([*(np.where(there, column, 0.0) for column in columns), there])

    def crossings_within(self, which: Index, first: Index, reach: int) -> Index:
        """Count all crossings within the windows that reach so far to either side."""
        low = np.maximum(first + 1 - reach, self.begin[which])
        high = np.minimum(first + reach, self.end[which] - 1)
        count: Index = self.every.searchsorted(high) - self.every.searchsorted(low)
        return count


def _edge(samples: _Samples, before: Index, at: Array) -> tuple[Array, Array, Array]:
    """Return how far from each crossing the edge is, and the standard error of that.

    And whether the samples around fall (1) or rise (-1) beyond doubt; 0 where that does not matter.
    """
    off, error, known = _between_two(samples, before, at)
    runs = np.zeros(at.size)
    rest = np.flatnonzero(~known)
    off[rest], error[rest] = np.nan, np.nan
    here = before[rest]
    for look in range(2):
        reach, sign = _reach(samples, rest, here)
        if look == 0:
            runs[rest] = sign
        rest, here, reach = (column[reach > 0] for column in (rest, here, reach))
        there, sigma, edge = _look(samples, rest, here, at[rest], reach)
        better = np.isfinite(sigma)
        off[rest[better]], error[rest[better]] = there[better], sigma[better]
        # Noise may have put the crossing at the end of its own window: look again from the edge.
        moved = (edge != here) & better
        rest, here = rest[moved], edge[moved]
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
    """Return the shares of three samples in the difference of their two slopes."""
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
            edge, error[some] = _crossing_of_parabola(z, *window[1:])
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
    """Count the samples on either side needed to tell the two sides of each crossing apart.

    That is 0 for a crossing in noise. And which is the higher side: 1 for the one before, -1 for
    the other, 0 if they do not show it.
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
        noise = samples.crossings_within(crossing, first, outer) > CROWD
        reach[active] = np.where(noise, 0, outer)
        known = np.abs(difference[active]) >= KNOWN * np.sqrt(variance[active])
        whole = (first - outer < samples.begin[crossing]) & (
            first + 1 + outer >= samples.end[crossing]
        )
        decided = active[known & ~noise]
        runs[decided] = np.sign(difference[decided])
        active = active[~(known | whole | noise)]
        inner, outer = outer, max(outer + 1, int(outer * GROWTH))
    return reach, runs


def _crossing_of_parabola(
    z: Array,
    upper: Array,
    upper_stderr: Array,
    lower: Array,
    lower_stderr: Array,
    there: Flags,
) -> tuple[Array, Array]:
    """Fit ``upper = lower exp(A + B z + C z^2 / 2)`` to samples, and give its crossing.

    With ``a`` and ``d`` the values of one count of either, the score of a sample is
    ``(upper - e lower) / (a + e d)``, e the exponential: that of a Poisson count for d = 0 (a
    level), that of a binomial between two counts otherwise.

    Parameters
    ----------
    z, upper, upper_stderr, lower, lower_stderr : ndarray, shape (R, m)
        0 where there is no sample.
    there : ndarray of bool, shape (R, m)

    Returns
    -------
    crossing, error : ndarray, shape (R,)
        The depth at which the two are equal, and its standard error.
    """
    with np.errstate(all="ignore"):
        one_upper = _one_count(upper, upper_stderr, there)
        one_lower = _one_count(lower, lower_stderr, there)
        scale = np.abs(z).max(1)
        x = z / scale[:, None]
        a, b = _start(x, upper, lower, one_upper, one_lower, there)
        # Two samples know of no curvature: an exponential.
        free = np.where(there.sum(1) > 2, CURVED, 1e-6)
        prior = 1.0 / np.maximum(free * b**2, 1e-9) ** 2
        # Where there is no sample, its score and its weight become 0.
        one_upper, one_lower = np.where(there, one_upper, 1.0), np.where(there, one_lower, 0.0)
        (a, b, c), pivots = _newton(x, upper, lower, one_upper, one_lower, a, b, prior)
        root = _root(a, b, c)
        w0, w1 = np.ones_like(root), root - pivots[3]
        w2 = 0.5 * root**2 - pivots[4] - pivots[5] * w1
        variance = w0**2 / pivots[0] + w1**2 / pivots[1] + w2**2 / pivots[2]
        error = np.sqrt(variance) / np.abs(b + c * root)
        return root * scale, error * scale


def _one_count(value: Array, stderr: Array, there: Flags) -> Array:
    """Return the value of one count at every sample: its variance over its mean.

    That of the whole window where the sample alone does not determine it well.
    """
    positive = there & (value > 0)
    together = np.where(positive, stderr**2, 0.0).sum(1) / np.where(positive, value, 0.0).sum(1)
    enough = positive & (stderr < value)
    one: Array = np.where(enough, stderr**2 / np.where(enough, value, 1.0), together[:, None])
    return one


def _start(
    x: Array, upper: Array, lower: Array, one_upper: Array, one_lower: Array, there: Flags
) -> tuple[Array, Array]:
    """Begin with the straight line through the sums of the two sides."""

    def log_sum(value: Array, one: Array, side: Flags) -> Array:
        least = 0.5 * np.where(side, one, 0.0).max(1)  # half a count where nothing was counted
        logarithm: Array = np.log(np.maximum(np.where(side, value, 0.0).sum(1), least))
        return logarithm

    ends = []
    for side in (there & (x < 0), there & (x >= 0)):
        y = log_sum(upper, one_upper, side) - log_sum(lower, one_lower, side)
        ends.append((np.where(side, x, 0.0).sum(1) / side.sum(1), y))
    (x0, y0), (x1, y1) = ends
    b = (y1 - y0) / (x1 - x0)
    return y0 - b * x0, b


def _newton(
    x: Array,
    upper: Array,
    lower: Array,
    one_upper: Array,
    one_lower: Array,
    a: Array,
    b: Array,
    prior: Array,
) -> tuple[tuple[Array, Array, Array], Array]:
    """Climb to the maximum of the likelihood, shortening steps that move a sample by over e^1.5.

    Returns
    -------
    (A, B, C) : ndarray, shape (R,)
    pivots : ndarray, shape (6, R)
        Of the information on them.
    """
    c = np.zeros_like(a)
    pivots = np.full((6, a.size), np.nan)
    live = np.arange(a.size)
    both = one_upper * lower + one_lower * upper
    samples = [x, 0.5 * x * x, np.ones_like(x), upper, lower, one_upper, one_lower, both]
    for _ in range(40):
        x, half, one, upper, lower, one_upper, one_lower, both = samples
        odds = a[live, None] + x * b[live, None]
        odds += half * c[live, None]
        np.exp(np.clip(odds, -60.0, 60.0, out=odds), out=odds)
        variance = odds * one_lower
        variance += one_upper
        rest = (upper - odds * lower) / variance
        weight = odds * both
        weight /= variance
        weight /= variance
        gradient = (
            np.vecdot(rest, one),
            np.vecdot(rest, x),
            np.vecdot(rest, half) - prior[live] * c[live],
        )
        now = _pivots(weight, one, x, half, prior[live])
        move = _solve(now, gradient)
        size = np.abs(move[0]) + np.abs(move[1]) + 0.5 * np.abs(move[2])
        step = np.minimum(1.0, 1.5 / size)
        a[live] += step * move[0]
        b[live] += step * move[1]
        c[live] += step * move[2]
        pivots[:, live] = now
        # A row that has arrived stands still, whatever those beside it do.
        moving = size > 1e-7
        if not moving.any():
            break
        if not moving.all():
            live = live[moving]
            samples = [column[moving] for column in samples]
    return (a, b, c), pivots


def _pivots(weight: Array, one: Array, x: Array, half: Array, prior: Array) -> Array:
    """Factorize the information on (A, B, C) into ``L D L'``: D, and L below its diagonal."""
    first, second = weight * x, weight * half
    h00, h01, h02 = np.vecdot(weight, one), np.vecdot(weight, x), np.vecdot(weight, half)
    h11, h12, h22 = np.vecdot(first, x), np.vecdot(first, half), np.vecdot(second, half) + prior
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
    """Return the zero of the parabola on the side of its slope; of the straight line if far off."""
    inner = b * b - 2.0 * a * c
    root = -2.0 * a / (b + np.where(b < 0, -1.0, 1.0) * np.sqrt(inner))
    near: Array = np.where(np.abs(root) < 1.0, root, np.clip(-a / b, -1.0, 1.0))
    return near


def _half_width_about(off: Array, error: Array) -> Array:
    """Solve ``P(|N(off, error)| < h) = 0.683`` for h, to a part in 100,000."""
    shift, half = _half_widths()
    with np.errstate(divide="ignore", invalid="ignore"):
        at = np.abs(off) / error
        # Far off, the other side of the interval is beyond all doubt.
        beyond = half[-1] - shift[-1] + at
        width = error * np.where(at < shift[-1], np.interp(at, shift, half), beyond)
    found: Array = np.where(error > 0, width, np.abs(off) + error)
    return found


@cache
def _half_widths() -> tuple[Array, Array]:
    """Tabulate h for an error of 1."""
    normal = np.frompyfunc(lambda x: 0.5 * math.erfc(-x / math.sqrt(2.0)), 1, 1)
    shift = np.linspace(0.0, 6.0, 1025)
    half = shift + 1.0
    for _ in range(8):
        inside = (normal(shift + half) - normal(shift - half)).astype(float)
        density = np.exp(-0.5 * (shift + half) ** 2) + np.exp(-0.5 * (shift - half) ** 2)
        half = half - (inside - ONE_SIGMA) / density * math.sqrt(2.0 * math.pi)
    return shift, half
