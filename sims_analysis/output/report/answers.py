"""The usual questions about every species of one measurement."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from sims_analysis.analysis.series import Series, series_of
from sims_analysis.errors import heard_by

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Junction", "Report", "SpeciesReport", "analyse"]

#: Keys under which instruments name the sample in their metadata.
_SAMPLE_KEYS = ("sample", "sample_name", "Sample ID", "sample_id")
_NOT_CONCENTRATION = {
    "count/s": "counts, not calibrated to concentration",
    "count": "counts, not calibrated to concentration",
    "arb. unit": "arbitrary units, not calibrated to concentration",
    "1": "a fraction, no concentration without an atomic density",
    "1/cm": "a range distribution, concentration per dose",
}


@dataclass(frozen=True, kw_only=True)
class SpeciesReport:
    """The answers for one species.

    Depths in `axis_units`, `peak` in `units`, doses in atom/cm^2; None where there is no answer,
    and then `junction_status` or `reason` says why. The parts of the dose are those of
    :func:`sims_analysis.dose_budget`; `rule_difference` and `coverage` are fractions.
    """

    species: str
    variable: str
    units: str
    samples: int
    axis: str
    axis_units: str
    peak: float
    peak_at: float
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


@dataclass(frozen=True, kw_only=True)
class Junction:
    """A metallurgical junction: donors equal acceptors; depths in nm."""

    depth: float | None
    stderr: float | None
    polarity: str
    status: str


@dataclass(frozen=True, kw_only=True)
class Report:
    """The answers for one measurement, in the order in which the species were delivered."""

    data_id: str
    title: str
    source: str
    level: str
    surface: str
    start: str | None
    stop: str | None
    species: list[SpeciesReport]
    donors: list[str]
    acceptors: list[str]
    junctions: list[Junction]
    notes: list[str]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as values for JSON."""
        return asdict(self)

    @property
    def heading(self) -> str:
        """The id of the entry, and the name of the sample if it differs."""
        return ": ".join(dict.fromkeys(filter(None, [self.data_id, self.title])))

    @property
    def measured(self) -> list[SpeciesReport]:
        """The species with a concentration over depth."""
        return [row for row in self.species if row.dose_status]

    @property
    def others(self) -> list[SpeciesReport]:
        """The species without one, and without a dose."""
        return [row for row in self.species if not row.dose_status]

    def explanations(self) -> list[str]:
        """Explain the plus-minus and the surface, if the report has them."""
        lines = []
        if any(row.dose_stderr or row.junction_stderr for row in self.measured):
            lines.append(
                "±: one standard error of counting; depth scale and sensitivity factors add to it."
            )
        if self.surface and self.measured:
            lines.append(
                f"Surface: the first {self.surface}; part of the dose, peak and junction lie below."
            )
        return lines


def analyse(
    ds: xr.Dataset,
    *,
    level: str = "1e18 atoms/cm^3",
    start: str | None = None,
    stop: str | None = None,
    background: str | None = None,
    surface: str | None = None,
    donors: Sequence[str] = (),
    acceptors: Sequence[str] = (),
    doping: str | None = None,
    notes: Sequence[str] = (),
) -> Report:
    """Answer the usual questions about one measurement.

    Parameters
    ----------
    ds : xarray.Dataset
        One measurement, as :func:`sims_analysis.to_dataset` returns it.
    level : str
        Concentration that defines the junction, on the deepest falling edge.
    start, stop : str, optional
        Limits of the dose; by default the ends of the profile.
    background : str, optional
        Concentration that is subtracted from the dose.
    surface : str, optional
        Where the surface transient ends: peak and junction are searched for below it, and its dose
        is given separately. By default the ``surface_transient`` in the metadata.
    donors, acceptors : sequence of str, optional
        For metallurgical junctions; by default the species whose metadata state a
        ``dopant_type``.
    doping : str, optional
        Net constant doping beside the species: positive for donors, negative for acceptors.
    notes : sequence of str, optional
        Earlier remarks, to be listed with the report's own notes.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> from sims_analysis.output.report import analyse
    >>> boron = analyse(sims.open_example("boron-implant")).species[0]
    >>> boron.species, boron.junction_status, round(boron.junction_depth)
    ('B', 'ok', 162)
    """
    metadata = _metadata(ds)
    if not donors and not acceptors:
        donors = [name for name, m in metadata.items() if m.get("dopant_type") == "donor"]
        acceptors = [name for name, m in metadata.items() if m.get("dopant_type") == "acceptor"]
    transients = {name: surface or m.get("surface_transient") for name, m in metadata.items()}
    ds = _with_counting(ds, metadata)
    notes = list(notes)
    rows, junctions = [], []
    with heard_by(lambda warning: notes.append(str(warning))):
        for series in series_of(ds):
            options = {"start": start, "stop": stop, "background": background}
            rows.append(_row(ds, series, level, transients.get(series.species), options, notes))
        concentrations = {row.species for row in rows if row.dose is not None}
        if (donors and acceptors) or (doping and (donors or acceptors)):
            missing = [name for name in (*donors, *acceptors) if name not in concentrations]
            if missing:
                notes.append(
                    "no metallurgical junctions: no concentration over depth of "
                    f"{', '.join(missing)}"
                )
            else:
                junctions = _metallurgical(ds, donors, acceptors, doping)
    stated = dict.fromkeys(text for text in transients.values() if text)
    return Report(
        data_id=str(ds.attrs.get("data_id", "")),
        title=_title(metadata),
        source=str(ds.attrs.get("source", "")),
        level=level,
        surface=" / ".join(stated),
        start=start,
        stop=stop,
        species=rows,
        donors=list(donors),
        acceptors=list(acceptors),
        junctions=junctions,
        notes=list(dict.fromkeys(notes)),
    )


def _metadata(ds: xr.Dataset) -> dict[str, Mapping[str, Any]]:
    names = [str(name) for name in np.atleast_1d(ds["species"].values)]
    if "species_metadata" not in ds.coords:
        return {name: {} for name in names}
    texts = np.atleast_1d(ds["species_metadata"].values)
    return {
        name: (orjson.loads(str(text)) or {}) if text else {}
        for name, text in zip(names, texts, strict=True)
    }


def _title(metadata: Mapping[str, Mapping[str, Any]]) -> str:
    for one in metadata.values():
        for key in _SAMPLE_KEYS:
            if isinstance(one.get(key), str) and one[key].strip():
                return str(one[key]).strip()
    return ""


def _with_counting(ds: xr.Dataset, metadata: Mapping[str, Mapping[str, Any]]) -> xr.Dataset:
    """Add the counting errors of concentrations whose metadata state the value of one count."""
    from sims_analysis.analysis.uncertainty import with_counting_statistics

    value_per_count = {
        name: m["value_per_count"] for name, m in metadata.items() if "value_per_count" in m
    }
    if not value_per_count or "concentration" not in ds or "concentration_stderr" in ds:
        return ds
    return with_counting_statistics(ds, value_per_count=value_per_count)


def _row(
    ds: xr.Dataset,
    series: Series,
    level: str,
    transient: str | None,
    options: Mapping[str, Any],
    notes: list[str],
) -> SpeciesReport:
    from sims_analysis.analysis.budget import dose_budget
    from sims_analysis.analysis.junction import junction_depth
    from sims_analysis.units import read_quantity

    below = np.ones(series.x.shape, dtype=bool)
    if transient and series.axis == "depth":
        below = series.x > read_quantity(transient, ("depth",), "surface")[0]
    # If the whole record is transient, so is the peak.
    candidates = np.flatnonzero(below) if below.any() else np.arange(series.x.size)
    top = int(candidates[series.y[candidates].argmax()])
    known: dict[str, Any] = {
        "species": series.species,
        "variable": series.variable,
        "units": series.units,
        "samples": series.x.size,
        "axis": series.axis,
        "axis_units": series.axis_units,
        "peak": float(series.y[top]),
        "peak_at": float(series.x[top]),
    }
    if series.variable != "concentration":
        return SpeciesReport(**known, reason=_NOT_CONCENTRATION[series.units])
    if series.axis != "depth":
        return SpeciesReport(**known, reason="sputter time is not calibrated to depth")
    if top == 0 and not transient:
        notes.append(
            f"{series.species}: the peak is the first sample; if that is a surface transient, "
            "state where it ends (surface)"
        )
    # With its standard errors and counts, if these are known.
    names = [name for name in ds.data_vars if str(name).startswith("concentration")]
    one = ds[names].sel(species=series.species)
    # The table states how far the rules differ, for each species.
    dose = dose_budget(one, surface_depth=transient, rule_tolerance=math.inf, **options)
    xj = junction_depth(one, level=level, after=transient)
    return SpeciesReport(
        **known,
        dose=_number(dose["dose"]),
        dose_stderr=_number(dose["random_stderr"]),
        dose_systematic_stderr=_number(dose["systematic_stderr"]),
        dose_status=str(dose["status"].values),
        background_dose=_number(dose["background_dose"]),
        surface_dose=_number(dose["surface_dose"]),
        rule_difference=_number(dose["rule_difference"]),
        coverage=_number(dose["coverage"]),
        junction_depth=_number(xj),
        junction_stderr=_number(xj.coords.get("stderr")),
        junction_status=str(xj["status"].values),
    )


def _metallurgical(
    ds: xr.Dataset, donors: Sequence[str], acceptors: Sequence[str], doping: str | None
) -> list[Junction]:
    from sims_analysis.analysis.metallurgical import metallurgical_junctions

    found = metallurgical_junctions(
        ds, donors=list(donors), acceptors=list(acceptors), background=doping
    )
    return [
        Junction(
            depth=_finite(depth), stderr=_finite(sigma), polarity=str(polarity), status=str(status)
        )
        for depth, sigma, polarity, status in zip(
            found["depth"].values,
            found["stderr"].values,
            found["polarity"].values,
            found["status"].values,
            strict=True,
        )
    ]


def _number(value: xr.DataArray | None) -> float | None:
    return None if value is None else _finite(float(value.values))


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
