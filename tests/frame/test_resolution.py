"""Depths and decay lengths of restored profiles, by their achieved resolution."""

import math

import numpy as np
import pytest
import xarray as xr

import sims_analysis as sims

Z = np.arange(0.0, 60.0, 0.5)


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
