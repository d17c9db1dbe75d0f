"""What a forked process must not share with its parent."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_forks = 0


class PerProcess(Generic[T]):
    """Something of which every process makes its own.

    Two processes on one connection read each other's answers, and a lock that another thread
    held when the process forked stays held in the child for ever. What the parent made is left
    alone in the child: it is neither used nor closed there.

    Parameters
    ----------
    make : callable
        Makes it, when it is first needed. Threads that need it at the same moment may each call
        this; all get the same one.

    Examples
    --------
    >>> numbers = PerProcess(list)
    >>> numbers.get() is numbers.get()
    True
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: dict[tuple[int, int], T] = {}

    def get(self) -> T:
        """Give the one of this process."""
        here = _here()
        try:
            return self._made[here]
        except KeyError:
            return self._made.setdefault(here, self._make())

    def drop(self) -> T | None:
        """Forget the one of this process, and give it; the next is new."""
        return self._made.pop(_here(), None)


def _here() -> tuple[int, int]:
    # The number may be that of an ancestor that is gone; not every fork is told to Python.
    return os.getpid(), _forks


def _forked() -> None:
    global _forks  # noqa: PLW0603 - told by the system, which gives no other place for it
    _forks += 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
