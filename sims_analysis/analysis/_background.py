"""What is subtracted from a profile: a stated level, or the mean over a window of depths."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from sims_analysis.analysis._call import told
from sims_analysis.analysis._frame import Frame
from sims_analysis.analysis._parameters import anywhere
from sims_analysis.errors import DoseWarning, ProfileError, warn
from sims_analysis.kernels import background as kernels
from sims_analysis.kernels.counting import variance_of_nothing
from sims_analysis.kernels.propagation import variance
from sims_analysis.kernels.shape import window_statistics

__all__ = [
    "background_of",
    "record",
    "told_of_window",
    "variance_above",
    "variance_counted",
    "variance_of_sum",
]

Window = tuple[xr.Variable, xr.Variable]


def background_of(
    frame: Frame, background: Any, *, strict: bool = False, quiet: bool = False
) -> tuple[xr.Variable, Window | None]:
    """Give the background, and the window of depths over which it is the mean, if it is one.

    Where one of several profiles has no sample in the window, it has no background (NaN), with a
    warning; an error if `strict`, or if none of them has.
    """
    if not isinstance(background, tuple | list):
        return frame.parameter(background, (frame.kind,), "background"), None
    if len(background) != 2:
        raise ProfileError(f"background={background!r}; expected a value or (start, stop)")
    a = frame.parameter(background[0], ("depth",), "background start")
    b = frame.parameter(background[1], ("depth",), "background stop")
    if anywhere(a >= b):
        raise ProfileError(f"background={told(background)}: the window ends before it starts")
    mean, _, count = frame.map(
        window_statistics, a, b, outputs=[({}, float), ({}, float), ({}, np.intp)]
    )
    if not (frame.lazy or quiet):
        measured = frame.measured()
        _speak_of_empty(frame, (a, b), (count == 0) & measured, measured, strict=strict)
    return mean, (a, b)


def _speak_of_empty(
    frame: Frame, window: Window, empty: xr.Variable, measured: xr.Variable, *, strict: bool
) -> None:
    """Warn of profiles without a sample in the window, or raise."""
    message = told_of_window(frame, window, empty, "no sample in the background window")
    if message is None:
        return
    if strict or bool((empty == measured).all()):
        raise ProfileError(message)
    warn(f"{message}: without a background it has no answer", DoseWarning)


def told_of_window(frame: Frame, window: Window, where: xr.Variable, what: str) -> str | None:
    """Say of the profiles marked what is wrong with their window, and where they were measured."""
    marked = np.argwhere(where.data)
    if not len(marked):
        return None
    here = tuple(marked[0])
    ends = [
        float(np.broadcast_to((end + 0 * where).transpose(*where.dims).data, where.shape)[here])
        for end in window
    ]
    others = f" and {len(marked) - 1} more" if len(marked) > 1 else ""
    return (
        f"{frame.label(*here)}{others}: {what}, {ends[0]:g} to {ends[1]:g} nm; the record runs "
        f"from {record(frame, *here)}"
    )


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
    """Give the variance of an integral (see the kernel)."""
    return (variance(depth, value, stderr, start, stop),)


def variance_counted(
    frame: Frame, variance: xr.Variable, limits: Window, held: xr.Variable
) -> xr.Variable:
    """Put the variance of what may have been there where nothing was counted."""
    if frame.stderr is None or frame.counts is None:
        return variance
    if not frame.lazy and not (np.asarray(variance.data) == 0).any():
        return variance
    (most,) = frame.map(_of_nothing, *limits, held, outputs=[({}, float)], stderr=True)
    counted: xr.Variable = variance.where(variance != 0, most)
    return counted


def _of_nothing(
    depth: Any, value: Any, stderr: Any, start: Any, stop: Any, held: Any
) -> tuple[Any]:
    return (variance_of_nothing(depth, value, stderr, start, stop, held),)


def record(frame: Frame, *profile: Any) -> str:
    """Tell from where to where a profile was measured, for messages."""
    value = np.asarray(frame.value.data)[tuple(profile[: len(frame.lead)])]
    own = np.asarray(frame.depth.data)
    depth = own if own.ndim == 1 else own[tuple(profile[: len(frame.lead)])]
    measured = depth[~(np.isnan(value) | np.isnan(depth))]
    return f"{measured.min():g} to {measured.max():g} nm" if measured.size else "nowhere"
