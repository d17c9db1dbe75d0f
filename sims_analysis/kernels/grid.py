"""Profiles on a new depth grid: cell averages that conserve the dose, and their uncertainty.

A knot is a sample or the edge of a cell, old or new; a cell is a sum of pieces of segments between
knots, and no difference of large integrals: in the tail it is as accurate as at the peak.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from sims_analysis.kernels import segments
from sims_analysis.kernels.gaps import breaks
from sims_analysis.kernels.interpolation import Location, interpolate, locate
from sims_analysis.kernels.rows import (
    TOLERANCE,
    Array,
    Dense,
    Flags,
    Index,
    Packed,
    Rows,
    SingleResult,
    dot_rows,
    errors_of,
    range_sums,
    same_for_all,
)
from sims_analysis.kernels.transient import begins_high


class Cells(NamedTuple):
    """Averages over cells, (R, m), and the ends of the records, (R,).

    ``n_linear_segments``, (R,), counts the cells with a segment that is linear because an end is
    not positive.
    """

    mean: Array
    n_linear_segments: Index
    start: Array
    stop: Array


def cell_means(rows: Rows, *, edges: Array, log: bool) -> Cells:
    """Average profiles over cells: the integral between two `edges`, (m + 1,), over their distance.

    Between samples, profiles are straight lines in ln C with `log`, otherwise in C; averages over
    cells are constant within these. NaN where a cell extends beyond the samples of the row.
    """
    mean = np.full((rows.count, edges.size - 1), np.nan)
    n_linear = np.zeros(rows.count, dtype=np.intp)
    width = np.diff(edges)
    for index, dense in _by_axis(rows):
        if log and dense.lower is None:
            if (pieces := _cut(dense.depth, edges)) is not None:
                total, n_linear[index] = _over_pieces(dense.value, pieces)
                mean[index, pieces.cells] = total / width[pieces.cells]
        elif (parts := _parts(dense, edges)) is not None:
            terms = dense.value[:, parts.sample] * parts.weights
            total = np.add.reduceat(terms, parts.first, axis=1)
            mean[index, parts.cells] = total / width[parts.cells]
    return Cells(mean, n_linear, rows.begin, rows.end)


def _over_pieces(c: Array, pieces: _Pieces) -> tuple[Array, Index]:
    """Integrate exponentials over the pieces of each cell; count the cells with a linear one."""
    before, after = (c.take(i, axis=1) for i in (pieces.segment, pieces.segment + 1))
    ends = [segments.interpolated(before, after, t, log=True) for t in (pieces.start, pieces.stop)]
    # The ends of the whole segment decide whether a piece is exponential.
    linear = segments.is_linear(before, after)
    mean = np.where(linear, segments.middle(*ends), segments.log_mean(*ends))
    in_cells = np.logical_or.reduceat(linear, pieces.first, axis=1)
    total = np.add.reduceat(mean * pieces.length, pieces.first, axis=1)
    return total, np.count_nonzero(in_cells, axis=1)


def cell_stderr(rows: Rows, *, edges: Array, zero_counts: bool = False) -> SingleResult:
    """Return the standard errors of cell averages, (R, m): ``sqrt(sum (w_i s_i)^2) / width``.

    The weights are trapezoidal. With `zero_counts`, return those of cells with zero counts: twice
    the largest ``w_i s_i`` (:func:`sims_analysis.kernels.variance.variance_of_dose`).
    """
    stderr = np.full((rows.count, edges.size - 1), np.nan)
    for index, dense in _by_axis(rows):
        parts = _parts(dense, edges)
        if parts is None:
            continue
        terms = (parts.weights * errors_of(dense)[:, parts.sample]) ** 2
        if zero_counts:
            total = 4.0 * np.maximum.reduceat(terms, parts.first, axis=1)
        else:
            total = np.add.reduceat(terms, parts.first, axis=1)
        stderr[index, parts.cells] = np.sqrt(total) / np.diff(edges)[parts.cells]
    return SingleResult(stderr)


class Fraction(NamedTuple):
    """Independent samples per grid depth, in (0, 1] or NaN, and the growth of errors; (R,)."""

    fraction: Array
    growth: Array


def sample_fraction(
    rows: Rows, at: Array, known: Array, *, cells: bool = False, found: Location | None = None
) -> Fraction:
    """Return the number of independent samples per grid depth.

    Values on a grid finer than the samples share samples. A sum over the grid that takes them for
    independent has the variance ``sum_j w_j^2 sum_i a_ji^2``, where w_j is the weight of depth j in
    an integral and a_ji that of sample i in the value there. The true one is ``sum_i (sum_j w_j
    a_ji)^2``. The fraction is the first over the second, for samples with equal errors.

    `at`, (R, m), are depths (`found` already), or the edges of `cells`, over which grid values are
    averages; `known`, (R,), is the fraction of the samples, if they are grid values themselves: two
    of them k apart then share the fraction ``1 - k known`` of their variance. NaN means 1.
    """
    known = np.where(np.isnan(known), 1.0, known)
    shared = isinstance(rows, Dense) and same_for_all(at)
    if not (shared or cells):
        return _of_points(rows.packed(), at, known, found)
    columns = np.full((2, rows.count), np.nan)
    for index, dense in _by_axis(rows):
        # Rows with the same samples and the same grid have the same weights.
        for group in [index] if shared else index[:, None]:
            grid = at[group[0]]
            own, which = np.unique(known[group], return_inverse=True)
            if cells:
                one = _of_cells(dense, grid, own)
            else:
                axis = _rows_of(dense.depth, np.array([0, dense.depth.size]))
                one = _of_points(axis, grid[None], own)
            columns[:, group] = np.stack(one)[:, which]
    return Fraction(*columns)


class Resampled(NamedTuple):
    """Interpolated values, (R, m), fields of a fraction, and what they rest on, (R,)."""

    value: Array
    n_linear_segments: Index
    fraction: Array
    growth: Array
    start: Array
    stop: Array
    transient: Flags


def resample(
    rows: Rows, at: Array, known: Array, *, method: str, reach: int, new_axis: bool, bridge: bool
) -> Resampled:
    """Interpolate profiles at depths (R, m), by `reach` samples to both sides.

    On a new axis these share samples (else the fraction is NaN), but not those in gaps, unless it
    is to `bridge` these; and a surface transient is kept.
    """
    place = locate(rows, at)
    found = interpolate(rows, at, method=method, found=place)
    fraction, transient = Fraction(*np.full((2, rows.count), np.nan)), np.zeros(rows.count, bool)
    if new_axis:
        broken = np.empty(0, dtype=np.intp) if bridge else breaks(rows)
        if broken.size:
            inner = (place.t > 0) & (place.t < 1) & np.isin(place.segment, broken)
            fraction = sample_fraction(rows, np.where(inner, np.nan, at), known)
        else:
            fraction = sample_fraction(rows, at, known, found=place)
        transient = begins_high(rows)
    start, stop = _used(rows, place.segment, reach)
    return Resampled(*found, *fraction, start, stop, transient)


def _used(rows: Rows, segment: Index, reach: int) -> Array:
    """Return the first and the last sample, (2, R), that values in segments depend on."""
    if not (rows.value.size and segment.size):
        return np.full((2, rows.count), np.nan)
    few = slice(len(segment))
    first, last = rows.offsets[:-1][few], rows.offsets[1:][few] - 1
    begin = np.maximum(segment.min(axis=1) - reach + 1, first)
    end = np.minimum(segment.max(axis=1) + reach, last)
    used = np.clip(np.stack([begin, end]), 0, rows.value.size - 1)  # rows may be empty
    return np.broadcast_to(rows.depth_at(used), (2, rows.count))


def _of_points(rows: Packed, at: Array, known: Array, found: Location | None = None) -> Fraction:
    """Return the fraction of each row for values at depths (R, m), of each `known` for one row."""
    found = locate(rows, at) if found is None else found
    if not (found.at[:, 1:] > found.at[:, :-1]).all():
        at = np.sort(found.at, axis=1)
        at[:, 1:][at[:, 1:] == at[:, :-1]] = np.nan  # the same depth counts once
        found = locate(rows, np.sort(at, axis=1))
    at, before, t = found.at, found.segment.reshape(-1), found.t
    inside = (at >= rows.first[:, None]) & (at <= rows.last[:, None])
    # The trapezoid over those inside.
    half = 0.5 * np.diff(at)
    if not inside.all():
        half, t = np.where(inside[:, 1:] & inside[:, :-1], half, 0.0), np.where(inside, t, 0.0)
    w = np.zeros(inside.shape)
    w[:, :-1] = half
    w[:, 1:] += half
    alone = ~half.any(axis=1, keepdims=True)
    if alone.any():  # a single depth has no width: any will do
        w[alone & inside] = 1.0
    right = w * t
    left = w - right
    total, of_next = (_sum_at(before, x.reshape(-1), rows.depth.size) for x in (left, right))
    total[1:] += of_next[:-1]
    uncorrelated = dot_rows(left, left) + dot_rows(right, right)
    separate = uncorrelated + 2.0 * np.maximum(1.0 - known, 0.0) * dot_rows(left, right)
    return _fraction(uncorrelated, separate, _variance(replace(rows, value=total), known))


def _of_cells(dense: Dense, edges: Array, known: Array) -> Fraction:
    """Return the fraction of averages over cells, for each `known` one of the samples."""
    parts = _parts(dense, edges)
    if parts is None:
        return Fraction(*np.full((2, known.size), np.nan))
    total = _sum_at(parts.sample, parts.weights, dense.depth.size)
    each = _rows_of(parts.weights, np.append(parts.first, parts.weights.size))
    uncorrelated = each.sum(each.value, each.value).sum()
    separate = _variance(each, known[:, None]).sum(axis=-1)
    joint = _variance(_rows_of(total, np.array([0, total.size])), known)
    return _fraction(uncorrelated, separate, joint)


def _rows_of(weights: Array, offsets: Index) -> Packed:
    return Packed(weights, weights, offsets=offsets)


def _sum_at(sample: Index, weights: Array, size: int) -> Array:
    return np.bincount(sample, weights, size).astype(np.float64, copy=False)


def _variance(weights: Packed, known: Array) -> Array:
    """Return the variance of weighted sums of samples, of which two k apart share 1 - k known."""
    w, begin, end = weights.value, weights.offsets[:-1], weights.offsets[1:]
    variance = np.zeros(known.shape) + weights.sum(w, w)
    for lag in range(1, min(int(np.ceil(1.0 / known.min(initial=1.0))), weights.size.max())):
        pairs = np.append(w[lag:] * w[:-lag], np.zeros(lag))
        products = range_sums(pairs, begin, np.maximum(end - lag, begin))
        variance += 2.0 * np.maximum(1.0 - lag * known, 0.0) * products
    return variance


def _fraction(uncorrelated: Any, separate: Array, joint: Array) -> Fraction:
    """Return the fraction and the growth; NaN without grid values."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return Fraction(np.minimum(separate / joint, 1.0), np.sqrt(separate / uncorrelated))


def _by_axis(rows: Rows) -> Iterator[tuple[Index, Dense]]:
    """Yield groups of rows on one axis: all dense rows, or each packed row that is not empty."""
    if isinstance(rows, Dense):
        if rows.count and rows.depth.size:
            yield np.arange(rows.count), rows
        return
    for row in np.flatnonzero(rows.size):
        own = slice(rows.offsets[row], rows.offsets[row + 1])
        stderr = None if rows.stderr is None else rows.stderr[None, own]
        cells = (None if edge is None else edge[own] for edge in (rows.lower, rows.upper))
        yield np.array([row]), Dense(rows.depth[own], rows.value[None, own], stderr, *cells)


class _Pieces(NamedTuple):
    """Pieces of segments between knots; the first four arrays have shape (p,)."""

    segment: Index
    #: Relative positions in the segment (0 to 1) at which the piece starts and stops.
    start: Array
    stop: Array
    length: Array
    #: First piece of each cell.
    first: Index
    cells: slice


def _within_record(edges: Array, begin: float, end: float) -> tuple[Array, slice] | None:
    """Select the edges within the record (to rounding), and the cells between them; or None."""
    tolerance = TOLERANCE * (end - begin)
    lo = int(np.searchsorted(edges, begin - tolerance, side="left"))
    hi = int(np.searchsorted(edges, end + tolerance, side="right"))
    if hi - lo < 2:
        return None
    return np.clip(edges[lo:hi], begin, end), slice(lo, hi - 1)


def _cut(z: Array, edges: Array) -> _Pieces | None:
    """Cut the segments at the edges of the cells that lie entirely within the samples."""
    within = _within_record(edges, z[0], z[-1])
    if within is None:
        return None
    inner, cells = within
    knots = np.unique(np.concatenate([z[(z > inner[0]) & (z < inner[-1])], inner]))
    segment = np.searchsorted(z, knots[:-1], side="right") - 1
    width = z[segment + 1] - z[segment]
    # Exactly 0 and 1 at samples, so that interpolation returns the samples themselves.
    start = (knots[:-1] - z[segment]) / width
    stop = np.where(knots[1:] == z[segment + 1], 1.0, (knots[1:] - z[segment]) / width)
    first = np.searchsorted(knots, inner[:-1])
    return _Pieces(segment, start, stop, np.diff(knots), first, cells)


def _weights_of(pieces: _Pieces) -> tuple[Array, Array]:
    """Return the weights of the sample after each piece, and of that before a cell's first one."""
    # A piece gives weight to the samples at both ends of its segment.
    middle = 0.5 * (pieces.start + pieces.stop)
    left, right = pieces.length * (1 - middle), pieces.length * middle
    # Within a cell, the sample after a piece is the sample before the next piece.
    following = np.append(left[1:], 0.0)
    following[pieces.first[1:] - 1] = 0.0
    return right + following, left[pieces.first]


class _Parts(NamedTuple):
    """Weights of samples in the integrals over cells, (q,), cell by cell, in order of depth."""

    weights: Array
    sample: Index
    #: First entry of each cell.
    first: Index
    cells: slice


def _parts(dense: Dense, edges: Array) -> _Parts | None:
    """Return the weights of the samples in the integrals over cells by the trapezoidal rule."""
    if dense.lower is not None:
        return _parts_of_cells(dense, edges)
    pieces = _cut(dense.depth, edges)
    if pieces is None:
        return None
    after, opening = _weights_of(pieces)
    first = pieces.first
    return _Parts(
        np.insert(after, first, opening),
        np.insert(pieces.segment + 1, first, pieces.segment[first]),
        first + np.arange(first.size),
        pieces.cells,
    )


def _parts_of_cells(dense: Dense, edges: Array) -> _Parts | None:
    """Return the parts of old cells in new ones; what none covers belongs to both next to it."""
    assert dense.lower is not None and dense.upper is not None  # noqa: S101, PT018
    old = np.maximum.accumulate(np.stack([dense.lower, dense.upper], axis=1).reshape(-1))
    within = _within_record(edges, old[0], old[-1])
    if within is None:
        return None
    inner, cells = within
    knots = np.unique(np.concatenate([old[(old > inner[0]) & (old < inner[-1])], inner]))
    # Of the intervals between old edges, every second lies between two cells.
    interval = np.searchsorted(old, knots[:-1], side="right") - 1
    cell = np.searchsorted(inner, knots[:-1], side="right") - 1
    size = dense.depth.size
    halves = np.concatenate([cell * size + interval // 2, cell * size + (interval + 1) // 2])
    key, place = np.unique(halves, return_inverse=True)
    weights = _sum_at(place, np.tile(0.5 * np.diff(knots), 2), key.size)
    first = np.searchsorted(key // size, np.arange(inner.size - 1))
    return _Parts(weights, key % size, first, cells)


def samples_of_grid(fraction: Array) -> tuple[Array, Array]:
    """Return the spacing r of samples over that of a grid between them, and the variance there.

    The mean variance of straight lines between samples is ``(2 + 1 / r^2) / 3`` of a sample's; the
    effective `fraction` is that over r.
    """
    spacing = variance = np.ones_like(fraction)
    for _ in range(20 if (fraction < 1).any() else 0):
        variance = np.where(fraction < 1, (2 + spacing**-2) / 3, 1.0)
        spacing = np.where(fraction < 1, variance / fraction, 1.0)
    return spacing, variance


def shared_variance(weights: Array, fraction: Array) -> Array:
    """Return the variance of sums over neighbours on a grid, (R,), over that of independent ones.

    ``weights``, (R, n), are 0 where a row has fewer; `fraction` is that of long sums. Of straight
    lines between samples r apart, values k apart have the covariance ``B(k / r)`` of a sample's
    variance in the mean over places, with the cubic B-spline B.
    """
    spacing, variance = samples_of_grid(fraction)
    together = np.zeros(fraction.shape)
    for apart in range(min(weights.shape[1], int(2 * spacing.max(initial=0)) + 1)):
        u = apart / spacing
        covariance = np.where(u < 1, 2 / 3 - u**2 + u**3 / 2, np.maximum(2 - u, 0.0) ** 3 / 6)
        pairs = np.vecdot(weights[:, : weights.shape[1] - apart], weights[:, apart:])
        together += covariance * pairs * (2 if apart else 1)
    alone = np.vecdot(weights, weights) * variance / fraction
    return np.where(fraction < 1, together / alone, 1.0)
