"""Errors of maxima against the parabola that they rest on."""

import math

import numpy as np
import pytest

from sims_analysis.kernels.peak import peak
from sims_analysis.kernels.rows import Dense

FREE = np.array([math.nan])


def test_without_noise_the_error_is_that_of_a_parabola_through_the_samples_about_it():
    # Window and weights by hand: 100 counts at the maximum, a standard deviation of 3 samples.
    z = np.arange(-20.0, 21.0)
    c = 100 * np.exp(-(z**2) / 18)
    found = peak(Dense(z, c[None], np.sqrt(c)[None]), FREE, FREE)
    for reach in range(2, 20):
        inner, outer = c[21 : 21 + reach // 2], c[21 + reach // 2 : 21 + reach]
        variance = inner.mean() / inner.size + outer.mean() / outer.size
        if inner.mean() - outer.mean() > 3 * math.sqrt(variance):
            break
    x = np.arange(-int(0.65 * reach), int(0.65 * reach) + 1.0)
    powers = np.stack([np.ones_like(x), x, x * x])
    information = (powers * 100 * np.exp(-(x**2) / 18)) @ powers.T
    expected = 100 * math.sqrt(np.linalg.inv(information)[0, 0])
    assert found.stderr[0] == pytest.approx(expected, rel=1e-6)
