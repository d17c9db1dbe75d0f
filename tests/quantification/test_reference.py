"""A reference signal at the samples of another species, against np.interp."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from sims_analysis.quantification.reference import at_samples_of, quotient

places = st.lists(st.integers(0, 200), min_size=1, max_size=25, unique=True).map(sorted)


def row(axis, z, values):
    found = np.full(axis.size, np.nan)
    found[np.searchsorted(axis, z)] = values
    return xr.DataArray(found, {"depth": axis}, ["depth"])


@given(places, places, st.integers(0, 2**31))
def test_between_samples_and_at_the_ends(own, wanted, seed):
    rng = np.random.default_rng(seed)
    z, at = np.array(own) / 2, np.array(wanted) / 2 + 0.1
    m, s = rng.uniform(1, 100, z.size), rng.uniform(0, 5, z.size)
    axis = np.sort(np.concatenate([z, at]))
    signal, error = at_samples_of(row(axis, at, 1.0), row(axis, z, m), row(axis, z, s))
    signal, error = (found.sel(depth=at).values for found in (signal, error))

    def step(axis, end):
        return abs(np.diff(axis)[end]) if axis.size > 1 else 0.0

    first = at >= z[0] - max(step(z, 0), step(at, 0)) - 1e-9
    last = at <= z[-1] + max(step(z, -1), step(at, -1)) + 1e-9
    np.testing.assert_array_equal(np.isfinite(signal), first & last)
    known = first & last
    np.testing.assert_allclose(signal[known], np.interp(at, z, m)[known], rtol=1e-12)
    # The weights of the two neighbours, by linear interpolation of unit samples.
    weights = np.array([np.interp(at, z, unit) for unit in np.eye(z.size)])
    expected = np.sqrt(((weights.T * s) ** 2).sum(axis=1))
    np.testing.assert_allclose(error[known], expected[known], rtol=1e-9, atol=1e-12)


def test_on_a_sample_it_is_that_sample():
    rng = np.random.default_rng(0)
    axis = np.sort(rng.uniform(0, 1, 50))
    m = rng.uniform(0, 1, 50)
    signal, error = at_samples_of(row(axis, axis, 1.0), row(axis, axis, m), None)
    np.testing.assert_array_equal(signal.values, m)
    assert error is None


def test_nothing_measured_is_nothing():
    axis = np.arange(5.0)
    nothing = row(axis, axis, np.nan)
    for wanted, reference in [(nothing, row(axis, axis, 1.0)), (row(axis, axis, 1.0), nothing)]:
        assert at_samples_of(wanted, reference, None)[0].isnull().all()


@pytest.mark.parametrize("below", [0.0, -1.0, np.nan])
def test_no_quotient_without_a_divisor(below):
    one = xr.DataArray([4.0, 4.0])
    value, stderr = quotient(one, one / 2, xr.DataArray([below, 2.0]), one / 4)
    np.testing.assert_array_equal(value, [np.nan, 2.0])
    np.testing.assert_allclose(stderr, [np.nan, np.hypot(2.0, 2.0 * 1.0) / 2.0])
