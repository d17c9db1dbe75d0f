"""Intensities to concentrations: one factor for one species, and none for the matrix."""

import json

import numpy as np
import pytest
import xarray as xr
from timed import timed

import sims_analysis as sims
from sims_analysis.errors import ProfileError, ProfileWarning, SpeciesError, UnitsError

TIME = np.arange(0.0, 101.0, 2.0)
COUNTS = timed(TIME, B=1e6 * np.exp(-TIME / 10), Si=np.full(TIME.size, 2e5))


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
