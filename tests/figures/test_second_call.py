"""A second call on the same axes reads what is there, and limits that the user has set stay."""

import artists
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from error_parts import warns

import sims_analysis as sims
from sims_analysis.errors import ProfileWarning

mpl.use("Agg")


def low():
    return artists.profiles(As=np.clip(1e20 * np.exp(-artists.DEPTHS / 5), 1e13, None))


def test_shades_and_lines_of_the_first_call_reach_the_floor_of_the_second():
    ds = artists.profiles(B=artists.gaussian())
    xj = sims.junction_depth(ds, level="1e17 atoms/cm^3")
    ax = artists.sketched(ds, dose=sims.integrated_dose(ds), junctions=xj)
    artists.sketched(low(), ax)
    floor = min(ax.get_ylim())
    assert floor < 1e13
    (shade,) = ax.collections
    assert shade.get_paths()[0].vertices[:, 1].min() < floor
    dotted = [line for line in ax.lines if line.get_linestyle() == ":"]
    assert min(line.get_ydata()[0] for line in dotted) < floor


@pytest.mark.slow
def test_one_list_holds_the_results_of_both_calls_and_explanations_last():
    ds = artists.profiles(B=artists.gaussian(floor=0.0).round(-15))
    ax = artists.sketched(ds, junctions=sims.junction_depth(ds, level="1e17 atoms/cm^3"))
    assert artists.notes(ax)[-1] == "zero"
    artists.sketched(low(), ax, peak=sims.peak(low()))
    assert [text.split()[0] for text in artists.notes(ax)][1:] == ["peak", "zero"]
    assert "17" in artists.notes(ax)[0]


def test_limits_of_the_user_stay_and_ours_are_widened():
    ax = artists.sketched(artists.profiles(B=artists.gaussian()))
    ax.set_xlim(10, 50)
    artists.sketched(low(), ax)
    assert ax.get_xlim() == (10, 50)
    # Values are scaled to the depths that are seen.
    assert ax.get_ylim() == pytest.approx((1e15, 1e20))
    ax.set_ylim(1e16, 1e19)
    artists.sketched(artists.profiles(P=np.full(50, 1e12)), ax)
    assert ax.get_ylim() == (1e16, 1e19)


def test_a_renamed_axis_is_known_by_what_it_shows():
    ax = artists.sketched(artists.profiles(B=artists.gaussian()))
    ax.set_ylabel("[B] (cm$^{-3}$)")
    artists.sketched(low(), ax)
    assert len(ax.figure.axes) == 1
    assert len(artists.lines(ax)) == 2


@pytest.mark.slow
def test_a_second_call_in_a_panel_widens_it():
    panels = sims.plot_panels({"a": artists.profiles(B=artists.gaussian()),
                               "b": artists.profiles(B=artists.gaussian(1e18))})  # fmt: skip
    sizes = [label.get_fontsize() for label in panels[1].get_xticklabels()]
    sims.plot_profiles(low(), panels[1])
    assert [label.get_fontsize() for label in panels[1].get_xticklabels()] == sizes
    assert panels[1].get_ylim()[0] < 1e13
    assert panels[0].get_ylim()[0] > 5e14


# --- limits -------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_left_axis_has_its_room_above_and_right_axes_below_their_data():
    wide, narrow = np.geomspace(1e3, 1e7, 50), np.geomspace(1.1e15, 9e15, 50)
    left, right = artists.axes(artists.sketched(
        artists.profiles(B=narrow, Ga=(wide, "counts/s")))).values()  # fmt: skip
    assert left.get_ylim() == pytest.approx((1e15, 2e19), rel=0.003)
    assert right.get_ylim() == pytest.approx((1e3, 2e7), rel=0.003)
    left, right = artists.axes(artists.sketched(
        artists.profiles(B=1e12 * wide, Ga=(1e-12 * narrow, "counts/s")))).values()  # fmt: skip
    assert left.get_ylim() == pytest.approx((1e15, 2e19), rel=0.003)
    assert right.get_ylim() == pytest.approx((1, 2e4), rel=0.003)


@pytest.mark.parametrize("scale", ["log", "linear"])
def test_none_leaves_a_limit_to_the_data(scale):
    y = artists.gaussian() if scale == "log" else 1e18 * np.cos(artists.DEPTHS / 20)
    ds = artists.profiles(B=y)
    auto = artists.sketched(ds, scale=scale).get_ylim()
    assert auto[0] <= y.min() < y.max() <= auto[1]
    lower, upper = (1e16, 1e18) if scale == "log" else (0.0, 5e17)
    assert artists.sketched(ds, scale=scale, ylim=(lower, None)).get_ylim() == (lower, auto[1])
    assert artists.sketched(ds, scale=scale, ylim=(None, upper)).get_ylim() == (auto[0], upper)
    assert artists.sketched(ds, scale=scale, xlim=(None, 50)).get_xlim() == (0, 50)


@pytest.mark.parametrize("limits", [{"xlim": (200, 300)}, {"ylim": (1e22, 1e23)}])
def test_limits_that_show_no_curve_are_warned_of(limits, approved):
    with warns(ProfileWarning, "not_shown", *limits, text=approved):
        artists.sketched(artists.profiles(B=artists.gaussian()), **limits)


def test_marks_are_clipped_after_the_limits_have_changed():
    y = artists.gaussian(floor=0.0)
    y[40:] = 0.0
    ax = artists.sketched(artists.profiles(B=y))
    ax.set_xlim(0, 50)
    (mark,) = [line for line in ax.lines if line.get_marker() == "v"]
    at = ax.transData.transform(np.column_stack([mark.get_xdata(), np.ones(len(mark.get_xdata()))]))
    assert (at[:, 0] > mark.get_clip_box().x1).all()


@pytest.mark.slow
def test_axes_at_one_place_are_told_from_those_that_only_share_their_depths():
    _, (top, bottom) = plt.subplots(2, 1, sharex=True)
    data = artists.profiles(B=artists.gaussian(), Ga=(np.full(50, 2e5), "counts/s"))
    sims.plot_profiles(data, top)
    sims.plot_profiles(data, bottom)
    first, second = (list(artists.axes(ax).values()) for ax in (top, bottom))
    assert (first[0], second[0]) == (top, bottom)
    assert {*first}.isdisjoint(second)
    assert len(first) == len(second) == 2


def test_other_samples_of_a_species_have_a_name_a_dash_and_results_of_their_own():
    first, second = (artists.profiles(B=artists.gaussian(dose)) for dose in (1e19, 1e18))
    ax = artists.sketched(first, peak=sims.peak(first))
    artists.sketched({"W2": second}, ax, peak={"W2": sims.peak(second)})
    lines = [line for line in ax.lines if line.get_label() in ("B", "B, W2")]
    assert [line.get_linestyle() for line in lines] == ["-", "--"]
    assert {"B", "B, W2"} <= {*artists.direct(ax)}
    assert any("peak(B, W2)" in text for text in artists.notes(ax))
    artists.sketched(first, ax)
    assert artists.direct(ax).count("B") == 1
