"""How far something that takes long is, shown on stderr."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count


@contextmanager
def progress(
    total: int,
    show: bool | None = None,
    what: str = "fetching",
    unit: str = "entry",
    least: int = 4,
) -> Iterator[Callable[[], object]]:
    """Show on stderr how far it is: tqdm where it is installed, a line of text elsewhere.

    By default (`show` is None) where a person waits for at `least` so many. What is given is
    called whenever one more is done.
    """
    if not (total >= least and is_interactive() if show is None else show):
        yield lambda: None
    elif importlib.util.find_spec("tqdm"):
        from tqdm.std import tqdm

        with tqdm(total=total, desc=what, unit=unit, file=sys.stderr) as bar:
            yield bar.update
    else:
        counter = count(1)
        try:
            yield lambda: sys.stderr.write(f"\r{what}: {next(counter)} of {total}")
        finally:
            sys.stderr.write("\n")


def is_interactive() -> bool:
    """Whether a person sees stderr: on a terminal, or in a notebook."""
    if sys.stderr is not None and sys.stderr.isatty():
        return True
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return type(shell).__name__ == "ZMQInteractiveShell"
