"""Variables and axes in canonical units, or refused by name."""

import numpy as np
import pytest
import xarray as xr
from error_parts import raises

import sims_analysis as sims
from sims_analysis.conventions.canonical import (
    first_of,
    scaled,
    signal_name,
    to_canonical,
)
from sims_analysis.errors import ProfileError, UnitsError

DS = xr.Dataset(
    {"intensity": (("measurement", "species", "depth"), np.ones((2, 3, 4)), {"units": "kcps"})},
    coords={
        "measurement": ["w1", "w2"],
        "species": ["B", "P", "Si"],
        "depth": ("depth", [0.0, 0.1, 0.2, 1.001], {"units": "um"}),
    },
)
CANONICAL = to_canonical(DS)


def test_variables_and_axes_in_canonical_units(approved):
    assert CANONICAL["intensity"].attrs["units"] == "count/s"
    np.testing.assert_array_equal(CANONICAL["intensity"], 1000.0)
    np.testing.assert_allclose(CANONICAL["depth"], [0.0, 100.0, 200.0, 1001.0])
    assert CANONICAL["depth"].attrs["units"] == "nm"
    assert to_canonical(CANONICAL) is CANONICAL
    with raises(UnitsError, "missing_unit"):
        to_canonical(DS.drop_attrs())
    with raises(ProfileError, "not_a_quantity", text=approved):
        to_canonical(DS.astype(complex).assign_coords(DS.coords))


def test_ancillary_variables_in_its_unit_are_scaled_with_it():
    ds = CANONICAL.assign(
        intensity_stderr=0.1 * CANONICAL["intensity"], intensity_counts=CANONICAL["intensity"]
    )
    made = scaled(ds, "intensity", xr.Variable("species", [1.0, 2.0, 3.0]))
    assert list(made) == ["", "_stderr", "_counts"]
    np.testing.assert_array_equal(made[""][:, 1], 2000.0)
    np.testing.assert_array_equal(made["_stderr"][:, 2], 300.0)
    np.testing.assert_array_equal(made["_counts"], 1000.0)
    assert made[""].dims == ds["intensity"].dims
    assert made[""].attrs == ds["intensity"].attrs


def test_an_argument_that_there_is_not_is_refused_with_what_was_meant(approved):
    with raises(TypeError, text=approved):
        sims.correct_dead_time(DS, deadtime="20 ns")
    with raises(TypeError, text=approved):
        sims.correct_dead_time(DS, "20 ns", "B")


def test_only_datasets_have_several_variables(approved):
    with raises(TypeError, text=approved):
        sims.correct_dead_time(DS["intensity"], dead_time="20 ns")


@pytest.mark.parametrize(
    "end", ["", "_stderr", "_background_stderr", "_scatter", "_detection_limit"]
)
def test_what_is_in_the_unit_of_a_variable_is_converted_and_scaled_with_it(end):
    ds = DS.assign({f"intensity{end}": DS["intensity"]})
    found = to_canonical(ds)[f"intensity{end}"]
    assert found.attrs["units"] == "count/s"
    np.testing.assert_array_equal(found, 1000.0)
    np.testing.assert_array_equal(scaled(ds, "intensity", 3.0)[end], 3.0)


@pytest.mark.parametrize("end", ["_counts", "_background_overlap", "_background_scatter"])
def test_what_is_in_another_unit_stays(end):
    ds = DS.assign({f"intensity{end}": DS["intensity"].drop_attrs(deep=False)})
    assert to_canonical(ds)[f"intensity{end}"].attrs == {}
    np.testing.assert_array_equal(scaled(ds, "intensity", 3.0)[end], 1.0)


def test_bounds_are_converted_with_their_axis():
    edges = np.array([[-0.05, 0.05], [0.05, 0.15], [0.15, 0.6], [0.6, 1.2]])
    ds = DS.assign_coords(depth_bounds=(("depth", "side"), edges, {"note": "kept"}))
    found = to_canonical(ds)["depth_bounds"]
    np.testing.assert_allclose(found, edges * 1000, rtol=1e-14)
    assert found.attrs == {"note": "kept"}
    again = to_canonical(ds.assign_coords(depth=to_canonical(DS)["depth"]))
    np.testing.assert_array_equal(again["depth_bounds"], edges)


def test_the_kind_of_data_that_was_given_comes_back():
    found = sims.correct_dead_time(sims.quantify(DS), dead_time="20 ns")
    assert str(found["intensity"].data.units) == "count / second"
    plain = sims.correct_dead_time(DS, dead_time="20 ns")
    np.testing.assert_array_equal(sims.dequantify(found)["intensity"], plain["intensity"])
    by_name = sims.correct_dead_time(data=DS, dead_time="20 ns")
    np.testing.assert_array_equal(by_name["intensity"], plain["intensity"])


@pytest.mark.parametrize("name", ["intensity", "counts", "intensity_arbitrary"])
def test_the_signal_is_the_first_intensity_that_there_is(name):
    ds = xr.Dataset({"concentration": 1.0, name: 1.0, "intensity_arbitrary": 2.0})
    assert signal_name(ds, "a test") == name


def test_variables_are_listed_where_there_is_no_signal():
    ds = xr.Dataset({"dose": ((), 1.0, {"units": "atom/cm^2"}), "bare": 2.0})
    with raises(UnitsError, "missing_variable"):
        signal_name(ds, "a test")
    with raises(UnitsError, "missing_variable"):
        first_of(xr.Dataset(), ["dose"], "none")
