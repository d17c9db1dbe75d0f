"""A server over an archive: the reference contract, read-only.

It needs the extra ``server`` (starlette and uvicorn).
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
import hmac
import math
import os
import re
import ssl
import time
from dataclasses import fields
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import orjson
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import Response
from starlette.routing import Route

from sims_analysis.api.archive import Archive
from sims_analysis.api.catalogue import SIMS, CatalogueEntry, Search
from sims_analysis.api.contents import archived_entry
from sims_analysis.api.endpoint import is_loopback
from sims_analysis.api.openapi import document
from sims_analysis.api.versions import canonical, list_versions, read_record
from sims_analysis.dataset.result import SIMSResult
from sims_analysis.errors import ApiError, SimsError
from sims_analysis.profiles.strict_json import decode
from sims_analysis.text.times import moment_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["KEY_VARIABLE", "create_app", "serve"]

KEY_VARIABLE = "SIMS_SERVER_KEY"

_COMPRESSED_FROM = 1000
#: Of digits, gzip leaves 10 % more at level 1 than at 9, in a sixth of the time.
_COMPRESSION = 1
#: So many answers are compressed at a time; others are looked up and sent meanwhile.
_COMPRESSING = 2
_TAKES_GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))", re.IGNORECASE)
#: More connections than this are told to come back later.
_CONNECTIONS = 256
#: Seconds for which answers under way are waited for when the server is told to end.
_GRACE = 3
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
_NS = 1_000_000_000


def create_app(
    archive: str | os.PathLike[str] | Archive,
    key: str | None = None,
    *,
    allow_origins: Sequence[str] = (),
) -> Starlette:
    """Make the ASGI application that answers from an archive.

    Parameters
    ----------
    archive : path-like or Archive
        What to serve; entries that are added later are served as well.
    key : str, optional
        What a request must carry as ``X-API-KEY``, or as the password of a browser's login;
        without one, everybody is answered.
    allow_origins : sequence of str
        Origins of web pages that may ask, such as ``"https://dashboard.example"``.

    Returns
    -------
    starlette.applications.Starlette
        To be run by any ASGI server, or by :func:`serve`.
    """
    shelf = _Shelf(archive if isinstance(archive, Archive) else Archive(archive))
    answers = {
        "/sims/{data_id}": shelf.profiles,
        "/sims/{data_id}/species/{species_name}": shelf.species,
        "/data_entries/": shelf.catalogue,
        "/data_entries": shelf.catalogue,
        "/openapi.json": _openapi,
    }
    turns = asyncio.Semaphore(_COMPRESSING)
    pages = Middleware(
        CORSMiddleware,
        allow_origins=allow_origins,
        allow_methods=["GET"],
        allow_headers=["X-API-KEY", "If-None-Match"],
        expose_headers=["ETag"],
    )
    app = Starlette(
        routes=[Route(path, _compressed(answer, turns)) for path, answer in answers.items()],
        middleware=[
            *([pages] if allow_origins else []),
            Middleware(_encoded_paths),
            Middleware(_guarded, key=key),
        ],
        exception_handlers=dict.fromkeys([HTTPException, SimsError, Exception], _failed),
    )
    # An address that is not the contract's is unknown; a redirect would trust the Host header.
    app.router.redirect_slashes = False
    return app


def serve(
    archive: str | os.PathLike[str] | Archive,
    host: str = "127.0.0.1",
    port: int = 8000,
    *,
    key: str | None = None,
    no_key: bool = False,
    certfile: str | os.PathLike[str] | None = None,
    keyfile: str | os.PathLike[str] | None = None,
    allow_origins: Sequence[str] = (),
    log_level: str = "info",
    extend: Callable[[Starlette, Archive], None] | None = None,
) -> None:
    """Serve an archive until interrupted; then end within seconds, whatever its readers do.

    More connections than a laboratory needs are refused. What is left to a reverse proxy:
    connections that never finish their headers, and limits for each address.

    Parameters
    ----------
    archive : path-like or Archive
        What to serve.
    host, port
        Where to listen.
    key : str, optional
        By default from ``SIMS_SERVER_KEY``.
    no_key : bool
        Answer everybody; on loopback only.
    certfile, keyfile : path-like, optional
        Certificate and its key, to speak https.
    allow_origins : sequence of str
        As :func:`create_app` takes them.
    log_level : str
        As uvicorn has them.
    extend : function, optional
        Adds routes to the application, such as pages for a browser; the key guards them too.

    Raises
    ------
    ApiError
        If there is no key, `no_key` on an address that other machines reach, a certificate that
        cannot be used, or an address that cannot be listened on.
    ArchiveError
        If there is no archive.
    """
    import uvicorn

    archive = archive if isinstance(archive, Archive) else Archive(archive)
    archive.check()
    key = None if no_key else (key or os.environ.get(KEY_VARIABLE, "").strip())
    if no_key and not is_loopback(host):
        raise ApiError(f"without a key only loopback is served, not {host!r}")
    if key == "":
        raise ApiError(f"no key: set {KEY_VARIABLE}, or serve without one on loopback")
    application = create_app(archive, key, allow_origins=allow_origins)
    if extend is not None:
        extend(application, archive)
    app: ASGIApp = application
    if no_key:
        # A web page that has its own name resolve to this machine must not read the archive.
        app = TrustedHostMiddleware(app, allowed_hosts=["localhost", "127.0.0.1", "[::1]", host])
    try:
        uvicorn.run(
            app,
            host=host,
            port=port,
            log_level=log_level,
            server_header=False,
            http="h11",
            ws="none",
            ssl_certfile=certfile,
            ssl_keyfile=None if keyfile is None else os.fspath(keyfile),
            limit_concurrency=_CONNECTIONS,
            timeout_graceful_shutdown=_GRACE,
        )
    except (FileNotFoundError, PermissionError, ssl.SSLError) as error:
        raise ApiError(
            f"certfile={certfile!r}, keyfile={keyfile!r} cannot be used: {error}"
        ) from None
    except SystemExit:
        # The code of uvicorn's own is 3, which the command line has for something else.
        raise ApiError(f"{host}, port {port} cannot be listened on; see the log above") from None


class _Shelf:
    """The answers, and the catalogue entries that were read for them."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._known: dict[str, tuple[int, CatalogueEntry]] = {}
        # Ids and hashes of payloads that are sound, and whether they are as the contract has them.
        self._in_order: dict[tuple[str, str], bool] = {}

    def profiles(self, request: Request) -> Response:
        """Answer ``GET /sims/{data_id}``."""
        data_id, payload, sha256 = self._payload(request)
        if self._in_order[data_id, sha256]:
            # Byte for byte as it was received.
            return _json(request, payload, sha256)
        return _json(request, orjson.dumps(_ordered(payload, data_id)))

    def species(self, request: Request) -> Response:
        """Answer ``GET /sims/{data_id}/species/{species_name}``."""
        wanted = _parameter(request, "species_name")
        data_id, payload, _ = self._payload(request)
        found = next((p for p in decode(payload) if p["species_name"] == wanted), None)
        return _json(request, orjson.dumps(found and _named(found, data_id)))

    def catalogue(self, request: Request) -> Response:
        """Answer ``GET /data_entries/``."""
        search = _search(request)
        if search.data_ids:
            ids = dict.fromkeys(search.data_ids)
            folders = [self._archive.folder(data_id) for data_id in ids if data_id]
        else:
            folders = self._archive.folders()
        entries = [self._entry(folder) for folder in folders]
        found = [entry.to_dict() for entry in entries if entry and search.passes(entry)]
        return _json(request, orjson.dumps(found))

    def _payload(self, request: Request) -> tuple[str, bytes, str]:
        data_id = canonical(_parameter(request, "data_id"))
        if data_id not in self._archive:
            raise HTTPException(HTTPStatus.NOT_FOUND, f"no data entry {data_id!r}")
        payload = self._archive.payload(data_id)
        sha256 = hashlib.sha256(payload).hexdigest()
        if (data_id, sha256) not in self._in_order:
            SIMSResult.from_json(payload)
            self._in_order[data_id, sha256] = _ordered(payload, data_id) == decode(payload)
        return data_id, payload, sha256

    def _entry(self, folder: Path) -> CatalogueEntry | None:
        """Give the catalogue entry of a folder, read again only after the folder has changed."""
        try:
            changed = folder.lstat().st_mtime_ns
        except OSError:
            return None
        known = self._known.get(folder.name)
        if known is not None and known[0] == changed:
            return known[1]
        try:
            versions = list_versions(folder)
            if not versions:
                return None
            entry = archived_entry(self._archive, read_record(versions[-1]).data_id)
        except SimsError as error:
            # One damaged entry must not hide the others.
            return CatalogueEntry(
                data_id=folder.name,
                char_source_type=SIMS,
                pipeline_status="error",
                detail_note_content=str(error),
            )
        # Two changes within the resolution of the file system's clock would look like one.
        if time.time_ns() - changed > 2 * _NS:
            self._known[folder.name] = changed, entry
        return entry


def _ordered(payload: bytes, data_id: str) -> list[dict[str, Any]]:
    profiles = sorted(decode(payload), key=lambda profile: str(profile["species_name"]))
    return [_named(profile, data_id) for profile in profiles]


def _named(profile: dict[str, Any], data_id: str) -> dict[str, Any]:
    """Give a profile the id of its entry: files that were added here may have none, or another."""
    known = profile.get("data_id")
    if known is not None and canonical(str(known)) == data_id:
        return profile
    return profile | {"data_id": data_id}


def _compressed(
    answer: Callable[[Request], Response], turns: asyncio.Semaphore
) -> Callable[[Request], Awaitable[Response]]:
    """Answer in a thread, and compress in another: nobody else waits for either."""

    async def endpoint(request: Request) -> Response:
        response = await run_in_threadpool(answer, request)
        wanted = _TAKES_GZIP.search(request.headers.get("Accept-Encoding", ""))
        if wanted and len(response.body) >= _COMPRESSED_FROM:
            async with turns:
                body = await run_in_threadpool(gzip.compress, bytes(response.body), _COMPRESSION)
            response.body = body
            response.headers["Content-Length"] = str(len(body))
            response.headers["Content-Encoding"] = "gzip"
        return response

    return endpoint


def _encoded_paths(app: ASGIApp) -> ASGIApp:
    """Let routes see the path as it was sent: an encoded slash is part of an id or species."""

    async def called(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and "raw_path" in scope:
            scope = {**scope, "path": scope["raw_path"].decode("latin-1")}
        await app(scope, receive, send)

    return called


def _guarded(app: ASGIApp, key: str | None) -> ASGIApp:
    """Ask for the key, everywhere but at the description of the API.

    Of people with a browser, as a password; the user name does not matter.
    """
    digest = None if key is None else hashlib.sha256(key.encode()).digest()

    async def called(scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope.get("headers", ()))
        shown = headers.get(b"x-api-key") or _password(headers.get(b"authorization", b""))
        if (
            digest is None
            or scope["type"] != "http"
            or scope["path"] == "/openapi.json"
            # Digests, so that not even the length can be measured.
            or hmac.compare_digest(hashlib.sha256(shown).digest(), digest)
        ):
            await app(scope, receive, send)
            return
        response = _detail(HTTPStatus.UNAUTHORIZED, "the header X-API-KEY must hold the key")
        # Programs that run in a web page must not make the browser ask.
        page = b"text/html" in headers.get(b"accept", b"")
        response.headers["WWW-Authenticate"] = 'Basic realm="SIMS"' if page else "X-API-KEY"
        await response(scope, receive, send)

    return called


def _password(authorization: bytes) -> bytes:
    """Give the password of a browser's login, or nothing."""
    kind, _, login = authorization.partition(b" ")
    try:
        return base64.b64decode(login).partition(b":")[2] if kind.lower() == b"basic" else b""
    except ValueError:
        return b""


def _parameter(request: Request, name: str) -> str:
    try:
        return unquote(request.path_params[name], errors="strict")
    except UnicodeDecodeError:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"the {name} is not UTF-8") from None


def _json(request: Request, body: bytes, sha256: str | None = None) -> Response:
    """Answer with JSON, or with 304 if it is what the client has."""
    sha256 = sha256 or hashlib.sha256(body).hexdigest()
    # Weak: the same content is sent compressed to one and plain to another.
    etag = f'W/"{sha256[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache", "Vary": "Accept-Encoding"}
    known = [tag.strip() for tag in request.headers.get("If-None-Match", "").split(",")]
    if etag in known or etag.removeprefix("W/") in known or "*" in known:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


def _search(request: Request) -> Search:
    """Read the filters of the query; what the contract does not name is ignored."""
    given: dict[str, Any] = {}
    wrong = []
    for parameter in fields(Search):
        name = parameter.name
        try:
            if texts := request.query_params.getlist(name):
                given[name] = _read(str(parameter.type), texts)
        except ValueError as error:
            wrong.append({"loc": ["query", name], "msg": str(error), "type": "value_error"})
    if wrong:
        raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, wrong)  # type: ignore[arg-type]
    return Search(**given)


def _read(kind: str, texts: list[str]) -> object:
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


def _openapi(request: Request) -> Response:
    return _json(request, orjson.dumps(document()))


def _detail(status: int, detail: object) -> Response:
    return Response(orjson.dumps({"detail": detail}), status, media_type="application/json")


def _failed(_request: Request, error: Exception) -> Response:
    """Answer with an error; what went wrong inside is for the log."""
    if isinstance(error, HTTPException):
        response = _detail(error.status_code, error.detail)
        response.headers.update(error.headers or {})
        return response
    told = str(error) if isinstance(error, SimsError) else "the server failed; its log says how"
    return _detail(HTTPStatus.INTERNAL_SERVER_ERROR, told)
