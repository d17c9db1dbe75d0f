"""What the one door gives to those who compute: arguments, rows, data again."""

import pickle

import numpy as np
import pytest
import xarray as xr

import sims_analysis as sims
from sims_analysis.errors import ProfileError, SpeciesError, UnitsError
from sims_analysis.frame.opening import open_frame

LEVEL = ("concentration",)


@pytest.fixture
def ds():
    z = np.arange(0.0, 50.0, 2.0)
    values = np.stack([1e18 * np.exp(-z / 10), 2e17 + 0 * z, 1e16 + z * 1e14])
    return xr.Dataset(
        {"concentration": (("species", "depth"), values, {"units": "atoms/cm^3"})},
        coords={"species": ["B", "P", "As"], "depth": ("depth", z, {"units": "nm"})},
    )


def opened(data):
    return open_frame(data, LEVEL, question="a test")


def test_a_mapping_gives_each_species_its_own_value(ds):
    read = opened(ds).parameter({"As": "2e15 atoms/cm^3", "B": "3e21 m^-3"}, LEVEL, "level")
    assert read.dims == ("species",)
    np.testing.assert_array_equal(read.values, [3e15, np.nan, 2e15])
    one = opened(ds.sel(species="B"))
    assert float(one.parameter({"B": "1e15 cm^-3"}, LEVEL, "level")) == 1e15


@pytest.mark.parametrize(
    ("given", "error", "says"),
    [
        ({"Ga": "1e15 cm^-3"}, SpeciesError, "level names 'Ga'; the data have 'B', 'P', 'As'"),
        ({}, ProfileError, "level is empty"),
        ({"B": "1e15 cm^-3", "P": "5 nm"}, UnitsError, "level"),
        (
            {"B": xr.DataArray(1e15, {"species": "P"}, attrs={"units": "cm^-3"})},
            SpeciesError,
            r"level\['B'\] is that of 'P'",
        ),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused_by_name(ds, given, error, says):
    with pytest.raises(error, match=says):
        opened(ds).parameter(given, LEVEL, "level")


def test_values_along_the_samples_are_aligned_within_rounding(ds):
    um = ds["depth"].values[::-1] / 1000
    factor = xr.DataArray(
        um * 1e18, {"depth": ("depth", um, {"units": "um"})}, attrs={"units": "cm^-3"}
    )
    ordered = factor.sortby("depth")
    read = opened(ds).parameter(ordered, LEVEL, "factor", along=True)
    np.testing.assert_allclose(read.values, ds["depth"].values * 1e15, rtol=1e-12)
    with pytest.raises(ProfileError, match="must not run along 'depth'"):
        opened(ds).parameter(ordered, LEVEL, "factor")
    with pytest.raises(ProfileError, match="factor has no value for depth"):
        opened(ds).parameter(ordered.isel(depth=slice(3, None)), LEVEL, "factor", along=True)


@pytest.mark.parametrize("chunks", [None, {"species": 1}])
def test_each_calls_a_function_for_every_profile(ds, chunks):
    frame = opened(ds if chunks is None else ds.chunk(chunks))
    factor = xr.Variable("species", [1.0, 2.0, 3.0])
    rows = frame.each(
        lambda z, c, s, k, f: [c.max() * f, z.size, np.isnan([s, k]).all()], factor, size=3
    )
    np.testing.assert_array_equal(rows.values[:, 0], ds["concentration"].max("depth") * [1, 2, 3])
    np.testing.assert_array_equal(rows.values[:, 1:], [[25, 1]] * 3)
    assert rows.dims == ("species", "__row__")


def test_replaced_gives_back_data_in_the_kind_that_was_given(ds):
    ds["concentration_stderr"] = ds["concentration"] * 0.1
    frame = opened(ds)
    doubled = frame.replaced(2 * frame.value, stderr=None, counts=frame.value)
    np.testing.assert_array_equal(doubled["concentration"], 2 * ds["concentration"])
    assert "concentration_stderr" not in doubled
    assert doubled["concentration_counts"].attrs["units"] == "count"
    quantified = opened(sims.quantify(ds[["concentration"]]))
    again = quantified.replaced(quantified.value)
    assert str(again["concentration"].data.units) == str(
        sims.quantify(ds)["concentration"].data.units
    )


def test_lazy_answers_can_be_pickled(ds):
    lazy = sims.integrated_dose(ds.chunk({"species": 1}))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(lazy)), sims.integrated_dose(ds))  # noqa: S301


@pytest.mark.parametrize("with_cells", [False, True])
def test_each_gets_what_stands_beside_the_samples(ds, with_cells):
    z = ds["depth"].values
    if with_cells:
        ds = ds.assign_coords(depth_bounds=(("depth", "side"), np.stack([z - 1, z + 1], -1)))
    ds["concentration_stderr"] = 0.1 * ds["concentration"]
    ds["concentration_background_stderr"] = 0.2 * ds["concentration"]
    for name in ("concentration_stderr", "concentration_background_stderr"):
        ds[name].attrs["units"] = "atoms/cm^3"

    def look(z, c, s, k, common, overlap, lower, upper):
        shown = [s / c, common / c, overlap, lower - z, upper - z]
        return [*(np.mean(one) for one in shown), np.isnan(k).all()]

    rows = opened(ds).each(look, size=6, beside=("common", "overlap", "lower", "upper"))
    edges = [-1.0, 1.0] if with_cells else [np.nan, np.nan]
    np.testing.assert_allclose(rows.values, [[0.1, 0.2, 0.0, *edges, 1.0]] * 3)


def given(values, dims, units="cm^-3", **coords):
    return xr.DataArray(values, coords, dims, attrs={"units": units})


@pytest.mark.parametrize(
    ("value", "error", "said"),
    [
        (
            given([1.0, 2.0], ["species"], species=["B", "P"]),
            ProfileError,
            "level has no value for species ['As']; it has 'B', 'P'",
        ),
        (
            given(np.ones(9), ["species"], species=list("CDEFGHIJK")),
            ProfileError,
            "['As', 'B', 'P']; it has 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J' and 1 more",
        ),
        (
            given(np.ones(8), ["species"], species=list("CDEFGHIJ")),
            ProfileError,
            "it has 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J'",
        ),
        (
            given([1.0, 2.0], ["species"]),
            ProfileError,
            "level holds 2 values along 'species', and the data 3; give it a coordinate 'species'",
        ),
        (
            given([1.0, 2.0, 3.0, 4.0], ["species"], species=["B", "P", "As", "B"]),
            ProfileError,
            "level: species 'B'",
        ),
        (given(1.0, [], "nm"), UnitsError, "level is in 'nm', which is a depth; expected a unit"),
    ],
)
def test_values_by_label_that_do_not_fit_are_refused_with_what_there_is(ds, value, error, said):
    with pytest.raises(error) as told:
        opened(ds).parameter(value, LEVEL, "level")
    assert said in str(told.value)
    if "more" not in said and "it has 'C'" in said:
        assert str(told.value).endswith(said)


def test_values_of_several_species_are_not_those_of_one(ds):
    with pytest.raises(ProfileError) as told:
        opened(ds.sel(species="B")).parameter(given([1.0, 2.0], ["species"]), LEVEL, "level")
    said = "level holds 2 values along 'species', and the data are those of 'B' alone; give it"
    assert said in str(told.value)


def test_samples_without_a_value_are_listed_with_their_unit(ds):
    z = ds["depth"].values
    factor = given(np.ones(z.size), ["depth"], depth=("depth", z, {"units": "nm"}))
    for first, listed in ((3, "0.0, 2.0, 4.0 nm"), (4, "0.0, 2.0, 4.0 and 1 more nm")):
        part = factor.isel(depth=slice(first, None))
        with pytest.raises(ProfileError) as told:
            opened(ds).parameter(part, LEVEL, "factor", along=True)
        assert str(told.value) == f"factor has no value for depth {listed}"


def test_what_a_mapping_holds_is_of_its_species_alone(ds):
    both = given([1.0, 2.0], ["species"], species=["B", "P"])
    with pytest.raises(ProfileError) as told:
        opened(ds).parameter({"B": both}, LEVEL, "level")
    assert str(told.value) == "level['B'] is over species; expected a value for 'B' alone"
    read = opened(ds).parameter({"B": both.sel(species="B"), "P": "5 cm^-3"}, LEVEL, "level")
    np.testing.assert_array_equal(read.values, [1.0, 5.0, np.nan])
