"""Tables of a row for each sample, recognised by a header for species beside one for depths."""

from __future__ import annotations

from sims_analysis.errors import ReadError
from sims_analysis.readers.signals import Content
from sims_analysis.readers.source import Source, once_per_source
from sims_analysis.readers.tables.delimiters import text_grid
from sims_analysis.readers.tables.grid import Grid
from sims_analysis.readers.tables.row_kinds import RowKind
from sims_analysis.readers.tables.samples import is_tidy
from sims_analysis.readers.tables.table import read_grid
from sims_analysis.readers.tables.workbook import candidate_sheets

__all__ = ["read", "recognises"]

#: Headers stand within so many rows.
_START = 30


def recognises(source: Source) -> bool:
    """Whether one of the first rows is such a header."""
    return _grid(source) is not None


@once_per_source
def _grid(source: Source) -> Grid | None:
    """Find the text or the sheet that has such a header."""
    if source.is_workbook:
        grids: list[Grid] = [*candidate_sheets(source)]
    else:
        found = text_grid(source) if source.is_text else None
        grids = [] if found is None else [found]
    for grid in grids:
        for i in range(min(len(grid), _START)):
            if grid.kind(i) is RowKind.NUMBERS:
                break
            if (
                grid.kind(i) is RowKind.HEADERS
                and not grid.is_comment(i)
                and is_tidy(grid.cells(i))
            ):
                return grid
    return None


def read(source: Source) -> Content:
    """Read a text or a sheet."""
    grid = _grid(source)
    if grid is None:
        raise ReadError("no header of a column of species stands beside one of depths or times")
    return read_grid(grid, source)
