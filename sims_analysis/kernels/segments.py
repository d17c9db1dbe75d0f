"""The mean of a profile over each segment between two samples, by either rule."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.rows import few, taken

__all__ = ["log_mean", "lowest_of", "means", "ratio"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]

#: Added above and below the line of ``(q - 1) / ln q``, which for q = 1 is then 1 and not 0 / 0:
#: equal neighbours are many where few counts were measured. It stands for a q that is larger by
#: half a unit in the last place.
_HALF = 2.0**-53

#: Segments that are mended at a time.
_MANY = 1 << 13

#: Of ratios whose digits underflow, the mean over the first value is less.
_STEEPEST = 1 / 700


def log_mean(c0: Array, c1: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Mean of the exponential through two values: ``(c1 - c0) / ln(c1 / c0)``.

    Computed as ``c0 (q - 1) / ln q`` with ``q = c1 / c0``, rounded once: full precision, also where
    the plain formula loses all of it (c1 near c0). Where an end is not positive: the mean of the
    two.

    Returns
    -------
    mean : ndarray
    fell_back : ndarray of bool
    """
    mean, work = np.empty(c0.shape), np.empty(c0.shape)
    fell_back = np.zeros(c0.shape, dtype=bool)
    fell_back.reshape(-1)[means(c0, c1, mean, work, log=True)] = True
    return mean, fell_back


def means(
    c0: Array, c1: Array, out: Array, work: Array, *, log: bool, lowest: float = np.nan
) -> Index:
    """Write the mean over each segment into `out`.

    Parameters
    ----------
    c0, c1 : ndarray
        Values at the ends of the segments; NaN gives NaN.
    out, work : ndarray
        The result, and scratch: of the same shape, and contiguous.
    log : bool
        Of the exponential through the ends, or of the straight line.
    lowest : float
        The lowest of all values that there are, if it is known: positive ones are not looked at
        again, and what is infinite gives NaN or infinity.

    Returns
    -------
    ndarray of int
        The (flat) segments in which a logarithm was asked for and could not be taken, in order.
    """
    if not log:
        np.add(c0, c1, out=out)
        out *= 0.5
        return _NONE
    if c0.size == 0:
        return _NONE
    with np.errstate(all="ignore"):
        steep = ratio(c1, c0, work)
        np.log(work, out=out)
        work -= 1.0 - _HALF
        out += _HALF
        try:
            # Of positive values, 0 / 0: neighbours in floating point, of which the second is less.
            with np.errstate(invalid="raise" if lowest > 0.0 else "ignore"):
                np.divide(work, out, out=work)
        except FloatingPointError:
            return means(c0, c1, out, work, log=log)
        np.multiply(work, c0, out=out)
    if lowest > 0.0 and not steep:
        return _NONE
    # What is not positive, or NaN, is beside a zero, a missing or a negative value.
    right = np.greater(out, 0.0)
    if steep:
        right &= work > _STEEPEST
    number = right.size - np.count_nonzero(right)
    if number == 0:
        return _NONE
    odd = few(np.logical_not(right, out=right).reshape(-1))
    fell = [_mend(c0, c1, out, odd[i : i + _MANY]) for i in range(0, odd.size, _MANY)]
    return fell[0] if len(fell) == 1 else np.concatenate(fell)


def lowest_of(c: Array) -> float:
    """Give the lowest of all values, or of those that there are a number with its sign."""
    lowest = float(c.min())
    if lowest == lowest:  # noqa: PLR0124  # not NaN
        return lowest
    return 0.0 if np.count_nonzero(c <= 0.0) else 1.0


def ratio(c1: Array, c0: Array, out: Array) -> bool:
    """Divide, and tell whether a ratio left the range of float64: the processor notes it anyway.

    What else there is to say, of zeros and missing values, is ignored by the caller.
    """
    try:
        with np.errstate(under="raise", over="raise"):
            np.divide(c1, c0, out=out)
    except FloatingPointError:
        np.divide(c1, c0, out=out)
        return True
    return False


_NONE = np.zeros(0, dtype=np.intp)


def _mend(c0: Array, c1: Array, out: Array, odd: Index) -> Index:
    x0, x1 = taken(c0, odd), taken(c1, odd)
    mended = x0 + x1
    mended *= 0.5
    fell = x0 != x1
    steep = np.flatnonzero((np.minimum(x0, x1) > 0) & fell)
    if steep.size:
        fell[steep] = False
        p0, p1 = x0[steep], x1[steep]
        d = p1 - p0
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = d / (np.log(p1) - np.log(p0))
        # Neighbours in floating point have one mean by either rule, and so has what is infinite.
        either = (np.abs(d) < 1e-8 * p0) | np.isinf(d)
        mended[steep] = np.where(either, mended[steep], mean)
    out.reshape(-1)[odd] = mended
    fell &= mended == mended  # noqa: PLR0124  # where there is no mean, none was asked for
    fell_back: Index = odd[fell]
    return fell_back
