"""Several layers at once: the truth comes back; layers that cannot be separated have no numbers."""

import models_truth
import numpy as np
import pytest
import xarray as xr
from error_parts import warns
from scipy import optimize
from scipy.special import erfc

import sims_analysis as sims
from sims_analysis.errors import FitWarning
from sims_analysis.kernels.maxima import maxima, most_significant
from sims_analysis.shapes import find_model
from sims_analysis.shapes.layered_model import layered, not_these_layers

WIDTHS = {"delta_drf": (1.0, 2.2, 1.4), "delta_mri": (2.5, 1.2, 0.8), "gaussian": (2.0,)}
Z = np.arange(0, 76, 0.4)


def stack_of(model, *, n=5, peak=None, seed=0, widths=None, apart=12.0, z=Z, doses=None):
    """Give n layers of one width, in counts if a largest count is stated."""
    widths, each = widths or WIDTHS[model], 1e13 * (1 + 0.1 * np.arange(n))
    each = each if doses is None else doses
    c = sum(
        models_truth.values(model, (dose, 12 + apart * i, *widths), z)
        for i, dose in enumerate(each)
    )
    if peak is None:
        return models_truth.profile(c, z).to_dataset()
    counts, one = np.random.default_rng(seed).poisson(c / c.max() * peak), c.max() / peak
    ds = models_truth.profile(counts * one, z).to_dataset()
    ds["concentration_counts"] = ("depth", counts.astype(float), {"units": "count"})
    return ds


@pytest.mark.parametrize("model", WIDTHS)
def test_without_noise_the_layers_come_back(model):
    fit = sims.fit(stack_of(model), model=model, repeat=5)
    assert fit["status"] == "ok"
    np.testing.assert_allclose(fit["position"], 12 + 12 * np.arange(5), rtol=1e-5)
    np.testing.assert_allclose(fit["dose"], 1e13 * (1 + 0.1 * np.arange(5)), rtol=1e-5)
    names = [*dict.fromkeys(str(p).partition("[")[0] for p in fit["parameter"].values)]
    for name, width in zip(names[2:], WIDTHS[model], strict=True):
        assert fit[name].dims == ()  # widths once
        np.testing.assert_allclose(fit[name].item(), width, rtol=1e-4)
    assert fit["layer"].values.tolist() == [1, 2, 3, 4, 5]
    assert fit["position"].attrs["units"] == "nm"


def plain(z, p):
    """Sum Dowsett's function as it stands in his paper, in plain numpy; no overflow here."""
    growth, decay, sigma = p[-3:]
    value = np.zeros_like(z)
    for dose, z0 in zip(p[:-3:2], p[1:-3:2], strict=True):
        u = z - z0
        value += (dose / (2 * (growth + decay))) * (
            np.exp(u / growth + sigma**2 / (2 * growth**2))
            * erfc((u / sigma + sigma / growth) / np.sqrt(2))
            + np.exp(-u / decay + sigma**2 / (2 * decay**2))
            * erfc((-u / sigma + sigma / decay) / np.sqrt(2))
        )
    return value


def test_counts_are_fitted_as_scipy_maximizes_their_likelihood():
    z = np.arange(0, 40, 0.4)
    ds = stack_of("delta_drf", n=2, peak=500, seed=3, z=z)
    fit = sims.fit(ds, model="delta_drf", repeat=2)
    k = ds["concentration_counts"].values
    one = float(ds["concentration"].max() / k.max())

    def minus_log_likelihood(x):
        mu = np.maximum(plain(z, x) * (1e20 / one), 1e-300)
        return float(np.sum(mu - k * np.log(mu)))

    p = [fit["dose"][0] / 1e13, fit["position"][0], fit["dose"][1] / 1e13, fit["position"][1]]
    found = np.array(
        [*map(float, p), *(fit[n].item() for n in ("lambda_growth", "lambda_decay", "sigma"))]
    )
    start = [1.2, 11.5, 1.0, 24.5, 1.3, 2.0, 1.2]
    direct = optimize.minimize(
        minus_log_likelihood, start, method="Nelder-Mead",
        options={"maxiter": 20000, "maxfev": 20000, "xatol": 1e-7, "fatol": 1e-9},
    )  # fmt: skip
    assert minus_log_likelihood(found) <= direct.fun + 1e-6
    np.testing.assert_allclose(found, direct.x, rtol=2e-4)
    # And the errors: of expected counts, by central differences of the same plain formula.
    steps = 1e-5 * np.diag(found)
    rows = [(plain(z, found + e) - plain(z, found - e)) / (2 * e.sum()) for e in steps]
    rows = np.array(rows) * (1e20 / one)
    mu = plain(z, found) * (1e20 / one)
    errors = np.sqrt(np.diag(np.linalg.inv(rows / mu @ rows.T)))
    stated = np.sqrt(np.diag(fit["covariance"])) / [1e13, 1, 1e13, 1, 1, 1, 1]
    np.testing.assert_allclose(stated, errors, rtol=1e-4)
    np.testing.assert_allclose(fit["position_stderr"], stated[[1, 3]])
    assert fit["parameter"].values.tolist()[:3] == ["dose[1]", "position[1]", "dose[2]"]


def test_widths_of_their_own_follow_the_depths_of_layers():
    z = np.arange(0, 80, 0.5)
    c = sum(models_truth.values("gaussian", (1e13, x, 2 + 0.02 * x), z) for x in (10, 25, 40, 60))
    counts = np.random.default_rng(3).poisson(c / c.max() * 1000)
    ds = models_truth.profile(counts * 1e16, z).to_dataset()
    ds["concentration_counts"] = ("depth", counts.astype(float), {"units": "count"})
    fit = sims.fit(ds, model="gaussian", repeat=4, shared=())
    assert fit["straggle"].dims == ("layer",)
    # Generalised least squares of the widths against the depths.
    labels = [f"straggle[{i}]" for i in range(1, 5)]
    square = fit["covariance"].sel(parameter=labels, parameter_=labels).values
    a = np.stack([np.ones(4), fit["position"].values], axis=1)
    inverse = np.linalg.inv(square)
    both = np.linalg.inv(a.T @ inverse @ a)
    _, slope = both @ a.T @ inverse @ fit["straggle"].values
    assert abs(slope - 0.02) < 3 * np.sqrt(both[1, 1]) < 0.003
    # One width for all is not their shape.
    with warns(FitWarning, "wrong_shape"):
        assert sims.fit(ds, model="gaussian", repeat=4)["status"] == "wrong_shape"


@pytest.mark.slow
def test_as_many_layers_as_there_are():
    both = xr.concat(
        [stack_of("delta_drf", peak=300), stack_of("delta_drf", n=3, peak=300)], "measurement"
    )
    fit = sims.fit(both, model="delta_drf", repeat="auto")
    assert fit["status"].values.tolist() == ["ok", "ok"]
    assert np.isfinite(fit["position"]).sum("layer").values.tolist() == [5, 3]
    alone = sims.fit(both.isel(measurement=1), model="delta_drf", repeat=3)
    np.testing.assert_array_equal(fit["position"][1, :3], alone["position"])
    assert fit["aic"][1] == alone["aic"]
    curve = sims.evaluate(fit, depth=both["depth"])
    np.testing.assert_allclose(curve[1], sims.evaluate(alone, depth=both["depth"]), rtol=1e-12)


@pytest.mark.filterwarnings("ignore:.*several peaks")
def test_maxima_of_too_few_samples_are_as_many_layers_as_these_tell():
    ds = stack_of("gaussian", n=3, apart=2, peak=1000, widths=(0.3,), z=np.arange(11, 18.0))
    fit = sims.fit(ds, model="gaussian", repeat="auto")
    assert np.isfinite(fit["position"]).sum() == 2
    assert fit["status"] == "several_peaks"


@pytest.mark.slow
def test_as_many_linked_layers_as_there_are():
    both = xr.concat([stack_of("gaussian", n=3, peak=400, seed=i) for i in range(2)], "measurement")
    linked = {"model": "gaussian", "shared": ["straggle"], "over": "measurement"}
    found = sims.fit(both, repeat="auto", **linked)
    stated = sims.fit(both, repeat=3, **linked)
    xr.testing.assert_identical(found.drop_attrs(), stated.drop_attrs())
    # A profile without a layer, of which none is known, does not count.
    none = xr.concat([both, both.isel(measurement=[0]).where(False)], "measurement")
    assert sims.fit(none, repeat="auto", **linked)["layer"].size == 3
    known = {"prior": {"straggle": ("2 nm", "0.1 nm")}, "model": "gaussian"}
    one = both.isel(measurement=0)
    informed = sims.fit(one, repeat="auto", **known)
    assert informed["straggle"] == sims.fit(one, repeat=3, **known)["straggle"]
    unlike = xr.concat([stack_of("gaussian", n=n, peak=400) for n in (3, 2)], "measurement")
    with warns(FitWarning, "too_few_maxima", measurement="1"):
        assert sims.fit(unlike, repeat="auto", **linked)["status"][1] == "too_few_maxima"


@pytest.mark.parametrize(
    ("made", "repeat", "options", "status"),
    [
        ({"n": 2, "apart": 1.0}, 2, {}, "too_few_maxima"),
        ({"n": 3}, 4, {}, "too_few_maxima"),
        ({"n": 3}, 2, {}, "several_peaks"),
        ({"n": 3}, 3, {"start": "12 nm"}, "truncated"),
        ({"n": 3, "z": np.array([10.0, 12, 13, 24, 25, 36])}, 3, {}, "too_few_samples"),
    ],
)
def test_layers_that_cannot_be_separated_have_a_status(made, repeat, options, status):
    ds = stack_of("delta_drf", peak=500, **made)
    with pytest.warns(FitWarning):
        fit = sims.fit(ds, model="delta_drf", repeat=repeat, **options)
    assert fit["status"] in (status, *(("too_few_maxima",) if status == "truncated" else ()))
    if status != "several_peaks":
        assert np.isnan(fit["position"]).all()
        assert np.isnan(fit["dose_stderr"]).all()


def test_a_surface_transient_is_left_out():
    ds = stack_of("delta_drf", peak=1000, seed=1)
    surface = np.random.default_rng(1).poisson(5000 * np.exp(-Z / 0.5))
    one = float((ds["concentration"] / ds["concentration_counts"]).max())
    ds["concentration_counts"].values += surface
    ds["concentration"].values += surface * one
    fit = sims.fit(ds, model="delta_drf", repeat=5, start="5 nm")
    assert fit["status"] == "ok"
    assert (abs(fit["position"] - 12 - 12 * np.arange(5)) < 4 * fit["position_stderr"]).all()


def test_noise_has_no_layers():
    rng = np.random.default_rng(0)
    for level in (0.3, 3.0, 300.0):
        for _ in range(40):
            counts = rng.poisson(level, 400)
            assert len(maxima(counts, np.sqrt(np.maximum(counts, 1)))) == 0


@pytest.mark.slow
def test_a_fit_of_layers_survives_a_file(tmp_path):
    fit = sims.fit(stack_of("gaussian", peak=400), model="gaussian", repeat=5)
    sims.save(fit, tmp_path / "fit.nc")
    loaded = sims.load(tmp_path / "fit.nc")
    xr.testing.assert_identical(fit["covariance"], loaded["covariance"])
    assert sims.evaluate(loaded, depth="25 nm") == sims.evaluate(fit, depth="25 nm")


def test_held_parameters_of_layers():
    ds = stack_of("gaussian", n=3, peak=400)
    held = {"projected_range": ["12 nm", "24 nm", "36 nm"], "straggle": "2 nm"}
    fit = sims.fit(ds, model="gaussian", repeat=3, fixed=held)
    assert fit["projected_range"].values.tolist() == [12, 24, 36]
    assert np.isnan(fit["projected_range_stderr"]).all()


def test_what_speaks_against_two_layers():
    model = layered(find_model("gaussian"), 2, ["straggle"])
    z, noise = np.arange(0.0, 100.0), np.full(100, 1e-3)
    names = [one.name for one in model.parameters]
    assert names == ["dose[1]", "projected_range[1]", "dose[2]", "projected_range[2]", "straggle"]
    assert model.places == ((0, 1, 4), (2, 3, 4))
    good = np.array([1.0, 30.0, 2.0, 70.0, 5.0])
    stderr = np.array([0.1, 1.0, 0.1, 1.0, 0.1])

    def moved(place, by):
        return np.where(np.arange(5) == place, good + by, good)

    def status(values=good, stderr=stderr, c=None):
        m = model.formula(z, *values)
        return not_these_layers(model, m if c is None else c, m, noise, values, stderr)

    assert status() is None
    third = model.formula(z, *good) + 0.05 * np.exp(-0.5 * ((z - 50) / 3) ** 2)
    assert status(c=third) == "several_peaks"
    assert status(moved(1, -28)) == "truncated"
    assert status(moved(3, 28)) == "truncated"
    # The samples end at half of the first maximum, or of the last.
    for at, ends in ((5.9, None), (5.8, "truncated")):
        assert status(moved(1, at - 30)) == ends
        assert status(moved(3, 29 - at)) == ends
    # Of three layers, each end is compared with the layer next to it.
    three = layered(find_model("gaussian"), 3, ["straggle"])
    for first, last in ((30.0, 95.0), (4.0, 70.0)):
        p = np.array([1.0, first, 9.0, 50.0, 1.0, last, 5.0])
        m = three.formula(z, *p)
        assert not_these_layers(three, m, m, noise, p, np.full(7, 0.01)) == "truncated"
    # And each is separated from the next, by the errors of both.
    p, known = np.array([1.0, 10.0, 1.0, 70.0, 1.0, 80.0, 2.0]), np.full(7, 0.01)
    m = three.formula(z, *p)
    for error, word in ((3.2, None), (3.4, "undetermined")):
        unsure = np.where(np.arange(7) == 3, error, known)
        assert not_these_layers(three, m, m, noise, p, unsure) == word
    # A curve without a maximum inside has none of them.
    rising = np.linspace(0.0, 1.0, 100)
    assert not_these_layers(model, rising, rising, noise, good, stderr) == "truncated"
    for i in (0, 2):
        weak = stderr.copy()
        weak[i] = good[i] / 2.9
        assert status(stderr=weak) == "undetermined"
        weak[i] = good[i] / 3.1
        assert status(stderr=weak) is None
    for far, word in ((40 / 3.1, None), (40 / 2.9, "undetermined")):
        assert status(stderr=np.array([0.1, 0.6 * far, 0.1, 0.8 * far, 0.1])) == word


# --- starting values of layers ----------------------------------------------------------------


def test_of_so_many_layers_those_maxima_are_taken_that_are_most_certain():
    c = np.full(60, 1.0)
    for at, height in ((10, 5.0), (25, 9.0), (40, 3.0), (50, 1.9)):
        c[at] = height
    noise = np.full(60, 0.2)
    for n, places in ((1, [25]), (2, [10, 25]), (3, [10, 25, 40]), (4, [10, 25, 40, 50])):
        assert most_significant(c, noise, n) == places
    assert most_significant(c, noise, 5) == []
    # Three errors are needed for the last: 0.9 over the root of two of 0.2 are 3.2.
    assert most_significant(c, noise * 1.04, 4) == places
    assert most_significant(c, noise * 1.08, 4) == []


@pytest.mark.parametrize("height", [530.0, 560.0])
@pytest.mark.parametrize("way", [1, -1])
def test_a_maximum_stands_out_of_the_noise_of_the_plateau_next_to_it(way, height):
    """By ``height - 400`` and its error from both counts, not from the few on the other side."""
    c = np.r_[np.full(5, 1.0), height, np.full(5, 400.0)][::way]
    sure = (height - 400) / np.sqrt(height + 400)
    assert maxima(c, np.sqrt(c)) == ([5] if sure > 5 else [])


@pytest.mark.parametrize(("part", "seen"), [(0.97, False), (1.03, True)])
def test_a_maximum_rises_by_a_tenth_and_is_a_hundredth_of_the_largest(part, seen):
    noise, risen, small = np.full(11, 1e-5), np.full(11, 100.0), np.zeros(11)
    risen[5] += 10 * part
    assert maxima(risen, noise) == ([5] if seen else [])
    small[[3, 7]] = 1.0, 0.01 * part
    assert maxima(small, noise) == ([3, 7] if seen else [3])


def test_layers_that_a_profile_does_not_have_add_nothing():
    two = layered(find_model("gaussian"), 2, ["straggle"])
    nan = np.nan
    p = np.array([[1.0, 10.0, 2.0, 20.0, 3.0], [1.0, 10.0, nan, nan, 3.0], [nan] * 5])
    found = two.complete(p)
    np.testing.assert_array_equal(found[:2], [p[0], [1.0, 10.0, 0.0, 1.0, 3.0]])
    assert np.isnan(found[2]).all()
    assert np.isnan(p[1, 2])
    z = np.arange(30.0)
    alone = find_model("gaussian").formula(z, 1.0, 10.0, 3.0)
    np.testing.assert_allclose(two.formula(z, *found[1]), alone)
