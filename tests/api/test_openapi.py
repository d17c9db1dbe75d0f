"""The description of the server's contract, against the code that keeps it."""

import json
from dataclasses import fields

import pytest
from error_parts import raises
from faulty_server import REFERENCE

from sims_analysis.api.catalogue import WIRE_FIELDS, CatalogueEntry, Search
from sims_analysis.api.server import OPENAPI, create_app, read_filter
from sims_analysis.dataset.result import SIMSResult
from sims_analysis.errors import PayloadError
from sims_analysis.units import read_unit

DOCUMENT = json.loads(OPENAPI.read_bytes())
SCHEMAS = DOCUMENT["components"]["schemas"]


def test_the_routes_are_those_described(tmp_path):
    routes = {route.path for route in create_app(tmp_path).routes}
    assert routes == {*DOCUMENT["paths"], "/data_entries", "/openapi.json"}


def test_fields_and_filters_are_those_of_the_code():
    assert SCHEMAS["CatalogueEntry"]["required"] == list(WIRE_FIELDS)
    assert list(SCHEMAS["CatalogueEntry"]["properties"]) == list(WIRE_FIELDS)
    described = DOCUMENT["paths"]["/data_entries/"]["get"]["parameters"]
    assert [one["name"] for one in described] == [one.name for one in fields(Search)]


@pytest.mark.parametrize("name", ["depth_units", "concentration_units"])
def test_units_that_are_examples_can_be_read(name):
    for text in SCHEMAS["DepthProfile"]["properties"][name]["examples"]:
        read_unit(text)


def test_what_a_profile_must_have_is_described():
    profile = SCHEMAS["DepthProfile"]
    assert set(profile["required"]) < set(profile["properties"])
    assert profile["properties"]["depths"] == {
        "type": "array", "items": {"type": "number"}, "minItems": 1,
    }  # fmt: skip
    items = profile["properties"]["concentrations"]["items"]
    assert items == {"type": ["number", "null"]}


def test_a_profile_of_the_reference_is_as_described(approved):
    (profile,) = json.loads(REFERENCE)
    described = SCHEMAS["DepthProfile"]
    assert described["type"] == "object"
    assert list(described["properties"]) == list(profile)
    kinds = {str: "string", list: "array", dict: "object"}
    for name, value in profile.items():
        types = described["properties"][name]["type"]
        assert kinds[type(value)] in ([types] if isinstance(types, str) else types)
        without = json.dumps([{k: v for k, v in profile.items() if k != name}]).encode()
        if name in described["required"]:
            with raises(PayloadError, path="$[0]", text=approved):
                SIMSResult.from_json(without, data_id="")
        else:
            SIMSResult.from_json(without, data_id="")


@pytest.mark.parametrize("name", SCHEMAS["CatalogueEntry"]["properties"])
def test_a_field_of_an_entry_is_of_the_type_described(name):
    examples = {"string": "x", "object": {}, "array": [], "null": None}
    types = SCHEMAS["CatalogueEntry"]["properties"][name]["type"]
    for kind in [types] if isinstance(types, str) else types:
        wire = {"data_id": "w", name: examples[kind]}
        assert CatalogueEntry.from_dict(wire).to_dict()[name] == examples[kind]


@pytest.mark.parametrize("given", DOCUMENT["paths"]["/data_entries/"]["get"]["parameters"])
def test_filters_take_what_is_described(given):
    schema, name = given["schema"], given["name"]
    assert given["in"] == "query"
    kind = str(Search.__dataclass_fields__[name].type)
    default = getattr(Search(), name)
    match schema.get("type"):
        case None:
            assert [read_filter(kind, [text]) for text in schema["enum"]] == [True, False] * 3
        case "array":
            assert (read_filter(kind, ["a", "b"]), schema["items"]) == (
                ["a", "b"],
                {"type": "string"},
            )
        case "number":
            assert (read_filter(kind, ["1.5"]), default) == (1.5, None)
        case "string" if "format" in schema:
            assert schema["format"] == "date-time"
            assert (
                read_filter(kind, ["2026-01-02T03:04:05"]).isoformat()
                == "2026-01-02T03:04:05+00:00"
            )
        case "string":
            assert (read_filter(kind, ["x"]), schema["default"]) == ("x", default)
