"""Linked fits, priors and common scales: the same likelihood in plain numpy, and closed forms."""

import models_truth
import numpy as np
import pytest
import xarray as xr
from error_parts import raises, warns
from scipy import optimize

import sims_analysis as sims
from sims_analysis import units
from sims_analysis.errors import FitWarning, ProfileError

Z = np.linspace(0, 250, 126)


def series(m=4, *, peak=500, seed=0, model="gaussian", of=None, z=Z):
    """Give counts of m Gaussians of one straggle, at depths and doses of their own."""
    of = of or (lambda i: (1e15 * (1 + 0.1 * i), 100 + 2 * i, 30))
    c = np.array([models_truth.values(model, of(i), z) for i in range(m)])
    one = c.max() / peak
    counts = np.random.default_rng(seed).poisson(c / one)
    ds = models_truth.profile(counts * one, z, dims=("measurement", "depth")).to_dataset()
    ds["concentration_counts"] = (
        ds["concentration"].dims,
        counts.astype(float),
        {"units": "count"},
    )
    return ds.assign_coords(measurement=[f"W{i}" for i in range(m)])


def minus_log_likelihood(ds, formula, x):
    """Give that of counts, of true parameters in plain numpy: one formula for each profile."""
    total = 0.0
    for i in range(ds.sizes["measurement"]):
        k = ds["concentration_counts"].values[i]
        one = float(ds["concentration"].max() / ds["concentration_counts"].max())
        mu = np.maximum(formula(x, i) / one, 1e-300)
        total += float(np.sum(mu - k * np.log(mu)))
    return total


def gaussian(q, mean, s, z=Z):
    return q * 1e22 / (np.sqrt(2 * np.pi) * s) * np.exp(-0.5 * ((z - mean) / s) ** 2)


@pytest.mark.slow
def test_linked_parameters_are_those_of_the_likelihood_of_all():
    ds = series(2, seed=1)
    fit = sims.fit(ds, model="gaussian", shared=["straggle"], over="measurement")

    def total(x):
        return minus_log_likelihood(ds, lambda x, i: gaussian(x[2 * i], x[2 * i + 1], x[4]), x)

    direct = optimize.minimize(
        total, [1, 100, 1, 100, 28], method="Nelder-Mead",
        options={"maxiter": 20000, "maxfev": 20000, "xatol": 1e-8, "fatol": 1e-10},
    )  # fmt: skip
    dose, where = fit["dose"].values / 1e15, fit["projected_range"].values
    found = np.array([dose[0], where[0], dose[1], where[1], fit["straggle"].item()])
    np.testing.assert_allclose(found, direct.x, rtol=1e-5)
    assert fit["straggle"].dims == ()
    assert fit["dose"].dims == ("measurement",)
    # Errors: the inverse of the information of expected counts, of one in a profile at least, by
    # differences of the formula.
    one = float(ds["concentration"].max() / ds["concentration_counts"].max())

    def expected(x):
        return np.concatenate([gaussian(x[2 * i], x[2 * i + 1], x[4]) / one for i in (0, 1)])

    rows = [
        (expected(found + e) - expected(found - e)) / (2 * e.sum()) for e in 1e-5 * np.diag(found)
    ]
    mu = np.maximum(expected(found), 1 / ds.sizes["depth"])
    errors = np.sqrt(np.diag(np.linalg.inv(np.array(rows) / mu @ np.array(rows).T)))
    np.testing.assert_allclose(fit["straggle_stderr"].item(), errors[4], rtol=1e-5)
    np.testing.assert_allclose(fit["projected_range_stderr"], errors[[1, 3]], rtol=1e-5)
    labels = ["dose[W0]", "dose[W1]", "projected_range[W0]", "projected_range[W1]", "straggle"]
    assert fit["parameter"].values.tolist() == labels
    np.testing.assert_allclose(
        np.sqrt(np.diag(fit["covariance"]))[4], fit["straggle_stderr"].item(), rtol=1e-12
    )


def test_errors_shrink_as_the_root_of_the_number_of_profiles():
    errors = {}
    for m in (1, 4, 16):
        ds = series(m, of=lambda _: (1e15, 100, 30))
        fit = sims.fit(ds, model="gaussian", shared=["straggle", "projected_range"])
        errors[m] = np.array([fit["straggle_stderr"], fit["projected_range_stderr"]], dtype=float)
    np.testing.assert_allclose(errors[1] / errors[4], 2, rtol=0.05)
    np.testing.assert_allclose(errors[1] / errors[16], 4, rtol=0.05)


def test_a_prior_is_one_more_measurement():
    ds = series(1).isel(measurement=0)
    alone = sims.fit(ds, model="gaussian")
    fit = sims.fit(ds, model="gaussian", prior={"straggle": ("31 nm", "0.5 nm")})
    weights = np.array([alone["straggle_stderr"].item() ** -2, 0.5**-2])
    mean = weights @ [alone["straggle"].item(), 31] / weights.sum()
    # The likelihood of counts is nearly a parabola.
    assert fit["straggle"].item() == pytest.approx(mean, abs=0.01)
    assert fit["straggle_stderr"].item() == pytest.approx(weights.sum() ** -0.5, rel=0.02)
    assert fit["straggle_pull"].item() == pytest.approx((fit["straggle"].item() - 31) / 0.5)
    heading = "Fit less prior of straggle, in widths of the prior"
    assert fit["straggle_pull"].attrs["long_name"] == heading
    # Of a normal likelihood, the closed form is exact.
    plain = ds.drop_vars("concentration_counts")
    noise = 1e18 * np.random.default_rng(0).normal(size=Z.size)
    plain["concentration"].values = models_truth.values("gaussian", (1e15, 100, 30), Z) + noise
    plain["concentration_stderr"] = ("depth", np.full(Z.size, 1e18), {"units": "atom/cm^3"})
    held = {"straggle": "30 nm", "projected_range": "100 nm"}
    alone = sims.fit(plain, model="gaussian", fixed=held)
    prior = {"dose": ("1.01e15 atom/cm^2", "8e12 atom/cm^2")}
    fit = sims.fit(plain, model="gaussian", fixed=held, prior=prior)
    weights = np.array([alone["dose_stderr"].item() ** -2, 8e12**-2])
    mean = weights @ [alone["dose"].item(), 1.01e15] / weights.sum()
    assert fit["dose"].item() == pytest.approx(mean, rel=1e-7)
    assert fit["dose_stderr"].item() == pytest.approx(weights.sum() ** -0.5, rel=1e-6)


def test_a_prior_counts_once_for_all_and_once_for_each():
    ds = series(3, of=lambda _: (1e15, 100, 30))
    prior = {"straggle": ("30.5 nm", "0.2 nm")}
    shared = sims.fit(ds, model="gaussian", shared=["straggle"], prior=prior)
    each = sims.fit(ds, model="gaussian", shared=["projected_range"], prior=prior)
    assert shared["straggle_pull"].dims == ()
    assert each["straggle_pull"].dims == ("measurement",)
    of_all = sims.fit(ds, model="gaussian", shared=["straggle"])
    weights = np.array([of_all["straggle_stderr"].item() ** -2, 0.2**-2])
    mean = weights @ [of_all["straggle"].item(), 30.5] / weights.sum()
    assert shared["straggle"].item() == pytest.approx(mean, abs=0.01)


def test_priors_do_not_depend_on_the_scatter_of_unknown_errors():
    rng = np.random.default_rng(0)
    c = models_truth.values("gaussian", (1e15, 100, 30), Z)
    data = models_truth.profile(c * np.exp(0.1 * rng.normal(size=Z.size)), Z)
    alone = sims.fit(data, model="gaussian")
    fit = sims.fit(data, model="gaussian", prior={"straggle": ("30.5 nm", "0.1 nm")})
    weights = np.array([alone["straggle_stderr"].item() ** -2, 0.1**-2])
    assert fit["straggle_stderr"].item() == pytest.approx(weights.sum() ** -0.5, rel=0.05)
    mean = weights @ [alone["straggle"].item(), 30.5] / weights.sum()
    assert fit["straggle"].item() == pytest.approx(mean, abs=0.01)


def test_scales_that_samples_cannot_tell_widen_errors_by_what_is_known():
    ds = series(2)
    alone = sims.fit(ds, model="gaussian")
    fit = sims.fit(ds, model="gaussian", depth_uncertainty=0.03, rsf_uncertainty="10 %")
    np.testing.assert_array_equal(fit["straggle"], alone["straggle"])
    for name, relative in (
        ("projected_range", 0.03), ("straggle", 0.03), ("dose", np.hypot(0.03, 0.1)),
        ("retained_dose", np.hypot(0.03, 0.1)), ("window_dose", np.hypot(0.03, 0.1)),
    ):  # fmt: skip
        expected = np.hypot(alone[f"{name}_stderr"], relative * alone[name])
        np.testing.assert_allclose(fit[f"{name}_stderr"], expected, rtol=1e-6)
    assert fit["depth_scale"].values.tolist() == [1, 1]
    assert fit["rsf_scale_stderr"].values.tolist() == [0.1, 0.1]
    # An interval is as much wider, and parameters go together with the scales.
    ends = {"interval": "profile", "depth_uncertainty": 0.03, "rsf_uncertainty": 0}
    wide, own = (sims.fit(ds, **{"model": "gaussian"} | ends | more)
                 for more in ({}, {"depth_uncertainty": 0}))  # fmt: skip
    for end in ("lower", "upper"):
        reach = np.hypot(own[f"straggle_{end}"] - own["straggle"], 0.03 * own["straggle"])
        np.testing.assert_allclose(abs(wide[f"straggle_{end}"] - wide["straggle"]), reach)
    square = wide["covariance"].sel(parameter="straggle", parameter_="depth_scale")
    np.testing.assert_allclose(square, 0.03**2 * wide["straggle"])
    assert wide["depth_scale_pull"].values.tolist() == [0, 0]
    # The same by the likelihood of all: a scale is not averaged away by many profiles.
    many = sims.fit(
        series(6),
        model="gaussian",
        shared=["straggle"],
        depth_uncertainty=0.03,
        rsf_uncertainty=0.1,
    )
    assert many["straggle_stderr"].item() == pytest.approx(0.03 * 30, rel=0.01)
    assert many["depth_scale_stderr"].item() == pytest.approx(0.03, rel=1e-3)
    # The curve over the samples does not mind.
    curves = [sims.evaluate(one, depth=ds["depth"]) for one in (alone, fit)]
    np.testing.assert_allclose(curves[0]["stderr"], curves[1]["stderr"], rtol=1e-6)


@pytest.mark.slow
def test_a_known_width_tells_the_depth_scale():
    """A true width of 31 nm, known to 0.5 nm, that looks like 30: depths are 3 % too short."""
    ds = series(1).isel(measurement=0)
    fit = sims.fit(
        ds, model="gaussian", depth_uncertainty=0.03, prior={"straggle": ("31 nm", "0.5 nm")}
    )
    seen = sims.fit(ds, model="gaussian")["straggle"].item()

    def total(x):
        true = {"measurement": 1}
        q, mean, s, f = x
        counted = minus_log_likelihood(
            ds.expand_dims(true), lambda *_: gaussian(q / f, mean / f, s / f), x
        )
        return counted + 0.5 * ((s - 31) / 0.5) ** 2 + 0.5 * ((f - 1) / 0.03) ** 2

    direct = optimize.minimize(
        total, [1, 100, seen, 1], method="Nelder-Mead",
        options={"maxiter": 20000, "maxfev": 20000, "xatol": 1e-9, "fatol": 1e-10},
    ).x  # fmt: skip
    found = [fit["dose"].item() / 1e15, fit["projected_range"].item(), fit["straggle"].item(),
            fit["depth_scale"].item()]  # fmt: skip
    np.testing.assert_allclose(found, direct, rtol=1e-4)
    weights = np.array([(0.03 * seen) ** -2, 0.5**-2])
    assert fit["straggle_stderr"].item() == pytest.approx(weights.sum() ** -0.5, rel=0.05)
    # A held width is a prior without error; the curve lies over the samples as before.
    held = sims.fit(ds, model="gaussian", depth_uncertainty=0.03, fixed={"straggle": "31 nm"})
    assert held["depth_scale"].item() == pytest.approx(31 / seen, rel=1e-3)
    assert held["residuals"] == "random"
    curve = sims.evaluate(held, depth=ds["depth"])
    free = sims.evaluate(sims.fit(ds, model="gaussian"), depth=ds["depth"])
    np.testing.assert_allclose(curve, free, atol=2e-3 * float(free.max()))
    # Without it, 31 nm is wrong.
    with warns(FitWarning, "wrong_shape"):
        sims.fit(ds, model="gaussian", depth_uncertainty=0, fixed={"straggle": "31 nm"})


def test_uncertainties_are_those_that_the_data_state():
    ds = series(2).assign_coords(
        depth_scale_uncertainty=((), 0.05, {"units": "1"}),
        sensitivity_factor_uncertainty=((), 0.1, {"units": "1"}),
    )
    stated = sims.fit(ds, model="gaussian")
    by_argument = sims.fit(series(2), model="gaussian", depth_uncertainty=0.05, rsf_uncertainty=0.1)
    np.testing.assert_array_equal(stated["dose_stderr"], by_argument["dose_stderr"])
    off = sims.fit(ds, model="gaussian", depth_uncertainty=0, rsf_uncertainty=0)
    xr.testing.assert_identical(
        off["dose_stderr"].drop_attrs().reset_coords(drop=True),
        sims.fit(series(2), model="gaussian")["dose_stderr"].drop_attrs(),
    )
    assert "depth_scale" not in off
    assert stated.attrs["depth_uncertainty"] == "0.05"


def test_one_diffusivity_for_a_series_of_anneals():
    times = np.array([600.0, 1800.0, 3600.0])
    true, initial = 3e-17, 20.0
    s = np.sqrt(initial**2 + 2 * true * 1e14 * times)
    ds = series(3, model="annealed_implant", of=lambda i: (1e15, 90, s[i]), peak=2000)
    time = xr.DataArray(
        times[::-1], dims="measurement", coords={"measurement": ["W2", "W1", "W0"]},
        attrs={"units": "s"},
    )  # fmt: skip
    fit = sims.fit(
        ds, model="annealed_implant", shared=["diffusivity"], time=time, as_implanted="20 nm"
    )
    assert fit["diffusivity"].dims == ()
    found, error = fit["diffusivity"].item(), fit["diffusivity_stderr"].item()
    assert abs(found - true) < 3 * error
    np.testing.assert_allclose(fit["straggle"], np.sqrt(400 + 2e14 * found * times), rtol=1e-9)
    each = sims.fit(ds, model="annealed_implant", time=time, as_implanted="20 nm")
    weights = each["diffusivity_stderr"].values ** -2
    assert error == pytest.approx(weights.sum() ** -0.5, rel=0.05, abs=0)
    mean = weights @ each["diffusivity"].values / weights.sum()
    assert found == pytest.approx(mean, rel=0.05, abs=0)
    curve = sims.evaluate(fit, depth=ds["depth"])
    assert abs(curve - sims.evaluate(each, depth=ds["depth"])).max() < 0.02 * curve.max()
    with raises(ProfileError, argument="shared"):
        sims.fit(ds, model="annealed_implant", shared=["diffusivity"])
    with raises(ProfileError, argument="shared"):
        sims.fit(
            ds, model="annealed_implant", shared=["diffusivity", "straggle"], time=time,
            as_implanted="20 nm",
        )  # fmt: skip


@pytest.mark.slow
def test_layers_of_several_measurements_share_widths():
    z = np.arange(0, 40, 0.4)
    c = sum(models_truth.values("delta_drf", (1e13, x, 1.0, 2.2, 1.4), z) for x in (12, 24))
    counts = np.random.default_rng(1).poisson(np.tile(c / c.max() * 300, (3, 1)))
    ds = models_truth.profile(counts * 1e16, z, dims=("measurement", "depth")).to_dataset()
    ds["concentration_counts"] = (
        ("measurement", "depth"),
        counts.astype(float),
        {"units": "count"},
    )
    widths = ["lambda_growth", "lambda_decay", "sigma"]
    fit = sims.fit(ds, model="delta_drf", repeat=2, shared=widths, over="measurement")
    assert fit["sigma"].dims == ()
    assert fit["position"].dims == ("measurement", "layer")
    assert "position[1, 2]" in fit["parameter"].values
    curves = sims.evaluate(fit, depth=ds["depth"])
    one = sims.evaluate(fit.isel(layer=0), depth=ds["depth"])
    assert curves.sizes == {"measurement": 3, "depth": z.size}
    assert (one <= curves + 1).all()
    both = sims.fit(
        ds, model="delta_drf", repeat=2, shared=[*widths, "position"], over="measurement"
    )
    assert both["position"].dims == ("layer",)
    single = sims.fit(ds, model="delta_drf", repeat=2)
    ratio = single["position_stderr"].mean("measurement") / both["position_stderr"]
    np.testing.assert_allclose(ratio, np.sqrt(3), rtol=0.15)


@pytest.mark.parametrize("level", [0, 5])
def test_profiles_that_show_nothing_do_not_spoil_the_others(level):
    ds, one = series(4), float(series(4)["concentration"].max() / 500)
    nothing = np.random.default_rng(2).poisson(level, Z.size).astype(float)
    ds["concentration"][1] = np.nan
    ds["concentration_counts"][1] = np.nan
    ds["concentration"][2] = one * nothing
    ds["concentration_counts"][2] = nothing
    with warns(FitWarning, "featureless", measurement="W2"):
        fit = sims.fit(ds, model="gaussian", shared=["straggle"])
    assert fit["status"].values.tolist() == ["ok", "no_data", "featureless", "ok"]
    assert np.isfinite(fit["dose"]).values.tolist() == [True, False, False, True]
    rest = sims.fit(ds.isel(measurement=[0, 3]), model="gaussian", shared=["straggle"])
    np.testing.assert_allclose(fit["straggle"], rest["straggle"], rtol=1e-9)
    np.testing.assert_allclose(fit["straggle_stderr"], rest["straggle_stderr"], rtol=1e-6)
    assert np.isfinite(fit["covariance"]).sum() == 25
    with pytest.warns(FitWarning):
        none = sims.fit(0 * ds, model="gaussian", shared=["straggle"])
    assert np.isnan(none["straggle"])


@pytest.mark.slow
def test_kinds_of_data_give_the_same(tmp_path):
    ds = series(3)
    fit = sims.fit(ds, model="gaussian", shared=["straggle"])
    of_dask = sims.fit(ds.chunk(measurement=1), model="gaussian", shared=["straggle"])
    assert of_dask["straggle"].chunks is not None
    np.testing.assert_array_equal(fit["straggle"], of_dask["straggle"].compute())
    np.testing.assert_array_equal(fit["covariance"], of_dask["covariance"].compute())
    quantified = sims.fit(units.quantify(ds), model="gaussian", shared=["straggle"])
    assert units.dequantify(quantified)["straggle"] == fit["straggle"]
    # A depth axis for each, samples that are missing, profiles in another order.
    own = ds.assign_coords(z=("measurement", [0.0, 0.5, 1.0]))
    parts = [
        own.isel(measurement=[i]).assign_coords(depth=(ds["depth"] + i).assign_attrs(units="nm"))
        for i in (2, 0, 1)
    ]
    moved = xr.concat([p.drop_vars("z") for p in parts], "measurement", join="outer")
    other = sims.fit(moved, model="gaussian", shared=["straggle"])
    np.testing.assert_allclose(other["straggle"], fit["straggle"], rtol=1e-6)
    np.testing.assert_allclose(
        other["projected_range"].sel(measurement=fit["measurement"]) - fit["projected_range"],
        [0, 1, 2], atol=1e-4,
    )  # fmt: skip
    sims.save(fit, tmp_path / "fit.nc")
    loaded = sims.load(tmp_path / "fit.nc")
    depth = ds["depth"]
    np.testing.assert_array_equal(
        sims.evaluate(loaded, depth=depth), sims.evaluate(fit, depth=depth)
    )
    chosen = sims.evaluate(fit.sel(measurement="W1"), depth=depth)
    np.testing.assert_array_equal(chosen, sims.evaluate(fit, depth=depth)[1])
    assert "W2" in sims.results_table(fit)


def test_profiles_are_linked_over_one_dimension_alone(approved):
    ds = xr.concat([series(3), series(3, seed=1)], "species").assign_coords(species=["B", "P"])
    fit = sims.fit(ds, model="gaussian", shared=["straggle"], over="measurement")
    assert fit["straggle"].dims == ("species",)
    assert fit["status"].dims == fit["window_dose"].dims == ("species", "measurement")
    assert fit["covariance"].dims == ("species", "parameter", "parameter_")
    one = sims.fit(ds.sel(species="P"), model="gaussian", shared=["straggle"])
    assert one["straggle"] == fit["straggle"].sel(species="P")
    other = sims.fit(ds, model="gaussian", shared=["straggle"], over="species", rsf_uncertainty=0.1)
    assert other["straggle"].dims == ("measurement",)
    # Species have factors of their own.
    assert other["rsf_scale"].dims == ("species", "measurement")
    assert "rsf_scale[P]" in other["parameter"].values
    with raises(ProfileError, argument="over", text=approved):
        sims.fit(ds, model="gaussian", shared=["straggle"])


def test_intervals_of_linked_parameters():
    ds = series(3, peak=50)
    fit = sims.fit(ds, model="gaussian", shared=["straggle"], interval="profile")
    width = (fit["straggle_upper"] - fit["straggle_lower"]) / 2
    assert width.item() == pytest.approx(fit["straggle_stderr"].item(), rel=0.05)
    assert fit["dose_lower"].dims == ("measurement",)
