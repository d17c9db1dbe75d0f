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

__all__ = [
    "add_legend",
    "explain_error",
    "explain_hidden",
    "explain_spread",
    "explain_triangle",
    "stands_below",
    "write_list",
    "write_shared_list",
]

#: Factors by which a list on crowded axes is printed smaller, and the least size of its letters.
_SMALLER, LEAST = (1.0, 0.85, 0.7, 0.55), 5.5
#: Below axes, it takes no more than this of their height.
_SHARE = 0.55
_STYLE: dict[str, Any] = {
    "handlelength": 1.4,
    "handletextpad": 0.6,
    "labelspacing": 0.25,
    "borderpad": 0.2,
}


# --- what marks mean ----------------------------------------------------------------------------


def explain_error(canvas: Canvas, *, band: bool = False) -> None:
    """Say what every plus-minus, bar and band means; the handle is a band, if there is one."""
    from matplotlib.patches import Patch
    from matplotlib.path import Path

    coverage = canvas.wanted.coverage or 1.0
    text = "± one standard error" if coverage == 1 else f"± {coverage:g} standard errors"
    grey = ink(0.35, canvas.ax)
    if band:
        canvas.explain(text, Patch(color=grey, alpha=wash(BAND, canvas.ax), linewidth=0))
        return
    ends = [(-1, -0.35), (-1, 0.35), (-1, 0), (1, 0), (1, -0.35), (1, 0.35)]
    bar = Path(ends, [Path.MOVETO, Path.LINETO] * 3)
    canvas.explain(
        text, color=grey, linestyle="none", marker=bar, markersize=9, fillstyle="none",
        markeredgewidth=0.8,
    )  # fmt: skip


def explain_spread(canvas: Canvas, count: int, share: float) -> None:
    """Say what the median and its band are."""
    from matplotlib.patches import Patch

    grey = ink(0.35, canvas.ax)
    canvas.explain(f"median of {count}", color=grey, linewidth=1.0)
    band = Patch(color=grey, alpha=wash(BAND, canvas.ax), linewidth=0)
    canvas.explain(f"the middle {100 * share:g} %", band)


def explain_hidden(canvas: Canvas, curves: Sequence[Curve]) -> None:
    """Say what the marks at the floor of the axis are."""
    words: dict[str, None] = {}
    for curve in curves:
        y = curve.series.y
        if (y == 0).any():
            words["zero"] = None
        if (y < 0).any():
            words["negative"] = None
        if np.isfinite(curve.fill):
            words[f"{curve.fill:g} {unit_label(curve.series.units)} (fill value)"] = None
    if words:
        explain_triangle(canvas, " or ".join(words))


def explain_triangle(canvas: Canvas, text: str) -> None:
    """Say what open triangles mean."""
    canvas.explain(
        text,
        marker="v",
        linestyle="none",
        color=ink(0.35, canvas.ax),
        markersize=3,
        markeredgewidth=0.5,
        fillstyle="none",
    )


# --- the list -----------------------------------------------------------------------------------


def write_list(canvas: Canvas, obstacles: Obstacles, said: set[str]) -> None:
    """Place the list where it covers nothing: inside the axes, or below those of our figure.

    Parameters
    ----------
    canvas : Canvas
    obstacles : Obstacles
    said : set of str
        Explanations in other panels of the figure, which are not repeated; ours are added.
    """
    canvas.explained = {text: h for text, h in canvas.explained.items() if text not in said}
    said |= set(canvas.explained)
    if not (canvas.results or canvas.explained):
        return
    # On the last of the axes, so that no curve of another runs over it.
    top = list(canvas.axes.values())[-1]
    size = setting_points("legend.fontsize")
    roomy = canvas.own or top.figure.get_layout_engine() is not None
    for smaller, broken in product((1.0,) if roomy else _SMALLER, (0, 1)):
        points = _points(size, smaller)
        legend = _inside(canvas, top, (0.0, 1.0), broken=broken, fontsize=points)
        left, upper, free = obstacles.place_box(*obstacles.size(legend.get_window_extent()))
        if free:
            legend.set_bbox_to_anchor((left, upper), transform=top.transAxes)
            legend.set_in_layout(False)
            return
        legend.remove()
    if canvas.own:
        _below(canvas.ax, canvas.results, canvas.explained, NOTES)
    else:
        _on_given_axes(canvas, top, obstacles)


def _points(size: float, smaller: float) -> float:
    """Return a smaller size of letters, but not below the least."""
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
    named = [[*canvas.names.items(), *canvas.beside] for canvas in canvases]
    names = {text: handle for one in named for text, handle in one}
    results = {text: handle for canvas in canvases for text, handle in canvas.results.items()}
    explained = {text: handle for canvas in canvases for text, handle in canvas.explained.items()}
    if names or results or explained:
        _below(figure, names | results, explained, "_shared", columns=(6, 5, 4, 3, 2, 1))


def _below(
    ax: Any,
    results: Mapping[str, Any],
    explained: Mapping[str, Any],
    label: str,
    columns: Sequence[int] = (2, 1),
) -> None:
    """Place a list below the axes of our figure, which becomes higher by it."""
    figure: Any = ax if hasattr(ax, "savefig") else ax.figure
    entries = {**results, **explained}
    for count, broken in [*((n, b) for n in columns for b in (0, 1))]:
        legend = figure.legend(
            list(entries.values()),
            [_broken(text, broken) for text in entries],
            loc="outside lower center",
            ncols=count,
            frameon=False,
            **_STYLE,
        )
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
    size = setting_points("legend.fontsize")
    width, height = canvas.ax.bbox.width, canvas.ax.bbox.height
    below, corner = figure.get_layout_engine() is not None, (0.0, 1.0)
    if below:
        # A figure of panels becomes higher by its lists.
        height *= _SHARE if not canvas.panel else np.inf
        low = canvas.ax.xaxis.get_tightbbox(figure.canvas.get_renderer())
        depth = 0.0 if low is None else (ax.bbox.y0 - low.y0) * 72.0 / figure.dpi
        options = {"loc": "upper center", "borderaxespad": depth / size + 0.3}
        corner = 0.5, 0.0
    else:
        options = {"facecolor": paper(ax), "edgecolor": "none", "framealpha": 0.85}
        options["frameon"] = True
    for smaller, broken in product(_SMALLER, (0, 1, 2)):
        points = _points(size, smaller)
        # The distance from the axes is in units of the size of letters.
        options |= {"borderaxespad": depth / points + 0.3} if below else {}
        legend = _inside(canvas, ax, corner, broken=broken, fontsize=points, **options)
        extent = legend.get_window_extent()
        if extent.width <= width and extent.height <= height:
            break
        legend.remove()
    else:
        _refuse(canvas, width / figure.dpi)
    if not below:
        place = obstacles.place_box(*obstacles.size(extent))
        legend.set_bbox_to_anchor(place[:2], transform=ax.transAxes)
    legend.set_in_layout(below)


def _refuse(canvas: Canvas, inches: float) -> None:
    count = len(canvas.results) + len(canvas.explained)
    raise ProfileError(
        f"a list of {count} results and explanations does not fit axes {25.4 * inches:.0f} mm wide "
        f"in letters of {LEAST:g} points: leave out some results, or notes=False; give the axes "
        "more room (width=, columns=, or a layout engine, as with plt.subplots(..., "
        'layout="constrained")); or, of panels, plot_panels(..., shared_legend=True)'
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
