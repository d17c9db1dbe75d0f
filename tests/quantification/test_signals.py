"""Sums of signals, and signals as parts of a total, a species or a maximum."""

import warnings

import numpy as np
import pytest
import xarray as xr
from count_rates import interleaved, timed
from error_parts import raises, warns
from shared_profiles import delivered

import sims_analysis as sims
from sims_analysis.errors import ProfileError, ProfileWarning, SimsWarning, SpeciesError, UnitsError
from sims_analysis.outcomes import Flag


def poisson(time, seed=0, **expected):
    rng = np.random.default_rng(seed)
    rows = {name: rng.poisson(np.broadcast_to(k, np.shape(time))) for name, k in expected.items()}
    return sims.with_counting_statistics(timed(time, "counts", **rows))


def apart(**rows):
    """Give species that are measured one after the other, each on times of its own."""
    return interleaved(
        *(poisson(np.arange(20.0) + 0.2 * i, i, **{n: k}) for i, (n, k) in enumerate(rows.items()))
    )


def columns(ds, name, species):
    """Give value, error and common error of a signal, without samples that are not its own."""
    one = ds.sel(species=species)
    ends = ("", "_stderr", "_background_stderr")
    return [one.get(name + end, xr.zeros_like(one[name])).values for end in ends]


# --- sums -----------------------------------------------------------------------------------------


def test_an_interference_by_hand():
    ds = poisson(np.arange(30.0), **{"31P": 40, "30Si": 9000})
    found = sims.combine(ds, {"31P": {"31P": 1, "30Si": (-2e-3, "10 %")}, "k": {"30Si": "2e-3"}})
    p, si = ds["intensity"].values
    value, stderr, common = columns(found, "intensity", "31P")
    np.testing.assert_allclose(value, p - 2e-3 * si, rtol=1e-14)
    np.testing.assert_allclose(stderr, np.sqrt(p + 4e-6 * si), rtol=1e-14)
    np.testing.assert_allclose(common, 2e-4 * si, rtol=1e-14)
    assert np.isnan(found["intensity_counts"].sel(species="31P")).all()
    assert found["species"].values.tolist() == ["31P", "30Si", "k"]
    for name in ("intensity", "intensity_stderr", "intensity_counts"):
        np.testing.assert_array_equal(found[name].sel(species="30Si"), ds[name].sel(species="30Si"))
    assert "31P = 1 31P + -0.002 (+- 0.0002) 30Si" in found.attrs["history"]
    step = sims.provenance(found)["steps"][-1]
    assert step["parameters"]["signals"]["31P"] == {"31P": 1, "30Si": [-2e-3, "10 %"]}


def test_a_sum_of_counts_is_a_count():
    ds = poisson(np.arange(40.0), **{"10B": 0.6, "11B": 2.4, "total": 500})
    found = sims.combine(ds, {"B": {"10B": 1, "11B": 1}}).sel(species="B")
    both = ds["intensity"].sel(species=["10B", "11B"]).sum("species")
    again = sims.with_counting_statistics(timed(np.arange(40.0), "counts", B=both.values)).sel(
        species="B"
    )
    for name in ("intensity", "intensity_counts"):
        np.testing.assert_allclose(found[name], again[name], rtol=1e-14)
    some = both.values > 0
    np.testing.assert_allclose(found["intensity_stderr"][some], again["intensity_stderr"][some])
    single = ds["intensity_stderr"].values[0][ds["intensity"].values[0] == 0][0]
    np.testing.assert_allclose(found["intensity_stderr"][~some], single)
    # A count of one has another value than that of the other.
    scaled = ds.assign(intensity=ds["intensity"] * [[1.0], [2.0], [1.0]])
    scaled["intensity"].attrs = ds["intensity"].attrs
    other = sims.combine(scaled, {"B": {"10B": 1, "11B": 1}})["intensity_counts"].sel(species="B")
    counted = (ds["intensity"].sel(species=["10B", "11B"]) > 0).all("species")
    assert np.isnan(other.values[counted.values]).all()


def test_the_dose_of_a_sum_is_the_sum_of_doses():
    ds = sims.open_example("boron-implant")
    weights = {"B": 1, "P": -0.3}
    found = sims.integrated_dose(sims.combine(ds, {"x": weights}))
    apart = {one: found.sel(species=one).item() for one in ("B", "P", "x")}
    assert apart["x"] == pytest.approx(apart["B"] - 0.3 * apart["P"], rel=1e-13)


def test_on_axes_of_their_own_the_others_are_interpolated():
    ds = apart(**{"31P": 40, "30Si": 9000})
    found = sims.combine(ds, {"x": {"31P": 1, "30Si": -1e-3}})
    expected = sims.ratio(ds, numerator="31P", denominator="30Si")
    time = expected["sputter_time"].values
    one = found.sel(species="x").dropna("sputter_time", subset=["intensity"])
    np.testing.assert_array_equal(one["sputter_time"], time)
    p = ds["intensity"].sel(species="31P").dropna("sputter_time").values
    np.testing.assert_allclose(one["intensity"], p - 1e-3 * p / expected.values, rtol=1e-12)


def test_the_dose_of_a_sum_on_axes_of_their_own_is_that_within_a_part_of_its_error():
    time = np.arange(0.0, 120.0)
    parts = (
        poisson(time + shift, i, **{n: 100 * np.exp(-(((time - 50 - 8 * i) / 15) ** 2)) + 4})
        for i, (n, shift) in enumerate({"10B": 0.0, "11B": 0.4}.items())
    )
    ds = sims.with_rsf(
        sims.calibrate_depth(interleaved(*parts), rate="1 nm/s"), matrix=None,
        rsf=dict.fromkeys(["10B", "11B"], "1e15 atoms/cm^3 per count"),
    )  # fmt: skip
    each = sims.integrated_dose(ds)
    both = sims.integrated_dose(sims.combine(ds, {"B": {"10B": 1, "11B": 1}})).sel(species="B")
    stderr = float(np.hypot(*each["stderr"]))
    assert float(both["stderr"]) == pytest.approx(stderr, rel=0.005)
    assert abs(float(both - each.sum())) < 0.1 * stderr


def test_a_limit_of_a_sum():
    ds = poisson(np.arange(4.0), a=50, b=50, c=50)
    value = ds["intensity"].values.copy()
    value[0, 1] = value[2, 2] = np.nan
    limit = np.full(value.shape, np.nan)
    limit[0, 1], limit[2, 2] = 7.0, 5.0
    beside = ("species", "sputter_time"), limit, {"units": "count"}
    ds["intensity"] = ds["intensity"].copy(data=value)
    ds = ds.assign_coords(intensity_detection_limit=beside)
    found = sims.combine(ds, {"x": {"a": 2, "b": 1, "c": -1}}).sel(species="x")
    assert np.isnan(found["intensity"].values).tolist() == [False, True, True, False]
    expected = [np.nan, 2 * 7 + value[1, 1], 2 * value[0, 2] + value[1, 2], np.nan]
    np.testing.assert_allclose(found["intensity_detection_limit"].values, expected)
    flagged = found["intensity_quality"].values & Flag.BELOW_LIMIT != 0
    assert flagged.tolist() == [False, True, True, False]


def test_a_limit_that_does_not_matter_is_none_of_the_sum():
    """Not more than 1 % of the sum, or of its error where the sum is 0."""
    ds = poisson(np.arange(3.0), **{"31P": 1000, "30Si": 400})
    value = ds["intensity"].values
    value[:, 1], value[0, 2] = [1000.0, np.nan], 0.0
    value[1, 2] = np.nan
    ds = ds.assign(intensity=ds["intensity"].copy(data=value))
    limit = np.where(np.isnan(value), 9.0, np.nan)
    ds = ds.assign_coords(
        intensity_detection_limit=(ds["intensity"].dims, limit, {"units": "count"})
    )
    for weight, known in ((0, True), (-1e-3, True), (1e-3, True), (2.0, False), (-2.0, False)):
        found = sims.combine(ds, {"x": {"31P": 1, "30Si": weight}}).sel(species="x")
        x, limit = (found[f"intensity{end}"].values for end in ("", "_detection_limit"))
        assert np.isfinite(x[1:]).tolist() == [known, known]
        np.testing.assert_array_equal(np.isnan(limit[1:]), [known, known])
        flagged = found["intensity_quality"].values & Flag.BELOW_LIMIT != 0
        assert flagged.tolist() == [False, not known, not known]
        if known:
            np.testing.assert_array_equal(x[1:], [1000.0, 0.0])
        else:
            np.testing.assert_array_equal(
                limit[1:], [1000 + 9 * max(weight, 0), 9 * max(weight, 0)]
            )


def test_what_sums_are_refused(approved):
    ds = poisson(np.arange(9.0), **{"31P": 40, "30Si": 9000})
    with raises(SpeciesError, argument="signals", species="32S"):
        sims.combine(ds, {"x": {"32S": 1}})
    weights = (xr.DataArray(np.nan), (1, -0.1), (1, np.inf), (1, np.nan), "50 %", True, "1 nm")
    for signals in ({}, {"x": {}}, *({"x": {"31P": weight}} for weight in weights)):
        with raises(ProfileError, argument="signals", text=approved):
            sims.combine(ds, signals)
    with raises(ProfileError, "already_changed"):
        sims.with_counting_statistics(sims.combine(ds, {"x": {"31P": 1}}))
    rates = sims.with_rsf(
        poisson(np.arange(9.0), **{"11B": 40, "30Si": 900}),
        rsf="1e22 atoms/cm^3", matrix="30Si", keep_intensity=True,
    )  # fmt: skip
    with raises(SpeciesError, "repeated_species"):
        sims.combine(rates, {"11B": {"11B": 1, "30Si": -1e-3}}, variable="intensity")
    mixed = rates.drop_vars(["intensity", "intensity_stderr", "intensity_counts"])
    with raises(UnitsError, "missing_variable"):
        sims.combine(mixed, {"x": {"11B": 1, "30Si": 1}})


# --- normalised -----------------------------------------------------------------------------------


def test_fractions_by_hand():
    ds = poisson(np.arange(30.0), a=100, b=300, c=50)
    found = sims.normalise(ds, to="total")
    k = ds["intensity"].values
    total = k.sum(axis=0)
    np.testing.assert_allclose(found["fraction"].sum("species"), 1.0, rtol=1e-15)
    np.testing.assert_allclose(found["fraction"].values, k / total, rtol=1e-14)
    # The number a out of a + b is binomial: its variance is p (1 - p) / n.
    expected = np.sqrt(k / total * (1 - k / total) / total)
    np.testing.assert_allclose(found["fraction_stderr"].values, expected, rtol=1e-12)
    assert found["fraction"].attrs["units"] == "1"
    rows = dict(zip(["a", "b", "c", "total"], [*k, total], strict=True))
    whole = sims.with_counting_statistics(timed(np.arange(30.0), "counts", **rows))
    again = sims.normalise(whole, to="total").sel(species=["a", "b", "c"])
    for name in ("fraction", "fraction_stderr"):
        np.testing.assert_allclose(again[name].values, found[name].values, rtol=1e-12)


def test_sums_are_normalised_and_combined_again():
    ds = poisson(np.arange(30.0), a=100, b=300, c=50)
    ds = sims.combine(ds, {"a": {"a": 1, "c": (-0.1, 0.02)}})
    found = sims.normalise(ds.sel(species=["a", "b"]), to="total")
    a, b = (ds["intensity"].sel(species=one).values for one in "ab")
    common = ds["intensity_background_stderr"].sel(species="a").values
    expected = b / (a + b) ** 2 * common
    for one in "ab":
        np.testing.assert_allclose(columns(found, "fraction", one)[2], expected, rtol=1e-12)
    again = sims.combine(found, {"x": {"a": 2}})
    np.testing.assert_allclose(columns(again, "fraction", "x")[2], 2 * expected, rtol=1e-12)


def test_ratios_to_a_species_are_those_of_ratio():
    ds = apart(a=100, b=90000)
    found = sims.normalise(ds, to="b")
    a = found["ratio"].sel(species="a").dropna("sputter_time")
    expected = sims.ratio(ds, numerator="a", denominator="b")
    np.testing.assert_allclose(a.values, expected.values, rtol=1e-14)
    b, stderr, _ = columns(found, "ratio", "b")
    assert (b[np.isfinite(b)] == 1.0).all()
    assert (stderr[np.isfinite(b)] == 0.0).all()


def test_quotients_of_concentrations_have_the_errors_of_both_factors():
    """Of 3 and 4 %, which samples have in common; against factors drawn at random."""
    ds = poisson(np.arange(20.0), a=4e6, b=2e6, m=1e7)
    normal = np.random.default_rng(2).standard_normal((2, 400))
    rsf = {
        name: xr.DataArray(1e22, coords={"stderr": error}, attrs={"units": "atoms/cm^3"})
        for name, error in (("a", 3e20), ("b", 4e20))
    }
    q, window = sims.with_rsf(ds, rsf=rsf, matrix="m"), ("0 s", "19 s")
    a, b = (q["concentration"].sel(species=one).mean().item() for one in "ab")
    moved = [(a * (1 + 0.03 * z), b * (1 + 0.04 * y)) for z, y in normal.T]
    spread = np.std([z / y for z, y in moved]) / (a / b)
    of_total = np.std([z / (z + y) for z, y in moved]) / (a / (a + b))
    for made, expected in (
        (sims.ratio(q, numerator="a", denominator="b"), spread),
        (sims.ratio(q, numerator="a", denominator="b", kind="fraction"), of_total),
        (sims.normalise(q, to="b").sel(species="a"), spread),
        (sims.normalise(q, to="b", window=window).sel(species="a"), spread),
        (sims.normalise(q, to="total").sel(species="a"), of_total),
        (sims.normalise(q, to="total", window=window).sel(species="a"), of_total),
        (sims.normalise(q, to="b").sel(species="b"), 0.0),
        (sims.normalise(q, to="b", window=window).sel(species="b"), 0.0),
        (sims.normalise(q, to="maximum").sel(species="a"), 0.0),
    ):
        mean = sims.mean_value(made)
        relative = mean["stderr"].item() / mean.item()
        assert relative == pytest.approx(expected, rel=0.1, abs=1e-3)
        assert "sensitivity_factor_uncertainty" not in made.coords


def test_a_maximum_is_one_without_error():
    ds = poisson(np.arange(30.0), a=np.exp(-0.5 * ((np.arange(30) - 12) / 4) ** 2) * 400 + 2)
    found = sims.normalise(ds, to="maximum").isel(species=0)
    top = int(found["ratio"].argmax("sputter_time"))
    assert found["ratio"][top].item() == 1.0
    mean = sims.mean_value(found, start=f"{top - 0.2} s", stop=f"{top + 0.2} s")
    assert mean["stderr"].item() == pytest.approx(0.0, abs=1e-9)
    peak = sims.peak(found, start="2 s")
    assert abs(peak["sputter_time"].item() - 12) < 2


@pytest.mark.parametrize(("how", "highest"), [({}, 1e4), ({"window": ("0 s", "200 s")}, 5e4)])
def test_the_maximum_of_an_implant_lies_below_the_surface_transient(how, highest):
    time = np.arange(200.0)
    implant = 5e4 * np.exp(-time / 2) + 1e4 * np.exp(-(((time - 80) / 30) ** 2))
    found = sims.normalise(timed(time, "counts", a=implant), to="maximum", **how)
    assert found["ratio"].sel(sputter_time=80).item() == pytest.approx(1e4 / highest, rel=1e-3)


@pytest.mark.parametrize(("spike", "said"), [(300, True), (30, False)])
def test_a_maximum_of_a_single_sample_is_said_to_be_one(spike, said):
    ds = poisson(np.arange(200.0), a=100 * np.exp(-(((np.arange(200.0) - 80) / 30) ** 2)))
    ds["intensity"][..., 150] = spike
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        sims.normalise(ds, to="maximum")
    assert ["is a single sample" in str(one.message) for one in caught] == [True] * said


def test_a_stated_dose_counts_once_in_a_sum():
    ds = poisson(np.arange(40.0), **{"10B": 2000, "11B": 6000, "30Si": 9000})
    stated = {"coords": {"stderr": 1e21}, "attrs": {"units": "atoms/cm^3"}}
    factors = dict.fromkeys(["10B", "11B"], xr.DataArray(1e22, **stated))
    ds = sims.calibrate_depth(sims.with_rsf(ds, rsf=factors, matrix="30Si"), rate="1 nm/s")
    ds = ds.sel(species=["10B", "11B"])
    dose = {"10B": "1e14 atoms/cm^2", "11B": "3e14 atoms/cm^2"}
    ds = sims.scale_to_dose(ds, dose=dose, dose_uncertainty={"10B": 0.05, "11B": 0.02})
    both = sims.dose_budget(sims.combine(ds, {"B": {"10B": 1, "11B": 1}})).sel(species="B")
    error = np.hypot(0.05e14, 0.06e14)
    assert both["background_stderr"].item() == pytest.approx(error, rel=0.01)


def test_signals_made_of_their_matrix_are_said_to_be():
    ds = poisson(np.arange(40.0), **{"31P": 400, "30Si": 1000})
    for part, warned in ((-0.1, True), (-2e-4, False)):
        made = sims.combine(ds, {"31P": {"31P": 1, "30Si": part}})
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            sims.with_rsf(made, rsf={"31P": "1e22 atoms/cm^3"}, matrix="30Si")
        assert any("both made of 30Si" in str(one.message) for one in caught) == warned


def test_samples_that_are_lost_to_a_total_are_said(approved):
    ds = poisson(np.arange(40.0), a=50, b=100)
    early = ds.where((ds["species"] == "a") | (ds["sputter_time"] < 20))
    with warns(ProfileWarning, "not_measured", species="a", sputter_time="21 s", text=approved):
        found = sims.normalise(early, to="total")
    assert found["fraction"].sel(species="a").notnull().sum() == 21  # one cycle beyond
    with warns(ProfileWarning, "not_measured", species="a", sputter_time="0 s", text=approved):
        sims.normalise(poisson(np.arange(40.0), a=0, b=0), to="total")


def test_a_mean_of_samples_below_a_limit_puts_the_scale_in_doubt():
    ds = poisson(np.arange(20.0), a=50, b=100)
    hidden = (ds["species"] == "b") & (ds["sputter_time"] > 15)
    limit = ds["intensity"].dims, np.where(hidden, 20.0, np.nan), {"units": "count"}
    ds = ds.where(~hidden).assign_coords(intensity_detection_limit=limit)
    found = sims.normalise(ds, to="b", window=("10 s", "19 s")).sel(species="a")
    with warns(ProfileWarning, "scale_in_doubt", species="a"):
        assert sims.mean_value(found, stop="5 s")["status"].item() == "scale_in_doubt"


def test_a_mean_over_a_gap_interpolates_nothing():
    ds = poisson(np.arange(60.0), a=50, b=100)
    cut = ds.where((ds["species"] == "a") | (abs(ds["sputter_time"] - 30) > 10))
    found = sims.normalise(cut, to="b", window=("5 s", "55 s"))
    b = cut["intensity"].sel(species="b", sputter_time=slice(5, 55)).mean().item()
    expected = ds["intensity"].sel(species="a") / b
    np.testing.assert_allclose(found["ratio"].sel(species="a"), expected, rtol=1e-12)


@pytest.mark.parametrize("to", ["maximum", "total", "a"])
def test_nothing_cannot_be_normalised(to):
    ds = poisson(np.arange(9.0), a=10, b=20)
    for empty in (ds.isel(sputter_time=slice(0)), ds.where(ds["sputter_time"] < 0)):
        with raises(UnitsError, "missing_variable"):
            sims.normalise(empty, to=to)


def test_a_normalised_signal_is_data_like_any_other():
    time = np.arange(60.0)
    edge = 900 / (1 + np.exp((time - 30) / 2)) + 20
    ds = sims.calibrate_depth(poisson(time, a=edge, b=1000 - edge, c=30), rate="1 nm/s")
    found = sims.normalise(ds, to="total")
    assert sims.interface(found.sel(species="a"))["position"].item() == pytest.approx(30, abs=0.5)
    alloy = sims.composition(ds, numerator="a", denominator="b", factor=1.0, element=("A", "B"))
    again = sims.normalise(alloy.sel(species=["a", "b", "c"]), to="total")
    np.testing.assert_array_equal(again["fraction"], found["fraction"])
    of_one = sims.normalise(alloy, to="c", window=("0 nm", "50 nm"))
    assert of_one["species"].values.tolist() == ["a", "b", "c"]
    crossed = sims.crossings(found["fraction"].sel(species="a"), level="0.5")["depth"]
    assert crossed.values[0] == pytest.approx(29.8, abs=1)
    assert sims.layers(found, species="a", level="0.4").sizes["layer"] == 1


def test_fractions_of_a_total_with_a_part_below_its_limit_have_a_limit():
    """Where it matters, more than 1 % of the total; and 0 is no more than what it counts there."""
    ds = poisson(np.arange(3.0), a=1000, b=1000)
    value = ds["intensity"].values.copy()
    value[1, 1:] = np.nan
    limit = np.array([[np.nan] * 3, [np.nan, 0.005 * value[0, 1], 0.5 * value[0, 2]]])
    ds = ds.assign(intensity=ds["intensity"].copy(data=value)).assign_coords(
        intensity_detection_limit=(ds["intensity"].dims, limit, {"units": "count"})
    )
    found = sims.normalise(ds, to="total")
    share = value[0, 0] / value[:, 0].sum()
    np.testing.assert_allclose(found["fraction"].sel(species="a"), [share, 1.0, np.nan])
    np.testing.assert_array_equal(
        found["fraction_detection_limit"], [[np.nan, np.nan, 1.0], [np.nan, 0.005, 0.5]]
    )
    assert np.isnan(found["fraction_stderr"].sel(species="a")[2])
    assert sims.quality(found)["kind"].values.tolist() == ["below_limit"] * 2


def test_a_total_in_a_batch_is_of_the_species_that_each_measurement_has():
    three, two = poisson(np.arange(9.0), a=50, b=20, c=30), poisson(np.arange(9.0), 1, a=50, b=20)
    batch = sims.normalise(sims.stack([three, two], names=["x", "y"]), to="total")
    for alone, name in ((three, "x"), (two, "y")):
        own = sims.normalise(alone, to="total")
        found = batch.sel(measurement=name, species=own["species"])
        for column in ("fraction", "fraction_stderr"):
            np.testing.assert_allclose(found[column], own[column], rtol=1e-12)


# --- against a simulation -------------------------------------------------------------------------


def uncertain(value, error, n, rng):
    """Give a number that is measured with an error in each trial."""
    drawn = rng.normal(value, error, n)
    return xr.DataArray(
        drawn, dims="measurement", coords={"stderr": ("measurement", np.full(n, error))}
    )


def sums(ds, rng):
    weight = uncertain(-0.02, 0.002, ds.sizes["measurement"], rng)
    return sims.combine(ds, {"x": {"a": 1, "b": weight}}).sel(species="x")


def mixed(ds, rng):
    k = uncertain(3.0, 0.1, ds.sizes["measurement"], rng)
    made = sims.composition(ds, numerator="a", denominator="b", factor=k, element=("A", "B"))
    return made[["atomic_fraction", *(n for n in made if n.startswith("atomic_fraction_"))]].sel(
        species="A"
    )


def part(**how):
    return lambda ds, _: sims.normalise(ds, **how).sel(species="a")


WINDOW = ("8 s", "30 s")
#: What is made of a and b with k and 20 k counts a sample, and c with 5 k; and its true value.
SIMULATED = {
    "combine": (sums, lambda k: k - 0.02 * 20 * k),
    "combine counts": (
        lambda ds, _: sims.combine(ds, {"x": {"a": 1, "c": 1}}).sel(species="x"),
        lambda k: 6 * k,
    ),
    "normalise total": (part(to="total"), lambda _: 1 / 26),
    "normalise total, window": (part(to="total", window=WINDOW), lambda _: 1 / 26),
    "normalise itself, window": (part(to="a", window=WINDOW), lambda _: 1.0),
    "normalise species, window": (part(to="b", window=WINDOW), lambda _: 1 / 20),
    "composition": (mixed, lambda _: 3 / 23),
}


@pytest.mark.few(4, 14)
@pytest.mark.parametrize("counts", [10, 1000])
@pytest.mark.parametrize("name", SIMULATED)
def test_stated_errors_are_those_of_a_simulation(name, counts):
    n, time, rng = 400, np.arange(40.0), np.random.default_rng(counts)
    expected = counts * np.array([1.0, 20.0, 5.0])
    k = rng.poisson(expected[:, None], (n, 3, time.size)).astype(float)
    ds = xr.Dataset(
        {"intensity": (("measurement", "species", "sputter_time"), k, {"units": "count"})},
        {
            "measurement": np.arange(n),
            "species": ["a", "b", "c"],
            "sputter_time": ("sputter_time", time, {"units": "s"}),
        },
    )
    make, truth = SIMULATED[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SimsWarning)
        found = make(sims.with_counting_statistics(ds), rng)
        # The mean over a part of the window, and samples beyond.
        mean = sims.mean_value(found, start="20 s", stop="39 s")
    pull = (mean.values - truth(counts)) / mean["stderr"].values
    assert abs(pull.mean()) < 0.25
    assert 0.85 < pull.std() < 1.1, pull.std()


# --- a real file ----------------------------------------------------------------------------------


def test_a_time_of_flight_file():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SimsWarning)
        ds = sims.with_counting_statistics(delivered("uhasselt_psc_iontof/mapi_pos.raw.txt"))
    tin = ["^116Sn+", "^117Sn+", "^118Sn+", "^119Sn+", "Sn+", "^122Sn+", "^124Sn+"]
    found = sims.combine(ds, {"Sn": dict.fromkeys(tin, 1)})
    expected = ds["intensity"].sel(species=tin).sum("species")
    np.testing.assert_allclose(found["intensity"].sel(species="Sn"), expected, rtol=1e-12)
    assert found["intensity_counts"].sel(species="Sn").notnull().mean() > 0.9


@pytest.mark.slow
def test_species_measured_one_after_the_other():
    ds = delivered("uio_mina_cameca/time_x_axis.api.json")
    names = ds["species"].values.tolist()
    parts = sims.normalise(ds, to="total")["fraction"]
    every = {"all": dict.fromkeys(names, 1)}
    both = sims.combine(ds, every)["intensity"].sel(species="all")
    lazy = sims.combine(ds.chunk(), every).compute()["intensity"].sel(species="all")
    np.testing.assert_array_equal(lazy, both)
    own = {one: ds["intensity"].sel(species=one).dropna("sputter_time") for one in names}
    time = own[names[0]]["sputter_time"].values
    total = sum(np.interp(time, one["sputter_time"], one) for one in own.values())
    inside = slice(1, -1)  # at the ends, from the same cycle
    found = both.dropna("sputter_time").values
    np.testing.assert_allclose(found[inside], total[inside], rtol=1e-13)
    first = parts.sel(species=names[0]).dropna("sputter_time").values
    np.testing.assert_allclose(first[inside], (own[names[0]] / total)[inside], rtol=1e-13)


def test_signals_of_the_same_parts_are_not_independent():
    """The errors of these are wrong, as a simulation shows: there is a warning of each."""
    ds = poisson(np.arange(9.0), A=100, C=300)
    parts = sims.normalise(ds, to="total")
    sums = sims.combine(ds, {"d": {"A": 1, "C": -1}, "s": {"A": 1, "C": "1"}})
    of_both = {"numerator": "A", "denominator": "C"}
    alloy = sims.composition(ds, **of_both, factor=1, element=("Ge", "Si"))
    for made in (
        lambda: sims.ratio(parts, **of_both),
        lambda: sims.normalise(parts, to="C"),
        lambda: sims.combine(parts, {"x": {"A": 1, "C": 1}}),
        lambda: sims.combine(sums, {"x": {"d": 1, "s": 1}}),
        lambda: sims.combine(alloy, {"x": {"Ge": 1, "Si": -1}}),
        lambda: sims.composition(
            sums, numerator="s", denominator="C", factor=1, element=("P", "Q")
        ),
    ):
        with warns(SimsWarning, "shared_parts"):
            made()
    slight = sims.combine(ds, {"A": {"A": 1, "C": (-2e-4, 1e-5)}})
    sims.ratio(slight, **of_both)
    sims.combine(sims.normalise(ds, to="maximum"), {"x": {"A": 1, "C": 1}})
    sims.ratio(parts.drop_vars("fraction_stderr"), **of_both)


def test_a_total_counts_nothing_twice(approved):
    z = xr.DataArray(np.arange(50.0), dims="sputter_time", attrs={"units": "s"})
    rates = xr.DataArray(
        np.full((3, 50), [[20.0], [80.0], [900.0]]),
        {"species": ["10B", "11B", "30Si"], "sputter_time": z},
        ("species", "sputter_time"), "intensity", {"units": "count/s"},
    ).to_dataset()  # fmt: skip
    made = sims.combine(rates, {"B": {"10B": 1, "11B": 1}})
    with raises(sims.SpeciesError, "repeated_species", argument="to", text=approved):
        sims.normalise(made, to="total")
    fraction = sims.normalise(made.sel(species=["B", "30Si"]), to="total")["fraction"]
    assert float(fraction.sel(species="B")[0]) == pytest.approx(0.1)
    named = rates.assign_coords(species=["10B", "11B", "Total"])
    assert float(sims.normalise(named, to="total")["fraction"][0, 0]) == pytest.approx(20 / 900)
