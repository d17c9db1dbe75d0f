"""What is drawn: one curve per species and measurement, and what of it is data.

A sample is drawn as data if it is positive (on a log axis) and not below the detection limit.
The others are marked where they are: at the floor of the axis, or at the limit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import xarray as xr

from sims_analysis import vocabulary
from sims_analysis.analysis.series import Series, series_of
from sims_analysis.errors import ProfileError, SpeciesError
from sims_analysis.figures.style import DASHES, colour_of, dashes_of
from sims_analysis.units import CANONICAL, magnitude_and_unit, read_quantity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

Result = TypeVar("Result", xr.Dataset, xr.DataArray)

__all__ = [
    "Curve",
    "collect",
    "dash_names_measurement",
    "is_crowd",
    "is_synthetic",
    "measurements_of",
    "of_curve",
    "parallel",
    "styled",
    "with_limits",
]


@dataclass(frozen=True)
class Curve:
    """A profile with its looks.

    Parameters
    ----------
    series : Series
    source : str
        Key of its measurement in what the user gave; empty if that was one only.
    colour, dash : Any
    limit : float
        Detection limit in the unit of the series; NaN if none is given.
    """

    series: Series
    source: str
    colour: str = ""
    dash: Any = "solid"
    limit: float = np.nan

    @property
    def measurement(self) -> str:
        """What tells this curve from the others of its species."""
        return ", ".join(filter(None, [self.source, *self.series.place.values()]))

    def below_limit(self) -> Mask:
        """Find samples that lie below the detection limit."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self.series.y < self.limit)

    def not_positive(self) -> Mask:
        """Find samples that a log axis cannot show, unless the detection limit speaks for them."""
        return (self.series.y <= 0) & ~self.below_limit()


def measurements_of(data: Any) -> dict[str, xr.Dataset | xr.DataArray]:
    """Name the measurements in what the user gave: one, several in a list, or a mapping."""
    if isinstance(data, xr.Dataset | xr.DataArray):
        return {"": data}
    if isinstance(data, Mapping):
        named = {str(label): item for label, item in data.items()}
    elif isinstance(data, Sequence) and not isinstance(data, str):
        labels = [
            str(getattr(item, "attrs", {}).get("data_id") or i) for i, item in enumerate(data)
        ]
        counts = Counter(labels)
        named = {
            label if counts[label] == 1 else f"{label} ({i})": item
            for i, (label, item) in enumerate(zip(labels, data, strict=True))
        }
    else:
        raise TypeError(
            "expected a Dataset, a DataArray, or a list or mapping of them; "
            f"found {type(data).__name__}"
        )
    if not named:
        raise ProfileError("there is nothing to draw: no measurement was given")
    return named


def parallel(result: Any, data: Any, named: Mapping[str, Any]) -> Any:
    """Give each of several measurements its own result, where the user gives a list of both."""
    lists = isinstance(data, Sequence) and isinstance(result, Sequence)
    if lists and len(result) == len(named):
        return dict(zip(named, result, strict=True))
    return result


def collect(
    named: Mapping[str, xr.Dataset | xr.DataArray], species: str | Sequence[str] | None
) -> list[Curve]:
    """List the curves of the measurements, in the order of the species."""
    curves = [Curve(series, label) for label, item in named.items() for series in series_of(item)]
    if species is None:
        # The species of the first measurement lead, whatever the order in the others.
        order = list(dict.fromkeys(curve.series.species for curve in curves))
    else:
        order = [species] if isinstance(species, str) else list(species)
        there = {curve.series.species for curve in curves}
        missing = [name for name in order if name not in there]
        if missing:
            raise SpeciesError(
                f"the data have no species {', '.join(map(repr, missing))}; "
                f"they have {', '.join(map(repr, sorted(there)))}"
            )
    return [curve for name in order for curve in curves if curve.series.species == name]


def styled(curves: Sequence[Curve], colours: Mapping[str, str] | None) -> list[Curve]:
    """Give every curve its colour, and dashes that tell curves of one colour apart."""
    chosen = [
        (colours or {}).get(curve.series.species) or colour_of(curve.series.species)
        for curve in curves
    ]
    if dash_names_measurement(curves, chosen):
        order = list(dict.fromkeys(curve.measurement for curve in curves))
        dashes = [DASHES[order.index(curve.measurement) % len(DASHES)] for curve in curves]
    else:
        dashes = dashes_of(chosen)
    return [
        replace(curve, colour=colour, dash=dash)
        for curve, colour, dash in zip(curves, chosen, dashes, strict=True)
    ]


def dash_names_measurement(curves: Sequence[Curve], colours: Sequence[str]) -> bool:
    """Whether a dash can stand for a measurement: several, and every colour is one profile."""
    keys = {(c.series.species, c.series.variable) for c in curves}
    several = len({curve.measurement for curve in curves}) > 1
    return several and len(set(colours)) == len(keys)


def with_limits(curves: Sequence[Curve], detection_limit: Any) -> list[Curve]:
    """Give the curves their detection limits: one for all of its unit, or one a species."""
    if detection_limit is None:
        return list(curves)
    if isinstance(detection_limit, xr.Dataset):
        detection_limit = detection_limit["detection_limit"]
    return [replace(curve, limit=_limit(curve, detection_limit)) for curve in curves]


def _limit(curve: Curve, given: Any) -> float:
    kinds = vocabulary.VALUE_KINDS
    if isinstance(given, xr.DataArray):
        chosen = of_curve(given, curve)
        if chosen is None:
            return np.nan
        magnitude, unit = magnitude_and_unit(chosen, kinds, "detection_limit")
        value, canonical = float(unit.to_canonical(magnitude)), unit.canonical
    else:
        value, unit = read_quantity(given, kinds, "detection_limit")
        canonical = CANONICAL[unit.kind]
    return value if canonical == curve.series.units else np.nan


def of_curve(result: Result, curve: Curve) -> Result | None:
    """Select what a result says of a curve; None if it says nothing of it."""
    for dim, label in {"species": curve.series.species, **curve.series.place}.items():
        if dim not in result.coords:
            if dim in result.dims:
                result = result.isel({dim: int(label)})
            continue
        known = [str(name) for name in np.atleast_1d(result[dim].values)]
        if label not in known:
            return None
        if dim in result.dims:
            result = result.isel({dim: known.index(label)})
    return result


def is_synthetic(data: xr.Dataset | xr.DataArray) -> bool:
    """Whether attrs or metadata call the data synthetic."""
    texts = [str(value) for value in data.attrs.values()]
    for name in ("species_metadata", "source"):
        if name in data.coords:
            texts += [str(text) for text in np.ravel(data[name].values)]
    return any("synthetic" in text.lower() for text in texts)


#: From this many measurements of a species on, curves are thin and share one name.
_CROWD = 7


def is_crowd(curves: Sequence[Curve]) -> bool:
    """Whether a species has so many curves that they cannot be told apart."""
    counts = Counter((curve.series.species, curve.series.variable) for curve in curves)
    return max(counts.values()) >= _CROWD
