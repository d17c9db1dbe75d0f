"""Every answer carries the call that made it, for figures, files and papers."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import xarray as xr

from sims_analysis._variables import variables_of

__all__ = ["history_after", "recorded", "told"]

P = ParamSpec("P")
R = TypeVar("R")


def recorded(function: Callable[P, R]) -> Callable[P, R]:
    """Make a function write its call into the attrs of its answer, as ``call``."""

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        answer = function(*args, **kwargs)
        options = "".join(f", {name}={told(value)}" for name, value in kwargs.items())
        text = f"{function.__name__}(data{options})"
        if isinstance(answer, xr.Dataset):
            coords = answer._coord_names
            for name, variable in variables_of(answer).items():
                if name not in coords:
                    variable.attrs["call"] = text
        if isinstance(answer, xr.DataArray | xr.Dataset):
            answer.attrs["call"] = text
        return answer

    return call


def told(value: object) -> str:
    """Write an argument as a reader of the call would want it."""
    if isinstance(value, xr.DataArray | xr.Dataset):
        return f"<{type(value).__name__} {getattr(value, 'name', None) or ''}>".replace(" >", ">")
    if hasattr(value, "magnitude"):
        return repr(str(value))
    if isinstance(value, tuple):
        return "(" + ", ".join(map(told, value)) + ("," if len(value) == 1 else "") + ")"
    return repr(value)


def history_after(data: xr.Dataset | xr.DataArray, line: str) -> str:
    """Give the history of data after one more step: a line for each, the latest last."""
    earlier = [str(data.attrs["history"])] if "history" in data.attrs else []
    return "\n".join([*earlier, line])
