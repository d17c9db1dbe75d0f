"""Connections of the server that end: with a reader who does not read, and with the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio

#: Seconds that a reader may take for a piece of an answer.
WRITE_TIMEOUT = 20.0
#: Seconds for which answers under way are waited for when the server is told to end.
GRACE = 2


class TimelyProtocol(H11Protocol):
    """HTTP that cuts off a reader who does not take within some seconds what was sent to him."""

    _giving_up: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin; whatever the system cannot send at once counts as not taken."""
        super().connection_made(transport)
        # Not 0, at which transports with TLS pause with nothing to send, and never go on.
        transport.set_write_buffer_limits(high=1)

    def pause_writing(self) -> None:
        """Wait for the reader, for some time."""
        super().pause_writing()
        self._giving_up = self.loop.call_later(WRITE_TIMEOUT, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on."""
        self._end_of_wait()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._end_of_wait()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """End, and cut off who does not take in time what is under way to him."""
        super().shutdown()
        self.loop.call_later(GRACE, self.transport.abort)

    def _end_of_wait(self) -> None:
        if self._giving_up is not None:
            self._giving_up.cancel()
            self._giving_up = None
