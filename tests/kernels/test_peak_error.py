"""Errors of maxima against the parabola that they rest on."""

import math

import numpy as np
import pytest

from sims_analysis.kernels.peak import peak
from sims_analysis.kernels.rows import Dense

FREE = np.array([math.nan])


@pytest.mark.parametrize(("first", "last"), [(-20, 20), (0, 20), (-20, 0)])
def test_without_noise_the_error_is_that_of_a_parabola_through_the_samples_about_it(first, last):
    # Window and weights by hand: 100 counts at the maximum, a standard deviation of 3 samples. A
    # maximum at an end of the record stays there, though its neighbours are as high within noise.
    z = np.arange(first, last + 1.0)
    c = 100 * np.exp(-(z**2) / 18)
    found = peak(Dense(z, c[None], np.sqrt(c)[None]), FREE, FREE)
    side = 100 * np.exp(-(np.arange(1, 21.0) ** 2) / 18)
    for reach in range(2, 20):
        inner, outer = side[: reach // 2], side[reach // 2 : reach]
        variance = inner.mean() / inner.size + outer.mean() / outer.size
        if inner.mean() - outer.mean() > 3 * math.sqrt(variance):
            break
    fitted = int(0.65 * reach)
    x = np.arange(max(-fitted, first), min(fitted, last) + 1.0)
    powers = np.stack([np.ones_like(x), x, x * x])
    information = (powers * 100 * np.exp(-(x**2) / 18)) @ powers.T
    expected = 100 * math.sqrt(np.linalg.inv(information)[0, 0])
    assert found.stderr[0] == pytest.approx(expected, rel=1e-6)
