"""Infinities in the user's data are refused: no answer can rest on one."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sims_analysis._variables import data_of
from sims_analysis.errors import ProfileError
from sims_analysis.kernels.crossings import OK, TRUNCATED
from sims_analysis.kernels.rows import blocks

if TYPE_CHECKING:
    from sims_analysis.analysis._frame import Frame

__all__ = ["FEW", "answered", "refuse_infinite", "refuse_infinite_chunk", "refuse_no_errors"]

#: Samples that are looked at before anything is asked. Of more, a look takes as long as the dose.
FEW = 1 << 16
#: Samples of which each may be marked in memory.
_MANY = 1 << 22


def answered(
    frame: Frame,
    kernel: Callable[..., Any],
    outputs: Sequence[tuple[Mapping[str, int], Any]],
    arguments: Sequence[Any],
    options: Mapping[str, Any],
) -> Any:
    """Run a kernel over many samples, and refuse infinities among those that matter.

    Where a kernel gives a status, an infinity shows in its first output: an answer that is said
    to be there, and is not finite. Only the profiles of such answers are looked at.
    """
    if frame.value.size <= FEW:
        return kernel(*arguments, **options)
    status = next((i for i, (_, dtype) in enumerate(outputs) if dtype is np.uint8), None)
    if status is None:
        # Depths and values as the kernel takes them: of a union of axes, the samples alone.
        if any(len(_doubtful(column)) for column in arguments[:2]):
            refuse_infinite(frame)
        return kernel(*arguments, **options)
    with np.errstate(all="ignore"):
        found = kernel(*arguments, **options)
    finite = np.isfinite(found[0])
    if np.count_nonzero(finite) < finite.size:
        there = (found[status] == OK) | (found[status] == TRUNCATED)
        own = tuple(range(there.ndim, finite.ndim))  # one status for several answers
        doubtful = np.expand_dims(there, own) & ~finite
        of_profile = tuple(range(len(frame.lead), doubtful.ndim))
        refuse_infinite(frame, doubtful.any(axis=of_profile))
    return found


def refuse_infinite(frame: Frame, among: Any = None) -> None:
    """Raise for the first profile with an infinite value or depth.

    Parameters
    ----------
    frame : Frame
    among : ndarray of bool, optional
        Profiles to look at, by default all; of Dask data none, which are looked at as they come.
    """
    if frame.lazy:
        return
    columns = {frame.name: frame.value}
    if frame.depth.ndim > 1:
        columns[frame.axis] = frame.depth
    for name, column in columns.items():
        data = np.asarray(data_of(column))
        if data.dtype.kind != "f" or not data.size:
            continue
        where = _first_infinite(data, _doubtful(data) if among is None else np.argwhere(among))
        if where is not None:
            raise ProfileError(
                f"{frame.label(*where[:-1])}: {name}[{where[-1]}] is {data[where]}; {_NEEDED}"
            )


_NEEDED = "a sample needs a finite depth and a finite value (NaN: not measured)"


def refuse_infinite_chunk(columns: Mapping[str, Any]) -> None:
    """Raise where a chunk holds an infinite value or depth; which profile it is, is not known."""
    for name, data in columns.items():
        if data.dtype.kind != "f" or not data.size:
            continue
        where = _first_infinite(data, _doubtful(data))
        if where is not None:
            told = f"{name}[{where[-1]}] is {data[where]}"
            raise ProfileError(f"a profile of a chunk: {told}; {_NEEDED}")


def _first_infinite(data: Any, profiles: Any) -> tuple[int, ...] | None:
    """Give the place of the first infinity in some profiles, or of what belongs to each of them."""
    if len(profiles) == 0:
        return None
    own = data.shape[profiles.shape[1] :]
    for part in blocks(len(profiles), math.prod(own)):
        some = profiles[part]
        infinite = np.isinf(data[tuple(some.T)])
        if np.count_nonzero(infinite):
            which, *where = np.unravel_index(infinite.argmax(), (len(some), *own))
            return (*map(int, some[int(which)]), *map(int, where))
    return None


def refuse_no_errors(frame: Frame) -> None:
    """Raise for the first profile with a standard error that is negative or infinite."""
    data = np.asarray(data_of(frame.stderr)) if frame.stderr is not None else np.empty(0)
    if not data.size:
        return
    low, high = data.min(), data.max()
    if np.isnan(low):  # to step over those that are not known takes four times as long
        low, high = np.fmin.reduce(data, None), np.fmax.reduce(data, None)
    if low >= 0 and high < np.inf:
        return
    wrong = (data < 0) | np.isinf(data)
    if not wrong.any():  # none of them is known
        return
    where = np.argwhere(wrong)[0]
    raise ProfileError(
        f"{frame.label(*where[:-1])}: {frame.name}_stderr[{int(where[-1])}] is "
        f"{data[tuple(where)]}; a standard error is not negative, and finite (NaN: not known)"
    )


def _doubtful(data: Any) -> Any:
    """List the rows that may hold an infinity."""
    if data.size > FEW:
        # Zero times infinity is NaN, and so is the sum: one pass at the speed of the memory.
        with np.errstate(invalid="ignore"):
            sums = np.vecdot(data, np.zeros(data.shape[-1], data.dtype))
        doubtful = np.isnan(sums)
        # NaN does the same: of many rows with gaps, all samples are looked at together.
        if data.size > _MANY or not doubtful.any():
            return np.argwhere(doubtful)
    infinite = np.isinf(data)
    return np.argwhere(infinite.any(axis=-1))
