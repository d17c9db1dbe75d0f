"""Windows of depth: their limits, and what is said of those that hold nothing."""

import warnings

import numpy as np
import pytest
import xarray as xr

from sims_analysis.errors import DoseWarning, ProfileError
from sims_analysis.frame.messages import first_flagged
from sims_analysis.frame.opening import open_frame
from sims_analysis.frame.window import (
    describe_window,
    read_pair,
    read_window,
    samples_used,
    warn_of_empty_window,
)

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


def test_limits_are_depths_and_none_is_no_limit(ds):
    a, b = read_window(opened(ds), "0.01 um", None)
    assert float(a) == 10.0
    assert np.isnan(float(b))
    a, b = read_window(opened(ds), each(5, np.nan, 0), each(np.nan, 50, 60))
    np.testing.assert_array_equal(a, [5, np.inf, 0])  # what is not known holds no sample
    np.testing.assert_array_equal(b, [-np.inf, 50, 60])


@pytest.mark.parametrize(("start", "stop"), [("30 nm", "20 nm"), ("20 nm", "0.02 um")])
def test_the_start_comes_before_the_stop(ds, start, stop):
    with pytest.raises(ProfileError, match=f"^start must come before stop, .*start='{start}'"):
        read_window(opened(ds), start, stop)
    with pytest.raises(ProfileError, match=r"^surface start must come before surface stop"):
        read_window(opened(ds), start, stop, "surface")
    with pytest.raises(ProfileError, match=r"^window start must come before window stop"):
        read_pair(opened(ds), (start, stop))


@pytest.mark.parametrize("pair", ["30 nm", ("20 nm",), ("20 nm", "30 nm", "40 nm"), None])
def test_a_window_is_a_pair_of_depths(ds, pair):
    with pytest.raises(ProfileError) as told:
        read_pair(opened(ds), pair, "background")
    said = f"background={pair!r}; expected (start, stop), such as ('800 nm', '1 um')"
    assert str(told.value) == said


def test_the_profile_with_the_wrong_limits_is_named(ds):
    says = "'P'.*start must come before stop, found start=30 nm and stop=20 nm"
    with pytest.raises(ProfileError, match=says):
        read_window(opened(ds), each(0, 30, 0), "20 nm")
    with pytest.raises(ProfileError, match=says):
        read_window(opened(ds), "30 nm", each(60, 20, 70))
    read_window(opened(ds), each(0, np.nan, 0), "20 nm")  # an unknown one is not wrong


def test_both_depths_of_a_pair_are_needed_and_an_unknown_one_holds_nothing(ds):
    a, b = read_pair(opened(ds), (each(1, np.nan, 3), each(np.nan, 20, 30)), "background")
    np.testing.assert_array_equal(a, [1, np.inf, 3])
    np.testing.assert_array_equal(b, [-np.inf, 20, 30])


def warned(task, *args):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        task(*args)
    return [str(one.message) for one in caught]


def test_a_window_without_a_sample_is_told_of_profiles_that_were_measured(ds):
    frame = opened(ds)
    (one,) = warned(warn_of_empty_window, frame, read_window(frame, "60 nm", None))
    assert "'P': no sample in the window start=60 nm; the record runs from 0 to 50 nm" in one
    (one,) = warned(warn_of_empty_window, frame, read_window(frame, "61 nm", "64 nm"))
    assert "'B' and 1 more: no sample in the window start=61 nm, stop=64 nm" in one
    assert warned(warn_of_empty_window, frame, read_window(frame, each(0, np.nan, 0), None)) == []
    assert warned(warn_of_empty_window, frame, read_window(frame, None, None)) == []
    assert warned(warn_of_empty_window, frame, read_window(frame, "50 nm", None)) == []
    lazy = opened(ds.chunk())
    assert warned(warn_of_empty_window, lazy, read_window(lazy, "60 nm", None)) == []
    with pytest.warns(DoseWarning):
        warn_of_empty_window(frame, read_window(frame, "60 nm", None), DoseWarning)


def test_limits_of_lazy_data_are_not_computed(ds):
    computed = []

    def compute(values):
        computed.append(values.size)
        return values

    limits = each(60, 60, 60).chunk()
    limits = limits.copy(data=limits.data.map_blocks(compute, dtype=float))
    lazy = opened(ds.chunk())
    warn_of_empty_window(lazy, (lazy.parameter(limits, ("depth",), "start"), xr.Variable((), 9.0)))
    assert not any(computed)


def test_a_message_about_a_window_names_the_first_profile(ds):
    frame = opened(ds)
    window = read_window(frame, "60 nm", "70 nm")
    flagged = xr.Variable("species", [False, True, False])
    first = first_flagged(frame, flagged)
    error = first.error(describe_window(first, window, "nothing here"), ProfileError)
    text = "species 'P': nothing here, 60 to 70 nm; the record runs from 0 to 50 nm"
    assert (str(error), error.where) == (text, {"species": "P"})


def test_the_samples_used_are_depths_with_their_unit(ds):
    used = samples_used(opened(ds), xr.Variable((), 5.0), xr.Variable((), 50.0))
    assert {end: (float(at), at.attrs["units"]) for end, at in used.items()} == {
        "start": (5.0, "nm"), "stop": (50.0, "nm"),
    }  # fmt: skip
