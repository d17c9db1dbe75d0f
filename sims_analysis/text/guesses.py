"""Public names in place of what users guess."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


def instead_of(guess: str, names: Sequence[str], words: Mapping[str, str] = _WORDS) -> str:
    """Ask which name is meant by a guess: ``; did you mean peak?``; empty if none is similar."""
    word = guess.casefold()
    near = [words[word]] if word in words else []
    names = [name for name in names if name.islower()]  # functions
    near += [name for name in names if len(word) > 2 and word in name]
    near = near or get_close_matches(word, names, 3, 0.7)
    if not near:
        return ""
    *others, last = dict.fromkeys(near[:6])
    return f"; did you mean {', '.join(others) + ' or ' * bool(others) + last}?"
