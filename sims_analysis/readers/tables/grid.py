"""Cells with their places: of a text, of a sheet of a workbook, or of a DataFrame.

A grid knows its rows, what is in one, of what kind it is, how a cell is called in a message, and
the numbers of a block of rows, all at once.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from types import NoneType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sims_analysis.errors import ReadError
from sims_analysis.kernels.rows import Array
from sims_analysis.readers.source import Options
from sims_analysis.readers.tables.heuristics import HEURISTICS
from sims_analysis.readers.tables.lines import Lines, table_size
from sims_analysis.readers.tables.numbers import (
    cell_reader,
    column_name,
    columns_of_words,
    decimal_mark,
    has_points_of_thousands,
    is_number,
    may_be_thousands,
    read_cell,
    read_columns,
    split_line,
)
from sims_analysis.readers.tables.row_kinds import (
    RowKind,
    classify_row,
    comment_mark,
    is_not_measured,
)

__all__ = ["Block", "CellGrid", "Grid", "Run", "TextGrid", "transposed"]

#: Three digits behind a point, and no more.
_THREE_DIGITS = re.compile(r"\.\d\d\d(?![\deE.])")
#: Thousands with points between.
_GROUPS = re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+$")
#: A line that begins like this is neither blank nor a comment.
_OPENINGS = frozenset("0123456789+-.")
_FIRST = itemgetter(slice(1))
_NO_WORDS: Mapping[int, bool] = {}
#: The first of some rows of numbers, how many follow each other, and columns that may hold words.
Run: TypeAlias = tuple[int, int, Mapping[int, bool]]


@dataclass(frozen=True)
class Block:
    """The numbers of a table.

    Parameters
    ----------
    values : ndarray, shape (rows, columns)
    limits : dict
        ``{(row, column): limit}`` of cells like ``<2E15``.
    rows : sequence of int
        Number of each row in the file, from 1.
    texts : dict
        The cells of the columns that hold words.
    errors : dict
        Standard errors of cells like ``1E15 ± 1E14``.
    lengths : collection of int
        How many cells lines of text have.
    """

    values: Array
    limits: dict[tuple[int, int], float]
    rows: Sequence[int]
    texts: dict[int, list[str]] = field(default_factory=dict)
    errors: dict[tuple[int, int], float] = field(default_factory=dict)
    lengths: Collection[int] = ()

    def only(self, kept: NDArray[np.bool_]) -> Block:
        """Keep some rows."""
        places = np.flatnonzero(kept).tolist()
        row_of = {row: i for i, row in enumerate(places)}
        return Block(
            self.values[kept],
            {(row_of[i], j): limit for (i, j), limit in self.limits.items() if i in row_of},
            [self.rows[i] for i in places],
            {j: [texts[i] for i in places] for j, texts in self.texts.items()},
            {(row_of[i], j): error for (i, j), error in self.errors.items() if i in row_of},
        )


_ORDINALS = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"
)  # fmt: skip


def _has_comma(text: str) -> bool:
    return "," in text or "\uff0c" in text


class _Places(ABC):
    """What rows, columns and cells are called, and of which kinds rows are: once for each row."""

    options: Options
    #: Of a sheet.
    name: str | None
    #: What a row is called in messages.
    row_word: str
    #: Where numbers begin, by the columns that matter: found once.
    runs: dict[object, Run]
    _kinds: dict[int, RowKind]

    def column(self, column: int) -> int:
        """Return the place of a column in the file."""
        return column

    def letter(self, column: int) -> str:
        """Name a column as spreadsheets do."""
        return column_name(self.column(column))

    def called(self, column: int) -> str:
        """Call a column by its place, in words: ``B`` alone might be boron."""
        place = self.column(column)
        if place < len(_ORDINALS):
            words = f"the {_ORDINALS[place]} column"
        else:
            words = f"column {place + 1}"
        letter = f" ({column_name(place)} in the spreadsheet)" if self.name else ""
        return f"{words}{letter}"

    def where(self, number: int, column: int) -> str:
        """Name a cell."""
        place = self.place(number, column)
        sheet = f"sheet {self.name!r}, " if self.name else ""
        return f"{sheet}{self.row_word} {place[self.row_word]}, column {place['column']}"

    def place(self, number: int, column: int) -> dict[str, object]:
        """Return the sheet, the row and the column of a cell, as the part ``where`` of messages."""
        place = self.column(column)
        if isinstance(self, CellGrid) and self.turned:
            number, place = place + 1, number - 1
        sheet = {"sheet": self.name} if self.name else {}
        return {**sheet, self.row_word: number, "column": column_name(place)}

    def kind(self, row: int, words: Collection[int] = ()) -> RowKind:
        """Classify a row; `words` are columns that may hold some."""
        kind = self._kinds.get(row)
        # Words that are allowed matter next to numbers alone.
        if kind is None or (words and kind in (RowKind.MIXED, RowKind.HEADERS)):
            kind = self._kind(row, words)
            if not words:
                self._kinds[row] = kind
        return kind

    @abstractmethod
    def _kind(self, row: int, words: Collection[int]) -> RowKind:
        """Classify a row that was not classified before."""


# --- text -------------------------------------------------------------------------------------


@dataclass
class TextGrid(_Places):
    """Lines of text with a delimiter; ``None`` for blanks."""

    lines: Sequence[str]
    delimiter: str | None
    quoted: bool
    options: Options
    name: str | None = None
    row_word: str = "line"
    #: Lines between the numbers that a dialect has read, and left out: no warning for these.
    left_out: Collection[int] = ()
    #: The whole text, if it is known: what stands nowhere is not looked for line by line.
    text: str | None = field(default=None, repr=False)
    runs: dict[object, Run] = field(default_factory=dict, init=False, repr=False)
    _kinds: dict[int, RowKind] = field(default_factory=dict, init=False, repr=False)

    def __len__(self) -> int:
        return len(self.lines)

    def number(self, row: int) -> int:
        """Return the number of a line, from 1."""
        return row + 1

    def split(self, line: str) -> list[str]:
        """Split a line into cells."""
        return split_line(line, self.delimiter, quoted=self.quoted)

    def cells(self, row: int) -> list[str]:
        """Split a line, without the mark of a comment.

        A mark that is followed by a delimiter is a cell: ``#`` is how row numbers are headed.
        """
        line = self.lines[row]
        mark = comment_mark(line)
        if mark:
            rest = line.lstrip().removeprefix(mark)
            # Behind a blank there is one before the delimiter as well.
            unpadded = rest.lstrip(" ") if line.startswith(" ") else rest
            line = line if self.delimiter and unpadded.startswith(self.delimiter) else rest
        return [cell.strip() for cell in self.split(line)]

    def is_comment(self, row: int) -> bool:
        """Whether a line begins with the mark of a comment."""
        return bool(comment_mark(self.lines[row]))

    @property
    def decimal(self) -> str | None:
        """The decimal mark as far as it is known before the numbers are."""
        return "." if self.delimiter == "," and not self.quoted else self.options.decimal

    def _kind(self, row: int, words: Collection[int]) -> RowKind:
        line = self.lines[row]
        if not line.strip(" \t;,|\r"):
            return RowKind.BLANK
        kind = classify_row(self.cells(row), self.decimal, self.options.not_measured, words)
        # A comment is no row of numbers.
        numbers = kind in (RowKind.NUMBERS, RowKind.MIXED)
        return RowKind.WORDS if numbers and comment_mark(line) else kind

    def headers(self, row: int, width: int) -> list[str]:
        """Split a line above the numbers; between blanks, a header may hold some itself."""
        cells, mark = self.cells(row), comment_mark(self.lines[row])
        while len(cells) > width and not cells[-1]:
            del cells[-1]
        if self.delimiter is None:
            text = self.lines[row].lstrip().removeprefix(mark).strip()
            for pattern in (r"\t+", r"\s{2,}", r"\s+(?![(\[])"):
                if len(cells) == width:
                    break
                cells = re.split(pattern, text)
        elif len(cells) == width + 1 and mark and cells[0] in ("", mark):
            # The mark stands before the headers rather than for a column.
            del cells[0]
        return cells

    def rows_of_table(self, first: int, last: int) -> Sequence[int]:
        """List the lines that are neither blank nor comments."""
        lines = self.lines[first : last + 1]
        if {*map(_FIRST, lines)} <= _OPENINGS:
            return range(first, last + 1)
        return [
            row
            for row, line in enumerate(lines, first)
            if line[:1] in _OPENINGS or (line.strip(" \t;,|\r") and not comment_mark(line))
        ]

    def width(self, rows: Sequence[int]) -> int:
        """Count the columns that first rows and the last have."""
        few = [self._row(row) for row in (*rows[:20], rows[-1])]
        width = max(map(len, few))
        while width > 1 and all(len(c) < width or not c[width - 1].strip() for c in few):
            width -= 1
        return width

    def _row(self, row: int) -> list[str]:
        line = self.lines[row]
        return self.split(line.strip() if self.delimiter is None else line)

    def texts(self, rows: Sequence[int]) -> Sequence[str]:
        """Return the lines of a block."""
        whole = len(rows) == rows[-1] - rows[0] + 1
        lines = self.lines[rows[0] : rows[-1] + 1] if whole else [self.lines[i] for i in rows]
        return [line.strip() for line in lines] if self.delimiter is None else lines

    def mark(self, lines: Sequence[str], words: Mapping[int, bool], labels: Collection[int]) -> str:
        """Return the decimal mark of lines of numbers, but for columns of texts."""
        if self.options.decimal:
            return self.options.decimal
        if (self.delimiter == "," and not self.quoted) or not _has_comma(self.text or ","):
            return "."
        rows = ([c.strip('" ') for c in self.split(line)] for line in lines if _has_comma(line))
        skipped = {*labels, *words}
        mark = decimal_mark(c for cells in rows for j, c in enumerate(cells) if j not in skipped)
        if mark == "." and not all(words.values()):
            # Columns that may hold words, but do not.
            split = [self.split(line) for line in lines]
            columns = ([_at(cells, j) or "" for cells in split] for j in words.keys() - {*labels})
            texts = ([cell.strip('" ') for cell in column] for column in columns)
            nothing = self.options.not_measured
            numbers = (
                column
                for column in texts
                if all(is_number(c) or is_not_measured(c, nothing) for c in column)
            )
            mark = decimal_mark(cell for column in numbers for cell in column)
        return mark or "."

    def read(
        self,
        rows: Sequence[int],
        width: int,
        words: Mapping[int, bool] = _NO_WORDS,
        labels: Collection[int] = (),
    ) -> Block:
        """Read the numbers of lines.

        Parameters
        ----------
        rows : sequence of int
        width : int
        words : mapping
            Columns that may hold words, and whether that is certain.
        labels : collection of int
            Columns of texts, whatever is in them.

        Raises
        ------
        ReadError
            That names the first cell that is no number.
        """
        lines, nothing = self.texts(rows), self.options.not_measured
        decimal = self.mark(lines, words, labels)
        quoted = self.quoted and any('"' in line for line in lines)
        plain = not any(map(is_number, nothing))
        budget = self.options.budget
        reader = Lines(self.delimiter, decimal, width, quoted, plain, labels, words, budget)
        values, odd, beyond = reader.columns(lines)
        texts = {*labels, *columns_of_words(odd, words, nothing)}
        read = cell_reader(decimal, nothing, lambda i, j: self.where(rows[i] + 1, j))
        stated = self.options.decimal is not None
        limits, errors = read_columns(values, odd, read, decimal, texts, stated=stated)
        if not stated and decimal == ".":
            self._refuse_thousands(lines, values, texts, rows)
        if beyond is not None:
            raise ReadError(f"{self.row_word} {rows[beyond[0]] + 1}: {beyond[1]}")
        labelled = {j: [c if isinstance(c, str) else "" for c in odd[j]] for j in texts}
        whole = isinstance(rows, range)
        numbers = range(rows[0] + 1, rows[-1] + 2) if whole else [row + 1 for row in rows]
        return Block(values, limits, numbers, labelled, errors, reader.lengths)

    def _refuse_thousands(
        self, lines: Sequence[str], values: Array, texts: Collection[int], rows: Sequence[int]
    ) -> None:
        """Refuse columns whose points may separate thousands: ``998``, ``999``, ``1.000``."""
        # First rows show that hardly a column is.
        first = [self.split(line) for line in lines[: HEURISTICS.thousand_rows]]
        candidates = np.flatnonzero(_in_thousandths(values[: HEURISTICS.thousand_rows])).tolist()
        if not any(has_points_of_thousands(_at(row, j) or "" for row in first) for j in candidates):
            return
        if not any(map(_THREE_DIGITS.search, lines)):
            return
        split = [self.split(line) for line in lines]
        for j in np.flatnonzero(_in_thousandths(values)).tolist():
            if j in texts:
                continue
            cells = [(_at(row, j) or "").strip() for row in split]
            if may_be_thousands(cells):
                row = next(i for i, cell in enumerate(cells) if "." in cell)
                raise _open_thousands(self.where(rows[row] + 1, j))


def _in_thousandths(values: Array) -> NDArray[np.bool_]:
    """Return which columns hold whole numbers of thousandths below a thousand."""
    scaled = np.where(np.abs(values) < HEURISTICS.thousand, values, np.nan) * HEURISTICS.thousand
    near = (np.abs(np.rint(scaled) - scaled) < HEURISTICS.thousandth) | np.isnan(values)
    columns: NDArray[np.bool_] = np.logical_and.reduce(near, axis=0)
    return columns


def _open_thousands(where: str) -> ReadError:
    return ReadError(
        f"{where}: the points of the column may separate thousands or decimals: decimal='.' or "
        "decimal=',' says which mark is that of the decimals"
    )


# --- spreadsheets -----------------------------------------------------------------------------


@dataclass
class CellGrid(_Places):
    """Cells of a spreadsheet: numbers, texts, dates, and ``None`` where there is nothing.

    Rows and columns in which there is nothing are left out; `numbers` and `columns` tell where the
    others stand.
    """

    name: str | None
    rows: Sequence[Sequence[object]]
    options: Options
    numbers: Sequence[int] | None = None
    columns: Sequence[int] | None = None
    row_word: str = "row"
    hidden: bool = False
    #: Whether the first row labels the columns, even if it holds numbers.
    labelled: bool = False
    turned: bool = False
    #: Rows above and below those that were turned, which are notes.
    notes: Sequence[Sequence[str]] = ()
    #: Number of a row -> first and last column of each of its cells that are merged.
    spans: Mapping[int, Sequence[tuple[int, int]]] = field(default_factory=dict)
    #: First row, first column, last row and last column of cells that are merged, from 0.
    merged: Sequence[tuple[int, int, int, int]] = ()
    #: Other sheets of the workbook that hold numbers, if the user did not choose.
    others: Sequence[str] = ()
    runs: dict[object, Run] = field(default_factory=dict, init=False, repr=False)
    _texts: dict[int, list[str]] = field(default_factory=dict, init=False, repr=False)
    _kinds: dict[int, RowKind] = field(default_factory=dict, init=False, repr=False)

    def __len__(self) -> int:
        return len(self.rows)

    def number(self, row: int) -> int:
        """Return the number of a row, from 1."""
        return row + 1 if self.numbers is None else self.numbers[row]

    def cells(self, row: int) -> list[str]:
        """Return the cells of a row as text."""
        if row not in self._texts:
            self._texts[row] = [_text(cell) for cell in self.rows[row]]
        return self._texts[row]

    def is_comment(self, row: int) -> bool:  # noqa: ARG002 - of one form with that of a text
        """Return False: a spreadsheet has no comments."""
        return False

    def _kind(self, row: int, words: Collection[int]) -> RowKind:
        if self.labelled and row == 0:
            return RowKind.HEADERS
        return classify_row(self.cells(row), None, self.options.not_measured, words)

    def headers(self, row: int, width: int) -> list[str]:
        """Return the cells of a row above the numbers; one that is merged is the header of each."""
        cells = [*self.cells(row)]
        for first, end in self.spans.get(self.number(row), ()):
            last = min(end, width - 1)
            cells += [""] * (last + 1 - len(cells))
            if cells[first]:
                cells[first + 1 : last + 1] = [cells[first]] * (last - first)
        return cells

    def column(self, column: int) -> int:
        """Return the place of a column in the sheet."""
        known = self.columns or ()
        return known[column] if column < len(known) else column

    def rows_of_table(self, first: int, last: int) -> list[int]:
        """List the rows that are not blank."""
        return [i for i in range(first, last + 1) if any(self.cells(i))]

    def width(self, rows: Sequence[int]) -> int:
        """Count the columns up to the last that is filled."""
        return max((j + 1 for i in rows for j, text in enumerate(self.cells(i)) if text), default=1)

    def read(
        self,
        rows: Sequence[int],
        width: int,
        words: Mapping[int, bool] = _NO_WORDS,
        labels: Collection[int] = (),
    ) -> Block:
        """Read the numbers of rows; texts are read as numbers where they are ones."""
        nothing = self.options.not_measured
        self.options.budget.take(8 * len(rows) * width, table_size(len(rows), width))
        values = np.full((len(rows), width), np.nan, order="F")
        odd: dict[int, Sequence[object]] = {}
        # A number may say that nothing was measured.
        numbers = any(map(is_number, nothing))
        for j in range(width):
            cells = [_at(self.rows[i], j) for i in rows]
            if {*map(type, cells)} <= {int, float, NoneType} and not numbers:
                values[:, j] = cells
                continue
            plain = () if numbers else (int, float)
            odd[j] = [c if type(c) in plain else _text(c) for c in cells]
        texts = {*labels, *columns_of_words(odd, words, nothing)}
        written = (
            cell
            for row in map(self.rows.__getitem__, rows)
            for j, cell in enumerate(row)
            if isinstance(cell, str) and j not in texts
        )
        mark = self.options.decimal or decimal_mark(written) or "."

        def read(cell: str, row: int, column: int) -> float:
            where = self.where(self.number(rows[row]), column)
            return read_cell(cell, self._mark(cell, mark), nothing, where=where)

        stated = self.options.decimal is not None
        limits, errors = read_columns(values, odd, read, mark, texts, stated=stated)
        for j in () if stated or mark != "." else odd.keys() - texts:
            if may_be_thousands([_text(c) for c in odd[j]]):
                raise _open_thousands(self.where(self.number(rows[0]), j))
        labelled = {j: [_text(_at(self.rows[i], j)) for i in rows] for j in texts}
        return Block(values, limits, [self.number(i) for i in rows], labelled, errors)

    def _mark(self, text: str, mark: str) -> str:
        """Choose the decimal mark of one cell: numbers as text come from everywhere."""
        free = self.options.decimal is None and is_number(text, ".") and not _GROUPS.match(text)
        return "." if free else mark


#: Both have the same methods.
Grid: TypeAlias = TextGrid | CellGrid


def _at(cells: Sequence[Any], column: int) -> Any:
    return cells[column] if column < len(cells) else None


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, bool):
        return str(cell).upper()
    return str(cell).strip()


def transposed(grid: Grid, rows: Sequence[int]) -> CellGrid:
    """Turn rows of a grid into columns."""
    merged: Sequence[tuple[int, int, int, int]] = ()
    if isinstance(grid, TextGrid):
        cells: list[Sequence[object]] = [[*grid.cells(i)] for i in rows]
    else:
        cells, merged = [grid.rows[i] for i in rows], grid.merged
    width = max(map(len, cells))
    grid.options.budget.take(16 * width * len(rows), table_size(width, len(rows)))
    turned = [[row[j] if j < len(row) else None for row in cells] for j in range(width)]
    return CellGrid(
        grid.name,
        [[None if cell == "" else cell for cell in row] for row in turned],
        grid.options,
        numbers=[grid.column(j) + 1 for j in range(width)],
        columns=[grid.number(i) - 1 for i in rows],
        row_word=grid.row_word,
        turned=True,
        notes=[grid.cells(i) for i in range(len(grid)) if i not in rows],
        merged=[(left, top, right, bottom) for top, left, bottom, right in merged],
    )
