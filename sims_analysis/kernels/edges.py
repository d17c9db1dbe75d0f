"""Edges: where a profile crosses a level, by the samples around the crossing and their errors.

Noise moves a crossing between two samples, and of several at one edge the deepest lies too deep.
The samples around it show where the edge is, and how well that is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from sims_analysis.kernels.gaps import breaks
from sims_analysis.kernels.levels import (
    Crossings,
    Located,
    as_table,
    crossings_around,
    find,
    significant,
)
from sims_analysis.kernels.levels import locate as between
from sims_analysis.kernels.local_fit import (
    Counted,
    Samples,
    chance_of_misfit,
    counted,
    half_width_about,
    maximized,
    samples_of,
    solve,
    value_stderr,
)
from sims_analysis.kernels.rows import Array, Index, Rows, changed, in_parts, range_sums

#: How a crossing is located: at the edge that the samples around it show, where two samples alone
#: do not; always there; or between its two samples.
Locate = Literal["auto", "fit", "crossing"]


@dataclass(frozen=True)
class _Rules:
    """The numbers by which edges are located."""

    # A window about a crossing grows until its sides differ by so many standard errors of their
    # sums, and their means by a part of the level: 0.3 decay lengths.
    known: float = 6.0
    apart: float = 0.3
    growth: float = 1.3  # factor by which the window grows
    fewest: int = 2  # number of samples on either side at the beginning
    # Deviation of the curvature of ln C beforehand, in squares of its slope: it is 0 for an
    # exponential, -1 for a line of C, and -0.7 at half of a Gaussian; wide, so that data decide.
    curved: float = 5.0
    misfit: float = 0.01  # probability of its chi-square below which a window is halved
    # Probability of the chi-square of the least window below which its two samples count, too.
    doubtful: float = 0.05
    kink: float = 1.5  # standard errors of a curvature beyond which it may be that of a kink:
    # factor by which the edge is farther off than a window of twice the width moves it,
    farther: float = 1.25
    # and part of the sag in the window by which it is off at most: 0.2 to 0.33 were seen.
    sag: float = 0.5
    alone: float = 8.0  # standard errors by which two samples differ that suffice,
    # if ln C falls from one to the other by the second of these; below the first, and below half
    # of `alone`, the window is asked alone: samples beyond a steep edge belong to another part.
    steep: tuple[float, float] = 1.0, 2.0
    # Part of a fall by more than the second that ln C falls by beside it, if samples tell how.
    goes_on: float = 0.5
    uncertain: float = 0.33  # relative error, of ten counts, from which no logarithm is taken


_RULES = _Rules()


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
    crossings: Crossings,
    raw: Located,
    *,
    every: Crossings,
    level_stderr: Array | float = 0.0,
    floor: Array | None = None,
    locate: Locate = "auto",
    enough: Array | float = -1.0,
) -> Edges:
    """Locate the edges at crossings; without standard errors, between their two samples.

    ``ln(value / level) = A + B z + C z^2 / 2`` is fitted by maximum likelihood to the smallest
    window that tells the two sides apart and reaches no other of `every` crossing. The depth is
    ``raw + w (fit - raw)``, where two samples at a clear step make w fall from 1 to 0, as where
    they tell it with an error of `enough`; with `locate` it is 1, or 0, and then the error is half
    of the 68 % interval about the crossing. A window that no parabola fits is halved; where none
    fits the least one, the error holds how far from it the two samples cross, and their error. How
    far an edge that bends clearly, as a kink may, moves beyond noise in one of twice its width is
    part of the error; so is, of one too steep for the samples to show its shape, how far from it a
    straight line of C would cross, and how far the middle between the two samples is.
    """
    before = crossings.at_or_above
    start = rows.depth_at(before)
    stop = np.where(crossings.on_sample, start, rows.depth_at(crossings.after))
    nothing = np.full(start.size, np.nan)
    columns = [raw.depth, nothing, raw.decay_length, raw.steepness, start, stop]
    result = Edges._make(np.stack(columns))
    if rows.stderr is None or not before.size:
        return result
    # From the wall before the crossing to the one after it.
    walls = np.sort(np.append(every.at_or_above, breaks(rows)))
    i, j = (walls.searchsorted(before, side=side) for side in ("left", "right"))
    begin = np.maximum(rows.offsets[crossings.row], np.append(-1, walls)[i] + 1)
    end = np.minimum(rows.offsets[crossings.row + 1], np.append(walls, rows.value.size)[j] + 1)
    under = np.zeros(before.size) if floor is None else floor[crossings.row]
    samples = samples_of(rows, level, level_stderr, before, begin, end, under)
    result.stderr[:], weight, others = _between_two(samples, raw)
    by_two = result.stderr.copy()
    if locate == "fit":
        weight[:] = 1.0
    weight[result.stderr <= enough] = 0.0
    tried = np.flatnonzero((weight > 0) & (result.stderr != 0.0))
    fit = _fitted(samples.about(tried))
    known = fit.slope * crossings.direction[tried] > 0
    # A window that is level shows no edge, nor that there is one between the two samples.
    level_there = tried[~known]
    result.stderr[level_there] = np.fmax(result.stderr[level_there], fit.stderr[~known])
    known &= np.isfinite(fit.stderr)
    tried, fit = tried[known], _Parabolas(*(one[known] for one in fit))
    w, at = weight[tried], samples.lower[before[tried]]
    if locate == "crossing":
        here = raw.depth[tried]
        fit = changed(fit, depth=here, stderr=half_width_about(fit.depth - here, fit.stderr))
    fitted = fit.depth, fit.stderr, np.abs(fit.slope) * at
    for old, new in zip((result.depth, result.stderr, result.steepness), fitted, strict=True):
        old[tried] = np.where(w < 1, w * new + (1.0 - w) * old[tried], new)
    off = np.nan_to_num(np.fmax.reduce(np.abs(others - result.depth)))
    unfit = tried[fit.misfit < _RULES.doubtful]
    moved = np.abs(raw.depth - result.depth)[unfit]
    off[unfit] = np.fmax(off[unfit], np.fmax(moved, by_two[unfit]))
    result.stderr[:] = half_width_about(off, result.stderr)
    with np.errstate(divide="ignore", invalid="ignore"):
        result.decay_length[tried] = at / result.steepness[tried]
    result.start[tried] = np.fmin(start[tried], fit.start)
    result.stop[tried] = np.fmax(stop[tried], fit.stop)
    return result


def around(
    rows: Rows,
    level: Array,
    row: Index,
    position: Index,
    floor: Array | None = None,
    enough: float = -1.0,
) -> tuple[Edges, Crossings]:
    """Return the edges nearest to samples of some rows, on either side, and all crossings.

    Edges are (2, R), NaN where there is none; those that noise makes are left out. Two samples
    suffice that tell one with an error of `enough` of its distance.
    """
    levels = rows.repeat(level)
    every = significant(rows, levels, find(rows, levels), floor=floor)
    near, place = crossings_around(every, row, position)
    crossings = every.take(near)
    raw = between(rows, levels, crossings)
    middle = np.zeros(rows.count)
    middle[row] = rows.depth_at(position)
    close = enough * np.abs(raw.depth - middle[crossings.row])
    nearest = edges(rows, levels, crossings, raw, every=every, floor=floor, enough=close)
    return Edges._make(as_table(one, place, (rows.count, 2)).T for one in nearest), every


def _between_two(samples: Samples, raw: Located) -> tuple[Array, Array, Array]:
    """Return the errors of edges by the two samples around them, and the weight of a fit.

    The curvature of ``ln(upper / lower)``, the larger one by a third sample on either side, shifts
    an edge. By a straight line of C where no logarithm can be taken, or of few counts. And where
    that line crosses, and the middle, (2, K), of edges that surely fall by much there and not
    beside: any shape may be between; otherwise NaN.
    """
    at, begin, end = samples.at, samples.begin, samples.end
    place = at[:, None] + np.arange(-1, 3)
    there = (place >= begin[:, None]) & (place < end[:, None])
    place = np.where(there, place, begin[:, None])
    there &= samples.known.take(place)
    depth, upper, upper_stderr, lower, lower_stderr = (one.take(place) for one in samples[:5])
    step = np.diff(depth, axis=1)
    width = step[:, 1]
    with np.errstate(all="ignore"):
        t = (raw.depth - depth[:, 1]) / width
        sigma = np.hypot(upper_stderr / upper, lower_stderr / lower)
        # The logarithm of a small count is biased and not normally distributed.
        y = np.where(there & (sigma < _RULES.uncertain), np.log(upper / lower), np.nan)
        slopes = np.diff(y, axis=1) / step
        bends = np.diff(slopes, axis=1) / (step[:, 1:] + step[:, :-1])
        slope, fall = np.abs(slopes[:, 1]), np.abs(slopes[:, 1] * width)
        largest = np.nan_to_num(np.fmax(*np.abs(bends).T))
        error = np.hypot((1.0 - t) * sigma[:, 1], t * sigma[:, 2]) / slope
        half = half_width_about(largest * t * (1.0 - t) * width**2 / slope, error)
        clear = 2.0 - 2.0 * fall / (_RULES.alone * np.hypot(sigma[:, 1], sigma[:, 2]))
        weight = np.clip(np.maximum(clear, np.interp(fall, _RULES.steep, (1.0, 0.0))), 0.0, 1.0)
        sigma = np.where(there, np.hypot(upper_stderr, lower_stderr), np.nan)
        before, after = (upper - lower)[:, 1:3].T
        drop = before - after
        by_line = np.hypot((1.0 - t) * sigma[:, 1], t * sigma[:, 2]) * width / np.abs(drop)
        ratio, noise = (one[:, 1:3] for one in (upper / lower, sigma / lower))
        surely = np.log((ratio - noise).max(axis=1) / (ratio + noise).min(axis=1))
        beside = np.fmin(*np.abs(slopes[:, ::2]).T) * width
        unresolved = (surely > _RULES.steep[0]) & (beside < _RULES.goes_on * surely)
        line, middle = depth[:, 1] + width * before / drop, depth[:, 1] + 0.5 * width
        part = np.interp(surely, _RULES.steep, (0.0, 1.0))
        moved = raw.depth + part * ([line, middle] - raw.depth)
        others: Array = np.where(unresolved, moved, np.nan)
    half = np.where(np.isnan(half), by_line, half)
    half[np.isinf(half)] = np.nan  # flat there
    return half, np.where(np.isnan(weight), 1.0, weight), others


def _fitted(samples: Samples) -> _Parabolas:
    """Fit the smallest windows that show the edges, of which shapes are parabolas."""
    reach = _reach(samples)
    columns = np.empty((len(_Parabolas._fields), reach.size))
    for part in in_parts(2 * reach):
        windows, side = samples.about(part), reach[part]
        fit = _parabolas(windows, side)
        again = np.flatnonzero(fit.misfit < _RULES.misfit)
        while (again := again[side[again] > _RULES.fewest]).size:
            side[again] = np.maximum(side[again] // 2, _RULES.fewest)
            short = _parabolas(windows.about(again), side[again])
            for column, values in zip(fit, short, strict=True):
                column[again] = values
            again = again[short.misfit < _RULES.misfit]
        bent = np.flatnonzero(fit.bend > _RULES.kink)
        if bent.size:
            depth, stderr = fit.depth[bent], fit.stderr[bent]
            wide = _parabolas(windows.about(bent), 2 * side[bent])
            # More than noise does, which the wide window averages further.
            moved = (wide.depth - depth) ** 2 - (stderr**2 - wide.stderr**2)
            off = _RULES.farther * np.sqrt(np.fmax(moved, 0.0))
            off = np.minimum(off, _RULES.sag * fit.sag[bent])
            fit.stderr[bent] = half_width_about(off, stderr)
        columns[:, part] = fit
    return _Parabolas(*columns)


def _reach(samples: Samples) -> Index:
    """Return the samples per side that tell the sides of each crossing apart, or all there are."""
    reach = np.zeros(samples.at.size, dtype=np.intp)
    active = np.arange(reach.size)
    both, of_samples = np.zeros((3, reach.size, 2)), samples.sums()
    inner, outer = 0, _RULES.fewest
    while active.size:
        at, begin, end = (one[active, None] for one in (samples.at, samples.begin, samples.end))
        ring = at + np.array([[[1 - outer, 1 + inner]], [[1 - inner, 1 + outer]]])
        both[:, active] += range_sums(of_samples, *np.minimum(np.maximum(ring, begin), end))
        reach[active] = outer
        at, begin, end = at[:, 0], begin[:, 0], end[:, 0]
        (left, right), (noise0, noise1), (n0, n1) = both[:, active].swapaxes(1, 2)
        with np.errstate(divide="ignore", invalid="ignore"):
            apart = np.abs(right / n1 - left / n0) >= _RULES.apart * np.abs(samples.lower[at])
        known = apart & (np.abs(right - left) >= _RULES.known * np.sqrt(noise0 + noise1))
        whole = (at - outer < begin) & (at + 1 + outer >= end)
        active = active[~(known | whole)]
        inner, outer = outer, max(outer + 1, int(outer * _RULES.growth))
    return reach


class _Parabolas(NamedTuple):
    """Fits of ``upper = lower exp(A + B z + C z^2 / 2)`` to K windows; (K,).

    Depth of the zero, and its error; the slope there; C over its error; how far in depth it bends
    away within half of the window; the chance of its chi-square; and where the window starts and
    stops.
    """

    depth: Array
    stderr: Array
    slope: Array
    bend: Array
    sag: Array
    misfit: Array
    start: Array
    stop: Array


def _parabolas(samples: Samples, reach: Index) -> _Parabolas:
    """Fit windows that extend `reach` samples to either side of crossings; NaN without a sample.

    With a and d the values of one count of each, and e the exponential, the score of a sample is
    ``(upper - e lower) / (a + e d)``, of a Poisson count for d = 0 (a level), otherwise of a
    binomial. What was subtracted (`floor`) makes the variance larger: ``a (1 + floor / (e
    lower))``.
    """
    at, begin, end = samples.at, samples.begin, samples.end
    first, end = np.maximum(at + 1 - reach, begin), np.minimum(at + 1 + reach, end)
    # Depths relative to the middle of the window, because the crossing may be at its end.
    origin = 0.5 * (samples.depth[at] + samples.depth[at + 1])
    window, scale, some = counted(samples, first, end, origin)
    with np.errstate(all="ignore"):
        a, b = _first_guess(window)
        # Two samples do not determine a curvature: fit an exponential.
        free = np.where(window.size > 2, _RULES.curved, 1e-6)
        prior = 1.0 / np.maximum(free * b**2, 1e-9) ** 2
        (a, b, c), information = maximized(window, a, b, prior)
        root = _root(a, b, c)
        slope = b + c * root
        error = value_stderr(information, root) / np.abs(slope)
        last = np.broadcast_to([0.0, 0.0, 1.0], (some.size, 3))
        bend = np.abs(c) / np.sqrt(solve(information, last)[:, 2])
        sag = 0.5 * np.abs(c / slope) * scale
        chance = chance_of_misfit(window, a, b, c)
    ends = samples.depth[first[some]], samples.depth[end[some] - 1]
    depth = np.clip(origin[some] + root * scale, *ends)
    columns = np.full((len(_Parabolas._fields), at.size), np.nan)
    columns[:, some] = depth, error * scale, slope / scale, bend, sag, chance, *ends
    return _Parabolas(*columns)


def _first_guess(samples: Counted) -> tuple[Array, Array]:
    """Return A and B of the straight line through the sums of the two sides."""
    ends = []
    for side in (samples.x < 0, samples.x >= 0):
        sums = np.where(side, [samples.x, samples.upper, samples.lower, side], 0.0)
        place, upper, lower, n = samples.reduce(np.add, sums)
        # Half a count in place of none.
        least = samples.reduce(
            np.maximum, np.where(side, [samples.one_upper, samples.one_lower], 0)
        )
        upper, lower = np.maximum([upper, lower], 0.5 * least)
        ends.append((place / n, np.log(upper) - np.log(lower)))
    (x0, y0), (x1, y1) = ends
    b = (y1 - y0) / (x1 - x0)
    return y0 - b * x0, b


def _root(a: Array, b: Array, c: Array) -> Array:
    """Return the zero of the parabola nearest to 0, or of its tangent at 0 if that is far off."""
    inner = b * b - 2.0 * a * c
    root = -2.0 * a / (b + np.where(b < 0, -1.0, 1.0) * np.sqrt(inner))
    near: Array = np.where(np.abs(root) < 1.0, root, np.clip(-a / b, -1.0, 1.0))
    return near
