"""Objectives: their derivatives, what a constant reaches, and what residuals say."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import optimize, stats

from sims_analysis.fitting.objectives import LogSquares, Poisson, Squares

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


@pytest.mark.parametrize("excess", [0.99e-5, -0.99e-5, 1.01e-5, -1.01e-5])
def test_residuals_of_counts_are_smooth_where_curve_and_counts_meet(excess):
    k = np.array([100.0, 1e6])
    one = Poisson(k, np.ones(2), np.zeros(2))
    m = k * (1 + excess)
    series = np.sqrt(k) * excess * (1 - excess / 3)
    np.testing.assert_allclose(one.linearized(m)[0], series, rtol=1e-5)
    slope = (1 - 2 * excess / 3) / np.sqrt(k)
    np.testing.assert_allclose(one.linearized(m)[1], slope, rtol=1e-5)


def test_a_share_of_samples_counts_as_so_many_fewer():
    one, shared = OBJECTIVES["counts"], OBJECTIVES["a share"]
    np.testing.assert_allclose(shared.linearized(M)[0], 0.5 * one.linearized(M)[0], rtol=1e-12)
    np.testing.assert_allclose(shared.information(M), 0.25 * one.information(M), rtol=1e-12)
    assert shared.informative == 0.25 * one.informative
    assert (shared.code, shared.known_errors, shared.below_zero) == (1, True, False)
    found, whole = shared.statistics(M, 3.0, 1.0), one.statistics(M, 12.0, 4.0)
    np.testing.assert_array_equal(found.r, whole.r[::6])
    np.testing.assert_array_equal(found.of, whole.of[::6])
    assert found.aic == 0.25 * whole.aic
    value, degrees, variance = whole.test
    assert found.test == (0.25 * value, 0.25 * degrees, variance)
    squares = replace(OBJECTIVES["squares"], share=0.25)
    assert squares.variance(3.0, 1.0) == OBJECTIVES["squares"].variance(12.0, 4.0)


def test_a_count_next_to_what_is_expected_departs_by_its_excess_without_a_warning():
    # Warnings are errors here: none of the root of what rounding makes negative.
    part = np.linspace(-1e-6, 1e-6, 2001)
    one = Poisson(np.full(2001, 37.0), np.ones(2001), np.zeros(2001))
    found = one.linearized(37.0 * (1 + part))[0]
    np.testing.assert_allclose(found, np.sqrt(37.0) * part, rtol=1e-6, atol=1e-14)


@pytest.mark.parametrize("power", [0.5, 1.0])
def test_noise_that_made_errors_small_does_not_draw_a_curve_down(power):
    """A level by errors as of counts, or in proportion to samples: weights are by the curve."""
    c = np.random.default_rng(0).normal(1.0, 0.1, (50, 200))
    objectives = [Squares(one, 0.1 * one**power) for one in c]
    drawn = [one.level(one.value) for one in objectives]
    assert np.mean(drawn) < c.mean() - 0.008
    levels = [one.refined(np.full(200, m), 1) for one, m in zip(objectives, drawn, strict=True)]
    assert np.mean([one.level(one.value) for one in levels]) == pytest.approx(c.mean(), abs=1e-3)
    smooth = Squares(c[0], np.linspace(0.1, 0.2, 200))
    assert smooth.refined(np.ones(200), 1) is smooth


@pytest.mark.parametrize("share", [1.0, 0.25, 3.0])
def test_samples_below_a_limit_scatter_as_the_others_do(share):
    every = replace(OBJECTIVES["limits"], share=share)
    others = LogSquares(every.value[~LOW], LOW[~LOW], share=share)
    variance = others.variance(others.cost(M[~LOW]), 1.0)
    assert every.refined(M, 1.0).scatter == pytest.approx(variance**0.5, rel=1e-12)
