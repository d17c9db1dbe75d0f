"""Restored profiles against the truth, compared with rivals that are stopped by knowing it.

``python -m benchmarks --restoring 5`` prints tables: errors of twelve truths at four maxima, how
often bands cover, how often a function too wide is reported, how far steps overshoot, and times.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import xarray as xr
from scipy import linalg, optimize, special

import sims_analysis as sims
from sims_analysis.errors import SimsWarning
from sims_analysis.shapes import models

WIDTHS = {"lambda_growth": 0.8, "lambda_decay": 1.7, "sigma": 1.1}
RESOLUTION = {name: f"{width} nm" for name, width in WIDTHS.items()}
MAXIMA = (1e2, 1e3, 1e4, 1e5)
#: Samples 0.4 nm apart, and the steps in which truths are blurred: exact to their rounding.
Z = np.arange(250) / 2.5
FINE = 0.02
PER_COUNT = 1e16
_INNER = np.arange(-60.0, 160.0, FINE) + FINE / 2


def _between(z: Any, *edges: float) -> Any:
    inside = [(z > a) & (z < b) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    return np.any(inside, axis=0)


#: The first are extended; of deltas, the distance that atoms have to move counts.
TRUTHS: dict[str, Callable[[Any], Any]] = {
    "box of 10 nm": lambda z: np.where(_between(z, 55, 65), 1, 3e-5),
    "two boxes": lambda z: 3e-5 + _between(z, 40, 48) + 0.3 * _between(z, 58, 66),
    "trench": lambda z: np.where(_between(z, 44, 56), 0.1, 1.0),
    "staircase": lambda z: np.select([z < 30, z < 50, z < 70], [1.0, 0.2, 0.04], 0.008),
    "edge steeper than lambda_decay": lambda z: np.where(
        z < 50, 1, np.maximum(np.exp(-np.maximum(z - 50, 0) / 0.8), 3e-5)
    ),
    "edge flatter": lambda z: np.where(z < 50, 1, np.exp(-np.maximum(z - 50, 0) / 5)),
    "implant": lambda z: np.exp(-0.5 * ((z - 50) / 14) ** 2) + 3e-5,
    "implant with a tail": lambda z: np.where(
        z < 50, np.exp(-0.5 * ((z - 45) / 9) ** 2), 0.857 * np.exp(-(z - 50) / 7)
    ),
    "diffused": lambda z: special.erfc(np.maximum(z, 0) / 25) + 3e-5,
    "superlattice": lambda z: np.where(_between(z, *range(20, 85, 5)[:12]), 1, 0.05),
    "delta on a shoulder": lambda z: (
        0.1 * np.exp(-0.5 * ((z - 48) / 14) ** 2) + np.where(_between(z, 69.5, 70.5), 1, 3e-5)
    ),
    "deltas": lambda z: np.where(_between(z, 24.8, 25.2, 44.8, 45.2, 59.8, 60.2, 70.8, 71.2), 1, 0),
}
_APART = ("deltas",)


def blurred(truth: Callable[[Any], Any], widths: dict[str, float] | None = None) -> Any:
    """Blur a truth by sums over narrow cells, and give its means over the cells of samples."""
    u = np.arange(-60.0, 60.0, FINE)
    weights = models()["delta_drf"].formula(u, 1.0, 0.0, *(widths or WIDTHS).values()) * FINE
    values = truth(_INNER)
    whole = np.convolve(values, weights, "same")
    at = np.interp(Z, _INNER, whole)
    passed = np.concatenate([[0.0], np.cumsum(values) * FINE])
    edges = np.concatenate([_INNER - FINE / 2, _INNER[-1:] + FINE / 2])
    limits = np.interp(np.append(Z - 0.2, Z[-1] + 0.2), edges, passed)
    return at, np.diff(limits) / 0.4


def counted(counts: Any, z: Any = Z) -> xr.Dataset:
    dims = ("measurement", "depth")[-counts.ndim :]
    attrs = {"units": "atom/cm^3"}
    return xr.Dataset(
        {
            "concentration": (dims, counts * PER_COUNT, attrs),
            "concentration_counts": (dims, counts, {"units": "count"}),
        },
        coords={"depth": ("depth", z, {"units": "nm"})},
    )


# --- rivals -----------------------------------------------------------------------------------


def _matrix() -> tuple[Any, Any]:
    """Give the matrix on cells that reach 8 nm beyond the samples, and which of them are these."""
    x = np.arange(-20, 270) / 2.5
    u = np.arange(-60.0, 60.0, FINE)
    density = models()["delta_drf"].formula(u, 1.0, 0.0, *WIDTHS.values()) * FINE
    passed = np.interp(Z[:, None] - np.append(x - 0.2, x[-1] + 0.2), u, np.cumsum(density))
    passed[:, 0], passed[:, -1] = 1, 0
    return passed[:, :-1] - passed[:, 1:], slice(20, 270)


def richardson_lucy(counts: Any, steps: int = 3000) -> Iterator[Any]:
    matrix, inside = _matrix()
    x, norm = np.full(matrix.shape[1], counts.mean()), matrix.sum(axis=0)
    for step in range(steps):
        x = x * (matrix.T @ (counts / np.maximum(matrix @ x, 1e-12))) / np.maximum(norm, 1e-12)
        if step < 50 or step % 20 == 0:
            yield x[inside]


def wiener(counts: Any) -> Iterator[Any]:
    wide = np.concatenate([np.full(150, counts[0]), counts, np.full(150, counts[-1])])
    u = (np.arange(wide.size) - wide.size // 2) * 0.4
    density = models()["delta_drf"].formula(u, 1.0, 0.0, *WIDTHS.values()) * 0.4
    gain = np.fft.rfft(np.fft.ifftshift(density))
    for noise in 10.0 ** np.arange(-7, 1, 0.25):
        filtered = np.fft.rfft(wide) * gain.conj() / (np.abs(gain) ** 2 + noise)
        yield np.fft.irfft(filtered, wide.size)[150:-150]


def tikhonov(counts: Any) -> Iterator[Any]:
    matrix, inside = _matrix()
    root = 1 / np.sqrt(np.maximum(counts, 1))
    bent = np.diff(np.eye(matrix.shape[1]), 2, axis=0)
    for strength in 10.0 ** np.arange(-6, 3, 0.5):
        system = np.vstack([matrix * root[:, None], np.sqrt(strength / counts.max()) * bent])
        target = np.concatenate([counts * root, np.zeros(len(bent))])
        yield _not_negative(system, target)[inside]


def _not_negative(system: Any, target: Any) -> Any:
    square, side = system.T @ system, system.T @ target
    factor = linalg.cholesky(square + 1e-12 * np.trace(square) * np.eye(len(square)) / len(square))
    return optimize.nnls(factor, linalg.solve_triangular(factor, side, trans=1), maxiter=3000)[0]


RIVALS = {"Richardson-Lucy*": richardson_lucy, "Wiener*": wiener, "Tikhonov, x >= 0*": tikhonov}


# --- tables -----------------------------------------------------------------------------------


def error(x: Any, truth: Any, name: str) -> float:
    """Give the median error of ln x above 10 counts, or the distance that atoms are off, in nm."""
    x = np.maximum(np.nan_to_num(x), 0)
    if name in _APART:
        return float(np.abs(np.cumsum(x / x.sum() - truth / truth.sum())).sum() * 0.4)
    here = truth > 10
    return float(np.median(np.abs(np.log(np.maximum(x[here], 1e-3) / truth[here]))))


def errors(trials: int) -> dict[str, Any]:
    """Print errors of each truth, maximum and way: medians over trials."""
    ways = ("auto", "steps", *RIVALS)
    found = {way: np.full((len(TRUTHS), len(MAXIMA)), np.nan) for way in ways}
    print(
        f"\nmedian error of ln x, cells above 10 counts; {trials} trials, maxima {_listed(MAXIMA)}"
    )
    print("(deltas: distance in nm that atoms have to move; *: stopped by knowing the truth)\n")
    print(f"{'':<32}" + "".join(f"{way:>26}" for way in ways))
    for i, (name, shape) in enumerate(TRUTHS.items()):
        clean, truth = blurred(shape)
        for j, top in enumerate(MAXIMA):
            scale = top / clean.max()
            rng = np.random.default_rng([i, j])
            counts = rng.poisson(clean * scale, (trials, Z.size)).astype(float)
            for way in ("auto", "steps"):
                answer = sims.deconvolve(counted(counts), resolution=RESOLUTION, smoothness=way)
                values = answer["concentration"].values / PER_COUNT
                found[way][i, j] = np.median([error(x, truth * scale, name) for x in values])
            for way, rival in RIVALS.items():
                best = [min(error(x, truth * scale, name) for x in rival(row)) for row in counts]
                found[way][i, j] = np.median(best)
        cells = [" ".join(f"{one:5.3f}" for one in found[way][i]) for way in ways]
        print(f"{name:<32}" + "".join(f"{cell:>26}" for cell in cells), flush=True)
    extended = [i for i, name in enumerate(TRUTHS) if name not in _APART]
    means = {way: np.exp(np.log(table[extended]).mean(axis=0)) for way, table in found.items()}
    cells = [" ".join(f"{one:5.3f}" for one in means[way]) for way in ways]
    print(f"{'geometric mean, extended':<32}" + "".join(f"{cell:>26}" for cell in cells))
    pooled = [f"{np.exp(np.log(means[way]).mean()):.4f}" for way in ways]
    print(f"{'over all counts':<32}" + "".join(f"{cell:>26}" for cell in pooled))
    return found


def _listed(numbers: Any) -> str:
    return " / ".join(f"{one:g}" for one in numbers)


def bands(trials: int) -> None:
    """Print how often bands hold what data without noise are restored to, and the dose."""
    print(f"\nbands of 68 %: share of cells above 10 counts; maxima {_listed(MAXIMA)}\n")
    for name, shape in TRUTHS.items():
        clean, truth = blurred(shape)
        inside, doses = [], []
        for j, top in enumerate(MAXIMA):
            scale = top / clean.max()
            counts = np.random.default_rng([7, j]).poisson(clean * scale, (trials, Z.size))
            answer = sims.deconvolve(counted(counts.astype(float)), resolution=RESOLUTION)
            covered, off = [], []
            for i in range(trials):
                one = answer.isel(measurement=i)
                free = sims.deconvolve(
                    counted(clean * scale),
                    resolution=RESOLUTION,
                    smoothness=float(one["smoothness"]),
                )
                apart = np.abs(one["concentration"] - free["concentration"])
                here = truth * scale > 10
                covered.append(float((apart < one["concentration_stderr"]).values[here].mean()))
                seen = np.trapezoid(counts[i] * PER_COUNT, Z) * 1e-7
                off.append(abs(float(one["window_dose"] - one["carried_dose"]) / seen - 1))
            inside.append(np.mean(covered))
            doses.append(np.median(off))
        print(f"{name:<32}" + " ".join(f"{one:5.2f}" for one in inside) + "   dose off by "
              + " ".join(f"{one:7.1e}" for one in doses), flush=True)  # fmt: skip


def warned(trials: int) -> None:
    """Print how often a function that differs is reported, and how often the right one is."""
    print("\n`resolution_too_wide`, in %; maxima 30 / 100 / 300 / 1000 / 10000\n")
    steep = "edge steeper than lambda_decay"
    cases = [(f"{steep}, function 20 % too wide", steep, 1.2)]
    cases += [("box of 10 nm, 20 % too wide", "box of 10 nm", 1.2)]
    cases += [("implant, 20 % too wide", "implant", 1.2), (f"{steep}, 20 % too narrow", steep, 0.8)]
    cases += [(f"{name}, right", name, 1.0) for name in TRUTHS]
    alarms = asked = 0
    for label, name, factor in cases:
        clean, _ = blurred(TRUTHS[name])
        wide = {key: f"{factor * width} nm" for key, width in WIDTHS.items()}
        shares = []
        for j, top in enumerate((30, 100, 300, 1000, 10000)):
            rng = np.random.default_rng([11, j])
            counts = rng.poisson(clean * top / clean.max(), (trials, Z.size)).astype(float)
            answer = sims.deconvolve(counted(counts), resolution=wide)
            flagged = int((answer["status"] == "resolution_too_wide").sum())
            shares.append(100 * flagged / trials)
            if factor == 1:
                alarms, asked = alarms + flagged, asked + trials
        print(f"{label:<52}" + " ".join(f"{one:5.0f}" for one in shares), flush=True)
    print(f"false alarms: {alarms} of {asked}")


def overshoot(trials: int) -> None:
    """Print how far the restored box rises above the truth."""
    print(f"\nbox of 10 nm: largest value over the truth, in %; maxima {_listed(MAXIMA)}\n")
    clean, truth = blurred(TRUTHS["box of 10 nm"])
    for way in ("auto", "steps"):
        shares = []
        for j, top in enumerate(MAXIMA):
            scale = top / clean.max()
            counts = np.random.default_rng([3, j]).poisson(clean * scale, (trials, Z.size))
            answer = sims.deconvolve(
                counted(counts.astype(float)), resolution=RESOLUTION, smoothness=way
            )
            high = answer["concentration"].max("depth") / PER_COUNT / (truth.max() * scale) - 1
            shares.append(100 * float(high.median()))
        print(f"{way:<12}" + " ".join(f"{one:6.1f}" for one in shares))


def times() -> None:
    """Print the processor's time for 500 samples."""
    z = np.arange(500) / 5
    print("\n500 samples, 0.2 nm apart, processor's time in s:")
    for name in ("box of 10 nm", "implant", "deltas", "superlattice"):
        clean = np.interp(z, Z, blurred(TRUTHS[name])[0])
        counts = np.random.default_rng(0).poisson(1e4 * clean / clean.max()).astype(float)
        ds = counted(counts, z)
        took = []
        for _ in range(3):
            begin = time.process_time()
            sims.deconvolve(ds, resolution=RESOLUTION)
            took.append(time.process_time() - begin)
        print(f"{name:<20}{np.median(took):6.2f}", flush=True)


def run(trials: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SimsWarning)
        errors(trials)
        overshoot(trials)
        bands(trials)
        warned(trials)
        times()
