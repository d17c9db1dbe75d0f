"""Attempts, and when another may help."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import tenacity

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

__all__ = ["Failure", "attempted"]

T = TypeVar("T")

#: Full jitter: clients that failed together must not come back together.
_BACKOFF = tenacity.wait_random_exponential(multiplier=0.5, max=8.0)


class Failure(Exception):
    """Carries an error out of an attempt, and whether another attempt may help."""

    def __init__(self, error: Exception, *, again: bool = False, after: float = 0.0) -> None:
        super().__init__(error)
        self.error = error
        self.again = again
        self.after = after


def attempted(attempt: Callable[[], T], retries: int, cancelled: threading.Event) -> T:
    """Call, and call again where that may help.

    Parameters
    ----------
    attempt : callable
        Raises `Failure`.
    retries : int
        How often to call again.
    cancelled : threading.Event
        Once set, waiting ends.
    """
    # Most requests have no need of what is set up for a second one.
    try:
        return attempt()
    except Failure as failure:
        if not failure.again:
            raise
        first = [failure]

    def one_more() -> T:
        if first:
            raise first.pop()
        return attempt()

    attempts = tenacity.Retrying(
        retry=tenacity.retry_if_exception(_may_pass),
        stop=tenacity.stop_after_attempt(1 + retries),
        wait=_wait,
        sleep=tenacity.sleep_using_event(cancelled),
        reraise=True,
    )
    return attempts(one_more)


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, Failure) and error.again


def _wait(state: tenacity.RetryCallState) -> float:
    """Wait as long as the server asked, and a random time on top."""
    failure = state.outcome.exception() if state.outcome else None
    asked = failure.after if isinstance(failure, Failure) else 0.0
    return asked + _BACKOFF(state)
