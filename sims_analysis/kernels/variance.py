"""Random errors of sums over a profile, from those of its samples, which are independent.

An integral, a background and a moment are all sums ``sum w_i c_i``, exactly or to first order; a
mean over a window of depths that is subtracted adds ``-W / n`` to the weights of its n samples.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sims_analysis.kernels import segments
from sims_analysis.kernels.rows import Array, Flags, Rows, errors_of

__all__ = [
    "Variance",
    "variance_above_mean",
    "variance_of_dose",
    "variance_of_nothing",
    "variance_of_sum",
]


class Variance(NamedTuple):
    """Variances, shape (R,)."""

    variance: Array


def variance_of_sum(rows: Rows, weights: Array) -> Array:
    """Return ``sum (w_i s_i)^2``; NaN where the error of a sample that has weight is not known."""
    # A sample without weight counts for nothing, whether or not its error is known.
    terms = np.where(weights == 0.0, 0.0, weights * errors_of(rows))
    return rows.sum(terms * terms)


def variance_of_dose(
    rows: Rows,
    start: Array,
    stop: Array,
    held: Array,
    fraction: Array,
    top: Array,
    bottom: Array,
    *,
    window: bool,
) -> Variance:
    """Variance of a trapezoidal integral, or of one above the mean over a window of depths.

    The window may lie within the interval: its samples then bear on both the integral and what is
    subtracted from it, and their errors partly cancel.

    Parameters
    ----------
    rows : Rows
        With standard errors.
    start, stop : ndarray, shape (R,)
        As for :func:`sims_analysis.kernels.dose.integrate`.
    held : ndarray, shape (R,)
        Width for which the first sample counts besides, above its depth.
    fraction : ndarray, shape (R,)
        Independent samples for each depth: the held value is one sample, whatever shares it.
    top, bottom : ndarray, shape (R,)
        Limits of the window; NaN is the row's own end.
    window : bool
        Whether there is a background window.

    Returns
    -------
    Variance
        NaN where there is no integral, no sample in the window, or an error is not known.
    """
    weights, width = _weights(rows, start, stop)
    total = width + held
    if window:
        terms, net, squared, some = _above_mean(rows, weights, total, top, bottom)
    else:
        squared, net, some = errors_of(rows) ** 2, weights, np.ones(rows.count, dtype=bool)
        terms = np.where(weights == 0.0, 0.0, weights**2 * squared)
    if held.any():
        row = np.flatnonzero((rows.size > 0) & (held > 0))
        first = rows.start[row]
        own = np.broadcast_to(net, rows.value.shape).reshape(-1)[first]
        more = held[row] * (2.0 * own + held[row] * fraction[row])
        terms.reshape(-1)[first] += more * squared.reshape(-1)[first]
    return Variance(np.where((total > 0) & some, rows.sum(terms), np.nan))


def variance_above_mean(
    rows: Rows, weights: Array, total: Array, top: Array, bottom: Array
) -> Array:
    """Return the variance of ``sum w_i c_i - W mean(c in the window)``.

    That is ``sum (w_i - W / n [i in the window])^2 s_i^2``. Errors within the window are those of
    the samples, or what they scatter about their mean if that is more: a background is not known
    better than it is flat.

    Parameters
    ----------
    rows : Rows
    weights : ndarray
        Of every sample.
    total : ndarray, shape (R,)
        ``W``, what the mean of the window weighs.
    top, bottom : ndarray, shape (R,)

    Returns
    -------
    ndarray, shape (R,)
        NaN where there is no sample in the window.
    """
    terms, _, _, some = _above_mean(rows, weights, total, top, bottom)
    return np.where(some, rows.sum(terms), np.nan)


def _above_mean(
    rows: Rows, weights: Array, total: Array, top: Array, bottom: Array
) -> tuple[Array, Array, Array, Flags]:
    """Return the terms of that sum, the net weights and variances of the samples, and if it is."""
    stderr = errors_of(rows)
    inside = ~((rows.depth < rows.repeat(top)) | (rows.depth > rows.repeat(bottom)))
    with np.errstate(divide="ignore", invalid="ignore"):
        n = rows.sum(inside.astype(float))
        mean = rows.sum(np.where(inside, rows.value, 0.0)) / n
        off = np.where(inside, rows.value - rows.repeat(mean), 0.0)
        scatter = np.where(n > 1, rows.sum(off**2) / (n - 1), 0.0)
        stated = rows.sum(np.where(inside, stderr**2, 0.0)) / n
        grown = rows.repeat(np.where(scatter > stated, scatter / stated, 1.0))
        own = np.where(rows.repeat(stated == 0), rows.repeat(scatter), stderr**2 * grown)
        share = np.where(inside, rows.repeat(total / n), 0.0)
    net, squared = weights - share, np.where(inside, own, stderr**2)
    # A sample without weight counts for nothing, whether or not its error is known.
    terms = np.where((weights == 0.0) & ~inside, 0.0, net**2 * squared)
    return terms, net, squared, n > 0


def variance_of_nothing(rows: Rows, start: Array, stop: Array, held: Array) -> Variance:
    """Square of the upper end of the 68 % interval of an integral in which nothing was counted.

    Of the whole number of counts, 0, the interval ends at 1.84; what that is in the integral,
    where they had all been counted in the sample that weighs most. An estimate at the end of its
    interval is as far from the other end as the interval is wide.

    Parameters
    ----------
    rows : Rows
        With standard errors: of samples without counts, half the width of their own interval.
    start, stop, held : ndarray, shape (R,)
        As for :func:`variance_of_dose`.
    """
    weights, _ = _weights(rows, start, stop)
    weights = _with_held(rows, weights, held)
    most = rows.extreme(np.maximum, np.where(weights > 0, weights * errors_of(rows), 0.0))
    return Variance((2.0 * most) ** 2)


def _weights(rows: Rows, start: Array, stop: Array) -> tuple[Array, Array]:
    """Return the weight of each sample, and the width of the interval."""
    a, b = np.fmax(start, rows.first()), np.fmin(stop, rows.last())
    some = (rows.size > 1) & (a < b)
    # Limits that leave nothing, where there is no integral.
    a, b = np.where(some, a, np.inf), np.where(some, b, np.inf)
    weights = segments.trapezoid_weights(rows.depth, *segments.limited(rows, a, b))
    return weights, np.subtract(b, a, out=np.zeros(rows.count), where=some)


def _with_held(rows: Rows, weights: Array, held: Array) -> Array:
    """Add the width for which the first sample of each row counts besides."""
    if not held.any():
        return weights
    weights = np.broadcast_to(weights, rows.value.shape).copy()
    some = np.flatnonzero(rows.size)
    weights.reshape(-1)[rows.start[some]] += held[some]
    return weights
