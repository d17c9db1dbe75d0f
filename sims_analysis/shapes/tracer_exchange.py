"""Exchange of a tracer with a gas at the surface, and diffusion into the solid."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy import special

from sims_analysis.kernels.samples import Array
from sims_analysis.shapes.erfc import DIFFUSION_LENGTH, DIFFUSIVITY, RESTATED
from sims_analysis.shapes.erfc import diffusivity as of_length
from sims_analysis.shapes.model import Model, Parameter
from sims_analysis.shapes.start_values import fall_length
from sims_analysis.units import NM_PER_CM


def formula(
    z: Array, gas_level: float, background_level: float, diffusion_length: float, exchange: float
) -> Array:
    """Return ``C_b + (C_g - C_b) [erfc(u) - exp(h z + h^2 D t) erfc(u + h sqrt(D t))]``.

    ``u = z / (2 sqrt(D t))``, ``h = k / D``; `exchange` is ``h`` times ``sqrt(D t)``.

    The product of a large and a small number is ``exp(-u^2) erfcx(u + h sqrt(D t))``.
    """
    u = z / diffusion_length
    rise = special.erfc(u) - np.exp(-u * u) * special.erfcx(u + exchange)
    value: Array = background_level + (gas_level - background_level) * rise
    return value


def start(z: Array, c: Array) -> list[tuple[float, ...]]:
    """Try a fast and a slow exchange at the surface."""
    part = max(1, c.size // 20)
    surface, bulk = float(c[:part].mean()), float(c[-part:].mean())
    length = fall_length(z, c - bulk) / 0.7
    return [
        (bulk + (surface - bulk) / (1 - special.erfcx(exchange)), bulk, length, exchange)
        for exchange in (0.3, 1.0, 3.0)
    ]


def coefficients(p: Mapping[str, float], options: Mapping[str, float]) -> list[float]:
    """Return D and k: ``k = h D = exchange sqrt(D / t)``."""
    length, time = p["diffusion_length"] / NM_PER_CM, options["time"]
    return [*of_length(p, options), p["exchange"] * length / (2 * time)]


MODEL = Model(
    name="tracer_exchange",
    summary="isotope exchange with a gas, and diffusion",
    parameters=(
        Parameter("gas_level", "value", "of the gas, which an endless exchange would reach"),
        Parameter("background_level", "value", "of the solid before the exchange"),
        DIFFUSION_LENGTH,
        Parameter("exchange", "dimensionless", "k sqrt(t / D), surface against bulk", lower=0),
    ),
    formula=formula,
    start=start,
    reference="J. Crank, The Mathematics of Diffusion, 2nd ed., Oxford 1975, section 3.3 "
    "(surface evaporation)",
    shape="decay",
    derived=(
        DIFFUSIVITY,
        Parameter("exchange_coefficient", "velocity", "k = exchange sqrt(D / t), with time="),
    ),
    derive=coefficients,
    options=("time",),
    restated=RESTATED,
    has_levels=True,
)
