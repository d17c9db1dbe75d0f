"""The file of a laboratory's factors: a CSV whose cells are read, or refused by their place."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sims_analysis import files
from sims_analysis.analysis.uncertainty import relative_uncertainty
from sims_analysis.errors import ArchiveError, ReadError
from sims_analysis.quantification.factors import FACTOR_TERMS
from sims_analysis.text.times import moment_of
from sims_analysis.units import Unit, unit_of_kind

_ENERGY = re.compile(r"([\d.]+)\s*(k?)eV", re.IGNORECASE)
_YES = {"yes": True, "true": True, "no": False, "false": False}
_POLARITIES = {"positive": "+", "negative": "-", "+": "+", "-": "-", "−": "-"}


def unit_of(cell: str) -> Unit:
    """Read the unit of a factor."""
    return unit_of_kind(cell or None, tuple(FACTOR_TERMS), "unit")


def _positive(cell: str) -> float:
    if not 0 < float(cell) < np.inf:
        raise ValueError
    return float(cell)


def _relative(cell: str) -> float:
    return float(relative_uncertainty(cell if "%" in cell else float(cell), ""))


def _energy(cell: str) -> float:
    """Read an energy, in eV."""
    found = _ENERGY.fullmatch(cell)
    if found is None:
        raise ValueError
    return _positive(found[1]) * (1000.0 if found[2] else 1.0)


def _date(cell: str) -> datetime:
    moment = moment_of(cell)
    if moment is None:
        raise ValueError
    return moment.astimezone(UTC)


class _Column(NamedTuple):
    """How the cells of a column are read, what is expected, and what an empty one means."""

    read: Callable[[str], Any] = str
    expected: str = "a text"
    #: An Ellipsis if there must be something.
    empty: Any = ""


COLUMNS = {
    **dict.fromkeys(("species", "matrix", "material"), _Column()),
    "value": _Column(_positive, "a positive number, such as 5.1e21", ...),
    "unit": _Column(lambda cell: unit_of(cell).text, "a unit of factors, such as atoms/cm^3", ...),
    "stderr": _Column(_positive, "a positive number", np.nan),
    "uncertainty": _Column(_relative, "a relative uncertainty, such as 0.03 or 3 %", np.nan),
    "primary_ion": _Column(lambda cell: "".join(cell.split())),
    "energy": _Column(_energy, "an energy, such as 5 keV", np.nan),
    "polarity": _Column(lambda cell: _POLARITIES[cell.lower()], "positive or negative"),
    "instrument": _Column(),
    "date": _Column(_date, "a date in ISO 8601, such as 2026-03-02", None),
    **dict.fromkeys(("standard", "data_id", "sha256", "matrix_signal", "dead_time"), _Column()),
    **dict.fromkeys(("status", "note"), _Column()),
    "valid": _Column(lambda cell: _YES[cell.lower()], "yes or no", ...),
}
COLUMNS["species"] = _Column(str, "the name of a species", ...)
#: A factor as read, by column, and its ``line`` in the file.
Row = dict[str, Any]


def read_cell(column: str, cell: str, where: str) -> Any:
    """Read one cell, or raise a `ReadError` that says where it stands."""
    how = COLUMNS[column]
    if not cell and how.empty is not ...:
        return how.empty
    try:
        if cell:
            return how.read(cell)
    except (ValueError, KeyError):
        pass
    raise ReadError(f"{where}: {cell!r}; expected {how.expected}")


def read_row(cells: Mapping[str, str], line: int, name: str) -> Row:
    """Read the cells of a row; those that are not there are empty."""
    place = f"{name}, line {line}, column"
    row = {one: read_cell(one, cells.get(one, ""), f"{place} {one!r}") for one in COLUMNS}
    if (unit_of(row["unit"]).kind == "concentration") != bool(row["matrix"]):
        expected = "atoms/cm^3" if row["matrix"] else "atoms/cm^3 per count/s"
        what = f"relative to {row['matrix']!r}" if row["matrix"] else "without a matrix signal"
        raise ReadError(f"{place} 'unit': {row['unit']!r}; a factor {what} is in {expected}")
    return row | {"line": line}


class Sheet(NamedTuple):
    """A file of factors: its text, header, cells by line, and rows as read."""

    text: str
    header: list[str]
    cells: dict[int, list[str]]
    rows: list[Row]

    def appended(self, rows: Sequence[Mapping[str, str]]) -> bytes:
        """Return the file with rows behind what stands in it."""
        text = self.text or ",".join(self.header) + "\n"
        text += "" if text.endswith("\n") else "\n"
        new = [[row.get(column, "") for column in self.header] for row in rows]
        return (text + self._written(new)).encode()

    def changed(self, lines: Sequence[int], cells: Mapping[str, str]) -> bytes:
        """Return the file with other cells in some lines."""
        for line in lines:
            for column, cell in cells.items():
                self.cells[line][self.header.index(column)] = cell
        return self._written([self.header, *self.cells.values()]).encode()

    def _written(self, lines: Sequence[Sequence[str]]) -> str:
        out = io.StringIO()
        end = "\r\n" if "\r\n" in self.text else "\n"
        csv.writer(out, lineterminator=end).writerows(lines)
        return out.getvalue()


def read_sheet(path: Path) -> Sheet:
    """Read a file of factors; one that does not exist has none."""
    text = read_text(path) if path.exists() else ""
    header, cells = read_cells(text, path.name)
    header = header or list(COLUMNS)
    missing = [column for column in COLUMNS if header.count(column) != 1]
    if missing:
        raise ReadError(
            f"{path.name}, line 1: expected one column {missing[0]!r} among those separated by "
            f"commas: {', '.join(COLUMNS)}"
        )
    rows = [
        read_row(dict(zip(header, line, strict=True)), number, path.name)
        for number, line in cells.items()
    ]
    return Sheet(text, header, cells, rows)


def read_text(path: Path) -> str:
    """Read text in UTF-8."""
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ReadError(f"{path.name}, line {line}: not in UTF-8; save it in UTF-8") from None


def read_cells(text: str, name: str) -> tuple[list[str], dict[int, list[str]]]:
    """Read the header of a table, and the cells of its other lines, as many in each."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] = []
    cells = {}
    try:
        for line in reader:
            stripped = [cell.strip() for cell in line]
            if not any(stripped):
                continue
            if header and len(line) != len(header):
                raise ReadError(
                    f"{name}, line {reader.line_num}: {len(line)} cells below {len(header)} columns"
                )
            if header:
                cells[reader.line_num] = stripped
            header = header or stripped
    except csv.Error as error:
        raise ReadError(f"{name}, line {reader.line_num}: {error}") from None
    return header, cells


@contextmanager
def changing(path: Path) -> Iterator[Sheet]:
    """Lock a file of factors against other writers, and read it.

    An `ArchiveError` where there is no lock to get: what others write meanwhile would be lost.
    """
    with files.locked(path.parent) as held:
        if not held and files.fcntl is not None and path.parent.is_dir():
            raise ArchiveError(
                f"{path.name} cannot be locked, as another process writes it or its file system "
                "has no locks: nothing was written; try again"
            )
        yield read_sheet(path)
