"""Panels: what each shows, and labels that the next one has too."""

import artists
import numpy as np
import pytest
from error_parts import raises

import sims_analysis as sims
from sims_analysis.figures.layout import layout_at

B = artists.profiles(B=artists.gaussian())
BOTH = artists.profiles(B=artists.gaussian(), P=artists.gaussian(1e18))
COUNTS = (np.full(50, 2e5), "counts/s")
C, I = "Concentration (atoms/cm³)", "Intensity (counts/s)"  # noqa: E741


def headings(axs):
    return [ax.get_title() for ax in axs]


@pytest.mark.slow
def test_a_panel_for_each_measurement_in_lists_and_in_batches():
    assert headings(sims.plot_panels({"W1": B, "W2": BOTH})) == ["W1", "W2"]
    batch = sims.stack([B, BOTH], names=["a", "b"])
    assert headings(sims.plot_panels({"W": batch})) == ["W, a", "W, b"]
    assert headings(sims.plot_panels(batch.drop_vars("measurement"))) == ["0", "1"]
    assert headings(sims.plot_panels({"x" * 35: B, "y" * 34: B})) == [
        "x" * 22 + "…" + "x" * 10, "y" * 34,
    ]  # fmt: skip


@pytest.mark.slow
def test_a_panel_for_each_species_names_a_curve_alone():
    for options, beside in (({}, []), ({"labels": "auto"}, ["B"])):
        axs = sims.plot_panels(BOTH, by="species", **options)
        assert headings(axs) == ["B", "P"]
        assert artists.direct(axs[0]) == beside
        assert [len(artists.lines(ax)) for ax in axs] == [1, 1]
    several = sims.plot_panels({"a": BOTH, "b": B}, by="species", species=["P", "B"])
    assert headings(several) == ["P", "B"]
    assert [len(artists.lines(ax)) for ax in several] == [1, 2]


def grid(*data, across, **options):
    """Panels in a grid, with what is known of their axes."""
    axs = sims.plot_panels({str(i): one for i, one in enumerate(data)}, columns=across, **options)
    return [layout_at(ax) for ax in axs]


def labels(made):
    return [[each.get_ylabel().replace("\n", " ") for each in one.axes.values()] for one in made]


def numbers(made):
    """Say which axes have numbers: below, and for each value axis."""
    return [
        (one.left.xaxis.get_tick_params()["labelbottom"],
         *(each.yaxis.get_tick_params()["labelleft" if i == 0 else "labelright"]
           for i, each in enumerate(one.axes.values())))
        for one in made
    ]  # fmt: skip


@pytest.mark.slow
def test_labels_of_a_panel_are_those_of_the_ones_beside_and_below():
    made = grid(B, B, B, across=2)
    assert labels(made) == [[C], [""], [C]]
    assert [one.left.get_xlabel() for one in made] == ["", "Depth (nm)", "Depth (nm)"]
    assert numbers(made) == [(False, True), (True, False), (True, True)]


@pytest.mark.slow
def test_labels_of_other_limits_or_quantities_stay():
    assert labels(grid(B, artists.profiles(Ga=COUNTS), across=2)) == [[C], [I]]
    timed = artists.profiles(axis="s", B=(artists.gaussian(), "atoms/cm^3"))
    assert grid(B, timed, across=1)[0].left.get_xlabel() == "Depth (nm)"


@pytest.mark.slow
def test_a_right_axis_is_shared_with_a_panel_of_the_same_axes():
    both = artists.profiles(B=artists.gaussian(), Ga=COUNTS)
    made = grid(both, both, across=2)
    assert labels(made) == [[C, ""], ["", I]]
    assert numbers(made) == [(True, True, False), (True, False, True)]
    three = artists.profiles(B=artists.gaussian(), Ga=COUNTS, Al=(np.full(50, 0.3), "at%"))
    assert labels(grid(three, three, across=2)) == [[C, "", ""], ["", "Atomic fraction", I]]
    other = grid(both, artists.profiles(Ga=COUNTS), across=2)
    assert labels(other) == [[C, I], [I]]
    apart = grid(both, both, across=1)
    assert labels(apart) == [[C, I]] * 2


@pytest.mark.slow
def test_one_label_stands_for_all_where_all_have_it():
    made = grid(B, B, B, across=1)
    assert made[0].figure.get_supylabel() == C
    assert labels(made) == [[""]] * 3
    other = grid(B, B, artists.profiles(Ga=COUNTS), across=1)
    assert other[0].figure.get_supylabel() == ""
    assert labels(other) == [[C], [C], [I]]


@pytest.mark.slow
@pytest.mark.parametrize("by", ["auto", "species", "measurement"])
def test_a_species_has_one_colour_in_all_panels(by):
    first, second = (artists.profiles(**{name: artists.gaussian()}) for name in ("Mg", "B"))
    axs = sims.plot_panels([first, second, second], colour_by=by)
    one, two, three = (artists.lines(ax)[0].get_color() for ax in axs)
    assert one != two
    assert two == three or by == "measurement"


def test_options_that_panels_cannot_have_are_refused(approved):
    fit = sims.fit(B, model="gaussian", background="fit")
    with raises(ValueError, text=approved):
        sims.plot_panels(B, fits=fit, residuals=True)
    assert artists.lines(sims.plot_panels(B, lw=3)[0])[0].get_linewidth() == 3
    for wrong in ({"by": "wafer"}, {"columns": 0}, {"columns": 1.5}, {"letters": 1}):
        with raises(sims.errors.ProfileError, argument=next(iter(wrong))):
            sims.plot_panels(B, **wrong)


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("count", "options", "shape", "size"),
    [
        (1, {}, (1, 1), (86, 12.7 + 1.75 * 25.4)),
        (2, {}, (1, 2), (178, 12.7 + 1.75 * 25.4)),
        (3, {}, (1, 3), (178, 12.7 + 1.75 * 25.4)),
        (4, {}, (2, 2), (178, 12.7 + 2 * 1.75 * 25.4)),
        (5, {}, (2, 3), (178, 12.7 + 2 * 1.75 * 25.4)),
        (12, {}, (4, 3), (178, 12.7 + 4 * 1.75 * 25.4)),
        (13, {}, (3, 5), (178, 12.7 + 3 * 1.75 * 0.7 * 25.4)),
        (2, {"columns": 1}, (2, 1), (86, 12.7 + 2 * 1.75 * 25.4)),
        (2, {"width": "89 mm"}, (1, 2), (89, 12.7 + 1.6 * 25.4)),
        (2, {"columns": 1, "width": "43 mm"}, (2, 1), (43, 12.7 + 1.75 * 25.4)),
    ],
)
def test_panels_stand_in_rows_whose_height_follows_their_width(count, options, shape, size):
    data = {f"W{i}": B for i in range(count)}
    axs = sims.plot_panels(data, title="a title", labels="none", notes=False, **options)
    assert axs[0].figure.get_suptitle() == "a title"
    # Where rows are many or low, the label of the values is written once.
    once = shape[0] > 2 or options.get("width") == "43 mm"
    assert axs[0].figure.get_supylabel() == C * once
    assert len(axs) == count == len(axs[0].figure.axes)
    assert axs[0].get_subplotspec().get_gridspec().get_geometry() == shape
    assert tuple(25.4 * axs[0].figure.get_size_inches()) == pytest.approx(size)
    assert headings(axs) == list(data)
