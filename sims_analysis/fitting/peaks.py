"""Whether a profile shows one whole peak, which a model of one needs."""

from __future__ import annotations

import numpy as np

from sims_analysis.kernels.samples import Array, smoothed
from sims_analysis.shapes.layered_model import MAXIMA, maxima_of_means

_CUT = np.array([0.9, 0.5])  # of the maximum, at the first and the last sample: it is cut off
_WINDOWS = 25  # means over neighbours, to a record, of which a second maximum is one
_VALLEY = 0.02  # the depth of a valley of the curve, in its level, at the deepest place


def not_one_peak(
    c: Array, m: Array, noise: Array, background: float, down: tuple[bool, bool]
) -> str | None:
    """Say why a profile does not show one whole peak above its background, or return None.

    `down` ends may be high: beyond them are samples without a value above 0, or the surface.
    """
    peak = m - background
    top = float(peak.max())
    if top > 0 and np.count_nonzero(peak > MAXIMA.share * top) < 3:
        return "undetermined"
    if second_peak(c, noise) or two_maxima(m, noise):
        return "several_peaks"
    if _cut_off(peak, down):
        return "truncated" if _cut_off(smoothed(c) - background, down) else "wrong_shape"
    return None


def _cut_off(values: Array, down: tuple[bool, bool]) -> bool:
    """Return whether values stay high at an end: higher is allowed at the surface of an implant."""
    high = values[[0, -1]] > _CUT * values.max()
    return any(end and not beyond for end, beyond in zip(high, down, strict=True))


def second_peak(c: Array, noise: Array) -> bool:
    """Return whether there is a second maximum, or an end that rises, which noise does not explain.

    Both must be above the lowest mean over neighbours between them by five errors and a tenth.
    """
    width = max(3, c.size // _WINDOWS)
    if c.size < 4 * width:
        return False
    _, sure = maxima_of_means(c, noise, width, ends=True)
    return int(np.count_nonzero(sure > MAXIMA.sure)) > 1


def two_maxima(m: Array, noise: Array) -> bool:
    """Return whether a fitted curve has a valley that the samples resolve.

    It is one if filling it up to the lower of its two maxima would take the curve away from the
    samples by five standard deviations in all, and somewhere by two per cent.
    """
    rims = np.maximum.accumulate(m), np.maximum.accumulate(m[::-1])[::-1]
    depth = np.minimum(*rims) - m
    deep = depth > _VALLEY * np.abs(m)
    return bool(np.sum((depth[deep] / noise[deep]) ** 2) > MAXIMA.sure**2)
