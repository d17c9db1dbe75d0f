"""JSON as the API sends it, kept in a file."""

from __future__ import annotations

from sims_analysis.dataset.result import SIMSResult
from sims_analysis.errors import PayloadError, ReadError
from sims_analysis.readers.signals import Content
from sims_analysis.readers.source import Source


def recognises(source: Source) -> bool:
    """Whether it is JSON: an array or an object."""
    start = source.start.lstrip()
    return start.startswith("[{") or (start[:1] in ("[", "{") and '"' in start[:40])


def read(source: Source) -> Content:
    """Read the payload; an error names the JSON path of what breaks the contract."""
    try:
        limit = source.options.max_bytes
        return Content(ready=SIMSResult.from_json(source.text, max_bytes=limit))
    except PayloadError as error:
        raise ReadError(f"JSON, but not an answer of the API: {error}") from None
