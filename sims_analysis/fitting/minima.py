"""The second stage of a fit: the minima of the objective that are not ruled out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import sqrt
from typing import Generic, TypeVar

import numpy as np
from scipy.special import ndtr

from sims_analysis.errors import ProfileError
from sims_analysis.fitting.objectives import EXACT, LEAST_COST, Objective, SumOfSquares
from sims_analysis.fitting.optimization import (
    Curve,
    Minimum,
    background_covariance,
    covariance,
    distinct,
    solve,
    solve_each,
)
from sims_analysis.fitting.preparation import FitProblem, NoFitError
from sims_analysis.kernels.samples import Array
from sims_analysis.shapes.model import Model, Parameter

SumOfSquares_co = TypeVar("SumOfSquares_co", bound=SumOfSquares, covariant=True)

#: What lies within one standard deviation of a normal distribution.
_ONE_SIGMA = float(ndtr(1.0) - ndtr(-1.0))


@dataclass(frozen=True)
class _Rules:
    """The numbers by which minima are compared; costs are in squared residuals."""

    cost_limit: float = 9.0  # cost above the lowest that rules a minimum out: three deviations
    widening: float = 3.0  # factor by which other minima widen an error at most, or they are apart
    steps: int = 40  # number of times that the half-width of an interval is halved
    correlation: float = 0.9  # correlation with a parameter without error from which one has none
    margin: float = 10.0  # Akaike's criterion by which a curve does better than a constant
    constant: float = 1e-20  # cost for each sample below which all are the same
    exact: float = 1e-14  # cost for each sample below which a curve goes through all
    smooth: float = 0.5  # part of the expected cost below which samples are smoother than noise
    chance: float = 3.0  # standard deviations above the expected cost that are chance
    walk: int = 60  # number of evaluations of another objective on the way,
    walks: int = 3  # and of its minima that are followed
    refined: int = 2  # number of times that the noise is taken from the curve
    difference: float = 1e-4  # step of a coordinate for the curvature of the likelihood


_RULES = _Rules()


@dataclass(frozen=True, eq=False)
class FitResult(Generic[SumOfSquares_co]):
    """What was found for one profile, or for several that are linked."""

    curve: Curve
    #: What was minimized; for samples below a limit, with the scatter that was found.
    objective: SumOfSquares_co
    #: Those that have a share of the likelihood, the best first; and all that are not ruled out.
    minima: Sequence[Minimum]
    candidates: Sequence[Minimum]
    #: What a background that was subtracted before adds to the covariance.
    background: Array
    #: Whether the curve goes through all samples but for rounding.
    exact: bool = False
    #: Whether the curve has edges that follow the noise, so that its shapes have no errors.
    irregular: bool = False

    @property
    def best(self) -> Minimum:
        """The minimum to be returned."""
        return self.minima[0]

    @property
    def covariance(self) -> Array:
        """That of the free parameters, about the minimum that is returned."""
        return self.best.covariance + self.background

    @cached_property
    def stderr(self) -> Array:
        """Standard errors of the free parameters by the samples; NaN where they have none."""
        stderr = np.sqrt(self.best.covariance.diagonal())
        if len(self.minima) > 1:
            stderr = half_widths(
                np.sqrt([minimum.covariance.diagonal() for minimum in self.minima]),
                np.array([minimum.p - self.best.p for minimum in self.minima]),
                [minimum.share for minimum in self.minima],
            )
        if self.exact and self.objective.known_errors:
            return stderr
        # No parameter has an error larger than its range, nor one that is correlated with such;
        # nor a shape, where edges of the curve follow the noise.
        parameters = [self.curve.parameters[i] for i in self.curve.free]
        unknown = stderr > distance_to_bounds(parameters, self.best.p)
        if self.irregular:
            unknown |= np.array([not p.scales for p in parameters])
        if unknown.any():
            sigma = np.sqrt(self.best.covariance.diagonal())
            correlated = np.abs(self.best.covariance) > _RULES.correlation * np.outer(sigma, sigma)
            unknown |= correlated[unknown].any(axis=0)
        stderr[unknown] = np.nan
        return stderr


def distance_to_bounds(parameters: Sequence[Parameter], values: Array) -> Array:
    """Return how far shapes are from their bounds, which an interval cannot pass."""
    return np.array(
        [
            np.inf if p.scales else min(value - p.lower, p.upper - value)
            for p, value in zip(parameters, values.tolist(), strict=True)
        ]
    )


def minimize(problem: FitProblem, model: Model) -> FitResult[Objective]:
    """Find the minima of a profile that are not ruled out; NoFitError if there are none."""
    curve = problem.curve
    solutions, objective = _solve(problem)
    solutions = _in_order(curve, objective, model, solutions)
    # Something lower, at which the optimizer has not ended, may rule out the first.
    lowest = min(solutions, key=lambda minimum: minimum.cost, default=None)
    cost = lowest.cost if lowest else 0.0
    limit = cost + _RULES.cost_limit * objective.variance(cost, curve.free.size)
    if not (lowest and solutions[0].converged and solutions[0].cost <= limit):
        status, z = "not_converged", problem.z
        if lowest and model.shape == "step" and "position" in model.names:
            position = curve.complete(lowest.p)[model.names.index("position")]
            status = status if z[0] <= position <= z[-1] else "truncated"
        flat = lowest is not None and featureless(objective, solutions[0], problem.c)
        raise NoFitError("featureless" if flat else status, problem.known)
    exact = solutions[0].cost <= EXACT * problem.z.size
    n = len(model.parameters)
    shapes = model.irregular if not any(i < n for i in curve.held) else None

    def irregular(minimum: Minimum) -> float:
        return 0.0 if exact or shapes is None else shapes(minimum.p[:n].tolist())

    candidates = solutions[:1] if exact else plausible_minima(curve, objective, solutions)
    minima = by_likelihood(curve, objective, candidates, None if shapes is None else irregular)
    best = minima[0]
    if featureless(objective, best, problem.c):
        raise NoFitError("featureless", problem.known)
    background = background_covariance(curve, objective, best, problem.subtracted)
    return FitResult(curve, objective, minima, candidates, background, exact, irregular(best) >= 1)


def featureless(objective: Objective, minimum: Minimum, c: Array) -> bool:
    """Return whether a constant does as well, by Akaike's criterion and a margin."""
    cost = objective.cost(np.full(c.size, objective.level(c)))
    n, gain = objective.informative, _RULES.margin + 2 * max(minimum.x.size - 1, 0)
    if objective.known_errors:
        return cost - minimum.cost < gain
    if cost <= _RULES.constant * n:
        return True
    return bool(n * np.log(cost / max(minimum.cost, LEAST_COST)) < gain)


def _solve(problem: FitProblem) -> tuple[list[Minimum], Objective]:
    """Return the minima that were found, the lowest first."""
    curve, objective, starts = problem.curve, problem.objective, problem.starts
    informative, exact = objective.informative, _RULES.exact * problem.z.size
    minima = solve_each(curve, objective, starts, target=exact)
    if not minima:
        _refuse_undefined(curve, starts[0], problem.z)
        return [], objective
    cost = minima[0].cost
    # Residuals far below the stated errors mean smooth data, which a better fit would follow.
    limit = informative + _RULES.chance * sqrt(2 * informative)
    as_expected = _RULES.smooth * informative < cost < limit
    is_good = cost < exact or (objective.known_errors and as_expected)
    if len(starts) > 1 and not is_good:
        # A model that needs several starts may also need another objective on the way.
        alternative = objective.reweighted(problem.c)
        steps = solve_each(curve, alternative, starts, evaluations=_RULES.walk)[: _RULES.walks]
        minima = distinct([*minima, *(solve(curve, objective, minimum.p) for minimum in steps)])
    for _ in range(_RULES.refined):
        refined = objective.refined(minima[0].m, curve.free.size)
        if refined is objective:
            break
        objective = refined
        minima = distinct([solve(curve, objective, minimum.p) for minimum in minima])
        if not minima:
            break
    return minima, objective


def _in_order(
    curve: Curve, objective: Objective, model: Model, minima: list[Minimum]
) -> list[Minimum]:
    """Swap the parts of a model that were found under each other's names."""
    n = len(model.parameters)
    if model.ordered is None or any(i < n for i in curve.held):
        return minima
    sets = [[*model.ordered(minimum.p[:n].tolist()), *minimum.p[n:].tolist()] for minimum in minima]
    return distinct(
        minimum if p == minimum.p.tolist() else solve(curve, objective, p)
        for minimum, p in zip(minima, sets, strict=True)
    )


def _refuse_undefined(curve: Curve, start: Sequence[float], z: Array) -> None:
    """Raise for a formula that has a value at some depths only."""
    defined = np.isfinite(curve.values(np.array(start)))
    if defined.any() and not defined.all():
        names = [curve.parameters[i].name for i in curve.free]
        values = ", ".join(f"{n}={v:.4g}" for n, v in zip(names, start, strict=True))
        raise ProfileError(
            f"the model has no value at {z[~defined][0]:g} nm, with the starting values {values} "
            "(in units of the largest sample); its formula must give one at every depth, or the "
            "window (start=, stop=) leave out where it does not",
            argument="model",
        )


def plausible_minima(
    curve: Curve, objective: SumOfSquares, minima: Sequence[Minimum]
) -> list[Minimum]:
    """Return the minima that chance may have made higher than the lowest, which is the first."""
    lowest = minima[0].cost
    limit = lowest + _RULES.cost_limit * objective.variance(lowest, curve.free.size)
    return [minimum for minimum in minima if minimum.converged and minimum.cost <= limit]


def by_likelihood(
    curve: Curve,
    objective: SumOfSquares,
    candidates: Sequence[Minimum],
    irregular: Callable[[Minimum], float] | None = None,
) -> list[Minimum]:
    """Return minima with their covariance, the one with most of the likelihood first.

    By Laplace's method, the likelihood about a minimum is its height times the root of the
    determinant of the covariance. The lowest may be narrow: a curve with a sharp edge that follows
    the noise of a few samples, as `irregular` says; such a one counts only if all are, and errors
    are then from the curvature of the likelihood itself. `candidates` come lowest first.
    """
    lowest, invert = candidates[0].cost, covariance
    unit = objective.variance(lowest, curve.free.size)
    if irregular is not None and len(candidates) > 1:
        invert = _observed_covariance
        candidates = [minimum for minimum in candidates if not irregular(minimum)] or candidates
    minima = [
        replace(minimum, covariance=invert(curve, objective, minimum)) for minimum in candidates
    ]
    if len(minima) == 1:
        return minima
    mass = np.zeros(len(minima))
    for i, minimum in enumerate(minima):
        volume = np.linalg.slogdet(minimum.covariance / (minimum.dp_dx[:, None] * minimum.dp_dx))[1]
        mass[i] = 0.5 * (volume - (minimum.cost - minima[0].cost) / unit)
    if np.isnan(mass[0]):  # the lowest has no volume to compare
        mass[1:] = np.nan
        mass[0] = 0.0
    shares = np.nan_to_num(np.exp(mass - np.nanmax(mass)))
    shares /= shares.sum()
    order = [i for i in np.argsort(-shares, kind="stable") if shares[i] > 0]
    return [replace(minima[i], share=float(shares[i])) for i in order]


def _observed_covariance(curve: Curve, objective: SumOfSquares, minimum: Minimum) -> Array:
    """Invert the curvature of the sum of squares; where that is no minimum, what is expected."""

    def gradient(x: Array) -> Array:
        point = curve.at(x.tolist())
        slope: Array = curve.jacobian(point) @ objective.scored(point.m)[0]
        return slope

    steps = _RULES.difference * np.maximum(1.0, np.abs(minimum.x))
    ends = [(gradient(minimum.x + e), gradient(minimum.x - e)) for e in np.diag(steps)]
    curvature = np.array([up - down for up, down in ends]) / (2 * steps[:, None])
    curvature = (curvature + curvature.T) / 2
    try:
        np.linalg.cholesky(curvature)
    except np.linalg.LinAlgError:
        return covariance(curve, objective, minimum)
    inverse: Array = np.linalg.inv(curvature) * (minimum.dp_dx[:, None] * minimum.dp_dx)
    return inverse * objective.variance(minimum.cost, minimum.x.size)


def half_widths(stderr: Array, distances: Array, shares: Sequence[float]) -> Array:
    """Return the half-widths of 68 % intervals about the first of several minima.

    From the errors about each and their distances, a row each; NaN where others widen it too much.
    """
    single: Array = stderr[0]
    low, high = 0.0 * single, 2 * _RULES.widening * single
    for _ in range(_RULES.steps):
        half = 0.5 * (low + high)
        content = ndtr((half - distances) / stderr) - ndtr((-half - distances) / stderr)
        # 0 / 0 is a number that is known exactly, and is the same for all.
        covers = np.asarray(shares) @ np.nan_to_num(content, nan=1.0) > _ONE_SIGMA
        low, high = np.where(covers, low, half), np.where(covers, half, high)
    high[high > _RULES.widening * single] = np.nan
    return high
