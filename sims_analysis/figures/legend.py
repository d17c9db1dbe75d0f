"""The list in a figure that explains its marks and names the results, clear of the curves."""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from sims_analysis.errors import ProfileError
from sims_analysis.figures.canvas import EXPLAINED, NOTES
from sims_analysis.figures.colours import ink, paper, wash
from sims_analysis.figures.lines import BAND
from sims_analysis.figures.style import grow, setting_points
from sims_analysis.text.typeset import unit_label

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from sims_analysis.figures.canvas import Canvas
    from sims_analysis.figures.curves import Curve
    from sims_analysis.figures.free_space import Obstacles

#: Factors by which a list on crowded axes is printed smaller, and the least size of its letters.
_SMALLER, LEAST = (1.0, 0.85, 0.7, 0.55), 5.5
#: Below axes, it takes no more than this of their height.
_SHARE = 0.55
_STYLE: dict[str, Any] = {"handlelength": 1.4, "handletextpad": 0.6, "labelspacing": 0.25}
_STYLE["borderpad"] = 0.2


# --- what marks mean ----------------------------------------------------------------------------


def explain_error(canvas: Canvas, *, band: bool = False) -> None:
    """Say what every plus-minus, bar and band means; the handle is a band, if there is one."""
    from matplotlib.path import Path

    coverage = canvas.wanted.coverage or 1.0
    text = "± one standard error" if coverage == 1 else f"± {coverage:g} standard errors"
    ends = [(-1, -0.35), (-1, 0.35), (-1, 0), (1, 0), (1, -0.35), (1, 0.35)]
    bar = Path(ends, [Path.MOVETO, Path.LINETO] * 3)
    style: dict[str, Any] = {"marker": bar, "markersize": 9, "markeredgewidth": 0.8}
    _explain(canvas, text, style, band=band)


def explain_spread(canvas: Canvas, count: int, share: float) -> None:
    """Say what the median and its band are."""
    canvas.explain(f"median of {count}", color=ink(0.35, canvas.ax), linewidth=1.0)
    _explain(canvas, f"the middle {100 * share:g} %", {}, band=True)


def explain_hidden(canvas: Canvas, curves: Sequence[Curve]) -> None:
    """Say what the marks at the floor of the axis are."""
    words: dict[str, None] = {}
    for curve in curves:
        y, fill = curve.series.y, curve.fill
        found = {"zero": (y == 0).any(), "negative": (y < 0).any()}
        written = fill / curve.raised  # by the instrument, whatever a waterfall makes of it
        found[f"{written:g} {unit_label(curve.series.units)} (fill value)"] = np.isfinite(fill)
        words |= dict.fromkeys(word for word, there in found.items() if there)
    if words:
        explain_triangle(canvas, " or ".join(words))


def explain_triangle(canvas: Canvas, text: str) -> None:
    """Say what open triangles mean."""
    _explain(canvas, text, {"marker": "v", "markersize": 3, "markeredgewidth": 0.5})


def _explain(canvas: Canvas, text: str, style: dict[str, Any], *, band: bool = False) -> None:
    from matplotlib.patches import Patch

    grey = ink(0.35, canvas.ax)
    if band:
        canvas.explain(text, Patch(color=grey, alpha=wash(BAND, canvas.ax), linewidth=0))
    else:
        canvas.explain(text, color=grey, linestyle="none", fillstyle="none", **style)


# --- the list -----------------------------------------------------------------------------------


def write_list(canvas: Canvas, obstacles: Obstacles, said: set[str]) -> None:
    """Place the list where it covers nothing: inside the axes, or below those of our figure.

    Explanations that other panels of the figure have `said` are not repeated; ours are added.
    """
    canvas.explained = {text: h for text, h in canvas.explained.items() if text not in said}
    said |= set(canvas.explained)
    if not (canvas.results or canvas.explained):
        return
    # On the last of the axes, so that no curve of another runs over it.
    top = list(canvas.axes.values())[-1]
    roomy = canvas.own or top.figure.get_layout_engine() is not None
    for smaller, broken in product((1.0,) if roomy else _SMALLER, (0, 1)):
        legend = _inside(canvas, top, (0.0, 1.0), broken=broken, fontsize=_points(smaller))
        left, upper, free = obstacles.place_box(*obstacles.size(legend.get_window_extent()))
        if free:
            legend.set_bbox_to_anchor((left, upper), transform=top.transAxes)
            legend.set_in_layout(False)
            return
        legend.remove()
    if canvas.own:
        _below(canvas.figure, canvas.results, canvas.explained, NOTES)
    else:
        _on_given_axes(canvas, top, obstacles)


def _points(smaller: float) -> float:
    """Return a smaller size of letters, but not below the least."""
    size = setting_points("legend.fontsize")
    return max(smaller * size, min(size, LEAST))


def _inside(
    canvas: Canvas, ax: Axes, corner: tuple[float, float], *, broken: int = 0, **options: Any
) -> Any:
    place = {"loc": "upper left", "bbox_to_anchor": corner, "borderaxespad": 0.0}
    # Results first, explanations of marks last.
    entries = canvas.results | canvas.explained
    shown = {_broken(text, broken): handle for text, handle in entries.items()}
    legend = add_legend(ax, shown, NOTES, **{**place, **_STYLE, **options})
    _mark_explained(legend, len(canvas.results))
    return legend


def _mark_explained(legend: Any, results: int) -> None:
    for text in legend.get_texts()[results:]:
        text.set_label(EXPLAINED)


def write_shared_list(canvases: Sequence[Canvas], figure: Any) -> None:
    """Place one list for all panels below them, with their names; the panels stay as high."""
    results: dict[str, Any] = {}
    for canvas in canvases:
        results |= {**canvas.names, **dict(canvas.beside)}
    for canvas in canvases:
        results |= canvas.results
    explained = {text: handle for canvas in canvases for text, handle in canvas.explained.items()}
    if results or explained:
        _below(figure, results, explained, "_shared", columns=(6, 5, 4, 3, 2, 1))


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
    for count, broken in product(columns, (0, 1)):
        texts = [_broken(text, broken) for text in entries]
        legend = figure.legend(list(entries.values()), texts, ncols=count, **place)
        extent = legend.get_window_extent()
        enough = count == 1 or len(entries) > 2
        if (extent.width <= figure.bbox.width and enough) or (count == 1 and broken):
            break
        legend.remove()
    legend.set_label(label)
    _mark_explained(legend, len(results))
    grow(figure, extent.height / figure.dpi)


def _on_given_axes(canvas: Canvas, ax: Axes, obstacles: Obstacles) -> None:
    """Place the list on axes of the user's figure, or of a panel, that have no room inside.

    Below them if the figure has a layout engine that makes room; otherwise inside, on an opaque
    ground. It is no wider than the axes, because the layout would make them narrower for it.
    """
    figure: Any = ax.figure
    width, height = canvas.ax.bbox.width, canvas.ax.bbox.height
    below, corner, depth = figure.get_layout_engine() is not None, (0.0, 1.0), 0.0
    options: dict[str, Any] = {"facecolor": paper(ax), "edgecolor": "none", "framealpha": 0.85}
    options["frameon"] = True
    if below:
        # A figure of panels becomes higher by its lists.
        height *= _SHARE if not canvas.panel else np.inf
        low = canvas.ax.xaxis.get_tightbbox(figure.canvas.get_renderer())
        depth = 0.0 if low is None else (ax.bbox.y0 - low.y0) * 72.0 / figure.dpi
        options, corner = {"loc": "upper center"}, (0.5, 0.0)
    for smaller, broken in product(_SMALLER, (0, 1, 2)):
        options["fontsize"] = points = _points(smaller)
        if below:  # the distance from the axes is in units of the size of letters
            options["borderaxespad"] = depth / points + 0.3
        legend = _inside(canvas, ax, corner, broken=broken, **options)
        extent = legend.get_window_extent()
        if extent.width <= width and extent.height <= height:
            break
        legend.remove()
    else:
        _refuse(canvas, 25.4 * width / figure.dpi)
    if not below:
        place = obstacles.place_box(*obstacles.size(extent))
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


def add_legend(ax: Axes, entries: Mapping[str, Any], label: str, **options: Any) -> Any:
    """Add a legend of texts with their handles to an axes; by its label a later call finds it."""
    from matplotlib.legend import Legend

    legend = Legend(ax, list(entries.values()), list(entries), **{"frameon": False, **options})
    legend.set_label(label)
    ax.add_artist(legend)
    # An artist that is clipped to the axes would get no room outside them.
    legend.set_clip_on(False)
    return legend


def stands_below(canvas: Canvas) -> bool:
    """Whether the list is below its axes, where the layout makes room for it."""
    return any(legend.get_in_layout() for legend in canvas.legends(NOTES))


def _broken(text: str, times: int) -> str:
    """Break a long line before its number, or else its explanation; twice, before its unit too."""
    for place in (r" (?==)", r"(?<=:) ", r" (?=at )", r" (?=\()|(?<=,) ") if times else ():
        if "\n" not in text:
            text = re.sub(place, "\n", text, count=1)
    return re.sub(r" (?=\S+$)", "\n", text) if times > 1 else text
