"""Where tables are: between which delimiters, below each other, next to remarks and results."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from sims_analysis.errors import ReadError
from sims_analysis.readers.source import Options, Source
from sims_analysis.readers.tables.grid import Grid, TextGrid
from sims_analysis.readers.tables.header_cells import (
    RowKind,
    holds_words,
    is_not_measured,
    is_odd,
    is_transposed,
    names_axis,
    try_header,
)
from sims_analysis.readers.tables.numbers import is_number
from sims_analysis.readers.tables.words import named_role

#: Lines that show whether cells stand in quotes; rows in which notes next to the numbers begin, and
#: that a block below another has at least; rows and columns that a table has that is turned.
_QUOTED_ROWS, _NOTE_ROWS, BLOCK_ROWS, _TURNED_SIZE = 200, 60, 3, 2000
#: Delimiters in the order in which they are preferred where several explain a text.
_DELIMITERS = ("\t", ";", ",", "|", None)


def text_grid(source: Source) -> Grid | None:
    """Find the cells of a text; ``None`` if no lines hold numbers next to each other."""
    found = grid_of_lines(source.lines, source.options, source.text)
    if isinstance(found, TextGrid) and found.quoted and _holds_ends(found.lines):
        # A cell holds the end of a line.
        lines = (f"{line}\n" for line in source.lines)
        rows = csv.reader(lines, delimiter=found.delimiter or ",")
        cells: list[list[object]] = [[cell.strip() or None for cell in row] for row in rows]
        return Grid([row for row in cells if any(row)], source.options)
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
        quoted = delimiter is not None and any('"' in line for line in lines[:_QUOTED_ROWS])
        grid = TextGrid(lines, options, delimiter=delimiter, quoted=quoted, text=text)
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
    if len(grid) > _TURNED_SIZE or (grid.start and grid.start.count):
        return []
    rows = [i for i in range(len(grid)) if len([*filter(None, grid.cells(i))]) > 2]
    between = {*range(rows[0], rows[-1])} - {*rows} if rows else ()
    whole = all(grid.kind(i) is RowKind.BLANK for i in between)
    nothing = grid.options.not_measured
    return rows if whole and is_transposed([grid.cells(i) for i in rows], nothing) else []


def _widest(lines: Sequence[str], options: Options) -> TextGrid | None:
    """Take the delimiter that stands in most lines, where the user states the columns."""
    start = lines[:_QUOTED_ROWS]
    counts = {mark: sum(mark in line for line in start) for mark in _DELIMITERS if mark}
    mark = max(counts, key=lambda mark: counts[mark])
    if not counts[mark]:
        return None
    return TextGrid(lines, options, delimiter=mark, quoted=any('"' in line for line in start))


#: A letter that numbers do not hold.
_LETTER = re.compile("[A-DF-Za-df-z]")


def tables_in(grid: Grid) -> list[Grid]:
    """Split a grid where other heads stand below rows of numbers; each with numbers of its own."""
    if grid.options.states_columns:
        return [grid]
    starts, heads, counts, few = [0], list[int](), [0], BLOCK_ROWS
    last, known, words = -1, set[tuple[str, ...]](), dict[int, bool]()
    for i, plain in enumerate(grid.begin_like_numbers()):
        if plain and counts[-1] >= few:
            last = i
            continue
        kind, cells = grid.kind(i, words), tuple(grid.cells(i))
        if kind is RowKind.NUMBERS:
            last = i
            counts[-1] += 1
        elif kind in (RowKind.HEADERS, RowKind.UNITS) and len([*filter(None, cells)]) > 1:
            # Repeated below one row of numbers, they would be taken for the first.
            again = cells in known and counts[-1] != 1
            if again or any(map(is_number, cells)) or not _numbers_below(grid, i, words):
                continue
            if known and counts[-1]:
                starts, counts, known = [*starts, last + 1], [*counts, 0], set()
                heads.append(i)
            known.add(cells)
            words = grid.words_below(i, words)
    if len(starts) > 1 and min(counts) < few:
        row = heads[0]
        raise ReadError(
            f"{grid.row_word} {grid.number(row)}: {' '.join(grid.cells(row))!r} is the header of "
            f"another table, of few rows: {min(counts)}",
            code="several_tables",
            remedy="put it into a file or a sheet of its own",
        )
    if len(starts) == 1:
        return [grid]
    # They are what distinguishes samples.
    whole = replace(grid, options=replace(grid.options, samples=None))
    return [whole.part(start, stop) for start, stop in pairwise([*starts, len(grid)])]


def _numbers_below(grid: Grid, row: int, words: Mapping[int, bool]) -> bool:
    """Whether two numbers stand below a row of heads, with nothing but units and words between."""
    others = (RowKind.NUMBERS, RowKind.MIXED, RowKind.HEADERS)
    words = grid.words_below(row, words)
    below = (i for i in range(row + 1, len(grid)) if grid.kind(i, words) in others)
    found = next(below, None)
    numbers = sum(map(is_number, [] if found is None else grid.cells(found)))
    return numbers > 1 and found is not None and grid.kind(found, words) is RowKind.NUMBERS


def without_side_notes(grid: Grid) -> Grid:
    """Cut off columns to the right with words next to rows of numbers, and keep them as notes."""
    if grid.options.states_columns or (isinstance(grid, TextGrid) and grid.delimiter is None):
        return grid
    rows = [i for i in range(min(len(grid), _NOTE_ROWS)) if not grid.is_comment(i)]
    mixed = [i for i in rows if _has_words(grid, i) and grid.kind(i) is RowKind.MIXED]
    words = {i: j for i in mixed if (j := _first_word(grid.cells(i)))}
    if not words:
        return grid
    first = min([*words, *([grid.start.row] if grid.start and grid.start.count else [])])
    word = min(words.values())
    above = [grid.cells(i) for i in range(first)]
    lines = [cells for i in rows if i >= first and any(cells := grid.cells(i))]
    cut = next((j for j in range(word, 1, -1) if _gap_before(grid, rows, j)), None)
    if cut is None and above and not any(any(cells[word:]) for cells in above):
        # Next to a column of words, it is rather the last cell of a row with one too many.
        remarks = any(named_role(cell, "text") for cells in above for cell in cells[word - 1 :])
        cut = None if remarks else word
    if cut is None or _are_columns(above, lines, word, cut):
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


def _gap_before(grid: Grid, rows: Sequence[int], column: int) -> bool:
    """Whether an empty column stands left of a column."""
    apart = grid.column(column) - grid.column(column - 1) > 1
    return apart or not any(any(grid.cells(i)[column - 1 : column]) for i in rows)


def _are_columns(
    above: Sequence[list[str]], lines: Sequence[list[str]], word: int, cut: int
) -> bool:
    """Whether what stands to the right are columns of the table: of remarks, or another axis."""
    last = not any(any(cells[word + 1 :]) for cells in lines)
    heads = [cell for cells in above for cell in cells[word : word + 1] if cell]
    if any(named_role(cell, "text") or (last and holds_words(try_header(cell))) for cell in heads):
        return True
    many = 2 * sum(any(cells[cut:]) for cells in lines) > len(lines)
    return many and any(names_axis(cells[cut:]) for cells in above)
