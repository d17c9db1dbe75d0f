"""Metadata of a whole measurement, from its file, with a unit for every number.

They are stored in the field ``measurement`` of each profile, so that archives, servers and Datasets
need no special support for them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, NamedTuple

#: Name of the field of a profile object that holds the metadata of its measurement.
FIELD = "measurement"
#: Name of the field that holds further columns of the file, one number per sample.
COLUMNS = "columns"
#: Keys under which instruments name the sample in the metadata of a species.
SAMPLE_KEYS = ("sample", "sample_name", "Sample ID", "sample_id")


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One layer of a depth calibration.

    Parameters
    ----------
    matrix : str, optional
        As written in the file: ``"64Zn 16O"``.
    start, stop : str, optional
        Depths of its interfaces, such as ``"2230 nm"``.
    sputter_rate : str, optional
        Such as ``"95.99 nm/min"``.
    depth_method : str, optional
        How the instrument's software converted time to depth.
    """

    matrix: str | None = None
    start: str | None = None
    stop: str | None = None
    sputter_rate: str | None = None
    depth_method: str | None = None


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """Metadata of a measurement; ``None`` where the file does not state them.

    Parameters
    ----------
    file, sha256, format, reader : str, optional
        Name and hash of the file, its format, and the version of the reader.
    instrument, laboratory, sample, measured, comment : str, optional
        ``measured`` is in ISO 8601 if the date in the file is unambiguous, otherwise as written.
    primary_ion, impact_energy, primary_current, secondary_polarity : str, optional
        ``"O2+"``, ``"10010 eV"``, ``"99.62 nA"``, ``"+"``.
    raster_size, analysed_area : str, optional
        Side or diameter, with unit.
    crater_depth, sputter_time, reference_signal : str, optional
        Of the whole crater; and the species by which intensities were divided.
    x, y : str, optional
        Where on the wafer, from its centre: ``"-60 mm"``.
    layers : tuple of Layer
        From the surface down.
    other : dict
        Everything else in the file, under its own keys.

    Examples
    --------
    >>> from sims_analysis.profiles.metadata import Metadata
    >>> Metadata(primary_ion="O2+", impact_energy="10 keV").impact_energy
    '10 keV'
    """

    file: str | None = None
    sha256: str | None = None
    format: str | None = None
    reader: str | None = None
    instrument: str | None = None
    laboratory: str | None = None
    sample: str | None = None
    measured: str | None = None
    comment: str | None = None
    primary_ion: str | None = None
    impact_energy: str | None = None
    primary_current: str | None = None
    secondary_polarity: str | None = None
    raster_size: str | None = None
    analysed_area: str | None = None
    crater_depth: str | None = None
    sputter_time: str | None = None
    reference_signal: str | None = None
    x: str | None = None
    y: str | None = None
    layers: tuple[Layer, ...] = ()
    other: dict[str, str] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, stated: object) -> Metadata:
        """Read the output of :meth:`to_dict`; anything of another form is ignored."""
        if not isinstance(stated, Mapping):
            return cls()
        texts = {name: stated[name] for name in _TEXTS if isinstance(stated.get(name), str)}
        layers, other = stated.get("layers"), stated.get("other")
        return cls(
            **texts,
            layers=tuple(
                Layer(**{k: v for k, v in layer.items() if k in _LAYER and isinstance(v, str)})
                for layer in (layers if isinstance(layers, list) else [])
                if isinstance(layer, Mapping)
            ),
            other=dict(other) if isinstance(other, Mapping) else {},
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the known metadata, ready for JSON."""
        record: dict[str, Any] = {
            name: getattr(self, name) for name in _TEXTS if getattr(self, name)
        }
        if self.layers:
            record["layers"] = [
                {name: value for name, value in asdict(layer).items() if value}
                for layer in self.layers
            ]
        if self.other:
            record["other"] = dict(self.other)
        return record


_LAYER = {f.name for f in fields(Layer)}
_TEXTS = [f.name for f in fields(Metadata) if f.name not in ("layers", "other")]


class EntrySummary(NamedTuple):
    """A measurement in a few words, as in the list of an archive; empty where they are not known.

    The date is when it was measured, where the file says it.
    """

    data_id: str = ""
    title: str = ""
    date: str = ""
    species: Sequence[str] = ()


def columns_of(extra: Mapping[str, Any], samples: int) -> dict[str, dict[str, Any]]:
    """List further columns of a profile: ``{name: {"units": ..., "values": [...]}}``.

    They are in `extra`, the fields outside the wire contract; those of another length than the
    samples are ignored.
    """
    stated = extra.get(COLUMNS)
    columns = stated.items() if isinstance(stated, Mapping) else ()
    return {
        name: dict(column)
        for name, column in columns
        if isinstance(column, Mapping)
        and isinstance(column.get("values"), list)
        and len(column["values"]) == samples
    }
