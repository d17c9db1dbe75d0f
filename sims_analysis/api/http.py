"""Requests over HTTP: the only module that imports httpx.

What can go wrong becomes an error of this library. It is raised where no frame is left in its
traceback or context that has seen the request or the answer, because those hold the key.
"""

from __future__ import annotations

import encodings.idna  # noqa: F401 - else imported with the first connection: see Fetcher
import importlib
import os
import random
import ssl
import threading
import time
import weakref
import zlib
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn, TypeVar
from urllib.parse import urljoin, urlsplit

import httpcore
import httpx

from sims_analysis._version import __version__
from sims_analysis.api.guards import (
    Failure,
    PunctualBackend,
    asked_to_wait,
    attempted,
    keep_out_of_logs,
    until,
)
from sims_analysis.api.parallel import Question
from sims_analysis.errors import (
    ApiError,
    ConnectionFailed,
    NotFound,
    PayloadError,
    RateLimited,
    RequestTimeout,
    StatusError,
    Unauthorized,
)
from sims_analysis.profiles.strict_json import NOT_JSON
from sims_analysis.text.visible import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sims_analysis.api.endpoint import Endpoint
    from sims_analysis.api.secret import Secret

T = TypeVar("T")

_RETRIED = {408, 425, 429, 500, 502, 503, 504}
#: What a server that is at work does not say, or a gateway says in place of one that is not.
_NO_ANSWER = {408, 425, 429, 502, 503, 504}
_MEANING: dict[int, tuple[type[StatusError], str]] = {
    401: (Unauthorized, ": pass api_key= or set AS_API_KEY"),
    403: (Unauthorized, ": pass api_key= or set AS_API_KEY"),
    404: (NotFound, "; look for what there is with client.search()"),
    422: (NotFound, "; look for what there is with client.search()"),
    429: (RateLimited, "; ask less often, or with fewer max_connections"),
}
_CONNECT_TIMEOUT = 5.0
#: For so many seconds nobody else asks before the server has given a first answer.
_FIRST_ALONE = 2.0
_KEPT_ALIVE = 5.0
_MAX_REDIRECTS = 5
_ERROR_BODY = 2000
#: A body in more pieces than this must have so many bytes in each: taking one up takes longer
#: than a server needs to send it.
_MANY_PIECES, _CRUMB = 1 << 16, 16
#: Under the same names in both libraries.
_TIMEOUTS = (httpx.TimeoutException, httpcore.TimeoutException)
_FAILURES = (
    *(httpx.NetworkError, httpx.RemoteProtocolError, httpx.ProxyError),
    *(httpcore.NetworkError, httpcore.RemoteProtocolError, httpcore.ProxyError),
)
_OTHERS = (
    *(httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, UnicodeError),
    *(httpcore.LocalProtocolError, httpcore.UnsupportedProtocol),
)


class Answer(NamedTuple):
    """What a server said: a body and what goes with it, or that its validators still hold."""

    body: bytes
    content_type: str = ""
    etag: str | None = None
    last_modified: str | None = None
    unchanged: bool = False


class _Transport(httpx.BaseTransport):
    """The network, by connections that keep deadlines."""

    def __init__(self, endpoint: Endpoint, context: ssl.SSLContext, size: int) -> None:
        named = endpoint.proxy()
        proxy = None
        if named is not None:
            given = httpx.Proxy(named)
            if given.url.scheme.startswith("socks"):
                importlib.import_module("socksio")
            proxy = httpcore.Proxy(str(given.url), auth=given.auth)
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            proxy=proxy,
            max_connections=size,
            max_keepalive_connections=size,
            keepalive_expiry=_KEPT_ALIVE,
            network_backend=PunctualBackend(),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        asked = httpcore.Request(
            request.method,
            str(request.url),
            headers=request.headers.raw,
            extensions=request.extensions,
        )
        answer = self._pool.handle_request(asked)
        return httpx.Response(
            answer.status,
            headers=answer.headers,
            stream=_Body(answer),
            extensions=answer.extensions,
        )

    def close(self) -> None:
        self._pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        return self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()


class Http:
    """GET requests to one endpoint, over one pool of connections, safe to use from threads."""

    def __init__(
        self,
        endpoint: Endpoint,
        key: Secret,
        *,
        timeout: float,
        deadline: float,
        retries: int,
        max_connections: int,
        max_response_bytes: int,
        ca_bundle: str | None,
        transport: httpx.BaseTransport | None,
    ) -> None:
        self._endpoint = endpoint
        self._key = key
        self._timeout = timeout
        self._deadline = deadline
        self._retries = retries
        self._limit = max_response_bytes
        # There may be more threads than this, which read one answer while others are on the way.
        self._turns = threading.Semaphore(max_connections)
        # Until the server has given a first answer, or taken long over it, nobody else asks: a
        # key that is not accepted is sent once.
        self._first = threading.Lock()
        self._open = threading.Event()
        self._heard = 0.0
        self._not_before = 0.0

        def with_key(request: httpx.Request) -> httpx.Request:
            # On its way, so that the key is in no argument or default.
            request.headers.update({"X-API-KEY": key.reveal()} if key else {})
            return request

        try:
            client = httpx.Client(
                auth=with_key,
                headers={
                    "Accept": "application/json",
                    # Within one machine, to compress and inflate takes longer than to copy.
                    "Accept-Encoding": "identity" if endpoint.is_loopback else "gzip",
                    "User-Agent": f"sims-analysis/{__version__}",
                },
                timeout=httpx.Timeout(timeout, connect=min(_CONNECT_TIMEOUT, timeout), pool=None),
                transport=transport or _Transport(endpoint, _trusted(ca_bundle), max_connections),
            )
        except (ValueError, ImportError, httpx.InvalidURL) as error:
            name = type(error).__name__  # the address may hold a password
            raise ApiError(f"a proxy named in the environment cannot be used ({name})") from None
        self._client = client
        # Who does not close the client leaves no open connections either.
        self.close = weakref.finalize(self, _shut, client, keep_out_of_logs(key), os.getpid())

    def get(self, question: Question, read: Callable[[Answer], T]) -> T:
        """Ask, and try again where that may help.

        `read` makes of the answer what is wanted, or raises `PayloadError`.
        """
        batch = question.batch
        if not self._first.acquire(blocking=False):
            self._open.wait(_FIRST_ALONE)
            self._open.set()
        with question.turn as turn:
            turn.enter_context(self._turns)
            turn.callback(self._open.set)
            began = time.monotonic()
            question.end = began + self._deadline
            # After one that got no answer, one look is enough.
            retries = 0 if batch.strikes else self._retries
            attempt = partial(self._attempt, question, read)
            try:
                return attempted(attempt, retries, question.end, batch)
            except Failure as failure:
                error = failure.error
                if isinstance(error, Unauthorized) and batch.ended is None:
                    batch.ended = error
                elif isinstance(error, ApiError) and failure.again and self._heard < began:
                    # The server has answered nobody since.
                    batch.strike(error)
        raise error.with_traceback(None)

    def _attempt(self, question: Question, read: Callable[[Answer], T]) -> T:
        failure: BaseException
        self._wait_for_others(question)
        if question.batch.cancelled.is_set() or question.batch.ended is not None:
            raise Failure(question.batch.unasked(question.what))
        try:
            with until(question.end):
                answer = self._exchange(question)
        except _TIMEOUTS as error:
            late = time.monotonic() >= question.end
            name, limit = ("deadline", self._deadline) if late else ("timeout", self._timeout)
            missed = f"no {'whole ' if late else ''}answer within {limit:g} s"
            text = f"{missed} ({type(error).__name__}); try again, or raise {name}="
            failure = Failure(RequestTimeout(question.told(text)), again=True)
        except (ApiError, PayloadError) as error:
            failure = Failure(error)
        except (*_FAILURES, *_OTHERS) as error:
            failure = self._connection_failure(error, question)
        except KeyboardInterrupt:
            failure = KeyboardInterrupt()
        else:
            # The next may ask while this one reads.
            question.turn.close()
            try:
                return read(answer)
            except PayloadError as error:
                failure = self._payload_failure(error, answer, question)
        raise failure

    def _wait_for_others(self, question: Question) -> None:
        """Wait as long as the server has asked anybody to."""
        wait = self._not_before - time.monotonic()
        if wait <= 0:
            return
        if time.monotonic() + wait >= question.end:
            text = f"the server wants to be left alone for {wait:.0f} s; wait, or raise deadline="
            raise Failure(RateLimited(question.told(text), url=question.url, retry_after=wait))
        # Not all at once, when it is over.
        question.batch.cancelled.wait(wait + random.uniform(0.0, 0.5))  # noqa: S311 - no secret

    def _exchange(self, question: Question) -> Answer:
        """Follow redirects within the origin, and give the answer."""
        target = question.url
        for _ in range(1 + _MAX_REDIRECTS):
            with self._client.stream("GET", target, headers=question.headers) as response:
                status, said = response.status_code, response.headers
                if response.has_redirect_location:
                    target = self._redirected(question, target, said["Location"])
                    continue
                if status not in _NO_ANSWER | {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
                    # There is a server that answers.
                    self._heard = time.monotonic()
                    question.batch.strikes = 0
                    self._open.set()
                if status == HTTPStatus.NOT_MODIFIED and question.headers:
                    return Answer(b"", unchanged=True)
                if status != HTTPStatus.OK:
                    self._refuse(response, question)
                body = self._body(response, question)
                if self._key.is_in(body):
                    raise PayloadError(
                        question.told(
                            "the answer repeats the API key, or escapes so much that nobody can "
                            "tell; it is neither shown nor kept; tell those who run the server"
                        )
                    )
                kept = [said.get(name) for name in ("ETag", "Last-Modified")]
                etag, modified = (None if self._key.tells(text or "") else text for text in kept)
                return Answer(body, said.get("Content-Type", ""), etag, modified)
        raise ApiError(question.told(f"more than {_MAX_REDIRECTS} redirects"))

    def _redirected(self, question: Question, origin: str, location: str) -> str:
        try:
            target = urljoin(origin, location)
            host = urlsplit(target).netloc.rpartition("@")[2]
        except ValueError:
            target = host = ""
        if not self._endpoint.is_home(target):
            raise ApiError(
                f"{question.what}: {question.url} redirects to another origin, "
                f"'{self._key.shown(host)}', which gets neither the key nor a request; if that is "
                "the API, set endpoint= to it"
            )
        return target

    def _body(self, response: httpx.Response, question: Question) -> bytes:
        """Read the body of a good answer, whole or not at all."""
        declared = response.headers.get("Content-Length", "")
        if not (declared.isdecimal() and int(declared) > self._limit):
            body = self._content(response, self._limit + 1, question)
            if len(body) <= self._limit:
                return body
        text = f"the answer is larger than max_response_bytes={self._limit}"
        raise PayloadError(question.told(text))

    def _content(self, response: httpx.Response, limit: int, question: Question) -> bytes:
        """Read a body up to a limit, which holds before and after decompression."""
        if response.is_stream_consumed:
            # By a transport that stands in for the network; httpx has decompressed it as well.
            return response.content[:limit]
        raw = self._raw(response, limit, question)
        encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding in {"identity", ""}:
            return raw
        if encoding not in {"gzip", "x-gzip"}:
            text = f"gzip was asked for, the answer is encoded as '{self._key.shown(encoding)}'"
            raise PayloadError(question.told(text))
        # Not by httpx, which decompresses whatever arrives before it can be measured.
        inflate = zlib.decompressobj(wbits=31)
        try:
            content = inflate.decompress(raw, limit)
            whole = inflate.eof and not inflate.unused_data
        except zlib.error:
            content, whole = b"", False
        if not whole and len(raw) < limit and len(content) < limit:
            error = ConnectionFailed(question.told("the compressed answer is damaged"))
            raise Failure(error, again=True)
        return content

    def _raw(self, response: httpx.Response, limit: int, question: Question) -> bytes:
        """Read a body as sent, as far as anybody waits for it."""
        chunks, size = [], 0
        for chunk in response.iter_raw():
            chunks.append(chunk)
            size += len(chunk)
            if size >= limit:
                break
            if question.batch.cancelled.is_set():
                raise Failure(question.batch.unasked(question.what))
            self._heard = now = time.monotonic()
            if now > question.end:
                raise httpx.ReadTimeout("the deadline has passed")
            if len(chunks) > _MANY_PIECES and size < _CRUMB * len(chunks):
                text = f"the answer comes in crumbs, {len(chunks)} pieces for {size} bytes"
                raise PayloadError(question.told(text))
        raw = b"".join(chunks)
        return raw if size <= limit else raw[:limit]

    def _refuse(self, response: httpx.Response, question: Question) -> NoReturn:
        """Raise what an HTTP status other than 200 means."""
        status = response.status_code
        url = question.url
        # As one text: a key may be cut off at the end of what is kept.
        body = self._content(response, _ERROR_BODY, question).decode(errors="replace")
        if self._key.tells(body):
            body = self._key.shown(body)
        phrase = self._key.shown(response.reason_phrase)
        message = f"{question.what}: HTTP {status} {phrase} from {url}"
        said = " ".join(body.split())[:200]
        if said and "html" not in response.headers.get("Content-Type", ""):
            message += f", which says '{visible(said)}'"
        kind, advice = _MEANING.get(status, (StatusError, ""))
        if kind is Unauthorized:
            message += "; the key is not accepted here" if self._key else "; no key was sent"
        error = kind(message + advice, status_code=status, url=url, body=body)
        wait = asked_to_wait(response.headers.get("Retry-After"))
        if isinstance(error, RateLimited):
            error.retry_after = wait
        again = status in _RETRIED
        if again and wait:
            self._not_before = max(self._not_before, time.monotonic() + wait)
        raise Failure(error, again=again, after=wait or 0.0)

    def _connection_failure(self, error: Exception, question: Question) -> Failure:
        reason = self._key.shown(str(error)) or type(error).__name__
        if "CERTIFICATE_VERIFY_FAILED" in reason:
            text = f"the certificate is not trusted ({reason}); pass ca_bundle= if it is its own"
            return Failure(ConnectionFailed(question.told(text)))
        if isinstance(error, _FAILURES):
            text = f"the connection failed ({reason}); check the network and the endpoint"
            return Failure(ConnectionFailed(question.told(text)), again=True)
        # Others may quote the request, and with it the key.
        text = f"the request could not be made ({type(error).__name__})"
        return Failure(ApiError(question.told(text)))

    def _payload_failure(self, error: PayloadError, answer: Answer, question: Question) -> Failure:
        if "html" in answer.content_type.lower():
            text = "the answer is a web page, not JSON; check the endpoint"
            return Failure(PayloadError(question.told(text)))
        reason = self._key.shown(str(error.args[0]))
        # What is no JSON at all was cut off or garbled on the way, perhaps.
        again = reason.startswith(NOT_JSON)
        told = type(error)(question.told(reason), self._key.shown(error.path))
        return Failure(told, again=again)


def _shut(client: httpx.Client, end_redaction: Callable[[], None], process: int) -> None:
    # A forked process has the connections of its parent open, and lets them alone.
    if os.getpid() == process:
        client.close()
        end_redaction()


def _trusted(ca_bundle: str | None) -> ssl.SSLContext:
    if ca_bundle is None:
        return httpx.create_ssl_context()
    folder = Path(ca_bundle).is_dir()
    try:
        return ssl.create_default_context(
            cafile=None if folder else ca_bundle, capath=ca_bundle if folder else None
        )
    except OSError as error:
        raise ApiError(f"ca_bundle={ca_bundle!r} cannot be read: {error}") from None
