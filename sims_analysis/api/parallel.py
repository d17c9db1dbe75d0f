"""Several requests at a time, and how far they are."""

from __future__ import annotations

import queue
import sys
import threading
from typing import TYPE_CHECKING, TypeVar

from sims_analysis.errors import SimsError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from types import TracebackType
    from typing import Self

T = TypeVar("T")

#: A bar for less than this would be gone before it is read.
_WORTH_A_BAR = 4


def each(
    function: Callable[[str, threading.Event], T], items: Sequence[str], *, width: int
) -> Generator[tuple[str, T | SimsError], None, None]:
    """Call a function for every item, `width` at a time; give what is done as it is done.

    The threads do not keep the interpreter alive: whoever interrupts leaves at once. When the
    iteration ends early, the event that every call is given is set, and no call follows.

    Parameters
    ----------
    function : callable
        Takes an item and an event; an error of this library is given in place of a result, any
        other is raised.
    items : sequence of str
        What to call it for.
    width : int
        Number of threads.
    """
    todo: queue.SimpleQueue[str] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[str, T | BaseException]] = queue.SimpleQueue()
    cancelled = threading.Event()
    for item in items:
        todo.put(item)

    def work() -> None:
        while not cancelled.is_set():
            try:
                item = todo.get_nowait()
            except queue.Empty:
                return
            try:
                done.put((item, function(item, cancelled)))
            except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
                done.put((item, error))

    for _ in range(min(width, len(items))):
        threading.Thread(target=work, name="sims-analysis-fetch", daemon=True).start()
    try:
        for _ in items:
            item, outcome = _interruptible(done)
            if isinstance(outcome, BaseException) and not isinstance(outcome, SimsError):
                raise outcome
            yield item, outcome
    finally:
        cancelled.set()


def _interruptible(done: queue.SimpleQueue[T]) -> T:
    """Wait for the next item; not for ever at a stretch, which Windows cannot interrupt."""
    while True:
        try:
            return done.get(timeout=0.5)
        except queue.Empty:
            continue


class Progress:
    """A progress bar on stderr: tqdm where it is installed, a line of text elsewhere.

    Parameters
    ----------
    total : int
        Number of steps.
    show : bool or None
        By default only for more than a few steps, and only on a terminal or in a notebook.
    """

    def __init__(self, total: int, show: bool | None = None) -> None:
        self._total = total
        self._done = 0
        self._shown = total >= _WORTH_A_BAR and _is_watched() if show is None else show
        self._bar = None
        if self._shown:
            try:
                from tqdm.std import tqdm
            except ImportError:
                return
            self._bar = tqdm(total=total, desc="fetching", unit="entry", file=sys.stderr)

    def step(self) -> None:
        """One more is done."""
        self._done += 1
        if self._bar is not None:
            self._bar.update()
        elif self._shown:
            sys.stderr.write(f"\rfetching: {self._done} of {self._total}")
            sys.stderr.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.close()
        elif self._shown:
            sys.stderr.write("\n")


def _is_watched() -> bool:
    """Whether somebody looks at stderr: on a terminal, or in a notebook."""
    if sys.stderr is not None and sys.stderr.isatty():
        return True
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return type(shell).__name__ == "ZMQInteractiveShell"
