"""A Dataset gives back the very profiles that it was made of."""

import dataclasses
import math
import warnings

import numpy as np
import pytest
import shared_profiles
import xarray as xr
from error_parts import raises, warns
from hypothesis import given
from hypothesis import strategies as st
from measurement_layouts import profile

import sims_analysis as sims
from sims_analysis.errors import ProfileError, ProfileWarning, UnitsError

DEPTH_UNITS = ["nm", "um", "Å", "angstrom", "microns"]
VALUE_UNITS = ["atoms/cm^3", "m^-3", "at%", "wt%", "kcps", "counts", "arb. units", "ppm", "ppb"]


NAME = st.characters(exclude_characters="\0", exclude_categories=["Cs"])


@st.composite
def measurements(draw):
    names = draw(
        st.lists(st.text(NAME, min_size=1, max_size=6), min_size=1, max_size=4, unique=True)
    )
    units = st.sampled_from(DEPTH_UNITS)
    shared = draw(st.booleans())
    axis = st.lists(st.floats(0, 1e5), min_size=2, max_size=8, unique=True).map(sorted)
    common = draw(axis)
    made = []
    for name in names:
        z = common if shared else draw(axis)
        values = draw(
            st.lists(st.floats(-1e25, 1e25) | st.none(), min_size=len(z), max_size=len(z))
        )
        made.append(
            profile(
                name, z, values, draw(units), draw(st.sampled_from(VALUE_UNITS)),
                id=draw(st.none() | st.integers(0, 99) | st.text(max_size=4)),
                data_id=draw(st.sampled_from(["d1", 7, None])),
                species_metadata=draw(st.none() | st.just({"rsf": 1e22, "note": "µ"})),
                last_updated=draw(st.none() | st.just("2024-01-15T10:35:00.123456")),
                extra=draw(st.sampled_from([{}, {"lab": [1, {"a": None}]}])),
            )
        )  # fmt: skip
    return made


@pytest.mark.slow
@given(measurements())
def test_profiles_to_dataset_to_profiles_loses_nothing(profiles):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ProfileWarning)
        try:
            ds = sims.to_dataset(profiles)
        except ProfileError as error:  # two depths that one unit conversion makes equal
            assert "occurs twice" in str(error)  # noqa: PT017
            return
    for before, after in zip(profiles, sims.to_profiles(ds), strict=True):
        assert after.to_dict() == before.to_dict()
        assert after == before
        assert after.to_dict() == before.to_dict()


@shared_profiles.parametrize()
def test_every_real_measurement_survives_the_way_there_and_back(name):
    result = sims.SIMSResult.from_json(shared_profiles.read(name))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ProfileWarning)
        ds = result.to_dataset()
    for before, after in zip(result.depth_profiles, sims.to_profiles(ds), strict=True):
        assert after.to_dict() == before.to_dict()


def test_a_selection_gives_the_profiles_that_are_left():
    a, b = (
        profile("A", [0.1, 0.2, 0.5], [1, None, 3], "um"),
        profile("B", [0.15, 0.7], [4, 6], "um"),
    )
    with pytest.warns(ProfileWarning):
        ds = sims.to_dataset([a, b])
    (only,) = sims.to_profiles(ds.sel(species="B"))
    assert only == b
    cut = sims.to_profiles(ds.sel(depth=slice(150, 600)))[0]
    np.testing.assert_array_equal(cut.depths, [0.2, 0.5])
    np.testing.assert_array_equal(cut.concentrations, [math.nan, 3])
    assert sims.to_profiles(sims.quantify(ds))[1] == b


def test_ancillary_columns_are_kept_as_long_as_they_fit():
    voltages = {"units": "V", "values": [4.0, 5.0, 6.0]}
    beside = {"counts": {"units": "counts", "values": [1, 2, 3]}, "voltage": voltages, "note": "x"}
    source = dataclasses.replace(
        profile("A", [1, 2, 3], [1, 2, 3]), extra={"columns": beside, "more": 1}
    )
    ds = sims.to_dataset(source)
    assert ds["concentration_counts"].values.tolist() == [[1.0, 2.0, 3.0]]
    counts = {"units": "count", "values": [1.0, 2.0, 3.0]}
    (back,) = sims.to_profiles(ds)
    assert back.extra == {"columns": beside | {"counts": counts}, "more": 1}
    (cut,) = sims.to_profiles(ds.isel(depth=[0, 1]))
    counts = {"units": "count", "values": [1.0, 2.0]}
    assert cut.extra == {"columns": {"note": "x", "counts": counts}, "more": 1}


def test_counts_without_a_unit_are_refused_with_their_species():
    beside = {"columns": {"counts": {"values": [1, 2]}}}
    source = dataclasses.replace(profile("A", [1, 2], [1, 2]), extra=beside)
    with raises(UnitsError, "missing_unit", species="A"):
        sims.to_dataset(source)


def test_changed_values_are_given_back_changed():
    ds = sims.to_dataset([profile("A", [0.1, 0.2], [0.1 + 0.2, 7], units="at%")])
    ds["atomic_fraction"] = ds["atomic_fraction"] * 2
    ds["atomic_fraction"].attrs["units"] = "1"
    np.testing.assert_allclose(sims.to_profiles(ds)[0].concentrations, [0.6, 14])


def test_a_fraction_without_a_source_is_given_back_with_a_unit_that_says_of_what():
    # As for data that were made or calibrated in the Dataset: "1" alone would be ambiguous.
    ds = sims.to_dataset([profile("A", [0.1, 0.2], [1, 7], units="wt%")])
    (back,) = sims.to_profiles(ds.drop_vars("source_units"))
    assert back.concentration_units == "mass fraction"
    assert sims.to_dataset([back])["mass_fraction"].values.tolist() == [[0.01, 0.07]]


def back_and_forth(**fields):
    source = sims.DepthProfile(
        **{
            "species_name": "A", "depths": [0.1, 0.2, 0.7], "depth_units": "um",
            "concentrations": [1e24, 2e24, 3e24], "concentration_units": "m^-3",
        } | fields
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ProfileWarning)
        ds = sims.to_dataset([source])
    return source, ds, sims.to_profiles(ds)[0]


def columns(**named):
    return {"columns": {n: {"units": unit, "values": v} for n, (unit, v) in named.items()}}


@pytest.mark.parametrize(
    "beside",
    [
        columns(background_stderr=("m^-3", [1e21, 2e21, None])),
        columns(background_stderr=("m^-3", [1e21, "inf", 2e21])),
        columns(background_overlap=("1", [0.1, 0.2, 0.3])),
        columns(counts=("count", [1.0, 2.0, 3.0]), background_scatter=("1", [1.5, 1.5, 1.0])),
        columns(depth_scale_uncertainty=("1", [0.02, 0.02, 0.02])),
        columns(achieved_resolution=("nm", [1.0, 2.0, 3.0])),
        columns(cell_start=("um", [0.05, 0.15, 0.4]), cell_stop=("um", [0.15, 0.4, 1.0])),
        columns(cell_start=("um", [None, 0.15, 0.4]), cell_stop=("um", [0.15, 0.4, 1.0])),
    ],
)
def test_columns_of_our_own_come_back_in_the_units_of_the_profile(beside):
    source, ds, found = back_and_forth(extra=beside)
    assert found.extra == source.extra
    assert found == source
    (cut,) = sims.to_profiles(ds.isel(depth=[0, 2]))
    for name, column in beside["columns"].items():
        own = cut.extra["columns"][name]
        assert own["units"] == column["units"]
        for number, stated in zip(own["values"], column["values"][::2], strict=True):
            assert number == (stated if stated is None else pytest.approx(stated, rel=1e-12))


def test_a_sample_that_was_not_measured_has_its_cell():
    edges = columns(cell_start=("um", [0.05, 0.15, 0.4]), cell_stop=("um", [0.15, 0.4, 1.0]))
    source, ds, found = back_and_forth(concentrations=[1e24, None, 3e24], extra=edges)
    assert found == source
    stated = ds.drop_vars(["wire_fields", "source_units"])
    assert sims.to_profiles(stated)[0].depths.size == 3


def test_depths_in_a_gap_stay_with_what_is_known_of_them():
    ds = sims.open_example("boron-implant").sel(species=["B"])
    holed = ds.where((ds["depth"] < 60) | (ds["depth"] > 80), drop=True)
    with warns(ProfileWarning, "gap", species="B"):
        grid = sims.to_grid(holed, step="5 nm")
    assert grid["concentration_quality"].sel(depth=70).item() == 3
    batch = sims.stack([grid, ds])
    for back in (sims.to_dataset(sims.to_profiles(grid)), sims.unstack(batch)[0]):
        for name in ("depth", "concentration", "concentration_quality"):
            np.testing.assert_allclose(back[name].values, grid[name].values)


def test_only_profiles_with_standard_errors_have_them():
    ds = sims.to_dataset([
        profile("A", [0, 1], [1, 2], concentrations_stderr=[0.1, 0.2],
                extra=columns(counts=("count", [3.0, 4.0]))),
        profile("B", [0, 1], [1, 2]),
    ])  # fmt: skip
    first, other = sims.to_profiles(ds)
    assert first.concentrations_stderr.tolist() == [0.1, 0.2]
    assert "concentrations_stderr" in first.to_dict()
    assert first.extra == columns(counts=("count", [3.0, 4.0]))
    assert (other.concentrations_stderr, other.extra) == (None, {})
    assert "concentrations_stderr" not in other.to_dict()


def test_edges_that_were_moved_are_given_back_moved():
    edges = columns(cell_start=("um", [0.05, 0.15, 0.4]), cell_stop=("um", [0.15, 0.4, 1.0]))
    _, ds, _ = back_and_forth(extra=edges)
    moved = ds.assign_coords(depth_bounds=ds["depth_bounds"] + 10.0)
    (found,) = sims.to_profiles(moved)
    np.testing.assert_allclose(
        found.extra["columns"]["cell_start"]["values"], [0.06, 0.16, 0.41], rtol=1e-12
    )


def test_what_is_made_in_a_dataset_has_no_fields_of_a_source():
    ds = xr.Dataset(
        {"intensity": (("species", "depth"), [[1.0, 2.0]], {"units": "kcps"})},
        {"species": ["A"], "depth": ("depth", [0.0, 1.0], {"units": "um"})},
        {"data_id": "w7"},
    )
    (found,) = sims.to_profiles(ds)
    assert (found.data_id, found.id, found.processed_data_id, found.last_updated) == (
        "w7", None, None, None,
    )  # fmt: skip
    assert (found.depth_units, found.concentration_units) == ("um", "kcps")
    assert (found.species_metadata, found.extra, found.concentrations.tolist()) == (
        None,
        {},
        [1, 2],
    )


def test_a_species_in_two_kinds_of_unit_has_its_own_record_in_each():
    rate = profile("A", [0, 1], [5, 6], "um", "kcps", id="r", extra={"lab": 1})
    made = profile("A", [0, 1], [1e24, 2e24], "um", "m^-3", id="c", last_updated="today")
    for source in ([made, rate], [rate, made]):
        assert {p.id: p for p in sims.to_profiles(sims.to_dataset(source))} == {
            "c": made,
            "r": rate,
        }


def test_errors_that_were_found_since_are_among_the_fields():
    delivered = sims.DepthProfile.from_dict(profile("A", [0, 1, 2], [1e18, 2e18, 1e18]).to_dict())
    ds = sims.to_dataset([delivered])
    counted = sims.with_counting_statistics(ds, value_per_count="1e16 cm^-3")
    (found,) = sims.to_profiles(counted)
    assert found.to_dict()["concentrations_stderr"] == [1e17, pytest.approx(2**0.5 * 1e17), 1e17]
    assert found.to_dict()["columns"]["counts"]["values"] == [100.0, 200.0, 100.0]


def test_a_coordinate_of_the_measurement_is_not_one_of_each_species():
    ds = sims.to_dataset([profile("A", [0, 1], [1, 2], last_updated="monday")])
    assert sims.to_profiles(ds)[0].last_updated == "monday"
    assert sims.to_profiles(ds.assign_coords(last_updated="today"))[0].last_updated is None


def test_other_fields_stay_where_no_column_fits_any_more():
    voltage = {"units": "V", "values": [4.0, 5.0, 6.0]}
    source = profile("A", [1, 2, 3], [1, 2, 3], extra={"columns": {"voltage": voltage}, "more": 1})
    ds = sims.to_dataset([source])
    assert sims.to_profiles(ds)[0] == source
    assert sims.to_profiles(ds.isel(depth=[0, 1]))[0].extra == {"more": 1}


#: Micrometres that nanometres and back change in their last digit.
ROUNDED = [1 / 97, 93 / 977]


def test_depths_that_a_conversion_rounds_come_back_whatever_is_left():
    with warns(ProfileWarning, "not_measured", species="A"):
        ds = sims.to_dataset([profile("A", ROUNDED, [None, None], "um")])
    assert sims.to_profiles(ds)[0].depths.tolist() == ROUNDED
    whole = sims.to_dataset([profile("A", ROUNDED, [1, 2], "um")])
    assert sims.to_profiles(whole)[0].depths.tolist() == ROUNDED
    for i in (0, 1):
        assert sims.to_profiles(whole.isel(depth=[i]))[0].depths.tolist() == [ROUNDED[i]]


def test_profiles_belong_to_their_measurement():
    ds = sims.open_example("boron-implant")
    batch = sims.stack([ds, ds.assign_attrs(data_id="w2")])
    for one, data_id in (
        (ds, "boron-implant"),
        (batch.isel(measurement=1), "w2"),
        (batch.isel(measurement=1).sel(species="B"), "w2"),
        (ds.assign_attrs(data_id=""), None),
        (ds.assign_coords(data_id=("depth", ds["depth"].values.astype(str))), "boron-implant"),
    ):
        assert {p.data_id for p in sims.to_profiles(one)} == {data_id}
    merged = ds.assign_coords(data_id=("species", ["w3", ""]))
    assert [p.data_id for p in sims.to_profiles(merged)] == ["w3", None]


def test_columns_that_were_taken_out_of_the_data_are_not_those_of_the_source():
    edges = columns(cell_start=("um", [0.05, 0.15, 0.4]), cell_stop=("um", [0.15, 0.4, 1.0]))
    _, ds, _ = back_and_forth(extra=edges)
    (found,) = sims.to_profiles(ds.drop_vars(["depth_bounds", "cell_start", "cell_stop"]))
    assert found.extra == {}
    _, ds, _ = back_and_forth(
        extra=columns(counts=("count", [1.0, 2.0, 3.0]), volt=("V", [1, 2, 3]))
    )
    (found,) = sims.to_profiles(ds.drop_vars("concentration_counts"))
    assert found.extra == columns(volt=("V", [1, 2, 3]))


@pytest.mark.parametrize(
    ("part", "depths"),
    [
        (slice(0, 2), [0, 1]),
        (slice(0, 4), [0, 1, 2, 3]),
        (slice(1, 4), [1, 2, 3]),
        (slice(3, 5), [3, 4]),
    ],
)
def test_only_gaps_within_the_depths_that_are_left_come_back(part, depths):
    with warns(ProfileWarning, "not_measured", species="A"):
        ds = sims.to_dataset([profile("A", range(5), [1e18, 2e18, None, 4e18, 5e18])])
    (found,) = sims.to_profiles(ds.isel(depth=part))
    assert found.depths.tolist() == depths
    assert np.isnan(found.concentrations).tolist() == [z == 2 for z in depths]


def test_flags_and_limits_of_one_selected_species_go_along():
    # They have the dimension of the samples alone.
    ds = sims.open_example("boron-implant").sel(species="B").isel(depth=slice(9))
    flags, limits = np.zeros(9, dtype=np.int16), np.full(9, np.nan)
    ds["concentration"][4], limits[4], flags[2] = np.nan, 5e15, 4
    unit = ds["concentration"].attrs["units"]
    ds = ds.assign_coords(
        concentration_quality=("depth", flags),
        concentration_detection_limit=("depth", limits, {"units": unit}),
    )
    again = sims.to_dataset(sims.to_profiles(ds))
    shared = sims.open_example("boron-implant").isel(depth=slice(9))
    for every in (flags, np.full(9, 4, dtype=np.int16)):
        shared = shared.assign_coords(concentration_quality=("depth", every))
        for flagged in sims.to_dataset(sims.to_profiles(shared))["concentration_quality"].values:
            assert flagged.tolist() == every.tolist()
    for data in (ds, again):
        assert {"saturated", "below_limit"} == set(sims.quality(data)["kind"].values.tolist())
