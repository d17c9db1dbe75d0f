"""Several species of a measurement on the depths of all of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.gaps import bisect, gaps
from sims_analysis.kernels.interpolation import between

__all__ = ["bridged", "on_all_depths", "samples_around"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]


def bridged(depth: Array, c: Array, missing: NDArray[np.bool_]) -> Array:
    """Evaluate each species where it was not measured and another was.

    Parameters
    ----------
    depth : ndarray, shape (n,)
    c : ndarray, shape (R, s, n)
        Not needed any more: the result is written into it.
    missing : ndarray of bool, shape (R, s, n)
        Where it is NaN.

    Returns
    -------
    ndarray, shape (R, s, n)
        Logarithmically between the samples of the species; NaN beyond them, and where no species
        was measured.
    """
    n = c.shape[-1]
    nowhere = np.logical_and.reduce(missing, axis=1)
    found = gaps(missing.reshape(-1, n))
    # The gap of each missing sample, if it has samples on both sides and is to be evaluated.
    number = np.arange(found.row.size)
    number[(found.before < 0) | (found.after == n)] = -1
    gap = np.repeat(number, found.after - found.before - 1)
    elsewhere = np.greater(missing, nowhere[:, None]).reshape(-1).take(found.absent)
    asked = np.flatnonzero(elsewhere & (gap >= 0))
    place, gap = found.absent.take(asked), gap.take(asked)
    line, before, after = found.row.take(gap) * n, found.before.take(gap), found.after.take(gap)
    z0 = depth.take(before)
    t = (depth.take(place - line) - z0) / (depth.take(after) - z0)
    flat = c.reshape(-1)
    flat[place], _ = between(flat.take(line + before), flat.take(line + after), t, log=True)
    return c


def on_all_depths(depth: Array, c: Array) -> tuple[Array, Array, Index]:
    """Evaluate each species at every depth of its row at which any species was measured.

    Parameters
    ----------
    depth, c : ndarray, shape (R, s, n)

    Returns
    -------
    z : ndarray, shape (N,)
        Depths, row after row.
    value : ndarray, shape (s, N)
        Logarithmically between the samples of the species, NaN beyond them.
    start : ndarray of int, shape (R + 1,)
        ``start[r]`` to ``start[r + 1]`` are the depths of row ``r``.
    """
    rows, species, n = c.shape
    every = species * n
    unsorted = np.where(np.isnan(c), np.nan, depth).reshape(rows, every)
    order = np.argsort(unsorted, axis=1, kind="stable")
    z = np.take_along_axis(unsorted, order, axis=1)
    value = np.take_along_axis(c.reshape(rows, every), order, axis=1)
    measured = ~(np.isnan(value) | np.isnan(z))
    # Of samples at the same depth, the last one stands for it: none of them lies after it.
    last = np.ones(z.shape, dtype=bool)
    np.not_equal(z[:, 1:], z[:, :-1], out=last[:, :-1])
    at = np.flatnonzero(last)
    z, value, which = z.ravel(), value.ravel(), order // n
    begin = at // every * every
    found = np.empty((species, at.size))
    exists = np.zeros(at.size, dtype=bool)
    for one in range(species):
        mine = np.flatnonzero(measured & (which == one))
        if mine.size == 0:
            found[one] = np.nan
            continue
        place = np.searchsorted(mine, at, side="right")
        before, after = mine[np.maximum(place - 1, 0)], mine[np.minimum(place, mine.size - 1)]
        some = (place > 0) & (before >= begin)
        exact = some & (z[before] == z[at])
        inside = some & ~exact & (place < mine.size) & (after < begin + every)
        t = (z[at] - z[before]) / np.where(inside, z[after] - z[before], 1.0)
        filled, _ = between(value[before], value[after], np.where(inside, t, 0.0), log=True)
        found[one] = np.where(inside | exact, filled, np.nan)
        exists |= exact
    start = np.searchsorted(at[exists], np.arange(rows + 1) * every)
    return z[at[exists]], found[:, exists], start


def samples_around(depth: Array, c: Array, row: Index, at: Array) -> tuple[Index, Index]:
    """Find the measured samples of each species that lie around depths within them.

    Parameters
    ----------
    depth : ndarray, shape (n,) or (R, s, n)
    c : ndarray, shape (R, s, n)
    row, at : ndarray, shape (K,)

    Returns
    -------
    before, after : ndarray of int, shape (K, s)
        (Flat) samples: the last that is not deeper, and the next; the same where there is none.
    """
    rows, species, n = c.shape
    z = np.broadcast_to(depth, c.shape)
    measured = ~(np.isnan(c) | np.isnan(z))
    kept = np.flatnonzero(measured)
    ends = np.searchsorted(kept, np.arange(rows * species + 1) * n)
    line = row[:, None] * species + np.arange(species)
    begin, end = ends[line], ends[line + 1]
    depths = z[measured]
    place = bisect(depths, begin, end, np.broadcast_to(at[:, None], line.shape), np.less_equal)
    before = np.maximum(place - 1, begin)
    after = np.minimum(before + 1, end - 1)
    return kept[before], kept[after]
