"""Data as they are measured: with samples missing, with standard errors, above a background."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import xarray as xr

import sims_analysis as sims

from .cases import FEW, LEVEL, START, STOP, close, implants
from .timing import Case

LIMITS: dict[str, Any] = {"start": f"{START} nm", "stop": f"{STOP} nm"}
WINDOW = (520.0, 590.0)


def cases(rows: int, repeats: int) -> Iterator[Case]:
    """Yield the cases of one size."""
    yield from _gaps(rows, repeats)
    yield from _errors(rows, repeats)
    yield from _shape(rows, repeats)


def _gaps(rows: int, repeats: int) -> Iterator[Case]:
    scattered = implants(rows, gaps=0.05)
    ending = implants(rows)
    rng = np.random.default_rng(2)
    for row, begin, end in zip(
        ending.values, rng.integers(0, 40, rows), rng.integers(900, 990, rows), strict=True
    ):
        row[:begin] = row[end:] = np.nan
    union = implants(rows)
    union.values[:, 1::4] = union.values[:, 2::4] = union.values[:, 3::4] = np.nan
    at = xr.DataArray(np.linspace(0.3, 599.7, 500), dims="depth", attrs={"units": "nm"})
    for name, data in (
        ("5 % missing", scattered),
        ("ends missing", ending),
        ("one place in four", union),
    ):
        c, z = data.values, data["depth"].values
        few = min(rows, FEW)
        bare: dict[str, Any] = {"sum": lambda c=c: np.sum(c)}

        def integrals(c: Any = c, z: Any = z, few: int = few) -> Any:
            found = []
            for row in c[:few]:
                there = ~np.isnan(row)
                x, y = z[there], row[there]
                a, b = max(START, x[0]), min(STOP, x[-1])
                inner = (x > a) & (x < b)
                axis = np.concatenate([[a], x[inner], [b]])
                found.append(np.trapezoid(np.interp(axis, x, y), axis) / 1e7)
            return found

        def values(c: Any = c, z: Any = z, few: int = few) -> Any:
            return [
                np.interp(at.values, z[~np.isnan(r)], r[~np.isnan(r)], left=np.nan, right=np.nan)
                for r in c[:few]
            ]

        size = f"{rows:,} x {z.size:,}"
        yield Case(
            f"dose, trapezoid, {name}",
            size,
            lambda data=data: sims.integrated_dose(data, **LIMITS),  # type: ignore[misc]
            bare,
            {"loop over np.trapezoid": integrals},
            {"loop over np.trapezoid": rows / few},
            close(),
            repeats,
        )
        yield Case(
            f"dose, loglinear, {name}",
            size,
            lambda data=data: sims.integrated_dose(data, rule="loglinear", **LIMITS),  # type: ignore[misc]
            bare,
            repeats=repeats,
        )
        yield Case(
            f"junction depth, {name}",
            size,
            lambda data=data: sims.junction_depth(data, level=f"{LEVEL} atoms/cm^3"),  # type: ignore[misc]
            bare,
            repeats=repeats,
        )
        for method in ("log", "linear"):
            yield Case(
                f"interpolation, {method}, {name}",
                size,
                lambda data=data, method=method: sims.interpolate(data, depth=at, method=method),  # type: ignore[misc]
                bare,
                {"loop over np.interp": values} if method == "linear" else {},
                {"loop over np.interp": rows / few},
                close(),
                repeats,
            )
        yield Case(
            f"cumulative dose, {name}",
            size,
            lambda data=data: sims.cumulative_dose(data),  # type: ignore[misc]
            bare,
            repeats=repeats,
        )


def _errors(rows: int, repeats: int) -> Iterator[Case]:
    plain = implants(rows)
    c, z = plain.values, plain["depth"].values
    data = plain.to_dataset()
    data["concentration_stderr"] = plain.copy(data=0.1 * c + 1e13)
    s = data["concentration_stderr"].values
    size = f"{rows:,} x {z.size:,}"
    both = {"sum of both": lambda: (np.sum(c), np.sum(s))}
    width = np.diff(z)
    weights = 0.5 * (np.append(width, 0.0) + np.append(0.0, width))
    yield Case(
        "dose and its standard error",
        size,
        lambda: sims.integrated_dose(data)["stderr"],
        both,
        {"numpy at once": lambda: np.sqrt(((s * weights) ** 2).sum(axis=1)) / 1e7},
        {},
        close(),
        repeats,
    )
    window = tuple(f"{end} nm" for end in WINDOW)
    inside = (z >= WINDOW[0]) & (z <= WINDOW[1])

    def above() -> Any:
        level = c[:, inside].mean(axis=1)
        return (np.trapezoid(c, z, axis=1) - level * (z[-1] - z[0])) / 1e7

    yield Case(
        "dose above a background window",
        size,
        lambda: sims.integrated_dose(plain, background=window),
        {"sum": lambda: np.sum(c)},
        {"numpy at once": above},
        {},
        close(),
        repeats,
    )
    yield Case(
        "... and its standard error",
        size,
        lambda: sims.integrated_dose(data, background=window),
        both,
        repeats=repeats,
    )


def _shape(rows: int, repeats: int) -> Iterator[Case]:
    data = implants(rows)
    c, z = data.values, data["depth"].values
    size = f"{rows:,} x {z.size:,}"
    bare = {"sum": lambda: np.sum(c)}
    width = np.diff(z)
    weights = 0.5 * (np.append(width, 0.0) + np.append(0.0, width))

    def straggle() -> Any:
        mass = c * weights
        total = mass.sum(axis=1)
        mean = (mass * z).sum(axis=1) / total
        return np.sqrt((mass * (z - mean[:, None]) ** 2).sum(axis=1) / total)

    yield Case(
        "peak and its width",
        size,
        lambda: sims.peak(data)["concentration"],
        bare,
        {"np.max alone": lambda: c.max(axis=1)},
        {},
        close(),
        repeats,
    )
    yield Case(
        "four moments",
        size,
        lambda: sims.moments(data)["straggle"],
        bare,
        {"two of them by numpy at once": straggle},
        {},
        close(1e-7),
        repeats,
    )
    yield Case(
        "four moments above a threshold",
        size,
        lambda: sims.moments(data, threshold=0.01),
        bare,
        repeats=repeats,
    )
