"""Lists of names and of results, where they cover nothing, and what marks mean.

A list is written in one way after another, smaller, with more lines or more columns, until it fits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from sims_analysis.errors import ProfileError
from sims_analysis.figures.canvas import EXPLAINED, NAMES, NOTES, Canvas
from sims_analysis.figures.colours import paper, wash
from sims_analysis.figures.curves import Curve
from sims_analysis.figures.free_space import Obstacles
from sims_analysis.figures.labels import briefs
from sims_analysis.figures.lines import BAND
from sims_analysis.figures.style import grow, lay_out, setting_points
from sims_analysis.text.typeset import unit_label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Factors by which a list on crowded axes is printed smaller, and the least size of its letters.
_SMALLER, LEAST = (1.0, 0.85, 0.7, 0.55), 5.5
#: Below axes, it takes no more than this of their height.
_SHARE = 0.55
#: Height of the dashes over a curve that they would hide; a legend shows a line.
OVER = 2.1
#: To these lengths names are shortened for want of room, in characters.
_SHORTER = (32, 28, 24, 20, 16, 12)
#: At most so many columns of names; more names than the second number are sorted by length.
_COLUMNS, _MANY = 8, 24
_STYLE: dict[str, Any] = {"handlelength": 1.4, "handletextpad": 0.6, "labelspacing": 0.25}
_STYLE["borderpad"] = 0.2


def explain_error(canvas: Canvas, *, band: bool = False) -> None:
    """Say what every plus-minus, bar and band means; the handle is a band, if there is one."""
    from matplotlib.path import Path

    coverage = canvas.wanted.coverage or 1.0
    text = "± one standard error" if coverage == 1 else f"± {coverage:g} standard errors"
    if band:
        explain_band(canvas, text)
        return
    ends = [(-1, -0.35), (-1, 0.35), (-1, 0), (1, 0), (1, -0.35), (1, 0.35)]
    bar = Path(ends, [Path.MOVETO, Path.LINETO] * 3)
    explain_mark(canvas, text, marker=bar, markersize=9, markeredgewidth=0.8)


def explain_hidden(canvas: Canvas, curves: Sequence[Curve]) -> None:
    """Say what the marks at the floor of the axis are."""
    words: dict[str, None] = {}
    for curve in curves:
        y, fill = curve.y, curve.fill
        found = {"zero": (y == 0).any(), "negative": (y < 0).any()}
        written = fill / curve.raised  # by the instrument, whatever a waterfall makes of it
        found[f"{written:g} {unit_label(curve.units)} (fill value)"] = np.isfinite(fill)
        words |= dict.fromkeys(word for word, there in found.items() if there)
    if words:
        explain_mark(canvas, " or ".join(words))


def explain_mark(canvas: Canvas, text: str, **style: Any) -> None:
    """Say what a mark means, by default an open triangle."""
    style = style or {"marker": "v", "markersize": 3, "markeredgewidth": 0.5}
    canvas.explain(text, color=canvas.grey, linestyle="none", fillstyle="none", **style)


def explain_band(canvas: Canvas, text: str) -> None:
    """Say what a band is."""
    from matplotlib.patches import Patch

    alpha = wash(BAND, canvas.ax)
    canvas.explain(text, Patch(color=canvas.grey, alpha=alpha, linewidth=0))


def _first_fitting(
    ways: Sequence[Any], make: Callable[..., Any], fits: Callable[..., bool]
) -> tuple[Any, bool]:
    """Make a legend in one way after another until its extent fits; keep that, or the last."""
    for way in ways:
        legend = make(*way)
        if fits(legend.get_window_extent(), *way):
            return legend, True
        if way is not ways[-1]:
            legend.remove()
    return legend, False


def _add(ax: Axes, entries: Mapping[str, Any], label: str, **options: Any) -> Any:
    """Add a legend of texts with their handles to an axes; by its label a later call finds it."""
    from matplotlib.legend import Legend

    legend = Legend(ax, list(entries.values()), list(entries), **{"frameon": False, **options})
    legend.set_label(label)
    ax.add_artist(legend)
    # An artist that is clipped to the axes would get no room outside them.
    legend.set_clip_on(False)
    return legend


def _extent(ax: Axes, text: str) -> Any:
    """Measure a name as it is printed, in pixels."""
    label = ax.text(0.5, 0.5, text, fontsize=setting_points("legend.fontsize"))
    extent = label.get_window_extent()
    label.remove()
    return extent


def legend_above(canvas: Canvas) -> None:
    """Place the names above the axes, in as few rows as their width allows.

    A long name is shortened, rather than pushing the axes out of the figure.
    """
    ax, figure, names, own = canvas.ax, canvas.figure, canvas.names, canvas.own
    before = 0.0
    for known in canvas.legends(NAMES):
        before = known.get_window_extent().height
        known.remove()
    if not names:
        return
    above, left = _height_above(canvas), ax.bbox.x0
    if len(names) > _MANY:
        # Names of one width make narrow columns, and more of them.
        names = dict(sorted(names.items(), key=lambda item: _extent(ax, item[0]).width))
        left = 0.0 if own else left
    # Nothing stands beside the axes of our own figure, but what belongs to them.
    widest = figure.bbox.width - left
    room = widest if own else ax.bbox.width
    least = min(_extent(ax, text).width for text in names)
    most = min(len(names), _COLUMNS, max(1, int(room / least)))
    ways: list[tuple[int, int]] = [(columns, 0) for columns in range(most, 0, -1)]

    def make(columns: int, longest: int) -> Any:
        shown = briefs(list(names), longest) if longest else names
        return _above(ax, dict(zip(shown, names.values(), strict=True)), columns, above, left)

    legend, _ = _first_fitting(
        ways + [(1, longest) for longest in _SHORTER],
        make,
        lambda extent, columns, _: extent.width <= (room if columns > 1 else widest),
    )
    height = legend.get_window_extent().height
    if ax.get_title():
        ax.set_title(ax.get_title(), y=1.0, pad=height * 72.0 / figure.dpi + 4.0 + above)
    if own:
        grow(figure, (height - before) / figure.dpi)
    lay_out(figure)


def _above(ax: Axes, names: dict[str, Any], columns: int, above: float, left: float) -> Any:
    from matplotlib.transforms import ScaledTranslation

    figure: Any = ax.figure
    place = {
        "loc": "lower left",
        "bbox_to_anchor": ((left - ax.bbox.x0) / ax.bbox.width, 1.0),
        "bbox_transform": ax.transAxes + ScaledTranslation(0, above / 72, figure.dpi_scale_trans),
    }
    spaces = {"borderaxespad": 0.2, "columnspacing": 1.2, "handlelength": 1.8}
    legend = _add(ax, names, NAMES, ncols=columns, **place, **spaces)
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


def place_names(canvas: Canvas, around: Any = None) -> Obstacles:
    """Write all names where they fit in the axes as they are; return the obstacles to more text.

    `around` is a list that is not moved.
    """
    from sims_analysis.figures.curve_names import CurveName

    for each in canvas.axes.values():
        for name in [text for text in each.texts if isinstance(text, CurveName)]:
            name.remove()
    without = None
    while without is None or without:
        # The legend takes room, so that names may not fit any more.
        legend_above(canvas)
        obstacles, placed, without = Obstacles.at(canvas.ax), [], []
        if around is not None:
            obstacles.boxes.append(obstacles.fraction(around.get_window_extent()))
        for text, line in canvas.beside:
            place = obstacles.place_beside(line, obstacles.size(_extent(canvas.ax, text)))
            if place is None:
                without.append((text, line))
            else:
                placed.append((text, line, place))
                obstacles.boxes.append(place.box)
        canvas.names |= without
        canvas.beside = [(text, line) for text, line, _ in placed]
    for text, line, place in placed:
        CurveName(text, line, place, canvas.ax)
    return obstacles


def write_list(canvas: Canvas, obstacles: Obstacles, said: set[str]) -> None:
    """Place the list where it covers nothing: inside the axes, or below those of our figure.

    Explanations that other panels of the figure have `said` are not repeated; ours are added.
    """
    canvas.explained = {text: h for text, h in canvas.explained.items() if text not in said}
    said |= set(canvas.explained)
    if not (canvas.results or canvas.explained):
        return
    roomy = canvas.own or canvas.figure.get_layout_engine() is not None
    legend, free = _first_fitting(
        list(product((1.0,) if roomy else _SMALLER, (0, 1))),
        lambda smaller, broken: _inside(canvas, broken, fontsize=_points(smaller)),
        lambda extent, *_: obstacles.place_box(*obstacles.size(extent))[2],
    )
    if free:
        left, upper, _ = obstacles.place_box(*obstacles.size(legend.get_window_extent()))
        legend.set_bbox_to_anchor((left, upper), transform=canvas.ax.transAxes)
        legend.set_in_layout(False)
        return
    legend.remove()
    if canvas.own:
        _below(canvas.figure, canvas.results, canvas.explained, NOTES)
    else:
        _on_given_axes(canvas, obstacles)


def _points(smaller: float) -> float:
    """Return a smaller size of letters, but not below the least."""
    size = setting_points("legend.fontsize")
    return max(smaller * size, min(size, LEAST))


def _inside(canvas: Canvas, broken: int, **options: Any) -> Any:
    place = {"loc": "upper left", "bbox_to_anchor": (0.0, 1.0), "borderaxespad": 0.0}
    # Results first, explanations of marks last.
    entries = canvas.results | canvas.explained
    shown = {_broken(text, broken): handle for text, handle in entries.items()}
    legend = _add(canvas.top, shown, NOTES, **{**place, **_STYLE, **options})
    _mark_explained(legend, len(canvas.results))
    return legend


def _mark_explained(legend: Any, results: int) -> None:
    for text in legend.get_texts()[results:]:
        text.set_label(EXPLAINED)


def write_shared_list(canvases: Sequence[Canvas]) -> None:
    """Place one list for all panels below them, with their names; the panels stay as high."""
    results: dict[str, Any] = {}
    for canvas in canvases:
        results |= {**canvas.names, **dict(canvas.beside)}
    for canvas in canvases:
        results |= canvas.results
    explained = {text: handle for canvas in canvases for text, handle in canvas.explained.items()}
    if results or explained:
        _below(canvases[0].figure, results, explained, "_shared", columns=(6, 5, 4, 3, 2, 1))


def _below(
    figure: Any,
    results: Mapping[str, Any],
    explained: Mapping[str, Any],
    label: str,
    columns: Sequence[int] = (2, 1),
) -> None:
    """Place a list below the axes of our figure, which becomes higher by it."""
    entries = {**results, **explained}
    place: dict[str, Any] = {"loc": "outside lower center", "frameon": False, **_STYLE}

    def make(count: int, broken: int) -> Any:
        texts = [_broken(text, broken) for text in entries]
        return figure.legend(list(entries.values()), texts, ncols=count, **place)

    legend, _ = _first_fitting(
        [way for way in product(columns, (0, 1)) if way[0] == 1 or len(entries) > 2],
        make,
        lambda extent, *_: extent.width <= figure.bbox.width,
    )
    legend.set_label(label)
    _mark_explained(legend, len(results))
    grow(figure, legend.get_window_extent().height / figure.dpi)


def _on_given_axes(canvas: Canvas, obstacles: Obstacles) -> None:
    """Place the list on axes of the user's figure, or of a panel, that have no room inside.

    Below them if the figure has a layout engine that makes room; otherwise inside, on an opaque
    ground. It is no wider than the axes, because the layout would make them narrower for it.
    """
    figure, ax = canvas.figure, canvas.ax
    width, height = ax.bbox.width, ax.bbox.height
    below, depth = figure.get_layout_engine() is not None, 0.0
    options: dict[str, Any] = {"facecolor": paper(ax), "edgecolor": "none", "framealpha": 0.85}
    options["frameon"] = True
    if below:
        # A figure of panels becomes higher by its lists.
        height *= _SHARE if not canvas.panel else np.inf
        low = ax.xaxis.get_tightbbox(figure.canvas.get_renderer())
        depth = 0.0 if low is None else (ax.bbox.y0 - low.y0) * 72.0 / figure.dpi
        options = {"loc": "upper center", "bbox_to_anchor": (0.5, 0.0)}

    def make(smaller: float, broken: int) -> Any:
        points = _points(smaller)
        if below:  # the distance from the axes is in units of the size of letters
            options["borderaxespad"] = depth / points + 0.3
        return _inside(canvas, broken, fontsize=points, **options)

    legend, fits = _first_fitting(
        list(product(_SMALLER, (0, 1, 2))),
        make,
        lambda extent, *_: extent.width <= width and extent.height <= height,
    )
    if not fits:
        _refuse(canvas, 25.4 * width / figure.dpi)
    if not below:
        place = obstacles.place_box(*obstacles.size(legend.get_window_extent()))
        legend.set_bbox_to_anchor(place[:2], transform=ax.transAxes)
    legend.set_in_layout(below)


def _refuse(canvas: Canvas, millimetres: float) -> None:
    count = len(canvas.results) + len(canvas.explained)
    what = "panels" if canvas.panel else "axes"
    advice = "leave out some results, or notes=False; give the axes more room (width=, or a layout "
    advice += 'engine, as with plt.subplots(..., layout="constrained"))'
    if canvas.panel:
        advice = "write one list for all, shared_legend=True; or put fewer panels into a row, "
        advice += "columns=, or leave out some results"
    raise ProfileError(
        f"a list of {count} results and explanations does not fit {what} {millimetres:.0f} mm wide "
        f"in letters of {LEAST:g} points: {advice}"
    )


def _broken(text: str, times: int) -> str:
    """Break a long line before its number, or else its explanation; twice, before its unit too."""
    for place in (r" (?==)", r"(?<=:) ", r" (?=at )", r" (?=\()|(?<=,) ") if times else ():
        if "\n" not in text:
            text = re.sub(place, "\n", text, count=1)
    return re.sub(r" (?=\S+$)", "\n", text) if times > 1 else text
