"""Names and lists find their places when a figure is drawn, whatever was called before."""

import itertools
from copy import deepcopy

import artists
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from error_parts import warns

import sims_analysis as sims
from sims_analysis.errors import ProfileWarning, collected

mpl.use("Agg")

B = artists.profiles(B=artists.gaussian())
BOTH = artists.profiles(B=artists.gaussian(), P=artists.gaussian(1e18))
COUNTS = (np.full(50, 2e5), "counts/s")
THREE = artists.profiles(B=artists.gaussian(), Ga=COUNTS, Al=(np.full(50, 0.3), "atomic fraction"))


def noisy():
    """A profile that leaves no room for a list in its axes."""
    rng = np.random.default_rng(1)
    return artists.profiles(B=10 ** rng.uniform(15, 20, 50), P=10 ** rng.uniform(15, 20, 50))


def full(**options):
    """Options of a plot whose axes are full."""
    data = noisy()
    return {"data": data, "peak": sims.peak(data), "labels": "legend", **options}


def box(artist):
    return artist.get_window_extent()


def settled(ax):
    """Draw the figure until its layout does not change any more."""
    for _ in range(3):
        ax.figure.draw_without_rendering()
    return ax


def is_inside(ax, one):
    inner, outer = box(one), ax.bbox
    return outer.x0 <= inner.x0 < inner.x1 <= outer.x1 and (
        outer.y0 <= inner.y0 < inner.y1 <= outer.y1
    )


def rows(legend):
    return len({round(box(text).y0) for text in legend.get_texts()})


# --- names beside curves ------------------------------------------------------------------------


def test_a_name_stands_beside_its_curve_in_its_colour_and_covers_nothing():
    ax = settled(artists.sketched(BOTH))
    for text, line in zip(artists.direct_texts(ax), artists.lines(ax), strict=True):
        points = ax.transData.transform(np.column_stack(line.get_data()))
        away = np.hypot(*(points - box(text).get_points().mean(axis=0)).T).min()
        assert away < 25
        for other in artists.lines(ax):
            seen = ax.transData.transform(np.column_stack(other.get_data()))
            assert not any(box(text).contains(*point) for point in seen)
        assert is_inside(ax, text)
    assert [text.get_text() for text in artists.direct_texts(ax)] == ["B", "P"]


@pytest.mark.slow
def test_names_follow_when_the_limits_change():
    ax = settled(artists.sketched(BOTH))
    ax.set_xlim(60, 98)
    settled(ax)
    for text in artists.direct_texts(ax):
        assert is_inside(ax, text)
    # A curve that is out of sight has its name in the legend.
    ax.set_ylim(2e18, 1e20)
    ax.set_xlim(0, 98)
    settled(ax)
    assert (artists.direct(ax), artists.names(ax)) == (["B"], ["P"])


@pytest.mark.slow
def test_names_make_way_for_texts_lines_and_insets_of_the_user():
    ax = settled(artists.sketched(B))
    (before,) = [box(text).frozen() for text in artists.direct_texts(ax)]
    low, _ = ax.transAxes.inverted().transform(before.get_points())
    ax.text(*low, "a text of the user", transform=ax.transAxes)
    (now,) = artists.direct_texts(settled(ax))
    assert not box(now).overlaps(box(ax.texts[-1]))
    inset = ax.inset_axes([low[0] - 0.1, low[1] - 0.1, 0.3, 0.3])
    (now,) = artists.direct_texts(settled(ax))
    assert not box(now).overlaps(inset.bbox)


def test_a_name_goes_with_its_curve():
    ax = artists.sketched(BOTH)
    artists.lines(ax)[0].remove()
    assert artists.direct(settled(ax)) == ["P"]


def test_a_later_call_finds_what_an_earlier_one_has_left_and_forgets_it_once_cleared():
    ax = artists.sketched(B, peak=sims.peak(B))
    artists.sketched(artists.profiles(P=artists.gaussian(1e18)), ax)
    assert sorted(artists.direct(ax)) == ["B", "P"]
    assert artists.notes(ax) == ["peak at 30 nm"]
    ax.clear()
    artists.sketched(artists.profiles(As=artists.gaussian()), ax)
    assert (artists.direct(ax), artists.notes(ax)) == (["As"], [])
    copy = deepcopy(ax.figure).axes[0]
    artists.sketched(B, copy)
    # One hides the other: a name beside them would be that of both.
    assert sorted(artists.names(copy)) == ["As", "B"]


@pytest.mark.slow
def test_a_plot_is_known_by_its_right_axes_too():
    ax = artists.sketched(artists.profiles(B=artists.gaussian(), Ga=COUNTS))
    _, right = artists.axes(ax).values()
    assert artists.sketched(artists.profiles(P=artists.gaussian()), right) is ax
    assert len(ax.figure.axes) == 2


# --- names above the axes -----------------------------------------------------------------------


@pytest.mark.slow
def test_names_stand_above_the_axes_below_their_titles_whenever_these_are_written():
    ax = artists.sketched(BOTH, labels="legend")
    assert rows(artists.named(settled(ax))) == 1
    assert box(artists.named(ax)).y0 == pytest.approx(ax.bbox.y1, abs=3)
    ax.set_title("in the middle")
    ax.set_title("a", loc="left")
    settled(ax)
    titles = [ax.title, *(t for t in ax.get_children() if getattr(t, "get_text", str)() == "a")]
    for title in titles:
        assert 0 <= box(title).y0 - box(artists.named(ax)).y1 < 8
    titled = sims.plot_profiles(BOTH, labels="legend", title="W")
    for each in (ax, titled):
        settled(each).figure.set_size_inches(8, 8)
        assert -1 < box(settled(each).title).y0 - box(artists.named(each)).y1 < 8
    titled.title.set_position((0.5, 1.1))
    assert settled(titled).title.get_position() == (0.5, 1.1), "by hand, it stays"


@pytest.mark.slow
def test_names_take_as_many_rows_as_the_axes_are_narrow_and_a_long_one_is_shortened():
    data = {f"a longer name of {name}": one for name, one in artists.wafers(6).items()}
    wide, narrow = (sims.plot_profiles(data, width=width) for width in ("double", "60 mm"))
    settled(wide), settled(narrow)
    assert rows(artists.named(wide)) == 2
    assert rows(artists.named(narrow)) == 6
    for ax in (wide, narrow):
        assert box(artists.named(ax)).x1 <= ax.figure.bbox.width
    long = "wafer {}, lot 2026-01-15/7, annealed at 1000 C for 10 s in N2"
    ax = sims.plot_profiles({long.format(1): B, long.format(2): BOTH}, width="50 mm")
    assert any("…" in name for name in artists.names(ax))
    assert box(artists.named(ax)).x1 <= ax.figure.bbox.width + 1


def test_names_stand_over_the_power_of_a_linear_axis():
    ax = settled(artists.sketched(BOTH, scale="linear", labels="legend"))
    offset = ax.yaxis.get_offset_text()
    assert box(artists.named(ax)).y0 > box(offset).y1 - 1


@pytest.mark.slow
def test_a_figure_of_our_own_grows_by_names_and_lists_and_its_axes_stay_as_high():
    plain = sims.plot_profiles(noisy(), labels="none")
    heights = {}
    for key, options in {"none": {"labels": "none"}, "names": {"labels": "legend"},
                         "both": full()}.items():  # fmt: skip
        ax = settled(sims.plot_profiles(**{"data": noisy(), **options}))
        heights[key] = ax.figure.get_size_inches()[1]
        assert ax.bbox.height == pytest.approx(settled(plain).bbox.height, rel=0.04)
    assert heights["none"] < heights["names"] < heights["both"]


@pytest.mark.slow
def test_a_list_that_has_room_only_before_the_layout_makes_a_figure_higher():
    boron = sims.open_example("boron-implant").sel(species=["B"])
    lot = {f"W{i}": sims.rescale_depth(boron, factor=1 + 0.01 * i) for i in range(12)}
    heights = []
    for notes in (True, False):
        ax = sims.plot_profiles(lot, width="60 mm", notes=notes)
        ax.figure.canvas.draw()
        heights.append(ax.bbox.height)
    assert heights[0] == pytest.approx(heights[1], rel=0.06)


@pytest.mark.slow
def test_a_second_call_lets_our_figure_grow_by_what_is_new_alone():
    ax = sims.plot_profiles(**full())
    height, axes = ax.figure.get_size_inches()[1], settled(ax).bbox.height
    sims.plot_profiles(noisy(), ax, labels="legend")
    assert ax.figure.get_size_inches()[1] == pytest.approx(height)
    sims.plot_profiles(noisy(), ax, dose=sims.integrated_dose(noisy()), labels="legend")
    assert ax.figure.get_size_inches()[1] > height
    assert settled(ax).bbox.height == pytest.approx(axes, rel=0.04)


# --- lists --------------------------------------------------------------------------------------


def test_a_list_stands_in_the_axes_where_it_covers_nothing():
    found = sims.decay_length(B, start="50 nm", stop="60 nm")
    ax = settled(artists.sketched(B, decay_length=found))
    made = artists.listed(ax)
    assert is_inside(ax, made)
    points = ax.transData.transform(np.column_stack(artists.lines(ax)[0].get_data()))
    assert not any(box(made).contains(*point) for point in points)
    assert not made.get_frame_on()


@pytest.mark.slow
def test_a_list_stands_below_the_labels_of_our_figure_and_of_axes_with_a_layout():
    for given in (False, True):
        other = plt.subplots(1, 2, figsize=(9, 5), layout="constrained")[1][0] if given else None
        ax = settled(sims.plot_profiles(**full(ax=other)))
        made = artists.listed(ax)
        assert box(made).y1 < box(ax.xaxis.label).y0
        assert box(made).y0 >= 0
        assert ax.figure.bbox.x0 <= box(made).x0
        assert box(made).width <= ax.figure.bbox.width / (2 if given else 1)


@pytest.mark.slow
def test_a_list_is_below_the_residuals():
    fit = sims.fit(B, model="gaussian", background="fit")
    data = B.assign(concentration=noisy()["concentration"].isel(species=[0]))
    ax = settled(sims.plot_profiles(data, fits=fit, residuals=True, peak=sims.peak(data)))
    below = ax.figure.axes[1]
    assert box(artists.listed(ax)).y1 < box(below.xaxis.label).y0
    assert below.bbox.y1 < ax.bbox.y0


@pytest.mark.slow
@pytest.mark.parametrize("layout", [None, "constrained"])
def test_a_list_without_room_is_never_refused_but_warned_of(layout):
    _, axes = plt.subplots(1, 2, figsize=(3.4, 1.5), layout=layout)
    with collected() as warnings:
        for ax in axes.flat:
            sims.plot_profiles(**full(ax=ax, dose=sims.integrated_dose(noisy())))
    assert {type(one) for one in warnings} == {ProfileWarning}
    assert "results and explanations covers axes" in str(warnings[0])
    assert "give the axes more room" in str(warnings[0])
    for ax in axes.flat:
        settled(ax)
        made = artists.listed(ax)
        assert made.get_frame().get_alpha() == 0.85
        assert ax.bbox.height > 0.1 * ax.figure.bbox.height
        assert min(text.get_fontsize() for text in made.get_texts()) >= 5.5 - 1e-9


@pytest.mark.slow
def test_lines_of_a_list_are_broken_where_they_are_read():
    data = noisy().sel(species=["B"])
    ax = sims.plot_profiles(data, dose=sims.integrated_dose(data), width="30 mm")
    assert artists.listed(ax).get_texts()[0].get_text().startswith("$Q$\n= 9.345×10")
    wide = sims.plot_profiles(data, dose=sims.integrated_dose(data))
    assert "\n" not in artists.listed(wide).get_texts()[0].get_text()


@pytest.mark.slow
def test_what_one_panel_explains_the_next_does_not_repeat():
    ds = artists.profiles(B=artists.gaussian(floor=0.0).round(-15))
    panels = sims.plot_panels({"a": ds, "b": ds})
    assert [artists.notes(ax) for ax in panels] == [[], ["zero"]]


# --- other axes ---------------------------------------------------------------------------------


@pytest.mark.slow
def test_right_axes_stand_apart_whatever_their_labels_become():
    ax = sims.plot_profiles(THREE, width="double")
    _, first, second = artists.axes(ax).values()
    first.set_ylabel("a label\nof two lines")
    settled(ax)
    boxes = [each.yaxis.get_tightbbox() for each in (first, second)]
    assert not boxes[0].overlaps(boxes[1])
    assert boxes[1].x1 <= ax.figure.bbox.width + 1


@pytest.mark.slow
@pytest.mark.parametrize("how", ["inset_axes", "add_axes"])
def test_an_inset_shows_its_curves(how):
    figure, ax = plt.subplots(figsize=(6, 5))
    figure.subplots_adjust(right=0.7)
    sims.plot_profiles(BOTH, ax)
    place = [0.5, 0.5, 0.2, 0.4]
    inset = ax.inset_axes(place) if how == "inset_axes" else figure.add_axes(place)
    sims.plot_profiles(THREE, inset, xlim=(0, 50))
    settled(ax)
    assert inset.get_ylim()[0] < 4e17 < 1e19 <= inset.get_ylim()[1]
    assert inset.get_xlim() == (0, 50)
    assert sorted([*artists.direct(inset), *artists.names(inset)]) == ["Al→", "B", "Ga→"]
    grounds = [
        each.get_zorder() for each in artists.axes(inset).values() if each.patch.get_visible()
    ]
    assert grounds == [inset.get_zorder()]
    assert all(each.get_zorder() >= grounds[0] for each in artists.axes(inset).values())


def test_an_inset_of_our_figure_has_its_style():
    ax = sims.plot_profiles(BOTH)
    inset = sims.plot_profiles(BOTH, ax.inset_axes([0.5, 0.5, 0.4, 0.4]))
    pairs = [
        (ax.xaxis.label, inset.xaxis.label),
        (ax.get_xticklabels()[0], inset.get_yticklabels()[0]),
    ]
    assert all(one.get_fontsize() == other.get_fontsize() for one, other in pairs)


def test_an_inset_does_not_say_again_that_data_are_synthetic():
    ds = sims.open_example("boron-implant")
    ax = artists.sketched(ds)
    inset = artists.sketched(ds, ax.inset_axes([0.5, 0.5, 0.4, 0.4]))
    assert (ax.get_title(), inset.get_title()) == ("Synthetic data", "")


@pytest.mark.slow
def test_the_order_of_calls_does_not_matter():
    def mosaic(order):
        _, axes = plt.subplot_mosaic("AAB;CCB", figsize=(9, 6), layout="constrained")
        for name in order:
            sims.plot_profiles(THREE if name == "B" else BOTH, axes[name],
                               labels="legend" if name == "C" else "auto")  # fmt: skip
            axes[name].set_title(name, loc="left")
        settled(axes["A"])
        texts = [one for name in "ABC" for one in artists.direct_texts(axes[name])]
        return np.array([[*axes[name].bbox.bounds] for name in "ABC"]), [
            (one.get_text(), *box(one).bounds) for one in texts
        ]

    (places, texts), (others, again) = mosaic("ABC"), mosaic("CBA")
    np.testing.assert_allclose(places, others, atol=2)
    assert [one[0] for one in texts] == [one[0] for one in again]
    np.testing.assert_allclose([one[1:] for one in texts], [one[1:] for one in again], atol=3)


@pytest.mark.slow
def test_lists_of_panels_do_not_touch_each_other():
    data = {name: noisy() for name in "abc"}
    panels = sims.plot_panels(data, peak={name: sims.peak(noisy()) for name in data})
    settled(panels[0])
    lists = [box(artists.listed(ax)) for ax in panels]
    assert not any(a.overlaps(b) for a, b in itertools.combinations(lists, 2))
    assert not any(a.overlaps(ax.bbox) for a in lists for ax in panels)


@pytest.mark.slow
def test_a_list_makes_way_for_a_legend_of_the_user():
    ax = sims.plot_profiles(artists.profiles(B=np.append(artists.gaussian()[:30], np.zeros(20))))
    ax.figure.draw_without_rendering()
    before = box(artists.listed(ax))
    assert before.x0 > ax.bbox.x0 + 0.5 * ax.bbox.width
    legend = ax.legend(["by hand"], loc="upper right")
    ax.figure.draw_without_rendering()
    assert box(legend).overlaps(before)
    assert not box(legend).overlaps(box(artists.listed(ax)))


@pytest.mark.slow
@pytest.mark.parametrize("how", ["twiny", "secondary"])
def test_a_title_stands_above_an_axis_of_the_user(how):
    ax = sims.plot_profiles(artists.profiles(B=artists.gaussian()), title="Wafer 7")
    top = ax.twiny() if how == "twiny" else ax.secondary_xaxis("top")
    top.set_xlabel("Cycle")
    ax.figure.canvas.draw()
    assert not ax.title.get_window_extent().overlaps(top.xaxis.label.get_window_extent())


@pytest.mark.few(1, 2)
@pytest.mark.parametrize("labels", ["auto", "legend"])
@pytest.mark.parametrize("before", ["(a) short", "(a) a longer title"])
def test_what_is_said_of_data_stands_beside_or_above_a_title_at_the_left(before, labels):
    ax = sims.plot_profiles(sims.open_example("boron-implant"), width="60 mm", labels=labels)
    ax.set_title(before, loc="left")
    titles = [box(t) for t in settled(ax).get_children() if getattr(t, "get_text", str)() in
              (before, "Synthetic data")]  # fmt: skip
    assert not titles[0].padded(-1).overlaps(titles[1])
    assert all(one.x1 <= ax.figure.bbox.x1 and one.y0 >= ax.bbox.y1 for one in titles)


@pytest.mark.slow
def test_a_title_above_many_long_names_leaves_the_axes_as_high():
    names = [f"C{n}H{n}N{n}O{n}_of_the_matrix" for n in range(1, 12)]
    data = artists.profiles(**{name: artists.gaussian() for name in names})
    plain, named = (sims.plot_profiles(data, labels="legend", title=text) for text in ("", "W"))
    assert settled(named).bbox.height > 0.8 * settled(plain).bbox.height


@pytest.mark.slow
def test_a_list_is_inside_axes_that_were_laid_out_once():
    figure, ax = plt.subplots(figsize=(3, 3))
    with warns(ProfileWarning, "crowded_figure"):
        sims.plot_profiles(**full(ax=ax))
    figure.tight_layout()
    assert is_inside(settled(ax), artists.listed(ax))


@pytest.mark.parametrize(("height", "between"), [(1.6, "\n"), (4.0, " ")])
def test_the_label_of_a_low_axis_has_its_unit_in_a_second_line(height, between):
    figure, ax = plt.subplots(figsize=(4, height), layout="constrained")
    sims.plot_profiles(B, ax)
    figure.draw_without_rendering()
    assert ax.get_ylabel() == f"Concentration{between}(atoms/cm³)"
    assert box(ax.yaxis.label).x0 >= 0.0
