"""Values of profiles at given depths."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce
from typing import Any, Literal

import numpy as np
import xarray as xr

from sims_analysis import units, vocabulary
from sims_analysis.conventions.cells import edge_names
from sims_analysis.errors import ProfileError
from sims_analysis.frame.background import common_error
from sims_analysis.frame.call import recorded
from sims_analysis.frame.evidence import (
    NO_EVIDENCE,
    Evidence,
    GapPolicy,
    anywhere_along,
    at,
    evidence_coords,
    resolve,
    with_flags,
)
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.opening import ACHIEVED, FRACTION, open_frames
from sims_analysis.frame.run import anywhere, elementwise, is_lazy, may_hold
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

    Not to be trusted where the profile bends between samples: errors are those of samples alone.

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
    frames = open_frames(data, question="an interpolation", gaps=gaps)
    at, depths, on_new_axis, coords = _places(frames[0], depth)
    results = [at_depths(frame, depths, method, on_new_axis=on_new_axis) for frame in frames]
    return as_data(data, frames, results, at, coords)


def _places(frame: Frame, depth: Any) -> tuple[xr.Variable, xr.Variable, bool, dict[str, Any]]:
    """Read depths: as they are; for kernels; whether they are a new axis; and their coordinates."""
    at = frame.points(depth, "depth")
    if not at.size:
        raise ProfileError(
            f"depth={format_argument(depth)}: give at least one depth", argument="depth"
        )
    # Dimensions shared with the profiles select a depth for each; other dimensions are new.
    own_dims = [d for d in frame.lead if d in at.dims]
    new = [d for d in at.dims if d not in own_dims]
    ordered = at.transpose(*own_dims, *new)
    depths = xr.Variable(
        (*own_dims, ASKED), ordered.data.reshape((*ordered.shape[: len(own_dims)], -1))
    )
    coords = {}
    if isinstance(depth, xr.DataArray):
        # Values at depths are no averages over cells, even if the depths are those of cells.
        without = (*frame.coords, frame.axis, *edge_names(depth, frame.axis))
        coords = {str(n): coord.variable for n, coord in depth.coords.items() if n not in without}
    return at, depths, new == [frame.axis], coords


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
    #: Resolutions and uncertainties of factors, if samples have theirs.
    shared: Mapping[str, xr.Variable]
    known: Evidence = NO_EVIDENCE


Answer = Callable[..., xr.Variable]


def at_depths(frame: Frame, depths: xr.Variable, method: str, *, on_new_axis: bool) -> Resampled:
    """Interpolate profiles at given depths; in gaps there are no values, unless it is to `bridge`.

    On a new axis (`on_new_axis`) neighbouring values share samples, and counts go along.
    """

    def values(other: Frame, *, linear: bool = False) -> xr.Variable:
        how = "linear" if linear else method
        interpolated: xr.Variable = other.map(
            kernels.interpolate, depths, **AT_DEPTHS, method=how
        ).value
        return interpolated

    options: dict[str, Any] = {"method": method, "errors": "each", "block": ALL}
    options |= {"new_axis": on_new_axis, "bridge": bool(frame.bridge)}
    every = frame.map(resample, depths, **AT_DEPTHS, **options)
    reach = kernels.REACH[method]
    return resampled(frame, every, values, depths, reach=reach, axis=on_new_axis)


def resampled(
    frame: Frame,
    every: Any,
    values: Answer,
    lower: xr.Variable,
    upper: xr.Variable | None = None,
    *,
    reach: int = 1,
    axis: bool = True,
    what: str = "there is no value in it",
) -> Resampled:
    """Return resampled values (:class:`.grid.Resampled`), with all that belongs to them.

    From `lower` to `upper`, with what else `values` gives there, as lines if it is to be `linear`.
    Only on a new `axis` there are counts, and what layers have in common.
    """
    lines, shared = partial(values, linear=True), _of_layers(frame) if axis else {}
    counted = axis and frame.stderr is not None and frame.counts is not None
    result = Resampled(
        every.value,
        every.n_linear_segments,
        None if frame.stderr is None else every.stderr,
        # Linearly, so that they are 0 between two samples with zero counts.
        lines(frame.of_counts()) if counted else None,
        every.fraction if axis else None,
        of_background(frame, values),
        {n: lines(replace(frame, value=0.0 * frame.value + x)) for n, x in shared.items()},
    )
    if not (frame.lazy or anywhere(every.known)):
        return result
    if axis:
        # What values show now may not be seen any more on the new axis.
        frame = with_flags(frame)
    of = at(frame, lower, upper, dim=ASKED, reach=reach, axis=axis)
    return _with_evidence(frame, result, of, values, what)


def _with_evidence(
    frame: Frame, result: Resampled, of: Evidence, values: Answer, what: str
) -> Resampled:
    """Return resampled values with what is known of them; without those in gaps, with a warning."""
    if frame.limit is not None and of.limit is not None:
        # The limit of a value to which others contribute is the most that all of them make it.
        highest = values(replace(frame, value=frame.value.fillna(frame.limit), limit=None))
        of = changed(of, limit=elementwise(np.fmax, of.limit, highest.where(of.limit.notnull())))
    result = replace(result, known=of)
    if frame.bridge or of.blank is None or of.flags is None:
        return result
    blank = of.blank & result.value.notnull()
    if anywhere(blank):
        flags = anywhere_along((of.flags & (GAP | Flag.BELOW_LIMIT)) * blank, ASKED)
        zeros = xr.zeros_like(flags)
        resolve(frame, zeros, Support(flags, zeros, zeros), what=what)
    elif not is_lazy(blank):
        return result
    measured: dict[str, Any] = {
        name: column.where(~of.blank)
        for name in ("value", "stderr", "counts")
        if (column := getattr(result, name)) is not None
    }
    return replace(result, **measured)


def of_background(frame: Frame, value: Answer) -> dict[str, xr.Variable]:
    """Return the error of a subtracted background at other depths, and its overlap with values."""
    common = common_error(frame, value)
    if common is None:
        return {}
    # The variance that it adds to that of a value is s^2 - 2 q s^2.
    stderr = common.stderr.where(common.stderr > 0)
    overlap = 0.5 * (1.0 - common.variance / stderr**2).fillna(0.0)
    columns = {"background_stderr": common.stderr, "background_overlap": overlap}
    if frame.scatter is not None:  # one number for a profile
        scatter = frame.scatter.max(frame.dim)
        columns["background_scatter"] = xr.ones_like(common.stderr) * scatter
    return columns


def _of_layers(frame: Frame) -> dict[str, xr.Variable]:
    """Return resolutions and uncertainties of factors, if samples have theirs."""
    along: dict[str, Any] = {}
    if frame.term == "concentration":
        along = {name: frame.along[name] for name in vocabulary.SHARED if name in frame.along}
    every = {n: coord.copy(data=units.magnitude_of(coord)) for n, coord in along.items()}
    if frame.achieved is not None:
        every[ACHIEVED] = frame.achieved
    return every


def as_data(
    data: Data,
    frames: Sequence[Frame],
    results: Sequence[Resampled],
    at: xr.Variable,
    coords: Mapping[str, xr.Variable],
    **trace: str,
) -> Data:
    """Return resampled values, with what belongs to them, as the data: in a Dataset or an array.

    The dimensions of the depths, `at`, take the place of that of the samples; `coords` are more
    coordinates, and `trace` more attrs of all variables.
    """
    first = frames[0]
    new = {d: n for d, n in at.sizes.items() if d not in first.lead}
    variables: dict[str, xr.Variable] = {}
    every = {first.axis: xr.Variable(at.dims, at.data, vocabulary.attrs(first.axis)), **coords}
    for frame, item in zip(frames, results, strict=True):
        placed = partial(_placed, lead=first.lead, new=new)
        variables |= _labelled(frame, item, placed, trace)
        for name, values in item.shared.items():
            every[name] = placed(values)
            every[name].attrs = dict(vocabulary.attrs(name))
        evidence = Evidence(*(None if values is None else placed(values) for values in item.known))
        every |= evidence_coords(frame.name, evidence, frame.units)
    every |= _of_profiles(results)
    # All but an index, which cannot hold a Quantity.
    every |= {key: first.as_the_data(c) for key, c in every.items() if c.dims != (key,)}
    output: Any
    if isinstance(data, xr.Dataset):
        output = first.dataset(variables, coords=every)
        output.attrs.update(data.attrs)
    else:
        values = variables.pop(first.name)
        every = first.coords_over(values.dims, every)
        every |= {key.removeprefix(f"{first.name}_"): item for key, item in variables.items()}
        output = xr.DataArray(values, coords=every, name=first.name)
    result: Data = output
    return result


def _placed(values: xr.Variable, lead: Sequence[str], new: Mapping[Any, int]) -> xr.Variable:
    data = values.data.reshape((*values.shape[:-1], *new.values()))
    return xr.Variable((*lead, *new), data)


def _labelled(
    frame: Frame,
    results: Resampled,
    placed: Callable[[xr.Variable], xr.Variable],
    trace: Mapping[str, str],
) -> dict[str, xr.Variable]:
    """Give values, and what belongs to each, their names and units."""
    name, term, unit = frame.name, frame.term, frame.units
    of_errors = {"long_name": f"Standard error of {vocabulary.TERMS[term].long_name.lower()}"}
    of_counts = {"long_name": "Counts, interpolated between samples"}
    columns: dict[str, tuple[Any, str, str, dict[str, Any]]] = {
        name: (frame.rounded(results.value), term, unit, {}),
        f"{name}_stderr": (results.stderr, term, unit, {**of_errors, "description": None}),
        f"{name}_counts": (results.counts, "counts", "count", {**of_counts, "description": None}),
    }
    for end, values in results.background.items():
        columns[f"{name}_{end}"] = values, end, vocabulary.COLUMNS[end] or unit, {}
    return {
        key: frame.with_attrs(placed(values), term, units_=unit, **attrs, **trace)
        for key, (values, term, unit, attrs) in columns.items()
        if values is not None
    }


def _of_profiles(results: Sequence[Resampled]) -> dict[str, xr.Variable]:
    """Return the coordinates of profiles: linear segments, and the fraction if it is below 1."""
    # Each species is measured in one variable, so that the sum counts each depth once.
    linear = sum((r.n_linear_segments for r in results[1:]), start=results[0].n_linear_segments)
    linear.attrs = {"long_name": "Depths without a logarithm"}
    fractions = [
        r.fraction
        for r in results
        if r.fraction is not None and may_hold(r.fraction < 1.0 - _ROUNDING)
    ]
    if not fractions:
        return {LINEAR: linear}
    least = reduce(partial(elementwise, np.fmin), fractions)
    return {
        LINEAR: linear,
        FRACTION: xr.Variable(least.dims, least.data, vocabulary.attrs(FRACTION)),
    }


_ROUNDING = 1e-9

#: Coordinate of resampled profiles: at how many depths no logarithm could be taken.
LINEAR = "n_linear_segments"

#: Dimension of the requested depths: a name that no dimension of a user has.
ASKED = "__asked__"
#: Kernels take all requested depths at once.
AT_DEPTHS: Any = {"whole": (ASKED,), "extra": (ASKED,)}
