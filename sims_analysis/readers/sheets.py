"""Rows of cells, of a text or of a spreadsheet: where the numbers begin and end, and what they are.

The numbers are one block: from the first row of numbers to the last. Whatever stands between and
is no number is an error, so that nothing is cut off in silence.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import pairwise

import numpy as np

from sims_analysis.errors import ProfileWarning, ReadError, warn
from sims_analysis.readers.headings import says
from sims_analysis.readers.numbers import (
    NOTHING,
    censored,
    column_name,
    decimal_mark,
    is_number,
    read_cell,
    table,
    tell_if_cut,
    tell_of_short_rows,
)
from sims_analysis.readers.signals import Array
from sims_analysis.readers.source import Options

__all__ = ["Block", "CellSheet", "Sheet", "TextSheet", "refuse_odd_cells", "text_sheet"]

_COMMENTS = ("#", "%", "!", "//", "*")
#: Thousands with points between.
_GROUPS = re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+$")
#: What a number may begin with that is written in some way of its own.
_DIGIT_FIRST = re.compile(r"\s*[^\w\s]*\d")
#: What spreadsheets and programs write where they could not calculate, or had no room.
_FAILED = re.compile(
    r"#(?:REF|N/A|DIV/0|VALUE|NUM|NAME|NULL)\b|[*#]{2,}(?=\s*(?:[;,\t|]|$)|\s+[-+.]?\d)"
)
_FORMULA = re.compile(r"=[^=]")
#: A line that begins like this is neither blank nor a comment.
_OPENINGS = frozenset("0123456789+-.")
#: A line of numbers, or the beginning of one.
_CUT = re.compile(r"\s*[-+.\d\"][-+.,;|eEdD\d\s\"]*")
#: As many rows before the last tell how long rows are.
_NEAR = 100
#: More empty lines than these between the numbers are how the file ends its lines.
_FEW_GAPS = 3
#: Numbers begin within so many lines.
_FAR = 1000
#: Delimiters in the order in which they are preferred where several explain a text.
_DELIMITERS = ("\t", ";", ",", "|", None)


@dataclass(frozen=True)
class Block:
    """The numbers of a sheet.

    Parameters
    ----------
    values : ndarray, shape (rows, columns)
    limits : dict
        ``{(row, column): limit}`` of cells like ``<2E15``.
    rows : sequence of int
        Number of each row in the sheet, from 1.
    """

    values: Array
    limits: dict[tuple[int, int], float]
    rows: Sequence[int]


def _numbers_in(cells: Sequence[str], decimal: str | None, nothing: Sequence[str]) -> int:
    """Count the numbers of a row; 0 if it holds anything else."""
    count = 0
    for cell in cells:
        text = cell.strip().strip('"')
        if is_number(text, decimal):
            count += 1
        elif text.casefold() not in NOTHING and text not in nothing:
            return 0
    return count


def _has_words(cells: Sequence[str]) -> bool:
    """Whether a row is neither blank nor a line that is drawn under the heads."""
    return any(map(str.isalnum, "".join(cells)))


def _is_nothing(text: str, options: Options) -> bool:
    """Whether a cell says that nothing was measured."""
    return text.casefold() in NOTHING or text in options.not_measured


def _refuse_row(
    cells: Sequence[str], options: Options, where: Callable[[int], str], *, above: bool = False
) -> None:
    """Refuse what stands above or below the numbers if it is rather a row of them than a note.

    A depth like ``1,000.5``, or one that has become a date, begins with a digit; a note does not.
    A note begins in the first column, and may state one number, but not right above the others,
    and does not fill all columns.
    """
    first, *others = [cell for cell in cells if cell.strip()] or [""]
    numbers = sum(map(is_number, others))
    odd = _DIGIT_FIRST.match(first) or _FAILED.match(first)
    if is_number(first) or (numbers and odd) or _FORMULA.match(first):
        for j, cell in enumerate(cells):
            read_cell(cell, options.decimal or ".", options.not_measured, where=where(j))
    elif numbers > (not above and bool(cells[0].strip()) and 1 + len(others) < len(cells)):
        warn(
            f"{where(0).rpartition(',')[0]} begins with {first.strip()!r} and holds "
            f"{numbers} number{'s' if numbers > 1 else ''}: taken for a note; if it is a row of "
            "the table, correct its cells or name the text in not_measured=",
            ProfileWarning,
        )


def _is_head(cells: Sequence[str]) -> bool:
    """Whether a row names a depth, a time or row numbers."""
    return any(says(cell, "axis", "time", "index") for cell in cells)


def _is_comment(line: str) -> bool:
    """Whether a line is a comment; a cell that could not be written begins like one."""
    text = line.strip()
    failed = _FAILED.match(text)
    return text.startswith(_COMMENTS) and (failed is None or failed.end() == len(text))


def refuse_odd_cells(
    rows: Iterable[tuple[int, Sequence[str]]], options: Options, where: Callable[[int, int], str]
) -> None:
    """Refuse the first row that would be one of numbers but for the way a cell is written."""
    for number, cells in rows:
        first, *others = [cell for cell in cells if cell.strip()] or [""]
        begins = _DIGIT_FIRST.match(first) or _FORMULA.match(first)
        if others and begins and any(map(is_number, cells)):
            for j, cell in enumerate(cells):
                read_cell(
                    cell, options.decimal or ".", options.not_measured, where=where(number, j)
                )


def _refuse_words(
    rows: Iterable[tuple[int, Sequence[str]]], options: Options, where: Callable[[int, int], str]
) -> None:
    """Refuse a row of words between rows of numbers, if it is the first that is odd."""
    for number, cells in rows:
        words = [j for j, c in enumerate(cells) if not is_number(c) and not _is_nothing(c, options)]
        if words and not any(map(is_number, cells)):
            raise ReadError(
                f"{where(number, words[0])}: {cells[words[0]].strip()!r} stands between rows of "
                "numbers; if another table begins there, put it into a file or a sheet of its own, "
                "otherwise take it out"
            )
        if words:
            return


def _tell_of_gap(rows: Sequence[int], word: str) -> None:
    """Tell where numbers go on below an empty line or a comment: another table, or a note.

    Files in which every other line is empty, by their line ends, are as usual.
    """
    gaps = [(a, b) for a, b in pairwise(rows) if b - a > 1]
    if gaps and len(gaps) <= _FEW_GAPS:
        after, on = gaps[-1]
        warn(
            f"the numbers end at {word} {after} and go on at {word} {on}, below an empty {word} or "
            "a comment: read as one table; if that is another table or a note, take it out",
            ProfileWarning,
        )


# --- text -------------------------------------------------------------------------------------


@dataclass
class TextSheet:
    """Lines of text with a delimiter."""

    lines: Sequence[str]
    delimiter: str | None
    quoted: bool
    first: int
    options: Options
    name: str | None = None

    def split(self, line: str) -> list[str]:
        """Split a line into cells."""
        if self.quoted and self.delimiter:
            return next(csv.reader([line], delimiter=self.delimiter), [])
        return line.split(self.delimiter)

    @cached_property
    def heads(self) -> list[tuple[int, list[str]]]:
        """Rows above the numbers that are not blank, with their numbers from 1."""
        rows = []
        for i, line in enumerate(self.lines[: self.first]):
            stripped = line.lstrip()
            mark = next((m for m in _COMMENTS if stripped.startswith(m)), "")
            text = stripped.removeprefix(mark) if mark else line
            cells = [cell.strip() for cell in self.split(text)]
            if self.delimiter is None:
                cells = self._between_blanks(text.strip(), cells)
            # "Dose = 3e13" names no column.
            if "=" not in cells and _has_words(cells):
                rows.append((i + 1, cells))
        return rows

    def _between_blanks(self, text: str, cells: list[str]) -> list[str]:
        """Split a head whose cells hold blanks themselves: ``Depth (nm)   B (at/cm3)``."""
        width = len(self.split(self.lines[self.first]))
        for pattern in (r"\t+", r"\s{2,}", r"\s+(?![(\[])"):
            if len(cells) == width:
                break
            cells = re.split(pattern, text)
        return cells

    @cached_property
    def notes(self) -> list[list[str]]:
        """Rows below the numbers that are not blank."""
        below = self.lines[self.block.rows[-1] :]
        return [[cell.strip() for cell in self.split(line)] for line in below if line.strip()]

    @cached_property
    def block(self) -> Block:
        """The numbers."""
        nothing = tuple(self.options.not_measured)
        last = len(self.lines) - 1
        while last > self.first and not _numbers_in(
            self.split(self.lines[last]), self.options.decimal, nothing
        ):
            last -= 1
        rows: Sequence[int] = range(self.first + 1, last + 2)
        lines = self.lines[self.first : last + 1]
        if not {line[:1] for line in lines} <= _OPENINGS:
            kept = [
                (number, line)
                for number, line in zip(rows, lines, strict=True)
                if line.strip(" \t;,|\r") and not _is_comment(line)
            ]
            self._refuse_heads(rows)
            rows, lines = [number for number, _ in kept], [line for _, line in kept]
            _tell_of_gap(rows, "line")
        if self.delimiter is None:
            lines = [line.strip() for line in lines]
        few = [self.split(line) for line in (*lines[:20], lines[-1])]
        width = max(len(cells) for cells in few)
        while width > 1 and all(len(c) < width or not c[width - 1].strip() for c in few):
            width -= 1
        decimal = self.options.decimal or self._decimal(lines)
        self._refuse_lost_rows(last, width, replace(self.options, decimal=decimal))
        self._refuse_cut(last, lines, width)
        try:
            values, limits = table(
                lines,
                self.delimiter,
                decimal,
                width=width,
                line_numbers=rows,
                not_measured=nothing,
                quoted=self.quoted and any('"' in line for line in lines),
            )
        except ReadError:
            cells = ((number, self.split(line)) for number, line in zip(rows, lines, strict=True))
            _refuse_words(cells, self.options, self.where)
            raise
        self._refuse_short(lines, rows, values)
        if self.delimiter is not None and not self.quoted and np.isnan(values[:, -1]).any():
            tell_of_short_rows(lines, self.delimiter, width, rows)
        return Block(values, limits, rows)

    def _refuse_heads(self, rows: Iterable[int]) -> None:
        """Refuse heads in a comment between the numbers: another table begins there."""
        for row in rows:
            text = self.lines[row - 1]
            if not _is_comment(text):
                continue
            cells = self.split(text.lstrip().lstrip("".join(_COMMENTS)))
            if len(cells) > 1 and _is_head(cells):
                raise ReadError(
                    f"line {row}: {text.strip()[:60]!r} is the head of another table, below "
                    "numbers of the first; put it into a file of its own"
                )

    def _refuse_short(self, lines: Sequence[str], rows: Sequence[int], values: Array) -> None:
        """Refuse rows that lack cells between blanks: nobody can tell which."""
        if self.delimiter is not None:
            return
        width = values.shape[1]
        for i in np.flatnonzero(np.isnan(values[:, -1])).tolist():
            number = rows[i]
            # One that breaks off at the end of the file lacks the last ones.
            if len(lines[i].split()) < width and number < len(self.lines):
                raise ReadError(
                    f"line {number}: {len(lines[i].split())} of {width} cells, and between blanks "
                    "nobody can tell which are missing; put tabs between the cells, or nan where "
                    "there is no value"
                )

    def _decimal(self, lines: Sequence[str]) -> str:
        if self.delimiter == "," and not self.quoted:
            return "."
        with_commas = (line for line in lines if "," in line)
        mark = decimal_mark(cell.strip('" ') for line in with_commas for cell in self.split(line))
        return mark or "."

    def _refuse_lost_rows(self, last: int, width: int, options: Options) -> None:
        """Refuse lines before and after the numbers that are a row of them with a bad cell."""
        above = next((i for i in range(self.first - 1, -1, -1) if self.lines[i].strip()), None)
        if above is not None:
            cells = self.split(self.lines[above])
            if len(cells) == width > 1 and not _is_head(cells):
                _refuse_row(cells, options, partial(self.where, above + 1), above=True)
            self._refuse_interrupted(above, width)
        for i in range(last + 1, len(self.lines)):
            cells = self.split(self.lines[i])
            if not any(cell.strip() for cell in cells[width:]):
                del cells[width:]
            if len(cells) != width or width == 1:
                continue
            if i == len(self.lines) - 1 and all(is_number(c, options.decimal) for c in cells[:-1]):
                self.options.truncated(
                    f"the file breaks off within line {i + 1}: its last cell is {cells[-1]!r}, and "
                    "the line has no end"
                )
                continue
            _refuse_row(cells, options, partial(self.where, i + 1))

    def _refuse_interrupted(self, above: int, width: int) -> None:
        """Refuse numbers that a line of words cuts off from those below."""
        for i in range(above, -1, -1):
            line = self.lines[i]
            cells = self.split(line)
            if len(cells) != width or _is_comment(line):
                continue
            if width > 1 and all(map(is_number, cells)):
                raise ReadError(
                    f"line {i + 1} is a row of numbers like those from line {self.first + 1} on, "
                    f"but {self.lines[above].strip()[:60]!r} stands between them; take it out, or "
                    "begin it with #"
                )
            return

    def _refuse_cut(self, last: int, lines: Sequence[str], width: int) -> None:
        """Refuse a text that ends within a row, and tell of one that seems to."""
        end = len(self.lines) - 1
        cut = self.lines[end]
        if end - last not in (0, 1) or not _CUT.fullmatch(cut):
            return
        whole = lines[:-1] if end == last else lines
        rows = [self.split(line) for line in whole[-_NEAR:]]
        least = min(map(len, rows), default=0)
        cells = self.split(cut)
        if len(cells) < least and len(cells) < min(len(self.split(line)) for line in whole):
            self.options.truncated(
                f"the file breaks off within line {end + 1}: {len(cells)} of {width} cells, and no "
                "end of the line"
            )
        elif end == last and len(cells) == least == width and all(row[-1].strip() for row in rows):
            tell_if_cut(self.lines, [row[-1] for row in (*rows, cells)])

    def where(self, row: int, column: int) -> str:
        """Name a cell, for messages."""
        return f"line {row}, column {column_name(column)}"


def text_sheet(lines: Sequence[str], options: Options) -> TextSheet | None:
    """Find the delimiter of a text, and where its numbers begin; ``None`` if it has none."""
    only = None
    for delimiter in _DELIMITERS:
        if delimiter is not None and not any(delimiter in line for line in lines):
            continue
        quoted = delimiter is not None and any('"' in line for line in lines[:200])
        sheet = TextSheet(lines, delimiter, quoted, 0, options)
        sheet.first, run = _first_run(sheet)
        if run > 1:
            return sheet
        only = only or (sheet if run else None)
    return only


def _first_run(sheet: TextSheet) -> tuple[int, int]:
    """Find where rows of numbers begin, and how many follow each other, up to 3."""
    nothing = tuple(sheet.options.not_measured)
    decimal = "." if sheet.delimiter == "," and not sheet.quoted else sheet.options.decimal
    run = start = width = 0
    for i, line in enumerate(sheet.lines[:_FAR]):
        if not line.strip() or _is_comment(line):
            continue
        cells = sheet.split(line)
        numbers = _numbers_in(cells, decimal, nothing)
        if numbers == 0 or (run and len(cells) != width and numbers < 2):
            if run > 1:
                break
            run = 0
            continue
        if not run:
            # The first rows may lack values.
            if len(cells) < 2:
                continue
            start, width = i, len(cells)
        run += 1
        if run == 3:
            break
    return start, run


# --- spreadsheets -----------------------------------------------------------------------------


@dataclass
class CellSheet:
    """Cells of a spreadsheet: numbers, texts, dates, and ``None`` where there is nothing."""

    name: str | None
    cells: Sequence[Sequence[object]]
    options: Options
    #: What the rows are called in messages.
    row_word: str = "row"
    hidden: bool = False
    #: Whether the first row labels the columns, even if it holds numbers.
    labelled: bool = False
    #: Other sheets of the workbook that hold numbers, if nobody chose between them.
    others: Sequence[str] = ()

    @cached_property
    def texts(self) -> list[list[str]]:
        """The cells as text."""
        return [[_text(cell) for cell in row] for row in self.cells]

    @cached_property
    def first(self) -> int | None:
        """Index of the first row of numbers; ``None`` if there is none."""
        nothing = tuple(self.options.not_measured)
        counts = [_numbers_in(row, None, nothing) for row in self.texts]
        if self.labelled:
            counts[0] = 0
        full = next((i for i, count in enumerate(counts) if count > 1), None)
        while full and counts[full - 1]:
            full -= 1
        return full

    @cached_property
    def notes(self) -> list[list[str]]:
        """Rows below the numbers that are not blank."""
        return [row for row in self.texts[self.block.rows[-1] :] if any(row)]

    @cached_property
    def heads(self) -> list[tuple[int, list[str]]]:
        """Rows above the numbers that are not blank, with their numbers from 1."""
        above = self.texts[: self.first or 0]
        return [(i + 1, row) for i, row in enumerate(above) if _has_words(row)]

    @cached_property
    def block(self) -> Block:
        """The numbers."""
        if self.first is None:
            self.refuse_odd_cells()
            raise ReadError("there are no numbers in it that stand in columns")
        nothing = tuple(self.options.not_measured)
        last = len(self.cells) - 1
        while last > self.first and not self._begins_with_number(last):
            if any(self.texts[last]):
                _refuse_row(self.texts[last], self.options, partial(self.where, last + 1))
            last -= 1
        rows = [i for i in range(self.first, last + 1) if any(self.texts[i])]
        _tell_of_gap([i + 1 for i in rows], self.row_word)
        width = max(j + 1 for i in rows for j, text in enumerate(self.texts[i]) if text)
        above = next((i for i in range(self.first - 1, -1, -1) if any(self.texts[i])), None)
        if above is not None and not _is_head(self.texts[above]) and not self.labelled:
            place = partial(self.where, above + 1)
            _refuse_row(self.texts[above], self.options, place, above=True)
        texts = [t for i in rows for c, t in zip(self.cells[i], self.texts[i], strict=True)
                 if isinstance(c, str)]  # fmt: skip
        mark = self.options.decimal or decimal_mark(texts) or "."
        values, limits = np.full((len(rows), width), np.nan), {}
        for k, i in enumerate(rows):
            for j, cell in enumerate(self.cells[i][:width]):
                if type(cell) in (int, float):
                    values[k, j] = cell
                    continue
                text = self.texts[i][j]
                decimal = mark
                if (
                    self.options.decimal is None
                    and is_number(text, ".")
                    and not _GROUPS.match(text)
                ):
                    # Numbers as text come from everywhere.
                    decimal = "."
                try:
                    value = read_cell(text, decimal, nothing, where=self.where(i + 1, j))
                except ReadError:
                    _refuse_words([(i + 1, self.texts[i])], self.options, self.where)
                    raise
                if censored(value):
                    limits[k, j] = value
                else:
                    values[k, j] = value
        return Block(values, limits, [i + 1 for i in rows])

    def refuse_odd_cells(self) -> None:
        """Refuse the first row that would be one of numbers but for the way a cell is written."""
        refuse_odd_cells(enumerate(self.texts, 1), self.options, self.where)

    def _begins_with_number(self, row: int) -> bool:
        """Whether the first cells of a row are a number and something beside it."""
        filled = [t for t in self.texts[row] if t and not _is_nothing(t, self.options)]
        alone = len(filled) == 1 and len([t for t in self.texts[self.first or 0] if t]) > 1
        return bool(filled) and is_number(filled[0]) and not (alone and row < (self.first or 0))

    def where(self, row: int, column: int) -> str:
        """Name a cell, for messages."""
        sheet = f"sheet {self.name!r}, " if self.name else ""
        return f"{sheet}{self.row_word} {row}, column {column_name(column)}"


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, bool):
        return str(cell).upper()
    return str(cell).strip()


Sheet = TextSheet | CellSheet
