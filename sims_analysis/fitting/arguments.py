"""The arguments of a fit, read and checked once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import UnionType
from typing import Any, get_args

import numpy as np
import xarray as xr

from sims_analysis import units, vocabulary
from sims_analysis.analysis.uncertainty import relative_uncertainties
from sims_analysis.conventions.axes import POINT
from sims_analysis.errors import ProfileError, UnitsError, about
from sims_analysis.fitting.diffused_profile import DIFFUSED, initial_of
from sims_analysis.fitting.request import BACKGROUND, NUMBERS, SCALES, FitRequest, by_name
from sims_analysis.frame.arguments import refuse_cases
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.opening import open_frame
from sims_analysis.frame.run import anywhere, elementwise
from sims_analysis.frame.window import read_window
from sims_analysis.kernels.samples import Array, Samples
from sims_analysis.shapes.layered_model import LayeredModel, layered, unshared_by_default
from sims_analysis.shapes.model import Kind, Model, Parameter
from sims_analysis.text.arguments import argument_error, check_choice, format_argument

_CHOICES = {
    "weights": ("auto", "counts", "stderr", "log", "none"),
    "cell": ("auto", "point", "mean"),
    "interval": ("linear", "profile"),
    "surface": ("reflecting", "absorbing"),
}
#: Arguments that only some models take, by the name that these have for them.
_OPTIONS = {"time": "time", "as_implanted": "initial_straggle"}
#: Settings, the window apart, that hold one value a profile: the argument that states each, and in
#: what it is measured, if not as the data.
_SETTINGS: dict[str, tuple[str, tuple[str, ...]]] = {
    "background": ("background", ()),
    "detection_limit": ("detection_limit", ()),
    "time": ("time", ("sputter_time",)),
    "initial_straggle": ("as_implanted", ("depth",)),
    "initial_straggle_stderr": ("as_implanted", ("depth",)),
}
#: Arguments that say how well a scale is known, which is common to all profiles.
_UNCERTAIN = ("rsf_uncertainty", "depth_uncertainty")


def read_request(profiles: Frame, model: Model, stated: Mapping[str, Any]) -> FitRequest:
    """Return what to fit, and the settings of each profile, by arguments as the user gave them."""
    before = stated["as_implanted"]
    measured = is_profile(before) and model.name == DIFFUSED.name
    if measured:
        model, stated = DIFFUSED, {**stated, "as_implanted": None}
    _refuse_model(model)
    layer = ["layer"] if isinstance(model, LayeredModel) else []
    refuse_dimensions(profiles, "parameter", "parameter_", *layer)
    _refuse_options(profiles, model, stated)
    mode, level = _background(model, stated["background"])
    options = {**stated, "background": level, **_initial(stated["as_implanted"])}
    window = read_window(profiles, stated["start"], stated["stop"])
    settings = {"start": window[0], "stop": window[1], "fraction": profiles.fraction}
    for name, (argument, kinds) in _SETTINGS.items():
        units_of = kinds or (profiles.kind,)
        settings[name] = profiles.parameter(options.get(name), units_of, argument)
    for name, wrong, expected in (
        ("time", settings["time"] <= 0, "a time above 0"),
        ("detection_limit", settings["detection_limit"] < 0, "no negative limit"),
        ("initial_straggle", settings["initial_straggle"] < 0, "no negative straggle"),
    ):
        argument = _SETTINGS[name][0]
        if anywhere(wrong):
            raise argument_error(argument, stated[argument], f"expected {expected}")
        if options.get(name) is not None:  # of a profile of which it is not known there is no fit
            unknown = settings[name].isnull()
            settings["start"] = settings["start"].where(~unknown, np.inf)
    cell, settings = stated["cell"], settings | _uncertainties(profiles, stated)
    if cell == "auto":  # means over cells where the data state these
        cell = "point" if profiles.lower is None or model is DIFFUSED else "mean"
    samples = profiles
    if profiles.limit is not None and stated["weights"] in ("auto", "log"):
        # For logarithms, samples that a file gives as ``<5E15`` are below that.
        most = elementwise(np.fmax, settings["detection_limit"], profiles.highest_limit)
        samples, settings["detection_limit"] = profiles.filled(), most
    request = FitRequest(
        model=model,
        kind=profiles.kind,
        axis=profiles.axis,
        weights=stated["weights"],
        cell=cell,
        background=mode,
        fixed=_fixed(model, stated["fixed"], profiles),
        intervals=stated["interval"] == "profile",
        settings=settings,
        profiles=samples,
    )
    return _with_initials(request, before, stated["surface"]) if measured else request


def _uncertainties(profiles: Frame, options: Mapping[str, Any]) -> dict[str, xr.Variable]:
    """Return the relative uncertainties of scales; 0 where there is none, or no such scale."""
    data: Any = profiles.origin
    uncertainties = {}
    read = relative_uncertainties(profiles, data, *(options[name] for name in _UNCERTAIN))
    for name, relative in zip(_UNCERTAIN, read, strict=False):  # what is day to day is in the first
        largest = relative.fillna(0.0)
        if profiles.dim in largest.dims:  # factors of layers
            largest = largest.max(profiles.dim)
        no_such = name == "depth_uncertainty" and profiles.axis != "depth"
        if no_such and options[name] is not None and anywhere(largest > 0):
            text = "depth_uncertainty: the data are over sputter time, not over depth"
            raise ProfileError(text, argument="depth_uncertainty")
        uncertainties[name] = 0.0 * largest if no_such else largest
    return uncertainties


def read_repeat(model: Model, repeat: Any, shared: Any) -> LayeredModel:
    """Return the sum of several layers of a model; of one layer for ``"auto"``."""
    of = f"the model {model.name!r}"
    if not model.location:
        expected = "'delta_drf', 'delta_mri' and 'gaussian' are"
        raise argument_error("repeat", repeat, f"{of} is not that of a layer; {expected}")
    if model.has_levels:
        instead = "which would be repeated, too; leave it to background='fit'"
        raise argument_error("repeat", repeat, f"{of} has a level of its own, {instead}")
    number = isinstance(repeat, int | np.integer) and not isinstance(repeat, bool)
    if not ((isinstance(repeat, str) and repeat == "auto") or (number and repeat >= 1)):
        raise argument_error("repeat", repeat, "expected a number of layers, such as 5, or 'auto'")
    if shared is None:
        shared = [name for name in model.names if name not in unshared_by_default(model)]
    return layered(model, 1 if repeat == "auto" else int(repeat), read_shared(model, shared))


def read_links(request: FitRequest, shared: Any, over: Any, prior: Any) -> FitRequest:
    """Add what profiles have in common; `shared` is None where it is about layers."""
    linked = _linked(request, shared, over)
    uncertain = {name: request.settings[of] for name, of in SCALES.items()}
    scales = tuple(name for name, relative in uncertain.items() if bool((relative != 0).any()))
    of_species = ["rsf_scale"] if linked.over == "species" else []
    owned = [name for name in scales if linked.over in uncertain[name].dims or name in of_species]
    return replace(linked, prior=_prior(linked, prior), scales=scales, own_scales=tuple(owned))


def _with_initials(request: FitRequest, before: Any, surface: str) -> FitRequest:
    profiles, settings = request.frame, request.settings
    if request.cell != "point":
        raise ProfileError(
            "cell='mean' with a measured profile as as_implanted: means over cells stay means over "
            "cells while they diffuse, so that nothing has to be averaged; leave cell out",
            argument="cell",
        )
    same = isinstance(before, xr.Dataset) and profiles.name in before
    how: Any = {"variable": profiles.name if same else None, "axes": ("depth",)}
    frame = open_frame(before, question="a profile before the anneal", **how)
    # Where a time is not known, there is no sample: the window starts at infinity.
    start = np.unique(settings["start"].values[settings["start"].values != np.inf])
    if start.size > 1:
        raise ProfileError(
            "start must be one depth with a measured profile as as_implanted", argument="start"
        )
    first = float(start.max(initial=-np.inf))
    initials: list[Any] = []

    def add_initial(*columns: Any) -> Array:
        initials.append(initial_of(Samples(*columns[:6]), request, first, float(columns[6])))
        return np.array([len(initials) - 1.0])

    fraction = frame.fraction.set_dims(frame.sizes)
    eager = frame if not frame.lazy else open_frame(before.compute(), question="", axes=("depth",))
    rows = eager.each(add_initial, fraction, size=1, ancillary=("common", "overlap"))
    index = eager.dataset({"rows": rows})["rows"].isel(__row__=0, drop=True)
    place = profiles.parameter(index.assign_attrs(units="1"), ("dimensionless",), "as_implanted")
    refuse_cases(profiles, place, "as_implanted")
    settings = {**settings, "initial": place}
    return replace(request, initials=tuple(initials), surface=surface, settings=settings)


def is_profile(value: Any) -> bool:
    """Return whether an argument is a measured profile: over depth, and not a fit."""
    if not isinstance(value, xr.Dataset | xr.DataArray):
        return False
    along = {*vocabulary.AXES, POINT}
    fit = isinstance(value, xr.Dataset) and "straggle" in value
    return not fit and not along.isdisjoint(map(str, value.dims))


@about(argument="shared")
def _linked(request: FitRequest, shared: Any, over: Any) -> FitRequest:
    """Read over which dimension profiles have which parameters in common."""
    profiles = request.frame
    if shared is None:
        if over is not None:
            raise ProfileError(
                f"over={over!r} applies only with shared",
                code="conflicting_arguments",
                argument="over",
            )
        return request
    layers = request.model if isinstance(request.model, LayeredModel) else None
    model, restated = (layers.of, {}) if layers else (request.model, request.model.restated)
    more = [*restated, *([BACKGROUND.name] if request.background == "fit" else [])]
    names = read_shared(model, shared, more)
    if over is None and len(profiles.lead) == 1:
        over = profiles.lead[0]
    if not isinstance(over, str) or over not in profiles.lead:
        dimensions = ", ".join(map(repr, profiles.lead)) or "none: there is a single profile"
        raise argument_error(
            "over",
            over,
            f"expected the dimension of the profiles that share "
            f"{', '.join(map(repr, names))}: {dimensions}",
        )
    if not names:
        raise ProfileError("shared=(): name the parameters that profiles have in common")
    stated = [name for name in names if name in restated]
    for name in stated:
        replaced = restated[name][0]
        absent = [o for o in model.options if not bool(request.settings[o].notnull().any())]
        if absent:
            argument = next(key for key, value in _OPTIONS.items() if value == absent[0])
            raise ProfileError(f"shared={name!r} needs {argument}=")
        if replaced in names or replaced in request.fixed:
            raise ProfileError(
                f"shared={name!r} takes the place of {replaced!r}, which cannot be shared or held"
            )
    coord = profiles.coords.get(over)
    labels = range(profiles.sizes[over]) if coord is None else coord.values
    return replace(
        request,
        over=over,
        labels=tuple(map(str, labels)),
        shared=names,
        restated=stated[0] if stated else "",
    )


@about(argument="prior")
def _prior(request: FitRequest, prior: Any) -> dict[str, tuple[float, float]]:
    if not isinstance(prior, Mapping | None):
        raise argument_error(
            "prior",
            prior,
            f"expected a value and its standard uncertainty by "
            f"name, such as {{{request.model.names[-1]!r}: ('1.6 nm', '0.2 nm')}}",
        )
    stated = _by_label("prior", prior, request.linked_parameters, request.model, list)
    priors = {}
    for label, (parameter, pair) in stated.items():
        if label in request.fixed:
            raise ProfileError(
                f"{parameter.name!r} is in both prior and fixed: a held value has no prior"
            )
        name, profiles = f"prior[{parameter.name!r}]", request.frame
        if not (isinstance(pair, list | tuple) and len(pair) == 2):
            expected = "a value and its standard uncertainty, such as ('1.6 nm', '0.2 nm')"
            raise argument_error(name, pair, f"expected {expected}")
        mean = _held(parameter, pair[0], f"{name}[0]", profiles)
        width = _read_held(pair[1], parameter.units(profiles.kind, profiles.axis), f"{name}[1]")
        if not 0 < width < np.inf:
            raise argument_error(f"{name}[1]", pair[1], "expected a finite width above 0")
        priors[label] = mean, width
    return priors


def _by_label(
    argument: str,
    stated: Mapping[str, Any] | None,
    parameters: Sequence[Parameter],
    model: Model,
    several: type[list[Any]] | UnionType,
) -> dict[str, tuple[Parameter, Any]]:
    """Return what is stated of parameters, by their labels: the same for all layers, or several."""
    places = {item.name: (item, place) for item, place in by_name(parameters)}
    _refuse_unknown(argument, stated or {}, list(places), model)
    by_label: dict[str, tuple[Parameter, Any]] = {}
    for name, value in (stated or {}).items():
        parameter, place = places[name]
        labels = [parameters[i].name for i in np.atleast_1d(place.values)]
        values = [value] * len(labels)
        if place.ndim and isinstance(value, several):
            values = list(value)
        if len(values) != len(labels):
            raise ProfileError(
                f"{argument}[{name!r}] has {len(values)} values; expected {len(labels)}, one for "
                "each layer",
                argument=argument,
            )
        by_label |= {label: (parameter, of) for label, of in zip(labels, values, strict=True)}
    return by_label


def read_shared(model: Model, shared: Any, more: Sequence[str] = ()) -> tuple[str, ...]:
    """Check the names of shared parameters, those of the model or `more`."""
    if isinstance(shared, str) or not isinstance(shared, Iterable):
        such_as = f"such as [{model.names[-1]!r}]"
        raise argument_error("shared", shared, f"expected names of parameters, {such_as}")
    names = tuple(dict.fromkeys(name if isinstance(name, str) else repr(name) for name in shared))
    _refuse_unknown("shared", names, [*model.names, *more], model)
    return names


def _refuse_unknown(argument: str, names: Iterable[str], allowed: Sequence[str], of: Model) -> None:
    for name in names:
        if name not in allowed:
            raise ProfileError(
                f"{argument}: the model {of.name!r} has no parameter {name!r}; it has "
                f"{', '.join(allowed)}",
                argument=argument,
            )


def _refuse_options(profiles: Frame, model: Model, stated: Mapping[str, Any]) -> None:
    for name, allowed in _CHOICES.items():
        check_choice(name, stated[name], allowed)
    foreign = [name for name, option in _OPTIONS.items() if option not in model.options]
    refused = [name for name in foreign if stated[name] is not None]
    if stated["surface"] != "reflecting" and model is not DIFFUSED:
        refused.append("surface")
    for name in refused:
        raise argument_error(name, stated[name], f"the model {model.name!r} does not take it")
    counted = profiles.counts is not None or profiles.kind == "count"
    weights = stated["weights"]
    if not {"counts": counted, "stderr": profiles.stderr is not None}.get(weights, True):
        text = f"the data have no {profiles.name}_{weights}; with_counting_statistics() adds them"
        raise argument_error("weights", weights, text)


@about(argument="model")
def _refuse_model(model: Model) -> None:
    """Raise for a parameter of an unknown kind, or of a name that another variable has."""
    names = [BACKGROUND.name, "covariance", *NUMBERS]
    for parameter in (*model.parameters, *model.derived):
        where = f"the model {model.name!r}, parameter {parameter.name!r}"
        if parameter.name in names:
            raise ProfileError(
                f"{where}: another variable of its fits has that name (a constant under the "
                "profile is no parameter of a model: background='fit')"
            )
        if parameter.kind not in get_args(Kind):
            kinds = ", ".join(map(repr, get_args(Kind)))
            raise ProfileError(f"{where}: kind={parameter.kind!r}; expected one of {kinds}")
        names.append(parameter.name)


def refuse_dimensions(profiles: Frame, *names: str) -> None:
    """Raise where a dimension of the answer is one of the data, or a coordinate."""
    for name in names:
        if name in profiles.lead or name in profiles.coords:
            raise ProfileError(
                f"{name!r} in the data is a dimension of the answer; rename it, as in "
                f'data.rename({name}="condition")',
                code="wrong_dimensions",
            )


def _background(model: Model, background: Any) -> tuple[str, Any]:
    if background is None:
        return "none", None
    if model.has_levels:
        levels = ", ".join(p.name for p in model.parameters if p.kind == "value")
        text = f"the model {model.name!r} has levels of its own, {levels}"
        raise argument_error("background", background, text)
    if isinstance(background, str) and background == "fit":
        return "fit", None
    if isinstance(background, str) and not any(letter.isdigit() for letter in background):
        raise argument_error(
            "background", background, "expected 'fit', or a value such as '2e15 atoms/cm^3'"
        )
    return "stated", background


def _initial(as_implanted: Any) -> dict[str, Any]:
    if not isinstance(as_implanted, xr.Dataset):
        return {"initial_straggle": as_implanted}
    if "straggle" not in as_implanted:
        raise argument_error(
            "as_implanted", as_implanted, "expected a fit with a straggle, such as a Gaussian"
        )
    ends = ("", "_stderr")
    return {f"initial_straggle{end}": as_implanted.get(f"straggle{end}") for end in ends}


@about(argument="fixed")
def _fixed(model: Model, fixed: Mapping[str, Any] | None, profiles: Frame) -> dict[str, float]:
    if not isinstance(fixed, Mapping | None):
        raise argument_error(
            "fixed",
            fixed,
            f"expected values by the names of parameters, such as {{{model.names[0]!r}: ...}}",
        )
    stated = _by_label("fixed", fixed, model.parameters, model, list | tuple)
    if len(stated) == len(model.parameters):
        raise ProfileError(f"fixed holds all parameters of {model.name!r}: there is nothing to fit")
    return {
        label: _held(p, value, f"fixed[{p.name!r}]", profiles)
        for label, (p, value) in stated.items()
    }


def _held(parameter: Parameter, value: Any, name: str, profiles: Frame) -> float:
    number = _read_held(value, parameter.units(profiles.kind, profiles.axis), name)
    if not parameter.lower <= number <= parameter.upper:
        raise argument_error(
            name, value, f"expected a value from {parameter.lower:g} to {parameter.upper:g}"
        )
    return number


def _read_held(value: Any, unit: str, name: str) -> float:
    bare = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if bare and (unit == "1" or value == 0):
        return float(value)
    if unit == "1" and not (isinstance(value, str) or units.is_quantity(value)):
        raise argument_error(name, value, "expected a number")
    kinds: tuple[str, ...]
    try:
        kinds = (units.read_unit(unit).kind,)
    except UnitsError:  # such as that of a slope
        if bare:
            return float(value)
        raise UnitsError(
            f"{name}={format_argument(value)}: give the number in {unit}", argument=name
        ) from None
    if unit == "1":
        kinds = ("dimensionless", "atomic_fraction", "mass_fraction")
    number = units.read_number(value, kinds, name)
    # Not all units of the result are canonical: 1/nm is an asymmetry, 1/cm a range density.
    return float(units.read_unit(unit).from_canonical(number) if unit != "1" else number)
