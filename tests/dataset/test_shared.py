"""What samples have in common: from coordinates to columns, and back."""

import numpy as np
import xarray as xr

from sims_analysis.dataset.shared import shared_columns, shared_coords

Z = np.arange(3.0)


def columns_of(coords, variable="concentration", **where):
    """Return the columns of one profile, by name."""
    data = xr.Dataset(
        {"concentration": (("measurement", "species", "depth"), np.ones((2, 2, 3)))},
        coords={"measurement": [7, 8], "species": ["B", "P"], "depth": Z} | coords,
    )
    return {n: v.tolist() for n, v in shared_columns(data, variable, where, Z.size)}


def test_a_coordinate_becomes_a_number_for_each_sample():
    factor = ("species", [0.1, np.nan], {"units": "1"})
    scale = ("measurement", [0.02, 0.03], {"units": "1"})
    coords = {"sensitivity_factor_uncertainty": factor, "depth_scale_uncertainty": scale}
    found = columns_of(coords, measurement="8", species="B")
    assert found == {
        "sensitivity_factor_uncertainty": [0.1] * 3,
        "depth_scale_uncertainty": [0.03] * 3,
    }
    # NaN is none, and a sensitivity factor makes concentrations only.
    assert columns_of(coords, measurement=7, species="P") == {"depth_scale_uncertainty": [0.02] * 3}
    of_rates = columns_of(coords, variable="intensity", measurement=7, species="B")
    assert of_rates == {"depth_scale_uncertainty": [0.02] * 3}
    # It is not stated of which of two measurements.
    assert (
        columns_of({"depth_scale_uncertainty": (("measurement", "species"), np.ones((2, 2)))}) == {}
    )


def test_columns_become_coordinates_with_as_few_dimensions_as_they_need():
    nan = np.nan
    columns = {
        "sensitivity_factor_uncertainty": np.array([[0.1, 0.1, nan], [nan, 0.2, 0.2]]),
        "depth_scale_uncertainty": np.array([[0.05, 0.05, nan], [nan, 0.05, 0.05]]),
        "dose_scale_uncertainty": np.array([[0.1, 0.2, nan], [nan, 0.3, 0.3]]),
        "achieved_resolution": np.array([[4.0, 4.0, 4.0], [4.0, 4.0, 4.0]]),
    }
    found = shared_coords("depth", columns)
    assert {name: one[0] for name, one in found.items()} == {
        "sensitivity_factor_uncertainty": ("species",),
        "depth_scale_uncertainty": (),
        "dose_scale_uncertainty": ("species", "depth"),
        "achieved_resolution": ("species", "depth"),
    }
    assert found["sensitivity_factor_uncertainty"][1].tolist() == [0.1, 0.2]
    assert found["depth_scale_uncertainty"][1] == 0.05
    assert found["achieved_resolution"][2]["units"] == "nm"
    apart = {"depth_scale_uncertainty": np.array([[0.05, 0.05], [0.06, 0.06]])}
    assert shared_coords("depth", apart)["depth_scale_uncertainty"][0] == ("species",)
    assert shared_coords("depth", {"depth_scale_uncertainty": np.full((2, 3), nan)}) == {}
