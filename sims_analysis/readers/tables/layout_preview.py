"""How a table was understood, in a few lines: which row and column was taken for what."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from sims_analysis.readers.source import Source
from sims_analysis.readers.tables.grid import Grid, TextGrid
from sims_analysis.readers.tables.regions import is_preferred
from sims_analysis.readers.tables.row_kinds import RowKind
from sims_analysis.readers.tables.table import Table

if TYPE_CHECKING:
    from sims_analysis.dataset.result import SIMSResult

#: Rows that are shown: above the numbers, of them, and below; columns; letters of a cell.
_ABOVE, _FIRST, _BELOW, _COLUMNS, _LETTERS = 12, 3, 4, 8, 18
_WIDTH = 96
_DELIMITERS = {"\t": "tabs", ";": "semicolons", ",": "commas", "|": "bars", None: "blanks"}
_ROLES = {
    "error": "errors",
    "index": "numbers of rows",
    "ancillary": "kept next to the samples",
    "species": "names of species",
    "unit": "units",
    "text": "words",
}


def layout_preview(source: Source) -> str:
    """Draw what is understood of a table so far; empty if the file is not one."""
    grid, tables = source.trace.grid, source.trace.tables
    if not tables and grid is not None:
        tables = [Table(grid)]
    return "\n".join(line for table in tables for line in _lines(table))


def explanation(
    source: Source,
    outcome: Sequence[SIMSResult] | str,
    warned: Sequence[str],
    formats: Mapping[str, str],
) -> str:
    """Describe how a file is read: the outcome, or why there is none, and the warnings."""
    name = source.trace.format
    title = f", read as {name!r}: {formats.get(name, 'a reader of your own')}" if name else ""
    lines = [f"{source.name}{title}", *layout_preview(source).splitlines()]
    if isinstance(outcome, str):
        lines += _wrapped(f"not read: {outcome.removeprefix(f'{source.name}: ')}")
    else:
        lines += [line for result in outcome for line in _profiles(result)]
        lines += [line for text in warned for line in _wrapped(f"warning: {text}")]
    return "\n".join(lines)


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False)


def _profiles(result: SIMSResult) -> Iterator[str]:
    count = len(result.depth_profiles)
    yield f"{result.data_id}: {count} profile{'s' if count != 1 else ''}"
    rows = []
    for p in result.depth_profiles:
        units = f"over {p.depth_units}", f"in {p.concentration_units}"
        rows.append([p.species_name, f"{p.depths.size} samples", *units])
    yield from _aligned(rows)


def _lines(table: Table) -> Iterator[str]:
    grid, body = table.grid, table.body
    yield _summary(grid)
    reasons = _reasons(table)
    if body is None:
        rows: list[int | None] = [
            i for i in range(min(len(grid), _ABOVE)) if grid.kind(i) is not RowKind.BLANK
        ]
    else:
        numbers = range(body.first, body.last + 1)
        ellipsis = [None] * (len(numbers) > _FIRST + 1)
        rows = [*body.above[-_ABOVE:], *numbers[:_FIRST], *ellipsis, *numbers[_FIRST:][-1:]]
        rows += body.below[:_BELOW]
    preview = [(i, [] if i is None else grid.cells(i)) for i in rows]
    width = min(max((len(cells) for _, cells in preview), default=0), _COLUMNS)
    lines = [["", "", *map(grid.letter, range(width))]]
    for i, cells in preview:
        start = ["..."] if i is None else [str(grid.number(i)), _part(table, reasons, i)]
        lines.append([*start, *map(_short, cells[:width]), *["..."] * (len(cells) > width)])
    yield from _aligned(lines)
    if table.headers is not None:
        if reasons:
            yield "rows"
            yield from _aligned([[str(grid.number(i)), *why] for i, why in sorted(reasons.items())])
        yield "columns"
        yield from _aligned(
            [[grid.letter(j), *_column(table, j)] for j in range(len(table.headers.headers))]
        )


def _summary(grid: Grid) -> str:
    if isinstance(grid, TextGrid):
        return f"a text with {_DELIMITERS[grid.delimiter]} between the cells"
    suffix = "; its rows are read as columns" if grid.was_transposed else ""
    sheets = ", ".join(map(repr, grid.other_sheets))
    choice = f", the first with depths above its numbers; {sheets} holds numbers too"
    name = "a table" if grid.name is None else f"sheet {grid.name!r}"
    by_name = ", chosen by its name" if is_preferred(grid) and not grid.options.sheet else ""
    return f"{name}{choice if sheets else by_name}{suffix}"


def _reasons(table: Table) -> dict[int, tuple[str, str]]:
    """Return what rows above, below and between the numbers were taken for, and why."""
    headers, body = table.headers, table.body
    if headers is None or body is None:
        return {}
    values, reasons = {*headers.columns("value", "error")}, {}
    for i in (*headers.notes, *body.below[:_BELOW]):
        filled = {j for j, cell in enumerate(table.grid.cells(i)) if cell}
        reason = "adds nothing to the headers"
        if len(values) > 1 and values <= filled:
            reason = "adds nothing that is known, though it fills every column of values"
        reasons[i] = "note", reason
    between = {i: (part, "stands between the numbers") for i, part in body.interruptions.items()}
    return reasons | headers.taken | between


def _part(table: Table, reasons: Mapping[int, tuple[str, str]], row: int) -> str:
    """Return what a row was taken for."""
    body = table.body
    if body is not None and body.first <= row <= body.last:
        return body.kind(row).value
    is_raw = table.headers is None and (body is None or row < body.first)
    return table.grid.kind(row).value if is_raw else reasons.get(row, ("note", ""))[0]


def _column(table: Table, column: int) -> tuple[str, str]:
    """Return what a column was taken for, and its unit."""
    body, headers = table.body, table.headers
    assert body is not None and headers is not None  # noqa: S101, PT018 - for the type checker
    role, unit = headers.headers[column].role, headers.units[column]
    unit_text = f"in {unit}" if unit else "unit not stated"
    for pair in table.pairs:
        if column == pair.value:
            return (
                f"values of {repr(pair.name) if pair.name else 'a species that is not named'}",
                unit_text,
            )
        if column == pair.error:
            return f"errors of {pair.name!r}", f"in {unit}" if unit else ""
    if role == "sign":
        return "signs of limits", ""
    if not headers.filled[column]:
        return "words" if column in body.words else "nothing", ""
    if role in ("axis", "time") or any(column == pair.axis for pair in table.pairs):
        return "times" if role == "time" else "depths", unit_text
    return _ROLES.get(role, "numbers"), ""


def _short(cell: str) -> str:
    cell = " ".join(cell.split())
    return cell if len(cell) <= _LETTERS else f"{cell[: _LETTERS - 1]}…"


def _aligned(rows: Sequence[Sequence[str]]) -> Iterable[str]:
    """Pad cells to columns."""
    count = max(map(len, rows), default=0)
    widths = [max(len(row[j]) for row in rows if j < len(row)) for j in range(count)]
    for row in rows:
        cells = (cell.ljust(widths[j]) for j, cell in enumerate(row))
        yield f"  {'  '.join(cells)}".rstrip()
