"""Retries: how often, when, and the pauses that a server requests."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

from sims_analysis.api.requests import Failure, Request
from sims_analysis.api.secret import Secret
from sims_analysis.errors import RateLimited

#: At DEBUG these log the headers of a response, in which a server may repeat the key.
_LOGGERS = ("httpx", "httpcore.http11", "httpcore.http2", "httpcore.connection", "httpcore.proxy")
#: The longest pause in seconds that a server may request. A longer one is an error at once: the
#: user has to know of it, and no program should sleep that long.
_LONGEST_WAIT = 120.0
#: Shorter pauses in seconds are not warned of.
_WARNED_FROM = 2.0

#: The shortest and longest pause before another attempt, in seconds. A server has had time to
#: recover, and clients that failed together do not retry together.
PAUSES = 0.25, 8.0

T = TypeVar("T")

_log = logging.getLogger("sims_analysis.api")


class Server:
    """The state of a server: whether it accepts the key, and limits the rate."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        #: Whether it has given a response for this key.
        self.accepts_key = False
        #: When all requests may go on, and when the server has asked them to.
        self._paused_until = 0.0
        self._requested_until = 0.0

    def pause(self, seconds: float, request: Request) -> None:
        """Make all requests wait as long as the server requests."""
        now = time.monotonic()
        with self._lock:
            self._requested_until = max(self._requested_until, now + seconds)
            self._paused_until = max(self._paused_until, now + min(seconds, _LONGEST_WAIT))
        if _WARNED_FROM <= seconds <= _LONGEST_WAIT:
            text = f"the server limits the rate of requests and asks for a pause of {seconds:.0f} s"
            message = f"{text}; the fetch continues after it"
            request.batch.warn_once(text, message, code="rate_limited")

    def wait(self, request: Request) -> None:
        """Wait as long as the server requested, if there is time for that."""
        now = time.monotonic()
        pause, requested = self._paused_until - now, self._requested_until - now
        if pause <= 0:
            return
        if requested > _LONGEST_WAIT or pause >= request.left:
            advice = "" if requested > _LONGEST_WAIT else ", or raise deadline="
            text = f"the server asks for a pause of {requested:.0f} s; try again then{advice}"
            raise Failure(
                RateLimited(request.message(text), url=request.url, retry_after=requested)
            )
        # Requests do not all go on at the same moment.
        request.batch.sleep(pause + random.uniform(0.0, 0.5))  # noqa: S311 - no secret


def keep_out_of_logs(key: Secret) -> Callable[[], None]:
    """Keep records with a key out of the logs of HTTP libraries, until the result is called."""

    def is_clean(record: logging.LogRecord) -> bool:
        return not key.is_in(record.getMessage())

    loggers = [logging.getLogger(name) for name in _LOGGERS]
    for logger in loggers:
        logger.addFilter(is_clean)

    def end() -> None:
        for logger in loggers:
            logger.removeFilter(is_clean)

    return end


def requested_wait(header: str | None) -> float | None:
    """Read ``Retry-After``: seconds, or a date."""
    if header is None:
        return None
    try:
        if header.strip().isdecimal():
            return float(header)
        moment = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def with_retries(attempt: Callable[[], T], retries: int, request: Request) -> T:
    """Call, with retries where they may help; a pause that the server requests is not counted."""
    failed = counted = 0
    while True:
        try:
            return attempt()
        except Failure as failure:
            failed, counted = failed + 1, counted + (not failure.after)
            # As long as the server requested, and a random time on top.
            longest = min(PAUSES[1], 2.0 ** (failed - 2))  # doubles with each failure
            pause = failure.after + random.uniform(PAUSES[0], longest)  # noqa: S311 - no secret
            useless = not failure.retryable or counted > retries or failure.after > _LONGEST_WAIT
            if useless or pause >= request.left:
                raise
            _log.info("%s; trying again in %.1f s", failure.error, pause)
            if failed > 1 and not failure.after:
                message = f"{failure.error}; retried"
                request.batch.warn_once("retry", message, code=failure.error.code)
        request.batch.sleep(pause)
