"""Arguments of corrections: lists of pairs and layers, and stated uncertainties."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import xarray as xr

from sims_analysis import units, vocabulary
from sims_analysis.analysis.uncertainty import read_relative, relative_uncertainty
from sims_analysis.conventions.axes import MEASUREMENT, axis_name
from sims_analysis.errors import ProfileError, ProfileWarning, warn
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.run import anywhere, elementwise, is_lazy
from sims_analysis.kernels.rows import Array
from sims_analysis.outcomes import Flag, Status
from sims_analysis.quantification.reference import at_samples
from sims_analysis.text.arguments import argument_error, format_argument


def read_pairs(value: Any, name: str, form: str) -> list[tuple[Any, Any]]:
    """Check that an argument is a list of pairs, of a form such as ``"(time, depth)"``."""
    if not isinstance(value, list | tuple) or not value:
        raise argument_error(name, value, f"expected [{form}, ...]")
    for i, pair in enumerate(value):
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise ProfileError(f"{name}[{i}]={pair!r}; expected {form}", argument=name)
    return [(first, second) for first, second in value]


def read_layers(value: Any, name: str, form: str) -> list[tuple[Any, Any]]:
    """Check a list of layers: where each ends, and its value; only the last may end with None."""
    layers = read_pairs(value, name, form)
    for i, (stop, _) in enumerate(layers[:-1]):
        if stop is None:
            raise ProfileError(f"{name}[{i}] has no end, but is not the last layer", argument=name)
    return layers


def read_over_composition(data: Any, stated: Any, name: str) -> tuple[str, xr.DataArray] | None:
    """Read what is stated over the fraction of an element of data, by it; None if it is not."""
    if callable(stated):
        example = "xr.DataArray(f(x), {'Ge': x}, attrs={'units': ...})"
        raise argument_error(name, stated, f"give the values of a function of x: {example}")
    if not (isinstance(data, xr.Dataset) and isinstance(stated, xr.DataArray)) or stated.ndim != 1:
        return None
    element = str(stated.dims[0])
    if element in (MEASUREMENT, *data.dims, *data.coords):
        return None
    if "atomic_fraction" not in data or element not in data["species"].values:
        text = f"it is over {element!r}, of which the data have no composition()"
        raise ProfileError(f"{name}: {text}", argument=name)
    points = stated.dropna(element).sortby(element) if element in stated.coords else stated[:0]
    x = points[element].values
    if points.size < 2 or not ((np.diff(x) > 0).all() and x[0] >= 0 and x[-1] <= 1):
        text = f"it is over {element!r}; expected two or more different fractions, from 0 to 1"
        raise ProfileError(f"{name}: {text}", argument=name)
    return element, points


def over_composition(data: Any, stated: Any, name: str, instead: str = "there is none") -> Any:
    """Return what is stated over the atomic fraction of an element at the samples of data.

    Linear between its values, and between samples of the fraction; there is none beyond, and in
    gaps. A warning says what is there `instead`. Its coordinate ``status`` is ``saturated`` where
    samples of the fraction are; ``random_stderr`` and ``common_stderr`` are by how much it changes
    where the fraction moves by its own errors, random ones and those common to all samples.
    """
    read = read_over_composition(data, stated, name)
    if read is None:
        return stated
    element, points = read
    at = points[element].values.astype(float)
    places, (x, cut, *errors) = _fractions(data, element, name)

    def along(values: xr.DataArray, x: xr.DataArray) -> xr.DataArray:
        beyond = {"left": values.values[0] if at[0] == 0 else np.nan,  # by noise alone
                  "right": values.values[-1] if at[-1] == 1 else np.nan}  # fmt: skip
        rule = partial(np.interp, xp=at, fp=values.values.astype(float), **beyond)
        coords: xr.DataArray = elementwise(rule, x)
        return coords

    stated_at, lazy, coords = along(points, x), is_lazy(x.variable), {}
    for end, by in zip(("random_stderr", "common_stderr"), errors, strict=True):
        moved = xr.where(x + by <= at[-1], x + by, (x - by).clip(min=at[0]))
        error = abs(along(points, moved) - stated_at)
        if lazy or bool((error > 0).any()):
            coords[end] = error
    if "stderr" in points.coords:
        coords["stderr"] = along(points["stderr"], x)
    if lazy or bool((cut > 0).any()):
        coords["status"] = xr.where(cut > 0, Status.SATURATED.word, Status.OK.word)
    if not lazy:
        valid, unit = x.variable.notnull(), places.attrs.get("units", "")
        stated_for = f"{name} is stated for {element} from {at[0]:g} to {at[-1]:g}"
        for some, text in (
            (places.where(~valid), f"({{}} {unit}) it is not known: {instead} there"),
            (x.variable.where(stated_at.isnull().variable), f"it is {{}}: {instead} there"),
            (places.where(valid & (cut.variable > 0)), f"({{}} {unit}) it is of saturated samples"),
        ):
            if number := int(some.notnull().sum()):
                span = f"from {float(some.min()):.3g} to {float(some.max()):.3g}"
                warning = f"{stated_for}, and at {number} samples {text.format(span)}"
                warn(warning, ProfileWarning, argument=name)
    return stated_at.rename(stated.name).assign_attrs(points.attrs).assign_coords(coords)


def _fractions(data: xr.Dataset, element: str, name: str) -> tuple[xr.Variable, list[xr.DataArray]]:
    """Return the places of all samples; fractions, above 0 where of saturated ones, and errors."""
    places = data[axis_name(data)].variable
    if "species" in places.dims:
        first = places.isel(species=0)
        if anywhere((places != first) & (places.notnull() | first.notnull())):
            text = f"it is over {element!r}, and each species has samples of its own"
            raise ProfileError(f"{name}: {text}: unstack() or to_grid() first", argument=name)
        places = first
    data = data.sel(species=element)
    fractions = data["atomic_fraction"].reset_coords(drop=True).drop_attrs(deep=False)
    columns = [
        xr.zeros_like(fractions.variable) + data.variables.get(f"atomic_fraction_{end}", 0.0)
        for end in (vocabulary.QUALITY, "stderr", "background_stderr")
    ]
    parts = xr.apply_ufunc(
        _followed,
        *(places, fractions.variable, *columns),
        input_core_dims=[[fractions.dims[-1]]] * 5,
        output_core_dims=[[fractions.dims[-1]]] * 4,
        vectorize=True,
        dask="parallelized",
        output_dtypes=[float] * 4,
    )
    return places, [fractions.copy(data=column.transpose(*fractions.dims).data) for column in parts]


def _followed(z: Array, x: Array, flags: Array, *errors: Array) -> tuple[Array, ...]:
    """Return fractions at all places z; none in gaps, below a limit, more than a cycle beyond."""
    target, measured, bits = 0.0 * z, np.isfinite(x), flags.astype(np.int16)
    saturated = np.where(bits & Flag.SATURATED, 1.0, 0.0)
    fraction, cut, _, bridged, _ = at_samples(z, target, z, x, saturated)
    limited = ~measured & (bits & (Flag.BELOW_LIMIT | Flag.PLACEHOLDER) != 0)
    fraction[limited | (bridged == 1.0)] = np.nan
    zero = np.zeros(z.size)
    valid = (np.where(measured, np.nan_to_num(error), np.nan) for error in errors)
    return fraction, cut, *(at_samples(z, target, z, error, zero)[0] for error in valid)


def read_uncertainty(
    frame: Frame, stated: Any, of: xr.Variable, kind: str, name: str
) -> xr.Variable:
    """Read an uncertainty, ``0.05``, ``"5 %"`` or ``"20 nm"``, relative to its value, or NaN."""
    if isinstance(stated, Mapping):
        by_kind: dict[bool, dict[Any, Any]] = {True: {}, False: {}}
        for species, u in stated.items():
            absolute = has_unit(u)
            number = u if absolute else relative_uncertainty(u, f"{name}[{species!r}]")
            by_kind[absolute][species] = number
        relative = xr.full_like(frame.of_species(), float("nan"), dtype=float)
        if by_kind[True] or not by_kind[False]:
            relative = relative.fillna(frame.parameter(by_kind[True], (kind,), name) / of)
        if by_kind[False]:
            relative = relative.fillna(frame.parameter(by_kind[False], ("dimensionless",), name))
    elif has_unit(stated):
        relative = frame.parameter(stated, (kind,), name) / of
    else:
        return read_relative(frame, stated, name)
    if anywhere((relative < 0) | (relative >= 1)):
        raise ProfileError(
            f"{name}={format_argument(stated)} must be less than the value whose uncertainty it "
            "is, and not less than 0",
            argument=name,
        )
    return relative


def has_unit(uncertainty: Any) -> bool:
    """Whether an uncertainty has a dimension; a bare number in quotes is to be refused as one."""
    if isinstance(uncertainty, xr.DataArray) and not units.is_quantity(uncertainty.data):
        return uncertainty.attrs.get("units", "1") not in ("1", "%", "percent")
    quantity = uncertainty.data if isinstance(uncertainty, xr.DataArray) else uncertainty
    if units.is_quantity(quantity):
        return not quantity.dimensionless
    return isinstance(quantity, str) and not quantity.rstrip().endswith(("%", "percent"))
