"""Values between samples against a plain, row-by-row reference, and against closed forms."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_profiles import batches, depths, run, samples

from sims_analysis.kernels import interpolation as kernels

PIECEWISE = ("log", "linear")


def interpolate(depth, value, at, **options):
    """Ask for the same depths of all rows, or for each row's own."""
    at = np.broadcast_to(at, (len(value), at.shape[-1]))
    return run(kernels.interpolate, depth, value, at, whole=[1], **options)


def value_at(z, c, where, method):
    """Interpolate one profile at one depth: (value, fell back)."""
    on = np.flatnonzero(z == where)
    if on.size:
        return c[on[0]], False
    if z.size < 2 or not z[0] < where < z[-1]:
        return math.nan, False
    i = int(np.searchsorted(z, where)) - 1
    t = (where - z[i]) / (z[i + 1] - z[i])
    if method == "log" and c[i] > 0 and c[i + 1] > 0:
        return math.exp((1 - t) * math.log(c[i]) + t * math.log(c[i + 1])), False
    return c[i] + t * (c[i + 1] - c[i]), method == "log"


def agree(found, depth, value, at, method):
    result, n_linear = found
    for row in range(value.shape[0]):
        z, c = samples(depth, value, row)
        wanted = [value_at(z, c, where, method) for where in (at if at.ndim == 1 else at[row])]
        np.testing.assert_allclose(
            result[row],
            [v for v, _ in wanted],
            rtol=1e-12,
            atol=1e-14 * np.abs(c).max(initial=0.0),
        )
        assert n_linear[row] == sum(fell for _, fell in wanted)
        for where, got in zip(at if at.ndim == 1 else at[row], result[row], strict=True):
            if where in z:
                assert got == c[z == where][0]  # exactly the sample


@pytest.mark.parametrize("method", PIECEWISE)
@given(batch=batches(), data=st.data())
def test_any_batch_at_own_depths(method, batch, data):
    rows = batch[1].shape[0]
    at = np.array(data.draw(st.lists(depths, min_size=3 * rows, max_size=3 * rows)))
    at = at.reshape(rows, 3)
    agree(interpolate(*batch, at, method=method), *batch, at, method)


@pytest.mark.parametrize("own", [False, True])
def test_between_neighbours_that_are_nearly_equal(own):
    # Rounding alone would lead beyond the ends.
    rng = np.random.default_rng(0)
    depth = np.arange(400.0)
    value = 1e18 * (1 + rng.integers(0, 6, (60, 400)) * 2.0**-52)
    at = np.sort(rng.uniform(0, 399, 3000))
    axes = np.tile(depth, (60, 1)) if own else depth
    found, n_linear = interpolate(axes, value, at)
    before = np.searchsorted(depth, at, side="right") - 1
    low = np.minimum(value[:, before], value[:, before + 1])
    high = np.maximum(value[:, before], value[:, before + 1])
    assert (found >= low).all()
    assert (found <= high).all()
    assert not n_linear.any()


@pytest.mark.slow
@pytest.mark.few(1)
@pytest.mark.parametrize("method", PIECEWISE)
@settings(max_examples=40)
@given(batch=batches(min_n=2), at=st.lists(depths, min_size=1, max_size=6))
def test_errors_are_those_of_the_two_neighbours(method, batch, at):
    # By numerical derivatives of the interpolated value by each of the samples.
    depth, value = batch
    value = np.abs(value) + 1e15
    stderr = 0.01 * value
    asked = np.tile(at, (len(value), 1))
    options = {"stderr": stderr, "whole": [1], "method": method}
    (found,) = run(kernels.stderr_at, depth, value, asked, **options)
    variance = np.zeros(found.shape)
    for sample in range(value.shape[1]):
        moved = [value.copy(), value.copy()]
        moved[0][:, sample] -= 1e-4 * stderr[:, sample]
        moved[1][:, sample] += 1e-4 * stderr[:, sample]
        low, high = (interpolate(depth, one, asked, method=method).value for one in moved)
        variance += ((high - low) / 2e-4) ** 2
    np.testing.assert_allclose(found, np.sqrt(variance), rtol=1e-6)


@pytest.mark.parametrize("method", ["log", "linear", "pchip", "makima"])
def test_rounding_leads_beyond_no_record(method):
    z, c = np.linspace(0.0, 1001.0, 8), np.geomspace(1e20, 1e15, 8)[None]
    at = np.array([-1e-7, 1001.0 * (1 + 5e-10), -1e-5, 1001.0 * (1 + 1e-8)])
    found = run(kernels.interpolate, z, c, at, whole=[1], method=method).value
    np.testing.assert_array_equal(found[0], [1e20, c[0, -1], np.nan, np.nan])
