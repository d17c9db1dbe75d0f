"""The window of depths of a question, and the samples used in it."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from sims_analysis.analysis._call import format_argument
from sims_analysis.analysis._frame import Frame
from sims_analysis.analysis._parameters import anywhere, broadcast_at, fill_unknown_limit
from sims_analysis.analysis._run import is_lazy
from sims_analysis.analysis._surface import warn_of_transient
from sims_analysis.errors import ProfileError
from sims_analysis.kernels.rows import Status

__all__ = ["mark_transient", "read_pair", "read_window", "samples_used"]


def read_window(frame: Frame, start: Any, stop: Any) -> tuple[xr.Variable, xr.Variable]:
    """Read the limits of a window; NaN means no limit."""
    a = frame.parameter(start, (frame.axis,), "start")
    b = frame.parameter(stop, (frame.axis,), "stop")
    _refuse_reversed(frame, a, b, (start, stop))
    return fill_unknown_limit(a, start, np.inf), fill_unknown_limit(b, stop, -np.inf)


def read_pair(
    frame: Frame, pair: tuple[Any, Any] | list[Any], name: str
) -> tuple[xr.Variable, xr.Variable]:
    """Read the two depths of a window that has both."""
    a, b = (
        frame.parameter(end, (frame.axis,), f"{name} {which}")
        for end, which in zip(pair, ("start", "stop"), strict=True)
    )
    if anywhere(a >= b):
        raise ProfileError(
            f"{name}={format_argument(pair)}: the end must lie deeper than the start"
        )
    return a, b


def samples_used(frame: Frame, first: xr.Variable, last: xr.Variable) -> dict[str, xr.DataArray]:
    """Return the depths of the first and last sample used for a result."""
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
    """Set the status to truncated, with a warning, if the window begins in a surface transient.

    Such results include the transient, with or without the implant below it.
    """
    among = (status == Status.OK) | (status == Status.NEVER_REACHED)
    transient = warn_of_transient(frame, start, stop, among)
    updated: xr.Variable = status.where(~transient, Status.TRUNCATED).astype(np.uint8)
    return updated


def _refuse_reversed(
    frame: Frame, start: xr.Variable, stop: xr.Variable, given: tuple[Any, Any]
) -> None:
    """Refuse a start that is not shallower than the stop; NaN means no limit."""
    two_numbers = start.ndim == stop.ndim == 0 and not (is_lazy(start) or is_lazy(stop))
    if two_numbers and not start.data >= stop.data:  # faster than comparing Variables
        return
    reverse = start >= stop
    if not anywhere(reverse):
        return
    if not any(isinstance(limit, xr.DataArray) for limit in given):
        raise ProfileError(
            f"start must be shallower than stop, found start={format_argument(given[0])} and "
            f"stop={format_argument(given[1])}"
        )
    where = np.argwhere(reverse.values)
    others = f" and {len(where) - 1} more" if len(where) > 1 else ""
    a, b = (broadcast_at(limit, reverse, where[0]) for limit in (start, stop))
    raise ProfileError(
        f"{frame.label_of(reverse, where[0])}{others}: start must be shallower than stop, found "
        f"start={a:g} {frame.axis_units} and stop={b:g} {frame.axis_units}"
    )
