"""Repeats made with known scales, depths and noise."""

import numpy as np
import pytest
from scipy.stats import t as student

from sims_analysis.quantification.repeats import repeats

Z = np.arange(0.0, 200.0, 2.0)
SHAPE = 1e4 * (np.exp(-0.5 * ((Z - 80) / 25) ** 2) + 0.01)


def analysed(c, counted=True, **options):
    s = np.sqrt(np.maximum(c, 1.0)) if counted else np.full(c.shape, np.nan)
    return repeats(Z, c, s, 1.0, **({"stretched": True} | options))


def widened(values):
    """Give the standard error of a mean, with Student's t."""
    m = len(values)
    return student.ppf(0.8413447460685429, m - 1) * np.std(values, ddof=1) / np.sqrt(m)


@pytest.mark.parametrize("counted", [True, False])
@pytest.mark.parametrize("m", [2, 3, 6])
def test_scales_and_noise_come_apart(m, counted):
    rng = np.random.default_rng(m)
    scales = 1 + 0.05 * rng.standard_normal(m)
    found = analysed(rng.poisson(scales[:, None] * SHAPE) * 1.0, counted)
    assert found.scale == pytest.approx(widened(scales), rel=0.1)
    assert found.depth == 0.0
    np.testing.assert_allclose(found.stderr[20:60], np.sqrt(SHAPE / m)[20:60], rtol=0.35)
    assert np.mean(found.stderr / np.sqrt(SHAPE / m)) == pytest.approx(1.0, abs=0.2)


@pytest.mark.parametrize("stretched", [True, False])
def test_depths_that_differ_are_told_from_scales(stretched):
    rng = np.random.default_rng(3)
    stretch, m = np.array([0.97, 0.99, 1.01, 1.03]), 4
    true = 1e4 * (np.exp(-0.5 * ((Z * stretch[:, None] - 80) / 25) ** 2) + 0.01)
    found = analysed(rng.poisson(true) * 1.0, stretched=stretched)
    if not stretched:
        assert found.depth == 0.0
        assert np.isinf(found.depth_variance)
        assert found.excess > 2
        return
    assert found.depth == pytest.approx(widened(stretch), rel=0.1)
    assert found.depth_variance == pytest.approx((1.25e-3 / m**0.5) ** 2, rel=10)


def test_noise_beyond_the_errors_is_that_of_the_samples():
    rng = np.random.default_rng(4)
    c = SHAPE * (1 + 0.1 * rng.standard_normal((5, Z.size)))
    found = analysed(c)
    assert found.excess == pytest.approx(0.1 * np.sqrt(SHAPE[30:50].mean()), rel=0.6)
    relative = found.stderr / c.mean(axis=0)
    assert relative[25:55].mean() == pytest.approx(0.1 / 5**0.5, rel=0.3)
    np.testing.assert_allclose(relative, 0.1 / 5**0.5, rtol=0.6)  # on the flanks, twice


def test_repeats_that_are_alike_have_no_part_in_common():
    rng = np.random.default_rng(5)
    found = [analysed(rng.poisson(SHAPE, (3, Z.size)) * 1.0) for _ in range(200)]
    assert 0.06 < np.mean([one.scale > 0 for one in found]) < 0.2  # one in eight
    assert np.mean([one.depth > 0 for one in found]) < 0.04
    assert all(one.scale_excess == one.excess == 1.0 for one in found)
    same = analysed(np.array([SHAPE, SHAPE]), counted=False)
    assert (same.scale, same.depth) == (0.0, 0.0)
    np.testing.assert_array_equal(same.stderr, 0.0)


def test_errors_by_scatter_end_with_the_layer():
    box = np.where((Z > 60) & (Z < 100), 1e3, 0.0)
    c = np.random.default_rng(12).poisson(box, (5, Z.size)) * 1.0
    error = repeats(Z, c, np.nan * c, 1.0, stretched=True).stderr
    np.testing.assert_allclose(error[box > 0], np.sqrt(1e3 / 5), rtol=0.2)
    # Half the width of the interval [0, 1.84] of no count, in five repeats.
    assert np.median(error[box == 0]) == pytest.approx(0.92 / 5, rel=0.4)
    assert error[box == 0].max() < 0.3


def test_where_little_was_counted_a_count_is_no_less_than_elsewhere():
    """What scales and depths leave over of next to nothing is no noise."""
    rng = np.random.default_rng(2)
    z, scales, depths = (
        np.arange(0, 240, 1.5),
        *(1 + rng.normal(0, [[[0.02]], [[0.01]]], (2, 5, 1))),
    )
    c = rng.poisson(1e3 * scales * np.exp(-0.5 * ((z / depths - 95) / 16) ** 2)) * 1.0
    error = repeats(z, c, np.nan * c, 1.0, stretched=True).stderr
    assert error[c.sum(axis=0) == 0].min() > 0.1  # a fifth of a count, by its interval
    in_units = repeats(z, 1e16 * c, np.nan * c, 1.0, stretched=True).stderr
    np.testing.assert_allclose(in_units, 1e16 * error, rtol=1e-6)
