"""What residuals say of a fit: whether chance makes them, and whether it matters.

Residuals `r` are of comparable size; `rows` are their derivatives by the free parameters.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from math import log, sqrt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, gammaincc

Array = NDArray[Any]

#: Verdicts on the residuals, in the order of their codes.
RESIDUALS = (
    "",
    "random",
    "correlated: the model does not have the profile's shape",
    "larger than the stated errors",
    "correlated among neighbours, as averaged or digitised samples are: errors are too small",
)
RANDOM, _SHAPE, _LARGE, _NEIGHBOURS = range(1, len(RESIDUALS))
#: A departure from the samples that matters, as a part of the largest.
SEEN = 0.05
#: Residuals of so many expected counts are nearly normal.
NEARLY_NORMAL = 3.0


@dataclass(frozen=True)
class _Rules:
    """The numbers by which residuals are judged; probabilities are those that chance makes them."""

    unlikely: float = 0.005  # probability below which residuals are not random
    averaged: int = 3  # number of neighbours in a block, at least
    blocks: int = 24  # number of blocks of a profile, at most
    # Number of blocks, or residuals, beyond the parameters from which they are tested,
    spare: int = 2
    spare_known: int = 6  # and where errors are known, so that chi-square says something alone
    # Without known errors, a departure that is seen is one of the shape if the probability of the
    # low frequencies is below
    shape: float = 0.0025  # this,
    shape_if_large: float = 0.02  # or this where the departure is large:
    large: float = 0.2  # part of the largest sample beyond which it is,
    surely: float = 0.001  # if the probability of its neighbours is below this, too


_RULES = _Rules()


def inverted(square: Array) -> Array:
    """Invert a matrix with ones on its diagonal; of one that is singular, what there is."""
    with suppress(np.linalg.LinAlgError):
        inverse: Array = np.linalg.inv(square)
        if inverse.diagonal().min() > 0 and inverse.diagonal().max() < 1e12:
            return inverse
    return np.linalg.pinv(square, hermitian=True)


def durbin_watson(r: Array, rows: Array) -> float:
    """Return the probability that chance makes residuals, (n,), follow their neighbours as closely.

    The ratio of Durbin and Watson, ``sum (r_i+1 - r_i)^2 / sum r_i^2``, by the beta distribution
    between 0 and 4 with its mean and variance, given the derivatives, (p, n), to which residuals
    are orthogonal (J. Durbin, G. S. Watson, Biometrika 38 (1951) 159). 1 where too few are left.
    """
    n, square_sum = r.size, float(r @ r)
    f = n - rows.shape[0]
    if f < 2 or not 0 < square_sum < np.inf:
        return 1.0
    size = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    unit = rows / np.where(size > 0, size, 1.0)[:, None]
    # With A the matrix of the sum of squared differences: A^(1/2) J', and A J'.
    slopes = np.pad(np.diff(unit), ((0, 0), (1, 1)))
    bends = np.diff(slopes)
    inverse, second = inverted(unit @ unit.T), bends @ bends.T
    projected = inverse @ slopes @ slopes.T
    t1 = 2.0 * (n - 1) - float(projected.trace())
    t2 = 6.0 * n - 8 - 2 * float((inverse * second).sum()) + float((projected * projected.T).sum())
    mean, variance = t1 / f, 2 * (t2 - t1 * t1 / f) / (f * (f + 2.0))
    part = mean / 4
    if not (variance > 0 and 0 < part < 1):
        return 1.0
    total = part * (1 - part) * 16 / variance - 1
    steps = r[1:] - r[:-1]
    return float(
        betainc(total * part, total * (1 - part), min(float(steps @ steps) / square_sum / 4, 1))
    )


def low_frequencies(r: Array, rows: Array) -> float:
    """Return the probability that chance makes their means over blocks wander as far.

    Chance may be neighbours averaged over three, as in digitised and smoothed data: from block to
    block it is hardly correlated.
    """
    count = min(r.size // _RULES.averaged, _RULES.blocks)
    if count < rows.shape[0] + _RULES.spare:
        return 1.0
    means = np.add.reduceat(np.vstack([r, rows]), np.arange(count) * r.size // count, axis=1)
    off, shapes = means[0], means[1:]
    return durbin_watson(off - shapes.T @ np.linalg.lstsq(shapes.T, off)[0], shapes)


def chance_of_excess(chi_square: float, degrees: float) -> float:
    """Return the probability that chance makes chi-square as large."""
    return float(gammaincc(degrees / 2, chi_square / 2)) if degrees > 0 else 1.0


class ChiSquare(NamedTuple):
    """Chi-square, its degrees of freedom, and the variance of each term over 2; NaN if unknown."""

    value: float
    degrees: float
    variance: float = 1.0

    @property
    def reduced(self) -> float:
        """Chi-square over the degrees of freedom."""
        return self.value / self.degrees if self.degrees > 0 else np.nan

    @property
    def chance(self) -> float:
        """The probability that chance makes it as large."""
        if np.isnan(self.value):
            return np.nan
        # As if there were fewer degrees of freedom.
        return chance_of_excess(self.value / self.variance, self.degrees / self.variance)


def of_counts(r: Array, mu: Array, free: float) -> ChiSquare:
    """Return chi-square by Pearson's residuals `r`, where about `mu` >= 1 counts are expected."""
    counted = mu >= 1
    number = int(np.count_nonzero(counted))
    # Each term has the variance 2 + 1 / mu.
    variance = 1 + 0.5 * float((1 / mu[counted]).sum()) / number if number else 1.0
    return ChiSquare(float((r[counted] ** 2).sum()), number - free, variance)


def combined_p_value(first: float, second: float) -> float:
    """Return the probability of two chances: chi-square of ``-2 ln(p1 p2)`` with four degrees.

    R. A. Fisher, Statistical Methods for Research Workers (1925).
    """
    product = max(first * second, 1e-300)
    return product * (1 - log(product))


def scatter(values: Array, apart: int = 1) -> float:
    """Return the standard deviation of noise, from second differences of samples so far apart."""
    if values.size < 2 * apart + 3:
        return 0.0
    bent = values[2 * apart :] - 2 * values[apart:-apart] + values[: -2 * apart]
    return float(np.median(np.abs(bent - np.median(bent)))) * 1.4826 / sqrt(6)


def verdict(r: Array, rows: Array, chance: float, m: Array, departure: float) -> tuple[int, bool]:
    """Judge residuals: an index into :data:`RESIDUALS`, and whether curve `m` has another shape.

    Where errors are known, the chances of chi-square (`chance`, otherwise NaN) and of neighbours
    are asked together. Where not, the `departure` has to be seen, and hardly noise of averages.
    """
    with_errors, visible = not np.isnan(chance), departure > SEEN
    spare = _RULES.spare_known if with_errors else _RULES.spare
    tested = r.size >= rows.shape[0] + spare
    neighbours = durbin_watson(r, rows) if tested else 1.0
    if with_errors:
        joint = combined_p_value(chance, neighbours) if tested else chance
        if joint >= _RULES.unlikely:
            return RANDOM, False
        if neighbours >= _RULES.unlikely:
            return _LARGE, visible
        shape = chance < _RULES.unlikely or low_frequencies(r, rows) < _RULES.unlikely
        return (_SHAPE, visible) if shape else (_NEIGHBOURS, False)
    low = low_frequencies(r, rows) if visible else np.nan
    large = departure > _RULES.large and neighbours < _RULES.surely
    if visible and low < (_RULES.shape_if_large if large else _RULES.shape):
        return _SHAPE, True
    # What only samples far below the maximum cause does not matter.
    root = np.sqrt(np.maximum(m, 0.0))
    if neighbours >= _RULES.unlikely or durbin_watson(r * root, rows * root) >= _RULES.unlikely:
        return RANDOM, False
    low = low if visible else low_frequencies(r, rows)
    return (_SHAPE if low < _RULES.unlikely else _NEIGHBOURS), False


def correlation(r: Array) -> float:
    """Return the correlation of each residual with the next; 0 where there are none."""
    square_sum = float(r @ r)
    return float(r[1:] @ r[:-1]) / square_sum if square_sum > 0 else 0.0


def largest_departure(c: Array, m: Array) -> float:
    """Return how far a curve `m` stays away from samples `c`, over the largest of these.

    The largest mean of ``m - c`` over neighbours, a twenty-fifth of the samples, at least three.
    """
    width = min(max(3, c.size // 25), c.size)
    return float(np.abs(running(m - c, width)).max() / c.max())


def running(values: Array, width: int) -> Array:
    """Average over so many neighbours, where there are so many."""
    sums = np.zeros(values.size + 1)
    values.cumsum(out=sums[1:])
    means: Array = (sums[width:] - sums[:-width]) / width
    return means
