"""Record in each result the call that made it, for figures, files and papers."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import xarray as xr

from sims_analysis.dataset.provenance import with_question
from sims_analysis.text.arguments import check_call, format_argument

P = ParamSpec("P")
R = TypeVar("R")


def recorded(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function to record its call in the attrs of its result.

    ``call`` is for people. ``question`` and the origin of the data are for programs: see
    :func:`sims_analysis.dataset.provenance.with_question`.
    """
    code: Any = function.__code__
    names = frozenset(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        if len(args) > code.co_argcount or not kwargs.keys() <= names:
            check_call(function, len(args), kwargs)
        result: Any = function(*args, **kwargs)
        options = "".join(f", {name}={format_argument(value)}" for name, value in kwargs.items())
        text = f"{function.__name__}(data{options})"
        if isinstance(result, xr.Dataset):
            for name in result.data_vars:
                result[name].attrs["call"] = text
        if isinstance(result, xr.DataArray | xr.Dataset):
            result.attrs["call"] = text
            data, *others = args or [kwargs.get("data")]
            if isinstance(data, xr.DataArray | xr.Dataset):
                arguments = dict(zip(("b",), others, strict=False)) | kwargs
                arguments.pop("data", None)
                result = _with_question(result, data, function.__name__, **arguments)
        found: R = result
        return found

    return call


#: It is typed for one of Dataset and DataArray; a result here may be either.
_with_question: Callable[..., Any] = with_question


def history_after(data: xr.Dataset | xr.DataArray, line: str) -> str:
    """Return the history of data after one more step: one line per step, the latest last."""
    earlier = [str(data.attrs["history"])] if "history" in data.attrs else []
    return "\n".join([*earlier, line])
