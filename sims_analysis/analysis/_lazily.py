"""Kernels over Dask chunks: nothing is computed before the user asks for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import xarray as xr

from sims_analysis.analysis._finite import refuse_infinite_chunk
from sims_analysis.errors import ProfileError

if TYPE_CHECKING:
    from sims_analysis.analysis._frame import Frame

__all__ = ["mapped_lazily"]


def mapped_lazily(
    frame: Frame,
    kernel: Callable[..., Any],
    columns: list[xr.Variable],
    parameters: Sequence[xr.Variable],
    outputs: Sequence[tuple[Mapping[str, int], Any]],
    *,
    stderr: bool,
    options: Mapping[str, Any],
) -> list[xr.Variable]:
    """Do what :meth:`Frame.map` does, chunk by chunk.

    Parameters
    ----------
    columns : list of Variable
        Values, and standard errors if there are any.
    stderr : bool
        Whether the kernel takes standard errors, or None where there are none.
    """
    core = frame.core or (frame.dim,)
    for dim in core:
        if len(frame.value.chunksizes[dim]) > 1:
            raise ProfileError(
                f"the data are chunked along {dim!r}, which this question takes whole: "
                f"rechunk with data.chunk({{{dim!r}: -1}})"
            )
    missing = stderr and frame.stderr is None
    place, name, axis = len(columns), frame.name, frame.axis

    def run(depth: Any, *arrays: Any) -> Any:
        # What is refused of data in memory could not be looked at before.
        errors = {f"{name}_stderr": arrays[1]} if place > 1 else {}
        refuse_infinite_chunk({name: arrays[0], axis: depth, **errors})
        values = list(arrays[:place]) + ([None] if missing else [])
        # apply_ufunc gives parameters fewer dimensions than the block, aligned at the end.
        found = kernel(depth, *values, *arrays[place:], **options)
        return found if len(outputs) > 1 else found[0]

    result = xr.apply_ufunc(
        run,
        frame.depth,
        *columns,
        *parameters,
        input_core_dims=[
            [dim for dim in core if dim in frame.depth.dims],
            *[list(core)] * place,
            *[frame.own_dims(p) for p in parameters],
        ],
        output_core_dims=[list(sizes) for sizes, _ in outputs],
        dask="parallelized",
        output_dtypes=[dtype for _, dtype in outputs],
        dask_gufunc_kwargs={
            "output_sizes": {d: n for sizes, _ in outputs for d, n in sizes.items()}
        },
    )
    return list(result) if len(outputs) > 1 else [result]
