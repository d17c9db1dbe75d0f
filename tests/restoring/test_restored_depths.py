"""Depths read from restored profiles: against the truth, and in every form the data may take."""

import numpy as np
import pytest
import restored_truth as rt
import xarray as xr

import sims_analysis as sims

Z = np.arange(30, 90, 0.5)
LEVEL = f"{150 * rt.PER_COUNT} atoms/cm^3"

pytestmark = pytest.mark.filterwarnings("ignore:.*may be no layer")


def restored(truth=rt.box, top=3000.0, seed=0, z=Z):
    ds = rt.counted(top * rt.blurred(truth, z), z, seed)
    return sims.deconvolve(ds, resolution=rt.RESOLUTION)


@pytest.fixture(scope="module")
def layer():
    return restored()


def at(found, **where):
    plain = sims.dequantify(found)
    return plain["depth"].sel(**where).values, plain["stderr"].sel(**where).values


def test_the_foot_of_a_sharp_edge_is_within_its_error(layer):
    depth, error = at(sims.crossings(layer, level=LEVEL))
    off = np.abs(depth - [55, 65])
    assert (off > 0.3).all()  # restored as exponentials
    assert (off < 2 * error).all()
    assert (error < 4).all()
    xj = sims.junction_depth(layer, level=LEVEL)
    assert (xj.item(), xj["stderr"].item()) == pytest.approx((depth[1], error[1]))
    found = sims.layers(layer, level=LEVEL)
    np.testing.assert_allclose(found["top_stderr"], error[0])
    np.testing.assert_allclose(found["bottom_stderr"], error[1])


@pytest.mark.slow
def test_what_is_flatter_than_the_resolution_is_known_as_well_as_it_is_counted():
    found = restored(rt.implant)
    xj = sims.junction_depth(found, level=f"{900 * rt.PER_COUNT} atoms/cm^3")
    true = 50 + 12 * np.sqrt(2 * np.log(3000 / 900))
    assert abs(xj.item() - true) < 0.5
    # The error of the value there over the slope, and what the shape of an edge adds: its decay
    # length of 7.7 nm is little more than the achieved resolution.
    there = found.interp(depth=xj.item())
    slope = 900 * rt.PER_COUNT * (xj.item() - 50) / 12**2
    achieved = there["achieved_resolution"].item()
    decay = 12**2 / (xj.item() - 50)
    shape = 0.35 * achieved * np.exp(-((decay / achieved) ** 2))
    own = there["concentration_stderr"].item() / slope
    assert xj["stderr"].item() == pytest.approx(np.hypot(own, shape), rel=0.2)


def test_a_metallurgical_junction_has_the_errors_of_both_profiles(layer):
    other = restored(lambda z: np.full_like(z, 0.05), seed=5)
    both = xr.concat([layer, other], "species").assign_coords(species=["B", "P"])
    found = sims.metallurgical_junctions(both, donors=["P"], acceptors=["B"])
    own = at(sims.crossings(layer, level=LEVEL))[1]
    assert found["status"].values.tolist() == ["ok", "ok"]
    np.testing.assert_allclose(found["stderr"], own, rtol=0.15)


@pytest.mark.few(1, 4)
@pytest.mark.parametrize(
    "form",
    [
        lambda ds: ds["concentration"].assign_coords(stderr=ds["concentration_stderr"]),
        sims.quantify,
        lambda ds: ds.assign_coords(depth=("depth", Z / 1000, {"units": "um"})),
        lambda ds: sims.to_grid(ds, depth=[f"{one} nm" for one in Z]),
        lambda ds: xr.concat([ds, ds], "measurement").isel(measurement=1),
        lambda ds: ds.chunk(),
    ],
    ids=["array", "quantified", "um", "grid", "batch", "dask"],
)
def test_the_resolution_goes_along(layer, form):
    depth, error = at(sims.crossings(form(layer), level=LEVEL, max_count=2))
    expected = at(sims.crossings(layer, level=LEVEL))
    np.testing.assert_allclose(depth, expected[0], rtol=1e-6)
    np.testing.assert_allclose(error, expected[1], rtol=1e-5)


def test_a_grid_finer_than_the_samples_is_as_blurred(layer):
    fine = sims.to_grid(layer, step="0.1 nm")
    error = at(sims.crossings(fine, level=LEVEL))[1]
    np.testing.assert_allclose(error, at(sims.crossings(layer, level=LEVEL))[1], rtol=0.15)


def test_another_depth_scale_is_another_resolution(layer):
    twice = sims.rescale_depth(layer, factor=2)
    np.testing.assert_allclose(twice["achieved_resolution"], 2 * layer["achieved_resolution"])
    error = at(sims.crossings(twice, level=LEVEL))[1]
    np.testing.assert_allclose(error, 2 * at(sims.crossings(layer, level=LEVEL))[1], rtol=1e-6)


@pytest.mark.slow
def test_it_is_kept_in_files(layer, tmp_path):
    sims.save(layer, tmp_path / "restored.nc")
    again = sims.load(tmp_path / "restored.nc")
    assert "achieved_resolution" in again.coords
    xr.testing.assert_allclose(
        sims.crossings(again, level=LEVEL), sims.crossings(layer, level=LEVEL)
    )


@pytest.mark.few(2)
@pytest.mark.parametrize(
    "there_and_back",
    [
        lambda ds, path: sims.read(sims.to_csv(ds, path / "r.csv")),
        lambda ds, path: sims.read(sims.to_csv(ds, path / "r.csv", layout="paired")),
        lambda ds, path: sims.read(sims.to_csv(ds, path / "r.csv", depth_units="um")),
        lambda ds, path: sims.read(sims.to_excel(ds, path / "r.xlsx")),
        lambda ds, _: sims.to_profiles(sims.quantify(ds)),
        lambda ds, _: sims.to_profiles(_in_um(ds)),
    ],
    ids=["tidy", "paired", "um", "excel", "profiles", "resolution in um"],
)
def test_files_and_profiles_keep_it_with_the_samples(layer, there_and_back, tmp_path):
    found = layer.expand_dims(species=["B"])
    again = sims.to_dataset(there_and_back(found, tmp_path))
    assert again["achieved_resolution"].dims == ("species", "depth")
    for name in ("achieved_resolution", "effective_sample_fraction"):
        np.testing.assert_allclose(again[name], found[name].broadcast_like(again[name]))
    depth, error = at(sims.crossings(again, level=LEVEL))
    expected = at(sims.crossings(found, level=LEVEL))
    np.testing.assert_allclose(depth, expected[0], rtol=1e-9)
    np.testing.assert_allclose(error, expected[1], rtol=1e-6)


def _in_um(ds):
    attrs = ds["achieved_resolution"].attrs | {"units": "um"}
    return ds.assign_coords(
        achieved_resolution=(ds["achieved_resolution"] / 1000).assign_attrs(attrs)
    )


def test_one_resolution_for_all_samples_stays_one_of_each(layer):
    same = layer.assign_coords(achieved_resolution=("depth", np.full(Z.size, 5.0), {"units": "nm"}))
    again = sims.to_dataset(sims.to_profiles(same.expand_dims(species=["B"])))
    assert again["achieved_resolution"].dims == ("species", "depth")


@pytest.mark.study
@pytest.mark.parametrize(
    ("truth", "parts", "expected"),
    [(rt.box, (0.5, 0.1, 0.05), (0.6, 1.0)), (rt.implant, (0.5, 0.2, 0.05), (0.6, 0.95))],
)
def test_errors_hold_the_truth(truth, parts, expected):
    fine = np.arange(30, 90, 1e-3)
    held = []
    for top in (300.0, 3000.0, 1e5):
        for seed in range(8):
            found = restored(truth, top, seed)
            for part in parts:
                true = fine[np.flatnonzero(truth(fine) > part)[-1]]
                xj = sims.junction_depth(found, level=f"{part * top * rt.PER_COUNT} atoms/cm^3")
                held.append(abs(xj.item() - true) < xj["stderr"].item())
    assert expected[0] < np.mean(held) < expected[1]
