"""Counting statistics: from counts to standard errors, and whether these cover the truth."""

import math

import numpy as np
import pytest
import xarray as xr
from error_parts import raises, warns
from measurement_layouts import measurement, one, profile
from shared_profiles import read

import sims_analysis as sims
from sims_analysis.errors import (
    ProfileError,
    ProfileWarning,
    SpeciesError,
    UnitsError,
)

# --- intervals ----------------------------------------------------------------------------------


def test_garwood_intervals_of_few_counts():
    lower, upper = sims.poisson_interval([0, 1, 5])
    np.testing.assert_allclose(lower, [0, 0.17, 2.84], atol=0.005)
    np.testing.assert_allclose(upper, [1.84, 3.30, 8.38], atol=0.005)
    assert sims.poisson_interval(0, confidence=0.95)[1] == pytest.approx(3.689, abs=1e-3)


def test_zero_counts_have_an_upper_limit_of_three_at_95_percent_one_sided():
    assert sims.poisson_interval(0, confidence=0.9)[1] == pytest.approx(-math.log(0.05))


@pytest.mark.parametrize("mean", [0.7, 3.0, 12.5, 400.0])
def test_intervals_cover_at_least_what_they_state(mean):
    from scipy.stats import poisson

    k = np.arange(int(mean + 12 * math.sqrt(mean) + 12))
    lower, upper = sims.poisson_interval(k)
    covered = poisson.pmf(k, mean)[(lower <= mean) & (mean <= upper)].sum()
    assert covered >= 0.6826


@pytest.mark.parametrize("lazy", [False, True])
def test_intervals_of_labelled_counts_have_their_labels(lazy):
    labels = {"species": ["B", "P", "As"]}
    counts = xr.DataArray([0.0, 1.0, np.nan], labels, ["species"], attrs={"units": "count"})
    found = sims.poisson_interval(counts.chunk() if lazy else counts, confidence=0.9)
    plain = sims.poisson_interval(counts.values, confidence=0.9)
    for end, expected in zip(found, plain, strict=True):
        assert (end.chunks is not None) == lazy
        xr.testing.assert_identical(end.compute(), counts.copy(data=expected))


@pytest.mark.parametrize("bad", [{"counts": -1}, {"counts": 1, "confidence": 1.0}])
def test_intervals_of_nonsense_are_refused(bad):
    with pytest.raises(ProfileError):
        sims.poisson_interval(bad.pop("counts"), **bad)


@pytest.mark.parametrize("bad", ["3", None, [1, "a"], True, [[1], [2, 3]]])
def test_what_is_no_number_of_counts_is_refused(bad):
    with raises(ProfileError, argument="counts"):
        sims.poisson_interval(bad)
    with raises(ProfileError, argument="confidence"):
        sims.poisson_interval(3, confidence=str(bad))


# --- counts and standard errors -----------------------------------------------------------------


def test_counts_from_a_known_value_of_one_count():
    ds = sims.with_counting_statistics(
        one([0, 1, 2], [0, 4e16, 1e18]), value_per_count="1e22 at/m^3"
    )
    np.testing.assert_allclose(ds["concentration_counts"][0], [0, 4, 100])
    np.testing.assert_allclose(
        ds["concentration_stderr"][0], [1e16 * -math.log(0.15865525393145707) / 2, 2e16, 1e17]
    )
    assert ds["concentration_stderr"].attrs["units"] == "atom/cm^3"
    assert ds["concentration_counts"].attrs == {"units": "count", "long_name": "Counts"}


def test_counts_from_a_rate_and_the_dwell_time():
    ds = one([0, 1], [10, 1000], units="counts/s").rename(concentration="intensity")
    found = sims.with_counting_statistics(ds, dwell_time="500 ms")
    np.testing.assert_allclose(found["intensity_counts"][0], [5, 500])
    np.testing.assert_allclose(
        found["intensity_stderr"][0], [10 / math.sqrt(5), 1000 / math.sqrt(500)]
    )


def test_intensities_in_counts_need_nothing_more():
    ds = one([0, 1], [9, 16], units="counts").rename(concentration="intensity")
    found = sims.with_counting_statistics(ds)
    np.testing.assert_allclose(found["intensity_stderr"][0], [3, 4])


def test_a_mapping_gives_each_species_its_own_and_leaves_others_out():
    ds = measurement([0, 1], {"B": [1e16, 4e16], "P": [1e16, 4e16]})
    found = sims.with_counting_statistics(ds, value_per_count={"B": "1e16 atoms/cm^3"})
    assert found["concentration_stderr"].sel(species="B").notnull().all()
    assert found["concentration_stderr"].sel(species="P").isnull().all()
    with raises(SpeciesError, argument="value_per_count", species="As"):
        sims.with_counting_statistics(ds, value_per_count={"As": "1e16 atoms/cm^3"})


# --- what is said ------------------------------------------------------------------------------


def test_ancillary_counts_are_not_another_measurement():
    ds = sims.open_example("gan-mg-stack")
    counted = sims.with_counting_statistics(ds, dwell_time={"Ga->": "1 s"})
    assert "intensity_counts" in counted
    names = [profile.species_name for profile in sims.to_profiles(counted)]
    assert names == ds["species"].values.tolist()


def test_what_one_count_stands_for_is_on_record():
    ds = sims.with_counting_statistics(
        sims.open_example("boron-implant"), value_per_count={"B": "1e14 atoms/cm^3"}
    )
    assert (
        "with_counting_statistics(value_per_count={'B': '1e14 atoms/cm^3'}), by"
        in ds.attrs["history"]
    )
    assert sims.provenance(ds)["steps"] == [
        {
            "function": "with_counting_statistics",
            "parameters": {"value_per_count": {"B": "1e14 atoms/cm^3"}},
        }
    ]


# --- whole numbers of counts, and what the metadata state --------------------------------------


def rates(values, **about):
    profile = sims.DepthProfile(
        species_name="7Li", depths=np.arange(float(len(values))), depth_units="s",
        concentrations=values, concentration_units="cnt/s", species_metadata=about,
    )  # fmt: skip
    return sims.to_dataset([profile])


#: As an instrument prints them: 0.99016 s, and 0.001 where nothing was counted.
PRINTED = [0.001, 1.00994, 2.01988, 33.328, 71.7059, 776.666, 308.035]


def test_counts_of_concentrations_come_from_the_factor_and_the_counting_time():
    about = {"rsf": "3e13 at/cm3", "calibration": "RSF", "counting_time": "0.5 s"}
    profile = sims.DepthProfile(
        species_name="10B", depths=[0.0, 1.0, 2.0], depth_units="nm",
        concentrations=[0.0, 6e15, 1.5e16], concentration_units="atoms/cm^3",
        species_metadata=about | {"detector_yield": "80 %"},
    )  # fmt: skip
    found = sims.with_counting_statistics(sims.to_dataset([profile]))
    np.testing.assert_allclose(found["concentration_counts"][0], [0, 80, 200])


def test_counting_times_come_from_the_metadata():
    ds = rates(PRINTED, counting_time="0.99 s")
    found = sims.with_counting_statistics(ds)
    np.testing.assert_allclose(
        found["intensity_counts"][0], [0, 1, 2, 33, 71, 768.899, 304.955], rtol=1e-5
    )
    assert found["intensity_counts"].values[0, :5].tolist() == [0, 1, 2, 33, 71]
    # What was read stays, and so does what the error of nothing is.
    np.testing.assert_array_equal(found["intensity"], ds["intensity"])
    nothing = -math.log(0.15865525393145707) / 2 / 0.99
    assert found["intensity_stderr"].values[0, 0] == pytest.approx(nothing)
    assert found["intensity_stderr"].values[0, 3] == pytest.approx(math.sqrt(33) / 0.99)
    divided = rates(PRINTED, counting_time="1.040 s", detector_yield="95.2 %")
    counts = sims.with_counting_statistics(divided)["intensity_counts"]
    assert counts.values[0, :5].tolist() == [0, 1, 2, 33, 71]
    cup = rates(PRINTED, counting_time="0.99 s", detector="FC")
    assert sims.with_counting_statistics(cup)["intensity_stderr"].isnull().all()
    with raises(UnitsError, "missing_variable"):
        sims.with_counting_statistics(rates(PRINTED, matrix="ZnO"))
    with raises(UnitsError, "missing_unit", argument="species_metadata"):
        sims.with_counting_statistics(rates(PRINTED, counting_time="0.99"))


def test_an_argument_counts_more_than_the_metadata():
    found = sims.with_counting_statistics(rates([2.0, 4.0], counting_time="7 s"), dwell_time="1 s")
    assert found["intensity_counts"].values.tolist() == [[2.0, 4.0]]


@pytest.mark.parametrize("time", ["1.04 s", "0.5 s", "0.7 s"])
def test_values_that_are_no_counts_are_refused(time, approved):
    with raises(ProfileError, "impossible_value", species="7Li", text=approved):
        sims.with_counting_statistics(rates(PRINTED), dwell_time=time)
    lazy = sims.with_counting_statistics(rates(PRINTED).chunk(), dwell_time=time)
    assert lazy["intensity_counts"].isnull().any()


@pytest.mark.parametrize(
    ("counts", "whole"), [(5.07, True), (5.08, False), (0.05, True), (0.06, False)]
)
def test_how_far_a_number_of_counts_may_be_from_a_whole_one(counts, whole, approved):
    ds = one([0, 1], [counts, 3.0], units="counts").rename(concentration="intensity")
    if whole:
        assert sims.with_counting_statistics(ds)["intensity_counts"][0, 0] == round(counts)
    else:
        with raises(ProfileError, "impossible_value", species="B", depth="0 nm", text=approved):
            sims.with_counting_statistics(ds)


@pytest.mark.parametrize(
    ("counts", "taken"), [(2.04, 2.0), (89.4, 89.0), (90.4, 90.4), (131.4, 131.4), (1e6 + 0.4,) * 2]
)
def test_many_counts_are_used_as_they_are(counts, taken):
    # From 90 on, 0.05 counts plus 0.5 % are half a count.
    ds = one([0, 1], [counts, 3.0], units="counts").rename(concentration="intensity")
    found = sims.with_counting_statistics(ds)
    assert found["intensity_counts"].values.tolist() == [[taken, 3.0]]
    assert found["intensity_stderr"].values[0, 0] == pytest.approx(math.sqrt(taken), rel=1e-15)


def test_a_few_species_without_whole_numbers_have_no_counts():
    values = {"B": [1, 2], "C": [1, 2.5], "O": [3, 4]}
    three = [profile(name, [0, 1], c, units="counts") for name, c in values.items()]
    with warns(ProfileWarning, "impossible_value"):
        found = sims.with_counting_statistics(sims.to_dataset(three))
    expected = [[1, 2], [np.nan, np.nan], [3, 4]]
    np.testing.assert_array_equal(found["intensity_counts"], expected)
    with raises(ProfileError, "impossible_value", species="C", depth="1 nm"):
        sims.with_counting_statistics(sims.to_dataset(three[:2]))


def test_a_subtracted_background_leaves_no_counts():
    ds = rates([0.7, 1.7, 2.7, 40.7])
    with raises(ProfileError, "impossible_value", species="7Li", sputter_time="0 s"):
        sims.with_counting_statistics(ds, dwell_time="1 s")


def test_what_the_library_has_changed_is_not_what_was_counted(approved):
    ds = rates([1e5, 2e5, 4e5, 1e5])
    dead = sims.correct_dead_time(ds, dead_time="20 ns")
    less = sims.subtract_background(ds, value="7 count/s")
    for changed in (dead, less):
        with raises(ProfileError, "already_changed", text=approved):
            sims.with_counting_statistics(changed, dwell_time="1 s")
    counted = sims.with_counting_statistics(ds, dwell_time="1 s")
    assert counted["intensity_counts"].values.tolist() == [[1e5, 2e5, 4e5, 1e5]]


def test_a_current_has_no_counts_and_warns():
    switched = {"faraday_cup_threshold": "10 c/s", "electron_multiplier_threshold": "5 c/s"}
    ds = rates([5.0, 9.0, 11.0, 9.0, 6.0], **switched)
    with warns(ProfileWarning, "faraday_cup", species="7Li", sputter_time="2 s"):
        found = sims.with_counting_statistics(ds, dwell_time="1 s")
    np.testing.assert_array_equal(found["intensity_counts"], [[5, 9, np.nan, np.nan, np.nan]])
    np.testing.assert_array_equal(found["intensity_stderr"].isnull(), [[0, 0, 1, 1, 1]])
    np.testing.assert_array_equal(found["intensity"], ds["intensity"])


def test_a_species_measured_as_a_current_warns_only_for_an_explicit_counting_time():
    current = [5.0, 9.0, 11.0]
    with warns(ProfileWarning, "faraday_cup", species="7Li", sputter_time="0 s"):
        found = sims.with_counting_statistics(rates(current, detector="FC"), dwell_time="1 s")
    assert found["intensity_counts"].isnull().all()
    known = rates(current, detector="FC", counting_time="1 s")
    assert sims.with_counting_statistics(known)["intensity_counts"].isnull().all()


@pytest.mark.parametrize("name", ["151118h", "160112b", "160112l", "160113c"])
def test_counts_of_an_instrument(name):
    ds = sims.SIMSResult.from_json(read(f"uio_mina_cameca/{name}.api.json")).to_dataset()
    found = sims.with_counting_statistics(ds, dwell_time="0.99 s")
    counts, rate = found["intensity_counts"], ds["intensity"]
    np.testing.assert_array_equal(counts.values[rate.values == 0.001], 0.0)
    few = (rate < 80).values
    np.testing.assert_allclose(counts.values[few], np.round(rate.values[few] / 1.00994))
    with pytest.raises(ProfileError) as caught:
        sims.with_counting_statistics(ds, dwell_time="1.04 s")
    assert caught.value.code == "impossible_value"


def test_counts_of_a_concentration_are_not_rounded_and_those_of_counts_are():
    ds = one([0.0, 1.0, 2.0], [2.5e15, 1.25e16, 0.0])
    found = sims.with_counting_statistics(ds, value_per_count="1e15 atoms/cm^3")
    assert found["concentration_counts"].values.tolist() == [[2.5, 12.5, 0.0]]
    rate = sims.to_dataset(profile("B", [0, 1, 2], [4.0000001, 9.0, 1.0], units="counts/s"))
    found = sims.with_counting_statistics(rate, dwell_time="1 s")
    assert found["intensity_counts"].values.tolist() == [[4.0, 9.0, 1.0]]
    broken = sims.to_dataset(profile("B", [0, 1, 2], [4.0, 9.25, 1.0], units="counts/s"))
    with raises(ProfileError, "impossible_value", species="B", depth="1 nm"):
        sims.with_counting_statistics(broken, dwell_time="1 s")


@pytest.mark.parametrize(
    ("part", "yields"), [("50 %", 0.5), (" 50percent ", 0.5), (0.5, 0.5), (1, 1)]
)
def test_a_yield_is_a_fraction_of_the_ions(part, yields):
    # The instrument has divided by it.
    ds = rates([2.0, 4.0], counting_time="1 s", detector_yield=part)
    counts = sims.with_counting_statistics(ds)["intensity_counts"].values[0]
    assert counts.tolist() == [2.0 * yields, 4.0 * yields]


def test_the_value_of_one_count_is_that_of_concentrations_alone():
    ds = one([0, 1], [1e16, 4e16])
    part = (("species", "depth"), [[0.01, 0.02]], {"units": "1"})
    found = sims.with_counting_statistics(
        ds.assign(atomic_fraction=part), value_per_count="1e16 atoms/cm^3"
    )
    assert {name for name in found if name.endswith("_counts")} == {"concentration_counts"}
    rate = (("species", "depth"), [[3.0, 4.0]], {"units": "count/s"})
    both = sims.with_counting_statistics(
        ds.assign(intensity=rate), value_per_count="1e16 atoms/cm^3", dwell_time="2 s"
    )
    assert both["concentration_counts"].values.tolist() == [[1.0, 4.0]]
    assert both["intensity_counts"].values.tolist() == [[6.0, 8.0]]


def test_placeholders_of_concentrations_are_zero_counts():
    value = np.array([1e18, 1e10, 5e15, 1e10])
    ds = xr.Dataset(
        {"concentration": (("species", "depth"), [value, 0 * value + 1e10], {"units": "cm^-3"})},
        {"species": ["B", "P"], "depth": ("depth", np.arange(4.0), {"units": "nm"})},
    )
    found = sims.with_counting_statistics(ds, value_per_count="1e15 atoms/cm^3")
    np.testing.assert_allclose(found["concentration_counts"][0], [1000, 0, 5, 0])
    np.testing.assert_array_equal(found["concentration_counts"][1], 0)
    np.testing.assert_allclose(found["concentration_stderr"][1], 0.92e15, rtol=2e-3)
    np.testing.assert_array_equal(found["concentration"], ds["concentration"])
