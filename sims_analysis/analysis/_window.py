"""The window of depths that a question looks at, and what its answer rests on there."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from sims_analysis.analysis._frame import Frame
from sims_analysis.analysis._parameters import broadcast_at, fill_unknown_limit, refuse_reversed
from sims_analysis.analysis._warnings import first_marked
from sims_analysis.errors import SimsWarning, warn
from sims_analysis.kernels.rows import Status
from sims_analysis.kernels.transient import deeper_maximum

__all__ = ["mark_transient", "read_window", "samples_used"]


def read_window(frame: Frame, start: Any, stop: Any) -> tuple[xr.Variable, xr.Variable]:
    """Read the ends of a window; NaN is the profile's own."""
    a = frame.parameter(start, (frame.axis,), "start")
    b = frame.parameter(stop, (frame.axis,), "stop")
    refuse_reversed(frame, a, b, (start, stop))
    return fill_unknown_limit(a, start, np.inf), fill_unknown_limit(b, stop, -np.inf)


def samples_used(frame: Frame, first: xr.Variable, last: xr.Variable) -> dict[str, xr.DataArray]:
    """Say from where to where the samples lie that an answer rests on."""
    arrays = {
        "start": frame.array(first, "depth", label="start"),
        "stop": frame.array(last, "depth", label="stop"),
    }
    arrays["start"].attrs["long_name"] = "First sample used"
    arrays["stop"].attrs["long_name"] = "Last sample used"
    return arrays


def mark_transient(
    frame: Frame, start: xr.Variable, stop: xr.Variable, status: xr.Variable
) -> xr.Variable:
    """Call answers truncated, with a warning, whose window begins in another maximum.

    As the surface transient is, where the maximum of the implant lies below it.
    """
    first, deeper = frame.map(deeper_maximum, start, stop, errors="fit")
    cut = deeper.notnull() & ((status == Status.OK) | (status == Status.NEVER_REACHED))
    marked = first_marked(frame, cut)
    if marked is not None:
        label, place = marked
        at, below = (broadcast_at(depth, cut, place) for depth in (first, deeper))
        unit = frame.axis_units
        warn(
            f"{label}: the maximum is the first sample, at {at:g} {unit}, and there is another at "
            f"{below:g} {unit}; the answer takes in both, or the first alone: give the start of "
            "the window below the surface transient",
            SimsWarning,
        )
    judged: xr.Variable = status.where(~cut, Status.TRUNCATED).astype(np.uint8)
    return judged
