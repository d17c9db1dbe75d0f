"""Cell averages and their errors against integrals and derivatives, one by one."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from plain_profiles import realistic, run, samples

from sims_analysis.kernels import grid
from sims_analysis.kernels.rows import Dense

EDGES = np.array([-4.0, 0.5, 3.0, 3.25, 11.0, 40.0, 41.0, 300.0, 599.0, 700.0])


def means(depth, value, edges=EDGES, *, log):
    return run(grid.cell_means, depth, value, edges=edges, log=log)


def mean(z, c, a, b, *, log):
    """Average one profile over one cell, piece by piece."""
    if not (z.size and z[0] <= a and b <= z[-1]):
        return math.nan
    knots = np.array([a, *z[(z > a) & (z < b)], b])
    total = 0.0
    for u, v in itertools.pairwise(knots):
        i = min(int(np.searchsorted(z, u, side="right")) - 1, z.size - 2)
        width = z[i + 1] - z[i]
        s, t = (u - z[i]) / width, (v - z[i]) / width
        if log and c[i] > 0 and c[i + 1] > 0:
            k = math.log(c[i + 1] / c[i])
            part = t - s if k == 0 else (math.exp(k * t) - math.exp(k * s)) / k
            total += c[i] * part * width
        else:
            total += (c[i] + 0.5 * (s + t) * (c[i + 1] - c[i])) * (v - u)
    return total / (b - a)


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("own", [False, True])
def test_cells_of_profiles_with_gaps_and_zeros(log, own):
    depth, value = realistic(20, 200, gaps=0.05)
    value[3], value[4, 1:], value[5, :50] = np.nan, np.nan, np.nan
    axes = np.where(np.isnan(value), np.nan, depth) if own else depth
    found = means(axes, value, log=log)
    for row in range(20):
        z, c = samples(depth, value, row)
        wanted = [mean(z, c, a, b, log=log) for a, b in itertools.pairwise(EDGES)]
        scale = 1e-13 * np.abs(c).max(initial=0.0)
        np.testing.assert_allclose(found.value[row], wanted, rtol=1e-9, atol=scale)
    assert bool(found.n_linear_segments.any()) == log


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("log", [False, True])
def test_averages_over_cells_are_averaged_with_the_parts_of_the_old_cells_in_the_new_ones(
    log, packed
):
    lower, upper = np.array([0.0, 1, 4, 6]), np.array([1.0, 3, 6, 10])
    value, sigma = (
        np.array([[8.0, 2, 3, 5], [1, 7, 4, 2]]),
        np.array([[1.0, 2, 1, 3], [2, 1, 4, 1]]),
    )
    edges = np.array([-1.0, 0.0, 2.0, 3.5, 5.0, 10.0, 11.0])
    # A straight line from 3 to 4 nm joins the two cells that do not meet.
    at_line = [[0, 1 + 0.375, 0.125, 0], [0, 0.125, 1 + 0.375, 0]]
    parts = np.array([[1, 1, 0, 0], *at_line, [0, 0, 1, 4]])
    width = np.diff(edges)[1:-1]
    rows = Dense(0.5 * (lower + upper), value, sigma, lower, upper)
    rows = rows.packed() if packed else rows

    def inner(found):
        assert np.isnan(found[:, [0, -1]]).all()  # cells beyond the record
        return found[:, 1:-1]

    means = inner(grid.cell_means(rows, edges=edges, log=log).value)
    np.testing.assert_allclose(means, value @ parts.T / width, rtol=1e-12)
    errors = inner(grid.cell_means(rows, edges=edges, log=log).stderr)
    np.testing.assert_allclose(errors, np.sqrt(sigma**2 @ parts.T**2) / width, rtol=1e-12)
    uncounted = replace(rows, stderr=0.0 * rows.stderr, uncounted=rows.stderr)
    most = inner(grid.cell_means(uncounted, edges=edges, log=log).stderr)
    wanted = 2 * (sigma[:, None] * parts).max(axis=-1) / width
    np.testing.assert_allclose(most, wanted, rtol=1e-12)
    fraction = (parts**2).sum() / (parts.sum(axis=0) ** 2).sum()
    found = grid.cell_means(rows, edges=edges, log=log).fraction
    np.testing.assert_allclose(found, fraction, rtol=1e-12)


@pytest.mark.parametrize(("ratio", "size"), [(4.0, 5), (4.0, 30), (2.5, 3), (8.0, 5)])
def test_neighbours_share_the_variance_of_the_samples_between_which_they_lie(ratio, size):
    # Straight lines between samples of variance 1, at all places between them.
    weights = np.linspace(1.0, 0.3, size)
    variance, long = [], []
    for place in np.arange(0, 1, 1 / 64):
        at = place + np.arange(400) / ratio
        every = np.maximum(1 - np.abs(at[:, None] - np.arange(-1, 400 / ratio + 3)), 0.0)
        variance.append(np.sum((weights @ every[:size]) ** 2))
        long.append(np.sum(every.sum(0) ** 2) / 400)
    (spacing,), (of_one,) = grid.samples_of_grid(np.array([fraction_of(ratio)]))
    assert spacing == pytest.approx(ratio, rel=1e-6)
    assert of_one / fraction_of(ratio) == pytest.approx(np.mean(long), rel=0.02)
    found = grid.shared_variance(weights[None], np.array([fraction_of(ratio)]))[0]
    stated = weights @ weights * of_one / fraction_of(ratio)
    assert found * stated == pytest.approx(np.mean(variance), rel=1e-3)
    assert grid.shared_variance(weights[None], np.array([1.0])) == 1.0


def fraction_of(ratio):
    """Give the effective fraction of samples that are so many grid steps apart."""
    return (2 + ratio**-2) / 3 / ratio
