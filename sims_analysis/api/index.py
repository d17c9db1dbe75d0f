"""The index of an archive: what is known of its entries, so that nobody walks through them.

It stands beside the entries, in a folder that version control ignores, and is never the truth. It
is asked of an entry only if neither the folder nor the catalogue entry has changed since they were
read, by the clock of the file system; everything else is read again and noted. So it may be lost,
old, damaged, or that of another copy of the archive. Where it cannot be written or locked, all
entries are read, which gives the same answers.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar
from zlib import crc32

import orjson

from sims_analysis import files
from sims_analysis.api.contents import (
    Contents,
    Need,
    leave_out,
    of_profiles,
    read_contents,
    state_of_catalogue,
    time_of_change,
)
from sims_analysis.api.parallel import progress
from sims_analysis.api.versions import list_versions
from sims_analysis.errors import ArchiveError, SimsError

sqlite3: Any
try:
    import sqlite3
except ImportError:  # a Python that was built without it
    sqlite3 = None

if TYPE_CHECKING:
    from sqlite3 import Connection

    from sims_analysis.profiles.profile import DepthProfile

__all__ = ["Index", "Keep", "Known", "Skip"]

#: The fields of `Contents`, or all but the last. A hundred thousand plain tuples cost less.
Known: TypeAlias = tuple[Any, ...]
#: Tells by words, and JSON of what else is compared, what need not be given.
Keep: TypeAlias = "Callable[[bytes | None, bytes | None], bool]"
T = TypeVar("T")
Skip: TypeAlias = "Callable[[Path, SimsError], None]"

_FOLDER, _FILE = ".index", "entries.sqlite3"
#: Fewer entries are read as fast, and need no file beside a paper.
_WORTH_AN_INDEX = 32
#: Of more entries, only the catalogue entries that are given are looked at, and no more than some
#: of these, which would take as long as all the rest: whoever writes into the old file, and not a
#: new one in its place, is noticed by `rebuild_index`.
_IN_FULL = 50_000
_IN_FULL_GIVEN = 10_000
#: Two changes within this time may bear the same time: some file systems count in steps of 2 s.
_RESOLUTION = 3_000_000_000
#: A time so far ahead is that of a clock that has been set back since.
_AHEAD = 86_400_000_000_000
#: In place of the time at which an entry changed, if it was read too soon after that.
_UNSETTLED = -1
#: Seconds that a reader waits for others; and a writer, whose part the next reader makes up for.
_PATIENCE, _HASTE = 5.0, 0.05
#: So many entries are noted together; what is interrupted goes on after the last of these.
_TOGETHER = 500

#: `head`, `body` and `tail` are checksums: of folder, version and id; of these and of what is
#: compared; of these and of the catalogue entry. Nothing else tells of a row that a disk has
#: altered. (A time that was altered is no time of a folder.)
_TABLE = (
    "TABLE entries (folder TEXT PRIMARY KEY, stamp INTEGER, catalogue INTEGER, version TEXT,"
    " data_id TEXT, head INTEGER, about BLOB, words BLOB, body INTEGER, wire BLOB, tail INTEGER)"
)
#: Holds all that is asked of most rows for the ids, which are read without the long texts then.
_INDEX = "INDEX times ON entries (folder, stamp)"
_TIMES = "SELECT folder, stamp FROM entries"
_NAMED = (
    "SELECT folder, version, data_id, head FROM entries"
    " WHERE rowid IN (SELECT rowid FROM entries WHERE instr(folder, '~'))"
)
_KNOWN = (
    "SELECT folder, stamp, catalogue, version, data_id, about, words, wire, head, body, tail"
    " FROM entries"
)
#: A power failure may cost the index, which is noticed, and nothing else. Larger pages are fewer.
_SWITCHES = ("page_size=16384", "synchronous=OFF", "journal_mode=TRUNCATE", "trusted_schema=OFF")
_NOTE = "INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_DELETE = "DELETE FROM entries WHERE folder = ?"


@dataclass
class _Asked:
    """A question: what it found in the folder, and what the index does not answer of it."""

    stamps: dict[str, int]
    #: Whether there is an index that can be written.
    noting: bool
    #: Folders that are to be read.
    stale: list[str]
    #: What was known of some of them.
    old: Mapping[str, Known] = field(default_factory=dict)
    #: Folders in the index that are not there.
    gone: Iterable[str] = ()

    def answered(
        self, held: Container[str], old: Mapping[str, Known], noted: Mapping[str, object]
    ) -> None:
        """Tell of what in the index still holds, of what does not, and of all that is noted."""
        self.stale = [name for name in self.stamps if name not in held]
        self.old, self.gone = old, noted.keys() - self.stamps.keys()

    def known(self, name: str) -> Contents | None:
        """Give what was known of a folder that has changed since."""
        if (row := self.old.get(name)) is None:
            return None
        known = Contents(*row[:7])
        return known if row[8] == _checksum(name, known.version, known.data_id) else None


class Index:
    """The index of one archive.

    Parameters
    ----------
    archive : Path
        Its folder.
    """

    def __init__(self, archive: Path) -> None:
        self._entries = archive / "entries"
        self._folder = archive / _FOLDER
        self._file = self._folder / _FILE

    # ---- asking

    def ids(self, *, show: bool | None = False, skip: Skip = leave_out) -> Iterator[str]:
        """Give the id of every entry, in no order; an empty one where none can be read."""
        asked = self._asked()
        yield from self._noted(asked, self._noted_ids)
        for known in self._read(asked, Need.IDS, show=show, skip=skip):
            yield known.data_id

    def contents(
        self,
        need: Need,
        give: Callable[[Known], T],
        *,
        keep: Keep | None = None,
        wired: bool = True,
        show: bool | None = False,
        skip: Skip = leave_out,
    ) -> Iterator[T]:
        """Give what is known of every entry, in no order; what has changed is read and noted.

        Parameters
        ----------
        need : Need
        give : callable
            Takes of what is known what is wanted.
        keep : callable, optional
            Tells by words, and JSON of what else is compared, what is to be given.
        wired : bool
            Whether the last field, the catalogue entry, is needed.
        show : bool, optional
            Show a bar while entries are read; None where somebody looks at stderr.
        skip : callable
            Is told of entries that cannot be read.

        Raises
        ------
        ArchiveError
            If the folder of the entries cannot be read.
        """
        asked = self._asked()
        yield from self._noted(asked, self._noted_contents, give, keep, wired)
        if asked.noting:
            need = Need.WORDS  # once and for all
        for known in self._read(asked, need, show=show, skip=skip):
            if keep is None or keep(known.words, known.about):
                yield give(known)

    def _asked(self) -> _Asked:
        stamps = self._scanned()
        noting = len(stamps) >= _WORTH_AN_INDEX and self._made()
        return _Asked(stamps, noting, list(stamps))

    def _noted(self, asked: _Asked, ask: Callable[..., list[T]], *how: Any) -> list[T]:
        """Give what is noted and still holds."""
        if asked.noting:
            try:
                with _sqlite(), closing(self._connected(_PATIENCE)) as connection:
                    return ask(connection, asked, *how)
            except _Unusable:
                asked.noting = False
            except _Damaged:
                self.discard()
        return []

    def _scanned(self) -> dict[str, int]:
        """List what stands among the entries, and when it was changed."""
        try:
            files.check_folder(self._entries)
            return _stamps(self._entries)
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except OSError as error:
            name = str(self._entries.parent)
            raise ArchiveError(
                f"the archive {name!r} cannot be read: {error.strerror or error}"
            ) from None

    def _noted_ids(self, connection: Connection, asked: _Asked) -> list[str]:
        noted, stamps = dict(connection.execute(_TIMES)), asked.stamps
        held = stamps if noted == stamps else dict(stamps.items() & noted.items())
        names = {
            folder: data_id
            for folder, version, data_id, head in connection.execute(_NAMED)
            if folder in held and _checksum(folder, version, data_id) == head
        }
        names |= {name: name.lower() for name in held if "~" not in name}
        asked.answered(names, {}, noted)
        return list(names.values())

    def _noted_contents(
        self,
        connection: Connection,
        asked: _Asked,
        give: Callable[[Known], T],
        keep: Keep | None,
        wired: bool,
    ) -> list[T]:
        # A hundred thousand rows: what can be is done here, without a call or object for each.
        start, end = f"{self._entries}{os.sep}", f"{os.sep}catalogue.json"
        stamps = asked.stamps
        in_full = len(stamps) <= _IN_FULL
        found: list[T] = []
        held: list[str] = []
        old: dict[str, Known] = {}
        for row in connection.execute(_KNOWN if wired else _KNOWN.replace("wire", "NULL")):
            folder, stamp, catalogue, version, data_id, about, words, wire, head, body, tail = row
            if words is None or body != crc32(words, crc32(about, head)):
                continue
            passes = keep is None or keep(words, about)
            if stamp != stamps.get(folder) or (
                (in_full or (passes and len(found) < _IN_FULL_GIVEN))
                and catalogue != state_of_catalogue(start + folder + end)
            ):
                old[folder] = row
            elif not passes:
                held.append(folder)
            elif head == crc32(f"{folder}/{version}/{data_id}".encode()) and (
                not wired or tail == crc32(wire, body)
            ):
                held.append(folder)
                found.append(give(row))
        once = set(held)
        if len(once) < len(held):
            raise _Damaged
        asked.answered(once, old, old)
        return found

    def _read(
        self, asked: _Asked, need: Need, *, show: bool | None, skip: Skip
    ) -> Iterator[Contents]:
        """Read entries, and note what is sound."""
        new: list[Contents] = []
        show = show if len(asked.stale) >= _TOGETHER or show else False
        with progress(len(asked.stale), show, "reading the archive") as step:
            now = self._now() if asked.noting and asked.stale else 0
            # In the order of the folder, in which a question will look at them.
            for name in asked.stale:
                found = read_contents(self._entries / name, need, asked.known(name), skip)
                step()
                if found is None:
                    continue
                contents, sound = found
                if asked.noting and sound:
                    new.append(contents)
                if len(new) >= _TOGETHER:
                    asked.noting = self._note(new, asked.gone, now, _PATIENCE)
                    now, new, asked.gone = self._now(), [], ()
                yield contents
        if asked.noting and (new or asked.gone):
            self._note(new, asked.gone, now, _PATIENCE)

    # ---- noting

    def note(
        self, folder: Path, profiles: Sequence[DepthProfile] = (), sha256: str = "none"
    ) -> None:
        """Note what a writer has just changed, if that takes no time; a reader does it otherwise.

        Parameters
        ----------
        folder : Path
            Of the entry.
        profiles : sequence of DepthProfile, optional
            What its current version holds, if that has this hash.
        sha256 : str, optional
        """
        with suppress(ArchiveError, OSError, IndexError):
            if not (self._file.exists() or (self._is_worth() and self._made())):
                return
            now = self._now()
            known = None
            last = list_versions(folder)[-1].name
            if last.lower().endswith(f"-{sha256[:8]}"):
                about = orjson.dumps(of_profiles(profiles))
                known = Contents(folder.name, 0, 0, last, "", about)
            found = read_contents(folder, Need.WORDS, known, _ignore)
            if found is not None and found[1]:
                self._note([found[0]], [], now, _HASTE)

    def discard(self) -> None:
        """Remove the index; the next question makes it again."""
        with suppress(OSError), files.alone(self._folder):
            for path in (self._file, self._file.with_name(f"{_FILE}-journal")):
                path.unlink(missing_ok=True)

    def _is_worth(self) -> bool:
        with suppress(OSError), os.scandir(self._entries) as found:
            return sum(1 for _ in islice(found, _WORTH_AN_INDEX)) >= _WORTH_AN_INDEX
        return False

    def _made(self) -> bool:
        """Make the folder of the index, unless it is there; whether there is one to use."""
        if sqlite3 is None:
            return False
        try:
            self._folder.mkdir(exist_ok=True)
            files.check_folder(self._folder)  # no link to a place elsewhere
            if not self._file.exists():
                (self._folder / ".gitignore").write_text("*\n", encoding="ascii")
            elif not stat.S_ISREG(self._file.lstat().st_mode):
                return False
        except OSError:
            return False
        return True

    def _now(self) -> int:
        """Ask the file system for the time, which may be that of another machine."""
        try:
            os.utime(self._folder)
        except OSError:
            return 0
        return time_of_change(self._folder.lstat())

    def _note(self, new: list[Contents], gone: Iterable[str], now: int, patience: float) -> bool:
        """Write down what was read; whether that could be done."""
        rows = [_row(contents, now) for contents in new if contents.folder.isascii()]
        try:
            with _sqlite(), closing(self._connected(patience)) as connection:
                connection.execute("BEGIN IMMEDIATE")
                connection.executemany(_DELETE, [(folder,) for folder in gone])
                connection.executemany(_NOTE, rows)
                connection.execute("COMMIT")
        except _Unusable:
            return False
        except _Damaged:
            self.discard()
        return True

    def _connected(self, patience: float) -> Connection:
        connection: Connection = sqlite3.connect(self._file, timeout=patience, isolation_level=None)
        try:
            _prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection


def _prepare(connection: Connection) -> None:
    """Make the table of a new index; refuse one of another kind."""
    for switch in _SWITCHES:
        connection.execute(f"PRAGMA {switch}")
    schema = connection.execute("SELECT sql FROM sqlite_master WHERE sql NOT NULL").fetchall()
    if not schema:
        connection.execute("BEGIN IMMEDIATE")
        for thing in (_TABLE, _INDEX):
            connection.execute(f"CREATE {thing.replace(' ', ' IF NOT EXISTS ', 1)}")
        connection.execute("COMMIT")
    elif schema != [(f"CREATE {thing}",) for thing in (_TABLE, _INDEX)]:
        raise _Damaged


class _Unusable(Exception):
    """An index that cannot be opened, locked or written now."""


class _Damaged(Exception):
    """An index that is none, or of another version of this library."""


@contextmanager
def _sqlite() -> Iterator[None]:
    """Tell an index that cannot be used now from one that is damaged."""
    try:
        yield
    # SQLite itself finds some damage; other damage makes texts and numbers that are none.
    except (sqlite3.Error, UnicodeError, OverflowError, TypeError, ValueError) as error:
        passing = getattr(error, "sqlite_errorcode", 0) & 0xFF in _PASSING
        raise (_Unusable if passing else _Damaged) from error


#: Codes of SQLite: the file is locked, or cannot be read, written, opened or made larger.
_PASSING = {3, 5, 6, 8, 10, 13, 14, 15, 22, 23}


def _stamps(folder: Path) -> dict[str, int]:
    """Tell of what stands in a folder when it was changed; 0 where that cannot be told."""
    if os.stat not in os.supports_dir_fd:
        with os.scandir(folder) as found:  # it has seen that already
            looks = {item.name: partial(item.stat, follow_symlinks=False) for item in found}
        return {name: _changed(look) for name, look in looks.items()}
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        # In such a way that the path is not followed for every name in it.
        names = os.listdir(descriptor)  # noqa: PTH208 - a path is no descriptor
        look = partial(os.stat, dir_fd=descriptor, follow_symlinks=False)
        with suppress(OSError):
            return {name: time_of_change(look(name)) for name in names}
        return {name: _changed(partial(look, name)) for name in names}  # one was just removed
    finally:
        os.close(descriptor)


def _changed(look: Callable[[], os.stat_result]) -> int:
    with suppress(OSError):
        return time_of_change(look())
    return 0


def _row(contents: Contents, now: int) -> tuple[Any, ...]:
    """Give the row of an entry."""

    def is_past(moment: int) -> bool:
        return moment == 0 or now - moment > _RESOLUTION or moment - now > _AHEAD > 0 < now

    folder, stamp, catalogue, version, data_id, about, words, wire = contents
    if not (is_past(stamp) and is_past(catalogue)):
        stamp = _UNSETTLED
    head = _checksum(folder, version, data_id)
    row = folder, stamp, catalogue, version, data_id, head
    if about is None or words is None or wire is None:
        return (*row, None, None, None, None, None)
    body = crc32(words, crc32(about, head))
    return (*row, about, words, body, wire, crc32(wire, body))


def _checksum(folder: str, version: str, data_id: str) -> int:
    return crc32(f"{folder}/{version}/{data_id}".encode())


def _ignore(_path: Path, _error: SimsError) -> None:
    """Leave to the next reader what cannot be read now."""
