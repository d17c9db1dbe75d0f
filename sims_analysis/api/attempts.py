"""Attempts to get an answer: how often, when, and for whom all wait."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar, cast

import tenacity

from sims_analysis.api.requests import Exchange, Failure
from sims_analysis.api.secret import Secret
from sims_analysis.errors import RateLimited

#: At DEBUG these log the headers of an answer, in which a server may repeat what it was sent.
_LOGGERS = ("httpx", "httpcore.http11", "httpcore.http2", "httpcore.connection", "httpcore.proxy")

#: Seconds that are waited because a server asks for it. Who asks for more is unreasonable, or says
#: that the rest of the day is free: that is for people to know and not for a program to sleep.
_LONGEST_WAIT = 120.0
#: Seconds of a pause that a user wonders about.
_WORTH_A_WARNING = 2.0
#: For so many seconds nobody else asks before the server has given a first answer.
_FIRST_ALONE = 2.0

#: Full jitter: clients that failed together must not come back together. But no retry comes so soon
#: that what failed has had no time to recover.
_BACKOFF = tenacity.wait_random_exponential(multiplier=0.5, max=8.0, min=0.25)

T = TypeVar("T")

_log = logging.getLogger("sims_analysis.api")


class Server:
    """What is known of a server: whether it answers, accepts the key, and limits the rate."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_asked = False
        self._is_known = threading.Event()
        #: When it last gave a sign of life.
        self.last_answer = 0.0
        #: Whether it has given an answer for this key.
        self.accepts_key = False
        #: Until when all requests wait, and until when it asked for that.
        self._paused_until = 0.0
        self._asked_until = 0.0

    @contextmanager
    def introduced(self) -> Iterator[None]:
        """Let others wait a moment for the first: a key that is not accepted is sent once."""
        with self._lock:
            is_first, self._is_asked = not self._is_asked, True
        if not is_first:
            self._is_known.wait(_FIRST_ALONE)
        try:
            yield
        finally:
            self._is_known.set()

    def answered(self) -> None:
        """Note that there is a server that answers."""
        self.last_answer = time.monotonic()
        self._is_known.set()

    def pause(self, seconds: float, exchange: Exchange) -> None:
        """Let all requests wait as long as the server asks for."""
        now = time.monotonic()
        with self._lock:
            self._asked_until = max(self._asked_until, now + seconds)
            self._paused_until = max(self._paused_until, now + min(seconds, _LONGEST_WAIT))
        if _WORTH_A_WARNING <= seconds <= _LONGEST_WAIT:
            text = f"the server limits the rate of requests and asks for a pause of {seconds:.0f} s"
            exchange.batch.warn_once(text, f"{text}; the fetch goes on after it")

    def wait(self, exchange: Exchange) -> None:
        """Wait as long as the server asked for, if there is time for that."""
        now = time.monotonic()
        pause, asked = self._paused_until - now, self._asked_until - now
        if pause <= 0:
            return
        if asked > _LONGEST_WAIT or pause >= exchange.left:
            request = exchange.request
            advice = "try again then" + ("" if asked > _LONGEST_WAIT else ", or raise deadline=")
            text = f"the server asks for a pause of {asked:.0f} s; {advice}"
            raise Failure(RateLimited(request.message(text), url=request.url, retry_after=asked))
        # Not all at once, when it is over.
        exchange.batch.sleep(pause + random.uniform(0.0, 0.5))  # noqa: S311 - no secret


def keep_out_of_logs(key: Secret) -> Callable[[], None]:
    """Keep what holds a key out of the logs of HTTP libraries, until what is returned is called."""

    def is_clean(record: logging.LogRecord) -> bool:
        return not key.is_in(record.getMessage())

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
            return float(header)
        moment = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def attempted(attempt: Callable[[], T], retries: int, exchange: Exchange) -> T:
    """Call, and call again where that may help."""
    counted = 0

    def enough(state: tenacity.RetryCallState) -> bool:
        nonlocal counted
        after = _failure(state).after
        counted += not after
        return counted > retries or after > _LONGEST_WAIT or state.upcoming_sleep >= exchange.left

    def announce(state: tenacity.RetryCallState) -> None:
        failure = _failure(state)
        _log.info("%s; trying again in %.1f s", failure.error, state.upcoming_sleep)
        if state.attempt_number > 1 and not failure.after:
            exchange.batch.warn_once("retry", f"{failure.error}; tried again")

    attempts = tenacity.Retrying(
        retry=tenacity.retry_if_exception(lambda error: isinstance(error, Failure) and error.again),
        stop=enough,
        # As long as the server asked, and a random time on top.
        wait=lambda state: _failure(state).after + _BACKOFF(state),
        sleep=exchange.batch.sleep,
        before_sleep=announce,
        reraise=True,
    )
    return attempts(attempt)


def _failure(state: tenacity.RetryCallState) -> Failure:
    """Give what an attempt raised, after which another is thought of: nothing but a `Failure`."""
    failure: Failure = cast("Any", state.outcome).exception()
    return failure
