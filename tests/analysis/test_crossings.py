"""Crossings of a level: depths, directions, and what is not a crossing."""

import itertools
import math

import numpy as np
import pytest
import xarray as xr
from error_parts import raises, warns
from hypothesis import given
from hypothesis import strategies as st
from measurement_layouts import measurement, number, one, word

import sims_analysis as sims
from sims_analysis.errors import JunctionError, ProfileError, ProfileWarning, UnitsError

LEVEL = "1e18 atoms/cm^3"


def depths(values, level=LEVEL, z=None):
    """List the crossings of one profile, a sample every 10 nm."""
    z = 10.0 * np.arange(len(values)) if z is None else z
    found = sims.crossings(one(z, values), level=level).isel(species=0)
    kept = found["depth"].notnull()
    return found["depth"].values[kept].tolist(), found["direction"].values[kept].tolist()


# --- closed forms -------------------------------------------------------------------------------


@pytest.mark.parametrize("step", [1.0, 2.0, 3.0, 7.0])
def test_crossing_of_an_exponential_is_exact_on_any_grid(step):
    z = np.arange(0, 100, step)
    at, direction = depths(1e20 * np.exp(-z / 5), "1e17 atoms/cm^3", z)
    assert at == pytest.approx([34.538776], abs=1e-6)
    assert direction == ["falling"]


def test_local_decay_length_and_bracketing_samples():
    z = np.arange(0, 100, 4.0)
    found = sims.crossings(one(z, 1e20 * np.exp(-z / 5)), level="1e17 atoms/cm^3")
    assert number(found["decay_length"]) == pytest.approx(5, rel=1e-12)
    assert number(found["depth_before"]) == 32
    assert number(found["depth_after"]) == 36
    assert number(found["count"]) == 1


# --- samples on the level -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "at"),
    [
        ([3, 2, 1], [10.0]),  # an exact hit is one crossing, once
        ([1, 2, 3], [10.0]),
        ([3, 2, 3], []),  # touching the level is not crossing it
        ([1, 2, 1], []),
        ([3, 2, 2, 1], [10.0]),  # a plateau is one, at its first sample
        ([1, 2, 2, 2, 3], [10.0]),
        ([3, 2, 2, 3], []),
        ([2, 1], []),  # on which side it would have gone is not known
        ([3, 2], []),
        ([2, 2, 2], []),
        ([2], []),
        ([3, 2, 1, 2, 3], [10.0, 30.0]),
    ],
)
@pytest.mark.parametrize("unit", ["2e18 atoms/cm^3", "2 atoms/cm^3"])
def test_samples_on_the_level(values, at, unit):
    scale = 1e18 if "e18" in unit else 1.0
    assert depths([v * scale for v in values], unit)[0] == at


def test_a_level_written_in_another_unit_still_hits_a_sample_exactly():
    assert depths([3e18, 2e18, 1e18], "2e24 atoms/m^3")[0] == [10.0]


# --- zeros, negatives, infinities of the logarithm ----------------------------------------------


def test_a_segment_that_ends_at_zero_is_linear():
    assert depths([4e18, 0.0])[0] == pytest.approx([7.5])


def test_a_segment_that_ends_below_zero_is_linear():
    assert depths([4e18, -1e18])[0] == pytest.approx([6.0])


def test_a_level_of_zero_is_linear():
    assert depths([1e18, -3e18], "0 atoms/cm^3")[0] == pytest.approx([2.5])


def test_a_segment_over_the_whole_range_of_floats():
    at, _ = depths([1e300, 1e-300], "1 atoms/cm^3")
    assert at == pytest.approx([5.0])


def test_nan_is_not_a_sample_and_its_neighbours_bracket_the_crossing():
    at, _ = depths([1e20, np.nan, 1e16])
    assert at == pytest.approx([10.0])


# --- why there is none --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ([1e16, 1e17, 1e16], "never_reached"),
        ([1e20, 1e19, 1e20], "always_above"),
        ([np.nan] * 3, "no_data"),
        ([1e16], "never_reached"),
        ([1e20], "always_above"),
    ],
)
def test_without_a_crossing_the_first_entry_gives_the_reason(values, status):
    found = sims.crossings(one(range(len(values)), values), level=LEVEL)
    assert found["status"].values.ravel().tolist() == [status]
    assert np.isnan(found["depth"].values).all()
    assert number(found["count"]) == 0


def test_unused_entries_are_nan_and_empty():
    ds = measurement([0, 1, 2, 3], {"B": [1e19, 1e17, 1e19, 1e17], "P": [1e19, 1e17, 1e17, 1e17]})
    found = sims.crossings(ds, level=LEVEL)
    assert found.sizes["crossing"] == 3
    p = found.sel(species="P")
    assert p["status"].values.tolist() == ["ok", "", ""]
    assert p["direction"].values.tolist() == ["falling", "", ""]
    assert np.isnan(p["depth"].values[1:]).all()


def test_max_count_limits_the_entries_but_not_the_count():
    ds = one(range(6), [1e19, 1e17] * 3)
    found = sims.crossings(ds, level=LEVEL, max_count=2)
    assert found.sizes["crossing"] == 2
    assert number(found["count"]) == 5
    assert found["depth"].values.ravel().tolist() == [0.5, 1.5]
    for wrong in (0, -1, 1.5, "2"):
        with raises(ProfileError, argument="max_count"):
            sims.crossings(ds, level=LEVEL, max_count=wrong)


# --- levels -------------------------------------------------------------------------------------


@pytest.mark.parametrize("lazy", [False, True])
def test_as_many_levels_as_species_are_not_matched_by_position(lazy):
    z = np.arange(0, 100, 1.0)
    ds = measurement(z, {"B": 1e20 * np.exp(-z / 5), "P": 1e20 * np.exp(-z / 10)})
    ds = ds.chunk({"species": 1}) if lazy else ds
    level = xr.DataArray([1e19, 1e17], dims="case", attrs={"units": "1/cm3"})
    found = sims.crossings(ds, level=level, max_count=1)
    assert found["depth"].dims == ("species", "case", "crossing")
    assert found["count"].dims == ("species", "case")
    exact = np.outer([5, 10], np.log([10, 1e3]))
    np.testing.assert_allclose(found["depth"].isel(crossing=0), exact, rtol=1e-12)


def test_the_unit_of_the_level_chooses_the_variable():
    ds = one([0, 10], [1e19, 1e17])
    ds["intensity"] = (("species", "depth"), [[1e4, 1e0]], {"units": "count/s"})
    found = sims.crossings(ds, level="1e3 counts/s")
    assert number(found["depth"]) == pytest.approx(2.5)


# --- standard errors ----------------------------------------------------------------------------


def test_standard_error_by_the_stated_formula():
    ds = one([0, 3], [1e18, 1e17], stderr=[1e17, 1e16])
    found = sims.crossings(ds, level=f"{1e18 * 10**-0.4} atoms/cm^3")
    assert number(found["depth"]) == pytest.approx(1.2)
    # 3 nm per decade and 100 counts on either side.
    exact = 3 / math.log(10) * math.hypot(0.6 * 0.1, 0.4 * 0.1)
    assert number(found["stderr"]) == pytest.approx(exact)
    assert found["stderr"].attrs["units"] == "nm"


def test_standard_error_of_a_linear_segment():
    # No logarithm can be taken of a level of 0.
    ds = one([0, 10], [3e18, -1e18], stderr=[4e17, 2e17])
    found = sims.crossings(ds, level="0 atoms/cm^3")
    exact = math.hypot(0.25 * 4e17, 0.75 * 2e17) / 4e17
    assert number(found["stderr"]) == pytest.approx(exact)


def test_with_hardly_any_noise_the_curvature_between_two_samples_is_known_too():
    z = np.arange(0.0, 200.0, 5.0)
    for straggle, shift in itertools.product((20.0, 30.0), (0.0, 1.0, 3.0)):
        c = 1e20 * np.exp(-((z - 60.0 - shift) ** 2) / (2 * straggle**2))
        found = sims.crossings(one(z, c, stderr=1e-7 * c), level=LEVEL).isel(species=0)
        way = straggle * math.sqrt(2 * math.log(100.0))
        off = found["depth"].values[-1] - (60.0 + shift + way)
        assert abs(off) < 1e-3  # the line between the two is up to 0.1 nm off


def test_without_errors_in_the_data_the_standard_error_is_nan():
    assert math.isnan(number(sims.crossings(one([0, 10], [4e18, 1e17]), level=LEVEL)["stderr"]))


def test_a_record_without_samples_has_no_data():
    assert sims.crossings(one([], []), level=LEVEL)["status"].values.tolist() == [["no_data"]]


# --- what noise leaves of a crossing ------------------------------------------------------------


def counted(counts, step=10.0):
    ds = one(step * np.arange(len(counts)), np.asarray(counts) * 1e17)
    return sims.with_counting_statistics(ds, value_per_count="1e17 atoms/cm^3")


def test_crossings_that_noise_can_make_leave_no_depth():
    ds, level = counted([2, 0, 7, 1, 1, 3, 0, 0]), "1.9e17 atoms/cm^3"
    with warns(ProfileWarning, "undetermined", species="B"):
        found = sims.crossings(ds, level=level)
    assert found["status"].values.tolist() == [["undetermined"]]
    assert number(found["count"]) == 0
    for name in ("depth", "stderr", "raw_crossing", "decay_length", "depth_before"):
        assert found[name].isnull().all(), name
    with warns(ProfileWarning, "undetermined", species="B"):
        junction = sims.junction_depth(ds, level=level, which=1)
    assert math.isnan(number(junction))
    assert word(junction["status"]) == "undetermined"
    with raises(JunctionError, "undetermined", species="B"):
        sims.junction_depth(ds, level=level, which=1, strict=True)
    with warns(ProfileWarning, "undetermined"):
        both = sims.metallurgical_junctions(ds, donors=["B"], background="-1.9e17 atoms/cm^3")
    assert both["status"].values.tolist() == ["undetermined"]
    # Without errors nothing is said against them.
    bare = ds.drop_vars(["concentration_stderr", "concentration_counts"])
    assert (sims.crossings(bare, level=level)["status"] == "ok").all()


def test_a_long_record_of_noise_has_no_junction():
    counts = np.random.default_rng(0).poisson(10.0, 5000)
    for level in ("9.5e17", "1e18", "1.05e18"):
        with warns(ProfileWarning, "undetermined", species="B"):
            found = sims.junction_depth(counted(counts, 1.0), level=f"{level} atoms/cm^3")
        assert word(found["status"]) == "undetermined"


def test_of_an_edge_in_few_counts_the_depth_is_where_the_samples_around_show_it():
    z = np.arange(0.0, 150.0)
    counts = np.random.default_rng(5).poisson(10 * np.exp(-(z - 60) / 15), (300, z.size))
    ds = xr.Dataset(
        {"concentration": (("measurement", "depth"), counts * 1e17, {"units": "atom/cm^3"})},
        {"depth": ("depth", z, {"units": "nm"})},
    )
    ds = sims.with_counting_statistics(ds, value_per_count="1e17 atoms/cm^3")
    ask = {"level": "1e18 atoms/cm^3"}
    found = sims.junction_depth(ds, **ask)
    off = found - 60
    # A study of this rule: bias -0.06 nm, root mean square 1.38 nm, coverage 65 %.
    assert abs(off.mean()) < 0.25
    assert 1.1 < float(np.sqrt((off**2).mean())) < 1.6
    assert 0.59 < float((abs(off) < found["stderr"]).mean()) < 0.77
    assert found["n_crossings"].values.tolist() == [1] * 300
    # Between two samples alone, the deepest crossing lies too deep.
    bare = ds.drop_vars(["concentration_stderr", "concentration_counts"])
    with pytest.warns(sims.errors.AmbiguousJunctionWarning):
        deepest = sims.junction_depth(bare, **ask)
    assert 3 < float((deepest - 60).mean()) < 4.5
    raw = sims.junction_depth(ds, **ask, locate="crossing")
    np.testing.assert_array_equal(raw, found["raw_crossing"])


# --- over sputter time --------------------------------------------------------------------------


def test_over_sputter_time_crossings_are_times():
    z = np.arange(0, 100, 4.0)
    over_depth = one(z, 1e20 * np.exp(-z / 5), stderr=1e18 * np.exp(-z / 5))
    ds = over_depth.rename(depth="sputter_time")
    ds["sputter_time"].attrs["units"] = "min"
    found = sims.crossings(ds, level="1e17 atoms/cm^3")
    same = sims.crossings(over_depth, level="1e17 atoms/cm^3")
    names = {"sputter_time": "depth", "decay_length": "decay_length", "stderr": "stderr"}
    names |= {"raw_crossing": "raw_crossing"}
    names |= {f"sputter_time_{side}": f"depth_{side}" for side in ("before", "after")}
    assert set(found.data_vars) == {*names, "direction", "status"}
    for name, other in names.items():
        assert number(found[name]) == pytest.approx(60 * number(same[other]), rel=1e-12)
        assert found[name].attrs["units"] == "s"
        text = " ".join(map(str, found[name].attrs.values()))
        assert "depth" not in text.lower()
    with raises(UnitsError, argument="level"):
        sims.junction_depth(ds, level="1e17 atoms/cm^3")


# --- properties ---------------------------------------------------------------------------------


@given(st.lists(st.floats(1e14, 1e21), min_size=2, max_size=10))
def test_the_log_interpolant_is_the_level_at_every_crossing(profile):
    ds = one(10.0 * np.arange(len(profile)), profile)
    found = sims.crossings(ds, level=LEVEL)["depth"].isel(species=0).dropna("crossing")
    if found.size:
        at = sims.interpolate(ds, depth=found.drop_vars("count"))["concentration"]
        np.testing.assert_allclose(at, 1e18, rtol=1e-9)
