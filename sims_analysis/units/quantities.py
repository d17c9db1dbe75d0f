"""Values with a unit: scalars as strings or Quantity, arrays with attrs, the pint-backed view."""

from __future__ import annotations

import re
import reprlib
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

import numpy as np

from sims_analysis.errors import ProfileError, UnitsError, about
from sims_analysis.text.arguments import argument_error, is_number, type_error
from sims_analysis.units.application import application_registry
from sims_analysis.units.definitions import CANONICAL, Unit, example, read_unit, unit_of_kind
from sims_analysis.units.typography import plain as plainly
from sims_analysis.units.udunits import in_udunits

if TYPE_CHECKING:
    from collections.abc import Callable

    import xarray as xr


class QuantityOfPint(Protocol):
    """A pint Quantity: each registry has a class of its own, so its parts say what it is."""

    @property
    def magnitude(self) -> Any:
        """The number, or array of numbers."""

    @property
    def units(self) -> Any:
        """The unit."""


#: A value with a unit: ``"50 nm"``, or a pint Quantity. A bare number is refused.
QuantityLike: TypeAlias = str | QuantityOfPint
#: One value for all profiles or, as a DataArray, one for each.
ParameterLike: TypeAlias = "str | QuantityOfPint | xr.DataArray"
#: Start and stop of a window.
WindowLike: TypeAlias = tuple[ParameterLike, ParameterLike]

#: Data of one type, which a function takes and returns.
Data = TypeVar("Data", "xr.Dataset", "xr.DataArray")

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_QUANTITY = re.compile(rf"({_NUMBER})\s*(.*)", re.DOTALL)
#: ``1.5x10^18``, ``10^18``: a power of ten as written in papers.
_POWER_OF_TEN = re.compile(rf"(?:({_NUMBER})\s*[x*]\s*)?(?<![\d.])10\^([+-]?\d+)(?![\d.])")
_DECIMAL_COMMA = re.compile(r"\s*[+-]?\d+,\d")


def read_number(value: Any, kinds: tuple[str, ...], name: str) -> float:
    """Read one number with its unit, in the canonical unit of its kind; see `read_quantity`."""
    return read_quantity(value, kinds, name)[0]


#: ``5 %``: of a whole, or of the value itself, and therefore not read as a unit.
_PERCENT = re.compile(r"\s*([+]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(?:%|percent)\s*")


def part_of_one(value: Any) -> float | None:
    """Return ``0.05``, ``"5 %"`` or a Quantity without dimension as a number; None for others."""
    if isinstance(value, str) and (match := _PERCENT.fullmatch(value)):
        return float(match[1]) / 100.0
    if is_quantity(value) and value.dimensionless and np.ndim(value.magnitude) == 0:
        return float(value.to("dimensionless").magnitude)
    return float(value) if is_number(value) else None


def read_fraction(value: Any, name: str, *, of: str = "", ends: str = "()") -> float:
    """Read a fraction from 0 to 1, as :func:`part_of_one`; without 0, or 1, at a round bracket.

    Messages say what it is a fraction `of`.
    """
    part = part_of_one(value)
    inside = part is not None and 0.0 <= part <= 1.0
    if part is None or not inside or (part, ends[0]) == (0, "(") or (part, ends[1]) == (1, ")"):
        least = "at least 0" if ends[0] == "[" else "above 0"
        most = "at most 1" if ends[1] == "]" else "below 1"
        expected = f"expected a fraction{' of ' * bool(of)}{of}, {least} and {most}"
        raise argument_error(name, value, f"{expected}, such as 0.2 or '20 %'")
    return part


def read_quantity(value: Any, kinds: tuple[str, ...], name: str) -> tuple[float, Unit]:
    """Read one value as :func:`read_quantities` does; several numbers are refused."""
    magnitude, unit = read_quantities(value, kinds, name)
    if np.ndim(magnitude):
        raise ProfileError(
            f"{name} has {np.size(magnitude)} values; give a DataArray whose dimension says what "
            "they belong to",
            argument=name,
        )
    return float(magnitude), unit


def read_quantities(value: Any, kinds: tuple[str, ...], name: str) -> tuple[Any, Unit]:
    """Read ``"50 nm"`` or a pint Quantity; return the canonical magnitude and the unit.

    A bare number has no unit and is refused, as is a unit of another kind, or a magnitude that is
    no real number. The name is that of the argument, for messages.
    """
    read = _read_text if isinstance(value, str) else _read
    with about(argument=name):
        return read(value, kinds, name)


def _read(value: Any, kinds: tuple[str, ...], name: str) -> tuple[Any, Unit]:
    """Read a Quantity; refuse anything else."""
    symbol = example(kinds)
    if hasattr(value, "magnitude") and hasattr(value, "unit_items"):
        unit = unit_of_kind(_pint_text(value), kinds, name)
        magnitude = _real(np.asarray(value.magnitude), name).astype(np.float64)
        converted = unit.to_canonical(magnitude)
        return (float(converted) if magnitude.ndim == 0 else converted), unit
    if hasattr(value, "dims") or isinstance(value, (list, tuple, np.ndarray)):
        shown = f"a DataArray over {value.dims}" if hasattr(value, "dims") else reprlib.repr(value)
        raise UnitsError(
            f"{name}={shown}: expected one value, such as '50 {symbol}'; where several can be "
            f'given, xr.DataArray(values, dims="case", attrs={{"units": "{symbol}"}})',
            code="not_a_quantity",
            argument=name,
        )
    number = f"{value:g}" if is_number(value) else "50"
    if kinds == ("dimensionless",):
        text = f"{name}={value!r}: write a pure number as a string, '{number}'"
        raise UnitsError(text, code="missing_unit")
    raise UnitsError(
        f"{name}={value!r} has no unit; write it like '{number} {symbol}' or give a pint Quantity",
        code="missing_unit",
    )


@lru_cache(maxsize=1024)
def _read_text(value: str, kinds: tuple[str, ...], name: str) -> tuple[float, Unit]:
    """Read ``"50 nm"``; cached, because the same few strings are read repeatedly."""
    symbol = example(kinds)
    if _DECIMAL_COMMA.match(value):
        raise UnitsError(
            f"{name}={value!r}: write a decimal point, not a comma", code="not_a_quantity"
        )
    match = _QUANTITY.fullmatch(_POWER_OF_TEN.sub(_exponential, plainly(value), count=1))
    if match is None:
        raise UnitsError(
            f"{name}={value!r} is not a number with a unit, such as '50 {symbol}'",
            code="not_a_quantity",
        )
    # A pure number in quotes has no unit where it needs none.
    pure = "1" if kinds == ("dimensionless",) else None
    unit = unit_of_kind(match[2] or pure, kinds, f"{name}={value!r}")
    return float(unit.to_canonical(float(match[1]))), unit


def _exponential(match: re.Match[str]) -> str:
    """Rewrite a power of ten with an exponent, so that the number is rounded once."""
    mantissa = match[1] or "1"
    if "e" in mantissa.casefold():
        return match[0]
    return f"{mantissa}e{match[2]} "


def _pint_text(quantity: Any) -> str:
    """Spell a pint unit from its parts, because pint's formatting changes between versions."""
    parts = [name if power == 1 else f"{name}^{power:g}" for name, power in quantity.unit_items()]
    return " ".join(parts) or "1"


def is_quantity(array: Any) -> bool:
    """Whether an array is a pint Quantity."""
    # A type check is faster than the lookup of a missing attribute.
    if type(array) is np.ndarray:
        return False
    return hasattr(array, "magnitude") and hasattr(array, "unit_items")


def is_quantified(data: xr.Dataset | xr.DataArray) -> bool:
    """Whether data are a pint-backed view: whether one of their variables is a Quantity."""
    if not hasattr(data, "data_vars"):
        return is_quantity(data.data)
    return any(is_quantity(data.variables[name].data) for name in data.data_vars)


def magnitude_and_unit(
    array: xr.DataArray | xr.Variable, kinds: tuple[str, ...], name: str
) -> tuple[Any, Unit]:
    """Split an array into its magnitudes (not yet converted) and its checked unit."""
    data = array.data
    if is_quantity(data):
        unit = unit_of_kind(_pint_text(data), kinds, name)
        return _real(data.magnitude, name), unit
    unit = unit_of_kind(array.attrs.get("units"), kinds, name)
    return _real(data, name), unit


def to_canonical_variable(
    array: xr.DataArray | xr.Variable, kinds: tuple[str, ...], name: str, dtype: Any = None
) -> tuple[xr.Variable, Unit]:
    """Convert to the canonical unit, in a `dtype`, without attrs; also return the unit found."""
    import xarray as xr

    magnitude, unit = magnitude_and_unit(array, kinds, name)
    magnitude = magnitude if dtype is None else magnitude.astype(dtype, copy=False)
    return xr.Variable(array.dims, unit.to_canonical(magnitude)), unit


def _real(magnitude: Any, name: str) -> Any:
    """Refuse text, booleans, complex numbers and dates."""
    if magnitude.dtype.kind not in "fiu":
        text = f"{name}: expected real numbers, found values of type {magnitude.dtype}"
        raise ProfileError(text, code="not_a_quantity")
    return magnitude


def magnitude_of(array: xr.DataArray | xr.Variable) -> Any:
    """Return the magnitudes of an array, whether or not it is a pint Quantity."""
    data = array.data
    return data.magnitude if is_quantity(data) else data


def quantify(data: Data) -> Data:
    """Return the pint-backed view of the data: every variable with a unit becomes a Quantity.

    Parameters
    ----------
    data : xarray.Dataset or xarray.DataArray
        With units in ``attrs["units"]``.

    Returns
    -------
    xarray.Dataset or xarray.DataArray
        In the units of pint's application registry. Index coordinates (``depth``) keep their
        unit in ``attrs``, because an index cannot be a Quantity; so do arbitrary units. Pickle
        plain data: a process in which no Dataset was made does not know the unit of atoms.

    Raises
    ------
    UnitsError
        If a unit string is unknown.

    See Also
    --------
    dequantify : The inverse.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> print(sims.quantify(ds)["concentration"].data.units)
    atom / centimeter ** 3
    """
    view: Data = _each_variable(data, quantified_variable)
    return view


def dequantify(data: Data) -> Data:
    """Return the plain view: magnitudes in canonical units, with the unit in ``attrs["units"]``.

    Parameters
    ----------
    data : xarray.Dataset or xarray.DataArray
        As :func:`quantify` returns it, or after arithmetic on it.

    Returns
    -------
    xarray.Dataset or xarray.DataArray

    Raises
    ------
    UnitsError
        If a Quantity has a unit of an unknown kind.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> sims.dequantify(sims.quantify(ds))["concentration"].attrs["units"]
    'atom/cm^3'
    """
    plain: Data = with_plain_axes(_each_variable(data, _plain_variable))
    return plain


def with_plain_axes(data: Any) -> Any:
    """Return data whose indexes have their unit in attrs; the same object if they do already.

    pint-xarray makes indexes with a unit, along which xarray cannot concatenate, sort or sum.
    """
    import xarray as xr
    from xarray.indexes import PandasIndex

    unusual = [name for name, index in data.xindexes.items() if type(index) is not PandasIndex]
    if not unusual:
        return data
    coords, axes = data.coords.variables, {}
    names = [name for name in unusual if is_quantity(coords[name].data)]
    for name in names:
        axes[name] = _plain_variable(coords[name], str(name))
        bounds = coords.get(f"{name}_bounds")
        if bounds is not None:  # in the unit of the axis, without one of their own
            product = xr.Variable(bounds.dims, coords[name].data.units * bounds.data)
            edges = _plain_variable(product, str(name)).data
            axes[f"{name}_bounds"] = xr.Variable(bounds.dims, edges, bounds.attrs)
    return data.drop_indexes(names).assign_coords(axes) if names else data


def _each_variable(data: Any, change: Callable[[xr.Variable, str], xr.Variable]) -> Any:
    """Change every variable that is not an index; return a copy of the data."""
    import xarray as xr

    if isinstance(data, xr.DataArray):
        # A name that does not clash with a coordinate.
        name = data.name
        dataset = data.to_dataset(name="__sims__", promote_attrs=False)
        return _each_variable(dataset, change)["__sims__"].rename(name)
    if not isinstance(data, xr.Dataset):
        raise type_error("data", data, "expected a Dataset or a DataArray")
    variables = {name: v for name, v in data.variables.items() if name not in data.xindexes}
    changed = {name: change(variable, str(name)) for name, variable in variables.items()}
    return data.assign({name: v for name, v in changed.items() if v is not variables[name]})


def quantified_variable(variable: xr.Variable, name: str = "") -> xr.Variable:
    """Convert a Variable with a unit in its attrs to a Quantity; return others unchanged."""
    import xarray as xr

    text = variable.attrs.get("units")
    if text is None or is_quantity(variable.data):
        return variable
    try:
        unit = read_unit(text)
    except UnitsError:
        if in_udunits(text) is None:
            raise
        return variable  # a slope, "count/s / nm": of a fit, and of no profile
    if unit.kind == "arbitrary":
        return variable
    attrs = {k: v for k, v in variable.attrs.items() if k != "units"}
    registry = application_registry(for_atoms="atom" in unit.canonical)
    text = unit.canonical.replace("^", "**")
    quantity = registry.Quantity(unit.to_canonical(variable.data), text)
    return xr.Variable(variable.dims, quantity, attrs, variable.encoding)


def _plain_variable(variable: xr.Variable, name: str) -> xr.Variable:
    import xarray as xr

    data = variable.data
    if not is_quantity(data):
        return variable
    text = _pint_text(data)
    if not data.dimensionless or text == "count":  # to pint, a count is dimensionless
        unit = unit_of_kind(text, tuple(CANONICAL), name)
        magnitude, text = unit.to_canonical(data.magnitude), unit.canonical
    else:
        magnitude, text = data.to("dimensionless").magnitude, "1"
    attrs = {**variable.attrs, "units": text}
    return xr.Variable(variable.dims, magnitude, attrs, variable.encoding)
