"""Warnings and errors about answers, which name the profile."""

from __future__ import annotations

import numpy as np
import xarray as xr

from sims_analysis.analysis._frame import Frame
from sims_analysis.analysis._run import is_lazy
from sims_analysis.errors import SimsWarning, warn

__all__ = ["first_marked", "warn_of_status", "warn_where"]


def first_marked(frame: Frame, marked: xr.Variable) -> tuple[str, tuple[int, ...]] | None:
    """Name the first profile that is marked, and how many more there are; None if none is.

    Of what Dask is to compute, nothing is known.
    """
    if is_lazy(marked):
        return None
    where = np.argwhere(marked.values)
    if not len(where):
        return None
    others = f" and {len(where) - 1} more" if len(where) > 1 else ""
    place = tuple(map(int, where[0]))
    return f"{frame.label_of(marked, place)}{others}", place


def warn_where(frame: Frame, marked: xr.Variable, text: str, category: type[SimsWarning]) -> bool:
    """Warn once for all profiles that are marked; return whether there were any."""
    found = first_marked(frame, marked)
    if found is not None:
        warn(f"{found[0]}: {text}", category)
    return found is not None


def warn_of_status(
    frame: Frame, codes: xr.Variable, code: int, text: str, category: type[SimsWarning]
) -> None:
    """Warn once for all profiles with a status."""
    warn_where(frame, codes == code, text, category)
