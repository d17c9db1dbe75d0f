"""What the one door gives to those who compute: arguments, rows, data again."""

import pickle
from dataclasses import replace

import numpy as np
import pint
import pytest
import xarray as xr

import sims_analysis as sims
from sims_analysis import vocabulary
from sims_analysis.errors import ProfileError, SpeciesError, UnitsError
from sims_analysis.frame.opening import open_at_level, open_frame
from sims_analysis.kernels.rows import ends

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


def of_kind(unit, name="concentration", dtype=np.float64, **beside):
    values = np.array([[1.0, 2, 3], [4, 5, 6]], dtype)
    ds = xr.Dataset(
        {name: (("species", "depth"), values, {"units": unit})},
        {"species": ["B", "P"], "depth": ("depth", [0.0, 1.0, 2.0], {"units": "nm"})},
    )
    return open_frame(ds.assign(beside)[name], vocabulary.VALUE_KINDS, question="a test")


@pytest.mark.parametrize(
    ("unit", "name", "term", "canonical"),
    [
        ("cm^-3", "concentration", "concentration", "atom/cm^3"),
        ("cm^-3", "boron", "concentration", "atom/cm^3"),
        ("count/s", "intensity", "intensity", "count/s"),
        ("count", "signal", "intensity", "count"),
        ("1", "ratio", "species_ratio", "1"),
        ("1", "fraction", "species_fraction", "1"),
    ],
)
def test_the_term_is_that_of_the_name_or_of_the_unit(unit, name, term, canonical):
    frame = of_kind(unit, name)
    assert frame.units == canonical
    assert frame.term == term
    if unit == "1":
        assert replace(frame, name="B/Si").term == "species_ratio"


@pytest.mark.parametrize(
    ("dtype", "precision"),
    [(np.float32, np.float32), (np.float64, np.float64), (np.int32, np.float64)],
)
def test_results_along_the_samples_are_as_precise_as_these(dtype, precision):
    assert of_kind("cm^-3", dtype=dtype).precision is precision


def test_profiles_are_named_by_labels_numbers_or_not_at_all(ds):
    frame = opened(ds)
    assert frame.label({"species": 1}) == "species 'P'"
    assert frame.label({}) == "the profile"  # several species have no name in common
    assert opened(ds.sel(species="As")).label({}) == "species 'As'"
    assert opened(ds.drop_vars("species")).label({"species": 2}) == "species '2'"
    wafers = ds.expand_dims(wafer=["x", "y"])
    assert opened(wafers).label({"wafer": 1, "species": 0}) == "wafer 'y', species 'B'"
    assert opened(wafers.sel(species="P")).label({"wafer": 0}) == "wafer 'x'"


def test_attrs_are_those_of_a_term_and_what_replaces_them(ds):
    frame, values = opened(ds), xr.Variable("species", [1.0, 2.0, 3.0], {"own": "lost"})
    assert frame.with_attrs(values, "dose").attrs == vocabulary.attrs("dose")
    changed = frame.with_attrs(values, "dose", units_="1", long_name="Part", description=None)
    assert changed.attrs["units"] == "1"
    assert changed.attrs["long_name"] == "Part"
    assert "description" not in changed.attrs
    assert values.attrs == {"own": "lost"}


@pytest.mark.parametrize("time", [False, True])
def test_attrs_are_in_the_words_of_the_axis(ds, time):
    if time:
        ds = ds.rename(depth="sputter_time")
        ds["sputter_time"].attrs["units"] = "s"
    frame = open_frame(ds, LEVEL, question="a test", axes=vocabulary.AXES)
    value = xr.Variable((), 1.0)
    top, length = frame.of_axis(value, "peak_depth"), frame.of_axis(value, "decay_length")
    assert top.attrs["units"] == length.attrs["units"] == ("s" if time else "nm")
    word = "Time" if time else "Depth"
    assert top.attrs["long_name"] == f"{word} of the maximum"
    assert length.attrs["description"].startswith(f"{word.lower()} over which the profile")
    assert frame.of_axis(value, "samples_used").attrs.get("units") is None
    assert frame.of_axis(value, "fwhm", long_name="Depths").attrs["long_name"] == f"{word}s"


def test_an_array_has_the_coordinates_that_fit_and_its_status_and_error(ds):
    ds = ds.assign_coords(material=("species", ["a", "b", "c"]), wafer="W1")
    frame = opened(ds)
    value, codes = xr.Variable("species", [1.0, 2.0, 3.0]), xr.Variable("species", [0, 1, 0])
    more = {"n": xr.Variable("species", [4, 5, 6]), "other": xr.Variable("x", [0.0])}
    found = frame.array(value, "dose", status=codes, stderr=value / 10, coords=more, rule="so")
    assert list(found.coords) == ["species", "material", "wafer", "status", "n", "stderr"]
    assert (found.name, found.attrs["rule"]) == ("dose", "so")
    assert found["status"].values.tolist() == ["ok", vocabulary.STATUS[1], "ok"]
    assert found["stderr"].attrs["long_name"] == "Standard error, random part"
    assert found["stderr"].attrs["units"] == "atom/cm^2"
    in_units = frame.array(value, "dose", units_="1", stderr=value, label="part")
    assert (in_units.name, in_units.attrs["units"], in_units["stderr"].attrs["units"]) == (
        "part", "1", "1",
    )  # fmt: skip
    bare = frame.array(xr.Variable((), 1.0), "dose")
    assert list(bare.coords) == ["wafer"]
    whole = frame.along_axis(frame.value, "concentration", label="mine")
    assert (whole.name, "depth" in whole.coords, "species" in whole.coords) == ("mine", True, True)


def test_a_dataset_leaves_out_nominal_values_and_refuses_lost_labels(ds):
    frame = opened(ds.assign_coords(dose=("species", [1.0, 2.0, 3.0]), wafer="W1"))
    made = {"dose": xr.Variable("species", [4.0, 5.0, 6.0])}
    found = frame.dataset(made, coords={"n": xr.Variable((), 3), "x": xr.Variable("x", [1])})
    assert found["dose"].values.tolist() == [4.0, 5.0, 6.0]
    assert set(found.coords) == {"species", "wafer", "n"}
    with pytest.raises(ProfileError, match="'species' in the data is a dimension with labels"):
        frame.dataset({"species": made["dose"]})


def test_data_again_keep_what_is_not_named_and_scale_what_is_in_their_unit(ds):
    ds["concentration"].attrs |= {"note": "kept"}
    ds["concentration_stderr"] = (("depth", "species"), 0.1 * ds["concentration"].values.T)
    ds["concentration_stderr"].attrs = {"units": "atoms/cm^3", "note": "of errors"}
    ds["concentration_counts"] = ds["concentration"] / 1e15
    ds["concentration_counts"].attrs = {"units": "count"}
    frame = opened(ds)
    again = frame.replaced(
        3 * frame.value, background_overlap=xr.Variable("species", [1.0, 2.0, 3.0])
    )
    assert again["concentration"].attrs == {"note": "kept", "units": "atom/cm^3"}
    assert again["concentration_background_overlap"].attrs["units"] == "1"
    xr.testing.assert_identical(again["concentration_stderr"], ds["concentration_stderr"])
    errors = frame.replaced(frame.value, stderr=2 * frame.stderr)["concentration_stderr"]
    assert errors.dims == ("species", "depth")
    assert errors.attrs["note"] == "of errors"
    scaled = frame.times(xr.Variable("species", [1.0, 2.0, np.nan]))
    np.testing.assert_allclose(scaled["concentration"][1], 2 * ds["concentration"][1], rtol=1e-14)
    np.testing.assert_array_equal(scaled["concentration_counts"], ds["concentration_counts"])
    for change in (lambda f: f.replaced(f.value), lambda f: f.times(xr.Variable((), 2.0))):
        with pytest.raises(TypeError, match="takes an xarray Dataset, found DataArray"):
            change(opened(ds["concentration"]))


def test_errors_of_sums_are_those_of_a_window_where_these_went_into_it(ds):
    frame = opened(ds)
    stderr = xr.Variable(frame.value.dims, np.full(frame.value.shape, 2.0))
    overlap = xr.Variable("depth", np.where(np.arange(25) > 20, 0.5, 0.0))
    scatter = xr.Variable("species", [1.0, 3.0, 2.0])
    whole = replace(frame, stderr=stderr, scatter=scatter, overlap=overlap)
    expected = np.where(overlap.values > 0, 2.0 * scatter.values[:, None], 2.0)
    np.testing.assert_array_equal(whole.stderr_of_sums, expected)
    for gone in ("stderr", "scatter", "overlap"):
        without = replace(whole, **{gone: None})
        assert without.stderr_of_sums is without.stderr


def test_a_kernel_gets_the_errors_that_it_asks_for(ds):
    frame = opened(ds.sel(species=["B"]))
    stderr = frame.value.copy(data=np.full((1, 25), 3.0))
    counts = frame.value.copy(data=np.where(np.arange(25) == 7, 0.0, 5.0)[None])
    frame = replace(frame, stderr=stderr, counts=counts, fraction=xr.Variable((), 0.25))
    got = []

    def kernel(rows):
        got.append(None if rows.stderr is None else np.ravel(rows.stderr).tolist())
        return ends(rows)

    def given(of, errors):
        of.map(kernel, errors=errors)
        return got[-1]

    # On a grid finer than the samples, each has an error larger by 1 / sqrt(fraction), and in sums
    # one without a count has none.
    none = [0.0 if i == 7 else 6.0 for i in range(25)]
    assert given(frame, None) is None
    assert given(frame, "each") == [3.0] * 25
    assert given(frame, "fit") == [6.0] * 25
    assert given(frame, "sum") == none
    assert given(replace(frame, counts=None), "sum") == [6.0] * 25
    assert given(replace(frame, stderr=None), "sum") is None
    grown = replace(frame, scatter=xr.Variable((), 2.0), overlap=frame.value.copy(data=counts.data))
    assert given(grown, "sum") == [2 * s for s in none]
    assert given(grown, "fit") == [6.0] * 25


def test_an_infinite_sample_is_refused_by_the_name_of_its_profile(ds):
    ds["concentration"].values[1, 4] = np.inf
    said = r"^species 'P': concentration\[4\] is inf; a sample needs a finite depth"
    with pytest.raises(ProfileError, match=said):
        opened(ds).measured()
    wafers = xr.concat([ds.where(np.isfinite(ds), 1.0), ds], "wafer")
    wafers = wafers.assign_coords(wafer=["x", "y"])
    said = r"^wafer 'y', species 'P': concentration\[4\]"
    with pytest.raises(ProfileError, match=said):
        opened(wafers).map(ends)
    with pytest.raises(ProfileError, match=said):
        sims.metallurgical_junctions(wafers, donors=["P"], acceptors=["B", "As"])


def test_measured_profiles_have_a_sample(ds):
    ds["concentration"].values[2] = np.nan
    assert opened(ds).measured().values.tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("level", "name"), [("2e17 cm^-3", "concentration"), ("5 count/s", "intensity")]
)
def test_the_unit_of_a_level_opens_the_variable(ds, level, name):
    ds["intensity"] = ds["concentration"] / 1e15
    ds["intensity"].attrs["units"] = "count/s"
    frame, read = open_at_level(ds, level, "a test")
    assert (frame.name, read.dims, float(read)) == (name, (), float(level.split()[0]))


@pytest.mark.parametrize(
    ("level", "error", "said"),
    [
        ("5 count/s", UnitsError, "level='5 count/s': a test of this level needs a count rate"),
        (np.nan, UnitsError, "level"),
        (given(np.inf, []), ProfileError, "level is inf; expected a finite number"),
        (given([np.nan, -np.inf, 1.0], ["species"], species=["B", "P", "As"]), ProfileError,
         "level of species 'P' is -inf"),
        (given(np.nan, []), ProfileError, "level is nan; expected a finite number"),
    ],
)  # fmt: skip
def test_a_level_is_finite_and_one_that_the_data_have(ds, level, error, said):
    with pytest.raises(error) as told:
        open_at_level(ds, level, "a test")
    assert str(told.value).startswith(said)


def test_a_level_that_is_not_known_of_one_profile_is_none(ds):
    of_each = given([1.0, np.nan, 3.0], ["species"], species=["B", "P", "As"])
    _, read = open_at_level(ds, of_each, "a test")
    np.testing.assert_array_equal(read, [1.0, np.nan, 3.0])
    _, read = open_at_level(ds.sel(species="B"), given(np.nan, []), "a test")
    assert np.isnan(read)
    _, read = open_at_level(ds.sel(species=["B"]), given(np.nan, []), "a test")
    assert np.isnan(read)
    with pytest.raises(
        ProfileError, match=r"^level is nan; expected a finite"
    ):  # one that is stated
        open_at_level(ds.sel(species="B"), pint.Quantity(np.nan, "cm^-3"), "a test")


def test_levels_of_ratios_are_pure_numbers(ds):
    ratio = (ds["concentration"] / 1e18).rename("ratio").assign_attrs(units="1")
    frame, read = open_at_level(ratio, "0.5", "a test")
    assert (frame.kind, float(read)) == ("dimensionless", 0.5)
    with pytest.raises(UnitsError, match="level"):
        open_at_level(ds, "0.5", "a test")
