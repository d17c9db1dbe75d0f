"""Rules of control charts: which points complete a run that is unlikely by chance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sims_analysis.kernels.rows import Array, Flags


def _run_counts(flags: Flags, n: int) -> Any:
    """Count the flags of a point and the n - 1 before it; 0 where there are not so many."""
    counts = np.convolve(flags.astype(int), np.ones(n, dtype=int))[: flags.size]
    return np.where(np.arange(flags.size) < n - 1, 0, counts)


def _runs_off_centre(z: Array, distance: float, n: int, window: int) -> Flags:
    """Flag a point that is far off, as n of the last `window` are on the same side."""
    sides = [far_off * z > distance for far_off in (1.0, -1.0)]
    flags: Flags = np.any(
        [far_off & (_run_counts(far_off, window) >= n) for far_off in sides], axis=0
    )
    return flags


def _steps(z: Array, n: int, turning: int) -> Flags:
    """Flag a point that ends n points of which each step goes on, or turns about."""
    steps = np.sign(np.diff(z, prepend=np.nan))
    continues = steps[1:] * steps[:-1] == turning
    flags: Flags = _run_counts(np.append(False, continues), n - 2) == n - 2
    return flags


#: Rule for runs -> the status of a point, and which points complete it, by their distances from the
#: centre in standard deviations.
RULES: dict[str, tuple[str, Callable[[Array], Flags]]] = {
    "two_of_three": ("two_of_three", lambda z: _runs_off_centre(z, 2.0, 2, 3)),
    "four_of_five": ("four_of_five", lambda z: _runs_off_centre(z, 1.0, 4, 5)),
    "run_of_eight": ("run", lambda z: _runs_off_centre(z, 0.0, 8, 8)),
    "run_of_nine": ("run", lambda z: _runs_off_centre(z, 0.0, 9, 9)),
    "trend_of_six": ("trend", lambda z: _steps(z, 6, 1)),
    "fourteen_alternating": ("alternating", lambda z: _steps(z, 14, -1)),
    "fifteen_within": ("within", lambda z: _run_counts(abs(z) < 1.0, 15) == 15),
    "eight_without": ("without", lambda z: _run_counts(abs(z) > 1.0, 8) == 8),
}
#: Sets of rules, each beside the limits.
SETS: dict[str, tuple[str, ...]] = {
    "limits": (),
    "western_electric": ("two_of_three", "four_of_five", "run_of_eight"),
    "nelson": tuple(name for name in RULES if name != "run_of_eight"),
}


def point_statuses(
    x: Array, outside: Flags, z: Array, rule_names: Sequence[str]
) -> tuple[Any, Any]:
    """Return the status of each value, and the names of the rules that it completes."""
    measured = ~np.isnan(x)
    completed = {"beyond_limits": ("beyond_limits", outside & measured)}
    for name in rule_names:
        word, completes = RULES[name]
        completed[name] = word, np.zeros(x.size, dtype=bool)
        completed[name][1][measured] = completes(z[measured])
    status = np.where(measured, "ok", "no_data").astype("<U13")
    for word, flags in reversed(completed.values()):
        status[flags] = word
    rules = [", ".join(name for name, (_, flags) in completed.items() if flags[i])
             for i in range(x.size)]  # fmt: skip
    return status, np.array(rules, dtype=str)
