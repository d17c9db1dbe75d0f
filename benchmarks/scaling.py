"""Time against the number of profiles, from one to a hundred thousand."""

from __future__ import annotations

import time
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

import sims_analysis as sims
from sims_analysis.figures.colours import COLOURS

from .cases import FEW, LEVEL, START, STOP, implants


def _seconds(ways: dict[str, Any], least: int = 3, budget: float = 1.0) -> dict[str, float]:
    """Give the median seconds of each way, all taken turn by turn."""
    for way in ways.values():
        way()
    taken: dict[str, list[float]] = {name: [] for name in ways}
    begun, turns = time.perf_counter(), 0
    while turns < least or (time.perf_counter() - begun < budget and turns < 50):
        for name, way in ways.items():
            begin = time.perf_counter()
            way()
            taken[name].append(time.perf_counter() - begin)
        turns += 1
    return {name: float(np.median(times)) for name, times in taken.items()}


def plot(path: str, most: int) -> None:
    counts = [n for n in (1, 3, 10, 30, 100, 300, 1000, 3000, 10_000, 30_000, 100_000) if n <= most]
    full = implants(most)
    z = full["depth"].values
    lines: dict[str, list[float]] = {}
    for rows in counts:
        data = full[:rows]
        c, few = data.values, min(rows, FEW)
        ways = {
            "dose": lambda data=data: sims.integrated_dose(
                data, start=f"{START} nm", stop=f"{STOP} nm"
            ),
            "dose, loglinear": lambda data=data: sims.integrated_dose(data, rule="loglinear"),
            "junction depth": lambda data=data: sims.junction_depth(
                data, level=f"{LEVEL} atoms/cm^3"
            ),
            "interpolation to 100 depths": lambda data=data: sims.interpolate(data, depth=_GRID),
            "np.sum (the memory's speed)": lambda c=c: np.sum(c),
            "loop over np.trapezoid": lambda c=c[:few]: [np.trapezoid(r, z) for r in c],
        }
        for name, seconds in _seconds(ways).items():
            scale = rows / few if name.startswith("loop") else 1.0
            lines.setdefault(name, []).append(seconds * scale)
        print(f"{rows:>8,}  " + "  ".join(f"{name} {t[-1]:.2e} s" for name, t in lines.items()))
    figure, ax = plt.subplots(figsize=(5.0, 3.6), layout="constrained")
    styles = ["-", "-", "-", "-", ":", "--"]
    # Labels at the ends of the lines, each a line of text above the one below.
    heights: dict[str, float] = {}
    for name in sorted(lines, key=lambda name: lines[name][-1]):
        heights[name] = max(lines[name][-1], max(heights.values(), default=0.0) * 1.7)
    for (name, of_line), colour, dash in zip(lines.items(), COLOURS, styles, strict=False):
        ax.loglog(counts, of_line, dash, color=colour, marker="o", markersize=3)
        ax.annotate(
            name,
            (counts[-1], heights[name]),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            color=colour,
            fontsize=7,
        )
    ax.set_xlabel("Profiles of 1,000 points")
    ax.set_ylabel("Time of one call (s)")
    ax.spines[["top", "right"]].set_visible(False)
    figure.savefig(path)
    print(path)


_GRID = [f"{z:.1f} nm" for z in np.linspace(5, 595, 100)]
