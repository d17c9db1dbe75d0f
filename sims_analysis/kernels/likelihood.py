"""Where two counted quantities are equal, by the likelihood of their counts."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.counting import ONE_SIGMA

__all__ = ["crossing_of_parabola", "half_width_about"]

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: Standard deviation of the curvature to expect, in squared slopes: d2(ln C) = 0 for an
#: exponential, -1 for a straight line that falls by a factor e, -0.7 at half of a Gaussian. Wide
#: enough to leave the curvature to the data wherever they know it.
CURVED = 5.0


def crossing_of_parabola(
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
    """Give the value of one count at every sample: its variance over its mean.

    That of the whole window where the sample alone does not tell it well.
    """
    positive = there & (value > 0)
    together = np.where(positive, stderr**2, 0.0).sum(1) / np.where(positive, value, 0.0).sum(1)
    tells = positive & (stderr < value)
    one: Array = np.where(tells, stderr**2 / np.where(tells, value, 1.0), together[:, None])
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
        spread = odds * one_lower
        spread += one_upper
        rest = (upper - odds * lower) / spread
        weight = odds * both
        weight /= spread
        weight /= spread
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
    """Give the zero of the parabola on the side of its slope; of the straight line if far off."""
    inner = b * b - 2.0 * a * c
    root = -2.0 * a / (b + np.where(b < 0, -1.0, 1.0) * np.sqrt(inner))
    near: Array = np.where(np.abs(root) < 1.0, root, np.clip(-a / b, -1.0, 1.0))
    return near


def half_width_about(off: Array, error: Array) -> Array:
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
