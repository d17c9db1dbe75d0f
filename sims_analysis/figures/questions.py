"""What a result is an answer to: its function, window, level and edge, from its recorded question.

Every argument of a figure takes results of its own functions, and refuses others by name.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from sims_analysis.errors import ProfileError, UnitsError
from sims_analysis.text.arguments import first_few, format_argument
from sims_analysis.units import Unit, read_number, read_quantity
from sims_analysis.vocabulary import AXES, VALUE_KINDS

if TYPE_CHECKING:
    from sims_analysis.figures.curves import Curve


Result = xr.Dataset | xr.DataArray
#: The measurement that a result is of, None for any of them, and the result.
Answer = tuple[str | None, Any]

#: Function -> argument that takes its results, variable that is drawn, and one by which a result
#: without a record is known, the rarest first.
_FUNCTIONS = {
    "fit": ("fits", "", "window_start"),
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
#: Argument of a figure that takes results -> what gives these.
EXAMPLES = {
    "junctions": "junction_depth(data, level=...)",
    "dose": "integrated_dose(data)",
    "peak": "peak(data)",
    "decay_length": "decay_length(data)",
    "layers": "layers(data, species=...)",
    "interfaces": "interface(data, start=..., stop=...)",
    "fits": "fit(data, model=...)",
    "restored": "deconvolve(data, resolution=...)",
}
#: Functions of whose results no variable is enough: one says what another means.
_WHOLE = ("crossings", "metallurgical_junctions", "layers", "interface", "deconvolve", "fit")


def read_answers(
    argument: str, given: Any, data: Any, measurements: Collection[str]
) -> list[Answer]:
    """Read the results in an argument, each with the measurement that it is of; None for any.

    Raises
    ------
    ProfileError
        If results are of another kind than that for which the argument is, with the argument that
        takes it, if there is one; or if it is not clear whose they are.
    """
    one = isinstance(given, xr.Dataset | xr.DataArray)
    pairs: list[tuple[Any, Any]] = [(None, given)]
    if isinstance(given, Mapping) and not one:
        pairs = [(str(key), items) for key, items in given.items()]
    elif isinstance(given, Sequence) and isinstance(data, Sequence) and len(given) == len(data):
        pairs = list(zip(measurements, given, strict=True))
    found = [(key, item) for key, items in pairs for item in _several(argument, items)]
    known = [name for name in measurements if name]
    for key, item in found:
        _check_kind(argument, item)
        if key is not None and key not in measurements:
            names = first_few(list(map(repr, known)), 6) or "one, whose results need no key"
            raise ProfileError(
                f"{argument}= has results of {key!r}, which is none of the measurements: {names}"
            )
        if key is None and len(measurements) > 1 and "measurement" not in item.coords:
            count = "one result" if one else f"{len(found)} results"
            raise ProfileError(
                f"{argument}= is {count}, and there are {len(measurements)} measurements: say "
                f"whose they are by a mapping, as in {argument}={{{known[0]!r}: ...}}"
            )
    return found


def _several(argument: str, given: Any) -> list[Result]:
    """List results, however they are nested."""
    if isinstance(given, xr.Dataset | xr.DataArray):
        return [given]
    if given is None:
        return []
    if isinstance(given, str | bool) or not isinstance(given, Iterable):
        raise ProfileError(
            f"{argument}: expected a result such as sims.{EXAMPLES[argument]} gives, or several "
            f"in a list or mapping; found {format_argument(given)}"
        )
    return [result for item in given for result in _several(argument, item)]


def _check_kind(argument: str, item: Result) -> None:
    found = function_of(item)
    right, variable, _ = _FUNCTIONS.get(found, ("", "", ""))
    if right == argument:
        name = getattr(item, "name", None)
        part = found in _WHOLE or name not in (None, variable, *AXES)
        if isinstance(item, xr.DataArray) and part:
            raise ProfileError(
                f"{argument}= found the variable {str(name)!r} of {found}(): give the whole result"
            )
    elif argument != "fits" or not (isinstance(item, xr.Dataset) and "model" in item.attrs):
        taken = [f"{name}()" for name, (its, *_) in _FUNCTIONS.items() if its == argument]
        advice = f": give it as {right}=" if right else ""
        raise ProfileError(
            f"{argument}= takes results of {' or '.join(taken)}; found one "
            f"of {f'{found}()' if found else 'no known function'}{advice}"
        )


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

    It is NaN if it differed between profiles, so that its value for one of them is not recorded.
    """
    value = _question(result).get("parameters", {}).get(name)
    if not isinstance(value, dict):
        return value
    values = np.ravel(value.get("values", [])).tolist()
    known = len(values) == 1 and values[0] is not None and "units" in value
    return f"{values[0]} {value['units']}" if known else np.nan


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
    result: Result, curve: Curve, stated: tuple[Any, Any] | None = None
) -> tuple[float, float] | None:
    """Return the limits of a result, within the samples of its curve; None if they are not known.

    They are the ``start`` and ``stop`` that it carries, or those of its question; a window that the
    user has `stated` is for results without these.

    Raises
    ------
    ProfileError
        If the user has stated another window than that of the result, or one without samples.
    """
    first, last = float(curve.series.x[0]), float(curve.series.x[-1])
    try:
        limits = [_limit(result, "start", first), _limit(result, "stop", last)]
        if asked(result, "surface") == "exclude":
            # A budget that excludes the surface begins below it, whatever its window.
            below = read_number(asked(result, "surface_depth"), AXES, "surface_depth")
            limits[0] = max(limits[0], below)
    except UnitsError:
        limits = []
    known = bool(limits) and (has(result, "start") or bool(_question(result)))
    if stated is not None:
        ends = zip(stated, limits or (first, last), strict=True)
        own = [end if text is None else read_number(text, (curve.series.axis,), "dose_window")
               for text, end in ends]  # fmt: skip
        inside = np.clip([own, limits if known else own], first, last)
        if not np.allclose(inside[0], inside[1], 1e-6) or inside[0, 0] == inside[0, 1]:
            low, high = limits if known else (first, last)
            raise ProfileError(
                f"dose_window={format_argument(stated)} is not the window of the dose of "
                f"{curve.series.species or 'the profile'}, from {low:g} to {high:g} "
                f"{curve.series.axis_units}: leave it out, or integrate over it"
            )
        limits = own
    if not limits or limits[0] > last or limits[1] < first:
        return None
    return max(limits[0], first), min(limits[1], last)


def _limit(result: Result, name: str, end: float) -> float:
    """Return a limit that a result carries, or that of its question, or the end of the data."""
    if has(result, name):
        carried = float(result[name])
        return end if np.isnan(carried) else carried
    stated = asked(result, name)
    return end if stated is None else read_number(stated, AXES, name)


def level_of(result: Result) -> tuple[float, Unit] | None:
    """Return the level of a question, canonical, with its unit; None if it is not known."""
    try:
        value, unit = read_quantity(asked(result, "level"), VALUE_KINDS, "level")
    except UnitsError:
        return None
    return float(value), unit
