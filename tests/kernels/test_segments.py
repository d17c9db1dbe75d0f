"""In one segment: means and values of exponentials and straight lines, pieces, weights."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sims_analysis.kernels import segments


def test_log_mean_of_nearly_equal_numbers():
    c0 = np.full(50, 1e18)
    c1 = c0 * (1 + np.logspace(-15.5, -3, 50))
    found = segments.log_mean(c0, c1)
    d = c1 - c0
    series = c0 + d / 2 - d * d / c0 / 12 + d**3 / c0**2 / 24
    np.testing.assert_allclose(found, series, rtol=3e-13)


@given(
    c0=st.floats(1e-300, 1e300), c1=st.floats(1e-300, 1e300), t=st.floats(0, 1, exclude_min=True)
)
def test_between_stays_between(c0, c1, t):
    found = segments.interpolated(np.array([c0]), np.array([c1]), np.array([t]), log=True)
    assert min(c0, c1) <= found[0] <= max(c0, c1)
    wanted = math.exp((1 - t) * math.log(c0) + t * math.log(c1))
    assert found[0] == pytest.approx(wanted, rel=1e-11)


@pytest.mark.parametrize(("u", "v"), [(2.0, 5.0), (2.0, 2.5), (3.1, 4.4), (4.0, 5.0), (3.0, 3.0)])
def test_pieces_of_an_exponential_and_of_a_straight_line(u, v):
    z0, z1, u, v = (np.array([x]) for x in (2.0, 5.0, u, v))
    ends = 1e18 * np.exp(-z0 / 1.5), 1e18 * np.exp(-z1 / 1.5)
    found = segments.piece(z0, z1, *ends, u, v, log=True)
    np.testing.assert_allclose(found, 1.5e18 * (np.exp(-u / 1.5) - np.exp(-v / 1.5)), rtol=1e-12)
    found = segments.piece(z0, z1, 4 - z0, 4 - z1, u, v, log=False)
    np.testing.assert_allclose(found, 4 * (v - u) - (v**2 - u**2) / 2, rtol=1e-14)


@pytest.mark.parametrize("log", [False, True])
def test_rounding_does_not_leave_the_two_ends(log):
    c0, c1 = 10 ** np.random.default_rng(3).uniform(10, 21, (2, 20_000))
    for t in (1e-16, 1.0 - 1e-16, 0.3):
        for a, b in ((c0, c1), (c0, c0 * (1.0 + 1e-15))):
            found = segments.interpolated(a, b, np.full(c0.size, t), log=log)
            assert (found >= np.minimum(a, b)).all()
            assert (found <= np.maximum(a, b)).all()
