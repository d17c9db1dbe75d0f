"""Profiles blurred by an instrument: the dose stays, and shapes are those of closed forms."""

import models_truth
import numpy as np
import pytest
import xarray as xr
from error_parts import raises, warns

import sims_analysis as sims
from sims_analysis.errors import FitWarning, ProfileError, ProfileWarning, UnitsError
from sims_analysis.restoring.resolution_function import ResolutionFunction

DRF = {"lambda_growth": "1 nm", "lambda_decay": "4 nm", "sigma": "2 nm"}


@pytest.mark.parametrize(
    "resolution",
    [
        "3 nm",
        DRF,
        {"mixing_length": "3 nm", "roughness": "1 nm", "information_depth": 0},
        "1e-4 nm",
    ],
)
@pytest.mark.parametrize("seed", range(3))
def test_the_dose_is_kept(resolution, seed):
    rng = np.random.default_rng(seed)
    z = np.sort(rng.uniform(0, 200, 150))
    one = models_truth.profile(rng.uniform(0, 1e20, z.size), z)
    blurred = sims.convolve(one, resolution=resolution)
    before, after = (np.trapezoid(c.values, z) for c in (one, blurred))
    assert after == pytest.approx(before, rel=1e-12)
    assert float(blurred.min()) >= 0


def test_a_gaussian_blurred_by_one_is_wider():
    z = np.arange(0, 300, 0.5)
    one = models_truth.profile(models_truth.values("gaussian", (1e15, 150, 12), z), z)
    blurred = sims.convolve(one, resolution="16 nm")
    expected = models_truth.values("gaussian", (1e15, 150, 20), z)
    np.testing.assert_allclose(blurred, expected, rtol=1e-6, atol=1e9)
    assert blurred.attrs["units"] == "atom/cm^3"
    history = sims.convolve(blurred, resolution=DRF).attrs["history"]
    by = f", by sims_analysis {sims.__version__}"
    assert history == f"convolve(resolution='16 nm'){by}\nconvolve(resolution={DRF}){by}"


def counted(expected, seed, z):
    counts = np.atleast_2d(np.random.default_rng(seed).poisson(expected))
    ds = xr.Dataset(
        {"concentration": (("species", "depth"), counts * 1e15, {"units": "atom/cm^3"})},
        {"species": np.arange(len(counts)).astype(str), "depth": ("depth", z, {"units": "nm"})},
    )
    return sims.with_counting_statistics(ds, value_per_count="1e15 atoms/cm^3")


@pytest.mark.parametrize("resolution", ["2 nm", DRF])
def test_errors_are_those_of_the_samples_that_are_mixed(resolution):
    z = np.arange(0.5, 200.0)
    expected = 900 * np.exp(-0.5 * ((z - 80) / 20) ** 2) + 0.5
    many = counted(np.broadcast_to(expected, (60, z.size)), 0, z).rename(species="trial")
    blurred = sims.convolve(many, resolution=resolution)
    inner = slice(40, 120)
    scatter = blurred[:, inner].std("trial", ddof=1)
    assert scatter.mean().item() == pytest.approx(
        blurred["stderr"][:, inner].mean().item(), rel=0.1
    )
    # The error of the dose is what it was, though neighbours are no longer independent.
    before, after = (sims.integrated_dose(one)["stderr"] for one in (many, blurred))
    np.testing.assert_allclose(after, before, rtol=0.02)
    assert (blurred["effective_sample_fraction"] < 0.5).all()


def test_blurred_noise_has_no_junction():
    for seed in range(5):
        blurred = sims.convolve(
            counted(np.full(200, 20.0), seed, np.arange(200.0)), resolution="3 nm"
        )
        with warns(ProfileWarning, "undetermined", species="0"):
            junction = sims.junction_depth(blurred, level="2e16 atoms/cm^3")
        assert junction["status"].item() == "undetermined"


def test_samples_without_a_count_are_known_to_one():
    blurred = sims.convolve(counted(np.zeros(50), 0, np.arange(50.0)), resolution="3 nm")
    assert (blurred["stderr"] > 0).all()
    assert (blurred["stderr"] < 1.84e15).all()


@pytest.mark.filterwarnings("ignore:.*a slope within its noise")
def test_the_error_of_a_subtracted_background_goes_along():
    z = np.arange(0.5, 200.0)
    ds = counted(900 * np.exp(-0.5 * ((z - 80) / 20) ** 2) + 9, 0, z)
    less = sims.subtract_background(ds, window=("170 nm", "199 nm"))
    doses = [sims.integrated_dose(one) for one in (less, sims.convolve(less, resolution="2 nm"))]
    before, after = (dose["stderr"].item() for dose in doses)
    assert after == pytest.approx(before, rel=0.03)


@pytest.mark.slow
def test_a_thin_layer_takes_the_shape_of_the_resolution_function_that_was_fitted():
    z = np.arange(0, 200, 0.25)
    delta = np.zeros(z.size)
    delta[400] = 1e14 * 1e7 / 0.25
    blurred = sims.convolve(models_truth.profile(delta, z), resolution=DRF)
    expected = models_truth.values("delta_drf", (1e14, 100, 1, 4, 2), z)
    np.testing.assert_allclose(blurred, expected, rtol=1e-3, atol=1e14)
    fit = sims.fit(blurred, model="delta_drf", start="80 nm", stop="140 nm")
    again = sims.convolve(models_truth.profile(delta, z), resolution=fit)
    np.testing.assert_allclose(again, blurred, rtol=1e-4, atol=1e14)


def test_plateaus_stay_and_layouts_give_the_same():
    z = np.arange(0, 100, 0.5)
    flat = models_truth.profile(np.full(z.size, 1e19), z)
    np.testing.assert_allclose(sims.convolve(flat, resolution="5 nm"), flat, rtol=1e-6)
    two = models_truth.profile(np.array([1e19, 3e19]), np.array([0.0, 0.5]))
    np.testing.assert_allclose(sims.convolve(two, resolution="90 nm"), 2e19, rtol=1e-3)
    batch = flat.expand_dims(wafer=2).transpose("depth", "wafer")
    assert sims.convolve(batch, resolution="5 nm").dims == ("depth", "wafer")
    quantified = sims.convolve(sims.quantify(flat), resolution="5 nm")
    assert hasattr(quantified.data, "magnitude")


@pytest.mark.parametrize("resolution", ["2 nm", "6 nm", DRF])
@pytest.mark.parametrize("width", [10, 40])
def test_what_is_not_flagged_does_not_rest_on_a_gap(resolution, width):
    z = np.arange(0.5, 300.0)
    values = models_truth.values("gaussian", (1e15, 150, 30), z) + 1e17
    gap = np.where(np.abs(z - 170) < width / 2, np.nan, values)
    whole, part = (sims.convolve(models_truth.profile(c, z), resolution) for c in (values, gap))
    clean = part.coords["concentration_quality"] == 0
    assert clean.sum() > 100
    np.testing.assert_allclose(part[clean], whole[clean], rtol=0.01)


def test_widths_of_a_fit_keep_their_unit():
    """Of a fit over sputter time they are no depths, of however many profiles it is."""
    ds = models_truth.profile(np.exp(-((np.arange(60.0) - 30) ** 2) / 32) * 1e20, np.arange(60.0))
    widths = {"lambda_growth": 0.8, "lambda_decay": 1.7, "sigma": 1.1}

    def fit(units, times):
        found = {name: ((), times * width, {"units": units}) for name, width in widths.items()}
        return xr.Dataset(found, attrs={"model": "delta_drf"})

    of_um = sims.convolve(ds, resolution=fit("um", 1e-3))
    np.testing.assert_allclose(of_um, sims.convolve(ds, resolution=fit("nm", 1)), rtol=1e-12)
    with raises(UnitsError, argument="resolution"):
        sims.convolve(ds, resolution=fit("s", 1))


def test_a_fit_that_is_not_ok_is_warned_of():
    ds = models_truth.profile(np.exp(-((np.arange(60.0) - 30) ** 2) / 32) * 1e20, np.arange(60.0))
    expected = sims.convolve(ds, resolution="2 nm")

    def fit(straggle, status, model="gaussian"):
        found = {"straggle": ((), straggle, {"units": "nm"}), "status": ("layer", status)}
        return xr.Dataset(found, attrs={"model": model})

    ok, doubtful = ["ok", "ok"], ["ok", "wrong_shape"]
    np.testing.assert_array_equal(sims.convolve(ds, resolution=fit(2.0, ok)), expected)
    with warns(FitWarning, "wrong_shape", argument="resolution"):
        np.testing.assert_array_equal(sims.convolve(ds, resolution=fit(2.0, doubtful)), expected)
    with raises(ProfileError, "wrong_shape", argument="resolution"):
        sims.convolve(ds, resolution=fit(np.nan, doubtful))
    of_layers = fit(2.0, ok).assign(straggle=("layer", [2.0, 2.1], {"units": "nm"}))
    own = sims.convolve(ds, resolution=of_layers.isel(layer=[0]))
    np.testing.assert_array_equal(own, expected)


def test_a_profile_with_a_width_that_is_not_known_is_not_blurred():
    z = np.arange(20.0)
    batch = models_truth.profile(1e18 * np.stack([np.exp(-z), 1 + z]), z, dims=("wafer", "depth"))
    sigma = xr.DataArray([2.0, np.nan], dims="wafer", attrs={"units": "nm"})
    found = sims.convolve(batch, resolution=DRF | {"sigma": sigma})
    alone = sims.convolve(batch[0], resolution=DRF)
    np.testing.assert_array_equal(found, [alone.values, np.full(z.size, np.nan)])


@pytest.mark.slow
def test_profiles_of_a_batch_are_blurred_as_they_are_alone():
    """The matrix is kept for the next profile: not where its samples are others."""
    z = np.linspace(0, 200, 400)
    rng = np.random.default_rng(5)
    c = rng.uniform(0, 1e20, (4, z.size))
    c[1, 30:33] = np.nan
    batch = models_truth.profile(c, z, dims=("wafer", "depth"))
    blurred = sims.convolve(batch, resolution=DRF)
    for i, row in enumerate(c):
        alone = sims.convolve(models_truth.profile(row, z), resolution=DRF)
        np.testing.assert_array_equal(blurred[i].values, alone.values)
        there = np.isfinite(row)
        own = sims.convolve(models_truth.profile(row[there], z[there]), resolution=DRF)
        np.testing.assert_array_equal(blurred[i].values[there], own.values)


def test_far_tails_arrive_as_far_as_double_precision_goes():
    z = np.linspace(0, 1000, 1001)
    spike = np.where(z == 500, 1e22, 0.0)
    blurred = sims.convolve(models_truth.profile(spike, z), resolution={**DRF, "sigma": "3 nm"})
    far = np.log(blurred.sel(depth=600) / blurred.sel(depth=640)).item()
    assert far == pytest.approx(40 / 4, rel=1e-9)
    assert np.trapezoid(blurred, z) == pytest.approx(np.trapezoid(spike, z), rel=1e-12)


def test_a_function_much_narrower_than_the_spacing_moves_nothing():
    z = np.arange(0.0, 60.0, 2.0)
    c = np.random.default_rng(1).uniform(1e17, 1e19, z.size)
    data = xr.DataArray(
        c, {"depth": ("depth", z, {"units": "nm"})}, attrs={"units": "atom/cm^3"}, name="c"
    )
    np.testing.assert_allclose(sims.convolve(data, resolution="0.001 nm"), c, rtol=1e-14)
    alone = data.isel(depth=[3])
    np.testing.assert_array_equal(sims.convolve(alone, resolution="3 nm"), c[3:4])


@pytest.mark.parametrize(
    "question",
    [
        lambda data, **window: sims.sheet_resistance(data, acceptors=["B"], **window),
        sims.interface,
        lambda data, **window: sims.deconvolve(data, resolution="2 nm", **window),
    ],
)
def test_a_window_without_samples_is_warned_of(question):
    data = xr.DataArray(
        np.linspace(1e18, 1e19, 100)[None], dims=("species", "depth"),
        coords={"species": ["B"], "depth": ("depth", np.arange(100.0), {"units": "nm"})},
        attrs={"units": "atom/cm^3"}, name="concentration",
    )  # fmt: skip
    with warns(sims.errors.FitWarning, "no_sample_in_window", species="B"):
        found = question(data, start="200 nm", stop="300 nm")
    assert np.ravel(found["status"].values).tolist() == ["no_data"]


@pytest.mark.parametrize("widths", [(0.5, 3.0, 1.0), (0.0, 0.0, 0.12), (0.0, 0.0, 40.0)])
def test_atoms_go_where_the_function_takes_them_and_come_back_at_the_ends(widths):
    """In one matrix, column by column: each sample's atoms are all there after."""
    z = np.cumsum(np.random.default_rng(1).uniform(0.2, 1.0, 300))
    c = np.random.default_rng(2).uniform(1e17, 1e19, z.size)
    function = ResolutionFunction("delta_drf", widths)
    weight = np.gradient(z) * 1.0
    weight[1:-1] = 0.5 * (z[2:] - z[:-2])
    weight[0], weight[-1] = 0.5 * (z[1] - z[0]), 0.5 * (z[-1] - z[-2])
    apart = z[:, None] - z
    kernel = function.density(apart)
    kernel += function.density(2 * z[0] - z[:, None] - z) + function.density(
        2 * z[-1] - z[:, None] - z
    )
    arrived = weight @ kernel
    expected = np.zeros(z.size)
    for j in range(z.size):
        if arrived[j] > 1e-12:
            expected += kernel[:, j] * weight[j] * c[j] / arrived[j]
        else:
            expected[j] += c[j]
    one = models_truth.profile(c, z)
    given = dict(zip(DRF, (f"{width} nm" for width in widths), strict=True))
    found = sims.convolve(one, resolution={k: v if v != "0.0 nm" else 0 for k, v in given.items()})
    np.testing.assert_allclose(found, expected, rtol=1e-9)
