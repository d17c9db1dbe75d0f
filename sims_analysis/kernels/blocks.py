"""A kernel run over many profiles, block by block: the door between arrays and rows.

Arrays come as users have them, ``(..., n)`` with NaN where nothing was measured; what a kernel
gets are rows (:mod:`sims_analysis.kernels.rows`) and one number a row for each parameter.
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
    blocks,
    layouts,
)

__all__ = ["Errors", "empty", "run"]

Found = TypeVar("Found", bound=tuple[Any, ...])


class Errors(NamedTuple):
    """Standard errors of samples, and what a sum or a fit makes of them.

    Parameters
    ----------
    stderr : ndarray, shape (..., n)
    counts : ndarray, shape (..., n), optional
        If given, samples of which nothing was counted have no error. The unbiased estimate of the
        variance of a Poisson count is the count itself: a sum must add none, although the sample
        alone is not known without error.
    fraction : ndarray, shape (...), optional
        Independent samples for each depth, of profiles on a grid finer than the samples. As many
        values as share a sample know no more than it did: each of them counts for a part of it,
        with an error that is larger by ``1 / sqrt(fraction)``.
    """

    stderr: NDArray[Any]
    counts: NDArray[Any] | None = None
    fraction: NDArray[Any] | None = None

    def flat(self, shape: tuple[int, ...]) -> Errors:
        """Count the profiles along one axis."""
        flat, fraction = (prod(shape[:-1]), shape[-1]), self.fraction
        return Errors(
            self.stderr.reshape(flat),
            None if self.counts is None else self.counts.reshape(flat),
            None if fraction is None else np.broadcast_to(fraction, shape[:-1]).reshape(-1),
        )

    def of(self, block: slice) -> Array:
        """Return the errors of some profiles as the kernel takes them."""
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
        ``kernel(rows, *parameters, **options)`` returns a named tuple of arrays, the first axis of
        each of which counts the rows.
    depth : ndarray, shape (n,) or (*lead, n)
    value : ndarray, shape (*lead, n)
    *parameters : ndarray, shape (*cases, *lead, *rest)
        They broadcast against `lead` as numpy's arrays do. For each of the cases the kernel is
        asked once.
    errors : Errors, optional
        If the kernel takes ``rows.stderr``.
    whole : sequence of int
        For each parameter the number of axes in its `rest`; by default 0.
    group : int
        If given, values are ``(*lead, group, n)``: the kernel takes the rows of a group (the
        species of a measurement) together, with one parameter, and gives one answer.

    Returns
    -------
    NamedTuple
        Of the kernel; each field ``(*cases, *lead, ...)``.

    Raises
    ------
    InfiniteSampleError
    """
    n, together = value.shape[-1], group or 1
    lead = value.shape[:-2] if group else value.shape[:-1]
    whole = whole or [0] * len(parameters)
    asked = [(p, p.shape[p.ndim - k :]) for p, k in zip(parameters, whole, strict=True)]
    every = np.broadcast_shapes(lead, *(p.shape[: p.ndim - len(rest)] for p, rest in asked))
    cases, answers, profiles = every[: len(every) - len(lead)], prod(lead), prod(value.shape[:-1])
    given = [
        np.broadcast_to(p, (*every, *rest)).reshape(prod(cases), answers, *rest)
        for p, rest in asked
    ]
    axes = depth
    if depth.ndim > 1:
        axes = np.broadcast_to(depth, value.shape).reshape(profiles, n)
    rows = value.reshape(profiles, n)
    errors = None if errors is None else errors.flat(value.shape)
    fields: list[NDArray[Any]] = []
    for block in blocks(profiles, n, group=together):
        z = np.asarray(axes if axes.ndim == 1 else axes[block], dtype=np.float64)
        c = np.ascontiguousarray(rows[block], dtype=np.float64)
        s = None if errors is None else errors.of(block)
        for index, some in _laid_out(z, c, s, together, block.start):
            which = np.arange(block.start, block.stop)[index][::together] // together
            for case in range(prod(cases)):
                answer = kernel(some, *(p[case, which] for p in given), **options)
                fields = fields or _places(answer, prod(cases), answers)
                for place, field in zip(fields, answer, strict=True):
                    place[case, which] = field
    if not fields:
        nothing = (np.empty((0, *rest), p.dtype) for p, rest in asked)
        answer = empty(kernel, n, *nothing, errors=errors is not None, **options)
        fields = _places(answer, prod(cases), answers)
    made: Found = type(answer)(*(f.reshape((*every, *f.shape[2:])) for f in fields))
    return made


def _places(answer: tuple[Any, ...], cases: int, answers: int) -> list[NDArray[Any]]:
    """Make arrays for the answers of all profiles, like those of some."""
    return [np.empty((cases, answers, *f.shape[1:]), f.dtype) for f in answer]


def _laid_out(
    z: Array, c: Array, s: Array | None, group: int, begin: int
) -> Iterator[tuple[slice | Index, Rows]]:
    """Lay out a block; an infinity is reported by its place among all profiles."""
    try:
        yield from layouts(z, c, s, group=group)
    except InfiniteSampleError as error:
        row, *others = error.args
        raise InfiniteSampleError(begin + row, *others) from None


def empty(
    kernel: Callable[..., Found], n: int, *parameters: Any, errors: bool, **options: Any
) -> Found:
    """Ask a kernel about no profiles at all: the types and shapes of its answers."""
    nothing = np.empty((0, n))
    return kernel(
        Dense(np.arange(float(n)), nothing, nothing if errors else None), *parameters, **options
    )
