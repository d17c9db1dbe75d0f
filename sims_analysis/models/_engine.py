"""One profile, one model: the parameters that make an objective smallest, and their errors.

The optimizer walks in coordinates without bounds: the logarithm of a parameter that is positive,
the logit of one between two bounds. Values are in units of the profile's maximum.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.optimize import least_squares

from sims_analysis.models._model import Array, Parameter
from sims_analysis.models._objective import Objective

__all__ = ["Curve", "Solution", "covariance", "profile_interval", "solve"]

#: A residual for parameters that describe nothing: the step that led there is taken back.
_NOWHERE = 1e8


@dataclass(frozen=True)
class Curve:
    """A model over the depths of one profile: what is free in it, and what is held.

    Parameters
    ----------
    parameters : sequence of Parameter
        Those of the model, and ``background`` if it is one.
    formula, derivatives : callable
        Values, and their derivatives if they are known, of all parameters.
    held : dict of int to float
        Parameters that are not free.
    """

    parameters: Sequence[Parameter]
    formula: Callable[..., Array]
    derivatives: Callable[..., Array] | None
    held: dict[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        free = [i for i in range(len(self.parameters)) if i not in self.held]
        lower, upper = (
            np.array([getattr(self.parameters[i], end) for i in free]) for end in ("lower", "upper")
        )
        # Computed once: they are asked for at every step.
        object.__setattr__(self, "free", np.array(free, dtype=int))
        object.__setattr__(self, "_log", np.isfinite(lower) & np.isinf(upper))
        object.__setattr__(self, "_logit", np.isfinite(lower) & np.isfinite(upper))
        object.__setattr__(self, "_lower", lower)
        object.__setattr__(self, "_span", np.where(np.isfinite(upper), upper - lower, 1.0))

    free: Array = field(init=False, repr=False)
    _log: Array = field(init=False, repr=False)
    _logit: Array = field(init=False, repr=False)
    _lower: Array = field(init=False, repr=False)
    _span: Array = field(init=False, repr=False)

    def inward(self, values: Array) -> Array:
        """Give the coordinates of free parameters."""
        x = values.copy()
        log, logit = self._log, self._logit
        x[log] = np.log(np.maximum(values[log] - self._lower[log], 1e-30))
        part = np.clip((values[logit] - self._lower[logit]) / self._span[logit], 1e-9, 1 - 1e-9)
        x[logit] = np.log(part / (1 - part))
        return x

    def outward(self, x: Array) -> Array:
        """Give the free parameters of coordinates."""
        values = x.copy()
        log, logit = self._log, self._logit
        values[log] = self._lower[log] + np.exp(np.clip(x[log], -690, 690))
        if logit.any():
            part = 1 / (1 + np.exp(-np.clip(x[logit], -690, 690)))
            values[logit] = self._lower[logit] + self._span[logit] * part
        return values

    def stretch(self, x: Array) -> Array:
        """Give the derivatives of free parameters by their coordinates."""
        values = np.ones_like(x)
        log, logit = self._log, self._logit
        values[log] = np.exp(np.clip(x[log], -690, 690))
        if logit.any():
            part = 1 / (1 + np.exp(-np.clip(x[logit], -690, 690)))
            values[logit] = self._span[logit] * part * (1 - part)
        return values

    def whole(self, free: Array) -> Array:
        """Give all parameters."""
        values = np.empty(len(self.parameters))
        values[self.free] = free
        for i, value in self.held.items():
            values[i] = value
        return values

    def values(self, free: Array) -> Array:
        """Give the model's values."""
        return self.formula(*self.whole(free))

    def jacobian(self, x: Array, *, central: bool = False) -> Array:
        """Give the derivatives of the values by the coordinates, a row for each."""
        if self.derivatives is not None:
            rows = self.derivatives(*self.whole(self.outward(x)))
            if len(self.free) < len(self.parameters):
                rows = rows[self.free]
            return rows * self.stretch(x)[:, None]
        here = None if central else self.values(self.outward(x))
        rows = []
        for i in range(x.size):
            step = (1e-5 if central else 1e-7) * max(1.0, abs(x[i]))
            up, down = x.copy(), x.copy()
            up[i] += step
            down[i] -= step
            above = self.values(self.outward(up))
            below = self.values(self.outward(down)) if here is None else here
            rows.append((above - below) / (up[i] - (down[i] if here is None else x[i])))
        return np.stack(rows)


@dataclass(frozen=True)
class Solution:
    """Where the optimizer stopped: coordinates, sum of squares, and whether it had converged."""

    x: Array
    cost: float
    converged: bool


def solve(
    curve: Curve,
    objective: Objective,
    starts: Sequence[Array],
    *,
    enough: Callable[[float], bool] = lambda cost: cost < 0.0,
    evaluations: int = 600,
) -> Solution | None:
    """Try each set of free starting values, and keep the best.

    Parameters
    ----------
    curve : Curve
    objective : Objective
    starts : sequence of array
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

    def residual(x: Array) -> Array:
        m = curve.values(curve.outward(x))
        r = objective.residual(m)
        return r if np.isfinite(r @ r) else np.full_like(m, _NOWHERE)

    def jacobian(x: Array) -> Array:
        m = curve.values(curve.outward(x))
        rows = (curve.jacobian(x) * objective.slope(m)).T
        return rows if np.isfinite(rows.sum()) else np.nan_to_num(rows, nan=0.0, posinf=0, neginf=0)

    best: Solution | None = None
    for start in starts:
        x = curve.inward(np.asarray(start, dtype=np.float64))
        first = residual(x)
        if first[0] == _NOWHERE:
            continue
        with np.errstate(all="ignore"):
            found = _optimum(residual, jacobian, x, evaluations)
        one = Solution(found.x, 2 * float(found.cost), found.status > 0)
        # A tie goes to the first; one that has not converged never replaces one that has.
        better = best is None or (
            (one.converged, -one.cost) > (best.converged, -best.cost * (1 - 1e-9))
        )
        if better:
            best = one
        if best is not None and best.converged and enough(best.cost):
            break
    return best


def _optimum(residual: Any, jacobian: Any, x: Array, evaluations: int) -> Any:
    return least_squares(
        residual,
        x,
        jac=jacobian,
        method="lm",
        x_scale="jac",
        ftol=1e-12,
        xtol=1e-11,
        gtol=1e-14,
        max_nfev=evaluations,
    )


def covariance(curve: Curve, objective: Objective, solution: Solution) -> Array | None:
    """Invert the Fisher information of the free parameters; None where it is singular.

    Of errors that are not known, the scatter of the samples is the scale.
    """
    m = curve.values(curve.outward(solution.x))
    with np.errstate(all="ignore"):
        rows = curve.jacobian(solution.x, central=True)
        information = (rows * objective.information(m)) @ rows.T
    if not np.isfinite(information).all():
        return None
    scale = np.sqrt(np.diag(information))
    if not (scale > 0).all():
        return None
    scaled = information / np.outer(scale, scale)
    if np.linalg.cond(scaled) > 1e13:
        return None
    stretch = curve.stretch(solution.x) / scale
    found: Array = np.linalg.inv(scaled) * np.outer(stretch, stretch)
    if not objective.known_errors:
        found = found * solution.cost / max(m.size - solution.x.size, 1)
    return found


def profile_interval(
    curve: Curve, objective: Objective, solution: Solution, which: int, stderr: float, rise: float
) -> tuple[float, float]:
    """Find where the least sum of squares, at a held parameter, is higher by `rise`.

    Parameters
    ----------
    curve, objective, solution
        What was fitted, and the result.
    which : int
        Number of the free parameter.
    stderr : float
        Its linear standard error: the first guess.
    rise : float
        1 for a 68 % interval, where the errors are known.

    Returns
    -------
    lower, upper : float
        NaN on a side where the sum does not rise as far.
    """
    best = curve.outward(solution.x)
    number = int(curve.free[which])
    others = np.delete(best, which)
    parameter = curve.parameters[number]

    def excess(value: float) -> float:
        held = Curve(
            curve.parameters, curve.formula, curve.derivatives, {**curve.held, number: value}
        )
        if not held.free.size:
            r = objective.residual(held.values(np.empty(0)))
            return float(r @ r) - solution.cost - rise
        found = solve(held, objective, [others])
        return _NOWHERE if found is None else found.cost - solution.cost - rise

    ends = []
    for sign in (-1.0, 1.0):
        inner, outer, reach = float(best[which]), float(best[which]), stderr
        limit = parameter.lower if sign < 0 else parameter.upper
        end = np.nan
        for _ in range(12):
            outer = inner + sign * reach
            if (outer - limit) * sign >= 0:
                outer = limit + (inner - limit) * 1e-3
            if excess(outer) > 0:
                end = _crossing(excess, inner, outer)
                break
            if abs(outer - limit) < 1e-6 * stderr:
                break
            inner, reach = outer, 1.5 * reach
        ends.append(end)
    return ends[0], ends[1]


def _crossing(excess: Callable[[float], float], inner: float, outer: float) -> float:
    from scipy.optimize import brentq

    return float(brentq(excess, inner, outer, xtol=1e-4 * abs(outer - inner), rtol=1e-12))
