"""Integrals of many profiles on one axis, between the same limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.gaps import Gaps, few_gaps, gaps, number_of
from sims_analysis.kernels.interpolation import between
from sims_analysis.kernels.rows import BLOCK, block_of, blocks, dot_rows, run_of
from sims_analysis.kernels.segments import log_mean, lowest_of, means

__all__ = ["LogLinear", "Trapezoid", "piece", "trapezoid_weights"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]


def trapezoid_weights(
    depth: Array, start: Array | float, stop: Array | float, seams: Index | None = None
) -> Array:
    """Give the weight of every sample in the trapezoidal integral from `start` to `stop`.

    Within a segment from z0 to z1, the integral of the straight line from u to v is
    ``(v - u) [c0 (z1 - m) + c1 (m - z0)] / (z1 - z0)`` with ``m = (u + v) / 2``.

    Parameters
    ----------
    depth : ndarray, shape (N,)
        One axis, or the axes of many rows end to end.
    start, stop : float or ndarray, shape (N - 1,)
        Limits, within the samples.
    seams : ndarray of int, optional
        Segments that join one row to the next, and count for nothing.

    Returns
    -------
    ndarray, shape (N,)
    """
    before, after = weights_of_segments(depth, start, stop, seams)
    weights = np.zeros(depth.size)
    weights[:-1] = before
    weights[1:] += after
    return weights


def weights_of_segments(
    depth: Array, start: Array | float, stop: Array | float, seams: Index | None = None
) -> tuple[Array, Array]:
    """Give what each segment adds to the weights of the samples before and after it."""
    z0, z1 = depth[:-1], depth[1:]
    width = z1 - z0
    u, v = np.clip(z0, start, stop), np.clip(z1, start, stop)
    part = v - u
    if seams is not None:
        part[seams] = 0.0
        width[seams] = 1.0
    # Not from the middle itself, of which rounding takes more than a short segment has digits.
    return part * (0.5 * ((z1 - u) + (z1 - v)) / width), part * (
        0.5 * ((u - z0) + (v - z0)) / width
    )


class Ends(NamedTuple):
    """Rows, and the depths of their first and last samples; infinite for rows without samples."""

    row: Index
    first: Array
    last: Array

    @staticmethod
    def joined(parts: list[Ends]) -> Ends | None:
        """Join the ends of several blocks."""
        if len(parts) < 2:
            return parts[0] if parts else None
        return Ends(*(np.concatenate(field) for field in zip(*parts, strict=True)))


class Bridges(NamedTuple):
    """Segments over the gaps of rows, from the sample before to the sample after."""

    gaps: Gaps
    #: Places of the samples in the block; at the end of a row, where one is missing, the other's.
    samples: tuple[Index, Index]
    depth: tuple[Array, Array]
    value: tuple[Array, Array]
    #: From where to where they count: no further than at all at the end of a row.
    limits: tuple[Array, Array]
    #: Which of them have no sample before, and which none after.
    outer: tuple[Index, Index]
    #: Depths of the first and the last sample of each row.
    ends: tuple[Array, Array]


def few_bridges(
    z: Array, limits: tuple[float, float], value: NDArray[Any], rows: Index
) -> tuple[Index, Array, Bridges]:
    """Find the segments over the gaps of those rows that have few; and their samples, to write to.

    Parameters
    ----------
    z : ndarray, shape (n,)
    limits : tuple of float
    value : ndarray, shape (R, n)
    rows : ndarray of int
    """
    samples = value[run_of(rows)]
    missing = samples != samples  # noqa: PLR0124  # NaN only
    few, found = few_gaps(missing, z.size // _MANY)
    if found is None:
        rows, samples = rows[few], samples[few]
        found = gaps(missing[few])
    c = np.array(samples, dtype=np.float64, order="C")
    return rows, c, _bridges(z, limits, c, found)


#: Where gaps are more than one in so many samples, those that there are are better taken out.
_MANY = 8


def _bridges(z: Array, limits: tuple[float, float], c: Array, gaps: Gaps) -> Bridges:
    p, q = gaps.row * z.size, gaps.row * z.size
    p += gaps.before
    q += gaps.after
    depth = z.take(gaps.before, mode="clip"), z.take(gaps.after, mode="clip")
    u, v = (end.clip(*limits) for end in depth)
    first, last = np.full(len(c), z[0]), np.full(len(c), z[-1])
    starts, stops = np.flatnonzero(gaps.before < 0), np.flatnonzero(gaps.after == z.size)
    if starts.size + stops.size:
        p[starts] = q[starts]
        p[stops] = q[stops] = np.minimum(p[stops], q[stops] - 1)
        for some in (starts, stops):
            v[some] = u[some]
        beyond = np.concatenate([z, [np.inf, -np.inf]])
        first[gaps.row[starts]] = beyond[gaps.after[starts]]
        last[gaps.row[stops]] = beyond[gaps.before[stops]]
    flat = c.reshape(-1)
    value = flat.take(p, mode="clip"), flat.take(q)
    for end in value:
        np.copyto(end, 0.0, where=np.isnan(end))  # of rows without samples
    return Bridges(gaps, (p, q), depth, value, (u, v), (starts, stops), (first, last))


class Sums(NamedTuple):
    """Integrals of a block of rows; NaN for those that need another way."""

    total: Array
    #: Segments without a logarithm.
    fallbacks: Index | int
    #: Of rows in which samples are missing.
    ends: Ends | None = None


class Trapezoid:
    """Trapezoidal integrals of rows ``(R, n)`` on one axis, from a to b."""

    def __init__(self, z: Array, window: slice, a: float, b: float) -> None:
        self.axis = z
        # Skipping part of each row breaks the stream from memory: it costs more than weights of
        # zero, unless most is skipped.
        if 3 * (window.stop - window.start) < z.size:
            self.columns, self.z = window, z[window]
        else:
            self.columns, self.z = slice(0, z.size), z
        self.weights = trapezoid_weights(self.z, a, b)
        self.limits = a, b

    def blocks(self, value: NDArray[Any]) -> Iterator[slice]:
        """Nothing but the dot product is made of most data: they need no small blocks."""
        direct = _is_direct(value)
        return blocks(value.shape[0], value.shape[1], (16 if direct else 1) * BLOCK)

    def worker(self, value: NDArray[Any]) -> Callable[[slice], Sums]:
        """Integrate a block of rows; NaN where gaps are many, or at the limits."""

        def work(block: slice) -> Sums:
            c = value[block, self.columns]
            c = c if _is_direct(c) else block_of(c, slice(None))
            total = dot_rows(c, self.weights)
            finite = np.isfinite(total)
            if finite.all():
                return Sums(total, 0)
            holes = np.flatnonzero(~finite)
            parts = [
                self._over_gaps(holes[part], value[block], total)
                for part in blocks(holes.size, value.shape[1], 2 * BLOCK)
            ]
            return Sums(total, 0, Ends.joined(parts))

        return work

    @cached_property
    def of_segments(self) -> tuple[Array, Array]:
        """What the segments after and before each sample of the axis add to its weight."""
        before, after = weights_of_segments(self.axis, *self.limits)
        return np.append(before, 0.0), np.append(0.0, after)

    def _over_gaps(self, rows: Index, value: NDArray[Any], total: Array) -> Ends:
        """Integrate rows in which samples are missing, from those that are there."""
        rows, c, bridges = few_bridges(self.axis, self.limits, value, rows)
        (p, q), (zp, zq), (u, v) = bridges.samples, bridges.depth, bridges.limits
        part = 0.5 * (v - u)
        part /= zq - zp
        to_p, to_q = part * ((zq - u) + (zq - v)), part * ((u - zp) + (v - zp))
        # A sample beside a gap weighs what the segments on its two sides give it, and not what
        # it would without the gap less a part of that, which costs digits.
        gap = bridges.gaps
        after, before = self.of_segments
        other_p, other_q = before.take(gap.before, mode="clip"), after.take(gap.after, mode="clip")
        starts, stops = bridges.outer
        other_p[starts] = other_q[stops] = 0.0
        alone = p[1:] == q[:-1]  # with a gap on both sides
        other_p[1:][alone] = other_q[:-1][alone] = 0.0
        to_p += other_p
        to_q += other_q
        to_p *= bridges.value[0]
        to_q *= bridges.value[1]
        to_p += to_q
        flat = c.reshape(-1)
        flat[gap.absent] = flat[p] = flat[q] = 0.0
        of_axis = np.zeros(self.axis.size)
        of_axis[self.columns] = self.weights
        total[rows] = dot_rows(c, of_axis) + np.bincount(gap.row, to_p, minlength=len(c))
        return Ends(rows, *bridges.ends)

    def add_cut_segments(
        self, total: Array, fallbacks: Index, value: NDArray[Any], rows: slice
    ) -> None:
        """Do nothing: the weights count them."""


def _is_direct(value: NDArray[Any]) -> bool:
    """Whether rows can be read as they lie, without a copy."""
    return value.dtype == np.float64 and value.strides[-1] == value.itemsize


class LogLinear:
    """Log-linear integrals of rows ``(R, n)`` on one axis, from a to b."""

    def __init__(self, z: Array, window: slice, a: float, b: float) -> None:
        self.axis, self.columns, z = z, window, z[window]
        self.z, self.a, self.b = z, a, b
        # The outer segments are pieces unless the limits are samples.
        self.cut_first = a > z[0] or (z.size == 2 and b < z[1])
        self.cut_last = b < z[-1] and z.size > 2
        self.width = np.diff(z)
        self.width[:1] *= not self.cut_first
        self.width[-1:] *= not self.cut_last

    def blocks(self, value: NDArray[Any]) -> Iterator[slice]:
        """Every sample is worked on: blocks that stay in the cache."""
        return blocks(value.shape[0], self.z.size, 2 * BLOCK)

    def worker(self, value: NDArray[Any]) -> Callable[[slice], Sums]:
        """Integrate whole segments of a block of rows, and count those without a logarithm."""
        segments = self.z.size - 1
        most = min(value.shape[0], max(1, 2 * BLOCK // self.z.size))
        scratch = np.empty((2, most * segments))

        def work(block: slice) -> Sums:
            c = value[block, self.columns]
            c = c if _is_direct(c) else block_of(c, slice(None))
            rows = len(c)
            # Rows that are read from end to end, before neighbours are, come from memory sooner.
            near = 2 * self.z.size > value.shape[1] and _is_direct(value)
            lowest = float((value[block] if near else c).min())
            if np.isnan(lowest):
                if self._is_sparse(value[block]):
                    return Sums(np.full(rows, np.nan), np.zeros(rows, dtype=np.intp))
                lowest = lowest_of(c)
            mean, spare = scratch[:, : rows * segments].reshape(2, rows, segments)
            fell = means(c[:, :-1], c[:, 1:], mean, spare, log=True, lowest=lowest)
            total = dot_rows(mean, self.width)
            # Not in the pieces, which are counted below.
            begin = np.arange(0, rows * segments, segments)
            fallbacks = fell.searchsorted(begin + (segments - int(self.cut_last)))
            fallbacks -= fell.searchsorted(begin + int(self.cut_first))
            holes = np.flatnonzero(~np.isfinite(total))
            parts = [
                self._over_gaps(holes[part], value[block], mean, total, fallbacks)
                for part in blocks(holes.size, value.shape[1], 3 * BLOCK)
            ]
            return Sums(total, fallbacks, Ends.joined(parts))

        return work

    def _is_sparse(self, value: NDArray[Any]) -> bool:
        """Whether all rows are to be worked on in another way: more than half of each is missing.

        Logarithms of what is missing take longer than others.
        """
        missing = value != value  # noqa: PLR0124  # NaN only
        if 2 * np.count_nonzero(missing) <= missing.size:
            return False
        sparse = 2 * number_of(missing) > missing.shape[1]
        sparse &= missing[:, self.columns].any(axis=1)
        return bool(sparse.all())

    def _over_gaps(
        self, rows: Index, value: NDArray[Any], mean: Array, total: Array, fallbacks: Index
    ) -> Ends:
        """Put one segment over each gap."""
        rows, _, bridges = few_bridges(self.axis, (self.a, self.b), value, rows)
        measured = mean[rows]
        flat, segments = measured.reshape(-1), measured.shape[1]
        row, column = np.divmod(bridges.gaps.absent, self.axis.size)
        column -= self.columns.start
        row *= segments
        for side in (column, column - 1):  # the segments after and before
            inside = (side >= 0) & (side < segments)
            flat[(row + side)[inside]] = 0.0
        (zp, zq), (cp, cq), (u, v) = bridges.depth, bridges.value, bridges.limits
        area, fell_back = log_mean(cp, cq)
        area *= v - u
        cut = np.flatnonzero((u < v) & ((zp < u) | (v < zq)))
        if cut.size:
            ends = ((x[cut], y[cut]) for x, y in ((zp, zq), (cp, cq), (u, v)))
            area[cut], fell_back[cut] = piece(*ends, log=True)
        fell_back &= u < v
        row = bridges.gaps.row
        bridged = np.bincount(row, area, minlength=rows.size)
        total[rows] = dot_rows(measured, self.width) + bridged
        fallbacks[rows] += np.bincount(row[fell_back], minlength=rows.size)
        return Ends(rows, *bridges.ends)

    def add_cut_segments(
        self, total: Array, fallbacks: Index, value: NDArray[Any], rows: slice
    ) -> None:
        """Add the parts of the outer segments up to which, and from which, the limits reach."""
        z, last = self.z, self.z.size - 2
        cuts = []
        if self.cut_first:
            cuts.append((0, self.a, min(self.b, float(z[1]))))
        if self.cut_last:
            cuts.append((last, float(z[last]), self.b))
        if not cuts:
            return
        # Both at once: of few rows, each step takes as long for one as for two.
        segments, *limits = zip(*cuts, strict=True)
        at = np.array(segments)
        u, v = (np.array(limit)[:, None] for limit in limits)
        columns = [self.columns.start + side for side in (at, at + 1)]
        c0, c1 = (block_of(value[rows, column].T, slice(None)) for column in columns)
        areas, fell = piece((z[at, None], z[at + 1, None]), (c0, c1), (u, v), log=True)
        for area, straight in zip(areas, fell, strict=True):
            # Where a profile does not reach this far, the segment adds nothing.
            there = ~np.isnan(area)
            total[rows] += np.where(there, area, 0.0)
            fallbacks[rows] += straight & there


def piece(
    z: tuple[Any, Any], c: tuple[Array, Array], limits: tuple[Any, Any], *, log: bool
) -> tuple[Array, NDArray[np.bool_]]:
    """Integrate between limits within segments whose ends are given."""
    (c0, c1), (u, v) = c, limits
    if not log:
        # The mean of a straight line is its value in the middle.
        t = 0.5 * ((u - z[0]) + (v - z[0])) / (z[1] - z[0])
        return (c0 + t * (c1 - c0)) * (v - u), np.zeros(np.shape(c0), dtype=bool)
    at_u, at_v = (_at(limit, z, c) for limit in limits)
    # A segment that is a straight line stays one where a limit cuts it.
    straight = ~((c0 > 0) & (c1 > 0))
    mean = np.where(straight, 0.5 * (at_u + at_v), log_mean(at_u, at_v)[0])
    return mean * (v - u), straight & (c0 != c1)


def _at(limit: Any, z: tuple[Any, Any], c: tuple[Array, Array]) -> Array:
    for end, value in zip(z, c, strict=True):
        if np.all(limit == end):
            return value
    t = (limit - z[0]) / (z[1] - z[0])
    return between(*c, np.broadcast_to(t, c[0].shape), log=True)[0]
