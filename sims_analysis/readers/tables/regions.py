"""Regions of a grid: tables below each other, and remarks and results next to one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from sims_analysis.errors import ReadError
from sims_analysis.readers.tables.grid import Grid, TextGrid
from sims_analysis.readers.tables.header_cells import holds_words, names_axis, try_header
from sims_analysis.readers.tables.heuristics import HEURISTICS
from sims_analysis.readers.tables.numbers import is_number
from sims_analysis.readers.tables.row_kinds import RowKind, is_not_measured, is_odd
from sims_analysis.readers.tables.words import named_role

#: A letter that numbers do not hold.
_LETTER = re.compile("[A-DF-Za-df-z]")


def tables_in(grid: Grid) -> list[Grid]:
    """Split a grid where other heads stand below rows of numbers; each with numbers of its own."""
    if grid.options.states_columns:
        return [grid]
    starts, heads, counts, few = [0], list[int](), [0], HEURISTICS.block_rows
    last, known, words = -1, set[tuple[str, ...]](), dict[int, bool]()
    for i in range(len(grid)):
        if counts[-1] >= few and grid.begins_like_numbers(i):
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
    rows = [i for i in range(min(len(grid), HEURISTICS.note_rows)) if not grid.is_comment(i)]
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
