"""Lists of pairs: layers with where each ends, and known points."""

from __future__ import annotations

from typing import Any

from sims_analysis.errors import ProfileError
from sims_analysis.text.arguments import argument_error

__all__ = ["read_layers", "read_pairs"]


def read_pairs(given: Any, name: str, form: str) -> list[tuple[Any, Any]]:
    """Check that an argument is a list of pairs, of a form such as ``"(time, depth)"``."""
    if not isinstance(given, list | tuple) or not given:
        raise argument_error(name, given, f"expected [{form}, ...]")
    for i, pair in enumerate(given):
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise ProfileError(f"{name}[{i}]={pair!r}; expected {form}")
    return [(first, second) for first, second in given]


def read_layers(given: Any, name: str, form: str) -> list[tuple[Any, Any]]:
    """Check a list of layers: where each ends, and its value; only the last may end with None.

    Examples
    --------
    >>> read_layers([(None, 1.0), ("9 s", 0.5)], "rate", "(stop_time, rate)")
    Traceback (most recent call last):
    ...
    sims_analysis.errors.ProfileError: rate[0] has no end, but is not the last layer
    """
    layers = read_pairs(given, name, form)
    for i, (stop, _) in enumerate(layers[:-1]):
        if stop is None:
            raise ProfileError(f"{name}[{i}] has no end, but is not the last layer", argument=name)
    return layers
