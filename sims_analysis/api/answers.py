"""What the server answers: the payloads and the catalogue of an archive, by the contract."""

from __future__ import annotations

import asyncio
import math
import operator
from contextlib import nullcontext
from dataclasses import dataclass, fields
from http import HTTPStatus
from operator import attrgetter
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote
from weakref import WeakValueDictionary

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from sims_analysis import files
from sims_analysis.api.catalogue import SIMS, CatalogueEntry, Search
from sims_analysis.api.contents import UNREAD, Contents
from sims_analysis.api.streams import Content, Waiting, answer
from sims_analysis.api.versions import canonical, list_versions, open_version
from sims_analysis.dataset.result import SIMSResult
from sims_analysis.errors import SimsError
from sims_analysis.profiles.strict_json import decode
from sims_analysis.text.times import moment_of

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response

    from sims_analysis.api.archive import Archive

#: Payloads of more bytes than this are taken up a few at a time, so that small ones need not wait
#: and the memory of all of them is bounded.
_LARGE = 1 << 20
_LARGE_AT_A_TIME = 2
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True)
class _Found:
    """A version that was asked for."""

    data_id: str
    version: Path
    size: int


class Answers:
    """The answers, and what is shared by those that are under way."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._waiting = Waiting()
        self._large = asyncio.Semaphore(_LARGE_AT_A_TIME)
        self._listing = asyncio.Semaphore(_LARGE_AT_A_TIME)
        self._under_way: WeakValueDictionary[tuple[object, ...], Content] = WeakValueDictionary()
        # Ids and hashes of payloads that are sound, and whether they are as the contract has them.
        self._in_order: dict[tuple[str, str], bool] = {}

    async def payload(self, request: Request) -> Response:
        """Answer ``GET /sims/{data_id}``, and that of one species: ``/species/{species_name}``."""
        asked = {name: _parameter(request, name) for name in request.path_params}
        found = await run_in_threadpool(self._find, asked["data_id"])
        async with self._large if found.size > _LARGE else nullcontext():
            content = await run_in_threadpool(self._shared, found, asked.get("species_name"))
        return await run_in_threadpool(answer, request, content)

    async def catalogue(self, request: Request) -> Response:
        """Answer ``GET /data_entries/``."""
        search = _search(request)
        async with nullcontext() if search.data_ids else self._listing:
            content = await run_in_threadpool(self._catalogue, search)
        return await run_in_threadpool(answer, request, content)

    def _find(self, data_id: str) -> _Found:
        data_id = canonical(data_id)
        versions = list_versions(self._archive.folder(data_id))
        if not versions:
            raise HTTPException(HTTPStatus.NOT_FOUND, f"no data entry {data_id!r}")
        try:
            size = (versions[-1] / "payload.json").lstat().st_size
        except OSError:
            size = 0  # it is damaged, and whoever reads it says how
        return _Found(data_id, versions[-1], size)

    def _shared(self, found: _Found, species: str | None) -> Content:
        """Read an answer, or share the one that is under way to another reader."""
        what = found.version, species
        content = self._under_way.get(what)
        if content is None or content.is_changed:
            content = self._under_way[what] = self._read(found, species)
        return content

    def _read(self, found: _Found, species: str | None) -> Content:
        """Read a payload, and check it against the contract if nobody has yet."""
        record, file = open_version(found.version)
        known = found.data_id, record.sha256
        if species is None and self._in_order.get(known):
            # Byte for byte as it was received.
            return Content(file, found.size, record.sha256)
        with file:
            payload = file.read()
        if known not in self._in_order:
            SIMSResult.from_json(payload, data_id="")
        profiles = decode(payload)
        if species is not None:
            profile = next((p for p in profiles if p["species_name"] == species), None)
            return self._waiting.content(orjson.dumps(profile and _named(profile, found.data_id)))
        ordered = [
            _named(profile, found.data_id)
            for profile in sorted(profiles, key=lambda profile: str(profile["species_name"]))
        ]
        self._in_order[known] = in_order = all(map(operator.is_, ordered, profiles))
        return self._waiting.content(payload if in_order else orjson.dumps(ordered))

    def _catalogue(self, search: Search) -> Content:
        damage: dict[str, SimsError] = {}
        found = self._archive.entries(
            search, skip=lambda folder, e: damage.update({folder.name: e})
        )
        # One damaged entry must not hide the others, nor be hidden.
        named = {files.folder_name(canonical(entry.data_id)) for entry in found} if damage else ()
        passes = search.test()
        for name in sorted(damage.keys() - named):
            entry = CatalogueEntry(
                data_id=name,
                char_source_type=SIMS,
                pipeline_status="error",
                detail_note_content=str(damage[name]),
            )
            known = Contents(name, 0, 0, "", name).with_entry(entry, UNREAD)
            if passes(known.words, known.about):
                found.append(entry)
        if damage and not search.data_ids:
            found.sort(key=attrgetter("data_id"))
        return self._waiting.content(orjson.dumps([entry.to_dict() for entry in found]))


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
