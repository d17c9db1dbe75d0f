"""Requests over HTTP: the only module that imports httpx.

Failures become errors of this library. They are raised where no frame of their traceback or context
holds the request or the response, because those contain the key.
"""

from __future__ import annotations

import os
import ssl
import weakref
from collections.abc import Callable, Iterator
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple, NoReturn, TypeVar
from urllib.parse import urljoin, urlsplit

import httpx

from sims_analysis._version import __version__
from sims_analysis.api.endpoint import Endpoint
from sims_analysis.api.requests import Failure, Options, Request
from sims_analysis.api.retries import Server, keep_out_of_logs, requested_wait, with_retries
from sims_analysis.api.secret import Secret
from sims_analysis.errors import (
    ApiError,
    ConnectionFailed,
    NotFound,
    Parts,
    PayloadError,
    RateLimited,
    RequestTimeout,
    SimsError,
    StatusError,
    Unauthorized,
)
from sims_analysis.text.escapes import visible

T = TypeVar("T")

_RETRIED = {408, 425, 429, 500, 502, 503, 504}
#: Statuses of a gateway in place of a server that does not respond.
_NO_ANSWER = {408, 425, 429, 502, 503, 504}
_MEANING: dict[int, tuple[type[StatusError], str]] = {
    401: (Unauthorized, "pass api_key= or set AS_API_KEY"),
    403: (Unauthorized, "pass api_key= or set AS_API_KEY, or leave out what it may not see"),
    404: (NotFound, "look for what there is with client.search()"),
    422: (NotFound, "look for what there is with client.search()"),
    429: (RateLimited, "ask less often, or with a smaller max_connections="),
}
_CONNECT_TIMEOUT = 5.0
_MAX_REDIRECTS = 5
_ERROR_BODY = 2000
#: Failures that may pass, and others.
_FAILURES = (httpx.NetworkError, httpx.RemoteProtocolError, httpx.ProxyError)
_OTHERS = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, UnicodeError)


class Reply(NamedTuple):
    """The response of a server: a body and its headers, or that nothing has changed."""

    body: bytes
    content_type: str = ""
    etag: str | None = None
    last_modified: str | None = None
    unchanged: bool = False


class Http:
    """GET requests to one endpoint, over one pool of connections, safe to use from threads."""

    def __init__(self, endpoint: Endpoint, key: Secret, options: Options) -> None:
        self._endpoint = endpoint
        self._key = key
        self._options = options
        self._server = Server()
        self._client = _client(endpoint, key, options)
        # A client that is not closed leaves no open connections either. A forked process that ends
        # does not close those of its parent.
        self.close = weakref.finalize(self, _close_client, self._client, keep_out_of_logs(key))
        self.close.atexit = False

    def get(self, request: Request, read: Callable[[Reply], T]) -> T:
        """Send a request, with retries where they may help; `read` decodes or refuses it."""
        batch = request.batch
        attempt = partial(self._attempt, request, read)
        try:
            return with_retries(attempt, batch.retries(self._options.retries), request)
        except Failure as failure:
            error = failure.error
            # Later on, a 403 is about the entry rather than the key.
            refused = isinstance(error, Unauthorized) and not (
                error.status_code == HTTPStatus.FORBIDDEN and self._server.accepts_key
            )
            unanswered = failure.retryable and batch.last_answer < request.began
            batch.failed(error, refused=refused, unanswered=unanswered)
        raise error.with_traceback(None)

    def _attempt(self, request: Request, read: Callable[[Reply], T]) -> T:
        self._server.wait(request)
        outcome = self._outcome(request)
        if not isinstance(outcome, Reply):
            raise outcome
        try:
            return read(outcome)
        except PayloadError as error:
            failure = self._payload_failure(error, outcome, request)
        raise failure

    def _outcome(self, request: Request) -> Reply | BaseException:
        """Send a request once; an error is returned, to be raised where no frame holds the key."""
        if request.batch.is_over:
            return Failure(request.batch.not_requested(request.what))
        try:
            return self._answer(request)
        except KeyboardInterrupt:
            return KeyboardInterrupt()
        except Exception as error:  # noqa: BLE001 - other errors than those of HTTP are returned too
            if not self.close.alive:
                text = "the client was closed in the meantime; make a new one"
                return Failure(ApiError(request.message(text), code="closed"))
            return self._failure_of(error, request)

    def _failure_of(self, error: Exception, request: Request) -> Exception:
        """Turn a failure of HTTP into an error of this library; a bug stays as it is."""
        reason = type(error).__name__
        detail = self._key.shown(str(error)) or reason
        kind: type[SimsError] = ConnectionFailed
        retryable, parts = True, Parts()
        if isinstance(error, Failure):
            return error
        if isinstance(error, httpx.TimeoutException) and request.left <= 0:
            text = f"no complete response within {self._options.deadline:g} s ({reason})"
            return Failure(request.timed_out(text, "deadline"), retryable=True)
        if isinstance(error, httpx.ConnectTimeout):
            kind = RequestTimeout
            text = f"no connection ({reason}); check the network and the endpoint"
        elif isinstance(error, httpx.TimeoutException):
            text = f"no response within {self._options.timeout:g} s ({reason})"
            return Failure(request.timed_out(text, "timeout"), retryable=True)
        elif isinstance(error, httpx.DecodingError):
            text = "the compressed response is corrupt"
        elif "CERTIFICATE_VERIFY_FAILED" in detail:
            text, retryable = f"the certificate is not trusted ({detail})", False
            parts = {"argument": "ca_bundle", "code": "untrusted_certificate"}
            parts["remedy"] = "pass ca_bundle= if it is signed by a private authority"
        elif isinstance(error, _FAILURES):
            text = f"the connection failed ({detail}); check the network and the endpoint"
        elif isinstance(error, _OTHERS):
            # They may quote the request, and with it the key.
            kind, text, retryable = ApiError, f"the request could not be made ({reason})", False
        else:
            return error
        return Failure(kind(request.message(text), **parts), retryable=retryable)

    def _answer(self, request: Request) -> Reply:
        """Follow redirects within the origin, and return the response."""
        target = request.url
        for _ in range(1 + _MAX_REDIRECTS):
            request.check()
            limit = min(self._options.timeout, request.left)
            connect = min(_CONNECT_TIMEOUT, limit)
            with self._client.stream(
                "GET",
                target,
                headers=request.headers,
                timeout=httpx.Timeout(limit, connect=connect, pool=None),
            ) as response:
                if response.has_redirect_location:
                    target = self._redirect(request, target, response.headers["Location"])
                    continue
                return self._receive(response, request)
        raise Failure(
            ApiError(request.message(f"more than {_MAX_REDIRECTS} redirects"), code="redirected")
        )

    def _receive(self, response: httpx.Response, request: Request) -> Reply:
        """Read a response, whole or not at all."""
        status, headers = response.status_code, response.headers
        if status not in _NO_ANSWER | {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            request.batch.answered()
        if status in {HTTPStatus.OK, HTTPStatus.NOT_MODIFIED}:
            self._server.accepts_key = True
        if status == HTTPStatus.NOT_MODIFIED and request.headers:
            return Reply(b"", unchanged=True)
        if status != HTTPStatus.OK:
            self._refuse(response, request)
        body = b"".join(self._content(response, request))
        if self._key.is_in(body):
            text = "the response contains the API key; it is neither shown nor kept"
            raise Failure(
                PayloadError(
                    request.message(f"{text}; tell those who run the server"), code="exposed_key"
                )
            )
        values = [headers.get(name) for name in ("ETag", "Last-Modified")]
        etag, modified = (None if self._key.is_in(text or "") else text for text in values)
        return Reply(body, headers.get("Content-Type", ""), etag, modified)

    def _redirect(self, request: Request, origin: str, location: str) -> str:
        try:
            target = urljoin(origin, location)
            host = urlsplit(target).netloc.rpartition("@")[2]
        except ValueError:
            target = host = ""
        if not self._endpoint.is_own_server(target):
            error = ApiError(
                f"{request.what}: {request.url} redirects to another origin, "
                f"'{self._key.shown(host)}', which gets neither the key nor a request",
                code="redirected",
                argument="endpoint",
                remedy="if that is the API, set endpoint= to it",
            )
            raise Failure(error)
        return target

    def _content(self, response: httpx.Response, request: Request) -> Iterator[bytes]:
        """Read a body in pieces, up to a limit that holds after decompression."""
        encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding not in {"identity", "", "gzip"}:
            text = f"gzip was asked for, the response is encoded as '{self._key.shown(encoding)}'"
            raise Failure(PayloadError(request.message(text)))
        size, limit = 0, self._options.max_response_bytes
        for piece in response.iter_bytes():
            if response.status_code not in _NO_ANSWER:
                request.batch.answered()
            request.check()
            size += len(piece)
            if size > limit:
                error = PayloadError(
                    request.message(f"the response is larger than {limit} bytes"),
                    code="too_large",
                    argument="max_response_bytes",
                    remedy="raise max_response_bytes= to accept it",
                )
                raise Failure(error)
            yield piece

    def _refuse(self, response: httpx.Response, request: Request) -> NoReturn:
        """Raise the error of an HTTP status other than 200."""
        status = response.status_code
        body = b""
        for piece in self._content(response, request):
            body += piece
            if len(body) > 2 * _ERROR_BODY:  # more than is shown, so that no key is cut off
                break
        text = body.decode(errors="replace")
        text = self._key.shown(text) if self._key.is_in(text) else text[:_ERROR_BODY]
        phrase = self._key.shown(response.reason_phrase)
        message = f"{request.what}: HTTP {status} {phrase} from {request.url}"
        shown = " ".join(text.split())[:200]
        if shown and "html" not in response.headers.get("Content-Type", ""):
            message += f", which says '{visible(shown)}'"
        kind, advice = _MEANING.get(status, (StatusError, ""))
        if status == HTTPStatus.FORBIDDEN and self._server.accepts_key:
            message, advice = f"{message}; this key may not see it", ""
        elif kind is Unauthorized:
            message += "; the key is not accepted here" if self._key else "; no key was sent"
        error = kind(message, status_code=status, url=request.url, body=text, remedy=advice)
        wait = requested_wait(response.headers.get("Retry-After"))
        if isinstance(error, RateLimited):
            error.retry_after = wait
        retryable = status in _RETRIED
        if retryable and wait:
            self._server.pause(wait, request)
        raise Failure(error, retryable=retryable, after=wait or 0.0)

    def _payload_failure(self, error: PayloadError, reply: Reply, request: Request) -> Failure:
        if "html" in reply.content_type.lower():
            text = "the response is a web page, not JSON; check the endpoint"
            return Failure(PayloadError(request.message(text), code="invalid_json"))
        reason = self._key.shown(str(error.args[0]))
        # A response that is not JSON may have been cut off or garbled in transit.
        retryable = error.code == "invalid_json"
        masked = type(error)(request.message(reason), self._key.shown(error.path))
        masked.add(code=error.code, argument=error.argument, remedy=error.remedy)
        return Failure(masked, retryable=retryable)


def _client(endpoint: Endpoint, key: Secret, options: Options) -> httpx.Client:
    def with_key(request: httpx.Request) -> httpx.Request:
        # Added as it is sent, so that the key is in no argument or default.
        request.headers.update({"X-API-KEY": key.reveal()} if key else {})
        return request

    try:
        return httpx.Client(
            auth=with_key,
            headers={
                "Accept": "application/json",
                # Within one machine, to compress and inflate takes longer than to copy.
                "Accept-Encoding": "identity" if endpoint.is_loopback else "gzip",
                "User-Agent": f"sims-analysis/{__version__}",
            },
            verify=True if options.ca_bundle is None else trusted_certificates(options.ca_bundle),
            limits=httpx.Limits(max_connections=options.max_connections),
            # A proxy would read requests to this machine.
            trust_env=not endpoint.is_loopback,
            transport=options.transport,
        )
    except (ValueError, ImportError, httpx.InvalidURL) as error:
        name = type(error).__name__  # the address may hold a password
        text = f"a proxy named in the environment cannot be used ({name})"
        raise ApiError(text, code="unusable_proxy") from None


def _close_client(client: httpx.Client, end_redaction: Callable[[], None]) -> None:
    client.close()
    end_redaction()


def trusted_certificates(ca_bundle: str | os.PathLike[str]) -> ssl.SSLContext:
    """Return a context that trusts the certificates in a file or folder."""
    folder = Path(ca_bundle).is_dir()
    try:
        return ssl.create_default_context(
            cafile=None if folder else ca_bundle, capath=ca_bundle if folder else None
        )
    except OSError as error:
        text = f"ca_bundle={os.fspath(ca_bundle)!r} cannot be read: {error}"
        raise ApiError(text, argument="ca_bundle") from None
