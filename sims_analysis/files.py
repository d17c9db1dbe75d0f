"""Crash-safe writing of files, names that every file system accepts, and what reading may take."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import stat
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sims_analysis.errors import ArgumentError, ProfileError, ReadError, SimsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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
WINDOWS = os.name == "nt"
LOCK_PATIENCE = 10.0

#: Memory in bytes that reading one file takes, unless the caller states another amount.
MAX_BYTES = 2**30
#: Files are read in pieces of so many bytes.
_PIECE = 1 << 20

fcntl: Any
try:
    import fcntl
except ImportError:  # Windows
    fcntl = None


def folder_name(text: str) -> str:
    """Convert any text to a unique folder name.

    Short names of lower-case letters, digits, ``-`` and ``_`` are not changed. A name that could
    leave its folder, collide on a case-insensitive file system, or is reserved on Windows, becomes
    a readable beginning, ``~`` and a hash: ``w1_boron~8c95a04506d1ff90``.
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


def replace_file(path: Path, content: bytes) -> None:
    """Replace a file atomically: it is always either the old or the complete new one."""
    temporary = path.with_name(temporary_name())
    try:
        write_durably(temporary, content)
        with suppress(OSError):  # of a new file, or of a file system without modes
            temporary.chmod(stat.S_IMODE(path.stat().st_mode))
        rename_over(temporary, path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, FileNotFoundError):
            text = f"there is no folder {shown_path(path.parent)!r}: create it first"
            raise FileNotFoundError(errno.ENOENT, text, shown_path(path)) from None
        raise
    sync_folder(path.parent)


def write_lines(path: str | os.PathLike[str], lines: Iterable[str]) -> Path:
    """Write lines of text, all or none."""
    replace_file(Path(path), "".join(f"{line}\n" for line in lines).encode())
    return Path(path)


def rename_over(source: Path, target: Path) -> None:
    """Rename a file over another, which Windows refuses while the other one is open."""
    for pause in (0.01, 0.1, 0.5) if WINDOWS else ():
        with suppress(PermissionError):
            source.replace(target)
            return
        time.sleep(pause)
    source.replace(target)


def sync_folder(path: Path) -> None:
    """Wait until the names in a folder are on the disk, if the file system supports it."""
    if WINDOWS:
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
    """Memory in bytes that reading one file may take; taken before anything is unpacked.

    What does not suffice is an error of a type, with advice on what lifts the limit, and with the
    name of the file where nothing else puts it before the message.
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
        """Read an open file to its end, bytes or text, as far as the budget goes."""
        pieces: list[Any] = []
        while piece := file.read(min(_PIECE, self.left + 1)):
            if not isinstance(piece, bytes | bytearray | memoryview | str):
                raise TypeError(f"{what}: read() gave a {type(piece).__name__}, not bytes")
            self.take(len(piece), what)
            pieces.append(piece)
        return "".join(pieces) if pieces and isinstance(pieces[0], str) else b"".join(pieces)


def checked_limit(max_bytes: Any) -> int:
    """Return `max_bytes`; raise an error unless it is a positive integer."""
    if isinstance(max_bytes, bool) or not isinstance(max_bytes, int):
        text = f"max_bytes={max_bytes!r}; expected a number of bytes, such as 4 * 2**30"
        raise ArgumentError(text, argument="max_bytes")
    if max_bytes < 1:
        text = f"max_bytes={max_bytes!r}; expected a positive number of bytes"
        raise ProfileError(text, argument="max_bytes")
    return max_bytes


def read_plain(path: Path) -> bytes:
    """Read a regular file of at most 1 GiB, which may be all holes: see :func:`descriptor_of`."""
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

    A link, a pipe or a device is an `OSError`: an entry of a folder from elsewhere must neither
    lead out of it nor block the reader.
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
    status = path.lstat()
    if stat.S_ISREG(status.st_mode):
        raise NotADirectoryError(errno.ENOTDIR, f"{path.name} is a file")
    _refuse_unless(stat.S_ISDIR, status, path, "folder")


def check_file(path: Path) -> None:
    """Raise an `OSError` if a path is not a regular file itself, such as a link to one."""
    _refuse_unless(stat.S_ISREG, path.lstat(), path, "file")


def _refuse_unless(expected: Any, status: os.stat_result, path: Path, what: str) -> None:
    if not expected(status.st_mode):
        kind = "a link" if stat.S_ISLNK(status.st_mode) else "a pipe or device"
        kind = "a folder" if stat.S_ISDIR(status.st_mode) else kind
        raise OSError(errno.EINVAL, f"{path.name} is {kind}, not a {what}, and is not read")


@contextmanager
def locked(folder: Path) -> Iterator[bool]:
    """Lock a folder against other writers; go on without a lock where there is none to get.

    That is so on Windows and on some file systems, and callers must be safe without. They are given
    whether they have it; the system releases the lock of a process that dies.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        yield False
        return
    try:
        held = _try_lock(descriptor)
        try:
            yield held
        finally:
            # Unlock before closing: a process forked meanwhile has the folder open too.
            if held:
                fcntl.flock(descriptor, fcntl.LOCK_UN)
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    if fcntl is None:
        return False
    end = time.monotonic() + LOCK_PATIENCE
    while time.monotonic() < end:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.002)
        except OSError:
            return False
        else:
            return True
    return False
