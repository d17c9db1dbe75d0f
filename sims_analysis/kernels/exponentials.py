"""Straight lines and parabolas of ln C: the decay of an edge, and the value near a depth."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.counting import CLEAR, NONE_COUNTED, student, value_per_count
from sims_analysis.kernels.grid import shared_variance
from sims_analysis.kernels.local_fit import (
    Counted,
    as_counts,
    as_points,
    chance_of_misfit,
    maximized,
    solved,
    value_stderr,
)
from sims_analysis.kernels.residuals import SEEN
from sims_analysis.kernels.rows import Array, Flags, Index, Packed, Rows, changed, first_status
from sims_analysis.outcomes import Status

#: A change of ln C over all samples below this is rounding.
FLAT = 1e-12
#: An edge is not exponential if ln C bends by this part of its fall, ...
_BEND = 0.04
#: ... and chance makes that less often than this.
_BY_CHANCE = 0.001
#: Precision of a curvature that is nothing.
_STRAIGHT = 1e12
#: Precision of the curvature of ln C without any count, over the distance to the farthest sample.
PRIOR = 0.25
#: Chance makes residuals as large less often where samples have another shape.
_OF_PARABOLA = 1e-5


#: Relative noise over that of counts, at the mean of the samples, is one of these; by their
#: scatter, in so many tries.
_RELATIVE, _TRIES = (0.0, 3.0, 100.0, 1e4), 3


class Noise(NamedTuple):
    """Variance ``per_count * C + relative * C^2``: of a count in every sample, (N,), and (R,)."""

    per_count: Array
    relative: Array

    @classmethod
    def of_share(cls, rows: Packed, per_count: Array, mean: Array, relative: Array) -> Noise:
        """Return noise of counts at a `mean`, so that so many times as much of it is `relative`."""
        of_counts = per_count / (1.0 + relative)
        return cls(rows.repeat(of_counts), of_counts * relative / mean)

    def of(self, keep: Flags) -> Noise:
        """Return that of some samples."""
        return Noise(self.per_count[keep], self.relative)

    def variance(self, rows: Packed, value: Array, under: Array) -> Array:
        """Return the variance of samples of these values, above what was subtracted."""
        found: Array = self.per_count * (value + under) + rows.repeat(self.relative) * value**2
        return found


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
    c, stated = rows.value, value_per_count_of(rows, under)
    lo, hi = rows.repeat(low), rows.repeat(high)
    usable = _on_edge_side(rows, hi, edge)
    if rows.stderr is not None:
        usable &= rows.stderr > 0
    noise: Noise | None = None

    def decided(fitted: Array, level: Array) -> Array:
        """Return the fitted value of samples near a level, and the own one of others."""
        if noise is None:
            return c
        doubt = CLEAR * np.sqrt(noise.variance(rows, np.fmax(np.fmax(c, level), -under), under))
        return np.where(np.abs(c - level) < doubt, fitted, c)

    def chosen(fitted: Array) -> Flags:
        inside: Flags = usable & ~(decided(fitted, lo) < lo) & ~(decided(fitted, hi) > hi)
        return inside

    def fitted_to(keep: Flags, *, bent: bool = False) -> tuple[Exponential, Noise, Array]:
        if stated is None:
            return _fit_by_scatter(rows, keep, under, fraction, bent=bent)
        counts = Noise(stated, np.zeros(rows.count))
        fit = fit_exponential(rows, keep, counts, under, bent=bent)
        return fit, counts, np.full(rows.count, np.inf)

    keep = chosen(c)
    fit, noise, freedom = fitted_to(keep)
    for _ in range(10):
        with np.errstate(over="ignore", invalid="ignore"):
            fitted = np.exp(fit.line(rows))
        again = chosen(np.where(rows.repeat(fit.b * edge > 0), fitted, c))
        if np.array_equal(again, keep):
            break
        keep = again
        fit, noise, freedom = fitted_to(keep)
    kept = rows.keep(keep)
    with np.errstate(divide="ignore", invalid="ignore"):
        # A line that is flat up to rounding does not decay.
        is_flat = np.abs(fit.b) * (kept.last - kept.first) < FLAT
        length = edge / np.where(is_flat, np.nan, fit.b)
        stderr = student(freedom) * np.sqrt(fit.variance) * length**2
        expected = np.exp(fit.line(kept))
        residual = (kept.value - expected) ** 2 / noise.of(keep).variance(
            kept, expected, under[keep]
        )
        chi = np.where(kept.size > 2, kept.sum(residual) / (kept.size - 2.0), np.nan)
    few = kept.sum((kept.value > 0).astype(float)) < (3 if stated is None else 2)
    none = first_status((few, Status.NO_DATA), (~(length > 0), Status.NEVER_REACHED))
    parabola, _, freedom = fitted_to(keep, bent=True)
    bent = _is_bent(kept.last - kept.first, fit, parabola, freedom)
    if stated is None:
        chi[:] = np.nan
    length, stderr, chi = (np.where(none == Status.OK, x, np.nan) for x in (length, stderr, chi))
    status = np.where(bent & (none == Status.OK), Status.WRONG_SHAPE, none).astype(np.uint8)
    return Decay(length, stderr, kept.size, kept.first, kept.last, chi, status)


def _fit_by_scatter(
    rows: Packed, keep: Flags, under: Array, fraction: Array | float, *, bent: bool = False
) -> tuple[Exponential, Noise, Array]:
    """Fit exponentials with the noise that the samples show about them: it, and its freedom, too.

    Its relative part is the likeliest of :data:`_RELATIVE`. Likelihoods of counts do not depend on
    the value of one, which is that of Pearson's residuals (R. W. M. Wedderburn, Biometrika 61
    (1974) 439); samples of less than one count tell less of it.
    """
    kept, below = rows.keep(keep), under[keep]
    relative = np.zeros(rows.count)
    with np.errstate(all="ignore"):
        mean = kept.sum(np.abs(kept.value)) / kept.size
        for _ in range(_TRIES):
            noise = Noise.of_share(rows, mean, mean, relative)
            fit = fit_exponential(rows, keep, noise, under, bent=bent)
            fitted = np.exp(fit.line(kept))
            square, expected = (kept.value - fitted) ** 2, fitted + below
            weight = expected / (expected + kept.repeat(kept.sum(square) / kept.sum(expected)))
            n = kept.sum(weight)
            least, scale, likeliest = np.full((3, kept.count), np.inf)
            for one in _RELATIVE:
                shape = Noise.of_share(kept, mean, mean, np.full(kept.count, one))
                variance = shape.variance(kept, fitted, below)
                ratio = kept.sum(weight * square / variance) / n
                unlikely = n * np.log(ratio) + kept.sum(weight * np.log(variance))
                better = unlikely < least
                for best, new in ((least, unlikely), (scale, ratio), (likeliest, one)):
                    np.copyto(best, new, where=better)
            if np.array_equal(likeliest, relative):
                break
            relative = likeliest
        freedom = n * fraction - (3.0 if bent else 2.0)
        freedom = np.where(freedom > 0, freedom, np.nan)
        scale *= n * fraction / freedom
        fit = changed(fit, variance=fit.variance * scale / fraction)
        return fit, Noise.of_share(rows, scale * mean, mean, relative), freedom


def _is_bent(length: Array, line: Exponential, parabola: Exponential, freedom: Array) -> Flags:
    """Flag edges that are not exponential: their decay length depends on the part that is used.

    A parabola of ln C departs from a line by more than 4 % of its fall, and hardly by chance: noise
    of the stated errors, or of its own size (of some `freedom`) in means of three neighbours.
    """
    from scipy.special import stdtr

    part = np.where(np.isinf(freedom), 1.0, 3.0)
    with np.errstate(all="ignore"):
        sure = np.abs(parabola.c) / np.sqrt(part * parabola.variance)
        chance = 2.0 * stdtr(freedom / part, -sure)
        matters = 0.125 * np.abs(parabola.c) * length > _BEND * np.abs(line.b)
    return (chance < _BY_CHANCE) & matters


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
    """``ln C = a + b x + c x^2 / 2`` with ``x = z - at``, and the variance of the last of them.

    That is of b if c is 0, and of c.
    """

    a: Array
    b: Array
    c: Array
    at: Array
    variance: Array

    def line(self, rows: Packed) -> Array:
        """Return the fitted ln C at the samples."""
        a, b, c, at = map(rows.repeat, (self.a, self.b, self.c, self.at))
        x = rows.depth - at
        found: Array = a + (b + 0.5 * c * x) * x
        return found


def fit_exponential(
    rows: Packed, keep: Flags, noise: Noise, under: Array, *, bent: bool
) -> Exponential:
    """Fit ln C of the selected samples, above what was subtracted from them (`under`).

    The likelihood of counts is maximized: a parabola (:func:`.maximized`), `bent` or held straight.
    """
    kept, noise = rows.keep(keep), noise.of(keep)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        at = kept.sum(kept.depth) / kept.size
        x = kept.depth - kept.repeat(at)
        far = kept.reduce(np.maximum, np.abs(x))
        counts, mean = as_counts(kept, x / kept.repeat(far), noise.per_count, under[keep])
        counts = changed(counts, one_lower=kept.repeat(noise.relative * mean))
        some = np.flatnonzero(kept.size)
        first = np.log(counts.reduce(np.add, kept.value / noise.per_count) / mean[some])
        first -= np.log(counts.reduce(np.add, 1.0 / noise.per_count))
        nothing = np.zeros(some.size)
        found, i = maximized(counts, first, nothing, nothing + (0.0 if bent else _STRAIGHT))
        a, b, c, variance = columns = np.full((4, kept.count), np.nan)
        if bent:
            known = solved(i, np.broadcast_to([0.0, 0.0, 1.0], (some.size, 3)))[:, 2]
        else:
            known = i[:, 0, 0] / (i[:, 0, 0] * i[:, 1, 1] - i[:, 0, 1] ** 2)
        columns[:, some] = *found, known
        power = 4 if bent else 2
        return Exponential(a + np.log(mean), b / far, c / far**2, at, variance / far**power)


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
    near = (rank - rows.repeat(rows.offsets[:-1]) < samples) & rows.repeat(rows.size > 2)
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
        weights = np.vecdot(design, solved(square, unit)[:, None])
        bent = np.zeros(used.count, dtype=bool)
        if per_count is None:
            y = np.zeros(weights.shape)
            y[place] = np.log(used.value)
            found = solved(square, np.vecdot(design.mT, y[:, None]))
            rest = ((y - np.vecdot(design, found[:, None])) ** 2).sum(axis=1)
            freedom = np.where(used.size > 3, used.size - 3.0, np.nan)
            stderr = student(freedom) * np.sqrt(rest / freedom * np.vecdot(weights, weights))
            value = np.exp(found[:, 0])
        else:
            some = np.flatnonzero(used.size)
            counts, value = as_counts(used, x, per_count[near], under[near])
            stderr = np.sqrt(shared_variance(weights, fraction))
            a, error, bent[some] = _parabola(counts)
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


def _parabola(counts: Counted) -> tuple[Array, Array, Flags]:
    """Return a of ln C, its error, and where the samples have another shape than the parabola."""
    size = counts.size
    nothing = np.zeros(size.size)
    found, information = maximized(counts, nothing, nothing, nothing + PRIOR)
    large = chance_of_misfit(counts, *found) < _OF_PARABOLA
    a, b, c = (np.repeat(one, size) for one in found)
    off = counts.upper - counts.lower * np.exp(a + b * counts.x + 0.5 * c * counts.x**2)
    largest, seen = counts.reduce(np.maximum, np.stack([counts.upper, np.abs(off)]))
    bent = (size > 3) & large & (seen > SEEN * largest)
    return found[0], value_stderr(information, nothing), bent
