"""Peak, moments and decay length: closed forms, windows, noise floors and published moments."""

import math

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from measured import measurement, number, one, word

import sims_analysis as sims
from sims_analysis.errors import ProfileError, UnitsError


def gaussian(z, rp, straggle):
    return 1e20 * np.exp(-((z - rp) ** 2) / (2 * straggle**2))


# --- peak ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rp", "straggle"), [(100, 20), (50, 7.5), (300, 60)])
def test_peak_of_a_gaussian(rp, straggle):
    z = np.arange(0, rp + 6 * straggle, 0.5)
    found = sims.peak(one(z, gaussian(z, rp, straggle)))
    assert number(found["depth"]) == rp
    assert number(found["concentration"]) == 1e20
    # Half of it, between samples, lies on straight lines of ln C.
    assert number(found["fwhm"]) == pytest.approx(
        2 * math.sqrt(2 * math.log(2)) * straggle, rel=1e-3
    )
    assert {n: found[n].attrs["units"] for n in ("depth", "concentration", "fwhm")} == {
        "depth": "nm",
        "concentration": "atom/cm^3",
        "fwhm": "nm",
    }


def test_a_start_below_the_surface_finds_the_implant_and_not_the_spike():
    z = np.arange(0, 200.0)
    ds = one(z, gaussian(z, 100, 20) + 1e21 * np.exp(-z / 2))
    assert number(sims.peak(ds)["depth"]) == 0
    assert number(sims.peak(ds, start="20 nm")["depth"]) == 100


def test_a_peak_without_two_half_depths_has_no_width():
    found = sims.peak(one([0, 10, 20], [1e20, 1e19, 1e18]))
    assert math.isnan(number(found["fwhm"]))
    assert word(found["status"]) == "truncated"
    assert number(found["depth"]) == 0


def test_of_equal_maxima_the_shallowest():
    assert number(sims.peak(one([0, 1, 2, 3], [1, 5, 5, 1]))["depth"]) == 1


def test_width_between_half_depths_next_to_the_maximum():
    found = sims.peak(one([0, 1, 2, 3, 4, 5, 6], [1, 8, 1, 16, 1, 8, 1]))
    assert number(found["fwhm"]) == pytest.approx(2 * math.log(2) / math.log(16))


@pytest.mark.parametrize("values", [[np.nan, np.nan], []])
def test_peak_of_nothing(values):
    found = sims.peak(one(range(len(values)), values))
    assert math.isnan(number(found["depth"]))
    assert word(found["status"]) == "no_data"


def test_peak_of_an_intensity_keeps_its_unit_and_error():
    ds = one([0, 1, 2], [9, 100, 4], units="counts").rename(concentration="intensity")
    found = sims.peak(sims.with_counting_statistics(ds))
    value = next(n for n in found.data_vars if n.startswith("intensity") and "stderr" not in n)
    assert found[value].attrs["units"] == "count"
    assert number(found[f"{value}_stderr"]) == pytest.approx(10)


# --- moments ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rp", "straggle"), [(100, 12), (162.9, 25), (900, 111)])
def test_moments_of_a_gaussian(rp, straggle):
    z = np.arange(rp - 8 * straggle, rp + 8 * straggle, straggle / 20)
    found = sims.moments(one(z, gaussian(z, rp, straggle)))
    for name, value in {
        "projected_range": rp,
        "straggle": straggle,
        "skewness": 0,
        "kurtosis": 3,
        "dose": 1e20 * straggle * math.sqrt(2 * math.pi) * 1e-7,
    }.items():
        assert number(found[name]) == pytest.approx(value, rel=1e-9, abs=1e-9), name


def test_moments_of_an_exponential():
    z = np.arange(0, 400, 0.05)
    found = sims.moments(one(z, 1e20 * np.exp(-z / 10)))
    assert number(found["projected_range"]) == pytest.approx(10, rel=1e-4)
    assert number(found["straggle"]) == pytest.approx(10, rel=1e-4)
    assert number(found["skewness"]) == pytest.approx(2, rel=1e-4)
    assert number(found["kurtosis"]) == pytest.approx(9, rel=1e-4)


def test_moments_of_the_depth_resolution_function():
    from scipy.special import erfc

    z0, s, lg, ld = 100.0, 2.0, 1.0, 4.0
    z = np.arange(70, 200, 0.02)
    u = z - z0
    lead = np.exp(u / lg + s**2 / (2 * lg**2)) * erfc((u / s + s / lg) / math.sqrt(2))
    trail = np.exp(-u / ld + s**2 / (2 * ld**2)) * erfc((s / ld - u / s) / math.sqrt(2))
    found = sims.moments(one(z, 1e20 * (lead + trail) / (2 * (lg + ld))))
    assert number(found["dose"]) == pytest.approx(1e13, rel=1e-6)
    assert number(found["projected_range"]) == pytest.approx(z0 + ld - lg, rel=1e-6)
    assert number(found["straggle"]) == pytest.approx(math.sqrt(s**2 + lg**2 + ld**2), rel=1e-5)


@pytest.mark.parametrize(("gamma", "beta"), [(-0.7, 4.1), (0.4, 3.6)])
def test_moments_of_a_pearson_iv(gamma, beta):
    from scipy.integrate import solve_ivp

    rp, d = 300.0, 50.0
    a_ = 10 * beta - 12 * gamma**2 - 18
    b0 = -(d**2) * (4 * beta - 3 * gamma**2) / a_
    b1 = -gamma * d * (beta + 3) / a_
    b2 = -(2 * beta - 3 * gamma**2 - 6) / a_

    def slope(s, _):
        return (s - b1) / (b0 + b1 * s + b2 * s**2)

    s = np.arange(-2000, 2000, 1.0)
    options = {"rtol": 1e-10, "atol": 1e-12, "method": "LSODA"}
    up = solve_ivp(slope, (0, s[-1]), [0.0], t_eval=s[s >= 0], **options).y[0]
    down = solve_ivp(slope, (0, s[0]), [0.0], t_eval=s[s < 0][::-1], **options).y[0][::-1]
    found = sims.moments(one(s + rp, 1e20 * np.exp(np.concatenate([down, up]))))
    assert number(found["projected_range"]) == pytest.approx(rp, abs=0.05)
    assert number(found["straggle"]) == pytest.approx(d, rel=2e-3)
    assert number(found["skewness"]) == pytest.approx(gamma, abs=0.02)
    assert number(found["kurtosis"]) == pytest.approx(beta, rel=0.03)


def test_background_and_threshold_keep_the_noise_of_the_tail_out():
    rng = np.random.default_rng(1)
    z = np.arange(0, 1000, 1.0)
    ds = one(z, gaussian(z, 100, 20) + 1e17 * rng.uniform(0.5, 1.5, z.size))
    spoiled = sims.moments(ds)
    clean = sims.moments(ds, background=("500 nm", "999 nm"), threshold=0.005)
    assert number(spoiled["kurtosis"]) > 5
    assert number(clean["straggle"]) == pytest.approx(20, rel=0.01)
    assert number(clean["kurtosis"]) == pytest.approx(3, abs=0.2)
    assert 30 < number(clean["start"]) < number(clean["stop"]) < 170


def test_a_threshold_as_a_concentration():
    z = np.arange(0, 300, 1.0)
    ds = one(z, gaussian(z, 100, 20))
    a, b = sims.moments(ds, threshold=0.01), sims.moments(ds, threshold="1e24 atoms/m^3")
    xr.testing.assert_equal(a, b)


@pytest.mark.parametrize("bad", [0, 1, -0.1, 5.0])
def test_a_threshold_outside_its_range_is_refused(bad):
    with pytest.raises(ProfileError, match="threshold"):
        sims.moments(one([0, 1, 2], [1, 2, 1]), threshold=bad)


def test_moments_of_counts_are_refused():
    ds = one([0, 1, 2], [1, 2, 1], units="counts/s").rename(concentration="intensity")
    with pytest.raises(UnitsError, match="moments"):
        sims.moments(ds)


@given(st.floats(-500, 500), st.floats(0.1, 10), st.floats(1e-3, 1e3))
def test_moments_move_with_the_profile(shift, stretch, factor):
    z = np.arange(0, 50, 1.0)
    c = 1e18 * (1 + np.sin(z / 3) ** 2) * np.exp(-z / 9)
    a, b = sims.moments(one(z, c)), sims.moments(one(z * stretch + shift, c * factor))
    assert number(b["projected_range"]) == pytest.approx(
        number(a["projected_range"]) * stretch + shift, rel=1e-9, abs=1e-7
    )
    assert number(b["straggle"]) == pytest.approx(number(a["straggle"]) * stretch, rel=1e-7)
    assert number(b["skewness"]) == pytest.approx(number(a["skewness"]), rel=1e-6)
    assert number(b["kurtosis"]) == pytest.approx(number(a["kurtosis"]), rel=1e-6)


#: Moments that have standard errors.
MOMENTS = ("dose", "projected_range", "straggle", "skewness", "kurtosis")


def skewed(z):
    """Give two half-Gaussians joined at 100 nm."""
    return 1e20 * np.exp(-((z - 100) ** 2) / (2 * np.where(z < 100, 25.0, 35.0) ** 2))


@pytest.mark.parametrize("background", [None, ("230 nm", "299 nm"), "1e17 atoms/cm^3"])
@pytest.mark.parametrize("layout", ["shared", "gaps"])
def test_errors_of_moments_are_their_derivatives(background, layout):
    rng = np.random.default_rng(5)
    z = np.cumsum(rng.uniform(1, 5, 90))
    # The window is as even as its errors say: no scatter takes their place.
    c = skewed(z) + 1e18
    errors = rng.uniform(0.5e18, 2e18, z.size)
    if layout == "gaps":
        c[[3, 30, 31]] = np.nan
    options = {"start": "20 nm", "stop": "200 nm", "background": background}
    found = sims.moments(one(z, c, stderr=errors), **options)
    nudged = np.tile(c, (z.size, 1))
    step = 1e13
    nudged[np.diag_indices(z.size)] += step
    each = sims.moments(measurement(z, {str(i): row for i, row in enumerate(nudged)}), **options)
    for name in MOMENTS:
        slopes = (each[name].values - number(found[name])) / step
        exact = math.sqrt(np.nansum((slopes * errors) ** 2))
        assert number(found[f"{name}_stderr"]) == pytest.approx(exact, rel=2e-3), name
        assert found[f"{name}_stderr"].attrs.get("units") == found[name].attrs.get("units")


def test_without_errors_in_the_data_moments_state_none():
    z = np.arange(0, 300, 2.0)
    assert not [name for name in sims.moments(one(z, skewed(z))) if "stderr" in str(name)]


def test_an_error_that_is_not_known_is_none_and_not_zero():
    z = np.arange(0, 300, 2.0)
    errors = np.full(z.size, 1e17)
    errors[50] = np.nan
    found = sims.moments(one(z, skewed(z), stderr=errors), start="10 nm")
    assert all(math.isnan(number(found[f"{name}_stderr"])) for name in MOMENTS)
    beyond = sims.moments(one(z, skewed(z), stderr=errors), start="110 nm")
    assert all(number(beyond[f"{name}_stderr"]) > 0 for name in MOMENTS)


def test_counts_in_one_sample_tell_no_spread():
    ds = one(np.arange(0, 18, 2.0), [0, 0, 0, 0, 5e18, 0, 0, 0, 0])
    found = sims.moments(sims.with_counting_statistics(ds, value_per_count="1e18 atoms/cm^3"))
    assert word(found["status"]) == "below_detection"
    assert all(math.isnan(number(found[name])) for name in MOMENTS)


def test_a_threshold_that_noise_may_cross_leaves_no_error():
    z = np.arange(0, 100, 2.0)
    steep = 1e20 * np.exp(-np.abs(z - 51) / 1.5)
    clear = sims.moments(one(z, steep, stderr=0.1 * steep), threshold=0.01)
    assert all(number(clear[f"{name}_stderr"]) > 0 for name in MOMENTS)
    gentle = 1e20 * np.exp(-np.abs(z - 51) / 30)
    close = sims.moments(one(z, gentle, stderr=0.1 * gentle), threshold=0.5)
    assert all(math.isnan(number(close[f"{name}_stderr"])) for name in MOMENTS)
    # A sample without counts, beside the run, may have had one.
    counted = one(z, np.where(np.abs(z - 50) < 9, 1e20, 0.0))
    counted = sims.with_counting_statistics(counted, value_per_count="1e19 atoms/cm^3")
    assert math.isnan(number(sims.moments(counted, threshold=0.05)["straggle_stderr"]))


@pytest.mark.parametrize(
    ("values", "options", "status"),
    [
        ([1e18], {}, "no_data"),
        ([1e18, 2e18], {}, "no_data"),
        ([1e18, np.nan, np.nan, 2e18], {}, "no_data"),
        ([1e18, 2e18, 1e18], {"start": "1 nm"}, "no_data"),
        ([0, 0, 0, 0], {}, "below_detection"),
        ([-1e18, -1e18, -2e18], {}, "below_detection"),
        # The dose is positive, and nothing else: the sum of squares is not, or the mean lies
        # outside of what was measured.
        ([-2e18, 3e18, 3e18, -2e18], {}, "below_detection"),
        ([-1e18, 0, 0, 1.2e18, 0], {}, "below_detection"),
        ([1e18, 2e18, 1e18], {"threshold": "1.5e18 atoms/cm^3"}, "never_reached"),
        ([1e18, 2e18, 1e18], {}, "ok"),
    ],
)
def test_the_status_of_moments(values, options, status):
    found = sims.moments(one(np.arange(len(values)), values), **options)
    assert word(found["status"]) == status
    assert math.isnan(number(found["projected_range"])) == (status != "ok")


# --- decay length -------------------------------------------------------------------------------


@pytest.mark.parametrize("decay", [1.3, 5.0, 40.0])
@pytest.mark.parametrize("stderr", [None, 0.1])
def test_decay_of_an_exponential(decay, stderr):
    z = np.arange(0, 10 * decay, decay / 4)
    c = 1e20 * np.exp(-z / decay)
    ds = one(z, c, stderr=None if stderr is None else stderr * c)
    found = sims.decay_length(ds, start=f"{decay} nm", stop=f"{4 * decay} nm")
    assert number(found["decay_length"]) == pytest.approx(decay, rel=1e-9)
    assert number(found["per_decade"]) == pytest.approx(decay * math.log(10), rel=1e-9)
    assert number(found["n"]) == 13
    if stderr is not None:
        x = z[(z >= decay) & (z <= 4 * decay)]
        slope = stderr / math.sqrt(((x - x.mean()) ** 2).sum())
        assert number(found["stderr"]) == pytest.approx(slope * decay**2, rel=1e-6)


def test_the_leading_edge_is_positive_too():
    z = np.arange(0, 50, 1.0)
    ds = one(z, 1e15 * np.exp(z / 4))
    found = sims.decay_length(ds, edge="leading")
    assert number(found["decay_length"]) == pytest.approx(4)
    wrong = sims.decay_length(ds, edge="trailing")
    assert math.isnan(number(wrong["decay_length"]))
    assert word(wrong["status"]) == "never_reached"


def test_windows_of_values_and_the_detection_limit():
    z = np.arange(0, 100, 1.0)
    ds = one(z, 1e20 * np.exp(-z / 5) + 1e15)
    found = sims.decay_length(ds, low="1e17 atoms/cm^3", high="1e19 atoms/cm^3")
    assert number(found["decay_length"]) == pytest.approx(5, rel=2e-3)
    limited = sims.decay_length(ds, high="1e19 atoms/cm^3", detection_limit="1e17 atoms/cm^3")
    assert number(limited["decay_length"]) == number(found["decay_length"])
    assert number(limited["n"]) == number(found["n"])


def test_weights_follow_the_standard_errors():
    z, c = np.array([0.0, 1, 2, 3]), np.array([1e18, 1e17, 1e16, 5e17])
    errors = c * np.array([0.01, 0.01, 0.01, 1e6])
    found = sims.decay_length(one(z, c, stderr=errors))
    assert number(found["per_decade"]) == pytest.approx(1, rel=1e-6)


@pytest.mark.parametrize("values", [[np.nan] * 3, [1e18, np.nan, np.nan], [0, 0, 0], [-1, -1, -2]])
def test_too_few_samples_have_no_decay(values):
    found = sims.decay_length(one([0, 1, 2], values))
    assert math.isnan(number(found["decay_length"]))
    assert word(found["status"]) == "no_data"


@pytest.mark.parametrize("argument", ["start", "stop", "low", "high", "detection_limit"])
def test_bare_numbers_are_refused_by_name(argument):
    with pytest.raises(UnitsError, match=argument):
        sims.decay_length(one([0, 1, 2], [4, 2, 1]), **{argument: 5})


@pytest.mark.parametrize("question", [sims.peak, sims.moments, sims.decay_length])
def test_a_window_that_runs_backwards_is_refused(question):
    with pytest.raises(ProfileError, match=r"start.*stop"):
        question(one([0, 1, 2], [4, 2, 1]), start="5 nm", stop="1 nm")


@pytest.mark.parametrize("question", [sims.peak, sims.moments, sims.decay_length])
def test_windows_of_each_profile(question):
    z = np.arange(0, 200, 1.0)
    c = gaussian(z, 50, 10) + gaussian(z, 150, 10)
    ds = measurement(z, {"B": c, "P": c})
    start = xr.DataArray([0.0, 100.0], coords={"species": ["B", "P"]}, attrs={"units": "nm"})
    stop = xr.DataArray([100.0, 199.0], coords={"species": ["B", "P"]}, attrs={"units": "nm"})
    found = question(ds, start=start, stop=stop)
    alone = question(ds.sel(species=["P"]), start="100 nm", stop="199 nm")
    found = found.sel(species=["P"])
    assert found["status"].equals(alone["status"])
    for name in set(found) - {"status"}:
        np.testing.assert_allclose(found[name], alone[name], rtol=1e-12, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("question", [sims.peak, sims.moments, sims.decay_length])
def test_a_window_that_is_not_known_holds_nothing(question):
    ds = one([0, 1, 2, 3], [8, 4, 2, 1])
    found = question(ds, start=sims.junction_depth(ds, level="1e20 atoms/cm^3"))
    assert word(found["status"]) == "no_data"
    assert math.isnan(number(found[next(iter(found.data_vars))]))


@pytest.mark.parametrize("options", [{"stop": "46 nm"}, {"low": 0.05, "high": 0.7}])
@pytest.mark.parametrize("top", [10, 100, 1000])
def test_the_stated_error_of_a_decay_covers(top, options):
    rng = np.random.default_rng(11)
    z = np.arange(0, 120, 1.0)
    counts = rng.poisson(top * np.exp(-z / 20), (1000, 1, z.size))
    batch = xr.Dataset(
        {"concentration": (("measurement", "species", "depth"), counts * 1e15)},
        coords={"species": ["B"], "depth": ("depth", z, {"units": "nm"})},
    )
    batch["concentration"].attrs["units"] = "atom/cm^3"
    batch = sims.with_counting_statistics(batch, value_per_count="1e15 atoms/cm^3")
    given = {
        name: value if isinstance(value, str) else f"{value * top * 1e15} atoms/cm^3"
        for name, value in options.items()
    }
    found = sims.decay_length(batch, **given)
    covered = np.mean(np.abs(found["decay_length"] - 20) <= found["stderr"])
    assert 0.60 <= covered <= 0.76


@pytest.mark.parametrize("stderr", [None, 0.01])
def test_levels_take_the_asked_edge_of_a_peak_and_not_both(stderr):
    z = np.arange(0, 101, 1.0)
    c = 1e20 * np.exp(-np.where(z < 40, (40 - z) / 3, (z - 40) / 5))
    ds = one(z, c, stderr=None if stderr is None else stderr * c)
    levels = {"low": "1e16 atoms/cm^3", "high": "1e19 atoms/cm^3"}
    trailing = sims.decay_length(ds, **levels)
    leading = sims.decay_length(ds, edge="leading", **levels)
    assert number(trailing["decay_length"]) == pytest.approx(5)
    assert number(leading["decay_length"]) == pytest.approx(3)


@pytest.mark.parametrize("stderr", [None, [1e15] * 4])
def test_a_level_run_does_not_decay(stderr):
    found = sims.decay_length(one([0, 1, 3, 7], [3e16] * 4, stderr=stderr))
    assert math.isnan(number(found["decay_length"]))
    assert word(found["status"]) == "never_reached"


def test_levels_in_the_wrong_order_are_refused():
    with pytest.raises(ProfileError, match=r"low=.*high="):
        sims.decay_length(one([0, 1, 2], [4, 2, 1]), low="1e19 atoms/cm^3", high="1e17 atoms/cm^3")
