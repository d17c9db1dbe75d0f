"""The client of the API: profiles and catalogue entries, over the network or from an archive."""

from __future__ import annotations

import copy
import os
import uuid
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from datetime import datetime
from typing import Any, Literal, Self, TypeAlias, overload

from sims_analysis.api.archive import Archive
from sims_analysis.api.catalogue import SIMS, Catalogue, CatalogueEntry, Search
from sims_analysis.api.endpoint import DEFAULT_ENDPOINT, ENDPOINT_VARIABLE, Endpoint, as_ids
from sims_analysis.api.fetcher import Fetcher
from sims_analysis.api.requests import Options
from sims_analysis.api.secret import SHORTEST, Secret
from sims_analysis.dataset.result import SIMSResult
from sims_analysis.errors import (
    ApiError,
    NotFound,
    PartialResultsError,
    SimsError,
    SimsWarning,
    warn,
)
from sims_analysis.profiles.profile import DepthProfile

Ids: TypeAlias = str | uuid.UUID | Iterable[str | uuid.UUID]
Outcomes: TypeAlias = Generator[tuple[str, SIMSResult | SimsError], None, None]


class Client:
    """Fetches SIMS depth profiles by data id; may be shared by threads.

    Parameters
    ----------
    api_key : str, optional
        By default from the environment: ``AS_API_KEY``, or ``ATOMSCALE_API_KEY``. It is sent to
        the endpoint and nowhere else, and shown nowhere. A response that repeats it is refused;
        one of less than 16 characters may be any word, of which it is warned.
    endpoint : str, optional
        By default from ``AS_API_ENDPOINT``, or ``https://api.atomscale.ai/``. A path is kept.
    archive : path-like or Archive, optional
        Entries found there are read from there; others are fetched, and kept there.
    offline : bool
        Never open a connection: what is not in the archive is an error.
    timeout : float
        Seconds without a byte after which an attempt is given up; to connect, 5 s at most for each
        address of a host.
    deadline : float
        Seconds after which an entry is given up, with all its attempts and waits. It is looked at
        whenever a piece of a response has arrived; not while a name is looked up, or while headers
        arrive byte by byte.
    retries : int
        How often a failure that may pass is tried again, after a random and growing wait, or the
        one that the server asks for (which is not counted, and makes all requests wait; of more
        than 120 s it is an error at once).
    max_connections : int
        How many entries are fetched at a time.
    max_response_bytes : int
        Largest response that is accepted, after decompression.
    progress : bool, optional
        Show a bar on stderr; by default for more than a few ids on a terminal or in a notebook.
    ca_bundle : path-like, optional
        Certificates to trust, in place of the usual ones.
    allow_http : bool
        Accept an endpoint without TLS on another machine.
    transport : optional
        A replacement for the network, for tests: an ``httpx.BaseTransport``.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> with sims.Client(api_key="0123456789abcdef", endpoint="https://lab.example/") as client:
    ...     client
    Client('https://lab.example/')
    """

    def __init__(
        self,
        api_key: str | None = None,
        *,
        endpoint: str | None = None,
        archive: str | os.PathLike[str] | Archive | None = None,
        offline: bool = False,
        timeout: float = 30.0,
        deadline: float = 300.0,
        retries: int = 3,
        max_connections: int = 8,
        max_response_bytes: int = 256 * 2**20,
        progress: bool | None = None,
        ca_bundle: str | os.PathLike[str] | None = None,
        allow_http: bool = False,
        transport: Any = None,
    ) -> None:
        key = Secret.from_environment() if api_key is None else Secret(api_key)
        del api_key  # not to be seen in the frame of an error that follows
        if key.is_short and not offline:
            warn(
                f"the API key has fewer than {SHORTEST} characters: is it complete? A key this "
                "short is not looked for, and so not hidden, in responses and messages",
                SimsWarning,
                code="weak_key",
                argument="api_key",
            )
        self._endpoint = Endpoint(
            endpoint or os.environ.get(ENDPOINT_VARIABLE) or DEFAULT_ENDPOINT, allow_http=allow_http
        )
        if offline and archive is None:
            text = "offline=True reads from an archive only; pass archive="
            raise ApiError(text, code="conflicting_arguments", argument="archive")
        if archive is not None and not isinstance(archive, Archive):
            archive = Archive(archive)
        options = Options(
            offline=offline,
            timeout=timeout,
            deadline=deadline,
            retries=retries,
            max_connections=max_connections,
            max_response_bytes=max_response_bytes,
            progress=progress,
            ca_bundle=ca_bundle,
            transport=transport,
        )
        self._fetcher = Fetcher(self._endpoint, key, archive, options)

    @property
    def archive(self) -> Archive | None:
        """Where entries are read from, and kept."""
        return self._fetcher.archive

    @property
    def offline(self) -> bool:
        """Whether no connection is ever opened."""
        return self._fetcher.options.offline

    def __repr__(self) -> str:
        # `if self.archive` would ask its length, and read the disk.
        archive = "" if self.archive is None else f", archive={str(self.archive.path)!r}"
        return f"Client({self._endpoint.root!r}{archive}{', offline' if self.offline else ''})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError(
            "a Client holds a key and connections, and is not pickled; make one where it is needed"
        )

    def close(self) -> None:
        """Close the connections; the client cannot fetch any more."""
        self._fetcher.close()

    # ---- profiles

    @overload
    def get(
        self, data_ids: Ids, *, errors: Literal["raise"] = "raise", refresh: bool = False
    ) -> list[SIMSResult]: ...

    @overload
    def get(
        self, data_ids: Ids, *, errors: Literal["collect"], refresh: bool = False
    ) -> list[SIMSResult | SimsError]: ...

    def get(
        self, data_ids: Ids, *, errors: Literal["raise", "collect"] = "raise", refresh: bool = False
    ) -> list[SIMSResult] | list[SIMSResult | SimsError]:
        """Get the depth profiles of data entries.

        Parameters
        ----------
        data_ids : str, UUID, or iterable of these
            What to get; a repeated one is fetched once.
        errors : {"raise", "collect"}
            What becomes of an entry that cannot be fetched: an error is raised when all others have
            arrived, or is put in the place of the result.
        refresh : bool
            Ask also for what is archived, whether it has changed; the archive keeps the
            superseded payload.

        Returns
        -------
        list of SIMSResult
            In the order requested. An entry without SIMS data has no profiles; its
            ``provenance["pipeline_status"]`` says how far its processing is, where that is known.

        Raises
        ------
        PartialResultsError
            If some of several entries failed; ``.results`` holds what arrived. A key that is
            refused (401, or 403 before any response) and a server without response end the batch:
            what was not requested by then has the error of that kind in its place.
        NotFound, Unauthorized, RateLimited, StatusError, ConnectionFailed, RequestTimeout
            For a single id, or if all failed for this one reason, what the server or the network
            did.
        PayloadError
            If a response breaks the contract.
        ArchiveError
            If an entry is damaged in the archive, or offline and not in it.
        """
        requested = as_ids(data_ids)
        with closing(self._outcomes(requested, errors, refresh)) as arriving:
            outcomes = dict(arriving)
        results = [outcomes[data_id] for data_id in requested]
        failures = [outcome for outcome in outcomes.values() if isinstance(outcome, SimsError)]
        if errors == "raise" and failures:
            raise _failure_of(failures, len(outcomes), results)
        return results

    @overload
    def iter(
        self, data_ids: Ids, *, errors: Literal["raise"] = "raise", refresh: bool = False
    ) -> Iterator[SIMSResult]: ...

    @overload
    def iter(
        self, data_ids: Ids, *, errors: Literal["collect"], refresh: bool = False
    ) -> Iterator[SIMSResult | SimsError]: ...

    def iter(
        self, data_ids: Ids, *, errors: Literal["raise", "collect"] = "raise", refresh: bool = False
    ) -> Iterator[Any]:
        """Get the depth profiles of data entries one by one, as they arrive.

        For more entries than fit into memory: no more than a few wait to be taken. With an
        archive, what was interrupted goes on where it stopped. Parameters and errors are those of
        :meth:`get`; what is raised comes last, and its ``.results`` holds the errors alone.

        Yields
        ------
        SIMSResult
            Archived ones first, then the others in the order of arrival, each id once; with
            ``errors="collect"`` also the errors.

        Examples
        --------
        >>> import sims_analysis as sims
        >>> from sims_analysis.examples.opening import ARCHIVE
        >>> client = sims.Client(archive=ARCHIVE, offline=True)
        >>> for result in client.iter(["boron-implant", "sputter-time"]):
        ...     print(result)
        <SIMSResult 'boron-implant': B, P>
        <SIMSResult 'sputter-time': As, Si>
        """
        return self._in_order_of_arrival(self._outcomes(as_ids(data_ids), errors, refresh), errors)

    @staticmethod
    def _in_order_of_arrival(outcomes: Outcomes, errors: str) -> Iterator[Any]:
        failures: list[SimsError] = []
        total = 0
        with closing(outcomes) as arriving:
            for _, outcome in arriving:
                total += 1
                if errors == "raise" and isinstance(outcome, SimsError):
                    failures.append(outcome)
                else:
                    yield outcome
        if failures:
            raise _failure_of(failures, total, failures)

    def _outcomes(self, data_ids: Iterable[str], errors: str, refresh: bool) -> Outcomes:
        """Return every entry once: archived ones, then fetched ones as they arrive."""
        if errors not in {"raise", "collect"}:
            raise ApiError(f"errors={errors!r}; expected 'raise' or 'collect'", argument="errors")
        if refresh and self.offline:
            text = "refresh=True asks the API, but offline=True forbids it"
            raise ApiError(text, code="conflicting_arguments", argument="refresh")
        return self._results(dict.fromkeys(data_ids), refresh)

    def _results(self, data_ids: Iterable[str], refresh: bool) -> Outcomes:
        missing = []
        for data_id in data_ids:
            archived = None if refresh else self._archived(data_id)
            if archived is None:
                missing.append(data_id)
            else:
                yield data_id, archived
        if missing:
            with closing(self._fetcher.profiles(missing, refresh=refresh)) as fetched:
                yield from fetched

    def _archived(self, data_id: str) -> SIMSResult | SimsError | None:
        """Return the archived result or its error, or None if the entry has to be fetched."""
        if self.archive is None:
            return None
        try:
            result = (self.archive.get if self.offline else self.archive.find)(data_id)
        except SimsError as error:
            return error
        # An entry that had no data when it was archived may have some now.
        return result if result is not None and (result.species or self.offline) else None

    def get_species(self, data_id: str | uuid.UUID, species: str) -> DepthProfile | None:
        """Get the profile of one species of an entry.

        With an archive, the whole entry is fetched and kept.

        Parameters
        ----------
        data_id : str or UUID
            Identifier of the entry.
        species : str
            Name as delivered, such as ``"Si"`` or ``"^118SnI_3-"``.

        Returns
        -------
        DepthProfile or None
            None if the species was not measured.
        """
        (data_id,) = as_ids([data_id])
        if self.archive is not None:
            (result,) = self.get(data_id)
            return next((p for p in result.depth_profiles if p.species_name == species), None)
        return self._fetcher.species(data_id, species)

    # ---- catalogue

    def search(
        self,
        *,
        keywords: str | Iterable[str] = (),
        status: str = "all",
        physical_sample_ids: str | Iterable[str] = (),
        project_ids: str | Iterable[str] = (),
        growth_length_min: float | None = None,
        growth_length_max: float | None = None,
        upload_datetime_min: str | datetime | None = None,
        upload_datetime_max: str | datetime | None = None,
        last_updated_min: str | datetime | None = None,
        last_updated_max: str | datetime | None = None,
        include_organization_data: bool = True,
    ) -> Catalogue:
        """Search the catalogue for SIMS entries; offline, what the archive knows of it.

        Parameters
        ----------
        keywords : str or iterable of str
            Found in names, notes, tags...
        status : str
            ``"success"``, ``"pending"``, ``"running"``, ``"error"``..., or ``"all"``.
        physical_sample_ids, project_ids : str or iterable of str
            Entries of these samples or projects.
        growth_length_min, growth_length_max : float, optional
            In seconds.
        upload_datetime_min, upload_datetime_max, last_updated_min, last_updated_max : optional
            ISO 8601 text or datetime; a naive one is UTC.
        include_organization_data : bool
            Also what others in the organization measured.

        Returns
        -------
        Catalogue
            A list of `CatalogueEntry`; ``.ids`` goes into :meth:`get`, ``.to_frame()`` makes a
            table.
        """
        # Each argument is a filter of the same name.
        filters = {name: value for name, value in locals().items() if name != "self"}
        search = Search.of(data_type=SIMS, **filters)
        if self.offline and self.archive is not None:
            self.archive.check()
            return self.archive.entries(search)
        entries = self._fetcher.catalogue(search.query(), "catalogue search")
        return Catalogue(entry for entry in entries if entry.char_source_type == SIMS)

    def entry(self, data_id: str | uuid.UUID) -> CatalogueEntry:
        """Return the catalogue entry of a data id.

        Raises
        ------
        NotFound
            If the catalogue does not have it.
        """
        (data_id,) = as_ids([data_id])
        entries = self.entries([data_id])
        if not entries:
            raise NotFound(
                f"data entry {data_id!r} is not in the catalogue that this key can see",
                status_code=200,
                url=self._endpoint.address("data_entries", ""),
                where={"data_id": data_id},
            )
        return entries[0]

    def entries(self, data_ids: Ids) -> Catalogue:
        """Return the catalogue entries of data ids, in their order; unknown ones are left out."""
        ids = list(dict.fromkeys(as_ids(data_ids)))
        if self.offline and self.archive is not None:
            self.archive.check()
            return self.archive.entries(Search(data_ids=ids))
        return self._fetcher.entries(ids)


def _failure_of(
    failures: Sequence[SimsError], total: int, results: Sequence[SIMSResult | SimsError]
) -> SimsError:
    """Make the error that is raised for entries that could not be fetched."""
    first = failures[0]
    if total == 1:
        return first
    reasons = {(type(failure), getattr(failure, "status_code", None)) for failure in failures}
    if len(failures) == total and len(reasons) == 1:
        error = copy.copy(first)
        error.args = (f"all of the {total} entries failed: {first.args[0]}", *first.args[1:])
        return error
    return PartialResultsError(
        f"{len(failures)} of {total} entries failed; the others are in .results of this error "
        f"or were handed on, or ask with errors='collect'. The first: {first}",
        results,
    )
