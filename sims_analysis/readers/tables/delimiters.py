"""Text to a grid: what stands between the cells."""

from __future__ import annotations

import csv
from collections.abc import Sequence

from sims_analysis.readers.source import Options, Source
from sims_analysis.readers.tables.grid import CellGrid, Grid, TextGrid
from sims_analysis.readers.tables.heuristics import HEURISTICS
from sims_analysis.readers.tables.row_kinds import RowKind, is_transposed

#: Delimiters in the order in which they are preferred where several explain a text.
_DELIMITERS = ("\t", ";", ",", "|", None)


def text_grid(source: Source) -> Grid | None:
    """Find the cells of a text, once; ``None`` if no lines hold numbers next to each other."""
    grid: Grid | None = source.trace.grid or _text_grid(source)
    source.trace.grid = grid
    return grid


def _text_grid(source: Source) -> Grid | None:
    found = grid_of_lines(source.lines, source.options, source.text)
    if isinstance(found, TextGrid) and found.quoted and _holds_ends(found.lines):
        # A cell holds the end of a line.
        lines = (f"{line}\n" for line in source.lines)
        rows = csv.reader(lines, delimiter=found.delimiter or ",")
        cells: list[list[object]] = [[cell.strip() or None for cell in row] for row in rows]
        return CellGrid(None, [row for row in cells if any(row)], source.options)
    return found


def _holds_ends(lines: Sequence[str]) -> bool:
    """Whether cells in quotes hold ends of lines; one that is open at the end was cut off."""
    return sum(line.count('"') % 2 for line in lines if '"' in line) > 1


def grid_of_lines(
    lines: Sequence[str], options: Options, text: str | None = None
) -> TextGrid | None:
    """Choose the delimiter that makes the first rows of numbers; ``None`` if none does."""
    best: TextGrid | None = None
    most = 0
    for delimiter in _DELIMITERS:
        # Blanks would stand within words.
        known = text is None or delimiter is None or delimiter in text
        if not known or (delimiter is None and most >= _WORDED):
            continue
        quoted = delimiter is not None and any(
            '"' in line for line in lines[: HEURISTICS.quoted_rows]
        )
        grid = TextGrid(lines, delimiter, quoted, options, text=text)
        score = _score(grid)
        if score > most:
            best, most = grid, score
        if most == _NUMBERS:
            break
    return best or (_widest(lines, options) if options.states_columns else None)


#: How much what stands between the delimiters looks like a table. Whole rows of numbers below each
#: other tell more than what decimal commas take apart.
_BELOW, _ONE, _COMMAS, _TURNED, _WORDED, _NUMBERS = range(1, 7)


def _score(grid: TextGrid) -> int:
    """Rate the rows that a delimiter makes: of numbers, of numbers next to words, or one alone."""
    start, stated = grid.start, grid.options.columns is not None
    count = start.count if start else 0
    if start and count > 1:
        if grid.kind(start.row) is RowKind.NUMBERS:
            return _NUMBERS
        return _COMMAS if grid.delimiter == "," else _WORDED
    if grid.delimiter is None:
        return _ONE if count else 0
    if not stated and turned_rows(grid):
        return _TURNED
    return (_ONE if count else _BELOW) if start else 0


def turned_rows(grid: Grid) -> list[int]:
    """Return the rows that are what columns usually are; none if the table is as others are."""
    if len(grid) > HEURISTICS.turned or (grid.start and grid.start.count):
        return []
    rows = [i for i in range(len(grid)) if len([*filter(None, grid.cells(i))]) > 2]
    between = {*range(rows[0], rows[-1])} - {*rows} if rows else ()
    whole = all(grid.kind(i) is RowKind.BLANK for i in between)
    nothing = grid.options.not_measured
    return rows if whole and is_transposed([grid.cells(i) for i in rows], nothing) else []


def _widest(lines: Sequence[str], options: Options) -> TextGrid | None:
    """Take the delimiter that stands in most lines, where the user states the columns."""
    start = lines[: HEURISTICS.quoted_rows]
    counts = {mark: sum(mark in line for line in start) for mark in _DELIMITERS if mark}
    mark = max(counts, key=lambda mark: counts[mark])
    if not counts[mark]:
        return None
    return TextGrid(lines, mark, any('"' in line for line in start), options)
