"""A union of many axes, given to the kernels as the axes that it is a union of.

Where species were measured at depths of their own, most of the places of their common axis are
empty. The kernels drop these themselves, each time, row by row; dropped once for all of them, a
question of ten such species takes a fifth of the time. The answers are the same to the bit, with
and without it: what it depends on is how much all rows hold, and no answer may depend on that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["compact"]


#: Samples of which copies take no memory to speak of, and which kernels work on in small steps.
_FEW = 1 << 18


def compact(
    kernel: Callable[..., Any],
    depth: Any,
    *columns: Any,
    within: tuple[float, float] = (np.nan, np.nan),
) -> tuple[Callable[..., Any], list[Any]]:
    """Leave out the places where a row has no sample, if that is most places of every row.

    Parameters
    ----------
    kernel : callable
    depth : ndarray, shape (n,) or (..., n)
    *columns : ndarray
        Values of shape ``(..., n)``, NaN where nothing was measured, and what belongs to them.
    within : tuple of float
        The limits of an integral: a row without a gap between them is summed as it lies, and
        keeps to that.

    Returns
    -------
    kernel : callable
        As it was; a single row is given to it as one of many, since an axis of one dimension is
        taken for one that rows share.
    samples : list of ndarray
        Depth and columns as they were; or of shape ``(..., m)``, the samples of each row, then NaN.
    """
    value = columns[0]
    if depth.ndim != 1 or not 0 < value.size <= _FEW or value.dtype.kind != "f":
        return kernel, [depth, *columns]
    lead, n = value.shape[:-1], value.shape[-1]
    if 2 * np.count_nonzero(np.isnan(value[(0,) * len(lead)])) <= n:
        return kernel, [depth, *columns]
    rows = value.reshape(-1, n)
    # A comparison with itself is False for NaN alone, and faster than isnan.
    places: Any = np.flatnonzero(rows == rows)  # noqa: PLR0124
    begins = np.arange(rows.shape[0] + 1) * n
    edges = np.searchsorted(places, begins)
    counts = edges[1:] - edges[:-1]
    width = int(counts.max())
    if 2 * width >= n or width == 0 or _some_whole(depth, places, begins[:-1], width, within):
        return kernel, [depth, *columns]
    if not lead:
        lead, kernel = (1,), _of_one_row(kernel)
    first = begins[:-1, None]
    lacking = None
    if places.size == width * counts.size:
        places = places.reshape(-1, width)
    else:
        # Any place will do for the samples that a row lacks: what is taken there is emptied.
        lacking = np.arange(width) >= counts[:, None]
        measured, places = places, np.repeat(first, width, axis=1)
        places[~lacking] = measured
    taken = [depth.take(places - first), *(column.reshape(-1).take(places) for column in columns)]
    if lacking is not None:
        for samples in taken:
            samples[lacking] = np.nan
    return kernel, [samples.reshape(*lead, width) for samples in taken]


def _some_whole(
    depth: Any, places: Any, begins: Any, width: int, within: tuple[float, float]
) -> bool:
    """Whether some row, of which none has more than `width` samples, has no gap within limits."""
    start, stop = within
    # A limit that was not given is NaN, and stands after everything.
    first = max(int(depth.searchsorted(start, side="right")) - 1, 0) if start == start else 0  # noqa: PLR0124
    end = min(int(depth.searchsorted(stop)) + 1, depth.size)
    if end - first > width:
        return False
    held = places.searchsorted(begins + end) - places.searchsorted(begins + first)
    return bool((held >= end - first).any())


def _of_one_row(kernel: Callable[..., Any]) -> Callable[..., Any]:
    def one(*arguments: Any, **options: Any) -> list[Any]:
        return [array[0] for array in kernel(*arguments, **options)]

    return one
