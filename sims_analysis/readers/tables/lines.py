"""Lines of numbers to columns: many at once where they are plain, by the exact parser of JSON."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import orjson

from sims_analysis.files import Budget
from sims_analysis.kernels.rows import Array
from sims_analysis.readers.tables.numbers import NOTHING, split_line

#: About so many characters of a table are taken at once.
PIECE = 1 << 16
#: What JSON holds next to numbers begins with these; ``null`` is nothing in a table as well.
_NO_NUMBERS = ("t", "f", '"', "[", "{")
#: Of these alone, ``float`` takes numbers and nothing else.
_DIGITS = str.maketrans("", "", "0123456789+-.eE")
#: Memory in bytes of a cell that is kept as text.
_TEXT = 60


@dataclass(frozen=True)
class Columns:
    """Rows that are split to columns."""

    #: Of shape (rows, columns); NaN in columns that are odd.
    values: Array
    #: The cells of columns that are no plain numbers; numbers where a part of a column is plain.
    odd: Mapping[int, Sequence[object]]
    #: The decimal mark, if it is known.
    decimal: str | None
    #: How many cells lines have.
    lengths: Collection[int] = ()
    #: The first row with a cell beyond the columns, and what is wrong with it; rows from there on
    #: are left out.
    beyond: tuple[int, str] | None = None


@dataclass(frozen=True)
class Lines:
    """How lines are split."""

    #: ``None`` for blanks.
    delimiter: str | None
    decimal: str
    #: Number of columns.
    width: int
    #: Whether cells may stand in quotes.
    quoted: bool
    #: Whether every number is one: some may say that nothing was measured.
    plain: bool
    #: Columns that hold words, and columns that may.
    labels: Collection[int]
    words: Collection[int]
    #: Memory that the cells may take.
    budget: Budget
    #: How many cells the lines have that were split.
    lengths: set[int] = field(default_factory=set)

    def columns(self, lines: Sequence[str]) -> Columns:
        """Split lines, which may end early, but are not blank."""
        self.budget.take(8 * len(lines) * self.width, table_size(len(lines), self.width))
        values = np.empty((len(lines), self.width), order="F")
        odd: dict[int, dict[int, Sequence[str]]] = {}
        step = max(1, PIECE // max(len(lines[0]) + 1, self.width)) if lines else 1
        for start in range(0, len(lines), step):
            piece = lines[start : start + step]
            numbers = self._numbers(piece)
            if numbers is not None:
                values[start : start + step] = numbers
                continue
            rows = [self._split(line) for line in piece]
            self.lengths.update(map(len, rows))
            beyond = self._beyond(rows)
            if beyond is not None:
                row, what = start + beyond[0], beyond[1]
                return replace(self.columns(lines[:row]), beyond=(row, what))
            rows = [[*cells, *[""] * self.width][: self.width] for cells in rows]
            for j, cells in enumerate(zip(*rows, strict=True)):
                read = None if j in self.labels or not self.plain else _column(cells, self.decimal)
                values[start : start + step, j] = np.nan if read is None else read
                if read is None:
                    self.budget.take(_TEXT * len(cells), "the texts in its cells")
                    odd.setdefault(j, {})[start] = cells
        texts = {j: self._texts(lines, values[:, j], odd[j], j) for j in odd}
        return Columns(values, texts, self.decimal, self.lengths)

    def _split(self, line: str) -> list[str]:
        return split_line(line, self.delimiter, quoted=self.quoted)

    def _numbers(self, lines: Sequence[str]) -> Array | None:
        """Read lines of plain numbers; ``None`` if anything else is in them."""
        if self.labels or not self.plain:
            return None
        mark = self.delimiter or "\t"
        lines = lines if self.delimiter else ["\t".join(line.split()) for line in lines]
        numbers = _parsed(lines, mark, self.decimal)
        if numbers is None:
            return None
        try:
            flat = np.fromiter(numbers, np.float64, len(numbers))
        except TypeError:
            flat = np.array(numbers, dtype=np.float64)
        step, rest = divmod(flat.size, len(lines))
        if rest or {*map(type, numbers[::step])} != {bool}:
            # Lines of different lengths.
            return None
        rows = flat.reshape(-1, step)[:, 1:]
        if step - 1 < self.width or not np.isnan(rows[:, self.width :]).all():
            return None
        self.lengths.add(step - 1)
        return rows[:, : self.width]

    def _beyond(self, rows: Sequence[Sequence[str]]) -> tuple[int, str] | None:
        """Find the first row with a cell beyond the columns that is not empty."""
        for i, cells in enumerate(rows):
            for cell in cells[self.width :]:
                if cell.strip().casefold() not in NOTHING:
                    found = f"{len(cells)} cells in a table of {self.width} columns"
                    return i, f"{found}; {cell!r} belongs to none"
        return None

    def _texts(
        self, lines: Sequence[str], values: Array, odd: dict[int, Sequence[str]], j: int
    ) -> list[object]:
        """Collect the cells of an irregular column, and leave none in its values."""
        column: list[object] = values.tolist()
        if j in self.words:
            column = [cells[j] if j < len(cells) else "" for cells in map(self._split, lines)]
        for start, cells in odd.items():
            column[start : start + len(cells)] = cells
        values[:] = np.nan
        return column


def table_size(rows: int, columns: int) -> str:
    """Name a table by its size, for messages."""
    return f"a table of {rows:,} rows and {columns:,} columns"


def _parsed(lines: Sequence[str], delimiter: str, decimal: str) -> list[float | bool | None] | None:
    """Read cells that are numbers or nothing, with ``True`` before those of each line."""
    text = "\n".join(["", *lines])
    if any(mark in text for mark in _NO_NUMBERS) or delimiter == decimal:
        return None
    if delimiter != ",":
        if ("." if decimal == "," else ",") in text:
            return None
        text = text.replace(",", ".").replace(delimiter, ",")
    cells = f"{text},".replace("\n", ",true,")
    if "a" in text:
        cells = cells.replace("nan", "null").replace("NaN", "null")
    if ",," in cells:
        # Of several commas in a row, every other pair is found at once.
        cells = cells.replace(",,", ",null,").replace(",,", ",null,")
    try:
        numbers: list[float | bool | None] = orjson.loads(f"[{cells[1:-1]}]")
    except orjson.JSONDecodeError:
        return None
    return numbers


def _column(cells: Sequence[str], decimal: str) -> Array | None:
    """Read the cells of a column, as well if they are ``+1.5``, ``.5`` or ``007``."""
    _, *numbers = _parsed(["\t".join(cells)], "\t", decimal) or [None]
    if len(numbers) == len(cells):
        return np.array(numbers, dtype=np.float64)
    if decimal == "," or "".join(cells).translate(_DIGITS):
        return None
    try:
        return np.array([float(cell) if cell else np.nan for cell in cells])
    except ValueError:
        return None
