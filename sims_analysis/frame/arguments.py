"""Pure numbers, and arguments that have to be positive or differ between profiles only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from sims_analysis import units
from sims_analysis.errors import ProfileError, ProfileWarning
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.messages import warn_where
from sims_analysis.frame.run import anywhere, is_lazy
from sims_analysis.text.arguments import argument_error, format_argument, is_number, list_dims


def read_change(
    frame: Frame, value: Any, kinds: tuple[str, ...], name: str, *, positive: bool = True
) -> xr.Variable:
    """Read an argument that changes the data; a warning says which profiles stay as they are.

    As :meth:`Frame.parameter`, of one species alone if it names one, without further dimensions. It
    must be `positive` and finite; NaN for no value, of species that a mapping leaves out as well.
    """
    numbers = frame.parameter(value, kinds, name, alone=True)
    refuse_cases(frame, numbers, name)
    if positive:
        refuse_not_positive(numbers, value, name)
    if anywhere(numbers.isnull()):
        unknown = frame.measured() & numbers.isnull()
        if isinstance(value, Mapping):
            unknown = unknown & frame.of_species(*value)
        elif isinstance(value, xr.DataArray) and "species" in value.coords:
            unknown = unknown & frame.of_species(*np.ravel(value["species"]))
        warn_where(frame, unknown, f"{name} is NaN: left as it is", ProfileWarning, argument=name)
    return numbers


def read_pure(frame: Frame, value: Any, name: str, expected: str) -> xr.Variable:
    """Read a pure number, or a DataArray of them, in the unit ``1`` or without a unit."""
    if isinstance(value, xr.DataArray):
        has_unit = "units" in value.attrs or units.is_quantity(value.data)
        stated = value if has_unit else value.assign_attrs(units="1")
        return frame.parameter(stated, ("dimensionless",), name)
    if units.is_quantity(value) and value.dimensionless:
        value = np.asarray(value.to("dimensionless").magnitude)[()]  # some registries make arrays
    if not is_number(value):
        hint = ", as a number without quotes or a unit" if isinstance(value, str) else ""
        raise argument_error(name, value, f"expected {expected}{hint}")
    return xr.Variable((), float(value))


def refuse_not_positive(argument: xr.Variable, value: Any, name: str) -> None:
    """Refuse values that are not positive and finite; NaN means no value. Not on Dask."""
    if is_lazy(argument):
        return
    numbers = np.asarray(argument.data)
    stated = numbers[~np.isnan(numbers)]
    if not stated.size or not ((stated > 0) & np.isfinite(stated)).all():
        note = "" if stated.size else ", and is NaN"
        raise ProfileError(f"{name}={format_argument(value)} must be positive{note}", argument=name)


def refuse_cases(frame: Frame, argument: xr.Variable, name: str) -> None:
    """Refuse an argument over a dimension that the data do not have."""
    for dim in argument.dims:
        if dim not in frame.value.dims:
            raise ProfileError(
                f"{name} is over {str(dim)!r}, and the data over "
                f"{list_dims(frame.value.dims)}: add this dimension to the data first, "
                f"for instance with data.expand_dims({dim}=...)",
                argument=name,
            )
