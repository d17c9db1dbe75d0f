"""Kinds of rows: of numbers, of headers, of units, of other words; and comments."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from enum import Enum

from sims_analysis import vocabulary
from sims_analysis.readers.tables.header_cells import (
    has_role,
    is_species,
    is_unit,
    named_role,
    names_axis,
    try_header,
    unit_kind,
    without_brackets,
)
from sims_analysis.readers.tables.numbers import NOTHING, SIMPLE, is_number

_COMMENTS, _MARKS = ("#", "%", "!", "//", "*"), frozenset("#%!/*")
#: What a number may begin with that is written in some way of its own.
_DIGIT_FIRST = re.compile(r"\s*[^\w\s]*\d")
#: What spreadsheets and programs write where they could not calculate, or had no room.
_FAILED = re.compile(
    r"#(?:REF|N/A|DIV/0|VALUE|NUM|NAME|NULL)\b|[*#]{2,}(?=\s*(?:[;,\t|]|$)|\s+[-+.]?\d)"
)
_FORMULA = re.compile(r"=[^=]")
_STAR = re.compile(r"\*[-+.]?\d")


class RowKind(Enum):
    """What a row holds; the values are the words that a reader of messages sees."""

    BLANK = "blank"
    NUMBERS = "numbers"
    MIXED = "numbers and texts"
    #: The words for a depth, a time, row numbers or errors among them.
    HEADERS = "headers"
    #: Units of which one is of depths or times.
    UNITS = "units"
    VALUE_UNITS = "units of values"
    #: Other texts: names of species, notes.
    WORDS = "words"


def comment_mark(line: str) -> str:
    """Return the mark with which a line begins as a comment; empty if it is not one."""
    text = line.strip()
    if text[:1] not in _MARKS:
        return ""
    error = _FAILED.match(text)
    if (error is not None and error.end() < len(text)) or _STAR.match(text):
        return ""
    return next((mark for mark in _COMMENTS if text.startswith(mark)), "")


def is_not_measured(text: str, not_measured: Collection[str]) -> bool:
    """Whether a cell says that nothing was measured; ``Na`` is sodium."""
    return (text.casefold() in NOTHING and text != "Na") or text in not_measured


def is_odd(text: str) -> bool:
    """Whether a cell is rather a damaged number than a word, or than the formula of a species."""
    if _FAILED.match(text) or _FORMULA.match(text):
        return True
    if not _DIGIT_FIRST.match(text):
        return False
    return not is_species(try_header(text).name)


def classify_row(
    cells: Sequence[str],
    decimal: str | None = None,
    not_measured: Collection[str] = (),
    words: Collection[int] = (),
) -> RowKind:
    """Classify a row; `words` are columns that may hold some."""
    if decimal != "," and any(cells) and all(map(SIMPLE.fullmatch, filter(None, cells))):
        return RowKind.NUMBERS
    numbers = 0
    texts: list[str] = []
    in_words: list[str] = []
    for j, cell in enumerate(cells):
        text = cell.strip().strip('"')
        if is_number(text, decimal):
            numbers += 1
        elif not is_not_measured(text, not_measured):
            (in_words if j in words else texts).append(text)
    texts = texts if numbers else texts + in_words
    if not texts:
        return RowKind.NUMBERS if numbers else RowKind.BLANK
    if not any(map(str.isalnum, "".join(texts))) and not any(map(is_odd, texts)):
        return RowKind.MIXED if numbers else RowKind.BLANK
    if numbers:
        first = next(cell for cell in cells if cell.strip())
        # ``Crater depth | 500 | nm`` is about the measurement.
        is_setting = numbers == 1 and any(map(is_unit, texts))
        is_row = is_number(first, decimal) or is_odd(first) or is_setting
        return RowKind.HEADERS if names_axis(texts) and not is_row else RowKind.MIXED
    # Row numbers have none: ``#`` or ``-``.
    units = [text for text in texts if text == "%" or any(map(str.isalnum, text))]
    if all(map(is_unit, units)):
        kinds = {unit_kind(without_brackets(text)) for text in units}
        if kinds & {*vocabulary.AXES}:
            return RowKind.UNITS
        if kinds <= {*vocabulary.VALUE_KINDS}:
            return RowKind.VALUE_UNITS
    return (
        RowKind.HEADERS
        if any(has_role(t, "axis", "time", "index", "error") for t in texts)
        else RowKind.WORDS
    )


def is_transposed(rows: Sequence[Sequence[str]], not_measured: Collection[str] = ()) -> bool:
    """Whether rows are what columns usually are: a header, then numbers; one a depth or a time."""
    n_axes = n_values = 0
    for cells in rows:
        if named_role(cells[0], "text") and not any(map(is_number, cells[1:])):
            # What the samples are called.
            continue
        texts = (cell for cell in cells if not is_not_measured(cell.strip(), not_measured))
        header, *numbers = [*texts] or [""]
        if (
            len(numbers) < 2
            or is_number(header)
            or is_odd(header)
            or not all(map(is_number, numbers[-2:]))
        ):
            return False
        if has_role(header, "axis", "time"):
            n_axes += 1
        else:
            n_values += 1
    return n_axes > 0 and n_values > 0
