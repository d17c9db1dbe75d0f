"""What is the concentration here."""

from __future__ import annotations

from functools import reduce
from math import prod
from typing import Any, Literal, TypeVar

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from sims_analysis import units, vocabulary
from sims_analysis._variables import (
    bare_dataset,
    bare_variable,
    coords_of,
    data_of,
    indexes_of,
)
from sims_analysis.analysis._call import recorded
from sims_analysis.analysis._frame import Frame
from sims_analysis.analysis._opening import INDEPENDENT, open_frame
from sims_analysis.analysis._parameters import aligned, fitting
from sims_analysis.errors import ProfileError, UnitsError
from sims_analysis.kernels import interpolation as kernels
from sims_analysis.kernels.grid import independence, stderr_at

__all__ = ["coordinate_of", "independence_of", "interpolate", "least_independent"]

#: The same kind out as in.
Data = TypeVar("Data", xr.Dataset, xr.DataArray)
Method = Literal["log", "linear", "pchip", "makima"]


@recorded
def interpolate(data: Data, *, depth: Any, method: Method = "log") -> Data:
    """Evaluate profiles at depths, each from its own samples; never beyond them.

    Parameters
    ----------
    data : Dataset or DataArray
        Of a Dataset, every measured variable is interpolated.
    depth : str, Quantity, sequence of str, or DataArray
        ``"25 nm"``; ``["10 nm", "20 nm"]``; a Quantity; or a DataArray with units. A DataArray
        over a dimension of the data (such as a junction depth over ``species``) gives each
        profile its own depth. On a sputter-time axis, a time.
    method : {"log", "linear", "pchip", "makima"}
        Straight lines in ln C, straight lines in C, or a spline: pchip (Fritsch and Carlson
        1980), which never overshoots, or makima (Akima 1970, modified), which hardly does; in
        ln C where all samples of a profile are positive.

    Returns
    -------
    Dataset or DataArray
        As the data, with the depth dimension replaced by that of `depth`. NaN outside a profile's
        samples; bit for bit the sample where the depth is a sample's. Standard errors come along
        (a DataArray has them in the coordinate ``stderr``), as in :func:`to_grid`, and with them,
        on a new axis finer than the samples, ``effective_sample_fraction``. The coordinate
        ``n_linear_segments`` counts, for each profile, the depths at which a logarithm was asked
        for and could not be taken, because a value beside it was not positive.

    Raises
    ------
    UnitsError
        If `depth` has no unit of length (of time on a sputter-time axis).
    ProfileError
        If the method is unknown or the axis is not increasing.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> sims.interpolate(ds, depth="100 nm").sel(species="B")["concentration"].attrs["units"]
    'atom/cm^3'
    """
    if method not in kernels.METHODS:
        raise ProfileError(f"method={method!r}; expected one of {', '.join(kernels.METHODS)}")
    if isinstance(data, xr.Dataset):
        measured = data.data_vars
        names = [name for name in vocabulary.QUANTITIES if name in measured]
        if not names:
            raise UnitsError(
                f"the Dataset has none of {', '.join(vocabulary.QUANTITIES)}; it has "
                f"{', '.join(map(str, measured)) or 'no variables'}"
            )
        arrays = {name: _interpolated(data, depth, method, name) for name in names}
        for name in names:
            if "stderr" in arrays[name].coords:
                errors = arrays[name].coords["stderr"].drop_vars(["stderr"], errors="ignore")
                errors = errors.reset_coords(drop=True)
                quantified = hasattr(arrays[name].data, "magnitude")
                arrays[f"{name}_stderr"] = units.quantify(errors) if quantified else errors
                arrays[name] = arrays[name].drop_vars("stderr")
        if len(arrays) == 1:
            # Nothing to merge: xarray's merge of one array with itself takes longer than the rest.
            alone = arrays[names[0]]
            return bare_dataset(
                {names[0]: alone.variable}, coords_of(alone), indexes_of(alone), data.attrs
            )
        # Each species is measured in one variable, so that the sum counts each depth once.
        total = sum(arrays[name].coords["n_linear_segments"].variable for name in names)
        independent = [a.coords[INDEPENDENT] for a in arrays.values() if INDEPENDENT in a.coords]
        plain = {
            name: array.drop_vars(["n_linear_segments", INDEPENDENT], errors="ignore")
            for name, array in arrays.items()
        }
        result = xr.Dataset(plain, attrs=data.attrs).assign_coords(n_linear_segments=total)
        return result.assign_coords(least_independent(independent))
    return _interpolated(data, depth, method)


def _interpolated(
    data: xr.Dataset | xr.DataArray, depth: Any, method: str, variable: str | None = None
) -> xr.DataArray:
    frame = open_frame(
        data,
        vocabulary.VALUE_KINDS,
        question="an interpolation",
        variable=variable,
        axes=vocabulary.AXES,
    )
    at = _depths(frame, depth)
    # Dimensions that the depths share with the profiles go profile by profile; others are new.
    new = {d: n for d, n in at.sizes.items() if d not in frame.lead}
    own = tuple(d for d in frame.lead if d in at.dims)
    count = prod(new.values())
    ordered = at if at.dims == (*own, *new) else at.transpose(*own, *new)
    flat = data_of(ordered).reshape(*ordered.shape[: len(own)], count)
    asked = bare_variable((*own, _ASKED), flat)
    value, fallbacks = frame.map(
        _evaluate, asked, outputs=[({_ASKED: count}, frame.precision), ({}, np.intp)], method=method
    )
    shape = (*value.shape[:-1], *new.values())
    result = bare_variable((*frame.lead, *new), data_of(value).reshape(shape))
    coords = {
        "n_linear_segments": bare_variable(
            fallbacks.dims, data_of(fallbacks), {"long_name": "Depths without a logarithm"}
        ),
        frame.axis: bare_variable(at.dims, data_of(at), vocabulary.attrs(frame.axis)),
    }
    if isinstance(depth, xr.DataArray):
        coords |= {
            str(k): c.variable
            for k, c in depth.coords.items()
            if k not in (*frame.coords, frame.axis)
        }
    if frame.stderr is not None:
        (error,) = frame.map(
            _error, asked, outputs=[({_ASKED: count}, float)], stderr="each", log=method != "linear"
        )
        if list(new) == [frame.axis]:
            independent, growth = independence_of(frame, asked)
            coords |= coordinate_of(frame, independent)
            error = error if growth is None else error * growth
        attrs = vocabulary.attrs(_term(frame)) | {"units": frame.units}
        attrs["long_name"] = f"Standard error of {attrs['long_name'].lower()}"
        attrs.pop("description", None)
        coords["stderr"] = xr.Variable((*frame.lead, *new), error.data.reshape(shape), attrs)
    return frame.array(result, _term(frame), units_=frame.units, coords=coords, label=frame.name)


def independence_of(
    frame: Frame, at: xr.Variable, *, cells: bool = False
) -> tuple[xr.Variable, xr.Variable | None]:
    """Tell how many independent samples a grid has for each of its depths (see the kernel).

    Returns
    -------
    independent : Variable
    growth : Variable or None
        Of the standard errors, if what is brought to the grid was on a finer one before.
    """
    known = frame.independent
    independent, growth = frame.map(
        _independence,
        at,
        bare_variable((), np.array(1.0)) if known is None else known,
        outputs=[({}, float), ({}, float)],
        cells=cells,
    )
    return independent, None if known is None else growth


def coordinate_of(frame: Frame, independent: xr.Variable) -> dict[str, xr.Variable]:
    """Give the coordinate that says so, unless the samples of all profiles are independent."""
    if not frame.lazy and not (np.asarray(independent.data) < 1.0 - _ROUNDING).any():
        return {}
    attrs = {"long_name": "Independent samples for each depth of the grid"}
    return {INDEPENDENT: xr.Variable(independent.dims, independent.data, attrs)}


def least_independent(found: list[xr.DataArray]) -> dict[str, xr.Variable]:
    """Join the coordinates of several variables, each of which holds some of the species."""
    if not found:
        return {}
    of_each = [one.variable for one in found]
    least = reduce(lambda a, b: xr.apply_ufunc(np.fmin, a, b, dask="allowed"), of_each)
    return {INDEPENDENT: xr.Variable(least.dims, least.data, of_each[0].attrs)}


_ROUNDING = 1e-9


#: The depths asked for, in one dimension: a name that no user's dimension has.
_ASKED = "__asked__"


def _term(frame: Frame) -> str:
    return frame.name if frame.name in vocabulary.TERMS else vocabulary.name_of(frame.kind)


def _depths(frame: Frame, depth: Any) -> xr.Variable:
    kinds = (frame.axis,)
    if isinstance(depth, xr.DataArray):
        sizes = {d: n for d, n in frame.value.sizes.items() if d != frame.dim}
        depth = fitting(aligned(depth, frame.coords, "depth"), sizes, "depth")
        magnitude, unit = units.magnitude_and_unit(depth, kinds, "depth")
        dims = tuple(frame.axis if d == frame.dim else d for d in depth.dims)
        magnitude = magnitude if frame.lazy else np.asarray(magnitude)
        return xr.Variable(dims, unit.to_canonical(magnitude.astype(np.float64)))
    if isinstance(depth, list | tuple):
        values = [units.read_quantity(d, kinds, f"depth[{i}]")[0] for i, d in enumerate(depth)]
        return xr.Variable((frame.axis,), np.array(values, dtype=np.float64))
    magnitude, _ = units.read_quantity(depth, kinds, "depth")
    dims = (frame.axis,) if np.ndim(magnitude) else ()
    return bare_variable(dims, np.asarray(magnitude))


def _evaluate(depth: Any, value: Any, at: Any, *, method: str) -> tuple[Any, Any]:
    return kernels.interpolate(depth, value, at, method=method)


def _independence(depth: Any, value: Any, at: Any, known: Any, *, cells: bool) -> tuple[Any, Any]:
    return independence(depth, value, at, known, cells=cells)


def _error(
    depth: Any, value: Any, stderr: Any, at: Any, *, log: bool
) -> tuple[NDArray[np.float64]]:
    if at.ndim == 1:
        return (stderr_at(depth, value, stderr, at, log=log),)
    lead, n = value.shape[:-1], value.shape[-1]
    z, c, s = (np.broadcast_to(a, value.shape).reshape(-1, n) for a in (depth, value, stderr))
    asked = np.broadcast_to(at, (*lead, at.shape[-1])).reshape(-1, at.shape[-1])
    found = np.full(asked.shape, np.nan)
    for row, own in enumerate(asked):
        found[row] = stderr_at(z[row], c[row], s[row], own, log=log)
    return (found.reshape(*lead, -1),)
