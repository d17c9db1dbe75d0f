"""Moments of profiles: range, straggle, skewness and kurtosis, with standard errors."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels import segments
from sims_analysis.kernels.edges import edges
from sims_analysis.kernels.levels import find, highest, locate
from sims_analysis.kernels.peak_error import maxima
from sims_analysis.kernels.rows import Array, Rows, changed, errors_of, first_status
from sims_analysis.kernels.significance import significant
from sims_analysis.kernels.variance import variance_above_mean, variance_of_sum
from sims_analysis.outcomes import Status

#: A threshold of fewer standard errors of a sample is not one that the samples show.
ABOVE_NOISE = 2.1


class Moments(NamedTuple):
    """Moments of rows by samples from ``start`` to ``stop``, and their standard errors; (R,)."""

    integral: Array
    projected_range: Array
    straggle: Array
    skewness: Array
    kurtosis: Array
    start: Array
    stop: Array
    status: NDArray[np.uint8]
    integral_stderr: Array
    projected_range_stderr: Array
    straggle_stderr: Array
    skewness_stderr: Array
    kurtosis_stderr: Array


def moments(
    rows: Rows,
    start: Array,
    stop: Array,
    level: Array,
    threshold: Array,
    window_start: Array,
    window_stop: Array,
    fraction: Array,
    floor: Array,
    *,
    relative: bool = False,
    window: bool = False,
) -> Moments:
    """Moments of the profile above the background, with trapezoidal weights.

    ``R = sum w z C / sum w C``, ``m_k = sum w (z - R)^k C / sum w C``. Standard errors are to first
    order, those of the ends of a run above the threshold (NaN: of all samples) included; NaN where
    the variance is 0 (too few counts). The error of the mean over a `window` counts; `level` was
    not subtracted yet, `floor` was.
    """
    inside = rows.within(start, stop)
    run = _run(inside, level, threshold, floor, relative=relative)
    weights, total, mean, off, shape = _between(rows, level, run.first, run.last)
    with np.errstate(invalid="ignore"):
        distribution = np.isfinite(shape.straggle)
    enough = run.size > 2
    status = first_status(
        ((inside.size < 3) | np.isnan(level), Status.NO_DATA),
        (~enough, Status.NEVER_REACHED),
        (~distribution, Status.BELOW_DETECTION),
        (np.isfinite(threshold) & (run.last >= rows.last), Status.TRUNCATED),
        (run.height < ABOVE_NOISE * _noise(rows, level + run.height, floor), Status.UNDETERMINED),
    )
    answers = np.array([total, mean, *shape, run.first, run.last])
    errors = np.full((5, rows.count), np.nan)
    if rows.stderr is not None:
        whole = np.where(distribution, total, np.nan)
        of_row = (rows.repeat(x) for x in (whole, *shape))
        slopes = _slopes(off, np.broadcast_to(weights, off.shape), *of_row)
        common = np.zeros((5, rows.count))
        for end in run.ends:
            # The profile is as high as the threshold there: samples that move an end add a strip.
            strips = _slopes(end.depth - mean, run.height, whole, *shape)
            common += [np.where(end.lifted > 0, strip * end.lifted, 0.0) for strip in strips]
            move = _moves(rows, end)
            slopes = [a + rows.repeat(b) * move for a, b in zip(slopes, strips, strict=True)]
        for error, slope in zip(errors, slopes, strict=True):
            if window:
                variance = variance_above_mean(
                    rows, slope, rows.sum(slope), window_start, window_stop, fraction
                )
            else:
                variance = variance_of_sum(rows, slope)
            error[:] = np.sqrt(np.where(variance > 0, variance, np.nan))
        errors = np.hypot(errors, common)
    answers[:, ~(enough & distribution)] = np.nan
    errors[:, ~(enough & distribution) | (status == Status.UNDETERMINED)] = np.nan
    return Moments._make([*answers, status, *errors])


class _Found(NamedTuple):
    """Weights of the samples, (R, n), sum, mean, distances from the mean, and shape of a run."""

    weights: Array
    total: Array
    mean: Array
    off: Array
    shape: _Shape


def _between(rows: Rows, level: Array, first: Array, last: Array) -> _Found:
    """Return the moments of the samples between two depths; NaN where they have no peak."""
    # Samples outside have zero weight.
    limits = (np.where(np.isfinite(end), end, np.inf) for end in (first, last))
    weights = segments.trapezoid_weights(rows, *limits)
    mass = weights * (rows.value - rows.repeat(level))
    total = rows.sum(mass)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        mean = rows.sum(mass, rows.depth) / total
        # Values that are averages over cells of width h are wider by h^2 / 12 (Sheppard).
        width = 0.0 if rows.lower is None or rows.upper is None else rows.upper - rows.lower
        cell = rows.sum(mass * width**2) / total
        off = rows.depth - rows.repeat(mean)
        squared = off * off
        mass *= squared
        second = rows.sum(mass) / total
        third, fourth = (rows.sum(mass, power) / total for power in (off, squared))
        fourth += 7.0 * cell**2 / 240.0 - 0.5 * second * cell
        second -= cell / 12.0
        distribution = (total > 0) & (second > 0) & (mean >= first) & (mean <= last)
        straggle = np.sqrt(np.where(distribution, second, np.nan))
        shape = _Shape(straggle, third / straggle**3, fourth / straggle**4)
    return _Found(weights, total, mean, off, shape)


def _noise(rows: Rows, height: Array, floor: Array) -> Array:
    """Return the standard error that a sample of a height would have; NaN without errors."""
    if rows.stderr is None:
        return np.full(rows.count, np.nan)
    known = rows.stderr > 0
    counted = np.where(known, rows.value + rows.repeat(floor), 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        one = rows.sum(np.where(known, rows.stderr, 0.0) ** 2) / rows.sum(counted)
        found: Array = np.sqrt(one * (height + floor))
    return found


def _moves(rows: Rows, end: _End) -> Array:
    """Return by how much farther out an end is per sample, so that their errors make its own."""
    stderr = errors_of(rows)
    with np.errstate(invalid="ignore", divide="ignore"):
        here = (rows.depth >= rows.repeat(end.start)) & (rows.depth <= rows.repeat(end.stop))
        here = here & (stderr > 0)
        move = rows.repeat(end.stderr / np.sqrt(rows.sum(here.astype(np.float64)))) / stderr
    return np.where(here & np.isfinite(move), move, 0.0)


class _Shape(NamedTuple):
    """Straggle, skewness and kurtosis, (R,)."""

    straggle: Array
    skewness: Array
    kurtosis: Array


class _End(NamedTuple):
    """An end of a run, (R,): its depth, and where it crosses a threshold, its standard error, the
    samples that show it, and how far a maximum higher by its error moves it inwards.
    """

    depth: Array
    stderr: Array
    start: Array
    stop: Array
    lifted: Array


class _Run(NamedTuple):
    """What is used for the moments: an interval of each row, of `size` samples.

    `height` is that of the profile at its `ends`.
    """

    first: Array
    last: Array
    size: NDArray[Any]
    ends: list[_End]
    height: Array


def _run(rows: Rows, level: Array, threshold: Array, floor: Array, *, relative: bool) -> _Run:
    """Find the depths around the maximum between which the profile lies above the threshold.

    Of rows with standard errors, crossings of the threshold that noise can make do not end it.
    """
    if np.isnan(threshold).all():
        return _Run(rows.begin, rows.end, rows.size, [], threshold)
    row, top = highest(rows)
    height, known = np.array(threshold, dtype=np.float64), np.zeros(rows.count)
    if relative:
        peak = rows.value_at(top)
        if rows.stderr is not None:  # noise has chosen the highest sample
            shown, error = maxima(rows, row, top, floor)
            peak = np.where(np.isfinite(error) & (shown > level[row]), shown, peak)
            known[row] = np.nan_to_num(error / (peak - level[row]))
        height[row] *= peak - level[row]
    at = level + height
    levels = rows.repeat(at)
    every = significant(rows, levels, find(rows, levels), floor=floor)
    inside = np.zeros(rows.count, dtype=bool)
    inside[row] = rows.value_at(top) > at[row]
    depth = np.full(rows.count, np.nan)
    depth[row] = rows.depth_at(top)
    raw = locate(rows, levels, every)
    edge = edges(rows, levels, every, raw, every=every, floor=floor)
    before = raw.depth <= depth[every.row]
    ends = []
    # Crossings are sorted by depth, and the last assignment wins: the nearest on each side.
    for limit, chosen in (
        (rows.begin, np.flatnonzero(before)),
        (rows.end, np.flatnonzero(~before)[::-1]),
    ):
        end = _End(limit.copy(), *np.full((4, rows.count), np.nan))
        columns = edge.depth, edge.stderr, edge.start, edge.stop, edge.decay_length
        for own, column in zip(end, columns, strict=True):
            own[every.row[chosen]] = column[chosen]
        end.depth[~inside] = np.nan
        ends.append(changed(end, lifted=end.lifted * known))
    first, last = (end.depth for end in ends)
    kept = rows.within(np.where(inside, first, np.inf), np.where(inside, last, np.inf))
    return _Run(first, last, kept.size, ends, height)


def _slopes(
    off: Array, weights: Array, total: Array, width: Array, g: Array, b: Array
) -> list[Array]:
    """Return the derivatives of integral, mean, straggle, skewness and kurtosis by the samples.

    With ``t = (z - R) / straggle``, skewness g and kurtosis b: w, and ``w / Q`` times ``straggle
    t``, ``straggle (t^2 - 1) / 2``, ``t^3 - 3 t - g - 3 g (t^2 - 1) / 2``, ``t^4 - 4 g t - b - 2 b
    (t^2 - 1)``.
    """
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
