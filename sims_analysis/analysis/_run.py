"""Run a kernel over variables: eagerly on numpy, lazily on Dask."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from sims_analysis.errors import ProfileError
from sims_analysis.kernels import blocks
from sims_analysis.kernels.rows import InfiniteSampleError

__all__ = ["NEEDED", "Samples", "is_lazy", "run"]

NEEDED = "a sample needs a finite depth and a finite value (NaN: not measured)"


class Samples(NamedTuple):
    """Input of a kernel: variables with the samples along the last dimension."""

    depth: xr.Variable
    value: xr.Variable
    stderr: xr.Variable | None = None
    counts: xr.Variable | None = None
    #: Effective sample fraction of each profile.
    fraction: xr.Variable | None = None


def is_lazy(variable: xr.Variable) -> bool:
    """Whether a variable is a Dask array."""
    # `.chunks` is slower: it tries every array protocol.
    return hasattr(variable.data, "dask")


def run(
    kernel: Callable[..., tuple[Any, ...]],
    samples: Samples,
    parameters: Sequence[xr.Variable],
    *,
    whole: Sequence[str] = (),
    extra: Sequence[str] = (),
    group: str | None = None,
    options: Mapping[str, Any],
    names: tuple[str, str] = ("value", "depth"),
) -> Any:
    """Run a kernel over profiles, and name the dimensions of its results.

    Parameters
    ----------
    kernel : callable
        See :func:`sims_analysis.kernels.blocks.run`.
    samples : Samples
    parameters : sequence of Variable
        With any of the dimensions over profiles. Dimensions that the values do not have are
        cases, for each of which the kernel is called, and become dimensions of the results.
    whole : sequence of str
        Dimensions of parameters that the kernel takes as a whole.
    extra : sequence of str
        Names of the trailing dimensions that the kernel adds to its results.
    group : str, optional
        A dimension along which the kernel takes all profiles together; no parameter has it.
    options : mapping
        Keyword arguments of the kernel.
    names : tuple of str
        Names of the values and of the axis, for messages.

    Returns
    -------
    NamedTuple of Variable
        The fields of the kernel's result.
    """
    dim = str(samples.value.dims[-1])
    core = [dim] if group is None else [group, dim]
    lead = [str(d) for d in samples.value.dims if d not in core]
    own = dict.fromkeys(str(d) for p in parameters for d in p.dims)
    cases = [d for d in own if d not in (*lead, *whole)]
    given = [v for v in samples if v is not None]
    call = _Call(
        kernel,
        tuple(v is not None for v in samples),
        [sum(d in whole for d in p.dims) for p in parameters],
        0 if group is None else samples.value.sizes[group],
        dict(options),
    )
    lazy = any(map(is_lazy, (*given, *parameters)))
    if lazy:
        given, parameters = _unify_chunks(given, parameters, dim, (*core, *cases, *whole))
    arrays = [_broadcastable(v, lead, core) for v in given]
    arrays += [_broadcastable(p, [*cases, *lead], whole) for p in parameters]
    ranks = [*(sum(d in core for d in v.dims) for v in given), *call.whole]
    found = _lazily(call, arrays, ranks, names) if lazy else call(*arrays)
    leading = [*cases, *lead]
    results = (xr.Variable([*leading, *extra[: f.ndim - len(leading)]], f) for f in found)
    return type(found)(*(v.transpose(*lead, *cases, ...) if cases else v for v in results))


def _unify_chunks(
    given: Sequence[xr.Variable],
    parameters: Sequence[xr.Variable],
    dim: str,
    single: Sequence[str],
) -> tuple[list[xr.Variable], list[xr.Variable]]:
    """Give all variables the same chunks, and a single chunk along the dimensions `single`."""
    if len(given[1].chunksizes.get(dim, (0,))) > 1:
        raise ProfileError(
            f"the data are chunked along {dim!r}, but profiles must be in one chunk: "
            f"rechunk with data.chunk({{{dim!r}: -1}})"
        )
    common: dict[Any, Any] = dict.fromkeys(single, -1)
    for variable in (given[1], *given, *parameters):
        for d, chunks in variable.chunksizes.items():
            common.setdefault(d, chunks)
    given, parameters = (
        [v.chunk({d: chunks for d, chunks in common.items() if d in v.dims}) for v in variables]
        for variables in (given, parameters)
    )
    return given, parameters


def _broadcastable(variable: xr.Variable, leading: Sequence[str], last: Sequence[str]) -> Any:
    """Return an array that broadcasts in numpy: the leading dimensions in order, then the last.

    A leading dimension that the variable lacks has size 1; all are omitted if it lacks them all.
    """
    own = [d for d in last if d in variable.dims]
    ordered = variable.transpose(*(d for d in leading if d in variable.dims), *own).data
    if variable.ndim == len(own):
        return ordered
    return ordered[tuple(slice(None) if d in variable.dims else None for d in leading)]


@dataclass(frozen=True)
class _Call:
    """A kernel with its arguments other than arrays, which are the same for all chunks."""

    kernel: Callable[..., Any]
    #: Which fields of Samples are present.
    present: tuple[bool, ...]
    #: Number of dimensions of each parameter that the kernel takes as a whole.
    whole: list[int]
    group: int
    options: dict[str, Any]

    def __call__(self, *arrays: Any) -> Any:
        given = map(np.asarray, arrays)
        samples: list[Any] = [next(given) if present else None for present in self.present]
        depth, value, stderr, counts, fraction = samples
        errors = None if stderr is None else blocks.Errors(stderr, counts, fraction)
        options: dict[str, Any] = {"whole": self.whole, "group": self.group, **self.options}
        return blocks.run(self.kernel, depth, value, *given, errors=errors, **options)


def _lazily(
    call: _Call, arrays: Sequence[Any], ranks: Sequence[int], names: tuple[str, str]
) -> Any:
    """Call the kernel for each chunk; `ranks` are the core dimensions of each array."""
    import dask.array as da

    of_parameters = list(zip(arrays, ranks, strict=True))[sum(call.present) :]
    no_values = (np.empty((0, *a.shape[a.ndim - k :]), a.dtype) for a, k in of_parameters)
    n, errors = arrays[0].shape[-1], call.present[2]
    template = blocks.empty(call.kernel, n, *no_values, errors=errors, **call.options)
    sizes = {f"o{i}{k}": s for i, f in enumerate(template) for k, s in enumerate(f.shape[1:])}
    inputs = _signature("i", ranks)
    outputs = _signature("o", [f.ndim - 1 for f in template])

    def of_chunk(*chunk: Any) -> Any:
        try:
            found = call(*chunk)
        except InfiniteSampleError as error:  # a chunk does not know the names of its profiles
            raise ProfileError(
                f"a profile of a chunk: {names[error.what == 'depth']}[{error.sample}] is "
                f"{error.number}; {NEEDED}"
            ) from None
        return found if len(found) > 1 else found[0]

    found = da.apply_gufunc(
        of_chunk,
        f"{inputs}->{outputs}",
        *arrays,
        output_dtypes=[f.dtype for f in template],
        output_sizes=sizes,
    )
    return type(template)(*(found if len(template) > 1 else [found]))


def _signature(letter: str, ranks: Sequence[int]) -> str:
    """Write core dimensions in the notation of generalized ufuncs."""
    axes = (",".join(f"{letter}{i}{k}" for k in range(rank)) for i, rank in enumerate(ranks))
    return ",".join(f"({names})" for names in axes)
