"""Errors on grids finer than the samples: values that share samples are not independent."""

import numpy as np
import pytest
import xarray as xr
from counted_trials import edge, trials

import sims_analysis as sims

DEPTH = np.arange(0, 200, 2.5) + 0.3
SHAPE, DECAY = edge(30.0)

#: Ways to a grid, and how many counts there are at the maximum.
FINER = [
    ({"step": "0.5 nm"}, 10),
    ({"step": "0.5 nm"}, 1000),
    ({"step": "0.7 nm", "method": "linear"}, 10),
    ({"step": "0.7 nm", "method": "linear"}, 100),
    ({"step": "0.5 nm", "conserve": "dose"}, 100),
    ({"step": "0.5 nm", "conserve": "dose", "method": "linear"}, 10),
    ({"step": "2.5 nm"}, 100),
    ({"step": "5 nm"}, 100),
]


@pytest.mark.few(2)
@pytest.mark.slow
@pytest.mark.parametrize("counts", [10, 1000])
@pytest.mark.parametrize(("grid", "_"), FINER[::2])
def test_zero_counts_remain_known_on_a_grid(grid, _, counts):
    counted = trials(SHAPE, DEPTH, counts)
    gridded = sims.to_grid(counted, **grid)
    assert gridded["concentration_counts"].attrs["units"] == "count"
    before, after = (sims.moments(ds) for ds in (counted, gridded))
    for name in ("dose_stderr", "projected_range_stderr", "straggle_stderr"):
        ratio = (after[name] / before[name]).median()
        assert float(ratio) == pytest.approx(1.0, abs=0.3 if counts == 10 else 0.15), name
    by_depths = sims.interpolate(counted, depth=gridded["depth"])
    if "conserve" not in grid and "method" not in grid:
        np.testing.assert_array_equal(
            by_depths["concentration_counts"], gridded["concentration_counts"]
        )


def test_a_grid_with_zero_counts_has_the_error_of_zero_counts():
    counted = trials(lambda z: 0 * z, DEPTH, 10).isel(measurement=[0])
    stated = sims.integrated_dose(counted)["stderr"]
    assert float(stated[0, 0]) > 0
    for step in ("0.5 nm", "1.25 nm"):
        found = sims.integrated_dose(sims.to_grid(counted, step=step, method="linear"))["stderr"]
        # Never narrower; wider, since values between samples are known better than these.
        assert 1.0 <= float(found[0, 0] / stated[0, 0]) <= 1.5


def one(step=2.5, **more):
    z = np.arange(0, 200, step)
    values = np.array([1e20 * SHAPE(z), 2e20 * SHAPE(z)])
    attrs = {"units": "atom/cm^3"}
    return xr.Dataset(
        {
            "concentration": (("species", "depth"), values, attrs),
            "concentration_stderr": (("species", "depth"), 0.05 * values, attrs),
        },
        coords={"species": ["B", "P"], "depth": ("depth", z, {"units": "nm"})},
        attrs=more,
    )


def test_a_finer_grid_does_not_change_the_error_of_the_dose():
    before = sims.integrated_dose(one())["stderr"]
    gridded = sims.to_grid(one(), step="0.5 nm")
    np.testing.assert_allclose(sims.integrated_dose(gridded)["stderr"], before, rtol=0.02)
    array = one()["concentration"].assign_coords(stderr=one()["concentration_stderr"].variable)
    by_array = sims.integrated_dose(sims.to_grid(array, step="0.5 nm"))["stderr"]
    np.testing.assert_array_equal(by_array, sims.integrated_dose(gridded)["stderr"])
    without = sims.to_grid(one()["concentration"], step="0.5 nm")
    # Errors that are taken from the scatter, as that of a mean, need it too.
    np.testing.assert_array_equal(
        without["effective_sample_fraction"], gridded["effective_sample_fraction"]
    )
    other = sims.interpolate(one(), depth=gridded["depth"])
    np.testing.assert_allclose(sims.integrated_dose(other)["stderr"], before, rtol=0.02)
    np.testing.assert_array_equal(
        other["concentration_stderr"], gridded["concentration_stderr"], strict=True
    )


def test_independent_samples_of_coarse_and_half_way_grids():
    for step in ("2.5 nm", "5 nm", "12.5 nm"):
        assert "effective_sample_fraction" not in sims.to_grid(one(), step=step).coords
    # Half-way between samples, each value is the mean of two, and each sample is in two values.
    halves = sims.to_grid(one(), depth=[f"{z} nm" for z in np.arange(1.25, 190, 2.5)])
    np.testing.assert_allclose(halves["effective_sample_fraction"], 0.5, rtol=0.02)


@pytest.mark.parametrize("first", [{"step": "0.5 nm"}, {"step": "1 nm", "conserve": "dose"}])
@pytest.mark.parametrize("method", ["linear", "log"])
@pytest.mark.parametrize(
    "second",
    [
        {"step": "0.25 nm"},
        {"step": "2 nm", "conserve": "dose"},
        {"step": "10 nm", "conserve": "dose"},
    ],
)
def test_a_grid_of_a_grid_has_no_more_independent_values(first, second, method):
    z, attrs = np.arange(0, 200, 2.5), {"units": "atom/cm^3"}
    value = 1e20 + 5e18 * np.random.default_rng(4).standard_normal((300, z.size))
    ds = xr.Dataset(
        {
            "concentration": (("run", "depth"), value, attrs),
            "concentration_stderr": (("run", "depth"), np.full(value.shape, 5e18), attrs),
        },
        coords={"depth": ("depth", z, {"units": "nm"})},
    )
    grid = sims.to_grid(sims.to_grid(ds, **first, method=method), **second, method=method)
    dose = sims.integrated_dose(grid)
    assert 0.9 < (dose["stderr"].mean() / dose.std()).item() < 1.3


def test_results_for_single_values_do_not_change():
    gridded = sims.to_grid(one(), step="0.5 nm")
    # That of a maximum is by a fit around it: a grid of five values a sample knows no more.
    top, own = sims.peak(gridded), sims.peak(one())
    ratio = (top["concentration_stderr"] / own["concentration_stderr"]).values
    assert ((ratio > 0.7) & (ratio < 1.3)).all()
    ratio = sims.compare(gridded, gridded)
    again = sims.compare(gridded.drop_vars("effective_sample_fraction"), gridded)
    np.testing.assert_array_equal(ratio["ratio_stderr"], again["ratio_stderr"])
    assert "effective_sample_fraction" not in top.coords


@pytest.mark.slow
def test_the_fraction_survives_files_stacks_and_views(tmp_path):
    gridded = sims.to_grid(one(), step="0.5 nm")
    stated = sims.integrated_dose(gridded)["stderr"]
    assert gridded["effective_sample_fraction"].dims == ("species",)
    path = tmp_path / "grid.nc"
    sims.save(gridded, path)
    batch = sims.stack([one(data_id="a"), one(3.0, data_id="b")])
    fine = sims.to_grid(batch, step="0.5 nm")
    assert fine["effective_sample_fraction"].dims == ("measurement", "species")
    stacked = sims.stack([gridded, one(0.5)])
    np.testing.assert_array_equal(stacked["effective_sample_fraction"].isel(measurement=1), np.nan)
    np.testing.assert_allclose(sims.integrated_dose(stacked)["stderr"][0], stated, 1e-12)
    np.testing.assert_allclose(
        sims.integrated_dose(stacked)["stderr"][1], sims.integrated_dose(one(0.5))["stderr"], 1e-15
    )
    lazy = sims.to_grid(one().chunk(species=1), step="0.5 nm")
    for same in (sims.load(path), sims.quantify(gridded), sims.unstack(stacked)[0], lazy):
        found = sims.dequantify(sims.integrated_dose(same))["stderr"]
        np.testing.assert_allclose(np.asarray(found), stated, 1e-12)
