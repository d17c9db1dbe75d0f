"""What ``sims.read`` is given: files, folders, bytes, open files, addresses that fsspec opens."""

from __future__ import annotations

import hashlib
import os
import re
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol, TypeAlias, TypeVar
from urllib.parse import unquote

from sims_analysis.errors import ConnectionFailed, ReadError, SimsError, require
from sims_analysis.files import ADDRESS, Budget, shown_path
from sims_analysis.readers.source import Options, Source

T = TypeVar("T")


class SupportsRead(Protocol):
    """An open file: anything with ``read(size)``."""

    def read(self, size: int = -1, /) -> Any:
        """Return at most so many bytes or characters of what follows; nothing at the end."""


#: One thing to read.
Readable: TypeAlias = "str | os.PathLike[str] | bytes | bytearray | memoryview | SupportsRead"


@dataclass(frozen=True)
class InputFile:
    """One file, which is not read yet."""

    #: Without folders; empty for bytes without a name.
    name: str
    #: As the user gave it, for messages; without passwords and keys.
    where: str
    #: Gives its content, as far as a budget goes: bytes, or of an open file text.
    load: Callable[[Budget], Any]
    #: Where it is on disk.
    path: Path | None = None

    def read(self, options: Options) -> Source:
        """Load the file, once; it has to give bytes or text, and not more than the budget."""
        options = replace(options, budget=Budget(options.max_bytes))
        content = self.load(options.budget)
        if isinstance(content, str):
            content, options = content.encode(), replace(options, encoding="utf-8")
        # Two files without a name are never one measurement.
        name = self.name or f"unnamed-{hashlib.sha256(content).hexdigest()[:12]}"
        return Source(name, content, options, self.path)


def stands_for_several(given: Any) -> bool:
    """Whether it stands for several files: a folder, an address with a wildcard, a collection."""
    if isinstance(given, bytes | bytearray | memoryview) or hasattr(given, "read"):
        return False
    if not isinstance(given, str | os.PathLike):
        return True
    address = os.fspath(given)
    return "*" in shown_path(address) if ADDRESS.match(address) else Path(given).is_dir()


def list_inputs(given: Readable | Iterable[Readable]) -> list[InputFile]:
    """List the files; a folder stands for what is in it."""
    if isinstance(given, bytes | bytearray | memoryview):
        return [InputFile("", "bytes", lambda budget: budget.read(BytesIO(given), "the file"))]
    if hasattr(given, "read"):
        return [_open_file(given)]
    if not isinstance(given, str | os.PathLike):
        return [one for item in given for one in list_inputs(item)]
    if ADDRESS.match(os.fspath(given)):
        return _at_address(os.fspath(given))
    path = Path(given)
    if not path.is_dir():
        return [_on_disk(path)]
    inside = sorted(f for f in path.iterdir() if f.is_file() and f.name[:1] != ".")
    if not inside:
        raise ReadError(f"{path}: there are no files in the folder")
    return list(map(_on_disk, inside))


def _on_disk(path: Path) -> InputFile:
    def load(budget: Budget) -> Any:
        size = path.stat().st_size
        if size > budget.left:
            budget.take(size, path.name)
        with path.open("rb") as file:
            return budget.read(file, path.name)

    return InputFile(path.name, str(path), load, path)


def _open_file(file: Any) -> InputFile:
    stated = next((n for n in (getattr(file, a, None) for a in ("name", "path", "filename"))
                   if isinstance(n, str | os.PathLike)), "")  # fmt: skip
    name = _base(os.fspath(stated))
    where = name or f"a {type(file).__name__} without a name"
    return InputFile(name, where, lambda budget: budget.read(file, name or "the file"))


def _base(stated: str) -> str:
    # What follows a question mark may be a key.
    return re.split(r"[/\\]", re.split("[?#]", shown_path(stated))[0])[-1]


_NOT_FOUND = 404
_IN_TEXT = re.compile(r"[a-z][a-z0-9+.]+:/+[^\s'\"<>]+", re.IGNORECASE)


def _at_address(address: str) -> list[InputFile]:
    where = shown_path(address)
    require(f"{where} needs", "fsspec", extra="remote")
    import fsspec

    files = _tried(address, lambda: fsspec.open_files(address, "rb", expand="*" in where))
    if not files:
        raise FileNotFoundError(f"no such file: {where}")
    return [_remote(file, address) for file in files]


def _remote(file: Any, address: str) -> InputFile:
    path = str(file.path)

    def load(budget: Budget) -> Any:
        with file as opened:
            return budget.read(opened, _base(path))

    return InputFile(
        _base(path), shown_path(path), lambda budget: _tried(address, lambda: load(budget))
    )


def _tried(address: str, action: Callable[[], T]) -> T:
    """Do what may fail at an address: the reason is given, and nothing that is secret in it."""
    try:
        return action()
    except (SimsError, ImportError):
        raise
    except Exception as error:  # noqa: BLE001 - whatever file systems and their packages raise
        failed = _failure(error, address)
    # Out of the handler: the error that was handled holds the whole address.
    raise failed


def _failure(error: Exception, address: str) -> Exception:
    where = shown_path(address)
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    # To fsspec, a server that does not answer is not found either.
    status = getattr(cause, "status", None)
    if isinstance(cause, FileNotFoundError | KeyError) or status == _NOT_FOUND:
        return FileNotFoundError(f"no such file: {where}")
    said = unquote(_IN_TEXT.sub(lambda found: shown_path(found[0]), str(cause)))
    kind, words = type(cause).__name__, re.compile(r"[^\W_]+")
    secret = {*words.findall(unquote(address))} - {*words.findall(where)}
    reason = kind if not said or secret & {*words.findall(said)} else said
    known = isinstance(cause, ValueError | TypeError | zipfile.BadZipFile)
    return (ReadError if known else ConnectionFailed)(f"{where} cannot be read: {reason}")
