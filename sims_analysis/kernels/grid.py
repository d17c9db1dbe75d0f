"""Profiles on other depths: cell averages that keep the dose, and how well values there are known.

A knot is a sample or a cell edge. Between two knots lies a piece of one segment, so that a cell is
a sum of pieces and no difference of large integrals: a cell in the tail is as exact as one at the
peak.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.interpolation import between
from sims_analysis.kernels.rows import BLOCK, blocks, flat_rows, precision, run_of
from sims_analysis.kernels.segments import means

__all__ = ["cell_means", "cell_stderr", "independence", "stderr_at"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]


def cell_means(
    depth: Array, value: NDArray[Any], edges: Array, *, log: bool
) -> tuple[NDArray[Any], Index]:
    """Average profiles over cells: the integral between two edges, divided by their distance.

    Parameters
    ----------
    depth : ndarray, shape (n,) or (..., n)
    value : ndarray, shape (..., n)
    edges : ndarray, shape (m + 1,)
        Strictly increasing.
    log : bool
        Straight lines in ln C between samples (the log-linear rule of the dose), or in C (the
        trapezoid).

    Returns
    -------
    mean : ndarray, shape (..., m)
        NaN where a cell reaches beyond the samples of the row. Computed in float64, given back in
        float32 where the values are float32.
    fallbacks : ndarray of int, shape (...)
        Cells in which a value is not positive, so that a segment was a straight line in C.
    """
    rows, lead = flat_rows(value)
    mean = np.full((rows.shape[0], edges.size - 1), np.nan, dtype=precision(value))
    fallbacks = np.zeros(rows.shape[0], dtype=np.intp)
    for which, z, columns in _groups(depth, rows):
        pieces = _cut(z, edges)
        if pieces is None:
            continue
        width = np.diff(edges)[pieces.cells]
        for some, c in _in_blocks(rows, which, columns, pieces.length.size):
            total, fell_back = _over_pieces(c, pieces, log=log)
            mean[some, pieces.cells], fallbacks[some] = total / width, fell_back
    return mean.reshape(*lead, edges.size - 1), fallbacks.reshape(lead)


def _over_pieces(c: Array, pieces: _Pieces, *, log: bool) -> tuple[Array, Index]:
    """Integrate over the pieces of each cell; count the cells without a logarithm."""
    before, after = (c.take(i, axis=1) for i in (pieces.segment, pieces.segment + 1))
    at_start, at_stop = before.copy(), after.copy()
    for at, place in ((at_start, pieces.start), (at_stop, pieces.stop)):
        cut = np.flatnonzero((place > 0.0) & (place < 1.0))  # others are samples
        if cut.size:
            ends = before.take(cut, axis=1), after.take(cut, axis=1)
            at[:, cut] = between(*ends, np.broadcast_to(place[cut], ends[0].shape), log=log)[0]
    middle = 0.5 * (at_start + at_stop)
    fallbacks = np.zeros(len(c), dtype=np.intp)
    if log:
        # Whether a piece is an exponential is a matter of its whole segment.
        straight = ~(np.minimum(before, after) > 0)
        mean, work = np.empty((2, *before.shape))
        means(at_start, at_stop, mean, work, log=True)
        if np.count_nonzero(straight):
            np.copyto(mean, middle, where=straight)
            fell_back = np.logical_or.reduceat(straight, pieces.first, axis=1)
            fallbacks = np.count_nonzero(fell_back, axis=1)
        middle = mean
    return np.add.reduceat(middle * pieces.length, pieces.first, axis=1), fallbacks


def _in_blocks(
    rows: NDArray[Any], which: Index, columns: Index, size: int
) -> Iterator[tuple[Index, Array]]:
    """Take the samples of some rows, as many at a time as stay in the cache with what is made."""
    for part in blocks(which.size, max(size, columns.size), BLOCK // 2):
        some = which[part]
        yield some, np.asarray(rows[_places(some, columns)], dtype=np.float64)


def _places(rows: Index, columns: Index) -> Any:
    """Give the index of some rows and columns: slices, where they are runs, and no list of all."""
    row, column = run_of(rows), run_of(columns)
    either = isinstance(row, slice) or isinstance(column, slice)
    return (row, column) if either else np.ix_(rows, columns)


def cell_stderr(
    depth: Array, value: Array, stderr: Array, edges: Array, *, nothing: bool = False
) -> Array:
    """Give the standard errors of cell averages: ``sqrt(sum (w_i s_i)^2) / width``.

    Parameters
    ----------
    depth, value, edges
        As for :func:`cell_means`.
    stderr : ndarray, shape (..., n)
        Independent from sample to sample; they go in with the weights of the trapezoid.
    nothing : bool
        Give what may have been there where nothing was counted: twice the largest ``w_i s_i``
        (see :func:`sims_analysis.kernels.counting.variance_of_nothing`).

    Returns
    -------
    ndarray, shape (..., m)
    """
    rows, lead = flat_rows(value)
    errors = flat_rows(np.broadcast_to(stderr, value.shape))[0]
    result = np.full((rows.shape[0], edges.size - 1), np.nan)
    for which, z, columns in _groups(depth, rows):
        pieces = _cut(z, edges)
        if pieces is None:
            continue
        after, before = _of_pieces(pieces)
        width = np.diff(edges)[pieces.cells]
        for some, s in _in_blocks(errors, which, columns, pieces.length.size):
            variance = s * s
            terms = after**2 * variance[:, pieces.segment + 1]
            opening = before**2 * variance[:, pieces.segment[pieces.first]]
            if nothing:
                total = 4.0 * np.maximum(np.maximum.reduceat(terms, pieces.first, axis=1), opening)
            else:
                total = np.add.reduceat(terms, pieces.first, axis=1) + opening
            result[some, pieces.cells] = np.sqrt(total) / width
    return result.reshape(*lead, edges.size - 1)


def stderr_at(depth: Array, value: Array, stderr: Array, at: Array, *, log: bool) -> Array:
    """Give the standard errors of interpolated values, from those of the two neighbours.

    ``sqrt([(1 - t) s0]^2 + [t s1]^2)``; with logarithms the same of the relative errors.

    Parameters
    ----------
    depth : ndarray, shape (n,) or (..., n)
    value, stderr : ndarray, shape (..., n)
    at : ndarray, shape (m,)
    log : bool

    Returns
    -------
    ndarray, shape (..., m)
        NaN outside the samples of the row; the sample's own on a sample.
    """
    rows, lead = flat_rows(value)
    errors = flat_rows(np.broadcast_to(stderr, value.shape))[0]
    result = np.full((rows.shape[0], at.size), np.nan)
    for which, z, columns in _groups(depth, rows):
        inside = np.flatnonzero((at >= z[0]) & (at <= z[-1]))
        segment, t = _place(z, at[inside])
        after = np.minimum(segment + 1, z.size - 1)
        samples, errors_of = (
            _in_blocks(array, which, columns, inside.size) for array in (rows, errors)
        )
        for (some, c), (_, s) in zip(samples, errors_of, strict=True):
            c0, c1, s0, s1 = (x.take(i, axis=1) for x in (c, s) for i in (segment, after))
            found = _of_two(c0, c1, s0, s1, np.broadcast_to(t, c0.shape), log=log)
            for own, on_sample in ((s0, t == 0), (s1, t == 1)):
                np.copyto(found, own, where=on_sample)
            result[_places(some, inside)] = found
    return result.reshape(*lead, at.size)


def _of_two(c0: Array, c1: Array, s0: Array, s1: Array, t: Array, *, log: bool) -> Array:
    """Give the standard errors of values between two samples."""
    if log:
        positive = np.minimum(c0, c1) > 0
        with np.errstate(all="ignore"):  # where it is not positive
            found: Array = np.hypot((1 - t) * (s0 / c0), t * (s1 / c1))
            found *= between(c0, c1, t, log=True)[0]
        straight = np.flatnonzero(~positive)
        if straight.size:
            s0, s1, t = s0.take(straight), s1.take(straight), t.reshape(-1).take(straight)
            found.reshape(-1)[straight] = np.hypot((1 - t) * s0, t * s1)
        return found
    line: Array = np.hypot((1 - t) * s0, t * s1)
    return line


def independence(
    depth: Array, value: Array, at: Array, known: Array | float = 1.0, *, cells: bool = False
) -> tuple[Array, Array]:
    """Tell how many independent samples there are for each depth of a grid.

    Values on a grid finer than the samples share these, and are not independent. A sum over the
    grid that takes them for independent has the variance ``sum w_j^2 sum_i a_ji^2``, with the
    weights w of the depths j in an integral, and a of the samples i in what was interpolated; the
    samples themselves say ``sum_i (sum_j w_j a_ji)^2``. Told is the first over the second, of
    samples that are all known equally well.

    Parameters
    ----------
    depth : ndarray, shape (n,) or (..., n)
    value : ndarray, shape (..., n)
    at : ndarray, shape (m,) or (..., m)
        Depths; or, of cells, the edges, of shape (m + 1,).
    known : float or ndarray, shape (...)
        The same of the samples, where they are values on a grid themselves: two of them that are
        k apart then have the part ``1 - k known`` of their variance in common. NaN is 1.
    cells : bool
        Whether these are averages over cells.

    Returns
    -------
    independent : ndarray, shape (...)
        Above 0, at most 1; NaN where there is no depth within the samples.
    growth : ndarray, shape (...)
        Of the standard error of each value, over that of independent samples; 1 if they are.
    """
    rows, lead = flat_rows(value)
    before = np.broadcast_to(np.where(np.isnan(known), 1.0, known), lead).reshape(-1)
    asked = None
    if at.ndim > 1:
        asked = np.broadcast_to(at, (*lead, at.shape[-1])).reshape(-1, at.shape[-1])
    found = np.full((2, rows.shape[0]), np.nan)
    for which, z, _ in _groups(depth, rows):
        # Rows with the same samples, asked for the same depths, have the same answer.
        alike = [(which, at)] if asked is None else [(row, asked[row[0]]) for row in which[:, None]]
        for group, places in alike:
            shares = _shares_of_cells(z, places) if cells else _shares(z, places)
            if shares is None:
                continue
            for one in np.unique(before[group]):
                found[:, group[before[group] == one]] = _independence(shares, float(one))[:, None]
    return found[0].reshape(lead), found[1].reshape(lead)


class _Shares(NamedTuple):
    """What samples weigh: in each value of a grid, value after value, and in the integral."""

    weights: Array
    of_value: Index
    total: Array


def _shares(z: Array, at: Array) -> _Shares | None:
    inside = np.unique(at[(at >= z[0]) & (at <= z[-1])])
    if not inside.size:
        return None
    segment, t = _place(z, inside)
    after = np.minimum(segment + 1, z.size - 1)
    half = np.diff(inside) * 0.5
    # A single depth has no width, and any weight will do.
    w = np.append(half, 0.0) + np.append(0.0, half) if half.size else np.ones(1)
    left, right = w * (1 - t), w * t
    total = _sum_at(segment, left, z.size) + _sum_at(after, right, z.size)
    return _Shares(
        np.column_stack([left, right]).ravel(), np.repeat(np.arange(inside.size), 2), total
    )


def _shares_of_cells(z: Array, edges: Array) -> _Shares | None:
    pieces = _cut(z, edges)
    if pieces is None:
        return None
    after, opening = _of_pieces(pieces)
    cell = np.cumsum(np.bincount(pieces.first, minlength=after.size)) - 1
    weights = np.insert(after, pieces.first, opening)
    sample = np.insert(pieces.segment + 1, pieces.first, pieces.segment[pieces.first])
    of_cell = np.insert(cell, pieces.first, np.arange(pieces.first.size))
    return _Shares(weights, of_cell, _sum_at(sample, weights, z.size))


def _sum_at(place: Index, weights: Array, size: int) -> Array:
    return np.bincount(place, weights, size).astype(np.float64, copy=False)


def _independence(shares: _Shares, known: float) -> Array:
    weights, of_value, total = shares
    alone = float(np.dot(weights, weights))
    apart, together = alone, float(np.dot(total, total))
    for lag in range(1, min(int(np.ceil(1.0 / known)), max(weights.size, total.size))):
        common = 2.0 * (1.0 - lag * known)
        same = of_value[lag:] == of_value[:-lag]
        apart += common * float(np.dot(weights[lag:] * same, weights[:-lag]))
        together += common * float(np.dot(total[lag:], total[:-lag]))
    return np.array([min(apart / together, 1.0), np.sqrt(apart / alone)])


def _groups(depth: Array, rows: NDArray[Any]) -> Iterator[tuple[Index, Array, Index]]:
    """Gather rows that have the same samples: the rows, their depths, and the columns of these."""
    own = None
    if depth.ndim > 1:
        own = flat_rows(depth)[0]
    for part in blocks(len(rows), rows.shape[1], _LOOKED_AT):
        measured = ~np.isnan(rows[part])
        if own is not None:
            measured &= ~np.isnan(own[part])
            for row, mask in enumerate(measured, part.start):
                columns = np.flatnonzero(mask)
                if columns.size:
                    yield np.array([row]), own[row, columns], columns
            continue
        for group, columns in _alike(measured):
            if columns.size:
                yield group + part.start, depth[columns], columns


#: Samples that are looked for at a time.
_LOOKED_AT = 1 << 22


def _alike(measured: NDArray[np.bool_]) -> Iterator[tuple[Index, Index]]:
    """Gather rows in which the same places are marked, and give these."""
    rows, n = measured.shape
    if np.count_nonzero(measured) == measured.size:
        yield np.arange(rows), np.arange(n)
        return
    alike: dict[bytes, list[int]] = {}
    for row, mask in enumerate(np.packbits(measured, axis=1)):
        alike.setdefault(mask.tobytes(), []).append(row)
    for group in alike.values():
        yield np.array(group), np.flatnonzero(measured[group[0]])


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
    # Exactly 0 and 1 at samples, so that these keep their values to the bit.
    start = (knots[:-1] - z[segment]) / width
    stop = np.where(knots[1:] == z[segment + 1], 1.0, (knots[1:] - z[segment]) / width)
    first = np.searchsorted(knots, inner[:-1])
    return _Pieces(segment, start, stop, np.diff(knots), first, slice(lo, hi - 1))


def _of_pieces(pieces: _Pieces) -> tuple[Array, Array]:
    """Give the weights in a cell of the sample after each piece, and of that before its first."""
    # A piece weighs on the samples at both ends of its segment.
    middle = 0.5 * (pieces.start + pieces.stop)
    left, right = pieces.length * (1 - middle), pieces.length * middle
    # Within a cell, the sample after a piece is the sample before the next piece.
    following = np.append(left[1:], 0.0)
    following[pieces.first[1:] - 1] = 0.0
    return right + following, left[pieces.first]


def _place(z: Array, at: Array) -> tuple[Index, Array]:
    """Find the segment of each depth and the place within it."""
    if z.size == 1:
        return np.zeros(at.size, dtype=np.intp), np.zeros(at.size)
    segment = np.clip(np.searchsorted(z, at, side="right") - 1, 0, z.size - 2)
    return segment, np.clip((at - z[segment]) / (z[segment + 1] - z[segment]), 0.0, 1.0)
