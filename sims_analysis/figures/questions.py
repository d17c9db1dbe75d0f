"""What a result is an answer to: its function, window, level and edge, from its recorded question.

Every argument of a figure takes results of its own functions, and refuses others by name.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from sims_analysis.errors import ProfileError, UnitsError
from sims_analysis.figures.curves import is_by_name, listed
from sims_analysis.units import Unit, read_quantity
from sims_analysis.vocabulary import AXES, VALUE_KINDS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sims_analysis.figures.curves import Curve

    Result = xr.Dataset | xr.DataArray

__all__ = [
    "all_results",
    "answer_of",
    "asked",
    "check_results",
    "function_of",
    "has",
    "level_of",
    "window_of",
]

#: Function -> argument that takes its results, variable that is drawn, and one by which a result
#: without a record is known, the rarest first.
_FUNCTIONS = {
    "metallurgical_junctions": ("junctions", "depth", "polarity"),
    "crossings": ("junctions", "depth", "direction"),
    "dose_budget": ("dose", "dose", "random_stderr"),
    "peak": ("peak", "depth", "fwhm"),
    "layers": ("layers", "thickness", "thickness"),
    "interface": ("interfaces", "position", "position"),
    "decay_length": ("decay_length", "decay_length", "decay_length"),
    "junction_depth": ("junctions", "junction_depth", "junction_depth"),
    "integrated_dose": ("dose", "dose", "dose"),
    "deconvolve": ("restored", "refolded", "refolded"),
}
#: Functions of whose results no variable is enough: one says what another means.
_WHOLE = ("crossings", "metallurgical_junctions", "layers", "interface", "deconvolve")


def check_results(results: Mapping[str, Any], measurements: Collection[str]) -> None:
    """Refuse results of another kind than that for which an argument is, or of one of many.

    Raises
    ------
    ProfileError
        With the argument that takes it, if there is one.
    """
    for argument, given in results.items():
        one = isinstance(given, xr.Dataset | xr.DataArray) and "measurement" not in given.coords
        if one and len(measurements) > 1:
            first = repr(next(iter(measurements)))
            raise ProfileError(
                f"{argument}= is one result, and there are {len(measurements)} measurements: say "
                f"whose it is, as in {argument}={{{first}: ...}}"
            )
        for item in _each(given, argument):
            found = function_of(item)
            right, variable, _ = _FUNCTIONS.get(found, ("", "", ""))
            if right == argument:
                _check_variable(argument, item, variable)
            elif right or argument != "fits":  # of fits, there may be more kinds than are known
                taken = [f"{name}()" for name, (its, *_) in _FUNCTIONS.items() if its == argument]
                advice = f": give it as {right}=" if right else ""
                raise ProfileError(
                    f"{argument}= takes results of {' or '.join(taken or ['fit()'])}; found one "
                    f"of {f'{found}()' if found else 'no known function'}{advice}"
                )


def _check_variable(argument: str, item: Result, variable: str) -> None:
    part = function_of(item) in _WHOLE or getattr(item, "name", None) not in (None, variable, *AXES)
    if isinstance(item, xr.DataArray) and part:
        raise ProfileError(
            f"{argument}= found the variable {str(item.name)!r} of {function_of(item)}(): give the "
            "whole result"
        )


def all_results(results: Mapping[str, Any]) -> list[Any]:
    """List the results in all arguments, for the provenance of a figure."""
    return [item for argument, given in results.items() for item in _each(given, argument)]


def _each(given: Any, argument: str) -> list[Any]:
    """List all results in one argument, whatever they are sorted by."""
    found = []
    for items in given.values() if is_by_name(given) else [given]:
        for item in listed(items, argument):
            nested = not isinstance(item, xr.Dataset | xr.DataArray)
            found += _each(item, argument) if nested and item is not None else listed(item)
    return found


def function_of(result: Result) -> str:
    """Return the name of the function that gave a result; empty if it cannot be told."""
    recorded = str(_question(result).get("function", ""))
    names = [str(result.name)] if isinstance(result, xr.DataArray) else list(result.data_vars)
    held = (name for name, (*_, variable) in _FUNCTIONS.items() if variable in names)
    return recorded or next(held, "")


def _question(result: Result) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(str(result.attrs.get("question", "{}")))
    except json.JSONDecodeError:
        return {}
    return found


def asked(result: Result, name: str) -> Any:
    """Return an argument of the recorded question, as text or number; None if it was not given.

    Raises
    ------
    LookupError
        If it differed between profiles, so that its value for one of them is not recorded.
    """
    value = _question(result).get("parameters", {}).get(name)
    if isinstance(value, dict):
        values = np.ravel(value.get("values", [])).tolist()
        if len(values) != 1 or values[0] is None or "units" not in value:
            raise LookupError(name)
        return f"{values[0]} {value['units']}"
    return value


def answer_of(result: Result) -> xr.DataArray:
    """Return the main variable of a result."""
    if isinstance(result, xr.DataArray):
        return result
    variable = _FUNCTIONS[function_of(result)][1]
    return result["sputter_time" if variable == "depth" and variable not in result else variable]


def has(result: Result, name: str) -> bool:
    """Whether a result has a coordinate or, if it is a Dataset, a variable of this name."""
    return name in result.coords or (isinstance(result, xr.Dataset) and name in result)


def window_of(
    result: Result, curve: Curve, window: tuple[Any, Any] | None = None
) -> tuple[float, float] | None:
    """Return the limits of a result, within the samples of its curve; None if they are not known.

    Parameters
    ----------
    result : Dataset or DataArray
        Of one profile. Its own ``start`` and ``stop`` are used, or those of its question.
    curve : Curve
    window : (start, stop), optional
        As the user states it, which takes precedence.
    """
    x = curve.series.x
    limits = [float(x[0]), float(x[-1])]
    try:
        for i, name in enumerate(("start", "stop")):
            stated: Any = None if window is None else window[i]
            if stated is None and has(result, name):
                carried = float(result[name])
                limits[i] = limits[i] if np.isnan(carried) else carried
                continue
            stated = asked(result, name) if stated is None else stated
            if stated is not None:
                limits[i] = float(read_quantity(stated, AXES, name)[0])
            if name == "start" and window is None and asked(result, "surface") == "exclude":
                # A budget that excludes the surface begins below it, whatever its window.
                below = asked(result, "surface_depth")
                limits[i] = max(limits[i], float(read_quantity(below, AXES, "surface_depth")[0]))
    except (LookupError, UnitsError):
        return None
    start, stop = max(limits[0], float(x[0])), min(limits[1], float(x[-1]))
    return (start, stop) if start <= stop else None


def level_of(result: Result) -> tuple[float, Unit] | None:
    """Return the level of a question, canonical, with its unit; None if it is not known."""
    try:
        level = asked(result, "level")
        value, unit = read_quantity(level, VALUE_KINDS, "level") if level else (None, None)
    except (LookupError, UnitsError):
        return None
    return None if value is None or unit is None else (float(value), unit)
