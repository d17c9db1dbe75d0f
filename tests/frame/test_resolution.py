"""Depths of restored profiles that lie nearer to each other than the achieved resolution."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

import sims_analysis as sims
from sims_analysis.errors import ProfileWarning
from sims_analysis.frame.opening import open_frame
from sims_analysis.frame.resolution import (
    _at_most,
    _resolution_at,
    _sharpened,
    _sharper,
    add_resolution_error,
    add_unresolved,
)

Z = np.arange(0.0, 60.0, 0.5)


def restored(width, *, achieved=4.0, depths=None):
    """Profiles of a peak of a given width at half maximum, of a given achieved resolution."""
    y = np.stack([1e18 * np.exp2(-((2 * (Z - 30) / one) ** 2)) for one in np.atleast_1d(width)])
    names = ["B", "P", "As"][: len(y)]
    resolution = np.broadcast_to(achieved, Z.shape)
    return xr.Dataset(
        {"concentration": (("species", "depth"), y, {"units": "atom/cm^3"}),
         "concentration_stderr": (("species", "depth"), 0.05 * y, {"units": "atom/cm^3"})},
        {"species": names, "depth": ("depth", Z, {"units": "nm"}),
         "achieved_resolution": ("depth", resolution, {"units": "nm"})},
    )  # fmt: skip


def told(ds):
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        sims.crossings(ds, level="5e17 atom/cm^3")
    return [str(one.message) for one in heard if "crossed twice" in str(one.message)]


def test_edges_within_the_resolution_are_told_with_where_and_how_near():
    (text,) = told(restored([8.0, 3.0, 2.0]))
    assert text.startswith("species 'P' and 1 more: the level is crossed twice within 0.75 ")
    assert "achieved resolutions, from 28.5 nm: what is so narrow" in text


def test_of_several_layers_the_narrow_one_is_told():
    wide = restored(8.0)
    y = np.exp2(-((2 * (Z - 15) / 8) ** 2)) + np.exp2(-((2 * (Z - 45) / 3) ** 2))
    both = wide.assign(concentration=wide["concentration"].copy(data=[1e18 * y]))
    (text,) = told(both)
    assert "within 0.75 achieved resolutions, from 43.5 nm" in text


@pytest.mark.parametrize(("width", "tells"), [(3.9, True), (4.1, False)])
def test_edges_one_resolution_apart_are_known(width, tells):
    assert bool(told(restored(width))) == tells


@pytest.mark.parametrize(("width", "tells"), [(9.9, True), (10.1, False)])
def test_edges_of_a_valley_are_known_from_two_and_a_half_resolutions_apart(width, tells):
    peak = restored(width)
    valley = peak.assign(concentration=1e18 - peak["concentration"])
    valley["concentration"].attrs = peak["concentration"].attrs
    assert bool(told(valley)) == tells


def test_the_resolution_is_the_mean_of_that_at_both_edges():
    # 3 nm at one edge and 5 nm at the other.
    both = np.where(Z < 30, 3.0, 5.0)
    assert told(restored(3.9, achieved=both))
    assert not told(restored(4.1, achieved=both))


def test_what_has_one_edge_or_no_achieved_resolution_is_not_told():
    ds = restored(2.0)
    assert not told(ds.where(ds["depth"] > 30, drop=True))
    assert not told(ds.drop_vars("achieved_resolution"))


def test_the_resolution_at_a_depth_is_that_of_the_nearest_sample():
    depth = xr.Variable("depth", [0.0, 1.0, 3.0])
    achieved = xr.Variable("depth", [5.0, 7.0, 9.0])
    at = xr.Variable("at", [0.4, 1.9, 2.1, 99.0, 2.0])
    found = _resolution_at(achieved, abs(depth - at), ["depth"])
    np.testing.assert_array_equal(found, [5, 7, 9, 9, 9])  # the wider one of two as near


def test_no_warning_category_but_that_of_profiles():
    with pytest.warns(ProfileWarning, match="crossed twice within 0.5 achieved resolutions"):
        sims.crossings(restored(2.0), level="5e17 atom/cm^3")


def opened(ds):
    return open_frame(ds, ("concentration",), question="a test")


def test_an_edge_sharper_than_a_quarter_of_the_resolution_may_be_a_step():
    frame = opened(restored([8.0, 8.0, 8.0], achieved=np.where(Z < 30, 8.0, 4.0)))
    length = xr.Variable("species", [0.5, 2.0, np.nan])
    start, stop = xr.Variable((), 10.0), xr.Variable("species", [40.0, 20.0, 40.0])
    found = add_unresolved(frame, xr.Variable("species", [0.3, 0.4, 0.1]), length, start, stop)
    # Of the least resolution from start to stop: 4 nm, then 8 nm.
    part = [0.5 * np.exp(-((0.5 / 1.0) ** 2)), 2.0 * np.exp(-((2.0 / 2.0) ** 2)), 0.0]
    np.testing.assert_allclose(found, np.hypot([0.3, 0.4, 0.1], part), rtol=1e-12)
    on_the_edge = add_unresolved(
        frame, length, length, xr.Variable((), 29.5), xr.Variable((), 30.0)
    )
    part = length.values * np.exp(-(length.values**2))
    np.testing.assert_allclose(on_the_edge, np.hypot(length.values, part), rtol=1e-12)
    plain = opened(restored(8.0).drop_vars("achieved_resolution"))
    assert add_unresolved(plain, length, length, start, stop) is length


def test_how_far_a_depth_may_have_moved_has_a_limit():
    moved, most = xr.Variable("x", [0.5, 3.0, np.nan]), xr.Variable((), 2.0)
    np.testing.assert_array_equal(_at_most(moved, most), [0.5, 2.0, 2.0])


def middle(frame):
    """Return a depth that a line of values gives: where it falls to 5."""
    z, c = (xr.DataArray(one) for one in (frame.depth, frame.value))
    return (z + 0.5 * (c - 5.0)).isel({frame.dim: 10}).variable


def test_the_error_of_a_depth_is_the_sum_of_three_squares():
    z = np.arange(21.0)
    line = xr.Dataset(
        {"concentration": ("depth", 25.0 - 2.0 * z, {"units": "atom/cm^3"}),
         "concentration_stderr": ("depth", 0.1 + 0 * z, {"units": "atom/cm^3"})},
        {"depth": ("depth", z, {"units": "nm"}),
         "achieved_resolution": ("depth", 4.0 + 0 * z, {"units": "nm"})},
    )  # fmt: skip
    frame, depth, own = opened(line), xr.Variable((), 10.0), xr.Variable((), 9.0)
    for length in (0.0, 1.0, 4.0, 20.0):
        decay = xr.Variable((), length)
        found = add_resolution_error(frame, own, depth, decay, middle)
        # Half of the change between values one error up and down; a line is sharp as it is.
        half = 0.5 * length * np.exp(-((length / (0.4 * 4.0)) ** 2))
        np.testing.assert_allclose(found, np.hypot(0.05, half), rtol=1e-9)
    many = frame.stderr * 100.0  # moved by 5 nm, of which 0.35 of the resolution counts
    found = add_resolution_error(
        replace(frame, stderr=many), own, depth, xr.Variable((), np.nan), middle
    )
    np.testing.assert_allclose(found, 0.35 * 4.0, rtol=1e-9)
    nowhere = xr.Variable((), np.nan)
    assert np.isnan(add_resolution_error(frame, own, nowhere, nowhere, middle))
    for gone in ("achieved", "stderr"):
        assert add_resolution_error(replace(frame, **{gone: None}), own, depth, own, middle) is own


def test_errors_of_several_profiles_that_make_one_depth_add_up_in_quadrature():
    z = np.arange(21.0)
    frame = opened(
        xr.Dataset(
            {"concentration": (("species", "depth"), [25.0 - 2.0 * z] * 3, {"units": "cm^-3"}),
             "concentration_stderr": (
                 ("species", "depth"), [s + 0 * z for s in (0.3, 0.4, 0.6)], {"units": "cm^-3"})},
            {"depth": ("depth", z, {"units": "nm"}), "species": ["B", "P", "As"],
             "achieved_resolution": ("depth", 40.0 + 0 * z, {"units": "nm"})},
        )
    )  # fmt: skip
    depth, decay = xr.Variable((), 10.0), xr.Variable((), 0.0)

    def together(of):
        return middle(of).sum("species")

    found = add_resolution_error(frame, decay, depth, decay, together, group="species")
    shape = min(abs(float(together(replace(frame, value=_sharpened(frame)))) - 10.0), 14.0)
    np.testing.assert_allclose(found, np.sqrt(0.15**2 + 0.2**2 + 0.3**2 + shape**2), rtol=1e-9)


def test_a_profile_is_sharpened_by_a_gaussian_of_the_wider_of_two_depths():
    z = np.arange(0.0, 40.0)
    flat, line = np.full(40, 7.0), 3.0 + 2.0 * z
    wide = np.full(40, 4.0)
    np.testing.assert_allclose(_sharper(z, flat, flat, flat, wide), flat, rtol=1e-5)
    inside = slice(10, 30)
    np.testing.assert_allclose(_sharper(z, line, line, line, wide)[inside], line[inside], rtol=1e-9)
    # A Gaussian of variance v becomes one of v + s^2, with s = 0.45 R / 2.3548.
    sigma, s = 5.0, 0.45 * 6.0 / 2.3548
    peak = np.exp(-0.5 * ((z - 20) / sigma) ** 2)
    whole = np.hypot(sigma, s)
    blurred = sigma / whole * np.exp(-0.5 * ((z - 20) / whole) ** 2)
    found = _sharper(z, peak, peak, peak, np.full(40, 6.0))
    np.testing.assert_allclose(found[inside], (2 * peak - blurred)[inside], rtol=1e-6)
    half = _sharper(z / 2, line, line, line, wide / 2)  # whatever the unit of depth, to the ends
    np.testing.assert_allclose(half, _sharper(z, line, line, line, wide), rtol=1e-12)
    order = np.random.default_rng(1).permutation(40)  # samples in whatever order
    again = _sharper(z[order], peak[order], peak, peak, np.full(40, 6.0))
    np.testing.assert_allclose(again, found[order], rtol=1e-12)


def test_what_was_not_measured_is_not_sharpened():
    z, x = np.arange(6.0), np.array([1.0, np.nan, 5.0, 2.0, 8.0, 3.0])
    width = np.array([3.0, 3.0, 0.0, 3.0, np.nan, 3.0])
    found = _sharper(z, x, x, x, width)
    np.testing.assert_array_equal(found[[1, 2, 4]], x[[1, 2, 4]])
    assert (found[[0, 3, 5]] != x[[0, 3, 5]]).all()
    few = np.where(np.arange(6) < 2, 3.0, 0.0)  # two samples have no shape
    np.testing.assert_array_equal(_sharper(z, x, x, x, few), x)
    ends = np.array([1.0, 1.0, 1.0, 1.0, 1.0, 2.0])  # beyond them it goes on as it ends
    np.testing.assert_allclose(_sharper(z, ends, ends, ends, np.full(6, 2.0))[0], 1.0, rtol=1e-6)
