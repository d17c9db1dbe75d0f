"""Tables of a row for each sample, with the species in a column: how programs keep profiles."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence

import numpy as np

from sims_analysis.errors import ProfileWarning, ReadError, UnitsError, warn
from sims_analysis.readers.headings import Head, read_head, read_head_quietly, same_unit
from sims_analysis.readers.numbers import (
    column_name,
    decimal_mark,
    table,
    tell_if_cut,
    tell_of_short_rows,
)
from sims_analysis.readers.sheets import CellSheet
from sims_analysis.readers.signals import Content, Signal
from sims_analysis.readers.source import Options, Source
from sims_analysis.readers.workbook import candidate_sheets, is_workbook

__all__ = ["by_label", "is_tidy", "read", "read_rows", "recognises"]

_UNITS = ("unit", "units")
_NAMES = ("species", "species_name", "element", "isotope", "ion", "signal")
#: So many last rows tell how long rows are.
_NEAR = 100


def is_tidy(heads: Sequence[str]) -> bool:
    """Whether one head names a column of species, and another a depth or a time."""
    names = [head for head in heads if head.strip().casefold() in _NAMES]
    if len(names) != 1:
        return False
    roles = [head.role for head in map(read_head_quietly, heads) if head]
    return sum(role in ("axis", "time") for role in roles) == 1


def _numbered(text: str) -> Iterator[tuple[int, str]]:
    """Give the lines that are neither blank nor comments, with their numbers from 1."""
    lines = enumerate(text.split("\n"), 1)
    return ((i, line) for i, line in lines if line.strip() and not line.startswith("#"))


def _delimiter(head: str) -> str:
    return max("\t;,", key=head.count)


def recognises(source: Source) -> bool:
    """Whether the first line is such a head, or that of a sheet."""
    if is_workbook(source):
        return _sheet(source) is not None
    if not source.is_text:
        return False
    _, head = next(_numbered(source.start), (0, ""))
    return is_tidy(next(csv.reader([head], delimiter=_delimiter(head)), []))


def _sheet(source: Source) -> CellSheet | None:
    sheets = (sheet for sheet in candidate_sheets(source) if sheet.texts)
    return next((sheet for sheet in sheets if is_tidy(sheet.texts[0])), None)


def read(source: Source) -> Content:
    """Read a text or a sheet.

    Raises
    ------
    ReadError
        If it ends within a row, or a cell is no number.
    """
    sheet = _sheet(source) if is_workbook(source) else None
    if sheet is not None:
        filled = [(i, row) for i, row in enumerate(sheet.texts[1:], 2) if any(row)]
        rows = [row for _, row in filled]
        places = [i for i, _ in filled]
        return read_rows(sheet.texts[0], rows, source.options, f"sheet {sheet.name!r}, row", places)
    numbers, lines = zip(*_numbered(source.text), strict=True)
    if len(lines) < 2:
        raise ReadError("a table with heads but without rows")
    delimiter = _delimiter(lines[0])
    quoted = '"' in source.text
    heads = next(csv.reader(lines[:1], delimiter=delimiter))
    near = list(csv.reader(lines[1:][-_NEAR:], delimiter=delimiter))
    if source.lines[-1].strip() and len(near[-1]) < min(map(len, [heads, *near[:-1]])):
        source.options.truncated(
            f"the file breaks off within its last line: {len(near[-1])} of {len(heads)} cells, "
            "and no end of the line"
        )
    tell_if_cut(source.lines, [row[-1] for row in near])
    if not quoted:
        tell_of_short_rows(lines, delimiter, len(heads), numbers)
    if quoted and any(line.count('"') % 2 for line in lines):
        # A name holds the end of a line.
        cells = list(csv.reader(lines[1:], delimiter=delimiter))
        return read_rows(heads, cells, source.options, "row")
    return read_rows(
        heads, lines[1:], source.options, "line", numbers[1:], delimiter, quoted=quoted
    )


def read_rows(
    names: Sequence[str],
    rows: Sequence[str] | Sequence[Sequence[str]],
    options: Options,
    word: str,
    numbers: Sequence[int] | None = None,
    delimiter: str | None = None,
    *,
    quoted: bool = False,
) -> Content:
    """Read rows, of cells or of text with a delimiter, below the names of their columns.

    Raises
    ------
    ReadError
        That names the cell that is no number.
    """
    heads = [read_head(cell) for cell in names]
    label = next(j for j, cell in enumerate(names) if cell.strip().casefold() in _NAMES)
    axis = next(j for j, head in enumerate(heads) if head.role in ("axis", "time"))
    values = [j for j, h in enumerate(heads) if h.role == "value" and j != label]
    # Where some say so, the others are of something else: of a sample, a wafer, a unit.
    values = [j for j in values if heads[j].says or heads[j].unit] or values
    if not values:
        raise ReadError("no column holds values")
    if numbers is None:
        numbers = range(2, len(rows) + 2)
    errors = _errors(heads, values)
    unused = [j for j, head in enumerate(heads) if head.role in ("error", "beside")]
    if unused := [j for j in unused if j not in errors.values()]:
        listed = ", ".join(f"{column_name(j)} ({names[j]!r})" for j in unused)
        warn(f"numbers of column {listed} are not read", ProfileWarning)
    numeric = (axis, *values, *errors.values())
    labels: dict[int, list[str]] = {j: [] for j in range(len(heads)) if j not in numeric}
    found, limits = table(
        rows,
        delimiter,
        options.decimal or _decimal(rows, label, delimiter, quoted=quoted),
        width=len(heads),
        line_numbers=numbers,
        not_measured=options.not_measured,
        quoted=quoted,
        labels=labels,
        word=word,
    )
    unit = next((j for j in labels if names[j].strip().casefold() in _UNITS), None)
    for j, texts in labels.items():
        different = list(dict.fromkeys(map(str.strip, texts)))
        if (
            heads[j].role == "value"
            and j not in (label, unit)
            and names[j].strip()
            and different[1:]
        ):
            raise ReadError(
                f"column {column_name(j)} ({names[j]!r}) is neither a species nor a value, and "
                f"differs from row to row ({', '.join(map(repr, different[:3]))}...): give the "
                "rows of one measurement at a time"
            )
    below = np.full(found.shape, np.nan)
    for place, limit in limits.items():
        below[place] = limit
    signals = []
    for name, members in by_label(list(map(str.strip, labels[label]))):
        if not name:
            where = f"{word} {numbers[int(members[0])]}"
            raise ReadError(f"{where}: no species in column {column_name(label)}")
        for j in values:
            y, limit = found[members, j], below[members, j]
            if np.isnan(y).all() and np.isnan(limit).all():
                continue
            signal = Signal(
                name=name,
                depths=found[members, axis],
                depth_units=heads[axis].unit,
                values=y,
                units=heads[j].unit or _unit(labels, unit, members, name),
                where=f"column {column_name(j)}",
                stderr=found[members, errors[j]] if j in errors else None,
            )
            signal.censor(limit)
            signals.append(signal)
    return Content(signals=signals)


def _errors(heads: Sequence[Head], values: Sequence[int]) -> dict[int, int]:
    """Find the column of errors of each column of values, to the right of it, in its unit."""
    errors: dict[int, int] = {}
    for j, head in enumerate(heads):
        left = [v for v in values if v < j]
        if head.role != "error" or not left or left[-1] in errors:
            continue
        of_values = heads[left[-1]].unit
        if head.unit and of_values and not same_unit(head.unit, of_values):
            raise UnitsError(
                f"column {column_name(j)} holds errors in {head.unit!r} of values in "
                f"{of_values!r}; give both in one unit"
            )
        errors[left[-1]] = j
    return errors


def _unit(
    labels: dict[int, list[str]], column: int | None, rows: np.ndarray, name: str
) -> str | None:
    """Give the unit that a column of units states for a species."""
    if column is None:
        return None
    stated = dict.fromkeys(labels[column][row].strip() for row in rows)
    if len(stated) > 1:
        raise UnitsError(
            f"species {name!r}: column {column_name(column)} states several units, "
            f"{', '.join(map(repr, stated))}"
        )
    return next(iter(stated)) or None


def by_label(labels: Sequence[str]) -> Iterator[tuple[str, np.ndarray]]:
    """Give each label, in order of appearance, with the places where it stands."""
    import pandas as pd

    codes, names = pd.factorize(np.array(labels, dtype=object))
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes, minlength=len(names)))
    return zip(map(str, names), np.split(order, ends[:-1]), strict=True)


def _decimal(
    rows: Sequence[str] | Sequence[Sequence[str]],
    label: int,
    delimiter: str | None,
    *,
    quoted: bool,
) -> str:
    if delimiter == "," and not quoted:
        return "."
    with_commas = [row for row in rows if not isinstance(row, str) or "," in row]
    cells = (
        next(csv.reader([row], delimiter=delimiter or ",")) if isinstance(row, str) else row
        for row in with_commas
    )
    mark = decimal_mark(cell for row in cells for j, cell in enumerate(row) if j != label)
    return mark or "."
