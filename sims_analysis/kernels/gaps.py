"""Samples that were not measured, in blocks of rows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Gaps", "Laid", "bridgeable", "gaps", "lay_out"]

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

    def around(self, a: Array, b: Array) -> tuple[Index, Index]:
        """Place of the last sample not below a, and of the first not above b, of each row."""
        if self.axes.ndim == 1:
            after_a = np.searchsorted(self.axes, a, side="right")
            at_b = np.searchsorted(self.axes, b, side="left")
        else:
            after_a = _first_true(self.axes > a[:, None])
            at_b = _first_true(self.axes >= b[:, None])
        return self._place(after_a) - 1, self._place(at_b)

    def _place(self, column: Index) -> Index:
        """Place of the first sample in a column or after it."""
        position: Index = np.arange(self.begin.size) * self.columns + column
        return position if self.kept is None else np.searchsorted(self.kept, position)


def _first_true(flags: NDArray[np.bool_]) -> Index:
    first: Index = flags.argmax(axis=1)
    # argmax of a row without a True is 0 too.
    first[(first == 0) & ~flags[:, 0]] = flags.shape[1]
    return first


def lay_out(z: Array, c: Array) -> Laid:
    """Lay rows ``(R, n)`` end to end; without a copy if gaps are padding at the end of rows.

    Parameters
    ----------
    z : ndarray, shape (n,) or (R, n)
    c : ndarray, shape (R, n)
    """
    rows, n = c.shape
    absent = c != c  # noqa: PLR0124  # NaN alone differs from itself, and isnan is slower
    if z.ndim > 1:
        absent |= z != z  # noqa: PLR0124
    axes = np.broadcast_to(z, c.shape)
    begin = np.arange(rows) * n
    length = _first_true(absent)
    if np.count_nonzero(absent) == rows * n - length.sum():
        return Laid(axes.reshape(-1), c.reshape(-1), begin, begin + length, z, n, None)
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


def gaps(absent: Index, n: int) -> Gaps:
    """Find the gaps that lie between samples of their row.

    Parameters
    ----------
    absent : ndarray of int
        Positions without a sample in the flattened block, in order.
    n : int
        Samples of a row.
    """
    column = absent % n
    opens = np.ones(absent.size, dtype=bool)
    opens[1:] = (np.diff(absent) > 1) | (column[1:] == 0)
    closes = np.roll(opens, -1)
    row, before, after = absent[opens] // n, column[opens] - 1, column[closes] + 1
    within = (before >= 0) & (after < n)
    return Gaps(row[within], before[within], after[within])


def bridgeable(absent: Index, rows: int, n: int, first: int, last: int) -> NDArray[np.bool_]:
    """Whether a row has few gaps, and none that reaches the outer segments of a window.

    Each row is judged by itself, so that it is worked on in one way whatever stands beside it.

    Parameters
    ----------
    absent : ndarray of int
        Positions without a sample in the flattened block, in order.
    rows, n : int
        Shape of the block.
    first, last : int
        First and last column of the window.
    """
    begin = np.arange(rows) * n
    count = np.searchsorted(absent, begin + n) - np.searchsorted(absent, begin)
    possible: NDArray[np.bool_] = count <= n // 16
    for column in {first, first + 1, last - 1, last}:
        place = np.searchsorted(absent, begin + column)
        possible &= absent[np.minimum(place, absent.size - 1)] != begin + column
    return possible
