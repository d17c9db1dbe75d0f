"""The cells of an .xlsx, read as a stream: what has no content costs nothing.

Spreadsheets that people have edited claim a million rows or sixteen thousand columns for one empty
cell with a border, and a library that builds what they claim takes a minute and gigabytes for it.
This reads cells with content alone, and of their styles what decides about a number: whether it is
shown in percent, or as a date.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any
from xml.etree import ElementTree as ET

from sims_analysis.files import Budget

#: First row, first column, last row and last column of cells that are merged, from 0.
Span = tuple[int, int, int, int]

_REFERENCE = re.compile(r"([A-Z]{1,3})(\d+)")
#: Built-in formats of dates and times, and of parts of a hundred.
_DATES, _PERCENTS = frozenset((*range(14, 23), *range(45, 48))), frozenset((9, 10))
#: What in a format of numbers is text, a colour or a condition.
_QUOTED = re.compile(r'"[^"]*"|\\.|\[(?!h+\]|m+\]|s+\])[^\]]*\]|_.|\*.', re.IGNORECASE)
_DAY_ONE = dt.datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet knows no time zone
_MAC_DAYS = 1462
_PIECE = 1 << 20
#: Each of these marks in XML makes an object: a tag, an attribute, a part of a text.
_MARKS = (b"<", b"=", b"&", b"\n")


@dataclass
class Cells:
    """The cells of a sheet that hold something."""

    name: str
    hidden: bool = False
    #: ``{row: {column: value}}``, from 0: numbers, texts, truths and dates.
    rows: dict[int, dict[int, object]] = field(default_factory=dict)
    #: Cells that are merged.
    spans: list[Span] = field(default_factory=list)


def read_xlsx(content: bytes, budget: Budget) -> list[Cells]:
    """Read all sheets of a workbook; a damaged one raises errors of `zipfile` and the parser."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        book = _parsed(archive, "xl/workbook.xml", budget)
        targets = _targets(archive, budget)
        strings = list(map(_string, _part(archive, targets, "sharedStrings", budget)))
        styles = _styles(_part(archive, targets, "styles", budget))
        since_1904 = any(
            element.get("date1904") in ("1", "true") for element in _all(book, "workbookPr")
        )
        sheets = []
        for sheet in _all(book, "sheet"):
            relation = next((v for k, v in sheet.items() if k.endswith("}id")), "")
            kind, target = targets.get(relation, ("", ""))
            if kind != "worksheet":
                continue
            cells = Cells(sheet.get("name", ""), sheet.get("state", "visible") != "visible")
            parser = _Sheet(cells, strings, styles, budget, since_1904=since_1904)
            with archive.open(target) as stream:
                _parse(stream, parser, budget, f"sheet {cells.name!r}")
            sheets.append(cells)
        return sheets


def _parsed(archive: zipfile.ZipFile, name: str, budget: Budget) -> ET.Element:
    """Parse a small part as a tree."""
    with archive.open(name) as stream:
        root: ET.Element = _parse(stream, _Tree(), budget, f"its part {name!r}")
    return root


def _parse(stream: IO[bytes], target: _Tree | _Sheet, budget: Budget, what: str) -> Any:
    """Parse a part piece by piece, to its end."""
    parser = ET.XMLParser(target=target)  # noqa: S314 - neither entities nor size do harm
    while piece := stream.read(_PIECE):
        budget.take(len(piece) + target.cost * sum(map(piece.count, _MARKS)), what)
        parser.feed(piece)
    return parser.close()


class _NoEntities:
    """What no spreadsheet defines, and by what small files grow, is refused."""

    def doctype(self, *_: object) -> None:
        raise ValueError("a part of it defines entities")


class _Tree(_NoEntities, ET.TreeBuilder):
    """A small part."""

    #: Memory in bytes of an object.
    cost = 130


def _all(root: ET.Element, tag: str) -> list[ET.Element]:
    """List elements by their names, in whichever of the two name spaces."""
    return [element for element in root.iter() if element.tag.rpartition("}")[2] == tag]


def _targets(archive: zipfile.ZipFile, budget: Budget) -> dict[str, tuple[str, str]]:
    """Return kind and path of each part by its relation."""
    found = {}
    for relation in _parsed(archive, "xl/_rels/workbook.xml.rels", budget):
        target = relation.get("Target", "")
        path = target[1:] if target.startswith("/") else f"xl/{target}"
        found[relation.get("Id", "")] = relation.get("Type", "").rpartition("/")[2], path
    return found


def _part(
    archive: zipfile.ZipFile, targets: Mapping[str, tuple[str, str]], kind: str, budget: Budget
) -> Iterable[ET.Element]:
    """Return the elements of a part that may be missing."""
    path = next((path for of, path in targets.values() if of == kind), None)
    if path is None or path not in archive.namelist():
        return ()
    return _parsed(archive, path, budget)


def _string(item: ET.Element) -> str:
    """Return a text, of several parts if it is set in several ways; readings are no part of it."""
    parts = [child for child in item if child.tag.rpartition("}")[2] in ("t", "r")]
    return "".join(text.text or "" for part in parts for text in _all(part, "t"))


def _styles(root: Iterable[ET.Element]) -> list[str]:
    """Say of each style how it shows numbers: ``"percent"``, ``"date"``, or empty."""
    parts = {part.tag.rpartition("}")[2]: part for part in root}
    codes = {int(e.get("numFmtId", 0)): e.get("formatCode", "") for e in parts.get("numFmts", ())}
    styles = []
    for style in parts.get("cellXfs", ()):
        number = int(style.get("numFmtId", 0))
        code = _QUOTED.sub("", codes.get(number, ""))
        if number in _PERCENTS or "%" in code:
            styles.append("percent")
        elif number in _DATES or (code != "General" and re.search("[dmyhs]", code.casefold())):
            styles.append("date")
        else:
            styles.append("")
    return styles


def as_percent(value: float) -> str:
    """Return a number as a text in percent, as a spreadsheet shows it."""
    return f"{100 * value:.15g}%"


class _Sheet(_NoEntities):
    """The events of an XML parser for a sheet, cell by cell."""

    cost = 64

    def __init__(
        self,
        cells: Cells,
        strings: Sequence[str],
        styles: Sequence[str],
        budget: Budget,
        *,
        since_1904: bool,
    ) -> None:
        self.cells, self.strings, self.styles, self.budget = cells, strings, styles, budget
        self.first_day = _DAY_ONE + dt.timedelta(days=_MAC_DAYS if since_1904 else 0)
        self.row = self.column = -1
        self.kind = self.style = self.value = ""
        #: None where there is no formula, and outside of what is read.
        self.formula: str | None = None
        self.text: list[str] | None = None
        #: Within the reading of Japanese signs.
        self.is_reading = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition("}")[2]
        if name == "c":
            place = attributes.get("r")
            self.column = _column(place) if place else self.column + 1
            self.kind, self.style = attributes.get("t", "n"), attributes.get("s", "")
            self.value, self.formula = "", None
        elif name in ("v", "t", "f"):
            self.text = None if self.is_reading else []
        elif name == "rPh":
            self.is_reading = True
        elif name == "row":
            self.row = int(attributes.get("r", self.row + 2)) - 1
            self.column = -1
        elif name == "mergeCell":
            ends = _REFERENCE.findall(attributes.get("ref", ""))
            if len(ends) == 2:
                (left, top), (right, bottom) = ends
                span = (int(top) - 1, _column(left), int(bottom) - 1, _column(right))
                self.cells.spans.append(span)

    def data(self, text: str) -> None:
        if self.text is not None:
            self.text.append(text)

    def end(self, tag: str) -> None:
        name = tag.rpartition("}")[2]
        if self.text is not None:
            text, self.text = "".join(self.text), None
            if name == "f":
                self.formula = text
            else:
                self.value += text
        elif name == "rPh":
            self.is_reading = False
        elif name == "c":
            value = self._value()
            if value is not None:
                self.cells.rows.setdefault(self.row, {})[self.column] = value

    def close(self) -> None:
        pass

    def _value(self) -> object:
        text = self.value
        if self.kind == "s":
            text = self.strings[int(text)] if text else ""
            # Shared, until something is made of it for each cell.
            self.budget.take(len(text), f"sheet {self.cells.name!r}")
        elif text and self.kind == "n":
            return self._number(float(text))
        elif text and self.kind == "b":
            return text == "1"
        if self.formula is not None and not text:
            # Without its value such a cell would look empty: it shows its formula instead.
            return f"={self.formula}"
        return text if text.strip() else None

    def _number(self, value: float) -> object:
        shown = self.styles[int(self.style)] if self.style and self.styles else ""
        if shown == "percent":
            return as_percent(value)
        if shown == "date":
            try:
                # To the millisecond, which is as exactly as days are kept.
                date = self.first_day + dt.timedelta(milliseconds=round(value * 86_400_000))
                return date.time() if 0 <= value < 1 else date
            except OverflowError:
                return "#VALUE!"
        return value


def _column(reference: str) -> int:
    """Return the place of a column, from 0."""
    place = 0
    for letter in reference:
        if not letter.isalpha():
            break
        place = 26 * place + ord(letter) - 64
    return place - 1
