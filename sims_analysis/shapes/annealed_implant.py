"""A Gaussian implant after diffusion, the surface reflecting what reaches it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sims_analysis.kernels.samples import Array, smoothed
from sims_analysis.shapes import gaussian
from sims_analysis.shapes.erfc import DIFFUSIVITY
from sims_analysis.shapes.model import Model, Parameter
from sims_analysis.shapes.start_values import fall_length, moments_above
from sims_analysis.units import NM_PER_CM


def formula(z: Array, dose: float, projected_range: float, straggle: float) -> Array:
    """Return ``G(z - Rp) + G(z + Rp)``: the Gaussian and its mirror image above the surface."""
    return gaussian.formula(z, dose, projected_range, straggle) + gaussian.formula(
        z, dose, -projected_range, straggle
    )


def derivatives(z: Array, dose: float, projected_range: float, straggle: float) -> Array:
    """Return the derivatives with respect to dose, projected range and straggle."""
    below = gaussian.derivatives(z, dose, projected_range, straggle)
    mirrored = gaussian.derivatives(z, dose, -projected_range, straggle)
    mirrored[1] *= -1
    return below + mirrored


def start(z: Array, c: Array) -> list[tuple[float, ...]]:
    """Take moments, of the profile as it is and of one whose maximum is at the surface."""
    m = moments_above(z, c, 0.1)
    area = float(np.trapezoid(np.clip(c, 0.0, None), z))
    half = fall_length(z, smoothed(c), 0.5)
    return [(m.area, max(m.mean, 0.2 * m.deviation), m.deviation), (area, 0.7 * half, half)]


def diffusivity(p: Mapping[str, float], options: Mapping[str, float]) -> list[float]:
    """Return ``D = (s^2 - s0^2) / 2 t``, s0 the straggle as implanted."""
    grown = p["straggle"] ** 2 - options["initial_straggle"] ** 2
    return [grown / NM_PER_CM**2 / (2 * options["time"])]


def from_diffusivity(value: float, options: Mapping[str, float]) -> float:
    """Return the straggle that a diffusivity makes of that as implanted."""
    grown = 2 * value * NM_PER_CM**2 * options["time"]
    return float(np.sqrt(options["initial_straggle"] ** 2 + grown))


MODEL = Model(
    name="annealed_implant",
    summary="a Gaussian implant after diffusion under a reflecting surface",
    parameters=(
        Parameter("dose", "area", "integral from the surface", lower=0),
        Parameter("projected_range", "depth", "mean depth as implanted", lower=0),
        Parameter("straggle", "depth", "sqrt(s0^2 + 2 D t), s0 as implanted", lower=0),
    ),
    formula=formula,
    derivatives=derivatives,
    start=start,
    reference="R. B. Fair, in: Impurity Doping Processes in Silicon, North-Holland 1981, ch. 7",
    shape="surface_peak",
    derived=(
        Parameter(
            DIFFUSIVITY.name,
            "diffusivity",
            "(straggle^2 - initial_straggle^2) / 2 t, with time= and initial_straggle=",
        ),
    ),
    derive=diffusivity,
    options=("time", "initial_straggle"),
    restated={DIFFUSIVITY.name: ("straggle", from_diffusivity)},
)
