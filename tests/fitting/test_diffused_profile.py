"""A measured profile after diffusion: against brute force, a closed form, and scipy."""

import models_truth
import numpy as np
import pytest
import xarray as xr
from error_parts import raises
from scipy import optimize

import sims_analysis as sims
from sims_analysis.errors import ProfileError
from sims_analysis.fitting.diffused_profile import (
    annealed,
    diffusion_matrix,
    shape,
)

Z = np.linspace(0.5, 200, 60)


def counted(c, z=Z, *, peak=1000, seed=0, labels=None):
    one, dims = c.max() / peak, ("measurement", "depth")[-c.ndim :]
    counts = np.random.default_rng(seed).poisson(c / one)
    ds = models_truth.profile(counts * one, z, dims=dims).to_dataset()
    ds["concentration_counts"] = (dims, counts.astype(float), {"units": "count"})
    return ds if labels is None else ds.assign_coords(measurement=labels)


def implant(straggle, z=Z):
    """Give a Gaussian implant under a reflecting surface, which diffusion leaves one."""
    return models_truth.values("annealed_implant", (1e15, 60.0, straggle), z)


@pytest.mark.few(2)
@pytest.mark.parametrize("surface", ["reflecting", "absorbing"])
@pytest.mark.parametrize("width", [0.5, 5.0, 30.0])
def test_a_profile_is_blurred_as_by_brute_force(surface, width):
    nodes = np.linspace(1, 160, 60)
    x = np.exp(-0.5 * ((nodes - 40) / 12) ** 2) + 0.1
    fine = np.linspace(0, 600, 200001)
    c = np.interp(fine, nodes, x)
    c /= np.trapezoid(np.interp(fine, nodes, x, right=0), fine)
    sign, z = 1 if surface == "reflecting" else -1, np.linspace(0, 150, 31)

    def kernel(u):
        return np.exp(-0.5 * (u / width) ** 2) / (np.sqrt(2 * np.pi) * width)

    brute = [np.trapezoid(c * (kernel(a - fine) + sign * kernel(a + fine)), fine) for a in z]
    one = shape(z, nodes, x, width, surface)
    np.testing.assert_allclose(one.value, brute, atol=2e-4 * max(brute))
    ahead, back = (shape(z, nodes, x, width * f, surface).value for f in (1.0001, 0.9999))
    slope = (ahead - back) / (0.0002 * width)
    np.testing.assert_allclose(one.by_width, slope, atol=1e-6 * abs(slope).max())
    moved = [shape(z, nodes, x + s * np.eye(60)[7], width, surface).value for s in (1e-5, -1e-5)]
    slope = (moved[0] - moved[1]) / 2e-5
    np.testing.assert_allclose(one.by_node[:, 7], slope, atol=1e-7 * abs(slope).max())


@pytest.mark.filterwarnings("ignore::sims_analysis.errors.FitWarning")  # no noise: residuals show
def test_without_noise_the_diffusivity_comes_back():
    before = models_truth.profile(np.where(Z > 150, 0.0, implant(15.0)), Z)  # six straggles
    after = models_truth.profile(implant(np.hypot(15.0, 20.0)), Z)
    fit = sims.fit(
        after, model="annealed_implant", as_implanted=before, time="1000 s", weights="none"
    )
    # Samples are 3.4 nm apart: straight pieces alone would make it 0.24 % too narrow.
    assert fit["broadening"].item() == pytest.approx(20, rel=2e-4)
    assert fit["diffusivity"].item() == pytest.approx(20**2 / 1e14 / 2000, rel=4e-4, abs=0)
    assert fit["dose"].item() == pytest.approx(1e15, rel=2e-3)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sims_analysis.errors.FitWarning")  # no noise: residuals show
def test_an_absorbing_surface_loses_atoms():
    z = np.linspace(0, 300, 121)
    before = models_truth.profile(implant(15.0, z), z)
    width, fine = 40.0, np.linspace(0, 600, 6001)
    c = implant(15.0, fine)
    kernel = np.exp(-0.5 * ((z[:, None] - fine) / width) ** 2) - np.exp(
        -0.5 * ((z[:, None] + fine) / width) ** 2
    )
    left = np.trapezoid(kernel * c, fine, axis=1) / (np.sqrt(2 * np.pi) * width)
    after = models_truth.profile(left, z)
    options = {"model": "annealed_implant", "as_implanted": before, "weights": "none"}
    fit = sims.fit(after, surface="absorbing", **options)
    assert fit["broadening"].item() == pytest.approx(width, rel=5e-3)
    assert fit["dose"].item() == pytest.approx(1e15, rel=5e-3)
    assert fit["window_dose"].item() < 0.9e15
    wrong = sims.fit(after, surface="reflecting", **options)
    assert wrong["status"] == "wrong_shape"


@pytest.mark.study
def test_noise_of_the_profile_before_is_in_the_likelihood():
    """The joint likelihood of both profiles, in plain numpy: all values before are free."""
    z = np.linspace(1, 150, 30)
    before = counted(implant(15.0, z) + 1e18, z, peak=50, seed=1)
    after = counted(implant(25.0, z) + 1e18, z, peak=50, seed=2)
    fit = sims.fit(after, model="annealed_implant", as_implanted=before)
    k0, k1 = (one["concentration_counts"].values for one in (before, after))

    def minus_log_likelihood(free):
        scale, width, x = np.exp(free[0]), np.exp(free[1]), np.exp(free[2:])
        own = np.sqrt(width**2 - (z[1] - z[0]) ** 2 / 6)  # straight pieces are wider
        mu = scale * shape(z, z, x, own, "reflecting").value
        return np.sum(mu - k1 * np.log(mu)) + np.sum(x - k0 * np.log(x))

    start = np.concatenate([[np.log(k1.sum() * 5), 3.0], np.log(np.maximum(k0, 0.5))])
    direct = optimize.minimize(
        minus_log_likelihood, start, method="L-BFGS-B",
        options={"maxiter": 5000, "maxfun": 500000, "ftol": 1e-15, "gtol": 1e-7},
    )  # fmt: skip
    assert fit["broadening"].item() == pytest.approx(np.exp(direct.x[1]), rel=2e-3)
    # The error is larger than that of a profile which were exact.
    exact = sims.fit(
        after, model="annealed_implant", as_implanted=before.drop_vars("concentration_counts")
    )
    assert fit["broadening_stderr"] > 1.1 * exact["broadening_stderr"]
    assert fit["status"] == "ok"


@pytest.mark.slow
def test_akaikes_criterion_counts_what_is_known_before_with_a_measured_profile():
    """A mean three widths away adds the square of that, of a width of ten standard errors."""
    z = Z[::2]
    before, after = counted(implant(15.0, z), z), counted(implant(25.0, z), z, seed=1)
    options = {"model": "annealed_implant", "as_implanted": before}
    free = sims.fit(after, **options)
    width = 10 * free["broadening_stderr"].item()
    known = {"broadening": (f"{free['broadening'].item() + 3 * width} nm", f"{width} nm")}
    fit = sims.fit(after, prior=known, **options)
    assert fit["aic"] - free["aic"] == pytest.approx(9 * 100 / 101, rel=0.05)


@pytest.mark.study
def test_a_series_has_one_diffusivity_and_one_profile_before(approved):
    times = np.array([600.0, 1800.0, 5400.0])
    true = 5e-17
    widths = np.hypot(15.0, np.sqrt(2e14 * true * times))
    labels = ["a", "b", "c"]
    ds = counted(np.array([implant(w) for w in widths]), labels=labels)
    before = counted(implant(15.0), seed=5)
    time = xr.DataArray(
        times, dims="measurement", coords={"measurement": labels}, attrs={"units": "s"}
    )
    options = {"model": "annealed_implant", "shared": ["diffusivity"], "time": time}
    fit = sims.fit(ds, as_implanted=before, **options)
    assert fit["status"].values.tolist() == ["ok"] * 3
    found, error = fit["diffusivity"].item(), fit["diffusivity_stderr"].item()
    assert abs(found - true) < 3 * error < true
    np.testing.assert_allclose(fit["broadening"], np.sqrt(2e14 * found * times), rtol=1e-9)
    # Each with its own profile before, by label, in another order.
    two = ds.isel(measurement=[0, 2])
    other = counted(implant(15.0), seed=6)
    each = xr.concat([other, before], "measurement").assign_coords(measurement=["c", "a"])
    apart = sims.fit(two, model="annealed_implant", as_implanted=each, time=time)
    alone = sims.fit(
        ds.isel(measurement=0), model="annealed_implant", as_implanted=before, time="600 s"
    )
    np.testing.assert_allclose(apart["broadening"][0], alone["broadening"], rtol=1e-9)
    of_dask = sims.fit(ds.chunk(measurement=1), as_implanted=before.chunk(), **options)
    np.testing.assert_allclose(of_dask["diffusivity"].compute(), found, rtol=1e-12)
    with raises(ProfileError, text=approved):
        sims.evaluate(fit, depth=ds["depth"])


# --- what is known before ---------------------------------------------------------------------

NODES = np.array([1.0, 3.0, 5.0, 7.0, 9.0])


def test_the_dose_reaches_from_the_surface_to_the_last_node():
    """Above the first node the profile is as there: 1 nm of 2, and trapezoids."""
    x = np.array([2.0, 4.0, 8.0, 4.0, 2.0])
    z = np.linspace(0, 30, 3001)
    one = shape(z, NODES, x, 3.0, "reflecting")
    below = np.interp(z, NODES, x, right=x[-1])
    area = 2.0 + np.trapezoid(x, NODES)
    narrow = shape(np.linspace(0, 8, 9), NODES, x, 0.05, "reflecting").value
    np.testing.assert_allclose(narrow[[0, 2, 4]], np.array([2.0, 3.0, 6.0]) / area, rtol=1e-3)
    # Below the last node it goes on as there, which is no part of the dose.
    assert one.value[-1] == pytest.approx(2.0 / area)
    assert np.trapezoid(below[z <= 9], z[z <= 9]) == pytest.approx(area, rel=1e-3)


@pytest.mark.parametrize("width", [0.3, 1.14, 1.16, 4.0])
def test_straight_pieces_are_narrowed_by_their_own_variance(width):
    """Of ``h^2 / 6``, h = 2 nm; below twice that, which are 1.155^2, in proportion."""
    x, z = np.array([2.0, 4.0, 8.0, 4.0, 2.0]), np.linspace(0, 10, 21)
    own = np.sqrt(width**2 - 4 / 6) if width > 1.1547 else width / np.sqrt(2)
    one = annealed(z, NODES, x, width, "reflecting")
    plain = shape(z, NODES, x, own, "reflecting")
    np.testing.assert_allclose(one.value, plain.value)
    np.testing.assert_allclose(one.by_node, plain.by_node)
    step = 1e-5
    ahead, back = (annealed(z, NODES, x, width + s, "reflecting").value for s in (step, -step))
    np.testing.assert_allclose(one.by_width, (ahead - back) / (2 * step), atol=1e-6)


def test_nothing_arrives_from_nodes_that_are_far_away():
    matrix, slopes = diffusion_matrix(
        np.array([0.0, 2000.0]), np.array([1.0, 3.0, 5.0]), 0.5, "absorbing"
    )
    assert (matrix[1, :2] == 0).all()
    assert (slopes[1] == 0).all()
    np.testing.assert_allclose(matrix.sum(axis=1), [0.0, 1.0], atol=1e-9)
