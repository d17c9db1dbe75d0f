"""The axis of data, and several axes brought to one."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

from sims_analysis import vocabulary
from sims_analysis.errors import ProfileError

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["axis_of", "merge", "order_of", "same_axis"]

#: Axes closer than this fraction of their span are one axis.
AXIS_TOLERANCE = 1e-9


def axis_of(data: xr.Dataset | xr.DataArray | xr.Variable) -> str:
    """Name the dimension along which samples lie: depth, sputter_time, or point in a batch."""
    for axis in (*vocabulary.AXES, "point"):
        if axis in data.dims:
            return axis
    raise ProfileError(
        f"the data have no depth axis: expected a dimension depth, sputter_time or point, "
        f"found {tuple(data.dims)}"
    )


def order_of(depths: Array) -> NDArray[np.intp]:
    """Order samples by depth; those at one depth keep the order in which depth was delivered."""
    if (np.diff(depths) <= 0).all():
        return np.arange(depths.size)[::-1]
    return np.argsort(depths, kind="stable")


def same_axis(a: Array, b: Array) -> bool:
    """Whether two axes are one, within the tolerance."""
    if a is b:
        return True
    if a.size != b.size:
        return False
    tolerance = AXIS_TOLERANCE * (a[-1] - a[0]) if a.size else 0.0
    return bool((np.abs(a - b) <= tolerance).all())


def merge(axes: list[Array]) -> tuple[Array, list[NDArray[np.intp]], list[Array]]:
    """Bring axes to one.

    Parameters
    ----------
    axes : list of ndarray
        Each strictly increasing.

    Returns
    -------
    axis : ndarray
        The one that all of them are, or the union of all.
    places : list of ndarray of int
        For each axis, where on the common one its samples stand.
    own : list of ndarray
        For each axis, the depths of its samples on the common one.
    """
    distinct: list[Array] = []
    which: list[int] = []
    for axis in axes:
        known = next((i for i, other in enumerate(distinct) if same_axis(other, axis)), None)
        which.append(len(distinct) if known is None else known)
        if known is None:
            distinct.append(axis)
    union, inverse = np.unique(np.concatenate(distinct), return_inverse=True)
    ends = list(accumulate(axis.size for axis in distinct))
    places = [inverse[end - axis.size : end] for axis, end in zip(distinct, ends, strict=True)]
    return union, [places[i] for i in which], [distinct[i] for i in which]
