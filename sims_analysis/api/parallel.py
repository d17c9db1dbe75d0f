"""Several requests at a time."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Sequence
from typing import TypeVar

from sims_analysis.api.requests import Batch
from sims_analysis.errors import SimsError, SimsWarning, redirect_warnings, warn

T = TypeVar("T")


def each(
    function: Callable[[str, Batch], T], items: Sequence[str], *, width: int, batch: Batch
) -> Generator[tuple[str, T | SimsError], None, None]:
    """Call a function for every item, `width` at a time; yield each result as it is done.

    The first goes alone, so that a key that is not accepted is sent once. The threads do not keep
    the interpreter alive: an interrupt ends it at once. When the iteration ends early, the batch is
    cancelled, and no call follows. No more than twice `width` results wait to be taken. Warnings of
    the threads are passed on here.
    """
    first, *others = items
    yield first, _outcome(function, first, batch)
    if not others:
        return
    todo: queue.SimpleQueue[str] = queue.SimpleQueue()
    outcomes: queue.SimpleQueue[tuple[str, T | BaseException] | SimsWarning] = queue.SimpleQueue()
    capacity = threading.Semaphore(2 * width)
    for item in others:
        todo.put(item)

    def work() -> None:
        with redirect_warnings(outcomes.put):
            while capacity.acquire() and not batch.is_cancelled:
                try:
                    item = todo.get_nowait()
                except queue.Empty:
                    return
                try:
                    outcomes.put((item, _outcome(function, item, batch)))
                except BaseException as error:  # noqa: BLE001 - raised where results are taken
                    outcomes.put((item, error))

    threads = min(width, len(others))
    pending = dict.fromkeys(others)
    try:
        for _ in range(threads):
            threading.Thread(target=work, name="sims-analysis-fetch", daemon=True).start()
        while pending:
            result = _next(outcomes, batch)
            if result is None:
                yield from ((item, batch.not_requested(f"data entry {item!r}")) for item in pending)
                return
            if isinstance(result, SimsWarning):
                warn(result)
                continue
            item, outcome = result
            if isinstance(outcome, BaseException) and not isinstance(outcome, SimsError):
                raise outcome
            del pending[item]
            yield item, outcome
            capacity.release()
    finally:
        batch.cancel()
        capacity.release(threads)


def _outcome(function: Callable[[str, Batch], T], item: str, batch: Batch) -> T | SimsError:
    try:
        return function(item, batch)
    except SimsError as error:
        return error


def _next(outcomes: queue.SimpleQueue[T], batch: Batch) -> T | None:
    """Wait for the next result; None once the batch is cancelled."""
    while True:
        try:
            # With a timeout: Windows cannot interrupt an endless wait.
            return outcomes.get(timeout=0.2)
        except queue.Empty:
            if batch.is_cancelled:
                return None
