"""Axes: later calls agree with earlier ones, limits follow the data."""

import artists
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from error_parts import raises

import sims_analysis as sims
from sims_analysis.errors import UnitsError
from sims_analysis.figures.axes import decades

mpl.use("Agg")


def test_a_second_call_keeps_the_left_axis_for_its_quantity():
    ax = artists.sketched(artists.profiles(Mg=artists.gaussian()))
    artists.sketched(artists.profiles(Ga=(np.full(50, 2e5), "counts/s")), ax)
    assert ax.get_ylabel() == "Concentration (atoms/cm³)"
    (line,) = artists.lines(artists.axes(ax)["Intensity (counts/s)"])
    assert line.axes is not ax


@pytest.mark.slow
def test_a_second_call_keeps_the_style_of_the_first():
    ax = sims.plot_profiles(artists.profiles(Mg=artists.gaussian()))
    sizes = [label.get_fontsize() for label in ax.get_yticklabels()]
    sims.plot_profiles(artists.profiles(P=artists.gaussian(1e18)), ax)
    assert [label.get_fontsize() for label in ax.get_yticklabels()] == sizes
    assert len({text.get_fontsize() for text in artists.direct_texts(ax)}) == 1
    assert len({line.get_linewidth() for line in artists.lines(ax)}) == 1


@pytest.mark.slow
def test_a_font_size_of_the_user_reaches_every_text():
    with plt.rc_context({"font.size": 13.0}):
        ax = sims.plot_profiles(artists.wafers(2), width="double", labels="legend")
        texts = [ax.xaxis.label, ax.yaxis.label, *ax.get_xticklabels()]
        texts += artists.named(ax).get_texts()
        assert {text.get_fontsize() for text in texts} == {13.0}


def fills(low=0.001):
    y = np.concatenate([1e5 * np.exp(-artists.DEPTHS[:30] / 5) + 2.0, np.full(20, 2.0)])
    y[25::3] = low
    return artists.profiles(In=(y, "counts/s"))


def test_what_an_instrument_writes_for_nothing_does_not_set_the_range():
    for low in (0.001, 0.0):
        ax = artists.sketched(fills(low))
        assert 0.1 < min(ax.get_ylim()) < 2.0
        line = artists.lines(ax)[0].get_ydata()
        assert np.nanmin(line) > 0.1
    assert any("0.001 counts/s (fill value)" in text for text in artists.notes(
        artists.sketched(fills())))  # fmt: skip


def test_data_of_many_decades_are_no_fill_values():
    y = 1e20 * 10.0 ** -(np.arange(30.0) ** 1.2) / 3
    ax = artists.sketched(artists.profiles(B=y))
    lowest = min(np.nanmin(line.get_ydata()) for line in ax.lines if line.get_marker() != "v")
    assert lowest == y[y > 1e-12 * y[0]].min()
    assert not any("fill value" in text for text in artists.notes(ax))


@pytest.mark.slow
def test_zeros_of_many_species_have_rows_of_marks_that_do_not_touch():
    y = artists.gaussian(floor=0.0).round(-14)
    ax = sims.plot_profiles(artists.profiles(B=y, P=y * 2, As=y * 3, Sb=y * 4))
    marks = [line for line in ax.lines if line.get_marker() == "v"]
    assert len(marks) == 4
    assert len({float(mark.get_ydata()[0]) for mark in marks}) == 4
    for mark in marks:
        step = np.diff(mark.get_xdata()).min() / np.ptp(ax.get_xlim())
        assert step * ax.bbox.width * 72 / ax.figure.dpi > 2.0
    # A mark at the edge is whole, and one outside is not drawn.
    for mark in marks:
        left, right = (mark.get_clip_box().x0, mark.get_clip_box().x1)
        assert left < ax.bbox.x0 < ax.bbox.x1 < right
        assert right - left < 1.05 * ax.bbox.width
    alone = sims.plot_profiles(artists.profiles(B=y))
    assert min(ax.get_ylim()) == pytest.approx(min(alone.get_ylim()))


def test_short_keywords_of_matplotlib():
    ax = sims.plot_profiles(artists.profiles(B=artists.gaussian()), c="red", lw=3, ls="--")
    (line,) = artists.lines(ax)
    assert (line.get_color(), line.get_linewidth(), line.get_linestyle()) == ("red", 3, "--")


def test_axes_that_share_their_limits_show_all_curves():
    _, axs = plt.subplots(1, 3, sharey=True)
    for ax, top in zip(axs, (8e18, 8e14, 8e17), strict=True):
        artists.sketched(artists.profiles(B=artists.gaussian(top, floor=top / 5)), ax)
    assert axs[0].get_ylim() == axs[2].get_ylim() == pytest.approx((1e14, 2e19), rel=0.003)
    axs[1].set_ylim(1e10, 1e22)
    artists.sketched(artists.profiles(P=artists.gaussian(1e20)), axs[2])
    assert axs[0].get_ylim() == (1e10, 1e22)  # the user's stay
    _, axs = plt.subplots(2, 1, sharex=True)
    for ax, count in zip(axs, (50, 20), strict=True):
        artists.sketched(artists.profiles(B=artists.gaussian()[:count]), ax)
    assert axs[0].get_xlim() == (0.0, 98.0)


@pytest.mark.slow
def test_the_label_of_the_values_fits_the_narrowest_figure():
    ax = sims.plot_profiles(artists.profiles(B=artists.gaussian()), width="30 mm")
    ax.figure.draw_without_rendering()
    box = ax.yaxis.label.get_window_extent()
    assert 0 <= box.y0 < box.y1 <= ax.figure.bbox.height


@pytest.mark.few(3)
@pytest.mark.parametrize(
    ("values", "limits"),
    [([1e5], (1e4, 1e6)), ([2e5], (1e5, 1e6)), ([1e3, 1e5 * (1 + 1e-12)], (1e3, 2e5)),
     ([5e3, 1.04e3, 1.04e3], (500, 1e4)), ([5e3, 1.06e3, 1.06e3], (1e3, 1e4)),
     ([-1.0, 0.0, 2e3, 3e3], (500, 1e4))],
)  # fmt: skip
def test_a_log_axis_runs_over_whole_decades_with_room_for_what_is_on_its_floor(values, limits):
    ax = artists.sketched(artists.profiles(B=(values, "counts")))
    assert ax.get_ylim() == pytest.approx(limits, rel=0.003)


@pytest.mark.parametrize(
    ("values", "limits"), [([4.0, 4.0], (2, 6)), ([-4.0], (-6, -2)), ([0.0], (-0.5, 0.5)),
                           ([-1.0, 3.0], (-1.2, 3.2))],
)  # fmt: skip
def test_a_linear_axis_has_room_around_its_data(values, limits):
    ax = artists.sketched(artists.profiles(B=(values, "counts")), scale="linear")
    assert ax.get_ylim() == pytest.approx(limits)


@pytest.mark.parametrize(
    ("depths", "limits"), [([2.0, 50, 80], (0, 80)), ([20.0, 80], (20, 80)), ([-3.0, 80], (-3, 80)),
                           ([0.0], (-0.5, 0.5)), ([4.0], (3.5, 4.5))],
)  # fmt: skip
def test_depths_run_from_the_surface_to_the_end_of_the_data(depths, limits):
    one = sims.DepthProfile(species_name="B", depths=depths, depth_units="nm",
                            concentrations=np.linspace(1, 2, len(depths)).tolist(),
                            concentration_units="counts")  # fmt: skip
    assert artists.sketched(sims.to_dataset([one])).get_xlim() == limits


# --- limits and units of the user ---------------------------------------------------------------


B = artists.profiles(B=artists.gaussian())


@pytest.mark.slow
def test_a_depth_axis_is_in_the_unit_that_is_wanted_and_a_deep_one_in_micrometres():
    seconds = 1000 * artists.DEPTHS  # no depth, however many
    timed = artists.profiles(axis="s", depths=seconds, B=(artists.DEPTHS, "counts/s"))
    assert artists.sketched(B).get_xlabel() == "Depth (nm)"
    assert artists.sketched(timed).get_xlabel() == "Sputter time (s)"
    ax = artists.sketched(B, depth_units="um")
    assert (ax.get_xlabel(), ax.get_xlim()[1]) == ("Depth (µm)", 0.098)
    artists.sketched(artists.profiles(P=artists.gaussian()), ax)
    assert artists.lines(ax)[1].get_xdata()[-1] == pytest.approx(0.098)
    with raises(UnitsError, argument="depth_units"):
        artists.sketched(B, ax, depth_units="nm")
    with raises(UnitsError, argument="depth_units"):
        artists.sketched(timed, depth_units="um")
    with raises(UnitsError, "mixed_axes"):
        artists.sketched({"a": B, "b": timed})
    with raises(UnitsError, argument="depth_units"):
        artists.sketched(timed, ax)
    panels = sims.plot_panels({"a": B, "b": timed}, columns=1)
    assert [each.get_xlabel() for each in panels] == ["Depth (nm)", "Sputter time (s)"]
    deep = artists.profiles(axis="um", B=artists.gaussian())
    ax = artists.sketched(deep)
    assert (ax.get_xlabel(), ax.get_xlim()) == ("Depth (µm)", (0, 98))
    assert artists.sketched(deep, depth_units="nm").get_xlim() == (0, 98000)


@pytest.mark.parametrize(
    ("name", "limits", "found"),
    [("xlim", None, (0, 98)), ("xlim", (5, None), (5, 98)), ("xlim", ("9 nm", 5), (9, 5)),
     ("xlim", [None, "2 um"], (0, 2000)), ("ylim", (1e3, "2e17 1/cm^3"), (1e3, 2e17)),
     ("xlim", np.array([20.0, 60.0]), (20, 60))],
)  # fmt: skip
def test_limits_have_a_unit_or_that_of_the_axis(name, limits, found):
    ax = artists.sketched(B, **{name: limits})
    assert getattr(ax, f"get_{name}")() == pytest.approx(found)


def test_limits_that_cannot_be_are_refused(approved):
    data = artists.profiles(B=artists.gaussian(1e19, floor=2e15)[:50])
    depths = [3, "ab", (1,), (1, 2, 3), {1: 2}, xr.DataArray([1.0, 2.0]), (5, 5.0), (np.inf, 5)]
    values = [(0.0, None), (None, -1)]
    every = [*({"xlim": one} for one in depths), *({"ylim": one} for one in values)]
    for limits in every:
        with raises(ValueError, text=approved):
            artists.sketched(data, scale="log", **limits)


@pytest.mark.slow
def test_right_axes_have_as_many_decades_and_the_power_of_a_linear_axis_is_typeset():
    data = artists.profiles(B=artists.gaussian(floor=2e15), Ga=(np.full(50, 2e5), "counts/s"))
    left, right = artists.axes(artists.sketched(data, ylim=(None, "2e25 1/m^3"))).values()
    assert left.get_ylim() == pytest.approx((1e15, 2e19))
    assert right.get_ylim() == pytest.approx((1e1, 1e6))
    linear = artists.sketched(data.sel(species=["B"]), scale="linear")
    linear.figure.draw_without_rendering()
    assert "10^{19}" in linear.yaxis.get_offset_text().get_text()


def test_each_of_two_right_axes_has_the_colour_of_its_curve():
    al, ga = (np.full(50, 0.1), "at%"), (np.full(50, 2e5), "counts/s")
    ax = plt.figure(layout="constrained").add_subplot()
    artists.sketched(artists.profiles(B=artists.gaussian(), Al=al, Ga=ga), ax)
    assert len({one.yaxis.label.get_color() for one in artists.axes(ax).values()}) == 3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("inches", "subs"), [(1.6, set(range(2, 10))), (1.2, {2, 5}), (1.0, {2, 5}), (0.5, set())]
)
def test_a_decade_has_as_many_ticks_as_it_is_high(inches, subs):
    ax = plt.figure(figsize=(4, inches), dpi=50).add_axes((0.2, 0.0, 0.7, 1.0))
    artists.sketched(artists.profiles(B=artists.gaussian(1e19, floor=2e13)), ax, labels="none")
    assert decades(np.array([2e13, 1e19])) == (13, 19)
    minor = ax.yaxis.get_minorticklocs()
    found = {round(m / 10 ** np.floor(np.log10(m) + 1e-9)) for m in minor}
    assert found - {1} == subs


def test_where_there_is_no_decade_numbers_stand_between():
    ax = artists.sketched(B, ylim=(1.5e17, 4e17))
    numbers = ax.yaxis.get_minor_formatter().format_ticks(ax.yaxis.get_minorticklocs())
    assert any(numbers)


@pytest.mark.filterwarnings("ignore:.*unusual concentration")
def test_tiny_values_do_not_stretch_the_axes():
    values = artists.gaussian()
    values[-1] = 1e-55
    ax = artists.sketched(artists.profiles(B=values, P=artists.gaussian(1e17)))
    plain = artists.sketched(artists.profiles(B=artists.gaussian(), P=artists.gaussian(1e17)))
    low, high = (each.get_ylim() for each in (ax, plain))
    assert low[1] == high[1]
    assert low[0] >= 0.4 * high[0]
    assert artists.notes(ax) == ["below 10$^{-12}$ of the maximum"]
    # Values of one curve are no smaller than a log axis can show beside another one.
    faint = artists.sketched(artists.profiles(B=artists.gaussian(), P=np.full(50, 1e-40)))
    assert faint.get_ylim()[0] >= 1e6
