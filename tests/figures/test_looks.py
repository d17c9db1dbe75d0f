"""What a figure looks like under style sheets, on crowded axes and at the edges of the data."""

from itertools import pairwise

import artists
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

import sims_analysis as sims
from sims_analysis.figures.colours import COLOURS, background, visible_colour

mpl.use("Agg")


def profiles(**values):
    return artists.profiles(depths=np.arange(50.0), **values)


def falling(scale=1e18):
    return scale * np.exp(-np.arange(50.0) / 5), "atoms/cm^3"


def shaded(ax):
    (area,) = ax.collections
    x = area.get_paths()[0].vertices[:, 0]
    return float(x.min()), float(x.max())


# --- the window of a dose ---


@pytest.mark.parametrize("function", [sims.integrated_dose, sims.dose_budget])
def test_only_the_window_that_was_integrated_is_shaded(function):
    ds = profiles(B=falling())
    ax = artists.sketched(ds, dose=function(ds, start="5 nm", stop="0.02 um"))
    assert shaded(ax) == pytest.approx((5.0, 20.0))
    ax = artists.sketched(ds, dose=function(ds, stop="30 nm"))
    assert shaded(ax) == pytest.approx((0.0, 30.0))
    ax = artists.sketched(ds, dose=function(ds))
    assert shaded(ax) == pytest.approx((0.0, 49.0))


def test_a_budget_without_the_surface_is_shaded_below_it():
    ds = profiles(B=falling())
    for start, begins in ((None, 8.0), ("3 nm", 8.0), ("12 nm", 12.0)):
        budget = sims.dose_budget(
            ds, start=start, stop="40 nm", surface="exclude", surface_depth="8 nm"
        )
        assert shaded(artists.sketched(ds, dose=budget)) == pytest.approx((begins, 40.0))


def test_an_unknown_window_of_a_dose_is_not_guessed():
    ds = profiles(B=falling())
    stop = sims.junction_depth(ds, level="1e17 atoms/cm^3")
    ax = artists.sketched(ds, dose=sims.integrated_dose(ds, stop=stop))
    assert shaded(ax) == pytest.approx((0.0, stop.item()))
    two = profiles(B=falling(), P=falling(1e19))
    dose = sims.integrated_dose(two, stop=sims.junction_depth(two, level="1e17 atoms/cm^3"))
    # A dose may carry its limits; without them, those of one profile are not known.
    bare = dose.drop_vars([name for name in ("start", "stop") if name in dose.coords])
    ax = artists.sketched(two, dose=bare)
    assert not ax.collections
    assert any("$Q$" in text for text in artists.notes(ax))


def test_the_line_of_a_decay_length_lies_on_the_counts_zeros_included():
    depths = np.arange(0.0, 100.0, 0.5)
    expected = 1e18 * np.exp(-depths / 10)
    counts = np.random.default_rng(3).poisson(expected / 1e15)
    ds = artists.profiles(depths=depths, B=counts * 1e15)
    ds = sims.with_counting_statistics(ds, value_per_count="1e15 atoms/cm^3")
    found = sims.decay_length(ds, start="40 nm", stop="95 nm")
    ax = artists.sketched(ds, decay_length=found)
    line = next(line for line in ax.lines if len(line.get_xdata()) == 2)
    # Many samples of the tail hold no count: a mean of the logarithms lies above those that do.
    inside = (depths >= found["start"].item()) & (depths <= found["stop"].item())
    seen = np.exp(np.interp(depths[inside], line.get_xdata(), np.log(line.get_ydata())))
    assert seen.sum() == pytest.approx(counts[inside].sum() * 1e15, rel=1e-6)


# --- style sheets ---


@pytest.mark.parametrize("colour", COLOURS)
def test_every_colour_can_be_seen_on_dark_paper(colour):
    with plt.style.context("dark_background"):
        _, ax = plt.subplots()
        seen = artists.luminance(visible_colour(colour, ax))
        contrast = (seen + 0.05) / (artists.luminance(background(ax)) + 0.05)
        # WCAG 2.1, 1.4.11: graphical objects need 3 to 1.
        assert contrast >= 3.0
    _, ax = plt.subplots()
    assert visible_colour(colour, ax) == colour


@pytest.mark.slow
def test_dark_paper_shows_black_curves_marks_and_lists():
    ds = profiles(C=falling(), Ga=falling(1e17))
    with plt.style.context("dark_background"):
        ax = sims.plot_profiles(
            ds, detection_limit="1e15 atoms/cm^3", decay_length=sims.decay_length(ds)
        )
        ax.figure.canvas.draw()
    lines = [*ax.lines, *artists.listed(ax).get_lines()]
    assert (
        min(artists.luminance(line.get_color()) for line in lines if line.get_color() != "none")
        > 0.15
    )
    chosen = sims.plot_profiles(ds, colours={"C": "black"}, labels="none")
    chosen.set_facecolor("black")
    again = sims.plot_profiles(ds, chosen, colours={"C": "black"}, labels="none")
    assert again.lines[-2].get_color() == "black"  # what the user says


@pytest.mark.slow
def test_the_grid_of_a_right_axis_does_not_cross_the_curves_of_the_left():
    y, _ = falling(1e5)
    with plt.style.context("ggplot"):
        ax = sims.plot_profiles(profiles(B=falling(), Si=(y, "counts/s")))
        ax.figure.canvas.draw()
    right = ax.figure.axes[1]
    assert any(line.get_visible() for line in ax.get_ygridlines())
    assert not any(line.get_visible() for line in right.get_ygridlines())


def test_a_style_without_edges_leaves_the_cross_of_a_peak():
    ds = profiles(B=falling())
    with plt.style.context("seaborn-v0_8"):
        ax = sims.plot_profiles(ds, peak=sims.peak(ds))
    (cross,) = [line for line in ax.lines if line.get_marker() == "+"]
    assert cross.get_markeredgewidth() > 0


# --- text ---


@pytest.mark.slow
def test_long_names_stay_above_their_own_panels():
    long = "wafer 12, lot 2026-01-15/7, annealed at 1000 °C for 10 s in nitrogen"
    ds = profiles(B=falling()).assign_attrs(source="synthetic")
    panels = sims.plot_panels({long: ds, long[::-1]: ds, "w3": ds})
    panels[0].figure.canvas.draw()
    titles = [ax.title.get_window_extent() for ax in panels]
    assert not any(a.overlaps(b) for a, b in pairwise(titles))
    assert panels[2].get_title() == "w3"
    assert panels[0].figure.get_suptitle() == "Synthetic data"


# --- edges of the data ---


@pytest.mark.parametrize("count", [1, 20])
def test_one_power_of_ten_does_not_hide_on_the_frame(count):
    ax = artists.sketched(profiles(B=(np.full(count, 1e18), "atoms/cm^3")))
    low, high = ax.get_ylim()
    assert low < 0.5e18
    assert high > 2e18


def test_a_mark_may_be_an_array_of_corners():
    corners = np.array([(0.0, 0.0), (1.0, 0.0), (0.5, 1.0)])
    ds = artists.profiles(B=[1e17, 0.0, 1e17, 0.0, 2e17])
    (line,) = artists.lines(artists.sketched(ds, marker=corners), least=5)
    np.testing.assert_array_equal(line.get_marker(), corners)
