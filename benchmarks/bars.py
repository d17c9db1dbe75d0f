"""How fast two checkouts are, turn by turn: over bare passes of large data, and a call at a time.

Each tree answers in a process of its own; in every turn one is timed after the other, with the bare
sum beside it, so that what slows the machine for a while slows all. Times are those of the
processor, not of the clock: the machine may have other work.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from .trees import ROOT, Tree

#: Over bare sums: question, data, and the bar.
SUMS: dict[tuple[str, str], float | None] = {
    ("dose", "errors"): 6.0,
    ("dose", "errors, 5 % missing"): None,
    ("dose", "counted, 5 at most"): 3.0,
    ("dose", "counted, 100 at most"): 3.0,
    ("dose", "counted, 1e5 at most"): 3.0,
    ("dose", "counted, rounded"): 3.0,
    ("dose", "complete"): 1.5,
    ("dose", "5 % missing"): 18.0,
    ("dose", "own axes"): 15.0,
    ("mean", "complete"): None,
    ("mean", "5 % missing"): None,
    ("junction", "complete"): None,
    ("junction", "5 % missing"): None,
    ("junction", "own axes"): None,
    ("crossings", "complete"): None,
    ("peak", "complete"): None,
    ("moments", "complete"): None,
    ("interpolation", "complete"): None,
}
#: Milliseconds of a call: question, data (one measurement of two species), and the bar.
CALLS: dict[tuple[str, str], float | None] = {
    ("mean", "plain"): 1.0,
    ("dose", "plain"): None,
    ("peak", "plain"): None,
    ("junction", "plain"): None,
    ("crossings", "plain"): None,
    ("mean", "counts"): None,
    ("dose", "counts"): 1.3,
    ("peak", "counts"): None,
    ("junction", "counts"): None,
    ("crossings", "counts"): None,
    ("mean", "background subtracted"): 2.4,
    ("dose", "background subtracted"): 2.4,
    ("peak", "background subtracted"): None,
    ("junction", "background subtracted"): None,
    ("crossings", "background subtracted"): None,
}
LEVEL = "1e17 atom/cm^3"
#: Seconds of a turn, at least.
_TURN = 0.02


def questions() -> dict[str, Callable[[Any], Any]]:
    import sims_analysis as sims

    limits: Any = {"start": "10.1 nm", "stop": "499.7 nm"}
    at = xr.DataArray(np.linspace(0.3, 599.7, 500), dims="depth", attrs={"units": "nm"})
    return {
        "dose": lambda data: sims.integrated_dose(data, **limits),
        "mean": lambda data: sims.mean_value(data, **limits),
        "peak": sims.peak,
        "moments": sims.moments,
        "junction": lambda data: sims.junction_depth(data, level=LEVEL),
        "crossings": lambda data: sims.crossings(data, level=LEVEL),
        "interpolation": lambda data: sims.interpolate(data, depth=at),
    }


def timing(rows: int) -> Callable[[str], tuple[float, float]]:
    """Give what times a case: seconds of the question, and of a bare sum of its values."""
    warnings.simplefilter("ignore")
    asked = questions()
    held: dict[str, Any] = {}

    def timed(line: str) -> tuple[float, float]:
        question, name = line.split("|")
        if name not in held:
            held.clear()  # one large array at a time
            held[name] = large(name, rows) if (question, name) in SUMS else small(name)
        data = held[name]
        values = data if isinstance(data, xr.DataArray) else data["concentration"]
        bare = values.values
        return _seconds(lambda: asked[question](data)), _seconds(lambda: np.sum(bare))

    return timed


def _seconds(way: Callable[[], Any]) -> float:
    began, calls = time.process_time(), 0
    while calls == 0 or time.process_time() - began < _TURN:
        way()
        calls += 1
    return (time.process_time() - began) / calls


def large(name: str, rows: int) -> Any:
    from .cases import implants, own_axes

    if name == "own axes":
        return own_axes(implants(rows))
    if name.startswith("counted"):
        return _counted(name, rows)
    data = implants(rows, gaps=0.05 if "missing" in name else 0.0)
    if name.startswith("errors"):
        ds = data.to_dataset()
        return ds.assign(concentration_stderr=data.copy(data=0.1 * data.values + 1e13))
    return data


def _counted(name: str, rows: int) -> xr.DataArray:
    """Give counts, of which low ones are often equal to their neighbours, also at the maximum."""
    from .cases import implants

    data, rng = implants(rows), np.random.default_rng(0)
    most = {"5": 5.0, "100": 100.0, "1e5": 1e5, "rounded": 1e4}[name.split()[1]]
    shape = data.values
    shape *= most / 1e20
    for row in shape:
        row[:] = rng.poisson(row + 0.3)
    shape *= 1e20 / most
    if name.endswith("rounded"):
        size = 10.0 ** np.floor(np.log10(np.maximum(shape, 1.0)) - 1)
        np.multiply(np.round(shape / size), size, out=shape)
    return data


@cache
def small(name: str) -> Any:
    import sims_analysis as sims

    ds = sims.open_example("boron-implant")
    if name == "plain":
        return ds
    ds = sims.with_counting_statistics(ds, value_per_count="1e14 atoms/cm^3")
    if name == "counts":
        return ds
    return sims.subtract_background(ds, window=("420 nm", "490 nm"))


def run(against: Path, rows: int, repeats: int, tree: Path = ROOT) -> None:
    """Print the table: both trees, their ratio, and the bar."""
    trees = [Tree(one, "bars", "timing", rows) for one in (against, tree)]
    print(f"old: {trees[0].tree}\nnew: {trees[1].tree}")
    print(
        "least of the turns (median); new/old: median of the turns' ratios\n\n"
        f"{f'sums of {rows:,} x 1,000':<44}{'old':>18}{'new':>18}{'new/old':>9}{'bar':>7}"
    )
    try:
        for case, bar in SUMS.items():
            _row(trees, case, repeats, bar, of_sum=True)
        print(f"\n{'milliseconds a call, 2 x 250':<44}")
        for case, bar in CALLS.items():
            _row(trees, case, 3 * repeats, bar, of_sum=False)
    finally:
        for one in trees:
            one.close()


def _row(
    trees: list[Tree], case: tuple[str, str], repeats: int, bar: float | None, *, of_sum: bool
) -> None:
    line = "|".join(case)
    for tree in trees:
        tree.ask(line)
    taken = np.array([[tree.ask(line) for tree in trees] for _ in range(repeats)])
    ours, bare = taken[..., 0], taken[..., 1]
    size = ours / bare.min() if of_sum else 1e3 * ours
    low, median = size.min(axis=0), np.median(size, axis=0)
    ratio = float(np.median(ours[:, 1] / ours[:, 0]))
    cells = "".join(f"{f'{a:.2f} ({b:.2f})':>18}" for a, b in zip(low, median, strict=True))
    told = "" if bar is None else f"{bar:7.1f}{'' if low[1] <= bar else ' missed'}"
    slower = " slower" if min(ratio, low[1] / low[0]) > 1.1 else ""
    print(f"{f'{case[0]}: {case[1]}':<44}{cells}{ratio:9.2f}{told}{slower}", flush=True)
