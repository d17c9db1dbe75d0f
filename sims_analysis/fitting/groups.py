"""Profiles fitted, each alone or linked with others: ``prepared -> minima -> judged``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import xarray as xr

from sims_analysis.errors import ProfileError
from sims_analysis.fitting.assessment import Judged, judged
from sims_analysis.fitting.joint_fit import fit_together
from sims_analysis.fitting.links import SCALES, Links, grows
from sims_analysis.fitting.minima import minima
from sims_analysis.fitting.preparation import prepared
from sims_analysis.fitting.request import Asked, read_links
from sims_analysis.fitting.task import WINDOW_DOSE, NoFitError, Task
from sims_analysis.kernels.samples import Array, Samples
from sims_analysis.shapes.layered_model import LayeredModel, maxima
from sims_analysis.shapes.model import Parameter

__all__ = ["each", "fit_group", "with_layers_counted"]


def each(
    asked: Asked,
    function: Callable[[Sequence[Samples], Sequence[Mapping[str, float]]], Array],
    size: int,
    **options: Any,
) -> xr.Variable:
    """Return so many numbers of each profile, or of each group of those that are linked."""
    return asked.profiles.each(
        partial(_row, function, tuple(asked.settings)),
        *asked.settings.values(),
        size=size,
        group=asked.links.over,
        beside=("common", "overlap", "lower", "upper"),
        **options,
    )


def _row(function: Callable[..., Array], names: tuple[str, ...], *given: Any) -> Array:
    """Call a function with the samples and the settings of a profile, or of a group."""
    columns, numbers = given[: -len(names)], given[-len(names) :]
    if columns[0].ndim == 1:
        return function([Samples(*columns)], [dict(zip(names, numbers, strict=True))])
    samples = [Samples(*one) for one in zip(*columns, strict=True)]
    settings = [one if isinstance(one, list) else [one] * len(samples) for one in numbers]
    of_each = [dict(zip(names, one, strict=True)) for one in zip(*settings, strict=True)]
    return function(samples, of_each)


def fit_group(
    samples: Sequence[Samples], settings: Sequence[Mapping[str, float]], task: Task, links: Links
) -> Array:
    """Fit the profiles of a group: a single one, unless profiles are linked.

    Parameters
    ----------
    samples : sequence of Samples
        All of each profile.
    settings : sequence of mapping
        Of each ``start``, ``stop``, ``background``, ``detection_limit``, ``time``,
        ``initial_straggle`` and ``initial_straggle_stderr``, NaN where they were not given;
        ``fraction``, the number of independent samples for each sample; and the relative
        uncertainties of the scales.
    task : Task
    links : Links

    Returns
    -------
    ndarray
        A row for each profile, by :attr:`Task.layout`, and what all have in common, by
        :meth:`Links.layout`.
    """
    if links.joint:
        answers, common = fit_together(samples, settings, task, links)
    else:
        alone, common = _widened(_fitted(samples[0], settings[0], task), settings[0], task, links)
        answers = [alone]
    rows = [task.row(one.status, one.parts) for one in answers]
    return np.concatenate([*rows, links.layout(task).row(common)])


def with_layers_counted(asked: Asked, shared: Any, over: Any, prior: Any) -> Asked:
    """Add what profiles have in common (:func:`read_links`), and as many layers as there are.

    That is as many as any profile shows; others have fewer. If they are linked, each must have
    those that Akaike's criterion bears out in it alone.

    Raises
    ------
    ProfileError, UnitsError
    """
    if asked.profiles.lazy:
        raise ProfileError(
            "repeat='auto': the layers of Dask data are not known ahead; give their number, or "
            "data.compute()"
        )
    most = int(each(asked, partial(_count_maxima, task=asked.task), 1).max())
    task = replace(asked.task.of_layers(max(most, 1)), fewer=True)
    linked = read_links(replace(asked, task=task), shared, over, prior)
    if not linked.links.joint:
        return linked
    there = each(asked, partial(_count_borne_out, task=task), 1).values
    numbers = np.unique(there[there > 0].astype(int))
    if numbers.size > 1:
        raise ProfileError(
            f"repeat='auto': profiles show {numbers[0]} to {numbers[-1]} layers, and linked ones "
            "need as many each; give their number, or fit those with others apart"
        )
    task = task.of_layers(int(numbers[0]) if numbers.size else 1)
    return read_links(replace(asked, task=task), shared, over, prior)


def _count_maxima(
    samples: Sequence[Samples], settings: Sequence[Mapping[str, float]], task: Task
) -> Array:
    """Return how many maxima of a profile stand out of its noise."""
    try:
        profile = prepared(samples[0], settings[0], task)
    except NoFitError:
        return np.zeros(1)
    return np.array([len(maxima(profile.c, profile.objective.noise(profile.c)))])


def _count_borne_out(
    samples: Sequence[Samples], settings: Sequence[Mapping[str, float]], task: Task
) -> Array:
    """Return how many layers of a profile Akaike's criterion bears out; 0 without a fit."""
    whose, answer = _borne_out(samples[0], settings[0], task)
    layers = whose.model
    assert isinstance(layers, LayeredModel)  # noqa: S101 - only of layers there may be fewer
    return np.array([len(layers.places) if "value" in answer.parts else 0])


def _fitted(samples: Samples, settings: Mapping[str, float], task: Task) -> Judged:
    """Fit one profile; with as many layers as are borne out, where there may be fewer."""
    if task.fewer:
        whose, answer = _borne_out(samples, settings, task)
        return Judged(answer.status, task.spread(whose, answer.parts))
    try:
        profile = prepared(samples, settings, task)
        return judged(profile, minima(profile, task.model), settings, task)
    except NoFitError as end:
        return Judged(end.status, end.known)


def _borne_out(samples: Samples, settings: Mapping[str, float], task: Task) -> tuple[Task, Judged]:
    """Fit as many layers as there are maxima, and fewer as long as Akaike's criterion falls."""
    most = int(_count_maxima([samples], [settings], task.of_layers(1))[0])
    best, *others = [task.of_layers(n) for n in range(max(most, 1), 0, -1)]
    answer = _fitted(samples, settings, best)
    for fewer in others:
        other = _fitted(samples, settings, fewer)
        if not other.parts.get("aic", np.inf) < answer.parts.get("aic", np.inf):
            break
        best, answer = fewer, other
    return best, answer


def _widened(
    answer: Judged, settings: Mapping[str, float], task: Task, links: Links
) -> tuple[Judged, Mapping[str, Array]]:
    """Widen errors by scales, which the samples of a profile cannot tell, as much as is known.

    Also return parameters and scales together, as what profiles have in common.
    """
    if not links.scales or "value" not in answer.parts:
        return answer, {}
    parts, parameters, value = dict(answer.parts), task.parameters, answer.parts["value"]
    known = np.array([settings[SCALES[name]] for name in links.scales])

    def moved(values: Array, of: Sequence[Parameter]) -> Array:
        """Return by how much one standard error of each scale moves values."""
        shift: Array = np.reshape(values, (-1, 1)) * grows(of, links.scales) * known
        return shift

    def wider(stderr: Array, values: Array, of: Sequence[Parameter]) -> Array:
        both: Array = np.sqrt(stderr**2 + (moved(values, of) ** 2).sum(axis=1))
        return both

    parts["stderr"] = wider(parts["stderr"], value, parameters)
    for end, sign in (("lower", -1), ("upper", 1)):
        if end in parts:
            parts[end] = value + sign * wider(abs(parts[end] - value), value, parameters)
    if "derived" in parts:
        derived = parts["derived"], task.model.derived
        parts["derived_stderr"] = wider(parts["derived_stderr"], *derived)
    dose, error = parts["window_dose"], parts["window_dose_stderr"]
    parts["window_dose_stderr"] = wider(error, dose, [WINDOW_DOSE])[0]
    along, absent, ones = moved(value, parameters), np.full(value.size, np.nan), np.ones(known.size)
    square = np.block(
        [
            [parts["covariance"] + along @ along.T, along * known],
            [(along * known).T, np.diag(known**2)],
        ]
    )
    held = np.append(np.isnan(parts["covariance"].diagonal()), np.zeros(known.size, dtype=bool))
    square[held] = square[:, held] = np.nan
    beside = {
        "value": ones,
        "stderr": known,
        "lower": ones - known,
        "upper": ones + known,
        "poor": 0 * ones,
        "pull": 0 * ones,
    }
    common = {name: np.append(parts.get(name, absent), one) for name, one in beside.items()}
    common |= {"covariance": square, "aic": parts.get("aic", np.nan)}
    return Judged(answer.status, parts), common
