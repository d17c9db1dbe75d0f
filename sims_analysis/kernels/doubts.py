"""What an answer may rest on that was not measured: gaps and saturated samples."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.gaps import gaps_within
from sims_analysis.kernels.rows import Array, Index, Rows, Status, first_status
from sims_analysis.kernels.saturation import LEAST, saturated

#: On a grid, so many times as many saturated samples are needed.
_SURELY = 4.0


class Doubts(NamedTuple):
    """Status of what lies between two limits: ``OK``, ``SATURATED`` or ``GAP``; (R,).

    Also the total width of the gaps there, whether or not they are accepted.
    """

    status: NDArray[np.uint8]
    gap: Array


def doubts(
    rows: Rows,
    start: Array,
    stop: Array,
    fraction: Array | float = 1.0,
    *,
    bridge: bool = False,
    runs: Index | None = None,
) -> Doubts:
    """Say on what an answer about an interval rests; NaN means no limit.

    A saturated sample before a gap; with `bridge`, gaps are accepted. On a grid finer than the
    samples (`fraction`: effective samples per depth), two equal samples make many equal values:
    only many more count than five samples make, because the noise of a grid is not that of samples.
    `runs`: as for :func:`saturated`.
    """
    full = np.zeros(rows.count, dtype=bool)
    flags = saturated(rows, runs)
    if flags is not None:
        inside = ~((rows.depth < rows.repeat(start)) | (rows.depth > rows.repeat(stop)))
        enough = rows.sum(flags.astype(np.float64)) * fraction >= np.where(
            np.less(fraction, 1.0), _SURELY * LEAST, LEAST
        )
        full = enough & (rows.sum((flags & inside).astype(np.float64)) > 0)
    gap = gaps_within(rows, start, stop).width
    empty = (gap > 0) & (not bridge)
    return Doubts(first_status((full, Status.SATURATED), (empty, Status.GAP)), gap)


class Saturated(NamedTuple):
    """Number of saturated samples of each row, and their value (NaN without any); (R,)."""

    n: Array
    value: Array


def saturated_samples(rows: Rows) -> Saturated:
    """Count the saturated samples, and return their largest value."""
    flags = saturated(rows)
    if flags is None:
        return Saturated(np.zeros(rows.count), np.full(rows.count, np.nan))
    n = rows.sum(flags.astype(np.float64))
    value = rows.reduce(np.maximum, np.where(flags, rows.value, -np.inf), -np.inf)
    return Saturated(n, np.where(n > 0, value, np.nan))
