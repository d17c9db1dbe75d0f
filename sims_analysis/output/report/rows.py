"""The results of a report as rows of a table: plain numbers, None where there is none."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import xarray as xr

if TYPE_CHECKING:
    from sims_analysis.analysis.series import Series

_NOT_CONCENTRATION = {
    "count/s": "counts, not calibrated to concentration",
    "count": "counts, not calibrated to concentration",
    "arb. unit": "arbitrary units, not calibrated to concentration",
    "1": "a fraction, no concentration without an atomic density",
    "1/cm": "a range distribution, concentration per dose",
}


@dataclass(frozen=True, kw_only=True)
class SpeciesReport:
    """The answers for one species: depths in `axis_units`, `peak` in `units`, doses in atom/cm^2.

    None is no answer, and then `junction_status` or `reason` says why.
    """

    species: str
    variable: str
    units: str
    samples: int
    axis: str
    axis_units: str
    peak: float | None
    peak_at: float | None
    dose: float | None = None
    dose_stderr: float | None = None
    dose_systematic_stderr: float | None = None
    dose_status: str = ""
    background_dose: float | None = None
    surface_dose: float | None = None
    rule_difference: float | None = None
    coverage: float | None = None
    junction_depth: float | None = None
    junction_stderr: float | None = None
    junction_status: str = ""
    reason: str = ""


class Junction(NamedTuple):
    """A metallurgical junction: donors equal acceptors; depths in nm."""

    depth: float | None
    stderr: float | None
    polarity: str
    status: str


#: Part of a dose budget -> its name in a row.
_PARTS = {"random_stderr": "dose_stderr", "systematic_stderr": "dose_systematic_stderr"}
_SAME = ("dose", "background_dose", "surface_dose", "rule_difference", "coverage")
_PARTS |= {name: name for name in _SAME}


def rows_of(
    profiles: Sequence[Series],
    peaks: Sequence[xr.Dataset],
    doses: Sequence[xr.Dataset],
    crossings: Sequence[xr.DataArray],
) -> list[SpeciesReport]:
    """Write the results of each profile as a row."""
    tops = {
        variable: _by_species(found for found in peaks if variable in found)
        for variable in {one.variable for one in profiles}
    }
    budgets, depths = _by_species(doses), _by_species(crossings)
    rows = []
    for one in profiles:
        top = tops[one.variable][one.species]
        row: dict[str, Any] = {
            "species": one.species,
            "variable": one.variable,
            "units": one.units,
            "samples": one.x.size,
            "axis": one.axis,
            "axis_units": one.axis_units,
            "peak": _known(top[one.variable]),
            "peak_at": _known(top[one.axis]),
        }
        if one.variable != "concentration":
            row["reason"] = _NOT_CONCENTRATION[one.units]
        elif one.axis != "depth":
            row["reason"] = "sputter time is not calibrated to depth"
        else:
            budget, crossing = budgets[one.species], depths[one.species]
            row |= {name: _known(budget[part]) for part, name in _PARTS.items()}
            row["dose_status"] = budget["status"]
            row["junction_depth"] = _known(crossing["value"])
            row["junction_stderr"] = _known(crossing.get("stderr"))
            row["junction_status"] = crossing["status"]
        rows.append(SpeciesReport(**row))
    return rows


def junctions_of(found: xr.Dataset) -> list[Junction]:
    """Write metallurgical junctions as rows."""
    names = ("depth", "stderr", "polarity", "status")
    rows = zip(*(found[name].values.tolist() for name in names), strict=True)
    return [Junction(_known(depth), _known(sigma), *words) for depth, sigma, *words in rows]


def _by_species(results: Iterable[xr.Dataset | xr.DataArray]) -> dict[str, Mapping[str, Any]]:
    """Return what each species has of the results: the values of variables and coordinates."""
    found: dict[str, Mapping[str, Any]] = {}
    for result in results:
        whole = result.to_dataset(name="value") if isinstance(result, xr.DataArray) else result
        columns = {
            str(name): column.values.tolist()
            for name, column in whole.variables.items()
            if column.dims == ("species",)
        }
        found |= {
            str(name): {key: column[i] for key, column in columns.items()}
            for i, name in enumerate(columns["species"])
        }
    return found


def _known(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else value
