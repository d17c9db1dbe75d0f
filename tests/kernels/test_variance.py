"""Errors of sums over a profile against sums of weights, one by one, and against closed forms."""

import math
from dataclasses import replace

import numpy as np
import pytest
from plain_profiles import realistic, run, samples

from sims_analysis.kernels.dose import integrate
from sims_analysis.kernels.rows import Dense
from sims_analysis.kernels.variance import variance_of_dose

NAN = math.nan


def weights_of(z, start, stop):
    """What each sample weighs in an integral: its hat function does; None without an integral."""
    if z.size < 2:
        return None
    a, b = np.fmax(start, z[0]), np.fmin(stop, z[-1])
    if not a < b:
        return None
    knots = np.array([a, *z[(z > a) & (z < b)], b])  # between them hats are straight
    hats = np.eye(z.size)
    return np.array([np.trapezoid(np.interp(knots, z, hat), knots) for hat in hats])


def variance(depth, value, stderr, start=NAN, stop=NAN):
    limits = [np.array(float(x)) for x in (start, stop)]
    return run(integrate, depth, value, *limits, stderr=stderr, variance=True).variance


@pytest.mark.few(1)
@pytest.mark.parametrize("own", [False, True])
def test_variance_with_gaps_and_errors_that_are_not_known(own):
    depth, value = realistic(40, 300, gaps=0.0)
    value[10:20, 5::7] = value[18] = np.nan
    stderr = 0.1 * np.abs(value)
    stderr[5, 20] = stderr[15, 21] = stderr[6, -1] = np.nan  # within the limits, and beyond
    start, stop = depth[10] + 0.2, depth[-10] - 0.1
    axes = np.broadcast_to(depth, value.shape).copy() if own else depth
    found = variance(axes, value, stderr, start, stop)
    for row in range(len(value)):
        z, _ = samples(depth, value, row)
        sigma = stderr[row][~np.isnan(value[row])]
        if row in (5, 15, 18):
            assert math.isnan(found[row])
            continue
        weights = weights_of(z, start, stop)
        assert found[row] == pytest.approx(np.nansum((weights * sigma) ** 2), rel=1e-13)
        alone = variance(
            axes[row : row + 1] if own else axes,
            value[row : row + 1],
            stderr[row : row + 1],
            start,
            stop,
        )
        assert alone[0] == pytest.approx(found[row], rel=1e-15)


def ones(n, sigma, rows=1):
    """Rows of a flat profile on whole depths, with one standard error."""
    value = np.full((rows, n), 5.0)
    return Dense(np.arange(float(n)), value, np.full_like(value, sigma))


def test_what_scatters_more_than_its_errors_is_known_as_well_as_it_scatters():
    rows = ones(11, 1e-9)
    rows.value[0, 7:] = [4.0, 6.0, 4.0, 6.0]
    parameters = [np.array([float(x)]) for x in (0, 5, 7, 10)]
    found = variance_of_dose(rows, *parameters)[0]
    t = 1.19686  # Student's t of three degrees of freedom for 68.27 %, from a table
    assert found == pytest.approx(t**2 * 25 * (4 / 3) / 4, rel=1e-4)  # of four, with n - 1
    # Four depths for each sample: they scatter as one, and know as little.
    rows = replace(rows, fraction=np.array([0.25]))
    found = variance_of_dose(rows, *parameters)[0]
    t = 1.83734  # of one degree of freedom
    assert found == pytest.approx(t**2 * 4 * 25 * (4 / 3) / 4, rel=1e-4)


@pytest.mark.parametrize("fraction", [1.0, 0.25])
def test_a_held_surface_weighs_on_the_first_sample(fraction):
    # It is one sample, however many depths share it.
    parameters = [np.array([float(x)]) for x in (0, 12, NAN, NAN)]
    rows = ones(11, 0.1)
    rows = replace(rows, depth=rows.depth + 2, fraction=np.array([fraction]))
    found = variance_of_dose(rows, *parameters[:2], hold=True)[0]
    first = 0.5**2 + 2 * 0.5 * 2 + 2**2 * fraction
    assert found == pytest.approx(0.01 * (first + 9 + 0.25), rel=1e-13)
    parameters[2:] = np.array([[9.0], [12.0]])
    found = variance_of_dose(rows, *parameters, hold=True)[0]
    net = np.r_[0.5, np.ones(9), 0.5] - np.r_[np.zeros(7), np.full(4, 12 / 4)]
    first = 2 * 0.5 * 2 + 2**2 * fraction
    assert found == pytest.approx(0.01 * ((net**2).sum() + first), rel=1e-13)
