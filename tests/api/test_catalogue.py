"""Catalogue entries and searches by the wire contract, field by field."""

import json
from datetime import UTC, datetime

import pytest
from error_parts import raises

from sims_analysis.api.archive import Archive
from sims_analysis.api.catalogue import ALL, WIRE_FIELDS, Catalogue, CatalogueEntry, Search
from sims_analysis.errors import ApiError, PayloadError

KINDS = {"file_metadata": {}, "tags": [], "workspaces": [], "projects": []}


@pytest.mark.parametrize("name", [name for name in WIRE_FIELDS if name != "data_id"])
def test_each_field_has_one_type_or_is_null(name):
    sound = KINDS.get(name, "text")
    for value in (sound, None):
        assert getattr(CatalogueEntry.from_dict({"data_id": "a", name: value}), name) == value
    for value in (5, True, "text", [], {}):
        if type(value) is not type(sound):
            with raises(PayloadError, path=f"$[3].{name}"):
                CatalogueEntry.from_dict({"data_id": "a", name: value}, "$[3]")


@pytest.mark.parametrize("wire", [None, [], "a", 5])
def test_an_entry_is_an_object(wire, approved):
    with raises(PayloadError, path="$", text=approved):
        CatalogueEntry.from_dict(wire)


@pytest.mark.parametrize("data_id", [None, 5, []])
def test_an_entry_has_an_id(data_id, approved):
    with raises(PayloadError, path="$[2].data_id", text=approved):
        CatalogueEntry.from_dict({"data_id": data_id}, "$[2]")
    with raises(PayloadError, path="$.data_id"):
        CatalogueEntry.from_dict({})


def test_other_fields_survive():
    wire = {"data_id": "a", "growth_length": 7, "more": None}
    entry = CatalogueEntry.from_dict(wire)
    assert entry.extra == {"growth_length": 7, "more": None}
    assert {k: v for k, v in entry.to_dict().items() if k in wire} == wire
    assert set(entry.to_dict()) == {*WIRE_FIELDS, "growth_length", "more"}


def test_a_bad_row_is_named_and_a_blank_is_no_id():
    assert Catalogue.from_json(b'[{"data_id": "a"}, {"data_id": " "}]').ids == ["a"]
    with raises(PayloadError, path="$[1].data_id"):
        Catalogue.from_json(b'[{"data_id": "a"}, {"data_id": 5}]')


@pytest.mark.parametrize("name", [*WIRE_FIELDS, "extra"])
def test_words_are_looked_for_in_names_notes_labels_and_times(name):
    hidden = {"char_source_type", "raw_file_type", "file_metadata", "sha3_256", "extra"}
    kind = {"file_metadata": dict, "extra": dict, "tags": list, "workspaces": list}.get(name)
    value = {dict: {"k": "Found"}, list: ["Found"]}.get(kind, "Found")
    if name == "projects":
        value = [{"id": 1, "name": "Found"}]
    entry = CatalogueEntry(**{"data_id": "a", name: value})
    assert ("Found" in entry.words) == (name not in hidden)


def test_a_search_is_sent_as_the_reference_has_it():
    assert Search(data_type="sims", keywords=["a", "b"]).query() == [
        ("keywords", "a"), ("keywords", "b"), ("data_type", "sims"), ("status", ALL),
        ("include_organization_data", "True"),
    ]  # fmt: skip
    moment = datetime(2024, 1, 2, tzinfo=UTC)
    sent = Search.of(upload_datetime_min="2024-01-02", growth_length_min=0.0).query()
    assert ("upload_datetime_min", moment.isoformat()) in sent
    assert ("growth_length_min", "0.0") in sent
    assert not any(name == "data_type" for name, _ in sent)


def test_what_is_no_filter_or_no_time_is_refused(approved):
    with raises(TypeError, text=approved):
        Search.of(wafer="7")
    with raises(ApiError, argument="last_updated_max"):
        Search.of(last_updated_max="soon")


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    return Archive(tmp_path_factory.mktemp("lab"))


def passes(lab, known, **filters):
    """Whether an archived entry of which the catalogue says something passes a search."""
    payload = [
        {"species_name": name, "depths": [0, 1], "depth_units": "nm",
         "concentrations": [1, 2], "concentration_units": "atoms/cm^3"}
        for name in ("B", "Si")
    ]  # fmt: skip
    entry = {"data_id": "w1", "char_source_type": "sims", "sample_name": "lot 5", **known}
    lab.put("w1", json.dumps(payload).encode(), url="test", catalogue=entry)
    return lab.search(**filters).ids == ["w1"]


@pytest.mark.parametrize("name", ["growth_length", "upload_datetime", "last_updated"])
def test_limits_include_themselves_and_nothing_unknown(lab, name):
    at = 60 if name == "growth_length" else "1970-01-01T00:01:00Z"
    for value, low, high in ((59, False, True), (60, True, True), (61, True, False)):
        known = {name: value if name == "growth_length" else f"1970-01-01T00:00:{value}Z"}
        if value > 59 and name != "growth_length":
            known = {name: f"1970-01-01T01:01:{value - 60:02}+01:00"}
        assert passes(lab, known, **{f"{name}_min": at}) is low
        assert passes(lab, known, **{f"{name}_max": at}) is high
        assert passes(lab, known, **{f"{name}_min": at, f"{name}_max": at}) is (low and high)
    for unknown in ({name: None}, {}, {"growth_length": "60"}):
        assert not passes(lab, unknown, **{f"{name}_min": at})
        assert not passes(lab, unknown, **{f"{name}_max": at})


@pytest.mark.parametrize("name", ["data_type", "status"])
def test_one_text_is_the_whole_of_it_or_all(lab, name):
    known = {"char_source_type": "sims", "pipeline_status": "sims"}
    assert passes(lab, known, **{name: "sims"})
    assert passes(lab, known, **{name: "all"})
    assert not passes(lab, known, **{name: "sim"})
    for other in ("SIMS", 'x","status":"sims', "\ud800"):
        assert not passes(lab, known, **{name: other})
    assert not passes(lab, {"char_source_type": None, "pipeline_status": None}, **{name: "sims"})


@pytest.mark.parametrize("name", ["physical_sample_ids", "project_ids"])
def test_of_several_one_is_enough(lab, name):
    odd = [{"id": 5}, {"id": None}, {}, "text", {"id": "2"}]
    known = {"physical_sample_id": "2", "projects": odd}
    assert passes(lab, known, **{name: ["2", "3"]})
    assert passes(lab, known, **{name: "2"})
    assert not passes(lab, known, **{name: ["12"]})
    assert not passes(lab, {}, **{name: ["2"]})
    assert passes(lab, known, project_ids="5")
    assert not passes(lab, known, project_ids="None")


def test_every_species_and_every_word_is_there(lab):
    assert passes(lab, {}, species=["Si"], keywords=["LOT", "5"])
    assert not passes(lab, {}, species=["Si", "Xe"])
    assert not passes(lab, {}, species=["S"])
    assert not passes(lab, {}, species="\udcff")
    assert not passes(lab, {}, keywords=["lot", "6"])
    assert not passes(lab, {}, keywords="%")


def test_a_table_has_times_and_every_field(approved):
    found = Catalogue.from_json(
        b'[{"data_id": "a", "upload_datetime": "2024-01-02T03:04:05+01:00", "odd": 1},'
        b' {"data_id": " ", "last_updated": "no time"}]'
    )
    frame = found.to_frame()
    assert list(frame.columns) == [*WIRE_FIELDS, "odd"]
    assert frame["upload_datetime"][0].isoformat() == "2024-01-02T02:04:05+00:00"
    assert frame[["last_updated", "collected_datetime"]].isna().all(axis=None)
    assert found.ids == ["a"]
    with raises(PayloadError, path="$", text=approved):
        Catalogue.from_json(b"{}")
