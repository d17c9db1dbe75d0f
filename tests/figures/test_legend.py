"""Lists of names and results: how they are written, broken, refused, and what marks mean."""

from types import SimpleNamespace

import drawn
import matplotlib.pyplot as plt
import numpy as np
import pytest

from sims_analysis.errors import ProfileError
from sims_analysis.figures import legend
from sims_analysis.figures.arguments import Wanted
from sims_analysis.figures.canvas import EXPLAINED, Canvas


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
    ax = plt.figure().add_subplot()
    handles = {text: plt.Line2D([], []) for text in ("dose = 1", "± one standard error")}
    found = canvas(
        results={"dose = 1": handles["dose = 1"]},
        explained={"± one standard error": handles["± one standard error"]},
    )
    made = legend._inside(found, ax, 0, fontsize=6.0)
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
