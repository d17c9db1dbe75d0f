"""Whether linked fits and fits of layers state errors that cover, and shrink as they should.

The truth is known; counts are drawn from it. Of intervals of one standard error about what was
found, 68 % should hold it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr

import sims_analysis as sims
from sims_analysis.shapes import models

LEVELS = (1000, 100, 10)
LAYERS = np.array([12.0, 24.0, 36.0, 48.0, 60.0])
WIDTHS = {"lambda_growth": 1.0, "lambda_decay": 2.2, "sigma": 1.4}
PROFILES = 5


def counted(c: np.ndarray, z: np.ndarray, peak: int, rng: np.random.Generator) -> xr.Dataset:
    """Draw counts, so many of them expected at the largest value."""
    counts, one = rng.poisson(c / c.max() * peak), c.max() / peak
    dims = ("measurement", "depth")[-c.ndim :]
    return xr.Dataset(
        {
            "concentration": (dims, counts * one, {"units": "atom/cm^3"}),
            "concentration_counts": (dims, counts.astype(float), {"units": "count"}),
        },
        coords={"depth": ("depth", z, {"units": "nm"})},
    )


Found = tuple[xr.Dataset, dict[str, Any]]


def gaussians(peak: int, rng: np.random.Generator) -> Found:
    """Fit Gaussians of one straggle and depth, and doses of their own."""
    z = np.linspace(0, 220, 111)
    shape = models()["gaussian"].formula
    c = np.array([shape(z, 1e22 * (1 + 0.1 * i), 100, 30) for i in range(PROFILES)])
    ds = counted(c, z, peak, rng)
    shared = ["straggle", "projected_range"]
    truth = {"straggle": 30.0, "projected_range": 100.0}
    return sims.fit(ds, model="gaussian", shared=shared, over="measurement"), truth


def layers(peak: int, rng: np.random.Generator) -> Found:
    """Fit five delta layers that share their widths."""
    z = np.arange(0, 76, 0.4)
    shape = models()["delta_drf"].formula
    c = sum(shape(z, 1e20 * (1 + 0.1 * i), x, *WIDTHS.values()) for i, x in enumerate(LAYERS))
    ds = counted(np.asarray(c), z, peak, rng)
    return sims.fit(ds, model="delta_drf", repeat=len(LAYERS)), {"position": LAYERS, **WIDTHS}


def anneals(peak: int, rng: np.random.Generator) -> Found:
    """Fit one diffusivity to three anneals of a measured profile, all with so many counts."""
    z, times, diffusivity = np.linspace(0.5, 240, 120), np.array([600.0, 1800.0, 5400.0]), 1e-16
    fine = np.linspace(-300, 600, 4501)
    before = np.exp(-0.5 * ((abs(fine) - 60) / 12) ** 2)
    widths = np.sqrt(2 * diffusivity * 1e14 * times)
    kernels = np.exp(-0.5 * (fine[:, None] / widths) ** 2)
    blurred = [np.convolve(before, k / k.sum(), "same") for k in kernels.T]
    shift = (fine.size // 2 - np.searchsorted(fine, 0)) * (fine[1] - fine[0])
    c = np.array([np.interp(z, fine + shift, one) for one in blurred])
    initial = counted(np.interp(z, fine, before), z, peak, rng)
    ds = counted(c, z, peak, rng)
    time = xr.DataArray(times, dims="measurement", attrs={"units": "s"})
    return (
        sims.fit(
            ds,
            model="annealed_implant",
            shared=["diffusivity"],
            as_implanted=initial,
            time=time,
        ),
        {"diffusivity": diffusivity},
    )


CASES: dict[str, Callable[..., Found]] = {
    "five Gaussians": gaussians,
    "five delta layers": layers,
    "three anneals": anneals,
}


def run(trials: int) -> None:
    """Print coverage in per cent, and in brackets how many parameters have an error."""
    print(f"| {'case, parameter':<30} | " + " | ".join(f"{n} counts" for n in LEVELS) + " |")
    for case, fits in CASES.items():
        inside: dict[str, dict[int, list[bool]]] = {}
        stated: dict[str, dict[int, int]] = {}
        for peak in LEVELS:
            for trial in range(trials):
                fit, truth = fits(peak, np.random.default_rng([trial, peak]))
                for name, value in truth.items():
                    away = np.ravel(abs(fit[name] - value) / fit[f"{name}_stderr"])
                    known = np.isfinite(away)
                    inside.setdefault(name, {}).setdefault(peak, []).extend(away[known] < 1)
                    so_far = stated.setdefault(name, {})
                    so_far[peak] = so_far.get(peak, 0) + away.size
        for name, found in inside.items():
            cells = [
                f"{100 * np.mean(found[n]):.0f} ({100 * len(found[n]) / stated[name][n]:.0f})"
                for n in LEVELS
            ]
            print(f"| {case + ', ' + name:<30} | " + " | ".join(cells) + " |")
    print(f"{trials} trials; per cent that hold the truth (per cent with an error)")
    print(shrinking())


def shrinking() -> str:
    """Compare the error of what profiles share with that of one of them."""
    errors = []
    for n in (1, 4, 16, 64):
        z = np.linspace(0, 220, 111)
        c = np.tile(models()["gaussian"].formula(z, 1e22, 100, 30), (n, 1))
        ds = counted(c, z, 1000, np.random.default_rng(0))
        fit = sims.fit(ds, model="gaussian", shared=["straggle"], over="measurement")
        errors.append(fit["straggle_stderr"].item())
    ratios = ", ".join(f"{errors[0] / one:.2f}" for one in errors)
    return f"error of one over that of 1, 4, 16, 64 linked profiles: {ratios}"
