"""The rows of a fit as a Dataset."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import xarray as xr

from sims_analysis import units, vocabulary
from sims_analysis.errors import UnitsError
from sims_analysis.frame.hidden import unfilled
from sims_analysis.frame.run import replaced_where
from sims_analysis.kernels.residuals import RESIDUALS
from sims_analysis.kernels.rows import Status
from sims_analysis.models._asked import Asked
from sims_analysis.models._joint import JOINT
from sims_analysis.models._layers import LayeredModel, of_layer
from sims_analysis.models._links import Links
from sims_analysis.models._objectives import OBJECTIVES
from sims_analysis.models._profiles import doubts_in, in_words, mark_doubts
from sims_analysis.models._status import STATUS
from sims_analysis.models._task import WINDOW_DOSE, Task
from sims_analysis.models.lines import straight_line
from sims_analysis.models.model import Array, Parameter

__all__ = ["dressed", "quantified"]

_OF_LOGARITHMS = OBJECTIVES.index("squares of ln C")
#: Numbers of the answer with a unit of their own.
_NUMBERS = (
    "objective_value",
    "reduced_chi_square",
    "aic",
    "residual_correlation",
    "largest_departure",
    "largest_deviation",
    "rms_log_departure",
    "window_start",
    "window_stop",
)


def dressed(
    rows: xr.Variable, asked: Asked, *, bridge: bool, common: xr.Variable | None = None
) -> xr.Dataset:
    """Give each number its name, unit and words, and a fit its doubts about the samples.

    `common` are the numbers of what linked profiles have in common: see
    :func:`sims_analysis.models._joint.fit_group`.
    """
    profiles, task = asked.profiles, asked.task
    links = asked.links if asked.links.active else None
    part = partial(_part, rows, asked, common)
    found: dict[str, xr.Variable] = {}
    for one, value, stderr, i in _quantities(task, links):
        attrs = {
            "units": one.units(profiles.kind, profiles.axis),
            "long_name": one.name.replace("_", " ").capitalize(),
            "description": one.definition,
        }
        found[one.name] = part(value, i, **attrs)
        error = f"Standard error of {one.name.replace('_', ' ')}"
        found[f"{one.name}_stderr"] = part(stderr, i, **attrs | {"long_name": error})
        if task.profile and value == "value":
            for end in ("lower", "upper"):
                what = {"long_name": f"{end.capitalize()} end of the 68 % interval"}
                found[f"{one.name}_{end}"] = part(end, i, **attrs | what)
        if links is not None and one.name in links.informed:
            text = f"Fit less prior of {one.name.replace('_', ' ')}, in widths of the prior"
            found[f"{one.name}_pull"] = part("pull", i, units="1", long_name=text)
    names, poor, square = [one.name for one in task.parameters], part("poor"), part("covariance")
    if links is not None and common is not None:
        names = [entry.label for entry in links.entries(task)]
        n, at = len(names), JOINT.index("poor")
        poor = _numbers(common, slice(at * n, (at + 1) * n))
        square = _numbers(common, slice(len(JOINT) * n, len(JOINT) * n + n * n))
    *lead, _ = poor.dims
    found["poor_stderr"] = xr.Variable(
        (*lead, "parameter"), poor.data == 1, vocabulary.attrs("poor_stderr")
    )
    shape = (*square.shape[:-1], len(names), len(names))
    found["covariance"] = xr.Variable(
        (*lead, "parameter", "parameter_"),
        square.data.reshape(shape),
        vocabulary.attrs("covariance"),
    )
    if isinstance(task.model, LayeredModel) and len(task.model.places) > 1:
        for one in task.model.of.parameters:
            if one.kind == "depth" and one.name not in (task.model.of.location, *task.model.shared):
                found |= _changing(one, found, task.model.of.location, names)
    found |= _statistics(part, asked, bridge=bridge)
    if common is not None:  # of all profiles together
        found["aic"] = _numbers(common, -1, **vocabulary.attrs("aic"))
    labels = {name: xr.Variable(name, names) for name in ("parameter", "parameter_")}
    layers = max((one.sizes.get("layer", 0) for one in found.values()), default=0)
    if layers:
        labels["layer"] = xr.Variable("layer", np.arange(1, layers + 1))
    return profiles.dataset(found, coords=labels)


#: Where a number stands: in the row of a profile, in those of its layers, or in what is common.
_Place = int | list[int] | xr.Variable


def _quantities(task: Task, links: Links | None) -> list[tuple[Parameter, str, str, _Place]]:
    """Return all that has a value and an error, what these are called in a row, and the places."""
    found: list[tuple[Parameter, str, str, _Place]] = [
        (one, "value", "stderr", i) for one, i in task.by_name(task.parameters)
    ]
    if links is not None:
        linked = links.places(task)
        there = {one.name for one, _ in linked}
        # What a restated parameter took the place of follows from it.
        found = [one for one in found if one[0].name not in there]
        found = [*((one, "value", "stderr", at) for one, at in linked), *found]
    given = {one.name for one, *_ in found}
    found += [
        (one, "derived", "derived_stderr", i)
        for one, i in task.by_name(task.model.derived)
        if one.name not in given
    ]
    return [*found, (WINDOW_DOSE, WINDOW_DOSE.name, f"{WINDOW_DOSE.name}_stderr", 0)]


def _numbers(rows: xr.Variable, place: int | slice | list[int], **attrs: str) -> xr.Variable:
    """Return one number of each row, or several along its last dimension."""
    data = rows.data[..., place]
    return xr.Variable(rows.dims[: data.ndim], data, attrs)


def _part(
    rows: xr.Variable,
    asked: Asked,
    common: xr.Variable | None,
    name: str,
    i: _Place | None = None,
    **attrs: str,
) -> xr.Variable:
    """Return numbers by their name in a row, or in what profiles have in common."""
    if isinstance(i, xr.Variable):
        assert common is not None  # noqa: S101 - only then a Variable
        at = i + JOINT.index(name) * len(asked.links.entries(asked.task))
        chosen = common.isel(__row__=at)
        order = [d for d in asked.profiles.lead if d in chosen.dims]
        chosen = chosen.transpose(*order, ...)
        return xr.Variable(chosen.dims, chosen.data, attrs)
    place = asked.task.places[name]
    if not isinstance(i, list):
        return _numbers(rows, place if i is None else place.start + i, **attrs)
    of_layers = _numbers(rows, [place.start + k for k in i], **attrs)
    return xr.Variable((*of_layers.dims[:-1], "layer"), of_layers.data, attrs)


def _statistics(
    part: Callable[..., xr.Variable], asked: Asked, *, bridge: bool
) -> dict[str, xr.Variable]:
    """Return what is said of each fit, beside its parameters."""
    found: dict[str, xr.Variable] = {}
    profiles, window = asked.profiles, asked.window
    doubts = doubts_in(profiles, window, bridge=bridge, hidden=False)
    cut = replaced_where(doubts == Status.GAP, doubts, Status.OK)
    for name, table in (
        ("status", STATUS),
        ("curve_status", STATUS),
        ("residuals", RESIDUALS),
        ("objective", OBJECTIVES),
    ):
        codes = part(name, 0)
        if table is STATUS:
            # A shape that was cut off is a wrong one.
            codes = mark_doubts(codes, cut, STATUS, instead=("wrong_shape",))
            told = mark_doubts(codes, doubts, STATUS)
            if profiles.censored is not None:  # of logarithms alone, a fit knows their limits
                log = part("objective", 0) == _OF_LOGARITHMS
                others = doubts_in(unfilled(profiles), window, bridge=bridge)
                told = told.where(log, mark_doubts(codes, others, STATUS))
            codes = told
        attrs = vocabulary.attrs("fit_status" if name == "status" else name)
        found[name] = in_words(codes, table, **attrs)
    for name in ("n_samples", "n_left_out"):
        found[name] = part(name, 0, **vocabulary.attrs(name)).astype(np.int64)
    for name in _NUMBERS:
        unit = profiles.axis_units if name.startswith("window") else None
        found[name] = part(name, 0, **vocabulary.attrs(name, unit))
    return found


def _changing(
    one: Parameter, found: dict[str, xr.Variable], location: str, names: Sequence[str]
) -> dict[str, xr.Variable]:
    """Say whether the width of layers changes with depth: the slope of a line, and its error."""
    pair = one.name, location
    labels = [of_layer(name, i + 1) for name in pair for i in range(found[one.name].sizes["layer"])]
    at = [names.index(label) for label in labels]
    slopes = xr.apply_ufunc(
        np.vectorize(_slope, signature="(n),(n),(m,m)->(k)"),
        *(found[name] for name in pair),
        found["covariance"].isel(parameter=at, parameter_=at),
        input_core_dims=[["layer"], ["layer"], ["parameter", "parameter_"]],
        output_core_dims=[["__row__"]],
        dask="parallelized",
        output_dtypes=[np.float64],
        dask_gufunc_kwargs={"output_sizes": {"__row__": 2}, "allow_rechunk": True},
    )
    what = one.name.replace("_", " ")
    attrs = {"units": "1", "description": "of a straight line over the depths of the layers, nm/nm"}
    texts = f"Change of {what} with depth", f"Standard error of the change of {what} with depth"
    return {
        f"{one.name}_slope{end}": _numbers(slopes, i, **attrs, long_name=text)
        for i, (end, text) in enumerate(zip(("", "_stderr"), texts, strict=True))
    }


def _slope(width: Array, where: Array, square: Array) -> Array:
    """Return the slope of a line through widths at depths, and its error; both have errors."""
    n = width.size
    there = np.isfinite(width) & np.isfinite(where)
    there &= np.isfinite(np.diag(square)[:n]) & np.isfinite(np.diag(square)[n:])
    if np.count_nonzero(there) < 2:
        return np.array([np.nan, np.nan])
    part = [np.flatnonzero(there), n + np.flatnonzero(there)]
    own, both, depth = (square[np.ix_(part[i], part[j])] for i, j in ((0, 0), (0, 1), (1, 1)))
    line = straight_line(where[there], width[there], own)
    for _ in range(2):
        of_both = own - line.slope * (both + both.T) + line.slope**2 * depth
        line = straight_line(where[there], width[there], of_both)
    return np.array([line.slope, np.sqrt(line.covariance[1, 1])])


def quantified(answer: xr.Dataset) -> xr.Dataset:
    """Return Quantities, as the data came; a unit that pint cannot express stays in attrs."""
    changed = {}
    for name, array in answer.data_vars.items():
        try:
            changed[name] = units.quantified_variable(array.variable)
        except UnitsError:
            changed[name] = array.variable
    return answer.assign(changed)
