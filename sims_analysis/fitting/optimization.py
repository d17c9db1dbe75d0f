"""One profile, one model: the parameters that minimize an objective, and their errors.

The optimizer works in unbounded coordinates: the logarithm of a parameter with a lower bound, the
logit of one with two bounds. Values are in units of the profile's maximum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import exp, inf, isclose, isfinite, isinf, log

import numpy as np
from scipy.optimize import leastsq

from sims_analysis.fitting.objectives import Minimized
from sims_analysis.kernels.samples import Array
from sims_analysis.shapes.model import Parameter

__all__ = [
    "Curve",
    "Solution",
    "background_covariance",
    "covariance",
    "distinct",
    "poor_errors",
    "profile_interval",
    "solve",
    "solve_each",
]

#: Residual where the model has no value: the optimizer then takes the step back.
_NOWHERE = 1e8
#: Largest exponent whose exponential does not overflow when raised to the fourth power.
_LARGE = 150.0


@dataclass(eq=False)
class Curve:
    """A model over the depths of one profile: what is free in it, and what is held.

    Parameters
    ----------
    parameters : sequence of Parameter
        Those of the model, and ``background`` if it is one.
    formula, derivatives : callable
        Values, and their derivatives if they are known, of all parameters.
    held : mapping of int to float
        Parameters that are not free.
    """

    parameters: Sequence[Parameter]
    formula: Callable[..., Array]
    derivatives: Callable[..., Array] | None
    held: Mapping[int, float]

    def __post_init__(self) -> None:
        free = [i for i in range(len(self.parameters)) if i not in self.held]
        #: Indices and bounds of the free parameters.
        self.free = np.array(free, dtype=int)
        self.bounds = [(self.parameters[i].lower, self.parameters[i].upper) for i in free]

    def inward(self, free: Sequence[float] | Array) -> Array:
        """Return the coordinates of free parameters."""
        return np.array([_inward(v, *ends) for v, ends in zip(free, self.bounds, strict=True)])

    def outward(self, x: Sequence[float]) -> tuple[Array, Array]:
        """Return the free parameters at coordinates, and how far they move with these."""
        # Python floats: for so few numbers, arrays would take longer than the model.
        pairs = [_outward(v, *ends) for v, ends in zip(x, self.bounds, strict=True)]
        free, stretch = np.array(pairs).reshape(-1, 2).T
        return free, stretch

    def at(self, x: Sequence[float]) -> Point:
        """Evaluate the curve at coordinates."""
        free, stretch = self.outward(x)
        return Point(np.array(x), free, stretch, self.values(free))

    def inside(self, free: Array) -> bool:
        """Return whether all free parameters lie inside their bounds."""
        pairs = zip(free.tolist(), self.bounds, strict=True)
        return all(low < v < high for v, (low, high) in pairs)

    def whole(self, free: Array, held: float | None = None) -> Array:
        """Return a number for every parameter: those held have their value, or `held`."""
        if not self.held:
            return free
        whole = np.empty(len(self.parameters))
        whole[self.free] = free
        whole[list(self.held)] = list(self.held.values()) if held is None else held
        return whole

    def values(self, free: Array) -> Array:
        """Return the model's values."""
        return self.formula(*self.whole(free))

    def jacobian(self, point: Point, *, central: bool = True) -> Array:
        """Return the derivatives of the values with respect to the coordinates, a row for each.

        For a model without derivatives, by central or forward differences.
        """
        if point.rows is not None:
            return point.rows
        if self.derivatives is not None:
            given = self.derivatives(*self.whole(point.free))
            if self.held:
                given = given[self.free]
            point.rows = given * point.stretch[:, None]
            return point.rows
        rows, x = [], point.x.tolist()

        def moved(i: int, value: float) -> Array:
            return self.at([*x[:i], value, *x[i + 1 :]]).m

        for i, value in enumerate(x):
            step = (1e-5 if central else 1e-7) * max(1.0, abs(value))
            up, down = value + step, value - step if central else value
            rows.append((moved(i, up) - (moved(i, down) if central else point.m)) / (up - down))
        found = np.array(rows)
        if central:
            point.rows = found
        return found


def _inward(value: float, lower: float, upper: float) -> float:
    if isinf(lower):
        return value
    if isinf(upper):
        return log(max(value - lower, 1e-30))
    part = min(max((value - lower) / (upper - lower), 1e-9), 1 - 1e-9)
    return log(part / (1 - part))


def _outward(x: float, lower: float, upper: float) -> tuple[float, float]:
    """Return the parameter at a coordinate, and its derivative."""
    if isinf(lower):
        return x, 1.0
    x = min(max(x, -_LARGE), _LARGE)
    if isinf(upper):
        grown = exp(x)
        return lower + grown, grown
    part = 1 / (1 + exp(-x))
    span = upper - lower
    return lower + span * part, span * part * (1 - part)


@dataclass(eq=False)
class Point:
    """A curve evaluated at coordinates.

    Parameters
    ----------
    x, free, stretch : ndarray
        Coordinates, the free parameters, and their derivatives with respect to the coordinates.
    m : ndarray
        Values of the model.
    rows : ndarray, optional
        Their derivatives with respect to the coordinates, once they were asked for.
    """

    x: Array
    free: Array
    stretch: Array
    m: Array
    rows: Array | None = field(default=None, kw_only=True)


@dataclass(eq=False)
class Solution(Point):
    """Where the optimizer stopped.

    Parameters
    ----------
    cost : float
        Sum of squares.
    converged : bool
    """

    cost: float
    converged: bool

    def same(self, other: Solution) -> bool:
        """Return whether it is the same minimum, or the same curve under other names."""
        if not isclose(self.cost, other.cost, rel_tol=1e-6):
            return False
        return np.allclose(self.x, other.x, rtol=0.01, atol=1e-3) or np.allclose(
            self.m, other.m, rtol=1e-4, atol=1e-12
        )


def solve(
    curve: Curve,
    objective: Minimized,
    start: Sequence[float] | Array,
    *,
    tolerance: float = 1e-8,
    evaluations: int = 600,
) -> Solution | None:
    """Minimize the objective from one set of starting values.

    Parameters
    ----------
    curve : Curve
    objective : Objective
    start : sequence of float
        Values of the free parameters.
    tolerance : float
        Relative change of the sum of squares at which to stop.
    evaluations : int
        Largest number of evaluations of the model.

    Returns
    -------
    Solution or None
        None if the model has no values at the start.
    """
    asked = _Evaluation(curve, objective)
    x, ended = curve.inward(start), 1
    if x.size:
        x, _, _, _, ended = leastsq(
            asked.residual,
            x,
            Dfun=asked.jacobian,
            col_deriv=True,
            full_output=True,
            ftol=tolerance,
            xtol=10 * tolerance,
            maxfev=evaluations,
        )
    r, point = asked.residual(x), asked.point
    if r[0] == _NOWHERE:
        return None
    return Solution(**vars(point), cost=float(r @ r), converged=ended in {1, 2, 3, 4})


class _Evaluation:
    """Residuals and Jacobian for the optimizer; those of the last point are kept.

    It asks for both twice at the start, and for the Jacobian only where it has just had residuals.
    """

    def __init__(self, curve: Curve, objective: Minimized) -> None:
        self.curve, self.objective = curve, objective
        self.here = b"nowhere"

    def residual(self, x: Array) -> Array:
        if x.tobytes() != self.here:
            self.here = x.tobytes()
            self.point, self.rows = self.curve.at(x.tolist()), np.empty(0)
            r = self.objective.residual(self.point.m)
            self.r = r if isfinite(r @ r) else np.full_like(r, _NOWHERE)
        return self.r

    def jacobian(self, x: Array) -> Array:
        self.residual(x)
        if not self.rows.size:
            rows = self.curve.jacobian(self.point, central=False)
            self.rows = rows * self.objective.slope(self.point.m, self.r)
            if not isfinite(np.vdot(self.rows, self.rows)):
                np.nan_to_num(self.rows, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
        return self.rows


def solve_each(
    curve: Curve,
    objective: Minimized,
    starts: Sequence[Sequence[float] | Array],
    *,
    enough: float = 0.0,
    evaluations: int = 600,
) -> list[Solution]:
    """Return the minima reached from several sets of starting values, as :func:`distinct` does.

    Parameters
    ----------
    curve : Curve
    objective : Objective
    starts : sequence of sequence of float
    enough : float
        A sum of squares below which no further sets are tried.
    evaluations : int
        Largest number of evaluations of the model for each set.
    """
    found: list[Solution | None] = []
    for start in starts:
        one = solve(curve, objective, start, evaluations=evaluations)
        found.append(one)
        if one is not None and one.converged and one.cost < enough:
            break
    return distinct(found)


def distinct(found: Iterable[Solution | None]) -> list[Solution]:
    """Sort solutions, those that converged first and then by cost; equal ones once."""
    kept: list[Solution] = []
    for one in found:
        if one is not None and not any(one.same(other) for other in kept):
            kept.append(one)
    return sorted(kept, key=lambda one: (not one.converged, one.cost))


def covariance(curve: Curve, objective: Minimized, solution: Solution) -> Array:
    """Invert the Fisher information of the free parameters; NaN where it is singular.

    If a parameter has no influence, only its own row is NaN. Where the errors of the samples are
    unknown, their scatter sets the scale.
    """
    rows = curve.jacobian(solution)
    information = (rows * objective.information(solution.m)) @ rows.T
    scale = np.sqrt(information.diagonal())
    unseen = ~(scale > 0)
    scale[unseen] = information[unseen, unseen] = 1.0
    try:
        inverse = np.linalg.inv(information / (scale[:, None] * scale))
    except np.linalg.LinAlgError:
        return np.full_like(information, np.nan)
    # The diagonal says how nearly the other parameters can stand in for one.
    if not all(0 < one < 1e12 for one in inverse.diagonal().tolist()):
        return np.full_like(information, np.nan)
    unit = solution.stretch / scale
    unit[unseen] = np.nan
    found: Array = inverse * (unit[:, None] * unit)
    return found * objective.variance(solution.cost, solution.x.size)


def background_covariance(
    curve: Curve,
    objective: Minimized,
    solution: Solution,
    errors: Array,
    subtracted: tuple[Array, Array],
) -> Array:
    """Return what a background that was subtracted before adds to the covariance of parameters.

    With ``S`` and ``T`` what parameters move by, where all samples move by the error of the
    background, and by the part of it that their own errors have made: ``S S' - S T' - T S'``, as
    in :func:`sims_analysis.frame.background.common_error`.

    Parameters
    ----------
    curve, objective, solution, errors
        What was fitted, the result, and the covariance of the free parameters.
    subtracted : (ndarray, ndarray)
        Those shifts of the samples, 0 where nothing was subtracted, NaN if they are not known.
    """
    if not subtracted[0].any():
        return np.zeros_like(errors)
    unit = objective.variance(solution.cost, solution.x.size)
    rows = curve.jacobian(solution) / solution.stretch[:, None]
    weights = errors @ rows * objective.information(solution.m) / unit
    s, t = (weights @ by for by in subtracted)
    made: Array = np.outer(s, s) - np.outer(s, t) - np.outer(t, s)
    return made


def poor_errors(
    curve: Curve, objective: Minimized, best: Solution, errors: Array, first: int | None = None
) -> Array:
    """Flag the parameters whose standard error is not a symmetric interval.

    One standard error away, towards the nearer bound and with the other parameters following, the
    sum of squares should rise by 1, as a parabola does; an error is poor if the rise is not that
    within a factor of 2.

    Parameters
    ----------
    curve, objective, best
        What was fitted, and the result.
    errors : ndarray
        Covariance of the free parameters.
    first : int, optional
        Only so many of the parameters are looked at.
    """
    free = best.free
    variance = errors.diagonal()
    known = np.isfinite(variance)
    unit = objective.variance(best.cost, free.size)
    poor = np.zeros(free.size, dtype=bool)
    deviation = np.sqrt(variance)
    together = errors / (deviation[:, None] * deviation)
    pairs = zip((deviation / best.stretch).tolist(), curve.bounds, strict=True)
    narrow = all(width < 0.03 for width, (lower, _) in pairs if not isinf(lower))
    if narrow and np.vdot(together, together) < free.size + 2:
        # All known to a few per cent, and hardly correlated: a parabola.
        return poor
    for i in np.flatnonzero(known[:first]):
        step = np.where(known, errors[i], 0.0) / deviation[i]
        one = curve.parameters[curve.free[i]]
        there = free - step if free[i] - one.lower < one.upper - free[i] else free + step
        risen = (_cost(curve, objective, there) - best.cost) / unit
        if 2 < risen < inf:  # along a valley that bends: one step back to its floor
            floor = _towards(curve, objective, there, np.delete(np.arange(free.size), i))
            risen = min(risen, (_cost(curve, objective, floor) - best.cost) / unit)
        poor[i] = not 0.5 < risen < 2
    return poor


def _cost(curve: Curve, objective: Minimized, free: Array) -> float:
    if not curve.inside(free):
        return inf
    r = objective.residual(curve.values(free))
    cost = float(r @ r)
    return cost if isfinite(cost) else inf


def _towards(curve: Curve, objective: Minimized, free: Array, moved: Array) -> Array:
    """Take one Gauss-Newton step with some of the free parameters."""
    point = curve.at(curve.inward(free).tolist())
    r = objective.residual(point.m)
    rows = (curve.jacobian(point) * objective.slope(point.m, r))[moved]
    if not isfinite(rows.sum()):
        return free
    x = point.x.copy()
    x[moved] -= np.linalg.lstsq(rows.T, r, rcond=None)[0]
    return curve.outward(x.tolist())[0]


def profile_interval(
    curve: Curve, objective: Minimized, found: Sequence[Solution], which: int
) -> tuple[float, float]:
    """Find where the sum of squares, minimized with one parameter held, has risen by one unit.

    Above that of the minimum that is returned; between the two ends lie 68 %.

    Parameters
    ----------
    curve, objective
        What was fitted.
    found : sequence of Solution
        The minima, the one that is returned first: the interval reaches over all that lie inside
        it, also where they are lower.
    which : int
        Place among the free parameters.

    Returns
    -------
    lower, upper : float
        The parameter's bound on a side where the sum does not rise as far.
    """
    lowest = found[0].cost
    unit = objective.variance(lowest, curve.free.size)
    ends = [
        _ends_about(curve, objective, one, which, lowest, unit)
        for one in found
        if one.cost < lowest + unit
    ]
    return min(low for low, _ in ends), max(high for _, high in ends)


def _ends_about(
    curve: Curve, objective: Minimized, best: Solution, which: int, lowest: float, unit: float
) -> tuple[float, float]:
    """Step from a minimum to both sides, until the sum of squares is one `unit` above `lowest`."""
    errors = covariance(curve, objective, best)
    number = int(curve.free[which])
    bounds = curve.parameters[number].lower, curve.parameters[number].upper
    bounded = not isinf(bounds[0])
    here, stretch = float(best.x[which]), best.stretch
    scaled = errors[which] / (stretch * stretch[which])
    reach = float(np.sqrt(scaled[which]))
    slopes = np.nan_to_num(np.delete(scaled, which) / scaled[which], posinf=0.0, neginf=0.0)
    if not isfinite(reach):
        reach, slopes = 0.1 * abs(here) or 1.0, 0.0 * slopes
    reach = min(reach, 2.0) if bounded else reach

    def end(sign: float) -> float:
        """Step to one side: the root of the rise is nearly proportional to the distance."""
        low, high, step = (0.0, 0.0), (inf, inf), reach
        near = 0.0, np.delete(best.x, which)
        for _ in range(20):
            if bounded and abs(here + sign * step) > 40:
                return bounds[sign > 0]
            value = _outward(here + sign * step, *bounds)[0]
            held = replace(curve, held={**curve.held, number: value})
            ahead, _ = held.outward((near[1] + slopes * sign * (step - near[0])).tolist())
            found = solve(held, objective, ahead, tolerance=1e-6)
            risen = inf
            if found is not None:
                risen = float(np.sqrt(max(found.cost - lowest, 0.0) / unit))
                near = step, found.x
            if abs(risen - 1) < 0.01:
                return value
            if risen < 1:
                low = step, risen
            else:
                high = step, risen
            if isinf(high[0]):
                step += reach * min((1 - risen) / max(risen, 0.1), 2.0)
            else:
                part = (1 - low[1]) / (high[1] - low[1])
                step = low[0] + min(max(part, 0.1), 0.9) * (high[0] - low[0])
        if isinf(high[0]):
            return bounds[sign > 0]
        return value

    return end(-1.0), end(1.0)
