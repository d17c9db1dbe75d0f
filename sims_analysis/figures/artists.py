"""From curves to artists, in stages, for one axes or all panels of a figure together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import xarray as xr

from sims_analysis.errors import ProfileWarning, warn
from sims_analysis.figures import fits, lines
from sims_analysis.figures.arguments import PlotOptions
from sims_analysis.figures.axes import set_depth_limits, set_value_limits
from sims_analysis.figures.colours import (
    COLOURS,
    DASHES,
    assign_colours,
    colour_of,
    text_colour,
    visible_colour,
)
from sims_analysis.figures.curves import (
    CENTRAL,
    DECADES,
    Curve,
    Spread,
    check_names,
    colour_meaning,
    curves_of,
    most_intense,
    needs_spread,
    spread_of,
    with_styles,
)
from sims_analysis.figures.plot import (
    Plot,
    choose_names,
    differs_from_earlier,
    label_lines,
    typeset_species,
)
from sims_analysis.figures.results import MARKED, draw_regions, draw_results
from sims_analysis.figures.style import fix_ticks, fold_label
from sims_analysis.outcomes import KINDS
from sims_analysis.text import typeset as _typeset
from sims_analysis.text.typeset import unit_label

#: Axes of several quantities that are narrower, in mm, are warned of.
_NARROW = 30.0
_warn_left_out = partial(warn, category=ProfileWarning, code="not_shown")
_warn_crowded = partial(warn, category=ProfileWarning, code="crowded_figure")
_ENGINE = 'a layout engine, as with plt.subplots(..., layout="constrained")'


def read_curves(
    datasets: Mapping[str, xr.Dataset | xr.DataArray], options: PlotOptions
) -> tuple[PlotOptions, list[Curve], list[Curve]]:
    """Read the curves and the fits to draw, before there is a figure."""
    every = curves_of(datasets, options.species, options.value_units, options.detection_limit)
    every = [replace(curve, log=options.scale_of(curve.variable) == "log") for curve in every]
    if options.smooth is not None:
        every = [curve.smoothed(options.smooth) for curve in every]
    curves = every if options.species is not None else most_intense(every, options.named_species())
    left_out = {curve.species for curve in every} - {curve.species for curve in curves}
    options = replace(options, left_out=len(left_out))
    if left_out:
        _warn_left_out(
            f"{len(left_out)} of {len({curve.species for curve in every})} species are left out, "
            "those with the smallest share of their axis",
            argument="species",
            remedy="name others by species=, or draw sims.plot_panels(data, by='species')",
        )
    if options.colour is not None:
        options = replace(options, colours={c.species: options.colour for c in curves})
    models = fits.evaluate_fits(options, curves)
    if options.spread is None:
        options = replace(options, spread=needs_spread(curves, colour_meaning(options, curves)))
    marked = [name for name in MARKED if options.results.get(name)]
    if options.spread and marked:
        _warn_left_out(
            f"{marked[0]}= is of single measurements, and left out of their median",
            argument=marked[0],
            remedy="draw them with spread=False, or in panels, or write them with "
            "sims.results_table()",
        )
    return options, curves, models


def draw(plots: Sequence[Plot], used_colours: dict[str, str]) -> None:
    """Draw the curves of each plot with all that belongs to them, in common limits and colours."""
    all_curves = [curve for plot in plots for curve in plot.curves]
    check_names(all_curves, plots[0].options)
    for plot in plots:
        if plot.options.left_out:
            plot.list_result(f"{plot.options.left_out} more signals, not shown")
        meaning = colour_meaning(plot.options, plot.curves)
        plot.curves = with_styles(plot.curves, plot.options.colours, meaning, used_colours, plot.ax)
        plot.open(all_curves)
        _draw_curves(plot)
    set_depth_limits(plots)
    for plot in plots:
        _draw_marks(plot)
        fits.draw_restored(plot)
    set_value_limits(plots)
    for plot in plots:
        draw_regions(plot, all_curves)
        _draw_bands(plot)
        for curve, line in [] if plot.options.spread else plot.lines:
            if _is_primary(curve, plot.curves):
                differs = differs_from_earlier(plot, curve, line)
                name = str(line.get_label()) if differs else _subject_of(curve, plot.curves)
                draw_results(plot, curve, name)
        fits.draw(plot)
        choose_names(plot)


def _draw_curves(plot: Plot) -> None:
    """Draw all lines, of a crowd its medians and outliers."""
    options = plot.options
    for curve in plot.curves:
        scale = "log" if curve.log else "linear"
        if plot.axes_of(curve).get_yscale() != scale:
            plot.axes_of(curve).set_yscale(scale)
    styled = [(curve, options.style_of(curve.species)) for curve in plot.curves]
    for curve, style in _spreads(plot) if options.spread else styled:
        line = lines.draw_curve(plot, curve, style)
        # Curves are inside the axes; one without samples would be placed at the origin.
        line.set_in_layout(False)
        if differs_from_earlier(plot, curve, line) and "linestyle" not in style:
            same_colour = [x for x in plot.earlier.values() if x.get_color() == line.get_color()]
            line.set_linestyle(DASHES[len(same_colour) % len(DASHES)])
        plot.lines.append((curve, line))
    label_lines(plot)


def _spreads(plot: Plot) -> list[tuple[Curve, Mapping[str, Any]]]:
    """Shade the band of each species; return the lines to draw, with their style."""
    groups: dict[tuple[str, str], list[Curve]] = {}
    for curve in plot.curves:
        groups.setdefault(curve.subject, []).append(curve)
    # All measurements together have the colour of the species, not of one of them.
    colours = {
        subject: curves[0].colour
        if len({curve.colour for curve in curves}) == 1
        else visible_colour(colour_of(subject[0]), plot.ax)
        for subject, curves in groups.items()
    }
    spreads = {subject: spread_of(curves) for subject, curves in groups.items() if len(curves) > 1}
    names = [curve.measurement for spread in spreads.values() for curve in spread.outliers]
    every = [visible_colour(colour, plot.ax) for colour in COLOURS]
    tints = assign_colours(names, {" ".join(n): colour for n, colour in colours.items()}, every)
    medians: list[tuple[Curve, Mapping[str, Any]]] = []
    outliers: list[tuple[Curve, Mapping[str, Any]]] = []
    for subject, curves in groups.items():
        style = plot.options.style_of(curves[0].species)
        if subject not in spreads:
            medians.append((curves[0], style))
            continue
        band = spreads[subject]
        median = replace(band.median, colour=colours[subject])
        _draw_spread(plot, median, band)
        medians.append((median, style))
        coloured = [replace(curve, colour=tints[curve.measurement]) for curve in band.outliers]
        outliers += [(curve, {"linewidth": 0.7, **style}) for curve in coloured]
    # The legend names the species first.
    return medians + outliers


def _draw_spread(plot: Plot, median: Curve, spread: Spread) -> None:
    data, x = lines.is_data(median), plot.scale(median.x)
    lines.shade(plot, median, spread.low, spread.high, data)
    style: dict[str, Any] = {"color": median.colour, "linewidth": 0.3, "alpha": 0.5}
    for end in (spread.low, spread.high):
        y = np.where(data & ((end > 0) | (not median.log)), end, np.nan)
        (edge,) = plot.axes_of(median).plot(x, y, label="_edge", **style)
        plot.layout.extents.append((edge, 1.0))
    plot.explain(f"median of {spread.measurements}", color=plot.grey, linewidth=1.0)
    plot.explain_band(f"the middle {100 * CENTRAL:g} %")


def _draw_marks(plot: Plot) -> None:
    """Mark samples below a limit or below a log axis, and others of which something is known."""
    for curve, _ in plot.lines:
        if lines.mark_below_limit(plot, curve):
            plot.explain_mark("below the limit")
        for kind in KINDS:
            if kind.marked and lines.mark_kind(plot, curve, kind):
                style = {**lines.OF_KIND, "marker": kind.marker}
                plot.explain_mark(kind.marked, markeredgewidth=0.5, **style)
    words: dict[str, None] = {}
    for curve in lines.mark_floor(plot):
        y, fill_values = curve.y, curve.y[curve.placeholders()]
        reasons = {"zero": (y == 0).any(), "negative": (y < 0).any()}
        is_tiny = (y > 0) & (y <= curve.least) & ~curve.placeholders()
        reasons[f"below 10$^{{-{DECADES}}}$ of the maximum"] = is_tiny.any()
        for value in np.unique(fill_values):
            reasons[f"{value:g} {unit_label(curve.units)} (fill value)"] = True
        words |= dict.fromkeys(reason for reason, is_so in reasons.items() if is_so)
    if words:
        plot.explain_mark(" or ".join(words))


def _draw_bands(plot: Plot) -> None:
    """Draw the errors of the curves, and the detection limits, one line where all are the same."""
    for curve, _ in plot.lines:
        if lines.draw_band(plot, curve):
            plot.explain_error(band=True)
    style: dict[str, Any] = {"linestyle": (0, (4, 2)), "linewidth": 0.6}
    for label, ax in plot.layout.axes.items():
        selected = [c for c in plot.curves if c.label == label and not np.isnan(c.detection_limit)]
        limits = {curve.detection_limit: curve.colour for curve in selected}
        for limit, colour in limits.items():
            ax.axhline(limit, color=plot.grey if len(limits) == 1 else colour, zorder=1, **style)
            plot.explain("detection limit", color=plot.grey, **style)


def _is_primary(curve: Curve, curves: Sequence[Curve]) -> bool:
    """Whether results of the species belong on this curve, the one of the preferred quantity."""
    rivals = [c for c in curves if (c.species, c.measurement) == (curve.species, curve.measurement)]
    return curve.rank == min(rival.rank for rival in rivals)


def _subject_of(curve: Curve, curves: Sequence[Curve]) -> str:
    """Name a curve in the list of results, as briefly as the others allow."""
    species = {other.species for other in curves}
    measurements = {other.measurement for other in curves}
    name = typeset_species(curve.name) if len(species) > 1 else ""
    place = _typeset.plain(curve.measurement) if len(measurements) > 1 else ""
    return ", ".join(filter(None, [name, place]))


def finish(plots: Sequence[Plot], *, across: int = 1) -> None:
    """Set the ticks, place the lists of plots that stand `across` in a row, warn of problems."""
    from sims_analysis.figures.layout import arrange

    texts: set[str] = set()
    for plot in reversed(plots):  # a list that has no room inside is then below them all
        _style_ticks(plot)
        notes = plot.layout.explanations
        plot.layout.explanations = {text: notes[text] for text in notes if text not in texts}
        texts |= set(notes)
        plot.layout.read_settings()
        is_single = plot.layout.resizable and len(plots) == 1  # and as high as its labels
        for each in () if is_single else plot.layout.axes.values():
            fold_label(each)
    layouts = [plot.layout for plot in plots]
    arrange(layouts, across)
    for plot in plots:
        width = 25.4 * plot.ax.bbox.width / plot.layout.figure.dpi
        in_grid = plot.ax.get_subplotspec() is not None  # a small inset is meant to be so
        if in_grid and len(plot.layout.axes) > 2 and width < _NARROW:
            _warn_crowded(
                f"{len(plot.layout.axes)} value axes leave {width:.0f} mm for the curves",
                argument="width",
                remedy="draw a wider figure, width=, or sims.plot_panels(data, by='species')",
            )
        right = list(plot.layout.axes.values())[1:]
        engine = plot.layout.figure.get_layout_engine()
        box: Any = right[-1].yaxis.get_tightbbox() if right and engine is None else None
        if box is not None and box.x1 > plot.layout.figure.bbox.x1 + 1.0:
            text = f"the axis of {right[-1].get_ylabel()!r} leaves the figure"
            _warn_crowded(text, remedy=f"make room for it with {_ENGINE}")
    for problem in dict.fromkeys(each.problem for each in layouts if each.problem):
        _warn_crowded(
            problem,
            remedy="leave out some results, or notes=False, or give the axes more room (width=, or "
            f"{_ENGINE})",
        )


def _style_ticks(plot: Plot) -> None:
    """Fix the looks of ticks, and give right axes the colour of their curves if there are two."""
    for ax in plot.layout.axes.values():
        fix_ticks(ax)
    right = list(plot.layout.axes.items())[1:]
    lines_of = {ax: {name: line for name, line in plot.layout.curves.items() if line.axes is ax}
          for _, ax in right}  # fmt: skip
    colours = {ax: {str(line.get_color()) for line in lines_of[ax].values()} for ax in lines_of}
    # An arrow does not say which of several right axes is meant: colours or names do.
    for label, ax in right if len(right) > 1 else []:
        other_colours = set().union(*(colours[name] for name in lines_of if name is not ax))
        if len(colours[ax]) != 1 or colours[ax] & other_colours:
            ax.set_ylabel(f"{label}: {', '.join(lines_of[ax])}")
        else:
            colour = text_colour(colours[ax].pop(), plot.ax)
            ax.yaxis.label.set_color(colour)
            ax.tick_params(axis="y", which="both", colors=colour)
