"""Tables of a row for each sample, recognised by a head for species beside one for depths."""

from __future__ import annotations

from sims_analysis.errors import ReadError
from sims_analysis.readers.delimited import text_grid
from sims_analysis.readers.grid import CellGrid
from sims_analysis.readers.kinds import comment_mark
from sims_analysis.readers.labelled import is_tidy
from sims_analysis.readers.numbers import split_line
from sims_analysis.readers.signals import Content
from sims_analysis.readers.source import Source
from sims_analysis.readers.table import read_grid
from sims_analysis.readers.workbook import candidate_sheets, is_workbook

__all__ = ["read", "recognises"]

#: Heads stand within so many rows.
_START = 30


def recognises(source: Source) -> bool:
    """Whether one of the first rows is such a head."""
    if is_workbook(source):
        return _sheet(source) is not None
    return source.is_text and any(map(_is_head, source.start.split("\n")[:_START]))


def _is_head(line: str) -> bool:
    delimiter = max("\t;,|", key=line.count)
    if comment_mark(line) or not line.count(delimiter):
        return False
    return is_tidy([cell.strip() for cell in split_line(line, delimiter, quoted=True)])


def _sheet(source: Source) -> CellGrid | None:
    for sheet in candidate_sheets(source):
        if any(is_tidy(sheet.cells(i)) for i in range(min(len(sheet), _START))):
            return sheet
    return None


def read(source: Source) -> Content:
    """Read a text or a sheet.

    Raises
    ------
    ReadError
        If it ends within a row, or a cell is no number.
    """
    grid = _sheet(source) if is_workbook(source) else text_grid(source)
    if not recognises(source):
        raise ReadError("no head of a column of species stands beside one of depths or times")
    if grid is None:
        raise ReadError("a table with heads but without rows")
    return read_grid(grid, source)
