"""Requests: the options of a client, and the state that the requests of a batch share."""

from __future__ import annotations

import math
import os
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Unpack

from sims_analysis.errors import ApiError, Parts, RequestTimeout, SimsError, SimsWarning, warn

#: The least value of each numeric option; counts are whole numbers.
LEAST: dict[str, float] = {
    "timeout": 0.001,
    "deadline": 0.001,
    "retries": 0,
    "max_connections": 1,
    "max_response_bytes": 1,
}
#: Number of requests in a row without a response that ends a batch: the entry is not the reason.
_MOST_UNANSWERED = 2


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of a client: parameters of :class:`sims_analysis.Client` of the same names."""

    offline: bool
    timeout: float
    deadline: float
    retries: int
    max_connections: int
    max_response_bytes: int
    progress: bool | None
    ca_bundle: str | os.PathLike[str] | None
    transport: Any

    def __post_init__(self) -> None:
        for name, least in LEAST.items():
            value = getattr(self, name)
            kind = type(least)
            fits = isinstance(value, int | kind) and not isinstance(value, bool)
            if not (fits and least <= value < sys.float_info.max):
                noun = "whole number" if kind is int else "number"
                raise ApiError(
                    f"{name}={value!r:.40}; expected a {noun} of at least {least}", argument=name
                )


class Batch:
    """Requests that belong together: the failure of one may make the others pointless.

    No further request is sent after a key that was refused (:meth:`failed`). Waits end as well,
    and running requests stop, when the caller no longer waits for them (:meth:`cancel`) or the
    server does not answer at all (:meth:`failed`). The deadline is that of each request, with all
    its attempts.
    """

    def __init__(self, deadline: float = math.inf) -> None:
        self.deadline = deadline
        self._lock = threading.Lock()
        self._cancelled = threading.Event()
        self._ended: SimsError | None = None
        self._unanswered = 0
        self.last_answer = 0.0
        self._warned: set[str] = set()

    @property
    def is_cancelled(self) -> bool:
        """Whether the caller no longer waits."""
        return self._cancelled.is_set()

    @property
    def is_over(self) -> bool:
        """Whether no further request is sent."""
        return self._ended is not None or self._cancelled.is_set()

    def cancel(self) -> None:
        """End all waits, and send no further request."""
        self._cancelled.set()

    def sleep(self, seconds: float) -> None:
        """Wait, until the batch is cancelled at the latest."""
        end = time.monotonic() + seconds
        # In short pieces: an interrupt that comes as a piece begins is only noticed as it ends.
        while (left := end - time.monotonic()) > 0 and not self._cancelled.wait(min(left, 0.2)):
            pass

    def retries(self, limit: int) -> int:
        """Return how often a request is sent again: not at all, after one without a response."""
        return 0 if self._unanswered else limit

    def answered(self) -> None:
        """Note that the server has answered."""
        self.last_answer = time.monotonic()
        self._unanswered = 0

    def failed(self, error: Exception, *, refused: bool, unanswered: bool) -> None:
        """Note that a request has failed: the key was refused, or the server did not answer."""
        if not isinstance(error, ApiError):
            return
        with self._lock:
            if refused:
                self._ended = self._ended or error
            elif unanswered:
                self._unanswered += 1
                if self._unanswered >= _MOST_UNANSWERED and self._ended is None:
                    self._ended = error
                    self._cancelled.set()

    def not_requested(self, what: str) -> SimsError:
        """Return the reason why something was not requested: of the kind that ended the batch."""
        if self._ended is None:
            return ApiError(f"{what}: interrupted", code="interrupted")
        text = f"{what}: not requested after the failure of another: {self._ended.message}"
        return self._ended.about_another(text)

    def warn_once(self, kind: str, message: str, **parts: Unpack[Parts]) -> None:
        """Warn once of a problem that may occur in every request of the batch."""
        with self._lock:
            is_first = kind not in self._warned
            self._warned.add(kind)
        if is_first:
            warn(message, SimsWarning, **parts)


class Request:
    """A request that is sent, perhaps several times, and the time it has taken so far.

    It has an address, a name in messages, and the validators of the archived payload as headers.
    """

    def __init__(
        self, url: str, what: str, batch: Batch, headers: Mapping[str, str] | None = None
    ) -> None:
        self.url, self.what, self.batch = url, what, batch
        self.headers = dict(headers or {})
        #: When it was made, and when it is given up.
        self.began = time.monotonic()
        self._end = self.began + batch.deadline

    @property
    def left(self) -> float:
        """Seconds until it is given up."""
        return self._end - time.monotonic()

    def message(self, text: str) -> str:
        """Return a message about this request."""
        return f"{self.what}: {text} ({self.url})"

    def check(self) -> None:
        """Raise if the caller no longer waits for the response, or its deadline has passed."""
        if self.batch.is_cancelled:
            raise Failure(self.batch.not_requested(self.what))
        if self.left <= 0:
            text = f"no complete response within {self.batch.deadline:g} s"
            raise Failure(self.timed_out(text, "deadline"), retryable=True)

    def timed_out(self, text: str, limit: str) -> RequestTimeout:
        """Make the error for a response that did not come within a limit of the client."""
        remedy = f"try again, or raise {limit}="
        return RequestTimeout(self.message(text), code="timeout", argument=limit, remedy=remedy)


class Failure(Exception):
    """Carries an error out of an attempt, and whether another attempt may help."""

    def __init__(self, error: SimsError, *, retryable: bool = False, after: float = 0.0) -> None:
        super().__init__(error)
        self.error = error
        self.retryable = retryable
        self.after = after
