"""Gaps between samples, against a plain search, and what is no gap."""

import numpy as np
import pytest

from sims_analysis.kernels import gaps
from sims_analysis.kernels.blocks import layouts
from sims_analysis.kernels.rows import Dense, Packed


def rows_of(depth, value=None):
    depth = np.asarray(depth, dtype=float)
    value = np.ones(np.shape(depth)) if value is None else np.asarray(value, dtype=float)
    ((_, rows),) = layouts({"depth": depth, "value": np.atleast_2d(value)})
    return rows


def gaps_of(depth):
    rows = rows_of(depth)
    flags = gaps.gap_after(rows)
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


@pytest.mark.parametrize("seed", range(30))
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
    ("depth", "found"),
    [
        (np.delete(np.arange(100.0), np.s_[40:70]), [39]),
        (np.delete(np.arange(100.0), np.r_[40:54, 55:70]), [39, 40]),  # a lonely sample between
        (np.delete(np.arange(100.0), np.s_[1:10]), [0]),
        (np.delete(np.arange(100.0), np.s_[90:99]), [89]),
        ([0.0, 1.0, 2.0, 8.0], [2]),
    ],
)
def test_holes_are_gaps(depth, found):
    assert gaps_of(depth) == found


def test_a_gap_is_wider_than_five_of_its_neighbours():
    for width, found in ((5.0, []), (5.01, [3])):
        assert gaps_of([0, 1, 2, 3, *(3 + width + np.arange(4))]) == found


@pytest.mark.parametrize("packed", [False, True])
def test_what_no_cell_covers_is_a_gap_between_two_cells_too(packed):
    rows = Dense(
        np.array([1.0, 5.0]), np.ones((2, 2)), None, np.array([0.0, 4.0]), np.array([2.0, 6.0])
    )
    row, low, high = gaps.gaps_of(rows.packed() if packed else rows)
    assert (row.tolist(), low.tolist(), high.tolist()) == ([0, 1], [2.0] * 2, [4.0] * 2)


def test_cells_that_touch_up_to_rounding_have_no_gap_between_them():
    lower, upper = np.array([0.0, 2, 3.5, 5, 9]), np.array([2.0, 3, 5, 9 - 1e-9, 10])
    rows = Dense(0.5 * (lower + upper), np.ones((1, 5)), None, lower, upper)
    _, low, high = gaps.gaps_of(rows)
    assert (low.tolist(), high.tolist()) == ([3.0], [3.5])


@pytest.mark.parametrize("seed", range(5))
def test_at_a_few_places_gaps_are_those_of_all_samples(seed):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(0, 60, 80)
    steps = [rng.choice([1.0, 1.2, 5.4, 9.0], size, p=[0.5, 0.4, 0.05, 0.05]) for size in sizes]
    depth = np.concatenate([np.cumsum(own) for own in steps])
    rows = Packed(depth, np.ones(depth.size), offsets=np.append(0, np.cumsum(sizes)))
    every = gaps.gap_after(rows)
    for row in np.flatnonzero(sizes > 1):
        at = np.full(rows.count, np.nan)
        at[row] = rng.uniform(rows.first[row], rows.last[row])
        near = gaps.gap_after(rows, rows.samples_in(at, at))
        near = np.zeros(depth.size, dtype=bool) if near is None else near
        segment = rows.segment_at(at[[row], None], np.array([[row]])).item()
        assert near[segment] == every[segment]
