"""Interpolation between samples, exact at the samples."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from sims_analysis.kernels import segments
from sims_analysis.kernels.rows import (
    Array,
    Dense,
    Flags,
    Index,
    Rows,
    SingleResult,
    errors_of,
    in_blocks,
    same_for_all,
)

_TINY = np.finfo(np.float64).tiny
#: How many samples to both sides of a depth a value depends on.
REACH = {"log": 1, "linear": 1, "pchip": 2, "makima": 3}


class Interpolated(NamedTuple):
    """Values at the requested depths, (R, m).

    ``n_linear_segments``, (R,), counts those where C was interpolated because ln C could not be
    taken.
    """

    value: Array
    n_linear_segments: Index


def interpolate(
    rows: Rows, at: Array, *, method: str = "log", place: Location | None = None
) -> Interpolated:
    """Interpolate profiles at given depths, `at` (R, m), whose `place` may be known.

    Exactly the measured value at a sample; NaN outside the record. Splines are of ln C if every
    sample of a row is positive, otherwise of C.
    """
    if REACH[method] > 1:
        return _by_splines(rows, at, method)
    place = locate(rows, at) if place is None else place
    value, count = np.empty(at.shape), np.zeros(rows.count, dtype=np.intp)
    for part in in_blocks(len(at), at.shape[1]):
        of_part = slice(None) if len(place.t) == 1 else part
        c0, c1 = (place.samples(rows, rows.value, i, part) for i in (0, 1))
        linear = segments.interpolate_into(
            value[part], c0, c1, place.t[of_part], log=method == "log"
        )
        if linear.size:
            row, column = divmod(linear, at.shape[1])
            t, inside = (np.broadcast_to(x[of_part], c0.shape) for x in (place.t, place.inside))
            t, inside = t[row, column], inside[row, column]
            count[part] = np.bincount(row[inside & (t > 0) & (t < 1)], minlength=len(c0))
    return Interpolated(place.masked(value), count)


def stderr_at(rows: Rows, at: Array, *, method: str, place: Location | None = None) -> SingleResult:
    """Return the standard errors of interpolated values, (R, m), from those of the samples.

    ``sqrt([(1 - t) s0]^2 + [t s1]^2)`` between two neighbours; with logarithms, the same with
    relative errors. Of splines, the root of the sum of the squares by which samples move the value.
    """
    if REACH[method] > 1:
        return SingleResult(_by_splines(rows, at, method, errors=True).value)
    place = locate(rows, at) if place is None else place
    value = np.empty(at.shape)
    for part in in_blocks(len(at), at.shape[1]):
        t = place.t if len(place.t) == 1 else place.t[part]
        s0, s1 = (place.samples(rows, errors_of(rows), i, part) for i in (0, 1))
        stderr = np.hypot((1.0 - t) * s0, t * s1)
        if method == "log":
            c0, c1 = (place.samples(rows, rows.value, i, part) for i in (0, 1))
            with np.errstate(all="ignore"):
                curved = np.hypot((1.0 - t) * (s0 / c0), t * (s1 / c1))
                curved *= segments.interpolated(c0, c1, t, log=True)
            stderr = np.where(segments.is_linear(c0, c1), stderr, curved)
        value[part] = np.where(t == 0, s0, np.where(t == 1, s1, stderr))
    return SingleResult(place.masked(value))


class Location(NamedTuple):
    """Segments of depths, as positions of the samples before; (R, m), or one row for all."""

    at: Array
    segment: Index
    #: Relative position in the segment, 0 to 1.
    t: Array
    inside: Flags

    def samples(self, rows: Rows, samples: Array, step: int, part: slice = slice(None)) -> Array:
        """Look up a quantity at the samples before (0), or after (1), of some rows, (R, m).

        After a single sample, any value will do: t is 0.
        """
        if not samples.size:
            return np.full((rows.count, self.t.shape[1]), np.nan)[part]
        axis, place = None, self.segment[part] + step
        if isinstance(rows, Dense) and len(self.segment) == 1:
            axis, place, samples = 1, self.segment[0] + step, samples[part]
        # All are within bounds; checking each, as other modes do, would take twice the time.
        values: Array = samples.take(place, axis, mode="wrap")
        return values

    def masked(self, values: Array) -> Array:
        """Set values at depths outside the samples to NaN, in place."""
        if not self.inside.all():
            np.copyto(values, np.nan, where=~self.inside)
        return values


def locate(rows: Rows, at: Array) -> Location:
    """Find the segment of each depth, and the relative position in it."""
    if same_for_all(at):  # these are searched once
        at = at[:1]
    nearest, inside = _nearest(rows, at)
    if not rows.value.size:
        zeros = np.zeros(nearest.shape)
        return Location(at, zeros.astype(np.intp), zeros, inside)
    segment = rows.segment_at(at)
    t = nearest - rows.depth_at(segment)
    t /= np.maximum(rows.along(rows.width, segment), _TINY)  # 0 at the only sample of a row
    return Location(at, segment, t, inside)


def _nearest(rows: Rows, at: Array) -> tuple[Array, Flags]:
    """Return the nearest depth within the samples, and whether it is the same up to rounding."""
    row = slice(1) if isinstance(rows, Dense) else slice(None)
    first, last, tolerance = (ends[row, None] for ends in (rows.first, rows.last, rows.tolerance))
    return np.clip(at, first, last), (at >= first - tolerance) & (at <= last + tolerance)


def _by_splines(rows: Rows, at: Array, method: str, *, errors: bool = False) -> Interpolated:
    """Interpolate each row by its spline, or return the standard errors of that."""
    rows = rows.packed()
    nearest, inside = _nearest(rows, at)
    samples = errors_of(rows) if errors else rows.value
    value, count = np.full(at.shape, np.nan), np.zeros(rows.count, dtype=np.intp)
    for row, in_row in enumerate(rows.slices()):
        z, c, x = rows.depth[in_row], rows.value[in_row], nearest[row, inside[row]]
        if not x.size:
            continue
        position, values = z.searchsorted(x), np.full(x.shape, np.nan)
        if z.size > 1:
            positive = bool((c > 0).all())
            count[row] = 0 if positive else x.size
            y, scale = (np.log(c), c) if positive else (c, 1.0)
            values = _spline(z, y, method)(x)
            values = np.exp(values) if positive else values
            if errors:
                error = _error_of_spline(z, y, samples[in_row] / scale, x, method)
                values = error * values if positive else error
        # exp(ln C) is rounded: at a sample, return the sample itself.
        value[row, inside[row]] = np.where(z[position] == x, samples[in_row][position], values)
    return Interpolated(value, count)


def _error_of_spline(z: Array, y: Array, stderr: Array, x: Array, method: str) -> Array:
    """Move samples by their errors, all at once that no value depends on together."""
    spacing, moved_by, variance = 2 * REACH[method], np.nan_to_num(stderr), np.zeros(x.shape)
    for first in range(min(spacing, z.size)):
        step = np.where(np.arange(z.size) % spacing == first, moved_by, 0.0)
        up, down = (_spline(z, y + sign * step, method)(x) for sign in (1, -1))
        variance += (0.5 * (up - down)) ** 2
    # No error where a value depends on a sample without one.
    for sample in np.flatnonzero(np.isnan(stderr)):
        variance[np.abs(z.searchsorted(x) - sample - 0.5) < spacing / 2] = np.nan
    return np.sqrt(variance)


def _spline(z: Array, y: Array, method: str) -> Any:
    from scipy.interpolate import Akima1DInterpolator, PchipInterpolator

    if method == "pchip" or z.size < 3:
        return PchipInterpolator(z, y)
    return Akima1DInterpolator(z, y, method="makima")
