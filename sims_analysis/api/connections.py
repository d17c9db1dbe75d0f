"""Connections of the server: they end when nothing goes on, and with the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio

#: Seconds for a whole request to arrive, and for a piece of an answer to be taken.
PATIENCE = 20.0
#: Seconds for answers under way when the server ends.
GRACE = 2


class LimitedProtocol(H11Protocol):
    """HTTP that closes a connection of which the other end does nothing.

    One timer runs while a request arrives, and while a piece of an answer waits to be taken.
    """

    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin; whatever the system cannot send at once counts as not taken."""
        super().connection_made(transport)
        # Not 0, at which transports with TLS pause with nothing to send, and never go on.
        transport.set_write_buffer_limits(high=1)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Take what has arrived of a request; the timer goes on until that is all of it."""
        super().data_received(data)
        if self.cycle is None or self.cycle.response_complete:
            self._wait()
        elif not self.cycle.more_body and not self.flow.write_paused:
            self._go_on()

    def pause_writing(self) -> None:
        """Wait for the reader."""
        super().pause_writing()
        self._wait()

    def resume_writing(self) -> None:
        """Write on."""
        self._go_on()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._go_on()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """End, and cut off who does not take in time what is under way to him."""
        super().shutdown()
        self.loop.call_later(GRACE, self.transport.abort)

    def _wait(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(PATIENCE, self.transport.abort)

    def _go_on(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
