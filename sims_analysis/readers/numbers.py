"""Numbers of text: whole tables at once where they are regular, cell by cell where they are not.

Nothing is guessed. A comma is a decimal one where some number of the table cannot be read in any
other way; ``1,234`` alone is refused. A cell that is no number is named by its line and column.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any

import numpy as np

from sims_analysis.errors import ReadError
from sims_analysis.readers.signals import Array

__all__ = [
    "Cell",
    "censored",
    "column_name",
    "decimal_mark",
    "is_number",
    "read_cell",
    "split_line",
    "table",
]

#: Texts that say that a sample was not measured.
NOTHING = frozenset(
    ["", "nan", "na", "n/a", "#n/a", "-", "--", "---", "null", "none", "\u2013", "\u2014"]
)

_POINT = re.compile(r"[+\-\u2212]?(\d+\.?\d*|\.\d+)([eEdD][+\-\u2212]?\d+)?")
_COMMA = re.compile(r"[+\-\u2212]?(\d+,?\d*|,\d+)([eEdD][+\-\u2212]?\d+)?")
#: As most are.
_SIMPLE = re.compile(r"[+-]?\d+\.?\d*([eE][+-]?\d+)?")
_FORMS = {".": _POINT, ",": _COMMA, None: re.compile(f"{_POINT.pattern}|{_COMMA.pattern}")}
_INFINITE = re.compile(r"[+-]?inf(inity)?|[+-]?1[.,]#(INF|IND|QNAN)\d*", re.IGNORECASE)
#: Groups of three digits: a number in thousands, or one with three decimals.
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")
#: Thousands apart by a blank or an apostrophe.
_SPACED = re.compile(r"[+-]?\d{1,3}(['\s\u2019]\d{3})+([.,]\d+)?")
_CLOCK = re.compile(r"(\d+ days?, )?\d{1,2}:\d{2}")
_DATE = re.compile(
    r"\d{1,4}([-./])(\d{1,2}|[^\W\d]{3,9})(\1\d{1,4})?( [\d:.]+)?|[^\W\d]{3,9}[-./ ]\d{1,4}"
)
_CENSORED = re.compile(r"[<\u2264]=?\s*(.+)")


#: As most write them.
_EMPTY = ["", "nan", "NaN"]
#: About so many characters of a table are handed on at once.
_PIECE = 1 << 16


class Cell(float):
    """A limit below which a value was not measured."""


def is_number(text: str, decimal: str | None = None) -> bool:
    """Whether a cell is a number, a limit, or an infinity."""
    text, form = text.strip(), _FORMS[decimal]
    if form.fullmatch(text):
        return True
    match = _CENSORED.fullmatch(text)
    text = match[1].strip() if match else text
    return bool(form.fullmatch(text) or _INFINITE.fullmatch(text))


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
        sign = "-" if number.startswith("-") else ""
        return float("nan" if "#" in number and "INF" not in number.upper() else f"{sign}inf")
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
    if _SPACED.fullmatch(number):
        return "; take the separators of thousands out"
    if _CLOCK.match(number):
        return "; it is a time of day or a duration: give it in seconds"
    if number.endswith("%"):
        return (
            "; a cell that is shown in percent may be meant as a part of one or of a hundred: give "
            "the cells as plain numbers"
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
    lines: Sequence[str] | Sequence[Sequence[str]],
    delimiter: str | None,
    decimal: str = ".",
    *,
    width: int,
    line_numbers: Sequence[int] | None = None,
    not_measured: Collection[str] = (),
    quoted: bool = False,
    labels: dict[int, list[str]] | None = None,
    words: Mapping[int, bool] | None = None,
    word: str = "line",
) -> tuple[Array, dict[tuple[int, int], float]]:
    """Read lines of numbers.

    Columns of plain numbers are read at once, the others cell by cell.

    Parameters
    ----------
    lines : sequence of str
        Without blank ones; or rows of cells.
    delimiter : str or None
        ``None`` for blanks.
    decimal : {".", ","}
    width : int
        Number of columns; a line may end early.
    line_numbers : sequence of int, optional
        Numbers of the lines in their file, for messages; by default from 1.
    not_measured : collection of str
        Texts that mean that nothing was measured.
    quoted : bool
        Whether cells may stand in quotes.
    labels : dict, optional
        Columns that hold words, ``{0: []}``: their cells are put here, and are no numbers.
    words : mapping, optional
        Columns that may hold words, by their heads, and whether they do even if some cells are
        numbers. Those that do are put into `labels`.
    word : str
        What a line is called in messages.

    Returns
    -------
    values : ndarray, shape (len(lines), width)
        ``NaN`` where a cell is empty. Columns are contiguous: they are what is asked for.
    limits : dict
        ``{(row, column): limit}`` of the cells like ``<2E15``, which are ``NaN`` in `values`.

    Raises
    ------
    ReadError
        That names line and column of the first cell that is no number.
    """

    def line(row: int) -> str:
        return f"{word} {line_numbers[row] if line_numbers else row + 1}"

    def split(text: str | Sequence[str]) -> Sequence[str]:
        return split_line(text, delimiter, quoted=quoted) if isinstance(text, str) else text

    def longest(texts: Any) -> int:
        if delimiter is None:
            return max(map(len, map(split, texts)), default=0)
        return max(map(str.count, texts, repeat(delimiter)), default=-1) + 1

    # A number that says that nothing was measured is no number, wherever it stands.
    plain = not any(is_number(text) for text in not_measured)
    labels = {} if labels is None else labels
    as_text: Any = dict.fromkeys(labels, str) if plain else str

    def fast() -> list[Any] | Array | None:
        # pandas takes what is too long in the first line for an index.
        if lines and (not isinstance(lines[0], str) or len(split(lines[0])) > width):
            return None
        return _fast(lines, delimiter, decimal, width, quoted=quoted, as_text=as_text)

    columns, failure = fast(), None
    if columns is None and longest(lines) > width:
        lines = [text.rstrip(delimiter) if isinstance(text, str) else text for text in lines]
        long = ((i, split(text)) for i, text in enumerate(lines) if longest([text]) > width)
        found = next(((i, cells) for i, cells in long if _beyond(cells, width)), None)
        if found is not None:
            row, cells = found
            failure = (
                f"{line(row)}: {len(cells)} cells in a table of {width} columns; "
                f"{_beyond(cells, width)!r} belongs to none"
            )
            lines = lines[:row]
        columns = fast()
    if columns is None:
        rows = [[*split(text), *[""] * width][:width] for text in lines]
        columns = [np.array(column, dtype=object) for column in zip(*rows, strict=True)]
    for j in labels:
        labels[j] += columns[j][: len(lines)].tolist() if columns else []
    if isinstance(columns, np.ndarray):
        values, columns = np.asfortranarray(columns.T), []
    else:
        values = np.full((len(lines), width), np.nan, order="F")
    limits: dict[tuple[int, int], float] = {}
    stop = len(lines)
    simple = _SIMPLE.fullmatch if plain and decimal == "." else None

    def read(cell: str, row: int, column: int) -> float:
        if simple is not None and simple(cell):
            return float(cell)
        where = f"{line(row)}, column {column_name(column)}"
        return read_cell(cell, decimal, not_measured, where=where)

    for j, column in enumerate(columns):
        if j in labels:
            continue
        if words and j in words and _holds_words(column, not_measured, certain=words[j]):
            labels[j] = ["" if not isinstance(cell, str) else cell for cell in column.tolist()]
            continue
        if column.dtype.kind != "O":
            values[:, j] = column
            continue
        odd = _read_texts(column[:stop], j, values, limits, read)
        # Columns to the right may have one in a line above.
        stop, failure = odd or (stop, failure)
    if failure is not None:
        raise ReadError(failure)
    return values, limits


def _read_texts(
    column: Any,
    j: int,
    values: Array,
    limits: dict[tuple[int, int], float],
    read: Callable[[str, int, int], float],
) -> tuple[int, str] | None:
    """Read a column cell by cell; give row and message of the first that is no number."""
    for i, cell in enumerate(column.tolist()):
        if not isinstance(cell, str):  # NaN where it is empty, or a whole number of many digits
            values[i, j] = float(cell)
            continue
        try:
            value = read(cell, i, j)
        except ReadError as error:
            return i, str(error)
        if censored(value):
            limits[i, j] = value
        else:
            values[i, j] = value
    return None


def _beyond(cells: Sequence[str], width: int) -> str | None:
    """Give the first cell beyond the columns that is not empty."""
    return next((c for c in cells[width:] if c.strip().casefold() not in NOTHING), None)


def _holds_words(column: Any, not_measured: Collection[str], *, certain: bool) -> bool:
    """Whether a column holds words: some of its cells are no numbers; if not certain, all."""
    if column.dtype.kind != "O":
        return False
    texts = [cell.strip() for cell in dict.fromkeys(column.tolist()) if isinstance(cell, str)]
    filled = [t for t in texts if t.casefold() not in NOTHING and t not in not_measured]
    numbers = sum(map(is_number, filled))
    return numbers < len(filled) and (certain or numbers == 0)


def _fast(
    lines: Any,
    delimiter: str | None,
    decimal: str,
    width: int,
    *,
    quoted: bool,
    as_text: Any,
) -> list[Any] | Array | None:
    """Give the columns: numbers where all cells are plain ones or empty, otherwise texts.

    An array where all columns are numbers; ``None`` where lines are not what the delimiter makes
    of them.
    """
    import pandas as pd

    # Until then, it was not exact unless asked.
    exact = tuple(map(int, pd.__version__.split(".")[:2])) >= (3, 1)
    options: dict[str, Any] = {} if exact else {"float_precision": "round_trip"}
    options["dtype"] = as_text or None
    numbers = [j for j in range(width) if as_text is str or j not in as_text]
    # pandas looks at each column's own texts by itself, which takes longer.
    options["na_values"] = _EMPTY if len(numbers) == width else dict.fromkeys(numbers, _EMPTY)
    try:
        frame = pd.read_csv(
            _File(lines),
            sep=r"\s+" if delimiter is None else delimiter,
            decimal=decimal,
            header=None,
            names=range(width),
            index_col=False,
            keep_default_na=False,
            quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
            skip_blank_lines=False,
            low_memory=False,
            engine="c",
            **options,
        )
    except (ValueError, OverflowError):
        return None
    if len(frame) != len(lines):
        return None
    cells = frame.to_numpy()
    if cells.dtype.kind in "fiu":
        found: Array = cells.astype(np.float64, copy=False).T
        return found
    # True and false would pass for numbers.
    if any(dtype.kind == "b" for dtype in frame.dtypes):
        return None
    return [frame[j].to_numpy() for j in range(width)]


class _File(io.RawIOBase):
    """Lines as a file, some at a time: a copy of the whole would take as long as reading it."""

    def __init__(self, lines: Sequence[str]) -> None:
        count = max(1, _PIECE // (len(lines[0]) + 1)) if lines else 1
        self._parts = ("\n".join(lines[i : i + count]) + "\n" for i in range(0, len(lines), count))
        super().__init__()

    def read(self, size: int = -1) -> bytes:  # noqa: ARG002 - pandas takes what it is given
        return next(self._parts, "").encode()


def split_line(line: str, delimiter: str | None, *, quoted: bool = False) -> list[str]:
    """Split a line into cells; a delimiter within quotes is none.

    Examples
    --------
    >>> split_line('"Depth, nm",5', ",", quoted=True)
    ['Depth, nm', '5']
    """
    if not (quoted and delimiter and '"' in line):
        return line.split(delimiter)
    cells: list[str] = []
    whole = True
    for piece in line.split(delimiter):
        if whole:
            cells.append(piece)
        else:
            cells[-1] += delimiter + piece
        # A quote opens a cell where it stands first; those within are doubled.
        whole = not cells[-1].lstrip().startswith('"') or cells[-1].count('"') % 2 == 0
    return [_unquoted(cell) for cell in cells]


def _unquoted(cell: str) -> str:
    """Take off the quotes around a cell; one that is never closed was cut off."""
    text = cell.strip()
    closed = len(text) > 1 and text[0] == text[-1] == '"'
    return text[1:-1].replace('""', '"') if closed else cell


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
