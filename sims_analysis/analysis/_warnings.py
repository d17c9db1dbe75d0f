"""Warnings and errors about results, which name the profile."""

from __future__ import annotations

import numpy as np
import xarray as xr

from sims_analysis.analysis._frame import Frame
from sims_analysis.analysis._run import is_lazy
from sims_analysis.errors import SimsWarning, warn

__all__ = ["first_flagged", "warn_of_status", "warn_where"]


def first_flagged(frame: Frame, flagged: xr.Variable) -> tuple[str, tuple[int, ...]] | None:
    """Return the label of the first flagged profile (with the number of others) and its index.

    None if none is flagged, or on Dask.
    """
    if is_lazy(flagged):
        return None
    where = np.argwhere(flagged.values)
    if not len(where):
        return None
    others = f" and {len(where) - 1} more" if len(where) > 1 else ""
    index = tuple(map(int, where[0]))
    return f"{frame.label_of(flagged, index)}{others}", index


def warn_where(frame: Frame, flagged: xr.Variable, text: str, category: type[SimsWarning]) -> bool:
    """Warn once for all flagged profiles; return whether there were any."""
    found = first_flagged(frame, flagged)
    if found is not None:
        warn(f"{found[0]}: {text}", category)
    return found is not None


def warn_of_status(
    frame: Frame, codes: xr.Variable, code: int, text: str, category: type[SimsWarning]
) -> None:
    """Warn once for all profiles with a given status."""
    warn_where(frame, codes == code, text, category)
