"""An archive: a folder that keeps every payload as received, and says where it came from.

Layout, format version 1::

    paper-data/
      README.txt                    this layout, for people
      archive.json                  the format version, for programs
      .gitattributes                keeps version control from changing line ends
      entries/
        boron-implant/              one folder an entry
          catalogue.json            its catalogue entry, where known
          20260314T092653.589793Z-3f2a9c1d/
            payload.json            the bytes as received
            record.json             address, time, sha256, last_updated, library version

A version is a folder that is written under a temporary name, brought to the disk, and then
renamed: it appears whole or not at all. Nothing that has appeared is ever written again, so
that writers need no locks and two copies of an archive merge by copying. The version with the
highest name is the current one; the others were superseded and are kept.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import orjson

from sims_analysis._version import __version__
from sims_analysis.api import files
from sims_analysis.errors import ArchiveError, PayloadError, SimsError
from sims_analysis.profiles import DepthProfile, SIMSResult, profiles_of
from sims_analysis.strict_json import decode

__all__ = ["FORMAT_VERSION", "Archive", "Record"]

T = TypeVar("T")

FORMAT_VERSION = 1

_README = """\
An archive of SIMS depth profiles, format version 1, written by the Python library sims-analysis.

entries/ENTRY/VERSION/payload.json  the bytes as they were received: a JSON array, one object a
                                    species, with depths and concentrations and their units
entries/ENTRY/VERSION/record.json   where they came from (url), when (retrieved, UTC), the sha256
                                    of payload.json, when the laboratory last updated them, the
                                    data_id, and the version of the library that wrote them
entries/ENTRY/catalogue.json        what the catalogue says of the entry, where it was asked

ENTRY is the data_id; an id that is no good file name becomes a readable beginning, "~", and a
hash, and stands in full in record.json. VERSION begins with the time it was added: the last by
name is the current one, the others were superseded and are kept. Names that begin with ".tmp-"
were left by an interrupted writer and mean nothing.

`python -m sims_analysis archive verify FOLDER` checks every file; so does `sha256sum`.
"""
# Line ends changed by version control would break every hash.
_GITATTRIBUTES = "entries/** -text\n"
_STAMP = "%Y%m%dT%H%M%S.%fZ"
_ABANDONED_AFTER = 3600.0


@dataclass(frozen=True, kw_only=True)
class Record:
    """What the archive knows of one version of an entry.

    Parameters
    ----------
    data_id : str
        Identifier of the entry.
    url : str
        Where the payload came from: the address that was asked, ``file:NAME``, or a note.
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
    """

    data_id: str
    url: str
    retrieved: str
    sha256: str
    last_updated: str | None = None
    sims_analysis_version: str = __version__
    format_version: int = FORMAT_VERSION

    @property
    def provenance(self) -> dict[str, str]:
        """What a `SIMSResult` read from this version carries on."""
        return {"source": self.url, "retrieved": self.retrieved, "sha256": self.sha256}


class Archive:
    """A folder of payloads as received, verified whenever they are read.

    Making the object touches no file; the folder is made by the first write. Several threads
    and processes may read and write at the same time. A folder that cannot be written to can
    still be read.

    Parameters
    ----------
    path : path-like
        The folder.

    Examples
    --------
    >>> import tempfile
    >>> archive = Archive(tempfile.mkdtemp())
    >>> payload = (b'[{"species_name": "B", "depths": [0, 10], "depth_units": "nm",'
    ...            b' "concentrations": [1e18, 2e18], "concentration_units": "atoms/cm^3"}]')
    >>> archive.put("w1", payload, url="https://api.example/sims/w1")
    <SIMSResult 'w1': B>
    >>> archive.ids()
    ['w1']
    >>> archive.payload("w1") == payload
    True
    >>> archive.verify()
    {}
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._entries = self.path / "entries"

    def __repr__(self) -> str:
        return f"Archive({str(self.path)!r})"

    # ---- reading

    def ids(self) -> list[str]:
        """List the data ids, sorted.

        Raises
        ------
        ArchiveError
            If the folder is not an archive, or an entry whose name is coded cannot be read.
        """
        self._check_format()
        return sorted(
            self.record_at(versions[-1]).data_id if "~" in folder.name else folder.name
            for folder, versions in self._folders()
        )

    def __iter__(self) -> Iterator[str]:
        return iter(self.ids())

    def __len__(self) -> int:
        return sum(1 for _ in self._folders())

    def __contains__(self, data_id: object) -> bool:
        return isinstance(data_id, str) and bool(self._versions(self._folder(data_id)))

    def get(self, data_id: str, *, sha256: str | None = None) -> SIMSResult:
        """Read an entry, verified.

        Parameters
        ----------
        data_id : str
            Identifier of the entry.
        sha256 : str, optional
            The version whose payload has this hash (its first 8 digits are enough); by default
            the current one.

        Raises
        ------
        ArchiveError
            If the entry is not there or is damaged; the message names it.
        """
        record, payload = self._read(data_id, sha256)
        try:
            return SIMSResult.from_json(payload, data_id=data_id, provenance=record.provenance)
        except PayloadError as error:
            raise self._damaged(data_id, f"the payload breaks the contract ({error})") from None

    def payload(self, data_id: str, *, sha256: str | None = None) -> bytes:
        """Read the bytes of an entry as they were received, verified: see :meth:`get`."""
        return self._read(data_id, sha256)[1]

    def record(self, data_id: str, *, sha256: str | None = None) -> Record:
        """Read where an entry came from: see :meth:`get`."""
        return self.record_at(self._find(data_id, sha256))

    def versions(self, data_id: str) -> list[Record]:
        """List every version of an entry, superseded ones first, the current one last."""
        self._find(data_id, None)
        return [self.record_at(version) for version in self._versions(self._folder(data_id))]

    def catalogue(self, data_id: str) -> dict[str, Any] | None:
        """Read the catalogue entry kept with an entry, or None."""
        file = self._folder(data_id) / "catalogue.json"
        try:
            entry = decode(file.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, PayloadError) as error:
            raise self._damaged(data_id, f"catalogue.json cannot be read ({error})") from None
        if not isinstance(entry, dict) or not isinstance(entry.get("data_id"), str):
            raise self._damaged(data_id, "catalogue.json is not a catalogue entry")
        return entry

    def verify(self) -> dict[str, str]:
        """Check every version of every entry.

        Returns
        -------
        dict
            What is damaged and how: ``{"boron-implant/2026...-3f2a9c1d": "the payload ..."}``.
            Empty if all is sound. What an interrupted writer left behind is no damage.
        """
        self._check_format()
        damage: dict[str, str] = {}
        for folder, versions in self._folders():
            for version in versions:
                try:
                    record, payload = self._read_version(version)
                    if folder.name != files.folder_name(record.data_id):
                        raise ArchiveError(f"record.json names another entry, {record.data_id!r}")
                    SIMSResult.from_json(payload)
                except SimsError as error:
                    damage[f"{folder.name}/{version.name}"] = str(error)
            try:
                self.catalogue(self.record_at(versions[-1]).data_id)
            except ArchiveError as error:
                damage.setdefault(f"{folder.name}/{versions[-1].name}", str(error))
        return damage

    # ---- writing

    def put(
        self,
        data_id: str,
        payload: bytes,
        *,
        url: str,
        retrieved: datetime | None = None,
        catalogue: dict[str, Any] | None = None,
    ) -> SIMSResult:
        """Keep a payload as the current version of an entry.

        A payload equal to the current one adds nothing: the record of its first arrival stays.

        Parameters
        ----------
        data_id : str
            Identifier of the entry; any text.
        payload : bytes
            As received; it must keep the wire contract.
        url : str
            Where it came from.
        retrieved : datetime, optional
            When; by default now.
        catalogue : dict, optional
            The catalogue entry, to be kept beside it.

        Returns
        -------
        SIMSResult
            What the payload holds.

        Raises
        ------
        PayloadError
            If the payload breaks the contract; nothing is kept.
        ArchiveError
            If the folder cannot be written to.
        """
        folder = self._folder(data_id)
        result = SIMSResult.from_json(payload, data_id=data_id)
        now = datetime.now(UTC)
        record = Record(
            data_id=data_id,
            url=url,
            retrieved=(retrieved or now).astimezone(UTC).isoformat().replace("+00:00", "Z"),
            sha256=hashlib.sha256(payload).hexdigest(),
            last_updated=_latest(profile.last_updated for profile in result.depth_profiles),
        )

        def write() -> Record:
            self._prepare()
            kept = self._current(folder, record.sha256)
            if kept is None:
                self._add_version(folder, record, payload, now)
            if catalogue is not None:
                files.replace_file(folder / "catalogue.json", _readable(catalogue))
            return kept or record

        provenance = self._writing(write).provenance
        return SIMSResult(
            data_id=data_id, depth_profiles=result.depth_profiles, provenance=provenance
        )

    def put_catalogue(self, data_id: str, entry: dict[str, Any]) -> None:
        """Keep what the catalogue says of an archived entry, in place of what it said before."""
        file = self._find(data_id, None).parent / "catalogue.json"
        self._writing(lambda: files.replace_file(file, _readable(entry)))

    def add(
        self,
        source: SIMSResult | DepthProfile | Sequence[DepthProfile] | str | os.PathLike[str],
        *,
        data_id: str | None = None,
        url: str | None = None,
        retrieved: datetime | None = None,
    ) -> SIMSResult:
        """Archive profiles at hand, or a JSON file as the API sends it.

        Parameters
        ----------
        source : SIMSResult, DepthProfile, sequence of DepthProfile, or path-like
            What to keep. The bytes of a file are kept as they are.
        data_id : str, optional
            By default the one that the profiles carry.
        url : str, optional
            Where they came from; by default what the result knows, or ``file:NAME``.
        retrieved : datetime, optional
            When; by default what the result knows, or now.
        """
        if isinstance(source, str | os.PathLike):
            file = Path(source)
            try:
                payload = file.read_bytes()
            except OSError as error:
                raise ArchiveError(f"cannot read {file.name}: {error.strerror}") from None
            result = SIMSResult.from_json(payload)
            url = url or f"file:{file.name}"
        else:
            profiles = profiles_of(source)
            known = source if isinstance(source, SIMSResult) else None
            result = known or SIMSResult(
                data_id=str(profiles[0].data_id or "") if profiles else "", depth_profiles=profiles
            )
            payload = result.to_json()
            url = url or result.provenance.get("source", "profiles in memory")
            if retrieved is None and "retrieved" in result.provenance:
                retrieved = datetime.fromisoformat(result.provenance["retrieved"])
        data_id = data_id or result.data_id
        if not data_id or data_id == "None":
            raise ArchiveError("the profiles carry no data_id; pass data_id=")
        return self.put(data_id, payload, url=url, retrieved=retrieved)

    def export(self, ids: Iterable[str], path: str | os.PathLike[str]) -> Archive:
        """Copy entries, with their superseded versions, into another archive.

        Each is verified before it is copied. Versions that are there already stay.

        Returns
        -------
        Archive
            The other archive.
        """
        other = Archive(path)
        for data_id in [ids] if isinstance(ids, str) else ids:
            self._find(data_id, None)
            folder = other._folder(data_id)
            for version in self._versions(self._folder(data_id)):
                record, payload = self._read_version(version)
                target = folder / version.name
                other._writing(lambda t=target, r=record, p=payload: other._commit(t, r, p))
            catalogue = self.catalogue(data_id)
            if catalogue is not None:
                other.put_catalogue(data_id, catalogue)
        return other

    # ---- inside

    def _folder(self, data_id: str) -> Path:
        if not isinstance(data_id, str) or not data_id:
            raise ArchiveError(f"a data id is text that is not empty, found {data_id!r}")
        try:
            return self._entries / files.folder_name(data_id)
        except UnicodeEncodeError:
            raise ArchiveError(f"the data id {data_id!r} is not valid Unicode") from None

    def _folders(self) -> Iterator[tuple[Path, list[Path]]]:
        """Walk over the folders of the entries, with their versions."""
        if not self._entries.is_dir():
            return
        for folder in sorted(self._entries.iterdir()):
            versions = self._versions(folder)
            if versions:
                yield folder, versions

    @staticmethod
    def _versions(folder: Path) -> list[Path]:
        """List the folders of the versions of an entry, the current one last."""
        try:
            names = sorted(os.listdir(folder))
        except (FileNotFoundError, NotADirectoryError):
            return []
        # A version begins with the year; nothing else in the folder does.
        return [folder / name for name in names if name[:1].isdigit()]

    def _find(self, data_id: str, sha256: str | None) -> Path:
        versions = self._versions(self._folder(data_id))
        if not versions:
            self._check_format()
            raise ArchiveError(
                f"data entry {data_id!r} is not in the archive {self.path.name!r}; "
                "fetch it once with a client that has this archive and is not offline"
            )
        if sha256 is None:
            return versions[-1]
        for version in reversed(versions):
            if version.name.endswith("-" + sha256[:8]):
                return version
        raise ArchiveError(f"data entry {data_id!r} has no version with sha256 {sha256}")

    def _read(self, data_id: str, sha256: str | None) -> tuple[Record, bytes]:
        record, payload = self._read_version(self._find(data_id, sha256))
        if record.data_id != data_id:
            raise self._damaged(data_id, f"record.json names another entry, {record.data_id!r}")
        return record, payload

    def _read_version(self, version: Path) -> tuple[Record, bytes]:
        record = self.record_at(version)
        try:
            payload = (version / "payload.json").read_bytes()
        except OSError as error:
            reason = f"payload.json cannot be read ({error.strerror})"
            raise self._damaged(record.data_id, reason) from None
        found = hashlib.sha256(payload).hexdigest()
        if found != record.sha256:
            raise self._damaged(
                record.data_id,
                f"payload.json ({len(payload)} bytes) has the sha256 {found[:16]}..., "
                f"its record says {record.sha256[:16]}...",
            )
        return record, payload

    def record_at(self, version: Path) -> Record:
        """Read the record in the folder of a version, and check it."""
        name = version.parent.name
        try:
            fields = decode((version / "record.json").read_bytes())
            if isinstance(fields, dict) and fields.get("format_version", 0) > FORMAT_VERSION:
                raise ArchiveError(_NEWER.format(name, fields["format_version"]))
            known = {key: fields[key] for key in Record.__dataclass_fields__}
            record = Record(**known)
        except OSError as error:
            raise self._damaged(name, f"record.json cannot be read ({error.strerror})") from None
        except (PayloadError, KeyError, TypeError) as error:
            raise self._damaged(name, f"record.json is not a record ({error})") from None
        if not all(isinstance(v, str) for v in (record.data_id, record.url, record.sha256)):
            raise self._damaged(name, "record.json is not a record (data_id, url, sha256)")
        if not version.name.endswith("-" + record.sha256[:8]):
            raise self._damaged(name, "record.json belongs to another version")
        return record

    def _damaged(self, name: str, reason: str) -> ArchiveError:
        return ArchiveError(
            f"data entry {name!r} in the archive {self.path.name!r} is damaged: {reason}; "
            "restore it from a copy, or fetch it again with refresh=True"
        )

    def _check_format(self) -> None:
        """Refuse what is not an archive, or one that this version cannot read."""
        try:
            about = decode((self.path / "archive.json").read_bytes())
            version = about["format_version"]
        except FileNotFoundError:
            raise ArchiveError(f"{str(self.path)!r} is not an archive: no archive.json") from None
        except (OSError, PayloadError, KeyError, TypeError) as error:
            raise ArchiveError(f"archive.json in {str(self.path)!r} is damaged ({error})") from None
        if version != FORMAT_VERSION:
            raise ArchiveError(_NEWER.format(self.path.name, version))

    def _prepare(self) -> None:
        """Make the folder an archive, if it is not one yet."""
        if (self.path / "archive.json").exists():
            return
        self._entries.mkdir(parents=True, exist_ok=True)
        for name, text in (("README.txt", _README), (".gitattributes", _GITATTRIBUTES)):
            if not (self.path / name).exists():
                files.replace_file(self.path / name, text.encode())
        about = {"about": "SIMS depth profiles; see README.txt", "format_version": FORMAT_VERSION}
        files.replace_file(self.path / "archive.json", _readable(about))

    def _current(self, folder: Path, sha256: str) -> Record | None:
        """Give the record of the current version if it is sound and holds this payload."""
        versions = self._versions(folder)
        if not versions or not versions[-1].name.endswith("-" + sha256[:8]):
            return None
        try:
            record, _ = self._read_version(versions[-1])
        except ArchiveError:
            return None
        return record if record.sha256 == sha256 else None

    def _add_version(self, folder: Path, record: Record, payload: bytes, now: datetime) -> None:
        versions = self._versions(folder)
        if versions:
            # Also after a clock that was ahead, the version added last is the current one.
            newest = datetime.strptime(versions[-1].name.rpartition("-")[0], _STAMP)
            now = max(now, newest.replace(tzinfo=UTC) + timedelta(microseconds=1))
        self._commit(folder / f"{now.strftime(_STAMP)}-{record.sha256[:8]}", record, payload)

    def _commit(self, target: Path, record: Record, payload: bytes) -> None:
        """Let a version appear, whole and on the disk."""
        self._prepare()
        folder = target.parent
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        temporary = folder / files.temporary_name()
        temporary.mkdir()
        try:
            files.write_durably(temporary / "payload.json", payload)
            files.write_durably(temporary / "record.json", _readable(asdict(record)))
            files.sync_folder(temporary)
            temporary.rename(target)
        except BaseException as error:
            shutil.rmtree(temporary, ignore_errors=True)
            # Another writer has just added the same bytes.
            if not (isinstance(error, OSError) and target.is_dir()):
                raise
        files.sync_folder(folder)
        files.sync_folder(folder.parent)

    def _writing(self, write: Callable[[], T]) -> T:
        try:
            return write()
        except OSError as error:
            raise ArchiveError(
                f"cannot write to the archive {str(self.path)!r}: {error.strerror}"
            ) from None


_NEWER = (
    "{!r} was written in format version {} of the archive, this version of sims-analysis reads "
    f"{FORMAT_VERSION}; update sims-analysis"
)


def _sweep(folder: Path) -> None:
    """Remove what writers that were killed left behind, long after they can be at work."""
    for name in os.listdir(folder):
        path = folder / name
        if name.startswith(files.TEMPORARY):
            try:
                abandoned = time.time() - path.stat().st_mtime > _ABANDONED_AFTER
            except OSError:
                continue
            if abandoned:
                shutil.rmtree(path, ignore_errors=True)
                path.unlink(missing_ok=True)


def _readable(value: object) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _latest(times: Iterable[str | None]) -> str | None:
    """Give the latest of ISO 8601 times, as written; a naive one is UTC."""
    known = {}
    for text in times:
        try:
            moment = datetime.fromisoformat(text or "")
        except ValueError:
            continue
        known[moment if moment.tzinfo else moment.replace(tzinfo=UTC)] = text
    return known[max(known)] if known else None
