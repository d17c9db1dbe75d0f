"""Standard errors as sums and fits take them, which are not always those of the samples alone.

They are made when a kernel needs them, and of large data for some profiles at a time: a copy of
all would take as much memory as the data do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from sims_analysis._variables import bare_variable, data_of
from sims_analysis.kernels.rows import blocks

if TYPE_CHECKING:
    from sims_analysis.analysis._frame import Frame

__all__ = ["are_many", "errors_of", "mapped_in_parts"]

#: Samples whose standard errors are made at a time.
_PART = 1 << 19


def errors_of(frame: Frame, *, each: bool) -> Any:
    """Give the standard errors of values each alone, or such as are independent of each other.

    Where nothing was counted, there is none in a sum (see :meth:`Frame.for_sums`).

    Neighbours on a grid finer than the samples share these. As many values as share a sample tell
    no more than it did, so each of them counts for a part of it, with an error that is larger by
    ``1 / sqrt(samples per depth)``; what is said of one value alone is not touched.
    """
    stderr: Any = frame.stderr
    if frame.summed and frame.counts is not None:
        if frame.lazy or stderr.dims != frame.counts.dims:
            stderr = stderr.where(frame.counts != 0, 0.0)
        else:
            of_sums = np.where(data_of(frame.counts) == 0, 0.0, data_of(stderr))
            stderr = bare_variable(stderr.dims, of_sums)
    return stderr if each or frame.independent is None else stderr / frame.independent**0.5


def are_many(frame: Frame, *, each: bool) -> bool:
    """Whether standard errors are made, and for so many samples that it must be in parts."""
    made = frame.summed or not (each or frame.independent is None)
    if not made or frame.lazy or frame.value.size <= 2 * _PART:
        return False
    return any(frame.value.sizes[dim] > 1 for dim in frame.lead)


def mapped_in_parts(
    frame: Frame, kernel: Callable[..., Any], given: Sequence[xr.Variable], options: dict[str, Any]
) -> list[xr.Variable]:
    """Do what :meth:`Frame.map` does for some profiles at a time."""
    dim = max(frame.lead, key=frame.value.sizes.__getitem__)
    profiles = frame.value.sizes[dim]
    parts = []
    for part in blocks(profiles, frame.value.size // profiles, _PART):
        own = [p.isel({dim: part}) if dim in p.dims else p for p in given]
        some = frame.isel(dim, range(part.start, part.stop))
        parts.append(some.map(kernel, *own, **options))
    return [xr.Variable.concat(of_part, dim) for of_part in zip(*parts, strict=True)]
