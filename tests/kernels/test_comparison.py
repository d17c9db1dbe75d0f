"""Ratios, their errors by Monte Carlo, and means that do not depend on the order."""

import math

import numpy as np
import pytest

from sims_analysis.kernels import comparison


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
