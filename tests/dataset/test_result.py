"""The response of the API for one entry: whose it is, and what is in it."""

import json

import pytest
from error_parts import raises
from measurement_layouts import profile

import sims_analysis as sims
from sims_analysis.dataset.result import stated_id
from sims_analysis.errors import PayloadError

WIRE = {
    "species_name": "B", "depths": [0, 1.5], "depth_units": "nm",
    "concentrations": [1e18, None], "concentration_units": "atoms/cm^3",
}  # fmt: skip


def of(*ids):
    return [profile(f"S{i}", [0, 1], [1, 2], data_id=one) for i, one in enumerate(ids)]


@pytest.mark.parametrize(
    ("ids", "expected"),
    [([], ""), ([None, None], ""), ([" ", None], ""), ([None, "w7", "w7"], "w7"), ([7], "7")],
)
def test_the_entry_is_the_one_that_its_profiles_state(ids, expected):
    assert stated_id(of(*ids)) == expected


def test_profiles_of_several_entries_are_refused():
    with raises(PayloadError, "several_measurements", argument="data_id", path="$[2].data_id"):
        stated_id(of(None, "a", "b", "c"))
    payload = json.dumps([{**WIRE, "data_id": "a"}, {**WIRE, "data_id": "b"}])
    assert sims.SIMSResult.from_json(payload, data_id="both").data_id == "both"


def test_a_result_is_its_profiles_by_name_and_in_order():
    result = sims.SIMSResult.from_json(
        json.dumps([WIRE, {**WIRE, "species_name": "P"}]), provenance={"source": "a"}
    )
    assert (result.species, len(result), bool(result)) == (["B", "P"], 2, True)
    assert list(result) == [result["B"], result["P"]]
    assert result.provenance == {"source": "a"}
    assert repr(result) == "<SIMSResult '': B, P>"
    assert json.loads(result.to_json())[1]["species_name"] == "P"
    empty = sims.SIMSResult(data_id="w7", depth_profiles=[])
    assert (repr(empty), bool(empty)) == ("<SIMSResult 'w7': no SIMS data>", True)
    spaces = sims.SIMSResult(data_id="w7", depth_profiles=[profile(" ", [0, 1], [1, 2])])
    assert repr(spaces) == "<SIMSResult 'w7': ' '>"


def test_metadata_are_those_of_the_first_profile_that_has_some():
    one, other = (
        profile("B", [0, 1], [1, 2]),
        profile("P", [0, 1], [1, 2], extra={"measurement": {"sample": "w7"}}),
    )
    assert sims.SIMSResult(data_id="", depth_profiles=[one, other]).metadata.sample == "w7"
    assert sims.SIMSResult(data_id="", depth_profiles=[one]).metadata.sample is None
