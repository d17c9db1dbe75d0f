"""Many measurements of a species: their median, the band that holds most, and the outliers.

Where there are more curves than can be told apart, their spread is shown instead of each one.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from sims_analysis.figures.colours import DASHES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sims_analysis.figures.curves import Curve

    Array = NDArray[np.float64]

#: At most so many measurements can be told apart by a colour each.
_CROWD = 8
#: Fraction of the measurements inside the band at each depth.
CENTRAL = 0.8
#: An outlier is off by more than so many robust standard deviations, and so many decades.
_FAR, _LEAST = 5.0, 0.08
#: At most so many outliers are drawn.
_NAMED = 4


@dataclass(frozen=True)
class Spread:
    """The curves of one species in many measurements, as one.

    The ends of the band are on the samples of the median; outliers are off as a whole, the farthest
    first.
    """

    median: Curve
    low: Array
    high: Array
    count: int
    outliers: list[Curve]


def is_crowd(curves: Sequence[Curve], colour_by: str) -> bool:
    """Whether a species has too many curves to tell them apart."""
    counts = Counter(curve.subject for curve in curves)
    most = max(counts.values())
    # If colours stand for species, dashes have to distinguish the measurements.
    return most > (_CROWD if colour_by == "measurement" or len(counts) == 1 else len(DASHES))


def spread_of(curves: Sequence[Curve]) -> Spread:
    """Summarise the curves of one species, at the depths of the one with most samples.

    The median would jump where a measurement ends. It is drawn where all were measured or, if there
    is no such depth, wherever any was.
    """
    first = max(curves, key=lambda curve: curve.series.x.size)
    x = first.series.x
    values = np.array(
        [np.interp(x, c.series.x, c.series.y, left=np.nan, right=np.nan) for c in curves]
    )
    everywhere = ~np.isnan(values).any(axis=0)
    if everywhere.any():
        x, values = x[everywhere], values[:, everywhere]
    shares = np.array([0.5, (1 - CENTRAL) / 2, (1 + CENTRAL) / 2])
    # At every depth of the first curve at least that one was measured.
    median, low, high = np.nanquantile(values, shares, axis=0)
    series = replace(first.series, x=x, y=median, stderr=None, place={})
    whole = replace(first, series=series, source="", dash="solid")
    return Spread(whole, low, high, len(curves), _outliers(curves, values, median))


def _outliers(curves: Sequence[Curve], values: Array, median: Array) -> list[Curve]:
    """Find the measurements that are off as a whole, by the median of log10 of their ratio."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.log10(values / median)
    ratio[~np.isfinite(ratio)] = np.nan
    known = ~np.isnan(ratio).all(axis=1)
    off = np.zeros(len(curves))
    off[known] = np.nanmedian(ratio[known], axis=1)
    distance = np.abs(off - np.median(off))
    # 1.4826 makes the median absolute deviation that of a normal distribution.
    far = distance > max(_FAR * 1.4826 * float(np.median(distance)), _LEAST)
    order = [int(i) for i in np.argsort(-distance) if far[i]]
    return [replace(curves[i], dash=DASHES[1]) for i in order[:_NAMED]]
