"""Fits: the truth comes back, errors mean what they say, and what cannot be fitted says so."""

import pickle
import warnings
from dataclasses import replace

import models_truth
import numpy as np
import pint
import pytest
import xarray as xr
from error_parts import raises, warns
from scipy import special

import sims_analysis as sims
from sims_analysis.errors import FitWarning, ProfileError, UnitsError
from sims_analysis.fitting.minima import by_likelihood, half_widths, plausible_minima
from sims_analysis.fitting.objectives import Squares
from sims_analysis.fitting.optimization import (
    Curve,
    covariance,
    profile_interval,
    solve_each,
)
from sims_analysis.shapes import models, pearson
from sims_analysis.shapes.model import Model, Parameter

CASES = [(name, p, end) for name, cases in models_truth.TRUTH.items() for p, end in cases]
TOLERANCE = {"dual_pearson": 1e-4}
#: Peaks, parameters and axes on which the intervals are tried. What is not in `free` is held.
COVERED = {
    "gaussian": ((1e15, 100, 30), np.linspace(0, 220, 111), {}),
    "joined_gaussian": ((1e15, 100, 25, 40), np.linspace(0, 260, 131), {}),
    "erfc": ((1e20, 100), np.linspace(0, 250, 126), {}),
    "limited_source": ((1e15, 80), np.linspace(0, 250, 126), {}),
    "annealed_implant": ((1e15, 60, 50), np.linspace(0, 300, 151), {}),
    "edge": ((120, 20, 1e21, 2e20, 1e17, 1e17), np.linspace(0, 250, 251), {}),
    "tracer_exchange": (
        (9e21, 1e20, 100, 0.7),
        np.linspace(0, 500, 251),
        {"gas_level": "9e21 atoms/cm^3", "background_level": "1e20 atoms/cm^3"},
    ),
    "pearson": ((1e15, 100, 30, 0.3, 3.5), np.linspace(0, 300, 301), {}),
    "delta_drf": ((1e14, 50, 4, 10, 5), np.linspace(0, 150, 301), {}),
    "delta_mri": ((1e14, 50, 8, 5, 4), np.linspace(0, 120, 241), {}),
    "edge_logistic": ((120, 8, 0.01, 1e21, 2e20, 1e17, 1e17), np.linspace(0, 250, 251), {}),
    "dual_pearson": (
        (1e15, 0.8, 100, 25, -0.2, 3.2, 180, 60, 0.6, 4.2),
        np.linspace(0, 500, 501),
        {"tail_skewness": 0.6, "tail_kurtosis": 4.2},
    ),
}
QUICK = ("gaussian", "erfc", "annealed_implant")


def quietly(*args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        return sims.fit(*args, **kwargs)


def data_of(model, parameters, end, weights):
    z = np.linspace(0, end, 251 if model != "dual_pearson" else 501)
    one = models_truth.profile(models_truth.values(model, parameters, z), z)
    ds, top = one.to_dataset(), float(one.max())
    if weights == "stderr":
        ds["concentration_stderr"] = (0.01 * one + 1e-4 * top).assign_attrs(units="atom/cm^3")
    if weights == "counts":
        ds["concentration_counts"] = (one * (1000 / top)).assign_attrs(units="count")
    return ds


@pytest.mark.few(10)
@pytest.mark.parametrize(
    ("model", "parameters", "end", "weights"),
    [
        pytest.param(
            *case, weights, marks=[] if case[0] in QUICK or weights == "log" else pytest.mark.slow
        )
        for case in CASES
        for weights in ("log", "none", "stderr", "counts")
    ],
)
def test_without_noise_the_truth_comes_back(model, parameters, end, weights):
    fit = quietly(data_of(model, parameters, end, weights), model=model, weights=weights)
    assert fit["status"].item() in ("ok", "at_bound")
    for one, truth in zip(models()[model].parameters, parameters, strict=True):
        found = fit[one.name].item()
        size = abs(truth) if truth else 1.0
        assert abs(found - truth) <= TOLERANCE.get(model, 1e-6) * size, one.name


@pytest.mark.parametrize("weights", ["counts", "stderr", "none", "log"])
def test_errors_and_statistics_are_those_of_the_residuals_in_plain_numpy(weights):
    z = np.linspace(10, 190, 46)
    ds = models_truth.counted("gaussian", (1e15, 100, 40), z, peak=200, trials=1, seed=3)
    ds = ds.isel(trial=0)
    c, k = ds["concentration"].values, ds["concentration_counts"].values
    top, one, s = c.max(), c.max() / k.max(), 1e19 * (1 + z / 100)
    if weights == "stderr":
        ds["concentration_stderr"] = ("depth", s, {"units": "atom/cm^3"})
    fit = quietly(ds, model="gaussian", weights=weights)
    m = sims.evaluate(fit, depth=ds["depth"]).values
    if weights == "counts":
        cost = 2 * np.sum(m / one - k + special.xlogy(k, k * one / m))
        information = 1 / (m * one)
    elif weights == "stderr":
        cost, information = np.sum(((m - c) / s) ** 2), s**-2.0
        assert fit["reduced_chi_square"].item() == pytest.approx(cost / (z.size - 3))
    else:
        r = (m - c) / top if weights == "none" else np.log(m / c)
        cost = np.sum(r**2)
        information = (1 / top**2 if weights == "none" else m**-2.0) * (z.size - 3) / cost
    assert fit["objective_value"].item() == pytest.approx(cost, rel=1e-6)
    of = {"counts": "Poisson deviance", "stderr": "weighted squares", "none": "squares"}
    assert fit["objective"].item() == of.get(weights, "squares of ln C")
    known = weights in ("counts", "stderr")
    aic = cost + 2 * 3 if known else z.size * np.log(cost / z.size) + 2 * 4
    assert fit["aic"].item() == pytest.approx(aic, rel=1e-6)
    p = np.array([fit[name].item() for name in ("dose", "projected_range", "straggle")])
    steps = 1e-6 * np.diag(p)
    rows = [
        np.subtract(*(models_truth.values("gaussian", p + sign * h, z) for sign in (1, -1)))
        / (2 * h.sum())
        for h in steps
    ]
    covariance = np.linalg.inv(np.array(rows) * information @ np.array(rows).T)
    np.testing.assert_allclose(fit["covariance"], covariance, rtol=1e-4)


@pytest.mark.few(3, 7)
@pytest.mark.parametrize(
    ("model", "name", "value", "held"),
    [
        ("gaussian", "straggle", "0.03 um", 30.0), ("gaussian", "dose", "1e19 m^-2", 1e15),
        ("pearson", "skewness", 0, 0.0), ("pearson", "kurtosis", np.float32(3.5), 3.5),
        ("edge_logistic", "asymmetry", "20 1/um", 0.02), ("edge", "left_slope", 3e14, 3e14),
        ("pearson", "kurtosis", pint.Quantity(3.5), 3.5),
    ],
)  # fmt: skip
def test_values_may_be_held_in_any_unit(model, name, value, held):
    c = models_truth.values("gaussian", (1e15, 100, 30), np.linspace(0, 150, 76))
    fit = quietly(models_truth.profile(c, np.linspace(0, 150, 76)), model=model, weights="none",
                  fixed={name: value})  # fmt: skip
    assert fit[name].item() == pytest.approx(held)
    assert np.isnan(fit[f"{name}_stderr"])


@pytest.mark.slow
def test_the_answer_does_not_depend_on_layout_or_unit():
    z = np.linspace(0, 300, 151)
    own = np.linspace(1, 299, 120)
    b = models_truth.values("gaussian", (1e15, 100, 30), z)
    p = models_truth.values("pearson", (3e14, 120, 35, 0.3, 3.5), own)
    rng = np.random.default_rng(3)
    b, p = (c * np.exp(0.05 * rng.normal(size=c.size)) for c in (b, p))
    profiles = [
        sims.DepthProfile(
            species_name=name, depths=x, depth_units="nm",
            concentrations=c, concentration_units="atoms/cm^3",
        )
        for name, x, c in (("B", z, b), ("P", own, p))
    ]  # fmt: skip
    union = sims.to_dataset(profiles)
    assert union.sizes["depth"] > 200
    padded = sims.stack([union, union])
    alone = [models_truth.profile(c, x) for c, x in ((b, z), (p, own))]
    expected = [quietly(one, model="gaussian") for one in alone]
    both = quietly(union, model="gaussian")
    batch = quietly(padded, model="gaussian")
    turned = quietly(union.transpose("depth", "species"), model="gaussian")
    for i, one in enumerate(expected):
        for name in ("dose", "projected_range", "straggle_stderr", "aic", "n_samples"):
            wanted = one[name].item()
            assert both[name].values[i] == wanted
            assert turned[name].values[i] == wanted
            assert (batch[name].values[:, i] == wanted).all()
    micrometres = alone[0].assign_coords(depth=("depth", z / 1000, {"units": "um"}))
    other = quietly((micrometres / 1e-6).assign_attrs(units="atoms/m^3"), model="gaussian")
    np.testing.assert_allclose(other["straggle"], expected[0]["straggle"], rtol=1e-9)
    np.testing.assert_allclose(other["dose"], expected[0]["dose"], rtol=1e-9)


@pytest.mark.slow
def test_dask_gives_the_same_numbers_and_words():
    pytest.importorskip("dask")
    ds = models_truth.counted("gaussian", (1e15, 100, 30), np.linspace(0, 220, 80),
                              peak=100, trials=6, seed=1)  # fmt: skip
    here = quietly(ds, model="gaussian", background="fit")
    there = sims.fit(ds.chunk({"trial": 2}), model="gaussian", background="fit")
    assert there["dose"].chunks is not None
    xr.testing.assert_identical(here.drop_attrs(), there.compute().drop_attrs())
    curve = sims.evaluate(there, depth=ds["depth"]).compute()
    np.testing.assert_allclose(curve, sims.evaluate(here, depth=ds["depth"]), rtol=1e-12)


def test_quantities_come_back_as_quantities():
    one = data_of("gaussian", (1e15, 100, 30), 300, "log")
    fit = sims.fit(sims.quantify(one), model="gaussian")
    assert fit["straggle"].data.to("um").magnitude == pytest.approx(0.03)
    assert sims.dequantify(fit)["dose"].attrs["units"] == "atom/cm^2"
    assert sims.evaluate(fit, depth="100 nm").data.units == one_unit()


def one_unit():
    from pint import get_application_registry

    return get_application_registry().Unit("atom/centimeter**3")


def inside(fit, name, truth, *, profile=False):
    if profile:
        found = (fit[f"{name}_lower"] <= truth) & (truth <= fit[f"{name}_upper"])
        return float(found.mean())
    stderr = fit[f"{name}_stderr"]
    return float((abs(fit[name] - truth) <= stderr)[stderr.notnull()].mean())


def test_an_interval_of_what_is_known_exactly_has_no_width():
    exact = data_of("gaussian", (1e15, 100, 30), 300, "log")
    fit = sims.fit(exact, model="gaussian", interval="profile")
    assert fit["straggle_lower"].item() == pytest.approx(30)
    words = {end: fit[f"straggle_{end}"].attrs["long_name"] for end in ("lower", "upper")}
    assert words == {
        "lower": "Lower end of the 68 % interval",
        "upper": "Upper end of the 68 % interval",
    }


@pytest.mark.slow
def test_an_interval_by_the_likelihood_is_not_symmetric_at_few_counts():
    z = np.linspace(0, 220, 45)
    ds = models_truth.counted("gaussian", (1e15, 100, 30), z, peak=5, trials=40, seed=5)
    fit = quietly(ds, model="gaussian", interval="profile")
    below = fit["straggle"] - fit["straggle_lower"]
    above = fit["straggle_upper"] - fit["straggle"]
    assert bool((above > below).all())
    assert 0.5 < inside(fit, "straggle", 30, profile=True) < 0.86
    # At many counts it is the linear one.
    ds = models_truth.counted("gaussian", (1e15, 100, 30), z, peak=1e5, trials=3, seed=6)
    fit = quietly(ds, model="gaussian", interval="profile")
    half = (fit["dose_upper"] - fit["dose_lower"]) / 2
    np.testing.assert_allclose(half, fit["dose_stderr"], rtol=0.01)


@pytest.mark.study
def test_what_the_samples_do_not_determine_has_no_error():
    ds = sims.open_example("boron-implant").sel(species="B")
    ds = sims.with_counting_statistics(ds, value_per_count="5e14 atoms/cm^3")
    options = {"model": "dual_pearson", "start": "20 nm", "background": "fit"}
    with warns(FitWarning, "undetermined", species="B"):
        fit = sims.fit(ds, **options)
    assert fit["status"].item() == "undetermined"
    lost = [name for name in fit["parameter"].values if np.isnan(fit[f"{name}_stderr"])]
    # Their errors would reach beyond a head of everything, and a kurtosis below 1.
    assert {"head_fraction", "tail_skewness", "tail_kurtosis", "tail_straggle"} <= set(lost)
    assert "background" not in lost
    # Another set of parameters does as well: its tail is inside two errors.
    other = quietly(ds, **options, fixed={"tail_projected_range": "126.9 nm"})
    assert abs(other["objective_value"] - fit["objective_value"]) < 1
    error = fit["tail_projected_range_stderr"].item()
    assert 15 < 126.9 - fit["tail_projected_range"].item() < 2 * error
    # So it is for what follows from them.
    assert fit["retained_dose_stderr"] < 0.01 * fit["retained_dose"]
    deep = Parameter("tail_depth", "depth", "the same")
    own = replace(models()["dual_pearson"], derived=(deep,),
                  derive=lambda p, _: [p["tail_projected_range"]])  # fmt: skip
    derived = quietly(ds, **options | {"model": own})["tail_depth_stderr"].item()
    assert derived == pytest.approx(error, rel=0.1)
    # Both are the same curve, of which the error is known.
    curve = sims.evaluate(fit, depth="100 nm")
    assert curve["stderr"].item() < 0.01 * curve.item()
    held = sims.fit(ds, **options, fixed={"head_skewness": 0, "head_kurtosis": 3})
    assert held["status"].item() == "ok"
    assert held["aic"].item() < fit["aic"].item()


def two_minima(offset):
    """Give a curve with a narrow minimum at 1, and a broader one at -1, 4 offset^2 higher."""

    def formula(a):
        return np.array([20 * (a - 1) * (a + 1) * (1 + 0.5 * a), offset * (a - 1)])

    curve = Curve([Parameter("a", "dimensionless", "")], formula, None, {})
    objective = Squares(np.zeros(2), np.ones(2))
    return formula, curve, objective, solve_each(curve, objective, [[1.1], [-1.1]])


@pytest.mark.parametrize("offset", [0.3, 1.6])
def test_of_two_minima_the_one_with_most_of_the_likelihood_is_returned(offset):
    formula, curve, objective, found = two_minima(offset)
    found = by_likelihood(curve, objective, plausible_minima(curve, objective, found))
    first = round(found[0].p[0])
    if offset > 1.5:  # ruled out
        assert (first, len(found)) == (1, 1)
        return
    assert (first, len(found)) == (-1, 2)
    assert found[0].cost > found[1].cost + 0.3
    a = np.linspace(-1.5, 1.5, 30001)
    likelihood = np.exp(-0.5 * np.sum(formula(a) ** 2, axis=0))
    share = likelihood[a < 0].sum() / likelihood.sum()
    assert [one.share for one in found] == pytest.approx([share, 1 - share], abs=0.02)


def test_a_minimum_with_an_edge_counts_only_where_all_have_one():
    formula, curve, objective, found = two_minima(0.3)
    (one,) = by_likelihood(curve, objective, found, lambda one: one.p[0] < 0)
    assert one.p[0] > 0
    assert one.share == 1
    # The inverse of the curvature that is there; of a single minimum, of what is expected.
    a = one.p[0] + np.array([-1e-3, 0, 1e-3])
    curvature = np.diff(0.5 * np.sum(formula(a) ** 2, axis=0), 2).item() / 1e-6
    assert one.covariance.item() == pytest.approx(1 / curvature, rel=1e-4)
    assert covariance(curve, objective, one).item() != pytest.approx(1 / curvature)
    assert len(by_likelihood(curve, objective, found, lambda _: True)) == 2


def test_other_minima_widen_an_error_until_it_is_their_distance():
    stderr, shares = np.array([[1.0], [0.5]]), [0.6, 0.4]
    apart = np.array([[0.0], [1.5]])
    half = half_widths(stderr, apart, shares)
    draws = np.random.default_rng(0).normal(size=(2, 100_000)) * stderr + apart
    assert shares @ (np.abs(draws) < half).mean(axis=1) == pytest.approx(0.683, abs=0.005)
    assert half > 1
    assert half_widths(stderr[:1], apart[:1], [1.0]) == pytest.approx(1, rel=1e-9)
    assert np.isnan(half_widths(stderr, 4 * apart, shares))


@pytest.mark.slow
def test_a_tail_with_an_edge_has_no_errors_unless_its_shape_is_stated():
    # A gamma distribution rises from its end with the power 4 / skewness^2 - 1.
    assert pearson.edge_power(-0.9, 3 + 1.5 * 0.81) == pytest.approx(4 / 0.81 - 1)
    # A beta distribution, symmetric with the fourth power at both ends.
    assert pearson.edge_power(0.0, 3 - 6 / 13) == pytest.approx(4)
    assert pearson.edge_power(0.5, 3.8) == pearson.edge_power(0, 3) == np.inf
    sharp = (1e15, 0.8, 100, 25, 0.0, 3.2, 175, 40, 1.4, 5.4)
    z = np.linspace(0, 500, 251)
    ds = models_truth.counted("dual_pearson", sharp, z, peak=1e5, trials=1, seed=1)
    fit = quietly(ds, model="dual_pearson").isel(trial=0)
    assert fit["tail_skewness"].item() == pytest.approx(1.4, abs=0.01)
    shapes = [name for name in models()["dual_pearson"].names if name != "dose"]
    assert all(np.isnan(fit[f"{name}_stderr"]) for name in shapes)
    assert fit["dose_stderr"].item() > 0
    held = {"tail_skewness": 1.4, "tail_kurtosis": 5.4}
    fit = quietly(ds, model="dual_pearson", fixed=held).isel(trial=0)
    assert abs(fit["tail_projected_range"] - 175) < 3 * fit["tail_projected_range_stderr"]


def test_the_head_is_the_shallower_of_two_distributions():
    parameters, end = models_truth.TRUTH["dual_pearson"][0]
    dose, share, *both = parameters
    start = [1e7, 1 - share, *both[4:], *both[:4]]
    model = replace(models()["dual_pearson"], start=lambda *_: [start])
    fit = quietly(data_of("dual_pearson", parameters, end, "none"), model=model, weights="none")
    assert fit["dose"].item() == pytest.approx(dose, rel=1e-6)
    assert fit["head_fraction"].item() == pytest.approx(share, rel=1e-6)
    assert fit["tail_projected_range"].item() == pytest.approx(both[4], rel=1e-6)


def test_an_interval_reaches_over_all_minima_inside_it():
    one = Parameter("a", "dimensionless", "")
    curve = Curve([one], lambda a: np.array([5 * (a * a - 1), 0.3 * a + 0.1]), None, {})
    objective = Squares(np.zeros(2), np.ones(2))
    found = solve_each(curve, objective, [[2.0], [-2.0]])
    assert [round(float(one.p[0])) for one in found] == [-1, 1]
    low, high = profile_interval(curve, objective, found, 0)
    for end in (low, high):
        risen = objective.cost(curve.values([end])) - found[0].cost
        assert risen == pytest.approx(1, abs=0.03)
    assert low < -1
    assert high > 1


def test_minima_share_the_likelihood_as_its_integral_says():
    """Two wells, one higher and wider than the other."""

    def values(a):
        return np.array([5 * (a * a - 1) / (1 + 0.1 * a), 0.6 * a + 0.8])

    curve = Curve([Parameter("a", "dimensionless", "")], values, None, {})
    objective = Squares(np.zeros(2), np.ones(2))
    found = by_likelihood(curve, objective, solve_each(curve, objective, [[2.0], [-2.0]]))
    a = np.linspace(-4, 4, 8001)
    likelihood = np.exp(-0.5 * (values(a) ** 2).sum(axis=0))
    of_well = [likelihood[np.sign(a) == np.sign(one.p[0])].sum() for one in found]
    shares = [one.share for one in found]
    assert sum(shares) == pytest.approx(1)
    np.testing.assert_allclose(shares, np.array(of_well) / likelihood.sum(), atol=0.02)
    assert 0.1 < shares[1] < 0.4


@pytest.mark.study
def test_a_length_that_is_smaller_than_its_error_has_none():
    parameters, z, _ = COVERED["edge_logistic"]
    ds = models_truth.counted("edge_logistic", parameters, z, peak=10, trials=20, seed=1)
    fit = quietly(ds, model="edge_logistic")
    lost = np.isnan(fit["scale_stderr"])
    assert 0 < int(lost.sum()) < 20
    assert bool((fit["scale_stderr"] <= fit["scale"])[~lost].all())
    assert bool((fit["status"] != "ok")[lost].all())
    width = fit["width_16_84_stderr"]
    assert bool((width <= fit["width_16_84"])[width.notnull()].all())


@pytest.mark.parametrize(
    ("model", "truth", "z", "seed", "trial", "other"),
    [
        ("edge_logistic", *COVERED["edge_logistic"][:2], 1, 54,
         (119.3, 4.6, -0.15, 9.8e20, 1.7e20, 0.0, 7e17)),
        ("delta_drf", (1e14, 100, 2, 5, 2.5), np.arange(0.5, 250), 4, 25,
         (1.04e14, 103.5, 4.0, 3.1, 0.05)),
    ],
)  # fmt: skip
def test_of_few_counts_no_lower_minimum_is_missed(model, truth, z, seed, trial, other):
    """Where three sets of starting values found others, 4 above it in the deviance."""
    ds = models_truth.counted(model, truth, z, peak=10, trials=trial + 1, seed=seed)
    ds = ds.isel(trial=[trial])
    top = float(ds["concentration"].max())
    units = [1e-7 * top if one.kind == "area" else top if one.scales else 1.0
             for one in models()[model].parameters]  # fmt: skip
    known = replace(models()[model], start=lambda *_: [np.array(other) / units])
    found, there = (quietly(ds, model=one)["objective_value"].item() for one in (model, known))
    assert found < there + 0.1


def test_an_edge_of_few_counts_is_no_jump_that_noise_has_made():
    """Where one side may as well be a jump, of an asymmetry up to 1e4 per nm."""
    parameters, z, _ = COVERED["edge_logistic"]
    ds = models_truth.counted("edge_logistic", parameters, z, peak=10, trials=10, seed=1)
    fit = quietly(ds.isel(trial=[4, 7, 9]), model="edge_logistic")
    assert (abs(fit["asymmetry"]) * fit["scale"] < 3).all()
    assert (abs(fit["position"] - 120) < 3 * fit["position_stderr"]).all()
    # One that counts show to be eight times as steep on one side has its errors.
    steep = (120, 8, 0.6, 1e21, 2e20, 0, 0)
    ds = models_truth.counted("edge_logistic", steep, z, peak=1e4, trials=1, seed=1)
    fit = quietly(ds, model="edge_logistic").isel(trial=0)
    assert fit["status"].item() == "ok"
    assert abs(fit["asymmetry"] - 0.6) < 3 * fit["asymmetry_stderr"] < 0.3


def test_a_background_that_is_not_there_is_ok_at_0():
    """Its best value is 0 for half of all profiles, or more; that says nothing against a fit."""
    parameters, z, _ = COVERED["gaussian"]
    ds = models_truth.counted("gaussian", parameters, z, peak=1000, trials=20, seed=1)
    fit = quietly(ds, model="gaussian", background="fit")
    assert (fit["status"] == "ok").all()
    assert (fit["background"] < fit["background_stderr"]).mean() > 0.6
    alone = quietly(ds, model="gaussian")
    for name in ("dose", "projected_range", "straggle"):
        apart = abs(fit[name] - alone[name]) / alone[f"{name}_stderr"]
        assert float(apart.max()) < 2
        assert (fit[f"{name}_stderr"] > 0.99 * alone[f"{name}_stderr"]).all()


@pytest.mark.parametrize(("width", "part"), [(7.9, 1.0), (20.2, 0.0)])
def test_a_part_that_is_all_or_nothing_is_at_its_bound(width, part):
    """The peak is narrower, or wider, than any mixture."""
    z = np.arange(0.0, 200.0, 2.0)
    peak, narrow, wide = (np.exp(-(((z - 100) / s) ** 2) / 2)
                          for s in (width, 8.0, 20.0))  # fmt: skip
    parameters = (
        Parameter("height", "value", "", lower=0),
        Parameter("part", "dimensionless", "", 0, 1),
    )
    mixture = Model("mixture", "", parameters, lambda _, h, f: h * (f * narrow + (1 - f) * wide),
                    lambda *_: [(1.0, 0.5)], "")  # fmt: skip
    ds = models_truth.profile(1e19 * peak, z).to_dataset()
    ds["concentration_stderr"] = xr.full_like(ds["concentration"], 1e17)
    fit = quietly(ds, model=mixture)
    assert fit["status"].item() == "at_bound"
    assert fit["part"].item() == pytest.approx(part, abs=1e-6)
    assert np.isnan(fit["part_stderr"].item())


@pytest.mark.slow
def test_a_profile_follows_a_valley_that_bends():
    # At few counts, growth and Gaussian trade width: to the bound of one of them.
    parameters, z, _ = COVERED["delta_drf"]
    ds = models_truth.counted("delta_drf", parameters, z, peak=10, trials=5, seed=3)
    fit = quietly(ds, model="delta_drf", interval="profile")
    linear = fit["lambda_growth"] - fit["lambda_growth_stderr"]
    off = abs(fit["lambda_growth_lower"] - linear) / fit["lambda_growth_stderr"]
    worst = int(np.argmax(off.data))
    assert float(off[worst]) > 0.2
    held = float(fit["lambda_growth_lower"][worst])
    one = quietly(ds.isel(trial=[worst]), model="delta_drf",
                  fixed={"lambda_growth": f"{held} nm"})  # fmt: skip
    rise = one["objective_value"] - fit["objective_value"].isel(trial=worst)
    # By definition, unless it is the bound that ends the interval.
    assert held == 0 or rise.item() == pytest.approx(1, abs=0.05)


def test_what_is_not_seen_leaves_the_other_errors_alone():
    # With an information depth far below the mixing length, nothing of it shows.
    z = np.linspace(50, 200, 151)
    ds = models_truth.counted("delta_mri", (1e14, 100, 6, 2.5, 0.05), z, peak=300, trials=6, seed=1)
    fit = quietly(ds, model="delta_mri")
    lost = np.isnan(fit["information_depth_stderr"])
    assert bool(lost.any())
    assert bool((fit["status"].where(lost, "undetermined") != "ok").all())
    assert np.isfinite(fit["mixing_length_stderr"]).all()


@pytest.mark.study
def test_errors_from_scatter_are_those_of_the_scatter():
    z = np.linspace(0, 220, 111)
    c = models_truth.values("gaussian", (1e15, 100, 30), z)
    rng = np.random.default_rng(8)
    noisy = c * np.exp(0.1 * rng.normal(size=(300, z.size)))
    ds = models_truth.profile(noisy, z, dims=("trial", "depth"))
    fit = quietly(ds, model="gaussian")
    assert set(fit["objective"].values) == {"squares of ln C"}
    assert float(fit["straggle"].std() / fit["straggle_stderr"].mean()) == pytest.approx(1, abs=0.1)
    assert "scatter" in fit.attrs["errors"]
    assert np.isnan(fit["reduced_chi_square"]).all()


def test_a_limit_that_is_not_known_leaves_no_sample():
    z = np.arange(0.0, 300.0, 2.0)
    c = models_truth.values("gaussian", (1e15, 100, 30), z)
    batch = models_truth.profile(np.array([c, c]), z, dims=("wafer", "depth"))
    limit = xr.DataArray([20.0, np.nan], dims="wafer", attrs={"units": "nm"})
    fit = sims.fit(batch, model="gaussian", start=limit)
    assert fit["status"].values.tolist() == ["ok", "no_data"]
    assert fit["window_start"].values[0] == 20


def test_options_may_be_in_any_unit():
    z = np.linspace(0, 300, 151)
    one = models_truth.profile(models_truth.values("annealed_implant", (1e15, 60, 50), z) + 1e17, z)
    first, second = (
        quietly(one, model="annealed_implant", start=start, background=level, time=time,
                as_implanted=straggle)
        for start, level, time, straggle in (
            ("10 nm", "1e17 atoms/cm^3", "120 s", "30 nm"),
            ("0.01 um", "1e23 m^-3", "2 min", "0.03 um"),
        )
    )  # fmt: skip
    for name in ("dose", "straggle", "diffusivity", "window_start"):
        assert second[name].item() == pytest.approx(first[name].item(), rel=1e-9, abs=0)
    assert first["diffusivity"].item() == pytest.approx(1600e-14 / 240, rel=1e-6, abs=0)


def test_a_background_is_a_parameter_or_stated():
    z = np.linspace(0, 300, 151)
    c = models_truth.values("gaussian", (1e15, 100, 30), z) + 2e17
    one = models_truth.profile(c, z)
    fit = sims.fit(one, model="gaussian", background="fit")
    assert fit["background"].item() == pytest.approx(2e17, rel=1e-6)
    assert fit["dose"].item() == pytest.approx(1e15, rel=1e-6)
    stated = sims.fit(one, model="gaussian", background="2e17 atoms/cm^3")
    assert stated["dose"].item() == pytest.approx(1e15, rel=1e-9)
    assert np.isnan(stated["background_stderr"])
    assert list(fit["parameter"].values) == ["dose", "projected_range", "straggle", "background"]


def test_zeros_are_censored_at_a_stated_limit():
    z = np.linspace(0, 300, 151)
    c = models_truth.values("gaussian", (1e15, 100, 30), z)
    rng = np.random.default_rng(2)
    c = c * np.exp(0.1 * rng.normal(size=z.size))
    c[c < 1e17] = 0.0
    one = models_truth.profile(c, z)
    left_out = quietly(one, model="gaussian")
    below_limit = quietly(one, model="gaussian", detection_limit="1e17 atoms/cm^3")
    assert left_out["n_left_out"].item() == int((c == 0).sum())
    assert below_limit["n_left_out"].item() == 0
    for fit in (left_out, below_limit):
        error = fit["straggle_stderr"].item()
        assert fit["straggle"].item() == pytest.approx(30, abs=4 * error)


def test_parameters_are_held_at_what_is_stated():
    one = data_of("delta_drf", (1e14, 100, 2, 5, 2.5), 250, "log")
    fit = quietly(one, model="delta_drf", fixed={"sigma": "2.5 nm", "lambda_growth": "0.002 um"})
    assert fit["sigma"].item() == 2.5
    assert np.isnan(fit["sigma_stderr"])
    assert fit["lambda_decay"].item() == pytest.approx(5, rel=1e-6)
    assert np.isnan(fit["covariance"].sel(parameter="sigma")).all()


def test_coarse_samples_are_means_over_cells():
    z = np.arange(0, 220, 20.0)
    fine = np.linspace(-10, 210, 22001)
    # By definition: the mean of the truth over each cell, by a fine sum.
    truth = models_truth.values("gaussian", (1e15, 100, 12), fine)
    means = [truth[(fine >= a - 10) & (fine <= a + 10)].mean() for a in z]
    one = models_truth.profile(np.array(means), z)
    fit = quietly(one, model="gaussian", weights="none", cell="mean")
    assert fit["straggle"].item() == pytest.approx(12, rel=2e-3)
    assert quietly(one, model="gaussian", weights="none")["straggle"].item() > 13
    curve = sims.evaluate(fit, depth=one["depth"])
    np.testing.assert_allclose(curve, one, rtol=1e-2, atol=1e15)


#: Edges of cells of many widths; a step of 20 nm makes their middles no half of the way.
_EDGES = np.array([0.0, 10, 14, 20, 30, 34, 38, 44, 46, 48, 50, 52, 54, 56, 58, 60, 66, 70, 90])


def _on_cells(edges):
    c = 1e21 * np.diff(special.ndtr((edges - 50) / 5)) / np.diff(edges)
    cells = np.stack([edges[:-1], edges[1:]], axis=1)
    ds = models_truth.profile(c, cells.mean(axis=1)).to_dataset(name="concentration")
    return ds.assign_coords(depth_bounds=(("depth", "bound"), cells))


@pytest.mark.parametrize("cell", ["auto", "mean"])
def test_cells_that_the_data_state_are_those_of_the_fit(cell):
    fit = quietly(_on_cells(_EDGES), model="gaussian", weights="none", cell=cell)
    assert fit["dose"].item() == pytest.approx(1e14, rel=1e-9)
    assert fit["straggle"].item() == pytest.approx(5, rel=1e-9)
    assert fit.attrs["cell"] == "mean"


def test_a_window_does_not_change_the_cells_at_its_ends():
    ds = _on_cells(_EDGES)
    middle = ds["depth"].values
    edges = np.append(np.append(0.0, 0.5 * (middle[1:] + middle[:-1])), 100.0)
    c = 1e21 * np.diff(special.ndtr((edges - 50) / 5)) / np.diff(edges)
    one = models_truth.profile(c, middle)
    window = {"start": "40 nm", "stop": "60 nm"}
    fit = quietly(one, model="gaussian", weights="none", cell="mean", **window)
    assert fit["straggle"].item() == pytest.approx(5, rel=1e-9)


@pytest.mark.parametrize("cell", [5.0, 10.0, 20.0])
def test_means_over_cells_are_exact_in_the_tails_too(cell):
    z = np.arange(0, 200, cell)
    near, far = abs(z - 90) - cell / 2, abs(z - 90) + cell / 2
    c = 1e21 / cell * (special.ndtr(-near / 10) - special.ndtr(-far / 10))
    fit = quietly(models_truth.profile(c, z), model="gaussian", cell="mean")
    assert fit["dose"].item() == pytest.approx(1e14, rel=1e-6)
    assert fit["straggle"].item() == pytest.approx(10, rel=1e-6)


def test_a_curve_is_evaluated_at_the_depths_of_each_profile_by_its_label():
    z = np.linspace(0, 300, 301)
    c = np.stack([models_truth.values("gaussian", (1e15, 100, s), z) for s in (20, 30)])
    both = models_truth.profile(c, z, dims=("wafer", "depth")).assign_coords(wafer=["a", "b"])
    fit = sims.fit(both, model="gaussian")
    expected = [c[0, 90], c[1, 110]]
    one_each = xr.DataArray(
        [0.11, 0.09], dims="wafer", coords={"wafer": ["b", "a"]}, attrs={"units": "um"}
    )
    found = sims.evaluate(fit, depth=one_each)
    assert found.dims == ("wafer",)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    several = one_each.expand_dims(point=2).transpose("wafer", "point")
    found = sims.evaluate(fit, depth=several)
    np.testing.assert_allclose(found, np.transpose([expected, expected]), rtol=1e-6)
    assert sims.evaluate(fit.sel(wafer="b"), depth=one_each).item() == found[1, 0].item()
    listed = sims.evaluate(fit, depth=["90 nm", "0.11 um"])
    assert listed.dims == ("wafer", "depth")
    assert listed[0, 0].item() == found[0, 0].item()
    assert listed[1, 1].item() == found[1, 0].item()
    with raises(UnitsError, "missing_unit", argument="depth"):
        sims.evaluate(fit, depth=np.array([90.0, 110.0]))
    with raises(ProfileError, "missing_value", argument="depth"):
        sims.evaluate(fit, depth=one_each.isel(wafer=[1]))
    with raises(ProfileError, "wrong_dimensions", argument="depth"):
        sims.evaluate(fit, depth=one_each.isel(wafer=[1]).drop_vars("wafer"))


def test_each_profile_has_the_background_that_is_stated_for_it():
    z = np.linspace(0, 300, 301)
    c = models_truth.values("gaussian", (1e15, 100, 30), z)
    both = models_truth.profile(np.stack([c + 5e17, c + 1e18]), z, dims=("wafer", "depth"))
    levels = xr.DataArray([5e17, 1e18], dims="wafer", attrs={"units": "atoms/cm^3"})
    fit = sims.fit(both, model="gaussian", background=levels)
    np.testing.assert_allclose(fit["dose"], [1e15, 1e15], rtol=1e-6)
    np.testing.assert_array_equal(fit["background"], [5e17, 1e18])


# --- what cannot be fitted --------------------------------------------------------------------


def status(c, z=None, model="gaussian", **options):
    z = np.linspace(0, 300, c.size) if z is None else z
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit = sims.fit(models_truth.profile(c, z), model=model, **options)
    assert fit["status"].item() == "ok" or any(w.category is FitWarning for w in caught)
    return fit


@pytest.mark.few(1)
@pytest.mark.parametrize("weights", ["log", "none"])
@pytest.mark.parametrize("model", ["gaussian", "pearson", "joined_gaussian", "dual_pearson"])
def test_two_peaks_do_not_pass_for_an_implant(model, weights):
    z = np.linspace(0, 300, 201)
    rng = np.random.default_rng(1)
    c = models_truth.values("gaussian", (1e15, 80, 20), z)
    c += models_truth.values("gaussian", (5e14, 200, 25), z)
    c *= np.exp(0.05 * rng.normal(size=z.size))
    assert status(c, z, model, weights=weights)["status"].item() != "ok"


@pytest.mark.few(3)
@pytest.mark.parametrize("model", ["gaussian", "pearson", "joined_gaussian"])
@pytest.mark.parametrize("window", [{"start": "110 nm"}, {"stop": "95 nm"}, {"stop": "110 nm"}])
def test_half_a_peak_does_not_pass_for_an_implant(model, window):
    z = np.linspace(0, 300, 301)
    c = models_truth.values("gaussian", (1e15, 100, 30), z)
    c *= np.exp(0.03 * np.random.default_rng(2).normal(size=z.size))
    assert status(c, z, model, **window)["status"].item() != "ok"


@pytest.mark.few(2)
@pytest.mark.parametrize("seed", [0, *(pytest.param(i, marks=pytest.mark.slow) for i in (1, 2))])
@pytest.mark.parametrize("model", ["gaussian", "pearson", "delta_drf", "edge", "erfc"])
def test_noise_does_not_pass_for_a_profile(model, seed):
    rng = np.random.default_rng(seed)
    fit = status(1e17 * np.exp(0.3 * rng.normal(size=150)), model=model)
    assert fit["status"].item() != "ok"
    if fit["status"].item() == "featureless":
        assert np.isnan(fit[models()[model].names[0]])


@pytest.mark.slow
def test_flat_noise_is_featureless_wherever_the_fit_went():
    noise = np.random.default_rng(0).normal(size=(80, 150))
    dims, z = ("trial", "depth"), np.arange(0.0, 300.0, 2.0)
    flat = models_truth.profile(1e17 * (1 + 0.05 * noise), z, dims=dims).to_dataset()
    flat["concentration_stderr"] = (dims, np.full(noise.shape, 5e15), {"units": "atom/cm^3"})
    assert set(quietly(flat, model="gaussian")["status"].values) == {"featureless"}


@pytest.mark.parametrize("seed", range(3))
def test_counts_without_a_peak_do_not_pass_for_an_implant(seed):
    counts = np.random.default_rng(seed).poisson(4.0, 150).astype(float)
    z = np.linspace(0, 300, 150)
    one = models_truth.profile(counts, z, units="count", name="counts")
    assert quietly(one, model="gaussian", background="fit")["status"].item() == "featureless"
    assert quietly(one, model="gaussian")["status"].item() != "ok"


def test_too_little_data_has_a_status_and_no_numbers():
    z = np.linspace(0, 200, 4)
    c = models_truth.values("gaussian", (1e15, 100, 30), z)
    fit = status(c, z)
    assert fit["status"].item() == "too_few_samples"
    assert np.isnan(fit["dose"])
    nothing = quietly(models_truth.profile(np.full(50, np.nan), np.arange(50.0)), model="gaussian")
    assert nothing["status"].item() == "no_data"
    zeros = status(np.zeros(50))
    assert zeros["status"].item() == "featureless"


def test_a_model_of_another_shape_has_residuals_that_are_not_random():
    z = np.linspace(0, 300, 301)
    c = models_truth.values("pearson", (1e15, 100, 30, 0.8, 5.0), z)
    c *= np.exp(0.02 * np.random.default_rng(0).normal(size=z.size))
    with warns(FitWarning, "wrong_shape"):
        poor = sims.fit(models_truth.profile(c, z), model="joined_gaussian", stop="180 nm")
    good = sims.fit(models_truth.profile(c, z), model="pearson", stop="180 nm")
    assert good["residuals"].item() == "random"
    assert good["aic"].item() < poor["aic"].item() - 10


@pytest.mark.parametrize("name", ["_row", "model", "status"])
def test_other_dimensions_may_have_any_name(name):
    one = data_of("gaussian", (1e15, 100, 30), 300, "log")
    both = sims.fit(one.expand_dims({name: 2}), model="gaussian")
    assert both["dose"].dims == (name,)


def counts_of(k, z, value=None, top=1e17):
    """Give counts as a batch with their errors; `value` where they are not `k` times `top`."""
    c = k * top if value is None else value
    ds = models_truth.profile(c, z, dims=("trial", "depth")).to_dataset()
    ds["concentration_counts"] = (("trial", "depth"), k.astype(float), {"units": "count"})
    error = np.sqrt(np.maximum(k, 1)) * top
    ds["concentration_stderr"] = (("trial", "depth"), error, {"units": "atom/cm^3"})
    return ds


def drawn(z, peak, trials, *, background=0.0, seed=11):
    rng = np.random.default_rng(seed)
    expected = peak * np.exp(-((z - 100) ** 2) / 2 / 30**2) + background
    return rng.poisson(np.broadcast_to(expected, (trials, z.size)))


@pytest.mark.parametrize("placeholder", [1e-4, 0.002, 0.05])
def test_what_is_written_for_zero_counts_is_no_measurement(placeholder):
    z = np.linspace(0, 220, 111)
    k = drawn(z, 10, 20)
    plain = quietly(counts_of(k, z), model="gaussian")
    written = quietly(counts_of(k, z, np.where(k > 0, k, placeholder) * 1e17), model="gaussian")
    np.testing.assert_allclose(written["straggle"], plain["straggle"], rtol=1e-3)
    np.testing.assert_allclose(written["straggle_stderr"], plain["straggle_stderr"], rtol=1e-3)
    assert (written["status"] == "ok").all()


def covered(fit, **truth):
    return {
        name: float((abs(fit[name] - value) < fit[f"{name}_stderr"]).mean())
        for name, value in truth.items()
    }


@pytest.mark.study
@pytest.mark.parametrize("peak", [10, 1000])
@pytest.mark.parametrize("step", ["0.5 nm", "1.2 nm"])
def test_a_finer_grid_makes_no_parameter_better_known(peak, step):
    z = np.linspace(0, 220, 111)
    ds = counts_of(drawn(z, peak, 150), z)
    own, fine = (quietly(data, model="gaussian") for data in (ds, sims.to_grid(ds, step=step)))
    ratio = (fine["straggle_stderr"] / own["straggle_stderr"]).median().item()
    assert ratio == pytest.approx(1, abs=0.08 if peak > 10 else 0.15)
    assert float((fine["status"] == "ok").mean()) > 0.97
    assert float((fine["residuals"] == "random").mean()) > 0.97
    for share in covered(fine, projected_range=100, straggle=30).values():
        assert share == pytest.approx(0.68, abs=0.11)
    # Without counts, by standard errors; and means over cells count as all that they hold.
    bare = sims.to_grid(ds, step=step).drop_vars("concentration_counts")
    squares = quietly(bare, model="gaussian", weights="stderr")
    if peak == 1000:
        ratio = (squares["straggle_stderr"] / own["straggle_stderr"]).median().item()
        assert ratio == pytest.approx(1, abs=0.1)
        cells = quietly(sims.to_grid(ds, step="6 nm", conserve="dose"), model="gaussian")
        ratio = (cells["straggle_stderr"] / own["straggle_stderr"]).median().item()
        assert ratio == pytest.approx(1, abs=0.1)


@pytest.mark.filterwarnings("ignore:.*the background window is too short")
def test_a_grid_makes_nothing_better_known_nor_worse_less_a_background():
    z = np.arange(0.0, 200.0, 2.0)
    c = models_truth.values("gaussian", (1e15, 100, 25), z)
    k = np.random.default_rng(1).poisson(400 * c / c.max() + 20)[None]
    ds = sims.subtract_background(counts_of(k, z), window=("180 nm", "199 nm"))
    fine, wide = sims.to_grid(ds, step="0.5 nm"), sims.to_grid(ds, step="6 nm", conserve="dose")
    own, *others = (sims.fit(one, model="gaussian")["dose_stderr"] for one in (ds, fine, wide))
    for other in others:
        assert other.item() == pytest.approx(own.item(), rel=0.1)


def test_a_sample_of_no_error_or_an_unknown_one_is_left_out():
    z = np.arange(0.0, 200.0, 2.0)
    c = models_truth.values("gaussian", (1e15, 100, 25), z)
    ds = models_truth.profile(c, z).to_dataset(name="concentration")
    error = np.where(z == 90, 0.0, np.where(z == 96, np.nan, 1e18))
    ds["concentration_stderr"] = ds["concentration"].copy(data=error)
    fit = sims.fit(ds, model="gaussian")
    assert (fit["n_left_out"].item(), fit["status"].item()) == (2, "ok")
    assert fit["straggle"].item() == pytest.approx(25, rel=1e-6)


@pytest.mark.parametrize("peak", [3, 10])
@pytest.mark.parametrize("method", ["log", "linear"])
def test_a_finer_grid_of_few_counts_tells_what_the_samples_do(peak, method):
    # Means of logarithms lie below those of few counts: no background was subtracted there.
    z = np.linspace(0, 220, 111)
    ds = counts_of(drawn(z, peak, 4), z)
    fine = sims.to_grid(ds, step="0.5 nm", method=method)
    own, found = (quietly(data, model="gaussian") for data in (ds, fine))
    for name in ("dose", "projected_range", "straggle"):
        np.testing.assert_allclose(found[name], own[name], rtol=0.004)
        np.testing.assert_allclose(found[f"{name}_stderr"], own[f"{name}_stderr"], rtol=0.12)


def test_where_many_counts_fall_steeply_a_grid_is_as_its_logarithms():
    # A sample every 3 nm of a Gaussian of 4 nm: straight lines would make it wider.
    z = np.linspace(0, 90, 31)
    k = np.round(1e6 * np.exp(-((z - 45) ** 2) / 2 / 4**2))[None]
    fine = sims.to_grid(counts_of(k, z), step="0.5 nm")
    fit = quietly(fine, model="gaussian", start="27 nm", stop="63 nm")
    assert fit["straggle"].item() == pytest.approx(4, rel=0.005)


@pytest.mark.filterwarnings("ignore:.*(is too short|bends in the background window)")
@pytest.mark.few(1)
@pytest.mark.slow
@pytest.mark.parametrize("peak", [10, 100])
def test_the_error_of_a_background_that_was_subtracted_is_in_the_errors(peak):
    z = np.linspace(0, 260, 131)
    ds = counts_of(drawn(z, peak, 200, background=0.1 * peak), z)
    ds = sims.subtract_background(ds, window=("225 nm", "260 nm"))
    dose = peak * 1e17 * 30e-7 * np.sqrt(2 * np.pi)
    # The window within the fit, and outside.
    for stop in (None, "220 nm"):
        fit = quietly(ds, model="gaussian", stop=stop)
        for name, share in covered(fit, dose=dose, straggle=30).items():
            assert share == pytest.approx(0.68, abs=0.1), (stop, name)
        ratio = (fit["dose"].std() / (fit["dose_stderr"] ** 2).mean() ** 0.5).item()
        assert ratio == pytest.approx(1, abs=0.13)


def test_an_unknown_error_of_a_background_leaves_parameters_without_one():
    z = np.linspace(0, 220, 111)
    ds = counts_of(drawn(z, 100, 2, background=10), z)
    ds = sims.subtract_background(ds, value="1e18 atoms/cm^3")
    fit = quietly(ds, model="gaussian")
    known = "concentration_background_stderr" not in ds
    assert bool(fit["dose_stderr"].notnull().all()) is known


def test_less_its_own_mean_a_profile_has_a_window_dose_of_no_error():
    z = np.arange(100.0)
    ds = counts_of(1e3 + 1e2 * np.cos(np.pi * z / 99)[None], z)
    ds = sims.subtract_background(ds, window=("0 nm", "99 nm"))
    parameters = Parameter("level", "value", ""), Parameter("slope", "slope", "")
    line = Model("line", "", parameters, lambda z, a, b: a + b * z, lambda *_: [(1, -0.01)], "")
    fit = quietly(ds, model=replace(line, shape="decay"), weights="none")
    assert fit["window_dose_stderr"].item() == 0


@pytest.mark.study
def test_the_dose_of_the_window_is_known_where_the_parameters_are_not():
    """Two Gaussians stand in for each other, and their sum does not mind."""
    z = np.linspace(0, 500, 251)
    truth = (1e15, 0.6, 100, 25, 0.0, 3.0, 120, 50, 0.3, 3.3)
    ds = models_truth.counted("dual_pearson", truth, z, peak=1000, trials=4, seed=4)
    fit = quietly(ds, model="dual_pearson")
    c = models_truth.values("dual_pearson", truth, z)
    apart = abs(fit["window_dose"] - np.trapezoid(c, z) * 1e-7)
    assert (apart < 3 * fit["window_dose_stderr"]).all()
    assert (fit["window_dose_stderr"] < 0.02 * fit["window_dose"]).all()
    assert fit["window_dose"].attrs["units"] == "atom/cm^2"
    assert set(fit["curve_status"].values.tolist()) == {"ok"}
    assert set(fit["status"].values.tolist()) <= {"ok", "undetermined"}


def test_a_fit_that_plainly_misses_is_not_ok():
    z = np.linspace(5, 255, 26)
    c = models_truth.values("pearson", (1e15, 100, 35, 1.0, 5.5), z)
    noise = np.exp(0.05 * np.random.default_rng(0).normal(size=z.size))
    fit = quietly(models_truth.profile(c * noise, z), model="gaussian")
    assert fit["status"].item() == fit["curve_status"].item() == "wrong_shape"
    assert fit["largest_departure"].item() > 0.1
    right = quietly(models_truth.profile(c * noise, z), model="pearson")
    assert right["status"].item() == "ok"
    assert right["largest_departure"].item() < 0.05


@pytest.mark.parametrize("model", ["gaussian", "edge", "delta_drf"])
def test_shapes_over_sputter_time_are_fitted_in_seconds(model):
    parameters, end = models_truth.TRUTH[model][0]
    t = np.linspace(0, end, 251)
    c = models_truth.values(model, parameters, t)
    times = ("sputter_time", t, {"units": "s"})
    one = xr.DataArray(
        c, dims="sputter_time", coords={"sputter_time": times}, attrs={"units": "count/s"},
        name="intensity",
    )  # fmt: skip
    fit = quietly(one, model=model)
    for parameter, truth in zip(models()[model].parameters, parameters, strict=True):
        scale = 1e7 if parameter.kind == "area" else 1.0
        assert fit[parameter.name].item() == pytest.approx(truth * scale, rel=1e-6)
    assert fit["window_stop"].attrs["units"] == "s"
    minutes = one.assign_coords(
        sputter_time=("sputter_time", t / 60, {"units": "min"})
    )  # fmt: skip
    for name, variable in quietly(minutes, model=model).data_vars.items():
        assert variable.attrs.get("units") == fit[name].attrs.get("units")
    curve = sims.evaluate(fit, depth="100 s")
    assert curve.item() == pytest.approx(np.interp(100, t, c), rel=1e-2)
    assert curve.coords["sputter_time"].item() == 100


def test_a_species_is_fitted_in_the_variable_in_which_it_was_measured():
    z = np.linspace(0, 300, 151)
    b = models_truth.values("gaussian", (1e15, 100, 30), z)
    step = 1e5 * special.ndtr((z - 120) / 8) + 10
    nothing = np.full(z.size, np.nan)
    ds = xr.Dataset(
        {
            "concentration": (("species", "depth"), [b, nothing], {"units": "atom/cm^3"}),
            "intensity": (("species", "depth"), [b / 1e15, step], {"units": "count/s"}),
        },
        coords={"species": ["B", "Si->"], "depth": ("depth", z, {"units": "nm"})},
    )
    edge = quietly(ds.sel(species="Si->"), model="edge")
    assert edge["position"].item() == pytest.approx(120, abs=1e-4)
    assert edge.attrs["variable"] == "intensity"
    assert sims.fit(ds.sel(species="B"), model="gaussian").attrs["variable"] == "concentration"
    rate = sims.fit(ds.sel(species="B"), model="gaussian", variable="intensity")
    assert rate["straggle"].item() == pytest.approx(30, rel=1e-6)
    assert rate.attrs["variable_units"] == "count/s"


@pytest.mark.slow
def test_a_fit_of_dask_data_can_be_pickled():
    pytest.importorskip("dask")
    ds = models_truth.counted("gaussian", (1e15, 100, 30), np.linspace(0, 220, 80),
                              peak=100, trials=2, seed=1).chunk({"trial": 1})  # fmt: skip
    lazy = sims.fit(ds, model="gaussian")
    again = pickle.loads(pickle.dumps(lazy))  # noqa: S301
    xr.testing.assert_identical(again.compute(), lazy.compute())


def test_a_coordinate_that_is_called_background_is_none():
    one = data_of("gaussian", (1e15, 100, 30), 300, "log")
    plain = sims.evaluate(sims.fit(one, model="gaussian"), depth="90 nm")
    fit = sims.fit(one.assign_coords(background="dark"), model="gaussian")
    assert sims.evaluate(fit, depth="90 nm").item() == plain.item()


def test_coordinates_and_errors_must_belong_to_the_profiles():
    z = np.linspace(0, 300, 151)
    c = np.tile(models_truth.values("gaussian", (1e15, 100, 30), z), (3, 1))
    wafers = models_truth.profile(c, z, dims=("wafer", "depth"))
    wafers = wafers.assign_coords(wafer=["a", "b", "c"])
    nm = {"units": "nm"}
    starts = xr.DataArray([20.0, 10.0], dims="wafer", coords={"wafer": ["b", "a"]}, attrs=nm)
    with raises(ProfileError, "missing_value", argument="start"):
        sims.fit(wafers, model="gaussian", start=starts)
    two = sims.fit(wafers.isel(wafer=[0, 1]), model="gaussian", start=starts)
    assert two["window_start"].values.tolist() == [10, 20]
    with raises(ProfileError, "wrong_dimensions", argument="start"):
        sims.fit(wafers, model="gaussian", start=xr.DataArray(z, dims="depth", attrs=nm))
    ds = wafers.to_dataset().assign(concentration_stderr=-wafers)
    with raises(ProfileError, "impossible_value", wafer="a", depth="0 nm"):
        sims.fit(ds, model="gaussian")
    assert sims.fit(wafers.isel(wafer=slice(0, 0)), model="gaussian").sizes["wafer"] == 0


# --- what follows from parameters -------------------------------------------------------------


def test_a_time_makes_a_diffusivity():
    one = data_of("erfc", (1e20, 100), 300, "log")
    fit = sims.fit(one, model="erfc", time="30 min")
    # (2 sqrt(D t))^2 / 4 t: 1e-10 cm^2 / 7200 s.
    assert fit["diffusivity"].item() == pytest.approx(1e-10 / 7200, rel=1e-9, abs=0)
    assert fit["diffusivity"].attrs["units"] == "cm^2/s"
    assert np.isnan(sims.fit(one, model="erfc")["diffusivity"])


def test_an_anneal_and_its_implant_give_a_diffusivity():
    z = np.linspace(0, 400, 201)
    diffusivity, time = 2e-14, 1800.0
    broad = float(np.sqrt(30**2 + 2 * diffusivity * 1e14 * time))
    rng = np.random.default_rng(4)
    before, after = (
        models_truth.profile(
            models_truth.values(m, p, z) * np.exp(0.05 * rng.normal(size=z.size)), z
        )
        for m, p in (("gaussian", (1e15, 100, 30)), ("annealed_implant", (1e15, 100, broad)))
    )
    first = quietly(before, model="gaussian")
    second = quietly(
        after, model="annealed_implant", time="30 min", as_implanted=first, start="2 nm"
    )
    error = second["diffusivity_stderr"].item()
    assert second["diffusivity"].item() == pytest.approx(diffusivity, abs=4 * error)
    slope = 1e-14 / (2 * time) * 2
    by_hand = slope * np.hypot(
        broad * second["straggle_stderr"].item(), 30 * first["straggle_stderr"].item()
    )
    assert error == pytest.approx(by_hand, rel=0.02, abs=0)


def test_exchange_and_diffusion_from_the_tracer():
    one = data_of("tracer_exchange", (9e21, 2e19, 100, 0.7), 500, "log")
    fit = quietly(one, model="tracer_exchange", time="1 h")
    diffusivity = (100e-7) ** 2 / (4 * 3600)
    assert fit["diffusivity"].item() == pytest.approx(diffusivity, rel=1e-6, abs=0)
    exchange = 0.7 * np.sqrt(diffusivity / 3600)
    assert fit["exchange_coefficient"].item() == pytest.approx(exchange, rel=1e-6, abs=0)


def test_a_model_of_ones_own_is_fitted_like_any_other():
    lorentzian = Model(
        name="not_in_the_list",
        summary="a Lorentzian",
        parameters=(
            Parameter("dose", "area", "integral", lower=0),
            Parameter("position", "depth", "of the maximum"),
            Parameter("half_width", "depth", "at half maximum", lower=0),
        ),
        formula=lambda z, q, p, w: q / np.pi * w / ((z - p) ** 2 + w**2),
        start=lambda z, c: [(np.trapezoid(c, z), z[np.argmax(c)], 10.0)],
        reference="",
    )
    z = np.linspace(0, 300, 301)
    c = 1e22 / np.pi * 12 / ((z - 130) ** 2 + 144)
    fit = sims.fit(models_truth.profile(c, z), model=lorentzian)
    assert fit["half_width"].item() == pytest.approx(12, rel=1e-6)
    assert fit["dose"].item() == pytest.approx(1e15, rel=1e-6)
    with raises(ProfileError, "other_result", argument="fit"):
        sims.evaluate(fit, depth="130 nm")
    curve = sims.evaluate(fit, depth="130 nm", model=lorentzian)
    assert curve.item() == pytest.approx(c.max(), rel=1e-6)
    edges = np.arange(0.0, 305, 10)
    means = 1e22 / np.pi * np.diff(np.arctan((edges - 130) / 12)) / 10
    cells = models_truth.profile(means, edges[:-1] + 5)
    fit = quietly(cells, model=lorentzian, cell="mean", weights="none")
    assert fit["half_width"].item() == pytest.approx(12, rel=1e-4)


def test_what_a_parameter_is_called_does_not_matter():
    """A `levelling` length is no level: only a model that says so stands on levels of its own."""
    z = np.linspace(0, 300, 151)
    smoothing = sims.Model(
        name="smoothing",
        summary="what levels out",
        parameters=(
            sims.Parameter("surface", "value", "above the background", lower=0),
            sims.Parameter("levelling", "depth", "where 1/e is left", lower=0),
        ),
        formula=lambda z, c0, length: c0 * np.exp(-z / length),
        start=lambda z, c: [(c[0], np.ptp(z) / 5)],
        reference="",
        shape="decay",
    )
    one = models_truth.profile(1e20 * np.exp(-z / 40) + 1e18, z)
    fit = sims.fit(one, model=smoothing, background="fit")
    assert fit["levelling"].item() == pytest.approx(40, rel=1e-6)
    assert fit["background"].item() == pytest.approx(1e18, rel=1e-6)
    standing = replace(smoothing, has_levels=True)
    with raises(ProfileError, argument="background"):
        sims.fit(one, model=standing, background="fit")


@pytest.mark.parametrize(
    ("question", "name"),
    [
        (lambda one: sims.fit(one, model="gaussian"), "dose"),
        (sims.interface, "width"),
        (sims.moments, "straggle"),
    ],
)
def test_a_dimension_does_not_lose_its_labels_to_an_answer(question, name, approved):
    z = np.linspace(0, 300, 301)
    c = models_truth.values("gaussian", (1e15, 100, 30), z)
    batch = models_truth.profile(np.stack([c, 2 * c]), z, dims=(name, "depth"))
    with raises(ProfileError, "wrong_dimensions", text=approved):
        question(batch.assign_coords({name: [1.0, 2.0]}))


@pytest.mark.parametrize("shape", ["implant", "ramp"])
def test_an_annealed_implant_has_its_maximum_inside_the_window(shape):
    z = np.linspace(0, 400, 201)
    c = 1e18 * (1 + z / 400)
    if shape == "implant":
        c = models_truth.values("gaussian", (1e15, 420, 40), z)
    c *= np.exp(0.02 * np.random.default_rng(4).normal(size=z.size))
    found = status(c, z, model="annealed_implant")
    assert found["status"].item() == "truncated"
    assert np.isnan(found["dose"])


@pytest.mark.parametrize(("digits", "rel"), [("single precision", 1e-5), ("four digits", 2e-2)])
def test_values_that_are_rounded_have_the_fit_of_their_counts(digits, rel):
    """Of a curve far below the samples, too, which is not the lowest minimum then."""
    z = np.arange(0, 400, 2.0)
    true = [models_truth.values("gaussian", p, z) for p in ((9e13, 130, 30), (1e13, 190, 50))]
    counts = np.random.default_rng(11).poisson(sum(true) / 1.2345e16)
    ds = models_truth.profile(counts * 1.2345e16, z).to_dataset()
    ds = sims.with_counting_statistics(ds, value_per_count="1.2345e16 atoms/cm^3")
    expected = quietly(ds, model="gaussian")
    if digits == "single precision":
        ds = ds.astype(np.float32)
    else:
        ds["concentration"].values[:] = [float(f"{v:.3e}") for v in ds["concentration"].values]
    found = quietly(ds, model="gaussian")
    for name in ("dose", "projected_range", "straggle", "objective_value"):
        assert found[name].item() == pytest.approx(expected[name].item(), rel=rel)


def test_a_formula_with_a_hole_is_refused(approved):
    lognormal = Model(
        name="lognormal", summary="", reference="",
        parameters=(Parameter("dose", "area", "", lower=0), Parameter("median", "depth", "", 0),
                    Parameter("shape", "dimensionless", "", lower=0)),
        formula=lambda z, q, m, s: q / z / s * np.exp(-(np.log(z / m) ** 2) / 2 / s**2),
        start=lambda z, c: [(np.trapezoid(c, z), z[np.argmax(c)], 0.5)],
    )  # fmt: skip
    z = np.linspace(0, 300, 151)
    c = np.append(0.0, lognormal.formula(z[1:], 1e22, 90.0, 0.4))
    one = models_truth.profile(c, z)
    with raises(ProfileError, argument="model", text=approved):
        sims.fit(one, model=lognormal, weights="none")
    fit = sims.fit(one, model=lognormal, weights="none", start="1 nm")
    assert fit["shape"].item() == pytest.approx(0.4, rel=1e-6)


@pytest.mark.slow
def test_the_curve_has_the_error_of_its_parameters():
    z = np.linspace(0, 220, 111)
    ds = models_truth.counted("gaussian", (1e15, 100, 30), z, peak=1000, trials=300, seed=9)
    fit = quietly(ds, model="gaussian")
    curve = sims.evaluate(fit, depth=ds["depth"])
    assert curve.dims == ("trial", "depth")
    assert curve.attrs["units"] == "atom/cm^3"
    for depth in (60.0, 100.0, 160.0):
        here = curve.sel(depth=depth)
        ratio = float(here.std() / here["stderr"].mean())
        assert ratio == pytest.approx(1, abs=0.12), depth


def test_every_model_is_listed_and_complete():
    without = set(sims.list_models().index) ^ set(models_truth.TRUTH)
    assert not without, f"add its parameters to TRUTH in tests/models_truth.py: {without}"
    for model in models().values():
        assert model.reference
        assert all(one.definition for one in (*model.parameters, *model.derived))
        assert model.name == model.formula.__module__.rsplit(".", 1)[-1]


@pytest.mark.slow
def test_a_fit_is_saved_and_read_back(tmp_path):
    pytest.importorskip("h5netcdf")
    fit = sims.fit(data_of("gaussian", (1e15, 100, 30), 300, "log"), model="gaussian")
    fit.to_netcdf(tmp_path / "fit.nc", engine="h5netcdf")
    again = xr.load_dataset(tmp_path / "fit.nc", engine="h5netcdf")
    assert sims.evaluate(again, depth="100 nm").item() == pytest.approx(
        sims.evaluate(fit, depth="100 nm").item()
    )


# --- fits that are not ok -----------------------------------------------------


@pytest.mark.few(2)
@pytest.mark.slow
@pytest.mark.parametrize("model", ["gaussian", "pearson", "joined_gaussian", "dual_pearson"])
@pytest.mark.parametrize(("share", "apart"), [(0.03, 160), (0.9, 75)])
def test_a_weak_or_a_close_second_peak_is_seen(model, share, apart):
    z = np.linspace(0, 400, 201)
    c = models_truth.values("gaussian", (1e15, 100, 25), z)
    c += models_truth.values("gaussian", (share * 1e15, 100 + apart, 25), z)
    c *= np.exp(0.02 * np.random.default_rng(3).normal(size=z.size))
    assert status(c, z, model)["status"].item() == "several_peaks"


def test_a_curve_that_peaks_outside_two_peaks_has_no_parameters():
    z = np.arange(0.0, 400.0, 2.0)
    both = [models_truth.values("gaussian", one, z) for one in ((5e14, -40, 30), (5e14, 390, 30))]
    counts = np.random.default_rng(0).poisson(sum(both) / np.max(sum(both)) * 1000)
    ds = models_truth.profile(counts * 1e15, z).to_dataset()
    ds = sims.with_counting_statistics(ds, value_per_count="1e15 cm^-3")
    fit = quietly(ds, model="gaussian")
    assert fit["status"].item() == "several_peaks"
    assert np.isnan([fit["dose"], fit["projected_range"], fit["dose_stderr"]]).all()


@pytest.mark.slow
def test_a_fitted_curve_of_two_peaks_is_no_implant():
    z = np.linspace(0, 300, 151)
    c = models_truth.values("gaussian", (1e15, 100, 22), z)
    c += models_truth.values("gaussian", (9.5e14, 153, 22), z)
    ds = models_truth.profile(c, z).to_dataset()
    counts = np.random.default_rng(0).poisson(c / c.max() * 1000).astype(float)
    ds["concentration"] = ds["concentration"].copy(data=counts * c.max() / 1000)
    ds["concentration_counts"] = ("depth", counts, {"units": "count"})
    fit = quietly(ds, model="dual_pearson")
    assert fit["status"].item() == "several_peaks"
    whole = (1e15, 150, 30, 0.3, 3.5)
    for peak in (10, 1000):
        ds = models_truth.counted("pearson", whole, z, peak=peak, trials=20, seed=1)
        assert (quietly(ds, model="pearson")["status"] == "ok").all()


def counted_shoulder(share, peak):
    z = np.linspace(0, 400, 201)
    c = models_truth.values("gaussian", (1e15, 120, 25), z)
    c += models_truth.values("gaussian", (share * 1e15, 180, 25), z)
    counts = np.random.default_rng(3).poisson(c / c.max() * peak).astype(float)
    ds = models_truth.profile(counts * c.max() / peak, z).to_dataset()
    return ds.assign(concentration_counts=("depth", counts, {"units": "count"}))


@pytest.mark.few(2)
@pytest.mark.slow
@pytest.mark.parametrize("model", ["gaussian", "joined_gaussian", "pearson"])
@pytest.mark.parametrize("peak", [1e3, 1e5])
def test_a_shoulder_does_not_pass_for_an_implant(model, peak):
    with warns(FitWarning, "wrong_shape"):
        fit = sims.fit(counted_shoulder(0.5, peak), model=model)
    assert fit["status"].item() == "wrong_shape"
    assert fit["dose"].item() == pytest.approx(1.5e15, rel=0.02)


def test_an_implant_that_is_slightly_off_its_model_stays_ok(approved):
    ds = sims.open_example("boron-implant").sel(species="B")
    ds = sims.with_counting_statistics(ds, value_per_count="1e14 atoms/cm^3")
    with warns(FitWarning, species="B", text=approved):
        fit = sims.fit(ds, model="pearson", start="20 nm", background="fit")
    assert fit["reduced_chi_square"].item() > 20  # of 7e5 counts; 1 % of the maximum
    assert fit["status"].item() == "ok"


@pytest.mark.parametrize(
    "options", [{"start": "900 nm", "stop": "1 um"}, {"start": "900 nm"}, {"stop": "0.5 nm"}]
)
def test_a_window_without_samples_is_named(options, approved):
    ds = sims.open_example("boron-implant")
    for question in (
        lambda: sims.fit(ds, model="gaussian", **options)["status"].values,
        lambda: sims.interface(ds, **options)["status"].values,
        lambda: (
            sims.sheet_resistance(ds, donors=["P"], acceptors=["B"], **options)["status"].values
        ),
    ):
        with warns(FitWarning, "no_sample_in_window", species="B", text=approved):
            assert (question() == "no_data").all()


def test_a_whole_profile_is_not_called_truncated():
    z = np.linspace(0, 400, 201)
    c = models_truth.values("gaussian", (1e15, 100, 25), z) + 1e15
    c *= np.exp(0.02 * np.random.default_rng(3).normal(size=z.size))
    with warns(FitWarning, "wrong_shape"):
        fit = sims.fit(models_truth.profile(c, z), model="gaussian")
    assert fit["status"].item() == "wrong_shape"
    assert np.isnan(fit["dose"])
    cut = status(c, z, stop="90 nm")
    assert cut["status"].item() == "truncated"


@pytest.mark.parametrize("model", ["edge", pytest.param("edge_logistic", marks=pytest.mark.slow)])
@pytest.mark.parametrize(("position", "way"), [(30.0, -1), (170.0, 1)])
def test_a_step_outside_of_the_window_has_no_parameters(model, position, way):
    """The tail of a step is that of many, whose plateaus are not in the window."""
    z = np.arange(50.0, 150.0)
    c = 1e20 * special.ndtr(way * (z - position) / 25) + 1e17
    counts = np.random.default_rng(0).poisson(c / 1e15)
    ds = models_truth.profile(counts * 1e15, z).to_dataset()
    ds["concentration_counts"] = ("depth", counts.astype(float), {"units": "count"})
    with warns(FitWarning, "truncated"):
        fit = sims.fit(ds, model=model)
    assert fit["status"] == "truncated"
    assert np.isnan(fit["position"])


@pytest.mark.parametrize("weights", ["log", "none"])
@pytest.mark.parametrize("model", ["edge", "edge_logistic"])
def test_an_exact_step_between_two_samples_has_no_width(model, weights):
    """Any step as narrow as that passes through all samples."""
    z = np.arange(100.0)
    step = models_truth.profile(np.where(z < 50, 1e20, 1e18), z)
    with warns(FitWarning, "undetermined"):
        fit = sims.fit(step, model=model, weights=weights)
    assert fit["status"].item() == "undetermined"
    assert np.isnan(fit["width_16_84_stderr"].item())
    # Of plateaus that slope, levels at a position that is not known are not known either.
    assert not fit["left_level_stderr"].item() >= 1e-6 * 1e20


def test_a_distribution_that_ends_steeply_inside_the_window_is_whole():
    z = np.linspace(1, 300, 150)
    c = models_truth.values("pearson", (1e15, 150, 30, 0.0, 1.85), z)
    fit = sims.fit(models_truth.profile(c, z), model="pearson")
    assert fit["n_left_out"] > 90
    assert fit["status"].item() == "ok"
    assert fit["straggle"].item() == pytest.approx(30, rel=1e-6)
    # As far as it goes inside the window, it is not.
    with warns(FitWarning, "truncated"):
        cut = sims.fit(models_truth.profile(c, z), model="pearson", stop="170 nm")
    assert cut["status"].item() == "truncated"


@pytest.mark.slow
def test_values_that_scatter_about_zero_are_all_taken():
    """Their positive half alone would make a plateau at 0 one above it, with an error."""
    z, rng = np.linspace(0.5, 400, 160), np.random.default_rng(1)
    c = models_truth.values("edge", (200, 20, 1e20, 0, 0, 0), z)
    c = c + 3e18 * rng.normal(size=(40, z.size))
    fit = sims.fit(models_truth.profile(c, z, dims=("trial", "depth")), model="edge")
    assert (fit["objective"] == "squares").all()
    assert (fit["n_left_out"] == 0).all()
    assert (abs(fit["right_level"]) < fit["right_level_stderr"]).mean() > 0.5
    # A limit censors them, and zeros alone are left out.
    limited = quietly(models_truth.profile(c[0], z), model="edge", detection_limit="5e18 cm^-3")
    clipped = quietly(models_truth.profile(np.maximum(c[0], 0), z), model="edge")
    assert limited["objective"] == clipped["objective"] == "squares of ln C"


def test_a_fit_across_a_gap_is_not_ok():
    z = np.linspace(0, 220, 111)
    z = z[(z < 80) | (z > 115)]
    c = models_truth.values("gaussian", (1e15, 100, 30), z)
    one = models_truth.profile(c * np.exp(0.02 * np.random.default_rng(1).normal(size=z.size)), z)
    with warns(FitWarning, "gap"):
        fit = sims.fit(one, model="gaussian")
    assert fit["status"].item() == fit["curve_status"].item() == "gap"
    accepted = sims.fit(one, model="gaussian", gaps="bridge")
    assert accepted["status"].item() == accepted["curve_status"].item() == "ok"
    assert accepted["straggle"].item() == fit["straggle"].item()
    assert quietly(one, model="gaussian", start="116 nm")["status"].item() != "gap"


def test_a_fit_of_saturated_samples_is_not_ok():
    z = np.linspace(0, 220, 111)
    k = np.minimum(drawn(z, 10_000, 1), 6000)
    with warns(FitWarning, "saturated", trial="0"):
        fit = sims.fit(counts_of(k, z), model="gaussian")
    assert fit["status"].values.tolist() != ["ok"]
    tail = quietly(counts_of(np.minimum(drawn(z, 10_000, 1), 9000), z), model="gaussian")
    assert tail["status"].item() in ("saturated", "wrong_shape")


@pytest.mark.slow
@pytest.mark.parametrize("chunks", [None, {"wafer": 1}])
def test_what_is_not_known_for_one_profile_leaves_it_alone_without_an_answer(chunks):
    z = np.linspace(0, 220, 111)
    c = models_truth.values("gaussian", (1e15, 100, 30), z) + 1e17
    both = models_truth.profile(np.stack([c, c]), z, dims=("wafer", "depth"))
    if chunks is not None:
        pytest.importorskip("dask")
        both = both.chunk(chunks)

    def known(value, unit):
        return xr.DataArray([value, np.nan], dims="wafer", attrs={"units": unit})

    level = quietly(both, model="gaussian", background=known(1e17, "atom/cm^3"))
    assert level["status"].values.tolist() == ["ok", "no_data"]
    start = quietly(both, model="gaussian", background="fit", start=known(1.0, "nm"))
    assert start["status"].values.tolist() == ["ok", "no_data"]


@pytest.mark.slow
def test_a_grid_of_few_counts_is_not_saturated():
    z = np.linspace(0, 250, 251)
    expected = 10 - 8 * special.ndtr((z - 120) / 10)
    k = np.random.default_rng(11).poisson(np.broadcast_to(expected, (20, z.size)))
    fit = quietly(sims.to_grid(counts_of(k, z), step="0.25 nm"), model="edge")
    assert "saturated" not in fit["status"].values.tolist()
    assert float((fit["status"] == "ok").mean()) > 0.8


@pytest.mark.filterwarnings("ignore::sims_analysis.FitWarning")  # a few of 20 are not ok
def test_an_edge_down_to_zero_counts_is_known_no_better_than_counts_tell():
    """Errors of 1e-59 nm were stated, ``ok``: no count in any sample was taken for exactly none."""
    z, rng = np.arange(0, 240, 1.5), np.random.default_rng(0)
    c = rng.poisson(200 * special.ndtr((110 - z) / 9), (20, z.size)) * 1e15
    ds = models_truth.profile(c, z, dims=("trial", "depth")).to_dataset(name="concentration")
    fit = sims.fit(sims.with_counting_statistics(ds, value_per_count="1e15 cm^-3"), model="edge")
    off = (abs(fit["position"] - 110) / fit["position_stderr"]).where(fit["status"] == "ok")
    assert off.count() > 10
    assert off.max() < 4
