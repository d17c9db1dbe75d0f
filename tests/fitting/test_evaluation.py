"""Curves of fits and their errors, against the formula and differences of it."""

import dataclasses

import numpy as np
import pytest
import xarray as xr
from scipy.special import ndtr

import sims_analysis as sims
from sims_analysis.shapes import find_model

Z = np.arange(0.0, 200.0, 4.0)
DEPTHS = ["50 nm", "0.09 um", "130 nm"]
AT = np.array([50.0, 90.0, 130.0])
NAMES = ["dose", "projected_range", "straggle"]


def gaussian(z, dose, projected_range, straggle):
    # 1 nm atoms/cm^3 is 1e-7 atoms/cm^2.
    density = np.exp(-0.5 * ((z - projected_range) / straggle) ** 2)
    return dose * 1e7 / np.sqrt(2 * np.pi) / straggle * density


def measured(level=0.0, seed=1):
    rng = np.random.default_rng(seed)
    means = np.stack([gaussian(Z, 7.5e13, 80, 30), gaussian(Z, 4e13, 100, 20)]) + level
    counts = rng.poisson(means / 1e16)
    return xr.Dataset(
        {
            "concentration": (("species", "depth"), counts * 1e16, {"units": "atom/cm^3"}),
            "concentration_counts": (("species", "depth"), counts, {"units": "count"}),
            "concentration_stderr": (
                ("species", "depth"), np.sqrt(np.maximum(counts, 0.92)) * 1e16,
                {"units": "atom/cm^3"},
            ),
        },
        {"species": ["B", "P"], "depth": ("depth", Z, {"units": "nm"})},
    )  # fmt: skip


@pytest.fixture(scope="module")
def fit():
    return sims.fit(measured(), model="gaussian")


@pytest.fixture(scope="module")
def above():
    return sims.fit(measured(3e17), model="gaussian", background="fit")


def test_values_and_errors_are_those_of_the_formula(fit):
    curve = sims.evaluate(fit, depth=DEPTHS)
    for name, one, stderr in zip(("B", "P"), curve, curve["stderr"], strict=True):
        p = [fit[n].sel(species=name).item() for n in NAMES]
        np.testing.assert_allclose(one, gaussian(AT, *p), rtol=1e-12)
        steps = 1e-5 * np.diag(p)
        slopes = np.stack([
            (gaussian(AT, *(p + h)) - gaussian(AT, *(p - h))) / (2 * h.sum()) for h in steps
        ])  # fmt: skip
        variance = np.diag(slopes.T @ fit["covariance"].sel(species=name).values @ slopes)
        np.testing.assert_allclose(stderr, np.sqrt(variance), rtol=1e-6)
    assert (curve.name, curve.attrs["units"]) == ("concentration", "atom/cm^3")
    assert curve.attrs["description"] == "an implant by its range and straggle, as fitted"
    assert curve.attrs["model"] == "gaussian"
    assert curve["stderr"].attrs == {
        "units": "atom/cm^3",
        "long_name": "Standard error of the curve",
    }
    np.testing.assert_allclose(curve["depth"], AT, rtol=1e-15)


def test_a_background_that_was_fitted_is_part_of_both(above):
    curve = sims.evaluate(above, depth=["50 nm", "1 mm"])
    level, error = above["background"], above["background_stderr"]
    assert (above["status"] == "ok").all()
    peak = [gaussian(50.0, *(above[n][i].item() for n in NAMES)) for i in (0, 1)]
    np.testing.assert_allclose(curve[:, 0], peak + level, rtol=1e-12)
    # Far away nothing else is left.
    np.testing.assert_array_equal(curve[:, 1], level)
    np.testing.assert_allclose(curve["stderr"][:, 1], error, rtol=1e-12)
    assert (abs(curve["stderr"][:, 0] / error - 1) > 0.1).all()


def test_means_over_cells_need_several_depths(fit):
    means = fit.assign_attrs(cell="mean")
    curve = sims.evaluate(means, depth=["60 nm", "90 nm", "130 nm"])[0]
    dose, middle, straggle = (fit[n][0].item() for n in NAMES)
    edges = np.array([45.0, 75.0, 110.0, 150.0])
    inside = np.diff(dose * 1e7 * ndtr((edges - middle) / straggle)) / np.diff(edges)
    np.testing.assert_allclose(curve, inside, rtol=2e-3)
    alone = sims.evaluate(means, depth="60 nm")
    np.testing.assert_array_equal(alone, sims.evaluate(fit, depth="60 nm"))
    assert abs(alone[0] / curve[0] - 1) > 0.01


def test_without_a_fit_or_a_depth_there_is_no_value(fit):
    lost = fit.copy(deep=True)
    lost["dose"][1] = np.nan
    at = xr.DataArray([50.0, np.nan], dims="depth", attrs={"units": "nm"})
    curve = sims.evaluate(lost, depth=at)
    expected = [[True, False], [False, False]]
    np.testing.assert_array_equal(curve.notnull(), expected)
    np.testing.assert_array_equal(curve["stderr"].notnull(), expected)
    np.testing.assert_array_equal(curve[0, 0], sims.evaluate(fit, depth="50 nm")[0])


def test_held_parameters_have_no_errors():
    ds = measured()
    fixed = {"projected_range": "80 nm", "straggle": "30 nm"}
    one = sims.fit(ds.sel(species=["B"]), model="gaussian", fixed=fixed)
    curve = sims.evaluate(one, depth=DEPTHS)
    share = curve["stderr"] / curve
    np.testing.assert_allclose(share, (one["dose_stderr"] / one["dose"]).item(), rtol=1e-9)
    nothing = one.copy(deep=True)
    nothing["covariance"][:] = np.nan
    curve = sims.evaluate(nothing, depth=DEPTHS)
    assert curve.notnull().all()
    assert curve["stderr"].isnull().all()


def test_one_depth_and_depths_of_each_profile_by_label(fit):
    one = sims.evaluate(fit, depth="50 nm")
    assert one.dims == ("species",)
    assert one["depth"].item() == 50.0
    own = xr.DataArray(
        [90.0, 50.0], dims="species", coords={"species": ["P", "B"]}, attrs={"units": "nm"}
    )
    found = sims.evaluate(fit, depth=own)
    np.testing.assert_array_equal(found, [one[0], sims.evaluate(fit, depth="90 nm")[1]])
    np.testing.assert_array_equal(found["depth"], [50.0, 90.0])


def test_quantified_and_lazy_fits_give_the_same(fit):
    plain = sims.evaluate(fit, depth=DEPTHS)
    quantified = sims.evaluate(sims.quantify(fit), depth=DEPTHS)
    sims.testing.assert_allclose(quantified, plain, rtol=1e-15)
    assert str(quantified.data.units) == str(quantified["stderr"].data.units)
    lazy = sims.evaluate(fit.chunk(species=1), depth=DEPTHS)
    assert lazy.chunks is not None
    np.testing.assert_array_equal(lazy, plain)


def test_layers_are_added_up():
    c = gaussian(Z, 1e13, 60, 9) + gaussian(Z, 2e13, 130, 9)
    ds = measured().isel(species=0).drop_vars(["concentration_counts"])
    ds["concentration"][:] = c
    ds["concentration_stderr"][:] = 0.02 * c.max()
    both = sims.fit(ds, model="gaussian", repeat=2)
    assert both["status"].item() == "ok"
    curve = sims.evaluate(both, depth=DEPTHS)
    each = [
        gaussian(AT, both["dose"][i].item(), both["position"][i].item(), both["straggle"].item())
        for i in (0, 1)
    ]
    np.testing.assert_allclose(curve, each[0] + each[1], rtol=1e-12)
    assert (curve["stderr"] > 0).all()
    assert (
        curve.attrs["description"] == "an implant by its range and straggle, 2 of them, as fitted"
    )


OWN = dataclasses.replace(find_model("gaussian"), name="own")


def test_a_fit_of_a_model_of_ones_own_is_evaluated_with_it(fit):
    again = sims.evaluate(fit.assign_attrs(model="own"), depth="50 nm", model=OWN)
    np.testing.assert_array_equal(again, sims.evaluate(fit, depth="50 nm"))
    assert again.attrs["model"] == "own"


def test_models_are_listed_with_what_follows_from_them():
    listed = sims.list_models()
    assert listed.index.name == "model"
    assert listed.columns.tolist() == ["summary", "parameters", "reference"]
    assert listed["parameters"]["gaussian"].startswith("dose, projected_range, straggle")
    assert listed["parameters"]["erfc"] == "surface_concentration, diffusion_length (diffusivity)"
    assert listed["reference"].str.len().min() > 10


@pytest.mark.parametrize("background", [None, "fit", "2e17 atoms/cm^3"])
def test_the_dose_of_a_window_is_the_integral_of_the_curve_without_its_background(background):
    ds = measured(level=2e17 if background else 0.0)
    fit = sims.fit(ds, model="gaussian", background=background)
    c = gaussian(Z[:, None], *(fit[name].values for name in NAMES))
    np.testing.assert_allclose(fit["window_dose"], np.trapezoid(c, Z, axis=0) * 1e-7, rtol=1e-12)


def linked_fit(parameter, covariance, **attrs):
    """Give a fit of two wafers as a Dataset: one straggle, or one diffusivity, of both."""
    n = len(parameter)
    found = {
        "dose": ("wafer", [1e13, 2e13], {"units": "atom/cm^2"}),
        "projected_range": ("wafer", [60.0, 80.0], {"units": "nm"}),
        "straggle": ((), 20.0, {"units": "nm"}),
        "covariance": (("parameter", "parameter_"), covariance),
        "status": ("wafer", ["ok", "ok"]),
    }
    attrs = {
        "model": "gaussian", "variable": "concentration", "variable_units": "atom/cm^3",
        "linked": "straggle", "linked_over": "wafer", **attrs,
    }  # fmt: skip
    labels = {"parameter": parameter, "parameter_": parameter}
    assert np.shape(covariance) == (n, n)
    return xr.Dataset(found, coords=labels, attrs=attrs)


@pytest.mark.parametrize("named", [True, False])
def test_of_linked_profiles_each_takes_its_own_part_of_the_covariance(named):
    labels = ["a", "b"] if named else ["0", "1"]
    parameter = [f"{p}[{w}]" for p in ("dose", "projected_range") for w in labels] + ["straggle"]
    errors = np.array([1e11, 2e11, 1.0, 2.0, 0.5])
    fit = linked_fit(parameter, np.diag(errors**2))
    fit = fit.assign_coords(wafer=labels) if named else fit
    curve = sims.evaluate(fit, depth="75 nm")
    for i in (0, 1):
        p = np.array([fit["dose"][i], fit["projected_range"][i], 20.0])
        steps = 1e-5 * np.diag(p)
        slopes = [(gaussian(75.0, *(p + h)) - gaussian(75.0, *(p - h))) / (2 * h.sum())
                  for h in steps]  # fmt: skip
        expected = np.sqrt(np.sum((np.array(slopes) * errors[[i, 2 + i, 4]]) ** 2))
        assert curve[i].item() == pytest.approx(gaussian(75.0, *p), rel=1e-12)
        assert curve["stderr"][i].item() == pytest.approx(expected, rel=1e-6)
    one = sims.evaluate(fit.isel(wafer=1), depth="75 nm")
    if named:
        assert one["stderr"].item() == curve["stderr"][1].item()


def test_a_curve_over_depths_that_are_no_coordinate_has_their_dimension(fit):
    at = xr.DataArray([50.0, 90.0], dims="place", attrs={"units": "nm"})
    curve = sims.evaluate(fit, depth=at)
    assert curve.dims == ("species", "place")
    assert curve["depth"].dims == ("place",)
    assert (curve["depth"].attrs["units"], curve["depth"].attrs["long_name"]) == ("nm", "Depth")
    table = at.expand_dims(run=2)
    assert sims.evaluate(fit, depth=table).dims == ("species", "run", "place")
