"""A server over an archive: the reference contract, read-only.

It needs the extra ``server`` (starlette and uvicorn).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import math
import os
import ssl
from collections.abc import Callable, Sequence
from dataclasses import fields
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from sims_analysis.api.archive import Archive
from sims_analysis.api.catalogue import Search
from sims_analysis.api.endpoint import is_loopback
from sims_analysis.api.secret import SHORTEST
from sims_analysis.api.versions import canonical, list_versions, read_version
from sims_analysis.dataset.result import SIMSResult
from sims_analysis.errors import ApiError, SimsError, SimsWarning, collected, warn
from sims_analysis.profiles.strict_json import decode
from sims_analysis.text.times import moment_of

KEY_VARIABLE = "SIMS_SERVER_KEY"

#: Bytes of the smallest answer that is compressed.
_COMPRESSED_FROM = 1000
OPENAPI = Path(__file__).parent / "openapi.json"
#: More connections than this are refused with 503.
_CONNECTIONS = 256
#: Seconds for answers under way when the server ends.
_GRACE = 3
_EXPECTED = {
    "bool": "a boolean", "float | None": "a finite number", "datetime | None": "an ISO 8601 time",
}  # fmt: skip
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


def create_app(
    archive: str | os.PathLike[str] | Archive,
    key: str | None = None,
    *,
    allow_origins: Sequence[str] = (),
) -> Starlette:
    """Make the ASGI application that answers from an archive, of entries added later too.

    A request must carry the key as ``X-API-KEY``, or as the password of a browser's login; without
    a key, anyone is answered. Web pages of the allowed origins may send requests.
    """
    answers = ArchiveResponses(archive if isinstance(archive, Archive) else Archive(archive))
    endpoints = {
        "/sims/{data_id}": answers.payload,
        "/sims/{data_id}/species/{species_name}": answers.payload,
        "/data_entries/": answers.catalogue,
        "/data_entries": answers.catalogue,
        "/openapi.json": _openapi,
    }
    pages: dict[str, Any] = {
        "allow_origins": allow_origins,
        "allow_methods": ["GET"],
        "allow_headers": ["X-API-KEY", "If-None-Match"],
        "expose_headers": ["ETag"],
    }
    app = Starlette(
        routes=[Route(path, endpoint) for path, endpoint in endpoints.items()],
        middleware=[
            *([Middleware(CORSMiddleware, **pages)] if allow_origins else []),
            # Of digits, level 1 leaves 10 % more than level 9, in a sixth of the time.
            Middleware(GZipMiddleware, minimum_size=_COMPRESSED_FROM, compresslevel=1),
            Middleware(_encoded_paths),
            Middleware(_guarded, key=key),
        ],
        exception_handlers=dict.fromkeys([HTTPException, SimsError, Exception], _error_answer),
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

    The key is by default that of ``SIMS_SERVER_KEY``, of 16 characters or more; `no_key` answers
    anyone, on loopback only. `extend` adds routes to the application, such as pages for a
    browser; the key guards them too.

    A connection on which a request does not arrive in full within 20 s is closed, and more
    connections than a laboratory needs are refused. Limits for each address, and for readers that
    do not take an answer, are left to a reverse proxy. Without a certificate, other machines on the
    way can read key and data, of which it is warned.

    Raises `ApiError` for what cannot be served like that, `ArchiveError` if there is no archive.
    """
    archive = archive if isinstance(archive, Archive) else Archive(archive)
    archive.check()
    if port not in range(65536):
        raise ApiError(f"port={port!r}; expected a whole number from 0 to 65535", argument="port")
    if no_key and not is_loopback(host):
        raise ApiError(f"without a key only loopback is served, not {host!r}", argument="host")
    key = None if no_key else _refuse_weak_key(key or os.environ.get(KEY_VARIABLE, "").strip())
    application = create_app(archive, key, allow_origins=allow_origins)
    if extend is not None:
        extend(application, archive)
    if certfile is None and not is_loopback(host):
        warn(
            f"{host!r} is served without a certificate: anyone on the network can read the key and "
            "the data",
            SimsWarning,
            code="unencrypted",
            argument="certfile",
            remedy="pass certfile= and keyfile=, unless a reverse proxy speaks https for it",
        )
    app: ASGIApp = application
    if no_key:
        # A web page that has its own name resolve to this machine must not read the archive.
        app = TrustedHostMiddleware(app, allowed_hosts=["localhost", "127.0.0.1", "[::1]", host])
    try:
        _run(app, host, port, log_level, certfile, keyfile)
    except (FileNotFoundError, PermissionError, ssl.SSLError) as error:
        raise ApiError(
            f"certfile={certfile!r}, keyfile={keyfile!r} cannot be used: {error}",
            argument="certfile",
        ) from None
    except SystemExit:
        # The code of uvicorn's own is 3, which the command line has for something else.
        text = f"{host}, port {port} cannot be used; see the log above"
        raise ApiError(text, argument="port") from None


def _run(app: ASGIApp, host: str, port: int, log_level: str, certfile: Any, keyfile: Any) -> None:
    """Answer requests until interrupted."""
    import uvicorn

    from sims_analysis.api.connections import LimitedProtocol

    uvicorn.run(
        app,
        host=host,
        port=port,
        log_level=log_level,
        server_header=False,
        http=LimitedProtocol,
        ws="none",
        ssl_certfile=certfile,
        ssl_keyfile=None if keyfile is None else os.fspath(keyfile),
        limit_concurrency=_CONNECTIONS,
        timeout_graceful_shutdown=_GRACE,
    )


def _refuse_weak_key(key: str) -> str:
    """Refuse a missing or short key."""
    hint = "python -c 'import secrets; print(secrets.token_urlsafe())' makes one"
    if not key:
        text = f"no key: set {KEY_VARIABLE} ({hint}), or serve without one on loopback"
        raise ApiError(text, code="missing_key")
    if len(key) < SHORTEST:
        message = f"the key can be guessed: fewer than {SHORTEST} characters; {hint}"
        raise ApiError(message, code="weak_key")
    return key


def _encoded_paths(app: ASGIApp) -> ASGIApp:
    """Let routes see the path as it was sent: an encoded slash is part of an id or species."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and "raw_path" in scope:
            scope = {**scope, "path": scope["raw_path"].decode("latin-1")}
        await app(scope, receive, send)

    return wrapped


def _guarded(app: ASGIApp, key: str | None) -> ASGIApp:
    """Require the key, in its header or as a browser's password, but for the API's description."""
    digest = None if key is None else hashlib.sha256(key.encode()).digest()

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope.get("headers", ()))
        presented = headers.get(b"x-api-key") or _password(headers.get(b"authorization", b""))
        if (
            digest is None
            or scope["type"] != "http"
            or scope["path"] == "/openapi.json"
            # Digests, so that not even the length can be measured.
            or hmac.compare_digest(hashlib.sha256(presented).digest(), digest)
        ):
            await app(scope, receive, send)
            return
        response = _detail(HTTPStatus.UNAUTHORIZED, "the header X-API-KEY must contain the key")
        # A request by a script in a web page must not open the browser's login.
        page = b"text/html" in headers.get(b"accept", b"")
        response.headers["WWW-Authenticate"] = 'Basic realm="SIMS"' if page else "X-API-KEY"
        await response(scope, receive, send)

    return wrapped


def _password(authorization: bytes) -> bytes:
    """Return the password of a browser's login, or nothing."""
    kind, _, login = authorization.partition(b" ")
    try:
        return base64.b64decode(login).partition(b":")[2] if kind.lower() == b"basic" else b""
    except ValueError:
        return b""


def _openapi(request: Request) -> Response:
    """Answer with the description of the contract; a test compares it with the routes."""
    return answer(request, OPENAPI.read_bytes())


def _detail(status: int, detail: object) -> Response:
    return Response(orjson.dumps({"detail": detail}), status, media_type="application/json")


def _error_answer(_request: Request, error: Exception) -> Response:
    """Answer with an error; failures of the server itself go to the log."""
    if isinstance(error, HTTPException):
        response = _detail(error.status_code, error.detail)
        response.headers.update(error.headers or {})
        return response
    reason = str(error) if isinstance(error, SimsError) else "the server failed; see its log"
    return _detail(HTTPStatus.INTERNAL_SERVER_ERROR, reason)


class ArchiveResponses:
    """The answers from one archive."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def payload(self, request: Request) -> Response:
        """Answer ``GET /sims/{data_id}``, and that of one species: ``/species/{species_name}``."""
        parts = {name: _parameter(request, name) for name in request.path_params}
        return answer(request, self._payload(**parts))

    def catalogue(self, request: Request) -> Response:
        """Answer ``GET /data_entries/``."""
        # A damaged entry must not stop the others, nor be left out: its row has the error.
        with collected():
            entries = self._archive.entries(_search(request), damaged=True)
        return answer(request, orjson.dumps([entry.to_dict() for entry in entries]))

    def _payload(self, data_id: str, species_name: str | None = None) -> bytes:
        """Return the payload of an entry, or its profile of one species, as in the contract."""
        data_id = canonical(data_id)
        versions = list_versions(self._archive.folder(data_id))
        if not versions:
            raise HTTPException(HTTPStatus.NOT_FOUND, f"no data entry {data_id!r}")
        _, payload = read_version(versions[-1])
        result = SIMSResult.from_json(payload, data_id="")
        if species_name is None and result.species == sorted(result.species):
            ids = {profile.data_id for profile in result.depth_profiles}
            if all(isinstance(text, str) and canonical(text) == data_id for text in ids):
                return payload  # byte for byte as it was received, where that is in order
        profiles = [_with_data_id(profile, data_id) for profile in decode(payload)]
        if species_name is not None:
            matches = (profile for profile in profiles if profile["species_name"] == species_name)
            return orjson.dumps(next(matches, None))
        return orjson.dumps(sorted(profiles, key=lambda profile: str(profile["species_name"])))


def answer(request: Request, body: bytes) -> Response:
    """Answer with JSON, or with 304 if the client has it."""
    # Weak: the same content is sent compressed to one and plain to another.
    etag = f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache", "Vary": "Accept-Encoding"}
    tags = [tag.strip() for tag in request.headers.get("If-None-Match", "").split(",")]
    if etag in tags or etag.removeprefix("W/") in tags or "*" in tags:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


def _with_data_id(profile: dict[str, Any], data_id: str) -> dict[str, Any]:
    """Give a profile the id of its entry: files that were added here may have none, or another."""
    stated = profile.get("data_id")
    if stated is not None and canonical(str(stated)) == data_id:
        return profile
    return profile | {"data_id": data_id}


def _parameter(request: Request, name: str) -> str:
    try:
        return unquote(request.path_params[name], errors="strict")
    except UnicodeDecodeError:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"the {name} is not UTF-8") from None


def _search(request: Request) -> Search:
    """Read the filters of the query; parameters that the contract does not name are ignored."""
    filters: dict[str, Any] = {}
    errors = []
    for parameter in fields(Search):
        name = parameter.name
        try:
            if texts := request.query_params.getlist(name):
                filters[name] = read_filter(str(parameter.type), texts)
        except ValueError as error:
            errors.append({"loc": ["query", name], "msg": str(error), "type": "value_error"})
    if errors:
        raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, errors)  # type: ignore[arg-type]
    return Search(**filters)


def read_filter(kind: str, texts: list[str]) -> object:
    """Read one filter, by the type of its field."""
    text = texts[-1]
    if kind == "Sequence[str]":
        return texts
    if kind == "bool" and text.lower() in _BOOLEANS:
        return _BOOLEANS[text.lower()]
    if kind == "float | None" and math.isfinite(number := float(text)):
        return number
    if kind == "datetime | None" and (moment := moment_of(text)):
        return moment
    if kind == "str":
        return text
    raise ValueError(f"expected {_EXPECTED[kind]}, found {text!r}")
