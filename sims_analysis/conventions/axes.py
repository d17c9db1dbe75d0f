"""The axis of data, and merging of several axes."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

from sims_analysis import vocabulary
from sims_analysis.errors import ProfileError
from sims_analysis.text.arguments import list_dims

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    from sims_analysis.kernels.rows import Array


#: Dimensions of a batch: its measurements, and the samples of profiles on axes of their own.
MEASUREMENT, POINT = "measurement", "point"

#: Axes that agree within this fraction of their span are the same.
AXIS_TOLERANCE = 1e-9


def axis_of(data: xr.Dataset | xr.DataArray | xr.Variable) -> str:
    """Return the dimension of the samples: depth, sputter_time, or point in a batch."""
    for axis in (*vocabulary.AXES, POINT):
        if axis in data.dims:
            return axis
    raise ProfileError(
        f"the data have no depth axis: expected a dimension depth, sputter_time or point, "
        f"found {list_dims(data.dims)}",
        code="missing_axis",
    )


def axis_name(data: xr.Dataset | xr.DataArray) -> str:
    """Return the name of the coordinate along the samples: depth or sputter_time."""
    dim = axis_of(data)
    if dim in vocabulary.AXES:
        return dim
    for axis in vocabulary.AXES:
        if axis in data.coords:
            return axis
    raise ProfileError(
        "data over 'point' need a coordinate depth (or sputter_time) of each point",
        code="missing_axis",
    )


def nearest(axis: Array, depths: Array) -> NDArray[np.intp]:
    """Find the samples of an increasing axis that are nearest to depths."""
    after = np.maximum(axis.searchsorted(depths), 1)
    before = after - 1
    after = np.minimum(after, axis.size - 1)
    return np.where(depths - axis[before] <= axis[after] - depths, before, after)


def order_of(depths: Array) -> NDArray[np.intp]:
    """Sort samples by depth; repeated depths keep their order, reversed if all depths decrease."""
    if (np.diff(depths) <= 0).all():
        return np.arange(depths.size)[::-1]
    return np.argsort(depths, kind="stable")


def same_axis(a: Array, b: Array) -> bool:
    """Whether two axes are equal within the tolerance."""
    if a is b:
        return True
    if a.size != b.size:
        return False
    tolerance = AXIS_TOLERANCE * (a[-1] - a[0]) if a.size else 0.0
    if a.size and abs(a[-1] - b[-1]) > tolerance:  # most axes that differ end elsewhere
        return False
    return bool((np.abs(a - b) <= tolerance).all())


def merge(axes: list[Array]) -> tuple[Array, list[NDArray[np.intp]], list[Array]]:
    """Merge strictly increasing axes into one: the same if all are equal, otherwise their union.

    Also return, for each axis, the indices of its samples on the common one, and their depths.
    """
    distinct: list[Array] = []
    indices: list[int] = []
    for axis in axes:
        match = next((i for i, other in enumerate(distinct) if same_axis(other, axis)), None)
        indices.append(len(distinct) if match is None else match)
        if match is None:
            distinct.append(axis)
    union, inverse = np.unique(np.concatenate(distinct), return_inverse=True)
    ends = list(accumulate(axis.size for axis in distinct))
    positions = [inverse[end - axis.size : end] for axis, end in zip(distinct, ends, strict=True)]
    return union, [positions[i] for i in indices], [distinct[i] for i in indices]
