"""What is drawn: one curve per species and measurement, or the median of many and its outliers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np
import pandas as pd
import xarray as xr

from sims_analysis import vocabulary
from sims_analysis.conventions.provenance import of_data
from sims_analysis.dataset.from_profiles import to_dataset
from sims_analysis.dataset.result import SIMSResult
from sims_analysis.dataset.series import Series, series_of
from sims_analysis.errors import ProfileError, SpeciesError, UnitsError
from sims_analysis.figures.colours import (
    COLOURS,
    DASHES,
    assign_colours,
    symbol_of,
    user_cycle,
    visible_colour,
)
from sims_analysis.frame.evidence import Run
from sims_analysis.kernels.rows import Array, Flags, Index, changed
from sims_analysis.outcomes import GAP, Flag, Kind
from sims_analysis.profiles.profile import DepthProfile
from sims_analysis.text.arguments import first_few, read_names, type_error
from sims_analysis.text.typeset import unit_label
from sims_analysis.units import CANONICAL, Unit, magnitude_and_unit, read_quantity, unit_of_kind

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sims_analysis.figures.arguments import PlotOptions

#: Fraction of the measurements inside the band at each depth.
CENTRAL = 0.8
#: A log axis has at most so many decades below its largest value.
DECADES = 12
#: Quantity of normalised signals -> the word before what they are normalised to.
_PREPOSITIONS = {"ratio": "to", "fraction": "of"}


@dataclass(frozen=True)
class _Rules:
    """The numbers by which it is decided what is drawn of many curves and odd samples."""

    deep: float = 1e4  # nm, from which depths are printed in micrometres
    many: int = 24  # signals, of more of which
    shown: int = 12  # only so many are drawn
    colours: int = 8  # measurements that can be distinguished by a colour each, at most
    deviations: float = 5.0  # robust standard deviations by which an outlier is off,
    decades: float = 0.08  # and decades, at least
    robust: float = 1.4826  # standard deviations in a median absolute one of normal noise
    outliers: int = 4  # that are drawn, at most
    samples: int = 10  # that show what the instrument writes for no counts: a number
    once: float = 300.0  # below all samples by this factor, if it occurs once,
    repeated: float = 100.0  # or by this one


_RULES = _Rules()

Result = TypeVar("Result", xr.Dataset, xr.DataArray)

Measurement = xr.Dataset | xr.DataArray | SIMSResult
#: What is drawn: a measurement or a batch, several in a list, or named in a mapping.
Measurements = Measurement | Sequence[Measurement] | Mapping[str, Measurement]
#: What was found of one of them, once or several times; and of many, in a list or by name.
Answer = xr.Dataset | xr.DataArray | Sequence[xr.Dataset | xr.DataArray]
Answers = Answer | Sequence[Answer] | Mapping[str, Answer]


class DepthScale:
    """The unit in which depth is printed, and the label of the axis."""

    def __init__(self, curves: Sequence[Series], units: str | None) -> None:
        series = curves[0]
        if any(curve.axis != series.axis for curve in curves):
            raise UnitsError(
                "some profiles are on a depth axis, others on a sputter-time axis; show them in "
                "two plots, or turn time into depth with calibrate_depth()",
                code="mixed_axes",
            )
        self.kind = series.axis
        self.units = series.axis_units
        self._unit: Unit | None = None
        if units is None and series.axis == "depth" and max(c.x[-1] for c in curves) >= _RULES.deep:
            units = "um"
        if units is not None:
            self._unit = unit_of_kind(units, (series.axis,), "depth_units")
            self.units = self._unit.text
        name = "Depth" if series.axis == "depth" else "Sputter time"
        self.label = f"{name} ({unit_label(self.units)})"

    def __call__(self, x: Any) -> Any:
        """Convert from the canonical unit."""
        return x if self._unit is None else self._unit.from_canonical(x)


@dataclass(frozen=True)
class Curve(Series):
    """A profile as it is printed, with its looks."""

    #: Key of its measurement in what the user gave; empty for a single measurement.
    source: str = ""
    colour: str = ""
    dash: Any = "solid"
    #: In the unit of the values; NaN if none is given.
    detection_limit: float = np.nan
    #: In which the values are printed, if it is not the canonical one.
    unit: Unit | None = None
    #: Whether its value axis is logarithmic.
    log: bool = True
    #: Name of the model, for a fitted curve.
    model: str = ""
    #: Number of samples of a running mean that is drawn in place of the samples; 0 for none.
    smooth: int = 0

    def in_units(self, values: Any) -> Any:
        """Convert canonical values to the unit that is printed."""
        return values if self.unit is None else self.unit.from_canonical(values)

    @property
    def measurement(self) -> str:
        """Name that distinguishes this curve from others of its species."""
        return ", ".join(filter(None, [self.source, *self.place.values()]))

    @property
    def name(self) -> str:
        """Name of the species as it is printed, and what is drawn of it if not its samples."""
        symbol = symbol_of(self.species)
        return f"{symbol} (mean of {self.smooth})" if self.smooth else symbol

    @property
    def quoted(self) -> str:
        """Its species as messages name it."""
        return repr(self.species) if self.species else "the profile"

    def smoothed(self, samples: int) -> Curve:
        """Return its running mean over some samples: fewer at the ends, and none across a gap."""
        pieces = map(pd.Series, np.split(self.y, self.gaps + 1))
        means = [piece.rolling(samples, center=True, min_periods=1).mean() for piece in pieces]
        return replace(self, y=np.concatenate(means), stderr=None, smooth=samples)

    @property
    def label(self) -> str:
        """Label of its value axis: ``Concentration (atoms/cm³)``."""
        unit = unit_label(self.units)
        return f"{self.long_name} ({unit})" if unit else self.long_name

    @property
    def subject(self) -> tuple[str, str]:
        """Species, by its symbol if a simulator has named it, and quantity."""
        return symbol_of(self.species), self.variable

    @property
    def profile(self) -> tuple[Any, ...]:
        """What identifies the profile: also for a model that was fitted to it."""
        return (self.source, self.species, self.variable, *self.place.items())

    @property
    def rank(self) -> int:
        """Place of its quantity in the order of preference, 0 for the first."""
        order = vocabulary.QUANTITIES
        return order.index(self.variable) if self.variable in order else len(order)

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of units whose canonical one is that of its quantity."""
        if self.unit is not None:
            return (self.unit.kind,)
        has_term = self.variable in vocabulary.TERMS
        return vocabulary.kinds_in(self.variable, self.units) if has_term else ()

    def below_limit(self) -> Flags:
        """Find samples that lie below the detection limit."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self.y < self.detection_limit)

    def placeholders(self) -> Flags:
        """Find samples at which the instrument has written a number for no counts."""
        return np.asarray(self.y == placeholder(self.y))

    def not_positive(self) -> Flags:
        """Find samples without a place on a log axis: zero, tiny, or written for no counts."""
        return np.asarray((self.y <= self.least) | self.placeholders()) & ~self.below_limit()

    @property
    def least(self) -> float:
        """The most that is too small for a log axis with the largest sample; at least 0."""
        return max(10.0**-DECADES * float(np.nanmax(self.y, initial=0.0)), 0.0)

    def of_kind(self, kind: Kind) -> Flags:
        """Find samples of which something is known, such as that the detector cut them off."""
        runs = [self._in_run(run) for run in self.runs if run.flag & kind.flags]
        return np.asarray(np.any([np.zeros(self.x.shape, dtype=bool), *runs], axis=0))

    @property
    def limited(self) -> list[Run]:
        """Runs of samples below their limit that have no value."""
        return [run for run in self._empty() if not run.flag & GAP and run.height > 0]

    @property
    def gaps(self) -> Index:
        """Positions of the samples after which there is no value over a gap or below a limit."""
        starts = [run.first for run in self._empty()]
        inside = [start for start in starts if self.x[0] <= start < self.x[-1]]
        return np.searchsorted(self.x, np.sort(inside), "right") - 1

    def _in_run(self, run: Run) -> Flags:
        return np.asarray((self.x >= run.first) & (self.x <= run.last))

    def _empty(self) -> list[Run]:
        """List the runs over which no curve is drawn: gaps, and where all is below a limit."""
        limited = [run for run in self.runs if run.flag & Flag.BELOW_LIMIT]
        return [run for run in self.runs
                if run.flag & GAP or (run in limited and not self._in_run(run).any())]  # fmt: skip


def placeholder(y: Array) -> float:
    """Find the number that an instrument writes for no counts; NaN if there is none.

    It is far below all others, and occurs more than once, or alone between samples far above.
    """
    values, counts = np.unique(y[y > 0], return_counts=True)
    if y.size < _RULES.samples or values.size < 2:
        return float("nan")
    repeated = counts[0] > 1
    is_inside = repeated or 0 < int(np.argmax(y == values[0])) < y.size - 1
    is_far = values[1] / values[0] >= (_RULES.repeated if repeated else _RULES.once)
    return float(values[0]) if is_inside and is_far else float("nan")


def measurements_of(data: Any) -> dict[str, xr.Dataset | xr.DataArray]:
    """Name the measurements that the user gave: one, several in a list, or a mapping."""
    if isinstance(data, Sequence) and data and all(isinstance(p, DepthProfile) for p in data):
        data = to_dataset(data)
    several = isinstance(data, Sequence | Mapping) and not isinstance(data, str | bytes)
    if isinstance(data, Measurement | DepthProfile) or not several:
        return {"": _as_data(data)}
    if isinstance(data, Mapping):
        datasets = {str(label): _as_data(item) for label, item in data.items()}
    else:
        items = [_as_data(item) for item in data]
        ids = [str(item.attrs.get("data_id") or i) for i, item in enumerate(items)]
        keys = [label if ids.count(label) == 1 else f"{label} ({i})" for i, label in enumerate(ids)]
        datasets = dict(zip(keys, items, strict=True))
    if not datasets:
        text = "there is nothing to draw: no measurement was given"
        raise ProfileError(text, code="empty_input", argument="data")
    return datasets


def _as_data(item: Any) -> Any:
    """Convert what the API or a reader gives to a Dataset."""
    if isinstance(item, DepthProfile):
        return to_dataset([item])
    if not isinstance(item, Measurement):
        expected = "expected a Dataset, a DataArray, a SIMSResult, or a list or mapping of them"
        raise type_error("data", item, expected)
    return item.to_dataset() if isinstance(item, SIMSResult) else item


def curves_of(
    datasets: Mapping[str, xr.Dataset | xr.DataArray],
    species: str | Sequence[str] | None = None,
    value_units: str | Sequence[str] | None = None,
    detection_limit: Any = None,
) -> list[Curve]:
    """List the curves of the measurements by species, with their limits, in the units to print."""
    curves = [
        Curve(**{**vars(series), **_names_of(series, item)}, source=label)
        for label, item in datasets.items()
        for series in series_of(item)
    ]
    if species is None:
        # The species of the first measurement lead, whatever the order in the others.
        order = list(dict.fromkeys(curve.species for curve in curves))
    else:
        order = read_names("species", species)
        present = dict.fromkeys(curve.species for curve in curves)
        for name in order:
            if name not in present:
                raise SpeciesError.missing(name, present)
    curves = [curve for name in order for curve in curves if curve.species == name]
    if detection_limit is not None:
        curves = [replace(c, detection_limit=_limit(c, detection_limit)) for c in curves]
    return curves if value_units is None else _in_units(curves, value_units)


def most_intense(curves: Sequence[Curve], required: Collection[str]) -> list[Curve]:
    """Of too many species, choose those `required`, and the largest shares of a value axis."""
    species = dict.fromkeys(curve.species for curve in curves)
    if len(species) <= _RULES.many:
        return list(curves)
    parts = [(curve, float(np.abs(curve.y).mean())) for curve in curves]
    totals: dict[str, float] = defaultdict(float)
    share: dict[str, float] = defaultdict(float)
    for curve, part in parts:
        totals[curve.label] += part
    for curve, part in parts:
        share[curve.species] += part / (totals[curve.label] or 1.0)
    order = sorted(species, key=lambda name: (name not in required, -share[name]))
    selected = {*order[: _RULES.shown], *required}
    return [curve for curve in curves if curve.species in selected]


def _names_of(series: Series, item: Any) -> dict[str, str]:
    """Name a ratio by its two species, and say what normalised signals are ratios to."""
    parts = [item.coords[name] for name in ("numerator", "denominator") if name in item.coords]
    if len(parts) == 2 and not (series.species or parts[0].ndim or parts[1].ndim):
        return {"species": " / ".join(str(part.values) for part in parts)}
    steps = [
        s["parameters"] for s in of_data([item]).get("steps", []) if s["function"] == "normalise"
    ]
    if not steps or parts or series.variable not in _PREPOSITIONS:
        return {}
    reference = str(steps[-1]["to"])
    reference = f"the {reference}" if reference in ("total", "maximum") else reference
    return {"long_name": f"{series.long_name} {_PREPOSITIONS[series.variable]} {reference}"}


def _in_units(curves: Sequence[Curve], value_units: str | Sequence[str]) -> list[Curve]:
    """Convert the values of the curves to the units that the user wants printed."""
    kinds = {kind for curve in curves for kind in curve.kinds}
    several = isinstance(value_units, list | tuple)
    units: dict[str, Unit] = {}
    for text in value_units if several else [value_units]:
        unit = unit_of_kind(text, tuple(kinds), "value_units")
        first = units.setdefault(unit.kind, unit)
        if first.text != unit.text:
            raise UnitsError(
                f"value_units={value_units!r}: {first.text} and {unit.text} are units of the same "
                "values; give one for each kind of value",
                argument="value_units",
            )
    return [_converted(curve, units) for curve in curves]


def _converted(curve: Curve, units: Mapping[str, Unit]) -> Curve:
    unit = next((units[kind] for kind in curve.kinds if kind in units), None)
    if unit is None:
        return curve
    convert = unit.from_canonical
    return replace(
        curve,
        unit=unit,
        units=unit.text,
        y=convert(curve.y),
        stderr=None if curve.stderr is None else convert(curve.stderr),
        detection_limit=convert(curve.detection_limit),
        runs=tuple(changed(run, height=float(convert(run.height))) for run in curve.runs),
    )


def with_styles(
    curves: Sequence[Curve],
    colours: Mapping[str, str] | None,
    colour_by: str,
    used: dict[str, str],
    ax: Axes | None = None,
) -> list[Curve]:
    """Give every curve a colour, and a dash that distinguishes curves of one colour.

    `colours` are the user's, those `used` in the figure are added to; pages have no axes.
    """
    by_measurement, cycle = colour_by == "measurement", () if ax is None else user_cycle()
    user = {str(key): colour for key, colour in (colours or {}).items()}
    keys = [curve.measurement if by_measurement else curve.name for curve in curves]
    used |= {key: user[key] for key in keys if key in user}
    used |= assign_colours(keys, used, (cycle or COLOURS) if by_measurement else cycle)
    assigned = [
        user.get(c.species, user.get(c.measurement, used[key]))
        for c, key in zip(curves, keys, strict=True)
    ]
    if dash_names_measurement(curves, assigned):
        dashes = _cycle_dashes([curve.measurement for curve in curves])
    elif by_measurement and len({curve.species for curve in curves}) > 1:
        dashes = _cycle_dashes([curve.species for curve in curves])
    else:
        ranks = [assigned[:i].count(colour) for i, colour in enumerate(assigned)]
        dashes = [DASHES[rank % len(DASHES)] for rank in ranks]
    users = {*user.values(), *cycle}
    visible = [colour if ax is None or colour in users else visible_colour(colour, ax)
            for colour in assigned]  # fmt: skip
    styles = zip(curves, visible, dashes, strict=True)
    return [replace(curve, colour=colour, dash=dash) for curve, colour, dash in styles]


def _cycle_dashes(names: Sequence[str]) -> list[Any]:
    order = list(dict.fromkeys(names))
    return [DASHES[order.index(name) % len(DASHES)] for name in names]


def dash_names_measurement(curves: Sequence[Curve], colours: Sequence[str]) -> bool:
    """Whether dashes can stand for measurements: several of them, and one colour per profile."""
    subjects = {curve.subject for curve in curves}
    several = len({curve.measurement for curve in curves}) > 1
    coloured = {(c.subject, colour) for c, colour in zip(curves, colours, strict=True)}
    return several and len(set(colours)) == len(subjects) == len(coloured)


def check_names(curves: Sequence[Curve], options: PlotOptions) -> None:
    """Refuse what is said of quantities, species or measurements that the figure does not show."""
    species = dict.fromkeys(curve.species for curve in curves)
    refuse_others("scale", options.scale, dict.fromkeys(curve.variable for curve in curves))
    for name, value in options.line.items():
        refuse_others(name, value, species)
    for argument, answers in options.results.items():
        for source, item in answers:
            present = list(map(str, np.ravel(item["species"]))) if "species" in item.coords else []
            shown = dict.fromkeys(c.species for c in curves if source in (None, c.source))
            if present and shown and not {*present} & {*shown}:
                _refuse(argument, f"a result of {first_few(present, 6)}", shown)
    limit = options.detection_limit
    limited = not isinstance(limit, xr.DataArray) or int(limit.count()) > 0
    if limit is not None and limited and all(np.isnan(curve.detection_limit) for curve in curves):
        _refuse("detection_limit", "none of these", [f"{c.species} ({c.units})" for c in curves])


def refuse_others(argument: str, value: Any, names: Iterable[str]) -> None:
    """Refuse names in a mapping that are not among others."""
    for name in value if isinstance(value, Mapping) else ():
        if name not in names:
            _refuse(argument, repr(name), names)


def _refuse(argument: str, value: str, names: Iterable[str]) -> None:
    shown = first_few(list(dict.fromkeys(names)), 6)
    raise ProfileError(f"{argument}= has {value}; the figure shows {shown}", argument=argument)


def _limit(curve: Curve, limit: Any) -> float:
    kinds = vocabulary.VALUE_KINDS
    if isinstance(limit, Mapping):
        if curve.species not in limit:
            return np.nan
        limit = limit[curve.species]
    if isinstance(limit, xr.DataArray):
        selected = of_curve(limit, curve)
        if selected is None:
            return np.nan
        magnitude, unit = magnitude_and_unit(selected, kinds, "detection_limit")
        value, canonical = float(unit.to_canonical(magnitude)), unit.canonical
    else:
        value, unit = read_quantity(limit, kinds, "detection_limit")
        canonical = CANONICAL[unit.kind]
    if value <= 0:
        raise ProfileError(
            f"detection_limit= of {curve.quoted} is {value:g} {canonical}; expected more than 0",
            argument="detection_limit",
        )
    return value if canonical == curve.units else np.nan


def of_curve(result: Result, curve: Curve) -> Result | None:
    """Select the part of a result that belongs to a curve; None if there is none."""
    for dim, label in {"species": curve.species, **curve.place}.items():
        if dim not in result.coords:
            if dim in result.dims:
                result = result.isel({dim: int(label)})
            continue
        labels = [str(name) for name in np.atleast_1d(result[dim].values)]
        if label not in labels:
            return None
        if dim in result.dims:
            result = result.isel({dim: labels.index(label)})
    return result


def is_synthetic(data: xr.Dataset | xr.DataArray) -> bool:
    """Whether attrs or metadata call the data synthetic."""
    texts = [str(value) for value in data.attrs.values()]
    for name in ("species_metadata", "source"):
        if name in data.coords:
            texts += [str(text) for text in np.ravel(data[name].values)]
    return any("synthetic" in text.lower() for text in texts)


def colour_meaning(options: PlotOptions, curves: Sequence[Curve]) -> str:
    """Decide whether colours stand for species or, of one species or of many lines, for wafers."""
    if options.colour_by != "auto":
        return options.colour_by
    measurements = {curve.measurement for curve in curves}
    subjects = {(curve.species, curve.variable) for curve in curves}
    coloured = (measurements - {""}) & set(map(str, options.colours or {}))
    is_one_subject = len(subjects) == 1 and len(measurements) > 1
    is_many = options.spread is False and len(measurements) > len(DASHES) >= len(subjects)
    return "measurement" if is_one_subject or coloured or is_many else "species"


class Spread(NamedTuple):
    """The curves of one species in many measurements: their median, its band, their outliers."""

    median: Curve
    low: Array
    high: Array
    measurements: int
    outliers: list[Curve]


def needs_spread(curves: Sequence[Curve], colour_by: str) -> bool:
    """Whether a species has too many curves to distinguish them."""
    counts = Counter(curve.subject for curve in curves)
    largest = max(counts.values())
    # If colours stand for species, dashes have to distinguish the measurements.
    by_colour = colour_by == "measurement" or len(counts) == 1
    return largest > (_RULES.colours if by_colour else len(DASHES))


def spread_of(curves: Sequence[Curve]) -> Spread:
    """Summarise the curves of a species where all were measured, or else wherever any was."""
    first = max(curves, key=lambda curve: curve.x.size)
    x = first.x
    # What an instrument writes for no counts is no value.
    columns = [np.where(c.placeholders(), 0.0, c.y) for c in curves]
    values = np.array([np.interp(x, c.x, y, left=np.nan, right=np.nan)
                       for c, y in zip(curves, columns, strict=True)])  # fmt: skip
    everywhere = ~np.isnan(values).any(axis=0)
    if everywhere.any():
        x, values = x[everywhere], values[:, everywhere]
    shares = np.array([0.5, (1 - CENTRAL) / 2, (1 + CENTRAL) / 2])
    # At every depth of the first curve at least that one was measured.
    median, low, high = np.nanquantile(values, shares, axis=0)
    gaps = tuple(run for run in first.runs if run.flag & GAP)
    band = replace(first, x=x, y=median, stderr=None, place={}, source="", runs=gaps)
    band = replace(band, dash="solid")
    return Spread(band, low, high, len(curves), _outliers(curves, values, median))


def _outliers(curves: Sequence[Curve], values: Array, median: Array) -> list[Curve]:
    """Find the measurements that are off as a whole, by the median of log10 of their ratio."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.log10(values / median)
    ratio[~np.isfinite(ratio)] = np.nan
    has_values = ~np.isnan(ratio).all(axis=1)
    off = np.zeros(len(curves))
    off[has_values] = np.nanmedian(ratio[has_values], axis=1)
    distance = np.abs(off - np.median(off))
    deviation = _RULES.robust * float(np.median(distance))
    is_outlier = distance > max(_RULES.deviations * deviation, _RULES.decades)
    order = [int(i) for i in np.argsort(-distance) if is_outlier[i]]
    return [replace(curves[i], dash=DASHES[1]) for i in order[: _RULES.outliers]]
