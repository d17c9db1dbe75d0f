"""Tables of a row for each sample, recognised by a header for species next to one for depths."""

from __future__ import annotations

from sims_analysis.errors import ReadError
from sims_analysis.readers.signals import Content
from sims_analysis.readers.source import Source
from sims_analysis.readers.tables.samples import label_column
from sims_analysis.readers.tables.table import find_grid, read_grid


def recognises(source: Source) -> bool:
    """Whether one of the first rows of the text, or of the sheet to read, is such a header."""
    if not (source.is_text or source.is_workbook):
        return False
    try:
        return label_column(find_grid(source)) is not None
    except ReadError:
        return False


def read(source: Source) -> Content:
    """Read a text or a sheet."""
    grid = find_grid(source)
    if label_column(grid) is None:
        raise ReadError("no header of a column of species stands next to one of depths or times")
    return read_grid(grid, source)
