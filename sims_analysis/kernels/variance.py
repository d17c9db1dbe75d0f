"""Random errors of weighted sums over a profile, from independent errors of its samples.

Integrals, backgrounds and moments are sums ``sum w_i c_i``, exactly or to first order. Subtracting
the mean over a window adds ``-W / n`` to the weights of its n samples.
"""

from __future__ import annotations

import numpy as np

from sims_analysis.kernels import segments
from sims_analysis.kernels.counting import shares, window_mean
from sims_analysis.kernels.rows import Array, Flags, Rows, SingleResult, errors_of


def weighted_errors(rows: Rows, weights: Array) -> Array:
    """Return ``w_i s_i``: 0 for a sample of zero weight, even if its error is unknown."""
    return np.where(weights == 0.0, 0.0, weights * errors_of(rows))


def variance_of_sum(rows: Rows, weights: Array) -> Array:
    """Return ``sum (w_i s_i)^2``; NaN if the error of a sample with weight is unknown."""
    stderr = errors_of(rows)
    total = rows.sum(stderr * stderr, weights * weights)
    if np.isnan(total).any():  # an error that is unknown does not matter where it has no weight
        terms = weighted_errors(rows, weights)
        total = rows.sum(terms * terms)
    return total


def variance_of_dose(
    rows: Rows,
    start: Array,
    stop: Array,
    held_width: Array,
    window_start: Array,
    window_stop: Array,
    *,
    window: bool,
) -> SingleResult:
    """Variance of trapezoidal integrals, (R,), optionally above the mean over a background window.

    Of samples both in the window, `window_start` to `window_stop`, and the interval, errors partly
    cancel. The first value may be held over `held_width` above the first sample; it is one sample,
    however many depths share it. NaN without an integral,
    a sample in the window, or an error. With zero counts in total, the error is the upper end of
    their 68 % interval, [0, 1.84] counts, in the sample of the largest weight: twice the standard
    error of a sample with zero counts.
    """
    weights, width = _weights(rows, start, stop)
    total = width + held_width
    if not (window or held_width.any() or rows.uncounted is not None):
        return SingleResult(np.where(total > 0, variance_of_sum(rows, weights), np.nan))
    if window:
        terms, net, squared, valid = _above_mean(rows, weights, total, window_start, window_stop)
    else:
        squared, net, valid = errors_of(rows) ** 2, weights, np.ones(rows.count, dtype=bool)
        terms = weighted_errors(rows, weights) ** 2
    if held_width.any():
        row = np.flatnonzero((rows.size > 0) & (held_width > 0))
        first = rows.offsets[row]
        own = np.broadcast_to(net, rows.value.shape).reshape(-1)[first]
        extra = held_width[row] * (2.0 * own + held_width[row] * rows.share[row])
        terms.reshape(-1)[first] += extra * squared.reshape(-1)[first]
    variance = np.where((total > 0) & valid, rows.sum(terms), np.nan)
    if rows.uncounted is not None and (variance == 0).any():
        whole = np.broadcast_to(weights, rows.value.shape).copy()
        nonempty = rows.size > 0
        whole.reshape(-1)[rows.offsets[:-1][nonempty]] += held_width[nonempty]
        # On a fine grid, the count of a sample is spread over 1 / fraction depths: each has a
        # weight smaller by this factor, and an error larger by its square root.
        most = rows.reduce(np.maximum, whole * rows.uncounted) / rows.share
        variance = np.where(variance == 0, (2.0 * most) ** 2, variance)
    return SingleResult(variance)


def variance_above_mean(
    rows: Rows, weights: Array, total: Array, window_start: Array, window_stop: Array
) -> Array:
    """Return the variance of ``sum w_i c_i - W mean(c in the window)``, with W = `total`.

    That is ``sum (w_i - W p_i)^2 s_i^2``, with the shares p of the samples in the mean. Within the
    window, the s_i are scaled up to the scatter if that is larger: see
    :func:`sims_analysis.kernels.counting.window_mean`. NaN without a sample in the window.
    """
    terms, _, _, valid = _above_mean(rows, weights, total, window_start, window_stop)
    return np.where(valid, rows.sum(terms), np.nan)


def _above_mean(
    rows: Rows, weights: Array, total: Array, window_start: Array, window_stop: Array
) -> tuple[Array, Array, Array, Flags]:
    """Return net weights and variances of :func:`variance_above_mean`, and rows with samples."""
    stderr = errors_of(rows)
    share = shares(rows, window_start, window_stop)
    inside = share > 0
    _, n, _, of_one, scatter, *_ = window_mean(rows, window_start, window_stop)
    with np.errstate(divide="ignore", invalid="ignore"):
        own = (stderr * rows.repeat(scatter)) ** 2
        # Samples without a standard error (0) that scatter: their scatter is all there is.
        unstated = rows.repeat(rows.sum(np.where(inside, stderr, 0.0)) == 0)
        own = np.where(unstated, rows.repeat(of_one), own)
        share = np.where(inside, rows.repeat(total) * share, 0.0)
    net, squared = weights - share, np.where(inside, own, stderr**2)
    # As in `weighted_errors`; a sample in the window always has weight.
    terms = np.where((weights == 0.0) & ~inside, 0.0, net**2 * squared)
    return terms, net, squared, n > 0


def _weights(rows: Rows, start: Array, stop: Array) -> tuple[Array, Array]:
    """Return the weight of each sample, and the width of the interval."""
    a, b, valid = segments.interval(rows, start, stop)
    weights = segments.trapezoid_weights(rows, a, b)
    return weights, np.subtract(b, a, out=np.zeros(rows.count), where=valid)
