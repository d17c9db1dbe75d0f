"""Where text fits, in fractions of the axes: names beside curves, lists where there is none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sims_analysis.kernels.rows import Array, Flags

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Text keeps this distance from the frame, as a fraction of the axes.
MARGIN = 0.02
#: Text keeps this distance from curves.
AIR = 0.007


@dataclass(frozen=True)
class _Rules:
    """The numbers by which places are found."""

    cells: int = 250  # along each side of the map of what is covered
    touched: float = 2.0  # cells of curves below a list, at most
    gap: float = 2.0  # between a curve and its name, in points
    word: float = 5.0  # between two names on a line, in points
    nearer: float = 1.15  # a name is nearer to its curve than to others, by this factor
    mark: float = 3.0  # a smaller mark, in points, counts as a point of its curve
    # Costs of places, in heights of the axes: of the next place around a point of the curve,
    place: float = 0.15
    low: float = 1.5  # of a place lower than the top of the curve, where readers look first,
    crowd: float = 2.5  # and of curves nearer than so many times the own one
    # Costs of places of a list, in cells that it covers: of a text, of a place below the top, and
    text: float = 40.0
    below: float = 1.2
    left: tuple[float, float] = (0.02, 0.4)  # of one at the left, up to where names begin


_RULES = _Rules()


class Box(NamedTuple):
    """A rectangle in fractions of the axes."""

    left: float
    bottom: float
    right: float
    top: float


class Obstacles:
    """A map of the curves and the texts in an axes, in those at its place, and of further boxes."""

    def __init__(
        self,
        ax: Axes,
        axes: Iterable[Axes] = (),
        boxes: Iterable[Any] = (),
        curves: Iterable[Any] = (),
    ) -> None:
        self.ax = ax
        self._curves = {id(line) for line in curves}
        self._lines: dict[int, Array] = {}
        self._covered = np.zeros((_RULES.cells + 1, _RULES.cells + 1))
        self.boxes = [self.fraction(box) for box in boxes]
        for sibling in dict.fromkeys([ax, *axes]):
            for artist in sibling.lines:
                self.add_line(artist)
            texts = [text for text in sibling.texts if text.get_text() and text.get_visible()]
            self.boxes += [self.fraction(text.get_window_extent()) for text in texts]

    def size(self, extent: Any) -> tuple[float, float]:
        """Convert a size in pixels to fractions of the axes."""
        return extent.width / self.ax.bbox.width, extent.height / self.ax.bbox.height

    def fraction(self, extent: Any) -> Box:
        """Convert a box in pixels to fractions of the axes."""
        (left, bottom), (right, top) = self.ax.transAxes.inverted().transform(extent.get_points())
        return Box(float(left), float(bottom), float(right), float(top))

    def add_line(self, line: Any) -> Array:
        """Add a drawn line, once; return its points."""
        if id(line) in self._lines:
            return self._lines[id(line)]
        xy = np.column_stack([line.get_xdata(), line.get_ydata()]).astype(float)
        with np.errstate(divide="ignore", invalid="ignore"):
            pixels = line.get_transform().transform(xy)
        points = _dense(self.ax.transAxes.inverted().transform(pixels))
        points = points[((points >= 0) & (points <= 1)).all(axis=1)]
        self._lines[id(line)] = points
        cells = np.zeros((_RULES.cells, _RULES.cells), dtype=bool)
        indices = (np.concatenate(self._with_marks(points, line)) * _RULES.cells).astype(int)
        indices = np.clip(indices, 0, _RULES.cells - 1)
        cells[indices[:, 0], indices[:, 1]] = True
        # The sum over a rectangle follows from the cumulative sums at its four corners.
        self._covered[1:, 1:] += cells.cumsum(axis=0).cumsum(axis=1)
        return points

    def _with_marks(self, points: Array, line: Any) -> list[Array]:
        """Add the outlines of the marks of a line, if they are larger than its width."""
        if not has_mark(line) or line.get_markersize() < _RULES.mark:
            return [points]
        radius = 0.5 * line.get_markersize() * self.ax.figure.dpi / 72.0
        around = np.linspace(0.0, 2 * np.pi, 8, endpoint=False)
        circle = radius * np.column_stack([np.cos(around), np.sin(around)])
        size = self.ax.bbox.width, self.ax.bbox.height
        return [points, *(points + offset / size for offset in circle)]

    def covered(self, boxes: Array) -> Array:
        """Count the cells of curves inside boxes, with a little air around them."""
        air = np.array([-AIR, -AIR, AIR, AIR])
        i, j, k, m = np.clip(np.round((boxes + air) * _RULES.cells), 0, _RULES.cells).astype(int).T
        c = self._covered
        return np.asarray(c[k, m] - c[i, m] - c[k, j] + c[i, j])

    def _texts(self, boxes: Array, word: float = 0.0) -> Array:
        """Count the texts that boxes overlap, or come nearer to than a word beside it."""
        placed = np.array(self.boxes or np.empty((0, 4))).T[:, None]
        left, bottom, right, top = boxes.T[..., None]
        overlaps = (left - word < placed[2]) & (placed[0] < right + word)
        return np.asarray((overlaps & (bottom < placed[3]) & (placed[1] < top)).sum(axis=1))

    def is_free(self, boxes: Array) -> Flags:
        """Find the boxes that lie inside the axes and cover neither curve nor text."""
        inside = (boxes[:, :2].min(axis=1) >= MARGIN) & (boxes[:, 2:].max(axis=1) <= 1 - MARGIN)
        # Two names on one line must be separated like words.
        word = self._gap(_RULES.word)[0]
        return np.asarray(inside & (self.covered(boxes) == 0) & (self._texts(boxes, word) == 0))

    def place_box(self, width: float, height: float) -> tuple[float, float, bool]:
        """Find where a list covers least, corners first: left, top, and whether that is free."""
        if max(width, height) > 1 - 2 * MARGIN:
            return MARGIN, 1 - MARGIN, False
        boxes = _grid((width, height), np.linspace(MARGIN, 1 - MARGIN - width, 15), 15)
        x, y = boxes[:, 0], boxes[:, 3]
        covered = self.covered(boxes) + _RULES.text * self._texts(boxes)
        across, up = np.minimum(x, 1 - width - x), np.minimum(1 - y, y - height + MARGIN)
        cost, end = _RULES.left
        best = int(np.argmin(covered + (across + _RULES.below * up) + cost * (x < end)))
        return float(x[best]), float(y[best]), bool(covered[best] <= _RULES.touched)

    def place_beside(self, line: Any, size: tuple[float, float]) -> Box | None:
        """Find the free place nearest to a curve, preferably where it is high; None without one."""
        points = self.add_line(line)
        if points.size == 0:
            return None
        order = np.argsort(points[:, 0], kind="stable")
        sampled = points[order][:: max(1, len(points) // 80)]
        boxes = _around(sampled, size, self._gap(_RULES.gap))
        ranks = np.arange(boxes.shape[1])
        lower = points[:, 1].max() - sampled[:, 1:]
        cost = (_RULES.place * ranks + _RULES.low * lower).ravel()
        cost[~self.is_free(boxes.reshape(-1, 4))] = np.inf
        best, best_box = np.inf, None
        for i in np.argsort(cost, kind="stable"):
            if cost[i] >= best:
                break
            box = Box(*map(float, boxes.reshape(-1, 4)[i]))
            total = cost[i] + self._crowding(box, line)
            if total < best:
                best, best_box = total, box
        return best_box

    def place_in_column(self, middle: float, size: tuple[float, float]) -> Box | None:
        """Find the highest free place of a text with its middle at a place along the axes."""
        return self._first_free(_grid(size, [middle - 0.5 * size[0]], 60))

    def place_inside(self, corners: Any, size: tuple[float, float]) -> Box | None:
        """Find the free place inside a path where it is highest; None without one."""
        boxes = _grid(size, np.linspace(MARGIN, 1 - MARGIN - size[0], 40), 25)
        pairs = ((0, 1), (0, 3), (2, 1), (2, 3))
        inside = np.all([corners.contains_points(boxes[:, pair]) for pair in pairs], axis=0)
        return self._first_free(boxes[inside])

    def place_near(self, point: Array, size: tuple[float, float]) -> Box | None:
        """Find a free place beside a point; None without one."""
        return self._first_free(_around(point[None], size, self._gap(2 * _RULES.gap))[0])

    def _first_free(self, boxes: Array) -> Box | None:
        free = boxes[self.is_free(boxes)] if len(boxes) else boxes
        return Box(*map(float, free[0])) if len(free) else None

    def _gap(self, points: float) -> tuple[float, float]:
        pixels = points * self.ax.figure.dpi / 72.0
        return pixels / self.ax.bbox.width, pixels / self.ax.bbox.height

    def _crowding(self, box: Box, line: Any) -> float:
        """Return a penalty for a place near other curves; infinite for one nearer to these."""
        points_of_line = self._lines[id(line)]
        middle = np.array([(box.left + box.right) / 2, (box.bottom + box.top) / 2])

        def distance(points: Array) -> float:
            away = np.hypot(*(points[::3] - middle).T)
            return float(away.min()) if away.size else np.inf

        away = distance(points_of_line)
        lines = [(key in self._curves, points) for key, points in self._lines.items()
                 if points is not points_of_line]  # fmt: skip
        if any(is_curve and distance(points) < _RULES.nearer * away for is_curve, points in lines):
            return np.inf
        return max(0.0, _RULES.crowd * away - min((distance(p) for _, p in lines), default=np.inf))


def _dense(points: Array) -> Array:
    """Fill in a polyline so that neighbours are at most half a cell apart."""
    steps = np.diff(points, axis=0)
    valid = np.isfinite(steps).all(axis=1)
    count = np.zeros(len(steps), dtype=int)
    length = np.abs(steps[valid]).max(axis=1, initial=0.0)
    count[valid] = np.clip(np.ceil(length * 2 * _RULES.cells), 1, 4 * _RULES.cells).astype(int) - 1
    start = np.repeat(np.arange(len(steps)), count)
    number = np.arange(start.size) - np.repeat(np.cumsum(count) - count, count) + 1
    inserted = points[start] + steps[start] * (number / (count[start] + 1))[:, None]
    return np.concatenate([points[np.isfinite(points).all(axis=1)], inserted])


def _grid(size: tuple[float, float], lefts: Any, rows: int) -> Array:
    """Return the boxes of a size in so many rows, from the top downwards."""
    width, height = size
    tops = np.linspace(1 - MARGIN, MARGIN + height, rows)
    y, x = (axis.ravel() for axis in np.meshgrid(tops, lefts, indexing="ij"))
    return np.column_stack([x, y - height, x + width, y])


def _around(points: Array, size: tuple[float, float], pad: tuple[float, float]) -> Array:
    """Return the places around points: above, right, left, below, near and a little farther."""
    w, h = size
    corners = []
    for multiple in (1.0, 4.0):
        px, py = multiple * pad[0], multiple * pad[1]
        corners += [(-w / 2, py), (px, -h / 2), (px, py), (-px - w, -h / 2), (-px - w, py),
                    (-w / 2, -py - h)]  # fmt: skip
    low = points[:, None] + np.array(corners)
    return np.concatenate([low, low + np.array(size)], axis=-1)


def has_mark(line: Any) -> bool:
    """Whether the samples of a line have marks, which may be an array of corners."""
    return str(line.get_marker()).strip().lower() not in ("", "none")
