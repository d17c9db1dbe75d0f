"""The first stage of a fit: the samples of a profile, and what can be minimized over them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from sims_analysis.errors import ProfileError, about
from sims_analysis.fitting.objectives import TINY, LogSquares, Objective, Poisson, Squares
from sims_analysis.fitting.optimization import Curve
from sims_analysis.fitting.request import BACKGROUND, FitRequest
from sims_analysis.kernels.samples import Array, Cells, Samples, in_order
from sims_analysis.shapes.layered_model import LayeredModel
from sims_analysis.shapes.model import Model, Parameter

#: Gauss-Legendre over a cell: a Gaussian's to 1e-6 in its logarithm, and two straggles wide.
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)


@dataclass(frozen=True)
class _Rules:
    """The numbers by which samples are turned into counts, and a background is started."""

    equal: float = 0.02  # part of values on a grid that show what one count stands for,
    alike: float = 1e-6  # if theirs are the same to this part
    # Part of a straight line, over the counts m of two samples that differ by three standard
    # errors, by which logarithms lie below it at most.
    chance: float = 2.25
    digits: float = 1e-3  # rounding of values that are below their counts, which may have four,
    rounding: float = 1e-9  # and of values that are above them
    ends: int = 10  # number of parts of a profile, at an end of one of which a background begins,
    background: float = 0.9  # and part of its mean that it is


_RULES = _Rules()


class NoFitError(Exception):
    """A profile has no parameters: `status` says why, and `known` what is known all the same."""

    def __init__(self, status: str, known: Mapping[str, Any]) -> None:
        super().__init__(status)
        self.status, self.known = status, known


@dataclass(frozen=True, eq=False)
class FitProblem:
    """A profile that can be fitted, in units of its largest sample."""

    z: Array
    c: Array
    #: The largest sample, in the canonical unit.
    top: float
    #: Of a background that was subtracted before: its standard error at each sample, and the part
    #: of it that the errors of the samples themselves have made.
    subtracted: tuple[Array, Array]
    #: Whether samples that are not positive were left out at the first and the last depth.
    down: tuple[bool, bool]
    objective: Objective
    curve: Curve
    #: What 1 is in the user's units, of each parameter.
    scale: Array
    #: Sets of starting values of the free parameters.
    starts: list[tuple[float, ...]]
    #: What is known before the fit: the objective's code, numbers of samples, the window.
    known: Mapping[str, Any]


def prepare(samples: Samples, settings: Mapping[str, float], request: FitRequest) -> FitProblem:
    """Choose samples, objective, curve and starting values; NoFitError if there can be no fit."""
    facts: dict[str, Any] = {"objective": 0, "residuals": 0, "n_samples": 0, "n_left_out": 0}
    places = in_order(samples.z, samples.c, settings["start"], settings["stop"])
    unknown = request.background == "stated" and np.isnan(settings["background"])
    if unknown or not places.size:
        raise NoFitError("no_data", facts)
    window = samples.where(places)
    top = float(window.c.max())
    if not top > 0:
        raise NoFitError("featureless", facts | {"n_samples": places.size})
    window = replace(window, c=window.c / top, s=window.s / top)
    objective, keep = objective_of(
        window, request, settings["detection_limit"] / top, top, settings["fraction"]
    )
    z, c = window.z[keep], window.c[keep]
    common = window.common[keep] / top
    subtracted = common, common * window.overlap[keep]
    n = z.size
    facts |= {"n_samples": n, "n_left_out": keep.size - n}
    parameters = list(request.parameters)
    if objective is not None and objective.below_zero and request.background != "none":
        # As values may be; counts and logarithms are not.
        parameters[-1] = replace(BACKGROUND, lower=-np.inf)
    scale = np.array([top if p.scales else 1.0 for p in parameters]) * request.factors
    cells = samples.cells(places[keep]) if request.cell == "mean" else None
    curve = _curve(z, cells, request, parameters, scale, settings["background"])
    if objective is None or n * settings["fraction"] < curve.free.size + 2:
        raise NoFitError("too_few_samples" if n else "no_data", facts)
    facts |= {"objective": objective.code, "window_start": z[0], "window_stop": z[-1]}
    first, last = (bool(not keep[i] and window.c[i] <= TINY) for i in (0, -1))
    # Sets that differ only in held parameters are the same.
    sets = [values[curve.free].tolist() for values in _starts(z, c, objective, curve, request)]
    if not sets:
        raise NoFitError("too_few_maxima", facts)
    starts = list(dict.fromkeys(map(tuple, sets)))
    return FitProblem(z, c, top, subtracted, (first, last), objective, curve, scale, starts, facts)


def with_whole_counts(window: Samples, kind: str, top: float) -> Samples:
    """Return samples, in units of `top`, whose values are their counts if all are whole numbers."""
    rounded = np.round(window.c * top)
    uncounted = kind == "count" and np.isnan(window.k).all()
    alike = uncounted and np.allclose(rounded, window.c * top, rtol=1e-9, atol=1e-6)
    return replace(window, k=rounded) if alike else window


def objective_of(
    window: Samples, request: FitRequest, limit: float, top: float, fraction: float
) -> tuple[Objective | None, Array]:
    """Choose the objective, and the samples that it can use; None if nothing says what they are."""
    window = with_whole_counts(window, request.kind, top)
    counts, weights = window.k, request.weights
    counted = np.isfinite(counts)
    if weights == "counts" or (weights == "auto" and counted.any()):
        keep = counted & (counts >= 0)
        count = 1 / top if request.kind == "count" else np.nan
        return poisson_of(window.where(keep), count, fraction), keep
    usable = np.isfinite(window.s) & (window.s > 0)
    everything: Array = np.ones(counts.size, dtype=bool)
    if weights == "auto" and not usable.any():
        # Where values scatter about 0, the positive ones alone would lie above the truth.
        weights = "none" if (window.c < 0).any() and not limit > 0 else "log"
    if weights in ("auto", "stderr"):
        return Squares(window.c[usable], window.s[usable], share=fraction), usable
    if weights == "none":
        return Squares(window.c, None, share=fraction), everything
    if limit > 0:
        low = window.c < limit
        return LogSquares(np.where(low, limit, window.c), low, share=fraction), everything
    keep = window.c > TINY
    c = window.c[keep]
    return LogSquares(c, np.zeros(c.size, dtype=bool), share=fraction), keep


def poisson_of(window: Samples, stated: float, fraction: float) -> Poisson | None:
    """Return the deviance of counts; None if the value of one count is not known."""
    counts = np.where(window.k > TINY, window.k, 0.0)
    per_count = _one_count(window, counts, stated)
    if per_count is None:
        return None
    offset, counted = per_count * counts - window.c, counts > 0
    # Rounding of values, which may have four digits; only below their counts is it harmless.
    rounded = np.where(offset < 0, _RULES.digits, _RULES.rounding)
    offset[np.abs(offset) < rounded * np.maximum(np.abs(window.c), per_count)] = 0.0
    # A value where nothing was counted stands for 0, and what was subtracted is interpolated.
    placeholder = ~counted & (window.c > 0)
    if placeholder.any() and counted.any():
        offset[placeholder] = np.interp(window.z[placeholder], window.z[counted], offset[counted])
    low = offset < 0
    plain = fraction < 1 and not window.common.any()
    if plain:  # nothing was subtracted
        low = counted
    if not low.any():
        return Poisson(counts, per_count, offset, share=fraction)
    # Means of several samples, or values between them, whose errors are less than those of counts.
    by_value = np.divide(window.c, counts, out=per_count.copy(), where=low & counted)
    ratios = np.minimum((per_count / by_value)[counted], 1.0) ** 2
    share = fraction / float(ratios @ counts[counted] / counts.sum())
    offset[low] = 0.0
    if plain and counted.any():
        by_value = _value_per_count(window.z, by_value, counts)
    return Poisson(counts, by_value, offset, share=share)


def _value_per_count(z: Array, per_count: Array, counts: Array) -> Array:
    """Return what one count stands for, by values on a grid between samples and their counts.

    Interpolated logarithms lie below straight lines; where equal neighbours show that one count
    stands for the same everywhere, it does so there, too.
    """
    counted = counts > 0
    shown = per_count[counted]
    most = shown.max()
    if np.mean(shown > (1 - _RULES.alike) * most) >= _RULES.equal:
        shown = np.where((most - shown) * counts[counted] < _RULES.chance * most, most, shown)
    values: Array = np.exp(np.interp(z, z[counted], np.log(shown)))
    return values


def _one_count(window: Samples, counts: Array, stated: float) -> Array | None:
    """Return the value that one count stands for; between counted samples where none was."""
    if np.isfinite(stated):
        return np.full(counts.size, stated)
    by_error, by_value = window.s / np.sqrt(counts), window.c / counts
    per_count = np.where(np.isfinite(by_error) & (by_error > 0), by_error, by_value)
    usable = (counts > 0) & np.isfinite(per_count) & (per_count > 0)
    if not usable.any():
        return None
    if usable.all():
        return per_count
    return np.exp(np.interp(window.z, window.z[usable], np.log(per_count[usable])))


def formula_of(z: Array, model: Model, cells: Cells | None = None) -> tuple[Any, Any]:
    """Return formula and derivatives of a model at depths, or in the mean over `cells`."""
    derivatives = model.derivatives
    if cells is None:
        return partial(model.formula, z), derivatives and partial(derivatives, z)
    below, above = cells
    nodes = (z + 0.5 * (above - below))[:, None] + 0.5 * (above + below)[:, None] * _NODES
    weights = 0.5 * _WEIGHTS

    def mean(*p: float) -> Array:
        value: Array = model.formula(nodes, *p) @ weights
        return value

    return mean, derivatives and (lambda *p: derivatives(nodes, *p) @ weights)


def _curve(
    z: Array,
    cells: Cells | None,
    request: FitRequest,
    parameters: list[Parameter],
    scale: Array,
    background: float,
) -> Curve:
    formula, derivatives = formula_of(z, request.model, cells)
    fixed = {
        i: request.fixed[parameter.name] / scale[i]
        for i, parameter in enumerate(parameters)
        if parameter.name in request.fixed
    }
    if request.background == "none":
        return Curve(parameters, formula, derivatives, fixed)
    if request.background == "stated":
        fixed[len(parameters) - 1] = background / scale[-1]
    above = None
    if derivatives is not None:

        def above(*p: float) -> Array:
            return np.vstack([derivatives(*p[:-1]), np.ones((1, z.size))])

    return Curve(parameters, lambda *p: formula(*p[:-1]) + p[-1], above, fixed)


def _starts(
    z: Array, c: Array, objective: Objective, curve: Curve, request: FitRequest
) -> list[Array]:
    """Return sets of starting values, the background last; none if too few layers are seen."""
    background = 0.0
    if request.background == "stated":
        background = curve.held[len(curve.parameters) - 1]
    elif request.background == "fit":
        part = max(2, c.size // _RULES.ends)
        ends = [float(np.mean(c[-part:]))]
        if request.model.shape == "peak":
            ends.append(float(np.mean(c[:part])))
        background = max(_RULES.background * min(ends), 1e-9)
    above_background = c - background
    largest = max(float(above_background.max()), 1e-12)
    scale = np.array([largest if p.scales else 1.0 for p in request.model.parameters])
    if isinstance(request.model, LayeredModel):
        sets = request.model.starts(z, above_background / largest, objective.noise(c) / largest)
    else:
        sets = _sets(request.model, z, above_background / largest)
    return [np.append(values * scale, background) for values in sets]


@about(argument="model")
def _sets(model: Model, z: Array, c: Array) -> list[Array]:
    sets = []
    for stated in model.start(z, c):
        values = np.array(stated, np.float64)
        if values.shape != (len(model.parameters),):
            raise ProfileError(
                f"the model {model.name!r} starts from {stated!r}; its start(z, c) must give a "
                f"list of sets, each with {len(model.parameters)} values: {', '.join(model.names)}"
            )
        sets.append(values)
    if not sets:
        raise ProfileError(f"the model {model.name!r} has no starting values: start(z, c) is empty")
    return sets
