"""Axes: right ones stand apart, later calls agree with earlier ones, limits follow the data."""

import itertools

import drawn
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

import sims_analysis as sims
from sims_analysis.errors import UnitsError
from sims_analysis.figures.axes import (
    LIMIT,
    RESOLUTION,
    _data,
    _depth_range,
    _is_on_floor,
    _linear,
    _set_limits,
    _sharing,
    axes_at,
    decades,
    deep,
    value_ranges,
)

mpl.use("Agg")


def three_kinds():
    return drawn.profiles(
        Mg=drawn.gaussian(),
        Al=(np.clip(drawn.gaussian() / 1e20, 0, 1), "atomic fraction"),
        Ga=(np.full(50, 2e5), "counts/s"),
    )


def right_boxes(ax):
    renderer = ax.figure.canvas.get_renderer()
    right = list(drawn.axes(ax).values())[1:]
    return [each.yaxis.get_tightbbox(renderer) for each in right]


@pytest.mark.study
@pytest.mark.parametrize(("panels", "layout"), [(1, None), (2, "constrained")])
def test_right_axes_do_not_overprint_each_other(panels, layout):
    figure, axes = plt.subplots(1, panels, figsize=(4 * panels, 3), layout=layout, squeeze=False)
    for ax in axes.flat:
        sims.plot_profiles(three_kinds(), ax)
    sims.plot_profiles(three_kinds(), axes.flat[0])
    figure.canvas.draw()
    for ax in axes.flat:
        assert len(drawn.axes(ax)) == 3
        for a, b in itertools.combinations(right_boxes(ax), 2):
            assert not a.overlaps(b)


def test_a_second_call_keeps_the_left_axis_for_its_quantity():
    ax = drawn.sketched(drawn.profiles(Mg=drawn.gaussian()))
    drawn.sketched(drawn.profiles(Ga=(np.full(50, 2e5), "counts/s")), ax)
    assert ax.get_ylabel() == "Concentration (atoms/cm³)"
    (line,) = drawn.lines(drawn.axes(ax)["Intensity (counts/s)"])
    assert line.axes is not ax


@pytest.mark.slow
def test_a_second_call_keeps_the_style_of_the_first():
    ax = sims.plot_profiles(drawn.profiles(Mg=drawn.gaussian()))
    sizes = [label.get_fontsize() for label in ax.get_yticklabels()]
    sims.plot_profiles(drawn.profiles(P=drawn.gaussian(1e18)), ax)
    assert [label.get_fontsize() for label in ax.get_yticklabels()] == sizes
    assert len({text.get_fontsize() for text in ax.texts}) == 1
    assert len({line.get_linewidth() for line in drawn.lines(ax)}) == 1


@pytest.mark.slow
def test_a_font_size_of_the_user_reaches_every_text():
    with plt.rc_context({"font.size": 13.0}):
        ax = sims.plot_profiles(drawn.wafers(2), width="double", labels="legend")
        texts = [ax.xaxis.label, ax.yaxis.label, *ax.get_xticklabels()]
        texts += drawn.named(ax).get_texts()
        assert {text.get_fontsize() for text in texts} == {13.0}


@pytest.mark.slow
def test_the_house_style_on_given_axes_on_request():
    _, (plain, house) = plt.subplots(1, 2)
    data = drawn.profiles(Mg=drawn.gaussian())
    sims.plot_profiles(data, plain)
    sims.plot_profiles(data, house, house_style=True)
    assert plain.xaxis.label.get_fontsize() == mpl.rcParams["font.size"] == 10.0
    assert house.xaxis.label.get_fontsize() == 8.0
    assert house.spines["left"].get_linewidth() == 0.7


def fills(low=0.001):
    y = np.concatenate([1e5 * np.exp(-drawn.DEPTHS[:30] / 5) + 2.0, np.full(20, 2.0)])
    y[25::3] = low
    return drawn.profiles(In=(y, "counts/s"))


def test_what_an_instrument_writes_for_nothing_does_not_set_the_range():
    for low in (0.001, 0.0):
        ax = drawn.sketched(fills(low))
        assert 0.1 < min(ax.get_ylim()) < 2.0
        line = drawn.lines(ax)[0].get_ydata()
        assert np.nanmin(line) > 0.1
    assert any("0.001 counts/s (fill value)" in text for text in drawn.notes(
        drawn.sketched(fills())))  # fmt: skip


def test_data_of_many_decades_are_no_fill_values():
    y = 1e20 * 10.0 ** -(np.arange(30.0) ** 1.2) / 3
    assert np.nanmin(drawn.lines(drawn.sketched(drawn.profiles(B=y)))[0].get_ydata()) == y.min()


@pytest.mark.slow
def test_zeros_of_many_species_share_one_row_of_marks_that_do_not_touch():
    y = drawn.gaussian(floor=0.0).round(-14)
    ax = sims.plot_profiles(drawn.profiles(B=y, P=y * 2, As=y * 3, Sb=y * 4))
    marks = [line for line in ax.lines if line.get_marker() == "v"]
    assert len(marks) == 4
    assert len({float(h) for mark in marks for h in mark.get_ydata()}) == 1
    at = np.sort(np.concatenate([mark.get_xdata() for mark in marks]))
    step = np.diff(at).min() / np.ptp(ax.get_xlim()) * ax.bbox.width * 72 / ax.figure.dpi
    assert step > 2.0
    # A mark at the edge is whole, and one outside is not drawn.
    for mark in marks:
        left, right = (mark.get_clip_box().x0, mark.get_clip_box().x1)
        assert left < ax.bbox.x0 < ax.bbox.x1 < right
        assert right - left < 1.05 * ax.bbox.width
    alone = sims.plot_profiles(drawn.profiles(B=y))
    assert min(ax.get_ylim()) == pytest.approx(min(alone.get_ylim()))


def test_single_counts_among_zeros_are_points_and_no_bar_code():
    y = np.tile([1.0, 0.0, 2.0, 0.0, 1.0], 10)
    ax = drawn.sketched(drawn.profiles(B=(y, "counts")))
    assert np.isnan(drawn.lines(ax)[0].get_ydata()).all()
    (points,) = [line for line in ax.lines if line.get_marker() == "."]
    assert len(points.get_xdata()) == (y > 0).sum()


@pytest.mark.slow
def test_width_in_columns_and_millimetres():
    data = drawn.profiles(B=drawn.gaussian())
    for width, mm in (("single", 86), ("double", 178), (120, 120)):
        figure = sims.plot_profiles(data, width=width).figure
        assert figure.get_size_inches()[0] * 25.4 == pytest.approx(mm)
    with pytest.raises(ValueError, match="'single' or 'double'"):
        sims.plot_profiles(data, width="triple")


def test_limits_with_and_without_a_unit():
    data = drawn.profiles(B=drawn.gaussian())
    ax = drawn.sketched(
        data, xlim=("10 nm", 0.05), ylim=("1e16 atoms/cm^3", None), depth_units="um"
    )
    assert ax.get_xlim() == pytest.approx((0.01, 0.05))
    assert ax.get_ylim()[0] == pytest.approx(1e16)
    with pytest.raises(UnitsError, match="xlim"):
        drawn.sketched(data, xlim=("10 s", None))


def test_values_in_another_unit():
    data = drawn.profiles(B=drawn.gaussian())
    ax = drawn.sketched(data, value_units="1/m^3", detection_limit="1e16 atoms/cm^3")
    assert ax.get_ylabel() == "Concentration (1/m³)"
    np.testing.assert_allclose(
        np.nanmax(drawn.lines(ax)[0].get_ydata()), 1e6 * drawn.gaussian().max()
    )
    assert any(np.allclose(line.get_ydata(), 1e22) for line in ax.lines)
    with pytest.raises(UnitsError, match="value_units"):
        drawn.sketched(data, value_units="counts/s")


def test_a_result_of_the_api_is_drawn_as_it_is():
    result = sims.SIMSResult(
        data_id="w1",
        depth_profiles=[
            sims.DepthProfile(
                species_name="B", depths=[0, 10], depth_units="nm",
                concentrations=[1e18, 1e17], concentration_units="atoms/cm^3",
            )
        ],
    )  # fmt: skip
    assert len(sims.plot_profiles(result).lines) == 1
    assert len(sims.plot_panels([result, result])) == 2


def test_short_keywords_of_matplotlib():
    ax = sims.plot_profiles(drawn.profiles(B=drawn.gaussian()), c="red", lw=3, ls="--")
    (line,) = drawn.lines(ax)
    assert (line.get_color(), line.get_linewidth(), line.get_linestyle()) == ("red", 3, "--")


@pytest.mark.slow
def test_panels_of_different_quantities_keep_their_own_labels():
    data = drawn.profiles(Ga=(np.full(50, 2e5), "counts/s"), Mg=drawn.gaussian())
    panels = sims.plot_panels(data, by="species")
    assert [ax.get_ylabel() for ax in panels] == [
        "Intensity (counts/s)",
        "Concentration (atoms/cm³)",
    ]


def test_axes_that_share_their_limits_show_all_curves():
    _, axs = plt.subplots(1, 3, sharey=True)
    for ax, top in zip(axs, (8e18, 8e14, 8e17), strict=True):
        drawn.sketched(drawn.profiles(B=drawn.gaussian(top, floor=top / 5)), ax)
    assert axs[0].get_ylim() == axs[2].get_ylim() == (1e14, 1e19)
    axs[1].set_ylim(1e10, 1e22)
    drawn.sketched(drawn.profiles(P=drawn.gaussian(1e20)), axs[2])
    assert axs[0].get_ylim() == (1e10, 1e22)  # the user's stay
    _, axs = plt.subplots(2, 1, sharex=True)
    for ax, count in zip(axs, (50, 20), strict=True):
        drawn.sketched(drawn.profiles(B=drawn.gaussian()[:count]), ax)
    assert axs[0].get_xlim() == (0.0, 98.0)


@pytest.mark.slow
def test_the_label_of_the_values_fits_the_narrowest_figure():
    ax = sims.plot_profiles(drawn.profiles(B=drawn.gaussian()), width="30 mm")
    ax.figure.draw_without_rendering()
    box = ax.yaxis.label.get_window_extent()
    assert 0 <= box.y0 < box.y1 <= ax.figure.bbox.height


def labelled(ax, kind="depth", label="C"):
    ax.xaxis.label.set_label(kind)
    ax.yaxis.label.set_label(label)
    return ax


def test_axes_at_one_place_are_those_of_an_earlier_call():
    ax = labelled(plt.figure().add_axes((0.1, 0.1, 0.8, 0.8)))
    right, other = labelled(ax.twinx(), label="counts"), ax.figure.add_axes((0, 0, 0.1, 0.1))
    labelled(other, label="elsewhere")
    labelled(ax.twinx(), label="")
    assert axes_at(ax) == {}  # nothing is drawn on it, as after ax.clear()
    ax.plot([1, 2])
    assert axes_at(ax) == {("depth", "C"): ax, ("depth", "counts"): right}
    labelled(right, kind="")
    assert axes_at(ax) == {("depth", "C"): ax}


@pytest.mark.parametrize("which", ["x", "y"])
def test_limits_of_a_call_give_way_to_those_of_a_later_one_but_not_a_users(which):
    ax = plt.figure().add_subplot()
    for limits in ((0.0, 10.0), (0.0, 20.0)):
        _set_limits(ax, which, limits)
        assert getattr(ax, f"get_{which}lim")() == limits
    other = {"x": "y", "y": "x"}[which]
    assert getattr(ax, f"get_autoscale{other}_on")()
    ax.set(**{f"{which}lim": (1.0, 5.0)})
    _set_limits(ax, which, (0.0, 30.0))
    assert getattr(ax, f"get_{which}lim")() == (1.0, 5.0)


def test_axes_with_shared_limits_know_their_mark():
    _, (first, second) = plt.subplots(1, 2, sharey=True)
    _set_limits(first, "y", (1.0, 2.0))
    _set_limits(second, "y", (1.0, 4.0))
    assert first.get_ylim() == second.get_ylim() == (1.0, 4.0)
    assert _sharing(first, "y") == [first, second]
    assert _sharing(first, "x") == [first]


def test_samples_of_limits_count_half_and_marks_not_at_all():
    ax = plt.figure().add_subplot()
    ax.plot([1.0, 2.0, 9.0], [1.0, 2.0, 3.0], label="B")
    ax.plot([1.0], [8.0], label=LIMIT)
    ax.plot([1.0], [7.0], label=RESOLUTION)
    ax.plot([1.0], [6.0], label="_mark")
    ax.plot([], [], label="empty")
    ax.set_xlim(2.0, 1.0)
    found = _data(ax, "y")
    assert [y.tolist() for _, y, _ in found] == [[1, 2, 3], [4], [7]]
    assert found[0][2].tolist() == [True, True, False]


def test_depths_run_from_the_surface_to_the_end_of_the_data():
    def drawn_over(*depths):
        ax = plt.figure().add_subplot()
        for x in depths:
            ax.plot(x, np.ones(len(x)), label="B")
        return _depth_range([{("depth", "C"): ax}], "depth")

    assert drawn_over([5.0, 50.0], [2.0, 80.0]) == (0.0, 80.0)
    assert drawn_over([20.0, 80.0]) == (20.0, 80.0)  # a quarter is far
    assert drawn_over([-3.0, 80.0]) == (-3.0, 80.0)
    assert drawn_over([0.0]) == (-0.5, 0.5)
    assert drawn_over([4.0]) == (3.5, 4.5)
    assert drawn_over() == (0.0, 1.0)
    ax = plt.figure().add_subplot()
    ax.plot([5.0, 6.0], [1.0, 1.0], label="B")
    assert _depth_range([{("sputter_time", "C"): ax}], "depth") == (0.0, 1.0)


def test_ranges_of_values_are_whole_decades_with_room_on_the_side_of_names():
    def ranges(left, right, log=True):
        ax = plt.figure().add_subplot()
        other = ax.twinx()
        for each, y in ((ax, left), (other, right)):
            each.plot(np.arange(len(y)), y, label="B")
        return value_ranges([{("depth", "C"): ax, ("depth", "I"): other}], log=log)

    # The left one gets its missing decade at the top, the right one below.
    assert ranges([2e3, 5e5], [3.0, 50.0])["I"] == (0.1, 100.0)
    assert ranges([2e3, 5e5], [3.0, 5e3])["C"] == pytest.approx((1e3, 1e7))
    assert ranges([-1.0, 0.0, 2e3], [1.0, 5.0])["C"] == pytest.approx((1e3, 1e4))
    assert ranges([], [], log=False) == {"C": (0.0, 1.0), "I": (0.0, 1.0)}
    low, high = ranges([-1.0, 3.0], [1.0, 5.0], log=False)["C"]
    assert -1.0 - low == pytest.approx(high - 3.0)
    assert 0 < high - 3.0 < 0.4


def test_values_that_are_all_the_same_have_an_axis():
    assert _linear(np.array([4.0, 4.0])) == (2.0, 6.0)
    assert _linear(np.array([-4.0])) == (-6.0, -2.0)
    assert _linear(np.array([0.0])) == (-0.5, 0.5)
    assert decades(np.array([1e5])) == (4, 6)
    assert decades(np.array([2e5])) == (5, 6)
    assert decades(np.array([1e3, 1e5 * (1 + 1e-12)])) == (3, 5)
    assert decades(np.array([])) == (0, 1)


@pytest.mark.parametrize(
    ("values", "room"),
    [([1.04e3] * 2, True), ([0.96e3] * 2, True), ([1.06e3] * 2, False), ([1.0e3], False)],
)
def test_several_samples_at_the_lowest_decade_need_room_below(values, room):
    assert _is_on_floor([np.array([5e3]), np.array(values)], (3.0, 5.0)) == room


def test_what_is_far_below_an_axes_is_below_it_on_either_scale():
    ax = plt.figure().add_subplot()
    ax.set(ylim=(7.0, 2.0))
    assert deep(ax) == -48.0
    ax.set(yscale="log", ylim=(1e3, 1e6))
    assert deep(ax) == pytest.approx(1e-6)
