"""One canvas a call: axes, scales, names and lists, passed along while a figure is drawn.

Nothing is remembered between two calls. What an earlier call has drawn in the same axes is read
from its artists: curves have their names as labels, marks and lists the labels below, and the label
of an axis says what it is, however the user has renamed it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from sims_analysis.figures.axes import Key, Scale, axes_at
from sims_analysis.figures.colours import ink

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

    from sims_analysis.figures.arguments import Wanted
    from sims_analysis.figures.curves import Curve

#: Labels of lists, and of their entries that explain marks.
NAMES, NOTES, EXPLAINED = "_names", "_notes", "_explained"


@dataclass
class Canvas:
    """The axes of one call, or of one panel: `ax` are the left ones."""

    ax: Axes
    wanted: Wanted
    #: Curves and fits of this call, and what is drawn of the curves.
    curves: list[Curve] = field(default_factory=list)
    models: list[Curve] = field(default_factory=list)
    lines: list[tuple[Curve, Line2D]] = field(default_factory=list)
    #: Whether the figure is ours, and may become higher; and whether it has several panels.
    own: bool = False
    panel: bool = False
    #: Kind of the depth axis and label of the value axis -> axes; the left ones first.
    axes: dict[Key, Axes] = field(default_factory=dict)
    #: Kind -> scale of the depth axis.
    scales: dict[str, Scale] = field(default_factory=dict)
    #: Medians of a crowd, with the curves that they are of.
    medians: list[tuple[Curve, list[Curve]]] = field(default_factory=list)
    #: Lines of earlier calls, by their names.
    earlier: dict[str, Line2D] = field(default_factory=dict)
    #: Names in the legend above the axes, and those to be written beside curves.
    names: dict[str, Any] = field(default_factory=dict)
    beside: list[tuple[str, Any]] = field(default_factory=list)
    #: Entries of the list: results, and explanations of marks.
    results: dict[str, Any] = field(default_factory=dict)
    explained: dict[str, Any] = field(default_factory=dict)

    @property
    def figure(self) -> Any:
        """The whole figure, of which types know less than there is."""
        return self.ax.figure.figure

    @property
    def grey(self) -> str:
        """The colour of what explains marks."""
        return ink(0.35, self.ax)

    @property
    def top(self) -> Axes:
        """The axes that are drawn last: no curve of others runs over what stands in them."""
        return list(self.axes.values())[-1]

    def read(self) -> None:
        """Read what an earlier call has drawn, and take away its names and lists to write anew."""
        self.axes = axes_at(self.ax)
        for each in self.axes.values():
            known = {str(one.get_label()): one for one in each.lines if np.size(one.get_xdata())}
            self.earlier |= {label: one for label, one in known.items() if label[:1] != "_"}
            for name in [text for text in each.texts if text.get_label() in known]:
                self.beside.append((name.get_text(), known[str(name.get_label())]))
                name.remove()
        for legend in self.legends(NAMES):
            self.names |= _entries(legend)
            legend.remove()
        for legend in self.legends(NOTES):
            marks = {t.get_text() for t in legend.get_texts() if t.get_label() == EXPLAINED}
            for text, handle in _entries(legend).items():
                (self.explained if text in marks else self.results)[text] = handle
            legend.remove()

    def legends(self, label: str) -> list[Any]:
        """List the lists of this label, in the axes and below those of our own figure."""
        from matplotlib.legend import Legend

        inside = [artist for each in [self.ax, *self.axes.values()] for artist in each.artists]
        found = dict.fromkeys([*inside, *self.figure.legends])
        return [one for one in found if isinstance(one, Legend) and one.get_label() == label]

    def open(self) -> None:
        """Make an axis for each quantity of the curves."""
        kinds = {curve.axis: curve for curve in self.curves}
        for kind in sorted(kinds):  # depth before sputter time
            several = len(kinds) > 1
            self.scales[kind] = Scale(kinds[kind], self.wanted.depth_units, others=several)
        # The preferred quantity is on the left.
        for curve in sorted(self.curves, key=lambda curve: (curve.axis, curve.rank)):
            self._open(*curve.key)

    def axes_of(self, curve: Curve) -> Axes:
        """Return the axes of a curve."""
        return self.axes[curve.key]

    def scale_of(self, curve: Curve) -> Scale:
        """Return the scale of the depth axis of a curve."""
        return self.scales[curve.axis]

    def values(self) -> dict[str, Axes]:
        """Return one axes for each value axis, the left one first."""
        return self._first_of(1)

    def depths(self) -> dict[str, Axes]:
        """Return one axes for each depth axis."""
        return self._first_of(0)

    def _first_of(self, part: int) -> dict[str, Axes]:
        found: dict[str, Axes] = {}
        for key, each in self.axes.items():
            found.setdefault(key[part], each)
        return found

    def _open(self, kind: str, label: str) -> None:
        """Make the axes for a kind of depth and a quantity, unless they are there."""
        if (kind, label) in self.axes:
            return
        depths, values = self.depths(), self.values()
        if not self.axes:
            each = self.ax
        elif label in values:
            each = _top(values[label], depths.get(kind), self.ax)
        else:
            if kind not in depths:
                self._open(kind, next(iter(self.axes))[1])
            each = self.depths()[kind].twinx()
            self.ax.tick_params(axis="y", which="both", right=False)
        if each is not self.ax:
            # A style sheet may ask for a grid; this one would cross the curves of the left axes.
            each.grid(visible=False, which="both")
        if kind not in depths or each is self.ax:
            each.set_xlabel(self.scales[kind].label)
        if label not in values:
            each.set_ylabel(label)
        each.xaxis.label.set_label(kind)
        each.yaxis.label.set_label(label)
        self.axes[kind, label] = each

    def explain(self, text: str, handle: Any = None, **style: Any) -> None:
        """Add an explanation of marks, unless the user wants none; its handle may be a line."""
        if self.wanted.notes:
            self.explained.setdefault(text, handle or handle_of(**style))

    def tell(self, text: str, **style: Any) -> None:
        """Add a result, with a line of a style as handle, or none."""
        self.results.setdefault(text, handle_of(**style))


def handle_of(**style: Any) -> Any:
    """Make a line for a legend, or none to be seen."""
    from matplotlib.lines import Line2D

    return Line2D([], [], **(style or {"linestyle": "none", "color": "none"}))


def _top(value: Axes, depth: Axes | None, left: Axes) -> Axes:
    """Make axes with the values of one and depths above, or those of another."""
    each = value.twiny()
    left.tick_params(axis="x", which="both", top=False)
    if depth is not None:
        each.sharex(depth)
        each.tick_params(axis="x", which="both", top=False, labeltop=False)
    return each


def _entries(legend: Any) -> dict[str, Any]:
    texts = [text.get_text() for text in legend.get_texts()]
    return dict(zip(texts, legend.legend_handles, strict=True))
