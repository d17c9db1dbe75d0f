"""Profiles as the kernels see them: rows of measured samples, without NaN, in one of two layouts.

:class:`Dense` rows share one depth axis and have no missing samples. :class:`Packed` rows hold
their measured samples end to end. A quantity per sample has the shape of ``rows.value``, one per
row has shape ``(R,)``, and ``rows.repeat(per_row)`` broadcasts the latter to the former. A segment
joins a sample to the next one of its row, and is stored with the sample before it; the last sample
of a row stands for a segment of no width.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise, starmap
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from sims_analysis.outcomes import Status

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Flags = NDArray[np.bool_]


class Places(NamedTuple):
    """The rows of intervals of depth, and the first sample in each, to an end; (K,)."""

    row: Index
    first: Index
    end: Index


T = TypeVar("T", bound=tuple[Any, ...])

#: Samples whose scratch arrays are to stay in a processor's own cache.
IN_CACHE = 1 << 16

#: So many equal neighbours at the maximum of a row may be those of a saturated detector.
EQUAL = 5

#: The maximum of a row is at least that of so many of its samples.
SAMPLED = 4

_NONE = np.empty(0, dtype=np.intp)

#: Depths closer than this fraction of the record are equal: unit conversions round.
TOLERANCE = 1e-9

#: Added to the flag of runs of samples without a value; not part of what data carry.
WITHOUT_VALUE = 1 << 13


class Marks(NamedTuple):
    """Runs of samples with a flag, from ``first`` to ``last``; (K,).

    ``low`` and ``high`` are their neighbours with a value, NaN beyond the row; ``height`` the limit
    of those below one, or the value; ``amount`` by what the mean between the neighbours may be off.
    """

    row: Index
    flag: NDArray[np.int16]
    first: Array
    last: Array
    low: Array
    high: Array
    height: Array
    amount: Array


def first_status(*cases: tuple[Flags, Status]) -> NDArray[np.uint8]:
    """Return the status of the first case that is true of each row; ``OK`` if none is."""
    codes = np.full(cases[0][0].shape, Status.OK, dtype=np.uint8)
    for flags, status in reversed(cases):
        codes[flags] = status
    return codes


@dataclass(frozen=True)
class _Samples(ABC):
    """The common part of both layouts.

    Positions of samples are flat: row ``r`` has ``offsets[r]`` to ``offsets[r + 1] - 1``.
    """

    depth: Array
    value: Array
    stderr: Array | None = None
    #: Edges of the cells over which the values are averages, shaped as ``depth``; None for samples.
    lower: Array | None = None
    upper: Array | None = None
    offsets: Index = field(kw_only=True)
    #: Standard errors of single samples with zero counts, whose error in a sum is 0; shaped as the
    #: values. None if there are none.
    uncounted: Array | None = field(default=None, kw_only=True)
    #: What the data carry of samples, and the positions of samples before gaps that they carry.
    carried: Marks | None = field(default=None, kw_only=True)
    carried_gaps: Index | None = field(default=None, kw_only=True)
    #: See `share`; None for 1.
    fraction: Array | None = field(default=None, kw_only=True)

    def columns(self, of: Callable[[Array], Array]) -> dict[str, Any]:
        """Return what there is of each sample, as a function makes it."""
        names = ("depth", "value", "stderr", "lower", "upper", "uncounted")
        return {name: of(one) for name in names if (one := getattr(self, name)) is not None}

    @property
    def share(self) -> Array:
        """Effective samples per depth, (R,): below 1 on a grid finer than the samples."""
        return np.ones(self.count) if self.fraction is None else self.fraction

    @property
    def count(self) -> int:
        """Number of rows."""
        return self.offsets.size - 1

    @cached_property
    def size(self) -> Index:
        """Number of samples of each row, (R,)."""
        return self.offsets[1:] - self.offsets[:-1]

    @cached_property
    def final(self) -> Index:
        """Where the last samples of the rows are in what is shaped as ``depth``."""
        return self.offsets[1:][self.size > 0] - 1

    @cached_property
    def width(self) -> Array:
        """Width of the segment after each sample; shaped as ``depth``."""
        width = np.zeros(self.depth.shape)
        np.subtract(self.depth[1:], self.depth[:-1], out=width[:-1])
        width[self.final] = 0.0
        return width

    @abstractmethod
    def along(self, samples: NDArray[Any], position: Index) -> NDArray[Any]:
        """Look up a quantity that is shaped as ``depth`` at flat positions."""

    def depth_at(self, position: Index) -> Array:
        """Depths of the samples at flat positions."""
        return self.along(self.depth, position)

    def value_at(self, position: Index) -> Array:
        """Values of the samples at flat positions."""
        return self.value.reshape(-1).take(position)

    @cached_property
    def first(self) -> Array:
        """Depth of the first sample of each row, (R,); NaN for an empty row."""
        return self._ends(self.depth, 0)

    @cached_property
    def last(self) -> Array:
        """Depth of the last sample of each row, (R,); NaN for an empty row."""
        return self._ends(self.depth, -1)

    @cached_property
    def begin(self) -> Array:
        """Where the record of each row begins, (R,): at its first sample, or the edge of a cell."""
        return self.first if self.lower is None else self._ends(self.lower, 0)

    @cached_property
    def end(self) -> Array:
        """Where the record of each row ends, (R,)."""
        return self.last if self.upper is None else self._ends(self.upper, -1)

    @cached_property
    def tolerance(self) -> Array:
        """By how much depths of each row may differ and be equal, (R,): conversions round."""
        return TOLERANCE * (self.last - self.first)

    @abstractmethod
    def position(
        self, depth: Array, row: Index | None = None, side: Literal["left", "right"] = "right"
    ) -> Index:
        """Find where samples begin that are deeper than some depths, or (``"left"``) as deep.

        Depths are (R, m); on a shared axis (1, m), the same for all rows; or (K,) of as many rows.
        """

    def segment_at(self, depth: Array, row: Index | None = None) -> Index:
        """Find the segments of depths, as :meth:`position`; the nearest outside of the record."""
        segment = self.position(depth, row)
        segment -= 1
        row = np.arange(len(segment))[:, None] if row is None else row
        begin, end = self.offsets[row], self.offsets[row + 1]
        np.minimum(segment, end - 2, out=segment)
        # For an empty row, any sample.
        return np.maximum(segment, np.minimum(begin, self.value.size - 1), out=segment)

    def samples_in(self, start: Array, stop: Array) -> Places:
        """Return which samples lie in intervals, (R,) or (R, m); not of NaN, nor of empty rows."""
        measured = ((start <= stop).T & (self.size > 0)).T
        row, start, stop = np.nonzero(measured)[0], start[measured], stop[measured]
        return Places(row, self.position(start, row, "left"), self.position(stop, row))

    def are_few(self, samples: int) -> bool:
        """Whether it takes less time to look up so many samples than to go through all of them."""
        return samples < self.value.size // _LOOKED_UP

    def sampled_maximum(self, row: Index, n_samples: int) -> Array:
        """Return the highest of a few samples of some rows, which are not empty."""
        after = np.arange(n_samples)[:, None] * self.size[row] // n_samples
        highest: Array = self.value_at(self.offsets[row] + after).max(axis=0)
        return highest

    @cached_property
    def level_topped(self) -> Index:
        """The rows with five equal neighbours at their maximum, if it is positive.

        And perhaps some whose last samples are equal to the first of the next row.
        """
        return np.concatenate([_NONE, *map(self._level_topped, in_parts(self.size))])

    def _level_topped(self, part: slice) -> Index:
        """Find such rows among consecutive ones."""
        begin = self.offsets[part]
        samples = self.value.reshape(-1)[begin[0] : self.offsets[part.stop]]
        equal = samples[1:] == samples[:-1]
        if np.count_nonzero(equal) < EQUAL - 1:
            return _NONE
        two = equal[1:] & equal[:-1]
        five = two[2:] & two[:-2]
        number = np.count_nonzero(five)
        if not number:
            return _NONE
        low = self._reached[part].min()
        if number > five.size // _STEPS:  # as of a floor
            five &= samples[: five.size] >= low
        first: Index = np.flatnonzero(five)
        first = first[samples[first] >= low]
        if not first.size:
            return _NONE
        row = begin.searchsorted(begin[0] + first, side="right") - 1
        topped: Index = part.start + np.unique(row[samples[first] >= self._highest(part)[row]])
        return topped

    @abstractmethod
    def _highest(self, part: slice) -> Array:
        """Return the highest values of consecutive rows; NaN of an empty one."""

    @cached_property
    def _reached(self) -> Array:
        """What a few samples of each row reach, (R,), if it is positive; infinite for none."""
        reached, row = np.full(self.count, np.inf), np.flatnonzero(self.size)
        reached[row] = np.fmax(self.sampled_maximum(row, SAMPLED), np.finfo(np.float64).tiny)
        return reached

    @abstractmethod
    def _ends(self, samples: Array, end: Literal[0, -1]) -> Array:
        """Look up a quantity at the first or last sample of each row; NaN of an empty one."""

    @abstractmethod
    def repeat(self, per_row: NDArray[Any]) -> Any:
        """Give one value per row a shape that broadcasts to its samples."""


@dataclass(frozen=True)
class Dense(_Samples):
    """Rows on one depth axis, (n,), without missing samples.

    ``value``, (R, n), is contiguous; ``stderr``, (R, n) or None, is NaN where unknown.
    """

    offsets: Index = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "offsets", np.arange(len(self.value) + 1) * self.depth.size)

    def along(self, samples: NDArray[Any], position: Index) -> NDArray[Any]:
        """Look up a quantity ``(n,)`` at flat positions."""
        # Not `mode="wrap"`, which subtracts the size over and over: thousands of times a row.
        return samples.take(position % max(samples.size, 1))

    @cached_property
    def final(self) -> Index:
        """Where the last samples of the rows are in what is shaped as ``depth``: at its end."""
        return np.arange(self.depth.size)[-1:]

    def _ends(self, samples: Array, end: Literal[0, -1]) -> Array:
        """Look up a quantity at the first or last sample of each row; NaN of empty ones."""
        return np.full(self.count, samples[end] if samples.size else np.nan)

    def position(
        self, depth: Array, row: Index | None = None, side: Literal["left", "right"] = "right"
    ) -> Index:
        """Find where samples begin that are deeper than others, (1, m) for depths (1, m)."""
        position: Index = self.depth.searchsorted(depth, side=side)
        position += self.offsets[: len(depth), None] if row is None else self.offsets[row]
        return position

    def same_in_all_rows(self, *per_row: NDArray[Any]) -> bool:
        """Whether there are rows, and each parameter is the same for all of them."""
        return self.count > 0 and all((p == p[0]).all() or np.isnan(p).all() for p in per_row)

    def repeat(self, per_row: NDArray[Any]) -> Any:
        """Give one value per row a shape that broadcasts to its samples: ``(R, 1)``."""
        return per_row[:, None]

    def _highest(self, part: slice) -> Array:
        """Return the highest values of consecutive rows."""
        highest: Array = self.value[part].max(axis=1)
        return highest

    def integral(self, weights: Array) -> Array:
        """Sum the weighted values of rows; find :attr:`level_topped` while they are in cache."""
        total, topped = np.empty(self.count), [_NONE]
        for part in in_parts(self.size):
            of_part = weights if weights.ndim == 1 else weights[part]
            total[part] = dot_rows(self.value[part], of_part)
            topped.append(self._level_topped(part))
        self.__dict__["level_topped"] = np.concatenate(topped)
        return total

    def sum(self, samples: Array, weights: Array | None = None) -> Array:
        """Sum over the samples of each row, optionally weighted."""
        if samples.shape != self.value.shape:
            samples = np.broadcast_to(samples, self.value.shape)
        return dot_rows(samples, np.ones(self.depth.size) if weights is None else weights)

    def reduce(self, ufunc: np.ufunc, samples: Array, empty: float = np.nan) -> Array:
        """Reduce the samples of each row by ``np.maximum`` or the like; `empty` if it has none."""
        if samples.shape[-1] == 0:
            return np.full(self.count, empty)
        reduced: Array = ufunc.reduce(samples, axis=-1)
        return reduced

    def within(self, start: Array, stop: Array) -> Rows:
        """Keep the samples from `start` to `stop` of each row; NaN means no limit."""
        if np.isnan(start).all() and np.isnan(stop).all():
            return self
        if not self.same_in_all_rows(start, stop):
            return self.packed().within(start, stop)
        low, high = start[0] - self.tolerance[0], stop[0] + self.tolerance[0]
        window = slice(
            self.depth.searchsorted(np.fmax(low, -np.inf)),
            self.depth.searchsorted(np.fmin(high, np.inf), side="right"),
        )
        return Dense(
            **self.columns(lambda one: np.ascontiguousarray(one[..., window])),
            fraction=self.fraction,
        )

    def packed(self) -> Packed:
        """Return the same rows in the packed layout."""
        columns = self.columns(
            lambda one: one.reshape(-1) if one.ndim > 1 else np.tile(one, self.count)
        )
        return Packed(**columns, offsets=self.offsets, fraction=self.fraction)

    def unpacked(self, samples: Array) -> Array:
        """Return one value per sample as an array ``(R, n)``."""
        return np.broadcast_to(samples, self.value.shape)


@dataclass(frozen=True)
class Packed(_Samples):
    """The measured samples of all rows, (N,), end to end: row r from ``offsets[r]``, (R + 1,).

    Where known, ``measured``, (R, n), says where they stood in the array that was packed, and
    ``axis``, (n,), is its depth axis, if shared.
    """

    measured: Flags | None = None
    axis: Array | None = None

    @cached_property
    def before(self) -> NDArray[np.int32]:
        """The number of samples before each place of the array that was packed."""
        assert self.measured is not None  # noqa: S101 - rows with an axis
        before = np.zeros(self.measured.size + 1, dtype=np.int32)  # much faster than 64 bits
        np.cumsum(self.measured, out=before[1:])
        return before

    @cached_property
    def row(self) -> Index:
        """The row of every sample, (N,)."""
        return np.repeat(np.arange(self.count), self.size)

    def _ends(self, samples: Array, end: Literal[0, -1]) -> Array:
        """Look up a quantity at the first or last sample of each row; NaN of an empty one."""
        ends, some = np.full(self.count, np.nan), np.flatnonzero(self.size)
        at = self.offsets[:-1] if end == 0 else self.offsets[1:] - 1
        ends[some] = samples.take(at[some])
        return ends

    def slices(self) -> Iterator[slice]:
        """Yield the positions of each row."""
        return starmap(slice, pairwise(self.offsets.tolist()))

    def along(self, samples: NDArray[Any], position: Index) -> NDArray[Any]:
        """Look up a quantity ``(N,)`` at flat positions."""
        return samples.take(position)

    def position(
        self, depth: Array, row: Index | None = None, side: Literal["left", "right"] = "right"
    ) -> Index:
        """Find where samples begin that are deeper than others."""
        single = row is not None or depth.shape[1] <= _FEW
        row = np.arange(self.count)[:, None] if row is None else row
        begin, end = self.offsets[row], self.offsets[row + 1]
        few = single and depth.size < self.value.size // _STEPS
        if self.axis is not None and not few:
            # Count the samples measured before each place on the shared axis.
            place = self.axis.searchsorted(depth, side=side) + row * self.axis.size
            return self.before.take(place).astype(np.intp)
        if single:  # a step of all at once, rather than row by row
            position = begin + np.zeros(depth.shape, dtype=np.intp)
            beyond = np.greater if side == "right" else np.greater_equal
            for step in 1 << np.arange(int(self.size.max(initial=0)).bit_length())[::-1]:
                after = position + step
                behind = beyond(self.depth.take(after - 1, mode="clip"), depth)
                np.copyto(position, after, where=(after <= end) & ~behind)
            return position
        depth = np.broadcast_to(depth, (self.count, depth.shape[1]))
        position = np.empty(depth.shape, dtype=np.intp)
        for number, in_row in enumerate(self.slices()):
            position[number] = self.depth[in_row].searchsorted(depth[number], side=side)
        position += begin
        return position

    def repeat(self, per_row: NDArray[Any]) -> Any:
        """Broadcast one value per row to its samples."""
        if per_row.size and same_for_all(per_row):
            return np.broadcast_to(per_row[0], self.value.shape)
        return np.repeat(per_row, self.size)

    def sum(self, samples: Array, weights: Array | None = None) -> Array:
        """Sum over the samples of each row; 0 for an empty row."""
        return self.reduce(np.add, samples if weights is None else samples * weights, 0.0)

    def reduce(self, ufunc: np.ufunc, samples: Array, empty: float = np.nan) -> Array:
        """Reduce the samples of each row by ``np.maximum`` or the like; `empty` if it has none."""
        reduced = np.full(self.count, empty)
        nonempty = np.flatnonzero(self.size)
        if nonempty.size:
            reduced[nonempty] = ufunc.reduceat(samples, self.offsets[nonempty])
        return reduced

    def _highest(self, part: slice) -> Array:
        """Return the highest values of consecutive rows; NaN of an empty one."""
        begin, end = self.offsets[part], self.offsets[part.start + 1 : part.stop + 1]
        return range_reduced(np.maximum, self.value, begin, end, np.nan)

    def keep(self, mask: Flags) -> Packed:
        """Keep the samples selected by a mask."""
        offsets = np.append(0, np.cumsum(np.bincount(self.row[mask], minlength=self.count)))
        columns = self.columns(lambda one: one[mask])
        return Packed(**columns, offsets=offsets, fraction=self.fraction)

    def within(self, start: Array, stop: Array) -> Packed:
        """Keep the samples from `start` to `stop` of each row; NaN means no limit."""
        if np.isnan(start).all() and np.isnan(stop).all():
            return self
        start, stop = self.repeat(start - self.tolerance), self.repeat(stop + self.tolerance)
        return self.keep(~((self.depth < start) | (self.depth > stop)))

    def packed(self) -> Packed:
        """Return the rows themselves."""
        return self

    def unpacked(self, samples: Array) -> Array:
        """Return one value per sample as the array ``(R, n)`` that was packed; NaN in the gaps."""
        if self.measured is None:
            raise ValueError("samples were left out of these rows after they were packed")
        array = np.full(self.measured.shape, np.nan)
        array[self.measured] = samples
        return array


#: Rows in either layout.
Rows = Dense | Packed


#: To look up a sample takes as long as to go through so many.
_LOOKED_UP = 8
#: So few depths are looked up in all rows at once.
_FEW = 8
#: As many steps of a search for one depth take as long as to count one of all samples.
_STEPS = 32


class SingleResult(NamedTuple):
    """The result of a kernel with one field, which its docstring explains."""

    value: NDArray[Any]


def errors_of(rows: Rows) -> Array:
    """Return the standard errors of the samples; raise if there are none."""
    if rows.stderr is None:
        raise ValueError("these rows have no standard errors")
    return rows.stderr


class Ends(NamedTuple):
    """Where the record of each row begins and ends; (R,), NaN if empty."""

    first: Array
    last: Array


def ends(rows: Rows) -> Ends:
    """Return the depth range over which each row was measured."""
    return Ends(rows.begin, rows.end)


def same_for_all(at: Array) -> bool:
    """Whether all rows of an array are equal; one that was broadcast is known to be."""
    return at.strides[0] == 0 or bool((at == at[:1]).all())


def changed(record: T, **fields: Any) -> T:
    """Return a named tuple with other values in some fields."""
    old: Any = record
    new: T = type(old)(**{**old._asdict(), **fields})
    return new


def in_blocks(count: int, samples: int, size: int = IN_CACHE) -> Iterator[slice]:
    """Split `count` things of `samples` samples each into blocks of about `size` samples."""
    step = max(1, size // max(samples, 1))
    for begin in range(0, count, step):
        yield slice(begin, min(begin + step, count))


def in_parts(sizes: Index, size: int = IN_CACHE) -> Iterator[slice]:
    """Split things of several sizes into parts of about `size` samples."""
    total = sizes.sum()
    if 0 < total <= size:
        yield slice(0, sizes.size)
        return
    ends = np.cumsum(sizes).searchsorted(np.arange(0, total, size))
    yield from starmap(slice, pairwise(np.unique(np.append(ends, sizes.size)).tolist()))


def range_reduced(ufunc: np.ufunc, samples: Array, begin: Index, end: Index, empty: float) -> Array:
    """Reduce ``samples[..., begin:end]`` for each pair of `begin` and `end`."""
    size, shape = samples.shape[-1], (*samples.shape[:-1], *begin.shape)
    if not size:
        return np.full(shape, empty)
    # From the last range to the first: before it lies a single sample for every second result,
    # which would otherwise be over all those between two ranges.
    edges = np.stack([begin, end], axis=-1).reshape(-1, 2)[::-1].reshape(-1)
    edges = np.minimum(edges, size - 1)  # reduceat refuses an index past the last sample
    reduced: Array = ufunc.reduceat(samples, edges, axis=-1)[..., ::2][..., ::-1].reshape(shape)
    last = np.expand_dims(samples[..., -1], tuple(range(-begin.ndim, 0)))
    reduced = np.where((end == size) & (begin < size - 1), ufunc(reduced, last), reduced)
    return np.where(begin < end, reduced, empty)


def range_sums(samples: Array, begin: Index, end: Index) -> Array:
    """Return the sum over ``samples[..., begin:end]`` for each pair of `begin` and `end`."""
    return range_reduced(np.add, samples, begin, end, 0.0)


def dot_rows(value: Array, weights: Array) -> Array:
    """Weighted sum of each row of ``(R, n)``, with common weights or weights for each row.

    Row by row, in pieces too short for BLAS to use threads: the result does not depend on chunks,
    on the order of rows, or on the number of processors.
    """
    total: Array = np.vecdot(value[:, :_PIECE], weights[..., :_PIECE])
    for begin in range(_PIECE, value.shape[1], _PIECE):
        piece = slice(begin, begin + _PIECE)
        total = total + np.vecdot(value[:, piece], weights[..., piece])
    return total


_PIECE = 8192
