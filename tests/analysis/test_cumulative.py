"""The dose down to each depth: zero at the first sample, the whole dose at the last."""

import math

import numpy as np
import pytest
from measurement_layouts import number, one, padded, union

import sims_analysis as sims

RULES = ["trapezoid", "loglinear"]


@pytest.mark.parametrize("rule", RULES)
def test_cumulative_dose_ends_with_the_dose(rule):
    z = np.sort(np.random.default_rng(3).uniform(0, 300, 200))
    ds = one(z, 1e19 * np.exp(-(((z - 100) / 30) ** 2) / 2))
    running = sims.cumulative_dose(ds, rule=rule, gaps="bridge")
    assert running.dims == ds["concentration"].dims
    assert running.values[0, 0] == 0
    assert running.values[0, -1] == pytest.approx(
        number(sims.integrated_dose(ds, rule=rule, gaps="bridge")), rel=1e-12
    )
    middle = sims.integrated_dose(ds, stop=f"{z[77]} nm", rule=rule, gaps="bridge")
    assert running.values[0, 77] == pytest.approx(number(middle), rel=1e-12)


def test_cumulative_dose_is_nan_where_nothing_was_measured():
    running = sims.cumulative_dose(one([0, 1, 2], [1e18, np.nan, 1e18])).values[0]
    assert running[0] == 0
    assert math.isnan(running[1])
    assert running[2] == pytest.approx(2e11)


@pytest.mark.parametrize("rule", ["trapezoid", "loglinear"])
def test_the_last_cumulative_dose_is_the_dose_with_the_same_background(rule):
    ds = sims.open_example("gan-mg-stack")
    options = {"rule": rule, "background": ("900 nm", "1100 nm")}
    mg = ds.sel(species="Mg")
    steps = sims.cumulative_dose(mg, **options).dropna("depth")
    assert steps[0] == 0
    np.testing.assert_allclose(steps[-1], sims.integrated_dose(mg, **options), rtol=1e-12)


@pytest.mark.parametrize("rule", ["trapezoid", "loglinear"])
@pytest.mark.parametrize("layout", ["shared", "padded"])
def test_one_sample_has_neither_a_dose_nor_a_cumulative_dose(rule, layout):
    profiles = {"B": ([3.0], [1e18]), "P": ([1.0, 2.0, 3.0], [1e18, 1e18, 1e18])}
    ds = union(profiles) if layout == "shared" else padded(profiles)
    steps = sims.cumulative_dose(ds, rule=rule)
    assert np.isnan(sims.integrated_dose(ds, rule=rule).sel(species="B").values).all()
    assert steps.sel(species="B").isnull().all()
    measured = steps.sel(species="P").values.ravel()
    np.testing.assert_allclose(measured[~np.isnan(measured)], [0, 1e11, 2e11])
    assert np.isnan(number(sims.cumulative_dose(one([3.0], [1e18]), rule=rule)))


def test_a_species_without_samples_has_no_dose_in_cells_either():
    z = np.arange(0.0, 100.0)
    measured = union({"B": (z, 1e18 + z), "P": (z, np.full(100, np.nan))})
    cells = sims.to_grid(measured, step="5 nm", conserve="dose")
    for question in (sims.cumulative_dose, sims.depth_at_dose_fraction):
        answer = question(cells)
        assert (answer["status"][-1] == "no_data").all()
        assert answer.isel(species=1).isnull().all()
