"""Connections of the server: one on which a request does not arrive in full is closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio

#: Seconds for a whole request to arrive.
REQUEST_TIMEOUT = 20.0


class LimitedProtocol(H11Protocol):
    """HTTP with one timer, which runs while a request arrives."""

    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Start the timer."""
        super().connection_made(transport)
        self._timer = self.loop.call_later(REQUEST_TIMEOUT, transport.abort)

    def data_received(self, data: bytes) -> None:
        """Receive a part of a request; the timer runs until the request is complete."""
        super().data_received(data)
        if self.cycle is None or self.cycle.response_complete:
            self._timer = self._timer or self.loop.call_later(REQUEST_TIMEOUT, self.transport.abort)
        elif not self.cycle.more_body:
            self._stop_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timer."""
        self._stop_timer()
        super().connection_lost(exc)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
