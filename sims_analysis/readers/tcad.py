"""Profiles of process and device simulators: Sentaurus, FlexPDE, SUPREM and FLOOXS."""

from __future__ import annotations

import re

import numpy as np

from sims_analysis.errors import ReadError
from sims_analysis.readers.cuts import tell_if_cut
from sims_analysis.readers.grid import TextGrid
from sims_analysis.readers.numbers import read_cell
from sims_analysis.readers.signals import Content, Signal
from sims_analysis.readers.source import Source

__all__ = [
    "read_flexpde",
    "read_sentaurus",
    "read_suprem",
    "recognises_flexpde",
    "recognises_sentaurus",
    "recognises_suprem",
]

_NAME = re.compile(r'\s*"([^"]+)"\s*')
_COUNT = re.compile(r"X\s+(\d+)\s*")
_DATA = re.compile(r"Data\s*\{(.*)\}\s*")
#: What these programs write, which their files do not say.
_DEPTH, _VALUE = "um", "cm^-3"


def _first_line(source: Source) -> str:
    return next((line for line in source.start.split("\n") if line.strip()), "")


# --- Sentaurus --------------------------------------------------------------------------------


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
    for start, stop in zip(starts, [*starts[1:], len(source.lines)], strict=True):
        name = source.lines[start].strip().strip('"')
        signals.append(_two_columns(source, name, start + 1, stop, comments=()))
    return Content(signals=signals)


def _two_columns(
    source: Source, name: str, start: int, stop: int, *, comments: tuple[str, ...] | None
) -> Signal:
    """Read lines of two numbers; without known comments, lines of anything else are skipped."""
    rows = []
    for i in range(start, stop):
        line = source.lines[i].strip()
        begins_number = re.match(r"[-+.\d]", line) is not None
        if line and (begins_number or comments is not None):
            rows.append((i + 1, line))
    if not rows:
        raise ReadError(f"data set {name!r}, line {start}: it has no samples")
    numbers, texts = zip(*rows, strict=True)
    grid = TextGrid(source.lines, None, False, source.options)
    values = grid.read([number - 1 for number in numbers], 2).values
    if numbers[-1] == len(source.lines):
        tell_if_cut(source.lines, [text.split()[-1] for text in texts])
    lost = np.isnan(values).any(axis=1)
    if lost.any():
        raise ReadError(f"line {numbers[int(lost.argmax())]}: expected two numbers")
    return Signal(
        name=name,
        depths=values[:, 0],
        depth_units=_DEPTH,
        values=values[:, 1],
        units=_VALUE,
        where=f"line {start}",
    )


# --- SUPREM and FLOOXS ------------------------------------------------------------------------


def recognises_suprem(source: Source) -> bool:
    """Whether a comment names the program: two bare columns may be anything."""
    return any(
        re.search(r"suprem|floo[px]s|flooxs", line, re.IGNORECASE)
        for line in source.start.split("\n")[:10]
        if not re.match(r"\s*[-+.\d]", line)
    )


def read_suprem(source: Source) -> Content:
    """Read two columns, micrometres and cm^-3; every other line is a comment."""
    return Content(signals=[_two_columns(source, "", 0, len(source.lines), comments=None)])


# --- FlexPDE ----------------------------------------------------------------------------------


def recognises_flexpde(source: Source) -> bool:
    """Whether the first line is ``X`` and a number."""
    return _COUNT.fullmatch(_first_line(source)) is not None


def read_flexpde(source: Source) -> Content:
    """Read depths and values; the user states species and units.

    Raises
    ------
    ReadError
        If there are fewer or more numbers than the first line says.
    """
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
