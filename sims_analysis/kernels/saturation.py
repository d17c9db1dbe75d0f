"""Saturated samples: a detector that writes its largest number whatever reaches it.

Counting scatters: five neighbours of more than a hundred counts are practically never equal to the
last digit. Equal neighbours at the maximum of a profile that scatters elsewhere are therefore no
measurement. Profiles without noise, or with fewer digits than noise, are left alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import prod
from typing import Any

import numpy as np

from sims_analysis.kernels.rows import EQUAL, IN_CACHE, SAMPLED, Array, Flags, Places, Rows


@dataclass(frozen=True)
class _Rules:
    """The numbers by which equal neighbours are distinguished from noise."""

    chance: float = 1e-3  # noise makes so many equal neighbours with less than this probability,
    safety: float = 3.0  # even if it is smaller than the scatter elsewhere says, by this factor
    fewest_turns: int = 8  # fewer differences than this do not separate noise from a curve,
    alternating: float = 0.5  # nor do those of which fewer change sign from one to the next: 73 %
    # of second ones of white noise do, and 77 % of third ones, in which a Gaussian does not bend
    median_square: float = 0.4549  # of a normal deviate
    digits: int = 16  # numbers of so many digits, or more, are not rounded;
    rounded: float = 1e-13  # logarithms are, to this


_RULES = _Rules()


def saturated(rows: Rows, near: Places | None = None) -> Flags | None:
    """Flag the saturated samples, in the shape of ``rows.value``; None if there is none.

    Those of rows with some at the places `near`, at least.

    At least five neighbours are equal to the last digit, at the maximum of their profile, and noise
    as in the rest of the profile (all samples, not a window) would not let them be. With u the
    value of one count, ``ln C`` has the variance ``u / C``, and so has its difference d from the
    line, or the parabola, of its neighbours, over the root of the sum of the squared weights: u is
    ``median(d^2 C) / 0.4549`` over the rest. Two samples of the standard deviation ``s = sqrt(u
    C)``, written in steps of q, are equal with a probability of less than ``p = erf(q / (2 sqrt(2)
    s))``, and n of them with ``p^(n - 1)``; s is divided by 3 to be on the safe side, and q is the
    larger of one count and the last digit of the profile.

    On a grid finer than the samples, two equal samples make many equal values: there it is known
    of the samples that the grid was made of, and carried.

    None is found in 290 measured profiles of nine instruments; of 565 cut off at 30, 60 and 90 % of
    their maximum, with five samples there at least, 91 % are (the others are equal from end to end,
    or have fewer digits than noise).
    """
    may = (rows.size >= EQUAL) & (rows.share >= 1.0)
    if near is not None and rows.value.size > IN_CACHE:  # a few samples are faster to look at
        may &= _reaching_maximum(rows, near)
    if not may.any():
        return None
    row = rows.level_topped[may[rows.level_topped]]
    if not row.size:
        return None
    flat, flags = rows.value.reshape(-1), np.zeros(rows.value.size, dtype=bool)
    for in_row in map(slice, rows.offsets[row].tolist(), rows.offsets[row + 1].tolist()):
        if _is_cut_off(rows.depth_at(np.arange(in_row.start, in_row.stop)), flat[in_row]):
            flags[in_row] = flat[in_row] == flat[in_row].max()
    return flags.reshape(rows.value.shape) if flags.any() else None


def _reaching_maximum(rows: Rows, near: Places) -> Flags:
    """Flag the rows with a sample as high as some others at, or next to, a few places.

    With more places, it takes all rows that have one.
    """
    flags = np.zeros(rows.count, dtype=bool)
    row, first, end = near
    reach = int((end - first).max(initial=0))
    if rows.are_few(row.size * reach):
        places = first + np.arange(-1, reach + 1)[:, None]
        highest = rows.value.reshape(-1).take(places, mode="clip").max(axis=0)
        row = row[highest >= rows.sampled_maximum(row, SAMPLED)]
    flags[row] = True
    return flags


def _is_cut_off(depth: Array, value: Array) -> bool:
    """Whether noise rules out so many equal neighbours of a profile at its maximum."""
    highest = value.max()
    between = np.flatnonzero(np.concatenate([[True], value != highest, [True]]))
    longest = np.diff(between).max() - 1
    if longest < EQUAL or highest == 1.0:  # a pure layer has a fraction of exactly 1
        return False
    # Constants, as in a floor, do not show the noise.
    equal = value[1:] == value[:-1]
    others = (value < highest) & ~(np.append(equal, False) & np.append(False, equal))
    of_count = _value_per_count(depth[others], value[others])
    if of_count is None:
        return False
    noise, step = np.sqrt(of_count * highest), of_count
    if _chance_of_equal(step / noise) ** (longest - 1) >= _RULES.chance:
        return False
    step = max(_last_digit(value[others], highest), _RULES.rounded * highest)
    return bool(_chance_of_equal(step / noise) ** (longest - 1) < _RULES.chance)


def _value_per_count(depth: Array, value: Array) -> float | None:
    """Return the value of one count by the scatter of samples; None if they do not scatter."""
    depth, value = depth[value > 0], value[value > 0]
    # By index, an uneven axis bends a smooth curve to and fro; by depth, a rounded axis does.
    axes, log = (depth, np.arange(value.size, dtype=np.float64)), np.log(value)
    for order in (2, 3):
        near = [slice(i, max(value.size - order, 0) + i) for i in range(order + 1)]
        logs = [log[i] for i in near]
        bends = [_differences([places[i] for i in near], logs) for places in axes]
        turning = [bend[bend != 0.0] for bend in bends]
        to_and_fro = (np.mean(bend[1:] * bend[:-1] < 0) >= _RULES.alternating for bend in turning)
        if min(bend.size for bend in turning) >= _RULES.fewest_turns and all(to_and_fro):
            least = min(float(np.median(bend**2 * value[near[1]])) for bend in bends)
            return least / _RULES.median_square or None
    return None


def _differences(depth: Sequence[Any], log: Sequence[Array]) -> Array:
    """Return how far three or four neighbours are off a line or a parabola, scaled.

    The scaled difference has the variance of one of them, on any axis.
    """
    number = range(len(depth))
    weights = []
    for i in number:
        others = combinations([depth[j] for j in number if j != i], 2)
        weights.append((-1) ** i * prod(b - a for a, b in others))
    scale = np.sqrt(sum(np.square(term) for term in weights))
    differences: Array = sum(w * term for w, term in zip(weights, log, strict=True)) / scale
    return differences


def _chance_of_equal(step: Any) -> Any:
    """Return the probability that two samples are equal, for steps in standard deviations.

    It is 1 for steps that do not resolve these.
    """
    from scipy.special import erf

    return np.where(
        step * _RULES.safety > 1.0, 1.0, erf(step * _RULES.safety / (2.0 * np.sqrt(2.0)))
    )


def _last_digit(others: Array, highest: float) -> float:
    """Return the last digit of a number as high as `highest`, written as the others are."""
    values = np.unique(others[others > 0])
    decade = np.floor(np.log10(values))
    powers = 10.0 ** np.arange(_RULES.digits)
    scaled = values[:, None] / 10.0 ** decade[:, None] * powers
    integral = np.abs(scaled - np.rint(scaled)) < 32.0 * np.finfo(float).eps * powers
    integral[:, -1] = True
    digits = integral.argmax(axis=1) + 1
    low, high = (digits[decade == end].max() for end in (decade.min(), decade.max()))
    if high - low > np.ptp(decade) / 2:  # whole numbers, or with so many decimals
        return float(10.0 ** (decade - digits + 1).min())
    return float(10.0 ** (np.floor(np.log10(highest)) - digits.max() + 1))
