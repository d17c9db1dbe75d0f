"""Averages over cells are integrated as cells, whatever the layout."""

import numpy as np
import pytest
import xarray as xr
from error_parts import raises, warns

import sims_analysis as sims
from sims_analysis.errors import ProfileError

pytestmark = pytest.mark.filterwarnings("ignore:.*ends inside the profile")

Z = np.arange(0.0, 301.0, 3.0)


@pytest.fixture
def ds():
    c = np.stack([1e19 * np.exp(-(((Z - 100) / 30) ** 2) / 2) + 1e16, 1e18 * np.exp(-Z / 60)])
    data = xr.Dataset(
        {"concentration": (("species", "depth"), c, {"units": "atom/cm^3"})},
        {"species": ["B", "P"], "depth": ("depth", Z, {"units": "nm"})},
    )
    return sims.with_counting_statistics(data, value_per_count="1e15 atoms/cm^3")


def test_limits_within_a_cell_take_their_part(ds):
    cells = sims.to_grid(ds, step="10 nm", conserve="dose")
    got = sims.integrated_dose(cells, start="102 nm", stop="105 nm")
    there = cells["concentration"].sel(depth=105.0).values * 3e-7
    np.testing.assert_allclose(got, there, rtol=1e-12)


def test_the_dose_down_to_a_depth_is_the_cumulative_one_there(ds):
    cells = sims.to_grid(ds, step="10 nm", conserve="dose")
    above = sims.cumulative_dose(cells)
    for z in (5.0, 105.0, 295.0):
        down = sims.integrated_dose(cells, stop=f"{z} nm")
        np.testing.assert_allclose(above.sel(depth=z), down, rtol=1e-12)
    half = sims.depth_at_dose_fraction(cells, fraction=0.5)
    for i, z in enumerate(half.values):
        down = sims.integrated_dose(cells.isel(species=i), stop=f"{float(z)!r} nm")
        total = sims.integrated_dose(cells.isel(species=i))
        assert float(down) == pytest.approx(float(total) / 2, rel=1e-12)


def test_moments_of_cells(ds):
    cells = sims.to_grid(ds, step="5 nm", conserve="dose")
    c, z = cells["concentration"].values, cells["depth"].values
    width = np.diff(cells["depth_bounds"].values).ravel()
    mean = (c * width * z).sum(axis=1) / (c * width).sum(axis=1)
    found = sims.moments(cells)
    np.testing.assert_allclose(found["projected_range"], mean, rtol=1e-12)
    np.testing.assert_allclose(found["dose"], (c * width).sum(axis=1) * 1e-7, rtol=1e-12)


def test_an_empty_cell_is_a_gap(ds):
    cells = sims.to_grid(ds, step="10 nm", conserve="dose")
    cells["concentration"][0, 10] = np.nan
    with warns(sims.errors.DoseWarning, "gap", species="B", start="100 nm", stop="110 nm"):
        found = sims.dose_budget(cells, rule_tolerance=9)
    assert found["status"].values.tolist() == ["gap", "ok"]
    np.testing.assert_allclose(found["coverage"], [29 / 30, 1.0], rtol=1e-12)
    whole = sims.integrated_dose(cells, gaps="bridge").values[0]
    assert whole == pytest.approx(float(sims.integrated_dose(ds)[0]), rel=0.02)


def test_units_of_the_axis_hold_for_its_bounds(ds):
    cells = sims.to_grid(ds, step="10 nm", conserve="dose")
    um = cells.assign_coords(
        depth=("depth", cells["depth"].values / 1000, {"units": "um", "bounds": "depth_bounds"}),
        depth_bounds=(("depth", "bounds"), cells["depth_bounds"].values / 1000),
    )
    np.testing.assert_allclose(sims.integrated_dose(um), sims.integrated_dose(cells), rtol=1e-12)


@pytest.mark.parametrize(
    "change",
    [
        lambda ds: sims.rescale_depth(ds, factor=1.1, offset="5 nm"),
        lambda ds: sims.subtract_background(ds, value="1e15 atoms/cm^3"),
        lambda ds: sims.load(sims.save(ds, "cells.nc") or "cells.nc"),
        lambda ds: sims.dequantify(sims.quantify(ds)),
        lambda ds: ds.isel(depth=slice(2, -2)),
    ],
)
def test_bounds_go_along(ds, change, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cells = sims.to_grid(ds, step="10 nm", conserve="dose")
    found = change(cells)
    c, edges = found["concentration"].values, found["depth_bounds"].values
    by_hand = (c * (edges[:, 1] - edges[:, 0])).sum(axis=1) * 1e-7
    np.testing.assert_allclose(sims.integrated_dose(found), by_hand, rtol=1e-12)


@pytest.mark.few(0, 2)
@pytest.mark.parametrize("order", [1, -1])
def test_cells_beside_samples_are_each_what_they_are(ds, order):
    cells = sims.to_grid(ds, step="10 nm", conserve="dose")
    samples = sims.interpolate(ds, depth=cells["depth"])
    renamed = samples.assign_coords(species=[f"{one}2" for one in ds["species"].values])
    questions = (
        sims.integrated_dose,
        sims.mean_value,
        lambda one: sims.mean_value(one, start="33 nm", stop="121 nm"),
        lambda one: sims.junction_depth(one, level="5e17 atoms/cm^3"),
        lambda one: sims.peak(one)["depth"],
    )
    for parts in ([cells, samples], [cells, samples.isel(depth=slice(0, 20))]):
        batch = sims.stack(parts[::order], names=["a", "b"])
        profiles = [profile for one in sims.unstack(batch) for profile in sims.to_profiles(one)]
        for question in questions:
            alone = [question(one).values for one in parts[::order]]
            np.testing.assert_allclose(question(batch).values, alone, rtol=1e-12)
            np.testing.assert_allclose(question(batch.chunk(measurement=1)).values, alone)
        doses = sims.integrated_dose(sims.to_dataset(profiles[: len(ds["species"])])).values
        np.testing.assert_allclose(doses, sims.integrated_dose(parts[::order][0]).values)
    merged = sims.merge_profiles([cells, renamed][::order])
    again = sims.to_dataset(sims.to_profiles(merged))
    for question in questions:
        alone = [question(one).values for one in [cells, renamed][::order]]
        for one in (merged, again, sims.stack([merged])):
            np.testing.assert_allclose(question(one).values.ravel(), np.ravel(alone), rtol=1e-9)


def overlaps(old, new):
    """The width that each old cell has in each new one, (new, old)."""
    inside = np.minimum.outer(new[1:], old[1:]) - np.maximum.outer(new[:-1], old[:-1])
    return np.maximum(inside, 0.0)


def averages(edges, value, stderr, unit=1.0):
    """A Dataset of averages over cells; depths in nm times `unit`."""
    name = {1.0: "nm", 1e-3: "um"}[unit]
    return xr.Dataset(
        {
            "concentration": (("species", "depth"), value, {"units": "atom/cm^3"}),
            "concentration_stderr": (("species", "depth"), stderr, {"units": "atom/cm^3"}),
        },
        coords={
            "species": ["B", "P"],
            "depth": ("depth", unit * 0.5 * (edges[:-1] + edges[1:]), {"units": name}),
            "depth_bounds": (("depth", "bounds"), unit * np.stack([edges[:-1], edges[1:]], 1)),
        },
    )


@pytest.mark.few(2)
@pytest.mark.parametrize("seed", range(6))
def test_cells_become_other_cells_by_their_overlap(seed):
    rng = np.random.default_rng(seed)
    old = np.cumsum(rng.uniform(0.5, 9.0, 41))
    value, stderr = rng.lognormal(40, 3, (2, 40)), rng.lognormal(38, 1, (2, 40))
    unit = [1.0, 1e-3][seed % 2]
    ds = averages(old, value, stderr, unit)
    inner = np.sort(rng.uniform(old[0], old[-1], 15 if seed < 3 else 90))
    new = np.concatenate([old[:1], inner, old[-1:]])
    width = np.diff(new)
    weights = overlaps(old, new)
    like = averages(new, np.zeros((2, width.size)), np.zeros((2, width.size)))
    found = sims.to_grid(ds, like=like, conserve="dose")
    np.testing.assert_allclose(found["concentration"], value @ weights.T / width, rtol=1e-11)
    expected = np.sqrt(stderr**2 @ (weights**2).T) / width
    np.testing.assert_allclose(found["concentration_stderr"], expected, rtol=1e-10)
    # Doses between edges of both, and of the whole record, stay.
    np.testing.assert_allclose(sims.integrated_dose(found), sims.integrated_dose(ds), rtol=1e-12)
    stop = f"{float(new[7])!r} nm"
    one, other = (sims.integrated_dose(x, stop=stop) for x in (found, ds))
    np.testing.assert_allclose(one, other, rtol=1e-11)
    # Independent cells per new one: what a sum over these takes for its variance, over the true.
    fraction = (weights**2).sum() / (weights.sum(0) ** 2).sum()
    if fraction < 1 - 1e-9:
        np.testing.assert_allclose(found["effective_sample_fraction"], fraction, rtol=1e-9)
    else:
        assert "effective_sample_fraction" not in found.coords
    names = {"cell_start": old[:-1], "cell_stop": old[1:]}
    names = {name: ("depth", edges, {"units": "nm"}) for name, edges in names.items()}
    array = ds["concentration"].assign_coords(names)
    for data in (array, sims.quantify(ds), ds.chunk(), sims.stack([ds, ds])):
        again = sims.dequantify(sims.to_grid(data, like=like, conserve="dose"))
        again = again if isinstance(again, xr.DataArray) else again["concentration"]
        again = again.isel(measurement=0) if "measurement" in again.dims else again
        np.testing.assert_allclose(again, found["concentration"], rtol=1e-12)


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("scale", "deepest"),
    [
        ({"rate": "0.5 nm/s"}, 150.0),
        ({"rate": [("103 s", "0.5 nm/s"), (None, "1 nm/s")]}, 248.5),
        ({"crater_depth": "150 nm"}, 150.0),
        ({"crater_depth": "150 nm", "relative_rates": [("103 s", 1.0), (None, 3.0)]}, 150.0),
        ({"markers": [("100 s", "50 nm"), ("300 s", "80 nm")]}, 80.0),
    ],
)
def test_cells_over_time_become_cells_over_depth(ds, scale, deepest):
    times = ds.rename(depth="sputter_time")
    times["sputter_time"].attrs["units"] = "s"
    cells = sims.to_grid(times, step="10 s", conserve="dose")
    batch = sims.stack([cells, cells])
    for data in (cells, sims.quantify(cells), cells["concentration"], batch):
        found = sims.dequantify(sims.calibrate_depth(data, **scale))
        assert float(found["cell_stop"].max()) == pytest.approx(deepest, rel=1e-12)
        one = found.isel(measurement=1) if "measurement" in found.dims else found
        width = one["cell_stop"] - one["cell_start"]
        value = one if isinstance(one, xr.DataArray) else one["concentration"]
        dose = (value * width).sum(value.dims[-1]) * 1e-7
        np.testing.assert_allclose(sims.integrated_dose(one), dose, rtol=1e-12)
        if "depth_bounds" in found.coords:
            edges = np.stack([found["cell_start"], found["cell_stop"]], axis=-1)
            np.testing.assert_array_equal(found["depth_bounds"], edges)
            assert found["depth"].attrs["bounds"] == "depth_bounds"


def test_markers_reach_to_the_edge_of_the_last_cell(ds):
    times = ds.rename(depth="sputter_time")
    times["sputter_time"].attrs["units"] = "s"
    cells = sims.to_grid(times, step="10 s", conserve="dose")
    with raises(ProfileError, argument="markers"):
        sims.calibrate_depth(cells, markers=[("298 s", "150 nm")])


def fine(shape):
    z = np.arange(0, 250.01, 0.05)
    return xr.DataArray(
        [shape(z)],
        dims=("species", "depth"),
        coords={"species": ["B"], "depth": ("depth", z, {"units": "nm"})},
        attrs={"units": "atom/cm^3"},
        name="concentration",
    ).to_dataset()


@pytest.mark.parametrize("width", [2, 4, 8])
def test_cells_do_not_widen_an_implant_or_move_an_exponential_edge(width):
    implant = fine(lambda z: 1e18 * np.exp(-((z - 125) ** 2) / (2 * 25**2)))
    cells = sims.to_grid(implant, step=f"{width} nm", conserve="dose")
    found = sims.moments(cells)
    assert found["straggle"].item() == pytest.approx(25, rel=2e-4)
    assert found["kurtosis"].item() == pytest.approx(3, rel=2e-3)
    exact, found = (sims.moments(one, threshold=0.2)["straggle"].item() for one in (implant, cells))
    assert found == pytest.approx(exact, rel=4e-3)
    edge = sims.to_grid(fine(lambda z: 1e19 * np.exp(-z / 10)), step=f"{width} nm", conserve="dose")
    xj = sims.junction_depth(edge, "1e17 atoms/cm^3")
    assert xj.item() == pytest.approx(10 * np.log(100), abs=1e-6)
    risen = fine(lambda z: 1e19 * np.exp((z - 250) / 10))
    risen = sims.to_grid(risen, step=f"{width} nm", conserve="dose")
    xj = sims.junction_depth(risen, "1e17 atoms/cm^3", edge="leading")
    assert xj.item() == pytest.approx(250 - 10 * np.log(100), abs=1e-6)
