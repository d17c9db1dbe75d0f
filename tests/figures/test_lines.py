"""Which samples are drawn as data, and where the marks of the others stand."""

from dataclasses import replace

import drawn
import matplotlib.pyplot as plt
import numpy as np
import pytest

from sims_analysis.figures import lines
from sims_analysis.figures.arguments import Wanted
from sims_analysis.figures.axes import FLOOR, LIMIT
from sims_analysis.figures.canvas import Canvas
from sims_analysis.figures.curves import curves_of


def canvas(log=True, coverage=1.0, dpi=72, width=120.0, limits=None, stderr=None, **values):
    """Canvas over 0 to 98 nm on axes of so many points, whose curves are drawn."""
    figure = plt.figure(figsize=(2 * width / 72, 2), dpi=dpi)
    wanted = Wanted(scale="log" if log else "linear", coverage=coverage, detection_limit=limits)
    data = drawn.profiles(**values)
    found = curves_of({"": data}, detection_limit=limits)
    curves = [replace(one, colour=f"C{i}", stderr=stderr) for i, one in enumerate(found)]
    made = Canvas(figure.add_axes((0.25, 0.2, 0.5, 0.6)), wanted, curves)
    made.open()
    made.ax.set(xlim=(0, 98), yscale="log" if log else "linear")
    return made


def drawn_by(made, **style):
    for curve in made.curves:
        made.lines.append((curve, lines.draw_curve(made, curve, style)))
    return [line for _, line in made.lines]


@pytest.mark.parametrize("log", [True, False])
def test_data_are_positive_on_a_log_axis_and_not_below_the_limit(log):
    y = np.array([1e17, 0.0, -1e17, 5e15, 1e16, 2e16])
    made = canvas(log=log, limits="1e16 atoms/cm^3", B=y)
    found = lines.shown(made, made.curves[0]).tolist()
    # Zero and less are below the limit, too.
    assert found == [True, False, False, False, True, True]
    free = canvas(log=log, B=y)
    assert lines.shown(free, free.curves[0]).tolist() == [True, not log, not log, True, True, True]


def test_a_row_of_marks_has_a_place_for_every_four_points():
    made = canvas(width=120.0, B=np.ones(50))  # thirty places, of 98 / 30 nm
    everything = np.ones(50, dtype=bool)
    row = lines._row(made, made.ax, made.curves[0], everything)
    assert list(row)[:3] == [0, 1, 2]
    assert (min(row), max(row), len(row)) == (0, 30, 31)
    assert list(row.values())[:4] == [0.0, 4.0, 8.0, 10.0]  # the first depth in each
    made.ax.set_xlim(60, 20)
    row = lines._row(made, made.ax, made.curves[0], everything)
    assert (min(row.values()), max(row.values())) == (20.0, 60.0)
    assert lines._row(made, made.ax, made.curves[0], ~everything) == {}
    finer = canvas(width=120.0, dpi=300, B=np.ones(50))
    assert len(lines._row(finer, finer.ax, finer.curves[0], everything)) == 31


def test_species_take_turns_in_the_row_at_the_floor():
    zeros = np.r_[np.ones(25), np.zeros(25)]
    made = canvas(width=60.0, B=zeros, P=2 * zeros, C=np.ones(50))
    drawn_by(made)
    assert [c.species for c in lines.mark_floor(made, "depth", made.ax)] == ["B", "P"]
    marks = [line for line in made.ax.lines if line.get_label() == FLOOR]
    at = [mark.get_xdata() for mark in marks]
    assert not {*at[0]} & {*at[1]}
    assert abs(len(at[0]) - len(at[1])) <= 1
    for mark in marks:
        assert set(mark.get_ydata()) == {0.018}
        assert (mark.get_marker(), mark.get_fillstyle()) == ("v", "none")
        assert mark.get_linestyle() == "None"
        assert mark.get_markersize() == 1.9
        # Inside the frame to a hundredth.
        box = mark.get_clip_box()
        assert box.width == pytest.approx(1.02 * made.ax.bbox.width)
        assert box.height == pytest.approx(1.02 * made.ax.bbox.height)
    assert [mark.get_color() for mark in marks] == ["C0", "C1"]
    assert lines.mark_floor(made, "sputter_time", made.ax) == []


def test_samples_below_a_limit_are_marked_at_it():
    made = canvas(limits="1e16 atoms/cm^3", B=np.r_[np.full(25, 1e17), np.full(25, 1e15)])
    assert lines.mark_below_limit(made, made.curves[0])
    (mark,) = made.ax.lines
    assert mark.get_label() == LIMIT
    assert set(mark.get_ydata()) == {1e16}
    assert mark.get_xdata()[0] == 50.0
    made.ax.set_xlim(0, 40)
    assert not lines.mark_below_limit(made, made.curves[0])
    assert len(made.ax.lines) == 1


def test_samples_among_mostly_others_are_points():
    def scattered(*data):
        return lines._scattered(np.array(data, dtype=bool)).tolist()

    assert scattered(*[1] * 18) == [False] * 18
    assert scattered(*[1, 0] * 8) == [False] * 16  # too few to tell
    assert all(scattered(*[1, 0] * 9))
    # Two of nine are less than a quarter, three are more.
    few = [1] * 4 + [0, 1, 1, 1, 0] + [1] * 20
    assert not any(scattered(*few)[2:])
    assert scattered(*[1] * 10, 0, 0, 0, *[1] * 17)[7:16] == [False] + [True] * 7 + [False]
    # At an end there are fewer neighbours: one of five is less than a quarter, and two are more.
    assert not any(scattered(0, *[1] * 20))
    assert scattered(0, 0, *[1] * 20)[:4] == [True] * 4


def test_samples_without_neighbours_are_found():
    data = np.array([1, 0, 1, 0, 1, 1, 0, 1], dtype=bool)
    assert lines._without_neighbours(data).tolist() == [1, 0, 1, 0, 0, 0, 0, 1]


@pytest.mark.parametrize(("marker", "points"), [("", 1), ("None", 1), (" ", 1), ("o", 0)])
def test_a_lone_sample_is_a_point_unless_all_have_marks(marker, points):
    made = canvas(B=[1e17, 0.0, 1e17, 1e17])
    (line,) = drawn_by(made, marker=marker, alpha=0.5, zorder=2.5)
    found = [one for one in made.ax.lines if one is not line]
    assert len(found) == points
    for one in found:
        assert one.get_xdata().tolist() == [0.0]
        assert (one.get_marker(), one.get_markersize()) == (".", 2.0)
        assert (one.get_color(), one.get_alpha(), one.get_zorder()) == (line.get_color(), 0.5, 2.5)
    alone = canvas(B=[1e17])
    drawn_by(alone)
    assert alone.ax.lines[1].get_markersize() == 5.0


def test_a_line_has_the_looks_of_its_curve_unless_others_are_wanted():
    made = canvas(B=drawn.gaussian())
    (line,) = drawn_by(made)
    assert (line.get_linestyle(), line.get_solid_joinstyle()) == ("-", "round")
    (other,) = drawn_by(canvas(B=drawn.gaussian()), linestyle=":", linewidth=3)
    assert (other.get_linestyle(), other.get_linewidth()) == (":", 3)


def band_of(made):
    (area,) = made.ax.collections
    return area, area.get_paths()[0].vertices[:, 1]


def test_a_band_is_the_wanted_number_of_errors_and_stays_away_from_what_is_no_data():
    def banded(stderr, coverage=2.0, **kwargs):
        y = np.full(50, 1e17)
        y[10] = 0.0
        errors = None if stderr is None else np.full(50, stderr * 1e17)
        made = canvas(coverage=coverage, stderr=errors, B=y, **kwargs)
        return made, lines.draw_band(made, made.curves[0])

    made, there = banded(0.1)
    assert there
    area, y = band_of(made)
    assert (y.min(), y.max()) == (pytest.approx(0.8e17), pytest.approx(1.2e17))
    assert len(area.get_paths()) == 2
    assert area.get_alpha() == 0.22
    assert area.get_linewidth() == [0.0]
    assert area.get_zorder() == 1.5
    assert banded(None)[1] is False
    assert banded(0.1, coverage=0)[1] is False
    made, there = banded(np.nan)
    assert not there
    # An interval down to zero goes far below, but not without end.
    made, _ = banded(1.0)
    assert band_of(made)[1].min() == pytest.approx(1e-6 * 1e17)
    assert band_of(banded(1.0, log=False)[0])[1].min() == pytest.approx(-2e17)
