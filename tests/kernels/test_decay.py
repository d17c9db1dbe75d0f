"""Decay lengths of exponentials, against closed forms and the fits of others."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize

from sims_analysis.kernels import exponentials as kernels
from sims_analysis.kernels.rows import Packed

NAN = math.nan


def rows_of(z, c, sigma=None):
    return Packed(z, c, sigma, offsets=np.array([0, z.size]))


def decay(z, c, sigma=None, start=NAN, stop=NAN, low=NAN, high=NAN, **options):
    limits = (np.array([x]) for x in (start, stop, low, high))
    return kernels.decay(rows_of(z, c, sigma), *limits, np.zeros(1), **options)


def test_relative_noise_without_errors_is_that_of_the_logarithm():
    rng = np.random.default_rng(1)
    z = np.sort(rng.uniform(0, 60, 30))
    c = 1e18 * np.exp(-z / 11 + rng.normal(0, 0.1, 30))
    (b, _), cov = np.polyfit(z, np.log(c), 1, cov=True)
    found = decay(z, c)
    # The likelihood of noise in proportion to C differs from least squares of ln C by its square.
    assert found.length[0] == pytest.approx(-1 / b, rel=1e-3)
    assert found.stderr[0] == pytest.approx(math.sqrt(cov[0, 0]) / b**2, rel=0.08)


def test_with_errors_the_likelihood_of_counts():
    rng = np.random.default_rng(2)
    z = np.arange(0.0, 60.0, 2.0)
    k = rng.poisson(20 * np.exp(-z / 13)).astype(float)
    assert (k == 0).any()  # zeros are data
    c, sigma = 1e16 * k, 1e16 * np.sqrt(np.maximum(k, 0.92**2))

    def unlikely(p):
        mean = p[0] - z / p[1]
        return np.exp(mean).sum() - (k * mean).sum()

    best = minimize(unlikely, [3.0, 10.0], method="Nelder-Mead", options={"xatol": 1e-9}).x
    found = decay(z, c, sigma)
    assert found.length[0] == pytest.approx(best[1], rel=1e-6)
    # Fisher's information on the slope, about the mean depth of what is expected.
    mean = np.exp(best[0] - z / best[1])
    about = (mean * z).sum() / mean.sum()
    information = (mean * (z - about) ** 2).sum()
    assert found.stderr[0] == pytest.approx(best[1] ** 2 / math.sqrt(information), rel=1e-4)
    assert 0.3 < found.reduced_chi_square[0] < 2


def test_reduced_chi_square_on_any_axis():
    rng = np.random.default_rng(6)
    z = np.cumsum(rng.uniform(0.2, 3, 25))
    c = 1e18 * np.exp(-z / 9 + rng.normal(0, 0.05, 25))
    found = decay(z, c, 0.05 * c)
    assert np.isnan(decay(z, c).reduced_chi_square[0])
    # Of counts of 400, whose fitted values have the variance.
    line = found.length[0]
    ((a,),) = np.linalg.lstsq(np.ones((25, 1)), np.log(c) + z / line, rcond=None)[:1]
    curve = np.exp(a - z / line)
    wanted = ((c - curve) ** 2 / (0.0025 * c * curve)).sum() / 23
    assert found.reduced_chi_square[0] == pytest.approx(wanted, rel=0.02)


@pytest.mark.parametrize("edge", [-1, 1])
def test_of_equal_maxima_the_one_next_to_the_edge(edge):
    z = np.arange(13.0)
    c = np.array([1e15, 1e16, 1e17, 1e18, 1e19, 3e18, 1e19, 1e18, 1e17, 1e16, 1e15, 1e14, 1e13])
    found = decay(z, c, low=1e16, high=5e18, edge=edge)
    assert found.length[0] == pytest.approx(1 / math.log(10))
    assert (found.start[0], found.stop[0]) == ((7.0, 9.0) if edge < 0 else (1.0, 3.0))


@pytest.mark.parametrize(("high", "n"), [(1e19, 5), (0.99e19, 2)])
def test_both_flanks_of_a_maximum_that_is_not_above_the_highest_level(high, n):
    z = np.arange(5.0)
    c = np.array([3e18, 6e18, 1e19, 4e18, 1e18])
    found = kernels.decay(
        rows_of(z, c, 0.01 * c), *np.full((2, 1), NAN), *np.array([[1e17], [high]]), np.zeros(1)
    )
    assert found.n[0] == n


@pytest.mark.parametrize(
    ("moved", "errors", "inside"),
    [
        # Beyond a level by noise, within three errors of it: the fit decides.
        ({6: 0.7}, 0.1, True),
        ({2: 1.4}, 0.1, True),
        # By more than three errors, the sample itself.
        ({6: 0.7}, 0.03, False),
        ({2: 1.4}, 0.03, False),
        # Inside by noise, and out by the fit.
        ({7: 2.6}, 0.4, True),
    ],
)
def test_near_a_level_the_fit_decides_which_samples_are_used(moved, errors, inside):
    z = np.arange(12.0)
    m = 1e18 * np.exp(-z)
    low, high = 0.8 * m[6], 1.25 * m[2]  # the third to the seventh sample
    c = m.copy()
    for sample, factor in moved.items():
        c[sample] *= factor
    sigma = errors * np.sqrt(c * m)  # of counts: the variance is in proportion to the value
    found = decay(z, c, sigma, low=low, high=high)
    assert found.n[0] == (5 if inside else 4)
    if inside:
        assert (found.start[0], found.stop[0]) == (2.0, 6.0)


def test_a_subtracted_background_makes_counts_scatter_more():
    z, one, floor = np.arange(0.0, 40.0, 2.0), 1e15, 3e16
    m = 5e16 * np.exp(-z / 10)
    rows = rows_of(z, m, np.sqrt(one * (m + floor)))
    found = kernels.decay(rows, *np.full((4, 1), NAN), np.array([floor]))
    assert found.length[0] == pytest.approx(10.0, rel=1e-6)
    # Fisher's information, with the variance of what was counted.
    weight = m**2 / (one * (m + floor))
    about = (weight * z).sum() / weight.sum()
    assert found.stderr[0] == pytest.approx(
        100 / math.sqrt((weight * (z - about) ** 2).sum()), rel=1e-4
    )
    assert found.reduced_chi_square[0] == pytest.approx(0.0, abs=1e-9)
