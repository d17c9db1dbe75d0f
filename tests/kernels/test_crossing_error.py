"""How well crossings are located: closed forms of clear edges; coverage: analysis/test_coverage."""

import math

import numpy as np
import pytest

from sims_analysis.kernels.crossing_error import _between_two, _reach, _root, edges
from sims_analysis.kernels.crossings import find, junction, locate
from sims_analysis.kernels.local_fit import Samples
from sims_analysis.kernels.rows import Dense

NAN = math.nan


def stated(z, c, level, sigma, floor=0.0):
    """Crossings of one profile: their depths and half-widths."""
    rows, levels = Dense(z, c[None], sigma[None]), np.full((1, z.size), level)
    found = find(rows, levels)
    at = locate(rows, levels, found).depth
    where = found.row, found.at_or_above, at, found.direction
    floor = np.array([floor])
    return at, edges(rows, levels, *where, every=found.before, floor=floor).half_width


def test_between_two_samples_far_apart_the_error_is_that_of_the_straight_line():
    # An exponential edge known to 1 %: numerical derivatives by the two samples beside it.
    z = np.arange(0.0, 40.0, 2.0)
    c = 1e20 * np.exp(-z / 3)
    level, sigma = 1e20 * math.exp(-17.0 / 3), 0.01 * c
    (at,), (half,) = stated(z, c, level, sigma)
    assert at == pytest.approx(17.0, rel=1e-12)
    variance = 0.0
    for sample in (8, 9):
        moved = c.copy()
        moved[sample] += 1e-4 * sigma[sample]
        variance += ((stated(z, moved, level, sigma)[0][0] - at) / 1e-4) ** 2
    assert half == pytest.approx(math.sqrt(variance), rel=1e-3)


def test_a_flat_edge_is_known_from_all_its_samples():
    # An exponential of 300 nm, counted to 3 %: the information of n samples that share the slope.
    z = np.arange(0.0, 400.0, 1.0)
    c = 1e18 * np.exp(-(z - 200) / 300)
    (at,), (half,) = stated(z, c, 1e18, 0.03 * c)
    assert at == pytest.approx(200.0, rel=1e-9)
    assert half < 0.5 * 0.03 * 300  # the two beside it alone would give 0.7 of this
    # And no better than all samples would, did they know the slope exactly.
    assert half > 0.03 * 300 / math.sqrt(z.size)


def test_below_a_crossing_the_counts_of_a_subtracted_background_scatter():
    # Information of all samples on ln(C / L) = a + b x + d x^2 / 2, by the variances of the counts.
    z, one, floor = np.arange(0.0, 60.0, 3.0), 0.25, 2.0
    c = np.exp(-(z - 29.5) / 60)
    variance = one * (c + floor)
    (at,), (half,) = stated(z, c, 1.0, np.sqrt(variance), floor)
    assert at == pytest.approx(29.5, rel=1e-9)
    x = z - 28.5  # the middle of the two samples beside
    powers = np.stack([np.ones_like(x), x, 0.5 * x**2]) * c
    information = (powers / variance) @ powers.T
    information[2, 2] += (5.0 / 60**2) ** -2  # how curved an edge may be
    g = np.array([1.0, 1.0, 0.5])
    expected = 60 * math.sqrt(g @ np.linalg.solve(information, g))
    assert half == pytest.approx(expected, rel=0.01)


def test_without_errors_nothing_is_stated():
    z = np.arange(5.0)
    rows, level = Dense(z, np.exp(-z)[None]), np.full((1, 5), 0.2)
    found = find(rows, level)
    where = found.row, found.at_or_above, np.array([1.6]), found.direction
    assert np.isnan(edges(rows, level, *where, every=found.before)).all()


def test_stderr_of_a_steep_edge():
    # 3 nm per decade, 100 counts: lambda / 10 = 0.13 nm, less where two samples share the noise.
    z = np.arange(0, 40, 1.0)
    c = 1e20 * 10 ** (-z / 3)
    _, (half,) = stated(z, c, 1e18 * 1.0001, 0.1 * c)
    assert 0.09 < half < 0.1304


def test_on_a_plateau_at_the_level_the_standard_error_is_not_known():
    (at,), (half,) = stated(np.arange(4.0), np.array([1.0, 0.0, 0.0, -1.0]), 0.0, np.ones(4))
    assert at == 1.0
    assert np.isnan(half)


def test_where_there_is_no_logarithm_the_error_is_that_of_the_straight_line():
    # A quarter of the way from 1 to -3 over 2 nm: sqrt(0.75^2 + 0.25^2) of an error, over 2 / nm.
    (at,), (half,) = stated(2 * np.arange(4.0), np.array([3.0, 1.0, -3.0, -5.0]), 0.0, np.ones(4))
    assert at == 2.5
    assert half == pytest.approx(math.hypot(0.75, 0.25) / 2, rel=1e-4)


def test_between_the_last_two_samples_the_error_is_that_of_the_straight_line():
    z, c = np.array([0.0, 1.0, 2.0]), np.array([4.0, 3.0, -1.0])
    (at,), (half,) = stated(z, c, 0.0, np.full(3, 0.1))
    assert at == 1.75
    assert half == pytest.approx(math.hypot(0.25 * 0.1, 0.75 * 0.1) / 4.0, rel=1e-4)


@pytest.mark.parametrize("b", [-1.0, 1.0])
@pytest.mark.parametrize("c", [-0.9, 0.4])
def test_the_edge_is_at_the_nearer_zero_of_the_parabola(b, c):
    roots = np.roots([0.5 * c, b, 0.3])
    found = _root(*(np.array([x]) for x in (0.3, b, c)))
    assert found == pytest.approx(roots[np.argmin(np.abs(roots))], rel=1e-12)


def test_the_edge_of_a_junction_that_noise_has_put_far_from_it():
    # Of the crossings of an edge in few counts the deepest may lie far below the edge.
    z = np.arange(0.0, 200.0)
    counts = np.random.default_rng(2).poisson(40 * np.exp(-z / 30), (100, z.size)).astype(float)
    rows = Dense(z, counts, np.sqrt(np.maximum(counts, 0.92)))
    found = junction(rows, np.full(100, 6.5))
    assert (np.abs(found.edge_offset) > 3 * found.edge_stderr).any()
    off = found.depth + found.edge_offset - 30 * math.log(40 / 6.5)
    assert (np.abs(off) < 5 * found.edge_stderr).all()


def plain_reach(difference, variance, every, begin, end, first):
    """Grow a window until its sides differ by four errors: how far, and which is higher."""
    n = 2
    while True:
        left, right = (
            range(max(first + 1 - n, begin), first + 1),
            range(first + 1, min(first + 1 + n, end)),
        )
        others = np.count_nonzero((every >= min(left)) & (every < min(first + n, end - 1)))
        if others > 100:
            return 0, 0
        step = sum(difference[i] for i in right) - sum(difference[i] for i in left)
        noise = math.sqrt(sum(variance[i] for i in (*left, *right)))
        if abs(step) >= 4 * noise:
            return n, np.sign(step)
        if first - n < begin and first + 1 + n >= end:
            return n, 0
        n = max(n + 1, int(n * 1.3))


@pytest.mark.parametrize("noise", [0.05, 1.0, 4.0])
def test_a_window_grows_until_its_sides_are_told_apart(noise):
    rng = np.random.default_rng(8)
    n, rows = 60, 3
    value = np.concatenate([-3 / (1 + np.exp((np.arange(n) - at) / 6)) for at in (20, 30, 50)])
    value = -value - 1.5 + rng.normal(0, noise, value.size)
    known = rng.random(value.size) > 0.1  # others have no error, and are left out
    sides = np.zeros((2, value.size + 1))
    sides[:, :-1] = np.where(known, [value, np.full(value.size, noise**2)], 0.0)
    first = np.arange(value.size)[np.arange(value.size) % n < n - 1]
    row = first // n
    every = first[(value[first] > 0) != (value[first + 1] > 0)]
    nothing = np.zeros(value.size)
    samples = Samples(
        nothing, value, nothing, nothing, nothing, known, row * n, (row + 1) * n, nothing
    )
    reach, side = _reach(samples, sides, every, np.arange(first.size), first)
    wanted = [
        plain_reach(*sides, every, r * n, (r + 1) * n, i) for r, i in zip(row, first, strict=True)
    ]
    np.testing.assert_array_equal(np.stack([reach, side]), np.transpose(wanted))
    assert rows * n == value.size


def test_a_window_of_more_than_a_hundred_crossings_is_noise():
    n = 400
    value = np.where(np.arange(n) % 2, 1.0, -1.0)
    sides = np.zeros((2, n + 1))
    sides[:, :-1] = value, np.ones(n)
    every, first = np.arange(n - 1), np.array([200, 0])
    nothing, ends = np.zeros(n), np.full(2, n)
    samples = Samples(
        nothing, value, nothing, nothing, nothing, value > -2, 0 * ends, ends, nothing
    )
    assert _reach(samples, sides, every, np.arange(2), first)[0].tolist() == [0, 0]
    for few, reach in ((100, n - 199), (101, 0)):
        found, _ = _reach(samples, sides, np.arange(199, 199 + few), np.arange(1), first[:1])
        assert (found[0] == 0) == (reach == 0)


def plain_between(z, c, s, level, i, at):
    """Locate an edge by the samples i and i + 1 and those beside: offset, error, steep, known."""
    beside = range(i - 1, i + 3)
    there = [0 <= j < z.size and s[j] < 0.33 * c[j] for j in beside]
    y = np.array(
        [math.log(c[j] / level) if ok else NAN for j, ok in zip(beside, there, strict=True)]
    )
    sigma = np.array([s[j] / c[j] if ok else NAN for j, ok in zip(beside, there, strict=True)])
    x = np.array([z[j] if 0 <= j < z.size else NAN for j in beside])

    def bends(y):
        slope = np.diff(y) / np.diff(x)
        return np.diff(slope) / (0.5 * (x[2:] - x[:-2]))

    width, slope = x[2] - x[1], (y[2] - y[1]) / (x[2] - x[1])
    one, other = bends(y)
    weights = np.array([bends(unit) for unit in np.eye(4)])
    noise = math.sqrt((((weights[:, 0] - weights[:, 1]) * sigma) ** 2).sum())
    if abs(one - other) > 2 * noise:  # a kink
        curvature = min(one, other, key=abs) if one * other > 0 else 0.0
    else:
        curvature = 0.0 if math.isnan(one + other) else (one + other) / 2
    t = (at - x[1]) / width
    offset = 0.5 * curvature * t * (1 - t) * width**2 / slope
    error = math.hypot((1 - t) * sigma[1], t * sigma[2]) / abs(slope)
    fall, both = abs(slope * width), math.hypot(sigma[1], sigma[2])
    known = fall >= (4 if fall >= 1 else 10) * both
    return offset, error, abs(slope) * level, known


@pytest.mark.parametrize("relative", [0.002, 0.03, 0.1, 0.3, 0.4])
def test_an_edge_between_two_samples_is_where_their_neighbours_bend_it_to(relative):
    rng = np.random.default_rng(3)
    z = np.cumsum(rng.uniform(0.5, 3, 60))
    c = np.exp(np.cumsum(rng.normal(0, 0.8, 60)))
    s = relative * c * rng.uniform(0.7, 1.3, 60)
    level = 0.7
    before = np.arange(59)
    at = z[:-1] + np.diff(z) * rng.uniform(0, 1, 59)
    flat, ends = np.full(60, level), np.full(59, 60)
    samples = Samples(z, c, s, flat, 0 * s, s > 0, 0 * ends, ends, np.zeros(59))
    offset, error, steep, known = _between_two(samples, before, at)
    for i in before:
        wanted = plain_between(z, c, s, level, i, at[i])
        assert bool(known[i]) == bool(wanted[3])
        if known[i]:
            got = offset[i], error[i], steep[i]
            assert got == pytest.approx(wanted[:3], rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("length", [3.0, 300.0])
def test_the_steepness_of_an_edge_is_its_level_over_its_decay_length(length):
    # Of a steep edge from two samples, of a flat one from the fit to many.
    z = np.arange(0.0, 400.0)
    c = 1e18 * np.exp(-(z - 200.3) / length)
    rows, levels = Dense(z, c[None], 0.03 * c[None]), np.full((1, z.size), 1e18)
    found = find(rows, levels)
    where = found.row, found.at_or_above, locate(rows, levels, found).depth, found.direction
    edge = edges(rows, levels, *where, every=found.before)
    assert edge.steepness == pytest.approx(1e18 / length, rel=1e-6)
    assert edge.offset == pytest.approx(0.0, abs=1e-6)
