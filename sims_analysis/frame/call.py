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

    ``call`` is for people. ``question`` and the origin of the data are for programs: see
    :func:`sims_analysis.dataset.provenance.question_attrs`.
    """

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        check_call(function, len(args), kwargs)
        result: Any = function(*args, **kwargs)
        if isinstance(result, xr.DataArray | xr.Dataset):
            options = (f", {name}={format_argument(value)}" for name, value in kwargs.items())
            record = {"call": f"{function.__name__}(data{''.join(options)})"}
            data, *others = args or [kwargs.get("data")]
            if isinstance(data, xr.DataArray | xr.Dataset):
                arguments = dict(zip(("b",), others, strict=False)) | kwargs
                arguments.pop("data", None)
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
    """Decorate a function that makes data of a Dataset: in canonical units, with all evidence.

    See :func:`sims_analysis.conventions.canonical.on_canonical_data` and
    :func:`sims_analysis.frame.evidence.with_known`.
    """

    @wraps(function)
    def call(data: xr.Dataset, **arguments: Any) -> Any:
        return function(with_known(data), **arguments)

    return cast("F", on_canonical_data(call))


def history_after(data: xr.Dataset | xr.DataArray, line: str) -> str:
    """Return the history of data after one more step: one line per step, the latest last."""
    earlier = [str(data.attrs["history"])] if "history" in data.attrs else []
    return "\n".join([*earlier, line])
