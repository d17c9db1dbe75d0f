"""What the server answers, asked without a network."""

import json

import pytest
from starlette.exceptions import HTTPException

from sims_analysis.api.archive import Archive
from sims_analysis.api.catalogue import Search
from sims_analysis.api.server import Answers
from sims_analysis.api.versions import list_versions
from sims_analysis.errors import ArchiveError


def payload(data_id, *species, **more):
    profile = {
        "data_id": data_id, "depths": [0, 10], "depth_units": "nm",
        "concentrations": [1e18, 2e18], "concentration_units": "atoms/cm^3",
    }  # fmt: skip
    return json.dumps([profile | {"species_name": one} | more for one in species]).encode()


@pytest.fixture
def archive(tmp_path):
    archive = Archive(tmp_path)
    for name in ("a", "b", "c", "W 1"):
        archive.put(name, payload(name, "B", "Si"), url="test")
    return archive


def read(archive, data_id, species=None):
    return Answers(archive)._payload(data_id, species)


def test_a_damaged_payload_is_given_to_nobody(archive):
    read(archive, "a")
    (version,) = list_versions(archive.folder("a"))
    (version / "payload.json").write_bytes(payload("a", "B"))
    with pytest.raises(ArchiveError, match="has the sha256"):
        read(archive, "a")


def test_an_answer_is_the_bytes_received_where_these_are_in_order(archive):
    assert read(archive, "a") == payload("a", "B", "Si")
    archive.put("a", payload("a", "Si", "B"), url="test")
    assert [p["species_name"] for p in json.loads(read(archive, "a"))] == ["B", "Si"]


@pytest.mark.parametrize(
    "stated", [{}, {"data_id": None}, {"data_id": "other"}, {"data_id": "W 1"}]
)
def test_profiles_bear_the_id_of_their_entry(archive, stated):
    wire = json.loads(payload("W 1", "Si", "B"))
    for one in wire:
        del one["data_id"]
    archive.put("W 1", json.dumps([one | stated for one in wire]).encode(), url="test")
    assert {p["data_id"] for p in json.loads(read(archive, "W 1"))} == {"W 1"}
    assert json.loads(read(archive, "W 1", "Si"))["data_id"] == "W 1"
    assert json.loads(read(archive, "W 1", "Xx")) is None


def test_what_is_not_there_is_not_found(archive):
    with pytest.raises(HTTPException, match="no data entry 'none'") as caught:
        Answers(archive)._payload("none")
    assert caught.value.status_code == 404


def listed(archive, **filters):
    return json.loads(Answers(archive)._catalogue(Search(**filters)))


def test_a_damaged_entry_is_listed_as_an_error_and_hides_no_other(archive):
    asked = ["c", "b", "W 1", "a"]
    (version,) = list_versions(archive.folder("b"))
    (version / "record.json").write_text("{}")
    found = {entry["data_id"]: entry for entry in listed(archive)}
    assert list(found) == ["W 1", "a", "b", "c"]
    assert [entry["data_id"] for entry in listed(archive, data_ids=asked)] == asked
    assert [found[name]["pipeline_status"] for name in "abc"] == ["success", "error", "success"]
    assert {entry["char_source_type"] for entry in found.values()} == {"sims"}
    assert "record.json" in found["b"]["detail_note_content"]
    assert [entry["data_id"] for entry in listed(archive, status="error")] == ["b"]
    assert [entry["data_id"] for entry in listed(archive, keywords=["damaged"])] == ["b"]


def test_ids_are_listed_in_the_order_in_which_they_were_asked_for(archive):
    asked = ["c", "none", "a", "W 1", "a"]
    assert [e["data_id"] for e in listed(archive, data_ids=asked)] == ["c", "a", "W 1"]
    assert [e["data_id"] for e in listed(archive)] == ["W 1", "a", "b", "c"]
