"""The operations, the bare numpy passes that bound them, and what a user would write today."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from scipy.interpolate import PchipInterpolator
from scipy.optimize import brentq

import sims_analysis as sims

from .timing import Case

LEVEL = 1e17
START, STOP = 10.1, 499.7
#: Rows on which slow peers are timed; the time is scaled up, and marked with ~.
FEW = 500


def implants(
    rows: int, n: int = 1000, *, zeros: float = 0.001, gaps: float = 0.0, seed: int = 0
) -> xr.DataArray:
    """Make implants with a noisy tail, zeros in it, ties and perhaps gaps, on one axis."""
    rng = np.random.default_rng(seed)
    z = np.linspace(0.0, 600.0, n)
    value = np.empty((rows, n))
    for begin in range(0, rows, 1000):
        part = value[begin : begin + 1000]
        rp, width = rng.uniform((80, 25), (160, 40), (len(part), 2)).T[..., None]
        part[:] = 1e20 * np.exp(-(((z - rp) / width) ** 2) / 2)
        np.maximum(part, rng.integers(1, 8, part.shape) * 1e14, out=part)
        part[(part < 1e15) & (rng.random(part.shape) < zeros)] = 0.0
        if gaps:
            part[rng.random(part.shape) < gaps] = np.nan
    return xr.DataArray(
        value,
        dims=("profile", "depth"),
        coords={"depth": ("depth", z, {"units": "nm"})},
        attrs={"units": "atom/cm^3"},
        name="concentration",
    )


def wells(rows: int) -> xr.DataArray:
    """Make implants of an acceptor into wells of a donor, with zeros, noise and ties."""
    acceptor = implants(rows)
    z, rng = acceptor["depth"].values, np.random.default_rng(1)
    pairs = np.empty((rows, 2, z.size))
    pairs[:, 1] = acceptor.values
    for begin in range(0, rows, 1000):
        part = pairs[begin : begin + 1000, 0]
        part[:] = np.round(10 * np.exp(-z / 600) * rng.uniform(0.8, 1.25, part.shape), 1) * 1e16
        part[rng.random(part.shape) < 0.001] = 0.0
    return xr.DataArray(
        pairs,
        dims=("measurement", "species", "depth"),
        coords={"species": ["P", "B"], "depth": acceptor["depth"]},
        attrs=acceptor.attrs,
        name="concentration",
    )


def close(tolerance: float = 1e-9) -> Any:
    """Compare a peer's first answers with ours."""

    def same(name: str, ours: Any, theirs: Any) -> None:
        found = np.asarray(ours.values if hasattr(ours, "values") else ours, dtype=float)
        wanted = np.asarray(getattr(theirs, "magnitude", theirs), dtype=float)
        np.testing.assert_allclose(
            wanted, found[: len(wanted)], rtol=tolerance, err_msg=f"{name} disagrees with ours"
        )

    return same


def cases(rows: int, repeats: int) -> Iterator[Case]:
    """Yield the cases of one size."""
    data = implants(rows)
    c, z = data.values, data["depth"].values
    few = min(rows, FEW)
    size = f"{rows:,} x {z.size:,}"
    scratch = np.empty_like(c)
    sums = {"sum": lambda: np.sum(c)}
    logs = {"log": lambda: quiet_log(c, scratch), **sums}
    inside = (z > START) & (z < STOP)
    axis = np.concatenate([[START], z[inside], [STOP]])

    def trapezoids() -> Any:
        # What a user writes who minds the limits.
        return [
            np.trapezoid(
                np.concatenate([[np.interp(START, z, r)], r[inside], [np.interp(STOP, z, r)]]), axis
            )
            / 1e7
            for r in c[:few]
        ]

    scaled = {"loop over np.trapezoid": rows / few}
    yield Case(
        "dose, trapezoid, limits",
        size,
        lambda: sims.integrated_dose(data, start=f"{START} nm", stop=f"{STOP} nm"),
        sums,
        {
            "loop over np.trapezoid": trapezoids,
            "xarray integrate over interp to the limits": lambda: (
                data.interp(depth=axis).integrate("depth").values / 1e7
            ),
        },
        scaled,
        close(),
        repeats,
    )
    yield Case(
        "dose, trapezoid, whole",
        size,
        lambda: sims.integrated_dose(data),
        sums,
        {
            "np.trapezoid": lambda: np.trapezoid(c, z, axis=1) / 1e7,
            "xarray .integrate": lambda: data.integrate("depth").values / 1e7,
            "pandas groupby": _pandas_dose(c[:few], z),
        },
        {"pandas groupby": rows / few},
        close(),
        repeats,
    )
    yield Case(
        "dose, loglinear, limits",
        size,
        lambda: sims.integrated_dose(
            data, start=f"{START} nm", stop=f"{STOP} nm", rule="loglinear"
        ),
        logs,
        repeats=repeats,
    )
    yield Case("cumulative dose", size, lambda: sims.cumulative_dose(data), sums, repeats=repeats)
    own = own_axes(data)
    yield Case(
        "dose, trapezoid, own axes, limits",
        size,
        lambda: sims.integrated_dose(own, start=f"{START} nm", stop=f"{STOP} nm"),
        sums,
        repeats=repeats,
    )
    yield Case(
        "all crossings",
        size,
        lambda: sims.crossings(data, level=f"{LEVEL} atoms/cm^3")["depth"],
        sums,
        {"loop over np.sign": lambda: [_sign_crossings(r, z) for r in c[:few]]},
        {"loop over np.sign": rows / few},
        _same_crossings,
        repeats,
    )
    yield _metallurgical(rows, repeats)
    yield Case(
        "junction depth",
        size,
        lambda: sims.junction_depth(data, level=f"{LEVEL} atoms/cm^3"),
        sums,
        {
            "loop over np.sign": lambda: [_sign_crossings(r, z)[-1] for r in c[:few]],
            "scipy Pchip + brentq": lambda: [_brentq(r, z) for r in c[: min(few, 100)]],
        },
        {"loop over np.sign": rows / few, "scipy Pchip + brentq": rows / min(few, 100)},
        close(1e-3),
        repeats,
    )
    at = xr.DataArray(np.linspace(0.3, 599.7, z.size // 2), dims="depth", attrs={"units": "nm"})
    for method in ("log", "linear"):
        peers = {
            "loop over np.interp": lambda: [np.interp(at.values, z, r) for r in c[:few]],
            "xarray .interp": lambda: data.interp(depth=at.values).values,
        }
        yield Case(
            f"interpolation, {method}, to half the points",
            size,
            lambda method=method: sims.interpolate(data, depth=at, method=method),  # type: ignore[misc]
            logs,
            peers if method == "linear" else {},
            {"loop over np.interp": rows / few},
            close(),
            repeats,
        )
    if rows <= 100 and importlib.util.find_spec("pint_xarray"):
        yield _pint_chain(data, size, repeats)


def _metallurgical(rows: int, repeats: int) -> Case:
    """Junctions of half as many measurements of two species: as many samples as the others."""
    pairs = wells(max(rows // 2, 1))
    both, z = pairs.values, pairs["depth"].values
    few = both[:FEW]

    def loop() -> Any:
        found = []
        for donor, acceptor in few:
            with np.errstate(divide="ignore", invalid="ignore"):
                s = np.log(acceptor / donor)
                i = np.flatnonzero(np.diff(np.sign(s)))
                found.append(z[i] + s[i] / (s[i] - s[i + 1]) * (z[i + 1] - z[i]))
        return found

    return Case(
        "metallurgical junctions",
        f"{len(both):,} x 2 x {z.size:,}",
        lambda: sims.metallurgical_junctions(pairs, donors=["P"], acceptors=["B"])["depth"],
        {"sum of both": lambda: np.sum(both)},
        {"loop over np.sign": loop},
        {"loop over np.sign": len(both) / len(few)},
        repeats=repeats,
    )


def quiet_log(c: np.ndarray, out: np.ndarray) -> None:
    with np.errstate(divide="ignore"):
        np.log(c, out=out)


def _pandas_dose(c: np.ndarray, z: np.ndarray) -> Any:
    frame = pd.DataFrame(
        {"profile": np.repeat(np.arange(len(c)), z.size), "z": np.tile(z, len(c)), "c": c.ravel()}
    )
    return lambda: [
        np.trapezoid(group["c"], group["z"]) / 1e7 for _, group in frame.groupby("profile")
    ]


def own_axes(data: xr.DataArray) -> xr.DataArray:
    shift = np.linspace(0.0, 0.3, data.sizes["profile"])
    depth = data["depth"].values + shift[:, None]
    value = data.values.copy()
    depth[:, -50:] = value[:, -50:] = np.nan
    return xr.DataArray(
        value,
        dims=("profile", "point"),
        coords={"depth": (("profile", "point"), depth, {"units": "nm"})},
        attrs=data.attrs,
        name="concentration",
    )


def _sign_crossings(row: np.ndarray, z: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        s = np.log(row / LEVEL)
    i = np.flatnonzero(np.diff(np.sign(s)))
    return z[i] + s[i] / (s[i] - s[i + 1]) * (z[i + 1] - z[i])


def _same_crossings(name: str, ours: Any, theirs: Any) -> None:
    for found, wanted in zip(ours.values, theirs, strict=False):
        np.testing.assert_allclose(found[~np.isnan(found)], wanted, rtol=1e-9, err_msg=name)


def _brentq(row: np.ndarray, z: np.ndarray) -> float:
    peak = int(row.argmax())
    curve = PchipInterpolator(z, row)
    below = peak + int(np.argmax(row[peak:] < LEVEL))
    return float(brentq(lambda x: curve(x) - LEVEL, z[peak], z[below]))


def _pint_chain(data: xr.DataArray, size: str, repeats: int) -> Case:
    import pint_xarray  # noqa: F401

    def chain() -> Any:
        q = data.pint.quantify({"concentration": "1 / cm^3", "depth": "nm"})
        part = q.pint.sel(depth=slice(START, STOP)).pint.dequantify()
        return part.integrate("depth").values / 1e7

    return Case(
        "dose with units",
        size,
        lambda: sims.integrated_dose(data, start=f"{START} nm", stop=f"{STOP} nm"),
        {},
        {"pint-xarray quantify + sel + integrate": chain},
        {},
        close(1e-2),  # masking loses the ends
        repeats,
    )
