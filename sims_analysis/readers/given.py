"""What ``sims.read`` is given: files, folders, bytes, open files, addresses that fsspec opens."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from sims_analysis.errors import ReadError, require
from sims_analysis.readers.source import Options, Source

__all__ = ["Given", "Readable", "SupportsRead", "is_several", "list_given"]

#: Larger files are no depth profiles, and would fill the memory.
_MAX_BYTES = 2**31
#: ``s3://bucket/w7.txt``, ``zip://w7.txt::archive.zip``, ``filecache::https://...``.
_ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.]+::)*[a-z][a-z0-9+.]+://", re.IGNORECASE)
_QUERY = re.compile(r"[?#].*", re.DOTALL)


class SupportsRead(Protocol):
    """An open file: anything with ``read()``."""

    def read(self) -> Any:
        """Give the content, bytes or text."""


#: One thing to read.
Readable: TypeAlias = "str | os.PathLike[str] | bytes | bytearray | memoryview | SupportsRead"


@dataclass(frozen=True)
class Given:
    """One file, which is not read yet.

    Parameters
    ----------
    name : str
        Without folders; empty for bytes without a name.
    where : str
        As the user gave it, for messages.
    load : callable
        Gives its content: bytes, or of an open file text that is decoded already.
    path : Path, optional
        Where it is on disk.
    """

    name: str
    where: str
    load: Callable[[], Any]
    path: Path | None = None

    def read(self, options: Options) -> Source:
        """Load the file, once.

        Raises
        ------
        ReadError
            If it is too large.
        TypeError
            If what it gives is neither bytes nor text.
        """
        if self.path is not None and self.path.stat().st_size > _MAX_BYTES:
            raise self._too_large()
        content = self.load()
        if isinstance(content, str):
            content, options = content.encode(), replace(options, encoding="utf-8")
        elif not isinstance(content, bytes | bytearray | memoryview):
            who = self.name or "the file"
            raise TypeError(f"{who}: read() gave a {type(content).__name__}, not bytes")
        if len(content) > _MAX_BYTES:
            raise self._too_large()
        content = bytes(content)
        # Two files without a name are never one measurement.
        name = self.name or f"unnamed-{hashlib.sha256(content).hexdigest()[:12]}"
        return Source(name, content, options, self.path)

    def _too_large(self) -> ReadError:
        return ReadError(f"{self.name}: the file has more than {_MAX_BYTES >> 30} GB")


def is_several(given: Any) -> bool:
    """Whether it stands for several files: a folder, an address with a wildcard, a collection."""
    if isinstance(given, bytes | bytearray | memoryview) or hasattr(given, "read"):
        return False
    if isinstance(given, str) and _ADDRESS.match(given):
        return "*" in given
    return not isinstance(given, str | os.PathLike) or Path(given).is_dir()


def list_given(given: Readable | Iterable[Readable]) -> list[Given]:
    """List the files; a folder stands for what is in it.

    Raises
    ------
    ReadError
        If a folder holds no files, or fsspec does not know what an address means.
    ModuleNotFoundError
        If an address needs a package that is not installed.
    """
    if isinstance(given, bytes | bytearray | memoryview):
        return [Given("", "bytes", lambda: given)]
    if hasattr(given, "read"):
        return [_open_file(given)]
    if isinstance(given, str) and _ADDRESS.match(given):
        return _at_address(given)
    if not isinstance(given, str | os.PathLike):
        return [one for item in given for one in list_given(item)]
    path = Path(given)
    if not path.is_dir():
        return [_on_disk(path)]
    inside = sorted(f for f in path.iterdir() if f.is_file() and f.name[:1] != ".")
    if not inside:
        raise ReadError(f"{path}: there are no files in the folder")
    return list(map(_on_disk, inside))


def _on_disk(path: Path) -> Given:
    return Given(path.name, str(path), path.read_bytes, path)


def _open_file(file: Any) -> Given:
    stated = next((n for n in (getattr(file, a, None) for a in ("name", "path", "filename"))
                   if isinstance(n, str | os.PathLike)), "")  # fmt: skip
    name = _base(os.fspath(stated))
    return Given(name, name or f"a {type(file).__name__} without a name", file.read)


def _at_address(address: str) -> list[Given]:
    require(f"{_QUERY.sub('', address)} needs", "fsspec", extra="remote")
    import fsspec

    try:
        files = fsspec.open_files(address, "rb", expand="*" in address)
    except ValueError as error:
        raise ReadError(f"{_QUERY.sub('', address)}: {error}") from None
    if not files:
        raise FileNotFoundError(f"no such file: {_QUERY.sub('', address)}")
    return [_remote(file) for file in files]


def _remote(file: Any) -> Given:
    def load() -> Any:
        with file as opened:
            return opened.read()

    return Given(_base(str(file.path)), _QUERY.sub("", str(file.path)), load)


def _base(stated: str) -> str:
    # What follows a question mark may be a key.
    return re.split(r"[/\\]", _QUERY.sub("", stated))[-1]
