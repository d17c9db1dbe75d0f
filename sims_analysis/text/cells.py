"""Texts in the cells of CSV, which spreadsheets would take for formulas."""

from __future__ import annotations

import re

__all__ = ["in_cell", "of_cell"]

#: The mark of a text; what a formula, or a text with the mark itself, begins with.
_MARK = "'"
_MARKED = {*"=+-@\t\r\n", _MARK}
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def in_cell(text: str) -> str:
    """Mark a text that a spreadsheet would run as a formula, as a spreadsheet does it itself.

    Examples
    --------
    >>> in_cell("=HYPERLINK(1)"), in_cell("-3.5"), in_cell("11B")
    ("'=HYPERLINK(1)", '-3.5', '11B')
    >>> of_cell(in_cell("=HYPERLINK(1)"))
    '=HYPERLINK(1)'
    """
    return _MARK + text if _runs(text) and not _NUMBER.fullmatch(text) else text


def of_cell(cell: str) -> str:
    """Take the mark of :func:`in_cell` off."""
    return cell[1:] if cell[:1] == _MARK and _runs(cell[1:]) else cell


def _runs(text: str) -> bool:
    return text.lstrip(" ")[:1] in _MARKED  # some spreadsheets drop blanks before a formula
