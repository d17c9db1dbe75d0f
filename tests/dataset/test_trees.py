"""Unlike measurements in one DataTree, and as groups of one file."""

import pytest
import xarray as xr
from error_parts import raises

import sims_analysis as sims

UNLIKE = ["boron-implant", "gan-mg-stack", "sputter-time"]


def unlike():
    return [sims.open_example(name) for name in UNLIKE]


def test_unlike_measurements_travel_together():
    tree = sims.to_datatree(unlike())
    assert list(tree) == UNLIKE
    found = sims.from_datatree(tree)
    assert list(found) == UNLIKE
    for ds, back in zip(unlike(), found.values(), strict=True):
        sims.testing.assert_identical(back, ds)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["nc", "zarr"])
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")
def test_groups_of_a_file(kind, tmp_path):
    pytest.importorskip({"nc": "h5netcdf", "zarr": "zarr"}[kind])
    path, tree = tmp_path / f"lab.{kind}", sims.to_datatree(unlike())
    if kind == "nc":
        tree.to_netcdf(path, engine="h5netcdf")
        back = xr.open_datatree(path, engine="h5netcdf")
    else:
        tree.to_zarr(path)
        back = xr.open_datatree(path, engine="zarr")
    for ds, (name, found) in zip(unlike(), sims.from_datatree(back).items(), strict=True):
        assert name == ds.attrs["data_id"]
        assert found.attrs == ds.attrs
        xr.testing.assert_equal(found.load(), ds)
    back.close()


@pytest.mark.filterwarnings("ignore::sims_analysis.errors.SimsWarning")
def test_a_function_over_every_node():
    tree = sims.to_datatree(unlike()[:2])
    for name in UNLIKE[:2]:
        found = tree[name].to_dataset().sims.peak()
        xr.testing.assert_identical(found, sims.peak(sims.open_example(name)))
    doses = tree.map_over_datasets(
        lambda ds: sims.integrated_dose(ds).to_dataset() if ds.data_vars else ds
    )
    xr.testing.assert_identical(
        doses["boron-implant"].to_dataset()["dose"],
        sims.integrated_dose(sims.open_example("boron-implant")),
    )


def test_a_mapping_names_paths_and_results_become_datasets():
    ds = sims.open_example("boron-implant")
    result = sims.SIMSResult(data_id="d1", depth_profiles=sims.to_profiles(ds))
    tree = sims.to_datatree({"wafer 7/centre": ds, "wafer 7/edge": result, "other": ds})
    assert set(sims.from_datatree(tree)) == {"wafer 7/centre", "wafer 7/edge", "other"}
    assert list(sims.from_datatree(tree["wafer 7"])) == ["centre", "edge"]


def test_data_on_another_axis_than_those_below_do_not_fit(approved):
    ds = sims.open_example("boron-implant")
    with raises(sims.ProfileError, argument="items", text=approved):
        sims.to_datatree({"a": ds, "a/b": ds.isel(depth=slice(5))})
