"""Other checkouts of the package, each in a process of its own that answers questions of ours."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

__all__ = ["ROOT", "Tree", "serve"]

#: This checkout: whose questions are asked, of whichever tree.
ROOT = Path(__file__).parents[1]


def serve(tree: str, module: str, name: str, *args: Any) -> None:
    """Answer lines from the input with a tree; what it is started with is called once."""
    # Whatever is printed shall not come between the answers.
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    sys.path.insert(0, tree)
    import sims_analysis as sims

    assert Path(str(sims.__file__)).parents[1] == Path(tree), f"{sims.__file__} is not of {tree}"
    answer = getattr(import_module(f"benchmarks.{module}"), name)(*args)
    for line in sys.stdin:
        pickle.dump(answer(line.strip()), out)
        out.flush()


class Tree:
    """A process that answers for a tree: ``module.name(*args)`` makes what answers a line."""

    def __init__(self, tree: Path, module: str, name: str, *args: Any) -> None:
        self.tree, self.seconds = tree.resolve(), 0.0
        given = (str(self.tree), module, name, *args)
        # From this folder, so that the questions are those of this checkout.
        self.process = subprocess.Popen(
            [sys.executable, "-c", f"from benchmarks.trees import serve; serve(*{given!r})"],
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": ""},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def ask(self, line: Any) -> Any:
        began = time.perf_counter()
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{line}\n".encode())
        self.process.stdin.flush()
        try:
            found = pickle.load(self.process.stdout)  # noqa: S301  # of our own process
        except EOFError:
            raise SystemExit(f"{line}: {self.tree} ended without an answer") from None
        self.seconds += time.perf_counter() - began
        return found

    def close(self) -> None:
        self.process.communicate()
