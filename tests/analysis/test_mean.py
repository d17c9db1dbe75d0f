"""The mean over a window, against numpy, and its coverage."""

import numpy as np
import pytest
import xarray as xr
from counted import TOP, covered, trials

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
    np.testing.assert_allclose(found["stderr"], np.maximum(stated, scatter), rtol=1e-12)
    assert set(found["status"].values.ravel()) == {"ok"}
    bare = ds.drop_vars(["concentration_stderr", "concentration_counts"])
    np.testing.assert_allclose(
        sims.mean_value(bare, start="20 nm", stop="61 nm")["stderr"], scatter, rtol=1e-12
    )


@pytest.mark.slow
@pytest.mark.parametrize("counts", [1, 10, 100])
def test_intervals_cover_68_percent(counts):
    found = sims.mean_value(flat(counts), start="20 nm", stop="180 nm")
    assert 0.64 <= covered(found, TOP) <= 0.80  # the larger of two errors is rather too wide


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
    with pytest.warns(ProfileWarning, match="no sample in the window"):
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
