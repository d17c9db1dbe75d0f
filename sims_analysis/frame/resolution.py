"""What the achieved resolution of restored profiles does to a depth that is read from them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from sims_analysis.frame.background import Answer, common_error
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.run import elementwise

#: A depth is not known better than to this part of the achieved resolution at a sharp edge.
_KNOWN = 0.35
#: Decay lengths below this part of the achieved resolution may be those of steps.
_UNRESOLVED = 0.25


def add_resolution_error(
    frame: Frame,
    stderr: xr.Variable,
    depth: xr.Variable,
    decay_length: xr.Variable,
    answer: Answer,
    *,
    group: str | None = None,
) -> xr.Variable:
    """Return the standard errors of depths, for restored profiles those of what is restored.

    Errors of neighbours within the achieved resolution R are all but the same: half of the change
    of the depth (which `answer` computes from a frame) from values a standard error too high to
    values as much too low. And a restored edge that is steeper than R is an exponential, whatever
    the true one was: ``0.35 R exp[-(d / R)^2]``, with d the decay length. Profiles along `group`
    make one depth together.
    """
    if frame.achieved is None or frame.stderr is None:
        return stderr
    away = abs(frame.depth - depth)
    most = _KNOWN * _at(frame.achieved, away)
    own, moves = decay_length.fillna(0.0), 1.0
    parts: list[tuple[xr.Variable, xr.Variable]] = [(frame.stderr, most)]
    if group is not None:
        # Each edge has a decay length of its own, and moves the depth as far as it is the steeper.
        own = 1.0 / _at(abs(_slope(frame)), away)
        moves = (decay_length / own).fillna(0.0)
        here = xr.Variable(group, np.arange(frame.value.sizes[group]))
        parts = [
            (frame.stderr.where(here == i, 0.0), most.isel({group: i})) for i in range(here.size)
        ]
    sharp = (moves * most * np.exp(-((_KNOWN * own / most) ** 2))) ** 2
    variance: Any = sharp if group is None else sharp.sum(group)
    for one, limit in parts:
        common = common_error(replace(frame, common=one.fillna(0.0), overlap=None), answer)
        assert common is not None  # noqa: S101 - the frame has one
        # As far as the limit, too, where there is no depth any more.
        variance = variance + common.stderr.where(common.stderr < limit, limit) ** 2
    total: xr.Variable = (variance**0.5).where(depth.notnull())
    return total.transpose(*depth.dims)


def _at(samples: xr.Variable, away: xr.Variable) -> xr.Variable:
    """Look up a quantity at the samples that are nearest to depths, so far `away`."""
    dim = samples.dims[-1]
    found: xr.Variable = samples.where(away == away.min(str(dim))).max(dim)
    return found


def _slope(frame: Frame) -> xr.Variable:
    """Return the slope of ln C at each sample; NaN at the ends."""
    sides = [{frame.dim: 1}, {frame.dim: -1}]
    logs, depths = (
        [one.astype(float).shift(side, np.nan) for side in sides]
        for one in (elementwise(np.log, frame.value.where(frame.value > 0)), frame.depth)
    )
    found: xr.Variable = (logs[1] - logs[0]) / (depths[1] - depths[0])
    return found


def add_unresolved(
    frame: Frame, stderr: xr.Variable, length: xr.Variable, start: xr.Variable, stop: xr.Variable
) -> xr.Variable:
    """Return standard errors of decay lengths d, of restored profiles with what is not resolved.

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
