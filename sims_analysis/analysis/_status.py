"""What is known of an answer, in words, and said aloud."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from sims_analysis import vocabulary
from sims_analysis.errors import warn

if TYPE_CHECKING:
    from sims_analysis.analysis._frame import Frame

__all__ = ["status_words", "warn_of_status", "words"]

_WORDS = np.array(vocabulary.STATUS)


def words(codes: Any, table: Any) -> Any:
    """Turn codes into the words at these places of an array, lazily where they are lazy."""
    if hasattr(codes, "map_blocks"):
        return codes.map_blocks(_looked_up, table, dtype=table.dtype)
    return _looked_up(codes, table)


def _looked_up(codes: Any, table: Any) -> Any:
    # numpy takes a word of its own length, and no array, for a single code.
    return np.asarray(table.take(codes), dtype=table.dtype)


def status_words(codes: Any) -> Any:
    """Give the words of status codes."""
    return words(codes, _WORDS)


def warn_of_status(
    frame: Frame, codes: xr.Variable, code: int, text: str, category: type[Any]
) -> None:
    """Warn once for all profiles with a status; say how many and name the first."""
    if frame.lazy:
        return
    where = np.argwhere(np.asarray(codes.data) == code)
    if len(where):
        others = f" and {len(where) - 1} more" if len(where) > 1 else ""
        warn(f"{frame.label(*where[0])}{others}: {text}", category)
