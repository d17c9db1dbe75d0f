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

from sims_analysis.fitting.objectives import SumOfSquares
from sims_analysis.kernels.samples import Array
from sims_analysis.shapes.model import Parameter


@dataclass(frozen=True)
class _Rules:
    """The numbers by which minima and the ends of intervals are found and distinguished."""

    undefined: float = 1e8  # residual where a model has no value: a step there is taken back
    largest: float = 150.0  # exponent of which exp() does not overflow in its fourth power
    step: float = 1e-7  # part of a coordinate for forward differences, while minimizing,
    central: float = 1e-5  # and for central ones
    singular: float = 1e12  # factor by which others multiply a variance that is none
    same_cost: float = 1e-6  # part by which costs of the same minimum differ at most,
    same_coordinates: tuple[float, float] = (0.01, 1e-3)  # part and number of its coordinates,
    same_curves: tuple[float, float] = (1e-4, 1e-12)  # or of its curves
    steps: int = 20  # number of steps in which an end of an interval is searched,
    far: float = 40.0  # coordinate beyond which it is at the bound,
    end: float = 0.01  # difference of the root of the rise from 1 at it, at most,
    tolerance: float = 1e-6  # and of the minima on the way there
    reach: float = 0.1  # first step, as a part of the coordinate, where there is no error,
    longest: float = 2.0  # and at most in a logarithm; number of steps that one grows by, at most
    inner: tuple[float, float] = (0.1, 0.9)  # parts of a bracket between which the next step is
    bound: float = 1e-9  # distance of a start from either of two bounds, in their range,
    lower: float = 1e-30  # and from a lower one


_RULES = _Rules()


@dataclass(eq=False)
class Curve:
    """A model over the depths of one profile: what is free in it, and what is held."""

    parameters: Sequence[Parameter]
    #: Values, and their derivatives if they are known, of all parameters.
    formula: Callable[..., Array]
    derivatives: Callable[..., Array] | None
    #: Parameters that are not free.
    held: Mapping[int, float]

    def __post_init__(self) -> None:
        free = [i for i in range(len(self.parameters)) if i not in self.held]
        #: Indices and bounds of the free parameters.
        self.free = np.array(free, dtype=int)
        self.bounds = [(self.parameters[i].lower, self.parameters[i].upper) for i in free]

    def coordinates(self, p: Sequence[float] | Array) -> Array:
        """Return the coordinates of free parameters."""
        return np.array([_to_coordinate(v, *ends) for v, ends in zip(p, self.bounds, strict=True)])

    def parameters_at(self, x: Sequence[float]) -> tuple[Array, Array]:
        """Return the free parameters at coordinates, and how far they move with these."""
        # Python floats: for so few numbers, arrays would take longer than the model.
        pairs = [_from_coordinate(v, *ends) for v, ends in zip(x, self.bounds, strict=True)]
        p, dp_dx = np.array(pairs).reshape(-1, 2).T
        return p, dp_dx

    def at(self, x: Sequence[float]) -> Point:
        """Evaluate the curve at coordinates."""
        p, dp_dx = self.parameters_at(x)
        return Point(np.array(x), p, dp_dx, self.values(p))

    def at_parameters(self, p: Sequence[float] | Array) -> Point:
        """Evaluate the curve for free parameters."""
        return self.at(self.coordinates(p).tolist())

    def complete(self, p: Array, held: float | None = None) -> Array:
        """Return a number for every parameter: those held have their value, or `held`."""
        if not self.held:
            return p
        every = np.empty(len(self.parameters))
        every[self.free] = p
        every[list(self.held)] = list(self.held.values()) if held is None else held
        return every

    def values(self, p: Array) -> Array:
        """Return the model's values."""
        return self.formula(*self.complete(p))

    def slopes(self, point: Point) -> Array:
        """Return the derivatives of the values with respect to the free parameters, a row each."""
        return self.jacobian(point) / point.dp_dx[:, None]

    def jacobian(self, point: Point, *, central: bool = True) -> Array:
        """Return the derivatives of the values with respect to the coordinates, a row for each."""
        if point.rows is not None:
            return point.rows
        if self.derivatives is not None:
            slopes_of = self.derivatives(*self.complete(point.p))
            if self.held:
                slopes_of = slopes_of[self.free]
            point.rows = slopes_of * point.dp_dx[:, None]
            return point.rows
        rows, x = [], point.x.tolist()

        def m_at(i: int, value: float) -> Array:
            return self.at([*x[:i], value, *x[i + 1 :]]).m

        for i, value in enumerate(x):
            step = (_RULES.central if central else _RULES.step) * max(1.0, abs(value))
            up, down = value + step, value - step if central else value
            rows.append((m_at(i, up) - (m_at(i, down) if central else point.m)) / (up - down))
        slopes = np.array(rows)
        if central:
            point.rows = slopes
        return slopes


def _to_coordinate(value: float, lower: float, upper: float) -> float:
    if isinf(lower):
        return value
    if isinf(upper):
        return log(max(value - lower, _RULES.lower))
    part = min(max((value - lower) / (upper - lower), _RULES.bound), 1 - _RULES.bound)
    return log(part / (1 - part))


def _from_coordinate(x: float, lower: float, upper: float) -> tuple[float, float]:
    """Return the parameter at a coordinate, and its derivative."""
    if isinf(lower):
        return x, 1.0
    x = min(max(x, -_RULES.largest), _RULES.largest)
    if isinf(upper):
        distance = exp(x)
        return lower + distance, distance
    part = 1 / (1 + exp(-x))
    span = upper - lower
    return lower + span * part, span * part * (1 - part)


@dataclass(eq=False)
class Point:
    """A curve evaluated at coordinates."""

    #: Coordinates, the free parameters, and their derivatives with respect to the coordinates.
    x: Array
    p: Array
    dp_dx: Array
    #: Values of the model, and their derivatives once these are known.
    m: Array
    rows: Array | None = field(default=None, kw_only=True)


@dataclass(eq=False)
class Minimum(Point):
    """Where the optimizer stopped."""

    cost: float
    converged: bool
    #: Of the free parameters, once it is known.
    covariance: Array = field(default_factory=lambda: np.empty(0), kw_only=True)
    #: Of the likelihood, where there are several minima.
    share: float = field(default=1.0, kw_only=True)

    def is_same(self, other: Minimum) -> bool:
        """Return whether it is the same minimum, or the same curve under other names."""
        if not isclose(self.cost, other.cost, rel_tol=_RULES.same_cost):
            return False
        close, curves = _RULES.same_coordinates, _RULES.same_curves
        return np.allclose(self.x, other.x, *close) or np.allclose(self.m, other.m, *curves)


def solve(
    curve: Curve,
    objective: SumOfSquares,
    start: Sequence[float] | Array,
    *,
    tolerance: float = 1e-8,
    evaluations: int = 600,
) -> Minimum | None:
    """Minimize the objective from one set of free parameters; None if it has no value there."""
    evaluation = _Evaluation(curve, objective)
    x, ended = curve.coordinates(start), 1
    if x.size:
        x, _, _, _, ended = leastsq(
            evaluation.residual,
            x,
            Dfun=evaluation.jacobian,
            col_deriv=True,
            full_output=True,
            ftol=tolerance,
            xtol=10 * tolerance,
            maxfev=evaluations,
        )
    r = evaluation.residual(x)
    if r[0] == _RULES.undefined:
        return None
    return Minimum(**vars(evaluation.point), cost=float(r @ r), converged=ended in {1, 2, 3, 4})


class _Evaluation:
    """Residuals and Jacobian for the optimizer, which calls both twice; the last ones are kept."""

    def __init__(self, curve: Curve, objective: SumOfSquares) -> None:
        self.curve, self.objective = curve, objective
        self.key = b"nowhere"

    def residual(self, x: Array) -> Array:
        if x.tobytes() != self.key:
            self.key = x.tobytes()
            self.point, self.rows = self.curve.at(x.tolist()), np.empty(0)
            r, self.slope = self.objective.linearized(self.point.m)
            self.r = r if isfinite(r @ r) else np.full_like(r, _RULES.undefined)
        return self.r

    def jacobian(self, x: Array) -> Array:
        self.residual(x)
        if not self.rows.size:
            self.rows = self.curve.jacobian(self.point, central=False) * self.slope
            if not isfinite(np.vdot(self.rows, self.rows)):
                np.nan_to_num(self.rows, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
        return self.rows


def solve_each(
    curve: Curve,
    objective: SumOfSquares,
    starts: Sequence[Sequence[float] | Array],
    *,
    target: float = 0.0,
    evaluations: int = 600,
) -> list[Minimum]:
    """Return the :func:`distinct` minima from several starts, as long as none is below `enough`."""
    minima: list[Minimum | None] = []
    for start in starts:
        minimum = solve(curve, objective, start, evaluations=evaluations)
        minima.append(minimum)
        if minimum is not None and minimum.converged and minimum.cost < target:
            break
    return distinct(minima)


def distinct(solutions: Iterable[Minimum | None]) -> list[Minimum]:
    """Sort solutions, those that converged first and then by cost; equal ones once."""
    minima: list[Minimum] = []
    for minimum in solutions:
        if minimum is not None and not any(minimum.is_same(previous) for previous in minima):
            minima.append(minimum)
    return sorted(minima, key=lambda minimum: (not minimum.converged, minimum.cost))


def covariance(curve: Curve, objective: SumOfSquares, minimum: Minimum) -> Array:
    """Invert the Fisher information of the free parameters; NaN where it is singular.

    If a parameter has no influence, only its own row is NaN.
    """
    rows = curve.jacobian(minimum)
    information = (rows * objective.information(minimum.m)) @ rows.T
    scale = np.sqrt(information.diagonal())
    undetermined = ~(scale > 0)
    scale[undetermined] = information[undetermined, undetermined] = 1.0
    try:
        inverse = np.linalg.inv(information / (scale[:, None] * scale))
    except np.linalg.LinAlgError:
        return np.full_like(information, np.nan)
    # The diagonal says how nearly the other parameters can stand in for one.
    if not all(0 < part < _RULES.singular for part in inverse.diagonal().tolist()):
        return np.full_like(information, np.nan)
    unit = minimum.dp_dx / scale
    unit[undetermined] = np.nan
    result: Array = inverse * (unit[:, None] * unit)
    return result * objective.variance(minimum.cost, minimum.x.size)


def background_covariance(
    curve: Curve, objective: SumOfSquares, minimum: Minimum, subtracted: Iterable[Array]
) -> Array:
    """Return what a background that was subtracted before adds to the covariance of parameters.

    ``S S' - S T' - T S'``, see :func:`sims_analysis.frame.background.common_error`: S and T are
    what parameters move by with all samples, and with the part that their own errors have made.
    """
    shift, by_samples = subtracted
    if not shift.any():
        return np.zeros_like(minimum.covariance)
    unit = objective.variance(minimum.cost, minimum.x.size)
    weights = minimum.covariance @ curve.slopes(minimum) * objective.information(minimum.m) / unit
    s, t = weights @ shift, weights @ by_samples
    result: Array = np.outer(s, s) - np.outer(s, t) - np.outer(t, s)
    return result


def profile_interval(
    curve: Curve, objective: SumOfSquares, minima: Sequence[Minimum], index: int
) -> tuple[float, float]:
    """Return where the sum of squares, with one parameter held, is one unit above its minimum.

    The interval, 68 %, reaches over all minima in it, and to a bound where the sum does not rise.
    """
    lowest = minima[0].cost
    unit = objective.variance(lowest, curve.free.size)
    candidates = [minimum for minimum in minima if minimum.cost < lowest + unit]
    ends = [_ends_about(curve, objective, minimum, index, lowest, unit) for minimum in candidates]
    return min(low for low, _ in ends), max(high for _, high in ends)


def _ends_about(
    curve: Curve, objective: SumOfSquares, best: Minimum, index: int, lowest: float, unit: float
) -> tuple[float, float]:
    """Step both ways from a minimum until the sum of squares is one `unit` above `lowest`."""
    errors = covariance(curve, objective, best)
    number = int(curve.free[index])
    bounds = curve.parameters[number].lower, curve.parameters[number].upper
    bounded = not isinf(bounds[0])
    centre, dp_dx = float(best.x[index]), best.dp_dx
    scaled = errors[index] / (dp_dx * dp_dx[index])
    reach = float(np.sqrt(scaled[index]))
    slopes = np.nan_to_num(np.delete(scaled, index) / scaled[index], posinf=0.0, neginf=0.0)
    if not isfinite(reach):
        reach, slopes = _RULES.reach * abs(centre) or 1.0, 0.0 * slopes
    reach = min(reach, _RULES.longest) if bounded else reach

    def end(sign: float) -> float:
        """Step to one side: the root of the rise is nearly proportional to the distance."""
        low, high, step = (0.0, 0.0), (inf, inf), reach
        near = 0.0, np.delete(best.x, index)
        for _ in range(_RULES.steps):
            if bounded and abs(centre + sign * step) > _RULES.far:
                return bounds[sign > 0]
            value = _from_coordinate(centre + sign * step, *bounds)[0]
            section = replace(curve, held={**curve.held, number: value})
            start, _ = section.parameters_at((near[1] + slopes * sign * (step - near[0])).tolist())
            minimum = solve(section, objective, start, tolerance=_RULES.tolerance)
            rise = inf
            if minimum is not None:
                rise = float(np.sqrt(max(minimum.cost - lowest, 0.0) / unit))
                near = step, minimum.x
            if abs(rise - 1) < _RULES.end:
                return value
            if rise < 1:
                low = step, rise
            else:
                high = step, rise
            if isinf(high[0]):
                step += reach * min((1 - rise) / max(rise, _RULES.inner[0]), _RULES.longest)
            else:
                part = np.clip((1 - low[1]) / (high[1] - low[1]), *_RULES.inner)
                step = low[0] + float(part) * (high[0] - low[0])
        return bounds[sign > 0] if isinf(high[0]) else value

    return end(-1.0), end(1.0)
