"""The window of depths that a question looks at, and the samples that its answer rests on."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from sims_analysis.analysis._frame import Frame
from sims_analysis.analysis._parameters import fill_unknown_limit, refuse_reversed

__all__ = ["read_window", "samples_used"]


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
