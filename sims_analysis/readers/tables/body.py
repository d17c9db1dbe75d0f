"""Where the numbers of a table begin and end, by the kinds of its rows.

They are one block: from the first row of numbers to the last, and up to the headers. Whatever
stands between and is no number is an error, so that nothing is cut off silently.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from types import MappingProxyType

from sims_analysis.errors import ProfileWarning, ReadError, warn
from sims_analysis.readers.tables.grid import Block, Grid, Run, TextGrid
from sims_analysis.readers.tables.header_cells import begins_row, holds_words, try_header
from sims_analysis.readers.tables.heuristics import HEURISTICS
from sims_analysis.readers.tables.numbers import decimal_mark, is_clock, is_number, read_cell
from sims_analysis.readers.tables.row_kinds import RowKind, classify_row, is_not_measured, is_odd
from sims_analysis.readers.tables.sections import Sections, find_sections
from sims_analysis.readers.tables.truncation import refuse_short_rows, refuse_truncated
from sims_analysis.readers.tables.words import named_role

__all__ = ["Body", "find_body", "first_below_headers", "first_run", "read_body", "refuse_odd_rows"]

#: Numbers that have become one; a date is none.
_GLUED = re.compile(r"(?!\d{1,4}([-.])\d{1,2}\1\d{1,4}$)(?=.*\d)[-+.,\deE\s]+")
#: Rows that may stand between the headers and the numbers, or are these.
_ABOVE = (RowKind.HEADERS, RowKind.UNITS, RowKind.VALUE_UNITS, RowKind.WORDS)


@dataclass
class Body:
    """A block of rows in a grid, and the rows above it.

    Parameters
    ----------
    grid : Grid
    first, last : int
        Its first and its last row.
    above : list of int
        Rows above that are not blank.
    words : mapping
        Columns that may hold words, by their headers, and whether that is certain.
    needed : tuple of int, optional
        The only columns that matter, if the user states them.
    """

    grid: Grid
    first: int
    last: int
    above: list[int]
    words: Mapping[int, bool] = field(default_factory=dict)
    needed: tuple[int, ...] | None = None

    @cached_property
    def sections(self) -> Sections:
        """Heads that are repeated between the numbers, and labels of blocks."""
        return find_sections(self.grid, self.first, self.last, self.above)

    @cached_property
    def rows(self) -> Sequence[int]:
        """The rows that are neither blank nor comments, nor heads that are repeated."""
        rows, left_out = self.grid.rows_of_table(self.first, self.last), self.sections.left_out
        return [i for i in rows if i not in left_out] if left_out else rows

    @cached_property
    def width(self) -> int:
        """Number of columns."""
        width = self.grid.width(self.rows)
        if isinstance(self.grid, TextGrid) and self.grid.delimiter is None:
            # Blanks stand within headers too: those of more columns tell nothing.
            return width
        # A remark may stand next to a later row alone.
        return max([width, *(j + 1 for j in self.needed or self.words)])

    @cached_property
    def below(self) -> list[int]:
        """Rows below the last that are not empty."""
        return [i for i in range(self.last + 1, len(self.grid)) if any(self.grid.cells(i))]

    def kind(self, row: int) -> RowKind:
        """Classify a row, by the columns that matter."""
        return _kind(self.grid, row, self.words, self.needed)


def _kind(grid: Grid, row: int, words: Collection[int], needed: Sequence[int] | None) -> RowKind:
    if needed is None or grid.is_comment(row):
        return grid.kind(row, words)
    cells = grid.cells(row)
    kept = [cells[j] if j < len(cells) else "" for j in needed]
    return classify_row(kept, grid.options.decimal, grid.options.not_measured)


def _words_of(
    grid: Grid, row: int, above: Mapping[int, bool] = MappingProxyType({})
) -> dict[int, bool]:
    """Return the columns below a row of headers that may hold words; `above`: those of empty cells.

    Times may be those of a clock.
    """
    cells, below = grid.cells(row), grid.cells(row + 1) if row + 1 < len(grid) else []
    clocks = {j for j, cell in enumerate(below) if is_clock(cell)}
    kept = {j: certain for j, certain in above.items() if j >= len(cells) or not cells[j]}
    return kept | {
        j: header.role in ("text", "unit", "species")
        for j, header in enumerate(map(try_header, cells))
        if holds_words(header) or (header.role == "time" and j in clocks)
    }


# --- where they begin -------------------------------------------------------------------------


def first_run(grid: Grid, needed: tuple[int, ...] | None = None) -> Run:
    """Find where rows of numbers begin, and up to three that follow each other; 0 if none does."""
    if needed not in grid.runs:
        grid.runs[needed] = _first_run(grid, needed)
    return grid.runs[needed]


def _first_run(grid: Grid, needed: tuple[int, ...] | None) -> Run:
    run = start = width = 0
    words: Mapping[int, bool] = {}
    alone = (0, 0, words)
    for i in range(min(len(grid), HEURISTICS.first_rows)):
        kind = _kind(grid, i, words, needed)
        if kind is RowKind.HEADERS and run < 2:
            words = {} if needed else _words_of(grid, i, words)
        if kind is RowKind.BLANK or grid.is_comment(i):
            continue
        cells = grid.cells(i)
        # A row may lack values, but then it is as wide as the one before.
        few = run and len(cells) != width and sum(map(is_number, cells)) < 2
        if kind is not RowKind.NUMBERS or few:
            if run > 1:
                break
            alone = (start, run, words) if run else alone
            run = 0
            continue
        if not run:
            if len(cells) < 2:
                continue
            start, width = i, len(cells)
        run += 1
        if run == 3:
            break
    return (start, run, words) if run else alone


def find_body(grid: Grid, needed: tuple[int, ...] | None = None) -> Body:
    """Find the numbers of a grid.

    Raises
    ------
    ReadError
        If there are none, or a row of words or an odd cell cuts some of them off.
    """
    stated = grid.options.header_rows
    if stated is not None:
        return _below(grid, set(stated), needed)
    start, run, words = first_run(grid, needed)
    if not run:
        below = first_below_headers(grid, needed, (RowKind.HEADERS, RowKind.UNITS))
        if below is None:
            refuse_odd_rows(grid)
            raise ReadError("there are no numbers in it that stand in columns")
        start, words = below, words or _words_above(grid, below)
    body = Body(grid, start, start, [], words, needed)
    body.first = _grown(body, start)
    body.above = [i for i in range(body.first) if grid.kind(i) is not RowKind.BLANK]
    _find_last(body)
    return body


def _words_above(grid: Grid, row: int) -> Mapping[int, bool]:
    words: dict[int, bool] = {}
    for i in range(row):
        words = _words_of(grid, i, words) if grid.kind(i) is RowKind.HEADERS else words
    return words


def _below(grid: Grid, stated: set[int], needed: tuple[int, ...] | None) -> Body:
    """Take the rows below the headers that the user states."""
    headers = [i for i in range(len(grid)) if grid.number(i) - 1 in stated]
    if len(headers) < len(stated):
        there = {grid.number(i) - 1 for i in headers}
        raise ReadError(
            f"header_rows={sorted(stated)}: there is nothing in row {min(stated - there)}, counted "
            f"from 0; the last row is {grid.number(len(grid) - 1) - 1}",
            argument="header_rows",
        )
    top = headers[-1] + 1 if headers else 0
    words: dict[int, bool] = {}
    for i in headers:
        words |= _words_of(grid, i)
    first = next(
        (
            i
            for i in range(top, len(grid))
            if not grid.is_comment(i)
            and (headers or _kind(grid, i, words, needed) is RowKind.NUMBERS)
            and grid.kind(i, words) is not RowKind.BLANK
        ),
        None,
    )
    if first is None:
        raise ReadError(
            f"header_rows={sorted(stated)}: there are no numbers below", argument="header_rows"
        )
    body = Body(grid, first, first, headers, words, needed)
    _find_last(body)
    return body


def first_below_headers(
    grid: Grid,
    needed: tuple[int, ...] | None = None,
    headers: Collection[RowKind] = (RowKind.HEADERS,),
    least: int = 1,
) -> int | None:
    """Find the first row with numbers and words, below headers of some cells at least.

    None if there is none.
    """
    headed = False
    for i in range(min(len(grid), HEURISTICS.first_rows)):
        kind = _kind(grid, i, (), needed)
        headed |= kind in headers and len(grid.cells(i)) >= least
        if headed and kind is RowKind.MIXED:
            return i
    return None


def _grown(body: Body, start: int) -> int:
    """Take in what stands between the headers and a run of numbers; rows of words are refused."""
    grid = body.grid
    kinds = {i: body.kind(i) for i in range(start - 1, -1, -1)}
    header = next(
        (i for i, kind in kinds.items() if kind in (RowKind.HEADERS, RowKind.UNITS)), None
    )
    width = len(grid.cells(start))
    if header is not None:
        _refuse_rows_above(grid, header, kinds)
    between = range(start - 1, -1 if header is None else header, -1)
    words = None
    first = start
    for i in between:
        if kinds[i] is RowKind.BLANK or grid.is_comment(i):
            continue
        cells = grid.cells(i)
        if kinds[i] is RowKind.NUMBERS:
            if words is not None and (len(cells) == width or header is not None):
                raise ReadError(
                    f"{grid.row_word} {grid.number(i)} is a row of numbers like those from "
                    f"{grid.row_word} {grid.number(first)} on, but {_shown(grid, words)!r} stands "
                    "between them; take it out, or begin it with #",
                    where={grid.row_word: grid.number(i)},
                )
            first = i if words is None else first
        elif kinds[i] is RowKind.MIXED:
            if _is_row(body, cells, width, headed=header is not None):
                first = i
            else:
                _warn_of_note(body, i, width, above=words is None and first == start)
                words = i if words is None else words
        else:
            if header is None and len(cells) != width:
                continue
            filled = [cell for cell in cells if cell]
            if header is not None and len(filled) == 1 and _GLUED.fullmatch(filled[0]):
                read_cell(filled[0], where=grid.where(grid.number(i), cells.index(filled[0])))
            words = i if words is None else words
    return first


def _refuse_rows_above(grid: Grid, header: int, kinds: Mapping[int, RowKind]) -> None:
    """Refuse rows of numbers between two rows of headers: the first table would be lost."""
    above = [i for i in range(header) if not grid.is_comment(i)]
    first = next((i for i in range(header) if kinds[i] is RowKind.HEADERS), header)
    lost = next((i for i in above if i > first and kinds[i] is RowKind.NUMBERS), None)
    if lost is not None:
        raise ReadError(
            f"{grid.row_word} {grid.number(lost)} is a row of numbers, but in "
            f"{grid.row_word} {grid.number(header)} {_shown(grid, header)!r} is the header of "
            "another table",
            code="several_tables",
            argument="header_rows",
            remedy="put it into a file or a sheet of its own, or say which rows are headers by "
            f"header_rows=[{grid.number(first) - 1}] or header_rows=[{grid.number(header) - 1}]",
            where={grid.row_word: grid.number(lost)},
        )


def _is_row(body: Body, cells: Sequence[str], width: int, *, headed: bool) -> bool:
    """Whether numbers and other texts above the first numbers are rather a row than a note.

    A note begins with a word, and does not fill all columns.
    """
    filled = [cell for cell in cells if cell]
    numbers = sum(map(is_number, cells))
    first = filled[0]
    if is_number(first) or (is_odd(first) and len(filled) > 1):
        return True
    if not headed or begins_row(first) or named_role(first, "ancillary", "mass"):
        return False
    return numbers > 1 or len(filled) == width or (width == 2 and len(cells) == 2)


def _shown(grid: Grid, row: int) -> str:
    if isinstance(grid, TextGrid):
        return grid.lines[row].strip()[:60]
    return " ".join(filter(None, grid.cells(row)))[:60]


# --- where they end ---------------------------------------------------------------------------


def _find_last(body: Body) -> None:
    """Find the last row of numbers; what stands below is judged."""
    grid, last = body.grid, len(body.grid) - 1
    while last > body.first and not _ends(body, last):
        last -= 1
    body.last = last
    width = body.width
    for i in range(last + 1, len(grid)):
        cells = grid.cells(i)
        if isinstance(grid, TextGrid):
            if not any(cells[width:]):
                del cells[width:]
            if i == len(grid) - 1 and _breaks_off(body, cells):
                short = f"{len(cells)} of {width} cells, and no end of the line"
                odd = f"its last cell is {cells[-1]!r}, and the line has no end"
                found = short if len(cells) < width else odd
                grid.options.truncated(f"the file breaks off within line {i + 1}: {found}")
                continue
            glued = i == last + 1 and is_odd(next(filter(None, cells), ""))
            if (
                len(cells) != width
                and sum(map(is_number, cells)) < HEURISTICS.many_numbers
                and not glued
            ):
                continue
        if any(cells) and not grid.is_comment(i):
            _warn_of_note(body, i, width)


def _breaks_off(body: Body, cells: Sequence[str]) -> bool:
    """Whether the last line of a text begins as a row does, and does not end."""
    above = body.grid.cells(body.last)
    *whole, last = cells or [""]
    if not whole:
        return bool(last) and 0 in body.words and above[0].startswith(last)
    return (any(cells) or len(cells) < body.width) and all(
        is_number(cell) or is_not_measured(cell, ()) or (j in body.words and above[j] == cell)
        for j, cell in enumerate(whole[: len(above)])
    )


def _ends(body: Body, row: int) -> bool:
    """Whether a row belongs to the numbers."""
    kind, cells = body.kind(row), body.grid.cells(row)
    if body.grid.is_comment(row) or begins_row(next(filter(None, cells), "")):
        return False
    if kind is RowKind.MIXED and body.needed is None:
        # No row is one of numbers alone; or words stand where they may, and something is odd.
        first = next(j for j, cell in enumerate(cells) if cell)
        whole = len(cells) >= len(body.grid.cells(body.first))
        return body.kind(body.first) is RowKind.MIXED or (first in body.words and whole)
    return kind is RowKind.NUMBERS


def _warn_of_note(body: Body, row: int, width: int, *, above: bool = False) -> None:
    """Refuse what stands above or below the numbers if it is rather a row of them than a note.

    A depth like ``1,000.5``, or one that has become a date, begins with a digit; a note does not.
    A note begins in the first column, and may state one number, but not right above the others, and
    does not fill all columns, nor those that the last row of numbers fills. Right below them it
    begins with a word of letters.
    """
    grid = body.grid
    cells = grid.cells(row)
    if row > body.last and any(_same_label(body, cells, j) for j in body.words):
        cells = ["" if j in body.words else cell for j, cell in enumerate(cells)]
    if body.needed is not None:
        cells = [cells[j] if j < len(cells) else "" for j in body.needed]
        width = len(cells)
    filled = _filled(cells)
    cells = [*cells, *[""] * (width - len(cells))]
    first, *others = [cell for cell in cells if cell] or [""]
    numbers = sum(map(is_number, others))
    if begins_row(first) or "=" in cells:
        return
    width = len(cells)
    # Every other line may be blank. Above the numbers their rows are not known yet.
    below = row > body.last
    step = body.rows[-1] - body.rows[-2] if below and len(body.rows) > 1 else 1
    next_to = below and row - body.last <= step
    damaged = is_odd(first) and (numbers or (next_to and _GLUED.fullmatch(first)))
    if is_number(first) or damaged or first[:1] == "=" != first[1:2]:
        columns = range(width) if body.needed is None else body.needed
        decimal = decimal_mark([*cells, *grid.cells(body.last)])
        _refuse_cells(grid, row, zip(columns, cells, strict=True), decimal)
        return
    begins = bool(cells[0]) and first.upper() not in ("TRUE", "FALSE")
    odd = len(first) < 2 or not first.replace(" ", "").isalpha()
    alike = next_to and (odd or filled == _filled(grid.cells(body.last)))
    like_a_note = not (above or alike) and begins and 1 + len(others) < width - len(body.words)
    if numbers > like_a_note:
        place, _, _ = grid.where(grid.number(row), 0).rpartition(",")
        warn(
            f"{place} begins with {first!r} and holds "
            f"{numbers} number{'s' if numbers > 1 else ''}: taken for a note",
            ProfileWarning,
            argument="not_measured",
            remedy="if it is a row of the table, correct its cells or name the text in "
            "not_measured=",
        )


def _same_label(body: Body, cells: Sequence[str], column: int) -> bool:
    """Whether a row has the label of the last row of numbers."""
    above = body.grid.cells(body.last)
    return column < min(len(cells), len(above)) and above[column] == cells[column] != ""


def _filled(cells: Sequence[str]) -> list[int]:
    return [j for j, cell in enumerate(cells) if cell]


def refuse_odd_rows(grid: Grid, rows: Iterable[int] | None = None) -> None:
    """Refuse the first row that would be one of numbers but for the way a cell is written."""
    for i in range(len(grid)) if rows is None else rows:
        cells = grid.cells(i)
        first, *others = [cell for cell in cells if cell] or [""]
        if others and is_odd(first) and any(map(is_number, cells)):
            _refuse_cells(grid, i, enumerate(cells), decimal_mark(cells))


def _refuse_cells(
    grid: Grid, row: int, cells: Iterable[tuple[int, str]], decimal: str | None
) -> None:
    """Read the cells of a row, with their columns, so that the first that is no number is named."""
    options, number = grid.options, grid.number(row)
    for j, cell in cells:
        where = grid.where(number, j)
        read_cell(cell, options.decimal or decimal or ".", options.not_measured, where=where)


# --- reading them -----------------------------------------------------------------------------


def read_body(body: Body, labels: Collection[int] = ()) -> Block:
    """Read the numbers of a table.

    Parameters
    ----------
    body : Body
    labels : collection of int
        Columns of texts, whatever is in them.

    Raises
    ------
    ReadError
        That names the cell that is no number; or if another table begins between the numbers, the
        file breaks off within a row, or rows lack cells and it is ambiguous which.
    """
    grid, rows, width = body.grid, body.rows, body.width
    others = [j for j in range(width) if body.needed is not None and j not in body.needed]
    if isinstance(grid, TextGrid):
        _refuse_headers_between(grid, body)
        if body.needed is None:
            refuse_truncated(grid, rows, width, labelled=bool(labels))
    if not (labels or isinstance(rows, range)):
        _warn_of_gap(body)
    try:
        block = grid.read(rows, width, body.words, {*labels, *others})
    except ReadError:
        _refuse_words(body)
        raise
    if isinstance(grid, TextGrid) and body.needed is None:
        refuse_short_rows(grid, rows, block, width)
    return replace(block, texts={j: t for j, t in block.texts.items() if j not in others})


def _refuse_headers_between(grid: TextGrid, body: Body) -> None:
    """Refuse headers in a comment between the numbers: another table begins there."""
    if isinstance(body.rows, range):
        return
    for row in sorted({*range(body.first, body.last)} - {*body.rows} - {*body.sections.left_out}):
        if not grid.is_comment(row):
            continue
        if grid.kind(row) is RowKind.HEADERS and len(grid.cells(row)) > 1:
            raise ReadError(
                f"line {row + 1}: {grid.lines[row].strip()[:60]!r} is the header of another table, "
                "below numbers of the first; put it into a file of its own",
                where={"line": row + 1},
            )


def _warn_of_gap(body: Body) -> None:
    """Warn where numbers go on below an empty line or a comment: another table, or a note.

    Files in which every other line is empty, by their line ends, are as usual.
    """
    grid = body.grid
    numbers = [grid.number(i) for i in body.rows]
    known = {grid.number(i) for i in body.sections.left_out}
    known |= {i + 1 for i in grid.left_out} if isinstance(grid, TextGrid) else set()
    gaps = [(a, b) for a, b in pairwise(numbers) if _is_open({*range(a + 1, b)}, known)]
    if gaps and len(gaps) <= HEURISTICS.few_gaps:
        after, on = gaps[-1]
        word = grid.row_word
        warn(
            f"the numbers end at {word} {after} and go on at {word} {on}, below an empty {word} or "
            "a comment: read as one table; if that is another table or a note, take it out",
            ProfileWarning,
        )


def _is_open(between: set[int], known: set[int]) -> bool:
    """Whether there are rows without numbers, and it is not known why."""
    return bool(between) and not between & known


def _refuse_words(body: Body) -> None:
    """Refuse a row of words between rows of numbers, if it is the first that is odd."""
    grid = body.grid
    for row in body.rows:
        cells = grid.cells(row)
        words = [
            j
            for j, cell in enumerate(cells)
            if not (is_number(cell) or is_not_measured(cell, grid.options.not_measured))
            and j not in body.words
        ]
        if words and not any(map(is_number, cells)):
            raise ReadError(
                f"{grid.where(grid.number(row), words[0])}: {cells[words[0]]!r} stands between "
                "rows of numbers; if another table begins there, put it into a file or a sheet of "
                "its own, otherwise take it out",
                where=grid.place(grid.number(row), words[0]),
            )
        if words:
            return
