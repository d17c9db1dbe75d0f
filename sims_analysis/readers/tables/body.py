"""Where the numbers of a table begin and end, by the kinds of its rows.

They are one block, from the headers to the last row of numbers. A row of headers that is written
again begins a page, or another sample where the depths begin anew. Whatever else stands between and
is not a number is an error, so that nothing is cut off silently.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from sims_analysis.errors import ProfileWarning, ReadError, warn
from sims_analysis.kernels.rows import Array
from sims_analysis.readers.signals import Signal
from sims_analysis.readers.source import Source
from sims_analysis.readers.tables.grid import Block, Grid, TextGrid
from sims_analysis.readers.tables.header_cells import begins_row, named_role, without_label
from sims_analysis.readers.tables.numbers import decimal_mark, is_number, narrow, read_cell
from sims_analysis.readers.tables.row_kinds import RowKind, is_not_measured, is_odd

#: A number in parts.
_FORM = re.compile(
    r"[+\-]?(?P<digits>\d+(?:[.,](?P<decimals>\d*))?)(?:[eEdD][+\-]?(?P<exponent>\d+))?"
)


#: So many rows before the last show how long rows are; so many are near it.
_ROWS_BEFORE_LAST, _NEAR_LAST = 100, 8


def refuse_truncated(grid: TextGrid, rows: Sequence[int], width: int) -> None:
    """Refuse a text that ends within a row, and warn of one that seems to."""
    end, last = len(grid.lines) - 1, rows[-1]
    cut = grid.lines[end]
    if grid.quoted and cut.count('"') % 2:
        grid.options.truncated(f"the file is truncated within line {end + 1}, in a cell in quotes")
        return
    if end > last:
        return
    lines = grid.texts(rows)
    last_rows = [grid.split(line) for line in lines[-_ROWS_BEFORE_LAST:-1]]
    n_cells, cells = min(map(len, last_rows), default=0), grid.split(cut)
    if len(cells) < n_cells and len(cells) < min(len(grid.split(line)) for line in lines[:-1]):
        grid.options.truncated(
            f"the file is truncated within line {end + 1}: {len(cells)} of {width} cells, and "
            "no line end"
        )
    # A pair of columns that ends early is empty in both.
    elif len(cells) == n_cells == width and any((*cells[-2:], last_rows[-1][-1].strip())):
        warn_if_truncated(grid.lines, [row[-1] for row in last_rows] + cells[-1:])


def read_lines(source: Source, rows: Sequence[int], width: int) -> Array:
    """Read lines of so many numbers between blanks; in one that lacks some, the file is cut."""
    lines = source.lines
    if not rows:
        raise ReadError("a header without rows of numbers below it", code="truncated_file")
    if rows[-1] == len(lines) - 1:
        warn_if_truncated(lines, [lines[i].split()[-1] for i in rows])
    block = TextGrid(lines, source.options, delimiter=None).read(rows, width)
    counts = [width] if {*block.lengths} == {width} else [len(lines[i].split()) for i in rows]
    if min(counts) < width:
        complete = np.array(counts) >= width
        line = rows[int(complete.argmin())] + 1
        source.options.truncated(f"line {line}: {counts[complete.argmin()]} of {width} numbers")
        return block.select(complete).values
    return block.values


def read_two_columns(
    source: Source, rows: Sequence[int], name: str, units: Sequence[str | None], **fields: Any
) -> Signal:
    """Read lines of two numbers: a signal in the units of its depths and of its values."""
    depths, values = read_lines(source, rows, 2).T
    return Signal(
        name=name, depths=depths, depth_units=units[0], values=values, units=units[1], **fields
    )


def warn_if_truncated(lines: Sequence[str], cells: Sequence[str]) -> None:
    """Warn of a text without a last line end, unless its last number is seen to be whole."""
    if not lines[-1].strip():
        return
    forms = [_FORM.fullmatch(narrow(cell).strip(' "').lstrip("<\u2264= ")) for cell in cells]
    *previous, last = forms
    if not cells[-1].strip() or (last and not _is_whole(last, [form for form in previous if form])):
        warn(
            f"line {len(lines)} has no end, and its last cell, {cells[-1].strip()!r}, may be cut, "
            "judging by those above: the file may be truncated there; otherwise, add a line "
            "end",
            ProfileWarning,
            code="truncated_file",
        )


def _is_whole(last: re.Match[str], previous: Sequence[re.Match[str]]) -> bool:
    """Whether a number is written like some of those above it, as far as there are any."""
    if not last["digits"].strip("0,."):
        return True
    shapes = {_shape(form) for form in previous}
    if last["exponent"] and shapes:  # 1E15 among 1.2E18
        return len(last["exponent"]) in {exponent for _, exponent in shapes}
    if _shape(last) != (0, 0) or shapes - {(0, 0)}:
        least = min((len(form["digits"]) for form in previous), default=0)
        similar = len(shapes) == 1 or len(last["digits"]) >= least
        return not shapes or (_shape(last) in shapes and similar)
    # A whole number that lost a digit is a tenth.
    nearest = [int(form["digits"].rstrip(",.")) for form in previous[-_NEAR_LAST:]]
    return 10 * int(last["digits"].rstrip(",.")) > max(nearest, default=0)


def _shape(form: re.Match[str]) -> tuple[int, int]:
    """Count the digits behind the mark of a number, less than 0 behind a mark that stands last."""
    decimals = -1 if form["decimals"] == "" else len(form["decimals"] or "")
    return decimals, len(form["exponent"] or "")


def check_short_lines(
    grid: TextGrid, block: Block, filled: Sequence[bool], starts: Collection[int]
) -> None:
    """Warn of lines that lack cells, it is ambiguous which; between blanks they are refused."""
    width, blanks = len(filled), grid.delimiter is None
    if len(block.lengths) < 2 or not np.isnan(block.values[:, -1]).any():
        return
    rows = [grid.split(grid.lines[number - 1]) for number in block.rows]
    # Every line may end in a delimiter.
    (mode, _), *_ = Counter(map(len, rows)).most_common(1)
    complete = [len(cells) >= max(width, mode) for cells in rows]
    if True not in complete:
        return
    end = len(complete) - complete[::-1].index(True)

    def ends_profiles(cells: Sequence[str]) -> bool:
        last = max((j for j, cell in enumerate(cells) if cell.strip()), default=-1)
        return next((j for j in range(last + 1, width) if filled[j]), None) in {None, *starts}

    # Of a last line without an end there is another warning.
    short = [
        (number, len(cells))
        for place, (number, cells) in enumerate(zip(block.rows, rows, strict=True))
        if not complete[place]
        and number < len(grid.lines)
        and (blanks or place < end or not ends_profiles(cells))
    ]
    if not short:
        return
    line, count = short[0]
    if not blanks:
        more = f" (and {len(short) - 1} more)" if len(short) > 1 else ""
        warn(
            f"line {line}{more} has fewer cells than the {width} columns: those missing at its end "
            "are taken as not measured; if one is missing before, the others are in wrong columns",
            ProfileWarning,
            code="ambiguous_table",
        )
    elif width - 1 not in block.texts:
        raise ReadError(
            f"line {line}: {count} of {width} cells, separated by blanks: it is ambiguous which "
            "are missing; put tabs between the cells, or nan where there is no value",
            code="ambiguous_table",
        )


def warn_of_uneven_rows(grid: TextGrid, rows: Sequence[int]) -> None:
    """Warn of rows, each a profile, that have not as many cells as the others."""
    texts = [grid.cells(i) for i in rows]
    counts = [max(j + 1 for j, cell in enumerate(cells) if cell) for cells in texts]
    (mode, _), *_ = Counter(counts).most_common(1)
    warn_if_truncated(grid.lines, texts[-1][1 : counts[-1]])
    row = next((n for n, count in enumerate(counts) if count != mode), None)
    if row is not None:
        warn(
            f"line {rows[row] + 1} has {counts[row]} cells, others {mode}: one number too few or "
            "too many within it shifts all that follow to other depths",
            ProfileWarning,
            code="uneven_rows",
        )


#: Numbers that have become one; a date is not one.
_RUN_TOGETHER = re.compile(r"(?!\d{1,4}([-.])\d{1,2}\1\d{1,4}$)(?=.*\d)[-+.,\deE\s]+")


#: More empty lines than these between the numbers are how the file ends its lines; a row of another
#: width that is a note has fewer numbers.
_FEW_GAPS, _MANY_NUMBERS = 3, 2


@dataclass
class Body:
    """A block of rows in a grid, and the rows above it."""

    grid: Grid
    first: int
    last: int
    #: Rows above that are not blank.
    above: list[int]
    #: Columns that may hold words, by their headers, and whether that is certain.
    words: Mapping[int, bool]
    #: Rows between the numbers that are understood, heads that are repeated and labels of blocks:
    #: row of the grid -> what it was taken for.
    interruptions: dict[int, str] = field(default_factory=dict)
    #: First row of numbers of a block -> its label; empty if it has none.
    labels: dict[int, str] = field(default_factory=dict)

    @cached_property
    def rows(self) -> Sequence[int]:
        """The rows that are neither blank nor comments, nor understood otherwise."""
        rows = self.grid.rows_of_table(self.first, self.last)
        # All of them may begin like numbers.
        if not isinstance(rows, range):
            find_blocks(self)
        return [i for i in rows if i not in self.interruptions] if self.interruptions else rows

    @cached_property
    def width(self) -> int:
        """Number of columns."""
        width = self.grid.width(self.rows)
        if isinstance(self.grid, TextGrid) and self.grid.delimiter is None:
            # Blanks stand within headers too: those of more columns say nothing.
            return width
        # A remark may stand next to a later row alone.
        return max([width, *(j + 1 for j in self.words)])

    @cached_property
    def below(self) -> list[int]:
        """Rows below the last that are not empty."""
        return [i for i in range(self.last + 1, len(self.grid)) if any(self.grid.cells(i))]

    def kind(self, row: int) -> RowKind:
        """Classify a row, with words where they may stand."""
        return self.grid.kind(row, self.words)


def find_body(grid: Grid) -> Body:
    """Find the numbers of a grid; neither words nor an odd cell may cut any of them off."""
    if grid.options.header_rows is not None:
        body = _body_below(grid, {*grid.options.header_rows})
    elif grid.start is None:
        refuse_odd_rows(grid)
        raise ReadError("it has no numbers in columns", code="no_profile")
    else:
        start = grid.start
        body = Body(grid, start.row, start.row, [], start.words)
        body.first = _find_first(body, start.row)
        body.above = [i for i in range(body.first) if grid.kind(i) is not RowKind.BLANK]
    _find_last(body)
    return body


def _body_below(grid: Grid, rows: set[int]) -> Body:
    """Take the rows below the headers that the user states."""
    headers = [i for i in range(len(grid)) if grid.number(i) - 1 in rows]
    extra = rows - {grid.number(i) - 1 for i in headers}
    if extra:
        raise ReadError(
            f"header_rows={sorted(rows)}: there is nothing in row {min(extra)}, counted from 0; "
            f"the last row is {grid.number(len(grid) - 1) - 1}",
            argument="header_rows",
        )
    words: dict[int, bool] = {}
    for i in headers:
        words |= grid.words_below(i)
    for i in range(headers[-1] + 1 if headers else 0, len(grid)):
        kind = grid.kind(i, words)
        is_first = kind is RowKind.NUMBERS or (headers and kind is not RowKind.BLANK)
        if is_first and not grid.is_comment(i):
            return Body(grid, i, i, headers, words)
    raise ReadError(
        f"header_rows={sorted(rows)}: there are no numbers below", argument="header_rows"
    )


def _find_first(body: Body, start: int) -> int:
    """Take in what stands between the headers and a run of numbers; rows of words are refused."""
    grid = body.grid
    kinds = {i: body.kind(i) for i in range(start - 1, -1, -1)}
    heads = [i for i, kind in kinds.items() if kind in (RowKind.HEADERS, RowKind.UNITS)]
    headings = [i for i in heads if kinds[i] is RowKind.HEADERS]
    above = range(headings[0], heads[0]) if headings else ()
    # A row of numbers between the headers and units may be one of the table.
    row = any(kinds[i] is RowKind.NUMBERS and grid.cells(i)[0] for i in above)
    header = next(iter(headings if row else heads), None)
    width = len(grid.cells(start))
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
                    f"{grid.row_word} {grid.number(first)} on, but {' '.join(grid.cells(words))!r} "
                    "stands between them; take it out, or begin it with #"
                )
            first = i if words is None else first
        elif kinds[i] is RowKind.MIXED:
            if _is_row(cells, width, headed=header is not None):
                first = i
            else:
                _warn_of_note(body, i, cells, width, next_to=words is None and first == start)
                words = i if words is None else words
        else:
            if header is None and len(cells) != width:
                continue
            filled = [cell for cell in cells if cell]
            if header is not None and len(filled) == 1 and _RUN_TOGETHER.fullmatch(filled[0]):
                read_cell(filled[0], where=grid.where(grid.number(i), cells.index(filled[0])))
            words = i if words is None else words
    return first


def _is_row(cells: Sequence[str], width: int, *, headed: bool) -> bool:
    """Whether numbers and other texts above the first numbers are rather a row than a note."""
    filled = [cell for cell in cells if cell]
    numbers = sum(map(is_number, cells))
    first = filled[0]
    if headed and begins_row(first, "ancillary", "mass", "text"):
        return False
    if is_number(first) or (is_odd(first) and len(filled) > 1):
        return True
    if not headed:
        return False
    return numbers > 1 or len(filled) == width or (width == 2 and len(cells) == 2)


def _find_last(body: Body) -> None:
    """Find the last row of numbers; what stands below is judged."""
    grid, last = body.grid, len(body.grid) - 1
    while last > body.first and not _is_in_table(body, last):
        last -= 1
    body.last = last
    width = body.width
    for i in body.below:
        cells = grid.cells(i)
        if isinstance(grid, TextGrid):
            cells = cells if any(cells[width:]) else cells[:width]
            if i == len(grid) - 1 and _is_cut_off(body, cells):
                short = f"{len(cells)} of {width} cells, and no line end"
                broken = f"its last cell is {cells[-1]!r}, and there is no line end"
                fault = short if len(cells) < width else broken
                grid.options.truncated(f"the file is truncated within line {i + 1}: {fault}")
                continue
        if not grid.is_comment(i):
            _warn_of_note(body, i, cells, width, next_to=i == body.below[0])


def _is_cut_off(body: Body, cells: Sequence[str]) -> bool:
    """Whether the last line of a text begins as a row does, and does not end."""
    last_row = body.grid.cells(body.last)
    *complete, last = cells or [""]
    if not complete:
        return bool(last) and 0 in body.words and last_row[0].startswith(last)
    return (any(cells) or len(cells) < body.width) and all(
        is_number(cell) or is_not_measured(cell, ()) or (j in body.words and last_row[j] == cell)
        for j, cell in enumerate(complete[: len(last_row)])
    )


def _is_in_table(body: Body, row: int) -> bool:
    """Whether a row belongs to the numbers."""
    kind, cells = body.kind(row), body.grid.cells(row)
    if body.grid.is_comment(row) or begins_row(next(filter(None, cells), "")):
        return False
    if kind is RowKind.MIXED:
        # No row is one of numbers alone; or words stand where they may, and something is odd.
        first = next(j for j, cell in enumerate(cells) if cell)
        is_full = len(cells) >= len(body.grid.cells(body.first))
        return body.kind(body.first) is RowKind.MIXED or (first in body.words and is_full)
    return kind is RowKind.NUMBERS


def _warn_of_note(body: Body, row: int, cells: Sequence[str], width: int, *, next_to: bool) -> None:
    """Refuse what stands above or below the numbers if it is rather a row of them than a note.

    A note begins in the first column, with no digit, fills not all, and may state one number.
    """
    grid, last = body.grid, body.grid.cells(body.last)
    if row > body.last:
        # The label of the last row begins another row.
        labels = {
            j for j in body.words if any(last[j : j + 1]) and last[j : j + 1] == cells[j : j + 1]
        }
        cells = ["" if j in labels else cell for j, cell in enumerate(cells)]
    first, *others = [cell for cell in cells if cell] or [""]
    numbers = sum(map(is_number, others))
    uneven = isinstance(grid, TextGrid) and len(cells) != width
    has_few = numbers + is_number(first) < _MANY_NUMBERS
    roles = ("text",) if row < body.first else ()
    if begins_row(first, *roles) or "=" in cells or (uneven and has_few and not next_to):
        return
    fused = next_to and row > body.last and _RUN_TOGETHER.fullmatch(first)
    if is_number(first) or (is_odd(first) and (numbers or fused)) or first[:1] == "=" != first[1:2]:
        _refuse_cells(grid, row, cells, decimal_mark([*cells, *last]))
        return
    starts = bool(cells[0]) and first.upper() not in ("TRUE", "FALSE")
    short = starts and 1 + len(others) < width - len(body.words)
    word = row > body.last and len(first) > 1 and first.replace(" ", "").isalpha()
    similar = next_to and not (word and _filled(cells) != _filled(last))
    if numbers > (short and (uneven or not similar)):
        place, _, _ = grid.where(grid.number(row), 0).rpartition(",")
        warn(
            f"{place} begins with {first!r} and holds "
            f"{numbers} number{'s' if numbers > 1 else ''}: taken as a note",
            ProfileWarning,
            argument="not_measured",
            remedy="if it is a row of the table, correct its cells or name the text in "
            "not_measured=",
        )


def _filled(cells: Sequence[str]) -> list[int]:
    return [j for j, cell in enumerate(cells) if cell]


def refuse_odd_rows(grid: Grid) -> None:
    """Refuse the first row that would be one of numbers but for the way a cell is written."""
    for i in range(len(grid)):
        cells = grid.cells(i)
        first, *others = [cell for cell in cells if cell] or [""]
        if others and is_odd(first) and any(map(is_number, cells)):
            _refuse_cells(grid, i, cells, decimal_mark(cells))


def _refuse_cells(grid: Grid, row: int, cells: Sequence[str], decimal: str | None) -> None:
    """Read the cells of a row, so that the first that is not a number is named."""
    options, number = grid.options, grid.number(row)
    for j, cell in enumerate(cells):
        where = grid.where(number, j)
        read_cell(cell, options.decimal or decimal or ".", options.not_measured, where=where)


def read_body(body: Body, labels: Collection[int] = ()) -> Block:
    """Read the numbers of a table; `labels` are columns of texts, whatever is in them."""
    grid, rows, width = body.grid, body.rows, body.width
    if isinstance(grid, TextGrid):
        refuse_truncated(grid, rows, width)
    if not (labels or isinstance(rows, range)):
        _warn_of_gap(body)
    return grid.read(rows, width, body.words, labels)


def _warn_of_gap(body: Body) -> None:
    """Warn where numbers go on below a few empty lines or comments: another table, or a note."""
    grid, word = body.grid, body.grid.row_word
    numbers = [grid.number(i) for i in body.rows]
    taken = {grid.number(i) for i in body.interruptions}
    gaps = [(a, b) for a, b in pairwise(numbers) if b > a + 1 and taken.isdisjoint(range(a + 1, b))]
    if 0 < len(gaps) <= _FEW_GAPS:
        after, on = gaps[-1]
        warn(
            f"the numbers end at {word} {after} and go on at {word} {on}, below an empty {word} or "
            "a comment: read as one table; if that is another table or a note, take it out",
            ProfileWarning,
            code="several_tables",
        )


def find_blocks(body: Body) -> None:
    """Find heads that are repeated, and labels of blocks, among rows of numbers and above them."""
    grid, above = body.grid, body.above
    heads = {tuple(grid.cells(i)): i for i in above if len(_filled(grid.cells(i))) > 1}
    heads = {cells: i for cells, i in heads.items() if grid.kind(i) not in _NUMERIC}
    last_heads: list[int] = []
    for group in _interruptions(grid, body.first, body.last, heads):
        end, start = group[0] - 1, group[-1] + 1
        copies = [i for i in group if tuple(grid.cells(i)) in heads]
        marks = [i for i in group if i not in copies]
        fresh = _begins_anew(grid, end, start)
        if not copies and (not fresh or len(marks) != 1 or len(_filled(grid.cells(marks[0]))) != 1):
            continue
        if fresh:
            body.labels[start] = next(filter(None, (_label(grid, i) for i in marks)), "")
            last_heads = copies or last_heads
        body.interruptions |= dict.fromkeys(marks, "samples" if fresh else "note")
        body.interruptions |= dict.fromkeys(copies, "headers again")
    if any(body.labels.values()):
        top = min((heads[tuple(grid.cells(i))] for i in last_heads), default=body.first)
        row = next((i for i in reversed(above) if i < top), None)
        if row is not None and (
            len(_filled(grid.cells(row))) == 1 or named_role(grid.cells(row)[0], "text", "species")
        ):
            body.labels[body.first] = _label(grid, row)
            body.interruptions[row] = "samples"
            above.remove(row)


_NUMERIC = (RowKind.NUMBERS, RowKind.MIXED, RowKind.BLANK)


def _interruptions(
    grid: Grid, first: int, last: int, heads: dict[tuple[str, ...], int]
) -> list[list[int]]:
    """Return groups of rows without numbers between rows of numbers, with blank ones in them."""
    groups: list[list[int]] = []
    lines = grid.lines if isinstance(grid, TextGrid) else None
    for i in range(first, last + 1):
        if lines is not None and lines[i][:1].isdigit():
            continue
        cells = grid.cells(i)
        if tuple(cells) not in heads and any(map(is_number, cells)):
            continue
        if groups and groups[-1][-1] == i - 1:
            groups[-1].append(i)
        else:
            groups.append([i])
    groups = [[i for i in group if any(grid.cells(i))] for group in groups if group[0] > first]
    return [group for group in groups if group and group[-1] < last]


def _begins_anew(grid: Grid, before: int, after: int) -> bool:
    """Whether the first number of the next row of numbers is not above that of the last."""
    while not any(map(is_number, grid.cells(before))):
        before -= 1
    while not any(map(is_number, grid.cells(after))):
        after += 1
    last, following = (narrow(next(filter(is_number, grid.cells(i)))) for i in (before, after))
    mark = "," if "," in last + following else "."
    try:
        return read_cell(following, mark) <= read_cell(last, mark)
    except ReadError:
        return False


def _label(grid: Grid, row: int) -> str:
    """Return what a row calls a sample: ``W1``, ``Sample: W1``, ``Sample | W1``."""
    *keys, text = filter(None, grid.cells(row))
    name = without_label(text, "text", "species")
    if name != text:
        return name
    return text if not keys or named_role(keys[0].rstrip(":"), "text", "species") else ""
