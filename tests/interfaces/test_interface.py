"""Interfaces and layers from the data alone, against steps whose widths are known."""

import models_truth
import numpy as np
import pytest
import xarray as xr
from error_parts import warns
from scipy.special import ndtr

import sims_analysis as sims
from sims_analysis.errors import FitWarning


def step(z, *, position=100.0, sigma=5.0, left=1e21, right=1e19):
    return models_truth.profile(left + (right - left) * ndtr((z - position) / sigma), z)


@pytest.mark.parametrize(("left", "right"), [(1e21, 1e19), (1e19, 1e21)])
def test_an_error_function_has_its_width(left, right):
    z = np.arange(0, 200, 0.5)
    found = sims.interface(step(z, left=left, right=right))
    assert found["position"].item() == pytest.approx(100, abs=1e-2)
    assert found["width"].item() == pytest.approx(1.98892 * 5, rel=2e-3)
    other = sims.interface(step(z, left=left, right=right), low=0.1, high=0.9)
    assert other["width"].item() == pytest.approx(2 * 1.281552 * 5, rel=2e-3)
    assert found["left_level"].item() == pytest.approx(left, abs=1e-5 * abs(right - left))


def _with_errors(values, error, **options):
    ds = values.to_dataset(name="concentration")
    return sims.interface(ds.assign(concentration_stderr=xr.full_like(values, error)), **options)


def test_a_slope_that_noise_may_hide_is_followed():
    # 8 % over the plateau, known to a third: it moves the step by more than its error.
    z = np.arange(0, 200, 2.0)
    level = models_truth.profile(1 + 9 * ndtr((z - 100) / 8), z)
    tilted = level.copy(data=level - 0.008 * (z - 100) * ndtr((z - 100) / 8))
    found = _with_errors(tilted, 0.6)
    assert found["right_slope"].item() == pytest.approx(-0.008, rel=1e-2)
    assert found["position"].item() == pytest.approx(100, abs=0.1)
    assert found["width"].item() == pytest.approx(1.989 * 8, rel=0.01)
    assert _with_errors(level, 0.6)["right_slope"].item() == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("slope", [0.003, -0.003])
def test_a_plateau_that_slopes_reaches_to_the_end_of_the_record(slope):
    u = np.arange(-100.0, 100.0)
    one = models_truth.profile(1 + 9 * ndtr(u / 5) * (1 + slope * u), u + 100)
    free = _with_errors(one, 0.1)
    stated = _with_errors(one, 0.1, left=("0 nm", "79 nm"), right=("121 nm", "199 nm"))
    error = free["position_stderr"].item()  # from the inner quarter, 14 % more
    assert error == pytest.approx(stated["position_stderr"].item(), rel=0.02)


def test_errors_that_are_stated_too_small_are_those_of_the_scatter_of_the_plateaus():
    z = np.arange(0.0, 200.0)
    noise = 0.1 * np.random.default_rng(0).standard_normal(z.size)
    values = models_truth.profile(1 + 9 * ndtr((z - 100.3) / 5) + noise, z)
    true, small = (_with_errors(values, error) for error in (0.1, 0.02))
    for name in ("position_stderr", "width_stderr"):
        assert small[name].item() == pytest.approx(true[name].item(), rel=0.1)


@pytest.mark.filterwarnings("ignore::sims_analysis.errors.FitWarning")
@pytest.mark.parametrize(("at", "status"), [(30, "ok"), (60, "wrong_shape")])
def test_what_leaves_a_plateau_below_the_first_quarter_is_no_surface_transient(at, status):
    z = np.arange(0.0, 200.0)
    c = 0.05 + ndtr((130 - z) / 5) + 0.3 * np.exp(-0.5 * ((z - at) / 3) ** 2)
    assert sims.interface(models_truth.profile(1e20 * c, z))["status"].item() == status


@pytest.mark.parametrize("step_of_grid", [None, 0.5])
def test_errors_of_a_step_are_those_of_its_mirror_image_and_grow_with_its_units(step_of_grid):
    z = np.arange(0.0, 202.0, 2.0)
    counts = np.random.default_rng(5).poisson(40 + 360 * ndtr((z - 100.3) / 4)).astype(float)

    def found(values, long, many):
        one = models_truth.profile(many * values, long * z).to_dataset(name="concentration")
        one["concentration_stderr"] = one["concentration"].copy(data=many * np.sqrt(values))
        one = sims.to_grid(one, step=f"{long * step_of_grid} nm") if step_of_grid else one
        names = ("position", "position_stderr", "width", "width_stderr")
        return np.array([sims.interface(one)[name].item() for name in names])

    here = found(counts, 1.0, 1e18)
    np.testing.assert_allclose(found(counts, 3.0, 1e15), 3 * here, rtol=1e-9)
    mirrored = found(counts[::-1], 1.0, 1e18) - np.array([200.0, 0, 0, 0])
    np.testing.assert_allclose(mirrored, here * np.array([-1, 1, 1, 1]), rtol=1e-6)


@pytest.mark.parametrize("first", [0.0, 0.7, 1.3])
def test_without_noise_a_width_is_off_by_what_straight_lines_add(first):
    """Between samples h apart, of an error function by ``h^2 / (3 width)`` and more."""
    found = sims.interface(step(np.arange(first, 200, 2.0), sigma=4.0))
    error, true = found["width_stderr"].item(), 1.98892 * 4
    assert 0 < found["width"].item() - true < 1.1 * error
    assert 2.0**2 / (3 * true) < error < 2.0**2 / (2 * true)


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("sigma", "slope", "of_width"),
    [(4.0, 0.0, 0.025), (8.0, 0.0, 0.025), (12.0, 0.0, 0.025), (8.0, 0.002, 0.2)],
)
def test_errors_of_a_step_are_what_each_sample_moves_it_by_and_what_straight_lines_add(
    sigma, slope, of_width
):
    z = np.arange(0.0, 101.0, 2.0)
    c = 1 + 9 * ndtr((z - 50.3) / sigma) * (1 + slope * (z - 50.3))
    s = np.linspace(0.005, 0.01, z.size)
    moved = np.vstack([c, c + 1e-3 * np.diag(s)])
    ds = models_truth.profile(moved, z, dims=("trial", "depth")).to_dataset(name="concentration")
    ds["concentration_stderr"] = ds["concentration"].copy(data=np.broadcast_to(s, moved.shape))
    found = sims.interface(ds, left=("0 nm", "8 nm"), right=("90 nm", "100 nm"))
    assert found["right_level"][0] == pytest.approx(10, rel=2e-3)
    lines = {"position": 2**3 / (58 * sigma**2), "width": 2**2 / (2.2 * 1.98892 * sigma)}
    for (name, added), rel in zip(lines.items(), (0.025, of_width), strict=True):
        own = np.linalg.norm(found[name][1:] - found[name][0]) / 1e-3
        assert found[f"{name}_stderr"][0] == pytest.approx(np.hypot(own, added), rel=rel)


def test_between_samples_a_position_is_known_as_lines_of_logarithms_differ_from_straight_ones():
    """By an eighth of ``h^2 c' / c`` in the middle, two thirds of that on average."""
    ds = step(np.arange(0.0, 202.0, 2.0), sigma=4.0, right=2e20)
    found = sims.interface(sims.to_grid(ds, step="0.5 nm"))
    slope_over_level = 0.8 / 1.2 / (0.5 * np.sqrt(2 * np.pi) * 4)
    expected = np.hypot(2.0**2 * slope_over_level / 12, 2.0**3 / (58 * 4**2))
    assert found["position_stderr"].item() == pytest.approx(expected, rel=0.1)


def test_noise_that_hides_slopes_is_warned_of(approved):
    z = np.arange(0, 200, 2.0)
    level = models_truth.profile(1 + 9 * ndtr((z - 100) / 8), z)
    with warns(FitWarning, text=approved):
        found = _with_errors(level, 3.0)
    assert found["status"].item() == "ok"
    _with_errors(level, 3.0, left=("40 nm", "80 nm"), right=("120 nm", "160 nm"))


def test_plateaus_may_be_stated_and_no_step_has_a_status():
    z = np.arange(0, 200, 0.5)
    one = step(z) + xr.where(z < 20, 3e20, 0.0)
    one.attrs["units"] = "atom/cm^3"
    stated = sims.interface(one, left=("40 nm", "80 nm"), right=("130 nm", "200 nm"))
    assert stated["position"].item() == pytest.approx(100, abs=0.02)
    of_one_sample = sims.interface(one, left=("40 nm", "40.2 nm"), right=("130 nm", "200 nm"))
    assert of_one_sample["position"].item() == pytest.approx(100, abs=0.02)
    for c in (np.full(z.size, 1e20), 1e20 * (1 + 1e-14 * (z > 100))):  # rounding is no step
        with warns(FitWarning, "featureless"):
            found = sims.interface(models_truth.profile(c, z))
        assert found["status"].item() == "featureless"
        assert np.isnan(found["width"])


def test_a_step_that_runs_into_a_plateau_has_no_width():
    # The last tenth is the edge itself: its mean is no level.
    z = np.arange(0, 300, 1.0)
    with warns(FitWarning, "truncated"):
        found = sims.interface(step(z, position=280.0))
    assert found["status"].item() == "truncated"
    assert np.isnan(found["position"])
    stated = sims.interface(step(z, position=280.0), right=("296 nm", "299 nm"))
    assert stated["position"].item() == pytest.approx(280, abs=0.05)
    for side in ("left", "right"):
        beyond = sims.interface(step(z), **{side: ("400 nm", "500 nm")})
        assert beyond["status"].item() == "no_data"


@pytest.mark.filterwarnings("ignore::sims_analysis.errors.FitWarning")
@pytest.mark.parametrize("side", ["left", "right"])
def test_stated_plateaus_are_examined_to_their_last_sample_and_no_further(side):
    z = np.arange(0.0, 201.0)
    c = 0.05 + ndtr((100 - z) / 4) + np.where(z == 150, 2.0, 0.0)
    for end, status in ((149, "ok"), (150, "wrong_shape")):
        plateaus = {"left": ("30 nm", "70 nm"), "right": ("120 nm", f"{end} nm")}
        if side == "left":
            plateaus = {"left": (f"{200 - end} nm", "80 nm"), "right": ("130 nm", "170 nm")}
        one = models_truth.profile(1e20 * c[:: -1 if side == "left" else 1], z)
        assert sims.interface(one, **plateaus)["status"].item() == status


@pytest.mark.filterwarnings("ignore::sims_analysis.errors.FitWarning")
@pytest.mark.parametrize("unit_nm", [0.1, 1.0, 100.0])
def test_the_end_of_a_step_may_move_it_by_a_hundredth_of_its_deviation(unit_nm):
    for last, status in ((20.0, "truncated"), (22.0, "ok")):
        z = np.arange(-100.0, last)
        one = models_truth.profile(1e20 * (0.05 + ndtr(-z / 4)), unit_nm * (z + 100))
        found = sims.interface(one)
        assert found["status"].item() == status
    assert found["position"].item() / unit_nm == pytest.approx(100, abs=0.01 * 4)


def test_a_step_between_two_samples_has_a_position_and_no_width():
    z = np.arange(0, 200, 2.0)
    with warns(FitWarning, "undetermined"):
        found = sims.interface(step(z, position=100.6, sigma=0.05))
    assert found["status"].item() == "undetermined"
    assert np.isnan(found["width"])
    assert np.isnan(found["width_stderr"])
    assert found["position"].item() == pytest.approx(101, abs=1)
    assert found["position_stderr"].item() == pytest.approx(2 / np.sqrt(12))


def test_what_is_found_of_a_step_has_names_and_units():
    z = np.arange(0.0, 100.0)
    step = models_truth.profile(2e17 + 1e18 * ndtr((z - 50) / 4), z)
    found = sims.interface(step, low=0.1, high=0.9)
    assert found["width"].attrs["parts"] == "0.1 to 0.9"
    assert found["left_level"].item() == pytest.approx(2e17, rel=1e-4)
    assert found["right_level"].item() == pytest.approx(1.2e18, rel=1e-4)
    assert found["left_slope"].item() == found["right_slope"].item() == 0.0
    names = {name: one.attrs.get("long_name") for name, one in found.data_vars.items()}
    error = "Standard error, random part"
    assert {name: names[name] for name in list(names)[1:8:2]} == {
        "position_stderr": error, "width_stderr": error,
        "right_level": "Level below", "right_slope": "Slope below",
    }  # fmt: skip
    assert (names["left_level"], names["left_slope"]) == ("Level above", "Slope above")
    units = {name: one.attrs.get("units") for name, one in found.data_vars.items()}
    assert [*units.values()] == [*["nm"] * 4, *["atom/cm^3"] * 2, *["atom/cm^3 / nm"] * 2, None]


def test_windows_may_differ_between_profiles_and_be_unknown():
    z = np.arange(0.0, 100.0)
    steps = [1e20 * ndtr((z - at) / 4) for at in (40, 60, 50)]
    batch = models_truth.profile(np.array(steps), z, dims=("wafer", "depth"))
    limits = xr.DataArray([20.0, 40.0, np.nan], dims="wafer", attrs={"units": "nm"})
    ends = limits.copy(data=[30.0, 50.0, np.nan])
    found = sims.interface(batch, start=limits, left=(limits, ends))
    for i, (start, stop) in enumerate((("20 nm", "30 nm"), ("40 nm", "50 nm"))):
        alone = sims.interface(batch.isel(wafer=i), start=start, left=(start, stop))
        xr.testing.assert_equal(found.isel(wafer=i), alone)
    # A limit that is not known is no window, rather than all samples.
    assert found["status"].values[2] == "no_data"


def noisy_steps(peak, *, trials=150, slope=0.0, sigma=4.0, seed=3):
    """Give counts of a step from a tenth of the peak, whose upper plateau may slope."""
    z = np.arange(0.0, 200.0)
    u = z - 100.3
    below = ndtr(u / sigma)
    expected = peak * (0.1 * (1 - below) + (1 + slope * u / 100) * below)
    k = np.random.default_rng(seed).poisson(np.broadcast_to(expected, (trials, z.size)))
    ds = models_truth.profile(k * 1e17, z, dims=("trial", "depth")).to_dataset()
    ds["concentration_counts"] = (("trial", "depth"), k.astype(float), {"units": "count"})
    error = np.sqrt(np.maximum(k, 1)) * 1e17
    ds["concentration_stderr"] = (("trial", "depth"), error, {"units": "atom/cm^3"})
    return ds


def covered(found, name, truth):
    return float((abs(found[name] - truth) < found[f"{name}_stderr"]).mean())


def test_a_gap_in_a_plateau_does_no_harm_even_to_what_was_blurred():
    z = np.delete(np.arange(0.0, 125.0), np.s_[95:110])
    one = models_truth.profile(models_truth.film(z), z)
    for data in (one, sims.convolve(one, resolution="3 nm")):
        assert sims.interface(data)["status"].item() == "ok"


@pytest.mark.slow
@pytest.mark.few(1)
@pytest.mark.parametrize("peak", [30, 1000])
@pytest.mark.filterwarnings("ignore:.*noise hides whether the plateaus slope")
def test_a_finer_grid_makes_no_interface_better_known(peak):
    ds = noisy_steps(peak)
    own, fine = (sims.interface(data) for data in (ds, sims.to_grid(ds, step="0.25 nm")))
    for name in ("position_stderr", "width_stderr"):
        assert (fine[name].mean() / own[name].mean()).item() == pytest.approx(1, abs=0.1)
    for found in (own, fine):
        assert 0.6 <= covered(found, "position", 100.3) <= 0.85
        assert 0.6 <= covered(found, "width", 4 * 1.98891577) <= 0.76


def test_a_plateau_reaches_as_far_on_a_finer_grid():
    ds = noisy_steps(1000, trials=4).isel(trial=3)
    own, fine = (sims.interface(data) for data in (ds, sims.to_grid(ds, step="0.25 nm")))
    # To a third of its error.
    assert fine["left_level"].item() == pytest.approx(own["left_level"].item(), rel=0.004)


@pytest.mark.slow
@pytest.mark.few(1)
@pytest.mark.parametrize("slope", [0.3, -0.3])
def test_a_plateau_that_slopes_is_a_line(slope):
    z = np.arange(0.0, 200.0)
    u = z - 100.3
    below = ndtr(u / 8)
    c = 1e20 * (0.1 * (1 - below) + (1 + slope * u / 100) * below)
    found = sims.interface(models_truth.profile(c, z))
    assert found["status"].item() == "ok"
    assert found["position"].item() == pytest.approx(100.3, abs=0.05)
    assert found["width"].item() == pytest.approx(8 * 1.98891577, abs=0.05)
    assert found["right_slope"].item() == pytest.approx(slope * 1e18, rel=0.01)
    assert found["right_level"].item() == pytest.approx(1e20, rel=0.01)
    assert abs(found["left_slope"].item()) < 1e15
    noisy = sims.interface(noisy_steps(1000, slope=slope))
    assert 0.6 <= covered(noisy, "position", 100.3) <= 0.8
    assert 0.58 <= covered(noisy, "width", 4 * 1.98891577) <= 0.78


@pytest.mark.slow
def test_slopes_that_noise_makes_are_none_in_the_mean():
    found = sims.interface(noisy_steps(100, trials=200))
    for name in ("left_slope", "right_slope"):
        mean, scatter = found[name].mean().item(), found[name].std().item()
        assert abs(mean) < 3 * scatter / 200**0.5
        assert scatter * 50 < 0.04 * 1e19, "a fortieth of the peak over half of the plateau"
    assert 0.6 <= covered(found, "position", 100.3) <= 0.8


def counted(clean, z, peak=1000, trials=20):
    """Count profiles of which 1 is the peak."""
    k = np.random.default_rng(peak).poisson(np.broadcast_to(clean * peak, (trials, z.size)))
    ds = models_truth.profile(k * (1e20 / peak), z, dims=("trial", "depth")).to_dataset()
    return sims.with_counting_statistics(ds, value_per_count=f"{1e20 / peak} cm^-3")


Z = np.arange(0.0, 160.0)
FALLS = 0.05 + 0.95 * ndtr((90 - Z) / 5)


@pytest.mark.few(2)
@pytest.mark.parametrize(
    "transient",
    [
        1 + np.exp(-Z / 5),
        1 + 3 * np.exp(-Z / 3),
        1 + 10 * np.exp(-Z / 5),
        1 - 0.95 * np.exp(-Z / 4),
        1 + 0.3 * np.exp(-Z / 15),
    ],
)
def test_a_plateau_begins_below_a_surface_transient(transient):
    """All were truncated, or featureless, and of the last a third covered the truth."""
    found = sims.interface(counted(FALLS * transient, Z))
    assert set(found["status"].values) == {"ok"}
    assert covered(found, "position", 90) >= 0.45
    plain = sims.interface(models_truth.profile(1e20 * FALLS * transient, Z))
    assert plain["position"].item() == pytest.approx(90, abs=0.1)
    assert plain["status"].item() == "ok"


@pytest.mark.filterwarnings("ignore:.*noise hides whether the plateaus slope")
def test_below_a_transient_a_plateau_whose_slope_is_noise_is_level():
    found = _with_errors(models_truth.profile(FALLS * (1 + 0.2 * np.exp(-Z / 8)), Z), 0.05)
    assert found["position"].item() == pytest.approx(90, abs=0.1)  # 90.17 below a line


@pytest.mark.filterwarnings("ignore::sims_analysis.errors.FitWarning")
@pytest.mark.parametrize("step", [0.1, 1.0])
def test_what_is_many_times_as_high_as_a_step_is_no_surface_transient(step):
    for times, status in ((15, "ok"), (30, "wrong_shape")):
        c = 1 + step * (ndtr((90 - Z) / 5) + times * np.exp(-Z / 3))
        assert sims.interface(models_truth.profile(1e20 * c, Z))["status"].item() == status


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("clean", "peak", "status"),
    [
        (0.03 + 0.97 * ndtr((Z - 70) / 4) * ndtr((130 - Z) / 4), 10, "wrong_shape"),
        (0.03 + 0.97 * ndtr((Z - 20) / 3) * ndtr((90 - Z) / 4), 1000, "wrong_shape"),
        (FALLS * (1 + 2 * ndtr((20 - Z) / 2)), 1000, "wrong_shape"),
        (1e-4 + np.exp(-Z / 15), 1e5, "truncated"),
        (np.ones(160), 1000, "featureless"),
    ],
)
@pytest.mark.filterwarnings("ignore::sims_analysis.errors.FitWarning")
def test_what_is_no_single_step_is_neither_featureless_nor_a_transient(clean, peak, status):
    assert set(sims.interface(counted(clean, Z, int(peak)))["status"].values) == {status}


@pytest.mark.few(1)
@pytest.mark.filterwarnings("ignore::sims_analysis.errors.FitWarning")
@pytest.mark.parametrize("window", [slice(0, 107), slice(75, 160)])
def test_a_record_that_ends_in_the_end_of_the_step_is_truncated(window):
    # Three standard deviations from it: both were ok, and off by 0.7 nm, ten errors.
    found = sims.interface(counted(FALLS, Z, 10000).sel(depth=window))
    assert set(found["status"].values) == {"truncated"}
    assert found["position"].isnull().all()


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("noise", "floor", "least"),
    [("counts", 0.001, 0.58), ("relative", 0.05, 0.58), ("ripple", 0.05, 0.7)],
)
def test_without_errors_the_scatter_of_neighbours_is_the_error(noise, floor, least):
    rng = np.random.default_rng(0)
    clean = np.broadcast_to(floor + ndtr((90.3 - Z) / 5), (40, Z.size))
    scale = 1 + 0.03 * rng.standard_normal(clean.shape)
    if noise == "ripple":  # on all of the profile, as of a beam that drifts to and fro
        clean = clean * (1 + 0.06 * np.sin(Z / 5 + rng.uniform(0, 6.3, (40, 1))))
    values = clean * scale * 1e20 if noise == "relative" else rng.poisson(1000 * clean) * 1e17
    found = sims.interface(models_truth.profile(values, Z, dims=("trial", "depth")))
    assert covered(found, "position", 90.3) >= least
    # A fifth of them, when that of one plateau was the error of the samples of the edge.
    assert float((abs(found["position"] - 90.3) > 3 * found["position_stderr"]).mean()) < 0.05


@pytest.mark.filterwarnings("ignore::sims_analysis.errors.FitWarning")
@pytest.mark.parametrize(("middle", "least"), [(0.3, 0.6), (0.5, 0.9)])
def test_a_staircase_is_no_step(middle, least):
    steps = 0.05 + (middle - 0.05) * ndtr((110 - Z) / 3) + (1 - middle) * ndtr((60 - Z) / 3)
    found = sims.interface(counted(steps, Z, 100))
    assert (found["status"] == "wrong_shape").mean() > least


@pytest.mark.filterwarnings("ignore::sims_analysis.errors.FitWarning")
@pytest.mark.parametrize("counts", [10, 1000])
def test_an_exponential_edge_is_one_step(counts):
    edges = 0.05 + 0.95 * np.where(Z < 80, 1, np.exp(-(Z - 80) / 8))
    assert (sims.interface(counted(edges, Z, counts))["status"] == "ok").mean() > 0.9


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sims_analysis.errors.FitWarning")
@pytest.mark.parametrize("tail", [0.2, 1.0])
def test_a_tail_at_a_step_is_no_part_of_the_plateau(tail):
    def falls(z):
        return (1 - tail) * ndtr((80 - z) / 3) + tail * np.exp(-(z - 80).clip(0) / 10)

    half = 80 + np.argmin(abs(falls(np.arange(70, 90, 0.01)) - 0.5)) * 0.01 - 10
    found = sims.interface(counted(0.1 + 0.9 * falls(Z), Z, 10_000, 100))
    found = found.isel(trial=(found["status"] == "ok").values)
    assert found.sizes["trial"] > 85
    assert 0.6 < covered(found, "position", half) < 0.86


def test_what_is_said_of_an_interface_names_its_own_arguments():
    box = models_truth.profile(models_truth.film(Z), Z)
    with warns(FitWarning, "wrong_shape"):
        sims.interface(box)


def test_interfaces_and_layers_over_sputter_time_are_in_seconds():
    t = np.arange(0.0, 200.0)
    c = 1e5 * (ndtr((t - 60) / 4) - ndtr((t - 140) / 4)) + 10
    one = xr.DataArray(
        c, dims="sputter_time", attrs={"units": "count/s"}, name="intensity",
        coords={"sputter_time": ("sputter_time", t, {"units": "s"})},
    )  # fmt: skip
    found = sims.interface(one, stop="100 s")
    assert found["position"].item() == pytest.approx(60, abs=0.01)
    assert found["position"].attrs["units"] == found["width_stderr"].attrs["units"] == "s"
    layer = sims.layers(one)
    assert layer["thickness"].values.tolist() == pytest.approx([80], abs=0.01)
    assert layer["thickness"].attrs["units"] == layer["top"].attrs["units"] == "s"


def test_a_step_or_an_edge_in_a_gap_is_not_ok():
    z = np.arange(0.0, 200.0)
    z = z[(z < 52) | (z > 66)]
    one = models_truth.profile(models_truth.film(z), z)
    for above in (0, 100):
        moved = one.assign_coords(depth=("depth", z - above, {"units": "nm"}))
        with warns(FitWarning, "gap"):
            found = sims.interface(moved, stop=f"{100 - above} nm")
        assert found["status"].item() == "gap"
    with warns(FitWarning, "undetermined"):
        accepted = sims.interface(one, stop="100 nm", gaps="bridge")
    assert accepted["status"].item() == "undetermined"
    # Nor is one of a window that begins or ends in it.
    for window in ({"start": "60 nm"}, {"start": "110 nm", "stop": "190 nm"}):
        kept = one.where(~((one["depth"] > 100) & (one["depth"] < 125)), drop=True)
        with warns(FitWarning, "gap"):
            assert sims.interface(kept, **window)["status"].item() == "gap"
    with warns(sims.ProfileWarning, "gap", layer="0", start="51 nm", stop="67 nm"):
        layer = sims.layers(one)
    assert layer["status"].values.tolist() == ["gap"]
    assert np.isnan(layer["top"].item())
    assert np.isnan(layer["thickness"].item())
    assert layer["bottom"].item() == pytest.approx(140, abs=0.01)
    bridged = sims.layers(one, gaps="bridge")
    assert bridged["status"].values.tolist() == ["ok"]
    stated = sims.layers(one, level="5e19 atoms/cm^3", gaps="bridge")
    assert stated["thickness"].item() == pytest.approx(140 - 64.6, abs=0.1)
    # A gap elsewhere does no harm.
    far = z[(z < 90) | (z > 110)]
    elsewhere = models_truth.profile(models_truth.film(far), far)
    with warns(sims.ProfileWarning, "gap", layer="0"):
        assert sims.layers(elsewhere)["bottom"].item() == pytest.approx(140, abs=0.01)


@pytest.mark.slow
@pytest.mark.few(1)
@pytest.mark.parametrize("peak", [100, 1000])
def test_the_error_of_a_width_knows_of_the_straight_lines_between_samples(peak):
    rng = np.random.default_rng(peak)
    z = np.arange(0.0, 200.0, 2.0) + rng.uniform(0, 2, (300, 1))
    counted = rng.poisson(peak * (0.1 + 0.9 * ndtr((z - 100) / 2)))
    ds = xr.Dataset(
        {"concentration": (("measurement", "point"), counted * 1e20 / peak, {"units": "cm^-3"})},
        coords={"depth": (("measurement", "point"), z, {"units": "nm"})},
    )
    ds = sims.with_counting_statistics(ds, value_per_count=f"{1e20 / peak} atoms/cm^3")
    found = sims.interface(ds)
    inside = abs(found["width"] - 1.98892 * 2) < found["width_stderr"]
    assert 0.60 <= float(inside.mean()) <= 0.78


def test_a_plateau_that_ripples_slowly_adds_to_the_errors():
    """One ripple of 4 % over a plateau: its level next to the step is not that of its line."""
    z = np.arange(0.0, 200.0)
    clean = ndtr((100 - z) / 4) + 0.1
    rippled = clean * (1 + 0.04 * np.sin(2 * np.pi * z / 60 + 1))
    one, other = (_with_errors(models_truth.profile(c, z), 0.003) for c in (clean, rippled))
    for name in ("position", "width"):
        off = abs(other[name] - one[name]).item()
        assert off > 2 * one[f"{name}_stderr"]
        assert off < other[f"{name}_stderr"]
