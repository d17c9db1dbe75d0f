"""The table of what is known of samples: one row for each run of them, of every kind."""

import numpy as np
import pytest
import xarray as xr
from error_parts import raises, warns
from measurement_layouts import measurement, one

import sims_analysis as sims

Z = np.arange(0.0, 100.0)
COUNTS = np.random.default_rng(3).poisson(2000 * np.exp(-(((Z - 40) / 15) ** 2)) + 3)
#: Bits of the coordinate, as a file states them.
GAP_AFTER, GAP_BEFORE, PLACEHOLDER, TRANSIENT, RESTORED = 2, 1, 16, 32, 64


def listed(data, *columns):
    found = sims.quality(data)
    every = [found[name].values.tolist() for name in ("kind", "start", "stop", *columns)]
    return list(zip(*every, strict=True))


def flagged(ds, places):
    """Let data carry flags at samples, as a file may."""
    flags = np.zeros(ds["concentration"].shape, dtype=np.int16)
    for at, flag in places.items():
        flags[..., at] |= flag
    return ds.assign_coords(concentration_quality=(ds["concentration"].dims, flags))


def test_of_clean_data_the_table_is_empty():
    found = sims.quality(one(Z, COUNTS * 1e15))
    assert found.sizes == {"run": 0}
    assert {name: found[name].dtype.kind for name in found.data_vars} == {
        "kind": "U", "start": "f", "stop": "f", "samples": "i", "height": "f",
    }  # fmt: skip
    assert len(found.to_dataframe()) == 0


def test_a_mask_of_true_and_false_is_no_sum_of_flags():
    ds = one(Z, COUNTS * 1e15)
    mask = xr.zeros_like(ds["concentration"], dtype=bool).drop_attrs()
    with raises(sims.ProfileError, code="impossible_value", argument="concentration_quality"):
        sims.integrated_dose(ds.assign_coords(concentration_quality=mask))


def test_a_gap_lies_between_two_samples_and_holds_none():
    keep = (Z < 30) | (Z > 60)
    assert listed(one(Z[keep], COUNTS[keep] * 1e15), "samples") == [("gap", 29.0, 61.0, 0)]


def test_a_saturated_detector_has_its_largest_number_for_a_height():
    cut = COUNTS >= 1500
    ((kind, start, stop, samples, height),) = listed(
        one(Z, np.minimum(COUNTS, 1500) * 1e15), "samples", "height"
    )
    assert (kind, height) == ("saturated", 1500e15)
    assert (start, stop) == (Z[cut][0], Z[cut][-1])
    assert samples == cut.sum()


@pytest.mark.filterwarnings("ignore:.*were not measured")
def test_samples_that_a_file_gives_as_below_a_limit():
    rows = ["Depth (nm)\tB (atoms/cm3)", "0\t1e18", "1\t<2E16", "2\t<5E16", "3\t1e17", "4\t<1E16"]
    ds = sims.read("\n".join(rows).encode()).to_dataset()
    assert listed(ds, "samples", "height") == [
        ("below_limit", 1.0, 2.0, 2, 5e16),
        ("below_limit", 4.0, 4.0, 1, 1e16),
    ]
    in_um = sims.with_units(ds, depth="um", concentration="m^-3")
    found = sims.quality(in_um)
    np.testing.assert_allclose(found["height"], [5e16, 1e16], rtol=1e-12)
    np.testing.assert_allclose(found["stop"], [2.0, 4.0], rtol=1e-12)
    assert found["start"].attrs["units"] == "nm"


def test_kinds_without_a_status_are_in_the_table():
    ds = flagged(one(Z, COUNTS * 1e15), {0: TRANSIENT, 1: TRANSIENT | RESTORED, 50: PLACEHOLDER})
    assert listed(ds, "samples") == [
        ("transient", 0.0, 1.0, 2),
        ("restored", 1.0, 1.0, 1),
        ("placeholder", 50.0, 50.0, 1),
    ]
    assert sims.integrated_dose(ds)["status"].item() == "ok"


def test_flags_of_the_data_are_listed_with_those_that_values_show():
    keep = (Z < 30) | (Z > 60)
    ds = flagged(one(Z[keep], COUNTS[keep] * 1e15), {4: GAP_AFTER, 5: GAP_BEFORE})
    assert listed(ds) == [("gap", 4.0, 5.0), ("gap", 29.0, 61.0)]


def test_rows_of_a_batch_name_their_profile():
    hole = np.where((Z > 30) & (Z < 60), np.nan, COUNTS * 1e15)
    ds = measurement(Z, {"B": COUNTS * 1e15, "P": hole})
    batch = sims.stack([ds, ds], names=["before", "after"])
    found = sims.quality(batch)
    assert found["species"].values.tolist() == ["P", "P"]
    assert found["measurement"].values.tolist() == ["before", "after"]
    assert found["variable"].values.tolist() == ["concentration"] * 2
    single = sims.quality(batch.sel(species="P", measurement="after"))
    assert (single["species"].item(), single["start"].item()) == ("P", 30.0)
    xr.testing.assert_identical(sims.quality(batch.chunk(measurement=1)), found)
    for name in ("depth", "species"):
        turned = sims.quality(batch.transpose(name, ...))
        assert turned["kind"].values.tolist() == ["gap", "gap"]


def test_all_variables_that_were_measured_are_looked_at_or_one():
    keep = (Z < 30) | (Z > 60)
    ds = one(Z[keep], COUNTS[keep] * 1e15)
    ds["intensity"] = ds["concentration"] / 1e15
    ds["intensity"].attrs["units"] = "count/s"
    assert sorted(sims.quality(ds)["variable"].values) == ["concentration", "intensity"]
    assert sims.quality(ds, variable="intensity")["variable"].values == ["intensity"]
    alone = sims.quality(ds["intensity"])
    assert alone["kind"].values == ["gap"]
    with raises(sims.UnitsError, "missing_variable"):
        sims.quality(ds, variable="dose")


def test_over_sputter_time_the_table_is_in_seconds():
    keep = (Z < 30) | (Z > 60)
    ds = one(Z[keep], COUNTS[keep] * 1e15).rename(depth="sputter_time")
    ds["sputter_time"].attrs["units"] = "s"
    found = sims.quality(ds)
    assert (found["start"].item(), found["start"].attrs["units"]) == (29.0, "s")


def test_nothing_is_known_of_no_samples():
    ds = sims.open_example("boron-implant").isel(depth=slice(0))
    assert sims.quality(ds).sizes == {"run": 0}


def test_a_gap_between_two_cells_that_meet_has_no_width():
    cells = sims.to_grid(sims.open_example("boron-implant"), step="5 nm", conserve="dose")
    flags = xr.zeros_like(cells["concentration"], dtype=np.int16)
    flags[0, 3], flags[0, 4] = GAP_AFTER, GAP_BEFORE
    found = sims.quality(cells.assign_coords(concentration_quality=flags.variable))
    assert found["kind"].values.tolist() == ["gap"]
    assert found["samples"].values.tolist() == [0]


@pytest.mark.parametrize("own_axes", [False, True])
def test_what_a_sum_carries_and_shows_is_one_run(own_axes):
    time = np.arange(60.0)
    counted = np.random.default_rng(0).poisson(1e5 * np.exp(-(((time - 20) / 6) ** 2)) + 20)
    cut = counted.clip(max=60_000)
    values = np.full((2, 120), np.nan)
    values[0, ::2], values[1, own_axes::2] = 3e4 + time, cut
    run = xr.Dataset(
        {"intensity": (("species", "sputter_time"), values, {"units": "count/s"})},
        {"species": ["31P", "30Si"], "sputter_time": ("sputter_time", np.arange(120.0) / 2)},
    )
    run["sputter_time"].attrs["units"] = "s"
    run = run.isel(sputter_time=run["intensity"].notnull().any("species").values)
    found = sims.quality(sims.combine(run, {"sum": {"31P": 1, "30Si": 1}}))
    rows = zip(found["kind"].values, found["species"].values, strict=True)
    assert list(rows) == [("saturated", "30Si"), ("saturated", "sum")]


# --- what was found wrongly ok -------------------------------------------------------------------


def hole(ds):
    return ds.where((ds["depth"] < 30) | (ds["depth"] > 49))


@pytest.mark.parametrize("step", [2, 3, 4, 5])
def test_a_known_gap_stays_one_in_every_nth_sample(step):
    known = sims.rescale_depth(hole(one(Z, COUNTS * 1e15)), factor=1.0)
    for first in range(step):
        thinned = known.isel(depth=slice(first, None, step))
        assert "gap" in sims.quality(thinned)["kind"]


def test_a_record_that_begins_inside_the_profile_is_truncated():
    ds = one(Z, 2e18 * np.exp(-0.5 * ((Z - 45) / 12) ** 2) + 1e13)
    for first, status in ((0, "ok"), (10, "ok"), (25, "truncated"), (40, "truncated")):
        part = ds.isel(depth=slice(first, None))
        if status == "ok":
            assert sims.integrated_dose(part)["status"] == status
            assert sims.moments(part)["status"] == status
        else:
            with warns(sims.errors.DoseWarning, "truncated", species="B"):
                assert sims.integrated_dose(part)["status"] == status
            with warns(sims.errors.DoseWarning, "truncated", species="B"):
                assert sims.moments(part)["status"] == status


def test_windows_that_reach_far_beyond_the_record_are_truncated():
    ds = one(Z, 2e18 * np.exp(-0.5 * ((Z - 45) / 12) ** 2) + 1e13)
    for question in (sims.mean_value, sims.moments):
        assert question(ds, start="0 nm", stop="102 nm")["status"] == "ok"
        with pytest.warns(sims.errors.SimsWarning, match="0 to 900 nm; the record runs from 0 to"):
            assert question(ds, start="0 nm", stop="900 nm")["status"] == "truncated"


def test_a_blur_beside_a_hole_does_not_count_for_the_rest():
    ds = sims.with_counting_statistics(one(Z, COUNTS * 1e15), value_per_count="1e15 atom/cm^3")
    fractions = [
        float(sims.convolve(data, resolution="2 nm").coords["effective_sample_fraction"].item())
        for data in (ds, hole(ds))
    ]
    assert fractions[1] == pytest.approx(fractions[0], rel=0.1)
