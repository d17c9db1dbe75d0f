"""Assertions that see units.

``xarray.testing.assert_allclose`` accepts 1 nm and 1 um as equal, because it compares only numbers.
These assertions compare quantities, whether units are in attrs or in pint Quantities.
"""

from __future__ import annotations

from typing import Any

import xarray as xr

from sims_analysis.errors import UnitsError
from sims_analysis.units import dequantify, read_unit


def assert_allclose(actual: Any, desired: Any, *, rtol: float = 1e-9, atol: float = 0.0) -> None:
    """Assert that two data agree in values, coordinates and kind of unit.

    Parameters
    ----------
    actual, desired : Dataset or DataArray
        Plain or quantified, in any units: 1000 nm agree with 1 um.
    rtol, atol : float
        Tolerances, as in :func:`numpy.testing.assert_allclose`; `atol` in canonical units
        (``nm``, ``atom/cm^3``...).

    Raises
    ------
    AssertionError
        Names the variable, and says whether its unit or its values differ.

    Examples
    --------
    >>> import xarray as xr
    >>> import sims_analysis as sims
    >>> nm = xr.DataArray([1000.0], dims="x", attrs={"units": "nm"})
    >>> um = xr.DataArray([1.0], dims="x", attrs={"units": "um"})
    >>> sims.testing.assert_allclose(nm, um)
    """
    a, b = _canonical(actual), _canonical(desired)
    _same_units(a, b)
    xr.testing.assert_allclose(a, b, rtol=rtol, atol=atol)


def assert_identical(actual: Any, desired: Any) -> None:
    """Assert that two data are the same, bit for bit, with names and attrs.

    A quantified view is the same as the plain data it shows.

    Parameters
    ----------
    actual, desired : Dataset or DataArray

    Raises
    ------
    AssertionError
        Shows the difference.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> sims.testing.assert_identical(sims.quantify(ds), ds)
    """
    xr.testing.assert_identical(dequantify(actual), dequantify(desired))


def _canonical(data: Any) -> Any:
    """Return plain data in canonical units."""
    plain = dequantify(data)
    coords = {name: _converted(one.variable) for name, one in plain.coords.items()}
    if isinstance(plain, xr.DataArray):
        return xr.DataArray(_converted(plain.variable), coords=coords, name=plain.name)
    variables = {name: _converted(one.variable) for name, one in plain.data_vars.items()}
    return xr.Dataset(variables, coords=coords, attrs=plain.attrs)


def _converted(variable: xr.Variable) -> xr.Variable:
    plain = xr.Variable(variable.dims, variable.data, variable.attrs)
    if variable.dtype.kind not in "iuf":
        return plain
    try:
        unit = read_unit(variable.attrs.get("units"))
    except UnitsError:  # none, or of a fit's parameter, such as "count/s / nm": compared as it is
        return plain
    attrs = {**variable.attrs, "units": unit.canonical}
    return xr.Variable(variable.dims, unit.to_canonical(variable.values), attrs)


def _same_units(a: Any, b: Any) -> None:
    if type(a) is not type(b):
        raise AssertionError(f"a {type(a).__name__} is compared with a {type(b).__name__}")
    of_a, of_b = _units(a), _units(b)
    for name in of_a.keys() & of_b.keys():
        if of_a[name] != of_b[name]:
            raise AssertionError(
                f"{name or 'the array'}: the units differ: {of_a[name]!r} and {of_b[name]!r}"
            )


def _units(data: Any) -> dict[str, Any]:
    arrays = {str(name): array for name, array in data.coords.items()}
    if isinstance(data, xr.DataArray):
        arrays[""] = data
    else:
        arrays |= {str(name): array for name, array in data.data_vars.items()}
    return {name: array.attrs.get("units") for name, array in arrays.items()}
