"""Kernels over Dask chunks: nothing is computed before the user asks for it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from sims_analysis._variables import bare_variable, data_of
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

    ``xarray.apply_ufunc`` would do, but copies every chunk that a kernel takes whole along a
    dimension, and takes twice as many tasks.

    Parameters
    ----------
    columns : list of Variable
        Values, and standard errors if there are any.
    stderr : bool
        Whether the kernel takes standard errors, or None where there are none.
    """
    import dask.array

    blockwise: Callable[..., Any] = dask.array.blockwise
    core = frame.core or (frame.dim,)
    if len(frame.value.chunksizes[frame.dim]) > 1:
        raise ProfileError(
            f"the data are chunked along {frame.dim!r}, which every question takes whole: "
            f"rechunk with data.chunk({{{frame.dim!r}: -1}})"
        )
    lead = frame.lead
    own = [[dim for dim in core if dim in frame.depth.dims], *[core] * len(columns)]
    own += [frame.own_dims(parameter) for parameter in parameters]
    # What all profiles share goes along with the kernel. As tasks of their own, a few numbers
    # would wait behind all reading, and the chunks that were read for them, in memory.
    shared: dict[int, Any] = {}
    chunked: list[Any] = []
    for i, (given, whole) in enumerate(zip((frame.depth, *columns, *parameters), own, strict=True)):
        if given.ndim == len(whole) and not hasattr(given._data, "chunks"):
            shared[i] = data_of(given)
            continue
        given = given.transpose(*(d for d in lead if d in given.dims), *whole)  # noqa: PLW2901
        labels = [dim if dim in lead or dim in core else f"{i} {dim}" for dim in given.dims]
        chunked += [_in_chunks(given, frame.value, whole), labels]
    run = _Run(
        kernel,
        dict(options),
        frame.name,
        frame.axis,
        shared,
        _ranks(lead, chunked[1::2]),
        columns=len(columns),
        missing=stderr and frame.stderr is None,
    )
    # The answers stand for what a kernel takes whole, too: of steps by which dimensions go, Dask
    # makes tasks of their own, and every chunk that is read would wait in memory for the next one.
    both = (*lead, *core)
    packed = blockwise(
        run,
        both,
        *chunked,
        token=getattr(kernel, "__name__", "kernel").strip("_"),  # what a dashboard shows
        adjust_chunks=dict.fromkeys(core, 1),
        dtype=object,
        meta=np.empty((0,) * len(both), object),
    )
    return [
        bare_variable(
            (*lead, *sizes),
            blockwise(
                _unpacked,
                (*lead, *(f"out {dim}" for dim in sizes)),
                packed,
                both,
                number,
                None,
                new_axes={f"out {dim}": size for dim, size in sizes.items()},
                dtype=dtype,
                meta=np.empty((0,) * (len(lead) + len(sizes)), dtype),
            ),
        )
        for number, (sizes, dtype) in enumerate(outputs)
    ]


def _in_chunks(given: xr.Variable, like: xr.Variable, whole: Sequence[Hashable]) -> Any:
    """Cut an argument as the values are cut, and not at all along its own dimensions."""
    cuts = {dim: like.chunksizes.get(dim, -1) for dim in given.dims if dim not in whole}
    return given.chunk({**cuts, **dict.fromkeys(whole, -1)}).data


def _ranks(lead: Sequence[Hashable], labels: Sequence[Sequence[Hashable]]) -> list[Any]:
    """Tell how each chunk is made to stand in the leading dimensions: a slice or a new axis."""
    return [tuple(slice(None) if dim in of_chunk else None for dim in lead) for of_chunk in labels]


@dataclass(frozen=True)
class _Run:
    """One chunk: the kernel, with what it takes beside the chunk."""

    kernel: Callable[..., Any]
    options: dict[str, Any]
    name: str
    axis: str
    shared: dict[int, Any]
    ranks: list[Any]
    columns: int
    missing: bool

    def __call__(self, *chunks: Any) -> tuple[Any, ...]:
        given = [
            _only(chunk)[rank] if None in rank else _only(chunk)
            for chunk, rank in zip(chunks, self.ranks, strict=True)
        ]
        for place, value in self.shared.items():
            given.insert(place, value)
        depth, values = given[0], given[1 : 1 + self.columns]
        # What is refused of data in memory could not be looked at before.
        errors = {f"{self.name}_stderr": values[1]} if len(values) > 1 else {}
        refuse_infinite_chunk({self.name: values[0], self.axis: depth, **errors})
        missing = [None] if self.missing else []
        found = self.kernel(depth, *values, *missing, *given[1 + self.columns :], **self.options)
        return tuple(found)


def _only(chunk: Any) -> Any:
    """Take a chunk out of the lists in which Dask hands over what is not cut: one for each dim."""
    while isinstance(chunk, list):
        (chunk,) = chunk
    return chunk


def _unpacked(found: Any, number: int) -> Any:
    return _only(found)[number]
