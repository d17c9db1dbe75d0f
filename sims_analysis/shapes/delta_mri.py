"""A delta layer as an instrument shows it: Hofmann's mixing, roughness, information depth."""

from __future__ import annotations

import numpy as np

from sims_analysis.kernels.samples import Array
from sims_analysis.shapes.blurred_exponential import cdf, pdf, pdf_derivatives
from sims_analysis.shapes.model import Model, Parameter
from sims_analysis.shapes.start_values import moments_above


def formula(
    z: Array, dose: float, position: float, mixing: float, roughness: float, information: float
) -> Array:
    """Return ``a Q / l exp(v / l)`` above the zone, ``(1 - a) Q / w exp(-v / w)`` from there on.

    ``v = z - position + w``, ``a = exp(-w / l)``: of information depth l and mixing length w; that
    is blurred by the roughness. With an information depth of 0 only the second is left.
    """
    v = z - position + mixing
    escaping = float(np.exp(-mixing / information)) if information > 0 else 0.0
    sides = (1 - escaping) * pdf(-v, mixing, roughness) + escaping * pdf(v, information, roughness)
    value: Array = dose * sides
    return value


def cumulative(u: Array, mixing: float, roughness: float, information: float) -> Array:
    """Return the integral of the function of a layer at 0, of unit area, up to `u`."""
    v = u + mixing
    escaping = float(np.exp(-mixing / information)) if information > 0 else 0.0
    below = 1.0 - cdf(-v, mixing, roughness)
    value: Array = (1 - escaping) * below + escaping * cdf(v, information, roughness)
    return value


def derivatives(
    z: Array, dose: float, position: float, mixing: float, roughness: float, information: float
) -> Array:
    """Return the derivatives with respect to dose, position and the three lengths."""
    v = z - position + mixing
    escaping = float(np.exp(-mixing / information)) if information > 0 else 0.0
    down, down_v, down_l, down_s = pdf_derivatives(-v, mixing, roughness)
    up, up_v, up_l, up_s = pdf_derivatives(v, information, roughness)
    slope = escaping * up_v - (1 - escaping) * down_v
    jump = escaping * (up - down)
    with np.errstate(divide="ignore", invalid="ignore"):
        by_mixing = np.where(escaping > 0, jump / information, 0.0)
        by_information = np.where(escaping > 0, jump * mixing / information**2, 0.0)
    rows = (
        -slope,
        slope + (1 - escaping) * down_l - by_mixing,
        (1 - escaping) * down_s + escaping * up_s,
        escaping * up_l + by_information,
    )
    return np.stack([(1 - escaping) * down + escaping * up, *(dose * row for row in rows)])


#: Mixing, roughness and information depth in standard deviations of the whole.
_STARTS = (0.8, 0.55, 0.3), (0.5, 0.7, 0.5), (0.3, 0.5, 0.9), (0.9, 0.3, 0.9)


def start(z: Array, c: Array) -> list[tuple[float, ...]]:
    """Split the variance between the three lengths, in several ways."""
    m = moments_above(z, c, 0.005)
    return [(m.area, m.mean, *(np.array(parts) * m.deviation).tolist()) for parts in _STARTS]


MODEL = Model(
    name="delta_mri",
    summary="a delta layer, by mixing, roughness and information depth",
    parameters=(
        Parameter("dose", "area", "integral over depth", lower=0),
        Parameter("position", "depth", "of the layer"),
        Parameter("mixing_length", "depth", "thickness of the mixed zone", lower=0),
        Parameter("roughness", "depth", "standard deviation of the Gaussian", lower=0),
        Parameter("information_depth", "depth", "of escape or of recoil implantation", lower=0),
    ),
    formula=formula,
    derivatives=derivatives,
    start=start,
    location="position",
    reference="S. Hofmann, Y. Liu, J. Y. Wang, J. Kovac, Appl. Surf. Sci. 314 (2014) 942, "
    "arXiv:1401.1014",
    on_time=True,
)
