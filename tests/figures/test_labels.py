"""Names of curves: what they say, and which of them could be beside their curves."""

import drawn
import matplotlib.pyplot as plt
import numpy as np
import pytest

from sims_analysis.figures import labels
from sims_analysis.figures.arguments import Wanted
from sims_analysis.figures.canvas import Canvas
from sims_analysis.figures.curves import curves_of, measurements_of, with_looks
from sims_analysis.figures.lines import draw_curve

B = drawn.profiles(B=drawn.gaussian())
BOTH = drawn.profiles(B=drawn.gaussian(), P=drawn.gaussian(1e18))
COUNTS = (np.full(50, 2e5), "counts/s")


def canvas(data, *, ax=None, by="species", **options):
    """Canvas whose curves are drawn and labelled."""
    ax = ax or plt.figure(dpi=50).add_subplot()
    made = Canvas(ax, Wanted(**options), curves_of(measurements_of(data)))
    made.read()
    made.curves = with_looks(made.curves, None, by, {}, ax)
    made.open()
    made.lines = [(curve, draw_curve(made, curve, {})) for curve in made.curves]
    labels.label_lines(made)
    return made


def entries(made):
    found, beside = labels._entries(made)
    return list(found), beside


def labelled(made):
    return [line.get_label() for _, line in made.lines]


def test_lines_have_the_names_that_tell_them_apart():
    isotope = drawn.profiles(**{"11B": drawn.gaussian()})
    assert labelled(canvas({"W1": isotope})) == [labels.printed("11B")] != ["11B"]
    assert labelled(canvas({"W1": BOTH, "W2": B})) == ["B, W1", "B, W2", "P, W1"]
    bare = B.isel(species=0, drop=True)
    assert labelled(canvas(bare)) == ["Concentration"]
    assert labelled(canvas({"W1": bare, "W2": bare})) == ["W1", "W2"]
    # matplotlib passes over names that begin with an underscore.
    assert labelled(canvas({"_W": bare})) == ["\u200b_W"]


def test_a_later_call_with_other_samples_says_of_which_measurement_or_counts():
    first = canvas(B)
    other = drawn.profiles(B=drawn.gaussian(1e18))
    named, again, same = (
        canvas(data, ax=first.ax) for data in ({"W2": other}, {"W2": 2 * other}, B)
    )
    assert labelled(named) == ["B, W2"]
    assert labelled(again) == ["B, W2 (2)"]
    assert labelled(same) == ["B"]
    assert labelled(canvas(other, ax=first.ax)) == ["B (2)"]


def test_the_left_axes_know_the_lines_of_the_right_ones_for_a_legend_of_the_user():
    made = canvas(drawn.profiles(B=drawn.gaussian(), Ga=COUNTS))
    (_, left), (_, right) = made.lines
    proxy = made.ax.lines[-1]
    assert proxy.get_label() == right.get_label() == "Ga"
    assert len(proxy.get_xdata()) == 0
    assert proxy.get_color() == right.get_color() != left.get_color()
    assert len(made.ax.lines) == 2


def test_other_samples_are_another_curve_and_gaps_are_not():
    y = drawn.gaussian()
    y[10] = 0.0  # no number on a log axis
    first = canvas(drawn.profiles(B=y))
    same, other = (canvas(drawn.profiles(B=one), ax=first.ax) for one in (y, 2 * y))
    assert [labels.is_another(made, *made.lines[0]) for made in (first, same, other)] == [
        False, False, True,
    ]  # fmt: skip


def test_species_of_one_measurement_could_be_beside_their_curves():
    assert entries(canvas(BOTH)) == (["B", "P"], True)
    assert entries(canvas(drawn.profiles(B=drawn.gaussian(), Ga=COUNTS))) == (["B", "Ga→"], True)
    # An arrow of the name itself is enough.
    into = drawn.profiles(**{"B": drawn.gaussian(), "Ga->": COUNTS})
    assert entries(canvas(into)) == (["B", "Ga→"], True)
    assert entries(canvas(B.isel(species=0, drop=True))) == (["Concentration"], True)
    first = canvas(B)
    other = canvas({"W2": drawn.profiles(B=drawn.gaussian(1e18))}, ax=first.ax)
    assert entries(other) == (["B, W2"], True)


def test_a_sputter_time_is_pointed_at():
    timed = drawn.profiles(axis="s", Ga=COUNTS)
    both = drawn.profiles(B=drawn.gaussian(), Ga=COUNTS)
    assert entries(canvas({"a": both, "b": timed}))[0] == ["B", "Ga→", "Ga→↑", "a", "b"]


def test_measurements_of_one_species_are_named_alone():
    wafers = {name: drawn.profiles(B=drawn.gaussian(m * 1e18)) for m, name in enumerate("abc", 1)}
    assert entries(canvas(wafers, by="measurement")) == (list("abc"), False)
    assert entries(canvas(wafers, by="measurement", waterfall=10)) == (list("abc"), True)
    many = {str(i): B for i in range(9)}
    assert entries(canvas(many, by="measurement", waterfall=10))[1] is False
    eight = {str(i): B for i in range(8)}
    assert entries(canvas(eight, by="measurement", waterfall=10))[1] is True


def test_colours_and_dashes_of_a_legend_each_stand_for_one_thing():
    data = {"W1": BOTH, "W2": BOTH}
    by_species = canvas(data)
    found, beside = labels._entries(by_species)
    assert (list(found), beside) == (["B", "P", "W1", "W2"], False)
    looks = {name: (line.get_color(), line.get_linestyle()) for name, line in found.items()}
    colours = [line.get_color() for _, line in by_species.lines]
    assert [looks["B"], looks["P"]] == [(colours[0], "-"), (colours[2], "-")]
    assert [looks[name] for name in ("W1", "W2")] == [("0.35", "-"), ("0.35", "--")]
    by_wafer = canvas(data, by="measurement", colour_by="measurement")
    found, beside = labels._entries(by_wafer)
    assert (list(found), beside) == (["W1", "W2", "B", "P"], False)
    assert [found[name].get_linestyle() for name in ("B", "P")] == ["-", "--"]
    assert {found[name].get_color() for name in ("B", "P")} == {"0.35"}
    # Of one species by its colour, dashes need no grey.
    alone = canvas({"W1": B, "W2": B}, colour_by="species")
    found, _ = labels._entries(alone)
    assert list(found) == ["W1", "W2"]
    assert {line.get_color() for line in found.values()} == {alone.lines[0][1].get_color()}


def test_where_neither_stands_for_one_thing_each_curve_has_its_name():
    one = drawn.profiles(B=drawn.gaussian(), P=drawn.gaussian())
    made = canvas({"W1": one, "W2": drawn.profiles(B=drawn.gaussian())})
    for i, (curve, line) in enumerate(made.lines):
        object.__setattr__(curve, "colour", f"C{i}")
        line.set_color(f"C{i}")
    assert entries(made) == (["B, W1", "B, W2", "P, W1"], False)


def test_medians_have_the_name_of_their_species():
    ax = drawn.sketched(drawn.wafers(12, outlier=3))
    assert drawn.names(ax) == ["B", "W04"]
    assert drawn.beside(ax) == []
    assert drawn.names(drawn.sketched(drawn.wafers(12))) == []
    assert drawn.beside(drawn.sketched(drawn.wafers(12))) == ["B"]


@pytest.mark.parametrize(
    ("wanted", "beside", "above"),
    [("auto", ["B", "P"], []), ("direct", ["B", "P"], []), ("legend", [], ["B", "P"]),
     ("none", [], [])],
)  # fmt: skip
def test_names_stand_where_the_user_wants_them(wanted, beside, above):
    made = canvas(BOTH, labels=wanted)
    made.beside = [("B", made.lines[0][1])] if beside else []  # an earlier call's
    labels.choose_names(made)
    assert [text for text, _ in made.beside] == beside
    assert list(made.names) == above
    wafers = canvas({"W1": BOTH, "W2": BOTH}, labels=wanted)
    labels.choose_names(wafers)
    assert len(wafers.beside) == 4 * (wanted == "direct")
    assert len(wafers.names) == 4 * (wanted in ("auto", "legend"))


@pytest.mark.parametrize(
    ("name", "longest", "short"),
    [("a" * 36, 36, "a" * 36), ("$" + "a" * 50, 36, "$" + "a" * 50), ("a" * 20, 13, "a" * 11 + "…"),
     ("abcdefghijklmnopqrst", 14, "ab…klmnopqrst")],
)  # fmt: skip
def test_the_ends_of_a_long_name_stay(name, longest, short):
    assert labels.brief(name, longest) == short


def test_long_names_differ_by_their_own_words():
    assert labels.briefs(["a b c", "a b d"]) == ["a b c", "a b d"]
    names = [f"the same beginning of it {i} and the same end of it" for i in (1, 2)]
    assert labels.briefs(names, 24) == ["… it 1 …", "… it 2 …"]
    names = [f"{i} and then the same end of everything" for i in (1, 2)]
    assert labels.briefs(names, 12) == ["1 and then …", "2 and then …"]
    # Where their own words are too long to differ once they are cut, they stay.
    names = [f"the same beginning of everything, {i}" for i in (1, 2)]
    assert labels.briefs(names, 12) == ["… everything, 1", "… everything, 2"]
