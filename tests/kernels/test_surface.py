"""The local fit: exact for exponentials, and least squares of the samples around otherwise."""

import math

import numpy as np
import pytest

from sims_analysis.kernels.rows import Packed, Status
from sims_analysis.kernels.surface import local_value


def at(z, c, depth, sigma=None, samples=5):
    rows = Packed(z, c, sigma, offsets=np.array([0, z.size]))
    return local_value(rows, np.array([depth]), np.zeros(1), np.ones(1), samples=samples)


@pytest.mark.parametrize("known", [False, True])
def test_exact_for_an_exponential(known):
    z = np.cumsum(np.random.default_rng(0).uniform(0.3, 2, 30))
    c = 1e19 * np.exp(-z / 6)
    found = at(z, c, 9.1, 0.1 * c if known else None)
    assert found.value[0] == pytest.approx(1e19 * math.exp(-9.1 / 6), rel=1e-9)
    assert found.status[0] == Status.OK


def test_least_squares_of_the_nearest_samples():
    rng = np.random.default_rng(1)
    z = np.arange(0.0, 40.0, 2.0)
    c = 1e18 * np.exp(-z / 12 + rng.normal(0, 0.2, z.size))
    c[4] = 0.0  # no logarithm: left out
    near = [3, 5, 6, 7, 8]  # the five others nearest to 11 nm
    (b, a), cov = np.polyfit(z[near] - 11.0, np.log(c[near]), 1, cov=True)
    found = at(z, c, 11.0)
    assert found.value[0] == pytest.approx(math.exp(a), rel=1e-10)
    assert found.stderr[0] == pytest.approx(math.exp(a) * math.sqrt(cov[1, 1]), rel=1e-8)
    assert b < 0


@pytest.mark.parametrize(
    ("c", "depth", "status"),
    [
        ([1e18] * 5, -0.1, Status.TRUNCATED),
        ([1e18] * 5, 4.1, Status.TRUNCATED),
        ([1e18, 1e18, 0, 0, 0], 2.0, Status.NO_DATA),
        ([], 2.0, Status.NO_DATA),
        ([1e18] * 5, 4.0, Status.OK),
    ],
)
def test_statuses(c, depth, status):
    found = at(np.arange(float(len(c))), np.array(c, dtype=float), depth)
    assert found.status[0] == status
    assert np.isnan(found.value[0]) == (status != Status.OK)
