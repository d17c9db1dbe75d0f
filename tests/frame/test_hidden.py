"""Samples that a file gives as ``<5E15``: what is said of answers across them."""

import math
import warnings
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

import sims_analysis as sims
from sims_analysis.errors import SimsWarning
from sims_analysis.frame.hidden import (
    among_hidden,
    filled,
    hidden_matter,
    hidden_within,
    run_of_hidden,
    unfilled,
    warn_of_hidden,
)
from sims_analysis.frame.messages import first_flagged
from sims_analysis.frame.opening import open_frame

#: Depths and values of an edge that ends in a floor about the limit; None below it.
DEPTH = np.arange(0.0, 60.0, 2.0)
VALUES = [1e16, 1e18, 1e19, 1e19, 1e18, 1e17, *[None] * 3, 6e15, None, 7e15, *[None] * 2, 6e15]
FLOOR = [*VALUES, None, 6e15, None, None, 8e15, 6e15, *[None] * 3, 9e15, *[None] * 5]


@pytest.fixture
def ds():
    text = "Depth (nm)\tB (atoms/cm3)\n" + "\n".join(
        f"{z:g}\t{'<5E15' if c is None else c}" for z, c in zip(DEPTH, FLOOR, strict=True)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SimsWarning)
        return sims.read(text.encode()).to_dataset()


def quietly(function, *args, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SimsWarning)
        return function(*args, **options)


def test_limits_stand_beside_the_values(ds):
    limit = ds["concentration_detection_limit"].values[0]
    np.testing.assert_array_equal(np.isfinite(limit), [c is None for c in FLOOR])
    assert set(limit[np.isfinite(limit)]) == {5e15}
    scaled = sims.scale_to_dose(ds, dose="1e14 atoms/cm^2", stop="10 nm")
    factor = scaled["dose_scale"].item()
    np.testing.assert_allclose(
        scaled["concentration_detection_limit"], ds["concentration_detection_limit"] * factor
    )


def test_a_crossing_among_them_has_no_depth(ds):
    with pytest.warns(SimsWarning, match="samples between 10 and 18 nm are below their limit"):
        xj = sims.junction_depth(ds, level="2e16 atoms/cm^3", after="peak", which="first")
    assert xj["status"].item() == "gap"
    assert np.isnan(xj.item())
    found = quietly(sims.crossings, ds, level="2e16 atoms/cm^3")
    assert found["status"].values.ravel().tolist() == ["ok", "gap"]
    assert found["depth_before"].values.ravel().tolist() == [0, 10]
    layer = quietly(sims.layers, ds, level="2e16 atoms/cm^3")
    assert layer["status"].values.ravel().tolist() == ["gap"]
    # Between two values there is none of them.
    assert sims.junction_depth(ds, level="5e17 atoms/cm^3")["status"].item() == "ok"
    bridged = sims.junction_depth(
        ds, level="2e16 atoms/cm^3", after="peak", which="first", gaps="bridge"
    )
    assert (bridged["status"].item(), 10 < bridged.item() < 18) == ("ok", True)


@pytest.mark.parametrize(
    "way", ["plain", "dask", "quantified", "units", "moved", "stacked", "csv", "excel", "netcdf"]
)
def test_a_mean_without_them_is_too_high(ds, way, tmp_path):
    window = {"start": "18 nm", "stop": "50 nm"}
    if way == "csv":
        ds = quietly(lambda: sims.read(sims.to_csv(ds, tmp_path / "x.csv")).to_dataset())
    if way == "excel":
        ds = quietly(lambda: sims.read(sims.to_excel(ds, tmp_path / "x.xlsx")).to_dataset())
    if way == "netcdf":
        sims.save(ds, tmp_path / "x.nc")
        ds = sims.load(tmp_path / "x.nc")
    ds = {
        "dask": ds.chunk,
        "quantified": lambda: sims.quantify(ds),
        "units": lambda: sims.with_units(ds, depth="um", concentration="1/m^3"),
        "moved": lambda: sims.rescale_depth(ds, offset="1 nm"),
        "stacked": lambda: sims.stack([ds, sims.rescale_depth(ds, offset="1 nm")]),
    }.get(way, lambda: ds)()
    mean = quietly(sims.mean_value, ds, **window)
    assert set(mean["status"].values.ravel().tolist()) == {"below_detection"}
    assert sims.dequantify(mean).values.ravel()[0] == pytest.approx(48e15 / 7)


def test_a_background_from_them_is_told(ds):
    for ask in (
        lambda: sims.integrated_dose(ds, stop="10 nm", background=("18 nm", "50 nm")),
        lambda: sims.subtract_background(ds, window=("18 nm", "50 nm")),
        lambda: sims.detection_limit(ds, window=("18 nm", "50 nm")),
        lambda: sims.mean_value(ds, start="18 nm", stop="50 nm"),
    ):
        with pytest.warns(SimsWarning, match="'B': 10 samples in the window are below their limit"):
            ask()


@pytest.mark.parametrize(
    ("limits", "status"),
    [
        ({}, "ok"),
        ({"stop": "10 nm"}, "ok"),
        ({"start": "10 nm"}, "gap"),
        ({"start": "10 nm", "gaps": "bridge"}, "ok"),
    ],
)
def test_a_dose_that_they_may_change_says_so(ds, limits, status):
    # In all they are 0.2 % of the dose.
    assert quietly(sims.integrated_dose, ds, **limits)["status"].item() == status


def test_data_without_them_have_no_limits():
    ds = sims.open_example("boron-implant")
    assert isinstance(ds, xr.Dataset)
    assert "concentration_detection_limit" not in ds


def test_between_them_nothing_is_interpolated(ds):
    with pytest.warns(SimsWarning, match="samples between 10 and 18 nm are below their limit"):
        values = sims.interpolate(ds, depth=["9 nm", "10 nm", "14 nm", "45 nm"])
    np.testing.assert_array_equal(
        np.isnan(values["concentration"].values[0]), [False, False, True, True]
    )
    grid = quietly(sims.to_grid, ds, step="1 nm")
    assert np.isnan(grid["concentration"].sel(species="B", depth=[11, 12, 17])).all()
    bridged = quietly(sims.interpolate, ds, depth="14 nm", gaps="bridge")
    assert bridged["concentration"].item() > 0


@pytest.mark.parametrize(
    "part",
    [
        lambda ds: ds["concentration"],
        lambda ds: ds["concentration"].sel(species="B"),
        lambda ds: sims.quantify(ds)["concentration"],
        lambda ds: sims.samples(ds, "B"),
        lambda ds: sims.samples(ds["concentration"], "B"),
        lambda ds: sims.stack([ds, ds.isel(depth=slice(0, -1))])["concentration"],
    ],
)
def test_a_part_of_the_data_remembers_them(ds, part):
    options = {"level": "2e16 atoms/cm^3", "after": "peak", "which": "first"}
    found = quietly(sims.junction_depth, part(ds), **options)
    assert set(np.ravel(found["status"].values)) == {"gap"}
    assert "concentration_detection_limit" not in quietly(sims.cumulative_dose, part(ds)).coords


def edge_with_limit(seed, n=1, limit=1e18, scatter=0.5):
    """Give counts of a diffused profile, 50 nm deep, of which those below a limit are unknown."""
    z = np.arange(0.0, 300.0, 1.0)
    shape = np.array([math.erfc(x / 100) for x in z])
    c = 1e19 * shape * np.exp(scatter * np.random.default_rng(seed).normal(size=(n, z.size)))
    low = c < limit
    units = {"units": "atom/cm^3"}
    return xr.Dataset(
        {"concentration": (("measurement", "depth"), np.where(low, np.nan, c), units)},
        {
            "depth": ("depth", z, {"units": "nm"}),
            "concentration_detection_limit": (
                ("measurement", "depth"), np.where(low, limit, np.nan), units
            ),
        },
    )  # fmt: skip


def test_a_fit_of_logarithms_knows_that_they_are_below():
    ds = edge_with_limit(1, 40)
    fit = quietly(sims.fit, ds, model="erfc")
    assert (fit["status"] == "ok").all()
    off = (fit["diffusion_length"] - 100) / fit["diffusion_length_stderr"]
    # Of those above their limit alone, the lowest are those that noise has raised.
    others = quietly(sims.fit, ds.drop_vars("concentration_detection_limit"), model="erfc")
    above = (others["diffusion_length"] - 100) / others["diffusion_length_stderr"]
    assert abs(float(off.mean())) < 0.5 < float(above.mean())
    stated = ds.drop_vars("concentration_detection_limit").fillna(0)
    stated["depth"] = ds["depth"]
    stated["concentration"].attrs = ds["concentration"].attrs
    same = quietly(sims.fit, stated, model="erfc", detection_limit="1e18 atoms/cm^3")
    np.testing.assert_allclose(same["diffusion_length"], fit["diffusion_length"], rtol=1e-9)


def test_a_fit_by_errors_says_that_they_are_left_out():
    ds = edge_with_limit(2, scatter=0.1)
    ds["concentration_stderr"] = (0.1 * ds["concentration"]).assign_attrs(units="atom/cm^3")
    with pytest.warns(SimsWarning, match="the fit is not ok: gap .* below their limit"):
        assert sims.fit(ds, model="erfc")["status"].item() == "gap"
    assert sims.fit(ds, model="erfc", gaps="bridge")["status"].item() == "ok"


def test_cells_that_depend_on_them_have_no_value(ds):
    cells = quietly(sims.to_grid, ds, step="2 nm", conserve="dose")["concentration"]
    assert np.isnan(cells.sel(species="B", depth=13, method="nearest"))
    assert cells.sel(species="B", depth=[1, 5, 9], method="nearest").notnull().all()
    bridged = quietly(sims.to_grid, ds, step="2 nm", conserve="dose", gaps="bridge")
    assert bridged["concentration"].sel(depth=13, method="nearest").notnull().all()


def test_below_a_limit_are_those_whose_limit_is_not_above_it(ds):
    for limit, flagged in (("5e15", True), ("4e15", False)):
        below = sims.below_detection(ds, limit=f"{limit} atoms/cm^3").sel(species="B")
        assert bool(below.sel(depth=12)) == flagged


#: B is hidden at 4 and 6 nm and beyond its last value, P is not measured at 4 nm, As is whole.
HIDDEN = np.array(
    [[9.0, 8, np.nan, np.nan, 2, np.nan], [9.0, 8, np.nan, 4, 2, 1], [9.0, 8, 6, 4, 2, 1]]
)
LIMITS = np.array(
    [[np.nan, np.nan, 5, 4, np.nan, 3], [np.nan] * 6, [np.nan, np.nan, 7, np.nan, np.nan, np.nan]]
)


@pytest.fixture
def frame():
    ds = xr.Dataset(
        {"concentration": (("species", "depth"), HIDDEN, {"units": "cm^-3"}),
         "concentration_detection_limit": (("species", "depth"), LIMITS, {"units": "cm^-3"})},
        {"species": ["B", "P", "As"], "depth": ("depth", 2.0 * np.arange(6), {"units": "nm"})},
    )  # fmt: skip
    return open_frame(ds, ("concentration",), question="a test")


def limits(start, stop):
    return xr.Variable((), start), xr.Variable((), stop)


def test_depths_among_hidden_samples_lie_between_two_values(frame):
    depths = [1.0, 2.0, 3.0, 5.0, 8.0, 9.0, 99.0, np.nan]
    found = among_hidden(frame, xr.Variable("asked", depths)).transpose("species", "asked")
    np.testing.assert_array_equal(found[0], [False, False, True, True, False, False, False, False])
    assert not found[1:].any()  # what was not measured is not hidden, nor what has a value
    assert among_hidden(replace(frame, censored=None), xr.Variable((), 3.0)) is False


def test_hidden_samples_are_filled_with_nothing_and_emptied_again(frame):
    full = filled(frame)
    np.testing.assert_array_equal(full.value[0], [9, 8, 0, 0, 2, 0])
    np.testing.assert_array_equal(full.value[1:], HIDDEN[1:])
    np.testing.assert_array_equal(unfilled(full).value, HIDDEN)


@pytest.mark.parametrize(
    ("start", "stop", "expected"),
    [
        (np.nan, np.nan, True),
        (2.0, 8.0, True),  # the values at the limits are in the window
        (2.1, 8.0, False),
        (2.0, 7.9, False),
        (8.0, np.nan, False),
        (np.nan, 2.0, False),
    ],
)
def test_hidden_samples_within_a_window_lie_between_two_of_its_values(frame, start, stop, expected):
    np.testing.assert_array_equal(hidden_within(frame, limits(start, stop)), [expected, 0, 0])
    assert hidden_within(replace(frame, censored=None), limits(start, stop)) is False


def total(frame):
    return frame.value.sum(frame.dim)


@pytest.mark.parametrize(
    ("stderr", "least", "expected"),
    [(None, 0.0, True), (11.9, 0.0, True), (12.1, 0.0, False), (np.nan, 0.0, True),
     (None, 1190.0, True), (None, 1210.0, False)],
)  # fmt: skip
def test_an_answer_matters_by_more_than_its_error_and_a_hundredth(frame, stderr, least, expected):
    # With the three at their limits the sum is 12 more.
    error = None if stderr is None else xr.Variable("species", [stderr] * 3)
    found = hidden_matter(frame, total(frame), error, total, least=least)
    np.testing.assert_array_equal(found, [expected, False, False])
    assert hidden_matter(replace(frame, censored=None), total(frame), error, total) is False


def test_an_answer_matters_by_either_end_of_what_is_hidden(frame):
    seen = []

    def mean(of):
        seen.append(of)
        return of.value.mean(of.dim)

    found = hidden_matter(frame, xr.Variable("species", [5.0, 5.0, 5.0]), None, mean)
    np.testing.assert_array_equal(seen[0].value[0], [9, 8, 0, 0, 2, 0])
    np.testing.assert_array_equal(seen[1].value[0], [9, 8, 5, 4, 2, 3])
    assert found.values[0]  # 19 / 6 with nothing; 31 / 6 at the limits
    assert all(one.censored is None and one.stderr is None for one in seen)


def test_hidden_samples_in_a_window_are_counted_and_told(frame):
    with pytest.warns(SimsWarning) as told:
        number = warn_of_hidden(frame, limits(4.0, 10.0), "the rest is high", SimsWarning)
    np.testing.assert_array_equal(number, [3, 0, 0])
    (text,) = (str(one.message) for one in told)
    assert text.startswith("species 'B': 3 samples in the window are below their limit of ")
    assert text.endswith("detection, 5 atom/cm^3, and have no value: the rest is high")
    with pytest.warns(SimsWarning, match="1 samples in the window are below .*, 4 atom"):
        warn_of_hidden(frame, limits(6.0, 6.0), "", SimsWarning)
    with pytest.warns(SimsWarning, match="3 samples in the window"):
        warn_of_hidden(frame, limits(np.nan, np.nan), "", SimsWarning)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not warn_of_hidden(frame, limits(0.0, 3.9), "", SimsWarning).any()
        assert warn_of_hidden(replace(frame, censored=None), limits(0, 9), "", SimsWarning) == 0


@pytest.mark.parametrize(
    ("start", "stop", "expected"),
    [
        (-np.inf, np.inf, (2.0, 8.0)),
        (0.0, 10.0, (2.0, 8.0)),
        (2.0, 8.0, (2.0, 8.0)),
        (3.0, 5.0, (2.0, 8.0)),
        (8.0, 12.0, None),
        (0.0, 2.0, None),
    ],
)
def test_the_values_around_the_first_hidden_samples(frame, start, stop, expected):
    first = first_flagged(frame, xr.Variable("species", [True, True, True]))
    assert run_of_hidden(first, start, stop) == expected
    for i in (1, 2):
        other = first_flagged(frame, xr.Variable("species", np.arange(3) == i))
        assert run_of_hidden(other, -np.inf, np.inf) is None
    plain = first_flagged(replace(frame, censored=None), xr.Variable("species", [True] * 3))
    assert run_of_hidden(plain, -np.inf, np.inf) is None
