"""Assertions that see units; profiles whose answers are those of a numerical integral."""

import numpy as np
import pytest
import xarray as xr
from error_parts import raises
from scipy import integrate

import sims_analysis as sims
from sims_analysis.testing import (
    assert_allclose,
    assert_identical,
    erfc_profile,
    exponential_profile,
    gaussian_profile,
)


def array(values, units, name="thickness"):
    attrs = {} if units is None else {"units": units}
    return xr.DataArray(values, dims="x", name=name, attrs=attrs)


def test_units_are_seen_where_xarray_does_not_look(approved):
    nm, um = array([1.0], "nm"), array([1.0], "um")
    xr.testing.assert_allclose(nm, um)
    with pytest.raises(AssertionError):
        assert_allclose(nm, um)
    assert_allclose(array([1000.0], "nm"), um)
    with raises(AssertionError, text=approved):
        assert_allclose(nm, array([1.0], "s"))
    with raises(AssertionError, text=approved):
        assert_allclose(nm.to_dataset(), array([1.0], "s").to_dataset())
    with raises(AssertionError, text=approved):
        assert_allclose(nm, array([1.0], None))


def test_units_of_no_profile_are_compared_as_they_are(approved):
    slope = array([1.0], "count/s / nm")
    assert_allclose(slope, slope.copy())
    with raises(AssertionError, text=approved):
        assert_allclose(slope, array([1.0], "count / nm"))


def test_tolerances_are_in_canonical_units():
    a, b = array([1.0], "um"), array([1001.0], "nm")
    with pytest.raises(AssertionError):
        assert_allclose(a, b)
    assert_allclose(a, b, atol=1.5)
    assert_allclose(a, b, rtol=2e-3)


def test_quantified_is_compared_with_plain():
    ds = sims.open_example("boron-implant")
    q = sims.quantify(ds)
    assert_allclose(q, ds)
    assert_identical(q, ds)
    assert_identical(q["concentration"], ds["concentration"])
    wrong = ds.copy(deep=True)
    wrong["concentration"].attrs["units"] = "count/s"
    for compare in (assert_allclose, assert_identical):
        with pytest.raises(AssertionError):
            compare(q, wrong)


def test_units_of_coordinates_count():
    ds = sims.open_example("boron-implant")
    scaled = ds.assign_coords(
        depth=("depth", ds["depth"].values / 1000, {**ds["depth"].attrs, "units": "um"})
    )
    assert_allclose(scaled, ds)
    scaled["depth"].attrs["units"] = "nm"
    with pytest.raises(AssertionError):
        assert_allclose(scaled, ds)


def test_kinds_do_not_mix(approved):
    ds = sims.open_example("boron-implant")
    with raises(AssertionError, text=approved):
        assert_allclose(ds, ds["concentration"])
    with raises(AssertionError, text=approved):
        assert_allclose(ds["concentration"], ds)


GAUSSIAN = {"dose": "1e14 atoms/cm^2", "projected_range": "162.9 nm", "straggle": "51.5 nm"}
ERFC = {"surface_concentration": "1e20 atoms/cm^3", "diffusion_length": "0.1 um"}
EXPONENTIAL = {"surface_concentration": "1e20 atoms/cm^3", "decay_length": "5 nm"}
CASES = [
    (gaussian_profile, GAUSSIAN, 700.0),
    (erfc_profile, ERFC, 500.0),
    (exponential_profile, EXPONENTIAL, 150.0),
]


@pytest.mark.parametrize(("make", "parameters", "end"), CASES)
def test_closed_forms_agree_with_quadrature(make, parameters, end):
    depth = np.linspace(0.0, end, 101)
    ds, truth = make(depth, **parameters, species="11B")
    np.testing.assert_array_equal(
        ds["concentration"].sel(species="11B"), truth.concentration(depth)
    )
    assert ds["species"].values.tolist() == ["11B"]
    for start, stop in ((0.0, end), (0.3 * end, 0.5 * end), (0.8 * end, 0.9 * end)):
        exact, _ = integrate.quad(truth.concentration, start, stop, epsabs=0, epsrel=1e-11)
        assert truth.dose_between(start, stop) == pytest.approx(exact * 1e-7, rel=1e-9)
    assert truth.dose_between(0.0, np.inf) == truth.dose
    for level in (1e15, 1e17, 0.9 * truth.peak_concentration):
        assert truth.concentration(truth.crossing(level)) == pytest.approx(level, rel=1e-9)
    assert np.isnan(truth.crossing(2 * truth.peak_concentration))
    assert truth.concentration(truth.peak_depth) == truth.peak_concentration
    assert truth.concentration(depth).max() <= truth.peak_concentration


@pytest.mark.parametrize(("make", "parameters", "end"), CASES)
def test_the_questions_find_the_truth(make, parameters, end):
    ds, truth = make(np.linspace(0.0, end, 3001), **parameters)
    dose = sims.integrated_dose(ds, rule="loglinear")
    assert float(dose[0]) == pytest.approx(truth.dose_between(0, end), rel=1e-5)
    xj = sims.junction_depth(ds, level="1e17 atoms/cm^3")
    assert float(xj[0]) == pytest.approx(truth.crossing(1e17), rel=1e-6)
    assert ds["species"].values.tolist() == ["B"]


def test_the_figures_of_the_definitions():
    _, implant = gaussian_profile([0.0, 1.0], **GAUSSIAN)
    assert implant.peak_concentration == pytest.approx(7.746452e18, rel=1e-7)
    assert implant.dose == pytest.approx(9.9921952e13, rel=1e-8)
    assert implant.crossing(1e15) == pytest.approx(380.84895, abs=5e-6)
    _, phosphorus = gaussian_profile(
        [0.0, 1.0],
        dose="1e15 atoms/cm^2",
        projected_range="0.1339 um",
        straggle="0.0506 um",
        species="P",
    )
    assert phosphorus.dose == pytest.approx(9.9593046e14, rel=1e-8)
    assert phosphorus.crossing(1e16) == pytest.approx(348.25083, abs=5e-6)
    _, diffused = erfc_profile([0.0, 1.0], **ERFC)
    assert diffused.dose == pytest.approx(5.64189584e14, rel=1e-9)
    assert diffused.crossing(1e17) == pytest.approx(232.67538, abs=5e-6)
    assert diffused.crossing(1e15) == pytest.approx(312.34133, abs=5e-6)
    _, edge = exponential_profile([0.0, 1.0], **EXPONENTIAL)
    assert edge.dose_between(0, 100) == pytest.approx(4.99999999e13, rel=1e-9)
    assert edge.crossing(1e17) == pytest.approx(34.538776, abs=5e-7)


def test_whole_numbers_and_coordinates_have_units_and_words_have_none(approved):
    whole = array(np.array([2]), "um")
    assert_allclose(whole, array(np.array([2000]), "nm"))
    words = array(np.array(["a"]), "um")
    with pytest.raises(AssertionError):
        assert_allclose(words, array(np.array(["a"]), "nm"))
    numbered = array([1.0], None).assign_attrs(units=1)
    assert_allclose(numbered, numbered.copy())
    along = array([1.0], "nm").assign_coords(depth=("x", [1.0], {"units": "um"}))
    other = array([1.0], "nm").assign_coords(depth=("x", [1000.0], {"units": "nm"}))
    assert_allclose(along, other)
    other["depth"].attrs["units"] = "s"
    with raises(AssertionError, text=approved):
        assert_allclose(along, other)


def test_a_coordinate_of_one_alone_is_a_difference(approved):
    one = array([1.0], "nm")
    other = one.assign_coords(depth=("x", [1.0], {"units": "um"}))
    for pair in ((one, other), (other, one)):
        with raises(AssertionError, text=approved):
            assert_allclose(*pair)


def test_names_and_attrs_count_where_data_are_to_be_the_same():
    one = array([1.0], "nm")
    assert_identical(one, one.copy())
    for other in (one.rename("width"), one.assign_attrs(note="x"), array([1 + 1e-15], "nm")):
        with pytest.raises(AssertionError):
            assert_identical(one, other)
    # Of values that agree, attrs other than units may differ.
    assert_allclose(one, one.assign_attrs(note="x"))


@pytest.mark.parametrize(("make", "parameters", "end"), CASES)
def test_a_synthetic_profile_is_labelled_and_has_units(make, parameters, end):
    ds, truth = make(np.linspace(0, end, 5), **parameters)
    assert ds.attrs["source"] == "synthetic: a closed form, without noise"
    assert ds["concentration"].dims == ("species", "depth")
    assert ds["concentration"].attrs["units"] == "atom/cm^3"
    assert ds["depth"].attrs["units"] == "nm"
    level = truth.peak_concentration
    assert truth.crossing(level) == pytest.approx(truth.peak_depth, abs=1e-6)
    assert truth.concentration([0.0, 1.0]).shape == (2,)


def test_an_implant_above_the_surface_has_its_largest_value_there():
    above = GAUSSIAN | {"projected_range": "-20 nm"}
    _, truth = gaussian_profile([0.0, 1.0], **above)
    assert truth.peak_depth == 0.0
    top = 1e14 * 1e7 / np.sqrt(2 * np.pi) / 51.5
    assert truth.peak_concentration == pytest.approx(top * np.exp(-0.5 * (20 / 51.5) ** 2))
    assert truth.dose < 0.5e14


@pytest.mark.parametrize(("make", "parameters", "end"), CASES)
def test_arguments_are_named_where_they_have_no_unit_or_a_wrong_one(make, parameters, end):
    for name in parameters:
        with raises(sims.errors.UnitsError, argument=name):
            make([0.0], **parameters | {name: "3 s"})
