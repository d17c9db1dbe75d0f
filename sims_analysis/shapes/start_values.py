"""Starting values that several models share."""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

import numpy as np

from sims_analysis.kernels.samples import Array, cells, smoothed


class Moments(NamedTuple):
    """Area, and moments over depth."""

    area: float
    mean: float
    deviation: float
    skewness: float
    kurtosis: float


def moments_above(z: Array, c: Array, fraction: float = 0.02) -> Moments:
    """Take moments about the maximum, as far as the profile stays above a fraction of it."""
    smooth = smoothed(c)
    top = int(smooth.argmax())
    below = np.flatnonzero(smooth < fraction * smooth[top])
    deeper = int(below.searchsorted(top))
    left = int(below[deeper - 1]) if deeper else 0
    right = int(below[deeper]) if deeper < below.size else c.size - 1
    if right - left < 3:
        left, right = max(0, left - 2), min(c.size - 1, right + 2)
    z, c = z[left : right + 1], np.maximum(c[left : right + 1], 0.0)
    width = np.add(*cells(z))
    weight = c * width
    area = float(weight.sum())
    if area <= 0.0:
        return Moments(float(width.sum()), float(z.mean()), float(np.ptp(z)) / 4 or 1.0, 0.0, 3.0)
    mean = float(weight @ z) / area
    u = z - mean
    second = weight * u * u
    deviation = max(sqrt(second.sum() / area), 0.3 * float(width.min()))
    third, fourth = float(second @ u) / area, float(second @ (u * u)) / area
    return Moments(area, mean, deviation, third / deviation**3, fourth / deviation**4)


def fall_length(z: Array, c: Array, fraction: float = 0.25) -> float:
    """Return how far below the first samples the profile has fallen to a fraction of them."""
    smooth = smoothed(c)
    below = smooth < fraction * smooth[0]
    last = int(np.argmax(below)) if below.any() else z.size - 1
    return max(float(z[last] - z[0]), float(np.diff(z).min()))
