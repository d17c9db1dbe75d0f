"""Saturated samples: a detector that writes its largest number whatever reaches it.

Counting scatters: five neighbours of more than a hundred counts are practically never equal to the
last digit. Equal neighbours at the maximum of a profile that scatters elsewhere are therefore no
measurement. Profiles without noise, or with fewer digits than noise, are left alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import prod
from typing import Any

import numpy as np

from sims_analysis.kernels.rows import CEILING, Array, Flags, Index, Rows, equal_runs, joined_runs

#: They are improbable if noise makes so many equal neighbours with less than this probability, ...
_CHANCE = 1e-3
#: ... even if it is smaller than the scatter elsewhere says, by this factor.
_SAFETY = 3.0
#: Fewer differences than this do not tell noise from a curve, ...
_FEWEST_TURNS = 8
#: ... of which so many change sign from one to the next: 73 % of second ones of white noise do, and
#: 77 % of third ones, in which a Gaussian does not bend.
_ALTERNATING = 0.5
#: Median of the square of a normal deviate.
_MEDIAN_SQUARE = 0.4549
#: Values jump down to equal neighbours from this many standard deviations above them.
_JUMP = 5.0
#: Samples of a row that tell whether all of them have to be looked at, for its noise, and by which
#: factor that may be off.
_TURNS, _MARGIN = 64, 4.0
#: Numbers of so many digits, or more, are not rounded; logarithms are, to this.
_DIGITS, _ROUNDED = 16, 1e-13
#: Intervals with less than this part of all samples, if these are not few, are looked at by
#: themselves, ...
_NARROW, _FEW = 8, 1 << 12
#: ... and so many segments, at least.
_SHORT = 2


def saturated(rows: Rows, near: tuple[Index, Array, Array] | None = None) -> Flags | None:
    """Flag the saturated samples, in the shape of ``rows.value``; None if there is none.

    At least five neighbours are equal to the last digit, at the maximum of their profile or where
    it jumps down to them, and noise as in the rest of the profile (all samples, not a window) would
    not let them be. With u the value of one count, ``ln C`` has the variance ``u / C``, and so has
    its difference d from the line, or the parabola, of its neighbours, over the root of the sum of
    the squared weights: u is ``median(d^2 C) / 0.4549`` over the rest. Two samples of the standard
    deviation ``s = sqrt(u C)``, written in steps of q, are equal with a probability of less than
    ``p = erf(q / (2 sqrt(2) s))``, and n of them with ``p^(n - 1)``; s is divided by 3 to be on the
    safe side, and q is the larger of one count and the last digit of the profile.

    Those `near` intervals of rows, (row, start, stop), at least; all if None.

    None is found in 422 measured profiles of nine instruments; of 819 cut off at 30, 60 and 90 % of
    their maximum, with five samples there at least, 87 % are (the others are equal from end to end,
    or have fewer digits than noise).
    """
    flat = rows.value.reshape(-1)
    runs = rows.equal_runs if near is None else _runs_near(rows, *near)
    if not runs.size:
        return None
    found = None
    for row in _suspects(rows, *runs.T):
        own = slice(rows.offsets[row], rows.offsets[row + 1])
        every = equal_runs(flat[own], np.empty(0, dtype=np.intp), 0.0)
        flags = _of_profile(rows.depth_at(np.arange(own.start, own.stop)), flat[own], *every.T)
        if flags.any():
            found = np.zeros(flat.shape, dtype=bool) if found is None else found
            found[own] = flags
    return None if found is None else found.reshape(rows.value.shape)


def _runs_near(rows: Rows, row: Index, start: Array, stop: Array) -> Index:
    """Find the runs of equal samples of rows that have some in intervals, or their maximum."""
    length = _SHORT
    if row.size * length >= rows.value.size / _NARROW or rows.value.size < _FEW:
        return rows.equal_runs
    first = rows.segment_at(start, row)
    beyond = rows.depth_at(np.minimum(first + length, rows.value.size - 1))
    if not (stop <= beyond).all():  # searching takes longer than all else
        length = int((rows.segment_at(stop, row) - first).max(initial=0))
    width = length + 4  # with a neighbour on either side
    if row.size * width >= rows.value.size / _NARROW:
        return rows.equal_runs
    places = first - 1 + np.arange(width)[:, None]
    value = rows.value.reshape(-1).take(places, mode="clip")
    suspect = ((value[1:] == value[:-1]) & (value[1:] > 0)).any(axis=0)
    # Where values fall or rise all along an interval, the maximum is elsewhere.
    highest = value[1:-2].max(axis=0)
    stands = np.flatnonzero((highest > value[0]) & (highest > value[-2]))
    suspect[stands] |= highest[stands] >= rows.sampled_maximum(row[stands])
    found = np.unique(row[suspect])
    if found.size > rows.count / _NARROW:
        return rows.equal_runs
    return joined_runs(rows.runs_in(slice(one, one + 1)) for one in found.tolist())


def _suspects(rows: Rows, begin: Index, end: Index) -> Index:
    """Find the rows of which some samples do not rule out that a run of equal ones is saturated."""
    flat, offsets = rows.value.reshape(-1), rows.offsets
    row: Index = offsets.searchsorted(begin, side="right") - 1
    # Floors are often equal.
    some, of = np.unique(row, return_inverse=True)
    level, highest = flat[begin], rows.sampled_maximum(some)[of]
    before = np.where(begin > offsets[row], flat[begin - 1], 0.0)
    after = np.where(end < offsets[row + 1], flat[end % flat.size], 0.0)
    neighbour = np.maximum(before, after)
    kept = (level > CEILING * highest) & ((neighbour > level) | (level >= highest))
    row, begin, end, level = row[kept], begin[kept], end[kept], level[kept]
    if not row.size:
        return row
    neighbour = np.where(level >= highest[kept], np.inf, neighbour[kept])
    some, of = np.unique(row, return_inverse=True)
    noise = np.sqrt(_least_per_count(rows, some)[of] * level)
    chance = _chance_of_equal(noise / level) ** (end - begin - 1)
    found: Index = np.unique(row[(neighbour > level + _JUMP * noise) & (chance < _CHANCE)])
    return found


def _least_per_count(rows: Rows, row: Index) -> Array:
    """Return the least that one count in some rows may stand for, by a few samples of each."""
    flat, inner = rows.value.reshape(-1), rows.size[row, None] - 2
    places = rows.offsets[row, None] + 1 + inner * np.arange(_TURNS) // _TURNS
    three = [places - 1, places, places + 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = [np.log(flat[one]) for one in three]
        axes = [rows.depth_at(one) for one in three], (0, 1, 2)
        bends = np.abs([_differences(axis, logs) for axis in axes])
        squares = np.fmin(*bends) ** 2 * flat[places] / _MEDIAN_SQUARE
    squares = np.sort(np.where(np.isfinite(squares), squares, np.inf))
    number = np.count_nonzero(squares < np.inf, axis=1)
    median = squares[np.arange(number.size), np.maximum(number - 1, 0) // 2]
    return np.where(number < _FEWEST_TURNS // 2, 0.0, median) / _MARGIN


def _of_profile(depth: Array, value: Array, begin: Index, end: Index) -> Flags:
    flags = np.zeros(value.shape, dtype=bool)
    highest, level = value.max(), value[begin]
    neighbour = np.fmax(
        np.where(begin > 0, value[begin - 1], np.nan),
        np.where(end < value.size, value[end % value.size], np.nan),
    )
    lowest = value.min(initial=highest, where=value > 0)
    ceiling = (level == highest) | (
        (neighbour > level) & (level > CEILING * highest) & (level > lowest)
    )
    rest = value < highest
    for i, k in zip(begin, end, strict=True):
        rest[i:k] = False
    if not ceiling.any() or (one := _value_per_count(depth[rest], value[rest])) is None:
        return flags
    noise = np.sqrt(one * level)
    ceiling &= (level == highest) | (neighbour > level + _JUMP * noise)
    ceiling &= _chance_of_equal(one / noise) ** (end - begin - 1) < _CHANCE
    if ceiling.any():  # as a rule not, and digits take long
        digit = max(_last_digit(value[rest], highest), _ROUNDED * highest)
        ceiling &= _chance_of_equal(digit / noise) ** (end - begin - 1) < _CHANCE
    for i, k in zip(begin[ceiling], end[ceiling], strict=True):
        flags[i:k] = True
    if (level[ceiling] == highest).any():  # single samples are cut off at the same number
        flags |= value == highest
    return flags


def _value_per_count(depth: Array, rest: Array) -> float | None:
    """Return the value of one count by the scatter of samples; None if they do not scatter."""
    depth, rest = depth[rest > 0], rest[rest > 0]
    # By its number, an uneven axis bends a smooth curve to and fro; one that was rounded, by depth.
    axes, log = (depth, np.arange(rest.size, dtype=np.float64)), np.log(rest)
    for order in (2, 3):
        near = [slice(i, max(rest.size - order, 0) + i) for i in range(order + 1)]
        own = [log[i] for i in near]
        bends = [_differences([places[i] for i in near], own) for places in axes]
        turning = [one[one != 0.0] for one in bends]
        to_and_fro = (np.mean(one[1:] * one[:-1] < 0) >= _ALTERNATING for one in turning)
        if min(one.size for one in turning) >= _FEWEST_TURNS and all(to_and_fro):
            least = min(float(np.median(one**2 * rest[near[1]])) for one in bends)
            return least / _MEDIAN_SQUARE or None
    return None


def _differences(depth: Sequence[Any], log: Sequence[Array]) -> Array:
    """Return what three or four neighbours are off a line or a parabola, times their variance.

    That is, the difference has the variance of one of them, on any axis.
    """
    number = range(len(depth))
    weights = []
    for i in number:
        others = combinations([depth[j] for j in number if j != i], 2)
        weights.append((-1) ** i * prod(b - a for a, b in others))
    scale = np.sqrt(sum(np.square(one) for one in weights))
    found: Array = sum(w * one for w, one in zip(weights, log, strict=True)) / scale
    return found


def _chance_of_equal(step: Any) -> Any:
    """Return the probability that two samples are equal, for steps in standard deviations.

    It is 1 for steps that do not resolve these.
    """
    from scipy.special import erf

    return np.where(step * _SAFETY > 1.0, 1.0, erf(step * _SAFETY / (2.0 * np.sqrt(2.0))))


def _last_digit(rest: Array, highest: float) -> float:
    """Return the last digit of a number as high as `highest`, written as the others are."""
    values = np.unique(rest[rest > 0])
    decade = np.floor(np.log10(values))
    powers = 10.0 ** np.arange(_DIGITS)
    scaled = values[:, None] / 10.0 ** decade[:, None] * powers
    whole = np.abs(scaled - np.rint(scaled)) < 32.0 * np.finfo(float).eps * powers
    whole[:, -1] = True
    digits = whole.argmax(axis=1) + 1
    low, high = (digits[decade == end].max() for end in (decade.min(), decade.max()))
    if high - low > np.ptp(decade) / 2:  # whole numbers, or with so many decimals
        return float(10.0 ** (decade - digits + 1).min())
    return float(10.0 ** (np.floor(np.log10(highest)) - digits.max() + 1))
