"""What is subtracted from a profile: a stated level, or the mean over a window of depths."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from sims_analysis.analysis._frame import Frame
from sims_analysis.errors import ProfileError
from sims_analysis.kernels import background as kernels
from sims_analysis.kernels.dose import variance
from sims_analysis.kernels.shape import window_statistics

__all__ = ["background_of", "span", "variance_above", "variance_of_sum"]

Window = tuple[xr.Variable, xr.Variable]


def background_of(frame: Frame, background: Any) -> tuple[xr.Variable, Window | None]:
    """Give the background, and the window of depths over which it is the mean, if it is one."""
    if not isinstance(background, tuple | list):
        return frame.parameter(background, (frame.kind,), "background"), None
    if len(background) != 2:
        raise ProfileError(f"background={background!r}; expected a value or (start, stop)")
    a = frame.parameter(background[0], ("depth",), "background start")
    b = frame.parameter(background[1], ("depth",), "background stop")
    if bool((a >= b).any()):
        raise ProfileError(f"background={background!r}: the window ends before it starts")
    mean, _, count = frame.map(
        window_statistics, a, b, outputs=[({}, float), ({}, float), ({}, np.intp)]
    )
    empty = count == 0
    if not frame.lazy and bool((empty & frame.value.notnull().any(frame.dim)).any()):
        where = np.argwhere((empty & frame.value.notnull().any(frame.dim)).data)[0]
        raise ProfileError(
            f"background={background!r}: {frame.label(*where)} has no sample in that window; "
            f"the axis spans {span(frame)}"
        )
    return mean, (a, b)


def variance_above(frame: Frame, limits: Window, window: Window, held: xr.Variable) -> xr.Variable:
    """Give the variance of an integral above the mean over a window (see the kernel)."""
    (found,) = frame.for_sums().map(
        _variance_above, *limits, *window, held, outputs=[({}, float)], stderr=True
    )
    return found


def _variance_above(
    depth: Any, value: Any, stderr: Any, start: Any, stop: Any, a: Any, b: Any, held: Any
) -> tuple[Any]:
    return (kernels.variance_above(depth, value, stderr, start, stop, (a, b), held),)


def variance_of_sum(depth: Any, value: Any, stderr: Any, start: Any, stop: Any) -> tuple[Any]:
    """Give the variance of an integral; NaN where the error of a sample in it is not known."""
    # A sample that was not measured has no weight, whatever its standard error says.
    absent = np.isnan(value)
    unknown = np.isnan(stderr) & ~absent
    known = np.where(absent, np.nan, np.where(unknown, 0.0, stderr))
    total = variance(depth, known, start, stop)
    if unknown.any():
        # One sample that bears on the sum and has no error leaves that of the sum unknown.
        part = variance(depth, np.where(absent, np.nan, unknown * 1.0), start, stop)
        total = np.where(part > 0, np.nan, total)
    return (total,)


def span(frame: Frame) -> str:
    """Tell from where to where the axis runs, for messages."""
    depth = np.asarray(frame.depth.data)
    return f"{np.nanmin(depth):g} to {np.nanmax(depth):g} nm"
