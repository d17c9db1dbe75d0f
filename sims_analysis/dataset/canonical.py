"""Data and arguments in canonical units, for functions that use plain xarray arithmetic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import wraps
from typing import Any, TypeVar, cast

import numpy as np
import orjson
import xarray as xr

from sims_analysis import units, vocabulary
from sims_analysis.dataset.axes import AXIS_TOLERANCE, MEASUREMENT, POINT, axis_name, axis_of
from sims_analysis.dataset.cf import with_ancillaries
from sims_analysis.errors import ProfileError, SpeciesError, UnitsError
from sims_analysis.text.arguments import first_few, format_argument

__all__ = [
    "BACKGROUND_OVERLAP",
    "BACKGROUND_SCATTER",
    "BACKGROUND_STDERR",
    "BESIDE",
    "IN_ITS_UNIT",
    "argument",
    "check_positive",
    "in_window",
    "known_species",
    "label_of",
    "list_variables",
    "mean_in_window",
    "name_profiles",
    "on_canonical_data",
    "read_number",
    "read_positive",
    "read_time",
    "real_magnitude",
    "refuse_repeated",
    "scaled",
    "signal_name",
    "species_of",
    "stated_in_metadata",
    "to_canonical",
    "was_subtracted",
]

F = TypeVar("F", bound=Callable[..., Any])

BACKGROUND_STDERR, BACKGROUND_OVERLAP, BACKGROUND_SCATTER = (
    f"_{end}" for end in vocabulary.OF_BACKGROUND
)
#: Ends of the names of what stands beside a measured variable: in its unit, or in others too.
IN_ITS_UNIT = ("_stderr", BACKGROUND_STDERR)
BESIDE = (*IN_ITS_UNIT, "_counts", BACKGROUND_OVERLAP, BACKGROUND_SCATTER)


def on_canonical_data(function: F) -> F:
    """Decorate a function to get data in canonical units, and return the kind that was given."""

    @wraps(function)
    def call(data: xr.Dataset, **arguments: Any) -> Any:
        if not isinstance(data, xr.Dataset):
            raise TypeError(
                f"{function.__name__} takes an xarray Dataset, found {type(data).__name__}"
            )
        result = function(to_canonical(units.dequantify(data)), **arguments)
        if isinstance(result, xr.Dataset):
            result = with_ancillaries(result)
        return units.quantify(result) if units.is_quantified(data) else result

    return cast("F", call)


def to_canonical(ds: xr.Dataset, whose: str = "") -> xr.Dataset:
    """Convert measured variables, their standard errors, and the axis to canonical units.

    Parameters
    ----------
    ds : Dataset
        Plain.
    whose : str, optional
        Beginning of the messages: ``"measurement 'w1': "``.

    Raises
    ------
    UnitsError
        If one of them has no unit, or one of another kind.
    ProfileError
        If one does not hold real numbers.
    """
    kinds: dict[str, tuple[str, ...]] = {axis: (axis,) for axis in vocabulary.AXES}
    for name in vocabulary.QUANTITIES:
        kinds |= {name + end: vocabulary.kinds(name) for end in ("", *IN_ITS_UNIT)}
    changed = {}
    for name in [name for name in kinds if name in ds.variables]:
        variable = ds.variables[name]
        magnitude, unit = real_magnitude(variable, kinds[name], f"{whose}{name}")
        attrs = {**variable.attrs, "units": unit.canonical}
        if not unit.is_canonical or attrs != variable.attrs:
            changed[name] = (variable.dims, unit.to_canonical(magnitude), attrs)
    axes = {name: changed.pop(name) for name in vocabulary.AXES if name in changed}
    return ds.assign_coords(axes).assign(changed) if axes or changed else ds


def real_magnitude(
    array: xr.DataArray | xr.Variable, kinds: tuple[str, ...], name: str
) -> tuple[Any, units.Unit]:
    """Return the magnitude and the unit of an array; refuse values that are not real numbers."""
    magnitude, unit = units.magnitude_and_unit(array, kinds, name)
    if magnitude.dtype.kind not in "fiu":  # text, booleans, complex numbers, dates
        raise ProfileError(f"{name}: expected real numbers, found values of type {magnitude.dtype}")
    return magnitude, unit


def scaled(ds: xr.Dataset, name: str, factor: float | xr.Variable) -> dict[str, xr.Variable]:
    """Multiply a variable by a factor, and with it what stands beside it in its unit.

    Returns
    -------
    dict
        By the ends of their names (``""``, ``"_stderr"``, ``"_counts"``...): the variable and
        everything beside it; what is in another unit, as counts are, is not multiplied.
    """
    found = {end: ds[name + end].variable for end in ("", *BESIDE) if name + end in ds}
    for end in {"", *IN_ITS_UNIT} & found.keys():
        product = (found[end] * factor).transpose(*found[""].dims, missing_dims="ignore")
        found[end] = xr.Variable(product.dims, product.data, found[end].attrs)
    return found


def list_variables(ds: xr.Dataset) -> str:
    """List the variables with their units, for messages."""
    found = [f"{n} ({v.attrs.get('units', 'no unit')})" for n, v in ds.data_vars.items()]
    return ", ".join(found) or "no variables"


def signal_name(ds: xr.Dataset, question: str) -> str:
    """Return the name of the variable with intensities: in count/s, counts or arbitrary units."""
    for name in ("intensity", "counts", "intensity_arbitrary"):
        if name in ds.data_vars:
            return name
    raise UnitsError(
        f"{question} needs a count rate (count/s) or counts; the data have {list_variables(ds)}"
    )


def was_subtracted(ds: xr.Dataset, unit: str) -> bool:
    """Whether a background was subtracted, from variables in a unit."""
    before = ds.coords.get("subtracted_background")
    return before is not None and before.attrs["units"] == unit


def species_of(ds: xr.Dataset | xr.DataArray, *asked: Any, name: str = "species") -> list[str]:
    """List the species; check that each requested one occurs exactly once.

    Raises
    ------
    SpeciesError
        If one of them is missing; the message lists those in the data.
    ProfileError
        If one of them occurs more than once.
    """
    labels = ds.coords["species"].variable if "species" in ds.coords else None
    return known_species(labels, *asked, name=name)


def known_species(labels: xr.Variable | None, *asked: Any, name: str = "species") -> list[str]:
    """List the species of a coordinate; see :func:`species_of`."""
    if labels is None:
        raise SpeciesError(
            f"{name} names species, but the data have no coordinate that names them: "
            "data.assign_coords(species=[...])"
        )
    names = [str(label) for label in np.atleast_1d(labels.values)]
    unknown = [one for one in asked if one not in names]
    if unknown:
        raise SpeciesError(
            f"{name} names {', '.join(map(repr, unknown))}; the data have "
            f"{', '.join(map(repr, names)) or 'none'}"
        )
    refuse_repeated([one for one in names if one in asked])
    return names


def refuse_repeated(labels: Sequence[Any], what: str = "species") -> None:
    """Refuse repeated labels, which do not identify a profile."""
    twice = sorted(str(label) for label, number in Counter(labels).items() if number > 1)
    if twice:
        raise ProfileError(
            f"{what} {', '.join(map(repr, twice))} is in the data more than once, but is looked up "
            "by name; give each its own name, or select one with isel()"
        )


def argument(
    data: xr.Dataset | xr.DataArray, value: Any, kinds: tuple[str, ...], name: str
) -> xr.DataArray:
    """Read an argument with a unit, a scalar or several values, aligned with the data.

    Parameters
    ----------
    data : Dataset or DataArray
        The data that a DataArray is aligned with.
    value : str, Quantity, DataArray or mapping
        A mapping gives each species its own value, in any of the other forms; a DataArray with a
        scalar coordinate ``species`` applies to that species only.
    kinds : tuple of str
        Acceptable kinds of unit.
    name : str
        Name of the argument, for messages.

    Returns
    -------
    DataArray of float
        In the canonical unit, which is in its attrs; NaN for species not in a mapping.

    Raises
    ------
    UnitsError
        If it has no unit, or one of another kind.
    SpeciesError
        If it names a species that the data do not have.
    ProfileError
        If a DataArray lacks labels of the data, or has another length.
    """
    if isinstance(value, Mapping):
        return _by_species(data, value, kinds, name)
    if not isinstance(value, xr.DataArray):
        magnitude, unit = read_number(value, kinds, name)
        return xr.DataArray(magnitude, attrs={"units": unit.canonical})
    if _has_one_species(value) and "species" in data.coords:
        return _by_species(data, {str(value["species"].values): value}, kinds, name)
    magnitude, unit = units.magnitude_and_unit(value, kinds, name)
    labels = {dim: value[dim] for dim in value.dims if dim in value.coords}
    for axis in map(str, labels.keys() & set(vocabulary.AXES)):
        if "units" in labels[axis].attrs:
            values, of_axis = units.magnitude_and_unit(labels[axis], (axis,), f"{name}: {axis}")
            labels[axis] = xr.DataArray(of_axis.to_canonical(values), dims=axis)
    plain = xr.DataArray(
        unit.to_canonical(magnitude.astype(np.float64)),
        labels,
        value.dims,
        attrs={"units": unit.canonical},
    )
    return _in_order_of(data, plain, name)


def _by_species(
    data: xr.Dataset | xr.DataArray, given: Mapping[Any, Any], kinds: tuple[str, ...], name: str
) -> xr.DataArray:
    species_of(data, *given, name=name)
    if not given:
        raise ProfileError(f"{name} is empty; give a value for at least one species")
    read = {}
    for key, value in given.items():
        own = value
        if isinstance(value, xr.DataArray) and _has_one_species(value):
            if str(value["species"].values) != key:
                raise SpeciesError(f"{name}[{key!r}] is that of {str(value['species'].values)!r}")
            own = value.drop_vars("species")
        if isinstance(own, xr.DataArray) and "species" in own.dims:
            raise ProfileError(
                f"{name}[{key!r}] is over species; expected a value for {key!r} alone"
            )
        read[key] = argument(data, own, kinds, f"{name}[{key!r}]")
    found = {array.attrs["units"] for array in read.values()}
    if len(found) > 1:
        raise UnitsError(f"{name} mixes {' and '.join(sorted(found))}; expected one kind of value")
    columns = xr.broadcast(*read.values())
    joined = xr.concat(columns, xr.Variable("species", list(read)), join="exact")
    order = data["species"]
    if order.ndim:
        joined = joined.reindex(species=order.values)
    else:
        joined = joined.reindex(species=[order.item()]).isel(species=0, drop=True)
    if "species" in joined.dims:
        joined = joined.transpose(..., "species")
    return joined.assign_attrs(units=found.pop())


def _has_one_species(value: xr.DataArray) -> bool:
    """Whether a scalar coordinate says which species the values belong to."""
    return "species" in value.coords and value["species"].ndim == 0


def _in_order_of(data: xr.Dataset | xr.DataArray, value: xr.DataArray, name: str) -> xr.DataArray:
    """Reorder a DataArray to the order of the data, by label."""
    for dim, size in value.sizes.items():
        if dim not in data.dims:
            raise ProfileError(
                f"{name} is over {str(dim)!r}, and the data over "
                f"({', '.join(map(str, data.dims))}): add this dimension to the data first, for "
                f"instance with data.expand_dims({dim}=...)"
            )
        if dim not in value.coords or dim not in data.coords:
            if size != data.sizes[dim]:
                raise ProfileError(
                    f"{name} holds {size} values along {str(dim)!r}, and the data "
                    f"{data.sizes[dim]}; give it a coordinate {str(dim)!r} that says which value "
                    "belongs to which"
                )
            continue
        has, wanted = value.indexes[dim], data.indexes[dim]
        if has.has_duplicates:
            raise ProfileError(f"{name} has several values for one {dim}")
        nearest: dict[str, Any] = {}
        if dim in vocabulary.AXES and has.is_monotonic_increasing:
            # As two axes are compared, because unit conversions round.
            tolerance = AXIS_TOLERANCE * float(np.ptp(wanted))
            nearest = {"method": "nearest", "tolerance": tolerance}
        positions = has.get_indexer(wanted, **nearest)
        missing = list(map(str, wanted[positions < 0]))
        if missing:
            raise ProfileError(f"{name} has no value for {dim} {first_few(missing, 3)}")
        value = value.isel({dim: positions}).assign_coords({dim: data[dim].variable})
    return value


def read_number(value: Any, kinds: tuple[str, ...], name: str) -> tuple[float, units.Unit]:
    """Read one number with its unit, in canonical units; refuse several."""
    magnitude, unit = units.read_quantity(value, kinds, name)
    if np.ndim(magnitude):
        raise ProfileError(
            f"{name} holds {np.size(magnitude)} values; give a DataArray whose dimension says what "
            "they belong to"
        )
    return magnitude, unit


def read_positive(
    data: xr.Dataset | xr.DataArray, value: Any, kinds: tuple[str, ...], name: str
) -> xr.DataArray:
    """Read an argument that must be positive and finite, or NaN for some species."""
    read = argument(data, value, kinds, name)
    check_positive(read, value, name)
    return read


def check_positive(read: xr.DataArray, value: Any, name: str) -> None:
    """Refuse an argument that is not positive and finite; some of its values may be NaN."""
    if read.chunks is not None:
        return
    wrong = ~((read > 0) & np.isfinite(read)) & read.notnull()
    if bool(wrong.any()) or bool(read.isnull().all()):
        raise ProfileError(f"{name}={format_argument(value)} must be positive")


def in_window(array: xr.DataArray, window: Any) -> xr.DataArray:
    """Mask the samples outside a depth (or time) window with NaN.

    Parameters
    ----------
    window : (start, stop)
        Text, Quantities or DataArrays; None for no limit.

    Raises
    ------
    UnitsError
        If a limit has no unit of the axis.
    ProfileError
        If it is not a pair, or its end does not come after its start.
    """
    if not isinstance(window, tuple | list) or len(window) != 2:
        raise ProfileError(f"window={window!r}; expected (start, stop), such as ('800 nm', '1 um')")
    axis = axis_name(array)
    ends = {"start": xr.DataArray(-np.inf), "stop": xr.DataArray(np.inf)}
    for end, limit in zip(ends, window, strict=True):
        if limit is not None:
            ends[end] = argument(array, limit, (axis,), f"window {end}")
    start, stop = ends.values()
    if bool((start >= stop).any()):
        raise ProfileError(f"window={window!r}: the end must come after the start")
    return array.where((array[axis] >= start) & (array[axis] <= stop))


def mean_in_window(array: xr.DataArray, window: Any) -> xr.DataArray:
    """Return the mean of each profile over a depth (or time) window.

    Raises
    ------
    ProfileError
        If the window holds no sample of a profile that has some; as for :func:`in_window`.
    """
    dim, inside = axis_of(array), in_window(array, window)
    empty = ~inside.notnull().any(dim) & array.notnull().any(dim)
    if empty.chunks is None and bool(empty.any()):
        raise ProfileError(f"window={window!r} holds no sample of {name_profiles(empty)}")
    return inside.mean(dim).reset_coords(drop=True)


def stated_in_metadata(
    ds: xr.Dataset, key: str, read: Callable[[Any, str], float]
) -> xr.DataArray | None:
    """Read the values of a key of the species' metadata, such as ``"0.99 s"``.

    Parameters
    ----------
    read : callable
        Takes a value, and a name for messages.

    Returns
    -------
    DataArray or None
        NaN for species whose metadata lack the key; None if all do.
    """
    if "species_metadata" not in ds.coords:
        return None
    texts = ds["species_metadata"]
    numbers = np.full(texts.shape, np.nan)
    for index in np.ndindex(texts.shape):
        metadata = orjson.loads(str(texts.values[index]) or "null")
        if isinstance(metadata, dict) and metadata.get(key) is not None:
            numbers[index] = read(metadata[key], f"species_metadata[{key!r}]")
    if np.isnan(numbers).all():
        return None
    labels = {dim: texts[dim] for dim in texts.dims if dim in texts.coords}
    return xr.DataArray(numbers, labels, texts.dims)


def read_time(value: Any, name: str) -> float:
    """Read a time, in s."""
    return float(units.read_quantity(value, ("sputter_time",), name)[0])


def label_of(array: xr.DataArray, where: xr.DataArray) -> str:
    """Describe the first flagged sample, for messages: species, depth, value.

    Parameters
    ----------
    array : DataArray
        The values, with coordinates.
    where : DataArray of bool
        With the dimensions of `array`.
    """
    where = where.transpose(*array.dims)
    index = dict(zip(array.dims, np.argwhere(where.values)[0], strict=True))
    one, axis = array.isel(index), axis_name(array)
    place = f"{axis.replace('_', ' ')} {one[axis].item():g} {array[axis].attrs.get('units', '')}"
    more = int(where.sum()) - 1
    others = f" (and {more} more)" if more else ""
    words = ", ".join([*_labels(array, index), place.strip()])
    return f"{words}: {one.item():g} {array.attrs.get('units', '')}{others}"


def name_profiles(where: xr.DataArray) -> str:
    """Name the flagged profiles, for messages: ``measurement 'w1', species 'B'``.

    Parameters
    ----------
    where : DataArray of bool
        One value for each profile, with coordinates.
    """
    flagged = [dict(zip(where.dims, index, strict=True)) for index in np.argwhere(where.values)]
    names = [", ".join(_labels(where, index)) or "the profile" for index in flagged[:3]]
    more = [f"{len(flagged) - len(names)} more"] if len(flagged) > len(names) else []
    return " and ".join([*names, *more])


def _labels(array: xr.DataArray, index: Mapping[Hashable, int]) -> list[str]:
    """Name the profile at an index of an array, by measurement, species and what else there is."""
    one = array.isel(index)
    parts = []
    for name in dict.fromkeys([MEASUREMENT, "species", *map(str, array.dims)]):
        if name in (*vocabulary.AXES, POINT):
            continue
        label = one.coords[name].item() if name in one.coords else index.get(name)
        if label is not None:
            parts.append(f"{name} {str(label)!r}")
    return parts
