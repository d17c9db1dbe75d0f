"""Requests over HTTP: the only module that imports httpx.

What can go wrong becomes an error of this library. It is raised where no frame is left in its
traceback or context that has seen the request or the answer, because those hold the key.
"""

from __future__ import annotations

import ssl
import threading
import weakref
import zlib
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, TypeVar
from urllib.parse import urljoin, urlsplit

import httpx

from sims_analysis._version import __version__
from sims_analysis.api.guards import PatientBackend, asked_to_wait, keep_out_of_logs
from sims_analysis.api.retrying import Failure, attempted
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
from sims_analysis.profiles.strict_json import decode

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from sims_analysis.api.endpoint import Endpoint, Secret

T = TypeVar("T")

_RETRIED = {408, 425, 429, 500, 502, 503, 504}
_CONNECT_TIMEOUT = 5.0
_MAX_RETRY_AFTER = 120.0
_MAX_REDIRECTS = 5
#: Bytes a second; an answer that comes slower than this is a stalled one.
_SLOWEST = 1024.0
_ERROR_BODY = 2000


class _Question(NamedTuple):
    """What is asked: the address, its name in messages, and whether nobody waits any more."""

    url: str
    what: str
    cancelled: threading.Event
    turn: _Turn


class _Turn:
    """One of the requests that may be under way, or wait to be tried again, at a time."""

    def __init__(self, turns: threading.Semaphore) -> None:
        self._turns = turns
        self._mine = False

    def take(self) -> None:
        self._turns.acquire()
        self._mine = True

    def give_back(self) -> None:
        if self._mine:
            self._mine = False
            self._turns.release()


class _KeyHeader(httpx.Auth):
    """Adds the key when the request is on its way, so that it is in no argument or default."""

    def __init__(self, key: Secret) -> None:
        self._key = key

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if self._key:
            request.headers["X-API-KEY"] = self._key.reveal()
        yield request


class Http:
    """GET requests to one endpoint, over one pool of connections, safe to use from threads.

    Parameters
    ----------
    endpoint, key
        Where to ask, and what to show there and nowhere else.
    timeout : float
        Seconds without a byte after which a server is given up.
    retries : int
        How often a failure that may pass is tried again.
    max_connections : int
        Size of the pool.
    max_response_bytes : int
        Largest body, after decompression.
    ca_bundle : str or None
        File or folder of certificates to trust in place of the usual ones.
    transport
        A replacement for the network.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        key: Secret,
        *,
        timeout: float,
        retries: int,
        max_connections: int,
        max_response_bytes: int,
        ca_bundle: str | None,
        transport: httpx.BaseTransport | None,
    ) -> None:
        self._endpoint = endpoint
        self._key = key
        self._timeout = timeout
        self._retries = retries
        self._limit = max_response_bytes
        # There may be more threads than this, which read one answer while others are on the way.
        self._turns = threading.BoundedSemaphore(max_connections)
        try:
            client = httpx.Client(
                auth=_KeyHeader(key),
                headers={
                    "Accept": "application/json",
                    # Within one machine, to compress and inflate takes longer than to copy.
                    "Accept-Encoding": "identity" if endpoint.is_loopback else "gzip",
                    "User-Agent": f"sims-analysis/{__version__}",
                },
                verify=_trusted(ca_bundle),
                trust_env=endpoint.may_use_proxies(),
                timeout=httpx.Timeout(timeout, connect=min(_CONNECT_TIMEOUT, timeout), pool=None),
                limits=httpx.Limits(
                    max_connections=max_connections, max_keepalive_connections=max_connections
                ),
                transport=transport,
            )
        except (ValueError, ImportError, httpx.InvalidURL) as error:
            raise ApiError(f"a proxy named in the environment cannot be used: {error}") from None
        self._client = client
        for pool in _pools(client):
            pool._network_backend = PatientBackend(pool._network_backend, timeout, _SLOWEST)
        # Who does not close the client leaves no open connections either.
        self.close = weakref.finalize(self, _shut, client, keep_out_of_logs(key))

    def get(
        self,
        url: str,
        read: Callable[[bytes], T],
        *,
        what: str,
        cancelled: threading.Event | None = None,
    ) -> T:
        """Ask for `url`, read the body, and try again where that may help.

        Parameters
        ----------
        url : str
            An address below the endpoint.
        read : callable
            Makes of the body what is wanted, or raises `PayloadError`.
        what : str
            What is asked for, as error messages call it.
        cancelled : threading.Event, optional
            Once set, waiting ends and no attempt follows.
        """
        cancelled = cancelled or threading.Event()
        turn = _Turn(self._turns)
        question = _Question(url, what, cancelled, turn)
        try:
            turn.take()
            return attempted(lambda: self._attempt(question, read), self._retries, cancelled)
        except Failure as failure:
            error = failure.error
        finally:
            turn.give_back()
        raise error.with_traceback(None)

    def _attempt(self, question: _Question, read: Callable[[bytes], T]) -> T:
        failure: BaseException
        if question.cancelled.is_set():
            raise Failure(ApiError(f"{question.what}: interrupted"))
        try:
            body, content_type = self._exchange(question)
        except httpx.TimeoutException as error:
            reason = str(error) if "stalls" in str(error) else type(error).__name__
            failure = Failure(
                RequestTimeout(
                    f"{question.what}: no answer within {self._timeout:g} s "
                    f"({reason}, {question.url}); try again, or raise timeout="
                ),
                again=True,
            )
        except (ApiError, PayloadError) as error:
            failure = Failure(error)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, UnicodeError) as error:
            failure = self._connection_failure(error, question)
        except KeyboardInterrupt:
            failure = KeyboardInterrupt()
        else:
            # The next may ask while this one reads.
            question.turn.give_back()
            try:
                return read(body)
            except PayloadError as error:
                question.turn.take()
                failure = self._payload_failure(error, body, content_type, question)
        raise failure

    def _exchange(self, question: _Question) -> tuple[bytes, str]:
        """Follow redirects within the origin, and give the body of the answer."""
        asked = question
        for _ in range(1 + _MAX_REDIRECTS):
            with self._client.stream("GET", asked.url) as response:
                if response.has_redirect_location:
                    asked = self._redirected(asked, response.headers["Location"])
                    continue
                if response.status_code != HTTPStatus.OK:
                    self._refuse(response, asked)
                return self._body(response, asked), response.headers.get("Content-Type", "")
        raise ApiError(f"{question.what}: more than {_MAX_REDIRECTS} redirects from {question.url}")

    def _redirected(self, question: _Question, location: str) -> _Question:
        try:
            target = urljoin(question.url, location)
            host = self._key.redact(urlsplit(target).netloc.rpartition("@")[2])
        except ValueError:
            target = host = ""
        if not self._endpoint.is_home(target):
            raise ApiError(
                f"{question.what}: {question.url} redirects to another origin, {host!r}, which "
                "gets neither the key nor a request; if that is the API, set endpoint= to it"
            )
        return question._replace(url=target)

    def _body(self, response: httpx.Response, question: _Question) -> bytes:
        """Read the body of a good answer, whole or not at all."""
        declared = response.headers.get("Content-Length", "")
        if not (declared.isdecimal() and int(declared) > self._limit):
            body = self._content(response, self._limit + 1, question)
            if len(body) <= self._limit:
                return body
        raise PayloadError(
            f"{question.what}: the answer is larger than max_response_bytes={self._limit} "
            f"({question.url})"
        )

    def _content(self, response: httpx.Response, limit: int, question: _Question) -> bytes:
        """Read a body up to a limit, which holds before and after decompression."""
        if response.is_stream_consumed:
            # By a transport that stands in for the network; httpx has decompressed it as well.
            return response.content[:limit]
        raw = self._raw(response, limit, question)
        encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding in {"identity", ""}:
            return raw
        if encoding not in {"gzip", "x-gzip"}:
            raise PayloadError(
                f"{question.what}: gzip was asked for, the answer is encoded as {encoding!r} "
                f"({question.url})"
            )
        # Not by httpx, which decompresses whatever arrives before it can be measured.
        inflate = zlib.decompressobj(wbits=31)
        try:
            content = inflate.decompress(raw, limit)
            whole = inflate.eof and not inflate.unused_data
        except zlib.error:
            content, whole = b"", False
        if not whole and len(raw) < limit and len(content) < limit:
            error = f"{question.what}: the compressed answer is damaged ({question.url})"
            raise Failure(ConnectionFailed(error), again=True)
        return content

    def _raw(self, response: httpx.Response, limit: int, question: _Question) -> bytes:
        """Read a body as sent, as far as anybody waits for it."""
        chunks, size = [], 0
        for chunk in response.iter_raw():
            chunks.append(chunk)
            size += len(chunk)
            if size >= limit or question.cancelled.is_set():
                break
        raw = b"".join(chunks)
        return raw if size <= limit else raw[:limit]

    def _refuse(self, response: httpx.Response, question: _Question) -> NoReturn:
        """Raise what an HTTP status other than 200 means."""
        status = response.status_code
        url = question.url
        body = self._key.redact(
            self._content(response, _ERROR_BODY, question).decode(errors="replace")
        )
        # Without what a terminal would obey.
        phrase = repr(self._key.redact(response.reason_phrase))[1:-1]
        message = f"{question.what}: HTTP {status} {phrase} from {url}"
        said = " ".join(body.split())[:200]
        if said and "html" not in response.headers.get("Content-Type", ""):
            message += f", which says {said!r}"
        error: StatusError
        retry_after = asked_to_wait(response.headers.get("Retry-After"))
        if status in {401, 403}:
            advice = "the key is not accepted here" if self._key else "no key was sent"
            message += f"; {advice}: pass api_key= or set AS_API_KEY"
            error = Unauthorized(message, status_code=status, url=url, body=body)
        elif status in {404, 422}:
            message += "; look for what there is with client.search()"
            error = NotFound(message, status_code=status, url=url, body=body)
        elif status == HTTPStatus.TOO_MANY_REQUESTS:
            message += "; ask less often, or with fewer max_connections"
            error = RateLimited(
                message, status_code=status, url=url, body=body, retry_after=retry_after
            )
        else:
            error = StatusError(message, status_code=status, url=url, body=body)
        # Who is asked for more patience than this is told so; no process sleeps for an hour.
        patience = retry_after or 0.0
        again = status in _RETRIED and patience <= _MAX_RETRY_AFTER
        raise Failure(error, again=again, after=patience)

    def _connection_failure(self, error: Exception, question: _Question) -> Failure:
        what, url = question.what, question.url
        reason = self._key.redact(str(error)) or type(error).__name__
        if "CERTIFICATE_VERIFY_FAILED" in reason:
            return Failure(
                ConnectionFailed(
                    f"{what}: the certificate of {url} is not trusted ({reason}); "
                    "pass ca_bundle= if the server has one of its own"
                )
            )
        if isinstance(error, httpx.NetworkError | httpx.RemoteProtocolError | httpx.ProxyError):
            return Failure(
                ConnectionFailed(
                    f"{what}: the connection failed ({reason}, {url}); "
                    "check the network and the endpoint, then try again"
                ),
                again=True,
            )
        # Others may quote the request, and with it the key.
        name = type(error).__name__
        return Failure(ApiError(f"{what}: the request could not be made ({name}, {url})"))

    def _payload_failure(
        self, error: PayloadError, body: bytes, content_type: str, question: _Question
    ) -> Failure:
        what, url = question.what, question.url
        if "html" in content_type.lower():
            message = f"{what}: {url} answered with a web page, not JSON; check the endpoint"
            return Failure(PayloadError(message))
        reason = self._key.redact(str(error.args[0]))
        path = self._key.redact(error.path)
        try:
            decode(body)
            again = False
        except PayloadError:
            # Cut off or garbled on the way, perhaps.
            again = True
        return Failure(PayloadError(f"{what}: {reason} ({url})", path), again=again)


def _pools(client: httpx.Client) -> list[Any]:
    """Give the pools of connections, direct and by proxy; a transport for tests has none.

    There is no public way to them that leaves the proxies of the environment to httpx.
    """
    transports = (client._transport, *client._mounts.values())
    pools = (getattr(transport, "_pool", None) for transport in transports)
    return [pool for pool in pools if hasattr(pool, "_network_backend")]


def _shut(client: httpx.Client, end_redaction: Callable[[], None]) -> None:
    client.close()
    end_redaction()


def _trusted(ca_bundle: str | None) -> ssl.SSLContext | bool:
    if ca_bundle is None:
        return True
    folder = Path(ca_bundle).is_dir()
    try:
        return ssl.create_default_context(
            cafile=None if folder else ca_bundle, capath=ca_bundle if folder else None
        )
    except OSError as error:
        raise ApiError(f"ca_bundle={ca_bundle!r} cannot be read: {error}") from None
