"""Maximum and width of profiles: noise has chosen the highest sample, which lies above them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.blocks import BLOCK
from sims_analysis.kernels.edges import around
from sims_analysis.kernels.levels import Crossings, highest
from sims_analysis.kernels.local_fit import (
    Counted,
    Samples,
    as_points,
    counted,
    half_width_about,
    maximized,
    samples_of,
    solve,
    value_stderr,
)
from sims_analysis.kernels.rows import (
    Array,
    Dense,
    Flags,
    Index,
    Packed,
    Rows,
    SingleResult,
    first_status,
    in_blocks,
    range_sums,
)
from sims_analysis.kernels.transient import Transient, surface_transient
from sims_analysis.outcomes import Status


@dataclass(frozen=True)
class _Rules:
    """The numbers by which a maximum and its width are judged."""

    known: float = 3.0  # standard errors by which a side is lower than the middle: so far one looks
    trusted: float = 0.65  # part of that distance over which a parabola is fitted
    curved: float = 1.0  # standard errors to which its curvature is known if its maximum is taken
    shifted: float = 0.7  # part of what half of the window moves a maximum by that is its error
    growth: float = 1.3  # factor by which a distance, or a group of samples, grows from try to try
    precise: float = 0.003  # part of its distance to which two samples tell an edge well enough
    part: float = 3.0  # number of groups of samples that the width holds at least
    steep: float = 0.5  # part of its slope that a side keeps farther out, if it meets in a point
    counts: float = 2000.0  # counts in a maximum below which noise moves widths
    seen: int = 8  # number of samples with equal steps that show noise
    equal: float = 0.01  # part of a step by which steps differ that are equal
    looked: int = 250  # number of samples of a longer record that are looked at for noise
    lone: float = 0.45  # part of all noise that a single sample makes, from which it is none
    missed: float = 0.04  # part of a maximum that may be missed, beyond which it is not known,
    errors: float = 2.0  # and standard errors of the highest sample
    # Part of it that is in the errors, if it is more than one standard error, too.
    least: float = 0.004


_RULES = _Rules()


class Peak(NamedTuple):
    """Maximum of every row, (R,).

    A maximum or a background that is higher makes its width smaller by ``narrowed`` times as much.
    It rests on the samples from ``start`` to ``stop``, (R, 3): of the width, of the window, and of
    all that is above half of it, where a gap may hold a higher one. A window in which no width is
    may begin in a `transient`, (R, 6): the fields of :class:`.transient.Transient`.
    """

    depth: Array
    value: Array
    stderr: Array
    fwhm: Array
    fwhm_stderr: Array
    narrowed: Array
    status: NDArray[np.uint8]
    start: Array
    stop: Array
    transient: Array


def peak(rows: Rows, start: Array, stop: Array, floor: Array | None = None) -> Peak:
    """Find the highest sample within the window, and the full width at half maximum.

    Between the nearest crossings of half of it on either side; with errors, stated or shown by
    noise, between the edges there at half of what :func:`maxima` shows. Where the samples do not
    show how high the profile is, the error is that of the highest. `floor` was subtracted before.
    """
    inside = as_points(rows).within(start, stop)
    below = np.zeros(rows.count) if floor is None else floor
    parts = _by_noise(inside)
    each = [_peaks(part, start[which], stop[which], below[which]) for which, part in parts]
    result = each[0]
    if len(each) > 1:
        order = np.argsort(np.concatenate([which for which, _ in parts]))
        result = Peak(*(np.concatenate(columns)[order] for columns in zip(*each, strict=True)))
    cut = result.status == Status.TRUNCATED
    if cut.any():
        transient = surface_transient(rows, start, stop, among=cut)
        result.transient[cut] = np.transpose(transient)[cut]
    return result


def maximum(rows: Rows, start: Array, stop: Array) -> SingleResult:
    """Return the highest value within the window, (R,); NaN without a sample."""
    rows = as_points(rows).within(start, stop)
    return SingleResult(rows.reduce(np.maximum, rows.value))


def _peaks(rows: Rows, start: Array, stop: Array, below: Array) -> Peak:
    """Find the maxima and widths of rows by the errors that they have, if any."""
    depth, value, stderr, alone, first, last = np.full((6, rows.count), np.nan)
    before, after = np.full((2, rows.count), np.nan)
    uncertainty = np.zeros(rows.count)
    row, top = highest(rows)
    depth[row], value[row] = rows.depth_at(top), rows.value_at(top)
    ends = rows.offsets[row], rows.offsets[row + 1] - 1
    before[row], after[row] = rows.depth_at(np.clip([top - 1, top + 1], *ends))
    first[row], last[row] = rows.value_at(np.stack(ends))
    high = value.copy()
    if rows.stderr is not None:
        of_highest = rows.stderr.reshape(-1)[top] * np.sqrt(rows.share[row])
        # Half of the window tells a pointed maximum better, and that it is one.
        (shown, error), (of_half, of_it) = maxima(rows, row, top, below, parts=(1.0, 0.5))
        uncertainty[row] = np.hypot(of_it, _RULES.shifted * (of_half - shown))
        about = half_width_about(shown - value[row], error)
        alone[row] = of_highest
        stderr[row] = np.where(np.isfinite(about * of_highest), about, of_highest)
        high[row] = np.where(np.isfinite(uncertainty[row]), of_half, high[row])
    half = 0.5 * high
    sides, every = around(rows, half, row, top, below, _RULES.precise)
    with np.errstate(invalid="ignore", divide="ignore"):
        left, right = sides.depth
        width = right - left
        narrowed = (0.5 / sides.steepness).sum(axis=0)
        moved, steps = narrowed * high / width, 2.0 * width / (after - before)
        error = np.hypot(np.hypot(*sides.stderr), narrowed * uncertainty)
        enough = np.fmax(_RULES.missed, _RULES.errors * alone / value)
        nothing = np.where(np.isnan(alone), enough, np.fmax(alone / value, _RULES.least))
        missed = _unresolved_part(rows, row, top, high, steps, moved, nothing)
        unknown = ~(missed <= enough)
        notable = (missed > nothing) & np.isfinite(missed) & (rows.share == 1.0)
        missed = np.where(notable, missed, 0.0)
        stderr = np.hypot(stderr, missed / np.fmax(moved, 1.0) * value)
        error = np.hypot(error, missed * width)
    status = first_status(
        (rows.size == 0, Status.NO_DATA),
        (np.isnan(left) & (first >= half) | np.isnan(right) & (last >= half), Status.TRUNCATED),
        (unknown, Status.UNDETERMINED),
    )
    width[unknown] = error[unknown] = np.nan
    outer = _outermost(rows, every, sides.depth)
    begin = np.fmin(before, left), np.where(np.isnan(start), -np.inf, start), outer[0]
    end = np.fmax(after, right), np.where(np.isnan(stop), np.inf, stop), outer[1]
    start, stop = (np.stack(one, axis=1) for one in (begin, end))
    transient = np.full((rows.count, len(Transient._fields)), np.nan)
    return Peak(depth, value, stderr, width, error, narrowed, status, start, stop, transient)


def _by_noise(rows: Rows) -> list[tuple[Index, Rows]]:
    """Return which rows show noise without errors, with the errors of such counts; and the rest."""
    every = np.arange(rows.count)
    if rows.stderr is not None or rows.fraction is not None or not rows.value.size:
        return [(every, rows)]
    of_count = _noise_shown(rows)
    noisy = ~np.isnan(of_count)
    if not noisy.any():
        return [(every, rows)]
    some = _rows_where(rows, noisy)
    per_sample = some.repeat(of_count[noisy])
    some = replace(some, stderr=np.sqrt(per_sample * np.maximum(some.value, per_sample)))
    rest = [] if noisy.all() else [(np.flatnonzero(~noisy), _rows_where(rows, ~noisy))]
    return [(np.flatnonzero(noisy), some), *rest]


def _rows_where(rows: Rows, chosen: Flags) -> Rows:
    """Return some of the rows, with their samples alone."""
    if isinstance(rows, Dense):
        return Dense(**rows.columns(lambda one: one[chosen] if one.ndim > 1 else one))
    kept = rows.repeat(chosen)
    offsets = np.append(0, np.cumsum(rows.size[chosen]))
    return Packed(**rows.columns(lambda one: one[kept]), offsets=offsets)


def _noise_shown(rows: Rows) -> Array:
    """Return the values of a count that samples without errors show, (R,); NaN where not, or few.

    By fourth differences above half of the maximum, which are nothing of a smooth profile: their
    variance is 70 times that of a sample. One lone sample is no noise.
    """
    most, step = rows.reduce(np.maximum, rows.value), 1 + rows.size // _RULES.looked
    place = np.arange(int((rows.size / step).max()) + 1) * step[:, None]
    at = np.minimum(rows.offsets[:-1, None] + place, rows.value.size - 1)
    inner = (place >= 2) & (place < rows.size[:, None] - 2)
    high = inner & (rows.value_at(at) > 0.5 * most[:, None])
    row, at = np.nonzero(high)[0], at[high]
    five = at + np.arange(-2, 3)[:, None]
    depth = rows.depth_at(five)
    steps = depth[1:] - depth[:-1]
    even = steps.max(axis=0) - steps.min(axis=0) < _RULES.equal * steps[0]
    row = row[even]
    a, b, c, d, e = rows.value_at(five[:, even])
    square = (a + e - 4.0 * (b + d) + 6.0 * c) ** 2 / 70.0
    total, largest = np.bincount(row, square, rows.count), np.zeros(rows.count)
    np.maximum.at(largest, row, square)
    with np.errstate(divide="ignore", invalid="ignore"):
        of_count = total / np.bincount(row, c, rows.count)
        noisy = (_RULES.counts * of_count > most) & (largest < _RULES.lone * total)
    noisy &= np.bincount(row, minlength=rows.count) >= _RULES.seen
    return np.where(noisy, of_count, np.nan)


def _outermost(rows: Rows, every: Crossings, sides: Array) -> Array:
    """Return where the first and the last of all crossings are, or the ends without one; (2, R)."""
    ends = np.stack([rows.first, rows.last])
    first, last = ends.copy()
    at = 0.5 * (rows.depth_at(every.before) + rows.depth_at(every.after))
    # Crossings are sorted by depth, and the last assignment wins.
    first[every.row[::-1]], last[every.row] = at[::-1], at
    outermost: Array = np.where(np.isnan(sides), ends, [first, last])
    return outermost


def _unresolved_part(
    rows: Rows, row: Index, top: Index, high: Array, steps: Array, moved: Array, enough: Array
) -> Array:
    """Return which part of a maximum, or of its width, samples may not show; (R,).

    It is the least of several sizes of groups about the highest sample, none of them larger than a
    third of the width in `steps`; infinite if none fits. Between the samples, the profile may be
    higher (:func:`_hidden_part`); and if the maximum of the groups is not `high`, the width is
    another: it is `moved` by so many times as large a part. What is `enough` is not sought on.
    """
    unresolved = np.full(rows.count, np.inf)
    # On a finer grid, samples that are independent are so far apart.
    step = 1 if rows.fraction is None else max(1, int(1.0 / rows.fraction.min()))
    times = 1
    while True:
        size = times * step
        begin = top - 2 * size - size // 2
        fits = (begin >= rows.offsets[row]) & (begin + 5 * size <= rows.offsets[row + 1])
        fits &= (_RULES.part * size <= steps[row]) & ~(unresolved[row] <= enough[row])
        if not fits.any():
            return unresolved
        which, position = row[fits], begin[fits, None] + np.arange(5 * size)
        with np.errstate(all="ignore"):
            mean, depth = (
                np.add.reduce(at(position).reshape(-1, 5, size), axis=2).T / size
                for at in (rows.value_at, rows.depth_at)
            )
            above, pointed, maximum = _hidden_part(np.log(mean / high[which]), depth)
            part = 0.5 * above / times
            part = np.fmin(part, pointed) if times == 1 else part
            part = np.maximum(part * np.fmax(moved[which], 1.0), np.abs(maximum) * moved[which])
        unresolved[which] = np.fmin(unresolved[which], part)
        times = max(times + 1, int(_RULES.growth * times))


def _hidden_part(y: Array, depth: Array) -> tuple[Array, Array, Array]:
    """Return how high profiles may be about the third of five values of ln C, (5, K); three (K,).

    By how much the outer ones are above the parabola through the others: two exponentials that meet
    in a point between samples hide at most half of that. How high above the third value straight
    lines through two others meet, NaN where one side becomes less steep; and the parabola's
    maximum.
    """
    z, c = depth - depth[2], y - y[2]
    slope = (c[1:] - c[:-1]) / (z[1:] - z[:-1])
    bend = (slope[2] - slope[1]) / (z[3] - z[1])
    outer = z[[0, 4]]
    above = (c[[0, 4]] - slope[1] * outer - bend * outer * (outer - z[1])).max(axis=0)
    # On either side: the next value, the slope beyond it, and the one from the other side.
    side, next_, beyond, across = z[[1, 3]], c[[1, 3]], slope[[0, 3]], slope[[2, 1]]
    part = (next_ / side - beyond) / (across - beyond)
    meet = side * np.minimum(np.maximum(part, 0.0), 1.0)
    height = np.minimum(across * meet, next_ + beyond * (meet - side)).max(axis=0)
    steep = np.sign(side) * (beyond - _RULES.steep * slope[[1, 2]])
    pointed = np.where((steep <= 0).all(axis=0), np.fmax(height, 0.0), np.nan)
    rise = slope[1] - bend * z[1]
    return np.fmax(above, 0.0), pointed, y[2] - np.where(bend < 0, 0.25 * rise**2 / bend, 0.0)


def maxima(
    rows: Rows, row: Index, position: Index, floor: Array, parts: Sequence[float] = (1.0,)
) -> Array:
    """Return how high rows are at their K highest samples, and the standard errors of that.

    A parabola of ln C is fitted, by the likelihood of the counts, to a part of the window that is
    needed to see the profile fall on both sides: its maximum, or its value at the highest sample if
    its curvature is not known; or to `parts` of these, (len(parts), 2, K). NaN with fewer than
    three samples, or without errors.
    """
    result = np.full((len(parts), 2, row.size), np.nan)
    if not row.size:
        return result
    top = np.zeros(rows.count)
    top[row] = rows.value_at(position)
    windows = position, rows.offsets[row], rows.offsets[row + 1], floor[row]
    samples = samples_of(rows, rows.repeat(top), 0.0, *windows)
    sums = samples.sums()
    for some in in_blocks(row.size, max(int(rows.size.max(initial=0)), 1), BLOCK // 4):
        selected = samples.about(some)
        reaches = _reaches(selected, sums)
        each = [_windows(selected, (_RULES.trusted * part * reaches).astype(int)) for part in parts]
        every = selected.about(np.tile(np.arange(selected.at.size), len(parts)))
        fitted = _fit_maxima(every, *np.concatenate(each, axis=1))
        result[..., some] = fitted.reshape(2, len(parts), -1).swapaxes(0, 1)
    return result


def _reaches(samples: Samples, sums: Array) -> Index:
    """Return how many samples to either side are needed to see that the profile falls; (2, K)."""
    at, sign = np.repeat(samples.at, 2), np.tile([-1, 1], samples.at.size)
    rooms = np.stack([samples.at - samples.begin, samples.end - 1 - samples.at], axis=1)
    room = rooms.reshape(-1)
    reach = np.minimum(2, room)
    active = np.flatnonzero(room >= 2)
    while active.size:
        near, side, r = at[active], sign[active], reach[active]
        ends = np.stack([near, near + side * (r // 2), near + side * r], axis=1)
        ends.sort(axis=1)
        ends += (side > 0)[:, None]
        # Of the left and the right part.
        total, variance, n = range_sums(sums, ends[:, :-1], ends[:, 1:])
        with np.errstate(divide="ignore", invalid="ignore"):
            (left, right), errors = (total / n).T, (np.sqrt(variance) / n).T
            known = side * (left - right) > _RULES.known * np.hypot(*errors)
        active = active[~known & (r < room[active])]
        grown = np.maximum(reach[active] + 1, (_RULES.growth * reach[active]).astype(int))
        reach[active] = np.minimum(grown, room[active])
    return reach.reshape(-1, 2).T


def _windows(samples: Samples, sides: Index) -> tuple[Index, Index]:
    """Return the first sample to be fitted about each maximum, and the one after the last."""
    at, begin, end = samples.at, samples.begin, samples.end
    up, down = np.maximum(sides, 1)
    # Three samples at least, also at an end of the record.
    first = np.maximum(np.minimum(at - up, end - 3), begin)
    return first, np.minimum(np.maximum(at + down + 1, begin + 3), end)


def _fit_maxima(samples: Samples, first: Index, end: Index) -> Array:
    """Fit windows, and return the maxima and their errors, (2, K)."""
    result = np.full((2, first.size), np.nan)
    data, _, some = counted(samples, first, end, samples.depth[samples.at])
    top = samples.upper[samples.at[some]]
    with np.errstate(all="ignore"):
        mean = data.reduce(np.add, data.upper) / data.size
        start = np.log(np.maximum(mean / top, 1e-3))
        nothing = np.zeros_like(start)
        coefficients, information = maximized(data, start, nothing, nothing)
        fitted, error = _maximum(data, coefficients, information)
        result[:, some] = top * fitted, np.abs(top) * fitted * error
    return result


def _maximum(data: Counted, coefficients: Array, information: Array) -> tuple[Array, Array]:
    """Return the maximum of each exponentiated parabola (or its value at 0), and its error."""
    a, b, c = coefficients
    variance = solve(information, np.broadcast_to([0.0, 0.0, 1.0], (a.size, 3)))[:, 2]
    bent = c < -_RULES.curved * np.sqrt(variance)
    least, most = (data.reduce(end, data.x) for end in (np.minimum, np.maximum))
    at = np.where(bent, np.clip(-b / c, least, most), 0.0)
    return np.exp(a + b * at + 0.5 * c * at**2), value_stderr(information, at)
