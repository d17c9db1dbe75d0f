"""Sensitivity factors in every form in which they are given, read into one table."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import reduce, wraps
from os import PathLike
from typing import Any, NamedTuple, Protocol, TypeAlias, TypeVar, cast, runtime_checkable

import numpy as np
import xarray as xr

from sims_analysis import units
from sims_analysis.conventions.axes import MEASUREMENT
from sims_analysis.conventions.species_metadata import metadata_of
from sims_analysis.errors import ProfileError, ProfileWarning, SpeciesError, UnitsError, about, warn
from sims_analysis.frame.arguments import refuse_cases, refuse_not_positive
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.run import anywhere
from sims_analysis.outcomes import Status
from sims_analysis.profiles.metadata import FIELD, Metadata
from sims_analysis.quantification.arguments import over_composition, read_layers
from sims_analysis.quantification.conditions import NAMES, conditions_of, contradict
from sims_analysis.units import ParameterLike

#: Kind of a factor -> the coordinate that holds it: absolute without a matrix signal.
FACTOR_TERMS = {
    "concentration": "sensitivity_factor",
    "factor_per_rate": "absolute_sensitivity_factor",
    "factor_per_count": "absolute_sensitivity_factor",
}
_OF_INTENSITY = {"count/s": "factor_per_rate", "count": "factor_per_count"}

#: What a name of a file of factors ends in, and no quantity.
_FILE = re.compile(r"\.(csv|tsv|txt|xlsx?)$", re.IGNORECASE)

F = TypeVar("F", bound=Callable[..., Any])


@runtime_checkable
class FactorTable(Protocol):
    """A source of the factors that hold for data, such as :class:`sims_analysis.Factors`."""

    def pick(
        self, data: xr.Dataset, *, matrix: str | None, **options: Any
    ) -> Mapping[str, xr.DataArray]:
        """Return the factor of each species; options are those of :func:`with_rsf`."""
        ...


#: Factors by species.
BySpecies: TypeAlias = "Mapping[str, ParameterLike]"
#: Where a layer ends, None for the end of the record; and its factors.
_Layer: TypeAlias = "tuple[ParameterLike | None, ParameterLike | BySpecies]"
#: What :func:`read_factors` reads.
FactorsLike: TypeAlias = (
    "ParameterLike | BySpecies | Sequence[xr.DataArray] | Sequence[_Layer] | FactorTable"
)


def picks_factors(function: F) -> F:
    """Decorate a function whose factors may be a table: those of the data are on record then."""

    @wraps(function)
    def call(*data: xr.Dataset, **arguments: Any) -> Any:
        table, options = arguments.get("rsf"), {}
        for name in ("combine", "max_age"):
            if arguments.get(name) is not None:
                options[name] = arguments[name]
        if isinstance(table, PathLike) or (isinstance(table, str) and _FILE.search(table)):
            text = f"rsf={str(table)!r} is the name of a file"
            remedy = f"for one as sims.Factors writes it, rsf=sims.Factors({str(table)!r})"
            raise ProfileError(text, argument="rsf", remedy=remedy)
        if isinstance(table, FactorTable) and len(data) == 1 and "matrix" in arguments:
            arguments["rsf"] = table.pick(data[0], matrix=arguments["matrix"], **options)
        elif options:
            raise ProfileError(
                f"{' and '.join(options)} choose among the factors of a table, sims.Factors(path)",
                code="conflicting_arguments",
            )
        return function(*data, **arguments)

    return cast("F", call)


class Conditions(NamedTuple):
    """How intensities become quotients, which has to be the same for a standard and an unknown."""

    #: The matrix species; None for none.
    matrix: str | None
    #: ``"cycle"`` or ``"mean"``; empty without a matrix.
    matrix_signal: str
    #: ``"corrected"`` or ``"as observed"``.
    dead_time: str


class Factors(NamedTuple):
    """Factors of the species, and their relative standard uncertainties; NaN where there is none.

    In the canonical unit of their kind; over species, and along the samples for factors of layers.
    """

    value: xr.Variable
    uncertainty: xr.Variable
    #: The part of it that is the scatter of factors from day to day.
    day_to_day: xr.Variable
    #: Of a composition that it follows: random ones, and what all samples have in common.
    random: xr.Variable
    common: xr.Variable
    #: 1 where a factor has a status that is not ``ok``.
    doubt: xr.Variable


def kind_of_factor(unit: str, matrix: str | None, name: str) -> str:
    """Return the kind of unit of factors for an intensity; arbitrary units need a matrix."""
    if matrix is not None:
        return "concentration"
    if unit not in _OF_INTENSITY:
        raise UnitsError(
            f"{name} is in {unit}, for which there is no sensitivity factor without a matrix "
            "signal: name the matrix",
            argument="matrix",
        )
    return _OF_INTENSITY[unit]


@about(argument="rsf")
def read_factors(frame: Frame, rsf: Any, kind: str, conditions: Conditions) -> Factors:
    """Read the factor of each species, by layer; those of other conditions are refused."""
    above, parts = xr.Variable((), -np.inf), []
    layers: list[tuple[Any, Any]] = [(None, rsf)]
    if isinstance(rsf, list | tuple) and rsf and isinstance(rsf[0], tuple | list):
        layers = read_layers(rsf, "rsf", "(stop, factors)")
    for i, (stop, value) in enumerate(layers):
        by_species = _by_species(frame, value, conditions.matrix)
        table = {s: over_composition(frame.origin, f, "rsf") for s, f in by_species.items()}
        for species, factor in table.items():
            _check_conditions(frame, species, factor, conditions)
        if conditions.matrix in table:
            text = f"rsf has a factor for {conditions.matrix!r}, the matrix itself"
            raise SpeciesError(text, code="invalid_argument")
        factors = _read(frame, table, kind, value)
        if len(layers) == 1 and stop is None:
            return factors
        end = xr.Variable((), np.inf)
        if stop is not None:
            end = frame.parameter(stop, (frame.axis,), f"rsf[{i}]")
        if anywhere(end <= above):
            raise ProfileError(f"rsf[{i}]={stop!r}: each layer must end below the one before")
        inside: Any = (frame.depth > above) & (frame.depth <= end)
        parts.append([column.where(inside) for column in factors])
        above = end
    columns = (reduce(xr.Variable.fillna, layered) for layered in zip(*parts, strict=True))
    return Factors(*(c.transpose(*frame.value.dims, missing_dims="ignore") for c in columns))


def _by_species(frame: Frame, rsf: Any, matrix: str | None) -> dict[str, Any]:
    """Return factors by species, whatever form they were given in."""
    if isinstance(rsf, Mapping):
        return dict(rsf)
    items = rsf
    if isinstance(rsf, xr.DataArray) and "species" in rsf.dims:
        if "species" not in rsf.coords:
            raise ProfileError(
                "rsf is over species, but does not say which; give it a coordinate species",
            )
        # A matrix divided by itself is not a concentration.
        every = (rsf.isel(species=i) for i in range(rsf.sizes["species"]))
        items = [of_species for of_species in every if str(of_species["species"].values) != matrix]
    elif isinstance(rsf, xr.DataArray) and "species" in rsf.coords:
        items = [rsf]
    if isinstance(items, str) or not isinstance(items, Sequence):
        return {_only_species(frame, matrix): rsf}
    by_species: dict[str, Any] = {}
    for item in items:
        named = isinstance(item, xr.DataArray) and "species" in item.coords
        if not (named and item["species"].ndim == 0):
            raise ProfileError(
                "rsf is a list; expected factors as rsf_from_standard() returns them, each of one "
                "species, or layers: [('120 nm', {'11B': ...}), (None, {'11B': ...})]",
            )
        label = str(item["species"].values)
        if label in by_species:
            raise ProfileError(f"rsf has two factors of {label!r}", code="repeated_species")
        by_species[label] = item
    return by_species


def _only_species(frame: Frame, matrix: str | None) -> str:
    others = [label for label in frame.species() if label != matrix]
    if len(others) != 1:
        example = others[0] if others else "11B"
        raise ProfileError(
            f"a sensitivity factor belongs to one species, and there are {len(others)}"
            f"{'' if matrix is None else ' besides the matrix'}: "
            f"rsf={{{example!r}: '5e22 atoms/cm^3', ...}}",
            code="missing_species",
        )
    return others[0]


def _check_conditions(frame: Frame, species: str, factor: Any, here: Conditions) -> None:
    """Refuse a factor of other conditions than the data say; warn of one of other quotients."""
    if not isinstance(factor, xr.DataArray):
        return

    def unlike(name: str, here: str) -> str | None:
        labels = np.ravel(factor[name].values) if name in factor.coords else ()
        return next((str(label) for label in labels if str(label) != here), None)

    matrix = unlike("matrix", here.matrix or "")
    if matrix is not None:
        raise SpeciesError(
            f"rsf is a factor {f'relative to {matrix!r}' if matrix else 'without a matrix'}, but "
            f"matrix={here.matrix!r}",
            code="different_conditions",
        )
    if way := unlike("matrix_signal", here.matrix_signal):
        warn(
            f"the factor of {species!r} was determined with matrix_signal={way!r}, and is "
            f"used with {here.matrix_signal!r}: the two agree only as far as the matrix signal is "
            "constant; use the same here, or determine the factor anew",
            ProfileWarning,
            code="different_conditions",
        )
    if dead_time := unlike("dead_time", here.dead_time):
        states = {"corrected": "corrected for dead time", "as observed": "not"}
        warn(
            f"the standard of {species!r} was {states.get(dead_time, 'corrected in part')}, "
            f"and these intensities are {states[here.dead_time]}: treat both alike with "
            "correct_dead_time(), or the concentrations are off by the dead time of the matrix "
            "signal",
            ProfileWarning,
            code="different_conditions",
        )
    _refuse_contradiction(frame, species, factor)


def _refuse_contradiction(frame: Frame, species: str, factor: xr.DataArray) -> None:
    """Refuse a factor that was determined under other conditions than the data state."""
    of_factor = conditions_of(Metadata.from_dict(json.loads(factor.attrs.get(FIELD, "{}"))))
    coords = {condition: factor[condition] for condition in of_factor if condition in factor.coords}
    if not (coords or any(of_factor.values())):
        return
    data: Any = frame.origin
    of_data = [conditions_of(metadata) for metadata in metadata_of(data, species)]
    for name, text in of_factor.items():
        stated = coords.get(name, xr.DataArray(text))
        if MEASUREMENT in stated.indexes and MEASUREMENT in data.indexes:
            stated = stated.reindex({MEASUREMENT: data.indexes[MEASUREMENT]}, fill_value="")
        n = len(of_data)
        every = np.broadcast_to(stated.values, n) if stated.size in (1, n) else ()
        for value, other in zip(every, of_data, strict=False):
            if contradict(name, str(value), other[name]):
                raise SpeciesError(
                    f"rsf of {species!r} is a factor for {NAMES[name]} {value}, but the data say "
                    f"{other[name]!r}; if it holds nevertheless, state its number",
                    code="different_conditions",
                )


def _read(frame: Frame, table: dict[str, Any], kind: str, given: Any) -> Factors:
    """Read factors by species, and the relative uncertainties of those that state one."""
    value = frame.parameter(table, (kind,), "rsf", along=True)
    refuse_cases(frame, value, "rsf")
    refuse_not_positive(value, given, "rsf")
    every: list[dict[str, Any]] = [{} for _ in Factors._fields[1:]]
    for species, given_factor in table.items():
        doubt = xr.DataArray(0.0)
        plain = units.dequantify(given_factor) if isinstance(given_factor, xr.DataArray) else doubt
        errors = [
            (plain[name] / plain).reset_coords(drop=True)
            if name in plain.coords
            else xr.DataArray(np.nan)
            for name in ("stderr", "day_to_day_stderr", "random_stderr", "common_stderr")
        ]
        if "status" in plain.coords:
            doubt = (plain["status"] != Status.OK.word).astype(float).reset_coords(drop=True)
        for part, column in zip([*errors, doubt], every, strict=True):
            column[species] = part.assign_attrs(units="1")
    parts = [frame.parameter(x, ("dimensionless",), "rsf", along=True) for x in every]
    dims = frame.value.dims
    return Factors(*(part.transpose(*dims, missing_dims="ignore") for part in (value, *parts)))
