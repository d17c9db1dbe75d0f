"""Every answer carries the call that made it, for figures, files and papers."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import xarray as xr

from sims_analysis.dataset.provenance import with_question

__all__ = ["format_argument", "history_after", "recorded"]

P = ParamSpec("P")
R = TypeVar("R")


def recorded(function: Callable[P, R]) -> Callable[P, R]:
    """Make a function write into the attrs of its answer what was asked, and of what.

    ``call`` for people; ``question``, and what the data say of their origin, for programs: see
    :func:`sims_analysis.dataset.provenance.with_question`.
    """

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        answer: Any = function(*args, **kwargs)
        options = "".join(f", {name}={format_argument(value)}" for name, value in kwargs.items())
        text = f"{function.__name__}(data{options})"
        if isinstance(answer, xr.Dataset):
            for name in answer.data_vars:
                answer[name].attrs["call"] = text
        if isinstance(answer, xr.DataArray | xr.Dataset):
            answer.attrs["call"] = text
            data, *others = args or [kwargs.get("data")]
            if isinstance(data, xr.DataArray | xr.Dataset):
                asked = dict(zip(("b",), others, strict=False)) | kwargs
                asked.pop("data", None)
                answer = _with_question(answer, data, function.__name__, **asked)
        found: R = answer
        return found

    return call


#: For an answer of either kind.
_with_question: Callable[..., Any] = with_question


def format_argument(value: object) -> str:
    """Write an argument as a reader of the call would want it."""
    if isinstance(value, xr.DataArray | xr.Dataset):
        return f"<{type(value).__name__} {getattr(value, 'name', None) or ''}>".replace(" >", ">")
    if hasattr(value, "magnitude"):
        return repr(str(value))
    if isinstance(value, tuple):
        ends = "," if len(value) == 1 else ""
        return "(" + ", ".join(map(format_argument, value)) + ends + ")"
    return repr(value)


def history_after(data: xr.Dataset | xr.DataArray, line: str) -> str:
    """Return the history of data after one more step: a line for each, the latest last."""
    earlier = [str(data.attrs["history"])] if "history" in data.attrs else []
    return "\n".join([*earlier, line])
