"""Resample profiles to a common depth axis, on request and with a record in attrs."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Literal, NamedTuple

import numpy as np
import xarray as xr

from sims_analysis import units
from sims_analysis.conventions.cells import cell_edges
from sims_analysis.conventions.cf import with_ancillaries
from sims_analysis.conventions.provenance import with_history
from sims_analysis.conventions.species_metadata import COORDS as DELIVERED
from sims_analysis.conventions.species_metadata import without_samples
from sims_analysis.errors import DoseWarning, ProfileError
from sims_analysis.frame.call import processing_step
from sims_analysis.frame.evidence import GapPolicy
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.messages import warn_where
from sims_analysis.frame.opening import open_frames
from sims_analysis.frame.run import anywhere
from sims_analysis.kernels import grid as kernels
from sims_analysis.kernels.dose import integrate
from sims_analysis.kernels.interpolation import REACH
from sims_analysis.kernels.rows import Array
from sims_analysis.resampling.interpolation import (
    ASKED,
    Method,
    Resampled,
    as_data,
    at_depths,
    resampled,
)
from sims_analysis.text.arguments import (
    argument_error,
    check_choice,
    check_count,
    list_dims,
    type_error,
)
from sims_analysis.units import Data, ParameterLike, QuantityLike


class _Grid(NamedTuple):
    """Depths, the edges of the cells around them, and a description."""

    depth: Array
    edges: Array | None
    words: str


@processing_step()
def to_grid(
    data: Data,
    *,
    step: QuantityLike | None = None,
    depth: Sequence[str] | ParameterLike | None = None,
    like: xr.Dataset | xr.DataArray | None = None,
    every: int | None = None,
    method: Method | None = None,
    conserve: Literal["dose"] | None = None,
    gaps: GapPolicy = "flag",
) -> Data:
    """Resample profiles to a common depth axis.

    Not to be trusted as independent samples on a finer grid, or for doses without `conserve`.

    Parameters
    ----------
    data : Dataset or DataArray
        One measurement or a batch, on a depth or a sputter-time axis.
    step : str or Quantity, optional
        ``"1 nm"``: its multiples within the measured range. With `conserve`, cells of this width
        from the first sample to the last; the last cell may be narrower.
    depth : sequence of str, Quantity or DataArray, optional
        The depths, ``["10 nm", "20 nm"]``, or a DataArray with ``attrs["units"]``.
    like : Dataset or DataArray, optional
        Data whose axis to use.
    every : int, optional
        Average so many samples at a time (of the profile with the most of them), by
        ``conserve="dose"``. Give one of `step`, `depth`, `like` and `every`.
    method : {"log", "linear", "pchip", "makima"}, optional
        As for :func:`interpolate`; by default ``"log"``, but ``"linear"`` with `every`, as a mean
        of logarithms of few counts is too low.
    conserve : {"dose"}, optional
        Return averages over cells instead of values at depths: value times width of a cell is the
        dose in it, by the rule of the method (``"log"``: loglinear, ``"linear"``: trapezoid; not
        for splines). Edges lie half-way between the depths, and at the first and the last; they are
        ``cell_start`` and ``cell_stop``, also in ``depth_bounds`` of a Dataset.
    gaps : {"flag", "bridge"}
        NaN in gaps, or interpolated values; see :func:`integrated_dose`.

    Returns
    -------
    Dataset or DataArray
        With the dimensions of the data, on the new axis. NaN outside the samples of a species, in
        its gaps and among samples given as ``<5E15``, and in cells that were not completely
        measured. What is known of the samples on which values rest is kept (:func:`quality`).
        ``n_linear_segments`` counts the depths or cells of each profile where a logarithm could not
        be taken.

        Standard errors are propagated: ``sqrt([(1 - t) s0]^2 + [t s1]^2)`` between two samples
        (with relative errors where logarithms are taken), and ``sqrt(sum (w_i s_i)^2) / width`` in
        cells; in a cell without counts, 1.84 counts of the sample with the largest weight.
        Neighbours on a fine grid share samples: ``effective_sample_fraction`` is the number of
        independent samples per grid depth, if below one (for Dask data always). Sums and fits use
        errors larger by ``1 / sqrt(effective_sample_fraction)``; drop it after selecting every
        n-th depth. A grid of a grid has no more independent samples than the first; between two
        depths of the first, errors of single values are up to 30 % too small. Counts are
        interpolated likewise, or added up in cells.

    Raises
    ------
    UnitsError
        If a step or depth does not have a unit of the axis.
    ProfileError
        If not exactly one of `step`, `depth`, `like` and `every` is given, depths do not increase,
        no multiple of `step` lies within the samples, or `conserve` is given with a spline.

    Warns
    -----
    DoseWarning
        Where more than 1 % of a dose is in cells at the ends of a record that were not completely
        measured, as those of species that begin later in the cycle (not for Dask data).

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> cells = sims.to_grid(ds, step="5 nm", conserve="dose")
    >>> [f"{mean:.2e}" for mean in cells["concentration"].sel(species="B", depth=[3.5, 8.5])]
    ['1.17e+19', '5.62e+18']
    """
    method = method or ("log" if every is None else "linear")
    check_choice("method", method, REACH)
    if every is not None:
        check_count("every", every, least=2)
        conserve = conserve or "dose"
    if conserve is not None:
        check_choice("conserve", conserve, ("dose",))
    if conserve and REACH[method] > 1:
        raise ProfileError(
            f'conserve="dose" needs method="log" or "linear", which have a dose rule; '
            f"method={method!r} has none",
            argument="conserve",
        )
    targets = {"step": step, "depth": depth, "like": like, "every": every}
    if sum(v is not None for v in targets.values()) != 1:
        raise ProfileError(
            "give exactly one of step, depth, like and every", code="conflicting_arguments"
        )
    frames = open_frames(data, question="a grid", gaps=gaps)
    first = frames[0]
    grid = _grid(first, conserve is not None, **targets)
    trace: dict[str, str] = {"interpolation": method}
    if grid.edges is None:
        places = xr.Variable((ASKED,), grid.depth)
        results = [at_depths(frame, places, method, on_new_axis=True) for frame in frames]
    else:
        trace["cell_methods"] = f"{first.axis}: mean"
        results = [_in_cells(frame, grid.edges, log=method == "log") for frame in frames]
    coords: dict[str, Any] = _delivered(data, first) | _cell_coords(first, grid.edges)
    output = as_data(data, frames, results, xr.Variable((first.axis,), grid.depth), {}, **trace)
    if isinstance(output, xr.DataArray):
        return output.assign_coords(coords).rename(data.name)
    unsampled = {name: v.variable for name, v in data.items() if first.dim not in v.dims}
    result = output.assign(unsampled) if unsampled else output
    if grid.edges is not None:
        axis, bounds = first.axis, np.column_stack([grid.edges[:-1], grid.edges[1:]])
        # In the CF conventions, bounds have the units of their axis and no attrs of their own.
        coords[f"{axis}_bounds"] = xr.Variable((axis, "bounds"), bounds)
        result[axis].attrs["bounds"] = f"{axis}_bounds"
    result = with_ancillaries(result.assign_coords(coords))
    result.attrs |= {"grid": grid.words, "grid_method": method}
    if conserve:
        result.attrs["grid_conserve"] = conserve
    how = "averaged over cells (dose kept)" if conserve else "interpolated"
    return with_history(result, f"{how} by method {method} on {grid.words}")


def _cell_coords(frame: Frame, edges: Array | None) -> dict[str, xr.Variable]:
    """Return the edges of cells as coordinates of each depth, as a DataArray can hold them."""
    if edges is None:
        return {}
    ends = {"cell_start": edges[:-1], "cell_stop": edges[1:]}
    attrs = {"units": frame.axis_units}
    return {
        name: frame.as_the_data(xr.Variable(frame.axis, at, attrs)) for name, at in ends.items()
    }


def _delivered(data: Any, frame: Frame) -> dict[str, Any]:
    """Keep the coordinates delivered with each species, except those of single samples."""
    coords = without_samples(data).coords
    names = [name for name in DELIVERED if name in coords and frame.dim not in coords[name].dims]
    return {name: coords[name].variable for name in names}


def _in_cells(frame: Frame, edges: Array, *, log: bool) -> Resampled:
    """Average profiles over cells."""
    options: dict[str, Any] = {"extra": (ASKED,), "edges": edges}

    def means(other: Frame, *, linear: bool = False) -> xr.Variable:
        straight = linear or not log
        mean: xr.Variable = other.map(kernels.cell_means, log=not straight, **options).value
        return mean

    every = frame.map(kernels.cell_means, log=log, errors="sum", **options)
    _warn_of_ends(frame, every.value, edges)
    cells = (xr.Variable((ASKED,), edge) for edge in (edges[:-1], edges[1:]))
    what = "cells that reach into it have no value"
    return resampled(frame, every, means, *cells, what=what)


def _warn_of_ends(frame: Frame, mean: xr.Variable, edges: Array) -> None:
    """Warn where part of a dose is in cells at the ends that were not completely measured."""
    has_dose = frame.term in ("concentration", "range_density")
    if frame.lazy or not has_dose or not anywhere(mean[..., [0, -1]].isnull()):
        return
    nowhere = xr.Variable((), np.nan)
    total = frame.map(integrate, nowhere, nowhere).value
    lost = 1 - (mean * xr.Variable(ASKED, np.diff(edges))).sum(ASKED) / total
    warn_where(
        frame,
        lost > _NOTABLE,
        lambda first: (
            f"{first.of(lost):.0%} of the dose is in cells at the ends that were not completely "
            "measured, and have no value; a grid of the species alone (samples()) loses nothing"
        ),
        DoseWarning,
    )


#: The part of a dose that matters.
_NOTABLE = 0.01


def _grid(frame: Frame, cells: bool, *, step: Any, depth: Any, like: Any, every: Any) -> _Grid:
    if step is not None:
        return _by_step(frame, step, cells=cells)
    if every is not None:
        return _of_samples(frame, every)
    bounds = None
    if like is not None:
        points, bounds = _axis_like(frame, like)
        words = f"the {frame.axis} axis of other data"
    else:
        at = frame.points(depth, "depth")
        if at.ndim > 1:
            raise ProfileError(
                f"depth is over {list_dims(at.dims)}: a common axis has one dimension; use "
                "interpolate() for different depths for each profile",
                argument="depth",
            )
        points, words = np.atleast_1d(at.data), f"{at.size} stated values of {frame.axis}"
    if not (np.isfinite(points).all() and (np.diff(points) > 0).all()):
        raise ProfileError(
            f"the {frame.axis} values of a grid must increase strictly",
            code="unordered_axis",
            argument="depth" if like is None else "like",
        )
    if not cells:
        return _Grid(points, None, words)
    if bounds is None:
        if points.size < 2:
            raise ProfileError("cells need at least two depths", code="too_few_values")
        halfway = 0.5 * (points[:-1] + points[1:])
        bounds = np.concatenate([points[:1], halfway, points[-1:]])
    return _Grid(points, bounds, f"cells around {words}")


#: Maximum number of grid depths: more than any record has, and as many as fit into memory.
_MOST = 10_000_000


def _by_step(frame: Frame, step: Any, *, cells: bool) -> _Grid:
    """Return the multiples of a step within the samples, or cells from the first to the last."""
    width = units.read_number(step, (frame.axis,), "step")
    if not 0 < width < np.inf:
        raise argument_error("step", step, "expected one positive number")
    unit = frame.axis_units
    of_cells = cells and frame.lower is not None
    record: Any = (frame.lower, frame.upper) if of_cells else (frame.depth, frame.depth)
    begin, end = (np.asarray(bound.data) for bound in record)
    if np.isnan(begin).all():
        raise ProfileError("there is no sample for a grid to span", code="no_sample_in_window")
    first, last = float(np.nanmin(begin)), float(np.nanmax(end))
    with np.errstate(over="ignore"):
        count = np.divide(last - first, width)
    if count > _MOST:
        message = f"{first:g} to {last:g} {unit} would be {count:.3g} depths"
        raise argument_error("step", step, f"{message}; a grid has at most {_MOST:,}")
    if cells:
        edges = first + np.arange(np.ceil((last - first) / width), dtype=np.float64) * width
        # Drop a last cell that is only rounding.
        edges = np.append(edges[edges < last - 1e-9 * width], last)
        if edges.size < 2:
            raise argument_error("step", step, f"the {frame.axis} axis has no extent")
        return _Grid(0.5 * (edges[:-1] + edges[1:]), edges, f"cells of {width:.15g} {unit}")
    # Exact fractions give the decimal that a user writes: 3 * 1 / 10, not 3 * 0.1.
    exact = Fraction(repr(width))
    factors = np.arange(np.floor(first / width) - 1, np.ceil(last / width) + 2)
    points = factors * exact.numerator / exact.denominator
    points = points[(points >= first) & (points <= last)]
    if points.size == 0:
        span = f"{first:g} to {last:g} {unit}"
        raise argument_error("step", step, f"no multiple of it lies within the samples, {span}")
    return _Grid(points, None, f"multiples of {width:.15g} {unit}")


def _of_samples(frame: Frame, every: int) -> _Grid:
    """Return cells of a number of samples each, of the profile that has the most."""
    measured: Any = (frame.filled().value.notnull() & frame.depth.notnull()).compute()
    most = measured.sum(frame.dim).argmax(...) if frame.lead else {}
    depth = frame.depth.isel(most, missing_dims="ignore").values
    z = depth[measured.isel(most).values]
    if z.size < 2:
        raise ProfileError(f"every={every}: there are no samples to average", argument="every")
    between = 0.5 * (z[every - 1 : -1 : every] + z[every::every])
    edges = np.concatenate([z[:1], between, z[-1:]])
    edges = edges[np.concatenate([[True], np.diff(edges) > 0])]
    return _Grid(0.5 * (edges[:-1] + edges[1:]), edges, f"cells of {every} samples")


def _axis_like(frame: Frame, like: Any) -> tuple[Array, Array | None]:
    if not isinstance(like, xr.Dataset | xr.DataArray):
        raise type_error("like", like, "like: expected a Dataset or a DataArray")
    if frame.axis not in like.coords or like[frame.axis].ndim != 1:
        raise ProfileError(
            f"like has no common {frame.axis} axis; if its profiles have axes of their own, "
            "select one of them, or resample them to a grid first",
            argument="like",
        )
    axis = like[frame.axis]
    read, _ = units.to_canonical_variable(axis, (frame.axis,), f"like: {frame.axis}", np.float64)
    points: Array = read.values
    plain: Any = units.dequantify(like)  # type: ignore[type-var]  # one of the two
    cells = cell_edges(plain, frame.axis)
    if cells is None:
        return points, None
    start, stop = cells.T
    return points, np.append(start, stop[-1]) if (start[1:] == stop[:-1]).all() else None
