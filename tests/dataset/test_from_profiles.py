"""Profiles become one Dataset: axes, units, kinds, gaps; and what is refused."""

import json
import math
import warnings

import numpy as np
import pytest
from error_parts import raises, warns
from measurement_layouts import profile

import sims_analysis as sims
from sims_analysis.errors import ProfileError, ProfileWarning, UnitsError
from sims_analysis.outcomes import Flag


def test_one_axis_is_dense():
    ds = sims.to_dataset([profile("B", [0, 1, 2], [1, 2, 3]), profile("P", [0, 1, 2], [4, 5, 6])])
    assert ds["concentration"].dims == ("species", "depth")
    assert ds["concentration"].attrs["units"] == "atom/cm^3"
    assert ds["depth"].attrs["units"] == "nm"
    np.testing.assert_array_equal(ds["concentration"], [[1, 2, 3], [4, 5, 6]])
    assert list(ds.data_vars) == ["concentration"]


def test_three_units_of_depth_on_one_axis():
    ds = sims.to_dataset([
        profile("B", [0, 11, 29.3], [1, 2, 3]),
        profile("P", [0, 0.011, 0.0293], [1, 2, 3], "um"),
        profile("As", [0, 110, 293], [1, 2, 3], "Å"),
    ])  # fmt: skip
    assert ds.sizes["depth"] == 3
    assert not ds["concentration"].isnull().any()


def test_different_axes_are_their_union_every_sample_where_it_was_measured():
    a, b = profile("A", [0.1, 0.2, 0.5], [1, 2, 3]), profile("B", [0.15, 0.2, 0.7], [4, 5, 6])
    ds = sims.to_dataset([a, b])
    np.testing.assert_array_equal(ds["depth"], [0.1, 0.15, 0.2, 0.5, 0.7])
    nan = math.nan
    np.testing.assert_array_equal(ds["concentration"], [[1, nan, 2, 3, nan], [nan, 4, 5, nan, 6]])


@pytest.mark.parametrize(("shift", "samples"), [(0.5e-9, 3), (2e-9, 6)])
def test_axes_within_a_billionth_of_the_span_are_one(shift, samples):
    z = np.array([1.0, 2.0, 3.0])
    ds = sims.to_dataset([profile("A", z, [1, 2, 3]), profile("B", z + shift * 2, [1, 2, 3])])
    assert ds.sizes["depth"] == samples


def test_concentrations_intensities_and_fractions_in_one_measurement():
    z = [0, 1]
    ds = sims.to_dataset([
        profile("B", z, [1e18, 2e18], units="at/cm³"),
        profile("Si", z, [2, 4], units="kcps"),
        profile("Ge", z, [25, 50], units="at%"),
        profile("O", z, [1, 2], units="wt%"),
        profile("X", z, [7, 8], units="counts"),
        profile("Y", z, [7, 8], units="arb. units"),
    ])  # fmt: skip
    units = {name: array.attrs["units"] for name, array in ds.data_vars.items()}
    assert units == {
        "concentration": "atom/cm^3", "atomic_fraction": "1", "mass_fraction": "1",
        "intensity": "count/s", "counts": "count", "intensity_arbitrary": "arb. unit",
    }  # fmt: skip
    assert ds["intensity"].sel(species="Si").values.tolist() == [2000, 4000]
    assert ds["atomic_fraction"].sel(species="Ge").values.tolist() == [0.25, 0.5]
    assert ds["concentration"].sel(species="Ge").isnull().all()


def test_counts_alone_are_the_intensity():
    ds = sims.to_dataset([profile("X", [0, 1], [7, 8], units="counts")])
    assert ds["intensity"].attrs["units"] == "count"


def test_sputter_time_is_not_a_depth():
    ds = sims.to_dataset([profile("X", [0, 1], [7, 8], "min", "counts/s")])
    assert ds["intensity"].dims == ("species", "sputter_time")
    np.testing.assert_array_equal(ds["sputter_time"], [0, 60])
    assert ds["sputter_time"].attrs["units"] == "s"
    with raises(ProfileError, "mixed_axes", species="X"):
        sims.to_dataset(
            [profile("X", [0, 1], [7, 8], "s", "counts/s"), profile("B", [0, 1], [1, 2])]
        )


def test_unsorted_depths_are_sorted_with_their_values_and_a_warning():
    with warns(ProfileWarning, "unordered_axis", species="B") as caught:
        ds = sims.to_dataset([profile("B", [2, 0, 1], [30, 10, 20])])
    assert caught[0].filename == __file__
    np.testing.assert_array_equal(ds["concentration"], [[10, 20, 30]])


@pytest.mark.parametrize(
    ("axis", "unit", "other"), [("depth", "nm", "um"), ("sputter_time", "s", "min")]
)
def test_cells_have_their_edges_as_bounds_and_one_by_one(axis, unit, other):
    def cells(name, starts, size=60.0):
        starts = np.array(starts)
        columns = {
            "cell_start": {"units": unit, "values": starts.tolist()},
            "cell_stop": {"units": unit, "values": (starts + size).tolist()},
        }
        middle = (starts + size / 2) / {"nm": 1, "um": 1000, "s": 1, "min": 60}[other]
        return profile(name, middle, starts, other, "counts", extra={"columns": columns})

    ds = sims.to_dataset([cells("B", [0.0, 60.0]), cells("P", [120.0, 180.0])])
    assert ds[axis].attrs["bounds"] == f"{axis}_bounds"
    bounds = ds[f"{axis}_bounds"]
    assert bounds.dims == (axis, "bounds")
    assert bounds.attrs == {}
    np.testing.assert_allclose(bounds, [[0, 60], [60, 120], [120, 180], [180, 240]])
    for side, name in enumerate(("cell_start", "cell_stop")):
        assert ds[name].dims == (axis,)
        assert ds[name].attrs == {"units": unit}
        np.testing.assert_array_equal(ds[name], bounds[:, side])
    mixed = sims.to_dataset([cells("B", [0.0, 60.0]), profile("P", [1, 2], [3, 4], other)])
    unlike = sims.to_dataset([cells("B", [0.0, 60.0]), cells("P", [-30.0, 180.0], 120.0)])
    beside = sims.to_dataset([cells("B", [0.0, 60.0]), cells("P", [30.0, 90.0])])
    for ds, below in ((mixed, [np.nan] * 2), (unlike, [90, 300]), (beside, [90, 150])):
        assert f"{axis}_bounds" not in ds.coords
        assert ds["cell_stop"].dims == ("species", axis)
        for species, stop in (("B", [60, 120]), ("P", below)):
            own = sims.samples(ds, species)
            np.testing.assert_allclose(own["cell_stop"], stop)
            assert own.sizes[axis] == 2
        again = sims.to_dataset(sims.to_profiles(ds))
        np.testing.assert_array_equal(again["cell_stop"], ds["cell_stop"])


def test_the_same_depth_twice():
    b = profile("B", [0, 0.01, 0.01, 0.02], [1, 2, 4, 5], "um")
    with raises(ProfileError, "unordered_axis", argument="duplicates", species="B"):
        sims.to_dataset([b])
    ds = sims.to_dataset([b], duplicates="mean")
    np.testing.assert_array_equal(ds["concentration"], [[1, 3, 5]])
    many = profile("B", [0, 1, 1, 2, 2, 3, 3], [1, 2, 4, 5, 6, 7, 8])
    with raises(ProfileError, "unordered_axis", argument="duplicates", species="B"):
        sims.to_dataset([many])


def test_the_mean_of_two_known_values_is_better_known():
    b = profile("B", [0, 1, 1], [1, 2, 4], concentrations_stderr=[0.1, 0.3, 0.4])
    ds = sims.to_dataset([b], duplicates="mean")
    np.testing.assert_allclose(ds["concentration_stderr"], [[0.1, 0.25]])


def test_null_is_not_measured():
    with warns(ProfileWarning, "not_measured", species="B"):
        ds = sims.to_dataset([profile("B", [0, 1, 2, 3], [1, None, math.nan, 4])])
    assert ds["concentration"].isnull().sum() == 2


def test_zero_and_negative_values_are_data():
    ds = sims.to_dataset([profile("B", [0, 1, 2], [0, -1, 5])])
    np.testing.assert_array_equal(ds["concentration"], [[0, -1, 5]])


def test_a_species_that_occurs_twice_is_numbered_with_a_warning(approved):
    once, twice = (profile("SnO+", [0, 1], values) for values in ([1, 2], [3, 4]))
    rate = profile("SnO+", [0, 1], [5, 6], units="counts/s")
    with warns(ProfileWarning, "repeated_species", species="SnO+", text=approved):
        ds = sims.to_dataset([once, rate, twice])
    assert ds["species"].values.tolist() == ["SnO+ (1)", "SnO+", "SnO+ (2)"]
    np.testing.assert_array_equal(ds["concentration"].sel(species="SnO+ (2)"), [3, 4])
    np.testing.assert_array_equal(ds["intensity"].sel(species="SnO+"), [5, 6])
    taken = profile("SnO+ (2)", [0, 1], [1, 2])
    with raises(ProfileError, "repeated_species", species="SnO+"):
        sims.to_dataset([once, twice, taken])


def test_depths_in_a_unit_that_is_refused_are_taken_as_stated():
    in_a = [profile(name, [0, 10], [1, 2], "A") for name in "BP"]
    with raises(UnitsError, "ambiguous_unit", argument="depth_units", species="B"):
        sims.to_dataset(in_a)
    ds = sims.to_dataset(in_a, depth_units="angstrom")
    np.testing.assert_allclose(ds["depth"], [0, 1], rtol=1e-15)
    assert sims.to_profiles(ds)[0].depth_units == "angstrom"
    same = sims.to_dataset([profile("B", [0, 1], [1, 2], "µm")], depth_units="um")
    np.testing.assert_array_equal(same["depth"], [0, 1000])
    with warns(ProfileWarning, "other_unit", argument="depth_units"):
        sims.to_dataset([profile("B", [0, 1], [1, 2])], depth_units="um")
    mixed = [*in_a, profile("As", [0, 1], [1, 2], "um")]
    ds = sims.to_dataset(mixed, depth_units="angstrom")
    assert ds.sel(species="As").dropna("depth")["depth"].values.tolist() == [0, 1000]
    with raises(UnitsError, argument="depth_units"):
        sims.to_dataset(in_a, depth_units="at%")


@pytest.mark.parametrize(
    ("kind", "unit", "code"),
    [("depth_units", "A", "ambiguous_unit"), ("concentration_units", "a.b.", "unknown_unit"),
     ("concentration_units", "mol/cm^3", "unknown_unit"), ("depth_units", "cm^-3", "wrong_unit"),
     ("concentration_units", "nm", "wrong_unit")],
)  # fmt: skip
def test_a_unit_that_does_not_fit_is_named_with_its_species(kind, unit, code):
    units = {"depth_units": "nm", "concentration_units": "atoms/cm^3", kind: unit}
    bad = sims.DepthProfile(species_name="B", depths=[0], concentrations=[1], **units)
    with raises(UnitsError, code, argument=kind, species="B"):
        sims.to_dataset([bad])


def test_standard_errors_are_ancillary_variables():
    b = profile("B", [0, 1], [10, 20], units="at%", concentrations_stderr=[10, 20])
    ds = sims.to_dataset([b, profile("P", [0, 1], [10, 20], units="at%")])
    np.testing.assert_array_equal(ds["atomic_fraction_stderr"], [[0.1, 0.2], [math.nan] * 2])
    assert ds["atomic_fraction_stderr"].attrs["units"] == "1"
    assert sims.to_profiles(ds)[0] == b


def test_where_it_came_from_is_in_the_attrs():
    result = sims.SIMSResult(
        data_id="d1", depth_profiles=[profile("B", [0, 1], [1, 2])],
        provenance={"source": "https://host/sims/d1", "sha256": "ab", "retrieved": "2026-01-01"},
    )  # fmt: skip
    attrs = result.to_dataset().attrs
    assert (attrs["data_id"], attrs["source"], attrs["sha256"]) == (
        "d1",
        "https://host/sims/d1",
        "ab",
    )
    assert attrs["sims_analysis_version"] == sims.__version__


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ([], ProfileError),
        (None, TypeError),
        ("abc", TypeError),
        ({"B": 1}, TypeError),
        ([{"species_name": "B"}], ProfileError),
        ([sims.SIMSResult.from_json(b"[]")], ProfileError),
    ],
)
def test_what_is_no_profile_is_named(source, error, approved):
    with raises(error, text=approved):
        sims.to_dataset(source)


def test_a_name_that_numpy_would_shorten_is_refused():
    with raises(ProfileError, argument="species_name", species="B\0"):
        sims.to_dataset([profile("B\0", [0, 1], [1, 2])])
    ds = sims.to_dataset([profile("B\0x", [0, 1], [1, 2])])
    assert ds["species"].item() == "B\0x"


def test_rounded_numbers_of_unsorted_profiles_find_their_samples_again():
    depths = [
        882 / 977,
        874 / 977,
        851 / 977,
        845 / 977,
        844 / 977,
        837 / 977,
    ]  # there and back, these are rounded twice
    delivered = profile("B", depths, [1e18 / 3, 2e18 / 7, 3, 4, 5, 6], "um")
    with warns(ProfileWarning, "unordered_axis", species="B"):
        (back,) = sims.to_profiles(sims.to_dataset([delivered]))
    assert back.depths.tolist() == sorted(depths)
    assert dict(zip(back.depths, back.concentrations, strict=True)) == dict(
        zip(delivered.depths, delivered.concentrations, strict=True)
    )


def with_columns(depths=(0.0, 1.0, 2.0), **columns):
    made = {
        name: {"values": values} | ({} if units is None else {"units": units})
        for name, (values, units) in columns.items()
    }
    return profile("B", list(depths), [1e18, 2e18, 3e18], extra={"columns": made})


@pytest.mark.parametrize(
    ("name", "values", "units", "read", "unit"),
    [
        ("counts", [4, 5, 6], "counts", [4.0, 5.0, 6.0], "count"),
        ("background_stderr", [1e21, 2e21, 3e21], "m^-3", [1e15, 2e15, 3e15], "atom/cm^3"),
        ("background_overlap", [0.1, 0.2, 0.0], "1", [0.1, 0.2, 0.0], "1"),
        ("background_scatter", [1.5, 1.5, 1.0], "1", [1.5, 1.5, 1.0], "1"),
        ("detection_limit", [None, 5e15, None], None, [math.nan, 5e15, math.nan], "atom/cm^3"),
        ("detection_limit", [None, 5e21, None], "m^-3", [math.nan, 5e15, math.nan], "atom/cm^3"),
    ],
)
def test_columns_of_a_profile_are_ancillary_variables(name, values, units, read, unit):
    ds = sims.to_dataset(with_columns(**{name: (values, units)}))
    found = ds[f"concentration_{name}"]
    np.testing.assert_allclose(found, [read], rtol=1e-12)
    assert found.attrs["units"] == unit
    assert (found.name in ds.coords) == (name == "detection_limit")  # which an array keeps
    with warns(ProfileWarning, "unordered_axis", species="B"):
        turned = sims.to_dataset(with_columns([1.0, 2.0, 0.0], **{name: (values, units)}))
    np.testing.assert_allclose(turned[found.name], [[read[2], read[0], read[1]]], rtol=1e-12)
    merged = sims.to_dataset(
        with_columns([0.0, 1.0, 1.0], **{name: (values, units)}), duplicates="mean"
    )
    np.testing.assert_allclose(merged[found.name], [read[:2]], rtol=1e-12)


def test_what_samples_have_in_common_is_a_coordinate():
    ds = sims.to_dataset(with_columns(depth_scale_uncertainty=([0.02] * 3, "1")))
    assert (ds["depth_scale_uncertainty"].dims, ds["depth_scale_uncertainty"].item()) == ((), 0.02)
    width = sims.to_dataset(with_columns(achieved_resolution=([0.001, 0.002, 0.003], "um")))
    np.testing.assert_allclose(width["achieved_resolution"], [[1.0, 2.0, 3.0]], rtol=1e-12)


def test_edges_of_cells_go_with_their_depths(approved):
    edges = {"cell_start": ([0.5, 1.5, -0.5], "nm"), "cell_stop": ([1.5, 2.5, 0.5], "nm")}
    with warns(ProfileWarning, "unordered_axis", species="B"):
        ds = sims.to_dataset(with_columns([1.0, 2.0, 0.0], **edges))
    np.testing.assert_array_equal(ds["depth_bounds"], [[-0.5, 0.5], [0.5, 1.5], [1.5, 2.5]])
    alone = sims.to_dataset(with_columns(cell_start=([0.0, 1.0, 2.0], "nm")))
    assert "depth_bounds" not in alone.coords
    # A mean of two cells has no edges.
    merged = sims.to_dataset(with_columns([0.0, 1.0, 1.0], **edges), duplicates="mean")
    assert "depth_bounds" not in merged.coords
    wrong = edges | {"cell_stop": ([1.5, 2.5, 0.5], "s")}
    with raises(UnitsError, species="B", text=approved):
        sims.to_dataset(with_columns(**wrong))


def test_metadata_of_the_measurement_are_text_and_say_which_file_it_was():
    stated = {"sample": "w7", "sha256": "ab"}
    source = [profile("B", [0, 1], [1, 2], extra={"measurement": stated})]
    ds = sims.to_dataset(source)
    assert json.loads(ds.attrs["measurement"]) == stated
    assert ds.attrs["file_sha256"] == "ab"
    read = sims.SIMSResult(data_id="d1", depth_profiles=source, provenance={"sha256": "ab"})
    assert "file_sha256" not in read.to_dataset().attrs
    archived = sims.SIMSResult(data_id="d1", depth_profiles=source, provenance={"sha256": "cd"})
    attrs = archived.to_dataset().attrs
    assert (attrs["sha256"], attrs["file_sha256"]) == ("cd", "ab")
    nameless = [profile("B", [0, 1], [1, 2], extra={"measurement": {"sample": "w7"}})]
    assert "file_sha256" not in sims.to_dataset(nameless).attrs
    assert "measurement" not in sims.to_dataset([profile("B", [0, 1], [1, 2])]).attrs


def test_the_history_begins_with_what_it_was_made_of():
    ds = sims.to_dataset([profile(name, [0, 1], [1, 2], data_id=7) for name in "BP"])
    assert ds.attrs == {
        "data_id": "7",
        "sims_analysis_version": sims.__version__,
        "history": f"made from 2 depth profiles by sims_analysis {sims.__version__}",
    }
    assert "data_id" not in sims.to_dataset([profile("B", [0, 1], [1, 2])]).attrs


def test_unusual_values_are_warned_of(approved):
    with warns(ProfileWarning, text=approved):
        sims.to_dataset([profile("B", [0, 1.5e6], [1e18, 1e17])])


@pytest.mark.parametrize(("off", "kept"), [(0.0, True), (1e-10, True), (1e-8, False)])
def test_species_share_cells_that_agree_within_rounding(off, kept):
    def cells(name, shift):
        start, stop = [0.0, 10.0, 20.0], [10.0, 20.0, 30.0 + shift]
        columns = {
            "cell_start": {"units": "nm", "values": start},
            "cell_stop": {"units": "nm", "values": stop},
        }
        return profile(name, [5, 15, 25], [1e18, 2e18, 3e18], extra={"columns": columns})

    both = [cells("B", 0.0), cells("P", off * 20)]
    if kept:
        ds = sims.to_dataset(both)
        np.testing.assert_allclose(ds["depth_bounds"][:, 1], [10, 20, 30], rtol=1e-9)
    else:
        ds = sims.to_dataset(both)
        assert ds["cell_stop"][:, 2].values.tolist() == [30.0, 30.0 + off * 20]
        again = sims.to_dataset(sims.to_profiles(ds))
        np.testing.assert_array_equal(again["cell_stop"], ds["cell_stop"])


def test_a_step_keeps_both_of_its_counts():
    source = with_columns([0.0, 1.0, 1.0], counts=([4, 5, 6], "counts"))
    ds = sims.to_dataset(source, duplicates="step")
    assert ds["concentration_counts"].values.tolist() == [[4, 5, 6]]


@pytest.mark.parametrize("below_limit", [False, True])
def test_a_gap_is_flagged_unless_its_samples_are_below_a_limit(below_limit):
    depths = np.array([*range(10), *range(40, 50)], dtype=float)
    values = 1e18 * np.exp(-depths / 40)
    extra = {}
    if below_limit:
        depths = np.insert(depths, 10, 25.0)
        values = np.insert(values, 10, np.nan)
        limits = [5e15 if z == 25 else None for z in depths]
        extra = {"columns": {"detection_limit": {"values": limits}}}
    source = profile("B", depths, values, extra=extra)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ProfileWarning)
        ds = sims.to_dataset(source)
    expected = np.zeros(depths.size, int)
    if below_limit:
        expected[10] = Flag.BELOW_LIMIT
    else:
        expected[9], expected[10] = Flag.GAP_AFTER, Flag.GAP_BEFORE
    assert ds["concentration_quality"].values[0].tolist() == expected.tolist()


def test_what_one_species_has_besides_takes_no_room_for_all():
    """The first profile of a time-of-flight file has columns of all, the others a line."""
    z, extra = np.arange(50.0), {"columns": {"dose": {"units": "ions", "values": [1 / 3] * 50}}}
    many = [
        sims.DepthProfile(
            species_name=f"s{i}", depths=z, depth_units="s", concentrations=z + i,
            concentration_units="counts", extra=extra if i == 0 else {"note": "x"},
        )
        for i in range(100)
    ]  # fmt: skip
    ds = sims.to_dataset(many)
    kept = ds["wire_fields"].values
    assert kept.nbytes + sum(len(text) for text in kept) < ds["intensity"].nbytes
    assert sims.to_profiles(ds)[0].extra == extra
