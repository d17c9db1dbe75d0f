"""The list in a figure that explains its marks and names the results, where no curve runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sims_analysis.figures.style import ink, paper, setting_points

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from sims_analysis.figures.curves import Curve
    from sims_analysis.figures.placing import Box, Obstacles

__all__ = ["Notes"]


class Notes:
    """The list that explains marks and names the results."""

    def __init__(self, ax: Axes) -> None:
        self.ax = ax
        #: Kept on the axes, so that a second call adds to the list of the first.
        self.entries: dict[str, Any] = getattr(ax, "_sims_notes", {})
        #: Marks that another panel of the figure has explained already.
        self.explained: set[str] = getattr(ax, "_sims_explained", set())
        ax._sims_notes = self.entries  # type: ignore[attr-defined]

    def add(self, text: str, **style: Any) -> None:
        """Add an entry whose handle is a line of this style."""
        from matplotlib.lines import Line2D

        self.entries.setdefault(text, Line2D([], [], **style))

    def explain(self, text: str, **style: Any) -> None:
        """Add an entry about a kind of mark, once in a figure of several panels."""
        if text not in self.explained:
            self.add(text, **style)
        self.explained.add(text)

    def add_hidden(self, curve: Curve) -> None:
        """Say what the marks at the floor are."""
        negative = bool((curve.series.y < 0).any())
        if negative:
            self.entries.pop("zero", None)
        if negative or "zero or negative" not in self.entries:
            self._add_triangle("zero or negative" if negative else "zero")

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

    def write(self, ax: Axes, obstacles: Obstacles, *, own: bool) -> None:
        """Put the list where it covers nothing: inside the axes, or below those of our figure."""
        before = getattr(self.ax, "_sims_notes_legend", None)
        if before is not None:
            before.remove()
        if not self.entries:
            return
        handles, texts = list(self.entries.values()), list(self.entries)
        style: dict[str, Any] = {
            "frameon": False,
            "handlelength": 1.4,
            "labelspacing": 0.25,
            "borderpad": 0.2,
        }
        previous = ax.get_legend()

        def inside(x: float, y: float) -> Any:
            anchor: dict[str, Any] = {
                "loc": "upper left",
                "bbox_to_anchor": (x, y),
                "borderaxespad": 0.0,
            }
            return ax.legend(handles, texts, **anchor, **style)

        legend = inside(0.0, 1.0)
        box = obstacles.fraction(legend.get_window_extent())
        legend.remove()
        left, top, free = obstacles.place_box(box.right - box.left, box.top - box.bottom)
        if free:
            legend = inside(left, top)
            legend.set_in_layout(False)
        elif not own:
            legend = _on_given_axes(ax, handles, texts, style, (left, top), box)
        else:
            figure: Any = ax.figure
            columns = 2 if len(texts) > 2 and box.right - box.left < 0.55 else 1
            legend = figure.legend(
                handles, texts, loc="outside lower center", ncols=columns, **style
            )
            width, height = figure.get_size_inches()
            extra = legend.get_window_extent().height / figure.dpi
            figure.set_size_inches(width, height + extra)
        self.ax._sims_notes_legend = legend  # type: ignore[attr-defined]
        if previous is not None and previous is not before:
            ax.add_artist(previous)


def _on_given_axes(
    ax: Axes,
    handles: list[Any],
    texts: list[str],
    style: dict[str, Any],
    corner: tuple[float, float],
    box: Box,
) -> Any:
    """Put the list on axes of the user's figure that are too full for it.

    Below them if the figure makes room by itself; otherwise inside, on paper, no wider than they
    are: what stands beside them belongs to somebody else.
    """
    figure: Any = ax.figure
    if figure.get_layout_engine() is not None:
        low = ax.xaxis.get_tightbbox()
        size = setting_points("legend.fontsize")
        depth = 0.0 if low is None else (ax.bbox.y0 - low.y0) * 72.0 / figure.dpi
        return ax.legend(
            handles,
            texts,
            loc="upper center",
            bbox_to_anchor=(0.5, 0.0),
            borderaxespad=depth / size + 0.3,
            **style,
        )
    width = box.right - box.left
    legend = ax.legend(
        handles,
        texts,
        loc="upper left",
        bbox_to_anchor=corner,
        borderaxespad=0.0,
        facecolor=paper(ax),
        edgecolor="none",
        framealpha=0.85,
        fontsize=setting_points("legend.fontsize") * min(1.0, max(0.6, 0.96 / width)),
        **{**style, "frameon": True},
    )
    legend.set_in_layout(False)
    return legend
