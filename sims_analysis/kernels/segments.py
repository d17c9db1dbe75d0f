"""The mean of a profile over each segment between two samples, by either rule."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["log_mean", "means"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]

#: Where a profile falls more steeply within a segment, ``d / c0`` is so near -1 that ``log1p``
#: has lost digits. This is the mean of a segment that falls to a thousandth, over its first value.
_CLIFF = (1e-3 - 1.0) / float(np.log(1e-3))

#: Changes no ratio but 0, for which ``r / log1p(r)`` becomes 1 and not 0 / 0: equal neighbours are
#: many where few counts were measured.
_TINY = 1e-40


def log_mean(c0: Array, c1: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Mean of the exponential through two values: ``(c1 - c0) / ln(c1 / c0)``.

    Computed as ``c0 r / log1p(r)`` with ``r = (c1 - c0) / c0``: full precision where the plain
    formula loses all of it (c1 near c0), within 2e-14 elsewhere. Where an end is not positive:
    the mean of the two.

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
        np.divide(work, c0, out=work)
        work += _TINY
        np.log1p(work, out=out)
        np.divide(work, out, out=work)
        np.multiply(work, c0, out=out)
        # The ratio is smaller, or NaN, on a cliff, beside a zero or a missing value, where signs
        # differ, and where a ratio overflows: two minima tell that there is nothing to mend.
        lowest = c0.min()
        if lowest > 0 and work.min() > _CLIFF:
            return _NONE
        wrong = work > _CLIFF
    if not lowest >= 0:
        wrong &= c0 > 0  # two negative values have a ratio too
    np.logical_not(wrong, out=wrong)
    return _mend(c0, c1, out, np.flatnonzero(wrong))


_NONE = np.zeros(0, dtype=np.intp)


def _mend(c0: Array, c1: Array, out: Array, odd: Index) -> Index:
    x0, x1 = c0[odd], c1[odd]
    mended = 0.5 * (x0 + x1)
    fell = x0 != x1
    steep = np.flatnonzero((np.minimum(x0, x1) > 0) & fell)
    if steep.size:
        fell[steep] = False
        p0, p1 = x0[steep], x1[steep]
        mended[steep] = (p1 - p0) / (np.log(p1) - np.log(p0))
    out[odd] = mended
    fell &= mended == mended  # noqa: PLR0124  # not where a value is missing
    fell_back: Index = odd[fell]
    return fell_back
