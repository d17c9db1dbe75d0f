"""Run a kernel over many profiles, block by block.

The input are arrays ``(..., n)`` with NaN for missing samples; the kernel gets rows
(:mod:`sims_analysis.kernels.rows`) and one number per row for each parameter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import prod
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.rows import (
    Array,
    Dense,
    Index,
    InfiniteSampleError,
    Rows,
    in_blocks,
    layouts,
)

__all__ = ["Errors", "empty", "run"]

Found = TypeVar("Found", bound=tuple[Any, ...])


class Errors(NamedTuple):
    """Standard errors of samples, and how a sum or a fit uses them.

    Parameters
    ----------
    stderr : ndarray, shape (..., n)
    counts : ndarray, shape (..., n), optional
        If given, samples with zero counts have zero error. The unbiased estimate of the variance
        of a Poisson count is the count itself, so that such a sample adds nothing to the variance
        of a sum, although its own value is uncertain.
    fraction : ndarray, shape (...), optional
        Effective sample fraction of profiles on a grid finer than the samples. Grid values that
        share a sample carry no more information than the sample: each counts as a fraction of it,
        with an error larger by ``1 / sqrt(fraction)``.
    """

    stderr: NDArray[Any]
    counts: NDArray[Any] | None = None
    fraction: NDArray[Any] | None = None

    def flat(self, shape: tuple[int, ...]) -> Errors:
        """Return the errors with all profiles along one axis."""
        flat, fraction = (prod(shape[:-1]), shape[-1]), self.fraction
        return Errors(
            self.stderr.reshape(flat),
            None if self.counts is None else self.counts.reshape(flat),
            None if fraction is None else np.broadcast_to(fraction, shape[:-1]).reshape(-1),
        )

    def of(self, block: slice) -> Array:
        """Return the errors of a block of profiles, as the kernel takes them."""
        s = np.ascontiguousarray(self.stderr[block], dtype=np.float64)
        if self.counts is not None:
            s = np.where(self.counts[block] == 0, 0.0, s)
        if self.fraction is not None:
            s = s / np.sqrt(self.fraction[block, None])
        return s


def run(
    kernel: Callable[..., Found],
    depth: NDArray[Any],
    value: NDArray[Any],
    *parameters: NDArray[Any],
    errors: Errors | None = None,
    whole: Sequence[int] = (),
    group: int = 0,
    **options: Any,
) -> Found:
    """Run a kernel over profiles.

    Parameters
    ----------
    kernel : callable
        ``kernel(rows, *parameters, **options)`` returns a named tuple of arrays whose first axis
        is the rows.
    depth : ndarray, shape (n,) or (*lead, n)
    value : ndarray, shape (*lead, n)
    *parameters : ndarray, shape (*cases, *lead, *rest)
        They broadcast against `lead` as in numpy. The kernel is called once for each case.
    errors : Errors, optional
        If the kernel uses ``rows.stderr``.
    whole : sequence of int
        For each parameter, the number of axes in its `rest`; 0 by default.
    group : int
        If given, values are ``(*lead, group, n)``: the kernel takes the rows of a group (the
        species of a measurement) together, with one parameter, and returns one result.

    Returns
    -------
    NamedTuple
        The kernel's, with fields of shape ``(*cases, *lead, ...)``.

    Raises
    ------
    InfiniteSampleError
    """
    n, group_size = value.shape[-1], group or 1
    lead = value.shape[:-2] if group else value.shape[:-1]
    whole = whole or [0] * len(parameters)
    split = [(p, p.shape[p.ndim - k :]) for p, k in zip(parameters, whole, strict=True)]
    full = np.broadcast_shapes(lead, *(p.shape[: p.ndim - len(rest)] for p, rest in split))
    cases, results, profiles = full[: len(full) - len(lead)], prod(lead), prod(value.shape[:-1])
    given = [
        np.broadcast_to(p, (*full, *rest)).reshape(prod(cases), results, *rest) for p, rest in split
    ]
    axes = depth
    if depth.ndim > 1:
        axes = np.broadcast_to(depth, value.shape).reshape(profiles, n)
    rows = value.reshape(profiles, n)
    errors = None if errors is None else errors.flat(value.shape)
    fields: list[NDArray[Any]] = []
    for block in in_blocks(profiles, n, group=group_size):
        z = np.asarray(axes if axes.ndim == 1 else axes[block], dtype=np.float64)
        c = np.ascontiguousarray(rows[block], dtype=np.float64)
        s = None if errors is None else errors.of(block)
        for index, part in _block_layouts(z, c, s, group_size, block.start):
            which = np.arange(block.start, block.stop)[index][::group_size] // group_size
            for case in range(prod(cases)):
                result = kernel(part, *(p[case, which] for p in given), **options)
                fields = fields or _allocate(result, prod(cases), results)
                for out, field in zip(fields, result, strict=True):
                    out[case, which] = field
    if not fields:
        no_values = (np.empty((0, *rest), p.dtype) for p, rest in split)
        result = empty(kernel, n, *no_values, errors=errors is not None, **options)
        fields = _allocate(result, prod(cases), results)
    combined: Found = type(result)(*(f.reshape((*full, *f.shape[2:])) for f in fields))
    return combined


def _allocate(result: tuple[Any, ...], cases: int, results: int) -> list[NDArray[Any]]:
    """Allocate arrays for all profiles, with the types and trailing axes of one result."""
    return [np.empty((cases, results, *f.shape[1:]), f.dtype) for f in result]


def _block_layouts(
    z: Array, c: Array, s: Array | None, group: int, begin: int
) -> Iterator[tuple[slice | Index, Rows]]:
    """Build the rows of a block; an infinity is reported by its row among all profiles."""
    try:
        yield from layouts(z, c, s, group=group)
    except InfiniteSampleError as error:
        row, *others = error.args
        raise InfiniteSampleError(begin + row, *others) from None


def empty(
    kernel: Callable[..., Found], n: int, *parameters: Any, errors: bool, **options: Any
) -> Found:
    """Call a kernel with zero rows, which gives the types and shapes of its results."""
    no_rows = np.empty((0, n))
    return kernel(
        Dense(np.arange(float(n)), no_rows, no_rows if errors else None), *parameters, **options
    )
