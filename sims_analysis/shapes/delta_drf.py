"""A delta layer as an instrument shows it: Dowsett's depth resolution function."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sims_analysis.kernels.samples import Array
from sims_analysis.shapes.blurred_exponential import cdf, pdf, pdf_derivatives
from sims_analysis.shapes.model import Model, Parameter
from sims_analysis.shapes.start_values import moments_above


def formula(
    z: Array, dose: float, position: float, growth: float, decay: float, sigma: float
) -> Array:
    """Return ``Q / (g + d) exp(u / g)`` above the layer, ``Q / (g + d) exp(-u / d)`` below it.

    That is blurred by a Gaussian; g and d are the lengths of growth and decay.
    """
    u = z - position
    # A side of length 0 has no atoms: an exponential of zero width has no density.
    if growth == 0.0:
        return dose * pdf(-u, decay, sigma)
    if decay == 0.0:
        return dose * pdf(u, growth, sigma)
    sides = growth * pdf(u, growth, sigma) + decay * pdf(-u, decay, sigma)
    value: Array = dose * sides / (growth + decay)
    return value


def cumulative(u: Array, growth: float, decay: float, sigma: float) -> Array:
    """Return the integral of the function of a layer at 0, of unit area, up to `u`."""
    if growth == 0.0:
        return 1.0 - cdf(-u, decay, sigma)
    if decay == 0.0:
        return cdf(u, growth, sigma)
    sides = growth * cdf(u, growth, sigma) + decay * (1.0 - cdf(-u, decay, sigma))
    value: Array = sides / (growth + decay)
    return value


def derivatives(
    z: Array, dose: float, position: float, growth: float, decay: float, sigma: float
) -> Array:
    """Return the derivatives with respect to dose, position, growth, decay and sigma."""
    # Held at 0, a length needs no derivative.
    growth, decay = (length or 1e-9 * sigma for length in (growth, decay))
    u, rates = z - position, growth + decay
    up, up_u, up_l, up_s = pdf_derivatives(u, growth, sigma)
    down, down_u, down_l, down_s = pdf_derivatives(-u, decay, sigma)
    shape = (growth * up + decay * down) / rates
    rows = (
        -(growth * up_u - decay * down_u) / rates,
        (up + growth * up_l - shape) / rates,
        (down + decay * down_l - shape) / rates,
        (growth * up_s + decay * down_s) / rates,
    )
    return np.stack([shape, *(dose * row for row in rows)])


#: Growth, decay and Gaussian in standard deviations of the whole: their squares come to about 1.
_STARTS = (0.3, 0.75, 0.6), (0.5, 0.5, 0.7), (0.75, 0.3, 0.6), (0.4, 0.9, 0.1)


def start(z: Array, c: Array) -> list[tuple[float, ...]]:
    """Split the variance between growth, decay and the Gaussian; the last with hardly any of it."""
    m = moments_above(z, c, 0.01)
    sets = []
    for parts in _STARTS:
        lengths = np.array(parts) * m.deviation
        sets.append((m.area, m.mean - lengths[1] + lengths[0], *lengths.tolist()))
    return sets


def centre(p: Mapping[str, float], options: Mapping[str, float]) -> list[float]:
    """Return ``z0 + lambda_d - lambda_g``, and the root of ``s^2 + lambda_g^2 + lambda_d^2``."""
    growth, decay = p["lambda_growth"], p["lambda_decay"]
    deviation = np.sqrt(p["sigma"] ** 2 + growth**2 + decay**2)
    return [p["position"] + decay - growth, float(deviation)]


MODEL = Model(
    name="delta_drf",
    summary="a delta layer, by Dowsett's resolution function",
    parameters=(
        Parameter("dose", "area", "integral over depth", lower=0),
        Parameter("position", "depth", "where the two exponentials meet"),
        Parameter("lambda_growth", "depth", "leading edge, nm per factor e", lower=0),
        Parameter("lambda_decay", "depth", "trailing edge, nm per factor e", lower=0),
        Parameter("sigma", "depth", "standard deviation of the Gaussian", lower=0),
    ),
    formula=formula,
    derivatives=derivatives,
    start=start,
    location="position",
    reference="M. G. Dowsett et al., Surf. Interface Anal. 21 (1994) 310; compared with others in "
    "S. Hofmann et al., Appl. Surf. Sci. 314 (2014) 942, arXiv:1401.1014",
    derived=(
        Parameter("centroid", "depth", "mean depth, position + lambda_decay - lambda_growth"),
        Parameter("standard_deviation", "depth", "of the depth, all three widths together"),
    ),
    derive=centre,
    on_time=True,
)
