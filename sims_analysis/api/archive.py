"""An archive: a folder that keeps every payload as received, and says where it came from.

Its layout is described in ``archive_readme.txt``, of which every archive has a copy.

A version is a folder that is written under a temporary name, written to the disk, and then
renamed: it appears whole or not at all, whether a process is killed or the power fails, and is
there to stay when the call returns. Nothing that has appeared is ever written again, so that
writers need no locks and two copies of an archive merge by copying. The version with the highest
name is the current one; the others were superseded and are kept.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace as changed
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from sims_analysis import files
from sims_analysis.api.additions import payload_of
from sims_analysis.api.catalogue import Catalogue, Search, as_texts
from sims_analysis.api.index import Index, leave_out, read_catalogue
from sims_analysis.api.versions import (
    CATALOGUE,
    Record,
    append,
    canonical,
    catalogue_json,
    check_format,
    commit,
    contents_of,
    damaged,
    list_folder,
    list_versions,
    prepare,
    read_record,
    read_version,
    readable,
    validator,
    wait_until_stable,
)
from sims_analysis.dataset.result import SIMSResult, stated_id
from sims_analysis.errors import ArchiveError, PayloadError, SimsError
from sims_analysis.profiles.metadata import EntrySummary
from sims_analysis.profiles.profile import DepthProfile
from sims_analysis.text.progress import progress as progress_bar
from sims_analysis.text.times import as_moment, latest

T = TypeVar("T")


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
    >>> import sims_analysis as sims
    >>> archive = sims.Archive(tempfile.mkdtemp())
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
        name = os.fspath(path)
        if not name or "\0" in name:
            # An empty name pathlib takes for the current folder; an unset variable gives it.
            text = f"the folder of an archive cannot be {name!r}; '.' is the current folder"
            raise ArchiveError(text, argument="path")
        self.path = Path(name)
        self._index = Index(self.path)

    def __repr__(self) -> str:
        return f"Archive({str(self.path)!r})"

    # ---- reading

    def ids(self) -> list[str]:
        """List the data ids, sorted.

        An entry that is so damaged that its id is not known is left out with a warning.

        Raises
        ------
        ArchiveError
            If the folder is not an archive.
        """
        self.check()
        return sorted(filter(None, self._index.ids()))

    def __iter__(self) -> Iterator[str]:
        return iter(self.ids())

    def __len__(self) -> int:
        check_format(self.path, strict=False)
        return len(self._index.ids())

    def __contains__(self, data_id: object) -> bool:
        return isinstance(data_id, str) and data_id != "" and bool(self._versions(data_id))

    def get(self, data_id: str, *, sha256: str | None = None) -> SIMSResult:
        """Read an entry, verified.

        Parameters
        ----------
        data_id : str
            Identifier of the entry.
        sha256 : str, optional
            The version whose payload has this hash, or one that begins with these digits (at
            least 8); by default the current one.

        Raises
        ------
        ArchiveError
            If the entry is not there or is damaged; the message names it.
        """
        return _result_of(self._find(data_id, sha256), data_id)

    def find(self, data_id: str) -> SIMSResult | None:
        """Read an entry as :meth:`get` does, or give None if it is not there."""
        versions = self._versions(data_id)
        return _result_of(versions[-1], data_id) if versions else None

    def payload(self, data_id: str, *, sha256: str | None = None) -> bytes:
        """Read the bytes of an entry as they were received, verified: see :meth:`get`."""
        return read_version(self._find(data_id, sha256))[1]

    def record(self, data_id: str, *, sha256: str | None = None) -> Record:
        """Read where an entry came from: see :meth:`get`."""
        return read_record(self._find(data_id, sha256))

    def versions(self, data_id: str) -> list[Record]:
        """List every version of an entry, superseded ones first, the current one last.

        One whose record is damaged is left out with a warning.
        """
        records = []
        for version in list_versions(self._find(data_id).parent):
            try:
                records.append(read_record(version))
            except ArchiveError as error:
                leave_out(version, error)
        return records

    def catalogue(self, data_id: str) -> dict[str, Any] | None:
        """Read the catalogue entry kept with an entry, or None."""
        return read_catalogue(self._find(data_id).parent)

    def search(
        self,
        keywords: str | Iterable[str] = (),
        *,
        species: str | Iterable[str] = (),
        **filters: Any,
    ) -> Catalogue:
        """Search what the archive knows of its entries.

        From 32 entries on, an index of them is kept in the user's cache folder; it may be deleted
        at any time.

        Parameters
        ----------
        keywords : str or iterable of str
            All of them are found in the id, sample, title, notes, dates, status, tags, projects or
            species of an entry, capitals or not.
        species : str or iterable of str
            All of them were measured; names as delivered.
        **filters
            As :meth:`Client.search <sims_analysis.Client.search>` takes them, such as
            ``status="success"``.

        Returns
        -------
        Catalogue
            By data id, or in the order of ``data_ids=``: what the catalogue says of an entry, or
            what its record says. A damaged entry is left out with a warning.

        Examples
        --------
        >>> import sims_analysis as sims
        >>> from sims_analysis.examples.opening import ARCHIVE
        >>> sims.Archive(ARCHIVE).search(species=["B", "P"]).ids
        ['boron-implant']
        """
        self.check()
        return self.entries(Search.of(keywords=keywords, **filters), as_texts(species))

    def entries(
        self, search: Search, species: Sequence[str] = (), *, damaged: bool = False
    ) -> Catalogue:
        """Return the entries that pass a search that has been read; see :meth:`search`.

        If `damaged`, also entries of which only the damage is known.
        """
        check_format(self.path, strict=False)
        if not search.data_ids:
            return Catalogue(self._index.search(search, species, damaged=damaged).values())
        folders = dict.fromkeys(self.folder(canonical(i)).name for i in search.data_ids if i)
        by_folder = self._index.search(search, species, damaged=damaged, folders=folders)
        return Catalogue(by_folder[folder] for folder in folders if folder in by_folder)

    def contents(
        self, words: Iterable[str] = (), most: int | None = None
    ) -> tuple[list[EntrySummary], int]:
        """List entries with every word, damaged ones too, by id, and how many there are."""
        self.check()
        return self._index.contents(list(words), most)

    def verify(self, *, progress: bool | None = None) -> dict[str, str]:
        """Check every version of every entry.

        Parameters
        ----------
        progress : bool, optional
            Show a bar on stderr; by default for many entries on a terminal or in a notebook.

        Returns
        -------
        dict
            What is damaged and how: ``{"boron-implant/2026...-3f2a9c1d": "the payload ..."}``.
            Empty if all is sound. What an interrupted writer left behind is not damage.
        """
        self.check()
        damage: dict[str, str] = {}

        def check(path: Path, read: Callable[[Path], T]) -> T | None:
            try:
                return read(path)
            except SimsError as error:
                damage[path.relative_to(self.path / "entries").as_posix()] = str(error)
                return None

        folders = self.folders()
        with progress_bar(len(folders), progress, "verifying") as step:
            for folder in folders:
                versions = check(folder, list_versions) or []
                for version in versions:
                    check(version, _result_of)
                if versions:
                    check(folder / CATALOGUE, lambda file: read_catalogue(file.parent))
                step()
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
            Where it came from; of an address, login and query are not kept.
        retrieved : datetime, optional
            When; by default now. A naive time is UTC.
        catalogue : dict, optional
            The catalogue entry, to be kept with it.

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
        provenance = _provenance(url, retrieved)
        result = SIMSResult.from_json(payload, data_id=data_id, provenance=provenance)
        return self.keep(data_id, result, payload, catalogue=catalogue)

    def keep(
        self,
        data_id: str,
        result: SIMSResult,
        payload: bytes,
        *,
        catalogue: dict[str, Any] | None = None,
        etag: str | None = None,
        last_modified: str | None = None,
        supersede: bool = True,
    ) -> SIMSResult:
        """Keep a payload that has been read, with the provenance of the result.

        A hash in that is that of the payload. Unless it may `supersede` another payload, that is
        refused.
        """
        folder = self.folder(data_id)
        provenance = result.provenance
        moment = as_moment(provenance.get("retrieved"), "retrieved") or datetime.now(UTC)
        record = Record(
            data_id=canonical(data_id),
            url=files.shown_path(provenance.get("source", "")),
            retrieved=moment.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            sha256=provenance.get("sha256") or hashlib.sha256(payload).hexdigest(),
            last_updated=latest(profile.last_updated for profile in result.depth_profiles),
            etag=validator(etag),
            last_modified=validator(last_modified),
        )
        entry = None if catalogue is None else catalogue_json(folder, catalogue)
        contents = contents_of(record, payload, entry)
        with self._writing():
            stored = append(folder, record, contents, supersede=supersede)
        return changed(result, data_id=record.data_id, provenance=stored.provenance)

    def put_catalogue(self, data_id: str, entry: dict[str, Any]) -> None:
        """Keep what the catalogue says of an archived entry, in place of what it said before."""
        folder = self._find(data_id).parent
        with suppress(ArchiveError):
            if read_catalogue(folder) == entry:
                return
        with self._writing():
            files.replace_file(folder / CATALOGUE, catalogue_json(folder, entry))

    def add(
        self,
        source: SIMSResult | DepthProfile | Sequence[DepthProfile] | str | os.PathLike[str],
        *,
        data_id: str | None = None,
        url: str | None = None,
        retrieved: datetime | None = None,
        replace: bool = False,
        **options: Any,
    ) -> SIMSResult:
        """Archive profiles at hand, or a file of an instrument or laboratory.

        Parameters
        ----------
        source : SIMSResult, DepthProfile, sequence of DepthProfile, or path-like
            What to keep. JSON as the API sends it is kept byte for byte; of other files, what
            :func:`~sims_analysis.read` reads, with the hash of the file.
        data_id : str, optional
            By default the one that the profiles carry, or the name of an instrument's file.
        url : str, optional
            Where they came from; by default what the result knows, or ``file:NAME``.
        retrieved : datetime, optional
            When; by default what the result knows, or now.
        replace : bool
            Whether other content under an id that is there already becomes its new version (the
            old one is kept). By default that is refused: two measurements may share an id; also
            of several writers at a time, where the file system has locks.
        **options
            What a file does not say, such as ``depth_units="nm"``, and the memory that reading it
            may take, ``max_bytes=``: see :func:`~sims_analysis.read`.

        Raises
        ------
        ArchiveError
            If another measurement has this id, a payload is too large, no id is known, or the
            folder cannot be written to.
        ReadError, PayloadError
            If the file cannot be read.
        """
        payload, parsed = payload_of(source, options)
        data_id = data_id or parsed.data_id or stated_id(parsed.depth_profiles)
        if not data_id:
            raise ArchiveError(
                "the profiles have no data_id",
                code="missing_id",
                argument="data_id",
                remedy="pass data_id=",
            )
        result = changed(parsed, provenance=parsed.provenance | _provenance(url, retrieved))
        return self.keep(data_id, result, payload, supersede=replace)

    def export(self, ids: str | Iterable[str], path: str | os.PathLike[str]) -> Archive:
        """Copy entries, with their superseded versions, into another archive.

        Each version is verified before it is copied; those that are there already stay.

        Returns
        -------
        Archive
            The other archive.

        Raises
        ------
        ArchiveError
            If an entry is not there, or is damaged; those before it have been copied.
        """
        other = Archive(path)
        for data_id in [ids] if isinstance(ids, str) else ids:
            folder = self._find(data_id).parent
            entry = read_catalogue(folder)
            catalogue = readable(entry) if entry else None
            target = other.folder(data_id)
            with other._writing():
                for version in list_versions(folder):
                    contents = contents_of(*read_version(version), catalogue)
                    commit(target, version.name, contents)
                wait_until_stable(target)
        return other

    # ---- the folder

    def check(self) -> None:
        """Raise an `ArchiveError` unless the folder is an archive that can be read."""
        check_format(self.path)

    def folders(self) -> list[Path]:
        """List the folders of the entries, sorted by name."""
        check_format(self.path, strict=False)
        return sorted(list_folder(f"the archive {str(self.path)!r}", self.path / "entries"))

    def folder(self, data_id: str) -> Path:
        """Return the folder that an entry has, or would have."""
        if not isinstance(data_id, str) or not data_id:
            text = f"expected a data id as a non-empty string, found {data_id!r}"
            raise ArchiveError(text, argument="data_id")
        try:
            return self.path / "entries" / files.folder_name(canonical(data_id))
        except UnicodeEncodeError:
            text = f"the data id {data_id!r} is not valid Unicode"
            raise ArchiveError(text, argument="data_id") from None

    def _versions(self, data_id: str) -> list[Path]:
        check_format(self.path, strict=False)
        return list_versions(self.folder(data_id))

    def _find(self, data_id: str, sha256: str | None = None) -> Path:
        versions = self._versions(data_id)
        if not versions:
            self.check()
            raise ArchiveError(
                f"data entry {data_id!r} is not in the archive {self.path.name!r}",
                code="not_archived",
                where={"data_id": data_id},
                remedy="fetch it once with a client that has this archive and is not offline",
            )
        if sha256 is None:
            return versions[-1]
        digits = sha256.lower()
        if not re.fullmatch("[0-9a-f]{8,64}", digits):
            raise ArchiveError(
                f"sha256={sha256!r}; expected 8 to 64 hexadecimal digits", argument="sha256"
            )
        matches = (path for path in reversed(versions) if path.name.lower().endswith(digits[:8]))
        for version in matches:
            if read_record(version).sha256.startswith(digits):
                return version
        raise ArchiveError(
            f"data entry {data_id!r} has no version with sha256 {sha256}",
            code="not_archived",
            where={"data_id": data_id},
        )

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Make the folder an archive, and name it if it cannot be written to."""
        try:
            prepare(self.path)
            yield
        except OSError as error:
            where = f"cannot write to the archive {str(self.path)!r}"
            raise ArchiveError(f"{where}: {error.strerror or error}", code="failed_write") from None


def _provenance(url: str | None, retrieved: datetime | None) -> dict[str, str]:
    """Return the provenance that a caller states."""
    moment = as_moment(retrieved, "retrieved")
    stated = {"source": url, "retrieved": moment.isoformat() if moment else None}
    return {key: text for key, text in stated.items() if text}


def _result_of(version: Path, data_id: str = "") -> SIMSResult:
    record, payload = read_version(version)
    provenance = record.provenance
    try:
        return SIMSResult.from_json(payload, data_id=canonical(data_id), provenance=provenance)
    except PayloadError as error:
        raise damaged(version, f"the payload breaks the contract ({error})") from None
