"""What the HTTP libraries leave to their callers: deadlines, attempts, logs without the key."""

from __future__ import annotations

import logging
import math
import time
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, TypeVar

import httpcore
import tenacity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sims_analysis.api.parallel import Batch
    from sims_analysis.api.secret import Secret

#: At DEBUG these log the headers of an answer, in which a server may repeat what it was sent.
_LOGGERS = ("httpx", "httpcore.http11", "httpcore.http2", "httpcore.connection", "httpcore.proxy")
#: Bytes that are taken from a connection at once, if they are there. Every piece of a body passes
#: through half a dozen layers, whatever its size.
_AT_ONCE = 1 << 18

#: A server that asks for more is not at its senses; a client must not be silenced for ever.
_LONGEST_WAIT = 3600.0

#: Full jitter: clients that failed together must not come back together.
_BACKOFF = tenacity.wait_random_exponential(multiplier=0.5, max=8.0)

T = TypeVar("T")

_log = logging.getLogger("sims_analysis.api")
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

    def start_tls(self, ssl_context: Any, server_hostname: Any = None, timeout: Any = None) -> Any:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, _left(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def keep_out_of_logs(key: Secret) -> Callable[[], None]:
    """Keep what holds a key out of the logs of HTTP libraries, until what is returned is called."""

    def is_clean(record: logging.LogRecord) -> bool:
        return not key.tells(record.getMessage())

    for name in _LOGGERS:
        logging.getLogger(name).addFilter(is_clean)

    def end() -> None:
        for name in _LOGGERS:
            logging.getLogger(name).removeFilter(is_clean)

    return end


def asked_to_wait(header: str | None) -> float | None:
    """Read ``Retry-After``: seconds, or a date."""
    if header is None:
        return None
    try:
        if header.strip().isdecimal():
            return min(float(header), _LONGEST_WAIT)
        moment = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(0.0, (moment - datetime.now(UTC)).total_seconds()), _LONGEST_WAIT)


class Failure(Exception):
    """Carries an error out of an attempt, and whether another attempt may help."""

    def __init__(self, error: Exception, *, again: bool = False, after: float = 0.0) -> None:
        super().__init__(error)
        self.error = error
        self.again = again
        self.after = after


def attempted(attempt: Callable[[], T], retries: int, end: float, batch: Batch) -> T:
    """Call, and call again where that may help."""
    # Most requests have no need of what is set up for a second one.
    try:
        return attempt()
    except Failure as failure:
        if not failure.again:
            raise
        first = [failure]
    counted = 0

    def one_more() -> T:
        if first:
            raise first.pop()
        return attempt()

    def enough(state: tenacity.RetryCallState) -> bool:
        nonlocal counted
        counted += not _failure(state).after
        return counted > retries or time.monotonic() + state.upcoming_sleep >= end

    def told(state: tenacity.RetryCallState) -> None:
        _log.info("%s; trying again in %.1f s", _failure(state).error, state.upcoming_sleep)

    attempts = tenacity.Retrying(
        retry=tenacity.retry_if_exception(lambda error: isinstance(error, Failure) and error.again),
        stop=enough,
        # As long as the server asked, and a random time on top.
        wait=lambda state: _failure(state).after + _BACKOFF(state),
        sleep=tenacity.sleep_using_event(batch.cancelled),
        before_sleep=told,
        reraise=True,
    )
    return attempts(one_more)


def _failure(state: tenacity.RetryCallState) -> Failure:
    error = state.outcome.exception() if state.outcome else None
    return error if isinstance(error, Failure) else Failure(RuntimeError())
