"""The stages of a drawing, one at a time."""

from dataclasses import replace

import drawn
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

import sims_analysis as sims
from sims_analysis.figures import drawing, legend
from sims_analysis.figures.arguments import Wanted
from sims_analysis.figures.axes import EDGE
from sims_analysis.figures.canvas import NAMES, NOTES, Canvas
from sims_analysis.figures.colours import COLOURS, DASHES, colour_of
from sims_analysis.figures.curves import curves_of, measurements_of

B = drawn.profiles(B=drawn.gaussian())
BOTH = drawn.profiles(B=drawn.gaussian(), Ga=(np.full(50, 2e5), "counts/s"))


def canvas(data, *, ax=None, **options):
    """Canvas with curves on their axes, in colours, and nothing drawn."""
    ax = ax or plt.figure(dpi=50).add_subplot()
    made = Canvas(ax, *drawing.prepared(measurements_of(data), Wanted(**options)))
    made.curves = [replace(curve, colour=f"C{i}") for i, curve in enumerate(made.curves)]
    made.open()
    return made


# --- before there is a figure -------------------------------------------------------------------


def test_a_colour_of_all_curves_is_that_of_each_species():
    wanted, curves, models = drawing.prepared({"": BOTH}, Wanted(colour="red"))
    assert wanted.colours == {"B": "red", "Ga": "red"}
    assert [curve.species for curve in curves] == ["B", "Ga"]
    assert models == []


def test_a_waterfall_raises_several_measurements():
    alone = drawing.prepared({"": BOTH}, Wanted(waterfall=10))[1]
    assert {curve.raised for curve in alone} == {1.0}
    _, curves, _ = drawing.prepared({"a": B, "b": B, "c": B}, Wanted(waterfall=10))
    assert [curve.raised for curve in curves] == [1.0, 10.0, 100.0]


@pytest.mark.parametrize(
    ("count", "options", "spread"),
    [(8, {}, False), (9, {}, True), (9, {"spread": False}, False), (2, {"spread": True}, True),
     (9, {"waterfall": 10}, False)],
)  # fmt: skip
def test_a_crowd_is_drawn_as_a_spread_unless_the_user_says(count, options, spread):
    named = {str(i): B for i in range(count)}
    assert drawing.prepared(named, Wanted(**options))[0].spread is spread


def test_colours_of_an_earlier_call_are_those_of_its_names():
    made = canvas(B)
    for label, colour in (("B, W1", "red"), ("P", "blue")):
        made.earlier[label] = made.ax.plot([1], [1], color=colour)[0]
    assert drawing.taken_colours(made) == {"B": "red", "W1": "red", "P": "blue"}


# --- curves -------------------------------------------------------------------------------------


def test_a_spread_is_a_band_between_thin_edges_and_a_median():
    made = canvas(drawn.wafers(12), spread=True)
    drawing._draw_curves(made)
    (band,) = made.ax.collections
    edges = [line for line in made.ax.lines if line.get_label() == EDGE]
    (median,) = [line for line in made.ax.lines if line.get_label() != EDGE]
    assert [(edge.get_linewidth(), edge.get_alpha()) for edge in edges] == [(0.3, 0.5)] * 2
    colours = {*(mpl.colors.to_hex(one.get_color()) for one in [*edges, median])}
    # All measurements together have the colour of their species.
    assert colours == {mpl.colors.to_hex(colour_of("B"))}
    assert mpl.colors.to_hex(band.get_facecolor()[0]) in {c.lower() for c in colours}
    low, high = (edge.get_ydata() for edge in edges)
    assert (low < median.get_ydata()).all()
    assert (median.get_ydata() < high).all()
    assert list(made.explained) == ["median of 12", "the middle 80 %"]
    ((whole, members),) = made.medians
    assert (len(members), whole.measurement) == (12, "")
    assert [(curve, line.get_in_layout()) for curve, line in made.lines] == [(whole, False)]


def test_edges_at_zero_are_not_on_a_log_axis():
    wafers = {str(i): drawn.profiles(B=np.where(drawn.DEPTHS < 50, 1e17, i * 1e10 * (i > 3)))
              for i in range(12)}  # fmt: skip
    for scale, lowest in (("log", 1e17), ("linear", 0.0)):
        made = canvas(wafers, spread=True, scale=scale)
        drawing._draw_curves(made)
        low, _ = (line.get_ydata() for line in made.ax.lines if line.get_label() == EDGE)
        assert np.nanmin(low) == lowest


def test_outliers_are_thin_and_dashed_in_a_colour_that_is_free():
    both = {
        name: drawn.profiles(B=one["concentration"].values[0], P=one["concentration"].values[0] / 9)
        for name, one in drawn.wafers(12, outlier=7).items()
    }
    made = canvas(both, spread=True)
    drawing._draw_curves(made)
    lines = [line for _, line in made.lines]
    assert [curve.species for curve, _ in made.lines] == ["B", "P", "B", "P"]
    assert [line.get_linewidth() for line in lines[2:]] == [0.7, 0.7]
    outlier = {line.get_color() for line in lines[2:]}
    assert len(outlier) == 1
    assert outlier <= {*COLOURS} - {line.get_color() for line in lines[:2]}
    wide = canvas(both, spread=True)
    wide.wanted = replace(wide.wanted, line={"linewidth": 2.0})
    drawing._draw_curves(wide)
    assert {line.get_linewidth() for _, line in wide.lines} == {2.0}


def test_a_curve_alone_is_no_spread_and_results_belong_to_the_preferred_quantity():
    data = {**drawn.wafers(3), "more": drawn.profiles(P=drawn.gaussian())}
    made = canvas(data, spread=True)
    drawing._draw_curves(made)
    assert [curve.species for curve, _ in made.lines] == ["B", "P"]
    assert made.lines[1][0].measurement == "more"
    assert len(made.medians) == 1
    first, second = curves_of({"": BOTH})
    again = replace(second, species="B")
    assert drawing._is_primary(first, [first, again])
    assert not drawing._is_primary(again, [first, again])
    assert drawing._is_primary(second, [first, second])


def test_curves_that_hide_each_other_leave_room_for_one_another():
    made = canvas(drawn.profiles(B=drawn.gaussian(), P=1.001 * drawn.gaussian(),
                                 C=drawn.gaussian(), N=2 * drawn.gaussian()))  # fmt: skip
    drawing._draw_curves(made)
    made.ax.set(xlim=(0, 98), ylim=(1e14, 1e20))
    before = [line.get_linestyle() for _, line in made.lines]
    drawing._part(made)
    lines = [line for _, line in made.lines]
    assert [line.get_zorder() == legend.OVER for line in lines] == [False, True, True, False]
    width = lines[0].get_linewidth()
    patterns = [line._unscaled_dash_pattern for line in lines[1:3]]
    assert patterns == [(6, (3, 6)), (3, (3, 6))], width
    assert [lines[0].get_linestyle(), lines[3].get_linestyle()] == [before[0], before[3]]
    short = drawn.profiles(B=drawn.gaussian()[:20], P=drawn.gaussian(), C=np.zeros(50))
    other = canvas(short)
    drawing._draw_curves(other)
    drawing._part(other)
    assert {line.get_zorder() for _, line in other.lines} == {2}
    # Of many curves, none has a part that could be seen.
    many = canvas(drawn.profiles(B=drawn.gaussian(), P=drawn.gaussian()))
    drawing._draw_curves(many)
    many.lines *= 21
    drawing._part(many)
    assert {line.get_zorder() for _, line in many.lines} == {2}


def test_the_value_axis_is_logarithmic_on_request():
    for scale in ("log", "linear"):
        made = canvas(BOTH, scale=scale)
        drawing._draw_curves(made)
        assert {each.get_yscale() for each in made.axes.values()} == {scale}


def test_other_samples_of_a_name_have_the_next_dash_of_its_colour():
    ax = drawn.sketched(drawn.profiles(B=drawn.gaussian(1e18)))
    drawn.sketched({"W2": B}, ax)
    drawn.sketched({"W3": drawn.profiles(B=drawn.gaussian(1e17))}, ax)
    lines = drawn.lines(ax)
    assert len({line.get_color() for line in lines}) == 1
    patterns = [line._unscaled_dash_pattern for line in lines]
    assert patterns[0] == (0, None)
    assert patterns[1:] == [tuple(map(tuple_of, dash)) for dash in DASHES[1:3]]
    drawn.sketched({"W4": drawn.profiles(B=drawn.gaussian(1e16))}, ax, linestyle=":")
    assert drawn.lines(ax)[-1].get_linestyle() == ":"


def tuple_of(part):
    return tuple(part) if isinstance(part, tuple) else part


# --- marks, bands, results ----------------------------------------------------------------------


def test_a_limit_is_one_grey_line_and_several_have_the_colours_of_their_curves():
    data = drawn.profiles(B=drawn.gaussian(), P=drawn.gaussian())
    for limits, colours in (
        ("1e16 atoms/cm^3", ["0.35"]),
        ({"B": "1e16 atoms/cm^3", "P": "2e16 atoms/cm^3"}, ["C0", "C1"]),
        ({"B": "1e16 atoms/cm^3"}, ["0.35"]),
    ):
        made = canvas(data, detection_limit=limits)
        drawing._draw_bands(made)
        assert [line.get_color() for line in made.ax.lines] == colours
        assert made.ax.lines[0].get_ydata() == [1e16, 1e16]
        assert {line.get_zorder() for line in made.ax.lines} == {1}
        assert list(made.explained) == ["detection limit"]
        assert made.explained["detection limit"].get_color() == "0.35"


@pytest.mark.parametrize(("scale", "told"), [("log", ["below the limit", "zero"]), ("linear", [])])
def test_marks_are_explained(scale, told):
    y = np.r_[np.full(20, 1e17), np.full(10, 1e15), np.zeros(20)]
    data = drawn.profiles(B=y, P=np.r_[np.full(30, 1e17), np.zeros(20)])
    made = canvas(data, scale=scale, detection_limit={"B": "1e16 atoms/cm^3"} if told else None)
    drawing._draw_curves(made)
    made.ax.set_xlim(0, 98)
    drawing._draw_marks(made)
    assert list(made.explained) == told


def test_results_say_whose_they_are_as_briefly_as_the_others_allow():
    one, two = curves_of({"a": BOTH})
    other = replace(one, source="b")
    assert drawing._who(one, [one]) == ""
    assert drawing._who(one, [one, two]) == "B"
    assert drawing._who(one, [one, other]) == "a"
    assert drawing._who(other, [one, two, other]) == "B, b"
    assert drawing._who(other, [one, two, other], alone=True) == "B"


def test_results_of_all_panels_in_one_list_say_of_which_they_are():
    found = {name: sims.peak(one) for name, one in drawn.wafers(2).items()}
    for shared in (True, False):
        panels = [canvas({name: one}) for name, one in drawn.wafers(2).items()]
        for made, (name, one) in zip(panels, found.items(), strict=True):
            made.wanted = replace(made.wanted, results={"peak": [(name, one)]})
        drawing.draw(panels, {}, shared=shared)
        texts = [text for made in panels for text in made.results]
        names = ["(W01)", "(W02)"] if shared else ["", ""]
        assert texts == [f"peak{name} at 30 nm" for name in names]
        assert panels[0].ax.get_ylim() == panels[1].ax.get_ylim()


def test_a_spread_has_summaries_in_place_of_results():
    wafers = drawn.wafers(12)
    ax = drawn.sketched(wafers, peak={name: sims.peak(one) for name, one in wafers.items()})
    (text,) = [text for text in drawn.notes(ax) if "peak" in text]
    assert text.startswith("peak: median 30")


@pytest.mark.parametrize(
    ("count", "told"), [(1, []), (2, ["$n$ = 0 for W1, 1 for W2"]),
                        (3, ["$n$ = 0 for W1, 1 for W2, ..."])],
)  # fmt: skip
def test_a_waterfall_says_what_is_raised(count, told):
    data = {f"W{i + 1}": B for i in range(count)}
    assert drawn.notes(drawn.sketched(data, waterfall=10)) == told


# --- once everything has its size ---------------------------------------------------------------


def test_several_right_axes_have_the_colours_of_their_curves():
    data = drawn.profiles(
        B=drawn.gaussian(), Ga=(np.full(50, 2e5), "counts/s"),
        Al=(np.full(50, 0.5), "atomic fraction"),
    )  # fmt: skip
    made = canvas(data)
    drawing._draw_curves(made)
    drawing._dress(made)
    left, *right = made.values().values()
    assert left.yaxis.label.get_color() == "black"
    colours = [each.yaxis.label.get_color() for each in right]
    assert len({*colours}) == 2
    for each, colour in zip(right, colours, strict=True):
        assert each.yaxis.majorTicks[0].label2.get_color() == colour
    two = canvas(BOTH)
    drawing._draw_curves(two)
    drawing._dress(two)
    assert list(two.values().values())[1].yaxis.label.get_color() == "black"
    # Curves of several colours leave the axis black.
    data = drawn.profiles(
        B=drawn.gaussian(), Al=(np.full(50, 0.5), "atomic fraction"),
        Ga=(np.full(50, 2e5), "counts/s"), Si=(np.full(50, 1e5), "counts/s"),
    )  # fmt: skip
    many = canvas(data)
    drawing._draw_curves(many)
    drawing._dress(many)
    assert many.values()["Intensity (counts/s)"].yaxis.label.get_color() == "black"


def test_lists_outside_the_axes_take_their_height():
    made = canvas(B)
    assert drawing._outside(made) == 0.0
    (line,) = made.ax.plot([1], [1])
    for label, inside in ((NAMES, False), (NOTES, False), (NOTES, True)):
        one = mpl.legend.Legend(made.ax, [line], ["a"])
        one.set_label(label)
        one.set_in_layout(not inside)
        made.ax.add_artist(one)
    heights = [one.get_window_extent().height for one in made.ax.artists[:2]]
    assert drawing._outside(made) == pytest.approx(sum(heights) / 50)


def finished(count, monkeypatch, *, own=False, outside=0.0, across=1, shared=False):
    """Finish canvases with stand-ins for what takes time; tell what was done."""
    done = []
    figure = plt.figure(dpi=50)
    made = [canvas(B, ax=figure.add_subplot(1, count, i + 1)) for i in range(count)]
    for one in made:
        one.own = own
    monkeypatch.setattr(drawing, "lay_out", lambda _: done.append("layout"))
    monkeypatch.setattr(drawing, "spread_right_axes", lambda _: done.append("apart"))
    monkeypatch.setattr(drawing, "grow", lambda _, by: done.append(by))
    monkeypatch.setattr(drawing, "_outside", lambda _: outside)
    monkeypatch.setattr(legend, "place_names", lambda *given: done.append(len(given)))
    monkeypatch.setattr(legend, "write_list", lambda *_: done.append("list"))
    monkeypatch.setattr(legend, "write_shared_list", lambda *_: done.append("shared"))
    drawing.finish(made, across=across, shared=shared)
    return done


def test_lists_are_written_once_everything_has_its_place(monkeypatch):
    assert finished(1, monkeypatch, own=True, outside=1.0) == ["layout", 1, "list"]
    assert finished(1, monkeypatch) == ["layout", 1, "list"]
    # Lists outside given axes make these lower: names are placed anew, around the list.
    assert finished(1, monkeypatch, outside=1.0) == ["layout", 1, "list", "layout", 2]
    # Panels stay as high: each row makes the figure grow by its highest list.
    grown = ["layout", *[1, "list"] * 3, 2.0, "layout", 2, 2, 2]
    assert finished(3, monkeypatch, outside=1.0, across=2) == grown
    assert finished(2, monkeypatch, shared=True) == ["layout", "shared"]


def test_right_axes_are_moved_apart_where_there_are_two(monkeypatch):
    values = dict.fromkeys(("C", "I", "F"))
    monkeypatch.setattr(Canvas, "values", lambda _: values)
    monkeypatch.setattr(drawing, "_dress", lambda _: None)
    assert finished(1, monkeypatch) == ["layout", "apart", "layout", 1, "list"]
    values.pop("F")
    assert finished(1, monkeypatch) == ["layout", 1, "list"]
