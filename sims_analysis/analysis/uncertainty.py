"""Relative standard uncertainties, as arguments and as the data state them."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from functools import reduce
from typing import Any

import numpy as np
import xarray as xr

from sims_analysis import units
from sims_analysis.errors import about
from sims_analysis.frame.frame import Frame
from sims_analysis.text.arguments import (
    argument_error,
)

#: A relative standard uncertainty, or one for each of some species.
Relative = float | str | xr.DataArray | Mapping[str, float | str | xr.DataArray]


def read_relative(frame: Frame, value: Any, name: str) -> xr.Variable:
    """Read a relative standard uncertainty, or one for each of some species; others have NaN."""
    if isinstance(value, Mapping):
        value = {s: relative_uncertainty(number, f"{name}[{s!r}]") for s, number in value.items()}
    else:
        value = relative_uncertainty(value, name)
    return frame.parameter(value, ("dimensionless",), name)


def relative_uncertainty(value: Any, name: str) -> xr.DataArray:
    """Read a relative standard uncertainty from 0 to below 1, or NaN: ``0.05`` or ``"5 %"``."""
    if isinstance(value, xr.DataArray):
        array: xr.DataArray = units.dequantify(value)
        unit = str(array.attrs.get("units", "1"))
        if unit in ("%", "percent"):
            array, unit = array / 100.0, "1"
        array = array.assign_attrs(units=unit)
        with about(argument=name):
            magnitude, _ = units.magnitude_and_unit(array, ("dimensionless",), name)
        if hasattr(magnitude, "chunks") or not bool(((magnitude < 0) | (magnitude >= 1)).any()):
            return array
    else:
        part = units.part_of_one(value)
        if part is not None and 0 <= part < 1:
            return xr.DataArray(part, attrs={"units": "1"})
    raise argument_error(
        name, value, "expected a relative uncertainty from 0 to below 1, such as 0.05 or '5 %'"
    )


def relative_uncertainties(
    frame: Frame, data: xr.Dataset | xr.DataArray, rsf: Any, depth: Any
) -> list[xr.Variable]:
    """Read those of sensitivity factor and depth scale; by default what the data state.

    By default, the day-to-day part of the former comes third, if they state it. A stated dose
    (:func:`scale_to_dose`) takes the place of the sensitivity factor, and the dose does not depend
    on the depth scale then: 0, or NaN where its uncertainty is not known. What repeats show of
    their scale is in the first, whatever is stated.
    """
    coords = units.dequantify(data).coords  # type: ignore[type-var]  # one of the two
    of_dose = coords.variables.get("dose_scale_uncertainty")
    parts = []
    sources: list[tuple[str, Any, str]] = [
        ("rsf_uncertainty", rsf, "sensitivity_factor_uncertainty"),
        ("depth_uncertainty", depth, "depth_scale_uncertainty"),
    ]
    if rsf is None and "sensitivity_factor_day_to_day" in coords:
        sources.append(("", None, "sensitivity_factor_day_to_day"))
    for argument, value, name in sources:
        read = None if value is None else read_relative(frame, value, argument)
        if read is not None and not isinstance(value, Mapping):
            parts.append(read)
            continue
        stated = xr.Variable((), np.nan)
        if name in coords:
            coord = coords[name]
            varies = frame.dim in coord.dims
            stated = coord.variable if varies else read_relative(frame, coord, name)
        if of_dose is not None:
            untouched: Any = (of_dose == 0) & (coords["dose_scale"].variable == 1)
            stated = xr.where(untouched, stated, of_dose * (argument == "rsf_uncertainty"))
        if read is not None:
            stated = xr.where(frame.of_species(*value), read, stated)
            stated = stated.transpose(..., *(d for d in (frame.dim,) if d in stated.dims))
        parts.append(stated)
    if "scale_repeatability" in coords:
        repeated = read_relative(frame, coords["scale_repeatability"], "scale_repeatability")
        parts[0] = of_known(parts[0], repeated)
    return parts


def of_known(*parts: xr.Variable) -> xr.Variable:
    """Return the quadratic sum of the parts that are known; NaN where none is."""
    total = sum(part.fillna(0.0) ** 2 for part in parts) ** 0.5
    result: xr.Variable = total.where(reduce(operator.or_, (part.notnull() for part in parts)))
    return result
