"""Data and arguments in canonical units, for functions that use plain xarray arithmetic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, TypeVar, cast

import numpy as np
import xarray as xr

from sims_analysis import units, vocabulary
from sims_analysis.conventions.cf import with_ancillaries
from sims_analysis.errors import ProfileError, SpeciesError, UnitsError
from sims_analysis.text.arguments import check_call, type_error

F = TypeVar("F", bound=Callable[..., Any])

#: Ends of the names of ancillary variables in the unit of their measured variable, and of this
#: and all its ancillary ones.
IN_ITS_UNIT = ("_stderr", "_background_stderr", "_scatter", f"_{vocabulary.LIMIT}")
ENDS = (
    "",
    *IN_ITS_UNIT,
    "_counts",
    "_background_overlap",
    "_background_scatter",
    f"_{vocabulary.QUALITY}",
)


def on_canonical_data(function: F) -> F:
    """Decorate a function to get plain data in canonical units, and return Quantities for such."""

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        check_call(function, len(args), kwargs)
        data, *rest = args or [kwargs.pop("data", None)]
        if not isinstance(data, xr.Dataset):
            raise type_error("data", data, f"{function.__name__} takes an xarray Dataset")
        result = function(to_canonical(units.dequantify(data)), *rest, **kwargs)
        if isinstance(result, xr.Dataset):
            result = with_ancillaries(result)
        return units.quantify(result) if units.is_quantified(data) else result

    return cast("F", call)


def to_canonical(ds: xr.Dataset, prefix: str = "") -> xr.Dataset:
    """Convert measured variables, their ancillary ones, and the axis to canonical units.

    Messages begin with the prefix, ``"measurement 'w1': "``.
    """
    kinds: dict[str, tuple[str, ...]] = {axis: (axis,) for axis in vocabulary.AXES}
    for name in vocabulary.MEASURED:
        kinds |= {name + end: vocabulary.kinds(name) for end in ("", *IN_ITS_UNIT)}
    changed = {}
    for name in [name for name in kinds if name in ds.variables]:
        variable = ds.variables[name]
        magnitude, unit = units.magnitude_and_unit(variable, kinds[name], f"{prefix}{name}")
        attrs = {**variable.attrs, "units": unit.canonical}
        if not unit.is_canonical or attrs != variable.attrs:
            changed[name] = (variable.dims, unit.to_canonical(magnitude), attrs)
        if name in vocabulary.AXES and not unit.is_canonical and f"{name}_bounds" in ds.coords:
            bounds = ds.variables[f"{name}_bounds"]  # in the unit of their axis, without attrs
            changed[f"{name}_bounds"] = (bounds.dims, unit.to_canonical(bounds.data), bounds.attrs)
    return ds.assign(changed) if changed else ds


def scaled(ds: xr.Dataset, name: str, factor: float | xr.Variable) -> dict[str, xr.Variable]:
    """Multiply a variable by a factor, and with it the ancillary ones in its unit.

    By the ends of their names (``""``, ``"_stderr"``...); those in another unit, such as counts,
    are unchanged.
    """
    columns = {end: ds[name + end].variable for end in ENDS if name + end in ds}
    for end in {"", *IN_ITS_UNIT} & columns.keys():
        product = (columns[end] * factor).transpose(*columns[""].dims, missing_dims="ignore")
        columns[end] = xr.Variable(product.dims, product.data, columns[end].attrs)
    return columns


def list_variables(ds: xr.Dataset) -> str:
    """List the variables with their units, for messages."""
    listed = [f"{n} ({v.attrs.get('units', 'no unit')})" for n, v in ds.data_vars.items()]
    return ", ".join(listed) or "no variables"


def signal_name(ds: xr.Dataset, question: str) -> str:
    """Return the name of the variable with intensities: in count/s, counts or arbitrary units."""
    names = ("intensity", "counts", "intensity_arbitrary")
    return first_of(ds, names, f"{question} needs a count rate (count/s) or counts")


def first_of(
    ds: xr.Dataset, names: Sequence[Any], otherwise: str, fits: Callable[[str], bool] | None = None
) -> str:
    """Return the first variable of some names (that fits); otherwise raise that message."""
    for name in names:
        if isinstance(name, str) and name in ds.data_vars and (fits is None or fits(name)):
            return name
    raise UnitsError(f"{otherwise}; the data have {list_variables(ds)}", code="missing_variable")


def was_subtracted(ds: xr.Dataset, unit: str) -> bool:
    """Whether a background was subtracted, from variables in a unit."""
    background = ds.coords.variables.get("subtracted_background")
    return background is not None and background.attrs["units"] == unit


def species_of(ds: xr.Dataset | xr.DataArray, *requested: Any, name: str = "species") -> list[str]:
    """List the species; refuse requested ones that are not there, or more than once."""
    labels = ds.coords["species"].variable if "species" in ds.coords else None
    return known_species(labels, *requested, name=name)


def known_species(labels: xr.Variable | None, *requested: Any, name: str = "species") -> list[str]:
    """List the species of a coordinate; see :func:`species_of`."""
    if labels is None:
        raise SpeciesError(
            f"{name}: the data have no coordinate of species to look it up; add "
            "data.assign_coords(species=[...])",
            argument=name,
        )
    names = [str(label) for label in np.atleast_1d(labels.values)]
    unknown = [label for label in requested if label not in names]
    if unknown:
        raise SpeciesError.missing(unknown[0], names, argument=name).within(name)
    refuse_repeated([label for label in names if label in requested])
    return names


def refuse_repeated(labels: Sequence[Any], what: str = "species") -> None:
    """Refuse repeated labels, which do not identify a profile."""
    names = sorted(str(label) for label, number in Counter(labels).items() if number > 1)
    if names:
        raise ProfileError(
            f"{what} {', '.join(map(repr, names))} is in the data more than once, but is looked up "
            "by name; give each its own name, or select one with isel()",
            code="repeated_species",
        )
