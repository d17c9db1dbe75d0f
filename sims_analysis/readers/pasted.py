"""Exports of instruments as text that somebody has pasted into, or opened with, a spreadsheet."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

from sims_analysis.errors import ReadError
from sims_analysis.readers import cameca_ascii, cameca_counts, cameca_rpc, iontof, table
from sims_analysis.readers.sheets import text_sheet
from sims_analysis.readers.signals import Content
from sims_analysis.readers.source import Source
from sims_analysis.readers.workbook import candidate_sheets, is_workbook

__all__ = ["read", "recognises"]

_TEXTS = (cameca_rpc, cameca_ascii, cameca_counts, iontof)


def _with_tabs(cell: object, text: str) -> str:
    """Keep the tabs of a line that was pasted into one cell: those in front are empty columns."""
    return cell.strip(" \r\n") if isinstance(cell, str) and "\t" in cell else text


def _found(source: Source) -> tuple[Source, ModuleType] | None:
    """Find the sheet whose cells are the lines of a text, and the format of that."""
    options = replace(source.options, encoding=None)
    for sheet in candidate_sheets(source):
        lines = "".join(
            "\t".join(map(_with_tabs, *rows)).rstrip("\t") + "\n"
            for rows in zip(sheet.cells, sheet.texts, strict=True)
        )
        text = Source(source.name, lines.encode(), options, source.path)
        for module in _TEXTS:
            if module.recognises(text):
                return text, module
        if sheet.first is None and text_sheet(text.lines, options) is not None:
            return text, table
    return None


def recognises(source: Source) -> bool:
    """Whether the cells of a workbook are the lines of an instrument's text, or of a table."""
    return is_workbook(source) and _found(source) is not None


def read(source: Source) -> Content:
    """Read the text that the cells hold.

    Raises
    ------
    ReadError
        If they hold none.
    """
    found = _found(source)
    if found is None:
        raise ReadError("no sheet holds the text of an instrument")
    text, module = found
    content: Content = module.read(text)
    return content
