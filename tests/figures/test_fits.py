"""Models over their data, against a model that is known."""

from dataclasses import replace
from types import SimpleNamespace

import drawn
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from scipy.special import ndtr

import sims_analysis as sims
from sims_analysis.errors import FitWarning, ProfileError
from sims_analysis.figures import fits
from sims_analysis.figures.arguments import Wanted
from sims_analysis.figures.axes import RESOLUTION
from sims_analysis.figures.canvas import Canvas
from sims_analysis.figures.curves import curves_of
from sims_analysis.figures.fits import _finer, _inside, _named, panel_below

mpl.use("Agg")

#: Of the data, so that the residuals are known.
FACTOR = 1.25


def evaluate(fit, *, depth):
    """Stand in for sims.evaluate: the profile itself, times a factor."""
    y = fit["factor"].item() * np.exp(
        np.interp(depth.values, drawn.DEPTHS, np.log(drawn.gaussian()))
    )
    return xr.DataArray(
        y[None, :],
        {"species": ["B"], "depth": ("depth", depth.values, {"units": "nm"})},
        ("species", "depth"),
        "concentration",
        {"units": "atom/cm^3"},
    )


@pytest.fixture(autouse=True)
def _models(monkeypatch):
    monkeypatch.setattr("sims_analysis.fitting.evaluation.evaluate", evaluate)


FIT = xr.Dataset({"factor": FACTOR}, attrs={"model": "stand-in"})


def fitted(ax):
    return [line for line in ax.lines if line.get_gid() == "fit"]


def test_a_fit_is_drawn_over_its_data_and_named():
    ax = drawn.sketched(drawn.profiles(B=drawn.gaussian(), P=drawn.gaussian(1e18)), fits=FIT)
    (line,) = fitted(ax)
    np.testing.assert_allclose(line.get_ydata()[::4], FACTOR * drawn.gaussian())
    assert drawn.notes(ax) == ["fit"]


def test_a_fit_follows_the_units_of_its_data():
    data = drawn.profiles(B=drawn.gaussian())
    ax = drawn.sketched(data, fits=FIT, value_units="1/m^3", depth_units="um")
    (line,) = fitted(ax)
    np.testing.assert_allclose(line.get_ydata()[::4], 1e6 * FACTOR * drawn.gaussian())
    assert line.get_xdata().max() == pytest.approx(drawn.DEPTHS.max() / 1000)


def test_residuals_are_the_logarithm_of_the_ratio_where_no_error_is_stated():
    ax = sims.plot_profiles(drawn.profiles(B=drawn.gaussian()), fits=FIT, residuals=True)
    below = ax.figure.axes[1]
    np.testing.assert_allclose(below.lines[0].get_ydata(), -np.log10(FACTOR))
    assert below.get_xlabel() == "Depth (nm)"
    assert ax.get_xlabel() == ""
    assert below.get_position().y1 < ax.get_position().y0


def test_a_fit_belongs_to_its_species_whatever_is_drawn_first():
    data = drawn.profiles(P=drawn.gaussian(1e18), B=drawn.gaussian())
    ax = sims.plot_profiles(data, fits=FIT, residuals=True)
    (line,) = fitted(ax)
    np.testing.assert_allclose(line.get_ydata()[::4], FACTOR * drawn.gaussian())
    (left, zero) = ax.figure.axes[1].lines
    np.testing.assert_allclose(left.get_ydata(), -np.log10(FACTOR))
    assert set(zero.get_ydata()) == {0}


def test_a_fit_is_drawn_four_times_as_finely_to_the_last_sample():
    np.testing.assert_allclose(_finer(np.array([0.0, 1.0, 3.0])),
                               [0, 0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3])  # fmt: skip


def test_a_fit_has_values_from_the_first_to_the_last_sample_of_its_window():
    model = xr.DataArray(np.ones((2, 5)), {"depth": np.arange(5.0)}, ("species", "depth"))
    ends = xr.Dataset(
        {"window_start": ("species", [1.0, 0.0]), "window_stop": ("species", [3.0, 2.0])}
    )
    found = _inside(model, ends, "depth")
    assert found.dims == model.dims
    np.testing.assert_array_equal(found.notnull(), [[0, 1, 1, 1, 0], [1, 1, 1, 0, 0]])
    assert _inside(model, xr.Dataset(), "depth") is model


def test_fits_of_a_profile_are_counted_and_named_by_their_models_where_there_are_several():
    def named(*fits):
        models = [SimpleNamespace(profile=profile, model=model) for profile, model in fits]
        return [(number, text) for _, number, text in _named(models)]

    assert named() == []
    assert named(("B", "gaussian"), ("P", "pearson")) == [(0, "fit"), (0, "fit")]
    assert named(("B", "gaussian"), ("P", "pearson"), ("B", "edge"), ("P", "edge")) == [
        (0, "fit: gaussian, pearson"), (0, "fit: gaussian, pearson"),
        (1, "fit: edge"), (1, "fit: edge"),
    ]  # fmt: skip


@pytest.mark.parametrize(("own", "height"), [(True, 4.0), (False, 3.0)])
def test_residuals_take_a_quarter_and_the_figure_grows_by_it_if_it_is_ours(own, height):
    figure, ax = plt.subplots(figsize=(4, 3))
    below = panel_below(ax, own=own)
    assert figure.get_size_inches()[1] == pytest.approx(height)
    above = ax.get_position()
    assert below.get_position().y1 < above.y0
    assert above.height / below.get_position().height == pytest.approx(3)
    ax.set_xlim(2, 7)
    assert below.get_xlim() == (2, 7)
    assert not any(tick.label1.get_visible() for tick in ax.xaxis.get_major_ticks())
    assert all(tick.label1.get_visible() for tick in below.xaxis.get_major_ticks())


def test_residuals_are_in_standard_errors_where_these_are_stated():
    data = drawn.profiles(B=drawn.gaussian())
    data["concentration_stderr"] = (0.05 * data["concentration"]).assign_attrs(units="atom/cm^3")
    below = sims.plot_profiles(data, fits=FIT, residuals=True).figure.axes[1]
    np.testing.assert_allclose(below.lines[0].get_ydata(), (1 - FACTOR) / 0.05)


def test_residuals_need_axes_in_a_grid():
    ax = plt.figure().add_axes((0.1, 0.1, 0.8, 0.8))
    with pytest.raises(ValueError, match=r"plt\.subplots"):
        sims.plot_profiles(drawn.profiles(B=drawn.gaussian()), ax, fits=FIT, residuals=True)


@pytest.mark.slow
def test_a_real_fit_is_drawn_inside_its_window_alone(monkeypatch):
    monkeypatch.undo()
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
def test_the_labels_of_both_panels_have_room():
    data = drawn.profiles(B=drawn.gaussian())
    data["concentration_stderr"] = (0.05 * data["concentration"]).assign_attrs(units="atom/cm^3")
    for one in (data, data[["concentration"]]):
        ax = sims.plot_profiles(one, fits=FIT, residuals=True)
        ax.figure.canvas.draw()
        above, below = (a.yaxis.label.get_window_extent() for a in ax.figure.axes[:2])
        assert below.y1 < above.y0


def test_residuals_are_those_of_a_fit():
    with pytest.raises(ValueError, match="residuals=True needs fits="):
        sims.plot_profiles(drawn.profiles(B=drawn.gaussian()), residuals=True)
    with pytest.raises(ValueError, match="residuals='yes'; expected True or False"):
        sims.plot_profiles(drawn.profiles(B=drawn.gaussian()), fits=FIT, residuals="yes")


@pytest.mark.slow
def test_a_fit_without_parameters_leaves_its_data_as_they_are(monkeypatch):
    monkeypatch.undo()
    data = drawn.profiles(B=drawn.gaussian())
    with pytest.warns(FitWarning, match="no sample in the window"):
        fit = sims.fit(data, model="gaussian", start="1 mm")
    ax = sims.plot_profiles(data, fits=fit, residuals=True)
    assert not fitted(ax)
    assert len(ax.figure.axes) == 1
    assert drawn.notes(ax) == ["fit of B (gaussian): no data"]


@pytest.mark.parametrize("given", [3, "gaussian", {"": 3.0}])
def test_what_is_no_fit_is_not_drawn(given):
    with pytest.raises(ProfileError, match="expected a result such as"):
        drawn.sketched(drawn.profiles(B=drawn.gaussian()), fits=given)


@pytest.mark.slow
def test_several_fits_of_one_profile_are_told_apart(monkeypatch):
    monkeypatch.undo()
    data = drawn.profiles(B=drawn.gaussian(floor=0.0), P=drawn.gaussian(1e18, floor=0.0))
    names = ("gaussian", "joined_gaussian")
    fits = [sims.fit(data.sel(species=["B"]), model=name) for name in names]
    fits.append(sims.fit(data.sel(species=["P"]), model="gaussian"))
    ax = sims.plot_profiles(data, fits=fits, residuals=True)
    first, second, other = (line.get_linestyle() for line in fitted(ax))
    assert first == other == "--"
    assert second == ":"
    assert [line.get_marker() for line in ax.figure.axes[1].lines[:3]] == [".", "+", "."]
    assert drawn.notes(ax) == ["fit: gaussian", "fit: joined_gaussian"]


def test_a_fit_below_zero_is_drawn_on_a_linear_axis(monkeypatch):
    monkeypatch.undo()
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


def test_data_over_time_have_no_place_for_a_fit():
    data = drawn.profiles(B=drawn.gaussian()).rename(depth="sputter_time")
    data["sputter_time"].attrs["units"] = "s"
    with pytest.raises(ProfileError) as caught:
        drawn.sketched(data, fits=FIT)
    assert str(caught.value) == (
        "the fit is over depth, but B is over sputter_time: draw the data that were fitted"
    )


# --- one stage at a time ------------------------------------------------------------------------


def canvas(data, *, scale="log", models=(), **results):
    given = {name: [(None, one) for one in some] for name, some in results.items()}
    made = Canvas(plt.figure(dpi=50).add_subplot(), Wanted(scale=scale, results=given),
                  curves_of({"": data}), list(models))  # fmt: skip
    made.curves = [replace(one, colour=f"C{i}") for i, one in enumerate(made.curves)]
    made.open()
    return made


B = drawn.profiles(B=drawn.gaussian())


def modelled(curve, factor=FACTOR, model="stand-in"):
    return replace(curve, y=factor * curve.y, stderr=None, model=model)


def test_a_fit_that_is_not_to_be_trusted_is_listed():
    def told(**words):
        data = {name: ("species", [word]) for name, word in words.items()}
        fit = xr.Dataset(data, {"species": ["B"]}, {"model": "edge"})
        made = canvas(B, fits=[fit])
        fits.draw(made)
        return list(made.results)

    assert told(status="ok") == told(curve_status="") == told() == []
    assert told(status="not_converged") == ["fit of B (edge): not converged"]
    assert told(curve_status="at_bound", status="ok") == ["fit of B (edge): at bound"]
    assert told(curve_status="ok", status="at_bound") == []
    other = xr.Dataset({"status": ("species", ["no_data"])}, {"species": ["P"]})
    made = canvas(B, fits=[other])
    fits.draw(made)
    assert list(made.results) == []


def test_fits_are_dashed_over_their_data_and_explained():
    made = canvas(B)
    made.models = [modelled(made.curves[0], model=name) for name in ("edge", "gaussian")]
    fits.draw(made)
    assert [line.get_gid() for line in made.ax.lines] == ["fit", "fit"]
    assert [line.get_linestyle() for line in made.ax.lines] == ["--", ":"]
    assert {line.get_linewidth() for line in made.ax.lines} == {0.9}
    assert {(line.get_color(), line.get_zorder()) for line in made.ax.lines} == {("0", 3)}
    assert {line.get_label() for line in made.ax.lines} == {"_fit"}
    assert list(made.explained) == ["fit: edge", "fit: gaussian"]
    assert made.explained["fit: edge"].get_linestyle() == "--"


@pytest.mark.parametrize("scale", ["log", "linear"])
def test_what_a_log_axis_cannot_show_is_left_out_of_a_fit(scale):
    made = canvas(B, scale=scale)
    made.models = [replace(made.curves[0], y=np.where(drawn.DEPTHS < 20, 0.0, made.curves[0].y))]
    fits.draw(made)
    shown = np.isfinite(made.ax.lines[0].get_ydata())
    assert shown.all() == (scale == "linear")
    assert shown.sum() == (50 if scale == "linear" else 40)


@pytest.mark.parametrize(("scale", "level"), [("log", 1.3), ("linear", 1.04)])
def test_a_resolution_is_a_bar_above_the_maximum(scale, level):
    achieved = ("depth", np.full(50, 8.0), {"units": "nm"})
    answer = B.assign(achieved_resolution=achieved)
    made = canvas(B, scale=scale, restored=[answer])
    fits.draw_restored(made)
    line, bar = made.ax.lines
    assert (line.get_gid(), line.get_linewidth()) == ("restored", 1.1)
    assert bar.get_xdata().tolist() == [26.0, 34.0]
    np.testing.assert_allclose(bar.get_ydata(), level * drawn.gaussian().max())
    assert (bar.get_label(), bar.get_gid(), bar.get_marker()) == (RESOLUTION, "resolution", "|")
    assert list(made.explained) == ["restored", "achieved resolution"]
    empty = canvas(B, scale=scale, restored=[answer.where(False), answer.rename(concentration="x")])
    fits.draw_restored(empty)
    assert not empty.ax.lines


def test_a_restored_profile_is_drawn_once_for_each_quantity_and_measurement():
    both = drawn.profiles(B=drawn.gaussian(), P=drawn.gaussian(1e18))
    answer = both.assign(achieved_resolution=("depth", np.full(50, 8.0)))
    made = canvas(both, restored=[answer])
    fits.draw_restored(made)
    assert len([line for line in made.ax.lines if line.get_gid() == "restored"]) == 2


@pytest.mark.parametrize(
    ("scale", "stderr", "left", "label"),
    [("log", None, -np.log10(FACTOR), "log$_{10}$ ratio"),
     ("linear", None, None, "residual / max"),
     ("log", 0.05, (1 - FACTOR) / 0.05, "residual / $σ$"),
     ("linear", 0.05, (1 - FACTOR) / 0.05, "residual / $σ$")],
)  # fmt: skip
def test_residuals_are_in_what_is_known_of_the_errors(scale, stderr, left, label):
    made = canvas(B, scale=scale)
    if stderr:
        made.curves = [replace(one, stderr=stderr * one.y) for one in made.curves]
    made.models = [modelled(made.curves[0])]
    below = made.figure.add_axes((0.1, 0.0, 0.8, 0.1))
    made.ax.set_xlabel("Depth (nm)")
    fits.draw_residuals(made, below)
    points, zero = below.lines
    expected = (1 - FACTOR) * drawn.gaussian() / drawn.gaussian().max() if left is None else left
    np.testing.assert_allclose(points.get_ydata(), expected)
    assert (points.get_marker(), points.get_linestyle(), points.get_color()) == (".", "None", "C0")
    assert points.get_markersize() == 1.8
    assert (zero.get_ydata(), zero.get_zorder(), zero.get_color()) == ([0, 0], 1, "0.35")
    assert (below.get_ylabel(), below.get_xlabel()) == (label, "Depth (nm)")
    assert made.ax.get_xlabel() == ""


def test_residuals_of_further_fits_have_larger_marks_and_unknown_errors_none():
    made = canvas(B)
    stderr = np.where(drawn.DEPTHS < 20, 0.0, made.curves[0].y)
    made.curves = [replace(made.curves[0], stderr=stderr)]
    made.models = [modelled(made.curves[0], model=name) for name in "ab"]
    below = plt.figure().add_subplot()
    fits.draw_residuals(made, below)
    first, second = below.lines[:2]
    assert (first.get_marker(), second.get_marker()) == (".", "+")
    assert (second.get_markersize(), second.get_markeredgewidth()) == (2.6, 0.5)
    assert np.isnan(first.get_ydata()[:10]).all()
    assert np.isfinite(first.get_ydata()[10:]).all()
    # Beyond the samples of a fit there are none.
    short = replace(modelled(made.curves[0]), x=drawn.DEPTHS[5:40], y=made.curves[0].y[5:40])
    made.models = [short]
    other = plt.figure().add_subplot()
    fits.draw_residuals(made, other)
    shown = np.isfinite(other.lines[0].get_ydata())
    assert np.flatnonzero(shown).tolist() == list(range(10, 40))


def test_a_model_is_matched_with_the_data_of_its_species_and_place():
    batch = sims.stack([B, B], names=["a", "b"])
    curves = curves_of({"": batch}, value_units="1/m^3")
    model = batch["concentration"].assign_attrs(model="edge")
    found = fits._matching(model, curves)
    assert [(one.place["measurement"], one.model) for one in found] == [
        ("a", "edge"),
        ("b", "edge"),
    ]
    np.testing.assert_allclose(found[0].y, 1e6 * drawn.gaussian())
    # A model of no species or place is of the first that it could be of.
    (one,) = fits._matching(B["concentration"].isel(species=0, drop=True), curves)
    assert one.profile == curves[0].profile
    assert fits._matching(drawn.profiles(P=drawn.gaussian())["concentration"], curves) == []
    raised = [replace(one, raised=10.0) for one in curves]
    np.testing.assert_allclose(fits._matching(model, raised)[0].y, 1e7 * drawn.gaussian())
    assert fits._data_of(found[1], curves) is curves[1]
