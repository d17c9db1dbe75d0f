"""What the user wants in a figure: the arguments of plots, read once, and refused by name."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import xarray as xr

from sims_analysis.conventions.questions import Result, function_of, main_variable
from sims_analysis.errors import ArgumentError, ProfileError, require
from sims_analysis.text.arguments import (
    argument_error,
    check_bool,
    check_choice,
    check_count,
    first_few,
    format_argument,
    instead_of,
    is_number,
)
from sims_analysis.vocabulary import AXES

#: The measurement that a result is of, None for any of them, and the result.
Answer = tuple[str | None, Any]

#: Argument -> the functions of whose results it takes, the usual one last.
RESULTS = {
    "junctions": ("metallurgical_junctions", "crossings", "junction_depth"),
    "dose": ("dose_budget", "integrated_dose"),
    "peak": ("peak",),
    "decay_length": ("decay_length",),
    "layers": ("layers",),
    "interfaces": ("interface",),
    "fits": ("fit",),
    "restored": ("deconvolve",),
}
#: Functions of whose results no variable is enough: one says what another means.
_WHOLE = ("crossings", "metallurgical_junctions", "layers", "interface", "deconvolve", "fit")
#: What may be said of lines.
_LINE = {"alpha", "antialiased", "color", "dash_capstyle", "dash_joinstyle", "drawstyle",
         "fillstyle", "gapcolor", "linestyle", "linewidth", "marker", "markeredgecolor",
         "markeredgewidth", "markerfacecolor", "markerfacecoloralt", "markersize", "markevery",
         "rasterized", "solid_capstyle", "solid_joinstyle", "zorder"}  # fmt: skip
#: Arguments of each function, and of both, that do not say what is drawn; styles that are common.
_OWN = {"plot_profiles": ("ax",), "plot_panels": ("by", "columns", "letters")}
_COMMON = ("width", "title", "linewidth", "linestyle", "marker")


@dataclass(frozen=True)
class PlotOptions:
    """The arguments of :func:`plot_profiles` that say what is drawn, and how."""

    species: Any = None
    xlim: Any = None
    ylim: Any = None
    depth_units: str | None = None
    value_units: Any = None
    scale: str | Mapping[str, str] = "log"
    detection_limit: Any = None
    coverage: float = 1.0
    smooth: int | None = None
    regions: Any = None
    residuals: bool = False
    comparison: Any = None
    colour_by: str = "auto"
    colours: Mapping[str, str] | None = None
    spread: bool | None = None
    labels: str = "auto"
    notes: bool = True
    #: Name of the argument -> results, with the keys of the measurements that they are of.
    results: Mapping[str, Any] = field(default_factory=dict)
    #: Number of species that have no room.
    left_out: int = 0
    #: Style of all lines, of which some parts are by species, and the colour of all curves.
    line: Mapping[str, Any] = field(default_factory=dict)
    colour: str | None = None

    def scale_of(self, variable: str) -> str:
        """Return the scale of the axis of a quantity."""
        return self.scale if isinstance(self.scale, str) else self.scale.get(variable, "log")

    def named_species(self) -> set[str]:
        """Return the species that the user has named, in results or in styles."""
        labels = [item["species"] for value in self.results.values() for _, item in value
                 if "species" in item.coords]  # fmt: skip
        mappings = [self.colours, self.detection_limit, *self.line.values()]
        names = [str(name) for label in labels for name in np.ravel(label)]
        return {*names, *(key for value in mappings if isinstance(value, Mapping) for key in value)}

    def style_of(self, species: str) -> dict[str, Any]:
        """Return the style of the curves of a species."""
        every = {
            name: value.get(species) if isinstance(value, Mapping) else value
            for name, value in self.line.items()
        }
        return {name: value for name, value in every.items() if value is not None}

    def results_of(self, argument: str, source: str) -> list[Any]:
        """List the results in an argument that are of a measurement."""
        return [item for key, item in self.results.get(argument, []) if key in (None, source)]


#: Arguments of a plot other than those that take results.
OPTIONS = {field.name for field in fields(PlotOptions)}
OPTIONS -= {"results", "line", "colour", "left_out"}


def read_options(
    arguments: Mapping[str, Any],
    line: Mapping[str, Any],
    data: Any,
    datasets: Mapping[str, Any],
    function: str = "plot_profiles",
) -> PlotOptions:
    """Read the arguments of a plot, and refuse those that are unknown or contradict each other."""
    from matplotlib.colors import is_color_like

    results = {name: _read_answers(name, arguments.get(name), data, datasets) for name in RESULTS}
    style, colour = _read_style(line, function)
    values = {name: value for name, value in arguments.items() if name in OPTIONS}
    values["detection_limit"] = _read_limits(arguments.get("detection_limit"))
    options = PlotOptions(**values, results=results, line=style, colour=colour)
    for name in ("residuals", "notes", *(["spread"] if options.spread is not None else [])):
        check_bool(name, getattr(options, name))
    if options.smooth is not None:
        check_count("smooth", options.smooth, least=2)
        if options.residuals:
            text = "residuals= are of samples, not of their means: leave out smooth="
            raise ProfileError(text, code="conflicting_arguments", argument="residuals")
    check_choice("labels", options.labels, ("auto", "direct", "legend", "none"))
    check_choice("colour_by", options.colour_by, ("auto", "species", "measurement"))
    check_scale(options.scale)
    if not (is_number(options.coverage) and 0 <= options.coverage < np.inf):
        expected = "expected a number of standard errors, at least 0"
        raise argument_error("coverage", options.coverage, expected)
    colours = {} if options.colours is None else options.colours
    if not (isinstance(colours, Mapping) and all(map(is_color_like, colours.values()))):
        expected = "expected a mapping of species or measurements to colours"
        raise argument_error("colours", options.colours, expected + ', such as {"B": "crimson"}')
    if options.residuals and not options.results["fits"]:
        text = "residuals=True needs fits=, from sims.fit(data, model=...)"
        raise ProfileError(text, code="conflicting_arguments", argument="residuals")
    comparison = options.comparison
    if comparison is not None and not (
        isinstance(comparison, xr.Dataset) and function_of(comparison) == "compare"
    ):
        raise argument_error("comparison", comparison, "expected what sims.compare(a, b) gives")
    if comparison is not None and options.residuals:
        text = "residuals= and comparison= are both drawn below: leave out one"
        raise ProfileError(text, code="conflicting_arguments", argument="residuals")
    return options


def _read_answers(
    argument: str, value: Any, data: Any, measurements: Collection[str]
) -> list[Answer]:
    """Read the results in an argument, each with the measurement that it is of; None for any."""
    is_single = isinstance(value, xr.Dataset | xr.DataArray)
    pairs: list[tuple[Any, Any]] = [(None, value)]
    if isinstance(value, Mapping) and not is_single:
        pairs = [(str(key), items) for key, items in value.items()]
    elif isinstance(value, Sequence) and isinstance(data, Sequence) and len(value) == len(data):
        pairs = list(zip(measurements, value, strict=True))
    results = [(key, item) for key, items in pairs for item in _several(argument, items)]
    labels = [name for name in measurements if name]
    for key, item in results:
        _check_kind(argument, item)
        if key is not None and key not in measurements:
            names = first_few(list(map(repr, labels)), 6) or "one, whose results need no key"
            raise ProfileError(
                f"{argument}= has results of {key!r}, which is none of the measurements: {names}",
                argument=argument,
            )
        if key is None and len(measurements) > 1 and "measurement" not in item.coords:
            count = "one result" if is_single else f"{len(results)} results"
            raise ProfileError(
                f"{argument}= is {count}, and there are {len(measurements)} measurements: say "
                f"whose they are by a mapping, as in {argument}={{{labels[0]!r}: ...}}",
                argument=argument,
            )
    return results


def _several(argument: str, value: Any) -> list[Result]:
    """List results, however they are nested."""
    if isinstance(value, xr.Dataset | xr.DataArray):
        return [value]
    if value is None:
        return []
    if isinstance(value, str | bool) or not isinstance(value, Iterable):
        raise ProfileError(
            f"{argument}: expected a result such as sims.{RESULTS[argument][-1]}(data, ...) gives, "
            f"or several in a list or mapping; found {format_argument(value)}",
            argument=argument,
        )
    return [result for item in value for result in _several(argument, item)]


def _check_kind(argument: str, item: Result) -> None:
    function, functions = function_of(item), RESULTS[argument]
    if function in functions:
        name = getattr(item, "name", None)
        part = function in _WHOLE or name not in (None, main_variable(function), *AXES)
        if isinstance(item, xr.DataArray) and part:
            raise ProfileError(
                f"{argument}= found the variable {str(name)!r} of {function}(): "
                "give the whole result",
                argument=argument,
            )
    elif argument != "fits" or not (isinstance(item, xr.Dataset) and "model" in item.attrs):
        expected = " or ".join(f"{name}()" for name in functions)
        right = [name for name, its in RESULTS.items() if function in its]
        raise ProfileError(
            f"{argument}= takes results of {expected}; found one "
            f"of {f'{function}()' if function else 'no known function'}"
            f"{f': give it as {right[0]}=' if right else ''}",
            code="other_result",
            argument=argument,
        )


def _read_style(line: Mapping[str, Any], function: str) -> tuple[dict[str, Any], str | None]:
    """Read the style of lines, and apart from it the colour of all, which marks and names need."""
    from matplotlib.cbook import normalize_kwargs
    from matplotlib.colors import to_hex
    from matplotlib.lines import Line2D

    style = normalize_kwargs(dict(line), Line2D)
    for name, value in style.items():
        if name not in _LINE:
            names = [*OPTIONS, *RESULTS, *_OWN[function], *_COMMON]
            text = f"{function}() has no argument {name!r}{instead_of(name, names)}"
            raise ArgumentError(text, code="unknown_argument", argument=name)
        for part in value.values() if isinstance(value, Mapping) else [value]:
            try:
                Line2D([], [], **{name: part})
            except (ValueError, TypeError, AttributeError) as error:
                raise argument_error(name, part, str(error)) from None
    colour = style.pop("color", None)
    is_name = colour is None or isinstance(colour, str)
    return style, colour if is_name else to_hex(colour, keep_alpha=True)


def _read_limits(value: Any) -> Any:
    """Read detection limits: one for all, one for each species, or those in a result."""
    limits = value
    if isinstance(value, xr.Dataset):
        limits = value.get("detection_limit", value)
    dims = set(getattr(limits, "dims", ()))
    if isinstance(limits, xr.Dataset) or not dims <= {"species", "measurement"}:
        expected = "expected one limit, one for each species, or what "
        raise argument_error(
            "detection_limit", value, expected + "sims.detection_limit(data) gives"
        )
    return limits


def check_scale(scale: Any) -> None:
    """Refuse a scale that is not known, of all axes or of a quantity."""
    for name in scale.values() if isinstance(scale, Mapping) else [scale]:
        check_choice("scale", name, ("log", "linear"))


def check_title(title: Any) -> None:
    """Refuse a title that is not a string."""
    if title is not None and not isinstance(title, str):
        text = f"title: expected a string, found {format_argument(title)}"
        raise ArgumentError(text, argument="title")


def check_axes(ax: Any, title: Any) -> None:
    """Refuse what is no Axes, or no title of it; without matplotlib say how to install it."""
    require("figures need", "matplotlib", extra="plot")
    from matplotlib.axes import Axes

    if ax is not None and not (isinstance(ax, Axes) and ax.name == "rectilinear"):
        raise ArgumentError(
            f"ax: expected one Axes of matplotlib with depth along x, found {type(ax).__name__}",
            argument="ax",
            remedy="species are named by species=",
        )
    check_title(title)
