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
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sims_analysis import files
from sims_analysis.api.versions import (
    Record,
    check_format,
    commit,
    current_with,
    damaged,
    latest,
    list_versions,
    next_version,
    prepare,
    read_record,
    read_version,
    readable,
)
from sims_analysis.dataset.result import SIMSResult
from sims_analysis.errors import ArchiveError, PayloadError, SimsError
from sims_analysis.profiles.profile import DepthProfile, profiles_of
from sims_analysis.profiles.strict_json import decode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["Archive", "Record"]


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
        if not os.fspath(path):
            # Which pathlib takes for the current folder, and a variable that is not set gives.
            raise ArchiveError("the folder of an archive has a name, found ''; '.' is this folder")
        self.path = Path(path)

    def __repr__(self) -> str:
        return f"Archive({str(self.path)!r})"

    # ---- reading

    def check(self) -> None:
        """Raise an `ArchiveError` unless the folder is an archive that can be read."""
        check_format(self.path)

    def ids(self) -> list[str]:
        """List the data ids, sorted.

        Raises
        ------
        ArchiveError
            If the folder is not an archive, or an entry whose name is coded cannot be read.
        """
        self.check()
        return sorted(
            read_record(versions[-1]).data_id if "~" in folder.name else folder.name
            for folder, versions in self._walk()
        )

    def __iter__(self) -> Iterator[str]:
        return iter(self.ids())

    def __len__(self) -> int:
        return sum(1 for _ in self._walk())

    def __contains__(self, data_id: object) -> bool:
        return isinstance(data_id, str) and bool(list_versions(self.folder(data_id)))

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
        version = self._find(data_id, sha256)
        record, payload = read_version(version)
        try:
            return SIMSResult.from_json(payload, data_id=data_id, provenance=record.provenance)
        except PayloadError as error:
            raise damaged(version, f"the payload breaks the contract ({error})") from None

    def payload(self, data_id: str, *, sha256: str | None = None) -> bytes:
        """Read the bytes of an entry as they were received, verified: see :meth:`get`."""
        return read_version(self._find(data_id, sha256))[1]

    def record(self, data_id: str, *, sha256: str | None = None) -> Record:
        """Read where an entry came from: see :meth:`get`."""
        return read_record(self._find(data_id, sha256))

    def versions(self, data_id: str) -> list[Record]:
        """List every version of an entry, superseded ones first, the current one last."""
        folder = self._find(data_id, None).parent
        return [read_record(version) for version in list_versions(folder)]

    def catalogue(self, data_id: str) -> dict[str, Any] | None:
        """Read the catalogue entry kept with an entry, or None."""
        file = self._find(data_id, None).parent / "catalogue.json"
        try:
            entry = decode(file.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, PayloadError) as error:
            raise damaged(file, f"catalogue.json cannot be read ({error})") from None
        if not isinstance(entry, dict) or not isinstance(entry.get("data_id"), str):
            raise damaged(file, "catalogue.json is not a catalogue entry")
        return entry

    def verify(self) -> dict[str, str]:
        """Check every version of every entry.

        Returns
        -------
        dict
            What is damaged and how: ``{"boron-implant/2026...-3f2a9c1d": "the payload ..."}``.
            Empty if all is sound. What an interrupted writer left behind is no damage.
        """
        self.check()
        damage: dict[str, str] = {}
        for folder, versions in self._walk():
            for version in versions:
                try:
                    record, payload = read_version(version)
                    SIMSResult.from_json(payload)
                    self.catalogue(record.data_id)
                except SimsError as error:
                    damage[f"{folder.name}/{version.name}"] = str(error)
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
            When; by default now. A naive time is UTC.
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
        folder = self.folder(data_id)
        result = SIMSResult.from_json(payload, data_id=data_id)
        moment = retrieved or datetime.now(UTC)
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        sha256 = hashlib.sha256(payload).hexdigest()
        record = Record(
            data_id=data_id,
            url=url,
            retrieved=moment.isoformat().replace("+00:00", "Z"),
            sha256=sha256,
            last_updated=latest(profile.last_updated for profile in result.depth_profiles),
        )
        with self._writing():
            kept = current_with(folder, sha256)
            if kept is None:
                commit(next_version(folder, sha256, moment), record, payload)
            if catalogue is not None:
                files.replace_file(folder / "catalogue.json", readable(catalogue))
        return replace(result, provenance=(kept or record).provenance)

    def put_catalogue(self, data_id: str, entry: dict[str, Any]) -> None:
        """Keep what the catalogue says of an archived entry, in place of what it said before."""
        file = self._find(data_id, None).parent / "catalogue.json"
        with self._writing():
            files.replace_file(file, readable(entry))

    def add(
        self,
        source: SIMSResult | DepthProfile | Sequence[DepthProfile] | str | os.PathLike[str],
        *,
        data_id: str | None = None,
        url: str | None = None,
        retrieved: datetime | None = None,
        replace: bool = False,
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
        replace : bool
            Whether other content under an id that is there already becomes its new version (the
            old one is kept). By default that is refused: two measurements may share an id.
        """
        if isinstance(source, str | os.PathLike):
            file = Path(source)
            try:
                payload = file.read_bytes()
            except OSError as error:
                raise ArchiveError(f"cannot read {str(file)!r}: {error.strerror}") from None
            profiles = SIMSResult.from_json(payload).depth_profiles
            url = url or f"file:{file.name}"
        else:
            profiles = profiles_of(source)
            payload = SIMSResult(data_id="", depth_profiles=profiles).to_json()
        if isinstance(source, SIMSResult):
            data_id = data_id or source.data_id
            url = url or source.provenance.get("source")
            if retrieved is None and "retrieved" in source.provenance:
                retrieved = datetime.fromisoformat(source.provenance["retrieved"])
        if not data_id and profiles and profiles[0].data_id is not None:
            data_id = str(profiles[0].data_id)
        if not data_id:
            raise ArchiveError("the profiles carry no data_id; pass data_id=")
        if not replace and data_id in self and self.payload(data_id) != payload:
            raise ArchiveError(
                f"the archive has another measurement under {data_id!r}; pass another data_id, or "
                "replace=True to make this its new version"
            )
        return self.put(data_id, payload, url=url or "profiles in memory", retrieved=retrieved)

    def export(self, ids: str | Iterable[str], path: str | os.PathLike[str]) -> Archive:
        """Copy entries, with their superseded versions, into another archive.

        Each version is verified before it is copied; those that are there already stay.

        Returns
        -------
        Archive
            The other archive.
        """
        other = Archive(path)
        for data_id in [ids] if isinstance(ids, str) else ids:
            folder = self._find(data_id, None).parent
            for version in list_versions(folder):
                record, payload = read_version(version)
                target = other.folder(data_id) / version.name
                if not target.is_dir():
                    with other._writing():
                        commit(target, record, payload)
            catalogue = self.catalogue(data_id)
            if catalogue is not None:
                other.put_catalogue(data_id, catalogue)
        return other

    # ---- inside

    def folders(self) -> list[Path]:
        """List the folders of the entries, sorted by name."""
        entries = self.path / "entries"
        return sorted(entries.iterdir()) if entries.is_dir() else []

    def folder(self, data_id: str) -> Path:
        """Give the folder that an entry has, or would have."""
        if not isinstance(data_id, str) or not data_id:
            raise ArchiveError(f"a data id is text that is not empty, found {data_id!r}")
        try:
            return self.path / "entries" / files.folder_name(data_id)
        except UnicodeEncodeError:
            raise ArchiveError(f"the data id {data_id!r} is not valid Unicode") from None

    def _walk(self) -> Iterator[tuple[Path, list[Path]]]:
        """Walk over the folders of the entries, with their versions."""
        for folder in self.folders():
            versions = list_versions(folder)
            if versions:
                yield folder, versions

    def _find(self, data_id: str, sha256: str | None) -> Path:
        versions = list_versions(self.folder(data_id))
        if not versions:
            self.check()
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

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Make the folder an archive, and tell of the folder if it cannot be written to."""
        try:
            prepare(self.path)
            yield
        except OSError as error:
            where = f"cannot write to the archive {str(self.path)!r}"
            raise ArchiveError(f"{where}: {error.strerror or error}") from None
