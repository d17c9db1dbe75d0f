"""Decay lengths: closed forms, windows of depths and values, and their errors."""

import math

import numpy as np
import pytest
import xarray as xr
from counted_trials import TOP, trials
from error_parts import warns
from measurement_layouts import measurement, number, one, word

import sims_analysis as sims
from sims_analysis.errors import ProfileWarning


@pytest.mark.parametrize("decay", [1.3, 5.0, 40.0])
@pytest.mark.parametrize("stderr", [None, 0.1])
def test_decay_of_an_exponential(decay, stderr):
    z = np.arange(0, 10 * decay, decay / 4)
    c = 1e20 * np.exp(-z / decay)
    ds = one(z, c, stderr=None if stderr is None else stderr * c)
    found = sims.decay_length(ds, start=f"{decay} nm", stop=f"{4 * decay} nm")
    assert number(found["decay_length"]) == pytest.approx(decay, rel=1e-9)
    assert number(found["per_decade"]) == pytest.approx(decay * math.log(10), rel=1e-9)
    assert number(found["n"]) == 13
    if stderr is not None:
        x = z[(z >= decay) & (z <= 4 * decay)]
        slope = stderr / math.sqrt(((x - x.mean()) ** 2).sum())
        assert number(found["stderr"]) == pytest.approx(slope * decay**2, rel=1e-6)


def test_the_decay_length_of_a_leading_edge_is_positive_too():
    z = np.arange(0, 50, 1.0)
    ds = one(z, 1e15 * np.exp(z / 4))
    found = sims.decay_length(ds, edge="leading")
    assert number(found["decay_length"]) == pytest.approx(4)
    assert number(found["n"]) == z.size  # without a peak, all of it
    wrong = sims.decay_length(ds, edge="trailing")
    assert math.isnan(number(wrong["decay_length"]))
    assert word(wrong["status"]) == "never_reached"


def test_windows_of_values_and_the_detection_limit():
    z = np.arange(0, 100, 1.0)
    ds = one(z, 1e20 * np.exp(-z / 5) + 1e15)
    found = sims.decay_length(ds, low="1e17 atoms/cm^3", high="1e19 atoms/cm^3")
    assert number(found["decay_length"]) == pytest.approx(5, rel=2e-3)
    limited = sims.decay_length(ds, high="1e19 atoms/cm^3", detection_limit="1e17 atoms/cm^3")
    assert number(limited["decay_length"]) == number(found["decay_length"])
    assert number(limited["n"]) == number(found["n"])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*the edge is not exponential")  # of 300, one or two
@pytest.mark.parametrize("noise", ["counts", "relative"])
@pytest.mark.parametrize("repeats", [1, 3])
def test_without_errors_the_noise_is_that_of_the_samples(noise, repeats):
    """Least squares of ln C were 7 to 30 % too long, and covered 0 to 0.4."""
    rng, z = np.random.default_rng(8), np.arange(0, 90, 1.5)
    shape = np.broadcast_to(np.exp(-z / 15), (repeats, 300, z.size))
    c = (
        rng.poisson(100 * shape)
        if noise == "counts"
        else shape * rng.lognormal(0, 0.05, shape.shape)
    )
    dims = "measurement", "species", "depth"
    ds = xr.Dataset(
        {"concentration": (dims, c * 1e17, {"units": "atom/cm^3"})},
        {"depth": ("depth", z, {"units": "nm"}), "species": [f"{i}" for i in range(300)]},
    )
    found = sims.decay_length(sims.average(ds) if repeats > 1 else ds)
    off = found["decay_length"] - 15
    assert 0.6 <= float((abs(off) <= found["stderr"]).mean()) <= 0.76
    assert abs(float(off.mean())) < 0.2 * float(off.std())


@pytest.mark.parametrize("values", [[np.nan] * 3, [1e18, np.nan, np.nan], [0, 0, 0], [-1, -1, -2]])
def test_too_few_samples_have_no_decay(values):
    found = sims.decay_length(one([0, 1, 2], values))
    assert math.isnan(number(found["decay_length"]))
    assert word(found["status"]) == "no_data"


@pytest.mark.parametrize("stderr", [None, 0.01])
@pytest.mark.parametrize("levels", [{}, {"low": "1e16 atoms/cm^3", "high": "1e19 atoms/cm^3"}])
@pytest.mark.parametrize(("edge", "length"), [("trailing", 5), ("leading", 3)])
def test_the_edge_of_a_peak_is_below_half_of_it_or_between_levels(stderr, levels, edge, length):
    z = np.arange(0, 121, 1.0)
    c = 1e20 * np.minimum(np.exp(-np.where(z < 60, (60 - z) / 3, (z - 60) / 5)), 0.6)
    ds = one(z, c, stderr=None if stderr is None else stderr * c)
    assert number(sims.decay_length(ds, edge=edge, **levels)["decay_length"]) == pytest.approx(
        length
    )


@pytest.mark.parametrize("stderr", [None, [1e15] * 4])
def test_a_flat_profile_does_not_decay(stderr):
    found = sims.decay_length(one([0, 1, 3, 7], [3e16] * 4, stderr=stderr))
    assert math.isnan(number(found["decay_length"]))
    assert word(found["status"]) == "never_reached"


# --- does a straight line fit? ------------------------------------------------------------------


@pytest.mark.few(3)
@pytest.mark.filterwarnings("ignore:.*(the edge is not exponential|in a surface transient)")
@pytest.mark.parametrize("counts", [30, 1000])  # of 300, one or two
@pytest.mark.parametrize("stated", [False, True])
@pytest.mark.parametrize("step", [1.0, None])
def test_a_straight_line_is_hardly_ever_called_bent(counts, stated, step):
    rng = np.random.default_rng(3)
    z = np.arange(0, 60.0) if step else np.cumsum(rng.uniform(0.3, 2, 60))
    k = rng.poisson(counts * np.exp(-z / (50 if stated else 7)), (300, z.size)).astype(float)
    ds = measurement(z, {f"{i}": row * 1e16 for i, row in enumerate(k)})
    if stated:
        ds = sims.with_counting_statistics(ds, value_per_count="1e16 atoms/cm^3")
    answer = sims.decay_length(ds)
    found = answer["reduced_chi_square"]
    if stated:
        assert float(found.median()) == pytest.approx(1.0, abs=0.05)
    assert found.isnull().all() == (not stated)
    assert found.attrs["units"] == "1"
    assert int((answer["status"] != "ok").sum()) <= 4


@pytest.mark.parametrize("stated", [False, True])
def test_reduced_chi_square_is_large_if_the_edge_is_not_exponential(stated):
    z = np.arange(0, 200, 2.0)
    k = np.random.default_rng(4).poisson(1e4 * np.exp(-((z - 20) ** 2) / 8000))
    ds = one(z, k * 1e16)
    if stated:
        ds = sims.with_counting_statistics(ds, value_per_count="1e16 atoms/cm^3")
    with warns(ProfileWarning, "wrong_shape", species="B"):
        found = sims.decay_length(ds, start="20 nm")
    assert not stated or number(found["reduced_chi_square"]) > 10
    assert word(found["status"]) == "wrong_shape"
    assert word(sims.decay_length(ds.chunk(), start="20 nm")["status"]) == "wrong_shape"
    # Its tail is nearly one.
    tail = sims.decay_length(ds, start="120 nm", stop="160 nm")
    assert not stated or number(tail["reduced_chi_square"]) < 2
    assert word(tail["status"]) == "ok"


@pytest.mark.filterwarnings("ignore::sims_analysis.errors.ProfileWarning")
@pytest.mark.parametrize(("low", "high"), [(0.1, 0.5), (0.3, 0.9), (0.01, 0.5)])
@pytest.mark.parametrize("straggle", [15.0, 40.0])
def test_flanks_of_a_gaussian_are_no_exponentials(straggle, low, high):
    def shape(z):
        return np.exp(-((z - 80) ** 2) / (2 * straggle**2))

    ds = trials(shape, np.arange(0, 240, 1.0), 10_000).isel(measurement=slice(20))
    levels = {"low": f"{low * TOP} atoms/cm^3", "high": f"{high * TOP} atoms/cm^3"}
    assert (sims.decay_length(ds, **levels)["status"] == "wrong_shape").mean() > 0.9


@pytest.mark.filterwarnings("ignore::sims_analysis.errors.ProfileWarning")
def test_a_bent_edge_on_a_fine_grid_has_status_wrong_shape_and_a_straight_one_ok():
    z = np.arange(0, 120, 2.0)
    rng = np.random.default_rng(6)
    for edge, expected in ((np.exp(-z / 20), "ok"), (np.exp(-(z**2) / 3000), "wrong_shape")):
        rows = {f"{i}": rng.poisson(2000 * edge) * 1e15 for i in range(40)}
        ds = sims.with_counting_statistics(measurement(z, rows), value_per_count="1e15 atoms/cm^3")
        fine = sims.to_grid(ds, step="0.5 nm")
        status = sims.decay_length(fine, stop="100 nm")["status"]
        assert int((status == expected).sum()) >= 39


@pytest.mark.parametrize("stated", [True, False])
def test_two_samples_give_a_decay_length_if_their_errors_are_known(stated):
    z = np.array([10.0, 14.0])
    c = 1e20 * np.exp(-z / 5)
    found = sims.decay_length(one(z, c, stderr=0.1 * c if stated else None))
    assert word(found["status"]) == ("ok" if stated else "no_data")
    assert math.isnan(number(found["reduced_chi_square"]))
    if stated:
        assert number(found["decay_length"]) == pytest.approx(5.0, rel=1e-9)
        assert number(found["stderr"]) == pytest.approx(25 * 0.1 * math.sqrt(2) / 4, rel=1e-6)
        z = np.array([10.0, 14.0, 18.0])
        c = np.exp(-z / 5) * (1.0, 1.1, 1.0)
        third = sims.decay_length(one(z, c, stderr=0.1 * c))
        by_hand = (2 * math.log(1.1)) ** 2 / (6 * 0.1**2)
        assert number(third["reduced_chi_square"]) == pytest.approx(by_hand, rel=0.01)


def test_over_sputter_time_in_seconds():
    t = np.arange(0.0, 100.0, 2.0)
    ds = xr.Dataset(
        {"intensity": (("species", "sputter_time"), [1e5 * np.exp(-t / 8)], {"units": "counts/s"})},
        {"species": ["B"], "sputter_time": ("sputter_time", t, {"units": "s"})},
    )
    found = sims.decay_length(ds, low="10 counts/s", high="1e4 counts/s")
    assert found["decay_length"].item() == pytest.approx(8.0)
    for name in ("decay_length", "per_decade", "stderr", "start", "stop"):
        assert found[name].attrs["units"] == "s", name
    assert "depth" not in str(found["decay_length"].attrs).lower()


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("argument", ["low", "high", "detection_limit"])
def test_between_levels_that_are_not_known_there_is_no_edge(argument, lazy):
    z = np.arange(0, 40.0)
    rows = {"B": 1e19 * np.exp(-z / 5), "P": 1e19 * np.exp(-z / 5)}
    ds = measurement(z, rows)
    level = xr.DataArray([1e17, np.nan], {"species": ["B", "P"]}, attrs={"units": "cm^-3"})
    found = sims.decay_length(ds.chunk() if lazy else ds, **{argument: level})
    assert found["status"].values.tolist() == ["ok", "no_data"]
    assert np.isfinite(found["decay_length"].values[0])


@pytest.mark.filterwarnings("ignore::sims_analysis.SimsWarning")
def test_values_made_across_a_gap_are_of_no_line_and_no_mean_is_of_one():
    z = np.arange(0.0, 80.0)
    values = np.where((z > 20) & (z < 40), np.nan, 1e20 * np.exp(-z / 8))
    ds = xr.Dataset(
        {"concentration": ("depth", values, {"units": "atom/cm^3"})},
        coords={"depth": ("depth", z, {"units": "nm"})},
    ).dropna("depth")
    blurred = sims.convolve(ds, resolution="3 nm")
    for data, start, line, mean in (
        (ds, "30 nm", "ok", "gap"),  # the samples below the gap are as they were measured
        (ds, "40 nm", "ok", "ok"),
        (blurred, "30 nm", "gap", "gap"),
        (blurred, "56 nm", "ok", "ok"),
    ):
        window = {"start": start, "stop": "70 nm"}
        assert sims.decay_length(data, **window)["status"].item() == line
        assert sims.mean_value(data, **window)["status"].item() == mean
