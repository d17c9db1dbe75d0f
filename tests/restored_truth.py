"""Profiles of known shape, blurred by quadrature and counted."""

import numpy as np
import xarray as xr

from sims_analysis.shapes import models

#: Widths in nm: 3.9 nm wide at half maximum.
WIDTHS = {"lambda_growth": 0.8, "lambda_decay": 1.7, "sigma": 1.1}
RESOLUTION = {name: f"{width} nm" for name, width in WIDTHS.items()}
#: Value of one count, in atom/cm^3.
PER_COUNT = 1e16


def blurred(truth, z, widths=None, name="delta_drf"):
    """Blur a function of depth, by sums over 0.02 nm."""
    u = np.arange(-40, 40, 0.02)
    weights = models()[name].formula(u, 1.0, 0.0, *(widths or WIDTHS).values())
    return (truth(z[:, None] - u) * weights).sum(axis=1) / weights.sum()


def counted(expected, z, seed=0, stderr=True):
    """Count, and give concentrations with their errors and counts."""
    rng = np.random.default_rng(seed)
    k = expected if seed is None else rng.poisson(expected).astype(float)
    attrs = {"units": "atom/cm^3"}
    ds = xr.Dataset(
        {
            "concentration": ("depth", k * PER_COUNT, attrs),
            "concentration_counts": ("depth", k, {"units": "count"}),
        },
        coords={"depth": ("depth", z, {"units": "nm"})},
    )
    if stderr:
        ds["concentration_stderr"] = ("depth", np.sqrt(np.maximum(k, 0.85)) * PER_COUNT, attrs)
    return ds


def box(z, low=55.0, high=65.0, base=1e-3):
    return np.where((z > low) & (z < high), 1.0, base)


def implant(z):
    return np.exp(-0.5 * ((z - 50) / 12) ** 2) + 1e-4


def edge(z):
    """A plateau that ends in 0.6 nm per factor e, steeper than the function."""
    return np.where(z < 50, 1.0, np.maximum(np.exp(-np.maximum(z - 50, 0) / 0.6), 1e-4))
