"""Control charts against the NIST/SEMATECH e-Handbook of Statistical Methods, and by counting."""

import numpy as np
import pytest
import xarray as xr
from error_parts import raises, warns

import sims_analysis as sims
from sims_analysis.errors import ProfileError, ProfileWarning, UnitsError

#: 6.3.2.2, and the last ten values of 6.3.2.4.
FLOW = [49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1]


def values(numbers, units="1", **coords):
    made = {name: ("measurement", one) for name, one in coords.items()}
    return xr.DataArray(list(numbers), dims="measurement", coords=made, attrs={"units": units})


def flags(numbers, rules, centre="0"):
    chart = sims.control_chart(values(numbers), rules=rules, target=centre, stddev="1")
    return {
        int(i): (chart["status"].values[i], chart["rule"].values[i])
        for i in np.flatnonzero(chart["status"].values != "ok")
    }


def test_individuals_of_nist():
    # https://www.itl.nist.gov/div898/handbook/pmc/section3/pmc322.htm
    chart = sims.control_chart(values(FLOW))
    printed = {"centre": 50.81, "upper": 55.8041, "lower": 45.8159}
    for name, number in printed.items():
        assert chart[name].values == pytest.approx([number] * 10, abs=5e-5)
    assert chart["stddev"].item() * 1.128 == pytest.approx(1.8778, abs=5e-5)
    assert set(chart["status"].values) == {"ok"}


def test_moving_average_of_nist():
    # .../pmc324.htm: EWMA0 50, s 2.0539, lambda 0.3, k 3
    numbers = [52.0, 47.0, 53.0, 49.3, 50.1, 47.0, 51.0, 50.1, 51.2, 50.5, *FLOW]
    chart = sims.control_chart(
        values(numbers), kind="ewma", weight=0.3, width=3, target="50", stddev="2.0539"
    )
    printed = [50.60, 49.52, 50.56, 50.18, 50.16, 49.21, 49.75, 49.85, 50.26, 50.33, 50.11, 49.36,
               49.52, 50.05, 49.38, 49.92, 50.73, 51.23, 51.94, 51.99]  # fmt: skip
    assert chart["average"].values == pytest.approx(printed, abs=5.1e-3)
    assert chart["upper"].values[-1] == pytest.approx(52.5884, abs=1e-4)
    assert chart["lower"].values[-1] == pytest.approx(47.4115, abs=1e-4)
    assert chart["upper"].values[0] == pytest.approx(50 + 3 * 0.3 * 2.0539)  # of one value
    assert set(chart["status"].values) == {"ok"}


def test_cumulative_sums_of_nist():
    # .../pmc323.htm: target 325, k = 0.3175, h = 4.1959
    numbers = [324.925, 324.675, 324.725, 324.350, 325.350, 325.225, 324.125, 324.525, 325.225,
               324.600, 324.625, 325.150, 328.325, 327.250, 327.825, 328.500, 326.675, 327.775,
               326.875, 328.350]  # fmt: skip
    chart = sims.control_chart(
        values(numbers), kind="cusum", target="325", stddev="0.635", limits=("-4.1959", "4.1959")
    )
    high = [0, 0, 0, 0, 0.03, 0, 0, 0, 0, 0, 0, 0, 3.01, 4.94, 7.45, 10.63, 11.99, 14.44, 16.00,
            19.04]  # fmt: skip
    low = [0, 0.01, 0, 0.33, 0, 0, 0.56, 0.72, 0.17, 0.25, 0.31, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    assert chart["upper_sum"].values == pytest.approx(high, abs=5.1e-3)
    assert -chart["lower_sum"].values == pytest.approx(low, abs=5.1e-3)
    assert chart["status"].values.tolist() == ["ok"] * 13 + ["beyond_limits"] * 7


def test_capability_of_nist():
    # .../pmc16.htm: USL 20, LSL 8, mean 16, s 2: Cp 1.0, Cpk 0.6667
    x = values(16 + 2 * np.tile([-1, 1], 25) * (49 / 50) ** 0.5, "nm")
    found = sims.capability(x, lower="8 nm", upper="20 nm")
    assert found["stddev"].item() == pytest.approx(2.0)
    assert found["cp"].item() == pytest.approx(1.0)
    assert found["cpk"].item() == pytest.approx(0.6667, abs=5e-5)
    # Their intervals for n = 50: Cp sqrt(chi2 / 49) with 31.5549 and 70.2224; of Cpk by 1.96.
    assert found["cp_lower"].item() == pytest.approx((31.5549 / 49) ** 0.5, rel=1e-5)
    assert found["cp_upper"].item() == pytest.approx((70.2224 / 49) ** 0.5, rel=1e-5)
    half = 1.96 * (1 / 450 + (2 / 3) ** 2 / 98) ** 0.5
    assert found["cpk_lower"].item() == pytest.approx(2 / 3 - half, abs=1e-5)
    one = sims.capability(x, upper="20 nm")
    assert np.isnan(one["cp"].item())
    assert one["cpk"].item() == pytest.approx(2 / 3)


def test_rules_flag_the_point_that_completes_them():
    quiet = [0.1, -0.1] * 10
    assert flags([*quiet, 3.1], "limits") == {20: ("beyond_limits", "beyond_limits")}
    assert flags([*quiet, 3.0, -3.0], "limits") == {}  # at a limit is not beyond it
    assert flags([*quiet, 2.1, 0.1, 2.2], "two_of_three") == {22: ("two_of_three", "two_of_three")}
    assert flags([*quiet, 2.1, 0.1, -2.2], "two_of_three") == {}
    assert flags([*quiet, 1.1, 1.2, -0.1, 1.1, 1.3], "four_of_five").keys() == {24}
    steady = [0.2, 0.1, 0.3, 0.1, 0.2, 0.1, 0.2, 0.1, 0.3]
    assert flags([-0.1, *steady], "run_of_eight").keys() == {8, 9}
    assert flags([-0.1, *steady], "run_of_nine") == {9: ("run", "run_of_nine")}
    assert flags([0, -0.5, -0.4, -0.2, 0.1, 0.3, 0.4], "trend_of_six") == {
        6: ("trend", "trend_of_six")
    }
    assert flags([0.3, 0.2, 0.1, 0.0, 0.0, -0.1], "trend_of_six") == {}
    assert flags([0.3, -0.3] * 7, "fourteen_alternating").keys() == {13}
    assert flags([0.3, -0.3] * 6 + [0.3, 0.4], "fourteen_alternating") == {}
    assert flags([0.5, -0.5, 0.1] * 5, "fifteen_within").keys() == {14}
    assert flags([1.1, -1.2] * 4, "eight_without").keys() == {7}
    everything = flags([1.1] * 9, "nelson")
    assert everything[8] == ("four_of_five", "four_of_five, run_of_nine, eight_without")


def test_values_are_charted_in_order_of_time_and_nan_is_no_data(approved):
    time = np.array(["2026-03-03", "2026-03-01", "2026-03-02", "2026-03-04"], dtype="M8[ns]")
    x = values([3.0, 1.0, np.nan, 7.0], "nm", time=time, measurement=["c", "a", "b", "d"],
               stderr=[0.1] * 4)  # fmt: skip
    chart = sims.control_chart(x, baseline=("2026-03-01", "2026-03-03"))
    assert chart["measurement"].values.tolist() == ["a", "b", "c", "d"]
    assert chart["status"].values.tolist() == ["ok", "no_data", "ok", "ok"]
    assert chart["centre"].values[0] == 2.0
    assert chart["in_baseline"].values.tolist() == [True, False, True, False]
    by_label = sims.control_chart(x, baseline=("a", "c"))
    assert by_label["upper"].equals(chart["upper"])
    with raises(ProfileError, "missing_time", argument="values", text=approved):
        sims.control_chart(x.assign_coords(time=x["time"].where(x["time"] > time[1])))
    ewma = sims.control_chart(x, kind="ewma", baseline=("a", "c"))
    assert ewma["average"].values == pytest.approx([1.8, 1.8, 2.04, 3.032])
    assert ewma["upper"].values[1] == ewma["upper"].values[0] < ewma["upper"].values[2]


@pytest.mark.parametrize(
    ("change", "error", "code"),
    [
        ({"target": 50}, UnitsError, "missing_unit"),
        ({"target": "50 nm"}, UnitsError, "wrong_unit"),
        ({"baseline": ("x", "y")}, ProfileError, "invalid_argument"),
        ({"stddev": None, "baseline": (0, 0)}, ProfileError, "invalid_argument"),
        ({"rules": "westgard"}, ProfileError, "invalid_argument"),
        ({"rules": "nelson", "kind": "ewma"}, ProfileError, "invalid_argument"),
        ({"weight": 0}, ProfileError, "invalid_argument"),
        ({"limits": "34"}, ProfileError, "invalid_argument"),
        ({"stddev": "0"}, ProfileError, "invalid_argument"),
    ],
)
def test_what_is_refused(change, error, code):
    x = values(FLOW, measurement=np.arange(10))
    with raises(error, code, argument=next(iter(change))):
        sims.control_chart(x, **change)


def test_what_is_no_series(approved):
    with raises(UnitsError, "missing_unit"):
        sims.control_chart(xr.DataArray([1.0, 2.0], dims="measurement"))
    with raises(ProfileError, "wrong_dimensions", argument="values"):
        sims.control_chart(np.array(FLOW))
    with raises(ProfileError, "wrong_dimensions", argument="values"):
        sims.control_chart(values(FLOW).expand_dims("species", axis=1))
    for dim in ("species", "depth", "layer"):
        along = values(FLOW).rename(measurement=dim)
        for question in (sims.control_chart, sims.capability, sims.uniformity):
            with raises(ProfileError, "wrong_dimensions", argument="values", text=approved):
                question(along)
    for one in ([1.0, 1.0], [1.0]):
        with raises(ProfileError, "too_few_values", argument="values"):
            sims.capability(values(one), upper="2")
    with raises(ProfileError, argument="lower"):
        sims.capability(values(FLOW))


def test_counting_and_process_are_told_apart():
    rng = np.random.default_rng(4)
    counts = rng.poisson(rng.normal(10_000, 200, 400).clip(1))
    chart = sims.control_chart(values(counts.astype(float), "count", stderr=counts**0.5))
    assert chart["counting_stddev"].item() == pytest.approx(100, rel=0.02)
    assert chart["process_stddev"].item() == pytest.approx(200, rel=0.1)
    alone = rng.poisson(10_000, 30).astype(float)
    chart = sims.control_chart(values(alone, "count", stderr=alone**0.5))
    assert chart["process_stddev_lower"].item() == 0.0
    assert np.isnan(sims.control_chart(values(FLOW))["process_stddev"].item())
    # Of one of them, counting is not known.
    error = np.where(np.arange(400) == 7, np.nan, counts**0.5)
    some, others = (
        sims.control_chart(values(counts[known].astype(float), "count", stderr=error[known]))
        for known in (np.full(400, True), np.isfinite(error))
    )
    for name in ("counting_stddev", "process_stddev", "process_stddev_upper"):
        assert some[name].item() == others[name].item()


@pytest.mark.slow
@pytest.mark.parametrize("process", [0.0, 2.0])
def test_the_interval_of_the_process_covers_as_stated(process):
    rng, n, runs = np.random.default_rng(8), 12, 400
    hits, zeros = 0, 0
    for _ in range(runs):
        s = rng.uniform(0.7, 1.3, n)
        x = values(100 + process * rng.standard_normal(n) + s * rng.standard_normal(n), stderr=s)
        chart = sims.control_chart(x)
        ends = [chart[f"process_stddev_{end}"].item() for end in ("lower", "upper")]
        hits += ends[0] <= process <= ends[1]
        zeros += chart["process_stddev"].item() == 0.0
    expected = 0.975 if process == 0 else 0.95
    assert hits / runs == pytest.approx(expected, abs=3 * (expected * (1 - expected) / runs) ** 0.5)
    assert (zeros > 0.4 * runs) == (process == 0)


def run_lengths(kind, shift, runs, rules="limits", length=1500, **options):
    """How many values pass until the first is flagged."""
    rng, found = np.random.default_rng(3), []
    for _ in range(runs):
        total = 0
        while True:  # one that is not over goes on, with sums that begin anew
            x = values(shift + rng.standard_normal(length))
            chart = sims.control_chart(x, kind=kind, rules=rules, target="0", stddev="1", **options)
            flagged = np.flatnonzero(chart["status"].values != "ok")
            if flagged.size:
                found.append(total + int(flagged[0]) + 1)
                break
            total += length
    return np.mean(found), np.std(found) / runs**0.5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "rules", "published"),
    [
        # Montgomery, Introduction to Statistical Quality Control; Champ and Woodall (1987) for the
        # rules of Western Electric; Lucas and Saccucci (1990) for the moving average.
        ("individuals", "limits", (370.4, 43.9)),
        ("individuals", "western_electric", (91.75, 9.22)),
        ("ewma", "limits", (370.0, 8.8)),
        ("cusum", "limits", (465.0, 10.4)),
    ],
)
def test_average_run_lengths_are_those_published(kind, rules, published):
    for shift, expected in zip((0.0, 1.0), published, strict=True):
        mean, error = run_lengths(kind, shift, 250, rules, 1500 if shift == 0 else 200)
        assert mean == pytest.approx(expected, abs=3 * error + 0.01 * expected)


def test_uniformity_takes_counting_out():
    rng = np.random.default_rng(6)
    true = 1.0 + 0.02 * np.sin(np.arange(49))
    s = np.full(49, 0.02)
    found = sims.uniformity(values(true + s * rng.standard_normal(49), stderr=s))
    assert found["counting_stddev"].item() == pytest.approx(0.02, rel=0.01)
    assert found["process_stddev"].item() == pytest.approx(true.std(ddof=1), rel=0.3)
    assert found["process_half_range"].item() < found["half_range"].item()
    flat = sims.uniformity(values([1.0, 1.01, 0.99, 1.0], stderr=[0.02] * 4))
    assert flat["process_stddev"].item() == 0.0
    assert flat["process_half_range"].item() == 0.0
    assert flat["half_range"].item() == pytest.approx(0.01)
    some = sims.uniformity(values([0.9, 1.1, 1.0, 1.0], stderr=[0.01, 0.01, np.nan, np.nan]))
    assert some["process_half_range"].item() == some["half_range"].item()
    with raises(ProfileError, "too_few_values", argument="values"):
        sims.uniformity(values([-1.0, 1.0]))
    with raises(ProfileError, "too_few_values", argument="values"):
        sims.uniformity(values([1.0, np.nan]))


def test_times_of_a_baseline_are_unambiguous():
    x = values(FLOW, date=np.arange("2026-02-01", "2026-02-11", dtype="datetime64[D]"))
    for wrong in ("01.02.2026", "01/02/2026", "2026-01-32"):
        with raises(ProfileError, argument="baseline"):
            sims.control_chart(x, baseline=(wrong, "2026-02-05"))
    with raises(ProfileError, argument="baseline"):
        sims.control_chart(x, baseline=("2026-02-05", "2026-02-01"))


def test_several_values_of_a_day_are_warned_of():
    x = values(
        FLOW[:3], date=np.array(["2026-02-01T08", "2026-02-02T08", "2026-02-02T09"], "M8[ns]")
    )
    with warns(ProfileWarning, "several_a_day") as warned:
        sims.control_chart(x)
    assert str(warned[0].message).endswith('values.groupby(values["date"].dt.floor("D")).mean()')
    chart = sims.control_chart(x.groupby(x["date"].dt.floor("D")).mean())
    assert chart["value"].values == pytest.approx([FLOW[0], (FLOW[1] + FLOW[2]) / 2])
    two = x.assign_coords(loaded=x["date"] + np.timedelta64(1, "h"))
    with raises(ProfileError, "ambiguous_time", argument="values"):
        sims.control_chart(two)


def test_standard_errors_are_read_in_their_own_unit():
    x = values([4.9e14, 5.0e14, 5.1e14], "atom/cm^2")
    x = x.assign_coords(stderr=("measurement", [2e16] * 3, {"units": "atom/m^2"}))
    assert sims.control_chart(x)["counting_stddev"].item() == pytest.approx(2e12)


def test_scatter_of_samples_is_not_taken_for_counting():
    """Of few samples, it would be the weight of their mean, and make scatter between means."""
    counts = np.random.default_rng(0).poisson(100, (40, 1, 4)).astype(float)
    ds = xr.Dataset(
        {"intensity": (("measurement", "species", "depth"), counts, {"units": "count"})},
        {"species": ["B"], "depth": ("depth", np.arange(4.0), {"units": "nm"})},
    )
    plain = sims.control_chart(sims.mean_value(ds).sel(species="B"))
    assert np.isnan([plain[name] for name in ("counting_stddev", "process_stddev")]).all()
    counted = sims.mean_value(sims.with_counting_statistics(ds)).sel(species="B")
    known = sims.control_chart(counted)
    assert float(known["counting_stddev"]) == pytest.approx(5.0, rel=0.05)
    assert float(known["process_stddev_lower"]) == 0.0
