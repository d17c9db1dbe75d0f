"""Gaps between samples, against a plain search, and what is no gap."""

import numpy as np
import pytest

from sims_analysis.kernels.blocks import layouts
from sims_analysis.kernels.gaps import across_gap, gap_after, gaps_within, inside_gap
from sims_analysis.kernels.rows import Dense


def rows_of(depth, value=None):
    depth = np.asarray(depth, dtype=float)
    value = np.ones(np.shape(depth)) if value is None else np.asarray(value, dtype=float)
    ((_, rows),) = layouts(depth, np.atleast_2d(value))
    return rows


def gaps_of(depth):
    rows = rows_of(depth)
    flags = gap_after(rows)
    return [] if flags is None else np.flatnonzero(flags).tolist()


def by_hand(depth):
    width = np.diff(depth)
    found = []
    for i, own in enumerate(width):
        order = sorted((j for j in range(width.size) if j != i), key=lambda j: (abs(j - i), j))
        near = width[sorted(order)] if width.size <= 7 else None
        if near is None:
            first = min(max(i - 3, 0), width.size - 7)
            near = np.delete(width[first : first + 7], i - first)
        if near.size and own > 5 * np.median(width) and own > 5 * np.median(near):
            found.append(i)
    return found


@pytest.mark.parametrize("seed", range(200))
def test_against_a_plain_search(seed):
    rng = np.random.default_rng(seed)
    width = rng.uniform(0.5, 1.5, rng.integers(2, 40)) * rng.choice([1, 3, 8, 20], 40)[0]
    holes = rng.random(width.size) < 0.1
    width[holes] *= rng.uniform(2, 30, holes.sum())
    depth = np.append(0.0, np.cumsum(width))
    assert gaps_of(depth) == by_hand(depth)


@pytest.mark.parametrize(
    "depth",
    [
        np.geomspace(1, 1000, 200),
        np.append(np.arange(0, 100, 1.0), np.arange(110, 400, 10.0)),
        np.append(np.arange(0, 100, 10.0), np.arange(100, 200, 1.0)),
        np.arange(50.0),
        [1.0],
        [1.0, 30.0],
        [0.0, 1.0, 2.0, 6.9],
        np.repeat([0.0, 1.0, 2.0, 3.0, 30.0, 31.0, 32.0], 2)[1:-1] + 1e-12 * np.arange(12),
    ],
)
def test_a_grid_that_widens_has_no_gaps(depth):
    assert gaps_of(depth) == []


@pytest.mark.parametrize(
    ("depth", "gaps"),
    [
        (np.delete(np.arange(100.0), np.s_[40:70]), [39]),
        (np.delete(np.arange(100.0), np.r_[40:54, 55:70]), [39, 40]),  # a lonely sample between
        (np.delete(np.arange(100.0), np.s_[1:10]), [0]),
        (np.delete(np.arange(100.0), np.s_[90:99]), [89]),
        ([0.0, 1.0, 2.0, 8.0], [2]),
    ],
)
def test_holes_are_gaps(depth, gaps):
    assert gaps_of(depth) == gaps


def test_rows_with_their_own_samples_have_their_own_gaps():
    z = np.arange(60.0)
    value = np.ones((3, 60))
    value[0, 20:30], value[2, 40:50] = np.nan, np.nan
    limit = np.full(3, np.nan)
    found = {}
    for which, rows in layouts(z, value):
        for row, *gap in zip(
            np.arange(3)[which], *gaps_within(rows, limit[which], limit[which]), strict=True
        ):
            found[int(row)] = gap
    assert found[0] == [11.0, 1, 19.0, 30.0]
    assert found[1][:2] == [0.0, 0]
    assert found[2] == [11.0, 1, 39.0, 50.0]


def test_only_the_part_between_the_limits_counts():
    rows = rows_of(np.delete(np.arange(100.0), np.r_[20:30, 60:80]))
    for start, stop, width, n in [
        (np.nan, np.nan, 11 + 21, 2),
        (25, 65, 5 + 6, 2),
        (30, 59, 0, 0),
        (21, 22, 1, 1),
    ]:
        found = gaps_within(rows, np.array([float(start)]), np.array([float(stop)]))
        assert (found.width[0], found.n[0]) == (width, n)


@pytest.mark.parametrize("own", [False, True])
def test_depths_in_a_gap(own):
    depth = np.delete(np.arange(40.0), np.s_[20:30])
    rows = rows_of(np.stack([depth, depth]) if own else depth, np.ones((2, 30)))
    at = np.array([[18.0, 19.0, 19.1], [29.9, 30.0, 31.0]])
    assert inside_gap(rows, at).value.tolist() == [[False, False, True], [True, False, False]]
    closed = inside_gap(rows, at, closed=True).value
    assert closed.tolist() == [[False, True, True], [True, True, False]]


def test_segments_that_are_gaps():
    rows = rows_of(np.delete(np.arange(40.0), np.s_[20:30]), np.ones((2, 30)))
    at = np.array([0, 18, 19, 20, 21, 49, 50])
    assert across_gap(rows, at).tolist() == [False, False, True, False, False, True, False]


def test_a_gap_is_wider_than_five_of_its_neighbours():
    for width, found in ((5.0, []), (5.01, [3])):
        assert gaps_of([0, 1, 2, 3, *(3 + width + np.arange(4))]) == found


def test_what_no_cell_covers_is_a_gap_between_two_cells_too():
    z, lower, upper = np.array([1.0, 5.0]), np.array([0.0, 4.0]), np.array([2.0, 6.0])
    found = gaps_within(Dense(z, np.ones((1, 2)), None, lower, upper), *np.full((2, 1), np.nan))
    assert (found.n, found.width, found.before, found.after) == ([1], [2.0], [2.0], [4.0])


@pytest.mark.parametrize("packed", [False, True])
def test_gaps_between_cells_end_at_their_edges(packed):
    lower = np.array([0.0, 2, 3.5, 5, 9])
    upper = np.array([2.0, 3, 5, 5 + 4 - 1e-9, 10])  # the last two touch, up to rounding
    z = 0.5 * (lower + upper)
    rows = Dense(z, np.ones((2, 5)), None, lower, upper)
    rows = rows.packed() if packed else rows
    found = gaps_within(rows, np.array([np.nan, 3.2]), np.array([np.nan, 3.3]))
    assert found.n.tolist() == [1, 1]
    np.testing.assert_allclose(found.width, [0.5, 0.1])
    assert (found.before.tolist(), found.after.tolist()) == ([3.0, 3.0], [3.5, 3.5])
    at = np.tile([2.9, 3.0, 3.1, 3.5, 3.6, 9.0], (2, 1))
    assert inside_gap(rows, at).value.tolist() == [[False, False, True, False, False, False]] * 2
    closed = inside_gap(rows, at, closed=True).value
    assert closed.tolist() == [[False, True, True, True, False, False]] * 2
    assert across_gap(rows, np.arange(9)).tolist() == [
        False,
        True,
        *[False] * 4,
        True,
        False,
        False,
    ]
