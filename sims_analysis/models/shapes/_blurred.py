"""An exponential edge blurred by a Gaussian: what resolution functions are made of."""

from __future__ import annotations

import numpy as np
from scipy import special

from sims_analysis.models.model import Array

__all__ = ["risen", "rising"]


def rising(u: Array, length: float, sigma: float) -> Array:
    """Return the density ``exp(u / l) / l`` for u < 0, blurred by a Gaussian; of unit area.

    ``exp(u / l + s^2 / 2 l^2) erfc[(u / s + s / l) / sqrt 2] / 2 l``. Where the argument of the
    complementary error function is positive, the first factor may overflow as the second vanishes,
    and the product is ``exp(-u^2 / 2 s^2) erfcx``.
    """
    # A length of 0 is a Gaussian, a Gaussian without width an exponential: to within 1e-16.
    whole = max(length, sigma)
    length, sigma = max(length, 1e-9 * whole), max(sigma, 1e-9 * whole)
    argument = (u / sigma + sigma / length) / np.sqrt(2)
    positive = argument > 0
    with np.errstate(over="ignore", under="ignore"):
        below = np.exp(np.minimum(u / length + sigma**2 / (2 * length**2), 0.0))
        near = np.exp(-0.5 * (u / sigma) ** 2) * special.erfcx(np.where(positive, argument, 0.0))
        far = below * special.erfc(np.where(positive, 0.0, argument))
    density: Array = np.where(positive, near, far) / (2 * length)
    return density


def risen(u: Array, length: float, sigma: float) -> Array:
    """Return the integral of :func:`rising` up to `u`: ``l f + Phi(u / s)``."""
    sigma = max(sigma, 1e-9 * length)
    reached: Array = np.minimum(length * rising(u, length, sigma) + special.ndtr(u / sigma), 1.0)
    return reached
