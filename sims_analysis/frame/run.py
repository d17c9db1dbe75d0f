"""Run a kernel, or a function of one profile, over variables: on numpy, or lazily on Dask."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import accumulate
from math import prod
from typing import Any

import numpy as np
import xarray as xr

from sims_analysis.errors import ProfileError
from sims_analysis.kernels import blocks
from sims_analysis.kernels.blocks import InfiniteSampleError
from sims_analysis.kernels.rows import SingleResult


def is_lazy(variable: xr.Variable) -> bool:
    """Whether a variable is a Dask array."""
    # `.chunks` is slower: it tries every array protocol.
    return hasattr(variable.data, "dask")


def anywhere(condition: xr.Variable) -> bool:
    """Whether a condition holds anywhere; False if it is lazy."""
    return not is_lazy(condition) and bool(condition.data.any())


def may_hold(condition: xr.Variable) -> bool:
    """Whether a condition holds anywhere, or may do so, as it is lazy."""
    return is_lazy(condition) or bool(condition.data.any())


def may_exceed(variable: xr.Variable, bound: float = 0.0) -> bool:
    """Whether a variable exceeds a number anywhere, or may do so, as it is lazy."""
    return is_lazy(variable) or bool((variable.data > bound).any())


def all_nan(variable: xr.Variable) -> bool:
    """Whether a variable is NaN everywhere; False if it is lazy."""
    return not is_lazy(variable) and bool(np.isnan(variable.data).all())


def codes(variable: xr.Variable) -> set[int]:
    """Return which of few codes or numbers occur; none if they are lazy."""
    return set() if is_lazy(variable) else set(np.flatnonzero(np.bincount(np.ravel(variable.data))))


def is_nan(variable: xr.Variable) -> xr.Variable:
    """Flag NaN, without xarray's slow checks of the type."""
    return xr.Variable(variable.dims, np.isnan(variable.data))


def replaced_where(flagged: xr.Variable, column: xr.Variable, instead: Any = np.nan) -> xr.Variable:
    """Replace flagged values, and keep the type; the column itself if none is flagged."""
    if set(flagged.dims) <= set(column.dims) and not may_hold(flagged):
        return column
    result: xr.Variable = column.where(~flagged, instead)
    return result if result.dtype == column.dtype else result.astype(column.dtype)


def elementwise(
    function: Callable[..., Any], *arrays: Any, outputs: int = 1, dtype: type = float
) -> Any:
    """Apply a function to each element of arrays of xarray's and numbers, lazily if one is lazy."""
    eager = [a for a in arrays if isinstance(a, xr.Variable) and not is_lazy(a)]
    if outputs == 1 and len(eager) + sum(isinstance(a, float | int) for a in arrays) == len(arrays):
        dims = {a.dims for a in eager if a.ndim} or {()}
        if len(dims) == 1:  # most answers, without xarray's slower broadcasting
            values = function(*(a.data if isinstance(a, xr.Variable) else a for a in arrays))
            return xr.Variable(dims.pop(), values)
    return xr.apply_ufunc(
        function,
        *arrays,
        dask="parallelized",
        output_core_dims=[[]] * outputs,
        output_dtypes=[dtype] * outputs,
    )


def words(codes: xr.Variable, table: Sequence[str], **attrs: str) -> xr.Variable:
    """Look up codes in a table of words, lazily if they are lazy."""
    entries = np.asarray(table)
    look_up = partial(_look_up, entries)
    lazy = is_lazy(codes)
    data = codes.data.map_blocks(look_up, dtype=entries.dtype) if lazy else look_up(codes.data)
    return xr.Variable(codes.dims, data, attrs)


def _look_up(table: Any, codes: Any) -> Any:
    # For a single code, numpy returns a scalar with the length of its word, not an array.
    return np.asarray(table.take(codes.astype(np.intp)), dtype=table.dtype)


@dataclass(frozen=True)
class Fields:
    """Named numbers and arrays (by their shapes), that :meth:`Frame.each` takes as a row."""

    shapes: Mapping[str, tuple[int, ...]]

    @cached_property
    def _places(self) -> dict[str, slice]:
        sizes = [prod(shape) for shape in self.shapes.values()]
        ends = zip(self.shapes, sizes, accumulate(sizes), strict=True)
        return {name: slice(stop - size, stop) for name, size, stop in ends}

    @property
    def size(self) -> int:
        """Length of the row."""
        return sum(prod(shape) for shape in self.shapes.values())

    def row(self, values: Mapping[str, Any]) -> np.ndarray[Any, Any]:
        """Return a row of the given values, with NaN for others."""
        row = np.full(self.size, np.nan)
        for name in self.shapes.keys() & values.keys():
            row[self._places[name]] = np.ravel(values[name])
        return row

    def of(self, rows: Any, name: str) -> Any:
        """Return one of them from an array of rows along its last dimension."""
        return rows[..., self._places[name]].reshape((*rows.shape[:-1], *self.shapes[name]))

    def variables(self, rows: xr.Variable) -> dict[str, xr.Variable]:
        """Return all of them, if they are numbers, from rows along the last dimension."""
        return {name: rows[..., place.start] for name, place in self._places.items()}


def profile_by_profile(
    function: Callable[..., Any],
    samples: blocks.Samples,
    *parameters: Any,
    whole: Sequence[int],
    group: int,
    size: int,
    ancillary: Sequence[str],
    watched: Callable[[list[Any]], Iterable[Any]],
) -> tuple[SingleResult, None]:
    """Call a function for each profile, where :func:`blocks.run` calls a kernel for many.

    The arguments are those of :meth:`sims_analysis.frame.frame.Frame.each`; columns `ancillary`
    follow the counts.
    """
    value = samples["value"]
    infinite = np.argwhere(np.isinf(value))
    if infinite.size:
        *place, sample = infinite[0].tolist()
        row = int(np.ravel_multi_index(place, value.shape[:-1])) if place else 0
        raise InfiniteSampleError(row, sample, "value", float(value[(*place, sample)]))
    core = value.shape[-2:] if group else value.shape[-1:]
    shapes = [np.shape(p)[: np.ndim(p) - k] for p, k in zip(parameters, whole, strict=True)]
    lead = np.broadcast_shapes(value.shape[: value.ndim - len(core)], *shapes)
    columns = [
        np.broadcast_to(np.asarray(samples.get(name, np.nan), np.float64), (*lead, *core))
        for name in ("depth", "value", "stderr", "counts", *ancillary)
    ]
    arguments = [
        np.broadcast_to(p, (*lead, *np.shape(p)[np.ndim(p) - k :]))
        for p, k in zip(parameters, whole, strict=True)
    ]
    rows = np.empty((*lead, size))
    # Failed computations give NaN or infinity, and a status.
    with np.errstate(all="ignore"):
        for index in watched(list(np.ndindex(*lead))) if prod(lead) else ():
            rows[index] = function(
                *(column[index] for column in columns), *(p[index].tolist() for p in arguments)
            )
    return SingleResult(rows), None


def _call(
    over: Callable[..., Any],
    kernel: Callable[..., Any],
    columns: tuple[str, ...],
    settings: Mapping[str, Any],
    *arrays: Any,
) -> Any:
    """Call a kernel for plain arrays: the columns of samples, then its parameters."""
    plain = [np.asarray(a) for a in arrays]
    samples = dict(zip(columns, plain, strict=False))
    return over(kernel, samples, *plain[len(columns) :], **settings)


def _of_chunk(call: Callable[..., Any], names: tuple[str, str], *arrays: Any) -> Any:
    """Call a kernel for a chunk; a single field is not returned in a tuple."""
    try:
        answer, support = call(*arrays)
    except InfiniteSampleError as error:  # a chunk does not know the names of its profiles
        raise refuse_infinite(error, "a profile of a chunk", names) from None
    fields = (*answer, *(support or ()))
    return fields if len(fields) > 1 else fields[0]


def run(
    kernel: Callable[..., Any],
    samples: Mapping[str, xr.Variable],
    parameters: Sequence[xr.Variable],
    options: Mapping[str, Any],
    names: tuple[str, str],
    whole: Sequence[str],
    extra: Sequence[str],
    group: str | None,
    over: Callable[..., Any] = blocks.run,
) -> Any:
    """Run a kernel over profiles, and name the dimensions of its results: :meth:`.Frame.evaluate`.

    `samples` are those of :func:`blocks.run`, first ``depth``, `names` those of values and axis;
    `over` runs the kernel over plain arrays.
    """
    *leading, dim = map(str, samples["value"].dims)
    core = [dim] if group is None else [group, dim]
    lead = [d for d in leading if d != group]
    of_parameters = dict.fromkeys(str(d) for p in parameters for d in p.dims)
    cases = [d for d in of_parameters if d not in (*lead, *whole)]
    for name in extra:
        if name in (*lead, *cases):
            which = "data" if name in lead else "argument"
            subject = "the data have" if name in lead else "an argument has"
            raise ProfileError(
                f"{subject} a dimension {name!r}, which the answer needs for its own entries: "
                f"give it another name with {which}.rename({name}=...)",
                code="wrong_dimensions",
            )
    variables = [*samples.values(), *parameters]
    lazy = any(map(is_lazy, variables))
    if lazy:
        variables = _unify_chunks(samples["value"], variables, dim, (*core, *cases, *whole))
    n, dims = len(samples), [*cases, *lead]
    arrays = [_broadcastable(v, lead, core) for v in variables[:n]]
    arrays += [_broadcastable(p, dims, whole) for p in variables[n:]]
    ranks = [sum(d in core for d in v.dims) for v in variables[:n]]
    ranks += [sum(d in whole for d in p.dims) for p in variables[n:]]
    size = 0 if group is None else samples["value"].sizes[group]
    settings = {"whole": ranks[n:], "group": size, **options}
    call = partial(_call, over, kernel, tuple(samples), settings)
    answer, support = _run_lazily(call, names, arrays, ranks) if lazy else call(*arrays)

    def named(result: Any) -> Any:
        fields = (xr.Variable((*dims, *extra[: f.ndim - len(dims)]), f) for f in result)
        return type(result)(*(v.transpose(*lead, *cases, ...) if cases else v for v in fields))

    return named(answer), None if support is None else named(support)


def refuse_infinite(error: InfiniteSampleError, label: str, names: tuple[str, str]) -> ProfileError:
    """Make the message of a kernel's error name the profile, and the values or the axis."""
    if np.isfinite(error.number):
        text = f"{label}: {names[1]} must increase strictly; that of sample {error.sample}, "
        text += f"{error.number:g}, does not: sort each profile by its {names[1]}, and drop repeats"
        return ProfileError(text, code="unordered_axis")
    return ProfileError(
        f"{label}: {names[error.what == 'depth']}[{error.sample}] is {error.number}; a sample "
        "needs a finite depth and a finite value (NaN: not measured)",
        code="infinite_sample",
    )


def _unify_chunks(
    value: xr.Variable, variables: Iterable[xr.Variable], dim: str, single: Iterable[str]
) -> list[xr.Variable]:
    """Give all variables the same chunks, and a single chunk along the dimensions `single`."""
    if len(value.chunksizes.get(dim, ())) > 1:
        raise ProfileError(
            f"the data are chunked along {dim!r}, but profiles must be in one chunk: "
            f"rechunk with data.chunk({{{dim!r}: -1}})",
            code="dask_data",
        )
    common: dict[Any, Any] = dict.fromkeys(single, -1)
    for variable in (value, *variables):
        common = {**variable.chunksizes, **common}
    return [v.chunk({d: c for d, c in common.items() if d in v.dims}) for v in variables]


def _broadcastable(variable: xr.Variable, leading: Sequence[str], last: Sequence[str]) -> Any:
    """Return an array with the leading dimensions in order (size 1 if missing), then the last."""
    if not variable.ndim:
        return variable.data
    core = [d for d in last if d in variable.dims]
    order = (*(d for d in leading if d in variable.dims), *core)
    ordered = (variable if variable.dims == order else variable.transpose(*order)).data
    if variable.ndim == len(core):
        return ordered
    return ordered[tuple(slice(None) if d in variable.dims else None for d in leading)]


def _run_lazily(
    call: Callable[..., Any], names: tuple[str, str], arrays: Sequence[Any], ranks: Sequence[int]
) -> Any:
    """Call the kernel for each chunk; `ranks` are the numbers of core dimensions of the arrays."""
    import dask.array as da

    # A call with no profile gives the types and sizes of the results.
    shapes = [a.shape[a.ndim - rank :] for a, rank in zip(arrays, ranks, strict=True)]
    empty = (np.zeros((0, *shape) if k == 1 else shape) for k, shape in enumerate(shapes))
    answer, support = call(*empty)
    template = (*answer, *(support or ()))
    applied = da.apply_gufunc(
        partial(_of_chunk, call, names),
        f"{_signature('i', ranks)}->{_signature('o', [f.ndim - 1 for f in template])}",
        *arrays,
        output_dtypes=[f.dtype for f in template],
        output_sizes={
            f"o{i}{k}": s for i, f in enumerate(template) for k, s in enumerate(f.shape[1:])
        },
    )
    outputs = applied if len(template) > 1 else [applied]
    n = len(answer)
    return type(answer)(*outputs[:n]), None if support is None else type(support)(*outputs[n:])


def _signature(letter: str, ranks: Sequence[int]) -> str:
    """Write core dimensions in the notation of generalized ufuncs."""
    axes = (",".join(f"{letter}{i}{k}" for k in range(rank)) for i, rank in enumerate(ranks))
    return ",".join(f"({names})" for names in axes)
