"""Tables of a row for each sample, with the species in a column: how programs keep profiles."""

from __future__ import annotations

import csv
from collections.abc import Sequence

import numpy as np

from sims_analysis.errors import ReadError
from sims_analysis.readers.headings import read_head, read_head_quietly
from sims_analysis.readers.numbers import (
    censored,
    column_name,
    decimal_mark,
    read_cell,
    tell_if_cut,
)
from sims_analysis.readers.signals import Content, Signal
from sims_analysis.readers.source import Options, Source

__all__ = ["is_tidy", "read", "read_rows", "recognises"]

_NAMES = ("species", "species_name", "element", "isotope", "ion", "signal")


def _rows(source: Source, *, only_first: bool = False) -> list[list[str]]:
    text = source.start if only_first else source.text
    lines = [line for line in text.split("\n") if line.strip() and not line.startswith("#")]
    if not lines:
        return []
    delimiter = max("\t;,", key=lines[0].count)
    return list(csv.reader(lines[:1] if only_first else lines, delimiter=delimiter))


def is_tidy(heads: Sequence[str]) -> bool:
    """Whether one head names a column of species, and another a depth or a time."""
    names = [head for head in heads if head.strip().casefold() in _NAMES]
    if len(names) != 1:
        return False
    roles = [head.role for head in map(read_head_quietly, heads) if head]
    return sum(role in ("axis", "time") for role in roles) == 1


def recognises(source: Source) -> bool:
    """Whether the first line is such a head."""
    if not source.is_text:
        return False
    rows = _rows(source, only_first=True)
    return bool(rows) and is_tidy(rows[0])


def read(source: Source) -> Content:
    """Read a text.

    Raises
    ------
    ReadError
        If it ends within a row, or a cell is no number.
    """
    rows = _rows(source)
    if len(rows) < 2:
        raise ReadError("a table with heads but without rows")
    if source.lines[-1].strip() and len(rows[-1]) < min(map(len, rows[:-1])):
        source.options.truncated(
            f"the file breaks off within its last line: {len(rows[-1])} of {len(rows[0])} cells, "
            "and no end of the line"
        )
    tell_if_cut(source.lines, [row[-1] for row in rows[1:]])
    return read_rows(rows, source.options, "line")


def read_rows(rows: Sequence[Sequence[str]], options: Options, row_word: str) -> Content:
    """Read rows of which the first holds the heads.

    Raises
    ------
    ReadError
        That names the cell that is no number.
    """
    heads = [read_head(cell) for cell in rows[0]]
    label = next(j for j, cell in enumerate(rows[0]) if cell.strip().casefold() in _NAMES)
    axis = next(j for j, head in enumerate(heads) if head.role in ("axis", "time"))
    decimal = options.decimal or decimal_mark(
        cell for row in rows[1:] for j, cell in enumerate(row) if j != label
    )
    by_species: dict[str, list[int]] = {}
    for i, row in enumerate(rows[1:], 1):
        extra = next((cell for cell in row[len(heads) :] if cell.strip()), None)
        if extra is not None:
            raise ReadError(
                f"{row_word} {i + 1}: {len(row)} cells in a table of {len(heads)} columns; "
                f"{extra!r} belongs to none"
            )
        if label >= len(row) or not row[label].strip():
            raise ReadError(f"{row_word} {i + 1}: no species in column {column_name(label)}")
        by_species.setdefault(row[label].strip(), []).append(i)
    values = [j for j, h in enumerate(heads) if h.role == "value" and j != label]
    if not values:
        raise ReadError("no column holds values")

    def number(row: int, column: int) -> float:
        cell = rows[row][column] if column < len(rows[row]) else ""
        where = f"{row_word} {row + 1}, column {column_name(column)}"
        return read_cell(cell, decimal or ".", options.not_measured, where=where)

    signals = []
    for name, members in by_species.items():
        for j in values:
            column = [number(i, j) for i in members]
            limits = np.array([v if censored(v) else np.nan for v in column])
            y = np.array([np.nan if censored(v) else v for v in column])
            if np.isnan(y).all() and np.isnan(limits).all():
                continue
            signal = Signal(
                name=name,
                depths=np.array([number(i, axis) for i in members]),
                depth_units=heads[axis].unit,
                values=y,
                units=heads[j].unit,
                where=f"column {column_name(j)}",
            )
            signal.censor(limits)
            signals.append(signal)
    return Content(signals=signals)
