"""The mean of a profile over each segment between two samples, by either rule."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["log_mean", "means"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]

#: Beyond these changes within a segment, ``log1p(d / c0)`` rounds or overflows.
_FALL, _RISE = 1e-3, 1e300


def log_mean(c0: Array, c1: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Mean of the exponential through two values: ``(c1 - c0) / ln(c1 / c0)``.

    Computed as ``d / log1p(d / c0)`` with ``d = c1 - c0``: full precision where the plain formula
    loses all of it (c1 near c0), within 2e-14 elsewhere. Where an end is not positive: the mean
    of the two.

    Returns
    -------
    mean : ndarray
    fell_back : ndarray of bool
    """
    mean, work = np.empty(c0.shape), np.empty(c0.shape)
    fell_back = np.zeros(c0.shape, dtype=bool)
    fell_back[means(c0, c1, mean, work, log=True)] = True
    return mean, fell_back


def means(c0: Array, c1: Array, out: Array, work: Array, *, log: bool) -> Index:
    """Write the mean over each segment into `out`.

    Parameters
    ----------
    c0, c1 : ndarray, shape (N,)
        Values at the ends of the segments; NaN gives NaN.
    out, work : ndarray, shape (N,)
        The result, and scratch.
    log : bool
        Of the exponential through the ends, or of the straight line.

    Returns
    -------
    ndarray of int
        The segments in which a logarithm was asked for and could not be taken.
    """
    if not log:
        np.add(c0, c1, out=out)
        out *= 0.5
        return _NONE
    if c0.size == 0:
        return _NONE
    with np.errstate(all="ignore"):
        np.subtract(c1, c0, out=work)
        np.divide(work, c0, out=out)
        # Two extremes tell that no segment holds a NaN, a zero, a cliff or a change of sign.
        # (Where all are negative no sign changes, but then the first is negative.)
        plain = out.min() > _FALL - 1 and out.max() < _RISE and c0[0] > 0
        np.log1p(out, out=out)
        odd = _NONE if plain else _without_log1p(c0, out)
        np.divide(work, out, out=out)
    level = np.flatnonzero(work == 0)
    if level.size:
        out[level] = c0[level]
    return _mend(c0, c1, out, odd) if odd.size else _NONE


_NONE = np.zeros(0, dtype=np.intp)


def _without_log1p(c0: Array, log: Array) -> Index:
    """Find the segments whose logarithm does not come out right as ``log1p(d / c0)``."""
    right = log > np.log(_FALL)
    right &= log < np.log(_RISE)
    right &= c0 > 0
    return np.flatnonzero(~right)


def _mend(c0: Array, c1: Array, out: Array, odd: Index) -> Index:
    x0, x1 = c0[odd], c1[odd]
    mended = 0.5 * (x0 + x1)
    positive = (x0 > 0) & (x1 > 0)
    p0, p1 = x0[positive], x1[positive]
    mended[positive] = (p1 - p0) / (np.log(p1) - np.log(p0))
    out[odd] = mended
    fell_back: Index = odd[~positive & (x0 != x1) & ~np.isnan(mended)]
    return fell_back
