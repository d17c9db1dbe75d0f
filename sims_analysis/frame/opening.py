"""Select and check the variable of the user's data that a question is about, and its axis."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from functools import reduce
from typing import Any

import numpy as np
import xarray as xr

from sims_analysis import units, vocabulary
from sims_analysis.conventions.axes import POINT, axis_name, axis_of
from sims_analysis.conventions.cells import edges_of
from sims_analysis.conventions.species_metadata import COORDS as DELIVERED
from sims_analysis.errors import ProfileError, ProfileWarning, UnitsError, warn
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.messages import first_flagged, first_sample
from sims_analysis.frame.parameters import read_stated
from sims_analysis.frame.run import anywhere, is_lazy, is_nan, may_exceed, replaced_where
from sims_analysis.profiles.plausibility import refuse_impossible
from sims_analysis.text.arguments import check_choice, format_argument, list_dims, type_error

DOSE_KINDS = ("concentration", "range_density")
#: Kinds of results along the axis.
_ALONG_AXIS = ("areal_density", "dimensionless")

#: Coordinate of grids finer than the samples: independent samples per grid depth.
FRACTION = "effective_sample_fraction"

#: Attributes of it for restored profiles, which are not straight lines between fewer samples.
RESTORED = {"long_name": "Independent samples for each depth", "interpolated": "no"}

#: Coordinate of restored profiles: the full width of the averaging kernel at each sample.
ACHIEVED = "achieved_resolution"

#: Coordinates that describe the data and do not apply to results.
_OF_DATA = frozenset({*DELIVERED, FRACTION, *vocabulary.OF_BACKGROUND})
#: Coordinates of a DataArray that belong to its samples, and do not apply to results.
_ANCILLARY_COORDS = ("stderr", *vocabulary.OF_BACKGROUND)
_OF_SAMPLES = frozenset(
    {
        *_ANCILLARY_COORDS,
        *(f"{n}_{end}" for n in vocabulary.MEASURED for end in vocabulary.EVIDENCE),
    }
)


def open_frame(
    data: Any,
    kinds: tuple[str, ...] = vocabulary.VALUE_KINDS,
    *,
    question: str,
    variable: str | None = None,
    axes: tuple[str, ...] = ("depth",),
    as_they_are: bool = False,
    gaps: str | None = None,
) -> Frame:
    """Check the user's data, and convert the relevant variable to canonical units.

    That is `variable`, or the first of the acceptable `kinds`, in order of preference, that holds a
    sample. Messages name the `question`, ``"a dose"``. `as_they_are` accepts values that no
    measurement can have, which plots and files show; `gaps` is the option of that name.
    """
    if gaps is not None:
        check_choice("gaps", gaps, ("flag", "bridge"))
    if not isinstance(data, xr.Dataset | xr.DataArray):
        raise type_error("data", data, f"{question} needs an xarray Dataset or DataArray")
    plain = units.with_plain_axes(data)
    array, ancillary = _select(plain, kinds, question, variable)
    coords, dim, axis = dict(array.coords.variables), axis_of(array), axis_name(array)
    if axis not in axes:
        raise UnitsError(
            f"{question} needs a depth, and the data are on a {axis.replace('_', '-')} axis; "
            "calibrate_depth() turns sputter time into depth",
            code="missing_axis",
        )
    name = "" if array.name is None else str(array.name)
    whose = name or "the data"
    value, unit = units.to_canonical_variable(array.variable, _kinds_of(name, kinds), whose)
    kind = unit.kind
    if value.dims[-1] != dim:
        value = value.transpose(..., dim)
    if not as_they_are:
        refuse_impossible(value.data, kind, whose)
    flags = _flags(ancillary.pop(vocabulary.QUALITY, None), value, name)
    columns = {end: _column(end, column, value, kind, name) for end, column in ancillary.items()}
    fraction = xr.Variable((), 1.0)
    if FRACTION in coords:
        # In a batch, NaN stands for a measurement at its original samples.
        fraction = _plain(coords[FRACTION]).fillna(1.0)
    depth, lower, upper = _axis_and_cells(plain, coords, axis, value)
    frame = Frame(
        name=name or kind,
        kind=kind,
        value=value,
        depth=depth,
        stderr=columns.get("stderr"),
        counts=columns.get("counts"),
        axis=axis,
        coords={k: c for k, c in coords.items() if dim not in c.dims and k not in _OF_DATA},
        along={k: c for k, c in coords.items() if dim in c.dims and k not in _OF_SAMPLES},
        quantified=units.is_quantity(array.data),
        fraction=fraction,
        achieved=_achieved(coords, axis, dim, value),
        common=columns.get("background_stderr"),
        overlap=columns.get("background_overlap"),
        scatter=columns.get("background_scatter"),
        repeatability=_repeatability(coords, dim),
        lower=lower,
        upper=upper,
        flags=flags,
        limit=columns.get(vocabulary.LIMIT),
        bridge=None if gaps is None else gaps == "bridge",
        origin=data,
    )
    _check_stderr(frame)
    return frame


def open_frames(data: Any, *, question: str, **options: Any) -> list[Frame]:
    """Open all measured variables of a Dataset, or an array, on either axis: see `open_frame`."""
    names: list[str | None] = [None]
    if isinstance(data, xr.Dataset):
        names = [name for name in vocabulary.MEASURED if name in data.data_vars]
        if not names:
            raise ProfileError(
                f"{question} needs a profile, and the Dataset has none of "
                f"{', '.join(vocabulary.MEASURED)}, but "
                f"{', '.join(map(str, data.data_vars)) or 'no variables'}; results are printed by "
                "results_table() and go to pandas by .to_dataframe()",
                code="no_profile",
            )
    # Results along the axis can be plotted and written like a measured variable.
    unnamed = (*vocabulary.VALUE_KINDS, *(_ALONG_AXIS if options.get("as_they_are") else ()))
    options |= {"question": question, "axes": vocabulary.AXES}
    kinds = [vocabulary.kinds(name) if name else unnamed for name in names]
    pairs = zip(names, kinds, strict=True)
    return [open_frame(data, accepted, variable=name, **options) for name, accepted in pairs]


def _achieved(
    coords: dict[Any, xr.Variable], axis: str, dim: str, value: xr.Variable
) -> xr.Variable | None:
    """Return the resolution of samples that were restored; None of others."""
    if axis != "depth" or ACHIEVED not in coords or dim not in coords[ACHIEVED].dims:
        return None
    width, _ = units.to_canonical_variable(coords[ACHIEVED], ("depth",), ACHIEVED)
    return _over_samples(width, value)


def open_samples(data: xr.Dataset, name: str, question: str) -> Frame:
    """Open a variable of canonical data with its values as they are, on either axis."""
    kinds = vocabulary.kinds_in(name, data[name].attrs["units"])
    return open_frame(
        data, kinds, question=question, variable=name, axes=vocabulary.AXES, as_they_are=True
    )


def open_at_level(
    data: Any,
    level: Any,
    question: str,
    *,
    axes: tuple[str, ...] = ("depth",),
    variable: str | None = None,
    gaps: str | None = None,
) -> tuple[Frame, xr.Variable]:
    """Open the variable that has the kind of unit of the level, and read the level (or NaN)."""
    kinds = ("dimensionless",) if is_ratio(data) else vocabulary.VALUE_KINDS
    stated = read_stated(level, kinds, "level")
    options: Any = {"variable": variable, "axes": axes, "gaps": gaps}
    try:
        frame = open_frame(data, (stated.kind,), question=f"{question} of this level", **options)
    except UnitsError as error:
        raise UnitsError(f"level={format_argument(level)}: {error}", argument="level") from None
    levels = frame.parameter(stated, (stated.kind,), "level")
    if not levels.ndim and np.isfinite(levels.data):
        return frame, levels
    # That of a single profile may be NaN, too; one for several is stated.
    single = isinstance(level, xr.DataArray) and all(n == 1 for n in frame.sizes.values())
    wrong: Any = np.isinf(levels) if levels.ndim or single else ~np.isfinite(levels)
    first = first_flagged(frame, wrong)
    if first is not None:
        name = f"level of {first.label}" if levels.ndim else "level"
        raise ProfileError(f"{name} is {first.of(levels)}; expected a finite number", argument=name)
    return frame, levels


def _select(
    data: xr.Dataset | xr.DataArray, kinds: tuple[str, ...], question: str, variable: str | None
) -> tuple[xr.DataArray, dict[str, xr.Variable]]:
    """Return a variable, and those that belong to its samples, by the ends of their names."""
    if isinstance(data, xr.DataArray):
        return data, _ancillary_coords(data)
    if variable is not None and (not isinstance(variable, str) or variable not in data.data_vars):
        raise UnitsError(
            f"{question}: there is no variable {format_argument(variable)}; the data have "
            f"{_list_variables(data)}",
            code="missing_variable",
        )
    candidates = vocabulary.MEASURED if variable is None else [variable]
    names = [name for name in candidates if name in data.data_vars]
    usable = [n for n in names if _kind_of(n, data.variables[n]) in _kinds_of(n, kinds)]
    if usable:
        # Of a species among others that have another variable: that in which it was measured.
        chosen = next((n for n in usable if usable[1:] and _has_sample(data, n)), usable[0])
        ancillary = {
            end: data.variables[f"{chosen}_{end}"]
            for end in vocabulary.OF_SAMPLES
            if f"{chosen}_{end}" in data.variables
        }
        array = data[chosen]
        if len(data.data_vars) == 1:  # a former DataArray has its errors as coordinates
            ancillary |= _ancillary_coords(array)
        return array, ancillary
    listed = ", ".join(f"{name} ({data[name].attrs.get('units', 'no unit')})" for name in names)
    expected = " or ".join(f"{kind.replace('_', ' ')} ({units.CANONICAL[kind]})" for kind in kinds)
    raise UnitsError(
        f"{question} needs a {expected}; the data have {listed or _list_variables(data)}",
        code="missing_variable",
    )


def _list_variables(data: xr.Dataset) -> str:
    return ", ".join(map(str, data.data_vars)) or "no variables"


def _ancillary_coords(data: xr.DataArray) -> dict[str, xr.Variable]:
    """Return the coordinates of an array that belong to its samples."""
    coords = data.coords.variables
    ancillary = {end: coords[end] for end in _ANCILLARY_COORDS if end in coords}
    for end in vocabulary.EVIDENCE:
        if f"{data.name}_{end}" in coords:
            ancillary[end] = coords[f"{data.name}_{end}"]
    if vocabulary.QUALITY not in ancillary:
        # An array that was renamed has the flags of whatever it was.
        parts = [var for key, var in coords.items() if str(key).endswith(f"_{vocabulary.QUALITY}")]
        if parts:
            flags = (var.fillna(0).astype(np.int16) for var in parts)
            ancillary[vocabulary.QUALITY] = reduce(operator.or_, flags)
    stderr = ancillary.pop("stderr", None)
    if stderr is not None and axis_of(data) in stderr.dims and set(stderr.dims) <= set(data.dims):
        ancillary["stderr"] = stderr.set_dims(data.sizes)
    return ancillary


def _flags(column: xr.Variable | None, value: xr.Variable, name: str) -> xr.Variable | None:
    """Return the flags of the samples; None without any, or after they were averaged."""
    if column is None or not column.ndim:
        return None
    if column.dtype.kind == "b":
        raise ProfileError(
            f"{name}_{vocabulary.QUALITY} is a mask of True and False, which does not say of what: "
            "expected whole numbers, sums of flags, such as 4 for saturated samples",
            code="impossible_value",
            argument=f"{name}_{vocabulary.QUALITY}",
        )
    if column.dtype.kind == "f" and anywhere(column % 1 > 0):
        warn(
            f"{name}_{vocabulary.QUALITY} holds numbers that are not sums of flags, as after a "
            "mean of neighbours or an interpolation: it is left out. Resample by to_grid(), or "
            "keep its flags with coord_func={...: np.bitwise_or.reduce} of coarsen()",
            ProfileWarning,
            code="impossible_value",
        )
        return None
    return _over_samples(column.fillna(0).astype(np.int16), value)


def _has_sample(data: xr.Dataset, name: str) -> bool:
    """Return whether a variable has a sample; of several species on Dask, it may."""
    variable = data.variables[name]
    if variable.chunks and data.sizes.get("species", 1) > 1:
        return True
    return bool(np.isfinite(units.magnitude_of(variable)).any())


def is_ratio(data: Any) -> bool:
    """Whether the name of data says that they are the ratio of two species."""
    if isinstance(data, xr.Dataset):
        names = set(map(str, data.data_vars))
        return not names & {*vocabulary.QUANTITIES} and bool(names & {*vocabulary.RATIOS})
    return isinstance(data, xr.DataArray) and data.name in vocabulary.RATIOS


def _kinds_of(name: str, kinds: tuple[str, ...]) -> tuple[str, ...]:
    """Return the acceptable kinds of a variable: of a ratio, if any kind is acceptable."""
    takes_all = set(vocabulary.VALUE_KINDS) <= set(kinds)
    return ("dimensionless",) if name in vocabulary.RATIOS and takes_all else kinds


def _kind_of(name: str, variable: xr.Variable) -> str:
    """Kind of the unit of a variable; its name distinguishes atomic and mass fractions."""
    kinds = vocabulary.kinds(name) if name in vocabulary.QUANTITIES else vocabulary.VALUE_KINDS
    kinds = _kinds_of(name, kinds)
    return units.magnitude_and_unit(variable, kinds, name)[1].kind


def _plain(variable: xr.Variable) -> xr.Variable:
    return xr.Variable(variable.dims, units.magnitude_of(variable))


def _repeatability(coords: Mapping[Any, xr.Variable], dim: str) -> xr.Variable | None:
    """Return the relative standard error of the scale of averages; None where it is 0."""
    coord = coords.get("scale_repeatability")
    if coord is None or dim in coord.dims:
        return None
    stderr: Any = _plain(coord).fillna(0.0)
    return stderr if may_exceed(stderr) else None


def _column(end: str, column: xr.Variable, value: xr.Variable, kind: str, name: str) -> xr.Variable:
    """Convert a variable that belongs to the samples, and give it their dimensions."""
    if vocabulary.COLUMNS.get(end) is None:  # in the unit of the samples
        plain, _ = units.to_canonical_variable(column, (kind,), f"{name}_{end}")
    else:
        plain = _plain(column)
    if end in vocabulary.OF_BACKGROUND:
        # In the data NaN means that nothing was subtracted, and infinity that the error is not
        # known; in a frame, which computes with them, 0 (a scatter: 1) and NaN.
        plain = replaced_where(is_nan(plain), plain, 1.0 if end == "background_scatter" else 0.0)
        endless = xr.Variable(plain.dims, np.isinf(plain.data))
        plain = replaced_where(endless, plain).set_dims(value.sizes)
    elif end in vocabulary.EVIDENCE and {value.dims[-1]} <= set(plain.dims) < set(value.dims):
        plain = plain.set_dims(value.sizes)  # xarray's expand_dims() leaves coordinates as they are
    elif set(plain.dims) != set(value.dims):
        raise ProfileError(
            f"{name}_{end} is over {list_dims(plain.dims)}, and {name} over "
            f"{list_dims(value.dims)}: each sample needs its own",
            code="wrong_dimensions",
        )
    return plain if plain.dims == value.dims else plain.transpose(*value.dims)


def _check_stderr(frame: Frame) -> None:
    """Raise for the first sample with a negative or infinite standard error, unless on Dask."""
    if frame.stderr is None or is_lazy(frame.stderr):
        return
    stderr = frame.stderr.data
    plain = stderr.dtype == np.float64 and stderr.flags.c_contiguous
    # Taken for whole numbers, infinity, NaN and negative numbers are the largest.
    if plain and stderr.view(np.uint64).max(initial=0) < np.float64(np.inf).view(np.uint64):
        return  # as a rule: all are known
    wrong = (stderr < 0) | np.isinf(stderr)
    if not wrong.any():
        return
    if (first := first_sample(frame, xr.Variable(frame.value.dims, wrong))) is not None:
        text = f"its standard error is {first.of(frame.stderr):g}; a standard error is finite"
        text = f"{text} and not negative (NaN: not known)"
        raise first.error(text, ProfileError, code="impossible_value")


def _axis_and_cells(
    data: Any, coords: Mapping[Any, xr.Variable], axis: str, value: xr.Variable
) -> tuple[xr.Variable, xr.Variable | None, xr.Variable | None]:
    """Return the axis, and the edges of the cells of averages."""
    dim = str(value.dims[-1])
    depth = _axis(coords, axis, dim, value)
    lower, upper = _cells(data, axis, dim, depth, value)
    if lower is None or upper is None or lower.dims == depth.dims:
        return depth, lower, upper
    # Measurements whose cells differ share no axis.
    depth, lower, upper = (_over_samples(column, value) for column in (depth, lower, upper))
    return depth, lower, upper


def _axis(
    coords: Mapping[Any, xr.Variable], axis: str, dim: str, value: xr.Variable
) -> xr.Variable:
    """Return the axis: one-dimensional, or with all dimensions of the values."""
    if axis not in coords:
        raise ProfileError(
            f"the data have a dimension {axis!r} but no coordinate with its values",
            code="missing_axis",
        )
    depth, _ = units.to_canonical_variable(coords[axis], (axis,), axis)
    if depth.ndim == 1:
        z = np.asarray(depth.data, dtype=np.float64)
        measured = ~np.isnan(z)
        padded = dim == POINT and not measured.all() and not measured[np.argmin(measured) :].any()
        if not padded or anywhere(value[..., ~measured].notnull()):
            _check_increases(z, axis)
            return xr.Variable((dim,), z)
    # Profiles may share an axis over some dimensions (all species of a measurement).
    return _over_samples(depth, value)


def _over_samples(column: xr.Variable, value: xr.Variable) -> xr.Variable:
    """Give a column the dimensions of the values, in their order."""
    result: xr.Variable = column.set_dims(value.sizes).transpose(*value.dims)
    return result


def _cells(
    data: Any, axis: str, dim: str, depth: xr.Variable, value: xr.Variable
) -> tuple[xr.Variable, xr.Variable] | tuple[None, None]:
    """Return the edges of the cells over which the values are averages; None of samples."""
    edges = edges_of(data, axis)
    if not edges:
        return None, None
    lower, upper = _like_axis(edges, depth)
    if any(column.chunks for column in (depth, lower, upper)):
        return lower, upper  # on Dask they are not tested
    missing = lower.isnull() | upper.isnull()
    if missing.all():
        return None, None  # of samples, selected from a batch with cells
    if (value.notnull() & missing & ~missing.all(dim)).any():
        raise ProfileError(
            "a profile has samples without cells (cell_start or cell_stop is NaN) beside averages: "
            'use one kind, as to_grid(..., conserve="dose") makes them, or drop the edges of all '
            'with data.drop_vars(["cell_start", "cell_stop"])',
            code="invalid_bounds",
        )
    tolerance = 1e-9 * float(np.nanmax(depth.data) - np.nanmin(depth.data)) if depth.size else 0.0
    wrong: Any = (depth < lower - tolerance) | (depth > upper + tolerance)
    wrong = wrong | (lower < upper.shift({dim: 1}) - tolerance)
    if wrong.any():
        depths = depth.set_dims(wrong.sizes).transpose(*wrong.dims).values
        source = f"{axis}_bounds" if f"{axis}_bounds" in data.coords else "cell_start and cell_stop"
        dropped = [f"{axis}_bounds", "cell_start", "cell_stop"]
        raise ProfileError(
            f"{source} at {depths[np.asarray(wrong.data)][0]:g} {units.CANONICAL[axis]} do not "
            f"contain this {axis}, or overlap, as after a change of the {axis} alone; correct "
            f"the bounds, or drop them with data.drop_vars({dropped}, errors='ignore')",
            code="invalid_bounds",
        )
    return lower, upper


def _like_axis(edges: list[xr.Variable], depth: xr.Variable) -> list[xr.Variable]:
    """Give edges of cells the dimensions of the axis, and those along which they differ."""
    for d in [d for d in edges[0].dims if d not in depth.dims]:
        first = [edge.isel({d: 0}) for edge in edges]
        if all(bool((edge == f).all()) for edge, f in zip(edges, first, strict=True)):
            edges = first
    sizes = {**{d: n for d, n in edges[0].sizes.items() if d not in depth.dims}, **depth.sizes}
    return [edge.set_dims(sizes).transpose(*sizes) for edge in edges]


def _check_increases(z: Any, axis: str) -> None:
    rises = z[1:] > z[:-1]
    if not rises.all() or (z.size == 1 and np.isnan(z[0])):
        i = 1 + int(np.argmin(rises)) if rises.size else 0
        raise ProfileError(
            f"{axis} must increase strictly; {axis}[{i}] = {z[i]:g} {units.CANONICAL[axis]} "
            f"follows {z[i - 1]:g}: sort with data.sortby({axis!r}) and drop repeats",
            code="unordered_axis",
        )
    for i in (0, z.size - 1) if z.size else ():  # infinite only at its ends
        if np.isinf(z[i]):
            raise ProfileError(
                f"{axis}[{i}] = {z[i]}: every {axis} must be finite", code="infinite_sample"
            )


def interpolated(frame: Frame) -> bool:
    """Return whether samples that are not independent are of a grid between fewer ones."""
    coords: Any = frame.origin.coords if frame.origin is not None else {}
    return FRACTION not in coords or "interpolated" not in coords[FRACTION].attrs
