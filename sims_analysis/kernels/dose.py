"""Integrals of profiles over depth, in units of value times depth.

The trapezoidal integral between any limits is a weighted sum of the samples. The log-linear rule
adds up segments: the mean of each times its width between the limits.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels import segments
from sims_analysis.kernels.interpolation import interpolate
from sims_analysis.kernels.rows import (
    Array,
    Dense,
    Flags,
    Index,
    Packed,
    Rows,
    SingleResult,
    first_status,
)
from sims_analysis.kernels.transient import surface_transient
from sims_analysis.kernels.truncation import MISSING_SHARE, missing_outside
from sims_analysis.kernels.variance import variance_of_dose, variance_of_sum
from sims_analysis.outcomes import Status


class Integral(NamedTuple):
    """Integrals of rows, (R,), with the limits used, which lie within the samples.

    ``n_linear_segments`` counts those that the log-linear rule integrates as trapezoids, because an
    end is not positive; ``below`` is what lies below the end of a whole record, if it matters.
    """

    value: Array
    start: Array
    stop: Array
    status: NDArray[np.uint8]
    n_linear_segments: Index
    below: Array
    #: Where a surface transient ends, if it was asked for.
    transient_end: Array
    #: From random errors, if it was asked for: :func:`.variance.variance_of_dose`.
    variance: Array


#: The most profiles that are searched for a surface transient.
MAX_SEARCHED = 20


def integrate(
    rows: Rows,
    start: Array,
    stop: Array,
    limit: Array | None = None,
    window_start: Array | None = None,
    window_stop: Array | None = None,
    *,
    rule: str = "trapezoid",
    record: bool = False,
    hold: bool = False,
    transient: bool = False,
    variance: bool = False,
) -> Integral:
    """Integrate profiles over depth by the rule ``trapezoid`` or ``loglinear``.

    Values at limits between samples are interpolated; averages over cells are summed with their
    widths under either rule. ``truncated`` where a limit lies beyond the samples, and is replaced
    by the end of the profile; ``no_data`` where no segment lies between the limits. Of a whole
    `record`, it is estimated what lies below it. With `hold`, the first value holds up to depth 0.
    It may be asked for a surface `transient`, and for the `variance`, above the mean over a window
    if there is one. Where no sample exceeds a `limit` of detection (NaN: none) there is no value:
    ``below_detection``, or ``no_data`` for an infinite one, that is not known.
    """
    measured, requested_rule, rule = rows, rule, "trapezoid" if rows.lower is not None else rule
    rows = segments.steps(rows)
    a, b, valid = segments.interval(rows, start, stop, hold=hold)
    inner = np.maximum(a, rows.first), np.maximum(b, rows.first)
    value, n_linear = np.full(rows.count, np.nan), np.zeros(rows.count, dtype=np.intp)
    if isinstance(rows, Dense) and rule == "trapezoid":
        # One sum over the samples of each row, which takes the least time.
        total = rows.integral(segments.trapezoid_weights(rows, *inner))
        value[valid] = total[valid]
    elif valid.any():
        value[valid], n_linear[valid] = _by_segments(rows, *inner, valid, rule=rule)
    if hold:
        some, held_width = np.flatnonzero(valid), np.maximum(np.minimum(b, rows.first) - a, 0.0)
        value[some] += held_width[some] * rows.value_at(rows.offsets[some])
    first = np.minimum(rows.first, 0.0) if hold else rows.first
    beyond = (start < first - rows.tolerance) | (stop > rows.last + rows.tolerance)
    status = first_status((~valid, Status.NO_DATA), (beyond, Status.TRUNCATED))
    a[~valid] = b[~valid] = np.nan
    if limit is not None and not np.isnan(limit).all():
        lost = valid & (highest(measured, a, b, rule=requested_rule).value < limit)
        value[lost] = np.nan
        status[lost] = np.where(np.isinf(limit), Status.NO_DATA, Status.BELOW_DETECTION)[lost]
    below = np.zeros(rows.count)
    if record:
        # The mean over a window is a background, whatever slope noise hides in it.
        shown = measured if window_start is None else replace(measured, stderr=None)
        below = missing_outside(shown, start, MISSING_SHARE * np.abs(value))
    end = squares = nothing = np.full(rows.count, np.nan)
    if transient:
        end = surface_transient(measured, nothing, nothing, MAX_SEARCHED).end
    if variance:
        squares = variance_of_dose(measured, start, stop, window_start, window_stop, hold=hold)
    return Integral(value, a, b, status, n_linear, below, end, squares)


def _linear(samples: Array, first: Index, end: Index) -> Index:
    """Count the segments of rows end to end in which a logarithm cannot be taken."""
    low = np.flatnonzero(samples <= 0)
    linear = np.union1d(low - 1, low)  # the segments before and after
    number: Index = linear.searchsorted(end) - linear.searchsorted(first)
    return number


def _by_segments(rows: Rows, a: Array, b: Array, valid: Flags, *, rule: str) -> tuple[Array, Index]:
    """Add up whole segments between the limits and parts of the two they cut; count linear ones."""
    log, value = rule == "loglinear", rows.value.reshape(-1)
    first, last = rows.segment_at(np.stack([a, b], axis=1)).T
    end = last + (b > rows.depth_at(last))  # a limit at a sample does not reach into the next
    total = segments.whole_segments(rows, rule, first + 1, last)
    n_linear = _linear(value, first, end) if log else np.zeros(rows.count, dtype=np.intp)
    first, last = first[valid], last[valid]
    a, b, total = a[valid], b[valid], total[valid]

    def part(at: Index, u: Array, v: Array) -> Array:
        ends = (rows.depth_at(at), rows.depth_at(at + 1), rows.value_at(at), rows.value_at(at + 1))
        return segments.piece(*ends, u, v, log=log)

    total += part(first, a, np.minimum(b, rows.depth_at(first + 1)))
    total += np.where(last > first, part(last, rows.depth_at(last), b), 0.0)
    return total, n_linear[valid]


def highest(rows: Rows, start: Array, stop: Array, *, rule: str) -> SingleResult:
    """Return the highest values of profiles, (R,), between limits, and at these by a rule."""
    inside = rows.within(start, stop)
    at = np.stack([np.fmax(start, rows.first), np.fmin(stop, rows.last)], axis=1)
    ends = interpolate(rows, at, method="log" if rule == "loglinear" else "linear").value
    most = inside.reduce(np.maximum, inside.value, -np.inf)
    return SingleResult(np.fmax(most, np.fmax(*ends.T)))


def below(rows: Rows, start: Array, stop: Array, limit: Array, *, hold: bool) -> SingleResult:
    """Integrate the samples below a limit, (R,), by trapezoids; see :func:`integrate`."""
    # The trapezoid is linear in the values: those above the limit count 0.
    low = np.where(rows.value >= rows.repeat(limit), 0.0, rows.value)
    return SingleResult(integrate(replace(rows, value=low), start, stop, hold=hold).value)


def cumulative(
    rows: Rows, background: Array, *, rule: str = "trapezoid", divisor: float = 1.0
) -> SingleResult:
    """Integrate ``(C - background) / divisor`` from the first sample, or edge, to each, (R, n).

    NaN where there is no sample, and for a row with a single one, which has no width.
    """
    total = running(rows, rule=rule)
    if background.any():
        total -= rows.repeat(background) * (rows.depth - rows.repeat(rows.begin))
    if rows.lower is None and not (rows.size > 1).all():
        total = np.where(rows.repeat(rows.size > 1), total, np.nan)
    total /= divisor
    return SingleResult(rows.unpacked(total))


def running(rows: Rows, *, rule: str) -> Array:
    """Integrate from the first sample of each row to each of its samples; shaped as the values."""
    if rows.lower is not None:
        to_lower = running(segments.steps(rows), rule="trapezoid")[..., ::2]
        return to_lower + rows.value * (rows.depth - rows.lower)
    areas = segments.areas(rows, rule)
    total = np.zeros(areas.shape)
    if isinstance(rows, Dense):
        np.cumsum(areas[:, :-1], axis=1, out=total[:, 1:])
        return total
    # Row by row: in one sum over all rows, a small row would lose digits to those before it.
    for in_row in rows.slices():
        np.cumsum(areas[in_row][:-1], out=total[in_row][1:])
    return total


class AtFraction(NamedTuple):
    """Depths above which stated fractions of a dose lie: depth, stderr (R, m), status (R,)."""

    depth: Array
    stderr: Array
    status: NDArray[np.uint8]
    #: That of each depth, (R, m): ``undetermined`` where too few counts lie on one side.
    each: NDArray[np.uint8]


#: Fewest counts on one side of a depth for which a standard error is given.
_MIN_COUNTS = 2.0


def depth_at_dose_fraction(rows: Rows, fractions: Array, *, rule: str = "trapezoid") -> AtFraction:
    """Find the depths above which stated `fractions`, (R, m), of each row's integral lie.

    ``stderr`` is half the distance between the depths at which the cumulative integral is u below
    and above the requested one: ``u^2 = sum ((f W_i - w_i) s_i)^2``, with the weights W of the
    whole integral and w of that down to the depth. NaN without standard errors, if u is 0, and if
    less than u or than two counts lie on one side. ``no_data`` with fewer than two samples,
    ``never_reached`` where the integral is not positive.
    """
    rows = rows.packed()
    curve = segments.steps(rows).packed()
    enough = curve.size > 1
    depth, stderr = np.full((2, *fractions.shape), np.nan)
    each = np.full(fractions.shape, Status.OK, dtype=np.uint8)
    no_limit, total = np.full((2, rows.count), np.nan)
    cumulated = running(curve, rule=rule)
    total[enough] = cumulated[curve.offsets[1:][enough] - 1]
    none = ~(total > 0)
    unknown = ~enough | np.isnan(fractions).all(axis=1)
    status = first_status((unknown, Status.NO_DATA), (none, Status.NEVER_REACHED))
    total[none] = np.nan
    for i, fraction in enumerate(fractions.T):
        depth[:, i] = _solve(curve, cumulated, fraction * total, rule)
        if rows.stderr is None:
            continue
        whole, above = (
            segments.trapezoid_weights(rows, no_limit, limit)
            for limit in (no_limit, np.where(np.isnan(depth[:, i]), 0.0, depth[:, i]))
        )
        # Variance over value is what one count adds to the integral.
        least = _MIN_COUNTS * _positive(variance_of_sum(rows, whole)) / total
        u = np.sqrt(_positive(variance_of_sum(rows, rows.repeat(fraction) * whole - above)))
        smaller = np.minimum(fraction, 1.0 - fraction) * total
        few = smaller < np.fmax(u, least)
        each[few, i] = Status.UNDETERMINED
        target = np.where(few, np.nan, fraction * total)
        low, high = (_solve(curve, cumulated, target + side, rule) for side in (-u, u))
        by_lines = rule == "trapezoid" and rows.value.size
        off = _off_by_lines(rows, depth[:, i], fraction) if by_lines else 0.0
        stderr[:, i] = np.hypot(0.5 * (high - low), off)
    return AtFraction(depth, stderr, status, each)


def _off_by_lines(rows: Packed, depth: Array, fraction: Array) -> Array:
    """Return by how much straight lines between samples move such depths (Euler and Maclaurin).

    They miss h^2 / 12 times the slope at an end of an integral; those of cells h^2 / 12 within one.
    """
    at = np.nan_to_num(np.stack([depth, rows.first, rows.last], axis=1))
    before = rows.segment_at(at).T
    after = np.minimum(before + 1, rows.value.size - 1)
    low, high = rows.value_at(before), rows.value_at(after)
    missed, above, below = (rows.depth_at(after) - rows.depth_at(before)) * (high - low) / 12.0
    if rows.lower is None:
        missed = missed - (1.0 - fraction) * above - fraction * below
    height = 0.5 * (low + high)[0]
    moved: Array = np.divide(missed, height, out=np.zeros_like(missed), where=height > 0)
    return moved


def _positive(variance: Array) -> Array:
    return np.where(variance > 0, variance, np.nan)


def _solve(rows: Packed, cumulated: Array, target: Array, rule: str) -> Array:
    """Return the depths at which the cumulative integral first reaches its target; NaN for NaN."""
    depth = np.full(rows.count, np.nan)
    # Noise may make the integral dip: the first segment that reaches the target counts.
    reached = np.flatnonzero(cumulated >= rows.repeat(target))
    row, position = np.unique(rows.row[reached], return_index=True)
    after = reached[position]
    depth[row] = rows.depth[after]
    inner = after > rows.offsets[row]
    row, after = row[inner], after[inner]
    before = after - 1
    h, c0, c1 = rows.depth[after] - rows.depth[before], rows.value[before], rows.value[after]
    rest = target[row] - cumulated[before]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        # c0 u + (c1 - c0) u^2 / 2h = rest, solved without cancellation for a flat segment, and in
        # units of the larger end, so that squares do not overflow.
        scale = np.maximum(np.abs(c0), np.abs(c1))
        r, slope = rest / scale, (c1 / scale - c0 / scale) / h
        part = 2 * r / (c0 / scale + np.sqrt((c0 / scale) ** 2 + 2 * slope * r))
        if rule == "loglinear":
            slope = np.log(c1 / c0) / h
            exponential = (c0 > 0) & (c1 > 0) & (c0 != c1)
            part = np.where(exponential, np.log1p(rest * slope / c0) / slope, part)
    whole = rest >= cumulated[after] - cumulated[before]
    depth[row] = np.where(whole, rows.depth[after], rows.depth[before] + part)
    return depth
