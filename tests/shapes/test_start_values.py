"""Where a fit begins: moments, lengths and plateaus of samples, and the sets of each model."""

import models_truth
import numpy as np
import pytest
from scipy.special import ndtr

from sims_analysis.kernels.samples import cells, smoothed
from sims_analysis.shapes import (
    edge,
    erfc,
    gaussian,
    joined_gaussian,
    limited_source,
    models,
)
from sims_analysis.shapes.start_values import Moments, fall_length, moments_above

Z = np.linspace(0.0, 300.0, 601)


def truth(model, *p):
    """Give samples of a model in units of the largest, and what 1 is."""
    c = models()[model].formula(Z, *map(float, p))
    return c / c.max(), c.max()


# --- moments ----------------------------------------------------------------------------------


def by_hand(z, c):
    """Sum over the samples that are given, each standing for its cell."""
    below, above = cells(z)
    weight = np.maximum(c, 0.0) * (below + above)
    area = weight.sum()
    mean = np.sum(weight * z) / area
    second, third, fourth = (np.sum(weight * (z - mean) ** k) / area for k in (2, 3, 4))
    s = np.sqrt(second)
    return Moments(area, mean, s, third / s**3, fourth / s**4)


def test_moments_are_of_the_samples_about_the_maximum_that_are_above_a_part_of_it():
    z = np.array([0.0, 1, 2, 4, 5, 6, 8, 9, 10, 11, 13, 14])
    c = np.array([5.0, 1, 3, 6, 9, 12, 9, 5, 3, 2, 1, 6])
    smooth = smoothed(c)  # over three samples
    top = smooth.argmax()
    for fraction in (0.3, 0.5, 0.75):
        low = smooth < fraction * smooth[top]
        left = max((i for i in range(top) if low[i]), default=0)
        right = min((i for i in range(top, 12) if low[i]), default=11)
        part = slice(left, right + 1)
        np.testing.assert_allclose(
            moments_above(z, c, fraction), by_hand(z[part], c[part]), rtol=1e-12
        )
    whole = moments_above(z, c, 0.0)
    np.testing.assert_allclose(whole, by_hand(z, c), rtol=1e-12)


@pytest.mark.parametrize("fraction", [0.02, 0.1])
def test_moments_of_a_gaussian_above_a_part_of_it(fraction):
    """Of a normal distribution cut at ``exp(-k^2 / 2)``, in closed form."""
    c = truth("gaussian", 1.0, 150.0, 20.0)[0]
    k = np.sqrt(-2 * np.log(fraction))
    inside = 2 * ndtr(k) - 1
    variance = 1 - 2 * k * np.exp(-k * k / 2) / np.sqrt(2 * np.pi) / inside
    found = moments_above(Z, c, fraction)
    assert found.area == pytest.approx(inside * 20 * np.sqrt(2 * np.pi), rel=0.01)
    assert found.deviation == pytest.approx(20 * np.sqrt(variance), rel=0.01)
    assert found.mean == pytest.approx(150)
    assert found.skewness == pytest.approx(0, abs=1e-9)
    if fraction == 0.1:  # what a Gaussian starts from
        assert (inside, np.sqrt(variance)) == pytest.approx((0.968, 0.907), abs=6e-4)


def test_a_profile_has_fallen_where_its_mean_over_neighbours_has():
    z, c = np.arange(40.0), np.exp(-np.arange(40.0) / 8)
    smooth = smoothed(c)
    for part in (0.25, 0.5):
        expected = z[np.flatnonzero(smooth < part * smooth[0])[0]]
        assert fall_length(z, c, part) == expected
    assert fall_length(z, np.ones(40)) == 39.0
    steep = np.array([8.0, 1, 1, 1])
    assert fall_length(np.array([0.0, 2.0, 3.0, 5.0]), steep) == 2.0
    assert fall_length(np.array([0.0, 2.0, 3.0, 5.0]), -steep) == 1.0, "at least a spacing"


# --- sets of starting values ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "p", "rel"),
    [
        (gaussian, (1.0, 150.0, 20.0), 0.01),
        (joined_gaussian, (1.0, 140.0, 22.0, 18.0), 0.13),
        (erfc, (1.0, 60.0), 0.14),
        (limited_source, (1.0, 60.0), 0.05),
        (edge, (150.0, 20.0, 1.0, 0.2, 0.0, 0.0), 0.05),
    ],
)
def test_a_profile_without_noise_starts_near_its_parameters(model, p, rel):
    c, one = truth(model.__name__.rsplit(".", 1)[1], *p)
    kinds = [parameter.scales for parameter in model.MODEL.parameters]
    expected = [value / one if scales else value for value, scales in zip(p, kinds, strict=True)]
    np.testing.assert_allclose(model.start(Z, c)[0], expected, rtol=rel, atol=1e-9)


def test_an_edge_between_plateaus_that_slope_is_one_of_the_starts_itself():
    z, p = np.linspace(0.0, 100.0, 201), (45.0, 3.0, 0.0, 0.2, 1.0, -0.004, 0.003)
    logistic = models()["edge_logistic"]
    np.testing.assert_allclose(logistic.start(z, logistic.formula(z, *p))[-1], p, atol=1e-9)


@pytest.mark.parametrize("find", [edge.plateaus, edge.steepest])
def test_a_step_from_sample_to_sample_starts_as_wide_as_these_are_apart(find):
    z = np.arange(8.0) * 3
    assert find(z, np.where(z < 12, 1.0, 0.1))[:2] == (pytest.approx(12, abs=3), 3.0)


def test_noise_of_few_counts_does_not_move_where_a_step_starts():
    """Counts of 10 pass half of the step long before it: made monotone, they do not."""
    z = np.linspace(0, 250, 251)
    clean = edge.formula(z, 120.0, 26.0, 1.0, 0.2, 0.0, 0.0)
    at = [edge.plateaus(z, np.random.default_rng(i).poisson(10 * clean) / 10)[0] for i in range(50)]
    assert np.abs(np.array(at) - 120).max() < 25


@pytest.mark.parametrize("model", [*models_truth.TRUTH])
def test_one_of_the_sets_describes_the_profile_roughly(model):
    """To a third of the largest sample at any depth: from there a fit finds its way."""
    parameters, end = models_truth.TRUTH[model][0]
    z = np.linspace(0, end, 251)
    c = models_truth.values(model, parameters, z)
    sets = np.atleast_2d(models()[model].start(z, c / c.max()))
    departures = [np.abs(models()[model].formula(z, *p) - c / c.max()).max() for p in sets]
    assert min(departures) < 0.34


@pytest.mark.parametrize("trial", [4, 5, 6])
def test_half_of_the_dose_may_be_in_a_skewed_tail(trial):
    """One set begins with about that: no other leads to the parameters of such a profile."""
    parameters, end = models_truth.TRUTH["dual_pearson"][trial]
    z = np.linspace(0, end, 251)
    c = models_truth.values("dual_pearson", parameters, z)
    last = models()["dual_pearson"].start(z, c / c.max())[-1]
    assert last[1] == pytest.approx(parameters[1], abs=0.1)
    np.testing.assert_allclose(last[2::4], parameters[2::4], rtol=0.05)
    np.testing.assert_allclose(last[3::4], parameters[3::4], rtol=0.3)
    np.testing.assert_allclose(last[8:], parameters[8:], rtol=0.25)
