"""Straight lines and parabolas of ln C: the decay of an edge, and the value near a depth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
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
#: Precision of a curvature that is nothing.
_STRAIGHT = 1e12
#: Precision of the curvature of ln C without any count, over the distance to the farthest sample.
PRIOR = 0.25
#: Chance makes residuals as large less often where samples have another shape.
_OF_PARABOLA = 1e-5


@dataclass(frozen=True)
class _Rules:
    """The numbers by which an edge is judged, and the noise of samples without errors."""

    bent: float = 0.04  # an edge is not exponential if ln C bends by this part of its fall,
    hardly: float = 0.001  # and chance makes that less often than this,
    averaged: float = 3.0  # with noise that so many neighbours may share
    #: Noise in proportion to values over that of counts, at their mean, is one of these,
    relative: tuple[float, ...] = (0.0, 3.0, 100.0, 1e4)
    tries: int = 3  # the likeliest in so many tries


_RULES = _Rules()


class Noise(NamedTuple):
    """Variance ``per_count * C + relative * C^2``: of a count in every sample, (N,), and (R,)."""

    per_count: Array
    relative: Array

    @classmethod
    def of_mean(cls, rows: Packed, per_count: Array, mean: Array, relative: Array) -> Noise:
        """Return noise of so large counts at a `mean`, split so that the `relative` is as many."""
        of_counts = per_count / (1.0 + relative)
        return cls(rows.repeat(of_counts), of_counts * relative / mean)

    def of(self, keep: Flags) -> Noise:
        """Return that of some samples."""
        return Noise(self.per_count[keep], self.relative)

    def variance(self, rows: Packed, value: Array, under: Array) -> Array:
        """Return the variance of samples of these values, above what was subtracted."""
        of_counts = self.per_count * np.fmax(value + under, 0.0)
        found: Array = of_counts + rows.repeat(self.relative) * value**2
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
    favour those that noise has raised; without errors, with the noise that they show. Samples lie
    from `start` to `stop`, on one side of the maximum, and between two values, by default below
    half of a peak.
    """
    free = np.isnan(high) & np.isnan(start if edge < 0 else stop)
    rows = rows.within(start, stop).packed()
    high = np.where(free, _half_of_peak(rows), high)
    under = rows.repeat(floor)
    per_count = value_per_count_of(rows, under)
    fitted = partial(_fit, rows, under, per_count, fraction)
    keep, fit = _selected(rows, rows.repeat(low), rows.repeat(high), under, fitted, edge)
    kept, line = rows.keep(keep), fit.line
    with np.errstate(all="ignore"):
        # A line that is flat up to rounding does not decay.
        is_flat = np.abs(line.b) * (kept.last - kept.first) < FLAT
        length = edge / np.where(is_flat, np.nan, line.b)
        stderr = student(fit.freedom) * np.sqrt(line.variance) * length**2
        expected = line.values(kept)
        variance = fit.noise.of(keep).variance(kept, expected, under[keep])
        chi = kept.sum((kept.value - expected) ** 2 / variance) / (kept.size - 2)
    chi[(kept.size < 3) | (per_count is None)] = np.nan
    few = kept.sum((kept.value > 0).astype(float)) < (3 if per_count is None else 2)
    none = first_status((few, Status.NO_DATA), (~(length > 0), Status.NEVER_REACHED))
    length, stderr, chi = (np.where(none == Status.OK, x, np.nan) for x in (length, stderr, chi))
    bent = _is_bent(kept.last - kept.first, line, fitted(keep, bent=True))
    status = np.where(bent & (none == Status.OK), Status.WRONG_SHAPE, none).astype(np.uint8)
    return Decay(length, stderr, kept.size, kept.first, kept.last, chi, status)


def _selected(
    rows: Packed, low: Array, high: Array, under: Array, fitted: Callable[[Flags], Fit], edge: int
) -> tuple[Flags, Fit]:
    """Select the samples of an edge between two values, and fit them.

    Near these the fit decides, because selecting by noisy values would flatten the edge.
    """
    c, usable = rows.value, _on_edge_side(rows, high, edge)
    if rows.stderr is not None:
        usable = usable & (rows.stderr > 0)
    keep = usable & ~(c < low) & ~(c > high)
    fit = fitted(keep)
    for _ in range(10):
        with np.errstate(over="ignore", invalid="ignore"):
            curve = np.where(rows.repeat(fit.line.b * edge > 0), fit.line.values(rows), c)
            near_low, near_high = (
                np.abs(c - level)
                < CLEAR * np.sqrt(fit.noise.variance(rows, np.fmax(c, level), under))
                for level in (low, high)
            )
        again = usable & ~(np.where(near_low, curve, c) < low)
        again &= ~(np.where(near_high, curve, c) > high)
        if np.array_equal(again, keep):
            break
        keep, fit = again, fitted(again)
    return keep, fit


class Fit(NamedTuple):
    """A curve of ln C, the noise of the samples about it, and the degrees of freedom of that."""

    line: Exponential
    noise: Noise
    freedom: Array


def _fit(
    rows: Packed,
    under: Array,
    per_count: Array | None,
    fraction: Array | float,
    keep: Flags,
    *,
    bent: bool = False,
) -> Fit:
    """Fit ln C of the selected samples, with the value of a count or the noise that they show.

    That is of the likelihood of counts, too, which does not depend on the value of one (R. W. M.
    Wedderburn, Biometrika 61 (1974) 439).
    """
    if per_count is not None:
        counts = Noise(per_count, np.zeros(rows.count))
        line = fit_exponential(rows, keep, counts, under, bent=bent)
        return Fit(line, counts, np.full(rows.count, np.inf))
    kept, below, relative = rows.keep(keep), under[keep], np.zeros(rows.count)
    with np.errstate(all="ignore"):
        mean = kept.sum(np.abs(kept.value)) / kept.size
        for _ in range(_RULES.tries):
            noise = Noise.of_mean(rows, mean, mean, relative)
            line = fit_exponential(rows, keep, noise, under, bent=bent)
            n, scale, likeliest = _scatter(kept, line.values(kept), below, mean)
            if np.array_equal(likeliest, relative):
                break
            relative = likeliest
        freedom = n * fraction - (3.0 if bent else 2.0)
        freedom = np.where(freedom > 0, freedom, np.nan)
        scale *= n * fraction / freedom
        line = changed(line, variance=line.variance * scale / fraction)
        return Fit(line, Noise.of_mean(rows, scale * mean, mean, relative), freedom)


def _scatter(kept: Packed, fitted: Array, under: Array, mean: Array) -> tuple[Array, Array, Array]:
    """Return how many samples show the noise about a curve, how large it is, and what is relative.

    As a part of what it is if the mean is one count. Samples of less than one count tell less.
    """
    square, expected = (kept.value - fitted) ** 2, fitted + under
    weight = expected / (expected + kept.repeat(kept.sum(square) / kept.sum(expected)))
    n, least = kept.sum(weight), np.full(kept.count, np.inf)
    scale, relative = np.full(kept.count, np.nan), np.zeros(kept.count)
    for one in _RULES.relative:
        shape = Noise.of_mean(kept, mean, mean, np.full(kept.count, one))
        variance = shape.variance(kept, fitted, under)
        ratio = kept.sum(weight * square / variance) / n
        unlikely = n * np.log(ratio) + kept.sum(weight * np.log(variance))
        better = unlikely < least
        for best, new in ((least, unlikely), (scale, ratio), (relative, one)):
            np.copyto(best, new, where=better)
    return n, scale, relative


def _is_bent(length: Array, line: Exponential, parabola: Fit) -> Flags:
    """Flag edges that are not exponential: their decay length depends on the part that is used.

    A parabola of ln C departs from a line by more than 4 % of its fall, and hardly by chance: noise
    of the stated errors, or of its own size in means of three neighbours.
    """
    from scipy.special import stdtr

    bend, variance, freedom = parabola.line.c, parabola.line.variance, parabola.freedom
    part = np.where(np.isinf(freedom), 1.0, _RULES.averaged)
    with np.errstate(all="ignore"):
        chance = 2.0 * stdtr(freedom / part, -np.abs(bend) / np.sqrt(part * variance))
        matters = 0.125 * np.abs(bend) * length > _RULES.bent * np.abs(line.b)
    found: Flags = (chance < _RULES.hardly) & matters
    return found


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

    def values(self, rows: Packed) -> Array:
        """Return the fitted C at the samples."""
        a, b, c, at = map(rows.repeat, (self.a, self.b, self.c, self.at))
        x = rows.depth - at
        found: Array = np.exp(a + (b + 0.5 * c * x) * x)
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
