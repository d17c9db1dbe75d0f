"""Record in each result the call that made it, for figures, files and papers.

An answer carries its question, and data the steps by which they were made.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

import xarray as xr

from sims_analysis.conventions.canonical import on_canonical_data
from sims_analysis.conventions.provenance import question_attrs, with_step
from sims_analysis.frame.evidence import with_evidence
from sims_analysis.text.arguments import check_call, format_argument

F = TypeVar("F", bound=Callable[..., Any])
P = ParamSpec("P")
R = TypeVar("R")


def recorded(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function to record its call in the attrs of its result: ``call``, for people.

    ``question`` and the origin of the data are for programs.
    """

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        check_call(function, len(args), kwargs)
        result: Any = function(*args, **kwargs)
        if isinstance(result, xr.DataArray | xr.Dataset):
            bound = _arguments(function, args, kwargs)
            data = bound.pop(_names(function)[0], None)
            # The second data of a comparison are recorded in the question.
            shown = {name: item for name, item in bound.items() if name != "b" or name in kwargs}
            options = (f", {name}={format_argument(value)}" for name, value in shown.items())
            record = {"call": f"{function.__name__}(data{''.join(options)})"}
            if isinstance(data, xr.DataArray | xr.Dataset):
                record |= question_attrs(data, function.__name__, **bound)
            # Each variable of a Dataset gets the record too, because it may be used alone.
            targets: list[Any] = [result]
            if isinstance(result, xr.Dataset):
                targets += [result.variables[name] for name in result.data_vars]
            for item in targets:
                item.attrs.update(record)
        answer: R = result
        return answer

    return call


def processing_step(of: str = "data") -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate a function that changes data to record its call as one more of their steps.

    With its arguments and defaults, except for `of`, the data that it changes.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            check_call(function, len(args), kwargs)
            result: Any = function(*args, **kwargs)
            arguments = {**(function.__kwdefaults__ or {}), **_arguments(function, args, kwargs)}
            arguments.pop(of, None)
            answer: R = with_step(result, function.__name__, **arguments)
            return answer

        return call

    return decorate


def correction(function: F) -> F:
    """Decorate a step that makes data of a Dataset: in canonical units, with all evidence."""
    step = processing_step()(function)

    @wraps(function)
    def call(data: xr.Dataset, *args: Any, **kwargs: Any) -> Any:
        return step(with_evidence(data), *args, **kwargs)

    return cast("F", on_canonical_data(call))


def _arguments(function: Any, args: Any, kwargs: Any) -> dict[str, Any]:
    """Return the arguments of a call by name, in the order in which they were given."""
    return {**dict(zip(_names(function), args, strict=False)), **kwargs}


def _names(function: Any) -> tuple[str, ...]:
    names: tuple[str, ...] = function.__code__.co_varnames
    return names
