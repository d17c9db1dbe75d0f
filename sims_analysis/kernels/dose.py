"""Integrals of profiles over depth, in value times depth: no units, no factor.

The trapezoid with any limits is linear in the values, so it is a weight for every sample, built
once, and one dot product. The log-linear rule is exact for exponentials and is summed segment by
segment.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.interpolation import between
from sims_analysis.kernels.rows import Rows, blocks, compress, flat_rows, per_row

__all__ = ["Integral", "cumulative", "integrate", "log_mean", "trapezoid_weights", "variance"]

Array = NDArray[np.float64]

OK, NO_DATA, TRUNCATED = 0, 1, 5


class Integral(NamedTuple):
    """Integrals of many profiles; every field has the leading shape of the values.

    ``start`` and ``stop`` are the limits within which samples were there to integrate; ``status``
    indexes ``vocabulary.STATUS``; ``fallbacks`` counts segments in which the log-linear rule met
    a value that is not positive and the trapezoid took its place.
    """

    value: Array
    start: Array
    stop: Array
    status: NDArray[np.uint8]
    fallbacks: NDArray[np.intp]


def trapezoid_weights(
    depth: Array, start: Array | float, stop: Array | float, seams: NDArray[np.intp] | None = None
) -> Array:
    """Give the weight of every sample in the trapezoidal integral from `start` to `stop`.

    Within a segment from z0 to z1, the integral of the straight line from u to v is
    ``(v - u) [c0 (z1 - m) + c1 (m - z0)] / (z1 - z0)`` with ``m = (u + v) / 2``.

    Parameters
    ----------
    depth : ndarray, shape (N,)
        One axis, or the axes of many rows end to end.
    start, stop : float or ndarray, shape (N - 1,)
        Limits, within the samples.
    seams : ndarray of int, optional
        Segments that join one row to the next, and count for nothing.

    Returns
    -------
    ndarray, shape (N,)
    """
    z0, z1 = depth[:-1], depth[1:]
    width = z1 - z0
    u, v = np.clip(z0, start, stop), np.clip(z1, start, stop)
    part = v - u
    if seams is not None:
        part[seams] = 0.0
        width[seams] = 1.0
    middle = 0.5 * (u + v)
    weights = np.zeros(depth.size)
    weights[:-1] = part * ((z1 - middle) / width)
    weights[1:] += part * ((middle - z0) / width)
    return weights


def log_mean(c0: Array, c1: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Mean of the exponential through two values: ``(c1 - c0) / ln(c1 / c0)``.

    Computed as ``d / log1p(d / c0)`` with ``d = c1 - c0``: full precision where the plain formula
    loses all of it (c1 near c0). Where an end is not positive: the mean of the two.

    Returns
    -------
    mean : ndarray
    fell_back : ndarray of bool
    """
    d = c1 - c0
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        mean = d / np.log1p(d / c0)
    positive = (c0 > 0) & (c1 > 0)
    mean[d == 0] = c0[d == 0]
    odd = positive & ~np.isfinite(mean)
    if odd.any():
        mean[odd] = d[odd] / (np.log(c1[odd]) - np.log(c0[odd]))
    fell_back = ~positive & (d != 0)
    mean[fell_back] = 0.5 * (c0[fell_back] + c1[fell_back])
    return mean, fell_back


def integrate(
    depth: Array,
    value: Array,
    start: Array | float = np.nan,
    stop: Array | float = np.nan,
    *,
    rule: str = "trapezoid",
) -> Integral:
    """Integrate profiles over depth.

    Parameters
    ----------
    depth : ndarray, shape (n,) or (..., n)
    value : ndarray, shape (..., n)
    start, stop : float or ndarray, shape (...)
        Limits; NaN means the profile's own end. A limit beyond the samples counts as the end,
        and the status says ``truncated``. Limits between samples are interpolated.
    rule : {"trapezoid", "loglinear"}

    Returns
    -------
    Integral
        NaN, and status ``no_data``, where fewer than two samples bear on the interval.
    """
    rows_value, lead = flat_rows(value)
    rows_depth = depth if depth.ndim == 1 else flat_rows(depth)[0]
    a, b = per_row(start, lead), per_row(stop, lead)
    shared = depth.ndim == 1 and depth.size > 1 and np.ndim(start) == np.ndim(stop) == 0
    if shared:
        found = _shared_axis(rows_depth, rows_value, float(start), float(stop), rule)
        holes = np.flatnonzero(~np.isfinite(found.value) & (found.status != NO_DATA))
        if holes.size:
            # A NaN in the sum is a sample that was not measured: these rows have own axes.
            rows = compress(rows_depth, rows_value[holes])
            repaired = _own_axes(rows, a[holes], b[holes], rule)
            for field in Integral._fields:
                getattr(found, field)[holes] = getattr(repaired, field)
    else:
        found = _own_axes(compress(rows_depth, rows_value), a, b, rule)
    return found._replace(**{f: getattr(found, f).reshape(lead) for f in Integral._fields})


def _shared_axis(z: Array, value: Array, start: float, stop: float, rule: str) -> Integral:
    first, last = z[0], z[-1]
    a = first if np.isnan(start) else max(start, first)
    b = last if np.isnan(stop) else min(stop, last)
    count = value.shape[0]
    status = TRUNCATED if start < first or stop > last else OK
    fallbacks = np.zeros(count, dtype=np.intp)
    if not a < b:
        total, status = np.full(count, np.nan), NO_DATA
    else:
        lo = int(np.searchsorted(z, a, side="right")) - 1
        hi = int(np.searchsorted(z, b, side="left")) + 1
        if rule == "trapezoid":
            # vecdot sums each row by itself, so that neither chunks nor order change a bit.
            total = np.vecdot(value[:, lo:hi], trapezoid_weights(z[lo:hi], a, b))
        else:
            total = np.empty(count)
            for block in blocks(count, hi - lo):
                total[block], fallbacks[block] = _loglinear_block(
                    z[lo:hi], value[block, lo:hi], a, b
                )
    return Integral(
        np.asarray(total, dtype=np.float64),
        np.full(count, a),
        np.full(count, b),
        np.full(count, status, dtype=np.uint8),
        fallbacks,
    )


def _loglinear_block(z: Array, c: Array, a: float, b: float) -> tuple[Array, NDArray[np.intp]]:
    z, c = z.copy(), c.copy()
    # Move the outer samples to the limits; samples [0, 1] and [-2, -1] bracket them.
    at_start, _ = between(c[:, 0], c[:, 1], np.full(len(c), (a - z[0]) / (z[1] - z[0])), log=True)
    at_stop, _ = between(
        c[:, -2], c[:, -1], np.full(len(c), (b - z[-2]) / (z[-1] - z[-2])), log=True
    )
    c[:, 0], c[:, -1], z[0], z[-1] = at_start, at_stop, a, b
    mean, fell_back = log_mean(c[:, :-1], c[:, 1:])
    return np.vecdot(mean, np.diff(z)), np.count_nonzero(fell_back, axis=1)


def _own_axes(rows: Rows, start: Array, stop: Array, rule: str) -> Integral:
    first, last = rows.first(), rows.last()
    a = np.fmax(start, first)
    b = np.fmin(stop, last)
    status = np.where((start < first) | (stop > last), TRUNCATED, OK).astype(np.uint8)
    empty = ~(a < b) | (rows.size < 2)
    status[empty] = NO_DATA
    # Any limits will do for rows without an integral; they are blanked below.
    a_safe, b_safe = np.where(empty, 0.0, a), np.where(empty, 0.0, b)
    if rule == "trapezoid":
        segment_row = rows.row[:-1]
        weights = (
            trapezoid_weights(rows.depth, a_safe[segment_row], b_safe[segment_row], rows.seams)
            if rows.depth.size > 1
            else np.zeros(rows.depth.size)
        )
        total, fallbacks = rows.sum(weights * rows.value), np.zeros(rows.count, dtype=np.intp)
    else:
        total, fallbacks = _loglinear_rows(rows, a_safe, b_safe)
    total = np.where(empty, np.nan, total)
    return Integral(
        total, np.where(empty, np.nan, a), np.where(empty, np.nan, b), status, fallbacks
    )


def _loglinear_rows(rows: Rows, a: Array, b: Array) -> tuple[Array, NDArray[np.intp]]:
    if rows.depth.size < 2:
        return np.zeros(rows.count), np.zeros(rows.count, dtype=np.intp)
    z0, z1, c0, c1 = rows.depth[:-1], rows.depth[1:], rows.value[:-1], rows.value[1:]
    row = rows.row[:-1]
    u, v = np.clip(z0, a[row], b[row]), np.clip(z1, a[row], b[row])
    part = v - u
    part[rows.seams] = 0.0
    inside = np.flatnonzero(part > 0)
    z0, z1, c0, c1, u, v = (array[inside] for array in (z0, z1, c0, c1, u, v))
    at_u, _ = between(c0, c1, (u - z0) / (z1 - z0), log=True)
    at_v, _ = between(c0, c1, (v - z0) / (z1 - z0), log=True)
    mean, fell_back = log_mean(at_u, at_v)
    samples = np.zeros(rows.depth.size)
    samples[inside] = mean * part[inside]
    fallbacks = np.bincount(row[inside][fell_back], minlength=rows.count)
    return rows.sum(samples), fallbacks


def variance(
    depth: Array, stderr: Array, start: Array | float = np.nan, stop: Array | float = np.nan
) -> Array:
    """Variance of the trapezoidal integral of independent samples: the sum of (w_i sigma_i)^2.

    Parameters
    ----------
    depth, start, stop
        As for :func:`integrate`.
    stderr : ndarray, shape (..., n)
        Standard error of every sample; NaN where there is no sample.

    Returns
    -------
    ndarray, shape (...)
    """
    rows_stderr, lead = flat_rows(stderr)
    rows_depth = depth if depth.ndim == 1 else flat_rows(depth)[0]
    rows = compress(rows_depth, rows_stderr)
    a = np.fmax(per_row(start, lead), rows.first())
    b = np.fmin(per_row(stop, lead), rows.last())
    empty = ~(a < b)
    a, b = np.where(empty, 0.0, a), np.where(empty, 0.0, b)
    if rows.depth.size < 2:
        return np.full(lead, np.nan)
    row = rows.row[:-1]
    weights = trapezoid_weights(rows.depth, a[row], b[row], rows.seams)
    total = rows.sum((weights * rows.value) ** 2)
    return np.where(empty, np.nan, total).reshape(lead)


def cumulative(depth: Array, value: Array, *, rule: str = "trapezoid") -> Array:
    """Integrate from the first sample of each row to each of its samples.

    Returns
    -------
    ndarray, shape (..., n)
        0 at the first sample of a row; NaN where there is no sample.
    """
    rows_value, lead = flat_rows(value)
    rows_depth = depth if depth.ndim == 1 else flat_rows(depth)[0]
    n = rows_value.shape[1]
    result = np.full(rows_value.shape, np.nan)
    for row in range(rows_value.shape[0]):
        z = rows_depth if rows_depth.ndim == 1 else rows_depth[row]
        where = np.flatnonzero(~(np.isnan(rows_value[row]) | np.isnan(z)))
        if where.size == 0:
            continue
        c = rows_value[row, where]
        mean = 0.5 * (c[:-1] + c[1:]) if rule == "trapezoid" else log_mean(c[:-1], c[1:])[0]
        result[row, where[0]] = 0.0
        result[row, where[1:]] = np.cumsum(mean * np.diff(z[where]))
    return result.reshape(*lead, n)
