"""The fit of one profile, the same for numpy and Dask: ``prepared -> minima -> judged``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sims_analysis.models._judged import judged
from sims_analysis.models._layers import maxima
from sims_analysis.models._minima import minima
from sims_analysis.models._prepared import prepared
from sims_analysis.models._task import NoFitError, Task
from sims_analysis.models.model import Array
from sims_analysis.models.samples import Samples

__all__ = ["count_layers", "fit_one", "fitted"]


def fit_one(samples: Samples, settings: Mapping[str, float], task: Task) -> Array:
    """Fit one profile.

    Parameters
    ----------
    samples : Samples
        All of the profile.
    settings : mapping
        ``start``, ``stop``, ``background``, ``detection_limit``, ``time``, ``initial_straggle``
        and ``initial_straggle_stderr``, NaN where they were not given; and ``fraction``, the
        number of independent samples for each sample.
    task : Task

    Returns
    -------
    ndarray
        A row, with the parts of :attr:`Task.places`.
    """
    return task.row(*fitted(samples, settings, task))


def fitted(
    samples: Samples, settings: Mapping[str, float], task: Task
) -> tuple[str, Mapping[str, Any]]:
    """Return the status of one profile, and the parts of its row."""
    return (_borne_out if task.fewer else _fitted)(samples, settings, task)


def count_layers(samples: Samples, settings: Mapping[str, float], task: Task) -> Array:
    """Return how many maxima of a profile stand out of its noise."""
    try:
        profile = prepared(samples, settings, task)
    except NoFitError:
        return np.zeros(1)
    return np.array([len(maxima(profile.c, profile.objective.noise(profile.c)))])


def _fitted(
    samples: Samples, settings: Mapping[str, float], task: Task
) -> tuple[str, Mapping[str, Any]]:
    """Return them for a number of layers that is known."""
    try:
        profile = prepared(samples, settings, task)
        answer = judged(profile, minima(profile, task.model), settings, task)
    except NoFitError as end:
        return end.status, end.known
    return answer.status, answer.parts


def _borne_out(
    samples: Samples, settings: Mapping[str, float], task: Task
) -> tuple[str, Mapping[str, Any]]:
    """Fit as many layers as there are maxima, and fewer as long as Akaike's criterion falls."""
    n = int(count_layers(samples, settings, task.of_layers(1))[0]) or 1
    best = task.of_layers(n), *_fitted(samples, settings, task.of_layers(n))
    while n > 1:
        n -= 1
        fewer = task.of_layers(n), *_fitted(samples, settings, task.of_layers(n))
        if not fewer[2].get("aic", np.inf) < best[2].get("aic", np.inf):
            break
        best = fewer
    return best[1], task.spread(best[0], best[2])
