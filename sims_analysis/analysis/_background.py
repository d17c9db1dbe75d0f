"""Backgrounds to subtract: a stated level, or the mean over a window of depths."""

from __future__ import annotations

from typing import Any

import xarray as xr

from sims_analysis.analysis._frame import Frame
from sims_analysis.analysis._window import Window, message_about_window, read_pair
from sims_analysis.errors import DoseWarning, ProfileError, warn
from sims_analysis.kernels.counting import window_statistics


def background_of(
    frame: Frame, background: Any, *, strict: bool = False, quiet: bool = False
) -> tuple[xr.Variable, Window | None]:
    """Return the background, and the window of depths if it is the mean over one.

    None is a background of 0. A profile without a sample in the window has no background (NaN):
    this is a warning, or an error with `strict` or if it is true of all profiles.
    """
    if background is None:
        return xr.Variable((), 0.0), None
    if not isinstance(background, tuple | list):
        return frame.parameter(background, (frame.kind,), "background"), None
    if len(background) != 2:
        raise ProfileError(f"background={background!r}; expected a value or (start, stop)")
    window = read_pair(frame, background, "background")
    found = frame.map(window_statistics, *window)
    if not (frame.lazy or quiet):
        measured = frame.measured()
        empty = (found.n == 0) & measured
        message = message_about_window(frame, window, empty, "no sample in the background window")
        if message is not None:
            if strict or bool((empty == measured).all()):
                raise ProfileError(message)
            warn(f"{message}: without a background there is no result", DoseWarning)
    return found.mean, window


def stderr_without_counts(frame: Frame, window: Window) -> xr.Variable:
    """Return the standard error of the mean over a window without a count; 0 for other windows."""
    if frame.stderr is None or frame.counts is None:
        return xr.Variable((), 0.0)
    start, stop = window
    inside = ~((frame.depth < start) | (frame.depth > stop)) & frame.value.notnull()
    upper: xr.Variable = without_counts(
        frame.stderr, frame.counts, inside, frame.dim, frame.fraction
    )
    return upper


def without_counts(stderr: Any, counts: Any, inside: Any, dim: str, fraction: Any) -> Any:
    """Return the upper end of the 68 % interval of a mean of n zero counts; 0 if any is not zero.

    That is 1.84 counts over n, all of them in the sample where one count stands for the largest
    value (see :func:`sims_analysis.kernels.variance.variance_of_zero_counts`). The standard error
    of a sample with zero counts is half of 1.84 counts.
    """
    number = inside.sum(dim)
    none = (number > 0) & ~((counts != 0) & inside).any(dim)
    upper = 2.0 * stderr.where(inside).max(dim) / (number * fraction)
    return upper.where(none, 0.0)
