"""The mean over a window, against numpy, and its coverage."""

import warnings

import numpy as np
import pytest
import xarray as xr
from counted_trials import trials
from error_parts import warns
from measurement_layouts import measurement
from scipy.stats import chi2
from scipy.stats import t as student

import sims_analysis as sims
from sims_analysis.errors import ProfileWarning

Z = np.arange(0.0, 200.0, 2.0)


def flat(counts, seed=0):
    return trials(np.ones_like, Z, counts, seed)


def test_against_numpy():
    ds = flat(50).isel(measurement=slice(0, 4))
    found = sims.mean_value(ds, start="20 nm", stop="61 nm")
    inside = (Z >= 20) & (Z <= 61)
    c = ds["concentration"].values[..., inside]
    np.testing.assert_allclose(found, c.mean(-1), rtol=1e-12)
    assert (found["samples"] == inside.sum()).all()
    stated = np.sqrt((ds["concentration_stderr"].values[..., inside] ** 2).sum(-1)) / inside.sum()
    scatter = c.std(-1, ddof=1) / np.sqrt(inside.sum())
    freedom = inside.sum() - 1
    counts = freedom * (scatter / stated) ** 2 > chi2.isf(0.125, freedom)
    widened = scatter * student.ppf(0.8413447461, freedom)
    expected = np.maximum(stated, np.where(counts, widened, scatter))
    np.testing.assert_allclose(found["stderr"], expected, rtol=1e-9)
    assert set(found["status"].values.ravel()) == {"ok"}
    bare = ds.drop_vars(["concentration_stderr", "concentration_counts"])
    np.testing.assert_allclose(
        sims.mean_value(bare, start="20 nm", stop="61 nm")["stderr"], widened, rtol=1e-9
    )


@pytest.mark.parametrize("n", [2, 3, 5])
@pytest.mark.parametrize("stated", [None, 10.0])
def test_the_scatter_of_few_samples_covers_the_truth(n, stated):
    value = np.random.default_rng(n).normal(100.0, 30.0, (2000, n))
    dims, names = ("species", "depth"), [f"s{i}" for i in range(2000)]
    ds = xr.Dataset(
        {"concentration": (dims, value, {"units": "cm^-3"})},
        {"species": names, "depth": ("depth", np.arange(float(n)), {"units": "nm"})},
    )
    if stated is not None:
        ds["concentration_stderr"] = (dims, np.full(value.shape, stated), {"units": "cm^-3"})
    found = sims.mean_value(ds)
    assert 0.65 <= float((abs(found - 100.0) <= found["stderr"]).mean()) <= 0.71


def test_on_a_finer_grid_the_mean_is_known_no_better():
    ds = flat(100).isel(measurement=slice(0, 200))
    fine = sims.to_grid(ds, step="0.5 nm", method="linear")
    ask = {"start": "20 nm", "stop": "180 nm"}
    ratio = sims.mean_value(fine, **ask)["stderr"] / sims.mean_value(ds, **ask)["stderr"]
    assert abs(float(ratio.median()) - 1) < 0.1


def test_after_a_background_the_error_counts_both():
    ds = flat(100).isel(measurement=slice(0, 3))
    window = {"start": "20 nm", "stop": "80 nm"}
    alone = sims.mean_value(ds, **window)["stderr"]
    beyond = sims.mean_value(ds, start="100 nm", stop="198 nm")["stderr"]
    after = sims.subtract_background(ds, window=("100 nm", "198 nm"))
    np.testing.assert_allclose(
        sims.mean_value(after, **window)["stderr"], np.hypot(alone, beyond), rtol=1e-9
    )
    # Over the window itself, the mean is exactly what was subtracted.
    same = sims.mean_value(after, start="100 nm", stop="198 nm")
    assert (abs(same["stderr"]) < 1e-6 * beyond).all()


def test_times_and_an_empty_window():
    ds = sims.open_example("gan-mg-stack")
    one = sims.samples(ds, "Ga->")
    z = one["depth"] if "depth" in one.coords else one["sputter_time"]
    time = one["intensity"].isel({z.dims[0]: slice(0, 20)})
    mean = sims.mean_value(time)
    assert float(mean) == pytest.approx(float(time.mean()), rel=1e-12)
    assert mean.attrs["units"] == time.attrs["units"]
    with warns(ProfileWarning, "no_sample_in_window", species="B"):
        nothing = sims.mean_value(flat(10).isel(measurement=0), start="1 um", stop="2 um")
    assert nothing["status"].values.tolist() == ["no_data"]
    assert bool(nothing.isnull().all())


def test_limits_of_each_species():
    ds = xr.Dataset(
        {"concentration": (("species", "depth"), np.stack([Z, 2 * Z + 5]) + 1, {"units": "cm^-3"})},
        {"species": ["B", "P"], "depth": ("depth", Z, {"units": "nm"})},
    )
    found = sims.mean_value(ds, start={"B": "10 nm", "P": "20 nm"}, stop="30 nm")
    np.testing.assert_allclose(found, [21.0, 56.0], rtol=1e-12)


@pytest.mark.filterwarnings("ignore:.*in the background window")
@pytest.mark.few(1)
@pytest.mark.parametrize("layout", ["dataset", "array", "own axes", "dask"])
def test_cells_count_with_their_part_of_the_window(layout):
    edges = np.array([0.0, 10.0, 12.0, 30.0, 50.0])
    value, stderr = np.array([4.0, 1.0, 2.0, 8.0]) * 1e18, np.array([2.0, 1.0, 1.0, 3.0]) * 1e16
    ds = measurement(0.5 * (edges[:-1] + edges[1:]), {"B": value}, stderr={"B": stderr})
    ds = ds.assign_coords(cell_start=("depth", edges[:-1]), cell_stop=("depth", edges[1:]))
    for name in ("cell_start", "cell_stop"):
        ds[name].attrs["units"] = "nm"
    data = ds
    if layout == "array":
        data = ds["concentration"].assign_coords(stderr=ds["concentration_stderr"].variable)
    elif layout == "own axes":
        other = sims.rescale_depth(ds, factor=1.5)
        data = sims.stack([ds, other])
    elif layout == "dask":
        data = ds.chunk()
    # Of the window, 4 nm are in the first cell, all of the next two, and 5 nm of the last one.
    p = np.array([4.0, 2.0, 18.0, 5.0]) / 29.0
    found = sims.mean_value(data, start="6 nm", stop="35 nm").compute()
    for name in ("measurement", "species"):
        found = found.isel({name: 0}) if name in found.dims else found
    mean = p @ value
    assert found.item() == pytest.approx(mean, rel=1e-12)
    assert found["samples"].item() == 4
    scatter = np.sqrt(p @ (value - mean) ** 2 / (1 - p @ p))  # larger than the errors
    scatter *= student.ppf(0.8413447461, 3)
    assert found["stderr"].item() == pytest.approx(scatter * np.sqrt(p @ p), rel=1e-9)
    # Within one cell, it is that cell, and its error.
    one = sims.mean_value(data, start="13 nm", stop="14 nm")
    assert one.values.flat[0] == 2e18
    assert one["stderr"].values.flat[0] == pytest.approx(1e16)
    # The mean of a curve is its dose over its width.
    dose = sims.integrated_dose(data, start="6 nm", stop="35 nm")
    assert dose.values.flat[0] == pytest.approx(mean * 29e-7, rel=1e-12)
    # A background from a window of cells is their mean, here and subtracted before.
    options = {"start": "0 nm", "stop": "12 nm"}
    within = sims.integrated_dose(data, background=("6 nm", "35 nm"), **options)
    by_hand = (4e18 * 10 + 1e18 * 2 - mean * 12) * 1e-7
    assert within.values.flat[0] == pytest.approx(by_hand, rel=1e-12)
    if layout != "array":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # cells that differ scatter
            subtracted = sims.subtract_background(data, window=("6 nm", "35 nm"))
        before = sims.integrated_dose(subtracted, **options)
        np.testing.assert_allclose(before, within, rtol=1e-12)
        np.testing.assert_allclose(before["stderr"], within["stderr"], rtol=1e-12)


def test_a_single_sample_has_its_own_error_and_no_scatter():
    ds = measurement(Z, {"B": 1e18 + 1e15 * Z}, stderr={"B": np.full(Z.size, 2e16)})
    found = sims.mean_value(ds, start="9 nm", stop="11 nm")
    assert (found.item(), found["samples"].item()) == (1.01e18, 1)
    assert (found["stderr"].item(), found["scatter"].item()) == (2e16, 1.0)
    with warns(ProfileWarning, "no_sample_in_window", species="B"):
        empty = sims.mean_value(ds, start="500 nm")
    assert np.isnan([empty.item(), empty["stderr"].item(), empty["scatter"].item()]).all()
