"""The last stage of a fit: errors, a verdict, and the numbers of the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, nan, sqrt
from typing import Any

import numpy as np

from sims_analysis.fitting.minima import Minima, half_widths
from sims_analysis.fitting.objectives import Minimized, Objective
from sims_analysis.fitting.optimization import (
    Solution,
    background_covariance,
    poor_errors,
    profile_interval,
)
from sims_analysis.fitting.peaks import not_one_peak
from sims_analysis.fitting.preparation import Prepared
from sims_analysis.fitting.task import WINDOW_DOSE, NoFitError, Task
from sims_analysis.kernels.residuals import (
    RANDOM,
    correlation,
    departure,
    inverted,
    verdict,
)
from sims_analysis.kernels.samples import Array
from sims_analysis.kernels.segments import record_weights
from sims_analysis.shapes.layered_model import LayeredModel, not_these_layers
from sims_analysis.shapes.model import Parameter

__all__ = ["Judged", "derived", "judged", "numbers", "said", "stderr_of"]

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


def judged(
    profile: Prepared, found: Minima[Objective], settings: Mapping[str, float], task: Task
) -> Judged:
    """Say how well the parameters are known, and whether the curve is the profile's.

    Raises
    ------
    NoFitError
        If the maximum of a peak, or a step, lies outside the window.
    """
    stderr = stderr_of(found)
    status, known = said(profile, found, stderr, task)
    solution, errors, _ = found.among[0]
    common = background_covariance(
        found.curve, found.objective, solution, errors, profile.subtracted
    )
    parts = numbers(found, stderr, common, profile.scale, interval=task.profile)
    places = [found.curve.whole(one.solution.free) * profile.scale for one in found.among]
    shares = [one.share for one in found.among]
    n = len(task.model.parameters)
    following = derived(task, settings, places, parts["covariance"][:n, :n], shares)
    return Judged(status, known | parts | following)


def numbers(
    found: Minima[Minimized],
    stderr: Array,
    common: Array,
    scale: Array,
    *,
    interval: bool,
    least: int | None = None,
) -> dict[str, Array]:
    """Return the numbers of all parameters, in the user's units.

    Parameters
    ----------
    found : Minima
    stderr, common : ndarray
        Of the free parameters: their errors by the samples, and the covariance that a background
        adds that was subtracted before.
    scale : ndarray
        What 1 is in the user's units.
    interval : bool
        Whether the ends of the intervals by the profile of the likelihood are wanted.
    least : int, optional
        Only so many parameters are asked for; others, which follow them, take part.
    """
    curve, free, (solution, errors, _) = found.curve, found.curve.free, found.among[0]
    asked = int(np.count_nonzero(free < (scale.size if least is None else least)))
    poor = ~(stderr**2 < 2 * errors.diagonal())
    if not found.exact or poor.any():
        poor |= poor_errors(curve, found.objective, solution, errors, asked)
    stderr = np.sqrt(np.maximum(stderr**2 + common.diagonal(), 0.0))
    unit = scale[free]
    square = np.full((scale.size, scale.size), np.nan)
    square[free[:, None], free] = (errors + common) * unit * unit[:, None]
    parts = {
        "value": curve.whole(solution.free) * scale,
        "stderr": curve.whole(stderr * unit, held=np.nan),
        "poor": curve.whole(poor, held=0),
        "covariance": square,
    }
    if interval:
        solutions = [one.solution for one in found.among]
        ends = np.full((2, scale.size), np.nan)
        for i, number in enumerate(free[:asked]):
            ends[:, number] = solution.free[i]
            if not (found.exact and isfinite(stderr[i])):  # otherwise it is known: a point
                ends[:, number] = profile_interval(curve, found.objective, solutions, i)
        parts["lower"], parts["upper"] = ends * scale
    return parts


def said(
    profile: Prepared, found: Minima[Objective], stderr: Array, task: Task
) -> tuple[str, dict[str, Any]]:
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
    described, wrong = _described(profile, found, task)
    known: dict[str, Any] = {**profile.known, **described}
    status = _status(profile, found, stderr, task)
    if status not in _OF_THE_DATA and wrong:
        status = "wrong_shape"
    if status in {"truncated", "wrong_shape"} and _outside(profile, found, task):
        # The maximum or the step itself is outside: its parameters would be an extrapolation.
        raise NoFitError(status, known)
    if status in ("undetermined", "at_bound"):
        dose, error = known["window_dose"], known["window_dose_stderr"]
        known["curve_status"] = "ok" if error < _KNOWN * abs(dose) else status
    return status, known


def _outside(profile: Prepared, found: Minima[Objective], task: Task) -> bool:
    """Return whether the maximum of a peak, one of several, or a step lies outside the window."""
    model, solution = task.model, found.among[0].solution
    at = [i for i, one in enumerate(model.names) if model.shape == "step" and one == "position"]
    if isinstance(model, LayeredModel):
        at = model.at
    if at:
        where = found.curve.whole(solution.free)[at]
        return bool(where.min() < profile.z[0] or where.max() > profile.z[-1])
    outer = {"peak": (0, profile.z.size - 1), "surface_peak": (profile.z.size - 1,)}
    return solution.m.argmax() in outer.get(model.shape, ())


def _described(
    profile: Prepared, found: Minima[Objective], task: Task
) -> tuple[dict[str, float], bool]:
    """Describe the curve and its residuals; also return whether it has another shape."""
    objective, solution = found.objective, found.among[0].solution
    told = objective.statistics(solution.m, solution.cost, solution.x.size)
    rows = found.curve.jacobian(solution) * np.sqrt(objective.information(solution.m))
    away = departure(profile.c, solution.m, told.r)
    code, wrong = RANDOM, False
    if not found.exact:
        m = solution.m[told.of]
        code, wrong = verdict(told.r, rows[:, told.of], told.test.chance, m, away.largest)
    dose, error = _window_dose(profile, found, rows, task)
    return {
        "objective_value": solution.cost,
        "reduced_chi_square": told.test.reduced,
        "aic": told.aic,
        "residuals": code,
        "residual_correlation": correlation(told.r),
        "largest_departure": away.largest,
        "largest_deviation": away.deviations,
        "rms_log_departure": away.logarithmic,
        "window_dose": dose,
        "window_dose_stderr": error,
    }, wrong


def _window_dose(
    profile: Prepared, found: Minima[Objective], rows: Array, task: Task
) -> tuple[float, float]:
    """Return the integral of the curve over the window and its standard error.

    It needs no error of a parameter: directions in which the curve does not change do not count.
    Other minima that are not ruled out add the root mean square of their distances.

    Parameters
    ----------
    rows : ndarray
        Derivatives of the curve over the errors of the samples.
    """
    curve, objective, solution = found.curve, found.objective, found.among[0].solution
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
    slopes /= size
    of_slopes = slopes @ inverted(unit @ unit.T)
    variance = float(of_slopes @ slopes)
    variance *= objective.variance(solution.cost, solution.x.size)
    if profile.subtracted[0].any():
        moved = of_slopes @ (unit * np.sqrt(objective.information(solution.m)))
        shift, own = (float(moved @ by) for by in profile.subtracted)
        variance = max(variance + shift * (shift - 2 * own), 0.0)
    best = dose(solution)
    apart = [(dose(one) - best) ** 2 for one in found.near if one is not solution]
    return best, sqrt(variance + sum(apart) / len(found.near))


def stderr_of(found: Minima[Minimized]) -> Array:
    """Return the standard errors of the free parameters; NaN where they have none."""
    solution, errors, _ = found.among[0]
    stderr = np.sqrt(errors.diagonal())
    if len(found.among) > 1:
        stderr = half_widths(
            np.sqrt([one.errors.diagonal() for one in found.among]),
            np.array([one.solution.free - solution.free for one in found.among]),
            [one.share for one in found.among],
        )
    if found.exact and found.objective.known_errors:
        return stderr
    # None has one that is larger than its room, nor what goes along with such a parameter; nor a
    # shape, where edges of the curve follow the noise.
    parameters = [found.curve.parameters[i] for i in found.curve.free]
    unknown = stderr > room(parameters, solution.free)
    if found.edged:
        unknown |= np.array([not one.scales for one in parameters])
    if unknown.any():
        alone = np.sqrt(errors.diagonal())
        along = np.abs(errors) > 0.9 * alone[:, None] * alone
        unknown |= along[unknown].any(axis=0)
    stderr[unknown] = np.nan
    return stderr


def _status(profile: Prepared, found: Minima[Objective], stderr: Array, task: Task) -> str:
    """Return what the profile and the parameters say, whatever the residuals."""
    curve, solution = found.curve, found.among[0].solution
    noise, values = found.objective.noise(profile.c), curve.whole(solution.free)
    background = values[-1] if task.background != "none" else 0.0
    if isinstance(task.model, LayeredModel):
        c, m = profile.c - background, solution.m - background
        errors = curve.whole(stderr, held=0.0)
        why = not_these_layers(task.model, c, m, noise, values, errors)
        if why:
            return why
    elif task.model.shape in ("peak", "surface_peak"):
        down = (profile.down[0] or task.model.shape == "surface_peak", profile.down[1])
        why = not_one_peak(profile.c, solution.m, noise, background, down)
        if why:
            return why
    elif _outside(profile, found, task):
        return "truncated"
    numbers = (one.tolist() for one in (solution.free, solution.x, stderr))
    for (lower, upper), value, x, error in zip(curve.bounds, *numbers, strict=True):
        near = min(value - lower, upper - value)
        if near < 0.02 * error or (isfinite(near) and abs(x) > 40):
            return "at_bound"
    return "undetermined" if np.isnan(stderr).any() else "ok"


def derived(
    task: Task,
    settings: Mapping[str, float],
    places: list[Array],
    covariance: Array,
    shares: list[float],
) -> dict[str, Array]:
    """Return what follows from the parameters, with standard errors from their covariance.

    As of parameters, other minima that give something else widen them, and none is larger than
    its room. The covariance may be that of parameters and options.
    """
    model, derive = task.model, task.model.derive
    if derive is None:
        return {}
    names = [*model.names, *model.options]
    n = len(model.parameters)
    values = [*places[0][:n].tolist(), *(settings[name] for name in model.options)]
    errors = np.zeros((len(values), len(values)))
    errors[: len(covariance), : len(covariance)] = covariance
    for own, name in enumerate(names[n:], start=n):
        error = settings.get(f"{name}_stderr", nan)
        errors[own, own] += error**2 if isfinite(error) else 0.0

    def of(point: list[float]) -> Array:
        given = dict(zip(names, point, strict=True))
        return np.array(derive(given, given))

    best = of(values)
    slopes = np.zeros((len(values), best.size))
    for i, variance in enumerate(errors.diagonal().tolist()):
        if variance == 0 or names[i] in task.fixed:
            continue
        size = sqrt(variance) if isfinite(variance) else 0.0
        step = 1e-6 * (max(abs(values[i]), 1e-3 * size) or 1.0)
        slopes[i] = (of([*values[:i], values[i] + step, *values[i + 1 :]]) - best) / step
    both = slopes[:, None] * slopes
    # What does not count in it may be unknown.
    stderr = np.sqrt(np.where(both == 0, 0.0, both * errors[..., None]).sum(axis=(0, 1)))
    if len(places) > 1:
        apart = np.array([of([*one[:n].tolist(), *values[n:]]) - best for one in places])
        stderr = half_widths(np.broadcast_to(stderr, apart.shape), apart, shares)
    stderr[stderr > room(model.derived, best)] = np.nan
    return {"derived": best, "derived_stderr": stderr}


def room(parameters: Sequence[Parameter], values: Array) -> Array:
    """Return how far shapes are from their bounds, which an interval cannot pass."""
    return np.array(
        [
            np.inf if one.scales else min(value - one.lower, one.upper - value)
            for one, value in zip(parameters, values.tolist(), strict=True)
        ]
    )
