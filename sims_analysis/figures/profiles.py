"""Depth profiles on one axes, as they are printed in papers."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from contextlib import suppress
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from sims_analysis.dataset import provenance as origin
from sims_analysis.errors import UnitsError
from sims_analysis.figures import fits as fitted
from sims_analysis.figures.canvas import Canvas, Wanted
from sims_analysis.figures.curves import Answers, Measurements, is_synthetic, measurements_of
from sims_analysis.figures.drawing import draw, finish, prepared, taken_colours
from sims_analysis.figures.questions import read_answers
from sims_analysis.figures.style import (
    POINTS,
    dress,
    in_style,
    is_default,
    is_dressed,
    measured_alike,
    require_matplotlib,
    setting,
)
from sims_analysis.text import typeset as _typeset
from sims_analysis.text.arguments import check_bool, check_choice, format_argument, is_number
from sims_analysis.units import read_number
from sims_analysis.vocabulary import AXES

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

    from sims_analysis.units import ParameterLike, QuantityLike

__all__ = ["MM", "SIZES", "figure_size", "plot_profiles", "read_options", "record"]

#: Limits of an axis, with a unit or in that of the axis; None leaves a limit to the data.
Limits = tuple["QuantityLike | float | None", "QuantityLike | float | None"]
#: Width and height of a figure in one and in two columns of a journal, in mm.
SIZES = {"single": (86.0, 66.0), "double": (178.0, 80.0)}
#: Least height of a figure, in mm: the label of its value axis is as long.
_LOW = 50.0
#: Least and greatest width of a figure, in mm.
_NARROW, _WIDE = 20.0, 2000.0
#: Greatest factor of a waterfall.
_HIGHEST = 1e6
#: Numbers, and everything, that may be said of all lines.
_NUMBERS = {"alpha", "linewidth", "markersize", "markeredgewidth", "zorder"}
_LINE = {"antialiased", "color", "dash_capstyle", "dash_joinstyle", "drawstyle", "fillstyle",
         "gapcolor", "linestyle", "marker", "markeredgecolor", "markerfacecolor", "markevery",
         "markerfacecoloralt", "rasterized", "solid_capstyle", "solid_joinstyle",
         *_NUMBERS}  # fmt: skip
#: A millimetre in inches.
MM = 1 / 25.4
#: What other libraries call an argument, or what a hand writes for it.
_GUESSES = {
    "figsize": "width= (one or two columns, or a length such as '85 mm')",
    "yscale": "scale='log' or 'linear'", "log": "scale='log' or 'linear'",
    "logy": "scale='log' or 'linear'", "legend": "labels='legend' or 'none'",
    "unit": "value_units= or depth_units=", "units": "value_units= or depth_units=",
    "level": "junctions=sims.junction_depth(data, level=...)",
    "xlabel": "ax.set_xlabel(...) on the axes that are returned",
    "ylabel": "ax.set_ylabel(...) on the axes that are returned",
    "path": "sims.save_figure(ax, path)", "filename": "sims.save_figure(ax, path)",
}  # fmt: skip


def plot_profiles(
    data: Measurements,
    ax: Axes | None = None,
    *,
    species: str | Sequence[str] | None = None,
    width: Literal["single", "double"] | QuantityLike | float | None = None,
    xlim: Limits | None = None,
    ylim: Limits | None = None,
    depth_units: str | None = None,
    value_units: str | Sequence[str] | None = None,
    scale: Literal["log", "linear"] = "log",
    detection_limit: ParameterLike | xr.Dataset | None = None,
    coverage: float = 1.0,
    junctions: Answers | None = None,
    dose: Answers | None = None,
    dose_window: tuple[QuantityLike | None, QuantityLike | None] | None = None,
    peak: Answers | None = None,
    decay_length: Answers | None = None,
    layers: Answers | None = None,
    interfaces: Answers | None = None,
    fits: Answers | None = None,
    restored: Answers | None = None,
    residuals: bool = False,
    waterfall: float | None = None,
    colour_by: Literal["auto", "species", "measurement"] = "auto",
    colours: Mapping[str, str] | None = None,
    spread: bool | None = None,
    labels: Literal["auto", "direct", "legend", "none"] = "auto",
    notes: bool = True,
    title: str | None = None,
    house_style: bool | None = None,
    **line: Any,
) -> Axes:
    """Draw depth profiles on a log axis, concentrations on the left, signals on the right.

    Parameters
    ----------
    data : Dataset, DataArray, SIMSResult, or a list or mapping of them
        One measurement, a batch, or several, named by the keys of a mapping; plain or quantified.
        Each species is drawn on its own samples; profiles over sputter time beside others over
        depth have an axis of their own, above.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default in a new figure. Right axes and lists get room beside other axes
        if the figure has a layout engine, as with ``plt.subplots(1, 2, layout="constrained")``.
    species : str or sequence of str, optional
        The species to draw, in this order.
    width : {"single", "double"}, str, Quantity or float, optional
        Width of a new figure: one or two columns of a journal (86 mm, 178 mm), a length such as
        ``"85 mm"``, or a number of mm.
    xlim, ylim : (low, high), optional
        Limits of the depth axis and of the left value axis: with a unit (``"50 nm"``), or bare
        numbers in the unit of the axis; None leaves a limit to the data.
    depth_units, value_units : str, or for values a sequence of str, optional
        Units of the axes, such as ``"um"`` instead of ``nm`` (``s`` of sputter time), and
        ``"1/m^3"``; each applies to values of its kind.
    scale : {"log", "linear"}
        Scale of the value axes.
    detection_limit : str, Quantity, DataArray or Dataset, optional
        One for all species with its unit, or one for each: samples below it are not part of the
        line, and are marked by open triangles at the limit.
    coverage : float
        Half-width of bands, bars and printed uncertainties in standard errors, if these are known;
        0 draws no bands.
    junctions : DataArray or Dataset, optional
        From :func:`junction_depth`, :func:`crossings` or :func:`metallurgical_junctions`, or a
        list of these. If `data` is a list or a mapping, every result may be a list in the same
        order, or a mapping with the same keys.
    dose : DataArray or Dataset, optional
        From :func:`integrated_dose` or :func:`dose_budget`: the window is shaded, its dose listed.
    dose_window : (start, stop), optional
        The window of a dose that does not record it, such as ``("20 nm", "500 nm")``. If it is not
        known, nothing is shaded.
    peak, decay_length, layers, interfaces : Dataset, optional
        From the functions of these names, and from :func:`interface`. A layer is a bar from top to
        bottom, at the level that bounds it; of an interface, the width is shaded.
    fits : Dataset, or a list or mapping of them, optional
        Models fitted to the data; drawn by :func:`evaluate`, inside their windows.
    restored : Dataset, or a list or mapping of them, optional
        From :func:`deconvolve`: the restored profile over the measured one, and a bar as long as
        the resolution that is achieved at its maximum.
    residuals : bool
        Draw the residuals of the fits in a panel below: in standard errors, (data - fit) / sigma,
        if the data have these, otherwise as log10(data / fit) or, on a linear axis, as
        (data - fit) / largest sample. Several fits of one profile have different dashes and marks.
    waterfall : float, optional
        Raise each measurement by this factor over the one before, such as 10, so that they stand
        one above the other; the label of the axis says so.
    colour_by : {"auto", "species", "measurement"}
        What colours stand for; ``"auto"`` colours by measurement if there is one species in several
        measurements.
    colours : mapping, optional
        Species or measurement -> colour, instead of those of the library, which a style sheet or
        ``axes.prop_cycle`` replaces as well.
    spread : bool, optional
        Draw each species in many measurements as their median, a band that holds the middle 80 %,
        and the outliers. By default if there are more than can be told apart (8, or 6 for several
        species); False draws every curve.
    labels : {"auto", "direct", "legend", "none"}
        Names beside the curves, in a legend above the axes, or nowhere. ``"auto"`` and
        ``"direct"`` write names beside the curves where they cover nothing, and the others in the
        legend; with ``"auto"``, names of measurements are always in the legend.
    notes : bool
        Explain marks and bands in the list of results: zeros, detection limits, errors, fits.
    title : str, optional
        By default none, but that synthetic data are called so; ``""`` leaves out that as well.
    house_style : bool, optional
        Use the library's sizes and ticks wherever matplotlib's settings are at their defaults: by
        default in a new figure, and in one that was drawn with it before.
    **line : Any
        Style of all curves: ``linewidth`` or ``lw``, ``color`` or ``c``, ``marker``, ``alpha``...

    Returns
    -------
    matplotlib.axes.Axes
        The left axes. Right axes, if there are any, are in ``ax.figure.axes``. ``legend()`` of the
        left axes lists every curve.

    Raises
    ------
    ProfileError
        If there is nothing to draw; if an argument is given results of another function; or if the
        list of results does not fit given axes in letters of 5.5 points.
    SpeciesError
        If a species is absent.
    UnitsError
        If a unit is missing or of the wrong kind.
    TypeError
        If an argument is unknown, with the one that was probably meant.

    Notes
    -----
    A species has the colour of its element unless another in the figure has it. A log axis cannot
    show zero and negative samples, nor the small number that some instruments write for no counts:
    they are marked by open triangles at the floor of the axis, and the line is interrupted there.
    Settings of matplotlib are not changed; those of a style sheet take precedence. Names are
    darkened until they can be read (a contrast of 4.5 to 1), and stay with their curves when the
    limits change. A second call on the same axes adds to what is there, and writes one list.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ax = sims.plot_profiles(sims.open_example("boron-implant"), value_units="1/m^3")
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('Depth (nm)', 'Concentration (1/m³)')
    """
    require_matplotlib()
    check_axes(ax)
    check_looks(title, house_style)
    named = measurements_of(data)
    results = {"junctions": junctions, "dose": dose, "peak": peak, "decay_length": decay_length,
               "layers": layers, "interfaces": interfaces, "fits": fits,
               "restored": restored}  # fmt: skip
    answers = {name: read_answers(name, given, data, named) for name, given in results.items()}
    wanted = read_options(
        line, results=answers, species=species, xlim=xlim, ylim=ylim, depth_units=depth_units,
        value_units=value_units, scale=scale, detection_limit=detection_limit, coverage=coverage,
        dose_window=dose_window, residuals=residuals, waterfall=waterfall,
        colour_by=colour_by, colours=colours, spread=spread, labels=labels, notes=notes,
    )  # fmt: skip
    curves, models, wanted = prepared(named, wanted)
    house = ax is None or is_dressed(ax) if house_style is None else house_style
    with in_style(house=house):
        canvas = Canvas(_axes(ax, width, house_style), wanted, own=ax is None, models=models)
        try:
            _draw(canvas, curves, title, named)
        except Exception:
            _forget(canvas)
            raise
    record(canvas.figure, named, [canvas], wanted)
    return canvas.ax


def _axes(ax: Axes | None, width: Any, house_style: bool | None) -> Axes:
    """Return the axes to draw on, of a new figure if there are none."""
    if ax is None:
        import matplotlib.pyplot as plt

        _, ax = plt.subplots(figsize=figure_size(width), layout="constrained")
    elif house_style:
        dress(ax)
    return ax


def record(
    figure: Any, named: Mapping[str, Any], canvases: Sequence[Canvas], wanted: Wanted
) -> None:
    """Record the origin of data and results in a figure."""
    shown = dict.fromkeys(c.series.species for canvas in canvases for c in canvas.curves)
    results = [item for answers in wanted.results.values() for _, item in answers]
    call = f"plot_profiles(..., species={list(shown)})"
    origin.attach(figure, list(named.values()), results, call)


def check_looks(title: Any, house_style: Any) -> None:
    """Refuse a title that is no text, and a choice of style that is neither True nor False."""
    if title is not None and not isinstance(title, str):
        raise TypeError(f"title: expected text, found {format_argument(title)}")
    if house_style is not None:
        check_bool("house_style", house_style)


def check_axes(ax: Any) -> None:
    """Refuse what is no axes, such as a species in its place."""
    from matplotlib.axes import Axes

    if ax is None:
        return
    if getattr(ax, "name", "rectilinear") != "rectilinear":
        raise TypeError(f"ax: expected axes with depth along x, found {ax.name} ones")
    if isinstance(ax, Axes):
        return
    advice = f"; a species is named by species={ax!r}" if isinstance(ax, str) else ""
    if hasattr(ax, "savefig") or hasattr(ax, "shape") or isinstance(ax, list | tuple):
        advice = "; draw in one of its axes"
    raise TypeError(f"ax: expected matplotlib Axes, found {type(ax).__name__}{advice}")


def read_options(line: Mapping[str, Any], **options: Any) -> Wanted:
    """Read the options of a figure, and refuse those that are unknown or contradict each other."""
    from matplotlib.cbook import normalize_kwargs
    from matplotlib.colors import is_color_like, to_hex
    from matplotlib.lines import Line2D

    style = normalize_kwargs(dict(line), Line2D)
    for name, value in style.items():
        if name not in _LINE:
            _refuse_argument(name)
        if name in _NUMBERS and not (is_number(value) and 0 <= value < np.inf):
            raise ValueError(f"{name}={format_argument(value)}; expected a number, at least 0")
        try:
            Line2D([], [], **{name: value})
        except (ValueError, TypeError, AttributeError) as error:
            raise ValueError(f"{name}={format_argument(value)}: {error}") from None
    colour = style.pop("color", None)
    # Marks, band and name of a curve need its colour, too.
    one = colour if colour is None or isinstance(colour, str) else to_hex(colour, keep_alpha=True)
    wanted = Wanted(**options, line=style, colour=one)
    check_bool("residuals", wanted.residuals)
    check_bool("notes", wanted.notes)
    check_choice("scale", wanted.scale, ("log", "linear"))
    check_choice("labels", wanted.labels, ("auto", "direct", "legend", "none"))
    check_choice("colour_by", wanted.colour_by, ("auto", "species", "measurement"))
    if wanted.spread is not None:
        check_bool("spread", wanted.spread)
    if not (is_number(wanted.coverage) and 0 <= wanted.coverage < np.inf):
        raise ValueError(
            f"coverage={format_argument(wanted.coverage)}; expected a number of standard errors, "
            "at least 0"
        )
    given = wanted.colours
    if given is not None and not (
        isinstance(given, Mapping) and all(map(is_color_like, given.values()))
    ):
        raise TypeError(
            f"colours={format_argument(wanted.colours)}; expected a mapping of species or "
            'measurements to colours, such as {"B": "crimson"}'
        )
    _check_window(wanted)
    if wanted.residuals and not wanted.fits:
        raise ValueError("residuals=True needs fits=, from sims.fit(data, model=...)")
    factor = wanted.waterfall
    if factor is not None and not (is_number(factor) and 1 < factor <= _HIGHEST and wanted.log):
        raise ValueError(
            f"waterfall={format_argument(factor)}; expected a factor above 1, such as 10, up to "
            f"{_HIGHEST:g}, with scale='log'"
        )
    return wanted


def _check_window(wanted: Wanted) -> None:
    window = wanted.dose_window
    if window is None:
        return
    if not wanted.results.get("dose"):
        raise ValueError("dose_window= needs dose=, from sims.integrated_dose(data)")
    if not isinstance(window, tuple | list) or len(window) != 2:
        raise ValueError(f"dose_window={format_argument(window)}; expected (start, stop)")
    ends = [read_number(end, AXES, "dose_window") for end in window if end is not None]
    if len(ends) == 2 and not ends[0] < ends[1]:
        raise ValueError(f"dose_window={format_argument(window)}; expected start above stop")


def _refuse_argument(name: str) -> None:
    known = [*inspect.signature(plot_profiles).parameters, "linewidth", "linestyle", "marker"]
    near = get_close_matches(name, known, 1, 0.6)
    meant = _GUESSES.get(name) or (f"{near[0]}=" if near else "")
    raise TypeError(
        f"plot_profiles has no argument {name!r}" + (f"; did you mean {meant}?" if meant else "")
    )


def figure_size(width: Any) -> tuple[float, float]:
    """Return the size of a new figure in inches."""
    if width is None and not is_default("figure.figsize"):
        across, down = setting("figure.figsize")
        return across, down
    # Larger letters, as a style sheet may ask for, need a larger figure.
    larger = setting("font.size") / POINTS if width is None else 1.0
    width = "single" if width is None else width
    if isinstance(width, str) and width in SIZES:
        across, down = SIZES[width]
    else:
        across = _millimetres(width)
        # With the shape of a single column, as high as the label of an axis, or a double column.
        down = max(across * SIZES["single"][1] / SIZES["single"][0], _LOW)
        down = min(down, SIZES["double"][1])
    return larger * across * MM, larger * down * MM


def _millimetres(width: Any) -> float:
    found = float(width) if is_number(width) else np.nan
    with suppress(UnitsError):
        found = read_number(width, ("depth",), "width") / 1e6
    if not _NARROW <= found <= _WIDE:
        raise ValueError(
            f"width={format_argument(width)}; expected 'single' or 'double' (columns of a "
            "journal), a length such as '85 mm', or a number of mm, from "
            f"{_NARROW:g} to {_WIDE:g} mm"
        )
    return found


def entitled(
    title: str | None, named: Mapping[str, Any], *, before: str = "", above: str = ""
) -> str:
    """Return the title that is wanted, or the one `before`, saying that data are synthetic.

    It is not said again if the title `above` does.
    """
    text = before if title is None else _typeset.plain(title)
    said = title == "" or "synthetic" in f"{text} {above}".lower()
    if said or not any(map(is_synthetic, named.values())):
        return text
    return f"{text} (synthetic data)" if text else "Synthetic data"


def _forget(canvas: Canvas) -> None:
    """Close a figure of our own that failed: half of one is of no use, and pyplot keeps it."""
    import matplotlib.pyplot as plt

    if canvas.own:
        plt.close(canvas.figure)


def _draw(canvas: Canvas, curves: list[Any], title: str | None, named: Mapping[str, Any]) -> None:
    """Draw the curves with all that belongs to them, and the residuals of fits below."""
    below = None
    if canvas.wanted.residuals and canvas.models:
        below = fitted.panel_below(canvas.ax, own=canvas.own)
    _entitle(canvas.ax, title, named)
    with measured_alike(canvas.figure):
        canvas.read()
        draw([canvas], [curves], taken_colours(canvas))
        if below is not None:
            fitted.draw_residuals(canvas, below)
        finish([canvas])


def _entitle(ax: Axes, title: str | None, named: Mapping[str, Any]) -> None:
    figure: Any = ax.figure
    text = entitled(title, named, before=ax.get_title(), above=figure.get_suptitle())
    if text or title is not None:
        # At a fixed height: matplotlib would look for one whenever it draws.
        ax.set_title(text, y=1.0)
