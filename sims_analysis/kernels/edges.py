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
    chance_of_misfit,
    counted,
    half_width_about,
    maximized,
    solved,
)
from sims_analysis.kernels.rows import Array, Index, Rows, changed, range_sums

#: How a crossing is located: at the edge that the samples around it show, where two samples alone
#: do not; always there; or between its two samples.
Locate = Literal["auto", "fit", "crossing"]

#: The window grows until the sums of its two sides differ by so many standard errors, ...
KNOWN = 6.0
#: ... and their means by this part of the level: an exponential's at 0.3 decay lengths.
APART = 0.3
#: Two samples around a crossing that differ by this many standard errors suffice alone ...
ALONE = 8.0
#: ... if ln C falls by more from one to the other: samples farther away belong to another part of
#: the profile. Below the first number, and from half of `ALONE`, it is the fit alone.
STEEP = 1.0, 2.0
#: Relative error above which the logarithm of a sample is not used: ten counts.
MAX_RELATIVE_ERROR = 0.33
#: A parabola whose chi-square chance makes this rarely is fitted to half of the window, down to so
#: many samples on either side.
MISFIT, FEWEST = 0.01, 2
#: Curvatures of more than this many standard errors may be of a kink, ...
KINK = 2.0
#: ... which a window that is wider by this factor puts elsewhere.
WIDER = 2
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
    zeros are data. The depth is ``raw + w (fit - raw)``, where two samples at a clear step make w
    fall from 1 to 0; with `locate` it is 1, or 0, and then the error is half of the 68 % interval
    about the crossing. A window that no parabola fits is halved; how far a curved edge moves in a
    wider one is part of the error.
    """
    on = rows.depth_at(found.at_or_above)
    between = on, np.where(found.on_sample, on, rows.depth_at(found.after))
    unknown = np.full((2, on.size), np.nan)
    ends = (one.copy() for one in between)
    result = Edges(raw.depth.copy(), unknown[0], raw.decay_length.copy(), unknown[1], *ends)
    if rows.stderr is None or not on.size:
        return result
    level_stderr = np.zeros(1) if level_stderr is None else level_stderr
    floor = np.zeros(rows.count) if floor is None else floor
    error, lower, lower_error = (
        np.broadcast_to(a, rows.value.shape).reshape(-1) for a in (rows.stderr, level, level_stderr)
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
        own = Edges(*(column[part] for column in result))
        _improve(own, samples, sides, before, found.direction[part], locate)
    np.fmin(result.start, between[0], out=result.start)
    np.fmax(result.stop, between[1], out=result.stop)
    return result


def _improve(
    edge: Edges,
    samples: Samples,
    sides: Array,
    before: Index,
    direction: NDArray[np.int8],
    locate: Locate,
) -> None:
    """Put into `edge`, at crossings between two samples, what more samples and errors show."""
    at = edge.depth
    edge.stderr[:], edge.steepness[:], weight = _between_two(samples, before, at)
    if locate == "fit":
        weight[:] = 1.0
    tried = np.flatnonzero((weight > 0) & (edge.stderr != 0.0))
    fit = _fitted(samples, sides, tried, before[tried], direction[tried])
    good = np.isfinite(fit.stderr)
    tried, fit = tried[good], Edges(*(one[good] for one in fit))
    w, away = weight[tried], fit.depth - at[tried]
    if locate == "crossing":
        fit = changed(fit, stderr=half_width_about(away, fit.stderr))
    else:
        at[tried] += w * away
    for old, new in ((edge.stderr, fit.stderr), (edge.steepness, fit.steepness)):
        old[tried] = np.where(w < 1, w * new + (1.0 - w) * old[tried], new)
    if locate != "crossing":
        with np.errstate(divide="ignore", invalid="ignore"):
            edge.decay_length[tried] = samples.lower[before[tried]] / edge.steepness[tried]
    edge.start[tried], edge.stop[tried] = fit.start, fit.stop


def _between_two(samples: Samples, before: Index, at: Array) -> tuple[Array, Array, Array]:
    """Return error and steepness of edges by the two samples around them, and the fit's weight.

    If ``y = ln(upper / lower)`` is straight, the edge is at the crossing; curvature, the larger one
    by a third sample on either side, shifts it. By a straight line of C where no logarithm can be
    taken, or of few counts.
    """
    place = before[:, None] + np.arange(-1, 3)
    there = (place >= samples.begin[:, None]) & (place < samples.end[:, None])
    place = np.where(there, place, samples.begin[:, None])
    there &= samples.known.take(place)
    depth, upper, upper_stderr, lower, lower_stderr = (
        np.where(there, one.take(place), 0.0) for one in samples[:5]
    )
    step = np.diff(depth, axis=1)
    width = step[:, 1]
    with np.errstate(all="ignore"):
        t = (at - depth[:, 1]) / width
        sigma = np.hypot(upper_stderr / upper, lower_stderr / lower)
        # The logarithm of a small count is biased and not normally distributed.
        usable = there & (sigma < MAX_RELATIVE_ERROR)
        y = np.where(usable, np.log(upper / lower), np.nan)
        slopes = np.diff(y, axis=1) / step
        bends = np.diff(slopes, axis=1) / (step[:, 1:] + step[:, :-1])
        largest = np.nan_to_num(np.fmax(*np.abs(bends).T))
        slope, noise = np.abs(slopes[:, 1]), np.hypot(sigma[:, 1], sigma[:, 2])
        shift = largest * t * (1.0 - t) * width**2 / slope
        half = half_width_about(shift, np.hypot((1.0 - t) * sigma[:, 1], t * sigma[:, 2]) / slope)
        fall = slope * width
        clear, steep = 2.0 - 2.0 * fall / (ALONE * noise), np.interp(fall, STEEP, (1.0, 0.0))
        weight = np.clip(np.maximum(clear, steep), 0.0, 1.0)
        linear = np.isnan(half)
        c = np.where(there, upper - lower, np.nan)
        sigma = np.hypot(upper_stderr, lower_stderr)
        of_line = np.abs(c[:, 2] - c[:, 1]) / width
        by_line = np.hypot((1.0 - t) * sigma[:, 1], t * sigma[:, 2]) / of_line
    half = np.where(linear, by_line, half)
    half[np.isinf(half)] = np.nan  # flat there
    steepness = np.where(linear, of_line, slope * lower[:, 1])
    return half, steepness, np.where(np.isnan(weight), 1.0, weight)


def _fitted(
    samples: Samples, sides: Array, which: Index, before: Index, direction: NDArray[np.int8]
) -> Edges:
    """Fit the smallest windows; NaN where there is no edge in the direction of the crossing."""
    found = Edges(*np.full((6, before.size), np.nan))
    reach = _reach(samples, sides, which, before)
    for part in in_parts(2 * reach):
        crossing, first, side = which[part], before[part], reach[part]
        fit = _parabolas(samples, crossing, first, side)
        again = np.flatnonzero(fit.misfit < MISFIT)
        while (again := again[side[again] > FEWEST]).size:
            side[again] = np.maximum(side[again] // 2, FEWEST)
            short = _parabolas(samples, crossing[again], first[again], side[again])
            for column, values in zip(fit, short, strict=True):
                column[again] = values
            again = again[short.misfit < MISFIT]
        bent = np.flatnonzero(np.abs(fit.bend) > KINK * fit.bend_stderr)
        if bent.size:
            wide = _parabolas(samples, crossing[bent], first[bent], WIDER * side[bent])
            with np.errstate(invalid="ignore"):
                moved = np.fmax((wide.depth - fit.depth[bent]) ** 2 - fit.stderr[bent] ** 2, 0.0)
                # No more than the sag of the curve.
                sag = 0.5 * np.abs(fit.bend / fit.slope)[bent] * fit.scale[bent] ** 2
                fit.stderr[bent] = np.hypot(fit.stderr[bent], np.fmin(np.sqrt(moved), sag))
        right = fit.slope * direction[part] > 0
        steep = np.abs(fit.slope) * samples.lower[first]
        stderr = np.where(right, fit.stderr, np.nan)
        edge = fit.depth, stderr, fit.depth, steep, fit.start, fit.stop
        for column, values in zip(found, edge, strict=True):
            column[part] = values
    return found


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


class _Parabolas(NamedTuple):
    """Fits of ``upper = lower exp(A + B z + C z^2 / 2)`` to R windows; (R,).

    Depth of the zero, and its error, the slope there, C, and its error; half the width of the
    window, the chance of its chi-square, and where it starts and stops.
    """

    depth: Array
    stderr: Array
    slope: Array
    bend: Array
    bend_stderr: Array
    scale: Array
    misfit: Array
    start: Array
    stop: Array


def _parabolas(samples: Samples, which: Index, before: Index, reach: Index) -> _Parabolas:
    """Fit windows that extend `reach` samples to either side of crossings; NaN without a sample.

    With a and d the values of one count of each, and e the exponential, the score of a sample is
    ``(upper - e lower) / (a + e d)``, of a Poisson count for d = 0 (a level), otherwise of a
    binomial. What was subtracted (`floor`) makes the variance larger: ``a (1 + floor / (e
    lower))``.
    """
    found = np.full((9, before.size), np.nan)
    first = np.maximum(before + 1 - reach, samples.begin[which])
    end = np.minimum(before + 1 + reach, samples.end[which])
    position, size = samples.between(first, end)
    some, size = np.flatnonzero(size), size[size > 0]
    # Depths relative to the middle of the window, because the crossing may be at its end.
    origin = 0.5 * (samples.depth[before] + samples.depth[before + 1])[some]
    window, scale = counted(samples, position, size, origin, samples.floor[which[some]])
    with np.errstate(all="ignore"):
        a, b = _first_guess(window)
        # Two samples do not determine a curvature: fit an exponential.
        free = np.where(size > 2, CURVED, 1e-6)
        prior = 1.0 / np.maximum(free * b**2, 1e-9) ** 2
        (a, b, c), information = maximized(window, a, b, prior)
        root = _root(a, b, c)
        slopes = np.stack([np.ones_like(root), root, 0.5 * root**2], axis=1)
        variance = np.vecdot(slopes, solved(information, slopes))
        slope = b + c * root
        last = np.broadcast_to([0.0, 0.0, 1.0], slopes.shape)
        unsure = np.sqrt(solved(information, last)[:, 2])
        error = np.sqrt(variance) / np.abs(slope)
        misfit = chance_of_misfit(window, a, b, c)
    ends = samples.depth[first[some]], samples.depth[end[some] - 1]
    depth = np.clip(origin + root * scale, *ends)
    numbers = error * scale, slope / scale, c / scale**2, unsure / scale**2, scale, misfit
    found[:, some] = depth, *numbers, *ends
    return _Parabolas(*found)


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
