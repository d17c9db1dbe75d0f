"""Crash-safe writing of files, names that every file system accepts, and what reading may take."""

from __future__ import annotations

import errno
import hashlib
import importlib
import ntpath
import os
import re
import secrets
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sims_analysis.errors import ReadError, SimsError
from sims_analysis.forking import PerProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

#: Threads that wait for the disk; to start new ones for every write would take longer than to wait.
_waiters = PerProcess(partial(ThreadPoolExecutor, 8, "sims-analysis-disk"))

#: Prefix of the names of unfinished files.
TEMPORARY = ".tmp-"

_PLAIN = re.compile(r"[a-z0-9][a-z0-9_-]{0,79}")
_RESERVED = re.compile(r"con|prn|aux|nul|com[0-9]|lpt[0-9]")
#: ``s3://bucket/w7.txt``, ``zip://w7.txt::archive.zip``, ``filecache::https://...``; of one slash,
#: a path that was made of an address.
ADDRESS = re.compile(r"(?i)(?:[a-z][a-z0-9+.]+::)*[a-z][a-z0-9+.]+:/")
#: What is secret in one: a login, even one with slashes, and what follows a question mark or hash.
_LOGIN = re.compile(r"^([^:]+:/+)(?:[^/\s]*@|[^/:\s]+:(?!\d+/)\S*@)")
_QUERY = re.compile(r"[?#].*", re.DOTALL)
_WINDOWS = os.name == "nt"
_LOCK = TEMPORARY + "lock"
_CLAIM = TEMPORARY + "claim"
_LOCK_PATIENCE = 10.0

#: Memory in bytes that reading one file takes, unless the caller states another amount.
MAX_BYTES = 2**30
#: Files are read in pieces of so many bytes.
_PIECE = 1 << 20

fcntl: Any
try:
    import fcntl
except ImportError:  # Windows, which locks files by other means
    fcntl = None


def folder_name(text: str) -> str:
    """Convert any text to a unique folder name.

    Short names of lower-case letters, digits, ``-`` and ``_`` are not changed. A name that could
    leave its folder, collide on a case-insensitive file system, or is reserved on Windows, becomes
    a readable beginning, ``~`` and a hash.

    Examples
    --------
    >>> folder_name("boron-implant")
    'boron-implant'
    >>> folder_name("../W1 (Boron)")
    'w1_boron~8c95a04506d1ff90'
    """
    if _PLAIN.fullmatch(text) and not _RESERVED.fullmatch(text):
        return text
    readable = re.sub(r"[^a-z0-9-]+", "_", text.lower()).strip("_-")[:40]
    return f"{readable}~{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def shown_path(path: str | os.PathLike[str]) -> str:
    """Return a path or an address for messages and provenance, with nothing that may be secret.

    Examples
    --------
    >>> print(shown_path("lab/w1.nc"), shown_path("http:/user:word@lab.org/w1.nc?token=1"))
    lab/w1.nc http:/lab.org/w1.nc
    >>> shown_path("zip://w7.csv::https://user:word@lab.org/w.zip?token=1")
    'zip://w7.csv::https://lab.org/w.zip'
    """
    text = os.fspath(path)
    if not ADDRESS.match(text):
        return text
    return "::".join(_QUERY.sub("", _LOGIN.sub(r"\1", part)) for part in text.split("::"))


def temporary_name() -> str:
    """Return a name that no other writer uses."""
    return TEMPORARY + secrets.token_hex(8)


def write_durably(path: Path, content: bytes) -> None:
    """Write a new file and wait until it is on the disk."""
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def write_together(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write new files into a folder, and wait until they and their names are on the disk."""
    with ExitStack() as opened:
        written = [opened.enter_context((folder / name).open("xb", 0)) for name in contents]
        for file, content in zip(written, contents.values(), strict=True):
            file.write(content)
        waits = [partial(os.fsync, file.fileno()) for file in written]
        wait_together([*waits, partial(sync_folder, folder)])


def wait_together(waits: Sequence[Callable[[], None]]) -> None:
    """Wait for the disk in parallel threads, so that the system can combine the writes."""
    try:
        waiting = [_waiters.get().submit(wait) for wait in waits]
    except RuntimeError:
        # The interpreter is shutting down, and starts no more work in threads.
        for wait in waits:
            wait()
        return
    # For all of them, even after an error: no file may be closed while it is being synced.
    wait_for(waiting)
    for waited in waiting:
        waited.result()


def replace_file(path: Path, content: bytes) -> None:
    """Replace a file atomically: it is always either the old or the complete new one."""
    temporary = path.with_name(temporary_name())
    try:
        write_durably(temporary, content)
        rename_over(temporary, path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, FileNotFoundError):
            text = f"there is no folder {shown_path(path.parent)!r}: make it first"
            raise FileNotFoundError(errno.ENOENT, text, shown_path(path)) from None
        raise
    sync_folder(path.parent)


def write_lines(path: str | os.PathLike[str], lines: Iterable[str]) -> Path:
    """Write lines of text, all or none."""
    replace_file(Path(path), "".join(f"{line}\n" for line in lines).encode())
    return Path(path)


def rename_over(source: Path, target: Path) -> None:
    """Rename a file over another, which Windows refuses while the other one is open."""
    for pause in (0.01, 0.1, 0.5) if _WINDOWS else ():
        with suppress(PermissionError):
            source.replace(target)
            return
        time.sleep(pause)
    source.replace(target)


def sync_folder(path: Path) -> None:
    """Wait until the names in a folder are on the disk, if the file system supports it."""
    if _WINDOWS:
        return
    try:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno in {errno.EIO, errno.ENOSPC, errno.EDQUOT}:
            raise


class Budget:
    """Memory that reading one file may take; taken before anything is unpacked.

    Parameters
    ----------
    limit : int
        In bytes.
    error : type
        Of the error where it does not suffice.
    advice : str
        What lifts the limit.
    name : str
        Of the file, where nothing else puts it before the message.

    Examples
    --------
    >>> Budget(2**20).take(2**21, "the sheet 'B'")
    Traceback (most recent call last):
    ...
    sims_analysis.errors.ReadError: the sheet 'B' needs more memory than the limit of 1,048,576
    bytes allows for a file; if you trust where it comes from, a larger max_bytes= reads it
    """

    def __init__(
        self,
        limit: int = MAX_BYTES,
        error: type[SimsError] = ReadError,
        advice: str = "if you trust where it comes from, a larger max_bytes= reads it",
        name: str = "",
    ) -> None:
        self.limit = self.left = checked_limit(limit)
        self._error, self._advice = error, advice
        self._who = f"{name}: " if name else ""

    def take(self, size: int, what: str) -> None:
        """Take some bytes of it; raise an error that says `what` needs more than is left."""
        self.left -= size
        if self.left < 0:
            raise self._error(
                f"{self._who}{what} needs more memory than the limit of {self.limit:,} bytes "
                "allows for a file",
                code="too_large",
                argument="max_bytes",
                remedy=self._advice,
            )

    def read(self, file: Any, what: str) -> Any:
        """Read an open file to its end, bytes or text, as far as the budget goes.

        Raises
        ------
        TypeError
            If it gives anything else.
        """
        pieces: list[Any] = []
        while piece := file.read(min(_PIECE, self.left + 1)):
            if not isinstance(piece, bytes | bytearray | memoryview | str):
                raise TypeError(f"{what}: read() gave a {type(piece).__name__}, not bytes")
            self.take(len(piece), what)
            pieces.append(piece)
        return "".join(pieces) if pieces and isinstance(pieces[0], str) else b"".join(pieces)


def checked_limit(max_bytes: Any) -> int:
    """Return `max_bytes`; raise a `TypeError` or `ValueError` unless it is a positive integer."""
    if isinstance(max_bytes, bool) or not isinstance(max_bytes, int):
        raise TypeError(f"max_bytes={max_bytes!r}; expected a number of bytes, such as 4 * 2**30")
    if max_bytes < 1:
        raise ValueError(f"max_bytes={max_bytes!r}; expected a positive number of bytes")
    return max_bytes


def read_plain(path: Path) -> bytes:
    """Read a regular file.

    Raises
    ------
    OSError
        As :func:`descriptor_of` does; also for a file of more than 1 GiB, which may be all holes.
    """
    descriptor = descriptor_of(path)
    try:
        size = os.fstat(descriptor).st_size
        if size > MAX_BYTES:
            text = f"{path.name} has {size:,} bytes, more than the limit of {MAX_BYTES:,}"
            raise OSError(errno.EFBIG, text)
        content = os.read(descriptor, size)
        while len(content) < size and (more := os.read(descriptor, size)):
            content += more
        return content
    finally:
        os.close(descriptor)


def descriptor_of(path: Path) -> int:
    """Open a regular file for reading; the caller closes it.

    Raises
    ------
    OSError
        Also for a link, a pipe or a device: an entry of a folder from elsewhere must neither lead
        out of it nor block the reader.
    """
    if not hasattr(os, "O_NOFOLLOW"):
        check_file(path)
    flags = (getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"))
    descriptor = os.open(path, os.O_RDONLY | sum(flags))
    try:
        _refuse_unless(stat.S_ISREG, os.fstat(descriptor), path, "file")
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def check_folder(path: Path) -> None:
    """Raise an `OSError` if a path is not a folder itself, such as a link to one."""
    found = path.lstat()
    if stat.S_ISREG(found.st_mode):
        raise NotADirectoryError(errno.ENOTDIR, f"{path.name} is a file")
    _refuse_unless(stat.S_ISDIR, found, path, "folder")


def check_file(path: Path) -> None:
    """Raise an `OSError` if a path is not a regular file itself, such as a link to one."""
    _refuse_unless(stat.S_ISREG, path.lstat(), path, "file")


def _refuse_unless(wanted: Any, found: os.stat_result, path: Path, what: str) -> None:
    # A Windows junction looks like a folder.
    junction = getattr(found, "st_reparse_tag", 0) == getattr(
        stat, "IO_REPARSE_TAG_MOUNT_POINT", -1
    )
    if junction or not wanted(found.st_mode):
        kind = "a link" if junction or stat.S_ISLNK(found.st_mode) else "a pipe or device"
        if stat.S_ISDIR(found.st_mode) and not junction:
            kind = "a folder"
        raise OSError(errno.EINVAL, f"{path.name} is {kind}, not a {what}, and is not read")


@contextmanager
def locked(folder: Path) -> Iterator[bool]:
    """Lock a folder against other writers; continue without a lock if there is none to get.

    The system releases the lock of a process that dies. Waiting is limited, so callers must be
    safe without the lock; they are given whether they have it.
    """
    target, flags = (folder, os.O_RDONLY) if fcntl else (folder / _LOCK, os.O_RDWR | os.O_CREAT)
    try:
        # A link in a folder from elsewhere may lead anywhere.
        descriptor = None if target.is_symlink() else os.open(target, flags)
    except OSError:
        descriptor = None
    if descriptor is None:
        yield False
        return
    try:
        held = _taken(descriptor)
        try:
            yield held
        finally:
            # Unlock before closing: a process forked meanwhile has the file open too.
            if held:
                _lock(descriptor, take=False)
    finally:
        os.close(descriptor)


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Wait for a folder by a file that only one writer can make: where there are no locks.

    What a writer that was killed left there is waited for once.
    """
    path = folder / _CLAIM
    end = time.monotonic() + _LOCK_PATIENCE
    while time.monotonic() < end:
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        except (FileExistsError, PermissionError):
            time.sleep(0.005)
        else:
            break
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _taken(descriptor: int) -> bool:
    end = time.monotonic() + _LOCK_PATIENCE
    while time.monotonic() < end:
        try:
            _lock(descriptor, take=True)
        except (BlockingIOError, PermissionError):
            time.sleep(0.002)
        except OSError:
            return False
        else:
            return True
    return False


def _lock(descriptor: int, *, take: bool) -> None:
    if fcntl:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB if take else fcntl.LOCK_UN)
    else:
        msvcrt: Any = importlib.import_module("msvcrt")
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK if take else msvcrt.LK_UNLCK, 1)


def reachable(path: Path) -> Path:
    """Return a path that the system accepts at any length."""
    return Path(extended(os.fspath(path))) if _WINDOWS else path


def extended(path: str) -> str:
    r"""Extend a Windows path so that it may have more than 260 characters.

    Examples
    --------
    >>> print(extended(r"C:\data\..\paper"), extended(r"\\server\lab\paper"))
    \\?\C:\paper \\?\UNC\server\lab\paper
    """
    path = ntpath.abspath(path)
    if path.startswith("\\\\?\\"):
        return path
    return "\\\\?\\UNC" + path[1:] if path.startswith("\\\\") else "\\\\?\\" + path
