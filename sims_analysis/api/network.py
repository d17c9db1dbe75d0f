"""Connections that keep a deadline: name lookup, addresses, handshake, every read and write."""

from __future__ import annotations

import math
import socket
import threading
import time
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import httpcore

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Bytes that are taken from a connection at once, if they are there. Every piece of a body passes
#: through half a dozen layers, whatever its size.
_AT_ONCE = 1 << 18
#: Seconds that every system can wait at a time; some count milliseconds in 32 bits.
_LONGEST = 1e6
#: Seconds after which a wait looks whether it is still wanted, and an interrupt is noticed.
_GLANCE = 0.2

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


def _left(timeout: float | None) -> float:
    left = _end.get() - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the deadline has passed")
    return min(left, timeout or _LONGEST, _LONGEST)


class PunctualBackend(httpcore.SyncBackend):
    """Opens connections that keep to :func:`until`.

    Parameters
    ----------
    patience : float
        Seconds for the lookup of a name.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, *args: Any, **options: Any
    ) -> httpcore.NetworkStream:
        """Connect to one of the addresses of a host; they share the time for all of them."""
        addresses = _looked_up(host, port, _left(self._patience))
        seconds = _left(timeout)
        end = time.monotonic() + seconds
        reason: Exception = httpcore.ConnectError(f"{host} has no address")
        for tried, address in enumerate(addresses):
            share = (end - time.monotonic()) / (len(addresses) - tried)
            try:
                stream = super().connect_tcp(address, port, max(share, 0.001), *args, **options)
            except httpcore.ConnectError as error:
                reason = error
            except httpcore.ConnectTimeout:
                reason = httpcore.ConnectTimeout(
                    f"no address of {host} answers within {seconds:.3g} s"
                )
            else:
                return _Stream(stream)
        raise reason


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


def _looked_up(host: str, port: int, seconds: float) -> list[str]:
    """Look up the addresses of a host, in a thread of its own.

    The system cannot be asked with a timeout, or interrupted: a name server that does not answer
    holds the thread that waits for it, which is left behind then.
    """
    found: Future[list[str]] = Future()

    def look_up() -> None:
        numeric = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV
        try:
            known = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.set_result([socket.getnameinfo(address, numeric)[0] for *_, address in known])
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
            found.set_exception(error)

    end = time.monotonic() + seconds
    threading.Thread(target=look_up, name="sims-analysis-lookup", daemon=True).start()
    # In pieces: some systems do not interrupt a wait.
    while not found.done() and (left := end - time.monotonic()) > 0:
        wait_for([found], min(left, _GLANCE))
    if not found.done():
        raise httpcore.ConnectTimeout(f"looking up {host} takes more than {seconds:.3g} s")
    try:
        return found.result()
    except OSError as error:
        raise httpcore.ConnectError(f"{host}: {error.strerror or error}") from None
