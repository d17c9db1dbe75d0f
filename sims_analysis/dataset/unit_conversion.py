"""Data in other units than the canonical ones, for output."""

from __future__ import annotations

import xarray as xr

from sims_analysis import vocabulary
from sims_analysis.conventions.axes import axis_name
from sims_analysis.conventions.canonical import IN_ITS_UNIT, list_variables
from sims_analysis.conventions.cells import edge_names
from sims_analysis.errors import UnitsError
from sims_analysis.units import CANONICAL, Data, is_quantified, magnitude_and_unit, unit_of_kind

#: Name of an array inside, where it is a variable of a Dataset.
_ARRAY = "__value__"


def with_units(data: Data, /, **units: str) -> Data:
    """Convert variables and axes to other units, with their standard errors, limits and bounds.

    Parameters
    ----------
    data : Dataset or DataArray
        Plain, with units in ``attrs["units"]``.
    **units : str
        By name: ``depth="um"``, ``concentration="1/m^3"``, ``dose="atoms/m^2"``. A DataArray is
        named by its own name.

    Returns
    -------
    Dataset or DataArray
        With the values, standard errors and backgrounds in these units, each with its unit in
        ``attrs["units"]``, as it was written. Every function takes such data, and answers in
        canonical units.

    Raises
    ------
    UnitsError
        If there is no such variable, or the unit is of another kind; for a pint-backed view, which
        pint converts itself.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> si = sims.with_units(ds, depth="um", concentration="1/m^3")
    >>> b = si["concentration"].sel(species="B")
    >>> print(f"{b.max().item():.3e} {b.attrs['units']} at {b.idxmax().item():.3f} um")
    7.008e+25 1/m^3 at 0.075 um
    >>> print(f"{sims.integrated_dose(si, stop='300 nm').sel(species='B').item():.3e}")
    5.031e+14
    """
    if is_quantified(data):
        raise UnitsError(
            "with_units is for plain data; pint converts Quantities itself, with .pint.to(...) of "
            "pint-xarray, or dequantify() the data first",
            code="invalid_argument",
            argument="data",
        )
    if isinstance(data, xr.Dataset):
        return _converted(data, units, "")
    # As in a Dataset, its ancillary coordinates have its name before their own.
    coords = {end[1:]: f"{_ARRAY}{end}" for end in IN_ITS_UNIT if end[1:] in data.coords}
    inside = data.to_dataset(name=_ARRAY, promote_attrs=False).rename(coords)
    renamed = {_ARRAY if key == data.name else key: text for key, text in units.items()}
    array = _converted(inside, renamed, str(data.name))[_ARRAY]
    return array.rename({new: old for old, new in coords.items()}).rename(data.name)


def _converted(ds: xr.Dataset, units: dict[str, str], array: str) -> xr.Dataset:
    """Convert variables with what belongs to them; `array` is the name of `_ARRAY` in messages."""
    changed: dict[str, xr.Variable] = {}
    for key, text in units.items():
        name = array if key == _ARRAY else key
        if key not in ds.variables:
            raise UnitsError(
                f"with_units({name}={text!r}): the data have no {name!r}; they have "
                f"{list_variables(ds).replace(_ARRAY, array)}, and the axes "
                f"{', '.join(axis for axis in vocabulary.AXES if axis in ds.coords)}",
                code="missing_variable",
                argument=name,
            )
        ancillary = [var for end in IN_ITS_UNIT if (var := f"{key}{end}") in ds.variables]
        is_axis = key in vocabulary.AXES and axis_name(ds) == key
        # Only the names of measured quantities imply a kind.
        kinds = vocabulary.kinds(name) if name in vocabulary.MEASURED else tuple(CANONICAL)
        for var in (key, *ancillary, *(edge_names(ds, key) if is_axis else ())):
            variable = ds.variables[var]
            # In the CF conventions, bounds are in the unit of their axis and have no attrs.
            stated = ds.variables[key] if var.endswith("_bounds") else variable
            unit = magnitude_and_unit(stated, kinds, var.replace(_ARRAY, array))[1]
            target = unit_of_kind(text, (unit.kind,), f"with_units({name}={text!r})")
            values = target.from_canonical(unit.to_canonical(variable.data))
            attrs = variable.attrs if var.endswith("_bounds") else {**variable.attrs, "units": text}
            changed[var] = xr.Variable(variable.dims, values, attrs)
    return ds.assign(changed)
