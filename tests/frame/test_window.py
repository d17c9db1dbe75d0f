"""Windows of depth: their limits, and what is said of those that hold nothing."""

import warnings

import numpy as np
import pytest
import xarray as xr
from error_parts import raises

import sims_analysis as sims
from sims_analysis.errors import ProfileError
from sims_analysis.frame.opening import open_frame
from sims_analysis.frame.window import read_pair, read_window

Z = np.arange(0.0, 100.0, 5.0)


@pytest.fixture
def ds():
    peak = 1e18 * np.exp(-(((Z - 40) / 12) ** 2) / 2) + 1e15
    values = np.stack([peak, np.where(Z <= 50, 1e17, np.nan), np.nan * Z])
    return xr.Dataset(
        {"concentration": (("species", "depth"), values, {"units": "cm^-3"})},
        coords={"species": ["B", "P", "As"], "depth": ("depth", Z, {"units": "nm"})},
    )


def opened(data):
    return open_frame(data, ("concentration",), question="a test")


def each(*limits):
    return xr.DataArray(list(limits), {"species": ["B", "P", "As"]}, attrs={"units": "nm"})


@pytest.mark.parametrize("pair", ["30 nm", ("20 nm",), ("20 nm", "30 nm", "40 nm"), None])
def test_a_window_is_a_pair_of_depths(ds, pair):
    with raises(ProfileError, argument="background"):
        read_pair(opened(ds), pair, "background")


def test_the_profile_with_the_wrong_limits_is_named(ds, approved):
    with raises(ProfileError, argument="start", text=approved):
        read_window(opened(ds), each(0, 30, 0), "20 nm")
    with raises(ProfileError, argument="start", text=approved):
        read_window(opened(ds), "30 nm", each(60, 20, 70))
    read_window(opened(ds), each(0, np.nan, 0), "20 nm")  # an unknown one is not wrong


def warned(question, ds, start=None, stop=None):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        question(ds, start=start, stop=stop)
    return [str(one.message) for one in caught]


def test_an_empty_window_warns_for_measured_profiles(ds):
    (one,) = warned(sims.mean_value, ds, "60 nm")
    assert "'P': no sample in the window, 60 to the end nm; the record runs from 0 to 50 nm" in one
    (one,) = warned(sims.mean_value, ds, "61 nm", "64 nm")
    assert "'B' and 1 more: no sample in the window, 61 to 64 nm" in one
    assert warned(sims.mean_value, ds, each(0, np.nan, 0)) == []
    assert warned(sims.mean_value, ds) == []
    assert warned(sims.mean_value, ds, "50 nm") == []
    assert warned(sims.mean_value, ds.chunk(), "60 nm") == []
