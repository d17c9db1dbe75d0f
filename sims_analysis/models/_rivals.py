"""Several minima that are not ruled out: the one to return, and the errors that they widen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from sims_analysis.models._engine import Curve, Solution, covariance
from sims_analysis.models._objectives import Minimized
from sims_analysis.models.model import Array

__all__ = ["Minimum", "half_widths", "not_ruled_out", "weighed"]

#: A minimum of chi-square that is higher by this is ruled out at three standard deviations.
_RULED_OUT = 9.0
#: Other minima may widen an error by this factor; beyond it, the width is their distance.
_WIDENED = 3.0
#: What lies within one standard deviation of a normal distribution.
_WITHIN = float(ndtr(1.0) - ndtr(-1.0))


class Minimum(NamedTuple):
    """A minimum, the covariance of its free parameters, and its share of the likelihood."""

    solution: Solution
    errors: Array
    share: float


def not_ruled_out(curve: Curve, objective: Minimized, found: Sequence[Solution]) -> list[Solution]:
    """Return the minima that chance may have made higher than the lowest, which is the first."""
    unit = objective.variance(found[0].cost, curve.free.size)
    near = [one for one in found if one.converged and one.cost < found[0].cost + _RULED_OUT * unit]
    return near or [found[0]]


def weighed(
    curve: Curve,
    objective: Minimized,
    near: Sequence[Solution],
    edged: Callable[[Solution], bool] | None = None,
) -> list[Minimum]:
    """Return minima with their errors, the one with most of the likelihood first.

    By Laplace's method, that about a minimum is its height times the root of the determinant of
    the covariance of the coordinates. The lowest of all may be narrow: a curve with a sharp edge
    that follows the noise of a few samples.

    Parameters
    ----------
    curve, objective
        What was fitted.
    near : sequence of Solution
        The minima that are not ruled out, the lowest first.
    edged : callable, optional
        Whether a minimum is a curve with a sharp edge, which then counts only if all are. Errors
        are from the curvature of the likelihood where there are several minima: between them it
        is far from what is expected of it.
    """
    unit = objective.variance(near[0].cost, curve.free.size)
    inverted = covariance
    if edged is not None and len(near) > 1:
        inverted = _observed
        near = [one for one in near if not edged(one)] or near
    errors = [inverted(curve, objective, one) for one in near]
    if len(near) == 1:
        return [Minimum(near[0], errors[0], 1.0)]
    mass = np.zeros(len(near))
    for i, (one, square) in enumerate(zip(near, errors, strict=True)):
        volume = np.linalg.slogdet(square / (one.stretch[:, None] * one.stretch))[1]
        mass[i] = 0.5 * (volume - (one.cost - near[0].cost) / unit)
    if np.isnan(mass[0]):  # of the lowest there is no volume to compare
        mass[1:] = np.nan
        mass[0] = 0.0
    shares = np.nan_to_num(np.exp(mass - np.nanmax(mass)))
    shares /= shares.sum()
    order = [i for i in np.argsort(-shares, kind="stable") if shares[i] > 0]
    return [Minimum(near[i], errors[i], float(shares[i])) for i in order]


def _observed(curve: Curve, objective: Minimized, solution: Solution) -> Array:
    """Invert the curvature of the sum of squares; where that is no minimum, what is expected."""

    def gradient_at(x: Array) -> Array:
        point = curve.at(x.tolist())
        r = objective.residual(point.m)
        gradient: Array = curve.jacobian(point) * objective.slope(point.m, r) @ r
        return gradient

    steps = 1e-4 * np.maximum(1.0, np.abs(solution.x))
    ends = [(gradient_at(solution.x + e), gradient_at(solution.x - e)) for e in np.diag(steps)]
    curvature = np.array([up - down for up, down in ends]) / (2 * steps[:, None])
    curvature = (curvature + curvature.T) / 2
    try:
        np.linalg.cholesky(curvature)
    except np.linalg.LinAlgError:
        return covariance(curve, objective, solution)
    unit = solution.stretch[:, None] * solution.stretch
    found: Array = np.linalg.inv(curvature) * unit
    return found * objective.variance(solution.cost, solution.x.size)


def half_widths(stderr: Array, apart: Array, shares: Sequence[float]) -> Array:
    """Return the half-widths of 68 % intervals about the first of several minima.

    NaN where the others make its own error too much wider.

    Parameters
    ----------
    stderr, apart : ndarray
        Of each minimum, a row: the standard errors about it, and its distance from the first.
    shares : sequence of float
        Of the likelihood; 1 in all.
    """
    alone: Array = stderr[0]
    if len(shares) == 1:
        return alone.copy()
    low, high = 0.0 * alone, 2 * _WIDENED * alone
    for _ in range(40):
        half = 0.5 * (low + high)
        inside = ndtr((half - apart) / stderr) - ndtr((-half - apart) / stderr)
        # 0 / 0 is a number that is known exactly, and is the same for all.
        enough = np.asarray(shares) @ np.nan_to_num(inside, nan=1.0) > _WITHIN
        low, high = np.where(enough, low, half), np.where(enough, half, high)
    high[high > _WIDENED * alone] = np.nan
    return high
