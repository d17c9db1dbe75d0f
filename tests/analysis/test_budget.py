"""The dose budget: each part against a known number."""

import math
import warnings

import numpy as np
import pint
import pytest
import xarray as xr
from error_parts import raises, warns
from measurement_layouts import measurement, number, one, word

import sims_analysis as sims
from sims_analysis.errors import DoseWarning, ProfileError, UnitsError


def flat(value=1e18, *, stderr=None):
    """Give 101 samples, a nanometre apart."""
    return one(np.arange(0, 101.0), np.full(101, value), stderr=stderr)


def test_parts_of_a_budget():
    ds = flat(stderr=np.full(101, 1e17))
    budget = sims.dose_budget(
        ds,
        start="10 nm",
        stop="60 nm",
        background="1e17 atoms/cm^3",
        rsf_uncertainty=0.1,
        depth_uncertainty=0.05,
        surface_depth="20 nm",
    )
    wanted = {
        "dose": 45e11,
        "random_stderr": math.sqrt(49 + 2 * 0.25) * 1e10,
        "rsf_stderr": 4.5e11,
        "depth_stderr": 2.25e11,
        "systematic_stderr": 4.5e11 * math.hypot(1, 0.5),
        "background_dose": 5e11,
        "surface_dose": 10e11,
        "coverage": 1.0,
        "n_linear_segments": 0,
    }
    for name, value in wanted.items():
        assert number(budget[name]) == pytest.approx(value, rel=1e-12), name
        assert budget[name].attrs["long_name"], name
    assert number(budget["rule_difference"]) == pytest.approx(0, abs=1e-12)
    assert math.isnan(number(budget["below_detection_dose"]))
    assert word(budget["status"]) == "ok"
    assert budget["random_stderr"].attrs["units"] == "atom/cm^2"


def test_the_error_of_a_background_is_that_of_the_mean_of_its_window():
    ds = flat(stderr=np.full(101, 1e15))
    for background, samples in (("1e16 atoms/cm^3", None), (("70 nm", "78 nm"), 9)):
        budget = sims.dose_budget(ds, start="10 nm", stop="60 nm", background=background)
        error = 0.0 if samples is None else 1e15 / math.sqrt(samples) * 50e-7
        assert number(budget["background_stderr"]) == pytest.approx(error, rel=1e-12)


@pytest.mark.filterwarnings("ignore:.*falls in the background window")
def test_it_agrees_with_the_dose():
    z = np.arange(0, 200, 2.0)
    ds = one(z, 1e20 * np.exp(-z / 30), stderr=1e18 * np.exp(-z / 60))
    options = {"start": "3.3 nm", "stop": "150 nm", "background": ("160 nm", "198 nm")}
    for rule in ("trapezoid", "loglinear"):
        budget = sims.dose_budget(ds, rule=rule, **options)
        dose = sims.integrated_dose(ds, rule=rule, **options)
        assert number(budget["dose"]) == number(dose)
        assert number(budget["random_stderr"]) == number(dose["stderr"])


def test_without_errors_in_the_data_the_random_part_is_not_known_rather_than_zero():
    assert math.isnan(number(sims.dose_budget(flat())["random_stderr"]))


@pytest.mark.slow
@pytest.mark.parametrize("lazy", [False, True])
def test_an_uncertainty_that_is_not_stated_is_nan_and_not_zero(lazy):
    ds = flat().chunk() if lazy else flat()
    for stated, rsf, depth, systematic in (
        ({}, math.nan, math.nan, math.nan),
        ({"rsf_uncertainty": 0.1}, 0.1, math.nan, 0.1),
        ({"depth_uncertainty": 0.05}, math.nan, 0.05, 0.05),
        ({"rsf_uncertainty": 0.0}, 0.0, math.nan, 0.0),
        ({"rsf_uncertainty": 0.0, "depth_uncertainty": 0.0}, 0.0, 0.0, 0.0),
    ):
        budget = sims.dose_budget(ds, **stated)
        for name, part in (("rsf", rsf), ("depth", depth), ("systematic", systematic)):
            found = number(budget[f"{name}_stderr"] / budget["dose"])
            assert found == pytest.approx(part, rel=1e-12, nan_ok=True), (stated, name)


def test_an_uncertainty_that_is_not_known_in_one_layer_is_not_known_of_a_dose_from_it():
    z = np.arange(101.0)
    for known in (np.where(z < 50, 0.1, np.nan), np.full(101, np.nan)):
        ds = flat().assign_coords(sensitivity_factor_uncertainty=("depth", known, {"units": "1"}))
        whole, above = sims.dose_budget(ds), sims.dose_budget(ds, stop="49 nm")
        assert math.isnan(number(whole["rsf_stderr"]))
        expected = 0.1 if known[0] == 0.1 else math.nan
        found = number(above["rsf_stderr"] / above["dose"])
        assert found == pytest.approx(expected, rel=1e-12, nan_ok=True)


@pytest.mark.parametrize("background", ["1e17 atoms/cm^3", ("80 nm", "100 nm")])
def test_an_uncertainty_over_depth_is_a_part_of_what_is_above_the_background(background):
    z = np.arange(101.0)
    part = xr.Variable("depth", np.where(z <= 30, 0.1, 0.2), {"units": "1"})
    ds = one(z, np.where(z < 70, 1e18, 1e17)).assign_coords(sensitivity_factor_uncertainty=part)
    for stop, relative in (("30 nm", 0.1), ("60 nm", (20 * 0.1 + 0.15 + 29 * 0.2) / 50)):
        budget = sims.dose_budget(ds, start="10 nm", stop=stop, background=background)
        found = number(budget["rsf_stderr"] / budget["dose"])
        assert found == pytest.approx(relative, rel=1e-12)


def test_what_quantified_data_state_counts_as_well():
    z = np.arange(101.0)
    coords = {
        "plain": {
            "sensitivity_factor_uncertainty": ((), 0.1, {"units": "1"}),
            "depth_scale_uncertainty": ((), 0.05, {"units": "1"}),
        },
        "layers": {
            "sensitivity_factor_uncertainty": (
                "depth", np.where(z < 50, 0.1, 0.2), {"units": "1"}
            ),
        },
        "dose": {
            "dose_scale": ((), 0.5, {"units": "1"}),
            "dose_scale_uncertainty": ((), 0.02, {"units": "1"}),
        },
    }  # fmt: skip
    for stated in coords.values():
        ds = flat().assign_coords(stated)
        expected = sims.dose_budget(ds)
        found = sims.dequantify(sims.dose_budget(sims.quantify(ds)))
        for part in ("rsf_stderr", "depth_stderr", "systematic_stderr"):
            np.testing.assert_array_equal(found[part], expected[part])
        assert number(expected["systematic_stderr"]) > 0


def test_only_where_a_dose_set_the_scale_is_its_uncertainty_that_of_the_scale():
    # A species whose dose was not stated has a scale of 1, known exactly; one may have that by it.
    scales = {"B": (0.5, 0.02), "P": (1.0, 0.0), "As": (1.0, 0.03), "Sb": (0.5, 0.0)}
    ds = measurement([0, 10], {name: [1e18, 1e18] for name in scales})
    stated = {
        "sensitivity_factor_uncertainty": ((), 0.1, {"units": "1"}),
        "depth_scale_uncertainty": ((), 0.05, {"units": "1"}),
        "dose_scale": ("species", [scale for scale, _ in scales.values()], {"units": "1"}),
        "dose_scale_uncertainty": ("species", [u for _, u in scales.values()], {"units": "1"}),
    }
    budget = sims.dose_budget(ds.assign_coords(stated))
    relative = {name: budget[f"{name}_stderr"] / budget["dose"] for name in ("rsf", "depth")}
    np.testing.assert_allclose(relative["rsf"], [0.02, 0.1, 0.03, 0.0], rtol=1e-12)
    np.testing.assert_allclose(relative["depth"], [0.0, 0.05, 0.0, 0.0], rtol=1e-12)


def test_uncertainties_by_species_and_others_as_the_data_state():
    ds = measurement([0, 10], {"B": [1e18, 1e18], "P": [1e18, 1e18], "As": [1e18, 1e18]})
    stated = ("species", [0.3, 0.2, np.nan], {"units": "1"})
    ds = ds.assign_coords(sensitivity_factor_uncertainty=stated)
    found = sims.dose_budget(ds, rsf_uncertainty={"B": "10 %", "As": 0.4})["rsf_stderr"]
    np.testing.assert_allclose(found, [1e11, 2e11, 4e11])
    one_alone = sims.dose_budget(ds.sel(species="P"), depth_uncertainty={"P": 0.1})
    assert number(one_alone["depth_stderr"]) == pytest.approx(1e11)
    with raises(ProfileError, argument="rsf_uncertainty"):
        sims.dose_budget(ds, rsf_uncertainty={"B": 2})


def test_without_a_background_a_profile_below_its_limit_has_no_data():
    ds = measurement([0, 10, 20], {"B": [1e15, np.nan, 1e15], "P": [1e15, 1e15, 1e15]})
    with warns(DoseWarning, "no_sample_in_window", argument="background", species="B"):
        found = sims.dose_budget(
            ds, background=("9 nm", "11 nm"), detection_limit="1e16 atoms/cm^3"
        )
    assert found["status"].values.tolist() == ["no_data", "below_detection"]


@pytest.mark.parametrize("argument", ["rsf_uncertainty", "depth_uncertainty"])
@pytest.mark.parametrize(
    "value",
    [
        -0.1, 1.5, 10, "100 %", "-1 %", "10", "10 nm", True, [0.1],
        pint.get_application_registry().Quantity(0.1, "nm"),
        pint.get_application_registry().Quantity([0.1], "dimensionless"),
        xr.DataArray(10.0), xr.DataArray(1.0), xr.DataArray(0.1, attrs={"units": "nm"}),
        xr.DataArray(100.0, attrs={"units": "percent"}),
    ],
)  # fmt: skip
def test_a_relative_uncertainty_is_a_number_below_one(argument, value):
    in_nm = isinstance(value, xr.DataArray) and value.attrs.get("units") == "nm"
    with raises(UnitsError if in_nm else ProfileError, argument=argument):
        sims.dose_budget(flat(), **{argument: value})


@pytest.mark.parametrize(
    "value",
    [
        "10 %",
        "10%",
        "10 percent",
        xr.DataArray(0.1),
        xr.DataArray([0.1, 0.1], coords={"species": ["B", "P"]}),
        xr.DataArray([10.0, 10.0], dims="species", attrs={"units": "%"}),
        xr.DataArray([10.0, 10.0], dims="species", attrs={"units": "percent"}),
        sims.quantify(xr.DataArray([0.1, 0.1], dims="species", attrs={"units": "1"})),
        pint.get_application_registry().Quantity(10, "percent"),
        pint.get_application_registry().Quantity(0.1, "dimensionless"),
    ],
)
@pytest.mark.parametrize("argument", ["rsf_uncertainty", "depth_uncertainty"])
def test_spellings_of_a_relative_uncertainty(argument, value):
    ds = measurement([0, 10], {"B": [1e18, 1e18], "P": [2e18, 2e18]})
    found = sims.dose_budget(ds, **{argument: value})["systematic_stderr"]
    np.testing.assert_allclose(found, [1e11, 2e11])


# --- the two rules ------------------------------------------------------------------------------


def test_a_single_high_sample_makes_the_rules_differ_and_warns_at_the_caller(approved):
    ds = one([0, 10, 20, 30], [1e14, 1e19, 1e14, 1e14])
    with warns(DoseWarning, species="B", text=approved) as caught:
        budget = sims.dose_budget(ds)
    assert caught[0].filename == __file__
    log = 2 * (1e19 - 1e14) * 10 / math.log(1e5) + 1e15
    exact = 1 - log / (1e20 + 3e15 - 1e15)
    assert number(budget["rule_difference"]) == pytest.approx(exact, rel=1e-4)
    sims.dose_budget(ds, rule_tolerance=0.95)


@pytest.mark.parametrize(("step", "difference"), [(1.15, 0.0974), (1.3, 0.1205)])
def test_dose_rules_that_differ_by_more_than_a_tenth_warn(step, difference):
    # Of an exponential in steps of d decay lengths: 1 - tanh(d / 2) / (d / 2).
    z = step * np.arange(12)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        budget = sims.dose_budget(one(z, 1e18 * np.exp(-z)))
    assert number(budget["rule_difference"]) == pytest.approx(1 - math.tanh(step / 2) / (step / 2))
    assert number(budget["rule_difference"]) == pytest.approx(difference, abs=1e-4)
    assert len(caught) == (difference > 0.1)


def test_the_difference_has_the_same_sign_under_either_rule():
    ds = one([0, 10, 20, 30], [1e14, 1e19, 1e14, 1e14])
    with pytest.warns(DoseWarning):
        a = sims.dose_budget(ds)
    with pytest.warns(DoseWarning):
        b = sims.dose_budget(ds, rule="loglinear")
    assert number(a["rule_difference"]) == number(b["rule_difference"])
    assert number(a["dose"]) > number(b["dose"])


# --- coverage -----------------------------------------------------------------------------------


def test_coverage_is_the_measured_fraction_of_the_requested_interval():
    with warns(DoseWarning, "truncated", species="B") as caught:
        budget = sims.dose_budget(flat(), start="-100 nm", stop="300 nm")
    assert caught[0].filename == __file__
    assert number(budget["coverage"]) == pytest.approx(0.25)
    assert word(budget["status"]) == "truncated"


def test_what_lies_in_a_gap_is_not_covered():
    z = np.append(np.arange(0.0, 31), np.arange(50.0, 101))
    budget = sims.dose_budget(one(z, np.full(z.size, 1e18)), stop="80 nm", gaps="bridge")
    assert number(budget["coverage"]) == pytest.approx(0.75)  # 60 nm of 80


@pytest.mark.parametrize("values", [[np.nan] * 3, [np.nan, 1e18, np.nan]])
def test_without_a_dose_the_coverage_is_zero(values):
    budget = sims.dose_budget(one([0, 1, 2], values), start="0 nm", stop="2 nm")
    assert math.isnan(number(budget["dose"]))
    assert number(budget["coverage"]) == 0
    assert word(budget["status"]) == "no_data"


# --- surface ------------------------------------------------------------------------------------


#: 4 nm at 1e20, 1 nm down to 1e18; then 95 nm at 1e18.
SPIKE, BULK = (4e20 + 0.5 * 1.01e20) * 1e-7, 95e11


@pytest.mark.parametrize(("surface", "dose"), [("measured", SPIKE + BULK), ("exclude", BULK)])
def test_the_surface_dose_is_reported_whether_or_not_it_is_included(surface, dose):
    z = np.arange(0, 101.0)
    ds = one(z, np.where(z < 5, 1e20, 1e18))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        budget = sims.dose_budget(ds, surface=surface, surface_depth="5 nm")
    assert number(budget["dose"]) == pytest.approx(dose)
    assert number(budget["surface_dose"]) == pytest.approx(SPIKE)


@pytest.mark.parametrize("start", ["5 nm", "20 nm"])
def test_a_window_below_the_transient_has_no_surface_dose(start):
    z = np.arange(0, 101.0)
    budget = sims.dose_budget(one(z, np.full(z.shape, 1e18)), start=start, surface_depth="5 nm")
    assert number(budget["surface_dose"]) == 0
    assert number(budget["dose"]) > 0


# --- censoring ----------------------------------------------------------------------------------


def test_the_dose_below_detection_is_included_and_reported():
    z = np.arange(0, 101.0)
    ds = one(z, np.where(z <= 50, 1e18, 1e14))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with_limit = sims.dose_budget(ds, detection_limit="1e16 atoms/cm^3")
        without = sims.dose_budget(ds)
    assert number(with_limit["dose"]) == number(without["dose"])
    # 49 whole segments, and half of the one that comes down.
    assert number(with_limit["below_detection_dose"]) == pytest.approx(49.5e14 * 1e-7)


def test_a_profile_below_detection_throughout_has_no_dose():
    ds = measurement([0, 10], {"B": [1e14, 1e14], "P": [1e18, 1e18]})
    budget = sims.dose_budget(ds, detection_limit="1e16 atoms/cm^3")
    assert budget["status"].values.tolist() == ["below_detection", "ok"]
    assert np.isnan(budget["dose"].values).tolist() == [True, False]
    assert np.isnan(budget["rule_difference"].values).tolist() == [True, False]
    assert number(budget["below_detection_dose"].sel(species="B")) == pytest.approx(1e8)
    assert budget["coverage"].values.tolist() == [1, 1]


@pytest.mark.parametrize("lazy", [False, True])
def test_each_profile_has_its_own_fraction(lazy):
    z = np.arange(0, 200, 2.0)
    ds = measurement(z, {s: 1e20 * np.exp(-z / width) for s, width in (("B", 20), ("P", 30))})
    ds = sims.with_counting_statistics(ds, value_per_count="1e16 atoms/cm^3")
    several = sims.depth_at_dose_fraction(ds, fraction=[0.5, 0.9])
    asked = xr.DataArray([0.9, 0.5], {"species": ["P", "B"]}, ["species"])
    found = sims.depth_at_dose_fraction(ds.chunk() if lazy else ds, fraction=asked)
    assert found["fraction"].values.tolist() == [0.5, 0.9]
    for part, of_several in ((found, several), (found["stderr"], several["stderr"])):
        np.testing.assert_array_equal(part, np.diagonal(of_several))
    asked[1] = np.nan
    found = sims.depth_at_dose_fraction(ds.chunk() if lazy else ds, fraction=asked)
    assert found["status"].values.tolist() == ["no_data", "ok"]
    assert np.isnan(found.values).tolist() == [True, False]
