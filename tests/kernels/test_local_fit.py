"""Local parabolas: their equations, and intervals about a place that noise has chosen."""

import numpy as np
import pytest
from scipy.stats import norm

from sims_analysis.kernels.local_fit import (
    Counted,
    half_width_about,
    maximized,
)


def test_an_interval_about_a_place_that_noise_has_moved_still_covers_68_percent():
    # The samples around say that the edge lies beside: P(|N(off, s)| < h) = 0.683.
    off, s = np.linspace(0.0, 30.0, 301), 1.0
    h = half_width_about(off, s)
    covered = norm.cdf((h - off) / s) - norm.cdf((-h - off) / s)
    np.testing.assert_allclose(covered, 0.6826894921370859, atol=0.018)


def windows(rng, *, one_lower, under):
    """Return counts of two windows of 5 and 9 samples about a parabola of their logarithm."""
    size = np.array([5, 9])
    x = np.concatenate([np.linspace(-1, 1, n) for n in size])
    lower = np.where(np.arange(14) < 5, 2e17, 3e16)
    counts = rng.poisson(40 * np.exp(0.3 - 0.8 * x - 0.4 * x * x))
    one = np.full(14, 1e16)
    return Counted(x, counts * one, lower, one, one_lower * one, np.full(14, under), size)


@pytest.mark.parametrize(("one_lower", "under"), [(0.0, 0.0), (0.5, 0.0), (0.0, 0.2), (2.0, 0.1)])
def test_the_likelihood_of_counts_is_largest_at_what_is_found(one_lower, under):
    rng, prior = np.random.default_rng(5), np.array([0.0, 3.0])
    samples = windows(rng, one_lower=one_lower, under=under)
    found, information = maximized(samples, np.zeros(2), np.zeros(2), prior)
    for w, part in enumerate((slice(0, 5), slice(5, 14))):
        x, upper, lower, one, other, below, _ = (
            column[part] if column.size == 14 else column for column in samples
        )
        powers = np.stack([np.ones_like(x), x, x * x / 2])
        odds = np.exp(found[:, w] @ powers)
        variance = one * (1 + below / odds) + odds * other
        score = powers @ ((upper - odds * lower) / variance)
        held = np.array([0.0, 0.0, prior[w] * found[2, w]])
        np.testing.assert_allclose(score, held, atol=1e-5 * np.sum(upper / variance))
        if below.any():
            continue
        # The derivative of the score.
        weight = (odds * lower * one + odds * other * upper) / variance**2
        expected = (powers * weight) @ powers.T + np.diag([0, 0, prior[w]])
        np.testing.assert_allclose(information[w], expected, rtol=1e-4)
