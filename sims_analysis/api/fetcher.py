"""Requests of the client to the API, and the archiving of responses."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from sims_analysis.api.archive import Archive
from sims_analysis.api.catalogue import Catalogue, CatalogueEntry
from sims_analysis.api.endpoint import DEFAULT_ENDPOINT, Endpoint
from sims_analysis.api.parallel import each
from sims_analysis.api.requests import Batch, Options, Request
from sims_analysis.api.secret import Secret
from sims_analysis.api.versions import canonical
from sims_analysis.dataset.result import SIMSResult, stated_id
from sims_analysis.errors import ApiError, ArchiveError, PayloadError, SimsError, about
from sims_analysis.profiles.profile import DepthProfile
from sims_analysis.profiles.strict_json import decode
from sims_analysis.text.progress import progress

if TYPE_CHECKING:
    from sims_analysis.api.http import Http, Reply

T = TypeVar("T")

#: So many ids fit into the address of one request.
_IDS_PER_REQUEST = 100


class Fetcher:
    """Requests of the API, several at a time, whose responses are archived.

    Libraries are imported and connections opened at the first request, and never when offline.
    """

    def __init__(
        self, endpoint: Endpoint, key: Secret, archive: Archive | None, options: Options
    ) -> None:
        self._endpoint = endpoint
        self._key = key
        self.archive = archive
        self.options = options
        # By process: two on one connection would read each other's answers after a fork.
        self._http: dict[int, Http] = {}
        self._closed = False
        # Catalogue entries of searches, to be archived with payloads that are fetched later.
        self._seen: dict[str, dict[str, Any]] = {}

    def close(self) -> None:
        """Close the connections; no request follows."""
        self._closed = True
        if http := self._http.pop(os.getpid(), None):
            http.close()

    def profiles(
        self, ids: Sequence[str], *, refresh: bool = False
    ) -> Generator[tuple[str, SIMSResult | SimsError], None, None]:
        """Fetch entries, each as it arrives, or its error; those without data come last."""
        batch = Batch(self.options.deadline)
        empty: dict[str, SIMSResult] = {}
        fetch = partial(self._fetch, refresh=refresh)
        fetching = each(fetch, ids, width=self.options.max_connections, batch=batch)
        # Closed at once when interrupted: a traceback that is kept would keep it alive.
        with progress(len(ids), self.options.progress) as step, closing(fetching) as fetched:
            for data_id, outcome in fetched:
                step()
                if isinstance(outcome, SIMSResult) and not outcome.species:
                    empty[data_id] = outcome
                else:
                    yield data_id, outcome
        status = self._pipeline_status(list(empty))
        for data_id, result in empty.items():
            extra = {"pipeline_status": status[data_id]} if data_id in status else {}
            yield data_id, replace(result, provenance=result.provenance | extra)

    def _fetch(self, data_id: str, batch: Batch, *, refresh: bool) -> SIMSResult:
        url = self._endpoint.address("sims", data_id)
        archived, validators = self._archived(data_id, url) if refresh else (None, {})

        def read(reply: Reply) -> SIMSResult:
            if reply.unchanged and archived is not None:
                return archived
            return self._receive(data_id, url, reply, batch)

        with about(where={"data_id": data_id}):
            return self._request(url, f"data entry {data_id!r}", read, batch, validators)

    def _request(
        self,
        url: str,
        what: str,
        read: Callable[[Reply], T],
        batch: Batch | None = None,
        validators: Mapping[str, str] | None = None,
    ) -> T:
        if self.options.offline:
            raise ApiError(
                "the client is offline",
                code="offline",
                argument="offline",
                remedy="make one without offline=True to ask the API",
            )
        if self._closed:
            raise ApiError("the client is closed; make a new one", code="closed")
        batch = batch or Batch(self.options.deadline)
        http = self._http.get(os.getpid()) or self._http.setdefault(os.getpid(), self._connect())
        return http.get(Request(url, what, batch, validators), read)

    def _connect(self) -> Http:
        if not self._key and self._endpoint.root == DEFAULT_ENDPOINT:
            raise ApiError(
                "no API key",
                code="missing_key",
                argument="api_key",
                remedy="pass api_key=, or set AS_API_KEY",
            )
        from sims_analysis.api.http import Http

        return Http(self._endpoint, self._key, self.options)

    def _archived(self, data_id: str, url: str) -> tuple[SIMSResult | None, dict[str, str]]:
        """Return the archived result of an address, if it is sound, and its validators."""
        if self.archive is not None:
            with suppress(ArchiveError):
                result, record = self.archive.get(data_id), self.archive.record(data_id)
                if result.species and record.url == url:
                    return result, record.validators
        return None, {}

    def _receive(self, data_id: str, url: str, reply: Reply, batch: Batch) -> SIMSResult:
        """Read a response, and archive it if it holds data of the requested entry."""
        payload = reply.body
        provenance = {
            "source": url,
            "retrieved": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
            "sha256": hashlib.sha256(payload).hexdigest(),
        }
        result = SIMSResult.from_json(payload, data_id=data_id, provenance=provenance)
        for i, profile in enumerate(result.depth_profiles):
            _refuse_other(profile, data_id, f"$[{i}]")
        # An entry whose processing is not finished is empty as well: to keep that would hide the
        # data that come later.
        if self.archive is not None and result.species:
            try:
                return self.archive.keep(
                    data_id,
                    result,
                    payload,
                    catalogue=self._seen.get(data_id),
                    etag=reply.etag,
                    last_modified=reply.last_modified,
                )
            except ArchiveError as error:
                text = f"what is received is not archived: {error}"
                batch.warn_once("keeping", text, code=error.code, where=error.where)
        return result

    def _pipeline_status(self, ids: Sequence[str]) -> dict[str, str]:
        """Ask the catalogue why entries are empty; if it fails, return nothing."""
        try:
            statuses = {canonical(e.data_id): e.pipeline_status for e in self.entries(ids)}
        except SimsError:
            return {}
        return {i: statuses.get(i, "not in the catalogue") or "unknown" for i in ids}

    def species(self, data_id: str, species: str) -> DepthProfile | None:
        """Fetch the profile of one species."""
        url = self._endpoint.address("sims", data_id, "species", species)
        subject = f"species {species!r} of data entry {data_id!r}"

        def read(reply: Reply) -> DepthProfile | None:
            wire = decode(reply.body)
            if wire is None:
                return None
            profile = DepthProfile.from_dict(wire)
            _refuse_other(profile, data_id, "$", species)
            return profile

        with about(where={"data_id": data_id, "species": species}):
            return self._request(url, subject, read)

    def catalogue(self, query: Iterable[tuple[str, str]], what: str) -> Catalogue:
        """Ask the catalogue; its entries of archived data are archived."""
        # The reference has a slash at the end of this path.
        url = self._endpoint.address("data_entries", "", query=query)
        entries = self._request(url, what, lambda reply: Catalogue.from_json(reply.body))
        if (archive := self.archive) is None:
            return entries
        batch = Batch()
        for entry in entries:
            wire = entry.to_dict()
            self._seen[canonical(entry.data_id)] = wire
            try:
                if entry.data_id in archive:
                    archive.put_catalogue(entry.data_id, wire)
            except ArchiveError as error:
                text = f"the catalogue entries are not archived: {error}"
                batch.warn_once("keeping", text, code=error.code, where=error.where)
        return entries

    def entries(self, ids: Sequence[str]) -> Catalogue:
        """Fetch the catalogue entries of ids, in their order; unknown ones are left out."""
        by_id: dict[str, CatalogueEntry] = {}
        for start in range(0, len(ids), _IDS_PER_REQUEST):
            batch = ids[start : start + _IDS_PER_REQUEST]
            query = [("data_ids", data_id) for data_id in batch]
            query.append(("include_organization_data", "True"))
            subject = f"catalogue entry {batch[0]!r} and {len(batch) - 1} more"
            by_id.update((canonical(e.data_id), e) for e in self.catalogue(query, subject))
        return Catalogue(by_id[data_id] for data_id in ids if data_id in by_id)


def _refuse_other(
    profile: DepthProfile, data_id: str, path: str, species: str | None = None
) -> None:
    """Raise if a profile is of another entry, or of another species."""
    message = f"data entry {data_id!r} was requested, the response is that of {profile.data_id!r}"
    if canonical(stated_id([profile]) or data_id) != data_id:
        raise PayloadError(message, f"{path}.data_id")
    message = f"species {species!r} was requested, the response is that of {profile.species_name!r}"
    if species not in {None, profile.species_name}:
        raise PayloadError(message, f"{path}.species_name")
