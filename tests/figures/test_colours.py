"""Colours and names: distinct in a figure, and every curve has its name once."""

import itertools
import zlib

import artists
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

import sims_analysis as sims
from sims_analysis.figures.colours import (
    COLOURS,
    DASHES,
    _luminance,
    assign_colours,
    background,
    colour_of,
    dashes_of,
    grey_level,
    shade_alpha,
    text_colour,
    user_cycle,
    visible_colour,
)

mpl.use("Agg")

TOGETHER = [
    "B P As Sb Si Ge F C N O H In",
    "Mg Si Al Ga In N O C H",
    "P Si As Al C Ga In O Zn",
    "Cu In Ga Se S Mo Na K Zn Cd Sn",
    "10B 11B 28Si 29Si 30Si 69Ga 71Ga",
]


@pytest.mark.parametrize("species", TOGETHER)
def test_species_of_a_figure_have_colours_of_their_own(species):
    found = assign_colours(species.split(), {})
    assert len(set(found.values())) == len(species.split())


@pytest.mark.parametrize("pair", ["P Si", "As Al", "C Ga", "In O", "Zn Al", "Ga As", "B Si"])
def test_elements_that_occur_together_keep_their_own_colours(pair):
    assert assign_colours(pair.split(), {}) == {name: colour_of(name) for name in pair.split()}


def test_more_species_than_colours_differ_by_dashes():
    many = artists.profiles(**{name: artists.gaussian(10.0 ** (17 + i / 10)) for i, name in
                             enumerate("H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar".split())})  # noqa: SIM905 # fmt: skip
    looks = {(line.get_color(), str(line._dash_pattern)) for line in
             artists.lines(artists.sketched(many, labels="none"))}  # fmt: skip
    assert len(looks) == 18
    assert len({colour for colour, _ in looks}) == len(COLOURS)


def test_a_second_call_takes_free_colours():
    ax = artists.sketched(artists.profiles(Mg=artists.gaussian()))
    artists.sketched(artists.profiles(B=artists.gaussian(1e18)), ax)
    assert colour_of("Mg") == colour_of("B")
    assert len({line.get_color() for line in artists.lines(ax)}) == 2


@pytest.mark.slow
def test_names_that_do_not_fit_beside_their_curves_stand_in_the_legend():
    species = "H C O F Si Al Ga In Mg Zn Fe Cr Ni Cu Ti".split()  # noqa: SIM905
    same = {name: np.full(50, 10.0 ** (17 + 0.01 * i)) for i, name in enumerate(species)}
    ax = sims.plot_profiles(artists.profiles(**same))
    ax.figure.canvas.draw()
    assert sorted(artists.direct(ax) + artists.names(ax)) == sorted(species)
    assert artists.direct(ax)
    assert artists.names(ax)
    boxes = [t.get_window_extent() for t in ax.texts if t.get_text()]
    boxes.append(artists.named(ax).get_window_extent())
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))


@pytest.mark.slow
def test_names_stay_with_their_curves_after_zoom_and_resize():
    ax = sims.plot_profiles(artists.profiles(B=artists.gaussian()))

    def distance():
        ax.figure.draw_without_rendering()
        (name,) = artists.direct_texts(ax)
        low, high = name.get_window_extent().get_points()
        points = ax.transData.transform(ax.lines[0].get_xydata())
        away = np.maximum(np.maximum(low - points, points - high), 0.0)
        return float(np.hypot(*away.T).min()) * 72 / ax.figure.dpi

    assert distance() < 15
    ax.figure.set_size_inches(7, 5)
    assert distance() < 15
    for limits in ((20, 60), (60, 90)):  # where the curve is seen now
        ax.set_xlim(limits)
        assert distance() < 15
        (name,) = artists.direct_texts(ax)
        assert ax.bbox.x0 < name.get_window_extent().x0 < ax.bbox.x1


def test_a_legend_of_the_user_lists_every_curve():
    ax = sims.plot_profiles(
        artists.profiles(B=artists.gaussian(), Ga=(np.full(50, 2e5), "counts/s")), labels="none"
    )
    assert [text.get_text() for text in ax.legend().get_texts()] == ["B", "Ga"]
    assert ax.get_legend() is not None


def test_isotopes_are_printed_no_smaller_than_five_and_a_half_points():
    ax = sims.plot_profiles(artists.profiles(**{"11B": artists.gaussian()}))
    (name,) = [text for text in artists.direct_texts(ax) if "11" in text.get_text()]
    # The superscripts of mathtext are 0.7 of the line.
    assert 0.7 * name.get_fontsize() >= 5.5


_PLAIN = ["lot $5 to $7", "_hidden"]
_PLAIN += [pytest.param(n, marks=pytest.mark.slow) for n in ("^13C^", "50 % {x}", "$\\frac$")]


@pytest.mark.few(1)
@pytest.mark.slow
@pytest.mark.parametrize("name", _PLAIN)
def test_a_name_that_is_no_formula_is_printed_plainly(name):
    data = {
        name: artists.profiles(B=artists.gaussian()),
        "other": artists.profiles(B=artists.gaussian()),
    }
    ax = sims.plot_profiles(data, title=name)
    ax.figure.canvas.draw()
    shown = [text.replace("\\$", "$") for text in artists.names(ax)]
    assert shown == [name, "other"]


# --- colours on paper ---------------------------------------------------------------------------


@pytest.fixture
def ax():
    return plt.figure(facecolor="white").add_subplot()


def test_clusters_of_caesium_stand_for_the_other_element():
    assert colour_of("133Cs27Al") == colour_of("27Al133Cs") == colour_of("Al")
    assert colour_of("133Cs") == colour_of("Cs+") == colour_of("Cs2")
    assert colour_of("Uuo") == COLOURS[zlib.crc32(b"Uuo") % len(COLOURS)]
    assert colour_of("") in COLOURS


def test_species_without_a_free_colour_share_the_least_used():
    names = [f"{symbol}" for symbol in ("B", "Mg", "Na")]
    first, second, third = assign_colours(names, {}).values()
    assert first == colour_of("B")
    assert (second, third) == (COLOURS[1], COLOURS[2])
    assert assign_colours(["B", "B"], {}) == {"B": COLOURS[0]}
    assert assign_colours(["B"], {"B": "red"}) == {"B": "red"}
    assert assign_colours(["P", "B"], {}, ["red", "blue"]) == {"P": "red", "B": "blue"}
    assert assign_colours(["P", "B", "As"], {}, ["red", "blue"])["As"] == "red"
    assert assign_colours(["P"], {"B": "red"}, ["red", "blue"])["P"] == "blue"


def test_things_in_order_have_the_colours_in_theirs():
    found = assign_colours([f"W{i}" for i in range(14)], {}, COLOURS)
    assert list(found.values()) == [*COLOURS, *COLOURS[:2]]
    assert assign_colours("ab", {"a": COLOURS[0]}, COLOURS)["b"] == COLOURS[1]
    with plt.rc_context({"axes.prop_cycle": plt.cycler(color=["r", "g", "b"])}):
        assert user_cycle() == tuple(mpl.colors.to_hex(one) for one in "rgb")
    with plt.rc_context({"axes.prop_cycle": plt.cycler(linestyle=["-", ":"])}):
        assert user_cycle() == ()
    assert user_cycle() == ()


def test_each_curve_of_a_colour_has_the_next_dash():
    assert dashes_of(["r", "g", "r", "r", "g"]) == [DASHES[i] for i in (0, 0, 1, 2, 1)]
    assert dashes_of(["r"] * 7)[-1] == DASHES[0]


@pytest.mark.parametrize(
    ("figure", "axes", "seen"),
    [("white", "black", (0, 0, 0)), ("black", "none", (0, 0, 0)), ("none", "none", (1, 1, 1)),
     ((0, 0, 0, 0.5), "none", (0.5, 0.5, 0.5)), ("red", (0, 0, 1, 0.25), (0.75, 0, 0.25))],
)  # fmt: skip
def test_paper_is_what_is_seen_behind_curves(ax, figure, axes, seen):
    ax.figure.set_facecolor(figure)
    ax.set_facecolor(axes)
    assert background(ax) == pytest.approx(seen)


def test_greys_and_washes_follow_the_paper(ax):
    assert (grey_level(0.0, ax), grey_level(0.35, ax), shade_alpha(0.3, ax)) == ("0", "0.35", 0.3)
    assert visible_colour("#000000", ax) == "#000000"
    ax.set_facecolor("black")
    assert (grey_level(0.0, ax), grey_level(0.35, ax), shade_alpha(0.3, ax)) == ("1", "0.65", 0.75)
    assert shade_alpha(0.5, ax) == 1.0
    assert (visible_colour("#000000", ax), visible_colour("#E69F00", ax)) == ("#FFFFFF", "#E69F00")
    # Green looks lighter than blue.
    ax.set_facecolor("#009900")
    assert grey_level(0.0, ax) == "0"
    ax.set_facecolor("#0000ff")
    assert grey_level(0.0, ax) == "1"


def test_letters_are_no_darker_than_need_be(ax):
    assert text_colour("crimson", ax) == "crimson"
    assert text_colour((0.0, 0.0, 0.5), ax) == "#000080"
    shade = text_colour("#E69F00", ax)
    parts = np.array(mpl.colors.to_rgb(shade)) / np.array([0xE6, 0x9F, 1e9]) * 255
    assert parts[0] == pytest.approx(parts[1], abs=0.01)  # the same hue
    contrasts = [
        1.05 / (_luminance(part * np.array(mpl.colors.to_rgb("#E69F00"))) + 0.05)
        for part in (parts[0], parts[0] + 0.04)
    ]
    assert contrasts[0] >= 4.45 > contrasts[1]
    ax.set_facecolor("black")
    assert text_colour("#ffff00", ax) == "#ffff00"
    light = text_colour("#000080", ax)
    assert mpl.colors.to_rgb(light)[2] > 0.5
