"""What is read: a file as its bytes, its text and its lines; and where it comes from.

``sims.read`` is given files, folders, bytes, open files, or addresses that fsspec opens.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import zipfile
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, wraps
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol, TypeAlias, TypeVar
from urllib.parse import unquote

from sims_analysis.errors import (
    ConnectionFailed,
    Parts,
    ProfileWarning,
    ReadError,
    SimsError,
    require,
    warn,
)
from sims_analysis.files import ADDRESS, MAX_BYTES, Budget, shown_path

T = TypeVar("T")

#: Parts of an error about columns that may be meant in several ways.
WHICH_COLUMNS: Parts = {
    "code": "ambiguous_table",
    "argument": "columns",
    "remedy": 'say which columns to read with columns={"B": (axis, values)}',
}
#: Encodings that the bytes alone do not identify.
ENCODINGS = "'shift_jis', 'gb18030', 'big5', 'euc_kr', 'cp1250' or 'cp1251'"

#: Byte order marks of UTF-8 and of UTF-16.
_MARK, _WIDE_MARKS = b"\xef\xbb\xbf", (b"\xff\xfe", b"\xfe\xff")
#: Of a zip file, which an .xlsx is, and of the older compound files, of which an .xls is one.
_ZIP, _XLS = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
#: Memory in bytes of a line next to its letters, and of an entry in the list of a zip file.
_LINE, _ENTRY = 57, 600
#: Every sequence of bytes is the last: they come behind all others.
_WESTERN = ("cp1252", "latin-1")
#: What no Western language writes: of Japanese and Chinese, two bytes make one letter. Two letters
#: with signs stand side by side in some words: concentração, Größe, määrä.
_GARBLED = re.compile(
    r"[\x80-\x9f]|(?!\xe7[\xe1\xe3\xe9-\xf5\xfa]|[\xe4\xf6\xfc]\xdf|([\xe4\xf6])\1)"
    r"[\xa0-\xff\u0100-\u2122]{2}"
    # Quotes and signs within words.
    r"|[\xa7\xb6\u0192\u201d\u2020\u2021][A-Za-z]|\w[\u201a\u201c\u201e]\w"
)


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the user states because the file does not: see :func:`sims_analysis.read`."""

    depth_units: str | None = None
    units: str | Mapping[str, str] | None = None
    species: str | Sequence[str] | None = None
    sheet: str | int | None = None
    columns: Mapping[str, tuple[int | str, int | str]] | None = None
    header_rows: Sequence[int] | None = None
    samples: str | bool | None = None
    decimal: str | None = None
    encoding: str | None = None
    not_measured: Collection[str] = ()
    mz_windows: Mapping[str, tuple[float, float]] | None = None
    number_repeats: bool = False
    allow_truncated: bool = False
    max_bytes: int = MAX_BYTES
    #: What reading one file may still take of these.
    budget: Budget = field(default_factory=Budget, repr=False, compare=False)

    @property
    def states_columns(self) -> bool:
        """Whether the user states which columns to read, or which rows are their headers."""
        return self.columns is not None or self.header_rows is not None

    def truncated(self, message: str) -> None:
        """Refuse a file that ends too early, or warn where the user allows that."""
        if not self.allow_truncated:
            raise ReadError(
                message,
                code="truncated_file",
                argument="allow_truncated",
                remedy="allow_truncated=True reads what is there",
            )
        warn(message, ProfileWarning, code="truncated_file")


@dataclass
class Trace:
    """What a reader has understood so far; it shows how far it came where it fails."""

    #: Name of the format, and version of its reader.
    format: str | None = None
    version: int = 1
    grid: Any = None
    tables: list[Any] = field(default_factory=list)
    #: What functions found of it: recognising a file and reading it look for the same.
    known: dict[object, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Source:
    r"""A file that is read: its bytes, and as a text its lines.

    Parameters
    ----------
    name : str
        Its name, without folders.
    content : bytes
    options : Options
        What the user states because the file does not: the arguments of
        :func:`sims_analysis.read`.
    path : Path, optional
        Where it is on disk.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> source = sims.Source("w7.txt", "Tiefe [µm];B\r\n0;1".encode("utf-16"))
    >>> source.lines, source.start[:5], source.is_text
    (['Tiefe [µm];B', '0;1'], 'Tiefe', True)
    """

    name: str
    content: bytes = field(repr=False)
    options: Options = Options()
    #: Where it is, for libraries that read files only.
    path: Path | None = None
    #: What is understood of it, as far as reading has come: for `explain_read`.
    trace: Trace = field(default_factory=Trace, init=False, repr=False)

    @cached_property
    def sha256(self) -> str:
        """Hash of the bytes."""
        return hashlib.sha256(self.content).hexdigest()

    @cached_property
    def is_text(self) -> bool:
        """Whether the bytes are text: no zeros in them, unless they are UTF-16."""
        return b"\0" not in self.content or self._wide is not None

    @cached_property
    def is_workbook(self) -> bool:
        """Whether it is an .xlsx or an .xls, by its first bytes."""
        if self.is_zip:
            # The list of what is in it stands last: a part of it may be lost.
            return b"xl/workbook.xml" in (self.zipped or self.content)
        return self.content.startswith(_XLS)

    @property
    def is_zip(self) -> bool:
        """Whether it is a zip file."""
        return self.content.startswith(_ZIP)

    @cached_property
    def zipped(self) -> list[bytes]:
        """Names of what is in a zip file; none if it is damaged."""
        self.options.budget.take(_ENTRY * self.content.count(b"PK\x01\x02"), "its list of parts")
        try:
            with zipfile.ZipFile(io.BytesIO(self.content)) as archive:
                return [name.encode() for name in archive.namelist()]
        except (zipfile.BadZipFile, ValueError, OSError):
            return []

    def is_garbled(self, text: str) -> bool:
        """Whether a part of the text is in no Western encoding, and which is unknown."""
        if self.options.encoding or self.is_workbook:
            return False
        western = not self.is_text or self._decoded[1] in _WESTERN
        return western and _GARBLED.search(text) is not None

    @cached_property
    def _wide(self) -> str | None:
        """Name the encoding if it is of two bytes a character."""
        if self.content.startswith(_WIDE_MARKS):
            return "utf-16"
        # Excel and some instruments leave the mark out: then every second byte is zero.
        start = self.content[:4096]
        for encoding, zeros, others in (
            ("utf-16-le", start[1::2], start[::2]),
            ("utf-16-be", start[::2], start[1::2]),
        ):
            if len(start) > 8 and zeros.count(0) > 0.9 * len(zeros) and b"\0" not in others:
                return encoding
        return None

    @cached_property
    def text(self) -> str:
        """The text, line ends made alike; errors as of :attr:`decoded`."""
        if "\r" not in self.decoded:
            return self.decoded
        # Written in text mode twice, lines end in two returns.
        text = self.decoded.replace("\r\r\n", "\n").replace("\r\n", "\n")
        return text.replace("\r", "\n")

    @property
    def decoded(self) -> str:
        """The text as it is, without a byte order mark and the end mark of old systems."""
        return self._decoded[0]

    @cached_property
    def _decoded(self) -> tuple[str, str]:
        """The text, and its encoding."""
        if not self.is_text:
            raise ReadError("the file is binary, not text", code="no_profile")
        stated, content = self.options.encoding, self.content
        codec = stated or self._wide or ("utf-8-sig" if content.startswith(_MARK) else None)
        encodings = [codec] if codec else ["utf-8", *_WESTERN]
        self.options.budget.take(len(content), "its text")
        if len(content) % 2 and encodings[0].startswith("utf-16"):
            self.options.truncated("the file is truncated within a character of two bytes")
            content = content[:-1]
        for encoding in encodings:
            try:
                decoded = content.decode(encoding)
            except (UnicodeDecodeError, LookupError) as error:
                if stated:
                    text = f"encoding={stated!r}: {error}"
                    raise ReadError(text, argument="encoding") from None
            else:
                return decoded.removeprefix("\ufeff").removesuffix("\x1a"), encoding
        raise ReadError(
            "the text is in no known encoding",
            code="unknown_encoding",
            argument="encoding",
            remedy="pass encoding=",
        )

    @cached_property
    def lines(self) -> list[str]:
        """The lines, without their ends."""
        ends = self.text.count("\n")
        self.options.budget.take(len(self.text) + _LINE * ends, f"a text of {ends + 1:,} lines")
        return self.text.split("\n")

    @cached_property
    def start(self) -> str:
        """The first 8,000 characters of a text; empty if the file is not text."""
        return self.text[:8000] if self.is_text else ""


def once_per_source(find: Callable[[Source], T]) -> Callable[[Source], T]:
    """Keep what a function finds of a source, so that reading does not look for it again."""

    @wraps(find)
    def found(source: Source) -> T:
        results: dict[object, T] = source.trace.known
        if find not in results:
            results[find] = find(source)
        return results[find]

    return found


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


def is_several(value: Any) -> bool:
    """Whether it stands for several files: a folder, an address with a wildcard, a collection."""
    if isinstance(value, bytes | bytearray | memoryview) or hasattr(value, "read"):
        return False
    if not isinstance(value, str | os.PathLike):
        return True
    address = os.fspath(value)
    return "*" in shown_path(address) if ADDRESS.match(address) else Path(value).is_dir()


def list_inputs(value: Readable | Iterable[Readable]) -> list[InputFile]:
    """List the files; a folder stands for what is in it."""
    if isinstance(value, bytes | bytearray | memoryview):
        return [InputFile("", "bytes", lambda budget: budget.read(BytesIO(value), "the file"))]
    if hasattr(value, "read"):
        return [_open_file(value)]
    if not isinstance(value, str | os.PathLike):
        return [file for item in value for file in list_inputs(item)]
    if ADDRESS.match(os.fspath(value)):
        return _at_address(os.fspath(value))
    path = Path(value)
    if not path.is_dir():
        return [_on_disk(path)]
    inside = sorted(f for f in path.iterdir() if f.is_file() and f.name[:1] != ".")
    if not inside:
        text = f"there are no files in the folder {str(path)!r}"
        raise ReadError(text, code="empty_input", argument="path")
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

    files = _guarded(address, lambda: fsspec.open_files(address, "rb", expand="*" in where))
    if not files:
        raise FileNotFoundError(f"no such file: {where!r}")
    return [_remote(file, address) for file in files]


def _remote(file: Any, address: str) -> InputFile:
    path = str(file.path)

    def load(budget: Budget) -> Any:
        with file as opened:
            return budget.read(opened, _base(path))

    return InputFile(
        _base(path),
        shown_path(path),
        lambda budget: _guarded(address, lambda: load(budget)),
    )


def _guarded(address: str, action: Callable[[], T]) -> T:
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
        return FileNotFoundError(f"no such file: {where!r}")
    text = unquote(_IN_TEXT.sub(lambda match: shown_path(match[0]), str(cause)))
    kind, words = type(cause).__name__, re.compile(r"[^\W_]+")
    secret = {*words.findall(unquote(address))} - {*words.findall(where)}
    reason = kind if not text or secret & {*words.findall(text)} else text
    is_stated = isinstance(cause, ValueError | TypeError | zipfile.BadZipFile)
    return (ReadError if is_stated else ConnectionFailed)(f"{where} cannot be read: {reason}")
