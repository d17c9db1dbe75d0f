"""The effect of the achieved resolution of restored profiles on depths read from them."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from sims_analysis.frame.frame import Frame
from sims_analysis.frame.run import elementwise

#: A depth is not known better than to this part of the achieved resolution at a sharp edge.
_LEAST_ERROR = 0.35
#: Decay lengths below this part of the achieved resolution may be those of steps.
_UNRESOLVED = 0.25


def resolution_error(
    frame: Frame, depth: xr.Variable, decay_length: xr.Variable, steepness: xr.Variable
) -> xr.Variable:
    """Return the standard errors of depths in restored profiles, of the achieved resolution R.

    Errors of neighbours within R are nearly the same, and move the edge by the error there over
    the `steepness`, 0.35 R at most. A restored edge that is steeper than R is an exponential,
    whatever its true shape: ``0.35 R exp[-(d / R)^2]``, with d the decay length.
    """
    distance = abs(frame.depth - depth)
    most = _LEAST_ERROR * _at(frame.achieved, distance)
    moved = elementwise(np.fmin, _at(frame.stderr, distance) / steepness, most)
    sharp = most * np.exp(-((_LEAST_ERROR * decay_length.fillna(0.0) / most) ** 2))
    error: xr.Variable = elementwise(np.hypot, moved, sharp).where(depth.notnull())
    return error


def _at(samples: Any, distance: xr.Variable) -> xr.Variable:
    """Look up a quantity at the samples of the least `distance` from depths."""
    dim = samples.dims[-1]
    nearest: xr.Variable = samples.where(distance == distance.min(str(dim))).max(dim)
    return nearest


def add_unresolved(
    frame: Frame, stderr: xr.Variable, length: xr.Variable, start: xr.Variable, stop: xr.Variable
) -> xr.Variable:
    """Return standard errors of decay lengths d; of restored profiles with the unresolved part.

    With r the least achieved resolution, edges of all lengths below r / 4 are restored alike:
    ``d exp[-(d / 0.25 r)^2]`` is part of the error.
    """
    if frame.achieved is None:
        return stderr
    between = (frame.depth >= start) & (frame.depth <= stop)
    least = frame.achieved.where(between).min(frame.dim)
    unresolved = (length * np.exp(-((length / (_UNRESOLVED * least)) ** 2))).fillna(0.0)
    total: xr.Variable = (stderr**2 + unresolved**2) ** 0.5
    return total
