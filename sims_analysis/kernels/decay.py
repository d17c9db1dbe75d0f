"""Exponential decay of an edge."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.counting import CLEAR, NONE_COUNTED, value_per_count
from sims_analysis.kernels.local_fit import as_counts, maximized
from sims_analysis.kernels.rows import Array, Flags, Index, Packed, Rows, first_status
from sims_analysis.outcomes import Status

#: A change of ln C over all samples below this is rounding.
FLAT = 1e-12
#: An edge is not exponential if ln C bends by this part of its fall, ...
_BEND = 0.05
#: ... and chance makes that less often than this.
_BY_CHANCE = 0.001
#: Precision of a curvature that is nothing.
_STRAIGHT = 1e12


class Decay(NamedTuple):
    """Exponential decay of an edge, by ``n`` samples from ``start`` to ``stop``; (R,)."""

    length: Array
    stderr: Array
    n: Index
    start: Array
    stop: Array
    reduced_chi_square: Array
    status: NDArray[np.uint8]


def decay(
    rows: Rows,
    start: Array,
    stop: Array,
    low: Array,
    high: Array,
    floor: Array,
    fraction: Array | float = 1.0,
    *,
    edge: int = -1,
) -> Decay:
    """Fit ``C = exp(a + b z)`` to a falling (-1) or rising (1) `edge`; its length is ``edge / b``.

    By the likelihood of counts above a subtracted `floor`, because weights from the samples would
    favour those that noise has raised; without errors, by least squares of ln C. Samples lie from
    `start` to `stop`, on one side of the maximum, and between two values, by default below half of
    a peak; near these the fit decides, because selecting by noisy values would flatten the edge.
    """
    free = np.isnan(high) & np.isnan(start if edge < 0 else stop)
    rows = rows.within(start, stop).packed()
    high = np.where(free, _half_of_peak(rows), high)
    under = rows.repeat(floor)
    c, per_count = rows.value, value_per_count_of(rows, under)
    lo, hi = rows.repeat(low), rows.repeat(high)
    usable = can_be_fitted(rows) & _on_edge_side(rows, hi, edge)

    def decided(fitted: Array, level: Array) -> Array:
        """Return the fitted value of samples near a level, and the own one of others."""
        if per_count is None:
            return c
        doubt = CLEAR * np.sqrt(per_count * np.fmax(np.fmax(c, level) + under, 0.0))
        return np.where(np.abs(c - level) < doubt, fitted, c)

    def chosen(fitted: Array) -> Flags:
        inside: Flags = usable & ~(decided(fitted, lo) < lo) & ~(decided(fitted, hi) > hi)
        return inside

    keep = chosen(c)
    fit = fit_exponential(rows, keep, per_count, under)
    for _ in range(0 if per_count is None else 10):
        with np.errstate(over="ignore", invalid="ignore"):
            fitted = np.exp(fit.line(rows))
        again = chosen(np.where(rows.repeat(fit.b * edge > 0), fitted, c))
        if np.array_equal(again, keep):
            break
        keep = again
        fit = fit_exponential(rows, keep, per_count, under)
    kept = rows.keep(keep)
    with np.errstate(divide="ignore", invalid="ignore"):
        # A line that is flat up to rounding does not decay.
        is_flat = np.abs(fit.b) * (kept.last - kept.first) < FLAT
        length = edge / np.where(is_flat, np.nan, fit.b)
        stderr = np.sqrt(fit.variance) * length**2
    few = kept.sum((kept.value > 0).astype(float)) < (3 if per_count is None else 2)
    none = first_status((few, Status.NO_DATA), (~(length > 0), Status.NEVER_REACHED))
    assess = None if per_count is None else per_count[keep]
    chi, bent = _misfit(kept, fit, assess, under[keep], fraction)
    length, stderr, chi = (np.where(none == Status.OK, x, np.nan) for x in (length, stderr, chi))
    status = np.where(bent & (none == Status.OK), Status.WRONG_SHAPE, none).astype(np.uint8)
    return Decay(length, stderr, kept.size, kept.first, kept.last, chi, status)


def _misfit(
    kept: Packed, fit: Exponential, per_count: Array | None, under: Array, fraction: Array | float
) -> tuple[Array, Flags]:
    """Return reduced chi-squares, NaN without errors, and edges that are not exponential.

    Their decay length depends on the part that is used: polynomials of second and third order of
    the residuals of ln C are more than 5 % of its fall, and hardly chance: noise of the stated
    errors, or of its own size in means of three neighbours (the F distribution of two degrees of
    freedom has a closed form).
    """
    with np.errstate(all="ignore"):
        line = fit.line(kept)
        if per_count is None:
            weight, r = np.ones(line.size), np.log(kept.value) - line
        else:
            curve = np.exp(line)
            weight, r = curve**2 / (per_count * (curve + under)), kept.value / curve - 1.0
        chi_square = kept.sum(weight * r**2)
        x = (kept.depth - kept.repeat(fit.at)) / kept.repeat(kept.last - kept.first)
        basis = [np.ones_like(x)]
        bend, explained = np.zeros_like(x), np.zeros(kept.count)
        for power in (x, x**2, x**3):
            q = power
            for one in basis:
                q = q - kept.repeat(kept.sum(weight * one * q) / kept.sum(weight * one**2)) * one
            basis.append(q)
            square, product = kept.sum(weight * q**2), kept.sum(weight * q * r)
            part = np.where((square > 0) & (kept.size >= len(basis)), product / square, 0.0)
            if len(basis) > 2:
                bend += kept.repeat(part) * q
                explained += part * product
        chance, reduced = np.exp(-0.5 * explained), chi_square / (kept.size - 2)
        reduced[kept.size < 3] = np.nan
        if per_count is None:
            freedom = (kept.size - 4.0) / 3.0 * fraction
            left = np.maximum(chi_square - explained, 0.0)
            chance = np.where(freedom > 0, (1.0 + explained / left) ** (-0.5 * freedom), 1.0)
            reduced[:] = np.nan
        most, least = (kept.reduce(end, bend) for end in (np.maximum, np.minimum))
        fall = np.abs(fit.b) * (kept.last - kept.first)
        return reduced, (chance < _BY_CHANCE) & (most - least > _BEND * fall)


def can_be_fitted(rows: Packed) -> Flags:
    """Flag the samples that a fit can use: with a standard error, or without any, positive."""
    usable: Flags = (rows.value if rows.stderr is None else rows.stderr) > 0
    return usable


def value_per_count_of(rows: Packed, under: Array) -> Array | None:
    """Return the value of one count at every sample above what was subtracted, or None."""
    if rows.stderr is None:
        return None
    value = rows.value + under
    found = value_per_count(value, rows.stderr, lambda samples: rows.repeat(rows.sum(samples)))
    # A row of zeros has the standard error that with_counting_statistics gives to zero counts.
    return np.where(np.isfinite(found), found, rows.stderr / NONE_COUNTED)


def _half_of_peak(rows: Packed) -> Array:
    """Return half of the maximum of rows that begin and end below that; otherwise NaN."""
    half = 0.5 * rows.reduce(np.maximum, rows.value)
    some = np.flatnonzero(rows.size)
    ends = (rows.value_at(one[some]) for one in (rows.offsets[:-1], rows.offsets[1:] - 1))
    found = np.full(rows.count, np.nan)
    found[some] = np.where(np.maximum(*ends) < half[some], half[some], np.nan)
    return found


def _on_edge_side(rows: Packed, high: Array, edge: int) -> Flags:
    """Flag the samples on the edge's side of the maximum; all of them if it is not above `high`."""
    maximum = rows.reduce(np.maximum, rows.value)
    along = -edge * rows.depth
    at_top = (rows.value == rows.repeat(maximum)) & (rows.value > high)
    # Of several equal maxima, use the one next to the edge.
    top = rows.reduce(np.maximum, np.where(at_top, along, -np.inf))
    beside: Flags = along >= rows.repeat(top)
    return beside


class Exponential(NamedTuple):
    """``ln C = a + b (z - at)`` for every row, with the variance of b."""

    a: Array
    b: Array
    at: Array
    variance: Array

    def line(self, rows: Packed) -> Array:
        """Return the fitted ln C at the samples."""
        a, b, at = map(rows.repeat, (self.a, self.b, self.at))
        found: Array = a + b * (rows.depth - at)
        return found


def fit_exponential(
    rows: Packed, keep: Flags, per_count: Array | None, under: Array
) -> Exponential:
    """Fit exponentials to the selected samples, above what was subtracted from them (`under`)."""
    kept = rows.keep(keep)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        at = kept.sum(kept.depth) / kept.size
        x = kept.depth - kept.repeat(at)
        if per_count is not None:
            return _by_likelihood(kept, x, at, per_count[keep], under[keep])
        y = np.log(kept.value)
        a = kept.sum(y) / kept.size
        squares = kept.sum(x * x)
        b = kept.sum(x * (y - kept.repeat(a))) / squares
        residual = kept.sum((y - kept.repeat(a) - kept.repeat(b) * x) ** 2) / (kept.size - 2)
        return Exponential(a, b, at, residual / squares)


def _by_likelihood(
    kept: Packed, x: Array, at: Array, per_count: Array, under: Array
) -> Exponential:
    """Maximize the likelihood of counts: a parabola of ln C (:func:`.maximized`) held straight."""
    far = kept.reduce(np.maximum, np.abs(x))
    counts, mean = as_counts(kept, x / kept.repeat(far), per_count, under)
    some = np.flatnonzero(kept.size)
    first = np.log(counts.reduce(np.add, kept.value / per_count) / mean[some])
    first -= np.log(counts.reduce(np.add, 1.0 / per_count))
    nothing = np.zeros(some.size)
    found, information = maximized(counts, first, nothing, nothing + _STRAIGHT)
    i00, i01, i11 = (information[:, i, j] for i, j in ((0, 0), (0, 1), (1, 1)))
    a, b, variance = columns = np.full((3, kept.count), np.nan)
    columns[:, some] = found[0], found[1], i00 / (i00 * i11 - i01**2)
    return Exponential(a + np.log(mean), b / far, at, variance / far**2)
