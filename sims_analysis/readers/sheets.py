"""Rows of cells, of a text or of a spreadsheet: where the numbers begin and end, and what they are.

The numbers are one block: from the first row of numbers to the last. Whatever stands between and
is no number is an error, so that nothing is cut off in silence.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sims_analysis.errors import ReadError
from sims_analysis.readers.numbers import (
    NOTHING,
    censored,
    column_name,
    decimal_mark,
    is_number,
    read_cell,
    table,
)
from sims_analysis.readers.signals import Array
from sims_analysis.readers.source import Options

__all__ = ["Block", "CellSheet", "Sheet", "TextSheet", "text_sheet"]

_COMMENTS = ("#", "%", "!", "//", "*")
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


def _is_row_of_numbers(cells: Sequence[str], decimal: str | None, nothing: Sequence[str]) -> bool:
    """Whether there are two numbers or more, and nothing else."""
    numbers = 0
    for cell in cells:
        text = cell.strip().strip('"')
        if is_number(text, decimal):
            numbers += 1
        elif text.casefold() not in NOTHING and text not in nothing:
            return False
    return numbers > 1


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
            cells = [c.strip() for c in self.split(stripped.removeprefix(mark) if mark else line)]
            if any(cells):
                rows.append((i + 1, cells))
        return rows

    @cached_property
    def block(self) -> Block:
        """The numbers."""
        nothing = tuple(self.options.not_measured)
        last = len(self.lines) - 1
        while last > self.first and not _is_row_of_numbers(
            self.split(self.lines[last]), self.options.decimal, nothing
        ):
            last -= 1
        kept = [
            (i + 1, line)
            for i, line in enumerate(self.lines[self.first : last + 1], self.first)
            if line.strip(" \t;,|\r") and not line.lstrip().startswith(_COMMENTS)
        ]
        rows, lines = [number for number, _ in kept], [line for _, line in kept]
        if self.delimiter is None:
            lines = [line.strip() for line in lines]
        few = [self.split(line) for line in (*lines[:20], lines[-1])]
        width = max(len(cells) for cells in few)
        while width > 1 and all(len(c) < width or not c[width - 1].strip() for c in few):
            width -= 1
        self._refuse_notes_with_numbers(last, width)
        decimal = self.options.decimal or self._decimal(lines)
        values, limits = table(
            lines,
            self.delimiter,
            decimal,
            width=width,
            line_numbers=rows,
            not_measured=nothing,
            split=self.split if self.quoted else None,
        )
        return Block(values, limits, rows)

    def _decimal(self, lines: Sequence[str]) -> str:
        if self.delimiter == "," and not self.quoted:
            return "."
        with_commas = (line for line in lines if "," in line)
        mark = decimal_mark(cell.strip('" ') for line in with_commas for cell in self.split(line))
        return mark or "."

    def _refuse_notes_with_numbers(self, last: int, width: int) -> None:
        """Refuse lines after the numbers that are a row of them with something wrong in it."""
        for i, line in enumerate(self.lines[last + 1 :], last + 1):
            cells = self.split(line)
            if line.strip() and len(cells) >= width > 1 and is_number(cells[0]):
                for j, cell in enumerate(cells):
                    read_cell(cell, self.options.decimal or ".", where=self.where(i + 1, j))

    def where(self, row: int, column: int) -> str:
        """Name a cell, for messages."""
        return f"line {row}, column {column_name(column)}"


def text_sheet(lines: Sequence[str], options: Options) -> TextSheet | None:
    """Find the delimiter of a text, and where its numbers begin; ``None`` if it has none."""
    best: tuple[tuple[int, int], TextSheet] | None = None
    nothing = tuple(options.not_measured)
    for delimiter in _DELIMITERS:
        quoted = delimiter is not None and any('"' in line for line in lines[:200])
        sheet = TextSheet(lines, delimiter, quoted, 0, options)
        decimal = "." if delimiter == "," and not quoted else options.decimal
        run = start = columns = 0
        for i, line in enumerate(lines[:400]):
            if not line.strip() or line.lstrip().startswith(_COMMENTS):
                continue
            cells = sheet.split(line)
            if _is_row_of_numbers(cells, decimal, nothing):
                start = start if run else i
                run += 1
                columns += sum(1 for cell in cells if cell.strip())
                if run == 20:
                    break
            elif run > 1:
                break
            else:
                run = columns = 0
        score = (run, columns)
        if run and (best is None or score > best[0]):
            best = score, TextSheet(lines, delimiter, quoted, start, options)
    return best[1] if best else None


# --- spreadsheets -----------------------------------------------------------------------------


@dataclass
class CellSheet:
    """Cells of a spreadsheet: numbers, texts, dates, and ``None`` where there is nothing."""

    name: str | None
    cells: Sequence[Sequence[object]]
    options: Options
    #: What the rows are called in messages.
    row_word: str = "row"

    @cached_property
    def _texts(self) -> list[list[str]]:
        return [[_text(cell) for cell in row] for row in self.cells]

    @cached_property
    def first(self) -> int | None:
        """Index of the first row of numbers; ``None`` if there is none."""
        nothing = tuple(self.options.not_measured)
        found = [_is_row_of_numbers(row, None, nothing) for row in self._texts]
        for i, is_row in enumerate(found):
            if is_row:
                following = next((k for k in range(i + 1, len(found)) if any(self._texts[k])), None)
                if following is None or found[following] or not any(found[following:]):
                    return i
        return next((i for i, is_row in enumerate(found) if is_row), None)

    @cached_property
    def heads(self) -> list[tuple[int, list[str]]]:
        """Rows above the numbers that are not blank, with their numbers from 1."""
        above = self._texts[: self.first or 0]
        return [(i + 1, row) for i, row in enumerate(above) if any(row)]

    @cached_property
    def block(self) -> Block:
        """The numbers."""
        if self.first is None:
            raise ReadError("there are no numbers in it")
        nothing = tuple(self.options.not_measured)
        last = len(self.cells) - 1
        while last > self.first and not _is_row_of_numbers(self._texts[last], None, nothing):
            last -= 1
        rows = [i for i in range(self.first, last + 1) if any(self._texts[i])]
        width = max(j + 1 for i in rows for j, text in enumerate(self._texts[i]) if text)
        texts = [t for i in rows for c, t in zip(self.cells[i], self._texts[i], strict=True)
                 if isinstance(c, str)]  # fmt: skip
        decimal = self.options.decimal or decimal_mark(texts) or "."
        values, limits = np.full((len(rows), width), np.nan), {}
        for k, i in enumerate(rows):
            for j, cell in enumerate(self.cells[i][:width]):
                if type(cell) in (int, float):
                    values[k, j] = cell
                    continue
                value = read_cell(self._texts[i][j], decimal, nothing, where=self.where(i + 1, j))
                if censored(value):
                    limits[k, j] = value
                else:
                    values[k, j] = value
        return Block(values, limits, [i + 1 for i in rows])

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
