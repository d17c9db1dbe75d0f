"""What the server answers: the payloads and the catalogue of an archive, by the contract."""

from __future__ import annotations

import asyncio
import hashlib
import math
from collections.abc import AsyncIterator
from contextlib import nullcontext
from dataclasses import fields
from http import HTTPStatus
from pathlib import Path
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

#: Payloads of more bytes than this, and catalogues, are made a few at a time, so that small ones
#: need not wait and the memory of all of them is bounded.
_LARGE = 1 << 20
_LARGE_AT_A_TIME = 2
#: Bytes that are under way to one reader at a time.
PIECE = 1 << 16
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


class Answers:
    """The answers from one archive."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._large = asyncio.Semaphore(_LARGE_AT_A_TIME)

    async def payload(self, request: Request) -> Response:
        """Answer ``GET /sims/{data_id}``, and that of one species: ``/species/{species_name}``."""
        asked = {name: _parameter(request, name) for name in request.path_params}
        version, size = await run_in_threadpool(self._find, canonical(asked["data_id"]))
        async with self._large if size > _LARGE else nullcontext():
            body = await run_in_threadpool(_body, version, **asked)
        return answer(request, body)

    async def catalogue(self, request: Request) -> Response:
        """Answer ``GET /data_entries/``."""
        search = _search(request)
        async with nullcontext() if search.data_ids else self._large:
            body = await run_in_threadpool(self._catalogue, search)
        return answer(request, body)

    def _find(self, data_id: str) -> tuple[Path, int]:
        """Give the current version of an entry, and the size of its payload."""
        versions = list_versions(self._archive.folder(data_id))
        if not versions:
            raise HTTPException(HTTPStatus.NOT_FOUND, f"no data entry {data_id!r}")
        try:
            return versions[-1], (versions[-1] / "payload.json").lstat().st_size
        except OSError:
            return versions[-1], 0  # it is damaged, and whoever reads it says how

    def _catalogue(self, search: Search) -> bytes:
        # One damaged entry must not hide the others, nor be hidden: its row says how it is damaged.
        with collected():
            found = self._archive.entries(search, damaged=True)
        return orjson.dumps([entry.to_dict() for entry in found])


def _body(version: Path, data_id: str, species_name: str | None = None) -> bytes:
    """Give the payload of a version, or its profile of one species, as the contract has them."""
    _, payload = read_version(version)
    known = SIMSResult.from_json(payload, data_id="")
    if species_name is None and known.species == sorted(known.species):
        ids = {profile.data_id for profile in known.depth_profiles}
        if all(isinstance(one, str) and canonical(one) == canonical(data_id) for one in ids):
            return payload  # byte for byte as it was received, where that is in order
    profiles = [_named(profile, canonical(data_id)) for profile in decode(payload)]
    if species_name is not None:
        found = (profile for profile in profiles if profile["species_name"] == species_name)
        return orjson.dumps(next(found, None))
    return orjson.dumps(sorted(profiles, key=lambda profile: str(profile["species_name"])))


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
