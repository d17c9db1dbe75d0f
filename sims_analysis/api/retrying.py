"""Attempts, and when another may help."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, TypeVar

import tenacity

if TYPE_CHECKING:
    from collections.abc import Callable

    from sims_analysis.api.parallel import Batch

__all__ = ["Failure", "attempted"]

T = TypeVar("T")

#: Full jitter: clients that failed together must not come back together.
_BACKOFF = tenacity.wait_random_exponential(multiplier=0.5, max=8.0)

_log = logging.getLogger("sims_analysis.api")


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

    attempts = tenacity.Retrying(
        retry=tenacity.retry_if_exception(_may_pass),
        stop=enough,
        wait=_wait,
        sleep=tenacity.sleep_using_event(batch.cancelled),
        before_sleep=_told,
        reraise=True,
    )
    return attempts(one_more)


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, Failure) and error.again


def _failure(state: tenacity.RetryCallState) -> Failure:
    error = state.outcome.exception() if state.outcome else None
    return error if isinstance(error, Failure) else Failure(RuntimeError())


def _wait(state: tenacity.RetryCallState) -> float:
    """Wait as long as the server asked, and a random time on top."""
    return _failure(state).after + _BACKOFF(state)


def _told(state: tenacity.RetryCallState) -> None:
    _log.info("%s; trying again in %.1f s", _failure(state).error, state.upcoming_sleep)
