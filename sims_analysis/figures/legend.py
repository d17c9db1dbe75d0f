"""The list in a figure that explains its marks and names the results, where no curve runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sims_analysis.figures.axes import memory
from sims_analysis.figures.colours import ink, paper
from sims_analysis.figures.style import setting_points
from sims_analysis.text.typeset import unit_label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from sims_analysis.figures.curves import Curve
    from sims_analysis.figures.free_space import Obstacles

__all__ = ["Notes"]

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
        """Say what stands after every plus-minus, and what every bar and band shows."""
        self.explain_words(
            "± one standard error" if coverage == 1 else f"± {coverage:g} standard errors"
        )

    def explain_words(self, text: str) -> None:
        """Add an entry of words, once in a figure of several panels."""
        self.explain(text, linestyle="none", color="none")

    def add_hidden(self, curves: Sequence[Curve]) -> None:
        """Say what the marks at the floor are."""
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
            self._add_triangle(" or ".join(words))

    def _add_triangle(self, text: str) -> None:
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
        if any(curve.below_limit().any() for curve in group):
            self._add_triangle("below the limit")

    def write(self, obstacles: Obstacles, *, own: bool) -> None:
        """Put the list where it covers nothing: inside the axes, or below those of our figure."""
        known = self._memory
        if known.notes_legend is not None:
            known.notes_legend.remove()
            known.notes_legend = None
        if not self.entries:
            return
        # Results first, what explains the marks last.
        explained = known.explained
        for text in [text for text in self.entries if text in explained]:
            self.entries[text] = self.entries.pop(text)
        # On the last of the axes, so that no curve of another runs over it.
        top = list(known.axes.values())[-1]
        legend = self._inside(top, (0.0, 1.0))
        box = obstacles.fraction(legend.get_window_extent())
        left, upper, free = obstacles.place_box(box.right - box.left, box.top - box.bottom)
        legend.remove()
        if free:
            legend = self._inside(top, (left, upper))
            legend.set_in_layout(False)
        elif not own:
            legend = self._on_given_axes(top, (left, upper), box.right - box.left)
        else:
            legend = self._below(box.right - box.left)
        known.notes_legend = legend

    def _inside(self, ax: Axes, corner: tuple[float, float], **options: Any) -> Any:
        from matplotlib.legend import Legend

        legend = Legend(
            ax,
            list(self.entries.values()),
            list(self.entries),
            **{
                "loc": "upper left",
                "bbox_to_anchor": corner,
                "borderaxespad": 0.0,
                "frameon": False,
                **_STYLE,
                **options,
            },
        )
        ax.add_artist(legend)
        legend.set_clip_on(False)
        return legend

    def _below(self, width: float) -> Any:
        """Put the list below the axes of our figure, which grows by it."""
        figure: Any = self.ax.figure
        columns = 2 if len(self.entries) > 2 and width < 0.55 else 1
        legend = figure.legend(
            list(self.entries.values()),
            list(self.entries),
            loc="outside lower center",
            ncols=columns,
            frameon=False,
            **_STYLE,
        )
        across, down = figure.get_size_inches()
        figure.set_size_inches(across, down + legend.get_window_extent().height / figure.dpi)
        return legend

    def _on_given_axes(self, ax: Axes, corner: tuple[float, float], width: float) -> Any:
        """Put the list on axes of the user's figure that are too full for it.

        Below them if the figure makes room by itself; otherwise inside, on paper, no wider than
        they are: what stands beside them belongs to somebody else.
        """
        figure: Any = ax.figure
        if figure.get_layout_engine() is not None:
            low = self.ax.xaxis.get_tightbbox(figure.canvas.get_renderer())
            size = setting_points("legend.fontsize")
            depth = 0.0 if low is None else (ax.bbox.y0 - low.y0) * 72.0 / figure.dpi
            return self._inside(
                ax, (0.5, 0.0), loc="upper center", borderaxespad=depth / size + 0.3
            )
        size = setting_points("legend.fontsize") * min(1.0, max(0.6, 0.96 / width))
        paper_style = {"facecolor": paper(ax), "edgecolor": "none", "framealpha": 0.85}
        legend = self._inside(ax, corner, fontsize=size, frameon=True, **paper_style)
        legend.set_in_layout(False)
        return legend
