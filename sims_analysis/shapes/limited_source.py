"""Diffusion of a fixed dose from a thin layer at the surface."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt

import numpy as np

from sims_analysis.kernels.samples import Array
from sims_analysis.shapes import gaussian
from sims_analysis.shapes.erfc import DIFFUSION_LENGTH
from sims_analysis.shapes.erfc import MODEL as CONSTANT_SOURCE
from sims_analysis.shapes.model import Parameter
from sims_analysis.shapes.start_values import fall_length


def formula(z: Array, dose: float, diffusion_length: float) -> Array:
    """Return ``Q / sqrt(pi D t) exp(-z^2 / (4 D t))``: half of a Gaussian."""
    return gaussian.formula(z, 2 * dose, 0.0, diffusion_length / sqrt(2))


def derivatives(z: Array, dose: float, diffusion_length: float) -> Array:
    """Return the derivatives with respect to dose and diffusion length."""
    rows = gaussian.derivatives(z, 2 * dose, 0.0, diffusion_length / sqrt(2))
    return np.stack([2 * rows[0], rows[2] / sqrt(2)])


def start(z: Array, c: Array) -> list[tuple[float, ...]]:
    """Take the first samples for the surface, and the depth where a quarter is left."""
    length = fall_length(z, c) / 1.1774
    surface = float(c[: max(1, c.size // 20)].mean())
    return [(surface * np.sqrt(np.pi) * length / 2, length)]


MODEL = replace(
    CONSTANT_SOURCE,
    name="limited_source",
    summary="diffusion of a fixed dose from the surface",
    parameters=(Parameter("dose", "area", "integral from the surface", lower=0), DIFFUSION_LENGTH),
    formula=formula,
    derivatives=derivatives,
    start=start,
    reference="J. Crank, The Mathematics of Diffusion, 2nd ed., Oxford 1975, section 2.2",
)
