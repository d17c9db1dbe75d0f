"""What a background does to a frame, against plain numpy."""

import re
import warnings
from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from error_parts import raises, warns

import sims_analysis as sims
from sims_analysis.errors import ProfileError, warnings_as_errors
from sims_analysis.frame.background import (
    add_background_error,
    common_error,
    read_background,
    subtracted_level,
)
from sims_analysis.frame.opening import open_frame

Z = np.arange(0.0, 40.0, 2.0)
COUNT = 1e15
#: Counts of B end at 26 nm, P was measured down to 18 nm.
B = np.array([400, 380, 350, 300, 250, 180, 120, 70, 40, 20, 10, 6, 3, 1, 0, 0, 0, 0, 0, 0.0])
P = np.where(Z <= 18, 9.0, np.nan)


@pytest.fixture
def ds():
    data = xr.Dataset(
        {"concentration": (("species", "depth"), np.stack([B, P]) * COUNT, {"units": "cm^-3"})},
        coords={"species": ["B", "P"], "depth": ("depth", Z, {"units": "nm"})},
    )
    return sims.with_counting_statistics(data, value_per_count=f"{COUNT} atoms/cm^3")


def opened(data):
    return open_frame(data, ("concentration",), question="a test")


def test_the_level_that_was_subtracted_is_read_from_the_counts(ds):
    less = sims.subtract_background(ds, value="3e15 atoms/cm^3")
    np.testing.assert_allclose(subtracted_level(opened(less.sel(species=["P"]))), 3e15, rtol=1e-12)
    assert float(subtracted_level(opened(ds)).max()) == 0.0
    few = xr.Dataset(
        {"intensity": ("depth", np.full(20, 3.0), {"units": "count"})},
        {"depth": ("depth", Z, {"units": "nm"})},
    )
    few = sims.subtract_background(sims.with_counting_statistics(few), value="0.5 counts")
    counted = open_frame(few, ("count",), question="a test")
    np.testing.assert_allclose(subtracted_level(counted), 0.5, rtol=1e-12)
    for gone in ("stderr", "counts"):
        assert float(subtracted_level(replace(opened(less), **{gone: None})).max()) == 0.0
    # Values between samples have less noise than these; in the mean it is known by how much.
    fine = sims.to_grid(less, step="0.5 nm").sel(species=["P"])
    np.testing.assert_allclose(subtracted_level(opened(fine)), 3e15, rtol=0.03)


@pytest.mark.filterwarnings("ignore:.*in the background window")
def test_the_error_of_a_background_goes_through_an_answer_by_its_overlap(ds):
    less = sims.subtract_background(ds.sel(species="B"), window=("20 nm", "30 nm"))
    frame = opened(less)
    weights = xr.Variable(frame.dim, np.linspace(1.0, 2.0, Z.size))
    seen = []

    def answer(of):
        seen.append(of.stderr is not None)
        return (weights * of.value).sum(frame.dim)

    found = common_error(frame, answer)
    assert not any(seen), "a sum needs no errors"
    s, q = frame.common.values, frame.overlap.values
    assert (q > 0).any()
    whole, own = (weights.values * s).sum(), (weights.values * s * q).sum()
    np.testing.assert_allclose(found.stderr, abs(whole), rtol=1e-9)
    np.testing.assert_allclose(found.variance, whole**2 - 2 * whole * own, rtol=1e-9)
    stderr = xr.Variable((), 3.0 * abs(whole))
    np.testing.assert_allclose(
        add_background_error(frame, stderr, answer),
        np.sqrt(9.0 * whole**2 + whole**2 - 2 * whole * own),
        rtol=1e-9,
    )
    seen.clear()
    common_error(frame, answer, errors=True)
    assert all(seen), "a weighted fit does"
    # Samples of the window alone: what they add cancels, and never below zero.
    inside = xr.Variable(frame.dim, (Z >= 20) & (Z <= 30)).astype(float)
    none = add_background_error(
        frame, xr.Variable((), 0.0), lambda of: (inside * of.value).sum(frame.dim)
    )
    assert float(none) == 0.0
    free = replace(frame, common=None)
    assert common_error(free, answer) is None
    assert add_background_error(free, stderr, answer) is stderr


@pytest.mark.filterwarnings("ignore:.*in the background window")
def test_the_error_of_a_nonlinear_answer_is_a_finite_difference(ds):
    frame = opened(sims.subtract_background(ds.sel(species="B"), window=("20 nm", "30 nm")))

    def cube(of):
        return ((of.value / COUNT) ** 3).isel({of.dim: 5})

    c, s = (float(one[5]) / COUNT for one in (frame.value, frame.common))
    for by, options in ((1.0, {}), (0.25, {"by": 0.25})):
        slope = ((c + by * s) ** 3 - (c - by * s) ** 3) / (2 * by)
        found = common_error(frame, cube, **options)
        np.testing.assert_allclose(found.stderr, slope, rtol=1e-9)
        np.testing.assert_allclose(found.variance, slope**2, rtol=1e-9)  # outside of the window
        of_all = add_background_error(frame, xr.Variable((), 2 * slope), cube, **options)
        np.testing.assert_allclose(of_all, np.sqrt(5) * slope, rtol=1e-9)


def test_backgrounds_of_profiles_that_answer_together_are_independent(ds):
    flat = ds.isel(species=[1, 1]).assign_coords(species=["P", "Q"])
    frame = opened(sims.subtract_background(flat, window=("10 nm", "18 nm")))

    def together(of):
        return of.value.isel({of.dim: 0}).sum("species")

    found = add_background_error(frame, xr.Variable((), 0.0), together, group="species")
    np.testing.assert_allclose(found, np.hypot(*frame.common.values[:, 0]), rtol=1e-9)
    at_once = add_background_error(frame, xr.Variable((), 0.0), together)
    np.testing.assert_allclose(at_once, frame.common.values[:, 0].sum(), rtol=1e-9)


def test_a_window_without_a_sample_is_refused_where_each_profile_needs_it(ds):
    for data in (ds, ds.sel(species=["P"])):
        with (
            raises(ProfileError, "no_sample_in_window", argument="background", species="P"),
            warnings_as_errors(ProfileError, ["no_sample_in_window"]),
        ):
            read_background(opened(data), ("20 nm", "30 nm"))
    read_background(opened(ds.chunk()), ("20 nm", "30 nm"))  # of lazy data nothing is computed


def counted_tail(decay, counts, deeper=(0, 0), times=1):
    z = np.arange(0.0, 300.0)
    mu = 1000 * np.exp(-z / decay) + 1 + deeper[0] * np.exp(-(((z - deeper[1]) / 12) ** 2) / 2)
    k = np.random.default_rng(0).poisson(times * mu)
    data = xr.DataArray(
        [k * 1e15],
        dims=("species", "depth"),
        coords={"species": ["B"], "depth": ("depth", z, {"units": "nm"})},
        attrs={"units": "atom/cm^3"},
        name="concentration",
    ).to_dataset()
    known = sims.with_counting_statistics(data, value_per_count="1e15 atoms/cm^3")
    return known if counts else data


@pytest.mark.few(9)
@pytest.mark.filterwarnings("ignore:.*the straggle is known to")
@pytest.mark.parametrize("counts", [True, False])
@pytest.mark.parametrize(
    "ask",
    [
        lambda ds, w: sims.integrated_dose(ds, stop="140 nm", background=w),
        lambda ds, w: sims.cumulative_dose(ds, background=w),
        lambda ds, w: sims.dose_budget(ds, stop="140 nm", background=w),
        lambda ds, w: sims.moments(ds, stop="140 nm", background=w),
        lambda ds, w: sims.detection_limit(ds, window=w),
        lambda ds, w: sims.subtract_background(ds, window=w),
    ],
)
@pytest.mark.parametrize(
    ("window", "what"), [((100, 150), "falls"), ((230, 280), "rises"), ((200, 250), "bends")]
)
def test_a_window_in_which_the_profile_is_not_level_is_no_background(ask, counts, window, what):
    ds = counted_tail(40, counts, deeper=(100, 285) if what == "rises" else (100, 225))
    with warns(sims.errors.SimsWarning, "wrong_shape", species="B"):
        found = ask(ds, tuple(f"{x} nm" for x in window))
    if "status" in found.coords or "status" in found:
        assert found["status"].item() == "wrong_shape"
    ask(counted_tail(20, counts, times=100), ("220 nm", "299 nm"))  # level within its noise


def sloping(background, counts, profiles=30):
    """A Gaussian of 15 nm at 60 nm on a background, both in units of its maximum."""
    z = np.arange(0.0, 200.0)
    mu = counts * (np.exp(-(((z - 60) / 15) ** 2) / 2) + background(z))
    k = np.random.default_rng(3).poisson(mu, (profiles, 1, z.size))
    data = xr.Dataset(
        {"concentration": (("measurement", "species", "depth"), k * 1e15, {"units": "cm^-3"})},
        {"species": ["B"], "depth": ("depth", z, {"units": "nm"})},
    )
    return sims.with_counting_statistics(data, value_per_count="1e15 atoms/cm^3")


@pytest.mark.parametrize(
    ("background", "off"),
    [
        (lambda z: 0.05 * np.exp((60 - z) / 100), +0.115),
        (lambda z: 0.1 * (1 + 0.4 * (170 - z) / 110), +0.127),
        (lambda z: 0.2 * np.exp((z - 170) / 100), -0.417),
    ],
)
def test_a_dose_above_a_background_that_slopes_is_not_ok(background, off, approved):
    ds = sloping(background, 1000)
    with warns(sims.errors.DoseWarning, "wrong_shape", species="B", text=approved):
        found = sims.integrated_dose(ds, stop="120 nm", background=("140 nm", "199 nm"))
    dose = 1000 * 15 * np.sqrt(2 * np.pi) * 1e8
    assert float(found.mean()) == pytest.approx(dose * (1 + off), rel=0.02)
    assert (found["status"] == "wrong_shape").mean() > 0.8


@pytest.mark.parametrize(
    "background",
    [
        lambda z: 0.3 * np.exp((55 - z) / 25) * (z > 55) + 0.005,
        lambda z: 0.03 * (1 + 0.8 * (170 - z) / 110),
        lambda z: 4.0 / (z + 50),
    ],
)
@pytest.mark.parametrize("window", [(118, 135), (140, 199)])
@pytest.mark.parametrize("counts", [100, 1000])
def test_a_dose_is_not_ok_above_a_slope_that_noise_hides(background, window, counts):
    ds, z = sloping(background, counts, profiles=100), np.arange(111.0)
    dose = counts * np.exp(-(((z - 60) / 15) ** 2) / 2).sum() * 1e8
    options = {"stop": "110 nm", "background": tuple(f"{x} nm" for x in window)}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found, without = (sims.integrated_dose(one, **options) for one in (ds, ds.concentration))
    for one, error, most in ((found, 3 * found["stderr"], 0.04), (without, 0.0, 0.06)):
        off = abs(one - dose) > np.maximum(error, 0.05 * dose)
        assert ((one["status"] == "ok") & off).mean() <= most
    assert not (found["status"] == "undetermined").any()
    if (without["status"] == "undetermined").any():
        said = "to show that the background is level: a slope within its noise changes the dose"
        assert any(re.search(said, str(one.message)) for one in caught)


@pytest.mark.filterwarnings("ignore:.*in the background window, more than its noise")
@pytest.mark.parametrize(
    ("counts", "level", "widens"),
    [(30, 0.3, 2.0), (30, 1, 2.0), (100, 3, 2.0), (100, 10, 3.0), (1000, 1, 1.0), (10000, 10, 1.0)],
)
def test_above_a_level_window_what_a_slope_may_change_is_an_error(counts, level, widens):
    ds = sloping(lambda z: level / counts + 0 * z, counts, profiles=100)
    window, stated = ("140 nm", "199 nm"), f"{level}e15 cm^-3"
    for ask, names in (
        (sims.integrated_dose, {"": "stderr"}),
        (sims.dose_budget, {"dose": "random_stderr"}),
        (sims.moments, {"dose": "dose_stderr", "straggle": "straggle_stderr"}),
    ):
        found, known = (ask(ds, stop="110 nm", background=one) for one in (window, stated))
        assert (found["status"] == "ok").mean() > 0.95
        for name, error in names.items():
            ratio = float((found[error] / known[error]).median())
            assert widens < ratio if widens > 1 else ratio < 1.05, name
    # The samples between tell how steep it may be at most.
    without = ds.where(~((ds["depth"] > 110) & (ds["depth"] < 140)), drop=True)
    wider = sims.integrated_dose(without, stop="110 nm", background=window, gaps="bridge")["stderr"]
    nearer = sims.integrated_dose(ds, stop="110 nm", background=window)["stderr"]
    assert (wider >= 0.85 * nearer).mean() > 0.9
    assert float((wider / nearer).mean()) > (1.05 if widens > 1 else 0.99)


@pytest.mark.filterwarnings("ignore:.*in the background window, more than its noise")
@pytest.mark.parametrize(("slope", "last", "least"), [(0.0, 1.0, 0), (1.4, 1.0, 0.7), (0, 0.1, 1)])
def test_a_window_that_slopes_or_steps_gives_no_limit_and_no_background(slope, last, least):
    line = sloping(lambda z: 0.05 * (1 + slope * (170 - z) / 110), 100, profiles=60)
    ds = line.where(line["depth"] < 192, line * last)
    found = sims.detection_limit(ds, window=("140 nm", "199 nm"))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for one in range(20):
            sims.subtract_background(ds.isel(measurement=[one]), window=("140 nm", "199 nm"))
    said = "(falls|bends) in the background window"
    warned = sum(bool(re.search(said, str(one.message))) for one in caught)
    for share in ((found["status"] == "wrong_shape").mean(), warned / 20):
        assert least <= share <= (1.0 if least else 0.04)


@pytest.mark.parametrize(("value", "warned"), [("1e15 cm^-3", False), ("1e13 cm^-3", True)])
@pytest.mark.parametrize(
    "ask",
    [
        lambda ds, w: sims.integrated_dose(ds, stop="110 nm", background=w),
        lambda ds, w: sims.subtract_background(ds, window=w),
    ],
)
def test_a_window_that_scatters_more_than_its_errors_shows_a_wrong_value_of_a_count(
    ask, value, warned
):
    ds = sloping(lambda z: 0.01 + 0 * z, 1000, profiles=1)[["concentration"]]
    ds = sims.with_counting_statistics(ds, value_per_count=value)
    inconsistent = warns(sims.SimsWarning, "inconsistent", measurement="0", species="B")
    with inconsistent if warned else nullcontext():
        ask(ds, ("140 nm", "199 nm"))


@pytest.mark.parametrize("falls", [False, True])
def test_a_record_that_hardly_rises_above_its_window_is_warned_of_slopes_that_show(falls):
    z = np.arange(0.0, 200.0)
    mu = 100 * (1 + 0.5 * falls * (170 - z) / 170) + 20 * np.exp(-(((z - 60) / 15) ** 2) / 2)
    k = np.random.default_rng(1).poisson(mu)[None] * 1e15
    ds = xr.Dataset(
        {"concentration": (("species", "depth"), k, {"units": "cm^-3"})},
        {"species": ["B"], "depth": ("depth", z, {"units": "nm"})},
    )
    with warns(sims.ProfileWarning, "wrong_shape", species="B") if falls else nullcontext():
        sims.subtract_background(ds, window=("100 nm" if falls else "170 nm", "199 nm"))


@pytest.mark.parametrize("slope", [0.0, 0.4])
def test_a_uniform_standard_above_a_background_that_slopes_is_not_ok(slope):
    z = np.arange(0.0, 200.0)
    mu = 1000 * ((z < 100) + 0.3 * (1 + slope * (170 - z) / 110))
    k = np.random.default_rng(3).poisson(mu)[None].astype(float)
    counted = xr.Dataset(
        {"intensity": (("species", "depth"), k, {"units": "count"})},
        {"species": ["B"], "depth": ("depth", z, {"units": "nm"})},
    )
    given = {"species": "B", "matrix": None, "concentration": "1e20 cm^-3", "stop": "95 nm"}
    with warns(sims.errors.DoseWarning, "wrong_shape", species="B") if slope else nullcontext():
        found = sims.rsf_from_standard(
            sims.with_counting_statistics(counted), background=("140 nm", "199 nm"), **given
        )
    assert found["status"].item() == ("wrong_shape" if slope else "ok")
