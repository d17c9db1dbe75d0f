"""Several profiles at once, with what they share and what is known before.

All profiles together are one curve, the parameters of all its parameters, and one objective: the
sum of theirs and of the squares of what was known before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from sims_analysis.fitting.assessment import assess_curve, derived_values, parameter_values
from sims_analysis.fitting.diffused_profile import Initial, Shape, annealed, with_initial
from sims_analysis.fitting.minima import (
    FitResult,
    by_likelihood,
    featureless,
    minimize,
    plausible_minima,
)
from sims_analysis.fitting.objectives import EXACT, LEAST_COST, Objective, Squares, SumOfSquares
from sims_analysis.fitting.optimization import (
    Curve,
    Minimum,
    background_covariance,
    distinct,
    solve,
)
from sims_analysis.fitting.preparation import NoFitError, prepare
from sims_analysis.fitting.request import (
    PARAMETER_NUMBERS,
    SCALE_PARAMETERS,
    SCALES,
    WINDOW_DOSE,
    FitRequest,
    scale_powers,
)
from sims_analysis.kernels.samples import Array, Samples
from sims_analysis.kernels.segments import record_weights
from sims_analysis.shapes.model import Model, Parameter


def fit_together(
    samples: Sequence[Samples], settings: Sequence[Mapping[str, float]], request: FitRequest
) -> tuple[list[dict[str, Any]], Mapping[str, Any]]:
    """Fit profiles together: the answer of each, and the numbers that all have in common."""
    answers: dict[int, dict[str, Any]] = {}
    profiles: list[_LinkedProfile] = []
    for i, (sample, setting) in enumerate(zip(samples, settings, strict=True)):
        try:
            profiles.append(_LinkedProfile(i, sample, setting, request))
            answers[i] = {**profiles[-1].problem.known, "status": "not_converged"}
        except NoFitError as end:
            answers[i] = {**end.known, "status": end.status}
    group = _Group(profiles, request) if profiles else None
    result = group and group.minimize()
    common: Mapping[str, Any] = {}
    if group and result:
        answers |= {profile.number: group.answer(profile, result) for profile in profiles}
        of_none = {i for i, answer in answers.items() if answer["status"] == "featureless"}
        common = group.common(result, of_none)
    return [answers[i] for i in range(len(samples))], common


class _LinkedProfile:
    """A profile among others: what it is alone, and how all parameters describe it.

    Apparent parameters, which describe the samples, are true ones over powers of the scales; one
    may be restated, such as a straggle by a diffusivity.
    """

    def __init__(
        self, number: int, samples: Samples, settings: Mapping[str, float], request: FitRequest
    ) -> None:
        self.number, self.request = number, request
        single, self.settings, self.initial = with_initial(request, settings)
        self.problem = prepare(samples, self.settings, single)
        self.single_fit: FitResult[Objective] = minimize(self.problem, single.model)
        self.objective, self.z = self.single_fit.objective, self.problem.z
        # All free: the curve of all profiles knows which are held.
        self.curve = replace(self.problem.curve, held={})
        #: Where the values of a measured profile before the anneal are, if they have errors, and
        #: their depths.
        self.nodes: slice | None = None
        self.depths: Array = np.empty(0)

    def link(self, first: int, scale: Array) -> None:
        """Take the samples from the `first` on, and the parameters of which 1 is `scale`."""
        request, problem = self.request, self.problem
        #: Where its samples are among all.
        self.span = slice(first, first + self.z.size)
        entries = enumerate(request.entries)
        index = {e.name: k for k, e in entries if e.profile in (None, self.number)}
        parameters = request.linked_parameters
        #: Which of all parameters are its own, what 1 is there, and by which powers scales act.
        self.indices = np.array([index[p.name] for p in parameters])
        self.factor = scale[self.indices] / problem.scale
        self.scales = [index[name] for name in request.scales]
        self.powers = scale_powers(parameters, request.scales)
        if request.background == "stated":  # as it was measured
            self.powers[-1] = 0.0
        self.restated: tuple[int, Callable[[float], float]] | None = None
        if request.restated:
            name, function = request.model.restated[request.restated]
            place = request.model.names.index(name)
            self.factor[place] = scale[self.indices[place]]
            self.restated = place, lambda d: function(d, self.settings)

    def apparent(self, theta: Array) -> tuple[Array, Array]:
        """Return the parameters that describe the samples, and their derivatives, a row each."""
        of_scales = theta[self.scales]
        shrink = np.prod(of_scales**-self.powers, axis=1)
        p = theta[self.indices] * self.factor * shrink
        slopes = np.zeros((p.size, theta.size))
        slopes[np.arange(p.size), self.indices] = self.factor * shrink
        slopes[:, self.scales] -= self.powers * (p[:, None] / of_scales)
        if self.restated is not None:
            place, function = self.restated
            d = float(p[place])
            p[place], step = function(d), 1e-5 * d
            slopes[place] *= (function(d + step) - function(d - step)) / (2 * step)
        return p, slopes

    def values(self, p: Array, theta: Array) -> Array:
        """Return the values of the samples."""
        if self.nodes is None:
            return self.curve.formula(*p.tolist())
        level = p[2] if p.size > 2 else 0.0
        value: Array = p[0] * self._shape(p, theta).value + level
        return value

    def rows(self, p: Array, theta: Array) -> tuple[Array, Array]:
        """Return their derivatives with respect to apparent parameters, and to the nodes."""
        if self.nodes is None:
            return self.curve.slopes(self.curve.at_parameters(p)), np.empty(0)
        curve = self._shape(p, theta)
        rows = [curve.value, p[0] * curve.by_width, np.ones(self.z.size)]
        return np.array(rows[: p.size]), p[0] * curve.by_node.T

    def _shape(self, p: Array, theta: Array) -> Shape:
        return annealed(self.z, self.depths, theta[self.nodes], float(p[1]), self.request.surface)

    def start(self, free: Array) -> Array:
        """Return true parameters from the free ones of the profile alone."""
        problem, request = self.problem, self.request
        every = problem.curve.complete(free)
        p: Array = every / self.factor
        if self.restated is None:
            return p
        place, model = self.restated[0], request.model
        values = dict(zip(model.names, (every * problem.scale).tolist(), strict=False))
        j = [parameter.name for parameter in model.derived].index(request.restated)
        value = float(model.derive(values, self.settings)[j]) if model.derive else np.nan
        # A small one if it is 0.
        p[place] = (value if value > 0 else 1e-20) / self.factor[place]
        return p


@dataclass(frozen=True)
class _JointObjective(SumOfSquares):
    """The objectives of several profiles, each over its samples; shares say what is not known."""

    parts: Sequence[tuple[Objective, slice]]

    def linearized(self, m: Array) -> tuple[Array, Array]:
        """Return the residuals of all, and their derivatives."""
        total = np.hstack([objective.linearized(m[span]) for objective, span in self.parts])
        return total[0], total[1]

    def scored(self, m: Array) -> tuple[Array, Array]:
        """Return the derivatives of half of the cost, and their expected curvature."""
        total = np.hstack([objective.scored(m[span]) for objective, span in self.parts])
        return total[0], total[1]


class _Priors(NamedTuple):
    """What is known of parameters before: which, and the mean and width of each."""

    indices: list[int]
    means: Array
    widths: Array


class _Group:
    def __init__(self, profiles: Sequence[_LinkedProfile], request: FitRequest) -> None:
        self.profiles, self.request, self.entries = profiles, request, request.entries
        ranks = {item.name: j for j, item in enumerate(request.linked_parameters)}
        parameters = {item.name: item for item in request.linked_parameters} | SCALE_PARAMETERS
        by_number = {item.number: item for item in profiles}
        #: Whose each parameter is, the first's if all share it; None if the profile takes no part.
        self.owners = [
            profiles[0] if item.profile is None else by_number.get(item.profile)
            for item in self.entries
        ]
        self.parameters: list[Parameter] = []
        self.scale, fixed_values = np.ones(len(self.entries)), {}
        for k, (entry, owner) in enumerate(zip(self.entries, self.owners, strict=True)):
            item = parameters[entry.name]
            if owner is None:
                fixed_values[k] = 1.0
            else:
                stated = {"background": owner.settings["background"]}
                fixed = {**(stated if request.background == "stated" else {}), **request.fixed}
                if entry.name in ranks and entry.name != request.restated:
                    self.scale[k] = owner.problem.scale[ranks[entry.name]]
                    item = owner.problem.curve.parameters[ranks[entry.name]]
                if entry.name in fixed:
                    fixed_values[k] = fixed[entry.name] / self.scale[k]
            self.parameters.append(replace(item, name=entry.label))
        self.end = 0
        for profile in profiles:
            profile.link(self.end, self.scale)
            self.end = profile.span.stop
        self.priors = self._priors()
        self.initials = self._add_initials()
        self.curve = Curve(self.parameters, self._values, self._slopes, fixed_values)

    def _priors(self) -> _Priors:
        priors = []
        for k, (entry, owner) in enumerate(zip(self.entries, self.owners, strict=True)):
            if owner is not None and entry.name in self.request.prior:
                mean, width = self.request.prior[entry.name]
                priors.append((k, mean / self.scale[k], width / self.scale[k]))
            elif owner is not None and entry.name in self.request.scales:
                priors.append((k, 1.0, max(owner.settings[SCALES[entry.name]], 1e-12)))
        indices, means, widths = zip(*priors, strict=True) if priors else ((), (), ())
        return _Priors(list(indices), np.array(means), np.array(widths))

    def _add_initials(self) -> list[tuple[Initial, slice, slice]]:
        """Add the values before an anneal to the parameters: where they are, and their samples."""
        places: dict[int, tuple[Initial, slice, slice]] = {}
        first = len(self.entries)
        for profile in self.profiles:
            initial = profile.initial
            if initial is None or initial.objective is None:
                continue
            if id(initial) not in places:
                n = initial.z.size
                places[id(initial)] = (
                    initial,
                    slice(first, first + n),
                    slice(self.end, self.end + n),
                )
                self.parameters += [
                    Parameter(f"before[{i}]", "value", "", lower=0) for i in range(n)
                ]
                first, self.end = first + n, self.end + n
            profile.nodes, profile.depths = places[id(initial)][1], initial.z
        self.scale = np.append(self.scale, np.ones(first - len(self.entries)))
        return list(places.values())

    def _values(self, *theta: float) -> Array:
        values = np.array(theta)
        parts = [profile.values(profile.apparent(values)[0], values) for profile in self.profiles]
        parts += [values[nodes] for _, nodes, _ in self.initials]
        return np.concatenate([*parts, values[self.priors.indices]])

    def _slopes(self, *theta: float) -> Array:
        values = np.array(theta)
        n_priors = len(self.priors.indices)
        derivatives = np.zeros((values.size, self.end + n_priors))
        for profile in self.profiles:
            p, slopes = profile.apparent(values)
            active = np.flatnonzero(slopes.any(axis=0))
            rows, of_nodes = profile.rows(p, values)
            derivatives[active, profile.span] = slopes[:, active].T @ rows
            if profile.nodes is not None:
                derivatives[profile.nodes, profile.span] = of_nodes
        for _, nodes, span in self.initials:
            derivatives[nodes, span] = np.eye(nodes.stop - nodes.start)
        derivatives[self.priors.indices, np.arange(n_priors) + self.end] = 1.0
        return derivatives

    def _objective(self, variances: Sequence[float]) -> _JointObjective:
        """Return the sum of all; unknown errors are replaced by the variance about the curve."""
        parts: list[tuple[Objective, slice]] = []
        for profile, variance in zip(self.profiles, variances, strict=True):
            weighted = replace(profile.objective, share=profile.objective.share / variance)
            parts.append((weighted, profile.span))
        parts += [(initial.objective, at) for initial, _, at in self.initials if initial.objective]
        indices, means, widths = self.priors
        if indices:
            parts.append((Squares(means, widths), slice(self.end, self.end + len(indices))))
        return _JointObjective(parts)

    def minimize(self) -> FitResult[_JointObjective] | None:
        """Minimize the sum of all; None if no minimum was found."""
        variances = [
            profile.objective.variance(profile.single_fit.best.cost, profile.single_fit.best.p.size)
            for profile in self.profiles
        ]
        objective = self._objective(variances)
        # A sum of squares that chance would make, if all errors are known.
        n = float(sum(profile.objective.informative for profile in self.profiles))
        n += sum(initial.z.size for initial, *_ in self.initials)
        expected = n + 3 * np.sqrt(2 * n) + 9 * len(self.priors.indices)
        solutions: list[Minimum] = []
        for start in self._starts():
            solutions = distinct([*solutions, solve(self.curve, objective, start)])
            if solutions and solutions[0].converged and solutions[0].cost < expected:
                break
        if not (solutions and solutions[0].converged):
            return None
        for _ in range(3):  # scatter about the curve that all share
            previous, variances = variances, self._scatter(solutions[0], variances)
            if np.allclose(previous, variances, rtol=1e-6):
                break
            objective = self._objective(variances)
            solutions = distinct([solve(self.curve, objective, minimum.p) for minimum in solutions])
        candidates = plausible_minima(self.curve, objective, solutions)
        minima = by_likelihood(self.curve, objective, candidates)
        background = np.zeros_like(minima[0].covariance)
        for profile in self.profiles:
            shifts = np.zeros((2, minima[0].m.size))
            shifts[:, profile.span] = profile.problem.subtracted
            background += background_covariance(self.curve, objective, minima[0], shifts)
        return FitResult(self.curve, objective, minima, candidates, background)

    def _scatter(self, best: Minimum, previous: Sequence[float]) -> list[float]:
        """Return the variance of the residuals of each profile about the curve of all."""
        n_own = sum(e.profile == self.profiles[0].number for e in self.entries)
        n_shared = len(self.entries) - n_own * len(self.request.labels)
        size = n_own + n_shared / len(self.profiles)
        variances = []
        for profile, variance in zip(self.profiles, previous, strict=True):
            cost, objective = profile.objective.cost(best.m[profile.span]), profile.objective
            variances.append(variance if objective.known_errors else objective.variance(cost, size))
        return variances

    def _starts(self) -> list[Array]:
        """Return sets of starting values: from the fits of profiles alone, then as these began."""
        starts = [[profile.single_fit.best.p, *profile.problem.starts] for profile in self.profiles]
        return [self._start(values)[self.curve.free] for values in zip(*starts, strict=False)]

    def _start(self, free: Sequence[Any]) -> Array:
        """Return the median of profiles' starting values, and those before their anneal."""
        values: list[list[float]] = [[] for _ in self.entries]
        for item, begin in zip(self.profiles, free, strict=True):
            for k, value in zip(item.indices, item.start(np.array(begin)).tolist(), strict=True):
                values[k].append(value)
        means = dict(zip(self.priors.indices, self.priors.means.tolist(), strict=True))
        start = [np.median(item or [means.get(k, 1.0)]) for k, item in enumerate(values)]
        initial = [np.maximum(item.c, item.c[item.c > 0].min() / 2) for item, *_ in self.initials]
        return np.concatenate([start, *(item / item.max() for item in initial)])

    def common(
        self, result: FitResult[_JointObjective], featureless: AbstractSet[int]
    ) -> Mapping[str, Any]:
        """Return the numbers that all have in common, but of `featureless` profiles alone."""
        n, intervals = len(self.entries), self.request.intervals
        numbers: dict[str, Any] = {}
        numbers |= parameter_values(result, self.scale, intervals=intervals, first=n)
        pull = np.full(self.scale.size, np.nan)
        indices, means, widths = self.priors
        pull[indices] = (self.curve.complete(result.best.p)[indices] - means) / widths
        numbers["pull"] = pull
        every = {profile.number for profile in self.profiles}
        absent = [
            k
            for k, (entry, owner) in enumerate(zip(self.entries, self.owners, strict=True))
            if owner is None or (every if entry.profile is None else {entry.profile}) <= featureless
        ]
        for name in {*PARAMETER_NUMBERS, "pull"} & numbers.keys():
            numbers[name][absent] = np.nan
            numbers[name] = numbers[name][:n]
        return numbers | {"covariance": numbers["covariance"][:n, :n], "aic": self._aic(result)}

    def _aic(self, result: FitResult[_JointObjective]) -> float:
        m, total = result.best.m, 2.0 * result.best.x.size
        for profile in self.profiles:
            cost, n = profile.objective.cost(m[profile.span]), profile.z.size
            scaled = profile.objective.known_errors
            total += cost if scaled else n * float(np.log(max(cost, LEAST_COST) / n)) + 2
        initials = result.objective.parts[len(self.profiles) :]
        return total + sum(objective.cost(m[span]) for objective, span in initials)

    def answer(self, profile: _LinkedProfile, result: FitResult[_JointObjective]) -> dict[str, Any]:
        """Return the answer for one profile: its status, its residuals, and what follows."""
        problem, objective = profile.problem, profile.objective
        theta = self.curve.complete(result.best.p)
        p, slopes = profile.apparent(theta)
        slopes = slopes[:, self.curve.free]
        square = slopes @ result.covariance @ slopes.T
        # What is held is true, and apparent by the scales.
        curve = replace(problem.curve, held={i: p[i] for i in problem.curve.held})
        point = curve.at_parameters(p[curve.free])
        cost = objective.cost(point.m)
        own_square = square[curve.free[:, None], curve.free]
        minimum = Minimum(**vars(point), cost=cost, converged=True, covariance=own_square)
        if featureless(objective, minimum, problem.c):
            return {**problem.known, "status": "featureless"}
        exact, zero = cost <= EXACT * problem.z.size, np.zeros_like(minimum.covariance)
        own_result = FitResult(curve, objective, [minimum], [minimum], zero, exact)
        stderr = np.sqrt(np.maximum(square.diagonal(), 0.0))
        unknown = np.isnan(result.stderr + result.background.diagonal()) & (slopes != 0)
        stderr[unknown.any(axis=1)] = np.nan
        try:
            numbers = assess_curve(problem, own_result, stderr[curve.free], self.request)
        except NoFitError as end:
            return {**end.known, "status": end.status}
        return numbers | self._true(profile, theta, result) | {"aic": np.nan}

    def _true(
        self, profile: _LinkedProfile, theta: Array, result: FitResult[_JointObjective]
    ) -> dict[str, Any]:
        """Return true parameters, what follows from them, and the dose of the window."""
        request, problem, free = self.request, profile.problem, self.curve.free
        model, n = request.model, len(request.model.parameters)
        p, slopes = profile.apparent(theta)
        # The dose of the window is one more number that follows from the samples.
        factor = WINDOW_DOSE.factor(request.kind, request.axis)
        weight = record_weights(problem.z) * problem.top * factor
        background = p[-1] if request.background != "none" else 0.0
        dose_slopes = np.zeros(theta.size)
        dose_slopes[free] = self.curve.slopes(result.best)[:, profile.span] @ weight
        if request.background != "none":
            dose_slopes -= weight.sum() * slopes[-1]
        values = np.append(p * problem.scale, weight @ (result.best.m[profile.span] - background))
        rows = np.vstack([slopes * problem.scale[:, None], dose_slopes])
        # The scales themselves, and what they make of apparent numbers.
        scales, by_scales = theta[profile.scales], np.eye(theta.size)[profile.scales]
        powers = scale_powers([*request.parameters, WINDOW_DOSE], request.scales)
        factors = np.prod(scales**powers, axis=1)
        true = factors[:, None] * (rows + values[:, None] * (powers / scales @ by_scales))
        square = true[:, free] @ result.covariance @ true[:, free].T
        scaled_values, errors = values * factors, np.sqrt(np.maximum(square.diagonal(), 0.0))
        numbers: dict[str, Any] = {"value": scaled_values[:-1], "stderr": errors[:-1]}
        numbers |= {"window_dose": scaled_values[-1], "window_dose_stderr": errors[-1]}
        # What follows does so from apparent numbers, and is scaled itself.
        derivatives = np.vstack([rows[:n], np.zeros((len(model.options), theta.size)), by_scales])
        derivatives = derivatives[:, free]
        of_derived = scale_powers(model.derived, request.scales)
        scaled = replace(
            model,
            options=(*model.options, *request.scales),
            derive=model.derive and partial(_scaled, model, of_derived),
        )
        settings = {**profile.settings, **dict(zip(request.scales, scales.tolist(), strict=True))}
        joint = derivatives @ result.covariance @ derivatives.T
        # What is held is true: apparent, it moves with the scales.
        apparent = replace(request, model=scaled, fixed={})
        return numbers | derived_values(apparent, settings, [values[:-1]], joint, [1.0])


def _scaled(
    model: Model, powers: Array, p: Mapping[str, float], options: Mapping[str, float]
) -> list[float]:
    apparent = np.array(model.derive(p, options) if model.derive else [])
    scales = np.array([options[name] for name in SCALES if name in options])
    true: list[float] = (apparent * np.prod(scales**powers, axis=1)).tolist()
    return true
