"""Intensities to concentrations: one factor for one species, and none for the matrix."""

import json

import numpy as np
import pytest
import xarray as xr
from count_rates import interleaved, timed
from error_parts import raises, warns

import sims_analysis as sims
from sims_analysis.errors import ProfileError, ProfileWarning, SpeciesError, UnitsError

TIME = np.arange(0.0, 101.0, 2.0)
COUNTS = timed(TIME, B=1e6 * np.exp(-TIME / 10), Si=np.full(TIME.size, 2e5))


def test_rsf_by_cycle_takes_out_drift():
    drift = 1 + 0.1 * TIME / 100
    ds = timed(TIME, B=1e6 * np.exp(-TIME / 10) * drift, Si=2e5 * drift)
    found = sims.with_rsf(ds, rsf="4e22 atoms/cm^3", matrix="Si", keep_intensity=True)
    np.testing.assert_allclose(
        found["concentration"].sel(species="B").values, 2e23 * np.exp(-TIME / 10), rtol=1e-14
    )
    assert found["concentration"].sel(species="Si").isnull().all()
    assert found["concentration"].attrs["units"] == "atom/cm^3"
    assert float(found["sensitivity_factor"].sel(species="B")) == 4e22
    assert np.isnan(found["sensitivity_factor"].sel(species="Si"))
    np.testing.assert_array_equal(found["intensity"].values, ds["intensity"].values)
    assert (
        "RSF * intensity / Si of the same cycle, RSF in atom/cm^3: B 4e+22, by"
        in found.attrs["history"]
    )


def test_rsf_as_an_array_over_species():
    rsf = xr.DataArray(
        [1e22, 4e22],
        dims="species",
        coords={"species": ["Si", "B"]},
        attrs={"units": "atoms/cm^3"},
    )
    found = sims.with_rsf(COUNTS, rsf=rsf, matrix="Si")
    expected = sims.with_rsf(COUNTS, rsf={"B": "4e22 atoms/cm^3"}, matrix="Si")
    # A matrix divided by itself is no concentration.
    xr.testing.assert_identical(found.drop_attrs(), expected.drop_attrs())


@pytest.mark.filterwarnings("ignore:.*the mean matrix signal is")
def test_rsf_by_mean_and_window(approved):
    matrix = np.where(TIME < 10, 1e9, 2e5)
    ds = timed(TIME, B=np.full(TIME.size, 1e3), Si=matrix)
    options = {"rsf": {"B": "4e22 atoms/cm^3"}, "matrix": "Si", "matrix_signal": "mean"}
    with warns(ProfileWarning, "not_measured", species="B", sputter_time="10 s", text=approved):
        sims.with_rsf(ds, **options)
    whole = sims.with_rsf(ds, **options, matrix_threshold=0)["concentration"].sel(species="B")
    np.testing.assert_allclose(whole.values, 4e22 * 1e3 / matrix.mean(), rtol=1e-14)
    inside = sims.with_rsf(ds, **options, window=("10 s", "90 s"))["concentration"]
    np.testing.assert_allclose(inside.sel(species="B").values, 4e22 * 1e3 / 2e5, rtol=1e-14)


@pytest.mark.filterwarnings("ignore:.*changing matrix")
def test_rsf_on_interleaved_axes(approved):
    b, si = TIME[:-1] + 0.7, TIME
    parts = [timed(b, B=np.full(b.size, 10.0)), timed(si, Si=100.0 + si)]
    union = interleaved(*parts)
    expected = 5e22 * 10.0 / (100.0 + b)
    for ds in (union, sims.stack([union, parts[1]]).isel(measurement=0)):
        found = sims.with_rsf(ds, rsf={"B": "5e22 atoms/cm^3"}, matrix="Si")["concentration"]
        row = found.sel(species="B").values
        np.testing.assert_allclose(row[np.isfinite(row)], expected, rtol=1e-14)
    # Before the first and after the last matrix sample, but for the cycle of these, there is
    # nothing to divide by.
    late = interleaved(parts[0], parts[1].isel(sputter_time=slice(5, None)))
    with warns(ProfileWarning, "not_measured", species="B", sputter_time="0.7 s", text=approved):
        late = sims.with_rsf(late, rsf={"B": "5e22 atoms/cm^3"}, matrix="Si").sel(species="B")
    assert int(late["concentration"].notnull().sum()) == b.size - 4
    status = late["matrix_status"].sel(sputter_time=b)
    assert status.values.tolist() == ["not_measured"] * 4 + ["ok"] * (b.size - 4)
    # 8.7 s, of the cycle whose matrix was measured at 10 s.
    np.testing.assert_allclose(late["concentration"].sel(sputter_time=8.7), 5e23 / 110)


def test_rsf_stderr():
    ds = timed([0.0, 1.0, 2.0], B=[100.0, 0.0, 25.0], Si=[400.0, 400.0, 100.0])
    ds["intensity_stderr"] = np.sqrt(ds["intensity"]).assign_attrs(units="count/s")
    by_cycle = sims.with_rsf(ds, rsf="1e22 atoms/cm^3", matrix="Si").sel(species="B")
    relative = np.hypot([0.1, np.nan, 0.2], [0.05, np.nan, 0.1])
    got = (by_cycle["concentration_stderr"] / by_cycle["concentration"]).values
    np.testing.assert_allclose(got[[0, 2]], relative[[0, 2]], rtol=1e-14)
    assert by_cycle["concentration_stderr"].values[1] == 0.0
    mean = sims.with_rsf(ds, rsf="1e22 atoms/cm^3", matrix="Si", matrix_signal="mean")
    mean = mean.sel(species="B")
    got = (mean["concentration_stderr"] / mean["concentration"]).values
    np.testing.assert_allclose(got[[0, 2]], [0.1, 0.2], rtol=1e-14)


def divisor(counts):
    """One over the mean of 1 / (k + 1) is the mean of k, but for exp(-k)."""
    return counts + 1.0


def test_from_counts_to_the_dose_that_was_put_in():
    """The whole way, against the truth that the synthetic example carries."""
    ds = sims.open_example("sputter-time")
    truth = json.loads(ds["species_metadata"].values[0])["truth"]
    ds = sims.with_counting_statistics(ds, dwell_time="0.5 s")
    ds = sims.with_rsf(ds, rsf={"As": f"{truth['relative_sensitivity_factor']}"}, matrix="Si")
    ds = sims.calibrate_depth(
        ds, crater_depth=truth["crater_depth"], total_time=truth["sputter_time"]
    ).sel(species="As")
    dose = sims.integrated_dose(ds, start="15 nm", background=("180 nm", "205 nm"))
    implanted = float(truth["dose"].split()[0])
    assert float(dose) == pytest.approx(implanted, rel=0.03)
    found = sims.junction_depth(ds, level=truth["junction_level"], after="peak")
    assert float(found) == pytest.approx(float(truth["junction_depth"].split()[0]), abs=0.5)


THREE = timed(TIME, B=100 + TIME, P=200 + TIME, Si=np.full(TIME.size, 1000.0))


@pytest.mark.parametrize(
    "rsf",
    [
        "4e22 atoms/cm^3",
        xr.DataArray(4e22, attrs={"units": "atoms/cm^3"}),
        xr.DataArray(np.full(TIME.size, 4e22), dims="sputter_time", attrs={"units": "1/cm3"}),
        sims.quantify(xr.DataArray(4e22, attrs={"units": "atoms/cm^3"})),
    ],
)
@pytest.mark.parametrize("matrix", ["Si", None])
def test_one_factor_for_several_species_is_refused_in_any_form(rsf, matrix):
    with raises(ProfileError, "missing_species", argument="rsf"):
        sims.with_rsf(THREE, rsf=rsf, matrix=matrix)


def test_a_factor_for_each_wafer_is_none_for_each_species():
    batch = sims.stack([THREE, THREE])
    rsf = xr.DataArray([1e22, 2e22], dims="measurement", attrs={"units": "atoms/cm^3"})
    with raises(ProfileError, "missing_species", argument="rsf"):
        sims.with_rsf(batch, rsf=rsf, matrix="Si")
    found = sims.with_rsf(batch, rsf={"B": rsf, "P": "5e22 atoms/cm^3"}, matrix="Si")
    by_hand = np.stack([1e22 * (100 + TIME) / 1000, 2e22 * (100 + TIME) / 1000])
    np.testing.assert_allclose(found["concentration"].sel(species="B").values, by_hand, rtol=1e-14)
    by_hand = np.stack([5e22 * (200 + TIME) / 1000] * 2)
    np.testing.assert_allclose(found["concentration"].sel(species="P").values, by_hand, rtol=1e-14)
    assert found["concentration"].sel(species="Si").isnull().all()
    assert found["sensitivity_factor"].dims == ("measurement", "species")
    with raises(ProfileError, "wrong_dimensions", argument="rsf"):
        sims.with_rsf(batch, rsf={"B": rsf.pad(measurement=(0, 1))}, matrix="Si")


def test_factors_by_layer_and_over_depth(approved):
    layers = [
        ("20 s", {"B": "1e22 atoms/cm^3", "P": "2e22 atoms/cm^3"}),
        (None, {"B": "3e22 atoms/cm^3"}),
    ]
    found = sims.with_rsf(THREE, rsf=layers, matrix="Si", keep_intensity=True)["concentration"]
    by_hand = np.where(TIME <= 20, 1e22, 3e22) * (100 + TIME) / 1000
    np.testing.assert_allclose(found.sel(species="B").values, by_hand, rtol=1e-14)
    by_hand = np.where(TIME <= 20, 2e22 * (200 + TIME) / 1000, np.nan)
    np.testing.assert_allclose(found.sel(species="P").values, by_hand, rtol=1e-14)
    own = xr.DataArray([20.0, 0.5], dims="measurement", attrs={"units": "s"})
    batch = sims.with_rsf(
        sims.stack([THREE, THREE]), rsf=[(own, layers[0][1]), layers[1]], matrix="Si"
    )
    by_hand = np.where(own.values[:, None] >= TIME, 1e22, 3e22) * (100 + TIME) / 1000
    np.testing.assert_allclose(batch["concentration"].sel(species="B"), by_hand, rtol=1e-14)
    along = xr.DataArray(
        np.where(TIME <= 20, 1e22, 3e22),
        {"sputter_time": ("sputter_time", TIME / 60, {"units": "min"})},
        attrs={"units": "atoms/cm^3"},
    )
    over_depth = sims.with_rsf(THREE, rsf={"B": along}, matrix="Si")["concentration"]
    np.testing.assert_array_equal(over_depth.sel(species="B").values, found.sel(species="B").values)
    for bad in (
        [(None, layers[0][1]), layers[0]],
        [layers[0], ("20 s", {"B": "1e22 cm^-3"})],
        [("20 s",)],
    ):
        with raises(ProfileError, argument="rsf", text=approved):
            sims.with_rsf(THREE, rsf=bad, matrix="Si")
    with raises(ProfileError, "missing_value", argument="rsf"):
        sims.with_rsf(THREE, rsf={"B": along[:-2]}, matrix="Si")


def test_intensities_without_a_factor_stay():
    """A layer, or a wafer, without a factor is not lost: a later call can quantify it."""
    ds = sims.with_counting_statistics(THREE, dwell_time="1 s")
    ds = sims.subtract_background(ds, window=("80 s", "100 s"), species="P")
    above, below = {"B": "1e22 cm^-3", "P": "2e22 cm^-3"}, {"B": "3e22 cm^-3"}
    once = sims.with_rsf(ds, rsf=(("20 s", above), (None, below)), matrix="Si")
    for end in ("", "_stderr", "_counts", "_background_overlap"):
        before, left = (data[f"intensity{end}"].sel(species="P") for data in (ds, once))
        np.testing.assert_array_equal(left, before.where(before["sputter_time"] > 20))
    np.testing.assert_array_equal(once["intensity"].sel(species="B").isnull(), True)
    xr.testing.assert_identical(
        once["intensity_background_stderr"].sel(species="P"),
        ds["intensity_background_stderr"].sel(species="P"),
    )
    rest = [("20 s", below), (None, {"P": "4e22 cm^-3"})]
    found = sims.with_rsf(once.drop_sel(species="B"), rsf=[rest[1]], matrix="Si")
    factors = np.where(TIME <= 20, 2e22, 4e22)
    by_hand = factors * ds["intensity"].sel(species="P") / divisor(1000)
    np.testing.assert_allclose(found["concentration"].sel(species="P"), by_hand, rtol=1e-14)
    wafers = xr.DataArray([1e22, np.nan], dims="measurement", attrs={"units": "cm^-3"})
    batch = sims.with_rsf(sims.stack([THREE, THREE]), rsf={"B": wafers}, matrix="Si")
    left = batch["intensity"].sel(species="B").notnull().all("sputter_time")
    np.testing.assert_array_equal(left, [False, True])


def test_without_a_reference_signal():
    rsf = {"B": "1e14 atoms/cm^3 per count/s", "P": "1e20 m^-3/(count/s)"}
    found = sims.with_rsf(THREE, rsf=rsf, matrix=None)
    np.testing.assert_allclose(found["concentration"][0].values, 1e14 * (100 + TIME), rtol=1e-14)
    np.testing.assert_allclose(found["concentration"][1].values, 1e14 * (200 + TIME), rtol=1e-14)
    factor = found["absolute_sensitivity_factor"]
    assert factor.attrs["units"] == "atom/cm^3/(count/s)"
    assert "matrix_status" not in found.coords
    # Si has none and keeps its intensity.
    np.testing.assert_array_equal(found["intensity"].notnull().any("sputter_time"), [0, 0, 1])
    xr.testing.assert_identical(sims.dequantify(sims.quantify(found)), found)
    counts = timed(TIME, "counts", B=TIME)
    found = sims.with_rsf(counts, rsf="1e14 atoms/cm^3 per count", matrix=None)
    np.testing.assert_allclose(found["concentration"][0].values, 1e14 * TIME)
    assert "intensity" not in found
    with raises(UnitsError, argument="rsf"):
        sims.with_rsf(counts, rsf="1e14 atoms/cm^3", matrix=None)
    with raises(UnitsError, argument="matrix"):
        sims.with_rsf(
            timed(TIME, "arb. units", B=TIME).rename(intensity="intensity_arbitrary"),
            rsf="1e14 atoms/cm^3",
            matrix=None,
        )


@pytest.mark.few(2)
@pytest.mark.parametrize("apart", [0.0, 0.7])
@pytest.mark.parametrize("cycles", [1, 2])
def test_no_concentration_where_the_matrix_drops_out_for_a_cycle(apart, cycles):
    rng = np.random.default_rng(1)
    time = np.arange(200.0)
    boron = rng.poisson(1e4 * np.exp(-(((time - 80) / 30) ** 2)))
    matrix = rng.poisson(2e4, time.size)
    broken = matrix.copy()
    broken[80 : 80 + cycles] = 300
    ds, intact = (
        interleaved(timed(time, B=boron), timed(time + apart, Si=one)) for one in (broken, matrix)
    )
    options = {"rsf": "5e22 atoms/cm^3", "matrix": "Si"}
    with warns(ProfileWarning, "not_measured", species="B", sputter_time="80 s"):
        found = sims.with_rsf(ds, **options)
    of_intact = sims.with_rsf(intact, **options)
    found, of_intact = (
        sims.calibrate_depth(one, rate="1 nm/s").sel(species="B") for one in (found, of_intact)
    )
    dose = sims.integrated_dose(found)
    assert dose.item() == pytest.approx(sims.integrated_dose(of_intact).item(), rel=1e-3)
    for quotient in (
        lambda: sims.ratio(ds, numerator="B", denominator="Si"),
        lambda: sims.normalise(ds, to="Si"),
    ):
        with warns(ProfileWarning, "not_measured", species="B", sputter_time="80 s"):
            quotient()
    # A layer of three cycles is one.
    broken[80:83] = 300
    layer = timed(time, B=boron, Si=broken)
    assert "matrix_status" not in sims.with_rsf(layer, **options).coords


def test_no_concentration_where_the_matrix_has_vanished(approved):
    matrix = np.where(TIME < 60, 2e5, 0.001)
    ds = timed(TIME, B=np.full(TIME.size, 50.0), Si=matrix)
    with warns(ProfileWarning, "not_measured", species="B", sputter_time="60 s", text=approved):
        found = sims.with_rsf(ds, rsf="4e22 atoms/cm^3", matrix="Si")
    one = found.sel(species="B")
    np.testing.assert_allclose(one["concentration"].values[TIME < 60], 1e19, rtol=1e-14)
    assert (
        one["concentration"].values[TIME >= 60].tolist()
        == [pytest.approx(np.nan, nan_ok=True)] * 21
    )
    np.testing.assert_array_equal(
        one["matrix_status"].values, np.where(TIME < 60, "ok", "vanished")
    )
    # A signal of nothing has, whatever the threshold.
    nothing = timed(TIME, B=np.ones(TIME.size), Si=np.where(TIME < 60, 1e4, 0.0))
    with warns(ProfileWarning, "not_measured", species="B", sputter_time="60 s", text=approved):
        found = sims.with_rsf(nothing, rsf="1e22 cm^-3", matrix="Si", matrix_threshold=0)
    assert (found["matrix_status"].sel(species="B") == "vanished").sum() == 21
    # Exactly at the threshold it has not vanished.
    edge = timed(TIME, B=np.ones(TIME.size), Si=np.where(TIME < 60, 1e4, 100.0))
    assert "matrix_status" not in sims.with_rsf(edge, rsf="1e22 cm^-3", matrix="Si").coords
    with warns(ProfileWarning, "not_measured", species="B", sputter_time="60 s"):
        sims.with_rsf(edge, rsf="1e22 cm^-3", matrix="Si", matrix_threshold="1.1 %")
    for bad in (1.0, -0.1, "1", "100 %", True):
        with raises(ProfileError, argument="matrix_threshold"):
            sims.with_rsf(edge, rsf="1e22 cm^-3", matrix="Si", matrix_threshold=bad)


def test_a_matrix_signal_within_its_noise_has_vanished(approved):
    ds = timed([0.0, 1.0, 2.0, 3.0], "counts", B=[5.0] * 4, Si=[400.0, 10.0, 9.0, 0.0])
    ds = sims.with_counting_statistics(ds)
    with warns(ProfileWarning, "not_measured", species="B", sputter_time="2 s", text=approved):
        found = sims.with_rsf(ds, rsf="1e22 cm^-3", matrix="Si", matrix_threshold=0.0)
    assert found["matrix_status"].sel(species="B").values.tolist() == ["ok"] * 2 + ["vanished"] * 2
    with warns(ProfileWarning, "not_measured", species="B", sputter_time="3 s", text=approved):
        sims.with_rsf(ds, rsf="1e22 cm^-3", matrix="Si", matrix_signal="mean", matrix_threshold=0.0)


def counted(**rows):
    return sims.with_counting_statistics(timed(np.arange(3.0), "counts", **rows))


def test_a_surface_transient_of_the_mean_matrix_signal_warns(approved):
    z = np.arange(0, 200, 2.0)
    values = np.stack([np.full(z.size, 1e3), 1e5 * (1 - 0.9 * np.exp(-z / 10))])
    ds = xr.Dataset(
        {"intensity": (("species", "depth"), values, {"units": "counts/s"})},
        {"species": ["B", "Si"], "depth": ("depth", z, {"units": "nm"})},
    )
    ask = {"rsf": {"B": "1e22 cm^-3"}, "matrix": "Si"}
    with warns(ProfileWarning, "surface_transient", species="Si", text=approved):
        sims.with_rsf(ds, matrix_signal="mean", **ask)
    sims.with_rsf(ds, matrix_signal="mean", window=("50 nm", "190 nm"), **ask)
    sims.with_rsf(ds, **ask)


@pytest.mark.filterwarnings("ignore:.*in the background window")
def test_counts_errors_and_their_meaning_come_along():
    ds = counted(B=[100.0, 0.0, 25.0], Si=[400.0, 400.0, 100.0])
    found = sims.with_rsf(ds, rsf="1e22 atoms/cm^3", matrix="Si").sel(species="B")
    assert found["concentration_counts"].values.tolist() == [100.0, 0.0, 25.0]
    assert found["concentration_counts"].attrs["units"] == "count"
    about = found["concentration_stderr"].attrs
    assert about["units"] == "atom/cm^3"
    assert about["description"] == "random part, from counting statistics"
    assert "intensity" not in sims.with_rsf(ds.sel(species=["B"]), rsf="1 cm^-3/count", matrix=None)
    # Of a sum: nothing counted adds no variance. Trapezoid weights 1/2, 1, 1/2 nm.
    depth = sims.calibrate_depth(found, rate="1 nm/s")
    dose = sims.integrated_dose(depth)
    ends = np.array([100, 25]) / divisor(np.array([400, 100])) * np.hypot([0.1, 0.2], [0.05, 0.1])
    parts = 0.5 * ends
    assert float(dose["stderr"]) == pytest.approx(1e22 * 1e-7 * np.linalg.norm(parts), rel=1e-12)
    limit = sims.detection_limit(depth, window=("0 nm", "2 nm"), rule="currie")
    assert np.isfinite(float(limit))


def test_errors_of_a_matrix_between_its_samples():
    b = timed([0.25, 1.25], "counts", B=[100.0, 400.0])
    si = timed([0.0, 1.0, 2.0], "counts", Si=[900.0, 1600.0, 2500.0])
    ds = sims.with_counting_statistics(interleaved(b, si))
    found = sims.with_rsf(ds, rsf="1e22 atoms/cm^3", matrix="Si").sel(species="B")
    matrix = np.array([0.75 * 900 + 0.25 * 1600, 0.75 * 1600 + 0.25 * 2500])
    variance = np.array([0.75**2 * 900 + 0.25**2 * 1600, 0.75**2 * 1600 + 0.25**2 * 2500])
    expected = 1e22 * np.array([100.0, 400.0]) / (matrix + variance / matrix)
    # All weights given to the three samples of the matrix; the second one is shared.
    given = np.array([0.75, 0.25 + 0.75, 0.25]) * [900, 1600, 2500]
    of_sums = np.array([0.75 * given[0] + 0.25 * given[1], 0.75 * given[1] + 0.25 * given[2]])
    stderr = expected * np.hypot([0.1, 0.05], np.sqrt(of_sums) / matrix)
    at = found.sel(sputter_time=[0.25, 1.25])
    np.testing.assert_allclose(at["concentration"].values, expected, rtol=1e-14)
    np.testing.assert_allclose(at["concentration_stderr"].values, stderr, rtol=1e-14)


def test_a_second_call_adds_species():
    once = sims.with_rsf(THREE, rsf={"B": "1e22 atoms/cm^3"}, matrix="Si")
    np.testing.assert_array_equal(once["intensity"].notnull().any("sputter_time"), [0, 1, 1])
    twice = sims.with_rsf(once, rsf={"P": "2e22 atoms/cm^3"}, matrix="Si")
    both = {"B": "1e22 atoms/cm^3", "P": "2e22 atoms/cm^3"}
    at_once = sims.with_rsf(THREE, rsf=both, matrix="Si")
    xr.testing.assert_identical(twice.drop_attrs(), at_once.drop_attrs())
    assert [step["function"] for step in sims.provenance(twice)["steps"]] == ["with_rsf"] * 2
    # Back to profiles: one of each species.
    names = [profile.species_name for profile in sims.to_profiles(twice)]
    assert names == ["B", "P", "Si"]


def test_species_that_were_not_measured_are_refused():
    empty = THREE.copy(deep=True)
    empty["intensity"].loc[{"species": "P"}] = np.nan
    for rsf, matrix in (("P", "Si"), ("B", "P")):
        with raises(ProfileError, "missing_variable", species="P"):
            sims.with_rsf(empty, rsf={rsf: "1e22 cm^-3"}, matrix=matrix)
    of_both = xr.DataArray([1e22, -1e22], {"species": ["B", "P"]}, attrs={"units": "cm^-3"})
    with raises(ProfileError, argument="rsf"):
        sims.with_rsf(THREE, rsf=of_both, matrix="Si")
    with raises(SpeciesError, argument="matrix", species="Si"):
        sims.with_rsf(THREE.isel(species=slice(0, 0)), rsf="1e22 cm^-3", matrix="Si")
    with raises(ProfileError, argument="rsf"):
        sims.with_rsf(THREE, rsf={}, matrix="Si")


def test_profiles_are_not_needed_whole_without_a_reference_signal():
    chunked = COUNTS.chunk(sputter_time=10).sel(species=["B"])
    found = sims.with_rsf(chunked, rsf="1e14 cm^-3/(count/s)", matrix=None)
    np.testing.assert_allclose(found["concentration"], 1e14 * COUNTS["intensity"][:1])


def test_saturated_intensities_warn(approved):
    rng = np.random.default_rng(1)
    z = np.arange(200.0)
    boron = np.minimum(rng.poisson(1e4 * np.exp(-(((z - 80) / 20) ** 2)) + 3), 6000)
    matrix = rng.poisson(5e4, z.size).astype(float)
    ds = timed(z, "counts", B=boron, Si=matrix)
    for way in ("cycle", "mean"):
        with warns(ProfileWarning, "saturated", species="B", text=approved):
            sims.with_rsf(ds, rsf="1e22 cm^-3", matrix="Si", matrix_signal=way)
    full = timed(z, "counts", B=boron * 0 + matrix, Si=np.minimum(matrix, 49900.0))
    with warns(ProfileWarning, "saturated", species="Si"):
        sims.with_rsf(full, rsf="1e22 cm^-3", matrix="Si")


@pytest.mark.filterwarnings("ignore::sims_analysis.errors.ProfileWarning")
def test_a_second_call_keeps_the_status_of_the_matrix():
    z = np.arange(4.0)
    ds = timed(z, B=[9.0, 9.0, 9.0, 9.0], P=[4.0, 4.0, np.nan, 4.0], Si=[100.0, 0.5, 0.5, 100.0])
    factor = "1e22 atoms/cm^3"
    first = sims.with_rsf(ds, rsf={"B": factor}, matrix="Si", matrix_threshold=0.1)
    ok, gone = "ok", "vanished"
    status = first["matrix_status"]
    assert status.sel(species="B").values.tolist() == [ok, gone, gone, ok]
    assert status.sel(species="P").values.tolist() == [ok] * 4
    both = sims.with_rsf(first, rsf={"P": factor}, matrix="Si", matrix_threshold=0.1)
    assert both["matrix_status"].sel(species="B").values.tolist() == [ok, gone, gone, ok]
    assert both["matrix_status"].sel(species="P").values.tolist() == [ok, gone, ok, ok]
    assert both["sensitivity_factor"].sel(species=["B", "P"]).values.tolist() == [1e22, 1e22]
    assert np.isnan(both["sensitivity_factor"].sel(species="Si").item())
    assert both["sensitivity_factor"].attrs["units"] == "atom/cm^3"


def test_errors_as_a_coordinate_are_quantified_too():
    ds = sims.with_counting_statistics(sims.open_example("sputter-time"), dwell_time="0.5 s")
    factors = {"rsf": {"As": "5e21 atoms/cm^3"}, "matrix": "Si"}
    as_coordinate = ds[["intensity"]].assign_coords(stderr=ds["intensity_stderr"])
    found, expected = (sims.with_rsf(one, **factors) for one in (as_coordinate, ds))
    np.testing.assert_array_equal(
        found["concentration_stderr"].sel(species="As"),
        expected["concentration_stderr"].sel(species="As"),
    )
    about = ds["intensity_stderr"].attrs["description"]
    assert expected["concentration_stderr"].attrs["description"] == about


def test_a_factor_along_the_samples_has_its_uncertainty_there():
    values = np.where(TIME <= 20, 1e22, 3e22)
    along = xr.DataArray(
        values,
        {"sputter_time": ("sputter_time", TIME, {"units": "s"}),
         "stderr": ("sputter_time", values * np.where(TIME <= 20, 0.1, 0.2))},
        ["sputter_time"], attrs={"units": "atoms/cm^3"},
    )  # fmt: skip
    found = sims.with_rsf(THREE, rsf={"B": along}, matrix="Si")["sensitivity_factor_uncertainty"]
    expected = np.where(TIME <= 20, 0.1, 0.2)
    np.testing.assert_allclose(found.sel(species="B"), expected, rtol=1e-12)
    assert found.sel(species="P").isnull().all()


@pytest.mark.parametrize("way", ["cycle", "mean"])
def test_a_weak_matrix_is_one_however_small_its_numbers(way):
    weak = THREE.assign(intensity=(1e-6 * THREE["intensity"]).assign_attrs(units="count/s"))
    options = {"rsf": {"B": "1e22 cm^-3"}, "matrix": "Si", "matrix_signal": way}
    found, expected = (sims.with_rsf(ds, **options)["concentration"] for ds in (weak, THREE))
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_conditions_over_measurements_are_compared():
    factor = xr.DataArray(
        [1e22, 2e22], {"measurement": [0, 1], "matrix": ("measurement", ["Si", "Ge"])},
        ["measurement"], attrs={"units": "atoms/cm^3"},
    )  # fmt: skip
    batch = sims.stack([THREE, THREE])
    with raises(SpeciesError, "different_conditions", "rsf"):
        sims.with_rsf(batch, rsf={"B": factor}, matrix="Si")
