"""Catalogue entries and searches by the wire contract, field by field."""

from datetime import UTC, datetime

import pytest

from sims_analysis.api.catalogue import ALL, WIRE_FIELDS, Catalogue, CatalogueEntry, Search
from sims_analysis.errors import ApiError, PayloadError

KINDS = {"file_metadata": ({}, "an object"), "tags": ([], "an array"),
         "workspaces": ([], "an array"), "projects": ([], "an array")}  # fmt: skip
OTHERS = [5, True, "text", [], {}]


@pytest.mark.parametrize("name", [name for name in WIRE_FIELDS if name != "data_id"])
def test_each_field_has_one_type_or_is_null(name):
    sound, said = KINDS.get(name, ("text", "text"))
    for value in (sound, None):
        assert getattr(CatalogueEntry.from_dict({"data_id": "a", name: value}), name) == value
    for value in OTHERS:
        if type(value) is not type(sound):
            with pytest.raises(PayloadError, match=rf"^\$\[3\]\.{name}: expected {said} or null"):
                CatalogueEntry.from_dict({"data_id": "a", name: value}, "$[3]")


@pytest.mark.parametrize("wire", [None, [], "a", 5])
def test_an_entry_is_an_object(wire):
    with pytest.raises(PayloadError, match=r"^\$: expected a catalogue entry, found"):
        CatalogueEntry.from_dict(wire)


@pytest.mark.parametrize("wire", [{}, {"data_id": None}, {"data_id": 5}])
def test_an_entry_has_an_id(wire):
    with pytest.raises(PayloadError, match=r"^\$\.data_id: expected text, found"):
        CatalogueEntry.from_dict(wire)


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
