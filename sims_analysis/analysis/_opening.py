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
from sims_analysis.dataset.axes import POINT, axis_of
from sims_analysis.dataset.canonical import BACKGROUND_OVERLAP, BACKGROUND_STDERR
from sims_analysis.dataset.delivered import COORDS as DELIVERED
from sims_analysis.errors import ProfileError, UnitsError
from sims_analysis.profiles.plausibility import refuse_impossible

__all__ = ["DOSE_KINDS", "FRACTION", "open_frame"]

DOSE_KINDS = ("concentration", "range_density")

#: Coordinate of grids finer than the samples: independent samples per grid depth.
FRACTION = "effective_sample_fraction"

#: Coordinates that describe the data and do not apply to results.
_OF_DATA = frozenset({*DELIVERED, FRACTION, *vocabulary.OF_BACKGROUND})
#: Coordinates of a DataArray that stand beside its samples, and do not apply to results.
_OF_SAMPLES = frozenset({"stderr", *vocabulary.OF_BACKGROUND})


def open_frame(
    data: Any,
    kinds: tuple[str, ...],
    *,
    question: str,
    variable: str | None = None,
    axes: tuple[str, ...] = ("depth",),
    as_they_are: bool = False,
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
    as_they_are : bool
        Accept values that no measurement can have, which plots and files show.

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
    array, name = source.variable, source.name or "the data"
    dim = axis_of(array)
    axis = dim if dim != POINT else _axis_of_points(source.coords)
    if axis not in axes:
        raise UnitsError(
            f"{question} needs a depth, and the data are on a {axis.replace('_', '-')} axis; "
            "calibrate_depth() turns sputter time into depth"
        )
    dims = (*(d for d in array.dims if d != dim), dim)
    value, kind = _canonical(array, kinds, name)
    value = value.transpose(*dims)
    if not as_they_are:
        refuse_impossible(value.data, kind, name)
    stderr, counts = source.stderr, source.counts
    for beside, suffix in ((stderr, "stderr"), (counts, "counts")):
        if beside is not None and set(beside.dims) != set(dims):
            raise ProfileError(
                f"{source.name}_{suffix} is over {_listed(beside.dims)}, and {source.name} over "
                f"{_listed(array.dims)}: each sample needs its own"
            )
    if stderr is not None:
        stderr = _canonical(stderr, (kind,), f"{source.name}_stderr")[0].transpose(*dims)
    if counts is not None:
        counts = _plain(counts).transpose(*dims)
    common, overlap = source.common, source.overlap
    if common is not None:
        name = f"{source.name}{BACKGROUND_STDERR}"
        common = _of_background(_canonical(common, (kind,), name)[0], value)
        overlap = None if overlap is None else _of_background(_plain(overlap), value)
    fraction = source.coords.get(FRACTION)
    frame = Frame(
        name=source.name or kind,
        kind=kind,
        value=value,
        depth=_axis(source.coords, axis, dim, value),
        stderr=stderr,
        counts=counts,
        axis=axis,
        coords={k: c for k, c in source.coords.items() if dim not in c.dims and k not in _OF_DATA},
        along={k: c for k, c in source.coords.items() if dim in c.dims and k not in _OF_SAMPLES},
        quantified=units.is_quantity(array.data),
        # In a batch, NaN stands for a measurement at its original samples.
        fraction=None if fraction is None else _plain(fraction).fillna(1.0),
        common=common,
        overlap=overlap,
    )
    if stderr is not None and not is_lazy(stderr):
        _check_stderr(frame, np.asarray(stderr.data))
    return frame


def _listed(dims: tuple[Any, ...]) -> str:
    return f"({', '.join(map(str, dims))})"


def _plain(variable: xr.Variable) -> xr.Variable:
    data = variable.data
    return xr.Variable(variable.dims, data.magnitude if units.is_quantity(data) else data)


def _canonical(variable: xr.Variable, kinds: tuple[str, ...], name: str) -> tuple[xr.Variable, str]:
    """Convert a variable to the canonical unit of its kind; also return the kind."""
    magnitude, unit = units.magnitude_and_unit(variable, kinds, name)
    if magnitude.dtype.kind not in "fiu":  # text, booleans, complex numbers, dates
        raise ProfileError(f"{name}: expected real numbers, found values of type {magnitude.dtype}")
    return xr.Variable(variable.dims, unit.to_canonical(magnitude)), unit.kind


def _check_stderr(frame: Frame, stderr: Any) -> None:
    """Raise for the first profile with a negative or infinite standard error."""
    wrong = np.argwhere((stderr < 0) | np.isinf(stderr))
    if len(wrong):
        *profile, sample = index = tuple(wrong[0].tolist())
        raise ProfileError(
            f"{frame.label(dict(zip(frame.lead, profile, strict=True)))}: "
            f"{frame.name}_stderr[{sample}] is {stderr[index]}; a standard error is "
            "finite and not negative (NaN: not known)"
        )


class _Source(NamedTuple):
    """The selected variable of the user's data, with its coordinates, errors and counts."""

    name: str
    variable: xr.Variable
    coords: Mapping[Any, xr.Variable]
    stderr: xr.Variable | None = None
    counts: xr.Variable | None = None
    common: xr.Variable | None = None
    overlap: xr.Variable | None = None


def _of_background(found: xr.Variable, value: xr.Variable) -> xr.Variable:
    """Broadcast what is known of a subtracted background to the samples.

    In the data NaN means that nothing was subtracted, and infinity that the error is not known; in
    a frame, which computes with them, 0 and NaN.
    """
    filled = found.fillna(0.0)
    filled = filled.where(np.isfinite(filled)).set_dims(value.sizes)
    own: xr.Variable = filled.transpose(*value.dims)
    return own


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
        background = [coords.get(key) for key in vocabulary.OF_BACKGROUND]
        return _Source(name, data.variable, coords, stderr if beside else None, None, *background)
    present = ", ".join(map(str, data.data_vars)) or "no variables"
    if variable is not None and variable not in data.data_vars:
        raise UnitsError(f"{question}: there is no variable {variable!r}; the data have {present}")
    variables = data.variables
    names = [variable] if variable is not None else list(vocabulary.QUANTITIES)
    names = [name for name in names if name in data.data_vars]
    for name in names:
        if _kind_of(name, variables[name]) in kinds:
            dims = set(variables[name].dims)
            return _Source(
                name,
                variables[name],
                {key: coord for key, coord in coords.items() if dims.issuperset(coord.dims)},
                variables.get(f"{name}_stderr"),
                variables.get(f"{name}_counts"),
                variables.get(f"{name}{BACKGROUND_STDERR}"),
                variables.get(f"{name}{BACKGROUND_OVERLAP}"),
            )
    found = ", ".join(f"{name} ({data[name].attrs.get('units', 'no unit')})" for name in names)
    wanted = " or ".join(f"{kind.replace('_', ' ')} ({units.CANONICAL[kind]})" for kind in kinds)
    raise UnitsError(f"{question} needs a {wanted}; the data have {found or present}")


def _kind_of(name: str, variable: xr.Variable) -> str:
    """Kind of the unit of a variable; its name distinguishes atomic and mass fractions."""
    kinds = vocabulary.kinds(name) if name in vocabulary.QUANTITIES else vocabulary.VALUE_KINDS
    return units.magnitude_and_unit(variable, kinds, name)[1].kind


def _axis_of_points(coords: Mapping[Any, xr.Variable]) -> str:
    for axis in vocabulary.AXES:
        if axis in coords:
            return axis
    raise ProfileError("data over 'point' need a coordinate depth (or sputter_time) of each point")


def _axis(
    coords: Mapping[Any, xr.Variable], axis: str, dim: str, value: xr.Variable
) -> xr.Variable:
    """Return the axis: one-dimensional, or with all dimensions of the values."""
    if axis not in coords:
        raise ProfileError(f"the data have a dimension {axis!r} but no coordinate with its values")
    depth, _ = _canonical(coords[axis], (axis,), axis)
    if depth.ndim == 1:
        z = np.asarray(depth.data, dtype=np.float64)
        known = ~np.isnan(z)
        padded = dim == POINT and not known.all() and not known[np.argmin(known) :].any()
        if not padded or anywhere(value[..., ~known].notnull()):
            _check_increases(z, axis)
            return xr.Variable((dim,), z)
    # Profiles may share an axis over some dimensions (all species of a measurement).
    own: xr.Variable = depth.set_dims(value.sizes)
    return own.transpose(*value.dims)


def _check_increases(z: Any, axis: str) -> None:
    wrong = np.flatnonzero(~(z[1:] > z[:-1]))
    if wrong.size or (z.size == 1 and np.isnan(z[0])):
        index = int(wrong[0]) + 1 if wrong.size else 0
        raise ProfileError(
            f"{axis} must increase strictly; {axis}[{index}] = {z[index]:g} "
            f"{units.CANONICAL[axis]} follows {z[index - 1]:g}: sort with data.sortby({axis!r}) "
            "and drop repeats"
        )
    if z.size and np.isinf(z[[0, -1]]).any():  # an increasing axis is infinite only at its ends
        index = 0 if np.isinf(z[0]) else z.size - 1
        raise ProfileError(f"{axis}[{index}] = {z[index]}: every {axis} must be finite")
