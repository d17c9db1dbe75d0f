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
from sims_analysis.dataset.result import SIMSResult
from sims_analysis.errors import ProfileError, SpeciesError
from sims_analysis.figures.colours import DASHES, assigned, dashes_of, sequence
from sims_analysis.units import CANONICAL, Unit, magnitude_and_unit, read_quantity, unit_of_kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

Result = TypeVar("Result", xr.Dataset, xr.DataArray)

Measurement = xr.Dataset | xr.DataArray | SIMSResult
#: What is drawn: a measurement or a batch, several in a list, or named in a mapping.
Measurements = Measurement | Sequence[Measurement] | Mapping[str, Measurement]
#: What was found of one of them, once or several times; and of many, in a list or by name.
Found = xr.Dataset | xr.DataArray | Sequence[xr.Dataset | xr.DataArray]
Answers = Found | Sequence[Found] | Mapping[str, Found]

__all__ = [
    "Curve",
    "collect",
    "dash_names_measurement",
    "fill_value",
    "in_units",
    "is_synthetic",
    "measurements_of",
    "of_curve",
    "own_colours_measurements",
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
    own : bool
        Whether the user chose the colour.
    unit : Unit or None
        In which the values are printed, where that is not the canonical one.
    model : str
        Of a fitted curve.
    """

    series: Series
    source: str
    colour: str = ""
    dash: Any = "solid"
    limit: float = np.nan
    own: bool = False
    unit: Unit | None = None
    model: str = ""

    @property
    def measurement(self) -> str:
        """What tells this curve from the others of its species."""
        return ", ".join(filter(None, [self.source, *self.series.place.values()]))

    def below_limit(self) -> Mask:
        """Find samples that lie below the detection limit."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self.series.y < self.limit)

    def not_positive(self) -> Mask:
        """Find samples that a log axis cannot show, unless the detection limit speaks for them.

        That is zero, less, or the number that the instrument wrote for nothing.
        """
        y = self.series.y
        return np.asarray((y <= 0) | (y == self.fill)) & ~self.below_limit()

    @property
    def fill(self) -> float:
        """What the instrument wrote where nothing was counted; NaN if it did not."""
        return fill_value(self.series.y)


def measurements_of(data: Any) -> dict[str, xr.Dataset | xr.DataArray]:
    """Name the measurements in what the user gave: one, several in a list, or a mapping."""
    if isinstance(data, xr.Dataset | xr.DataArray | SIMSResult):
        return {"": _opened(data)}
    if isinstance(data, Mapping):
        named = {str(label): _opened(item) for label, item in data.items()}
    elif isinstance(data, Sequence) and not isinstance(data, str):
        items = [_opened(item) for item in data]
        labels = [
            str(getattr(item, "attrs", {}).get("data_id") or i) for i, item in enumerate(items)
        ]
        counts = Counter(labels)
        named = {
            label if counts[label] == 1 else f"{label} ({i})": item
            for i, (label, item) in enumerate(zip(labels, items, strict=True))
        }
    else:
        raise TypeError(
            "expected a Dataset, a DataArray, a SIMSResult, or a list or mapping of them; "
            f"found {type(data).__name__}"
        )
    if not named:
        raise ProfileError("there is nothing to draw: no measurement was given")
    return named


def _opened(item: Any) -> Any:
    """Open a payload; what is no payload stays, and is judged where it is drawn."""
    return item.to_dataset() if isinstance(item, SIMSResult) else item


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
    curves = [
        Curve(_named(series, item), label)
        for label, item in named.items()
        for series in series_of(item)
    ]
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
        if not order:
            raise ProfileError("there is nothing to draw: `species` is empty")
    return [curve for name in order for curve in curves if curve.series.species == name]


def _named(series: Series, item: Any) -> Series:
    """Name a ratio by its two species; everything else has a name."""
    parts = [item.coords[name] for name in ("numerator", "denominator") if name in item.coords]
    if series.species or len(parts) < 2 or any(part.ndim for part in parts):
        return series
    return replace(series, species=" / ".join(str(part.values) for part in parts))


def in_units(curves: Sequence[Curve], value_units: str | Sequence[str] | None) -> list[Curve]:
    """Give the values of the curves in the units that the user wants printed."""
    if value_units is None:
        return list(curves)
    wanted = [value_units] if isinstance(value_units, str) else list(value_units)
    there = {kind for curve in curves for kind in _kinds_of(curve)}
    units = {}
    for text in wanted:
        unit = unit_of_kind(text, tuple(there), "value_units")
        units[unit.kind] = unit
    return [_converted(curve, units) for curve in curves]


def _kinds_of(curve: Curve) -> tuple[str, ...]:
    """Kinds whose canonical unit is that of the curve."""
    known = (
        vocabulary.kinds(curve.series.variable) if curve.series.variable in vocabulary.TERMS else ()
    )
    return tuple(kind for kind in known if CANONICAL[kind] == curve.series.units)


def _converted(curve: Curve, units: Mapping[str, Unit]) -> Curve:
    unit = next((units[kind] for kind in _kinds_of(curve) if kind in units), None)
    if unit is None:
        return curve
    series = curve.series
    stderr = None if series.stderr is None else unit.from_canonical(series.stderr)
    series = replace(series, units=unit.text, y=unit.from_canonical(series.y), stderr=stderr)
    return replace(curve, series=series, limit=unit.from_canonical(curve.limit), unit=unit)


def styled(
    curves: Sequence[Curve],
    colours: Mapping[str, str] | None,
    colour_by: str,
    taken: dict[str, str],
) -> list[Curve]:
    """Give every curve its colour, and a dash that tells curves of one colour apart.

    Parameters
    ----------
    curves : sequence of Curve
    colours : mapping or None
        What the user wants, by species or by measurement.
    colour_by : {"species", "measurement"}
    taken : dict
        Colours that the figure uses already; those of the new curves are added.
    """
    wanted = {str(key): colour for key, colour in (colours or {}).items()}
    keys = [c.measurement if colour_by == "measurement" else c.series.species for c in curves]
    names = list(dict.fromkeys(keys))
    known = {name: wanted[name] for name in names if name in wanted}
    if colour_by == "measurement":
        free = [name for name in names if name not in known and name not in taken]
        scale = [c for c in sequence(len(free) + len(taken)) if c not in taken.values()]
        found = {**dict(zip(free, scale, strict=False)), **taken, **known}
    else:
        found = assigned(names, {**taken, **known})
    taken.update(found)
    chosen = [
        wanted.get(curve.series.species, wanted.get(curve.measurement, found[key]))
        for curve, key in zip(curves, keys, strict=True)
    ]
    if dash_names_measurement(curves, chosen):
        dashes = _cycled([curve.measurement for curve in curves])
    elif colour_by == "measurement":
        dashes = _cycled([curve.series.species for curve in curves])
    else:
        dashes = dashes_of(chosen)
    own = set(wanted.values())
    return [
        replace(curve, colour=colour, dash=dash, own=colour in own)
        for curve, colour, dash in zip(curves, chosen, dashes, strict=True)
    ]


def _cycled(names: Sequence[str]) -> list[Any]:
    order = list(dict.fromkeys(names))
    return [DASHES[order.index(name) % len(DASHES)] for name in names]


def dash_names_measurement(curves: Sequence[Curve], colours: Sequence[str]) -> bool:
    """Whether a dash can stand for a measurement: several, and every colour is one profile."""
    keys = {(c.series.species, c.series.variable) for c in curves}
    several = len({curve.measurement for curve in curves}) > 1
    per_profile = {
        (c.series.species, c.series.variable, colour)
        for c, colour in zip(curves, colours, strict=True)
    }
    return several and len(set(colours)) == len(keys) == len(per_profile)


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


#: A profile of fewer samples says nothing of what its instrument writes for nothing.
_FEWEST = 10
#: A fill value lies so many times below the lowest sample: once if it stands alone, or repeated.
_ALONE, _REPEATED = 300.0, 100.0


def fill_value(y: Array) -> float:
    """Find the number that an instrument wrote where nothing was counted; NaN if there is none.

    It is the smallest positive number, far below all others, and no end of a steep profile: it
    comes more than once, or stands alone between samples that are far above.

    Examples
    --------
    >>> import numpy as np
    >>> fill_value(np.array([900.0, 30, 4, 1, 0.001, 2, 0.001, 1, 1, 0.001]))
    0.001
    >>> fill_value(10.0 ** np.arange(20))
    nan
    """
    values, counts = np.unique(y[y > 0], return_counts=True)
    if y.size < _FEWEST or values.size < 2:
        return float("nan")
    ratio = values[1] / values[0]
    if counts[0] > 1:
        return float(values[0]) if ratio >= _REPEATED else float("nan")
    at = int(np.flatnonzero(y == values[0])[0])
    inside = 0 < at < y.size - 1
    return float(values[0]) if inside and ratio >= _ALONE else float("nan")


def own_colours_measurements(curves: Sequence[Curve]) -> bool:
    """Whether the curves are one species of several measurements: then colours tell these."""
    profiles = {(curve.series.species, curve.series.variable) for curve in curves}
    return len(profiles) == 1 and len({curve.measurement for curve in curves}) > 1
