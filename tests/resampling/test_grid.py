"""Grids: exact at samples, NaN outside them, and cells that conserve the dose."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from error_parts import raises, warns

import sims_analysis as sims
from sims_analysis.errors import DoseWarning, ProfileWarning, UnitsError

DATA = Path(__file__).parents[3] / "shared" / "data"


def dataset(depth, *rows, stderr=None, unit="nm"):
    rows = np.array(rows, dtype=float)
    variables = {"concentration": (("species", "depth"), rows, {"units": "atom/cm^3"})}
    if stderr is not None:
        attrs = {"units": "atom/cm^3"}
        errors = np.broadcast_to(stderr, rows.shape)
        variables["concentration_stderr"] = (("species", "depth"), errors, attrs)
    names = ["B", "P", "As"][: len(rows)]
    return xr.Dataset(
        variables, coords={"species": names, "depth": ("depth", depth, {"units": unit})}
    )


DEPTH = np.arange(0.0, 100.1, 2.5)
EXPONENTIAL = dataset(DEPTH, 1e20 * np.exp(-DEPTH / 5.0))


def only(ds, name="concentration"):
    return ds[name].isel(species=0).values


# --- where the depths lie -----------------------------------------------------------------------


def test_step_gives_the_multiples_within_the_samples():
    ds = dataset(np.array([0.35, 1.0, 2.2]), [1.0, 2.0, 3.0])
    grid = sims.to_grid(ds, step="0.1 nm")
    # The numbers that one writes, not multiples of a rounded 0.1.
    assert grid["depth"].values.tolist() == [i / 10 for i in range(4, 23)]
    assert grid["depth"].attrs["units"] == "nm"
    assert sims.to_grid(ds, step="1 angstrom")["depth"].values.tolist() == [
        i / 10 for i in range(4, 23)
    ]


@pytest.mark.parametrize(
    ("first", "step", "points"),
    [
        (10.0, "2.5 nm", [10, 12.5, 15, 17.5, 20]),
        (10.1, "2.5 nm", [12.5, 15, 17.5, 20]),
        (-5.0, "10 nm", [0, 10, 20]),
        (16.0, "0.5 nm", [16, 16.5, 17, 17.5, 18, 18.5, 19, 19.5, 20]),
        (3.0, "7 nm", [7, 14]),
    ],
)
def test_the_first_and_the_last_multiple_are_within_the_samples(first, step, points):
    grid = sims.to_grid(dataset(np.array([first, 20.0]), [1e18, 1e18]), step=step)
    assert grid["depth"].values.tolist() == points


def test_a_grid_keeps_what_is_said_of_the_data():
    ds = sims.open_example("boron-implant")
    for data in (sims.to_grid(ds, step="5 nm"), sims.interpolate(ds, depth="50 nm")):
        assert data.attrs["data_id"] == "boron-implant"


def test_depths_as_text_quantity_and_array():
    wanted = [10.0, 12.5]
    by_text = sims.to_grid(EXPONENTIAL, depth=["10 nm", "0.0125 um"])
    array = xr.DataArray([0.010, 0.0125], dims="depth", attrs={"units": "um"})
    by_array = sims.to_grid(EXPONENTIAL, depth=array)
    quantity = sims.quantify(array).data
    by_quantity = sims.to_grid(EXPONENTIAL, depth=quantity)
    for grid in (by_text, by_array, by_quantity):
        assert grid["depth"].values.tolist() == wanted
        np.testing.assert_array_equal(only(grid), only(EXPONENTIAL.sel(depth=wanted)))
    assert sims.to_grid(EXPONENTIAL, depth="10 nm").sizes["depth"] == 1


def test_like_another_axis():
    other = dataset(np.array([0.011, 0.02, 0.5]), [1.0, 2.0, 3.0], unit="um")
    grid = sims.to_grid(EXPONENTIAL, like=other)
    assert grid["depth"].values.tolist() == [11.0, 20.0, 500.0]
    np.testing.assert_allclose(only(grid)[:2], 1e20 * np.exp(-np.array([11.0, 20.0]) / 5))
    assert np.isnan(only(grid)[2])
    as_array = sims.to_grid(EXPONENTIAL, like=other["concentration"])
    # The record of the call tells a Dataset from an array.
    without = [data.assign_attrs(steps="") for data in (as_array, grid)]
    xr.testing.assert_identical(*without)


def test_cells_like_cells():
    cells = sims.to_grid(EXPONENTIAL, step="7 nm", conserve="dose")
    again = sims.to_grid(EXPONENTIAL, like=cells, conserve="dose")
    np.testing.assert_array_equal(again["depth_bounds"].values, cells["depth_bounds"].values)
    np.testing.assert_array_equal(only(again), only(cells))
    array = sims.to_grid(EXPONENTIAL["concentration"], step="7 nm", conserve="dose")
    for like in (array, sims.quantify(array)):
        again = sims.to_grid(EXPONENTIAL["concentration"], like=like, conserve="dose")
        xr.testing.assert_identical(again.assign_attrs(steps=""), array.assign_attrs(steps=""))


def test_cells_of_cells_begin_and_end_with_them():
    cells = sims.to_grid(EXPONENTIAL, step="7 nm", conserve="dose")
    for step, count in (("14 nm", 8), ("3 nm", 34), ("100 nm", 1)):
        again = sims.to_grid(cells, step=step, conserve="dose")["depth_bounds"].values
        assert (len(again), again[0, 0], again[-1, 1]) == (count, 0.0, 100.0)
    # Values at depths lie between the depths that stand for cells.
    values = sims.to_grid(cells, step="1 nm")["depth"].values
    assert (values[0], values[-1]) == (4.0, 99.0)


def test_cells_that_do_not_touch_are_not_taken_over():
    z = np.array([5.0, 15.0, 30.0])
    other = dataset(z, np.ones(3))["concentration"].assign_coords(
        cell_start=("depth", z - 4.0, {"units": "nm"}),
        cell_stop=("depth", z + 4.0, {"units": "nm"}),
    )
    found = sims.to_grid(EXPONENTIAL, like=other, conserve="dose")
    assert found["depth_bounds"].values.tolist() == [[5, 10], [10, 22.5], [22.5, 30]]
    assert found.attrs["grid"] == "cells around the depth axis of other data"
    # Nor are they without cells of one's own.
    assert sims.to_grid(EXPONENTIAL, like=other).attrs["grid"] == "the depth axis of other data"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"step": "2.5 nm"}, "multiples of 2.5 nm"),
        ({"step": "2.5 nm", "conserve": "dose"}, "cells of 2.5 nm"),
        ({"depth": ["1 nm", "3 nm"]}, "2 stated values of depth"),
        ({"depth": ["1 nm", "3 nm"], "conserve": "dose"}, "cells around 2 stated values of depth"),
        ({"step": "1 nm", "method": "pchip"}, "multiples of 1 nm"),
    ],
)
def test_a_grid_is_described(options, words):
    found = sims.to_grid(EXPONENTIAL, **options)
    assert found.attrs["grid"] == words
    assert found.attrs["grid_method"] == options.get("method", "log")
    assert found.attrs.get("grid_conserve") == options.get("conserve")
    how = "averaged over cells (dose kept)" if "conserve" in options else "interpolated"
    line = f"{how} by method {options.get('method', 'log')} on {words}"
    assert line in found.attrs["history"]


# --- values -------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["log", "linear", "pchip", "makima"])
def test_exact_on_samples_and_nan_outside(method):
    ds = dataset(DEPTH, 1e18 + 1e19 * np.exp(-(((DEPTH - 40) / 12) ** 2)))
    ds["concentration"][0, :3] = np.nan
    ds["concentration"][0, -2:] = np.nan
    grid = sims.to_grid(ds, step="0.5 nm", method=method)
    on = grid["concentration"].sel(depth=DEPTH)
    np.testing.assert_array_equal(on.isel(species=0).values, only(ds))
    inside = (grid["depth"] >= 7.5) & (grid["depth"] <= 95)
    assert (np.isnan(only(grid)) == ~inside.values).all()
    assert grid["concentration"].attrs["interpolation"] == method


def test_exponential_is_exact_between_samples():
    grid = sims.to_grid(EXPONENTIAL, step="0.3 nm")
    np.testing.assert_allclose(only(grid), 1e20 * np.exp(-grid["depth"].values / 5), rtol=1e-13)
    linear = sims.to_grid(EXPONENTIAL, depth="1.25 nm", method="linear")
    np.testing.assert_allclose(only(linear), 0.5e20 * (1 + np.exp(-0.5)), rtol=1e-15)


def test_falls_back_visibly():
    ds = dataset(np.arange(5.0), [4.0, 0.0, 2.0, 2.0, 8.0], [1.0, 1.0, 1.0, 1.0, 1.0])
    grid = sims.to_grid(ds, step="0.5 nm")
    assert grid["n_linear_segments"].values.tolist() == [2, 0]
    assert only(grid)[1] == 2.0
    cells = sims.to_grid(ds, step="1 nm", conserve="dose")
    assert cells["n_linear_segments"].values.tolist() == [2, 0]


# --- cells --------------------------------------------------------------------------------------


def test_cells_of_an_exponential():
    cells = sims.to_grid(EXPONENTIAL, step="7 nm", conserve="dose")
    a, b = cells["depth_bounds"].values.T
    exact = 1e20 * 5.0 * (np.exp(-a / 5) - np.exp(-b / 5)) / (b - a)
    np.testing.assert_allclose(only(cells), exact, rtol=2e-13)
    assert a[0] == 0.0
    assert b[-1] == DEPTH[-1]
    np.testing.assert_allclose(np.diff(a), 7.0)
    # The last cell is what is left: 100 = 14 * 7 + 2.
    assert b[-1] - a[-1] == pytest.approx(2.0)
    np.testing.assert_array_equal(cells["depth"].values, 0.5 * (a + b))
    assert cells["depth"].attrs["bounds"] == "depth_bounds"
    assert cells["concentration"].attrs["cell_methods"] == "depth: mean"


@pytest.mark.filterwarnings("ignore:.*ends inside the profile")
def test_two_depths_are_enough_for_cells():
    found = sims.to_grid(EXPONENTIAL, depth=["10 nm", "20 nm"], conserve="dose")
    np.testing.assert_allclose(found["depth_bounds"], [[10, 15], [15, 20]], rtol=1e-12)
    dose = sims.integrated_dose(found)
    exact = sims.integrated_dose(EXPONENTIAL, start="10 nm", stop="20 nm", rule="loglinear")
    np.testing.assert_allclose(dose, exact, rtol=1e-12)


def test_a_step_that_fits_leaves_no_sliver():
    for step, count in (
        ("0.1 nm", 1000),
        ("2.5 nm", 40),
        ("100 nm", 1),
        ("300 nm", 1),
        ("33.3333333333 nm", 3),
    ):
        bounds = sims.to_grid(EXPONENTIAL, step=step, conserve="dose")["depth_bounds"].values
        assert len(bounds) == count
        assert bounds[-1, 1] == 100.0


def test_cells_that_were_not_wholly_measured_are_nan(approved):
    ds = dataset(DEPTH, np.ones(DEPTH.size), np.ones(DEPTH.size))
    ds["concentration"][1, :3] = np.nan  # measured from 7.5 nm
    with warns(DoseWarning, species="P", text=approved):
        cells = sims.to_grid(ds, step="5 nm", conserve="dose")
    assert np.isfinite(only(cells)).all()
    second = cells["concentration"].values[1]
    assert np.isnan(second[:2]).all()
    np.testing.assert_allclose(second[2:], 1.0, rtol=1e-15)
    alone = sims.to_grid(sims.samples(ds, "P"), step="5 nm", conserve="dose")
    doses = [sims.integrated_dose(one).item() for one in (alone, ds.sel(species="P"))]
    assert doses[0] == pytest.approx(doses[1], rel=1e-14)


@pytest.mark.filterwarnings("ignore:.*ends inside the profile")
def test_a_hole_between_samples_is_bridged_as_the_dose_bridges_it():
    ds = dataset(np.arange(6.0), [1.0, np.nan, np.nan, 8.0, 8.0, 8.0])
    cells = sims.to_grid(ds, step="1 nm", conserve="dose")
    dose = sims.integrated_dose(ds, rule="loglinear").values[0]
    assert only(cells).sum() * 1e-7 == pytest.approx(dose, rel=1e-14)


# --- standard errors ----------------------------------------------------------------------------


def test_stderr_between_samples():
    ds = dataset(np.array([0.0, 1.0]), [4.0, 1.0], stderr=np.array([0.4, 0.2]))
    linear = sims.to_grid(ds, depth="0.25 nm", method="linear")
    assert only(linear, "concentration_stderr")[0] == pytest.approx(np.hypot(0.3, 0.05))
    log = sims.to_grid(ds, depth="0.25 nm")
    value = 4.0**0.75
    assert only(log, "concentration_stderr")[0] == pytest.approx(
        value * np.hypot(0.75 * 0.1, 0.25 * 0.2)
    )
    ends = sims.to_grid(ds, depth=["0 nm", "1 nm"])
    assert only(ends, "concentration_stderr").tolist() == [0.4, 0.2]
    assert ends["concentration_stderr"].attrs["units"] == "atom/cm^3"


def test_stderr_of_cells_is_that_of_the_dose():
    rng = np.random.default_rng(3)
    depth = np.cumsum(rng.uniform(0.5, 3, 60))
    ds = dataset(depth, rng.uniform(1, 2, 60), stderr=rng.uniform(0.1, 0.4, 60))
    cells = sims.to_grid(ds, step="4.4 nm", method="linear", conserve="dose")
    for i, (a, b) in enumerate(cells["depth_bounds"].values):
        dose = sims.integrated_dose(ds, start=f"{float(a)!r} nm", stop=f"{float(b)!r} nm")
        assert only(cells, "concentration_stderr")[i] * (b - a) * 1e-7 == pytest.approx(
            dose["stderr"].values[0], rel=1e-12
        )


@pytest.mark.parametrize("lazy", [False, True])
def test_a_cell_in_which_nothing_was_counted_is_known_to_what_may_have_been_there(lazy):
    z = np.array([0.0, 1, 2, 4, 5, 6, 7])
    ds = dataset(z, [0.0, 0, 0, 0, 0, 2e16, 8e16])
    ds = sims.with_counting_statistics(ds, value_per_count="1e16 atoms/cm^3")
    depth = ["0 nm", "4 nm", "6 nm", "7 nm"]  # cells to 2, 5, 6.5 and 7 nm
    cells = sims.to_grid(ds.chunk() if lazy else ds, depth=depth, conserve="dose", method="linear")
    # 1.84 counts where one weighs most: 1 nm of the sample at 1 nm, 1.5 nm of that at 4 nm.
    most = -np.log(0.15865525393145707) * 1e16
    counted = 1e16 * np.hypot((0.5 + 0.375) * np.sqrt(2), 0.125 * np.sqrt(8)) / 1.5
    last = 1e16 * np.hypot(0.125 * np.sqrt(2), 0.375 * np.sqrt(8)) / 0.5
    np.testing.assert_allclose(
        only(cells, "concentration_stderr"),
        [most * 1 / 2, most * 1.5 / 3, counted, last],
        rtol=1e-12,
    )
    # What is stated, and not counted, stays.
    sure = dataset(z, np.zeros(7), stderr=0.0)
    found = sims.to_grid(sure, depth=depth, conserve="dose", method="linear")
    assert (only(found, "concentration_stderr") == 0).all()


# --- what comes along ---------------------------------------------------------------------------


def test_dataarray_in_dataarray_out():
    ds = dataset(DEPTH, 1e20 * np.exp(-DEPTH / 5.0), stderr=1e17)
    array = ds["concentration"].assign_coords(stderr=ds["concentration_stderr"])
    grid = sims.to_grid(array, step="1 nm")
    whole = sims.to_grid(ds, step="1 nm")
    assert isinstance(grid, xr.DataArray)
    assert grid.name == "concentration"
    np.testing.assert_array_equal(grid.values, whole["concentration"].values)
    np.testing.assert_array_equal(grid["stderr"].values, whole["concentration_stderr"].values)
    cells = sims.to_grid(array, step="30 nm", conserve="dose")
    assert cells["cell_start"].values.tolist() == [0.0, 30.0, 60.0, 90.0]
    assert cells["cell_stop"].values.tolist() == [30.0, 60.0, 90.0, 100.0]


def test_every_variable_of_a_mixed_dataset():
    ds = sims.open_example("gan-mg-stack")
    grid = sims.to_grid(ds, step="5 nm")
    assert set(grid.data_vars) == set(ds.data_vars)
    for name in ds.data_vars:
        assert grid[name].attrs["units"] == ds[name].attrs["units"]
        measured = ds[name].notnull().any("depth")
        assert (grid[name].notnull().any("depth") == measured).all()


def test_sputter_time_axis():
    ds = sims.open_example("sputter-time")
    grid = sims.to_grid(ds, step="10 s")
    assert grid["intensity"].dims == ("species", "sputter_time")
    assert grid["sputter_time"].attrs["units"] == "s"
    with raises(UnitsError, argument="step"):
        sims.to_grid(ds, step="10 nm")


# --- measured profiles --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "nist_gan_mg_d315/d315",
        "piezod_tsuprem4_profiles/tsuprem",
        "srim_range_tables/range_1",
    ],
)
def test_the_dose_of_published_profiles_is_kept(name):
    path = DATA / f"{name}.api.json"
    if not path.exists():
        pytest.skip(f"published profiles are not here: {path.name}")
    ds = sims.SIMSResult.from_json(path.read_bytes()).to_dataset()
    variable = "concentration" if "concentration" in ds else "range_density"
    for method, rule in (("linear", "trapezoid"), ("log", "loglinear")):
        cells = sims.to_grid(ds, step="23 nm", method=method, conserve="dose")
        width = np.diff(cells["depth_bounds"].values, axis=1)[:, 0]
        got = (cells[variable] * xr.Variable("depth", width)).sum("depth") * 1e-7
        dose = sims.integrated_dose(ds, rule=rule)
        measured = dose.notnull().values
        assert measured.any()
        np.testing.assert_allclose(got.values[measured], dose.values[measured], rtol=1e-12)


@pytest.mark.filterwarnings("ignore::sims_analysis.errors.ProfileWarning")
@pytest.mark.parametrize("options", [{"conserve": "dose"}, {}])
def test_samples_below_their_limit_are_a_gap_of_a_grid_unless_gaps_are_bridged(options):
    z = np.arange(12.0)
    hidden = (z > 3) & (z < 7)
    ds = dataset(z, np.where(hidden, np.nan, 1e18))
    limit = ("species", "depth"), [np.where(hidden, 5e17, np.nan)], {"units": "atom/cm^3"}
    ds = ds.assign_coords(concentration_detection_limit=limit)
    flagged, bridged = (
        sims.to_grid(ds, depth=["1 nm", "5 nm", "9 nm"], gaps=gaps, **options)
        for gaps in ("flag", "bridge")
    )
    # Cells to 3, 7 and 9 nm.
    assert np.isnan(only(flagged)).tolist() == [False, True, False]
    np.testing.assert_allclose(only(bridged), 1e18)


@pytest.mark.filterwarnings("ignore:.*ends inside the profile")
@pytest.mark.parametrize("grid", [{"step": "0.5 nm"}, {"step": "4 nm"}, {"every": 3}])
def test_a_tail_below_its_limit_is_one_on_a_grid(grid):
    z = np.arange(0.0, 200.0, 2.0)
    value = 1e19 * np.exp(-0.5 * ((z - 60) / 15) ** 2)
    low = z > 85
    limit = ("species", "depth"), [np.where(low, 2e18, np.nan)], {"units": "atom/cm^3"}
    ds = dataset(z, np.where(low, np.nan, value)).assign_coords(concentration_detection_limit=limit)
    made = sims.to_grid(ds, **grid)
    kinds = [one["kind"].values.tolist() for one in map(sims.quality, (ds, made))]
    assert kinds[0] == kinds[1] == ["truncated", "below_limit"]
    with warns(DoseWarning, "below_limit", species="B"):
        assert sims.moments(made)["status"].item() == "below_limit"


@pytest.mark.filterwarnings("ignore:.*ends inside the profile")
@pytest.mark.parametrize(("at", "kinds"), [("begins", ["gap", "truncated"]), ("ends", ["gap"])])
def test_a_grid_that_begins_or_ends_in_a_gap_has_it(at, kinds):
    z = np.r_[1.0:12.0, 100.0:300.0] if at == "begins" else np.r_[1.0:200.0, 290.0:296.0]
    value = 1e20 * np.exp(-z / 40)
    data = xr.Dataset(
        {"concentration": ("depth", value, {"units": "atoms/cm^3"})},
        {"depth": ("depth", z, {"units": "nm"})},
    )
    with warns(ProfileWarning, "gap"):
        grid = sims.to_grid(data, step="15 nm")
    with warns(DoseWarning, "gap"):
        assert sims.integrated_dose(grid)["status"] == "gap"
    # Between depths that were measured, there is none.
    inside = {"begins": ("120 nm", "280 nm"), "ends": ("15 nm", "180 nm")}[at]
    assert sims.integrated_dose(grid, start=inside[0], stop=inside[1])["status"] == "ok"
    assert sims.quality(grid)["kind"].values.tolist() == kinds


def test_every_five_samples_are_averaged(approved):
    z = np.arange(23.0)
    ds = xr.Dataset(
        {"concentration": ("depth", 1e18 + 1e16 * z, {"units": "atoms/cm^3"})},
        {"depth": ("depth", z, {"units": "nm"})},
    )
    found = sims.to_grid(ds, every=5)
    np.testing.assert_array_equal(found["depth_bounds"][:, 1], [4.5, 9.5, 14.5, 19.5, 22.0])
    np.testing.assert_allclose(found["concentration"], 1e18 + 1e16 * found["depth"], rtol=1e-13)
    with raises(sims.errors.ProfileError, argument="every"):
        sims.to_grid(ds, every=1)
    with raises(sims.errors.ProfileError, "conflicting_arguments"):
        sims.to_grid(ds, every=5, step="1 nm")
    # Of two species on depths of their own, not of the union of both; lazily, too.
    own = xr.merge(
        [ds.expand_dims(species=["A"]),
         ds.assign_coords(depth=ds["depth"] + 0.5).expand_dims(species=["B"])],
        join="outer", compat="no_conflicts", combine_attrs="override",
    ).expand_dims(measurement=["m"])  # fmt: skip
    with warns(DoseWarning, measurement="m", species="B", text=approved):
        grids = [sims.to_grid(data, every=5) for data in (own, own.chunk(species=1))]
    for grid in grids:
        assert grid["depth_bounds"][:4, 1].values.tolist() == [4.5, 9.5, 14.5, 19.5]


@pytest.mark.parametrize("step", ["5 nm", "0.5 nm"])
def test_errors_beside_a_hole_are_those_of_the_samples(step):
    # Depths in the hole have no values, and share no samples.
    z = np.arange(0.5, 180)
    expected = 400 * np.exp(-0.5 * ((z - 45) / 12) ** 2) + 30
    counts = np.random.default_rng(3).poisson(expected, (200, z.size)).astype(float)
    counts[:, (z > 60) & (z < 100)] = np.nan
    dims, attrs = ("run", "depth"), {"units": "atoms/cm^3"}
    ds = xr.Dataset(
        {
            "concentration": (dims, 1e15 * counts, attrs),
            "concentration_stderr": (dims, 1e15 * np.sqrt(counts), attrs),
        },
        {"depth": ("depth", z, {"units": "nm"})},
    )
    with warns(ProfileWarning, "gap", run="0"):
        gridded = sims.to_grid(ds, step=step)
    for window in ({"start": "10 nm", "stop": "50 nm"}, {"start": "110 nm", "stop": "175 nm"}):
        dose = sims.integrated_dose(gridded, **window)
        assert dose["stderr"].mean() / dose.std() == pytest.approx(1, abs=0.1)
    # Of a dose across it, the two samples next to it are most, which are as good as alone.
    dose = sims.integrated_dose(gridded, stop="175 nm", gaps="bridge")
    assert 0.9 < dose["stderr"].mean() / dose.std() < 1.7


@pytest.mark.parametrize("rows", [1, 80])
@pytest.mark.parametrize("length", [5, 9])
def test_a_depth_of_a_coarse_grid_between_a_saturated_sample_and_another_is_saturated(rows, length):
    z, rng = np.arange(0, 600, 0.6), np.random.default_rng(1)
    counts = rng.poisson(1e5 * np.exp(-0.5 * ((z - 180) / 30) ** 2) + 10, (rows, z.size))
    value = 1e15 * counts * (1 + 1e-3 * rng.standard_normal(counts.shape))
    coords, attrs = {"depth": ("depth", z, {"units": "nm"})}, {"units": "atoms/cm^3"}
    for start in range(300, 310):  # wherever it lies between the depths
        cut = value.copy()
        cut[-1, start : start + length] = 1.05 * value.max()
        ds = xr.Dataset({"concentration": (("run", "depth"), cut, attrs)}, coords)
        made = sims.to_grid(ds, step="5 nm")
        at = made["depth"].values
        flags = made.coords.get("concentration_quality", 0 * made["concentration"]).values
        expected = (at > z[start - 1] + 1e-9) & (at < z[start + length] - 1e-9)
        np.testing.assert_array_equal((flags[-1].astype(int) & 4) > 0, expected)
        assert not flags[:-1].any()
