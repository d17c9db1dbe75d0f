"""A name beside its curve: where it stands, what it is called, and that it follows its curve."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from sims_analysis.figures.colours import text_colour
from sims_analysis.figures.curve_names import CurveName
from sims_analysis.figures.free_space import Box, Obstacles, Place

PLACE = Place(0.5, 0.5, Box(0.55, 0.6, 0.65, 0.7))


@pytest.fixture
def ax():
    ax = plt.figure(figsize=(5, 4), dpi=50).add_axes((0.1, 0.25, 0.8, 0.5))
    ax.set(xlim=(0, 10), ylim=(0, 100))
    return ax


def named(ax, y=(50.0, 50.0), on=None):
    (line,) = (on or ax).plot([0.0, 10.0], y, label="11B, W1", color="#E69F00")
    return CurveName("B", line, PLACE, ax), line


def test_a_name_stands_off_its_point_of_the_curve_in_points(ax):
    name, line = named(ax)
    assert name.xy == pytest.approx((5.0, 50.0))
    # 200 by 100 pixels at 50 dots an inch.
    assert name.get_position() == pytest.approx((0.05 * 200 * 72 / 50, 0.1 * 100 * 72 / 50))
    assert (name.get_label(), name.get_text()) == ("11B, W1", "B")
    assert (name.get_ha(), name.get_va()) == ("left", "bottom")
    assert name.get_color() == text_colour("#E69F00", ax) != line.get_color()
    assert name.get_fontsize() == 10.0
    assert name.get_clip_on()
    assert not name.get_in_layout()  # it is inside the axes
    assert name in ax.texts
    assert name.get_zorder() > line.get_zorder()


def test_a_name_on_a_right_axis_is_beside_its_curve_there(ax):
    right = ax.twinx()
    right.set_ylim(0, 1000)
    name, _ = named(ax, (500.0, 500.0), on=right)
    assert name.axes is right
    assert name.xy == pytest.approx((5.0, 500.0))


def test_a_name_stays_while_the_limits_do_and_follows_when_they_change(ax):
    name, _ = named(ax)
    name.follow()
    assert name.xy == pytest.approx((5.0, 50.0))
    ax.set_xlim(7, 9)
    name.follow()
    x, y = name.xy
    assert 7 <= x <= 9
    assert y == pytest.approx(50.0)
    assert name.get_visible()
    offset = name.get_position()
    assert max(map(abs, offset)) < 40  # beside it, no longer where it stood before
    ax.set_ylim(90, 100)  # nothing of the curve is seen: the name stays with its point
    name.follow()
    assert (name.xy, name.get_position()) == ((x, y), offset)
    assert name.get_visible()


def test_a_name_follows_when_it_is_drawn(ax):
    name, _ = named(ax)
    ax.set_xlim(7, 9)
    ax.figure.draw_without_rendering()
    assert 7 <= name.xy[0] <= 9


def test_a_name_without_its_curve_is_left_alone(ax):
    name, line = named(ax)
    line.remove()
    ax.set_xlim(7, 9)
    name.follow()
    assert name.xy == pytest.approx((5.0, 50.0))


def test_where_all_places_are_taken_a_name_crosses_other_curves(ax, monkeypatch):
    name, _ = named(ax)
    for y in np.linspace(0, 100, 30):
        ax.plot([0, 10], [y, y])
    ax.set_xlim(7, 9)
    name.follow()
    assert 7 <= name.xy[0] <= 9
    asked = []
    monkeypatch.setattr(Obstacles, "place_beside", lambda found, *_: asked.append(found.boxes))
    ax.set_xlim(1, 3)
    ax.text(5, 5, "a text")
    name.follow()
    assert [len(boxes) for boxes in asked] == [1, 0]  # its own name is no obstacle
