"""Samples that were not measured, in blocks of rows."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.rows import BLOCK

__all__ = ["Gaps", "Laid", "bisect", "bridgeable", "columns_around", "gaps", "lay_out"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]


class Laid(NamedTuple):
    """Rows with their samples end to end, ``begin`` to ``end`` of each; anything may lie between.

    ``axes`` and ``kept`` lead from columns of the block to places in the laid-out samples:
    ``kept`` are the positions in the block that were kept, None if all were.
    """

    depth: Array
    value: Array
    begin: Index
    end: Index
    axes: Array
    columns: int
    kept: Index | None

    def first(self) -> Array:
        """Depth of the first sample of each row; NaN for a row without samples."""
        return self._depth_at(self.begin)

    def last(self) -> Array:
        """Depth of the last sample of each row; NaN for a row without samples."""
        return self._depth_at(self.end - 1)

    def _depth_at(self, place: Index) -> Array:
        some = self.end > self.begin
        return np.where(some, self.depth[np.where(some, place, 0)], np.nan)

    def holds(self) -> bool:
        """Whether every sample has a depth, as far as the ends of the rows tell."""
        some = self.end > self.begin
        ends = self.depth[self.begin[some]] + self.depth[self.end[some] - 1]
        return not np.isnan(ends).any()

    def around(self, a: Array, b: Array, after_a: Index, at_b: Index) -> tuple[Index, Index]:
        """Place of the last sample not below a, and of the first not above b, of each row.

        Parameters
        ----------
        a, b : ndarray, shape (R,)
            Within the samples of the row, where it has an integral at all.
        after_a, at_b : ndarray of int, shape (R,)
            Columns to start from, as :func:`columns_around` gives them.
        """
        lo, hi = self._places(after_a, at_b)
        z, top = self.depth, self.depth.size - 1
        bracketed = (z[lo] <= a) & (a < z[np.minimum(lo + 1, top)])
        bracketed &= (z[np.maximum(hi - 1, 0)] < b) & (b <= z[hi])
        if self.axes.ndim > 1 and not (bracketed | ~(a < b)).all():
            # Depths are missing inside a row, where bisection may take the wrong turn.
            lo, hi = self._places(
                _first_true(self.axes > a[:, None]), _first_true(self.axes >= b[:, None])
            )
        return lo, hi

    def _places(self, after_a: Index, at_b: Index) -> tuple[Index, Index]:
        last = np.maximum(self.end - 1, 0)
        lo = np.clip(self._place(after_a) - 1, np.minimum(self.begin, last), last)
        return lo, np.clip(self._place(at_b), np.minimum(self.begin, last), last)

    def _place(self, column: Index) -> Index:
        """Place of the first sample in a column or after it."""
        position: Index = np.arange(self.begin.size) * self.columns + column
        return position if self.kept is None else np.searchsorted(self.kept, position)


def columns_around(depth: Array, rows: Index, a: Array, b: Array) -> tuple[Index, Index]:
    """Find the first column deeper than a, and the first not above b, of each row.

    Parameters
    ----------
    depth : ndarray, shape (n,) or (R, n)
        Increasing, padded with NaN at the end.
    rows : ndarray of int, shape (r,)
    a, b : ndarray, shape (r,)
        NaN is beyond all columns.
    """
    a, b = np.where(np.isnan(a), -np.inf, a), np.where(np.isnan(b), np.inf, b)
    if depth.ndim == 1:
        return np.searchsorted(depth, a, side="right"), np.searchsorted(depth, b, side="left")
    n, flat = depth.shape[1], depth.reshape(-1)
    begin = rows * n
    return (
        bisect(flat, begin, begin + n, a, np.less_equal) - begin,
        bisect(flat, begin, begin + n, b, np.less) - begin,
    )


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


def _first_true(flags: NDArray[np.bool_]) -> Index:
    first: Index = flags.argmax(axis=1)
    # argmax of a row without a True is 0 too.
    first[(first == 0) & ~flags[:, 0]] = flags.shape[1]
    return first


def lay_out(z: Array, c: Array, *, depths: bool = False) -> Laid | None:
    """Lay rows ``(R, n)`` end to end; without a copy if gaps are padding at the end of rows.

    Parameters
    ----------
    z : ndarray, shape (n,) or (R, n)
    c : ndarray, shape (R, n)
    depths : bool
        Whether values may stand where there is no depth, and must be looked for.

    Returns
    -------
    Laid
        None where more samples would be copied than fit a block.
    """
    rows, n = c.shape
    absent = c != c  # noqa: PLR0124  # NaN alone differs from itself, and isnan is slower
    if depths:
        absent |= z != z  # noqa: PLR0124
    axes = np.broadcast_to(z, c.shape)
    begin = np.arange(rows) * n
    length = _first_true(absent)
    if np.count_nonzero(absent) == rows * n - length.sum():
        return Laid(axes.reshape(-1), c.reshape(-1), begin, begin + length, z, n, None)
    if z.ndim > 1 and not depths:
        return lay_out(z, c, depths=True)
    if rows > 1 and c.size > BLOCK:
        return None
    kept = np.flatnonzero(~absent)
    ends = np.searchsorted(kept, np.arange(rows + 1) * n)
    return Laid(
        axes.reshape(-1)[kept] if z.ndim > 1 else z[kept % n],
        c.reshape(-1)[kept],
        ends[:-1],
        ends[1:],
        z,
        n,
        kept,
    )


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


def bridgeable(row: Index, column: Index, shape: tuple[int, ...], window: slice) -> NDArray[Any]:
    """Whether a row has few gaps, and none that reaches the outer segments of a window.

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
    possible: NDArray[np.bool_] = np.bincount(row, minlength=shape[0]) <= shape[1] // 16
    inner = column - (window.start + 2)
    reaches = (inner < 0) | (inner >= window.stop - window.start - 4)
    reaches &= (inner >= -2) & (inner < window.stop - window.start - 2)
    possible[row[reaches]] = False
    return possible
