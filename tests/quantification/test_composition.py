"""Compositions, what follows them, and isotopes against their natural ratios."""

import warnings

import numpy as np
import pytest
import xarray as xr
from count_rates import interleaved, timed
from error_parts import raises, warns
from scipy.integrate import quad
from shared_profiles import delivered

import sims_analysis as sims
from sims_analysis.errors import ProfileError, ProfileWarning, SimsWarning, SpeciesError, UnitsError

TIME = np.arange(0.0, 200.0)
#: Of Ge in Si: a layer between two edges.
X = 0.3 / (1 + np.exp((TIME - 120) / 3)) / (1 + np.exp((60 - TIME) / 3))
K = 1.7


def alloy(x=X, counts=2e4, seed=0, **more):
    """Count both signals of an alloy: x / (1 - x) = K Ge / Si."""
    rng = np.random.default_rng(seed)
    rows = {"74Ge": counts * x / K, "30Si": counts * (1 - x), **more}
    return sims.with_counting_statistics(
        timed(TIME, "counts", **{one: rng.poisson(k) for one, k in rows.items()})
    )


def test_a_composition_by_hand():
    ds = alloy()
    found = sims.composition(ds, numerator="74Ge", denominator="30Si", factor=(K, "4 %"))
    a, b = ds["intensity"].values
    r = a / b
    x = found["atomic_fraction"].sel(species="Ge").values
    # Half of the second derivatives over both counts, times their variances, is the bias.
    bias = K * a * b * (1 - K) / (K * a + b) ** 3
    np.testing.assert_allclose(x, K * r / (1 + K * r) - bias, rtol=1e-13)
    np.testing.assert_allclose(found["atomic_fraction"].sel(species="Si"), 1 - x, rtol=1e-13)
    of_ratio = sims.ratio(ds, numerator="74Ge", denominator="30Si")["stderr"].values
    for one in ("Ge", "Si"):
        random = found["atomic_fraction_stderr"].sel(species=one)
        np.testing.assert_allclose(random, K / (1 + K * r) ** 2 * of_ratio, rtol=1e-12)
        common = found["atomic_fraction_background_stderr"].sel(species=one)
        expected = r / (1 + K * r) ** 2 * 0.04 * K
        np.testing.assert_allclose(common.fillna(0.0), expected, rtol=1e-12)
    inside = sims.mean_value(found.sel(species="Ge"), start="75 s", stop="105 s")
    assert inside.item() == pytest.approx(0.3, abs=3 * inside["stderr"].item())
    assert inside["stderr"].item() > 0.3 * 0.7 * 0.039


@pytest.mark.parametrize("k", [0.2, 5.0])
def test_few_counts_do_not_bias_a_composition(k):
    rng, both = np.random.default_rng(3), {"numerator": "74Ge", "denominator": "30Si"}
    counts = rng.poisson(10.0, (2, 20000)).astype(float)
    time = np.arange(20000.0)
    ds = sims.with_counting_statistics(
        timed(time, "counts", **{"74Ge": counts[0], "30Si": counts[1]})
    )
    found = sims.composition(ds, factor=k, **both)["atomic_fraction"].sel(species="Ge")
    plain = float(np.mean(k * counts[0] / (k * counts[0] + counts[1])))
    true, error = k / (1 + k), float(found.std()) / 20000**0.5
    assert abs(plain - true) > 10 * error
    assert abs(found.mean().item() - true) < 3 * error
    assert (found >= 0).all()
    assert (found <= 1).all()


def test_a_saturated_standard():
    """The detector of Si writes at most 15000 counts."""
    ds, both = alloy(), {"numerator": "74Ge", "denominator": "30Si"}
    cut = ds[["intensity"]].clip(max=15000).assign_coords(ds.coords)
    cut["intensity"].attrs["units"] = "count"
    with warns(ProfileWarning, "saturated", species="30Si"):
        found = sims.composition(ds, standard=cut, fraction=0.2, window=("50 s", "150 s"), **both)
    known = sims.quality(found, variable="atomic_fraction")
    assert set(known["kind"].values.tolist()) == {"scale_in_doubt"}


def test_a_pure_layer_is_no_saturated_detector():
    pure = np.where(TIME < 60, 1.0, 0.9 * X)
    found = sims.composition(alloy(pure), numerator="74Ge", denominator="30Si", factor=K)
    assert (found["atomic_fraction"].sel(species="Ge")[:60] == 1.0).all()
    assert "saturated" not in sims.quality(found)["kind"].values


def test_a_composition_as_profiles():
    """The signals of a measured file are in counts per second, and the elements in fractions."""
    found = sims.composition(
        sims.open_example("zno-li"), numerator="115In", denominator="70Zn", factor=(0.01, "5 %"),
        element=("In", "Zn"),
    )  # fmt: skip
    again = sims.to_dataset(sims.to_profiles(found))
    for name in ("atomic_fraction", "atomic_fraction_background_stderr"):
        a, b = (one[name].sel(species="In").values for one in (found, again))
        np.testing.assert_allclose(a[np.isfinite(a)], b[np.isfinite(b)], rtol=1e-12)


def test_the_factor_of_a_standard():
    standard = alloy(np.full(TIME.size, 0.2), seed=1)
    ds = alloy()
    both = {"numerator": "74Ge", "denominator": "30Si"}
    found = sims.composition(ds, standard=standard, fraction=(0.2, 0.004), **both)
    a, b = standard["intensity"].sum("sputter_time").values
    k = 0.25 / (a / b)
    error = k * np.sqrt((0.004 / 0.16) ** 2 + 1 / a + 1 / b)
    again = sims.composition(ds, factor=(k, error), **both)
    for name in ("atomic_fraction", "atomic_fraction_background_stderr"):
        np.testing.assert_allclose(found[name].values, again[name].values, rtol=1e-10)


def test_what_compositions_are_refused():
    ds, both = alloy(), {"numerator": "74Ge", "denominator": "30Si"}
    for options, parts in (
        (both, {"code": "conflicting_arguments"}),
        ({**both, "factor": 0}, {"argument": "factor"}),
        ({**both, "standard": ds, "fraction": 1.2}, {"argument": "fraction"}),
    ):
        with raises(ProfileError, **parts):
            sims.composition(ds, **options)
    with raises(SpeciesError, argument="numerator", species="Ge"):
        sims.composition(ds, **both | {"numerator": "Ge"}, factor=1)
    with raises(SpeciesError, "conflicting_arguments", argument="denominator"):
        sims.composition(ds, numerator="74Ge", denominator="74Ge", factor=1)
    named = ds.assign_coords(species=["Cs74Ge+", "Cs30Si+"])
    with raises(SpeciesError, "not_an_isotope", "element", species="Cs74Ge+"):
        sims.composition(named, numerator="Cs74Ge+", denominator="Cs30Si+", factor=1)
    found = sims.composition(
        named, numerator="Cs74Ge+", denominator="Cs30Si+", factor=1, element=("Ge", "Si")
    )
    assert found["species"].values.tolist() == ["Cs74Ge+", "Cs30Si+", "Ge", "Si"]


def test_a_factor_follows_the_composition(approved):
    """Of boron at a constant concentration, whose signal falls with Ge as does that of Si."""
    boron = 2000 * (1 - X) / (1 + 2 * X)
    ds = alloy(**{"11B": boron})
    with warns(ProfileWarning, species="30Si", text=approved):
        flat = sims.with_rsf(ds[["intensity"]], rsf={"11B": "1e20 atoms/cm^3"}, matrix="30Si")
    middle = flat.sel(sputter_time=slice(80, 100))["concentration"].sel(species="11B").mean()
    made = sims.composition(ds, numerator="74Ge", denominator="30Si", factor=K)
    x = made["atomic_fraction"].sel(species="Ge", drop=True)
    factor = (1 + 2 * x).assign_attrs(units="atoms/cm^3") * 1e20
    factor = factor.drop_vars([c for c in factor.coords if c != "sputter_time"])
    good = sims.with_rsf(made, rsf={"11B": factor.assign_attrs(units="atoms/cm^3")}, matrix="30Si")
    inside = good["concentration"].sel(species="11B", sputter_time=slice(80, 100)).mean()
    assert inside.item() == pytest.approx(1e19, rel=0.02)
    assert middle.item() < 0.7e19


def test_factors_and_rates_stated_over_a_composition(approved):
    ds = alloy(**{"11B": np.full(TIME.size, 2000.0)})
    made = sims.composition(ds, numerator="74Ge", denominator="30Si", factor=K)
    at = np.array([0.0, 0.15, 0.5])
    stated = xr.DataArray([1e20, 1.5e20, 3e20], {"Ge": at}, attrs={"units": "atoms/cm^3"})
    stated = stated.assign_coords(stderr=("Ge", [1e18, 3e18, 6e18]))
    x = made["atomic_fraction"].sel(species="Ge", drop=True).values
    options = {"matrix": "30Si", "keep_intensity": True}
    found = sims.with_rsf(made, rsf={"11B": stated}, **options)
    factor = found["sensitivity_factor"].sel(species="11B")
    np.testing.assert_allclose(factor, np.interp(x, at, stated.values), rtol=1e-12)
    error = found["sensitivity_factor_uncertainty"].sel(species="11B")
    np.testing.assert_allclose(error * factor, np.interp(x, at, stated["stderr"]), rtol=1e-12)
    rate = xr.DataArray([0.2, 0.4], {"Ge": [0.0, 0.5]}, attrs={"units": "nm/s"})
    deep = sims.calibrate_depth(made, rate=rate)["depth"].values
    assert deep[-1] == pytest.approx(np.trapezoid(np.interp(x, [0, 0.5], [0.2, 0.4]), TIME))
    batch = sims.with_rsf(
        sims.stack([made, made], names=["a", "b"]), rsf={"11B": stated}, **options
    )
    both = batch["sensitivity_factor"].sel(species="11B", measurement="b")
    np.testing.assert_allclose(both, factor, rtol=1e-12)
    # Measured between samples of the fraction, which is interpolated.
    apart = made.where(made["species"] != "11B", made.shift(sputter_time=-1))
    apart["atomic_fraction"][:, 1::2] = np.nan
    between = sims.with_rsf(apart, rsf={"11B": stated}, **options)["sensitivity_factor"]
    follows = np.interp(np.interp(TIME, TIME[::2], x[::2]), at, stated.values)
    np.testing.assert_allclose(between.sel(species="11B"), follows, rtol=1e-12)
    with warns(ProfileWarning, argument="rsf", text=approved) as warned:
        short = sims.with_rsf(made, rsf={"11B": stated[:2]}, **options)
    assert warned[0].filename == __file__
    none = short["concentration"].sel(species="11B").isnull()
    np.testing.assert_array_equal(none, x > 0.15)
    per_cent = stated.assign_coords(Ge=100 * stated["Ge"])
    for wrong in (stated[:1], stated.drop_vars("Ge"), stated[[0, 0]], per_cent):
        with raises(ProfileError, argument="rsf"):
            sims.with_rsf(made, rsf={"11B": wrong}, **options)
    with raises(ProfileError, argument="rsf"):
        sims.with_rsf(made, rsf={"11B": stated.rename(Ge="Sn")}, **options)
    with raises(ProfileError, argument="rsf"):
        sims.with_rsf(made, rsf={"11B": lambda x: 1e20 * (1 + 2 * x)}, **options)
    with raises(UnitsError, "missing_unit", argument="rsf"):
        sims.with_rsf(made, rsf={"11B": stated.drop_attrs()}, **options)


@pytest.mark.slow
def test_what_follows_a_composition_has_its_errors():
    """That of k against the steps with another k; random ones against the scatter of samples."""
    factor = xr.DataArray([1e20, 3e20], {"Ge": [0.0, 0.6]}, attrs={"units": "atoms/cm^3"})
    rate = xr.DataArray([0.2, 0.4], {"Ge": [0.0, 0.6]}, attrs={"units": "nm/s"})

    def steps(k, counts):
        ds = alloy(0.3 + 0 * TIME, counts, **{"11B": 1e4 + 0 * TIME, "28Si": 1e7 + 0 * TIME})
        made = sims.composition(ds, numerator="74Ge", denominator="30Si", factor=(k, "5 %"))
        found = sims.with_rsf(made, rsf={"11B": factor}, matrix="28Si", keep_intensity=True)
        deep = sims.calibrate_depth(found, rate=rate)
        found = sims.calibrate_depth(found, rate="0.3 nm/s").sel(species="11B")
        return found, deep

    (one, deep), (other, deeper) = (steps(k, 1e6) for k in (K, 1.05 * K))
    for question in (sims.mean_value, sims.integrated_dose):
        value, error = question(one), question(one)["stderr"].item()
        assert error == pytest.approx((question(other) - value).item(), rel=0.1)
    change = deeper["depth"][-1] / deep["depth"][-1] - 1
    assert deep["depth_scale_uncertainty"].item() == pytest.approx(change.item(), rel=0.03)
    noisy = steps(K, 200)[0]
    scatter = noisy["concentration"].std().item()
    assert scatter == pytest.approx(noisy["concentration_stderr"].mean().item(), rel=0.15)
    assert scatter > 3 * 0.01 * noisy["concentration"].mean().item()


@pytest.mark.parametrize("unknown", ["gap", "end", "limit"])
def test_where_a_composition_is_not_known_no_factor_follows_it(unknown, approved):
    ds = alloy(**{"11B": np.full(TIME.size, 2000.0)})
    lost = (TIME > 80) & ((TIME < 110) | (unknown == "end"))
    ge = ds["species"] == "74Ge"
    cut = ds.where(~(ge & xr.DataArray(lost, dims="sputter_time")))
    if unknown == "limit":
        limit = np.where(lost & ge.values[:, None], 1.0, np.nan)
        cut = cut.assign_coords(intensity_detection_limit=(ds["intensity"].dims, limit))
        cut["intensity_detection_limit"].attrs["units"] = "counts"
    made = sims.composition(cut, numerator="74Ge", denominator="30Si", factor=K)
    factor = xr.DataArray([1e20, 3e20], {"Ge": [0.0, 0.6]}, attrs={"units": "atoms/cm^3"})
    if unknown == "end":  # in the same cycle the last sample stands
        lost[81] = False
    with warns(ProfileWarning, argument="rsf", text=approved):
        found = sims.with_rsf(made, rsf={"11B": factor}, matrix="30Si")
    none = found["concentration"].sel(species="11B").isnull()
    np.testing.assert_array_equal(none, lost)
    rate = xr.DataArray([0.2, 0.4], {"Ge": [0.0, 0.6]}, attrs={"units": "nm/s"})
    with warns(ProfileWarning, argument="rate", text=approved):
        sims.calibrate_depth(made, rate=rate)


def test_what_follows_a_saturated_composition_says_so():
    ds = alloy(**{"11B": np.full(TIME.size, 2000.0)})
    ds["intensity"][0] = ds["intensity"][0].clip(max=2500.0)
    made = sims.composition(ds, numerator="74Ge", denominator="30Si", factor=K)
    saturated = made["atomic_fraction_quality"].sel(species="Ge").values & 4 != 0
    assert 20 < saturated.sum() < 60
    factor = xr.DataArray([1e20, 3e20], {"Ge": [0.0, 0.6]}, attrs={"units": "atoms/cm^3"})
    with warns(ProfileWarning, argument="rsf"):
        found = sims.with_rsf(made, rsf={"11B": factor}, matrix="30Si").sel(species="11B")
    doubt = found["concentration_quality"].values & 128 != 0
    np.testing.assert_array_equal(doubt, saturated)
    rate = xr.DataArray([0.2, 0.4], {"Ge": [0.0, 0.6]}, attrs={"units": "nm/s"})
    with warns(ProfileWarning, argument="rate"):
        sims.calibrate_depth(made, rate=rate)


def test_a_rate_follows_the_compositions_of_a_batch_with_axes_of_their_own():
    rate = xr.DataArray([0.2, 0.4], {"Ge": [0.0, 0.5]}, attrs={"units": "nm/s"})
    each = [alloy(), alloy(seed=1).isel(sputter_time=slice(0, 150, 2))]
    each = [sims.composition(d, numerator="74Ge", denominator="30Si", factor=K) for d in each]
    both = sims.calibrate_depth(sims.stack(each, names=["a", "b"]), rate=rate)["depth"]
    for name, one in zip("ab", each, strict=True):
        depth = sims.calibrate_depth(one, rate=rate)["depth"].values
        own = both.sel(measurement=name).isel(species=0, missing_dims="ignore").dropna("point")
        np.testing.assert_allclose(own, depth, rtol=1e-12)


def test_a_graded_matrix_is_said_to_change_and_noise_is_not():
    rng, boron = np.random.default_rng(5), np.full(TIME.size, 50)
    for graded, counts, warned in ((0.12, 1e5, True), (0.28, 1e4, True), (0.08, 1e5, False),
                                  (0.0, 30, False), (0.0, 3, False)):  # fmt: skip
        for _ in range(4):
            rows = {"11B": boron, "30Si": counts * (1 - graded * TIME / TIME[-1])}
            ds = timed(TIME, **{n: rng.poisson(one).astype(float) for n, one in rows.items()})
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                sims.with_rsf(ds, rsf={"11B": "1e20 atoms/cm^3"}, matrix="30Si")
            assert any("changing matrix" in str(one.message) for one in caught) == warned


def test_depths_by_a_rate_along_the_samples():
    time = np.array([1.0, 2.0, 4.0, 5.0])
    ds = timed(time, B=[1.0, 2.0, 3.0, 4.0])
    v = np.array([0.2, 0.4, np.nan, 0.1])
    rate = xr.DataArray(v, dims="sputter_time", coords={"sputter_time": time})
    rate = rate.assign_attrs(units="nm/s")
    found = sims.calibrate_depth(ds, rate=rate)["depth"].values

    def at(t):
        return np.interp(t, time[[0, 1, 3]], v[[0, 1, 3]])

    expected = [quad(at, 0, t, points=[1, 2, 5])[0] for t in time]
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    constant = sims.calibrate_depth(ds, rate=rate.fillna(1) * 0 + rate.copy(data=np.full(4, 0.3)))
    np.testing.assert_allclose(constant["depth"], 0.3 * time, rtol=1e-14)
    two = sims.stack([ds, ds], names=["a", "b"])
    each = xr.concat([rate, 2 * rate], "measurement", combine_attrs="override")
    each = each.assign_coords(measurement=["a", "b"]).assign_attrs(units="nm/s")
    both = sims.calibrate_depth(two, rate=each)["depth"]
    np.testing.assert_allclose(both.isel(measurement=1).values, 2 * np.array(expected), rtol=1e-9)
    with raises(ProfileError, argument="rate"):
        sims.calibrate_depth(ds, rate=rate * 0)


# --- isotopes -------------------------------------------------------------------------------------


def isotopes(seed=0, loses=0.0, **more):
    """Count the isotopes of silicon, the abundant one by a detector with a dead time."""
    rng = np.random.default_rng(seed)
    rate = 2e5 / (1 + np.exp((TIME - 100) / 10)) + 2e3
    rows = {"28Si": rate / (1 + rate * loses), "29Si": 0.0508 * rate, "30Si": 0.03353 * rate}
    for name, k in more.items():
        rows[name] = rows[name] + k
    return timed(TIME, "counts", **{one: rng.poisson(k) for one, k in rows.items()})


@pytest.mark.parametrize("errors", [True, False])
def test_natural_isotopes_are_ok(errors):
    ds = isotopes()
    ds = sims.with_counting_statistics(ds) if errors else ds
    found = sims.isotope_ratios(ds)
    assert found["pair"].values.tolist() == ["29Si/28Si", "30Si/28Si"]
    assert found["status"].values.tolist() == ["ok", "ok"]
    k = ds["intensity"].sum("sputter_time").values
    np.testing.assert_allclose(found["mean_ratio"], k[1:] / k[0], rtol=1e-12)
    if errors:
        expected = found["mean_ratio"] * np.sqrt(1 / k[1:] + 1 / k[0])
        np.testing.assert_allclose(found["mean_ratio_stderr"], expected, rtol=1e-3)
    one = sims.ratio(ds, numerator="30Si", denominator="28Si")
    np.testing.assert_allclose(found["ratio"].sel(pair="30Si/28Si"), one, rtol=1e-13)


@pytest.mark.slow
def test_few_counts_are_no_interference():
    rng, natural = np.random.default_rng(4), 0.199 / 0.801
    for rare in (1.0, 3.0, 8.0):
        for _ in range(7):
            k = {"10B": rng.poisson(rare / 50, 50), "11B": rng.poisson(rare / natural / 50, 50)}
            ds = sims.with_counting_statistics(timed(np.arange(50.0), "counts", **k))
            assert sims.isotope_ratios(ds)["status"].item() == "ok"
    none = timed(np.arange(50.0), "counts", **{"10B": 0 * k["10B"], "11B": 5 + 0 * k["11B"]})
    with warns(ProfileWarning, "interference"):
        found = sims.isotope_ratios(counted := sims.with_counting_statistics(none))
    assert found["mean_ratio_stderr"].item() == pytest.approx(1.84 / 250, rel=2e-3)
    assert sims.isotope_ratios(counted.chunk()).compute()["status"].equals(found["status"])
    with warns(ProfileWarning, "undetermined"):
        sims.isotope_ratios(none)


def test_an_interference_and_a_dead_time_are_told_apart():
    constant = sims.with_counting_statistics(isotopes(**{"30Si": 400}))
    with warns(ProfileWarning, "interference"):
        found = sims.isotope_ratios(constant)
    assert found["status"].values.tolist() == ["ok", "interference"]
    dead = sims.with_counting_statistics(isotopes(loses=1e-6))
    with warns(ProfileWarning, "saturated"):
        found = sims.isotope_ratios(dead)
    assert found["status"].values.tolist() == ["saturated", "saturated"]
    # Where the rates are low, nothing is lost.
    low = sims.isotope_ratios(dead, start="150 s")
    assert low["status"].values.tolist() == ["ok", "ok"]


def test_a_loss_shows_below_the_discrimination_of_masses():
    """4 % at the highest rate, and a ratio of which the mean is off by less than 5 %."""
    few = sims.with_counting_statistics(isotopes(loses=2e-7))
    with warns(ProfileWarning, "saturated"):
        found = sims.isotope_ratios(few)
    assert found["mean_ratio"][0] < 1.05 * found["natural_ratio"][0]


def test_samples_cut_off_by_a_detector_are_seen_in_the_values():
    """Also where a constant interference makes the ratio fall with the rate."""
    ds = isotopes(**{"30Si": 4000})
    cut = ds.clip(max=[[1e5], [1e9], [1e9]] * xr.ones_like(ds["intensity"], int))
    cut["intensity"].attrs["units"] = "count"
    with warns(ProfileWarning, "saturated"):
        found = sims.isotope_ratios(sims.with_counting_statistics(cut))
    assert found["status"].values.tolist() == ["saturated", "saturated"]


@pytest.mark.slow
def test_isotopes_in_other_layouts(approved):
    ds = sims.with_counting_statistics(isotopes(**{"30Si": 400}))
    parts = [
        ds.isel(species=[i]).assign_coords(
            sputter_time=("sputter_time", TIME + 0.2 * i, {"units": "s"})
        )
        for i in range(3)
    ]
    own = interleaved(*parts)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SimsWarning)
        alone = sims.isotope_ratios(ds)
        for other in (sims.stack([ds, ds]).chunk(measurement=1), sims.quantify(sims.stack([ds]))):
            found = sims.dequantify(sims.isotope_ratios(other)).compute().isel(measurement=0)
            assert found["status"].values.tolist() == alone["status"].values.tolist()
            np.testing.assert_allclose(found["mean_ratio"], alone["mean_ratio"], rtol=1e-12)
        moved = sims.isotope_ratios(own)
    np.testing.assert_allclose(moved["mean_ratio"], alone["mean_ratio"], rtol=1e-2)
    with raises(SpeciesError, "not_an_isotope"):
        sims.isotope_ratios(ds.isel(species=[0]))


@pytest.mark.slow
def test_isotopes_of_a_time_of_flight_file():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SimsWarning)
        ds = sims.with_counting_statistics(delivered("uhasselt_psc_iontof/mapi_pos.raw.txt"))
        found = sims.isotope_ratios(ds).sel(pair="113In/115In")
    a, b = ds["intensity"].sel(species=["^113In+", "In+"]).sum("sputter_time").values
    assert found["mean_ratio"].item() == pytest.approx(a / b, rel=1e-12)
    assert found["mean_ratio"].item() == pytest.approx(0.221, abs=5e-4)
    assert found["natural_ratio"].item() == pytest.approx(0.0429 / 0.9571, rel=5e-3)
    assert found["status"].item() == "saturated"


def test_isotopes_are_compared_where_both_were_measured():
    implant = 4e4 * np.exp(-(((TIME - 50) / 12) ** 2) / 2) + 2
    counts = np.random.default_rng(1).poisson([0.199 * implant, 0.801 * implant]).astype(float)
    counts[1, (TIME > 41) & (TIME < 63)] = np.nan
    both = ~np.isnan(counts[1])
    found = sims.isotope_ratios(
        sims.with_counting_statistics(timed(TIME, "counts", **{"10B": counts[0], "11B": counts[1]}))
    )
    assert found["mean_ratio"].item() == pytest.approx(
        counts[0, both].sum() / counts[1, both].sum()
    )
    assert found["status"].item() == "ok"
