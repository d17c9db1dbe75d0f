"""Exports of instruments as text that somebody has pasted into, or opened with, a spreadsheet."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

from sims_analysis.readers import cameca_ascii, cameca_counts, cameca_rpc, iontof
from sims_analysis.readers.signals import Content
from sims_analysis.readers.source import Source
from sims_analysis.readers.workbook import chosen_sheet, is_workbook

__all__ = ["read", "recognises"]

_TEXTS = (cameca_rpc, cameca_ascii, cameca_counts, iontof)


def _as_text(source: Source) -> Source:
    """Write the cells of the sheet as lines with tabs."""
    rows = chosen_sheet(source).texts
    text = "\n".join("\t".join(row).rstrip("\t") for row in rows)
    options = replace(source.options, encoding=None)
    return Source(source.name, text.encode(), options, source.path)


def _format(text: Source) -> ModuleType | None:
    return next((module for module in _TEXTS if module.recognises(text)), None)


def recognises(source: Source) -> bool:
    """Whether the cells of a workbook are the lines of an instrument's text."""
    return is_workbook(source) and _format(_as_text(source)) is not None


def read(source: Source) -> Content:
    """Read the text that the cells hold."""
    text = _as_text(source)
    module = _format(text)
    assert module is not None  # noqa: S101 - it is how the format was recognised
    content: Content = module.read(text)
    return content
