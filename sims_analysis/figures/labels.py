"""Names of the curves: beside them where they fit, the others in a legend above the axes."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, Any

from sims_analysis.figures.axes import discard, memory
from sims_analysis.figures.colours import ink
from sims_analysis.figures.curves import dash_names_measurement
from sims_analysis.figures.free_space import Obstacles
from sims_analysis.figures.legend import add_legend
from sims_analysis.figures.style import grow, lay_out, setting_points
from sims_analysis.text import typeset as _typeset

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from sims_analysis.figures.curves import Curve
    from sims_analysis.figures.free_space import Place

__all__ = ["brief", "place_names", "write_names"]


#: Longest name in a figure, in characters.
_LONGEST = 36
#: At most so many columns; more names than the second number are sorted by length.
_COLUMNS, _MANY = 8, 24


def write_names(
    ax: Axes,
    lines: Sequence[tuple[Curve, Any]],
    labels: str,
    *,
    colour_by: str,
    usetex: bool,
) -> None:
    """Choose the names of the curves, and whether they are written beside these or in a legend.

    Parameters
    ----------
    ax : Axes
        The left one.
    lines : sequence of (curve, line)
        A curve without a species is named by its measurement.
    labels : {"auto", "direct", "legend", "none"}
    """
    _label_lines(ax, lines, usetex=usetex)
    if labels == "none":
        return
    entries, direct = _entries(ax, lines, colour_by, usetex=usetex)
    if labels == "direct" or (labels == "auto" and direct):
        memory(ax).beside += entries.items()
    else:
        memory(ax).names |= entries


def place_names(ax: Axes, *, own: bool, around: Any = None) -> Obstacles:
    """Write all names where they fit in the axes as they are; return the obstacles to more text.

    Parameters
    ----------
    ax : Axes
        The left one.
    own : bool
        Whether the figure is ours, and may become higher.
    around : artist, optional
        A list that is not moved.
    """
    known = memory(ax)
    while known.written:
        discard(known.written.pop())
    _legend_above(ax, own=own)
    while True:
        obstacles = _map_obstacles(ax)
        if around is not None:
            obstacles.boxes.append(obstacles.fraction(around.get_window_extent()))
        places = _places(known.beside, obstacles)
        without = [item for item, place in zip(known.beside, places, strict=True) if place is None]
        if not without:
            break
        # The legend takes room, so that other names may not fit any more.
        known.names |= without
        known.beside = [item for item in known.beside if item not in without]
        _legend_above(ax, own=own)
    for (text, line), place in zip(known.beside, places, strict=True):
        if place is not None:
            known.written.append(_write_beside(text, line, place, obstacles))
    return obstacles


def _map_obstacles(ax: Axes) -> Obstacles:
    """Map the curves and the texts of an axes with its right axes."""
    obstacles = Obstacles(ax)
    for each in memory(ax).axes.values():
        for drawn in each.lines:
            obstacles.add_line(drawn)
        obstacles.boxes += [
            obstacles.fraction(text.get_window_extent()) for text in each.texts if text.get_text()
        ]
    return obstacles


def _label_lines(ax: Axes, lines: Sequence[tuple[Curve, Any]], *, usetex: bool) -> None:
    """Label every line, so that a legend made by the user finds its name."""
    from matplotlib.lines import Line2D

    several = len({curve.measurement for curve, _ in lines}) > 1
    for curve, line in lines:
        species = _typeset.mathtext(curve.series.species, usetex=usetex) or curve.series.long_name
        if not curve.series.species and curve.source:
            species = ""
        measured = _typeset.plain(curve.measurement) if several or not species else ""
        text = ", ".join(filter(None, [species, measured]))
        # matplotlib ignores names that begin with an underscore.
        line.set_label(text if not text.startswith("_") else "\u200b" + text)
        if line.axes is not ax:
            # A legend of the left axes lists only the lines of the left axes.
            proxy = Line2D([], [], label=line.get_label())
            proxy.update_from(line)
            ax.add_line(proxy)


def _entries(
    ax: Axes, lines: Sequence[tuple[Curve, Any]], colour_by: str, *, usetex: bool
) -> tuple[dict[str, Any], bool]:
    """Return the names with a line for each, and whether they could be beside the curves."""
    from matplotlib.lines import Line2D

    def species(curve: Curve, drawn: Any) -> str:
        text = _typeset.mathtext(brief(curve.series.species), usetex=usetex)
        text = text or curve.series.long_name
        return text + "→" if drawn.axes is not ax and "→" not in text else text

    curves = [curve for curve, _ in lines]
    measured = list(dict.fromkeys(curve.measurement for curve in curves))
    known = dict(zip(measured, briefs(measured), strict=True))

    def measurement(curve: Curve, drawn: Any = None) -> str:
        # The median of many has no name but that of its species.
        return _typeset.plain(known[curve.measurement]) or species(curve, drawn)

    if len(measured) == 1:
        return {species(*item): item[1] for item in lines}, True
    if "" in measured:
        # Medians of species, and outliers that have the same colour in each.
        return {measurement(*item): item[1] for item in lines}, False
    if colour_by == "measurement" and len({curve.subject for curve in curves}) == 1:
        return {measurement(*item): item[1] for item in lines}, len(lines) == 1
    if colour_by == "measurement":
        dashes = {
            species(curve, drawn): Line2D([], [], color=ink(0.35, ax), linestyle=curve.dash)
            for curve, drawn in lines
        }
        return {
            measurement(curve, drawn): Line2D([], [], color=drawn.get_color())
            for curve, drawn in lines
        } | dashes, False
    if not dash_names_measurement(curves, [curve.colour for curve in curves]):
        return {
            f"{species(curve, drawn)}, {measurement(curve)}": drawn for curve, drawn in lines
        }, False
    colours = {species(*item): Line2D([], [], color=item[1].get_color()) for item in lines}
    alone = next(iter(colours.values())).get_color() if len(colours) == 1 else ink(0.35, ax)
    dashes = {
        measurement(curve): Line2D([], [], color=alone, linestyle=curve.dash) for curve in curves
    }
    return (colours if len(colours) > 1 else {}) | dashes, False


def _places(named: Sequence[tuple[str, Any]], obstacles: Obstacles) -> list[Place | None]:
    """Find a place beside its curve for each name that has one."""
    ax = obstacles.ax
    before = list(obstacles.boxes)
    found: list[Place | None] = []
    for text, line in named:
        extent = _extent(ax, text)
        size = extent.width / ax.bbox.width, extent.height / ax.bbox.height
        place = obstacles.place_beside(line, size)
        found.append(place)
        if place is not None:
            obstacles.boxes.append(place.box)
    obstacles.boxes = before
    return found


def _write_beside(text: str, line: Any, place: Place, obstacles: Obstacles) -> Any:
    """Write a name at a distance from a point of its curve, which it follows from then on."""
    ax = obstacles.ax
    anchor = ax.transAxes.transform((place.x, place.y))
    corner = ax.transAxes.transform((place.box.left, place.box.bottom))
    offset = (corner - anchor) * 72.0 / ax.figure.dpi
    label = line.axes.annotate(
        text,
        line.axes.transData.inverted().transform(anchor),
        xytext=tuple(offset),
        textcoords="offset points",
        ha="left",
        va="bottom",
        color=line.get_color(),
        fontsize=setting_points("legend.fontsize"),
        zorder=4,
        clip_on=True,
    )
    label.set_in_layout(False)
    obstacles.boxes.append(place.box)
    return label


def _legend_above(ax: Axes, *, own: bool) -> None:
    """Place the legend above the axes, in as few rows as its width allows."""
    known = memory(ax)
    figure: Any = ax.figure
    before = 0.0
    if known.names_legend is not None:
        before = known.names_legend.get_window_extent().height
        discard(known.names_legend)
        known.names_legend = None
    if not known.names:
        return
    size = setting_points("legend.fontsize")
    pad = 0.2 + _height_of_powers(ax) / size
    names, left = known.names, ax.bbox.x0
    if len(names) > _MANY:
        # Names of one width make narrow columns, and more of them.
        names = dict(sorted(names.items(), key=lambda item: _extent(ax, item[0]).width))
        left = 0.0 if own else left
    # Nothing stands beside the axes of our own figure, but what belongs to them.
    room = figure.bbox.width - left if own else ax.bbox.width
    for columns in range(min(len(names), _COLUMNS), 0, -1):
        legend = _legend(ax, names, columns, pad, left)
        if columns == 1 or legend.get_window_extent().width <= room:
            break
        legend.remove()
    longest = _LONGEST
    while legend.get_window_extent().width > figure.bbox.width - left and longest > 12:
        # A long name is shortened, rather than pushing the axes out of the figure.
        longest -= 4
        legend.remove()
        short = dict(zip(briefs(list(names), longest), names.values(), strict=True))
        legend = _legend(ax, short, 1, pad, left)
    known.names_legend = legend
    extent = legend.get_window_extent()
    if ax.get_title():
        height = extent.height * 72.0 / figure.dpi
        ax.set_title(ax.get_title(), pad=height + 4.0 + (pad - 0.2) * size)
    if own:
        grow(figure, (extent.height - before) / figure.dpi)
    lay_out(figure)


def _extent(ax: Axes, text: str) -> Any:
    """Measure a name as it is printed, in pixels."""
    label = ax.text(0.5, 0.5, text, fontsize=setting_points("legend.fontsize"))
    extent = label.get_window_extent()
    label.remove()
    return extent


def _legend(ax: Axes, names: dict[str, Any], columns: int, pad: float, left: float) -> Any:
    return add_legend(
        ax,
        names,
        loc="lower left",
        bbox_to_anchor=((left - ax.bbox.x0) / ax.bbox.width, 1.0),
        ncols=columns,
        borderaxespad=pad,
        columnspacing=1.2,
        handlelength=1.8,
    )


def _height_of_powers(ax: Axes) -> float:
    """Height in points of the power of ten that a linear axis writes above itself."""
    texts = [each.yaxis.get_offset_text() for each in memory(ax).axes.values()]
    heights = [text.get_window_extent().height for text in texts if text.get_text()]
    return max(heights, default=0.0) * 72.0 / float(ax.figure.dpi)


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
    ['… 1, …', '… 2, …']
    """
    short = [brief(name, longest) for name in names]
    if len(set(short)) == len(set(names)):
        return short
    words = [name.split() for name in names]
    start, end = _shared(words), _shared([one[::-1] for one in words])
    own = [" ".join(one[start : len(one) - end]) for one in words]
    return [f"{'… ' * (start > 0)}{brief(text, longest)}{' …' * (end > 0)}" for text in own]


def _shared(names: Sequence[Sequence[str]]) -> int:
    """Count the words that all names begin with."""
    columns = zip(*names, strict=False)
    return sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, columns))
