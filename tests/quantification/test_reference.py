"""A reference signal at the samples of another species, against np.interp."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

import sims_analysis as sims
from sims_analysis.errors import ProfileError, ProfileWarning
from sims_analysis.frame.opening import open_frame
from sims_analysis.quantification import reference as module
from sims_analysis.quantification.reference import at_samples_of, quotient

places = st.lists(st.integers(0, 200), min_size=1, max_size=25, unique=True).map(sorted)


def beside(z, wanted, own, reference, stderr=None):
    """The frame of a species A with samples at some depths, and of its reference R."""
    axis = np.union1d(wanted, own)
    rows = np.full((2, 2, axis.size), np.nan)
    rows[0, 0, np.searchsorted(axis, wanted)] = z
    rows[0, 1, np.searchsorted(axis, own)] = reference
    rows[1, 1, np.searchsorted(axis, own)] = np.nan if stderr is None else stderr
    dims = ("species", "depth")
    ds = xr.Dataset(
        {"intensity": (dims, rows[0], {"units": "count/s"})},
        coords={"species": ["A", "R"], "depth": ("depth", axis, {"units": "nm"})},
    )
    if stderr is not None:
        ds["intensity_stderr"] = (dims, rows[1], {"units": "count/s"})
    return open_frame(ds, ("count_rate",), question="a test"), np.searchsorted(axis, wanted)


@pytest.mark.slow
@given(places, places, st.integers(0, 2**31))
def test_between_samples_and_at_the_ends(own, wanted, seed):
    rng = np.random.default_rng(seed)
    z, at = np.array(own) / 2, np.array(wanted) / 2 + 0.1
    m, s = rng.uniform(1, 100, z.size), rng.uniform(0, 5, z.size)
    frame, where = beside(1.0, at, z, m, s)
    signal, error, of_sums = (one.values[0, where] for one in at_samples_of(frame, "R")[:3])

    def step(axis, end):
        return abs(np.diff(axis)[end]) if axis.size > 1 else 0.0

    first = at >= z[0] - max(step(z, 0), step(at, 0)) - 1e-9
    last = at <= z[-1] + max(step(z, -1), step(at, -1)) + 1e-9
    np.testing.assert_array_equal(np.isfinite(signal), first & last)
    known = first & last
    np.testing.assert_allclose(signal[known], np.interp(at, z, m)[known], rtol=1e-12)
    # The weights of the two neighbours, by linear interpolation of unit samples.
    weights = np.array([np.interp(at, z, unit) for unit in np.eye(z.size)]).T[known]
    expected = np.sqrt(((weights * s) ** 2).sum(axis=1))
    np.testing.assert_allclose(error[known], expected, rtol=1e-9, atol=1e-12)
    # The variance of the plain sum of all of them.
    variance = ((weights.sum(axis=0) * s) ** 2).sum()
    np.testing.assert_allclose((of_sums[known] ** 2).sum(), variance, rtol=1e-9, atol=1e-12)


def test_on_a_sample_it_is_that_sample():
    rng = np.random.default_rng(0)
    axis = np.sort(rng.uniform(0, 1, 50))
    m = rng.uniform(0, 1, 50)
    frame, where = beside(1.0, axis, axis, m)
    signal, error, of_sums = at_samples_of(frame, "R")[:3]
    np.testing.assert_array_equal(signal.values[0, where], m)
    assert error is None
    assert of_sums is None


def test_nothing_measured_is_nothing():
    axis = np.arange(5.0)
    for wanted, reference in [(np.nan, 1.0), (1.0, np.nan)]:
        frame, _ = beside(wanted, axis, axis, reference)
        assert np.isnan(at_samples_of(frame, "R").value.values[0]).all()


def test_what_was_measured_together_needs_no_interpolation(monkeypatch):
    rng = np.random.default_rng(3)
    axis = np.sort(rng.uniform(0, 1, 40))
    frame, _ = beside(1.0, axis[::3], axis, rng.uniform(1, 2, 40), rng.uniform(0, 1, 40))
    found = at_samples_of(frame, "R")[:3]
    monkeypatch.setattr(module, "_measured_together", lambda *_: None)
    for one, other in zip(found, at_samples_of(frame, "R")[:3], strict=True):
        assert one.dims == other.dims
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("below", [0.0, -1.0, np.nan])
def test_no_quotient_without_a_divisor(below):
    one = xr.Variable("depth", [4.0, 4.0])
    divisor = xr.Variable("depth", [below, 2.0])
    value, stderr = quotient(one, one / 2, divisor, xr.Variable((), 0.5))
    np.testing.assert_array_equal(value, [np.nan, 2.0])
    np.testing.assert_allclose(stderr, [np.nan, np.hypot(2.0, 4.0 * 0.5) / 2.0])


@pytest.mark.parametrize("parts", [2, 5])
def test_profiles_in_parts_are_refused(parts):
    z = np.arange(10.0)
    ds = xr.Dataset(
        {"intensity": (("species", "depth"), np.ones((2, 10)), {"units": "count/s"})},
        coords={"species": ["A", "R"], "depth": ("depth", z, {"units": "nm"})},
    )
    frame = open_frame(ds.chunk(depth=10 // parts), ("count_rate",), question="a test")
    with pytest.raises(ProfileError, match=r"intensity is chunked along depth.*chunk\(depth=-1\)"):
        at_samples_of(frame, "R")
    whole = open_frame(ds.chunk(depth=10), ("count_rate",), question="a test")
    np.testing.assert_array_equal(at_samples_of(whole, "R").value.values, 1.0)


def with_a_hole():
    """Give a species that is measured throughout, and a matrix that is not for 30 s."""
    time = np.arange(0.0, 100.0)
    signal = np.stack([np.full(100, 50.0), np.full(100, 1e5), np.full(100, 20.0)])
    signal[1, 41:70] = np.nan
    return xr.Dataset(
        {"intensity": (("species", "sputter_time"), signal, {"units": "count/s"})},
        {"species": ["B", "Si", "P"], "sputter_time": ("sputter_time", time, {"units": "s"})},
    )


def test_a_line_over_a_gap_of_the_reference_is_told():
    ds = with_a_hole()
    said = (
        r"^species 'B', sputter time 41 s: 50 count/s \(and 28 more\): Si has a gap there, and a "
        r"straight line across it stands for its signal$"
    )
    with pytest.warns(ProfileWarning, match=said):
        found = sims.with_rsf(ds, rsf={"B": "1e22 atoms/cm^3"}, matrix="Si")
    np.testing.assert_allclose(found["concentration"].sel(species="B"), 5e18)
    with pytest.warns(ProfileWarning, match=said):
        sims.ratio(ds, numerator="B", denominator="Si")


def test_a_gap_of_the_reference_where_nothing_is_asked_is_not_told():
    ds = with_a_hole()
    ds["intensity"][0, 40:71] = np.nan  # B was not measured there either; P was, but has no factor
    sims.with_rsf(ds, rsf={"B": "1e22 atoms/cm^3"}, matrix="Si")
    sims.ratio(ds, numerator="B", denominator="Si")
    mean = sims.with_rsf(
        with_a_hole(), rsf={"B": "1e22 atoms/cm^3"}, matrix="Si", matrix_signal="mean"
    )
    assert mean["concentration"].sel(species="B").notnull().all()
