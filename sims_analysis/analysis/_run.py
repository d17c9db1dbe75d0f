"""A kernel run over variables: at once on numpy, and lazily on Dask chunks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from sims_analysis.errors import ProfileError
from sims_analysis.kernels import blocks
from sims_analysis.kernels.rows import InfiniteSampleError

__all__ = ["NEEDED", "Samples", "is_lazy", "run"]

NEEDED = "a sample needs a finite depth and a finite value (NaN: not measured)"


class Samples(NamedTuple):
    """What a kernel takes of a profile: variables with the samples along the last dimension."""

    depth: xr.Variable
    value: xr.Variable
    stderr: xr.Variable | None = None
    counts: xr.Variable | None = None
    #: Independent samples for each depth, of each profile.
    fraction: xr.Variable | None = None


def is_lazy(variable: xr.Variable) -> bool:
    """Whether Dask is to compute it."""
    # Not `.chunks`, which looks through all array protocols.
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
    """Run a kernel over profiles, and name the dimensions of its answers.

    Parameters
    ----------
    kernel : callable
        See :func:`sims_analysis.kernels.blocks.run`.
    samples : Samples
    parameters : sequence of Variable
        Of the dimensions that count profiles, or fewer; dimensions that the values do not have
        are cases that the kernel is asked for, and dimensions of the answers.
    whole : sequence of str
        Dimensions of parameters that the kernel takes whole.
    extra : sequence of str
        Names of the last dimensions of the answers, which the kernel adds.
    group : str, optional
        A dimension along which the kernel takes all profiles together.
    options : mapping
        Keyword arguments of the kernel.
    names : tuple of str
        Of the values and of the axis, for messages.

    Returns
    -------
    NamedTuple of Variable
        The fields of the kernel's answer.
    """
    dim = str(samples.value.dims[-1])
    lead = [str(d) for d in samples.value.dims[:-1] if d != group]
    lead += [] if group is None else [group]
    cases = list(
        dict.fromkeys(str(d) for p in parameters for d in p.dims if d not in (*lead, *whole))
    )
    given = [p for p in samples if p is not None]
    ranks = [sum(d in whole for d in p.dims) for p in parameters]
    call = _Call(
        kernel,
        tuple(p is not None for p in samples),
        (len(lead), len(cases)),
        ranks,
        0 if group is None else samples.value.sizes[group],
        dict(options),
        names,
    )
    if any(map(is_lazy, (*given, *parameters))):
        return _lazily(call, given, parameters, (lead, cases), whole, dim, extra, group)
    arrays = [_laid_out(p, lead, [], [dim]) for p in given]
    arrays += [_laid_out(p, lead, cases, whole) for p in parameters]
    found = call(*arrays)
    return _named(found, [d for d in lead if d != group] + cases, extra)


def _laid_out(
    variable: xr.Variable, lead: Sequence[str], cases: Sequence[str], whole: Sequence[str]
) -> Any:
    """Return an array with all leading dimensions in order, of size 1 where it had none."""
    own = [d for d in whole if d in variable.dims]
    if variable.ndim == len(own):
        return variable.data
    leading = [*lead, *cases]
    ordered = variable.transpose(*(d for d in leading if d in variable.dims), *own)
    index = [slice(None) if d in variable.dims else None for d in leading]
    return ordered.data[tuple(index)]


def _named(found: Any, lead: Sequence[str], extra: Sequence[str]) -> Any:
    return type(found)(*(xr.Variable([*lead, *extra[: f.ndim - len(lead)]], f) for f in found))


@dataclass(frozen=True)
class _Call:
    """A kernel with what it takes beside arrays: the same for all chunks."""

    kernel: Callable[..., Any]
    #: Which of the fields of Samples there are.
    there: tuple[bool, ...]
    #: Number of leading dimensions, and of those of cases.
    leading: tuple[int, int]
    #: Number of dimensions of each parameter that the kernel takes whole.
    whole: list[int]
    group: int
    options: dict[str, Any]
    names: tuple[str, str]

    def __call__(self, *arrays: Any) -> Any:
        given = iter(arrays)
        samples: list[Any] = [np.asarray(next(given)) if there else None for there in self.there]
        depth, value, stderr, counts, fraction = samples
        errors = None if stderr is None else blocks.Errors(stderr, counts, fraction)
        return blocks.run(
            self.kernel,
            depth,
            value,
            *map(np.asarray, given),
            errors=errors,
            whole=self.whole,
            group=self.group,
            **self.options,
        )

    def of_chunk(self, *arrays: Any, whole: Sequence[int]) -> Any:
        """Answer for a chunk, whose profiles have no names here.

        `whole` are the numbers of last dimensions that are not cut, of all arrays. Before them an
        array has what it depends on of the leading dimensions without that of the group, and of
        the cases; of size 1, or left out at the beginning, where it does not.
        """
        lead, cases = self.leading
        own = lead - bool(self.group)
        laid = []
        for i, (array, rest) in enumerate(zip(arrays, whole, strict=True)):
            if array.ndim > rest:
                missing = (1,) * (own + cases + rest - array.ndim)
                shape = (*missing, *array.shape)
                of_profiles, of_cases, last = shape[:own], shape[own:][:cases], shape[own + cases :]
                if i >= sum(self.there):
                    last = (*(1,) * bool(self.group), *of_cases, *last)
                array = array.reshape((*of_profiles, *last))  # noqa: PLW2901
            laid.append(array)
        try:
            found = self(*laid)
        except InfiniteSampleError as error:
            name = self.names[error.what == "depth"]
            raise ProfileError(
                f"a profile of a chunk: {name}[{error.sample}] is {error.number}; {NEEDED}"
            ) from None
        return found if len(found) > 1 else found[0]


def _lazily(
    call: _Call,
    given: Sequence[xr.Variable],
    parameters: Sequence[xr.Variable],
    leading: tuple[Sequence[str], Sequence[str]],
    whole: Sequence[str],
    dim: str,
    extra: Sequence[str],
    group: str | None,
) -> Any:
    lead, cases = leading
    core = [dim] if group is None else [group, dim]
    value = given[1]
    if len(value.chunksizes.get(dim, (0,))) > 1:
        raise ProfileError(
            f"the data are chunked along {dim!r}, which every question takes whole: "
            f"rechunk with data.chunk({{{dim!r}: -1}})"
        )
    nothing = (
        np.empty((0, *(p.sizes[d] for d in whole if d in p.dims)), p.dtype) for p in parameters
    )
    n = value.sizes[dim]
    answer = blocks.empty(call.kernel, n, *nothing, errors=call.there[2], **call.options)
    of_each = [list(extra[: f.ndim - 1]) for f in answer]
    sizes = {d: size for f in answer for d, size in zip(extra, f.shape[1:], strict=False)}
    # All of them are cut alike: Dask does not cut one for the other.
    cuts: dict[str, Any] = dict.fromkeys((*core, *cases, *whole), -1)
    for variable in (value, *given, *parameters):
        for d, chunks in variable.chunksizes.items():
            cuts.setdefault(str(d), chunks)
    variables = [
        v.chunk({d: chunks for d, chunks in cuts.items() if d in v.dims})
        for v in (*given, *parameters)
    ]
    inputs = [[d for d in (*core, *whole) if d in v.dims] for v in variables]
    found = xr.apply_ufunc(
        partial(call.of_chunk, whole=[len(of_array) for of_array in inputs]),
        *variables,
        input_core_dims=inputs,
        output_core_dims=of_each,
        dask="parallelized",
        output_dtypes=[f.dtype for f in answer],
        dask_gufunc_kwargs={"output_sizes": sizes, "allow_rechunk": False},
    )
    found = found if len(answer) > 1 else (found,)
    order = [d for d in (*lead, *cases) if d != group]
    return type(answer)(
        *(
            f.transpose(*(d for d in order if d in f.dims), *own)
            for f, own in zip(found, of_each, strict=True)
        )
    )
