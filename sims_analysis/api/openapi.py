"""The description of the server's contract, as OpenAPI 3.1."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from sims_analysis._version import __version__
from sims_analysis.api.catalogue import WIRE_FIELDS, CatalogueEntry, Search

_TEXT = {"type": "string"}
_NULLABLE_TEXT = {"type": ["string", "null"]}
_IDENTIFIER = {"type": ["string", "integer", "null"]}

_PROFILE = {
    "type": "object",
    "description": "The depth profile of one species.",
    "required": ["species_name", "depths", "depth_units", "concentrations", "concentration_units"],
    "properties": {
        "data_id": _IDENTIFIER,
        "id": _IDENTIFIER,
        "processed_data_id": _IDENTIFIER,
        "species_name": _TEXT,
        "depths": {"type": "array", "items": {"type": "number"}, "minItems": 1},
        "depth_units": {"type": "string", "examples": ["nm", "um", "s"]},
        "concentrations": {"type": "array", "items": {"type": ["number", "null"]}, "minItems": 1},
        "concentration_units": {"type": "string", "examples": ["atoms/cm^3", "counts/s"]},
        "species_metadata": {"type": ["object", "null"]},
        "last_updated": _NULLABLE_TEXT,
    },
}
#: By the types of the fields of `CatalogueEntry`, and of `Search`.
_FIELDS: dict[str, dict[str, Any]] = {
    "str": _TEXT,
    "str | None": _NULLABLE_TEXT,
    "dict[str, Any] | None": {"type": ["object", "null"]},
    "list[Any] | None": {"type": ["array", "null"]},
}
_FILTERS: dict[str, dict[str, Any]] = {
    "Sequence[str]": {"type": "array", "items": _TEXT},
    "str": {"type": "string", "default": "all"},
    "bool": {"enum": ["True", "False", "true", "false", "1", "0"]},
    "float | None": {"type": "number"},
    "datetime | None": {
        "type": "string",
        "description": "ISO 8601; a naive time is UTC",
        "format": "date-time",
    },
}
_ENTRY = {
    "type": "object",
    "description": "One entry of the catalogue.",
    "required": list(WIRE_FIELDS),
    "properties": {
        f.name: _FIELDS[str(f.type)] for f in fields(CatalogueEntry) if f.name in WIRE_FIELDS
    },
}
_ERROR = {
    "type": "object",
    "required": ["detail"],
    "properties": {"detail": {"type": ["string", "array"]}},
}


def document() -> dict[str, Any]:
    """Give the OpenAPI document.

    Examples
    --------
    >>> list(document()["paths"])
    ['/sims/{data_id}', '/sims/{data_id}/species/{species_name}', '/data_entries/']
    """
    profile = {"$ref": "#/components/schemas/DepthProfile"}
    entry = {"$ref": "#/components/schemas/CatalogueEntry"}
    data_id = _path_parameter("data_id", "Identifier of the entry.")
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "SIMS depth profiles",
            "version": __version__,
            "description": "An archive of sims-analysis, served read-only.",
        },
        "security": [{"key": []}],
        "paths": {
            "/sims/{data_id}": _get(
                "The depth profiles of an entry, ordered by species name.",
                {"type": "array", "items": profile},
                [data_id],
                "404",
            ),
            "/sims/{data_id}/species/{species_name}": _get(
                "The depth profile of one species of an entry, or null.",
                {"oneOf": [profile, {"type": "null"}]},
                [data_id, _path_parameter("species_name", "Name of the species.")],
                "404",
            ),
            "/data_entries/": _get(
                "The catalogue entries that pass every filter.",
                {"type": "array", "items": entry},
                [
                    {"name": f.name, "in": "query", "schema": _FILTERS[str(f.type)]}
                    for f in fields(Search)
                ],
                "422",
            ),
        },
        "components": {
            "schemas": {"DepthProfile": _PROFILE, "CatalogueEntry": _ENTRY, "Error": _ERROR},
            "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-API-KEY"}},
        },
    }


def _path_parameter(name: str, description: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": {"type": "string", "minLength": 1},
    }


def _get(
    summary: str, schema: dict[str, Any], parameters: list[dict[str, Any]], failure: str
) -> dict[str, Any]:
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    meaning = {"404": "No such entry.", "422": "A filter that cannot be read."}
    return {
        "get": {
            "summary": summary,
            "parameters": parameters,
            "responses": {
                "200": {
                    "description": "Found.",
                    "headers": {"ETag": {"schema": _TEXT}},
                    "content": {"application/json": {"schema": schema}},
                },
                "304": {"description": "As the client has it, by If-None-Match."},
                "401": {"description": "No key, or a wrong one.", "content": error},
                failure: {"description": meaning[failure], "content": error},
                "500": {"description": "A damaged entry.", "content": error},
            },
        }
    }
