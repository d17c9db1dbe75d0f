"""Sputter time to depth: stated, recorded, never guessed."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from count_rates import timed
from error_parts import raises, warns
from hypothesis import given
from hypothesis import strategies as st
from single_profiles import profile_of

import sims_analysis as sims
from sims_analysis.errors import ProfileError, UnitsError

DATA = Path(__file__).parents[3] / "shared" / "data"
TIME = np.arange(0.0, 101.0, 2.0)
COUNTS = timed(TIME, B=1e6 * np.exp(-TIME / 10), Si=np.full(TIME.size, 2e5))


def test_a_rate():
    ds = sims.calibrate_depth(COUNTS, rate="0.5 nm/s")
    assert ds["intensity"].dims == ("species", "depth")
    np.testing.assert_array_equal(ds["depth"].values, 0.5 * TIME)
    assert ds["depth"].attrs["units"] == "nm"
    np.testing.assert_array_equal(ds["sputter_time"].values, TIME)
    np.testing.assert_array_equal(ds["intensity"].values, COUNTS["intensity"].values)
    assert "depth_scale_uncertainty" not in ds.coords
    assert ds["depth"].attrs["calibration"] == "z = 0.5 nm/s * t"
    assert "calibrated to depth, z = 0.5 nm/s * t" in ds.attrs["history"]


@pytest.mark.parametrize("rate", ["3 angstrom/s", "18 nm/min", "1.08 um/h"])
def test_units_of_the_rate(rate):
    ds = sims.calibrate_depth(COUNTS, rate=rate)
    np.testing.assert_allclose(ds["depth"].values, 0.3 * TIME, rtol=1e-14)


def test_a_crater():
    ds = sims.calibrate_depth(COUNTS, crater_depth="1.2 um")
    np.testing.assert_allclose(ds["depth"].values, 12.0 * TIME, rtol=1e-14)
    longer = sims.calibrate_depth(COUNTS, crater_depth="1.2 um", total_time="2 min")
    np.testing.assert_allclose(longer["depth"].values, 10.0 * TIME, rtol=1e-14)
    short = timed(TIME / 1000, B=np.ones(TIME.size))  # of a tenth of a second
    np.testing.assert_allclose(sims.calibrate_depth(short, crater_depth="1 nm")["depth"][-1], 1.0)
    expected = "z = 10 nm/s * t (crater 1200 nm in 120 s)"
    assert longer["depth"].attrs["calibration"] == expected


def test_a_time_axis_in_minutes():
    minutes = timed(TIME / 60, time_units="min", B=np.ones(TIME.size))
    ds = sims.calibrate_depth(minutes, rate="0.5 nm/s")
    np.testing.assert_allclose(ds["depth"].values, 0.5 * TIME, rtol=1e-14)
    assert ds["sputter_time"].attrs["units"] == "s"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"rate": "0.5 nm/s", "depth_uncertainty": 0.05}, 0.05),
        ({"rate": "0.5 nm/s", "depth_uncertainty": "0.02 nm/s"}, 0.04),
        ({"crater_depth": "1 um", "depth_uncertainty": "30 nm"}, 0.03),
        ({"rate": [(None, "0.5 nm/s")], "depth_uncertainty": 0.1}, 0.1),
        ({"rate": "0.5 nm/s", "depth_uncertainty": 0.0}, 0.0),
    ],
)
def test_uncertainty_of_the_depth_scale(options, expected):
    ds = sims.calibrate_depth(COUNTS, **options)
    scale = ds["depth_scale_uncertainty"]
    assert float(scale) == pytest.approx(expected, rel=1e-15)
    assert scale.attrs["units"] == "1"


def test_uncertainty_goes_on_into_the_budget():
    ds = sims.with_rsf(COUNTS, rsf="5e22 atoms/cm^3", matrix="Si")
    ds = sims.calibrate_depth(ds, rate="0.5 nm/s", depth_uncertainty=0.07)
    boron = ds.sel(species="B")
    for stated, expected in (
        ({"depth_uncertainty": ds["depth_scale_uncertainty"]}, 0.07),
        ({}, 0.07),  # as the data state it
        ({"depth_uncertainty": "2 %"}, 0.02),
        ({"depth_uncertainty": 0.0}, 0.0),
    ):
        budget = sims.dose_budget(boron, rule_tolerance=1.0, **stated)
        assert float(budget["systematic_stderr"] / budget["dose"]) == pytest.approx(expected)


def test_layers():
    layers = [("20 s", "1 nm/s"), ("50 s", "0.5 nm/s"), (None, "2 nm/s")]
    ds = sims.calibrate_depth(COUNTS, rate=layers)
    expected = np.where(
        TIME <= 20, TIME, np.where(TIME <= 50, 20 + (TIME - 20) / 2, 35 + 2 * (TIME - 50))
    )
    np.testing.assert_allclose(ds["depth"].values, expected, rtol=1e-15)
    assert "0.5 nm/s from 20 s" in ds["depth"].attrs["calibration"]


@given(st.lists(st.floats(0.5, 30), max_size=5), st.floats(0.01, 10))
def test_layers_of_one_rate_are_one_rate(widths, rate):
    stops = np.cumsum(widths)
    layers = [(f"{float(s)!r} s", f"{rate!r} nm/s") for s in stops] + [(None, f"{rate!r} nm/s")]
    ds = sims.calibrate_depth(COUNTS, rate=layers)
    np.testing.assert_allclose(ds["depth"].values, rate * TIME, rtol=1e-13)


def test_batches():
    other = COUNTS.isel(sputter_time=slice(3, 41))  # to 80 s
    shared, own = sims.stack([COUNTS, COUNTS]), sims.stack([COUNTS, other])
    assert sims.calibrate_depth(shared, rate="0.5 nm/s")["intensity"].dims[-1] == "depth"
    ds = sims.calibrate_depth(own, crater_depth="200 nm")
    assert ds["intensity"].dims == ("measurement", "species", "point")
    # Each to the end of its own record.
    speeds = ds["depth"] / ds["sputter_time"].where(ds["sputter_time"] > 0)
    np.testing.assert_allclose(speeds.max(("species", "point")).values, [2.0, 2.5], rtol=1e-15)
    back = sims.unstack(ds)
    np.testing.assert_allclose(back[1]["depth"].values, 2.5 * TIME[3:41], rtol=1e-15)
    np.testing.assert_array_equal(back[1]["sputter_time"].values, TIME[3:41])
    rates = xr.DataArray(
        [0.5, 0.25], dims="measurement", coords={"measurement": [1, 0]}, attrs={"units": "nm/s"}
    )
    for batch in (shared, own):
        ds = sims.calibrate_depth(batch, rate=rates, depth_uncertainty="0.01 nm/s")
        assert ds["intensity"].dims == ("measurement", "species", "point")
        np.testing.assert_allclose(ds["depth_scale_uncertainty"].values, [0.04, 0.02])
        first, second = sims.unstack(ds)
        np.testing.assert_array_equal(first["depth"].values, 0.25 * TIME)
        np.testing.assert_array_equal(second["depth"].values, 0.5 * second["sputter_time"].values)
        found = sims.crossings(ds, level="1e5 counts/s", max_count=1)["depth"]
        exact = 10 * np.log(10) * np.array([0.25, 0.5])
        np.testing.assert_allclose(found.sel(species="B").values[:, 0], exact, rtol=1e-12)


def test_delivered_profiles_after_calibration():
    ds = sims.calibrate_depth(sims.open_example("sputter-time"), rate="0.42 nm/s")
    profile = sims.to_profiles(ds)[0]
    assert profile.depth_units == "nm"
    row = ds["intensity"][0].dropna("depth")
    np.testing.assert_array_equal(profile.depths, row["depth"].values)


def test_seconds_do_not_come_back_as_nanometres():
    counts = [4.0, np.nan, 2.0, 1.0]
    profile = profile_of([0, 10, 20, 30], counts, axis_units="s", units="counts/s")
    with warns(sims.errors.ProfileWarning, "not_measured", species="B"):
        ds = sims.to_dataset([profile])
    ds = sims.calibrate_depth(ds, rate="2 nm/s")
    assert sims.to_profiles(ds)[0].depths.tolist() == [0.0, 20.0, 40.0, 60.0]


@pytest.mark.filterwarnings("ignore::sims_analysis.errors.ProfileWarning")
def test_a_time_axis_of_an_instrument():
    path = DATA / "uio_mina_cameca" / "time_x_axis.api.json"
    if not path.exists():
        pytest.skip(f"measured profiles are not here: {path.name}")
    ds = sims.SIMSResult.from_json(path.read_bytes()).to_dataset()
    edge = sims.decay_length(ds, low="10 counts/s", high="100 counts/s")
    assert edge["decay_length"].attrs["units"] == "s"
    assert sims.crossings(ds, level="10 counts/s", max_count=3)["sputter_time"].units == "s"
    found = sims.calibrate_depth(ds, crater_depth="1.5 um", depth_uncertainty=0.05)
    assert float(found["depth"][-1]) == pytest.approx(1500.0)
    np.testing.assert_array_equal(found["intensity"].values, ds["intensity"].values)


# --- known depths, relative rates ---------------------------------------------------------------


def test_markers():
    markers = [("20 s", "30 nm"), ("1 min", "50 nm"), ("100 s", "0.1 um")]
    ds = sims.calibrate_depth(COUNTS, markers=markers)
    expected = np.interp(TIME, [0, 20, 60, 100], [0, 30, 50, 100])
    np.testing.assert_allclose(ds["depth"].values, expected, rtol=1e-14)
    assert ds["depth"].sel(depth=[30.0, 50.0], method="nearest").values.tolist() == [30.0, 50.0]
    assert ds["depth"].attrs["calibration"] == (
        "markers: 30 nm at 20 s, 50 nm at 60 s, 100 nm at 100 s"
    )
    rest = sims.calibrate_depth(COUNTS, markers=[*markers[:2], (None, "2 nm/s")])
    expected = np.where(TIME <= 60, expected, 50 + 2 * (TIME - 60))
    np.testing.assert_allclose(rest["depth"].values, expected, rtol=1e-14)
    alone = sims.calibrate_depth(COUNTS, markers=[("100 s", "30 nm")])
    np.testing.assert_allclose(alone["depth"], 0.3 * TIME, rtol=1e-14)
    surface = sims.calibrate_depth(COUNTS, markers=[("0 s", "0 nm"), *markers])
    np.testing.assert_array_equal(surface["depth"], ds["depth"])
    step = sims.provenance(ds)["steps"][-1]
    assert step["parameters"]["markers"] == [list(marker) for marker in markers]


def test_a_crater_through_layers_of_known_relative_rates(approved):
    layers = [("40 s", 1.0), (None, 0.5)]
    ds = sims.calibrate_depth(COUNTS, crater_depth="210 nm", relative_rates=layers)
    # 40 s at v and 60 s at v / 2 are 210 nm: v = 3 nm/s.
    expected = np.where(TIME <= 40, 3 * TIME, 120 + 1.5 * (TIME - 40))
    np.testing.assert_allclose(ds["depth"].values, expected, rtol=1e-14)
    longer = sims.calibrate_depth(
        COUNTS, crater_depth="240 nm", total_time="120 s", relative_rates=layers
    )
    np.testing.assert_allclose(longer["depth"].values, expected, rtol=1e-14)
    assert longer["crater_depth"].item() == 240.0
    craters = xr.DataArray([210.0, 420.0], dims="measurement", attrs={"units": "nm"})
    batch = sims.calibrate_depth(
        sims.stack([COUNTS, COUNTS]), crater_depth=craters, relative_rates=layers
    )
    np.testing.assert_allclose(batch["depth"].values, [expected, 2 * expected], rtol=1e-14)
    with raises(ProfileError, argument="relative_rates", text=approved):
        sims.calibrate_depth(COUNTS, crater_depth="1 um", relative_rates=[(None, "1 nm/s")])
    with raises(ProfileError, argument="relative_rates"):
        sims.calibrate_depth(COUNTS, crater_depth="1 um", relative_rates=[(None, -1.0)])


def test_errors_of_an_array_go_along():
    ds = sims.with_counting_statistics(sims.open_example("sputter-time"), dwell_time="0.5 s")
    one = ds["intensity"].sel(species="As")
    one = one.assign_coords(stderr=ds["intensity_stderr"].sel(species="As"))
    found = sims.calibrate_depth(one, rate="0.42 nm/s")
    assert found["stderr"].dims == ("depth",)
    np.testing.assert_array_equal(found["stderr"], one["stderr"])


def test_an_uncertainty_as_large_as_its_value_is_none():
    for stated in ("1 nm/s", "2 nm/s"):
        with raises(ProfileError, argument="depth_uncertainty"):
            sims.calibrate_depth(COUNTS, rate="1 nm/s", depth_uncertainty=stated)
    for stated in (1.0, "100 %", -0.1):
        with raises(ProfileError, argument="depth_uncertainty"):
            sims.calibrate_depth(COUNTS, rate="1 nm/s", depth_uncertainty=stated)
    found = sims.calibrate_depth(COUNTS, rate="1 nm/s", depth_uncertainty="0.999 nm/s")
    assert found["depth_scale_uncertainty"].item() == pytest.approx(0.999)
    # A relative rate of exactly 1 is a rate, and of 0 none.
    layers = [("20 s", 1), (None, 1.0)]
    plain = sims.calibrate_depth(COUNTS, crater_depth="90 nm")
    same = sims.calibrate_depth(COUNTS, crater_depth="90 nm", relative_rates=layers)
    np.testing.assert_allclose(same["depth"], plain["depth"], rtol=1e-14)
    with raises(ProfileError, argument="relative_rates"):
        sims.calibrate_depth(
            COUNTS, crater_depth="90 nm", relative_rates=[("20 s", 1.0), (None, 0.0)]
        )


@pytest.mark.parametrize("crater", [{"crater_depth": "210 nm"}])
def test_a_record_without_extent_needs_a_time(crater):
    one = sims.open_example("sputter-time").isel(sputter_time=[0])
    one["sputter_time"] = one["sputter_time"] * 0.0
    one["sputter_time"].attrs["units"] = "s"
    with raises(ProfileError, argument="total_time"):
        sims.calibrate_depth(one, **crater)
    assert sims.calibrate_depth(one, **crater, total_time="10 s")["depth"].item() == 0


def test_layers_end_at_times(approved):
    with raises(UnitsError, argument="rate", text=approved):
        sims.calibrate_depth(COUNTS, rate=[("5 nm", "1 nm/s"), (None, "2 nm/s")])
    last = COUNTS["sputter_time"].values[-1]
    found = sims.calibrate_depth(COUNTS, rate=[(f"{last / 2} s", "1 nm/s"), (None, "2 nm/s")])
    assert found["depth"].values[-1] == pytest.approx(1.5 * last)
