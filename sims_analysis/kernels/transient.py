"""Windows that begin in the surface transient, with the maximum of the implant below it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sims_analysis.kernels.rows import Array, Rows

__all__ = ["Maxima", "deeper_maximum"]


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
