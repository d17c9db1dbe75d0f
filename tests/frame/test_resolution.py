"""Depths of restored profiles that lie nearer to each other than the achieved resolution."""

import warnings

import numpy as np
import pytest
import xarray as xr

import sims_analysis as sims
from sims_analysis.errors import ProfileWarning
from sims_analysis.frame.resolution import _resolution_at

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


@pytest.mark.parametrize(("width", "tells"), [(3.9, True), (4.1, False)])
def test_edges_one_resolution_apart_are_known(width, tells):
    assert bool(told(restored(width))) == tells


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
