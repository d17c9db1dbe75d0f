"""Integrals of many profiles on one axis, between the same limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.gaps import at_ends, bridgeable, few_gaps, gaps
from sims_analysis.kernels.interpolation import between
from sims_analysis.kernels.rows import BLOCK, block_of, blocks, dot_rows
from sims_analysis.kernels.segments import log_mean, means

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
    middle = 0.5 * (u + v)
    return part * ((z1 - middle) / width), part * ((middle - z0) / width)


class Sums(NamedTuple):
    """Integrals of a block of rows; NaN for those that need another way."""

    total: Array
    #: Segments without a logarithm.
    fallbacks: Index | int
    #: Rows that begin after the axis does or end before it, and the depths where.
    shorter: tuple[Index, Array, Array] | None = None


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
        # What each segment adds to the weights of the samples before it and after it.
        self.of_segments = np.zeros((2, self.z.size))
        self.of_segments[0, :-1], self.of_segments[1, 1:] = weights_of_segments(self.z, a, b)
        before = self.columns.start
        self.window = slice(window.start - before, window.stop - before)

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
            shorter = []
            for part in blocks(holes.size, self.z.size):
                some = holes[part]
                values = block_of(c, some)
                first, last, ends = at_ends(value[block][some])
                few = ~ends & few_gaps(values)
                if few.any():
                    total[some[few]] = self._bridged(values[few])
                if ends.any():
                    if not ends.all():
                        some, values = some[ends], values[ends]
                        first, last = first[ends], last[ends]
                    total[some] = self._shorter(values, first, last)
                    shorter.append((some, self.axis[first], self.axis[last]))
            return Sums(total, 0, _joined(shorter))

        return work

    def _shorter(self, c: Array, first: Index, last: Index) -> Array:
        """Integrate rows that begin or end within the axis.

        Of the weights of their outer samples, the part of the segment beyond does not count.
        """
        np.copyto(c, 0.0, where=c != c)  # noqa: PLR0124  # NaN only
        row, most = np.arange(len(c)), c.shape[1] - 1
        first, last = (np.clip(end - self.columns.start, 0, most) for end in (first, last))
        before, after = self.of_segments
        outer = c[row, first] * before[first] + c[row, last] * after[last]
        c[row, first] = c[row, last] = 0.0
        total: Array = dot_rows(c, self.weights) + outer
        return total

    def _bridged(self, c: Array) -> Array:
        """Integrate rows with gaps; NaN for those with many, or with some at the limits."""
        z, n = self.z, self.z.size
        row, column = absent = np.divmod(np.flatnonzero(c != c), n)  # noqa: PLR0124  # NaN only
        possible = bridgeable(row, column, c.shape, self.window)
        row, p, q = found = gaps(row, column, n)
        cp, cq = (c[end] for end in found.ends)
        # One segment over the gap, in place of the halves beside it that the weights count.
        bridge = (cp + cq) * (z[q] - z[p]) - cp * (z[p + 1] - z[p]) - cq * (z[q] - z[q - 1])
        bridge *= (p > self.window.start) & (q < self.window.stop - 1)
        c[absent] = 0.0
        total = dot_rows(c, self.weights) + np.bincount(row, 0.5 * bridge, minlength=len(c))
        return np.where(possible, total, np.nan)

    def add_cut_segments(
        self, total: Array, fallbacks: Index, value: NDArray[Any], rows: slice
    ) -> None:
        """Do nothing: the weights count them."""


def _joined(parts: list[tuple[Index, Array, Array]]) -> tuple[Index, Array, Array] | None:
    if len(parts) < 2:
        return parts[0] if parts else None
    row, first, last = zip(*parts, strict=True)
    return np.concatenate(row), np.concatenate(first), np.concatenate(last)


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
            mean, spare = scratch[:, : rows * segments].reshape(2, rows, segments)
            fell = means(c[:, :-1], c[:, 1:], mean, spare, log=True, lowest=lowest)
            total = dot_rows(mean, self.width)
            fallbacks = np.zeros(rows, dtype=np.intp)
            if fell.size:
                row, column = np.divmod(fell, segments)
                # Not the pieces, which are counted below.
                whole = (column >= int(self.cut_first)) & (column < segments - int(self.cut_last))
                fallbacks += np.bincount(row[whole], minlength=rows)
            holes = np.flatnonzero(~np.isfinite(total))
            shorter = []
            for part in blocks(holes.size, value.shape[1], BLOCK // 2):
                some = holes[part]
                first, last, ends = at_ends(value[block][some])
                few = some[~ends & few_gaps(c[some])]
                if few.size:
                    self._bridge(total, fallbacks, c, mean, few)
                some, first, last = some[ends], first[ends], last[ends]
                if some.size:
                    absent = np.isnan(c[some])  # what is infinite must show
                    measured = mean[some]
                    np.copyto(measured, 0.0, where=absent[:, :-1] | absent[:, 1:])
                    total[some] = dot_rows(measured, self.width)
                    shorter.append((some, self.axis[first], self.axis[last]))
            return Sums(total, fallbacks, _joined(shorter))

        return work

    def _bridge(
        self, total: Array, fallbacks: Index, c: Array, of_rows: Array, holes: Index
    ) -> None:
        """Put one segment over each gap, where the gaps are few and not at the ends of a row."""
        z, m = self.z, self.z.size
        values = c[holes]
        row, column = np.divmod(np.flatnonzero(values != values), m)  # noqa: PLR0124  # NaN only
        possible = bridgeable(row, column, values.shape, slice(0, m))
        measured = of_rows[holes]
        measured[row, np.minimum(column, m - 2)] = measured[row, np.maximum(column - 1, 0)] = 0.0
        row, p, q = found = gaps(row, column, m)
        mean, fell_back = log_mean(*(values[end] for end in found.ends))
        bridged = np.bincount(row, mean * (z[q] - z[p]), minlength=holes.size)
        total[holes] = np.where(possible, dot_rows(measured, self.width) + bridged, np.nan)
        fallbacks[holes] += np.bincount(row[fell_back], minlength=holes.size)

    def add_cut_segments(
        self, total: Array, fallbacks: Index, value: NDArray[Any], rows: slice
    ) -> None:
        """Add the parts of the outer segments up to which, and from which, the limits reach."""
        z = self.z
        cuts = []
        if self.cut_first:
            cuts.append((0, self.a, min(self.b, float(z[1]))))
        if self.cut_last:
            cuts.append((z.size - 2, float(z[-2]), self.b))
        for i, u, v in cuts:
            column = self.columns.start + i
            c0, c1 = (block_of(value[rows, j], slice(None)) for j in (column, column + 1))
            area, fell = piece((z[i], z[i + 1]), (c0, c1), (u, v), log=True)
            # Where a profile does not reach this far, the segment adds nothing.
            there = ~np.isnan(area)
            total[rows] += np.where(there, area, 0.0)
            fallbacks[rows] += fell & there


def piece(
    z: tuple[Any, Any], c: tuple[Array, Array], limits: tuple[Any, Any], *, log: bool
) -> tuple[Array, NDArray[np.bool_]]:
    """Integrate between limits within segments whose ends are given."""
    (c0, c1), (u, v) = c, limits
    if not log:
        # The mean of a straight line is its value in the middle.
        t = (0.5 * (u + v) - z[0]) / (z[1] - z[0])
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
