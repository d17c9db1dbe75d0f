"""Blocks of rows, shared out to threads where that is faster.

numpy lets go of the interpreter while it computes, so threads run side by side. Every block is
worked on as it would be alone, and into its own place: the answers are the same to the bit,
however many threads there are.
"""

from __future__ import annotations

import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import copy_context
from functools import cache
from pathlib import Path
from typing import TypeVar

import numpy as np

__all__ = ["VARIABLE", "allowed", "each_block"]

B = TypeVar("B")
T = TypeVar("T")

#: The environment variable that limits the number of threads; 1 for none but the caller's.
VARIABLE = "SIMS_ANALYSIS_THREADS"

#: What the scratch arrays of all threads together may take.
_SCRATCH = 8 << 20

#: Work that takes one thread less time than this, in nanoseconds, is not shared out. To begin a
#: thread takes a twentieth of it where processors are busy, and less where they are not.
_LEAST = 2e6

#: Below this, even telling numpy how to go about it takes longer than it saves.
_LITTLE = 1e5


def each_block(
    make: Callable[[], Callable[[B], T]],
    blocks: Iterable[B],
    nanoseconds: float,
    scratch: int = 1 << 20,
    *,
    alone: bool = False,
) -> list[T]:
    """Work on every block; by several threads if there is much to do.

    Parameters
    ----------
    make : callable
        Called once by each thread: makes the scratch arrays, and gives the function that works on
        a block.
    blocks : iterable
        What it is called with, in any order.
    nanoseconds : float
        About how long all blocks take one thread.
    scratch : int
        Bytes that each thread needs beside the input and the output.
    alone : bool
        Not to be shared out: work of many short steps, between which threads would only wait for
        each other.

    Returns
    -------
    list
        What was returned for the blocks, in their order.
    """
    todo = list(blocks)
    count = 1
    if not alone and nanoseconds >= _LEAST and len(todo) > 1 and _on_its_own():
        count = min(_told() or _idle(), max(1, _SCRATCH // scratch), len(todo))
    if count > 1:
        _keep_memory()
        return _shared(make, todo, count - 1)
    if nanoseconds < _LITTLE:
        work = make()
        return [work(block) for block in todo]
    _keep_memory()
    with _unbuffered():
        work = make()
        return [work(block) for block in todo]


def allowed() -> int:
    """Give the number of threads that may work: by the environment, or one for each processor.

    Raises
    ------
    ValueError
        If the environment variable is not a whole number above 0.
    """
    return _told() or _processors()


def _told() -> int | None:
    told = os.environ.get(VARIABLE, "").strip()
    if not told:
        return None
    if not (told.isdecimal() and int(told) > 0):
        raise ValueError(f"{VARIABLE}={told!r}; expected a whole number, 1 or more")
    return int(told)


def _processors() -> int:
    if sys.version_info >= (3, 13):
        return os.process_cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _idle() -> int:
    """Give the number of processors that nobody else is using now, as far as the system tells.

    Two threads on one processor hand the interpreter to and fro: they take longer than one.
    """
    try:
        running = int(_RUNNING.read_text("ascii").split()[3].partition("/")[0])
    except (OSError, ValueError, IndexError):
        return _processors()
    return max(1, min(_processors(), (os.cpu_count() or 1) - running + 1))


#: Where Linux tells how many threads run at this moment, this one among them.
_RUNNING = Path("/proc/loadavg")


@contextmanager
def _unbuffered() -> Iterator[None]:
    """Keep numpy from copying rows that do not lie end to end.

    From 2.3 on it gathers them in a buffer, as many as it holds, which takes twice as long as the
    arithmetic does. It does not where a row is longer than the buffer.
    """
    with np.errstate():  # gives back the caller's buffer too
        np.setbufsize(256)
        yield


def _on_its_own() -> bool:
    """Whether nobody else shares out work: neither a pool of threads nor one of processes."""
    if threading.current_thread() is not threading.main_thread():
        return False
    pools = sys.modules.get("multiprocessing.process")
    return pools is None or pools.parent_process() is None


@cache
def _keep_memory() -> None:
    """Have memory that is given back kept at hand for the next block.

    The C library of Linux gives it back to the system, and takes it again page by page, unless it
    was given as much at once before (``M_MMAP_THRESHOLD`` in mallopt(3)): with arrays made anew
    for each block, that takes up to four times as long as the arithmetic.
    """
    np.empty(_KEPT, dtype=np.uint8)


#: Bytes; twice as much may be kept.
_KEPT = 4 << 20


def _shared(make: Callable[[], Callable[[B], T]], todo: list[B], helpers: int) -> list[T]:
    left = deque(enumerate(todo))
    done: dict[int, T] = {}
    failures: list[BaseException] = []

    def run() -> None:
        try:
            with _unbuffered():
                work = make()
                while True:
                    try:
                        number, block = left.popleft()
                    except IndexError:
                        return
                    done[number] = work(block)
        except BaseException as failure:  # noqa: BLE001  # Ctrl-C too; it is raised below
            left.clear()
            failures.append(failure)

    # A thread sees the caller's context, and with it what the caller ignores: np.errstate.
    threads = [
        threading.Thread(target=copy_context().run, args=(run,), daemon=True)
        for _ in range(helpers)
    ]
    started = []
    try:
        with suppress(RuntimeError):  # no more threads to be had: fewer do the work
            for thread in threads:
                thread.start()
                started.append(thread)
        run()
        for thread in started:
            thread.join()
        for failure in sorted(failures, key=lambda failure: isinstance(failure, Exception)):
            raise failure  # Ctrl-C before others
    finally:
        left.clear()
        failures.clear()  # an exception that held itself would keep the arrays
    return [done[number] for number in range(len(todo))]
