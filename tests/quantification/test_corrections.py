"""Dead time against a simulated counter; backgrounds by hand."""

import contextlib
import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from count_rates import timed
from error_parts import raises, warns
from measurement_layouts import one
from scipy.stats import t

import sims_analysis as sims
from sims_analysis.errors import ProfileError, ProfileWarning, SpeciesError, UnitsError

TIME = np.arange(0.0, 20.0, 2.0)


def student(freedom):
    """Give Student's t of one standard error."""
    return t.ppf(0.8413447460685429, freedom)


DATA = Path(__file__).parents[3] / "shared" / "data"


def test_dead_time_by_hand():
    ds = timed(TIME, B=np.full(10, 1e6), Si=np.full(10, 2e6))
    found = sims.correct_dead_time(ds, dead_time="35 ns")
    np.testing.assert_allclose(found["intensity"][0], 1e6 / (1 - 0.035), rtol=1e-14)
    np.testing.assert_allclose(found["intensity"][1], 2e6 / (1 - 0.07), rtol=1e-14)
    one = sims.correct_dead_time(ds, dead_time={"Si": "0.035 us"})
    np.testing.assert_array_equal(one["intensity"][0], 1e6)
    np.testing.assert_allclose(one["intensity"][1], 2e6 / (1 - 0.07), rtol=1e-14)
    assert "corrected for a dead time of 35 ns" in found.attrs["history"]


def test_a_counter_that_is_blind_after_each_count():
    """Ions at random, each that is counted blinds for tau: rate and scatter come out right."""
    rng = np.random.default_rng(3)
    rate, tau, time, trials = 2e6, 100e-9, 1e-3, 400
    # After each count the counter is blind for tau, and then waits for the next ion.
    gaps = tau + rng.exponential(1 / rate, (trials, int(2 * rate * time)))
    counts = (gaps.cumsum(axis=1) < time).sum(axis=1).astype(float)
    ds = timed(np.arange(float(trials)), B=counts / time)
    ds = sims.with_counting_statistics(ds, dwell_time="1 ms")
    with warns(ProfileWarning, "saturated", species="B", sputter_time="0 s"):
        found = sims.correct_dead_time(ds, dead_time="100 ns")
    corrected = found["intensity"][0]
    assert float(corrected.mean()) == pytest.approx(rate, rel=3e-3)
    scatter = float(corrected.std(ddof=1))
    assert float(found["intensity_stderr"][0].mean()) == pytest.approx(scatter, rel=0.1)
    np.testing.assert_array_equal(found["intensity_counts"][0], counts)


def test_no_dead_time_of_sums():
    ds = sims.combine(sims.open_example("sputter-time"), {"both": {"As": 1, "Si": 1}})
    with raises(ProfileError, "already_changed"):
        sims.correct_dead_time(ds, dead_time="35 ns")


def test_impossible_dead_times_are_refused(approved):
    ds = timed(TIME, B=np.full(10, 1e6), Si=np.where(TIME == 6, 5e7, 1.0))
    with raises(ProfileError, "impossible_value", species="Si", sputter_time="6 s", text=approved):
        sims.correct_dead_time(ds, dead_time="20 ns")
    lazy = sims.correct_dead_time(ds.chunk(), dead_time="20 ns")["intensity"].compute()
    assert np.isnan(lazy.sel(species="Si", sputter_time=6))
    with raises(UnitsError, "missing_unit", argument="dead_time"):
        sims.correct_dead_time(ds, dead_time=20)
    with raises(SpeciesError, argument="dead_time", species="As"):
        sims.correct_dead_time(ds, dead_time={"As": "20 ns"})


def test_the_order_of_corrections_is_enforced(approved):
    """Counts, then the dead time, then the background: in another order the numbers are wrong."""
    ds = timed(TIME, B=np.full(10, 1e6), Si=np.full(10, 2e6))
    less = sims.subtract_background(ds, value={"Si": "1e5 counts/s"})
    with raises(ProfileError, "already_changed"):
        sims.correct_dead_time(less, dead_time="35 ns")
    with raises(ProfileError, "impossible_value", species="B", sputter_time="4 s", text=approved):
        sims.correct_dead_time(timed(TIME, B=2 - TIME), dead_time="35 ns")
    true = sims.correct_dead_time(ds, dead_time={"Si": "35 ns"})
    for changed in (less, true):
        with raises(ProfileError, "already_changed"):
            sims.with_counting_statistics(changed, dwell_time="1 s")
    # A concentration may have counts, whatever was done to intensities before.
    found = sims.with_rsf(less, rsf={"B": "1e22 cm^-3"}, matrix="Si")
    found = sims.with_counting_statistics(found, value_per_count={"B": "1e15 cm^-3"})
    assert "concentration_counts" in found
    assert "intensity_counts" not in found


# --- background ---------------------------------------------------------------------------------

COUNTED = sims.with_counting_statistics(
    timed(TIME, "counts", B=[9, 7, 5, 3, 2, 1, 3, 1, 0, 3], Si=[50] * 10)
)


def test_a_stated_background():
    found = sims.subtract_background(COUNTED, value={"B": "2 counts"})
    np.testing.assert_array_equal(found["intensity"][0], [7, 5, 3, 1, 0, -1, 1, -1, -2, 1])
    np.testing.assert_array_equal(found["intensity"][1], 50)
    for name in ("intensity_counts", "intensity_stderr"):
        xr.testing.assert_identical(found[name].reset_coords(drop=True), COUNTED[name])
    assert found["subtracted_background"].attrs["units"] == "count"
    xr.testing.assert_identical(
        sims.dequantify(sims.subtract_background(sims.quantify(COUNTED), value={"B": "2 counts"})),
        found,
    )
    by_hand = COUNTED.assign(intensity=found["intensity"].drop_vars("subtracted_background"))
    with raises(ProfileError, "impossible_value", species="B", sputter_time="10 s"):
        sims.with_counting_statistics(by_hand)


def test_a_background_window():
    found = sims.subtract_background(COUNTED.sel(species=["B"]), window=("8 s", "18 s"))
    tail = np.array([2, 1, 3, 1, 0, 3])
    np.testing.assert_allclose(found["intensity"][0], COUNTED["intensity"][0] - tail.mean())
    assert found["subtracted_background"].item() == pytest.approx(tail.mean())
    stderr = found["subtracted_background_stderr"].item()
    assert stderr == pytest.approx(np.sqrt(10) / 6)  # of 10 counts, which scatter less than that
    scattered = COUNTED.sel(species=["B"]).drop_vars(["intensity_stderr", "intensity_counts"])
    scattered = sims.subtract_background(scattered, window=("8 s", "18 s"))
    stderr = scattered["subtracted_background_stderr"].item()
    assert stderr == pytest.approx(student(5) * tail.std(ddof=1) / np.sqrt(6))
    one = sims.subtract_background(COUNTED, window=("8 s", "18 s"), species="B")
    np.testing.assert_array_equal(one["intensity"][0], found["intensity"][0])
    np.testing.assert_array_equal(one["intensity"][1], 50)
    np.testing.assert_array_equal(one["subtracted_background"].notnull(), [True, False])
    with raises(SpeciesError, argument="species", species="As"):
        sims.subtract_background(COUNTED, window=("8 s", "18 s"), species="As")
    batch = sims.stack([COUNTED, COUNTED.isel(sputter_time=slice(1, None))])
    own = sims.subtract_background(batch, window=("8 s", "18 s"))
    np.testing.assert_allclose(own["subtracted_background"].sel(species="B"), tail.mean())


def test_a_background_in_another_unit_is_no_part_of_what_was_subtracted():
    """What was subtracted from intensities says nothing of the sum in concentrations."""
    ds = sims.subtract_background(COUNTED, window=("8 s", "18 s"), species="B")
    ds = sims.with_rsf(ds, rsf={"B": "5e22 cm^-3"}, matrix="Si", matrix_signal="mean")
    assert ds["subtracted_background"].attrs["units"] == "count"
    stated = sims.subtract_background(ds, value="1e19 cm^-3", species="B")
    mean = sims.subtract_background(ds, window=("0 s", "6 s"), species="B")
    again = sims.subtract_background(mean, value="1e19 cm^-3", species="B")
    by_hand = ds["concentration"].sel(species="B", sputter_time=slice(0, 6)).mean().item()
    for found, level in ((stated, 1e19), (mean, by_hand), (again, by_hand + 1e19)):
        total = found["subtracted_background"]
        np.testing.assert_allclose(total, [level, np.nan], rtol=1e-12)
        assert total.attrs["units"] == "atom/cm^3"
    assert "subtracted_background_stderr" not in stated.coords
    for found in (mean, again):
        xr.testing.assert_equal(
            found["subtracted_background_stderr"].variable,
            mean["concentration_background_stderr"].variable,
        )
        assert found["subtracted_background_stderr"].attrs["units"] == "atom/cm^3"


# --- the detector -------------------------------------------------------------------------------


def switched(rates, **metadata):
    """A species counted by a multiplier until the instrument switches to its Faraday cup."""
    ds = timed(np.arange(len(rates)) * 1.0, B=rates)
    stated = {"detector": "EM", "counting_time": "1 s", "faraday_cup_threshold": "7E5 c/s"}
    text = json.dumps({name: one for name, one in (stated | metadata).items() if one is not None})
    return ds.assign_coords(species_metadata=("species", [text]))


RATES = [1e4, 6.5e5, 8e5, 3e6, 6.5e5, 5.5e5, 6.5e5]


@pytest.mark.few(3)
@pytest.mark.parametrize(
    ("metadata", "current"),
    [
        ({}, [0, 0, 1, 1, 0, 0, 0]),
        # Switched back only below 5.7e5.
        ({"electron_multiplier_threshold": "5.7e5 c/s"}, [0, 0, 1, 1, 1, 0, 0]),
        ({"faraday_cup_threshold": "1e9 c/s"}, [0] * 7),
        ({"faraday_cup_threshold": None}, [0] * 7),
        ({"detector": "FC"}, [1] * 7),
        ({"detector": "FC", "faraday_cup_threshold": None}, [1] * 7),
    ],
)
@pytest.mark.parametrize("layout", ["one", "dask", "batch", "own axes"])
def test_a_current_is_no_counting(metadata, current, layout):
    ds = switched(RATES, **metadata)
    ds = {
        "one": lambda: ds,
        "dask": ds.chunk,
        "batch": lambda: sims.stack([ds, ds]),
        "own axes": lambda: sims.stack([ds, ds.assign_coords(sputter_time=ds["sputter_time"] + 1)]),
    }[layout]()
    ds["sputter_time"].attrs["units"] = "s"
    current, expected = np.array(current, bool), np.array(RATES)
    some = current.any() and not current.all() and layout != "dask"
    parts = {"code": "faraday_cup", "species": "B", "sputter_time": f"{np.argmax(current)} s"}
    parts |= {"measurement": "0"} if layout in ("batch", "own axes") else {}
    with warns(ProfileWarning, **parts) if some else contextlib.nullcontext():
        counted = sims.with_counting_statistics(ds).compute()
    rows = counted["intensity_counts"].values.reshape(-1, len(RATES))[0]
    np.testing.assert_allclose(rows, np.where(current, np.nan, expected))
    assert (np.isnan(counted["intensity_stderr"].values.reshape(-1, 7)[0]) == current).all()
    no_dead_time = current.any() and layout != "dask"
    with warns(ProfileWarning, **parts) if no_dead_time else contextlib.nullcontext():
        true = sims.correct_dead_time(ds, dead_time="30 ns").compute()
    rows = true["intensity"].values.reshape(-1, len(RATES))[0]
    np.testing.assert_allclose(
        rows, np.where(current, expected, expected / (1 - 30e-9 * expected)), rtol=1e-12
    )


def test_between_the_thresholds_a_record_begins_with_counts(approved):
    ds = switched([6.5e5] * 4 + [8e5], electron_multiplier_threshold="5.7e5 c/s")
    with warns(ProfileWarning, "faraday_cup", species="B", sputter_time="4 s", text=approved):
        found = sims.with_counting_statistics(ds)["intensity_stderr"]
    np.testing.assert_array_equal(found.isnull().values[0], [0, 0, 0, 0, 1])


def test_a_stated_counting_time_makes_no_counts_of_a_current(approved):
    ds = switched(RATES, detector="FC")
    with warns(ProfileWarning, "faraday_cup", species="B", sputter_time="0 s", text=approved):
        found = sims.with_counting_statistics(ds, dwell_time="1 s")
    assert found["intensity_stderr"].isnull().all()


def test_samples_without_a_count_share_nothing_with_the_background():
    time = np.arange(6.0)
    counts = np.array([[90.0, 40.0, 0.0, 3.0, 0.0, 1.0]])
    ds = sims.with_counting_statistics(timed(time, "count", B=counts[0]))
    found = sims.subtract_background(ds, window=("2 s", "5 s"))
    assert found["subtracted_background"].item() == 1.0
    # Variance of the mean of four samples: (3 + 1) / 16, or their scatter, which is larger here.
    scatter = student(3) * np.sqrt(np.var(counts[0, 2:], ddof=1) / 4)
    overlap = found["intensity_background_overlap"].values[0]
    assert (overlap[[0, 1, 2, 4]] == 0).all()
    factor = found["intensity_background_scatter"].item()
    np.testing.assert_allclose(found["intensity_background_stderr"], scatter)
    np.testing.assert_allclose(
        overlap[[3, 5]], np.array([3.0, 1.0]) * factor**2 / 4 / scatter**2, rtol=1e-12
    )


@pytest.mark.parametrize("counted", [False, True])
def test_a_finer_grid_shares_as_much_with_its_background_and_knows_it_less(counted):
    ds = COUNTED if counted else COUNTED.drop_vars(["intensity_stderr", "intensity_counts"])
    found = sims.subtract_background(ds, window=("8 s", "18 s"))
    fine = ds.assign_coords(effective_sample_fraction=0.25)
    fine = sims.subtract_background(fine, window=("8 s", "18 s"))
    np.testing.assert_array_equal(fine["intensity"], found["intensity"])
    overlap = "intensity_background_overlap"
    np.testing.assert_allclose(fine[overlap], found[overlap], rtol=1e-12)
    stderr = "intensity_background_stderr"
    wider = 2.0 if counted else 2.0 * student(1) / student(5)  # of one and a half samples
    np.testing.assert_allclose(fine[stderr], wider * found[stderr], rtol=1e-9)


def test_a_background_among_samples_below_their_limit_warns():
    limits = np.full((2, 10), np.nan)
    limits[0, 8] = 2.0
    ds = COUNTED.assign_coords(intensity_detection_limit=(COUNTED["intensity"].dims, limits))
    ds["intensity_detection_limit"].attrs["units"] = "count"
    ds["intensity"] = ds["intensity"].where(np.isnan(limits)).assign_attrs(units="count")
    with warns(ProfileWarning, "below_limit", species="B", start="14 s", stop="18 s"):
        sims.subtract_background(ds, window=("8 s", "18 s"))


def test_what_was_subtracted_in_all_is_the_sum_of_what_is_known():
    once = sims.subtract_background(COUNTED, value={"B": "2 counts"})
    np.testing.assert_array_equal(once["subtracted_background"], [2, np.nan])
    none = sims.subtract_background(once, value={"Si": "0 counts"})
    np.testing.assert_array_equal(none["subtracted_background"], [2, 0])
    again = sims.subtract_background(none, value="1 counts")
    np.testing.assert_array_equal(again["subtracted_background"], [3, 1])


def scattered(*values):
    """Samples of a standard error of one count each."""
    ds = timed(np.arange(float(len(values))), "counts", B=[100.0 + one for one in values])
    return ds.assign(
        intensity_stderr=xr.full_like(ds["intensity"], 1.0).assign_attrs(units="count")
    )


@pytest.mark.parametrize("fraction", [1.0, 0.25])
def test_the_scatter_of_a_window_grows_by_students_t_of_its_samples(fraction):
    two = sims.subtract_background(scattered(-3.8, 3.8), window=("0 s", "1 s"))
    grown = 2**0.5 * 3.8 * student(1)
    np.testing.assert_allclose(two["intensity_background_scatter"], grown, rtol=1e-9)
    ds = scattered(*[-2.81, 2.81] * 4).assign_coords(effective_sample_fraction=fraction)
    found = sims.subtract_background(ds, window=("0 s", "7 s"))["intensity_background_scatter"]
    assert 2.7 < found.item() / student(max(8 * fraction - 1, 1)) < 6.1


def blank(value, stderr, species=("B", "Si")):
    """Give what was found of a blank: backgrounds with standard errors."""
    return xr.DataArray(
        value, {"species": list(species), "stderr": ("species", stderr)}, ["species"],
        attrs={"units": "count"},
    )  # fmt: skip


def test_the_error_of_a_stated_background_is_that_of_all_samples():
    ds = sims.calibrate_depth(COUNTED, rate="1 nm/s")
    found = sims.subtract_background(ds, value=blank([2.0, 5.0], [0.5, 1.0]))
    np.testing.assert_array_equal(found["intensity"][0], ds["intensity"][0] - 2)
    np.testing.assert_array_equal(found["intensity_background_stderr"], [0.5, 1.0])
    np.testing.assert_array_equal(found["subtracted_background_stderr"], [0.5, 1.0])
    mean, exact = (
        sims.mean_value(one).sel(species="Si")
        for one in (found, sims.subtract_background(ds, value={"B": "2 counts", "Si": "5 counts"}))
    )
    assert mean["stderr"].item() == pytest.approx(np.hypot(exact["stderr"].item(), 1.0))
    # As `mean_value` gives it, of one species, and in a mapping beside one that is exact.
    own = sims.mean_value(ds.sel(species="B"), start="8 nm")
    one = sims.subtract_background(ds, value=own)
    stated = one["intensity_background_stderr"].sel(species="B")
    assert stated.item() == own["stderr"].item()
    np.testing.assert_array_equal(one["intensity"][1], ds["intensity"][1])
    both = sims.subtract_background(ds, value={"B": own, "Si": "1 count"})
    np.testing.assert_array_equal(both["intensity_background_stderr"], [own["stderr"].item(), 0])
    view = sims.subtract_background(sims.quantify(ds), value=sims.quantify(own))
    xr.testing.assert_allclose(sims.dequantify(view)["intensity"], one["intensity"])
    # After one that was subtracted before, both count.
    twice = sims.subtract_background(found, value=blank([1.0, 1.0], [1.2, 0.0]))
    np.testing.assert_allclose(twice["intensity_background_stderr"], [1.3, 1.0])


def test_an_answer_above_a_stated_background_has_its_error_like_one_after_it_was_subtracted():
    z = np.arange(0.0, 200.0, 2.0)
    counts = 50 * np.exp(-(((z - 70) / 20) ** 2) / 2) + 20
    ds = one(z, np.random.default_rng(0).poisson(counts) * 1e16)
    ds = sims.with_counting_statistics(ds, value_per_count="1e16 cm^-3")
    level = xr.DataArray(2e17, attrs={"units": "cm^-3"}, coords={"stderr": 2e16})
    before = sims.subtract_background(ds, value=level)
    dose = sims.integrated_dose(ds, background=level)["stderr"].item()
    exact = sims.integrated_dose(ds, background="2e17 cm^-3")["stderr"].item()
    assert dose == pytest.approx(np.hypot(exact, 2e16 * 198e-7))
    assert dose == pytest.approx(sims.integrated_dose(before)["stderr"].item())
    above, after = sims.moments(ds, background={"B": level}), sims.moments(before)
    for name in ("projected_range_stderr", "straggle_stderr"):
        assert above[name].item() == pytest.approx(after[name].item())
    budget = sims.dose_budget(ds, background=level)
    assert budget["background_stderr"].item() == pytest.approx(2e16 * 198e-7)


def test_the_error_of_a_level_moves_a_junction_by_it_over_the_steepness():
    z = np.arange(0.0, 200.0, 2.0)
    counts = np.random.default_rng(0).poisson(500 * np.exp(-z / 50))
    ds = sims.with_counting_statistics(one(z, counts * 1e16), value_per_count="1e16 cm^-3")
    level = xr.DataArray(1e18, attrs={"units": "cm^-3"}, coords={"stderr": 2e17})
    exact, known = (sims.junction_depth(ds, at) for at in ("1e18 cm^-3", level))
    moved = 0.2 * exact["decay_length"].item()
    assert known.item() == exact.item()
    assert known["stderr"].item() == pytest.approx(np.hypot(exact["stderr"].item(), moved))
    crossing = sims.crossings(ds, level)["stderr"]
    assert crossing.item() == pytest.approx(known["stderr"].item())


def test_a_background_of_concentrations_under_several_layers_warns(approved):
    factors = [("8 s", {"B": "1e20 cm^-3/count"}), (None, {"B": "2e20 cm^-3/count"})]
    ds = sims.with_rsf(COUNTED, rsf=factors, matrix=None)
    with warns(ProfileWarning, species="B", text=approved):
        sims.subtract_background(ds, window=("10 s", "18 s"), species="B", variable="concentration")
    deep = sims.calibrate_depth(ds, rate="1 nm/s")
    with warns(ProfileWarning, species="B", text=approved):
        sims.integrated_dose(deep, background=("10 nm", "18 nm"))
    same = [(stop, {"B": "1e20 cm^-3/count"}) for stop, _ in factors]
    ds = sims.with_rsf(COUNTED, rsf=same, matrix=None)
    sims.subtract_background(ds, window=("10 s", "18 s"), species="B", variable="concentration")
