"""Objectives of a fit, each as residuals whose squares are summed.

All that differs between likelihoods is here: what a fit minimizes, what a constant would reach,
how noisy the samples are, and what the residuals say.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np
from scipy.special import log_ndtr

from sims_analysis.kernels.residuals import (
    NEARLY_NORMAL,
    ChiSquare,
    of_counts,
    scatter,
)
from sims_analysis.kernels.samples import Array

__all__ = [
    "EXACT",
    "OBJECTIVES",
    "TINY",
    "LogSquares",
    "Minimized",
    "Objective",
    "Poisson",
    "Shared",
    "Squares",
    "Statistics",
]

#: The objectives, in the order of their codes.
OBJECTIVES = ("", "Poisson deviance", "weighted squares", "squares of ln C", "squares")

#: A value below this share of the largest sample counts as 0; its square does not underflow.
TINY = 1e-150
#: An excess of a count over what is expected below which the deviance is a square.
_NEAR = 1e-5
#: A sum of squares per sample that is rounding alone: less scatter than that is not known.
EXACT = 1e-18


class Statistics(NamedTuple):
    """What the residuals of a fit say.

    Parameters
    ----------
    r : ndarray
        The residuals that can be compared with their neighbours.
    of : ndarray
        The indices of their samples.
    test : ChiSquare
        NaN, with no degrees of freedom, where errors are not known.
    aic : float
        Akaike's criterion.
    """

    r: Array
    of: Array
    test: ChiSquare
    aic: float


class Minimized(Protocol):
    """Residuals, and what they are worth: what the optimizer and the errors need."""

    @property
    def known_errors(self) -> bool:
        """Whether the errors of the samples are known; otherwise their scatter tells."""
        ...

    def residual(self, m: Array) -> Array:
        """Return the residuals, positive where the model is above the sample."""
        ...

    def slope(self, m: Array, r: Array) -> Array:
        """Return the derivatives of the residuals `r` with respect to the model's values."""
        ...

    def information(self, m: Array) -> Array:
        """Return the information of each sample, the inverse variance of its value."""
        ...

    def variance(self, cost: float, free: float) -> float:
        """Return the expected square of one residual: 1 where errors are known."""
        ...


class Objective(Minimized, Protocol):
    """Residuals of one profile."""

    @property
    def code(self) -> int:
        """Place in :data:`OBJECTIVES`."""
        ...

    @property
    def below_zero(self) -> bool:
        """Whether a model may go below zero: counts and logarithms may not."""
        ...

    @property
    def informative(self) -> float:
        """The number of samples that add to the sum of squares, whatever the model."""
        ...

    def level(self, c: Array) -> float:
        """Return the constant that describes the samples best."""
        ...

    def noise(self, c: Array) -> Array:
        """Return the standard error of each sample; by its scatter where none is known."""
        ...

    def statistics(self, m: Array, cost: float, free: float) -> Statistics:
        """Return what the residuals say of a fit with so many free parameters."""
        ...

    def another(self, c: Array) -> Objective:
        """Return an objective that weighs tails otherwise (more), and may lead to other minima."""
        return _logarithmic(c)

    def refined(self, m: Array, free: float) -> Objective:  # noqa: ARG002
        """Return the objective with what only a fit can tell: how far its residuals scatter."""
        return self


@dataclass(frozen=True)
class Poisson(Objective):
    """The deviance of counts: ``2 [mu - k + k ln(k / mu)]``, ``mu = (m + offset) / one``.

    `one` is the value that one count stands for, and `offset` what has been subtracted since.
    """

    counts: Array
    one: Array
    offset: Array
    code: int = 1
    known_errors: bool = True
    below_zero: bool = False

    @property
    def informative(self) -> float:
        """Return the number of samples with counts: of others, none may be expected either."""
        return int(np.count_nonzero(self.counts))

    def expected(self, m: Array) -> Array:
        """Return the expected counts."""
        return np.maximum((m + self.offset) / self.one, TINY)

    @cached_property
    def _safe(self) -> tuple[Array, Array]:
        """Return counts that can be divided by, and the indices of those that could not."""
        return np.where(self.counts > 0, self.counts, 1.0), np.flatnonzero(self.counts <= 0)

    def residual(self, m: Array) -> Array:
        """Return the signed roots of the deviance."""
        mu, (k, none) = self.expected(m), self._safe
        excess = (mu - k) / k
        gained = excess - np.log(mu / k)
        # Near none, rounding makes it negative, and numpy would warn of its root.
        r: Array = np.copysign(np.sqrt(2 * k * np.maximum(gained, 0.0)), excess)
        near = np.abs(excess) < _NEAR
        if near.any():
            e = excess[near]
            r[near] = np.sqrt(k[near]) * e * (1 - e / 3)
        r[none] = np.sqrt(2 * mu[none])
        return r

    def slope(self, m: Array, r: Array) -> Array:
        """Return ``(1 - k / mu) / r``, and its limit where model and counts agree."""
        mu, (k, none) = self.expected(m), self._safe
        near = np.abs(mu - k) < _NEAR * k
        near[none] = False
        slope: Array = (1 - self.counts / mu) / np.where(near, 1.0, r)
        if near.any():
            excess = (mu[near] - k[near]) / k[near]
            slope[near] = (1 - 2 * excess / 3) / np.sqrt(k[near])
        slope /= self.one
        return slope

    def information(self, m: Array) -> Array:
        """Return ``1 / mu`` in the unit of the values."""
        information: Array = 1 / (self.expected(m) * self.one**2)
        return information

    def variance(self, cost: float, free: float) -> float:  # noqa: ARG002
        """Return 1: the errors of counts are known."""
        return 1.0

    def level(self, c: Array) -> float:  # noqa: ARG002
        """Return what all counts together are worth."""
        level = float(self.counts.sum() / (1 / self.one).sum())
        return max(level - float(self.offset.mean()), 1e-12)

    def noise(self, c: Array) -> Array:  # noqa: ARG002
        """Return the root of the counts."""
        noise: Array = self.one * np.sqrt(np.maximum(self.counts, 1.0))
        return noise

    def statistics(self, m: Array, cost: float, free: float) -> Statistics:
        """Return Pearson's residuals where they are nearly normal, and his chi-square."""
        mu = self.expected(m)
        r = (mu - self.counts) / np.sqrt(mu)
        of = np.flatnonzero(mu >= NEARLY_NORMAL)
        return Statistics(r[of], of, of_counts(r, mu, free), cost + 2 * free)


@dataclass(frozen=True)
class Squares(Objective):
    """Squares over the standard errors; over 1 where there are none."""

    value: Array
    stderr: Array | None
    known_errors: bool = False
    code: int = 4
    below_zero: bool = True

    @property
    def informative(self) -> float:
        """Return the number of samples."""
        return self.value.size

    def residual(self, m: Array) -> Array:
        """Return ``(m - c) / s``."""
        apart = m - self.value
        return apart if self.stderr is None else apart / self.stderr

    def slope(self, m: Array, r: Array) -> Array:  # noqa: ARG002
        """Return ``1 / s``."""
        return np.ones_like(m) if self.stderr is None else 1 / self.stderr

    def information(self, m: Array) -> Array:
        """Return ``1 / s^2``."""
        return self.slope(m, m) ** 2

    def variance(self, cost: float, free: float) -> float:
        """Return 1, or the variance about the model where no errors are stated."""
        return 1.0 if self.known_errors else max(cost / max(self.value.size - free, 1), EXACT)

    def level(self, c: Array) -> float:
        """Return the weighted mean."""
        if self.stderr is None:
            return float(c.mean())
        weight = self.information(c)
        return float(weight @ c / weight.sum())

    def noise(self, c: Array) -> Array:
        """Return the standard errors, or the scatter."""
        return np.full(c.size, scatter(c)) if self.stderr is None else self.stderr

    def statistics(self, m: Array, cost: float, free: float) -> Statistics:
        """Return the residuals and their sum of squares."""
        r = self.residual(m)
        if not self.known_errors:
            return _of_scatter(r, np.arange(r.size), cost, free)
        test = ChiSquare(cost, r.size - free)
        return Statistics(r, np.arange(r.size), test, cost + 2 * free)


@dataclass(frozen=True)
class LogSquares(Objective):
    """Squares of ``ln m - ln c``; a censored sample says that the value is below `c`.

    The likelihood of that is ``Phi[(ln c - ln m) / scatter]``.
    """

    value: Array
    censored: Array
    scatter: float
    code: int = 3
    known_errors: bool = False
    below_zero: bool = False

    @property
    def informative(self) -> float:
        """Return the number of samples."""
        return self.value.size

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

    def slope(self, m: Array, r: Array) -> Array:  # noqa: ARG002
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

    def variance(self, cost: float, free: float) -> float:
        """Return the variance of ln C about the model."""
        if self.censored.any():
            return self.scatter**2
        return max(cost / max(self.value.size - free, 1), EXACT)

    def level(self, c: Array) -> float:  # noqa: ARG002
        """Return the geometric mean."""
        return float(np.exp(np.mean(np.log(self.value))))

    def noise(self, c: Array) -> Array:
        """Return the scatter of the logarithms, times the samples."""
        return scatter(np.log(self.value)) * c

    def statistics(self, m: Array, cost: float, free: float) -> Statistics:
        """Return the residuals and what their sum of squares is worth."""
        return _of_scatter(self.residual(m), np.flatnonzero(~self.censored), cost, free)

    def another(self, c: Array) -> Objective:
        """Weight tails less."""
        return Squares(c, np.sqrt(np.maximum(c, 1e-4)), known_errors=True, code=2)

    def refined(self, m: Array, free: float) -> LogSquares:
        """Let censored samples scatter as the others do."""
        if not self.censored.any():
            return self
        r = self.residual(m)[~self.censored]
        scattered = float(np.sqrt(r @ r / max(r.size - free, 1)))
        return replace(self, scatter=max(scattered, 1e-3))


def _of_scatter(r: Array, of: Array, cost: float, free: float) -> Statistics:
    """Return the statistics of residuals whose size is not known beforehand."""
    aic = r.size * float(np.log(max(cost, 1e-300) / r.size)) + 2 * (free + 1)
    return Statistics(r[of], of, ChiSquare(np.nan, 0), aic)


def _logarithmic(c: Array) -> LogSquares:
    low = c < 1e-6
    return LogSquares(np.where(low, 1e-6, c), low, 0.3)


@dataclass(frozen=True)
class Shared(Objective):
    """Another objective, of samples that are not independent: each counts as a part of one.

    Of values on a grid finer than the samples, sums have the variance of so many fewer samples.

    Parameters
    ----------
    of : Objective
    share : float
        The number of independent samples for each of these; above 1 if they are averages.
    apart : int
        How many samples further a residual has nothing in common with another.
    """

    of: Objective
    share: float
    apart: int = 1

    @property
    def code(self) -> int:
        """Return that of the other."""
        return self.of.code

    @property
    def known_errors(self) -> bool:
        """Return that of the other."""
        return self.of.known_errors

    @property
    def below_zero(self) -> bool:
        """Return that of the other."""
        return self.of.below_zero

    @property
    def informative(self) -> float:
        """Return the number of independent samples."""
        return self.share * self.of.informative

    def residual(self, m: Array) -> Array:
        """Return residuals of which so many make one."""
        r: Array = np.sqrt(self.share) * self.of.residual(m)
        return r

    def slope(self, m: Array, r: Array) -> Array:
        """Return their derivatives."""
        root = np.sqrt(self.share)
        slope: Array = root * self.of.slope(m, r / root)
        return slope

    def information(self, m: Array) -> Array:
        """Return a share of the information."""
        return self.share * self.of.information(m)

    def variance(self, cost: float, free: float) -> float:
        """Return the expected square of one residual of the other objective."""
        return self.of.variance(cost / self.share, free / self.share)

    def level(self, c: Array) -> float:
        """Return that of the other."""
        return self.of.level(c)

    def noise(self, c: Array) -> Array:
        """Return that of the other."""
        return self.of.noise(c)

    def statistics(self, m: Array, cost: float, free: float) -> Statistics:
        """Return those of samples that have nothing in common."""
        one = self.of.statistics(m, cost / self.share, free / self.share)
        value, degrees, variance = one.test
        test = ChiSquare(self.share * value, self.share * degrees, variance)
        return Statistics(one.r[:: self.apart], one.of[:: self.apart], test, self.share * one.aic)

    def another(self, c: Array) -> Objective:
        """Return that of the other."""
        return self.of.another(c)

    def refined(self, m: Array, free: float) -> Objective:
        """Return the same of the other, refined."""
        refined = self.of.refined(m, free / self.share)
        return self if refined is self.of else replace(self, of=refined)
