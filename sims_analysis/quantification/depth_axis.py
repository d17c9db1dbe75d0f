"""The axis of data: opened to read a scale for it, and moved to new depths."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from sims_analysis import units, vocabulary
from sims_analysis.conventions.axes import MEASUREMENT, POINT
from sims_analysis.conventions.cells import edge_names
from sims_analysis.conventions.species_metadata import without_samples
from sims_analysis.errors import ProfileError, UnitsError
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.opening import ACHIEVED, open_frame
from sims_analysis.quantification.arguments import has_unit, read_uncertainty
from sims_analysis.text.arguments import format_argument, list_dims


class Scale(NamedTuple):
    """Depths at the places of an axis, and how they were made."""

    at: Callable[[xr.Variable], xr.Variable]
    text: str
    #: The one number that made them, a rate or a crater depth, if there is one; and its kind.
    of: xr.Variable | None = None
    kind: str = ""
    #: By what depths are multiplied that were there before.
    stretch: xr.Variable | None = None
    #: Its relative standard error, if what made it states one.
    relative: xr.Variable | None = None


class DepthAxis(NamedTuple):
    """The axis of data, in its canonical unit."""

    #: Plain; a Dataset or a DataArray.
    data: Any
    #: ``"sputter_time"`` or ``"depth"``.
    name: str
    values: xr.Variable
    #: Coordinates with the edges of cells.
    edges: dict[str, xr.Variable]
    #: Reads arguments: the axis with all dimensions over profiles.
    frame: Frame


def open_axis(data: Any, name: str) -> DepthAxis:
    """Open the axis of data, with all their dimensions, to read arguments for it."""
    axis = data[name]
    # Errors, counts and flags of the samples say nothing of their axis.
    axis = axis.drop_vars([c for c in axis.coords if c != name and axis[c].dims == axis.dims])
    sizes = {d: n for d, n in data.sizes.items() if d not in (*axis.dims, *vocabulary.AXES)}
    labels = {d: data[d] if d in data.coords else n for d, n in sizes.items()}
    every = axis.expand_dims(labels) if sizes else axis
    frame = open_frame(
        every.drop_vars([d for d in sizes if d not in data.coords], errors="ignore"),
        (name,),
        question="a depth scale",
        axes=(name,),
        as_they_are=True,
    )
    edges = {}
    for key in edge_names(data, name):
        edge = data[key].variable
        if "units" not in edge.attrs:  # by the CF conventions, bounds have the unit of their axis
            edge = xr.Variable(edge.dims, edge.data, {"units": axis.attrs["units"]})
        edges[key], _ = units.to_canonical_variable(edge, (name,), key, np.float64)
    values, _ = units.to_canonical_variable(axis, (name,), name, np.float64)
    return DepthAxis(data, name, values, edges, frame)


def per_measurement(read: xr.Variable, name: str) -> xr.Variable:
    """Refuse an argument that differs between the species of a measurement; return it otherwise."""
    if not set(read.dims) <= {MEASUREMENT}:
        raise ProfileError(
            f"{name} is over {list_dims(read.dims)}; the species of a measurement are sputtered "
            f"together and share their depth scale, so that it may be over {MEASUREMENT!r} only",
            argument=name,
        )
    return read


def read_scale_uncertainty(axis: DepthAxis, uncertainty: Any, scale: Scale) -> xr.Variable | None:
    """Read the uncertainty of a scale: relative, or in the unit of what set it."""
    if uncertainty is None:
        return None
    name, shown = "depth_uncertainty", format_argument(uncertainty)
    value = uncertainty.values() if isinstance(uncertainty, Mapping) else [uncertainty]
    if scale.of is None and any(map(has_unit, value)):
        raise UnitsError(
            f"{name}={shown}: this scale was not set by one rate or crater depth; give a relative "
            "uncertainty, such as '5 %'",
            argument=name,
        )
    scale_value = xr.Variable((), 1.0) if scale.of is None else scale.of
    relative = per_measurement(
        read_uncertainty(axis.frame, uncertainty, scale_value, scale.kind, name), name
    )
    if (relative.ndim or has_unit(uncertainty)) and not bool((relative > 0).all()):
        raise ProfileError(f"{name}={shown} must be positive for each measurement", argument=name)
    return relative


def moved(
    axis: DepthAxis, scale: Scale, calibration: str | None, uncertainty: xr.Variable | None
) -> Any:
    """Give data back on the depths of a scale; None keeps calibration or uncertainty in them."""
    data, name = axis.data, axis.name
    old_attrs = dict(data[name].attrs) if name == "depth" else {}
    attrs = vocabulary.attrs("depth") | old_attrs | {"units": units.CANONICAL["depth"]}
    if calibration is not None:
        attrs["calibration"] = calibration
    along = {name: xr.Variable(axis.values.dims, axis.values.data, vocabulary.attrs(name))}
    for end, edge in axis.edges.items():
        place = scale.at(edge).transpose(..., *edge.dims[-2:])
        if end == f"{name}_bounds":
            attrs["bounds"] = "depth_bounds"
            along["depth_bounds"] = _with_attrs(place, {})
        else:
            along[end] = _with_attrs(place, data[end].attrs | {"units": units.CANONICAL["depth"]})
    depth = scale.at(axis.values).transpose(..., axis.values.dims[-1])
    along["depth"] = _with_attrs(depth, attrs)
    stated = {"crater_depth": scale.of if scale.kind == "depth" else None}
    stated["depth_scale_uncertainty"] = uncertainty
    if scale.stretch is not None:
        if ACHIEVED in data.coords and name == "depth":
            width = data[ACHIEVED].variable
            along[ACHIEVED] = _with_attrs(width * scale.stretch, width.attrs)
        if stated["crater_depth"] is None and "crater_depth" in data.coords:
            stated["crater_depth"] = data["crater_depth"].variable * scale.stretch
    dim = POINT if POINT in data.dims or depth.ndim > 1 else "depth"
    result = without_samples(data).drop_vars(name, errors="ignore")
    if name in result.dims and dim != name:
        result = result.swap_dims({name: dim})
    coords = {
        key: xr.Variable([dim if d == name else d for d in coord.dims], coord.data, coord.attrs)
        for key, coord in along.items()
    }
    for key, value in stated.items():
        if value is not None:
            coords[key] = _with_attrs(value, vocabulary.attrs(key))
    return result.assign_coords(coords)


def with_stretched_dose(ds: Any) -> Any:
    """Add the error of a new depth scale to that of a stated dose, which it has changed."""
    if "dose_scale_uncertainty" not in ds.coords:
        return ds
    before = ds["dose_scale_uncertainty"]
    scale = ds.coords.variables.get("depth_scale_uncertainty", np.nan)
    total = (before.variable**2 + scale**2) ** 0.5
    total = total.where(before.variable != 0, 0.0)
    return ds.assign_coords({str(before.name): (total.dims, total.data, before.attrs)})


def _with_attrs(variable: xr.Variable, attrs: dict[str, Any]) -> xr.Variable:
    return xr.Variable(variable.dims, variable.data, attrs)
