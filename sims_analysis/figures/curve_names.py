"""A name beside its curve, which stays with it.

Imported where names are written, because it needs matplotlib.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.text import Annotation, Text

from sims_analysis.figures.colours import letters
from sims_analysis.figures.free_space import Obstacles, Place
from sims_analysis.figures.style import setting_points

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def _offset(ax: Axes, place: Place) -> tuple[float, float]:
    """Return the distance of a text from its point of the curve, in points."""
    anchor = ax.transAxes.transform((place.x, place.y))
    corner = ax.transAxes.transform((place.box.left, place.box.bottom))
    x, y = (corner - anchor) * 72.0 / ax.figure.dpi
    return float(x), float(y)


class CurveName(Annotation):
    """A name beside a point of its curve, which finds another where that is out of sight.

    It is labelled like its line, by which a later call finds both.
    """

    def __init__(self, text: str, line: Any, place: Place, left: Axes) -> None:
        where: Any = {"xytext": _offset(left, place), "textcoords": "offset points"}
        looks: Any = {"color": letters(line.get_color(), left), "ha": "left", "va": "bottom"}
        looks |= {"fontsize": setting_points("legend.fontsize"), "zorder": 4, "clip_on": True}
        point = self._point(line, left, place)
        super().__init__(text, point, label=line.get_label(), **where, **looks)
        self._line, self._left = line, left
        line.axes.add_artist(self)
        self.set_in_layout(False)
        self._seen = self._limits()

    @staticmethod
    def _point(line: Any, left: Axes, place: Place) -> tuple[float, float]:
        pixels = left.transAxes.transform((place.x, place.y))
        x, y = line.axes.transData.inverted().transform(pixels)
        return float(x), float(y)

    def _limits(self) -> tuple[float, ...]:
        ax = self._line.axes
        return (*ax.get_xlim(), *ax.get_ylim())

    def follow(self) -> None:
        """Move to the part of the curve that the limits of the axes now show."""
        if self._line.axes is None or self._limits() == self._seen:
            return
        self._seen = self._limits()
        size = Text.get_window_extent(self)
        self.set_visible(False)
        # Where all places are taken, a name may cross other curves.
        for obstacles in (Obstacles.at(self._left), Obstacles(self._left)):
            place = obstacles.place_beside(self._line, obstacles.size(size))
            if place is not None:
                break
        self.set_visible(True)
        if place is not None:
            self.xy = self._point(self._line, self._left, place)
            self.set_position(_offset(self._left, place))

    def draw(self, renderer: Any) -> None:
        """Draw the name, beside the curve as it is seen."""
        self.follow()
        super().draw(renderer)
