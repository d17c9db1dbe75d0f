"""Interpolation: exact at samples, exact for its own curve, never outside the samples."""

import numpy as np
import pytest
import xarray as xr
from error_parts import warns
from measurement_layouts import measurement, number, one, union

import sims_analysis as sims
from sims_analysis.errors import ProfileWarning, UnitsError

METHODS = ["log", "linear", "pchip", "makima"]


def at(ds, depth, **options):
    return np.ravel(sims.interpolate(ds, depth=depth, **options)["concentration"].values)


@pytest.mark.parametrize("step", [1.0, 5.0, 10.0])
def test_log_is_exact_for_an_exponential(step):
    z = np.arange(0, 100 + step / 2, step)
    ds = one(z, 1e20 * np.exp(-z / 5))
    found = at(ds, ["3.3 nm", "0.0471 um", "999 Å"])
    np.testing.assert_allclose(found, 1e20 * np.exp(-np.array([3.3, 47.1, 99.9]) / 5), rtol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_each_species_ends_at_its_own_samples(method):
    ds = union({"B": (np.arange(5.0), [1e18] * 5), "P": (np.arange(2.5, 9), [1e18] * 7)})
    found = sims.interpolate(ds, depth=["1 nm", "3 nm", "6 nm"], method=method)["concentration"]
    assert np.isnan(found).values.tolist() == [[False, False, True], [True, False, False]]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_profiles_with_few_samples(method, n):
    values = [1e18] * n + [np.nan] * (4 - n)
    found = at(one([0, 1, 2, 3], values), ["0 nm", "0.5 nm"], method=method)
    assert np.isnan(found).tolist() == [n < 1, n < 2]


@pytest.mark.parametrize("method", ["pchip", "makima"])
def test_splines_are_those_of_scipy_through_the_logarithm(method):
    from scipy.interpolate import Akima1DInterpolator, PchipInterpolator

    z = np.array([0.0, 3, 4, 9, 10, 14])
    c = np.array([1e17, 5e19, 6e19, 2e18, 1e18, 3e16])
    x = np.array([0.4, 3.3, 5.5, 9.9, 13.0])
    curve = {
        "pchip": lambda: PchipInterpolator(z, np.log(c)),
        "makima": lambda: Akima1DInterpolator(z, np.log(c), method="makima"),
    }[method]()
    found = at(one(z, c), [f"{v} nm" for v in x], method=method)
    np.testing.assert_allclose(found, np.exp(curve(x)), rtol=1e-12)


def test_pchip_does_not_overshoot():
    z = np.arange(6.0)
    c = np.array([1e16, 1e16, 1e16, 1e20, 1e20, 1e20])
    found = at(one(z, c), [f"{v} nm" for v in np.linspace(0, 5, 101)], method="pchip")
    assert found.min() >= 1e16 * (1 - 1e-12)
    assert found.max() <= 1e20 * (1 + 1e-12)


# --- fallbacks ----------------------------------------------------------------------------------


def test_a_segment_at_zero_is_linear_and_counted():
    ds = one([0, 10, 20], [4e18, 0, 1e18])
    found = sims.interpolate(ds, depth=["5 nm", "10 nm", "12.5 nm"])
    np.testing.assert_allclose(found["concentration"][0], [2e18, 0, 2.5e17])
    assert number(found["n_linear_segments"]) == 2


def test_fallbacks_are_counted_for_each_profile():
    ds = measurement([0, 10], {"B": [1e18, 0], "P": [1e18, 1e16]})
    found = sims.interpolate(ds, depth="5 nm")
    assert found["n_linear_segments"].values.tolist() == [1, 0]
    assert sims.interpolate(ds, depth="5 nm", method="linear")["n_linear_segments"].sum() == 0


# --- depths -------------------------------------------------------------------------------------


def test_one_depth_leaves_no_depth_dimension():
    found = sims.interpolate(one([0, 10], [1e18, 1e16]), depth="5 nm")
    assert found["concentration"].dims == ("species",)
    assert found["depth"].item() == 5
    assert found["depth"].attrs["units"] == "nm"


def test_the_axis_of_another_measurement():
    z = np.arange(0, 50, 5.0)
    fine = one(z, 1e20 * np.exp(-z / 5))
    other = one([2.0, 3.5, 49.0], [1, 1, 1])
    found = sims.interpolate(fine, depth=other["depth"])
    np.testing.assert_allclose(found["concentration"][0, :2], 1e20 * np.exp([-0.4, -0.7]))
    assert np.isnan(found["concentration"][0, 2])
    assert found["concentration"].dims == ("species", "depth")


def test_on_a_sputter_time_axis_it_is_a_time():
    ds = one([0, 10], [100, 1], units="counts/s").rename(
        concentration="intensity", depth="sputter_time"
    )
    ds["sputter_time"].attrs["units"] = "s"
    assert number(sims.interpolate(ds, depth="5 s")["intensity"]) == pytest.approx(10)
    with pytest.raises(UnitsError):
        sims.interpolate(ds, depth="5 nm")


def test_every_measured_variable_is_interpolated_in_its_unit():
    ds = one([0, 10], [1e18, 1e16])
    ds["intensity"] = (("species", "depth"), [[100.0, 1.0]], {"units": "counts/s"})
    found = sims.interpolate(ds, depth="5 nm")
    assert number(found["intensity"]) == pytest.approx(10)
    assert found["intensity"].attrs["units"] == "count/s"


# --- properties ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("unit", "name"), [("at%", "atomic_fraction"), ("wt%", "mass_fraction")])
def test_a_fraction_keeps_its_kind(unit, name):
    profile = sims.DepthProfile(
        species_name="Al", depths=[0, 10], depth_units="nm", concentrations=[1, 3],
        concentration_units=unit,
    )  # fmt: skip
    ds = sims.to_dataset([profile])
    found = sims.interpolate(ds, depth="5 nm", method="linear")
    assert found[name].attrs["long_name"] == ds[name].attrs["long_name"]
    assert found[name].item() == pytest.approx(0.02)


def test_standard_errors_are_interpolated_with_the_values():
    ds = one([0, 10, 20], [1e18, 2e18, 0], stderr=[1e17, 2e17, 3e16])
    depths = ["5 nm", "10 nm", "15 nm", "21 nm"]
    found = sims.interpolate(ds, depth=depths)
    exact = [np.sqrt(2) * 1e18 * np.hypot(0.05, 0.05), 2e17, np.hypot(1e17, 1.5e16), np.nan]
    np.testing.assert_allclose(found["concentration_stderr"].values[0], exact)
    assert found["concentration_stderr"].attrs["units"] == "atom/cm^3"
    array = ds["concentration"].assign_coords(stderr=ds["concentration_stderr"])
    np.testing.assert_allclose(sims.interpolate(array, depth=depths)["stderr"].values[0], exact)


def test_a_depth_that_is_infinite_is_outside_without_a_warning():
    c = np.tile([0.0, np.nan, 1e18, np.nan, 1e17, np.nan], (3, 10))
    at = xr.DataArray([np.inf, -np.inf, 10.5], dims="depth", attrs={"units": "nm"})
    ds = measurement(np.arange(60.0), dict(zip("abc", c, strict=True)))
    found = sims.interpolate(ds["concentration"], depth=at)
    assert np.isnan(found.values[:, :2]).all()
    assert not np.isnan(found.values[:, 2]).any()


def test_what_is_known_of_a_background_goes_along_with_its_units():
    z = np.arange(0.0, 100.0, 2.0)
    ds = one(z, 1e19 * np.exp(-(((z - 30) / 10) ** 2)) + 1e15)
    ds = sims.with_counting_statistics(ds, value_per_count="1e14 atoms/cm^3")
    less = sims.subtract_background(ds, window=("70 nm", "98 nm"))
    found = sims.interpolate(less, depth=["31 nm", "91 nm"])
    units = {
        "concentration": "atom/cm^3",
        "concentration_stderr": "atom/cm^3",
        "concentration_counts": "count",
        "concentration_background_stderr": "atom/cm^3",
        "concentration_background_overlap": "1",
        "concentration_background_scatter": "1",
    }
    assert {name: one.attrs["units"] for name, one in found.data_vars.items()} == units
    background = less["concentration_background_stderr"]
    np.testing.assert_allclose(
        found["concentration_background_stderr"], np.full((1, 2), background.max()), rtol=1e-3
    )
    scatter = less["concentration_background_scatter"]
    np.testing.assert_allclose(
        found["concentration_background_scatter"], np.full((1, 2), scatter.max()), rtol=1e-12
    )
    # A sample of the window has a part of its error in the background.
    overlap = found["concentration_background_overlap"].values[0]
    assert overlap[0] == 0
    assert 0.1 < overlap[1] <= 1.0


def test_each_species_counts_in_the_variable_in_which_it_was_measured():
    z = np.arange(0.0, 20.0, 2.0)
    nothing = np.full(z.size, np.nan)
    rows = {
        "concentration": ([np.where(z < 10, 1e18, 0.0), nothing], "atom/cm^3"),
        "intensity": ([nothing, np.where(z > 14, 100.0, 0.0)], "count/s"),
    }
    ds = xr.Dataset(
        {name: (("species", "depth"), v, {"units": unit}) for name, (v, unit) in rows.items()},
        {"species": ["B", "Si"], "depth": ("depth", z, {"units": "nm"})},
    )
    asked = {"step": "0.5 nm"}
    found = sims.to_grid(ds, **asked)
    for i, name in enumerate(rows):
        alone = sims.to_grid(ds[[name]].isel(species=[i]), **asked)
        for coord in ("n_linear_segments", "effective_sample_fraction"):
            np.testing.assert_array_equal(found[coord].isel(species=[i]), alone[coord])
    assert found["n_linear_segments"].values.tolist() == [15, 24]
    assert (
        found["effective_sample_fraction"].attrs["long_name"]
        == "Independent samples for each depth"
    )


def test_resolutions_and_uncertainties_of_samples_go_along_on_a_new_axis():
    z = np.arange(0.0, 20.0, 2.0)
    ds = measurement(z, {"B": 1e18 * np.exp(-z), "P": 1e18 * np.exp(-z / 3)})
    rows = np.array([2 + z / 10, 4 - z / 10])
    known = {
        "achieved_resolution": (rows, "nm"),
        "sensitivity_factor_uncertainty": (rows / 50, "1"),
    }
    ds = ds.assign_coords(
        {n: (("species", "depth"), row, {"units": unit}) for n, (row, unit) in known.items()}
    )
    for found in (
        sims.to_grid(ds, step="0.5 nm"),
        sims.to_grid(sims.quantify(ds), every=5).pipe(sims.dequantify),
        sims.interpolate(ds, depth=["3 nm", "4.5 nm"]),
    ):
        at = found["depth"].values
        for name, (row, unit) in known.items():
            assert found[name].dims == ("species", "depth")
            assert found[name].attrs["units"] == unit
            expected = np.array([2 + at / 10, 4 - at / 10]) * (row[0, 0] / 2)
            np.testing.assert_allclose(found[name], expected, rtol=1e-12)
    own = xr.DataArray([3.0, 5.0], {"species": ["B", "P"]}, attrs={"units": "nm"})
    assert "achieved_resolution" not in sims.interpolate(ds, depth=own).coords


@pytest.mark.parametrize("method", METHODS)
def test_a_depth_of_a_grid_that_bridges_a_hole_lies_in_it(method):
    z = np.r_[0.0:71.0, 90.0:200.0]
    implant = one(z, 1e19 * np.exp(-0.5 * ((z - 80) / 20) ** 2))
    bridged = sims.to_grid(implant, step="1 nm", gaps="bridge")
    # At a depth of the grid, and between two.
    with warns(ProfileWarning, "gap", species="B", start="70 nm", stop="90 nm"):
        assert np.isnan(at(bridged, ["80 nm", "80.5 nm"], method=method)).all()
    found = sims.interpolate(bridged, depth=["80 nm", "80.5 nm"], method=method, gaps="bridge")
    assert found["concentration"].notnull().all()
    assert (found["concentration_quality"] == 3).all()
    assert np.isfinite(at(bridged, ["70 nm", "90 nm"], method=method)).all()


def test_a_sample_between_two_gaps_has_its_value():
    z = np.r_[0.0:50.0, 70.0, 90.0:150.0]
    ds = one(z, 1e18 * np.exp(-z / 50))
    for data in (ds, sims.to_grid(ds, depth=[f"{x:g} nm" for x in z])):
        with warns(ProfileWarning, "gap", species="B"):
            assert at(data, ["70 nm", "80 nm"])[0] == 1e18 * np.exp(-70 / 50)
