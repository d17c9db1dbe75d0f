"""Names of the curves: beside them where they fit, the others in a legend above the axes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sims_analysis.figures.axes import memory
from sims_analysis.figures.colours import ink
from sims_analysis.figures.curves import dash_names_measurement
from sims_analysis.figures.free_space import Obstacles
from sims_analysis.figures.style import setting_points
from sims_analysis.text import typeset as _typeset

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from sims_analysis.figures.curves import Curve
    from sims_analysis.figures.free_space import Place

__all__ = ["brief", "map_obstacles", "write_names"]


#: Longest name in a figure, in characters.
_LONGEST = 36
#: A legend makes room for itself, in which names may fit or not: so often it is tried.
_ATTEMPTS = 3
#: Up to so many columns.
_COLUMNS = 6


def write_names(
    ax: Axes,
    lines: Sequence[tuple[Curve, Any]],
    labels: str,
    *,
    colour_by: str,
    usetex: bool,
    own: bool,
) -> Obstacles:
    """Name the curves; give what is in the way of further text.

    Parameters
    ----------
    ax : Axes
        The left one.
    lines : sequence of (curve, line)
        A curve without a species has its name in its measurement.
    labels : {"auto", "direct", "legend", "none"}
    own : bool
        Whether the figure is ours to grow.
    """
    _label_lines(ax, lines, usetex=usetex)
    figure: Any = ax.figure
    obstacles = map_obstacles(ax)
    if labels == "none":
        return obstacles
    entries, direct = _entries(ax, lines, colour_by, usetex=usetex)
    beside = entries if labels == "direct" or (labels == "auto" and direct) else {}
    rest = {text: line for text, line in entries.items() if text not in beside}
    for _ in range(_ATTEMPTS):
        if rest:
            _legend_above(ax, rest, own=own)
            figure.draw_without_rendering()
            obstacles = map_obstacles(ax)
        places = _places(beside, obstacles)
        missing = {text: line for text, line in beside.items() if places[text] is None}
        if not missing:
            break
        rest |= missing
        beside = {text: line for text, line in beside.items() if text not in missing}
    else:
        _legend_above(ax, rest, own=own)
        figure.draw_without_rendering()
        obstacles = map_obstacles(ax)
        places = _places(beside, obstacles)
    for text, line in beside.items():
        place = places[text]
        if place is not None:
            _write_beside(text, line, place, obstacles)
    return obstacles


def map_obstacles(ax: Axes) -> Obstacles:
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
    """Give every line its name, so that a legend of the user's own finds it."""
    from matplotlib.lines import Line2D

    several = len({curve.measurement for curve, _ in lines}) > 1
    for curve, line in lines:
        species = _typeset.mathtext(curve.series.species, usetex=usetex) or curve.series.long_name
        if not curve.series.species and curve.source:
            species = ""
        measured = _typeset.plain(curve.measurement) if several or not species else ""
        text = ", ".join(filter(None, [species, measured]))
        # matplotlib takes a name that begins with an underscore for no name.
        line.set_label(text if not text.startswith("_") else "\u200b" + text)
        if line.axes is not ax:
            # A legend of the left axes lists what the left axes hold.
            proxy = Line2D([], [], label=line.get_label())
            proxy.update_from(line)
            ax.add_line(proxy)


def _entries(
    ax: Axes, lines: Sequence[tuple[Curve, Any]], colour_by: str, *, usetex: bool
) -> tuple[dict[str, Any], bool]:
    """Give the names with a line for each, and whether they could stand beside the curves."""
    from matplotlib.lines import Line2D

    def species(curve: Curve, drawn: Any) -> str:
        text = _typeset.mathtext(brief(curve.series.species), usetex=usetex)
        text = text or curve.series.long_name
        return text + " →" if drawn.axes is not ax and "→" not in text else text

    def measurement(curve: Curve, drawn: Any = None) -> str:
        # The median of many has no name but that of its species.
        return _typeset.plain(brief(curve.measurement)) or species(curve, drawn)

    curves = [curve for curve, _ in lines]
    if len({curve.measurement for curve in curves}) == 1:
        return {species(*item): item[1] for item in lines}, True
    kinds = {(curve.series.species, curve.series.variable) for curve in curves}
    if colour_by == "measurement" and len(kinds) == 1:
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
            f"{species(curve, drawn)}, {measurement(curve)}"
            if curve.measurement
            else species(curve, drawn): drawn
            for curve, drawn in lines
        }, False
    colours = {species(*item): Line2D([], [], color=item[1].get_color()) for item in lines}
    alone = next(iter(colours.values())).get_color() if len(colours) == 1 else ink(0.35, ax)
    dashes = {
        measurement(curve): Line2D([], [], color=alone, linestyle=curve.dash) for curve in curves
    }
    return (colours if len(colours) > 1 else {}) | dashes, False


def _places(named: dict[str, Any], obstacles: Obstacles) -> dict[str, Place | None]:
    """Find a place beside its curve for each name that has one."""
    ax = obstacles.ax
    before = list(obstacles.boxes)
    found: dict[str, Place | None] = {}
    for text, line in named.items():
        label = ax.text(0.5, 0.5, text, fontsize=setting_points("legend.fontsize"))
        extent = label.get_window_extent()
        label.remove()
        size = extent.width / ax.bbox.width, extent.height / ax.bbox.height
        place = obstacles.place_beside(line, size)
        found[text] = place
        if place is not None:
            obstacles.boxes.append(place.box)
    obstacles.boxes = before
    return found


def _write_beside(text: str, line: Any, place: Place, obstacles: Obstacles) -> None:
    """Write a name at its distance from a point of its curve, which it follows from then on."""
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


def _legend_above(ax: Axes, entries: dict[str, Any], *, own: bool) -> None:
    """Put names above the axes, in as few rows as its width allows."""
    known = memory(ax)
    figure: Any = ax.figure
    before = 0.0
    if known.names_legend is not None:
        before = known.names_legend.get_window_extent().height
        known.names_legend.remove()
    known.names |= entries
    size = setting_points("legend.fontsize")
    pad = 0.2 + _height_of_powers(ax) / size
    for columns in range(min(len(known.names), _COLUMNS), 0, -1):
        legend = _legend(ax, known.names, columns, pad)
        if columns == 1 or legend.get_window_extent().width <= ax.bbox.width:
            break
        legend.remove()
    figure_width = float(figure.bbox.width)
    longest = _LONGEST
    while legend.get_window_extent().width > figure_width - ax.bbox.x0 and longest > 12:
        # A long name is shortened, rather than pushing the axes out of the figure.
        longest -= 4
        legend.remove()
        legend = _legend(ax, {brief(t, longest): a for t, a in known.names.items()}, 1, pad)
    known.names_legend = legend
    extent = legend.get_window_extent()
    if ax.get_title():
        height = extent.height * 72.0 / figure.dpi
        ax.set_title(ax.get_title(), pad=height + 4.0 + (pad - 0.2) * size)
    if own:
        width, height = figure.get_size_inches()
        figure.set_size_inches(width, height + (extent.height - before) / figure.dpi)


def _legend(ax: Axes, names: dict[str, Any], columns: int, pad: float) -> Any:
    from matplotlib.legend import Legend

    legend = Legend(
        ax,
        list(names.values()),
        list(names),
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        ncols=columns,
        frameon=False,
        borderaxespad=pad,
        columnspacing=1.2,
        handlelength=1.8,
    )
    ax.add_artist(legend)
    # An artist that is clipped to the axes would get no room above them.
    legend.set_clip_on(False)
    return legend


def _height_of_powers(ax: Axes) -> float:
    """Height in points of the power of ten that a linear axis writes above itself."""
    texts = [each.yaxis.get_offset_text() for each in memory(ax).axes.values()]
    heights = [text.get_window_extent().height for text in texts if text.get_text()]
    return max(heights, default=0.0) * 72.0 / float(ax.figure.dpi)


def brief(name: str, longest: int = _LONGEST) -> str:
    """Shorten a name that no figure has room for; its beginning and its end tell most.

    Examples
    --------
    >>> brief("wafer 12, lot 2026-01-15/7, annealed", 24)
    'wafer 12, lo…, annealed'
    """
    if len(name) <= longest or "$" in name:
        return name
    return f"{name[: longest - 12]}…{name[-10:].strip()}" if longest > 13 else f"{name[:11]}…"
