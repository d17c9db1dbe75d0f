"""The window of depths of a question, and the samples used in it."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from sims_analysis.analysis._frame import Frame
from sims_analysis.analysis._parameters import anywhere
from sims_analysis.analysis._warnings import first_flagged
from sims_analysis.errors import ProfileError, ProfileWarning, SimsWarning, warn
from sims_analysis.kernels.counting import window_statistics
from sims_analysis.text.arguments import format_argument

__all__ = ["Window", "read_pair", "read_window", "samples_used", "warn_of_empty_window"]

Window = tuple[xr.Variable, xr.Variable]


def read_window(frame: Frame, start: Any, stop: Any) -> Window:
    """Read the limits of a window; NaN means no limit.

    An unknown limit (NaN in a DataArray) becomes infinite, so that no sample lies in the window.
    """
    a = frame.parameter(start, (frame.axis,), "start", unknown=np.inf)
    b = frame.parameter(stop, (frame.axis,), "stop", unknown=-np.inf)
    reverse: Any = (a >= b) & np.isfinite(a - b)
    first = first_flagged(frame, reverse)
    if first is not None:
        where, texts = "", [format_argument(start), format_argument(stop)]
        if isinstance(start, xr.DataArray) or isinstance(stop, xr.DataArray):
            where = f"{first.label}: "
            texts = [f"{first.of(limit):g} {frame.axis_units}" for limit in (a, b)]
        raise ProfileError(
            f"{where}start must come before stop, found start={texts[0]} and stop={texts[1]}"
        )
    return a, b


def read_pair(frame: Frame, pair: tuple[Any, Any] | list[Any], name: str) -> Window:
    """Read the two depths of a window that has both."""
    a, b = (
        frame.parameter(end, (frame.axis,), f"{name} {which}")
        for end, which in zip(pair, ("start", "stop"), strict=True)
    )
    if anywhere(a >= b):
        raise ProfileError(f"{name}={format_argument(pair)}: the start must come before the end")
    return a, b


def warn_of_empty_window(
    frame: Frame, window: Window, category: type[SimsWarning] = ProfileWarning
) -> None:
    """Warn of profiles that were measured, but not in this window (NaN: no limit).

    Unknown limits, which are infinite, have no window.
    """
    start, stop = window
    if frame.lazy or not anywhere(start.notnull() | stop.notnull()):
        return
    known: Any = ~(np.isinf(start) | np.isinf(stop))
    empty = (frame.map(window_statistics, start, stop).n == 0) & known & frame.measured()
    first = first_flagged(frame, empty)
    if first is not None:
        ends = {"start": first.of(start), "stop": first.of(stop)}
        given = [f"{name}={x:g} {frame.axis_units}" for name, x in ends.items() if np.isfinite(x)]
        warn(
            f"{first.label}: no sample in the window {', '.join(given)}; the record runs from "
            f"{first.record}",
            category,
        )


def samples_used(frame: Frame, first: xr.Variable, last: xr.Variable) -> dict[str, xr.Variable]:
    """Return the depths of the first and last sample used for a result."""
    found = {"start": frame.with_attrs(first, "depth"), "stop": frame.with_attrs(last, "depth")}
    found["start"].attrs["long_name"] = "First sample used"
    found["stop"].attrs["long_name"] = "Last sample used"
    return found
