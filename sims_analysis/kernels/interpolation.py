"""Values between samples, and the values themselves on samples."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.rows import Rows, compress, flat_rows

__all__ = ["METHODS", "between", "interpolate"]

Array = NDArray[np.float64]

METHODS = ("log", "linear", "pchip", "makima")


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
    linear = c0 + t * (c1 - c0)
    fell_back = np.zeros(linear.shape, dtype=bool)
    if log:
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            ratio = c1 / c0
            value = c0 * np.exp(t * np.log(ratio))
        positive = (c0 > 0) & (c1 > 0)
        # A ratio beyond the range of float64 (1e300 beside 1e-300) has a logarithm all the same.
        extreme = positive & ~((ratio > 0) & np.isfinite(ratio))
        if extreme.any():
            l0, l1 = np.log(c0[extreme]), np.log(c1[extreme])
            value[extreme] = np.exp((1 - t[extreme]) * l0 + t[extreme] * l1)
        # An exponential between the ends lies between the ends, rounding or not.
        value = np.clip(value, np.minimum(c0, c1), np.maximum(c0, c1))
        fell_back = ~positive & (t > 0) & (t < 1)
        value = np.where(positive, value, linear)
    else:
        value = linear
    value = np.where(t == 0, c0, value)
    return np.where(t == 1, c1, value), fell_back


def interpolate(
    depth: Array, value: Array, at: Array, *, method: str = "log"
) -> tuple[Array, NDArray[np.intp]]:
    """Evaluate profiles at depths; never outside their own samples.

    Parameters
    ----------
    depth : ndarray, shape (n,) or (..., n)
    value : ndarray, shape (..., n)
    at : ndarray, shape (m,) or (..., m)
        Depths asked for, the same for all rows or each row's own.
    method : {"log", "linear", "pchip", "makima"}
        The two splines go through ln C where every sample of a row is positive, else through C.

    Returns
    -------
    result : ndarray, shape (..., m)
        NaN outside the samples of the row; bit for bit the sample on a sample.
    fallbacks : ndarray of int, shape (...)
        Depths of each row at which a logarithm was asked for and could not be taken.
    """
    rows_value, lead = flat_rows(value)
    rows_depth = depth if depth.ndim == 1 else flat_rows(depth)[0]
    rows_at = at if at.ndim == 1 else np.broadcast_to(at, (*lead, at.shape[-1]))
    rows_at = rows_at if at.ndim == 1 else rows_at.reshape(-1, at.shape[-1])
    shape = (rows_value.shape[0], at.shape[-1])
    if method in ("log", "linear"):
        result, fell_back = _piecewise(rows_depth, rows_value, rows_at, log=method == "log")
    else:
        result, fell_back = _splines(rows_depth, rows_value, rows_at, shape, method)
    return result.reshape(*lead, at.shape[-1]), fell_back.reshape(lead)


def _piecewise(
    depth: Array, value: Array, at: Array, *, log: bool
) -> tuple[Array, NDArray[np.intp]]:
    holes = np.isnan(value).any(axis=1)
    if depth.ndim == 1 and at.ndim == 1 and depth.size > 1 and not holes.any():
        segment, t, inside = _locate(depth, at)
        result = np.full((value.shape[0], at.size), np.nan)
        # Two gathers of whole columns; the axis was searched once for all rows.
        found, fell_back = between(value[:, segment], value[:, segment + 1], t, log=log)
        result[:, inside] = found[:, inside]
        return result, np.count_nonzero(fell_back & inside, axis=1)
    rows = compress(depth, value)
    return _own_axes(rows, np.broadcast_to(at, (rows.count, at.shape[-1])), log=log)


def _locate(depth: Array, at: Array) -> tuple[NDArray[np.intp], Array, NDArray[np.bool_]]:
    """Find the segment of each depth, the place within it, and whether it was measured at all."""
    segment = np.clip(np.searchsorted(depth, at, side="right") - 1, 0, depth.size - 2)
    z0, z1 = depth[segment], depth[segment + 1]
    t = (at - z0) / (z1 - z0)
    return segment, np.clip(np.nan_to_num(t), 0.0, 1.0), (at >= depth[0]) & (at <= depth[-1])


def _own_axes(rows: Rows, at: Array, *, log: bool) -> tuple[Array, NDArray[np.intp]]:
    segment = np.zeros(at.shape, dtype=np.intp)
    t = np.zeros(at.shape)
    inside = np.zeros(at.shape, dtype=bool)
    for row in range(rows.count):
        begin, end = rows.start[row], rows.start[row + 1]
        if end - begin == 1:
            segment[row] = begin
            inside[row] = at[row] == rows.depth[begin]
        elif end > begin:
            place, t[row], inside[row] = _locate(rows.depth[begin:end], at[row])
            segment[row] = place + begin
    result = np.full(at.shape, np.nan)
    fell_back = np.zeros(at.shape, dtype=bool)
    where = segment[inside]
    after = np.minimum(where + 1, max(rows.value.size - 1, 0))
    if where.size:
        result[inside], fell_back[inside] = between(
            rows.value[where], rows.value[after], t[inside], log=log
        )
    return result, np.count_nonzero(fell_back, axis=1)


def _splines(
    depth: Array, value: Array, at: Array, shape: tuple[int, int], method: str
) -> tuple[Array, NDArray[np.intp]]:
    result = np.full(shape, np.nan)
    fell_back = np.zeros(shape[0], dtype=np.intp)
    rows = compress(depth, value)
    at = np.broadcast_to(at, shape)
    for row in range(rows.count):
        samples = slice(rows.start[row], rows.start[row + 1])
        z, c = rows.depth[samples], rows.value[samples]
        if z.size < 2:
            result[row] = np.where(np.isin(at[row], z), c[0] if z.size else np.nan, np.nan)
            continue
        inside = (at[row] >= z[0]) & (at[row] <= z[-1])
        positive = bool((c > 0).all())
        curve = _spline(z, np.log(c) if positive else c, method)
        found = curve(at[row][inside])
        result[row, inside] = np.exp(found) if positive else found
        fell_back[row] = 0 if positive else np.count_nonzero(inside)
        # On a sample it is that sample, bit for bit, which exp(ln C) is not.
        position = np.clip(np.searchsorted(z, at[row]), 0, z.size - 1)
        on_sample = z[position] == at[row]
        result[row, on_sample] = c[position[on_sample]]
    return result, fell_back


def _spline(z: Array, y: Array, method: str):  # type: ignore[no-untyped-def]  # noqa: ANN202  # scipy is untyped
    from scipy.interpolate import Akima1DInterpolator, PchipInterpolator

    if method == "pchip" or z.size < 3:
        return PchipInterpolator(z, y)
    return Akima1DInterpolator(z, y, method="makima")
