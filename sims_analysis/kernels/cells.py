"""Averages over cells, as points of the profile that they were averaged from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sims_analysis.kernels.rows import Rows


def as_points(rows: Rows) -> Rows:
    """Return the values in the middle of cells whose averages are given; points as they are.

    The average of ``exp(s z + q z^2 / 2)`` over a cell of width h is ``sinh(x) / x exp(q h^2 /
    24)`` times its middle, with ``x = s h / 2``. The parabola is that of ln C through a cell and
    its two neighbours, at an end that of the next; values stay where one is not positive, or x is
    above 1.
    """
    rows = rows if rows.lower is None else rows.packed()
    lower, upper = rows.lower, rows.upper
    if lower is None or upper is None:
        return rows
    at = np.flatnonzero(rows.repeat(rows.size > 2))
    first, last = rows.repeat(rows.offsets[:-1])[at], rows.repeat(rows.offsets[1:])[at] - 1
    middle = np.clip(at, first + 1, last - 1)
    z, width, factor = rows.depth, upper - lower, np.ones(rows.depth.size)
    with np.errstate(all="ignore"):
        y = np.log(rows.value)
        before, after = z[middle] - z[middle - 1], z[middle + 1] - z[middle]
        left, right = (y[middle] - y[middle - 1]) / before, (y[middle + 1] - y[middle]) / after
        bend = 2.0 * (right - left) / (before + after)
        slope = left + bend * (0.5 * before + z[at] - z[middle])
        x = 0.5 * slope * width[at]
        found = np.where(x == 0.0, 1.0, x / np.sinh(x)) * np.exp(-bend * width[at] ** 2 / 24.0)
    # A step within one cell is not exponential.
    factor[at] = np.where(np.isfinite(found) & (np.abs(x) < 1.0), found, 1.0)
    stderr = None if rows.stderr is None else rows.stderr * factor
    return replace(rows, value=rows.value * factor, stderr=stderr, lower=None, upper=None)
