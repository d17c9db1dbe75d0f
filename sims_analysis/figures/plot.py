"""One plot: the axes of a call, what is drawn in them, and what their names and lists say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from sims_analysis.errors import UnitsError
from sims_analysis.figures.colours import grey_level, shade_alpha
from sims_analysis.figures.curves import Curve, DepthScale, colour_meaning, dash_names_measurement
from sims_analysis.figures.style import (
    BAND,
    abbreviated,
    closed_on_error,
    figure_size,
    font,
    in_style,
    setting,
)
from sims_analysis.text import typeset as _typeset
from sims_analysis.text.typeset import unit_label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

    from sims_analysis.figures.arguments import PlotOptions
    from sims_analysis.figures.layout import PlotLayout


@dataclass
class Plot:
    """The axes of one call, or of one panel: `ax` are the left ones."""

    ax: Axes
    options: PlotOptions
    #: Curves and fits of this call, and what is drawn of the curves.
    curves: list[Curve] = field(default_factory=list)
    models: list[Curve] = field(default_factory=list)
    lines: list[tuple[Curve, Line2D]] = field(default_factory=list)
    #: Whether the figure is ours, and may become higher.
    resizable: bool = False
    #: What this and earlier calls have left in the axes.
    layout: PlotLayout = field(init=False)
    #: Lines that were there before, by their names.
    earlier: dict[str, Line2D] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Find what an earlier call has drawn."""
        from sims_analysis.figures.layout import PlotLayout, layout_at

        self.layout = layout_at(self.ax) or PlotLayout(self.ax)
        self.ax = self.layout.left
        self.layout.resizable |= self.resizable
        curves = self.layout.curves
        self.earlier = {name: line for name, line in curves.items() if line.axes is not None}

    @property
    def grey(self) -> str:
        """The colour of what explains marks."""
        return grey_level(0.35, self.ax)

    def open(self, all_curves: Sequence[Curve]) -> None:
        """Make an axis for each quantity of the curves, in the unit for all of a figure."""
        units, previous = self.options.depth_units, self.layout.scale
        same_axis = [curve for curve in all_curves if curve.axis == self.curves[0].axis]
        scale = DepthScale([*self.curves, *same_axis], units)
        other_units = units is not None and previous is not None and previous.units != scale.units
        if previous is not None and (previous.kind != scale.kind or other_units):
            raise UnitsError(
                f"these axes are in {previous.units}, and the curves in {scale.units}: leave out "
                "depth_units=, or draw on other axes",
                argument="depth_units",
            )
        self.layout.scale = previous or scale
        # The preferred quantity is on the left.
        for curve in sorted(self.curves, key=lambda curve: curve.rank):
            if curve.label not in self.layout.axes:
                self.layout.axes[curve.label] = self._make_axes(curve.label)

    def _make_axes(self, label: str) -> Axes:
        """Make the axes of a quantity: the given ones, or others at their right."""
        if not self.layout.axes:
            self.ax.set(xlabel=self.scale.label, ylabel=label)
            return self.ax
        right = self.ax.twinx()
        right.set_ylabel(label)
        self.ax.tick_params(axis="y", which="both", right=False)
        if self.ax.axes is not self.ax:  # the ground of an inset is below its right axes
            right.set_zorder(self.ax.get_zorder() + 0.1)
        # A style sheet may ask for a grid; this one would cross the curves of the left axes.
        right.grid(visible=False, which="both")
        return right

    @property
    def scale(self) -> DepthScale:
        """The scale of the depth axis."""
        return cast("DepthScale", self.layout.scale)

    def axes_of(self, curve: Curve) -> Axes:
        """Return the axes of a curve."""
        return self.layout.axes[curve.label]

    def list_result(self, text: str, mark: Any = None, handle: Any = None, **style: Any) -> None:
        """Add a result to the list, which may be written at its mark (axes, place and colour)."""
        self.layout.results.setdefault(text, handle or handle_of(**style))
        if mark is not None:
            self.layout.marks.setdefault(text, mark)

    def explain(self, text: str, handle: Any = None, **style: Any) -> None:
        """Add an explanation to the list, unless the user wants none; its handle may be a line."""
        if self.options.notes:
            self.layout.explanations.setdefault(text, handle or handle_of(**style))

    def explain_mark(self, text: str, **style: Any) -> None:
        """Say what a mark means, by default an open triangle."""
        style = style or {"marker": "v", "markersize": 3, "markeredgewidth": 0.5}
        style = {"linestyle": "none", "fillstyle": "none", **style}
        self.explain(text, color=self.grey, **style)

    def explain_band(self, text: str) -> None:
        """Say what a band is."""
        from matplotlib.patches import Patch

        self.explain(text, Patch(color=self.grey, alpha=shade_alpha(BAND, self.ax), linewidth=0))

    def explain_error(self, *, band: bool = False) -> None:
        """Say what every plus-minus, bar and band means; the handle is a band, if there is one."""
        from matplotlib.path import Path

        coverage = self.options.coverage or 1.0
        text = "± one standard error" if coverage == 1 else f"± {coverage:g} standard errors"
        if band:
            self.explain_band(text)
            return
        ends = [(-1, -0.35), (-1, 0.35), (-1, 0), (1, 0), (1, -0.35), (1, 0.35)]
        bar = Path(ends, [Path.MOVETO, Path.LINETO] * 3)
        self.explain_mark(text, marker=bar, markersize=9, markeredgewidth=0.8)


def handle_of(**style: Any) -> Any:
    """Make a line for a legend, perhaps an invisible one."""
    from matplotlib.lines import Line2D

    return Line2D([], [], **(style or {"linestyle": "none", "color": "none"}))


@contextmanager
def axes_in_style(ax: Axes | None, width: Any, layout: str = "constrained") -> Iterator[Axes]:
    """Draw on new axes, or those in a figure of ours, in the house style; a user keeps his own."""
    import matplotlib.pyplot as plt

    from sims_analysis.figures.layout import layout_at

    is_new = ax is None
    axes = [] if ax is None else [ax, *ax.figure.figure.axes]
    layouts = [layout_at(candidate) for candidate in axes]
    ours = is_new or any(plot_layout and plot_layout.resizable for plot_layout in layouts)
    with in_style() if ours else nullcontext():
        if ax is None:
            _, ax = plt.subplots(figsize=figure_size(width), layout=layout)
        elif ours and layouts[0] is None:  # the user has made them without the style
            for text in (ax.xaxis.label, ax.yaxis.label, ax.yaxis.offsetText, ax.title):
                text.set(size=setting("axes.labelsize"), **font())
        with closed_on_error(ax.figure.figure, is_new=is_new):
            yield ax


def choose_names(plot: Plot) -> None:
    """Choose the names of the curves, and whether they are written beside these or in a legend."""
    labels = plot.options.labels
    if labels == "none":
        return
    entries, direct = _entries(plot)
    if labels == "direct" or (labels == "auto" and direct):
        older = {text: line for text, line in plot.layout.direct.items() if line.axes is not None}
        plot.layout.direct = older | {text: entries[text] for text in entries if text not in older}
    else:
        plot.layout.above |= entries


def label_lines(plot: Plot) -> None:
    """Label every line, so that a later call and a legend made by the user find its name."""
    several = len({curve.measurement for curve, _ in plot.lines}) > 1
    for curve, line in plot.lines:
        species = typeset_species(curve.name)
        if not curve.species:
            species = "" if curve.source else curve.long_name
        differs = differs_from_earlier(plot, curve, line)
        measurement = _typeset.plain(curve.measurement) if several or differs or not species else ""
        text = ", ".join(filter(None, [species, measurement]))
        text = f"{text} (2)" if differs and text in plot.earlier else text
        is_repeat = text in plot.earlier
        if not is_repeat:
            plot.layout.curves[text] = line
        # matplotlib ignores names that begin with an underscore.
        line.set_label("_again" if is_repeat else text if text[:1] != "_" else "\u200b" + text)
        if line.axes is not plot.ax:
            # A legend of the left axes lists only the lines of the left axes.
            proxy = handle_of(label=line.get_label())
            proxy.update_from(line)
            plot.ax.add_line(proxy)


def typeset_species(species: str) -> str:
    """Typeset the name of a species as the settings want it."""
    return _typeset.mathtext(species, usetex=bool(setting("text.usetex")))


def differs_from_earlier(plot: Plot, curve: Curve, line: Any) -> bool:
    """Whether an earlier call has drawn other samples under the name of a curve."""
    name = typeset_species(curve.name)
    if name not in plot.earlier:
        return False
    pairs = zip(plot.earlier[name].get_data(), line.get_data(), strict=True)
    return not all(np.array_equal(a, b, equal_nan=True) for a, b in pairs)


class _CurveNames:
    """What curves are called in a figure: by their species, by their measurement, or by both."""

    def __init__(self, plot: Plot) -> None:
        self._curves = [curve for curve, _ in plot.lines]
        self.measured = list(dict.fromkeys(curve.measurement for curve in self._curves))
        names = list(dict.fromkeys(curve.name for curve in self._curves))
        self._known = dict(zip(self.measured, abbreviated(self.measured), strict=True))
        self._short = dict(zip(names, abbreviated(names), strict=True))
        self._left = next(iter(plot.layout.axes))
        self.by_measurement = colour_meaning(plot.options, plot.curves) == "measurement"
        self.subjects = {c.subject: self._pointing(self._name(c), [c]) for c in self._curves}

    def _pointing(self, text: str, selected: Sequence[Curve]) -> str:
        """Add an arrow to the axes of curves, if none of these is on the left ones."""
        on_right = all(curve.label != self._left for curve in selected)
        return text.removesuffix("→") + "→" * on_right

    def _name(self, curve: Curve) -> str:
        return typeset_species(self._short[curve.name]) or curve.long_name

    def species(self, curve: Curve) -> str:
        """Name a curve by its species, and by its unit where that alone distinguishes it."""
        text = self.subjects[curve.subject]
        if list(self.subjects.values()).count(text) == 1:
            return text
        return f"{self._name(curve)} ({unit_label(curve.units) or curve.long_name.lower()})"

    def measurement(self, curve: Curve) -> str:
        """Name a curve by its measurement; the median of many has no name but its species'."""
        name, selected = _typeset.plain(self._known[curve.measurement]), curve.measurement
        if not (name and self.by_measurement):
            return name or self.species(curve)
        return self._pointing(name, [c for c in self._curves if c.measurement == selected])


def _entries(plot: Plot) -> tuple[dict[str, Any], bool]:
    """Return the names with a line for each, and whether they could be beside the curves."""
    lines, names, grey = plot.lines, _CurveNames(plot), plot.grey
    species, measurement = names.species, names.measurement
    if len(names.measured) == 1:
        return {
            str(line.get_label()) if differs_from_earlier(plot, c, line) else species(c): line
            for c, line in lines
        }, True
    single = names.by_measurement and len(names.subjects) == 1
    if single or "" in names.measured:  # medians of species, and outliers of one colour in each
        return {measurement(c): line for c, line in lines}, False
    curves = [curve for curve, _ in lines]
    dashed_apart = dash_names_measurement(curves, [c.colour for c in curves])
    if plot.options.labels == "direct" or not (names.by_measurement or dashed_apart):
        return {f"{species(c)}, {measurement(c)}": line for c, line in lines}, False
    coloured, dashed = species, measurement
    if names.by_measurement:
        coloured, dashed = measurement, species
    colours = {coloured(c): handle_of(color=line.get_color()) for c, line in lines}
    if len(colours) == 1:
        grey, colours = str(next(iter(colours.values())).get_color()), {}
    dashes = {dashed(c): handle_of(color=grey, linestyle=c.dash) for c in curves}
    return colours | dashes, False
