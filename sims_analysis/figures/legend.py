"""The list in a figure that explains its marks and names the results, clear of the curves."""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from sims_analysis.figures.axes import discard, memory
from sims_analysis.figures.colours import ink, paper, wash
from sims_analysis.figures.style import grow, setting_points
from sims_analysis.text.typeset import unit_label

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from sims_analysis.figures.curves import Curve
    from sims_analysis.figures.free_space import Obstacles

__all__ = ["Notes", "add_legend", "stands_below"]

#: Factors by which a list on crowded axes is printed smaller.
_SMALLER = (1.0, 0.8, 0.6)
#: Below axes, it takes no more than this of their height.
_SHARE = 0.75
_STYLE: dict[str, Any] = {
    "handlelength": 1.4,
    "labelspacing": 0.25,
    "borderpad": 0.2,
}


class Notes:
    """The list that explains marks and names the results."""

    def __init__(self, ax: Axes) -> None:
        self.ax = ax
        self._memory = memory(ax)
        #: Kept on the axes, so that a second call adds to the list of the first.
        self.entries: dict[str, Any] = self._memory.notes

    def add(self, text: str, **style: Any) -> None:
        """Add an entry whose handle is a line of this style."""
        from matplotlib.lines import Line2D

        self.entries.setdefault(text, Line2D([], [], **style))

    def say(self, text: str) -> None:
        """Add an entry without a handle."""
        self.add(text, linestyle="none", color="none")

    def explain(self, text: str, **style: Any) -> None:
        """Add an entry about a kind of mark, once in a figure of several panels."""
        if text not in self._memory.explained:
            self.add(text, **style)
        self._memory.explained.add(text)

    def explain_error(self, coverage: float) -> None:
        """Say what every plus-minus, bar and band means."""
        self.explain_words(
            "± one standard error" if coverage == 1 else f"± {coverage:g} standard errors"
        )

    def explain_spread(self, count: int, share: float) -> None:
        """Say what the median and its band are."""
        from matplotlib.lines import Line2D
        from matplotlib.patches import Patch

        text = f"median of {count}, band: the middle {100 * share:g} %"
        grey = ink(0.35, self.ax)
        band = Patch(color=grey, alpha=wash(0.22, self.ax), linewidth=0)
        if text not in self._memory.explained:
            self.entries[text] = band, Line2D([], [], color=grey, linewidth=1.0)
        self._memory.explained.add(text)

    def explain_words(self, text: str) -> None:
        """Add an entry of words, once in a figure of several panels."""
        self.explain(text, linestyle="none", color="none")

    def add_hidden(self, curves: Sequence[Curve]) -> None:
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
            self.explain_triangle(" or ".join(words))

    def explain_triangle(self, text: str) -> None:
        """Say what open triangles mean."""
        self.explain(
            text,
            marker="v",
            linestyle="none",
            color=ink(0.35, self.ax),
            markersize=3,
            markeredgewidth=0.5,
            fillstyle="none",
        )

    def add_limits(self, ax: Axes, group: Sequence[Curve]) -> None:
        """Draw the detection limits of an axis, one line where all are the same."""
        grey = ink(0.35, self.ax)
        limits = {curve.limit for curve in group if not np.isnan(curve.limit)}
        style: dict[str, Any] = {"linestyle": (0, (4, 2)), "linewidth": 0.6}
        if len(limits) == 1:
            ax.axhline(next(iter(limits)), color=grey, zorder=1, **style)
        else:
            for curve in group:
                if not np.isnan(curve.limit):
                    ax.axhline(curve.limit, color=curve.colour, zorder=1, **style)
        if limits:
            self.explain("detection limit", color=grey, **style)

    def write(self, obstacles: Obstacles, *, own: bool) -> None:
        """Place the list where it covers nothing: inside the axes, or below those of our figure."""
        known = self._memory
        if known.notes_legend is not None:
            discard(known.notes_legend)
            known.notes_legend = None
        if not self.entries:
            return
        # Results first, explanations of marks last.
        explained = known.explained
        for text in [text for text in self.entries if text in explained]:
            self.entries[text] = self.entries.pop(text)
        # On the last of the axes, so that no curve of another runs over it.
        top = list(known.axes.values())[-1]
        for broken in (False, True):
            legend = self._inside(top, (0.0, 1.0), broken=broken)
            box = obstacles.fraction(legend.get_window_extent())
            left, upper, free = obstacles.place_box(box.right - box.left, box.top - box.bottom)
            legend.remove()
            if free:
                known.notes_legend = self._inside(top, (left, upper), broken=broken)
                known.notes_legend.set_in_layout(False)
                return
        if own:
            known.notes_legend = self._below()
        else:
            known.notes_legend = self._on_given_axes(top, (left, upper))

    def _inside(
        self, ax: Axes, corner: tuple[float, float], *, broken: bool = False, **options: Any
    ) -> Any:
        entries = {_broken(text) if broken else text: h for text, h in self.entries.items()}
        place = {"loc": "upper left", "bbox_to_anchor": corner, "borderaxespad": 0.0}
        return add_legend(ax, entries, **{**place, **_STYLE, **options})

    def _below(self) -> Any:
        """Place the list below the axes of our figure, which becomes higher by it."""
        figure: Any = self.ax.figure
        for columns, broken in ((2, False), (1, False), (1, True)):
            legend = figure.legend(
                list(self.entries.values()),
                [_broken(text) if broken else text for text in self.entries],
                loc="outside lower center",
                ncols=columns,
                frameon=False,
                **_STYLE,
            )
            extent = legend.get_window_extent()
            enough = columns == 1 or len(self.entries) > 2
            if (extent.width <= figure.bbox.width and enough) or broken:
                break
            legend.remove()
        grow(figure, extent.height / figure.dpi)
        return legend

    def _on_given_axes(self, ax: Axes, corner: tuple[float, float]) -> Any:
        """Place the list on axes of the user's figure that have no free space for it.

        Below them if the figure has a layout engine that makes room; otherwise inside, on an opaque
        ground. It is no wider than the axes, because the layout would make them narrower for it.
        """
        figure: Any = ax.figure
        size = setting_points("legend.fontsize")
        width, height = self.ax.bbox.width, self.ax.bbox.height
        if figure.get_layout_engine() is not None:
            height *= _SHARE
            low = self.ax.xaxis.get_tightbbox(figure.canvas.get_renderer())
            depth = 0.0 if low is None else (ax.bbox.y0 - low.y0) * 72.0 / figure.dpi
            options = {"loc": "upper center", "borderaxespad": depth / size + 0.3}
            corner = 0.5, 0.0
        else:
            options = {"facecolor": paper(ax), "edgecolor": "none", "framealpha": 0.85}
            options["frameon"] = True
        for smaller, broken in product(_SMALLER, (False, True)):
            legend = self._inside(ax, corner, broken=broken, fontsize=smaller * size, **options)
            extent = legend.get_window_extent()
            last = broken and smaller == _SMALLER[-1]
            if last or (extent.width <= width and extent.height <= height):
                break
            legend.remove()
        legend.set_in_layout(figure.get_layout_engine() is not None)
        return legend


def add_legend(ax: Axes, entries: Mapping[str, Any], **options: Any) -> Any:
    """Add a legend of texts with their handles to an axes."""
    from matplotlib.legend import Legend

    legend = Legend(ax, list(entries.values()), list(entries), **{"frameon": False, **options})
    ax.add_artist(legend)
    # An artist that is clipped to the axes would get no room outside them.
    legend.set_clip_on(False)
    return legend


def stands_below(legend: Any) -> bool:
    """Whether a list is below its axes, where the layout makes room for it."""
    return legend is not None and bool(legend.get_in_layout())


def _broken(text: str) -> str:
    """Break a long line before its number or its explanation."""
    return text if "\n" in text else re.sub(r" (?=[=(])|(?<=[:,]) ", "\n", text, count=1)
