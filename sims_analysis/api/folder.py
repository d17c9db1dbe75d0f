"""The folder of an archive: where its entries and their versions are."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sims_analysis import files
from sims_analysis.api.versions import (
    canonical,
    check_format,
    list_versions,
    listed,
    prepare,
    read_record,
)
from sims_analysis.errors import ArchiveError


class ArchiveFolder:
    """A folder with the entries of an archive; it is made by the first write."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        name = os.fspath(path)
        if not name or "\0" in name:
            # An empty name pathlib takes for the current folder; an unset variable gives it.
            raise ArchiveError(
                f"the folder of an archive has a name, found {name!r}; '.' is this folder"
            )
        self.path = files.reachable(Path(name))

    def check(self) -> None:
        """Raise an `ArchiveError` unless the folder is an archive that can be read."""
        check_format(self.path)

    def folders(self) -> list[Path]:
        """List the folders of the entries, sorted by name."""
        check_format(self.path, strict=False)
        return sorted(listed(f"the archive {str(self.path)!r}", self.path / "entries"))

    def folder(self, data_id: str) -> Path:
        """Give the folder that an entry has, or would have."""
        if not isinstance(data_id, str) or not data_id:
            raise ArchiveError(f"a data id is text that is not empty, found {data_id!r}")
        entries = self.path / "entries"
        try:
            # In other letters a UUID was another id once.
            names = [files.folder_name(name) for name in (canonical(data_id), data_id)]
        except UnicodeEncodeError:
            raise ArchiveError(f"the data id {data_id!r} is not valid Unicode") from None
        plain, spelled = (entries / name for name in names)
        return spelled if plain != spelled and spelled.exists() and not plain.exists() else plain

    def _versions(self, data_id: str) -> list[Path]:
        check_format(self.path, strict=False)
        return list_versions(self.folder(data_id))

    def _find(self, data_id: str, sha256: str | None) -> Path:
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
        wanted = sha256.lower()
        if not re.fullmatch("[0-9a-f]{8,64}", wanted):
            raise ArchiveError(
                f"sha256={sha256!r}; expected 8 to 64 hexadecimal digits", argument="sha256"
            )
        for version in reversed(versions):
            if version.name.lower().endswith("-" + wanted[:8]) and read_record(
                version
            ).sha256.startswith(wanted):
                return version
        raise ArchiveError(
            f"data entry {data_id!r} has no version with sha256 {sha256}",
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
            raise ArchiveError(f"{where}: {error.strerror or error}") from None
