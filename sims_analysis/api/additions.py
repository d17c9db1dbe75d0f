"""Payloads of additions to an archive: profiles in memory, JSON, files of instruments."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sims_analysis.dataset.result import SIMSResult
from sims_analysis.errors import ArchiveError
from sims_analysis.files import MAX_BYTES, Budget, shown_path
from sims_analysis.profiles.profile import DepthProfile, profiles_of

#: Number of bytes that show whether a file is JSON.
_START = 1000
_JSON = re.compile(rb'\s*[\[{]\s*["{}\]]')


def payload_of(
    source: SIMSResult | DepthProfile | Sequence[DepthProfile] | str | os.PathLike[str],
    options: Mapping[str, Any],
) -> tuple[bytes, SIMSResult]:
    """Make a payload of what `Archive.add` takes, and its result, with its id where it is known."""
    url = ""
    if isinstance(source, str | os.PathLike):
        file = Path(source)
        if "://" in os.fspath(source):
            text = "a URL is not a file; add what sims.read(address) returns"
            raise ArchiveError(text, argument="source")
        url = f"file:{file.name}"
        limit = options.get("max_bytes", MAX_BYTES)
        payload = _json_of(file, limit)
        if payload:
            result = SIMSResult.from_json(
                payload, data_id="", provenance={"source": url}, max_bytes=limit
            )
            return payload, result
        source = _measurement_in(file, options)
    payload = SIMSResult(data_id="", depth_profiles=profiles_of(source)).to_json()
    data_id, origin = "", {}
    if isinstance(source, SIMSResult):
        data_id, origin = source.data_id, source.provenance
    provenance = {"source": url or origin.get("source") or "profiles in memory"}
    if "retrieved" in origin:
        provenance["retrieved"] = origin["retrieved"]
    return payload, SIMSResult.from_json(payload, data_id=data_id, provenance=provenance)


def _measurement_in(file: Path, options: Mapping[str, Any]) -> SIMSResult:
    """Read a file of an instrument or laboratory; an entry is one measurement."""
    from sims_analysis.readers.files import read

    result: Any = read(file, **options)
    if isinstance(result, SIMSResult):
        return result
    raise ArchiveError(
        f"{file.name!r} contains {len(result)} measurements, but an entry is one",
        code="several_measurements",
        remedy="add each of what sims.read() returns under its own data_id=",
    )


def _json_of(file: Path, max_bytes: int) -> bytes:
    """Read a file if it is JSON; nothing if it is a file of another kind."""
    budget = Budget(max_bytes, ArchiveError, name=file.name)
    try:
        with file.open("rb") as stream:
            start = stream.read(_START)
            if _JSON.match(start):
                budget.take(len(start), "its payload")
                return bytes(start + budget.read(stream, "its payload"))
    except OSError as error:
        text = f"cannot read {shown_path(file)!r}: {error.strerror}"
        raise ArchiveError(text, code="unreadable_file") from None
    if not file.is_file():
        text = f"{str(file)!r} is a pipe; only JSON is read from a pipe"
        raise ArchiveError(text, code="unreadable_file")
    return b""
