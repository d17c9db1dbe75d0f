"""What follows from the parameters of a fit, and how well it is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite, nan, sqrt

import numpy as np

from sims_analysis.models._rivals import half_widths
from sims_analysis.models._task import Task
from sims_analysis.models.model import Array, Parameter

__all__ = ["derived", "room"]


def derived(
    task: Task,
    settings: Mapping[str, float],
    places: list[Array],
    covariance: Array,
    shares: list[float],
    whole: Array | None = None,
) -> dict[str, Array]:
    """Return what follows from the parameters, with standard errors from their covariance.

    As of parameters, other minima that give something else widen them, and none is larger than
    its room. `whole` is the covariance of parameters and options, where these have one.
    """
    model, derive = task.model, task.model.derive
    if derive is None:
        return {}
    names = [*model.names, *model.options]
    n = len(model.parameters)
    values = [*places[0][:n].tolist(), *(settings[name] for name in model.options)]
    errors = np.zeros((len(values), len(values)))
    errors[:n, :n] = covariance[:n, :n]
    if whole is not None:
        errors += whole
        errors[:n, :n] = whole[:n, :n]
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
