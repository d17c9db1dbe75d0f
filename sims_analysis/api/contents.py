"""What lists and searches of an archive show of an entry, read from its folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, TypeVar

from sims_analysis import files
from sims_analysis.api.catalogue import SIMS, CatalogueEntry
from sims_analysis.api.versions import damaged, is_of, list_versions, read_payload, read_record
from sims_analysis.errors import ArchiveError, PayloadError, SimsError, SimsWarning, warn
from sims_analysis.profiles.metadata import FIELD, SAMPLE_KEYS
from sims_analysis.profiles.strict_json import decode, refuse_duplicate_keys

__all__ = [
    "Contents",
    "Entry",
    "Measurement",
    "leave_out",
    "read_catalogue",
    "read_entry",
    "state_of",
    "time_of_change",
]

#: When a file or folder was changed last, in nanoseconds: a time that nobody can set, where the
#: system has such.
time_of_change: Callable[[os.stat_result], int] = attrgetter(
    "st_mtime_ns" if os.name == "nt" else "st_ctime_ns"
)
#: When the folder of an entry was changed, and its catalogue entry.
State: TypeAlias = tuple[int, int]
T = TypeVar("T")

#: What may be searched for of the metadata of a measurement, beside the sample.
_MEASUREMENT = ("comment", "file", "instrument", "laboratory", "measured")


class Contents(NamedTuple):
    """What a list shows of an entry: its id, sample and date, and the species measured."""

    data_id: str
    title: str
    date: str
    species: list[str]


@dataclass(frozen=True)
class Measurement:
    """What a payload says of a measurement; `words` are those in which keywords are looked for."""

    title: str = ""
    date: str = ""
    words: str = ""
    species: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What is known of an entry of an archive."""

    #: Names of its folder, and of the current version.
    folder: str
    version: str
    state: State
    #: Empty if no record can be read that says it.
    data_id: str
    #: What the catalogue or else the record says; of a damaged entry, how it is damaged. None if
    #: it was not looked at.
    entry: CatalogueEntry | None = None
    #: None if it was not looked at, or cannot be read.
    measurement: Measurement | None = None
    #: Whether neither catalogue entry nor record can be read.
    is_damaged: bool = False
    #: Whether all that was read is as it should be.
    is_sound: bool = True


def state_of(found: os.DirEntry[str]) -> State:
    """Tell when the folder of an entry was changed, and its catalogue entry.

    By the clock of the file system, in nanoseconds; 0 without a catalogue entry.
    """
    changed = 0
    try:
        changed = time_of_change(found.stat(follow_symlinks=False))
        catalogue = os.lstat(f"{found.path}{os.sep}catalogue.json")
    except OSError:
        return changed, 0
    # What replaces it at the same moment is another file.
    return changed, time_of_change(catalogue) ^ (catalogue.st_ino & 0xFFFF)


def leave_out(path: Path, error: SimsError) -> None:
    """Warn that an entry, or a version, cannot be read."""
    warn(f"{error}; it is left out ({path.name})", SimsWarning)


def read_catalogue(folder: Path) -> dict[str, Any] | None:
    """Read what the catalogue says of the entry in a folder, or None."""
    file = folder / "catalogue.json"
    try:
        content = files.read_plain(file)
        entry = decode(content)
        refuse_duplicate_keys(content, entry)
    except FileNotFoundError:
        return None
    except (OSError, PayloadError) as error:
        raise damaged(file, f"catalogue.json cannot be read ({error})") from None
    if not isinstance(entry, dict) or not is_of(folder, entry.get("data_id")):
        raise damaged(file, "catalogue.json is not the catalogue entry of this data entry")
    return entry


def read_entry(folder: Path, state: State, *, in_full: bool = True) -> Entry | None:
    """Read what is known of the entry in a folder, None if it has no version; warn of damage.

    The state is that from before anything is read here, so that what changes meanwhile is noticed.
    Unless in full, it is the id alone.
    """
    try:
        versions = list_versions(folder)
    except ArchiveError as error:
        leave_out(folder, error)
        return None
    if not versions:
        return None
    at: dict[str, Any] = {"folder": folder.name, "version": versions[-1].name, "state": state}
    data_id = "" if "~" in folder.name else folder.name.lower()
    if data_id and not in_full:
        return Entry(**at, data_id=data_id)
    record, damage = _attempt(lambda: read_record(versions[-1]))
    data_id = data_id or (record.data_id if record else _earlier_id(versions))
    if not in_full:
        if damage:
            leave_out(folder, damage)
        return Entry(**at, data_id=data_id, is_sound=damage is None)
    known, catalogue_damage = (
        _attempt(lambda: _catalogue_entry(folder)) if data_id else (None, None)
    )
    if damage and not known:
        leave_out(folder, damage)
    elif catalogue_damage:
        warn(f"{catalogue_damage}; what the record tells stands in for it", SimsWarning)
    measurement = None
    if record is not None:
        # Whoever reads the entry is told what is wrong with its payload.
        measurement, _ = _attempt(lambda: _measured(read_payload(versions[-1], record)))
    return Entry(
        **at,
        data_id=data_id,
        entry=known
        or CatalogueEntry(
            data_id=data_id or folder.name,
            char_source_type=SIMS,
            pipeline_status="error" if damage else "success",
            last_updated=record.last_updated if record else None,
            detail_note_content=str(damage) if damage else None,
        ),
        measurement=measurement,
        is_damaged=damage is not None and known is None,
        is_sound=measurement is not None and catalogue_damage is None,
    )


def _attempt(read: Callable[[], T]) -> tuple[T | None, SimsError | None]:
    """Read something; give what was read, or why it cannot be."""
    try:
        return read(), None
    except (ArchiveError, PayloadError) as error:
        return None, error


def _catalogue_entry(folder: Path) -> CatalogueEntry | None:
    known = read_catalogue(folder)
    return None if known is None else CatalogueEntry.from_dict(known)


def _earlier_id(versions: list[Path]) -> str:
    """Give the id by the last superseded record that can be read."""
    for version in reversed(versions[:-1]):
        with suppress(ArchiveError):
            return read_record(version).data_id
    return ""


def _measured(payload: bytes) -> Measurement:
    """Give species, sample, and what else may be searched for of a payload."""
    wire = decode(payload)
    profiles = [p for p in wire if isinstance(p, dict)] if isinstance(wire, list) else []
    titles = list(dict.fromkeys(_titles(profiles)))
    measurements = [m for profile in profiles if isinstance(m := profile.get(FIELD), dict)]
    dates = [str(m.get("measured") or "") for m in measurements]
    updated = [str(profile.get("last_updated") or "") for profile in profiles]
    texts = dict.fromkeys(
        text
        for measurement in measurements
        for key in _MEASUREMENT
        if isinstance(text := measurement.get(key), str)
    )
    species = [str(profile.get("species_name", "")) for profile in profiles]
    date = next(filter(None, [*dates, *updated]), "").partition("T")[0]
    return Measurement(
        species=species,
        title=titles[0] if titles else "",
        date=date,
        words="\n".join([*species, *titles, date, *texts]),
    )


def _titles(profiles: list[dict[str, Any]]) -> Iterator[str]:
    for profile in profiles:
        metadata = profile.get("species_metadata")
        measurement = profile.get(FIELD)
        texts = [metadata.get(key) for key in SAMPLE_KEYS] if isinstance(metadata, dict) else []
        texts += [measurement.get("sample")] if isinstance(measurement, dict) else []
        yield from (text.strip() for text in texts if isinstance(text, str) and text.strip())
