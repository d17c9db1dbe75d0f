"""Tables of service laboratories in the layout of Evans Analytical: a header, then blocks."""

from __future__ import annotations

import re
from dataclasses import replace

from sims_analysis.errors import ProfileWarning, warn
from sims_analysis.readers.signals import Content
from sims_analysis.readers.source import Source
from sims_analysis.readers.tables.table import find_grid, read_grid

_MARKS = re.compile(r"Evans Analytical|\bEAG\b|Drawn Curves|Num of Cycles", re.IGNORECASE)
#: The marks stand within so many rows.
_START = 10
_NUMBERS = re.compile(r"\s*[-+.\d]")


def recognises(source: Source) -> bool:
    """Whether the lines above the numbers are those of the layout."""
    if source.is_workbook:
        grid = find_grid(source)
        rows = map(grid.cells, range(min(len(grid), _START)))
        return any(_MARKS.search(cell) for row in rows for cell in row)
    lines = source.start.split("\n")[:_START]
    return any(_MARKS.search(line) for line in lines if not _NUMBERS.match(line))


def read(source: Source) -> Content:
    """Read a table, and what its first lines say."""
    content = read_grid(find_grid(source), source)
    if content.parts:
        return replace(content, parts=[_with_sample(part) for part in content.parts])
    return _with_sample(content)


def _with_sample(content: Content) -> Content:
    notes = dict(content.metadata.other)
    sample = next((notes.pop(key) for key in list(notes) if "sample" in key.lower()), None)
    laboratory = notes.pop("line 1", None)
    stated = next((notes[key] for key in notes if key.casefold() == "num of cycles"), "")
    longest = max((signal.values.size for signal in content.signals), default=0)
    if stated.isdecimal() and longest < int(stated):
        warn(
            f"the file states {stated} cycles, its longest profile has {longest} samples: it may "
            "break off",
            ProfileWarning,
            code="truncated_file",
        )
    metadata = replace(
        content.metadata,
        sample=content.metadata.sample or sample,
        laboratory=laboratory,
        other=notes,
    )
    return replace(content, metadata=metadata)
