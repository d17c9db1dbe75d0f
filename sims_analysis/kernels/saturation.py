"""Saturated samples: a detector that writes its largest number whatever reaches it.

Counting scatters: five neighbours of more than a hundred counts are practically never equal to the
last digit. Equal neighbours at the maximum of a profile that scatters elsewhere are therefore no
measurement. Profiles without noise, or with fewer digits than noise, are left alone.
"""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from sims_analysis.kernels.rows import LEAST, Array, Flags, Rows

#: They are improbable if noise makes so many equal neighbours with less than this probability, ...
_CHANCE = 1e-3
#: ... even if it is smaller than the scatter elsewhere says, by this factor.
_SAFETY = 3.0
#: Fewer second differences than this do not tell noise from a curve, ...
_FEWEST_TURNS = 8
#: ... of which so many change sign from one to the next: 73 % of those of white noise do.
_ALTERNATING = 0.5
#: Median of the square of a normal deviate; second differences of equal logarithms have six times
#: the variance of one.
_MEDIAN_SQUARE = 0.4549
#: Values jump down to equal neighbours from this many standard deviations above them.
_JUMP = 5.0
#: Equal neighbours below the maximum by more than this factor are no ceiling.
_NEAR = 0.01
_GLANCES = 16


def saturated(rows: Rows) -> Flags | None:
    """Flag the saturated samples, in the shape of ``rows.value``; None if there is none.

    At least five neighbours are equal to the last digit, at the maximum of their profile or where
    it jumps down to them, and noise as in the rest of the profile (all samples, not a window) would
    not let them be. With u the value of one count, the second differences of ``ln C`` have the
    variance ``6 u / C`` (those of an uneven axis, from the line between the neighbours, are scaled
    to it), and u is ``median(d^2 C) / (6 * 0.4549)`` over the rest. Two samples of the standard
    deviation ``s = sqrt(u C)``, written in steps of q, are equal with a probability of less than
    ``p = erf(q / (2 sqrt(2) s))``, and n of them with ``p^(n - 1)``; s is divided by 3 to be on the
    safe side, and q is the larger of one count and the last digit of the profile.

    None is found in 448 measured and simulated profiles of nine instruments and programs; of 574
    cut off at a part of their maximum nine tenths are (the others are equal from end to end, or
    have fewer digits than noise).
    """
    flat, runs = rows.value.reshape(-1), rows.equal_runs
    runs = runs[flat[runs] > 0]
    if not runs.size:
        return None
    # Only rows with a run near their maximum are looked at: floors are often equal. A few samples
    # of a row tell most of its floors without a look at all of them.
    row, first = np.unique(rows.offsets.searchsorted(runs, side="right") - 1, return_index=True)
    level = np.maximum.reduceat(flat[runs], first)
    few = rows.offsets[row, None] + rows.size[row, None] * np.arange(_GLANCES) // _GLANCES
    high = np.flatnonzero(level > _NEAR * flat[few].max(axis=1))
    if not high.size:
        return None
    found = np.zeros(flat.shape, dtype=bool)
    for i in high:
        own = slice(rows.offsets[row[i]], rows.offsets[row[i] + 1])
        if level[i] > _NEAR * flat[own].max():
            depth = rows.depth_at(np.arange(own.start, own.stop))
            found[own] = _of_profile(depth, flat[own])
    return found.reshape(rows.value.shape) if found.any() else None


def _of_profile(depth: Array, value: Array) -> Flags:
    flags = np.zeros(value.shape, dtype=bool)
    edges = np.flatnonzero(value[1:] != value[:-1]) + 1
    begin, end = np.append(0, edges), np.append(edges, value.size)
    equal = end - begin >= LEAST
    begin, end = begin[equal], end[equal]
    highest, level = value.max(), value[begin]
    beside = np.fmax(
        np.where(begin > 0, value[begin - 1], np.nan),
        np.where(end < value.size, value[end % value.size], np.nan),
    )
    lowest = value.min(initial=highest, where=value > 0)
    ceiling = (level == highest) | ((beside > level) & (level > _NEAR * highest) & (level > lowest))
    rest = value < highest
    for i, k in zip(begin, end, strict=True):
        rest[i:k] = False
    if not ceiling.any() or (one := _value_per_count(depth[rest], value[rest])) is None:
        return flags
    step = max(one, _last_digit(value[rest], highest))
    for i in np.flatnonzero(ceiling):
        noise = np.sqrt(one * level[i])
        jump = level[i] == highest or beside[i] > level[i] + _JUMP * noise
        improbable = _chance_of_equal(step / noise) ** (end[i] - begin[i] - 1) < _CHANCE
        if jump and improbable:
            flags[begin[i] : end[i]] = True
            if level[i] == highest:  # single samples are cut off at the same number
                flags |= value == highest
    return flags


def _value_per_count(depth: Array, rest: Array) -> float | None:
    """Return the value of one count by the scatter of samples; None if they do not scatter."""
    depth, rest = depth[rest > 0], rest[rest > 0]
    squares = []
    # By its number, an uneven axis bends a smooth curve to and fro; one that was rounded, by depth.
    for places in (depth, np.arange(rest.size, dtype=np.float64)):
        bends = _bends(places, np.log(rest))
        turning = bends[bends != 0.0]
        if turning.size < _FEWEST_TURNS or np.mean(turning[1:] * turning[:-1] < 0) < _ALTERNATING:
            return None
        squares.append(float(np.median(bends**2 * rest[1:-1])))
    return min(squares) / (6.0 * _MEDIAN_SQUARE) or None


def _bends(depth: Array, log: Array) -> Array:
    """Return second differences, on any axis with the variance they have on an even one."""
    steps = np.diff(depth)
    before = steps[1:] / (steps[:-1] + steps[1:])  # the part of the sample before, in their line
    line = before * log[:-2] + (1.0 - before) * log[2:]
    bends: Array = (line - log[1:-1]) * np.sqrt(6.0 / (1.0 + before**2 + (1.0 - before) ** 2))
    return bends


def _chance_of_equal(step: float) -> float:
    """Return the probability that two samples are equal, for steps in standard deviations."""
    from scipy.special import erf

    return float(erf(step * _SAFETY / (2.0 * np.sqrt(2.0))))


def _last_digit(rest: Array, highest: float) -> float:
    """Return the last digit of a number as high as `highest`, written as the others are."""
    values = rest[rest > 0]
    decade = np.floor(np.log10(values)).astype(int)
    last = np.array([_exponent(v) for v in values.tolist()])
    digits = decade - last + 1
    low, high = (digits[decade == end].max() for end in (decade.min(), decade.max()))
    if high - low > np.ptp(decade) / 2:  # whole numbers, or with so many decimals
        return float(10.0 ** last.min())
    return float(10.0 ** (np.floor(np.log10(highest)) - digits.max() + 1))


def _exponent(value: float) -> int:
    """Return the power of ten of the last digit of a number."""
    return int(Decimal(repr(value)).normalize().as_tuple().exponent)
