"""Models over their data."""

import artists
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from error_parts import raises, warns
from scipy.special import ndtr

import sims_analysis as sims
from sims_analysis.errors import FitWarning, ProfileError

mpl.use("Agg")

#: Of the data, so that the residuals are known.
FACTOR = 1.25
C = artists.gaussian(floor=0.0)


@pytest.fixture(scope="module")
def fit():
    """A fit of a Gaussian that is higher than the data by the factor."""
    return sims.fit(artists.profiles(B=FACTOR * C), model="gaussian", weights="none")


def fitted(ax):
    return [line for line in ax.lines if line.get_gid() == "fit"]


def test_a_fit_is_drawn_over_its_data_and_named(fit):
    ax = artists.sketched(artists.profiles(B=C, P=artists.gaussian(1e18)), fits=fit)
    (line,) = fitted(ax)
    np.testing.assert_allclose(line.get_ydata()[::4], FACTOR * C)
    assert artists.notes(ax) == ["fit"]


def test_a_fit_follows_the_units_of_its_data(fit):
    data = artists.profiles(B=C)
    ax = artists.sketched(data, fits=fit, value_units="1/m^3", depth_units="um")
    (line,) = fitted(ax)
    np.testing.assert_allclose(line.get_ydata()[::4], 1e6 * FACTOR * C)
    assert line.get_xdata().max() == pytest.approx(artists.DEPTHS.max() / 1000)


def test_residuals_are_the_logarithm_of_the_ratio_where_no_error_is_stated(fit):
    ax = sims.plot_profiles(artists.profiles(B=C), fits=fit, residuals=True)
    below = ax.figure.axes[1]
    np.testing.assert_allclose(below.lines[0].get_ydata(), -np.log10(FACTOR))
    assert below.get_xlabel() == "Depth (nm)"
    assert ax.get_xlabel() == ""
    assert below.get_position().y1 < ax.get_position().y0


@pytest.mark.slow
def test_a_fit_belongs_to_its_species_whatever_is_drawn_first(fit):
    data = artists.profiles(P=artists.gaussian(1e18), B=C)
    ax = sims.plot_profiles(data, fits=fit, residuals=True)
    (line,) = fitted(ax)
    np.testing.assert_allclose(line.get_ydata()[::4], FACTOR * C)
    (left, zero) = ax.figure.axes[1].lines
    np.testing.assert_allclose(left.get_ydata(), -np.log10(FACTOR))
    assert set(zero.get_ydata()) == {0}


@pytest.mark.slow
@pytest.mark.parametrize(("own", "height"), [(True, 4.0 / 3.0), (False, 1.0)])
def test_residuals_take_a_quarter_and_the_figure_grows_by_it_if_it_is_ours(own, height, fit):
    data = artists.profiles(B=C)
    options = {"labels": "none", "notes": False}
    plain = sims.plot_profiles(data, **options).figure.get_size_inches()[1]
    ax = None if own else plt.subplots(figsize=(4, plain), layout="constrained")[1]
    ax = sims.plot_profiles(data, ax, fits=fit, residuals=True, **options)
    ax.figure.draw_without_rendering()
    below = ax.figure.axes[1]
    assert ax.figure.get_size_inches()[1] == pytest.approx(height * plain)
    assert ax.bbox.height / below.bbox.height == pytest.approx(3, rel=0.02)
    ax.set_xlim(2, 7)
    assert below.get_xlim() == (2, 7)
    assert not any(tick.label1.get_visible() for tick in ax.xaxis.get_major_ticks())


def test_residuals_are_in_standard_errors_where_these_are_stated(fit):
    data = artists.profiles(B=C)
    data["concentration_stderr"] = (0.05 * data["concentration"]).assign_attrs(units="atom/cm^3")
    below = sims.plot_profiles(data, fits=fit, residuals=True).figure.axes[1]
    np.testing.assert_allclose(below.lines[0].get_ydata(), (1 - FACTOR) / 0.05)


def test_what_was_listed_below_residuals_goes_with_cleared_axes(fit):
    ax = sims.plot_profiles(artists.profiles(B=C), fits=fit, residuals=True)
    below = ax.figure.axes[1]
    assert len(below.artists) == 1
    ax.clear()
    sims.plot_profiles(artists.profiles(P=C), ax)
    assert not below.artists


def test_a_fit_without_a_curve_has_no_residuals():
    with pytest.warns(FitWarning, match="featureless"):
        none = sims.fit(artists.profiles(B=0 * C), model="gaussian", weights="none")
    assert (
        len(sims.plot_profiles(artists.profiles(B=C), fits=none, residuals=True).figure.axes) == 1
    )


def test_residuals_need_axes_in_a_grid(fit, approved):
    ax = plt.figure().add_axes((0.1, 0.1, 0.8, 0.8))
    with raises(ValueError, text=approved):
        sims.plot_profiles(artists.profiles(B=C), ax, fits=fit, residuals=True)


@pytest.mark.slow
def test_a_real_fit_is_drawn_inside_its_window_alone():
    data = sims.open_example("boron-implant").sel(species=["B"])
    data = sims.with_counting_statistics(data, value_per_count="1e14 atoms/cm^3")
    held = {"head_skewness": 0, "head_kurtosis": 3}
    fit = sims.fit(data, model="dual_pearson", start="20 nm", background="fit", fixed=held)
    ax = sims.plot_profiles(data, fits=fit, residuals=True)
    (line,) = fitted(ax)
    assert np.nanmin(line.get_xdata()[np.isfinite(line.get_ydata())]) >= 20
    (left, *_) = ax.figure.axes[1].lines
    # Of counts, in their standard errors: the surface transient, at 400 of them, took no part.
    shown = left.get_ydata()[np.isfinite(left.get_ydata())]
    assert shown.size > 150
    assert np.abs(shown).max() < 6


@pytest.mark.slow
def test_the_labels_of_both_panels_have_room(fit):
    data = artists.profiles(B=C)
    data["concentration_stderr"] = (0.05 * data["concentration"]).assign_attrs(units="atom/cm^3")
    for one in (data, data[["concentration"]]):
        ax = sims.plot_profiles(one, fits=fit, residuals=True)
        ax.figure.canvas.draw()
        above, below = (a.yaxis.label.get_window_extent() for a in ax.figure.axes[:2])
        assert below.y1 < above.y0


def test_residuals_are_asked_for_or_not(fit, approved):
    with raises(ValueError, text=approved):
        sims.plot_profiles(artists.profiles(B=C), fits=fit, residuals="yes")


@pytest.mark.slow
def test_a_fit_without_parameters_leaves_its_data_as_they_are():
    data = artists.profiles(B=artists.gaussian())
    with warns(FitWarning, "no_sample_in_window", species="B"):
        fit = sims.fit(data, model="gaussian", start="1 mm")
    ax = sims.plot_profiles(data, fits=fit, residuals=True)
    assert not fitted(ax)
    assert len(ax.figure.axes) == 1
    assert artists.notes(ax) == ["fit of B (gaussian): no data"]


@pytest.mark.parametrize("given", [3, "gaussian", {"": 3.0}])
def test_what_is_no_fit_is_not_drawn(given):
    with raises(ProfileError, argument="fits"):
        artists.sketched(artists.profiles(B=artists.gaussian()), fits=given)


@pytest.mark.slow
def test_several_fits_of_one_profile_are_told_apart():
    data = artists.profiles(B=artists.gaussian(floor=0.0), P=artists.gaussian(1e18, floor=0.0))
    names = ("gaussian", "joined_gaussian")
    fits = [sims.fit(data.sel(species=["B"]), model=name) for name in names]
    fits.append(sims.fit(data.sel(species=["P"]), model="gaussian"))
    ax = sims.plot_profiles(data, fits=fits, residuals=True)
    first, second, other = (line.get_linestyle() for line in fitted(ax))
    assert first == other == "--"
    assert second == ":"
    assert [line.get_marker() for line in ax.figure.axes[1].lines[:3]] == [".", "+", "."]
    assert artists.notes(ax) == ["fit: gaussian", "fit: joined_gaussian"]


@pytest.mark.slow
def test_a_fit_below_zero_is_drawn_on_a_linear_axis():
    z = np.linspace(0, 100, 101)
    c = 1e20 * ndtr((z - 50) / 5) - 1e19
    data = xr.DataArray(
        c, {"depth": ("depth", z, {"units": "nm"})}, ("depth",), "concentration",
        {"units": "atom/cm^3"},
    )  # fmt: skip
    fit = sims.fit(data, model="edge", weights="none")
    ax = sims.plot_profiles(data * 1.1, fits=fit, residuals=True, scale="linear")
    (line,) = fitted(ax)
    np.testing.assert_allclose(line.get_ydata()[::4], c, rtol=1e-6)
    below = ax.figure.axes[1]
    np.testing.assert_allclose(below.lines[0].get_ydata(), 0.1 * c / (1.1 * c.max()), rtol=1e-5)
    assert below.get_ylabel() == "residual / max"


def test_data_over_time_have_no_place_for_a_fit(fit):
    data = artists.profiles(B=C).rename(depth="sputter_time")
    data["sputter_time"].attrs["units"] = "s"
    with raises(ProfileError, "mixed_axes", argument="fits") as caught:
        artists.sketched(data, fits=fit)
    assert "over depth, but 'B' is over sputter_time" in str(caught.value)


@pytest.mark.slow
def test_a_fit_whose_curve_is_not_to_be_trusted_is_listed(fit):
    def listed(**words):
        known = {name: ("species", [word]) for name, word in words.items()}
        return artists.notes(artists.sketched(artists.profiles(B=C), fits=fit.assign(known)))

    assert listed() == listed(status="at_bound") == ["fit"]
    assert listed(curve_status="at_bound") == ["fit of B (gaussian): at bound", "fit"]


@pytest.mark.parametrize(("scale", "level"), [("log", 1.3), ("linear", 1.04)])
def test_a_resolution_is_a_bar_above_the_maximum(scale, level):
    data = sims.with_counting_statistics(
        artists.profiles(B=artists.gaussian()), value_per_count="1e15 atoms/cm^3"
    )
    found = sims.deconvolve(data, resolution="4 nm")
    ax = artists.sketched(data, restored=found, scale=scale)
    (bar,) = [line for line in ax.lines if line.get_gid() == "resolution"]
    (line,) = [line for line in ax.lines if line.get_gid() == "restored"]
    c = found["concentration"].values[0]
    np.testing.assert_allclose(bar.get_ydata(), level * np.nanmax(c))
    at = int(np.nanargmax(c))
    length = found["achieved_resolution"].values[0][at]
    assert np.diff(bar.get_xdata())[0] == pytest.approx(length)
    assert bar.get_xdata().mean() == pytest.approx(artists.DEPTHS[at])
    assert ax.get_ylim()[1] > bar.get_ydata()[0]
    assert {"restored", "achieved resolution"} <= {*artists.notes(ax)}
    assert line.get_zorder() > artists.lines(ax)[0].get_zorder()


def test_residuals_beyond_a_fit_or_without_an_error_are_none(fit):
    data = artists.profiles(B=C)
    stderr = np.where(artists.DEPTHS < 20, 0.0, C)
    data["concentration_stderr"] = data["concentration"].copy(data=stderr[None])
    part = fit.copy(deep=True)
    part["window_start"][:], part["window_stop"][:] = 30.0, 80.0
    ax = sims.plot_profiles(data, fits=[fit, part], residuals=True)
    first, second = ax.figure.axes[1].lines[:2]
    np.testing.assert_array_equal(np.isfinite(first.get_ydata()), artists.DEPTHS >= 20)
    inside = (artists.DEPTHS >= 30) & (artists.DEPTHS <= 80)
    np.testing.assert_array_equal(np.isfinite(second.get_ydata()), inside)
    assert first.get_marker() == second.get_marker() == "."


def test_a_model_is_matched_with_the_data_of_its_measurement_in_their_unit(fit):
    data = {name: artists.profiles(B=C) for name in "ab"}
    ax = artists.sketched(data, fits={"b": fit}, value_units="1/m^3")
    (line,) = fitted(ax)
    np.testing.assert_allclose(line.get_ydata()[::4], 1e6 * FACTOR * C)
