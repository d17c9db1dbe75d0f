"""Two profiles against each other, many against their mean."""

import numpy as np
import pytest
import xarray as xr
from comparison_pairs import DEPTH, EDGE, dataset, gaussian
from error_parts import raises, warns

import sims_analysis as sims
from sims_analysis.errors import ProfileError, SpeciesError, UnitsError

# --- compare ------------------------------------------------------------------------------------


def test_a_factor_is_found_everywhere():
    a = dataset(DEPTH, B=EDGE)
    b = dataset(DEPTH, B=2.0 * EDGE)
    found = sims.compare(a, b, level="1e18 atoms/cm^3").isel(species=0)
    np.testing.assert_allclose(found["ratio"].values, 2.0, rtol=1e-15)
    np.testing.assert_allclose(found["log_ratio"].values, np.log10(2), rtol=1e-13)
    assert float(found["rms_log_ratio"]) == pytest.approx(np.log10(2))
    assert int(found["samples"]) == DEPTH.size
    assert float(found["dose_ratio"]) == pytest.approx(2.0)
    # The edge falls by a factor 2 in 8 ln 2 nm.
    assert float(found["junction_shift"]) == pytest.approx(8 * np.log(2), rel=1e-12)
    assert str(found["junction_status"].values) == "ok"
    assert str(found["status"].values) == "ok"
    assert found["ratio"].attrs["units"] == "1"
    assert found["dose_a"].attrs["units"] == "atom/cm^2"


def test_errors_of_a_ratio_in_quadrature():
    z = np.arange(4.0)
    a = dataset(z, B=[1e18, 2e18, 0.0, 2e18])
    b = dataset(z, B=[2e18, 0.0, 1e18, -1e18])
    errors = {"a": [1e17, 1e17, 1e17, 2e17], "b": [4e17, 3e17, 1e17, 1e17]}
    for ds, values in ((a, errors["a"]), (b, errors["b"])):
        ds["concentration_stderr"] = (("species", "depth"), [values], {"units": "atom/cm^3"})
    found = sims.compare(a, b).isel(species=0)
    wanted = [2 * np.hypot(0.1, 0.2), 0.15, np.nan, 0.5 * np.hypot(0.1, 0.1)]
    np.testing.assert_allclose(found["ratio_stderr"], wanted, rtol=1e-14)
    logs = [np.hypot(0.1, 0.2) / np.log(10), np.nan, np.nan, np.nan]
    np.testing.assert_allclose(found["log_ratio_stderr"], logs, rtol=1e-14)
    assert "ratio_stderr" not in sims.compare(a, b.drop_vars("concentration_stderr"))
    assert "ratio_stderr" not in sims.compare(a.drop_vars("concentration_stderr"), b)


def test_a_dose_of_zero_leaves_the_ratio_its_error():
    z = np.arange(5.0)
    a, b = dataset(z, 0.1, B=[1e18] * 5), dataset(z, B=[0, 1e17, 0, -1e17, 0])
    b["concentration_stderr"] = (("species", "depth"), [[1e17] * 5], {"units": "atom/cm^3"})
    found = sims.compare(a, b, method="linear").isel(species=0)
    assert float(found["dose_ratio"]) == 0
    # Three whole weights and two halves, over 4 nm of 1e18.
    assert float(found["dose_ratio_stderr"]) == pytest.approx(np.sqrt(3.5) * 0.1 / 4)


def test_other_axis_is_interpolated_and_only_in_the_overlap():
    z = np.arange(20.3, 200.0, 1.7)
    b = dataset(z, B=3e20 * np.exp(-z / 8.0))
    found = sims.compare(dataset(DEPTH, B=EDGE), b, rule="loglinear").isel(species=0)
    ratio = found["ratio"]
    assert ratio["depth"].values.tolist() == DEPTH.tolist()
    assert (np.isnan(ratio.values) == (DEPTH < 20.3)).all()
    np.testing.assert_allclose(ratio.dropna("depth").values, 3.0, rtol=1e-13)
    assert (float(found["overlap_start"]), float(found["overlap_stop"])) == (20.3, 149.0)
    exact = 1e20 * 8e-7 * (np.exp(-20.3 / 8) - np.exp(-149 / 8))
    assert float(found["dose_a"]) == pytest.approx(exact, rel=1e-12)
    assert float(found["dose_b"]) == pytest.approx(3 * exact, rel=1e-12)


def test_zeros_have_no_ratio_and_no_logarithm():
    a = dataset(np.arange(4.0), B=[0.0, 1.0, 2.0, 4.0])
    b = dataset(np.arange(4.0), B=[1.0, 0.0, -2.0, 40.0])
    found = sims.compare(a, b).isel(species=0)
    np.testing.assert_array_equal(found["ratio"].values, [np.nan, 0.0, -1.0, 10.0])
    np.testing.assert_allclose(found["log_ratio"].values, [np.nan, np.nan, np.nan, 1.0], rtol=1e-15)
    assert int(found["samples"]) == 1
    assert float(found["rms_log_ratio"]) == pytest.approx(1.0, rel=1e-15)


def test_no_overlap_and_no_data_are_statuses():
    a = dataset(np.arange(5.0), B=np.ones(5), P=np.ones(5), As=np.ones(5))
    b = dataset(np.arange(10.0, 15.0), B=np.ones(5), P=np.ones(5), As=np.full(5, np.nan))
    found = sims.compare(a, b)
    assert found["status"].values.tolist() == ["no_overlap", "no_overlap", "no_data"]
    for name in ("ratio", "rms_log_ratio", "dose_a", "dose_b", "dose_ratio", "overlap_start"):
        assert np.isnan(found[name].values).all(), name
    assert found["samples"].values.tolist() == [0, 0, 0]


def test_species_are_paired_by_name(approved):
    a = dataset(DEPTH, B=EDGE, P=2 * EDGE)
    b = dataset(DEPTH, As=EDGE, P=6 * EDGE, B=5 * EDGE)
    found = sims.compare(a, b)
    assert found["species"].values.tolist() == ["B", "P"]
    np.testing.assert_allclose(found["dose_ratio"].values, [5.0, 3.0])
    one = sims.compare(a, b.sel(species="P"))
    assert float(one["dose_ratio"]) == pytest.approx(3.0)
    arrays = sims.compare(a["concentration"].sel(species="P"), b["concentration"])
    assert float(arrays["dose_ratio"]) == pytest.approx(3.0)
    # Two chosen by hand are compared whatever they are called.
    chosen = sims.compare(a.sel(species="B"), b.sel(species="P"))
    assert float(chosen["dose_ratio"]) == pytest.approx(6.0)
    with raises(SpeciesError, text=approved):
        sims.compare(a.isel(species=[0]), b.isel(species=[0]))


def test_batch_against_one_and_batch_against_batch():
    one = dataset(DEPTH, B=EDGE, P=EDGE)
    factors = [1.0, 2.0, 3.0]
    shared = [dataset(DEPTH, B=f * EDGE, P=EDGE).assign_attrs(data_id=f"w{f}") for f in factors]
    own = [ds.isel(depth=slice(i, None)) for i, ds in enumerate(shared)]
    for parts in (shared, own):
        batch = sims.stack(parts)
        found = sims.compare(one, batch, level="1e18 atoms/cm^3")
        assert found["dose_ratio"].dims in (("measurement", "species"), ("species", "measurement"))
        np.testing.assert_allclose(
            found["dose_ratio"].transpose("measurement", "species").values,
            [[f, 1.0] for f in factors],
            rtol=1e-13,
        )
        for i, ds in enumerate(parts):
            alone = sims.compare(one, ds, level="1e18 atoms/cm^3")
            got = found.isel(measurement=i).transpose(*alone["ratio"].dims)
            for name in alone.data_vars:
                if alone[name].dtype.kind == "U":
                    assert got[name].values.tolist() == alone[name].values.tolist()
                else:
                    np.testing.assert_allclose(got[name].values, alone[name].values, rtol=1e-14)
        np.testing.assert_allclose(
            sims.compare(batch, one)["dose_ratio"].transpose("measurement", "species").values,
            [[1 / f, 1.0] for f in factors],
            rtol=1e-13,
        )
        same = sims.compare(batch, batch.isel(measurement=[2, 0]))
        assert same["measurement"].values.tolist() == ["w1.0", "w3.0"]
        np.testing.assert_allclose(same["dose_ratio"].values, 1.0)


def test_intensities_have_no_dose():
    a = dataset(DEPTH, units="counts/s", B=EDGE)
    found = sims.compare(a, a)
    assert "dose_ratio" not in found
    assert float(found["rms_log_ratio"][0]) == 0.0
    with raises(UnitsError, "missing_variable"):
        sims.compare(a, dataset(DEPTH, B=EDGE))
    with raises(ProfileError, "conflicting_arguments"):
        sims.compare(a, a, which="first")


# --- repeatability ------------------------------------------------------------------------------


def test_repeatability_of_known_spread():
    factors = np.array([0.9, 1.0, 1.1, 1.2])
    batch = sims.stack([dataset(DEPTH, B=f * EDGE, P=EDGE) for f in factors])
    found = sims.repeatability(batch, level="1e18 atoms/cm^3").sel(species="B")
    rsd = np.std(factors, ddof=1) / factors.mean()
    np.testing.assert_allclose(found["concentration"].values, 1.05 * EDGE)
    np.testing.assert_allclose(found["concentration_rsd"].values, rsd)
    assert (found["concentration_n"] == 4).all()
    assert float(found["dose_rsd"]) == pytest.approx(rsd)
    depths = 8 * np.log(1e20 * factors / 1e18)
    assert float(found["junction_depth"]) == pytest.approx(depths.mean())
    assert float(found["junction_depth_stddev"]) == pytest.approx(np.std(depths, ddof=1))
    assert found["junction_depth_stddev"].attrs["units"] == "nm"
    assert found["dose"].attrs["units"] == "atom/cm^2"


def test_repeatability_on_own_axes_needs_a_grid():
    parts = [
        dataset(DEPTH[::2], B=EDGE[::2]),
        dataset(DEPTH + 0.5, B=1.2e20 * np.exp(-(DEPTH + 0.5) / 8.0)),
    ]
    batch = sims.stack(parts)
    found = sims.repeatability(batch, step="5 nm").sel(species="B")
    both = found["concentration_n"] == 2
    np.testing.assert_allclose(
        found["concentration_rsd"].values[both], np.std([1, 1.2], ddof=1) / 1.1, rtol=1e-12
    )


def test_one_measurement_of_a_batch_is_compared_with_each_of_it():
    parts = [dataset(DEPTH, B=f * EDGE, P=EDGE).assign_attrs(data_id=f"w{f}") for f in (1, 2, 3)]
    own = [ds.isel(depth=slice(i, None)) for i, ds in enumerate(parts)]
    for batch in (sims.stack(parts), sims.stack(own)):
        chosen = batch.isel(measurement=1)
        assert chosen["measurement"].ndim == 0
        found = sims.compare(chosen, batch)
        assert found["measurement"].values.tolist() == ["w1", "w2", "w3"]
        ratio = found["dose_ratio"].transpose("measurement", "species")
        np.testing.assert_allclose(ratio, [[0.5, 1], [1, 1], [1.5, 1]], rtol=1e-13)
        back = sims.compare(batch, chosen)
        np.testing.assert_allclose(back["dose_ratio"] * ratio, 1.0, rtol=1e-13)
        assert found["dose_a"].dims == found["dose_b"].dims == found["overlap_start"].dims


@pytest.mark.parametrize("method", ["log", "linear"])
@pytest.mark.parametrize("rule", ["trapezoid", "loglinear"])
def test_doses_are_those_of_integrated_dose(method, rule):
    a, b = dataset(DEPTH, B=EDGE), dataset(DEPTH, B=2 * EDGE)
    found = sims.compare(a, b, method=method, rule=rule)
    assert found["dose_a"].values == sims.integrated_dose(a, rule=rule).values
    default = sims.compare(a, b, method=method)
    assert default["dose_b"].values == sims.integrated_dose(b).values
    for name in ("dose_a", "dose_b", "dose_ratio"):
        assert found[name].attrs["rule"] == rule
        assert default[name].attrs["rule"] == "trapezoid"


# --- gaps ---------------------------------------------------------------------------------------

HOLED = np.where((DEPTH > 60) & (DEPTH < 100), np.nan, EDGE)


@pytest.mark.filterwarnings("ignore::sims_analysis.errors.SimsWarning")
def test_a_gap_in_either_profile_has_status_gap():
    with warns(sims.errors.ProfileWarning, "gap", species="B"):
        sims.compare(dataset(DEPTH, B=HOLED), dataset(DEPTH, B=EDGE))
    a, b = dataset(DEPTH, B=EDGE), dataset(DEPTH, B=HOLED)
    hidden = np.isnan(HOLED)
    short = a.isel(depth=slice(0, -2))
    for batch in (sims.stack([a, b]), sims.stack([short, b])):
        found = sims.compare(a, batch)
        assert found["status"].values.tolist() == [["ok"], ["gap"]]
        np.testing.assert_array_equal(np.isnan(found["ratio"][1, 0]), hidden)
    assert sims.compare(b, a)["status"].item() == "gap"
    beyond = a.isel(depth=DEPTH <= 60)  # the gap is not in the overlap
    assert sims.compare(beyond, b)["status"].item() == "ok"


def test_the_warning_names_the_profile_with_the_gap_and_its_dose(approved):
    z = np.arange(0.0, 100.0, 2.0)
    ds = dataset(z, B=gaussian(z, centre=40.0))
    hole = ds.where((z < 30) | (z > 60))
    hole["concentration"].attrs["units"] = "atom/cm^3"
    for a, b in ((ds, hole), (hole, ds)):
        with warns(sims.ProfileWarning, "gap", start="28 nm", stop="62 nm", text=approved):
            found = sims.compare(a, b, rule="loglinear")
        assert found["status"].values.tolist() == ["gap"]
    counted = {"units": "counts/s"}
    a, b = (one.rename(concentration="intensity") for one in (ds, hole))
    a["intensity"].attrs, b["intensity"].attrs = counted, dict(counted)
    with warns(sims.ProfileWarning, "gap", species="B"):
        sims.compare(a, b)


def test_junctions_of_both_are_those_of_each_and_their_status_is_that_of_the_first_without_one():
    z = np.arange(0.0, 150.0)
    a = dataset(z, stderr=0.01, B=EDGE, P=EDGE, As=EDGE * 1e-6)
    b = dataset(z, stderr=0.02, B=2 * EDGE, P=EDGE * 1e-6, As=np.full(z.size, 1e19))
    found = sims.compare(a, b, level="1e17 atoms/cm^3")
    for name, data in (("junction_a", a), ("junction_b", b)):
        own = sims.junction_depth(data, level="1e17 atoms/cm^3")
        np.testing.assert_array_equal(found[name], own)
        assert found[name].attrs["long_name"] == own.attrs["long_name"]
    assert found["junction_status"].values.tolist() == ["ok", "never_reached", "never_reached"]
    np.testing.assert_allclose(found["junction_shift"], [8 * np.log(2), np.nan, np.nan], rtol=1e-9)
    assert np.isnan(found["junction_shift_stderr"]).values.tolist() == [False, True, True]
    turned = sims.compare(b, a, level="1e17 atoms/cm^3")
    assert turned["junction_status"].values.tolist() == ["ok", "never_reached", "always_above"]
    bare = sims.compare(a.drop_vars("concentration_stderr"), b, level="1e17 atoms/cm^3")
    assert "junction_shift_stderr" not in bare


def test_the_error_of_a_shift_is_that_of_both_junctions():
    counts = np.random.default_rng(4).poisson(40 * np.exp(-DEPTH / 30), (40, 1, DEPTH.size))
    ds = xr.Dataset(
        {"concentration": (("measurement", "species", "depth"), counts * 1e17, {"units": "cm^-3"})},
        {
            "measurement": np.arange(40),
            "species": ["B"],
            "depth": ("depth", DEPTH, {"units": "nm"}),
        },
    )
    ds = sims.with_counting_statistics(ds, value_per_count="1e17 atoms/cm^3")
    level = {"level": "6.5e17 atoms/cm^3", "which": 1}
    error = sims.junction_depth(ds, **level)["stderr"].values
    other = ds.isel(measurement=slice(None, None, -1)).assign_coords(measurement=np.arange(40))
    found = sims.compare(ds, other, **level)["junction_shift_stderr"]
    np.testing.assert_allclose(found.values, np.hypot(error, error[::-1]), rtol=1e-12)


def test_of_the_labels_of_both_those_that_agree_are_kept():
    a = dataset(DEPTH, B=EDGE, P=EDGE).assign_coords(
        tool="ims", lot="L1", wafer=7, site=("species", ["x", "y"])
    )
    b = dataset(DEPTH, B=EDGE, P=EDGE).assign_coords(
        tool="ims", lot="L2", operator="me", site=("species", ["x", "z"])
    )
    found = sims.compare(a, b)
    assert set(found["dose_ratio"].coords) == {"species", "tool"}
    assert found["tool"].item() == "ims"
    assert set(found["ratio"].coords) == {"species", "depth", "tool"}
    batch = sims.stack([b, b], names=["x", "y"])
    for one, other in ((a, batch), (batch, a)):
        assert sims.compare(one, other)["measurement"].values.tolist() == ["x", "y"]
