"""Profiles fitted, each alone or linked with others: prepared, minimized, assessed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import xarray as xr

from sims_analysis.errors import ProfileError
from sims_analysis.fitting.arguments import read_links
from sims_analysis.fitting.assessment import assess
from sims_analysis.fitting.joint_fit import fit_together
from sims_analysis.fitting.minima import minimize
from sims_analysis.fitting.preparation import NoFitError, prepare
from sims_analysis.fitting.request import SCALES, WINDOW_DOSE, FitRequest, scale_powers
from sims_analysis.kernels.maxima import maxima
from sims_analysis.kernels.samples import Array, Samples
from sims_analysis.outcomes import Status
from sims_analysis.shapes.model import Parameter


def fit_each(request: FitRequest, watched: Callable[[list[Any]], Iterable[Any]]) -> xr.Variable:
    """Fit each profile, or each group of those that are linked: a row of numbers for each."""
    size = len(request.labels) * request.fields.size + request.common_fields.size
    return _each(request, fit_group, size, watched=watched)


def _each(
    request: FitRequest, function: Callable[..., Array], size: int, **options: Any
) -> xr.Variable:
    of_one = partial(function, request=replace(request, settings={}, profiles=None))
    return request.frame.each(
        partial(_row, of_one, tuple(request.settings)),
        *request.settings.values(),
        size=size,
        group=request.over,
        ancillary=("common", "overlap", "lower", "upper"),
        **options,
    )


def _row(function: Callable[..., Array], names: tuple[str, ...], *arguments: Any) -> Array:
    columns, numbers = map(np.atleast_2d, arguments[: -len(names)]), arguments[-len(names) :]
    samples = [Samples(*row) for row in zip(*columns, strict=True)]
    settings = [n if isinstance(n, list) else [n] * len(samples) for n in numbers]
    of_each = [dict(zip(names, row, strict=True)) for row in zip(*settings, strict=True)]
    return function(samples, of_each)


def fit_group(
    samples: Sequence[Samples], settings: Sequence[Mapping[str, float]], request: FitRequest
) -> Array:
    """Fit the profiles of a group, with the settings of each: one profile, unless linked."""
    if request.joint:
        results, common = fit_together(samples, settings, request)
    else:
        answer = _fit_alone(samples[0], settings[0], request)
        results, common = _with_scales(answer, settings[0], request)
    rows = []
    for answer in results:  # the status of a curve is that of the fit unless it is another
        curve = answer.get("curve_status", answer["status"])
        codes = {"status": Status[answer["status"].upper()], "curve_status": Status[curve.upper()]}
        rows.append(request.fields.row({**answer, **codes}))
    return np.concatenate([*rows, request.common_fields.row(common)])


def with_layers_counted(request: FitRequest, shared: Any, over: Any, prior: Any) -> FitRequest:
    """Add what profiles have in common (:func:`read_links`), and the most layers that any shows.

    Each alone may have fewer, if Akaike's criterion says so; of linked ones, each must show all.
    """
    if request.frame.lazy:
        raise ProfileError(
            "repeat='auto': the layers of Dask data are not known ahead; give their number, or "
            "data.compute()",
            argument="repeat",
        )
    most = int(_each(request, _count_maxima, 1).max())
    linked = read_links(request.of_layers(max(most, 1)), shared, over, prior)
    return replace(linked, fewer_layers=not linked.joint)


def _count_maxima(
    samples: Sequence[Samples], settings: Sequence[Mapping[str, float]], request: FitRequest
) -> Array:
    with suppress(NoFitError):
        problem = prepare(samples[0], settings[0], request)
        return np.array([len(maxima(problem.c, problem.objective.noise(problem.c)))])
    return np.zeros(1)


def _fit_alone(
    samples: Samples, settings: Mapping[str, float], request: FitRequest
) -> dict[str, Any]:
    """Fit one profile; with as many layers as the samples support, where there may be fewer."""
    if request.fewer_layers:
        return _fit_fewer_layers(samples, settings, request)
    try:
        problem = prepare(samples, settings, request)
        return assess(problem, minimize(problem, request.model), settings, request)
    except NoFitError as end:
        return {**end.known, "status": end.status}


def _fit_fewer_layers(
    samples: Samples, settings: Mapping[str, float], request: FitRequest
) -> dict[str, Any]:
    """Fit as many layers as there are maxima, and fewer as long as Akaike's criterion falls."""
    most = int(_count_maxima([samples], [settings], request.of_layers(1))[0])
    best, *others = [request.of_layers(n) for n in range(max(most, 1), 0, -1)]
    answer = _fit_alone(samples, settings, best)
    for fewer in others:
        other = _fit_alone(samples, settings, fewer)
        if not other.get("aic", np.inf) < answer.get("aic", np.inf):
            break
        best, answer = fewer, other
    return request.from_fewer_layers(best, answer)


def _with_scales(
    answer: dict[str, Any], settings: Mapping[str, float], request: FitRequest
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Widen errors by scales, which samples do not determine, by what is known of these."""
    if not request.scales or "value" not in answer:
        return [answer], {}
    widths = np.array([settings[SCALES[name]] for name in request.scales])

    def shift_by_scales(values: Any, parameters: Sequence[Parameter]) -> Array:
        """Return what one standard deviation of each scale does to values."""
        by: Array = np.reshape(values, (-1, 1)) * scale_powers(parameters, request.scales) * widths
        return by

    def widened(stderr: Any, values: Any, parameters: Sequence[Parameter]) -> Any:
        return np.hypot(stderr, np.linalg.norm(shift_by_scales(values, parameters), axis=1))

    result, value, parameters = dict(answer), answer["value"], request.parameters
    result["stderr"] = widened(answer["stderr"], value, parameters)
    for end, sign in (("lower", -1), ("upper", 1)):
        if end in answer:
            result[end] = value + sign * widened(abs(answer[end] - value), value, parameters)
    if "derived" in answer:
        derived = answer["derived_stderr"], answer["derived"], request.model.derived
        result["derived_stderr"] = widened(*derived)
    dose = answer["window_dose_stderr"], answer["window_dose"], [WINDOW_DOSE]
    result["window_dose_stderr"] = widened(*dose)[0]
    along, square = shift_by_scales(value, parameters), answer["covariance"]
    across = along * widths
    covariance = np.block([[square + along @ along.T, across], [across.T, np.diag(widths**2)]])
    fixed = np.append(np.isnan(square.diagonal()), np.zeros(widths.size, dtype=bool))
    covariance[fixed] = covariance[:, fixed] = np.nan
    ones, absent = np.ones(widths.size), np.full(square.shape[0], np.nan)
    of_scales = {"value": ones, "stderr": widths, "lower": ones - widths, "upper": ones + widths}
    of_scales["pull"] = 0 * ones
    common = {name: np.append(result.get(name, absent), row) for name, row in of_scales.items()}
    return [result], common | {"covariance": covariance, "aic": answer.get("aic", np.nan)}
