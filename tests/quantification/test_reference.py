"""A reference signal at the samples of another species, against np.interp; and its gaps."""

import numpy as np
import pytest
import xarray as xr
from count_rates import timed
from error_parts import warns
from hypothesis import given
from hypothesis import strategies as st

import sims_analysis as sims
from sims_analysis.errors import ProfileWarning

places = st.lists(st.integers(0, 200), min_size=1, max_size=25, unique=True).map(sorted)


def both(wanted, own, reference, stderr):
    """Give A, of 1 count/s without an error, at some depths, and its reference R at its own."""
    axis = np.union1d(wanted, own)
    rows = np.full((2, 2, axis.size), np.nan)
    rows[:, 0, np.searchsorted(axis, wanted)] = [[1.0], [0.0]]
    rows[:, 1, np.searchsorted(axis, own)] = [reference, stderr]
    dims, unit = ("species", "depth"), {"units": "count/s"}
    return xr.Dataset(
        {"intensity": (dims, rows[0], unit), "intensity_stderr": (dims, rows[1], unit)},
        coords={"species": ["A", "R"], "depth": ("depth", axis, {"units": "nm"})},
    )


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sims_analysis.errors.ProfileWarning")
@given(places, places, st.integers(0, 2**31))
def test_between_samples_and_at_the_ends(own, wanted, seed):
    rng = np.random.default_rng(seed)
    z, at = np.array(own) / 2, np.array(wanted) / 2 + 0.1
    m, s = rng.uniform(50, 100, z.size), rng.uniform(0, 1, z.size)
    ds = both(at, z, m, s)
    found = sims.ratio(ds, numerator="A", denominator="R").sel(depth=at)

    def step(axis, end):
        return abs(np.diff(axis)[end]) if axis.size > 1 else 0.0

    first = at >= z[0] - max(step(z, 0), step(at, 0)) - 1e-9
    known = first & (at <= z[-1] + max(step(z, -1), step(at, -1)) + 1e-9)
    np.testing.assert_array_equal(found.notnull(), known)
    signal = np.interp(at, z, m)[known]
    np.testing.assert_allclose(found[known], 1 / signal, rtol=1e-12)
    # The weights of the two neighbours, by linear interpolation of unit samples.
    weights = np.array([np.interp(at, z, unit) for unit in np.eye(z.size)]).T[known]
    error = np.sqrt(((weights * s) ** 2).sum(axis=1))
    np.testing.assert_allclose(found["stderr"][known], error / signal**2, rtol=1e-9, atol=1e-12)


@pytest.mark.filterwarnings("ignore::sims_analysis.errors.ProfileWarning")
@pytest.mark.parametrize("below", [0.0, -1.0])
def test_no_quotient_without_a_divisor(below):
    z = np.arange(2.0)
    ds = both(z, z, [below, 2.0], [1.0, 1.0])
    found = sims.ratio(ds, numerator="A", denominator="R").sel(depth=1.0)
    assert found.item() == 0.5
    assert found["stderr"].item() == pytest.approx(0.25)
    assert sims.ratio(ds, numerator="A", denominator="R")[:-1].isnull().all()


def with_a_hole():
    """Give a species that is measured throughout, and a matrix that is not for 30 s."""
    time, all_along = np.arange(100.0), np.ones(100)
    silicon = np.where(abs(time - 55) < 15, np.nan, 1e5)
    return timed(time, "count/s", B=50 * all_along, Si=silicon, P=20 * all_along)


def test_a_line_over_a_gap_of_the_reference_warns(approved):
    ds = with_a_hole()
    with warns(ProfileWarning, "not_measured", species="B", sputter_time="41 s", text=approved):
        found = sims.with_rsf(ds, rsf={"B": "1e22 atoms/cm^3"}, matrix="Si")
    np.testing.assert_allclose(found["concentration"].sel(species="B"), 5e18)
    with warns(ProfileWarning, "not_measured", species="B", sputter_time="41 s", text=approved):
        sims.ratio(ds, numerator="B", denominator="Si")


def test_a_gap_of_the_reference_beside_the_samples_does_not_warn():
    ds = with_a_hole()
    ds["intensity"][0, 40:71] = np.nan  # B was not measured there either; P was, but has no factor
    sims.with_rsf(ds, rsf={"B": "1e22 atoms/cm^3"}, matrix="Si")
    sims.ratio(ds, numerator="B", denominator="Si")
    mean = sims.with_rsf(
        with_a_hole(), rsf={"B": "1e22 atoms/cm^3"}, matrix="Si", matrix_signal="mean"
    )
    assert mean["concentration"].sel(species="B").notnull().all()
