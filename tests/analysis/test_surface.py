"""The concentration near the surface, by the samples around a depth."""

import numpy as np
import pytest
import xarray as xr
from counted_trials import TOP, TRIALS, trials
from error_parts import raises, warns
from measurement_layouts import measurement, number, one, word

import sims_analysis as sims
from sims_analysis.errors import DoseWarning, ProfileError, ProfileWarning, UnitsError

Z = np.arange(1.0, 60.0, 2.0)


@pytest.mark.parametrize("depth", [1.0, 3.7, 12.0, 59.0])
@pytest.mark.parametrize("errors", [False, True])
def test_an_exponential_is_itself(depth, errors):
    c = 3e19 * np.exp(-Z / 8.0)
    ds = one(Z, c, stderr=0.1 * c if errors else None)
    found = sims.surface_concentration(ds, depth=f"{depth} nm")
    assert number(found) == pytest.approx(3e19 * np.exp(-depth / 8.0), rel=1e-9)
    assert found.attrs["units"] == found["stderr"].attrs["units"] == "atom/cm^3"


@pytest.mark.parametrize("counts", [10, 100, 1000, 10_000])
@pytest.mark.parametrize("depth", [1.0, 8.0])
@pytest.mark.parametrize(
    "shape", [lambda z: np.exp(-z / 30.0), lambda z: np.exp(-((z - 12) ** 2) / 128)]
)
def test_the_stated_error_covers_68_percent(shape, depth, counts):
    found = sims.surface_concentration(trials(shape, Z, counts), depth=f"{depth} nm")
    off = np.abs(found - TOP * shape(np.float64(depth)))
    covered = float((off < found["stderr"]).mean())
    assert 0.64 - 1.5 / TRIALS**0.5 < covered < 0.72 + 1.5 / TRIALS**0.5


@pytest.mark.parametrize("counts", [10, 100, 300])
@pytest.mark.parametrize("depth", [8.0, 8.6, 9.5])
def test_it_covers_as_much_beside_a_point(depth, counts):
    found = sims.surface_concentration(
        trials(lambda z: np.exp(-np.abs(z - 8.6) / 14.0), Z, counts), depth=f"{depth} nm"
    )
    off = np.abs(found - TOP * np.exp(-np.abs(depth - 8.6) / 14.0))
    assert 0.52 < float((off < found["stderr"]).mean()) < 0.78


@pytest.mark.parametrize("depth", [15.0, 18.0, 20.0, 22.0])
def test_it_covers_as_much_where_a_transient_ends(depth):
    def shape(z):
        return (np.exp(-((z - 50) ** 2) / 288) + 10 * np.exp(-z / 3) + 0.001) / 0.03

    found = sims.surface_concentration(trials(shape, Z, 10_000), depth=f"{depth} nm")
    ok = found["status"] == "ok"
    off = np.abs(found - TOP * shape(np.float64(depth)))
    assert 0.58 < float((off < found["stderr"]).mean()) < 0.78
    assert ok.mean() > 0.95


def test_nothing_is_extrapolated():
    ds = measurement(Z, {"B": np.exp(-Z), "P": np.full(Z.size, np.nan)})
    found = sims.surface_concentration(ds, depth="0.5 nm")
    assert found["status"].values.tolist() == ["truncated", "no_data"]
    assert found.isnull().all()
    few = one([1, 2, 3], [1e18, 0.0, 1e17])
    assert word(sims.surface_concentration(few, depth="2 nm")["status"]) == "no_data"


def test_zeros_are_data_where_counts_are_known():
    ds = sims.with_counting_statistics(
        one([1, 2, 3, 4, 5], [0.0, 1e16, 0.0, 2e16, 0.0]), value_per_count="1e16 atoms/cm^3"
    )
    found = sims.surface_concentration(ds, depth="3 nm")
    assert 6e15 < number(found) < 1e16  # of the others alone 1.4e16


def test_a_kink_warns():
    c = 1e20 * np.where(Z < 10, 1.0, np.exp(-(Z - 10) / 3))
    ds = sims.with_counting_statistics(one(Z, c), value_per_count="1e14 atoms/cm^3")
    with warns(ProfileWarning, "wrong_shape", species="B"):
        found = sims.surface_concentration(ds, depth="8 nm", samples=9)
    assert word(found["status"]) == "wrong_shape"
    assert number(found) > 0
    # Of five samples, other shapes than a parabola agree with all.
    found = sims.surface_concentration(ds, depth="8 nm")
    assert word(found["status"]) == "ok"
    assert number(found) == pytest.approx(1e20, rel=0.01)


@pytest.mark.parametrize("samples", [2, 4.0, True, "5"])
def test_what_cannot_be_meant_is_refused(samples):
    with raises(ProfileError, argument="samples"):
        sims.surface_concentration(one(Z, np.exp(-Z)), depth="5 nm", samples=samples)
    with raises(UnitsError, "missing_unit", argument="depth"):
        sims.surface_concentration(one(Z, np.exp(-Z)), depth=5)


@pytest.mark.parametrize("chunks", [None, {"species": 1}])
def test_an_unknown_depth_has_no_answer(chunks):
    z = np.arange(0.0, 50.0)
    ds = xr.Dataset(
        {"concentration": (("species", "depth"), np.ones((2, 50)) * 1e18, {"units": "cm^-3"})},
        {"species": ["B", "P"], "depth": ("depth", z, {"units": "nm"})},
    )
    depth = xr.DataArray([10.0, np.nan], {"species": ["B", "P"]}, attrs={"units": "nm"})
    found = sims.surface_concentration(ds if chunks is None else ds.chunk(chunks), depth=depth)
    assert found["status"].values.tolist() == ["ok", "no_data"]


def test_a_gap_among_the_samples_used_warns():
    ds = one([0, 1, 2, 3, 4, 5, 6, 30, 31, 32], 1e19 * np.exp(-np.arange(10.0)))
    assert word(sims.surface_concentration(ds, depth="3 nm")["status"]) == "ok"
    for depth in ("6 nm", "12 nm"):
        with warns(ProfileWarning, "gap", species="B", start="6 nm", stop="30 nm"):
            found = sims.surface_concentration(ds, depth=depth, samples=8)
        assert word(found["status"]) == "gap"
    # All samples that are used lie above it; the depth itself does not.
    with warns(ProfileWarning, "gap", species="B", start="6 nm", stop="30 nm"):
        assert word(sims.surface_concentration(ds, depth="8 nm")["status"]) == "gap"
    bridged = sims.surface_concentration(ds, depth="12 nm", gaps="bridge")
    assert word(bridged["status"]) == "ok"


def test_a_grid_is_known_better_than_as_many_samples_that_count_for_less():
    # Of a restored profile, each depth counts for a part of a sample. Depths of a grid between
    # samples do so in long sums, and few neighbours share more than that.
    c = 3e19 * np.exp(-Z / 8.0)
    ds = one(Z, c, stderr=0.1 * c)
    alone = number(sims.surface_concentration(ds, depth="9 nm")["stderr"])
    restored, grid = (
        ds.assign_coords(effective_sample_fraction=((), 0.25, attrs))
        for attrs in ({"interpolated": "no"}, {})
    )
    found = [
        number(sims.surface_concentration(one, depth="9 nm")["stderr"]) for one in (restored, grid)
    ]
    assert found[0] == pytest.approx(2 * alone, rel=0.01)
    assert alone < found[1] < 0.9 * found[0]


Z_LONG = np.arange(0.5, 150.0)
UNDER_A_TRANSIENT = np.random.default_rng(1).poisson(
    4e4 * np.exp(-(((Z_LONG - 50) / 12) ** 2) / 2) + 2 + 3e5 * np.exp(-Z_LONG / 3)
)


def test_a_depth_in_a_surface_transient_warns(recwarn):
    ds = one(Z_LONG, UNDER_A_TRANSIENT * 1e14, stderr=1e14 * np.sqrt(UNDER_A_TRANSIENT))
    with warns(ProfileWarning, "surface_transient", species="B"):
        sims.surface_concentration(ds, depth="4 nm")
    sims.surface_concentration(ds, depth="40 nm")
    assert not recwarn


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sims_analysis.errors.FitWarning")
def test_a_transient_that_a_convolution_carries_deeper_warns():
    ds = one(Z_LONG, UNDER_A_TRANSIENT * 1e14, stderr=1e14 * np.sqrt(UNDER_A_TRANSIENT))
    restored = sims.deconvolve(sims.convolve(ds, resolution="12 nm"), resolution="12 nm")
    with warns(DoseWarning, "surface_transient", species="B"):
        sims.integrated_dose(restored)
