"""What the server answers: the payloads and the catalogue of an archive, by the contract."""

from __future__ import annotations

import asyncio
import hashlib
import math
from collections.abc import AsyncIterator
from dataclasses import fields
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from sims_analysis.api.archive import Archive
from sims_analysis.api.catalogue import Search
from sims_analysis.api.versions import canonical, list_versions, read_version
from sims_analysis.dataset.result import SIMSResult
from sims_analysis.errors import collected
from sims_analysis.profiles.strict_json import decode
from sims_analysis.text.times import moment_of

#: Answers that are made at a time, which bounds their memory.
_AT_A_TIME = 4
#: Bytes that are under way to one reader at a time.
PIECE = 1 << 16
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


class Answers:
    """The answers from one archive."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._turns = asyncio.Semaphore(_AT_A_TIME)

    async def payload(self, request: Request) -> Response:
        """Answer ``GET /sims/{data_id}``, and that of one species: ``/species/{species_name}``."""
        asked = {name: _parameter(request, name) for name in request.path_params}
        async with self._turns:
            return answer(request, await run_in_threadpool(self._payload, **asked))

    async def catalogue(self, request: Request) -> Response:
        """Answer ``GET /data_entries/``."""
        search = _search(request)
        async with self._turns:
            return answer(request, await run_in_threadpool(self._catalogue, search))

    def _payload(self, data_id: str, species_name: str | None = None) -> bytes:
        """Give the payload of an entry, or its profile of one species, as the contract has them."""
        data_id = canonical(data_id)
        versions = list_versions(self._archive.folder(data_id))
        if not versions:
            raise HTTPException(HTTPStatus.NOT_FOUND, f"no data entry {data_id!r}")
        _, payload = read_version(versions[-1])
        known = SIMSResult.from_json(payload, data_id="")
        if species_name is None and known.species == sorted(known.species):
            ids = {profile.data_id for profile in known.depth_profiles}
            if all(isinstance(one, str) and canonical(one) == data_id for one in ids):
                return payload  # byte for byte as it was received, where that is in order
        profiles = [_named(profile, data_id) for profile in decode(payload)]
        if species_name is not None:
            found = (profile for profile in profiles if profile["species_name"] == species_name)
            return orjson.dumps(next(found, None))
        return orjson.dumps(sorted(profiles, key=lambda profile: str(profile["species_name"])))

    def _catalogue(self, search: Search) -> bytes:
        # One damaged entry must not hide the others, nor be hidden: its row says how it is damaged.
        with collected():
            found = self._archive.entries(search, damaged=True)
        return orjson.dumps([entry.to_dict() for entry in found])


def answer(request: Request, body: bytes) -> Response:
    """Answer with JSON, or with 304 if it is what the client has."""
    # Weak: the same content is sent compressed to one and plain to another.
    etag = f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache", "Vary": "Accept-Encoding"}
    known = [tag.strip() for tag in request.headers.get("If-None-Match", "").split(",")]
    if etag in known or etag.removeprefix("W/") in known or "*" in known:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    if len(body) <= PIECE:
        return Response(body, media_type="application/json", headers=headers)
    headers["Content-Length"] = str(len(body))
    return StreamingResponse(_pieces(body), media_type="application/json", headers=headers)


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), PIECE):
        yield body[start : start + PIECE]


def _named(profile: dict[str, Any], data_id: str) -> dict[str, Any]:
    """Give a profile the id of its entry: files that were added here may have none, or another."""
    known = profile.get("data_id")
    if known is not None and canonical(str(known)) == data_id:
        return profile
    return profile | {"data_id": data_id}


def _parameter(request: Request, name: str) -> str:
    try:
        return unquote(request.path_params[name], errors="strict")
    except UnicodeDecodeError:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"the {name} is not UTF-8") from None


def _search(request: Request) -> Search:
    """Read the filters of the query; what the contract does not name is ignored."""
    given: dict[str, Any] = {}
    wrong = []
    for parameter in fields(Search):
        name = parameter.name
        try:
            if texts := request.query_params.getlist(name):
                given[name] = _filter(str(parameter.type), texts)
        except ValueError as error:
            wrong.append({"loc": ["query", name], "msg": str(error), "type": "value_error"})
    if wrong:
        raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, wrong)  # type: ignore[arg-type]
    return Search(**given)


def _filter(kind: str, texts: list[str]) -> object:
    """Read one filter, by the type of its field."""
    text = texts[-1]
    match kind:
        case "Sequence[str]":
            return texts
        case "str":
            return text
        case "bool":
            if text.lower() not in _BOOLEANS:
                raise ValueError(f"{text!r} is no boolean")
            return _BOOLEANS[text.lower()]
        case "float | None":
            if not math.isfinite(number := float(text)):
                raise ValueError(f"{text!r} is no finite number")
            return number
    if (moment := moment_of(text)) is None:
        raise ValueError(f"{text!r} is no ISO 8601 time")
    return moment
