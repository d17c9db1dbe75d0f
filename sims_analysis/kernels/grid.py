"""Profiles on other depths: cell averages that keep the dose, and how well values there are known.

A knot is a sample or a cell edge. Between two knots lies a piece of one segment, so that a cell is
a sum of pieces and no difference of large integrals: a cell in the tail is as exact as one at the
peak.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from sims_analysis.kernels import segments
from sims_analysis.kernels.rows import Array, Dense, Index, Rows, errors_of

__all__ = ["CellStderr", "Cells", "Fraction", "cell_means", "cell_stderr", "sample_fraction"]


class Cells(NamedTuple):
    """Averages over cells, shape (R, m).

    ``n_linear_segments``, shape (R,), counts the cells of each row in which a value is not
    positive, so that a segment is a straight line in C.
    """

    mean: Array
    n_linear_segments: Index


def cell_means(rows: Rows, *, edges: Array, log: bool) -> Cells:
    """Average profiles over cells: the integral between two edges, divided by their distance.

    Parameters
    ----------
    rows : Rows
    edges : ndarray, shape (m + 1,)
        Strictly increasing.
    log : bool
        Straight lines in ln C between samples (the log-linear rule of the dose), or in C (the
        trapezoid).

    Returns
    -------
    Cells
        NaN where a cell reaches beyond the samples of the row.
    """
    mean = np.full((rows.count, edges.size - 1), np.nan)
    n_linear = np.zeros(rows.count, dtype=np.intp)
    for some, one in _on_one_axis(rows):
        pieces = _cut(one.depth, edges)
        if pieces is not None:
            total, n_linear[some] = _over_pieces(one.value, pieces, log=log)
            mean[some, pieces.cells] = total / np.diff(edges)[pieces.cells]
    return Cells(mean, n_linear)


def _over_pieces(c: Array, pieces: _Pieces, *, log: bool) -> tuple[Array, Index]:
    """Integrate over the pieces of each cell; count the cells without a logarithm."""
    before, after = (c.take(i, axis=1) for i in (pieces.segment, pieces.segment + 1))
    at_start, at_stop = (
        segments.interpolated(before, after, place, log=log)
        for place in (pieces.start, pieces.stop)
    )
    mean, n_linear = segments.middle(at_start, at_stop), np.zeros(len(c), dtype=np.intp)
    if log:
        # Whether a piece is an exponential is a matter of its whole segment.
        curved = (before > 0) & (after > 0)
        mean = np.where(curved, segments.log_mean(at_start, at_stop), mean)
        if not curved.all():
            linear = np.logical_or.reduceat(~curved, pieces.first, axis=1)
            n_linear = np.count_nonzero(linear, axis=1)
    return np.add.reduceat(mean * pieces.length, pieces.first, axis=1), n_linear


class CellStderr(NamedTuple):
    """Standard errors of averages over cells, shape (R, m)."""

    stderr: Array


def cell_stderr(rows: Rows, *, edges: Array, nothing: bool = False) -> CellStderr:
    """Return the standard errors of cell averages: ``sqrt(sum (w_i s_i)^2) / width``.

    Parameters
    ----------
    rows : Rows
        With standard errors, independent from sample to sample; they go in with the weights of
        the trapezoid.
    edges : ndarray, shape (m + 1,)
    nothing : bool
        Give what may have been there where nothing was counted: twice the largest ``w_i s_i``
        (see :func:`sims_analysis.kernels.variance.variance_of_nothing`).
    """
    stderr = np.full((rows.count, edges.size - 1), np.nan)
    for some, one in _on_one_axis(rows):
        pieces = _cut(one.depth, edges)
        if pieces is None:
            continue
        after, before = _weights_of(pieces)
        variance = errors_of(one) ** 2
        terms = after**2 * variance[:, pieces.segment + 1]
        opening = before**2 * variance[:, pieces.segment[pieces.first]]
        if nothing:
            total = 4.0 * np.maximum(np.maximum.reduceat(terms, pieces.first, axis=1), opening)
        else:
            total = np.add.reduceat(terms, pieces.first, axis=1) + opening
        stderr[some, pieces.cells] = np.sqrt(total) / np.diff(edges)[pieces.cells]
    return CellStderr(stderr)


class Fraction(NamedTuple):
    """How many independent samples there are for each depth of a grid, shape (R,).

    ``fraction`` is above 0 and at most 1; NaN where there is no depth within the samples.
    ``growth`` is that of the standard error of each value, over that of independent samples; 1 if
    they are.
    """

    fraction: Array
    growth: Array


def sample_fraction(rows: Rows, at: Array, known: Array, *, cells: bool = False) -> Fraction:
    """Count the independent samples for each depth of a grid.

    Values on a grid finer than the samples share these, and are not independent. A sum over the
    grid that takes them for independent has the variance ``sum w_j^2 sum_i a_ji^2``, with the
    weights w of the depths j in an integral, and a of the samples i in what was interpolated; the
    samples themselves give ``sum_i (sum_j w_j a_ji)^2``. The fraction is the first over the second,
    of samples that are all known equally well.

    Parameters
    ----------
    rows : Rows
    at : ndarray, shape (R, m)
        Depths; or, of cells, the m edges.
    known : ndarray, shape (R,)
        The same of the samples, where they are values on a grid themselves: two of them that are
        k apart then have the part ``1 - k known`` of their variance in common. NaN is 1.
    cells : bool
        Whether these are averages over cells.
    """
    found = np.full((2, rows.count), np.nan)
    known = np.where(np.isnan(known), 1.0, known)
    for some, one in _on_one_axis(rows):
        # Rows with the same samples, asked for the same depths, have the same answer.
        asked = at[some]
        alike = [some] if (asked == asked[:1]).all() else some[:, None]
        for group in alike:
            shares = (_shares_of_cells if cells else _shares)(one.depth, at[group[0]])
            if shares is None:
                continue
            for own in np.unique(known[group]):
                chosen = group[known[group] == own]
                found[:, chosen] = np.array(_fraction(shares, float(own)))[:, None]
    return Fraction(*found)


class _Shares(NamedTuple):
    """What samples weigh: in each value of a grid, value after value, and in the integral."""

    weights: Array
    of_value: Index
    total: Array


def _shares(z: Array, at: Array) -> _Shares | None:
    inside = np.unique(at[(at >= z[0]) & (at <= z[-1])])
    if not inside.size:
        return None
    before = np.maximum(np.minimum(z.searchsorted(inside, side="right") - 1, z.size - 2), 0)
    after = np.minimum(before + 1, z.size - 1)
    width = z[after] - z[before]
    t = np.divide(inside - z[before], width, out=np.zeros(inside.size), where=width > 0)
    half = np.diff(inside) * 0.5
    # A single depth has no width, and any weight will do.
    w = np.append(half, 0.0) + np.append(0.0, half) if half.size else np.ones(1)
    left, right = w * (1 - t), w * t
    total = _sum_at(before, left, z.size) + _sum_at(after, right, z.size)
    return _Shares(
        np.column_stack([left, right]).ravel(), np.repeat(np.arange(inside.size), 2), total
    )


def _shares_of_cells(z: Array, edges: Array) -> _Shares | None:
    pieces = _cut(z, edges)
    if pieces is None:
        return None
    after, opening = _weights_of(pieces)
    cell = np.cumsum(np.bincount(pieces.first, minlength=after.size)) - 1
    weights = np.insert(after, pieces.first, opening)
    sample = np.insert(pieces.segment + 1, pieces.first, pieces.segment[pieces.first])
    of_cell = np.insert(cell, pieces.first, np.arange(pieces.first.size))
    return _Shares(weights, of_cell, _sum_at(sample, weights, z.size))


def _sum_at(place: Index, weights: Array, size: int) -> Array:
    return np.bincount(place, weights, size).astype(np.float64, copy=False)


def _fraction(shares: _Shares, known: float) -> tuple[float, float]:
    weights, of_value, total = shares
    alone = float(np.dot(weights, weights))
    apart, together = alone, float(np.dot(total, total))
    for lag in range(1, min(int(np.ceil(1.0 / known)), max(weights.size, total.size))):
        common = 2.0 * (1.0 - lag * known)
        same = of_value[lag:] == of_value[:-lag]
        apart += common * float(np.dot(weights[lag:] * same, weights[:-lag]))
        together += common * float(np.dot(total[lag:], total[:-lag]))
    return min(apart / together, 1.0), float(np.sqrt(apart / alone))


def _on_one_axis(rows: Rows) -> Iterator[tuple[Index, Dense]]:
    """Return rows that share their axis, together: all dense ones, and each of packed ones alone.

    Rows without samples are left out.
    """
    if isinstance(rows, Dense):
        if rows.count and rows.depth.size:
            yield np.arange(rows.count), rows
        return
    for row, (begin, end) in enumerate(zip(rows.start[:-1], rows.start[1:], strict=True)):
        if end > begin:
            stderr = None if rows.stderr is None else rows.stderr[None, begin:end]
            yield np.array([row]), Dense(rows.depth[begin:end], rows.value[None, begin:end], stderr)


class _Pieces(NamedTuple):
    """Pieces of segments between knots; all arrays but the last two have shape (p,)."""

    segment: Index
    #: Place in the segment where the piece starts and stops, 0 to 1.
    start: Array
    stop: Array
    length: Array
    #: First piece of each cell.
    first: Index
    cells: slice


def _cut(z: Array, edges: Array) -> _Pieces | None:
    """Cut the segments at the edges of the cells that lie wholly within the samples."""
    lo = int(np.searchsorted(edges, z[0], side="left"))
    hi = int(np.searchsorted(edges, z[-1], side="right"))
    if hi - lo < 2:
        return None
    inner = edges[lo:hi]
    knots = np.unique(np.concatenate([z[(z > inner[0]) & (z < inner[-1])], inner]))
    segment = np.searchsorted(z, knots[:-1], side="right") - 1
    width = z[segment + 1] - z[segment]
    # Exactly 0 and 1 at samples, so that these keep their values.
    start = (knots[:-1] - z[segment]) / width
    stop = np.where(knots[1:] == z[segment + 1], 1.0, (knots[1:] - z[segment]) / width)
    first = np.searchsorted(knots, inner[:-1])
    return _Pieces(segment, start, stop, np.diff(knots), first, slice(lo, hi - 1))


def _weights_of(pieces: _Pieces) -> tuple[Array, Array]:
    """Return the weights in a cell of the sample after each piece, and of that before its first."""
    # A piece weighs on the samples at both ends of its segment.
    middle = 0.5 * (pieces.start + pieces.stop)
    left, right = pieces.length * (1 - middle), pieces.length * middle
    # Within a cell, the sample after a piece is the sample before the next piece.
    following = np.append(left[1:], 0.0)
    following[pieces.first[1:] - 1] = 0.0
    return right + following, left[pieces.first]
