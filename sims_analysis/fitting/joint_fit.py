"""Several profiles at once: one likelihood of all, with what they share and what is known before.

All profiles together are one curve, the parameters of all its parameters, and one objective: the
sum of theirs and of the squares of what was known before. What finds minima and errors of one
profile so finds theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from sims_analysis.fitting.assessment import Judged, derived, numbers, said, stderr_of
from sims_analysis.fitting.diffused_profile import Initial, Shape, annealed, with_initial
from sims_analysis.fitting.links import SCALE_OF, SCALES, Entry, Links, grows
from sims_analysis.fitting.minima import (
    Minima,
    Minimum,
    featureless,
    minima,
    not_ruled_out,
    weighed,
)
from sims_analysis.fitting.objectives import EXACT, Objective, Squares
from sims_analysis.fitting.optimization import (
    Curve,
    Solution,
    background_covariance,
    distinct,
    solve,
)
from sims_analysis.fitting.preparation import Prepared, prepared
from sims_analysis.fitting.task import OF_PARAMETERS, WINDOW_DOSE, NoFitError, Task
from sims_analysis.kernels.samples import Array, Samples
from sims_analysis.kernels.segments import record_weights
from sims_analysis.shapes.model import Model, Parameter

__all__ = ["fit_together"]


def fit_together(
    samples: Sequence[Samples], settings: Sequence[Mapping[str, float]], task: Task, links: Links
) -> tuple[list[Judged], Mapping[str, Any]]:
    """Fit profiles together: the answer of each, and the numbers that all have in common."""
    answers: dict[int, Judged] = {}
    members: list[_Member] = []
    for i, (one, given) in enumerate(zip(samples, settings, strict=True)):
        try:
            own, mine, initial = with_initial(task, given)
            profile = prepared(one, mine, own)
            members.append(_Member(i, profile, minima(profile, own.model), mine, initial))
        except NoFitError as end:
            answers[i] = Judged(end.status, end.known)
    group = _Group(members, task, links) if members else None
    found = group and group.solved()
    for member in members:
        answers[member.number] = Judged("not_converged", member.profile.known)
    if not (group and found):
        return [answers[i] for i in range(len(samples))], {}
    for place in group.places:
        answers[place.member.number] = group.answer(place, found)
    return [answers[i] for i in range(len(samples))], group.common(found)


@dataclass(frozen=True, eq=False)
class _Member:
    """A profile that takes part: its place in the group, its samples, and what it is alone."""

    number: int
    profile: Prepared
    alone: Minima[Objective]
    settings: Mapping[str, float]
    initial: Initial | None


class _Place:
    """Where the parameters of one profile are among all, and what becomes of them on the way.

    Apparent parameters, which describe the samples, are true ones over powers of the scales; one
    may be restated, such as a straggle by a diffusivity.
    """

    def __init__(
        self, member: _Member, first: int, entries: Sequence[Entry], scale: Array, task: Task,
        links: Links,
    ) -> None:  # fmt: skip
        profile = member.profile
        self.member, self.task, self.z = member, task, profile.z
        #: Where its samples are among all.
        self.at = slice(first, first + profile.z.size)
        mine = {e.name: k for k, e in enumerate(entries) if e.profile in (None, member.number)}
        parameters = links.parameters(task)
        #: What each is made of, what 1 of it is there, and by which powers the scales act.
        self.of = np.array([mine[one.name] for one in parameters])
        self.factor = scale[self.of] / profile.scale
        self.scales = [mine[name] for name in links.scales]
        self.powers = grows(parameters, links.scales)
        if task.background == "stated":  # as it was measured
            self.powers[-1] = 0.0
        self.restated: tuple[int, Callable[[float], float]] | None = None
        if links.restated:
            name, stated = task.model.restated[links.restated]
            place = task.model.names.index(name)
            self.factor[place] = scale[self.of[place]]
            self.restated = place, lambda d: stated(d, member.settings)
        # All free: which are held is known to the curve of all.
        self.curve = replace(profile.curve, held={})
        #: Where the values of a measured profile before the anneal are, if they have errors, and
        #: their depths.
        self.nodes: slice | None = None
        self.depths: Array = np.empty(0)

    def apparent(self, theta: Array) -> tuple[Array, Array]:
        """Return the parameters that describe the samples, and their derivatives, a row each."""
        of_scales = theta[self.scales]
        shrink = np.prod(of_scales**-self.powers, axis=1)
        p = theta[self.of] * self.factor * shrink
        slopes = np.zeros((p.size, theta.size))
        slopes[np.arange(p.size), self.of] = self.factor * shrink
        slopes[:, self.scales] -= self.powers * (p[:, None] / of_scales)
        if self.restated is not None:
            place, stated = self.restated
            d = float(p[place])
            p[place], step = stated(d), 1e-5 * d
            slopes[place] *= (stated(d + step) - stated(d - step)) / (2 * step)
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
            point = self.curve.at(self.curve.inward(p).tolist())
            return self.curve.jacobian(point) / point.stretch[:, None], np.empty(0)
        one = self._shape(p, theta)
        rows = [one.value, p[0] * one.by_width, np.ones(self.z.size)]
        return np.array(rows[: p.size]), p[0] * one.by_node.T

    def _shape(self, p: Array, theta: Array) -> Shape:
        return annealed(self.z, self.depths, theta[self.nodes], float(p[1]), self.task.surface)

    def start(self, free: Array, restated: str) -> Array:
        """Return true parameters from the free ones of the profile alone."""
        whole = self.member.profile.curve.whole(free)
        p: Array = whole / self.factor
        if self.restated is None:
            return p
        place, model = self.restated[0], self.task.model
        given = dict(zip(model.names, (whole * self.member.profile.scale).tolist(), strict=False))
        which = [one.name for one in model.derived].index(restated)
        value = float(model.derive(given, self.member.settings)[which]) if model.derive else np.nan
        # A small one if it is 0.
        p[place] = (value if value > 0 else 1e-20) / self.factor[place]
        return p


@dataclass(frozen=True)
class _Together:
    """The objectives of several profiles, each over its samples and with a weight, as one."""

    parts: Sequence[tuple[Objective, slice, float]]
    #: What is not known beforehand is in the weights.
    known_errors: bool = True

    def _joined(self, asked: Callable[[Objective, slice, float], Array]) -> Array:
        return np.concatenate([asked(*part) for part in self.parts])

    def residual(self, m: Array) -> Array:
        """Return the residuals of all."""
        return self._joined(lambda one, at, weight: weight * one.residual(m[at]))

    def slope(self, m: Array, r: Array) -> Array:
        """Return the derivatives of the residuals."""
        return self._joined(lambda one, at, weight: weight * one.slope(m[at], r[at] / weight))

    def information(self, m: Array) -> Array:
        """Return the information of each sample."""
        return self._joined(lambda one, at, weight: weight**2 * one.information(m[at]))

    def variance(self, cost: float, free: float) -> float:  # noqa: ARG002
        """Return 1: what is not known beforehand is in the weights."""
        return 1.0


@dataclass(frozen=True, eq=False)
class _Found:
    """The minima of a group, and the errors of its free parameters.

    Parameters
    ----------
    minima : Minima
    stderr : ndarray
        By the samples; NaN where a parameter has none.
    common : ndarray
        The covariance that backgrounds add that were subtracted before.
    """

    minima: Minima[_Together]
    stderr: Array
    common: Array

    @property
    def square(self) -> Array:
        """The covariance."""
        return self.minima.among[0].errors + self.common


class _Known(NamedTuple):
    """What is known of parameters before: which, and the mean and width of each."""

    which: list[int]
    means: Array
    widths: Array


class _Group:
    """Profiles that are fitted together."""

    def __init__(self, members: Sequence[_Member], task: Task, links: Links) -> None:
        self.task, self.links, self.entries = task, links, links.entries(task)
        ranks = {one.name: j for j, one in enumerate(links.parameters(task))}
        parameters = {one.name: one for one in links.parameters(task)} | SCALE_OF
        numbered = {m.number: m for m in members}
        #: Whose each parameter is, the first's if all share it; None if the profile takes no part.
        self.owners = [
            members[0] if one.profile is None else numbered.get(one.profile) for one in self.entries
        ]
        self.parameters: list[Parameter] = []
        self.scale, held = np.ones(len(self.entries)), {}
        for k, (entry, owner) in enumerate(zip(self.entries, self.owners, strict=True)):
            one = parameters[entry.name]
            if owner is None:
                held[k] = 1.0
            elif entry.name in ranks and entry.name != links.restated:
                self.scale[k] = owner.profile.scale[ranks[entry.name]]
                one = owner.profile.curve.parameters[ranks[entry.name]]
            self.parameters.append(replace(one, name=entry.label))
            if owner is not None and entry.name in task.fixed:
                held[k] = task.fixed[entry.name] / self.scale[k]
            elif owner is not None and task.background == "stated" and entry.name == "background":
                held[k] = owner.settings["background"] / self.scale[k]
        self.places: list[_Place] = []
        self.end = 0
        for member in members:
            place = _Place(member, self.end, self.entries, self.scale, task, links)
            self.places.append(place)
            self.end = place.at.stop
        self.known = self._known_before()
        self.initials = self._add_initials()
        self.curve = Curve(self.parameters, self._values, self._slopes, held)

    def _known_before(self) -> _Known:
        """Return what is known of the parameters of profiles that take part."""
        known = []
        for k, (entry, owner) in enumerate(zip(self.entries, self.owners, strict=True)):
            if owner is not None and entry.name in self.links.prior:
                mean, width = self.links.prior[entry.name]
                known.append((k, mean / self.scale[k], width / self.scale[k]))
            elif owner is not None and entry.name in self.links.scales:
                known.append((k, 1.0, max(owner.settings[SCALES[entry.name]], 1e-12)))
        which, means, widths = zip(*known, strict=True) if known else ((), (), ())
        return _Known(list(which), np.array(means), np.array(widths))

    def _add_initials(self) -> list[tuple[Initial, slice, slice]]:
        """Add the values before an anneal to the parameters: where they are, and their samples."""
        found: dict[int, tuple[Initial, slice, slice]] = {}
        first = len(self.entries)
        for place in self.places:
            one = place.member.initial
            if one is None or one.objective is None:
                continue
            if id(one) not in found:
                n = one.z.size
                found[id(one)] = one, slice(first, first + n), slice(self.end, self.end + n)
                self.parameters += [
                    Parameter(f"before[{i}]", "value", "", lower=0) for i in range(n)
                ]
                first, self.end = first + n, self.end + n
            place.nodes, place.depths = found[id(one)][1], one.z
        self.scale = np.append(self.scale, np.ones(first - len(self.entries)))
        return list(found.values())

    def _values(self, *theta: float) -> Array:
        values = np.array(theta)
        parts = [one.values(one.apparent(values)[0], values) for one in self.places]
        parts += [values[nodes] for _, nodes, _ in self.initials]
        return np.concatenate([*parts, values[self.known.which]])

    def _slopes(self, *theta: float) -> Array:
        values = np.array(theta)
        n_known = len(self.known.which)
        out = np.zeros((values.size, self.end + n_known))
        for place in self.places:
            p, slopes = place.apparent(values)
            mine = np.flatnonzero(slopes.any(axis=0))
            rows, of_nodes = place.rows(p, values)
            out[mine, place.at] = slopes[:, mine].T @ rows
            if place.nodes is not None:
                out[place.nodes, place.at] = of_nodes
        for _, nodes, at in self.initials:
            out[nodes, at] = np.eye(nodes.stop - nodes.start)
        out[self.known.which, np.arange(n_known) + self.end] = 1.0
        return out

    def _objective(self, variances: Sequence[float]) -> _Together:
        parts: list[tuple[Objective, slice, float]] = [
            (place.member.alone.objective, place.at, variance**-0.5)
            for place, variance in zip(self.places, variances, strict=True)
        ]
        parts += [(one.objective, at, 1.0) for one, _, at in self.initials if one.objective]
        which, means, widths = self.known
        if which:
            before = Squares(means, widths, known_errors=True, code=2)
            parts.append((before, slice(self.end, self.end + len(which)), 1.0))
        return _Together(parts)

    def solved(self) -> _Found | None:
        """Minimize the sum of all; None if no minimum was found."""
        variances = [
            alone.objective.variance(alone.among[0].solution.cost, alone.curve.free.size)
            for alone in (place.member.alone for place in self.places)
        ]
        objective = self._objective(variances)
        found: list[Solution] = []
        for start in self._starts():
            found = distinct([*found, solve(self.curve, objective, start)])
            if found and found[0].converged and found[0].cost < self._enough():
                break
        if not (found and found[0].converged):
            return None
        for _ in range(3):  # scatter about the curve that all share
            before, variances = variances, self._scatter(found[0], variances)
            if np.allclose(before, variances, rtol=1e-6):
                break
            objective = self._objective(variances)
            found = distinct([solve(self.curve, objective, one.free) for one in found])
        near = not_ruled_out(self.curve, objective, found)
        among = weighed(self.curve, objective, near)
        solution, errors, _ = among[0]
        common = np.zeros_like(errors)
        for place in self.places:
            moved = np.zeros((2, solution.m.size))
            moved[:, place.at] = place.member.profile.subtracted
            both = moved[0], moved[1]
            common += background_covariance(self.curve, objective, solution, errors, both)
        all_of = Minima(self.curve, objective, among, near, exact=False, edged=False)
        return _Found(all_of, stderr_of(all_of), common)

    def _enough(self) -> float:
        """Return a sum of squares that chance would make, if all errors are known."""
        n = float(sum(place.member.alone.objective.informative for place in self.places))
        n += sum(one.z.size for one, *_ in self.initials)
        return float(n + 3 * np.sqrt(2 * n) + 9 * len(self.known.which))

    def _scatter(self, solution: Solution, before: Sequence[float]) -> list[float]:
        """Return the variance of the residuals of each profile about the curve of all."""
        own = sum(e.profile == self.places[0].member.number for e in self.entries)
        free = own + (len(self.entries) - own * len(self.links.labels)) / len(self.places)
        found = []
        for place, variance in zip(self.places, before, strict=True):
            objective = place.member.alone.objective
            if objective.known_errors:
                found.append(variance)
                continue
            r = objective.residual(solution.m[place.at])
            found.append(objective.variance(float(r @ r), free))
        return found

    def _starts(self) -> list[Array]:
        """Return sets of starting values: from the fits of profiles alone, then as these began."""
        each = [
            [place.member.alone.among[0].solution.free, *place.member.profile.starts]
            for place in self.places
        ]
        return [self._start(one)[self.curve.free] for one in zip(*each, strict=False)]

    def _start(self, free: Sequence[Any]) -> Array:
        """Return the median of what profiles begin with, and the profiles before their anneal."""
        values: list[list[float]] = [[] for _ in self.entries]
        for place, one in zip(self.places, free, strict=True):
            p = place.start(np.array(one), self.links.restated)
            for k, value in zip(place.of, p.tolist(), strict=True):
                values[k].append(value)
        known = dict(zip(self.known.which, self.known.means.tolist(), strict=True))
        start = [np.median(one or [known.get(k, 1.0)]) for k, one in enumerate(values)]
        before = [np.maximum(one.c, one.c[one.c > 0].min() / 2) for one, *_ in self.initials]
        return np.concatenate([start, *(one / one.max() for one in before)])

    def common(self, found: _Found) -> Mapping[str, Any]:
        """Return the numbers that all have in common."""
        n = len(self.entries)
        interval = self.task.profile
        parts: dict[str, Any] = dict(
            numbers(
                found.minima, found.stderr, found.common, self.scale, interval=interval, least=n
            )
        )
        pull = np.full(self.scale.size, np.nan)
        which, means, widths = self.known
        values = self.curve.whole(found.minima.among[0].solution.free)
        pull[which] = (values[which] - means) / widths
        parts["pull"] = pull
        absent = [k for k, owner in enumerate(self.owners) if owner is None]
        for name in {*OF_PARAMETERS, "pull"} & parts.keys():
            parts[name][absent] = np.nan
            parts[name] = parts[name][:n]
        return parts | {"covariance": parts["covariance"][:n, :n], "aic": self._aic(found)}

    def _aic(self, found: _Found) -> float:
        """Return Akaike's criterion of all profiles and priors together."""
        solution = found.minima.among[0].solution
        total = 2.0 * solution.x.size
        for objective, at, _ in found.minima.objective.parts:
            r = objective.residual(solution.m[at])
            cost = float(r @ r)
            if objective.known_errors:
                total += cost
            else:
                total += r.size * float(np.log(max(cost, 1e-300) / r.size)) + 2
        return total

    def answer(self, place: _Place, found: _Found) -> Judged:
        """Return the answer for one profile: its status, its residuals, and what follows."""
        profile, objective = place.member.profile, place.member.alone.objective
        theta = self.curve.whole(found.minima.among[0].solution.free)
        p, slopes = place.apparent(theta)
        slopes = slopes[:, self.curve.free]
        square = slopes @ found.square @ slopes.T
        # What is held is true, and apparent by the scales.
        curve = replace(profile.curve, held={i: p[i] for i in profile.curve.held})
        point = curve.at(curve.inward(p[curve.free]).tolist())
        r = objective.residual(point.m)
        cost = float(r @ r)
        solution = Solution(**vars(point), cost=cost, converged=True)
        mine = Minimum(solution, square[curve.free[:, None], curve.free], 1.0)
        exact = cost <= EXACT * profile.z.size
        if featureless(objective, solution, profile.c):
            return Judged("featureless", profile.known)
        own = Minima(curve, objective, [mine], [solution], exact=exact, edged=False)
        stderr = np.sqrt(np.maximum(square.diagonal(), 0.0))
        unknown = np.isnan(found.stderr + found.common.diagonal()) & (slopes != 0)
        stderr[unknown.any(axis=1)] = np.nan
        try:
            status, known = said(profile, own, stderr[curve.free], self.task)
        except NoFitError as end:
            return Judged(end.status, end.known)
        return Judged(status, known | self._true(place, theta, found) | {"aic": np.nan})

    def _true(self, place: _Place, theta: Array, found: _Found) -> dict[str, Any]:
        """Return true parameters, what follows from them, and the dose of the window."""
        task, member, free = self.task, place.member, self.curve.free
        model, profile, n = task.model, member.profile, len(task.model.parameters)
        solution = found.minima.among[0].solution
        p, slopes = place.apparent(theta)
        # The dose of the window is one more number that follows from the samples.
        weight = record_weights(profile.z) * profile.top * WINDOW_DOSE.factor(task.kind, task.axis)
        below = p[-1] if task.background != "none" else 0.0
        moved = np.zeros(theta.size)
        moved[free] = (
            self.curve.jacobian(solution)[:, place.at] / solution.stretch[:, None] @ weight
        )
        if task.background != "none":
            moved -= weight.sum() * slopes[-1]
        values = np.append(p * profile.scale, weight @ (solution.m[place.at] - below))
        rows = np.vstack([slopes * profile.scale[:, None], moved])
        # The scales themselves, and what they make of apparent numbers.
        scales, own = theta[place.scales], np.eye(theta.size)[place.scales]
        grow = grows([*task.parameters, WINDOW_DOSE], self.links.scales)
        factors = np.prod(scales**grow, axis=1)
        true = factors[:, None] * (rows + values[:, None] * (grow / scales @ own))
        square = true[:, free] @ found.square @ true[:, free].T
        made, errors = values * factors, np.sqrt(np.maximum(square.diagonal(), 0.0))
        known: dict[str, Any] = {"value": made[:-1], "stderr": errors[:-1]}
        known |= {"window_dose": made[-1], "window_dose_stderr": errors[-1]}
        # What follows does so from apparent numbers, and is scaled itself.
        beside = np.vstack([rows[:n], np.zeros((len(model.options), theta.size)), own])[:, free]
        scaled = replace(
            model,
            options=(*model.options, *self.links.scales),
            derive=model.derive
            and partial(_scaled, model, grows(model.derived, self.links.scales)),
        )
        given = {**member.settings, **dict(zip(self.links.scales, scales.tolist(), strict=True))}
        both = beside @ found.square @ beside.T
        # What is held is true: apparent, it moves with the scales.
        apparent = replace(task, model=scaled, fixed={})
        following = derived(apparent, given, [values[:-1]], both, [1.0])
        return known | following


def _scaled(
    model: Model, grow: Array, p: Mapping[str, float], options: Mapping[str, float]
) -> list[float]:
    """Return derived values of true parameters, from apparent ones and the scales."""
    apparent = np.array(model.derive(p, options) if model.derive else [])
    scales = np.array([options[name] for name in SCALES if name in options])
    found: list[float] = (apparent * np.prod(scales**grow, axis=1)).tolist()
    return found
