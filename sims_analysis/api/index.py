"""The index of an archive: a row for each entry, so that searches need not read them all.

It is in memory, and for later processes in a file in the user's cache folder, never in the archive.
It is a cache only: every search first compares it with the folders of the entries, and reads again
those that have changed since. So the file may be lost or damaged at any time; for few entries, or
without a cache folder, there is none.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, TypeVar

import orjson
from platformdirs import user_cache_path

from sims_analysis import files
from sims_analysis.api.catalogue import ALL, SIMS, CatalogueEntry, Search
from sims_analysis.api.versions import (
    CATALOGUE,
    damaged,
    is_of,
    list_versions,
    read_payload,
    read_record,
)
from sims_analysis.errors import ArchiveError, PayloadError, SimsError, SimsWarning, warn
from sims_analysis.profiles.metadata import FIELD, SAMPLE_KEYS, EntrySummary
from sims_analysis.profiles.strict_json import decode
from sims_analysis.text.progress import progress
from sims_analysis.text.times import moment_of

#: When a file or folder was changed last, in nanoseconds: a time that no program can set,
#: where the system has such.
time_of_change: Callable[[os.stat_result], int] = attrgetter(
    "st_mtime_ns" if os.name == "nt" else "st_ctime_ns"
)
#: When the folder of an entry was changed, and its catalogue entry.
State: TypeAlias = tuple[int, int]
T = TypeVar("T")

#: Metadata of a measurement that are searched, besides the sample.
_MEASUREMENT = ("comment", "file", "instrument", "laboratory", "measured")
#: Part of the name of the file: versions of this library with other rows have other files.
ROWS_VERSION = 4
#: Fewer entries are read as fast as the file of an index.
INDEXED_FROM = 32
#: Two changes within this time, in nanoseconds, may bear the same time: some file systems count in
#: steps of 2 s. Entries that have changed so recently are read again by the next search.
RESOLUTION = 3_000_000_000
_MAY_CHANGE = -1
#: A progress bar is shown from so many entries on.
SHOWN_FROM = 2000


class Row(NamedTuple):
    """The row of an entry: its catalogue entry, or a summary of its record or its damage."""

    changed: int
    catalogue_changed: int
    data_id: str
    #: As on the wire, without fields that are null.
    entry: dict[str, Any]
    damaged: bool
    warning: str
    title: str
    date: str
    species: list[str]
    #: The texts that are searched for keywords.
    words: str

    def passes(self, search: Search, species: Iterable[str] = ()) -> bool:
        """Whether it passes the filters of a search, and has all of the species."""
        get = self.entry.get
        projects = [item.get("id") for item in get("projects", ()) if isinstance(item, dict)]
        texts = (
            (search.physical_sample_ids, {get("physical_sample_id")}),
            (search.project_ids, {str(project) for project in projects if project is not None}),
            ([] if search.data_type == ALL else [search.data_type], {get("char_source_type")}),
            ([] if search.status == ALL else [search.status], {get("pipeline_status")}),
        )
        return (
            all(keyword.casefold() in self.words for keyword in search.keywords)
            and set(species) <= set(self.species)
            and all(not required or not values.isdisjoint(required) for required, values in texts)
            and self._is_within("growth_length", search, int | float)
            and self._is_within("upload_datetime", search, datetime)
            and self._is_within("last_updated", search, datetime)
        )

    def _is_within(self, name: str, search: Search, kind: Any) -> bool:
        least, most = getattr(search, f"{name}_min"), getattr(search, f"{name}_max")
        if least is None and most is None:
            return True
        value: Any = self.entry.get(name)
        value = moment_of(value) if kind is datetime else value
        if not isinstance(value, kind):
            return False
        return (least is None or value >= least) and (most is None or value <= most)


class Index:
    """The index of the archive in a folder."""

    def __init__(self, archive: Path) -> None:
        self._archive = archive
        self._entries = archive / "entries"
        self._rows: dict[str, Row] = {}

    def __reduce__(self) -> tuple[object, ...]:
        return Index, (self._archive,)

    def ids(self) -> list[str]:
        """Return the id of every entry, in no order; an empty one where none can be read."""
        rows = self._current().values()
        _warn(row for row in rows if not row.data_id)
        return [row.data_id for row in rows]

    def search(
        self,
        search: Search,
        species: Sequence[str] = (),
        *,
        damaged: bool = False,
        folders: Iterable[str] | None = None,
    ) -> dict[str, CatalogueEntry]:
        """Return the entries that pass, by folder, in order of their ids; `damaged` ones too."""
        rows = self._current() if folders is None else self._read(dict.fromkeys(folders, (0, 0)))
        _warn(rows.values())
        hits = [
            (row.data_id, folder)
            for folder, row in rows.items()
            if (damaged or not row.damaged) and row.passes(search, species)
        ]
        return {folder: CatalogueEntry.from_dict(rows[folder].entry) for _, folder in sorted(hits)}

    def contents(self, words: Sequence[str], most: int | None) -> tuple[list[EntrySummary], int]:
        """Return summaries of at `most` so many entries with every word, and their number."""
        rows = self._current().values()
        _warn(rows)
        search = Search(keywords=words)
        summaries = [
            EntrySummary(row.data_id, row.title, row.date, row.species)
            for row in rows
            if row.data_id and row.passes(search)
        ]
        return sorted(summaries, key=lambda item: item.data_id)[:most], len(summaries)

    def _current(self) -> dict[str, Row]:
        """Return the rows by folder; read entries that have changed since they were indexed."""
        states = self._states()
        file = index_file(self._archive) if len(states) >= INDEXED_FROM else None
        cached = self._rows or _rows_in(file)
        rows = {
            folder: row
            for folder, row in cached.items()
            if states.get(folder) == (row.changed, row.catalogue_changed)
        }
        # In the order of the folder, as on the disk.
        stale = {folder: state for folder, state in states.items() if folder not in rows}
        try:
            self._read(stale, into=rows)
        finally:  # also after an interrupt
            stable = {folder: row for folder, row in rows.items() if row.changed != _MAY_CHANGE}
            if file is not None and stable != cached:
                _keep(file, stable)
            self._rows = stable
        return rows

    def _read(self, states: dict[str, State], into: dict[str, Row] | None = None) -> dict[str, Row]:
        """Read entries; those without a version that can be listed are left out."""
        rows = {} if into is None else into
        show = None if len(states) >= SHOWN_FROM else False
        with progress(len(states), show, "reading the archive") as step:
            for folder, state in states.items():
                row = read_entry(self._entries / folder, state)
                if row is not None:
                    rows[folder] = row
                step()
        return rows

    def _states(self) -> dict[str, State]:
        """List the folders of the entries, and when they were changed."""
        try:
            files.check_folder(self._entries)
            with os.scandir(self._entries) as entries:
                # The name of an entry is of ASCII.
                return {item.name: state_of(item) for item in entries if item.name.isascii()}
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except OSError as error:
            name = str(self._archive)
            raise ArchiveError(
                f"the archive {name!r} cannot be read: {error.strerror or error}"
            ) from None


def index_file(archive: Path) -> Path | None:
    """Return the file of the index of an archive, or None if there is no cache folder to use."""
    folder = user_cache_path("sims-analysis", appauthor=False)
    if not folder.is_absolute():
        return None
    try:
        # The file that is made first distinguishes an archive from earlier ones in its place.
        first = (archive / "archive.json").lstat()
    except OSError:
        return None
    identity = f"{os.path.realpath(archive)} {first.st_ino} {time_of_change(first)}"
    name = hashlib.sha256(os.fsencode(identity)).hexdigest()[:32]
    return folder / f"archive-{name}-v{ROWS_VERSION}.json"


def _rows_in(file: Path | None) -> dict[str, Row]:
    """Read the rows in a file; none if there are none, or it is damaged."""
    if file is None:
        return {}
    try:
        stored = orjson.loads(files.read_plain(file))
        return {folder: Row(*row) for folder, row in stored.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _keep(file: Path, rows: dict[str, Row]) -> None:
    """Write the rows to a file, if that is possible."""
    stored = {folder: tuple(row) for folder, row in rows.items()}
    with suppress(OSError):
        file.parent.parent.mkdir(exist_ok=True)
        file.parent.mkdir(mode=0o700, exist_ok=True)
        files.replace_file(file, orjson.dumps(stored))


def _warn(rows: Iterable[Row]) -> None:
    """Warn of the damage in rows."""
    for row in rows:
        if row.warning:
            warn(row.warning, SimsWarning, code="damaged_entry", where={"data_id": row.data_id})


def state_of(entry: os.DirEntry[str]) -> State:
    """Return when folder and catalogue entry (0 without one) were changed, in ns of its system."""
    changed = 0
    try:
        changed = time_of_change(entry.stat(follow_symlinks=False))
        catalogue = os.lstat(f"{entry.path}{os.sep}catalogue.json")
    except OSError:
        return changed, 0
    # A file that replaces it at the same moment has another inode.
    return changed, time_of_change(catalogue) ^ (catalogue.st_ino & 0xFFFF)


def leave_out(path: Path, error: SimsError) -> None:
    """Warn that an entry, or a version, cannot be read."""
    text = f"{error}; it is left out ({path.name})"
    warn(text, SimsWarning, code=error.code, where=error.where)


def read_catalogue(folder: Path) -> dict[str, Any] | None:
    """Read the catalogue entry of the data entry in a folder, or return None."""
    file = folder / CATALOGUE
    try:
        entry = decode(files.read_plain(file))
        orjson.dumps(entry)  # refuses JSON that is nested too deeply to be written
    except FileNotFoundError:
        return None
    except (OSError, PayloadError, TypeError) as error:
        raise damaged(file, f"catalogue.json cannot be read ({error})") from None
    if not isinstance(entry, dict) or not is_of(folder, entry.get("data_id")):
        raise damaged(file, "catalogue.json is not the catalogue entry of this data entry")
    return entry


def read_entry(folder: Path, state: State) -> Row | None:
    """Read the row of an entry, in a state taken before; None without any version."""
    try:
        versions = list_versions(folder)
    except ArchiveError as error:
        leave_out(folder, error)
        return None
    if not versions:
        return None
    record, damage = _result_or_error(lambda: read_record(versions[-1]))
    data_id = "" if "~" in folder.name else folder.name.lower()
    data_id = data_id or (record.data_id if record else _earlier_id(versions))
    catalogued, catalogue_damage = None, None
    if data_id:
        catalogued, catalogue_damage = _result_or_error(lambda: _catalogue_entry(folder))
    warning = f"{catalogue_damage}; the record is used instead" if catalogue_damage else ""
    if damage and not catalogued:
        warning = f"{damage}; it is left out ({folder.name})"
    # A damaged payload is an error only when the entry is read.
    summary, unread = _result_or_error(
        lambda: _summarize(read_payload(versions[-1], record)) if record else None
    )
    is_sound = record and not (unread or catalogue_damage)
    stable = is_sound and all(abs(time.time_ns() - t) > RESOLUTION for t in state)
    entry = catalogued or CatalogueEntry(
        data_id=data_id or folder.name,
        char_source_type=SIMS,
        pipeline_status="error" if damage else "success",
        last_updated=record.last_updated if record else None,
        detail_note_content=str(damage) if damage else None,
    )
    title, date, species, words = summary or ("", "", [], "")
    wire = entry.to_dict().items()
    return Row(
        changed=state[0] if stable else _MAY_CHANGE,
        catalogue_changed=state[1],
        data_id=data_id,
        entry={key: value for key, value in wire if value is not None or key in entry.extra},
        damaged=bool(damage and not catalogued),
        warning=warning,
        title=title,
        date=date,
        species=species,
        words=f"{entry.words}\n{data_id}\n{words}".casefold(),
    )


def _catalogue_entry(folder: Path) -> CatalogueEntry | None:
    wire = read_catalogue(folder)
    return CatalogueEntry.from_dict(wire) if wire else None


def _result_or_error(read: Callable[[], T]) -> tuple[T | None, SimsError | None]:
    """Call a reader; return its result, or its error."""
    try:
        return read(), None
    except (ArchiveError, PayloadError) as error:
        return None, error


def _earlier_id(versions: list[Path]) -> str:
    """Return the id by the last superseded record that can be read."""
    for version in reversed(versions):
        with suppress(ArchiveError):
            return read_record(version).data_id
    return ""


def _summarize(payload: bytes) -> tuple[str, str, list[str], str]:
    """Return sample, date, species, and the searched texts of a payload."""
    wire = decode(payload)
    profiles = [p for p in wire if isinstance(p, dict)] if isinstance(wire, list) else []
    titles = list(dict.fromkeys(_titles(profiles)))
    measurements = [m for profile in profiles if isinstance(m := profile.get(FIELD), dict)]
    dates = [str(m.get("measured") or "") for m in measurements]
    texts = dict.fromkeys(
        text
        for measurement in measurements
        for key in _MEASUREMENT
        if isinstance(text := measurement.get(key), str)
    )
    species = [str(profile.get("species_name", "")) for profile in profiles]
    date = next(filter(None, dates), "").partition("T")[0]
    return titles[0] if titles else "", date, species, "\n".join([*species, *titles, date, *texts])


def _titles(profiles: list[dict[str, Any]]) -> Iterator[str]:
    for profile in profiles:
        metadata = profile.get("species_metadata")
        measurement = profile.get(FIELD)
        texts = [metadata.get(key) for key in SAMPLE_KEYS] if isinstance(metadata, dict) else []
        texts += [measurement.get("sample")] if isinstance(measurement, dict) else []
        yield from (text.strip() for text in texts if isinstance(text, str) and text.strip())
