"""Edges: where a profile crosses a level, by the samples around the crossing and their errors.

Noise moves a crossing between two samples, and of several at one edge the deepest lies too deep.
The samples around it show where the edge is, and how well that is known.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.blocks import in_blocks, in_parts
from sims_analysis.kernels.gaps import breaks
from sims_analysis.kernels.levels import Crossings, Located
from sims_analysis.kernels.local_fit import (
    Counted,
    Samples,
    counted,
    half_width_about,
    maximized,
    solved,
)
from sims_analysis.kernels.rows import Array, Index, Rows, changed, errors_of, range_sums

#: How a crossing is located: at the edge that the samples around it show, where two samples alone
#: do not; always there; or between its two samples.
Locate = Literal["auto", "fit", "crossing"]

#: The window grows until the sums of its two sides differ by so many standard errors, ...
KNOWN = 6.0
#: ... and their means by this part of the level: an exponential's at 0.3 decay lengths.
APART = 0.3
#: Two samples around a crossing that differ by this many standard errors suffice alone, those of
#: a step as long as a decay length by the second: samples farther away belong to another part of
#: the profile. From half of it on, the fit takes over by and by.
ALONE, ALONE_IF_STEEP = 20.0, 8.0
#: Falls of ln C from sample to sample between which the first number becomes the second.
STEEP = 0.5, 1.0
#: The fit takes over too where curvature moves the crossing by these parts of its error.
BENT = 0.2, 0.4
#: Relative error above which the logarithm of a sample is not used: ten counts.
MAX_RELATIVE_ERROR = 0.33
#: Curvatures of more than this many standard errors, or that differ by as many, may be of a kink.
KINK = 2.0
#: A kink has less curvature in a window that is wider by this factor; by this part of it, a smooth
#: profile has too; and by this part of what is more, over the slope, the crossing may be off.
WIDER, SMOOTH, KINKED = 2, 0.2, 0.45
#: Growth of the window per iteration.
GROWTH = 1.3
#: Crossings processed at a time.
AT_ONCE = 1 << 13
#: Prior standard deviation of the curvature of ln C, over its slope squared: 0 for an exponential,
#: -1 for a straight line of C, -0.7 at half of a Gaussian. Wide enough to let the data
#: decide wherever they determine the curvature.
CURVED = 5.0


class Edges(NamedTuple):
    """Edges at K crossings: depth, standard error, decay length, |dC/dz| at the level; (K,).

    And the depths from ``start`` to ``stop`` of the samples on which they rest.
    """

    depth: Array
    stderr: Array
    decay_length: Array
    steepness: Array
    start: Array
    stop: Array


def edges(
    rows: Rows,
    level: Array,
    found: Crossings,
    raw: Located,
    *,
    every: Crossings,
    level_stderr: Array | None = None,
    floor: Array | None = None,
    locate: Locate = "auto",
) -> Edges:
    """Locate the edges at crossings; without standard errors, between their two samples.

    ``ln(value / level) = A + B z + C z^2 / 2`` is fitted by maximum likelihood to the smallest
    window that tells the two sides apart and reaches no other of `every` crossing. Counts, above a
    subtracted `floor`, are Poisson against a level, and binomial between two counted quantities;
    zeros are data. The depth is ``raw + w (fit - raw)``, where two samples that differ clearly, and
    no curvature, make w fall from 1 to 0; with `locate` it is 1, or 0, and then the error is half
    of the 68 % interval about the crossing. A kink that the window may hold is part of the error.
    """
    on = rows.depth_at(found.at_or_above)
    between = on, np.where(found.on_sample, on, rows.depth_at(found.after))
    unknown = np.full((2, on.size), np.nan)
    result = Edges(raw.depth.copy(), unknown[0], raw.decay_length.copy(), unknown[1], *between)
    if rows.stderr is not None and on.size:
        level_stderr = np.zeros(1) if level_stderr is None else level_stderr
        floor = np.zeros(rows.count) if floor is None else floor
        _fit(result, rows, level, found, raw, every, level_stderr, floor, locate)
        np.fmin(result.start, between[0], out=result.start)
        np.fmax(result.stop, between[1], out=result.stop)
    result.depth[:] -= _moved_by_cells(rows, found, result.decay_length)
    return result


def _fit(
    result: Edges,
    rows: Rows,
    level: Array,
    found: Crossings,
    raw: Located,
    every: Crossings,
    level_stderr: Array,
    floor: Array,
    locate: Locate,
) -> None:
    """Put into `result` what the samples around crossings show, where their two do not suffice."""
    error, lower, lower_error = (
        np.broadcast_to(a, rows.value.shape).reshape(-1)
        for a in (errors_of(rows), level, level_stderr)
    )
    walls = np.union1d(every.at_or_above, breaks(rows))
    rows = rows.packed()
    columns = (rows.depth, rows.value, error, lower, lower_error)
    # Differences of the sides, their variances and numbers, 0 after the last sample, where a range
    # may end. A sample with an unknown error is left out.
    sides = np.zeros((3, lower.size + 1))
    sides[:2, :-1] = rows.value - lower, error**2 + lower_error**2
    known = np.logical_and.reduce(np.isfinite(sides[:2]))
    sides[2] = 1.0
    sides[:, ~known] = 0.0
    for part in in_blocks(found.row.size, 1, AT_ONCE):
        row, before = found.row[part], found.at_or_above[part]
        # From the wall before the crossing to the one after it.
        i, j = (walls.searchsorted(before, side=side) for side in ("left", "right"))
        begin = np.maximum(rows.offsets[row], np.append(-1, walls)[i] + 1)
        end = np.minimum(rows.offsets[row + 1], np.append(walls, rows.value.size)[j] + 1)
        samples = Samples(*columns, known[:-1], begin, end, floor[row])
        own = _edge(samples, sides, before, raw.depth[part], found.direction[part], locate)
        for column, values in zip(result, own, strict=True):
            better = ~np.isnan(values)
            column[part][better] = values[better]


def _moved_by_cells(rows: Rows, found: Crossings, decay: Array) -> Array:
    """Return how far crossings lie from those of a profile whose averages over cells are given.

    Averages over cells of width h of an exponential with the decay length lambda are higher by
    ``sinh(x) / x``, with ``x = h / 2 lambda``: a falling edge seems deeper by its logarithm.
    """
    if rows.lower is None or rows.upper is None:
        return np.zeros(found.row.size)
    at = found.at_or_above
    with np.errstate(all="ignore"):
        x = (rows.along(rows.upper, at) - rows.along(rows.lower, at)) / (2.0 * decay)
        shift = -found.direction * decay * np.log(np.sinh(x) / x)
    # A step within one cell is no exponential.
    known: Array = np.where(np.isfinite(shift) & (x < 1.0), shift, 0.0)
    return known


def _edge(
    samples: Samples,
    sides: Array,
    before: Index,
    at: Array,
    direction: NDArray[np.int8],
    locate: Locate,
) -> Edges:
    """Return the edges at crossings; NaN where the two samples decide."""
    shift, error, steep, weight = _between_two(samples, before, at)
    half = half_width_about(shift, error)
    straight = np.flatnonzero(np.isnan(half))  # no logarithm can be taken, or of few counts
    line = _linear_error(samples, straight, before[straight], at[straight])
    half[straight], steep[straight] = line
    half[np.isinf(half)] = np.nan  # flat there
    weight = np.where(half == 0.0, 0.0, 1.0 if locate == "fit" else weight)
    fitted = Edges(*np.full((6, at.size), np.nan))
    tried, centre = np.flatnonzero(weight > 0), before.copy()
    for _ in range(2):
        reach = _reach(samples, sides, tried, centre[tried])
        tried, reach = tried[reach > 0], reach[reach > 0]
        found, sample = _fit_windows(samples, tried, centre[tried], direction[tried], reach)
        good = np.isfinite(found.stderr)
        for column, values in zip(fitted, found, strict=True):
            column[tried[good]] = values[good]
        # Noise may put the crossing near the end of its window: fit again, centred on the edge.
        moved = good & (sample != centre[tried])
        tried, sample = tried[moved], sample[moved]
        centre[tried] = sample
    weight = np.where(np.isfinite(fitted.stderr), weight, 0.0)
    away = fitted.depth - at
    if locate == "crossing":
        about = half_width_about(away, fitted.stderr)
        away, fitted = np.zeros_like(away), changed(fitted, stderr=about)
    shown = weight > 0
    new = np.where(shown, 1.0, np.nan)
    lower = samples.lower[before]
    with np.errstate(invalid="ignore", divide="ignore"):
        part = np.where(shown, weight, 0.0)
        stderr = _mixed(part, fitted.stderr, half)
        slope = _mixed(part, fitted.steepness, steep)
        decay = lower / slope
    return Edges(
        np.where(shown, at + weight * away, np.nan),
        stderr,
        np.where(shown & (locate != "crossing"), decay, np.nan),
        slope,
        fitted.start * new,
        fitted.stop * new,
    )


def _mixed(weight: Array, one: Array, other: Array) -> Array:
    """Return a mean of two numbers, of which one without weight may be NaN."""
    return np.where(weight > 0, weight * one, 0.0) + np.where(
        weight < 1, (1.0 - weight) * other, 0.0
    )


def _linear_error(samples: Samples, which: Index, before: Index, at: Array) -> tuple[Array, Array]:
    """Return error and steepness by a straight line, where no logarithm can be taken (level 0)."""
    window = samples.window(which, before, np.arange(2))
    difference = window.upper - window.lower
    sigma = np.hypot(window.upper_stderr, window.lower_stderr)
    with np.errstate(divide="ignore", invalid="ignore"):
        width = window.depth[:, 1] - window.depth[:, 0]
        t = (at - window.depth[:, 0]) / width
        slope = (difference[:, 1] - difference[:, 0]) / width
        error = np.hypot((1.0 - t) * sigma[:, 0], t * sigma[:, 1]) / np.abs(slope)
    return np.where(window.there.all(1), error, np.nan), np.abs(slope)


def _between_two(samples: Samples, before: Index, at: Array) -> tuple[Array, Array, Array, Array]:
    """Locate the edge from the two samples around it, and say how far they do not suffice.

    If ``y = ln(upper / lower)`` is straight, the edge is at the crossing; curvature, by a third
    sample on either side, shifts it. Where these two disagree beyond their errors (a kink, or steps
    wider than the edge), or one of them is not known, the error holds the shift by the larger one.
    Return the shift, its error, the steepness, and the fit's weight.
    """
    window = samples.window(np.arange(at.size), before, np.arange(-1, 3))
    with np.errstate(all="ignore"):
        y = np.where(window.there, np.log(window.upper / window.lower), np.nan)
        sigma = np.hypot(window.upper_stderr / window.upper, window.lower_stderr / window.lower)
        # The logarithm of a small count is biased and not normally distributed.
        y = np.where(sigma < MAX_RELATIVE_ERROR, y, np.nan)
        step = np.diff(window.depth, axis=1)
        slope = np.diff(y, axis=1) / step
        mean_step = 0.5 * (step[:, 1:] + step[:, :-1])
        bend = np.diff(slope, axis=1) / mean_step
        # The error of the difference of the two curvatures, from those of the four samples.
        weight = np.zeros(y.shape)
        weight[:, :3] += _second_difference(step[:, 0], step[:, 1]) / mean_step[:, :1]
        weight[:, 1:] -= _second_difference(step[:, 1], step[:, 2]) / mean_step[:, 1:]
        difference_error = np.sqrt(((weight * sigma) ** 2).sum(1))
        upper, lower = bend.T
        more = np.abs(upper) >= np.nan_to_num(np.abs(lower))
        agree = np.abs(upper - lower) <= KINK * difference_error
        mean = 0.5 * (upper + lower)
        most = np.nan_to_num(np.where(agree, mean, np.where(more, upper, lower)))
        width, slope = step[:, 1], slope[:, 1]
        t = (at - window.depth[:, 1]) / width
        shift = 0.5 * most * t * (1.0 - t) * width**2 / slope
        error = np.hypot((1.0 - t) * sigma[:, 1], t * sigma[:, 2]) / np.abs(slope)
        fall, noise = np.abs(slope * width), np.hypot(sigma[:, 1], sigma[:, 2])
        enough = np.interp(fall, STEEP, (ALONE, ALONE_IF_STEEP)) * noise
        bent = np.where(agree, (np.abs(shift) / error - BENT[0]) / (BENT[1] - BENT[0]), 0.0)
        weight = np.clip(np.maximum(2.0 - 2.0 * fall / enough, bent), 0.0, 1.0)
        weight[np.isnan(weight)] = 1.0
    return shift, error, np.abs(slope) * window.lower[:, 1], weight


def _second_difference(step: Array, next_step: Array) -> Array:
    """Return the weights of three samples in the difference of their two slopes."""
    return np.stack([1.0 / step, -1.0 / step - 1.0 / next_step, 1.0 / next_step], axis=1)


def _fit_windows(
    samples: Samples, which: Index, before: Index, direction: NDArray[np.int8], reach: Index
) -> tuple[Edges, Index]:
    """Fit windows that extend `reach` samples to either side of the crossings.

    Return the edges, NaN where the fit has none in the direction of the crossing, and the last
    sample that is not deeper.
    """
    found, sample = Edges(*np.full((6, before.size), np.nan)), before.copy()
    first, end = _limits(samples, which, before, reach)
    # Depths relative to the middle of the window, because the crossing may be at its end.
    middle = 0.5 * (samples.depth[before] + samples.depth[before + 1])
    for part in in_parts(end - first):
        position, size = samples.between(first[part], end[part])
        some, size = part.start + np.flatnonzero(size), size[size > 0]
        own, origin = which[some], middle[some]
        window, scale = counted(samples, position, size, origin, samples.floor[own])
        root, sigma, slope, bend, unsure = _crossing_of_parabola(window)
        bent = np.flatnonzero(np.abs(bend) > KINK * unsure)
        if bent.size:
            limits = _limits(samples, own[bent], before[some[bent]], WIDER * reach[some[bent]])
            wide = counted(
                samples, *samples.between(*limits), origin[bent], samples.floor[own[bent]]
            )
            less = _crossing_of_parabola(wide[0])[3] * (scale[bent] / wide[1]) ** 2
            kink = np.sqrt(np.fmax((bend[bent] - less) ** 2 - unsure[bent] ** 2, 0.0))
            kink = np.fmax(kink - SMOOTH * np.abs(bend[bent]), 0.0)
            sigma[bent] = np.hypot(sigma[bent], KINKED * kink / np.abs(slope[bent]))
        low, high = samples.depth[first[some]], samples.depth[end[some] - 1]
        z = np.clip(origin + root * scale, low, high)
        with np.errstate(invalid="ignore"):
            right = slope * direction[some] > 0
        deeper = samples.depth[position] > np.repeat(z, size)
        inside = position[window.starts] + size - window.reduce(np.add, deeper.astype(np.intp))
        sample[some] = np.clip(inside - 1, samples.begin[own], samples.end[own] - 2)
        steep = np.abs(slope) / scale * samples.lower[before[some]]
        edge = z, np.where(right, sigma * scale, np.nan), z, steep, low, high
        for column, values in zip(found, edge, strict=True):
            column[some] = values
    return found, sample


def _limits(samples: Samples, which: Index, before: Index, reach: Index) -> tuple[Index, Index]:
    """Return the first samples of windows about crossings, and those after the last."""
    first = np.maximum(before + 1 - reach, samples.begin[which])
    return first, np.minimum(before + 1 + reach, samples.end[which])


def _reach(samples: Samples, sides: Array, which: Index, before: Index) -> Index:
    """Return the samples per side that tell the sides of each crossing apart, or all there are."""
    reach = np.zeros(before.size, dtype=np.intp)
    active = np.arange(before.size)
    sums = np.zeros((before.size, 2, 3))  # of both sides
    inner, outer = 0, 2
    while active.size:
        crossing, first = which[active], before[active]
        begin, end = samples.begin[crossing], samples.end[crossing]
        near, far = np.array([[-inner, inner], [-outer, outer]])[..., None] + first + 1
        ring = np.stack([(far[0], near[0]), (near[1], far[1])], axis=-1)
        ring = np.minimum(np.maximum(ring, begin[:, None]), end[:, None])
        sums[active] += np.moveaxis(range_sums(sides, *ring), 0, -1)
        reach[active] = outer
        (left, noise0, n0), (right, noise1, n1) = np.moveaxis(sums[active], 0, -1)
        with np.errstate(divide="ignore", invalid="ignore"):
            apart = np.abs(right / n1 - left / n0) >= APART * np.abs(samples.lower[first])
        known = apart & (np.abs(right - left) >= KNOWN * np.sqrt(noise0 + noise1))
        whole = (first - outer < begin) & (first + 1 + outer >= end)
        active = active[~(known | whole)]
        inner, outer = outer, max(outer + 1, int(outer * GROWTH))
    return reach


def _crossing_of_parabola(samples: Counted) -> tuple[Array, Array, Array, Array, Array]:
    """Fit ``upper = lower exp(A + B z + C z^2 / 2)``: depth, its error, slope, C, and its error.

    With a and d the values of one count of each, and e the exponential, the score of a sample is
    ``(upper - e lower) / (a + e d)``, of a Poisson count for d = 0 (a level), otherwise of a
    binomial. What was subtracted (`floor`) makes the variance larger: ``a (1 + floor / (e
    lower))``.
    """
    with np.errstate(all="ignore"):
        a, b = _first_guess(samples)
        # Two samples do not determine a curvature: fit an exponential.
        free = np.where(samples.size > 2, CURVED, 1e-6)
        prior = 1.0 / np.maximum(free * b**2, 1e-9) ** 2
        (a, b, c), information = maximized(samples, a, b, prior)
        root = _root(a, b, c)
        slopes = np.stack([np.ones_like(root), root, 0.5 * root**2], axis=1)
        variance = np.vecdot(slopes, solved(information, slopes))
        slope = b + c * root
        unsure = np.sqrt(solved(information, np.broadcast_to([0.0, 0.0, 1.0], slopes.shape))[:, 2])
        return root, np.sqrt(variance) / np.abs(slope), slope, c, unsure


def _first_guess(samples: Counted) -> tuple[Array, Array]:
    """Return A and B of the straight line through the sums of the two sides."""
    x, upper, lower, one_upper, one_lower, _, _ = samples
    ends = []
    for side in (x < 0, x >= 0):
        # The sums, and half a count in place of zero counts.
        place, n, c, level = (
            samples.reduce(np.add, np.where(side, one, 0.0)) for one in (x, 1.0, upper, lower)
        )
        least = (
            0.5 * samples.reduce(np.maximum, np.where(side, one, 0.0))
            for one in (one_upper, one_lower)
        )
        y0, y1 = (np.log(np.maximum(*both)) for both in zip((c, level), least, strict=True))
        ends.append((place / n, y0 - y1))
    (x0, y0), (x1, y1) = ends
    b = (y1 - y0) / (x1 - x0)
    return y0 - b * x0, b


def _root(a: Array, b: Array, c: Array) -> Array:
    """Return the zero of the parabola nearest to 0, or of its tangent at 0 if that is far off."""
    inner = b * b - 2.0 * a * c
    root = -2.0 * a / (b + np.where(b < 0, -1.0, 1.0) * np.sqrt(inner))
    near: Array = np.where(np.abs(root) < 1.0, root, np.clip(-a / b, -1.0, 1.0))
    return near
