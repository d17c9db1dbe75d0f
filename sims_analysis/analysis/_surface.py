"""What lies between the surface and the first samples: held values, and the transient's end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from sims_analysis.analysis._background import record
from sims_analysis.analysis._frame import Frame
from sims_analysis.errors import DoseWarning, warn
from sims_analysis.kernels import dose as kernels
from sims_analysis.kernels.windows import ends, first_two

__all__ = ["Held", "held", "warn_of_surface_depth"]


@dataclass(frozen=True)
class Held:
    """The first sample's value, held from the surface (or the start) down to its depth."""

    value: xr.Variable
    top: xr.Variable
    width: xr.Variable
    #: Where the samples begin to count: the profile's own end, if held values reach it.
    start: xr.Variable
    #: Whether the interval ends above the first sample.
    alone: xr.Variable
    #: What the held part adds to the variance, as far as the data state errors.
    variance: xr.Variable


def held(frame: Frame, start: xr.Variable, stop: xr.Variable) -> Held:
    first, at, error, weight = frame.for_sums().map(
        _first_sample, start, stop, outputs=[({}, float)] * 4, stderr="each"
    )
    top = xr.Variable(start.dims, np.fmax(start.data, 0.0))
    bottom = xr.apply_ufunc(np.fmin, at, stop, dask="allowed")
    width = (bottom - top).clip(min=0.0)
    reaches = (start >= 0) & (start < at)
    shared: Any = 1.0 if frame.independent is None else 1.0 / frame.independent
    return Held(
        value=first,
        top=top,
        width=width,
        start=(start + 0 * at).where(~reaches),
        alone=(stop <= at) & (width > 0),
        # The same sample is in the measured part: its errors add before they are squared.
        # On a grid, so are the others that share it.
        variance=error**2 * width * (width + 2 * weight * shared),
    )


def _first_sample(
    depth: Any, value: Any, stderr: Any, start: Any, stop: Any
) -> tuple[Any, Any, Any, Any]:
    """Give value, depth, standard error and weight of the first sample of each row."""
    at, after, column = first_two(depth, value)
    some = column >= 0

    def pick(array: Any) -> Any:
        found = np.take_along_axis(array, np.maximum(column, 0)[..., None], -1)[..., 0]
        return np.where(some, found, np.nan)

    if value.shape[-1] == 0:
        nothing = np.full(some.shape, np.nan)
        return nothing, nothing, nothing, np.zeros(some.shape)
    # It weighs what it adds to the segment between it and the next: the integral of 1 there and
    # 0 here.
    alone = np.zeros((*some.shape, 2))
    alone[..., 0] = 1.0
    weight = kernels.integrate(np.stack([at, after], axis=-1), alone, start, stop).value
    error = np.full(some.shape, np.nan) if stderr is None else pick(stderr)
    return pick(value), at, error, np.nan_to_num(weight)


def warn_of_surface_depth(frame: Frame, surface_depth: Any) -> bool:
    """Warn where the transient is said to end above the first sample, or below the last."""
    if surface_depth is None:
        return False
    depth = frame.parameter(surface_depth, ("depth",), "surface_depth")
    if frame.lazy:
        return False
    first, last = frame.map(ends, outputs=[({}, float), ({}, float)])
    outside = ((depth < first) | (depth > last)).transpose(*frame.lead, ...)
    where = np.argwhere(outside.data)
    if not len(where):
        return False
    here = where[0][: len(frame.lead)]
    at = float((depth + 0.0 * first).transpose(*frame.lead, ...).data[tuple(where[0])])
    others = f" and {len(where) - 1} more" if len(where) > 1 else ""
    warn(
        f"{frame.label(*here)}{others}: surface_depth, {at:g} nm, lies outside the record, "
        f"{record(frame, *here)}",
        DoseWarning,
    )
    return True
