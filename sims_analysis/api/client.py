"""The client of the API: profiles and catalogue entries, over the network or from an archive."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Literal, overload

from sims_analysis.api.archive import Archive
from sims_analysis.api.catalogue import (
    SIMS,
    Catalogue,
    CatalogueEntry,
    Search,
    archived_entry,
    as_moment,
    as_texts,
)
from sims_analysis.api.connection import Connection
from sims_analysis.api.endpoint import (
    DEFAULT_ENDPOINT,
    ENDPOINT_VARIABLE,
    Endpoint,
    Secret,
    as_ids,
)
from sims_analysis.api.fetching import Fetcher
from sims_analysis.dataset.result import SIMSResult
from sims_analysis.errors import ApiError, NotFound, PartialResultsError, SimsError
from sims_analysis.profiles.profile import DepthProfile

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable
    from datetime import datetime
    from types import TracebackType
    from typing import Self

__all__ = ["Client"]


class Client:
    """Fetches SIMS depth profiles by data id; may be shared by threads.

    Parameters
    ----------
    api_key : str, optional
        By default from the environment: ``AS_API_KEY``, or ``ATOMSCALE_API_KEY``. It is sent to
        the endpoint and nowhere else, and shown nowhere.
    endpoint : str, optional
        By default from ``AS_API_ENDPOINT``, or ``https://api.atomscale.ai/``. A path is kept.
    archive : path-like or Archive, optional
        Entries found there are read from there; others are fetched, and kept there.
    offline : bool
        Never open a connection: what is not in the archive is an error.
    timeout : float
        Seconds without an answer after which a server is given up; 5 s at most to connect.
    retries : int
        How often a failure that may pass is tried again, after a random and growing wait, or the
        one that the server asks for.
    max_connections : int
        How many entries are fetched at a time.
    max_response_bytes : int
        Largest answer that is accepted, after decompression.
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
    >>> with sims.Client(api_key="k3y", endpoint="https://lab.example/") as client:
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
        self._endpoint = Endpoint(
            endpoint or os.environ.get(ENDPOINT_VARIABLE) or DEFAULT_ENDPOINT,
            allow_http=allow_http,
        )
        if offline and archive is None:
            raise ApiError("offline=True reads from an archive only; pass archive=")
        self.archive = (
            archive if archive is None or isinstance(archive, Archive) else Archive(archive)
        )
        self.offline = offline
        self._connection = Connection(
            self._endpoint,
            key,
            offline=offline,
            timeout=timeout,
            retries=retries,
            max_connections=max_connections,
            max_response_bytes=max_response_bytes,
            ca_bundle=None if ca_bundle is None else os.fspath(ca_bundle),
            transport=transport,
        )
        self._fetcher = Fetcher(
            self._endpoint,
            self._connection,
            self.archive,
            width=max_connections,
            progress=progress,
        )

    def __repr__(self) -> str:
        archive = f", archive={str(self.archive.path)!r}" if self.archive else ""
        return f"Client({self._endpoint.root!r}{archive}{', offline' if self.offline else ''})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a Client holds a key and connections; make one where it is needed")

    def close(self) -> None:
        """Close the connections; the client cannot fetch any more."""
        self._connection.close()

    # ---- profiles

    @overload
    def get(
        self,
        data_ids: str | uuid.UUID | Iterable[str | uuid.UUID],
        *,
        errors: Literal["raise"] = "raise",
        refresh: bool = False,
    ) -> list[SIMSResult]: ...

    @overload
    def get(
        self,
        data_ids: str | uuid.UUID | Iterable[str | uuid.UUID],
        *,
        errors: Literal["collect"],
        refresh: bool = False,
    ) -> list[SIMSResult | SimsError]: ...

    def get(
        self,
        data_ids: str | uuid.UUID | Iterable[str | uuid.UUID],
        *,
        errors: Literal["raise", "collect"] = "raise",
        refresh: bool = False,
    ) -> list[SIMSResult] | list[SIMSResult | SimsError]:
        """Get the depth profiles of data entries.

        Parameters
        ----------
        data_ids : str, UUID, or iterable of these
            What to get; one that is asked for twice is fetched once.
        errors : {"raise", "collect"}
            What becomes of an entry that cannot be had: an error is raised when all others have
            arrived, or is put in the place of the result.
        refresh : bool
            Fetch also what is archived; the archive keeps the superseded payload.

        Returns
        -------
        list of SIMSResult
            In the order asked. An entry without SIMS data has no profiles; its
            ``provenance["pipeline_status"]`` says how far its processing is, where that is known.

        Raises
        ------
        PartialResultsError
            If some of several entries failed; ``.results`` holds what arrived.
        NotFound, Unauthorized, RateLimited, StatusError, ConnectionFailed, RequestTimeout
            For a single id, what the server or the network did.
        PayloadError
            If an answer breaks the contract.
        ArchiveError
            If an entry is damaged in the archive, or offline and not in it.
        """
        if errors not in {"raise", "collect"}:
            raise ApiError(f"errors={errors!r}; expected 'raise' or 'collect'")
        if refresh and self.offline:
            raise ApiError("refresh=True asks the API, offline=True forbids it")
        asked = as_ids(data_ids)
        outcomes: dict[str, SIMSResult | SimsError] = {}
        missing = []
        for data_id in dict.fromkeys(asked):
            archived = self.archive is not None and data_id in self.archive
            if self.archive is None or (not self.offline and (refresh or not archived)):
                missing.append(data_id)
                continue
            try:
                outcomes[data_id] = self.archive.get(data_id)
            except SimsError as error:
                outcomes[data_id] = error
        outcomes.update(self._fetcher.profiles(missing))
        results = [outcomes[data_id] for data_id in asked]
        failures = [outcome for outcome in outcomes.values() if isinstance(outcome, SimsError)]
        if errors == "collect" or not failures:
            return results
        if len(outcomes) == 1:
            raise failures[0]
        raise PartialResultsError(
            f"{len(failures)} of {len(outcomes)} entries failed; the others are in .results of "
            f"this error, or ask with errors='collect'. The first: {failures[0]}",
            results,
        )

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
        search = Search(
            data_type=SIMS,
            status=status,
            keywords=as_texts(keywords),
            physical_sample_ids=as_texts(physical_sample_ids),
            project_ids=as_texts(project_ids),
            growth_length_min=growth_length_min,
            growth_length_max=growth_length_max,
            upload_datetime_min=as_moment(upload_datetime_min, "upload_datetime_min"),
            upload_datetime_max=as_moment(upload_datetime_max, "upload_datetime_max"),
            last_updated_min=as_moment(last_updated_min, "last_updated_min"),
            last_updated_max=as_moment(last_updated_max, "last_updated_max"),
            include_organization_data=include_organization_data,
        )
        if self.offline and self.archive is not None:
            known = (archived_entry(self.archive, data_id) for data_id in self.archive)
            return Catalogue(entry for entry in known if search.passes(entry))
        found = self._fetcher.catalogue(search.query(), "catalogue search")
        return Catalogue(entry for entry in found if entry.char_source_type == SIMS)

    def entry(self, data_id: str | uuid.UUID) -> CatalogueEntry:
        """Give the catalogue entry of a data id.

        Raises
        ------
        NotFound
            If the catalogue does not have it.
        """
        (data_id,) = as_ids([data_id])
        found = self.entries([data_id])
        if not found:
            raise NotFound(
                f"data entry {data_id!r} is not in the catalogue that this key can see",
                status_code=200,
                url=self._endpoint.address("data_entries", ""),
            )
        return found[0]

    def entries(self, data_ids: str | uuid.UUID | Iterable[str | uuid.UUID]) -> Catalogue:
        """Give the catalogue entries of data ids, in the order asked; unknown ones are left out."""
        asked = list(dict.fromkeys(as_ids(data_ids)))
        if self.offline and self.archive is not None:
            archive = self.archive
            return Catalogue(archived_entry(archive, i) for i in asked if i in archive)
        return self._fetcher.entries(asked)
