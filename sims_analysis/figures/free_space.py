"""Where text fits: names beside their curves, and lists where there is no curve.

Everything is measured in fractions of the axes, at the size of the figure when it is drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

__all__ = ["Box", "Obstacles", "Place"]

#: Text keeps this distance from the frame, as a fraction of the axes.
MARGIN = 0.02
#: Text keeps this distance from curves.
AIR = 0.007
#: Cells along each side of the map of what is covered.
_CELLS = 250
#: A list may touch so many cells of curves.
_TOLERATED = 2.0
#: Distance between a curve and its name, and between two names on a line, in points.
_GAP, _WORD = 2.0, 5.0
#: Marks smaller than this, in points, count as points of the curve.
_MARK = 3.0


class Box(NamedTuple):
    """A rectangle in fractions of the axes."""

    left: float
    bottom: float
    right: float
    top: float

    def overlaps(self, other: Box) -> bool:
        """Whether two rectangles share a point."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.bottom < other.top
            and other.bottom < self.top
        )


class Place(NamedTuple):
    """Where a name is: its box, and the point of the curve that it belongs to."""

    x: float
    y: float
    box: Box


class Obstacles:
    """A map of the curves and the existing texts in an axes."""

    def __init__(self, ax: Axes) -> None:
        self.ax = ax
        self._lines: dict[int, Array] = {}
        self.boxes: list[Box] = []
        self._covered = np.zeros((_CELLS + 1, _CELLS + 1))

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
        cells = np.zeros((_CELLS, _CELLS), dtype=bool)
        at = (np.concatenate(self._with_marks(points, line)) * _CELLS).astype(int)
        at = np.clip(at, 0, _CELLS - 1)
        cells[at[:, 0], at[:, 1]] = True
        # The sum over a rectangle follows from the cumulative sums at its four corners.
        self._covered[1:, 1:] += cells.cumsum(axis=0).cumsum(axis=1)
        return points

    def _with_marks(self, points: Array, line: Any) -> list[Array]:
        """Add the outlines of the marks of a line, if they are larger than its width."""
        if line.get_marker() in ("None", "none", "", None) or line.get_markersize() < _MARK:
            return [points]
        radius = 0.5 * line.get_markersize() * self.ax.figure.dpi / 72.0
        around = np.linspace(0.0, 2 * np.pi, 8, endpoint=False)
        circle = radius * np.column_stack([np.cos(around), np.sin(around)])
        size = self.ax.bbox.width, self.ax.bbox.height
        return [points, *(points + offset / size for offset in circle)]

    def covered(self, box: Box) -> float:
        """Count the cells of curves inside a box, with a little air around it."""
        ends = np.array([box.left - AIR, box.bottom - AIR, box.right + AIR, box.top + AIR])
        i, j, k, m = np.clip(np.round(ends * _CELLS), 0, _CELLS).astype(int)
        c = self._covered
        return float(c[k, m] - c[i, m] - c[k, j] + c[i, j])

    def is_free(self, box: Box) -> bool:
        """Whether a box lies inside the axes and covers neither curve nor text."""
        inside = min(box.left, box.bottom) >= MARGIN and max(box.right, box.top) <= 1 - MARGIN
        # Two names on one line must be separated like words.
        word = _WORD * self.ax.figure.dpi / 72.0 / self.ax.bbox.width
        wide = Box(box.left - word, box.bottom, box.right + word, box.top)
        return (
            inside
            and not self.covered(box)
            and not any(wide.overlaps(other) for other in self.boxes)
        )

    def place_box(self, width: float, height: float) -> tuple[float, float, bool]:
        """Find where a list covers least, corners first: left, top, and whether that is free."""
        best, chosen = np.inf, (MARGIN, 1 - MARGIN, False)
        if max(width, height) > 1 - 2 * MARGIN:
            return chosen
        for x in np.linspace(MARGIN, 1 - MARGIN - width, 15):
            for y in np.linspace(1 - MARGIN, MARGIN + height, 15):
                box = Box(x, y - height, x + width, y)
                text = sum(box.overlaps(other) for other in self.boxes)
                corner = min(x, 1 - width - x) + 1.2 * min(1 - y, y - height) + 0.02 * (x < 0.4)
                covered = self.covered(box) + 40 * text
                if covered + corner < best:
                    best, chosen = covered + corner, (float(x), float(y), covered <= _TOLERATED)
        return chosen

    def place_beside(self, line: Any, size: tuple[float, float]) -> Place | None:
        """Find the free place nearest to a curve, preferably where it is high; None without one.

        Parameters
        ----------
        line : Line2D
        size : (float, float)
            Width and height of the text, in fractions of the axes.
        """
        points = self.add_line(line)
        if points.size == 0:
            return None
        gap = _GAP * self.ax.figure.dpi / 72.0
        pad = gap / self.ax.bbox.width, gap / self.ax.bbox.height
        order = np.argsort(points[:, 0], kind="stable")
        # Readers look at the top of a curve first.
        top = points[:, 1].max()
        best, chosen = np.inf, None
        for x, y in points[order][:: max(1, len(points) // 80)]:
            for rank, box in enumerate(_around(x, y, size, pad)):
                cost = 0.15 * rank + 1.5 * (top - y)
                if cost >= best or not self.is_free(box):
                    continue
                cost += self._crowding(box, points)
                if cost < best:
                    best, chosen = cost, Place(float(x), float(y), box)
        return chosen

    def _crowding(self, box: Box, own: Array) -> float:
        """Return a penalty for a place that is nearer to another curve than to its own."""
        middle = np.array([(box.left + box.right) / 2, (box.bottom + box.top) / 2])

        def distance(points: Array) -> float:
            away = np.hypot(*(points[::3] - middle).T)
            return float(away.min()) if away.size else np.inf

        others = min((distance(p) for p in self._lines.values() if p is not own), default=np.inf)
        return max(0.0, 2.5 * distance(own) - others)


def _dense(points: Array) -> Array:
    """Fill in a polyline so that neighbours are at most half a cell apart."""
    finite: Mask = np.asarray(np.isfinite(points).all(axis=1))
    steps = np.diff(points, axis=0)
    both = np.asarray(finite[1:] & finite[:-1])
    count = np.ones(len(steps), dtype=int)
    longest = np.abs(steps[both]).max(axis=1, initial=0.0)
    count[both] = np.clip(np.ceil(longest * 2 * _CELLS), 1, 4 * _CELLS).astype(int)
    made = [points[finite]]
    for i in np.flatnonzero(both & (count > 1)):
        along = np.arange(1, count[i])[:, None] / count[i]
        made.append(points[i] + along * steps[i])
    return np.concatenate(made)


def _around(
    x: float, y: float, size: tuple[float, float], pad: tuple[float, float]
) -> Iterator[Box]:
    """Yield the places around a point: above, right, left, below, near and a little farther."""
    w, h = size
    for far in (1.0, 4.0):
        px, py = far * pad[0], far * pad[1]
        yield Box(x - w / 2, y + py, x + w / 2, y + py + h)
        yield Box(x + px, y - h / 2, x + px + w, y + h / 2)
        yield Box(x + px, y + py, x + px + w, y + py + h)
        yield Box(x - px - w, y - h / 2, x - px, y + h / 2)
        yield Box(x - px - w, y + py, x - px, y + py + h)
        yield Box(x - w / 2, y - py - h, x + w / 2, y - py)
