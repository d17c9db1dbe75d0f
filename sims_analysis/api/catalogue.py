"""The catalogue: its entries, which state owner and processing, and searches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sims_analysis.errors import PayloadError
from sims_analysis.profiles.strict_json import decode
from sims_analysis.profiles.wire import json_type
from sims_analysis.text.times import as_moment, moment_of

if TYPE_CHECKING:
    import pandas as pd

SIMS = "sims"
#: Everything, for the parameters `status` and `data_type`.
ALL = "all"
_TIMES = ("upload_datetime", "last_updated", "collected_datetime")
#: Fields that are searched for keywords.
_SEARCHED = (
    "data_id", "raw_name", "source_name", "sample_name", "physical_sample_id",
    "physical_sample_name", "detail_note_content", "name", "tags", "workspaces", "projects",
    "pipeline_status", "collected_datetime", "upload_datetime", "last_updated",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class CatalogueEntry:
    """One data entry of the catalogue, with the field names of the wire.

    Parameters
    ----------
    data_id : str
        Identifier of the entry.
    upload_datetime, last_updated, collected_datetime : str or None
        ISO 8601, as delivered.
    char_source_type : str or None
        Kind of measurement; ``"sims"`` here.
    raw_name, raw_file_type, sha3_256 : str or None
        Name, type and hash of the uploaded file.
    pipeline_status : str or None
        ``"success"``, ``"pending"``, ``"running"``, ``"error"``...
    source_name : str or None
        Instrument.
    sample_name, physical_sample_id, physical_sample_name : str or None
        The sample.
    detail_note_content : str or None
        Notes.
    file_metadata : dict or None
        What the instrument's file says.
    tags, workspaces : list or None
        Labels, and where the entry is filed.
    name : str or None
        Owner.
    projects : list of dict or None
        ``{"id": ..., "name": ...}`` each.
    extra : dict
        Fields that the wire contract does not name.
    """

    data_id: str
    upload_datetime: str | None = None
    last_updated: str | None = None
    char_source_type: str | None = None
    raw_name: str | None = None
    pipeline_status: str | None = None
    raw_file_type: str | None = None
    source_name: str | None = None
    sample_name: str | None = None
    physical_sample_id: str | None = None
    physical_sample_name: str | None = None
    detail_note_content: str | None = None
    file_metadata: dict[str, Any] | None = None
    tags: list[Any] | None = None
    name: str | None = None
    workspaces: list[Any] | None = None
    projects: list[Any] | None = None
    sha3_256: str | None = None
    collected_datetime: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, wire: Mapping[str, Any], path: str = "$") -> CatalogueEntry:
        """Check a catalogue object of the wire; an error has the JSON path."""
        if not isinstance(wire, Mapping):
            raise PayloadError(f"expected a catalogue entry, found {json_type(wire)}", path)
        if not isinstance(wire.get("data_id"), str):
            actual = json_type(wire.get("data_id"))
            raise PayloadError(f"expected a string, found {actual}", f"{path}.data_id")
        named = {name: wire[name] for name in WIRE_FIELDS if name in wire}
        for name, value in named.items():
            kind = _KINDS.get(name, str)
            if value is not None and not isinstance(value, kind):
                expected = {str: "a string", dict: "an object", list: "an array"}[kind]
                raise PayloadError(
                    f"expected {expected} or null, found {json_type(value)}", f"{path}.{name}"
                )
        return cls(**named, extra={k: v for k, v in wire.items() if k not in named})

    @property
    def words(self) -> str:
        """The texts that are searched for keywords."""
        return "\n".join(str(value) for name in _SEARCHED if (value := getattr(self, name)))

    def to_dict(self) -> dict[str, Any]:
        """Return the wire object, with every field of the contract."""
        return {name: getattr(self, name) for name in WIRE_FIELDS} | self.extra


WIRE_FIELDS = tuple(f.name for f in fields(CatalogueEntry) if f.name != "extra")
_KINDS = {"file_metadata": dict, "tags": list, "workspaces": list, "projects": list}


class Catalogue(list[CatalogueEntry]):
    """A list of catalogue entries.

    Examples
    --------
    >>> entries = Catalogue([CatalogueEntry(data_id="w1", sample_name="wafer 1")])
    >>> entries.ids
    ['w1']
    >>> entries.to_frame()[["data_id", "sample_name"]]
      data_id sample_name
    0      w1     wafer 1
    """

    @classmethod
    def from_json(cls, payload: bytes) -> Catalogue:
        """Read the payload of ``GET /data_entries/``."""
        wire = decode(payload)
        if not isinstance(wire, list):
            raise PayloadError(f"expected an array of entries, found {json_type(wire)}")
        return cls(CatalogueEntry.from_dict(item, f"$[{i}]") for i, item in enumerate(wire))

    @property
    def ids(self) -> list[str]:
        """The data ids, as ``client.get(data_ids=...)`` takes them; a row may have none."""
        return [entry.data_id for entry in self if entry.data_id.strip()]

    def to_frame(self) -> pd.DataFrame:
        """Return a table with a column for every field; times are in UTC."""
        import pandas as pd

        extra = dict.fromkeys(name for entry in self for name in entry.extra)
        frame = pd.DataFrame(
            [entry.to_dict() for entry in self], columns=[*WIRE_FIELDS, *extra], dtype=object
        )
        for name in _TIMES:
            moments = [moment_of(text) for text in frame[name]]
            times = pd.to_datetime(pd.Series(moments, dtype=object), utc=True)
            frame[name] = times.dt.as_unit("us")
        return frame


@dataclass(frozen=True, kw_only=True)
class Search:
    """The filters of a catalogue search; an entry must pass all of them."""

    data_ids: Sequence[str] = ()
    keywords: Sequence[str] = ()
    physical_sample_ids: Sequence[str] = ()
    project_ids: Sequence[str] = ()
    data_type: str = ALL
    status: str = ALL
    growth_length_min: float | None = None
    growth_length_max: float | None = None
    upload_datetime_min: datetime | None = None
    upload_datetime_max: datetime | None = None
    last_updated_min: datetime | None = None
    last_updated_max: datetime | None = None
    include_organization_data: bool = True

    @classmethod
    def of(cls, **filters: Any) -> Search:
        """Make a search of a user's arguments: one string or several, times as strings."""
        kinds = {field.name: str(field.type) for field in fields(cls)}
        for name, value in filters.items():
            if kinds.get(name) == "Sequence[str]":
                filters[name] = as_texts(value)
            elif kinds.get(name) == "datetime | None":
                filters[name] = as_moment(value, name)
        return cls(**filters)

    def query(self) -> list[tuple[str, str]]:
        """Return the parameters of the request."""
        pairs: list[tuple[str, str]] = []
        for parameter in fields(self):
            value = getattr(self, parameter.name)
            if isinstance(value, datetime):
                pairs.append((parameter.name, value.isoformat()))
            elif isinstance(value, Sequence) and not isinstance(value, str):
                pairs.extend((parameter.name, item) for item in value)
            elif value is not None and not (parameter.name == "data_type" and value == ALL):
                # A boolean becomes "True", as the reference has it.
                pairs.append((parameter.name, str(value)))
        return pairs


def as_texts(value: str | Iterable[object]) -> list[str]:
    """List one text, or several."""
    return [value] if isinstance(value, str) else [str(item) for item in value]
