"""Fits of models, beside a bare loop over scipy's curve_fit that is told where to begin."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import xarray as xr
from scipy.optimize import curve_fit

import sims_analysis as sims

from .timing import Case

NOISE = 0.01


def cases(rows: int, repeats: int) -> Iterator[Case]:
    for points in (100, 1000):
        yield _gaussians(min(rows, 1000), points, repeats)


def _gaussians(rows: int, points: int, repeats: int) -> Case:
    rng = np.random.default_rng(0)
    z = np.linspace(0.0, 300.0, points)
    mean, width = rng.uniform((80, 25), (160, 40), (rows, 2)).T[..., None]
    clean = _gaussian(z, 1e15, mean, width)
    error = NOISE * clean.max(axis=1, keepdims=True) * np.ones_like(clean)
    c = clean + error * rng.normal(size=clean.shape)
    attrs = {"units": "atom/cm^3"}
    ds = xr.Dataset(
        {
            "concentration": (("profile", "depth"), c, attrs),
            "concentration_stderr": (("profile", "depth"), error, attrs),
        },
        coords={"depth": ("depth", z, {"units": "nm"})},
    )

    def loop() -> Any:
        found = []
        for row, sigma in zip(c, error, strict=True):
            top = int(row.argmax())
            start = [row[top] * 80e-7, z[top], 30.0]
            best, _ = curve_fit(_gaussian, z, row, p0=start, sigma=sigma, absolute_sigma=True)
            found.append(best[1])
        return found

    def same(name: str, ours: Any, theirs: Any) -> None:
        np.testing.assert_allclose(ours.values, theirs, rtol=1e-5, err_msg=name)

    return Case(
        "Gaussians fitted, with status and errors",
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
