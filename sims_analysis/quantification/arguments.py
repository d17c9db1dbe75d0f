"""Arguments of corrections: lists of pairs and layers, and stated uncertainties."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import xarray as xr

from sims_analysis import units, vocabulary
from sims_analysis.analysis.uncertainty import read_relative, relative_uncertainty
from sims_analysis.conventions.axes import axis_name
from sims_analysis.errors import ProfileError, ProfileWarning, warn
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.run import anywhere, is_lazy
from sims_analysis.kernels.rows import Array, Flags
from sims_analysis.outcomes import Flag, Status
from sims_analysis.quantification.reference import at_samples
from sims_analysis.text.arguments import argument_error, format_argument


def read_pairs(given: Any, name: str, form: str) -> list[tuple[Any, Any]]:
    """Check that an argument is a list of pairs, of a form such as ``"(time, depth)"``."""
    if not isinstance(given, list | tuple) or not given:
        raise argument_error(name, given, f"expected [{form}, ...]")
    for i, pair in enumerate(given):
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise ProfileError(f"{name}[{i}]={pair!r}; expected {form}")
    return [(first, second) for first, second in given]


def read_layers(given: Any, name: str, form: str) -> list[tuple[Any, Any]]:
    """Check a list of layers: where each ends, and its value; only the last may end with None."""
    layers = read_pairs(given, name, form)
    for i, (stop, _) in enumerate(layers[:-1]):
        if stop is None:
            raise ProfileError(f"{name}[{i}] has no end, but is not the last layer", argument=name)
    return layers


def over_composition(data: Any, stated: Any, name: str, instead: str = "there is none") -> Any:
    """Return what is stated over the atomic fraction of an element at the samples of data.

    Linear between its values, and between samples of the fraction; there is none beyond, and in
    gaps. A warning says what is there `instead`. Its coordinate ``status`` is ``saturated`` where
    samples of the fraction are.
    """
    if callable(stated):
        given = "xr.DataArray(f(x), {'Ge': x}, attrs={'units': ...})"
        raise argument_error(name, stated, f"give the values of a function of x: {given}")
    fraction = None if isinstance(data, xr.DataArray) else data.get("atomic_fraction")
    if not isinstance(stated, xr.DataArray) or stated.ndim != 1 or fraction is None:
        return stated
    element, places = str(stated.dims[0]), data[axis_name(data)].variable
    if element in data.dims or element not in data["species"].values:
        return stated
    if "species" in places.dims:
        first = places.isel(species=0)
        if anywhere((places != first) & (places.notnull() | first.notnull())):
            text = f"it is over {element!r}, and each species has samples of its own"
            raise ProfileError(f"{name}: {text}: to_grid() first", argument=name)
        places = first
    points = stated.dropna(element).sortby(element) if element in stated.coords else stated[:0]
    at = points[element].values.astype(float)
    if at.size < 2 or not (np.diff(at) > 0).all():
        text = f"it is over {element!r}; expected a coordinate of two or more different fractions"
        raise ProfileError(f"{name}: {text}", argument=name)
    own = fraction.sel(species=element).reset_coords(drop=True)
    known = f"atomic_fraction_{vocabulary.QUALITY}"
    flags = data[known].sel(species=element).variable if known in data.coords else np.int16(0)
    flags = xr.zeros_like(own.variable, dtype=np.int16) + flags
    dim = own.dims[-1]
    x, cut = (
        own.copy(data=one.transpose(*own.dims).data)
        for one in xr.apply_ufunc(
            _followed,
            *(places, own.variable, flags),
            input_core_dims=[[dim]] * 3,
            output_core_dims=[[dim]] * 2,
            vectorize=True,
            dask="parallelized",
            output_dtypes=[float, float],
        )
    )

    def along(values: xr.DataArray) -> xr.DataArray:
        beyond = {"left": values.values[0] if at[0] == 0 else np.nan,  # by noise alone
                  "right": values.values[-1] if at[-1] == 1 else np.nan}  # fmt: skip
        made: xr.DataArray = xr.apply_ufunc(
            partial(np.interp, xp=at, fp=values.values.astype(float), **beyond),
            x,
            dask="parallelized",
            output_dtypes=[float],
            keep_attrs=False,
        )
        return made

    found = along(points).rename(stated.name).assign_attrs(points.attrs)
    if not is_lazy(x.variable):
        unit, there = places.attrs.get("units", ""), x.variable.notnull()
        for where, of, text in (
            (~there & places.notnull(), places, f"({{}} {unit}) it is not known: {instead} there"),
            (there & found.variable.isnull(), x.variable, f"it is {{}}: {instead} there"),
            (there & (cut.variable > 0), places, f"({{}} {unit}) it is of saturated samples"),
        ):
            if number := int(where.sum()):
                outside = of.where(where)
                span = f"from {float(outside.min()):.3g} to {float(outside.max()):.3g}"
                warn(
                    f"{name} is stated for {element} from {at[0]:g} to {at[-1]:g}, and at "
                    f"{number} samples {text.format(span)}",
                    ProfileWarning,
                )
    if "stderr" in points.coords:
        found = found.assign_coords(stderr=along(points["stderr"]))
    if is_lazy(cut.variable) or bool((cut > 0).any()):
        words = xr.where(cut > 0, Status.SATURATED.word, Status.OK.word)
        found = found.assign_coords(status=words)
    return found


def _followed(z: Array, x: Array, flags: Flags) -> tuple[Array, Array]:
    """Return fractions at all places z, and above 0 where they rest on saturated samples.

    There are none in gaps, below a limit, and more than a cycle beyond.
    """
    there = np.isfinite(z)
    saturated = np.where(flags & Flag.SATURATED, 1.0, 0.0)
    fraction, cut, _, bridged, _ = at_samples(z, np.where(there, 0.0, np.nan), z, x, saturated)
    limited = ~np.isfinite(x) & (flags & (Flag.BELOW_LIMIT | Flag.PLACEHOLDER) != 0)
    fraction[limited | (bridged == 1.0)] = np.nan
    return fraction, cut


def read_uncertainty(
    frame: Frame, stated: Any, of: xr.Variable, kind: str, name: str
) -> xr.Variable:
    """Read a standard uncertainty (``0.05``, ``"5 %"``, ``"20 nm"``) relative to its value.

    A mapping gives each species its own; NaN where none is stated.
    """
    if isinstance(stated, Mapping):
        by_kind: dict[bool, dict[Any, Any]] = {True: {}, False: {}}
        for species, one in stated.items():
            absolute = has_unit(one)
            given = one if absolute else relative_uncertainty(one, f"{name}[{species!r}]")
            by_kind[absolute][species] = given
        found = xr.full_like(frame.of_species(), float("nan"), dtype=float)
        if by_kind[True] or not by_kind[False]:
            found = found.fillna(frame.parameter(by_kind[True], (kind,), name) / of)
        if by_kind[False]:
            found = found.fillna(frame.parameter(by_kind[False], ("dimensionless",), name))
    elif has_unit(stated):
        found = frame.parameter(stated, (kind,), name) / of
    else:
        return read_relative(frame, stated, name)
    if anywhere((found < 0) | (found >= 1)):
        raise ProfileError(
            f"{name}={format_argument(stated)} must be less than the value whose uncertainty it "
            "is, and not less than 0",
            argument=name,
        )
    return found


def has_unit(uncertainty: Any) -> bool:
    """Whether an uncertainty is stated as a quantity with a dimension, and not as a fraction.

    A bare number in quotes counts as one, so that it is refused for having no unit.
    """
    if isinstance(uncertainty, xr.DataArray) and not units.is_quantity(uncertainty.data):
        return uncertainty.attrs.get("units", "1") not in ("1", "%", "percent")
    quantity = uncertainty.data if isinstance(uncertainty, xr.DataArray) else uncertainty
    if units.is_quantity(quantity):
        return not quantity.dimensionless
    return isinstance(quantity, str) and not quantity.rstrip().endswith(("%", "percent"))
