"""Depths of restored profiles that lie nearer to each other than the achieved resolution."""

import math
import warnings

import numpy as np
import pytest
import xarray as xr

import sims_analysis as sims

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


def warned(ds):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        sims.crossings(ds, level="5e17 atom/cm^3")
    return [str(one.message) for one in caught if "crossed twice" in str(one.message)]


def test_edges_within_the_resolution_warn_with_their_distance():
    (text,) = warned(restored([8.0, 3.0, 2.0]))
    assert text.startswith("species 'P' and 1 more: the level is crossed twice within 0.75 ")
    assert "achieved resolutions, from 28.5 nm: so narrow a feature" in text


def test_of_several_layers_the_narrow_one_warns():
    wide = restored(8.0)
    y = np.exp2(-((2 * (Z - 15) / 8) ** 2)) + np.exp2(-((2 * (Z - 45) / 3) ** 2))
    both = wide.assign(concentration=wide["concentration"].copy(data=[1e18 * y]))
    (text,) = warned(both)
    assert "within 0.75 achieved resolutions, from 43.5 nm" in text


@pytest.mark.parametrize(("width", "tells"), [(3.9, True), (4.1, False)])
def test_edges_one_resolution_apart_are_known(width, tells):
    assert bool(warned(restored(width))) == tells


@pytest.mark.parametrize(("width", "tells"), [(9.9, True), (10.1, False)])
def test_edges_of_a_valley_are_known_from_two_and_a_half_resolutions_apart(width, tells):
    peak = restored(width)
    valley = peak.assign(concentration=1e18 - peak["concentration"])
    valley["concentration"].attrs = peak["concentration"].attrs
    assert bool(warned(valley)) == tells


def test_the_resolution_is_the_mean_of_that_at_both_edges():
    # 3 nm at one edge and 5 nm at the other.
    both = np.where(Z < 30, 3.0, 5.0)
    assert warned(restored(3.9, achieved=both))
    assert not warned(restored(4.1, achieved=both))


def test_one_edge_or_no_achieved_resolution_does_not_warn():
    ds = restored(2.0)
    assert not warned(ds.where(ds["depth"] > 30, drop=True))
    assert not warned(ds.drop_vars("achieved_resolution"))


def falling(decay, *, error=1e-6, achieved=10.0):
    """A restored profile with a plateau to 30 nm, and an exponential edge."""
    y = 1e18 * np.where(Z < 30, 1.0, np.exp(-(Z - 30) / decay))
    return xr.Dataset(
        {"concentration": ("depth", y, {"units": "atom/cm^3"}),
         "concentration_stderr": ("depth", error * y, {"units": "atom/cm^3"})},
        {"depth": ("depth", Z, {"units": "nm"}),
         "achieved_resolution": ("depth", achieved + 0 * Z, {"units": "nm"})},
    )  # fmt: skip


@pytest.mark.parametrize("decay", [0.5, 3.0, 10.0])
def test_a_restored_edge_is_as_sharp_as_its_resolution_allows(decay):
    found = sims.junction_depth(falling(decay), level="1e17 atom/cm^3")
    sharp = 0.35 * 10 * math.exp(-((decay / 10) ** 2))
    assert found["stderr"] == pytest.approx(sharp, rel=1e-4)
    plain = sims.junction_depth(falling(decay).drop_vars("achieved_resolution"), level="1e17 cm^-3")
    assert plain["stderr"] < 1e-4


@pytest.mark.parametrize(("error", "moved"), [(0.01, 0.1), (0.8, 3.5)])
def test_errors_of_neighbours_move_a_restored_edge_together(error, moved):
    # By half of the way from values an error too high to values as much too low: at most 0.35 R.
    found = sims.junction_depth(falling(10.0, error=error), level="1e17 atom/cm^3")
    sharp = 3.5 * math.exp(-1)
    assert found["stderr"] == pytest.approx(math.hypot(moved, sharp), rel=1e-3)


def test_the_decay_length_of_a_restored_edge_may_be_that_of_a_step():
    asked = {"start": "32 nm", "stop": "40 nm"}
    found = sims.decay_length(falling(2.0), **asked)
    least = 2 * math.exp(-((2 / 2.5) ** 2))
    assert found["stderr"] == pytest.approx(least, rel=1e-4)
