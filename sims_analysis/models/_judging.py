"""Whether a profile supports a model, and whether the model describes it."""

from __future__ import annotations

from math import sqrt

import numpy as np

from sims_analysis.models._model import Array
from sims_analysis.models._samples import smoothed

__all__ = [
    "ADVICE",
    "RESIDUALS",
    "STATUS",
    "departs",
    "excess",
    "lag_correlation",
    "runs_score",
    "second_peak",
    "two_maxima",
    "verdict",
]

#: The statuses, in the order of their codes.
STATUS = (
    "ok",
    "no_data",
    "too_few_samples",
    "featureless",
    "not_converged",
    "at_bound",
    "undetermined",
    "truncated",
    "several_peaks",
    "wrong_shape",
)

#: What a status means, and what may be done.
ADVICE = {
    "too_few_samples": "fewer samples in the window than free parameters + 2",
    "featureless": "a constant describes the samples as well",
    "not_converged": "the optimizer found no minimum",
    "at_bound": "a parameter is at its bound; hold it with fixed=, or take a simpler model",
    "undetermined": "the samples do not determine some parameter, which has no error; hold it or "
    "another with fixed=, or take a simpler model",
    "truncated": "the profile does not come down on both sides of its maximum inside the window",
    "several_peaks": "there is more than one maximum; start= and stop= choose a window about one",
    "wrong_shape": "the curve does not have the profile's shape; background='fit', a window or "
    "another model may help",
}

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


def second_peak(c: Array, noise: Array, *, share: float = 0.01) -> bool:
    """Return whether there is a second maximum that noise does not explain.

    Parameters
    ----------
    c : ndarray
        Values in order of depth.
    noise : ndarray
        Standard error of each.
    share : float
        Of the first maximum, that a second one has to have.

    Notes
    -----
    The two maxima must both be above the lowest mean between them, by five standard errors and by
    a tenth. Means are over as many neighbours as a twenty-fifth of the samples, at least three.
    """
    width = max(3, c.size // 25)
    if c.size < 4 * width:
        return False
    mean = _running(c, width)
    top = int(mean.argmax())
    # At each place: the deepest valley on the way to it from the maximum.
    sides = np.minimum.accumulate(mean[top::-1])[:0:-1], np.minimum.accumulate(mean[top:])
    valley = np.concatenate(sides)
    rise = mean - valley
    found = (rise > 0.1 * np.abs(valley)) & (mean > share * mean[top])
    if not found.any():
        return False
    error = np.sqrt(_running(noise * noise, width) / width)
    for i in np.flatnonzero(found & (rise > 5 * error)).tolist():
        back = 1 if i < top else -1
        deepest = i + back * int(mean[i:top:back].argmin())
        if rise[i] > 5 * np.hypot(error[i], error[deepest]):
            return True
    return False


def two_maxima(m: Array, noise: Array) -> bool:
    """Return whether a fitted curve has a valley that the samples resolve.

    It is one if filling it up to the lower of its two maxima would take the curve away from the
    samples by five standard deviations in all, and somewhere by two per cent.
    """
    rims = np.maximum.accumulate(m), np.maximum.accumulate(m[::-1])[::-1]
    depth = np.minimum(*rims) - m
    deep = depth > 0.02 * np.abs(m)
    if not deep.any():
        return False
    return bool(np.sum((depth[deep] / noise[deep]) ** 2) > 25)


def _running(values: Array, width: int) -> Array:
    sums = np.concatenate([[0.0], values]).cumsum()
    means: Array = (sums[width:] - sums[:-width]) / width
    return means
