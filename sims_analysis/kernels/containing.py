"""At what depth a stated part of the integral has been reached."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.dose import cumulative
from sims_analysis.kernels.rows import flat_rows

__all__ = ["containing_depth"]

Array = NDArray[np.float64]


def containing_depth(
    depth: Array, value: Array, fractions: Array, *, rule: str = "trapezoid"
) -> Array:
    """Find the depths above which stated fractions of each row's integral lie.

    The inverse of the cumulative integral, solved within the segment by the rule that made it:
    the root of a quadratic for a straight line, a logarithm for an exponential.

    Parameters
    ----------
    depth : ndarray, shape (n,) or (..., n)
    value : ndarray, shape (..., n)
    fractions : ndarray, shape (m,)
        Between 0 and 1.
    rule : {"trapezoid", "loglinear"}

    Returns
    -------
    ndarray, shape (..., m)
        NaN for a row whose integral is not positive.
    """
    rows, lead = flat_rows(np.asarray(value, dtype=np.float64))  # squares overflow float32
    total = flat_rows(cumulative(depth, rows.reshape(value.shape), rule=rule))[0]
    result = np.full((rows.shape[0], fractions.size), np.nan)
    axis = depth if depth.ndim == 1 else flat_rows(depth)[0]
    for row in range(rows.shape[0]):
        measured = np.flatnonzero(~np.isnan(total[row]))
        if measured.size < 2:
            continue
        z = (axis if axis.ndim == 1 else axis[row])[measured]
        c, q = rows[row, measured], total[row, measured]
        if q[-1] > 0:
            result[row] = [_solve(z, c, q, f * q[-1], rule) for f in fractions]
    return result.reshape(*lead, fractions.size)


def _solve(z: Array, c: Array, q: Array, target: float, rule: str) -> float:
    # Where noise makes the integral dip, the depth at which it first gets there.
    after = int(np.argmax(q >= target))
    if after == 0:
        return float(z[0])
    before = after - 1
    h, c0, c1, rest = z[after] - z[before], c[before], c[after], target - q[before]
    if rest >= q[after] - q[before]:
        return float(z[after])
    if rule == "loglinear" and c0 > 0 and c1 > 0 and c0 != c1:
        slope = np.log(c1 / c0) / h
        return float(z[before] + np.log1p(rest * slope / c0) / slope)
    # c0 u + (c1 - c0) u^2 / 2h = rest, in the form that does not cancel for a flat segment.
    root = np.sqrt(c0 * c0 + 2 * (c1 - c0) / h * rest)
    return float(z[before] + 2 * rest / (c0 + root))
