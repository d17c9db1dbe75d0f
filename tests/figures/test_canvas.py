"""One canvas a call: its axes, what an earlier call has left on them, and what it tells."""

import drawn
import matplotlib.pyplot as plt
import numpy as np
import pytest

import sims_analysis as sims
from sims_analysis.figures.arguments import Wanted
from sims_analysis.figures.axes import axes_at
from sims_analysis.figures.canvas import NAMES, NOTES, Canvas
from sims_analysis.figures.curves import curves_of, measurements_of

COUNTS = (np.full(50, 2e5), "counts/s")


def opened(*data, **options):
    """Open the axes of a canvas, in a style with ticks on all sides."""
    named = {str(i): one for i, one in enumerate(data)}
    with plt.rc_context({"xtick.top": True, "ytick.right": True}):
        canvas = Canvas(plt.figure(dpi=50).add_subplot(), Wanted(**options), curves_of(named))
        canvas.open()
    return canvas


def test_each_quantity_has_a_value_axis_the_preferred_one_on_the_left():
    canvas = opened(drawn.profiles(Ga=COUNTS, B=drawn.gaussian(), P=drawn.gaussian()))
    assert list(canvas.values()) == ["Concentration (atoms/cm³)", "Intensity (counts/s)"]
    left, right = canvas.values().values()
    assert (left, right.get_ylabel()) == (canvas.ax, "Intensity (counts/s)")
    assert left.get_ylabel() == "Concentration (atoms/cm³)"
    assert (left.get_xlabel(), right.get_xlabel()) == ("Depth (nm)", "")
    assert right.yaxis.get_label_position() == "right"
    assert not left.yaxis.majorTicks[0].tick2line.get_visible()
    assert list(canvas.depths()) == ["depth"]
    assert {curve.species: canvas.axes_of(curve) for curve in canvas.curves} == {
        "Ga": right, "B": left, "P": left,
    }  # fmt: skip
    # A later call finds them.
    left.plot([1, 2])
    assert axes_at(canvas.ax) == canvas.axes


def test_depths_and_sputter_times_have_an_axis_each():
    canvas = opened(
        drawn.profiles(axis="s", P=COUNTS),
        drawn.profiles(axis="s", Ga=(COUNTS[0], "counts")),
        drawn.profiles(B=drawn.gaussian(), Ga=COUNTS),
        depth_units="um",
    )
    assert list(canvas.scales) == ["depth", "sputter_time"]
    assert [scale.label for scale in canvas.scales.values()] == ["Depth (µm)", "Sputter time (s)"]
    below, above = canvas.depths().values()
    assert (below, below.get_xlabel(), above.get_xlabel()) == (
        canvas.ax, "Depth (µm)", "Sputter time (s)",
    )  # fmt: skip
    assert above.xaxis.get_label_position() == "top"
    rates = canvas.values()["Intensity (counts/s)"]
    assert above is not rates
    assert above.get_shared_y_axes().joined(above, rates)
    assert above.get_ylabel() == ""
    assert not below.xaxis.majorTicks[0].tick2line.get_visible()
    # Counts of a third kind are over the same time.
    third = canvas.axes["sputter_time", "Intensity (counts)"]
    assert third.get_shared_x_axes().joined(third, above)
    assert third.get_ylabel() == "Intensity (counts)"
    assert len(set(canvas.axes.values())) == len(canvas.axes) == 4


def test_a_quantity_over_time_of_another_call_shares_the_axes_that_are_there():
    first = drawn.profiles(B=drawn.gaussian(), Ga=COUNTS)
    ax = drawn.sketched([first, drawn.profiles(axis="s", Ga=COUNTS)], labels="none")
    second = drawn.profiles(axis="s", P=(drawn.gaussian(), "atoms/cm^3"))
    drawn.sketched(second, ax, labels="none")
    found = axes_at(ax)
    new, times = found["sputter_time", "Concentration (atoms/cm³)"], found[
        "sputter_time", "Intensity (counts/s)"
    ]  # fmt: skip
    assert new.get_shared_x_axes().joined(new, times)
    assert new.get_shared_y_axes().joined(new, ax)
    assert not new.xaxis.majorTicks[0].label2.get_visible()  # the numbers stand there once
    assert len(ax.figure.axes) == 4


def test_axes_on_top_have_no_grid_of_their_own():
    with plt.rc_context({"axes.grid": True}):
        canvas = opened(drawn.profiles(B=drawn.gaussian(), Ga=COUNTS),
                        drawn.profiles(axis="s", Ga=COUNTS))  # fmt: skip
    shown = [any(line.get_visible() for line in [*each.get_xgridlines(), *each.get_ygridlines()])
             for each in canvas.axes.values()]  # fmt: skip
    assert shown == [True, False, False]


def test_what_an_earlier_call_has_drawn_is_read_and_taken_away_to_be_written_anew():
    data = drawn.profiles(B=drawn.gaussian(floor=0.0).round(-15), Ga=COUNTS)
    ax = drawn.sketched(data, peak=sims.peak(data.sel(species=["B"])), labels="direct")
    ax.plot([], [], label="empty")
    ax.text(0, 0, "of the user", label="B")
    before = len(ax.lines)
    canvas = Canvas(ax, Wanted())
    canvas.read()
    assert canvas.axes == axes_at(ax)
    assert list(canvas.earlier) == ["B", "Ga"]
    assert [text for text, _ in canvas.beside] == ["B", "of the user", "Ga→"]
    assert canvas.beside[0][1] is canvas.earlier["B"]
    assert list(canvas.results) == ["peak(B) at 30 nm"]
    assert list(canvas.explained) == ["zero"]
    assert drawn.beside(ax) == []
    assert canvas.legends(NOTES) == []
    assert len(ax.lines) == before
    again = Canvas(drawn.sketched(data, labels="legend"), Wanted())
    again.read()
    assert list(again.names) == ["B", "Ga→"]
    assert again.legends(NAMES) == []
    assert again.beside == []


def test_lists_are_found_by_their_labels_in_the_axes_and_below():
    canvas = opened(drawn.profiles(B=drawn.gaussian(), Ga=COUNTS))
    right = list(canvas.axes.values())[1]
    (line,) = canvas.ax.plot([1, 2])
    lists = [plt.Axes.legend(each, [line], ["a"]) for each in (canvas.ax, right)]
    for each, made in zip((canvas.ax, right), lists, strict=True):
        each.legend_ = None
        each.add_artist(made)
    lists.append(canvas.figure.legend([line], ["a"]))
    lists[0].set_label(NAMES)
    for one in lists[1:]:
        one.set_label(NOTES)
    canvas.ax.text(0, 0, "no list").set_label(NOTES)
    assert canvas.legends(NAMES) == lists[:1]
    assert canvas.legends(NOTES) == lists[1:]


@pytest.mark.parametrize("notes", [True, False])
def test_marks_are_explained_once_and_on_request(notes):
    canvas = Canvas(plt.figure().add_subplot(), Wanted(notes=notes))
    handle = plt.Line2D([], [])
    canvas.explain("zero", color="red", marker="v")
    canvas.explain("zero", color="blue")
    canvas.explain("band", handle)
    assert list(canvas.explained) == (["zero", "band"] if notes else [])
    if notes:
        assert canvas.explained["zero"].get_color() == "red"
        assert canvas.explained["band"] is handle
    canvas.tell("x = 1")
    canvas.tell("y = 2", color="red")
    canvas.tell("y = 2", color="blue")
    assert canvas.results["x = 1"].get_linestyle() == "None"
    assert canvas.results["x = 1"].get_color() == "none"
    assert canvas.results["y = 2"].get_color() == "red"


def test_explanations_are_grey_on_the_paper_that_there_is():
    canvas = Canvas(plt.figure().add_subplot(), Wanted())
    assert canvas.grey == "0.35"
    canvas.ax.set_facecolor("black")
    assert canvas.grey == "0.65"


def test_measurements_have_names_that_differ():
    b = drawn.profiles(B=drawn.gaussian())
    ids = [b.assign_attrs(data_id=name) for name in ("a", "b", "a")]
    assert list(measurements_of(ids)) == ["a (0)", "b", "a (2)"]
    assert list(measurements_of((b, b))) == ["0", "1"]
    assert list(measurements_of({1: b})) == ["1"]
    assert list(measurements_of(b)) == [""]


def test_another_quantity_over_another_axis_has_both_axes_of_its_own():
    both = {
        "a": drawn.profiles(B=drawn.gaussian()),
        "b": drawn.profiles("s", Ga=(np.full(50, 2e5), "counts/s")),
    }
    found = axes_at(drawn.sketched(both))
    assert {key: (ax.get_xlabel(), ax.get_ylabel()) for key, ax in found.items()} == {
        ("depth", "Concentration (atoms/cm³)"): ("Depth (nm)", "Concentration (atoms/cm³)"),
        ("sputter_time", "Concentration (atoms/cm³)"): ("Sputter time (s)", ""),
        ("sputter_time", "Intensity (counts/s)"): ("Sputter time (s)", "Intensity (counts/s)"),
    }
    assert found["sputter_time", "Intensity (counts/s)"].yaxis.get_label_position() == "right"
    assert found["sputter_time", "Concentration (atoms/cm³)"].xaxis.get_label_position() == "top"
