"""What this library writes, read back: every number, unit and species."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence

import numpy as np
import orjson

from sims_analysis import vocabulary
from sims_analysis.errors import ReadError
from sims_analysis.readers.numbers import table
from sims_analysis.readers.signals import Content, Signal
from sims_analysis.readers.source import Source
from sims_analysis.readers.workbook import all_sheets, is_workbook

__all__ = ["read", "recognises"]

_AXIS = re.compile(rf"(?:(.*) )?({'|'.join(vocabulary.AXES)}) \((.+)\)")
_VALUE = re.compile(rf"(?:(.*) )?({'|'.join(vocabulary.QUANTITIES)})(_stderr)? \((.+)\)")
#: The first line of `to_tcad`, after any mark of a comment.
_TCAD = re.compile(r"(?:\S{1,2} )?(?:(.*): )?depth \((\S+)\), concentration \((\S+)\)")
_SHEETS = ("profiles", "tidy", "about")


def recognises(source: Source) -> bool:
    """Whether heads or sheets are those that are written here."""
    if is_workbook(source):
        return tuple(sheet.name for sheet in all_sheets(source)) == _SHEETS
    line = source.start.partition("\n")[0]
    if _TCAD.fullmatch(line):
        return True
    first = next(csv.reader(io.StringIO(line)), [])
    axes = [cell for cell in first if _AXIS.fullmatch(cell)]
    if not axes:
        return False
    values = [cell for cell in first if _VALUE.fullmatch(cell)]
    if not values:
        return False
    return len(axes) == 1 or len(axes) + len(values) == len(first)


def read(source: Source) -> Content:
    """Read the profiles of one measurement.

    Raises
    ------
    ReadError
        If the file holds several, or a cell is no number.
    """
    if is_workbook(source):
        _, tidy, about = all_sheets(source)
        cells = [["" if cell is None else cell for cell in row] for row in tidy.cells]
        attrs, restored = _about(about.cells)
        signals = list(_tidy(cells))
        return Content(signals=signals, data_id=attrs.get("data_id"), restored=restored)
    tcad = _TCAD.fullmatch(source.lines[0])
    if tcad and "," not in "".join(source.lines[1:3]):
        return Content(signals=[_two_columns(source, tcad)])
    rows = [row for row in csv.reader(io.StringIO(source.text)) if row]
    axes = [cell for cell in rows[0] if _AXIS.fullmatch(cell)]
    paired = len(axes) > 1 or ("species" not in rows[0] and _is_named(axes[0]))
    return Content(signals=list(_paired(rows) if paired else _tidy(rows)))


def _two_columns(source: Source, head: re.Match[str]) -> Signal:
    """Read what `to_tcad` writes."""
    lines = [line for line in source.lines[1:] if line.strip()]
    values, _ = table(lines, None, width=2, line_numbers=range(2, len(lines) + 2))
    return Signal(
        name=head[1] or "",
        depths=values[:, 0],
        depth_units=head[2],
        values=values[:, 1],
        units=head[3],
        where="column 2",
    )


def _is_named(head: str) -> bool:
    match = _AXIS.fullmatch(head)
    return bool(match and match[1])


def _units(name: str, units: str) -> str:
    """Say of what a ratio is one: a profile has only its unit for that."""
    return name.replace("_", " ") if units == "1" else units


def _tidy(rows: Sequence[Sequence[object]]) -> Iterator[Signal]:
    """Read a row for each sample."""
    head = [str(cell) for cell in rows[0]]
    axis = next(j for j, cell in enumerate(head) if _AXIS.fullmatch(cell))
    axis_match = _AXIS.fullmatch(head[axis])
    assert axis_match is not None  # noqa: S101 - it was found by it
    name_column = head.index("species") if "species" in head[:axis] else None
    for place in range(axis):
        if place != name_column and len({str(row[place]) for row in rows[1:]}) > 1:
            found = dict.fromkeys(str(row[place]) for row in rows[1:])
            raise ReadError(
                f"the file holds several measurements ({head[place]}: {', '.join(found)}); write "
                "and read one at a time, or sims.save and sims.load the batch"
            )
    by_species: dict[str, list[int]] = {}
    for i, row in enumerate(rows[1:], 1):
        name = "" if name_column is None else str(row[name_column])
        by_species.setdefault(name, []).append(i)
    for name, members in by_species.items():
        x = np.array([_number(rows, i, axis) for i in members])
        for j, cell in enumerate(head[axis + 1 :], axis + 1):
            match = _VALUE.fullmatch(cell)
            if match is None or match[3]:
                continue
            y = np.array([_number(rows, i, j) for i in members])
            there = ~np.isnan(y)
            if not there.any():
                continue
            errors = f"{match[2]}_stderr ({match[4]})"
            stderr = None
            if errors in head:
                stderr = np.array([_number(rows, i, head.index(errors)) for i in members])[there]
            yield Signal(
                name=name,
                depths=x[there],
                depth_units=axis_match[3],
                values=y[there],
                units=_units(match[2], match[4]),
                where=f"column {cell!r}",
                stderr=None if stderr is None or np.isnan(stderr).all() else stderr,
            )


def _paired(rows: Sequence[Sequence[object]]) -> Iterator[Signal]:
    """Read two columns for each profile, or three with standard errors."""
    head = [str(cell) for cell in rows[0]]
    for j, cell in enumerate(head):
        axis = _AXIS.fullmatch(cell)
        if axis is None:
            continue
        value = _VALUE.fullmatch(head[j + 1]) if j + 1 < len(head) else None
        if value is None:
            raise ReadError(f"line 1: no values beside the column {cell!r}")
        length = sum(1 for row in rows[1:] if j < len(row) and row[j] != "")
        numbers = range(1, length + 1)
        stderr = None
        third = _VALUE.fullmatch(head[j + 2]) if j + 2 < len(head) else None
        if third is not None and third[3]:
            stderr = np.array([_number(rows, i, j + 2) for i in numbers])
        yield Signal(
            name=axis[1] or "",
            depths=np.array([_number(rows, i, j) for i in numbers]),
            depth_units=axis[3],
            values=np.array([_number(rows, i, j + 1) for i in numbers]),
            units=_units(value[2], value[4]),
            where=f"column {cell!r}",
            stderr=stderr,
        )


def _number(rows: Sequence[Sequence[object]], row: int, column: int) -> float:
    cells = rows[row]
    if column >= len(cells):
        raise ReadError(f"line {row + 1} ends before column {column + 1}")
    cell = cells[column]
    if cell == "":
        return float("nan")
    try:
        return float(cell)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise ReadError(f"line {row + 1}, column {column + 1}: {cell!r} is no number") from None


def _about(
    cells: Sequence[Sequence[object]],
) -> tuple[dict[str, str], dict[str, dict[str, object]]]:
    """Read attrs, and what was known of each species; long texts go on in the next row."""
    texts: dict[tuple[str, str], str] = {}
    for row in cells[1:]:
        what, of, value = ("" if cell is None else str(cell) for cell in (*row, None, None)[:3])
        texts[what, of] = texts.get((what, of), "") + value
    attrs = {what: text for (what, of), text in texts.items() if not of}
    restored = {}
    for (what, of), text in texts.items():
        if what == "species_metadata" and text not in ("", "null"):
            try:
                restored[of] = orjson.loads(text)
            except orjson.JSONDecodeError:
                raise ReadError(f"sheet 'about': species_metadata of {of!r} is no JSON") from None
    return attrs, restored
