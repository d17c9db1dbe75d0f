"""Each species on its own samples, whatever the layout of the data."""

import numpy as np
import pytest
import xarray as xr
from error_parts import raises
from measurement_layouts import layouts, one

import sims_analysis as sims
from sims_analysis.dataset.series import series_of
from sims_analysis.errors import ProfileError

PROFILES = {
    "B": (np.array([1.0, 2.0, 4.0]), np.array([1e18, 2e18, 3e18])),
    "P": (np.array([0.5, 2.0]), np.array([5e17, 0.0])),
}


@pytest.mark.parametrize("layout", layouts(PROFILES))
def test_the_measured_samples_in_every_layout(layout):
    found = {series.species: series for series in series_of(layouts(PROFILES)[layout])}
    assert found.keys() == PROFILES.keys()
    for species, (z, c) in PROFILES.items():
        series = found[species]
        np.testing.assert_array_equal(series.x, z)
        np.testing.assert_array_equal(series.y, c)
        assert (series.axis, series.axis_units, series.units) == ("depth", "nm", "atom/cm^3")
        assert series.stderr is None
        assert series.place == ({"measurement": "w1"} if "padded" in layout else {})


def test_units_are_canonical_and_errors_go_along():
    ds = one([0.1, 0.2, 0.3], [1.0, np.nan, 3.0], stderr=[0.1, 0.1, np.nan], depth_units="um")
    (series,) = series_of(ds)
    np.testing.assert_allclose(series.x, [100, 300], rtol=1e-15)
    np.testing.assert_array_equal(series.stderr, [0.1, np.nan])


def test_a_species_has_its_variables_one_after_the_other():
    ds = one([0.0, 1.0], [1e18, 2e18])
    ds = ds.assign(intensity=ds["concentration"].copy(data=[[5.0, 6.0]]).assign_attrs(units="Hz"))
    ds["intensity"].attrs["units"] = "counts/s"
    assert [s.variable for s in series_of(ds)] == ["concentration", "intensity"]


def test_what_holds_no_profile(approved):
    with raises(ProfileError, "no_data"):
        series_of(one([0.0, 1.0], [np.nan, np.nan]))
    with raises(ProfileError, "no_profile"):
        series_of(one([0.0, 1.0], [1, 2]).rename(concentration="dose"))
    with raises(TypeError, text=approved):
        series_of([sims.open_example("boron-implant")])


def test_a_series_has_names_and_units_and_only_known_ancillary_values():
    z = np.array([0.0, 1.0, 2.0])
    ds = xr.Dataset(
        {"concentration": (("species", "depth"), [[1.0, np.nan, 3.0], [4.0, 5.0, 6.0]],
                           {"units": "cm^-3"})},
        {"species": ["B", "P"], "depth": ("depth", z, {"units": "um"})},
    )  # fmt: skip
    for end in ("stderr", "counts"):
        ds[f"concentration_{end}"] = ds["concentration"] * [[np.nan], [0.5]]
        ds[f"concentration_{end}"].attrs["units"] = "count" if end == "counts" else "cm^-3"
    boron, phosphorus = series_of(ds)
    assert (boron.species, boron.variable, boron.long_name) == (
        "B", "concentration", "Concentration",
    )  # fmt: skip
    assert (boron.units, boron.axis, boron.axis_units) == ("atom/cm^3", "depth", "nm")
    assert boron.x.tolist() == [0.0, 2000.0]
    assert boron.y.tolist() == [1.0, 3.0]
    assert (boron.stderr, boron.ancillary, boron.cells, boron.place) == (None, {}, {}, {})
    assert phosphorus.stderr.tolist() == [2.0, 2.5, 3.0]
    assert phosphorus.ancillary["counts"].tolist() == [2.0, 2.5, 3.0]
    (alone,) = series_of(ds["concentration"].sel(species="P").rename("my_signal"))
    assert (alone.species, alone.long_name) == ("P", "My signal")


def test_what_is_known_of_a_background_and_of_cells_is_in_the_series_that_have_it():
    z = np.arange(0.0, 40.0)
    ds = xr.Dataset(
        {"concentration": (("species", "depth"), [np.full(40, 5e17), 1e17 + 1e15 * (z % 3)],
                           {"units": "cm^-3"})},
        {"species": ["B", "P"], "depth": ("depth", z, {"units": "nm"})},
    )  # fmt: skip
    less = sims.subtract_background(ds, window=("20 nm", "39 nm"), species="P")
    boron, phosphorus = series_of(less)
    assert boron.ancillary == {}
    assert set(phosphorus.ancillary) >= {"background_stderr"}
    assert np.ptp(phosphorus.ancillary["background_stderr"]) == 0
    cells = sims.to_grid(ds, step="5 nm", conserve="dose")
    (one, _) = series_of(cells)
    assert one.cells["cell_start"].tolist() == [0.0, 5, 10, 15, 20, 25, 30, 35]
    assert one.cells["cell_stop"].tolist() == [5.0, 10, 15, 20, 25, 30, 35, 39]
    batch = sims.stack([ds, ds], names=["x", "y"])
    places = [(one.species, one.place["measurement"]) for one in series_of(batch)]
    assert sorted(places) == [("B", "x"), ("B", "y"), ("P", "x"), ("P", "y")]


def test_species_come_in_the_order_of_the_data_whatever_the_order_of_variables():
    nothing = np.full(3, np.nan)
    ds = xr.Dataset(
        {"intensity": (("species", "depth"), [[1.0, 2, 3], nothing], {"units": "counts/s"}),
         "concentration": (("species", "depth"), [nothing, [4.0, 5, 6]], {"units": "cm^-3"})},
        {"species": ["Si", "B"], "depth": ("depth", [0.0, 1.0, 2.0], {"units": "nm"})},
    )  # fmt: skip
    found = [(one.species, one.variable) for one in series_of(ds)]
    assert found == [("Si", "intensity"), ("B", "concentration")]
    turned = [(one.species, one.variable) for one in series_of(ds.isel(species=[1, 0]))]
    assert turned == [("B", "concentration"), ("Si", "intensity")]
    (bare,) = series_of(ds["intensity"].isel(species=0, drop=True))
    assert bare.species == ""


def test_values_that_no_measurement_can_have_are_there_to_be_seen():
    values = [1e30, *[1e18] * 29]
    with raises(ProfileError, "impossible_value"):
        sims.peak(one(range(30), values))
    (found,) = series_of(one(range(30), values))
    assert found.y.tolist() == values
