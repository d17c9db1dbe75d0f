"""The local fit: exact for exponentials, and least squares of the samples around otherwise."""

import math

import numpy as np
import pytest

from sims_analysis.kernels.grid import shared_variance
from sims_analysis.kernels.rows import Packed
from sims_analysis.kernels.surface import local_value


def at(z, c, depth, sigma=None, samples=5, fraction=1.0):
    rows = Packed(z, c, sigma, offsets=np.array([0, z.size]))
    share = np.array([fraction])
    return local_value(rows, np.array([depth]), np.zeros(1), share, samples=samples)


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


def test_of_two_samples_as_near_the_shallower_is_used():
    z = np.arange(10.0)
    for samples, ends in ((5, (0, 4)), (6, (0, 5)), (20, (0, 9))):
        found = at(z, np.exp(-z), 2.5, samples=samples)
        assert (found.start[0], found.stop[0]) == ends


@pytest.mark.parametrize("depth", [4.0, 6.6])
def test_on_a_grid_neighbours_share_the_variance_of_their_samples(depth):
    z = np.arange(12.0)
    c = 1e18 * np.exp(-z / 300)
    plain, shared = (at(z, c, depth, 0.01 * c, 7, part) for part in (1.0, 0.3))
    own = z[int(plain.start[0]) : int(plain.stop[0]) + 1]
    weights = np.linalg.pinv(np.stack([np.ones_like(own), own - depth], axis=1))[0]
    expected = math.sqrt(shared_variance(weights[None], np.array([0.3]))[0])
    assert own.size == 7
    assert shared.stderr[0] / plain.stderr[0] == pytest.approx(expected, rel=1e-3)
    assert at(z, c, depth, None, 7, 0.3).stderr == at(z, c, depth, None, 7).stderr  # by scatter
