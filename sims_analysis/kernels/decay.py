"""The exponential decay of an edge."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.counting import NONE_COUNTED
from sims_analysis.kernels.rows import Array, Flags, Index, Packed, Rows, Status

__all__ = ["Decay", "Exponential", "decay", "fit_exponential", "value_of_one_count"]

#: Within so many standard errors of a level, the fit and not the sample decides on the side.
DOUBT = 3.0
#: Change of ln C over all samples that is rounding alone.
LEVEL = 1e-12


class Decay(NamedTuple):
    """Exponential decay of an edge of every row; fields have shape (R,).

    ``start`` and ``stop`` are the depths of the first and the last of the ``n`` samples used;
    ``reduced_chi_square`` is near 1 where a straight line of ln C fits them.
    """

    length: Array
    stderr: Array
    n: Index
    start: Array
    stop: Array
    reduced_chi_square: Array
    status: NDArray[np.uint8]


def decay(
    rows: Rows, start: Array, stop: Array, low: Array, high: Array, *, edge: int = -1
) -> Decay:
    """Fit ``C = exp(a + b z)``; the decay length is ``edge / b``.

    With standard errors, by the likelihood of counts: the variance of a sample is in proportion to
    what the fit expects there, and zeros are data. (Weights from the samples themselves favour
    those that noise has raised.) Without, by least squares of ln C with equal weights, the
    standard error from the scatter about the line.

    Parameters
    ----------
    rows : Rows
    start, stop : ndarray, shape (R,)
        Window of depths.
    low, high : ndarray, shape (R,)
        Window of values. Within `DOUBT` standard errors of a level, the fit decides whether a
        sample is inside: choosing by the noisy values would flatten the edge. Where the maximum
        lies above `high`, the samples on the other side of it are another edge.
    edge : {-1, 1}
        Falling with depth, or rising: the sign for which the length is positive.
    """
    rows = rows.within(start, stop).packed()
    sigma, c = rows.stderr, rows.value
    lo, hi = rows.repeat(low), rows.repeat(high)
    one, doubt = None, [np.zeros(c.size)] * 2
    sound = c > 0 if sigma is None else sigma > 0
    if sigma is not None:
        one = value_of_one_count(rows, sigma)
        doubt = [DOUBT * np.sqrt(one * np.fmax(np.fmax(c, level), 0.0)) for level in (lo, hi)]
    sound &= _on_the_side(rows, hi, edge)

    def chosen(decisive: Array) -> Flags:
        """Choose samples by their own value, or where that is in doubt by another."""
        low_side = np.where(np.abs(c - lo) < doubt[0], decisive, c) < lo
        high_side = np.where(np.abs(c - hi) < doubt[1], decisive, c) > hi
        inside: Flags = sound & ~low_side & ~high_side
        return inside

    keep = chosen(c)
    fit = fit_exponential(rows, keep, one)
    for _ in range(0 if one is None else 10):
        with np.errstate(over="ignore", invalid="ignore"):
            fitted = np.exp(
                rows.repeat(fit.a) + rows.repeat(fit.b) * (rows.depth - rows.repeat(fit.at))
            )
        again = chosen(np.where(rows.repeat(fit.b * edge > 0), fitted, c))
        if np.array_equal(again, keep):
            break
        keep = again
        fit = fit_exponential(rows, keep, one)
    kept = rows.keep(keep)
    with np.errstate(divide="ignore", invalid="ignore"):
        # A straight line that is level up to rounding does not decay at all.
        is_level = np.abs(fit.b) * (kept.last() - kept.first()) < LEVEL
        length = edge / np.where(is_level, np.nan, fit.b)
        stderr = np.sqrt(fit.var_b) * length**2
    few = kept.sum((kept.value > 0).astype(float)) < (2 if sigma is not None else 3)
    runs = np.where(length > 0, Status.OK, Status.NEVER_REACHED)
    status = np.where(few, Status.NO_DATA, runs).astype(np.uint8)
    chi = _reduced_chi_square(kept, fit, None if one is None else one[keep])
    answers = (np.where(status == Status.OK, x, np.nan) for x in (length, stderr, chi))
    length, stderr, chi = answers
    return Decay(length, stderr, kept.size, kept.first(), kept.last(), chi, status)


def _reduced_chi_square(kept: Packed, fit: Exponential, one: Array | None) -> Array:
    """Compare how far samples lie from the line with how far they should."""
    with np.errstate(all="ignore"):
        line = kept.repeat(fit.a) + kept.repeat(fit.b) * (kept.depth - kept.repeat(fit.at))
        if one is not None:
            expected = np.exp(line)
            terms = (kept.value - expected) ** 2 / (one * expected)
            return np.where(kept.size > 2, kept.sum(terms) / (kept.size - 2), np.nan)
        off = np.log(kept.value) - line
        scatter = np.zeros(off.size)
        # Of unevenly spaced samples: from the line through the two neighbours.
        z0, z1, z2 = kept.depth[:-2], kept.depth[1:-1], kept.depth[2:]
        t = (z1 - z0) / (z2 - z0)
        bend = off[1:-1] - ((1 - t) * off[:-2] + t * off[2:])
        scatter[1:-1] = bend**2 / (1 + (1 - t) ** 2 + t**2)
        scatter[kept.start[:-1][kept.size > 0]] = 0.0
        scatter[kept.start[1:][kept.size > 0] - 1] = 0.0
        chi = kept.sum(off**2) / kept.sum(scatter)
        # A line that is exact but for rounding.
        exact = kept.sum(off**2) <= (LEVEL * kept.size) ** 2
        return np.where(kept.size > 3, np.where(exact, 0.0, chi), np.nan)


def value_of_one_count(rows: Packed, sigma: Array) -> Array:
    """Return ``sigma^2 / C``, or that of the whole row where the sample leaves it uncertain."""
    c = rows.value
    known = (c > 0) & (sigma < c)
    with np.errstate(divide="ignore", invalid="ignore"):
        together = rows.sum(np.where(c > 0, sigma**2, 0.0)) / rows.sum(np.where(c > 0, c, 0.0))
        one: Array = np.where(known, sigma**2 / c, rows.repeat(together))
    # A row of zeros: what with_counting_statistics gives where nothing was counted.
    return np.where(np.isfinite(one), one, sigma / NONE_COUNTED)


def _on_the_side(rows: Packed, high: Array, edge: int) -> Flags:
    """Mark the samples on the asked side of the maximum, where that lies above `high`."""
    maximum = rows.extreme(np.maximum, rows.value)
    at_top = np.flatnonzero((rows.value == rows.repeat(maximum)) & (rows.value > high))
    # Of several, the one next to the edge.
    top = np.full(rows.count, np.nan)
    order = at_top if edge < 0 else at_top[::-1]
    top[rows.row[order]] = rows.depth[order]
    beyond = edge * (rows.depth - rows.repeat(top))
    beside: Flags = ~(beyond > 0)
    return beside


class Exponential(NamedTuple):
    """``ln C = a + b (z - at)`` of every row, and the variances and covariance of a and b."""

    a: Array
    b: Array
    at: Array
    var_a: Array
    cov: Array
    var_b: Array


def fit_exponential(rows: Packed, keep: Flags, one: Array | None) -> Exponential:
    """Fit exponentials to the samples that are marked.

    Parameters
    ----------
    rows : Packed
    keep : ndarray of bool, shape (N,)
    one : ndarray, shape (N,), or None
        The value of one count at every sample (:func:`value_of_one_count`), for a fit by the
        likelihood of counts; by default least squares of ln C with equal weights.
    """
    kept = rows.keep(keep)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        at = kept.sum(kept.depth) / kept.size
        x = kept.depth - kept.repeat(at)
        if one is not None:
            return _by_likelihood(kept, x, at, one[keep])
        y = np.log(kept.value)
        a = kept.sum(y) / kept.size
        squares = kept.sum(x * x)
        b = kept.sum(x * (y - kept.repeat(a))) / squares
        residual = kept.sum((y - kept.repeat(a) - kept.repeat(b) * x) ** 2) / (kept.size - 2)
        # About the mean depth, a and b are independent of each other.
        return Exponential(a, b, at, residual / kept.size, np.zeros_like(a), residual / squares)


def _by_likelihood(kept: Packed, x: Array, at: Array, one: Array) -> Exponential:
    """Newton's steps, shortened so that no sample's fit moves by more than e^1.5.

    A fixed number of them: when one row has converged must not depend on those beside it.
    """
    scale = kept.sum(np.abs(kept.value)) / kept.size
    weight, y = kept.repeat(scale) / one, kept.value / kept.repeat(scale)
    far = kept.extreme(np.maximum, np.abs(x), 0.0)
    a = np.log(np.maximum(kept.sum(weight * y) / kept.sum(weight), 1e-300))
    b = np.zeros_like(a)
    for _ in range(40):
        fitted = weight * np.exp(np.clip(kept.repeat(a) + kept.repeat(b) * x, -200.0, 200.0))
        rest = weight * y - fitted
        g0, g1 = kept.sum(rest), kept.sum(rest * x)
        i00, i01, i11 = kept.sum(fitted), kept.sum(fitted * x), kept.sum(fitted * x * x)
        det = i00 * i11 - i01**2
        da, db = (i11 * g0 - i01 * g1) / det, (i00 * g1 - i01 * g0) / det
        largest = np.abs(da) + np.abs(db) * far
        step = np.minimum(1.0, 1.5 / largest)
        a, b = a + step * da, b + step * db
    return Exponential(a + np.log(scale), b, at, i11 / det, -i01 / det, i00 / det)
