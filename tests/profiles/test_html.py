"""A profile in a notebook: the sparkline shows what the numbers say."""

import re

import numpy as np
import pytest

import sims_analysis as sims


def drawn(depths, values, units="atoms/cm^3"):
    """Return the points of each line, and the places of the ticks at the floor."""
    profile = sims.DepthProfile(
        species_name="B", depths=depths, depth_units="nm", concentrations=values,
        concentration_units=units,
    )  # fmt: skip
    html = profile._repr_html_()
    lines = [
        np.array([point.split(",") for point in points.split()], dtype=float)
        for points in re.findall(r"<polyline points='([^']*)'", html)
    ]
    return html, lines, [float(x) for x in re.findall(r"<path d='M([\d.]+) ", html)]


def test_decades_are_equal_steps_downwards_from_the_maximum():
    html, (line,), ticks = drawn([0, 10, 20, 30], [1e20, 1e19, 1e18, 1e17])
    assert "log scale, 1e17 to 1e20" in html
    assert line[:, 0] == pytest.approx([1, 1 + 158 / 3, 1 + 316 / 3, 159], abs=0.06)
    assert line[:, 1] == pytest.approx([1, 1 + 32 / 3, 1 + 64 / 3, 33], abs=0.06)
    assert ticks == []


def test_what_is_not_positive_is_a_tick_and_interrupts_the_line():
    _, lines, ticks = drawn([0, 1, 2, 3, 4], [1e18, 1e17, 0, 1e18, -1e15])
    assert [len(line) for line in lines] == [2, 2]  # a single sample is a short line
    assert lines[1][:, 1].tolist() == [1, 1]
    assert np.ptp(lines[1][:, 0]) == pytest.approx(1.0)
    assert ticks == pytest.approx([1 + 158 / 2, 159])


def test_samples_are_drawn_in_the_order_of_depth_and_gaps_are_left_out():
    _, (line,), _ = drawn([20, 0, 10, 5], [1e18, 1e20, 1e19, np.nan])
    assert (np.diff(line[:, 0]) > 0).all()
    assert (np.diff(line[:, 1]) > 0).all()
    assert len(line) == 3


def test_values_of_one_power_of_ten_are_in_view():
    html, (line,), _ = drawn([0, 1], [1e18, 1e18])
    assert "1e18 to 1e19" in html
    assert line[:, 1].tolist() == [33, 33]


@pytest.mark.parametrize(
    ("depths", "values"), [([0, 1], [0, -1]), ([5], [1e18]), ([0, 1], [np.nan, np.nan])]
)
def test_what_has_no_line_has_no_picture(depths, values):
    html, lines, _ = drawn(depths, values)
    assert "<svg" not in html
    assert lines == []
    assert ("nothing measured" in html) == bool(np.isnan(values).all())


def test_many_samples_keep_their_ends_and_are_thinned():
    z = np.linspace(0, 100, 5000)
    _, (line,), ticks = drawn(z, 1e20 * np.exp(-z / 10))
    assert len(line) == 240
    assert line[0].tolist() == [1, 1]
    assert line[-1, 0] == 159
    assert ticks == []
    _, _, ticks = drawn(z, np.where(z < 50, 1e18, 0.0))
    assert 20 < len(ticks) <= 41
