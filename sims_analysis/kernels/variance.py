"""Random errors of weighted sums over a profile, from independent errors of its samples.

Integrals, backgrounds and moments are sums ``sum w_i c_i``, exactly or to first order. Subtracting
the mean over a window adds ``-W / n`` to the weights of its n samples.
"""

from __future__ import annotations

import numpy as np

from sims_analysis.kernels import segments
from sims_analysis.kernels.counting import WindowMean, shares, window_mean
from sims_analysis.kernels.rows import (
    Array,
    Packed,
    Rows,
    dot_rows,
    errors_of,
    in_parts,
)


def variance_of_sum(rows: Rows, weights: Array) -> Array:
    """Return ``sum (w_i s_i)^2``; NaN if the error of a sample with weight is unknown."""
    stderr, total = errors_of(rows), np.empty(rows.count)
    if isinstance(rows, Packed):
        total = rows.sum(stderr * stderr, weights * weights)
    else:
        squared = weights * weights
        for part in in_parts(rows.size):
            of_part = squared if squared.ndim == 1 else squared[part]
            total[part] = dot_rows(stderr[part] * stderr[part], of_part)
    if np.isnan(total).any():  # an error that is unknown does not matter where it has no weight
        total = rows.sum(np.where(weights == 0.0, 0.0, weights * stderr) ** 2)
    return total


def variance_of_dose(
    rows: Rows,
    start: Array,
    stop: Array,
    window_start: Array | None = None,
    window_stop: Array | None = None,
    *,
    hold: bool = False,
) -> Array:
    """Variance of trapezoidal integrals, (R,), above the mean over a background window if given.

    Of samples both in the window, `window_start` to `window_stop`, and the interval, errors partly
    cancel; one without a count is known to 1.84 counts over its samples. A first value that is held
    up to the surface is one sample. NaN without an integral, a sample in the window, or an error.
    With zero counts in total, the error is the upper end of their 68 % interval, [0, 1.84] counts,
    in the sample of the largest weight: twice the standard error of a sample with zero counts.
    """
    rows = rows.packed() if hold else rows
    a, b, valid = segments.interval(rows, start, stop, hold=hold)
    weights = segments.trapezoid_weights(rows, a, b)
    total = np.subtract(b, a, out=np.zeros(rows.count), where=valid)
    if hold:
        width = np.minimum(total, rows.begin - a)
        row = np.flatnonzero(width > 0)
        # The held part has the error of one sample, however many depths of a fine grid share it.
        first, width = rows.offsets[row], width[row]
        weight = weights[first]
        weights[first] = np.sqrt(weight**2 + width * (2.0 * weight + width * rows.share[row]))
    mean = None
    if window_start is not None and window_stop is not None:
        mean = window_mean(rows, window_start, window_stop)
        share = shares(rows, window_start, window_stop)
        variance = variance_above_mean(rows, weights, total, mean, share)
    else:
        variance = variance_of_sum(rows, weights)
    variance = np.where(total > 0, variance, np.nan)
    if rows.uncounted is not None:
        # On a fine grid, the count of a sample is spread over 1 / fraction depths: each has a
        # weight smaller by this factor, and an error larger by its square root.
        most = rows.reduce(np.maximum, weights * rows.uncounted) / rows.share
        variance = np.where(variance == 0, (2.0 * most) ** 2, variance)
        if mean is not None:  # which may be without a count
            variance += (mean.zero_count_stderr * total) ** 2
    return variance


def variance_above_mean(
    rows: Rows, weights: Array, total: Array, mean: WindowMean, share: Array
) -> Array:
    """Return the variance of ``sum w_i c_i - W mean(c in the window)``, with W = `total`.

    That is ``sum (w_i - W p_i)^2 s_i^2``, with the `share` p of each sample in the `mean`. Within
    the window, the s_i are scaled up to the scatter if that is larger: see
    :func:`sims_analysis.kernels.counting.window_mean`. NaN without a sample in the window.
    """
    stderr = errors_of(rows)
    inside = share > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        in_window = (stderr * rows.repeat(mean.scatter)) ** 2
        # Samples without a standard error (0) that scatter: their scatter is all there is.
        unstated = rows.repeat(rows.sum(np.where(inside, stderr, 0.0)) == 0)
        in_window = np.where(unstated, rows.repeat(mean.of_one), in_window)
        net = weights - np.where(inside, rows.repeat(total) * share, 0.0)
    terms = net**2 * np.where(inside, in_window, stderr**2)
    # As in `variance_of_sum`; a sample in the window always has weight.
    terms = np.where((weights == 0.0) & ~inside, 0.0, terms)
    return np.where(mean.n > 0, rows.sum(terms), np.nan)
