"""Texts in cells of CSV and workbooks, which spreadsheets would take for formulas."""

from __future__ import annotations

import re

#: Where a spreadsheet may begin a cell: it need not split at commas, and may split within quotes.
_START = r"(^|[;\t\r\n])"
#: What spreadsheets skip: blanks of every width, controls, marks of byte order and direction.
_SKIPPED = (
    r"[\s\x00-\x20\x7f-\xa0\xad\u061c\u115f\u180e"
    r"\u200b-\u200f\u2028-\u202f\u205f-\u206f\u3164\ufeff]*"
)
#: What a formula begins with, also in full width; or a text with the mark itself.
_FORMULA = r"[=+\-@'＝＋－＠﹦﹢﹣﹫]"
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![^;\t\r\n])"
_RUNS = re.compile(rf"{_START}(?!{_NUMBER})(?={_SKIPPED}{_FORMULA})")
_MARKED = re.compile(rf"{_START}'(?={_SKIPPED}{_FORMULA})")


def escape_cell(text: str) -> str:
    """Mark a text that a spreadsheet would run as a formula by ``'``, as a spreadsheet does it.

    Also behind what a spreadsheet may take for the end of a cell: ``;``, tabs, ends of lines.

    Examples
    --------
    >>> [escape_cell(text) for text in ("=HYPERLINK(1)", "-3.5", "11B", "11B;=1+1")]
    ["'=HYPERLINK(1)", '-3.5', '11B', "11B;'=1+1"]
    >>> unescape_cell(escape_cell("=HYPERLINK(1)"))
    '=HYPERLINK(1)'
    """
    return _RUNS.sub(r"\1'", text)


def unescape_cell(cell: str) -> str:
    """Take the marks of :func:`escape_cell` off."""
    return _MARKED.sub(r"\1", cell)
