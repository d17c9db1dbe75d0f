"""The response of the API for one data entry: its depth profiles, and their provenance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from sims_analysis.errors import ArgumentError, PayloadError, ProfileError, SpeciesError
from sims_analysis.files import MAX_BYTES, Budget
from sims_analysis.profiles.metadata import FIELD, Metadata
from sims_analysis.profiles.profile import DepthProfile
from sims_analysis.profiles.strict_json import decode
from sims_analysis.profiles.wire import json_type
from sims_analysis.text.arguments import first_few
from sims_analysis.text.escapes import visible

if TYPE_CHECKING:
    import xarray as xr

#: Advice on the limit of memory, for which a client or an archive has no option.
_ADVICE = (
    "if you trust where it comes from, SIMSResult.from_json or sims.read with a larger max_bytes= "
    "reads it"
)


@dataclass(frozen=True, kw_only=True)
class SIMSResult:
    """The depth profiles of one data entry, and their provenance.

    Parameters
    ----------
    data_id : str
        Identifier of the entry.
    depth_profiles : list of DepthProfile
        In the order delivered; empty if the entry has no SIMS data.
    provenance : dict, optional
        ``source`` (address or file), ``retrieved`` (ISO 8601), ``sha256`` of the payload or file;
        for files, ``format`` and ``reader``.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> b = sims.DepthProfile(
    ...     species_name="B", depths=[0, 10], depth_units="nm",
    ...     concentrations=[1e18, 3e18], concentration_units="atoms/cm^3",
    ... )
    >>> sims.SIMSResult(data_id="wafer-7", depth_profiles=[b])
    <SIMSResult 'wafer-7': B>
    """

    data_id: str
    depth_profiles: list[DepthProfile]
    provenance: dict[str, str] = field(default_factory=dict)

    @classmethod
    def from_json(
        cls,
        payload: bytes | bytearray | memoryview | str,
        *,
        data_id: str | None = None,
        provenance: Mapping[str, str] | None = None,
        max_bytes: int = MAX_BYTES,
    ) -> SIMSResult:
        """Read the payload of ``GET /sims/{data_id}``.

        Parameters
        ----------
        payload : bytes or str
            JSON array of profile objects.
        data_id : str, optional
            The requested id; by default the one that the profiles state, or ``""``. Profiles of
            several entries need one.
        provenance : mapping, optional
            Kept as it is.
        max_bytes : int
            Memory that decoding may take; by default 1 GiB.

        Raises
        ------
        PayloadError
            If the payload is not JSON, violates the contract (it names the JSON path), or would
            take more memory.

        Examples
        --------
        >>> import sims_analysis as sims
        >>> result = sims.SIMSResult.from_json(
        ...     b'[{"data_id": "d1", "species_name": "Si", "depths": [0, 10],'
        ...     b' "depth_units": "nm", "concentrations": [1.2e18, 3.4e18],'
        ...     b' "concentration_units": "atoms/cm^3"}]'
        ... )
        >>> result.species
        ['Si']
        """
        wire = decode(payload, Budget(max_bytes, PayloadError, advice=_ADVICE))
        if not isinstance(wire, list):
            raise PayloadError(f"expected an array of profiles, found {json_type(wire)}")
        text = payload.encode(errors="replace") if isinstance(payload, str) else bytes(payload)
        profiles = DepthProfile._all_of(wire, booleans=b"true" in text or b"false" in text)
        data_id = stated_id(profiles) if data_id is None else data_id
        return cls(data_id=data_id, depth_profiles=profiles, provenance=dict(provenance or {}))

    def to_json(self) -> bytes:
        """Return the payload: JSON equal to what was read, unknown fields included.

        Raises
        ------
        ProfileError
            If a metadata value cannot be written as JSON.
        """
        try:
            return orjson.dumps([profile.to_dict() for profile in self.depth_profiles])
        except TypeError as error:
            raise ProfileError(
                f"data entry {self.data_id!r} has no JSON form: {error}",
                code="invalid_metadata",
                where={"data_id": self.data_id},
            ) from None

    def to_dataset(self, **options: Any) -> xr.Dataset:
        """Return one Dataset indexed by species and depth: see :func:`sims_analysis.to_dataset`."""
        # Only here, so that fetching and serving payloads need no xarray.
        from sims_analysis.dataset.from_profiles import to_dataset

        return to_dataset(self, **options)

    @property
    def metadata(self) -> Metadata:
        """Metadata of the whole measurement from its file; see :func:`sims_analysis.read`.

        Every field is ``None`` for entries without such metadata.
        """
        for profile in self.depth_profiles:
            if FIELD in profile.extra:
                return Metadata.from_dict(profile.extra[FIELD])
        return Metadata()

    @property
    def species(self) -> list[str]:
        """Names of the species, in the order delivered."""
        return [profile.species_name for profile in self.depth_profiles]

    def __getitem__(self, species: str) -> DepthProfile:
        for profile in self.depth_profiles:
            if profile.species_name == species:
                return profile
        if not isinstance(species, str):
            raise ArgumentError(
                f"a result is indexed by the names of its species, found {species!r}; its profiles "
                f"in order are result.depth_profiles[{species!r}]",
            )
        subject = f"data entry {self.data_id!r}"
        raise SpeciesError.missing(species, self.species, subject, argument="")

    def __iter__(self) -> Iterator[DepthProfile]:
        return iter(self.depth_profiles)

    def __len__(self) -> int:
        return len(self.depth_profiles)

    def __bool__(self) -> bool:
        return True  # also of an entry without SIMS data

    def __repr__(self) -> str:
        names = [visible(name) if name.strip() else repr(name) for name in self.species]
        return f"<SIMSResult {self.data_id!r}: {first_few(names, 40) or 'no SIMS data'}>"

    def _repr_html_(self) -> str:
        from sims_analysis.profiles.html import result_html

        return result_html(self)


def stated_id(profiles: Iterable[DepthProfile]) -> str:
    """Give the id of the entry that profiles belong to; an empty one if none states it."""
    stated: dict[str, int] = {}
    for i, profile in enumerate(profiles):
        if profile.data_id is not None and (data_id := str(profile.data_id)).strip():
            stated.setdefault(data_id, i)
    if len(stated) > 1:
        first, second = list(stated)[:2]
        raise PayloadError(
            f"the profile belongs to data entry {second!r}, an earlier one to {first!r}: an entry "
            "is one measurement",
            f"$[{stated[second]}].data_id",
            code="several_measurements",
            argument="data_id",
            remedy="keep them apart, or pass data_id= to make them one",
        )
    return next(iter(stated), "")
