"""The last stage of a fit: errors, a verdict, and the numbers of the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np

from sims_analysis.models._derived import derived, room
from sims_analysis.models._engine import Curve, Solution, poor_errors, profile_interval
from sims_analysis.models._minima import Minima, featureless
from sims_analysis.models._objectives import EXACT, Objective
from sims_analysis.models._peaks import not_one_peak
from sims_analysis.models._prepared import Prepared
from sims_analysis.models._residuals import (
    RESIDUALS,
    departs,
    lag_correlation,
    runs_score,
    verdict,
)
from sims_analysis.models._rivals import half_widths
from sims_analysis.models._task import NoFitError, Task
from sims_analysis.models.model import Array

__all__ = ["Judged", "judged"]

_RANDOM = RESIDUALS.index("random")
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
        If a constant does as well, or the maximum of a peak lies outside the window.
    """
    curve, objective, (solution, errors, _) = profile.curve, found.objective, found.among[0]
    known = {**profile.known, **_described(objective, solution)}
    if featureless(objective, solution, profile.c):
        raise NoFitError("featureless", known | {"residuals": 0})
    stderr = _stderr(curve, found)
    status = _status(profile, objective, solution, stderr, task)
    random = known["residuals"] == _RANDOM
    if status not in _OF_THE_DATA and not random and departs(profile.c, solution.m):
        status = "wrong_shape"
    outer = {"peak": (0, profile.z.size - 1), "surface_peak": (profile.z.size - 1,)}
    outside = solution.m.argmax() in outer.get(task.model.shape, ())
    if status in {"truncated", "wrong_shape"} and outside:
        # The maximum itself is outside: its parameters would be an extrapolation.
        raise NoFitError(status, known)
    poor = ~(stderr**2 < 2 * errors.diagonal())
    if not found.exact or poor.any():
        poor |= poor_errors(curve, objective, solution, errors)
    if task.profile:
        known["lower"], known["upper"] = _ends(curve, found, stderr) * profile.scale
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


def _described(objective: Objective, solution: Solution) -> dict[str, float]:
    """Describe the residuals: their size, and whether neighbours are correlated."""
    r, chi_square, scattered, aic = objective.statistics(solution.m, solution.cost, solution.x.size)
    correlation, lag = lag_correlation(r)
    runs = runs_score(r > 0)
    if solution.cost <= EXACT * solution.m.size:
        runs = lag = 0.0
    return {
        "objective_value": solution.cost,
        "reduced_chi_square": chi_square,
        "aic": aic,
        "residual_correlation": correlation,
        "residuals": verdict(runs=runs, lag=lag, chi_square=scattered),
    }


def _stderr(curve: Curve, found: Minima) -> Array:
    """Return the standard errors of the free parameters; NaN where they have none."""
    solution, errors, _ = found.among[0]
    stderr = half_widths(
        np.sqrt([one.errors.diagonal() for one in found.among]),
        np.array([one.solution.free - solution.free for one in found.among]),
        [one.share for one in found.among],
    )
    if not (found.exact and found.objective.known_errors):
        unknown = _without_interval(curve, solution, errors, stderr, edged=found.edged)
        stderr[unknown] = np.nan
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
    curve = profile.curve
    if task.model.shape in ("peak", "surface_peak"):
        background = curve.whole(solution.free)[-1] if task.background != "none" else 0.0
        down = (profile.down[0] or task.model.shape == "surface_peak", profile.down[1])
        noise = objective.noise(profile.c)
        why = not_one_peak(profile.c, solution.m, noise, background, down)
        if why:
            return why
    numbers = (one.tolist() for one in (solution.free, solution.x, stderr))
    for (lower, upper), value, x, error in zip(curve.bounds, *numbers, strict=True):
        near = min(value - lower, upper - value)
        if near < 0.02 * error or (isfinite(near) and abs(x) > 40):
            return "at_bound"
    return "undetermined" if np.isnan(stderr).any() else "ok"


def _ends(curve: Curve, found: Minima, stderr: Array) -> Array:
    """Return the ends of the intervals by the profile of the likelihood, lower ones first."""
    ends = np.full((2, len(curve.parameters)), np.nan)
    solutions = [one.solution for one in found.among]
    for i, number in enumerate(curve.free):
        ends[:, number] = solutions[0].free[i]
        if not found.exact or np.isnan(stderr[i]):
            ends[:, number] = profile_interval(curve, found.objective, solutions, i)
    return ends
