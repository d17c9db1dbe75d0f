"""Profiles as the kernels see them: rows of measured samples, in one of two layouts.

:class:`Dense` rows share one depth axis and have no missing samples. :class:`Packed` rows hold
their measured samples end to end. Both have the same interface, so that most formulas are written
once: a quantity per sample has the shape of ``rows.value``, a quantity per row has shape ``(R,)``,
and ``rows.repeat(per_row)`` broadcasts the latter to the former. No value is NaN: missing samples
were dropped when the rows were built (:func:`layouts`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "TOLERANCE",
    "Array",
    "Dense",
    "Ends",
    "Flags",
    "Index",
    "InfiniteSampleError",
    "Packed",
    "Rows",
    "Status",
    "dot_rows",
    "ends",
    "errors_of",
    "in_blocks",
    "layouts",
    "range_sums",
]

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Flags = NDArray[np.bool_]

#: Samples processed at a time: scratch arrays of this size fit in the processor's cache.
BLOCK = 1 << 18

#: Depths closer than this fraction of the record are equal: unit conversions round.
TOLERANCE = 1e-9


class Status(IntEnum):
    """Outcome of a computation; ``vocabulary.STATUS`` has the words."""

    OK = 0
    NO_DATA = 1
    NEVER_REACHED = 2
    ALWAYS_ABOVE = 3
    BELOW_DETECTION = 4
    TRUNCATED = 5
    #: An empty entry: other profiles have more results than this one.
    PADDING = 6
    NO_OVERLAP = 7
    #: A result exists, but the data do not locate it within the record.
    UNDETERMINED = 8


@dataclass(frozen=True)
class _Samples(ABC):
    """The common part of both layouts.

    Parameters
    ----------
    depth, value, stderr : ndarray
    start : ndarray of int, shape (R + 1,)
        Flat position of the first sample of each row, and the end of the last.
    """

    depth: Array
    value: Array
    stderr: Array | None = None
    start: Index = field(kw_only=True)

    @property
    def count(self) -> int:
        """Number of rows."""
        return self.start.size - 1

    @cached_property
    def size(self) -> Index:
        """Number of samples of each row, shape (R,)."""
        return np.diff(self.start)

    @cached_property
    def row(self) -> Index:
        """The row of every sample, flat."""
        return np.repeat(np.arange(self.count), self.size)

    @cached_property
    def seams(self) -> Index:
        """Flat indices of the segments between the last sample of one row and the next row."""
        inner = self.start[1:-1]
        return np.unique(inner[(inner > 0) & (inner < self.start[-1])]) - 1

    def first(self) -> Array:
        """Depth of the first sample of each row; NaN for an empty row."""
        return self._ends(self.start[:-1])

    def last(self) -> Array:
        """Depth of the last sample of each row; NaN for an empty row."""
        return self._ends(self.start[1:] - 1)

    def _ends(self, position: Index) -> Array:
        ends = np.full(self.count, np.nan)
        nonempty = self.size > 0
        ends[nonempty] = self.depth_at(position[nonempty])
        return ends

    @abstractmethod
    def depth_at(self, position: Index) -> Array:
        """Depths of the samples at flat positions."""

    def value_at(self, position: Index) -> Array:
        """Values of the samples at flat positions."""
        found: Array = self.value.reshape(-1)[position]
        return found


@dataclass(frozen=True)
class Dense(_Samples):
    """Rows on one depth axis, without missing samples.

    Parameters
    ----------
    depth : ndarray, shape (n,)
    value : ndarray, shape (R, n)
        Contiguous.
    stderr : ndarray, shape (R, n), optional
        Standard errors of the values; NaN where unknown.
    """

    start: Index = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", np.arange(len(self.value) + 1) * self.depth.size)

    def depth_at(self, position: Index) -> Array:
        """Depths of the samples at flat positions."""
        found: Array = self.depth[position % max(self.depth.size, 1)]
        return found

    def around(self, row: Index, a: Array, b: Array) -> tuple[Index, Index]:
        """Find, in the given rows, the last sample at or above `a` and the first at or below `b`.

        Parameters
        ----------
        row : ndarray of int, shape (K,)
        a, b : ndarray, shape (K,)
            Depths within the samples of the row.

        Returns
        -------
        before, after : ndarray of int, shape (K,)
            Flat positions.
        """
        begin, n = row * self.depth.size, self.depth.size
        before = np.minimum(self.depth.searchsorted(a, side="right") - 1, n - 2)
        return begin + before, begin + np.maximum(self.depth.searchsorted(b), 1)

    def alike(self, *per_row: Array) -> bool:
        """Whether there are rows, and each parameter is the same for all of them."""
        return self.count > 0 and all((p == p[0]).all() or np.isnan(p).all() for p in per_row)

    def repeat(self, per_row: NDArray[Any]) -> Any:
        """Give one value per row a shape that broadcasts to its samples: ``(R, 1)``."""
        return per_row[:, None]

    def sum(self, samples: Array, weights: Array | None = None) -> Array:
        """Sum over the samples of each row, optionally weighted."""
        samples = np.broadcast_to(samples, self.value.shape)
        return dot_rows(samples, np.ones(self.depth.size) if weights is None else weights)

    def extreme(self, ufunc: np.ufunc, samples: Array, empty: float = np.nan) -> Array:
        """Return the largest (``np.maximum``) or smallest sample of each row; `empty` if none."""
        if samples.shape[-1] == 0:
            return np.full(self.count, empty)
        found: Array = ufunc.reduce(samples, axis=-1)
        return found

    def keep(self, mask: Flags) -> Packed:
        """Keep the samples selected by a mask."""
        return self.packed().keep(np.broadcast_to(mask, self.value.shape).reshape(-1))

    def within(self, start: Array, stop: Array) -> Rows:
        """Keep the samples from `start` to `stop` of each row; NaN means no limit."""
        if not self.alike(start, stop):
            return self.keep(~((self.depth < start[:, None]) | (self.depth > stop[:, None])))
        inside = np.flatnonzero(~((self.depth < start[0]) | (self.depth > stop[0])))
        window = slice(*(inside[[0, -1]] + [0, 1])) if inside.size else slice(0)
        stderr = None if self.stderr is None else np.ascontiguousarray(self.stderr[:, window])
        return Dense(self.depth[window], np.ascontiguousarray(self.value[:, window]), stderr)

    def packed(self) -> Packed:
        """Return the same rows in the packed layout."""
        stderr = None if self.stderr is None else self.stderr.reshape(-1)
        depth, value = np.tile(self.depth, self.count), self.value.reshape(-1)
        return Packed(depth, value, stderr, start=self.start, width=self.depth.size)

    def unpacked(self, samples: Array) -> Array:
        """Return one value per sample as an array ``(R, n)``."""
        return np.broadcast_to(samples, self.value.shape)


@dataclass(frozen=True)
class Packed(_Samples):
    """The measured samples of all rows, end to end.

    Parameters
    ----------
    depth, value : ndarray, shape (N,)
    stderr : ndarray, shape (N,), optional
    start : ndarray of int, shape (R + 1,)
        Row ``r`` has the samples ``start[r]:start[r + 1]``.
    source : ndarray of int, shape (N,), optional
        Flat index of each sample in the original array ``(R, width)``; None if it had no gaps.
    width : int
    """

    source: Index | None = None
    width: int = 0

    def depth_at(self, position: Index) -> Array:
        """Depths of the samples at flat positions."""
        found: Array = self.depth[position]
        return found

    def around(self, row: Index, a: Array, b: Array) -> tuple[Index, Index]:
        """Find the samples around two depths, as :meth:`Dense.around` does."""
        begin, end = self.start[row], self.start[row + 1]
        before = self._search(begin, end, a, np.less_equal) - 1
        after = self._search(begin, end, b, np.less)
        return np.minimum(before, end - 2), np.maximum(after, begin + 1)

    def _search(self, begin: Index, end: Index, at: Array, deeper: np.ufunc) -> Index:
        """Bisect all rows at once."""
        low, high = begin, end
        for _ in range(int((end - begin).max(initial=0)).bit_length()):
            middle = (low + high) // 2
            right = deeper(self.depth[np.minimum(middle, self.depth.size - 1)], at)
            right &= low < high
            low, high = np.where(right, middle + 1, low), np.where(right, high, middle)
        return low

    def repeat(self, per_row: NDArray[Any]) -> Any:
        """Broadcast one value per row to its samples."""
        return np.repeat(per_row, self.size)

    def sum(self, samples: Array, weights: Array | None = None) -> Array:
        """Sum over the samples of each row; 0 for an empty row."""
        return self.extreme(np.add, samples if weights is None else samples * weights, 0.0)

    def extreme(self, ufunc: np.ufunc, samples: Array, empty: float = np.nan) -> Array:
        """Return the largest (``np.maximum``) or smallest sample of each row; `empty` if none."""
        found = np.full(self.count, empty)
        nonempty = np.flatnonzero(self.size)
        if nonempty.size:
            found[nonempty] = ufunc.reduceat(samples, self.start[nonempty])
        return found

    def keep(self, mask: Flags) -> Packed:
        """Keep the samples selected by a mask."""
        start = np.zeros(self.count + 1, dtype=np.intp)
        np.cumsum(np.bincount(self.row[mask], minlength=self.count), out=start[1:])
        stderr = None if self.stderr is None else self.stderr[mask]
        source = np.flatnonzero(mask) if self.source is None else self.source[mask]
        depth, value = self.depth[mask], self.value[mask]
        return Packed(depth, value, stderr, start=start, source=source, width=self.width)

    def within(self, start: Array, stop: Array) -> Rows:
        """Keep the samples from `start` to `stop` of each row; NaN means no limit."""
        if np.isnan(start).all() and np.isnan(stop).all():
            return self
        outside = (self.depth < self.repeat(start)) | (self.depth > self.repeat(stop))
        return self.keep(~outside)

    def packed(self) -> Packed:
        """Return the rows themselves."""
        return self

    def unpacked(self, samples: Array) -> Array:
        """Return one value per sample as an array ``(R, width)``, with NaN in the gaps."""
        if self.source is None:
            return samples.reshape(self.count, self.width)
        found = np.full(self.count * self.width, np.nan)
        found[self.source] = samples
        return found.reshape(self.count, self.width)


#: Rows in either layout.
Rows = Dense | Packed


def errors_of(rows: Rows) -> Array:
    """Return the standard errors of the samples; raise if there are none."""
    if rows.stderr is None:
        raise ValueError("these rows have no standard errors")
    return rows.stderr


class Ends(NamedTuple):
    """Depths of the first and last sample of each row, and the first value; (R,).

    NaN for an empty row.
    """

    first: Array
    last: Array
    first_value: Array


def ends(rows: Rows) -> Ends:
    """Return the depth range over which each row was measured, and the value where it begins."""
    value = np.full(rows.count, np.nan)
    nonempty = np.flatnonzero(rows.size)
    value[nonempty] = rows.value_at(rows.start[nonempty])
    return Ends(rows.first(), rows.last(), value)


def layouts(
    depth: Array, value: Array, stderr: Array | None = None, *, group: int = 1
) -> Iterator[tuple[slice | Index, Rows]]:
    """Build rows: complete ones on a shared axis as :class:`Dense`, others as :class:`Packed`.

    Parameters
    ----------
    depth : ndarray, shape (n,) or (R, n)
        NaN after the last sample of a shorter row.
    value : ndarray, shape (R, n)
        NaN for missing samples.
    stderr : ndarray, shape (R, n), optional
    group : int
        Number of consecutive rows that belong together and get the same layout.

    Yields
    ------
    index : slice or ndarray of int
        Indices of the rows.
    rows : Dense or Packed

    Raises
    ------
    InfiniteSampleError
    """
    # Zero times NaN or infinity is NaN: one pass at memory speed finds both.
    with np.errstate(invalid="ignore"):
        incomplete = np.isnan(dot_rows(value, np.zeros(value.shape[1])))
    if depth.ndim > 1:
        incomplete[:] = True
    if not incomplete.any():
        yield slice(None), Dense(depth, value, stderr)
        return
    incomplete = np.repeat(incomplete.reshape(-1, group).any(axis=1), group)
    if incomplete.all():
        yield slice(None), _packed(depth, value, stderr, np.arange(len(value)))
        return
    complete, rest = np.flatnonzero(~incomplete), np.flatnonzero(incomplete)
    errors = [None if stderr is None else stderr[index] for index in (complete, rest)]
    yield complete, Dense(depth, value[complete], errors[0])
    yield rest, _packed(depth, value[rest], errors[1], rest)


class InfiniteSampleError(Exception):
    """A value or a depth is infinite.

    Parameters
    ----------
    row, sample : int
    what : {"value", "depth"}
    number : float
    """

    def __init__(self, row: int, sample: int, what: str, number: float) -> None:
        super().__init__(row, sample, what, number)
        self.row, self.sample, self.what, self.number = row, sample, what, number


def _packed(depth: Array, value: Array, stderr: Array | None, index: Index) -> Packed:
    """Pack the measured samples of ``value (R, n)``; `index` numbers the rows in errors."""
    width = value.shape[1]
    measured = ~np.isnan(value)
    if depth.ndim > 1:
        measured &= ~np.isnan(depth)
    axes, values = np.broadcast_to(depth, value.shape).reshape(-1), value.reshape(-1)
    errors = None if stderr is None else stderr.reshape(-1)
    start, kept = np.arange(len(value) + 1) * width, None
    if not measured.all():
        kept = np.flatnonzero(measured)  # indexing by position is twice as fast as by mask
        axes, values, start = axes.take(kept), values.take(kept), kept.searchsorted(start)
        errors = None if errors is None else errors.take(kept)
    for what, samples in (("value", values), ("depth", axes[: axes.size * (depth.ndim > 1)])):
        infinite = np.flatnonzero(np.isinf(samples))
        if infinite.size:
            position = infinite[0] if kept is None else kept[infinite[0]]
            row, sample = divmod(int(position), width)
            raise InfiniteSampleError(int(index[row]), sample, what, float(samples[infinite[0]]))
    return Packed(axes, values, errors, start=start, source=kept, width=width)


def range_sums(samples: Array, begin: Index, end: Index) -> Array:
    """Return ``samples[begin:end].sum()`` for each pair of `begin` and `end`."""
    edges = np.stack([begin, end], axis=-1)
    if edges.max(initial=0) >= samples.size:  # reduceat refuses an index past the last sample
        samples = np.append(samples, 0.0)
    # Every second sum is over the samples between two ranges.
    found: Array = np.add.reduceat(samples, edges.reshape(-1))[::2]
    return np.where(begin < end, found, 0.0)


def dot_rows(value: Array, weights: Array) -> Array:
    """Weighted sum of each row of ``(R, n)``, with common weights or weights for each row.

    Rows are summed separately, so that the result does not depend on chunks or on the order of
    rows; and in pieces too short for BLAS to use threads, so that it does not depend on the number
    of processors.
    """
    total: Array = np.vecdot(value[:, :_PIECE], weights[..., :_PIECE])
    for begin in range(_PIECE, value.shape[1], _PIECE):
        piece = slice(begin, begin + _PIECE)
        total = total + np.vecdot(value[:, piece], weights[..., piece])
    return total


_PIECE = 8192


def in_blocks(rows: int, n: int, size: int = BLOCK, group: int = 1) -> Iterator[slice]:
    """Split the rows into blocks of about `size` samples, but at least one group of rows."""
    step = group * max(1, size // max(n * group, 1))
    for begin in range(0, rows, step):
        yield slice(begin, min(begin + step, rows))
