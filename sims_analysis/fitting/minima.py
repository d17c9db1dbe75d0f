"""The second stage of a fit: the minima of the objective that are not ruled out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from scipy.special import ndtr

from sims_analysis.errors import ProfileError
from sims_analysis.fitting.objectives import EXACT, Minimized, Objective
from sims_analysis.fitting.optimization import (
    Curve,
    Solution,
    covariance,
    distinct,
    solve,
    solve_each,
)
from sims_analysis.fitting.preparation import Prepared
from sims_analysis.fitting.task import NoFitError
from sims_analysis.kernels.samples import Array
from sims_analysis.shapes.model import Model

__all__ = [
    "Minima",
    "Minimum",
    "featureless",
    "half_widths",
    "minima",
    "not_ruled_out",
    "weighed",
]

Minimized_co = TypeVar("Minimized_co", bound=Minimized, covariant=True)

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


@dataclass(frozen=True, eq=False)
class Minima(Generic[Minimized_co]):
    """The minima of one profile, or of several that are linked.

    Parameters
    ----------
    curve : Curve
        What was fitted.
    objective : Objective
        What was minimized; for censored samples, with the scatter that was found.
    among : list of Minimum
        Those that have a share of the likelihood, the one to be returned first.
    near : list of Solution
        All that are not ruled out.
    exact : bool
        Whether the curve goes through all samples but for rounding.
    edged : bool
        Whether the curve has edges that follow the noise, so that its shapes have no errors.
    """

    curve: Curve
    objective: Minimized_co
    among: Sequence[Minimum]
    near: Sequence[Solution]
    exact: bool
    edged: bool


def minima(profile: Prepared, model: Model) -> Minima[Objective]:
    """Find the minima of a profile.

    Raises
    ------
    NoFitError
        If the optimizer found none, or a constant does as well.
    """
    curve, n = profile.curve, profile.z.size
    found, objective = _solved(profile)
    found = _by_name(curve, objective, model, found)
    if not (found and found[0].converged):
        flat = bool(found) and featureless(objective, found[0], profile.c)
        raise NoFitError("featureless" if flat else "not_converged", profile.known)
    exact = found[0].cost <= EXACT * n
    edged = None if exact else _follows_noise(curve, model)
    near = found[:1] if exact else not_ruled_out(curve, objective, found)
    among = weighed(curve, objective, near, edged)
    best = among[0].solution
    if featureless(objective, best, profile.c):
        raise NoFitError("featureless", profile.known)
    sharp = edged is not None and edged(best)
    return Minima(curve, objective, among, near, exact, sharp)


def featureless(objective: Objective, solution: Solution, c: Array) -> bool:
    """Return whether a constant does as well, by Akaike's criterion and a margin."""
    flat = objective.residual(np.full(c.size, objective.level(c)))
    cost, n, more = float(flat @ flat), objective.informative, max(solution.x.size - 1, 0)
    if objective.known_errors:
        return cost - solution.cost < 10 + 2 * more
    if cost <= 1e-20 * n:
        return True
    return bool(n * np.log(cost / max(solution.cost, 1e-300)) < 10 + 2 * more)


def _solved(profile: Prepared) -> tuple[list[Solution], Objective]:
    """Return the minima that were found, the lowest first."""
    curve, objective, starts = profile.curve, profile.objective, profile.starts
    n, informative = profile.z.size, objective.informative
    found = solve_each(curve, objective, starts, enough=1e-14 * n)
    if not found:
        _refuse_holes(curve, starts[0], profile.z)
        return [], objective
    cost = found[0].cost
    # Residuals far below the stated errors mean smooth data, which a better fit would follow.
    noisy = 0.5 * informative < cost < informative + 3 * sqrt(2 * informative)
    described = cost < 1e-14 * n or (objective.known_errors and noisy)
    if len(starts) > 1 and not described:
        # A model that needs several starts may also need another objective on the way.
        walked = solve_each(curve, objective.another(profile.c), starts, evaluations=60)
        found = distinct([*found, *(solve(curve, objective, one.free) for one in walked[:3])])
    for _ in range(2):
        refined = objective.refined(found[0].m, curve.free.size)
        if refined is objective:
            break
        objective = refined
        found = distinct([solve(curve, objective, one.free) for one in found])
        if not found:
            break
    return found, objective


def _by_name(
    curve: Curve, objective: Objective, model: Model, found: list[Solution]
) -> list[Solution]:
    """Swap the parts of a model that were found under each other's names."""
    n = len(model.parameters)
    if model.ordered is None or any(i < n for i in curve.held):
        return found
    named: list[Solution | None] = []
    for one in found:
        p = [*model.ordered(one.free[:n].tolist()), *one.free[n:].tolist()]
        named.append(one if p == one.free.tolist() else solve(curve, objective, p))
    return distinct(named)


def _refuse_holes(curve: Curve, start: Sequence[float], z: Array) -> None:
    """Raise for a formula that has a value at some depths only."""
    there = np.isfinite(curve.values(np.array(start)))
    if there.any() and not there.all():
        names = [curve.parameters[i].name for i in curve.free]
        values = ", ".join(f"{n}={v:.4g}" for n, v in zip(names, start, strict=True))
        raise ProfileError(
            f"the model has no value at {z[~there][0]:g} nm, with the starting values {values} (in "
            "units of the largest sample); its formula must give one at every depth, or the "
            "window (start=, stop=) leave out where it does not"
        )


def _follows_noise(curve: Curve, model: Model) -> Callable[[Solution], bool] | None:
    """Return what tells curves with edges that follow the noise; None where none are looked for."""
    n, irregular = len(model.parameters), model.irregular
    if irregular is None or any(i < n for i in curve.held):
        return None
    return lambda one: irregular(one.free[:n].tolist())


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
    low, high = 0.0 * alone, 2 * _WIDENED * alone
    for _ in range(40):
        half = 0.5 * (low + high)
        inside = ndtr((half - apart) / stderr) - ndtr((-half - apart) / stderr)
        # 0 / 0 is a number that is known exactly, and is the same for all.
        enough = np.asarray(shares) @ np.nan_to_num(inside, nan=1.0) > _WITHIN
        low, high = np.where(enough, low, half), np.where(enough, half, high)
    high[high > _WIDENED * alone] = np.nan
    return high
