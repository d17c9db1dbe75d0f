"""The second stage of a fit: the minima of the objective that are not ruled out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from sims_analysis.errors import ProfileError
from sims_analysis.models import _engine as engine
from sims_analysis.models._engine import Curve, Solution, distinct, solve
from sims_analysis.models._objectives import EXACT, Objective
from sims_analysis.models._prepared import Prepared
from sims_analysis.models._rivals import Minimum, not_ruled_out, weighed
from sims_analysis.models._task import NoFitError
from sims_analysis.models.model import Array, Model

__all__ = ["Minima", "featureless", "minima"]


@dataclass(frozen=True, eq=False)
class Minima:
    """The minima of one profile.

    Parameters
    ----------
    objective : Objective
        What was minimized; for censored samples, with the scatter that was found.
    among : list of Minimum
        Those that have a share of the likelihood, the one to be returned first.
    near : list of Solution
        All that are not ruled out.
    exact : bool
        Whether the curve goes through all samples but for rounding.
    edged : bool
        Whether the curve has edges that follow the noise, so that its shapes have no errors.
    """

    objective: Objective
    among: Sequence[Minimum]
    near: Sequence[Solution]
    exact: bool
    edged: bool


def minima(profile: Prepared, model: Model) -> Minima:
    """Find the minima of a profile.

    Raises
    ------
    NoFitError
        If the optimizer found none.
    """
    curve, n = profile.curve, profile.z.size
    found, objective = _solved(profile)
    found = _by_name(curve, objective, model, found)
    if not (found and found[0].converged):
        flat = bool(found) and featureless(objective, found[0], profile.c)
        raise NoFitError("featureless" if flat else "not_converged", profile.known)
    exact = found[0].cost <= EXACT * n
    edged = None if exact else _follows_noise(curve, model)
    near = found[:1] if exact else not_ruled_out(curve, objective, found)
    among = weighed(curve, objective, near, edged)
    sharp = edged is not None and edged(among[0].solution)
    return Minima(objective, among, near, exact, sharp)


def featureless(objective: Objective, solution: Solution, c: Array) -> bool:
    """Return whether a constant does as well, by Akaike's criterion and a margin."""
    flat = objective.residual(np.full(c.size, objective.level(c)))
    cost, n, more = float(flat @ flat), objective.informative, max(solution.x.size - 1, 0)
    if objective.known_errors:
        return cost - solution.cost < 10 + 2 * more
    if cost <= 1e-20 * n:
        return True
    return bool(n * np.log(cost / max(solution.cost, 1e-300)) < 10 + 2 * more)


def _solved(profile: Prepared) -> tuple[list[Solution], Objective]:
    """Return the minima that were found, the lowest first."""
    curve, objective, starts = profile.curve, profile.objective, profile.starts
    n, informative = profile.z.size, objective.informative
    found = engine.minima(curve, objective, starts, enough=1e-14 * n)
    if not found:
        _refuse_holes(curve, starts[0], profile.z)
        return [], objective
    cost = found[0].cost
    # Residuals far below the stated errors mean smooth data, which a better fit would follow.
    noisy = 0.5 * informative < cost < informative + 3 * sqrt(2 * informative)
    described = cost < 1e-14 * n or (objective.known_errors and noisy)
    if len(starts) > 1 and not described:
        # A model that needs several starts may also need another objective on the way.
        walked = engine.minima(curve, objective.another(profile.c), starts, evaluations=60)
        found = distinct([*found, *(solve(curve, objective, one.free) for one in walked[:3])])
    for _ in range(2):
        refined = objective.refined(found[0].m, curve.free.size)
        if refined is objective:
            break
        objective = refined
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


def _follows_noise(curve: Curve, model: Model) -> Callable[[Solution], bool] | None:
    """Return what tells curves with edges that follow the noise; None where none are looked for."""
    n, irregular = len(model.parameters), model.irregular
    if irregular is None or any(i < n for i in curve.held):
        return None
    return lambda one: irregular(one.free[:n].tolist())
