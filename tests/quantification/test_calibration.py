"""Sputter time to depth; fractions and counts to concentration: stated, recorded, never guessed."""

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import sims_analysis as sims
from sims_analysis.errors import ProfileError, ProfileWarning, SpeciesError, UnitsError
from sims_analysis.quantification.hosts import HOSTS

DATA = Path(__file__).parents[3] / "shared" / "data"


def timed(time, units="count/s", time_units="s", **rows):
    values = np.array(list(rows.values()), dtype=float)
    return xr.Dataset(
        {"intensity": (("species", "sputter_time"), values, {"units": units})},
        coords={
            "species": list(rows),
            "sputter_time": ("sputter_time", time, {"units": time_units}),
        },
    )


TIME = np.arange(0.0, 101.0, 2.0)
COUNTS = timed(TIME, B=1e6 * np.exp(-TIME / 10), Si=np.full(TIME.size, 2e5))


# --- depth --------------------------------------------------------------------------------------


def test_a_rate():
    ds = sims.calibrate_depth(COUNTS, rate="0.5 nm/s")
    assert ds["intensity"].dims == ("species", "depth")
    np.testing.assert_array_equal(ds["depth"].values, 0.5 * TIME)
    assert ds["depth"].attrs["units"] == "nm"
    np.testing.assert_array_equal(ds["sputter_time"].values, TIME)
    np.testing.assert_array_equal(ds["intensity"].values, COUNTS["intensity"].values)
    assert "depth_scale_uncertainty" not in ds.coords
    assert ds["depth"].attrs["calibration"] == "z = 0.5 nm/s * t"
    assert "calibrated to depth, z = 0.5 nm/s * t" in ds.attrs["history"]


@pytest.mark.parametrize("rate", ["3 angstrom/s", "18 nm/min", "1.08 um/h"])
def test_units_of_the_rate(rate):
    ds = sims.calibrate_depth(COUNTS, rate=rate)
    np.testing.assert_allclose(ds["depth"].values, 0.3 * TIME, rtol=1e-14)


def test_a_crater():
    ds = sims.calibrate_depth(COUNTS, crater_depth="1.2 um")
    np.testing.assert_allclose(ds["depth"].values, 12.0 * TIME, rtol=1e-14)
    longer = sims.calibrate_depth(COUNTS, crater_depth="1.2 um", total_time="2 min")
    np.testing.assert_allclose(longer["depth"].values, 10.0 * TIME, rtol=1e-14)
    told = "z = 10 nm/s * t (crater 1200 nm in 120 s)"
    assert longer["depth"].attrs["calibration"] == told


def test_a_time_axis_in_minutes():
    minutes = timed(TIME / 60, time_units="min", B=np.ones(TIME.size))
    ds = sims.calibrate_depth(minutes, rate="0.5 nm/s")
    np.testing.assert_allclose(ds["depth"].values, 0.5 * TIME, rtol=1e-14)
    assert ds["sputter_time"].attrs["units"] == "s"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"rate": "0.5 nm/s", "depth_uncertainty": 0.05}, 0.05),
        ({"rate": "0.5 nm/s", "depth_uncertainty": "0.02 nm/s"}, 0.04),
        ({"crater_depth": "1 um", "depth_uncertainty": "30 nm"}, 0.03),
        ({"rate": [(None, "0.5 nm/s")], "depth_uncertainty": 0.1}, 0.1),
    ],
)
def test_uncertainty_of_the_depth_scale(options, expected):
    ds = sims.calibrate_depth(COUNTS, **options)
    scale = ds["depth_scale_uncertainty"]
    assert float(scale) == pytest.approx(expected, rel=1e-15)
    assert scale.attrs["units"] == "1"


def test_uncertainty_goes_on_into_the_budget():
    ds = sims.with_rsf(COUNTS, rsf="5e22 atoms/cm^3", matrix="Si")
    ds = sims.calibrate_depth(ds, rate="0.5 nm/s", depth_uncertainty=0.07)
    budget = sims.dose_budget(
        ds.sel(species="B"),
        depth_uncertainty=ds["depth_scale_uncertainty"],
        rule_tolerance=1.0,
    )
    assert float(budget["systematic_stderr"] / budget["dose"]) == pytest.approx(0.07)


def test_layers():
    layers = [("20 s", "1 nm/s"), ("50 s", "0.5 nm/s"), (None, "2 nm/s")]
    ds = sims.calibrate_depth(COUNTS, rate=layers)
    expected = np.where(
        TIME <= 20, TIME, np.where(TIME <= 50, 20 + (TIME - 20) / 2, 35 + 2 * (TIME - 50))
    )
    np.testing.assert_allclose(ds["depth"].values, expected, rtol=1e-15)
    assert "0.5 nm/s from 20 s" in ds["depth"].attrs["calibration"]


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(0.5, 30), max_size=5), st.floats(0.01, 10))
def test_layers_of_one_rate_are_one_rate(widths, rate):
    stops = np.cumsum(widths)
    layers = [(f"{float(s)!r} s", f"{rate!r} nm/s") for s in stops] + [(None, f"{rate!r} nm/s")]
    ds = sims.calibrate_depth(COUNTS, rate=layers)
    np.testing.assert_allclose(ds["depth"].values, rate * TIME, rtol=1e-13)


def test_batches():
    other = COUNTS.isel(sputter_time=slice(3, 41))  # to 80 s
    shared, own = sims.stack([COUNTS, COUNTS]), sims.stack([COUNTS, other])
    assert sims.calibrate_depth(shared, rate="0.5 nm/s")["intensity"].dims[-1] == "depth"
    ds = sims.calibrate_depth(own, crater_depth="200 nm")
    assert ds["intensity"].dims == ("measurement", "species", "point")
    # Each to the end of its own record.
    speeds = ds["depth"] / ds["sputter_time"].where(ds["sputter_time"] > 0)
    np.testing.assert_allclose(speeds.max(("species", "point")).values, [2.0, 2.5], rtol=1e-15)
    back = sims.unstack(ds)
    np.testing.assert_allclose(back[1]["depth"].values, 2.5 * TIME[3:41], rtol=1e-15)
    np.testing.assert_array_equal(back[1]["sputter_time"].values, TIME[3:41])
    rates = xr.DataArray(
        [0.5, 0.25], dims="measurement", coords={"measurement": [1, 0]}, attrs={"units": "nm/s"}
    )
    for batch in (shared, own):
        ds = sims.calibrate_depth(batch, rate=rates, depth_uncertainty="0.01 nm/s")
        assert ds["intensity"].dims == ("measurement", "species", "point")
        np.testing.assert_allclose(ds["depth_scale_uncertainty"].values, [0.04, 0.02])
        first, second = sims.unstack(ds)
        np.testing.assert_array_equal(first["depth"].values, 0.25 * TIME)
        np.testing.assert_array_equal(second["depth"].values, 0.5 * second["sputter_time"].values)
        found = sims.crossings(ds, level="1e5 counts/s", max_count=1)["depth"]
        exact = 10 * np.log(10) * np.array([0.25, 0.5])
        np.testing.assert_allclose(found.sel(species="B").values[:, 0], exact, rtol=1e-12)


def test_dataarray_quantified_and_dask():
    expected = sims.calibrate_depth(COUNTS, rate="0.5 nm/s", depth_uncertainty=0.1)
    array = sims.calibrate_depth(COUNTS["intensity"], rate="0.5 nm/s", depth_uncertainty=0.1)
    xr.testing.assert_identical(array, expected["intensity"])
    quantified = sims.calibrate_depth(sims.quantify(COUNTS), rate="0.5 nm/s", depth_uncertainty=0.1)
    assert hasattr(quantified["intensity"].data, "magnitude")
    xr.testing.assert_identical(sims.dequantify(quantified), expected)
    lazy = sims.calibrate_depth(COUNTS.chunk(species=1), rate="0.5 nm/s", depth_uncertainty=0.1)
    assert lazy["intensity"].chunks is not None
    xr.testing.assert_identical(lazy.compute(), expected)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({}, ProfileError, "one of them"),
        ({"rate": "1 nm/s", "crater_depth": "1 um"}, ProfileError, "one of them"),
        ({"rate": "1 nm/s", "total_time": "9 s"}, ProfileError, "total_time goes with"),
        ({"rate": 0.5}, UnitsError, "rate=0.5 has no unit"),
        ({"rate": "0.5 nm"}, UnitsError, "rate='0.5 nm'"),
        ({"rate": "-1 nm/s"}, ProfileError, "rate='-1 nm/s' must be positive"),
        (
            {"rate": "1 nm/s", "depth_uncertainty": 5},
            ProfileError,
            r"depth_uncertainty=5; .*0.05 or '5 %'",
        ),
        ({"rate": "1 nm/s", "depth_uncertainty": True}, ProfileError, "depth_uncertainty=True"),
        (
            {"rate": "1 nm/s", "depth_uncertainty": [0.1]},
            ProfileError,
            r"depth_uncertainty=\[0.1\]",
        ),
        ({"rate": "1 nm/s", "depth_uncertainty": "2 nm/s"}, ProfileError, "not less than"),
        (
            {"crater_depth": "1 um", "total_time": "99 s"},
            ProfileError,
            "total_time is 99 s, and the record runs to 100 s",
        ),
        ({"rate": "1 nm/s", "depth_uncertainty": "5 nm"}, UnitsError, "depth_uncertainty='5 nm'"),
        ({"rate": []}, ProfileError, "no layers"),
        ({"rate": [("20 s", "1 nm/s")]}, ProfileError, "end at 20 s, the record at 100 s"),
        ({"rate": [(None, "1 nm/s"), (None, "2 nm/s")]}, ProfileError, r"rate\[0\] has no end"),
        ({"rate": [("9 s", "1 nm/s"), ("9 s", "2 nm/s")]}, ProfileError, "increase from 0"),
        ({"rate": ["1 nm/s"]}, ProfileError, r"expected \(stop_time, rate\)"),
    ],
)
def test_errors_of_depth(options, error, words):
    with pytest.raises(error, match=words):
        sims.calibrate_depth(COUNTS, **options)


@pytest.mark.parametrize(
    "value",
    [0.05, "5 %", "5%", xr.DataArray(0.05), xr.DataArray(5.0, attrs={"units": "%"}), "0.05 nm/s"],
)
def test_spellings_of_the_uncertainty_of_a_depth_scale(value):
    found = sims.calibrate_depth(COUNTS, rate="1 nm/s", depth_uncertainty=value)
    assert float(found["depth_scale_uncertainty"]) == pytest.approx(0.05)
    found = sims.calibrate_depth(COUNTS, rate=[(None, "1 nm/s")], depth_uncertainty="5 %")
    assert float(found["depth_scale_uncertainty"]) == pytest.approx(0.05)


def test_the_measurement_whose_crater_ended_too_soon_is_named():
    batch = xr.concat([COUNTS, COUNTS], "measurement").assign_coords(measurement=["w1", "w2"])
    total = xr.DataArray([100.0, 50.0], dims="measurement", attrs={"units": "s"})
    with pytest.raises(ProfileError, match=r"measurement w2: total_time is 50 s.*100 s"):
        sims.calibrate_depth(batch, crater_depth="1 um", total_time=total)
    short = total.isel(measurement=[0])
    with pytest.raises(ProfileError, match=r"total_time holds 1 values.*the data 2"):
        sims.calibrate_depth(batch, crater_depth="1 um", total_time=short)


def test_depth_is_not_calibrated_twice():
    ds = sims.calibrate_depth(COUNTS, rate="1 nm/s")
    with pytest.raises(ProfileError, match="on a depth axis already"):
        sims.calibrate_depth(ds, rate="1 nm/s")
    per_species = xr.DataArray(
        [1.0, 2.0], dims="species", coords={"species": ["B", "Si"]}, attrs={"units": "nm/s"}
    )
    with pytest.raises(ProfileError, match="sputtered together"):
        sims.calibrate_depth(COUNTS, rate=per_species)


def test_delivered_profiles_after_calibration():
    ds = sims.calibrate_depth(sims.open_example("sputter-time"), rate="0.42 nm/s")
    profile = sims.to_profiles(ds)[0]
    assert profile.depth_units == "nm"
    row = ds["intensity"][0].dropna("depth")
    np.testing.assert_array_equal(profile.depths, row["depth"].values)


def test_seconds_do_not_come_back_as_nanometres():
    profile = sims.DepthProfile(
        species_name="B",
        depths=[0.0, 10.0, 20.0, 30.0],
        depth_units="s",
        concentrations=[4.0, np.nan, 2.0, 1.0],
        concentration_units="counts/s",
    )
    with pytest.warns(sims.errors.ProfileWarning, match="not measured"):
        ds = sims.to_dataset([profile])
    ds = sims.calibrate_depth(ds, rate="2 nm/s")
    assert sims.to_profiles(ds)[0].depths.tolist() == [0.0, 40.0, 60.0]


# --- sensitivity factors ------------------------------------------------------------------------


def test_rsf_by_cycle_takes_out_drift():
    drift = 1 + 0.3 * TIME / 100
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


def test_rsf_by_mean_and_window():
    matrix = np.where(TIME < 10, 1e9, 2e5)
    ds = timed(TIME, B=np.full(TIME.size, 1e3), Si=matrix)
    options = {"rsf": {"B": "4e22 atoms/cm^3"}, "matrix": "Si", "matrix_signal": "mean"}
    with pytest.warns(ProfileWarning, match="time 10 s.*45 more.*has vanished"):
        sims.with_rsf(ds, **options)
    whole = sims.with_rsf(ds, **options, matrix_threshold=0)["concentration"].sel(species="B")
    np.testing.assert_allclose(whole.values, 4e22 * 1e3 / matrix.mean(), rtol=1e-14)
    inside = sims.with_rsf(ds, **options, window=("10 s", "90 s"))["concentration"]
    np.testing.assert_allclose(inside.sel(species="B").values, 4e22 * 1e3 / 2e5, rtol=1e-14)
    with pytest.raises(ProfileError, match="holds no sample of the matrix 'Si'"):
        sims.with_rsf(ds, **options, window=("200 s", "300 s"))


def test_rsf_on_interleaved_axes():
    b, si = TIME[:-1] + 0.7, TIME
    parts = [timed(b, B=np.full(b.size, 10.0)), timed(si, Si=100.0 + si)]
    union = xr.merge(parts, join="outer", compat="no_conflicts", combine_attrs="override")
    expected = 5e22 * 10.0 / (100.0 + b)
    for ds in (union, sims.stack([union, parts[1]]).isel(measurement=0)):
        found = sims.with_rsf(ds, rsf={"B": "5e22 atoms/cm^3"}, matrix="Si")["concentration"]
        row = found.sel(species="B").values
        np.testing.assert_allclose(row[np.isfinite(row)], expected, rtol=1e-14)
    # Before the first and after the last matrix sample, but for the cycle of these, there is
    # nothing to divide by.
    late = xr.merge(
        [parts[0], parts[1].isel(sputter_time=slice(5, None))],
        join="outer",
        compat="no_conflicts",
        combine_attrs="override",
    )
    with pytest.warns(ProfileWarning, match=r"'B', sputter time 0.7 s.*3 more.*not measured"):
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


def test_rsf_quantified_dask_and_batch():
    options = {"rsf": "4e22 atoms/cm^3", "matrix": "Si"}
    expected = sims.with_rsf(COUNTS, **options)
    quantified = sims.with_rsf(sims.quantify(COUNTS), **options)
    assert hasattr(quantified["concentration"].data, "magnitude")
    xr.testing.assert_identical(sims.dequantify(quantified), expected)
    lazy = sims.with_rsf(COUNTS.chunk(), **options)
    assert lazy["concentration"].chunks is not None
    # Of lazy data it is not known whether the matrix has vanished anywhere.
    assert (lazy["matrix_status"] == "ok").all()
    xr.testing.assert_identical(lazy.compute().drop_vars("matrix_status"), expected)
    shared = sims.with_rsf(sims.stack([COUNTS, COUNTS]), **options)
    np.testing.assert_array_equal(
        shared["concentration"].values[1], expected["concentration"].values
    )


def test_rsf_errors():
    with pytest.raises(SpeciesError, match="matrix names 'Ge'; the data have 'B', 'Si'"):
        sims.with_rsf(COUNTS, rsf="4e22 atoms/cm^3", matrix="Ge")
    with pytest.raises(SpeciesError, match="'P'"):
        sims.with_rsf(COUNTS, rsf={"P": "4e22 atoms/cm^3"}, matrix="Si")
    with pytest.raises(SpeciesError, match="the matrix itself"):
        sims.with_rsf(COUNTS, rsf={"Si": "4e22 atoms/cm^3"}, matrix="Si")
    with pytest.raises(UnitsError, match="rsf"):
        sims.with_rsf(COUNTS, rsf={"B": 4e22}, matrix="Si")
    three = timed(TIME, B=TIME, P=TIME, Si=TIME)
    with pytest.raises(ProfileError, match="there are 2 beside the matrix"):
        sims.with_rsf(three, rsf="4e22 atoms/cm^3", matrix="Si")
    with pytest.raises(ProfileError, match="matrix_signal='sum'"):
        sims.with_rsf(COUNTS, rsf="4e22 atoms/cm^3", matrix="Si", matrix_signal="sum")
    with pytest.raises(ProfileError, match="window goes with"):
        sims.with_rsf(COUNTS, rsf="4e22 atoms/cm^3", matrix="Si", window=("1 s", "2 s"))
    with pytest.raises(UnitsError, match="sensitivity factor needs a count rate"):
        sims.with_rsf(sims.open_example("boron-implant"), rsf="1e22 cm^-3", matrix="P")
    twice = sims.with_rsf(COUNTS, rsf="4e22 atoms/cm^3", matrix="Si")
    with pytest.raises(ProfileError, match="species 'B' has no intensity"):
        sims.with_rsf(twice, rsf="4e22 atoms/cm^3", matrix="Si")
    twice = sims.with_rsf(COUNTS, rsf="4e22 atoms/cm^3", matrix="Si", keep_intensity=True)
    with pytest.raises(ProfileError, match="species 'B' would have two values"):
        sims.with_rsf(twice, rsf="4e22 atoms/cm^3", matrix="Si")


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


# --- atomic density -----------------------------------------------------------------------------


def fractions(unit="at%", name="atomic_fraction", **rows):
    return xr.Dataset(
        {name: (("species", "depth"), np.array(list(rows.values()), float), {"units": unit})},
        coords={"species": list(rows), "depth": ("depth", [0.0, 1.0], {"units": "nm"})},
    )


def test_atomic_fraction_to_concentration():
    ds = fractions(Ge=[20.0, 10.0])
    found = sims.to_concentration(ds, atomic_density="5e22 atoms/cm^3")
    np.testing.assert_allclose(found["concentration"].values, [[1e22, 5e21]], rtol=1e-15)
    assert "atomic_fraction" not in found
    assert found["concentration"].attrs["units"] == "atom/cm^3"
    assert found.attrs["atomic_density"] == "5e+22 atom/cm^3 (stated)"
    silicon = sims.to_concentration(fractions("ppm", B=[1.0, 2.0]), atomic_density="Si")
    np.testing.assert_allclose(silicon["concentration"].values, [[4.99397e16, 9.98794e16]], 1e-5)
    assert "(Si)" in silicon.attrs["history"]


@pytest.mark.parametrize(
    ("host", "density", "rel"),
    [
        # 8 / a^3 of the 2018 CODATA lattice constant.
        ("Si", 4.99397e22, 2e-6),
        # The NSM Archive of the Ioffe Institute rounds to two or three digits.
        ("Ge", 4.42e22, 2e-3),
        ("GaAs", 4.42e22, 3e-3),
        ("InP", 3.96e22, 2e-3),
        # From mass densities: 6.15 and 3.21 g/cm^3.
        ("GaN", 6.15 / 41.865 * 6.02214076e23, 1.5e-2),
        ("SiC", 3.21 / 20.048 * 6.02214076e23, 1e-2),
        ("SiO2", 3 * 2.20 / 60.083 * 6.02214076e23, 1e-4),
    ],
)
def test_hosts(host, density, rel):
    assert HOSTS[host].atomic_density == pytest.approx(density, rel=rel)
    assert HOSTS[host].source


def test_silicon_agrees_with_codata():
    from scipy import constants

    lattice = constants.value("lattice parameter of silicon")
    assert HOSTS["Si"].atomic_density == pytest.approx(8 / (lattice * 100) ** 3, rel=1e-7)


def test_stderr_is_converted_too():
    ds = fractions(Ge=[20.0, 10.0])
    ds["atomic_fraction_stderr"] = (("species", "depth"), [[2.0, 0.5]], {"units": "at%"})
    found = sims.to_concentration(ds, atomic_density="5e22 atoms/cm^3")
    np.testing.assert_allclose(found["concentration_stderr"].values, [[1e21, 2.5e20]])
    assert found["concentration_stderr"].attrs["units"] == "atom/cm^3"


def test_mass_fraction_needs_masses():
    ds = fractions("wt%", "mass_fraction", B=[1.0, 2.0])
    with pytest.raises(UnitsError, match="only with the masses of the atoms"):
        sims.to_concentration(ds, atomic_density="Si")
    with pytest.raises(UnitsError, match="only with the masses"):
        sims.to_concentration(ds, atomic_density="5e22 atoms/cm^3", masses={"B": 10.81})
    with pytest.raises(SpeciesError, match="masses lack 'B'"):
        sims.to_concentration(ds, atomic_density="Si", masses={"P": 30.97})
    found = sims.to_concentration(ds, atomic_density="Si", masses={"B": 10.81})
    exact = 0.01 * HOSTS["Si"].atomic_density * 28.085 / 10.81
    np.testing.assert_allclose(found["concentration"].values, [[exact, 2 * exact]])


def test_species_in_concentrations_stay_as_they_are():
    ds = sims.open_example("gan-mg-stack")
    found = sims.to_concentration(ds, atomic_density="GaN")
    before = ds["concentration"].notnull()
    assert (
        found["concentration"].values[before.values] == ds["concentration"].values[before.values]
    ).all()
    added = ds["atomic_fraction"].notnull()
    np.testing.assert_allclose(
        found["concentration"].values[added.values],
        ds["atomic_fraction"].values[added.values] * HOSTS["GaN"].atomic_density,
    )
    both = fractions(B=[1.0, 2.0]).assign(
        concentration=(("species", "depth"), [[1.0, 2.0]], {"units": "atom/cm^3"})
    )
    with pytest.raises(ProfileError, match="species 'B' would have two values"):
        sims.to_concentration(both, atomic_density="Si")


def test_no_density_is_assumed():
    ds = fractions(Ge=[20.0, 10.0])
    with pytest.raises(TypeError, match="atomic_density"):
        sims.to_concentration(ds)
    with pytest.raises(UnitsError, match="or name a host: Si, Ge, GaAs"):
        sims.to_concentration(ds, atomic_density="Diamond")
    with pytest.raises(UnitsError, match="atomic_density=5e"):
        sims.to_concentration(ds, atomic_density=5e22)
    with pytest.raises(UnitsError, match="no atomic_fraction or mass_fraction"):
        sims.to_concentration(sims.open_example("boron-implant"), atomic_density="Si")


def test_fraction_quantified_and_dask():
    ds = sims.to_concentration(fractions(Ge=[20.0, 10.0]), atomic_density="Si")
    quantified = sims.to_concentration(
        sims.quantify(fractions("1", Ge=[0.2, 0.1])), atomic_density="Si"
    )
    assert hasattr(quantified["concentration"].data, "magnitude")
    np.testing.assert_allclose(
        sims.dequantify(quantified)["concentration"].values, ds["concentration"].values, 1e-15
    )
    lazy = sims.to_concentration(fractions(Ge=[20.0, 10.0]).chunk(), atomic_density="Si")
    assert lazy["concentration"].chunks is not None


# --- measured profiles --------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::sims_analysis.errors.ProfileWarning")
def test_a_time_axis_of_an_instrument():
    path = DATA / "uio_mina_cameca" / "time_x_axis.api.json"
    if not path.exists():
        pytest.skip(f"measured profiles are not here: {path.name}")
    ds = sims.SIMSResult.from_json(path.read_bytes()).to_dataset()
    with pytest.raises(UnitsError, match="calibrate_depth"):
        sims.crossings(ds, level="10 counts/s", max_count=3)
    found = sims.calibrate_depth(ds, crater_depth="1.5 um", depth_uncertainty=0.05)
    assert float(found["depth"][-1]) == pytest.approx(1500.0)
    np.testing.assert_array_equal(found["intensity"].values, ds["intensity"].values)
