"""How well crossings are located: closed forms of clear edges; coverage: analysis/test_coverage."""

import math

import numpy as np
import pytest

from sims_analysis.kernels.crossing_error import edges
from sims_analysis.kernels.crossings import find, junction, locate
from sims_analysis.kernels.rows import Dense


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


def test_on_a_plateau_at_the_level_the_standard_error_is_not_known():
    (at,), (half,) = stated(np.arange(4.0), np.array([1.0, 0.0, 0.0, -1.0]), 0.0, np.ones(4))
    assert at == 1.0
    assert np.isnan(half)


def test_between_the_last_two_samples_the_error_is_that_of_the_straight_line():
    z, c = np.array([0.0, 1.0, 2.0]), np.array([4.0, 3.0, -1.0])
    (at,), (half,) = stated(z, c, 0.0, np.full(3, 0.1))
    assert at == 1.75
    assert half == pytest.approx(math.hypot(0.25 * 0.1, 0.75 * 0.1) / 4.0, rel=1e-4)


def test_the_edge_of_a_junction_that_noise_has_put_far_from_it():
    # Of the crossings of an edge in few counts the deepest may lie far below the edge.
    z = np.arange(0.0, 200.0)
    counts = np.random.default_rng(2).poisson(40 * np.exp(-z / 30), (100, z.size)).astype(float)
    rows = Dense(z, counts, np.sqrt(np.maximum(counts, 0.92)))
    found = junction(rows, np.full(100, 6.5))
    assert (np.abs(found.edge_offset) > 3 * found.edge_stderr).any()
    off = found.depth + found.edge_offset - 30 * math.log(40 / 6.5)
    assert (np.abs(off) < 5 * found.edge_stderr).all()


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
