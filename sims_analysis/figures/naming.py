"""Names in a figure: beside the curves where they fit, else in a legend above the axes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sims_analysis.figures.curves import dash_names_measurement, is_crowd
from sims_analysis.figures.placing import Obstacles, place_names
from sims_analysis.figures.style import ink, setting_points
from sims_analysis.text import typeset as _typeset

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from sims_analysis.figures.curves import Curve
    from sims_analysis.figures.notes import Notes

__all__ = ["brief", "write_names"]


#: Longest name in a figure, in characters.
_LONGEST = 36


def write_names(
    ax: Axes,
    axes: Sequence[Axes],
    lines: Sequence[tuple[Curve, Any]],
    notes: Notes,
    labels: str,
    *,
    usetex: bool,
    own: bool,
) -> None:
    """Name the curves and explain the marks."""
    entries, direct = _entries(ax, lines, usetex=usetex)
    figure: Any = ax.figure
    figure.draw_without_rendering()
    obstacles = Obstacles(ax)
    for each in axes:
        for drawn in each.lines:
            obstacles.add_line(drawn)
        obstacles.boxes += [obstacles.fraction(text.get_window_extent()) for text in each.texts]
    top = axes[-1]
    direct = labels == "direct" or (labels == "auto" and direct)
    placed = direct and place_names(
        top, list(entries.items()), obstacles, fontsize=setting_points("legend.fontsize")
    )
    if not placed and labels != "none":
        _legend_above(ax, axes, entries)
    notes.write(top, obstacles, own=own)


def _entries(
    ax: Axes, lines: Sequence[tuple[Curve, Any]], *, usetex: bool
) -> tuple[dict[str, Any], bool]:
    """Give the names with a line for each, and whether they could stand beside the curves."""
    from matplotlib.lines import Line2D

    def species(curve: Curve, drawn: Any) -> str:
        text = (
            _typeset.mathtext(brief(curve.series.species), usetex=usetex) or curve.series.long_name
        )
        return text + " →" if drawn.axes is not ax and "→" not in text else text

    curves = [curve for curve, _ in lines]
    if len({curve.measurement for curve in curves}) == 1:
        return {species(*item): item[1] for item in lines}, True
    names = [species(*item) for item in lines]
    if is_crowd(curves):
        # One name for all curves of a species, with their number.
        counted = {name: f"{name} ({names.count(name)})" for name in names}
        return {counted[name]: drawn for name, (_, drawn) in zip(names, lines, strict=True)}, False
    if not dash_names_measurement(curves, [curve.colour for curve in curves]):
        return {
            f"{name}, {brief(curve.measurement)}": drawn
            for name, (curve, drawn) in zip(names, lines, strict=True)
        }, False
    colours = {
        name: Line2D([], [], color=drawn.get_color())
        for name, (_, drawn) in zip(names, lines, strict=True)
    }
    alone = next(iter(colours.values())).get_color() if len(colours) == 1 else ink(0.35, ax)
    dashes = {
        brief(curve.measurement): Line2D([], [], color=alone, linestyle=curve.dash)
        for curve in curves
    }
    return (colours if len(colours) > 1 else {}) | dashes, False


def _legend_above(ax: Axes, axes: Sequence[Axes], entries: dict[str, Any]) -> None:
    """Put the names above the axes, in as few rows as its width allows."""
    known = getattr(ax, "_sims_names", None)
    if known is not None:
        known[0].remove()
        entries = {**known[1], **entries}
    size = setting_points("legend.fontsize")
    pad = 0.2 + _height_of_powers(axes) / size
    for columns in range(min(len(entries), 6), 0, -1):
        legend = ax.legend(
            list(entries.values()),
            list(entries),
            loc="lower left",
            bbox_to_anchor=(0.0, 1.0),
            ncols=columns,
            frameon=False,
            borderaxespad=pad,
            columnspacing=1.2,
            handlelength=1.8,
        )
        if columns == 1 or legend.get_window_extent().width <= ax.bbox.width:
            break
        legend.remove()
    _narrow(legend, ax)
    ax.add_artist(legend)
    # An artist that is clipped to the axes would get no room above them.
    legend.set_clip_on(False)
    ax.legend_ = None  # it is an artist now, and would be drawn twice
    if ax.get_title():
        height = legend.get_window_extent().height * 72.0 / ax.figure.dpi
        ax.set_title(ax.get_title(), pad=height + 4.0 + (pad - 0.2) * size)
    ax._sims_names = (legend, entries)  # type: ignore[attr-defined]


def _height_of_powers(axes: Sequence[Axes]) -> float:
    """Height in points of the power of ten that a linear axis writes above itself."""
    texts = [each.yaxis.get_offset_text() for each in axes]
    heights = [text.get_window_extent().height for text in texts if text.get_text()]
    return max(heights, default=0.0) * 72.0 / float(axes[0].figure.dpi)


def _narrow(legend: Any, ax: Axes) -> None:
    """Print long names smaller, rather than let them push the axes out of the figure."""
    figure: Any = ax.figure
    width, room = legend.get_window_extent().width, figure.bbox.width - ax.bbox.x0
    if width > room:
        for text in legend.get_texts():
            text.set_fontsize(text.get_fontsize() * max(0.5, room / width))


def brief(name: str, longest: int = _LONGEST) -> str:
    """Shorten a name that no figure has room for; its beginning and its end tell most.

    Examples
    --------
    >>> brief("wafer 12, lot 2026-01-15/7, annealed", 24)
    'wafer 12, lo…, annealed'
    """
    return name if len(name) <= longest else f"{name[: longest - 12]}…{name[-10:].strip()}"
