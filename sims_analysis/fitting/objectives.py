"""What a fit minimizes: the deviance of counts, squares over errors, or squares of ln C.

All that differs between likelihoods is here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, NamedTuple

import numpy as np
from scipy.optimize import nnls
from scipy.special import log_ndtr

from sims_analysis.kernels.residuals import NEARLY_NORMAL, ChiSquare, of_counts, scatter
from sims_analysis.kernels.samples import Array

#: The objectives, in the order of their codes.
OBJECTIVES = ("", "Poisson deviance", "weighted squares", "squares of ln C", "squares")

#: A value below this share of the largest sample counts as 0; its square does not underflow.
TINY = 1e-150
#: An excess of a count over what is expected below which the deviance is a square.
_NEAR = 1e-5
#: A sum of squares per sample that is rounding alone: less scatter than that is not known.
EXACT = 1e-18
#: Below all costs whose logarithm is taken.
LEAST_COST = 1e-300
#: Noise moves a sample by so many standard errors; what is further off has another reason.
_MOVED = 3.0
#: The scatter of logarithms before it is known, and the least.
_SCATTER, _LEAST_SCATTER = 0.3, 1e-3


class Statistics(NamedTuple):
    """What the residuals of a fit say."""

    #: The residuals that can be compared with their neighbours, and the indices of their samples.
    r: Array
    of: Array
    #: NaN, with no degrees of freedom, where errors are not known.
    test: ChiSquare
    aic: float


class SumOfSquares(ABC):
    """What the optimizer and the errors need of an objective, over the values m of a curve."""

    @property
    def known_errors(self) -> bool:
        """Whether the errors of the samples are known; otherwise their scatter is."""
        return True

    @abstractmethod
    def linearized(self, m: Array) -> tuple[Array, Array]:
        """Return residuals whose squares add up to the cost, and their derivatives over m.

        They are positive where the curve is above the sample.
        """

    @abstractmethod
    def scored(self, m: Array) -> tuple[Array, Array]:
        """Return the derivatives of half of the cost over m, and their expected curvature."""

    def cost(self, m: Array) -> float:
        """Return the sum of squares."""
        r, _ = self.linearized(m)
        return float(r @ r)

    def information(self, m: Array) -> Array:
        """Return the expected curvature of half of the cost: the inverse variance of samples."""
        return self.scored(m)[1]

    def variance(self, cost: float, free: float) -> float:  # noqa: ARG002
        """Return the expected square of one residual: 1 where errors are known."""
        return 1.0


@dataclass(frozen=True, kw_only=True)
class Objective(SumOfSquares):
    """The cost of a curve: a sum over samples that may not be independent."""

    #: The number of independent samples for each of these: below 1 for values on a grid finer than
    #: what was measured, above 1 for averages.
    share: float = 1.0
    below_zero: ClassVar[bool] = False

    @property
    @abstractmethod
    def code(self) -> int:
        """Place in :data:`OBJECTIVES`."""

    @property
    @abstractmethod
    def size(self) -> int:
        """The number of samples that add to the cost, whatever the curve."""

    @abstractmethod
    def roots(self, m: Array) -> tuple[Array, Array]:
        """Return the signed roots of what independent samples add to the cost, and their slopes."""

    def derivatives(self, m: Array) -> tuple[Array, Array]:
        """Return the slope of half of what a sample adds, and its expected curvature."""
        r, slope = self.roots(m)
        return r * slope, slope * slope

    @abstractmethod
    def level(self, c: Array) -> float:
        """Return the constant that describes the samples best."""

    @abstractmethod
    def noise(self, c: Array) -> Array:
        """Return the standard error of each sample; by its scatter where none is known."""

    @abstractmethod
    def residuals(self, m: Array, cost: float, free: float) -> Statistics:
        """Return what the residuals of independent samples say."""

    def linearized(self, m: Array) -> tuple[Array, Array]:
        """Return the roots of all samples and their slopes, as of so many independent ones."""
        r, slope = self.roots(m)
        if self.share == 1:
            return r, slope
        root = np.sqrt(self.share)
        return root * r, root * slope

    def scored(self, m: Array) -> tuple[Array, Array]:
        """Return the derivatives of all samples, as of so many independent ones."""
        score, information = self.derivatives(m)
        return self.share * score, self.share * information

    @property
    def informative(self) -> float:
        """The number of independent samples that add to the cost."""
        return self.share * self.size

    def variance(self, cost: float, free: float) -> float:
        """Return the expected square of one residual: 1 where errors are known."""
        if self.known_errors:
            return 1.0
        return max(cost / self.share / max(self.size - free / self.share, 1), EXACT)

    def statistics(self, m: Array, cost: float, free: float) -> Statistics:
        """Return what the residuals say of a fit with so many free parameters."""
        dense = self.residuals(m, cost / self.share, free / self.share)
        if self.share == 1:
            return dense
        # Values between the same samples are alike; two spacings apart they have none in common.
        step = int(np.ceil(1.5 / self.share)) if self.share < 1 else 1
        value, degrees, variance = dense.test
        test = ChiSquare(self.share * value, self.share * degrees, variance)
        return Statistics(dense.r[::step], dense.of[::step], test, self.share * dense.aic)

    def reweighted(self, c: Array) -> Objective:
        """Return an objective that weighs tails otherwise (more), and may lead to other minima."""
        low = c < 1e-6
        return LogSquares(np.where(low, 1e-6, c), low)

    def refined(self, m: Array, free: float) -> Objective:  # noqa: ARG002
        """Return the objective with what a fit says of the noise of the samples."""
        return self


@dataclass(frozen=True)
class Poisson(Objective):
    """The deviance of counts: ``2 [mu - k + k ln(k / mu)]``, ``mu = (m + offset) / v``.

    v is the value that one count stands for, and `offset` what has been subtracted since.
    """

    counts: Array
    value_per_count: Array
    offset: Array
    code: ClassVar[int] = 1

    @property
    def size(self) -> int:
        """The number of samples with counts: of others, none may be expected either."""
        return int(np.count_nonzero(self.counts))

    def expected(self, m: Array) -> Array:
        """Return the expected counts."""
        return np.maximum((m + self.offset) / self.value_per_count, TINY)

    @cached_property
    def _safe(self) -> tuple[Array, Array]:
        """Return counts that are safe to divide by, and the indices of those that were not."""
        return np.where(self.counts > 0, self.counts, 1.0), np.flatnonzero(self.counts <= 0)

    def roots(self, m: Array) -> tuple[Array, Array]:
        """Return the signed roots r of the deviance, and ``(1 - k / mu) / r``."""
        mu, (k, none) = self.expected(m), self._safe
        excess = (mu - k) / k
        # Where curve and counts agree, rounding makes it negative, and numpy would warn.
        r = np.copysign(np.sqrt(2 * k * np.maximum(excess - np.log(mu / k), 0.0)), excess)
        r[none] = np.sqrt(2 * mu[none])
        near = np.abs(excess) < _NEAR
        near[none] = False
        slope = (1 - self.counts / mu) / np.where(near, 1.0, r)
        if near.any():  # the series of both
            e, root = excess[near], np.sqrt(k[near])
            r[near] = root * e * (1 - e / 3)
            slope[near] = (1 - 2 * e / 3) / root
        return r, slope / self.value_per_count

    def derivatives(self, m: Array) -> tuple[Array, Array]:
        """Return ``1 - k / mu`` and ``1 / mu``, in units of the values."""
        mu, least = self.expected(m), 1 / (self.share * self.counts.size)
        # Zero counts in every sample do not mean that exactly zero are expected.
        return (1 - self.counts / mu) / self.value_per_count, 1 / (
            np.maximum(mu, least) * self.value_per_count**2
        )

    def level(self, c: Array) -> float:  # noqa: ARG002
        """Return the value of all counts together."""
        level = float(self.counts.sum() / (1 / self.value_per_count).sum())
        return max(level - float(self.offset.mean()), 1e-12)

    def noise(self, c: Array) -> Array:  # noqa: ARG002
        """Return the root of the counts."""
        noise: Array = self.value_per_count * np.sqrt(np.maximum(self.counts, 1.0))
        return noise

    def residuals(self, m: Array, cost: float, free: float) -> Statistics:
        """Return Pearson's residuals where they are nearly normal, and his chi-square."""
        mu = self.expected(m)
        r = (mu - self.counts) / np.sqrt(mu)
        of = np.flatnonzero(mu >= NEARLY_NORMAL)
        return Statistics(r[of], of, of_counts(r, mu, free), cost + 2 * free)


@dataclass(frozen=True)
class Squares(Objective):
    """Squares over the standard errors; over 1 where there are none.

    Errors that were made of the samples, as those of counts, are small where noise made these low:
    the mean by their inverse squares is about one count too low (J. Neyman, in: Proceedings of the
    Berkeley Symposium, 1949, p. 239). They are taken at a curve, once there is one: by
    quasi-likelihood (R. W. M. Wedderburn, Biometrika 61 (1974) 439).
    """

    value: Array
    stated: Array | None
    curve: Array | None = None
    below_zero: ClassVar[bool] = True

    @property
    def known_errors(self) -> bool:
        """Whether there are standard errors."""
        return self.stated is not None

    @cached_property
    def stderr(self) -> Array:
        """The standard errors, at the values of the curve where they were made of the samples."""
        c, s = self.value, self.stated
        if s is None or self.curve is None:
            return np.ones_like(c) if s is None else s
        count = s**2 / np.maximum(c, s)  # as if of counts

        def powers(values: Array) -> Array:
            return np.vander(np.maximum(values, count), 3)

        coefficients, _ = nnls(powers(c) / s[:, None] ** 2, np.ones(c.size))
        variance = powers(c) @ coefficients
        if scatter(np.log(s**2 / variance)) >= scatter(np.log(s**2)):
            return s
        near = np.clip(self.curve, c - _MOVED * s, c + _MOVED * s)
        at_curve: Array = s * np.sqrt(powers(near) @ coefficients / variance)
        return at_curve

    @property
    def code(self) -> int:
        """Place in :data:`OBJECTIVES`."""
        return OBJECTIVES.index("weighted squares" if self.known_errors else "squares")

    @property
    def size(self) -> int:
        """The number of samples."""
        return self.value.size

    def roots(self, m: Array) -> tuple[Array, Array]:
        """Return ``(m - c) / s`` and ``1 / s``."""
        return (m - self.value) / self.stderr, 1 / self.stderr

    def level(self, c: Array) -> float:
        """Return the weighted mean."""
        weight = self.stderr**-2.0
        return float(weight @ c / weight.sum())

    def noise(self, c: Array) -> Array:
        """Return the standard errors, or the scatter."""
        return self.stderr if self.known_errors else np.full(c.size, scatter(c))

    def residuals(self, m: Array, cost: float, free: float) -> Statistics:
        """Return the residuals and their sum of squares."""
        r, _ = self.roots(m)
        if not self.known_errors:
            return _of_scatter(r, np.arange(r.size), cost, free)
        test = ChiSquare(cost, r.size - free)
        return Statistics(r, np.arange(r.size), test, cost + 2 * free)

    def refined(self, m: Array, free: float) -> Squares:  # noqa: ARG002
        """Take errors at the curve, where they were made of the samples."""
        taken = replace(self, curve=m)
        return taken if self.known_errors and taken.stderr is not self.stated else self


@dataclass(frozen=True)
class LogSquares(Objective):
    """Squares of ``ln m - ln c``; of a sample below a limit c, the value is below it.

    The likelihood of that is ``Phi[(ln c - ln m) / scatter]``.
    """

    value: Array
    below_limit: Array
    scatter: float = _SCATTER
    code: ClassVar[int] = 3

    @property
    def known_errors(self) -> bool:
        """Whether they are: the scatter about the curve takes their place."""
        return False

    @property
    def size(self) -> int:
        """The number of samples."""
        return self.value.size

    def roots(self, m: Array) -> tuple[Array, Array]:
        """Return the differences of the logarithms, of limits what their likelihood says."""
        positive = np.maximum(m, TINY)
        r, slope = np.log(positive / self.value), 1 / positive
        if self.below_limit.any():
            _, below, hazard = self._limits(m)
            part = np.divide(hazard, below, out=np.zeros_like(r), where=below > 0)
            r = np.where(self.below_limit, self.scatter * below, r)
            slope = np.where(self.below_limit, slope * part, slope)
        return r, slope

    def derivatives(self, m: Array) -> tuple[Array, Array]:
        """Return ``(ln m - ln c) / m`` and ``1 / m^2``; below a limit by the likelihood."""
        positive = np.maximum(m, TINY)
        score, information = np.log(positive / self.value) / positive, positive**-2.0
        if self.below_limit.any():
            x, _, hazard = self._limits(m)
            score = np.where(self.below_limit, self.scatter * hazard / positive, score)
            factor = np.where(self.below_limit, hazard * (hazard - x), 1.0)
            information = information * factor
        return score, information

    def _limits(self, m: Array) -> tuple[Array, Array, Array]:
        """Return the distance x above the limit in scatters, ``sqrt(-2 ln Phi(-x))``, its hazard.

        The hazard is minus the slope of ``ln Phi(-x)``.
        """
        x = np.log(np.maximum(m, TINY) / self.value) / self.scatter
        log_below = log_ndtr(-x)
        hazard = np.exp(-0.5 * x * x - log_below) / np.sqrt(2 * np.pi)
        return x, np.sqrt(-2 * log_below), hazard

    def variance(self, cost: float, free: float) -> float:
        """Return the variance of ln C about the curve."""
        return self.scatter**2 if self.below_limit.any() else super().variance(cost, free)

    def level(self, c: Array) -> float:  # noqa: ARG002
        """Return the geometric mean."""
        return float(np.exp(np.mean(np.log(self.value))))

    def noise(self, c: Array) -> Array:
        """Return the scatter of the logarithms, times the samples."""
        return scatter(np.log(self.value)) * c

    def residuals(self, m: Array, cost: float, free: float) -> Statistics:
        """Return the residuals, but those of samples below a limit."""
        return _of_scatter(self.roots(m)[0], np.flatnonzero(~self.below_limit), cost, free)

    def reweighted(self, c: Array) -> Objective:
        """Weigh tails less."""
        return Squares(c, np.sqrt(np.maximum(c, 1e-4)))

    def refined(self, m: Array, free: float) -> LogSquares:
        """Let samples below a limit scatter as the others do."""
        if not self.below_limit.any():
            return self
        r = self.roots(m)[0][~self.below_limit]
        scattered = float(np.sqrt(r @ r / max(r.size - free / self.share, 1)))
        return replace(self, scatter=max(scattered, _LEAST_SCATTER))


def _of_scatter(r: Array, of: Array, cost: float, free: float) -> Statistics:
    """Return the statistics of residuals whose size is not known beforehand."""
    aic = r.size * float(np.log(max(cost, LEAST_COST) / r.size)) + 2 * (free + 1)
    return Statistics(r[of], of, ChiSquare(np.nan, 0), aic)
