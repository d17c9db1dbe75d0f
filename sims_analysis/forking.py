"""Objects that a forked process must not share with its parent."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_forks = 0


class PerProcess(Generic[T]):
    """An object that every process makes for itself, by a function, when it is first needed.

    Two processes on one connection read each other's responses, and a lock held by another thread
    during a fork stays locked in the child for ever. The object of the parent is neither used nor
    closed in the child. Several threads may call the function at the same time; all get one object.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: dict[tuple[int, int], T] = {}

    def get(self) -> T:
        """Return the object of this process."""
        here = this_process()
        try:
            return self._made[here]
        except KeyError:
            return self._made.setdefault(here, self._make())

    def drop(self) -> T | None:
        """Remove and return the object of this process; the next one is new."""
        return self._made.pop(this_process(), None)


def this_process() -> tuple[int, int]:
    """Return what distinguishes this process from its parent and its children."""
    # Process numbers are reused, and Python does not notice every fork: use both.
    return os.getpid(), _forks


def _forked() -> None:
    global _forks  # noqa: PLW0603 - the callback has no other place for it
    _forks += 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
