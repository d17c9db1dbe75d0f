"""At what depth a stated part of the integral has been reached, and how well that is known."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.dose import cumulative
from sims_analysis.kernels.one_axis import trapezoid_weights
from sims_analysis.kernels.rows import (
    Rows,
    block_of,
    blocks,
    compress,
    first_of_each,
    flat_rows,
)

__all__ = ["depth_at_dose_fraction"]

Array = NDArray[np.float64]

OK, NO_DATA, NEVER_REACHED = 0, 1, 2

#: Counts on one side of a depth from which its distribution is no longer told.
_FEW = 2.0


def depth_at_dose_fraction(
    depth: Array,
    value: NDArray[Any],
    stderr: NDArray[Any] | None,
    fractions: Array,
    *,
    rule: str = "trapezoid",
) -> tuple[Array, Array, NDArray[np.uint8]]:
    """Find the depths above which stated fractions of each row's integral lie.

    The inverse of the cumulative integral, solved within the segment by the rule that made it:
    the root of a quadratic for a straight line, a logarithm for an exponential.

    Parameters
    ----------
    depth : ndarray, shape (n,) or (..., n)
    value : ndarray, shape (..., n)
    stderr : ndarray, shape (..., n), optional
        Of independent samples.
    fractions : ndarray, shape (m,)
        Between 0 and 1.
    rule : {"trapezoid", "loglinear"}

    Returns
    -------
    depth : ndarray, shape (..., m)
        NaN for a row whose integral is not positive.
    stderr : ndarray, shape (..., m)
        Half the distance between the depths at which the cumulative integral is its own standard
        error u less and more than asked: ``u^2 = sum ((f W_i - w_i) s_i)^2``, with the weights W
        of the whole integral and w of that down to the depth. NaN without standard errors, where
        one is not known, where u is 0 (too few samples were counted to tell), and where less than
        u, or than two counts, lie on one side of the depth.
    status : ndarray, shape (...)
        ``no_data`` with fewer than two samples, ``never_reached`` where the integral is not
        positive.
    """
    rows, lead = flat_rows(value)
    own = depth if depth.ndim == 1 else flat_rows(np.broadcast_to(depth, value.shape))[0]
    errors = None if stderr is None else flat_rows(np.broadcast_to(stderr, value.shape))[0]
    at = np.full((rows.shape[0], fractions.size), np.nan)
    sigma = np.full(at.shape, np.nan)
    status = np.full(rows.shape[0], NO_DATA, dtype=np.uint8)
    for block in blocks(*rows.shape):
        z, c = block_of(own, block), block_of(rows, block)  # squares overflow float32
        laid = compress(z, c)
        if laid.depth.size == 0:
            continue
        running = laid.beside(cumulative(z, c, rule=rule))
        total = np.full(laid.count, np.nan)
        enough = laid.size > 1
        total[enough] = running[laid.start[1:][enough] - 1]
        status[block] = np.where(enough, np.where(total > 0, OK, NEVER_REACHED), NO_DATA)
        total[~(total > 0)] = np.nan
        s = None if errors is None else laid.beside(block_of(errors, block))
        whole = _weights(laid, np.inf)
        # Variance over value: what one count adds to the integral.
        few = np.nan if s is None else _FEW * _variance(laid, s, whole) / total
        for i, fraction in enumerate(fractions):
            found = _solve(laid, running, fraction * total, rule)
            at[block, i] = found
            if s is not None:
                slope = fraction * whole - _weights(laid, found)
                u = np.sqrt(_variance(laid, s, slope))
                smaller = min(fraction, 1.0 - fraction) * total
                known = smaller >= np.fmax(u, few)
                low, high = (
                    _solve(laid, running, np.where(known, fraction * total + side, np.nan), rule)
                    for side in (-u, u)
                )
                sigma[block, i] = 0.5 * (high - low)
    shape = (*lead, fractions.size)
    return at.reshape(shape), sigma.reshape(shape), status.reshape(lead)


def _solve(rows: Rows, running: Array, target: Array, rule: str) -> Array:
    """Give the depths at which the running integral gets to its target; NaN for a NaN target."""
    found = np.full(rows.count, np.nan)
    # Where noise makes the integral dip, the depth at which it first gets there.
    if rows.kept is None:  # all of them as long
        reached = running.reshape(rows.count, -1) >= target[:, None]
        column = reached.argmax(axis=1)
        row = np.flatnonzero(reached[np.arange(rows.count), column])
        after = rows.start[row] + column[row]
    else:
        there = np.flatnonzero(running >= rows.spread(target))
        row, first = first_of_each(rows.start.searchsorted(there, side="right") - 1)
        after = there[first]
    found[row] = rows.depth[after]
    inner = after > rows.start[row]
    row, after = row[inner], after[inner]
    before = after - 1
    h, c0, c1 = rows.depth[after] - rows.depth[before], rows.value[before], rows.value[after]
    rest = target[row] - running[before]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        # c0 u + (c1 - c0) u^2 / 2h = rest, in the form that does not cancel for a flat segment.
        part = 2 * rest / (c0 + np.sqrt(c0 * c0 + 2 * (c1 - c0) / h * rest))
        if rule == "loglinear":
            slope = np.log(c1 / c0) / h
            exponential = (c0 > 0) & (c1 > 0) & (c0 != c1)
            part = np.where(exponential, np.log1p(rest * slope / c0) / slope, part)
    whole = rest >= running[after] - running[before]
    found[row] = np.where(whole, rows.depth[after], rows.depth[before] + part)
    return found


def _weights(rows: Rows, stop: Array | float) -> Array:
    """Give the weights of the samples in the integral down to a depth for each row."""
    if rows.depth.size < 2:
        return np.zeros(rows.depth.size)
    # Any limit will do for rows without an answer.
    limit = np.broadcast_to(np.where(np.isnan(stop), 0.0, stop), rows.count)
    return trapezoid_weights(rows.depth, -np.inf, limit[rows.row[:-1]], rows.seams)


def _variance(rows: Rows, stderr: Array, weights: Array) -> Array:
    """Give the variance of a weighted sum; NaN where it is 0, or an error in it is unknown."""
    # A sample without weight counts for nothing, whether or not its error is known.
    variance = rows.sum(np.where(weights == 0.0, 0.0, weights * stderr) ** 2)
    return np.where(variance > 0, variance, np.nan)
