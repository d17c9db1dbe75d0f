"""Profiles on a new depth grid: cell averages that conserve the dose, and their uncertainty.

A knot is a sample or the edge of a cell, old or new; a cell is a sum of pieces of segments between
knots, and no difference of large integrals: in the tail it is as accurate as at the peak.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from sims_analysis.kernels import segments
from sims_analysis.kernels.blocks import AXES
from sims_analysis.kernels.evidence import marks
from sims_analysis.kernels.gaps import breaks
from sims_analysis.kernels.interpolation import REACH, Location, interpolate, locate, stderr_at
from sims_analysis.kernels.rows import (
    TOLERANCE,
    Array,
    Dense,
    Flags,
    Index,
    Packed,
    Rows,
    changed,
    dot_rows,
    errors_of,
)
from sims_analysis.kernels.transient import has_surface_transient
from sims_analysis.kernels.truncation import begins_inside

#: Up to so many depths, saturated samples are sought about each; of more, from first to last.
_FEW = 8


class Resampled(NamedTuple):
    """Values at depths, or averages over cells, (R, m), and what is known of each row, (R,).

    How many rest on a segment that is linear because an end is not positive; their fraction of
    independent ones; and whether more is ``known`` of samples, of those on which they rest at
    least. Standard errors, (R, m), are (R, 0) if samples have none.
    """

    value: Array
    n_linear_segments: Index
    fraction: Array
    known: Flags
    stderr: Array


def cell_means(rows: Rows, *, edges: Array, log: bool) -> Resampled:
    """Average profiles over cells: the integral between two `edges`, (m + 1,), over their distance.

    Between samples, profiles are straight lines in ln C with `log`, otherwise in C; averages over
    cells are constant within these. NaN where a cell extends beyond the samples of the row.

    Standard errors are ``sqrt(sum (w_i s_i)^2) / width`` with trapezoidal weights. In cells of a
    grid, samples have the errors that they have in sums, of which neighbouring cells share a part.
    """
    mean = np.full((rows.count, edges.size - 1), np.nan)
    n_linear = np.zeros(rows.count, dtype=np.intp)
    fraction = np.full(rows.count, np.nan)
    stderr = np.full((rows.count, 0 if rows.stderr is None else edges.size - 1), np.nan)
    for index, dense, pieces in _cut_rows(rows, edges):
        parts, width = _parts(dense, pieces), np.diff(edges)[pieces.cells]
        if log and dense.lower is None:
            total, n_linear[index] = _over_pieces(dense.value, pieces)
        else:
            total = np.add.reduceat(dense.value[:, parts.sample] * parts.weights, parts.first, 1)
        mean[index, pieces.cells] = total / width
        fraction[index], of_samples = _of_cells(dense, pieces, parts)
        if dense.stderr is not None:
            shared = fraction[index] / of_samples
            stderr[index, pieces.cells] = np.sqrt(_variance(dense, parts, shared)) / width
    ends = [np.full((rows.count, 1), end) for end in edges[[0, -1]]]
    known = _known(rows, *ends) | has_surface_transient(rows) | begins_inside(rows)
    return Resampled(mean, n_linear, fraction, known, stderr)


def _variance(dense: Dense, parts: _Parts, shared: Array) -> Array:
    """Return the variances of integrals over cells, of which neighbours have a part in common.

    Of cells with zero counts, four times the largest ``(w_i s_i)^2``
    (:func:`sims_analysis.kernels.variance.variance_of_dose`).
    """
    terms = (parts.weights * errors_of(dense)[:, parts.sample]) ** 2
    total: Array = np.add.reduceat(terms, parts.first, axis=1)
    if dense.uncounted is not None:
        terms = (parts.weights * dense.uncounted[:, parts.sample]) ** 2
        most = 4.0 * np.maximum.reduceat(terms, parts.first, axis=1)
        total = np.where(total == 0, most, total)
    return total * shared[:, None]


def _over_pieces(c: Array, pieces: _Pieces) -> tuple[Array, Index]:
    """Integrate exponentials over the pieces of each cell; count the cells with a linear one."""
    c0, c1 = (c.take(pieces.before + i, axis=1) for i in (0, 1))
    areas = segments.piece(pieces.z0, pieces.z1, c0, c1, pieces.begin, pieces.end, log=True)
    in_cells = np.logical_or.reduceat(segments.is_linear(c0, c1), pieces.first, axis=1)
    total = np.add.reduceat(areas, pieces.first, axis=1)
    return total, np.count_nonzero(in_cells, axis=1)


def resample(rows: Rows, at: Array, *, method: str, new_axis: bool, bridge: bool) -> Resampled:
    """Interpolate profiles at depths (R, m).

    On a new axis these share samples (else the fraction is NaN), but not those in gaps, unless it
    is to `bridge` these; and a surface transient is kept.
    """
    place = locate(rows, at)
    values = interpolate(rows, at, method=method, place=place)
    stderr = np.empty((rows.count, 0))
    if rows.stderr is not None:
        stderr = stderr_at(rows, at, method=method, place=place).value
    span = [f.reduce(place.at, 1, keepdims=True) for f in (np.fmin, np.fmax)]
    near = span if place.at.shape[1] > _FEW else [place.at, place.at]
    low, high = (np.broadcast_to(end, (rows.count, end.shape[1])) for end in near)
    reach = REACH[method] * rows.width.max(initial=0.0)
    known = _known(rows, low - reach, high + reach)
    fraction = np.full(rows.count, np.nan)
    if new_axis:
        known |= has_surface_transient(rows) | begins_inside(rows)
        broken = breaks(rows)
        if broken.size and not bridge:
            inner = (place.t > 0) & (place.t < 1) & np.isin(place.segment, broken)
            place = changed(place, inside=place.inside & ~inner)
        fraction = _of_points(rows, place)
    return Resampled(values.value, values.n_linear_segments, fraction, known, stderr)


def _known(rows: Rows, low: Array, high: Array) -> Flags:
    """Flag rows of which more is known than values, in intervals, (R, m), at least."""
    flags, every = np.zeros(rows.count, dtype=bool), marks(rows, rows.samples_in(low, high))
    if every is not None:
        flags[every.row] = True
    return flags


# Values on a grid finer than the samples share samples. A sum over the grid that takes them for
# independent has the variance ``sum_j w_j^2 sum_i a_ji^2``, where w_j is the weight of value j in
# an integral and a_ji that of sample i in it. The true one is ``sum_i (sum_j w_j a_ji)^2``. The
# fraction of independent ones is the first over the second, for samples with equal errors.


def _of_points(rows: Rows, place: Location) -> Array:
    """Return the fraction of each row, (R,), for values at places."""
    common = isinstance(rows, Dense) and len(place.segment) == 1
    axis = Packed(rows.depth, rows.depth, offsets=rows.offsets[:2]) if common else rows.packed()
    if not (place.at[:, 1:] > place.at[:, :-1]).all():
        order = np.argsort(place.at, axis=1)
        fields: Any = [np.take_along_axis(f, np.broadcast_to(order, f.shape), 1) for f in place]
        place = Location(*fields)
    inside, before = place.inside, place.segment.reshape(-1)
    half = np.where(inside[:, 1:] & inside[:, :-1], 0.5 * np.diff(place.at), 0.0)
    weights = np.zeros(inside.shape)
    weights[:, :-1] = half
    weights[:, 1:] += half
    alone = ~half.any(axis=1, keepdims=True)  # a single depth has no width: any will do
    weights[alone & inside] = 1.0
    right = weights * np.where(inside, place.t, 0.0)
    left = weights - right
    total, of_next = (_sum_at(before, x.reshape(-1), axis.depth.size) for x in (left, right))
    total[1:] += of_next[:-1]
    with np.errstate(invalid="ignore"):
        fraction = (dot_rows(left, left) + dot_rows(right, right)) / axis.sum(total, total)
    return _on_grid(rows, fraction, 2.0 * half.sum(axis=1), np.count_nonzero(half, axis=1))


def _of_cells(dense: Dense, pieces: _Pieces, parts: _Parts) -> tuple[Array, Array]:
    """Return the fraction of averages over cells, (R,), and what it were of plain samples."""
    total = _sum_at(parts.sample, parts.weights, dense.depth.size)
    fraction = np.full(dense.count, parts.weights @ parts.weights / (total @ total))
    return _on_grid(dense, fraction, (pieces.end - pieces.begin).sum(), pieces.first.size), fraction


def _on_grid(rows: Rows, of_samples: Array, extent: Array, number: Index | int) -> Array:
    """Return the fraction of `number` values over an `extent`, (R,), from that of plain samples.

    A grid of a grid has as many independent values as that, and no more than values.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        spacing = (rows.last - rows.first) / (rows.size - 1)
        coarser = np.where(number, np.fmax(extent / (number * spacing), 1.0), np.inf)
    return np.minimum(of_samples * np.where(rows.share < 1.0, rows.share * coarser, 1.0), 1.0)


def _sum_at(sample: Index, weights: Array, size: int) -> Array:
    return np.bincount(sample, weights, size).astype(np.float64, copy=False)


def _cut_rows(rows: Rows, edges: Array) -> Iterator[tuple[Index, Dense, _Pieces]]:
    """Yield groups of rows on one axis, cut at edges: all dense rows, or each packed one."""
    for index, dense in _by_axis(rows):
        pieces = _cut(dense, edges)
        if pieces is not None:
            yield index, dense, pieces


def _by_axis(rows: Rows) -> Iterator[tuple[Index, Dense]]:
    if isinstance(rows, Dense):
        if rows.value.size:
            yield np.arange(rows.count), rows
        return
    every = rows.columns(lambda one: one)
    for row in np.flatnonzero(rows.size):
        in_row = slice(rows.offsets[row], rows.offsets[row + 1])
        columns = {n: one[in_row] if n in AXES else one[None, in_row] for n, one in every.items()}
        fraction = None if rows.fraction is None else rows.fraction[[row]]
        yield np.array([row]), Dense(**columns, fraction=fraction)


class _Pieces(NamedTuple):
    """Pieces of segments between knots, (p,); those of averages over cells are between edges."""

    #: The sample before, and where the segment and the piece begin and end.
    before: Index
    z0: Array
    z1: Array
    begin: Array
    end: Array
    #: First piece of each cell, and which cells these are: those within the record.
    first: Index
    cells: slice


def _cut(dense: Dense, edges: Array) -> _Pieces | None:
    """Cut the segments at the edges of the cells that lie entirely within the record; or None."""
    z = np.maximum.accumulate(segments.steps(dense).depth)
    tolerance = TOLERANCE * (z[-1] - z[0])
    lo = int(np.searchsorted(edges, z[0] - tolerance, side="left"))
    hi = int(np.searchsorted(edges, z[-1] + tolerance, side="right"))
    if hi - lo < 2:
        return None
    inner = np.clip(edges[lo:hi], z[0], z[-1])
    knots = np.unique(np.concatenate([z[(z > inner[0]) & (z < inner[-1])], inner]))
    first = np.searchsorted(knots, inner[:-1])
    before = np.searchsorted(z, knots[:-1], side="right") - 1
    ends = z[before], z[before + 1], knots[:-1], knots[1:]
    return _Pieces(before, *ends, first, slice(lo, hi - 1))


class _Parts(NamedTuple):
    """Weights of samples in the integrals over cells, (q,), cell by cell, in order of depth."""

    weights: Array
    sample: Index
    #: First entry of each cell.
    first: Index


def _parts(dense: Dense, pieces: _Pieces) -> _Parts:
    """Return the weights of the samples in the integrals over cells by the trapezoidal rule."""
    length, (_, z0, z1, begin, end, *_) = pieces.end - pieces.begin, pieces
    right = length * 0.5 * ((begin - z0) + (end - z0)) / (z1 - z0)
    weights = np.stack([length - right, right], axis=1).reshape(-1)
    sample = (pieces.before[:, None] + np.arange(2)).reshape(-1)
    if dense.lower is not None:  # both edges are of one cell
        sample //= 2
    # Within a cell, the sample after a piece is the one before the next.
    cell = np.zeros(sample.shape, dtype=np.intp)
    cell[2 * pieces.first[1:]] = 1
    key = np.cumsum(cell) * dense.depth.size + sample
    new = np.flatnonzero(np.diff(key, prepend=-1))
    first: Index = np.searchsorted(new, 2 * pieces.first)
    return _Parts(np.add.reduceat(weights, new), sample[new], first)


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
