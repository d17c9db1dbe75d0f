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
            given = _arguments(function, args, kwargs)
            data = given.pop(_names(function)[0], None)
            # The second data of a comparison are on record below.
            shown = {name: one for name, one in given.items() if name != "b" or name in kwargs}
            options = (f", {name}={format_argument(value)}" for name, value in shown.items())
            record = {"call": f"{function.__name__}(data{''.join(options)})"}
            if isinstance(data, xr.DataArray | xr.Dataset):
                record |= question_attrs(data, function.__name__, **given)
            # Each variable of a Dataset gets the record too, because people take them out.
            every: list[Any] = [result]
            if isinstance(result, xr.Dataset):
                every += [result.variables[name] for name in result.data_vars]
            for one in every:
                one.attrs.update(record)
        found: R = result
        return found

    return call


def processing_step(of: str = "data") -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate a function that changes data to record its call as one more of their steps.

    With its arguments, defaults included, but that which it changes: `of`, whose steps these are.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            check_call(function, len(args), kwargs)
            made: Any = function(*args, **kwargs)
            given = {**(function.__kwdefaults__ or {}), **_arguments(function, args, kwargs)}
            given.pop(of, None)
            done: R = with_step(made, function.__name__, **given)
            return done

        return call

    return decorate


def correction(function: F) -> F:
    """Decorate a step that makes data of a Dataset: in canonical units, with all evidence."""
    made = processing_step()(function)

    @wraps(function)
    def call(data: xr.Dataset, *more: Any, **arguments: Any) -> Any:
        return made(with_evidence(data), *more, **arguments)

    return cast("F", on_canonical_data(call))


def _arguments(function: Any, args: Any, kwargs: Any) -> dict[str, Any]:
    """Return the arguments of a call by name, in the order in which they were given."""
    return {**dict(zip(_names(function), args, strict=False)), **kwargs}


def _names(function: Any) -> tuple[str, ...]:
    names: tuple[str, ...] = function.__code__.co_varnames
    return names
