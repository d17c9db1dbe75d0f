"""Whether the mean over a window is the background of an answer: slopes in it that change this."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from sims_analysis.kernels.counting import CLEAR, scatter_counts, window_mean, window_statistics
from sims_analysis.kernels.dose import LACKS
from sims_analysis.kernels.rows import Array, Index, Packed, Rows

#: What a window shows: the profile is level in it, does something else, or noise may hide a slope.
LEVEL, FALLS, RISES, BENDS, SCATTERS, TOO_NOISY = range(6)

#: Noise hides slopes of up to so many of their standard errors.
_HIDES = 2.5
#: The part of an answer that no slope which noise may hide must change.
_MATTERS = 0.05
#: Logarithm of the factor by which backgrounds rise at most.
_STEEPEST = math.log(10.0)
#: So many samples show their scatter without errors.
_ENOUGH = 8
#: Samples scatter by more than this times their errors, and by chance so rarely.
_NOTABLE, _IMPROBABLE = 1.4, 1e-7


def _parabola(rows: Rows) -> tuple[Array, ...]:
    """Fit parabolas by orthogonal polynomials: the mean and the slope are those of a line; (R,).

    Return the mean, the mean depth and the slope there, the error of the slope, how far the
    parabola comes down below the mean (0 if it bends by chance), and by which factor samples
    scatter more than their errors (1 if by chance). Errors are those of the samples, or their
    scatter, by Student's t, if larger.
    """
    from scipy.special import ndtr, stdtrit

    n = rows.size
    mean, depth = rows.sum(rows.value) / n, rows.sum(rows.depth) / n
    # Rows on one axis have the polynomials of the first.
    own: Any = rows.repeat if isinstance(rows, Packed) else lambda one: one[:1, None]
    left, line = rows.value - rows.repeat(mean), rows.depth - own(depth)
    squares = line * line
    square, cube = rows.sum(squares), rows.sum(squares * line)
    curve = squares - own(square / n) - own(cube / square) * line
    fourth = rows.sum(curve * curve)
    slope, bend = rows.sum(left, line) / square, rows.sum(left, curve) / fourth
    residual = np.maximum(rows.sum(left**2) - slope**2 * square - bend**2 * fourth, 0.0)
    freedom = np.maximum(n * rows.share - 3.0, 1.0)
    scatter = np.where(n >= _ENOUGH, residual / freedom, np.nan)
    widened = scatter * (stdtrit(freedom, ndtr(CLEAR)) / CLEAR) ** 2
    slope_variance, variance, excess = widened / square, widened / fourth, np.ones(rows.count)
    if rows.stderr is not None:
        variances = rows.stderr**2
        slope_variance = np.fmax(slope_variance, rows.sum(variances, squares) / square**2)
        variance = np.fmax(variance, rows.sum(variances, curve * curve) / fourth**2)
        stated = rows.sum(variances) / n
        counts = (stated > 0) & scatter_counts(scatter, stated, freedom, _IMPROBABLE)
        excess = np.where(counts, np.sqrt(scatter / stated), 1.0)
    lowest = rows.reduce(np.minimum, rows.repeat(bend) * curve, 0.0)
    below = np.where(bend**2 > CLEAR**2 * variance, -lowest, 0.0)
    slope = np.where(n > 2, slope, np.nan)
    return mean, depth, slope, np.sqrt(slope_variance), below, excess


class WindowTrend(NamedTuple):
    """What a window shows, as a code, and by which part that changes the answer; shape (R,).

    Where samples scatter, the factor by which they do so more than their errors.
    """

    shows: Index
    change: Array


def window_trend(
    rows: Rows,
    start: Array,
    stop: Array,
    at: Array,
    width: Array,
    answer: Array,
    error: Array,
    hides: Any = True,
) -> WindowTrend:
    """Tell whether the profile is level in a window, as far as that matters for an answer.

    A slope is that of an exponential that rises at most tenfold towards the depth `at` of the
    answer (NaN: the last sample), and changes this by `width` times the difference from the mean.
    One within noise counts if it `hides` any.
    """
    inside = rows.within(start, stop)
    with np.errstate(all="ignore"):
        mean, depth, slope, stderr, below, excess = _parabola(inside)
        apart = np.where(np.isnan(at), inside.last, at) - depth

        def change(slope: Array) -> Array:
            line = slope * apart
            higher = mean * np.expm1(np.minimum(line / mean, _STEEPEST))
            return np.abs(np.where(mean > 0, higher, line)) * width

        size, noise = np.abs(answer), _HIDES * stderr
        slopes = np.abs(slope) > noise
        shown = np.maximum(np.where(slopes, change(slope), 0.0), below * width)
        noisy = np.maximum(change(slope - noise), change(slope + noise))
        word = np.where(slopes, np.where(slope > 0, RISES, FALLS), BENDS)
        cases = [
            ~(size > 0),
            shown > np.fmax(LACKS * size, error),
            hides & (noisy > np.fmax(_MATTERS * size, CLEAR * error)),
            excess > _NOTABLE,
        ]
        shows = np.select(cases, [LEVEL, word, TOO_NOISY, SCATTERS], LEVEL)
        return WindowTrend(shows, np.select(cases[1:3], [shown / size, noisy / size], excess))


def trend_below_record(rows: Rows, start: Array, stop: Array) -> WindowTrend:
    """Return the :func:`window_trend` for the mean of the whole record above that over a window.

    Of a record that is not above it by more than its error, nothing matters; of one that is so by
    less than three times the scatter of its samples, what noise may hide does not.
    """
    every, below = window_statistics(rows, rows.begin, rows.end), window_mean(rows, start, stop)
    above, width = every.mean - below.value, np.ones(rows.count)
    error = np.sqrt(np.nan_to_num(every.mean_variance) * every.squared_shares + below.stderr**2)
    answer, hides = np.where(above > error, above, 0.0), above > CLEAR * np.sqrt(below.of_one)
    middle = 0.5 * (rows.begin + rows.end)
    return window_trend(rows, start, stop, middle, width, answer, error, hides)


def trend_at_limit(rows: Rows, start: Array, stop: Array, limit: Array) -> WindowTrend:
    """Return the :func:`window_trend` for a detection limit at the end of a window.

    Its error is that of a mean and of three standard deviations. Of counts, what is above the mean
    goes with the root of it.
    """
    mean, deviation, n, stated, *_ = window_statistics(rows, start, stop)
    with np.errstate(all="ignore"):
        variance = np.fmax(deviation**2, stated)
        error = np.sqrt(variance * (1 / n + 4.5 / np.maximum(n - 1, 1)))
        width = np.where(mean > 0, 1.0 + 0.5 * (limit - mean) / mean, 1.0)
    at = np.full(rows.count, np.nan)
    return window_trend(rows, start, stop, at, width, limit, error, hides=False)
