"""Diffusion from a surface whose concentration stays constant."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy import special

from sims_analysis.kernels.samples import Array
from sims_analysis.shapes.model import Model, Parameter
from sims_analysis.shapes.start_values import fall_length
from sims_analysis.units import NM_PER_CM

#: What every model of diffusion has.
DIFFUSION_LENGTH = Parameter("diffusion_length", "depth", "2 sqrt(D t)", lower=0)
DIFFUSIVITY = Parameter("diffusivity", "diffusivity", "diffusion_length^2 / 4 t, with time=")


def diffusivity(p: Mapping[str, float], options: Mapping[str, float]) -> list[float]:
    """Return D of a diffusion length and the time that it took."""
    return [(p["diffusion_length"] / NM_PER_CM) ** 2 / (4 * options["time"])]


def from_diffusivity(value: float, options: Mapping[str, float]) -> float:
    """Return the diffusion length of a diffusivity: ``2 sqrt(D t)``."""
    return 2 * NM_PER_CM * float(np.sqrt(value * options["time"]))


#: The diffusion length is that of a diffusivity which profiles have in common.
RESTATED = {DIFFUSIVITY.name: (DIFFUSION_LENGTH.name, from_diffusivity)}


def formula(z: Array, surface_concentration: float, diffusion_length: float) -> Array:
    """Return ``C_s erfc(z / (2 sqrt(D t)))``."""
    value: Array = surface_concentration * special.erfc(z / diffusion_length)
    return value


def derivatives(z: Array, surface_concentration: float, diffusion_length: float) -> Array:
    """Return the derivatives with respect to surface concentration and diffusion length."""
    u = z / diffusion_length
    slope = 2 / np.sqrt(np.pi) * np.exp(-u * u) * u / diffusion_length
    return np.stack([special.erfc(u), surface_concentration * slope])


def start(z: Array, c: Array) -> list[tuple[float, ...]]:
    """Take the first samples for the surface, and the depth where a quarter is left."""
    return [(float(c[: max(1, c.size // 20)].mean()), fall_length(z, c) / 0.8134)]


MODEL = Model(
    name="erfc",
    summary="diffusion from a surface of constant concentration",
    parameters=(
        Parameter("surface_concentration", "value", "at depth 0", lower=0),
        DIFFUSION_LENGTH,
    ),
    formula=formula,
    derivatives=derivatives,
    start=start,
    reference="J. Crank, The Mathematics of Diffusion, 2nd ed., Oxford 1975, section 3.3",
    shape="decay",
    derived=(DIFFUSIVITY,),
    derive=diffusivity,
    options=("time",),
    restated=RESTATED,
)
