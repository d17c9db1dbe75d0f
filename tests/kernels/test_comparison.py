"""Ratios, their errors by Monte Carlo, and means that do not depend on the order."""

import math

import numpy as np
import pytest

from sims_analysis.kernels import comparison


def test_ratios_and_where_there_are_none():
    a = np.array([1e18, 2.0, 0.0, -1.0, 1e-300, np.nan])
    b = np.array([1e17, 3.0, 1.0, 1.0, 1e300, 1.0])
    with np.errstate(all="raise"):
        ratio, log_ratio = comparison.ratios(a, b)
    np.testing.assert_allclose(ratio, [0.1, 1.5, np.nan, -1.0, np.inf, np.nan])
    wanted = [-1.0, math.log10(1.5), np.nan, np.nan, 600.0, np.nan]
    np.testing.assert_allclose(log_ratio, wanted, rtol=1e-14)


def test_errors_of_ratios_are_what_ratios_scatter():
    rng = np.random.default_rng(0)
    a, b = 5.0, 2.0
    noisy = comparison.ratios(rng.normal(a, 0.02, 40_000), rng.normal(b, 0.03, 40_000))
    stated = comparison.ratio_errors(*(np.array(x) for x in (a, b, 0.02, 0.03)))
    for error, scattered in zip(stated, noisy, strict=True):
        # A standard deviation of 40,000 values is known to 0.35 %.
        assert error == pytest.approx(scattered.std(), rel=0.015)


def test_a_ratio_of_nothing_has_the_error_of_its_numerator():
    ratio, log_ratio = comparison.ratio_errors(*(np.array(x) for x in (4.0, 0.0, 0.5, 2.0)))
    assert ratio == 0.5
    assert np.isnan(log_ratio)


def test_mean_and_deviation_of_what_was_measured():
    rng = np.random.default_rng(2)
    values = rng.lognormal(0, 3, (50, 9))
    values[rng.random(values.shape) < 0.4] = np.nan
    values[0], values[1, 1:] = np.nan, np.nan
    mean, deviation, count = comparison.mean_and_deviation(values)
    for row, m, s, n in zip(values, mean, deviation, count, strict=True):
        there = row[~np.isnan(row)]
        assert n == there.size
        assert m == pytest.approx(there.mean() if n else math.nan, rel=1e-13, nan_ok=True)
        wanted = there.std(ddof=1) if n > 1 else math.nan
        assert s == pytest.approx(wanted, rel=1e-12, nan_ok=True)
    for other in (values[:, ::-1], np.asfortranarray(values)):
        np.testing.assert_array_equal(comparison.mean_and_deviation(other)[1], deviation)


def test_means_are_along_the_last_of_several_dimensions():
    values = np.random.default_rng(5).normal(3.0, 1.0, (4, 5, 6))
    mean, deviation, count = comparison.mean_and_deviation(values)
    np.testing.assert_allclose(mean, values.mean(axis=-1), rtol=1e-13)
    np.testing.assert_allclose(deviation, values.std(axis=-1, ddof=1), rtol=1e-12)
    np.testing.assert_array_equal(count, np.full((4, 5), 6))
