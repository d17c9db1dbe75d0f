"""What a restoring starts from: counts behind values, cells of samples and of what is restored."""

from dataclasses import replace

import numpy as np
import pytest

from sims_analysis.models import _posed
from sims_analysis.models._functions import ResolutionFunction
from sims_analysis.models.samples import Samples, cells, in_order, smoothed, surroundings
from sims_analysis.models.shapes._starting import fall_length


def samples(c, s=np.nan, k=np.nan):
    c = np.asarray(c, dtype=float)
    z, s, k = np.arange(c.size) * 2.0, *(np.broadcast_to(one, c.shape) for one in (s, k))
    return Samples(z, c, s, k, np.zeros(c.size), np.zeros(c.size))


def test_stated_counts_come_first_then_whole_values():
    stated = samples([0.5, 1.0], 0.1, [20.0, np.nan])
    found, source = _posed._counted(stated, "count", 4.0)
    assert (found, source) == (stated, "counts")
    found, source = _posed._counted(samples([0.5, 1.0, 0.25]), "count", 4.0)
    np.testing.assert_array_equal(found.k, [2, 4, 1])
    assert source == "counts"
    # Neither fractions of counts nor whole numbers of another unit are counts.
    assert _posed._counted(samples([0.5, 1.0, 0.3], 0.1), "count", 4.0)[1] == "standard errors"
    assert _posed._counted(samples([0.5, 1.0, 0.25], 0.1), "level", 4.0)[1] == "standard errors"


def test_a_standard_error_is_that_of_so_many_counts_and_nothing_is_none():
    c, s = [1.0, 0.5, 0.0, 0.0, -0.1, 0.5, 0.5], [0.1, 0.1, 0.1, 0.0, 0.1, 0.0, np.nan]
    found, source = _posed._counted(samples(c, s), "level", 1.0)
    assert source == "standard errors"
    np.testing.assert_allclose(found.k, [100, 25, 0, 0, 0, np.nan, np.nan])
    assert _posed._counted(samples([1.0, 0.5, 1.0], 0.0), "level", 1.0)[1] == "scatter"


def test_without_either_the_scatter_says_what_a_count_is_worth():
    k = np.random.default_rng(1).poisson(400 + 200 * np.sin(np.arange(4000) / 300)).astype(float)
    found, source = _posed._counted(samples([*k / 1000, 0.0, -1.0]), "level", 1000.0)
    assert source == "scatter"
    np.testing.assert_allclose(found.k[:-2], k, rtol=0.05)
    np.testing.assert_array_equal(found.k[-2:], 0)
    np.testing.assert_allclose(found.s, np.sqrt(found.k) * (k / 1000 / found.k[:-2])[0])
    # A line has no scatter: so many counts as are ever taken.
    even = _posed._worth_by_scatter(np.arange(5.0), np.arange(1.0, 6.0))
    assert even == 1 / _posed._MOST_COUNTS
    assert _posed._worth_by_scatter(np.arange(5.0), np.zeros(5)) == 1 / _posed._MOST_COUNTS


def test_one_sample_that_is_off_is_worth_the_square_of_how_far():
    z, c = np.array([0.0, 1.0, 4.0]), np.array([3.0, 5.0, 6.0])
    part, between = 1 / 4, 3 * 3 / 4 + 6 / 4
    off = (5 - between) ** 2 / ((1 + part**2 + (1 - part) ** 2) * 14 / 3)
    assert _posed._worth_by_scatter(z, c) == pytest.approx(off / 0.455)


def test_depths_between_others_have_the_weights_of_a_mean():
    at = _posed._within(np.array([0.0, 2.0]), np.array([1.0, 6.0]))
    assert sum(weight for _, weight in at) == pytest.approx(1)
    assert all(((z >= [0, 2]) & (z <= [1, 6])).all() for z, _ in at)
    np.testing.assert_allclose(sum(weight * z**2 for z, weight in at), [1 / 3, 208 / 12])


def test_samples_are_in_order_within_their_window():
    z, c = np.array([3.0, 1.0, np.nan, 2.0, 4.0]), np.array([1.0, 1.0, 1.0, np.nan, 1.0])
    np.testing.assert_array_equal(in_order(z, c), [1, 0, 4])
    np.testing.assert_array_equal(in_order(z, c, 1.0, 3.0), [1, 0])
    np.testing.assert_array_equal(in_order(z, c, 1.01), [0, 4])
    np.testing.assert_array_equal(in_order(z, c, stop=2.99), [1])


def test_cells_reach_half_way_or_as_stated():
    below, above = cells(np.array([0.0, 1.0, 4.0]))
    np.testing.assert_array_equal(below, [0.5, 0.5, 1.5])
    np.testing.assert_array_equal(above, [0.5, 1.5, 1.5])
    assert [one.tolist() for one in cells(np.array([7.0]))] == [[0.0], [0.0]]
    three, here = samples([1.0, 1.0, 1.0]), np.array([1, 2])
    np.testing.assert_array_equal(three.cells(here), [[1, 1], [1, 1]])
    stated = replace(three, lower=three.z - 0.3, upper=three.z + 0.4)
    np.testing.assert_allclose(stated.cells(here), [[0.3, 0.3], [0.4, 0.4]])
    partly = replace(stated, lower=np.array([0.0, np.nan, 3.7]))
    np.testing.assert_array_equal(partly.cells(here), [[1, 1], [1, 1]])


def test_smoothed_is_the_mean_of_the_neighbours_that_there_are():
    c = np.random.default_rng(0).normal(size=30)
    expected = [c[max(0, i - 2) : i + 3].mean() for i in range(30)]
    np.testing.assert_allclose(smoothed(c), expected)
    c = c[:12]
    three = [c[max(0, i - 1) : i + 2].mean() for i in range(12)]
    np.testing.assert_allclose(smoothed(c), three)
    np.testing.assert_array_equal(smoothed(c[:8]), c[:8])


def test_a_weak_sample_takes_the_mean_of_its_neighbours():
    c, s = np.array([9.0, 9, 1, -2, 1, 9, 9]), np.ones(7)
    # Of one to each side where these three have four standard errors together, or else of two.
    np.testing.assert_allclose(surroundings(c, s), [9, 9, 3.5, 5, 3.5, 9, 9])
    np.testing.assert_allclose(surroundings(c, s, known=0.9), [9, 9, 1, 5, 1, 9, 9])
    zero = np.array([9.0, 0, 9])  # is known to have no error only where others have none either
    np.testing.assert_allclose(surroundings(zero, np.array([1.0, 0, 1])), [9, 9, 9])
    for unknown in (np.zeros(3), np.full(3, np.nan)):
        np.testing.assert_array_equal(surroundings(zero, unknown), zero)


def test_a_profile_falls_from_its_first_sample_on():
    z = 10 + 2 * np.arange(8.0)
    assert fall_length(z, np.array([8, 6, 4, 1.9, 1, 1, 1, 1])) == 6
    assert fall_length(z, np.array([8, 6, 4, 1.9, 1, 1, 1, 1]), 0.75 + 1e-9) == 2
    assert fall_length(z, np.full(8, 8.0)) == 14
    assert fall_length(z, np.array([8, 6, 4, 2.0, 2, 2, 2, 2])) == 14


def test_samples_are_points_or_means_over_the_cells_that_are_stated():
    z = np.array([0.0, 1, 2, 3, 4, 5, 15, 16, 17, 18, 19, 20])
    function = ResolutionFunction("delta_drf", (0.0, 0.0, 1.5))
    plain = Samples(z, *np.full((3, 12), [[90.0], [9.0], [100.0]]), *np.zeros((2, 12)))
    stated = replace(plain, lower=z - 0.3, upper=z + 0.4)
    edges, width = _posed._edges(z, function), np.array([1.0] * 5 + [3.0] * 2 + [1.0] * 5)

    def asked(one):
        found = _posed.posed(
            one, np.arange(12), {"background": 9, "fraction": 1}, function, "level"
        )
        np.testing.assert_allclose(found.mean.sum(axis=1), 1)
        np.testing.assert_allclose(found.x, 0.5 * (edges[1:] + edges[:-1]))
        assert (found.top, found.offset, found.source) == (90, 0.1, "counts")
        return found

    # A cell ends 2.5 spacings away where samples are missing.
    for one in (plain, replace(stated, lower=np.where(z == 3, np.nan, stated.lower))):
        found = asked(one)
        np.testing.assert_allclose(found.width, width)
        expected = _posed._matrix([(z, 1.0)], edges, function)
        np.testing.assert_allclose(found.spread.matrix, expected, atol=1e-15)
    found = asked(stated)
    np.testing.assert_allclose(found.width, 0.7)
    expected = _posed._matrix(_posed._within(z - 0.3, z + 0.4), edges, function)
    np.testing.assert_allclose(found.spread.matrix, expected, atol=1e-15)
