"""Several profiles at once: one likelihood of all, with what they share and what is known before.

All profiles together are one curve, the parameters of all its parameters, and one objective: the
sum of theirs and of the squares of what was known before. What finds minima and errors of one
profile so finds theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from sims_analysis.kernels.segments import record_weights
from sims_analysis.models._derived import derived
from sims_analysis.models._diffused import Initial, Shape, annealed, with_initial
from sims_analysis.models._engine import (
    Curve,
    Solution,
    background_covariance,
    distinct,
    poor_errors,
    solve,
)
from sims_analysis.models._judged import ends, said, stderr_of
from sims_analysis.models._links import SCALE_OF, SCALES, Entry, Links, powers
from sims_analysis.models._minima import Minima, featureless, minima
from sims_analysis.models._objectives import EXACT, Objective, Squares
from sims_analysis.models._one_profile import fitted
from sims_analysis.models._prepared import Prepared, prepared
from sims_analysis.models._rivals import Minimum, not_ruled_out, weighed
from sims_analysis.models._task import WINDOW_DOSE, NoFitError, Task
from sims_analysis.models.model import Array, Model, Parameter
from sims_analysis.models.samples import Samples

__all__ = ["JOINT", "fit_group", "joint_size"]

#: Parts of the row of a group, after those of its profiles: so many numbers a parameter.
JOINT = ("value", "stderr", "lower", "upper", "poor", "pull")


def joint_size(n: int) -> int:
    """Return how many numbers say what a group of so many parameters has in common."""
    return len(JOINT) * n + n * n + 1


def fit_group(
    samples: Sequence[Samples], settings: Sequence[Mapping[str, float]], task: Task, links: Links
) -> Array:
    """Fit profiles together.

    Returns
    -------
    ndarray
        A row for each profile, with the parts of :attr:`Task.places`, and then of all parameters
        the parts of :data:`JOINT`, their covariance, and Akaike's criterion.
    """
    entries = links.entries(task)
    if not links.joint:
        return _alone(samples[0], settings[0], task, links)
    rows, joint = [np.empty(0)] * len(samples), np.full(joint_size(len(entries)), np.nan)
    alive: list[_Member] = []
    for i, (one, given) in enumerate(zip(samples, settings, strict=True)):
        known: Mapping[str, Any] = {}
        try:
            own, mine, initial = with_initial(task, given)
            profile = prepared(one, mine, own)
            known = profile.known
            alive.append(_Member(i, profile, _featured(profile, own.model), mine, initial))
        except NoFitError as end:
            rows[i] = task.row(end.status, {**known, **end.known})
    if alive:
        group = _Group(alive, entries, task, links)
        found = group.solved()
        for member in alive:
            rows[member.number] = group.row(member, found)
        joint = group.numbers(found)
    return np.concatenate([*rows, joint])


def _featured(profile: Prepared, model: Model) -> Minima:
    """Return the minima of a profile alone, if it shows more than a constant."""
    found = minima(profile, model)
    if featureless(found.objective, found.among[0].solution, profile.c):
        raise NoFitError("featureless", {})
    return found


def _alone(samples: Samples, settings: Mapping[str, float], task: Task, links: Links) -> Array:
    """Fit a profile alone; scales that its samples cannot tell widen errors by what is known."""
    status, parts = fitted(samples, settings, task)
    n, scales = len(task.parameters), len(links.scales)
    if "value" not in parts:
        return np.concatenate([task.row(status, parts), np.full(joint_size(n + scales), np.nan)])
    known = np.array([settings[SCALES[name]] for name in links.scales])

    def moved(values: Array, parameters: Sequence[Parameter]) -> Array:
        """Return by how much one standard error of each scale moves values."""
        shift: Array = np.reshape(values, (-1, 1)) * grows(parameters, links) * known
        return shift

    def wider(stderr: Array, values: Array, parameters: Sequence[Parameter]) -> Array:
        both: Array = np.sqrt(stderr**2 + (moved(values, parameters) ** 2).sum(axis=1))
        return both

    parts = dict(parts)
    value, plain = np.asarray(parts["value"]), task.parameters
    along = moved(value, plain)
    square = np.full((n + scales, n + scales), np.nan)
    square[:n, :n] = np.reshape(parts["covariance"], (n, n)) + along @ along.T
    square[n:, :n] = along.T * known[:, None]
    square[:n, n:] = square[n:, :n].T
    square[n:, n:] = np.diag(known**2)
    held = np.isnan(square[:n, :n].diagonal())
    square[:n][held] = square[:, :n][:, held] = np.nan
    parts["stderr"] = wider(parts["stderr"], value, plain)
    for end, sign in (("lower", -1), ("upper", 1)):
        if end in parts:
            parts[end] = value + sign * wider(abs(parts[end] - value), value, plain)
    if "derived" in parts:
        derived_ = parts["derived"], task.model.derived
        parts["derived_stderr"] = wider(parts["derived_stderr"], *derived_)
    dose = np.array([parts["window_dose"]]), [WINDOW_DOSE]
    parts["window_dose_stderr"] = wider(np.array([parts["window_dose_stderr"]]), *dose)[0]
    absent, ones = np.full(n, np.nan), np.ones(scales)
    joint = {
        "value": (value, ones),
        "stderr": (parts["stderr"], known),
        "lower": (parts.get("lower", absent), ones - known),
        "upper": (parts.get("upper", absent), ones + known),
        "poor": (parts["poor"], 0 * ones),
        "pull": (absent, 0 * ones),
    }
    numbers = [one for name in JOINT for one in joint[name]]
    return np.concatenate(
        [task.row(status, parts), *numbers, square.ravel(), [parts.get("aic", np.nan)]]
    )


def grows(parameters: Sequence[Parameter], links: Links) -> Array:
    """Return by which powers of the scales that take part parameters grow, a row each."""
    which = [list(SCALES).index(name) for name in links.scales]
    every = np.array([powers(one) for one in parameters]).reshape(-1, 2)
    return every[:, which]


@dataclass(frozen=True, eq=False)
class _Member:
    """A profile that takes part: its place in the group, its samples, and what it is alone."""

    number: int
    profile: Prepared
    alone: Minima
    settings: Mapping[str, float]
    initial: Initial | None


class _Place:
    """Where the parameters of one profile are among all, and what becomes of them on the way.

    Apparent parameters, which describe the samples, are true ones over powers of the scales; one
    may be restated, such as a straggle by a diffusivity.
    """

    def __init__(
        self, member: _Member, entries: Sequence[Entry], scale: Array, task: Task, links: Links
    ) -> None:
        profile = member.profile
        mine = {e.name: k for k, e in enumerate(entries) if e.profile in (None, member.number)}
        parameters = links.parameters(task)
        #: What each is made of, what 1 of it is there, and by which powers the scales act.
        self.of = np.array([mine[one.name] for one in parameters])
        self.factor = scale[self.of] / profile.scale
        self.scales = [mine[name] for name in links.scales]
        self.powers = grows(parameters, links)
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
        #: Where the values of a measured profile before the anneal are, if they have errors.
        self.nodes: slice | None = None
        self.initial, self.z, self.task = member.initial, profile.z, task

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
        nodes = np.empty(0) if self.initial is None else self.initial.z
        return annealed(self.z, nodes, theta[self.nodes], float(p[1]), self.task.surface)


@dataclass(frozen=True)
class _Together:
    """The objectives of several profiles, each over its samples and with a weight, as one."""

    parts: Sequence[tuple[Objective, slice, float]]

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
    """The minima of a group, the errors of its free parameters, and what was minimized."""

    among: Sequence[Minimum]
    stderr: Array
    square: Array
    objective: _Together


class _Group:
    """Profiles that are fitted together."""

    def __init__(
        self, members: Sequence[_Member], entries: Sequence[Entry], task: Task, links: Links
    ) -> None:
        self.members, self.entries, self.task, self.links = members, entries, task, links
        parameters = {one.name: one for one in links.parameters(task)}
        parameters |= {name: SCALE_OF[name] for name in links.scales}
        ranks = {one.name: j for j, one in enumerate(links.parameters(task))}
        owners = {m.number: m for m in members}
        self.parameters: list[Parameter] = []
        self.scale, held = np.ones(len(entries)), {}
        for k, entry in enumerate(entries):
            owner = members[0] if entry.profile is None else owners.get(entry.profile)
            one = parameters[entry.name]
            if owner is not None and entry.name in ranks and entry.name != links.restated:
                self.scale[k] = owner.profile.scale[ranks[entry.name]]
                one = owner.profile.curve.parameters[ranks[entry.name]]
            self.parameters.append(replace(one, name=entry.label))
            if owner is None:
                held[k] = 1.0
            elif entry.name in task.fixed:
                held[k] = task.fixed[entry.name] / self.scale[k]
            elif entry.name == "background" and task.background == "stated":
                held[k] = owner.settings["background"] / self.scale[k]
        self.absent = [k for k, e in enumerate(entries) if e.profile not in (None, *owners)]
        self.places = [_Place(m, entries, self.scale, task, links) for m in members]
        sizes = [m.profile.z.size for m in members]
        stops = np.cumsum([0, *sizes])
        self.at = [slice(a, b) for a, b in pairwise(stops.tolist())]
        self.known = self._known_before(owners)
        self.initials = self._add_initials()
        self.curve = Curve(self.parameters, self._values, self._slopes, held)

    def _add_initials(self) -> list[tuple[Initial, slice, slice]]:
        """Add the values before an anneal to the parameters: where they are, and their samples."""
        found: dict[int, tuple[Initial, slice, slice]] = {}
        first, end = len(self.entries), self.at[-1].stop
        for place in self.places:
            one = place.initial
            if one is None or one.objective is None:
                continue
            if id(one) not in found:
                n = one.z.size
                found[id(one)] = one, slice(first, first + n), slice(end, end + n)
                self.parameters += [
                    Parameter(f"before[{i}]", "value", "", lower=0) for i in range(n)
                ]
                first, end = first + n, end + n
            place.nodes = found[id(one)][1]
        self.scale = np.append(self.scale, np.ones(first - len(self.entries)))
        return list(found.values())

    @property
    def end(self) -> int:
        """Where the samples end, and what is known before begins."""
        last = self.initials[-1][2] if self.initials else self.at[-1]
        return int(last.stop)

    def _known_before(self, owners: Mapping[int, _Member]) -> list[tuple[int, float, float]]:
        """Return what is known of parameters: which, mean, and width."""
        known = []
        for k, entry in enumerate(self.entries):
            if k in self.absent:
                continue
            if entry.name in self.links.prior:
                mean, width = self.links.prior[entry.name]
                known.append((k, mean / self.scale[k], width / self.scale[k]))
            elif entry.name in self.links.scales:
                whose = self.members[0] if entry.profile is None else owners[entry.profile]
                known.append((k, 1.0, max(whose.settings[SCALES[entry.name]], 1e-12)))
        return known

    def _values(self, *theta: float) -> Array:
        values = np.array(theta)
        parts = [one.values(one.apparent(values)[0], values) for one in self.places]
        parts += [values[nodes] for _, nodes, _ in self.initials]
        return np.concatenate([*parts, values[[k for k, _, _ in self.known]]])

    def _slopes(self, *theta: float) -> Array:
        values = np.array(theta)
        out = np.zeros((values.size, self.end + len(self.known)))
        for place, at in zip(self.places, self.at, strict=True):
            p, slopes = place.apparent(values)
            mine = np.flatnonzero(slopes.any(axis=0))
            rows, of_nodes = place.rows(p, values)
            out[mine, at] = slopes[:, mine].T @ rows
            if place.nodes is not None:
                out[place.nodes, at] = of_nodes
        for _, nodes, at in self.initials:
            out[nodes, at] = np.eye(nodes.stop - nodes.start)
        out[[k for k, _, _ in self.known], np.arange(len(self.known)) + self.end] = 1.0
        return out

    def _objective(self, variances: Sequence[float]) -> _Together:
        parts: list[tuple[Objective, slice, float]] = [
            (member.alone.objective, at, variance**-0.5)
            for member, at, variance in zip(self.members, self.at, variances, strict=True)
        ]
        parts += [(one.objective, at, 1.0) for one, _, at in self.initials if one.objective]
        if self.known:
            means, widths = np.array([one[1:] for one in self.known]).T
            before = Squares(means, widths, known_errors=True, code=2)
            parts.append((before, slice(self.end, self.end + len(self.known)), 1.0))
        return _Together(parts)

    def solved(self) -> _Found | None:
        """Minimize the sum of all; None if no minimum was found."""
        alone = [m.alone.among[0].solution for m in self.members]
        variances = [
            m.alone.objective.variance(one.cost, one.x.size)
            for m, one in zip(self.members, alone, strict=True)
        ]
        objective = self._objective(variances)
        found: list[Solution] = []
        for start in self._starts(alone):
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
        square = errors
        for member, at in zip(self.members, self.at, strict=True):
            moved = np.zeros((2, solution.m.size))
            moved[:, at] = member.profile.subtracted
            both = moved[0], moved[1]
            square = square + background_covariance(self.curve, objective, solution, errors, both)
        stderr = stderr_of(self.curve, among)
        stderr = np.sqrt(np.maximum(stderr**2 + (square - errors).diagonal(), 0.0))
        return _Found(among, stderr, square, objective)

    def _enough(self) -> float:
        """Return a sum of squares that chance would make, if all errors are known."""
        n = float(sum(m.alone.objective.informative for m in self.members))
        n += sum(one.z.size for one, *_ in self.initials)
        return float(n + 3 * np.sqrt(2 * n) + 9 * len(self.known))

    def _scatter(self, solution: Solution, before: Sequence[float]) -> list[float]:
        """Return the variance of the residuals of each profile about the curve of all."""
        own = sum(e.profile == self.members[0].number for e in self.entries)
        free = own + (len(self.entries) - own * len(self.links.labels)) / len(self.members)
        found = []
        for member, at, variance in zip(self.members, self.at, before, strict=True):
            objective = member.alone.objective
            if objective.known_errors:
                found.append(variance)
                continue
            r = objective.residual(solution.m[at])
            found.append(objective.variance(float(r @ r), free))
        return found

    def _starts(self, alone: Sequence[Solution]) -> list[Array]:
        """Return sets of starting values: from the fits of profiles alone, then as these began."""
        sets = [[one.free for one in alone]]
        number = min(len(m.profile.starts) for m in self.members)
        sets += [[np.array(m.profile.starts[k]) for m in self.members] for k in range(number)]
        return [self._start(one)[self.curve.free] for one in sets]

    def _start(self, free: Sequence[Array]) -> Array:
        values: list[list[float]] = [[] for _ in self.entries]
        for member, place, one in zip(self.members, self.places, free, strict=True):
            p = member.profile.curve.whole(one) / place.factor
            if place.restated is not None:
                j = place.restated[0]
                p[j] = self._restated(member, member.profile.curve.whole(one)) / place.factor[j]
            for k, value in zip(place.of, p.tolist(), strict=True):
                values[k].append(value)
        for k in range(len(values)):
            mean = [before for which, before, _ in self.known if which == k]
            values[k] = values[k] or mean or [1.0]
        before = [np.maximum(one.c, one.c[one.c > 0].min() / 2) for one, *_ in self.initials]
        nodes = [one / one.max() for one in before]
        return np.concatenate([[np.median(one) for one in values], *nodes])

    def _restated(self, member: _Member, p: Array) -> float:
        """Return the derived value that takes the place of a parameter; a small one if it is 0."""
        model, scale = self.task.model, member.profile.scale
        given = dict(zip(model.names, (p * scale).tolist(), strict=False))
        which = [one.name for one in model.derived].index(self.links.restated)
        value = float(model.derive(given, member.settings)[which]) if model.derive else np.nan
        return value if value > 0 else 1e-20

    def numbers(self, found: _Found | None) -> Array:
        """Return the numbers that all have in common."""
        n = len(self.entries)
        if found is None:
            return np.full(joint_size(n), np.nan)
        size = len(self.parameters)
        solution, errors, _ = found.among[0]
        curve, unit = self.curve, self.scale[self.curve.free]
        parts = {name: np.full(size, np.nan) for name in JOINT}
        parts["value"] = curve.whole(solution.free) * self.scale
        parts["stderr"] = curve.whole(found.stderr * unit, held=np.nan)
        poor = ~(found.stderr**2 < 2 * errors.diagonal())
        poor |= poor_errors(
            curve, found.objective, solution, errors, int(np.count_nonzero(curve.free < n))
        )
        parts["poor"] = curve.whole(poor.astype(float), held=0.0)
        if self.task.profile:
            parts["lower"], parts["upper"] = (
                ends(curve, found.objective, found.among, curve.free >= n) * self.scale
            )
        for k, mean, width in self.known:
            parts["pull"][k] = (curve.whole(solution.free)[k] - mean) / width
        square = np.full((size, size), np.nan)
        square[curve.free[:, None], curve.free] = found.square * unit * unit[:, None]
        for name in JOINT:
            parts[name][self.absent] = np.nan
            parts[name] = parts[name][:n]
        return np.concatenate(
            [*(parts[name] for name in JOINT), square[:n, :n].ravel(), [self._aic(found)]]
        )

    def _aic(self, found: _Found) -> float:
        """Return Akaike's criterion of all profiles and priors together."""
        solution = found.among[0].solution
        total = 2.0 * solution.x.size
        for (objective, at, _), n in zip(
            found.objective.parts, [*(m.profile.z.size for m in self.members), 0], strict=False
        ):
            r = objective.residual(solution.m[at])
            cost = float(r @ r)
            if objective.known_errors:
                total += cost
            else:
                total += n * float(np.log(max(cost, 1e-300) / n)) + 2
        return total

    def row(self, member: _Member, found: _Found | None) -> Array:
        """Return the row of one profile: its status, its residuals, and what follows."""
        task, profile = self.task, member.profile
        if found is None:
            return task.row("not_converged", profile.known)
        which = self.members.index(member)
        place, theta = self.places[which], self.curve.whole(found.among[0].solution.free)
        p, slopes = place.apparent(theta)
        slopes = slopes[:, self.curve.free]
        square = slopes @ found.square @ slopes.T
        # What is held is true, and apparent by the scales.
        curve = replace(profile.curve, held={i: p[i] for i in profile.curve.held})
        free, profile = curve.free, replace(profile, curve=curve)
        point = curve.at(curve.inward(p[free]).tolist())
        r = member.alone.objective.residual(point.m)
        cost = float(r @ r)
        solution = Solution(**vars(point), cost=cost, converged=True)
        mine = Minimum(solution, square[free[:, None], free], 1.0)
        exact = cost <= EXACT * profile.z.size
        own = Minima(member.alone.objective, [mine], [solution], exact=exact, edged=False)
        unknown = np.isnan(found.stderr)[None] & (slopes != 0)
        stderr = np.sqrt(np.maximum(square.diagonal(), 0.0))
        stderr[unknown.any(axis=1)] = np.nan
        try:
            status, known = said(profile, own, stderr[free], task)
        except NoFitError as end:
            return task.row(end.status, end.known)
        known |= self._true(member, theta, found, p)
        known["aic"] = np.nan
        return task.row(status, known)

    def _true(self, member: _Member, theta: Array, found: _Found, p: Array) -> dict[str, Any]:
        """Return true parameters, what follows from them, and the dose of the window.

        Parameters
        ----------
        p : ndarray
            Apparent parameters.
        """
        task, profile, free = self.task, member.profile, self.curve.free
        which = self.members.index(member)
        place, at, n = self.places[which], self.at[which], len(task.model.parameters)
        solution = found.among[0].solution
        # The dose of the window is one more number that follows from the samples.
        weight = record_weights(profile.z) * profile.top * WINDOW_DOSE.factor(task.kind, task.axis)
        below = p[-1] if task.background != "none" else 0.0
        moved = np.zeros(theta.size)
        moved[free] = self.curve.jacobian(solution)[:, at] / solution.stretch[:, None] @ weight
        _, slopes = place.apparent(theta)
        if task.background != "none":
            moved -= weight.sum() * slopes[-1]
        values = np.append(p * profile.scale, weight @ (solution.m[at] - below))
        rows = np.vstack([slopes * profile.scale[:, None], moved])
        # The scales themselves, and what they make of apparent numbers.
        scales, own = theta[place.scales], np.eye(theta.size)[place.scales]
        grow = grows([*task.parameters, WINDOW_DOSE], self.links)
        factors = np.prod(scales**grow, axis=1)
        true = factors[:, None] * (rows + values[:, None] * (grow / scales @ own))
        square = true[:, free] @ found.square @ true[:, free].T
        model = task.model
        beside = np.vstack([rows[:n], np.zeros((len(model.options), theta.size)), own])[:, free]
        scaled = replace(
            model,
            options=(*model.options, *self.links.scales),
            derive=model.derive and partial(_scaled, model, grows(model.derived, self.links)),
        )
        given = {**member.settings, **dict(zip(self.links.scales, scales.tolist(), strict=True))}
        known: dict[str, Any] = dict(
            derived(
                replace(task, model=scaled),
                given,
                [values[:-1]],
                square,
                [1.0],
                beside @ found.square @ beside.T,
            )
        )
        known["value"], known["window_dose"] = np.split(values * factors, [-1])
        errors = np.sqrt(np.maximum(square.diagonal(), 0.0))
        known["stderr"], known["window_dose_stderr"] = np.split(errors, [-1])
        return known


def _scaled(
    model: Model, grow: Array, p: Mapping[str, float], options: Mapping[str, float]
) -> list[float]:
    """Return derived values of true parameters, from apparent ones and the scales."""
    apparent = np.array(model.derive(p, options) if model.derive else [])
    scales = np.array([options[name] for name in SCALES if name in options])
    found: list[float] = (apparent * np.prod(scales**grow, axis=1)).tolist()
    return found
