"""What the client asks the API for, and what is kept of the answers."""

from __future__ import annotations

import hashlib
import threading
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sims_analysis.api.catalogue import Catalogue, CatalogueEntry
from sims_analysis.api.parallel import Progress, each
from sims_analysis.dataset.result import SIMSResult
from sims_analysis.errors import PayloadError, SimsError
from sims_analysis.profiles.profile import DepthProfile
from sims_analysis.profiles.strict_json import decode

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sims_analysis.api.archive import Archive
    from sims_analysis.api.connection import Connection
    from sims_analysis.api.endpoint import Endpoint

#: Threads beside those that wait for an answer, so that connections need not wait for readers.
_READERS = 2
#: So many ids fit into the address of one request.
_IDS_PER_REQUEST = 100


class Fetcher:
    """Asks the API, several requests at a time, and archives what comes.

    Parameters
    ----------
    endpoint, connection
        Where and how to ask.
    archive : Archive or None
        Where to keep it.
    width : int
        Number of requests at a time.
    progress : bool or None
        As `Progress` takes it.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        connection: Connection,
        archive: Archive | None,
        *,
        width: int,
        progress: bool | None,
    ) -> None:
        self._endpoint = endpoint
        self._connection = connection
        self._archive = archive
        self._width = width
        self._progress = progress
        # Two that read at a time hand the interpreter to and fro at every array, and end later.
        self._reading = threading.Lock()
        # What searches told, to be archived beside the payloads that are fetched after them.
        self._seen: dict[str, dict[str, Any]] = {}

    def profiles(self, ids: Sequence[str]) -> dict[str, SIMSResult | SimsError]:
        """Fetch entries; each is given as a result, or as the error that it met."""
        outcomes: dict[str, SIMSResult | SimsError] = {}
        if len(ids) == 1:
            # In this thread, so that a debugger or an interrupt finds it where it is expected.
            try:
                outcomes[ids[0]] = self._fetch(ids[0])
            except SimsError as error:
                outcomes[ids[0]] = error
        elif ids:
            # Closed at once when interrupted: a traceback that is kept would keep it alive.
            fetching = closing(each(self._fetch, ids, width=self._width + _READERS))
            with Progress(len(ids), self._progress) as progress, fetching as fetched:
                for data_id, outcome in fetched:
                    outcomes[data_id] = outcome
                    progress.step()
        empty = [i for i, o in outcomes.items() if isinstance(o, SIMSResult) and not o.species]
        for data_id, status in self._pipeline_status(empty).items():
            result = outcomes[data_id]
            if isinstance(result, SIMSResult):
                provenance = result.provenance | {"pipeline_status": status}
                outcomes[data_id] = replace(result, provenance=provenance)
        return outcomes

    def _fetch(self, data_id: str, cancelled: threading.Event | None = None) -> SIMSResult:
        url = self._endpoint.address("sims", data_id)

        def read(payload: bytes) -> SIMSResult:
            archive = self._archive
            # An entry whose processing is not finished is empty as well: to keep that would hide
            # the data that come later. Where it supersedes data it is kept.
            empty = b"".join(payload[:64].split()) == b"[]"
            if archive is not None and (not empty or data_id in archive):
                return archive.put(data_id, payload, url=url, catalogue=self._seen.get(data_id))
            provenance = {
                "source": url,
                "retrieved": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
                "sha256": hashlib.sha256(payload).hexdigest(),
            }
            with self._reading:
                return SIMSResult.from_json(payload, data_id=data_id, provenance=provenance)

        return self._connection.get(url, read, f"data entry {data_id!r}", cancelled)

    def _pipeline_status(self, ids: Sequence[str]) -> dict[str, str]:
        """Ask the catalogue why entries are empty; no answer is no reason to fail."""
        if not ids:
            return {}
        try:
            found = {entry.data_id: entry for entry in self.entries(ids)}
        except SimsError:
            return {}
        return {
            data_id: (found[data_id].pipeline_status or "unknown")
            if data_id in found
            else "not in the catalogue"
            for data_id in ids
        }

    def species(self, data_id: str, species: str) -> DepthProfile | None:
        """Fetch the profile of one species."""
        url = self._endpoint.address("sims", data_id, "species", species)
        what = f"species {species!r} of data entry {data_id!r}"
        return self._connection.get(url, _read_species, what)

    def catalogue(self, query: Iterable[tuple[str, str]], what: str) -> Catalogue:
        """Ask the catalogue; what it says of archived entries is archived."""
        # The reference has a slash at the end of this path.
        url = self._endpoint.address("data_entries", "", query=query)
        found = self._connection.get(url, Catalogue.from_json, what)
        archive = self._archive
        if archive is None:
            return found
        for entry in found:
            wire = entry.to_dict()
            self._seen[entry.data_id] = wire
            if entry.data_id in archive and archive.catalogue(entry.data_id) != wire:
                archive.put_catalogue(entry.data_id, wire)
        return found

    def entries(self, ids: Sequence[str]) -> Catalogue:
        """Fetch the catalogue entries of ids, in their order; unknown ones are left out."""
        found: dict[str, CatalogueEntry] = {}
        for start in range(0, len(ids), _IDS_PER_REQUEST):
            batch = ids[start : start + _IDS_PER_REQUEST]
            query = [("data_ids", data_id) for data_id in batch]
            query.append(("include_organization_data", "True"))
            what = f"catalogue entry {batch[0]!r}"
            if len(batch) > 1:
                what += f" and {len(batch) - 1} more"
            found.update((entry.data_id, entry) for entry in self.catalogue(query, what))
        return Catalogue(found[data_id] for data_id in ids if data_id in found)


def _read_species(payload: bytes) -> DepthProfile | None:
    """Read the answer for one species: an object, or null."""
    if decode(payload) is None:
        return None
    # As the only element of an array, so that both requests are checked by the same lines.
    try:
        (profile,) = SIMSResult.from_json(b"[" + payload + b"]").depth_profiles
    except PayloadError as error:
        raise PayloadError(str(error.args[0]), error.path.replace("$[0]", "$", 1)) from None
    return profile
