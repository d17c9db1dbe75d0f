"""The rows of a fit as a Dataset."""

from __future__ import annotations

from functools import partial

import numpy as np
import xarray as xr

from sims_analysis import units, vocabulary
from sims_analysis.errors import UnitsError
from sims_analysis.frame.frame import Frame, as_dataset
from sims_analysis.frame.window import Window
from sims_analysis.models._objectives import OBJECTIVES
from sims_analysis.models._profiles import doubted, in_words
from sims_analysis.models._residuals import RESIDUALS
from sims_analysis.models._status import STATUS
from sims_analysis.models._task import WINDOW_DOSE, Task
from sims_analysis.models.model import Array

__all__ = ["dressed", "quantified"]

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
    rows: xr.DataArray, profiles: Frame, task: Task, window: Window, *, bridge: bool
) -> xr.Dataset:
    """Give each number its name, unit and words, and a fit its doubts about the samples."""

    def part(name: str, i: int | None = None) -> xr.DataArray:
        place = task.places[name]
        return rows.isel(__row__=place if i is None else place.start + i)

    found: dict[str, xr.DataArray] = {}
    names = [one.name for one in task.parameters]
    both = [(one, "value", "stderr", i) for i, one in enumerate(task.parameters)]
    both += [(one, "derived", "derived_stderr", i) for i, one in enumerate(task.model.derived)]
    both.append((WINDOW_DOSE, WINDOW_DOSE.name, f"{WINDOW_DOSE.name}_stderr", 0))
    for one, value, stderr, i in both:
        attrs = {
            "units": one.units(profiles.kind, profiles.axis),
            "long_name": one.name.replace("_", " ").capitalize(),
            "description": one.definition,
        }
        found[one.name] = part(value, i).assign_attrs(attrs)
        error = f"Standard error of {one.name.replace('_', ' ')}"
        found[f"{one.name}_stderr"] = part(stderr, i).assign_attrs(attrs, long_name=error)
        if task.profile and value == "value":
            for end in ("lower", "upper"):
                what = f"{end.capitalize()} end of the 68 % interval"
                ends = part(end, i).assign_attrs(attrs, long_name=what)
                found[f"{one.name}_{end}"] = ends
    found["poor_stderr"] = (
        (part("poor") == 1)
        .rename(__row__="parameter")
        .assign_coords(parameter=names)
        .assign_attrs(vocabulary.attrs("poor_stderr"))
    )
    square = part("covariance")
    shape = {"parameter": names, "parameter_": names}
    found["covariance"] = _square(square, shape).assign_attrs(vocabulary.attrs("covariance"))
    for name, table in (
        ("status", STATUS),
        ("curve_status", STATUS),
        ("residuals", RESIDUALS),
        ("objective", OBJECTIVES),
    ):
        codes = part(name, 0)
        if table is STATUS:
            # A shape that was cut off is a wrong one.
            cut = ("wrong_shape",)
            codes = doubted(profiles, codes, STATUS, window, bridge=True, instead=cut)
            codes = doubted(profiles, codes, STATUS, window, bridge=bridge)
        found[name] = in_words(codes, table).assign_attrs(
            vocabulary.attrs("fit_status" if name == "status" else name)
        )
    for name in ("n_samples", "n_left_out"):
        found[name] = part(name, 0).astype(np.int64).assign_attrs(vocabulary.attrs(name))
    for name in _NUMBERS:
        unit = profiles.axis_units if name.startswith("window") else None
        found[name] = part(name, 0).assign_attrs(vocabulary.attrs(name, unit))
    return as_dataset(found)


def _square(rows: xr.DataArray, shape: dict[str, list[str]]) -> xr.DataArray:
    n = len(shape["parameter"])
    made: xr.DataArray = xr.apply_ufunc(
        partial(_reshaped, n=n),
        rows,
        input_core_dims=[["__row__"]],
        output_core_dims=[list(shape)],
        dask="parallelized",
        output_dtypes=[np.float64],
        dask_gufunc_kwargs={"output_sizes": dict.fromkeys(shape, n), "allow_rechunk": True},
    )
    return made.assign_coords(shape)


def _reshaped(flat: Array, *, n: int) -> Array:
    return flat.reshape(*flat.shape[:-1], n, n)


def quantified(answer: xr.Dataset) -> xr.Dataset:
    """Return Quantities, as the data came; a unit that pint cannot express stays in attrs."""
    changed = {}
    for name, array in answer.data_vars.items():
        try:
            changed[name] = units.quantified_variable(array.variable)
        except UnitsError:
            changed[name] = array.variable
    return answer.assign(changed)
