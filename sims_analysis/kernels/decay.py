"""The exponential decay of an edge."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.counting import NONE_COUNTED
from sims_analysis.kernels.rows import Rows, compress_flat, per_row
from sims_analysis.kernels.windows import samples_within

__all__ = ["Decay", "decay"]

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

OK, NO_DATA, NEVER_REACHED = 0, 1, 2

#: Within so many standard errors of a level, the fit and not the sample says on which side it is.
DOUBT = 3.0
#: Change of ln C over all samples that is rounding alone.
LEVEL = 1e-12


class Decay(NamedTuple):
    """Exponential decay of an edge of every row; fields have the leading shape."""

    length: Array
    stderr: Array
    samples: NDArray[np.intp]
    start: Array
    stop: Array
    status: NDArray[np.uint8]


def decay(
    depth: Array,
    value: Array,
    stderr: Array | None,
    start: Array | float = np.nan,
    stop: Array | float = np.nan,
    low: Array | float = np.nan,
    high: Array | float = np.nan,
    *,
    edge: int = -1,
) -> Decay:
    """Fit ``C = exp(a + b z)``; the decay length is ``edge / b``.

    With standard errors, by the likelihood of counts: the variance of a sample is in proportion to
    what the fit expects there, and zeros are data. (Weights from the samples themselves favour
    those that noise has raised.) Without, by least squares of ln C with equal weights, the
    standard error from the scatter about the line.

    Parameters
    ----------
    start, stop : float or ndarray
        Window of depths.
    low, high : float or ndarray
        Window of values. Within `DOUBT` standard errors of a level, the fit decides whether a
        sample is inside: choosing by the noisy values would flatten the edge. Where the maximum
        lies above `high`, the samples on the other side of it are another edge.
    edge : {-1, 1}
        Falling with depth, or rising: the sign for which the length is positive.
    """
    lead = value.shape[:-1]
    first, last, lows, highs = (per_row(limit, lead) for limit in (start, stop, low, high))
    columns = np.full((4, lows.size), np.nan)
    number = np.zeros(lows.size, dtype=np.intp)
    status = np.full(lows.size, NO_DATA, dtype=np.uint8)
    for block, rows, sigma in samples_within(depth, value, stderr, first, last):
        columns[:, block], number[block], status[block] = _decay(
            rows, sigma, lows[block], highs[block], edge
        )
    length, error, begin, end = columns.reshape(4, *lead)
    return Decay(length, error, number.reshape(lead), begin, end, status.reshape(lead))


def _decay(
    rows: Rows, sigma: Array | None, low: Array, high: Array, edge: int
) -> tuple[tuple[Array, ...], NDArray[np.intp], NDArray[np.uint8]]:
    """Give length, its error and the ends of the samples used; their number, and the status."""
    lo, hi = rows.spread(low), rows.spread(high)
    one = None
    if sigma is None:
        sound = rows.value > 0
        doubt = [np.zeros(sound.shape)] * 2
    else:
        sound = sigma > 0
        one = _value_of_one_count(rows, sigma)
        doubt = [DOUBT * np.sqrt(one * np.fmax(rows.value, level)) for level in (lo, hi)]
    sound &= _on_the_side(rows, hi, edge)

    def chosen(told: Array) -> Mask:
        """Choose samples by their own value, or where that is in doubt by another."""
        c = rows.value
        low_side = np.where(np.abs(c - lo) < doubt[0], told, c) < lo
        high_side = np.where(np.abs(c - hi) < doubt[1], told, c) > hi
        inside: Mask = sound & ~low_side & ~high_side
        return inside

    keep = chosen(rows.value)
    fit = _fit(rows, keep, one)
    if one is not None:
        for _ in range(10):
            with np.errstate(over="ignore", invalid="ignore"):
                told = np.exp(
                    rows.spread(fit.a) + rows.spread(fit.b) * (rows.depth - rows.spread(fit.at))
                )
            runs = rows.spread(fit.b * edge > 0)
            again = chosen(np.where(runs, told, rows.value))
            if np.array_equal(again, keep):
                break
            keep = again
            fit = _fit(rows, keep, one)
    laid = compress_flat(rows, rows.value, keep)
    with np.errstate(divide="ignore", invalid="ignore"):
        # A level run, up to rounding, does not decay at all.
        level_run = np.abs(fit.b) * (laid.last() - laid.first()) < LEVEL
        length = edge / np.where(level_run, np.nan, fit.b)
        length_stderr = fit.stderr * length**2
    few = laid.sum((laid.value > 0).astype(float)) < (2 if sigma is not None else 3)
    status = np.where(few, NO_DATA, np.where(length > 0, OK, NEVER_REACHED)).astype(np.uint8)
    for column in (length, length_stderr):
        column[status != OK] = np.nan
    return (length, length_stderr, laid.first(), laid.last()), laid.size, status


def _value_of_one_count(rows: Rows, sigma: Array) -> Array:
    """Give ``sigma^2 / C``, and that of the whole row where the sample does not tell it well."""
    c = rows.value
    tells = (c > 0) & (sigma < c)
    with np.errstate(divide="ignore", invalid="ignore"):
        together = rows.sum(np.where(c > 0, sigma**2, 0.0)) / rows.sum(np.where(c > 0, c, 0.0))
        one: Array = np.where(tells, sigma**2 / c, rows.spread(together))
    # A row of zeros: what with_counting_statistics gives where nothing was counted.
    return np.where(np.isfinite(one), one, sigma / NONE_COUNTED)


def _on_the_side(rows: Rows, high: Array, edge: int) -> Mask:
    """Mark the samples on the asked side of the maximum, where that lies above `high`."""
    some = np.flatnonzero(rows.size)
    if not some.size:
        return np.zeros(rows.depth.shape, dtype=bool)
    maximum = np.full(rows.count, np.nan)
    maximum[some] = np.maximum.reduceat(rows.value, rows.start[some])
    at_top = np.flatnonzero((rows.value == rows.spread(maximum)) & (rows.value > high))
    # Of several, the one next to the edge.
    top = np.full(rows.count, np.nan)
    order = at_top if edge < 0 else at_top[::-1]
    top[rows.row[order]] = rows.depth[order]
    beyond = edge * (rows.depth - rows.spread(top))
    beside: Mask = ~(beyond > 0)
    return beside


class _Fit(NamedTuple):
    """``ln C = a + b (z - at)`` of every row, and the standard error of b."""

    a: Array
    b: Array
    at: Array
    stderr: Array


def _fit(rows: Rows, keep: Mask, one: Array | None) -> _Fit:
    laid = compress_flat(rows, rows.value, keep)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        at = laid.sum(laid.depth) / laid.size
        x = laid.depth - laid.spread(at)
        if one is None:
            y = np.log(laid.value)
            a = laid.sum(y) / laid.size
            spread = laid.sum(x * x)
            b = laid.sum(x * (y - laid.spread(a))) / spread
            residual = laid.sum((y - laid.spread(a) - laid.spread(b) * x) ** 2)
            return _Fit(a, b, at, np.sqrt(residual / (laid.size - 2) / spread))
        return _by_likelihood(laid, x, at, one[keep])


def _by_likelihood(laid: Rows, x: Array, at: Array, one: Array) -> _Fit:
    """Newton's steps, shortened so that no sample's fit moves by more than e^1.5.

    A fixed number of them: when one row has converged must not depend on those beside it.
    """
    scale = laid.sum(np.abs(laid.value)) / laid.size
    weight, y = laid.spread(scale) / one, laid.value / laid.spread(scale)
    far = np.zeros(laid.count)
    some = np.flatnonzero(laid.size)
    if some.size:
        far[some] = np.maximum.reduceat(np.abs(x), laid.start[some])
    a = np.log(np.maximum(laid.sum(weight * y) / laid.sum(weight), 1e-300))
    b = np.zeros_like(a)
    for _ in range(40):
        fitted = weight * np.exp(np.clip(laid.spread(a) + laid.spread(b) * x, -200.0, 200.0))
        rest = weight * y - fitted
        g0, g1 = laid.sum(rest), laid.sum(rest * x)
        i00, i01, i11 = laid.sum(fitted), laid.sum(fitted * x), laid.sum(fitted * x * x)
        det = i00 * i11 - i01**2
        da, db = (i11 * g0 - i01 * g1) / det, (i00 * g1 - i01 * g0) / det
        largest = np.abs(da) + np.abs(db) * far
        step = np.minimum(1.0, 1.5 / largest)
        a, b = a + step * da, b + step * db
    return _Fit(a + np.log(scale), b, at, np.sqrt(i00 / det))
