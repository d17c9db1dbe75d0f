"""What stands next to the rows of a table, and is none of its columns: remarks, results."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sims_analysis.readers.tables.grid import Grid, TextGrid
from sims_analysis.readers.tables.header_cells import holds_words, names_axis, try_header
from sims_analysis.readers.tables.heuristics import HEURISTICS
from sims_analysis.readers.tables.numbers import is_number
from sims_analysis.readers.tables.row_kinds import RowKind, is_not_measured, is_odd
from sims_analysis.readers.tables.words import named_role

#: A letter that numbers do not hold.
_LETTER = re.compile("[A-DF-Za-df-z]")


def without_side_notes(grid: Grid) -> Grid:
    """Cut off columns to the right with words next to rows of numbers, and keep them as notes.

    An empty column stands before them, or no row above the numbers reaches as far.
    """
    stated = grid.options.columns is not None or grid.options.header_rows is not None
    if stated or (isinstance(grid, TextGrid) and grid.delimiter is None):
        return grid
    rows = [i for i in range(min(len(grid), HEURISTICS.note_rows)) if not grid.is_comment(i)]
    mixed = [i for i in rows if _has_words(grid, i) and grid.kind(i) is RowKind.MIXED]
    words = {i: j for i in mixed if (j := _first_word(grid.cells(i)))}
    if not words:
        return grid
    start = min([*words, *([grid.start.row] if grid.start and grid.start.count else [])])
    region = _Region(grid, rows, min(words.values()), start)
    cut = region.cut()
    if cut is None:
        return grid
    beside = (grid.cells(i)[cut:] for i in range(len(grid)))
    return grid.only(range(cut), notes=[cells for cells in beside if any(cells)])


def _has_words(grid: Grid, row: int) -> bool:
    """Whether a row holds letters that are in no number."""
    if isinstance(grid, TextGrid):
        line = grid.lines[row]
        return not line.isascii() or _LETTER.search(line) is not None
    return any(isinstance(cell, str) for cell in grid.rows[row])


def _first_word(cells: list[str]) -> int | None:
    """Return the first column, behind two numbers, that holds a word; None if the row has none."""
    for j, cell in enumerate(cells):
        if cell and not is_number(cell) and not is_not_measured(cell, ()):
            numbers = sum(map(is_number, cells[:j]))
            return j if numbers > 1 and not is_odd(cell) else None
    return None


@dataclass(frozen=True)
class _Region:
    """Columns from that of a word on, in the first rows of a grid."""

    grid: Grid
    rows: list[int]
    word: int
    first: int

    def cut(self) -> int | None:
        """Return the first column of the notes; None if they may be columns of the table."""
        above = [self.grid.cells(i) for i in range(self.first)]
        start = next((j for j in range(self.word, 1, -1) if self._gap_before(j)), None)
        if start is None:
            beyond = all(not any(cells[self.word :]) for cells in above)
            start = self.word if beyond and above else None
        if start is None:
            return None
        lines = [self.grid.cells(i) for i in self.rows if i >= self.first]
        few = 2 * sum(any(cells[start:]) for cells in lines) <= len(lines)
        if not few and any(names_axis(cells[start:]) for cells in above):
            return None
        heads = [cells[self.word] for cells in above if len(cells) > self.word]
        last = not any(any(cells[self.word + 1 :]) for cells in lines)
        of_words = any(
            named_role(cell, "text") or (holds_words(try_header(cell)) and last)
            for cell in heads
            if cell
        )
        return None if of_words else start

    def _gap_before(self, column: int) -> bool:
        """Whether an empty column stands left of a column."""
        grid = self.grid
        if grid.column(column) - grid.column(column - 1) > 1:
            return True
        left = column - 1
        return not any(cells[left] for cells in map(grid.cells, self.rows) if len(cells) > left)
