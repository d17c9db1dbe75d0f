"""Objectives of a fit, each as residuals whose squares are summed.

``residual(m)`` of the model's values `m`, ``slope(m)``, its derivative with respect to `m`, and
``information(m)``, the Fisher information of a sample about its `m`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.special import log_ndtr

from sims_analysis.models._model import Array

__all__ = ["EXACT", "OBJECTIVES", "TINY", "LogSquares", "Objective", "Poisson", "Squares"]

#: The objectives, in the order of their codes.
OBJECTIVES = ("", "Poisson deviance", "weighted squares", "squares of ln C", "squares")

#: A value below this share of the largest sample counts as 0; its square does not underflow.
TINY = 1e-150
#: A sum of squares per sample that is rounding alone: less scatter than that is not known.
EXACT = 1e-18


class Objective(Protocol):
    """Residuals of one profile."""

    @property
    def code(self) -> int:
        """Place in :data:`OBJECTIVES`."""
        ...

    @property
    def known_errors(self) -> bool:
        """Whether the errors of the samples are known, or follow from their scatter."""
        ...

    def residual(self, m: Array) -> Array:
        """Return the residuals, positive where the model is above the sample."""
        ...

    def slope(self, m: Array) -> Array:
        """Return the derivatives of the residuals with respect to the model's values."""
        ...

    def information(self, m: Array) -> Array:
        """Return the information of each sample, the inverse variance of its value."""
        ...

    def variance(self, cost: float, free: int) -> float:
        """Return the expected square of one residual: 1 where errors are known."""
        ...


@dataclass(frozen=True)
class Poisson:
    """The deviance of counts: ``2 [mu - k + k ln(k / mu)]``, ``mu = (m + offset) / one``.

    `one` is the value that one count stands for, and `offset` what has been subtracted since.
    """

    counts: Array
    one: Array
    offset: Array
    code: int = 1
    known_errors: bool = True

    def expected(self, m: Array) -> Array:
        """Return the expected counts."""
        return np.maximum((m + self.offset) / self.one, TINY)

    def _parts(self, m: Array) -> tuple[Array, Array, Array]:
        mu, k = self.expected(m), self.counts
        excess = np.divide(mu - k, k, out=np.zeros_like(mu), where=k > 0)
        small = np.abs(excess) < 1e-5
        gained = np.where(small, excess, excess - np.log(np.maximum(mu, TINY) / k))
        close = np.sqrt(k) * excess * (1 - excess / 3)
        far = np.sign(excess) * np.sqrt(2 * k * np.maximum(gained, 0.0))
        residual = np.where(k > 0, np.where(small, close, far), np.sqrt(2 * mu))
        return mu, excess, residual

    def residual(self, m: Array) -> Array:
        """Return the signed roots of the deviance."""
        return self._parts(m)[2]

    def slope(self, m: Array) -> Array:
        """Return ``(1 - k / mu) / r``, and its limit where model and counts agree."""
        mu, excess, residual = self._parts(m)
        k = self.counts
        near = (k > 0) & (np.abs(excess) < 1e-5)
        safe = np.where(near, 1.0, residual)
        far = (1 - k / mu) / safe
        close = (1 - 2 * excess / 3) / np.sqrt(np.where(k > 0, k, 1.0))
        slope: Array = np.where(near, close, far) / self.one
        return slope

    def information(self, m: Array) -> Array:
        """Return ``1 / mu`` in the unit of the values."""
        information: Array = 1 / (self.expected(m) * self.one**2)
        return information

    def variance(self, cost: float, free: int) -> float:  # noqa: ARG002
        """Return 1: the errors of counts are known."""
        return 1.0


@dataclass(frozen=True)
class Squares:
    """Squares over the standard errors; over 1 where there are none."""

    value: Array
    stderr: Array | None
    known_errors: bool
    code: int

    def residual(self, m: Array) -> Array:
        """Return ``(m - c) / s``."""
        apart = m - self.value
        return apart if self.stderr is None else apart / self.stderr

    def slope(self, m: Array) -> Array:
        """Return ``1 / s``."""
        return np.ones_like(m) if self.stderr is None else 1 / self.stderr

    def information(self, m: Array) -> Array:
        """Return ``1 / s^2``."""
        return self.slope(m) ** 2

    def variance(self, cost: float, free: int) -> float:
        """Return 1, or the variance about the model where no errors are stated."""
        return 1.0 if self.known_errors else max(cost / max(self.value.size - free, 1), EXACT)


@dataclass(frozen=True)
class LogSquares:
    """Squares of ``ln m - ln c``; a censored sample says that the value is below `c`.

    The likelihood of that is ``Phi[(ln c - ln m) / scatter]``.
    """

    value: Array
    censored: Array
    scatter: float
    code: int = 3
    known_errors: bool = False

    def _apart(self, m: Array) -> Array:
        apart: Array = np.log(np.maximum(m, TINY) / self.value)
        return apart

    def residual(self, m: Array) -> Array:
        """Return the difference of the logarithms."""
        apart = self._apart(m)
        if not self.censored.any():
            return apart
        below = self.scatter * np.sqrt(-2 * log_ndtr(-apart / self.scatter))
        return np.where(self.censored, below, apart)

    def _hazard(self, m: Array) -> tuple[Array, Array, Array]:
        """Return the distance above the limit in scatters, the log-likelihood and its slope."""
        x = self._apart(m) / self.scatter
        log_below = log_ndtr(-x)
        return x, log_below, np.exp(-0.5 * x * x - log_below) / np.sqrt(2 * np.pi)

    def slope(self, m: Array) -> Array:
        """Return ``1 / m``, of censored samples times what their likelihood says."""
        slope = 1 / np.maximum(m, TINY)
        if not self.censored.any():
            return slope
        _, log_below, hazard = self._hazard(m)
        root = np.sqrt(-2 * log_below)
        part = np.divide(hazard, root, out=np.zeros_like(root), where=root > 0)
        return np.where(self.censored, slope * part, slope)

    def information(self, m: Array) -> Array:
        """Return ``1 / m^2``; of censored samples times the curvature of their likelihood."""
        information = np.maximum(m, TINY) ** -2.0
        if not self.censored.any():
            return information
        x, _, hazard = self._hazard(m)
        return np.where(self.censored, information * hazard * (hazard - x), information)

    def variance(self, cost: float, free: int) -> float:
        """Return the variance of ln C about the model."""
        if self.censored.any():
            return self.scatter**2
        return max(cost / max(self.value.size - free, 1), EXACT)
