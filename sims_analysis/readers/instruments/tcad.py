"""Profiles of process and device simulators: Sentaurus, FlexPDE, SUPREM and FLOOXS."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np

from sims_analysis.errors import ReadError
from sims_analysis.readers.signals import Content, Signal
from sims_analysis.readers.source import Source
from sims_analysis.readers.tables.numbers import read_cell
from sims_analysis.readers.tables.truncation import read_two_columns

_NAME = re.compile(r'\s*"([^"]+)"\s*')
_NUMBER = re.compile(r"\s*[-+.\d]")
#: A depth with its unit in a comment.
_STATED = re.compile(r"\b(?:x|z|depth)\s*[\[(/,]\s*(?:nm|um|µm|A|Å|angstroms?|cm)\b", re.IGNORECASE)
_COUNT = re.compile(r"X\s+(\d+)\s*")
_DATA = re.compile(r"Data\s*\{(.*)\}\s*")
#: What these programs write, which their files do not say.
_UNITS = ("um", "cm^-3")


def recognises_sentaurus(source: Source) -> bool:
    """Whether the first line is a name in quotes and the second two numbers."""
    lines = [line for line in source.start.split("\n")[:20] if line.strip()]
    return (
        len(lines) > 1
        and _NAME.fullmatch(lines[0]) is not None
        and re.fullmatch(r"\s*[-+.\deE]+\s+[-+.\deE]+\s*", lines[1]) is not None
    )


def read_sentaurus(source: Source) -> Content:
    """Read the data sets: micrometres and cm^-3."""
    starts = [i for i, line in enumerate(source.lines) if _NAME.fullmatch(line)]
    signals = []
    for start, stop in pairwise([*starts, len(source.lines)]):
        name = source.lines[start].strip().strip('"')
        rows = [i for i in range(start + 1, stop) if source.lines[i].strip()]
        if not rows:
            raise ReadError(f"data set {name!r}, line {start + 1}: it has no samples")
        signals.append(read_two_columns(source, rows, name, _UNITS, where=f"line {start + 1}"))
    return Content(signals=signals)


def recognises_suprem(source: Source) -> bool:
    """Whether a comment names the program, and none states units: columns may be anything."""
    comments = [line for line in source.start.split("\n")[:10] if not _NUMBER.match(line)]
    if any(_STATED.search(line) for line in comments):
        # A table, whose headers are in a comment.
        return False
    return any(re.search(r"suprem|floo[px]s|flooxs", line, re.IGNORECASE) for line in comments)


def read_suprem(source: Source) -> Content:
    """Read two columns, micrometres and cm^-3; every other line is a comment."""
    rows = [i for i, line in enumerate(source.lines) if _NUMBER.match(line)]
    if not rows:
        raise ReadError("no line of the file begins with a number")
    return Content(
        signals=[read_two_columns(source, rows, "", _UNITS, where=f"line {rows[0] + 1}")]
    )


def recognises_flexpde(source: Source) -> bool:
    """Whether the first line is ``X`` and a number."""
    first = next((line for line in source.start.split("\n") if line.strip()), "")
    return _COUNT.fullmatch(first) is not None


def read_flexpde(source: Source) -> Content:
    """Read depths and values; the user states species and units."""
    lines = [(i + 1, line) for i, line in enumerate(source.lines) if line.strip()]
    count = _COUNT.fullmatch(lines[0][1])
    split = next((k for k, (_, line) in enumerate(lines) if _DATA.fullmatch(line)), None)
    if count is None or split is None:
        raise ReadError("a FlexPDE table without its line 'Data {u}'")
    stated = int(count[1])
    parts = []
    for what, part in (("depths", lines[1:split]), ("values", lines[split + 1 :])):
        numbers = [
            read_cell(cell, where=f"line {number}")
            for number, line in part
            for cell in line.split()
        ]
        if len(numbers) < stated:
            source.options.truncated(f"{stated} {what} are stated, {len(numbers)} are there")
        if len(numbers) > stated:
            raise ReadError(f"{stated} {what} are stated, {len(numbers)} are there")
        parts.append(np.array(numbers, dtype=np.float64))
    depths, values = parts
    shared = min(depths.size, values.size)
    return Content(
        signals=[
            Signal(
                name="",
                depths=depths[:shared],
                depth_units=None,
                values=values[:shared],
                units=None,
                where="the table",
            )
        ]
    )
