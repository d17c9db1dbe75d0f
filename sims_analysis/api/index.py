"""The index of an archive: a database of their contents, so that searches need not read them all.

It stands in the user's cache folder, and never in the archive: an archive may come from anybody,
and a database from elsewhere can make SQLite write and delete files. It is never the truth. Every
query looks at the folders of the entries first, and what has changed since it was indexed is read
again. So the index may be lost or damaged at any time. Of a few entries, or where there is no
cache folder to use, it is made in memory for each question.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from datetime import datetime
from operator import attrgetter
from pathlib import Path
from sqlite3 import Connection
from typing import Any, NamedTuple, TypeAlias, TypeVar

import orjson
from platformdirs import user_cache_path

from sims_analysis import files
from sims_analysis.api.catalogue import ALL, SIMS, CatalogueEntry, Search
from sims_analysis.api.parallel import progress
from sims_analysis.api.versions import damaged, is_of, list_versions, read_payload, read_record
from sims_analysis.errors import ArchiveError, PayloadError, SimsError, SimsWarning, warn
from sims_analysis.profiles.metadata import FIELD, SAMPLE_KEYS
from sims_analysis.profiles.strict_json import decode, refuse_duplicate_keys
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

#: What is known of an entry, by which it is searched: the catalogue entry as JSON, or else what the
#: record says, or how it is damaged; and of the payload its species, sample, date and words.
_COLUMNS = (
    *("folder", "changed", "catalogue_changed", "data_id", "damaged", "warning"),
    *("entry", "words"),
    *("data_type", "status", "physical_sample_id", "projects", "growth_length"),
    *("upload_datetime", "last_updated", "species", "title", "date", "payload_words"),
)
#: Part of the name of the file: versions of this library with other tables have other files.
TABLES_VERSION = 3
_TABLES = f"""
CREATE TABLE IF NOT EXISTS entries ({", ".join(_COLUMNS)}, PRIMARY KEY (folder));
CREATE INDEX IF NOT EXISTS changes ON entries (folder, changed, catalogue_changed, data_id);
"""
_INSERT = f"INSERT INTO entries VALUES ({', '.join(f':{name}' for name in _COLUMNS)})"  # noqa: S608
_CHANGES = "SELECT folder, changed, catalogue_changed FROM entries"
#: Conditions on an array of texts. Those of a column of several stand between line breaks.
_ALL_WORDS = (
    "NOT EXISTS (SELECT 1 FROM json_each(?)"
    " WHERE NOT (instr(words, value) OR instr(payload_words, value)))"
)
_ALL_SPECIES = (
    "NOT EXISTS (SELECT 1 FROM json_each(?)"
    " WHERE NOT instr(species, char(10) || value || char(10)))"
)
_ANY_PROJECT = (
    "EXISTS (SELECT 1 FROM json_each(?) WHERE instr(projects, char(10) || value || char(10)))"
)
_ANY = "IN (SELECT value FROM json_each(?))"
#: Fewer entries are read as fast as a file is opened.
INDEXED_FROM = 32
#: Two changes within this time, in nanoseconds, may bear the same time: some file systems count in
#: steps of 2 s. What has changed so lately is read again by the next question.
RESOLUTION = 3_000_000_000
_UNSETTLED = -1
#: Seconds that a process waits for another that writes.
PATIENCE = 5.0
#: So many entries are noted together; what is interrupted goes on after the last of these.
TOGETHER = 2000
#: Codes for a file that is locked, or cannot be read, written, opened or made larger: it is no
#: worse for that, and others may use it.
_PASSING = {
    *(sqlite3.SQLITE_PERM, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_READONLY),
    *(sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL),
}


class Contents(NamedTuple):
    """What a list shows of an entry: its id, sample and date, and the species measured."""

    data_id: str
    title: str
    date: str
    species: list[str]


class Index:
    """The index of the archive in a folder."""

    def __init__(self, archive: Path) -> None:
        self._archive = archive
        self._entries = archive / "entries"

    def ids(self) -> list[str]:
        """Give the id of every entry, in no order; an empty one where none can be read."""

        def question(index: Connection) -> list[str]:
            _warn(index, "data_id = ''")
            return _column(index, "SELECT data_id FROM entries")

        return self._query(question)

    def search(
        self,
        search: Search,
        species: Sequence[str] = (),
        *,
        damaged: bool = False,
        folders: Iterable[str] | None = None,
    ) -> dict[str, CatalogueEntry]:
        """Give the catalogue entries that pass a search, by folder, in the order of the ids.

        If `damaged`, also those of which nothing can be read but how they are damaged; of all
        folders, or those named.
        """
        where, values = _condition(search, species)
        where += "" if damaged else " AND NOT damaged"
        query = f"SELECT folder, entry FROM entries {where} ORDER BY data_id, folder"  # noqa: S608

        def question(index: Connection) -> dict[str, CatalogueEntry]:
            _warn(index)
            found = index.execute(query, values)
            return {name: CatalogueEntry.from_dict(orjson.loads(entry)) for name, entry in found}

        return self._query(question, folders=folders)

    def contents(self, words: Sequence[str], most: int | None) -> tuple[list[Contents], int]:
        """Give what lists show of entries that hold every word, at most so many; count them."""
        where, values = _condition(Search(keywords=words), ())
        found = f"FROM entries {where} AND data_id != ''"
        listed = f"SELECT data_id, title, date, species {found} ORDER BY data_id LIMIT ?"

        def question(connection: Connection) -> tuple[list[Contents], int]:
            _warn(connection)
            rows = connection.execute(listed, [*values, -1 if most is None else most])
            shown = [
                Contents(data_id, title, date, species.split("\n")[1:-1])
                for data_id, title, date, species in rows
            ]
            (count,) = _column(connection, f"SELECT count(*) {found}", values)
            return shown, count

        return self._query(question)

    def _query(
        self,
        query: Callable[[Connection], T],
        *,
        folders: Iterable[str] | None = None,
    ) -> T:
        """Bring the index up to date, and query it; of some folders alone, one in memory."""
        states = self._states() if folders is None else dict.fromkeys(folders, (0, 0))
        known = folders is None and len(states) >= INDEXED_FROM
        file = index_file(self._archive) if known else None
        # A damaged file is made again.
        places: list[Path | str] = [":memory:", file, file] if file else [":memory:"]
        while True:
            place = places.pop()
            try:
                with closing(_opened(place)) as connection:
                    self._update(connection, states)
                    return query(connection)
            except sqlite3.Error as error:
                if not places:
                    raise
                if error.sqlite_errorcode & 0xFF in _PASSING:
                    places = [":memory:"]
                else:
                    remove_index(Path(place))

    def _states(self) -> dict[str, State]:
        """List what stands among the entries, and when it was changed."""
        try:
            files.check_folder(self._entries)
            with os.scandir(self._entries) as found:
                # The name of an entry is of ASCII.
                return {item.name: state_of(item) for item in found if item.name.isascii()}
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except OSError as error:
            name = str(self._archive)
            raise ArchiveError(
                f"the archive {name!r} cannot be read: {error.strerror or error}"
            ) from None

    def _update(self, connection: Connection, states: dict[str, State]) -> None:
        """Read what has changed since it was indexed, and drop entries that no longer exist."""
        known = {folder: tuple(state) for folder, *state in connection.execute(_CHANGES)}
        _note(connection, [], [folder for folder in known if folder not in states])
        # In the order of the folder, in which they stand on the disk.
        stale = [folder for folder, state in states.items() if known.get(folder) != state]
        show = None if len(stale) >= TOGETHER else False
        with progress(len(stale), show, "reading the archive") as step:
            for start in range(0, len(stale), TOGETHER):
                together = stale[start : start + TOGETHER]
                rows = []
                for folder in together:
                    rows.append(read_entry(self._entries / folder, states[folder]))
                    step()
                _note(connection, filter(None, rows), together)


def index_file(archive: Path) -> Path | None:
    """Give the file of the index of an archive, or None if there is no cache folder to use.

    Neither file nor folder is a link, and the folder belongs to this user: no other user
    can have put a database there that makes SQLite write elsewhere.
    """
    folder = user_cache_path("sims-analysis", appauthor=False)
    try:
        # The file that is made first distinguishes an archive from earlier ones in its place.
        first = (archive / "archive.json").lstat()
        identity = f"{os.path.realpath(archive)} {first.st_ino} {time_of_change(first)}"
        name = hashlib.sha256(os.fsencode(identity)).hexdigest()[:32]
        file = folder / f"archive-{name}-v{TABLES_VERSION}.sqlite3"
        if not folder.is_absolute():
            return None
        folder.parent.mkdir(exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        files.check_folder(folder)
        if os.name == "posix":
            found = folder.lstat()
            if found.st_uid != os.geteuid() or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                return None
        if any(path.is_symlink() or path.is_dir() for path in _parts(file)):
            return None
    except OSError:
        return None
    return file


def _parts(file: Path) -> list[Path]:
    """List the files that SQLite keeps of a database."""
    return [file, *(file.with_name(file.name + end) for end in ("-journal", "-wal", "-shm"))]


def remove_index(file: Path) -> None:
    """Remove the files of an index, as far as that is possible."""
    with suppress(OSError):
        for path in _parts(file):
            path.unlink(missing_ok=True)


def _opened(file: Path | str) -> Connection:
    connection = sqlite3.connect(file, timeout=PATIENCE, isolation_level=None)
    try:
        connection.execute("PRAGMA temp_store=MEMORY")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.executescript(_TABLES)
    except BaseException:
        connection.close()
        raise
    return connection


def _column(connection: Connection, question: str, values: Sequence[object] = ()) -> list[Any]:
    return [value for (value,) in connection.execute(question, values)]


def _warn(connection: Connection, where: str = "true") -> None:
    """Warn of damage that was noted."""
    damage = f"SELECT warning FROM entries WHERE warning != '' AND {where}"  # noqa: S608
    for text in _column(connection, damage):
        warn(text, SimsWarning)


def _note(connection: Connection, rows: Iterable[dict[str, Any]], old: Sequence[str]) -> None:
    """Put rows in place of what was known of folders."""
    if not old:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        forget = "DELETE FROM entries WHERE folder = ?"
        connection.executemany(forget, [(folder,) for folder in old])
        connection.executemany(_INSERT, rows)
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _in_lines(texts: Iterable[str]) -> str:
    """Write texts into a column in which one of them can be looked for, between line breaks."""
    return "".join(f"\n{text}" for text in texts) + "\n"


def _condition(search: Search, species: Sequence[str]) -> tuple[str, list[str | float]]:
    """Give the condition of SQL that an entry must meet, and the values in it."""
    conditions = ["WHERE true"]
    values: list[str | float] = []
    # Several values are one array: of long conditions SQLite refuses to make sense.
    for condition, texts in (
        (_ALL_WORDS, [keyword.casefold() for keyword in search.keywords]),
        (_ALL_SPECIES, species),
        (f"physical_sample_id {_ANY}", search.physical_sample_ids),
        (_ANY_PROJECT, search.project_ids),
        (f"data_type {_ANY}", [] if search.data_type == ALL else [search.data_type]),
        (f"status {_ANY}", [] if search.status == ALL else [search.status]),
    ):
        if texts:
            conditions.append(condition)
            # A text that is not valid Unicode is in no entry.
            valid = [text.encode(errors="replace").decode() for text in texts]
            values.append(orjson.dumps(valid).decode())
    for column in ("growth_length", "upload_datetime", "last_updated"):
        for end, sign in (("min", ">="), ("max", "<=")):
            limit = getattr(search, f"{column}_{end}")
            if limit is not None:
                conditions.append(f"{column} {sign} ?")
                values.append(limit.timestamp() if isinstance(limit, datetime) else float(limit))
    return " AND ".join(conditions), values


def _seconds(text: str | None) -> float | None:
    moment = moment_of(text)
    return None if moment is None else moment.timestamp()


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


def read_entry(folder: Path, state: State) -> dict[str, Any] | None:
    """Read the row of the entry in a folder; None if it has no version that can be listed.

    The state is that from before anything is read here, so that what changes meanwhile is noticed.
    """
    try:
        versions = list_versions(folder)
    except ArchiveError as error:
        leave_out(folder, error)
        return None
    if not versions:
        return None
    record, damage = _attempt(lambda: read_record(versions[-1]))
    data_id = "" if "~" in folder.name else folder.name.lower()
    data_id = data_id or (record.data_id if record else _earlier_id(versions))
    known, catalogue_damage = None, None
    if data_id:
        known, catalogue_damage = _attempt(lambda: _catalogue_entry(folder))
    warning = f"{catalogue_damage}; the record is used instead" if catalogue_damage else ""
    if damage and not known:
        warning = f"{damage}; it is left out ({folder.name})"
    # What is wrong with its payload is an error when the entry is read.
    measured, unread = _attempt(
        lambda: _measured(read_payload(versions[-1], record) if record else None)
    )
    is_sound = record and not (unread or catalogue_damage)
    settled = is_sound and all(abs(time.time_ns() - t) > RESOLUTION for t in state)
    entry = known or CatalogueEntry(
        data_id=data_id or folder.name,
        char_source_type=SIMS,
        pipeline_status="error" if damage else "success",
        last_updated=record.last_updated if record else None,
        detail_note_content=str(damage) if damage else None,
    )
    return {
        "folder": folder.name,
        "changed": state[0] if settled else _UNSETTLED,
        "catalogue_changed": state[1],
        "data_id": data_id,
        "damaged": bool(damage and not known),
        "warning": warning,
        "words": f"{entry.words}\n{data_id}".casefold(),
        **_searched(entry),
        **(measured or _measured(None)),
    }


def _searched(entry: CatalogueEntry) -> dict[str, Any]:
    """Give a catalogue entry as JSON, and what is searched for of it."""
    wire = {k: v for k, v in entry.to_dict().items() if v is not None or k in entry.extra}
    projects = [one.get("id") for one in entry.projects or () if isinstance(one, dict)]
    growth = entry.extra.get("growth_length")
    return {
        "entry": orjson.dumps(wire).decode(),
        "data_type": entry.char_source_type,
        "status": entry.pipeline_status,
        "physical_sample_id": entry.physical_sample_id,
        "projects": _in_lines(str(project) for project in projects if project is not None),
        "growth_length": float(growth) if isinstance(growth, int | float) else None,
        "upload_datetime": _seconds(entry.upload_datetime),
        "last_updated": _seconds(entry.last_updated),
    }


def _catalogue_entry(folder: Path) -> CatalogueEntry | None:
    wire = read_catalogue(folder)
    return CatalogueEntry.from_dict(wire) if wire else None


def _attempt(read: Callable[[], T]) -> tuple[T | None, SimsError | None]:
    """Read something; give what was read, or why it cannot be."""
    try:
        return read(), None
    except (ArchiveError, PayloadError) as error:
        return None, error


def _earlier_id(versions: list[Path]) -> str:
    """Give the id by the last superseded record that can be read."""
    for version in reversed(versions[:-1]):
        with suppress(ArchiveError):
            return read_record(version).data_id
    return ""


def _measured(payload: bytes | None) -> dict[str, str]:
    """Give species, sample, date, and what else is searched for, of a payload."""
    wire = None if payload is None else decode(payload)
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
    return {
        "species": _in_lines(species),
        "title": titles[0] if titles else "",
        "date": date,
        "payload_words": "\n".join([*species, *titles, date, *texts]).casefold(),
    }


def _titles(profiles: list[dict[str, Any]]) -> Iterator[str]:
    for profile in profiles:
        metadata = profile.get("species_metadata")
        measurement = profile.get(FIELD)
        texts = [metadata.get(key) for key in SAMPLE_KEYS] if isinstance(metadata, dict) else []
        texts += [measurement.get("sample")] if isinstance(measurement, dict) else []
        yield from (text.strip() for text in texts if isinstance(text, str) and text.strip())
