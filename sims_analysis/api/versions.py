"""One version of an archived entry: a folder that appears whole or not at all."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from sims_analysis import files
from sims_analysis._version import __version__
from sims_analysis.errors import ArchiveError, PayloadError
from sims_analysis.profiles.strict_json import decode
from sims_analysis.profiles.wire import json_type
from sims_analysis.text.times import moment_of

FORMAT_VERSION = 1
#: The files of a version, and one that stands beside the versions of an entry.
PAYLOAD, RECORD, CATALOGUE = "payload.json", "record.json", "catalogue.json"

_README = Path(__file__).parent / "archive_readme.txt"
# Line ends changed by version control would break every hash.
_GITATTRIBUTES = b"entries/** -text\n"
# Some ways of copying change case.
_VERSION = re.compile(r"[0-9]{8}T[0-9]{6}\.[0-9]{6}Z-[0-9a-f]{8}", re.IGNORECASE)
#: A UUID with hyphens or without, in braces or not.
_UUID = re.compile(r"(\{)?[0-9a-f]{8}(-?)(?:[0-9a-f]{4}\2){3}[0-9a-f]{12}(?(1)\})", re.IGNORECASE)
_VALIDATOR = re.compile(r"[\x20-\x7e]{1,1000}")
_ABANDONED_AFTER = 3600.0


@dataclass(frozen=True, kw_only=True)
class Record:
    """What the archive knows of one version of an entry.

    Parameters
    ----------
    data_id : str
        Identifier of the entry.
    url : str
        Where the payload came from: the address, ``file:NAME``, or a note.
    retrieved : str
        When, ISO 8601 in UTC.
    sha256 : str
        Hash of the payload.
    last_updated : str or None
        The latest ``last_updated`` of the profiles, as delivered.
    sims_analysis_version : str
        Version of the library that wrote the record.
    format_version : int
        Version of the archive's layout.
    etag, last_modified : str or None
        The server's validators of this payload, where it sent any.
    """

    data_id: str
    url: str
    retrieved: str
    sha256: str
    last_updated: str | None = None
    sims_analysis_version: str = __version__
    format_version: int = FORMAT_VERSION
    etag: str | None = None
    last_modified: str | None = None

    @property
    def provenance(self) -> dict[str, str]:
        """The provenance of a `SIMSResult` that is read from this version."""
        return {"source": self.url, "retrieved": self.retrieved, "sha256": self.sha256}

    @property
    def validators(self) -> dict[str, str]:
        """The headers of a request that is answered with 304 if nothing has changed."""
        headers = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: text for name, text in headers.items() if text}

    def to_dict(self) -> dict[str, object]:
        """Return the object of record.json."""
        fields = asdict(self)
        return {k: v for k, v in fields.items() if v is not None or k not in _OPTIONAL}


_OPTIONAL = ("etag", "last_modified")
#: The fields of every record, with their types.
_EXPECTED: dict[str, tuple[Any, str]] = {
    **dict.fromkeys(("data_id", "url", "retrieved", "sha256"), (str, "a string")),
    "last_updated": (str | None, "a string or null"),
    "sims_analysis_version": (str, "a string"),
    "format_version": (int, "a whole number"),
}


def canonical(data_id: str) -> str:
    """Spell a data id as the archive does: a UUID in small letters, with hyphens, no braces."""
    return str(uuid.UUID(data_id)) if _UUID.fullmatch(data_id) else data_id


def is_of(folder: Path, data_id: object) -> bool:
    """Whether a folder is that of an entry."""
    return isinstance(data_id, str) and folder.name.lower() == files.folder_name(canonical(data_id))


def catalogue_json(folder: Path, entry: dict[str, Any]) -> bytes:
    """Return the catalogue entry of the data entry in a folder, as it is stored."""
    if not is_of(folder, entry.get("data_id")):
        other = entry.get("data_id")
        text = f"a catalogue entry of {other!r} is not kept with {folder.name!r}"
        raise ArchiveError(text, code="other_measurement", where={"data_id": other})
    return readable(entry)


def validator(text: object) -> str | None:
    """Return a text that can be sent as a header, or None."""
    return text if isinstance(text, str) and _VALIDATOR.fullmatch(text) else None


def list_folder(what: str, *folders: Path) -> list[Path]:
    """List the last of nested folders, none of them a link; an absent one is empty."""
    try:
        for folder in folders:
            files.check_folder(folder)
        return list(folders[-1].iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise ArchiveError(f"{what} cannot be read: {error.strerror or error}") from None


def list_versions(folder: Path) -> list[Path]:
    """List the versions in the folder of an entry, the current one last."""
    subject = f"data entry {folder.name!r} in the archive {folder.parent.parent.name!r}"
    paths = list_folder(subject, folder.parent, folder)
    versions = [path for path in paths if _VERSION.fullmatch(path.name)]
    return sorted(versions, key=lambda path: path.name.upper())


def read_record(version: Path) -> Record:
    """Read where a version came from, and check that it is a record of this version."""
    try:
        with _readable(version, RECORD):
            files.check_folder(version)
            content = files.read_plain(version / RECORD)
        record = _as_record(version, decode(content))
    except PayloadError as error:
        raise damaged(version, f"record.json is not a record ({error})") from None
    if not is_of(version.parent, record.data_id):
        raise damaged(version, f"record.json names another entry, {record.data_id!r}")
    if not version.name.lower().endswith("-" + record.sha256[:8]):
        raise damaged(version, "record.json belongs to another version")
    return record


def _as_record(version: Path, wire: Any) -> Record:
    """Check each field of a decoded record.json."""
    if not isinstance(wire, dict):
        raise PayloadError(f"expected an object, found {json_type(wire)}")
    number = wire.get("format_version")
    if isinstance(number, int | float) and number > FORMAT_VERSION:
        raise _newer(version.parent.name, number)
    for name, (kind, expected) in _EXPECTED.items():
        if name not in wire or not isinstance(wire[name], kind):
            actual = json_type(wire[name]) if name in wire else "no such field"
            raise PayloadError(f"expected {expected}, found {actual}", f"$.{name}")
    if not moment_of(wire["retrieved"]):
        text = wire["retrieved"]
        raise PayloadError(f"expected a time in ISO 8601, found {text!r}", "$.retrieved")
    validators: dict[str, Any] = {name: validator(wire.get(name)) for name in _OPTIONAL}
    return Record(**{name: wire[name] for name in _EXPECTED}, **validators)


def read_version(version: Path) -> tuple[Record, bytes]:
    """Read the record and the payload of a version."""
    record = read_record(version)
    return record, read_payload(version, record)


def read_payload(version: Path, record: Record) -> bytes:
    """Read the payload of a version, and check it against the record."""
    with _readable(version, PAYLOAD):
        payload = files.read_plain(version / PAYLOAD)
    digest = hashlib.sha256(payload).hexdigest()
    if digest != record.sha256:
        raise damaged(
            version,
            f"payload.json ({len(payload)} bytes) has the sha256 {digest[:16]}..., "
            f"its record says {record.sha256[:16]}...",
        )
    return payload


@contextmanager
def _readable(version: Path, name: str) -> Iterator[None]:
    """Name the file of a version that cannot be read."""
    try:
        yield
    except OSError as error:
        raise damaged(version, f"{name} cannot be read ({error.strerror})") from None


def contents_of(record: Record, payload: bytes, catalogue: bytes | None) -> dict[str, bytes]:
    """Return the files of a version, and its catalogue entry, by name."""
    contents = {PAYLOAD: payload, RECORD: readable(record.to_dict())}
    return contents if catalogue is None else contents | {CATALOGUE: catalogue}


def append(folder: Path, record: Record, contents: dict[str, bytes], *, supersede: bool) -> Record:
    """Add a version to an entry, and its catalogue entry; return the record of the current version.

    The existing one stays if it holds this payload and is sound. Unless this may `supersede`
    another payload, that is refused, also while others write at the same time.
    """
    _make_folder(folder)
    with files.locked(folder):
        versions = list_versions(folder)
        current = None
        if versions and versions[-1].name.lower().endswith(f"-{record.sha256[:8]}"):
            with suppress(ArchiveError):
                current, _ = read_version(versions[-1])
        if current is None or current.sha256 != record.sha256:
            if versions and not supersede:
                read_version(versions[-1])  # raises if it is damaged
                raise ArchiveError(
                    f"the archive has another measurement under {record.data_id!r}",
                    code="other_measurement",
                    where={"data_id": record.data_id},
                    remedy="pass another data_id, or replace=True to make this its new version",
                )
            commit(folder, next_version(versions, record), contents)
            current = record
        elif CATALOGUE in contents:
            files.replace_file(folder / CATALOGUE, contents[CATALOGUE])
    # Also of an existing version: it may have been written a moment ago.
    wait_until_stable(folder)
    return current


def next_version(versions: list[Path], record: Record) -> str:
    """Name the version after the current one, even if a clock was ahead when that was added."""
    moment = datetime.fromisoformat(record.retrieved)
    if versions:
        stamp = versions[-1].name.upper().rpartition("-")[0]
        try:
            after = datetime.strptime(stamp, "%Y%m%dT%H%M%S.%f%z") + timedelta(microseconds=1)
        except (ValueError, OverflowError):
            raise damaged(versions[-1], f"{stamp} is not a time that another can follow") from None
        moment = max(moment, after)
    # Not by strftime, which writes the years before 1000 in three digits on some systems.
    stamp = re.sub("[-:]", "", moment.isoformat(timespec="microseconds").removesuffix("+00:00"))
    return f"{stamp}Z-{record.sha256[:8]}"


def commit(folder: Path, name: str, contents: dict[str, bytes]) -> None:
    """Add a complete version of an entry in one step, and its catalogue entry."""
    _make_folder(folder)
    _remove_abandoned(folder)
    temporary = folder / files.temporary_name()
    temporary.mkdir()
    try:
        for file, content in contents.items():
            files.write_durably(temporary / file, content)
        files.sync_folder(temporary)
        if CATALOGUE in contents:
            files.rename_over(temporary / CATALOGUE, folder / CATALOGUE)
        temporary.rename(folder / name)
    except BaseException as error:
        shutil.rmtree(temporary, ignore_errors=True)
        # The target is there if another writer has just added the same bytes.
        if not (isinstance(error, OSError) and (folder / name).is_dir()):
            raise


def _make_folder(folder: Path) -> None:
    """Make the folder of an entry; refuse links, by which an archive would write elsewhere."""
    for path in (folder.parent, folder):
        path.mkdir(parents=True, exist_ok=True)
        files.check_folder(path)


def wait_until_stable(folder: Path) -> None:
    """Wait until the versions of an entry are on the disk."""
    for path in (folder, folder.parent):
        files.sync_folder(path)


def prepare(path: Path) -> None:
    """Make a folder an archive, if it is not one yet."""
    if os.path.lexists(path / "archive.json"):
        check_format(path, strict=False)
        return
    (path / "entries").mkdir(parents=True, exist_ok=True)
    for name, content in (("README.txt", _README.read_bytes()), (".gitattributes", _GITATTRIBUTES)):
        if not (path / name).exists():
            files.replace_file(path / name, content)
    about = {"about": "SIMS depth profiles; see README.txt", "format_version": FORMAT_VERSION}
    files.replace_file(path / "archive.json", readable(about))


def check_format(path: Path, *, strict: bool = True) -> None:
    """Refuse a format that this version cannot read; if strict, a folder that is no archive."""
    try:
        version = decode(files.read_plain(path / "archive.json"))["format_version"]
    except (FileNotFoundError, NotADirectoryError):
        reason = (
            "is not an archive: it has no archive.json; the first entry that is added makes one"
        )
    except (OSError, PayloadError, KeyError, TypeError) as error:
        reason = f"cannot be read: its archive.json is damaged ({error})"
    else:
        if version != FORMAT_VERSION:
            raise _newer(path.name, version)
        return
    if strict:
        raise ArchiveError(f"{str(path)!r} {reason}", code="no_archive")


def _newer(name: str, version: object) -> ArchiveError:
    return ArchiveError(
        f"{name!r} was written in format version {version} of the archive, this version of "
        f"sims-analysis reads {FORMAT_VERSION}; update sims-analysis",
        code="newer_format",
    )


def damaged(version: Path, reason: str) -> ArchiveError:
    """Make the error for a damaged entry, with the reason and the remedy."""
    entry = version.parent
    return ArchiveError(
        f"data entry {entry.name!r} in the archive {entry.parent.parent.name!r} is damaged: "
        f"{reason}",
        code="damaged_entry",
        where={"data_id": entry.name, "version": version.name},
        remedy=f"restore {version.name} from a copy, or fetch the entry again, with refresh",
    )


def readable(value: object) -> bytes:
    """Return indented JSON."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _remove_abandoned(folder: Path) -> None:
    """Remove temporary folders of killed writers, long after any writer can be at work."""
    for path in folder.iterdir():
        if path.name.startswith(files.TEMPORARY):
            with suppress(OSError):
                if time.time() - path.lstat().st_mtime > _ABANDONED_AFTER:
                    shutil.rmtree(path, ignore_errors=True)
                    path.unlink()
