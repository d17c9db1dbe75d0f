"""Record in each result the call that made it, for figures, files and papers."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

import xarray as xr

from sims_analysis.conventions.canonical import on_canonical_data
from sims_analysis.conventions.provenance import question_attrs
from sims_analysis.frame.evidence import with_known
from sims_analysis.text.arguments import check_call, format_argument

F = TypeVar("F", bound=Callable[..., Any])
P = ParamSpec("P")
R = TypeVar("R")


def recorded(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function to record its call in the attrs of its result.

    ``call`` is for people; ``question`` and the origin of the data
    (:func:`sims_analysis.dataset.provenance.question_attrs`) are for programs.
    """

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        check_call(function, len(args), kwargs)
        result: Any = function(*args, **kwargs)
        if isinstance(result, xr.DataArray | xr.Dataset):
            code: Any = function.__code__
            first, *others = code.co_varnames
            arguments = dict(zip(others, args[1:], strict=False)) | kwargs
            data = args[0] if args else arguments.pop(first, None)
            # The second data of a comparison are on record below.
            shown = {name: one for name, one in arguments.items() if name != "b" or name in kwargs}
            options = (f", {name}={format_argument(value)}" for name, value in shown.items())
            record = {"call": f"{function.__name__}(data{''.join(options)})"}
            if isinstance(data, xr.DataArray | xr.Dataset):
                record |= question_attrs(data, function.__name__, **arguments)
            # Each variable of a Dataset gets the record too, because people take them out.
            every: list[Any] = [result]
            if isinstance(result, xr.Dataset):
                every += [result.variables[name] for name in result.data_vars]
            for one in every:
                one.attrs.update(record)
        found: R = result
        return found

    return call


def correction(function: F) -> F:
    """Decorate a function that makes data of a Dataset: in canonical units, with all evidence."""

    @wraps(function)
    def call(data: xr.Dataset, **arguments: Any) -> Any:
        return function(with_known(data), **arguments)

    return cast("F", on_canonical_data(call))


def history_after(data: xr.Dataset | xr.DataArray, line: str) -> str:
    """Return the history of data after one more step: one line per step, the latest last."""
    earlier = [str(data.attrs["history"])] if "history" in data.attrs else []
    return "\n".join([*earlier, line])
