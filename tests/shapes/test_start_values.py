"""Where a fit begins: moments, lengths and plateaus of samples, and the sets of each model."""

import models_truth
import numpy as np
import pytest
from scipy.special import ndtr

from sims_analysis.kernels.samples import cells, smoothed
from sims_analysis.shapes import (
    annealed_implant,
    delta_drf,
    delta_mri,
    dual_pearson,
    edge,
    edge_logistic,
    erfc,
    gaussian,
    joined_gaussian,
    limited_source,
    models,
    pearson,
    tracer_exchange,
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


@pytest.mark.parametrize(("at", "left", "right"), [(10, 8, 13), (0, 0, 3), (20, 17, 20)])
def test_a_peak_of_one_sample_takes_two_more_to_both_sides(at, left, right):
    z, c = np.arange(21.0), np.full(21, 1e-9)
    c[at] = 1.0
    found = moments_above(z, c, 0.9)
    assert found.mean == pytest.approx(at, abs=0.6)
    assert found.area == pytest.approx(1.0, rel=1e-6)
    # Not narrower than 0.3 of a cell.
    assert found.deviation == pytest.approx(0.3, abs=1e-3)
    assert left < at + 3
    assert right > at - 3


def test_samples_below_zero_weigh_nothing():
    z, c = np.arange(9.0), np.array([-1.0, -1, 1, 2, 4, 2, 1, -1, -1])
    found = moments_above(z, c, 0.0)
    np.testing.assert_allclose(found, by_hand(z[1:8], c[1:8]), rtol=1e-9)


def test_where_nothing_is_above_zero_there_is_the_middle_of_the_samples():
    z = np.array([0.0, 2.0, 4.0, 10.0])
    assert moments_above(z, np.zeros(4), 0.1) == Moments(14.0, 4.0, 2.5, 0.0, 3.0)
    # Below zero the first is the highest, and there are two more beside it.
    assert moments_above(z, np.full(4, -1.0), 0.1) == Moments(6.0, 2.0, 1.0, 0.0, 3.0)
    one = moments_above(np.array([3.0]), np.array([0.0]), 0.1)
    assert one == Moments(0.0, 3.0, 1.0, 0.0, 3.0)


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


@pytest.mark.parametrize("lean", [0.2, 0.7, 0.9, -0.9, -0.1])
def test_half_gaussians_start_with_the_mean_and_the_width_of_the_samples(lean):
    """They lean as the samples do, not further than skewnesses of 0.8."""
    skewed = pearson.formula(Z, 1.0, 150.0, 20.0, lean, 3.2 + 1.8 * lean**2)
    found = moments_above(Z, skewed, 0.1)
    ((dose, mode, shallow, deep),) = joined_gaussian.start(Z, skewed)
    assert dose == found.area
    assert shallow + deep == pytest.approx(2 * found.deviation)
    assert mode + np.sqrt(2 / np.pi) * (deep - shallow) == pytest.approx(found.mean)
    leans = (deep - shallow) / (deep + shallow)
    assert leans == pytest.approx(0.6 * np.clip(found.skewness, -0.8, 0.8))
    assert np.sign(leans) == np.sign(lean)


def test_an_anneal_starts_from_the_implant_or_from_the_surface():
    c = truth("annealed_implant", 1.0, 100.0, 30.0)[0]
    first, second = annealed_implant.start(Z, c)
    found = moments_above(Z, c, 0.1)
    np.testing.assert_allclose(first, [found.area, found.mean, found.deviation])
    half = fall_length(Z, smoothed(c), 0.5)
    np.testing.assert_allclose(second, [np.trapezoid(c, Z), 0.7 * half, half])
    # Near the surface, not nearer than a fifth of the width; negative samples are none.
    low = c - 0.1
    first, second = annealed_implant.start(Z - 200, low)
    assert first[1] == pytest.approx(0.2 * first[2])
    assert second[0] == pytest.approx(np.trapezoid(np.maximum(low, 0), Z))


def test_delta_layers_start_with_the_centroid_and_the_variance_of_the_samples():
    c = truth("delta_drf", 1.0, 150.0, 8.0, 14.0, 6.0)[0]
    found = moments_above(Z, c, 0.01)
    leans = []
    for dose, position, growth, decay, sigma in delta_drf.start(Z, c):
        assert dose == found.area
        assert position + decay - growth == pytest.approx(found.mean)
        whole = np.sqrt(growth**2 + decay**2 + sigma**2)
        assert whole == pytest.approx(found.deviation, rel=0.02)
        leans.append(np.sign(decay - growth))
    assert leans == [1, 0, -1, 1]
    sets = delta_mri.start(Z, c)
    found = moments_above(Z, c, 0.005)
    assert len(sets) == 4
    for dose, position, *lengths in sets:
        assert (dose, position) == (found.area, found.mean)
        assert 0.98 < np.linalg.norm(lengths) / found.deviation < 1.31


def test_pearson_starts_from_the_moments_and_from_a_core_without_lean():
    for skewness in (0.5, 3.0, -3.0):
        c = pearson.formula(Z, 1.0, 60.0, 20.0, skewness, 3.4 + 2.4 * skewness**2)
        c = c[::-1] if skewness < 0 else c
        first, second = pearson.start(Z, c)
        m, core = moments_above(Z, c, 1e-3), moments_above(Z, c, 0.1)
        held = np.clip(m.skewness, -1.5, 1.5)
        kurtosis = max(m.kurtosis, 1.6 + 1.6 * held**2)
        np.testing.assert_allclose(first, [m.area, m.mean, m.deviation, held, kurtosis])
        np.testing.assert_allclose(second, [core.area, core.mean, core.deviation, 0.0, 3.2])
    flat = np.where(abs(Z - 150) < 50, 1.0, 0.0)
    assert pearson.start(Z, flat)[0][4] == pytest.approx(1.8, abs=0.02)
    two = np.where(abs(abs(Z - 150) - 50) < 2, 1.0, 0.01)
    assert pearson.start(Z, two)[0][4] >= 1.6


def test_all_sets_of_a_dual_distribution_describe_something():
    whole = (1.0, 0.8, 100.0, 25.0, -0.2, 3.2, 180.0, 40.0, 0.6, 4.2)
    c, one = truth("dual_pearson", *whole)
    sets = dual_pearson.start(Z, c)
    # Two leans for a tail by its moments, behind the core, far behind it, and of two other shapes.
    assert len(sets) == 11
    curves = [dual_pearson.formula(Z, *p) for p in sets]
    assert np.isfinite(curves).all()
    for (dose, share, *both), curve in zip(sets, curves, strict=True):
        head, tail = both[:4], both[4:]
        assert head[0] < tail[0]
        assert 0 < share < 1
        assert tail[3] == pytest.approx(3.2 + 1.6 * tail[2] ** 2) or share == 0.5
        assert dose == pytest.approx(1 / one, rel=0.75)
        assert 0.4 < curve.max() < 2.2
    assert {round(p[4], 1) for p in sets} >= {-0.3, 0.0}


def test_steps_start_from_where_they_pass_16_50_and_84_percent():
    for left, right in ((1.0, 0.2), (0.2, 1.0)):
        c = left + (right - left) * ndtr((Z - 120) / 8)
        position, width, low, high = edge.plateaus(Z, c)
        assert (low, high) == (pytest.approx(left), pytest.approx(right))
        assert position == pytest.approx(120, abs=0.5)
        assert width == pytest.approx(1.989 * 8, abs=0.8)
        at, narrow, before, after = edge.steepest(Z, c)
        assert at == pytest.approx(120, abs=0.5)
        assert narrow == pytest.approx(2 * (601 // 12) * 0.5 / 4)
        near = abs(Z - at) <= 25
        assert (before, after) == (c[near][0], c[near][-1])
    # Noise in the middle does not reach the levels, and a jump is as wide as a spacing.
    c = np.where(Z < 120, 1.0, 0.2)
    c[[5, 590]] = 5.0
    position, width, low, high = edge.plateaus(Z, c)
    assert (low, high) == (1.0, 0.2)
    assert width == pytest.approx(0.5, abs=0.51)
    assert edge.plateaus(Z, np.ones(601))[1] == 0.5
    assert edge.steepest(np.arange(5.0), np.array([1.0, 1, 1, 0, 0]))[0] == 2.0


def test_a_steep_place_is_told_from_a_slope_that_goes_on():
    c = 1.0 - Z / 400 - 0.1 * ndtr((Z - 200) / 3)
    assert edge.steepest(Z, c)[0] == pytest.approx(200, abs=3)
    # Not at the very ends, where differences are of fewer samples.
    c[0] += 5
    assert edge.steepest(Z, c)[0] > 0.5


def test_a_step_that_leans_starts_with_some_lean_to_either_side():
    c = models()["edge_logistic"].formula(Z, 150.0, 6.0, 0.0, 1.0, 0.2, 0.0, 0.0)
    sets = edge_logistic.start(Z, c)
    position, width, left, right = edge.plateaus(Z, c)
    scale = width / (2 * np.log(0.84 / 0.16))
    np.testing.assert_allclose(
        sets[:3], [(position, scale, lean / scale, left, right, 0, 0) for lean in (0, 0.3, -0.3)]
    )
    assert scale == pytest.approx(6.0, rel=0.05)
    assert (sets[3][0], sets[3][2]) == (edge.steepest(Z, c)[0], 0.0)
    assert sets[4] == edge_logistic._best(Z, c)
    assert len(sets) == 5


def test_noise_of_few_counts_does_not_move_where_a_step_starts():
    """Counts of 10 pass half of the step long before it: made monotone, they do not."""
    z = np.linspace(0, 250, 251)
    clean = edge.formula(z, 120.0, 26.0, 1.0, 0.2, 0.0, 0.0)
    at = [edge.plateaus(z, np.random.default_rng(i).poisson(10 * clean) / 10)[0] for i in range(50)]
    assert np.abs(np.array(at) - 120).max() < 25


@pytest.mark.parametrize("slope", [0.5e-3, 4e-3])
def test_the_best_of_a_few_edges_has_the_plateaus_of_least_squares(slope):
    edges = 0.2 * 300, 0.03 * 300
    u, below = edge_logistic._part_done(Z, edges[0] + Z[0], edges[1], 0.0)
    c = 1.0 + (0.5 - 1.0) * below + slope * u * (1 - below)
    best = edge_logistic._best(Z, c)
    np.testing.assert_allclose(best, [*edges, 0.0, 1.0, 0.5, slope, 0.0], rtol=1e-6, atol=1e-9)


def test_an_exchange_starts_slow_and_fast_with_the_levels_of_both_ends():
    c = models()["tracer_exchange"].formula(Z, 0.95, 0.1, 60.0, 1.0)
    surface, bulk = c[:30].mean(), c[-30:].mean()
    sets = tracer_exchange.start(Z, c)
    assert [p[3] for p in sets] == [0.3, 1.0, 3.0]
    for gas, background, length, exchange in sets:
        assert background == pytest.approx(bulk)
        assert length == pytest.approx(60, rel=0.35)
        # Of the gas as much arrives at the surface as the exchange lets.
        at_surface = models()["tracer_exchange"].formula(
            np.zeros(1), gas, background, length, exchange
        )
        assert at_surface[0] == pytest.approx(surface)


@pytest.mark.parametrize("model", [*models_truth.TRUTH])
def test_one_of_the_sets_describes_the_profile_roughly(model):
    """To a third of the largest sample at any depth: from there a fit finds its way."""
    parameters, end = models_truth.TRUTH[model][0]
    z = np.linspace(0, end, 251)
    c = models_truth.values(model, parameters, z)
    sets = np.atleast_2d(models()[model].start(z, c / c.max()))
    departures = [np.abs(models()[model].formula(z, *p) - c / c.max()).max() for p in sets]
    assert min(departures) < 0.34
