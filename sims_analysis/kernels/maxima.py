"""How many maxima a profile shows: what stands out of its noise, and whether it is one peak."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.signal import find_peaks

from sims_analysis.kernels.residuals import running
from sims_analysis.kernels.samples import Array, smoothed


@dataclass(frozen=True)
class _Rules:
    """The numbers by which maxima are counted."""

    sure: float = 5.0  # standard errors by which a maximum stands above the valleys next to it,
    seen: float = 3.0  # or this many where the number of maxima is known
    rise: float = 0.1  # part of the level of the deeper valley that it rises above it at least
    share: float = 0.01  # part of the largest maximum that the others are at least
    # Part of the maximum that a peak is at most at the first and the last sample.
    cut: tuple[float, float] = (0.9, 0.5)
    windows: int = 25  # means over neighbours, to a record, of which a second maximum is one
    valley: float = 0.02  # depth of a valley of a curve, as a part of its level there, at least


_RULES = _Rules()


def maxima(c: Array, noise: Array) -> list[int]:
    """Return the samples of the maxima that stand out of the noise, the most certain first."""
    counts = [tops[sure > _RULES.sure].tolist() for tops, sure in _by_width(c, noise)]
    return max(counts, key=len)


def most_significant(c: Array, noise: Array, n: int) -> list[int]:
    """Return so many maxima by the width at which the last is most certain; none if it is not."""
    best, maxima = _RULES.seen, []
    for tops, sure in _by_width(c, noise):
        if tops.size >= n and sure[n - 1] > best:
            best, maxima = sure[n - 1], sorted(tops[:n].tolist())
    return maxima


def _by_width(c: Array, noise: Array) -> Iterator[tuple[Array, Array]]:
    """Yield :func:`maxima_of_means` over more and more neighbours."""
    width = 1
    while width == 1 or 4 * width <= c.size:
        yield maxima_of_means(c, noise, width)
        width = 2 * width + 1


def maxima_of_means(
    c: Array, noise: Array, width: int, *, ends: bool = False
) -> tuple[Array, Array]:
    """Return maxima of means over neighbours, the most certain first, and their rise in errors.

    The first and the last mean may be maxima only if `ends` are asked for.
    """
    mean, error = running(c, width), np.sqrt(running(noise * noise, width) / width)
    beyond = int(ends)
    if ends:
        low = 2 * mean.min() - mean.max()
        mean = np.concatenate([[low], mean, [low]])
        error = np.concatenate([error[:1], error, error[-1:]])
    # One of equal neighbours, which counts often are, is the maximum.
    tops, about = find_peaks(mean * (1 + 1e-12 * np.arange(mean.size)), prominence=0)
    rise, left, right = about["prominences"], about["left_bases"], about["right_bases"]
    floor = np.where(mean[right] > mean[left], right, left)
    sure = rise / np.hypot(error[tops], error[floor])
    real = rise > _RULES.rise * np.abs(mean[tops] - rise)
    real &= mean[tops] > _RULES.share * mean.max()
    order = np.argsort(-sure[real], kind="stable")
    return tops[real][order] - beyond + width // 2, sure[real][order]


def not_one_peak(
    c: Array, m: Array, noise: Array, background: float, down: tuple[bool, bool]
) -> str | None:
    """Say why a profile does not show one whole peak above its background, or return None.

    `down` ends may be high: beyond them are samples without a value above 0, or the surface.
    """
    peak = m - background
    top = float(peak.max())
    if top > 0 and np.count_nonzero(peak > _RULES.share * top) < 3:
        return "undetermined"
    if second_peak(c, noise) or two_maxima(m, noise):
        return "several_peaks"
    if _cut_off(peak, down):
        return "truncated" if _cut_off(smoothed(c) - background, down) else "wrong_shape"
    return None


def _cut_off(values: Array, down: tuple[bool, bool]) -> bool:
    """Return whether values stay high at an end: higher is allowed at the surface of an implant."""
    high = values[[0, -1]] > np.array(_RULES.cut) * values.max()
    return any(end and not beyond for end, beyond in zip(high, down, strict=True))


def second_peak(c: Array, noise: Array) -> bool:
    """Return whether there is a second maximum, or an end that rises, which noise does not explain.

    Both must be above the lowest mean over neighbours between them by five errors and a tenth.
    """
    width = max(3, c.size // _RULES.windows)
    if c.size < 4 * width:
        return False
    _, sure = maxima_of_means(c, noise, width, ends=True)
    return int(np.count_nonzero(sure > _RULES.sure)) > 1


def two_maxima(m: Array, noise: Array) -> bool:
    """Return whether a fitted curve has a valley that the samples resolve.

    It is one if filling it up to the lower of its two maxima would take the curve away from the
    samples by five standard deviations in all, and somewhere by two per cent.
    """
    rims = np.maximum.accumulate(m), np.maximum.accumulate(m[::-1])[::-1]
    depth = np.minimum(*rims) - m
    deep = depth > _RULES.valley * np.abs(m)
    return bool(np.sum((depth[deep] / noise[deep]) ** 2) > _RULES.sure**2)
