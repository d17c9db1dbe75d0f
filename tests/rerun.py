"""The provenance of a figure, run again, gives the numbers that the figure shows."""

import math

import numpy as np
import xarray as xr

import sims_analysis as sims
from sims_analysis.errors import collected


def _listed(given):
    return given if isinstance(given, list) else [given]


def _rows(answer):
    """List the numbers of an answer, each with the labels that tell it from others."""
    arrays = [answer] if isinstance(answer, xr.DataArray) else answer.data_vars.values()
    for array in arrays:
        for index in np.ndindex(array.shape):
            one = array.isel(dict(zip(array.dims, index, strict=True)))
            labels = {name: str(one[name].values) for name in ("species",) if name in one.coords}
            yield array.name, labels, one.values.item()


def _same(one, other):
    if one is None or isinstance(one, str):
        return one == other or (one is None and math.isnan(other))
    # Differences of nearly equal numbers, such as how far the rules differ, have fewer digits.
    return not isinstance(other, str) and math.isclose(one, other, rel_tol=1e-12, abs_tol=1e-12)


def run_again(record, data):
    """Take the recorded steps on the data, and ask the recorded questions."""
    for step in record.get("steps", []):
        data = getattr(sims, step["function"])(data, **step["parameters"])
    questions = _listed(record.get("question", []))
    with collected():  # species that the figure does not show may give cause to warn
        return [getattr(sims, one["function"])(data, **one["parameters"]) for one in questions]


def assert_gives_its_numbers(record, data):
    """Every number that a figure shows is an answer to a question that it states."""
    assert record["results"], "the figure states no number"
    found = [row for answer in run_again(record, data) for row in _rows(answer)]
    for shown in record["results"]:
        labels = {"species": shown["species"]} if "species" in shown else {}
        values = [value for name, its, value in found if (name, its) == (shown["name"], labels)]
        assert any(_same(shown["value"], value) for value in values), (shown, values)
