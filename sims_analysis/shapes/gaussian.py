"""A Gaussian: an implant's first two moments."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.special import ndtr

from sims_analysis.kernels.samples import Array
from sims_analysis.shapes.model import Model, Parameter
from sims_analysis.shapes.start_values import moments_above


def formula(z: Array, dose: float, projected_range: float, straggle: Array | float) -> Array:
    """Return ``Q / (sqrt(2 pi) s) exp(-(z - Rp)^2 / (2 s^2))``."""
    u = (z - projected_range) / straggle
    peak: Array = dose / (np.sqrt(2 * np.pi) * straggle) * np.exp(-0.5 * u * u)
    return peak


def derivatives(z: Array, dose: float, projected_range: float, straggle: Array | float) -> Array:
    """Return the derivatives with respect to dose, projected range and straggle."""
    u = (z - projected_range) / straggle
    square = u * u
    rows = np.empty((3, *z.shape))
    rows[0] = np.exp(-0.5 * square) / (np.sqrt(2 * np.pi) * straggle)
    slope = dose / straggle * rows[0]
    rows[1] = slope * u
    rows[2] = slope * (square - 1.0)
    return rows


def start(z: Array, c: Array) -> list[tuple[float, ...]]:
    """Take the moments above a tenth of the maximum: 0.968 and 0.907 of a whole Gaussian's."""
    m = moments_above(z, c, 0.1)
    return [(m.area / 0.968, m.mean, m.deviation / 0.907)]


def retained(p: Mapping[str, float], options: Mapping[str, float]) -> list[float]:
    """Return the part of the dose that lies below the surface: ``Q Phi(Rp / s)``."""
    return [p["dose"] * float(ndtr(p["projected_range"] / p["straggle"]))]


MODEL = Model(
    name="gaussian",
    summary="an implant by its range and straggle",
    parameters=(
        Parameter("dose", "area", "integral over all depths, above the surface included", lower=0),
        Parameter("projected_range", "depth", "mean depth of the atoms"),
        Parameter("straggle", "depth", "standard deviation of the depth of the atoms", lower=0),
    ),
    formula=formula,
    derivatives=derivatives,
    start=start,
    location="projected_range",
    reference="J. Lindhard, M. Scharff, H. E. Schioett, Mat. Fys. Medd. Dan. Vid. Selsk. 33 "
    "no. 14 (1963)",
    derived=(Parameter("retained_dose", "area", "part of the dose that lies below the surface"),),
    derive=retained,
    on_time=True,
)
