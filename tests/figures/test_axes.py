"""Axes: right ones stand apart, later calls agree with earlier ones, limits follow the data."""

import itertools

import drawn
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

import sims_analysis as sims
from sims_analysis.errors import UnitsError

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


@pytest.mark.slow
def test_a_second_call_keeps_the_left_axis_for_its_quantity():
    ax = sims.plot_profiles(drawn.profiles(Mg=drawn.gaussian()))
    sims.plot_profiles(drawn.profiles(Ga=(np.full(50, 2e5), "counts/s")), ax)
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


@pytest.mark.slow
def test_what_an_instrument_writes_for_nothing_does_not_set_the_range():
    for low in (0.001, 0.0):
        ax = sims.plot_profiles(fills(low))
        assert 0.1 < min(ax.get_ylim()) < 2.0
        line = drawn.lines(ax)[0].get_ydata()
        assert np.nanmin(line) > 0.1
    assert any("0.001 counts/s (fill value)" in text for text in drawn.notes(
        sims.plot_profiles(fills())))  # fmt: skip


@pytest.mark.slow
def test_data_of_many_decades_are_no_fill_values():
    y = 1e20 * 10.0 ** -(np.arange(30.0) ** 1.2) / 3
    assert np.nanmin(drawn.lines(sims.plot_profiles(drawn.profiles(B=y)))[0].get_ydata()) == y.min()


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
    ax = sims.plot_profiles(drawn.profiles(B=(y, "counts")))
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
    ax = sims.plot_profiles(
        data, xlim=("10 nm", 0.05), ylim=("1e16 atoms/cm^3", None), depth_units="um"
    )
    assert ax.get_xlim() == pytest.approx((0.01, 0.05))
    assert ax.get_ylim()[0] == pytest.approx(1e16)
    with pytest.raises(UnitsError, match="xlim"):
        sims.plot_profiles(data, xlim=("10 s", None))


def test_values_in_another_unit():
    data = drawn.profiles(B=drawn.gaussian())
    ax = sims.plot_profiles(data, value_units="1/m^3", detection_limit="1e16 atoms/cm^3")
    assert ax.get_ylabel() == "Concentration (1/m³)"
    np.testing.assert_allclose(
        np.nanmax(drawn.lines(ax)[0].get_ydata()), 1e6 * drawn.gaussian().max()
    )
    assert any(np.allclose(line.get_ydata(), 1e22) for line in ax.lines)
    with pytest.raises(UnitsError, match="value_units"):
        sims.plot_profiles(data, value_units="counts/s")


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


@pytest.mark.slow
def test_axes_that_share_their_limits_show_all_curves():
    _, axs = plt.subplots(1, 3, sharey=True)
    for ax, top in zip(axs, (8e18, 8e14, 8e17), strict=True):
        sims.plot_profiles(drawn.profiles(B=drawn.gaussian(top, floor=top / 5)), ax)
    assert axs[0].get_ylim() == axs[2].get_ylim() == (1e14, 1e19)
    axs[1].set_ylim(1e10, 1e22)
    sims.plot_profiles(drawn.profiles(P=drawn.gaussian(1e20)), axs[2])
    assert axs[0].get_ylim() == (1e10, 1e22)  # the user's stay
    _, axs = plt.subplots(2, 1, sharex=True)
    for ax, count in zip(axs, (50, 20), strict=True):
        sims.plot_profiles(drawn.profiles(B=drawn.gaussian()[:count]), ax)
    assert axs[0].get_xlim() == (0.0, 98.0)


@pytest.mark.slow
def test_the_label_of_the_values_fits_the_narrowest_figure():
    ax = sims.plot_profiles(drawn.profiles(B=drawn.gaussian()), width="30 mm")
    ax.figure.draw_without_rendering()
    box = ax.yaxis.label.get_window_extent()
    assert 0 <= box.y0 < box.y1 <= ax.figure.bbox.height
