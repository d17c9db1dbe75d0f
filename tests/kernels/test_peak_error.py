"""Errors of maxima against the parabola that they rest on."""

import math

import numpy as np
import pytest

from sims_analysis.kernels.local_fit import Counted, Samples
from sims_analysis.kernels.peak import peak
from sims_analysis.kernels.peak_error import _maximum, _through_three, _windows
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


def plain_reach(value, sigma, known):
    """Of the samples to one side: how many show that the profile falls there."""
    reach = min(2, len(value))
    while len(value) >= 2:
        means, variance = [], 0.0
        for half in (slice(0, reach // 2), slice(reach // 2, reach)):
            own = known[half]
            means.append(value[half][own].mean() if own.any() else math.nan)
            variance += (sigma[half][own] ** 2).sum() / own.sum() ** 2 if own.any() else math.nan
        if means[0] - means[1] > 3 * math.sqrt(variance) or reach == len(value):
            break
        reach = min(max(reach + 1, int(1.3 * reach)), len(value))
    return reach


def plain_window(value, sigma, known, middle):
    """Give the first and last sample to be fitted, and that in the middle."""
    top, error, end = value[middle], sigma[middle], len(value) - 1
    for _ in range(3):
        sides = [slice(middle - 1, None, -1) if middle else slice(0, 0), slice(middle + 1, None)]
        up, down = (plain_reach(*(x[side] for x in (value, sigma, known))) for side in sides)
        first = max(middle - max(int(0.65 * up), 1), 0)
        last = min(middle + max(int(0.65 * down), 1), end)
        centre = (first + last) // 2
        alike = top - value[centre] < 3 * math.hypot(error, sigma[centre])
        if centre == middle or first == 0 or last == end or not alike:
            break
        middle = centre
    if last - first < 2:
        last = min(last + 1, end)
    if last - first < 2:
        first = max(first - 1, 0)
    return first, last, middle


@pytest.mark.parametrize("counts", [5, 30, 3000])
def test_a_window_grows_until_the_profile_is_seen_to_fall_on_either_side(counts):
    rng = np.random.default_rng(counts)
    sizes = np.array([1, 2, 3, 4, 7, 20, 40, 40, 40, 40, 60, 60, 60, 60])
    end = np.cumsum(sizes)
    begin, rows = end - sizes, range(sizes.size)
    shapes = [
        np.exp(-(((np.arange(n) - rng.uniform(0, n)) / rng.uniform(1, n + 1)) ** 2)) for n in sizes
    ]
    value = np.concatenate([rng.poisson(counts * shape + 0.2).astype(float) for shape in shapes])
    known = rng.random(value.size) > 0.05
    sigma = np.sqrt(np.maximum(value, 0.8))
    top = np.array([b + int(value[b:e].argmax()) for b, e in zip(begin, end, strict=True)])
    known[top] = True
    value[~known] = sigma[~known] = 0.0
    nothing = np.zeros(value.size)
    samples = Samples(nothing, value, sigma, nothing, nothing, known, begin, end, nothing)
    found = np.stack(_windows(samples, top, int(sizes.max()))) - begin
    for row in rows:
        own = slice(begin[row], end[row])
        wanted = plain_window(value[own], sigma[own], known[own], top[row] - begin[row])
        assert tuple(found[:, row]) == wanted


def test_the_maximum_of_a_parabola_through_three():
    rng = np.random.default_rng(1)
    x = np.cumsum(rng.uniform(0.2, 2, (20, 3)), axis=1)
    y = rng.normal(size=(20, 3))
    found = _through_three(x, y)
    for row in range(20):
        a, b, c = np.polyfit(x[row], y[row], 2)
        wanted = c - b * b / (4 * a) if a < 0 else math.nan
        assert found[row] == pytest.approx(wanted, rel=1e-9, nan_ok=True)


def test_the_maximum_of_a_fit_is_used_where_its_curvature_is_known():
    size = np.array([3, 3, 3, 3])
    x = np.tile([-1.0, 0.0, 1.0], 4)
    data = Counted(x, *[np.zeros(12)] * 5, size)
    # Curvatures of 0.9 and 1.1 errors; a maximum beyond the samples; and a minimum.
    coefficients = np.array([[1.0, 1, 1, 1], [0.4, 0.4, 5, 0.4], [-0.9, -1.1, -2, 1.1]])
    information = np.tile(np.diag([4.0, 9.0, 1.0]), (4, 1, 1))
    value, error = _maximum(data, coefficients, information)
    at = np.array([0.0, 0.4 / 1.1, 1.0, 0.0])
    a, b, c = coefficients
    np.testing.assert_allclose(value, np.exp(a + b * at + c * at**2 / 2), rtol=1e-12)
    np.testing.assert_allclose(error, np.sqrt(1 / 4 + at**2 / 9 + at**4 / 4), rtol=1e-12)
