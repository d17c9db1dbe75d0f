"""Which crossings of a level noise can make: runs of samples that hardly leave it.

A run is the samples between two crossings. Near an edge, and where a profile stays near the level,
noise cuts it into many short ones; what is left when these are joined are the edges.
"""

from __future__ import annotations

import numpy as np

from sims_analysis.kernels.counting import value_per_count
from sims_analysis.kernels.levels import Crossings
from sims_analysis.kernels.rows import Array, Flags, Index, Rows, changed

#: A run is significant from so many standard errors on, if it could be at so FEW places.
SIGNIFICANT, FEW = 4.0, 10


def significant(
    rows: Rows,
    level: Array,
    found: Crossings,
    level_stderr: Array | float = 0.0,
    floor: Array | None = None,
) -> Crossings:
    """Leave out the crossings that noise can make; all are kept without standard errors.

    The significance of a run is ``|sum(c - L)| / sqrt(sum var)``, with the variances that its
    samples would have at the level. The least certain run of less than four joins its neighbours,
    again and again. Noise may make a run of n samples anywhere in a row of N: from ten such places
    on it takes ``sqrt(16 + 2 ln(N / 10 n))``.
    """
    if rows.stderr is None or not found.row.size:
        return found
    under = 0.0 if floor is None else rows.repeat(floor)

    def of_row(samples: Array) -> Array:
        total: Array = rows.repeat(rows.sum(samples))
        return total

    known = np.isfinite(rows.stderr)
    stderr = np.where(known, rows.stderr, 0.0)
    one = value_per_count(rows.value + under, stderr, of_row)
    with np.errstate(invalid="ignore", over="ignore"):
        variance = one * np.maximum(level + under, 0.0) + np.square(level_stderr)
        # Without any standard error in its row, every sample is certain.
        certain = known | (of_row(known.astype(np.float64)) == 0.0)
        excess = np.where(certain, rows.value - level, 0.0).reshape(-1)
    variance = np.where(known, np.nan_to_num(variance), 0.0).reshape(-1)
    begin = np.unique(np.append(rows.offsets[:-1][rows.size > 0], found.before + 1))
    with np.errstate(over="ignore"):
        sums = np.add.reduceat(excess, begin), np.add.reduceat(variance, begin)
    crossing = np.full(begin.size, -1)
    crossing[begin.searchsorted(found.before + 1)] = np.arange(found.row.size)
    row = rows.offsets.searchsorted(begin, side="right") - 1
    kept, falling = _joined(row, crossing, *sums, np.diff(np.append(begin, excess.size)))
    return changed(found.take(kept), falling=falling)


def _joined(
    row: Index, crossing: Index, excess: Array, variance: Array, size: Index
) -> tuple[Index, Flags]:
    """Join runs until all are significant; return the crossings between them, and which fall.

    `crossing` is the one at which a run begins; -1 for the first of its row. All runs that are the
    least certain of five neighbours are joined at once.
    """
    whole = np.bincount(row, size)
    while True:
        same = row[1:] == row[:-1]
        alone = ~(np.append(same, False) | np.append(False, same))
        with np.errstate(divide="ignore", invalid="ignore"):
            certain = np.abs(excess) / np.sqrt(variance)
        certain[alone | (variance == 0)] = np.inf
        places = np.maximum(whole[row] / (FEW * size), 1.0)
        certain /= np.sqrt(SIGNIFICANT**2 + 2.0 * np.log(places))
        least = certain < 1.0
        for k in (1, 2):
            near = row[k:] == row[:-k]
            earlier, later = certain[:-k], certain[k:]
            least[:-k] &= ~(near & (later < earlier))
            least[k:] &= ~(near & (earlier <= later))
        # A run that has joined its neighbours may outweigh them.
        joined = same & (least[1:] | least[:-1] | (excess[1:] * excess[:-1] > 0))
        if not joined.any():
            break
        begin = np.flatnonzero(np.append(True, ~joined))
        excess, variance, size = (np.add.reduceat(x, begin) for x in (excess, variance, size))
        row, crossing = row[begin], crossing[begin]
    between = np.flatnonzero(same)
    return crossing[between + 1], excess[between] > 0
