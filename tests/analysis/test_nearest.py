"""Which crossing is the one that was meant, where a profile is asked again."""

import numpy as np
import pytest
import xarray as xr

import sims_analysis as sims
from sims_analysis.errors import AmbiguousJunctionWarning, ProfileWarning

Z = np.arange(0.0, 60.0, 0.5)


def restored(width, achieved=4.0):
    y = 1e18 * np.exp2(-((2 * (Z - 30) / width) ** 2))
    return xr.Dataset(
        {"concentration": (("species", "depth"), [y], {"units": "atom/cm^3"}),
         "concentration_stderr": (("species", "depth"), [0.05 * y], {"units": "atom/cm^3"})},
        {"species": ["B"], "depth": ("depth", Z, {"units": "nm"}),
         "achieved_resolution": ("depth", np.full(Z.size, achieved), {"units": "nm"})},
    )  # fmt: skip


HALF = "5e17 atom/cm^3"


@pytest.mark.parametrize("ask", [sims.crossings, sims.junction_depth])
def test_edges_nearer_than_what_is_resolved_warn(ask):
    with pytest.warns(ProfileWarning, match=r"crossed twice within 0\.5 achieved resolutions"):
        ask(restored(2.0), level=HALF)


def test_depths_of_restored_profiles_have_errors_of_what_is_restored():
    wide = restored(20.0)
    found = sims.crossings(wide, level=HALF)
    np.testing.assert_allclose(found["depth"], [[20.0, 40.0]], atol=1e-3)
    # 5 % of the value over the steepness there, and what the resolution leaves.
    steepness = 4 * np.log(2) / 20.0
    least = 0.05 / steepness
    assert (found["stderr"] > least).all()
    assert (found["stderr"] < 2 * least).all()
    np.testing.assert_allclose(found["stderr"][0, 0], found["stderr"][0, 1], rtol=1e-2)
    with pytest.warns(AmbiguousJunctionWarning):
        junction = sims.junction_depth(wide, level=HALF, edge="any")
    np.testing.assert_allclose(junction["stderr"], found["stderr"][:, 1], rtol=1e-6)


def test_a_profile_keeps_all_its_crossings_whatever_their_number():
    z = np.arange(100.0)
    for count in (15, 16, 17, 40):
        values = np.where(np.arange(100) % 2, 1e18, 1e16)
        values[count + 1 :] = values[count]
        ds = xr.Dataset(
            {"concentration": ("depth", values, {"units": "cm^-3"})},
            {"depth": ("depth", z, {"units": "nm"})},
        )
        errors = (0.01 * ds["concentration"]).assign_attrs(units="cm^-3")
        for data in (ds, ds.assign(concentration_stderr=errors)):
            found = sims.crossings(data, level="1e17 cm^-3")
            assert found.sizes["crossing"] == count
            assert found["count"] == count
            assert (found["status"] == "ok").all()
            np.testing.assert_allclose(found["depth"], np.arange(count) + 0.5, atol=0.5)


def test_what_is_not_known_of_one_profile_leaves_it_without_a_junction():
    ds = xr.Dataset(
        {"concentration": (("species", "depth"), 1e18 * np.exp(-Z / 5) * np.ones((3, 1)),
                           {"units": "cm^-3"})},
        {"species": ["B", "P", "As"], "depth": ("depth", Z, {"units": "nm"})},
    )  # fmt: skip
    level = xr.DataArray(
        [1e17, np.nan, 1e17], {"species": ["B", "P", "As"]}, attrs={"units": "cm^-3"}
    )
    limit = level.copy(data=[1e15, 1e15, np.nan])
    found = sims.junction_depth(ds, level=level, detection_limit=limit)
    assert found["status"].values.tolist() == ["ok", "no_data", "no_data"]
    assert np.isnan(found.values).tolist() == [False, True, True]
    assert np.isnan(found["decay_length"].values).tolist() == [False, True, True]
    high = sims.junction_depth(ds, level=level, detection_limit="2e17 cm^-3")
    assert high["status"].values.tolist() == ["below_detection", "no_data", "below_detection"]
    at = sims.junction_depth(ds, level=level, detection_limit="1e17 cm^-3")
    assert at["status"].values.tolist() == ["ok", "no_data", "ok"]
