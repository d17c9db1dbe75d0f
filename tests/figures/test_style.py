"""Sizes, settings and titles of figures, and the layout of what is drawn."""

import re

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest
from error_parts import raises
from matplotlib.font_manager import FontEntry, findfont, fontManager

import sims_analysis as sims
from sims_analysis.figures.plot import axes_in_style
from sims_analysis.figures.style import (
    figure_size,
    in_style,
    is_default,
    set_title,
    setting_points,
)

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


def test_widths_that_are_none_are_refused_with_those_that_are(approved):
    for width in (19.99, 2000.1, "19 mm", "3 m", "triple", True, "5", [80]):
        with raises(ValueError, text=approved):
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


def test_the_house_style_is_for_settings_that_the_user_has_left():
    with in_style():
        assert mpl.rcParams["font.size"] == 8.0
        assert setting_points("legend.fontsize") == 8.0
    with mpl.rc_context({"font.size": 12.0, "legend.fontsize": 5.0}), in_style():
        assert mpl.rcParams["font.size"] == 12.0
        assert setting_points("legend.fontsize") == 5.0
        assert mpl.rcParams["xtick.direction"] == "in"
    assert setting_points("legend.fontsize") == 10.0
    assert is_default("font.size")
    with mpl.rc_context({"font.size": 12.0}):
        assert not is_default("font.size")


def test_half_of_a_figure_is_closed_if_it_is_ours():
    before = plt.get_fignums()
    with pytest.raises(KeyError), axes_in_style(None, None):
        raise KeyError
    assert plt.get_fignums() == before
    given = plt.figure().add_subplot()
    with pytest.raises(KeyError), axes_in_style(given, None):
        raise KeyError
    assert plt.get_fignums() == [*before, given.figure.number]
    assert given.figure.dpi == mpl.rcParams["figure.dpi"]


def test_a_title_has_as_many_lines_as_it_needs():
    figure, ax = plt.subplots(figsize=(4, 3))
    text = "a title that is longer than the axes are wide, by some words"
    set_title(ax, figure, f"{text}\nsecond")
    lines = ax.get_title().splitlines()
    assert lines[-1] == "second"
    assert " ".join(lines[:-1]) == text
    # A letter is 0.6 of its size of 12 points, and the axes 223 points wide.
    assert 25 < max(map(len, lines)) <= 31
    assert figure.get_size_inches().tolist() == [4, 3]
    set_title(None, figure, text)
    lines = figure.get_suptitle().splitlines()
    assert 30 < max(map(len, lines)) <= 40
    assert len(lines) == 2
    assert figure.get_size_inches()[1] == pytest.approx(3 + 1.2 * 12 / 72)
    set_title(ax, figure, "wide")
    assert ax.get_title() == "wide"
    assert ax.title.get_position()[1] == 1.0
    tiny = plt.figure(figsize=(0.1, 1))
    set_title(None, tiny, "ab cd")
    assert tiny.get_suptitle() == "ab cd"


@pytest.mark.slow
def test_texts_have_the_font_of_the_journal_where_it_is(monkeypatch, tmp_path):
    """One that matplotlib brings, in the place of Helvetica."""
    ds = sims.open_example("boron-implant")
    junction = sims.junction_depth(ds, level="1e18 atoms/cm^3")

    def fonts():
        ax = sims.plot_profiles(ds, junctions=junction, scale={"concentration": "log"})
        text = sims.save_figure(ax, tmp_path / "figure.svg").read_text("utf-8")
        return {*re.findall(r"font-family: '([^']*)'", text)}

    own = FontEntry(fname=findfont("DejaVu Serif"), name="Helvetica")
    others = [font for font in fontManager.ttflist if font.name not in ("Arial", "Helvetica")]
    monkeypatch.setattr(fontManager, "ttflist", [*others, own])
    assert fonts() == {"DejaVu Sans"}  # as the settings of the tests say
    with mpl.rc_context({"font.family": ["sans-serif"]}):
        # Formulas name what the file holds; the symbol x is of another.
        assert fonts() == {"Helvetica", "DejaVu Serif", "STIXGeneral"}
    assert mpl.rcParams["mathtext.fontset"] == "dejavusans"
