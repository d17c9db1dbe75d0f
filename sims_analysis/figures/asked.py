"""The window, level and edge that a result was computed for, from its recorded call."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from sims_analysis.errors import UnitsError
from sims_analysis.units import Unit, read_quantity
from sims_analysis.vocabulary import VALUE_KINDS

if TYPE_CHECKING:
    from sims_analysis.figures.curves import Curve

__all__ = ["argument_of", "edge_of", "has", "window_of"]


def window_of(
    result: xr.Dataset | xr.DataArray, curve: Curve, window: tuple[Any, Any] | None = None
) -> tuple[float, float] | None:
    """Return the limits of a result, within the samples of its curve; None if they are not known.

    Parameters
    ----------
    result : Dataset or DataArray
        Of one profile. Its own ``start`` and ``stop`` are used, or those of its recorded call.
    curve : Curve
    window : (start, stop), optional
        As the user states it, which takes precedence.
    """
    x = curve.series.x
    limits = [float(x[0]), float(x[-1])]
    for i, name in enumerate(("start", "stop")):
        asked: Any = None if window is None else window[i]
        if asked is None and has(result, name):
            carried = float(result[name])
            limits[i] = limits[i] if np.isnan(carried) else carried
            continue
        if asked is None:
            try:
                asked = _asked(result, name)
                limit = limits[i] if asked is None else read_quantity(asked, ("depth",), name)[0]
            except (SyntaxError, ValueError, UnitsError):
                # For example limits that differ between profiles: their values are not in the call.
                return None
        else:
            limit = read_quantity(asked, ("depth",), name)[0]
        limits[i] = float(limit)
    start, stop = max(limits[0], float(x[0])), min(limits[1], float(x[-1]))
    return (start, stop) if start <= stop else None


def argument_of(result: xr.Dataset | xr.DataArray, name: str) -> tuple[float, Unit] | None:
    """Read a number with a unit from the recorded call: canonical, with its unit.

    None if the call is not known, or the value differs between profiles.
    """
    try:
        asked = _asked(result, name)
        if not isinstance(asked, str):
            return None
        value, unit = read_quantity(asked, VALUE_KINDS, name)
    except (SyntaxError, ValueError, UnitsError):
        return None
    return float(value), unit


def edge_of(result: xr.Dataset | xr.DataArray) -> str:
    """Return the edge on which a junction was searched for; empty if the call is not known."""
    try:
        return str(_asked(result, "edge") or "")
    except (SyntaxError, ValueError):
        return ""


def has(result: xr.Dataset | xr.DataArray, name: str) -> bool:
    """Whether a result has a coordinate or, if it is a Dataset, a variable of this name."""
    return name in result.coords or (isinstance(result, xr.Dataset) and name in result)


def _asked(result: xr.Dataset | xr.DataArray, name: str) -> Any:
    """Read an argument from the recorded call."""
    call = ast.parse(str(result.attrs.get("call", "none()")), mode="eval").body
    found = {keyword.arg: keyword.value for keyword in getattr(call, "keywords", ())}

    def argument(key: str) -> Any:
        return ast.literal_eval(found[key]) if key in found else None

    asked = argument(name)
    if name == "start" and argument("surface") == "exclude":
        # A budget that excludes the surface begins below it, whatever its window.
        below = argument("surface_depth")
        if asked is None or _nm(below) > _nm(asked):
            return below
    return asked


def _nm(depth: Any) -> float:
    magnitude: float = read_quantity(depth, ("depth",), "depth")[0]
    return magnitude
