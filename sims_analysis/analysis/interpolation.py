"""Values of profiles at given depths."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from math import prod
from typing import Any, Literal

import numpy as np
import xarray as xr

from sims_analysis import units, vocabulary
from sims_analysis.analysis._background_error import common_error
from sims_analysis.analysis._call import recorded
from sims_analysis.analysis._frame import Frame
from sims_analysis.analysis._opening import FRACTION, open_frame
from sims_analysis.analysis._parameters import aligned
from sims_analysis.errors import ProfileError, UnitsError
from sims_analysis.kernels import interpolation as kernels
from sims_analysis.kernels.grid import sample_fraction
from sims_analysis.units import Data, ParameterLike

__all__ = [
    "ASKED",
    "AT_DEPTHS",
    "COUNTS",
    "NO_LOGARITHM",
    "counts_at",
    "fraction_coordinate",
    "fraction_of",
    "interpolate",
    "least_fraction",
    "of_background",
    "read_depths",
]

Method = Literal["log", "linear", "pchip", "makima"]


@recorded
def interpolate(
    data: Data, *, depth: ParameterLike | Sequence[str], method: Method = "log"
) -> Data:
    """Interpolate each profile at given depths, from its own samples; never extrapolate.

    Parameters
    ----------
    data : Dataset or DataArray
        All measured variables of a Dataset are interpolated.
    depth : str, Quantity, sequence of str, or DataArray
        ``"25 nm"``; ``["10 nm", "20 nm"]``; a Quantity; or a DataArray with units. A DataArray
        over a dimension of the data (such as a junction depth over ``species``) gives each
        profile its own depth. On a sputter-time axis, a time.
    method : {"log", "linear", "pchip", "makima"}
        Straight lines in ln C, straight lines in C, or a spline: pchip (Fritsch and Carlson
        1980), which never overshoots, or makima (modified Akima 1970), which hardly does. Splines
        are in ln C if all samples of a profile are positive.

    Returns
    -------
    Dataset or DataArray
        As the data, with the depth dimension replaced by that of `depth`. NaN outside the samples
        of a profile; exactly the measured value at the depth of a sample. Standard errors are
        propagated as in :func:`to_grid` (in the coordinate ``stderr`` of a DataArray), with
        ``effective_sample_fraction`` on a new axis finer than the samples; so are the counts of a
        Dataset. The coordinate ``n_linear_segments`` counts, for each profile, the depths at which
        interpolation was linear because a neighbouring value was not positive.

    Raises
    ------
    UnitsError
        If `depth` has no unit of length (of time on a sputter-time axis).
    ProfileError
        If the method is unknown or the axis is not increasing.

    References
    ----------
    F. N. Fritsch, R. E. Carlson, SIAM J. Numer. Anal. 17 (1980) 238 (pchip); H. Akima, J. ACM 17
    (1970) 589 (makima).

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> here = sims.interpolate(ds, depth="100 nm").sel(species="B")["concentration"]
    >>> print(f"{here.item():.2e} {here.attrs['units']}")
    4.76e+19 atom/cm^3
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
            quantified = units.is_quantity(arrays[name].data)
            for beside in ("stderr", "counts", *vocabulary.OF_BACKGROUND):
                if beside in arrays[name].coords:
                    column = arrays[name].coords[beside].reset_coords(drop=True)
                    arrays[f"{name}_{beside}"] = units.quantify(column) if quantified else column
                    arrays[name] = arrays[name].drop_vars(beside)
        # Each species is measured in one variable, so that the sum counts each depth once.
        total = sum(arrays[name].coords["n_linear_segments"].variable for name in names)
        fractions = [a.coords[FRACTION] for a in arrays.values() if FRACTION in a.coords]
        plain = {
            name: array.drop_vars(["n_linear_segments", FRACTION], errors="ignore")
            for name, array in arrays.items()
        }
        result = xr.Dataset(plain, attrs=data.attrs).assign_coords(n_linear_segments=total)
        return result.assign_coords(least_fraction(fractions))
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
    at = read_depths(frame, depth)
    # Dimensions shared with the profiles select a depth for each; other dimensions are new.
    new = {d: n for d, n in at.sizes.items() if d not in frame.lead}
    own = [d for d in frame.lead if d in at.dims]
    ordered = at.transpose(*own, *new)
    flat = ordered.data.reshape((*ordered.shape[: len(own)], prod(new.values())))
    asked = xr.Variable((*own, ASKED), flat)
    dims = (*frame.lead, *new)

    def unflattened(found: xr.Variable, attrs: Any = None) -> xr.Variable:
        return xr.Variable(dims, found.data.reshape((*found.shape[:-1], *new.values())), attrs)

    found = frame.map(kernels.interpolate, asked, **AT_DEPTHS, method=method)
    linear = found.n_linear_segments
    coords = {
        "n_linear_segments": xr.Variable(linear.dims, linear.data, NO_LOGARITHM),
        frame.axis: xr.Variable(at.dims, at.data, vocabulary.attrs(frame.axis)),
    }
    if isinstance(depth, xr.DataArray):
        coords |= {
            str(k): c.variable
            for k, c in depth.coords.items()
            if k not in (*frame.coords, frame.axis)
        }
    if frame.stderr is not None:
        (error,) = frame.map(
            kernels.stderr_at, asked, **AT_DEPTHS, errors="each", log=method != "linear"
        )
        if list(new) == [frame.axis]:
            fraction, growth = fraction_of(frame, asked)
            coords |= fraction_coordinate(frame, fraction)
            error = error if growth is None else error * growth
            if frame.counts is not None:
                coords["counts"] = unflattened(counts_at(frame, asked), COUNTS)
        attrs = vocabulary.attrs(frame.term) | {"units": frame.units}
        attrs["long_name"] = f"Standard error of {attrs['long_name'].lower()}"
        attrs.pop("description", None)
        coords["stderr"] = unflattened(error, attrs)
    coords |= {
        name: unflattened(own, own.attrs)
        for name, own in of_background(
            frame, lambda f: f.map(kernels.interpolate, asked, **AT_DEPTHS, method=method).value
        ).items()
    }
    value = unflattened(found.value.astype(frame.precision, copy=False))
    return frame.array(value, frame.term, units_=frame.units, coords=coords, label=frame.name)


def of_background(frame: Frame, value: Callable[[Frame], xr.Variable]) -> dict[str, xr.Variable]:
    """Return the error of a subtracted background at other depths, and its overlap with values."""
    common = common_error(frame, value)
    if common is None:
        return {}
    # The variance that it adds to that of a value is s^2 - 2 q s^2.
    stderr = common.stderr.where(common.stderr > 0)
    overlap = 0.5 * (1.0 - common.variance / stderr**2).fillna(0.0)
    found = zip(
        vocabulary.OF_BACKGROUND, (common.stderr, overlap), (frame.units, None), strict=True
    )
    return {
        name: xr.Variable(own.dims, own.data, vocabulary.attrs(name, unit))
        for name, own, unit in found
    }


def fraction_of(
    frame: Frame, at: xr.Variable, *, cells: bool = False
) -> tuple[xr.Variable, xr.Variable | None]:
    """Return the number of independent samples per grid depth (see the kernel).

    Returns
    -------
    fraction : Variable
    growth : Variable or None
        Growth of the standard errors, if the data were on a grid finer than the samples already.
    """
    known = xr.Variable((), np.array(1.0)) if frame.fraction is None else frame.fraction
    fraction, growth = frame.map(sample_fraction, at, known, whole=(ASKED,), cells=cells)
    return fraction, None if frame.fraction is None else growth


def counts_at(frame: Frame, asked: xr.Variable) -> xr.Variable:
    """Interpolate the counts linearly: 0 between two samples with zero counts."""
    found: Any = frame.of_counts().map(kernels.interpolate, asked, **AT_DEPTHS, method="linear")
    value: xr.Variable = found.value
    return value


def fraction_coordinate(frame: Frame, fraction: xr.Variable) -> dict[str, xr.Variable]:
    """Return the fraction as a coordinate, unless the samples of all profiles are independent."""
    if not frame.lazy and not (fraction.values < 1.0 - _ROUNDING).any():
        return {}
    attrs = {"long_name": "Independent samples for each depth of the grid"}
    return {FRACTION: xr.Variable(fraction.dims, fraction.data, attrs)}


def least_fraction(found: list[xr.DataArray]) -> dict[str, xr.Variable]:
    """Combine the fractions of several variables, each of which has some of the species."""
    if not found:
        return {}
    of_each = [one.variable for one in found]
    least = reduce(lambda a, b: xr.apply_ufunc(np.fmin, a, b, dask="allowed"), of_each)
    return {FRACTION: xr.Variable(least.dims, least.data, of_each[0].attrs)}


_ROUNDING = 1e-9


#: Dimension of the requested depths: a name that no dimension of a user has.
ASKED = "__asked__"
#: Kernels take all requested depths at once.
AT_DEPTHS: Any = {"whole": (ASKED,), "extra": (ASKED,)}
#: Attrs of interpolated counts.
COUNTS = {"units": "count", "long_name": "Counts, interpolated between samples"}
NO_LOGARITHM = {"long_name": "Depths without a logarithm"}


def read_depths(frame: Frame, depth: Any) -> xr.Variable:
    """Read the requested depths, in the canonical unit of the axis."""
    kinds = (frame.axis,)
    if isinstance(depth, xr.DataArray):
        depth = aligned(depth, frame.coords, frame.sizes, "depth")
        magnitude, unit = units.magnitude_and_unit(depth, kinds, "depth")
        dims = tuple(frame.axis if d == frame.dim else d for d in depth.dims)
        magnitude = magnitude if frame.lazy else np.asarray(magnitude)
        return xr.Variable(dims, unit.to_canonical(magnitude.astype(np.float64)))
    if isinstance(depth, list | tuple):
        values = [units.read_quantity(d, kinds, f"depth[{i}]")[0] for i, d in enumerate(depth)]
        return xr.Variable((frame.axis,), np.array(values, dtype=np.float64))
    magnitude, _ = units.read_quantity(depth, kinds, "depth")
    dims = (frame.axis,) if np.ndim(magnitude) else ()
    return xr.Variable(dims, np.asarray(magnitude))
