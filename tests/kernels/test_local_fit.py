"""Local parabolas: their equations, and intervals about a place that noise has chosen."""

import numpy as np
from scipy.stats import norm

from sims_analysis.kernels.local_fit import half_width_about, solved


def test_an_interval_about_a_place_that_noise_has_moved_still_covers_68_percent():
    # The samples around say that the edge lies beside: P(|N(off, s)| < h) = 0.683.
    off, s = np.array([0.0, 0.5, 2.0, 30.0]), np.array([1.0, 2.0, 0.7, 1.0])
    h = half_width_about(off, s)
    covered = norm.cdf((h - off) / s) - norm.cdf((-h - off) / s)
    np.testing.assert_allclose(covered, 0.6826894921370859, rtol=1e-4)


def test_three_coefficients_are_solved_as_numpy_does():
    rng = np.random.default_rng(2)
    basis = rng.normal(size=(50, 3, 6)) * rng.uniform(1e-3, 1e3, (50, 3, 1))
    information, score = basis @ basis.mT, rng.normal(size=(50, 3))
    expected = np.linalg.solve(information, score[..., None])[..., 0]
    np.testing.assert_allclose(solved(information, score), expected, rtol=1e-8)
    information[3, :, 2] = information[3, 2] = information[3, :, 1]  # two that are the same
    information[3, 2, 2] = information[3, 1, 1]
    with np.errstate(all="ignore"):
        assert np.isnan(solved(information, score)[3]).all()
