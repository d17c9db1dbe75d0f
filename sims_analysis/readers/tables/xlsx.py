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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree as ET

from sims_analysis.files import Budget

__all__ = ["Cells", "Span", "as_percent", "read_xlsx"]

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
#: Each of these marks in XML makes an object of about so many bytes: a tag, an attribute, a part of
#: a text. Those of a sheet are let go of cell by cell.
_MARKS = (b"<", b"=", b"&", b"\n")
_OBJECT, _OF_CELL = 130, 64


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
    """Read all sheets of a workbook, as far as the budget goes.

    A damaged one makes `zipfile` and the parser raise their errors, or a ValueError or a KeyError.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        workbook = _tree(archive, "xl/workbook.xml", budget)
        targets = _targets(archive, budget)
        dates = [e.get("date1904") in ("1", "true") for e in _all(workbook, "workbookPr")]
        book = _Book(
            [_string(item) for item in _part(archive, targets, "sharedStrings", budget)],
            _styles(_part(archive, targets, "styles", budget)),
            _DAY_ONE + dt.timedelta(days=_MAC_DAYS if any(dates) else 0),
            budget,
        )
        sheets = []
        for sheet in _all(workbook, "sheet"):
            relation = next((v for k, v in sheet.items() if k.endswith("}id")), "")
            kind, target = targets.get(relation, ("", ""))
            if kind == "worksheet":
                cells = Cells(sheet.get("name", ""), sheet.get("state", "visible") != "visible")
                book.read(archive, target, cells)
                sheets.append(cells)
        return sheets


def _elements(
    archive: zipfile.ZipFile, name: str, budget: Budget, what: str, cost: int
) -> Iterator[tuple[str, ET.Element]]:
    """Parse a part piece by piece, and return where its elements start and end.

    What defines entities, as no spreadsheet does, and by which small files grow, is refused.
    """
    parser: Any = ET.XMLPullParser(("start", "end"))
    with archive.open(name) as stream:
        while piece := stream.read(_PIECE):
            budget.take(len(piece) + cost * sum(map(piece.count, _MARKS)), what)
            if b"<!D" in piece.replace(b"\0", b""):
                raise ValueError("a part of it defines entities")
            parser.feed(piece)
            yield from parser.read_events()
    parser.close()


def _tree(archive: zipfile.ZipFile, name: str, budget: Budget) -> ET.Element:
    """Parse a small part as a whole."""
    elements = [e for _, e in _elements(archive, name, budget, f"its part {name!r}", _OBJECT)]
    return elements[0]


def _tag(element: ET.Element) -> str:
    """Name an element, in whichever of the two name spaces."""
    return element.tag.rpartition("}")[2]


def _all(root: ET.Element, tag: str) -> list[ET.Element]:
    return [element for element in root.iter() if _tag(element) == tag]


def _targets(archive: zipfile.ZipFile, budget: Budget) -> dict[str, tuple[str, str]]:
    """Return kind and path of each part by its relation."""
    found = {}
    for relation in _tree(archive, "xl/_rels/workbook.xml.rels", budget):
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
    return _tree(archive, path, budget)


def _string(item: ET.Element) -> str:
    """Return a text, of several parts if it is set in several ways; readings are no part of it."""
    parts = [child for child in item if _tag(child) in ("t", "r")]
    return "".join(text.text or "" for part in parts for text in _all(part, "t"))


def _styles(root: Iterable[ET.Element]) -> list[str]:
    """Say of each style how it shows numbers: ``"percent"``, ``"date"``, or empty."""
    parts = {_tag(part): part for part in root}
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


@dataclass(frozen=True)
class _Book:
    """What the sheets of a workbook share."""

    strings: Sequence[str]
    styles: Sequence[str]
    first_day: dt.datetime
    budget: Budget

    def read(self, archive: zipfile.ZipFile, target: str, cells: Cells) -> None:
        """Read the cells of a sheet."""
        row = column = -1
        what = f"sheet {cells.name!r}"
        for event, element in _elements(archive, target, self.budget, what, _OF_CELL):
            tag = _tag(element)
            if event == "start":
                if tag == "row":
                    row, column = int(element.get("r", row + 2)) - 1, -1
            elif tag == "c":
                place = element.get("r")
                column = _column(place) if place else column + 1
                value = self._value(element, what)
                if value is not None:
                    cells.rows.setdefault(row, {})[column] = value
                element.clear()
            elif tag == "row":
                element.clear()
            elif tag == "mergeCell":
                ends = _REFERENCE.findall(element.get("ref", ""))
                if len(ends) == 2:
                    (left, top), (right, bottom) = ends
                    span = (int(top) - 1, _column(left), int(bottom) - 1, _column(right))
                    cells.spans.append(span)

    def _value(self, cell: ET.Element, what: str) -> object:
        parts = {_tag(part): part for part in cell}
        kind, text = cell.get("t", "n"), ""
        if "v" in parts:
            text = parts["v"].text or ""
        elif "is" in parts:
            text = _string(parts["is"])
        if kind == "s":
            text = self.strings[int(text)] if text else ""
            # Shared, until something is made of it for each cell.
            self.budget.take(len(text), what)
        elif text and kind == "n":
            return self._number(float(text), cell.get("s"))
        elif text and kind == "b":
            return text == "1"
        if "f" in parts and not text:
            # Without its value such a cell would look empty: it shows its formula instead.
            return f"={parts['f'].text or ''}"
        return text if text.strip() else None

    def _number(self, value: float, style: str | None) -> object:
        shown = self.styles[int(style)] if style and self.styles else ""
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
