"""One profile, one model: the parameters that make an objective smallest, and their errors.

The optimizer walks in coordinates without bounds: the logarithm of a parameter that is positive,
the logit of one between two bounds. Values are in units of the profile's maximum.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import exp, inf, isfinite, isinf, log

import numpy as np
from scipy.optimize import brentq, leastsq

from sims_analysis.models._model import Array, Parameter
from sims_analysis.models._objective import Objective

__all__ = ["Curve", "Solution", "covariance", "profile_interval", "solve"]

#: A residual for parameters that describe nothing: the step that led there is taken back.
_NOWHERE = 1e8
#: Exponents of which the square, and the square of that, are numbers still.
_LARGE = 150.0


@dataclass(frozen=True, eq=False)
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

    @cached_property
    def free(self) -> Array:
        """Numbers of the free parameters."""
        return np.array([i for i in range(len(self.parameters)) if i not in self.held], dtype=int)

    @cached_property
    def _bounds(self) -> list[tuple[float, float]]:
        return [(self.parameters[i].lower, self.parameters[i].upper) for i in self.free]

    def inward(self, values: Sequence[float] | Array) -> Array:
        """Give the coordinates of free parameters."""
        return np.array(
            [_inward(float(v), *ends) for v, ends in zip(values, self._bounds, strict=True)]
        )

    def outward(self, x: Array) -> list[float]:
        """Give the free parameters of coordinates."""
        # Python's floats: of so few numbers, arrays would take longer than the model.
        return [_outward(v, *ends)[0] for v, ends in zip(x.tolist(), self._bounds, strict=True)]

    def stretch(self, x: Array) -> Array:
        """Give the derivatives of free parameters by their coordinates."""
        both = zip(x.tolist(), self._bounds, strict=True)
        return np.array([_outward(v, *ends)[1] for v, ends in both])

    def whole(self, free: Sequence[float]) -> list[float]:
        """Give all parameters."""
        if not self.held:
            return list(free)
        rest = iter(free)
        return [self.held[i] if i in self.held else next(rest) for i in range(len(self.parameters))]

    def values(self, free: Sequence[float]) -> Array:
        """Give the model's values."""
        # Numpy's floats: what Python's would raise an error for gives NaN, or infinity.
        return self.formula(*map(np.float64, self.whole(free)))

    def jacobian(self, x: Array, *, central: bool = False) -> Array:
        """Give the derivatives of the values by the coordinates, a row for each."""
        if self.derivatives is not None:
            rows = self.derivatives(*map(np.float64, self.whole(self.outward(x))))
            if self.held:
                rows = rows[self.free]
            return rows * self.stretch(x)[:, None]
        here = None if central else self.values(self.outward(x))
        rows = np.empty((x.size, 0))
        for i in range(x.size):
            step = (1e-5 if central else 1e-7) * max(1.0, abs(x[i]))
            up, down = x.copy(), x.copy()
            up[i] += step
            down[i] -= step
            above = self.values(self.outward(up))
            below = self.values(self.outward(down)) if here is None else here
            if i == 0:
                rows = np.empty((x.size, *above.shape))
            rows[i] = (above - below) / (up[i] - (down[i] if here is None else x[i]))
        return rows


def _inward(value: float, lower: float, upper: float) -> float:
    if isinf(lower):
        return value
    if isinf(upper):
        return log(max(value - lower, 1e-30))
    part = min(max((value - lower) / (upper - lower), 1e-9), 1 - 1e-9)
    return log(part / (1 - part))


def _outward(x: float, lower: float, upper: float) -> tuple[float, float]:
    """Give the parameter of a coordinate, and its derivative."""
    if isinf(lower):
        return x, 1.0
    x = min(max(x, -_LARGE), _LARGE)
    if isinf(upper):
        grown = exp(x)
        return lower + grown, grown
    part = 1 / (1 + exp(-x))
    span = upper - lower
    return lower + span * part, span * part * (1 - part)


@dataclass(frozen=True)
class Solution:
    """Where the optimizer stopped: coordinates, sum of squares, and whether it had converged."""

    x: Array
    cost: float
    converged: bool


def solve(
    curve: Curve,
    objective: Objective,
    starts: Sequence[Sequence[float] | Array],
    *,
    enough: Callable[[float], bool] = lambda cost: cost < 0.0,
    evaluations: int = 600,
) -> Solution | None:
    """Try each set of free starting values, and keep the best.

    Parameters
    ----------
    curve : Curve
    objective : Objective
    starts : sequence of sequence of float
        Values of the free parameters.
    enough : callable
        Whether a sum of squares is as small as could be asked for: no further sets are tried.
    evaluations : int
        Of the model, that one set may take.

    Returns
    -------
    Solution or None
        None if the model has no values at any of the starts.
    """
    seen: list[tuple[list[float], Array]] = []

    def residual(x: Array) -> Array:
        m = curve.values(curve.outward(x))
        seen[:] = [(x.tolist(), m)]
        r = objective.residual(m)
        return r if isfinite(r @ r) else np.full_like(r, _NOWHERE)

    def jacobian(x: Array) -> Array:
        rows = curve.jacobian(x)
        at, m = seen[0]
        rows *= objective.slope(m if at == x.tolist() else curve.values(curve.outward(x)))
        return rows if isfinite(rows.sum()) else np.nan_to_num(rows, nan=0.0, posinf=0, neginf=0)

    best: Solution | None = None
    with np.errstate(all="ignore"):
        for start in starts:
            x, _, found, _, ended = leastsq(
                residual,
                curve.inward(start),
                Dfun=jacobian,
                col_deriv=True,
                full_output=True,
                ftol=1e-8,
                xtol=1e-7,
                maxfev=evaluations,
            )
            r = found["fvec"]
            if r[0] == _NOWHERE:
                continue
            one = Solution(x, float(r @ r), ended in {1, 2, 3, 4})
            # A tie goes to the first; one that has not converged replaces none that has.
            if best is None or (
                (one.converged, -one.cost) > (best.converged, -best.cost * (1 - 1e-9))
            ):
                best = one
            if best.converged and enough(best.cost):
                break
    return best


def covariance(curve: Curve, objective: Objective, solution: Solution, m: Array) -> Array | None:
    """Invert the Fisher information of the free parameters; None where it is singular.

    Of errors that are not known, the scatter of the samples is the scale.
    """
    with np.errstate(all="ignore"):
        rows = curve.jacobian(solution.x, central=True)
        information = (rows * objective.information(m)) @ rows.T
        scale = np.sqrt(np.diag(information))
        scaled = information / np.outer(scale, scale)
    if not isfinite(scaled.sum()):
        return None
    try:
        inverse = np.linalg.inv(scaled)
    except np.linalg.LinAlgError:
        return None
    # The diagonal is how far the others could do what one parameter does.
    diagonal = np.diag(inverse)
    if not (diagonal > 0).all() or diagonal.max() > 1e12:
        return None
    stretch = curve.stretch(solution.x) / scale
    found: Array = inverse * np.outer(stretch, stretch)
    return found * objective.variance(solution.cost, solution.x.size)


def profile_interval(
    curve: Curve, objective: Objective, solution: Solution, which: int, stderr: float, rise: float
) -> tuple[float, float]:
    """Find where the least sum of squares, at a held parameter, is higher by `rise`.

    Parameters
    ----------
    curve, objective, solution
        What was fitted, and the result.
    which : int
        Place among the free parameters.
    stderr : float
        Its linear standard error: the first guess.
    rise : float
        1 for a 68 % interval, where the errors are known.

    Returns
    -------
    lower, upper : float
        The parameter's bound on a side where the sum does not rise as far.
    """
    best = curve.outward(solution.x)
    number = int(curve.free[which])
    here, parameter = best[which], curve.parameters[number]
    near = [[*best[:which], *best[which + 1 :]]]

    def excess(value: float) -> float:
        held = Curve(
            curve.parameters, curve.formula, curve.derivatives, {**curve.held, number: value}
        )
        if not near[0]:
            r = objective.residual(held.values([]))
            return float(r @ r) - solution.cost - rise
        found = solve(held, objective, near)
        if found is None:
            return _NOWHERE
        # The next value asked for is not far away.
        near[0] = held.outward(found.x)
        return found.cost - solution.cost - rise

    ends = []
    for sign, limit in ((-1.0, parameter.lower), (1.0, parameter.upper)):
        near[0] = [*best[:which], *best[which + 1 :]]
        inner, reach, end = here, stderr, limit if isfinite(limit) else sign * inf
        for _ in range(10):
            outer = inner + sign * reach
            at_limit = (outer - limit) * sign >= 0
            if at_limit:
                outer = limit + (inner - limit) * 1e-4
            if excess(outer) > 0:
                # Without noise, there is nothing between the two but rounding.
                known = excess(inner) < 0
                end = inner
                if known:
                    end = brentq(excess, inner, outer, xtol=1e-3 * stderr, disp=False)
                break
            if at_limit:
                break
            inner, reach = outer, 1.5 * reach
        ends.append(float(end))
    return ends[0], ends[1]
