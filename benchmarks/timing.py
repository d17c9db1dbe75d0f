"""Time several ways to the same answer in one process, turn by turn, and print what came out."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Way = Callable[[], Any]


@dataclass
class Case:
    """One operation at one size: our call, bare numpy passes over the data, and the peers.

    `scale` says of a peer how many times what it did the whole would be; `same` compares an
    answer of a peer with ours and raises if they disagree. `once`: never more than a call a turn.
    """

    operation: str
    size: str
    ours: Way
    limits: dict[str, Way] = field(default_factory=dict)
    peers: dict[str, Way] = field(default_factory=dict)
    scale: dict[str, float] = field(default_factory=dict)
    same: Callable[[str, Any, Any], None] | None = None
    repeats: int = 7
    once: bool = False


#: Seconds that a turn takes at least, where calls are short: one call alone would show what the
#: others have left in the processor's caches, and not what calls in a row take.
_TURN, _MOST = 2e-3, 20


def measure(case: Case) -> dict[str, np.ndarray]:
    """Give the seconds of each way, turn by turn; each is called once before, and checked."""
    ways = {"ours": case.ours, **case.limits, **case.peers}
    calls, answers = {}, {}
    for name, way in ways.items():
        took, answers[name] = _timed(way)
        calls[name] = 1 if case.once else int(np.clip(_TURN / took, 1, _MOST))
    if case.same is not None:
        for name in case.peers:
            case.same(name, answers["ours"], answers[name])
    taken: dict[str, list[float]] = {name: [] for name in ways}
    gc.collect()
    for _ in range(case.repeats):
        for name, way in ways.items():
            taken[name].append(_timed(way, calls[name])[0] / calls[name])
    return {name: np.array(times) * case.scale.get(name, 1.0) for name, times in taken.items()}


def _timed(way: Way, calls: int = 1) -> tuple[float, Any]:
    begin = time.perf_counter()
    for _ in range(calls):
        answer = way()
    return time.perf_counter() - begin, answer


def format_time(seconds: float) -> str:
    for unit, factor in (("s ", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if seconds * factor >= 1:
            return f"{seconds * factor:7.3g} {unit}"
    return f"{seconds * 1e9:7.3g} ns"


def report(case: Case) -> None:
    """Print a case: ours, as a multiple of bare passes, and each peer as a multiple of ours."""
    seconds = measure(case)
    ours = seconds["ours"]
    # Ratios turn by turn: what slows the machine for a while slows both.
    ratios = ", ".join(f"{np.median(ours / seconds[name]):.2f} {name}" for name in case.limits)
    print(f"{case.operation:<42}{case.size:>15}  {format_time(float(np.median(ours)))}  {ratios}")
    for name in case.peers:
        mark = "~" if case.scale.get(name, 1.0) != 1.0 else " "
        theirs = seconds[name]
        print(
            f"    {name:<53}{mark}{format_time(float(np.median(theirs)))}"
            f"  {np.median(theirs / ours):8.1f} x ours"
        )
