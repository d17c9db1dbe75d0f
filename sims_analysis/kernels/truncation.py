"""Records that end inside of an implant: what lies below them, by the slope at their end."""

from __future__ import annotations

import numpy as np

from sims_analysis.kernels.rows import Array, Flags, Rows

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


def missing_below(rows: Rows, enough: Array) -> Array:
    """Return the integral below the end of each record, (R,), in value times depth.

    By the exponential through its last samples, ``C / |slope of ln C|``, where they fall. Infinite
    where it ends within a peak, or before it: above half of its maximum, below half of that before,
    and not on a plateau. 0 for backgrounds, plateaus, records that are too short to tell, and what
    is less than `enough`, (R,).
    """
    missing = np.zeros(rows.count)
    long = np.flatnonzero(rows.size >= 2 * _FEWEST)
    stop, length = rows.offsets[1:][long], (rows.last - rows.first)[long]
    ends = rows.value_at(stop[:, None] - 1 - np.arange(_FEWEST)).mean(axis=1)
    high = ends * length * _STEEP > enough[long]
    if not high.any():
        return missing
    long, stop, length, ends = long[high], stop[high], length[high], ends[high]
    k = np.clip(rows.size[long] // _PART, _FEWEST, _MOST)
    place = np.arange(k.max())
    used = np.asarray(place < k[:, None])
    at = np.where(used, stop[:, None] - 1 - place, stop[:, None] - 1)
    last, decay, certain = _line(rows.depth_at(at), rows.value_at(at), used)
    falls = np.asarray(certain & (decay > 0) & (decay < _STEEP * length) & (last > 0))
    changes = np.asarray(certain & (np.abs(decay) < _LEVEL * length))
    missing[long[falls]] = (last * decay)[falls]
    for row, end, steep in zip(long[~falls], ends[~falls], changes[~falls], strict=True):
        own = rows.value_at(np.arange(rows.offsets[row], rows.offsets[row + 1]))
        if _within_peak(own, end, changes=bool(steep)):
            missing[row] = np.inf
    return np.where(missing > enough, missing, 0.0)


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


def _within_peak(value: Array, last: float, *, changes: bool) -> bool:
    """Whether a record ends above half of its maximum, was well below that, and is no plateau."""
    summed = np.concatenate([[0.0], np.cumsum(value)])
    mean = (summed[_FEWEST:] - summed[:-_FEWEST]) / _FEWEST
    highest, lowest = mean.max(), mean.min()
    if not (last > _RISEN * highest and lowest < _RISEN * last):
        return False
    noise = np.sqrt(np.mean(np.diff(value) ** 2) / 2 / _FEWEST)
    short = np.count_nonzero(mean > _RISEN * highest) < _LONG * value.size
    return bool(last - lowest > _STANDS_OUT * noise and (changes or short))
