"""Many profiles laid end to end, without the gaps: what kernels work on when axes differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["BLOCK", "Rows", "blocks", "compress", "flat_rows", "per_row"]

Array = NDArray[np.float64]

#: Samples worked on at a time: scratch arrays of this size stay in the processor's cache.
BLOCK = 1 << 16


@dataclass(frozen=True)
class Rows:
    """Samples of `count` profiles, end to end.

    ``start[r]`` to ``start[r + 1]`` are the samples of row ``r``; ``row`` gives the row of every
    sample.
    """

    depth: Array
    value: Array
    start: NDArray[np.intp]
    row: NDArray[np.intp]

    @property
    def count(self) -> int:
        """Number of rows."""
        return self.start.size - 1

    @property
    def size(self) -> NDArray[np.intp]:
        """Number of samples of each row."""
        return np.diff(self.start)

    @property
    def seams(self) -> NDArray[np.intp]:
        """Positions of the segments that would join one row to the next."""
        inner = self.start[1:-1]
        return np.unique(inner[(inner > 0) & (inner < self.depth.size)]) - 1

    def first(self) -> Array:
        """Depth of the first sample of each row; NaN for a row without samples."""
        return self._ends(self.start[:-1])

    def last(self) -> Array:
        """Depth of the last sample of each row; NaN for a row without samples."""
        return self._ends(self.start[1:] - 1)

    def _ends(self, position: NDArray[np.intp]) -> Array:
        ends = np.full(self.count, np.nan)
        some = self.size > 0
        ends[some] = self.depth[position[some]]
        return ends

    def sum(self, samples: Array) -> Array:
        """Sum over the samples of each row; 0 for a row without samples."""
        total = np.zeros(self.count)
        some = np.flatnonzero(self.size)
        if some.size:
            total[some] = np.add.reduceat(samples, self.start[some])
        return total


def compress(depth: Array, value: Array) -> Rows:
    """Lay the rows of ``value (R, n)`` end to end, leaving out what was not measured."""
    rows, n = value.shape
    measured = ~np.isnan(value)
    if depth.ndim > 1:
        measured &= ~np.isnan(depth)
    flat = np.flatnonzero(measured)
    start = np.zeros(rows + 1, dtype=np.intp)
    np.cumsum(np.count_nonzero(measured, axis=1), out=start[1:])
    return Rows(
        depth=depth[flat % n] if depth.ndim == 1 else depth.reshape(-1)[flat],
        value=value.reshape(-1)[flat],
        start=start,
        row=flat // n,
    )


def flat_rows(value: Array) -> tuple[Array, tuple[int, ...]]:
    """View ``(..., n)`` as ``(R, n)``, contiguous; and the leading shape."""
    return np.ascontiguousarray(value).reshape(-1, value.shape[-1]), value.shape[:-1]


def per_row(parameter: Array | float, lead: tuple[int, ...]) -> Array:
    """Give one parameter a row: ``(R,)``, from whatever broadcasts to the leading shape."""
    return np.broadcast_to(np.asarray(parameter, dtype=np.float64), lead).reshape(-1)


def blocks(rows: int, n: int) -> Iterator[slice]:
    """Cut the rows into blocks of about `BLOCK` samples."""
    step = max(1, BLOCK // max(n, 1))
    for begin in range(0, rows, step):
        yield slice(begin, min(begin + step, rows))
