"""Samples that were not measured, in blocks of rows."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Gaps",
    "Laid",
    "as_they_lie",
    "at_ends",
    "bisect",
    "bridgeable",
    "few_gaps",
    "filled",
    "gaps",
    "many_gaps",
    "packed",
    "runs",
]

Array = NDArray[np.float64]
Index = NDArray[np.intp]


class Laid(NamedTuple):
    """Rows with their samples end to end, ``begin`` to ``end`` of each; anything may lie between.

    ``doubtful`` are rows that must be laid out in another way. ``shape`` is that of the block,
    None if samples were left out; ``axis`` is the one axis of all rows, where it may be searched.
    """

    depth: Array
    value: Array
    begin: Index
    end: Index
    doubtful: NDArray[np.bool_] | None
    shape: tuple[int, int] | None
    axis: Array | None = None

    def ends(self) -> tuple[Array, Array]:
        """Depths of the first and the last sample of each row; NaN for a row without samples."""
        some = self.end > self.begin
        if np.count_nonzero(some) == some.size:
            return self.depth.take(self.begin), self.depth.take(self.end - 1)
        if self.depth.size == 0:
            nothing = np.full(some.shape, np.nan)
            return nothing, nothing
        first, last = (np.where(some, place, 0) for place in (self.begin, self.end - 1))
        return (
            np.where(some, self.depth.take(first), np.nan),
            np.where(some, self.depth.take(last), np.nan),
        )

    def around(self, a: Array, b: Array) -> tuple[Index, Index]:
        """Place of the last sample not below a, and of the first not above b, of each row.

        Parameters
        ----------
        a, b : ndarray, shape (R,)
            Within the samples of the row, or the places found mean nothing.
        """
        if self.axis is not None:
            after = self.axis.searchsorted(a, side="right")
            return self.begin + after - 1, self.begin + self.axis.searchsorted(b)
        if self.shape is None or self.begin.size <= _FEW or self.shape[1] > _LONG:
            runs = list(zip(self.begin.tolist(), self.end.tolist(), strict=True))
            samples = [self.depth[begin:end] for begin, end in runs]
            pairs = list(zip(samples, a.tolist(), b.tolist(), strict=True))
            return (
                self.begin + [z.searchsorted(x, "right") for z, x, _ in pairs] - 1,
                self.begin + [z.searchsorted(x) for z, _, x in pairs],
            )
        lo, hi, found = self._guessed(a, b)
        rest = np.flatnonzero(~found & (a < b))
        if rest.size:
            # To compare all samples takes a while, but less than a search in each row.
            z = self.depth.reshape(self.shape)
            z = z if rest.size == len(z) else z[rest]
            first = rest * z.shape[1]
            below = np.less_equal(z, a[rest, None])
            lo[rest] = first + below.argmin(axis=1) - 1
            hi[rest] = first + np.less(z, b[rest, None], out=below).argmin(axis=1)
        return lo, hi

    def _guessed(self, a: Array, b: Array) -> tuple[Index, Index, NDArray[np.bool_]]:
        """Guess where the places are on axes that are nearly regular, and tell what is right."""
        z, steps = self.depth, self.end - self.begin - 1
        first = z.take(self.begin, mode="clip")
        with np.errstate(all="ignore"):
            scale = steps / (z.take(self.end - 1, mode="clip") - first)
            places = []
            for limit in (a, b):
                step = ((limit - first) * scale).astype(np.intp)  # of NaN, anything
                place = self.begin + np.clip(step, 0, np.maximum(steps - 1, 0))
                place += z.take(place + 1, mode="clip") <= limit
                place -= z.take(place, mode="clip") > limit
                places.append(place)
        lo, hi = places
        hi += z.take(hi, mode="clip") < b
        at, after = z.take(lo, mode="clip"), z.take(lo + 1, mode="clip")
        found: NDArray[np.bool_] = (at <= a) & (a < after)
        found &= (z.take(hi - 1, mode="clip") < b) & (b <= z.take(hi, mode="clip"))
        return lo, hi, found


#: Rows that are searched one after the other, and samples of rows that are.
_FEW, _LONG = 32, 4096


def bisect(depth: Array, begin: Index, end: Index, limit: Array, above: np.ufunc) -> Index:
    """Bisect many runs of depths at once: the first of each that does not lie above its limit.

    `begin` to `end` are the runs, which increase; NaN counts as deeper than everything.
    """
    low, high = begin, end
    longest = int((end - begin).max(initial=0))
    for _ in range(longest.bit_length()):
        middle = (low + high) >> 1
        goes_on = above(depth.take(middle, mode="clip"), limit) & (low < high)
        low = np.where(goes_on, middle + 1, low)
        high = np.where(goes_on, high, middle)
    return low


def as_they_lie(z: Array, c: Array) -> Laid:
    """Take rows ``(R, n)`` as they are: gaps may be padding at the end of rows.

    Of other rows some are doubtful, and the rest has a NaN between its first and last sample.
    """
    rows, n = c.shape
    begin = np.arange(0, rows * n, n)
    ends = c[:, -1] + z[:, -1]
    if np.count_nonzero(np.isnan(ends)):
        length, whole = runs(_NOWHERE, c)
        doubtful = ~whole
    else:
        length = np.full(rows, n)
        doubtful = np.isnan(c[:, 0])
    end = begin + length
    flat = z.reshape(-1)
    # A row has a depth for each of its samples, or it shows at its ends or in its integral.
    doubtful |= np.isnan(flat.take(begin) + flat.take(end - 1, mode="clip")) & (length > 0)
    return Laid(flat, c.reshape(-1), begin, end, doubtful, c.shape)


def runs(z: Array, c: Array) -> tuple[Index, NDArray[np.bool_]]:
    """Count the samples of each row before its first gap, and tell whether none comes after."""
    absent = _absent(z, c)
    length: Index = absent.argmax(axis=1)
    length[(length == 0) & ~absent[:, 0]] = c.shape[1]  # argmax of a row without a True is 0 too
    if np.count_nonzero(absent) == absent.size - length.sum():
        return length, np.ones(length.shape, dtype=bool)
    whole: NDArray[np.bool_] = _count(absent) == c.shape[1] - length
    return length, whole


def many_gaps(z: Array, c: Array) -> NDArray[np.bool_]:
    """Whether so much of each row is missing that its samples are better taken out than filled."""
    many: NDArray[np.bool_] = _count(_absent(z, c)) > c.shape[1] // 8
    return many


#: A depth that is known.
_NOWHERE = np.zeros(1)


def _absent(z: Array, c: Array) -> NDArray[np.bool_]:
    # NaN alone differs from itself, and isnan is slower.
    absent: NDArray[np.bool_] = c != c  # noqa: PLR0124
    if z.ndim > 1 or np.isnan(z).any():
        absent |= z != z  # noqa: PLR0124
    return absent


def _count(flags: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Count the flags of each row: in few bytes, which takes half as long as count_nonzero."""
    count: NDArray[np.int32] = np.add.reduce(flags, axis=1, dtype=np.int32)
    return count


def filled(z: Array, c: Array) -> Laid:
    """Fill gaps with the sample before them: a segment without width adds nothing to a sum.

    Parameters
    ----------
    z : ndarray, shape (n,) or (R, n)
    c : ndarray, shape (R, n)
        Written into, and so are the axes of many rows.
    """
    rows, n = c.shape
    absent = _absent(z, c)
    z = np.tile(z, (rows, 1)) if z.ndim == 1 else z
    begin = np.arange(0, rows * n, n)
    first, last = absent.argmin(axis=1), n - absent[:, ::-1].argmin(axis=1)
    last[absent[np.arange(rows), last - 1]] = 0  # of a row without samples
    place = np.flatnonzero(absent)
    row, column = np.divmod(place, n)
    inner = column < last[row]
    place, row, column = place[inner], row[inner], column[inner]
    if place.size:
        # The first place of every run, and with it the sample that lies before.
        opens = np.ones(place.size, dtype=bool)
        np.not_equal(place[1:], place[:-1] + 1, out=opens[1:])
        opens |= column == 0
        starts = np.flatnonzero(opens)
        source = place[starts] - 1
        ahead = column[starts] == 0
        source[ahead] = (begin + first)[row[starts[ahead]]]
        source = np.repeat(source, np.diff(starts, append=place.size))
        for flat in (z.reshape(-1), c.reshape(-1)):
            flat[place] = flat[source]
    return Laid(z.reshape(-1), c.reshape(-1), begin, begin + last, None, c.shape)


def packed(z: Array, c: Array) -> Laid:
    """Lay the samples of rows ``(R, n)`` end to end, without what lies between."""
    rows, n = c.shape
    kept = np.flatnonzero(~_absent(z, c))
    first = np.arange(0, (rows + 1) * n, n)
    ends = kept.searchsorted(first)
    column = kept - np.repeat(first[:-1], np.diff(ends)) if z.ndim == 1 else kept
    depth, value = z.reshape(-1).take(column), c.reshape(-1).take(kept)
    return Laid(depth, value, ends[:-1], ends[1:], None, None)


class Gaps(NamedTuple):
    """Gaps within rows of a block: the columns of the samples before and after each."""

    row: Index
    before: Index
    after: Index

    @property
    def ends(self) -> tuple[tuple[Index, Index], tuple[Index, Index]]:
        """Indices of the samples before and after."""
        return (self.row, self.before), (self.row, self.after)


def gaps(row: Index, column: Index, n: int) -> Gaps:
    """Find the gaps that lie between samples of their row.

    Parameters
    ----------
    row, column : ndarray of int
        Where samples of the block are absent, in order.
    n : int
        Samples of a row.
    """
    opens = np.ones(row.size, dtype=bool)
    np.not_equal(column[1:], column[:-1] + 1, out=opens[1:])
    opens[1:] |= row[1:] != row[:-1]
    closes = np.ones(row.size, dtype=bool)
    closes[:-1] = opens[1:]
    rows, before, after = row[opens], column[opens] - 1, column[closes] + 1
    within = (before >= 0) & (after < n)
    if not within.all():
        return Gaps(rows[within], before[within], after[within])
    return Gaps(rows, before, after)


def few_gaps(c: Array) -> NDArray[np.bool_]:
    """Whether no more than a few samples of each row ``(R, n)`` are missing."""
    few: NDArray[np.bool_] = _count(c != c) <= c.shape[1] // 16  # noqa: PLR0124
    return few


def at_ends(c: Array) -> tuple[Index, Index, NDArray[np.bool_]]:
    """Find the first and the last sample of rows that only lack samples before and after these.

    Returns
    -------
    first, last : ndarray of int, shape (R,)
    ends : ndarray of bool, shape (R,)
        Whether it is one of them; of the others some sample between is missing, or all are.
    """
    absent = c != c  # noqa: PLR0124  # NaN only
    first, count = absent.argmin(axis=1), _count(absent)
    after = count - first
    sides = _count(absent[:, 1:] != absent[:, :-1])
    ends = sides == (first > 0).astype(np.int32) + (after > 0)
    return first, c.shape[1] - 1 - after, ends


def bridgeable(row: Index, column: Index, shape: tuple[int, ...], window: slice) -> NDArray[Any]:
    """Whether no gap of a row reaches the outer segments of a window.

    Each row is judged by itself, so that it is worked on in one way whatever stands beside it.

    Parameters
    ----------
    row, column : ndarray of int
        Where samples of the block are absent, in order.
    shape : tuple
        Of the block.
    window : slice
        Columns of the window.
    """
    possible = np.ones(shape[0], dtype=bool)
    inner = column - (window.start + 2)
    reaches = (inner < 0) | (inner >= window.stop - window.start - 4)
    reaches &= (inner >= -2) & (inner < window.stop - window.start - 2)
    possible[row[reaches]] = False
    return possible
