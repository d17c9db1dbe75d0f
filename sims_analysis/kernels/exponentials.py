"""Straight lines and parabolas of ln C: the decay of an edge, and the value near a depth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.counting import CLEAR_ERRORS, NONE_COUNTED, student, value_per_count
from sims_analysis.kernels.grid import shared_variance
from sims_analysis.kernels.local_fit import (
    Counted,
    as_counts,
    as_points,
    chance_of,
    chi_square,
    maximized,
    solve,
    value_stderr,
)
from sims_analysis.kernels.rows import Array, Flags, Index, Packed, Rows, changed, first_status
from sims_analysis.outcomes import Status

#: A change of ln C over all samples below this is rounding.
FLAT = 1e-12
#: Precision of a curvature that is nothing.
_STRAIGHT = 1e12
#: Precision of the curvature of ln C without any count, over the distance to the farthest sample.
PRIOR = 0.25


@dataclass(frozen=True)
class _Rules:
    """The numbers by which fits are judged, and the noise of samples without errors."""

    bent: float = 0.05  # an edge is not exponential if ln C bends by this part of its fall,
    hardly: float = 0.001  # and chance makes that less often than this,
    averaged: float = 3.0  # with noise that so many neighbours may share,
    few: float = 8.0  # by values of so many counts; if some have none, the least value is one
    #: Noise in proportion to values over that of counts, at their mean, is one of these
    relative: tuple[float, ...] = (0.0, 3.0, 100.0, 1e4)
    misfit: float = 0.04  # samples are off a parabola by this part of the value
    rarely: float = 1e-5  # if chance makes that less often than this;
    #: Kinks are at the depth, or beside it by a part of the distance to the farthest sample
    kinks: tuple[float, ...] = (0.0, 0.25, -0.25)
    vague: float = 1.0  # a shape that is not known to this part of the value does not count,
    alike: float = 1e9  # nor one whose last term is so many times less sure than it were alone


_RULES = _Rules()


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
    favour those that noise has raised; without errors, with the noise that they show. Samples lie
    from `start` to `stop`, on one side of the maximum, and between two values, by default below
    half of a peak.
    """
    free = np.isnan(high) & np.isnan(start if edge < 0 else stop)
    rows = rows.within(start, stop).packed()
    high = np.where(free, _half_of_peak(rows), high)
    under = rows.repeat(floor)
    stated = value_per_count_of(rows, under)
    levels = rows.repeat(low), rows.repeat(high)
    keep, fit = _selected(rows, levels, under, stated, fraction, edge)
    kept, line = rows.keep(keep), fit.line
    with np.errstate(all="ignore"):
        # A line that is flat up to rounding does not decay.
        is_flat = np.abs(line.b) * (kept.last - kept.first) < FLAT
        length = edge / np.where(is_flat, np.nan, line.b)
        stderr = student(fit.freedom) * np.sqrt(line.variance) * length**2
    few = kept.sum((kept.value > 0).astype(float)) < (3 if stated is None else 2)
    none = first_status((few, Status.NO_DATA), (~(length > 0), Status.NEVER_REACHED))
    chi, bent = _misfit(kept, line, None if stated is None else stated[keep], under[keep], fraction)
    length, stderr, chi = (np.where(none == Status.OK, x, np.nan) for x in (length, stderr, chi))
    status = np.where(bent & (none == Status.OK), Status.WRONG_SHAPE, none).astype(np.uint8)
    return Decay(length, stderr, kept.size, kept.first, kept.last, chi, status)


def _selected(
    rows: Packed,
    levels: tuple[Array, Array],
    under: Array,
    stated: Array | None,
    fraction: Array | float,
    edge: int,
) -> tuple[Flags, Fit]:
    """Select the samples of an edge between two values, and fit them.

    Near these the fit decides, because selecting by noisy values would flatten the edge.
    """
    (low, high), c = levels, rows.value
    usable = _on_edge_side(rows, high, edge)
    if rows.stderr is not None:
        usable = usable & (rows.stderr > 0)
    keep = usable & ~(c < low) & ~(c > high)
    fit = _fit(rows, under, stated, fraction, keep)
    for _ in range(10):
        with np.errstate(over="ignore", invalid="ignore"):
            curve = np.where(rows.repeat(fit.line.b * edge > 0), fit.line.values(rows), c)
            doubts = (
                CLEAR_ERRORS * np.sqrt(fit.per_count * np.fmax(np.fmax(c, level) + under, 0.0))
                for level in (low, high)
            )
        # Samples near a level are where the fit is.
        at_low, at_high = (
            np.where(np.abs(c - level) < doubt, curve, c)
            for level, doubt in zip((low, high), doubts, strict=True)
        )
        again = usable & ~(at_low < low) & ~(at_high > high)
        changes = rows.sum((again != keep).astype(float)) > 0
        if not changes.any():
            break
        keep, in_rows = again, rows.repeat(changes)
        parts = under[in_rows], None if stated is None else stated[in_rows], fraction, keep[in_rows]
        fit = fit.replaced(changes, in_rows, _fit(rows.keep(in_rows), *parts))
    return keep, fit


class Fit(NamedTuple):
    """A curve of ln C, the value of a count in every sample, and the degrees of freedom of that."""

    line: Exponential
    per_count: Array
    freedom: Array

    def replaced(self, row: Flags, of_rows: Flags, by: Fit) -> Fit:
        """Replace the fits of some rows, with their `of_rows` samples."""
        self.per_count[of_rows] = by.per_count
        line = Exponential(*(np.where(row, *both) for both in zip(by.line, self.line, strict=True)))
        return Fit(line, self.per_count, np.where(row, by.freedom, self.freedom))


def _fit(
    rows: Packed,
    under: Array,
    stated: Array | None,
    fraction: Array | float,
    keep: Flags,
) -> Fit:
    """Fit ln C of the selected samples, with the `stated` values of a count or those they show.

    The likelihood of counts does not depend on the value of one, which is that of the residuals (R.
    W. M. Wedderburn, Biometrika 61 (1974) 439), for samples of less than one count in part. It may
    grow with C, as noise in proportion to C does: the likeliest of a few ways.
    """
    if stated is not None:
        line = fit_exponential(rows, keep, stated, under)
        return Fit(line, stated, np.full(rows.count, np.inf))
    kept = rows.keep(keep)
    with np.errstate(all="ignore"):
        mean = kept.sum(np.abs(kept.value)) / kept.size
        unit = shape = rows.repeat(mean)
        line = fit_exponential(rows, keep, unit, under)
        expected = line.values(rows) + under
        square, fitted = (rows.value + under - expected)[keep] ** 2, expected[keep]
        weight = fitted / (fitted + kept.repeat(kept.sum(square) / kept.sum(fitted)))
        n, size, least = kept.sum(weight), np.nan * mean, np.inf * mean
        for relative in _RULES.relative:
            grows = unit + relative * expected
            variance = grows[keep] * fitted
            found = kept.sum(weight * square / variance) / n
            unlikely = n * np.log(found) + kept.sum(weight * np.log(variance))
            better = unlikely < least
            least, size = np.where(better, (unlikely, found), (least, size))
            shape = np.where(rows.repeat(better), grows, shape)
        line = fit_exponential(rows, keep, shape, under, line)
        freedom = n * fraction - 2.0
        freedom = np.where(freedom > 0, freedom, np.nan)
        size *= n * fraction / freedom
        line = changed(line, variance=line.variance * size / fraction)
        return Fit(line, shape * rows.repeat(size), freedom)


def _misfit(
    kept: Packed,
    fit: Exponential,
    per_count: Array | None,
    under: Array,
    fraction: Array | float,
) -> tuple[Array, Flags]:
    """Return reduced chi-squares, NaN without errors, and edges that are not exponential.

    Their decay length depends on the part that is used: polynomials of second and third order of
    the residuals of ln C are more than 5 % of its fall, and hardly chance: noise of the stated
    errors, or of its own size in means of three neighbours (the F distribution of two degrees of
    freedom has a closed form), of more than eight counts, the least value, where others have none.
    """
    with np.errstate(all="ignore"):
        if per_count is None:
            least = kept.reduce(np.minimum, np.where(kept.value > 0, kept.value, np.inf))
            count = np.where(kept.reduce(np.minimum, kept.value) > 0, 0.0, least)
            kept = kept.keep(kept.value > _RULES.few * kept.repeat(count))
            weight, r = np.ones(kept.value.size), np.log(kept.value / fit.values(kept))
        else:
            curve = fit.values(kept)
            weight, r = curve**2 / (per_count * (curve + under)), kept.value / curve - 1.0
        chi_square = left = kept.sum(weight * r**2)
        x = (kept.depth - kept.repeat(fit.at)) / kept.repeat(kept.last - kept.first)
        basis: list[Array] = []
        bend, explained = np.zeros_like(x), np.zeros(kept.count)
        for power in (x**0, x, x**2, x**3):
            q = power
            for one in basis:
                q = q - kept.repeat(kept.sum(weight * one * q) / kept.sum(weight * one**2)) * one
            basis.append(q)
            square, product = kept.sum(weight * q**2), kept.sum(weight * q * r)
            part = np.where((square > 0) & (kept.size >= len(basis)), product / square, 0.0)
            left = left - part * product
            if len(basis) > 2:
                bend += kept.repeat(part) * q
                explained += part * product
        chance, reduced = np.exp(-0.5 * explained), chi_square / (kept.size - 2)
        reduced[kept.size < 3] = np.nan
        if per_count is None:
            freedom = (kept.size - 4.0) / _RULES.averaged * fraction
            chance = (1.0 + explained / np.maximum(left, 0.0)) ** (-0.5 * freedom)
            chance[~(freedom > 0)] = 1.0
            reduced[:] = np.nan
        most, least = (kept.reduce(end, bend) for end in (np.maximum, np.minimum))
        fall = np.abs(fit.b) * (kept.last - kept.first)
        return reduced, (chance < _RULES.hardly) & (most - least > _RULES.bent * fall)


def can_be_fitted(rows: Packed) -> Flags:
    """Flag the samples that a fit can use: with a standard error, or without any, positive."""
    usable: Flags = (rows.value if rows.stderr is None else rows.stderr) > 0
    return usable


def value_per_count_of(rows: Packed, under: Array) -> Array | None:
    """Return the value of one count at every sample above what was subtracted, or None."""
    if rows.stderr is None:
        return None
    value = rows.value + under
    of_count = value_per_count(value, rows.stderr, lambda samples: rows.repeat(rows.sum(samples)))
    # A row of zeros has the standard error that with_counting_statistics gives to zero counts.
    return np.where(np.isfinite(of_count), of_count, rows.stderr / NONE_COUNTED)


def _half_of_peak(rows: Packed) -> Array:
    """Return half of the maximum of rows that begin and end below that; otherwise NaN."""
    half = 0.5 * rows.reduce(np.maximum, rows.value)
    some = np.flatnonzero(rows.size)
    ends = (rows.value_at(one[some]) for one in (rows.offsets[:-1], rows.offsets[1:] - 1))
    level = np.full(rows.count, np.nan)
    level[some] = np.where(np.maximum(*ends) < half[some], half[some], np.nan)
    return level


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

    def values(self, rows: Packed) -> Array:
        """Return the fitted C at the samples."""
        a, b, at = map(rows.repeat, (self.a, self.b, self.at))
        fitted: Array = np.exp(a + b * (rows.depth - at))
        return fitted


def fit_exponential(
    rows: Packed, keep: Flags, per_count: Array, under: Array, line: Exponential | None = None
) -> Exponential:
    """Fit exponentials to the selected samples, above what was subtracted from them (`under`).

    The likelihood of counts is maximized, from a `line` fitted before: a parabola of ln C
    (:func:`.maximized`) held straight.
    """
    kept, per_count = rows.keep(keep), per_count[keep]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        at = kept.sum(kept.depth) / kept.size
        x = kept.depth - kept.repeat(at)
        far = kept.reduce(np.maximum, np.abs(x))
        counts, mean = as_counts(kept, x / kept.repeat(far), per_count, under[keep])
        some = np.flatnonzero(kept.size)
        if line is None:  # that of the logarithms, with counts as weights, and half of one for none
            weight = np.maximum(kept.value / per_count, 0.5)
            log = np.log(weight * per_count / kept.repeat(mean))
            w, x, y, xx, xy = counts.reduce(
                np.add, weight * [np.ones_like(log), counts.x, log, counts.x**2, counts.x * log]
            )
            slope = np.nan_to_num((w * xy - x * y) / (w * xx - x**2))
            start = (y - slope * x) / w, slope
        else:
            start = (line.a - np.log(mean))[some], (line.b * far)[some]
        coefficients, information = maximized(counts, *start, np.full(some.size, _STRAIGHT))
        i00, i01, i11 = (information[:, i, j] for i, j in ((0, 0), (0, 1), (1, 1)))
        a, b, variance = columns = np.full((3, kept.count), np.nan)
        columns[:, some] = coefficients[0], coefficients[1], i00 / (i00 * i11 - i01**2)
        return Exponential(a + np.log(mean), b / far, at, variance / far**2)


class LocalValue(NamedTuple):
    """Values at a depth, errors, statuses, and first and last depth of the samples used; (R,)."""

    value: Array
    stderr: Array
    status: NDArray[np.uint8]
    start: Array
    stop: Array


def local_value(
    rows: Rows, depth: Array, floor: Array, fraction: Array, *, samples: int
) -> LocalValue:
    """Fit ``ln C = a + b z + c z^2 / 2`` to the samples nearest to a depth, where C is ``exp(a)``.

    With standard errors by the likelihood of counts; without, by least squares of ln C over the
    positive samples. `floor` is a background that was subtracted, and `fraction` the effective
    samples per depth of a grid between fewer samples.
    """
    first, last = rows.first, rows.last
    rows = as_points(rows).packed()
    rows = rows.keep(can_be_fitted(rows))
    far = np.abs(rows.depth - rows.repeat(depth))
    order = np.lexsort((rows.depth, far, rows.row))
    rank = np.empty(order.size, dtype=np.intp)
    rank[order] = np.arange(order.size)
    rank -= rows.repeat(rows.offsets[:-1])
    near = (rank < samples) & rows.repeat(rows.size > 2)
    under = rows.repeat(floor)
    per_count = value_per_count_of(rows, under)
    used = rows.keep(near)
    x = used.depth - used.repeat(depth)
    x /= used.repeat(used.reduce(np.maximum, np.abs(x)))
    design = np.zeros((used.count, int(used.size.max(initial=1)), 3))
    place = used.row, np.arange(used.row.size) - used.offsets[used.row]
    design[place] = np.stack([np.ones_like(x), x, 0.5 * x * x], axis=1)
    unit = np.broadcast_to([1.0, 0.0, 0.0], (used.count, 3))
    with np.errstate(all="ignore"):
        square = design.mT @ design
        weights = np.vecdot(design, solve(square, unit)[:, None])
        bent = np.zeros(used.count, dtype=bool)
        if per_count is None:
            y = np.zeros(weights.shape)
            y[place] = np.log(used.value)
            coefficients = solve(square, np.vecdot(design.mT, y[:, None]))
            residual = ((y - np.vecdot(design, coefficients[:, None])) ** 2).sum(axis=1)
            freedom = np.where(used.size > 3, used.size - 3.0, np.nan)
            stderr = student(freedom) * np.sqrt(residual / freedom * np.vecdot(weights, weights))
            value = np.exp(coefficients[:, 0])
        else:
            some = np.flatnonzero(used.size)
            counts, value = as_counts(used, x, per_count[near], under[near])
            stderr = np.sqrt(shared_variance(weights, fraction))
            a, error, bent[some] = _by_shapes(counts)
            value[some] *= np.exp(a)
            stderr[some] *= error
    status = first_status(
        (np.isnan(first) | np.isnan(depth), Status.NO_DATA),
        (~((depth >= first) & (depth <= last)), Status.TRUNCATED),
        ((rows.size < 3) | np.isnan(value), Status.NO_DATA),
        (bent, Status.WRONG_SHAPE),
    )
    # What lies between the depth and the samples that are used counts, too.
    columns = value, stderr * value, np.fmin(used.first, depth), np.fmax(used.last, depth)
    known = (status == Status.OK) | bent
    value, stderr, start, stop = (np.where(known, column, np.nan) for column in columns)
    return LocalValue(value, stderr, status, start, stop)


def _by_shapes(counts: Counted) -> tuple[Array, Array, Flags]:
    """Return a of ln C, its error, and where no shape surely describes the samples.

    The mean of polynomials of second to fourth order and of lines that meet, weighted by Akaike's
    criterion (H. Akaike, IEEE Trans. Autom. Control 19 (1974) 716).
    """
    size, nothing = counts.size, np.zeros(counts.size.size)
    parabola, information = maximized(counts, nothing, nothing, nothing + PRIOR)
    a, b, c = (np.repeat(one, size) for one in parabola)
    curve = a + b * counts.x + 0.5 * c * counts.x**2
    square, wide = chi_square(counts, curve)
    shapes = [(parabola[0], value_stderr(information, nothing), square), *_others(counts, curve)]
    value, variance, criterion = np.array(shapes).swapaxes(0, 1)
    variance **= 2
    unknown = ~((variance < _RULES.vague**2) & (size > 3))
    unknown[0] = False
    value[unknown], variance[unknown], criterion[unknown] = 0.0, 0.0, np.inf
    weight = np.exp(0.5 * (criterion.min(axis=0) - criterion))
    weight /= weight.sum(axis=0)
    mean = (weight * value).sum(axis=0)
    # What other shapes add to the error of the parabola is independent of it.
    added = weight**2 * (variance - variance[0]) + weight * (value - mean) ** 2
    off = np.abs(counts.upper / counts.lower - np.exp(curve)) * np.exp(-a)
    moved = np.abs(mean - value[0]) > _RULES.misfit
    unlikely = chance_of(size, np.stack([square, criterion.min(axis=0)]), wide) < _RULES.rarely
    bent = (size > 3) & unlikely[0] & (moved | unlikely[1])
    bent &= counts.reduce(np.maximum, off) > _RULES.misfit
    return mean, np.sqrt(variance[0] + added.sum(axis=0)), bent


def _others(counts: Counted, curve: Array) -> Iterator[tuple[Array, Array, Array]]:
    """Yield a, its error, and the criterion of other shapes, by least squares about a parabola."""
    x, expected = counts.x, np.exp(curve) * counts.lower
    weight = expected**2 / (counts.one_upper * (expected + counts.under * counts.lower))
    log = curve + counts.upper / expected - 1.0
    kinks = ([np.abs(x - at) - abs(at)] for at in _RULES.kinks)
    for powers in ([x**2, x**3], [x**2, x**3, x**4], *kinks):
        columns = np.stack([x**0, x, *powers], axis=1)
        n, weighted = columns.shape[1], weight[:, None] * columns
        square = np.add.reduceat(weighted[..., None] * columns[:, None], counts.starts)
        # Terms that samples do not tell apart are no error.
        square += 1e-14 * square[:, :1, :1] * np.eye(n)
        inverse = np.linalg.inv(square)
        scores = np.add.reduceat(weighted * log[:, None], counts.starts)
        line = np.vecdot(inverse, scores[:, None])
        residual = log - np.vecdot(columns, np.repeat(line, counts.size, axis=0))
        criterion = counts.reduce(np.add, weight * residual**2) + 2.0 * (n - 3)
        criterion[inverse[:, -1, -1] * square[:, -1, -1] > _RULES.alike] = np.inf
        yield line[:, 0], np.sqrt(inverse[:, 0, 0]), criterion
