"""Means, interpolated values and partial integrals of single segments.

A segment joins two neighbours, by a straight line or by an exponential (straight in ln C), which
needs two positive ends: otherwise it is a straight line, too.
"""

from __future__ import annotations

import numpy as np

from sims_analysis.kernels.rows import (
    Array,
    Dense,
    Flags,
    Index,
    Packed,
    Rows,
    dot_rows,
    in_blocks,
    range_sums,
)


def is_linear(c0: Array, c1: Array) -> Flags:
    """Flag the segments in which a logarithm cannot be taken."""
    linear: Flags = ~((c0 > 0) & (c1 > 0))
    return linear


def middle(c0: Array, c1: Array) -> Array:
    """Mean of a straight line between two values."""
    mean = c0 + c1
    mean *= 0.5
    return mean


def log_mean(c0: Array, c1: Array) -> Array:
    """Mean of an exponential between two values: ``(c1 - c0) / ln(c1 / c0)``.

    As ``c0 (q - 1) / ln q`` with ``q = c1 / c0``, which is precise for c1 close to c0. The
    arithmetic mean where an end is not positive.
    """
    with np.errstate(all="ignore"):
        q = c1 / c0
        # Both from the rounded q: the rounding errors of numerator and denominator cancel. What is
        # added makes 0 / 0 of equal ends 1, and changes nothing else.
        mean = q - 1.0
        mean += _NOTHING
        common = q > _STEEPEST
        np.log(q, out=q)
        q += _NOTHING
        mean /= q
        mean *= c0
        common &= mean > 0
        # Ends that are not positive, and ratios that overflow or underflow.
        if not common.all():
            special = np.flatnonzero(~common)
            a, b = c0.take(special), c1.take(special)
            steep = (np.minimum(a, b) > 0) & (np.abs(b - a) > 1e-8 * a)
            by_logs = (b - a) / (np.log(b) - np.log(a))
            mean.put(special, np.where(steep, by_logs, 0.5 * a + 0.5 * b))
    return mean


_NOTHING = 1e-290
#: Smaller ratios lose digits; those of values between these are larger.
_STEEPEST, _EXTREME = 1e-300, (1e-150, 1e150)


def interpolated(c0: Array, c1: Array, t: Array, *, log: bool) -> Array:
    """Interpolate in segments at the relative position t: 0 at `c0`, 1 at `c1`.

    ``c0 (c1 / c0)^t`` with `log` and two positive ends, otherwise ``c0 + t (c1 - c0)``; never
    outside the two.
    """
    value = np.empty(np.broadcast_shapes(c0.shape, c1.shape, t.shape))
    interpolate_into(value, c0, c1, t, log=log)
    return value


def interpolate_into(value: Array, c0: Array, c1: Array, t: Array, *, log: bool) -> Index:
    """Write interpolated values; return the flat places where a logarithm could not be taken."""
    linear, bound = np.empty(0, dtype=np.intp), np.empty(value.shape)
    np.minimum(c0, c1, out=bound)
    common = bound > _EXTREME[0]
    if log:
        with np.errstate(all="ignore"):
            np.divide(c1, c0, out=value)
            np.log(value, out=value)
            value *= t
            np.exp(value, out=value)
            value *= c0
    else:
        np.add(c0, t * (c1 - c0), out=value)
    np.maximum(value, bound, out=value)
    np.minimum(value, np.maximum(c0, c1, out=bound), out=value)
    common &= bound < _EXTREME[1]
    if log and not common.all():
        remaining = np.flatnonzero(~common)
        # Not `take`, which copies all of what is broadcast.
        a, b, s = (np.broadcast_to(x, value.shape).flat[remaining] for x in (c0, c1, t))
        positive = (a > 0) & (b > 0)
        with np.errstate(all="ignore"):
            logs = np.exp((1.0 - s) * np.log(a) + s * np.log(b))
            values = np.where(positive, logs, a + s * (b - a))
        value.put(remaining, np.clip(values, np.minimum(a, b), np.maximum(a, b)))
        linear = remaining[~positive]
    # At 0 whatever the other end: its error may not be known.
    for end, places in ((c1, t == 1), (c0, t == 0)):
        if places.any():
            np.copyto(value, end, where=places)
    return linear


def piece(z0: Array, z1: Array, c0: Array, c1: Array, u: Array, v: Array, *, log: bool) -> Array:
    """Integrate each segment from u to v, which lie within it."""
    width = z1 - z0
    s, t = (u - z0) / width, (v - z0) / width
    if not log:
        # The line's value at the midpoint: exact, and the pieces add up to the whole.
        return (c0 + 0.5 * (s + t) * (c1 - c0)) * (v - u)
    at_u, at_v = interpolated(c0, c1, s, log=True), interpolated(c0, c1, t, log=True)
    mean = np.where(is_linear(c0, c1), middle(at_u, at_v), log_mean(at_u, at_v))
    return mean * (v - u)


def areas(rows: Rows, rule: str = "trapezoid") -> Array:
    """Integrate the segment after each sample; shaped as the values."""
    mean = log_mean if rule == "loglinear" else middle
    c, areas = rows.value.reshape(-1), np.zeros(rows.value.shape)
    flat = areas.reshape(-1)
    for part in in_blocks(max(c.size - 1, 0), 1):
        flat[:-1][part] = mean(c[:-1][part], c[1:][part])
    # Between the last sample of a row and the first of the next there is no width.
    areas *= rows.width
    return areas


def whole_segments(rows: Rows, rule: str, first: Index, end: Index) -> Array:
    """Integrate over whole segments of each row, (R,): from `first` to that before `end`."""
    if not isinstance(rows, Dense):
        return range_sums(areas(rows, rule).reshape(-1), first, end)
    # The same weighted sum of a row, whatever the limits of others.
    begin, after, n = first - rows.offsets[:-1], end - rows.offsets[:-1], rows.depth.size
    if rows.same_in_all_rows(begin, after):
        begin, after = begin[:1], after[:1]
    place = np.arange(n)
    weights = np.where((place >= begin[:, None]) & (place < after[:, None]), rows.width, 0.0)
    mean, total = log_mean if rule == "loglinear" else middle, np.empty(rows.count)
    c = rows.value.reshape(-1)
    for part in in_blocks(rows.count, n):
        c0, of_part = c[part.start * n : part.stop * n], np.zeros((part.stop - part.start, n))
        of_part.reshape(-1)[:-1] = mean(c0[:-1], c0[1:])
        total[part] = dot_rows(of_part, weights[0] if len(weights) == 1 else weights[part])
    return total


def interval(
    rows: Rows, start: Array, stop: Array, *, hold: bool = False
) -> tuple[Array, Array, Flags]:
    """Return limits within the record (NaN: its ends), and whether any of it is between them.

    With `hold`, the record begins at depth 0, if it would below.
    """
    begin = np.minimum(rows.begin, 0.0) if hold else rows.begin
    a, b = np.fmax(start, begin), np.fmin(stop, rows.end)
    return a, b, (rows.size > (rows.lower is None)) & (a < b)


def steps(rows: Rows) -> Rows:
    """Return averages over cells as steps, with a sample at both edges; others as they are.

    Straight lines between these have the same integral, and join cells that do not meet.
    """
    if rows.lower is None or rows.upper is None:
        return rows
    edges = np.stack([rows.lower, rows.upper], axis=1).reshape(-1)
    value = np.repeat(rows.value, 2, axis=-1)
    if isinstance(rows, Dense):
        return Dense(edges, value)
    return Packed(edges, value, offsets=2 * rows.offsets)


def record_weights(depth: Array) -> Array:
    """Return the weight of each sample, (n,), in the trapezoidal integral over all of them."""
    half, weights = 0.5 * (depth[1:] - depth[:-1]), np.zeros(depth.size)
    weights[:-1] += half
    weights[1:] += half
    return weights


def trapezoid_weights(rows: Rows, start: Array, stop: Array) -> Array:
    """Return the weight of each sample in the trapezoidal integral between two limits.

    In a segment from z0 to z1, the integral from u to v is ``(v - u) [(1 - m) c0 + m c1]``, with m
    the relative position of its middle. All are 0 where `start` is not above `stop`. Shaped as the
    values, or (n,) if dense rows have the same limits. Those of a cell are of both its edges.
    """
    if rows.lower is not None:
        of_edges = trapezoid_weights(steps(rows), start, stop)
        of_samples: Array = of_edges.reshape(*of_edges.shape[:-1], -1, 2).sum(axis=-1)
        return of_samples
    a = np.where(np.isnan(start), -np.inf, start)
    b = np.where(np.isnan(stop), np.inf, stop)
    if isinstance(rows, Dense) and rows.same_in_all_rows(a, b):
        a, b = a[:1], b[:1]
    else:
        a, b = rows.repeat(a), rows.repeat(b)
    z0, z1 = rows.depth, np.append(rows.depth[1:], rows.depth[-1:])
    z1[rows.final] = z0[rows.final]
    # The part of each segment that lies between the limits; of no width outside them.
    u = np.minimum(np.maximum(a, z0), z1)
    v = np.maximum(np.minimum(b, z1), u)
    centre = 0.5 * ((u - z0) + (v - z0))
    np.divide(centre, rows.width, out=centre, where=rows.width > 0)
    before = v - u
    after = before * centre
    before -= after
    before[..., 1:] += after[..., :-1]
    return before
