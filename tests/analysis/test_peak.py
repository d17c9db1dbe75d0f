"""The maximum of a profile and its width: closed forms, windows, surface transients, time."""

import math
import warnings

import numpy as np
import pytest
import xarray as xr
from counted_trials import trials
from error_parts import warns
from measurement_layouts import number, one, word

import sims_analysis as sims
from sims_analysis.errors import ProfileWarning


def gaussian(z, rp, straggle):
    return 1e20 * np.exp(-((z - rp) ** 2) / (2 * straggle**2))


@pytest.mark.parametrize(("rp", "straggle"), [(100, 20), (50, 7.5), (300, 60)])
def test_peak_of_a_gaussian(rp, straggle):
    z = np.arange(0, rp + 6 * straggle, 0.5)
    found = sims.peak(one(z, gaussian(z, rp, straggle)))
    assert number(found["depth"]) == rp
    assert number(found["concentration"]) == 1e20
    # Half of it, between samples, lies on straight lines of ln C.
    assert number(found["fwhm"]) == pytest.approx(
        2 * math.sqrt(2 * math.log(2)) * straggle, rel=1e-3
    )
    assert {n: found[n].attrs["units"] for n in ("depth", "concentration", "fwhm")} == {
        "depth": "nm",
        "concentration": "atom/cm^3",
        "fwhm": "nm",
    }


def test_a_start_below_the_surface_finds_the_implant_and_not_the_spike(approved):
    z = np.arange(0, 200.0)
    ds = one(z, gaussian(z, 100, 20) + 1e21 * np.exp(-z / 2))
    with warns(ProfileWarning, "surface_transient", species="B", text=approved) as caught:
        found = sims.peak(ds)
    assert caught[0].filename == __file__
    assert number(found["depth"]) == 0
    assert word(found["status"]) == "truncated"
    assert number(sims.peak(ds, start="20 nm")["depth"]) == 100


def test_a_peak_without_two_half_depths_has_no_width():
    found = sims.peak(one([0, 10, 20], [1e20, 1e19, 1e18]))
    assert math.isnan(number(found["fwhm"]))
    assert word(found["status"]) == "truncated"
    assert number(found["depth"]) == 0


def test_of_equal_maxima_the_shallowest():
    assert number(sims.peak(one([0, 1, 2, 3], [1, 5, 5, 1]))["depth"]) == 1


def test_width_between_half_depths_next_to_the_maximum():
    found = sims.peak(one(range(11), [1, 8, 1, 11, 14, 16, 14, 11, 1, 8, 1]))
    assert number(found["fwhm"]) == pytest.approx(4 + 2 * math.log(11 / 8) / math.log(11))


@pytest.mark.parametrize("values", [[np.nan, np.nan], []])
def test_peak_of_nothing(values):
    found = sims.peak(one(range(len(values)), values))
    assert math.isnan(number(found["depth"]))
    assert word(found["status"]) == "no_data"


def test_peak_of_an_intensity_keeps_its_unit_and_error():
    ds = one([0, 1, 2], [9, 100, 4], units="counts").rename(concentration="intensity")
    found = sims.peak(sims.with_counting_statistics(ds))
    value = next(n for n in found.data_vars if n.startswith("intensity") and "stderr" not in n)
    assert found[value].attrs["units"] == "count"
    assert found[f"{value}_stderr"].attrs["units"] == "count"
    # The parabola through the three has its maximum at 100.4 counts, known to 10.
    assert 10 < number(found[f"{value}_stderr"]) < 10.5


# --- the surface transient ----------------------------------------------------------------------


def with_spike(z, counts):
    """Give an implant below a transient that is ten times as high."""
    return (gaussian(z, 100, 20) + 1e21 * np.exp(-z / 2) + 1e16) * counts / 1e21


def test_a_transient_in_counted_data_is_named_and_none_on_dask(approved):
    z = np.arange(0, 200.0)
    ds = trials(lambda z: with_spike(z, 1.0), z, 10_000).isel(measurement=slice(5))
    with warns(ProfileWarning, "surface_transient", measurement="0", species="B", text=approved):
        found = sims.peak(ds)
    assert (found["status"] == "truncated").all()
    lazy = sims.peak(ds.chunk({"measurement": 1}))
    xr.testing.assert_identical(lazy.compute(), found)
    lowest = sims.peak(ds, start="30 nm")
    assert (abs(lowest["depth"] - 100) < 20).all()


def test_a_single_high_sample_is_no_second_maximum():
    values = np.array([100.0, *[10.0] * 6, 90.0, *[10.0] * 6])
    assert word(sims.peak(one(range(14), values))["status"]) == "truncated"


# --- over sputter time --------------------------------------------------------------------------


def test_over_sputter_time_the_answer_is_a_time():
    z = np.arange(0, 200, 0.5)
    ds = one(z, gaussian(z, 100, 20)).rename(depth="sputter_time")
    ds["sputter_time"].attrs["units"] = "s"
    found = sims.peak(ds, start="1 min")
    assert {"sputter_time", "fwhm", "fwhm_stderr"} <= set(found.data_vars)
    assert number(found["sputter_time"]) == 100
    assert found["sputter_time"].attrs["units"] == found["fwhm"].attrs["units"] == "s"
    assert found["sputter_time"].attrs["long_name"] == "Time of the maximum"
    assert "depth" not in found["fwhm"].attrs["description"]
    same = sims.peak(one(z, gaussian(z, 100, 20)))
    assert number(found["fwhm"]) == number(same["fwhm"])


def test_a_width_that_noise_cuts_short_is_by_that_noise():
    z = np.arange(0, 160.0)
    counts = np.random.default_rng(3).poisson(50 * np.exp(-(((z - 80) / 30) ** 2)))
    found = sims.peak(one(z, counts * 1e16))
    assert word(found["status"]) == "ok"
    off = number(found["fwhm"]) - 60 * math.sqrt(math.log(2))
    assert abs(off) < 2.5 * number(found["fwhm_stderr"]) < 15
    # Neither little noise nor layers further apart than half of their width do that.
    for clean in (np.exp(-(((z - 80) / 30) ** 2)), np.exp(-((((z % 40) - 20) / 6) ** 2))):
        assert word(sims.peak(one(z, 1e20 * clean))["status"]) == "ok"


@pytest.mark.parametrize(("hole", "status"), [((60, 90), "gap"), ((102, 118), "ok")])
def test_the_maximum_may_lie_in_a_gap_that_borders_on_half_of_that_found(hole, status):
    # The second layer is less than half as high.
    z = np.arange(0, 240.0)
    kept = (z < hole[0]) | (z > hole[1])
    ds = one(z[kept], (gaussian(z, 75, 12) + 0.4 * gaussian(z, 150, 12))[kept])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = sims.peak(ds)
    assert word(found["status"]) == status
    assert len(caught) == (status == "gap")
