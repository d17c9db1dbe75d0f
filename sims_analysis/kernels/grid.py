"""Profiles on a new depth grid: cell averages that conserve the dose, and their uncertainty.

A knot is a sample, or the edge of a cell: a new one, or one over which the data are averages
already. Between two knots lies a piece of one segment, and a cell is a sum of pieces. It is not a
difference of large integrals: a cell in the tail is as accurate as one at the peak.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from sims_analysis.kernels import segments
from sims_analysis.kernels.gaps import gap_after, gap_ends, inside_gap
from sims_analysis.kernels.interpolation import Location, interpolate, locate
from sims_analysis.kernels.rows import (
    TOLERANCE,
    Array,
    Dense,
    Flags,
    Index,
    Packed,
    Rows,
    errors_of,
    range_sums,
    same_for_all,
)


class Cells(NamedTuple):
    """Averages over cells, shape (R, m).

    ``n_linear_segments``, shape (R,), counts the cells of each row with a segment that is linear
    because an end is not positive.
    """

    mean: Array
    n_linear_segments: Index


def cell_means(rows: Rows, *, edges: Array, log: bool, bridge: bool = False) -> Cells:
    """Average profiles over cells: the integral between two edges, divided by their distance.

    `edges`, (m + 1,), increase strictly. Between samples, profiles are straight lines in ln C with
    `log` (the log-linear rule of the dose), otherwise in C (the trapezoid); averages over cells are
    constant within these. NaN where a cell extends beyond the samples of the row, or into a gap,
    unless it is to `bridge` gaps.
    """
    mean = np.full((rows.count, edges.size - 1), np.nan)
    n_linear = np.zeros(rows.count, dtype=np.intp)
    for index, dense in _by_axis(rows):
        if dense.lower is not None:
            parts = _parts_of_cells(dense, edges)
            if parts is not None:
                terms = dense.value[:, parts.sample] * parts.weights
                total = np.add.reduceat(terms, parts.first, axis=1)
                mean[index, parts.cells] = total / np.diff(edges)[parts.cells]
        elif (pieces := _cut(dense.depth, edges)) is not None:
            total, n_linear[index] = _over_pieces(dense.value, pieces, log=log)
            mean[index, pieces.cells] = total / np.diff(edges)[pieces.cells]
        gaps = None if bridge else gap_after(dense)
        slack = TOLERANCE * np.ptp(dense.depth)
        for start in [] if gaps is None else np.flatnonzero(gaps):
            z0, z1 = gap_ends(dense, start)
            into = (edges[1:] > z0 + slack) & (edges[:-1] < z1 - slack)
            mean[np.ix_(np.atleast_1d(index), into)] = np.nan
    return Cells(mean, n_linear)


def _over_pieces(c: Array, pieces: _Pieces, *, log: bool) -> tuple[Array, Index]:
    """Integrate over the pieces of each cell; count the cells with a linear segment."""
    before, after = (c.take(i, axis=1) for i in (pieces.segment, pieces.segment + 1))
    at_start, at_stop = (
        segments.interpolated(before, after, t, log=log) for t in (pieces.start, pieces.stop)
    )
    mean, n_linear = segments.middle(at_start, at_stop), np.zeros(len(c), dtype=np.intp)
    if log:
        # The ends of the whole segment decide whether a piece is exponential.
        linear = segments.is_linear(before, after)
        mean = np.where(linear, mean, segments.log_mean(at_start, at_stop))
        if linear.any():
            in_cells = np.logical_or.reduceat(linear, pieces.first, axis=1)
            n_linear = np.count_nonzero(in_cells, axis=1)
    return np.add.reduceat(mean * pieces.length, pieces.first, axis=1), n_linear


class CellStderr(NamedTuple):
    """Standard errors of averages over cells, shape (R, m)."""

    stderr: Array


def cell_stderr(rows: Rows, *, edges: Array, zero_counts: bool = False) -> CellStderr:
    """Return the standard errors of cell averages: ``sqrt(sum (w_i s_i)^2) / width``.

    The errors of the samples are independent, and the weights trapezoidal. With `zero_counts`,
    return instead the errors of cells with zero counts: twice the largest ``w_i s_i`` (see
    :func:`sims_analysis.kernels.variance.variance_of_zero_counts`).
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
    return CellStderr(stderr)


class Fraction(NamedTuple):
    """Number of independent samples per grid depth, shape (R,).

    ``fraction`` is above 0 and at most 1; NaN where no grid depth lies within the samples.
    ``growth`` is the standard error of a grid value over that for independent samples; 1 if the
    samples are independent.
    """

    fraction: Array
    growth: Array


def sample_fraction(
    rows: Rows, at: Array, known: Array, *, cells: bool = False, found: Location | None = None
) -> Fraction:
    """Return the number of independent samples per grid depth.

    Values on a grid finer than the samples share samples, and are not independent. A sum over the
    grid that treats them as independent has the variance ``sum_j w_j^2 sum_i a_ji^2``, where w_j
    is the weight of depth j in an integral and a_ji that of sample i in the value at depth j. The
    true variance is ``sum_i (sum_j w_j a_ji)^2``. The fraction is the first over the second, for
    samples with equal errors.

    Parameters
    ----------
    rows : Rows
    at : ndarray, shape (R, m)
        Depths, or the m edges of cells.
    known : ndarray, shape (R,)
        The fraction of the samples, if they are grid values themselves: two of them k apart then
        share the fraction ``1 - k known`` of their variance. NaN means 1.
    cells : bool
        Whether the grid values are averages over cells.
    found : Location, optional
        Where the depths lie, if that is known.
    """
    known = np.where(np.isnan(known), 1.0, known)
    shared = isinstance(rows, Dense) and same_for_all(at)
    if not (shared or cells):
        return _fraction(_point_weights(rows.packed(), at, found), known)
    columns = np.full((2, rows.count), np.nan)
    for index, dense in _by_axis(rows):
        # Rows with the same samples and the same grid have the same fraction.
        for group in [index] if shared else index[:, None]:
            grid = at[group[0]]
            weights = (
                _cell_weights(dense, grid) if cells else _point_weights(_one(dense), grid[None])
            )
            if weights is None:
                continue
            own, which = np.unique(known[group], return_inverse=True)
            for number, one in enumerate(own):
                columns[:, group[which == number]] = _fraction(weights, np.array([one]))
    return Fraction(*columns)


class Resampled(NamedTuple):
    """Interpolated values, whether they lie in a gap, (R, m), and fields of a fraction, (R,)."""

    value: Array
    n_linear_segments: Index
    hidden: Flags
    fraction: Array
    growth: Array


def resample(rows: Rows, at: Array, known: Array, *, method: str, new_axis: bool) -> Resampled:
    """Interpolate profiles at depths (R, m); on a new axis these share samples (else NaN)."""
    place = locate(rows, at)
    found = interpolate(rows, at, method=method, found=place)
    fraction = Fraction(*np.full((2, rows.count), np.nan))
    if new_axis:
        fraction = sample_fraction(rows, at, known, found=place)
    return Resampled(*found, inside_gap(rows, at).flags, *fraction)


class _Weights(NamedTuple):
    """Weights of samples in the grid values of all rows, (p,), and in the integral of each, (N,).

    Those of a row lie between two of the offsets, (R + 1,).
    """

    weights: Array
    #: Number of the grid value.
    of_value: Index
    offsets: Index
    total: Array
    total_offsets: Index


def _one(dense: Dense) -> Packed:
    """Return the depths that dense rows share, as one row."""
    return Packed(dense.depth, dense.depth, offsets=np.array([0, dense.depth.size]))


def _point_weights(rows: Packed, at: Array, found: Location | None = None) -> _Weights:
    found = locate(rows, at) if found is None else found
    if not (found.at[:, 1:] > found.at[:, :-1]).all():
        at = np.sort(found.at, axis=1)
        at[:, 1:][at[:, 1:] == at[:, :-1]] = np.nan  # the same depth counts once
        found = locate(rows, np.sort(at, axis=1))
    at, before = found.at, found.segment
    inside = (at >= rows.first[:, None]) & (at <= rows.last[:, None])
    t = np.where(inside, found.t, 0.0)
    # The trapezoid over those inside; a single depth has no width: any weight will do.
    half = np.pad(0.5 * np.diff(at), ((0, 0), (1, 1)))
    w = np.where(inside, half[:, :-1] + half[:, 1:], 0.0)
    number = np.count_nonzero(inside, axis=1)
    some = np.flatnonzero(number)
    begin = inside.argmax(axis=1)[some]
    end, of = begin + number[some] - 1, some if len(half) > 1 else 0
    w[some, begin], w[some, end] = half[of, begin + 1], half[of, end]
    w[some[begin == end], begin[begin == end]] = 1.0
    weights = np.empty((*w.shape, 2))
    np.multiply(w, 1 - t, out=weights[..., 0])
    np.multiply(w, t, out=weights[..., 1])
    # After a single sample, any other will do: t is 0.
    after = np.minimum(before + 1, max(rows.depth.size - 1, 0))
    total = _sum_at(before.reshape(-1), weights[..., 0].reshape(-1), rows.depth.size)
    total += _sum_at(after.reshape(-1), weights[..., 1].reshape(-1), rows.depth.size)
    offsets = np.arange(len(t) + 1) * 2 * at.shape[1]
    return _Weights(weights.reshape(-1), np.arange(w.size).repeat(2), offsets, total, rows.offsets)


def _cell_weights(dense: Dense, edges: Array) -> _Weights | None:
    parts = _parts(dense, edges)
    if parts is None:
        return None
    total = _sum_at(parts.sample, parts.weights, dense.depth.size)
    one_row = (np.array([0, size]) for size in (parts.weights.size, total.size))
    return _Weights(parts.weights, parts.of_cell, next(one_row), total, next(one_row))


def _sum_at(sample: Index, weights: Array, size: int) -> Array:
    return np.bincount(sample, weights, size).astype(np.float64, copy=False)


def _fraction(found: _Weights, known: Array) -> Fraction:
    """Return the fraction and the growth of each row; NaN for one without grid values."""
    weights, of_value, offsets, total, total_offsets = found
    uncorrelated = range_sums(weights**2, offsets[:-1], offsets[1:])
    separate, joint = (
        uncorrelated.copy(),
        range_sums(total**2, total_offsets[:-1], total_offsets[1:]),
    )
    lags = int(np.ceil(1.0 / known.min(initial=1.0)))
    for lag in range(1, min(lags, max(weights.size, total.size))):
        shared = 2.0 * np.maximum(1.0 - lag * known, 0.0)
        pairs = weights[lag:] * weights[:-lag] * (of_value[lag:] == of_value[:-lag])
        separate += shared * _sums_of_pairs(pairs, offsets, lag)
        joint += shared * _sums_of_pairs(total[lag:] * total[:-lag], total_offsets, lag)
    some = uncorrelated > 0
    fraction, growth = (
        np.divide(one, other, out=np.full(known.size, np.nan), where=some)
        for one, other in ((separate, joint), (separate, uncorrelated))
    )
    return Fraction(np.minimum(fraction, 1.0), np.sqrt(growth))


def _sums_of_pairs(pairs: Array, offsets: Index, lag: int) -> Array:
    """Sum products of two that are `lag` apart, over those within a row."""
    pairs = np.append(pairs, np.zeros(lag))
    return range_sums(pairs, offsets[:-1], np.maximum(offsets[1:] - lag, offsets[:-1]))


def _by_axis(rows: Rows) -> Iterator[tuple[Index, Dense]]:
    """Yield groups of rows on one axis: all dense rows together, packed rows one by one.

    Empty rows are left out.
    """
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
    """Select the edges within the record, and the cells between them; None if there is no cell.

    An edge that is an end of the record up to rounding, as after a conversion of units, is it.
    """
    slack = TOLERANCE * (end - begin)
    lo = int(np.searchsorted(edges, begin - slack, side="left"))
    hi = int(np.searchsorted(edges, end + slack, side="right"))
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
    """Weights of samples in the integrals over cells, cell by cell, in order of depth.

    The first three arrays have shape (q,).
    """

    weights: Array
    sample: Index
    of_cell: Index
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
    cell = np.cumsum(np.bincount(pieces.first, minlength=after.size)) - 1
    first = pieces.first
    return _Parts(
        np.insert(after, first, opening),
        np.insert(pieces.segment + 1, first, pieces.segment[first]),
        np.insert(cell, first, np.arange(first.size)),
        first + np.arange(first.size),
        pieces.cells,
    )


def _parts_of_cells(dense: Dense, edges: Array) -> _Parts | None:
    """Return the parts of the old cells in the new ones.

    What no old cell covers belongs to both beside it, as in a dose (see
    :func:`sims_analysis.kernels.segments.trapezoid_weights`).
    """
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
    of_cell = key // size
    first = np.searchsorted(of_cell, np.arange(inner.size - 1))
    return _Parts(weights, key % size, of_cell, first, cells)


def samples_of_grid(fraction: Array) -> tuple[Array, Array]:
    """Return the spacing of samples over that of a grid between them, and the variance there.

    In the mean over a grid of straight lines between samples, the variance is ``(2 + 1 / r^2) / 3``
    of a sample's, r being the spacing; and the effective fraction of samples is that over r. Both
    are 1 from a `fraction` of 1.
    """
    spacing = variance = np.ones_like(fraction)
    for _ in range(20 if (fraction < 1).any() else 0):
        variance = np.where(fraction < 1, (2 + spacing**-2) / 3, 1.0)
        spacing = np.where(fraction < 1, variance / fraction, 1.0)
    return spacing, variance


def shared_variance(weights: Array, fraction: Array) -> Array:
    """Return the variance of sums over neighbours on a grid, (R,), over that of independent ones.

    Those are what `fraction` says of long sums. Of straight lines between samples r apart, two
    values k apart have the covariance ``B(k / r)`` of a sample's variance, in the mean over places
    between samples, with the cubic B-spline B.

    Parameters
    ----------
    weights : ndarray, shape (R, n)
        Of neighbours in order of depth, 0 at the end where a row has fewer.
    fraction : ndarray, shape (R,)
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
