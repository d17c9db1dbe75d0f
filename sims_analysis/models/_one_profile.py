"""The fit of one profile: from samples to a row of numbers, the same for numpy and Dask."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from math import isfinite, sqrt
from typing import Any

import numpy as np

from sims_analysis.errors import ProfileError
from sims_analysis.models import _judging as judging
from sims_analysis.models._diagnosis import featureless, not_one_peak, statistics
from sims_analysis.models._engine import (
    Curve,
    Solution,
    distinct,
    minima,
    poor_errors,
    profile_interval,
    solve,
)
from sims_analysis.models._model import Array, Model, Parameter
from sims_analysis.models._objective import EXACT, TINY, LogSquares, Objective, Poisson, Squares
from sims_analysis.models._rivals import half_widths, weighed
from sims_analysis.models._samples import cells, in_order

__all__ = ["BACKGROUND", "STATISTICS", "Task", "fit_one", "formula_of"]

BACKGROUND = Parameter("background", "value", "constant under the profile", lower=0)

#: Statistics of each fit, after its parameters, in the order of the row.
STATISTICS = (
    "status",
    "objective",
    "residuals",
    "objective_value",
    "reduced_chi_square",
    "aic",
    "n_samples",
    "n_left_out",
    "residual_correlation",
    "window_start",
    "window_stop",
)

_RANDOM = judging.RESIDUALS.index("random")
#: Statuses that say something of the profile, whatever the model.
_OF_THE_DATA = ("several_peaks", "truncated")
#: Gauss-Legendre over a cell: a Gaussian's to 1e-6 in its logarithm, and two straggles wide.
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)


@dataclass(frozen=True)
class Task:
    """What to fit to each profile, and how.

    Parameters
    ----------
    model : Model
    kind : str
        Kind of the data's unit.
    weights : str
        ``"auto"``, ``"counts"``, ``"stderr"``, ``"log"`` or ``"none"``.
    cell : str
        ``"point"`` or ``"mean"``.
    background : str
        ``"none"``, ``"fit"`` or ``"stated"``.
    fixed : dict
        Values of parameters that are held, in user's units.
    profile : bool
        Whether to find intervals by the profile of the likelihood.
    """

    model: Model
    kind: str
    weights: str = "auto"
    cell: str = "point"
    background: str = "none"
    fixed: Mapping[str, float] = field(default_factory=dict)
    profile: bool = False

    @cached_property
    def parameters(self) -> list[Parameter]:
        """The model's parameters, and the background."""
        return [*self.model.parameters, *([BACKGROUND] if self.background != "none" else [])]

    @cached_property
    def factors(self) -> Array:
        """Factors from values times nm to the user's units."""
        return np.array([one.factor(self.kind) for one in self.parameters])

    @cached_property
    def places(self) -> dict[str, slice]:
        """The parts of the row of one profile."""
        p, d = len(self.parameters), len(self.model.derived)
        sizes = dict.fromkeys(STATISTICS, 1)
        sizes |= {"value": p, "stderr": p, "lower": p, "upper": p, "poor": p}
        sizes |= {"derived": d, "derived_stderr": d, "covariance": p * p}
        places, at = {}, 0
        for name, size in sizes.items():
            places[name] = slice(at, at + size)
            at += size
        return places

    @property
    def size(self) -> int:
        """Length of that row."""
        return int(self.places["covariance"].stop)

    def row(self, status: str, parts: Mapping[str, Any]) -> Array:
        """Put parts together; NaN where there are none."""
        row = np.full(self.size, np.nan)
        for name, part in parts.items():
            row[self.places[name]] = part
        row[self.places["status"]] = judging.STATUS.index(status)
        return row


@dataclass
class _Samples:
    """The samples of a profile that take part, in units of the largest."""

    z: Array
    c: Array
    s: Array
    k: Array
    top: float
    left_out: int = 0
    #: Whether samples that are not positive were left out at the first and the last depth.
    down: tuple[bool, bool] = (False, False)


def fit_one(
    z: Array, c: Array, s: Array, k: Array, settings: Mapping[str, float], task: Task
) -> Array:
    """Fit one profile.

    Parameters
    ----------
    z, c, s, k : ndarray
        Depths, values, standard errors and counts; NaN where there are none.
    settings : mapping
        ``start``, ``stop``, ``background``, ``detection_limit``, ``time``, ``initial_straggle``
        and ``initial_straggle_stderr``; NaN where they were not given.
    task : Task

    Returns
    -------
    ndarray
        A row, with the parts of :attr:`Task.places`.
    """
    found: dict[str, Any] = {"objective": 0, "residuals": 0, "n_samples": 0, "n_left_out": 0}
    here = in_order(z, c, settings["start"], settings["stop"])
    if not here.size:
        return task.row("no_data", found)
    z, c, s, k = z[here], c[here], s[here], k[here]
    top = float(c.max())
    if not top > 0:
        return task.row("featureless", found | {"n_samples": z.size})
    samples = _Samples(z, c / top, s / top, k, top)
    objective, samples = _objective(samples, task, settings["detection_limit"] / top)
    z, n = samples.z, samples.z.size
    found |= {"n_samples": n, "n_left_out": samples.left_out}
    parameters = _parameters(task, objective)
    scale = np.array([top if one.scales else 1.0 for one in parameters]) * task.factors
    curve = _curve(z, task, parameters, scale, settings["background"])
    if objective is None or n < curve.free.size + 2:
        return task.row("too_few_samples" if n else "no_data", found)
    found |= {"objective": objective.code, "window_start": z[0], "window_stop": z[-1]}
    # Sets that differ only in held parameters are the same.
    sets = [one[curve.free].tolist() for one in _starts(samples, curve, task)]
    starts = list(dict.fromkeys(map(tuple, sets)))
    lowest, objective = _solved(curve, objective, samples, starts)
    lowest = _by_name(curve, objective, task.model, lowest)
    if not (lowest and lowest[0].converged):
        flat = bool(lowest) and featureless(objective, lowest[0], samples.c)
        return task.row("featureless" if flat else "not_converged", found)
    exact = lowest[0].cost <= EXACT * n
    edged = None if exact else _edges(curve, task.model)
    among = weighed(curve, objective, lowest[:1] if exact else lowest, edged)
    solution, errors, _ = among[0]
    free, m = solution.free, solution.m
    found |= statistics(objective, solution)
    if featureless(objective, solution, samples.c):
        return task.row("featureless", found | {"residuals": 0})
    alone = np.sqrt(errors.diagonal())
    stderr = half_widths(
        np.sqrt([one.errors.diagonal() for one in among]),
        np.array([one.solution.free - free for one in among]),
        [one.share for one in among],
    )
    if not (exact and objective.known_errors):
        sharp = edged is not None and edged(solution)
        stderr[_without_interval(curve, solution, errors, stderr, edged=sharp)] = np.nan
    status = _status(curve, solution, stderr, samples, objective, task)
    random = found["residuals"] == _RANDOM
    if status not in _OF_THE_DATA and not random and judging.departs(samples.c, m):
        status = "wrong_shape"
    outer = {"peak": (0, n - 1), "surface_peak": (n - 1,)}.get(task.model.shape, ())
    outside = m.argmax() in outer
    if status in {"truncated", "wrong_shape"} and outside:
        # The maximum itself is outside: its parameters would be an extrapolation.
        return task.row(status, found)

    poor = ~(stderr**2 < 2 * alone**2)
    if not exact or poor.any():
        poor |= poor_errors(curve, objective, solution, errors)
    if task.profile:
        ends = np.full((scale.size, 2), np.nan)
        for i, number in enumerate(curve.free):
            ends[number] = free[i]
            if not exact or np.isnan(stderr[i]):
                ends[number] = profile_interval(
                    curve, objective, [one.solution for one in among], i
                )
        found["lower"], found["upper"] = ends.T * scale
    unit = scale[curve.free]
    square = np.full((scale.size, scale.size), np.nan)
    square[curve.free[:, None], curve.free] = errors * unit * unit[:, None]
    places = [curve.whole(one.solution.free) * scale for one in among]
    found |= {
        "value": places[0],
        "stderr": curve.whole(stderr * unit, held=np.nan),
        "poor": curve.whole(poor, held=0),
        "covariance": square.ravel(),
    }
    found |= _derived(task, settings, places, square, [one.share for one in among])
    return task.row(status, found)


def formula_of(z: Array, model: Model, cell: str) -> tuple[Any, Any]:
    """Return the formula and derivatives of a model at depths, as functions of its parameters."""
    derivatives = model.derivatives
    if cell == "point":
        return partial(model.formula, z), derivatives and partial(derivatives, z)
    below, above = cells(z)
    nodes = (z + 0.5 * (above - below))[:, None] + 0.5 * (above + below)[:, None] * _NODES
    weights = 0.5 * _WEIGHTS

    def mean(*p: float) -> Array:
        value: Array = model.formula(nodes, *p) @ weights
        return value

    if derivatives is None:
        return mean, None
    return mean, lambda *p: derivatives(nodes, *p) @ weights


def _parameters(task: Task, objective: Objective | None) -> list[Parameter]:
    """Let a background be negative where values may be: counts and logarithms are not."""
    if isinstance(objective, Squares):
        return [
            replace(one, lower=-np.inf) if one.name == BACKGROUND.name else one
            for one in task.parameters
        ]
    return list(task.parameters)


def _curve(
    z: Array, task: Task, parameters: list[Parameter], scale: Array, background: float
) -> Curve:
    formula, derivatives = formula_of(z, task.model, task.cell)
    held = {
        i: task.fixed[one.name] / scale[i]
        for i, one in enumerate(parameters)
        if one.name in task.fixed
    }
    if task.background == "none":
        return Curve(parameters, formula, derivatives, held)
    if task.background == "stated":
        held[len(parameters) - 1] = background / scale[-1]
    above = None
    if derivatives is not None:

        def above(*p: float) -> Array:
            return np.vstack([derivatives(*p[:-1]), np.ones((1, z.size))])

    return Curve(parameters, lambda *p: formula(*p[:-1]) + p[-1], above, held)


def _objective(samples: _Samples, task: Task, limit: float) -> tuple[Objective | None, _Samples]:
    """Choose the objective, and leave out samples that it cannot use."""
    counts = samples.k
    if task.kind == "count" and np.isnan(counts).all():
        rounded = np.round(samples.c * samples.top)
        if np.allclose(rounded, samples.c * samples.top, rtol=1e-9, atol=1e-6):
            counts = rounded
    has_counts, has_errors = np.isfinite(counts), np.isfinite(samples.s) & (samples.s > 0)
    weights = task.weights
    if weights == "auto" and has_counts.any():
        weights = "counts"
    elif weights == "auto" and has_errors.any():
        weights = "stderr"
    elif weights == "auto":
        # Of values that scatter about 0, the positive ones alone would lie above the truth.
        weights = "none" if (samples.c < 0).any() and not limit > 0 else "log"
    if weights == "counts":
        kept = _kept(samples, has_counts & (counts >= 0))
        counts = counts[has_counts & (counts >= 0)]
        counts = np.where(counts > TINY, counts, 0.0)
        one = _one_count(kept, counts, 1 / samples.top if task.kind == "count" else np.nan)
        if one is None:
            return None, kept
        offset = one * counts - kept.c
        # Rounding of values, which may have four digits; only below their counts is it harmless.
        rounded = np.where(offset < 0, 1e-3, 1e-9)
        offset[np.abs(offset) < rounded * np.maximum(np.abs(kept.c), one)] = 0.0
        return Poisson(counts, one, offset), kept
    if weights == "stderr":
        kept = _kept(samples, has_errors)
        return Squares(kept.c, kept.s, known_errors=True, code=2), kept
    if weights == "none":
        return Squares(samples.c, None, known_errors=False, code=4), samples
    positive = samples.c > TINY
    if not limit > 0:
        kept = _kept(samples, positive)
        return LogSquares(kept.c, np.zeros(kept.c.size, dtype=bool), 0.3), kept
    censored = samples.c < limit
    return LogSquares(np.where(censored, limit, samples.c), censored, 0.3), samples


def _kept(samples: _Samples, keep: Array) -> _Samples:
    if keep.all():
        return samples
    columns = (samples.z[keep], samples.c[keep], samples.s[keep], samples.k[keep])
    down = [bool(not keep[i] and samples.c[i] <= TINY) for i in (0, -1)]
    return _Samples(*columns, samples.top, int(np.count_nonzero(~keep)), (down[0], down[1]))


def _one_count(samples: _Samples, counts: Array, known: float) -> Array | None:
    """Return the value that one count stands for; between counted samples where none was."""
    if np.isfinite(known):
        return np.full(counts.size, known)
    by_error, by_value = samples.s / np.sqrt(counts), samples.c / counts
    one = np.where(np.isfinite(by_error) & (by_error > 0), by_error, by_value)
    usable = (counts > 0) & np.isfinite(one) & (one > 0)
    if not usable.any():
        return None
    if usable.all():
        return one
    return np.exp(np.interp(samples.z, samples.z[usable], np.log(one[usable])))


def _solved(
    curve: Curve, objective: Objective, samples: _Samples, starts: Sequence[Sequence[float]]
) -> tuple[list[Solution], Objective]:
    """Return the minima that were found, the lowest first."""
    n = samples.z.size
    # Samples without counts, where none are expected either, add nothing to the deviance.
    counted = np.count_nonzero(objective.counts) if isinstance(objective, Poisson) else n

    found = minima(curve, objective, starts, enough=1e-14 * n)
    if not found:
        _refuse_holes(curve, starts[0], samples.z)
        return [], objective
    cost = found[0].cost
    # Residuals far below the stated errors mean smooth data, which a better fit would follow.
    noisy = 0.5 * counted < cost < counted + 3 * sqrt(2 * counted)
    described = cost < 1e-14 * n or (objective.known_errors and noisy)
    if len(starts) > 1 and not described:
        # A model that needs several starts may also need another objective on the way.
        walked = minima(curve, _another(objective, samples), starts, evaluations=60)
        found = distinct([*found, *(solve(curve, objective, one.free) for one in walked[:3])])
    if isinstance(objective, LogSquares) and objective.censored.any():
        for _ in range(2):
            r = objective.residual(found[0].m)[~objective.censored]
            scatter = np.sqrt(r @ r / max(r.size - curve.free.size, 1))
            objective = replace(objective, scatter=max(float(scatter), 1e-3))
            found = distinct([solve(curve, objective, one.free) for one in found])
            if not found:
                break
    return found, objective


def _by_name(
    curve: Curve, objective: Objective, model: Model, found: list[Solution]
) -> list[Solution]:
    """Swap the parts of a model that were found under each other's names."""
    n = len(model.parameters)
    if model.ordered is None or any(i < n for i in curve.held):
        return found
    named: list[Solution | None] = []
    for one in found:
        p = [*model.ordered(one.free[:n].tolist()), *one.free[n:].tolist()]
        named.append(one if p == one.free.tolist() else solve(curve, objective, p))
    return distinct(named)


def _refuse_holes(curve: Curve, start: Sequence[float], z: Array) -> None:
    """Raise for a formula that has a value at some depths only."""
    there = np.isfinite(curve.values(np.array(start)))
    if there.any() and not there.all():
        names = [curve.parameters[i].name for i in curve.free]
        values = ", ".join(f"{n}={v:.4g}" for n, v in zip(names, start, strict=True))
        raise ProfileError(
            f"the model has no value at {z[~there][0]:g} nm, with the starting values {values} (in "
            "units of the largest sample); its formula must give one at every depth, or the "
            "window (start=, stop=) leave out where it does not"
        )


def _another(objective: Objective, samples: _Samples) -> Objective:
    """Weight tails more than squares do, or less than logarithms do."""
    if isinstance(objective, LogSquares):
        return Squares(samples.c, np.sqrt(np.maximum(samples.c, 1e-4)), known_errors=True, code=2)
    low = samples.c < 1e-6
    return LogSquares(np.where(low, 1e-6, samples.c), low, 0.3)


def _starts(samples: _Samples, curve: Curve, task: Task) -> list[Array]:
    """Return sets of starting values for all parameters."""
    z, c = samples.z, samples.c
    background = 0.0
    if task.background == "stated":
        background = curve.held[len(curve.parameters) - 1]
    elif task.background == "fit":
        part = max(2, c.size // 10)
        ends = [float(np.mean(c[-part:]))]
        if task.model.shape == "peak":
            ends.append(float(np.mean(c[:part])))
        background = max(0.9 * min(ends), 1e-9)
    rest = c - background
    largest = max(float(rest.max()), 1e-12)
    scale = np.array([largest if p.scales else 1.0 for p in task.model.parameters])
    sets = []
    for one in task.model.start(z, rest / largest):
        values = np.array(one, np.float64)
        if values.shape != scale.shape:
            raise ProfileError(
                f"the model {task.model.name!r} starts from {one!r}; its start(z, c) must give a "
                f"list of sets, each with {len(scale)} values: {', '.join(task.model.names)}"
            )
        sets.append(values * scale)
    if not sets:
        raise ProfileError(
            f"the model {task.model.name!r} has no starting values: start(z, c) is empty"
        )
    return sets if task.background == "none" else [np.append(one, background) for one in sets]


def _edges(curve: Curve, model: Model) -> Callable[[Solution], bool] | None:
    """Return what tells curves with edges that follow the noise; None where none are looked for."""
    n, irregular = len(model.parameters), model.irregular
    if irregular is None or any(i < n for i in curve.held):
        return None
    return lambda one: irregular(one.free[:n].tolist())


def _without_interval(
    curve: Curve, solution: Solution, errors: Array, stderr: Array, *, edged: bool
) -> Array:
    """Flag parameters whose error is larger than their room, with what goes along with them.

    And all shapes, where edges of the curve leave them without errors.
    """
    parameters = [curve.parameters[i] for i in curve.free]
    unknown: Array = stderr > _room(parameters, solution.free)
    if edged:
        unknown |= np.array([not one.scales for one in parameters])
    if unknown.any():
        alone = np.sqrt(errors.diagonal())
        along = np.abs(errors) > 0.9 * alone[:, None] * alone
        unknown |= along[unknown].any(axis=0)
    return unknown


def _status(
    curve: Curve,
    solution: Solution,
    stderr: Array,
    samples: _Samples,
    objective: Objective,
    task: Task,
) -> str:
    if task.model.shape in ("peak", "surface_peak"):
        background = curve.whole(solution.free)[-1] if task.background != "none" else 0.0
        down = (samples.down[0] or task.model.shape == "surface_peak", samples.down[1])
        why = not_one_peak(objective, solution, samples.c, background, down)
        if why:
            return why
    numbers = (one.tolist() for one in (solution.free, solution.x, stderr))
    for (lower, upper), value, x, error in zip(curve.bounds, *numbers, strict=True):
        near = min(value - lower, upper - value)
        if near < 0.02 * error or (isfinite(near) and abs(x) > 40):
            return "at_bound"
    return "undetermined" if np.isnan(stderr).any() else "ok"


def _derived(
    task: Task,
    settings: Mapping[str, float],
    places: list[Array],
    covariance: Array,
    shares: list[float],
) -> dict[str, Array]:
    """Return what follows from the parameters, with standard errors from their covariance.

    As of parameters, other minima that give something else widen them, and none is larger than
    its room.
    """
    model, derive = task.model, task.model.derive
    if derive is None:
        return {}
    names = [*model.names, *model.options]
    n = len(model.parameters)
    values = [*places[0][:n].tolist(), *(settings[name] for name in model.options)]
    errors = np.zeros((len(values), len(values)))
    errors[:n, :n] = covariance[:n, :n]
    if "initial_straggle" in names and isfinite(settings["initial_straggle_stderr"]):
        own = names.index("initial_straggle")
        errors[own, own] = settings["initial_straggle_stderr"] ** 2

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
    stderr[stderr > _room(model.derived, best)] = np.nan
    return {"derived": best, "derived_stderr": stderr}


def _room(parameters: Sequence[Parameter], values: Array) -> Array:
    """Return how far shapes are from their bounds, which an interval cannot pass."""
    return np.array(
        [
            np.inf if one.scales else min(value - one.lower, one.upper - value)
            for one, value in zip(parameters, values.tolist(), strict=True)
        ]
    )
