"""An exponential edge blurred by a Gaussian: what resolution functions are made of."""

from __future__ import annotations

import numpy as np
from scipy import special

from sims_analysis.kernels.samples import Array

#: A length of less than this part of sigma is expanded: differences would cancel.
_SHORT = 1e-3


def pdf(u: Array, length: float, sigma: float) -> Array:
    """Return the density ``exp(u / l) / l`` for u < 0, blurred by a Gaussian; of unit area.

    ``exp(u / l + s^2 / 2 l^2) erfc[(u / s + s / l) / sqrt 2] / 2 l``. Where the argument of the
    complementary error function is positive, the first factor may overflow as the second vanishes,
    and the product is ``exp(-u^2 / 2 s^2) erfcx``.
    """
    length, sigma = _widths(length, sigma)
    argument = (u / sigma + sigma / length) / np.sqrt(2)
    positive = argument > 0
    with np.errstate(over="ignore", under="ignore"):
        below = np.exp(np.minimum(u / length + sigma**2 / (2 * length**2), 0.0))
        near = np.exp(-0.5 * (u / sigma) ** 2) * special.erfcx(np.where(positive, argument, 0.0))
        far = below * special.erfc(np.where(positive, 0.0, argument))
    density: Array = np.where(positive, near, far) / (2 * length)
    return density


def cdf(u: Array, length: float, sigma: float) -> Array:
    """Return the integral of :func:`pdf` up to `u`: ``l f + Phi(u / s)``."""
    sigma = max(sigma, 1e-9 * length) or 1.0
    reached: Array = np.minimum(length * pdf(u, length, sigma) + special.ndtr(u / sigma), 1.0)
    return reached


def pdf_derivatives(u: Array, length: float, sigma: float) -> tuple[Array, Array, Array, Array]:
    """Return that density R, and its derivatives with respect to u, length and sigma.

    With the Gaussian G, ``l R' = R - G``, and so ``l R'' = R' - G'``; by the equation of heat
    ``dR/ds = s R''``, and ``dR/dl = -[R + (u R + s^2 R') / l] / l``.
    """
    density = pdf(u, length, sigma)
    length, sigma = _widths(length, sigma)
    with np.errstate(under="ignore"):
        v = u / sigma
        gauss = np.exp(-0.5 * v * v) / (np.sqrt(2 * np.pi) * sigma)
    first = -v / sigma * gauss
    if length < _SHORT * sigma:  # R = G + l G' + l^2 G'' + ...
        second = (v * v - 1) / sigma**2 * gauss
        third = (3 - v * v) * v / sigma**3 * gauss
        slope = first + length * second
        return density, slope, slope + length * second, sigma * (second + length * third)
    slope = (density - gauss) / length
    by_length = -(density + (u * density + sigma**2 * slope) / length) / length
    return density, slope, by_length, sigma * (slope - first) / length


def _widths(length: float, sigma: float) -> tuple[float, float]:
    """Replace 0: without length it is a Gaussian, without sigma an exponential, to 1e-16."""
    least = 1e-9 * (max(length, sigma) or 1.0)
    return max(length, least), max(sigma, least)
