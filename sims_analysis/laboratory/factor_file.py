"""The file of a laboratory's factors: a CSV whose cells are read, or refused by their place."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sims_analysis import files
from sims_analysis.analysis.uncertainty import relative_uncertainty
from sims_analysis.errors import ArchiveError, ReadError, about
from sims_analysis.kernels.rows import changed
from sims_analysis.quantification.conditions import READERS
from sims_analysis.quantification.factors import FACTOR_TERMS
from sims_analysis.text.times import A_DATE, iso_dates, moment_of
from sims_analysis.units import CANONICAL, Unit, unit_of_kind

_YES = {"yes": True, "true": True, "no": False, "false": False}


def unit_of(cell: str) -> Unit:
    """Read the unit of a factor."""
    return unit_of_kind(cell or None, tuple(FACTOR_TERMS), "unit")


def _positive(cell: str) -> float:
    if not 0 < float(cell) < np.inf:
        raise ValueError
    return float(cell)


def _date(cell: str) -> datetime:
    moment = moment_of(cell)
    if moment is None:
        raise ValueError
    return moment.astimezone(UTC)


class _Column(NamedTuple):
    """How cells are read, what is expected, and what an empty one means: an Ellipsis, an error."""

    read: Callable[[str], Any] = str
    expected: str = "a text"
    empty: Any = ""


COLUMNS = {
    "species": _Column(str, "the name of a species", ...),
    **dict.fromkeys(("matrix", "material"), _Column()),
    "value": _Column(_positive, "a positive number, such as 5.1e21", ...),
    "unit": _Column(lambda cell: unit_of(cell).text, "a unit of factors, such as atoms/cm^3", ...),
    "stderr": _Column(_positive, "a positive number", np.nan),
    "uncertainty": _Column(
        lambda cell: float(relative_uncertainty(cell if "%" in cell else float(cell), "")),
        "a relative uncertainty, such as 0.03 or 3 %",
        np.nan,
    ),
    "primary_ion": _Column(READERS["primary_ion"]),
    "energy": _Column(READERS["energy"], "an energy, such as 5 keV", np.nan),
    "polarity": _Column(READERS["polarity"], "positive or negative"),
    "instrument": _Column(),
    "abundance": _Column(READERS["abundance"], "a fraction above 0, at most 1, or natural"),
    "date": _Column(_date, f"a date in {A_DATE}", None),
    **dict.fromkeys(("standard", "data_id", "sha256", "matrix_signal"), _Column()),
    **dict.fromkeys(("dead_time", "status", "note"), _Column()),
    "valid": _Column(lambda cell: _YES[cell.lower()], "yes or no", ...),
}
#: A species, its factor, and perhaps a unit, with decimal commas.
_LINE = re.compile(r"([^\s;|:=]+)[\s;|:=]+([\d.][^\s;|]*)(?:[\s;|]+(.+))?")
#: What factors are between, in their canonical units.
_LEAST, _MOST = 1e6, 1e30
#: Columns of numbers, which have decimal commas where a spreadsheet separates by semicolons.
_NUMBERS = ("value", "stderr", "uncertainty", "energy", "abundance")
#: A factor as read, by column, and its ``line`` in the file.
Row = dict[str, Any]


def _line_error(name: str, line: int, text: str, *, code: str) -> ReadError:
    """Return the error about a line of a file."""
    return ReadError(f"{name}, line {line}: {text}", code=code, where={"file": name, "line": line})


def read_cell(column: str, cell: str, where: str) -> Any:
    """Read one cell, or raise a `ReadError` that says where it stands."""
    kind = COLUMNS[column]
    if not cell and kind.empty is not ...:
        return kind.empty
    with suppress(ValueError, KeyError):
        if cell and not (column in _NUMBERS and "_" in cell):  # which float() leaves out
            return kind.read(cell)
    text = f"{where}: {cell!r}; expected {kind.expected}"
    raise ReadError(text, code="invalid_cell", where={"column": column})


def read_row(cells: Mapping[str, str], line: int, name: str) -> Row:
    """Read the cells of a row; those that are not there are empty."""
    place = f"{name}, line {line}, column"
    with about(code="invalid_cell", where={"file": name, "line": line}):
        row = {head: read_cell(head, cells.get(head, ""), f"{place} {head!r}") for head in COLUMNS}
        unit, value, stderr = unit_of(row["unit"]), cells["value"], cells.get("stderr")
        if not _LEAST < unit.to_canonical(row["value"]) < _MOST:
            expected = f"a factor between {_LEAST:g} and {_MOST:g} {CANONICAL[unit.kind]}"
            raise ReadError(f"{place} 'value': {value!r}; expected {expected}")
        if row["stderr"] >= row["value"]:
            raise ReadError(f"{place} 'stderr': {stderr!r}; expected less than the value, {value}")
        if (unit.kind == "concentration") != bool(row["matrix"]):
            raise ReadError(
                f"{place} 'unit': {row['unit']!r}; a factor relative to a matrix signal is in "
                "atoms/cm^3, one without is in atoms/cm^3 per count/s or per count"
            )
    return row | {"line": line}


class Sheet(NamedTuple):
    """A file of factors: the cells of all its lines by their numbers, and its rows as read."""

    header: list[str]
    cells: dict[int, list[str]]
    rows: list[Row]
    delimiter: str

    def cells_of(self, row: Mapping[str, str]) -> list[str]:
        """Return the cells of a new row; with decimal commas where semicolons are between them."""
        point = "," if self.delimiter == ";" else "."
        return [row.get(column, "").replace(".", point) if column in _NUMBERS
                else row.get(column, "") for column in self.header]  # fmt: skip


def read_text(path: Path) -> str:
    """Read text in UTF-8."""
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        text = "not in UTF-8; save it in UTF-8"
        raise _line_error(path.name, line, text, code="unknown_encoding") from None


def refuse_missing(path: Path) -> None:
    """Refuse to take factors from a file that is not there."""
    if not path.exists():
        names = ", ".join(name for name, column in COLUMNS.items() if column.empty is ...)
        raise ReadError(
            f"{str(path)!r}: there is no such file of factors, a CSV with a row for each factor in "
            f"the columns {names}, and others for its conditions",
            code="unreadable_file",
            where={"file": path.name},
            remedy="sims.Factors(path).add(rsf) makes it, of a factor of rsf_from_standard()",
        )


def read_sheet(path: Path) -> Sheet:
    """Read a file of factors, and add the columns that it leaves out; no file has no factors."""
    text = read_text(path) if path.exists() else ",".join(COLUMNS)
    sheet = _read_table(
        text, path.name, [head for head, kind in COLUMNS.items() if kind.empty is ...]
    )
    absent = [column for column in COLUMNS if column not in sheet.header]
    for cells in filter(None, sheet.cells.values()):
        cells.extend(absent if cells is sheet.header else [""] * len(absent))
    return changed(sheet, rows=[read_row(row, row["line"], path.name) for row in sheet.rows])


def read_list(path: Path) -> Iterator[dict[str, str]]:
    """Read the cells of a list in text: below a heading, or a species, its factor and unit."""
    text = re.sub(r"(?m)^\s*#.*", "", read_text(path))
    heading = next(filter(str.strip, text.splitlines()), "")
    if {"species", "value"} <= {*re.split(r"\s*[,;|\t]\s*", heading.strip().lower())}:
        sheet = _read_table(text, path.name, ())
        if unknown := [column for column in sheet.header if column not in COLUMNS]:
            raise ReadError(
                f"{path.name}: no column {unknown[0]!r}, only {', '.join(COLUMNS)}",
                code="unknown_column",
                where={"file": path.name, "column": unknown[0]},
            )
        for row in sheet.rows:
            yield {column: cell for column, cell in row.items() if cell}
        return
    for number, line in enumerate(map(str.strip, text.splitlines()), 1):
        commas = re.match(r"[^\s,;|:=]+\s*,", line)  # behind a species, they are no decimal ones
        match = _LINE.fullmatch((line.replace(",", ";") if commas else line).strip(" \t;|"))
        if match is not None:
            species, value, unit = match.groups("")
            row = {"species": species, "value": value.replace(",", "."), "line": str(number)}
            yield row | ({"unit": unit} if unit else {})
        elif re.search(r"\d", line):  # no heading
            expected = "a species and its factor, as in 'Li 1.8e12', or a heading: species, value"
            text = f"{line!r}; expected {expected}"
            raise _line_error(path.name, number, text, code="invalid_cell")


def _read_table(text: str, name: str, required: Collection[str]) -> Sheet:
    """Read the cells of rows below a heading, by column, and the line of each."""
    heading = next(filter(str.strip, text.splitlines()), "")
    delimiter = max(",;\t|", key=heading.count)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)
    lines: dict[int, list[str]] = {}
    try:
        for line in reader:
            cells = [cell.strip() for cell in line]
            lines[reader.line_num] = cells if any(cells) else []
    except csv.Error as error:
        raise _line_error(name, reader.line_num, str(error), code="damaged_file") from None
    first, header = next(((n, cells) for n, cells in lines.items() if cells), (1, []))
    names = {head: "_".join(head.lower().split()) for head in header}
    header[:] = [names[head] if names[head] in COLUMNS else head for head in header]
    if required and not COLUMNS.keys() >= set(header):  # what is missing may have another name
        required = COLUMNS
    faulty = [name for name in COLUMNS if header.count(name) > 1 or name in {*required} - {*header}]
    if faulty:
        columns = f"these with {delimiter!r} between them: {', '.join(header)}"
        text = f"expected one column {faulty[0]!r}, found {columns}"
        raise _line_error(name, first, text, code="missing_column")
    sheet = Sheet(header, lines, [], delimiter)
    for number, cells in lines.items():
        if number == first or not cells:
            continue
        if len(cells) != len(header):
            message = f"{len(cells)} cells below {len(header)} columns"
            raise _line_error(name, number, message, code="uneven_rows")
        row: Row = {**dict(zip(header, cells, strict=True)), "line": number}
        if delimiter != ",":
            row |= {column: row[column].replace(",", ".") for column in _NUMBERS if column in row}
        sheet.rows.append(row)
    dates = iso_dates(row.get("date", "") for row in sheet.rows)
    for row, date in zip(sheet.rows, dates, strict=True):
        row["date"] = date
    return sheet


@contextmanager
def locked_sheet(path: Path) -> Iterator[Sheet]:
    """Lock a file of factors, or raise an `ArchiveError`; write what is changed in its cells."""
    with files.locked(path.parent) as is_locked:
        if not is_locked and files.fcntl is not None and path.parent.is_dir():
            raise ArchiveError(
                f"{path.name!r} cannot be locked, as another process writes it or its file system "
                "has no locks: nothing was written; try again",
                code="failed_write",
            )
        content = path.read_bytes() if path.exists() else b""
        sheet, stream = read_sheet(path), io.StringIO()
        yield sheet
        end = "\r\n" if b"\r\n" in content else "\n"
        writer = csv.writer(stream, lineterminator=end, delimiter=sheet.delimiter)
        writer.writerows(sheet.cells.values())
        encoding = "utf-8-sig" if content.startswith(b"\xef\xbb\xbf") else "utf-8"
        files.replace_file(path, stream.getvalue().encode(encoding))
