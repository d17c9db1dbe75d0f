"""Repeats of one profile: what they have in common, apart from the scatter of their samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from sims_analysis.kernels.counting import NONE_COUNTED, scatter_counts, student
from sims_analysis.kernels.rows import Array, changed
from sims_analysis.kernels.samples import neighbour_mean

#: Scatter is notable if errors are off by more than this factor.
NOTABLE = 1.4


@dataclass(frozen=True)
class _Rules:
    """The numbers by which scatter is distinguished from what repeats have in common."""

    different: float = 0.01  # depths are different where chance does it more rarely than this
    improbable: float = 1e-7  # scatter is more than its errors where chance makes it as rarely
    freedom: int = 60  # degrees of a scatter that is pooled over neighbouring depths, at least
    times: int = 4  # it is pooled so often, the last times without what repeats have in common
    relative: tuple[float, ...] = (0.0, 1.0, 100.0, 1e4)  # of the noise in proportion to values
    # over that of counts, at the highest, it is one
    smoothed: int = 2  # neighbours on either side for the slope of a mean profile, or its noise
    counted: float = 10.0  # counts by which the noise of neighbours is known


_RULES = _Rules()


class Repeats(NamedTuple):
    """What repeats say of their mean: numbers, or Variables over several species.

    The standard error of its samples by the pooled scatter (n,); the relative standard errors of
    its scale and of its depths; the variance by which the latter is known in one repeat; and by
    which factor scales, and samples, scatter more than their errors, or 1.
    """

    stderr: Any
    scale: Any
    depth: Any
    depth_variance: Any
    scale_excess: Any
    excess: Any


def repeats(z: Array, c: Array, s: Array, fraction: float, *, stretched: bool) -> Repeats:
    """Analyse repeats, (m, n) at common depths z (n,), with their standard errors or NaN.

    Each is ``c_r = c + a_r c + b_r z c' + noise`` by least squares, with their mean c and (if
    `stretched`) its slope, b where it differs by more than chance. Scale and depths of the mean
    have the errors ``t sd / sqrt(m)`` of a_r and b_r, less the noise in them
    (:func:`.counting.scatter_counts`); unstated noise is pooled over neighbours, as part of c.
    """
    m, mean = len(c), c.mean(axis=0)
    deviation = c - mean
    stated = np.mean(s**2, axis=0)
    counted = bool((stated > 0).all())
    shapes = mean[None]
    if stretched and z.size > 2 * _RULES.smoothed + 1:
        shapes = np.array([mean, z * np.gradient(_smooth(mean), z)])
    left, depth_variance = deviation, np.inf
    for _ in range(1 if counted else _RULES.times):
        noise = stated if counted else _pooled(left, mean)
        variance = noise / fraction  # of as many independent samples
        coefs, variances = _least_squares(deviation, shapes, variance)
        if len(shapes) > 1:
            depth_variance, square = variances[1], np.sum(coefs[:, 1] ** 2) / (m - 1)
            if not scatter_counts(square, depth_variance, m - 1, _RULES.different):
                coefs, variances = _least_squares(deviation, shapes[:1], variance)
        left = deviation - coefs @ shapes[: coefs.shape[1]]
    scale, *depth = (_error_of_mean(*pair) for pair in zip(coefs.T, variances, strict=True))
    of_scale = np.sum(coefs[:, 0] ** 2) / variances[0] if variances[0] else 0.0
    excess, freedom = 1.0, (m - 1) * (z.size - coefs.shape[1])
    if counted and freedom > 0:
        excess = _excess(np.sum(left**2 / noise), freedom, fraction)
        if excess > NOTABLE:  # the errors are not those of the samples
            by_scatter = repeats(z, c, np.nan * s, fraction, stretched=stretched)
            return changed(by_scatter, excess=excess)
    return Repeats(
        stderr=np.sqrt(_pooled(left, mean) / m),
        scale=scale,
        depth=depth[0] if depth else 0.0,
        depth_variance=depth_variance,
        scale_excess=_excess(of_scale, m - 1, 1.0),
        excess=excess,
    )


def _least_squares(deviation: Array, shapes: Array, variance: Array) -> tuple[Array, Array]:
    """Return the parts of shapes in deviations, (m, k), and the variances of each, (k,)."""
    weights = np.where(variance > 0, 1.0 / np.where(variance > 0, variance, 1.0), 0.0)
    normal = np.linalg.pinv((shapes * weights) @ shapes.T)
    return (deviation * weights) @ shapes.T @ normal, np.diag(normal)


def _error_of_mean(coefs: Array, variance: float) -> float:
    """Return the standard error of the mean of values beyond the noise in them."""
    m = coefs.size
    square = np.sum(coefs**2) / (m - 1)
    if not scatter_counts(square, variance, m - 1):
        return 0.0
    return float(np.sqrt(max(student(m - 1.0) ** 2 * square - variance, 0.0) / m))


def _excess(chi_square: float, freedom: float, fraction: float) -> float:
    """Return by which factor values scatter more than their errors; 1 where chance may do it."""
    reduced = chi_square / freedom
    scatters = scatter_counts(reduced, 1.0, max(freedom * fraction, 1.0), _RULES.improbable)
    return float(np.sqrt(reduced)) if scatters else 1.0


def _pooled(left: Array, mean: Array) -> Array:
    """Return the variance of single values, pooled over neighbouring depths, as ``k (c + q c^2)``.

    The share q of noise in proportion to c is the likeliest of a few, at all depths together.
    """
    m, n = left.shape
    half = min(int(np.ceil(0.5 * _RULES.freedom / (m - 1))), n - 1)
    of_mean, square = np.maximum(mean, 0.0), np.sum(left**2, axis=0) / (m - 1)
    level = np.maximum(_smooth(mean), 0.0)
    if not (level.any() and square.any()):
        return neighbour_mean(square, half)
    count = square.sum() / (m * of_mean.sum())
    little = neighbour_mean(of_mean, half) * (2 * half + 1) < _RULES.counted * count

    def size_of(noise: Array) -> Array:
        squares, noises = neighbour_mean(square, half), neighbour_mean(noise, half)
        # Where little was counted all around, one count is at least what it is elsewhere.
        overall = square.sum() / noise.sum()
        size = np.divide(squares, noises, out=np.full(n, overall), where=noises > 0)
        enough: Array = np.where(little | (size == 0), np.maximum(size, overall), size)
        return enough

    # As of counts, where k is one: zero of them have half the width of the interval [0, 1.84].
    count = size_of(level)
    none = (NONE_COUNTED * count) ** 2 / m
    # Samples of less than one count say less of it.
    weight = level / (level + square.sum() / level.sum())
    least, variance = np.inf, none
    for relative in np.array(_RULES.relative) / level.max():
        size = size_of(level + relative * level**2)
        smooth = np.where(weight > 0, size * (level + relative * level**2), 1.0)
        unlikely = np.sum(weight * (np.log(smooth) + square / smooth))
        if unlikely < least:
            # As of counts, by the values themselves: answers know how these favour low ones.
            least, variance = unlikely, size * (of_mean + relative * of_mean**2)
    pooled: Array = np.maximum(variance, none)
    return pooled


def _smooth(mean: Array) -> Array:
    """Return a running mean, of logarithms where all values of it are positive."""
    positive = neighbour_mean((mean > 0).astype(np.float64), _RULES.smoothed) == 1.0
    logs = neighbour_mean(np.log(np.where(mean > 0, mean, 1.0)), _RULES.smoothed)
    return np.where(positive, np.exp(logs), neighbour_mean(mean, _RULES.smoothed))
