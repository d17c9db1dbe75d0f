"""Profiles as the kernels see them: rows of measured samples, in one of two layouts.

:class:`Dense` rows lie on one axis, and every sample was measured. :class:`Packed` rows have their
measured samples end to end. Both answer to the same names, so that most formulas are written once:
what belongs to a sample has the shape of ``rows.value``, what belongs to a row has shape ``(R,)``,
and ``rows.repeat(of_row)`` broadcasts the one to the other. Nothing here is NaN because it was not
measured: such samples were left out when the rows were made (:func:`layouts`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "TOLERANCE",
    "Array",
    "Dense",
    "Flags",
    "Index",
    "InfiniteSampleError",
    "Packed",
    "Rows",
    "Status",
    "blocks",
    "dot_rows",
    "errors_of",
    "layouts",
    "range_sums",
]

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Flags = NDArray[np.bool_]

#: Samples that are worked on at a time: scratch arrays of this size stay in the processor's cache.
BLOCK = 1 << 18

#: Depths closer than this part of the record are the same: unit conversions round.
TOLERANCE = 1e-9


class Status(IntEnum):
    """What is known of an answer; ``vocabulary.STATUS`` has the words."""

    OK = 0
    NO_DATA = 1
    NEVER_REACHED = 2
    ALWAYS_ABOVE = 3
    BELOW_DETECTION = 4
    TRUNCATED = 5
    #: A place that no answer belongs to, because other profiles have more of them.
    PADDING = 6
    NO_OVERLAP = 7
    #: There is an answer, but the samples do not show where within the record.
    UNDETERMINED = 8


@dataclass(frozen=True)
class _Samples:
    """What both layouts have.

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
        """Flat segments that would join one row to the next."""
        inner = self.start[1:-1]
        return np.unique(inner[(inner > 0) & (inner < self.start[-1])]) - 1

    def first(self) -> Array:
        """Depth of the first sample of each row; NaN where there is none."""
        return self._ends(self.start[:-1])

    def last(self) -> Array:
        """Depth of the last sample of each row; NaN where there is none."""
        return self._ends(self.start[1:] - 1)

    def _ends(self, position: Index) -> Array:
        ends = np.full(self.count, np.nan)
        some = self.size > 0
        ends[some] = self.depth_at(position[some])
        return ends

    def depth_at(self, position: Index) -> Array:
        """Depths of samples by their flat positions."""
        raise NotImplementedError

    def value_at(self, position: Index) -> Array:
        """Values of samples by their flat positions."""
        found: Array = self.value.reshape(-1)[position]
        return found


@dataclass(frozen=True)
class Dense(_Samples):
    """Rows on one axis, every sample measured.

    Parameters
    ----------
    depth : ndarray, shape (n,)
    value : ndarray, shape (R, n)
        Contiguous.
    stderr : ndarray, shape (R, n), optional
        Standard errors of the values, NaN where one is not known.
    """

    start: Index = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", np.arange(len(self.value) + 1) * self.depth.size)

    def depth_at(self, position: Index) -> Array:
        """Depths of samples by their flat positions."""
        found: Array = self.depth[position % max(self.depth.size, 1)]
        return found

    def around(self, row: Index, a: Array, b: Array) -> tuple[Index, Index]:
        """Find, in some rows, the last sample not below `a` and the first not above `b`.

        Parameters
        ----------
        row : ndarray of int, shape (K,)
        a, b : ndarray, shape (K,)
            Within the samples of the row.

        Returns
        -------
        before, after : ndarray of int, shape (K,)
            Flat positions.
        """
        begin, n = row * self.depth.size, self.depth.size
        before = np.minimum(self.depth.searchsorted(a, side="right") - 1, n - 2)
        return begin + before, begin + np.maximum(self.depth.searchsorted(b), 1)

    def alike(self, *of_rows: Array) -> bool:
        """Whether parameters are the same for all rows, of which there are some."""
        return self.count > 0 and all((p == p[0]).all() or np.isnan(p).all() for p in of_rows)

    def repeat(self, of_rows: NDArray[Any]) -> Any:
        """Broadcast what each row has to its samples."""
        return of_rows[:, None]

    def sum(self, samples: Array, weights: Array | None = None) -> Array:
        """Sum over the samples of each row, with weights if there are any."""
        samples = np.broadcast_to(samples, self.value.shape)
        return dot_rows(samples, np.ones(self.depth.size) if weights is None else weights)

    def extreme(self, of: np.ufunc, samples: Array, none: float = np.nan) -> Array:
        """Return the largest (``np.maximum``) or smallest sample of each row; `none` if empty."""
        if samples.shape[-1] == 0:
            return np.full(self.count, none)
        found: Array = of.reduce(samples, axis=-1)
        return found

    def keep(self, kept: Flags) -> Packed:
        """Keep the samples that are marked."""
        return self.packed().keep(np.broadcast_to(kept, self.value.shape).reshape(-1))

    def within(self, start: Array, stop: Array) -> Rows:
        """Keep the samples from `start` to `stop` of each row; NaN is the row's own end."""
        if not self.alike(start, stop):
            return self.keep(~((self.depth < start[:, None]) | (self.depth > stop[:, None])))
        inside = np.flatnonzero(~((self.depth < start[0]) | (self.depth > stop[0])))
        run = slice(*(inside[[0, -1]] + [0, 1])) if inside.size else slice(0)
        stderr = None if self.stderr is None else np.ascontiguousarray(self.stderr[:, run])
        return Dense(self.depth[run], np.ascontiguousarray(self.value[:, run]), stderr)

    def packed(self) -> Packed:
        """Lay the samples end to end."""
        stderr = None if self.stderr is None else self.stderr.reshape(-1)
        depth, value = np.tile(self.depth, self.count), self.value.reshape(-1)
        return Packed(depth, value, stderr, start=self.start, width=self.depth.size)

    def unpacked(self, samples: Array) -> Array:
        """Return what belongs to the samples as an array over all places, ``(R, n)``."""
        return np.broadcast_to(samples, self.value.shape)


@dataclass(frozen=True)
class Packed(_Samples):
    """Measured samples of rows, end to end.

    Parameters
    ----------
    depth, value : ndarray, shape (N,)
    stderr : ndarray, shape (N,), optional
    start : ndarray of int, shape (R + 1,)
        ``start[r]`` to ``start[r + 1]`` are the samples of row ``r``.
    place : ndarray of int, shape (N,), optional
        Where each sample stood in an array ``(R, width)``; by default all of them were there.
    width : int
    """

    place: Index | None = None
    width: int = 0

    def depth_at(self, position: Index) -> Array:
        """Depths of samples by their positions."""
        found: Array = self.depth[position]
        return found

    def around(self, row: Index, a: Array, b: Array) -> tuple[Index, Index]:
        """Find samples around depths, as :meth:`Dense.around` does."""
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

    def repeat(self, of_rows: NDArray[Any]) -> Any:
        """Broadcast what each row has to its samples."""
        return np.repeat(of_rows, self.size)

    def sum(self, samples: Array, weights: Array | None = None) -> Array:
        """Sum over the samples of each row; 0 for a row without any."""
        return self.extreme(np.add, samples if weights is None else samples * weights, 0.0)

    def extreme(self, of: np.ufunc, samples: Array, none: float = np.nan) -> Array:
        """Return the largest (``np.maximum``) or smallest sample of each row; `none` if empty."""
        found = np.full(self.count, none)
        some = np.flatnonzero(self.size)
        if some.size:
            found[some] = of.reduceat(samples, self.start[some])
        return found

    def keep(self, kept: Flags) -> Packed:
        """Keep the samples that are marked."""
        start = np.zeros(self.count + 1, dtype=np.intp)
        np.cumsum(np.bincount(self.row[kept], minlength=self.count), out=start[1:])
        stderr = None if self.stderr is None else self.stderr[kept]
        place = np.flatnonzero(kept) if self.place is None else self.place[kept]
        depth, value = self.depth[kept], self.value[kept]
        return Packed(depth, value, stderr, start=start, place=place, width=self.width)

    def within(self, start: Array, stop: Array) -> Rows:
        """Keep the samples from `start` to `stop` of each row; NaN is the row's own end."""
        if np.isnan(start).all() and np.isnan(stop).all():
            return self
        outside = (self.depth < self.repeat(start)) | (self.depth > self.repeat(stop))
        return self.keep(~outside)

    def packed(self) -> Packed:
        """Lay the samples end to end: they do."""
        return self

    def unpacked(self, samples: Array) -> Array:
        """Return what belongs to the samples as an array over all places, ``(R, width)``.

        NaN where there is no sample.
        """
        if self.place is None:
            return samples.reshape(self.count, self.width)
        found = np.full(self.count * self.width, np.nan)
        found[self.place] = samples
        return found.reshape(self.count, self.width)


#: Rows in either layout.
Rows = Dense | Packed


def errors_of(rows: Rows) -> Array:
    """Return the standard errors of rows that must have them."""
    if rows.stderr is None:
        raise ValueError("these rows have no standard errors")
    return rows.stderr


def layouts(
    depth: Array, value: Array, stderr: Array | None = None, *, group: int = 1
) -> Iterator[tuple[slice | Index, Rows]]:
    """Lay out rows: complete ones on a shared axis as :class:`Dense`, others as :class:`Packed`.

    Parameters
    ----------
    depth : ndarray, shape (n,) or (R, n)
        NaN beyond the samples of a row that is shorter than others.
    value : ndarray, shape (R, n)
        NaN where nothing was measured.
    stderr : ndarray, shape (R, n), optional
    group : int
        So many rows one after the other belong together, and are laid out alike.

    Yields
    ------
    index : slice or ndarray of int
        Which rows.
    rows : Dense or Packed

    Raises
    ------
    InfiniteSampleError
    """
    # Zero times NaN or infinity is NaN: one pass at the speed of the memory.
    with np.errstate(invalid="ignore"):
        doubtful = np.isnan(dot_rows(value, np.zeros(value.shape[1])))
    if depth.ndim > 1:
        doubtful[:] = True
    if not doubtful.any():
        yield slice(None), Dense(depth, value, stderr)
        return
    doubtful = np.repeat(doubtful.reshape(-1, group).any(axis=1), group)
    if doubtful.all():
        yield slice(None), _packed(depth, value, stderr, np.arange(len(value)))
        return
    complete, rest = np.flatnonzero(~doubtful), np.flatnonzero(doubtful)
    errors = [None if stderr is None else stderr[some] for some in (complete, rest)]
    yield complete, Dense(depth, value[complete], errors[0])
    yield rest, _packed(depth, value[rest], errors[1], rest)


class InfiniteSampleError(Exception):
    """A sample is infinite, and no answer can rest on it.

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
    """Lay the measured samples of ``value (R, n)`` end to end; `index` numbers the rows."""
    width = value.shape[1]
    measured = ~np.isnan(value)
    if depth.ndim > 1:
        measured &= ~np.isnan(depth)
    axes, values = np.broadcast_to(depth, value.shape).reshape(-1), value.reshape(-1)
    errors = None if stderr is None else stderr.reshape(-1)
    start, kept = np.arange(len(value) + 1) * width, None
    if not measured.all():
        kept = np.flatnonzero(measured)  # taking by number is twice as fast as by flag
        axes, values, start = axes.take(kept), values.take(kept), kept.searchsorted(start)
        errors = None if errors is None else errors.take(kept)
    for what, samples in (("value", values), ("depth", axes[: axes.size * (depth.ndim > 1)])):
        infinite = np.flatnonzero(np.isinf(samples))
        if infinite.size:
            place = infinite[0] if kept is None else kept[infinite[0]]
            row, sample = divmod(int(place), width)
            raise InfiniteSampleError(int(index[row]), sample, what, float(samples[infinite[0]]))
    return Packed(axes, values, errors, start=start, place=kept, width=width)


def range_sums(samples: Array, begin: Index, end: Index) -> Array:
    """Sum samples from `begin` up to `end`, the latter excluded, for each pair of these."""
    edges = np.stack([begin, end], axis=-1)
    if edges.max(initial=0) >= samples.size:  # reduceat takes no end beyond the last sample
        samples = np.append(samples, 0.0)
    # Every other sum is of what lies between the ranges.
    found: Array = np.add.reduceat(samples, edges.reshape(-1))[::2]
    return np.where(begin < end, found, 0.0)


def dot_rows(value: Array, weights: Array) -> Array:
    """Weighted sum of each row of ``(R, n)``; one set of weights, or one for each row.

    Each row by itself, so that neither chunks nor order change a bit; and in pieces that BLAS
    does not share out to threads, so that the number of processors changes none either.
    """
    total: Array = np.vecdot(value[:, :_PIECE], weights[..., :_PIECE])
    for begin in range(_PIECE, value.shape[1], _PIECE):
        piece = slice(begin, begin + _PIECE)
        total = total + np.vecdot(value[:, piece], weights[..., piece])
    return total


_PIECE = 8192


def blocks(rows: int, n: int, size: int = BLOCK, group: int = 1) -> Iterator[slice]:
    """Cut the rows into blocks of about `size` samples, and at least one group of rows."""
    step = group * max(1, size // max(n * group, 1))
    for begin in range(0, rows, step):
        yield slice(begin, min(begin + step, rows))
