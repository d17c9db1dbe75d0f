"""Detection limits from a window in the tail, and the samples below them."""

import math

import numpy as np
import pytest
import xarray as xr
from error_parts import raises, warns
from measurement_layouts import measurement, number, one, profile

import sims_analysis as sims
from sims_analysis.errors import ProfileError, SimsWarning


def tail():
    """Give an edge and then a tail that alternates between 1e15 and 3e15."""
    z = np.arange(0, 100.0)
    return one(z, np.where(z < 50, 1e18, np.where(z % 2, 1e15, 3e15)))


def test_mean_and_three_standard_deviations():
    found = sims.detection_limit(tail(), window=("60 nm", "99 nm"))
    sigma = 1e15 * math.sqrt(40 / 39)
    assert number(found) == pytest.approx(2e15 + 3 * sigma)
    # And what a slope within noise changes of it.
    assert 1.7 < number(found["stderr"]) / (sigma * math.sqrt(1 / 40 + 4.5 / 39)) < 1.9
    assert number(found["background"]) == pytest.approx(2e15)
    assert number(found["n"]) == 40
    assert found.attrs["units"] == "atom/cm^3"


def test_the_value_of_one_count_gives_counts():
    found = sims.detection_limit(
        tail(), window=("60 nm", "99 nm"), rule="currie", value_per_count="1e15 atoms/cm^3"
    )
    assert number(found) == pytest.approx((2 + 2.71 + 3.29 * math.sqrt(4)) * 1e15)


def test_currie_knows_the_counts_of_data_that_have_them():
    ds = sims.with_counting_statistics(tail(), value_per_count="1e15 atoms/cm^3")
    found = sims.detection_limit(ds, window=("60 nm", "99 nm"), rule="currie")
    assert number(found) == pytest.approx((2 + 2.71 + 3.29 * math.sqrt(4)) * 1e15)


def test_counts_are_counts():
    ds = one(np.arange(10.0), np.full(10, 4.0), units="counts").rename(concentration="intensity")
    found = sims.detection_limit(ds, window=("2 nm", "8 nm"), rule="currie")
    assert number(found) == pytest.approx(4 + 2.71 + 3.29 * math.sqrt(8))
    assert found.attrs["units"] == "count"


def test_a_window_with_one_sample_or_none_has_no_limit(approved):
    with warns(sims.SimsWarning, "no_sample_in_window", species="B", text=approved):
        assert math.isnan(number(sims.detection_limit(tail(), window=("60.5 nm", "61.5 nm"))))
    with warns(sims.SimsWarning, "no_sample_in_window", species="B", text=approved):
        assert math.isnan(number(sims.detection_limit(tail(), window=("200 nm", "300 nm"))))


# --- below it -----------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [0.0, -1.0, np.inf, np.nan])
def test_the_value_of_a_count_is_positive(value):
    one_count = xr.DataArray(value, attrs={"units": "atoms/cm^3"})
    with raises(ProfileError, argument="value_per_count"):
        sims.detection_limit(
            tail(), window=("60 nm", "99 nm"), rule="currie", value_per_count=one_count
        )


def test_samples_below_the_limit_are_flagged_and_missing_ones_are_not():
    ds = one([0, 1, 2, 3], [1e18, np.nan, 1e14, 1e16])
    mask = sims.below_detection(ds, limit="1e22 atoms/m^3")
    assert mask.values.tolist() == [[False, False, True, False]]
    assert mask.dims == ds["concentration"].dims


def test_each_profile_by_its_own_limit():
    ds = measurement([0, 1], {"B": [1e14, 1e16], "P": [1e14, 1e16]})
    limit = xr.DataArray([1e17, 1e15], coords={"species": ["P", "B"]}, attrs={"units": "1/cm3"})
    mask = sims.below_detection(ds, limit=limit)
    assert mask.sel(species=["B", "P"]).values.tolist() == [[True, False], [True, True]]


def test_a_limit_goes_from_the_tail_to_the_junction():
    ds = tail()
    limit = sims.detection_limit(ds, window=("60 nm", "99 nm"))
    found = sims.junction_depth(ds, level="1e15 atoms/cm^3", detection_limit=limit, which=1)
    assert found["status"].values.tolist() == ["below_detection"]
    assert sims.below_detection(ds, limit=limit).sum() == 50


QUESTIONS_WITH_A_LIMIT = [
    lambda ds, limit: sims.dose_budget(ds, detection_limit=limit)["status"],
    lambda ds, limit: sims.decay_length(ds, detection_limit=limit)["status"],
    lambda ds, limit: sims.below_detection(ds, limit=limit),
]


@pytest.mark.parametrize("ask", QUESTIONS_WITH_A_LIMIT)
def test_an_unknown_limit_has_no_answer(ask):
    z = np.arange(0, 50.0)
    rows = {"B": 1e18 * np.exp(-z / 5), "P": 1e18 * np.exp(-z / 5)}
    limit = xr.DataArray([1e16, np.nan], coords={"species": ["B", "P"]}, attrs={"units": "1/cm3"})
    lazy = measurement(z, rows).chunk({"species": 1})
    if ask is QUESTIONS_WITH_A_LIMIT[-1]:  # without a status: nothing is known to lie above it
        with warns(sims.ProfileWarning, "missing_value", species="P"):
            found = ask(measurement(z, rows), limit)
        assert found.sum("depth").values.tolist() == [26, 50]
        xr.testing.assert_identical(ask(lazy, limit).compute(), found)
    else:
        for data in (measurement(z, rows), lazy):
            assert ask(data, limit).values.tolist() == ["ok", "no_data"]
    # Where nothing was measured, there is no limit and none is missed.
    rows["P"] = np.full(z.size, np.nan)
    ask(measurement(z, rows), limit)


# --- windows that tell nothing ------------------------------------------------------------------


@pytest.mark.parametrize("floor", [0.0, 5.35e9, 1e15])
def test_a_window_that_does_not_scatter_has_no_limit(floor, approved):
    z = np.arange(0, 100.0)
    ds = one(z, np.where(z < 50, 1e18, floor))
    window = ("60 nm", "90 nm")
    with warns(sims.SimsWarning, "no_sample_in_window", species="B", text=approved):
        found = sims.detection_limit(ds, window=window)
    assert math.isnan(number(found))
    assert found["status"].values.tolist() == ["undetermined"]
    assert number(found["n"]) == 31
    lazy = sims.detection_limit(ds.chunk(species=1), window=window).compute()
    assert lazy["status"].values.tolist() == ["undetermined"]
    assert math.isnan(number(lazy))
    # Of counts it is known how they scatter, and so it is where none was counted.
    counted = sims.detection_limit(
        ds, window=window, rule="currie", value_per_count="1e15 atoms/cm^3"
    )
    k = floor / 1e15
    assert number(counted) == pytest.approx((k + 2.71 + 3.29 * math.sqrt(2 * k)) * 1e15)
    assert counted["status"].values.tolist() == ["ok"]


def test_rounding_is_not_scatter():
    z = np.arange(0, 100.0)
    floor = 5.35e9 * (1 + np.where(z % 2, 2.0**-52, 0))
    with warns(sims.SimsWarning, "no_sample_in_window", species="B"):
        found = sims.detection_limit(one(z, floor), window=("60 nm", "90 nm"))
    assert math.isnan(number(found))


def test_where_nothing_was_counted_there_is_no_limit():
    window = ("60 nm", "99 nm")
    nothing = sims.with_counting_statistics(
        one(np.arange(100.0), np.zeros(100)), value_per_count="1e15 atoms/cm^3"
    )
    with warns(sims.SimsWarning, "no_sample_in_window", species="B"):
        found = sims.detection_limit(nothing, window=window, rule="currie")
    assert found["status"].values.tolist() == ["undetermined"]


# --- samples that a file gives as "<5E15" ---------------------------------------------------------


@pytest.fixture
def below_limit(tmp_path):
    z = np.arange(0.0, 300.0, 5.0)
    b, p = 1e20 * np.exp(-z / 15), 1e18 * np.exp(-z / 100)
    cells = ["<5E15" if c < 5e15 else f"{c:.6g}" for c in b]
    lines = ["Depth (nm),B (atoms/cm3),P (atoms/cm3)"]
    lines += [f"{z[i]},{cells[i]},{p[i]:.6g}" for i in range(z.size)]
    path = tmp_path / "profile.csv"
    path.write_text("\n".join(lines))
    return sims.read(path).to_dataset()


def test_the_limit_of_a_file_is_scaled_and_replaced(below_limit):
    with raises(sims.errors.JunctionError, "below_limit", species="B"):
        sims.junction_depth(below_limit.sel(species="B"), level="1e15 atoms/cm^3", strict=True)
    one = below_limit.sel(species=["B"])
    twice = 2 * sims.integrated_dose(one).item()
    scaled = sims.scale_to_dose(one, dose=f"{twice!r} atoms/cm^2")
    found = sims.junction_depth(scaled, level="8e15 atoms/cm^3")
    assert found["status"].item() == "below_limit"
    assert found["detection_limit"].item() == pytest.approx(1e16)
    stated = sims.junction_depth(one, level="1e17 atoms/cm^3", detection_limit="2e17 atoms/cm^3")
    assert stated["status"].item() == "below_detection"
    assert stated["detection_limit"].item() == 5e15, "that of the file"
    assert (
        "detection_limit"
        not in sims.junction_depth(
            sims.open_example("boron-implant"), level="1e18 atoms/cm^3"
        ).coords
    )


def test_the_value_of_one_count_is_that_of_most_samples_with_a_count():
    ds = tail().isel(depth=slice(50, None))
    counts = np.where(np.arange(50) % 5, 2.0, 0.0)
    values = 3e15 * counts  # and where nothing was counted something remains
    ds["concentration"] = ds["concentration"].copy(data=[values + (counts == 0)])
    ds["concentration_counts"] = ds["concentration"].copy(data=[counts])
    ds["concentration_counts"].attrs["units"] = "count"
    window = ("52 nm", "99 nm")
    mean = counts[2:].mean()
    expected = 3e15 * (mean + 2.71 + 3.29 * math.sqrt(2 * mean))
    found = sims.detection_limit(ds, window=window, rule="currie")
    assert number(found) == pytest.approx(expected, rel=1e-9)
    errors = 3e15 * np.sqrt(np.maximum(counts, 0.9))
    ds["concentration_stderr"] = ds["concentration"].copy(data=[errors])
    # What a background leaves of the values does not matter then.
    ds["concentration"] = ds["concentration"] - 1e15
    ds["concentration"].attrs["units"] = "atom/cm^3"
    found = sims.detection_limit(ds, window=window, rule="currie")
    less = values[2:] + (counts[2:] == 0) - 1e15
    limit = less.mean() + 3e15 * (2.71 + 3.29 * math.sqrt(2 * mean))
    assert number(found) == pytest.approx(limit, rel=1e-9)


def test_a_limit_in_the_metadata_hides_nothing_where_all_samples_have_a_value():
    about = {"detection_limit": "1e17 atoms/cm^3"}
    ds = sims.to_dataset(profile("B", [0, 1, 2], [1e18, 1e17, 2e16], species_metadata=about))
    found = sims.junction_depth(ds, level="5e16 atoms/cm^3")
    assert found["status"].item() == "ok"
    assert "detection_limit" not in found.coords
    above = sims.junction_depth(ds, level="1e16 atoms/cm^3")
    assert above["status"].item() == "always_above"


@pytest.mark.filterwarnings("ignore:.*falls in the background window")
@pytest.mark.parametrize("kind", ["saturated", "below_limit"])
def test_a_window_that_is_no_background_warns(kind):
    z = np.arange(300.0)
    counts = np.random.default_rng(0).poisson(4e4 * np.exp(-z / 30) + 20).astype(float)
    below = (z > 200) & (z < 220) & (kind == "below_limit")
    value = np.where(below, np.nan, np.minimum(counts, 2e4)) * 1e15
    units = {"units": "atoms/cm^3"}
    data = xr.Dataset({"concentration": ("depth", value, units)}, {"depth": ("depth", z, NM)})
    if kind == "below_limit":
        limit = ("depth", np.where(below, 9e16, np.nan), units)
        data = data.assign_coords(concentration_detection_limit=limit)
    window = ("10 nm", "40 nm") if kind == "saturated" else ("190 nm", "290 nm")
    with warns(SimsWarning, kind):
        assert sims.detection_limit(data, window=window)["status"] == kind
    grid = sims.to_grid(data, step="2.5 nm", gaps="bridge")
    with warns(SimsWarning, kind):
        assert sims.detection_limit(grid, window=window)["status"] == kind
    assert sims.detection_limit(data, window=("280 nm", "299 nm"))["status"] == "ok"


NM = {"units": "nm"}
