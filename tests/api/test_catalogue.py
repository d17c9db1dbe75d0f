"""Catalogue entries and searches by the wire contract, field by field."""

import json
from datetime import UTC, datetime

import pytest

from sims_analysis.api.catalogue import ALL, WIRE_FIELDS, Catalogue, CatalogueEntry, Search
from sims_analysis.errors import ApiError, PayloadError

KINDS = {"file_metadata": ({}, "an object"), "tags": ([], "an array"),
         "workspaces": ([], "an array"), "projects": ([], "an array")}  # fmt: skip
OTHERS = [
    (5, "a number"),
    (True, "a boolean"),
    ("text", "text"),
    ([], "an array"),
    ({}, "an object"),
]


@pytest.mark.parametrize("name", [name for name in WIRE_FIELDS if name != "data_id"])
def test_each_field_has_one_type_or_is_null(name):
    sound, said = KINDS.get(name, ("text", "text"))
    for value in (sound, None):
        assert getattr(CatalogueEntry.from_dict({"data_id": "a", name: value}), name) == value
    for value, found in OTHERS:
        if type(value) is not type(sound):
            with pytest.raises(PayloadError) as refused:
                CatalogueEntry.from_dict({"data_id": "a", name: value}, "$[3]")
            assert str(refused.value) == f"$[3].{name}: expected {said} or null, found {found}"


@pytest.mark.parametrize(
    ("wire", "found"), [(None, "null"), ([], "an array"), ("a", "text"), (5, "a number")]
)
def test_an_entry_is_an_object(wire, found):
    with pytest.raises(PayloadError, match=rf"^\$: expected a catalogue entry, found {found}$"):
        CatalogueEntry.from_dict(wire)


@pytest.mark.parametrize(("data_id", "found"), [(None, "null"), (5, "a number"), ([], "an array")])
def test_an_entry_has_an_id(data_id, found):
    with pytest.raises(PayloadError, match=rf"^\$\[2\]\.data_id: expected text, found {found}$"):
        CatalogueEntry.from_dict({"data_id": data_id}, "$[2]")
    with pytest.raises(PayloadError, match=r"^\$\.data_id: expected text, found null$"):
        CatalogueEntry.from_dict({})


def test_other_fields_survive():
    wire = {"data_id": "a", "growth_length": 7, "more": None}
    entry = CatalogueEntry.from_dict(wire)
    assert entry.extra == {"growth_length": 7, "more": None}
    assert {k: v for k, v in entry.to_dict().items() if k in wire} == wire
    assert set(entry.to_dict()) == {*WIRE_FIELDS, "growth_length", "more"}


def test_one_bad_row_of_another_kind_of_measurement_is_left_out():
    rows = b'[{"data_id": "a"}, {"data_id": 5, "char_source_type": "xps"}]'
    with pytest.warns(match="not of SIMS is left out"):
        assert Catalogue.from_json(rows).ids == ["a"]
    three = rows.replace(b"}]", b'}, {"char_source_type": "xrd"}, {"data_id": " "}]')
    with pytest.warns(match=r"\$\[1\]\.data_id.*; 1 more as well") as caught:
        assert Catalogue.from_json(three).ids == ["a"], "a blank is no id to ask for"
    assert len(caught) == 1
    for kind in (b'"sims"', b"null"):
        with pytest.raises(PayloadError, match=r"^\$\[1\]\.data_id"):
            Catalogue.from_json(rows.replace(b'"xps"', kind))


@pytest.mark.parametrize(
    ("growth", "known"),
    [(7, 7), (7.5, 7.5), (0, 0), ("7", None), (None, None), ([7], None)],
)
def test_what_a_search_compares(growth, known):
    entry = CatalogueEntry(
        data_id="a", upload_datetime="1970-01-02", last_updated="no time",
        projects=[{"id": 5}, {"id": None}, {}, "text", {"id": "p"}],
        extra={"growth_length": growth},
    )  # fmt: skip
    assert entry.traits == {
        "data_type": None, "status": None, "physical_sample_ids": [], "project_ids": ["5", "p"],
        "growth_length": known, "upload_datetime": 86400.0, "last_updated": None,
    }  # fmt: skip


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


def test_what_is_no_filter_or_no_time_is_refused():
    with pytest.raises(TypeError, match="wafer"):
        Search.of(wafer="7")
    with pytest.raises(ApiError, match="last_updated_max='soon' is not a time"):
        Search.of(last_updated_max="soon")


def passes(traits, words=b"lot 5", **filters):
    about = json.dumps({"species": ["B", "Si"], **traits}).encode()
    species = filters.pop("species", ())
    return Search.of(**filters).test(species)(words, about)


@pytest.mark.parametrize("name", ["growth_length", "upload_datetime", "last_updated"])
def test_limits_include_themselves_and_nothing_unknown(name):
    at = 60 if name == "growth_length" else "1970-01-01T00:01:00Z"
    for value, low, high in ((59, False, True), (60, True, True), (61, True, False)):
        assert passes({name: value}, **{f"{name}_min": at}) is low
        assert passes({name: value}, **{f"{name}_max": at}) is high
        assert passes({name: value}, **{f"{name}_min": at, f"{name}_max": at}) is (low and high)
    assert not passes({name: None}, **{f"{name}_min": at})
    assert not passes({name: None}, **{f"{name}_max": at})


@pytest.mark.parametrize("name", ["data_type", "status"])
def test_one_text_is_the_whole_of_it_or_all(name):
    known = {"data_type": "sims", "status": "sims"}
    assert passes(known, **{name: "sims"})
    assert passes(known, **{name: "all"})
    assert not passes(known, **{name: "sim"})
    assert not passes(known | {name: None}, **{name: "sims"})


@pytest.mark.parametrize("name", ["physical_sample_ids", "project_ids"])
def test_of_several_one_is_enough(name):
    assert passes({name: ["1", "2"]}, **{name: ["2", "3"]})
    assert passes({name: ["1", "2"]}, **{name: "1"})
    assert not passes({name: ["1", "2"]}, **{name: ["12"]})
    assert not passes({name: []}, **{name: ["1"]})


def test_every_species_and_every_word_is_there():
    assert passes({}, species=["Si"], keywords=["LOT", "5"])
    assert not passes({}, species=["Si", "Xe"])
    assert not passes({}, species=["S"])
    assert not passes({}, keywords=["lot", "6"])
    assert not passes({}, words=None, keywords="lot")
    assert passes({}, words=None)
    assert not Search().test()(b"lot 5", None)


def test_a_table_has_times_and_every_field():
    found = Catalogue.from_json(
        b'[{"data_id": "a", "upload_datetime": "2024-01-02T03:04:05+01:00", "odd": 1},'
        b' {"data_id": " ", "last_updated": "no time"}]'
    )
    frame = found.to_frame()
    assert list(frame.columns) == [*WIRE_FIELDS, "odd"]
    assert frame["upload_datetime"][0].isoformat() == "2024-01-02T02:04:05+00:00"
    assert frame[["last_updated", "collected_datetime"]].isna().all(axis=None)
    assert found.ids == ["a"]
    with pytest.raises(PayloadError, match="expected an array of entries, found an object"):
        Catalogue.from_json(b"{}")
