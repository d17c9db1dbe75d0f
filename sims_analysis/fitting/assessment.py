"""The last stage of a fit: errors, a status, and the numbers of the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, isnan, nan, sqrt
from typing import Any

import numpy as np

from sims_analysis.fitting.minima import FitResult, distance_to_bounds, half_widths
from sims_analysis.fitting.objectives import Objective, SumOfSquares
from sims_analysis.fitting.optimization import Minimum, profile_interval
from sims_analysis.fitting.preparation import FitProblem, NoFitError
from sims_analysis.fitting.request import BACKGROUND, WINDOW_DOSE, FitRequest
from sims_analysis.kernels.maxima import not_one_peak
from sims_analysis.kernels.residuals import (
    RANDOM,
    correlation,
    inverted,
    largest_departure,
    verdict,
)
from sims_analysis.kernels.samples import Array
from sims_analysis.kernels.segments import record_weights
from sims_analysis.shapes.layered_model import LayeredModel, not_these_layers

#: Statuses that say something of the profile, whatever the model.
_DATA_STATUSES = ("several_peaks", "truncated")


@dataclass(frozen=True)
class _Rules:
    """The numbers by which a fit is judged."""

    known_dose: float = 0.1  # part of its integral to which a curve is known at least
    bound: float = 0.02  # standard errors from a bound within which a parameter is at it,
    end: float = 1e-6  # and part of the range between two, of one without an error
    step: float = 1e-6  # part of a parameter, or 1e-3 of its error, for derivatives


_RULES = _Rules()


def assess(
    problem: FitProblem,
    result: FitResult[Objective],
    settings: Mapping[str, float],
    request: FitRequest,
) -> dict[str, Any]:
    """Return the values of :attr:`FitRequest.fields` in the user's units; the status in a word."""
    numbers = assess_curve(problem, result, result.stderr, request)
    numbers |= parameter_values(result, problem.scale, intervals=request.intervals)
    points = [result.curve.complete(minimum.p) * problem.scale for minimum in result.minima]
    shares = [minimum.share for minimum in result.minima]
    n = len(request.model.parameters)
    square = numbers["covariance"][:n, :n]
    return numbers | derived_values(request, settings, points, square, shares)


def parameter_values(
    result: FitResult[SumOfSquares], scale: Array, *, intervals: bool, first: int | None = None
) -> dict[str, Array]:
    """Return values, errors, covariance and intervals (of the `first`) in units of `scale`."""
    curve, free, best = result.curve, result.curve.free, result.best
    stderr = np.sqrt(np.maximum(result.stderr**2 + result.background.diagonal(), 0.0))
    unit = scale[free]
    square = np.full((scale.size, scale.size), np.nan)
    square[free[:, None], free] = result.covariance * unit * unit[:, None]
    numbers = {
        "value": curve.complete(best.p) * scale,
        "stderr": curve.complete(stderr * unit, held=np.nan),
        "covariance": square,
    }
    if intervals:
        ends = np.full((2, scale.size), np.nan)
        for i, place in enumerate(free[: np.count_nonzero(free < (first or scale.size))]):
            ends[:, place] = best.p[i]
            if not (result.exact and isfinite(stderr[i])):  # otherwise it is known: a point
                ends[:, place] = profile_interval(curve, result.objective, result.minima, i)
        numbers["lower"], numbers["upper"] = ends * scale
    return numbers


def assess_curve(
    problem: FitProblem, result: FitResult[Objective], stderr: Array, request: FitRequest
) -> dict[str, Any]:
    """Return the status of a curve, by the errors of its free parameters, and its statistics."""
    described, wrong = _statistics(problem, result, request)
    numbers: dict[str, Any] = {**problem.known, **described}
    status = _status(problem, result, stderr, request)
    if status not in _DATA_STATUSES and wrong:
        status = "wrong_shape"
    if status in {*_DATA_STATUSES, "wrong_shape"} and _outside(problem, result, request):
        # The maximum or the step itself is outside: its parameters would be an extrapolation.
        raise NoFitError(status, numbers)
    numbers["status"] = status
    if status in ("undetermined", "at_bound"):
        dose, error = numbers["window_dose"], numbers["window_dose_stderr"]
        numbers["curve_status"] = "ok" if error < _RULES.known_dose * abs(dose) else status
    return numbers


def _outside(problem: FitProblem, result: FitResult[Objective], request: FitRequest) -> bool:
    """Return whether the maximum of a peak, one of several, or a step lies outside the window."""
    model, best = request.model, result.best
    at = [i for i, name in enumerate(model.names) if model.shape == "step" and name == "position"]
    if isinstance(model, LayeredModel):
        at = model.at
    if at:
        where = result.curve.complete(best.p)[at]
        return bool(where.min() < problem.z[0] or where.max() > problem.z[-1])
    outer = {"peak": (0, problem.z.size - 1), "surface_peak": (problem.z.size - 1,)}
    return best.m.argmax() in outer.get(model.shape, ())


def _statistics(
    problem: FitProblem, result: FitResult[Objective], request: FitRequest
) -> tuple[dict[str, float], bool]:
    """Describe the curve and its residuals; also return whether it has another shape."""
    objective, best = result.objective, result.best
    fit = objective.statistics(best.m, best.cost, best.x.size)
    rows = result.curve.jacobian(best) * np.sqrt(objective.information(best.m))
    departure = largest_departure(problem.c, best.m)
    code, wrong = RANDOM, False
    if not result.exact:
        m = best.m[fit.of]
        code, wrong = verdict(fit.r, rows[:, fit.of], fit.test.chance, m, departure)
    dose, error = _window_dose(problem, result, rows, request)
    return {
        "objective_value": best.cost,
        "reduced_chi_square": fit.test.reduced,
        "aic": fit.aic,
        "residuals": code,
        "residual_correlation": correlation(fit.r),
        "largest_departure": departure,
        "window_dose": dose,
        "window_dose_stderr": error,
    }, wrong


def _window_dose(
    problem: FitProblem, result: FitResult[Objective], rows: Array, request: FitRequest
) -> tuple[float, float]:
    """Return the integral of the curve over the window and its standard error.

    Directions in which the curve does not change do not count; other minima add the root mean
    square of their distances.
    """
    curve, objective, best = result.curve, result.objective, result.best
    factor = problem.top * WINDOW_DOSE.factor(request.kind, request.axis)
    weight = record_weights(problem.z) * factor

    def dose(minimum: Minimum) -> float:
        level = curve.complete(minimum.p)[-1] if request.background != "none" else 0.0
        return float(weight @ (minimum.m - level))

    slopes = curve.jacobian(best) @ weight
    if request.background == "fit":
        slopes[-1] = 0.0
    size = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    size[size == 0] = 1.0
    unit = rows / size[:, None]
    slopes /= size
    of_slopes = slopes @ inverted(unit @ unit.T)
    variance = float(of_slopes @ slopes)
    variance *= objective.variance(best.cost, best.x.size)
    if problem.subtracted[0].any():
        moved = of_slopes @ (unit * np.sqrt(objective.information(best.m)))
        shift, by_samples = (float(moved @ by) for by in problem.subtracted)
        variance = max(variance + shift * (shift - 2 * by_samples), 0.0)
    value = dose(best)
    squares = [(dose(minimum) - value) ** 2 for minimum in result.candidates]
    return value, sqrt(variance + sum(squares) / len(squares))


def _status(
    problem: FitProblem, result: FitResult[Objective], stderr: Array, request: FitRequest
) -> str:
    """Return the status by the profile and the parameters, whatever the residuals."""
    curve, best, model = result.curve, result.best, request.model
    noise, values = result.objective.noise(problem.c), curve.complete(best.p)
    background = values[-1] if request.background != "none" else 0.0
    if isinstance(model, LayeredModel):
        c, m = problem.c - background, best.m - background
        errors = curve.complete(stderr, held=0.0)
        why = not_these_layers(model, c, m, noise, values, errors)
        if why:
            return why
    elif model.shape in ("peak", "surface_peak"):
        down = (problem.down[0] or model.shape == "surface_peak", problem.down[1])
        why = not_one_peak(problem.c, best.m, noise, background, down)
        if why:
            return why
    elif _outside(problem, result, request):
        return "truncated"
    if _at_bound(result, stderr):
        return "at_bound"
    return "undetermined" if np.isnan(stderr).any() else "ok"


def _at_bound(result: FitResult[Objective], stderr: Array) -> bool:
    """Return whether a parameter is at its bound; a background may be, where there is none."""
    numbers = zip(result.curve.free, result.best.p.tolist(), stderr.tolist(), strict=True)
    for place, value, error in numbers:
        parameter = result.curve.parameters[place]
        lower, upper = parameter.lower, parameter.upper
        near, span = min(value - lower, upper - value), upper - lower
        # At an end of a range, a shape has no error that could say how near it is.
        unknown = isnan(error) and isfinite(span)
        at = near < (_RULES.end * span if unknown else _RULES.bound * error)
        if at and parameter.name != BACKGROUND.name:
            return True
    return False


def derived_values(
    request: FitRequest,
    settings: Mapping[str, float],
    points: Sequence[Array],
    covariance: Array,
    shares: Sequence[float],
) -> dict[str, Array]:
    """Return what follows from the parameters, with standard errors from their covariance.

    That may be of parameters and options; other minima widen errors, and none exceeds its room.
    """
    model, derive = request.model, request.model.derive
    if derive is None:
        return {}
    names = [*model.names, *model.options]
    n = len(model.parameters)
    values = [*points[0][:n].tolist(), *(settings[name] for name in model.options)]
    errors = np.zeros((len(values), len(values)))
    errors[: len(covariance), : len(covariance)] = covariance
    for place, name in enumerate(names[n:], start=n):
        error = settings.get(f"{name}_stderr", nan)
        errors[place, place] += error**2 if isfinite(error) else 0.0

    def of(point: list[float]) -> Array:
        numbers = dict(zip(names, point, strict=True))
        return np.array(derive(numbers, numbers))

    best = of(values)
    slopes = np.zeros((len(values), best.size))
    for i, variance in enumerate(errors.diagonal().tolist()):
        if variance == 0 or names[i] in request.fixed:
            continue
        size = sqrt(variance) if isfinite(variance) else 0.0
        step = _RULES.step * (max(abs(values[i]), 1e-3 * size) or 1.0)
        slopes[i] = (of([*values[:i], values[i] + step, *values[i + 1 :]]) - best) / step
    products = slopes[:, None] * slopes
    # What does not count in it may be unknown.
    stderr = np.sqrt(np.where(products == 0, 0.0, products * errors[..., None]).sum(axis=(0, 1)))
    if len(points) > 1:
        differences = np.array([of([*q[:n].tolist(), *values[n:]]) - best for q in points])
        stderr = half_widths(np.broadcast_to(stderr, differences.shape), differences, shares)
    stderr[stderr > distance_to_bounds(model.derived, best)] = np.nan
    return {"derived": best, "derived_stderr": stderr}
