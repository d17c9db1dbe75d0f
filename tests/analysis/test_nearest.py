"""Which crossing is the one that was meant, where a profile is asked again."""

import numpy as np
import xarray as xr

import sims_analysis as sims

Z = np.arange(0.0, 60.0, 0.5)


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
