"""The pages of an archive, served with its API and under the same key."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import unquote

from sims_analysis.errors import SimsError
from sims_analysis.output.pages.archive import HOME, pages
from sims_analysis.output.pages.interactive import thumbnail
from sims_analysis.output.pages.templates import render

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.routing import Route

    from sims_analysis.api.archive import Archive

#: What only headers can state: pages may not be framed, and their type is not guessed.
_HEADERS = {
    "Content-Security-Policy": "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, no-cache",
}
_SVG = "image/svg+xml"
#: Pages that are made at a time: programs that ask for payloads need not wait for all of them.
_MAX_DRAWINGS = 2


def add_pages(app: Starlette, archive: Archive) -> None:
    """Add the list of entries, each of them, several overlaid, and small pictures, under the key.

    These are ``/``, ``/entries/ID``, ``/overlay/?id=ID&id=ID`` and ``/thumbnails/ID``.
    """
    from starlette.concurrency import run_in_threadpool
    from starlette.responses import Response
    from starlette.routing import Route

    drawing = asyncio.Semaphore(_MAX_DRAWINGS)

    def route(path: str, make: Callable[[Request], str], kind: str = "text/html") -> Route:
        async def answer(request: Request) -> Response:
            def made() -> Response:
                try:
                    return Response(make(request), headers=_HEADERS, media_type=kind)
                except SimsError as error:
                    return Response(*_failure(error), headers=_HEADERS, media_type="text/html")

            async with drawing:
                return await run_in_threadpool(made)

        return Route(path, answer)

    def entry(request: Request) -> str:
        return unquote(request.path_params["data_id"])

    app.router.routes += [
        route("/", lambda request: pages(archive, search=request.query_params.get("search", ""))),
        route("/entries/{data_id:path}", lambda request: pages(archive, entry(request))),
        route(
            "/overlay/",
            lambda request: pages(archive, *(request.query_params.getlist("id") or [""])),
        ),
        route(
            "/thumbnails/{data_id:path}",
            lambda request: thumbnail(archive.get(entry(request))),
            _SVG,
        ),
    ]


def _failure(error: SimsError) -> tuple[str, HTTPStatus]:
    """Return a page that says why there is none; the API still serves the payload as received."""
    data_id = str(error.where.get("data_id", ""))
    if error.code == "not_archived":
        title, reason, status = "No such entry", data_id or "no id", HTTPStatus.NOT_FOUND
    else:
        title, reason = "No page", str(error)
        status = HTTPStatus.UNPROCESSABLE_ENTITY
    return render("failure", title=title, reason=reason, home=HOME), status
