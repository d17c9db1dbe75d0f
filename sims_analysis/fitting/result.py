"""The rows of a fit as a Dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from sims_analysis import units, vocabulary
from sims_analysis.errors import FitWarning
from sims_analysis.fitting.objectives import OBJECTIVES
from sims_analysis.fitting.request import NUMBERS, WINDOW_DOSE, FitRequest, by_name, split_label
from sims_analysis.frame.evidence import resolve, support_of_window
from sims_analysis.frame.messages import (
    FirstFlagged,
    warn_of_empty_window,
    warn_of_status,
    warn_where,
)
from sims_analysis.frame.run import Fields, words
from sims_analysis.kernels.residuals import RESIDUALS
from sims_analysis.kernels.rows import changed
from sims_analysis.outcomes import Flag, Status
from sims_analysis.shapes.model import Parameter


def fit_dataset(request: FitRequest, rows: xr.Variable) -> xr.Dataset:
    """Say what was found of each profile, or of those that are linked together, and warn of it."""
    profiles = request.frame
    m, size, in_common = len(request.labels), request.fields.size, request.common_fields
    parts = [rows.isel(__row__=slice(i * size, (i + 1) * size)) for i in range(m)]
    each = parts[0] if request.over is None else xr.Variable.concat(parts, request.over)
    of_each = _Rows(_ordered(each, profiles.lead), request.fields, profiles.lead)
    rows = _ordered(rows.isel(__row__=slice(m * size, None)), profiles.lead)
    best = _Rows(rows, in_common, profiles.lead) if in_common.shapes else of_each
    variables = _parameters(request, of_each, best)
    dims = (*best.rows.dims[:-1], "parameter", "parameter_")
    square = best.fields.of(best.rows.data, "covariance")
    variables["covariance"] = xr.Variable(dims, square, vocabulary.attrs("covariance"))
    names = [entry.label for entry in request.entries]
    variables |= _statistics(of_each, request)
    variables["aic"] = best.numbers("aic", vocabulary.attrs("aic"))
    labels = {name: xr.Variable(name, names) for name in ("parameter", "parameter_")}
    n_layers = max((variable.sizes.get("layer", 0) for variable in variables.values()), default=0)
    if n_layers:
        labels["layer"] = xr.Variable("layer", np.arange(1, n_layers + 1))
    answer = profiles.dataset(variables, coords=labels)
    if not profiles.lazy:
        empty = (answer["status"] == "no_data").variable
        window = request.settings["start"], request.settings["stop"]
        warn_of_empty_window(profiles, window, empty, FitWarning)
        warn_of_status(profiles, answer["status"], "the fit is not ok:")
        residuals = answer["residuals"]
        misfit = ((answer["status"] == "ok") & (residuals != "random")).variable

        def described(first: FirstFlagged) -> str:
            word = residuals.isel(first.index).item()
            return f"the model does not fit; residuals are {word}"

        warn_where(profiles, misfit, described, FitWarning)
    return units.quantify(answer) if profiles.quantified else answer


@dataclass(frozen=True)
class _Rows:
    """Rows of numbers, what stands where in them, and the order of the profiles' dimensions."""

    rows: xr.Variable
    fields: Fields
    lead: Sequence[str]

    def numbers(
        self, name: str, attrs: Mapping[str, str] | None = None, at: xr.Variable | None = None
    ) -> xr.Variable:
        """Return numbers by their name; of a column those at some places."""
        data, dims = self.fields.of(self.rows.data, name), self.rows.dims[:-1]
        if at is None:
            return xr.Variable(dims, data, attrs)
        values = _ordered(xr.Variable((*dims, "__row__"), data).isel(__row__=at), self.lead)
        return xr.Variable(values.dims, values.data, attrs)


def _ordered(rows: xr.Variable, lead: Sequence[str]) -> xr.Variable:
    return rows.transpose(*lead, ..., missing_dims="ignore")


def _parameters(request: FitRequest, of_each: _Rows, best: _Rows) -> dict[str, xr.Variable]:
    """Return all that has a value and an error: parameters, what follows, and the window's dose."""
    profiles = request.frame
    variables: dict[str, xr.Variable] = {}

    def add(
        parameter: Parameter, rows: _Rows, value: str, stderr: str, at: xr.Variable | None
    ) -> None:
        what = parameter.name.replace("_", " ")
        attrs = {
            "units": parameter.units(profiles.kind, profiles.axis),
            "long_name": what.capitalize(),
            "description": parameter.definition,
        }
        variables[parameter.name] = rows.numbers(value, attrs, at)
        error = {"long_name": f"Standard error of {what}"}
        variables[f"{parameter.name}_stderr"] = rows.numbers(stderr, attrs | error, at)
        for end in ("lower", "upper") if request.intervals and value == "value" else ():
            end_of = {"long_name": f"{end.capitalize()} end of the 68 % interval"}
            variables[f"{parameter.name}_{end}"] = rows.numbers(end, attrs | end_of, at)

    known_before = {split_label(name)[0] for name in request.prior} | set(request.scales)
    for parameter, at in request.places():
        add(parameter, best, "value", "stderr", at)
        if parameter.name in known_before:
            text = f"Fit less prior of {parameter.name.replace('_', ' ')}, in widths of the prior"
            variables[f"{parameter.name}_pull"] = best.numbers(
                "pull", {"units": "1", "long_name": text}, at
            )
    # What a restated parameter took the place of follows from it.
    for value, stderr, parameters in (
        ("value", "stderr", request.parameters),
        ("derived", "derived_stderr", request.model.derived),
    ):
        for parameter, at in by_name(parameters):
            if parameter.name not in variables:
                add(parameter, of_each, value, stderr, at)
    add(WINDOW_DOSE, of_each, WINDOW_DOSE.name, f"{WINDOW_DOSE.name}_stderr", None)
    return variables


def _statistics(rows: _Rows, request: FitRequest) -> dict[str, xr.Variable]:
    variables: dict[str, xr.Variable] = {}
    profiles, objective = request.frame, rows.numbers("objective")
    window = request.settings["start"], request.settings["stop"]
    support = support_of_window(profiles.unfilled(), window)
    # A fit of logarithms alone knows the limits of samples below one.
    others = objective != OBJECTIVES.index("squares of ln C")
    flags = support.flags.where(others, support.flags & ~Flag.BELOW_LIMIT)
    support = changed(support, flags=flags)
    for name, term in (("status", "fit_status"), ("curve_status", "curve_status")):
        codes = rows.numbers(name).fillna(Status.NO_DATA).astype(np.uint8)
        codes = resolve(profiles, codes, support, category=None)
        variables[name] = profiles.status(codes, term)
    for name, table in (("residuals", RESIDUALS), ("objective", OBJECTIVES)):
        variables[name] = words(rows.numbers(name), table, **vocabulary.attrs(name))
    for name in ("n_samples", "n_left_out"):
        variables[name] = rows.numbers(name, vocabulary.attrs(name)).astype(np.int64)
    for name in NUMBERS:
        if name in variables or name.startswith(WINDOW_DOSE.name):
            continue
        unit = profiles.axis_units if name.startswith("window") else None
        variables[name] = rows.numbers(name, vocabulary.attrs(name, unit))
    return variables
