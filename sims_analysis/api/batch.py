"""Requests, and what those of one batch know of each other."""

from __future__ import annotations

import copy
import math
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sims_analysis.errors import ApiError, SimsError, SimsWarning, warn

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Requests in a row that get no answer at all: that is no matter of the entry.
_STRIKES = 2


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Parameters
    ----------
    url : str
        Its address.
    what : str
        Its name in messages.
    headers : mapping
        The server's marks of what is known already, if only a change is of interest.
    """

    url: str
    what: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def message(self, text: str) -> str:
        """Return a message about this request."""
        return f"{self.what}: {text} ({self.url})"


class Batch:
    """Requests that belong together: what happens to one may make the others pointless.

    No further request is sent after a key that was refused (:meth:`failed`). Waits end as well,
    and what is under way is given up, when nobody waits for it any more (:meth:`cancel`) or when
    the server answers nobody (:meth:`failed`).

    Parameters
    ----------
    deadline : float
        Seconds for each request, with all its attempts.
    """

    def __init__(self, deadline: float = math.inf) -> None:
        self._deadline = deadline
        self._lock = threading.Lock()
        self._cancelled = threading.Event()
        self._ended: SimsError | None = None
        self._strikes = 0
        self._warned: set[str] = set()

    @property
    def is_cancelled(self) -> bool:
        """Whether nobody waits any more."""
        return self._cancelled.is_set()

    @property
    def is_over(self) -> bool:
        """Whether no further request is sent."""
        return self._ended is not None or self._cancelled.is_set()

    def cancel(self) -> None:
        """Let waits end, and no request follow."""
        self._cancelled.set()

    def sleep(self, seconds: float) -> None:
        """Wait, but no longer than anybody waits for the batch."""
        self._cancelled.wait(seconds)

    def exchange(self, request: Request) -> Exchange:
        """Prepare to send a request."""
        return Exchange(request, self, self._deadline)

    def retries(self, wanted: int) -> int:
        """Return how often a request is sent again: not at all, after one without an answer."""
        return 0 if self._strikes else wanted

    def answered(self) -> None:
        """Note that the server has answered."""
        with self._lock:
            self._strikes = 0

    def failed(self, error: Exception, *, refused: bool, unanswered: bool) -> None:
        """Note that a request has failed: the key was refused, or the server answered nobody."""
        if not isinstance(error, ApiError):
            return
        with self._lock:
            if refused:
                self._ended = self._ended or error
            elif unanswered:
                self._strikes += 1
                if self._strikes >= _STRIKES and self._ended is None:
                    self._ended = error
                    self._cancelled.set()

    def unasked(self, what: str) -> SimsError:
        """Return the reason why something was not asked for: of the kind that ended the batch."""
        if self._ended is None:
            return ApiError(f"{what}: interrupted")
        error = copy.copy(self._ended)
        error.args = (f"{what}: not asked after what another met: {self._ended}", *error.args[1:])
        return error

    def warn_once(self, kind: str, message: str) -> None:
        """Warn of what may happen to every request of the batch, the first time."""
        with self._lock:
            is_first = kind not in self._warned
            self._warned.add(kind)
        if is_first:
            warn(message, SimsWarning)


class Exchange:
    """A request that is sent, perhaps several times, and the clock that runs meanwhile."""

    def __init__(self, request: Request, batch: Batch, deadline: float) -> None:
        self.request = request
        self.batch = batch
        #: When it was sent first, and when it is given up.
        self.began = time.monotonic()
        self._end = self.began + deadline

    @property
    def left(self) -> float:
        """Seconds until it is given up."""
        return self._end - time.monotonic()

    @property
    def is_late(self) -> bool:
        """Whether it is to be given up."""
        return self.left <= 0

    def check(self) -> None:
        """Raise if nobody waits for the answer any more, or the time for it is over."""
        if self.batch.is_cancelled:
            raise Failure(self.batch.unasked(self.request.what))
        if self.is_late:
            raise Overdue("the deadline has passed")


class Overdue(Exception):
    """The time for an exchange is over."""


class Failure(Exception):
    """Carries an error out of an attempt, and whether another attempt may help."""

    def __init__(self, error: Exception, *, again: bool = False, after: float = 0.0) -> None:
        super().__init__(error)
        self.error = error
        self.again = again
        self.after = after
