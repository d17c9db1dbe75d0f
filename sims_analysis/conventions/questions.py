"""The question of a result: as recorded or, without a record, from its variables."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import xarray as xr

from sims_analysis.errors import UnitsError
from sims_analysis.units import Unit, read_number, read_quantity
from sims_analysis.vocabulary import AXES, VALUE_KINDS

Result = xr.Dataset | xr.DataArray

#: Function -> its main variable, and one by which a result without a record is known, the rarest
#: first.
_FUNCTIONS = {
    "fit": ("", "window_start"),
    "metallurgical_junctions": ("depth", "polarity"),
    "crossings": ("depth", "direction"),
    "dose_budget": ("dose", "random_stderr"),
    "peak": ("depth", "fwhm"),
    "layers": ("thickness", "thickness"),
    "interface": ("position", "position"),
    "decay_length": ("decay_length", "decay_length"),
    "junction_depth": ("junction_depth", "junction_depth"),
    "integrated_dose": ("dose", "dose"),
    "deconvolve": ("refolded", "refolded"),
}


def function_of(result: Result) -> str:
    """Return the name of the function that gave a result; empty if it is not known."""
    recorded = str(_question(result).get("function", ""))
    names = [str(result.name)] if isinstance(result, xr.DataArray) else list(result.data_vars)
    matches = (name for name, (_, variable) in _FUNCTIONS.items() if variable in names)
    return recorded or next(matches, "")


def _question(result: Result) -> dict[str, Any]:
    try:
        question: dict[str, Any] = json.loads(str(result.attrs.get("question", "{}")))
    except json.JSONDecodeError:
        return {}
    return question


def argument_of(result: Result, name: str) -> Any:
    """Return an argument of the recorded question; None if not given, NaN if it differed."""
    value = _question(result).get("parameters", {}).get(name)
    if not isinstance(value, dict):
        return value
    values = np.ravel(value.get("values", [])).tolist()
    single = len(values) == 1 and values[0] is not None and "units" in value
    return f"{values[0]} {value['units']}" if single else np.nan


def main_variable(function: str) -> str:
    """Return the variable that is the answer of a function; empty if it has none."""
    return _FUNCTIONS.get(function, ("", ""))[0]


def answer_of(result: Result) -> xr.DataArray:
    """Return the main variable of a result."""
    if isinstance(result, xr.DataArray):
        return result
    variable = main_variable(function_of(result))
    return result["sputter_time" if variable == "depth" and variable not in result else variable]


def has(result: Result, name: str) -> bool:
    """Whether a result has a coordinate or, if it is a Dataset, a variable of this name."""
    return name in result.coords or (isinstance(result, xr.Dataset) and name in result)


def window_of(result: Result, first: float, last: float) -> tuple[float, float] | None:
    """Return the window of a result, within its `first` and `last` sample, or None."""
    try:
        start, stop = _limit(result, "start", first), _limit(result, "stop", last)
        if argument_of(result, "surface") == "exclude":
            # A budget that excludes the surface begins below it, whatever its window.
            start = max(
                start, read_number(argument_of(result, "surface_depth"), AXES, "surface_depth")
            )
    except UnitsError:
        return None
    return (start, stop) if has(result, "start") or _question(result) else None


def _limit(result: Result, name: str, end: float) -> float:
    """Return a limit that a result carries, or that of its question, or the end of the data."""
    if has(result, name):
        carried = float(result[name])
        return end if np.isnan(carried) else carried
    stated = argument_of(result, name)
    return end if stated is None else read_number(stated, AXES, name)


def level_of(result: Result) -> tuple[float, Unit] | None:
    """Return the level of a question, canonical, with its unit; None if it is not known."""
    try:
        value, unit = read_quantity(argument_of(result, "level"), VALUE_KINDS, "level")
    except UnitsError:
        return None
    return float(value), unit
