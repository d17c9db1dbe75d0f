"""Samples that a file gives as ``<5E15``: they have no value, and answers across them say so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from sims_analysis.errors import SimsWarning, warn
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.messages import First, first_flagged
from sims_analysis.frame.window import Window

__all__ = [
    "MEAN_OF_OTHERS",
    "among_hidden",
    "filled",
    "hidden_matter",
    "hidden_within",
    "run_of_hidden",
    "unfilled",
    "warn_of_hidden",
]

#: What a mean over a window is without its hidden samples.
MEAN_OF_OTHERS = "the mean of the others is too high"


def _hidden(frame: Frame) -> Any:
    """Flag the samples without a value that are known to be below a limit."""
    return frame.censored.notnull() & frame.value.isnull()  # type: ignore[union-attr]  # by callers


def among_hidden(frame: Frame, at: xr.Variable) -> Any:
    """Flag the depths that lie between two neighbouring values, with hidden samples between."""
    if frame.censored is None:
        return False
    z, dim, known = frame.depth, frame.dim, frame.value.notnull()
    before: Any = z.where(known & (z <= at)).max(dim)
    after: Any = z.where(known & (z >= at)).min(dim)
    return (_hidden(frame) & (z > before) & (z < after)).any(dim)


def filled(frame: Frame) -> Frame:
    """Return the frame with 0 for hidden samples, for what is told that they are below a limit."""
    return replace(frame, value=frame.value.where(~_hidden(frame), 0.0))


def unfilled(frame: Frame) -> Frame:
    """Return the frame as it was before it was filled."""
    limits: Any = frame.censored
    return replace(frame, value=frame.value.where(limits.isnull() | (frame.value != 0)))


def hidden_within(frame: Frame, window: Window) -> Any:
    """Flag the profiles with hidden samples between two values of a window (NaN: no limit)."""
    if frame.censored is None:
        return False
    (start, stop), z, dim = window, frame.depth, frame.dim
    inside: Any = frame.value.notnull() & ~(z < start) & ~(z > stop)
    first, last = z.where(inside).min(dim), z.where(inside).max(dim)
    return (_hidden(frame) & (z > first) & (z < last)).any(dim)


#: The part of an answer that may be due to samples below their limit of detection.
_HIDDEN = 0.01


def hidden_matter(
    frame: Frame,
    value: xr.Variable,
    stderr: xr.Variable | None,
    answer: Callable[[Frame], xr.Variable],
    *,
    least: float = 0.0,
) -> Any:
    """Flag the answers that depend on hidden samples, which may be anything up to their limit.

    The question is asked again with these at 0, and at their limit. An answer depends on them if it
    changes by more than its standard error and by more than a part of it, which is taken to be at
    least `least`.
    """
    if frame.censored is None:
        return False
    error: Any = 0.0 if stderr is None else stderr.fillna(0.0)
    enough: Any = np.maximum(error, _HIDDEN * abs(value).clip(min=least))
    plain = replace(frame, stderr=None, counts=None, common=None, overlap=None, censored=None)
    hidden, dependent = _hidden(frame), xr.Variable((), data=False)
    for instead in (0.0, frame.censored):
        of_all = answer(replace(plain, value=frame.value.where(~hidden, instead)))
        dependent = dependent | (abs(of_all - value) > enough)
    return dependent


def warn_of_hidden(
    frame: Frame, window: Window, what: str, category: type[SimsWarning]
) -> xr.Variable:
    """Return how many samples in a window are hidden, and warn of the first profile with some.

    `what` says what the others make then. NaN is no limit; on Dask there is no warning.
    """
    if frame.censored is None:
        return xr.Variable((), 0)
    start, stop = window
    z = frame.depth
    inside: Any = _hidden(frame) & ~(z < start) & ~(z > stop)
    number: xr.Variable = inside.sum(frame.dim)
    first = first_flagged(frame, number > 0)
    if first is not None:
        limit = first.of(frame.censored.where(inside).max(frame.dim))
        warn(
            f"{first.label}: {first.of(number):.0f} samples in the window are below their limit "
            f"of detection, {limit:.3g} {frame.units}, and have no value: {what}",
            category,
        )
    return number


def run_of_hidden(first: First, start: float, stop: float) -> tuple[float, float] | None:
    """Return the values' depths around the first hidden samples about a window; None without."""
    frame = first.frame
    if frame.censored is None:
        return None
    parts = (frame.depth, frame.value, frame.censored)
    z, value, limit = np.broadcast_arrays(
        *(one.isel(first.index, missing_dims="ignore").values for one in parts)
    )
    known, hidden = z[~np.isnan(value)], z[np.isnan(value) & ~np.isnan(limit)]
    low = known[known <= start].max(initial=-np.inf) if np.isfinite(start) else -np.inf
    high = known[known >= stop].min(initial=np.inf) if np.isfinite(stop) else np.inf
    for depth in np.sort(hidden[(hidden > low) & (hidden < high)]):
        if known.min(initial=np.inf) < depth < known.max(initial=-np.inf):
            return float(known[known < depth].max()), float(known[known > depth].min())
    return None
