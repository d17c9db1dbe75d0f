"""Workbooks: the sheets of .xlsx and .xls, and the one to read."""

from __future__ import annotations

import importlib.util
import io
from bisect import bisect_right
from typing import Any

from sims_analysis.errors import ReadError
from sims_analysis.files import Budget
from sims_analysis.readers.source import Source, once_per_source
from sims_analysis.readers.tables.body import refuse_odd_rows
from sims_analysis.readers.tables.grid import Grid
from sims_analysis.readers.tables.header_cells import names_axis
from sims_analysis.readers.tables.words import named_role
from sims_analysis.readers.tables.xlsx import Cells, as_percent, read_xlsx

#: Where the platform and service laboratories keep the profiles.
_PREFERRED = "processed data"
#: Memory in bytes of a cell of an .xls.
_CELL = 40


@once_per_source
def all_sheets(source: Source) -> list[Grid]:
    """Return the sheets of a workbook."""
    if not source.is_zip and importlib.util.find_spec("xlrd") is None:
        raise ModuleNotFoundError(
            '.xls needs xlrd: pip install "sims-analysis[excel]"', name="xlrd"
        )
    try:
        read = read_xlsx if source.is_zip else read_xls
        return [_grid(cells, source) for cells in read(source.content, source.options.budget)]
    except ReadError:
        raise
    # What a damaged file makes these raise is not documented.
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise ReadError(f"the workbook cannot be read: {reason}") from error


def _grid(cells: Cells, source: Source) -> Grid:
    """Leave out the rows and columns in which there is nothing."""
    numbers = sorted(cells.rows)
    columns = sorted({j for row in cells.rows.values() for j in row})
    place = {column: j for j, column in enumerate(columns)}
    rows: list[list[object]] = []
    for number in numbers:
        row = cells.rows[number]
        width = place[max(row)] + 1
        source.options.budget.take(8 * width, f"sheet {cells.name!r}")
        values: list[object] = [None] * width
        for column, value in row.items():
            values[place[column]] = value
        rows.append(values)
    spans: dict[int, list[tuple[int, int]]] = {}
    for top, left, _, right in cells.spans:
        # A header that is merged over columns is that of each.
        if left < right and left in place and top in cells.rows:
            spans.setdefault(top + 1, []).append((place[left], bisect_right(columns, right) - 1))
    return Grid(
        rows,
        source.options,
        name=cells.name,
        numbers=[number + 1 for number in numbers],
        columns=columns,
        hidden=cells.hidden,
        spans=spans,
        merged=cells.spans,
    )


def read_xls(content: bytes, budget: Budget) -> list[Cells]:
    """Read the sheets one by one: each has 65,536 rows of 256 cells at most."""
    import xlrd

    book: Any = xlrd.open_workbook(
        file_contents=content,
        logfile=io.StringIO(),
        formatting_info=True,
        on_demand=True,
        ragged_rows=True,
    )
    sheets = []
    for number in range(book.nsheets):
        sheet = book.sheet_by_index(number)
        budget.take(sum(map(sheet.row_len, range(sheet.nrows))) * _CELL, f"sheet {sheet.name!r}")
        found = Cells(sheet.name, sheet.visibility != 0)
        for i in range(sheet.nrows):
            row = {j: _xls_cell(cell, book) for j, cell in enumerate(sheet.row(i))}
            if filled := {j: v for j, v in row.items() if v is not None and str(v).strip()}:
                found.rows[i] = filled
        found.spans = [
            (top, left, bottom - 1, right - 1) for top, bottom, left, right in sheet.merged_cells
        ]
        sheets.append(found)
        book.unload_sheet(number)
    return sheets


def _xls_cell(cell: Any, book: Any) -> object:
    import xlrd

    if cell.ctype == xlrd.XL_CELL_DATE:
        date = xlrd.xldate_as_datetime(cell.value, book.datemode)
        return date.time() if 0 <= cell.value < 1 else date
    if cell.ctype == xlrd.XL_CELL_ERROR:
        return str(xlrd.error_text_from_code.get(cell.value, "#ERROR"))
    if cell.ctype == xlrd.XL_CELL_BOOLEAN:
        return bool(cell.value)
    if cell.ctype in (xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK):
        return None
    shown = book.format_map.get(book.xf_list[cell.xf_index].format_key)
    percent = shown is not None and "%" in shown.format_str
    return as_percent(cell.value) if percent and cell.ctype == xlrd.XL_CELL_NUMBER else cell.value


def holds_numbers(sheet: Grid) -> bool:
    """Whether a sheet has rows of numbers, or of numbers next to words below headers."""
    return sheet.start is not None


def _holds_profile(sheet: Grid) -> bool:
    """Whether a row above the numbers names depths or times, and rows are no list of results."""
    first = sheet.start.row if sheet.start and sheet.start.count else 0
    above = [sheet.cells(i) for i in range(first)]
    heads = next((cells for cells in reversed(above) if names_axis(cells)), [])
    species = next((j for j, cell in enumerate(heads) if named_role(cell, "species")), None)
    if species is None:
        return bool(heads)
    rows = (sheet.cells(i) for i in range(first, len(sheet)))
    names = [cells[species] for cells in rows if len(cells) > species and cells[species]]
    # Of a list of results each species has one row.
    return len({*names}) < len(names)


def chosen_sheet(source: Source) -> Grid:
    """Choose the sheet that the user names, "Processed data", or the first with numbers."""
    candidates = candidate_sheets(source)
    if len(candidates) == 1:
        return candidates[0]
    holding = list(filter(holds_numbers, candidates))
    holding = [s for s in holding if s.start and s.start.count] or holding
    if holding:
        chosen = next(filter(_holds_profile, holding), holding[0])
        others = [sheet for sheet in holding if sheet is not chosen and not sheet.hidden]
        chosen.others = [str(sheet.name) for sheet in others]
        return chosen
    for sheet in candidates:
        refuse_odd_rows(sheet)
    names = ", ".join(repr(sheet.name) for sheet in candidates)
    raise ReadError(f"no sheet of the workbook has a row of two numbers or more: {names}")


def candidate_sheets(source: Source) -> list[Grid]:
    """Return the sheet that the user names, "Processed data", or all of them, hidden ones last."""
    found, requested = all_sheets(source), source.options.sheet
    if requested is not None:
        number = isinstance(requested, int) and not isinstance(requested, bool)
        for n, sheet in enumerate(found):
            if requested == (n if number else sheet.name):
                return [sheet]
        # To be shown, where the requested one is not there.
        source.trace.grid = next(filter(holds_numbers, found), None)
        names = ", ".join(repr(sheet.name) for sheet in found)
        raise ReadError(
            f"sheet={requested!r} is not in the workbook; it has {len(found)}, from 0: {names}",
            argument="sheet",
        )
    for sheet in found:
        if str(sheet.name).strip().casefold() == _PREFERRED and len(sheet):
            return [sheet]
    # Old versions and half-done sums are hidden: they are rarely the ones wanted.
    return sorted(found, key=lambda sheet: sheet.hidden)
