"""Axes: right ones stand apart, later calls agree with earlier ones, limits follow the data."""

import itertools

import drawn
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

import sims_analysis as sims
from sims_analysis.errors import UnitsError
from sims_analysis.figures.arguments import Wanted
from sims_analysis.figures.axes import (
    LIMIT,
    RESOLUTION,
    Scale,
    _data,
    _depth_range,
    _is_on_floor,
    _linear,
    _refuse_nothing,
    _set_limits,
    _sharing,
    _user_limits,
    axes_at,
    decades,
    below_axes,
    label_of,
    set_depth_limits,
    set_value_limits,
    spread_right_axes,
    value_axis_ticks,
    value_ranges,
)
from sims_analysis.figures.canvas import Canvas
from sims_analysis.figures.curves import curves_of

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


# --- limits and units of the user ---------------------------------------------------------------


def canvas(data, **options):
    """Canvas whose curves are drawn as they are."""
    made = Canvas(plt.figure(dpi=50).add_subplot(), Wanted(**options), curves_of({"": data}))
    made.open()
    for curve in made.curves:
        made.axes_of(curve).plot(made.scale_of(curve)(curve.x), curve.y, label=curve.species)
    for each in made.values().values():
        each.set_yscale(made.wanted.scale)
    return made


B = drawn.profiles(B=drawn.gaussian())


def test_a_scale_is_in_the_unit_of_its_kind():
    timed = drawn.profiles(axis="s", B=(drawn.DEPTHS, "counts/s"))
    (depth,), (time,) = curves_of({"": B}), curves_of({"": timed})
    assert [Scale(one, None).label for one in (depth, time)] == ["Depth (nm)", "Sputter time (s)"]
    scale = Scale(depth, "um")
    assert (scale.label, scale.units, scale.kind) == ("Depth (µm)", "um", "depth")
    assert scale(500.0) == 0.5
    assert Scale(depth, None)(500.0) == 500.0
    with pytest.raises(UnitsError, match="depth_units"):
        Scale(time, "um")
    # Beside an axis of another kind, a unit is for that to which it belongs.
    assert Scale(time, "um", others=True).label == "Sputter time (s)"
    assert Scale(depth, "um", others=True).label == "Depth (µm)"
    with pytest.raises(UnitsError, match="depth_units"):
        Scale(depth, "counts/s", others=True)
    assert label_of("Ratio", "") == "Ratio"
    assert label_of("Concentration", "atom/cm^3") == "Concentration (atoms/cm³)"


@pytest.mark.parametrize(
    ("name", "limits", "found"),
    [("xlim", None, (None, None)), ("xlim", (5, None), (5, None)), ("xlim", ("9 nm", 5), (9, 5)),
     ("xlim", [None, "2 um"], (None, 2000)), ("ylim", (1e3, "2 1/cm^3"), (1e3, 2)),
     ("ylim", np.array([1.0, 2.0]), (1, 2))],
)  # fmt: skip
def test_limits_have_a_unit_or_that_of_the_axis(name, limits, found):
    made = canvas(B, **{name: limits})
    kinds = ("depth",) if name == "xlim" else ("concentration",)
    assert _user_limits(made, name, kinds, float) == found


@pytest.mark.parametrize(
    ("name", "limits", "scale", "told"),
    [
        ("xlim", (1, 2, 3), "log", r"xlim=\(1, 2, 3\); expected \(low, high\)"),
        ("xlim", "12", "log", r"xlim='12'; expected \(low, high\)"),
        ("xlim", {1: 2, 3: 4}, "log", r"expected \(low, high\)"),
        ("xlim", (5, 5.0), "log", r"xlim=\(5, 5.0\); expected two different finite numbers"),
        ("xlim", (np.inf, 5), "log", "two different finite numbers"),
        ("ylim", (0.0, None), "log", r"ylim=\(0.0, None\): a log axis has no zero; None leaves"),
        ("ylim", (1, -1), "log", "a log axis has no zero"),
        ("xlim", ("1 s", None), "log", "xlim"),
    ],
)
def test_limits_that_an_axis_cannot_have_are_told(name, limits, scale, told):
    made = canvas(B, scale=scale, **{name: limits})
    with pytest.raises((ValueError, UnitsError), match=told):
        _user_limits(made, name, ("depth",) if name == "xlim" else ("concentration",), float)


def test_zero_is_a_limit_of_a_linear_axis_and_of_depth():
    assert _user_limits(canvas(B, scale="linear", ylim=(0, None)), "ylim", (), float) == (0, None)
    assert _user_limits(canvas(B, xlim=(-5, 0)), "xlim", ("depth",), float) == (-5, 0)


@pytest.mark.parametrize(
    ("limits", "refused"),
    [((None, None), False), ((98, 200), False), ((98.1, 200), True), ((200, 99), True),
     ((-5, 0), False), ((-5, -1), True), ((None, -1), True), ((99, None), True),
     ((97, None), False)],
)  # fmt: skip
def test_limits_within_which_there_is_nothing_are_refused(limits, refused):
    made = canvas(B, xlim=limits)
    given = [made], "xlim", limits, [drawn.DEPTHS, np.array([np.nan])], "nm"
    if not refused:
        return _refuse_nothing(*given)
    with pytest.raises(ValueError, match=r"xlim=.* shows none of the samples, .* from 0 to 98 nm"):
        _refuse_nothing(*given)
    made.earlier["B"] = made.ax.lines[0]  # what another call has drawn may be there
    _refuse_nothing(*given)
    made.earlier.clear()
    return _refuse_nothing(*given[:3], [np.array([np.nan])], "nm")


def test_depths_run_to_the_end_of_all_panels_or_as_the_user_wants():
    short = drawn.profiles(B=drawn.gaussian()[:20])
    panels = [canvas(B), canvas(short)]
    set_depth_limits(panels)
    assert [one.ax.get_xlim() for one in panels] == [(0, 98)] * 2
    panels = [canvas(one, xlim=("20 nm", None), depth_units="um") for one in (B, short)]
    set_depth_limits(panels)
    assert [one.ax.get_xlim() for one in panels] == [pytest.approx((0.02, 0.098))] * 2
    # Samples in one of the panels are enough.
    panels = [canvas(one, xlim=("50 nm", None)) for one in (B, short)]
    set_depth_limits(panels)
    with pytest.raises(ValueError, match=r"which are from 0 to 38 nm"):
        set_depth_limits([canvas(short, xlim=("50 nm", None))])


def test_values_run_over_whole_decades_or_as_the_user_wants():
    data = drawn.profiles(B=drawn.gaussian(floor=2e15), Ga=(np.r_[2e5, 3e5], "counts/s"))
    made = canvas(data, ylim=(None, "2e25 1/m^3"))
    set_depth_limits([made])
    set_value_limits([made])
    left, right = made.values().values()
    assert left.get_ylim() == pytest.approx((1e15, 2e19))
    assert right.get_ylim() == pytest.approx((1e1, 1e6))  # as many decades
    told = r"ylim=\(1e\+21, None\) shows none .* 2\.00106e\+15 to 1\.0002e\+19 atoms/cm³"
    with pytest.raises(ValueError, match=told):
        set_value_limits([canvas(data, ylim=(1e21, None))])
    with pytest.raises(UnitsError, match="ylim"):
        set_value_limits([canvas(data, ylim=("1 counts/s", None))])
    zeros = drawn.profiles(B=np.r_[1e18, 0.0, -1e18])
    with pytest.raises(ValueError, match="from 1e\\+18 to 1e\\+18"):
        set_value_limits([canvas(zeros, ylim=(1e10, 1e12))])
    linear = canvas(zeros, scale="linear", ylim=(None, 0))
    set_value_limits([linear])
    assert linear.ax.get_ylim() == pytest.approx((-1.1e18, 0))
    linear.figure.draw_without_rendering()
    assert "10^{18}" in linear.ax.yaxis.get_offset_text().get_text()


def ticks(low, high, inches=3.0):
    ax = plt.figure(figsize=(4, inches), dpi=50).add_axes((0.2, 0.0, 0.7, 1.0))
    ax.set(yscale="log", ylim=(low, high))
    value_axis_ticks(ax)
    major, minor = ax.yaxis.get_majorticklocs(), ax.yaxis.get_minorticklocs()
    minor = minor[(minor >= min(low, high)) & (minor <= max(low, high))]
    numbers = ax.yaxis.get_minor_formatter().format_ticks(minor)
    return np.round(np.log10(major), 6).tolist(), minor, [text for text in numbers if text]


def test_ticks_are_at_decades_and_between_them_where_there_is_room():
    major, minor, numbers = ticks(1e15, 1e20)
    assert set(range(15, 21)) <= {*major}
    assert {round(m / 10 ** np.floor(np.log10(m))) for m in minor} == set(range(1, 10)) - {1}
    assert numbers == []
    assert ticks(1e20, 1e15)[0] == major  # upside down
    # Every decade has one, as long as their numbers do not touch.
    for count, inches in ((14, 3.0), (9, 1.5), (5, 0.8)):
        every = set(range(10, 11 + count))
        assert every <= {*ticks(1e10, 10.0 ** (10 + count), inches)[0]}
    # Less than 0.2 inches a decade have ticks at 2 and 5 alone, less than 0.12 none but decades.
    for inches, subs in ((1.01, set(range(2, 10))), (0.99, {2, 5}), (0.61, {2, 5}), (0.59, {1})):
        _, minor, _ = ticks(1e15, 1e20, inches)
        found = {round(m / 10 ** np.floor(np.log10(m) + 1e-9)) for m in minor}
        assert found - {1} == subs - {1}, inches
    assert len(ticks(1e-1, 1e15, 4.0)[1]) > 100
    assert len(ticks(1e-2, 1e15, 4.0)[1]) == 0  # of more than sixteen decades
    assert len(ticks(1e15, 1e20, 0.3)[0]) < 6
    assert len(ticks(1e15, 1.01e16)[2]) == 0
    assert ticks(1.5e17, 4e17)[2]


def test_right_axes_stand_beyond_the_labels_of_those_before():
    made = canvas(three_kinds())
    set_value_limits([made])
    spread_right_axes(made)
    _, first, second = made.values().values()
    kind, outward = second.spines["right"].get_position()
    end = first.yaxis.get_tightbbox(made.figure.canvas.get_renderer()).x1
    assert kind == "outward"
    assert outward == pytest.approx((end - made.ax.bbox.x1) * 72 / 50 + 5, abs=0.06)
    assert first.spines["right"].get_position() == ("outward", 0)


@pytest.mark.parametrize("limits", [3, "ab", (1,), (1, 2, 3), {1: 2}, xr.DataArray([1.0, 2.0])])
def test_limits_are_a_pair(limits):
    with pytest.raises(ValueError, match=r"^xlim=.*; expected \(low, high\)$"):
        set_depth_limits([canvas(B, xlim=limits)])


def test_a_pair_may_be_an_array():
    made = canvas(B, xlim=np.array([20.0, 60.0]))
    set_depth_limits([made])
    assert made.ax.get_xlim() == (20, 60)
