"""The options of a client, checked once."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import Any

from sims_analysis.errors import ApiError

#: The least of each number; whole numbers are those that are counted.
_LEAST: dict[str, float] = {
    "timeout": 0.001,
    "deadline": 0.001,
    "retries": 0,
    "max_connections": 1,
    "max_response_bytes": 1,
}


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a client asks: the parameters of :class:`sims_analysis.Client` of the same names.

    Raises
    ------
    ApiError
        If a number is none, or too small.
    """

    offline: bool
    timeout: float
    deadline: float
    retries: int
    max_connections: int
    max_response_bytes: int
    progress: bool | None
    ca_bundle: str | os.PathLike[str] | None
    transport: Any

    def __post_init__(self) -> None:
        for name, least in _LEAST.items():
            value = getattr(self, name)
            kind = type(least)
            fits = isinstance(value, int | kind) and not isinstance(value, bool)
            if not (fits and least <= value < sys.float_info.max):
                called = "whole number" if kind is int else "number"
                raise ApiError(f"{name}={value!r:.40}; expected a {called} of at least {least}")
