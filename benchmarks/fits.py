"""Fits of models, compared with a bare loop over scipy's curve_fit that is told where to begin.

``python -m benchmarks --rule`` measures how often a fit is called wrong: right fits (false alarms)
and wrong ones (power), by the number of samples and the kind of noise.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import xarray as xr
from scipy.optimize import curve_fit

import sims_analysis as sims
from sims_analysis.errors import FitWarning
from sims_analysis.shapes import models

from .timing import Case

NOISE = 0.01
#: What is fitted to what: parameters in nm, a dose of 1e15 atoms/cm^2, and where samples end.
TRUTHS = {
    "gaussian": ((100, 30), 220),
    "joined_gaussian": ((100, 25, 40), 260),
    "pearson": ((100, 30, 0.6, 3.9), 260),
    "dual_pearson": ((0.8, 100, 25, -0.2, 3.2, 170, 55, 0.6, 4.2), 400),
}
PAIRS = (
    ("gaussian", "gaussian"),
    ("joined_gaussian", "joined_gaussian"),
    ("pearson", "pearson"),
    ("gaussian", "pearson"),
    ("joined_gaussian", "pearson"),
    ("pearson", "dual_pearson"),
)


def cases(rows: int, repeats: int) -> Iterator[Case]:
    for points in (100, 1000):
        yield _gaussians(min(rows, 1000), points, repeats, counts=False)
        yield _gaussians(min(rows, 1000), points, repeats, counts=True)
    yield _dual(repeats)
    yield _blurred(min(rows, 1000), repeats)


def _gaussians(rows: int, points: int, repeats: int, *, counts: bool) -> Case:
    rng = np.random.default_rng(0)
    z = np.linspace(0.0, 300.0, points)
    mean, width = rng.uniform((80, 25), (160, 40), (rows, 2)).T[..., None]
    clean = _gaussian(z, 1e15, mean, width)
    top = clean.max(axis=1, keepdims=True)
    columns: dict[str, Any] = {}
    if counts:
        k = rng.poisson(1000 * clean / top)
        c, error = k * top / 1000, np.sqrt(np.maximum(k, 1)) * top / 1000
        columns["concentration_counts"] = (("profile", "depth"), k * 1.0, {"units": "count"})
    else:
        error = NOISE * top * np.ones_like(clean)
        c = clean + error * rng.normal(size=clean.shape)
    attrs = {"units": "atom/cm^3"}
    ds = xr.Dataset(
        {
            "concentration": (("profile", "depth"), c, attrs),
            "concentration_stderr": (("profile", "depth"), error, attrs),
            **columns,
        },
        coords={"depth": ("depth", z, {"units": "nm"})},
    )

    def loop() -> Any:
        found = []
        for row, sigma in zip(c, error, strict=True):
            at = int(row.argmax())
            start = [row[at] * 80e-7, z[at], 30.0]
            best, _ = curve_fit(_gaussian, z, row, p0=start, sigma=sigma, absolute_sigma=True)
            found.append(best[1])
        return found

    def same(name: str, ours: Any, theirs: Any) -> None:
        # Of counts, squares over the roots of what was counted are another estimate.
        tolerance = {"rtol": 0.02} if counts else {"rtol": 1e-5}
        np.testing.assert_allclose(ours.values, theirs, err_msg=name, **tolerance)

    return Case(
        f"Gaussians fitted by {'counts' if counts else 'errors'}, with status",
        f"{rows:,} x {points:,}",
        lambda: sims.fit(ds, model="gaussian", progress=False)["projected_range"],
        {},
        {"loop over curve_fit": loop},
        same=same,
        repeats=repeats,
        once=True,
    )


def _gaussian(z: Any, dose: Any, mean: Any, width: Any) -> Any:
    return dose / (np.sqrt(2 * np.pi) * width * 1e-7) * np.exp(-(((z - mean) / width) ** 2) / 2)


def _dual(repeats: int) -> Case:
    one = sims.open_example("boron-implant").sel(species="B")
    return Case(
        "a dual Pearson distribution, ten parameters",
        "1 x 250",
        lambda: sims.fit(one, model="dual_pearson", progress=False)["dose"],
        repeats=repeats,
        once=True,
    )


def _blurred(rows: int, repeats: int) -> Case:
    z = np.linspace(0.0, 300.0, 1000)
    c = _gaussian(z, 1e15, 120.0, 30.0) * np.random.default_rng(0).uniform(0.5, 1, (rows, 1))
    axis = ("depth", z, {"units": "nm"})
    attrs = {"units": "atom/cm^3"}
    one = xr.DataArray(c, dims=("profile", "depth"), coords={"depth": axis}, attrs=attrs)
    widths = {"lambda_growth": "1 nm", "lambda_decay": "2 nm", "sigma": "1.5 nm"}
    return Case(
        "profiles of one axis blurred",
        f"{rows:,} x 1,000",
        lambda: sims.convolve(one, resolution=widths),
        repeats=repeats,
        once=True,
    )


# --- when a fit is not ok ---------------------------------------------------------------------


def rule(trials: int) -> None:
    """Print how many of the fits of models to profiles are called wrong, in per cent."""
    print(f"fits that are `wrong_shape`, in % of {trials} (in brackets: residuals not `random`)\n")
    noises = ("5 %, independent", "5 %, averaged over 3", "100 counts at the peak")
    print(f"{'model on truth':<36}{'samples':>8}  " + "".join(f"{one:>26}" for one in noises))
    for model, truth in PAIRS:
        for points in (12, 20, 30, 100, 300):
            if points < len(TRUTHS[model][0]) + 6:
                continue
            told = []
            for kind in range(len(noises)):
                wrong, odd = _judged(model, truth, points, kind, trials)
                told.append(f"{wrong:16.1f} ({odd:5.1f})")
            print(
                f"{f'{model} on {truth}':<36}{points:>8}  " + "".join(f"{one:>26}" for one in told)
            )


def _judged(model: str, truth: str, points: int, kind: int, trials: int) -> tuple[float, float]:
    parameters, end = TRUTHS[truth]
    rng = np.random.default_rng(points + kind)
    z = np.linspace(0.05 * end, end, points)
    clean = models()[truth].formula(z, 1e22, *parameters)
    top = clean.max()
    ds = xr.Dataset(coords={"depth": ("depth", z, {"units": "nm"})})
    over = 3 if kind == 1 else 1
    noise = rng.normal(size=(trials, points + over - 1))
    averaged = sum(noise[:, i : i + points] for i in range(over)) / np.sqrt(over)
    c = clean * np.exp(0.05 * averaged)
    if kind == 2:
        k = rng.poisson(np.broadcast_to(100 * clean / top, (trials, points)))
        c = k * top / 100
        ds["concentration_counts"] = (("trial", "depth"), k * 1.0, {"units": "count"})
    ds["concentration"] = (("trial", "depth"), c, {"units": "atom/cm^3"})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        fit = sims.fit(ds, model=model, progress=False)
    judged = ~fit["status"].isin(["featureless", "too_few_samples", "not_converged"])
    wrong = (fit["status"] == "wrong_shape").where(judged).mean()
    odd = (fit["residuals"] != "random").where(judged).mean()
    return 100 * float(wrong), 100 * float(odd)
