"""Panels: what each shows, and labels that the next one has too."""

import drawn
import matplotlib.pyplot as plt
import numpy as np
import pytest

import sims_analysis as sims
from sims_analysis.figures import panels
from sims_analysis.figures.arguments import Wanted
from sims_analysis.figures.canvas import Canvas
from sims_analysis.figures.curves import curves_of

B = drawn.profiles(B=drawn.gaussian())
BOTH = drawn.profiles(B=drawn.gaussian(), P=drawn.gaussian(1e18))
COUNTS = (np.full(50, 2e5), "counts/s")
C, I = "Concentration (atoms/cm³)", "Intensity (counts/s)"  # noqa: E741


def parts(named, by="measurement", species=None, named_beside=False):
    return panels._parts(named, by, Wanted(species=species), named_beside=named_beside)


def test_a_panel_for_each_measurement_in_lists_and_in_batches():
    assert parts({"W1": B, "W2": BOTH}) == [("W1", {"W1": B}, {}), ("W2", {"W2": BOTH}, {})]
    batch = sims.stack([B, BOTH], names=["a", "b"])
    found = parts({"W": batch})
    assert [heading for heading, _, _ in found] == ["W, a", "W, b"]
    assert [dict(one["W"].sizes)["measurement"] for _, one, _ in found] == [1, 1]
    assert [one["W"]["measurement"].item() for _, one, _ in found] == ["a", "b"]
    numbered = parts({"": batch.drop_vars("measurement")})
    assert [heading for heading, _, _ in numbered] == ["0", "1"]
    long = "x" * 35
    assert parts({long: B})[0][0] == "x" * 22 + "…" + "x" * 10
    assert parts({"x" * 34: B})[0][0] == "x" * 34


def test_a_panel_for_each_species_names_a_curve_alone():
    found = parts({"": BOTH}, "species")
    assert [heading for heading, _, _ in found] == ["B", "P"]
    assert [extra for _, _, extra in found] == [
        {"species": name, "labels": "none"} for name in "BP"
    ]
    assert [extra for _, _, extra in parts({"": BOTH}, "species", named_beside=True)] == [
        {"species": name} for name in "BP"
    ]
    several = parts({"a": BOTH, "b": B}, "species", species=["P", "B"])
    assert [extra for _, _, extra in several] == [{"species": name} for name in "PB"]
    assert several[0][1] == {"a": BOTH, "b": B}


def grid(*data, across, ylim=(1, 10)):
    """Canvases in a grid, with the same limits unless others are given."""
    figure, axs = plt.subplots(-(-len(data) // across), across, squeeze=False, dpi=50)
    made = []
    for ax, one in zip(axs.flat, data, strict=False):
        canvas = Canvas(ax, Wanted(), curves_of({"": one}))
        canvas.open()
        for each in canvas.values().values():
            each.set(yscale="log", ylim=ylim)
        made.append(canvas)
    assert figure is made[0].figure
    return made


def labels(made):
    return [[each.get_ylabel() for each in one.values().values()] for one in made]


def numbers(made):
    """Say which axes have numbers: below, and for each value axis."""
    return [
        (one.ax.xaxis.get_tick_params()["labelbottom"],
         *(each.yaxis.get_tick_params()["labelleft" if i == 0 else "labelright"]
           for i, each in enumerate(one.values().values())))
        for one in made
    ]  # fmt: skip


def test_labels_of_a_panel_are_those_of_the_ones_beside_and_below():
    made = grid(B, B, B, B, B, across=2)
    panels._share_labels(made, 2)
    assert labels(made) == [[C], [""], [C], [""], [C]]
    assert [one.ax.get_xlabel() for one in made] == ["", "", "", "Depth (nm)", "Depth (nm)"]
    assert numbers(made) == [
        (False, True),
        (False, False),
        (False, True),
        (True, False),
        (True, True),
    ]


def test_labels_of_other_limits_or_quantities_stay():
    made = grid(B, B, drawn.profiles(Ga=COUNTS), across=3)
    made[1].ax.set_ylim(1, 100)
    panels._share_labels(made, 3)
    assert labels(made) == [[C], [C], [I]]
    timed = drawn.profiles(axis="s", B=(drawn.gaussian(), "atoms/cm^3"))
    above = grid(B, timed, across=1)
    panels._share_labels(above, 1)
    assert above[0].ax.get_xlabel() == "Depth (nm)"


def test_a_right_axis_is_shared_with_a_panel_of_the_same_axes():
    both = drawn.profiles(B=drawn.gaussian(), Ga=COUNTS)
    made = grid(both, both, across=2)
    panels._share_labels(made, 2)
    assert labels(made) == [[C, ""], ["", I]]
    assert numbers(made) == [(True, True, False), (True, False, True)]
    other = grid(both, drawn.profiles(Ga=COUNTS), across=2)
    panels._share_labels(other, 2)
    assert labels(other) == [[C, I], [I]]
    apart = grid(both, both, across=1)
    panels._share_labels(apart, 1)
    assert labels(apart) == [[C, I]] * 2


def test_one_label_stands_for_all_where_all_have_it():
    made = grid(B, B, across=1)
    panels._label_once(made[0].figure, made)
    assert made[0].figure.get_supylabel() == C
    assert labels(made) == [[""], [""]]
    other = grid(B, drawn.profiles(Ga=COUNTS), across=1)
    panels._label_once(other[0].figure, other)
    assert other[0].figure.get_supylabel() == ""
    assert labels(other) == [[C], [I]]


@pytest.mark.parametrize("by", ["auto", "species", "measurement"])
def test_a_species_has_one_colour_in_all_panels(by):
    first, second = (drawn.profiles(**{name: drawn.gaussian()}) for name in ("Mg", "B"))
    made = [Canvas(plt.figure().add_subplot(), Wanted(colour_by=by), curves_of({"": one}))
            for one in (first, second)]  # fmt: skip
    found = panels._colours(made)
    assert len(found) == (0 if by == "measurement" else 2)
    assert len(set(found.values())) == len(found)


def test_options_that_panels_cannot_have_are_refused():
    with pytest.raises(TypeError, match="plot_panels has no argument ax"):
        panels._wanted({"ax": None}, B, {"": B})
    fit = sims.fit(B, model="gaussian", background="fit")
    with pytest.raises(ValueError, match="residuals are drawn by plot_profiles"):
        panels._wanted({"fits": fit, "residuals": True}, B, {"": B})
    assert panels._wanted({"fits": fit, "lw": 3}, B, {"": B}).line == {"linewidth": 3}
    for wrong in ({"by": "wafer"}, {"columns": 0}, {"columns": 1.5}, {"shared_legend": 1}):
        with pytest.raises((ValueError, TypeError), match=next(iter(wrong))):
            sims.plot_panels(B, **wrong)


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
def test_panels_stand_in_rows_whose_height_follows_their_width(
    monkeypatch, count, options, shape, size
):
    made = []

    def draw(canvases, *_, **__):
        made.extend(canvases)
        for one in canvases:
            one.ax.set_ylabel(C)

    monkeypatch.setattr(panels, "draw", draw)
    monkeypatch.setattr(panels, "finish", lambda *_, **known: made.append(known))
    monkeypatch.setattr(panels, "_share_labels", lambda *_: None)
    axs = sims.plot_panels({f"W{i}": B for i in range(count)}, title="a title", **options)
    assert axs[0].figure.get_suptitle() == "a title"
    # Where rows are many or low, the label of the values is written once.
    once = shape[0] > 2 or options.get("width") == "43 mm"
    assert axs[0].figure.get_supylabel() == C * once
    assert len(axs) == count == len(axs[0].figure.axes)
    assert axs[0].get_subplotspec().get_gridspec().get_geometry() == shape
    assert tuple(25.4 * axs[0].figure.get_size_inches()) == pytest.approx(size)
    assert made[-1] == {"across": shape[1], "shared": False}
    assert [one.panel for one in made[:-1]] == [True] * count
    assert [ax.get_title() for ax in axs] == [f"W{i}" for i in range(count)]
