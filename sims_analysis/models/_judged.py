"""The last stage of a fit: errors, a verdict, and the numbers of the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, sqrt
from typing import Any

import numpy as np

from sims_analysis.kernels.residuals import (
    RANDOM,
    correlation,
    departure,
    inverted,
    verdict,
)
from sims_analysis.kernels.segments import record_weights
from sims_analysis.models._derived import derived, room
from sims_analysis.models._engine import (
    Curve,
    Solution,
    background_covariance,
    poor_errors,
    profile_interval,
)
from sims_analysis.models._layers import LayeredModel, not_these_layers
from sims_analysis.models._minima import Minima, featureless
from sims_analysis.models._objectives import Minimized, Objective
from sims_analysis.models._peaks import not_one_peak
from sims_analysis.models._prepared import Prepared
from sims_analysis.models._rivals import Minimum, half_widths
from sims_analysis.models._task import WINDOW_DOSE, NoFitError, Task
from sims_analysis.models.model import Array

__all__ = ["Judged", "ends", "judged", "said", "stderr_of"]

#: A curve whose integral is known to this part is known, even if its parameters are not.
_KNOWN = 0.1
#: Statuses that say something of the profile, whatever the model.
_OF_THE_DATA = ("several_peaks", "truncated")


@dataclass(frozen=True, eq=False)
class Judged:
    """The answer for one profile.

    Parameters
    ----------
    status : str
        In one word; see :func:`sims_analysis.fit`.
    parts : mapping
        Numbers by the names of the parts of a row, in the user's units.
    """

    status: str
    parts: Mapping[str, Any]


def judged(profile: Prepared, found: Minima, settings: Mapping[str, float], task: Task) -> Judged:
    """Say how well the parameters are known, and whether the curve is the profile's.

    Raises
    ------
    NoFitError
        If a constant does as well, or the maximum of a peak, or a step, lies outside the window.
    """
    curve, objective, (solution, errors, _) = profile.curve, found.objective, found.among[0]
    stderr = stderr_of(
        curve, found.among, exact=found.exact and objective.known_errors, edged=found.edged
    )
    status, known = said(profile, found, stderr, task)
    poor = ~(stderr**2 < 2 * errors.diagonal())
    if not found.exact or poor.any():
        poor |= poor_errors(curve, objective, solution, errors)
    extra = background_covariance(curve, objective, solution, errors, profile.subtracted)
    errors = errors + extra
    stderr = np.sqrt(np.maximum(stderr**2 + extra.diagonal(), 0.0))
    if task.profile:
        exact = np.isfinite(stderr) & found.exact
        known["lower"], known["upper"] = ends(curve, objective, found.among, exact) * profile.scale
    unit = profile.scale[curve.free]
    square = np.full((profile.scale.size, profile.scale.size), np.nan)
    square[curve.free[:, None], curve.free] = errors * unit * unit[:, None]
    places = [curve.whole(one.solution.free) * profile.scale for one in found.among]
    known |= {
        "value": places[0],
        "stderr": curve.whole(stderr * unit, held=np.nan),
        "poor": curve.whole(poor, held=0),
        "covariance": square.ravel(),
    }
    shares = [one.share for one in found.among]
    return Judged(status, known | derived(task, settings, places, square, shares))


def said(profile: Prepared, found: Minima, stderr: Array, task: Task) -> tuple[str, dict[str, Any]]:
    """Return the status of a curve, and what its residuals say.

    Parameters
    ----------
    profile, found, task
    stderr : ndarray
        Of the free parameters; NaN where they have none.

    Raises
    ------
    NoFitError
        As :func:`judged`.
    """
    objective, solution = found.objective, found.among[0].solution
    if featureless(objective, solution, profile.c):
        raise NoFitError("featureless", profile.known)
    described, wrong = _described(profile, found, task)
    known: dict[str, Any] = {**profile.known, **described}
    status = _status(profile, objective, solution, stderr, task)
    if status not in _OF_THE_DATA and wrong:
        status = "wrong_shape"
    if status in {"truncated", "wrong_shape"} and _outside(profile, solution, task):
        # The maximum or the step itself is outside: its parameters would be an extrapolation.
        raise NoFitError(status, known)
    if status in ("undetermined", "at_bound"):
        dose, error = known["window_dose"], known["window_dose_stderr"]
        known["curve_status"] = "ok" if error < _KNOWN * abs(dose) else status
    return status, known


def _outside(profile: Prepared, solution: Solution, task: Task) -> bool:
    """Return whether the maximum of a peak, one of several, or a step lies outside the window."""
    model = task.model
    at = [i for i, one in enumerate(model.names) if model.shape == "step" and one == "position"]
    if isinstance(model, LayeredModel):
        at = model.at
    if at:
        where = profile.curve.whole(solution.free)[at]
        return bool(where.min() < profile.z[0] or where.max() > profile.z[-1])
    outer = {"peak": (0, profile.z.size - 1), "surface_peak": (profile.z.size - 1,)}
    return solution.m.argmax() in outer.get(model.shape, ())


def _described(profile: Prepared, found: Minima, task: Task) -> tuple[dict[str, float], bool]:
    """Describe the curve and its residuals; also return whether it has another shape."""
    objective, solution = found.objective, found.among[0].solution
    told = objective.statistics(solution.m, solution.cost, solution.x.size)
    rows = profile.curve.jacobian(solution) * np.sqrt(objective.information(solution.m))
    away = departure(profile.c, solution.m, told.r)
    code, wrong = RANDOM, False
    if not found.exact:
        m = solution.m[told.of]
        code, wrong = verdict(told.r, rows[:, told.of], told.chance, m, away.largest)
    dose, error = _window_dose(profile, found, rows, task)
    return {
        "objective_value": solution.cost,
        "reduced_chi_square": told.reduced,
        "aic": told.aic,
        "residuals": code,
        "residual_correlation": correlation(told.r),
        "largest_departure": away.largest,
        "largest_deviation": away.deviations,
        "rms_log_departure": away.logarithmic,
        "window_dose": dose,
        "window_dose_stderr": error,
    }, wrong


def _window_dose(profile: Prepared, found: Minima, rows: Array, task: Task) -> tuple[float, float]:
    """Return the integral of the curve over the window and its standard error.

    It needs no error of a parameter: directions in which the curve does not change do not count.
    Other minima that are not ruled out add the root mean square of their distances.

    Parameters
    ----------
    rows : ndarray
        Derivatives of the curve over the errors of the samples.
    """
    curve, objective, solution = profile.curve, found.objective, found.among[0].solution
    factor = profile.top * WINDOW_DOSE.factor(task.kind, task.axis)
    weight = record_weights(profile.z) * factor

    def dose(one: Solution) -> float:
        level = curve.whole(one.free)[-1] if task.background != "none" else 0.0
        return float(weight @ (one.m - level))

    slopes = curve.jacobian(solution) @ weight
    if task.background == "fit":
        slopes[-1] = 0.0
    size = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    size[size == 0] = 1.0
    unit = rows / size[:, None]
    inverse = inverted(unit @ unit.T)
    variance = float(slopes / size @ inverse @ (slopes / size))
    variance *= objective.variance(solution.cost, solution.x.size)
    if profile.subtracted[0].any():
        moved = slopes / size @ inverse @ (unit * np.sqrt(objective.information(solution.m)))
        shift, own = (float(moved @ by) for by in profile.subtracted)
        variance = max(variance + shift * (shift - 2 * own), 0.0)
    best = dose(solution)
    apart = [(dose(one) - best) ** 2 for one in found.near if one is not solution]
    return best, sqrt(variance + sum(apart) / len(found.near))


def stderr_of(
    curve: Curve, among: Sequence[Minimum], *, exact: bool = False, edged: bool = False
) -> Array:
    """Return the standard errors of the free parameters; NaN where they have none."""
    solution, errors, _ = among[0]
    stderr = half_widths(
        np.sqrt([one.errors.diagonal() for one in among]),
        np.array([one.solution.free - solution.free for one in among]),
        [one.share for one in among],
    )
    if not exact:
        stderr[_without_interval(curve, solution, errors, stderr, edged=edged)] = np.nan
    return stderr


def _without_interval(
    curve: Curve, solution: Solution, errors: Array, stderr: Array, *, edged: bool
) -> Array:
    """Flag parameters whose error is larger than their room, with what goes along with them.

    And all shapes, where edges of the curve leave them without errors.
    """
    parameters = [curve.parameters[i] for i in curve.free]
    unknown: Array = stderr > room(parameters, solution.free)
    if edged:
        unknown |= np.array([not one.scales for one in parameters])
    if unknown.any():
        alone = np.sqrt(errors.diagonal())
        along = np.abs(errors) > 0.9 * alone[:, None] * alone
        unknown |= along[unknown].any(axis=0)
    return unknown


def _status(
    profile: Prepared, objective: Objective, solution: Solution, stderr: Array, task: Task
) -> str:
    """Return what the profile and the parameters say, whatever the residuals."""
    curve, values = profile.curve, profile.curve.whole(solution.free)
    background = values[-1] if task.background != "none" else 0.0
    if isinstance(task.model, LayeredModel):
        noise, errors = objective.noise(profile.c), curve.whole(stderr, held=0.0)
        c, m = profile.c - background, solution.m - background
        why = not_these_layers(task.model, c, m, noise, values, errors)
        if why:
            return why
    elif task.model.shape in ("peak", "surface_peak"):
        down = (profile.down[0] or task.model.shape == "surface_peak", profile.down[1])
        noise = objective.noise(profile.c)
        why = not_one_peak(profile.c, solution.m, noise, background, down)
        if why:
            return why
    elif _outside(profile, solution, task):
        return "truncated"
    numbers = (one.tolist() for one in (solution.free, solution.x, stderr))
    for (lower, upper), value, x, error in zip(curve.bounds, *numbers, strict=True):
        near = min(value - lower, upper - value)
        if near < 0.02 * error or (isfinite(near) and abs(x) > 40):
            return "at_bound"
    return "undetermined" if np.isnan(stderr).any() else "ok"


def ends(curve: Curve, objective: Minimized, among: Sequence[Minimum], known: Array) -> Array:
    """Return the ends of the intervals by the profile of the likelihood, lower ones first.

    Parameters
    ----------
    curve, objective, among
    known : ndarray of bool
        Free parameters that are exact: their interval is a point.
    """
    both = np.full((2, len(curve.parameters)), np.nan)
    solutions = [one.solution for one in among]
    for i, number in enumerate(curve.free):
        both[:, number] = solutions[0].free[i]
        if not known[i]:
            both[:, number] = profile_interval(curve, objective, solutions, i)
    return both
