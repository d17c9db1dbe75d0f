"""Whether a file looks like a depth profile: for xarray, which asks this of any file at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from sims_analysis.errors import ReadError, collected
from sims_analysis.readers.formats import formats
from sims_analysis.readers.refusals import refuse_other_kinds
from sims_analysis.readers.source import Source

__all__ = ["looks_like"]

#: Layouts that fit many a file that is no depth profile.
_ANY_TABLE = ("table", "tidy", "suprem")
#: Depth profiles are smaller; other files are not read for this.
_MOST = 2**26


def looks_like(given: Any) -> str | None:
    """Return the name of the format that a file has, by its content; None if it has none.

    Parameters
    ----------
    given : path-like or open file
        An open file stands where it stood afterwards. Anything else, and addresses, have none.
    """
    source = _source(given)
    if source is None:
        return None
    with collected():
        try:
            refuse_other_kinds(source)
        except ReadError:
            return None
        known = next((one.name for one in formats() if one.recognises(source)), None)
    if known in _ANY_TABLE or (known == "payload" and '"species_name"' not in source.text):
        return None
    return known


def _source(given: Any) -> Source | None:
    if isinstance(given, str | os.PathLike):
        path = Path(given)
        if not path.is_file() or path.stat().st_size > _MOST:
            return None
        return Source(path.name, path.read_bytes(), path=path)
    if not (hasattr(given, "read") and hasattr(given, "seek") and hasattr(given, "tell")):
        return None
    start = given.tell()
    try:
        content = given.read(_MOST + 1)
    finally:
        given.seek(start)
    return Source("", content) if isinstance(content, bytes) and len(content) <= _MOST else None
