"""The fit of one profile, the same for numpy and Dask: ``prepared -> minima -> judged``."""

from __future__ import annotations

from collections.abc import Mapping

from sims_analysis.models._judged import judged
from sims_analysis.models._minima import minima
from sims_analysis.models._prepared import prepared
from sims_analysis.models._task import NoFitError, Task
from sims_analysis.models.model import Array
from sims_analysis.models.samples import Samples

__all__ = ["fit_one"]


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
    try:
        profile = prepared(samples, settings, task)
        answer = judged(profile, minima(profile, task.model), settings, task)
    except NoFitError as end:
        return task.row(end.status, end.known)
    return task.row(answer.status, answer.parts)
