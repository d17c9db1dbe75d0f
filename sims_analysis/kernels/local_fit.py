"""Parabolas of ln C through the samples about a place, by the likelihood of their counts.

Where noise has chosen a place (a crossing, a maximum), the samples around it say what the profile
is there, and how well that is known.
"""

from __future__ import annotations

import math
from functools import cache
from typing import NamedTuple

import numpy as np

from sims_analysis.kernels.counting import ONE_SIGMA, value_per_count
from sims_analysis.kernels.rows import Array, Flags, Index


class Window(NamedTuple):
    """Samples around crossings; fields have shape (R, m) and are 0 where `there` is False."""

    depth: Array
    upper: Array
    upper_stderr: Array
    lower: Array
    lower_stderr: Array
    there: Flags


class Samples(NamedTuple):
    """All samples; those of each crossing's row are ``begin:end``, above what was subtracted."""

    depth: Array
    upper: Array
    upper_stderr: Array
    lower: Array
    lower_stderr: Array
    known: Flags
    begin: Index
    end: Index
    floor: Array

    def window(self, which: Index, first: Index, places: Index, end: Index | None = None) -> Window:
        """Return the samples at ``first + places``, those before `end`, of the crossings `which`.

        Those of the crossing's row, unless an end is given.
        """
        safe, there = self.places(which, first, places, end)
        columns = [column.take(safe) for column in self[:5]]
        if not there.all():
            columns = [np.where(there, column, 0.0) for column in columns]
        return Window._make([*columns, there])

    def places(
        self, which: Index, first: Index, places: Index, end: Index | None = None
    ) -> tuple[Index, Flags]:
        """Return the positions of the samples of a window, and which of these are there."""
        position = first[:, None] + places
        begin, end = self.begin[which, None], (self.end[which] if end is None else end)[:, None]
        there = (position >= begin) & (position < end)
        safe = position if there.all() else np.where(there, position, begin)
        return safe, there & self.known.take(safe)


class Counted(NamedTuple):
    """Samples of windows, (R, m): depth, values of both sides, and values of one count of each.

    ``under`` is what was subtracted from the upper values, over the lower ones.
    """

    x: Array
    upper: Array
    lower: Array
    one_upper: Array
    one_lower: Array
    under: Array


def counted(x: Array, window: Window, floor: Array) -> Counted:
    """Return the samples of windows as counts, `floor` below each; missing ones count nothing."""
    there, upper, lower = window.there, window.upper, window.lower
    floor = np.where(there, floor[:, None], 0.0)
    with np.errstate(all="ignore"):
        one_upper, one_lower = (
            value_per_count(value, stderr, lambda row: row.sum(1, keepdims=True))
            for value, stderr in (
                (upper + floor, window.upper_stderr),
                (lower, window.lower_stderr),
            )
        )
        under = np.where(floor > 0, floor / lower, 0.0)
    # Missing samples get a score and a weight of 0.
    one_upper, one_lower = np.where(there, one_upper, 1.0), np.where(there, one_lower, 0.0)
    return Counted(x, upper, lower, one_upper, one_lower, under)


def maximized(samples: Counted, a: Array, b: Array, prior: Array) -> tuple[Array, Array]:
    """Maximize the likelihood by Newton's method, limiting the change of any sample to e^1.5.

    Return A, B and C, (3, R), and their information matrices, (R, 3, 3).
    """
    found = np.stack([a, b, np.zeros_like(a)], axis=1)
    information = np.full((a.size, 3, 3), np.nan)
    x, both = samples.x, samples.one_upper * samples.lower + samples.one_lower * samples.upper
    powers = np.stack([np.ones_like(x), x, x**2, x**2 * x, (x**2) ** 2], axis=1)
    columns = (powers, *samples[1:], both)
    # Without these the variance is that of a count, to the last digit.
    plain = not (samples.one_lower.any() or samples.under.any())
    live = np.arange(a.size)
    for _ in range(40):
        powers, upper, lower, variance, one_lower, under, both = columns
        odds = ((found[live] * _HALVES)[:, None] @ powers[:, :3])[:, 0]
        np.exp(np.clip(odds, -60.0, 60.0, out=odds), out=odds)
        if not plain:
            more = 1.0 + under / odds
            variance = variance * more + odds * one_lower
            both = both * more
        score = (powers[:, :3] @ ((upper - odds * lower) / variance)[..., None])[..., 0] * _HALVES
        score[:, 2] -= prior[live] * found[live, 2]
        sums = (powers @ (odds * both / variance**2)[..., None])[..., 0]
        now = sums[:, _ORDER] * np.outer(_HALVES, _HALVES)
        now[:, 2, 2] += prior[live]
        information[live] = now
        move = solved(now, score)
        size = np.abs(move) @ _HALVES
        found[live] += np.minimum(1.0, 1.5 / size)[:, None] * move
        # A converged row is left alone, so that it does not depend on the other rows.
        moving = size > 1e-7
        if not moving.any():
            break
        if not moving.all():
            live, columns = live[moving], tuple(column[moving] for column in columns)
    return found.T, information


#: Factors of A, B and C in the parabola, and the powers of z in the products of two of these.
_HALVES = np.array([1.0, 1.0, 0.5])
_ORDER = np.add.outer(np.arange(3), np.arange(3))


def solved(information: Array, score: Array) -> Array:
    """Solve for each row; NaN where the samples do not determine all three coefficients.

    By ``L D L^T`` of all matrices at once, which are symmetric and positive.
    """
    (a, b, c), (_, d, e), (_, _, f) = np.moveaxis(information, 0, -1)
    x, y, z = score.T
    p, q = b / a, c / a
    second, mixed = d - p * b, e - p * c
    r = mixed / second
    third = f - q * c - r * mixed
    y = y - p * x
    z = (z - q * x - r * y) / third
    y = y / second - r * z
    found = np.stack([x / a - p * y - q * z, y, z], axis=1)
    return np.where((second * third > 1e-13 * d * f)[:, None], found, np.nan)


def half_width_about(offset: Array, error: Array) -> Array:
    """Solve ``P(|N(offset, error)| < h) = 0.683`` for h, to 1e-5 relative."""
    shift, half = _tabulated()
    with np.errstate(divide="ignore", invalid="ignore"):
        at = np.abs(offset) / error
        # For a large offset, the far side of the interval has no probability left.
        beyond = half[-1] - shift[-1] + at
        width = error * np.where(at < shift[-1], np.interp(at, shift, half), beyond)
    found: Array = np.where(error > 0, width, np.abs(offset) + error)
    return found


@cache
def _tabulated() -> tuple[Array, Array]:
    """Tabulate h over the offset, both for an error of 1."""
    normal = np.frompyfunc(lambda x: 0.5 * math.erfc(-x / math.sqrt(2.0)), 1, 1)
    shift = np.linspace(0.0, 6.0, 1025)
    half = shift + 1.0
    for _ in range(8):
        inside = (normal(shift + half) - normal(shift - half)).astype(float)
        density = np.exp(-0.5 * (shift + half) ** 2) + np.exp(-0.5 * (shift - half) ** 2)
        half = half - (inside - ONE_SIGMA) / density * math.sqrt(2.0 * math.pi)
    return shift, half
