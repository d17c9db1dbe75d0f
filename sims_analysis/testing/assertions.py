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
    if type(actual) is not type(desired):
        kinds = type(actual).__name__, type(desired).__name__
        raise AssertionError("a {} is compared with a {}".format(*kinds))
    a, b = _canonical(actual), _canonical(desired)
    for name in a.variables.keys() & b.variables.keys():
        of_a, of_b = (data.variables[name].attrs.get("units") for data in (a, b))
        if of_a != of_b:
            raise AssertionError(f"{name}: the units differ: {of_a!r} and {of_b!r}")
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


def _canonical(data: Any) -> xr.Dataset:
    """Return plain data in canonical units; of an array, a Dataset with a variable of this name."""
    plain = dequantify(data)
    if isinstance(plain, xr.DataArray):
        plain = plain.to_dataset(name="the array", promote_attrs=False)
    changed = {name: _converted(variable) for name, variable in plain.variables.items()}
    coords = {name: changed.pop(name) for name in plain.coords}
    return xr.Dataset(changed, coords=coords, attrs=plain.attrs)


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
