"""Peak: closed forms, windows and noise floors."""

import math

import numpy as np
import pytest
from measured import number, one, word

import sims_analysis as sims


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


def test_a_start_below_the_surface_finds_the_implant_and_not_the_spike():
    z = np.arange(0, 200.0)
    ds = one(z, gaussian(z, 100, 20) + 1e21 * np.exp(-z / 2))
    assert number(sims.peak(ds)["depth"]) == 0
    assert number(sims.peak(ds, start="20 nm")["depth"]) == 100


def test_a_peak_without_two_half_depths_has_no_width():
    found = sims.peak(one([0, 10, 20], [1e20, 1e19, 1e18]))
    assert math.isnan(number(found["fwhm"]))
    assert word(found["status"]) == "truncated"
    assert number(found["depth"]) == 0


def test_of_equal_maxima_the_shallowest():
    assert number(sims.peak(one([0, 1, 2, 3], [1, 5, 5, 1]))["depth"]) == 1


def test_width_between_half_depths_next_to_the_maximum():
    found = sims.peak(one([0, 1, 2, 3, 4, 5, 6], [1, 8, 1, 16, 1, 8, 1]))
    assert number(found["fwhm"]) == pytest.approx(2 * math.log(2) / math.log(16))


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
    assert number(found[f"{value}_stderr"]) == pytest.approx(10)
