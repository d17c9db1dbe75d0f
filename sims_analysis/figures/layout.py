"""What is known of a plot, and the places of its names and lists, found when it is drawn."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise, product
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.font_manager import FontProperties
from matplotlib.layout_engine import PlaceHolderLayoutEngine
from matplotlib.legend import Legend
from matplotlib.patches import Patch, Rectangle
from matplotlib.text import Text
from matplotlib.transforms import Bbox, ScaledTranslation

from sims_analysis.figures.colours import background, grey_level, text_colour
from sims_analysis.figures.free_space import MARGIN, Box, Obstacles
from sims_analysis.figures.style import (
    LEAST,
    abbreviated,
    font,
    lay_out,
    make_higher,
    setting,
    setting_points,
)
from sims_analysis.text.typeset import unit_label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

    from sims_analysis.figures.curves import DepthScale

LIST_STYLE: dict[str, Any] = {"handlelength": 1.4, "handletextpad": 0.6, "labelspacing": 0.25}
LIST_STYLE |= {"borderpad": 0.2, "columnspacing": 2.0, "frameon": False}
_NAMES_STYLE: dict[str, Any] = {"handlelength": 1.8, "handletextpad": 0.8, "labelspacing": 0.5}
_NAMES_STYLE |= {"borderpad": 0.4, "columnspacing": 1.2, "borderaxespad": 0.2, "frameon": False}


@dataclass(frozen=True)
class _Rules:
    """The numbers by which names and lists are placed."""

    zorder: float = 2.9  # texts are over curves, and below titles, which make room for names
    list_height: float = 0.36  # of axes and list, at most, where the user made the figure
    name_lengths: tuple[int, ...] = (32, 28, 24, 20, 16, 12)  # to which names are shortened
    columns: int = 8  # of names, at most
    axis_gap: float = 5.0  # between the labels of a right axis and the next axis, in points
    least_shift: float = 0.5  # change of that distance that is made, in points
    pad: float = 3.0  # between a list and the labels above it, in points
    same_size: float = 1e-2  # change of the size of axes that moves nothing, in inches
    most_numbers: int = 4  # of results that stand at their marks
    list_width: float = 0.5  # of the axes: the lines of a wider list are broken
    opaque: float = 0.85  # the ground of what covers curves
    frame: float = 0.006  # distance of that from the frame, in axes


_RULES = _Rules()


class Layer(Artist):
    """The texts of a plot that are drawn with one of its axes: room above and below is theirs."""

    def __init__(self, layout: PlotLayout, ax: Axes) -> None:
        super().__init__()
        self.layout = layout
        self.texts: list[Any] = []
        self.set_zorder(_RULES.zorder)
        self.move_to(ax)

    def move_to(self, ax: Axes) -> None:
        """Move to other axes."""
        if self.axes is not ax:
            if self.axes is not None:
                self.remove()
            ax.add_artist(self)
            self.set_clip_on(False)

    def get_children(self) -> list[Any]:
        """List the texts."""
        return list(self.texts)

    def get_tightbbox(self, renderer: Any = None) -> Any:
        """Return what the texts cover above or below the axes."""
        self.layout.arrange(renderer)
        return self.layout.covered(self, renderer)

    def draw(self, renderer: Any) -> None:
        """Draw the texts where they have room now."""
        self.layout.arrange(renderer)
        for text in self.texts if self.get_visible() else ():
            text.draw(renderer)
        self.stale = False


class PlotLayout:
    """What is known of a plot from one call to the next: it lives as long as its layers in axes."""

    def __init__(self, left: Axes) -> None:
        self.left = left
        #: Label of the value axis -> axes; the left ones first.
        self.axes: dict[str, Axes] = {}
        self.scale: DepthScale | None = None
        #: The limits that a call has set, by axes and "x" or "y".
        self.limits: dict[tuple[Axes, str], tuple[float, float]] = {}
        #: The lines of curves, by their names.
        self.curves: dict[str, Line2D] = {}
        #: The lines that the limits of values include, with a factor for their values.
        self.extents: list[tuple[Line2D, float]] = []
        #: Whether samples are marked at the floor of the axes.
        self.has_floor_marks = False
        #: The colours of species and measurements, by their names.
        self.colours: dict[str, str] = {}
        #: Whether the figure is ours, and by how many inches it has grown for what is outside.
        self.resizable, self.added_height = False, 0.0
        #: The lowest axes of the plot: those of residuals, if there are any.
        self.foot = left
        #: Names in the legend above the axes, and those that are beside curves if there is room.
        self.above: dict[str, Any] = {}
        self.direct: dict[str, Line2D] = {}
        #: Entries of the list: results, and explanations of marks.
        self.results: dict[str, Any] = {}
        self.explanations: dict[str, Any] = {}
        #: Where the mark of a result is: axes with a point, or the path of a shade; and its colour.
        self.marks: dict[str, tuple[Axes, Any, str]] = {}
        #: Named regions of depth.
        self.regions: list[tuple[str, tuple[float, float]]] = []
        #: Number of doses that are shaded.
        self.shades = 0
        #: Why the list stands where it should not; empty if it has room.
        self.problem = ""
        #: Whether the figure has become higher for the list, which could then have room inside.
        self.stays_below = self.is_below = False
        self._way = 0.0, 1  # size of its letters there, and columns
        self._arranged: tuple[Any, Any] | None = None
        self._moved: dict[Any, tuple[Any, Any]] = {}
        self._names, self._list = Layer(self, left), Layer(self, left)
        self.read_settings()

    @property
    def figure(self) -> Any:
        """The whole figure, of which types know less than there is."""
        return self.left.figure.figure

    def is_kept(self) -> bool:
        """Whether the axes have not been cleared."""
        return self._names.axes is self.left

    def discard_cleared(self) -> None:
        """Remove what is left of a plot whose axes have been cleared."""
        if self._list.axes is not None:
            self._list.remove()

    def read_settings(self) -> None:
        """Read the settings for texts now: matplotlib would read them when it draws."""
        colour = setting("legend.labelcolor")
        self._text = {"labelcolor": setting("text.color") if colour in (None, "None") else colour}
        self._points, self._font = setting_points("legend.fontsize"), font()
        self._sizes = [self._points, min(self._points, LEAST)]  # in which a list is tried
        self._arranged = None
        last = list(self.axes.values())[-1] if self.foot is self.left and self.axes else self.foot
        self._list.move_to(last)

    def set_in_layout(self, value: bool) -> None:
        """Let the layout of the figure make room for texts, or not."""
        for layer in (self._names, self._list):
            layer.set_in_layout(value)

    def arrange(self, renderer: Any = None) -> None:
        """Place the texts for the axes as they are now, unless they stand there already."""
        size = self.left.bbox.size / self.figure.dpi
        state = self._state()
        previous = self._arranged
        changed = previous is None or previous[1] != state
        if previous is None or changed or not np.allclose(previous[0], size, 0.0, _RULES.same_size):
            self._arranged = size, state
            self._move_right_axes()
            if changed or len(self.axes) > 2:
                vars(self).pop("_margins", None)
            self._place()
        self._move_titles(renderer)

    def _state(self) -> Any:
        """Return all but the size of the axes that the places of texts depend on."""
        settings = [(ax.get_xlim(), ax.get_ylim(), ax.get_ylabel(), len(ax.lines),
                 len(ax.texts)) for ax in self._all_axes]  # fmt: skip
        texts = [*self.above, *self.direct, *self.results, *self.explanations]
        boxes = [ax.bbox for ax in self._insets()]
        boxes += [legend.get_window_extent() for legend in self._legends()]
        bounds = [box.transformed(self.left.transAxes.inverted()).bounds for box in boxes]
        return settings, texts, np.round(bounds, 2).tolist()

    @property
    def _all_axes(self) -> list[Axes]:
        """List the left and the right axes."""
        return list(dict.fromkeys((self.left, *self.axes.values())))

    def _legends(self) -> list[Any]:
        """List the legends that the user has made."""
        return [ax.get_legend() for ax in self._all_axes if ax.get_legend()]

    def _insets(self) -> list[Axes]:
        """List smaller axes that stand on these."""
        frame, size = self.left.bbox, float(np.prod(self.left.bbox.size))
        candidates = [ax for ax in self.figure.axes if ax not in self.axes.values()]
        return [
            ax for ax in (*self.left.child_axes, *candidates)
            if ax is not self.foot and frame.overlaps(ax.bbox)
            and np.prod(ax.bbox.size) < 0.9 * size
        ]  # fmt: skip

    def _move_right_axes(self) -> None:
        """Move each further right axis outward, beyond the labels of the previous one."""
        for previous, ax in pairwise(list(self.axes.values())[1:]):
            box = previous.yaxis.get_tightbbox() or previous.bbox  # a panel may hide all of it
            outward = (box.x1 - self.left.bbox.x1) * 72.0 / self.figure.dpi + _RULES.axis_gap
            now = ax.spines["right"].get_position()
            offset = now[1] if isinstance(now, tuple) and now[0] == "outward" else 0.0
            if abs(outward - offset) > _RULES.least_shift:
                ax.spines["right"].set_position(("outward", round(outward, 1)))

    def _place(self) -> None:
        boxes = [ax.get_tightbbox() for ax in self._insets()]
        insets = [box for box in boxes if box is not None]
        occupied = insets + [legend.get_window_extent() for legend in self._legends()]
        area = Obstacles(self.left, self.axes.values(), occupied, self.curves.values())
        grounds = [self._background(area.fraction(box)) for box in insets]
        self.listed: dict[str, Any] = {}
        texts, names_above = [*self._placed_regions(area)], dict(self.above)
        for text, line in self.direct.items():
            if line.axes is None:  # it was removed
                continue
            name = self._write_text(text, line.get_color(), area, partial(area.place_beside, line))
            if name is None:
                names_above[text] = line
            else:
                texts.append(name)
        numbers = dict(
            self._placed_numbers(area) if len(self.results) <= _RULES.most_numbers else ()
        )
        self.listed |= {text: self.results[text] for text in self.results if text not in numbers}
        self._names.texts = [*grounds, *self._legend_above(names_above), *texts, *numbers.values()]
        self._list.texts = self._placed_list(area) if self.listed or self.explanations else []

    def _background(self, box: Box) -> Any:
        """Make a ground for the numbers and labels of an inset, which curves would cross."""
        left, bottom, right, top = np.clip(box, _RULES.frame, 1.0 - _RULES.frame)
        style: Any = {"facecolor": background(self.left), "alpha": _RULES.opaque, "linewidth": 0}
        patch = Rectangle((left, bottom), right - left, top - bottom, **style)
        patch.set_figure(self.figure)
        patch.set_transform(self.left.transAxes)
        return patch

    def _placed_regions(self, area: Obstacles) -> Iterator[Any]:
        """Write each region's name at its top, upwards if it is narrow, or else in the list."""
        low, high = sorted(self.left.get_xlim())
        outside: dict[str, list[str]] = {}
        for text, limits in self.regions:
            start, stop = np.clip(limits, low, high)
            ends = self.left.transLimits.transform([(start, 0.0), (stop, 0.0)])[:, 0]
            if start >= stop:
                continue
            label, room = self._text_of(text, color=grey_level(0.35, self.left)), abs(np.diff(ends))
            for angle in (0, 90):
                label.set_rotation(angle)
                width, height = area.size(label.get_window_extent())
                place = area.place_in_column(ends.mean(), (width, height))
                if place is not None and width <= room:
                    label.set_position((place.left, place.bottom))
                    area.boxes.append(area.fraction(label.get_window_extent()))
                    yield label
                    break
            else:
                outside.setdefault(text, []).append("–".join(f"{end:.4g}" for end in limits))
        for text, spans in outside.items():
            depths = ", ".join(spans[: _RULES.most_numbers]) + ", …" * (
                len(spans) > _RULES.most_numbers
            )
            unit = unit_label(self.scale.units) if self.scale else ""
            self.listed[f"{text}: {depths} {unit}"] = Patch(color="none")

    def _placed_numbers(self, area: Obstacles) -> Iterator[tuple[str, Any]]:
        """Write the results that have room there at their marks."""
        to_axes = self.left.transAxes.inverted()
        for text in [entry for entry in self.results if entry in self.marks]:
            ax, place, colour = self.marks[text]
            if self.shades > 1 and not isinstance(place, tuple):
                continue  # the lines of another dose would cross the number
            if isinstance(place, tuple):
                point = to_axes.transform(ax.transData.transform(place))
                find = partial(area.place_near, point)
            else:
                find = partial(area.place_inside, (ax.transData + to_axes).transform_path(place))
            for break_at in (" (?==)", r" (?==)| (?=\S+$)"):
                label = self._write_text(re.sub(break_at, "\n", text), colour, area, find)
                if label is not None:
                    yield text, label
                    break

    def _write_text(
        self,
        text: str,
        colour: Any,
        area: Obstacles,
        find: Callable[[tuple[float, float]], Box | None],
    ) -> Any:
        """Write a text in the colour of its curve where a place is found for it; None without."""
        label = self._text_of(text, color=text_colour(colour, self.left))
        place = find(area.size(label.get_window_extent()))
        if place is None:
            return None
        label.set_position((place.left, place.bottom))
        area.boxes.append(place)
        return label

    def _text_of(self, text: str, **style: Any) -> Any:
        label = Text(0.0, 0.0, text, va="bottom", **self._font, size=self._points, **style)
        label.set_figure(self.figure)
        label.set_transform(self.left.transAxes)
        return label

    def _legend(self, entries: Mapping[str, Any], points: float, **options: Any) -> Any:
        """Make a legend of texts with their handles; whoever draws it decides where it is."""
        letters = FontProperties(size=points, **self._font)
        style = {"prop": letters, **self._text, **options}
        return Legend(self.left, list(entries.values()), list(entries), **style)

    def _put_at(self, legend: Any, x: float, y: float, points: float = 0.0) -> None:
        """Put a legend at a place in fractions of the axes, so many points higher."""
        shift = ScaledTranslation(0.0, points / 72.0, self.figure.dpi_scale_trans)
        legend.set_bbox_to_anchor((x, y), transform=self.left.transAxes + shift)

    @cached_property
    def _margins(self) -> tuple[float, float, float]:
        """Measure the labels at the left, at the right and below, in inches beside the axes."""
        ax, foot, dpi = self.left.bbox, self.foot.bbox, self.figure.dpi
        boxes = [sibling.yaxis.get_tightbbox() for sibling in self._all_axes]
        extent = Bbox.union([ax, *(box for box in boxes if box is not None)])
        under = self.foot.xaxis.get_tightbbox() or foot
        below = max(foot.y0 - under.y0, 0.0) / dpi
        return (ax.x0 - extent.x0) / dpi, (extent.x1 - ax.x1) / dpi, below

    def _ends(self) -> tuple[float, float]:
        """Return where the axes with their labels begin and end; alone, they have the figure."""
        selected = {self.left, self.foot, *self.axes.values()}
        if selected.issuperset(self.figure.axes) and self._is_managed():
            return 0.0, float(self.figure.bbox.width)
        left, right = (margin + _RULES.pad / 72.0 for margin in self._margins[:2])
        ax, dpi = self.left.bbox, self.figure.dpi
        return float(ax.x0 - left * dpi), float(ax.x1 + right * dpi)

    def _legend_above(self, names: Mapping[str, Any]) -> Iterator[Any]:
        """Place names above the axes, in as few rows as their width allows, long ones shortened."""
        if not names:
            return
        ax = self.left.bbox
        layouts = [(columns, 0) for columns in range(min(len(names), _RULES.columns), 0, -1)]
        for columns, length in layouts + [(1, length) for length in _RULES.name_lengths]:
            labels = abbreviated(list(names), length) if length else list(names)
            entries = dict(zip(labels, names.values(), strict=True))
            place = {"loc": "lower left", "ncols": columns}
            legend = self._legend(entries, self._points, **place, **_NAMES_STYLE)
            width = legend.get_window_extent().width
            if width <= ax.width or width <= self._ends()[1] - ax.x0:
                break
        self._put_at(legend, 0.0, 1.0, self._height_above())
        yield legend

    def _height_above(self) -> float:
        """Height in points of what stands on the axes: a power of ten, or an axis of the user."""
        linear = [ax.yaxis for ax in self.axes.values() if ax.get_yscale() == "linear"]
        for axis in linear:  # measured, it has written its power
            axis.get_tightbbox()
        texts = [axis.get_offset_text() for axis in linear]
        tops = [text.get_window_extent().y1 for text in texts if text.get_text()]
        height = max((top - self.left.bbox.y1 for top in tops + self._upper_ends()), default=0.0)
        return float(height * 72.0 / self.figure.dpi)

    def _upper_ends(self) -> list[float]:
        """List the upper ends of axes that the user has added at the top."""
        frame = self.left.bbox
        boxes = [ax.xaxis.get_tightbbox() for ax in (*self.left.child_axes, *self.figure.axes)
                 if abs(ax.bbox.x0 - frame.x0) + abs(ax.bbox.y1 - frame.y1) < 1.0
                 and ax.xaxis.get_ticks_position() == "top"]  # fmt: skip
        return [
            float(box.y1) + _RULES.pad * self.figure.dpi / 72.0 for box in boxes if box is not None
        ]

    def _move_titles(self, renderer: Any) -> None:
        """Let titles stand above names and the axes of the user, and beside each other."""
        legends = [child for child in self._names.texts if isinstance(child, Legend)]
        tops = [legend.get_window_extent().y1 for legend in legends] + self._upper_ends()
        ax, texts = self.left.bbox, {*self.left.texts}
        placed: list[Any] = []
        titles = [c for c in self.left.get_children() if isinstance(c, Text) and c not in texts]
        for title in reversed([item for item in titles if item.get_text()]):  # the middle one last
            position = title.get_position()
            base, moved = self._moved.get(title, (position, position))
            if position == moved:  # matplotlib leaves it where it was put
                title.set_position(base)
            box: Any = title.get_window_extent(renderer)
            low, right = max(tops, default=-np.inf), 0.0
            for neighbour in placed:
                if neighbour.x0 < box.x1 and box.x0 < neighbour.x1 + _RULES.axis_gap:
                    right = neighbour.x1 + _RULES.axis_gap - box.x0
                    if box.x1 + right > ax.x1:
                        low, right = max(low, neighbour.y1), 0.0
            up = max(low - box.y0, 0.0)
            if (up or right) and self._names.get_in_layout():
                base = title.get_position()
                title.set_position((base[0] + right / ax.width, base[1] + up / ax.height))
                self._moved[title] = base, title.get_position()
            placed.append(title.get_window_extent(renderer))

    def _placed_list(self, area: Obstacles) -> list[Any]:
        """Place the list inside where it covers nothing, or else below, or else over the curves."""
        self.problem, managed = "", self._is_managed()
        room = (1.0 - 2.0 * MARGIN) * self.left.bbox.width
        layouts = product(self._sizes[:1] if managed else self._sizes, (1.0, _RULES.list_width))
        for points, part in () if self.stays_below else layouts:
            legend = self._list_of(points, part * room)
            left, top, is_free = area.place_box(*area.size(legend.get_window_extent()))
            if is_free:
                self.is_below = False
                self._put_at(legend, left, top)
                return [legend]
        if managed and (legend := self._list_below()):
            return [legend]
        width = 25.4 * self.left.bbox.width / self.figure.dpi
        count = len(self.listed) + len(self.explanations)
        self.problem = f"a list of {count} results and explanations covers axes {width:.0f} mm wide"
        ground = {
            "facecolor": background(self.left),
            "edgecolor": "none",
            "framealpha": _RULES.opaque,
        }
        legend = self._list_of(self._sizes[-1], room, **{**ground, "frameon": True})
        self._put_at(legend, *area.place_box(*area.size(legend.get_window_extent()))[:2])
        return [legend]

    def _is_managed(self) -> bool:
        """Whether the layout of the figure makes room for what is outside these axes."""
        engine = self.figure.get_layout_engine()
        layout = engine is not None and not isinstance(engine, PlaceHolderLayoutEngine)
        return layout and self.left.get_subplotspec() is not None and self.left.get_in_layout()

    def _list_of(self, points: float, room: float, **options: Any) -> Any:
        """Write the list, its lines broken if they are wider than the room."""
        handle = LIST_STYLE["handlelength"] + LIST_STYLE["handletextpad"]
        line_width = room / (points * self.figure.dpi / 72.0) - handle
        # Results first, explanations of marks last.
        texts = {**self.listed, **self.explanations}
        entries = {self._break_line(text, line_width): handle for text, handle in texts.items()}
        place = {"loc": "upper left", "borderaxespad": 0.0}
        return self._legend(entries, points, **{**LIST_STYLE, **place, **options})

    def _break_line(self, text: str, room: float) -> str:
        """Break a line before its number, or else its explanation, or before its unit too."""
        letter = self._points * self.figure.dpi / 72.0  # the room is in sizes of letters
        for place in ("", r" (?==)", r"(?<=:) ", r" (?=at )", r" (?=\()|(?<=,) ", r" (?=\S+$)"):
            if place and ("\n" not in text or place.endswith("$)")):
                text = re.sub(place, "\n", text, count=1)
            if self._text_of(text).get_window_extent().width <= room * letter:
                break
        return text

    def _list_below(self) -> Any:
        """Place the list below, no wider than axes and their labels; None if it is too large."""
        (low, high), ax, dpi = self._ends(), self.left.bbox, self.figure.dpi
        extra = sum(x.get_window_extent().height for x in self._legends_outside(self._list))
        height = ax.y1 - self.foot.bbox.y0 + extra
        limit = np.inf if self.resizable else _RULES.list_height * height
        # At another resolution letters are a little wider: what the figure has grown for stays.
        edge, width = _RULES.pad * dpi / 72.0, self.figure.bbox.width
        max_width = min(high - low, width - 2.0 * edge)
        layouts = [self._way] if self.stays_below else product(self._sizes, (2, 1))
        for points, columns in layouts:
            legend = self._list_of(points, high - low if columns == 1 else np.inf, ncols=columns)
            size = legend.get_window_extent()
            self._way = points, columns
            if size.width <= max_width and size.height <= limit:
                break
        else:
            legend = legend if self.resizable else None
        self.is_below = legend is not None
        if legend is not None:
            start = np.clip(0.5 * (ax.x0 + ax.x1 - size.width), low, max(low, high - size.width))
            start = max(edge, min(start, width - edge - size.width))
            depth = 72.0 * ((ax.y0 - self.foot.bbox.y0) / dpi + self._margins[2]) + _RULES.pad
            self._put_at(legend, (start - ax.x0) / ax.width, 0.0, -depth)
        return legend

    def _legends_outside(self, layer: Layer) -> list[Any]:
        """List the legends of a layer that stand above or below the axes."""
        if layer is self._list and not self.is_below:
            return []
        return [text for text in layer.texts if isinstance(text, Legend)]

    def covered(self, layer: Layer, renderer: Any = None) -> Any:
        """Return what the texts of a layer cover above or below the axes; None for nothing."""
        outside = self._legends_outside(layer)
        if not outside:
            return None
        if layer is self._names:
            outside += [title for title in self._moved if title.get_text()]
        boxes = [artist.get_window_extent(renderer) for artist in outside]
        low, high = min(box.y0 for box in boxes), max(box.y1 for box in boxes)
        return Bbox.from_extents(self.left.bbox.x0, low, self.left.bbox.x1, high)

    def height_outside(self) -> float:
        """Return the height of the lists above and below the axes, in inches."""
        legends = [*self._legends_outside(self._names), *self._legends_outside(self._list)]
        heights = [legend.get_window_extent().height for legend in legends]
        return float(sum(heights) / self.figure.dpi)


def layout_at(ax: Axes) -> PlotLayout | None:
    """Return what is known of the plot in an axes, be they left or right; None if there is none."""
    for candidate in dict.fromkeys([ax, *ax.figure.axes]):
        for layer in [artist for artist in candidate.artists if isinstance(artist, Layer)]:
            if layer.layout.is_kept():
                if ax in layer.layout.axes.values():
                    return layer.layout
            elif ax is layer.layout.left:
                layer.layout.discard_cleared()
    return None


def arrange(layouts: Sequence[PlotLayout], across: int = 1) -> None:
    """Place the texts of plots `across` in a row; a figure of our own grows by lists outside."""
    figure = layouts[0].figure

    def total_height() -> float:
        heights = [layout.added_height for layout in layouts]
        return sum(max(heights[i : i + across]) for i in range(0, len(heights), across))

    def place() -> bool:
        for layout in layouts:
            layout.arrange()
        return any(layout.height_outside() for layout in layouts)

    make_higher(figure, -total_height())  # by an earlier call
    for layout in layouts:
        layout.set_in_layout(not layout.resizable)
        layout.stays_below = False
    has_outer_axes = any(len(layout.axes) > 2 for layout in layouts)
    is_single = layouts[0].resizable and len(layouts) == 1  # smaller before their layout
    if (place() or has_outer_axes or is_single) and figure.get_layout_engine() is not None:
        for _ in range(1 + has_outer_axes):  # the second time with right axes apart
            lay_out(figure)
            place()
    for layout in layouts:
        layout.set_in_layout(True)
        layout.added_height = layout.height_outside() if layout.resizable else 0.0
        layout.stays_below = layout.resizable and layout.is_below
    if inches := total_height():  # placed before it is shown, at whatever resolution
        make_higher(figure, inches)
        lay_out(figure)
