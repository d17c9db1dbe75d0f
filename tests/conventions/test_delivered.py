"""What was delivered with each species, and what of it a Dataset needs to keep apart."""

import json

import numpy as np
import pytest

import sims_analysis as sims
from sims_analysis.conventions.species_metadata import stated_in_metadata

WIRE = {
    "data_id": "d1", "id": "p1", "processed_data_id": "q1", "species_name": "B",
    "depths": [0.0, 10.0, 20.0], "depth_units": "nm",
    "concentrations": [1e18, 3e18, 2e18], "concentration_units": "atoms/cm^3",
    "species_metadata": {"matrix": "Si"}, "last_updated": "2026-01-15T10:35:00Z",
}  # fmt: skip


def kept(**changes):
    """Return what the Dataset of one profile keeps apart; None for nothing."""
    result = sims.SIMSResult.from_json(json.dumps([WIRE | changes]))
    ds = result.to_dataset()
    assert [p.to_dict() for p in sims.to_profiles(ds)] == [WIRE | changes]
    return json.loads(ds["wire_fields"].item()) if "wire_fields" in ds.coords else None


def test_a_profile_of_the_reference_needs_no_wire_fields():
    assert kept() is None


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"data_id": None, "id": None}, None),
        ({"id": "p\0"}, {"id": "p\0"}),
        ({"last_updated": ""}, {"last_updated": ""}),
        ({"concentrations": [1e18, None, 2e18]}, {"not_measured": [10.0]}),
        ({"depths": [0.0, 0.1, 0.3], "depth_units": "angstrom"}, None),
    ],
)
def test_what_texts_and_arrays_do_not_hold_is_kept(changes, expected, recwarn):
    found = kept(**changes)
    assert found == expected


def test_unknown_fields_and_their_order_are_kept():
    assert kept(colour="red") == {"extra": {"colour": "red"}, "keys": [*WIRE, "colour"]}
    both = [WIRE, WIRE | {"species_name": "P", "colour": "red"}]
    ds = sims.SIMSResult.from_json(json.dumps(both)).to_dataset()
    assert [bool(text) for text in ds["wire_fields"].values] == [False, True]


def test_columns_follow_their_samples(recwarn):
    columns = {"counts": {"values": [1.0, 2.0, 3.0], "units": "counts"}}
    deepest_first = {"depths": [20.0, 10.0, 0.0], "columns": columns}
    result = sims.SIMSResult.from_json(json.dumps([WIRE | deepest_first]))
    ds = result.to_dataset()
    stated = json.loads(ds["wire_fields"].item())["extra"]["columns"]
    assert stated["counts"]["values"] == [3.0, 2.0, 1.0]
    np.testing.assert_array_equal(ds["concentration"], [[2e18, 3e18, 1e18]])


def test_numbers_in_the_metadata_are_read_by_species():
    ds = sims.open_example("boron-implant")
    texts = [json.dumps({"time": "3 s"}), json.dumps({"time": None})]
    ds = ds.assign_coords(species_metadata=("species", texts))

    def read(value, name):
        assert name == "species_metadata['time']"
        return float(value.removesuffix(" s"))

    np.testing.assert_array_equal(stated_in_metadata(ds, "time", read), [3.0, np.nan])
    assert stated_in_metadata(ds, "yield", read) is None
    assert stated_in_metadata(ds.drop_vars("species_metadata"), "time", read) is None
    one = stated_in_metadata(ds.isel(species=0), "time", read)
    assert (one.dims, one.item()) == ((), 3.0)
    empty = ds.assign_coords(species_metadata=("species", ["", "[]"]))
    assert stated_in_metadata(empty, "time", read) is None
