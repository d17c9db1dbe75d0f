"""Many profiles laid end to end, without the gaps: what kernels work on when axes differ."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "BLOCK",
    "Layout",
    "Rows",
    "Whole",
    "block_of",
    "blocks",
    "compress",
    "compress_flat",
    "dot_rows",
    "few",
    "first_of_each",
    "flat_rows",
    "increases",
    "parted",
    "per_row",
    "precision",
    "run_of",
    "taken",
]

Array = NDArray[np.float64]
Index = NDArray[np.intp]

#: Samples worked on at a time: scratch arrays of this size stay in the processor's cache.
BLOCK = 1 << 16


@dataclass(frozen=True)
class Rows:
    """Samples of `count` profiles, end to end.

    ``start[r]`` to ``start[r + 1]`` are the samples of row ``r``.
    """

    depth: Array
    value: Array
    start: Index
    #: Where they were taken from, if others were left out.
    kept: Index | None = None

    def beside(self, column: NDArray[Any]) -> NDArray[Any]:
        """Take from a block what stands beside the samples: their errors, their counts."""
        flat = column.reshape(-1)
        return flat if self.kept is None else flat.take(self.kept)

    @property
    def count(self) -> int:
        """Number of rows."""
        return self.start.size - 1

    @cached_property
    def size(self) -> Index:
        """Number of samples of each row."""
        return np.diff(self.start)

    @cached_property
    def row(self) -> Index:
        """The row of every sample."""
        return np.repeat(np.arange(self.count), self.size)

    @property
    def seams(self) -> Index:
        """Positions of the segments that would join one row to the next."""
        inner = self.start[1:-1]
        return np.unique(inner[(inner > 0) & (inner < self.depth.size)]) - 1

    def first(self) -> Array:
        """Depth of the first sample of each row; NaN for a row without samples."""
        return self._ends(self.start[:-1])

    def last(self) -> Array:
        """Depth of the last sample of each row; NaN for a row without samples."""
        return self._ends(self.start[1:] - 1)

    def _ends(self, position: Index) -> Array:
        ends = np.full(self.count, np.nan)
        some = self.size > 0
        ends[some] = self.depth[position[some]]
        return ends

    def spread(self, of_rows: NDArray[Any]) -> Any:
        """Give each sample what its row has."""
        return np.repeat(of_rows, self.size)

    def some(self, flags: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Tell the rows in which a sample is marked."""
        found: NDArray[np.bool_] = np.bincount(self.row[flags], minlength=self.count) > 0
        return found

    def beside_any(self, flags: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Mark the samples that are marked, and those next to them."""
        found, same = flags.copy(), self.row[1:] == self.row[:-1]
        found[1:] |= flags[:-1] & same
        found[:-1] |= flags[1:] & same
        return found

    def extreme(self, of: np.ufunc, samples: Array, none: float = np.nan) -> Array:
        """Give the largest, or the smallest, of the samples of each row."""
        found = np.full(self.count, none)
        some = np.flatnonzero(self.size)
        if some.size:
            found[some] = of.reduceat(samples, self.start[some])
        return found

    def sum(self, samples: Array) -> Array:
        """Sum over the samples of each row; 0 for a row without samples."""
        total = np.zeros(self.count)
        some = np.flatnonzero(self.size)
        if some.size:
            total[some] = np.add.reduceat(samples, self.start[some])
        return total

    def dot(self, samples: Array, others: Array) -> Array:
        """Sum the products over the samples of each row."""
        return self.sum(samples * others)


@dataclass(frozen=True)
class Whole:
    """Rows ``(R, n)`` without gaps, on one axis: what they answer to is as for :class:`Rows`."""

    depth: Array
    value: Array

    @property
    def count(self) -> int:
        """Number of rows."""
        return len(self.value)

    def spread(self, of_rows: NDArray[Any]) -> Any:
        """Give each sample what its row has."""
        return of_rows[:, None]

    def some(self, flags: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Tell the rows in which a sample is marked."""
        found: NDArray[np.bool_] = np.logical_or.reduce(flags, axis=1)
        return found

    def beside_any(self, flags: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Mark the samples that are marked, and those next to them."""
        found = flags.copy()
        found[:, 1:] |= flags[:, :-1]
        found[:, :-1] |= flags[:, 1:]
        return found

    def extreme(self, of: np.ufunc, samples: Array, none: float = np.nan) -> Array:
        """Give the largest, or the smallest, of the samples of each row."""
        found: Array = of.reduce(samples, axis=1, initial=none)
        return found

    def sum(self, samples: Array) -> Array:
        """Sum over the samples of each row."""
        if samples.shape != self.value.shape:  # the same for all of them
            samples = np.broadcast_to(samples, self.value.shape)
        return dot_rows(samples, np.ones(samples.shape[1]))

    def dot(self, samples: Array, others: Array) -> Array:
        """Sum the products over the samples of each row; one side may be the same for all."""
        return dot_rows(samples, others)


#: Rows in either layout.
Layout = Rows | Whole


def compress_flat(rows: Rows, value: Array, keep: NDArray[np.bool_]) -> Rows:
    """Keep some of the samples of end-to-end rows."""
    start = np.zeros(rows.count + 1, dtype=np.intp)
    np.cumsum(np.bincount(rows.row[keep], minlength=rows.count), out=start[1:])
    return Rows(rows.depth[keep], value[keep], start)


def first_of_each(row: Index) -> tuple[Index, Index]:
    """Give the rows that occur in a list in their order, and where each occurs first."""
    first = np.flatnonzero(np.diff(row, prepend=-1))
    return row[first], first


def compress(depth: Array, value: Array) -> Rows:
    """Lay the rows of ``value (R, n)`` end to end, leaving out what was not measured."""
    rows, n = value.shape
    # A comparison with itself is False for NaN alone, and faster than isnan.
    measured = value == value  # noqa: PLR0124
    if depth.ndim > 1:
        measured &= depth == depth  # noqa: PLR0124
    axes = np.broadcast_to(depth, value.shape).reshape(-1)
    begin = np.arange(rows + 1) * n
    if np.count_nonzero(measured) == measured.size:
        return Rows(axes, value.reshape(-1), begin)
    # Three times as fast as to index by the flags.
    kept = np.flatnonzero(measured)
    start = kept.searchsorted(begin)
    return Rows(axes.take(kept), value.reshape(-1).take(kept), start, kept)


def flat_rows(value: NDArray[Any]) -> tuple[NDArray[Any], tuple[int, ...]]:
    """View ``(..., n)`` as ``(R, n)``, copied only where it must be; and the leading shape."""
    lead = value.shape[:-1]
    return value.reshape(math.prod(lead), value.shape[-1]), lead


def per_row(parameter: Array | float, lead: tuple[int, ...]) -> Array:
    """Give one parameter a row: ``(R,)``, from whatever broadcasts to the leading shape."""
    if isinstance(parameter, float):  # most often, and sooner done
        return np.full(math.prod(lead), parameter)
    return np.broadcast_to(np.asarray(parameter, dtype=np.float64), lead).reshape(-1)


def blocks(rows: int, n: int, size: int = BLOCK) -> Iterator[slice]:
    """Cut the rows into blocks of about `size` samples, and at least one row."""
    step = max(1, size // max(n, 1))
    for begin in range(0, rows, step):
        yield slice(begin, min(begin + step, rows))


def block_of(rows: NDArray[Any], where: slice | Index) -> Array:
    """Give some rows of ``(R, n)`` contiguous and in float64; an axis ``(n,)`` is all of theirs.

    Data in any other layout or precision are converted block by block, and never as a whole.
    """
    return np.ascontiguousarray(rows if rows.ndim == 1 else rows[where], dtype=np.float64)


def run_of(rows: Index) -> Index | slice:
    """Give rows that follow each other as a slice, which is a view and not a copy."""
    is_run = rows.size and rows[-1] - rows[0] == rows.size - 1
    return slice(int(rows[0]), int(rows[-1]) + 1) if is_run else rows


def increases(depth: Array) -> bool:
    """Whether the depths of an axis increase strictly."""
    return bool(np.count_nonzero(depth[1:] > depth[:-1]) >= depth.size - 1)


def parted(c: Array, *, one_axis: bool) -> Iterator[tuple[slice | Index, bool]]:
    """Part the rows that are whole, and of one axis, from others: which, and whether they are."""
    gaps = np.isnan(dot_rows(c, np.zeros(c.shape[1]))) if one_axis else np.ones(len(c), dtype=bool)
    number = np.count_nonzero(gaps)
    if number in (0, gaps.size):
        yield slice(None), number == 0
        return
    yield np.flatnonzero(~gaps), True
    yield np.flatnonzero(gaps), False


def precision(value: Any) -> type[np.float32 | np.float64]:
    """Type of a result that is as large as the data: float32 for float32, else float64."""
    single = value.dtype.kind == "f" and value.dtype.itemsize == 4  # in any order of bytes
    return np.float32 if single else np.float64


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


#: Where more than one look at eight flags, for so many flags, finds some, all are looked at.
_FEW = 32


def few(flags: NDArray[np.bool_]) -> Index:
    """Find the few that are set: eight at a time are passed over."""
    if flags.size < _PIECE * 2:  # one look at all of them is over sooner
        return np.flatnonzero(flags)
    whole = flags.size & ~7
    words = flags[:whole]
    hit = np.flatnonzero(words.view(np.uint64) != 0)  # of flags, which is faster
    if hit.size > flags.size // _FEW:  # they are not few
        return np.flatnonzero(flags)
    found = np.flatnonzero(words.reshape(-1, 8)[hit])
    found = hit[found >> 3] * 8 + (found & 7)
    rest = np.flatnonzero(flags[whole:])
    return np.concatenate([found, rest + whole]) if rest.size else found


#: So many are sooner taken by two indexes than a view is made for one.
_FEW_PLACES = 512


def taken(c: Array, which: Index) -> Array:
    """Take elements, by their flat places in order, of an array whose rows may lie apart."""
    if c.ndim != 2 or c.flags.c_contiguous:
        return c.reshape(-1).take(which)
    rows, n = c.shape
    row, (step, size) = which // n, (c.strides[0], c.itemsize)
    found: Array
    if which.size < _FEW_PLACES or c.strides[1] != size or step % size or step < n * size:
        found = c[row, which - row * n]
        return found
    # One index in place of two, which takes a third of the time: what lies between is passed over.
    whole = np.lib.stride_tricks.as_strided(c, ((rows - 1) * step // size + n,), (size,))
    row *= step // size - n
    found = whole.take(which + row)
    return found
