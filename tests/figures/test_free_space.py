"""Where text fits: what is covered, counted by hand, and the best of the places that are free."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from sims_analysis.figures.free_space import _CELLS, MARGIN, Box, Obstacles


@pytest.fixture
def ax():
    """Axes of 400 by 200 pixels whose data are fractions of them."""
    figure = plt.figure(figsize=(5, 4), dpi=100)
    ax = figure.add_axes((0.1, 0.25, 0.8, 0.5))
    ax.set_axis_off()
    ax.set(xlim=(0, 1), ylim=(0, 1))
    return ax


def line(ax, *xy, **style):
    (drawn,) = ax.plot(*zip(*xy, strict=True), **style)
    return drawn


def overlap(one, other):
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def test_what_lies_outside_the_axes_covers_nothing(ax):
    found = Obstacles(ax)
    assert found.add_line(line(ax, (-2.0, 0.5), (-1.0, 0.5))).size == 0
    assert found.place_beside(line(ax, (2.0, 2.0), (3.0, 2.0)), (0.1, 0.1)) is None
    edges = found.add_line(line(ax, (-1.0, 1.0), (2.0, 1.0)))
    assert (edges.min(), edges.max()) == pytest.approx((0, 1), abs=0.01)
    assert found.covered(np.array([[0.0, 0.9, 1.0, 1.0]])) == _CELLS


@pytest.mark.parametrize(("size", "covers"), [(20.0, True), (2.0, False)])
def test_large_marks_cover_their_outlines(ax, size, covers):
    found = Obstacles(ax)
    found.add_line(line(ax, (0.5, 0.5), marker="o", markersize=size, linestyle="none"))
    radius = 0.5 * 20 * 100 / 72  # in pixels
    for x, y in ((radius / 400, 0), (-radius / 400, 0), (0, radius / 200), (0, -radius / 200)):
        box = np.array([0.5 + x, 0.5 + y, 0.5 + x, 0.5 + y]) + 0.003 * np.array([-1, -1, 1, 1])
        assert (found.covered(box[None])[0] > 0) == covers
    if not covers:  # a point, and no ring around it
        assert found.covered(np.array([[0.0, 0.0, 1.0, 1.0]])) == 1


def test_a_list_stands_in_a_free_corner_at_the_right_before_the_left(ax):
    size, right, left = (0.3, 0.2), 1 - MARGIN - 0.3, MARGIN
    upper, lower = 1 - MARGIN, MARGIN + 0.2
    found = Obstacles(ax)
    x, y, free = found.place_box(*size)
    assert (x, min(abs(y - upper), abs(y - lower))) == pytest.approx((right, 0))
    assert free
    found.add_line(line(ax, (right, 0.1), (0.99, 0.1)))
    assert found.place_box(*size) == pytest.approx((right, upper, True))
    found.boxes.append(Box(0.7, 0.7, 1.0, 1.0))  # a text counts like a curve
    found.add_line(line(ax, (left, 0.9), (0.4, 0.9)))
    assert found.place_box(*size) == pytest.approx((left, lower, True))


def test_a_list_that_finds_no_room_says_so(ax):
    found = Obstacles(ax)
    assert found.place_box(1 - 2 * MARGIN + 0.001, 0.1) == (MARGIN, 1 - MARGIN, False)
    assert found.place_box(0.1, 1 - 2 * MARGIN + 0.001) == (MARGIN, 1 - MARGIN, False)
    assert found.place_box(1 - 2 * MARGIN - 1e-9, 0.1)[2]
    for y in np.linspace(0, 1, 21):
        found.add_line(line(ax, (0.0, y), (1.0, y)))
    assert not found.place_box(0.3, 0.2)[2]


def test_a_name_stands_on_the_top_of_its_curve(ax):
    found, size = Obstacles(ax), (0.1, 0.08)
    peak = line(ax, (0.1, 0.2), (0.5, 0.7), (0.9, 0.2))
    place = found.place_beside(peak, size)
    gap = 2.0 * 100 / 72 / 200
    assert 0.5 * (place.left + place.right) == pytest.approx(0.5, abs=0.02)
    assert place.bottom == pytest.approx(0.7 + gap, abs=0.02)
    assert place.right - place.left == pytest.approx(0.1)
    assert place.top - place.bottom == pytest.approx(0.08)
    # A text there, or words beside it, send the next name elsewhere.
    found.boxes.append(place)
    other = found.place_beside(peak, size)
    word = 5.0 * 100 / 72 / 400
    wider = (place.left - word, place.bottom, place.right + word, place.top)
    assert not overlap(wider, other)
    assert other.bottom < place.bottom


def test_names_are_nearer_to_their_own_curve_than_to_another(ax):
    found, size = Obstacles(ax), (0.1, 0.04)
    own = line(ax, (0.1, 0.5), (0.9, 0.5))
    found.add_line(line(ax, (0.1, 0.57), (0.5, 0.57)))
    place = found.place_beside(own, size)
    assert (place.bottom > 0.5, place.left > 0.5) == (True, True)
    # Where another is near everywhere, that is where it is farthest.
    ax.lines[1].remove()
    crowded = Obstacles(ax)
    crowded.add_line(line(ax, (0.1, 0.60), (0.5, 0.60)))
    crowded.add_line(line(ax, (0.5, 0.57), (0.9, 0.57)))
    assert crowded.place_beside(own, size).right < 0.5
    # Beside a curve that hides it, a name would be that of both.
    assert Obstacles(ax, curves=ax.lines).place_beside(own, size) is not None
    same = line(ax, (0.1, 0.5), (0.9, 0.5))
    assert Obstacles(ax, curves=[own, same]).place_beside(own, size) is None


def test_names_keep_away_from_the_frame(ax):
    found = Obstacles(ax)
    place = found.place_beside(line(ax, (0.0, 0.97), (1.0, 0.97)), (0.1, 0.08))
    assert min(place[:2]) >= MARGIN
    assert max(place[2:]) <= 1 - MARGIN
    assert found.place_beside(line(ax, (0.0, 0.5), (1.0, 0.5)), (0.97, 0.1)) is None
