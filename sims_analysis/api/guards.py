"""What the HTTP libraries leave to their callers: patience that ends, and logs without the key."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import httpcore

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from sims_analysis.api.endpoint import Secret

#: At DEBUG these log the headers of an answer, in which a server may repeat what it was sent.
_LOGGERS = ("httpx", "httpcore.http11", "httpcore.http2", "httpcore.connection", "httpcore.proxy")


#: Bytes that are taken from a connection at once, if they are there. Every piece of a body passes
#: through half a dozen layers, whatever its size.
_AT_ONCE = 1 << 18


class PatientBackend(httpcore.NetworkBackend):
    """Opens connections whose patience ends: see `PatientStream`.

    Parameters
    ----------
    inner : httpcore.NetworkBackend
        Opens the connections.
    seconds : float
        How long a server may be slow.
    slowest : float
        Bytes a second.
    """

    def __init__(self, inner: httpcore.NetworkBackend, seconds: float, slowest: float) -> None:
        self._inner = inner
        self._seconds = seconds
        self._slowest = slowest

    def connect_tcp(self, *args: Any, **options: Any) -> httpcore.NetworkStream:
        """Open a connection."""
        stream = self._inner.connect_tcp(*args, **options)
        return PatientStream(stream, self._seconds, self._slowest)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self._inner.sleep(seconds)


class PatientStream(httpcore.NetworkStream):
    """Gives up a server that drips, in headers or body.

    The timeout of a socket begins anew with every byte, so that a byte now and then would keep a
    client waiting for ever. From the first byte of an answer on, what arrives in each stretch of
    time must come faster than `slowest`; how long that byte takes is for the timeout.
    """

    def __init__(self, inner: httpcore.NetworkStream, seconds: float, slowest: float) -> None:
        self._inner = inner
        self._seconds = seconds
        self._slowest = slowest
        self._began: float | None = None
        self._received = 0

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what there is, unless it comes too slowly."""
        if self._began is not None:
            elapsed = time.monotonic() - self._began
            if elapsed > self._seconds:
                if self._received < self._slowest * elapsed:
                    raise httpcore.ReadTimeout(
                        f"{self._received} bytes in {elapsed:.0f} s, the server stalls"
                    )
                # A new stretch: a fast beginning is no credit for what follows.
                self._began = None
        data = self._inner.read(max(max_bytes, _AT_ONCE), timeout)
        if self._began is None:
            self._began = time.monotonic()
            self._received = 0
        self._received += len(data)
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send; the next answer is measured anew."""
        self._began = None
        self._inner.write(buffer, timeout)

    def close(self) -> None:
        """Close the connection."""
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        """Go on with TLS, as patient as before."""
        stream = self._inner.start_tls(ssl_context, server_hostname, timeout)
        return PatientStream(stream, self._seconds, self._slowest)

    def get_extra_info(self, info: str) -> Any:
        """Tell what the connection tells."""
        return self._inner.get_extra_info(info)


class _Redaction(logging.Filter):
    """Removes the key from what is logged."""

    def __init__(self, key: Secret) -> None:
        super().__init__()
        self._key = key

    def filter(self, record: logging.LogRecord) -> bool:
        said = record.getMessage()
        clean = self._key.redact(said)
        if clean != said:
            record.msg, record.args = clean, ()
        return True


def keep_out_of_logs(key: Secret) -> Callable[[], None]:
    """Remove a key from the logs of the HTTP libraries, until what is returned is called."""
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
        return float(header)
    try:
        moment = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
