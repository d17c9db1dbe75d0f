"""Near the surface: values held up to the surface, and surface transients."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from sims_analysis.analysis._frame import Frame
from sims_analysis.analysis._warnings import first_flagged
from sims_analysis.errors import ProfileWarning, warn
from sims_analysis.kernels.peak import surface_transient
from sims_analysis.kernels.rows import Status, ends

__all__ = ["Held", "held_to_surface", "mark_transient", "warn_of_transient"]


class Held(NamedTuple):
    """The value of the first sample, held from the surface (or the start) down to its depth."""

    value: xr.Variable
    top: xr.Variable
    width: xr.Variable
    #: Start of the integral over samples: the first sample (NaN) if the held values reach it.
    start: xr.Variable
    #: Whether the interval ends above the first sample, so that only held values are in it.
    alone: xr.Variable


def held_to_surface(frame: Frame, start: xr.Variable, stop: xr.Variable) -> Held:
    """Return the held value and its interval between two limits (NaN: no limit)."""
    found: Any = frame.map(ends)
    first = found.first
    top = start.fillna(0.0).clip(min=0.0)
    bottom = stop.fillna(np.inf)
    bottom = bottom.where(bottom < first, first)
    width = (bottom - top).clip(min=0.0).fillna(0.0)
    reaches = (start >= 0) & (start < first)
    own = start + 0 * first  # one for each profile, even where the limit is one for all
    return Held(
        value=found.first_value,
        top=top,
        width=width,
        start=own.where(~reaches),
        alone=(stop <= first) & (width > 0),
    )


def warn_of_transient(
    frame: Frame, start: xr.Variable, stop: xr.Variable, among: xr.Variable
) -> xr.Variable:
    """Warn if a window of the profiles `among` begins in a surface transient.

    Returns
    -------
    Variable of bool
        The profiles for which this is true. There is no warning on Dask.
    """
    found: Any = frame.map(surface_transient, start, stop, errors="fit")
    flagged: xr.Variable = found.depth.notnull() & among
    first = first_flagged(frame, flagged)
    if first is not None:
        at, value, deeper, less = map(first.of, found)
        warn(
            f"{first.label}: the maximum, {value:.3g} {frame.units} at {at:g} {frame.axis_units}, "
            f"is the first sample of the window, and another lies deeper, {less:.3g} {frame.units} "
            f"at {deeper:g} {frame.axis_units}; set start= below the surface transient to exclude "
            "it",
            ProfileWarning,
        )
    return flagged


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
