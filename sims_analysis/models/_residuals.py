"""What residuals say of a fit: whether chance makes them, and whether it matters."""

from __future__ import annotations

from math import sqrt

import numpy as np

from sims_analysis.models.model import Array
from sims_analysis.models.samples import smoothed

__all__ = ["RESIDUALS", "departs", "excess", "lag_correlation", "runs_score", "verdict"]

#: Verdicts on the residuals, in the order of their codes.
RESIDUALS = (
    "",
    "random",
    "correlated: the model does not have the profile's shape",
    "larger than the stated errors",
)


def runs_score(positive: Array) -> float:
    """Return how far the number of runs of equal signs is from chance, in standard deviations.

    Wald and Wolfowitz, Ann. Math. Statist. 11 (1940) 147. Fewer runs are negative; 0 where the
    signs are too few to tell.
    """
    n, above = positive.size, int(np.count_nonzero(positive))
    below = n - above
    if above < 3 or below < 3:
        # All on one side is as far from chance as can be, if there are enough of them.
        return -sqrt(n) if n >= 20 else 0.0
    runs = 1 + int(np.count_nonzero(positive[1:] != positive[:-1]))
    product = 2.0 * above * below
    mean = product / n + 1
    variance = product * (product - n) / (n * n * (n - 1.0))
    return (runs - mean) / sqrt(variance)


def lag_correlation(r: Array) -> tuple[float, float]:
    """Return the correlation of each residual with the next, and how far from chance that is.

    The second is the sum of the products over the root of the sum of their squares: in standard
    deviations, also where residuals are not all of one size.
    """
    products, whole = r[1:] * r[:-1], float(r @ r)
    if not whole > 0:
        return 0.0, 0.0
    together, deviation = float(products.sum()), sqrt(products @ products)
    return together / whole, together / deviation if deviation else 0.0


def excess(chi_square: float, degrees: float) -> float:
    """Return how far chi-square is above what chance makes it, in standard deviations.

    By the cube root of Wilson and Hilferty, Proc. Natl. Acad. Sci. 17 (1931) 684.
    """
    if not degrees > 0:
        return 0.0
    spread = 2 / (9 * degrees)
    return float((chi_square / degrees) ** (1 / 3) - (1 - spread)) / sqrt(spread)


def verdict(*, runs: float, lag: float, chi_square: float) -> int:
    """Judge the residuals by scores in standard deviations: an index into :data:`RESIDUALS`."""
    if runs < -3.5 or lag > 4:
        return 2
    return 3 if chi_square > 4 else 1


def departs(c: Array, m: Array, *, share: float = 0.05) -> bool:
    """Return whether a curve stays away from the samples by a share of the largest of them.

    Over as many neighbours as a twenty-fifth of the samples, at least five. With enough counts
    residuals tell any model from any profile; this says whether it matters.
    """
    apart = smoothed(c - m, max(5, c.size // 25))
    return bool(np.abs(apart).max() > share * c.max())
