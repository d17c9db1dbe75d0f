"""One profile moved onto another."""

import numpy as np
import pytest
import xarray as xr
from comparison_pairs import DEPTH, EDGE, dataset, gaussian
from error_parts import raises

import sims_analysis as sims
from sims_analysis.errors import ProfileError


def interface(z, at, slope=0.0, decay=3.0):
    """Give a matrix signal: a plateau, which may slope, and the fall at an interface."""
    return 1e5 * (1 - slope * z / 150) / (1 + np.exp((z - at) / decay)) + 1.0


def test_a_step_of_the_matrix_is_a_marker():
    step = 1e5 / (1 + np.exp((DEPTH - 80) / 2.0))
    a = dataset(DEPTH, units="counts/s", Si=step, B=np.ones(DEPTH.size))
    z = np.arange(0.0, 160.0, 0.8)
    b = dataset(z, units="counts/s", Si=1.3e5 / (1 + np.exp((z - 84.44) / 2.0)), B=np.ones(z.size))
    assert float(sims.align(a, b, marker="Si")["depth_shift"]) == pytest.approx(-4.44, abs=0.02)


def test_what_alignment_says():
    a = sims.open_example("boron-implant")
    b = a.assign_coords(depth=("depth", a["depth"].values - 4.0, a["depth"].attrs))
    moved = sims.align(a, b, marker="B")
    assert float(moved["depth_shift"]) == pytest.approx(4.0, abs=1e-3)
    assert moved["depth_shift"].attrs["units"] == "nm"
    assert float(moved["correlation"]) == pytest.approx(1.0, abs=1e-6)
    assert "marker 'B'" in moved.attrs["history"]
    assert moved.attrs["data_id"] == b.attrs["data_id"]
    array = sims.align(a["concentration"], b["concentration"], marker="B")
    assert float(array["depth_shift"]) == float(moved["depth_shift"])
    quantified = sims.align(sims.quantify(a), sims.quantify(b), marker="B")
    assert hasattr(quantified["concentration"].data, "magnitude")
    assert float(quantified["depth_shift"]) == float(moved["depth_shift"])


def test_no_shift_stands_out():
    a = dataset(DEPTH, B=EDGE)
    with raises(ProfileError, "undetermined"):
        sims.align(a, dataset(DEPTH, B=2 * EDGE))
    peak = dataset(DEPTH, B=gaussian(DEPTH))
    far = dataset(DEPTH, B=gaussian(DEPTH, centre=90.0))
    with raises(ProfileError, "undetermined"):
        sims.align(peak, far, max_shift="10 nm")
    assert float(sims.align(peak, far)["depth_shift"]) == pytest.approx(-30, abs=0.01)
    flat = dataset(DEPTH, B=np.ones(DEPTH.size))
    with raises(ProfileError, "undetermined"):
        sims.align(peak, flat)


@pytest.mark.parametrize("slope", [0.0, 0.5])
def test_edges_align_interfaces_where_plateaus_slope(slope):
    a = dataset(DEPTH, units="counts/s", Si=interface(DEPTH, 80.0))
    b = dataset(DEPTH, units="counts/s", Si=interface(DEPTH, 92.0, slope))
    by_level = sims.align(a, b, marker="Si", method="edge", level="1e3 counts/s")
    # The slope takes a third of the plateau there: 3 nm * ln(1.5) of the edge.
    assert float(by_level["depth_shift"]) == pytest.approx(-12.0, abs=0.01 if slope == 0 else 1.5)
    assert by_level["depth_shift"].attrs["method"] == "edge"
    assert "correlation" not in by_level.coords
    by_half = sims.align(a, b, marker="Si", method="edge", fraction=0.5)
    assert float(by_half["depth_shift"]) == pytest.approx(-12.0, abs=0.01 if slope == 0 else 3.0)
    by_logs = sims.align(a, b, marker="Si", method="log-correlation")
    assert float(by_logs["depth_shift"]) == pytest.approx(-12.0, abs=0.05 if slope == 0 else 1.5)
    assert by_logs["depth_shift"].attrs["method"] == "log-correlation"
    assert 0.9 < float(by_logs["correlation"]) <= 1
    by_values = sims.align(a, b, marker="Si")
    if slope:
        assert abs(by_logs["depth_shift"] + 12) < abs(by_values["depth_shift"] + 12)


def test_leading_edges_and_batches():
    def rising(z, at):
        return interface(-z, -at)

    a = dataset(DEPTH, units="counts/s", Si=rising(DEPTH, 80.0))
    parts = [dataset(DEPTH, units="counts/s", Si=rising(DEPTH, 80.0 - s)) for s in (3.0, -7.0)]
    batch = sims.stack(parts)
    found = sims.align(a, batch, marker="Si", method="edge", fraction=0.5, edge="leading")
    np.testing.assert_allclose(found["depth_shift"], [3.0, -7.0], atol=1e-3)
    with raises(ProfileError, "never_reached"):
        sims.align(
            dataset(DEPTH, units="counts/s", Si=interface(DEPTH, 80.0)),
            batch,
            marker="Si",
            method="edge",
            level="2 counts/s",
        )


@pytest.mark.parametrize("method", ["cross-correlation", "edge"])
def test_times_are_shifted_by_times(method):
    def over_time(ds):
        ds = ds.rename(depth="sputter_time")
        return ds.assign_coords(
            sputter_time=("sputter_time", ds["sputter_time"].values / 60, {"units": "min"})
        )

    a, b = (
        over_time(dataset(DEPTH, units="counts/s", Si=interface(DEPTH, at))) for at in (80.0, 92.0)
    )
    options = {"edge": {"fraction": 0.5}, "peak": {}}.get(method, {"max_shift": "0.5 min"})
    found = sims.align(a, b, marker="Si", method=method, **options)
    assert float(found["time_shift"]) == pytest.approx(-12.0, abs=0.01)
    assert found["time_shift"].attrs["units"] == "s"
    assert found["sputter_time"].attrs["units"] == "min"
    np.testing.assert_allclose(found["sputter_time"], b["sputter_time"] - 0.2, atol=1e-3)


# --- markers: depths are stretched ---------------------------------------------------------------


def two_layers(stretch=1.0, offset=0.0, unit="nm"):
    """Deltas of B at 50 nm and of As at 150 nm, as another raster measures them."""
    z = np.arange(0.0, 200.0, 1.0)
    rows = [np.exp(-(((z - at) / 4) ** 2) / 2) * 1e19 + 1e15 for at in (50.0, 150.0)]
    scale = {"nm": 1.0, "um": 1e-3}[unit]
    return xr.Dataset(
        {"concentration": (("species", "depth"), np.array(rows), {"units": "atom/cm^3"})},
        {
            "species": ["B", "As"],
            "depth": ("depth", (z * stretch + offset) * scale, {"units": unit}),
        },
    )


@pytest.mark.parametrize("unit", ["nm", "um"])
def test_markers_stretch_the_depths(unit):
    found = sims.align(
        two_layers(), two_layers(1.07, 3.0, unit), method="markers", markers=["B", "As"]
    )
    depth = found["depth"] * (1.0 if unit == "nm" else 1e3)
    np.testing.assert_allclose(depth, np.arange(0.0, 200.0), atol=1e-6)
    assert found["depth"].attrs["units"] == unit
    np.testing.assert_allclose(
        found["depth_shift"], np.arange(200.0) - (np.arange(200.0) * 1.07 + 3.0), atol=1e-6
    )
    stated = sims.align(
        two_layers(),
        two_layers(1.07, 3.0),
        method="markers",
        markers=[("150 nm", "163.5 nm"), ("50 nm", "56.5 nm")],
    )
    np.testing.assert_allclose(stated["depth"], np.arange(0.0, 200.0), atol=1e-9)


def test_markers_of_a_batch_stretch_each_measurement():
    batch = sims.stack([two_layers(1.07), two_layers(0.9)], names=["W1", "W2"])
    found = sims.align(two_layers(), batch, method="markers", markers=["B", "As"])
    for name in ("W1", "W2"):
        one = found.sel(measurement=name)
        depth = one["depth"].values.reshape(-1, one.sizes["point"])[0]
        np.testing.assert_allclose(depth, np.arange(0.0, 200.0), atol=1e-6)
    dose = sims.integrated_dose(found)
    np.testing.assert_allclose(dose, np.stack([sims.integrated_dose(two_layers())] * 2), rtol=1e-6)


@pytest.mark.parametrize("unit", ["nm", "um"])
@pytest.mark.parametrize("batch", [False, True])
def test_markers_move_the_edges_of_cells(unit, batch):
    def cells(*shape):
        ds = two_layers(*shape)
        half = 0.5 * np.diff(ds["depth"][:2]).item()
        bounds = np.stack([ds["depth"] - half, ds["depth"] + half], axis=-1)
        ds["depth"].attrs["bounds"] = "depth_bounds"
        return ds.assign_coords(depth_bounds=(("depth", "bounds"), bounds))

    b = cells(1.07, 3.0, unit)
    given = sims.stack([b, cells(0.9, 0.0, unit)], names=["W1", "W2"]) if batch else b
    found = sims.align(cells(), given, method="markers", markers=["B", "As"])
    start = found["cell_start"] if batch else found["depth_bounds"].isel(bounds=0)
    wanted = np.broadcast_to(np.arange(200.0) - 0.5, start.shape)
    start = start * (1e3 if start.max() < 1.0 else 1.0)
    np.testing.assert_allclose(start, wanted, atol=1e-6)
    dose = np.broadcast_to(sims.integrated_dose(found), (1 + batch, 2))
    np.testing.assert_allclose(dose, [sims.integrated_dose(cells())] * (1 + batch), rtol=1e-6)


def cells_of(ds):
    depth = ds["depth"].values
    half = 0.5 * np.diff(depth[:2]).item()
    edges = {"cell_start": depth - half, "cell_stop": depth + half}
    unit = {"units": ds["depth"].attrs["units"]}
    return ds.assign_coords({name: ("depth", edge, unit) for name, edge in edges.items()})


@pytest.mark.parametrize("unit", ["nm", "um"])
@pytest.mark.parametrize("method", ["peak", "markers", "cross-correlation"])
def test_measurements_on_one_axis_get_axes_of_their_own(unit, method):
    by = 1.0 if unit == "nm" else 1e-3
    two = [cells_of(two_layers(1.0, 3.0, unit)) for _ in range(2)]
    batch = xr.concat(two, "measurement").assign_coords(measurement=["x", "y"])
    batch["concentration"] = batch["concentration"].copy()
    options = {"markers": ["B", "As"]} if method == "markers" else {"marker": "B"}
    moved = sims.align(two_layers(), batch, method=method, **options)
    assert moved["concentration"].dims == ("measurement", "species", "point")
    for name, at in (("depth", 0.0), ("cell_start", -0.5), ("cell_stop", 0.5)):
        assert moved[name].attrs["units"] == unit
        wanted = np.broadcast_to(by * (np.arange(200.0) + at), moved[name].shape)
        np.testing.assert_allclose(moved[name], wanted, atol=by * 1e-2)
    shift = moved["depth_shift"]
    assert shift.attrs["units"] == "nm"
    assert shift.attrs["method"] == method
    np.testing.assert_allclose(shift, np.full(shift.shape, -3.0), atol=1e-2)
    assert ("correlation" in moved.coords) == (method == "cross-correlation")


def test_a_correlation_is_that_of_the_profiles_as_moved():
    a = dataset(DEPTH, B=gaussian(DEPTH))
    moved = sims.align(a, dataset(DEPTH, B=gaussian(DEPTH + 4.0)))
    assert moved["correlation"].item() == pytest.approx(1.0, abs=1e-9)
    assert moved["correlation"].attrs["long_name"] == "Correlation"
    assert moved["depth_shift"].attrs["description"] == (
        "depths shifted (cross-correlation, all species)"
    )
    named = sims.align(a, a, marker="B", method="peak")
    assert named["depth_shift"].attrs["description"] == "depths shifted (peak, marker 'B')"


def test_quantified_axes_of_each_measurement_are_moved_in_their_units():
    batch = sims.stack(
        [two_layers(1.0, 3.0, "um"), two_layers(1.0, -2.0, "um").isel(depth=slice(9, None))]
    )
    moved = sims.align(two_layers(), sims.quantify(batch), marker="B")
    plain = sims.align(two_layers(), batch, marker="B")
    assert moved["depth"].attrs["units"] == plain["depth"].attrs["units"]
    np.testing.assert_allclose(moved["depth"].values, plain["depth"].values, rtol=1e-12)


@pytest.mark.parametrize("method", ["cross-correlation", "peak"])
def test_samples_without_a_value_are_left_out(method):
    hole = np.where(DEPTH % 7 == 3, np.nan, gaussian(DEPTH, floor=1e16))
    a = dataset(DEPTH, B=hole)
    b = dataset(DEPTH, B=np.where(DEPTH % 11 == 5, np.nan, gaussian(DEPTH + 4.0, floor=1e16)))
    moved = sims.align(a, b, marker="B", method=method)
    assert moved["depth_shift"].item() == pytest.approx(4.0, abs=0.05)


def test_a_surface_transient_is_no_part_of_the_profile_that_is_moved():
    z, rng = np.arange(0.5, 150.0), np.random.default_rng(1)
    implant = 4e4 * np.exp(-(((z - 50) / 12) ** 2) / 2) + 2
    counts = rng.poisson([implant, implant + 3e5 * np.exp(-z / 3)])
    a, b = (dataset(z, B=one * 1e14) for one in counts)
    assert sims.align(a, b, marker="B")["depth_shift"].item() == pytest.approx(0.0, abs=0.1)


ONE = dataset(DEPTH, B=gaussian(DEPTH))


def test_five_samples_are_enough_and_species_with_fewer_are_left_out():
    five = ONE.isel(depth=slice(50, 71, 5))
    moved = five.assign_coords(depth=five["depth"] + 2.0)
    moved["depth"].attrs["units"] = "nm"
    shift = sims.align(five, moved, method="peak", marker="B")["depth_shift"].item()
    assert shift == pytest.approx(-2.0)
    few = np.where(DEPTH < 4, 1e18, np.nan)
    pair = (dataset(DEPTH, B=gaussian(DEPTH, at), P=few) for at in (60.0, 63.0))
    assert sims.align(*pair)["depth_shift"].item() == pytest.approx(-3.0, abs=0.01)


@pytest.mark.parametrize(("limit", "found"), [("29.9 nm", False), ("31 nm", True)])
def test_a_shift_is_looked_for_within_a_limit(limit, found):
    far = dataset(DEPTH, B=gaussian(DEPTH, centre=90.0))
    if found:
        shift = sims.align(ONE, far, max_shift=limit)["depth_shift"].item()
        assert shift == pytest.approx(-30.0, abs=0.01)
    else:
        with raises(ProfileError, "undetermined"):
            sims.align(ONE, far, max_shift=limit)


@pytest.mark.parametrize(
    "options",
    [{}, {"method": "peak", "marker": "B"}, {"method": "markers", "markers": ["B", "As"]}],
)
def test_a_single_measurement_keeps_its_axis(options):
    moved = sims.align(two_layers(), two_layers(1.0, 3.0), **options)
    assert moved["concentration"].dims == ("species", "depth")
    assert moved["depth"].dims == ("depth",)
    np.testing.assert_allclose(moved["depth"], np.arange(200.0), atol=1e-2)
    dims = {"markers": ("depth",)}.get(options.get("method"), ())
    assert moved["depth_shift"].dims == dims


def test_markers_may_be_close_but_not_the_same():
    options = {"method": "markers"}
    close = [("10 nm", "20 nm"), ("10.2 nm", "20.1 nm")]
    moved = sims.align(two_layers(), two_layers(), markers=close, **options)["depth"].values
    assert moved[20:22] == pytest.approx([10.0, 12.0])  # 0.2 nm for 0.1
    for same in (
        [("10 nm", "20 nm"), ("10 nm", "21 nm")],
        [("10 nm", "20 nm"), ("11 nm", "20 nm")],
    ):
        with raises(ProfileError, argument="markers"):
            sims.align(two_layers(), two_layers(), markers=same, **options)
