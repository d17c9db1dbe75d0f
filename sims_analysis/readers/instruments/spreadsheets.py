"""Exports of instruments as text that went through a spreadsheet: a workbook, or CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from sims_analysis.errors import ReadError
from sims_analysis.readers.instruments import cameca, iontof, tcad
from sims_analysis.readers.signals import Content
from sims_analysis.readers.source import Source, once_per_source
from sims_analysis.readers.tables import table
from sims_analysis.readers.tables.numbers import split_line
from sims_analysis.readers.tables.regions import candidate_sheets, grid_of_lines

_TEXTS = (
    (cameca.recognises_cameca_rpc, cameca.read_cameca_rpc),
    (cameca.recognises_cameca_ascii, cameca.read_cameca_ascii),
    (cameca.recognises_cameca_counts, cameca.read_cameca_counts),
    (iontof.recognises, iontof.read),
    (tcad.recognises_srim, tcad.read_srim),
)


def _with_tabs(cell: object, text: str) -> str:
    """Keep the tabs of a line that was pasted into one cell: those in front are empty columns."""
    return cell.strip(" \r\n") if isinstance(cell, str) and "\t" in cell else text


@once_per_source
def _find_table(source: Source) -> tuple[Source, Callable[[Source], Content]] | None:
    """Find the sheet whose cells are the lines of a text, and the format of that."""
    if not source.is_workbook:
        return _find_in_csv(source) if source.is_text else None
    sheets = candidate_sheets(source)
    texts = []
    for sheet in sheets:
        rows = ((sheet.rows[i], sheet.cells(i)) for i in range(len(sheet)))
        lines = ("\t".join(map(_with_tabs, *row)) for row in rows)
        text = _text(source, lines)
        for recognises_text, read_text in _TEXTS:
            if recognises_text(text):
                return text, read_text
        texts.append(text)
    if any(sheet.start for sheet in sheets):
        return None
    tabular = (text for text in texts if grid_of_lines(text.lines, source.options) is not None)
    return next(((text, table.read) for text in tabular), None)


def _find_in_csv(source: Source) -> tuple[Source, Callable[[Source], Content]] | None:
    """Find the format of a text whose tabs a spreadsheet has made semicolons or commas."""
    if "\t" in source.start:
        return None
    first = source.start.split("\n")
    for delimiter in ";,":
        # Text may hold one here and there; between cells there is one in most lines.
        if source.start.count(delimiter) < len(first) / 2:
            continue
        start = _text(source, _lines_with(first, delimiter))
        for recognises_text, read_text in _TEXTS:
            if recognises_text(start):
                return _text(source, _lines_with(source.lines, delimiter)), read_text
    return None


def _lines_with(lines: Iterable[str], delimiter: str) -> Iterator[str]:
    return ("\t".join(split_line(line, delimiter, quoted=True)) for line in lines)


def _text(source: Source, lines: Iterable[str]) -> Source:
    """Make a text of lines with tabs."""
    options = replace(source.options, encoding=None)
    content = "\n".join(line.rstrip("\t") for line in lines).encode()
    return Source(source.name, content, options, source.path)


def recognises(source: Source) -> bool:
    """Whether the cells of a workbook or CSV are the lines of an instrument's text."""
    return _find_table(source) is not None


def read(source: Source) -> Content:
    """Read the text that the cells hold."""
    table = _find_table(source)
    if table is None:
        raise ReadError("it does not hold the text of an instrument", code="other_format")
    text, read_text = table
    return read_text(text)
