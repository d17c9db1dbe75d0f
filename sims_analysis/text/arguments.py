"""Arguments of a call: how messages show them, and the checks that many functions share."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from functools import wraps
from typing import Any, ParamSpec, TypeGuard, TypeVar

import numpy as np

from sims_analysis.errors import ArgumentError, ProfileError

P = ParamSpec("P")
R = TypeVar("R")


def format_argument(value: object) -> str:
    """Format an argument for a message, or for the text of a recorded call."""
    if hasattr(value, "dims"):  # a DataArray or Dataset, whose values would fill the page
        return f"<{type(value).__name__} {getattr(value, 'name', None) or ''}>".replace(" >", ">")
    if hasattr(value, "magnitude"):
        return repr(str(value))
    if isinstance(value, tuple):
        ends = "," if len(value) == 1 else ""
        return "(" + ", ".join(map(format_argument, value)) + ends + ")"
    if isinstance(value, list):
        return "[" + ", ".join(map(format_argument, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {format_argument(v)}" for key, v in value.items()) + "}"
    return repr(value)


def argument_error(name: str, value: object, expected: str) -> ProfileError:
    """Return the error for a value that an argument cannot have."""
    return ProfileError(f"{name}={format_argument(value)}; {expected}", argument=name)


#: What only lists of profiles, Datasets and results have -> what they are, and what to do.
_LISTS = {
    "species_name": (" of profiles", "use sims.to_dataset(profiles)"),
    "data_vars": (" of Datasets", "use sims.stack(datasets)"),
    "depth_profiles": (
        " of results",
        "use the .to_dataset() of each, and sims.stack() for a batch",
    ),
}


def type_error(name: str, value: Any, expected: str) -> ArgumentError:
    """Return the error for an argument of another type, and how that becomes a Dataset."""
    of, remedy = "", ""
    if hasattr(value, "to_dataset"):
        remedy = "use its .to_dataset()"
    elif isinstance(value, list | tuple) and value:
        of, remedy = next((_LISTS[key] for key in _LISTS if hasattr(value[0], key)), ("", ""))
    elif type(value).__name__ == "DataFrame":
        remedy = "use sims.from_dataframe(frame).to_dataset()"
    elif isinstance(value, str) or hasattr(value, "__fspath__"):
        remedy = "use sims.read(path).to_dataset() for an instrument's file, or sims.load(path)"
    text = f"{expected}, found {type(value).__name__}{of}"
    return ArgumentError(text, argument=name, remedy=remedy)


#: What users guess -> what there is instead, where a similar name would not help.
_INSTEAD = {
    "background": ("window=(start, stop) or value=", "subtract_background(data, ...)"),
    "species": ('data.sel(species="B") to select one',),
    "limits": ("start= and stop=",),
    "window": ("start= and stop=",),
    "start": ("after=", "window=", "data.sel() to select a part of the data"),
    "stop": ("window=", "data.sel() to select a part of the data"),
    "concentration": ("level=",),
    "threshold": ("level=",),
    "units": ("value_units= or depth_units=", "with_units(data, ...)"),
    "figsize": ("width=",),
    "legend": ("labels=",),
    "ncols": ("columns=",),
    "level": ("junctions=, from junction_depth(data, level=...)",),
}


def check_call(function: Callable[..., Any], positional: int, named: Collection[str]) -> None:
    """Refuse arguments that a function does not have, and say which call was meant.

    Data come first by position, all else by name.
    """
    code: Any = function.__code__
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    if positional <= code.co_argcount and not set(named).difference(names):
        return
    import inspect  # takes long to import, and errors are rare

    parameters = inspect.signature(function).parameters
    kinds = {name: parameter.kind for name, parameter in parameters.items()}
    first = [n for n, kind in kinds.items() if kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
    options = [n for n, kind in kinds.items() if kind is inspect.Parameter.KEYWORD_ONLY]
    if positional > len(first):
        shown = ", ".join([*first, *(f"{name}=..." for name in options[:2])])
        raise ArgumentError(
            f"{function.__name__}() takes {' and '.join(first)} by position, everything else by "
            f"name: {function.__name__}({shown})",
            code="unknown_argument",
        )
    for name in [n for n, kind in kinds.items() if kind is inspect.Parameter.VAR_KEYWORD]:
        # "Unpack[JunctionOptions]": the options of another function
        of = re.fullmatch(r"Unpack\[(\w+)\]", str(parameters[name].annotation))
        if of is None:
            return
        options += [*function.__globals__[of[1]].__annotations__]
    for name in named:
        if name not in (*first, *options):
            hint, has = instead_of(name, [*first, *options]), ", ".join([*first[1:], *options])
            raise ArgumentError(
                f"{function.__name__}() has no argument {name!r}{hint} "
                f"(it takes {has or 'the data alone'})",
                code="unknown_argument",
                argument=name,
            )


def instead_of(name: str, options: Sequence[str]) -> str:
    """Say which option was meant, or what there is instead; nothing if that is not known."""
    import difflib  # takes long to import, and errors are rare

    parts = [option for option in options if name in option.split("_")]
    near = difflib.get_close_matches(name, parts or options, 1, 0.0 if parts else 0.75)
    if near:
        return f"; did you mean {near[0]}=?"
    for instead in _INSTEAD.get(name, ()):
        if {*re.findall(r"(?<![\w(])(\w+)=", re.sub(r"\(.*\)", "", instead))} <= {*options}:
            return f"; use {instead}"
    return ""


def checks_arguments(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function to answer arguments that it does not have: see :func:`check_call`."""

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        check_call(function, len(args), kwargs)
        return function(*args, **kwargs)

    return call


def is_number(value: Any) -> TypeGuard[float]:
    """Whether a value is a plain real number, Python's or numpy's; a boolean is not."""
    return isinstance(value, float | int | np.floating | np.integer) and not isinstance(value, bool)


def check_bool(name: str, value: object) -> None:
    """Refuse values that are not booleans, such as the truthy ``"no"``."""
    if not isinstance(value, bool | np.bool_):
        raise argument_error(name, value, "expected True or False")


def check_count(name: str, value: Any, least: int = 1) -> None:
    """Refuse values other than whole numbers of at least `least`, Python's or numpy's."""
    integer = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not (integer and value >= least):
        raise argument_error(name, value, f"expected a whole number, at least {least}")


def check_choice(name: str, value: object, allowed: Iterable[str]) -> None:
    """Refuse a value that is not one of those allowed."""
    choices = list(allowed)
    if not isinstance(value, str) or value not in choices:
        *others, last = map(repr, choices)
        listed = f"{', '.join(others)} or {last}" if others else last
        raise argument_error(name, value, f"expected {listed}")


def read_names(name: str, value: Any) -> list[str]:
    """Read the names of species: one, or several in a list, an array or a DataArray."""
    values = value.values if hasattr(value, "dims") else value
    if isinstance(values, np.ndarray):
        values = np.ravel(values).tolist()
    elif isinstance(values, str) or not isinstance(values, Iterable) or hasattr(values, "units"):
        values = [values]
    names = list(values)
    if not names or not all(isinstance(label, str) for label in names):
        raise argument_error(name, value, "expected a list of species, such as ['B', 'P']")
    return [str(label) for label in names]


def read_name(name: str, value: Any) -> str:
    """Read the name of one species."""
    names = read_names(name, value)
    if len(names) > 1:
        raise argument_error(name, value, f"expected one species, such as {names[0]!r}")
    return names[0]


def list_dims(dims: Iterable[Hashable]) -> str:
    """List dimensions: ``(species, depth)``."""
    return f"({', '.join(map(str, dims))})"


def first_few(names: Sequence[str], most: int) -> str:
    """List names, only the first of many: ``B, P and 2 more``."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
