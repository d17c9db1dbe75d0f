"""Integrals of profiles over depth, in value times depth: no units, no factor.

The trapezoid with any limits is linear in the values: a weight for every sample, and a sum of
products. The log-linear rule adds up the mean of each segment times the width of its part between
the limits.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels import segments
from sims_analysis.kernels.rows import (
    TOLERANCE,
    Array,
    Dense,
    Index,
    Packed,
    Rows,
    Status,
    range_sums,
)
from sims_analysis.kernels.variance import variance_of_sum

__all__ = [
    "AtFraction",
    "Cumulative",
    "Integral",
    "at_limits",
    "cumulative",
    "depth_at_dose_fraction",
    "integrate",
]


class Integral(NamedTuple):
    """Integrals of rows; every field has shape (R,).

    ``start`` and ``stop`` are the limits within which there were samples to integrate over;
    ``n_linear_segments`` counts the segments in which the log-linear rule met a value that is not
    positive, and the trapezoid took its place.
    """

    value: Array
    start: Array
    stop: Array
    status: NDArray[np.uint8]
    n_linear_segments: Index


def integrate(rows: Rows, start: Array, stop: Array, *, rule: str = "trapezoid") -> Integral:
    """Integrate profiles over depth.

    Parameters
    ----------
    rows : Rows
    start, stop : ndarray, shape (R,)
        Limits; NaN means the profile's own end. A limit beyond the samples counts as the end, and
        the status says ``truncated``. Limits between samples are interpolated.
    rule : {"trapezoid", "loglinear"}

    Returns
    -------
    Integral
        NaN, and status ``no_data``, where fewer than two samples bear on the interval;
        ``below_detection`` where the integral is not positive.
    """
    first, last = rows.first(), rows.last()
    a, b = np.fmax(start, first), np.fmin(stop, last)
    some = (rows.size > 1) & (a < b)
    slack = TOLERANCE * (last - first)
    beyond = (start < first - slack) | (stop > last + slack)
    status = np.where(some, np.where(beyond, Status.TRUNCATED, Status.OK), Status.NO_DATA)
    value, n_linear = np.full(rows.count, np.nan), np.zeros(rows.count, dtype=np.intp)
    if some.any() and rule == "trapezoid" and isinstance(rows, Dense):
        weights = segments.trapezoid_weights(rows.depth, *segments.limited(rows, a, b))
        value = np.where(some, rows.sum(rows.value, weights), np.nan)
    elif some.any():
        chosen = np.flatnonzero(some)
        value[some], n_linear[some] = _by_segments(rows, chosen, a[some], b[some], rule=rule)
    a, b = np.where(some, a, np.nan), np.where(some, b, np.nan)
    status = np.where((status == Status.OK) & (value <= 0), Status.BELOW_DETECTION, status)
    return Integral(value, a, b, status.astype(np.uint8), n_linear)


def _by_segments(rows: Rows, row: Index, a: Array, b: Array, *, rule: str) -> tuple[Array, Index]:
    """Add up the whole segments between limits and the parts of the two that the limits cut.

    Also counts the segments between the limits in which a logarithm cannot be taken.
    """
    log = rule == "loglinear"
    before, after = rows.around(row, a, b)
    z0, z1, c0, c1 = segments.ends_of_segments(rows)
    columns = slice(None)
    if isinstance(rows, Dense):  # no logarithms of what no row needs
        n = rows.depth.size
        columns = slice(int((before % n).min()), int((after % n).max()))
    area = np.zeros(rows.value.shape)
    of = segments.log_mean if log else segments.middle
    inner = area[..., :-1][..., columns]
    np.multiply(of(c0[..., columns], c1[..., columns]), (z1 - z0)[columns], out=inner)
    total = range_sums(area.reshape(-1), before + 1, after - 1)
    n_linear = np.zeros(row.size, dtype=np.intp)
    linear = None
    if log and not rows.value.min() > 0:
        linear = np.zeros(rows.value.shape)
        linear[..., :-1] = segments.is_linear(c0, c1)
        n_linear += range_sums(linear.reshape(-1), before, after).astype(np.intp)
    last = after - 1
    top = rows.depth_at(last)
    for at, u, v, counts in (
        (before, a, np.minimum(b, rows.depth_at(before + 1)), np.ones(row.size, dtype=bool)),
        (last, top, b, last > before),
    ):
        ends = (rows.depth_at(at), rows.depth_at(at + 1), rows.value_at(at), rows.value_at(at + 1))
        total += np.where(counts, segments.piece(*ends, u, v, log=log), 0.0)
    return total, n_linear


def at_limits(rows: Rows, row: Index, a: Array, b: Array, *, rule: str) -> tuple[Array, Array]:
    """Return the values of some rows at two depths within their samples, as the rule draws them."""
    found = []
    before, after = rows.around(row, a, b)
    for at, depth in ((before, a), (after - 1, b)):
        z0, z1 = rows.depth_at(at), rows.depth_at(at + 1)
        ends = rows.value_at(at), rows.value_at(at + 1)
        place = (depth - z0) / (z1 - z0)
        found.append(segments.interpolated(*ends, place, log=rule == "loglinear"))
    return found[0], found[1]


class Cumulative(NamedTuple):
    """``value``, shape (R, n): NaN where there is no sample."""

    value: Array


def cumulative(
    rows: Rows, background: Array, *, rule: str = "trapezoid", divisor: float = 1.0
) -> Cumulative:
    """Integrate ``(C - background) / divisor`` from the first sample to each of the samples.

    0 at the first sample of a row; NaN throughout a row of a single one, which has no width.

    Parameters
    ----------
    rows : Rows
    background : ndarray, shape (R,)
    """
    total = running(rows, rule=rule)
    total -= rows.repeat(background) * (rows.depth - rows.repeat(rows.first()))
    total = np.where(rows.repeat(rows.size > 1), total, np.nan)
    return Cumulative(rows.unpacked(total / divisor))


def running(rows: Rows, *, rule: str) -> Array:
    """Integrate from the first sample of each row to each of its samples; shape of the values."""
    z0, z1, c0, c1 = segments.ends_of_segments(rows)
    mean = segments.middle(c0, c1) if rule == "trapezoid" else segments.log_mean(c0, c1)
    area = np.zeros(rows.value.shape)
    area[..., 1:] = mean * (z1 - z0)
    if isinstance(rows, Dense):
        return np.cumsum(area, axis=1, out=area)
    # Row by row: the sum over all rows would take digits from those that follow larger ones.
    for begin, end in zip(rows.start[:-1], rows.start[1:], strict=True):
        if end > begin:
            area[begin] = 0.0
            np.cumsum(area[begin:end], out=area[begin:end])
    return area


class AtFraction(NamedTuple):
    """Depths above which parts of an integral lie: depth and stderr (R, m), status (R,)."""

    depth: Array
    stderr: Array
    status: NDArray[np.uint8]


#: Counts on one side of a depth below which nothing is known of its distribution.
_FEW = 2.0


def depth_at_dose_fraction(rows: Rows, *, fractions: Array, rule: str = "trapezoid") -> AtFraction:
    """Find the depths above which stated fractions of each row's integral lie.

    The inverse of the cumulative integral, solved within the segment by the rule that made it:
    the root of a quadratic for a straight line, a logarithm for an exponential.

    Parameters
    ----------
    rows : Rows
        With standard errors of independent samples, or without.
    fractions : ndarray, shape (m,)
        Between 0 and 1.
    rule : {"trapezoid", "loglinear"}

    Returns
    -------
    AtFraction
        ``stderr`` is half the distance between the depths at which the cumulative integral is its
        own standard error u less and more than asked: ``u^2 = sum ((f W_i - w_i) s_i)^2``, with
        the weights W of the whole integral and w of that down to the depth. NaN without standard
        errors, where one is not known, where u is 0 (too few samples were counted to tell), and
        where less than u, or than two counts, lie on one side of the depth. Status ``no_data``
        with fewer than two samples, ``never_reached`` where the integral is not positive.
    """
    rows = rows.packed()
    enough = rows.size > 1
    depth, stderr = np.full((2, rows.count, fractions.size), np.nan)
    total = np.full(rows.count, np.nan)
    cumulated = running(rows, rule=rule)
    total[enough] = cumulated[rows.start[1:][enough] - 1]
    positive = np.where(total > 0, Status.OK, Status.NEVER_REACHED)
    status = np.where(enough, positive, Status.NO_DATA).astype(np.uint8)
    total[~(total > 0)] = np.nan
    own_end = np.full(rows.count, np.nan)
    for i, fraction in enumerate(fractions):
        depth[:, i] = _solve(rows, cumulated, fraction * total, rule)
        if rows.stderr is None or rows.depth.size == 0:
            continue
        whole, above = (
            segments.trapezoid_weights(rows.depth, *segments.limited(rows, own_end, limit))
            for limit in (own_end, np.where(np.isnan(depth[:, i]), 0.0, depth[:, i]))
        )
        # Variance over value: what one count adds to the integral.
        few = _FEW * _known(variance_of_sum(rows, whole)) / total
        u = np.sqrt(_known(variance_of_sum(rows, fraction * whole - above)))
        smaller = min(fraction, 1.0 - fraction) * total
        target = np.where(smaller >= np.fmax(u, few), fraction * total, np.nan)
        low, high = (_solve(rows, cumulated, target + side, rule) for side in (-u, u))
        stderr[:, i] = 0.5 * (high - low)
    return AtFraction(depth, stderr, status)


def _known(variance: Array) -> Array:
    return np.where(variance > 0, variance, np.nan)


def _solve(rows: Packed, cumulated: Array, target: Array, rule: str) -> Array:
    """Return the depths at which the cumulative integral gets to its target; NaN for NaN."""
    found = np.full(rows.count, np.nan)
    # Where noise makes the integral dip, the depth at which it first gets there.
    reached = np.flatnonzero(cumulated >= rows.repeat(target))
    row, position = np.unique(rows.row[reached], return_index=True)
    after = reached[position]
    found[row] = rows.depth[after]
    inner = after > rows.start[row]
    row, after = row[inner], after[inner]
    before = after - 1
    h, c0, c1 = rows.depth[after] - rows.depth[before], rows.value[before], rows.value[after]
    rest = target[row] - cumulated[before]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        # c0 u + (c1 - c0) u^2 / 2h = rest, in the form that does not cancel for a flat segment;
        # in units of the larger end, whose square is then within the range of numbers.
        scale = np.maximum(np.abs(c0), np.abs(c1))
        r, slope = rest / scale, (c1 / scale - c0 / scale) / h
        part = 2 * r / (c0 / scale + np.sqrt((c0 / scale) ** 2 + 2 * slope * r))
        if rule == "loglinear":
            slope = np.log(c1 / c0) / h
            exponential = (c0 > 0) & (c1 > 0) & (c0 != c1)
            part = np.where(exponential, np.log1p(rest * slope / c0) / slope, part)
    whole = rest >= cumulated[after] - cumulated[before]
    found[row] = np.where(whole, rows.depth[after], rows.depth[before] + part)
    return found
