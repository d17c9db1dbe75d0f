"""Select and check the variable of the user's data that a question is about, and its axis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from sims_analysis import units, vocabulary
from sims_analysis.analysis._frame import Frame
from sims_analysis.analysis._parameters import anywhere
from sims_analysis.analysis._run import is_lazy
from sims_analysis.dataset.to_profiles import COORDS as DELIVERED
from sims_analysis.dataset.to_profiles import axis_of
from sims_analysis.errors import ProfileError, UnitsError
from sims_analysis.profiles.plausibility import refuse_impossible

__all__ = ["DOSE_KINDS", "FRACTION", "open_frame"]

DOSE_KINDS = ("concentration", "range_density")


def open_frame(
    data: Any,
    kinds: tuple[str, ...],
    *,
    question: str,
    variable: str | None = None,
    axes: tuple[str, ...] = ("depth",),
) -> Frame:
    """Check the user's data, and convert the relevant variable to canonical units.

    Parameters
    ----------
    data : Dataset or DataArray
        Plain or quantified; numpy or Dask.
    kinds : tuple of str
        Acceptable kinds of value, in order of preference.
    question : str
        What is computed, for messages: ``"a dose"``.
    variable : str, optional
        The variable of a Dataset; by default the first of an acceptable kind.
    axes : tuple of str
        Acceptable axes.

    Raises
    ------
    TypeError
        If the data are neither a Dataset nor a DataArray.
    UnitsError
        If no variable has a unit of an acceptable kind, or the axis has no unit.
    ProfileError
        If there is no depth axis, or it is not finite and strictly increasing.
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
    _check_numbers(magnitude, source.name or "the data")
    value = xr.Variable(array.dims, unit.to_canonical(magnitude)).transpose(*dims)
    if question != "a profile":  # plots and files show the data as they are
        refuse_impossible(value.data, unit.kind, source.name or "the data")
    depth = _axis(source, axis, dim, value)
    for beside, name in ((source.stderr, "stderr"), (source.counts, "counts")):
        if beside is not None and set(beside.dims) != set(dims):
            raise ProfileError(
                f"{source.name}_{name} is over {_listed(beside.dims)}, and {source.name} over "
                f"{_listed(array.dims)}: each sample needs its own"
            )
    stderr = counts = None
    if source.stderr is not None:
        sigma, sigma_unit = units.magnitude_and_unit(
            source.stderr, (unit.kind,), f"{source.name}_stderr"
        )
        stderr = xr.Variable(source.stderr.dims, sigma_unit.to_canonical(sigma)).transpose(*dims)
    if source.counts is not None:
        counts = xr.Variable(source.counts.dims, _plain(source.counts)).transpose(*dims)
    along = {k: c for k, c in source.coords.items() if dim in c.dims and k != "stderr"}
    coords = {k: c for k, c in source.coords.items() if dim not in c.dims and k not in _OF_DATA}
    frame = Frame(
        name=source.name or unit.kind,
        kind=unit.kind,
        value=value,
        depth=depth,
        stderr=stderr,
        counts=counts,
        axis=axis,
        coords=coords,
        along=along,
        quantified=units.is_quantity(array.data),
        fraction=_fraction(source),
    )
    if stderr is not None and not is_lazy(stderr):
        _check_stderr(frame, stderr)
    return frame


def _listed(dims: tuple[Any, ...]) -> str:
    return f"({', '.join(map(str, dims))})"


def _check_numbers(data: Any, name: str) -> None:
    """Refuse values that are not real numbers: text, booleans, complex numbers, dates."""
    if data.dtype.kind not in "fiu":
        raise ProfileError(f"{name}: expected real numbers, found values of type {data.dtype}")


def _check_stderr(frame: Frame, stderr: xr.Variable) -> None:
    """Raise for the first profile with a negative or infinite standard error."""
    data = np.asarray(stderr.data)
    wrong = np.argwhere((data < 0) | np.isinf(data))
    if len(wrong):
        *profile, sample = index = tuple(wrong[0].tolist())
        raise ProfileError(
            f"{frame.label(dict(zip(frame.lead, profile, strict=True)))}: "
            f"{frame.name}_stderr[{sample}] is {data[index]}; a standard error is "
            "finite and not negative (NaN: not known)"
        )


class _Source(NamedTuple):
    """The selected variable of the user's data, with its coordinates, errors and counts."""

    name: str
    variable: xr.Variable
    coords: Mapping[Any, xr.Variable]
    stderr: xr.Variable | None = None
    counts: xr.Variable | None = None


#: Coordinate of grids finer than the samples: independent samples per grid depth.
FRACTION = "effective_sample_fraction"

#: Coordinates that describe the data and do not apply to results.
_OF_DATA = frozenset({*DELIVERED, FRACTION})


def _fraction(source: _Source) -> xr.Variable | None:
    found = source.coords.get(FRACTION)
    if found is None:
        return None
    # In a batch, NaN stands for a measurement at its original samples.
    fraction: xr.Variable = xr.Variable(found.dims, _plain(found)).fillna(1.0)
    return fraction


def _choose(data: Any, kinds: tuple[str, ...], question: str, variable: str | None) -> _Source:
    if not isinstance(data, xr.Dataset | xr.DataArray):
        raise TypeError(
            f"{question} needs an xarray Dataset or DataArray, found {type(data).__name__}"
        )
    coords = data.coords.variables
    if isinstance(data, xr.DataArray):
        stderr = coords.get("stderr")
        beside = stderr is not None and stderr.dims == data.dims
        name = "" if data.name is None else str(data.name)
        return _Source(name, data.variable, coords, stderr if beside else None)
    names = [variable] if variable is not None else list(vocabulary.QUANTITIES)
    present = [name for name in names if name in data.data_vars]
    if variable is not None and not present:
        raise UnitsError(
            f"{question}: there is no variable {variable!r}; the data have "
            f"{', '.join(map(str, data.data_vars)) or 'no variables'}"
        )
    variables = data.variables
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
    data = variable.data
    return data.magnitude if units.is_quantity(data) else data


def _kind_of(name: str, variable: xr.Variable) -> str:
    """Kind of the unit of a variable; its name distinguishes atomic and mass fractions."""
    kinds = vocabulary.kinds(name) if name in vocabulary.QUANTITIES else vocabulary.VALUE_KINDS
    return units.magnitude_and_unit(variable, kinds, name)[1].kind


def _axis_of_points(source: _Source) -> str:
    for axis in vocabulary.AXES:
        if axis in source.coords:
            return axis
    raise ProfileError("data over 'point' need a coordinate depth (or sputter_time) of each point")


def _axis(source: _Source, axis: str, dim: str, value: xr.Variable) -> xr.Variable:
    """Return the axis: one-dimensional, or with all dimensions of the values."""
    if axis not in source.coords:
        raise ProfileError(f"the data have a dimension {axis!r} but no coordinate with its values")
    coord = source.coords[axis]
    magnitude, unit = units.magnitude_and_unit(coord, (axis,), axis)
    _check_numbers(magnitude, axis)
    depth = xr.Variable(coord.dims, unit.to_canonical(magnitude))
    if coord.ndim == 1:
        z = np.asarray(depth.data, dtype=np.float64)
        depth = xr.Variable((dim,), z)
        known = ~np.isnan(z)
        padded = dim == "point" and not known.all() and not known[np.argmin(known) :].any()
        if not padded or anywhere(value[..., ~known].notnull()):
            _check_increases(z, axis, unit.canonical)
            return depth
    # Profiles may share an axis over some dimensions (all species of a measurement).
    own: xr.Variable = depth.set_dims(value.sizes)
    return own.transpose(*value.dims)


def _check_increases(z: Any, axis: str, unit: str) -> None:
    wrong = np.flatnonzero(~(z[1:] > z[:-1]))
    if wrong.size or (z.size == 1 and np.isnan(z[0])):
        index = int(wrong[0]) + 1 if wrong.size else 0
        raise ProfileError(
            f"{axis} must increase strictly; {axis}[{index}] = {z[index]:g} {unit} "
            f"follows {z[index - 1]:g}: sort with data.sortby({axis!r}) and drop repeats"
        )
    if z.size and np.isinf(z[[0, -1]]).any():  # an increasing axis is infinite only at its ends
        index = 0 if np.isinf(z[0]) else z.size - 1
        raise ProfileError(f"{axis}[{index}] = {z[index]}: every {axis} must be finite")
