"""Samples that were not measured, in blocks of rows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Gaps",
    "Laid",
    "as_they_lie",
    "between_samples",
    "bisect",
    "few_gaps",
    "gaps",
    "number_of",
    "number_of_gaps",
    "packed",
    "runs",
]

Array = NDArray[np.float64]
Index = NDArray[np.intp]


class Laid(NamedTuple):
    """Rows with their samples end to end, ``begin`` to ``end`` of each; anything may lie between.

    ``doubtful`` are rows that must be laid out in another way. ``shape`` is that of the block;
    ``kept`` are the (flat) samples that were not left out, if some were. ``axis`` is the one axis
    of all rows.
    """

    depth: Array
    value: Array
    begin: Index
    end: Index
    doubtful: NDArray[np.bool_] | None
    shape: tuple[int, int]
    axis: Array | None = None
    kept: Index | None = None

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
            lo, hi = self.axis.searchsorted(a, side="right") - 1, self.axis.searchsorted(b)
            if self.kept is None:
                return self.begin + lo, self.begin + hi
            first = np.arange(0, self.begin.size * self.axis.size, self.axis.size)
            before = self.kept.searchsorted(first + lo, side="right") - 1
            return before, self.kept.searchsorted(first + hi)
        if self.begin.size <= _FEW or self.shape[1] > _LONG:
            return self._searched(np.arange(self.begin.size), a, b)
        lo, hi, found = self._guessed(a, b)
        rest = np.flatnonzero(~found & (a < b))
        if rest.size and self.kept is not None:
            lo[rest], hi[rest] = self._searched(rest, a[rest], b[rest])
        elif rest.size:
            # To compare all samples takes a while, but less than a search in each row.
            z = self.depth.reshape(self.shape)
            z = z if rest.size == len(z) else z[rest]
            first = rest * z.shape[1]
            below = np.less_equal(z, a[rest, None])
            lo[rest] = first + below.argmin(axis=1) - 1
            hi[rest] = first + np.less(z, b[rest, None], out=below).argmin(axis=1)
        return lo, hi

    def _searched(self, rows: Index, a: Array, b: Array) -> tuple[Index, Index]:
        """Search rows one after the other."""
        begin, end = self.begin[rows], self.end[rows]
        runs = zip(begin.tolist(), end.tolist(), strict=True)
        samples = [self.depth[first:last] for first, last in runs]
        pairs = list(zip(samples, a.tolist(), b.tolist(), strict=True))
        return (
            begin + [z.searchsorted(x, "right") for z, x, _ in pairs] - 1,
            begin + [z.searchsorted(x) for z, _, x in pairs],
        )

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


def as_they_lie(z: Array, c: Array, axis: Array | None = None) -> Laid:
    """Take rows ``(R, n)`` as they are: gaps may be padding at the end of rows.

    The rows of `z` may all be one `axis`. Of other rows some are doubtful, and the rest has a NaN
    between its first and last sample.
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
    return Laid(flat, c.reshape(-1), begin, end, doubtful, c.shape, axis)


def runs(z: Array, c: Array) -> tuple[Index, NDArray[np.bool_]]:
    """Count the samples of each row before its first gap, and tell whether none comes after."""
    absent = _absent(z, c)
    length: Index = absent.argmax(axis=1)
    length[(length == 0) & ~absent[:, 0]] = c.shape[1]  # argmax of a row without a True is 0 too
    if np.count_nonzero(absent) == absent.size - length.sum():
        return length, np.ones(length.shape, dtype=bool)
    whole: NDArray[np.bool_] = number_of(absent) == c.shape[1] - length
    return length, whole


#: A depth that is known.
_NOWHERE = np.zeros(1)


def _absent(z: Array, c: Array) -> NDArray[np.bool_]:
    # NaN alone differs from itself, and isnan is slower.
    absent: NDArray[np.bool_] = c != c  # noqa: PLR0124
    if z.ndim > 1 or np.isnan(z).any():
        absent |= z != z  # noqa: PLR0124
    return absent


def number_of(flags: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Count the flags of each row: in few bytes, which takes half as long as count_nonzero."""
    count: NDArray[np.int32] = np.add.reduce(flags, axis=1, dtype=np.int32)
    return count


def packed(z: Array, c: Array, axis: Array | None = None) -> Laid:
    """Lay the samples of rows ``(R, n)`` end to end, without what lies between.

    The rows of `z` may all be one `axis`.
    """
    rows, n = c.shape
    kept = np.flatnonzero(~_absent(z if axis is None else axis, c))
    ends = kept.searchsorted(np.arange(0, (rows + 1) * n, n))
    depth, value = (x.reshape(-1).take(kept, mode="clip") for x in (z, c))
    return Laid(depth, value, ends[:-1], ends[1:], None, c.shape, axis, kept)


class Gaps(NamedTuple):
    """What is missing in rows ``(R, n)``, in order of row and depth.

    ``absent`` are the (flat) places without a sample, ``row`` the row of each run of them,
    ``before`` and ``after`` the columns of the samples beside it: -1 and n where there is none.
    """

    absent: Index
    row: Index
    before: Index
    after: Index

    def of(self, which: NDArray[np.bool_]) -> Gaps:
        """Keep some of the runs."""
        return self._replace(
            row=self.row[which], before=self.before[which], after=self.after[which]
        )


def gaps(missing: NDArray[np.bool_]) -> Gaps:
    """Find what is missing."""
    rows, n = missing.shape
    absent = np.flatnonzero(missing)
    begin = np.arange(0, (rows + 1) * n, n)
    edges = absent.searchsorted(begin)
    opens = np.ones(absent.size + 1, dtype=bool)
    np.not_equal(absent[1:], absent[:-1] + 1, out=opens[1:-1])
    opens[edges] = True  # of each row, whatever was missing at the end of the one before
    runs = np.flatnonzero(opens)
    number = np.diff(runs.searchsorted(edges))
    row = np.repeat(np.arange(rows), number)
    begin = begin.take(row)
    before, after = absent.take(runs[:-1]), absent.take(runs[1:] - 1)
    before -= begin + 1
    after -= begin - 1
    return Gaps(absent, row, before, after)


def number_of_gaps(missing: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Count the gaps of each row."""
    return number_of(missing[:, 1:] > missing[:, :-1]) + missing[:, 0]


def few_gaps(missing: NDArray[np.bool_], most: int) -> tuple[NDArray[np.bool_], Gaps | None]:
    """Tell which rows have no more than so many gaps; and all the gaps, if all rows are such.

    Rows of which more than half is missing have not: of many such rows the samples are taken out
    before they come here, and they must be worked on in the one way with and without others.
    """
    rows, n = missing.shape
    if 4 * np.count_nonzero(missing) > missing.size:
        # To list so much would take longer than to count twice.
        few = number_of_gaps(missing) <= most
        few &= 2 * number_of(missing) <= n
        return few, gaps(missing) if np.count_nonzero(few) == rows else None
    found = gaps(missing)
    few = np.bincount(found.row, minlength=rows) <= most
    few &= 2 * np.bincount(found.row, found.after - found.before - 1, minlength=rows) <= n
    return few, found if np.count_nonzero(few) == rows else None


def between_samples(missing: NDArray[np.bool_]) -> Gaps:
    """Find the gaps that have a sample before and after them."""
    found = gaps(missing)
    within = (found.before >= 0) & (found.after < missing.shape[1])
    return found if np.count_nonzero(within) == within.size else found.of(within)
