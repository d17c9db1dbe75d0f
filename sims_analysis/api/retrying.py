"""Attempts, when another may help, and what requests of one batch know of each other."""

from __future__ import annotations

import copy
import logging
import threading
import time
from typing import TYPE_CHECKING, TypeVar

import tenacity

if TYPE_CHECKING:
    from collections.abc import Callable

    from sims_analysis.errors import SimsError

__all__ = ["Batch", "Failure", "attempted"]

T = TypeVar("T")

#: Full jitter: clients that failed together must not come back together.
_BACKOFF = tenacity.wait_random_exponential(multiplier=0.5, max=8.0)
#: Entries in a row that get no answer at all: that is no matter of the entry.
_STRIKES = 2

_log = logging.getLogger("sims_analysis.api")


class Failure(Exception):
    """Carries an error out of an attempt, and whether another attempt may help."""

    def __init__(self, error: Exception, *, again: bool = False, after: float = 0.0) -> None:
        super().__init__(error)
        self.error = error
        self.again = again
        self.after = after


class Batch:
    """Requests that belong together: what befalls one may make the others pointless."""

    def __init__(self) -> None:
        #: Set when nobody waits any more: waits end, and no attempt follows.
        self.cancelled = threading.Event()
        #: Why nothing more is asked.
        self.ended: SimsError | None = None
        #: How many in a row got no answer.
        self.strikes = 0
        #: What went wrong with keeping what arrived.
        self.troubles: list[str] = []

    def strike(self, error: SimsError) -> None:
        """Count a request that got no answer while nobody got one."""
        self.strikes += 1
        if self.strikes >= _STRIKES and self.ended is None:
            self.ended = error
            self.cancelled.set()

    def unasked(self, what: str) -> SimsError:
        """Say why something was not asked for, in an error of the kind that ended the batch."""
        if self.ended is None:
            from sims_analysis.errors import ApiError

            return ApiError(f"{what}: interrupted")
        error = copy.copy(self.ended)
        error.args = (f"{what}: not asked after what another met: {self.ended}", *error.args[1:])
        return error


def attempted(attempt: Callable[[], T], retries: int, end: float, batch: Batch) -> T:
    """Call, and call again where that may help.

    Parameters
    ----------
    attempt : callable
        Raises `Failure`.
    retries : int
        How often to call again; what the server itself asked to wait for is not counted.
    end : float
        No wait goes beyond this moment of `time.monotonic`.
    batch : Batch
        Once it is cancelled, waiting ends.
    """
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
