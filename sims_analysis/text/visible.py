"""Text from elsewhere, made safe to print: what a terminal would obey is spelled out."""

from __future__ import annotations

import unicodedata

__all__ = ["visible"]

#: Control and format characters, halves of surrogate pairs, separators of lines and paragraphs.
_OBEYED = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def visible(text: str, keep: str = "") -> str:
    r"""Spell out what would move the cursor, colour, reverse or hide text.

    Parameters
    ----------
    text : str
        Such as a species name, a note or a message of a server.
    keep : str
        Characters that stay as they are, such as the line breaks of a table.

    Examples
    --------
    >>> print(visible("B\x1b[2J"))
    B\x1b[2J
    """
    if text.isprintable():
        return text
    return "".join(
        c
        if c in keep or unicodedata.category(c) not in _OBEYED
        else c.encode("unicode_escape").decode()
        for c in text
    )
