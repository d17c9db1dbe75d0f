"""What the HTTP libraries leave to their callers: deadlines, and logs without the key."""

from __future__ import annotations

import logging
import math
import time
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import httpcore

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator

    from sims_analysis.api.secret import Secret

#: At DEBUG these log the headers of an answer, in which a server may repeat what it was sent.
_LOGGERS = ("httpx", "httpcore.http11", "httpcore.http2", "httpcore.connection", "httpcore.proxy")
#: Bytes that are taken from a connection at once, if they are there. Every piece of a body passes
#: through half a dozen layers, whatever its size.
_AT_ONCE = 1 << 18

#: A server that asks for more is not at its senses; a client must not be silenced for ever.
_LONGEST_WAIT = 3600.0

_end: ContextVar[float] = ContextVar("_end", default=math.inf)


@contextmanager
def until(end: float) -> Iterator[None]:
    """Let nothing that this thread does on a connection last longer than to a moment.

    The timeout of a socket begins anew with every byte, so that a byte now and then, in headers
    or body, would keep a client waiting for ever.
    """
    token = _end.set(end)
    try:
        yield
    finally:
        _end.reset(token)


def _left(timeout: float | None) -> float | None:
    left = _end.get() - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the deadline has passed")
    return timeout if left == math.inf else min(left, timeout or left)


class PunctualBackend(httpcore.SyncBackend):
    """Opens connections that keep to :func:`until`."""

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, *args: Any, **options: Any
    ) -> httpcore.NetworkStream:
        """Open a connection."""
        return _Stream(super().connect_tcp(host, port, _left(timeout), *args, **options))


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max(max_bytes, _AT_ONCE), _left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _left(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, _left(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Redaction(logging.Filter):
    """Keeps what holds the key out of the log."""

    def __init__(self, key: Secret) -> None:
        super().__init__()
        self._key = key

    def filter(self, record: logging.LogRecord) -> bool:
        said = record.getMessage()
        if self._key.tells(said):
            record.msg, record.args = self._key.shown(said), ()
        return True


def keep_out_of_logs(key: Secret) -> Callable[[], None]:
    """Keep a key out of the logs of the HTTP libraries, until what is returned is called."""
    redaction = _Redaction(key)
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(redaction)

    def end() -> None:
        for name in _LOGGERS:
            logging.getLogger(name).removeFilter(redaction)

    return end


def asked_to_wait(header: str | None) -> float | None:
    """Read ``Retry-After``: seconds, or a date."""
    if header is None:
        return None
    if header.strip().isdecimal():
        return min(float(header), _LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max(0.0, (moment - datetime.now(UTC)).total_seconds()), _LONGEST_WAIT)
