"""Junction depth: the choice of one crossing, its status, error and warnings."""

import math

import numpy as np
import pytest
import xarray as xr
from error_parts import raises, warns
from hypothesis import given
from hypothesis import strategies as st
from measurement_layouts import measurement, number, one, word

import sims_analysis as sims
from sims_analysis.errors import AmbiguousJunctionWarning, JunctionError, ProfileError

LEVEL = "1e18 atoms/cm^3"


def profile(values):
    """Give one profile, a sample every 10 nm."""
    return one(10.0 * np.arange(len(values)), values)


def spiked_implant():
    """Give an implant whose surface spike crosses the level at 7.6 nm, its tail at 217.9 nm."""
    z = np.arange(0, 400, 1.0)
    straggle = 40.0
    rp = 217.9 - straggle * math.sqrt(2 * math.log(100))
    spike = 1e20 * np.exp(-z * math.log(100) / 7.6)
    return one(z, spike + 1e20 * np.exp(-((z - rp) ** 2) / (2 * straggle**2)))


# --- the policy ---------------------------------------------------------------------------------


def test_the_junction_is_in_the_tail_and_not_on_the_surface_spike():
    ds = one([0, 10, 20, 100, 200, 300], [1e20, 1e16, 1e16, 1e20, 1e19, 1e16])
    with warns(AmbiguousJunctionWarning, species="B") as caught:
        deepest = sims.junction_depth(ds, level=LEVEL)
    assert caught[0].filename == __file__
    assert number(deepest) == pytest.approx(200 + 100 / 3)
    assert number(deepest["n_crossings"]) == 2
    for options in ({"after": "50 nm"}, {"which": 2}, {"after": "0.05 um"}):
        assert number(sims.junction_depth(ds, level=LEVEL, **options)) == number(deepest)


def test_spike_of_an_implant():
    ds = spiked_implant()
    found = sims.junction_depth(ds, level=LEVEL, after="50 nm")
    assert number(found) == pytest.approx(217.9, abs=0.01)
    assert number(found["n_crossings"]) == 1


def test_after_the_peak_takes_the_maximum_of_the_profile():
    ds = one([0, 10, 20, 100, 200, 300], [5e19, 1e16, 1e16, 1e20, 1e19, 1e16])
    found = sims.junction_depth(ds, level=LEVEL, after="peak")
    assert number(found) == pytest.approx(200 + 100 / 3)
    assert number(found["n_crossings"]) == 1


@pytest.mark.parametrize(("which", "at"), [("first", 5), (1, 5), (2, 25), (3, 45), ("deepest", 45)])
@pytest.mark.filterwarnings("ignore::sims_analysis.errors.AmbiguousJunctionWarning")
def test_occurrences_are_counted_from_the_surface(which, at):
    ds = profile([1e19, 1e17] * 3)
    assert number(sims.junction_depth(ds, level=LEVEL, which=which)) == pytest.approx(at)


def test_fewer_crossings_than_requested():
    found = sims.junction_depth(profile([1e19, 1e17] * 3), level=LEVEL, which=4)
    assert math.isnan(number(found))
    assert word(found["status"]) == "never_reached"
    assert number(found["n_crossings"]) == 3


@pytest.mark.parametrize(("edge", "at"), [("leading", 15), ("trailing", 25), ("any", 25)])
@pytest.mark.filterwarnings("ignore::sims_analysis.errors.AmbiguousJunctionWarning")
def test_edges(edge, at):
    ds = profile([1e16, 1e17, 1e19, 1e17, 1e16])
    assert number(sims.junction_depth(ds, level=LEVEL, edge=edge)) == pytest.approx(at)


def test_confirm_requires_samples_on_either_side():
    values = [1e19, 1e19, 1e19, 1e17, 1e17, 1e19, 1e17, 1e17, 1e17]
    ds = profile(values)
    assert number(sims.junction_depth(ds, level=LEVEL, confirm=2)) == pytest.approx(25)
    found = sims.junction_depth(ds, level=LEVEL, confirm=4)
    assert math.isnan(number(found))
    # Three samples before the edge, where the record begins: nobody knows of a fourth.
    assert found["status"].item() == "truncated"
    found = sims.junction_depth(profile([1e19] * 4 + [1e17]), level=LEVEL, confirm=2)
    assert (found["status"].item(), found["n_crossings"].item()) == ("truncated", 0)
    noise = [1e19] * 4 + [1e17, 1e19] * 4 + [1e19] * 4
    found = sims.junction_depth(profile(noise), level=LEVEL, confirm=2)
    assert found["status"].item() == "never_reached"


def test_confirm_does_not_reach_into_the_next_profile():
    ds = measurement([0, 1, 2, 3], {"B": [1e19, 1e19, 1e19, 1e17], "P": [1e17] * 4})
    found = sims.junction_depth(ds, level=LEVEL, confirm=2)
    assert np.isnan(found.sel(species="B"))


# --- where there is none ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ([1e16, 1e17, 1e16], "never_reached"),
        ([1e20, 1e19, 1e20], "always_above"),
        ([1e16, 1e17, 1e19], "truncated"),  # it rises and the record ends
        ([np.nan] * 3, "no_data"),
        ([1e20], "always_above"),
        ([3e18, 1e18, 3e18], "always_above"),  # touches the level
    ],
)
def test_without_a_junction_there_is_nan_and_a_reason(values, status):
    found = sims.junction_depth(profile(values), level=LEVEL)
    assert math.isnan(number(found))
    assert word(found["status"]) == status
    with raises(JunctionError, status, species="B"):
        sims.junction_depth(profile(values), level=LEVEL, strict=True)


def test_a_level_below_the_detection_limit_is_not_measurable():
    ds = measurement([0, 10], {"B": [1e20, 1e14], "P": [1e20, 1e14]})
    limit = xr.DataArray([1e15, 1e17], coords={"species": ["B", "P"]}, attrs={"units": "1/cm3"})
    found = sims.junction_depth(ds, level="1e16 atoms/cm^3", detection_limit=limit)
    assert found["status"].values.tolist() == ["ok", "below_detection"]
    assert np.isnan(found.values[1])
    assert np.isnan(found["decay_length"].values[1])
    holed = measurement([*range(10), 90, 91], {"P": [1e20] * 10 + [1e14] * 2})
    found = sims.junction_depth(holed, level="1e16 atoms/cm^3", detection_limit=limit)
    assert (
        found["status"].item() == "below_detection"
    )  # not gap: there is no depth that rests on it
    with raises(JunctionError, "below_detection", species="P"):
        sims.junction_depth(ds, level="1e16 atoms/cm^3", detection_limit=limit, strict=True)


def test_a_noise_floor_is_several_candidates():
    ds = profile([1e20, 1e19, 1e17, 2e18, 5e17, 3e18, 2e17])
    with warns(AmbiguousJunctionWarning, species="B"):
        found = sims.junction_depth(ds, level=LEVEL)
    assert number(found["n_crossings"]) == 3
    # Who asks for the first has chosen.
    found = sims.junction_depth(ds, level=LEVEL, which="first")
    assert number(found) == pytest.approx(15)


def test_there_is_no_junction_after_an_unknown_depth():
    ds = profile([1e19, 1e17, 1e17])
    nowhere = sims.junction_depth(ds, level="1e20 atoms/cm^3")
    found = sims.junction_depth(ds, level=LEVEL, after=nowhere)
    assert math.isnan(number(found))
    assert word(found["status"]) != "ok"


# --- results ------------------------------------------------------------------------------------


def test_units_names_and_coordinates():
    ds = one([0, 3], [1e19, 1e17], stderr=[1e18, 1e16])
    found = sims.junction_depth(ds, level=LEVEL)
    assert found.name == "junction_depth"
    assert found.attrs["units"] == "nm"
    assert found.attrs["long_name"] == "Junction depth"
    assert found["decay_length"].attrs["units"] == "nm"
    assert found["stderr"].attrs["units"] == "nm"
    names = {"species", "status", "n_crossings", "decay_length", "stderr", "raw_crossing"}
    assert set(found.coords) == names


def test_a_clear_edge_has_the_error_of_its_two_samples():
    ds = one([0, 3], [1e19, 1e17], stderr=[1e17, 1e15])
    found = sims.junction_depth(ds, level=LEVEL)
    exact = 1.5 / math.log(10) * math.hypot(0.5 * 0.01, 0.5 * 0.01)
    assert number(found["stderr"]) == pytest.approx(exact)


# --- properties ---------------------------------------------------------------------------------


@given(
    st.lists(st.sampled_from([0.0, 1e16, 1e18, 2e18, 7e19]), min_size=1, max_size=12),
    st.sampled_from(["trailing", "leading", "any"]),
    st.sampled_from(["deepest", "first", 1, 2]),
    st.integers(1, 3),
)
@pytest.mark.filterwarnings("ignore::sims_analysis.errors.AmbiguousJunctionWarning")
def test_the_junction_is_one_of_the_crossings(values, edge, which, confirm):
    ds = profile(values)
    found = sims.junction_depth(ds, level=LEVEL, edge=edge, which=which, confirm=confirm)
    all_of_them = sims.crossings(ds, level=LEVEL).isel(species=0)
    if edge == "any":
        wanted = np.ones(all_of_them.sizes["crossing"], dtype=bool)
    else:
        way = {"trailing": "falling", "leading": "rising"}[edge]
        wanted = all_of_them["direction"].values == way
    depth = number(found)
    assert math.isnan(depth) == (word(found["status"]) != "ok")
    if not math.isnan(depth):
        assert depth in all_of_them["depth"].values[wanted]
    if confirm == 1:
        assert number(found["n_crossings"]) == np.sum(
            wanted & all_of_them["depth"].notnull().values
        )


# --- arguments that cannot be meant -------------------------------------------------------------


@pytest.mark.parametrize("chunks", [None, {"measurement": 1}])
def test_a_profile_whose_level_is_unknown_has_no_answer(chunks):
    batch = sims.stack([profile([3e18, 2e18, 1e17])] * 3, names=["W1", "W2", "W3"])
    level = batch["concentration"].max("depth").isel(species=0, drop=True) / 3
    level = level.where(level["measurement"] != "W2").assign_attrs(units="atom/cm^3")
    data = batch if chunks is None else batch.chunk(chunks)
    found = sims.junction_depth(data, level=level)
    assert found["status"].values[:, 0].tolist() == ["ok", "no_data", "ok"]
    assert np.isnan(found.values[:, 0]).tolist() == [False, True, False]
    every = sims.crossings(data, level=level, max_count=2)
    assert every["status"].values[:, 0, 0].tolist() == ["ok", "no_data", "ok"]
    with raises(ProfileError, argument="level"):
        sims.junction_depth(batch, level=level.fillna(np.inf))
    with raises(ProfileError, argument="level"):
        sims.junction_depth(batch, level=level.sel(measurement="W2", drop=True))
