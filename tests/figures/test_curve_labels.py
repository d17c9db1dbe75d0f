"""Names of curves: what they say, and which of them could be beside their curves."""

import artists
import numpy as np
import pytest

import sims_analysis as sims
from sims_analysis.figures.style import abbreviated

B = artists.profiles(B=artists.gaussian())
BOTH = artists.profiles(B=artists.gaussian(), P=artists.gaussian(1e18))
COUNTS = (np.full(50, 2e5), "counts/s")


def labelled(ax):
    return [line.get_label() for each in artists.axes(ax).values() for line in artists.lines(each)]


def entries(data, **options):
    """Names beside the curves, and those in the legend."""
    ax = artists.sketched(data, **options)
    return artists.direct(ax), artists.names(ax)


def test_lines_have_the_names_that_tell_them_apart():
    assert labelled(artists.sketched({"W1": BOTH, "W2": B})) == ["B, W1", "B, W2", "P, W1"]
    (isotope,) = labelled(artists.sketched(artists.profiles(**{"11B": artists.gaussian()})))
    assert isotope == "$\\mathregular{^{11}}$B"
    bare = B.isel(species=0, drop=True)
    assert labelled(artists.sketched(bare)) == ["Concentration"]
    assert labelled(artists.sketched({"W1": bare, "W2": bare})) == ["W1", "W2"]
    # matplotlib passes over names that begin with an underscore.
    assert labelled(artists.sketched({"_W": bare})) == ["\u200b_W"]


def test_a_later_call_with_other_samples_says_of_which_measurement_or_counts():
    ax = artists.sketched(B)
    other = artists.profiles(B=artists.gaussian(1e18))
    for data in ({"W2": other}, {"W2": 2 * other}, B):
        artists.sketched(data, ax)
    assert labelled(ax) == ["B", "B, W2", "B, W2 (2)"]
    assert labelled(artists.sketched(other, artists.sketched(B))) == ["B", "B (2)"]


def test_the_left_axes_know_the_lines_of_the_right_ones_for_a_legend_of_the_user():
    ax = artists.sketched(artists.profiles(B=artists.gaussian(), Ga=COUNTS))
    assert [text.get_text() for text in ax.legend().get_texts()] == ["B", "Ga"]


@pytest.mark.slow
def test_names_point_at_axes_on_the_right_and_above():
    assert entries(artists.profiles(B=artists.gaussian(), Ga=COUNTS)) == (["B", "Ga→"], [])
    # An arrow of the name itself is enough.
    into = artists.profiles(**{"B": artists.gaussian(), "Ga->": COUNTS})
    assert entries(into) == (["B", "Ga→"], [])
    assert entries({"a": into, "b": into})[1] == ["B", "Ga→", "a", "b"]


@pytest.mark.slow
@pytest.mark.parametrize("count", [3, 9])
def test_measurements_of_one_species_are_named_alone(count):
    wafers = {f"W{i}": artists.profiles(B=artists.gaussian(i * 1e18)) for i in range(1, count + 1)}
    assert entries(wafers, spread=False) == ([], list(wafers))


@pytest.mark.parametrize("by", ["species", "measurement"])
def test_colours_and_dashes_of_a_legend_each_stand_for_one_thing(by):
    ax = artists.sketched({"W1": BOTH, "W2": BOTH}, colour_by=by)
    first, second = (["B", "P"], ["W1", "W2"]) if by == "species" else (["W1", "W2"], ["B", "P"])
    assert artists.names(ax) == first + second
    handles = artists.named(ax).legend_handles
    assert [one.get_linestyle() for one in handles] == ["-", "-", "-", "--"]
    assert [one.get_color() for one in handles[2:]] == ["0.35", "0.35"]
    assert len({one.get_color() for one in handles}) == 3


def test_where_neither_stands_for_one_thing_each_curve_has_its_name():
    colours = {"W1": "red", "W2": "blue"}
    data = {"W1": BOTH, "W2": B}
    assert entries(data, colours=colours, colour_by="species")[1] == ["B, W1", "B, W2", "P, W1"]


@pytest.mark.parametrize(
    ("labels", "beside", "above"),
    [("auto", ["B", "P"], []), ("direct", ["B", "P"], []), ("legend", [], ["B", "P"]),
     ("none", [], [])],
)  # fmt: skip
def test_names_stand_where_the_user_wants_them(labels, beside, above):
    assert entries(BOTH, labels=labels) == (beside, above)


def test_long_names_differ_by_their_own_words():
    species = {
        f"a long name of the signal number {i} of the film": artists.gaussian() for i in (1, 2)
    }
    ax = artists.sketched(artists.profiles(**species), labels="legend")
    assert artists.names(ax) == ["… number 1 …", "… number 2 …"]
    assert abbreviated(["a b c", "a b d"]) == ["a b c", "a b d"]
    names = [f"the same beginning of it {i} and the same end of it" for i in (1, 2)]
    assert abbreviated(names, 24) == ["… it 1 …", "… it 2 …"]
    names = [f"{i} and then the same end of everything" for i in (1, 2)]
    assert abbreviated(names, 12) == ["1 and then …", "2 and then …"]
    # Where their own words are too long to differ once they are cut, they stay.
    names = [f"the same beginning of everything, {i}" for i in (1, 2)]
    assert abbreviated(names, 12) == ["… everything, 1", "… everything, 2"]


@pytest.mark.few(1)
@pytest.mark.parametrize("labels", ["direct", "legend"])
def test_names_of_different_curves_are_never_merged(labels):
    both = {"Ga": (np.full(50, 0.5), "atomic fraction"), "Ga->": COUNTS}
    ax = sims.plot_profiles(artists.profiles(B=artists.gaussian(), **both), labels=labels)
    assert {*artists.direct(ax), *artists.names(ax)} == {
        "B",
        "Ga (atomic fraction)",
        "Ga→ (counts/s)",
    }


@pytest.mark.parametrize(
    ("to", "label"),
    [
        ("Si", "Ratio to Si"),
        ("maximum", "Ratio to the maximum"),
        ("total", "Fraction of the total"),
    ],
)
def test_an_axis_says_what_its_signals_are_normalised_to(to, label):
    data = sims.normalise(sims.open_example("sputter-time"), to=to)
    assert artists.sketched(data).get_ylabel() == label
    assert f'"{label}"' in sims.explore(data).page


def test_other_ratios_and_signals_are_not_said_to_be_normalised():
    data = sims.open_example("sputter-time")
    normalised = sims.normalise(data, to="Si")
    pair = sims.ratio(normalised, numerator="As", denominator="Si")
    assert labelled(artists.sketched(pair)) == ["As / Si"]
    pairs = pair.expand_dims(pair=["a"]).assign_coords(numerator=("pair", ["As"]))
    for data_of_ratios in (normalised.drop_attrs(deep=False), pairs):
        assert artists.sketched(data_of_ratios).get_ylabel() == "Ratio"
    both = artists.sketched(normalised.assign(intensity=data["intensity"]))
    assert [*artists.axes(both)] == ["Intensity (counts/s)", "Ratio to Si"]
