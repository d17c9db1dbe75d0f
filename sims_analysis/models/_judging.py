"""Whether a profile can carry a model, and whether the model describes it."""

from __future__ import annotations

import numpy as np

from sims_analysis.models._model import Array

__all__ = ["RESIDUALS", "STATUS", "lag_correlation", "runs_score", "second_peak", "verdict"]

#: Words of the status, in the order of the codes.
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
)

#: What is said of the residuals, in the order of the codes.
RESIDUALS = (
    "",
    "random",
    "correlated: the model does not have the profile's shape",
    "larger than the stated errors",
)


def runs_score(positive: Array) -> float:
    """Give how far the number of runs of equal signs is from that of chance, in its deviations.

    Wald and Wolfowitz, Ann. Math. Statist. 11 (1940) 147. Fewer runs are negative; 0 where the
    signs are too few to tell.
    """
    n, above = positive.size, int(positive.sum())
    below = n - above
    if above < 3 or below < 3:
        # All on one side is as far from chance as can be, if there are enough of them.
        return -np.sqrt(n) if n >= 20 else 0.0
    runs = 1 + int(np.count_nonzero(positive[1:] != positive[:-1]))
    product = 2.0 * above * below
    mean = product / n + 1
    variance = product * (product - n) / (n * n * (n - 1.0))
    return float((runs - mean) / np.sqrt(variance))


def lag_correlation(r: Array) -> float:
    """Give the correlation of each residual with the next."""
    whole = float(r @ r)
    return float(r[1:] @ r[:-1]) / whole if whole > 0 else 0.0


def verdict(score: float, reduced: float, degrees: int, *, known_errors: bool) -> int:
    """Say of the residuals what they show: a place in :data:`RESIDUALS`."""
    if score < -3.5:
        return 2
    # Five standard deviations of a chi-square over its degrees of freedom.
    if known_errors and degrees > 0 and reduced > 1 + 5 * np.sqrt(2 / degrees):
        return 3
    return 1


def second_peak(c: Array, noise: Array, *, share: float = 0.05) -> bool:
    """Tell whether there is a second maximum that noise does not explain.

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
    a quarter. Means are over as many neighbours as a twenty-fifth of the samples, at least three.
    """
    width = max(3, c.size // 25)
    if c.size < 4 * width:
        return False
    mean = _running(c, width)
    top = int(np.argmax(mean))
    error: Array | None = None
    for way in (slice(top, None), slice(top, None, -1)):
        side = mean[way]
        # At each place: the deepest valley on the way to it from the maximum.
        valley = np.minimum.accumulate(side)
        rise = side - valley
        found = (rise > 0.25 * np.abs(valley)) & (side > share * mean[top])
        if not found.any():
            continue
        if error is None:
            error = np.sqrt(_running(noise * noise, width) / width)
        sigma = error[way]
        at = np.maximum.accumulate(np.where(side == valley, np.arange(side.size), 0))
        if bool((found & (rise > 5 * np.hypot(sigma, sigma[at]))).any()):
            return True
    return False


def _running(values: Array, width: int) -> Array:
    sums = np.concatenate([[0.0], np.cumsum(values)])
    means: Array = (sums[width:] - sums[:-width]) / width
    return means
