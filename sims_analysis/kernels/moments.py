"""Moments of profiles: range, straggle, skewness and kurtosis, with standard errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels import segments
from sims_analysis.kernels.counting import shares, window_mean
from sims_analysis.kernels.edges import Edges, around
from sims_analysis.kernels.gaps import reaches_beyond
from sims_analysis.kernels.levels import highest
from sims_analysis.kernels.local_fit import as_points
from sims_analysis.kernels.peak import maxima
from sims_analysis.kernels.rows import Array, Rows, errors_of, first_status
from sims_analysis.kernels.truncation import MISSING_SHARE, begins_inside, missing_outside
from sims_analysis.kernels.variance import variance_above_mean, variance_of_sum
from sims_analysis.outcomes import Status

#: A threshold of fewer standard errors of a sample is not one that the samples show.
ABOVE_NOISE = 2.1
#: Fewer samples above a threshold do not show the shape there: a straggle is off by 5 % and more.
MIN_SAMPLES = 5
#: A steeper fall than by this part of the threshold from sample to sample is not resolved.
STEEPEST = 2.0
#: This part of what straight lines miss at the ends may still be missed.
LEFT = 0.1


class Moments(NamedTuple):
    """Moments of rows by samples from ``start`` to ``stop``, and their standard errors.

    Dose, projected range, straggle, skewness and kurtosis, (R, 5).
    """

    value: Array
    stderr: Array
    start: Array
    stop: Array
    status: NDArray[np.uint8]
    #: What lies below the end of a whole record, if it matters.
    below: Array


def moments(
    rows: Rows,
    start: Array,
    stop: Array,
    level: Array,
    threshold: Array,
    window_start: Array,
    window_stop: Array,
    floor: Array,
    *,
    relative: bool = False,
    window: bool = False,
    record: bool = False,
) -> Moments:
    """Moments of the profile above the background `level`, with trapezoidal weights.

    ``R = sum w z C / sum w C``, ``m_k = sum w (z - R)^k C / sum w C``, of every sample, or between
    the crossings of a `threshold` (not NaN; a fraction of the maximum if `relative`) around the
    maximum. Standard errors are to first order, with those of the ends; NaN where the variance is 0
    (too few counts). With `window`, the background is the mean over it, and its error contributes.
    `floor` is a background that was subtracted before, whose counts scatter still. Of a whole
    `record`, without a background, it is estimated what lies below it.
    """
    if not np.isnan(threshold).all():  # part of a cell is not as high as all of it
        rows = as_points(rows)
    inside = rows.within(start, stop)
    height, noise, lift, ends, sides = _run(inside, level, threshold, floor, relative=relative)
    cut = [(side.depth, side.steepness, height) for side in sides]
    first, last = ends
    weights, off, (total, mean, *shape) = _between(rows, level, first, last, cut)
    distribution = np.isfinite(shape[0])
    run = (np.where(np.isnan(end), np.inf, end) for end in ends)
    size = inside.within(*run).size
    cut_off = (last >= rows.last) | ((first <= rows.first) & begins_inside(rows))
    resolved, few = size > 2, np.isfinite(threshold) & (size < MIN_SAMPLES)
    unknown = np.isnan(level) | (threshold == np.inf)
    status = first_status(
        ((inside.size < 3) | unknown, Status.NO_DATA),
        (~resolved, Status.NEVER_REACHED),
        (~distribution, Status.BELOW_DETECTION),
        (height < ABOVE_NOISE * noise, Status.UNDETERMINED),
        (np.isfinite(threshold) & cut_off, Status.TRUNCATED),
        (few, Status.UNDETERMINED),
        (np.isnan(threshold) & reaches_beyond(rows, start, stop), Status.TRUNCATED),
    )
    results = np.array([total, mean, *shape, first, last])
    errors = np.full((5, rows.count), np.nan)
    if rows.stderr is not None:
        area = np.where(distribution, total, np.nan)
        of_row = (rows.repeat(x) for x in (area, *shape))
        slopes = _slopes(off, np.broadcast_to(weights, off.shape), *of_row)
        common = np.zeros((5, rows.count))
        for end, edge in zip(ends, sides, strict=False):
            # The profile is as high as the threshold there: samples that move an end add a strip.
            strips = _slopes(end - mean, height, area, *shape)
            move = _moves(rows, edge)
            # A maximum that is higher by its error moves the end inwards.
            lifted = edge.decay_length * lift
            with np.errstate(invalid="ignore"):  # of an unknown threshold, infinite
                common += [np.where(lifted > 0, strip * lifted, 0.0) for strip in strips]
                slopes = [a + rows.repeat(b) * move for a, b in zip(slopes, strips, strict=True)]
        if window:
            subtracted = window_mean(rows, window_start, window_stop)
            share = shares(rows, window_start, window_stop)
        for error, slope in zip(errors, slopes, strict=True):
            if window:
                variance = variance_above_mean(rows, slope, rows.sum(slope), subtracted, share)
            else:
                variance = variance_of_sum(rows, slope)
            error[:] = np.sqrt(np.where(variance > 0, variance, np.nan))
        if sides or (rows.lower is None and inside.value.size):
            left, other = (LEFT, []) if sides else (1.0, _ends(inside, level))
            curvature_error = left * (results[:5] - _between(rows, level, first, last, other)[2])
            if not sides:
                curvature_error[0] = 0.0  # as of any dose
            errors = np.hypot(errors, np.where(np.isfinite(curvature_error), curvature_error, 0.0))
        errors = np.hypot(errors, common)
    results[:, ~(resolved & distribution)] = np.nan
    errors[:, ~(resolved & distribution) | (status == Status.UNDETERMINED)] = np.nan
    shown = replace(rows, stderr=None) if window else rows  # a window says what the background is
    below = np.zeros(rows.count)
    if record:
        below = missing_outside(shown, start, MISSING_SHARE * np.abs(total))
    return Moments(results[:5].T, errors.T, results[5], results[6], status, below)


def _between(
    rows: Rows, level: Array, first: Array, last: Array, cut: list[tuple[Array, Array, Array]]
) -> tuple[Array, Array, list[Array]]:
    """Return weights of the samples between two depths, distances from their mean, and moments.

    Include what straight lines miss between two ends: their depths, slopes inwards, and heights.
    """
    # Samples outside have zero weight.
    window = [np.where(np.isfinite(end), end, np.inf) for end in (first, last)]
    weights = segments.trapezoid_weights(rows, *window)
    mass = weights * (rows.value - rows.repeat(level))
    missed = _missed_by_lines(rows.within(*window), cut)
    total = rows.sum(mass) + missed(0, 0.0)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        mean = (rows.sum(mass, rows.depth) + missed(1, 0.0)) / total
        # Values that are averages over cells of width h are wider by h^2 / 12 (Sheppard).
        width = 0.0 if rows.lower is None or rows.upper is None else rows.upper - rows.lower
        cell = rows.sum(mass * width**2) / total
        off = rows.depth - rows.repeat(mean)
        squared = off * off
        mass *= squared
        second = (rows.sum(mass) + missed(2, mean)) / total
        third, fourth = (
            (rows.sum(mass, power) + missed(k, mean)) / total
            for k, power in ((3, off), (4, squared))
        )
        fourth += 7.0 * cell**2 / 240.0 - 0.5 * second * cell
        second -= cell / 12.0
        distribution = (total > 0) & (second > 0) & (mean >= first) & (mean <= last)
        straggle = np.sqrt(np.where(distribution, second, np.nan))
        shape = straggle, third / straggle**3, fourth / straggle**4
    return weights, off, [total, mean, *shape]


def _missed_by_lines(
    inside: Rows, cut: list[tuple[Array, Array, Array]]
) -> Callable[[int, Array | float], Array]:
    """Return what straight lines between samples miss of integrals of ``(z - about)^power C``.

    By Euler and Maclaurin, h^2 / 12 times the derivative at the first end less that at the last.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        step = (inside.last - inside.first) / (inside.size - 1)

    def missed(power: int, about: Array | float) -> Array:
        total = np.zeros(inside.count)
        for (depth, steepness, height), outwards in zip(cut, (-1.0, 1.0), strict=False):
            with np.errstate(all="ignore"):
                slope = np.minimum(steepness, STEEPEST * height / step)
                off = depth - about
                change = off**power * slope
                change -= power * outwards * off ** max(power - 1, 0) * height
                change *= step**2 / 12.0
            total += np.where(np.isfinite(change), change, 0.0)
        return total

    return missed


def _ends(inside: Rows, level: Array) -> list[tuple[Array, Array, Array]]:
    """Return the depths of the first and last samples, slopes from there inwards, and heights."""
    last, at = inside.value.size - 1, np.stack([inside.offsets[:-1], inside.offsets[1:] - 1])
    at, beside = (np.clip(x, 0, last) for x in (at, at - [[-1], [1]]))
    depth, value = inside.depth_at(at), inside.value_at(at)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = (inside.value_at(beside) - value) / np.abs(inside.depth_at(beside) - depth)
    return list(zip(depth, slope, value - level, strict=True))


def _moves(rows: Rows, edge: Edges) -> Array:
    """Return the shift of an edge per change of each sample, which propagates their errors."""
    stderr = errors_of(rows)
    with np.errstate(invalid="ignore", divide="ignore"):
        inside = (rows.depth >= rows.repeat(edge.start)) & (rows.depth <= rows.repeat(edge.stop))
        inside = inside & (stderr > 0)
        move = rows.repeat(edge.stderr / np.sqrt(rows.sum(inside.astype(np.float64)))) / stderr
    return np.where(inside & np.isfinite(move), move, 0.0)


def _run(
    rows: Rows, level: Array, threshold: Array, floor: Array, *, relative: bool
) -> tuple[Array, Array, Array, Array, list[Edges]]:
    """Find the depths around the maximum between which the profile lies above the threshold.

    Return how high that is, the error that a sample has there, the relative one of the maximum,
    these depths, (2, R), and both edges there. Of rows with standard errors, crossings that noise
    can make do not end a run.
    """
    record = np.stack([rows.begin, rows.end])
    if np.isnan(threshold).all():
        return threshold, threshold, 0.0 * level, record, []
    row, top = highest(rows)
    height, peak, lift = np.array(threshold, dtype=np.float64), rows.value_at(top), 0.0 * level
    noise = np.full(rows.count, np.nan)
    if relative and rows.stderr is not None:  # noise has chosen the highest sample
        ((maximum, error),) = maxima(rows, row, top, floor)
        peak = np.where(np.isfinite(error) & (maximum > level[row]), maximum, peak)
        lift[row] = np.nan_to_num(error / (peak - level[row]))
    if relative:
        height[row] *= peak - level[row]
    at = level + height
    if rows.stderr is not None:  # of a count, in proportion to the root of what was counted
        with np.errstate(all="ignore"):
            part = (at + floor)[row] / (rows.value_at(top) + floor[row])
            noise[row] = rows.stderr.reshape(-1)[top] * np.sqrt(part)
    edges, _ = around(rows, at, row, top, floor)
    inside = np.zeros(rows.count, dtype=bool)
    inside[row] = rows.value_at(top) > at[row]
    ends = np.where(inside, np.where(np.isnan(edges.depth), record, edges.depth), np.nan)
    return height, noise, lift, ends, list(map(Edges._make, zip(*edges, strict=True)))


def _slopes(
    off: Array, weights: Array, total: Array, width: Array, g: Array, b: Array
) -> list[Array]:
    """Return the derivatives of dose, mean, straggle, skewness and kurtosis by the samples."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        part, t = weights / total, off / width
        squared = t * t  # powers by multiplication: np.power takes ten times as long
        wider = squared - 1.0
        return [
            weights,
            part * off,
            part * (0.5 * width * wider),
            part * (squared * t - 3.0 * t - g - 1.5 * g * wider),
            part * (squared * squared - 4.0 * g * t - b - 2.0 * b * wider),
        ]
