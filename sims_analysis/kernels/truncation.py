"""Records that end inside of an implant: what lies below them, by the slope at their end."""

from __future__ import annotations

import numpy as np

from sims_analysis.kernels.rows import Array, Flags, Packed, Rows, SingleResult

#: The end of a record: this part of its samples, but so many at least and at most.
_PART, _FEWEST, _MOST = 10, 6, 40
#: A slope is one where noise makes it in less than this part of cases.
_BY_CHANCE = 3e-4
#: A tail falls by e within this part of the record; what falls more slowly is a background.
_STEEP = 1.0 / 3.0
#: A plateau changes by e within this many records, or is longer than this part of one.
_LEVEL, _LONG = 3.0, 0.6
#: Below half of it a profile has risen, by so many times the noise of a mean.
_RISEN, _STANDS_OUT = 0.5, 7.0


def missing_below(rows: Rows) -> SingleResult:
    """Return the integral below the end of each record, (R,), in value times depth.

    By the exponential through its last samples, ``C / |slope of ln C|``, where they fall. Infinite
    where it ends within a peak, or before it: above half of its maximum, below half of that before,
    and not on a plateau. 0 for backgrounds, plateaus, and records that are too short to tell.
    """
    rows = rows.packed()
    missing = np.zeros(rows.count)
    k = np.clip(rows.size // _PART, _FEWEST, _MOST)
    enough = np.flatnonzero(rows.size >= 2 * _FEWEST)
    if not enough.size:
        return SingleResult(missing)
    k, stop = k[enough], rows.offsets[1:][enough]
    place = np.arange(k.max())
    used = np.asarray(place < k[:, None])
    at = np.where(used, stop[:, None] - 1 - place, stop[:, None] - 1)
    last, decay, certain = _line(rows.depth[at], rows.value[at], used)
    length = rows.depth[stop - 1] - rows.depth[rows.offsets[:-1][enough]]
    falls = certain & (decay > 0) & (decay < _STEEP * length) & (last > 0)
    tail = np.where(falls, last * decay, 0.0)
    risen, part = _rising(rows)
    risen, part = risen[enough], part[enough]
    changes = certain & (np.abs(decay) < _LEVEL * length)
    within = np.asarray(changes | (part < _LONG)) & risen & ~falls
    missing[enough] = np.where(within, np.inf, tail)
    return SingleResult(missing)


def _line(depth: Array, value: Array, used: Flags) -> tuple[Array, Array, Flags]:
    """Return the value at the last sample, the decay length there, and whether it is certain.

    By a straight line in the logarithm, or in the values where some are not positive.
    """
    from scipy.special import stdtrit

    n = used.sum(axis=1)
    logs = np.asarray((np.where(used, value, 1.0) > 0).all(axis=1))
    y = np.where(logs[:, None], np.log(np.where(value > 0, value, 1.0)), value)
    x = depth - depth[:, :1]

    def mean(of: Array) -> Array:
        found: Array = np.where(used, of, 0.0).sum(axis=1) / n
        return found

    off, high = x - mean(x)[:, None], y - mean(y)[:, None]
    square = mean(off**2)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        slope = mean(off * high) / square
        at_last = mean(y) - slope * mean(x)
        left = mean((high - slope[:, None] * off) ** 2) * n / (n - 2)
        error = np.sqrt(left / (n * square))
        last = np.where(logs, np.exp(at_last), at_last)
        decay = np.where(logs, -1.0 / slope, -last / slope)
        certain: Flags = np.abs(slope) > error * stdtrit(n - 2, 1.0 - _BY_CHANCE)
    return last, decay, certain


def _rising(rows: Packed) -> tuple[Flags, Array]:
    """Flag records that end above half of their maximum, and were well below that before.

    And return which part of the record is above half of the maximum.
    """
    summed = np.concatenate([[0.0], np.cumsum(rows.value)])
    begin = np.arange(rows.value.size)
    inside = begin + _FEWEST <= np.repeat(rows.offsets[1:], rows.size)
    mean = (summed[np.minimum(begin + _FEWEST, begin.size)] - summed[begin]) / _FEWEST
    highest = rows.reduce(np.maximum, np.where(inside, mean, -np.inf))
    lowest = rows.reduce(np.minimum, np.where(inside, mean, np.inf))
    last = mean[np.maximum(rows.offsets[1:] - _FEWEST, 0).clip(max=max(begin.size - 1, 0))]
    steps = np.diff(rows.value, prepend=rows.value[:1])
    steps[rows.offsets[:-1][rows.size > 0]] = 0.0
    noise = np.sqrt(rows.sum(steps**2) / np.maximum(rows.size, 1) / 2 / _FEWEST)
    risen: Flags = (last > _RISEN * highest) & (lowest < _RISEN * last)
    above = rows.sum((mean > _RISEN * rows.repeat(highest)) * 1.0) / np.maximum(rows.size, 1)
    found: Flags = risen & (last - lowest > _STANDS_OUT * noise)
    return found, above
