"""Numbers of text: lines at once where they are plain, by the exact parser of JSON, or cells.

Nothing is guessed. A comma is a decimal one where some number of the table cannot be read in any
other way; ``1,234`` alone is refused. A cell that is not a number is named by its line and column.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import orjson

from sims_analysis.errors import ReadError
from sims_analysis.kernels.rows import Array
from sims_analysis.readers.source import Options

#: Texts that say that a sample was not measured.
NOTHING = frozenset(
    ["", "nan", "na", "n/a", "#n/a", "-", "--", "---", "null", "none", "\u2013", "\u2014"]
)

_POINT = re.compile(r"[+\-\u2212]?(\d+\.?\d*|\.\d+)([eEdD][+\-\u2212]?\d+)?")
_COMMA = re.compile(r"[+\-\u2212]?(\d+,?\d*|,\d+)([eEdD][+\-\u2212]?\d+)?")
SIMPLE = re.compile(r"[+-]?\d+\.?\d*([eE][+-]?\d+)?")
_FORMS = {".": _POINT, ",": _COMMA, None: re.compile(f"{_POINT.pattern}|{_COMMA.pattern}")}
_INFINITE = re.compile(r"[+-]?inf(inity)?|[+-]?1[.,]#(INF|IND|QNAN)\d*", re.IGNORECASE)
#: Groups of three digits: a number in thousands, or one with three decimals.
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")
#: By decimal mark, numbers whose thousands are apart: by what, more groups, and the decimals.
_GROUPED = {
    ",": re.compile(r"[+-]?(?!0)\d{1,3}([.'\s\u2019])\d{3}((?:\1\d{3})*)(,\d+)?"),
    ".": re.compile(r"[+-]?(?!0)\d{1,3}([,'\s\u2019])\d{3}((?:\1\d{3})*)(\.\d+)?"),
}
_UNGROUPED = re.compile(r"[+-]?\d{4}|.*\d[eEdD]")
#: A time of day, or a duration in hours, minutes and seconds.
CLOCK = re.compile(r"(\d+ days?, )?\d{1,2}:\d{2}")
_DATE = re.compile(
    r"\d{1,4}([-./])(\d{1,2}|[^\W\d]{3,9})(\1\d{1,4})?( [\d:.]+)?|[^\W\d]{3,9}[-./ ]\d{1,4}"
)
#: What a column of signs holds.
SIGNS = frozenset(("<", "<=", "\u2264", "=<", "=", ">", ">=", "\u2265"))
_BELOW_LIMIT = re.compile(r"=?[<\u2264]=?\s*(.+)")


#: A value and its error in one cell, which may be in per cent.
_WITH_ERROR = re.compile(r"(.*\d[.,]?)\s*(?:\u00b1|\+\s?/?\s?[-\u2212])\s*([\d.,].*)")
#: A point that may separate thousands: not after a zero, and three digits behind it.
_POINTS = re.compile(r"[+-]?[1-9]\d{0,2}(?:\.\d{3})?")
#: ``x 10^18``, ``·10¹⁸``.
_TIMES_TEN = re.compile(
    r"(?<=[\d.,])\s*[x\u00d7*\u00b7\u22c5]\s*10(?:(?:\^|\*\*)([+\-\u2212]?\d+)"
    r"|([\u207a\u207b]?[\u00b9\u00b2\u00b3\u2070\u2074-\u2079]+))"
)
_RAISED = str.maketrans("⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "+-0123456789")
#: As Japanese and Chinese keyboards write them.
_WIDE = {0xFEE0 + ord(c): c for c in "0123456789.,+-<Ee"}


class Cell(float):
    """A limit below which a value was not measured."""


class Measured(float):
    """A value with its standard error, of a cell such as ``1E15 ± 1E14``."""

    stderr = math.nan


@lru_cache(maxsize=4096)
def is_number(text: str, decimal: str | None = None) -> bool:
    """Whether a cell is a number, a limit, or an infinity."""
    text, form = narrow(text.strip()), _FORMS[decimal]
    with_error = _WITH_ERROR.fullmatch(text)
    if with_error:
        error = with_error[2].removesuffix("%").strip()
        return is_number(with_error[1], decimal) and is_number(error, decimal)
    if form.fullmatch(text) or _grouped(text, decimal):
        return True
    match = _BELOW_LIMIT.fullmatch(text)
    text = match[1].strip() if match else text
    return bool(form.fullmatch(text) or _INFINITE.fullmatch(text))


def _grouped(text: str, decimal: str | None = None) -> re.Match[str] | None:
    """Match a number whose thousands are apart; for certain, if no decimal mark is known."""
    for mark in decimal or ".,":
        match = _GROUPED[mark].fullmatch(text)
        if match and (decimal or match[2] or match[3] or match[1] not in ".,"):
            return match
    return None


def open_point(cells: Sequence[str]) -> tuple[int, bool] | None:
    """Return the row of a point that may separate thousands, and whether some numbers have none."""
    numbers = [cell for cell in cells if cell.casefold() not in NOTHING and cell.strip("0")]
    with_points = [number for number in numbers if "." in number]
    if not with_points or not all(map(_POINTS.fullmatch, numbers)):
        return None
    without = {*numbers} - {*with_points}
    is_single = without and len(with_points) == 1 and max(map(len, without)) < 3
    return None if is_single else (cells.index(with_points[0]), bool(without))


def remove_separators(cells: Sequence[Any], decimal: str, *, stated: bool = False) -> Sequence[Any]:
    """Take the separators of thousands out of a column, if no cell of it leaves them open."""
    form = _GROUPED[decimal]
    matches = [form.fullmatch(c.strip()) if isinstance(c, str) else None for c in cells]
    grouped = [match for match in matches if match]
    # One blank alone may stand where a decimal mark was.
    certain = len(grouped) > 1 and any(match[1] not in ".," for match in grouped)
    if not (stated or certain or any(match[2] or match[3] for match in grouped)):
        return cells
    has_plain = any(
        _UNGROUPED.match(c.strip()) if isinstance(c, str) else abs(c or 0) >= 1000 for c in cells
    )
    if has_plain or len({match[1] for match in grouped}) > 1:
        return cells
    return [c.strip().replace(m[1], "") if m else c for c, m in zip(cells, matches, strict=True)]


def narrow(text: str) -> str:
    """Write a number of a Japanese or Chinese keyboard, or like ``1.5 x 10^18``, as others are."""
    text = text if text.isascii() else text.translate(_WIDE)
    return _TIMES_TEN.sub(lambda m: "E" + (m[1] or m[2].translate(_RAISED)), text)


def decimal_mark(cells: Iterable[str]) -> str | None:
    """Return the decimal mark of numbers; ``None`` if commas may mean either thing."""
    is_ambiguous = False
    for cell in cells:
        cell = narrow(cell)  # noqa: PLW2901 - the same cell
        if "," not in cell:
            continue
        with_error = _WITH_ERROR.fullmatch(cell.strip())
        text = (with_error[1] if with_error else cell).strip().lstrip("<\u2264= ")
        grouped = _grouped(text)
        if grouped and (grouped[3] or grouped[1] == ","):
            return grouped[3][0] if grouped[3] else "."
        if _THOUSANDS.fullmatch(text):
            is_ambiguous = True
        elif _COMMA.fullmatch(text):
            return ","
    return None if is_ambiguous else "."


def _mark_of_column(cells: Iterable[object], decimal: str) -> str:
    """Return the decimal mark of a column: another than the table's if nothing else explains it."""
    other = "." if decimal == "," else ","
    texts = [c for c in cells if isinstance(c, str) and ("." in c or "," in c)]
    needs_other = any(is_number(c, other) and not is_number(c, decimal) for c in texts)
    return other if needs_other and all(is_number(c, other) for c in texts) else decimal


def read_cell(
    text: str, decimal: str = ".", not_measured: Collection[str] = (), *, where: str = ""
) -> float:
    """Read one cell: NaN where nothing was measured, a `Cell` where a limit alone is known."""
    stripped = text.strip().strip('"').strip()
    if stripped.casefold() in NOTHING or stripped in not_measured:
        return float("nan")
    text = narrow(stripped)
    with_error = _WITH_ERROR.fullmatch(text)
    if with_error:
        with_stderr = Measured(read_cell(with_error[1], decimal, where=where))
        with_stderr.stderr = read_cell(with_error[2].removesuffix("%"), decimal, where=where)
        if with_error[2].endswith("%"):
            with_stderr.stderr *= abs(with_stderr) / 100
        return with_stderr
    match = _BELOW_LIMIT.fullmatch(text)
    number = match[1].strip() if match else text
    if _INFINITE.fullmatch(number):
        sign = "-" if number.startswith("-") else ""
        return float("nan" if "#" in number and "INF" not in number.upper() else f"{sign}inf")
    form = _COMMA if decimal == "," else _POINT
    if form.fullmatch(number):
        digits = number.replace(",", ".").replace("\u2212", "-")
        value = float(digits.replace("d", "e").replace("D", "e"))
        return Cell(value) if match else value
    hint, remedy = _hint(number)
    text = f"{where}: {stripped!r} is not a number; {hint}"
    raise ReadError(text, code="not_a_number", remedy=remedy)


def _hint(number: str) -> tuple[str, str]:
    """Say what a cell that is not a number may be, and which argument settles it."""
    grouped = any(form.fullmatch(number) for form in _GROUPED.values())
    is_above = number.startswith((">", "\u2265"))
    hints = (
        (number in SIGNS, "give its column a header, or write it into the cells: <1E15"),
        (_THOUSANDS.fullmatch(number), "its comma may separate thousands; pass decimal='.' or ','"),
        (grouped, "remove the separators of thousands, which only some cells of its column have"),
        (CLOCK.match(number), "it is a time of day or a duration: give it in seconds"),
        (number.endswith("%"), "per cent may be parts of one or of a hundred: give plain numbers"),
        (number.startswith("="), "the formula was never calculated: save it in a spreadsheet"),
        (_COMMA.fullmatch(number), "its comma may be the decimal mark; then pass decimal=','"),
        (_POINT.fullmatch(number), "its point may be the decimal mark; then pass decimal='.'"),
        (is_above, "a value above a limit is not measured; name it in not_measured="),
        (_DATE.fullmatch(number), "it looks like a date, which spreadsheets make of numbers"),
        (re.match(r"[^\w^]*\d", number), "write it as a plain number, such as 1.2E18"),
        (True, "a note begins with #; if it says that nothing was measured, pass not_measured="),
    )
    hint, _, remedy = next(hint for fits, hint in hints if fits).partition("; ")
    return hint, remedy


def read_columns(
    values: Array,
    columns: Mapping[int, Sequence[Any]],
    where: Callable[[int, int], str],
    options: Options,
    *,
    decimal: str = ".",
) -> tuple[dict[tuple[int, int], float], dict[tuple[int, int], float]]:
    """Read the columns that are not plain numbers, cell by cell, into `values`.

    Return the limits of cells like ``<2E15``, and the errors of cells like ``1E15 ± 1E14``, by
    their row and column. The first row with a cell that is not a number raises.
    """
    no_value, stated = options.not_measured, options.decimal is not None
    numbers = any(map(is_number, no_value))
    limits: dict[tuple[int, int], float] = {}
    errors: dict[tuple[int, int], float] = {}
    failure = None
    stop = len(values)
    # Columns to the right may have an odd cell in a row above.
    for j, cells in sorted(columns.items()):
        mark = decimal if stated else _mark_of_column(cells, decimal)
        other = "." if mark == "," else ","
        is_simple = mark == "." and not numbers
        for i, cell in enumerate(remove_separators(cells, mark, stated=stated)[:stop]):
            if not isinstance(cell, str):  # NaN where it is empty, or a number
                values[i, j] = cell
                continue
            if is_simple and SIMPLE.fullmatch(cell):
                values[i, j] = float(cell)
                continue
            # Programs write limits with points, next to numbers of people with commas.
            odd_mark = not stated and not is_number(cell, mark) and is_number(cell, other)
            try:
                value = read_cell(cell, other if odd_mark else mark, no_value)
            except ReadError as error:
                error.args = (f"{where(i, j)}{error.message}",)
                failure = error
                stop = i
                break
            if isinstance(value, Cell):
                limits[i, j] = value
                continue
            values[i, j] = value
            if isinstance(value, Measured):
                errors[i, j] = value.stderr
    if failure is not None:
        raise failure
    return limits, errors


def columns_of_words(
    cells: Mapping[int, Sequence[object]], words: Mapping[int, bool], not_measured: Collection[str]
) -> list[int]:
    """Return the columns that hold words, of those that may."""
    selected = []
    for j in words.keys() & cells.keys():
        texts = {cell.strip() for cell in cells[j] if isinstance(cell, str)}
        filled = [t for t in texts if t.casefold() not in NOTHING and t not in not_measured]
        numbers = any(map(is_number, filled)) or any(
            isinstance(cell, int | float) and not math.isnan(cell) for cell in cells[j]
        )
        if not all(map(is_number, filled)) and (words[j] or not numbers):
            selected.append(j)
    return selected


def split_line(line: str, delimiter: str | None, *, quoted: bool = False) -> list[str]:
    """Split a line into cells; a delimiter within quotes does not count."""
    if not (quoted and delimiter and '"' in line):
        return line.split(delimiter)
    cells: list[str] = []
    is_closed = True
    for piece in line.split(delimiter):
        if is_closed:
            cells.append(piece)
        else:
            cells[-1] += delimiter + piece
        # A quote opens a cell where it stands first; those within are doubled.
        is_closed = not cells[-1].lstrip().startswith('"') or cells[-1].count('"') % 2 == 0
    return [_unquoted(cell) for cell in cells]


def _unquoted(cell: str) -> str:
    """Take off the quotes around a cell; one that is never closed was cut off."""
    text = cell.strip()
    is_quoted = len(text) > 1 and text[0] == text[-1] == '"'
    return text[1:-1].replace('""', '"') if is_quoted else cell


def column_name(index: int) -> str:
    """Name a column as spreadsheets do."""
    name = ""
    index += 1
    while index:
        index, letter = divmod(index - 1, 26)
        name = chr(65 + letter) + name
    return name


#: A number that no table holds stands for the start of a line, and a zero less than 0 for nothing.
_LINE, _EMPTY = 1e-99, "-0.0"
#: ``true`` and ``false`` of JSON pass for numbers; ``null`` is nothing in a table as well.
_NO_NUMBERS, _NO_VALUE = "tf", re.compile("null|nan|NaN|NAN")


def table_size(rows: int, columns: int) -> str:
    """Name a table by its size, for messages."""
    return f"a table of {rows:,} rows and {columns:,} columns"


def parse_numbers(lines: Sequence[str], delimiter: str, decimal: str) -> Array | None:
    """Read lines of numbers or nothing, all of one length; ``None`` if anything else is in them."""
    if delimiter == decimal:
        return None
    if (counts := _parsed_counts(lines, delimiter, decimal)) is not None:
        return counts
    text = "\n".join(["", *lines])
    if any(mark in text for mark in _NO_NUMBERS):
        return None
    if delimiter != ",":
        if ("." if decimal == "," else ",") in text:
            return None
        text = text.replace(",", ".").replace(delimiter, ",")
    cells = f"{text},".replace("\n", f",{_LINE},")
    words = "n" in text or "N" in text
    cells, missing = _NO_VALUE.subn(_EMPTY, cells) if words else (cells, 0)
    size = len(cells)
    # Of several commas in a row, every other pair is found at once.
    for _ in range(2 if ",," in cells else 0):
        cells = cells.replace(",,", f",{_EMPTY},")
    missing += (len(cells) - size) // len(_EMPTY)
    try:
        numbers = orjson.loads(f"[{cells[1:-1]}]")
        flat = np.frombuffer(struct.pack(f"{len(numbers)}d", *numbers))
    except (orjson.JSONDecodeError, struct.error):
        return None
    step, remainder = divmod(flat.size, len(lines))
    if remainder or (flat[::step] != _LINE).any() or np.count_nonzero(flat == _LINE) > len(lines):
        return None
    if missing:
        empty = np.signbit(flat) & (flat == 0)
        if np.count_nonzero(empty) != missing:
            return None
        flat = np.where(empty, np.nan, flat)
    return flat.reshape(-1, step)[:, 1:]


def _parsed_counts(lines: Sequence[str], delimiter: str, decimal: str) -> Array | None:
    """Read lines of whole numbers behind a first cell, as counts are; ``None`` if others are."""
    if not lines[0].partition(delimiter)[2].replace(delimiter, "").isdigit():
        return None
    rows = [line.partition(delimiter) for line in lines]
    # A negative number stands for each first cell.
    text = f"{delimiter}-1{delimiter}".join(["", *(row[2] for row in rows)])[1:]
    letters = np.frombuffer(text.encode(), np.uint8)
    marks = letters == ord(delimiter)
    n_known = np.count_nonzero(letters - ord("0") < 10) + np.count_nonzero(marks) + len(lines)
    if n_known != letters.size or (marks[1:] & marks[:-1]).any() or marks[-1]:
        return None
    flat = np.fromstring(text, np.int64, sep=delimiter)
    if flat.size % len(lines) or flat.max() >= 2**53:
        return None
    values = flat.reshape(len(lines), -1).astype(float)
    first_column = parse_numbers([row[0] for row in rows], delimiter, decimal)
    if first_column is None or (values[:, 0] >= 0).any():
        return None
    values[:, :1] = first_column
    return values


def plain_column(cells: Sequence[str], decimal: str) -> Array | None:
    """Read the cells of a column of plain numbers; ``None`` if anything else is in it."""
    numbers = parse_numbers(["\t".join(cells)], "\t", decimal)
    return None if numbers is None or numbers.size != len(cells) else numbers[0]
