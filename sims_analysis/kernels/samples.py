"""The samples of one profile: which are there, and what each stands for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Of floats, booleans or indices.
Array = NDArray[Any]
#: How far the cell of each sample reaches to both sides.
Cells = tuple[Array, Array]


@dataclass(frozen=True, eq=False)
class Samples:
    """The samples of one profile; NaN where there are none, and 0 where nothing was subtracted.

    Depths z, values c, standard errors s and counts k; ``common`` and ``overlap``, the error of a
    subtracted background, and the covariance of sample and background over its variance; ``lower``
    and ``upper``, edges of the cells over which values are means, NaN where not stated.
    """

    z: Array
    c: Array
    s: Array
    k: Array
    common: Array
    overlap: Array
    lower: Array | None = None
    upper: Array | None = None

    def where(self, keep: Array) -> Samples:
        """Return some of them."""
        columns: list[Any] = [x if x is None else x[keep] for x in vars(self).values()]
        return Samples(*columns)

    def cells(self, places: Array) -> Cells:
        """Return how far the cells of some samples reach: as stated, or half-way."""
        lower, upper = self.lower, self.upper
        if lower is not None and upper is not None and np.isfinite(lower[places]).all():
            return self.z[places] - lower[places], upper[places] - self.z[places]
        every = in_order(self.z, self.c)
        reach = np.full((2, self.z.size), np.nan)
        reach[:, every] = cells(self.z[every])
        below, above = reach[:, places]
        return below, above


def in_order(z: Array, c: Array, start: float = np.nan, stop: float = np.nan) -> Array:
    """Return where the measured samples of a window are, in order of depth; NaN for no limit."""
    places = np.flatnonzero(np.isfinite(z) & np.isfinite(c) & ~(z < start) & ~(z > stop))
    order: Array = places[np.argsort(z[places], kind="stable")]
    return order


def cells(z: Array) -> Cells:
    """Return how far the cell of each sample reaches: half-way to its neighbours."""
    half = 0.5 * (z[1:] - z[:-1])
    reach = np.concatenate([half[:1], half, half[-1:]]) if half.size else np.zeros(2)
    return reach[:-1], reach[1:]


def smoothed(c: Array, width: int = 5) -> Array:
    """Average over at most `width` neighbours, and a quarter of all; fewer at the ends."""
    return neighbour_mean(c, max(0, min(width, c.size // 4) - 1) // 2)


def neighbour_mean(values: Array, half: int) -> Array:
    """Average over so many neighbours on either side, fewer of them at the ends."""
    ones, inner = np.ones(2 * half + 1), slice(half, half + values.size)
    number = np.convolve(np.ones(values.size), ones)[inner]
    means: Array = np.convolve(values, ones)[inner] / number
    return means
