"""Interpolation between samples, exact at the samples."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from sims_analysis.kernels import segments
from sims_analysis.kernels.rows import TOLERANCE, Array, Dense, Flags, Index, Rows, errors_of

__all__ = ["METHODS", "Interpolated", "Stderr", "interpolate", "stderr_at"]

METHODS = ("log", "linear", "pchip", "makima")


class Interpolated(NamedTuple):
    """Values at the requested depths, shape (R, m).

    ``n_linear_segments``, shape (R,), counts the depths of each row at which C was interpolated in
    place of ln C because a logarithm could not be taken.
    """

    value: Array
    n_linear_segments: Index


def interpolate(rows: Rows, at: Array, *, method: str = "log") -> Interpolated:
    """Interpolate profiles at given depths; never extrapolate.

    Parameters
    ----------
    rows : Rows
    at : ndarray, shape (R, m)
        Requested depths.
    method : {"log", "linear", "pchip", "makima"}
        The two splines interpolate ln C if every sample of a row is positive, otherwise C.

    Returns
    -------
    Interpolated
        NaN outside the samples of the row; exactly the measured value at a sample.
    """
    at = _snapped(rows, at)
    if method in ("pchip", "makima"):
        return _by_splines(rows, at, method)
    found = _locate(rows, at)
    c0, c1 = _ends_of(rows, found, rows.value)
    value = segments.interpolated(c0, c1, found.t, log=method == "log")
    count = np.zeros(rows.count, dtype=np.intp)
    if method == "log" and not rows.value.min(initial=np.inf) > 0:
        between = found.inside & (found.t > 0) & (found.t < 1)
        count += np.count_nonzero(between & segments.is_linear(c0, c1), axis=1)
    return Interpolated(_mask_outside(value, found), count)


class Stderr(NamedTuple):
    """Standard errors at the requested depths, shape (R, m)."""

    stderr: Array


def stderr_at(rows: Rows, at: Array, *, log: bool) -> Stderr:
    """Return the standard errors of interpolated values, from those of the two neighbours.

    ``sqrt([(1 - t) s0]^2 + [t s1]^2)``; with logarithms, the same with relative errors.

    Parameters
    ----------
    rows : Rows
        With standard errors.
    at : ndarray, shape (R, m)
    log : bool

    Returns
    -------
    Stderr
        NaN outside the samples of the row; exactly the sample's error at a sample.
    """
    found = _locate(rows, _snapped(rows, at))
    t = found.t
    s0, s1 = _ends_of(rows, found, errors_of(rows))
    stderr = np.hypot((1.0 - t) * s0, t * s1)
    if log:
        c0, c1 = _ends_of(rows, found, rows.value)
        with np.errstate(all="ignore"):
            curved = np.hypot((1.0 - t) * (s0 / c0), t * (s1 / c1))
            curved *= segments.interpolated(c0, c1, t, log=True)
        stderr = np.where(segments.is_linear(c0, c1), stderr, curved)
    stderr = np.where(t == 0, s0, np.where(t == 1, s1, stderr))
    return Stderr(_mask_outside(stderr, found))


class _Location(NamedTuple):
    """Flat positions of the samples before and after each depth, and its relative position.

    One row of these serves all dense rows with the same requested depths.
    """

    before: Index
    after: Index
    t: Array
    inside: Flags


def _snapped(rows: Rows, at: Array) -> Array:
    """Move depths that rounding has put just outside the samples onto the end."""
    first, last = rows.first()[:, None], rows.last()[:, None]
    slack = TOLERANCE * (last - first)
    at = np.where((at < first) & (at >= first - slack), first, at)
    return np.where((at > last) & (at <= last + slack), last, at)


def _locate(rows: Rows, at: Array) -> _Location:
    """Find the segment of each depth, and the relative position in it (0 to 1)."""
    first, last = rows.first()[:, None], rows.last()[:, None]
    begin, end = rows.start[:-1, None], rows.start[1:, None]
    if isinstance(rows, Dense) and rows.count and (at == at[:1]).all():
        at, first, last, begin, end = at[:1], first[:1], last[:1], begin[:1], end[:1]
    found = np.empty(at.shape, dtype=np.intp)
    if isinstance(rows, Dense):
        found[:] = rows.depth.searchsorted(at, side="right") + begin
    else:
        bounds = zip(rows.start[:-1].tolist(), rows.start[1:].tolist(), strict=True)
        for row, (low, high) in enumerate(bounds):
            found[row] = rows.depth[low:high].searchsorted(at[row], side="right") + low
    before = np.maximum(np.minimum(found - 1, end - 2), begin)
    after = np.minimum(before + 1, end - 1)  # the same sample if there is only one
    inside = (at >= first) & (at <= last)
    if not rows.value.size:
        return _Location(before, after, np.zeros(at.shape), inside)
    np.maximum(after, 0, out=after)  # any valid position for an empty row
    np.minimum(before, after, out=before)
    z0, z1 = rows.depth_at(before), rows.depth_at(after)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        t = np.where(z1 > z0, (at - z0) / (z1 - z0), 0.0)
    return _Location(before, after, np.where(inside, t, 0.0), inside)


def _ends_of(rows: Rows, found: _Location, samples: Array) -> tuple[Array, Array]:
    """Look up a quantity at the samples before and after each depth, shape (R, m)."""
    shape = (rows.count, found.t.shape[1])
    if not samples.size:
        return np.full(shape, np.nan), np.full(shape, np.nan)
    if isinstance(rows, Dense) and len(found.t) == 1:
        return samples.take(found.before[0], axis=1), samples.take(found.after[0], axis=1)
    return samples.reshape(-1).take(found.before), samples.reshape(-1).take(found.after)


def _mask_outside(values: Array, found: _Location) -> Array:
    """Set values at depths outside the samples to NaN, in place."""
    if not found.inside.all():
        np.copyto(values, np.nan, where=~found.inside)
    return values


def _by_splines(rows: Rows, at: Array, method: str) -> Interpolated:
    rows = rows.packed()
    value, count = np.full(at.shape, np.nan), np.zeros(rows.count, dtype=np.intp)
    for row, (begin, end) in enumerate(zip(rows.start[:-1], rows.start[1:], strict=True)):
        z, c, x = rows.depth[begin:end], rows.value[begin:end], at[row]
        if z.size < 2:
            value[row] = np.where(np.isin(x, z), c[0] if z.size else np.nan, np.nan)
            continue
        inside = (x >= z[0]) & (x <= z[-1])
        positive = bool((c > 0).all())
        found = _spline(z, np.log(c) if positive else c, method)(x[inside])
        value[row, inside] = np.exp(found) if positive else found
        # exp(ln C) is rounded: at a sample, return the sample itself.
        position = np.minimum(z.searchsorted(x), z.size - 1)
        on_sample = z[position] == x
        value[row, on_sample] = c[position[on_sample]]
        count[row] = 0 if positive else np.count_nonzero(inside)
    return Interpolated(value, count)


def _spline(z: Array, y: Array, method: str) -> Any:
    from scipy.interpolate import CubicHermiteSpline, PchipInterpolator

    if method == "pchip" or z.size < 3:
        return PchipInterpolator(z, y)
    return CubicHermiteSpline(z, y, _modified_akima_slopes(z, y))


def _modified_akima_slopes(z: Array, y: Array) -> Array:
    """Return the slopes at the samples: weighted means of the slopes on either side.

    Not scipy's, which departs from the formula wherever slopes are below 1e-9 of the steepest in
    the profile: an edge of many decades then changes values far from it.
    """
    m = np.diff(y) / np.diff(z)
    m = np.concatenate([[3 * m[0] - 2 * m[1], 2 * m[0] - m[1]], m])
    m = np.concatenate([m, [2 * m[-1] - m[-2], 3 * m[-1] - 2 * m[-2]]])
    uneven = np.abs(np.diff(m)) + 0.5 * np.abs(m[1:] + m[:-1])
    before, after = uneven[2:], uneven[:-2]
    total = before + after
    weighted = before * m[1:-2] + after * m[2:-1]
    return np.divide(weighted, total, out=np.zeros(z.size), where=total > 0)
