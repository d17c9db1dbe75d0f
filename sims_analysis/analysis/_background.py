"""What is subtracted from a profile: a stated level, or the mean over a window of depths."""

from __future__ import annotations

from typing import Any

import xarray as xr

from sims_analysis.analysis._call import format_argument
from sims_analysis.analysis._frame import Frame
from sims_analysis.analysis._parameters import anywhere, broadcast_at
from sims_analysis.analysis._warnings import first_marked
from sims_analysis.errors import DoseWarning, ProfileError, warn
from sims_analysis.kernels.counting import window_statistics

__all__ = ["Window", "background_of", "message_about_window"]

Window = tuple[xr.Variable, xr.Variable]


def background_of(
    frame: Frame, background: Any, *, strict: bool = False, quiet: bool = False
) -> tuple[xr.Variable, Window | None]:
    """Return the background, and the window of depths over which it is the mean, if it is one.

    Where one of several profiles has no sample in the window, it has no background (NaN), with a
    warning; an error if `strict`, or if none of them has.
    """
    if not isinstance(background, tuple | list):
        return frame.parameter(background, (frame.kind,), "background"), None
    if len(background) != 2:
        raise ProfileError(f"background={background!r}; expected a value or (start, stop)")
    a = frame.parameter(background[0], (frame.axis,), "background start")
    b = frame.parameter(background[1], (frame.axis,), "background stop")
    if anywhere(a >= b):
        raise ProfileError(
            f"background={format_argument(background)}: the end must lie deeper than the start"
        )
    found = frame.map(window_statistics, a, b)
    if not (frame.lazy or quiet):
        measured = frame.measured()
        empty = (found.n == 0) & measured
        message = message_about_window(frame, (a, b), empty, "no sample in the background window")
        if message is not None:
            if strict or bool((empty == measured).all()):
                raise ProfileError(message)
            warn(f"{message}: without a background it has no answer", DoseWarning)
    return found.mean, (a, b)


def message_about_window(
    frame: Frame, window: Window, marked: xr.Variable, what: str
) -> str | None:
    """Write what is wrong with the window of the profiles marked, and where they were measured."""
    found = first_marked(frame, marked)
    if found is None:
        return None
    label, place = found
    a, b = (broadcast_at(end, marked, place) for end in window)
    return (
        f"{label}: {what}, {a:g} to {b:g} {frame.axis_units}; the record runs "
        f"from {frame.record(marked, place)}"
    )
