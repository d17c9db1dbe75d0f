"""Many measurements of a species: their median, the band that most lie in, and who lies outside.

More curves than can be told apart by colour show their spread, not themselves.
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

__all__ = ["CENTRAL", "Spread", "is_crowd", "spread_of"]

#: From more measurements on, curves of one colour each cannot be told apart.
_CROWD = 8
#: The band holds this part of the measurements at each depth.
CENTRAL = 0.8
#: An outlier lies so many robust standard deviations off the others, and by so many decades.
_FAR, _LEAST = 5.0, 0.08
#: So many outliers are drawn.
_NAMED = 4


@dataclass(frozen=True)
class Spread:
    """The curves of one species in many measurements, as one.

    Parameters
    ----------
    median : Curve
        Of all, at each depth.
    low, high : ndarray
        Ends of the band, on the samples of the median.
    count : int
        Of the measurements.
    outliers : list of Curve
        Those that lie off as a whole, the farthest first.
    """

    median: Curve
    low: Array
    high: Array
    count: int
    outliers: list[Curve]


def is_crowd(curves: Sequence[Curve], colour_by: str) -> bool:
    """Whether a species has so many curves that they cannot be told apart."""
    counts = Counter((curve.series.species, curve.series.variable) for curve in curves)
    most = max(counts.values())
    # Where colours are for the species, dashes have to tell the measurements.
    return most > (_CROWD if colour_by == "measurement" or len(counts) == 1 else len(DASHES))


def spread_of(curves: Sequence[Curve]) -> Spread:
    """Summarise the curves of one species at the depths of the one with most samples.

    A median of fewer and fewer measurements would jump where one ends: it is drawn where all were
    measured, or, where no depth has all, wherever any was.
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
    """Find the measurements that lie off as a whole: by the median of log10 of their ratio."""
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
