"""What lists and searches of an archive show of an entry, read from its folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from enum import IntEnum
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import orjson

from sims_analysis import files
from sims_analysis.api.catalogue import SIMS, CatalogueEntry
from sims_analysis.api.versions import (
    damaged,
    is_of,
    list_versions,
    read_record,
    read_version,
)
from sims_analysis.errors import ArchiveError, PayloadError, SimsError, SimsWarning, warn
from sims_analysis.profiles.metadata import FIELD, SAMPLE_KEYS
from sims_analysis.profiles.strict_json import decode, refuse_duplicate_keys

__all__ = [
    "UNREAD",
    "Contents",
    "Need",
    "Skip",
    "leave_out",
    "read_catalogue",
    "read_contents",
    "state_of_catalogue",
    "time_of_change",
]

#: When a file or folder was changed last, in nanoseconds: a time that nobody can set, where the
#: system has such.
time_of_change: Callable[[os.stat_result], int] = attrgetter(
    "st_mtime_ns" if os.name == "nt" else "st_ctime_ns"
)
#: Is told of an entry, or a version, that cannot be read.
Skip: TypeAlias = Callable[[Path, SimsError], object]
#: What may be searched for of the metadata of a measurement, beside the sample.
_MEASUREMENT = ("comment", "file", "instrument", "laboratory", "measured")


class Need(IntEnum):
    """How much of an entry is looked at; each includes what is before it."""

    IDS = 0
    ENTRY = 1
    #: The payload too: species, sample and comment.
    WORDS = 2


class Contents(NamedTuple):
    """What is known of an entry; a tuple, because a search goes through a hundred thousand.

    Parameters
    ----------
    folder : str
        Name of its folder.
    stamp, catalogue : int
        When the folder and its catalogue entry were changed, by the clock of the file system, in
        nanoseconds; 0 without a catalogue entry.
    version : str
        Name of the current version.
    data_id : str
        Empty if no record can be read that says it.
    about : bytes or None
        JSON: what a search compares, species, title and date. None if it was not looked at, or
        cannot be read.
    words : bytes or None
        What a search looks into, in UTF-8, capitals and small letters alike.
    wire : bytes or None
        JSON: the catalogue entry, or what the record tells in its place.
    sound : bool
        Whether all that was read is as it should be.
    """

    folder: str
    stamp: int
    catalogue: int
    version: str
    data_id: str
    about: bytes | None = None
    words: bytes | None = None
    wire: bytes | None = None
    sound: bool = True

    @property
    def described(self) -> dict[str, Any]:
        """The object of `about`."""
        known: dict[str, Any] = orjson.loads(self.about or b"{}")
        return known

    @property
    def species(self) -> list[str]:
        """The species that were measured, as delivered."""
        return list(self.described.get("species", []))

    @property
    def title(self) -> str:
        """What the payload calls the sample."""
        return str(self.described.get("title", ""))

    @property
    def date(self) -> str:
        """When it was measured, or where that is not known, last updated or retrieved."""
        retrieved = f"{self.version[:4]}-{self.version[4:6]}-{self.version[6:8]}"
        return str(self.described.get("date") or retrieved)

    def with_entry(
        self, entry: CatalogueEntry, measured: dict[str, Any], *, sound: bool = True
    ) -> Contents:
        """Add what the catalogue says of it, and what was measured, such as `UNREAD`."""
        more = [measured["title"], measured["date"], measured["words"]]
        words = "\n".join([entry.words, self.data_id, *measured["species"], *more])
        wire = {k: v for k, v in entry.to_dict().items() if v is not None or k in entry.extra}
        return self._replace(
            about=_dumped(entry.traits | measured),
            words=words.casefold().encode(errors="replace"),
            wire=_dumped(wire),
            sound=self.sound and sound,
        )


def _dumped(value: object) -> bytes:
    """Give JSON in no more memory than it needs; orjson leaves it in a buffer of kilobytes."""
    return bytes(memoryview(orjson.dumps(value)))


#: What is measured, of an entry whose payload is not read.
UNREAD: dict[str, Any] = {"species": [], "title": "", "date": "", "words": ""}


def state_of_catalogue(file: str) -> int:
    """Tell a state of a catalogue entry from others, by its file; 0 if there is none."""
    try:
        found = os.lstat(file)
    except OSError:
        return 0
    # What replaces it at the same moment is another file.
    return time_of_change(found) ^ (found.st_ino & 0xFFFF)


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


def entry_in(folder: Path, version: Path, data_id: str) -> tuple[CatalogueEntry, bool]:
    """Give the catalogue entry of an entry, or what its record tells; and whether all is sound.

    Raises
    ------
    ArchiveError
        If neither can be read.
    """
    damage = None
    try:
        known = read_catalogue(folder)
        if known is not None:
            return CatalogueEntry.from_dict(known), True
    except (ArchiveError, PayloadError) as error:
        damage = error
    record = read_record(version)
    if damage is not None:
        warn(f"{damage}; what the record tells stands in for it", SimsWarning)
    entry = CatalogueEntry(
        data_id=data_id,
        char_source_type=SIMS,
        pipeline_status="success",
        last_updated=record.last_updated,
    )
    return entry, damage is None


def read_contents(
    folder: Path,
    need: Need,
    known: Contents | None = None,
    skip: Skip = leave_out,
) -> Contents | None:
    """Read what is known of the entry in a folder.

    Parameters
    ----------
    folder : Path
    need : Need
    known : Contents, optional
        What was read before: a version never changes, so that its payload is not read again.
    skip : callable
        Is told of what cannot be read; by default a warning.

    Returns
    -------
    Contents or None
        None if there is no version.
    """
    # Before anything is read: what changes meanwhile is noticed.
    try:
        stamp, catalogue = (
            time_of_change(folder.lstat()),
            state_of_catalogue(f"{folder}{os.sep}catalogue.json"),
        )
    except OSError:
        stamp, catalogue = 0, 0
    try:
        versions = list_versions(folder)
    except ArchiveError as error:
        skip(folder, error)
        return None
    if not versions:
        return None
    data_id, sound = _id_of(folder, versions, skip)
    at = folder.name, stamp, catalogue, versions[-1].name, data_id
    found = Contents(*at, sound=sound)
    if need is Need.IDS or not data_id:
        return found
    try:
        entry, whole = entry_in(folder, versions[-1], data_id)
    except ArchiveError as error:
        skip(folder, error)
        words = data_id.casefold().encode(errors="replace")
        return Contents(*at, words=words, sound=False)
    measured = UNREAD
    if need is Need.WORDS:
        if known is not None and known.version == found.version and known.about is not None:
            described = known.described
            measured = {name: described[name] for name in UNREAD}
        else:
            try:
                measured = _measured(decode(read_version(versions[-1])[1]))
            except (ArchiveError, PayloadError):
                whole = False  # whoever reads the entry is told
    return found.with_entry(entry, measured, sound=whole)


def _id_of(folder: Path, versions: list[Path], skip: Skip) -> tuple[str, bool]:
    """Give the id of an entry, by its folder or by the last record that can be read."""
    if "~" not in folder.name:
        return folder.name.lower(), True
    for i, version in enumerate(reversed(versions)):
        try:
            return read_record(version).data_id, i == 0
        except ArchiveError as error:
            skip(folder, error)
    return "", False


def _measured(wire: Any) -> dict[str, Any]:
    """Give species, sample, and what else may be searched for of a payload."""
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
    return {
        "species": [str(profile.get("species_name", "")) for profile in profiles],
        "title": titles[0] if titles else "",
        "date": next(filter(None, [*dates, *updated]), "").partition("T")[0],
        "words": " ".join([*titles[1:], *texts]),
    }


def _titles(profiles: list[dict[str, Any]]) -> Iterator[str]:
    for profile in profiles:
        metadata = profile.get("species_metadata")
        measurement = profile.get(FIELD)
        texts = [metadata.get(key) for key in SAMPLE_KEYS] if isinstance(metadata, dict) else []
        texts += [measurement.get("sample")] if isinstance(measurement, dict) else []
        yield from (text.strip() for text in texts if isinstance(text, str) and text.strip())
