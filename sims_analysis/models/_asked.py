"""What is asked of a fit: its arguments read and checked, once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, get_args

import numpy as np
import xarray as xr

from sims_analysis import units
from sims_analysis.errors import ProfileError, UnitsError
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.run import anywhere
from sims_analysis.frame.window import read_window
from sims_analysis.models._layers import LayeredModel, layered, of_layer, own_by_default
from sims_analysis.models._task import BACKGROUND, STATISTICS, Task
from sims_analysis.models.model import Kind, Model, Parameter
from sims_analysis.text.arguments import check_choice, format_argument

__all__ = ["read_layers", "read_task"]

_CHOICES = {
    "weights": ("auto", "counts", "stderr", "log", "none"),
    "cell": ("point", "mean"),
    "interval": ("linear", "profile"),
}
#: Arguments that only some models take, by the name that these have for them.
_OPTIONS = {"time": "time", "as_implanted": "initial_straggle"}
#: Settings beside the window that hold one value a profile, and what they are measured in.
_SETTINGS: dict[str, tuple[str, ...]] = {
    "background": (),
    "detection_limit": (),
    "time": ("sputter_time",),
    "initial_straggle": ("depth",),
    "initial_straggle_stderr": ("depth",),
}
#: Settings that belong to an argument of another name.
_ASKED = {"initial_straggle": "as_implanted", "initial_straggle_stderr": "as_implanted"}


def read_task(
    profiles: Frame,
    model: Model,
    *,
    choices: Mapping[str, Any],
    options: Mapping[str, Any],
    limits: tuple[Any, Any],
    background: Any,
    detection_limit: Any,
    fixed: Any,
) -> tuple[Task, dict[str, xr.Variable]]:
    """Return what to fit, and the settings of each profile; NaN where one was not given.

    Parameters
    ----------
    profiles : Frame
    model : Model
    choices : mapping
        ``weights``, ``cell`` and ``interval``.
    options : mapping
        ``time`` and ``as_implanted``.
    limits, background, detection_limit, fixed
        As the user gave them.

    Raises
    ------
    ProfileError, UnitsError
    """
    _refuse_model(model)
    _refuse_names(profiles, model)
    _refuse_options(model, choices, options)
    _refuse_absent(profiles, choices["weights"])
    mode, level = _background(model, background)
    given = {
        "background": level,
        "detection_limit": detection_limit,
        "time": options["time"],
        **_initial(options["as_implanted"]),
    }
    window = read_window(profiles, *limits)
    settings = {"start": window[0], "stop": window[1], "fraction": profiles.fraction} | {
        name: profiles.parameter(given.get(name), kinds or (profiles.kind,), _ASKED.get(name, name))
        for name, kinds in _SETTINGS.items()
    }
    stated = {**options, "detection_limit": detection_limit}
    for name, wrong, expected in (
        ("time", settings["time"] <= 0, "a time above 0"),
        ("detection_limit", settings["detection_limit"] < 0, "no negative limit"),
        ("as_implanted", settings["initial_straggle"] < 0, "no negative straggle"),
    ):
        if anywhere(wrong):
            raise ProfileError(f"{name}={format_argument(stated[name])}: expected {expected}")
    task = Task(
        model=model,
        kind=profiles.kind,
        axis=profiles.axis,
        weights=choices["weights"],
        cell=choices["cell"],
        background=mode,
        fixed=_fixed(model, fixed, profiles),
        profile=choices["interval"] == "profile",
    )
    return task, settings


def read_layers(model: Model, repeat: Any, shared: Any) -> LayeredModel:
    """Return the sum of several layers of a model; of one layer for ``"auto"``.

    Raises
    ------
    ProfileError
        If it is no model of one layer, the number is none, or a shared parameter is unknown.
    """
    if not model.location:
        raise ProfileError(
            f"repeat={format_argument(repeat)}: the model {model.name!r} is not that of a layer; "
            "'delta_drf', 'delta_mri' and 'gaussian' are"
        )
    whole = isinstance(repeat, int | np.integer) and not isinstance(repeat, bool)
    if not (repeat == "auto" or (whole and repeat >= 1)):
        raise ProfileError(
            f"repeat={format_argument(repeat)}; expected a number of layers, such as 5, or 'auto'"
        )
    if shared is None:
        own = own_by_default(model)
        shared = [name for name in model.names if name not in own]
    return layered(model, 1 if repeat == "auto" else int(repeat), read_shared(model, shared))


def read_shared(model: Model, shared: Any) -> tuple[str, ...]:
    """Check the names of shared parameters."""
    if isinstance(shared, str) or not isinstance(shared, Iterable):
        raise ProfileError(
            f"shared={format_argument(shared)}; expected names of parameters, such as "
            f"[{model.names[-1]!r}]"
        )
    names = tuple(dict.fromkeys(shared))
    for name in names:
        if name not in model.names:
            raise ProfileError(
                f"shared names {name!r}; the model {model.name!r} has {', '.join(model.names)}"
            )
    return names


def _refuse_options(model: Model, choices: Mapping[str, Any], options: Mapping[str, Any]) -> None:
    for name, value in choices.items():
        check_choice(name, value, _CHOICES[name])
    for name, value in options.items():
        if value is not None and _OPTIONS[name] not in model.options:
            raise ProfileError(
                f"{name}={format_argument(value)} is of no use to the model {model.name!r}"
            )


def _refuse_model(model: Model) -> None:
    """Raise for a parameter of an unknown kind, or of a name that another variable has."""
    names = [BACKGROUND.name, "covariance", "poor_stderr", *STATISTICS]
    for one in (*model.parameters, *model.derived):
        where = f"the model {model.name!r}, parameter {one.name!r}"
        if one.name in names:
            raise ProfileError(
                f"{where}: another variable of its fits has that name (a constant under the "
                "profile is no parameter of a model: background='fit')"
            )
        if one.kind not in get_args(Kind):
            kinds = ", ".join(map(repr, get_args(Kind)))
            raise ProfileError(f"{where}: kind={one.kind!r}; expected one of {kinds}")
        names.append(one.name)


def _refuse_names(profiles: Frame, model: Model) -> None:
    """Raise where a name of the data is that of a dimension of the answer."""
    several = ("layer",) if isinstance(model, LayeredModel) else ()
    for name in ("parameter", "parameter_", *several):
        if name in profiles.lead or name in profiles.coords:
            raise ProfileError(
                f"{name!r} in the data is a dimension of every fit; rename it, as in "
                f'data.rename({name}="condition")'
            )


def _refuse_absent(profiles: Frame, weights: str) -> None:
    if weights == "counts" and profiles.counts is None and profiles.kind != "count":
        raise ProfileError(
            f"weights='counts': the data have no {profiles.name}_counts; "
            "with_counting_statistics() adds them"
        )
    if weights == "stderr" and profiles.stderr is None:
        raise ProfileError(
            f"weights='stderr': the data have no {profiles.name}_stderr; "
            "with_counting_statistics() adds them"
        )


def _background(model: Model, background: Any) -> tuple[str, Any]:
    if background is None:
        return "none", None
    if model.has_levels:
        own = [one.name for one in model.parameters if one.kind == "value"]
        raise ProfileError(
            f"background={format_argument(background)}: the model {model.name!r} has levels of its "
            f"own, {', '.join(own)}"
        )
    if not isinstance(background, str):
        return "stated", background
    if background == "fit":
        return "fit", None
    if not any(letter.isdigit() for letter in background):
        raise ProfileError(
            f"background={background!r}; expected 'fit', or a value such as '2e15 atoms/cm^3'"
        )
    return "stated", background


def _initial(as_implanted: Any) -> dict[str, Any]:
    if isinstance(as_implanted, xr.Dataset):
        if "straggle" not in as_implanted:
            raise ProfileError("as_implanted: expected a fit with a straggle, such as a Gaussian")
        return {
            "initial_straggle": as_implanted["straggle"],
            "initial_straggle_stderr": as_implanted.get("straggle_stderr"),
        }
    return {"initial_straggle": as_implanted}


def _fixed(model: Model, fixed: Mapping[str, Any] | None, profiles: Frame) -> dict[str, float]:
    if not isinstance(fixed, Mapping | None):
        raise ProfileError(
            f"fixed={format_argument(fixed)}; expected values by the names of parameters, such as "
            f"{{{model.names[0]!r}: ...}}"
        )
    found: dict[str, float] = {}
    layers = model if isinstance(model, LayeredModel) else None
    parameters = {one.name: one for one in (layers.of if layers else model).parameters}
    for name, value in (fixed or {}).items():
        one = parameters.get(name)
        if one is None:
            raise ProfileError(
                f"fixed names {name!r}; the model {model.name!r} has {', '.join(parameters)}"
            )
        found |= {
            key: _held(one, stated, f"fixed[{name!r}]", profiles)
            for key, stated in _of_each_layer(layers, name, value).items()
        }
    if len(found) == len(model.parameters):
        raise ProfileError(f"fixed holds all parameters of {model.name!r}: there is nothing to fit")
    return found


def _of_each_layer(model: LayeredModel | None, name: str, value: Any) -> dict[str, Any]:
    """Return the values of a parameter of layers: one for all, or a list with one for each."""
    if model is None or name in model.shared:
        return {name: value}
    n = len(model.places)
    values = value if isinstance(value, list | tuple) else [value] * n
    if len(values) != n:
        raise ProfileError(
            f"fixed[{name!r}] holds {len(values)} values; expected {n}, one for each layer"
        )
    return {of_layer(name, i + 1): one for i, one in enumerate(values)}


def _held(one: Parameter, value: Any, name: str, profiles: Frame) -> float:
    number = _number(value, one.units(profiles.kind, profiles.axis), name)
    if not one.lower <= number <= one.upper:
        raise ProfileError(
            f"{name}={format_argument(value)}: expected a value from {one.lower:g} to {one.upper:g}"
        )
    return number


def _number(value: Any, unit: str, name: str) -> float:
    bare = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if bare and (unit == "1" or value == 0):
        return float(value)
    if unit == "1" and not (isinstance(value, str) or units.is_quantity(value)):
        raise ProfileError(f"{name}={format_argument(value)}: expected a number")
    kinds: tuple[str, ...]
    try:
        kinds = (units.read_unit(unit).kind,)
    except UnitsError:  # such as a slope, in a unit that nobody writes
        if bare:
            return float(value)
        raise UnitsError(f"{name}={format_argument(value)}: give the number in {unit}") from None
    if unit == "1":
        kinds = ("dimensionless", "atomic_fraction", "mass_fraction")
    magnitude, _ = units.read_quantity(value, kinds, name)
    # Not all units of the result are canonical: 1/nm is an asymmetry, 1/cm a range density.
    return float(units.read_unit(unit).from_canonical(magnitude) if unit != "1" else magnitude)
