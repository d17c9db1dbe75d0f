"""Answers that are sent piece by piece: who does not read holds a piece, and not the whole."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import re
import tempfile
import threading
import weakref
import zlib
from http import HTTPStatus
from typing import TYPE_CHECKING, BinaryIO

from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

#: Bytes of an answer that are under way to one reader; a larger answer waits in a file.
PIECE = 1 << 16
#: Bytes of answers that are no files of the archive and wait in temporary ones, all together.
_MOST_WAITING = 1 << 30
_COMPRESSED_FROM = 1000
#: Of digits, gzip leaves 10 % more at level 1 than at 9, in a sixth of the time.
_COMPRESSION = 1
_TAKES_GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))", re.IGNORECASE)


class Content:
    """JSON to be sent, from a file that its readers share.

    Parameters
    ----------
    file : file
        Closed when the last reader has it all.
    size : int
        Bytes in it.
    sha256 : str
        Hash of them.
    """

    def __init__(self, file: BinaryIO, size: int, sha256: str) -> None:
        self.size = size
        self.sha256 = sha256
        self._file = file
        self._lock = threading.Lock()
        self._state = self._current_state()
        weakref.finalize(self, file.close)

    @property
    def is_changed(self) -> bool:
        """Whether somebody has written to the file."""
        return self._current_state() != self._state

    def read(self, start: int) -> bytes:
        """Read a piece."""
        with self._lock:
            self._file.seek(start)
            return self._file.read(PIECE)

    def _current_state(self) -> tuple[int, int] | None:
        try:
            found = os.fstat(self._file.fileno())
        except OSError:
            return None  # in memory
        return found.st_size, found.st_mtime_ns


class Waiting:
    """Room for answers that are made for a reader: on the disk, and not without end.

    Parameters
    ----------
    room : int
        Bytes of all of them.
    """

    def __init__(self, room: int = _MOST_WAITING) -> None:
        self._room = room
        self._taken = 0
        self._lock = threading.Lock()

    def content(self, body: bytes) -> Content:
        """Prepare an answer to be sent.

        Raises
        ------
        HTTPException
            503, if too much waits already; the reader may come back.
        """
        size, sha256 = len(body), hashlib.sha256(body).hexdigest()
        if size <= PIECE:
            return Content(io.BytesIO(body), size, sha256)
        with self._lock:
            if self._taken and self._taken + size > self._room:
                raise HTTPException(
                    HTTPStatus.SERVICE_UNAVAILABLE,
                    "too many large answers wait for their readers; come back later",
                    {"Retry-After": "5"},
                )
            self._taken += size
        file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by who sends it
        weakref.finalize(file, self._release, size)
        file.write(body)
        file.flush()
        return Content(file, size, sha256)

    def _release(self, size: int) -> None:
        with self._lock:
            self._taken -= size


def answer(request: Request, content: Content) -> Response:
    """Answer with JSON, compressed for who takes it; or with 304 if it is what the client has."""
    # Weak: the same content is sent compressed to one and plain to another.
    etag = f'W/"{content.sha256[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache", "Vary": "Accept-Encoding"}
    known = [tag.strip() for tag in request.headers.get("If-None-Match", "").split(",")]
    if etag in known or etag.removeprefix("W/") in known or "*" in known:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    takes_gzip = _TAKES_GZIP.search(request.headers.get("Accept-Encoding", ""))
    compressed = takes_gzip is not None and content.size >= _COMPRESSED_FROM
    if compressed:
        headers["Content-Encoding"] = "gzip"
    if content.size <= PIECE:
        body = content.read(0)
        body = gzip.compress(body, _COMPRESSION) if compressed else body
        return Response(body, media_type="application/json", headers=headers)
    if not compressed:
        headers["Content-Length"] = str(content.size)
    pieces = _compressed(content) if compressed else _pieces(content)
    return StreamingResponse(pieces, media_type="application/json", headers=headers)


def _pieces(content: Content) -> Iterator[bytes]:
    """Read a piece whenever the last is taken."""
    for start in range(0, content.size, PIECE):
        yield content.read(start)


def _compressed(content: Content) -> Iterator[bytes]:
    deflate = zlib.compressobj(_COMPRESSION, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    for piece in _pieces(content):
        if packed := deflate.compress(piece):
            yield packed
    yield deflate.flush()
