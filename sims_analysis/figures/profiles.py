"""Depth profiles on one axes, as they are printed in papers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from sims_analysis import vocabulary
from sims_analysis.dataset import provenance as origin
from sims_analysis.figures import fits as fitted
from sims_analysis.figures import lines as drawing
from sims_analysis.figures.axes import (
    Scale,
    by_axis,
    decades,
    depth_scale,
    memory,
    right_axes,
    set_decades,
    set_depth_limits,
    set_wanted,
    spread_right_axes,
    typeset_power,
    user_limits,
    value_axis_ticks,
)
from sims_analysis.figures.colours import COLOURS, colour_of, legible
from sims_analysis.figures.curves import (
    Answers,
    Curve,
    Measurements,
    curves_of,
    is_synthetic,
    measurements_of,
    own_colours_measurements,
    parallel,
    styled,
)
from sims_analysis.figures.labels import place_names, write_names
from sims_analysis.figures.legend import Notes, stands_below
from sims_analysis.figures.results import Results
from sims_analysis.figures.spread import CENTRAL, is_crowd, spread_of
from sims_analysis.figures.style import (
    POINTS,
    dress,
    fix_ticks,
    in_style,
    is_default,
    lay_out,
    measured_alike,
    require_matplotlib,
    setting,
)
from sims_analysis.text import typeset as _typeset
from sims_analysis.text.arguments import check_bool, check_choice

if TYPE_CHECKING:
    from collections.abc import Callable

    import xarray as xr
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from sims_analysis.units import ParameterLike, QuantityLike

    #: Finds the samples of a curve that lie within the limits of the depth axis.
    Seen = Callable[[Curve], NDArray[np.bool_]]

__all__ = ["plot_profiles"]

#: Limits of an axis, with a unit or in that of the axis; None leaves a limit to the data.
Limits = tuple["QuantityLike | float | None", "QuantityLike | float | None"]
#: Width and height of a figure in one and in two columns of a journal, in mm.
SIZES = {"single": (86.0, 66.0), "double": (178.0, 80.0)}
#: A millimetre in inches.
MM = 1 / 25.4


@dataclass(frozen=True)
class _Options:
    """What the user wants in a figure, apart from the data."""

    depth_units: str | None
    scale: str
    coverage: float
    labels: str
    colour_by: str
    xlim: tuple[Any, Any] | None
    ylim: tuple[Any, Any] | None
    line: Mapping[str, Any]
    spread: bool
    own: bool

    @property
    def log(self) -> bool:
        return self.scale == "log"


def plot_profiles(
    data: Measurements,
    ax: Axes | None = None,
    *,
    species: str | Sequence[str] | None = None,
    width: Literal["single", "double"] | float | None = None,
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
    fits: Answers | None = None,
    residuals: bool = False,
    colour_by: Literal["auto", "species", "measurement"] = "auto",
    colours: Mapping[str, str] | None = None,
    spread: bool | None = None,
    labels: Literal["auto", "direct", "legend", "none"] = "auto",
    title: str | None = None,
    house_style: bool | None = None,
    **line: Any,
) -> Axes:
    """Draw depth profiles on a log axis, concentrations on the left, signals on the right.

    Parameters
    ----------
    data : Dataset, DataArray, SIMSResult, or a list or mapping of them
        One measurement, a batch, or several to overlay; the keys of a mapping name them. Plain or
        quantified. Each species is drawn on its own samples.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default in a new figure. Right axes and lists get room beside other axes
        if the figure has a layout engine, as with ``plt.subplots(1, 2, layout="constrained")``.
    species : str or sequence of str, optional
        The species to draw, in this order.
    width : {"single", "double"} or float, optional
        Width of a new figure: one or two columns of a journal (86 mm, 178 mm), or in mm.
    xlim, ylim : (low, high), optional
        Limits of the depth axis and of the left value axis: with a unit (``"50 nm"``), or bare
        numbers in the unit of the axis; None leaves a limit to the data.
    depth_units : str, optional
        Unit of the depth (or sputter-time) axis, such as ``"um"``; by default ``nm`` (``s``).
    value_units : str or sequence of str, optional
        Units of the value axes, such as ``"1/m^3"``; each applies to values of its kind.
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
        The window, such as ``("20 nm", "500 nm")``; by default that of the call recorded in
        `dose`. If it is not known, nothing is shaded.
    peak, decay_length : Dataset, optional
        From the functions of these names.
    fits : Dataset, or a list or mapping of them, optional
        Models fitted to the data; drawn by :func:`evaluate`, inside their windows.
    residuals : bool
        Draw the residuals of the fits in a panel below: in standard errors, (data - fit) / sigma,
        if the data have these, otherwise as log10(data / fit) or, on a linear axis, as
        (data - fit) / largest sample. Several fits of one profile have different dashes and marks.
    colour_by : {"auto", "species", "measurement"}
        What colours stand for; ``"auto"`` colours by measurement if there is one species in several
        measurements.
    colours : mapping, optional
        Species or measurement -> colour, instead of those of the library.
    spread : bool, optional
        Draw each species in many measurements as their median, a band that holds the middle 80 %,
        and the outliers. By default if there are more than can be told apart (8, or 6 for several
        species); False draws every curve.
    labels : {"auto", "direct", "legend", "none"}
        Names beside the curves, in a legend above the axes, or nowhere. ``"auto"`` and
        ``"direct"`` write names beside the curves where they cover nothing, and the others in the
        legend; with ``"auto"``, names of measurements are always in the legend.
    title : str, optional
        By default none; synthetic data are always called so.
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
        If there is nothing to draw.
    SpeciesError
        If a species is absent.
    UnitsError
        If a unit is missing, or some data are on a depth axis and others on a time axis.

    Notes
    -----
    A species has the colour of its element unless another in the figure has it. A log axis cannot
    show zero and negative samples, nor the small number that some instruments write for no counts:
    they are marked by open triangles at the floor of the axis, and the line is interrupted there.
    Settings of matplotlib are not changed; those of a style sheet take precedence.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ax = sims.plot_profiles(sims.open_example("boron-implant"), value_units="1/m^3")
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('Depth (nm)', 'Concentration (1/m³)')
    """
    require_matplotlib()
    import matplotlib.pyplot as plt

    check_bool("residuals", residuals)
    if residuals and fits is None:
        raise ValueError("residuals=True needs fits=, from sims.fit(data, model=...)")
    check_choice("scale", scale, ("log", "linear"))
    check_choice("labels", labels, ("auto", "direct", "legend", "none"))
    check_choice("colour_by", colour_by, ("auto", "species", "measurement"))
    named = measurements_of(data)
    curves = curves_of(named, species, detection_limit, value_units)
    colour_by = _colour_by(curves, colour_by, colours)
    line, colour = _without_colour(line)
    if colour is not None:
        colours = {curve.series.species: colour for curve in curves}
    results = Results(
        junctions=parallel(junctions, data, named),
        dose=parallel(dose, data, named),
        window=dose_window,
        peak=parallel(peak, data, named),
        decay_length=parallel(decay_length, data, named),
        coverage=coverage,
    )
    models = fitted.evaluated(parallel(fits, data, named), curves)
    own = ax is None
    house = own if house_style is None else house_style
    if ax is not None and house_style is None:
        house = memory(ax).house
    crowd = is_crowd(curves, colour_by) if spread is None else spread
    options = _Options(
        depth_units, scale, coverage, labels, colour_by, xlim, ylim, line, crowd, own
    )
    with in_style(house=house):
        if ax is None:
            _, ax = plt.subplots(figsize=_size(width), layout="constrained")
        elif house_style:
            dress(ax)
        memory(ax).house = house
        curves = styled(curves, colours, colour_by, memory(ax).colours)
        curves = [
            curve if curve.own else replace(curve, colour=legible(curve.colour, ax))
            for curve in curves
        ]
        _entitle(ax, title, synthetic=any(map(is_synthetic, named.values())))
        below = fitted.panel_below(ax, own=own) if residuals and models else None
        with measured_alike(ax.figure):
            _draw(ax, curves, results, models, options, below)
    shown = list(dict.fromkeys(curve.series.species for curve in curves))
    origin.attach(
        ax.figure, list(named.values()), results.given(), f"plot_profiles(..., species={shown})"
    )
    return ax


def _without_colour(line: Mapping[str, Any]) -> tuple[dict[str, Any], str | None]:
    """Split the colour from the style of a line: marks, band and name of a curve need it, too."""
    from matplotlib.cbook import normalize_kwargs
    from matplotlib.colors import to_hex
    from matplotlib.lines import Line2D

    style = normalize_kwargs(dict(line), Line2D)
    colour = style.pop("color", None)
    if colour is None or isinstance(colour, str):
        return style, colour
    return style, to_hex(colour, keep_alpha=True)


def _colour_by(
    curves: Sequence[Curve], colour_by: str, colours: Mapping[str, str] | None
) -> Literal["species", "measurement"]:
    """Decide what a colour stands for."""
    if colour_by != "auto":
        return "measurement" if colour_by == "measurement" else "species"
    names = {curve.measurement for curve in curves} - {""}
    by_measurement = own_colours_measurements(curves) or bool(names & set(map(str, colours or {})))
    return "measurement" if by_measurement else "species"


def _size(width: str | float | None) -> tuple[float, float]:
    """Return the size of a new figure in inches."""
    asked = width is not None
    if width is None:
        if not is_default("figure.figsize"):
            across, down = setting("figure.figsize")
            return across, down
        width = "single"
    if isinstance(width, str):
        check_choice("width", width, SIZES)
        across, down = SIZES[width]
    else:
        across = float(width)
        if not across > 0:
            raise ValueError(f"width={width!r}; expected millimetres, 'single' or 'double'")
        # With the shape of a single column, up to the height of a double one.
        down = min(across * SIZES["single"][1] / SIZES["single"][0], SIZES["double"][1])
    # Larger letters, as a style sheet may ask for, need a larger figure.
    larger = 1.0 if asked else setting("font.size") / POINTS
    return larger * across * MM, larger * down * MM


def _entitle(ax: Axes, title: str | None, *, synthetic: bool) -> None:
    entitled = memory(ax).entitled
    text = (title or "") if entitled else _typeset.plain(title or "")
    if synthetic and not entitled and "synthetic" not in text.lower():
        text = f"{text} (synthetic data)" if text else "Synthetic data"
    if text:
        ax.set_title(text)


def _draw(
    ax: Axes,
    curves: list[Curve],
    results: Results,
    models: list[Curve],
    options: _Options,
    below: Axes | None,
) -> None:
    usetex = bool(setting("text.usetex"))
    x_scale = depth_scale([curve.series for curve in curves], options.depth_units)
    groups = by_axis(curves)
    ax.set_xlabel(x_scale.label)
    axes = {label: right_axes(ax, label) for label in groups}
    common = memory(ax).common or curves
    xlim = user_limits(options.xlim, (x_scale.kind,), "xlim", x_scale)
    set_depth_limits(ax, [x_scale(curve.series.x) for curve in common], xlim)
    _set_value_limits(ax, axes, common, x_scale, options)

    notes = Notes(ax)
    lines: list[tuple[Curve, Any]] = []
    at_floor: list[Curve] = []
    for label, group in groups.items():
        each = axes[label]
        shown: list[tuple[Curve, Mapping[str, Any]]]
        below_limit = False
        if options.spread:
            shown = _draw_spreads(each, group, results, x_scale, notes, options, curves)
        else:
            shown = [(curve, options.line) for curve in group]
        for curve, style in shown:
            drawn = drawing.draw_curve(each, curve, x_scale, log=options.log, options=style)
            if drawing.draw_band(each, curve, x_scale, log=options.log, coverage=options.coverage):
                notes.explain_error(options.coverage)
            below_limit |= drawing.mark_below_limit(each, curve, x_scale)
            lines.append((curve, drawn))
            memory(ax).drawn.append(drawn)
            at_floor.append(curve)
        notes.add_limits(each, group)
        if below_limit:
            notes.explain_triangle("below the limit")
        for curve in group:
            if not options.spread and _is_primary(curve, curves):
                who = _who(curve, curves, usetex=usetex)
                results.draw(each, curve, x_scale, notes, who=who)
    if options.log:
        notes.add_hidden(drawing.mark_floor(ax, at_floor, x_scale))
    fitted.draw(models, axes, curves, x_scale, notes, log=options.log)
    if below is not None:
        fitted.draw_residuals(ax, below, models, curves, x_scale, log=options.log)
        ax.set_xlabel("")
    _finish(ax, lines, notes, options, usetex=usetex)


def _set_value_limits(
    ax: Axes, axes: Mapping[str, Axes], common: Sequence[Curve], scale: Scale, options: _Options
) -> None:
    """Scale the value axes: to whole decades around the data, or as the user wants."""
    for each in axes.values():
        if options.log and each.get_yscale() != "log":
            each.set_yscale("log")
    everywhere = by_axis(common)
    left = everywhere.get(next(iter(axes)), common)[0]
    kinds = vocabulary.VALUE_KINDS
    convert = float if left.unit is None else left.unit.from_canonical
    ylim = user_limits(options.ylim, kinds, "ylim", convert)
    if options.log:
        low, high = sorted(ax.get_xlim())

        def seen(curve: Curve) -> Any:
            x = scale(curve.series.x)
            return (x >= low) & (x <= high)

        spans = {label: _span(everywhere[label], seen) for label in axes}
        room = any(
            _on_the_floor(everywhere[label], 10.0 ** span[0], seen) for label, span in spans.items()
        )
        set_decades(ax, spans, room=room, ylim=ylim)
        for each in memory(ax).axes.values():
            value_axis_ticks(each)
        return
    for each in axes.values():
        typeset_power(each)
    set_wanted(ax.set_ylim, ylim)


def _draw_spreads(
    ax: Axes,
    group: Sequence[Curve],
    results: Results,
    scale: Scale,
    notes: Notes,
    options: _Options,
    curves: Sequence[Curve],
) -> list[tuple[Curve, Mapping[str, Any]]]:
    """Shade the band of each species; return the curves to draw: medians and outliers."""
    by_species: dict[str, list[Curve]] = {}
    for curve in group:
        by_species.setdefault(curve.series.species, []).append(curve)
    drawn: list[tuple[Curve, Mapping[str, Any]]] = []
    outliers: list[tuple[Curve, Mapping[str, Any]]] = []
    alone = {name: mine[0] for name, mine in by_species.items() if len(mine) == 1}
    drawn += [(curve, options.line) for curve in alone.values()]
    spreads = {n: spread_of(mine) for n, mine in by_species.items() if n not in alone}
    # All measurements together have the colour of the species, not of one of them.
    of_all = {name: {curve.colour for curve in mine} for name, mine in by_species.items()}
    colours = {
        name: found.pop() if len(found) == 1 else legible(colour_of(name), ax)
        for name, found in of_all.items()
    }
    far = dict.fromkeys(c.measurement for whole in spreads.values() for c in whole.outliers)
    free = [c for c in (legible(c, ax) for c in COLOURS) if c not in colours.values()]
    outlier = dict(zip(far, cycle(free or COLOURS), strict=False))
    for name, whole in spreads.items():
        median = replace(whole.median, colour=colours[name])
        data = drawing.shown(median, log=options.log)
        drawing.fill_between(ax, median, scale, whole.low, whole.high, data, log=options.log)
        drawn.append((median, options.line))
        outliers += [
            (replace(curve, colour=outlier[curve.measurement]), {"linewidth": 0.7, **options.line})
            for curve in whole.outliers
        ]
        notes.explain_spread(whole.count, CENTRAL)
        who = _who(median, curves, usetex=bool(setting("text.usetex")), alone=True)
        if _is_primary(by_species[name][0], curves):
            results.draw_many(ax, median, by_species[name], scale, notes, who)
    # The legend names the species first.
    return drawn + outliers


def _finish(
    ax: Axes,
    lines: Sequence[tuple[Curve, Any]],
    notes: Notes,
    options: _Options,
    *,
    usetex: bool,
) -> None:
    """Set the ticks, move the right axes apart, and write the names where they cover nothing."""
    figure: Any = ax.figure
    every = list(memory(ax).axes.values())
    for each in every:
        fix_ticks(each)
        for line in each.lines:
            # Curves are inside the axes; one without samples would be placed at the origin.
            line.set_in_layout(False)
    if len(every) > 2:
        # An arrow does not say which of several right axes is meant: their colour does.
        for each in every[1:]:
            colours = {line.get_color() for _, line in lines if line.axes is each}
            if len(colours) == 1:
                (colour,) = colours
                each.yaxis.label.set_color(colour)
                each.tick_params(axis="y", which="both", colors=colour)

    write_names(ax, lines, options.labels, colour_by=options.colour_by, usetex=usetex)

    def write() -> None:
        notes.write(place_names(ax, own=options.own), own=options.own)

    def adjust() -> None:
        place_names(ax, own=options.own, around=memory(ax).notes_legend)

    waiting = memory(ax).waiting
    if waiting is not None:
        # Drawing all panels after each of them would take time with the square of their number.
        waiting.append((write, adjust))
        return
    lay_out(figure)
    if len(every) > 2:
        spread_right_axes(ax)
        lay_out(figure)
    write()
    if not options.own and stands_below(memory(ax).notes_legend):
        # The layout makes room for the list below the axes, which are lower from now on.
        lay_out(figure)
        adjust()


def _span(group: Sequence[Curve], seen: Seen) -> tuple[float, float]:
    """Return the decades that the visible part of the curves needs, or all if none is visible."""
    shown = [drawing.shown(c, log=True) for c in group]
    inside = [mask & seen(c) for c, mask in zip(group, shown, strict=True)]
    if any(mask.any() for mask in inside):
        shown = inside
    values = [c.series.y[mask] for c, mask in zip(group, shown, strict=True)]
    # Half the limit, so that its marks are not on the frame.
    limits = [0.5 * c.limit for c in group if c.limit > 0 and (c.below_limit() & seen(c)).any()]
    return decades(np.concatenate([*values, np.array(limits)]))


def _on_the_floor(group: Sequence[Curve], floor: float, seen: Seen) -> bool:
    """Whether marks or several values would be on the lower frame."""
    if any((c.not_positive() & seen(c)).any() for c in group):
        return True
    on_it = [(np.abs(c.series.y / floor - 1.0) < 0.05) & seen(c) for c in group]
    return any(int(mask.sum()) > 1 for mask in on_it)


def _is_primary(curve: Curve, curves: Sequence[Curve]) -> bool:
    """Whether results of the species belong on this curve, the one of the preferred quantity."""
    mine = (curve.series.species, curve.measurement)
    return all(
        curve.rank <= other.rank
        for other in curves
        if (other.series.species, other.measurement) == mine
    )


def _who(curve: Curve, curves: Sequence[Curve], *, usetex: bool, alone: bool = False) -> str:
    """Name a curve in the list of results, as briefly as the others allow."""
    species = {other.series.species for other in curves}
    measurements = {other.measurement for other in curves}
    name = _typeset.mathtext(curve.series.species, usetex=usetex) if len(species) > 1 else ""
    place = _typeset.plain(curve.measurement) if len(measurements) > 1 and not alone else ""
    return ", ".join(filter(None, [name, place]))
