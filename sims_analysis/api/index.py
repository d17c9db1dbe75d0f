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
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar
from zlib import crc32

from sims_analysis import files
from sims_analysis.api.contents import (
    Contents,
    Need,
    Skip,
    leave_out,
    read_contents,
    state_of_catalogue,
    time_of_change,
)
from sims_analysis.api.parallel import progress
from sims_analysis.errors import ArchiveError

sqlite3: Any
try:
    import sqlite3
except ImportError:  # a Python that was built without it
    sqlite3 = None

if TYPE_CHECKING:
    from sqlite3 import Connection

__all__ = ["Index", "Keep"]

#: Tells by words, and JSON of what else is compared, what need not be given.
Keep: TypeAlias = "Callable[[bytes | None, bytes | None], bool]"
T = TypeVar("T")

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
#: Seconds that a reader waits for others.
_PATIENCE = 5.0
#: So many entries are noted together; what is interrupted goes on after the last of these.
_TOGETHER = 500

#: `head` and `body` are checksums: of folder, version and id; of these and of all the rest. Nothing
#: else tells of a row that a disk has altered. (A time that was altered is no time of a folder.)
_TABLE = (
    "TABLE entries (folder TEXT PRIMARY KEY, stamp INTEGER, catalogue INTEGER, version TEXT,"
    " data_id TEXT, head INTEGER, about BLOB, words BLOB, wire BLOB, body INTEGER)"
)
#: Holds all that is asked of most rows for the ids, which are read without the long texts then.
_INDEX = "INDEX times ON entries (folder, stamp)"
_TIMES = "SELECT folder, stamp FROM entries"
_NAMED = (
    "SELECT folder, version, data_id, head FROM entries"
    " WHERE rowid IN (SELECT rowid FROM entries WHERE instr(folder, '~'))"
)
_KNOWN = (
    "SELECT folder, stamp, catalogue, version, data_id, about, words, wire, head, body FROM entries"
)
#: A power failure may cost the index, which is noticed, and nothing else. Larger pages are fewer.
_SWITCHES = ("page_size=16384", "synchronous=OFF", "journal_mode=TRUNCATE", "trusted_schema=OFF")
_NOTE = "INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_DELETE = "DELETE FROM entries WHERE folder = ?"
#: Codes of SQLite: the file is locked, or cannot be read, written, opened or made larger.
_PASSING = {3, 5, 6, 8, 10, 13, 14, 15, 22, 23}


@dataclass(frozen=True, kw_only=True)
class _Noted(Generic[T]):
    """What the index knows that serves a question: nothing, where there is none to use."""

    usable: bool = True
    #: The answers that hold.
    found: list[T] = field(default_factory=list)
    #: Folders that need not be read.
    held: Container[str] = ()
    #: What was known of folders that have changed since.
    old: Mapping[str, Contents] = field(default_factory=dict)
    #: Folders that are not there any more.
    gone: Collection[str] = ()


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

    def ids(self) -> Iterator[str]:
        """Give the id of every entry, in no order; an empty one where none can be read."""
        stamps = self._scanned()
        noted = self._noted(stamps, _noted_ids)
        yield from noted.found
        for known in self._read(stamps, noted, Need.IDS, show=None, skip=leave_out):
            yield known.data_id

    def contents(
        self,
        need: Need,
        keep: Keep | None = None,
        *,
        show: bool | None = None,
        skip: Skip = leave_out,
    ) -> Iterator[Contents]:
        """Give what is known of every entry, in no order; what has changed is read and noted.

        Parameters
        ----------
        need : Need
        keep : callable, optional
            Tells by words, and JSON of what else is compared, what is to be given.
        show : bool, optional
            Show a bar while entries are read; by default of many, where somebody looks at stderr.
        skip : callable
            Is told of entries that cannot be read.

        Raises
        ------
        ArchiveError
            If the folder of the entries cannot be read.
        """
        stamps = self._scanned()
        noted = self._noted(stamps, _noted_contents, f"{self._entries}{os.sep}", keep)
        yield from (Contents(*row) for row in noted.found)
        if noted.usable:
            need = Need.WORDS  # once and for all
        for known in self._read(stamps, noted, need, show=show, skip=skip):
            if keep is None or keep(known.words, known.about):
                yield known

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

    def _noted(self, stamps: dict[str, int], ask: Callable[..., _Noted[T]], *how: Any) -> _Noted[T]:
        """Ask the index what it knows, if there is one to use."""
        if len(stamps) < _WORTH_AN_INDEX or not self._made():
            return _Noted(usable=False)
        with suppress(_Unusable), self._opened() as connection:
            return ask(connection, stamps, *how)
        return _Noted(usable=not self._file.exists())  # one that was damaged is made anew

    def _read(
        self,
        stamps: dict[str, int],
        noted: _Noted[Any],
        need: Need,
        *,
        show: bool | None,
        skip: Skip,
    ) -> Iterator[Contents]:
        """Read the entries that the index does not know, and note what is sound."""
        noting, gone, new = noted.usable, noted.gone, []
        # In the order of the folder, in which a question will look at them.
        stale = [name for name in stamps if name not in noted.held]
        show = show if len(stale) >= _TOGETHER or show else False
        with progress(len(stale), show, "reading the archive") as step:
            now = self._now() if noting and stale else 0
            for name in stale:
                contents = read_contents(self._entries / name, need, noted.old.get(name), skip)
                step()
                if contents is None:
                    continue
                if noting and contents.sound:
                    new.append(contents)
                if len(new) >= _TOGETHER:
                    noting = self._note(new, gone, now)
                    now, new, gone = self._now(), [], ()
                yield contents
        if noting and (new or gone):
            self._note(new, gone, now)

    # ---- noting

    def discard(self) -> None:
        """Remove the index; the next question makes it again."""
        with suppress(OSError), files.alone(self._folder):
            for path in (self._file, self._file.with_name(f"{_FILE}-journal")):
                path.unlink(missing_ok=True)

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

    def _note(self, new: list[Contents], gone: Iterable[str], now: int) -> bool:
        """Write down what was read; whether that could be done."""
        rows = [_row(contents, now) for contents in new if contents.folder.isascii()]
        with suppress(_Unusable), self._opened() as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(_DELETE, [(folder,) for folder in gone])
            connection.executemany(_NOTE, rows)
            connection.execute("COMMIT")
            return True
        return False

    @contextmanager
    def _opened(self) -> Iterator[Connection]:
        """Open the index; one that is damaged is removed.

        Raises
        ------
        _Unusable
            If it is damaged, or cannot be opened, locked, read or written now.
        """
        try:
            with closing(
                sqlite3.connect(self._file, timeout=_PATIENCE, isolation_level=None)
            ) as connection:
                _prepare(connection)
                yield connection
        # SQLite itself finds some damage; other damage makes texts and numbers that are none.
        except (sqlite3.Error, UnicodeError, OverflowError, TypeError, ValueError) as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _PASSING:
                self.discard()
            raise _Unusable from error


class _Unusable(Exception):
    """An index that cannot be used now."""


def _prepare(connection: Connection) -> None:
    """Make the table of a new index; refuse one of another kind, or of another version."""
    for switch in _SWITCHES:
        connection.execute(f"PRAGMA {switch}")
    schema = connection.execute("SELECT sql FROM sqlite_master WHERE sql NOT NULL").fetchall()
    if not schema:
        connection.execute("BEGIN IMMEDIATE")
        for thing in (_TABLE, _INDEX):
            connection.execute(f"CREATE {thing.replace(' ', ' IF NOT EXISTS ', 1)}")
        connection.execute("COMMIT")
    elif schema != [(f"CREATE {thing}",) for thing in (_TABLE, _INDEX)]:
        raise ValueError("another table")


def _noted_ids(connection: Connection, stamps: dict[str, int]) -> _Noted[str]:
    noted = dict(connection.execute(_TIMES))
    held = stamps if noted == stamps else dict(stamps.items() & noted.items())
    names = {
        folder: data_id
        for folder, version, data_id, head in connection.execute(_NAMED)
        if folder in held and _checksum(folder, version, data_id) == head
    }
    names |= {name: name.lower() for name in held if "~" not in name}
    return _Noted(found=list(names.values()), held=names, gone=noted.keys() - stamps.keys())


def _noted_contents(
    connection: Connection, stamps: dict[str, int], entries: str, keep: Keep | None
) -> _Noted[tuple[Any, ...]]:
    # A hundred thousand rows: what can be is done here, without a call or object for each.
    end = f"{os.sep}catalogue.json"
    in_full = len(stamps) <= _IN_FULL
    found: list[tuple[Any, ...]] = []
    held: list[str] = []
    old: dict[str, Contents] = {}
    for row in connection.execute(_KNOWN):
        folder, stamp, catalogue, version, data_id, about, words, wire, head, body = row
        if words is None or body != crc32(wire, crc32(words, crc32(about, head))):
            continue
        passes = keep is None or keep(words, about)
        holds = stamp == stamps.get(folder) and (
            not (in_full or (passes and len(found) < _IN_FULL_GIVEN))
            or catalogue == state_of_catalogue(entries + folder + end)
        )
        if holds and not passes:
            held.append(folder)
        elif head != crc32(f"{folder}/{version}/{data_id}".encode()):
            continue
        elif holds:
            held.append(folder)
            # Without the words, which are not asked for any more.
            found.append((folder, stamp, catalogue, version, data_id, about, None, wire))
        else:
            old[folder] = Contents(*row[:8])
    once = set(held)
    if len(once) < len(held):
        raise ValueError("rows twice")
    return _Noted(found=found, held=once, old=old, gone=old.keys() - stamps.keys())


def _stamps(folder: Path) -> dict[str, int]:
    """Tell of what stands in a folder when it was changed; 0 where that cannot be told."""
    # By a descriptor where the system has such: the path is not followed for every name in it.
    place = os.open(folder, os.O_RDONLY) if os.scandir in os.supports_fd else os.fspath(folder)
    try:
        with os.scandir(place) as found:
            return {item.name: _changed(item) for item in found}
    finally:
        if isinstance(place, int):
            os.close(place)


def _changed(item: os.DirEntry[str]) -> int:
    try:
        return time_of_change(item.stat(follow_symlinks=False))
    except OSError:
        return 0


def _row(contents: Contents, now: int) -> tuple[Any, ...]:
    """Give the row of an entry."""

    def is_past(moment: int) -> bool:
        return moment == 0 or now - moment > _RESOLUTION or moment - now > _AHEAD > 0 < now

    folder, stamp, catalogue, version, data_id, about, words, wire, _ = contents
    if not (is_past(stamp) and is_past(catalogue)):
        stamp = _UNSETTLED
    head = _checksum(folder, version, data_id)
    row = folder, stamp, catalogue, version, data_id, head
    if about is None or words is None or wire is None:
        return (*row, None, None, None, None)
    return (*row, about, words, wire, crc32(wire, crc32(words, crc32(about, head))))


def _checksum(folder: str, version: str, data_id: str) -> int:
    return crc32(f"{folder}/{version}/{data_id}".encode())
