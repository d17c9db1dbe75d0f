"""The most frequent questions in three layouts, as multiples of bare passes over the same data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr

import sims_analysis as sims

from .cases import LEVEL, START, STOP, implants, own_axes, quiet_log
from .timing import Case, format_time, measure

LIMITS: dict[str, Any] = {"start": f"{START} nm", "stop": f"{STOP} nm"}
DEPTHS = xr.DataArray(np.linspace(0.3, 599.7, 500), dims="depth", attrs={"units": "nm"})

#: Each question, and the pass that bounds it where no sample is missing; elsewhere the sum.
QUESTIONS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "dose, trapezoid, limits": ("sum", lambda data: sims.integrated_dose(data, **LIMITS)),
    "dose, loglinear, limits": (
        "log",
        lambda data: sims.integrated_dose(data, rule="loglinear", **LIMITS),
    ),
    "junction depth": ("sum", lambda data: sims.junction_depth(data, level=f"{LEVEL} atom/cm^3")),
    "interpolation, log, to 500": ("log", lambda data: sims.interpolate(data, depth=DEPTHS)),
}


def run(rows: int, repeats: int) -> None:
    """Print the table: the ratio of the shortest times, and the median of the ratios."""
    print("profiles x points; times over one bare pass of numpy: of the shortest (median), less is")
    print('better; "sum" is np.sum, "log" is np.log of the same values')
    plain = implants(rows)
    layouts = {
        "none missing": plain,
        "5 % missing": implants(rows, gaps=0.05),
        "own axes": own_axes(plain),
    }
    print(f"{rows:,} x 1,000{'':16}" + "".join(f"{name:>26}" for name in layouts))
    for question, (pass_, ask) in QUESTIONS.items():
        cells = []
        for name, data in layouts.items():
            c, scratch = data.values, np.empty_like(data.values)
            bare = {"sum": lambda c=c: np.sum(c), "log": lambda c=c, o=scratch: quiet_log(c, o)}
            of = pass_ if data is plain else "sum"
            ours = lambda ask=ask, data=data: ask(data)  # noqa: E731
            took = measure(Case(question, name, ours, {of: bare[of]}, repeats=repeats))
            least = took["ours"].min() / took[of].min()
            cells.append(f"{least:.1f} ({np.median(took['ours'] / took[of]):.1f}) {of}")
        print(f"{question:<28}" + "".join(f"{cell:>26}" for cell in cells))
    _near_a_floor(repeats)


def _near_a_floor(repeats: int, rows: int = 20) -> None:
    """Time the crossings, with their errors, of a level within a noise floor and above it."""
    z = np.linspace(0.0, 600.0, 1000)
    expected = 1e4 * np.exp(-(((z - 120.0) / 30.0) ** 2) / 2) + 3.0
    counts = np.random.default_rng(0).poisson(expected, (rows, z.size))
    data = implants(rows).copy(data=counts * 1e15).to_dataset()
    data = sims.with_counting_statistics(data, value_per_count="1e15 atom/cm^3")
    for level in (3.5e15, 6e15, LEVEL):
        ask = lambda level=level: sims.crossings(data, level=f"{level} atom/cm^3")  # noqa: E731
        took = measure(Case("crossings", "", ask, repeats=repeats))["ours"] / rows
        number = float(ask()["count"].mean())
        least, usual = (format_time(float(one)) for one in (took.min(), np.median(took)))
        print(f"crossings and errors: {number:5.0f} a profile, {least} each (median {usual})")
