"""From curves to artists, in stages, for one axes or all panels of a figure together.

Curves; limits of depth; marks; limits of values; bands, results and fits; then, once everything
has its size, names and lists where they cover nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import cycle
from typing import Any

import numpy as np
import xarray as xr

from sims_analysis.figures import fits as fitted
from sims_analysis.figures import legend
from sims_analysis.figures import lines as lined
from sims_analysis.figures.arguments import Wanted
from sims_analysis.figures.axes import EDGE, set_depth_limits, set_value_limits, spread_right_axes
from sims_analysis.figures.canvas import NAMES, NOTES, Canvas
from sims_analysis.figures.colours import COLOURS, DASHES, colour_of, legible, letters
from sims_analysis.figures.curves import (
    CENTRAL,
    Curve,
    Spread,
    check_limits,
    colour_meaning,
    curves_of,
    is_crowd,
    raised,
    spread_of,
    styled,
)
from sims_analysis.figures.labels import choose_names, is_another, label_lines, printed
from sims_analysis.figures.results import check_results, draw_results, draw_summaries
from sims_analysis.figures.style import fix_ticks, grow, lay_out
from sims_analysis.text import typeset as _typeset

#: Of more curves than these, each is too thin a part to be seen among others.
_MOST = 40
#: Curves closer than this everywhere, as a fraction of the axes, hide each other.
_SAME = 0.004


def prepared(
    named: Mapping[str, xr.Dataset | xr.DataArray], wanted: Wanted
) -> tuple[Wanted, list[Curve], list[Curve]]:
    """Read the curves and the fits to draw, before there is a figure."""
    curves = curves_of(named, wanted.species, wanted.value_units, wanted.detection_limit)
    if wanted.colour is not None:
        wanted = replace(wanted, colours={c.species: wanted.colour for c in curves})
    if wanted.waterfall is not None and len({curve.measurement for curve in curves}) > 1:
        curves = raised(curves, wanted.waterfall)
    models = fitted.evaluated(wanted, curves)
    if wanted.spread is None:
        crowd = wanted.waterfall is None and is_crowd(curves, colour_meaning(wanted, curves))
        wanted = replace(wanted, spread=crowd)
    return wanted, curves, models


def taken_colours(canvas: Canvas) -> dict[str, str]:
    """Return the colours of the curves that an earlier call has drawn, by their names."""
    named = {text: str(line.get_color()) for text, line in canvas.earlier.items()}
    return {part: colour for text, colour in named.items() for part in text.split(", ")}


def draw(canvases: Sequence[Canvas], taken: dict[str, str], *, shared: bool = False) -> None:
    """Draw the curves of each canvas, with their marks, bands, results and fits, in common limits.

    `taken` are the colours in the figure, by printed names; those of new curves are added. In a
    `shared` list of all results, each has to say of which panel it is.
    """
    together = [curve for canvas in canvases for curve in canvas.curves]
    check_limits(together, canvases[0].wanted.detection_limit)
    check_results(canvases[0].wanted, together)
    for canvas in canvases:
        order = list(dict.fromkeys(_typeset.plain(curve.measurement) for curve in canvas.curves))
        if canvas.wanted.waterfall is not None and len(order) > 1:
            canvas.explain(f"$n$ = 0 for {order[0]}, 1 for {order[1]}{', ...' * (len(order) > 2)}")
        meaning = colour_meaning(canvas.wanted, canvas.curves)
        canvas.curves = styled(canvas.curves, canvas.wanted.colours, meaning, taken, canvas.ax)
        canvas.open()
        _draw_curves(canvas)
    set_depth_limits(canvases)
    for canvas in canvases:
        _draw_marks(canvas)
        fitted.draw_restored(canvas)
    set_value_limits(canvases)
    for canvas in canvases:
        _part(canvas)
        among = together if shared else canvas.curves
        _draw_bands(canvas)
        for curve, line in [] if canvas.wanted.spread else canvas.lines:
            if _is_primary(curve, canvas.curves):
                again = is_another(canvas, curve, line)
                name = str(line.get_label()) if again else _who(curve, among)
                draw_results(canvas, curve, name)
        for median, members in canvas.medians:
            draw_summaries(canvas, median, members, _who(median, canvas.curves, alone=True))
        fitted.draw(canvas)
        choose_names(canvas)


def _draw_curves(canvas: Canvas) -> None:
    """Draw all lines, of a crowd its medians and outliers."""
    wanted = canvas.wanted
    for each in canvas.values().values():
        if wanted.log and each.get_yscale() != "log":
            each.set_yscale("log")
    every = [(curve, wanted.line) for curve in canvas.curves]
    for curve, style in _spreads(canvas) if wanted.spread else every:
        line = lined.draw_curve(canvas, curve, style)
        # Curves are inside the axes; one without samples would be placed at the origin.
        line.set_in_layout(False)
        if is_another(canvas, curve, line) and "linestyle" not in style:
            same = [one for one in canvas.earlier.values() if one.get_color() == line.get_color()]
            line.set_linestyle(DASHES[len(same) % len(DASHES)])
        canvas.lines.append((curve, line))
    label_lines(canvas)


def _spreads(canvas: Canvas) -> list[tuple[Curve, Mapping[str, Any]]]:
    """Shade the band of each species; return the lines to draw, with their style."""
    options, ax = canvas.wanted.line, canvas.ax
    by_subject: dict[Any, list[Curve]] = {}
    for curve in canvas.curves:
        by_subject.setdefault((curve.axis, *curve.subject), []).append(curve)
    # All measurements together have the colour of the species, not of one of them.
    colours = {}
    for key, mine in by_subject.items():
        found = {curve.colour for curve in mine}
        colours[key] = found.pop() if len(found) == 1 else legible(colour_of(key[1]), ax)
    spreads = {key: spread_of(mine) for key, mine in by_subject.items() if len(mine) > 1}
    far = dict.fromkeys(c.measurement for whole in spreads.values() for c in whole.outliers)
    free = [colour for c in COLOURS if (colour := legible(c, ax)) not in colours.values()]
    outlier = dict(zip(far, cycle(free or COLOURS), strict=False))
    drawn: list[tuple[Curve, Mapping[str, Any]]] = []
    outliers: list[tuple[Curve, Mapping[str, Any]]] = []
    for key, mine in by_subject.items():
        if key not in spreads:
            drawn.append((mine[0], options))
            continue
        whole = spreads[key]
        median = replace(whole.median, colour=colours[key])
        _draw_spread(canvas, median, whole)
        drawn.append((median, options))
        thin = {"linewidth": 0.7, **options}
        outliers += [(replace(c, colour=outlier[c.measurement]), thin) for c in whole.outliers]
        if _is_primary(mine[0], canvas.curves):
            canvas.medians.append((median, mine))
    # The legend names the species first.
    return drawn + outliers


def _draw_spread(canvas: Canvas, median: Curve, whole: Spread) -> None:
    data = lined.shown(canvas, median)
    lined.shade(canvas, median, whole.low, whole.high, data)
    style: dict[str, Any] = {"color": median.colour, "linewidth": 0.3, "alpha": 0.5}
    for end in (whole.low, whole.high):
        y = np.where(data & ((end > 0) | (not canvas.wanted.log)), end, np.nan)
        x = canvas.scale_of(median)(median.x)
        canvas.axes_of(median).plot(x, y, label=EDGE, **style)
    canvas.explain(f"median of {whole.count}", color=canvas.grey, linewidth=1.0)
    legend.explain_band(canvas, f"the middle {100 * CENTRAL:g} %")


def _draw_marks(canvas: Canvas) -> None:
    """Mark the samples that are not drawn as data: below a limit, or below a log axis."""
    for curve, _ in canvas.lines:
        if lined.mark_below_limit(canvas, curve):
            legend.explain_mark(canvas, "below the limit")
    for kind, ax in canvas.depths().items() if canvas.wanted.log else ():
        legend.explain_hidden(canvas, lined.mark_floor(canvas, kind, ax))


def _draw_bands(canvas: Canvas) -> None:
    """Draw the errors of the curves, and the detection limits, one line where all are the same."""
    for curve, _ in canvas.lines:
        if lined.draw_band(canvas, curve):
            legend.explain_error(canvas, band=True)
    grey = canvas.grey
    style: dict[str, Any] = {"linestyle": (0, (4, 2)), "linewidth": 0.6}
    for key, ax in canvas.axes.items():
        mine = [c for c in canvas.curves if c.key == key and not np.isnan(c.detection_limit)]
        limits = {curve.detection_limit: curve.colour for curve in mine}
        for limit, colour in limits.items():
            ax.axhline(limit, color=grey if len(limits) == 1 else colour, zorder=1, **style)
            canvas.explain("detection limit", color=grey, **style)


def _part(canvas: Canvas) -> None:
    """Draw curves that hide each other as dashes that leave room for one another."""
    groups: list[tuple[Any, list[Any]]] = []
    for _, line in canvas.lines if len(canvas.lines) <= _MOST else []:
        pixels = line.get_transform().transform(np.column_stack(line.get_data(orig=False)))
        points = canvas.ax.transAxes.inverted().transform(pixels)
        for other, lines in groups:
            same = other.shape == points.shape and np.isfinite(points - other).any()
            if same and np.nanmax(np.abs(other - points)) < _SAME:
                lines.append(line)
                break
        else:
            groups.append((points, [line]))
    for _, (_, *hiding) in groups:
        for i, line in enumerate(hiding):
            line.set(linestyle=(3 * (len(hiding) - i), (3, 3 * len(hiding))), zorder=legend.OVER)


def _is_primary(curve: Curve, curves: Sequence[Curve]) -> bool:
    """Whether results of the species belong on this curve, the one of the preferred quantity."""
    mine = (curve.species, curve.measurement)
    same = [other for other in curves if (other.species, other.measurement) == mine]
    return all(curve.rank <= other.rank for other in same)


def _who(curve: Curve, curves: Sequence[Curve], *, alone: bool = False) -> str:
    """Name a curve in the list of results, as briefly as the others allow."""
    species = {other.species for other in curves}
    measurements = {other.measurement for other in curves}
    name = printed(curve.species) if len(species) > 1 else ""
    place = _typeset.plain(curve.measurement) if len(measurements) > 1 and not alone else ""
    return ", ".join(filter(None, [name, place]))


def finish(canvases: Sequence[Canvas], *, across: int = 1, shared: bool = False) -> None:
    """Set the ticks, move the right axes apart, and write the names where they cover nothing.

    Panels of one figure stand `across` in a row; a `shared` list is written below all of them.
    """
    figure = canvases[0].figure
    for canvas in canvases:
        _dress(canvas)
    lay_out(figure)
    crowded = [canvas for canvas in canvases if len(canvas.values()) > 2]
    for canvas in crowded:
        spread_right_axes(canvas)
    if crowded:
        lay_out(figure)
    if shared:
        legend.write_shared_list(canvases)
        return
    said: set[str] = set()
    for canvas in canvases:
        legend.write_list(canvas, legend.place_names(canvas), said)
    outside = [_outside(canvas) for canvas in canvases if not canvas.own]
    if not any(outside):
        return
    if len(canvases) > 1:
        # Lists around the panels get room of their own: the panels stay as high.
        rows = [outside[i : i + across] for i in range(0, len(outside), across)]
        grow(figure, sum(map(max, rows)))
    # The layout makes room for the lists below the axes, which are lower from now on.
    lay_out(figure)
    for canvas in canvases:
        legend.place_names(canvas, next(iter(canvas.legends(NOTES)), None))


def _outside(canvas: Canvas) -> float:
    """Return the height of the lists above and below an axes, in inches."""
    below = [each for each in canvas.legends(NOTES) if each.get_in_layout()]
    heights = [each.get_window_extent().height for each in canvas.legends(NAMES) + below]
    return float(sum(heights) / canvas.figure.dpi)


def _dress(canvas: Canvas) -> None:
    """Fix the looks of ticks, and give right axes the colour of their curves if there are two."""
    for each in canvas.axes.values():
        fix_ticks(each)
    right = list(canvas.values().items())[1:]
    for label, each in right if len(right) > 1 else []:
        # An arrow does not say which of several right axes is meant: their colour does.
        colours = {str(line.get_color()) for curve, line in canvas.lines if curve.key[1] == label}
        if len(colours) == 1:
            colour = letters(colours.pop(), canvas.ax)
            each.yaxis.label.set_color(colour)
            each.tick_params(axis="y", which="both", colors=colour)
