"""A batch gives back the measurements that it was stacked of."""

import numpy as np
import pytest
import xarray as xr
from questions import OWN, SHARED

import sims_analysis as sims


@pytest.mark.parametrize("parts", [SHARED, OWN], ids=["shared", "own"])
def test_round_trip(parts):
    for original, back in zip(parts, sims.unstack(sims.stack(parts)), strict=True):
        assert back.attrs["data_id"] == original.attrs["data_id"]
        for name in ("concentration", "concentration_stderr"):
            np.testing.assert_array_equal(back[name].values, original[name].values)
        np.testing.assert_array_equal(back["depth"].values, original["depth"].values)
        assert back["species"].values.tolist() == original["species"].values.tolist()


@pytest.mark.parametrize("name", ["boron-implant", "gan-mg-stack", "sputter-time"])
def test_examples_come_back_with_all_that_was_delivered(name):
    ds = sims.open_example(name)
    axis = "depth" if "depth" in ds.dims else "sputter_time"
    shorter = ds.isel({axis: slice(5, None)})
    for batch in (sims.stack([ds, ds]), sims.stack([ds, shorter])):
        back = sims.unstack(batch)[0]
        xr.testing.assert_identical(back.drop_attrs(deep=False), ds.drop_attrs(deep=False))
        assert {**back.attrs, "history": 0} == {**ds.attrs, "history": 0}
        assert sims.to_profiles(back) == sims.to_profiles(ds)


def test_one_of_a_batch_goes_back():
    (one,) = sims.unstack(sims.stack(OWN).isel(measurement=2))
    np.testing.assert_array_equal(one["concentration"].values, OWN[2]["concentration"].values)


def test_one_species_of_a_batch_keeps_its_identifiers():
    ds = sims.open_example("boron-implant")
    (profile,) = sims.to_profiles(ds.sel(species="B"))
    for batch in (sims.stack([ds, ds]), sims.stack([ds, ds.isel(depth=slice(5, None))])):
        found = sims.unstack(batch.sel(species="B"))
        assert sims.to_profiles(found[0]) == [profile]


def test_a_species_delivered_without_samples_is_kept():
    ds = sims.open_example("boron-implant")
    empty = ds.copy(deep=True)
    empty["concentration"][1] = np.nan
    back = sims.unstack(sims.stack([ds, empty, ds.isel(depth=slice(7, None))]))
    assert back[1]["species"].values.tolist() == ["B", "P"]
    assert np.isnan(back[1]["concentration"].values[1]).all()


@pytest.mark.parametrize("name", ["source_units", "profile_id"])
def test_a_species_was_delivered_if_it_has_a_unit_or_an_identifier(name):
    ds = sims.open_example("boron-implant")
    ds = ds.drop_vars(["source_units", "profile_id"]).assign_coords({name: ("species", ["a", "b"])})
    empty = ds.copy(deep=True)
    empty["concentration"][1] = np.nan
    batch = sims.stack([ds, empty, ds.isel(depth=slice(7, None))])
    assert sims.unstack(batch)[1]["species"].values.tolist() == ["B", "P"]
    alone = sims.unstack(batch.drop_vars(name))
    assert [one["species"].values.tolist() for one in alone] == [["B", "P"], ["B"], ["B", "P"]]


def test_what_a_measurement_did_not_state_is_not_made_up():
    ds = sims.open_example("boron-implant")
    stated = ds.assign_attrs(operator="N. N.", run=7)
    first, second = sims.unstack(sims.stack([stated, ds]))
    assert (first.attrs["operator"], first.attrs["run"]) == ("N. N.", 7)
    assert not {"operator", "run"} & {*second.attrs, *second.coords}


def test_a_measured_variable_of_no_species_says_nothing_of_them():
    ds = sims.open_example("boron-implant").isel(depth=slice(5)).drop_vars("source_units")
    ds = ds.drop_vars("profile_id").assign(counts=("depth", np.arange(5.0), {"units": "count"}))
    ds["concentration"][1] = np.nan
    for back in sims.unstack(sims.stack([ds, ds])):
        assert back["species"].values.tolist() == ["B"]
        assert back["counts"].values.tolist() == [0, 1, 2, 3, 4]


def test_a_measurement_without_a_sample_has_its_species_and_no_axis():
    empty = OWN[1].assign(concentration=np.nan * OWN[1]["concentration"])
    empty["concentration"].attrs["units"] = "atom/cm^3"
    empty = empty.drop_vars("concentration_stderr")
    whole = OWN[0].drop_vars("concentration_stderr")
    batch = sims.stack([whole, empty], names=["a", "b"])
    batch = batch.assign_coords(
        profile_id=(
            ("measurement", "species"),
            np.full(batch["species"].shape, "p")[None].repeat(2, 0),
        )
    )
    first, second = sims.unstack(batch)
    np.testing.assert_array_equal(first["concentration"], whole["concentration"])
    assert "concentration" not in second
    assert second["species"].values.tolist() == batch["species"].values.tolist()
