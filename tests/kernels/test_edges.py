"""How well crossings are located: closed forms of clear edges; coverage: analysis/test_coverage."""

import itertools
import math

import numpy as np
import pytest
from scipy.special import ndtr

from sims_analysis.kernels.edges import edges
from sims_analysis.kernels.levels import find, locate, significant
from sims_analysis.kernels.rows import Dense


def located(z, c, level, sigma, floor=0.0, where="auto"):
    """Return the edges at all crossings of one profile, and where these lie between samples."""
    rows = Dense(z, c[None], None if sigma is None else sigma[None])
    levels, floor = np.full((1, z.size), level), np.array([floor])
    found = find(rows, levels)
    raw = locate(rows, levels, found)
    return edges(rows, levels, found, raw, every=found, floor=floor, locate=where), raw.depth


def stated(z, c, level, sigma, floor=0.0):
    """Return the depths of the crossings of one profile, and their standard errors."""
    edge, _ = located(z, c, level, sigma, floor)
    return edge.depth, edge.stderr


def test_between_two_samples_far_apart_the_error_is_that_of_the_straight_line():
    # An exponential edge known to 1 %: numerical derivatives by the two samples beside it.
    z = np.arange(0.0, 160.0, 8.0)
    c = 1e20 * np.exp(-z / 3)
    level, sigma = 1e20 * math.exp(-69.0 / 3), 0.01 * c
    (at,), (half,) = stated(z, c, level, sigma)
    assert at == pytest.approx(69.0, rel=1e-12)
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


def test_without_errors_a_crossing_lies_between_its_two_samples():
    z = np.arange(5.0)
    edge, raw = located(z, np.exp(-z), 0.2, None)
    np.testing.assert_array_equal(edge.depth, raw)
    np.testing.assert_allclose(edge.decay_length, 1.0)
    np.testing.assert_allclose(edge.steepness, 0.2)
    assert np.isnan(edge.stderr).all()


def test_on_a_plateau_at_the_level_the_standard_error_is_not_known():
    (at,), (half,) = stated(np.arange(4.0), np.array([1.0, 0.0, 0.0, -1.0]), 0.0, np.ones(4))
    assert at == 1.0
    assert np.isnan(half)


def test_between_the_last_two_samples_the_error_is_that_of_the_straight_line():
    z, c = np.array([0.0, 1.0, 2.0]), np.array([4.0, 3.0, -1.0])
    (at,), (half,) = stated(z, c, 0.0, np.full(3, 0.1))
    assert at == 1.75
    assert half == pytest.approx(math.hypot(0.25 * 0.1, 0.75 * 0.1) / 4.0, rel=1e-4)


def poisson(mu, trials=1, seed=0):
    return np.random.default_rng(seed).poisson(mu, (trials, mu.size)).astype(float)


def errors(counts):
    return np.where(counts > 0, np.sqrt(counts), 0.92)


@pytest.mark.slow
def test_the_fit_takes_over_without_a_step_as_two_samples_differ_by_less():
    z = np.arange(0.0, 300.0, 15.0)
    counts = 1000 * np.exp(-(z - 151) / 10) * (1 + 0.02 * np.sin(z))
    relative = np.geomspace(0.001, 0.32, 130)  # ln C falls by 1.5: 1000 to 3 standard errors
    part, depths, known = [], [], []
    for r in relative:
        found = {w: located(z, counts, 1000.0, r * counts, where=w) for w in ("auto", "fit")}
        (edge, raw), (fit, _) = found.values()
        part.append(((edge.depth - raw) / (fit.depth - raw)).item())
        depths.append(edge.depth.item())
        known.append(edge.stderr.item())
    assert part[0] == pytest.approx(0.5, abs=0.05)  # half-way between steps of 1 and 2
    assert part[-1] == pytest.approx(1.0)
    assert (np.abs(np.diff(depths)) < 0.3 * np.array(known[1:])).all()


def test_by_choice_the_edge_is_always_fitted_or_never():
    z = np.arange(0.0, 100.0)
    counts = poisson(30 * np.exp(-(z - 50) / 15))[0]
    sigma = errors(counts)
    edge, raw = located(z, counts, 30.0, sigma, where="crossing")
    np.testing.assert_array_equal(edge.depth, raw)
    fit, _ = located(z, counts, 30.0, sigma, where="fit")
    # The interval about the crossing contains the edge with 68 %: it is at least as wide.
    known = np.isfinite(fit.stderr) & (fit.depth != raw)
    assert known.any()
    assert (edge.stderr[known] >= fit.stderr[known] - 1e-12).all()
    assert (edge.stderr[known] >= np.abs(fit.depth - raw)[known] - fit.stderr[known]).all()


def plain_significant(excess, variance, crossings):
    """Join the least certain run that noise may have made to its neighbours, one by one."""
    ends = [0, *(c + 1 for c in crossings), excess.size]
    while len(ends) > 2:
        sums = [excess[i:k].sum() for i, k in itertools.pairwise(ends)]
        same = [i for i in range(1, len(sums)) if sums[i] * sums[i - 1] > 0]
        if same:
            del ends[same[0]]
            continue
        certain = [
            abs(x)
            / math.sqrt(
                variance[i:k].sum() * (16 + 2 * math.log(max(excess.size / (10 * (k - i)), 1)))
            )
            for x, (i, k) in zip(sums, itertools.pairwise(ends), strict=True)
        ]
        least = int(np.argmin(certain))
        if certain[least] >= 1:
            break
        ends = [e for j, e in enumerate(ends) if j not in {least, least + 1} or j in {0, len(sums)}]
    return [e - 1 for e in ends[1:-1]]


@pytest.mark.few(1, 4)
@pytest.mark.parametrize("seed", range(3))
def test_what_is_significant_is_found_by_joining_one_run_after_the_other(seed):
    z = np.arange(0.0, 400.0)
    mu = 12 * (1 + np.sin(z / 30)) * np.exp(-z / 300) + 2
    counts = poisson(mu, 40, seed)
    rows, level = Dense(z, counts, errors(counts)), np.full((40, 1), 9.5)
    every = find(rows, level)
    found = significant(rows, level, every)
    assert every.row.size > 3 * found.row.size
    alike = 0
    for r in range(40):
        own = every.take(every.row == r)
        wanted = plain_significant(counts[r] - 9.5, np.full(z.size, 9.5), own.before % z.size)
        alike += wanted == (found.before[found.row == r] % z.size).tolist()
    assert alike >= 32  # runs that are joined at once may be others where two are as certain


def test_a_record_of_noise_has_no_significant_crossing():
    z = np.arange(5000.0)
    counts = poisson(np.full(z.size, 10.0), 20)
    rows, level = Dense(z, counts, errors(counts)), np.full((20, 1), 10.5)
    assert significant(rows, level, find(rows, level)).row.size == 0


@pytest.mark.parametrize("length", [3.0, 300.0])
def test_the_steepness_of_an_edge_is_its_level_over_its_decay_length(length):
    # Of a steep edge from two samples, of a flat one from the fit to many.
    z = np.arange(0.0, 400.0)
    c = 1e18 * np.exp(-(z - 200.3) / length)
    edge, raw = located(z, c, 1e18, 0.03 * c)
    assert edge.steepness == pytest.approx(1e18 / length, rel=1e-6)
    assert edge.decay_length == pytest.approx(length, rel=1e-6)
    assert edge.depth == pytest.approx(raw, abs=1e-6)


@pytest.mark.few(1, 3)
@pytest.mark.parametrize(("slopes", "factor"), [((5, 25), 1.2), ((25, 5), 0.83), ((10, 30), 1.2)])
def test_the_edge_below_a_kink_is_that_of_its_own_side(slopes, factor):
    """A parabola across the kink is off by four of its errors, and covered a third."""
    z, level = np.arange(0.4, 100.0), 10_000.0
    decay = np.where(z < 40, *slopes)
    shape = np.minimum(level * factor * np.exp(-(z - 40) / decay), 3e5)
    truth = 40 + math.log(factor) * slopes[factor > 1]
    found = [stated(z, one, level, errors(one)) for one in poisson(shape, 100)]
    off = np.array([depth[-1] - truth for depth, _ in found])
    away = off / [stderr[-1] for _, stderr in found]
    assert abs(off.mean()) < 0.1
    assert 0.5 < np.mean(np.abs(away) < 1) < 0.85


@pytest.mark.few(1)
def test_where_a_sharp_step_meets_a_slow_tail_at_the_level_either_may_cross_it():
    """The tail alone would cross up to a step before the two samples say."""
    off, stated_errors = [], []
    for phase in np.arange(0.05, 1.0, 0.1):
        z = np.arange(0.0, 120.0) + phase
        shape = np.minimum(np.exp(-(z - 60) / np.where(z < 60, 0.3, 20.0)), 60.0)
        for one in poisson(10_000 * shape, 20):
            depth, stderr = stated(z, one, 10_000.0, errors(one))
            off.append(abs(depth[-1] - 60))
            stated_errors.append(stderr[-1])
    assert np.mean(np.array(off) < 3 * np.array(stated_errors)) > 0.98


@pytest.mark.parametrize(("bottom", "width", "level"), [(62.5, 0.5, 0.5), (90.0, 0.25, 0.9)])
def test_edges_of_less_than_a_step_lie_within_three_errors(bottom, width, level):
    """A parabola through four samples misses them; a plateau does not tell how C falls beyond."""

    def shape(z):
        return ndtr((z - 60) / width) * ndtr((bottom - z) / width)

    fine = np.arange(40.0, 110.0, 0.001)
    level *= shape(fine).max()
    crossing = fine[shape(fine) > level][-1]
    off = []
    for phase in np.arange(0.05, 1.0, 0.1):
        z = np.arange(40.0, 110.0) + phase
        for one in poisson(10_000 / level * shape(z) + 10, 10):
            depth, stderr = stated(z, one, 10_000.0, errors(one))
            off.append(abs(depth[-1] - crossing) / stderr[-1])
    assert np.mean(np.array(off) < 3) > 0.98


def test_two_samples_on_a_terrace_at_the_level_do_not_tell_where_an_edge_is():
    z = np.arange(0.0, 250.0)
    rate = 10 / 1.1 * np.exp(-np.minimum(z - 60, 0) / 5 - np.maximum(z - 130, 0) / 5)
    k = poisson(np.minimum(rate, 100.0), 300)
    rows, level = Dense(z, k, np.sqrt(np.maximum(k, 1.0))), np.full(k.shape, 10.0)
    every = significant(rows, level, find(rows, level))
    edge = edges(rows, level, every, locate(rows, level, every), every=every)
    assert np.mean(edge.stderr < 0.5) < 0.02  # 3 % and more off with less than that
