"""Where text fits: names beside their curves, a legend where no curve runs.

Everything is measured in fractions of the axes, at the size that the figure has when it is drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

__all__ = ["Box", "Obstacles", "place_names"]

#: Text keeps this distance from the frame, as a fraction of the axes.
MARGIN = 0.012
#: Text keeps this distance from other curves.
AIR = 0.007
#: A list may touch as many points of curves, a hundredth of the axes apart.
_TOLERATED = 2.0
#: Distance between a curve and its name, in points.
_GAP = 2.0


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


class Obstacles:
    """The curves in an axes, as points so close that none slips through a box."""

    def __init__(self, ax: Axes) -> None:
        self.ax = ax
        self._lines: dict[int, Array] = {}
        self.boxes: list[Box] = []

    @property
    def points(self) -> list[Array]:
        """The points of every line."""
        return list(self._lines.values())

    def fraction(self, extent: Any) -> Box:
        """Turn a box in pixels into fractions of the axes."""
        (left, bottom), (right, top) = self.ax.transAxes.inverted().transform(extent.get_points())
        return Box(float(left), float(bottom), float(right), float(top))

    def add_line(self, line: Any) -> Array:
        """Add a drawn line, once; give its points."""
        if id(line) in self._lines:
            return self._lines[id(line)]
        xy = np.column_stack([line.get_xdata(), line.get_ydata()]).astype(float)
        with np.errstate(divide="ignore", invalid="ignore"):
            pixels = line.get_transform().transform(xy)
        fractions = self.ax.transAxes.inverted().transform(pixels)
        points = _dense(fractions)
        self._lines[id(line)] = points
        return points

    def place_box(self, width: float, height: float) -> tuple[float, float, bool]:
        """Find where a list covers least, corners first; its left, its top, and if that is free."""
        best, chosen = np.inf, (MARGIN, 1 - MARGIN, False)
        for x in np.linspace(MARGIN, max(MARGIN, 1 - MARGIN - width), 15):
            for y in np.linspace(1 - MARGIN, min(1 - MARGIN, MARGIN + height), 15):
                box = Box(x, y - height, x + width, y)
                text = sum(box.overlaps(other) for other in self.boxes)
                corner = min(x, 1 - width - x) + 1.2 * min(1 - y, y - height) + 0.02 * (x < 0.4)
                covered = self._covered(box) + 40 * text
                if covered + corner < best:
                    best, chosen = covered + corner, (float(x), float(y), covered <= _TOLERATED)
        return chosen

    def cost(self, box: Box) -> float:
        """Count how much of the curves a box would cover; infinite on other text or outside."""
        if min(box.left, box.bottom) < MARGIN or max(box.right, box.top) > 1 - MARGIN:
            return np.inf
        if any(box.overlaps(other) for other in self.boxes):
            return np.inf
        return self._covered(box)

    def _covered(self, box: Box) -> float:
        """Count the points of curves inside a box, with a little air around it."""
        return float(
            sum(
                (
                    (points[:, 0] > box.left - AIR)
                    & (points[:, 0] < box.right + AIR)
                    & (points[:, 1] > box.bottom - AIR)
                    & (points[:, 1] < box.top + AIR)
                ).sum()
                for points in self.points
            )
        )


def _dense(points: Array) -> Array:
    """Fill in a polyline so that neighbours are at most a hundredth of the axes apart."""
    finite: Mask = np.asarray(np.isfinite(points).all(axis=1))
    steps = np.diff(points, axis=0)
    both = np.asarray(finite[1:] & finite[:-1])
    count = np.ones(len(steps), dtype=int)
    count[both] = np.clip(np.ceil(np.abs(steps[both]).max(axis=1) / 0.01), 1, 200).astype(int)
    made = [points[finite]]
    for i in np.flatnonzero(both & (count > 1)):
        along = np.arange(1, count[i])[:, None] / count[i]
        made.append(points[i] + along * steps[i])
    return np.concatenate(made)


def place_names(
    ax: Axes, named: Sequence[tuple[str, Any]], obstacles: Obstacles, **style: Any
) -> bool:
    """Write each name beside its curve, where it covers nothing.

    Parameters
    ----------
    ax : Axes
    named : sequence of (text, line)
    obstacles : Obstacles
        That already know all lines; the names are added.
    **style : Any
        Of the text.

    Returns
    -------
    bool
        False, and nothing written, if a name fits nowhere.
    """
    width, height = ax.bbox.width, ax.bbox.height
    gap = _GAP * ax.figure.dpi / 72.0
    pad_x, pad_y = gap / width, gap / height
    written: list[Any] = []
    before = list(obstacles.boxes)
    own_points = [obstacles.add_line(line) for _, line in named]
    for (text, line), points in zip(named, own_points, strict=True):
        label = ax.text(
            0.5, 0.5, text, transform=ax.transAxes, color=line.get_color(), zorder=4, **style
        )
        written.append(label)
        extent = label.get_window_extent()
        size = extent.width / width, extent.height / height
        box = _best(points, size, (pad_x, pad_y), obstacles)
        if box is None:
            for artist in written:
                artist.remove()
            obstacles.boxes = before
            return False
        label.set(x=box.left, y=box.bottom, ha="left", va="bottom")
        obstacles.boxes.append(box)
    return True


def _best(
    points: Array, size: tuple[float, float], pad: tuple[float, float], obstacles: Obstacles
) -> Box | None:
    """Find the free place nearest to a curve, best where the curve is high."""
    inside = points[((points >= 0) & (points <= 1)).all(axis=1)]
    if inside.size == 0:
        return None
    # The curve's own top is where a reader looks first.
    order = np.argsort(inside[:, 0])
    anchors = inside[order][:: max(1, len(inside) // 60)]
    best, chosen = np.inf, None
    for x, y in anchors:
        for rank, box in enumerate(_around(x, y, size, pad)):
            covered = obstacles.cost(box)
            if covered:
                continue
            cost = 0.15 * rank + 1.5 * (inside[:, 1].max() - y) + _crowding(box, points, obstacles)
            if cost < best:
                best, chosen = cost, box
    return chosen


def _around(
    x: float, y: float, size: tuple[float, float], pad: tuple[float, float]
) -> Iterable[Box]:
    """Give the places beside a point: above, right, left, below."""
    w, h = size
    px, py = pad
    yield Box(x - w / 2, y + py, x + w / 2, y + py + h)
    yield Box(x + px, y - h / 2, x + px + w, y + h / 2)
    yield Box(x + px, y + py, x + px + w, y + py + h)
    yield Box(x - px - w, y - h / 2, x - px, y + h / 2)
    yield Box(x - px - w, y + py, x - px, y + py + h)
    yield Box(x - w / 2, y - py - h, x + w / 2, y - py)


def _crowding(box: Box, own: Array, obstacles: Obstacles) -> float:
    """Penalise a place that is nearer to another curve than to its own."""
    x, y = (box.left + box.right) / 2, (box.bottom + box.top) / 2

    def distance(points: Array) -> float:
        return float(np.hypot(points[:, 0] - x, points[:, 1] - y).min()) if points.size else np.inf

    mine = distance(own)
    others = min((distance(p) for p in obstacles.points if p is not own), default=np.inf)
    return max(0.0, 2.5 * mine - others)
