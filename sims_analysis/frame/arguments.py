"""Arguments that have to be positive, or that may differ between profiles only."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from sims_analysis.errors import ProfileError
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.run import is_lazy
from sims_analysis.text.arguments import format_argument


def read_positive(
    frame: Frame, value: Any, kinds: tuple[str, ...], name: str, *, along: bool = False
) -> xr.Variable:
    """Read an argument that must be positive and finite; it may be NaN for some species.

    As :meth:`Frame.parameter` reads it, of one species alone if it names one, but without
    dimensions that the data do not have: what is changed by it stays data, and is no answer for
    several cases.
    """
    read = frame.parameter(value, kinds, name, along=along, alone=True)
    refuse_cases(frame, read, name)
    refuse_not_positive(read, value, name)
    return read


def refuse_not_positive(read: xr.Variable, value: Any, name: str) -> None:
    """Refuse what is not positive and finite; NaN for some species is no value. Not on Dask."""
    if is_lazy(read):
        return
    numbers = np.asarray(read.data)
    known = numbers[~np.isnan(numbers)]
    if not known.size or not ((known > 0) & np.isfinite(known)).all():
        raise ProfileError(f"{name}={format_argument(value)} must be positive")


def refuse_cases(frame: Frame, read: xr.Variable, name: str) -> None:
    """Refuse an argument over a dimension that the data do not have."""
    for dim in read.dims:
        if dim not in frame.value.dims:
            raise ProfileError(
                f"{name} is over {str(dim)!r}, and the data over "
                f"({', '.join(map(str, frame.value.dims))}): add this dimension to the data first, "
                f"for instance with data.expand_dims({dim}=...)"
            )
