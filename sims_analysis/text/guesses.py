"""Public names in place of what users guess."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

#: Other words for what there is.
_WORDS = {
    "concentration": "interpolate",
    "csv": "to_csv",
    "excel": "to_excel",
    "fwhm": "peak",
    "max": "peak",
    "normalize": "normalise",
    "normalise_to_matrix": "normalise",
    "quantification": "with_rsf",
    "read_csv": "read",
    "read_excel": "read",
    "resample": "to_grid",
    "xj": "junction_depth",
}


def instead_of(guess: str, names: Sequence[str]) -> str:
    """Ask which name is meant by a guess: ``; did you mean peak?``; empty if none is similar."""
    word = guess.casefold()
    found = [_WORDS[word]] if word in _WORDS else []
    names = [one for one in names if one.islower()]  # functions
    found += [one for one in names if len(word) > 2 and word in one]
    found = found or get_close_matches(word, names, 3, 0.7)
    if not found:
        return ""
    *others, last = dict.fromkeys(found[:6])
    return f"; did you mean {', '.join(others) + ' or ' * bool(others) + last}?"
