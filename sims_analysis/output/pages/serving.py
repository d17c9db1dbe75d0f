"""The pages of an archive, served beside its API and under the same key."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import unquote

from sims_analysis.errors import SimsError
from sims_analysis.output.pages.archive import HOME, pages
from sims_analysis.output.pages.templates import render

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

    from sims_analysis.api.archive import Archive

#: What only headers can state: pages may not be framed, and their type is not guessed.
_HEADERS = {
    "Content-Security-Policy": "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, no-cache",
}
#: Pages that are made at a time: programs that ask for payloads need not wait for all of them.
_AT_A_TIME = 2


def add_pages(app: Starlette, archive: Archive) -> None:
    """Add ``/`` (the entries, searchable) and ``/entries/ID`` to an application, under its key."""
    from starlette.concurrency import run_in_threadpool
    from starlette.responses import HTMLResponse
    from starlette.routing import Route

    drawing = asyncio.Semaphore(_AT_A_TIME)

    async def index(request: Request) -> Response:
        search = request.query_params.get("search", "")
        async with drawing:
            page = await run_in_threadpool(pages, archive, search=search)
        return HTMLResponse(page, headers=_HEADERS)

    async def entry(request: Request) -> Response:
        data_id = unquote(request.path_params["data_id"])
        if not await run_in_threadpool(archive.__contains__, data_id):
            page = render("failure", title="No such entry", reason=data_id or "no id", home=HOME)
            return HTMLResponse(page, HTTPStatus.NOT_FOUND, headers=_HEADERS)
        try:
            async with drawing:
                page = await run_in_threadpool(pages, archive, data_id)
        except SimsError as error:
            # The page says why it cannot be shown; the raw payload is still served by the API.
            page = render("failure", title=f"No page of {data_id}", reason=str(error), home=HOME)
            return HTMLResponse(page, HTTPStatus.UNPROCESSABLE_ENTITY, headers=_HEADERS)
        return HTMLResponse(page, headers=_HEADERS)

    app.router.routes += [Route("/", index), Route("/entries/{data_id:path}", entry)]
