"""Data in other units than the canonical ones, for people and programs that want them."""

from __future__ import annotations

from typing import Any

import xarray as xr

from sims_analysis import vocabulary
from sims_analysis.conventions.axes import axis_name, edge_names
from sims_analysis.conventions.canonical import IN_ITS_UNIT, list_variables
from sims_analysis.errors import UnitsError
from sims_analysis.units import CANONICAL, Data, is_quantified, magnitude_and_unit, unit_of_kind


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
            "pint-xarray, or dequantify() the data first"
        )
    found: Any = (
        _of_dataset(data, units) if isinstance(data, xr.Dataset) else _of_array(data, units)
    )
    restated: Data = found
    return restated


def _of_dataset(data: xr.Dataset, units: dict[str, str]) -> xr.Dataset:
    ancillary = {
        name: [one for end in ("", *IN_ITS_UNIT) if (one := f"{name}{end}") in data.variables]
        for name in units
    }
    return _converted(data, units, ancillary, {})


def _of_array(data: xr.DataArray, units: dict[str, str]) -> xr.DataArray:
    """Convert an array, and its ancillary coordinates; inside, it has a name of its own."""
    inside = "__value__"
    coords = [end[1:] for end in IN_ITS_UNIT if end[1:] in data.coords]
    plain = data.to_dataset(name=inside, promote_attrs=False).reset_coords(coords)
    renamed = {inside if key == data.name else key: text for key, text in units.items()}
    found = _converted(plain, renamed, {inside: [inside, *coords]}, {inside: str(data.name)})
    return found.set_coords(coords)[inside].rename(data.name)


def _converted(
    ds: xr.Dataset, units: dict[str, str], ancillary: dict[str, list[str]], names: dict[str, str]
) -> xr.Dataset:
    """Convert variables and their ancillary ones; `names` are the names for messages, if others."""
    changed: dict[str, xr.Variable] = {}
    for key, text in units.items():
        name = names.get(key, key)
        if key not in ds.variables:
            raise UnitsError(
                f"with_units({name}={text!r}): the data have no {name!r}; they have "
                f"{list_variables(ds.rename(names))}, and the axes "
                f"{', '.join(axis for axis in vocabulary.AXES if axis in ds.coords)}"
            )
        for one in (*(ancillary.get(key) or [key]), *_edges_of(ds, key)):
            variable = ds.variables[one]
            # By the CF conventions, bounds are in the unit of their axis and have no attrs.
            stated = ds.variables[key] if one.endswith("_bounds") else variable
            unit = magnitude_and_unit(stated, _kinds(name), names.get(one, one))[1]
            target = unit_of_kind(text, (unit.kind,), f"with_units({name}={text!r})")
            values = target.from_canonical(unit.to_canonical(variable.data))
            attrs = variable.attrs if one.endswith("_bounds") else {**variable.attrs, "units": text}
            changed[one] = xr.Variable(variable.dims, values, attrs)
    return ds.assign(changed)


def _edges_of(ds: xr.Dataset, name: str) -> list[str]:
    """Return the names of the edges of cells on an axis, which are converted with it."""
    if name not in vocabulary.AXES or axis_name(ds) != name:
        return []
    return edge_names(ds, name)


def _kinds(name: str) -> tuple[str, ...]:
    """Return the possible kinds of a variable; a name that is no quantity's says nothing of it."""
    return vocabulary.kinds(name) if name in vocabulary.MEASURED else tuple(CANONICAL)
