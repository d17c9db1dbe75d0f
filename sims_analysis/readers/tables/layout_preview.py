"""How a table was understood, as a small picture: which row and column was taken for what."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from sims_analysis.errors import SimsError
from sims_analysis.readers.source import Source
from sims_analysis.readers.tables.body import Body
from sims_analysis.readers.tables.columns import Pair
from sims_analysis.readers.tables.grid import Grid, TextGrid
from sims_analysis.readers.tables.headers import Headers
from sims_analysis.readers.tables.row_kinds import RowKind
from sims_analysis.readers.tables.table import Table

if TYPE_CHECKING:
    from sims_analysis.dataset.result import SIMSResult

#: Rows that are shown: above the numbers, of them, and below; columns; letters of a cell.
_ABOVE, _FIRST, _BELOW, _COLUMNS, _LETTERS = 12, 3, 4, 8, 18
_WIDTH = 96
_DELIMITERS = {"\t": "tabs", ";": "semicolons", ",": "commas", "|": "bars", None: "blanks"}
_ROLES = {
    "axis": "depths",
    "time": "times",
    "error": "errors",
    "index": "numbers of rows",
    "ancillary": "kept next to the samples",
    "species": "names of species",
    "unit": "units",
    "text": "words",
}


def layout_preview(source: Source) -> str:
    """Draw what is understood of a table so far; empty if the file is none."""
    table, grid = source.trace.table, source.trace.grid
    if table is None and grid is not None:
        table = Table(grid)
    return "" if not isinstance(table, Table) else "\n".join(_lines(table))


def explanation(
    source: Source,
    outcome: Sequence[SIMSResult] | SimsError,
    warned: Sequence[str],
    formats: Mapping[str, str],
) -> str:
    """Describe how a file is read: the outcome and the warnings."""
    name = source.trace.format
    lines = [source.name]
    if name:
        about = formats.get(name, "a reader of one's own")
        lines = [f"{source.name}, read as {name!r}: {about}"]
    lines += layout_preview(source).splitlines()
    if isinstance(outcome, SimsError):
        lines += _wrapped(f"not read: {str(outcome).removeprefix(f'{source.name}: ')}")
    else:
        lines += [line for result in outcome for line in _profiles(result)]
        lines += [line for text in warned for line in _wrapped(f"warning: {text}")]
    return "\n".join(lines)


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False)


def _profiles(result: SIMSResult) -> Iterator[str]:
    count = len(result.depth_profiles)
    yield f"{result.data_id}: {count} profile{'s' if count != 1 else ''}"
    yield from _aligned(
        [
            [
                profile.species_name,
                f"{profile.depths.size} samples",
                f"over {profile.depth_units}",
                f"in {profile.concentration_units}",
            ]
            for profile in result.depth_profiles
        ]
    )


def _lines(table: Table) -> Iterator[str]:
    grid = table.grid
    yield _about(grid)
    rows = [(grid.number(i), part, grid.cells(i)) for i, part in _rows_by_part(table)]
    width = min(max((len(cells) for _, _, cells in rows), default=0), _COLUMNS)
    letters = [grid.letter(j) for j in range(width)]
    shown = [("", "", letters)] + [
        (str(number) if part else "...", part, cells[:width] + ["..."] * (len(cells) > width))
        for number, part, cells in rows
    ]
    yield from _aligned([[number, part, *map(_short, cells)] for number, part, cells in shown])
    if table.headers is not None and table.body is not None:
        reasons = [[str(n), part, why] for n, part, why in _reasons(table)]
        if reasons:
            yield "rows"
            yield from _aligned(reasons)
        yield "columns"
        yield from _aligned(list(_columns(grid, table.body, table.headers, table.pairs)))


def _about(grid: Grid) -> str:
    if isinstance(grid, TextGrid):
        others = "".join(f"; {text}" for text in _other_delimiters(grid))
        return f"a text with {_DELIMITERS[grid.delimiter]} between the cells{others}"
    turned = "; its rows are read as columns" if grid.turned else ""
    others = ", ".join(map(repr, grid.others))
    chosen = f", the first with depths above its numbers; {others} holds numbers too"
    name = "a table" if grid.name is None else f"sheet {grid.name!r}"
    return f"{name}{chosen if others else ''}{turned}"


def _other_delimiters(grid: TextGrid) -> Iterator[str]:
    """Say what the lines would be with the delimiters that were not chosen."""
    for mark, word in _DELIMITERS.items():
        if mark in (None, grid.delimiter) or not any(str(mark) in line for line in grid.lines):
            continue
        other = TextGrid(grid.lines, mark, False, grid.options)
        found = "no rows of numbers"
        if other.start and other.start.count:
            row = other.start.row
            found = f"{len(other.cells(row))} cells of line {row + 1}"
        yield f"{word} would make {found}"


def _reasons(table: Table) -> Iterator[tuple[int, str, str]]:
    """Return why rows are what they were taken for."""
    headers, grid = table.headers, table.grid
    if headers is None or table.body is None:
        return
    values = {*headers.columns("value", "error")}
    for i in sorted({*headers.taken, *headers.notes, *table.body.sections.left_out}):
        part, why = headers.taken.get(i, ("note", "adds nothing to the headers"))
        filled = {j for j, cell in enumerate(grid.cells(i)) if cell}
        if part == "note" and len(values) > 1 and values <= filled:
            why = "adds nothing that is known, though it fills every column of values"
        if i in table.body.sections.left_out:
            part, why = table.body.sections.left_out[i], "stands between the numbers"
        yield grid.number(i), part, why


def _rows_by_part(table: Table) -> Iterator[tuple[int, str]]:
    """Return the rows to show, and what each was taken for; nothing where some are left out."""
    grid, body = table.grid, table.body
    if body is None:
        for i in range(min(len(grid), _ABOVE)):
            if grid.kind(i) is not RowKind.BLANK:
                yield i, grid.kind(i).value
        return
    taken = {} if table.headers is None else table.headers.taken
    for i in body.above[-_ABOVE:]:
        part, _ = taken.get(i, ("note" if table.headers is not None else grid.kind(i).value, ""))
        yield i, part
    rows = list(range(body.first, min(body.first + _FIRST, body.last + 1)))
    for i in rows:
        yield i, body.kind(i).value
    if body.last > rows[-1]:
        if body.last > rows[-1] + 1:
            yield rows[-1] + 1, ""
        yield body.last, body.kind(body.last).value
    for i in body.below[:_BELOW]:
        yield i, "note"


def _columns(
    grid: Grid, body: Body, headers: Headers, pairs: Sequence[Pair]
) -> Iterator[Sequence[str]]:
    """Return what each column was taken for."""
    values = {pair.value: pair for pair in pairs}
    errors = {pair.error: pair for pair in pairs if pair.error is not None}
    axes = {pair.axis for pair in pairs}
    for j, header in enumerate(headers.headers):
        letter, unit = grid.letter(j), headers.units[j]
        known = f"in {unit}" if unit else "unit not stated"
        if j in values:
            name = values[j].name
            called = repr(name) if name else "a species that is not named"
            yield letter, f"values of {called}", known
        elif j in errors:
            yield letter, f"errors of {errors[j].name!r}", f"in {unit}" if unit else ""
        elif not headers.filled[j]:
            yield letter, "words" if j in body.words else "nothing", ""
        elif j in axes or header.role in ("axis", "time"):
            yield letter, "times" if header.role == "time" else "depths", known
        else:
            yield letter, _ROLES.get(header.role, "numbers"), ""


def _short(cell: str) -> str:
    cell = " ".join(cell.split())
    return cell if len(cell) <= _LETTERS else f"{cell[: _LETTERS - 1]}…"


def _aligned(rows: Sequence[Sequence[str]]) -> Iterable[str]:
    """Pad cells to columns, by what they take on a screen."""
    count = max(map(len, rows), default=0)
    widths = [max(_width(row[j]) for row in rows if j < len(row)) for j in range(count)]
    for row in rows:
        cells = (cell + " " * (widths[j] - _width(cell)) for j, cell in enumerate(row))
        yield f"  {'  '.join(cells)}".rstrip()


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
