"""Sizes of figures, without drawing one."""

import matplotlib as mpl
import pytest

from sims_analysis.figures.style import figure_size

MM = 1 / 25.4


@pytest.mark.parametrize(
    ("width", "across", "down"),
    [
        ("single", 86, 66),
        ("double", 178, 80),
        (120, 120, 80),
        ("120 mm", 120, 80),
        ("12 cm", 120, 80),
        (100.0, 100, 100 * 66 / 86),
        (30, 30, 50),  # as high as the label of an axis
        (20, 20, 50),
        (2000, 2000, 80),
    ],
)
def test_the_size_of_a_width(width, across, down):
    assert figure_size(width) == pytest.approx((across * MM, down * MM), rel=1e-12)


@pytest.mark.parametrize("width", [19.99, 2000.1, "19 mm", "3 m", "triple", True, "5", [80]])
def test_widths_that_are_none_are_refused_with_those_that_are(width):
    with pytest.raises(ValueError, match=r"^width=.*; expected 'single' or 'double' .*20 to 2000"):
        figure_size(width)


def test_what_the_user_has_set_wins_and_larger_letters_have_more_room():
    single = figure_size("single")
    with mpl.rc_context({"figure.figsize": (5.0, 4.0)}):
        assert figure_size(None) == (5.0, 4.0)
        assert figure_size("single") == single
    usual = figure_size(None)
    with mpl.rc_context({"font.size": 2 * mpl.rcParams["font.size"]}):
        larger = figure_size(None)
        assert figure_size("single") == single
    assert larger[0] / larger[1] == pytest.approx(usual[0] / usual[1])
    assert larger[0] > usual[0]
