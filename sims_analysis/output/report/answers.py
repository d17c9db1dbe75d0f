"""The usual questions about every species of one measurement, and the results as they are."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

import xarray as xr

from sims_analysis.dataset.series import Series, series_of
from sims_analysis.errors import Parts, ProfileWarning, SimsWarning, collected
from sims_analysis.output.entry_summary import species_metadata, summarise_dataset
from sims_analysis.profiles.metadata import EntrySummary

#: What is said of a peak at the first sample.
_FIRST: Parts = {
    "code": "surface_transient",
    "argument": "surface",
    "remedy": "if that is a surface transient, state where it ends, surface=",
}
#: The report states how far the rules of integration differ, and warns only beyond the dose itself.
_RULE_TOLERANCE = 1.0

#: How the dose counts the surface transient, in words.
_SURFACE = {
    "measured": "part of the dose",
    "exclude": "not part of the dose",
    "hold": "part of the dose, with the first sample held up to the surface",
}

_NOT_CONCENTRATION = {
    "count/s": "counts, not calibrated to concentration",
    "count": "counts, not calibrated to concentration",
    "arb. unit": "arbitrary units, not calibrated to concentration",
    "1": "a fraction, no concentration without an atomic density",
    "1/cm": "a range distribution, concentration per dose",
}

#: What a row has of its profile; part of a dose budget -> its name in a row.
_OF_PROFILE = ("species", "variable", "units", "axis", "axis_units")
_PARTS = {"random_stderr": "dose_stderr", "systematic_stderr": "dose_systematic_stderr"}
_SAME = ("dose", "background_dose", "surface_dose", "rule_difference", "coverage")
_PARTS |= {name: name for name in _SAME}


@dataclass(frozen=True, kw_only=True)
class SpeciesReport:
    """The answers for one species, doses in atom/cm^2; None where status or reason say why."""

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


@dataclass(frozen=True, kw_only=True)
class Report:
    """The answers for one measurement, as the functions returned them, and views of them."""

    #: What the answers rest on: the measurement, with its counting errors.
    data: xr.Dataset
    level: str
    start: str | None
    stop: str | None
    #: Where the surface transient of each species ends, and how the doses count it.
    ends: Mapping[str, str | None]
    surface_dose: str
    #: A call for each variable and end of the surface transient.
    peaks: list[xr.Dataset]
    doses: list[xr.Dataset]
    crossings: list[xr.DataArray]
    metallurgical: xr.Dataset | None
    donors: list[str]
    acceptors: list[str]
    notes: list[str]

    @cached_property
    def summary(self) -> EntrySummary:
        """What was measured, in which sample and when."""
        return summarise_dataset(self.data)

    @property
    def surface(self) -> str:
        """Where the surface transients end, in words."""
        return " / ".join(dict.fromkeys(end for end in self.ends.values() if end))

    @property
    def headings(self) -> list[str]:
        """The id of the entry, and the name of the sample if it differs."""
        return list(dict.fromkeys(filter(None, [self.summary.data_id, self.summary.title])))

    @property
    def heading(self) -> str:
        """The headings in one line."""
        return ": ".join(self.headings)

    @cached_property
    def species(self) -> list[SpeciesReport]:
        """A row for each species (and variable), in the order in which they were delivered."""
        return rows_of(series_of(self.data), self.peaks, self.doses, self.crossings)

    @cached_property
    def junctions(self) -> list[Junction]:
        """The metallurgical junctions."""
        if self.metallurgical is None:
            return []
        columns = (self.metallurgical[name].values.tolist() for name in Junction._fields)
        rows = zip(*columns, strict=True)
        return [Junction(_finite(depth), _finite(sigma), *words) for depth, sigma, *words in rows]

    @property
    def concentrations(self) -> list[SpeciesReport]:
        """The species with a concentration over depth."""
        return [row for row in self.species if row.dose_status]

    @property
    def other_signals(self) -> list[SpeciesReport]:
        """The species without one, and without a dose."""
        return [row for row in self.species if not row.dose_status]

    def explanations(self) -> list[str]:
        """Explain the plus-minus and the surface, if the report has them."""
        lines = []
        if any(row.dose_stderr or row.junction_stderr for row in self.concentrations):
            lines.append(
                "±: one standard error of counting; depth scale and sensitivity factors add to it."
            )
        if self.surface and self.concentrations:
            lines.append(
                f"Surface: the first {self.surface}; {_SURFACE[self.surface_dose]}, peak and "
                "junction lie below."
            )
        return lines

    @property
    def calls(self) -> list[str]:
        """The calls of the results."""
        junctions = [] if self.metallurgical is None else [self.metallurgical]
        results = [*self.peaks, *self.doses, *self.crossings, *junctions]
        return [str(result.attrs["call"]) for result in results]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as values for JSON."""
        arguments = ("level", "surface", "surface_dose", "start", "stop", "donors", "acceptors")
        return {
            **self.summary._asdict(),
            "source": str(self.data.attrs.get("source", "")),
            **{name: getattr(self, name) for name in arguments},
            "species": [asdict(row) for row in self.species],
            "junctions": [junction._asdict() for junction in self.junctions],
            "notes": self.notes,
        }


def analyse(
    ds: xr.Dataset,
    *,
    level: str = "1e18 atoms/cm^3",
    start: str | None = None,
    stop: str | None = None,
    background: str | None = None,
    surface: str | None = None,
    surface_dose: Literal["measured", "exclude", "hold"] = "measured",
    donors: Sequence[str] = (),
    acceptors: Sequence[str] = (),
    doping: str | None = None,
    notes: Sequence[str] = (),
    describe: Callable[[SimsWarning], str] = str,
) -> Report:
    """Answer the usual questions about one measurement; what is not stated, its metadata say."""
    from sims_analysis.analysis.metallurgical import metallurgical_junctions

    metadata = species_metadata(ds)
    if not donors and not acceptors:
        donors = [name for name, m in metadata.items() if m.get("dopant_type") == "donor"]
        acceptors = [name for name, m in metadata.items() if m.get("dopant_type") == "acceptor"]
    ends = {name: surface or m.get("surface_transient") for name, m in metadata.items()}
    data = with_counting(ds)
    options = {"start": start, "stop": stop, "background": background}
    options = {name: option for name, option in options.items() if option is not None}
    if surface_dose != "measured":
        options["surface"] = surface_dose
    with collected(describe) as messages:
        profiles = series_of(data)
        peaks = list(_peaks(data, profiles, ends, messages, describe))
        selected = [p for p in profiles if (p.variable, p.axis) == ("concentration", "depth")]
        doses, crossings = _doses_and_crossings(data, selected, ends, level, options)
        balance = None
        if (donors and acceptors) or (doping and (donors or acceptors)):
            species = {profile.species for profile in selected}
            if missing := ", ".join(n for n in (*donors, *acceptors) if n not in species):
                reason = f"no concentration over depth of {missing}"
                messages.append(f"no metallurgical junctions: {reason}")
            else:
                balance = metallurgical_junctions(
                    data, donors=list(donors), acceptors=list(acceptors), background=doping
                )
    return Report(
        data=data,
        level=level,
        start=start,
        stop=stop,
        ends=ends,
        surface_dose=surface_dose,
        peaks=peaks,
        doses=doses,
        crossings=crossings,
        metallurgical=balance,
        donors=list(donors),
        acceptors=list(acceptors),
        notes=list(dict.fromkeys([*notes, *messages])),
    )


def with_counting(ds: xr.Dataset) -> xr.Dataset:
    """Add the counting errors of concentrations whose metadata state the value of one count."""
    from sims_analysis.quantification.counting import with_counting_statistics

    metadata = species_metadata(ds)
    values = {name: m["value_per_count"] for name, m in metadata.items() if "value_per_count" in m}
    if not values or "concentration" not in ds or "concentration_stderr" in ds:
        return ds
    return with_counting_statistics(ds, value_per_count=values)


def _group_by_transient(
    profiles: Sequence[Series], ends: Mapping[str, str | None]
) -> Iterable[tuple[str | None, list[str]]]:
    """Group the species by the end of their transient, so that one call asks about all of them."""
    groups: dict[str | None, list[str]] = {}
    for profile in profiles:
        # A depth means nothing on a time axis.
        end = ends.get(profile.species) if profile.axis == "depth" else None
        groups.setdefault(end or None, []).append(profile.species)
    return groups.items()


def _peaks(
    data: xr.Dataset,
    profiles: Sequence[Series],
    ends: Mapping[str, str | None],
    messages: list[str],
    describe: Callable[[SimsWarning], str],
) -> Iterator[xr.Dataset]:
    """Find the maximum of every profile below its surface transient."""
    from sims_analysis.analysis.peak import peak

    for variable in dict.fromkeys(profile.variable for profile in profiles):
        selected = [profile for profile in profiles if profile.variable == variable]
        for end, names in _group_by_transient(selected, ends):
            window: dict[str, Any] = {} if end is None else {"start": end}
            with collected(describe) as of_peak:
                yield peak(data.sel(species=names), variable=variable, **window)
            if variable != "concentration":
                continue  # every matrix signal begins with a transient
            messages += of_peak
            for series in [] if end or of_peak else selected:
                if series.species in names and series.axis == "depth" and series.y.argmax() == 0:
                    note = f"{series.species}: the peak is the first sample"
                    messages.append(describe(ProfileWarning(note, **_FIRST)))


def _doses_and_crossings(
    data: xr.Dataset,
    profiles: Sequence[Series],
    ends: Mapping[str, str | None],
    level: str,
    options: Mapping[str, Any],
) -> tuple[list[xr.Dataset], list[xr.DataArray]]:
    """Ask for dose and junction of every concentration over depth."""
    from sims_analysis.analysis.budget import dose_budget
    from sims_analysis.analysis.crossings import JunctionOptions, junction_depth

    # With its standard errors and counts, if these are known.
    variables = [name for name in data.data_vars if str(name).startswith("concentration")]
    doses, crossings = [], []
    for end, names in _group_by_transient(profiles, ends):
        part = data[variables].sel(species=names)
        arguments = options if end is None else {**options, "surface_depth": end}
        doses.append(dose_budget(part, rule_tolerance=_RULE_TOLERANCE, **arguments))
        window: JunctionOptions = {} if end is None else {"after": end}
        crossings.append(junction_depth(part, level=level, **window))
    return doses, crossings


def rows_of(
    profiles: Sequence[Series],
    peaks: Sequence[xr.Dataset],
    doses: Sequence[xr.Dataset],
    crossings: Sequence[xr.DataArray],
) -> list[SpeciesReport]:
    """Write the results of each profile as a row: plain numbers, None where there is none."""
    maxima = {
        variable: _by_species(answer for answer in peaks if variable in answer)
        for variable in {profile.variable for profile in profiles}
    }
    budgets, depths = _by_species(doses), _by_species(crossings)
    rows = []
    for series in profiles:
        maximum = maxima[series.variable][series.species]
        row: dict[str, Any] = {name: getattr(series, name) for name in _OF_PROFILE}
        row |= {"samples": series.x.size, "peak": _finite(maximum[series.variable])}
        row["peak_at"] = _finite(maximum[series.axis])
        if series.variable != "concentration":
            row["reason"] = _NOT_CONCENTRATION[series.units]
        elif series.axis != "depth":
            row["reason"] = "sputter time is not calibrated to depth"
        else:
            budget, crossing = budgets[series.species], depths[series.species]
            row |= {name: _finite(budget[part]) for part, name in _PARTS.items()}
            row["dose_status"] = budget["status"]
            row["junction_depth"] = _finite(crossing["value"])
            row["junction_stderr"] = _finite(crossing.get("stderr"))
            row["junction_status"] = crossing["status"]
        rows.append(SpeciesReport(**row))
    return rows


def _by_species(results: Iterable[xr.Dataset | xr.DataArray]) -> dict[str, Mapping[str, Any]]:
    """Return what each species has of the results: the values of variables and coordinates."""
    answers: dict[str, Mapping[str, Any]] = {}
    for result in results:
        answer = result.to_dataset(name="value") if isinstance(result, xr.DataArray) else result
        columns = {
            str(name): column.values.tolist()
            for name, column in answer.variables.items()
            if column.dims == ("species",)
        }
        answers |= {
            str(name): {key: column[i] for key, column in columns.items()}
            for i, name in enumerate(columns["species"])
        }
    return answers


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else value
