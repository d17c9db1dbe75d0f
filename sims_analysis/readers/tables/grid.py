"""Cells with their places: of a text, of a sheet of a workbook, or of a DataFrame."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass, field, replace
from functools import cached_property
from operator import itemgetter
from types import MappingProxyType, NoneType
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sims_analysis.errors import ProfileWarning, ReadError, warn
from sims_analysis.kernels.rows import Array
from sims_analysis.readers.source import Options
from sims_analysis.readers.tables.header_cells import holds_words, try_header
from sims_analysis.readers.tables.numbers import (
    CLOCK,
    NOTHING,
    column_name,
    columns_of_words,
    decimal_mark,
    is_number,
    open_point,
    parse_numbers,
    plain_column,
    read_columns,
    split_line,
    table_size,
)
from sims_analysis.readers.tables.row_kinds import RowKind, classify_row, comment_mark

#: Numbers, and headers that a user names, begin within so many rows.
FIRST_ROWS = 1000
#: The cells of so many first lines are looked at again and again.
_KEPT_ROWS = 30
#: First rows that show whether points of a column may separate thousands: in numbers below the
#: first, to this part of a thousandth.
_THOUSAND_ROWS, _THOUSAND, _THOUSANDTH = 50, 1000.0, 1e-6
#: Three digits behind a point, and no more.
_THREE_DIGITS = re.compile(r"\.\d\d\d(?![\deE.])")
#: A point that separates no thousands.
_DECIMALS = re.compile(r"(?<!\d)0*\.\d|\d{4}\.\d|\.\d{1,2}(?!\d)|\.\d{4}|\.\d+[eEdD]")
#: A line that begins like this is neither blank nor a comment.
_OPENINGS, _COMMAS = frozenset("0123456789+-."), ",\uff0c"
_FIRST = itemgetter(slice(1))
_NO_WORDS: Mapping[int, bool] = MappingProxyType({})
_ORDINALS = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"
)  # fmt: skip


#: About so many characters of a text are taken at once; memory in bytes of a cell kept as text.
PIECE, _TEXT = 1 << 16, 60


#: Numbers of shape (rows, columns), NaN in columns that are not plain; the cells of these; the
#: decimal mark, if it is known; how many cells lines have.
Split: TypeAlias = "tuple[Array, Mapping[int, Sequence[object]], str | None, Collection[int]]"


@dataclass(frozen=True)
class Block:
    """The numbers of a table."""

    #: Of shape (rows, columns).
    values: Array
    #: ``{(row, column): limit}`` of cells like ``<2E15``.
    limits: dict[tuple[int, int], float]
    #: Number of each row in the file, from 1.
    rows: Sequence[int]
    #: The cells of the columns that hold words.
    texts: dict[int, list[str]] = field(default_factory=dict)
    #: Standard errors of cells like ``1E15 ± 1E14``.
    errors: dict[tuple[int, int], float] = field(default_factory=dict)
    lengths: Collection[int] = ()

    @cached_property
    def extent(self) -> Array:
        """Least and largest number of each column, of shape (2, columns); NaN where none is."""
        return np.array([f.reduce(self.values, initial=np.nan) for f in (np.fmin, np.fmax)])

    def select(self, mask: NDArray[np.bool_]) -> Block:
        """Keep some rows."""
        places = np.flatnonzero(mask).tolist()
        row_of = {row: i for i, row in enumerate(places)}
        return Block(
            self.values[mask],
            {(row_of[i], j): limit for (i, j), limit in self.limits.items() if i in row_of},
            [self.rows[i] for i in places],
            {j: [texts[i] for i in places] for j, texts in self.texts.items()},
            {(row_of[i], j): error for (i, j), error in self.errors.items() if i in row_of},
        )


@dataclass(frozen=True)
class Start:
    """Where the numbers of a grid begin."""

    row: int
    #: How many rows of numbers follow each other, up to three; 0 if words stand next to all.
    count: int
    #: Columns that may hold words, by their headers, and whether that is certain.
    words: Mapping[int, bool]


@dataclass
class Grid(Sized):
    """Cells of a spreadsheet: numbers, texts, dates, and ``None`` where there is nothing.

    Rows and columns in which there is nothing are left out; `numbers` and `columns` say where the
    others stand. What is found of a row is found once.
    """

    rows: Sequence[Any]
    options: Options
    name: str | None = field(default=None, kw_only=True)
    #: What a row is called in messages.
    row_word: str = field(default="row", kw_only=True)
    #: Numbers in the file of its rows, from 1, and of its columns, from 0, if some are left out.
    numbers: Sequence[int] | None = field(default=None, kw_only=True)
    columns: Sequence[int] | None = field(default=None, kw_only=True)
    hidden: bool = field(default=False, kw_only=True)
    #: Whether its columns are the rows of the file.
    was_transposed: bool = field(default=False, kw_only=True)
    #: What stood in other rows or columns.
    notes: Sequence[Sequence[str]] = field(default=(), kw_only=True)
    #: Rows that were comments of a text.
    comments: Collection[int] = field(default=(), kw_only=True)
    #: Number of a row -> first and last column of each of its cells that are merged.
    spans: Mapping[int, Sequence[tuple[int, int]]] = field(default_factory=dict, kw_only=True)
    #: First row, first column, last row and last column of cells that are merged, from 0.
    merged: Sequence[tuple[int, int, int, int]] = field(default=(), kw_only=True)
    #: Other sheets of the workbook that hold numbers, if the user did not choose.
    other_sheets: Sequence[str] = field(default=(), kw_only=True)
    #: The decimal mark as far as it is known before the numbers are.
    decimal: str | None = field(default=None, init=False)
    _texts: dict[int, list[str]] = field(default_factory=dict, init=False, repr=False)

    def __len__(self) -> int:
        return len(self.rows)

    def cells(self, row: int) -> list[str]:
        """Return the cells of a row as text."""
        if row not in self._texts:
            self._texts[row] = [_text(cell) for cell in self.rows[row]]
        return self._texts[row]

    def values(self, row: int) -> Sequence[object]:
        """Return the cells of a row; ``None`` for nothing."""
        cells: Sequence[object] = self.rows[row]
        return cells

    def headers(self, row: int, width: int) -> list[str]:
        """Return the cells of a row above the numbers; one that is merged is the header of each."""
        cells = [*self.cells(row)]
        for first, end in self.spans.get(self.number(row), ()):
            last = min(end, width - 1)
            cells += [""] * (last + 1 - len(cells))
            if cells[first]:
                cells[first + 1 : last + 1] = [cells[first]] * (last - first)
        return cells

    def is_comment(self, row: int) -> bool:
        """Whether a row begins with the mark of a comment."""
        return row in self.comments

    def begin_like_numbers(self) -> list[bool]:
        """Return which rows need not be looked at to know that they are none of words."""
        return [bool(row) and not any(isinstance(cell, str) for cell in row) for row in self.rows]

    def part(self, start: int, stop: int) -> Self:
        """Keep some rows; those before them are empty."""
        return replace(self, rows=[*[[]] * start, *self.rows[start:stop]])

    def rows_of_table(self, first: int, last: int) -> Sequence[int]:
        """List the rows that are neither blank nor comments."""
        rows = range(first, last + 1)
        return [i for i in rows if any(self.cells(i)) and not self.is_comment(i)]

    def width(self, rows: Sequence[int]) -> int:
        """Count the columns up to the last that is filled."""
        return max((j + 1 for i in rows for j, text in enumerate(self.cells(i)) if text), default=1)

    def number(self, row: int) -> int:
        """Return the number of a row in the file, from 1."""
        return row + 1 if self.numbers is None else self.numbers[row]

    def column(self, column: int) -> int:
        """Return the place of a column in the file."""
        columns = self.columns or ()
        return columns[column] if column < len(columns) else column

    def letter(self, column: int) -> str:
        """Name a column as spreadsheets do."""
        return column_name(self.column(column))

    def title(self, column: int) -> str:
        """Call a column by its place, in words: ``B`` alone might be boron."""
        place = self.column(column)
        words = f"column {place + 1}"
        if place < len(_ORDINALS):
            words = f"the {_ORDINALS[place]} column"
        return f"{words} ({column_name(place)} in the spreadsheet)" if self.name else words

    def where(self, number: int, column: int) -> str:
        """Name a cell, as messages begin with it."""
        place = self.column(column)
        if self.was_transposed:
            number, place = place + 1, number - 1
        sheet = f"sheet {self.name!r}, " if self.name else ""
        return f"{sheet}{self.row_word} {number}, column {column_name(place)}"

    @cached_property
    def _kinds(self) -> dict[int, RowKind]:
        return {}

    def kind(self, row: int, words: Collection[int] = ()) -> RowKind:
        """Classify a row; `words` are columns that may hold some."""
        kind = self._kinds.get(row)
        # Words that are allowed matter next to numbers alone.
        if kind is None or (words and kind in (RowKind.MIXED, RowKind.HEADERS)):
            kind = classify_row(self.cells(row), self.decimal, self.options.not_measured, words)
            if kind in (RowKind.NUMBERS, RowKind.MIXED) and self.is_comment(row):
                kind = RowKind.WORDS
            if not words:
                self._kinds[row] = kind
        return kind

    @cached_property
    def start(self) -> Start | None:
        """Where rows of numbers begin, or one of numbers and words below headers."""
        run = first = width = 0
        words: Mapping[int, bool] = {}
        single = below = None
        headed = False
        for i in range(min(len(self), FIRST_ROWS)):
            kind, cells = self.kind(i, words), self.cells(i)
            if kind is RowKind.HEADERS and run < 2:
                words = self.words_below(i, words)
            headed |= kind in (RowKind.HEADERS, RowKind.UNITS) and len(cells) > 1
            if kind is RowKind.BLANK or self.is_comment(i):
                continue
            if headed and below is None and self.kind(i) is RowKind.MIXED:
                below = Start(i, 0, words)
            # A row may lack values, but then it is as wide as the one before.
            is_short = run and len(cells) != width and sum(map(is_number, cells)) < 2
            if kind is not RowKind.NUMBERS or is_short:
                if run > 1:
                    break
                single = Start(first, run, words) if run else single
                run = 0
            elif run or len(cells) > 1:
                first, width = (first, width) if run else (i, len(cells))
                run += 1
            if run == 3:
                break
        return Start(first, run, words) if run else single or below

    def words_below(self, row: int, above: Mapping[int, bool] = _NO_WORDS) -> dict[int, bool]:
        """Return the columns below headers that may hold words; `above`: those of empty cells."""
        cells, below = self.cells(row), self.cells(row + 1) if row + 1 < len(self) else []
        inherited = {j: certain for j, certain in above.items() if j >= len(cells) or not cells[j]}
        return inherited | {
            j: header.role in ("text", "unit", "species")
            for j, header in enumerate(map(try_header, cells))
            if holds_words(header) or (header.role == "time" and CLOCK.match(_at(below, j) or ""))
        }

    def select(self, columns: Sequence[int], notes: Sequence[Sequence[str]] = ()) -> Grid:
        """Keep some columns, as cells; `notes` are what stood in others."""
        top = range(min(len(self), FIRST_ROWS))
        texts = {i for i in top if self.kind(i) not in (RowKind.NUMBERS, RowKind.MIXED)}
        width = max(max(columns) + 1, self.width([i for i in top if i not in texts]))
        self.options.budget.take(16 * len(self) * len(columns), table_size(len(self), len(columns)))
        rows: list[list[object]] = []
        for i in range(len(self)):
            row = self.headers(i, width) if i in texts else self.values(i)
            cells = [_at(row, j) for j in columns]
            filled = [j for j, cell in enumerate(cells, 1) if cell not in (None, "")]
            rows.append([None if cell == "" else cell for cell in cells[: max(filled, default=0)]])
        return Grid(
            rows,
            self.options,
            name=self.name,
            numbers=[self.number(i) for i in range(len(self))],
            columns=[self.column(j) for j in columns],
            row_word=self.row_word,
            notes=notes,
            comments=frozenset(filter(self.is_comment, range(len(self)))),
            merged=self.merged,
        )

    def transposed(self, rows: Sequence[int]) -> Grid:
        """Turn some rows into columns; the others are notes."""
        cells = [self.values(i) for i in rows]
        width = max(map(len, cells))
        self.options.budget.take(16 * width * len(rows), table_size(width, len(rows)))
        return Grid(
            [[_at(row, j) for row in cells] for j in range(width)],
            self.options,
            name=self.name,
            numbers=[self.column(j) + 1 for j in range(width)],
            columns=[self.number(i) - 1 for i in rows],
            row_word=self.row_word,
            was_transposed=True,
            notes=[self.cells(i) for i in range(len(self)) if i not in rows],
            merged=[(left, top, right, bottom) for top, left, bottom, right in self.merged],
        )

    def read(
        self,
        rows: Sequence[int],
        width: int,
        words: Mapping[int, bool] = _NO_WORDS,
        labels: Collection[int] = (),
    ) -> Block:
        """Read the numbers of rows; `words` are columns that may hold some, `labels` that do."""
        no_value, stated = self.options.not_measured, self.options.decimal is not None
        split = self._split(rows, width, words, labels)
        values, others, decimal, lengths = split
        texts = {*labels, *columns_of_words(others, words, no_value)}
        of_cells = (c for j in others.keys() - texts for c in others[j] if isinstance(c, str))
        mark = decimal or decimal_mark(of_cells) or "."
        limits, errors = read_columns(
            values,
            {j: cells for j, cells in others.items() if j not in texts},
            lambda i, j: self.where(self.number(rows[i]), j),
            self.options,
            decimal=mark,
        )
        ambiguous, remedy = [], "decimal='.' or decimal=','"
        for j, cells in () if stated or mark != "." else self._with_points(split, rows):
            if j not in texts and (point := open_point(cells)):
                row, is_mixed = point
                doubt = "the points of the column may separate thousands or decimals"
                ambiguous.append(f"{self.where(self.number(rows[row]), j)}: {doubt}")
                if is_mixed:
                    raise ReadError(
                        ambiguous[-1],
                        code="ambiguous_table",
                        argument="decimal",
                        remedy=f"{remedy} says which",
                    )
        if ambiguous:
            text = f"{ambiguous[0]}; read as decimals, here and in columns like it"
            warn(text, ProfileWarning, argument="decimal", remedy=f"{remedy} says which")
        labelled = {j: [_text(cell) for cell in others[j]] for j in texts}
        unbroken = self.numbers is None and isinstance(rows, range)
        numbers = range(rows[0] + 1, rows[-1] + 2) if unbroken else [self.number(i) for i in rows]
        return Block(values, limits, numbers, labelled, errors, lengths)

    def _split(
        self,
        rows: Sequence[int],
        width: int,
        words: Mapping[int, bool],  # noqa: ARG002 - of one form with that of a text
        labels: Collection[int],
    ) -> Split:
        self.options.budget.take(8 * len(rows) * width, table_size(len(rows), width))
        values = np.full((len(rows), width), np.nan, order="F")
        other_cells: dict[int, Sequence[object]] = {}
        # A number may say that nothing was measured.
        types = () if any(map(is_number, self.options.not_measured)) else (int, float)
        for j in range(width):
            cells = [_at(self.rows[i], j) for i in rows]
            if types and j not in labels and {*map(type, cells)} <= {*types, NoneType}:
                values[:, j] = cells
            else:
                other_cells[j] = [c if type(c) in types else _text(c) for c in cells]
        return values, other_cells, self.options.decimal, ()

    def _with_points(
        self,
        split: Split,
        rows: Sequence[int],  # noqa: ARG002 - of one form with that of a text
    ) -> Iterable[tuple[int, Sequence[str]]]:
        """Return columns that may hold points between thousands, with their cells."""
        columns = ((j, list(map(_text, cells))) for j, cells in sorted(split[1].items()))
        return ((j, cells) for j, cells in columns if not all("." in c for c in cells if c))


@dataclass(kw_only=True)
class TextGrid(Grid):
    """Lines of text with a delimiter; ``None`` for blanks."""

    delimiter: str | None
    quoted: bool = False
    row_word: str = "line"
    #: The whole text, if it is known: what stands nowhere is not looked for line by line.
    text: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self.decimal = "." if self.delimiter == "," and not self.quoted else self.options.decimal

    @property
    def lines(self) -> Sequence[str]:
        """The lines of the text."""
        return self.rows

    def split(self, line: str) -> list[str]:
        """Split a line into cells."""
        return split_line(line, self.delimiter, quoted=self.quoted)

    def cells(self, row: int) -> list[str]:
        """Split a line, without the mark of a comment; a mark before a delimiter is a cell."""
        if row in self._texts:
            return self._texts[row]
        line = self.lines[row]
        mark = comment_mark(line)
        if mark:
            content = line.lstrip().removeprefix(mark)
            # Behind a blank there is one before the delimiter as well.
            unpadded = content.lstrip(" ") if line.startswith(" ") else content
            line = line if self.delimiter and unpadded.startswith(self.delimiter) else content
        cells = [cell.strip() for cell in self.split(line)]
        if row < _KEPT_ROWS:
            self._texts[row] = cells
        return cells

    def values(self, row: int) -> Sequence[object]:
        """Return the cells of a line; ``None`` for nothing."""
        return [cell or None for cell in self.cells(row)]

    def is_comment(self, row: int) -> bool:
        """Whether a line begins with the mark of a comment."""
        return bool(comment_mark(self.lines[row]))

    def headers(self, row: int, width: int) -> list[str]:
        """Split a line above the numbers; between blanks, a header may hold some itself."""
        cells, mark = [*self.cells(row)], comment_mark(self.lines[row])
        while len(cells) > width and not cells[-1]:
            del cells[-1]
        text = self.lines[row].lstrip().removeprefix(mark).strip()
        in_comment = re.split(r",\s+", text) if mark else []
        if 1 < len(in_comment) == width != len(cells):
            # ``# depth in um, concentration in atoms/cm3``
            cells = in_comment
        elif self.delimiter is None:
            parts = re.split(r"\s+(?![(\[])", text)
            if len(cells) == width == len(parts) + 1 and len(parts) > 1:
                return parts  # ``depth_nm  B (at/cm3)``, of which none is above the first column
            for pattern in (r"\t+", r"\s{2,}", r"\s+(?![(\[])"):
                if len(cells) == width:
                    break
                cells = re.split(pattern, text)
        elif len(cells) == width + 1 and mark and cells[0] in ("", mark):
            # The mark stands before the headers rather than for a column.
            del cells[0]
        return cells

    def begin_like_numbers(self) -> list[bool]:
        """Return which lines have the first letter of a number."""
        return [line[:1] in _OPENINGS for line in self.lines]

    def part(self, start: int, stop: int) -> Self:
        """Keep some lines; those before them are empty."""
        end = [""] if stop < len(self.lines) else []
        return replace(self, rows=[*[""] * start, *self.lines[start:stop], *end], text=None)

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
        samples = [*map(self.split, self.texts([*rows[:20], *rows[-1:]]))] if rows else []
        width = max(map(len, samples), default=1)
        while width > 1 and all(len(c) < width or not c[width - 1].strip() for c in samples):
            width -= 1
        return width

    def texts(self, rows: Sequence[int]) -> Sequence[str]:
        """Return the lines of a block."""
        unbroken = len(rows) == rows[-1] - rows[0] + 1
        lines = self.lines[rows[0] : rows[-1] + 1] if unbroken else [self.lines[i] for i in rows]
        return [line.strip() for line in lines] if self.delimiter is None else lines

    def mark(self, lines: Sequence[str], words: Mapping[int, bool], labels: Collection[int]) -> str:
        """Return the decimal mark of lines of numbers, but for columns of texts."""
        if self.options.decimal:
            return self.options.decimal
        text = self.text or ","
        if (self.delimiter == "," and not self.quoted) or not any(c in text for c in _COMMAS):
            return "."
        with_commas = (line for line in lines if any(c in line for c in _COMMAS))
        rows = ([c.strip('" ') for c in self.split(line)] for line in with_commas)
        skipped = {*labels, *words}
        mark = decimal_mark(c for cells in rows for j, c in enumerate(cells) if j not in skipped)
        return mark or "."

    def _split(
        self, rows: Sequence[int], width: int, words: Mapping[int, bool], labels: Collection[int]
    ) -> Split:
        lines, budget = self.texts(rows), self.options.budget
        decimal = self.mark(lines, words, labels)
        all_numbers = not any(map(is_number, self.options.not_measured))
        budget.take(8 * len(lines) * width, table_size(len(lines), width))
        values = np.empty((len(lines), width), order="F")
        other_cells: dict[int, dict[int, Sequence[str]]] = {}
        lengths: set[int] = set()
        blanks = self.delimiter is None
        step = max(1, PIECE // max(len(lines[0]) + 1, width))
        for start in range(0, len(lines), step):
            piece, numbers = lines[start : start + step], None
            if all_numbers and not labels:
                tabbed = ["\t".join(line.split()) for line in piece] if blanks else piece
                numbers = parse_numbers(tabbed, self.delimiter or "\t", decimal)
            width_read = 0 if numbers is None else numbers.shape[1]
            if numbers is not None and width_read >= width and np.isnan(numbers[:, width:]).all():
                lengths.add(width_read)
                values[start : start + step] = numbers[:, :width]
                continue
            cut = [self.split(line) for line in piece]
            lengths.update(map(len, cut))
            for row, parts in zip(rows[start:], cut, strict=False):
                surplus = (c for c in parts[width:] if c.strip().casefold() not in NOTHING)
                if cell := next(surplus, ""):
                    raise ReadError(
                        f"{self.row_word} {self.number(row)}: {len(parts)} cells in a table of "
                        f"{width} columns; {cell!r} belongs to none",
                        code="ambiguous_table",
                    )
            padded = [[*cells, *[""] * width][:width] for cells in cut]
            for j, column in enumerate(zip(*padded, strict=True)):
                read = None if j in labels or not all_numbers else plain_column(column, decimal)
                values[start : start + step, j] = np.nan if read is None else read
                if read is None:
                    budget.take(_TEXT * len(column), "the texts in its cells")
                    other_cells.setdefault(j, {})[start] = column
        texts: dict[int, Sequence[object]] = {}
        for j, pieces in other_cells.items():
            column_cells: list[object] = values[:, j].tolist()
            if j in words:
                column_cells = [_at(row, j) or "" for row in map(self.split, lines)]
            for start, cells in pieces.items():
                column_cells[start : start + len(cells)] = cells
            values[:, j], texts[j] = np.nan, column_cells
        return values, texts, decimal, lengths

    def _with_points(
        self, split: Split, rows: Sequence[int]
    ) -> Iterable[tuple[int, Sequence[str]]]:
        values, _, _, lengths = split
        # First rows show that hardly a column has them.
        columns = np.flatnonzero(_in_thousandths(values[:_THOUSAND_ROWS]))
        lines = self.texts(rows)
        if not columns.size or not _THREE_DIGITS.search(self.text or "\n".join(lines)):
            return
        columns = columns[_in_thousandths(values[:, columns])]
        certain = _DECIMALS.search("\n".join(lines)) is not None
        if len(lengths) == 1:
            counts = _points_in(lines, self.delimiter, *lengths)[columns]
            filled = np.count_nonzero(~np.isnan(values[:, columns]), axis=0)
            columns = columns[(counts > 0) & ((counts < filled) | (not certain))]
        for j in columns.tolist():
            cells = [(_at(self.split(line), j) or "").strip() for line in lines]
            if not (certain and all("." in cell for cell in cells if cell)):
                yield j, cells


def _points_in(lines: Sequence[str], delimiter: str | None, width: int) -> Any:
    """Count the points in each column of lines of one length."""
    text = "\n".join(lines if delimiter else ["\t".join(line.split()) for line in lines])
    letters = np.frombuffer(text.encode(), np.uint8)
    ends = np.flatnonzero((letters == ord(delimiter or "\t")) | (letters == ord("\n")))
    points = np.flatnonzero(letters == ord("."))
    return np.bincount(np.searchsorted(ends, points) % width, minlength=width)


def _in_thousandths(values: Array) -> Any:
    """Return which columns hold zeros, and thousandths from one to a thousand."""
    size = np.abs(values)
    in_range = (size >= 1) & (size < _THOUSAND)
    scaled = np.where(in_range, size, 0.0) * _THOUSAND
    in_range &= np.abs(np.rint(scaled) - scaled) < _THOUSANDTH
    return (in_range | (size == 0) | np.isnan(size)).all(axis=0)


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
