"""Numbers of text: whole tables at once where they are regular, cell by cell where they are not.

Nothing is guessed. A comma is a decimal one where some number of the table cannot be read in any
other way; ``1,234`` alone is refused. A cell that is no number is named by its line and column.
"""

from __future__ import annotations

import re
import struct
import warnings
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

import numpy as np
import orjson

from sims_analysis.errors import ReadError
from sims_analysis.readers.signals import Array

__all__ = ["Cell", "censored", "column_name", "decimal_mark", "is_number", "read_cell", "table"]

#: Texts that say that a sample was not measured.
NOTHING = frozenset(
    ["", "nan", "na", "n/a", "#n/a", "-", "--", "---", "null", "none", "\u2013", "\u2014"]
)

_POINT = re.compile(r"[+\-\u2212]?(\d+\.?\d*|\.\d+)([eEdD][+\-\u2212]?\d+)?")
_COMMA = re.compile(r"[+\-\u2212]?(\d+,?\d*|,\d+)([eEdD][+\-\u2212]?\d+)?")
_INFINITE = re.compile(r"[+-]?inf(inity)?|[+-]?1[.,]#(INF|IND|QNAN)\d*", re.IGNORECASE)
#: Groups of three digits: a number in thousands, or one with three decimals.
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")
_DATE = re.compile(r"\d{1,4}([-./])(\d{1,2}|[^\W\d]{3,9})(\1\d{1,4})?( [\d:.]+)?")
_CENSORED = re.compile(r"[<\u2264]=?\s*(.+)")


class Cell(float):
    """A limit below which a value was not measured."""


def is_number(text: str, decimal: str | None = None) -> bool:
    """Whether a cell is a number, a limit, or an infinity."""
    text = text.strip()
    match = _CENSORED.fullmatch(text)
    text = match[1].strip() if match else text
    if _INFINITE.fullmatch(text):
        return True
    forms = {".": (_POINT,), ",": (_COMMA,), None: (_POINT, _COMMA)}[decimal]
    return any(form.fullmatch(text) for form in forms)


def decimal_mark(cells: Iterable[str]) -> str | None:
    """Tell the decimal mark of numbers; ``None`` if commas may mean either thing.

    Examples
    --------
    >>> decimal_mark(["0,5", "1,234"]), decimal_mark(["0.5", "3"]), decimal_mark(["1,234"])
    (',', '.', None)
    """
    doubtful = False
    for cell in cells:
        if "," not in cell:
            continue
        text = cell.strip().lstrip("<\u2264= ")
        if _THOUSANDS.fullmatch(text):
            doubtful = True
        elif _COMMA.fullmatch(text):
            return ","
    return None if doubtful else "."


def read_cell(
    text: str, decimal: str = ".", not_measured: Collection[str] = (), *, where: str = ""
) -> float:
    """Read one cell; ``NaN`` where nothing was measured, a `Cell` where only a limit is known.

    Raises
    ------
    ReadError
        If it is no number; it begins with `where`.
    """
    stripped = text.strip().strip('"').strip()
    if stripped.casefold() in NOTHING or stripped in not_measured:
        return float("nan")
    match = _CENSORED.fullmatch(stripped)
    number = match[1].strip() if match else stripped
    if _INFINITE.fullmatch(number):
        return float("nan" if "#" in number and "INF" not in number.upper() else "inf")
    form = _COMMA if decimal == "," else _POINT
    if form.fullmatch(number):
        plain = number.replace(",", ".").replace("\u2212", "-")
        value = float(plain.replace("d", "e").replace("D", "e"))
        return Cell(value) if match else value
    raise ReadError(f"{where}: {stripped!r} is no number{_hint(number, decimal)}")


def _hint(number: str, decimal: str) -> str:
    if _THOUSANDS.fullmatch(number):
        return (
            "; the comma may separate thousands or decimals: pass decimal=',', or take the "
            "separators of thousands out"
        )
    if number.startswith("="):
        return "; the formula was never calculated: open the workbook in a spreadsheet and save it"
    if decimal == "." and _COMMA.fullmatch(number):
        return "; if the comma is a decimal one, pass decimal=','"
    if decimal == "," and _POINT.fullmatch(number):
        return " with decimal commas; pass decimal='.' if the point is the decimal mark"
    if number.startswith((">", "\u2265")):
        return "; a value above a limit is not measured: name it in not_measured="
    if _DATE.fullmatch(number):
        return "; it looks like a date, which spreadsheets make of numbers"
    return "; if it says that nothing was measured, name it in not_measured="


def censored(value: float) -> bool:
    """Whether a number is the limit below which a value was not measured."""
    return isinstance(value, Cell)


def table(
    lines: Sequence[str],
    delimiter: str | None,
    decimal: str = ".",
    *,
    width: int,
    line_numbers: Sequence[int] | None = None,
    not_measured: Collection[str] = (),
    split: Callable[[str], list[str]] | None = None,
) -> tuple[Array, dict[tuple[int, int], float]]:
    """Read lines of numbers.

    Parameters
    ----------
    lines : sequence of str
        Without blank ones.
    delimiter : str or None
        ``None`` for blanks.
    decimal : {".", ","}
    width : int
        Number of columns; a line may end early.
    line_numbers : sequence of int, optional
        Numbers of the lines in their file, for messages; by default from 1.
    not_measured : collection of str
        Texts that mean that nothing was measured.
    split : callable, optional
        How a line becomes cells, where that is not by the delimiter alone (quotes).

    Returns
    -------
    values : ndarray, shape (len(lines), width)
        ``NaN`` where a cell is empty.
    limits : dict
        ``{(row, column): limit}`` of the cells like ``<2E15``, which are ``NaN`` in `values`.

    Raises
    ------
    ReadError
        That names line and column of a cell that is no number.
    """
    if split is None:
        fast = _regular(lines, delimiter, decimal, width)
        if fast is not None:
            return fast, {}
    values = np.full((len(lines), width), np.nan)
    limits: dict[tuple[int, int], float] = {}
    for i, line in enumerate(lines):
        number = line_numbers[i] if line_numbers else i + 1
        cells = split(line) if split else line.split(delimiter)
        extra = [cell for cell in cells[width:] if cell.strip()]
        if extra:
            raise ReadError(
                f"line {number}: {len(cells)} cells in a table of {width} columns; "
                f"{extra[0]!r} belongs to none"
            )
        for j, cell in enumerate(cells[:width]):
            where = f"line {number}, column {column_name(j)}"
            value = read_cell(cell, decimal, not_measured, where=where)
            if censored(value):
                limits[i, j] = value
            else:
                values[i, j] = value
    return values, limits


def _regular(lines: Sequence[str], delimiter: str | None, decimal: str, width: int) -> Array | None:
    """Read a table of plain numbers in one pass; ``None`` if it is not one."""
    text = "\n".join(lines)
    if decimal == "," and "." in text:
        return None
    if delimiter is None:
        rows = [line.split() for line in lines]
        if {len(cells) for cells in rows} != {width}:
            return None
        delimiter = "\t"
        text = "\n".join(map("\t".join, rows))
    else:
        if " " in text:
            text = re.sub(rf" *({re.escape(delimiter)}|\n) *", r"\1", text).strip(" ")
            if " " in text:
                return None
        delimiters = {line.count(delimiter) for line in lines}
        if delimiters == {width}:
            # A delimiter at the end of every line.
            text = text.replace(f"{delimiter}\n", "\n").removesuffix(delimiter)
            if text.count(delimiter) != (width - 1) * len(lines):
                return None
        elif delimiters != {width - 1}:
            return None
        if delimiter != "\t":
            text = text.replace(delimiter, "\t")
    if decimal == ",":
        text = text.replace(",", ".")
    values = _parsed(text)
    if values is None:
        values = _parsed(_filled(text))
    if values is None or values.size != len(lines) * width:
        return None
    return values.reshape(-1, width)


def _filled(text: str) -> str:
    """Write NaN into the empty cells."""
    for _ in range(2):
        text = text.replace("\t\t", "\tnan\t")
    text = text.replace("\n\t", "\nnan\t").replace("\t\n", "\tnan\n")
    return ("nan" if text[:1] == "\t" else "") + text + ("nan" if text[-1:] == "\t" else "")


_COMMAS = bytes.maketrans(b"\t\n", b",,")


def _parsed(text: str) -> Array | None:
    """Read numbers between tabs and line ends; ``None`` if one of them is none.

    As JSON, which is three times as fast, where they are spelled like that.
    """
    # A comma would part a number, and true and false would be packed like one.
    if not any(character in text for character in ",tf"):
        listed = text.encode().translate(_COMMAS)
        gaps = b"nan" in listed
        try:
            numbers = orjson.loads(b"[%b]" % (listed.replace(b"nan", b"null") if gaps else listed))
        except orjson.JSONDecodeError:
            pass
        else:
            return _packed(numbers)
    if "\t\t" in text or "\n\t" in text or "\t\n" in text or text[:1] == "\t" or text[-1:] == "\t":
        return None
    try:
        with warnings.catch_warnings():
            # What cannot be read to its end is a warning today, and an error tomorrow.
            warnings.simplefilter("error", DeprecationWarning)
            return np.fromstring(text, dtype=np.float64, sep=" ")
    except (ValueError, DeprecationWarning):
        return None


def _packed(numbers: list[Any]) -> Array | None:
    """Make an array of what JSON holds; ``None`` if something is no number."""
    try:
        return np.frombuffer(struct.pack(f"{len(numbers)}d", *numbers), dtype=np.float64)
    except (struct.error, OverflowError):
        pass
    if set(map(type, numbers)) <= {float, int, type(None)}:
        return np.array(numbers, dtype=np.float64)
    return None


def column_name(index: int) -> str:
    """Name a column as spreadsheets do.

    Examples
    --------
    >>> column_name(0), column_name(25), column_name(26)
    ('A', 'Z', 'AA')
    """
    name = ""
    index += 1
    while index:
        index, letter = divmod(index - 1, 26)
        name = chr(65 + letter) + name
    return name
