"""Lists of names and results: how they are written, broken, refused, and what marks mean."""

from types import SimpleNamespace

import drawn
import matplotlib.pyplot as plt
import numpy as np
import pytest

from sims_analysis.errors import ProfileError
from sims_analysis.figures import legend
from sims_analysis.figures.arguments import Wanted
from sims_analysis.figures.canvas import EXPLAINED, NAMES, NOTES, Canvas
from sims_analysis.figures.colours import background
from sims_analysis.figures.free_space import Obstacles


def canvas(coverage=1.0, **known):
    return Canvas(plt.figure(dpi=50).add_subplot(), Wanted(coverage=coverage), **known)


def curve(y, *, fill=np.nan, raised=1.0):
    return SimpleNamespace(y=np.array(y), units="atom/cm^3", fill=fill, raised=raised)


@pytest.mark.parametrize(
    ("coverage", "text"),
    [(0, "± one standard error"), (1.0, "± one standard error"), (2, "± 2 standard errors"),
     (1.96, "± 1.96 standard errors")],
)  # fmt: skip
def test_errors_are_explained_as_a_bar_or_a_band(coverage, text):
    bar, band = canvas(coverage=coverage), canvas(coverage=coverage)
    legend.explain_error(bar)
    legend.explain_error(band, band=True)
    assert list(bar.explained) == list(band.explained) == [text]
    corners = bar.explained[text].get_marker().vertices
    # A bar from left to right, with an end at each.
    np.testing.assert_array_equal(corners[corners[:, 1] == 0], [[-1, 0], [1, 0]])
    np.testing.assert_array_equal(corners[[0, 1, 4, 5], 0], [-1, -1, 1, 1])
    np.testing.assert_array_equal(corners[[0, 4], 1], -corners[[1, 5], 1])
    assert (corners[[0, 4], 1] < 0).all()
    assert bar.explained[text].get_linestyle() == "None"
    assert 0 < band.explained[text].get_alpha() < 1


def test_marks_at_the_floor_are_explained_by_what_they_stand_for():
    found = canvas()
    legend.explain_hidden(found, [curve([1.0, 2.0])])
    assert found.explained == {}
    legend.explain_hidden(found, [curve([1.0, 0.0]), curve([0.0, -1.0]), curve([3.0])])
    (mark,) = found.explained.values()
    assert list(found.explained) == ["zero or negative"]
    assert (mark.get_marker(), mark.get_fillstyle(), mark.get_linestyle()) == ("v", "none", "None")
    assert mark.get_markersize() == 3
    filled = canvas()
    legend.explain_hidden(filled, [curve([5.0], fill=2e10, raised=10.0)])
    assert list(filled.explained) == ["2e+09 atoms/cm³ (fill value)"]


@pytest.mark.parametrize(("fitting", "kept", "free"), [(0, 0, True), (1, 1, True), (9, 2, False)])
def test_the_first_way_that_fits_is_kept_else_the_last(fitting, kept, free):
    made, removed = [], []

    def make(way):
        made.append(way)
        return SimpleNamespace(
            way=way, get_window_extent=lambda: way, remove=lambda: removed.append(way)
        )

    found, fits = legend._first_fitting([(0,), (1,), (2,)], make, lambda _, way: way >= fitting)
    assert (found.way, fits) == (kept, free)
    assert made == list(range(kept + 1))
    assert removed == list(range(kept))


@pytest.mark.parametrize(
    ("text", "once", "twice"),
    [
        ("dose B = 1.00e15 at/cm", "dose B\n= 1.00e15 at/cm", "dose B\n= 1.00e15\nat/cm"),
        ("fit of B: not converged", "fit of B:\nnot converged", "fit of B:\nnot\nconverged"),
        ("peak B at 30 nm", "peak B\nat 30 nm", "peak B\nat 30\nnm"),
        ("bar (error)", "bar\n(error)", "bar\n(error)"),
        ("one, two three", "one,\ntwo three", "one,\ntwo\nthree"),
        ("a = 1, b = 2", "a\n= 1, b = 2", "a\n= 1, b =\n2"),
        ("word", "word", "word"),
    ],
)
def test_long_lines_are_broken_where_they_are_read(text, once, twice):
    assert legend._broken(text, 0) == text
    assert legend._broken(text, 1) == once
    assert legend._broken(text, 2) == twice


@pytest.mark.parametrize(
    ("size", "smaller", "points"),
    [(8.0, 1.0, 8.0), (8.0, 0.85, 6.8), (8.0, 0.55, 5.5), (5.0, 0.55, 5.0), (5.0, 1.0, 5.0)],
)
def test_letters_shrink_to_the_least_size_unless_smaller_ones_are_wanted(size, smaller, points):
    with plt.rc_context({"legend.fontsize": size}):
        assert legend._points(smaller) == pytest.approx(points)


@pytest.mark.parametrize(
    ("panel", "says"),
    [
        (
            False,
            r"a list of 3 results .* axes 12 mm wide in letters of 5\.5 points: leave out some",
        ),
        (True, r"does not fit panels 12 mm wide .*shared_legend=True.*columns="),
    ],
)
def test_a_list_without_room_is_refused_with_what_to_do(panel, says):
    full = canvas(panel=panel, results={"a": 1, "b": 2}, explained={"c": 3})
    with pytest.raises(ProfileError, match=says):
        legend._refuse(full, 12.4)


def test_lists_come_one_below_the_other_results_first():
    handles = {text: plt.Line2D([], []) for text in ("dose = 1", "± one standard error")}
    found = canvas(
        results={"dose = 1": handles["dose = 1"]},
        explained={"± one standard error": handles["± one standard error"]},
    )
    ax = found.axes["depth", "C"] = found.ax
    made = legend._inside(found, 0, fontsize=6.0)
    assert [text.get_text() for text in made.get_texts()] == list(handles)
    assert [text.get_label() == EXPLAINED for text in made.get_texts()] == [False, True]
    assert {text.get_fontsize() for text in made.get_texts()} == {6.0}
    assert drawn.legend(ax, made.get_label()) is None  # not axes of ours
    assert made in ax.artists
    assert (made.get_frame_on(), made.get_clip_on()) == (False, False)


def test_a_measured_name_leaves_nothing_behind():
    ax = plt.figure().add_subplot()
    short, long = legend._extent(ax, "B"), legend._extent(ax, "B, a long name")
    assert short.width < long.width
    assert len(ax.texts) == 0


# --- names above the axes -----------------------------------------------------------------------


def lines(ax, *names):
    return {name: ax.plot([0, 1], [0, 1])[0] for name in names}


def above(canvas):
    (found,) = canvas.legends(NAMES)
    return found


def rows(made):
    """Count the rows of a list by the heights of its texts."""
    made.figure.draw_without_rendering()
    return len({round(text.get_window_extent().y0) for text in made.get_texts()})


def test_names_stand_above_the_axes_in_one_row_where_there_is_room():
    one = canvas(own=True)
    one.names = lines(one.ax, "B", "P", "As")
    height = one.figure.get_size_inches()[1]
    legend.legend_above(one)
    made = above(one)
    extent = made.get_window_extent()
    assert [text.get_text() for text in made.get_texts()] == ["B", "P", "As"]
    assert rows(made) == 1
    assert extent.y0 == pytest.approx(one.ax.bbox.y1, abs=3)
    assert extent.x0 == pytest.approx(one.ax.bbox.x0, abs=3)
    # The figure grows by it, once: a second look at the names takes the first away.
    grown = one.figure.get_size_inches()[1]
    assert grown - height == pytest.approx(extent.height / one.figure.dpi)
    legend.legend_above(one)
    assert one.figure.get_size_inches()[1] == pytest.approx(grown)
    assert above(one) is not made
    one.names = {}
    legend.legend_above(one)
    assert one.legends(NAMES) == []
    given = canvas()
    given.names = lines(given.ax, "B")
    legend.legend_above(given)
    assert given.figure.get_size_inches()[1] == pytest.approx(height)


def test_names_take_as_many_rows_as_the_axes_are_narrow():
    words = [f"a longer name {i}" for i in range(6)]
    given, own = canvas(), canvas(own=True)
    for one in (given, own):
        one.ax.set_position((0.2, 0.1, 0.5, 0.6))
        one.names = lines(one.ax, *words)
        legend.legend_above(one)
    assert above(given).get_window_extent().width <= given.ax.bbox.width
    # Nothing stands beside the axes of our own figure.
    assert own.ax.bbox.width < above(own).get_window_extent().width
    assert above(own).get_window_extent().x1 <= own.figure.bbox.width
    assert 1 < rows(above(own)) < rows(above(given)) <= 6


def test_a_long_name_is_shortened_to_the_width_of_the_figure():
    one = canvas()
    one.names = lines(one.ax, "wafer 12, lot 2026-01-15/7, annealed at 1000 C for 10 s in N2 " * 2)
    legend.legend_above(one)
    (text,) = above(one).get_texts()
    assert "…" in text.get_text()
    assert above(one).get_window_extent().x1 <= one.figure.bbox.width
    assert len(text.get_text()) > 20  # no shorter than need be


def test_many_names_are_sorted_by_length_and_begin_at_the_edge_of_our_figure():
    words = [*(f"N{'x' * (i % 3)}{i}" for i in range(24)), "B"]
    for own in (True, False):
        one = canvas(own=own)
        one.names = lines(one.ax, *words)
        legend.legend_above(one)
        made = above(one)
        widths = [text.get_window_extent().width for text in made.get_texts()]
        assert made.get_texts()[0].get_text() == "B"
        assert (np.diff(widths) > -1e-6).all()
        assert (made.get_window_extent().x0 < 0.5 * one.ax.bbox.x0) == own
    few = canvas(own=True)
    few.names = lines(few.ax, *words[1:])
    legend.legend_above(few)
    assert above(few).get_texts()[-1].get_text() == "B"


def test_a_title_stands_over_the_names():
    one = canvas()
    one.ax.set_title("a title")
    one.names = lines(one.ax, "B")
    legend.legend_above(one)
    top = above(one).get_window_extent().y1
    assert top - 1 < one.ax.title.get_window_extent().y0 < top + 5


def test_names_stand_over_the_power_and_the_numbers_of_an_axis_above():
    one = canvas()
    one.names = lines(one.ax, "B")
    assert legend._height_above(one) == 0.0
    one.axes["depth", "C"] = one.ax
    one.ax.set_ylim(0, 1e19)
    one.figure.draw_without_rendering()
    power = legend._height_above(one)
    offset = one.ax.yaxis.get_offset_text().get_window_extent()
    assert power == pytest.approx((offset.y1 - one.ax.bbox.y1) * 72 / 50)
    legend.legend_above(one)
    assert above(one).get_window_extent().y0 > offset.y1
    top = one.axes["sputter_time", "C"] = one.ax.twiny()
    top.set_xlabel("Sputter time (s)")
    assert legend._height_above(one) > power
    legend.legend_above(one)
    assert above(one).get_window_extent().y0 > top.xaxis.label.get_window_extent().y1 - 1


def test_names_that_find_no_place_beside_their_curves_go_above(monkeypatch):
    one = canvas()
    one.axes["depth", "C"] = one.ax
    first, second = lines(one.ax, "B", "P").values()
    one.beside = [("B", first), ("P", second)]
    place = Obstacles.place_beside
    monkeypatch.setattr(
        Obstacles, "place_beside",
        lambda found, line, size: None if line is second else place(found, line, size),
    )  # fmt: skip
    around = one.ax.text(0.5, 0.5, "a list")
    found = legend.place_names(one, around)
    assert [text.get_text() for text in above(one).get_texts()] == ["P"]
    assert one.beside == [("B", first)]
    assert [text.get_text() for text in one.ax.texts] == ["a list", "B"]
    extent = found.fraction(around.get_window_extent())
    assert found.boxes.count(extent) == 2  # the text, and what is not to be moved
    legend.place_names(one)  # again: the names of before are taken away
    assert [text.get_text() for text in one.ax.texts] == ["a list", "B"]


# --- lists of results ---------------------------------------------------------------------------


def listing(*results, explained=(), **known):
    """Make a canvas with results and explanations to list, on axes that an earlier call knows."""
    one = canvas(**known)
    one.axes["depth", "C"] = one.ax
    one.results = {text: plt.Line2D([], []) for text in results}
    one.explained = {text: plt.Line2D([], []) for text in explained}
    return one


def crowd(one):
    """Leave no room in the axes."""
    for y in np.linspace(0, 1, 40):
        one.ax.plot([0, 1], [y, y])


def written(one, said=()):
    said = set(said)
    legend.write_list(one, Obstacles.at(one.ax), said)
    return next(iter(one.legends(NOTES)), None), said


def test_a_list_stands_in_the_axes_where_it_covers_nothing():
    one = listing("peak at 5 nm", explained=["zero", "fit"])
    one.ax.plot([0, 1], [0.5, 0.5])
    made, said = written(one, {"zero"})
    # What another panel has said is not said again.
    assert [text.get_text() for text in made.get_texts()] == ["peak at 5 nm", "fit"]
    assert said == {"zero", "fit"}
    box = made.get_window_extent()
    assert one.ax.bbox.x0 < box.x0 < box.x1 < one.ax.bbox.x1
    assert one.ax.bbox.y0 < box.y0 < box.y1 < one.ax.bbox.y1
    assert one.ax.bbox.y0 + 0.5 * one.ax.bbox.height not in (box.y0, box.y1)
    assert not made.get_in_layout()
    assert not made.get_frame_on()
    assert written(listing(explained=["zero"]), {"zero"})[0] is None


def test_a_list_is_smaller_on_given_axes_before_it_leaves_them():
    given, own = (listing(f"a_result_{'x' * 48} = 1", own=own) for own in (False, True))
    for one, size, broken in ((given, 8.5, True), (own, 10.0, False)):
        one.ax.plot([0, 1], [0.2, 0.2])
        (text,) = written(one)[0].get_texts()
        assert text.get_fontsize() == pytest.approx(size)
        assert ("\n" in text.get_text()) == broken
    assert own.figure.legends  # our figure has room below


def test_a_list_of_our_figure_stands_below_where_the_axes_are_full():
    one = listing("a", "b", explained=["zero"], own=True)
    crowd(one)
    height = one.figure.get_size_inches()[1]
    made, _ = written(one)
    assert made in one.figure.legends
    assert made.get_label() == NOTES
    assert rows(made) == 2  # in two columns
    assert [text.get_label() == EXPLAINED for text in made.get_texts()] == [False, False, True]
    grown = one.figure.get_size_inches()[1] - height
    assert grown == pytest.approx(made.get_window_extent().height / one.figure.dpi)
    two = listing("a", "b", own=True)
    crowd(two)
    assert rows(written(two)[0]) == 2  # in one
    wide = listing(*(f"a result {'x' * 60} {i}" for i in range(3)), own=True)
    crowd(wide)
    made, _ = written(wide)
    assert rows(made) == 3
    assert made.get_window_extent().width <= wide.figure.bbox.width


def test_one_list_for_all_panels_holds_names_results_and_explanations():
    one, two = listing("$Q$(a)", explained=["zero"]), listing("$Q$(b)", explained=["zero", "fit"])
    two.ax, figure = one.figure.add_subplot(), one.figure
    one.names, two.beside = lines(one.ax, "B"), list(lines(one.ax, "P").items())
    legend.write_shared_list([one, two])
    (made,) = figure.legends
    texts = [text.get_text() for text in made.get_texts()]
    assert texts == ["B", "P", "$Q$(a)", "$Q$(b)", "zero", "fit"]
    assert rows(made) == 1  # six columns
    assert made.get_label() == "_shared"
    empty = listing()
    legend.write_shared_list([empty])
    assert empty.figure.legends == []


@pytest.mark.parametrize("layout", [None, "constrained"])
def test_a_list_without_room_stands_below_given_axes_or_on_an_opaque_ground(layout):
    one = listing("first = 1 nm", "second = 2 nm")
    one.figure.set_layout_engine(layout)
    one.ax.set_facecolor("lightyellow")
    one.ax.set_xlabel("Depth (nm)")
    crowd(one)
    made, _ = written(one)
    box = made.get_window_extent()
    assert box.width <= one.ax.bbox.width
    assert made.get_in_layout() == (layout is not None)
    assert made.get_frame_on() == (layout is None)
    if layout:
        label = one.ax.xaxis.label.get_window_extent()
        assert label.y0 - 10 < box.y1 < label.y0
        assert box.x0 + box.x1 == pytest.approx(one.ax.bbox.x0 + one.ax.bbox.x1, abs=2)
    else:
        ground = made.get_frame()
        assert one.ax.bbox.x0 <= box.x0
        assert box.y1 <= one.ax.bbox.y1
        np.testing.assert_allclose(ground.get_facecolor(), (*background(one.ax), 0.85))
        assert ground.get_edgecolor()[3] == 0


def test_a_list_below_given_axes_takes_about_half_of_their_height_but_of_a_panel_what_it_needs():
    texts = [f"result {i} = {i} nm" for i in range(11)]
    sizes = {}
    for panel in (True, False):
        one = listing(*texts, panel=panel)
        one.figure.set_layout_engine("constrained")
        crowd(one)
        legend._on_given_axes(one, Obstacles.at(one.ax))
        (made,) = one.legends(NOTES)
        sizes[panel] = made.get_texts()[0].get_fontsize()
        assert panel or made.get_window_extent().height <= 0.55 * one.ax.bbox.height
    assert sizes == {True: 10.0, False: pytest.approx(8.5)}


@pytest.mark.parametrize("layout", [None, "constrained"])
def test_a_list_wider_than_its_axes_is_refused(layout):
    one = listing("a_result_without_a_space_" * 6)
    one.figure.set_layout_engine(layout)
    with pytest.raises(ProfileError, match=r"a list of 1 results .* axes 126 mm wide"):
        written(one)
