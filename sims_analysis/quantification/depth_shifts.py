"""Depth shift of one profile relative to another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.optimize import minimize_scalar

from sims_analysis.kernels.crossings import junction
from sims_analysis.kernels.levels import FALLING, RISING
from sims_analysis.kernels.rows import Array, Dense


@dataclass(frozen=True)
class _Rules:
    """The numbers by which shifts are found."""

    most: int = 4000  # points of a grid of shifts, at most: more would only be slower
    flat: float = 1e-9  # a correlation that varies by less over all shifts has no maximum
    rounding: float = 1e-12  # a curve that varies by no more than this part of its values is flat


_RULES = _Rules()


def best_shift(
    pairs: Sequence[tuple[Array, Array, Array, Array]],
    max_shift: float | None = None,
    *,
    log: bool = False,
) -> tuple[float, float]:
    """Find the shift s that maximizes the correlation coefficient of ``b(z - s)`` with ``a(z)``.

    Return both; NaN without a maximum, or at an end of the search. The coefficient is taken over
    the depths at which both were measured, and averaged over the `pairs`, ``(depth_a, value_a,
    depth_b, value_b)`` of each species without gaps. The search runs on a grid as fine as the
    samples, then between its points, up to `max_shift` (by default half of the shorter record).
    `log` compares logarithms, with the smallest positive value for those that are not positive.
    """
    spans = [min(za[-1] - za[0], zb[-1] - zb[0]) for za, _, zb, _ in pairs]
    limit = 0.5 * min(spans) if max_shift is None else max_shift
    finest = min(float(np.median(np.diff(z))) for za, _, zb, _ in pairs for z in (za, zb))
    step = max(finest, max(spans) / _RULES.most, limit / _RULES.most)
    if log:
        pairs = [(za, _logarithm(ca), zb, _logarithm(cb)) for za, ca, zb, cb in pairs]
    curves = [(PchipInterpolator(za, ca), PchipInterpolator(zb, cb)) for za, ca, zb, cb in pairs]

    lags = np.arange(-np.floor(limit / step), np.floor(limit / step) + 1) * step
    correlation = np.array([_correlation(curves, lag, 0.0, step) for lag in lags])
    if not np.isfinite(correlation).any():
        return np.nan, np.nan
    best = int(np.nanargmax(correlation))
    flat = np.nanmax(correlation) - np.nanmin(correlation) < _RULES.flat
    if flat or best in (0, lags.size - 1):
        return np.nan, np.nan
    fine = minimize_scalar(
        lambda s: -_correlation(curves, lags[best], s, step),
        bounds=(-step, step),
        method="bounded",
        options={"xatol": 1e-7 * step},
    )
    return float(lags[best] + fine.x), min(float(-fine.fun), 1.0)


def _logarithm(c: Array) -> Array:
    positive = c > 0
    return np.log(np.maximum(c, c[positive].min())) if positive.any() else np.zeros(c.size)


def _correlation(
    curves: Sequence[tuple[PchipInterpolator, PchipInterpolator]],
    lag: float,
    rest: float,
    step: float,
) -> float:
    """Correlate a(z) with b(z - lag - rest), over depths that do not depend on `rest`."""
    values = []
    for a, b in curves:
        first, last = max(a.x[0], b.x[0] + lag + step), min(a.x[-1], b.x[-1] + lag - step)
        z = np.arange(first, last, step)
        # Too few points are always well correlated.
        if last - first < 0.25 * min(np.ptp(a.x), np.ptp(b.x)) or z.size < 5:
            return np.nan
        x, y = a(z), b(z - lag - rest)
        # Where nothing varies, as where a file gives one number for no counts, rounding correlates.
        if any(np.ptp(c) <= _RULES.rounding * np.abs(c).max() for c in (x, y)):
            return np.nan
        x, y = x - x.mean(), y - y.mean()
        values.append((x @ y) / np.sqrt((x @ x) * (y @ y)))
    return float(np.mean(values))


def vertex(z: Array, c: Array) -> float:
    """Vertex of the parabola through ln C (C, if one is not positive) around the maximum."""
    top = int(np.argmax(c))
    if top in (0, c.size - 1):
        return float(z[top])
    around = slice(top - 1, top + 2)
    y = np.log(c[around]) if (c[around] > 0).all() else c[around]
    left, right = (y[1] - y[0]) / (z[top] - z[top - 1]), (y[2] - y[1]) / (z[top + 1] - z[top])
    curvature = (right - left) / (z[top + 1] - z[top - 1])
    if not curvature < 0:
        return float(z[top])
    # The slopes apply half-way between the samples.
    return float(0.5 * (z[top - 1] + z[top]) - left / (2 * curvature))


def between_markers(depth: Array, at: Array, to: Array) -> Array:
    """Move depths along straight lines between (and beyond) markers, (m,), from `at` to `to`."""
    if at.size == 1:
        return depth + (to - at)
    segment = np.clip(np.searchsorted(at, depth, side="right") - 1, 0, at.size - 2)
    stretch = np.diff(to) / np.diff(at)
    moved: Array = to[segment] + stretch[segment] * (depth - at[segment])
    return moved


def edge_depth(depth: Array, value: Array, level: float, *, falling: bool) -> float:
    """Return the depth of an edge: the deepest fall below a level, or the first rise above it."""
    rows = Dense(depth, np.ascontiguousarray(value[None]))
    edge, which = (FALLING, -1) if falling else (RISING, 1)
    result = junction(rows, np.array([level]), edge=edge, which=which)
    return float(result.depth[0])
