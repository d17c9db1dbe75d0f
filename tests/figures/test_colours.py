"""Colours and names: distinct in a figure, and every curve has its name once."""

import itertools
import zlib

import artists
import matplotlib as mpl
import numpy as np
import pytest

import sims_analysis as sims
from sims_analysis.figures.colours import (
    COLOURS,
    assign_colours,
    colour_of,
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
    ax = artists.sketched(many, labels="none")
    colours = [line.get_color() for line in artists.lines(ax)]
    looks = {*zip(colours, artists.dashes(ax), strict=True)}
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


def test_clusters_of_caesium_stand_for_the_other_element():
    assert colour_of("133Cs27Al") == colour_of("27Al133Cs") == colour_of("Al")
    assert colour_of("133Cs") == colour_of("Cs+") == colour_of("Cs2")
    assert colour_of("Uuo") == COLOURS[zlib.crc32(b"Uuo") % len(COLOURS)]
    assert colour_of("") in COLOURS
