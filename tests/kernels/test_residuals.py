"""Residuals that chance makes, and those that a wrong shape makes."""

import numpy as np
import pytest
from scipy import stats

from sims_analysis.kernels import residuals

RNG = np.random.default_rng


def line(n, free=3):
    """Give derivatives of a polynomial, of as many parameters."""
    return np.vander(np.linspace(-1, 1, n), free).T


def left(noise, rows):
    """Take from noise what a fit takes."""
    return noise - rows.T @ np.linalg.lstsq(rows.T, noise, rcond=None)[0]


def averaged(rng, n, over):
    return np.convolve(rng.normal(size=n + over - 1), np.ones(over), "valid")


@pytest.mark.slow
@pytest.mark.few(2)
@pytest.mark.parametrize("n", [8, 12, 30, 200])
def test_independent_residuals_wander_as_often_as_chance_has_it(n):
    rng, rows = RNG(n), line(n)
    found = [residuals.durbin_watson(left(rng.normal(size=n), rows), rows) for _ in range(2000)]
    for level in (0.05, 0.5):
        assert np.mean(np.array(found) < level) == pytest.approx(level, abs=0.03)


def test_two_chances_together_are_fishers():
    statistic, chance = stats.combine_pvalues([0.03, 0.2])
    assert residuals.combined_p_value(0.03, 0.2) == pytest.approx(chance, rel=1e-12)
    assert statistic == pytest.approx(-2 * np.log(0.03 * 0.2))
    assert residuals.chance_of_excess(31.0, 20) == pytest.approx(stats.chi2(20).sf(31), rel=1e-12)


def test_too_few_residuals_wander_by_chance():
    """With one degree of freedom, or none, there is nothing to tell; two are enough."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(3, 5))
    alike = np.array([1.0, 1.1, 1.2, 1.1, 1.0])
    assert residuals.durbin_watson(alike[:3], rows[:, :3]) == 1.0
    assert residuals.durbin_watson(alike[:4], rows[:, :4]) == 1.0
    assert residuals.durbin_watson(alike, rows) < 0.5
    assert residuals.durbin_watson(np.zeros(5), rows) == 1.0
    assert residuals.durbin_watson(np.full(5, np.inf), rows) == 1.0
    # Three parameters that do the same leave more than two degrees of freedom.
    assert residuals.durbin_watson(alike - alike.mean(), np.ones((3, 5))) == 1.0


def test_low_frequencies_need_blocks_of_three_for_two_more_than_parameters():
    rows = line(15)
    slow = np.cos(np.linspace(0, 2 * np.pi, 15))
    assert residuals.low_frequencies(slow[:14], rows[:, :14]) == 1.0
    assert residuals.low_frequencies(slow, rows) < 1.0
    assert residuals.low_frequencies(np.zeros(15), rows) == 1.0


def test_the_noise_of_second_differences():
    """Of normal numbers their deviation; a straight line has none, nor have fewer than five."""
    noise = 0.3 * np.random.default_rng(3).normal(size=20_001)
    assert residuals.scatter(noise) == pytest.approx(0.3, rel=0.02)
    assert residuals.scatter(noise[:20_000]) == pytest.approx(0.3, rel=0.02)
    assert residuals.scatter(np.arange(9.0)) == pytest.approx(0.0, abs=1e-15)
    assert residuals.scatter(noise[:4]) == 0.0
    assert residuals.scatter(noise[:5]) > 0.0


def test_means_over_neighbours():
    np.testing.assert_allclose(residuals.running(np.array([1.0, 2.0, 6.0, 4.0]), 3), [3.0, 4.0])


def test_correlation_of_residuals_with_the_next():
    assert residuals.correlation(np.array([1.0, -1.0, 1.0, -1.0])) == -0.75
    assert residuals.correlation(np.zeros(4)) == 0.0


def test_how_far_a_curve_stays_away():
    c = np.array([1.0, 2.0, 4.0, 2.0, 1.0, 1.0, 1.0, 1.0])
    m = c * np.array([1.0, 1.2, 1.2, 1.2, 1.0, 1.0, 1.0, 1.0])
    assert residuals.largest_departure(c, m) == pytest.approx((0.4 + 0.8 + 0.4) / 3 / 4)


def test_a_singular_matrix_has_the_inverse_of_what_there_is():
    ones = np.ones((2, 2))
    np.testing.assert_allclose(residuals.inverted(ones), np.full((2, 2), 0.25), rtol=1e-12)
    for seed in range(20):  # three directions in a plane: but for rounding
        j = RNG(seed).normal(size=(3, 2))
        j /= np.sqrt((j * j).sum(axis=1, keepdims=True))
        expected = np.linalg.pinv(j @ j.T, rcond=1e-10)
        np.testing.assert_allclose(residuals.inverted(j @ j.T), expected, rtol=1e-6)
    near = np.array([[1.0, 1 - 1e-10], [1 - 1e-10, 1.0]])
    np.testing.assert_allclose(np.diag(residuals.inverted(near)), 5e9, rtol=1e-3)
    regular = np.array([[1.0, 0.5], [0.5, 1.0]])
    np.testing.assert_allclose(residuals.inverted(regular) @ regular, np.eye(2), atol=1e-12)


def test_chi_square_of_counts_leaves_out_where_hardly_any_are_expected():
    mu = np.array([0.5, 1.0, 4.0, 9.0])
    r = np.array([7.0, 1.0, 2.0, 1.0])
    found = residuals.of_counts(r, mu, 1)
    assert (found.value, found.degrees) == (6.0, 2)
    assert found.variance == pytest.approx(1 + 0.5 * np.mean([1, 1 / 4, 1 / 9]))
    assert residuals.of_counts(r[:1], mu[:1], 0) == (0.0, 0, 1.0)


def test_a_reduced_chi_square_and_its_chance():
    found = residuals.ChiSquare(12.0, 8, 1.5)
    assert found.reduced == 1.5
    # As if there were fewer degrees of freedom.
    assert found.chance == pytest.approx(stats.chi2(8 / 1.5).sf(12.0 / 1.5), rel=1e-12)
    assert residuals.ChiSquare(12.0, 8).chance == pytest.approx(stats.chi2(8).sf(12.0), rel=1e-12)
    for degrees in (0, -1):
        assert np.isnan(residuals.ChiSquare(3.0, degrees).reduced)
        assert residuals.ChiSquare(3.0, degrees).chance == 1.0
    assert np.isnan(residuals.ChiSquare(np.nan, 8).chance)


@pytest.mark.parametrize("n", [30, 60, 100, 400])
def test_low_frequencies_tell_a_wave_from_averaged_noise(n):
    rng, rows = RNG(n), line(n)
    wave = 3.0 * np.sin(np.linspace(0, 12, n))
    noise = [averaged(rng, n, 3) for _ in range(400)]
    low = np.array([residuals.low_frequencies(left(one, rows), rows) for one in noise])
    assert np.mean(low < 0.005) < 0.05
    assert 0.3 < np.mean(low < 0.5) < 0.8
    seen = [residuals.low_frequencies(left(one + wave, rows), rows) for one in noise[:50]]
    assert np.median(seen) < (0.2 if n == 30 else 0.005)


@pytest.mark.parametrize(("n", "width"), [(2, 2), (74, 3), (99, 3), (100, 4), (250, 10)])
def test_a_departure_is_over_a_twenty_fifth_of_the_samples_or_three(n, width):
    c = np.full(n, 2.0)
    one = np.zeros(n)
    one[n // 2] = 1.0
    assert residuals.largest_departure(c, c + one) == pytest.approx(1 / width / 2)


SAID = {
    "random": "random",
    "larger": "larger than the stated errors",
    "shape": "correlated: the model does not have the profile's shape",
    "averaged": (
        "correlated among neighbours, as averaged or digitised samples are: errors are too small"
    ),
}
#: Residuals, the chance of their chi-square (NaN: not known) and how far the curve departs ->
#: verdict, and whether the shape is another.
VERDICTS = [
    ("white", (0.5, 0.3), ("random", False)),
    ("white", (1e-9, 0.04), ("larger", False)),
    ("white", (1e-9, 0.06), ("larger", True)),
    ("averaged", (0.02, 0.3), ("averaged", False)),
    ("wave", (0.02, 0.04), ("shape", False)),
    ("wave", (0.02, 0.06), ("shape", True)),
    # Without errors: by low frequencies, and another shape if the curve is seen to depart.
    ("white", (np.nan, 0.3), ("random", False)),
    ("averaged", (np.nan, 0.04), ("averaged", False)),
    ("wave", (np.nan, 0.04), ("shape", False)),
    ("wave", (np.nan, 0.06), ("shape", True)),
]


@pytest.mark.parametrize(("kind", "seen", "said"), VERDICTS)
def test_verdicts(kind, seen, said):
    rng, rows, n = RNG(7), line(400), 400
    noise = {
        "white": rng.normal(size=n),
        "averaged": averaged(rng, n, 3),
        "wave": averaged(rng, n, 3) + 3.0 * np.sin(np.linspace(0, 12, n)),
    }
    chance, departure = seen
    code, wrong = residuals.verdict(left(noise[kind], rows), rows, chance, np.ones(n), departure)
    assert (residuals.RESIDUALS[code], wrong) == (SAID[said[0]], said[1])


def test_neighbours_that_are_alike_where_the_curve_is_low_do_not_matter():
    rng, rows, n = RNG(7), line(400), 400
    high = np.arange(n) < n // 2
    r = left(np.where(high, rng.normal(size=n), averaged(rng, n, 3)), rows)
    for m, said in ((np.where(high, 1.0, 1e-4), "random"), (np.ones(n), "averaged")):
        code, _ = residuals.verdict(r, rows, np.nan, m, 0.0)
        assert residuals.RESIDUALS[code] == SAID[said]
