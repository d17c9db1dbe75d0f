"""Sums over rows are those of each row alone."""

import math

import numpy as np
import pytest

from sims_analysis.kernels.rows import dot_rows


@pytest.mark.parametrize("n", [8191, 8192, 8193, 20_000])
def test_sums_of_long_rows_are_those_of_each_alone(n):
    value, weights = np.random.default_rng(n).normal(size=(2, 3, n))
    for by in (weights, weights[0]):
        found = dot_rows(value, by)
        for row, c in enumerate(value):
            w = np.broadcast_to(by, value.shape)[row]
            assert found[row] == pytest.approx(math.fsum(c * w), rel=1e-10, abs=1e-9)
            assert dot_rows(value[row : row + 1], w)[0] == found[row]
