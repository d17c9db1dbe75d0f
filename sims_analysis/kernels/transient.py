"""Windows that begin in the surface transient, with the maximum of the implant below it.

Two rules: :func:`transient`, for a warning about a peak, misses faint maxima;
:func:`deeper_maximum`, for the status of moments and decay lengths, finds more of them (with
standard errors, below a spike thirty times as high, an implant of ten counts at its maximum: nine
in ten against one in twenty), and may take noise for one in a hundredth of profiles. Values drawn
on a grid finer than the samples, without their standard errors, mislead both.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sims_analysis.kernels.crossings import highest
from sims_analysis.kernels.rows import Array, Rows

__all__ = ["Maxima", "Transient", "deeper_maximum", "transient"]


class Maxima(NamedTuple):
    """Depths of the first sample, which is the maximum, and of another maximum below it; (R,).

    NaN where there are no two.
    """

    first: Array
    deeper: Array


def deeper_maximum(rows: Rows, start: Array, stop: Array) -> Maxima:
    """Find another maximum in windows whose highest sample is the first.

    Parameters
    ----------
    rows : Rows
        With standard errors as fits take them, or without.
    start, stop : ndarray, shape (R,)
        Window of depths; NaN is the row's own end.
    """
    rows = rows.within(start, stop).packed()
    found = np.full((2, rows.count), np.nan)
    enough = np.flatnonzero(rows.size > 2 * _WIDTH)
    top = rows.extreme(np.maximum, rows.value)
    for row in enough[rows.value[rows.start[enough]] == top[enough]]:
        samples = slice(rows.start[row], rows.start[row + 1])
        sigma = None if rows.stderr is None else rows.stderr[samples]
        position = _deeper(rows.value[samples], sigma)
        if position:
            found[:, row] = rows.depth[samples][[0, position]]
    return Maxima(*found)


#: Samples over which a running median takes noise out.
_WIDTH = 5
#: A maximum stands out where it is so many times what lies between it and the first sample, ...
_RATIO = 2.0
#: ... and so many times the noise of the mean of its samples.
_CLEAR = 18.0


def _deeper(value: Array, stderr: Array | None = None) -> int:
    """Return the place of a maximum that stands out from what lies above it; 0 if there is none."""
    smooth = np.median(np.lib.stride_tricks.sliding_window_view(value, _WIDTH), axis=1)
    lowest = np.minimum.accumulate(smooth)
    rises = smooth > _RATIO * np.maximum(lowest, 0.0)
    if not rises.any():
        return 0
    top = int(np.argmax(np.where(rises, smooth, -np.inf)))
    height = smooth[top] - lowest[top]
    low = smooth < smooth[top] - 0.5 * height
    begin = top - int(np.argmax(low[top::-1]))
    if not low[top:].any():  # it rises to the end of the window: no maximum
        return 0
    end = top + int(np.argmax(low[top:]))
    aside = _WIDTH // 2
    around = slice(max(top - 2 * _WIDTH, 0), top + 2 * _WIDTH)
    noise = np.sqrt(np.mean((value[aside:-aside] - smooth)[around] ** 2))
    if stderr is not None:  # which know what samples on a fine grid share
        stated = np.nan_to_num(stderr[begin + aside : end + aside])
        noise = max(noise, np.sqrt(np.mean(stated**2)))
    if not height * np.sqrt(end - begin) > _CLEAR * noise:
        return 0
    first = begin + 1 + aside
    return first + int(np.argmax(value[first : end + aside]))


#: How far a second maximum rises above what lies between it and the surface: in standard errors,
#: and as a factor where these are known, as another factor where they are not.
SIGNIFICANT, RISE, RISE_WITHOUT_ERRORS = 6.0, 1.2, 3.0
#: Part of the first maximum below which no second one is looked for.
LEAST = 1e-3
#: Samples of which the median is taken, so that a single high one is no maximum.
SMOOTHED = 5


class Transient(NamedTuple):
    """First samples that are maxima, and the maxima below them; every field has shape (R,)."""

    depth: Array
    value: Array
    deeper_depth: Array
    deeper_value: Array


def transient(rows: Rows, start: Array, stop: Array) -> Transient:
    """Find the rows whose maximum within a window is its first sample, and another lies deeper.

    That is what the transient at the surface looks like on top of an implant.

    Parameters
    ----------
    rows : Rows
        With standard errors, or without.
    start, stop : ndarray, shape (R,)
        Depths; NaN is the row's own end.

    Returns
    -------
    Transient
        NaN where there is no such pair of maxima. Of medians of five samples, the deeper maximum
        lies above the lowest before it by six standard errors and a fifth of that. Where errors
        are not known, the scatter of the five samples stands for them, and it is three times as
        high. It is at least a thousandth of the first.
    """
    rows = rows.within(start, stop).packed()
    columns = np.full((4, rows.count), np.nan)
    row, position = highest(rows)
    for r in row[position == rows.start[row]]:
        mine = slice(rows.start[r], rows.start[r + 1])
        c = rows.value[mine]
        k = _second_maximum(c, None if rows.stderr is None else rows.stderr[mine])
        if k is not None:
            z = rows.depth[mine]
            columns[:, r] = z[0], c[0], z[k], c[k]
    return Transient(*columns)


def _second_maximum(c: Array, stderr: Array | None) -> int | None:
    """Return the place of a maximum that stands out below the first sample."""
    if c.size < SMOOTHED or not c[0] > 0:
        return None
    windows = np.lib.stride_tricks.sliding_window_view(c, SMOOTHED)
    m, s, rise = np.median(windows, axis=1), windows.std(axis=1, ddof=1), RISE_WITHOUT_ERRORS
    if stderr is not None and np.isfinite(stderr).all():
        s, rise = stderr[SMOOTHED // 2 :][: m.size], RISE
    lowest = np.minimum.accumulate(m)
    at_lowest = np.maximum.accumulate(np.where(m == lowest, np.arange(m.size), 0))
    stands_out = m - lowest >= SIGNIFICANT * np.hypot(s, s[at_lowest])
    stands_out &= m >= rise * np.maximum(lowest, c[c > 0].min())
    found = np.flatnonzero(stands_out & (m >= LEAST * c[0]))
    if found.size == 0:
        return None
    # The highest sample of those deeper than what is lowest before the second maximum.
    top = found[m[found].argmax()]
    below = int(m[: top + 1].argmin()) + SMOOTHED // 2
    return below + int(c[below:].argmax())
