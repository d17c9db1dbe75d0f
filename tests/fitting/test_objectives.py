"""Objectives: their derivatives, what a constant reaches, and what residuals say."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import optimize, stats

from sims_analysis.fitting.objectives import OBJECTIVES as WORDS
from sims_analysis.fitting.objectives import LogSquares, Poisson, Squares
from sims_analysis.kernels.residuals import scatter

Z = np.linspace(0, 1, 9)
M = 0.2 + 0.8 * np.exp(-8 * (Z - 0.4) ** 2)
K = np.array([0.0, 3.0, 9.0, 30.0, 41.0, 26.0, 15.0, 0.0, 2.0])
LOW = np.arange(9) > 6
OBJECTIVES = {
    "counts": Poisson(K, np.full(9, 0.02), np.zeros(9)),
    "counts less what was subtracted": Poisson(K, np.full(9, 0.02), np.full(9, 0.1)),
    "errors": Squares(M + 0.05 * np.cos(9 * Z), np.linspace(0.02, 0.05, 9)),
    "squares": Squares(M + 0.05 * np.cos(9 * Z), None),
    "logarithms": LogSquares(M * np.exp(0.1 * np.cos(9 * Z)), np.zeros(9, dtype=bool), 0.3),
    "limits": LogSquares(M * np.exp(0.1 * np.cos(9 * Z)), LOW, 0.3),
}
OBJECTIVES["a share"] = replace(OBJECTIVES["counts"], share=0.25)


@pytest.fixture(params=OBJECTIVES)
def objective(request):
    return OBJECTIVES[request.param]


def test_slopes_are_those_of_the_residuals(objective):
    step = 1e-6
    up, down = (objective.linearized(M + sign * step)[0] for sign in (1, -1))
    slope = objective.linearized(M)[1]
    np.testing.assert_allclose(slope, (up - down) / (2 * step), rtol=1e-6)
    assert (slope > 0).all()


@pytest.mark.parametrize("name", ["counts", "errors", "squares", "logarithms", "a share"])
def test_information_is_the_square_of_slopes_where_curve_and_samples_agree(name):
    one = OBJECTIVES[name]
    values = getattr(one, "value", None)
    m = np.maximum(0.02 * K, 0.02) if values is None else values
    seen = K > 0 if values is None else np.ones(9, dtype=bool)
    slope = one.linearized(m)[1]
    np.testing.assert_allclose(one.information(m)[seen], slope[seen] ** 2, rtol=1e-9)


def test_information_of_a_limit_is_the_curvature_of_its_likelihood():
    """That of ``-ln Phi[(ln c - ln m) / s]`` over ln m."""
    one = OBJECTIVES["limits"]
    at, step = np.log(M[LOW]), 1e-4

    def half(x):
        return -stats.norm.logcdf((np.log(one.value[LOW]) - x) / 0.3)

    curved = (half(at + step) - 2 * half(at) + half(at - step)) / step**2
    # In units of the variance of ln C, as that of other samples.
    np.testing.assert_allclose(one.information(M)[LOW] * M[LOW] ** 2, 0.09 * curved, rtol=1e-4)
    np.testing.assert_allclose(one.linearized(M)[0][LOW] ** 2, 2 * 0.09 * half(at), rtol=1e-12)


@pytest.mark.parametrize("name", ["counts", "counts less what was subtracted", "errors", "squares"])
def test_the_level_is_the_best_constant(name):
    one, c = OBJECTIVES[name], 0.02 * K

    def cost(level):
        return float(np.sum(one.linearized(np.full(9, level))[0] ** 2))

    c = c if isinstance(one, Poisson) else one.value
    best = optimize.minimize_scalar(
        cost, bounds=(0.01, 2), method="bounded", options={"xatol": 1e-9}
    )
    assert one.level(c) == pytest.approx(best.x, rel=1e-6)


def test_the_level_of_logarithms_is_the_geometric_mean():
    one = OBJECTIVES["logarithms"]
    assert one.level(one.value) == pytest.approx(stats.gmean(one.value), rel=1e-12)


def test_residuals_of_counts_are_roots_of_the_deviance():
    one = OBJECTIVES["counts"]
    mu = M / 0.02
    logs = np.where(K > 0, K * np.log(np.where(K > 0, K, 1) / mu), 0.0)
    expected = np.sign(mu - K) * np.sqrt(2 * (mu - K + logs))
    np.testing.assert_allclose(one.linearized(M)[0], expected, rtol=1e-9)
    assert one.informative == 7


@pytest.mark.parametrize("excess", [0.99e-5, -0.99e-5, 1.01e-5, -1.01e-5])
def test_residuals_of_counts_are_smooth_where_curve_and_counts_meet(excess):
    k = np.array([100.0, 1e6])
    one = Poisson(k, np.ones(2), np.zeros(2))
    m = k * (1 + excess)
    series = np.sqrt(k) * excess * (1 - excess / 3)
    np.testing.assert_allclose(one.linearized(m)[0], series, rtol=1e-5)
    slope = (1 - 2 * excess / 3) / np.sqrt(k)
    np.testing.assert_allclose(one.linearized(m)[1], slope, rtol=1e-5)


def test_what_one_residual_is_worth():
    residuals = 10.0
    assert OBJECTIVES["counts"].variance(residuals, 3) == 1
    assert OBJECTIVES["errors"].variance(residuals, 3) == 1
    assert OBJECTIVES["squares"].variance(residuals, 3) == pytest.approx(10 / 6)
    assert OBJECTIVES["logarithms"].variance(residuals, 3) == pytest.approx(10 / 6)
    assert OBJECTIVES["limits"].variance(residuals, 3) == pytest.approx(0.09)
    # As many parameters as samples leave no degree of freedom, and no division by zero.
    assert OBJECTIVES["squares"].variance(residuals, 9) == 10


def test_akaikes_criterion():
    known, unknown = OBJECTIVES["errors"], OBJECTIVES["squares"]
    assert known.statistics(M, 12.0, 3).aic == 12 + 2 * 3
    assert unknown.statistics(M, 12.0, 3).aic == pytest.approx(9 * np.log(12 / 9) + 2 * 4)
    assert OBJECTIVES["counts"].statistics(M, 12.0, 3).aic == 12 + 2 * 3


def test_chi_square_is_of_known_errors():
    assert OBJECTIVES["errors"].statistics(M, 12.0, 3).test == (12.0, 6, 1.0)
    for name in ("squares", "logarithms"):
        test = OBJECTIVES[name].statistics(M, 12.0, 3).test
        assert np.isnan([test.value, test.reduced, test.chance]).all()


def test_residuals_of_few_counts_and_of_limits_are_not_compared_with_neighbours():
    mu = M / 0.02
    of = OBJECTIVES["counts"].statistics(np.where(Z > 0.9, 0.0599, M), 1.0, 3).of
    np.testing.assert_array_equal(of, np.flatnonzero(np.where(Z > 0.9, 2.995, mu) >= 3))
    np.testing.assert_array_equal(
        OBJECTIVES["limits"].statistics(M, 1.0, 3).of, np.flatnonzero(~LOW)
    )


def test_a_share_of_samples_counts_as_so_many_fewer():
    one, shared = OBJECTIVES["counts"], OBJECTIVES["a share"]
    np.testing.assert_allclose(shared.linearized(M)[0], 0.5 * one.linearized(M)[0], rtol=1e-12)
    np.testing.assert_allclose(shared.information(M), 0.25 * one.information(M), rtol=1e-12)
    assert shared.informative == 0.25 * one.informative
    assert (shared.code, shared.known_errors, shared.below_zero) == (1, True, False)
    ours, theirs = shared.statistics(M, 3.0, 1.0), one.statistics(M, 12.0, 4.0)
    np.testing.assert_array_equal(ours.r, theirs.r[::6])
    np.testing.assert_array_equal(ours.of, theirs.of[::6])
    assert ours.aic == 0.25 * theirs.aic
    value, degrees, variance = theirs.test
    assert ours.test == (0.25 * value, 0.25 * degrees, variance)
    squares = replace(OBJECTIVES["squares"], share=0.25)
    assert squares.variance(3.0, 1.0) == OBJECTIVES["squares"].variance(12.0, 4.0)


def test_limits_scatter_as_the_other_samples_do():
    one = OBJECTIVES["limits"]
    refined = one.refined(M, 2)
    r = np.log(M / one.value)[~LOW]
    assert refined.scatter == pytest.approx(np.sqrt(r @ r / 5), rel=1e-12)
    assert OBJECTIVES["logarithms"].refined(M, 2) is OBJECTIVES["logarithms"]
    shared = replace(one, share=0.5)
    assert shared.refined(M, 1).scatter == refined.scatter
    assert one.refined(one.value, 2).scatter == 1e-3


def test_counts_need_not_be_whole_numbers():
    """Means of several samples hold parts of a count; the deviance is the same formula."""
    k = np.array([0.25, 0.5, 1.0, 1.5])
    one, m = Poisson(k, np.ones(4), np.zeros(4)), np.array([0.4, 0.3, 2.0, 1.0])
    expected = np.sign(m - k) * np.sqrt(2 * (m - k + k * np.log(k / m)))
    np.testing.assert_allclose(one.linearized(m)[0], expected, rtol=1e-12)
    np.testing.assert_allclose(one.linearized(m)[1], (1 - k / m) / expected, rtol=1e-12)


def test_a_curve_below_what_was_subtracted_expects_next_to_nothing():
    one = Poisson(np.array([0.0, 4.0]), np.full(2, 0.5), np.full(2, 1.0))
    mu = one.expected(np.array([-2.0, -1.0]))
    assert (mu > 0).all()
    assert (mu < 1e-100).all()
    np.testing.assert_allclose(one.expected(np.array([1.0, 0.0])), [4.0, 2.0])
    assert one.linearized(np.array([-2.0, 1.0]))[0][0] == pytest.approx(0, abs=1e-70)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_noise_is_stated_or_the_scatter_of_neighbours(name):
    one, c = OBJECTIVES[name], M * np.exp(0.1 * np.cos(9 * Z))
    found = one.noise(c)
    if isinstance(one, Poisson):
        np.testing.assert_allclose(found, 0.02 * np.sqrt(np.maximum(K, 1)))
    elif name == "errors":
        np.testing.assert_array_equal(found, one.stderr)
    elif name == "squares":
        assert found.shape == (9,)
        np.testing.assert_array_equal(found, found[0])
        assert found[0] == pytest.approx(scatter(c))
    else:
        np.testing.assert_allclose(found, scatter(np.log(one.value)) * c)


def test_codes_bounds_and_numbers_of_samples():
    said = {
        name: (WORDS[one.code], one.known_errors, one.below_zero, one.informative)
        for name, one in OBJECTIVES.items()
    }
    counts = "Poisson deviance", True, False
    assert said == {
        "counts": (*counts, 7),
        "counts less what was subtracted": (*counts, 7),
        "errors": ("weighted squares", True, True, 9),
        "squares": ("squares", False, True, 9),
        "logarithms": ("squares of ln C", False, False, 9),
        "limits": ("squares of ln C", False, False, 9),
        "a share": (*counts, 7 / 4),
    }


def test_other_minima_are_looked_for_with_other_weights_of_the_tails():
    c = np.array([1.0, 0.5, 1e-5, 1e-6, 1e-7, 0.0, -1.0])
    for name in ("counts", "errors", "squares", "a share"):
        other = OBJECTIVES[name].another(c)
        assert isinstance(other, LogSquares)
        np.testing.assert_array_equal(other.value, [1.0, 0.5, 1e-5, 1e-6, 1e-6, 1e-6, 1e-6])
        np.testing.assert_array_equal(other.below_limit, [False] * 4 + [True] * 3)
        assert other.scatter == 0.3
    less = OBJECTIVES["logarithms"].another(c)
    assert (type(less), less.known_errors, less.code) == (Squares, True, 2)
    np.testing.assert_allclose(less.stderr, np.sqrt([1.0, 0.5, 1e-4, 1e-4, 1e-4, 1e-4, 1e-4]))
    np.testing.assert_array_equal(less.value, c)


def test_a_share_refines_what_it_is_of_and_itself_only_then():
    for name in ("counts", "squares", "logarithms", "errors"):
        one = replace(OBJECTIVES[name], share=0.5)
        assert one.refined(M, 2) is one
        assert OBJECTIVES[name].refined(M, 2) is OBJECTIVES[name]
    limits = replace(OBJECTIVES["limits"], share=0.5)
    refined = limits.refined(M, 2)
    assert refined.share == 0.5
    # Of half as many samples, parameters count twice.
    assert refined.scatter == OBJECTIVES["limits"].refined(M, 4).scatter


def test_without_scatter_a_variance_is_next_to_nothing_and_not_zero():
    for name in ("squares", "logarithms"):
        assert OBJECTIVES[name].variance(0.0, 3) == 1e-18
    assert OBJECTIVES["squares"].statistics(M, 0.0, 3).aic == pytest.approx(
        9 * np.log(1e-300 / 9) + 8
    )


def test_the_level_of_counts_is_not_below_zero():
    one = Poisson(np.array([1.0, 2.0]), np.ones(2), np.full(2, 5.0))
    assert one.level(np.zeros(2)) == 1e-12


def test_a_curve_without_a_logarithm_is_far_below_the_samples():
    one = OBJECTIVES["logarithms"]
    m = M.copy()
    m[2] = -1.0
    r = one.linearized(m)[0]
    assert np.isfinite(r).all()
    assert r[2] < -300
    assert np.isfinite(one.linearized(m)[1]).all()


def test_a_count_next_to_what_is_expected_departs_by_its_excess_without_a_warning():
    # Warnings are errors here: none of the root of what rounding makes negative.
    part = np.linspace(-1e-6, 1e-6, 2001)
    one = Poisson(np.full(2001, 37.0), np.ones(2001), np.zeros(2001))
    found = one.linearized(37.0 * (1 + part))[0]
    np.testing.assert_allclose(found, np.sqrt(37.0) * part, rtol=1e-6, atol=1e-14)
