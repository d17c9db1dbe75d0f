"""The mean of a profile over each segment between two samples, by either rule."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["log_mean", "means"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]

#: Where a profile falls more steeply within a segment, ``d / c0`` is so near -1 that ``log1p``
#: has lost digits.
_CLIFF = float(np.log(1e-3))


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
        np.log1p(out, out=out)
        cliffs = _NONE if out.min() > _CLIFF else np.flatnonzero(out < _CLIFF)
        np.divide(work, out, out=out)
    # Of positive values the mean is positive. It is not where a value is zero or negative or
    # missing, where two are equal, and where their ratio overflows: one minimum tells of all.
    if out.min() > 0 and cliffs.size == 0:
        return _NONE
    # Equal neighbours are many where few counts were measured: they are not worth a closer look.
    level = np.flatnonzero(work == 0)
    out[level] = c0[level]
    if level.size and out.min() > 0 and cliffs.size == 0:
        return _NONE
    right = out > 0
    right[cliffs] = False
    return _mend(c0, c1, out, np.flatnonzero(~right))


_NONE = np.zeros(0, dtype=np.intp)


def _mend(c0: Array, c1: Array, out: Array, odd: Index) -> Index:
    x0, x1 = c0[odd], c1[odd]
    mended = 0.5 * (x0 + x1)
    positive, differ = (x0 > 0) & (x1 > 0), x0 != x1
    mended[~differ] = x0[~differ]
    steep = positive & differ
    p0, p1 = x0[steep], x1[steep]
    mended[steep] = (p1 - p0) / (np.log(p1) - np.log(p0))
    out[odd] = mended
    fell_back: Index = odd[~positive & differ & ~np.isnan(mended)]
    return fell_back
