"""Make text from other sources safe to print: escape what a terminal would interpret."""

from __future__ import annotations

import unicodedata

#: Control and format characters, surrogates, line and paragraph separators.
_ESCAPED = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def visible(text: str, keep: str = "") -> str:
    r"""Escape characters that would move the cursor, or colour, reverse or hide text.

    >>> print(visible("B\x1b[2J"))
    B\x1b[2J
    """
    if text.isprintable():
        return text
    return "".join(
        c
        if c in keep or unicodedata.category(c) not in _ESCAPED
        else c.encode("unicode_escape").decode()
        for c in text
    )
