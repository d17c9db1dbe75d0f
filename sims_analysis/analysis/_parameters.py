"""Check arguments."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from sims_analysis.analysis._run import is_lazy
from sims_analysis.errors import ProfileError


def anywhere(condition: xr.Variable) -> bool:
    """Whether a condition holds anywhere; False if it is lazy."""
    return not is_lazy(condition) and bool(condition.data.any())


def check_bool(value: Any, name: str) -> None:
    """Refuse values that are not booleans, such as the truthy ``"no"``."""
    if not isinstance(value, bool | np.bool_):
        raise ProfileError(f"{name}={value!r}; expected True or False")


def check_count(number: Any, name: str, least: int = 1) -> None:
    """Refuse values other than whole numbers of at least `least`, Python's or numpy's."""
    whole = isinstance(number, int | np.integer) and not isinstance(number, bool)
    if not (whole and number >= least):
        raise ProfileError(f"{name}={number!r}; expected a whole number, at least {least}")
