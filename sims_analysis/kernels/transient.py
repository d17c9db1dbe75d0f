"""Surface transients: profiles that begin at their maximum, with another below it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sims_analysis.kernels.rows import Array, Rows


class Transient(NamedTuple):
    """The first sample, if it is the maximum of its window, and a deeper maximum; (R,).

    ``end`` is the depth between them where the profile is lowest.
    """

    depth: Array
    value: Array
    deeper_depth: Array
    deeper_value: Array
    end: Array


def surface_transient(rows: Rows, start: Array, stop: Array) -> Transient:
    """Find windows that begin in the surface transient above an implant.

    Their first sample is the highest, and there is a deeper maximum: the running median rises to
    more than twice its lowest value so far, by more than its noise, and falls again. It finds one
    in about 1 of 100 profiles without an implant, and more on finer grids without standard errors.
    """
    rows = rows.within(start, stop).packed()
    columns = np.full((5, rows.count), np.nan)
    enough = np.flatnonzero(rows.size > 2 * _WIDTH)
    top = rows.reduce(np.maximum, rows.value)
    for row in enough[rows.value[rows.offsets[enough]] == top[enough]]:
        samples = slice(rows.offsets[row], rows.offsets[row + 1])
        z, c = rows.depth[samples], rows.value[samples]
        deeper = _deeper(c, None if rows.stderr is None else rows.stderr[samples])
        if deeper:
            lowest = _WIDTH // 2 + int(np.argmin(_smooth(c)[: max(deeper - _WIDTH // 2, 1)]))
            columns[:, row] = z[0], c[0], z[deeper], c[deeper], z[lowest]
    return Transient(*columns)


#: Samples in the running median.
_WIDTH = 5
#: A maximum must exceed the minimum between it and the first sample by this factor, ...
_RATIO = 2.0
#: ... and rise above that minimum by this many times the noise of the mean of its samples.
_STANDS_OUT = 18.0


def _smooth(value: Array) -> Array:
    """Return the running median."""
    medians: Array = np.median(np.lib.stride_tricks.sliding_window_view(value, _WIDTH), axis=1)
    return medians


def _deeper(value: Array, stderr: Array | None = None) -> int:
    """Return the index of a maximum that stands out below the first sample; 0 if there is none."""
    smooth = _smooth(value)
    lowest = np.minimum.accumulate(smooth)
    rises = smooth > _RATIO * np.maximum(lowest, 0.0)
    if not rises.any():
        return 0
    top = int(np.argmax(np.where(rises, smooth, -np.inf)))
    height = smooth[top] - lowest[top]
    low = smooth < smooth[top] - 0.5 * height
    begin = top - int(np.argmax(low[top::-1]))
    if top == smooth.size - 1:  # it rises to the end of the window: no maximum
        return 0
    end = top + int(np.argmax(low[top:])) if low[top:].any() else smooth.size
    margin = _WIDTH // 2
    around = slice(max(top - 2 * _WIDTH, 0), top + 2 * _WIDTH)
    noise = np.sqrt(np.mean((value[margin:-margin] - smooth)[around] ** 2))
    if stderr is not None:  # the scatter is too small where values on a fine grid share samples
        stated = np.nan_to_num(stderr[begin + margin : end + margin])
        noise = max(noise, np.sqrt(np.mean(stated**2)))
    if not height * np.sqrt(end - begin) > _STANDS_OUT * noise:
        return 0
    first = begin + 1 + margin
    return first + int(np.argmax(value[first : end + margin]))
