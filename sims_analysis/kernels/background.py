"""Whether the mean over a window is the background of an answer: slopes in it that change this."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.counting import (
    CLEAR_ERRORS,
    scatter_counts,
    window_mean,
    window_statistics,
)
from sims_analysis.kernels.rows import (
    Array,
    Dense,
    Flags,
    Index,
    Rows,
    changed,
    first_status,
    range_sums,
)
from sims_analysis.kernels.truncation import MISSING_SHARE
from sims_analysis.outcomes import Status

#: What a window shows: the profile is level in it, does something else, or noise may hide a slope.
LEVEL, FALLS, RISES, STEPS, SCATTERS, TOO_NOISY = range(6)


@dataclass(frozen=True)
class _Rules:
    """The numbers by which a window is judged."""

    hides: float = 2.5  # standard errors of a slope that noise may hide
    higher: float = 2.0  # standard errors by which the mean is higher then, at most
    matters: float = 0.05  # part of an answer by which a hidden slope changes it if it matters,
    errors: float = 2.0  # and standard errors of the answer
    surface: float = 0.01  # part of the depth of a window from which a power of it goes no further
    rises: float = 10.0  # factor by which backgrounds rise at most
    # Parts of the window in which a step may be: an eighth or a quarter at an end, or its middle.
    begins: tuple[float, ...] = 0.0, 0.0, 0.25, 0.75, 0.875
    ends: tuple[float, ...] = 0.125, 0.25, 0.75, 1.0, 1.0
    enough: int = 8  # number of samples that show their scatter
    notable: float = 1.4  # factor by which samples scatter more than their errors, if reported,
    improbable: float = 1e-7  # and probability below which chance does not make it
    rounding: float = 1e-9  # part of the mean below which scatter is that of conversions


_RULES = _Rules()


def _parabola(rows: Rows) -> tuple[Array, ...]:
    """Fit parabolas by orthogonal polynomials: the mean and the slope are those of a line; (R,).

    Return the mean, the mean depth, the variance of a sample, the slope and its error, how far the
    parabola comes down below the mean (0 if it bends by chance), and by which factor samples
    scatter more than their errors (1 if by chance). Variances are those of the errors, or of the
    scatter, by Student's t, if larger.
    """
    from scipy.special import ndtr, stdtrit

    # Rows on one axis have the same polynomials.
    axis: Rows = Dense(rows.depth, rows.depth[None]) if isinstance(rows, Dense) else rows
    n, mean, depth = rows.size, rows.sum(rows.value) / rows.size, axis.sum(axis.depth) / axis.size
    left, line = rows.value - rows.repeat(mean), rows.depth - axis.repeat(depth)
    squares = line * line
    square, cube = axis.sum(squares), axis.sum(squares, line)
    curve = squares - axis.repeat(square / axis.size) - axis.repeat(cube / square) * line
    fourth = axis.sum(curve, curve)
    slope, bend = rows.sum(left, line) / square, rows.sum(left, curve) / fourth
    of_bend = bend**2 * fourth
    residual = np.maximum(rows.sum(left, left) - slope**2 * square - of_bend, 0.0)
    freedom = np.maximum(n * rows.share - 3.0, 1.0)
    scatter = np.where(n >= _RULES.enough, residual / freedom, np.nan)
    of_one = scatter * (stdtrit(freedom, ndtr(CLEAR_ERRORS)) / CLEAR_ERRORS) ** 2
    excess = np.ones(rows.count)
    if rows.stderr is not None:
        variances = rows.stderr**2
        of_one = np.fmax(of_one, rows.sum(variances, squares) / square)
        stated = rows.sum(variances) / n
        counts = (stated > 0) & scatter_counts(scatter, stated, freedom, _RULES.improbable)
        excess = np.where(counts, np.sqrt(scatter / stated), 1.0)
    lowest, highest = (axis.reduce(end, curve, 0.0) for end in (np.minimum, np.maximum))
    down = np.maximum(-bend * lowest, -bend * highest)
    below = np.where(of_bend > CLEAR_ERRORS**2 * of_one, down, 0.0)
    depth = np.broadcast_to(depth, mean.shape)
    slope = np.where(n > 2, slope, np.nan)
    return mean, depth, of_one, slope, np.sqrt(of_one / square), below, excess


def _step_down(rows: Rows, mean: Array, of_one: Array) -> Array:
    """Return how far the lowest part of each window is below its mean; 0 if that may be chance."""
    n, first = rows.size[:, None], rows.offsets[:-1, None]
    begin = first + np.floor(n * _RULES.begins).astype(np.intp)
    end = first + np.ceil(n * _RULES.ends).astype(np.intp)
    size = end - begin
    below = mean[:, None] - range_sums(rows.value.reshape(-1), begin, end) / size
    noise = np.sqrt(of_one[:, None] * (1.0 / size - 1.0 / n))
    steps: Array = np.where(below > CLEAR_ERRORS * noise, below, 0.0).max(axis=1)
    return steps


class WindowTrend(NamedTuple):
    """What a window shows, as a code, and by which part that changes the answer; shape (R,).

    Where samples scatter, the factor by which they do so more than their errors; where it is too
    noisy, ``slope_error`` is the error of the answer by slopes that noise may hide, otherwise 0: no
    doubt about an answer with an error, which holds it.
    """

    shows: Index
    change: Array
    slope_error: Array


def window_trend(
    rows: Rows,
    start: Array,
    stop: Array,
    top: Array,
    bottom: Array,
    width: Array,
    answer: Array,
    error: Array,
) -> WindowTrend:
    """Tell whether the profile is level in a window, as far as that matters for an answer.

    A slope is that of an exponential, or towards the surface of a power (:func:`_apart`), that
    rises at most tenfold, and changes the answer, which lies between `top` and `bottom`, by `width`
    times the difference of its mean there from that in the window. One within noise is no steeper
    than what is measured beside the window allows. A bend or a step changes it by as much as a part
    of the window is lower.
    """
    inside = rows.within(start, stop)
    with np.errstate(all="ignore"):
        mean, depth, variance, slope, stderr, below, excess = _parabola(inside)
        middle = 0.5 * (top + bottom)
        toward = np.sign(middle - depth)
        # The mean over an interval is that of two depths in it (Gauss and Legendre).
        two = middle + np.array([[-0.5], [0.5]]) * (bottom - top) / math.sqrt(3.0)
        widened = np.isfinite(error)
        distance = _apart(depth, two, widened)
        size, noise = np.abs(answer), _RULES.hides * stderr
        # The slope that is seen, and the limits of what noise may hide.
        slopes = np.stack([slope, slope - noise, slope + noise])[:, None]

        def changes(steepest: Any = np.inf) -> Array:
            steepness = toward * np.minimum(toward * slopes / mean, steepest)
            rise = np.minimum(steepness * distance, math.log(_RULES.rises))
            higher = np.where(mean > 0, mean * np.expm1(rise), slopes * distance)
            changed: Array = np.abs(higher.mean(axis=1)) * width
            return changed

        by_slope, *by_noise = changes()
        slopes_shown = np.abs(slope) > noise
        below = np.fmax(below, _step_down(inside, mean, variance))
        shown = np.maximum(np.where(slopes_shown, by_slope, 0.0), below * width)
        word = np.where(slopes_shown, np.where(slope > 0, RISES, FALLS), STEPS)
        limit_of_doubt = np.fmax(_RULES.matters * size, _RULES.errors * error)
        noisy = np.maximum(*by_noise)
        if (doubtful := noisy > limit_of_doubt).any():
            window = np.stack([mean, depth, variance, widened])
            noisy = np.maximum(*changes(_steepest(rows, inside, window, toward, doubtful))[1:])
        empty, sloping = ~(size > 0), shown > np.fmax(MISSING_SHARE * size, error)
        too_noisy = noisy > limit_of_doubt
        unsure = too_noisy & ~widened
        scatters = ~(empty | sloping | unsure) & (excess > _RULES.notable)
        shows = np.where(scatters, SCATTERS, np.where(unsure, TOO_NOISY, LEVEL))
        shows = np.where(empty, LEVEL, np.where(sloping, word, shows))
        part = np.where(scatters, excess, np.where(sloping, shown, noisy) / size)
        # What rises from a higher mean is higher by as much.
        most = 1.0 + _RULES.higher * np.sqrt(variance / inside.size) / mean
        slope_error = noisy * np.where(mean > 0, most, 1.0) / CLEAR_ERRORS
        slope_error = np.where(too_noisy & ~empty & ~sloping, slope_error, 0.0)
        return WindowTrend(shows, part, slope_error)


def _apart(depth: Array, place: Array, widened: Array) -> Array:
    """Return the distance of places from a depth, over which ln C changes by its slope there.

    Towards the surface, where that only widens an error, it does so by a power of the depth, which
    is steeper than an exponential: residual gas and memory fall like 1/z.
    """
    power = depth * np.log(np.maximum(place / depth, _RULES.surface))
    distance: Array = np.where(widened * (place < depth) * (depth > 0), power, place - depth)
    return distance


def _steepest(rows: Rows, inside: Rows, window: Array, toward: Array, noisy: Flags) -> Array:
    """Return how steep exponentials may be that rise from noisy windows upwards (-1) or downwards.

    They nowhere exceed what is measured: the mean, and three of its errors, of all samples
    beside the window on that side, of the half of these next to it, and so on. Of the `window` are
    given the mean, the mean depth, the variance of a sample, and whether an error is widened.
    """
    above, row = toward < 0, np.arange(rows.count)
    first, end = rows.position(inside.first, row, "left"), rows.position(inside.last, row)
    size = np.where(above, first - rows.offsets[:-1], rows.offsets[1:] - end)
    noisy_rows = np.flatnonzero(noisy & (size > 0))
    first, end, size = first[noisy_rows], end[noisy_rows], size[noisy_rows]
    mean, depth, variance, widened = window[:, noisy_rows]
    n = np.maximum(size >> np.arange(int(size.max(initial=0)).bit_length())[:, None], 1)
    low = np.where(above[noisy_rows], first - n, end)
    value = range_sums(rows.value.reshape(-1), low.T, (low + n).T).T / n
    place = 0.5 * (rows.depth_at(low) + rows.depth_at(low + n - 1))
    apart = np.abs(_apart(depth, place, widened))
    error = np.sqrt(variance * (np.maximum(value / mean, 1.0) / n + 1.0 / (end - first)))
    steepest = np.full(rows.count, np.inf)
    each = np.log((value + CLEAR_ERRORS * error) / mean) / apart
    steepest[noisy_rows] = np.fmin.reduce(each, axis=0, initial=np.inf)
    return steepest


def trend_below_record(rows: Rows, start: Array, stop: Array) -> WindowTrend:
    """Return the :func:`window_trend` for the mean of the whole record above that over a window.

    Of a record that is not above it by more than its error, nothing matters; of one that is so by
    less than three times the scatter of its samples, what noise may hide does not.
    """
    every, below = window_statistics(rows, rows.begin, rows.end), window_mean(rows, start, stop)
    above, width = every.mean - below.value, np.ones(rows.count)
    error = np.sqrt(np.nan_to_num(every.mean_variance) * every.squared_shares + below.stderr**2)
    answer = np.where(above > error, above, 0.0)
    trend = window_trend(rows, start, stop, rows.begin, rows.end, width, answer, error)
    # The error belongs to this question, not to the record: only three of them matter.
    with np.errstate(invalid="ignore"):  # of an answer of 0
        hidden = (trend.slope_error > 0) & (trend.change * answer > CLEAR_ERRORS * error)
    hidden &= above > CLEAR_ERRORS * np.sqrt(below.of_one)
    return changed(trend, shows=np.where((trend.shows == LEVEL) & hidden, TOO_NOISY, trend.shows))


class DetectionLimit(NamedTuple):
    """The limit from a window, its error, the mean and number of samples, its trend; (R,)."""

    limit: Array
    stderr: Array
    mean: Array
    n: Index
    status: NDArray[np.uint8]
    shows: Index
    change: Array
    start: Array
    stop: Array


def detection_limit(
    rows: Rows, start: Array, stop: Array, above: Array, *, counted: bool
) -> DetectionLimit:
    """Return three standard deviations above the mean of a window, or what is `counted` above it.

    Its error is that of all samples' influence on it, of a normal distribution at least, and what
    slopes within noise change of it at the end of the window. Of counts, what is above the mean
    goes with the root of it.
    """
    mean, deviation, n, stated, _, *ends = window_statistics(rows, start, stop)
    inside, share = rows.within(start, stop), rows.share
    with np.errstate(all="ignore"):
        above = above if counted else 3.0 * deviation
        limit, few = mean + above, n < (1 if counted else 2)
        blind = np.isnan(above) if counted else deviation <= _RULES.rounding * np.abs(mean)
        width = np.where(mean > 0, 1.0 + 0.5 * above / mean, 1.0)
        variance = np.fmax(deviation**2, stated)
        error = np.sqrt(variance / (n * share)) * width
        if not counted:
            off, spread = inside.value - inside.repeat(mean), inside.repeat(deviation)
            influence = off + 1.5 * (off**2 / spread - spread)
            normal = variance * (1.0 / n + 4.5 / np.maximum(n - 1, 1))
            error = np.sqrt(np.fmax(normal, inside.sum(influence**2) / n**2) / share)
    trend = window_trend(rows, start, stop, inside.last, inside.last, width, limit, error)
    error = np.hypot(error, trend.slope_error)
    status = first_status((few, Status.NO_DATA), (blind, Status.UNDETERMINED))
    limit[few | blind] = error[few | blind] = np.nan
    return DetectionLimit(limit, error, mean, n, status, *trend[:2], *ends)
