"""Values within segments, whose ends are given."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.rows import few, taken
from sims_analysis.kernels.segments import ratio

__all__ = ["ROUNDING", "between", "write_between"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]


def between(c0: Array, c1: Array, t: Array, *, log: bool) -> tuple[Array, NDArray[np.bool_]]:
    """Interpolate within segments.

    Parameters
    ----------
    c0, c1 : ndarray
        Values at the ends of the segments.
    t : ndarray
        Place in the segment, 0 at `c0`, 1 at `c1`.
    log : bool
        Linear in ln C: ``c0 (c1 / c0)^t``; where an end is not positive, linear in C.

    Returns
    -------
    value : ndarray
        Exactly `c0` where t = 0, exactly `c1` where t = 1.
    fell_back : ndarray of bool
        Where a logarithm was asked for and could not be taken.
    """
    shape = c0.shape
    if not shape == c1.shape == t.shape:
        shape = np.broadcast_shapes(c0.shape, c1.shape, t.shape)
        c0, c1 = np.broadcast_to(c0, shape), np.broadcast_to(c1, shape)
    value = np.empty(shape)
    fell_back = np.zeros(value.size, dtype=bool)
    fell_back[write_between(c0, c1, t, value, np.empty(shape), log=log)] = True
    at_start, at_end = np.equal(t, 0), np.equal(t, 1)
    np.copyto(value, c0, where=at_start)
    np.copyto(value, c1, where=at_end)
    return value, fell_back.reshape(shape) & ~(at_start | at_end)


def write_between(
    c0: Array,
    c1: Array,
    t: Array,
    out: Array,
    spare: Array,
    *,
    log: bool,
    nearest: float = np.inf,
    lowest: float = np.nan,
) -> Index:
    """Write values between the ends of segments into `out`; `spare` is scratch.

    Parameters
    ----------
    nearest : float
        Where ln (c1 / c0) is as large, rounding does not lead beyond the ends.

    lowest : float
        The lowest of all values, if it is known.

    Returns
    -------
    ndarray of int
        The (flat) places at which a logarithm was asked for and could not be taken.
    """
    if not log or out.size == 0:
        np.subtract(c1, c0, out=out)
        out *= t
        out += c0
        return _NONE
    with np.errstate(all="ignore"):
        extreme = ratio(c1, c0, spare)
        try:
            # Of positive values, a ratio of 0 is of an infinite one.
            with np.errstate(divide="raise" if lowest > 0.0 else "ignore"):
                np.log(spare, out=spare)
        except FloatingPointError:
            extreme = True
            np.log(np.divide(c1, c0, out=spare), out=spare)
        np.multiply(spare, t, out=out)
        np.exp(out, out=out)
        out *= c0
    # An exponential between the ends lies between the ends, rounding or not.
    if nearest == np.inf:
        np.maximum(out, np.minimum(c0, c1, out=spare), out=out)
        np.minimum(out, np.maximum(c0, c1, out=spare), out=out)
    else:
        near = np.less(np.abs(spare, out=spare), nearest)
        number = np.count_nonzero(near)
        if number and number != np.count_nonzero(spare == 0.0):
            near &= spare != 0.0
            where = few(near.reshape(-1))
            x0, x1, flat = taken(c0, where), taken(c1, where), out.reshape(-1)
            flat[where] = flat[where].clip(np.minimum(x0, x1), np.maximum(x0, x1))
    # No value is positive where a logarithm failed, but where a ratio left the range of float64.
    lowest = lowest if lowest == lowest else float(out.min())  # noqa: PLR0124  # not if NaN
    if lowest > 0.0 and not extreme:
        return _NONE
    right = np.greater(out, 0.0)
    if extreme:
        with np.errstate(all="ignore"):
            np.divide(c1, c0, out=spare)
        right &= (spare >= _TINY) & (spare < np.inf)
    return _mend(c0, c1, t, out, few(~right.reshape(-1)))


_NONE = np.zeros(0, dtype=np.intp)
_TINY = np.finfo(np.float64).tiny

#: What rounding adds to a logarithm on the way to a value and back, with a margin.
ROUNDING = 4e-15


def _mend(c0: Array, c1: Array, t: Array, out: Array, odd: Index) -> Index:
    """Put right the (flat) places at which ``c0 (c1 / c0)^t`` does not hold."""
    x0, x1, t = (taken(x, odd) for x in (c0, c1, np.broadcast_to(t, out.shape)))
    low = np.minimum(x0, x1)
    positive = low > 0
    with np.errstate(all="ignore"):  # of infinite values, and of places beyond the segment
        mended = x0 + t * (x1 - x0)
        if positive.any():
            low, x0, x1, t = (x[positive] for x in (low, x0, x1, t))
            steep = np.exp((1 - t) * np.log(x0) + t * np.log(x1))
            mended[positive] = steep.clip(low, np.maximum(x0, x1))
    out.reshape(-1)[odd] = mended
    fell: Index = odd[~positive & ~np.isnan(mended)]
    return fell
