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
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias
from zlib import crc32

import orjson

from sims_analysis import files
from sims_analysis.api.contents import (
    Contents,
    Need,
    leave_out,
    moment_of_change,
    of_profiles,
    read_contents,
    state_of_catalogue,
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

__all__ = ["Index", "Keep"]

Keep: TypeAlias = "Callable[[bytes | None, bytes | None, float | None, float | None], bool]"

_WINDOWS = os.name == "nt"
_FOLDER, _FILE = ".index", "entries.sqlite3"
#: Fewer entries are read as fast, and need no file beside a paper.
_WORTH_AN_INDEX = 32
#: Of more entries, a search does not look at the catalogue entries of those that it passes over,
#: which takes as long as all the rest: whoever writes into the old file, and not a new one in its
#: place, is noticed by `rebuild_index`.
_IN_FULL = 50_000
#: Two changes within this time may bear the same time: some file systems count in steps of 2 s.
_RESOLUTION = 3_000_000_000
#: A time so far ahead is that of a clock that has been set back since.
_AHEAD = 86_400_000_000_000
#: Seconds that a reader waits for others; and a writer, whose part the next reader makes up for.
_PATIENCE, _HASTE = 5.0, 0.05
#: So many entries are noted together; what is interrupted goes on after the last of these.
_TOGETHER = 500

#: Beside what is known: whether that was read long enough after the last change, and checksums,
#: because nothing else tells of a row that a disk has altered.
_HEAD = (
    "folder", "stamp", "catalogue", "version", "data_id", "settled", "uploaded", "updated", "head",
)  # fmt: skip
_BODY = ("about", "words", "body")
_TABLE = (
    "CREATE TABLE entries (folder TEXT PRIMARY KEY, stamp INTEGER, catalogue INTEGER, version TEXT,"
    " data_id TEXT, settled INTEGER, uploaded REAL, updated REAL, head INTEGER, about BLOB,"
    " words BLOB, body INTEGER)"
)
_NOTE = f"INSERT OR REPLACE INTO entries VALUES ({', '.join('?' * len(_HEAD + _BODY))})"  # noqa: S608
_NOTHING: tuple[Any, ...] = (None, None, None)
_DELETE = "DELETE FROM entries WHERE folder = ?"


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

    def contents(
        self,
        need: Need,
        *,
        keep: Keep | None = None,
        show: bool | None = False,
        skip: Callable[[Path, SimsError], None] = leave_out,
    ) -> Iterator[Contents]:
        """Give what is known of every entry, in no order; what has changed is read and noted.

        Parameters
        ----------
        need : Need
        keep : callable, optional
            Tells by words, JSON and times of upload and update what need not be given.
        show : bool, optional
            Show a bar while entries are read; None where somebody looks at stderr.
        skip : callable
            Is told of entries that cannot be read.

        Raises
        ------
        ArchiveError
            If the folder of the entries cannot be read.
        """
        stamps = self._scanned()
        stale: dict[str, Contents | None] = dict.fromkeys(stamps)
        gone: list[str] = []
        noting = len(stamps) >= _WORTH_AN_INDEX and self._made()
        if noting:
            try:
                yield from self._fresh(need, stamps, stale, gone, keep)
            except _Unusable:
                noting = False
            except _Damaged:
                self.discard()
        if noting and need is not Need.IDS:
            need = Need.WORDS  # once and for all
        yield from self._read(stale, gone, need, show=show, skip=skip, noting=noting)

    def _scanned(self) -> dict[str, int]:
        """List what stands among the entries, and when it was changed."""
        try:
            files.check_folder(self._entries)
            with os.scandir(self._entries) as found:
                return {item.name: _stamp(item) for item in found}
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except OSError as error:
            name = str(self._entries.parent)
            raise ArchiveError(
                f"the archive {name!r} cannot be read: {error.strerror or error}"
            ) from None

    def _fresh(
        self,
        need: Need,
        stamps: dict[str, int],
        stale: dict[str, Contents | None],
        gone: list[str],
        keep: Keep | None,
    ) -> Iterator[Contents]:
        """Give the entries of which what is noted still holds, and take them from the stale."""
        # A hundred thousand rows: what can be is done here, without a call.
        columns = _HEAD + (() if need is Need.IDS else _BODY)
        start, end = f"{self._entries}{os.sep}", f"{os.sep}catalogue.json"
        in_full = len(stamps) <= _IN_FULL
        with _sqlite(), closing(self._connected(_PATIENCE)) as connection:
            for row in connection.execute(f"SELECT {', '.join(columns)} FROM entries"):  # noqa: S608
                folder, stamp, catalogue, version, data_id, settled, *times, head = row[:9]
                if crc32(_text(row).encode()) != head:
                    continue
                about, words, body = row[9:] or _NOTHING
                if words is not None and crc32(about, crc32(words, head)) != body:
                    about = words = None
                known = folder, stamp, catalogue, version, data_id, about, words, *times
                passes = words is None or keep is None or keep(words, about, *times)
                holds = stamp == stamps.get(folder)
                if need is not Need.IDS and holds:
                    holds = words is not None
                    if holds and (in_full or (passes and keep is not None)):
                        holds = catalogue == state_of_catalogue(start + folder + end)
                if holds and (settled or self._is_last(folder, version)):
                    # Unless it was given already.
                    if stale.pop(folder, self) is not self and passes:
                        yield Contents(*known)
                elif folder in stale:
                    stale[folder] = Contents(*known)
                elif folder not in stamps:
                    gone.append(folder)

    def _is_last(self, folder: str, version: str) -> bool:
        """Whether no other version came at the very moment at which this one was noted."""
        try:
            versions = list_versions(self._entries / folder)
        except ArchiveError:
            return False
        return bool(versions) and versions[-1].name == version

    def _read(
        self,
        stale: dict[str, Contents | None],
        gone: list[str],
        need: Need,
        *,
        show: bool | None,
        skip: Callable[[Path, SimsError], None],
        noting: bool,
    ) -> Iterator[Contents]:
        """Read entries, and note what is sound."""
        new: list[Contents] = []
        show = show if len(stale) >= _TOGETHER or show else False
        with progress(len(stale), show, "reading the archive") as step:
            now = self._now() if noting and stale else 0
            for name, known in stale.items():
                found = read_contents(self._entries / name, need, known, skip)
                step()
                if found is None:
                    continue
                contents, sound = found
                if noting and sound:
                    new.append(contents)
                if len(new) >= _TOGETHER:
                    noting = self._note(new, gone, now, _PATIENCE)
                    now, new, gone = self._now(), [], []
                yield contents
        if noting and (new or gone):
            self._note(new, gone, now, _PATIENCE)

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
                known = Contents(folder.name, 0, 0, last, "", about, b"")
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
        return moment_of_change(self._folder)

    def _note(self, new: list[Contents], gone: list[str], now: int, patience: float) -> bool:
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
    # A power failure may cost the index, which is noticed, and nothing else.
    for switch in ("synchronous=OFF", "journal_mode=TRUNCATE", "trusted_schema=OFF"):
        connection.execute(f"PRAGMA {switch}")
    schema = connection.execute("SELECT sql FROM sqlite_master WHERE sql NOT NULL").fetchall()
    if not schema:
        connection.execute(_TABLE.replace("TABLE", "TABLE IF NOT EXISTS", 1))
    elif schema != [(_TABLE,)]:
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


def _stamp(item: os.DirEntry[str]) -> int:
    """Tell when something among the entries was changed; 0 if that cannot be told."""
    try:
        found = item.stat(follow_symlinks=False)
    except OSError:
        return 0
    return found.st_mtime_ns if _WINDOWS else found.st_ctime_ns


def _row(contents: Contents, now: int) -> tuple[Any, ...]:
    """Give the row of an entry."""

    def is_past(moment: int) -> bool:
        return moment == 0 or now - moment > _RESOLUTION or moment - now > _AHEAD > 0 < now

    settled = int(is_past(contents.stamp) and is_past(contents.catalogue))
    row = (*contents[:5], settled, contents.uploaded, contents.updated)
    head = crc32(_text(row).encode(errors="replace"))
    about, words = contents.about, contents.words
    if about is None or words is None:
        return (*row, head, None, None, None)
    return (*row, head, about, words, crc32(about, crc32(words, head)))


def _text(row: tuple[Any, ...]) -> str:
    """Give what the first of the checksums is made of."""
    return f"{row[0]}/{row[1]}/{row[2]}/{row[3]}/{row[4]}/{row[5]}/{row[6]}/{row[7]}"


def _ignore(_path: Path, _error: SimsError) -> None:
    """Leave to the next reader what cannot be read now."""
