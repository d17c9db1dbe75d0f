"""The user's data chosen and checked: the variable that a question is asked of, and its axis."""

from __future__ import annotations

from collections.abc import Mapping
from math import isinf
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from sims_analysis import units, vocabulary
from sims_analysis._variables import bare_variable, coords_of, data_of, indexes_of, variables_of
from sims_analysis.analysis._finite import FEW, refuse_infinite, refuse_no_errors
from sims_analysis.analysis._frame import Frame
from sims_analysis.analysis._parameters import anywhere
from sims_analysis.dataset.to_profiles import COORDS as DELIVERED
from sims_analysis.dataset.to_profiles import axis_of
from sims_analysis.errors import ProfileError, UnitsError
from sims_analysis.kernels.rows import increases

__all__ = ["DOSE_KINDS", "INDEPENDENT", "open_frame"]

DOSE_KINDS = ("concentration", "range_density")


def open_frame(
    data: Any,
    kinds: tuple[str, ...],
    *,
    question: str,
    variable: str | None = None,
    axes: tuple[str, ...] = ("depth",),
) -> Frame:
    """Check the user's data and bring the one variable that matters to canonical units.

    Parameters
    ----------
    data : Dataset or DataArray
        Plain or quantified; numpy or Dask.
    kinds : tuple of str
        Kinds of value that the question can be asked of, most wanted first.
    question : str
        What is asked, for messages: ``"a dose"``.
    variable : str, optional
        The variable of a Dataset; by default the first that fits.
    axes : tuple of str
        Acceptable axes.

    Raises
    ------
    TypeError
        If the data are neither a Dataset nor a DataArray.
    UnitsError
        If no variable has a unit of the right kind, or the axis has none.
    ProfileError
        If there is no depth axis, it is not strictly increasing, or something is infinite.
    """
    source = _choose(data, kinds, question, variable)
    array = source.variable
    magnitude, unit = units.magnitude_and_unit(array, kinds, source.name or "the data")
    dim = axis_of(array)
    axis = dim if dim != "point" else _axis_of_points(source)
    if axis not in axes:
        raise UnitsError(
            f"{question} needs a depth, and the data are on a {axis.replace('_', '-')} axis; "
            "calibrate_depth() turns sputter time into depth"
        )
    dims = (*(d for d in array.dims if d != dim), dim)
    _numbers(magnitude, source.name or "the data")
    value = _ordered(array.dims, unit.to_canonical(magnitude), dims)
    depth, padding = _axis(source, axis, dim, dims, value)
    sigma = None
    for beside, name in ((source.stderr, "stderr"), (source.counts, "counts")):
        if beside is not None and set(beside.dims) != set(dims):
            raise ProfileError(
                f"{source.name}_{name} is over {_listed(beside.dims)}, and {source.name} over "
                f"{_listed(array.dims)}: each sample needs its own"
            )
    if source.stderr is not None:
        sigma_magnitude, sigma_unit = units.magnitude_and_unit(
            source.stderr, (unit.kind,), f"{source.name}_stderr"
        )
        sigma = _ordered(source.stderr.dims, sigma_unit.to_canonical(sigma_magnitude), dims)
    counts = source.counts
    counts = None if counts is None else _ordered(counts.dims, _plain(counts), dims)
    coords, along = _by_axis(source.coords, dim)
    if padding:
        value = value[..., :-padding]
        sigma, counts = _without(sigma, padding), _without(counts, padding)
    frame = Frame(
        name=source.name or unit.kind,
        kind=unit.kind,
        value=value,
        depth=depth,
        stderr=sigma,
        counts=counts,
        axis=axis,
        coords=coords,
        along=along,
        quantified=units.is_quantity(array._data),
        indexes=indexes_of(data),
        independent=_independent(source),
        padding=padding,
    )
    if value.size <= FEW and not frame.lazy:
        refuse_infinite(frame)
    if sigma is not None and not hasattr(sigma._data, "chunks"):
        refuse_no_errors(frame)
    return frame


def _listed(dims: tuple[Any, ...]) -> str:
    return f"({', '.join(map(str, dims))})"


def _numbers(data: Any, name: str) -> None:
    """Refuse what numpy would take for numbers, or let pass: text, truths, complex, dates."""
    if data.dtype.kind not in "fiu":
        raise ProfileError(f"{name}: expected real numbers, found values of type {data.dtype}")


class _Source(NamedTuple):
    """The variable of the user's data that is asked for, and what stands beside it.

    Variables rather than DataArrays: making one of each coordinate would cost more time than the
    answer.
    """

    name: str
    variable: xr.Variable
    coords: Mapping[Any, xr.Variable]
    stderr: xr.Variable | None = None
    counts: xr.Variable | None = None


def _ordered(dims: tuple[Any, ...], data: Any, wanted: tuple[Any, ...]) -> xr.Variable:
    variable = bare_variable(dims, data)
    return variable if dims == wanted else variable.transpose(*wanted)


def _by_axis(
    coords: Mapping[Any, xr.Variable], dim: str
) -> tuple[dict[Any, xr.Variable], dict[Any, xr.Variable]]:
    """Tell the coordinates of the profiles from those along the axis."""
    of_profiles, along = {}, {}
    for name, coord in coords.items():
        if dim in coord.dims:
            if name != "stderr":
                along[name] = coord
        elif name not in _APART:
            of_profiles[name] = coord
    return of_profiles, along


#: Coordinate of grids finer than the samples: how many of these there are for each depth.
INDEPENDENT = "effective_sample_fraction"

#: What describes the data, and not the answers that rest on them.
_APART = frozenset({*DELIVERED, INDEPENDENT})


def _independent(source: _Source) -> xr.Variable | None:
    found = source.coords.get(INDEPENDENT)
    if found is None:
        return None
    # In a batch, a measurement that is on its own samples has none.
    independent: xr.Variable = bare_variable(found.dims, _plain(found)).fillna(1.0)
    return independent


def _choose(data: Any, kinds: tuple[str, ...], question: str, variable: str | None) -> _Source:
    if isinstance(data, xr.DataArray):
        coords = coords_of(data)
        stderr = coords.get("stderr")
        beside = stderr is not None and stderr.dims == data.dims
        name = "" if data.name is None else str(data.name)
        return _Source(name, data.variable, coords, stderr if beside else None)
    if not isinstance(data, xr.Dataset):
        raise TypeError(
            f"{question} is asked of an xarray Dataset or DataArray, found {type(data).__name__}"
        )
    names = [variable] if variable is not None else list(vocabulary.QUANTITIES)
    variables, coords = variables_of(data), coords_of(data)
    present = [name for name in names if name in variables and name not in coords]
    if variable is not None and not present:
        raise UnitsError(
            f"{question}: there is no variable {variable!r}; the data have "
            f"{', '.join(map(str, data.data_vars)) or 'no variables'}"
        )
    for name in present:
        if _kind_of(name, variables[name]) in kinds:
            dims = set(variables[name].dims)
            return _Source(
                name,
                variables[name],
                {key: coord for key, coord in coords.items() if dims.issuperset(coord.dims)},
                variables.get(f"{name}_stderr"),
                variables.get(f"{name}_counts"),
            )
    found = ", ".join(f"{name} ({data[name].attrs.get('units', 'no unit')})" for name in present)
    wanted = " or ".join(f"{kind.replace('_', ' ')} ({units.CANONICAL[kind]})" for kind in kinds)
    raise UnitsError(
        f"{question} needs a {wanted}; the data have "
        f"{found or ', '.join(map(str, data.data_vars)) or 'no variables'}"
    )


def _plain(variable: xr.Variable) -> Any:
    data = data_of(variable)
    return data.magnitude if units.is_quantity(data) else data


def _kind_of(name: str, variable: xr.Variable) -> str:
    """Kind of the unit of a variable of a Dataset; its name tells a fraction from a number."""
    kinds = vocabulary.kinds(name) if name in vocabulary.QUANTITIES else vocabulary.VALUE_KINDS
    return units.magnitude_and_unit(variable, kinds, name)[1].kind


def _axis_of_points(source: _Source) -> str:
    for axis in vocabulary.AXES:
        if axis in source.coords:
            return axis
    raise ProfileError("data over 'point' need a coordinate depth (or sputter_time) of each point")


def _without(samples: xr.Variable | None, padding: int) -> xr.Variable | None:
    return None if samples is None else samples[..., :-padding]


def _axis(
    source: _Source, axis: str, dim: str, dims: tuple[Any, ...], value: xr.Variable
) -> tuple[xr.Variable, int]:
    """Give the axis, and how many places at its end are there for longer profiles alone."""
    if axis not in source.coords:
        raise ProfileError(f"the data have a dimension {axis!r} but no coordinate with its values")
    coord = source.coords[axis]
    magnitude, unit = units.magnitude_and_unit(coord, (axis,), axis)
    _numbers(magnitude, axis)
    depth = bare_variable(coord.dims, unit.to_canonical(magnitude))
    if len(coord.dims) == 1:
        z = np.asarray(data_of(depth), dtype=np.float64)
        padding = _padding(z, value) if dim == "point" else 0
        z = z[: z.size - padding]
        if not increases(z) or (z.size == 1 and np.isnan(z[0])):
            index = int(np.argmin(z[1:] > z[:-1])) + 1
            raise ProfileError(
                f"{axis} must increase strictly; {axis}[{index}] = {z[index]:g} {unit.canonical} "
                f"follows {z[index - 1]:g}: sort with data.sortby({axis!r}) and drop repeats"
            )
        if z.size and (isinf(z[0]) or isinf(z[-1])):  # elsewhere it would not increase
            index = 0 if isinf(z[0]) else z.size - 1
            raise ProfileError(f"{axis}[{index}] = {z[index]}: every {axis} must be finite")
        return bare_variable((dim,), z), padding
    # Own axes may be shared over some of the dimensions (all species of a measurement).
    sizes = {d: source.variable.sizes[d] for d in dims}
    own: xr.Variable = depth.set_dims(sizes)
    return own.transpose(*dims), 0


def _padding(z: Any, value: xr.Variable) -> int:
    """Count the places after the last depth of a profile that was stacked with longer ones."""
    if not z.size or not np.isnan(z[-1]):
        return 0
    known = np.flatnonzero(~np.isnan(z))
    padding = z.size - 1 - int(known[-1]) if known.size else z.size
    # What was measured there has no depth: that is for the check of the axis to say.
    beyond = value[..., -padding:]
    return 0 if anywhere(beyond.notnull()) else padding
