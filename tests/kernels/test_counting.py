"""Poisson's intervals against those of scipy, and against what they are defined by."""

import numpy as np

from sims_analysis.kernels import counting
from sims_analysis.kernels.rows import Dense, Packed


def test_standard_errors_of_counts():
    found = counting.poisson_stderr(np.array([0.0, 1.0, 9.0, -4.0, np.nan]))
    wanted = [counting.NONE_COUNTED, 1.0, 3.0, counting.NONE_COUNTED, np.nan]
    np.testing.assert_allclose(found, wanted)


def test_statistics_of_windows():
    z, c = np.arange(10.0), np.random.default_rng(3).normal(size=10)
    s = np.arange(1.0, 11.0)
    rows = Packed(np.tile(z, 4), np.tile(c, 4), np.tile(s, 4), offsets=np.arange(0, 41, 10))
    start, stop = np.array([[2.0, np.nan, 4.0, 4.5], [6.0, np.nan, 4.0, 4.6]])
    found = counting.window_statistics(rows, start, stop)
    assert found.n.tolist() == [5, 10, 1, 0]
    np.testing.assert_allclose(found.mean, [c[2:7].mean(), c.mean(), c[4], np.nan])
    wanted = [c[2:7].std(ddof=1), c.std(ddof=1), np.nan, np.nan]
    np.testing.assert_allclose(found.deviation, wanted)
    np.testing.assert_allclose(found.squared_shares, [1 / 5, 1 / 10, 1, np.nan])
    wanted = [np.mean(s[2:7] ** 2), np.mean(s**2), s[4] ** 2, np.nan]
    np.testing.assert_allclose(found.mean_variance, wanted)


def test_cells_count_with_their_part_in_the_window():
    edges, c, s = np.array([0.0, 1, 3, 4, 8]), np.array([5.0, 2, 7, 1]), np.array([1.0, 3, 2, 4])
    z = 0.5 * (edges[1:] + edges[:-1])
    rows = Dense(z, np.stack([c] * 3), np.stack([s] * 3), edges[:-1], edges[1:])
    # From the middle of the second cell to that of the last; all; a part of one cell.
    start, stop = np.array([2.0, np.nan, 6.5]), np.array([6.0, np.nan, 6.75])
    parts = np.array([[0, 1, 1, 2], [1, 2, 1, 4], [0, 0, 0, 0.25]])
    share = parts / parts.sum(axis=1, keepdims=True)
    for one in (rows, rows.packed()):
        found = counting.window_statistics(one, start, stop)
        assert found.n.tolist() == [3, 4, 1]
        np.testing.assert_allclose(found.mean, share @ c)
        np.testing.assert_allclose(found.squared_shares, (share**2).sum(axis=1))
        np.testing.assert_allclose(found.mean_variance, (share**2 @ s**2) / (share**2).sum(axis=1))
        scatter = np.sum(share * (c - (share @ c)[:, None]) ** 2, axis=1)[:2]
        wanted = np.sqrt(scatter / (1 - (share[:2] ** 2).sum(axis=1)))
        np.testing.assert_allclose(found.deviation, [*wanted, np.nan])
    bare = Dense(z, np.stack([c] * 3), None, edges[:-1], edges[1:])
    for one in (bare, bare.packed()):
        found = counting.window_statistics(one, start, stop)
        np.testing.assert_allclose(found.mean, share @ c)
        assert np.isnan(found.mean_variance).all()
    found = counting.window_statistics(rows, np.full(3, 9.0), np.full(3, 10.0))
    assert found.n.tolist() == [0, 0, 0]
    assert np.isnan(found.mean).all()


def test_the_value_of_one_count_is_variance_over_value_pooled_where_few_are_counted():
    counts, one = np.array([4.0, 1.0, 0.0, 9.0]), 2e15
    stderr = one * np.sqrt(np.maximum(counts, 0.3))
    found = counting.value_per_count(counts * one, stderr, np.sum)
    # A single count has a standard error as large as itself: it and zero take the pooled value.
    np.testing.assert_allclose(found, one, rtol=1e-14)
    stderr[1] = 3 * one
    pooled = one * (4 + 9 + 9) / (4 + 1 + 9)
    found = counting.value_per_count(counts * one, stderr, np.sum)
    np.testing.assert_allclose(found, [one, pooled, pooled, one], rtol=1e-14)
    assert np.isnan(counting.value_per_count(np.zeros(2), np.ones(2), np.sum)).all()
