"""Values of profiles at given depths."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce
from math import prod
from typing import Any, Literal, NamedTuple

import numpy as np
import xarray as xr

from sims_analysis import units, vocabulary
from sims_analysis.conventions.axes import edge_names
from sims_analysis.errors import ProfileError, UnitsError
from sims_analysis.frame.background import common_error
from sims_analysis.frame.call import recorded
from sims_analysis.frame.evidence import (
    NOTHING,
    GapPolicy,
    Known,
    at,
    carried,
    either,
    resolve,
    with_flags,
)
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.opening import ACHIEVED, FRACTION, open_frame
from sims_analysis.frame.run import anywhere, elementwise, is_lazy
from sims_analysis.kernels import interpolation as kernels
from sims_analysis.kernels.blocks import ALL
from sims_analysis.kernels.evidence import Support
from sims_analysis.kernels.grid import resample
from sims_analysis.kernels.rows import changed
from sims_analysis.outcomes import GAP, Flag
from sims_analysis.text.arguments import check_choice, format_argument
from sims_analysis.units import Data, ParameterLike

Method = Literal["log", "linear", "pchip", "makima"]


@recorded
def interpolate(
    data: Data,
    depth: ParameterLike | Sequence[str],
    *,
    method: Method = "log",
    gaps: GapPolicy = "flag",
) -> Data:
    """Interpolate each profile at given depths, from its own samples; never extrapolate.

    Parameters
    ----------
    data : Dataset or DataArray
        All measured variables of a Dataset are interpolated.
    depth : str, Quantity, sequence of str, or DataArray
        ``"25 nm"``, ``["10 nm", "20 nm"]``, or with units; on a sputter-time axis, times. A
        DataArray over a dimension of the data (such as a junction depth over ``species``) gives
        each profile its own depth.
    method : {"log", "linear", "pchip", "makima"}
        Straight lines in ln C, straight lines in C, or a spline: pchip (Fritsch and Carlson
        1980), which never overshoots, or makima (modified Akima 1970), which rarely does. Splines
        are in ln C if all samples of a profile are positive.
    gaps : {"flag", "bridge"}
        Whether there is no value in a gap, or that of the curve; see :func:`integrated_dose`.

    Returns
    -------
    Dataset or DataArray
        As the data, with the depth dimension replaced by that of `depth`. NaN outside the samples
        of a profile, in its gaps and among samples given as ``<5E15``; exactly the measured value
        at a sample. Standard errors, counts and ``n_linear_segments`` as in :func:`to_grid` (errors
        in the coordinate ``stderr`` of a DataArray).

    Raises
    ------
    UnitsError, ProfileError
        If `depth` has no unit of the axis, or the method is unknown.

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
    check_choice("method", method, kernels.REACH)
    frames = opened(data, "an interpolation", gaps)
    found = [_interpolated(frame, depth, method) for frame in frames]
    if isinstance(data, xr.Dataset):
        return joined(found, data.attrs)
    return with_coords(found[0], {})


def opened(data: Any, question: str, gaps: str) -> list[Frame]:
    """Open all measured variables of a Dataset, or an array; raise if there are none."""
    names: list[Any] = [None]
    if isinstance(data, xr.Dataset):
        names = [name for name in vocabulary.MEASURED if name in data.data_vars]
        if not names:
            raise UnitsError(
                f"the Dataset has none of {', '.join(vocabulary.MEASURED)}; it has "
                f"{', '.join(map(str, data.data_vars)) or 'no variables'}",
                code="missing_variable",
            )
    how: Any = {"question": question, "axes": vocabulary.AXES, "gaps": gaps}
    kinds = [vocabulary.kinds(name) if name else vocabulary.VALUE_KINDS for name in names]
    every = zip(names, kinds, strict=True)
    return [open_frame(data, own, variable=name, **how) for name, own in every]


def _interpolated(frame: Frame, depth: Any, method: str) -> LabelledVariables:
    at = frame.points(depth, "depth")
    if not at.size:
        raise ProfileError(
            f"depth={format_argument(depth)}: give at least one depth", argument="depth"
        )
    # Dimensions shared with the profiles select a depth for each; other dimensions are new.
    own = [d for d in frame.lead if d in at.dims]
    new = [d for d in at.dims if d not in own]
    ordered = at.transpose(*own, *new)
    flat = ordered.data.reshape((*ordered.shape[: len(own)], prod(ordered.shape[len(own) :])))
    asked = xr.Variable((*own, ASKED), flat)
    found = at_depths(frame, asked, method, on_new_axis=new == [frame.axis])
    coords = {}
    if isinstance(depth, xr.DataArray):
        # Values at depths are no averages over cells, even if the depths are those of cells.
        without = (*frame.coords, frame.axis, *edge_names(depth, frame.axis))
        coords = {
            str(key): coord.variable for key, coord in depth.coords.items() if key not in without
        }
    return label_variables(frame, found, at, coords)


@dataclass(frozen=True)
class Resampled:
    """Values at other depths, along ``ASKED``, with their errors and counts."""

    value: xr.Variable
    n_linear_segments: xr.Variable
    stderr: xr.Variable | None
    counts: xr.Variable | None
    fraction: xr.Variable | None
    #: Results of :func:`of_background`.
    background: dict[str, xr.Variable]
    #: Results of :func:`of_shared`.
    shared: Mapping[str, xr.Variable]
    known: Known = NOTHING


def at_depths(frame: Frame, asked: xr.Variable, method: str, *, on_new_axis: bool) -> Resampled:
    """Interpolate profiles at given depths; in gaps there are no values, unless it is to `bridge`.

    On a new axis (`on_new_axis`) neighbouring values share samples, and counts go along.
    """

    def values(other: Frame, method: str = method) -> xr.Variable:
        found: xr.Variable = other.map(kernels.interpolate, asked, **AT_DEPTHS, method=method).value
        return found

    options: dict[str, Any] = {**AT_DEPTHS, "method": method}
    bridge = bool(frame.bridge)
    every = frame.map(resample, asked, **options, new_axis=on_new_axis, bridge=bridge, block=ALL)
    stderr, counts = None, None
    if frame.stderr is not None:
        (stderr,) = frame.map(kernels.stderr_at, asked, **options, errors="each")
        if on_new_axis and frame.counts is not None:
            # Linearly, so that they are 0 between two samples with zero counts.
            counts = values(frame.of_counts(), "linear")
    found = Resampled(
        every.value,
        every.n_linear_segments,
        stderr,
        counts,
        every.fraction if on_new_axis else None,
        of_background(frame, values),
        of_shared(frame, partial(values, method="linear")) if on_new_axis else {},
    )
    if not (frame.lazy or anywhere(every.known)):
        return found
    if on_new_axis:
        # What values show now may not be seen any more on the new axis.
        frame = with_flags(frame)
    reach = kernels.REACH[method]
    return with_evidence(frame, found, values, asked, reach=reach, axis=on_new_axis)


def with_evidence(
    frame: Frame,
    found: Resampled,
    values: Callable[[Frame], xr.Variable],
    lower: xr.Variable,
    upper: xr.Variable | None = None,
    *,
    what: str = "there is no value in it",
    **options: Any,
) -> Resampled:
    """Return resampled values with what is known of them; without those in gaps, with a warning."""
    of = at(frame, lower, upper, dim=ASKED, **options)
    if frame.limit is not None and of.limit is not None:
        # Of a value to which others contribute, the limit is what all make of it at most.
        most = values(replace(frame, value=frame.value.fillna(frame.limit), limit=None))
        of = changed(of, limit=elementwise(np.fmax, of.limit, most.where(of.limit.notnull())))
    found = replace(found, known=of)
    if frame.bridge or of.blank is None or of.flags is None:
        return found
    blank = of.blank & found.value.notnull()
    if anywhere(blank):
        flags = either((of.flags & (GAP | Flag.BELOW_LIMIT)) * blank, ASKED)
        nothing = xr.zeros_like(flags)
        resolve(frame, nothing, Support(flags, nothing, nothing), what=what)
    elif not is_lazy(blank):
        return found
    kept: dict[str, Any] = {
        name: _without(one, of.blank)
        for name in ("value", "stderr", "counts")
        if (one := getattr(found, name)) is not None
    }
    return replace(found, **kept)


def _without(own: xr.Variable, blank: xr.Variable) -> xr.Variable:
    """Set what is blank to NaN, in place if it can be: nothing else has these values."""
    if is_lazy(own) or is_lazy(blank):
        blanked: xr.Variable = own.where(~blank)
        return blanked
    np.copyto(own.data, np.nan, where=blank.transpose(*own.dims).data)
    return own


def of_background(frame: Frame, value: Callable[[Frame], xr.Variable]) -> dict[str, xr.Variable]:
    """Return the error of a subtracted background at other depths, and its overlap with values."""
    common = common_error(frame, value)
    if common is None:
        return {}
    # The variance that it adds to that of a value is s^2 - 2 q s^2.
    stderr = common.stderr.where(common.stderr > 0)
    overlap = 0.5 * (1.0 - common.variance / stderr**2).fillna(0.0)
    found = {"background_stderr": common.stderr, "background_overlap": overlap}
    if frame.scatter is not None:  # one number for a profile
        whole = frame.scatter.max(frame.dim)
        found["background_scatter"] = xr.ones_like(common.stderr) * whole
    return found


def of_shared(frame: Frame, values: Callable[[Frame], xr.Variable]) -> dict[str, xr.Variable]:
    """Return resolutions and uncertainties of factors at other depths, if samples have theirs."""
    along: dict[str, Any] = {}
    if frame.term == "concentration":
        along = {name: frame.along[name] for name in vocabulary.SHARED if name in frame.along}
    every = {n: one.copy(data=units.magnitude_of(one)) for n, one in along.items()}
    if frame.achieved is not None:
        every[ACHIEVED] = frame.achieved
    return {n: values(replace(frame, value=0.0 * frame.value + one)) for n, one in every.items()}


class LabelledVariables(NamedTuple):
    """Resampled values, errors and counts, under their names in a Dataset, and coords."""

    frame: Frame
    variables: dict[str, xr.Variable]
    coords: dict[str, xr.Variable]


def label_variables(
    frame: Frame,
    found: Resampled,
    at: xr.Variable,
    coords: Mapping[str, xr.Variable],
    **trace: str,
) -> LabelledVariables:
    """Give resampled values, and what belongs to them, their names, units and coordinates.

    The dimensions of the depths, `at`, take the place of that of the samples; `coords` are more
    coordinates, and `trace` more attrs of all variables.
    """
    new = {d: n for d, n in at.sizes.items() if d not in frame.lead}

    def placed(values: xr.Variable) -> xr.Variable:
        data = values.data.reshape((*values.shape[:-1], *new.values()))
        return xr.Variable((*frame.lead, *new), data)

    linear = found.n_linear_segments
    every = {
        frame.axis: xr.Variable(at.dims, at.data, vocabulary.attrs(frame.axis)),
        LINEAR: xr.Variable(linear.dims, linear.data, {"long_name": "Depths without a logarithm"}),
        **coords,
    }
    if found.fraction is not None:
        every |= _fraction_coordinate(frame, found.fraction)
    for name, one in found.shared.items():
        every[name] = placed(one)
        every[name].attrs = dict(vocabulary.attrs(name))
    known = Known(*(None if one is None else placed(one) for one in found.known))
    every |= carried(frame.name, known, frame.units)
    # All but an index, which cannot hold a Quantity.
    every |= {key: frame.as_the_data(c) for key, c in every.items() if c.dims != (key,)}

    variables = {}

    def add(key: str, values: xr.Variable, term: str, unit: str, **attrs: str | None) -> None:
        variables[key] = frame.with_attrs(placed(values), term, units_=unit, **attrs, **trace)

    name, term, unit = frame.name, frame.term, frame.units
    add(name, frame.rounded(found.value), term, unit)
    if found.stderr is not None:
        what = f"Standard error of {vocabulary.TERMS[term].long_name.lower()}"
        add(f"{name}_stderr", found.stderr, term, unit, long_name=what, description=None)
    if found.counts is not None:
        what = "Counts, interpolated between samples"
        add(f"{name}_counts", found.counts, "counts", "count", long_name=what, description=None)
    for end, variable in found.background.items():
        add(f"{name}_{end}", variable, end, vocabulary.COLUMNS[end] or unit)
    return LabelledVariables(frame, variables, every)


def with_coords(found: LabelledVariables, more: Mapping[str, xr.Variable]) -> xr.DataArray:
    """Return a resampled array, with what belongs to it, and `more`, as coordinates."""
    name = found.frame.name
    one = found.variables[name]
    coords = found.frame.coords_over(one.dims, found.coords)
    beside = {k.removeprefix(f"{name}_"): v for k, v in found.variables.items() if k != name}
    return xr.DataArray(one, coords={**coords, **beside, **more}, name=name)


def joined(found: Sequence[LabelledVariables], attrs: Mapping[Any, Any]) -> xr.Dataset:
    """Join resampled variables, each with what belongs to it, in a Dataset."""
    variables = {key: one for each in found for key, one in each.variables.items()}
    coords = {key: one for each in found for key, one in each.coords.items()}
    if found[1:]:
        # Each species is measured in one variable, so that the sum counts each depth once.
        linear = [each.coords[LINEAR] for each in found]
        coords[LINEAR] = sum(linear[1:], start=linear[0])
        fractions = [each.coords[FRACTION] for each in found if FRACTION in each.coords]
        if fractions:
            least = reduce(partial(elementwise, np.fmin), fractions)
            coords[FRACTION] = xr.Variable(least.dims, least.data, fractions[0].attrs)
    coords |= {key: coords.pop(key) for key in (LINEAR, FRACTION) if key in coords}  # at the end
    made = found[0].frame.dataset(variables, coords=coords)
    made.attrs.update(attrs)
    return made


def _fraction_coordinate(frame: Frame, fraction: xr.Variable) -> dict[str, xr.Variable]:
    """Return the fraction as a coordinate, unless the samples of all profiles are independent."""
    if not frame.lazy and not (fraction.values < 1.0 - _ROUNDING).any():
        return {}
    return {FRACTION: xr.Variable(fraction.dims, fraction.data, vocabulary.attrs(FRACTION))}


_ROUNDING = 1e-9

#: Coordinate of resampled profiles: at how many depths no logarithm could be taken.
LINEAR = "n_linear_segments"

#: Dimension of the requested depths: a name that no dimension of a user has.
ASKED = "__asked__"
#: Kernels take all requested depths at once.
AT_DEPTHS: Any = {"whole": (ASKED,), "extra": (ASKED,)}
