"""Names of the curves: beside them where they fit, the others in a legend above the axes."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, Any

import numpy as np

from sims_analysis.figures.canvas import NAMES, discard
from sims_analysis.figures.colours import ink
from sims_analysis.figures.curves import colour_meaning, dash_names_measurement
from sims_analysis.figures.free_space import Obstacles
from sims_analysis.figures.legend import add_legend
from sims_analysis.figures.style import grow, lay_out, setting, setting_points
from sims_analysis.text import typeset as _typeset

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from sims_analysis.figures.canvas import Canvas
    from sims_analysis.figures.curves import Curve
    from sims_analysis.figures.free_space import Place

#: Height of the dashes over a curve that they would hide; a legend shows a line.
OVER = 2.1
#: Longest name in a figure, in characters.
_LONGEST = 36
#: Up to so many measurements of a waterfall are named beside their curves.
_FEW_LINES = 8
#: At most so many columns; more names than the second number are sorted by length.
_COLUMNS, _MANY = 8, 24


def choose_names(canvas: Canvas) -> None:
    """Choose the names of the curves, and whether they are written beside these or in a legend."""
    labels = canvas.wanted.labels
    if labels == "none":
        return
    entries, direct = _entries(canvas)
    if labels == "direct" or (labels == "auto" and direct):
        there = [text for text, _ in canvas.beside]
        canvas.beside += [entry for entry in entries.items() if entry[0] not in there]
    else:
        canvas.names |= entries


def place_names(canvas: Canvas, around: Any = None) -> Obstacles:
    """Write all names where they fit in the axes as they are; return the obstacles to more text.

    `around` is a list that is not moved.
    """
    from sims_analysis.figures.curve_names import CurveName

    for each in canvas.axes.values():
        for name in [text for text in each.texts if isinstance(text, CurveName)]:
            name.remove()
    legend_above(canvas)
    while True:
        obstacles = Obstacles.at(canvas.ax)
        if around is not None:
            obstacles.boxes.append(obstacles.fraction(around.get_window_extent()))
        places = _places(canvas.beside, obstacles)
        pairs = zip(canvas.beside, places, strict=True)
        without = [item for item, place in pairs if place is None]
        if not without:
            break
        # The legend takes room, so that other names may not fit any more.
        canvas.names |= without
        canvas.beside = [item for item in canvas.beside if item not in without]
        legend_above(canvas)
    for (text, line), place in zip(canvas.beside, places, strict=True):
        if place is not None:
            CurveName(text, line, place, canvas.ax)
            obstacles.boxes.append(place.box)
    return obstacles


def label_lines(canvas: Canvas) -> None:
    """Label every line, so that a later call and a legend made by the user find its name."""
    from matplotlib.lines import Line2D

    several = len({curve.measurement for curve, _ in canvas.lines}) > 1
    for curve, line in canvas.lines:
        species = _species(curve)
        if not curve.series.species:
            species = "" if curve.source else curve.series.long_name
        again = is_another(canvas, curve, line)
        measured = _typeset.plain(curve.measurement) if several or again or not species else ""
        text = ", ".join(filter(None, [species, measured]))
        text = f"{text} (2)" if again and text in canvas.earlier else text
        # matplotlib ignores names that begin with an underscore.
        line.set_label(text if not text.startswith("_") else "\u200b" + text)
        if line.axes is not canvas.ax:
            # A legend of the left axes lists only the lines of the left axes.
            proxy = Line2D([], [], label=line.get_label())
            proxy.update_from(line)
            canvas.ax.add_line(proxy)


def _species(curve: Curve, *, short: bool = False) -> str:
    name = brief(curve.series.species) if short else curve.series.species
    return _typeset.mathtext(name, usetex=bool(setting("text.usetex")))


def is_another(canvas: Canvas, curve: Curve, line: Any) -> bool:
    """Whether an earlier call has drawn other samples under the name of a curve."""
    name = _species(curve)
    if name not in canvas.earlier:
        return False
    pairs = zip(canvas.earlier[name].get_data(), line.get_data(), strict=True)
    return not all(np.array_equal(a, b, equal_nan=True) for a, b in pairs)


def _entries(canvas: Canvas) -> tuple[dict[str, Any], bool]:
    """Return the names with a line for each, and whether they could be beside the curves."""
    from matplotlib.lines import Line2D

    lines, curves = canvas.lines, [curve for curve, _ in canvas.lines]
    measured = list(dict.fromkeys(curve.measurement for curve in curves))
    known = dict(zip(measured, briefs(measured), strict=True))
    grey, (kind, left) = ink(0.35, canvas.ax), next(iter(canvas.axes))
    by_measurement = colour_meaning(canvas.wanted, canvas.curves) == "measurement"

    def pointing(text: str, mine: Sequence[Curve]) -> str:
        """Add arrows to the axes of curves, if none of these is on the main ones."""
        on_right = all(canvas.key_of(curve)[1] != left for curve in mine)
        above = all(curve.series.axis != kind for curve in mine)
        return text + "→" * (on_right and "→" not in text) + "↑" * above

    def species(curve: Curve) -> str:
        return pointing(_species(curve, short=True) or curve.series.long_name, [curve])

    def measurement(curve: Curve) -> str:
        # The median of many has no name but that of its species.
        name, mine = _typeset.plain(known[curve.measurement]), curve.measurement
        if not (name and by_measurement):
            return name or species(curve)
        return pointing(name, [one for one in curves if one.measurement == mine])

    if len(measured) == 1:
        return {
            str(line.get_label()) if is_another(canvas, c, line) else species(c): line
            for c, line in lines
        }, True
    alone = by_measurement and len({curve.subject for curve in curves}) == 1
    if alone or "" in measured:  # medians of species, and outliers of the same colour in each
        few = len(lines) <= (_FEW_LINES if canvas.wanted.waterfall is not None else 1)
        return {measurement(c): line for c, line in lines}, few and "" not in measured
    if by_measurement:
        colours = {measurement(c): Line2D([], [], color=line.get_color()) for c, line in lines}
        dashes = {species(c): Line2D([], [], color=grey, linestyle=c.dash) for c in curves}
        return colours | dashes, False
    if not dash_names_measurement(curves, [curve.colour for curve in curves]):
        return {f"{species(c)}, {measurement(c)}": line for c, line in lines}, False
    colours = {species(c): Line2D([], [], color=line.get_color()) for c, line in lines}
    if len(colours) == 1:
        grey, colours = str(next(iter(colours.values())).get_color()), {}
    return colours | {
        measurement(c): Line2D([], [], color=grey, linestyle=c.dash) for c in curves
    }, False


def _places(named: Sequence[tuple[str, Any]], obstacles: Obstacles) -> list[Place | None]:
    """Find a place beside its curve for each name that has one."""
    before = list(obstacles.boxes)
    found: list[Place | None] = []
    for text, line in named:
        place = obstacles.place_beside(line, obstacles.size(_extent(obstacles.ax, text)))
        found.append(place)
        if place is not None:
            obstacles.boxes.append(place.box)
    obstacles.boxes = before
    return found


def legend_above(canvas: Canvas) -> None:
    """Place the legend above the axes, in as few rows as its width allows."""
    ax, own = canvas.ax, canvas.own
    figure = canvas.figure
    before = 0.0
    for known in canvas.legends(NAMES):
        before = known.get_window_extent().height
        discard(known)
    if not canvas.names:
        return
    above = _height_above(canvas)
    names, left = canvas.names, ax.bbox.x0
    if len(names) > _MANY:
        # Names of one width make narrow columns, and more of them.
        names = dict(sorted(names.items(), key=lambda item: _extent(ax, item[0]).width))
        left = 0.0 if own else left
    # Nothing stands beside the axes of our own figure, but what belongs to them.
    room = figure.bbox.width - left if own else ax.bbox.width
    widths = [_extent(ax, text).width for text in names]
    most = min(len(names), _COLUMNS, max(1, int(room / min(widths))))
    for columns in range(most, 0, -1):
        legend = _legend(ax, names, columns, above, left)
        if columns == 1 or legend.get_window_extent().width <= room:
            break
        legend.remove()
    longest = _LONGEST
    while legend.get_window_extent().width > figure.bbox.width - left and longest > 12:
        # A long name is shortened, rather than pushing the axes out of the figure.
        longest -= 4
        legend.remove()
        short = dict(zip(briefs(list(names), longest), names.values(), strict=True))
        legend = _legend(ax, short, 1, above, left)
    extent = legend.get_window_extent()
    if ax.get_title():
        height = extent.height * 72.0 / figure.dpi
        ax.set_title(ax.get_title(), y=1.0, pad=height + 4.0 + above)
    if own:
        grow(figure, (extent.height - before) / figure.dpi)
    lay_out(figure)


def _extent(ax: Axes, text: str) -> Any:
    """Measure a name as it is printed, in pixels."""
    label = ax.text(0.5, 0.5, text, fontsize=setting_points("legend.fontsize"))
    extent = label.get_window_extent()
    label.remove()
    return extent


def _legend(ax: Axes, names: dict[str, Any], columns: int, above: float, left: float) -> Any:
    from matplotlib.transforms import ScaledTranslation

    figure: Any = ax.figure
    place = {
        "loc": "lower left",
        "bbox_to_anchor": ((left - ax.bbox.x0) / ax.bbox.width, 1.0),
        "bbox_transform": ax.transAxes + ScaledTranslation(0, above / 72, figure.dpi_scale_trans),
    }
    spaces = {"borderaxespad": 0.2, "columnspacing": 1.2, "handlelength": 1.8}
    legend = add_legend(ax, names, NAMES, ncols=columns, **place, **spaces)
    for line, handle in zip(names.values(), legend.legend_handles, strict=True):
        if line.get_zorder() == OVER:
            handle.set_linestyle("solid")
    return legend


def _height_above(canvas: Canvas) -> float:
    """Height in points of what stands on an axes: numbers above, and the power of a linear axis."""
    figure = canvas.figure
    texts = [each.yaxis.get_offset_text() for each in canvas.axes.values()]
    boxes: list[Any] = [text.get_window_extent() for text in texts if text.get_text()]
    above = [ax.xaxis for ax in canvas.depths().values() if ax.xaxis.get_label_position() == "top"]
    boxes += [axis.get_tightbbox(figure.canvas.get_renderer()) for axis in above]
    heights = [box.y1 - canvas.ax.bbox.y1 for box in boxes]
    return max(heights, default=0.0) * 72.0 / float(figure.dpi)


def brief(name: str, longest: int = _LONGEST) -> str:
    """Shorten a long name; its beginning and its end say most.

    Examples
    --------
    >>> brief("wafer 12, lot 2026-01-15/7, annealed", 24)
    'wafer 12, lo…, annealed'
    """
    if len(name) <= longest or "$" in name:
        return name
    return f"{name[: longest - 12]}…{name[-10:].strip()}" if longest > 13 else f"{name[:11]}…"


def briefs(names: Sequence[str], longest: int = _LONGEST) -> list[str]:
    """Shorten names so that they still differ, if need be by the words that all share.

    Examples
    --------
    >>> lot = "lot 2026-01-15/7, wafer {}, annealed at 1050 C"
    >>> briefs([lot.format(1), lot.format(2)])
    ['… wafer 1, …', '… wafer 2, …']
    """
    short = [brief(name, longest) for name in names]
    if len(set(short)) == len(set(names)):
        return short
    words = [name.split() for name in names]
    # The last of the words before says what differs: wafer 12.
    start, end = max(_shared(words) - 1, 0), _shared([one[::-1] for one in words])
    own = [" ".join(one[start : len(one) - end]) for one in words]
    return [f"{'… ' * (start > 0)}{brief(text, longest)}{' …' * (end > 0)}" for text in own]


def _shared(names: Sequence[Sequence[str]]) -> int:
    """Count the words that all names begin with."""
    columns = zip(*names, strict=False)
    return sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, columns))
