"""A kernel run over variables: at once on numpy, and lazily on Dask chunks."""

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
        A dimension along which the kernel takes all profiles together; no parameter has it.
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
        given, parameters = _cut_alike(given, parameters, dim, (*core, *cases, *whole))
    arrays = [_laid_out(v, lead, core) for v in given]
    arrays += [_laid_out(p, [*cases, *lead], whole) for p in parameters]
    ranks = [*(sum(d in core for d in v.dims) for v in given), *call.whole]
    found = _lazily(call, arrays, ranks, names) if lazy else call(*arrays)
    asked = [*cases, *lead]
    answers = (xr.Variable([*asked, *extra[: f.ndim - len(asked)]], f) for f in found)
    return type(found)(*(v.transpose(*lead, *cases, ...) if cases else v for v in answers))


def _cut_alike(
    given: Sequence[xr.Variable],
    parameters: Sequence[xr.Variable],
    dim: str,
    uncut: Sequence[str],
) -> tuple[list[xr.Variable], list[xr.Variable]]:
    """Cut all variables into chunks alike, and not along some dimensions."""
    if len(given[1].chunksizes.get(dim, (0,))) > 1:
        raise ProfileError(
            f"the data are chunked along {dim!r}, which every question takes whole: "
            f"rechunk with data.chunk({{{dim!r}: -1}})"
        )
    cuts: dict[Any, Any] = dict.fromkeys(uncut, -1)
    for variable in (given[1], *given, *parameters):
        for d, chunks in variable.chunksizes.items():
            cuts.setdefault(d, chunks)
    given, parameters = (
        [v.chunk({d: chunks for d, chunks in cuts.items() if d in v.dims}) for v in variables]
        for variables in (given, parameters)
    )
    return given, parameters


def _laid_out(variable: xr.Variable, leading: Sequence[str], last: Sequence[str]) -> Any:
    """Return an array that broadcasts as numpy's do: the leading dimensions in order.

    Of size 1 where the variable has not got one of them; an array without any has the last alone.
    """
    own = [d for d in last if d in variable.dims]
    ordered = variable.transpose(*(d for d in leading if d in variable.dims), *own).data
    if variable.ndim == len(own):
        return ordered
    return ordered[tuple(slice(None) if d in variable.dims else None for d in leading)]


@dataclass(frozen=True)
class _Call:
    """A kernel with what it takes beside arrays: the same for all chunks."""

    kernel: Callable[..., Any]
    #: Which of the fields of Samples there are.
    there: tuple[bool, ...]
    #: Number of dimensions of each parameter that the kernel takes whole.
    whole: list[int]
    group: int
    options: dict[str, Any]

    def __call__(self, *arrays: Any) -> Any:
        given = map(np.asarray, arrays)
        samples: list[Any] = [next(given) if there else None for there in self.there]
        depth, value, stderr, counts, fraction = samples
        errors = None if stderr is None else blocks.Errors(stderr, counts, fraction)
        options: dict[str, Any] = {"whole": self.whole, "group": self.group, **self.options}
        return blocks.run(self.kernel, depth, value, *given, errors=errors, **options)


def _lazily(
    call: _Call, arrays: Sequence[Any], ranks: Sequence[int], names: tuple[str, str]
) -> Any:
    """Ask about the chunks; `ranks` are the numbers of last axes of each array taken whole."""
    import dask.array as da

    of_parameters = list(zip(arrays, ranks, strict=True))[sum(call.there) :]
    nothing = (np.empty((0, *a.shape[a.ndim - k :]), a.dtype) for a, k in of_parameters)
    n, errors = arrays[0].shape[-1], call.there[2]
    answer = blocks.empty(call.kernel, n, *nothing, errors=errors, **call.options)
    sizes = {f"o{i}{k}": s for i, f in enumerate(answer) for k, s in enumerate(f.shape[1:])}
    taken = _signature("i", ranks)
    given = _signature("o", [f.ndim - 1 for f in answer])

    def of_chunk(*chunk: Any) -> Any:
        try:
            found = call(*chunk)
        except InfiniteSampleError as error:  # profiles have no names here
            raise ProfileError(
                f"a profile of a chunk: {names[error.what == 'depth']}[{error.sample}] is "
                f"{error.number}; {NEEDED}"
            ) from None
        return found if len(found) > 1 else found[0]

    found = da.apply_gufunc(
        of_chunk,
        f"{taken}->{given}",
        *arrays,
        output_dtypes=[f.dtype for f in answer],
        output_sizes=sizes,
    )
    return type(answer)(*(found if len(answer) > 1 else [found]))


def _signature(letter: str, ranks: Sequence[int]) -> str:
    """Write the axes that are not cut of arrays as a generalized universal function has them."""
    axes = (",".join(f"{letter}{i}{k}" for k in range(rank)) for i, rank in enumerate(ranks))
    return ",".join(f"({names})" for names in axes)
