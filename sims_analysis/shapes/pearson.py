"""The Pearson family: an implant by its first four moments.

With x in straggles from the mean, ``f'/f = -(x + c1) / (c0 + c1 x + c2 x^2)``, and with t from
the mode, ``f'/f = -t / (d0 + d1 t + d2 t^2)``. One integral of that gives all types.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from sims_analysis.kernels.samples import Array
from sims_analysis.shapes.gaussian import MODEL as GAUSSIAN
from sims_analysis.shapes.model import Model, Parameter
from sims_analysis.shapes.start_values import moments_above


@dataclass(frozen=True)
class _Rules:
    """The numbers by which the shape is computed."""

    small: float = 1e-6  # of d2, below which it is a correction: the closed form divides by it,
    mode: float = 1e-6  # of d0, above which the mode is no minimum
    far: float = 25.0  # straggles from the mode, from which an end does not matter
    step: float = 1e-6  # of skewness, and part of kurtosis, for derivatives by differences


_RULES = _Rules()
_NODES, _WEIGHTS = (0.5 * part for part in np.polynomial.legendre.leggauss(24))
_NODES += 0.5
#: Double-exponential quadrature: from 0 to infinity, and from 0 to 1.
_Y = np.linspace(-4.0, 4.0, 121)
_COSH, _SINH = 0.5 * np.pi * np.cosh(_Y), 0.5 * np.pi * np.sinh(_Y)
_HALF_LINE = np.exp(_SINH)
_HALF_LINE_WEIGHTS = _HALF_LINE * _COSH * (_Y[1] - _Y[0])
_UNIT = 1.0 / (1.0 + np.exp(-2.0 * _SINH))
_UNIT_WEIGHTS = 2.0 * _COSH * _UNIT * (1.0 / (1.0 + np.exp(2.0 * _SINH))) * (_Y[1] - _Y[0])


@lru_cache(maxsize=64)
def _coefficients(skewness: float, kurtosis: float) -> tuple[float, ...] | None:
    """Return c1, d0, d1, d2, the ends of the support and the norm; None where there is no shape."""
    square = skewness * skewness
    divisor = 10.0 * kurtosis - 12.0 * square - 18.0
    if not divisor > 0.0:
        return None
    c0 = (4.0 * kurtosis - 3.0 * square) / divisor
    c1 = skewness * (kurtosis + 3.0) / divisor
    d2 = (2.0 * kurtosis - 3.0 * square - 6.0) / divisor
    d0, d1 = c0 - c1 * c1 * (1.0 - d2), c1 * (1.0 - 2.0 * d2)
    # Without that, the mode is a minimum: shapes like a J or a U, which no implant has.
    if not d0 > _RULES.mode:
        return None
    low, high = _support(d0, d1, d2)
    norm = _half(d0, d1, d2, low) + _half(d0, d1, d2, high)
    return (c1, d0, d1, d2, low, high, norm)


def _support(d0: float, d1: float, d2: float) -> tuple[float, float]:
    """Return the roots of the quadratic next to the mode, or infinity."""
    discriminant = d1 * d1 - 4.0 * d0 * d2
    if discriminant < 0.0:
        return -np.inf, np.inf
    # Without cancellation, and without dividing by a d2 that may be 0.
    half = -0.5 * (d1 + np.copysign(np.sqrt(discriminant), d1))
    roots = [float(d0 / half) if half else np.inf, float(half / d2) if d2 else np.inf]
    low = max((root for root in roots if root < 0.0), default=-np.inf)
    high = min((root for root in roots if root > 0.0), default=np.inf)
    return low, high


def _half(d0: float, d1: float, d2: float, end: float, begin: float = 0.0) -> float:
    """Integrate the shape from a place, by default the mode, to the end on its side."""
    length = max(abs(end) - abs(begin), 0.0)
    nodes, weights = _HALF_LINE, _HALF_LINE_WEIGHTS
    if length <= _RULES.far:
        nodes, weights = _UNIT * length, _UNIT_WEIGHTS * length
    with np.errstate(all="ignore"):
        value = np.exp(_logarithm(begin + np.sign(end) * nodes, d0, d1, d2))
    value[~(value < 1.0 + 1e-6)] = 0.0  # above the mode: an end, or beyond a far one
    return float(value @ weights)


def _logarithm(t: Array, d0: float, d1: float, d2: float) -> Array:
    """Return the logarithm of the shape: minus the integral of t / q from 0 to t; may be NaN."""
    linear = d1 * t
    if abs(d2) > _RULES.small:
        q = (d0 + linear) + d2 * t * t
        twice = 2.0 * d0 + linear
        discriminant = d1 * d1 - 4.0 * d0 * d2
        w = discriminant * t * t
        if discriminant < 0.0:
            root = np.sqrt(-w)
            inverse = np.arctan2(root, twice) / root
        else:
            root = np.sqrt(w)
            inverse = np.arctanh(root / twice) / root
        ratio = w / (twice * twice)
        # Where `twice` is negative, the arc tangent has passed a quarter of a turn.
        near = (np.abs(ratio) < 1e-4) & (twice > 0.0)
        if near.any():
            r = ratio[near]
            inverse[near] = (1.0 + r * (1 / 3 + r * (1 / 5 + r / 7))) / twice[near]
        inverse = 2.0 * t * inverse
        value: Array = (d1 * inverse - np.log(q / d0)) / (2.0 * d2)
        return value
    # Type III, exact, and what d2 adds to it.
    y = linear / d0
    series = 0.5 + y * (-1 / 3 + y * (1 / 4 + y * (-1 / 5 + y / 6)))
    first = t * t / d0 * np.where(np.abs(y) < 1e-3, series, (y - np.log1p(y)) / (y * y))
    # Where the shape is 0 to any accuracy, the series in d2 means nothing.
    inside = (y > -1.0) & (np.abs(t) < 3 * _RULES.far)
    if d2 == 0.0:
        return np.where(inside, -first, -np.inf)
    tau = t[..., None] * _NODES
    q1 = d0 + d1 * tau
    correction = (tau**3 / (q1 * (q1 + d2 * tau * tau))) @ _WEIGHTS * t
    return np.where(inside, d2 * correction - first, -np.inf)


def shape(x: Array, skewness: float, kurtosis: float) -> Array:
    """Return the density of mean 0, variance 1 and these moments; NaN where there is none."""
    coefficients = _coefficients(float(skewness), float(kurtosis))
    if coefficients is None:
        return np.full_like(x, np.nan)
    c1, d0, d1, d2, low, high, norm = coefficients
    t = x + c1
    inside = (t > low) & (t < high)
    with np.errstate(all="ignore"):
        value = np.exp(_logarithm(np.where(inside, t, 0.0), d0, d1, d2))
    density: Array = np.where(inside, value, 0.0) / norm
    return density


def edge_power(skewness: float, kurtosis: float) -> float:
    """Return the lowest power of the distance from an end with which the density rises."""
    coefficients = _coefficients(float(skewness), float(kurtosis))
    if coefficients is None:
        return 0.0
    _, _, d1, d2, *ends, _ = coefficients
    return min((abs(t / (d1 + 2 * d2 * t)) for t in ends if np.isfinite(t)), default=np.inf)


def formula(
    z: Array, dose: float, projected_range: float, straggle: float, skewness: float, kurtosis: float
) -> Array:
    """Return ``Q / s f(x)`` of ``x = (z - Rp) / s``: the density f has these moments."""
    x = (z - projected_range) / straggle
    return dose / straggle * shape(x, skewness, kurtosis)


def derivatives(
    z: Array, dose: float, projected_range: float, straggle: float, skewness: float, kurtosis: float
) -> Array:
    """Return the derivatives; with respect to skewness and kurtosis by differences."""
    x = (z - projected_range) / straggle
    coefficients = _coefficients(float(skewness), float(kurtosis))
    if coefficients is None:
        return np.full((5, *z.shape), np.nan)
    c1, d0, d1, d2, *_ = coefficients
    t = x + c1
    density = shape(x, skewness, kurtosis)
    with np.errstate(all="ignore"):
        slope = np.where(density > 0.0, -t / (d0 + d1 * t + d2 * t * t) * density, 0.0)
    by_shape = []
    for towards in ((_RULES.step, 0.0), (0.0, _RULES.step * kurtosis)):
        step = sum(towards)
        moved = shape(x, skewness + towards[0], kurtosis + towards[1])
        if np.isnan(moved[:1]).any():  # next to the border: to the side that exists
            step = -step
            moved = shape(x, skewness - towards[0], kurtosis - towards[1])
        by_shape.append((moved - density) / step)
    scale = dose / straggle
    return np.stack(
        [
            density / straggle,
            -scale / straggle * slope,
            -scale / straggle * (density + x * slope),
            scale * by_shape[0],
            scale * by_shape[1],
        ]
    )


def start(z: Array, c: Array) -> list[tuple[float, ...]]:
    """Take moments; and the core's with a Gaussian's shape, in case a tail misleads them."""
    m, core = moments_above(z, c, 1e-3), moments_above(z, c, 0.1)
    skewness = float(np.clip(m.skewness, -1.5, 1.5))
    least = 1.6 * (1 + skewness**2)
    return [
        (m.area, m.mean, m.deviation, skewness, max(m.kurtosis, least)),
        (core.area, core.mean, core.deviation, 0.0, 3.2),
    ]


def outside(projected_range: float, straggle: float, skewness: float, kurtosis: float) -> float:
    """Return the part of the distribution that lies above the surface."""
    coefficients = _coefficients(float(skewness), float(kurtosis))
    if coefficients is None:
        return np.nan
    c1, d0, d1, d2, low, high, norm = coefficients
    surface = c1 - projected_range / straggle
    beyond = _half(d0, d1, d2, low if surface < 0 else high, surface) / norm
    return beyond if surface < 0 else 1 - beyond


def retained(p: Mapping[str, float], options: Mapping[str, float]) -> list[float]:
    """Return the part of the dose that lies below the surface."""
    names = ("projected_range", "straggle", "skewness", "kurtosis")
    return [p["dose"] * (1 - outside(*(p[name] for name in names)))]


MODEL = Model(
    name="pearson",
    summary="an implant by four moments, all types of the Pearson family",
    parameters=(
        *GAUSSIAN.parameters,
        Parameter("skewness", "dimensionless", "third central moment / straggle^3", -10, 10),
        Parameter("kurtosis", "dimensionless", "fourth central moment / straggle^4", 1, 1000),
    ),
    formula=formula,
    derivatives=derivatives,
    start=start,
    derived=GAUSSIAN.derived,
    derive=retained,
    reference="W. K. Hofker, Philips Res. Rep. Suppl. 8 (1975); H. Ryssel, I. Ruge, Ion "
    "Implantation, Wiley 1986",
)
